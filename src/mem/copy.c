/* The engine's own accesses to guest memory: debugger reads and writes, fetch, buffers of system
 * calls, and moving mappings. */
#include "mem/core.h"
#include "mem/mem.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include "guest/guest.h"
#include "ir/ir.h"
#include "mem/mmu.h"
#include "mem/snapshot.h"

static nw_status check_memory(struct mem_space *space, uint64_t gpa, uint64_t size)
{
    uint64_t end = gpa + size;

    while (gpa != end) {
        const struct mem_region *r = region_find(&space->regions, gpa);

        if (!r || r->kind == MEM_MMIO)
            return NW_ERR_UNMAPPED;
        if (r->end == 0 || r->end - gpa >= end - gpa)
            return NW_OK;
        gpa = r->end;
    }
    return NW_OK;
}

/* Copies within one page and one region. */
static bool copy_page(struct mem_space *space, const struct mem_region *r, uint64_t gpa,
                      uint8_t *buf, size_t size, bool write)
{
    uint64_t page = gpa & ~(PAGE_SIZE_ - 1);
    uint8_t *host = r->host + (gpa - r->start);
    bool ok = false, shut;

    pthread_mutex_lock(&space->code_lock);
    shut = !space_page_open(space, r, page, write);
    if ((!write || snap_keep(space, r, page)) && (!shut || space_open_page(space, r, page)))
        ok = write ? guarded_copy(host, buf, size) : guarded_copy(buf, host, size);
    if (shut)
        space_close_page(space, r, page);
    pthread_mutex_unlock(&space->code_lock);
    return ok;
}

static nw_status copy(struct mem_space *space, uint64_t gpa, uint8_t *buf, size_t size, bool write)
{
    nw_status status;

    if (size && (gpa > space->last || size - 1 > space->last - gpa))
        return NW_ERR_RANGE;
    pthread_rwlock_rdlock(&space->lock);
    status = check_memory(space, gpa, size);
    while (status == NW_OK && size) {
        const struct mem_region *r = region_find(&space->regions, gpa);
        size_t part = PAGE_SIZE_ - (gpa & (PAGE_SIZE_ - 1));

        if (part > r->end - gpa)
            part = r->end - gpa;
        if (part > size)
            part = size;
        if (!copy_page(space, r, gpa, buf, part, write))
            status = NW_ERR_FAULT;
        gpa += part;
        buf += part;
        size -= part;
    }
    pthread_rwlock_unlock(&space->lock);
    return status;
}

nw_status space_read(struct mem_space *space, uint64_t gpa, void *buf, size_t size)
{
    return copy(space, gpa, buf, size, false);
}

nw_status space_write(struct mem_space *space, uint64_t gpa, const void *buf, size_t size)
{
    return copy(space, gpa, (uint8_t *)(uintptr_t)buf, size, true);
}

static bool fetch(struct mem_space *space, uint64_t gpa, void *buf, unsigned size)
{
    bool ok = true;

    if (gpa > space->last || size - 1 > space->last - gpa)
        return false;
    pthread_rwlock_rdlock(&space->lock);
    for (uint64_t at = gpa; ok;) {
        const struct mem_region *r = region_find(&space->regions, at);

        ok = r && r->kind != MEM_MMIO && (r->perms & NW_EXEC);
        if (!ok || r->end - at >= gpa + size - at)
            break;
        at = r->end;
    }
    pthread_rwlock_unlock(&space->lock);
    return ok && space_read(space, gpa, buf, size) == NW_OK;
}

bool mem_fetch(struct nw_vcpu *vcpu, uint64_t gva, void *buf, unsigned size)
{
    uint8_t *to = buf;

    if (!vcpu->mmu)
        return fetch(vcpu->mem, gva, buf, size);
    uint32_t mode = vcpu->guest->key(vcpu).mode;
    while (size) {
        unsigned part = (unsigned)(PAGE_SIZE_ - (gva & (PAGE_SIZE_ - 1)));
        uint64_t gpa;

        if (part > size)
            part = size;
        if (!mmu_fetch(vcpu, mode, gva, &gpa) || !fetch(vcpu->mem, gpa, to, part))
            return false;
        to += part;
        gva += part;
        size -= part;
    }
    return true;
}

