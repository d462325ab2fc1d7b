/* Atomic read-modify-write: naturally aligned memory by the host's own atomics, anything else while
 * every other vCPU of the engine is paused. */
#include "mem/access.h"
#include "mem/hooked.h"
#include "mem/mem.h"

#include <string.h>

struct update {
    unsigned op; /* enum ir_op: cas or one of the atomic_ rows */
    uint32_t memop;
    unsigned size;
    uint64_t operand[2];  /* what cas stores */
    uint64_t expected[2]; /* by cas */
    uint64_t old[2];
    uint64_t shown; /* to hooks, as what is written: the low bytes in guest order */
};

static uint64_t mask_of(const struct update *u)
{
    return u->size < 8 ? (1ull << 8 * u->size) - 1 : UINT64_MAX;
}

/* Between the guest's byte order and the host's. */
static uint64_t turn(const struct update *u, uint64_t v)
{
    return u->memop & IR_MEM_BE ? __builtin_bswap64(v) >> (64 - 8 * u->size) : v;
}

/* What is to be stored where OLD was; up to 8 bytes. */
static uint64_t result(const struct update *u, uint64_t old)
{
    switch (u->op) {
    case IR_atomic_add: return (old + u->operand[0]) & mask_of(u);
    case IR_atomic_and: return old & u->operand[0];
    case IR_atomic_or: return old | u->operand[0];
    case IR_atomic_xor: return old ^ u->operand[0];
    case IR_atomic_xchg: return u->operand[0];
    default: return old == u->expected[0] ? u->operand[0] : old;
    }
}

static bool stores(const struct update *u)
{
    return u->op != IR_cas || (u->old[0] == u->expected[0] && u->old[1] == u->expected[1]);
}

