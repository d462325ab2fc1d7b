#include "mem/mmu.h"

#include <string.h>
#include "guest/guest.h"
#include "mem/core.h"
#include "mem/snapshot.h"

static uint64_t page_of(uint64_t addr)
{
    return addr & ~(PAGE_SIZE_ - 1);
}

static bool ask_callback(struct nw_vcpu *vcpu, uint64_t gva, nw_access access, struct mmu_page *out)
{
    static const uint32_t needs[] = {NW_READ, NW_WRITE, NW_EXEC};
    uint64_t page = page_of(gva);

    *out = (struct mmu_page){.note = PAGE_BITS};
    if (!filled_find(vcpu, page, needs[access], out)) {
        if (vcpu->no_fill) {
            vcpu->fill_wanted = page;
            return false;
        }
        if (!vcpu->mem->client->translate(vcpu, gva, access, out) || !(out->rights & needs[access]))
            return false;
        filled_add(vcpu, page, page_of(out->gpa), out->rights);
    }
    out->gpa |= gva - page;
    return true;
}

/* The guest's tables, or whoever stands for them. */
static bool ask(struct nw_vcpu *vcpu, uint64_t gva, unsigned mmu, nw_access access,
                struct mmu_page *out)
{
    if (vcpu->translate)
        return ask_callback(vcpu, gva, access, out);
    if (vcpu->guest->translate)
        return vcpu->guest->translate(vcpu, gva, mmu, access, out);
    *out = (struct mmu_page){.gpa = gva, .rights = NW_RWX, .note = PAGE_BITS};
    return true;
}

bool mmu_ask(struct nw_vcpu *vcpu, uint64_t gva, unsigned mmu, nw_access access,
             struct mmu_page *out)
{
    bool no_fill = vcpu->no_fill;
    bool found;

    vcpu->no_fill = true;
    found = ask(vcpu, gva, mmu, access, out);
    vcpu->no_fill = no_fill;
    return found;
}

bool mmu_peek(struct nw_vcpu *vcpu, uint64_t gva, nw_access access, struct mmu_page *out)
{
    const struct guest_ops *guest = vcpu->guest;

    return ask(vcpu, gva, guest->mmu_index ? guest->mmu_index(vcpu) : 1, access, out);
}

bool mmu_translate(struct nw_vcpu *vcpu, uint64_t gva, uint32_t size, unsigned mmu,
                   nw_access access, struct mmu_page *out)
{
    if (ask(vcpu, gva, mmu, access, out)) {
        vcpu->large_pages |= (out->note & TLB_SIZE_LOG) > PAGE_BITS;
        if (NW_LIKELY(vcpu->after_fill != VCPU_LEAVE_STEP))
            return true;
        vcpu->leave = VCPU_LEAVE_STEP;
        return false;
    }
    nw_fault fault = vcpu->translate ? NW_FAULT_TRANSLATE
                     : out->absent   ? NW_FAULT_UNMAPPED
                                     : NW_FAULT_PERM;
    vcpu->exc = (struct vcpu_exc){.kind = EXC_MEM,
                                  .payload = out->code,
                                  .addr = gva,
                                  .size = size,
                                  .access = (uint8_t)access,
                                  .fault = (uint8_t)fault,
                                  .mmu = !vcpu->translate};
    vcpu->leave = VCPU_LEAVE_EXC;
    return false;
}

static struct fetch_entry *fetch_slot(struct nw_vcpu *vcpu, uint64_t page)
{
    return &vcpu->fetch[(page >> PAGE_BITS) & (FETCH_TLB_SIZE - 1)];
}

