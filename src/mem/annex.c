/* Host memory of regions that are not in the arena. System calls of user mode hold host addresses
 * of guest memory while another thread may unmap it: what has been guest memory must never become
 * anything else of the process, so it comes from a reservation and goes back there. */
#include "mem/core.h"

#include <stdlib.h>
#include <sys/mman.h>

/* Four times a 32-bit address space, so that holes do not matter. */
#define ANNEX_SIZE (16ull << 30)

/* With more regions than this, closing one in the middle of others would cost the process more
 * mappings than it may have. */
#define CLOSED_MAX 8000

struct annex {
    uint8_t *base;
    uint64_t size;
    struct annex *next;
};

static uint8_t *reserve(size_t size, void *at)
{
    void *got = mmap(at, size, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (at ? MAP_FIXED : 0), -1, 0);

    return got == MAP_FAILED ? NULL : got;
}

static bool room_in(const struct mem_space *space, const struct annex *a, uint64_t size,
                    uint64_t *at)
{
    uint64_t low = (uintptr_t)a->base;

    return region_gap(&space->annex_used, size, low, low + a->size, PAGE_SIZE_, at);
}

/* One more reservation, with room for SIZE bytes. */
static struct annex *annex_grow(struct mem_space *space, uint64_t size)
{
    struct annex *a = calloc(1, sizeof *a);

    if (!a)
        return NULL;
    a->size = size > ANNEX_SIZE ? size : ANNEX_SIZE;
    a->base = reserve(a->size, NULL);
    if (!a->base && a->size > size) {
        a->size = size;
        a->base = reserve(size, NULL);
    }
    if (!a->base) {
        free(a);
        return NULL;
    }
    a->next = space->annexes;
    space->annexes = a;
    return a;
}

/* All of the pages that SIZE bytes at OFFSET in a page lie in. */
static uint64_t whole_pages(uint64_t offset, uint64_t size)
{
    return (offset + size + PAGE_SIZE_ - 1) & ~(PAGE_SIZE_ - 1);
}

uint8_t *annex_take(struct mem_space *space, uint64_t gpa, uint64_t size)
{
    uint64_t offset = gpa & (PAGE_SIZE_ - 1), whole = whole_pages(offset, size);
    struct mem_region *used;
    struct annex *a;
    uint64_t at;

    for (a = space->annexes; a && !room_in(space, a, whole, &at); a = a->next)
        ;
    if (!a && (!(a = annex_grow(space, whole)) || !room_in(space, a, whole, &at)))
        return NULL;
    used = calloc(1, sizeof *used);
    if (!used)
        return NULL;
    used->start = at + offset;
    used->end = at + offset + size;
    region_insert(&space->annex_used, used);
    return a->base + (at + offset - (uintptr_t)a->base);
}

static bool close_range(const struct mem_space *space, uint8_t *host, uint64_t size)
{
    if (space->annex_used.count > CLOSED_MAX)
        return !madvise(host, size, MADV_DONTNEED);
    return reserve(size, host) != NULL;
}

void annex_give(struct mem_space *space, uint8_t *host, uint64_t size)
{
    struct region_tree *used = &space->annex_used;
    uint64_t at = (uintptr_t)host, end = at + size, mask = PAGE_SIZE_ - 1;
    uint64_t first = at & ~mask, last = (end + mask) & ~mask;

    /* Pages in which something else is used stay open. */
    if (first < at && !region_none(used, first, at - first))
        first += PAGE_SIZE_;
    if (last > end && !region_none(used, end, last - end))
        last -= PAGE_SIZE_;
    /* A range that cannot be closed, or whose record cannot be divided, stays taken. */
    if ((first < last && !close_range(space, host + (first - at), last - first)) ||
        region_cut(used, at) != NW_OK || region_cut(used, end) != NW_OK)
        return;
    region_free_all(region_take(used, at, end));
}

void annex_free(struct mem_space *space)
{
    region_free_all(space->annex_used.root);
    for (struct annex *a = space->annexes, *next; a; a = next) {
        next = a->next;
        munmap(a->base, a->size);
        free(a);
    }
}

bool mem_relocate(uint8_t *from, uint64_t old_size, uint8_t *to, uint64_t new_size)
{
    uint8_t *aside = reserve(old_size, NULL);
    bool done;

    if (!aside)
        return false;
    /* The mapping leaves FROM without opening a hole there. */
    done = mremap(from, old_size, old_size, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
                  aside) != MAP_FAILED;
    if (!done) {
        munmap(aside, old_size);
        return false;
    }
    if (mremap(aside, old_size, new_size, MREMAP_MAYMOVE | MREMAP_FIXED, to) != MAP_FAILED)
        return true;
    if (mremap(aside, old_size, old_size, MREMAP_MAYMOVE | MREMAP_FIXED, from) == MAP_FAILED)
        munmap(aside, old_size);
    return false;
}
