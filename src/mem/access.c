/* The slow path of guest accesses: TLB misses, MMIO, page crossing, stores near code, faults.
 *
 * An access is at most two pieces, one per page (or granule, where that is smaller). Both are
 * resolved and checked before anything is read or written. Memory is accessed under the space's
 * lock, so that nobody unmaps it meanwhile; MMIO callbacks run without locks. */
#include "mem/access.h"
#include "mem/mem.h"

#include <string.h>
#include "exec/hooks.h"
#include "guest/guest.h"
#include "mem/hooked.h"
#include "mem/mmu.h"
#include "mem/snapshot.h"
#include "mem/whole.h"

void mem_raise(struct nw_vcpu *vcpu, uint64_t gva, uint32_t size, nw_access access, nw_fault fault)
{
    vcpu->exc = (struct vcpu_exc){
        .kind = EXC_MEM, .addr = gva, .size = size, .access = access, .fault = fault};
    memset(vcpu->told, 0, 8);
    vcpu->leave = VCPU_LEAVE_EXC;
}

static uint64_t page_of(uint64_t gva)
{
    return gva & ~(PAGE_SIZE_ - 1);
}

/* What the TLB knows need not be looked up again: accesses over two pages come here always. */
static bool known(struct nw_vcpu *vcpu, uint64_t gva, unsigned mmu, nw_access access,
                  struct mmu_page *out)
{
    uint64_t page = page_of(gva);
    const struct tlb_entry *e = tlb_find(vcpu, mmu, page);

    if (!e || (access == NW_ACCESS_WRITE ? e->write : e->read) != page)
        return false;
    *out = (struct mmu_page){.gpa = page_of(e->gpa) | (gva - page),
                             .rights = (e->read == page ? NW_READ : 0u) |
                                       (e->write == page ? NW_WRITE : 0u),
                             .note = e->gpa & (TLB_SIZE_LOG | TLB_GLOBAL)};
    return true;
}

static bool translate_piece(struct nw_vcpu *vcpu, struct piece *p, uint64_t gva, unsigned size,
                            unsigned mmu, nw_access access)
{
    struct mmu_page page;

    p->gva = p->gpa = gva;
    p->size = size;
    p->rights = NW_RWX;
    p->note = PAGE_BITS;
    if (NW_LIKELY(!vcpu->mmu))
        return true;
    if (!known(vcpu, gva, mmu, access, &page) &&
        !mmu_translate(vcpu, gva, size, mmu, access, &page))
        return false;
    p->gpa = page.gpa;
    p->rights = page.rights;
    p->note = page.note;
    return true;
}

/* The highest guest virtual address. */
static uint64_t last_gva(const struct nw_vcpu *vcpu)
{
    return vcpu->guest->addr_type == IR_I64 ? UINT64_MAX : UINT32_MAX;
}

bool access_translate(struct nw_vcpu *vcpu, struct access *a, uint64_t gva, unsigned size,
                      unsigned mmu, nw_access access)
{
    uint64_t within = vcpu->mem->unit - 1;
    uint64_t second = (gva + size - 1) & last_gva(vcpu) & ~within;
    unsigned first = size;

    a->pieces = 1;
    if (second != (gva & ~within)) {
        first = (unsigned)(within + 1 - (gva & within));
        a->pieces = 2;
    }
    if (!translate_piece(vcpu, &a->piece[0], gva, first, mmu, access)) {
        vcpu->exc.size = size; /* where it ends may say more about it */
        return false;
    }
    return a->pieces == 1 || translate_piece(vcpu, &a->piece[1], second, size - first, mmu, access);
}

/* Finds what lies behind one piece. On failure the exception is recorded. */
static bool resolve_piece(struct nw_vcpu *vcpu, struct piece *p, nw_access access)
{
    struct mem_space *space = vcpu->mem;
    const struct mem_region *r = region_find(&space->regions, p->gpa);
    uint32_t need = access == NW_ACCESS_WRITE ? NW_WRITE : NW_READ;

    if (!r || !(r->perms & need)) {
        if (!r)
            filled_forget_page(vcpu, page_of(p->gva));
        mem_raise(vcpu, p->gpa, p->size, access, r ? NW_FAULT_PERM : NW_FAULT_UNMAPPED);
        return false;
    }
    p->region = r;
    p->host = NULL;
    p->shut = false;
    if (r->kind == MEM_MMIO) {
        p->read = r->read;
        p->write = r->write;
        p->opaque = r->opaque;
        p->offset = p->gpa - r->base;
        return true;
    }
    p->host = r->host + (p->gpa - r->start);
    return true;
}