static uint64_t host_cas(uint8_t *at, uint64_t expected, uint64_t desired, unsigned size)
{
    switch (size) {
    case 1: {
        uint8_t old = (uint8_t)expected;
        __atomic_compare_exchange_n(at, &old, (uint8_t)desired, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST);
        return old;
    }
    case 2: {
        uint16_t old = (uint16_t)expected;
        __atomic_compare_exchange_n((uint16_t *)(void *)at, &old, (uint16_t)desired, false,
                                    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
        return old;
    }
    case 4: {
        uint32_t old = (uint32_t)expected;
        __atomic_compare_exchange_n((uint32_t *)(void *)at, &old, (uint32_t)desired, false,
                                    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
        return old;
    }
    default: {
        uint64_t old = expected;
        __atomic_compare_exchange_n((uint64_t *)(void *)at, &old, desired, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST);
        return old;
    }
    }
}

static void host_cas16(struct update *u, uint8_t *at)
{
#ifdef __x86_64__
    /* clang makes a call to libatomic of the builtin. */
    uint64_t low = u->expected[0], high = u->expected[1];
    __asm__ volatile("lock cmpxchg16b %0"
                     : "+m"(*(uint8_t(*)[16])at), "+a"(low), "+d"(high)
                     : "b"(u->operand[0]), "c"(u->operand[1])
                     : "cc", "memory");
    u->old[0] = low;
    u->old[1] = high;
#else
    __extension__ typedef unsigned __int128 pair;
    pair expected, desired, old;

    memcpy(&expected, u->expected, 16);
    memcpy(&desired, u->operand, 16);
    old = __sync_val_compare_and_swap((pair *)(void *)at, expected, desired);
    memcpy(u->old, &old, 16);
#endif
}

static void update_host(struct update *u, uint8_t *at)
{
    uint64_t seen = turn(u, u->expected[0]), old;

    if (u->size == 16) {
        host_cas16(u, at);
        return;
    }
    do {
        old = seen;
        seen = host_cas(at, old, turn(u, result(u, turn(u, old))), u->size);
    } while (seen != old);
    u->old[0] = turn(u, old);
}

/* OLD's bytes become the new value's. */
static void update_bytes(struct update *u, uint8_t *bytes)
{
    uint64_t v = 0;

    if (u->size == 16) {
        memcpy(u->old, bytes, 16);
        if (stores(u))
            memcpy(bytes, u->operand, 16);
        return;
    }
    memcpy(&v, bytes, u->size);
    u->old[0] = turn(u, v);
    v = turn(u, result(u, u->old[0]));
    memcpy(bytes, &v, u->size);
}

static bool resolve(struct nw_vcpu *vcpu, struct access *a)
{
    if (!access_resolve(vcpu, a, NW_ACCESS_WRITE)) {
        if (vcpu->reads_first && vcpu->exc.fault == NW_FAULT_UNMAPPED)
            vcpu->exc.access = NW_ACCESS_READ;
        return false;
    }
    for (unsigned i = 0; i < a->pieces; i++) {
        const struct piece *p = &a->piece[i];

        if (!(p->region->perms & NW_READ)) {
            mem_raise(vcpu, p->gpa, p->size, NW_ACCESS_READ, NW_FAULT_PERM);
            return false;
        }
    }
    return true;
}

/* Under both locks: the update of aligned memory. */
static bool update_piece(struct nw_vcpu *vcpu, struct piece *p, struct update *u)
{
    struct mem_space *space = vcpu->mem;
    uint64_t page = p->gpa & ~(PAGE_SIZE_ - 1);

    if (p->region->file && !guarded_probe(p->host)) {
        mem_raise(vcpu, p->gpa, p->size, NW_ACCESS_WRITE, NW_FAULT_BUS);
        return false;
    }
    if (NW_UNLIKELY(space->snaps != NULL) && !access_keep(vcpu, p))
        return false;
    bool shut = !space_page_open(space, p->region, page, true);
    if (shut && !space_open_page(space, p->region, page)) {
        mem_raise(vcpu, p->gpa, p->size, NW_ACCESS_WRITE, NW_FAULT_PERM);
        return false;
    }
    update_host(u, p->host);
    if (shut)
        space_close_page(space, p->region, page);
    return true;
}

/* Under both locks, with the other vCPUs paused. */
static bool update_pieces(struct nw_vcpu *vcpu, struct access *a, struct update *u)
{
    uint8_t bytes[16];

    if (!access_copy(vcpu, a, bytes, false))
        return false;
    update_bytes(u, bytes);
    return access_copy(vcpu, a, bytes, true);
}

/* Devices have no atomic accesses. */
static enum store_result update_device(struct nw_vcpu *vcpu, uint64_t gva, struct update *u)
{
    unsigned mmu = access_mmu(u->memop);
    uint8_t bytes[16];

    if (!access_load(vcpu, gva, u->size, mmu, bytes))
        return STORE_FAILED;
    update_bytes(u, bytes);
    if (stores(u) && !access_store(vcpu, gva, u->size, mmu, bytes))
        return STORE_FAILED;
    return STORE_DONE;
}

static enum store_result update_once(struct nw_vcpu *vcpu, uint64_t gva, struct update *u,
                                     bool alone)
{
    struct mem_space *space = vcpu->mem;
    unsigned mmu = access_mmu(u->memop);
    const struct piece *code = NULL;
    uint64_t code_gpa = 0;
    unsigned code_size = 0;
    struct access a;
    bool ok;

    if (!access_translate(vcpu, &a, gva, u->size, mmu, NW_ACCESS_WRITE))
        return STORE_FAILED;
    if (alone)
        space->client->exclusive_begin(vcpu);
    pthread_rwlock_rdlock(&space->lock);
    ok = resolve(vcpu, &a);
    if (ok && !a.mmio) {
        pthread_mutex_lock(&space->code_lock);
        code = access_hits_code(space, &a);
        if (code) {
            code_gpa = code->gpa;
            code_size = code->size;
        } else {
            ok = alone ? update_pieces(vcpu, &a, u) : update_piece(vcpu, &a.piece[0], u);
            if (ok && !alone && space_by_tlb(space, gva))
                access_fill(vcpu, &a.piece[0], mmu);
        }
        pthread_mutex_unlock(&space->code_lock);
    }
    pthread_rwlock_unlock(&space->lock);
    if (alone)
        space->client->exclusive_end(vcpu);
    if (!ok)
        return STORE_FAILED;
    if (code)
        return space->client->store_hits_code(vcpu, code_gpa, code_size) ? STORE_AGAIN
                                                                         : STORE_FAILED;
    return a.mmio ? update_device(vcpu, gva, u) : STORE_DONE;
}

/* AT: what hooks are told, the physical address. */
static enum mem_hook_result tell_read(struct nw_vcpu *vcpu, uint64_t gva, uint64_t at,
                                      unsigned size, uint32_t memop, uint8_t *bytes)
{
    const struct mem_space *space = vcpu->mem;
    bool told = memop & IR_MEM_TOLD;
    enum mem_hook_result result = MEM_HOOK_GO;

    if (space->hooked & MEM_HOOK_READ && !told) {
        if (!hooked_present(vcpu, gva, memop | IR_MEM_RMW))
            return MEM_HOOK_LEAVE;
        result = space->client->hook(vcpu, MEM_HOOK_READ, at, size, NULL);
    }
    if (result != MEM_HOOK_GO || !(space->hooked & (MEM_HOOK_WRITE | MEM_HOOK_READ_AFTER)))
        return result;
    if (!access_load_hooked(vcpu, gva, memop | IR_MEM_RMW, bytes))
        return MEM_HOOK_LEAVE;
    if (space->hooked & MEM_HOOK_READ_AFTER && !told)
        result = space->client->hook(vcpu, MEM_HOOK_READ_AFTER, at, size, bytes);
    return result;
}

/* The same of all SIZE bytes, as hooks are told of them. */
static enum mem_hook_result tell_reads(struct nw_vcpu *vcpu, uint64_t gva, uint64_t at,
                                       unsigned size, uint32_t memop, uint8_t *bytes)
{
    enum mem_hook_result result = MEM_HOOK_GO;

    if (size <= 8 || !hooked_by_pieces(vcpu->mem))
        return tell_read(vcpu, gva, at, size, memop, bytes);
    for (unsigned n = 0; n < size && result == MEM_HOOK_GO; n += 8) {
        result = tell_read(vcpu, gva + n, at + n, 8, mem_piece(memop), bytes + n);
        vcpu->access_index++;
    }
    return result;
}

/* Both of its accesses are told before either is made, with what would be written now. What an x86
 * comparison finds unequal is written back. MEM_HOOK_STOP: after the update. */
static enum mem_hook_result tell(struct nw_vcpu *vcpu, uint64_t gva, struct update *u)
{
    const struct mem_space *space = vcpu->mem;
    bool always = (u->memop & (IR_MEM_RMW | IR_MEM_TOLD)) == IR_MEM_RMW;
    struct update preview = *u;
    uint64_t at = gva;
    uint8_t bytes[16];

    if (vcpu->mmu) {
        struct access a;

        if (!access_translate(vcpu, &a, gva, u->size, access_mmu(u->memop), NW_ACCESS_WRITE))
            return MEM_HOOK_LEAVE;
        at = a.piece[0].gpa;
    }
    if (tell_reads(vcpu, gva, at, u->size, u->memop, bytes) != MEM_HOOK_GO)
        return MEM_HOOK_LEAVE;
    if (!(space->hooked & MEM_HOOK_WRITE))
        return MEM_HOOK_GO;
    update_bytes(&preview, bytes);
    memcpy(&u->shown, bytes, u->size < 8 ? u->size : 8);
    if (!always && !stores(&preview))
        return MEM_HOOK_GO;
    return space->client->hook(vcpu, MEM_HOOK_WRITE, at, u->size, bytes);
}

static bool update_now(struct nw_vcpu *vcpu, uint64_t gva, struct update *u)
{
    unsigned mmu = access_mmu(u->memop);
    bool alone = gva & (u->size - 1);
    enum store_result r;
    uint8_t *host;

    if (NW_UNLIKELY(u->memop & MEM_BEYOND)) {
        access_step(vcpu, gva, u->size, mmu, NW_ACCESS_WRITE);
        return false;
    }
    host = alone ? NULL : access_tlb_hit(vcpu, gva, u->size, mmu, true);
    if (host && access_tlb_hit(vcpu, gva, u->size, mmu, false)) {
        update_host(u, host);
        return true;
    }
    do {
        r = update_once(vcpu, gva, u, alone);
    } while (r == STORE_AGAIN);
    if (r == STORE_DONE)
        return true;
    vcpu->exc.told = MEM_HOOK_WRITE;
    memcpy(vcpu->told, &u->shown, sizeof u->shown);
    return false;
}

static bool update_hooked(struct nw_vcpu *vcpu, uint64_t gva, struct update *u)
{
    enum mem_hook_result told = tell(vcpu, gva, u);
    uint32_t leave = vcpu->leave;

    if (told == MEM_HOOK_LEAVE)
        return false;
    vcpu->leave = VCPU_LEAVE_NONE;
    if (!update_now(vcpu, gva, u)) {
        /* It hits code and is run again. */
        if (vcpu->leave == VCPU_LEAVE_STEP)
            hooked_step_store(vcpu, sizeof u->shown, (const uint8_t *)&u->shown);
        return false;
    }
    vcpu->leave = leave;
    vcpu->access_index++;
    return true;
}

/* False when the access has failed. */
static bool update(struct nw_vcpu *vcpu, uint64_t gva, struct update *u)
{
    bool done;

    if (!access_aligned(vcpu, gva, u->memop, NW_ACCESS_WRITE))
        return false;
    vcpu->after_fill = VCPU_LEAVE_NONE;
    done = NW_UNLIKELY(vcpu->mem->hooked) ? update_hooked(vcpu, gva, u) : update_now(vcpu, gva, u);
    if (NW_UNLIKELY(vcpu->after_fill))
        access_after_fill(vcpu);
    return done;
}

uint64_t mem_cas(struct nw_vcpu *vcpu, uint64_t gva, uint64_t expected, uint64_t desired,
                 uint32_t memop)
{
    struct update u = {.op = IR_cas, .memop = memop, .size = 1u << IR_MEM_SIZE(memop)};

    u.expected[0] = expected & mask_of(&u);
    u.operand[0] = desired & mask_of(&u);
    return update(vcpu, gva, &u) ? u.old[0] : 0;
}

uint64_t mem_rmw(struct nw_vcpu *vcpu, uint64_t gva, uint64_t operand, uint32_t memop, uint32_t op)
{
    struct update u = {.op = op, .memop = memop, .size = 1u << IR_MEM_SIZE(memop)};

    u.operand[0] = operand & mask_of(&u);
    return update(vcpu, gva, &u) ? u.old[0] : 0;
}

bool mem_cas16(struct nw_vcpu *vcpu, uint64_t gva, const uint64_t expected[2],
               const uint64_t desired[2], uint64_t old[2], uint32_t memop)
{
    struct update u = {.op = IR_cas, .memop = memop, .size = 16};

    memcpy(u.expected, expected, sizeof u.expected);
    memcpy(u.operand, desired, sizeof u.operand);
    if (!update(vcpu, gva, &u))
        return false;
    memcpy(old, u.old, sizeof u.old);
    return true;
}
