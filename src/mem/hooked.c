#include "mem/hooked.h"

#include "exec/hooks.h"
#include "guest/guest.h"
#include "mem/access.h"
#include "mem/whole.h"

bool hooked_tell_load(struct nw_vcpu *vcpu, enum mem_hook kind, uint64_t address, unsigned size,
                      const uint8_t *bytes)
{
    return !(vcpu->mem->hooked & kind) ||
           vcpu->mem->client->hook(vcpu, kind, address, size, bytes) == MEM_HOOK_GO;
}

void access_fault_as_store(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop)
{
    const struct vcpu_exc *e = &vcpu->exc;

    if (memop & IR_MEM_RMW && access_writes_first(vcpu) && vcpu->leave == VCPU_LEAVE_EXC &&
        e->kind == EXC_MEM && e->fault != NW_FAULT_ALIGN)
        access_writable(vcpu, gva, 1u << IR_MEM_SIZE(memop), access_mmu(memop));
}

bool access_load_hooked(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop, uint8_t *bytes)
{
    if (NW_LIKELY(access_plain_load(vcpu, gva, memop & ~IR_MEM_RMW, bytes)))
        return true;
    access_fault_as_store(vcpu, gva, memop);
    vcpu->exc.told = MEM_HOOK_READ;
    return false;
}

bool hooked_present(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop)
{
    unsigned size = 1u << IR_MEM_SIZE(memop);
    struct access a;

    if (!(vcpu->mem->hooked & MEM_HOOK_READ) || watch_hit(vcpu, gva, size, false))
        return true;
    if (access_translate(vcpu, &a, gva, size, access_mmu(memop), NW_ACCESS_READ) &&
        access_present(vcpu, &a, NW_ACCESS_READ))
        return true;
    access_fault_as_store(vcpu, gva, memop);
    return false;
}

/* An address that the instruction does not take is no access. */
static bool aligned_first(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop, nw_access access)
{
    return NW_LIKELY(!(gva & ((1u << IR_MEM_ALIGN_OF(memop)) - 1))) ||
           access_aligned(vcpu, gva, memop, access);
}

/* May the place of the access be taken from where watch_hit knows it? */
static bool at_hand(const struct nw_vcpu *vcpu, uint32_t memop)
{
    return NW_LIKELY(!(memop & (MEM_BEYOND | IR_MEM_ALIGN(7))) && !vcpu->watched);
}

/* What comes behind the READ hooks. A callback may have unmapped what it was called for: the place
 * is looked up only now. */
static bool finish_load(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop, uint8_t *bytes)
{
    unsigned size = 1u << IR_MEM_SIZE(memop);
    const uint8_t *host = watch_hit(vcpu, gva, size, false);

    if (host && at_hand(vcpu, memop))
        read_whole(bytes, host, size);
    else if (!access_load_hooked(vcpu, gva, memop, bytes))
        return false;
    if (!hooked_tell_load(vcpu, MEM_HOOK_READ_AFTER, gva, size, bytes))
        return false;
    vcpu->access_index++;
    return true;
}

bool hooked_load(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop, uint8_t *bytes)
{
    return aligned_first(vcpu, gva, memop, NW_ACCESS_READ) && hooked_present(vcpu, gva, memop) &&
           hooked_tell_load(vcpu, MEM_HOOK_READ, gva, 1u << IR_MEM_SIZE(memop), NULL) &&
           finish_load(vcpu, gva, memop, bytes);
}

/* For hooks of its fault, or for when it is run again. */
static void keep_told(struct nw_vcpu *vcpu, unsigned size, const uint8_t *bytes)
{
    memset(vcpu->told, 0, 8);
    memcpy(vcpu->told, bytes, size);
}

NW_RARE void hooked_step_store(struct nw_vcpu *vcpu, unsigned size, const uint8_t *bytes)
{
    keep_told(vcpu, size, bytes);
    vcpu->reported = mem_hook_order(vcpu, MEM_HOOK_WRITE) + 1;
}

/* A stop is asked for in a callback: the store is done all the same. */
static NW_RARE void unusual_store(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop,
                                  uint8_t *bytes)
{
    uint32_t leave = vcpu->leave;

    vcpu->leave = VCPU_LEAVE_NONE;
    access_plain_store(vcpu, gva, memop, bytes);
    if (vcpu->leave == VCPU_LEAVE_NONE)
        vcpu->leave = leave;
    else if (vcpu->leave == VCPU_LEAVE_STEP)
        hooked_step_store(vcpu, 1u << IR_MEM_SIZE(memop), bytes);
}