bool access_resolve(struct nw_vcpu *vcpu, struct access *a, nw_access access)
{
    a->mmio = false;
    for (unsigned i = 0; i < a->pieces; i++) {
        if (!resolve_piece(vcpu, &a->piece[i], access)) {
            if (a->pieces == 2) /* who is told of it hears of the access */
                vcpu->exc.size = a->piece[0].size + a->piece[1].size;
            return false;
        }
        a->mmio |= !a->piece[i].host;
    }
    return true;
}

bool access_present(struct nw_vcpu *vcpu, const struct access *a, nw_access access)
{
    struct mem_space *space = vcpu->mem;
    bool all = true;

    pthread_rwlock_rdlock(&space->lock);
    for (unsigned i = 0; i < a->pieces && all; i++) {
        const struct piece *p = &a->piece[i];

        all = region_find(&space->regions, p->gpa) != NULL;
        if (!all)
            mem_raise(vcpu, p->gpa, p->size, access, NW_FAULT_UNMAPPED);
    }
    pthread_rwlock_unlock(&space->lock);
    return all;
}

/* With code_lock held. */
static bool copy_piece(struct mem_space *space, struct piece *p, uint8_t *bytes, bool write)
{
    uint64_t page = page_of(p->gpa);
    const uint8_t *from = write ? bytes : p->host;
    uint8_t *to = write ? p->host : bytes;
    bool ok = true;

    p->shut = !space_page_open(space, p->region, page, write);
    if (p->shut && !space_open_page(space, p->region, page))
        return false;
    if (p->region->file)
        ok = guarded_copy(to, from, p->size);
    else if (write)
        write_whole(to, from, p->size);
    else
        read_whole(to, from, p->size);
    if (p->shut)
        space_close_page(space, p->region, page);
    return ok;
}

static void mmio_read(struct nw_vcpu *vcpu, const struct piece *p, uint8_t *bytes)
{
    struct hook_frame frame;

    vcpu->mem->client->callback_enter(vcpu, &frame);
    for (unsigned done = 0; done < p->size;) {
        uint64_t offset = p->offset + done;
        unsigned size = 8;

        while (size > p->size - done || (offset & (size - 1)))
            size /= 2;
        uint64_t v = p->read(p->opaque, offset, size);
        memcpy(bytes + done, &v, size);
        done += size;
    }
    vcpu->mem->client->callback_leave(vcpu, &frame);
}

static void mmio_write(struct nw_vcpu *vcpu, const struct piece *p, const uint8_t *bytes)
{
    struct hook_frame frame;

    vcpu->mem->client->callback_enter(vcpu, &frame);
    for (unsigned done = 0; done < p->size;) {
        uint64_t offset = p->offset + done, v = 0;
        unsigned size = 8;

        while (size > p->size - done || (offset & (size - 1)))
            size /= 2;
        memcpy(&v, bytes + done, size);
        p->write(p->opaque, offset, v, size);
        done += size;
    }
    vcpu->mem->client->callback_leave(vcpu, &frame);
}

/* Hooked accesses to the page have no tag; where no MMU index matters their way is kept. */
static void keep_hooked(struct nw_vcpu *vcpu, uint64_t page, struct tlb_entry *e)
{
    uint32_t kinds = vcpu->mem->client->hooked_page(vcpu->mem->opaque, page);

    if (kinds && !vcpu->mmu)
        watch_fill(vcpu, page, e);
    if (kinds & (MEM_HOOK_READ | MEM_HOOK_READ_AFTER))
        e->read = TLB_NONE;
    if (kinds & MEM_HOOK_WRITE)
        e->write = TLB_NONE;
}