/* *WHOLE: what is found holds for all of the page. */
static bool fetch(struct nw_vcpu *vcpu, uint32_t mode, uint64_t gva, uint64_t *gpa, bool *whole)
{
    uint64_t page = page_of(gva);
    struct fetch_entry *e = fetch_slot(vcpu, page);
    struct mmu_page to;

    mode &= vcpu->guest->fetch_modes;
    *whole = true;
    if (NW_LIKELY(e->page == page && e->mode == mode)) {
        *gpa = page_of(e->gpa) | (gva - page);
        return true;
    }
    if (!ask(vcpu, gva, 0, NW_ACCESS_FETCH, &to))
        return false;
    *gpa = to.gpa;
    *whole = to.rights & NW_EXEC;
    if (!*whole)
        return true;
    vcpu->large_pages |= (to.note & TLB_SIZE_LOG) > PAGE_BITS;
    *e = (struct fetch_entry){.page = page, .gpa = page_of(to.gpa) | to.note, .mode = mode};
    return true;
}

void mmu_forget_fetch(struct nw_vcpu *vcpu, uint64_t gva)
{
    uint64_t page = page_of(gva);

    filled_forget_page(vcpu, page);
    if (vcpu->mmu && fetch_slot(vcpu, page)->page == page)
        fetch_slot(vcpu, page)->page = TLB_NONE;
}

bool mmu_fetch(struct nw_vcpu *vcpu, uint32_t mode, uint64_t gva, uint64_t *gpa)
{
    bool whole;

    return fetch(vcpu, mode, gva, gpa, &whole);
}

bool mmu_fetch_page(struct nw_vcpu *vcpu, uint32_t mode, uint64_t gva, uint64_t *gpa)
{
    bool whole;

    return fetch(vcpu, mode, gva, gpa, &whole) && whole;
}

/* ---- flushing ---- */

/* A bit per page, several pages share one. */
static uint64_t *jump_word(struct nw_vcpu *vcpu, uint64_t page, uint64_t *bit)
{
    unsigned n = (page >> PAGE_BITS) & (64 * ARRAY_LEN(vcpu->jump_pages) - 1);

    *bit = 1ull << (n & 63);
    return &vcpu->jump_pages[n / 64];
}

/* Larger pages have 2 MiB at least. */
static uint64_t large_bit(uint64_t addr)
{
    return 1ull << ((addr >> 21) & 63);
}

void mmu_note_jump(struct nw_vcpu *vcpu, uint64_t pc)
{
    const struct fetch_entry *e = fetch_slot(vcpu, page_of(pc));
    unsigned size_log = e->gpa & TLB_SIZE_LOG;
    uint64_t bit, *word = jump_word(vcpu, pc, &bit);

    *word |= bit;
    if (size_log > 22)
        vcpu->jump_large = UINT64_MAX;
    else if (size_log > PAGE_BITS)
        vcpu->jump_large |= size_log == 21
                                ? large_bit(pc)
                                : large_bit(pc & ~(1ull << 21)) | large_bit(pc | 1 << 21);
}

/* The bits of the page stay: others may be meant. */
static void forget_jumps_to(struct nw_vcpu *vcpu, uint64_t page)
{
    uint64_t bit;
    unsigned first = (page >> 1) & (JUMP_CACHE_SIZE - 1);

    _Static_assert(JUMP_CACHE_SIZE % (PAGE_SIZE_ / 2) == 0, "a page's entries are one piece");
    if (vcpu->jump_large & large_bit(page))
        vcpu_forget_jumps(vcpu);
    else if (*jump_word(vcpu, page, &bit) & bit)
        memset(&vcpu->jumps[first], 0, PAGE_SIZE_ / 2 * sizeof vcpu->jumps[0]);
}

void mmu_flush(struct nw_vcpu *vcpu)
{
    filled_forget(vcpu);
    tlb_flush(vcpu);
    for (unsigned n = 0; n < FETCH_TLB_SIZE; n++)
        vcpu->fetch[n].page = TLB_NONE;
    vcpu_forget_jumps(vcpu);
    vcpu->large_pages = false;
}

void mmu_flush_local(struct nw_vcpu *vcpu)
{
    filled_forget(vcpu);
    tlb_flush_local(vcpu);
    for (unsigned n = 0; n < FETCH_TLB_SIZE; n++)
        if (!(vcpu->fetch[n].gpa & TLB_GLOBAL))
            vcpu->fetch[n].page = TLB_NONE;
    vcpu_forget_jumps(vcpu);
}

