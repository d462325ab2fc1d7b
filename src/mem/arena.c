/* The arena: guest address 0 at a fixed host address, guard zones on both sides so that an access
 * that begins or ends outside the window faults in the reservation too. */
#include "mem/core.h"

#include <sys/mman.h>

bool arena_reserve(struct mem_space *space, uint64_t size)
{
    uint64_t guard = space->last > UINT32_MAX ? GUARD_64 : GUARD_32, all = size + 2 * guard;
    void *at;

    if (all < size)
        return false;
    at = mmap(NULL, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        return false;
    space->arena = (uint8_t *)at + guard;
    space->window = size;
    space->guard = guard;
    return true;
}

void arena_release(struct mem_space *space)
{
    if (space->arena)
        munmap(space->arena - space->guard, space->window + 2 * space->guard);
    space->arena = NULL;
    space->window = 0;
}

/* The host cannot forbid reading what may be written: such memory is left to the slow path. */
int arena_prot(uint32_t perms)
{
    if (!(perms & NW_READ))
        return PROT_NONE;
    return perms & NW_WRITE ? PROT_READ | PROT_WRITE : PROT_READ;
}

bool space_page_open(struct mem_space *space, const struct mem_region *r, uint64_t page, bool write)
{
    int prot = arena_prot(r->perms);

    if (!r->in_arena)
        return true;
    if (!write)
        return prot & PROT_READ;
    return (prot & PROT_WRITE) && !space_code_page(space, page);
}

bool space_open_page(struct mem_space *space, const struct mem_region *r, uint64_t page)
{
    return mprotect(space->arena + page, PAGE_SIZE_, PROT_READ | PROT_WRITE) == 0 ||
           (!(r->perms & NW_WRITE) && mprotect(space->arena + page, PAGE_SIZE_, PROT_READ) == 0);
}

void space_close_page(struct mem_space *space, const struct mem_region *r, uint64_t page)
{
    int prot = arena_prot(r->perms);

    if (space_code_page(space, page))
        prot &= ~PROT_WRITE;
    mprotect(space->arena + page, PAGE_SIZE_, prot);
}