/* The page is not all of the region: its granule is kept where no MMU index matters. */
static void fill_part(struct nw_vcpu *vcpu, const struct piece *p)
{
    struct mem_space *space = vcpu->mem;
    const struct mem_region *r = p->region;
    uint64_t page = page_of(p->gpa), at = p->gva & ~(space->unit - 1);
    struct tlb_entry e = {TLB_NONE, TLB_NONE, 0, (uintptr_t)p->host - p->gva};

    if (vcpu->mmu || r->file)
        return;
    if (r->perms & NW_READ)
        e.read = at;
    if (r->perms & NW_WRITE && !space_code_page(space, page) && !snap_wants(space, r, page))
        e.write = at;
    parts_fill(vcpu, at, &e);
}

void access_fill(struct nw_vcpu *vcpu, const struct piece *p, unsigned mmu)
{
    struct mem_space *space = vcpu->mem;
    const struct mem_region *r = p->region;
    uint64_t page = page_of(p->gva), at = page_of(p->gpa);
    struct tlb_entry e = {TLB_NONE, TLB_NONE, at | p->note, (uintptr_t)p->host - p->gva};

    /* A fast access to the page must not need the host's protection changed, nor a guard; without
     * an arena that would be all mapped files, so there only those pages count as risky that do
     * not exist now. */
    if (!region_has_page(r, at)) {
        fill_part(vcpu, p);
        return;
    }
    if (r->file && (space->arena || !guarded_probe(p->host)))
        return;
    if ((r->perms & p->rights & NW_READ) && space_page_open(space, r, at, false))
        e.read = page;
    if ((r->perms & p->rights & NW_WRITE) && space_page_open(space, r, at, true) && !r->aliased &&
        !space_code_page(space, at) && !snap_wants(space, r, at))
        e.write = page;
    if (NW_UNLIKELY(space->hooked))
        keep_hooked(vcpu, at, &e);
    if (e.read != TLB_NONE || e.write != TLB_NONE)
        tlb_fill(vcpu, mmu, page, &e);
}

static void fill_all(struct nw_vcpu *vcpu, const struct access *a, unsigned mmu)
{
    for (unsigned i = 0; i < a->pieces; i++)
        if (a->piece[i].host)
            access_fill(vcpu, &a->piece[i], mmu);
}

static void tlb_check(struct nw_vcpu *vcpu)
{
    uint64_t now = vcpu->mem->generation;

    if (vcpu->tlb_generation != now) {
        vcpu->tlb_generation = now;
        tlb_flush(vcpu);
    }
}

bool access_keep(struct nw_vcpu *vcpu, const struct piece *p)
{
    if (snap_keep(vcpu->mem, p->region, page_of(p->gpa)))
        return true;
    mem_raise(vcpu, p->gpa, p->size, NW_ACCESS_WRITE, NW_FAULT_BUS);
    return false;
}

/* Opening a page of the arena for a store takes two system calls, and some more where the store
 * came to it by a signal. With code_lock held. */
static NW_RARE void note_shut_store(struct nw_vcpu *vcpu)
{
    if (atomic_fetch_add(&vcpu->mem->shut_stores, 1) + 1 >= SHUT_STORES_MAX)
        atomic_fetch_or(&vcpu->request, VCPU_REQ_SYNC);
}

bool access_copy(struct nw_vcpu *vcpu, struct access *a, uint8_t *bytes, bool write)
{
    struct mem_space *space = vcpu->mem;
    nw_access access = write ? NW_ACCESS_WRITE : NW_ACCESS_READ;
    bool ok = true;

    /* A store must not be half done when the second page turns out not to exist. */
    for (unsigned i = 0; write && a->pieces == 2 && ok && i < 2; i++) {
        struct piece *p = &a->piece[i];
        uint8_t probe[ACCESS_MAX];

        if (p->host && p->region->file && !copy_piece(space, p, probe, false)) {
            mem_raise(vcpu, p->gpa, p->size, access, NW_FAULT_BUS);
            ok = false;
        }
    }
    for (unsigned i = 0; write && NW_UNLIKELY(space->snaps != NULL) && ok && i < a->pieces; i++)
        ok = access_keep(vcpu, &a->piece[i]);
    for (unsigned i = 0; ok && i < a->pieces; i++) {
        struct piece *p = &a->piece[i];

        if (p->host && !copy_piece(space, p, bytes + (i ? a->piece[0].size : 0), write)) {
            mem_raise(vcpu, p->gpa, p->size, access, NW_FAULT_BUS);
            ok = false;
        }
    }
    for (unsigned i = 0; write && i < a->pieces; i++)
        if (NW_UNLIKELY(a->piece[i].shut))
            note_shut_store(vcpu);
    return ok;
}