void mmu_flush_page(struct nw_vcpu *vcpu, uint64_t gva)
{
    uint64_t page = page_of(gva);

    filled_forget_page(vcpu, page);
    tlb_flush_page(vcpu, page);
    if (vcpu->large_pages)
        tlb_flush_large(vcpu, page);
    for (unsigned n = 0; n < FETCH_TLB_SIZE; n++)
        if ((vcpu->fetch[n].page ^ page) >> (vcpu->fetch[n].gpa & TLB_SIZE_LOG) == 0)
            vcpu->fetch[n].page = TLB_NONE;
    forget_jumps_to(vcpu, page);
}

/* ---- walking ---- */

void mmu_walk_begin(struct nw_vcpu *vcpu)
{
    pthread_rwlock_rdlock(&vcpu->mem->lock);
}

void mmu_walk_end(struct nw_vcpu *vcpu)
{
    pthread_rwlock_unlock(&vcpu->mem->lock);
}

/* The entry in host memory, or null. */
static uint8_t *entry_at(struct nw_vcpu *vcpu, uint64_t gpa, uint32_t need)
{
    const struct mem_region *r = region_find(&vcpu->mem->regions, gpa);

    if (!r || r->kind == MEM_MMIO || (r->perms & need) != need)
        return NULL;
    uint8_t *host = r->host + (gpa - r->start);
    return r->file && !guarded_probe(host) ? NULL : host;
}

bool mmu_walk_read(struct nw_vcpu *vcpu, uint64_t gpa, unsigned size, uint64_t *v)
{
    const uint8_t *at = entry_at(vcpu, gpa, NW_READ);

    if (!at)
        return false;
    if (size == 4)
        *v = __atomic_load_n((const uint32_t *)(const void *)at, __ATOMIC_ACQUIRE);
    else
        *v = __atomic_load_n((const uint64_t *)(const void *)at, __ATOMIC_ACQUIRE);
    return true;
}

uint64_t mmu_walk_load(struct nw_vcpu *vcpu, uint64_t gpa, unsigned size)
{
    uint64_t v;

    if (mmu_walk_read(vcpu, gpa, size, &v))
        return v;
    return size == 4 ? UINT32_MAX : UINT64_MAX;
}

/* Tables that are code as well: their blocks go when the vCPU is next between blocks. */
static void note_code(struct nw_vcpu *vcpu, uint64_t gpa, unsigned size)
{
    struct mem_space *space = vcpu->mem;

    pthread_mutex_lock(&space->code_lock);
    bool hit = space_hits_code(space, gpa, size);
    pthread_mutex_unlock(&space->code_lock);
    if (hit)
        space->client->walk_hits_code(vcpu);
}

/* Before a table is written. */
static bool keep(struct nw_vcpu *vcpu, uint64_t gpa)
{
    struct mem_space *space = vcpu->mem;
    bool kept;

    pthread_mutex_lock(&space->code_lock);
    kept = snap_keep(space, region_find(&space->regions, gpa), page_of(gpa));
    pthread_mutex_unlock(&space->code_lock);
    return kept;
}

bool mmu_walk_update(struct nw_vcpu *vcpu, uint64_t gpa, uint64_t expected, uint64_t desired,
                     unsigned size)
{
    uint8_t *at = entry_at(vcpu, gpa, NW_READ | NW_WRITE);
    bool done;

    if (!at || (NW_UNLIKELY(vcpu->mem->snaps != NULL) && !keep(vcpu, gpa)))
        return true;
    if (size == 4) {
        uint32_t old = (uint32_t)expected;
        done = __atomic_compare_exchange_n((uint32_t *)(void *)at, &old, (uint32_t)desired, false,
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    } else {
        uint64_t old = expected;
        done = __atomic_compare_exchange_n((uint64_t *)(void *)at, &old, desired, false,
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    }
    if (done)
        note_code(vcpu, gpa, size);
    return done;
}