bool mem_is_mmio(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop)
{
    unsigned mmu = IR_MEM_MMU_OF(memop) % TLB_MMUS;
    const struct mem_region *r;
    struct mmu_page page;
    bool mmio;

    if (vcpu->mmu) {
        if (!mmu_ask(vcpu, gva, mmu, NW_ACCESS_READ, &page))
            return false;
        gva = page.gpa;
    }
    pthread_rwlock_rdlock(&vcpu->mem->lock);
    r = region_find(&vcpu->mem->regions, gva);
    mmio = r && r->kind == MEM_MMIO;
    pthread_rwlock_unlock(&vcpu->mem->lock);
    return mmio;
}

static nw_fault fetch_fault(struct nw_vcpu *vcpu, uint64_t gpa)
{
    const struct mem_region *r;
    nw_fault fault;

    pthread_rwlock_rdlock(&vcpu->mem->lock);
    r = region_find(&vcpu->mem->regions, gpa);
    if (!r)
        fault = NW_FAULT_UNMAPPED;
    else if (r->kind == MEM_MMIO || !(r->perms & NW_EXEC))
        fault = NW_FAULT_PERM;
    else
        fault = NW_FAULT_BUS;
    pthread_rwlock_unlock(&vcpu->mem->lock);
    return fault;
}

void mem_raise_fetch(struct nw_vcpu *vcpu, uint64_t gva, uint32_t size)
{
    struct mmu_page page;
    uint64_t at = gva;

    if (vcpu->mmu) {
        if (!mmu_translate(vcpu, gva, size, 0, NW_ACCESS_FETCH, &page))
            return;
        gva = page.gpa;
    }
    nw_fault fault = fetch_fault(vcpu, gva);
    if (fault == NW_FAULT_UNMAPPED)
        mmu_forget_fetch(vcpu, at);
    /* Another vCPU may have changed the tables meanwhile. */
    if (vcpu->mmu && fault == NW_FAULT_BUS)
        vcpu->leave = VCPU_LEAVE_STATE;
    else
        mem_raise(vcpu, gva, size, NW_ACCESS_FETCH, fault);
}

size_t space_host_span(struct mem_space *space, uint64_t gpa, size_t size, uint32_t need,
                       void **hva)
{
    const struct mem_region *r;
    size_t span = 0;

    if (gpa > space->last || !size)
        return 0;
    if (size - 1 > space->last - gpa)
        size = space->last - gpa + 1;
    pthread_rwlock_rdlock(&space->lock);
    r = region_find(&space->regions, gpa);
    if (r && r->kind != MEM_MMIO)
        *hva = r->host + (gpa - r->start);
    while (r && r->kind != MEM_MMIO && (r->perms & need) == need &&
           (!r->in_arena || (r->perms & NW_READ)) && span < size &&
           r->host + (gpa + span - r->start) == (uint8_t *)*hva + span) {
        uint64_t rest = r->end - (gpa + span);

        if (rest >= size - span) {
            span = size;
            break;
        }
        span += rest;
        r = region_find(&space->regions, gpa + span);
    }
    pthread_rwlock_unlock(&space->lock);
    return span;
}

/* Gives the pages of R (taken out of the tree) their new place. The source range becomes part of
 * the reservation again. */
static nw_status move_in_arena(struct mem_space *space, struct mem_region *r, uint64_t to,
                               uint64_t new_size)
{
    uint64_t old_size = r->end - r->start;
    uint8_t *from = space->arena + r->start, *at = space->arena + to;
    int prot = arena_prot(r->perms);

    if (new_size < old_size)
        old_size = new_size;
    if (!r->file && !r->shared) {
        /* Anonymous memory moves without its range ever being free for other threads' mappings;
         * what is new is the reservation with its protection lifted. */
        if (from != at &&
            mremap(from, old_size, old_size, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
                   at) == MAP_FAILED)
            return NW_ERR_NOMEM;
        if (new_size > old_size && prot && mprotect(at + old_size, new_size - old_size, prot))
            return NW_ERR_NOMEM;
        return NW_OK;
    }
    return mem_relocate(from, old_size, at, new_size) ? NW_OK : NW_ERR_NOMEM;
}