bool access_load_at(struct nw_vcpu *vcpu, struct access *a, unsigned mmu, uint8_t *bytes)
{
    struct mem_space *space = vcpu->mem;
    bool ok;

    vcpu_count(vcpu, COUNT_TLB_MISSES);
    pthread_rwlock_rdlock(&space->lock);
    tlb_check(vcpu);
    ok = access_resolve(vcpu, a, NW_ACCESS_READ);
    if (ok) {
        pthread_mutex_lock(&space->code_lock);
        ok = access_copy(vcpu, a, bytes, false);
        if (ok)
            fill_all(vcpu, a, mmu);
        pthread_mutex_unlock(&space->code_lock);
    }
    pthread_rwlock_unlock(&space->lock);
    for (unsigned i = 0; ok && a->mmio && i < a->pieces; i++)
        if (!a->piece[i].host)
            mmio_read(vcpu, &a->piece[i], bytes + (i ? a->piece[0].size : 0));
    return ok;
}

bool access_load(struct nw_vcpu *vcpu, uint64_t gva, unsigned size, unsigned mmu, uint8_t *bytes)
{
    struct access a;

    return access_translate(vcpu, &a, gva, size, mmu, NW_ACCESS_READ) &&
           access_load_at(vcpu, &a, mmu, bytes);
}

const struct piece *access_hits_code(struct mem_space *space, const struct access *a)
{
    for (unsigned i = 0; i < a->pieces; i++) {
        const struct piece *p = &a->piece[i];

        if (p->host && space_hits_code(space, p->gpa, p->size))
            return p;
    }
    return NULL;
}

static enum store_result store_once(struct nw_vcpu *vcpu, struct access *a, unsigned mmu,
                                    uint8_t *bytes)
{
    struct mem_space *space = vcpu->mem;
    const struct piece *code = NULL;
    uint64_t code_gpa = 0;
    unsigned code_size = 0;
    bool ok;

    pthread_rwlock_rdlock(&space->lock);
    tlb_check(vcpu);
    ok = access_resolve(vcpu, a, NW_ACCESS_WRITE);
    if (ok) {
        pthread_mutex_lock(&space->code_lock);
        code = access_hits_code(space, a);
        if (code) {
            code_gpa = code->gpa;
            code_size = code->size;
        } else {
            ok = access_copy(vcpu, a, bytes, true);
            if (ok)
                fill_all(vcpu, a, mmu);
        }
        pthread_mutex_unlock(&space->code_lock);
    }
    pthread_rwlock_unlock(&space->lock);
    if (!ok)
        return STORE_FAILED;
    if (code) {
        vcpu_count(vcpu, COUNT_SMC_FAULTS);
        return space->client->store_hits_code(vcpu, code_gpa, code_size) ? STORE_AGAIN
                                                                         : STORE_FAILED;
    }
    for (unsigned i = 0; a->mmio && i < a->pieces; i++)
        if (!a->piece[i].host)
            mmio_write(vcpu, &a->piece[i], bytes + (i ? a->piece[0].size : 0));
    return STORE_DONE;
}

bool access_store_at(struct nw_vcpu *vcpu, struct access *a, unsigned mmu, uint8_t *bytes)
{
    enum store_result r;

    vcpu_count(vcpu, COUNT_TLB_MISSES);
    do {
        r = store_once(vcpu, a, mmu, bytes);
    } while (r == STORE_AGAIN);
    return r == STORE_DONE;
}

bool access_store(struct nw_vcpu *vcpu, uint64_t gva, unsigned size, unsigned mmu, uint8_t *bytes)
{
    struct access a;

    return access_translate(vcpu, &a, gva, size, mmu, NW_ACCESS_WRITE) &&
           access_store_at(vcpu, &a, mmu, bytes);
}

void access_step(struct nw_vcpu *vcpu, uint64_t gva, unsigned size, unsigned mmu, nw_access access)
{
    struct access a;

    if (!access_translate(vcpu, &a, gva, size, mmu, access))
        return;
    pthread_rwlock_rdlock(&vcpu->mem->lock);
    if (access_resolve(vcpu, &a, access))
        vcpu->leave = VCPU_LEAVE_STEP;
    pthread_rwlock_unlock(&vcpu->mem->lock);
}

