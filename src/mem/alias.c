/* Memory of the caller's that is mapped more than once: what is written through one mapping may be
 * the code of another. Such regions are marked; they have no write tags, so that the slow path sees
 * each store and looks at all of them. */
#include "mem/core.h"

#include <stdlib.h>

static bool share(const struct mem_region *a, uint64_t host, uint64_t size)
{
    uint64_t at = (uintptr_t)a->host;

    return a->kind == MEM_PTR && at < host + size && host < at + (a->end - a->start);
}

struct search {
    uint64_t host, size;
    bool found;
};

static void mark(struct mem_region *r, void *opaque)
{
    struct search *s = opaque;

    if (!share(r, s->host, s->size))
        return;
    r->aliased = true;
    s->found = true;
}

/* Makes the host range part of what was ever mapped. */
static nw_status note(struct mem_space *space, uint64_t host, uint64_t end)
{
    while (host < end) {
        const struct mem_region *next = region_next(&space->callers, host);
        uint64_t upto = next && next->start < end ? next->start : end;

        if (upto > host) {
            struct mem_region *r = calloc(1, sizeof *r);

            if (!r)
                return NW_ERR_NOMEM;
            r->start = host;
            r->end = upto;
            region_insert(&space->callers, r);
        }
        host = next && next->start < end ? next->end : end;
    }
    return NW_OK;
}

nw_status alias_add(struct mem_space *space, struct mem_region *r)
{
    struct search s = {(uintptr_t)r->host, r->end - r->start, false};

    if (!region_none(&space->callers, s.host, s.size))
        region_each(space->regions.root, mark, &s);
    r->aliased = s.found;
    space->aliased |= s.found;
    return note(space, s.host, s.host + s.size);
}

/* A region that may come back is not forgotten, nor one of several. */
void alias_remove(struct mem_space *space, const struct mem_region *r)
{
    uint64_t host = (uintptr_t)r->host, end = host + (r->end - r->start);

    if (r->kind != MEM_PTR || r->aliased || space->snaps)
        return;
    if (region_cut(&space->callers, host) == NW_OK && region_cut(&space->callers, end) == NW_OK)
        region_free_all(region_take(&space->callers, host, end));
}

struct aliases {
    const struct mem_region *of;
    uint64_t host, size;
    alias_fn fn;
    void *opaque;
};

static void tell(struct mem_region *r, void *opaque)
{
    const struct aliases *a = opaque;
    uint64_t at = (uintptr_t)r->host, size = r->end - r->start;

    if (r == a->of || !share(r, a->host, a->size))
        return;
    uint64_t first = a->host > at ? a->host - at : 0;
    uint64_t last = a->host + a->size - at;

    if (last > size)
        last = size;
    a->fn(a->opaque, r->start + first, last - first);
}

void alias_each(const struct mem_space *space, uint64_t gpa, uint64_t size, alias_fn fn,
                void *opaque)
{
    uint64_t last = gpa + (size - 1);

    for (const struct mem_region *r = region_next(&space->regions, gpa); r && r->start <= last;
         r = r->end && r->end <= last ? region_next(&space->regions, r->end) : NULL) {
        uint64_t lo = r->start > gpa ? r->start : gpa, hi = r->end - 1 < last ? r->end - 1 : last;

        if (!r->aliased)
            continue;
        struct aliases a = {r, (uintptr_t)r->host + (lo - r->start), hi - lo + 1, fn, opaque};
        region_each(space->regions.root, tell, &a);
    }
}

/* ---- code ---- */

struct code_search {
    struct mem_space *space;
    bool hit;
};

static void look(void *opaque, uint64_t gpa, uint64_t size)
{
    struct code_search *s = opaque;
    uint64_t first = gpa & ~(PAGE_SIZE_ - 1), pages = (gpa + (size - 1) - first) / PAGE_SIZE_ + 1;

    for (uint64_t n = 0; n < pages && !s->hit; n++) {
        uint64_t page = first + n * PAGE_SIZE_;
        const struct code_page *p = space_code_page(s->space, page);

        struct code_bits bits = code_bits_of(page, gpa, size);
        s->hit = p && code_bits_meet(&p->translated, &bits);
    }
}

bool space_hits_code(struct mem_space *space, uint64_t gpa, uint64_t size)
{
    struct code_search s = {space, false};

    look(&s, gpa, size);
    if (NW_UNLIKELY(space->aliased) && !s.hit)
        alias_each(space, gpa, size, look, &s);
    return s.hit;
}