/* Memory of the arena becomes reservation again. */
static bool close_arena(struct mem_space *space, uint64_t gpa, uint64_t size)
{
    return mmap(space->arena + gpa, size, PROT_NONE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != MAP_FAILED;
}

/* To host memory outside the arena, from wherever. */
static nw_status move_to_annex(struct mem_space *space, struct mem_region *r, uint64_t new_size)
{
    uint64_t old_size = r->end - r->start;
    uint8_t *at = annex_take(space, r->start, new_size);

    if (!at)
        return NW_ERR_NOMEM;
    if (!mem_relocate(r->host, new_size < old_size ? new_size : old_size, at, new_size)) {
        annex_give(space, at, new_size);
        return NW_ERR_NOMEM;
    }
    if (!r->in_arena) {
        annex_give(space, r->host, old_size);
    } else {
        /* Here the software checks permissions; a shared file may forbid writing all the same. */
        if (mprotect(at, new_size, PROT_READ | PROT_WRITE))
            mprotect(at, new_size, PROT_READ);
        if (!close_arena(space, r->start, old_size))
            return NW_ERR_NOMEM;
        r->in_arena = false;
    }
    r->host = at;
    return NW_OK;
}

static nw_status move_host(struct mem_space *space, struct mem_region *r, uint64_t to,
                           uint64_t new_size)
{
    uint64_t old_size = r->end - r->start;

    if (r->in_arena && space_in_window(space, to, new_size)) {
        TRY(move_in_arena(space, r, to, new_size));
        /* What the old place no longer covers is reservation again. */
        uint64_t keep = r->start == to ? (new_size < old_size ? new_size : old_size) : 0;
        if (keep < old_size && !close_arena(space, r->start + keep, old_size - keep))
            return NW_ERR_NOMEM;
        r->host = space->arena + to;
        return NW_OK;
    }
    return move_to_annex(space, r, new_size);
}

/* Is [FROM, FROM + SIZE) one mapping that can move? Merges are undone by cutting only, so the
 * pieces of an anonymous mapping are one region already. */
static const struct mem_region *movable(struct mem_space *space, uint64_t from, uint64_t size)
{
    const struct mem_region *r = region_find(&space->regions, from);

    if (!r || r->kind != MEM_OWNED || r->end - from < size)
        return NULL;
    return r;
}

nw_status space_move(struct mem_space *space, uint64_t from, uint64_t old_size, uint64_t to,
                     uint64_t new_size)
{
    uint64_t keep = from == to ? (new_size < old_size ? new_size : old_size) : 0;
    struct mem_region *r;
    nw_status status = NW_OK;

    space_note_range(space, to, new_size);
    pthread_rwlock_wrlock(&space->lock);
    if (space->snaps)
        status = NW_ERR_BUSY; /* they count on where memory lies */
    else if (!movable(space, from, old_size))
        status = NW_ERR_UNMAPPED;
    else if (from != to && (to > from ? to - from < old_size : from - to < new_size))
        status = NW_ERR_OVERLAP;
    else if (new_size > keep && !region_none(&space->regions, to + keep, new_size - keep))
        status = NW_ERR_OVERLAP;
    if (status == NW_OK)
        status = region_cut(&space->regions, from);
    if (status == NW_OK)
        status = region_cut(&space->regions, from + old_size);
    if (status == NW_OK) {
        r = region_take(&space->regions, from, from + old_size);
        status = move_host(space, r, to, new_size);
        if (status == NW_OK) {
            r->start = to;
            r->end = to + new_size;
        }
        region_insert(&space->regions, r);
        space->generation++;
        space->map_version = ++space->map_versions;
    }
    pthread_rwlock_unlock(&space->lock);
    return status;
}