bool access_aligned(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop, nw_access access)
{
    if (NW_UNLIKELY(vcpu->watched))
        vcpu->guest->watch(vcpu, gva, 1u << IR_MEM_SIZE(memop), access == NW_ACCESS_WRITE);
    if (NW_LIKELY(!(gva & ((1u << IR_MEM_ALIGN_OF(memop)) - 1))))
        return true;
    mem_raise(vcpu, gva, 1u << IR_MEM_SIZE(memop), access, NW_FAULT_ALIGN);
    return false;
}

uint8_t *access_tlb_hit(struct nw_vcpu *vcpu, uint64_t gva, unsigned size, unsigned mmu, bool write)
{
    uint64_t page = page_of(gva);
    struct tlb_entry *e;

    if (!space_by_tlb(vcpu->mem, gva) || page_of(gva + size - 1) != page)
        return NULL;
    e = tlb_find(vcpu, mmu, page);
    if (!e || (write ? e->write : e->read) != page)
        return NULL;
    return (uint8_t *)(uintptr_t)(gva + e->addend);
}

/* In the window TLB hits count under the space's lock only. */
static bool locked_access(struct nw_vcpu *vcpu, uint64_t gva, unsigned size, unsigned mmu,
                          uint8_t *bytes, bool write)
{
    struct mem_space *space = vcpu->mem;
    uint64_t page = page_of(gva);
    bool done = false;

    if (space_by_tlb(space, gva) || page_of(gva + size - 1) != page)
        return false;
    pthread_rwlock_rdlock(&space->lock);
    if (vcpu->tlb_generation == space->generation) {
        struct tlb_entry *e = tlb_find(vcpu, mmu, page);

        if (e && (write ? e->write : e->read) == page) {
            uint8_t *host = (uint8_t *)(uintptr_t)(gva + e->addend);

            if (write)
                write_whole(host, bytes, size);
            else
                read_whole(bytes, host, size);
            done = true;
        }
    }
    pthread_rwlock_unlock(&space->lock);
    return done;
}

bool access_writes_first(const struct nw_vcpu *vcpu)
{
    return !vcpu->reads_first || (vcpu->mmu && !vcpu->translate);
}

bool access_writable(struct nw_vcpu *vcpu, uint64_t gva, unsigned size, unsigned mmu)
{
    struct access a;
    bool ok;

    if (access_tlb_hit(vcpu, gva, size, mmu, true))
        return true;
    if (!access_translate(vcpu, &a, gva, size, mmu, NW_ACCESS_WRITE))
        return false;
    pthread_rwlock_rdlock(&vcpu->mem->lock);
    ok = access_resolve(vcpu, &a, NW_ACCESS_WRITE);
    pthread_rwlock_unlock(&vcpu->mem->lock);
    return ok;
}

static uint8_t *plain_hit(struct nw_vcpu *vcpu, uint64_t gva, unsigned size, unsigned mmu,
                          bool write)
{
    uint8_t *host = NW_UNLIKELY(vcpu->parted) ? parts_hit(vcpu, gva, size, write) : NULL;

    return host ? host : access_tlb_hit(vcpu, gva, size, mmu, write);
}

bool access_plain_load(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop, uint8_t *bytes)
{
    unsigned size = 1u << IR_MEM_SIZE(memop), mmu = access_mmu(memop);
    uint8_t *host = plain_hit(vcpu, gva, size, mmu, false);

    if (!access_aligned(vcpu, gva, memop, NW_ACCESS_READ))
        return false;
    if (NW_UNLIKELY(memop & MEM_BEYOND)) {
        access_step(vcpu, gva, size, mmu, NW_ACCESS_READ);
        return false;
    }
    if (NW_UNLIKELY(memop & IR_MEM_RMW) && access_writes_first(vcpu) &&
        !access_writable(vcpu, gva, size, mmu))
        return false;
    if (!host)
        return locked_access(vcpu, gva, size, mmu, bytes, false) ||
               access_load(vcpu, gva, size, mmu, bytes);
    read_whole(bytes, host, size);
    return true;
}