/* What comes behind the WRITE hooks. */
static inline void finish_store(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop, uint8_t *bytes)
{
    unsigned size = 1u << IR_MEM_SIZE(memop);
    uint8_t *host = at_hand(vcpu, memop) ? watch_hit(vcpu, gva, size, true) : NULL;

    if (NW_LIKELY(host != NULL))
        write_whole(host, bytes, size);
    else
        unusual_store(vcpu, gva, memop, bytes);
    vcpu->access_index++;
}

NW_RARE void hooked_note_value(struct nw_vcpu *vcpu, uint32_t memop, const uint8_t *bytes)
{
    vcpu->exc.told = MEM_HOOK_WRITE;
    keep_told(vcpu, 1u << IR_MEM_SIZE(memop), bytes);
}

bool hooked_tell_store(struct nw_vcpu *vcpu, uint64_t address, unsigned size, uint8_t *bytes)
{
    enum mem_hook_result result = MEM_HOOK_GO;

    if (vcpu->mem->hooked & MEM_HOOK_WRITE)
        result = vcpu->mem->client->hook(vcpu, MEM_HOOK_WRITE, address, size, bytes);
    if (result == MEM_HOOK_LEAVE)
        keep_told(vcpu, size, bytes);
    else if (result == MEM_HOOK_TOLD)
        memcpy(bytes, vcpu->told, size);
    return result != MEM_HOOK_LEAVE;
}

void hooked_store(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop, uint8_t *bytes)
{
    unsigned size = 1u << IR_MEM_SIZE(memop);

    if (!aligned_first(vcpu, gva, memop, NW_ACCESS_WRITE))
        return;
    if (hooked_tell_store(vcpu, gva, size, bytes))
        finish_store(vcpu, gva, memop, bytes);
}

/* ---- the only hook of its kind ---- */

static inline enum mem_hook_result call_direct(struct nw_vcpu *vcpu, const struct access_direct *d,
                                               enum mem_hook kind, uint64_t gva, unsigned size,
                                               uint64_t value)
{
    struct hook_frame frame;

    frame.outer = vcpu->frame;
    frame.flags = 0;
    vcpu->frame = &frame;
    d->fn(d->self, d->tag, gva, (int)size, (int64_t)value, d->user);
    vcpu->frame = frame.outer;
    if (NW_LIKELY(!(frame.flags | atomic_load_explicit(&vcpu->request, memory_order_relaxed))))
        return MEM_HOOK_GO;
    return vcpu->mem->client->hook_after(vcpu, kind, &frame);
}

/* CALLED: the READ hook was. */
static NW_RARE uint64_t missed_load(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop, bool called)
{
    unsigned size = 1u << IR_MEM_SIZE(memop);
    uint8_t bytes[8] = {0};
    uint64_t v;

    if (!(called ? finish_load : hooked_load)(vcpu, gva, memop, bytes))
        return 0;
    v = number_in(bytes, size);
    return memop & IR_MEM_SIGNED ? sign_extend(v, size) : v;
}

uint64_t hooked_load_direct(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop)
{
    unsigned size = 1u << IR_MEM_SIZE(memop);
    const struct tlb_entry *e = watch_entry(vcpu, gva);
    uint64_t v;

    if (NW_UNLIKELY(!watch_hit(vcpu, gva, size, false)))
        return missed_load(vcpu, gva, memop, false);
    if (call_direct(vcpu, vcpu->direct_read, MEM_HOOK_READ, gva, size, 0) != MEM_HOOK_GO)
        return 0;
    /* The callback may have unmapped the page. */
    if (NW_UNLIKELY(!vcpu->watching || e->read != (gva & ~(PAGE_SIZE_ - 1))))
        return missed_load(vcpu, gva, memop, true);
    vcpu->access_index++;
    v = number_in((const uint8_t *)(uintptr_t)(gva + e->addend), size);
    return NW_UNLIKELY(memop & IR_MEM_SIGNED) ? sign_extend(v, size) : v;
}

void hooked_store_direct(struct nw_vcpu *vcpu, uint64_t gva, uint64_t value, uint32_t memop)
{
    unsigned size = 1u << IR_MEM_SIZE(memop);
    uint64_t masked = value & UINT64_MAX >> (64 - 8 * size);
    uint8_t bytes[8];

    memcpy(bytes, &value, sizeof bytes);
    if (call_direct(vcpu, vcpu->direct_write, MEM_HOOK_WRITE, gva, size, masked) ==
        MEM_HOOK_LEAVE) {
        keep_told(vcpu, size, bytes);
        return;
    }
    finish_store(vcpu, gva, memop, bytes);
    if (NW_UNLIKELY(vcpu->leave == VCPU_LEAVE_EXC))
        hooked_note_value(vcpu, memop, bytes);
}