void access_plain_store(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop, uint8_t *bytes)
{
    unsigned size = 1u << IR_MEM_SIZE(memop), mmu = access_mmu(memop);
    uint8_t *host = plain_hit(vcpu, gva, size, mmu, true);

    if (!access_aligned(vcpu, gva, memop, NW_ACCESS_WRITE))
        return;
    if (NW_UNLIKELY(memop & MEM_BEYOND)) {
        access_step(vcpu, gva, size, mmu, NW_ACCESS_WRITE);
        return;
    }
    if (host)
        write_whole(host, bytes, size);
    else if (!locked_access(vcpu, gva, size, mmu, bytes, true))
        access_store(vcpu, gva, size, mmu, bytes);
}

/* ---- what translated code calls ---- */

static uint64_t as_memop(uint64_t v, uint32_t memop, unsigned size)
{
    if (memop & IR_MEM_BE)
        v = swap_bytes(v, size);
    return memop & IR_MEM_SIGNED ? sign_extend(v, size) : v;
}

/* See paged.c. */
static bool told_paged(const struct nw_vcpu *vcpu)
{
    return NW_UNLIKELY(vcpu->mmu) && (vcpu->translate || vcpu->mem->hooked);
}

static bool load_bytes(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop, uint8_t *bytes);

/* Hooks are told of a piece when the one before has been read. */
static bool load_pieces(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop, uint8_t *bytes)
{
    if (!access_aligned(vcpu, gva, memop, NW_ACCESS_READ))
        return false;
    for (unsigned at = 0; at < 1u << IR_MEM_SIZE(memop); at += 8)
        if (!load_bytes(vcpu, gva + at, mem_piece(memop), bytes + at))
            return false;
    return true;
}

static bool load_bytes(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop, uint8_t *bytes)
{
    if (NW_UNLIKELY(IR_MEM_SIZE(memop) > 3 && hooked_by_pieces(vcpu->mem)))
        return load_pieces(vcpu, gva, memop, bytes);
    if (told_paged(vcpu))
        return access_paged_load(vcpu, gva, memop, bytes);
    if (NW_UNLIKELY(vcpu->mem->hooked))
        return hooked_load(vcpu, gva, memop, bytes);
    return access_plain_load(vcpu, gva, memop, bytes);
}

static void store_bytes(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop, uint8_t *bytes)
{
    if (told_paged(vcpu))
        access_paged_store(vcpu, gva, memop, bytes);
    else if (NW_UNLIKELY(vcpu->mem->hooked))
        hooked_store(vcpu, gva, memop, bytes);
    else
        access_plain_store(vcpu, gva, memop, bytes);
    if (NW_UNLIKELY(vcpu->leave == VCPU_LEAVE_EXC))
        hooked_note_value(vcpu, memop, bytes);
}

uint64_t mem_load(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop)
{
    unsigned size = 1u << IR_MEM_SIZE(memop);
    uint8_t bytes[8] = {0};

    if (hooked_direct(vcpu, vcpu->direct_read, memop))
        return hooked_load_direct(vcpu, gva, memop);
    if (!load_bytes(vcpu, gva, memop, bytes))
        return 0;
    return as_memop(number_in(bytes, size), memop, size);
}

void mem_store(struct nw_vcpu *vcpu, uint64_t gva, uint64_t value, uint32_t memop)
{
    uint8_t bytes[8];

    if (hooked_direct(vcpu, vcpu->direct_write, memop)) {
        hooked_store_direct(vcpu, gva, value, memop);
        return;
    }
    if (memop & IR_MEM_BE)
        value = swap_bytes(value, 1u << IR_MEM_SIZE(memop));
    memcpy(bytes, &value, sizeof bytes);
    store_bytes(vcpu, gva, memop, bytes);
}

bool mem_probe(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop)
{
    uint8_t unused[ACCESS_MAX];

    vcpu->after_fill = VCPU_LEAVE_NONE;
    return access_plain_load(vcpu, gva, memop, unused);
}

void mem_load_wide(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop, void *out)
{
    uint8_t bytes[ACCESS_MAX];

    if (load_bytes(vcpu, gva, memop, bytes))
        memcpy(out, bytes, 1u << IR_MEM_SIZE(memop));
}

void mem_store_wide(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop, const void *in)
{
    uint8_t bytes[ACCESS_MAX];

    memcpy(bytes, in, 1u << IR_MEM_SIZE(memop));
    store_bytes(vcpu, gva, memop, bytes);
}
