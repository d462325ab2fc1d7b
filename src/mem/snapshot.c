#include "mem/snapshot.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_PAGES   64u
#define CHUNK_SIZE    (CHUNK_PAGES * PAGE_SIZE_)
#define BUCKETS_FIRST 256u

/* What of a page is in one region. */
struct kept_page {
    uint8_t *host; /* where it lies; with memory of the caller's not page-aligned */
    uint64_t gpa;  /* where it was mapped when it was written */
    uint64_t born; /* the region's */
    uint32_t size;
    bool owned, file;
};

/* A map as it was; levels between which it has not changed share it. */
struct snap_map {
    uint32_t refs;
    uint32_t n;
    bool callers; /* some of it is memory of the caller's */
    struct mem_region at[];
};

struct snap_level {
    struct snap_level *older, **owner;
    uint64_t serial; /* regions born before are in its map, or are gone */
    struct snap_map *map;
    uint64_t map_version;
    struct mem_region *held; /* linked by RIGHT */
    struct kept_page *pages;
    uint32_t n, cap;
    uint8_t **chunk; /* the copies, CHUNK_PAGES in each */
    uint32_t chunks;
    uint32_t *index; /* hash of PAGES by host address: number + 1, 0 is free */
    uint32_t buckets;
};

/* ---- copies of pages ---- */

static uint8_t *copy_of(const struct snap_level *l, uint32_t n)
{
    return l->chunk[n / CHUNK_PAGES] + (n % CHUNK_PAGES) * PAGE_SIZE_;
}

/* The place of HOST in the index: where it is or would be. */
static uint32_t slot_of(const struct snap_level *l, const uint8_t *host)
{
    uint64_t h = (uint64_t)(uintptr_t)host * 0x9e3779b97f4a7c15ull;
    uint32_t at = (uint32_t)(h >> 32) & (l->buckets - 1);

    while (l->index[at] && l->pages[l->index[at] - 1].host != host)
        at = (at + 1) & (l->buckets - 1);
    return at;
}

static bool has(const struct snap_level *l, const uint8_t *host, uint32_t size)
{
    uint32_t found = l->n ? l->index[slot_of(l, host)] : 0;

    return found && l->pages[found - 1].size >= size;
}

static bool grow_index(struct snap_level *l)
{
    uint32_t buckets = l->buckets ? l->buckets * 2 : BUCKETS_FIRST;
    uint32_t *index = calloc(buckets, sizeof *index);

    if (!index)
        return false;
    free(l->index);
    l->index = index;
    l->buckets = buckets;
    for (uint32_t n = 0; n < l->n; n++)
        index[slot_of(l, l->pages[n].host)] = n + 1;
    return true;
}

/* Room for one more page. */
static bool make_room(struct snap_level *l)
{
    if (l->n >= l->buckets / 2 && !grow_index(l))
        return false;
    if (l->n == l->cap) {
        uint32_t cap = l->cap ? l->cap * 2 : CHUNK_PAGES;
        struct kept_page *pages = realloc(l->pages, cap * sizeof *pages);

        if (!pages)
            return false;
        l->pages = pages;
        l->cap = cap;
        uint8_t **chunk = realloc(l->chunk, cap / CHUNK_PAGES * sizeof *chunk);
        if (!chunk) {
            l->cap = l->n;
            return false;
        }
        l->chunk = chunk;
    }
    if (l->n == l->chunks * CHUNK_PAGES) {
        uint8_t *chunk = malloc(CHUNK_SIZE);

        if (!chunk)
            return false;
        l->chunk[l->chunks++] = chunk;
    }
    return true;
}

/* Adds a copy of what is at FROM. */
static bool append(struct snap_level *l, const struct kept_page *p, const uint8_t *from)
{
    if (!make_room(l))
        return false;
    if (p->file) {
        if (!guarded_copy(copy_of(l, l->n), from, p->size))
            return true; /* nor can it be written */
    } else {
        memcpy(copy_of(l, l->n), from, p->size);
    }
    l->pages[l->n] = *p;
    l->index[slot_of(l, p->host)] = l->n + 1;
    l->n++;
    return true;
}

/* What of the page at PAGE the region has. */
static struct kept_page part_of(const struct mem_region *r, uint64_t page)
{
    uint64_t first = r->start > page ? r->start : page, last = page + (PAGE_SIZE_ - 1);

    if (last > r->end - 1)
        last = r->end - 1;
    return (struct kept_page){.host = r->host + (first - r->start),
                              .gpa = first,
                              .born = r->born,
                              .size = (uint32_t)(last - first + 1),
                              .owned = r->kind == MEM_OWNED,
                              .file = r->file};
}

/* What was mapped after the newest level is in no level's map; the caller's memory may be, in
 * another place. */
bool snap_has_page(const struct mem_space *space, const struct mem_region *r, uint64_t page)
{
    const struct snap_level *l = space->snaps;

    if (r->kind == MEM_MMIO || (r->kind == MEM_OWNED && r->born >= l->serial))
        return true;
    struct kept_page p = part_of(r, page);

    return has(l, p.host, p.size);
}

bool snap_copy_page(struct mem_space *space, const struct mem_region *r, uint64_t page)
{
    struct kept_page p = part_of(r, page);

    return append(space->snaps, &p, p.host);
}

void space_snap_range(struct mem_space *space, uint64_t gpa, uint64_t size)
{
    uint64_t first = gpa & ~(space->unit - 1);
    uint64_t units = (gpa + size - 1 - first) / space->unit + 1;

    pthread_rwlock_rdlock(&space->lock);
    pthread_mutex_lock(&space->code_lock);
    for (uint64_t n = 0; n < units; n++) {
        uint64_t at = first + n * space->unit;
        const struct mem_region *r = region_find(&space->regions, at);

        if (r)
            snap_keep(space, r, at & ~(PAGE_SIZE_ - 1));
    }
    pthread_mutex_unlock(&space->code_lock);
    pthread_rwlock_unlock(&space->lock);
}

/* ---- memory that is no longer mapped ---- */

bool snap_hold(struct mem_space *space, struct mem_region *r)
{
    struct snap_level *l = space->snaps;

    if (!l || r->kind != MEM_OWNED || r->born >= l->serial)
        return false;
    r->right = l->held;
    l->held = r;
    return true;
}

/* Gives what L holds to TO as far as that is older than it, else back. */
static void pass_on(struct mem_space *space, struct snap_level *l, struct snap_level *to)
{
    for (struct mem_region *r = l->held, *next; r; r = next) {
        next = r->right;
        if (to && r->born < to->serial) {
            r->right = to->held;
            to->held = r;
        } else {
            annex_give(space, r->host, r->end - r->start);
            free(r);
        }
    }
    l->held = NULL;
}

/* ---- levels ---- */

static void free_map(struct snap_map *map)
{
    if (map && !--map->refs)
        free(map);
}

static void free_held(struct snap_level *l)
{
    for (struct mem_region *r = l->held, *next; r; r = next) {
        next = r->right;
        free(r);
    }
    l->held = NULL;
}

static void free_level(struct snap_level *l)
{
    free_held(l);
    for (uint32_t n = 0; n < l->chunks; n++)
        free(l->chunk[n]);
    if (l->owner)
        *l->owner = NULL;
    free_map(l->map);
    free(l->chunk);
    free(l->pages);
    free(l->index);
    free(l);
}

void space_snap_free(struct mem_space *space)
{
    while (space->snaps) {
        struct snap_level *gone = space->snaps;

        space->snaps = gone->older;
        free_level(gone);
    }
}

static void note_region(struct mem_region *r, void *opaque)
{
    struct snap_map *map = opaque;

    map->callers |= r->kind == MEM_PTR;
    map->at[map->n++] = *r;
}

static struct snap_map *copy_map(struct mem_space *space)
{
    struct snap_level *l = space->snaps;

    if (l && l->map_version == space->map_version) {
        l->map->refs++;
        return l->map;
    }
    struct snap_map *map = malloc(sizeof *map + space->regions.count * sizeof(struct mem_region));

    if (!map)
        return NULL;
    map->refs = 1;
    map->n = 0;
    map->callers = false;
    region_each(space->regions.root, note_region, map);
    return map;
}

nw_status space_snap_take(struct mem_space *space, struct snap_level **owner)
{
    struct snap_level *l = calloc(1, sizeof *l);

    if (!l)
        return NW_ERR_NOMEM;
    pthread_rwlock_wrlock(&space->lock);
    pthread_mutex_lock(&space->code_lock);
    l->map = copy_map(space);
    if (l->map) {
        l->map_version = space->map_version;
        l->serial = ++space->serial;
        l->older = space->snaps;
        l->owner = owner;
        space->snaps = *owner = l;
    }
    pthread_mutex_unlock(&space->code_lock);
    pthread_rwlock_unlock(&space->lock);
    if (!l->map) {
        free(l);
        return NW_ERR_NOMEM;
    }
    return NW_OK;
}

/* What L has kept of memory that is TO's too, TO keeps from now on. */
static bool merge_pages(struct snap_level *to, const struct snap_level *l)
{
    for (uint32_t n = 0; n < l->n; n++) {
        struct kept_page p = l->pages[n];

        if ((p.owned && p.born >= to->serial) || has(to, p.host, p.size))
            continue;
        p.file = false; /* the copy is plain memory */
        if (!append(to, &p, copy_of(l, n)))
            return false;
        to->pages[to->n - 1].file = l->pages[n].file;
    }
    return true;
}

void space_snap_drop(struct mem_space *space, struct snap_level *l)
{
    struct snap_level **at = &space->snaps;
    bool merged;

    pthread_rwlock_wrlock(&space->lock);
    pthread_mutex_lock(&space->code_lock);
    while (*at != l)
        at = &(*at)->older;
    merged = !l->older || merge_pages(l->older, l);
    if (merged) {
        pass_on(space, l, l->older);
        *at = l->older;
    }
    pthread_mutex_unlock(&space->code_lock);
    pthread_rwlock_unlock(&space->lock);
    l->owner = NULL;
    /* Without memory to merge them it stays, of no use but to the older ones. */
    if (merged)
        free_level(l);
}

/* ---- going back ---- */

/* The saved region that begins at GPA, or holds it, or null. */
static const struct mem_region *saved_at(const struct snap_map *map, uint64_t gpa)
{
    uint32_t low = 0, high = map->n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (map->at[middle].start <= gpa)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low || map->at[low - 1].end - 1 < gpa)
        return NULL;
    return &map->at[low - 1];
}

typedef void forget_fn(void *opaque, uint64_t gpa, uint64_t size);

/* Code whose bytes will change. */
static void forget_page(struct mem_space *space, const struct kept_page *p, const uint8_t *copy,
                        forget_fn *forget)
{
    uint64_t page = p->gpa & ~(PAGE_SIZE_ - 1);
    const struct code_page *code = space_code_page(space, page);
    const size_t size = 1u << CODE_GRANULE_BITS;
    struct code_bits bits = code_bits_of(page, p->gpa, p->size);

    if (!code || !code_bits_meet(&bits, &code->translated))
        return;
    for (size_t at = 0; at < p->size; at += size) {
        bits = code_bits_of(page, p->gpa + at, size);
        /* FORGET may have taken CODE away. */
        if ((p->file || memcmp(p->host + at, copy + at, size)) &&
            (code = space_code_page(space, page)) && code_bits_meet(&bits, &code->translated))
            forget(space->opaque, p->gpa + at, size);
    }
}

static void forget_code(struct mem_space *space, const struct snap_level *to, forget_fn *forget)
{
    if (!space->code_pages)
        return;
    for (const struct snap_level *l = space->snaps;; l = l->older) {
        for (uint32_t n = 0; n < l->n; n++)
            forget_page(space, &l->pages[n], copy_of(l, n), forget);
        if (l == to)
            break;
    }
}

/* Only what of the page is in the level's map is known to be there still. */
static void restore_callers(const struct snap_map *map, const struct kept_page *p,
                            const uint8_t *copy)
{
    const struct mem_region *s = saved_at(map, p->gpa);

    if (!map->callers)
        return;
    if (s && s->kind == MEM_PTR && s->host + (p->gpa - s->start) == p->host &&
        s->end - p->gpa >= p->size) {
        memcpy(p->host, copy, p->size);
        return;
    }
    uintptr_t first = (uintptr_t)p->host, end = first + p->size;
    for (uint32_t n = 0; n < map->n; n++) {
        uintptr_t low = (uintptr_t)map->at[n].host;
        uintptr_t high = low + (uintptr_t)(map->at[n].end - map->at[n].start);

        if (map->at[n].kind != MEM_PTR || low >= end || high <= first)
            continue;
        low = low > first ? low : first;
        high = high < end ? high : end;
        memcpy(p->host + (low - first), copy + (low - first), high - low);
    }
}

/* Undoes what was written since L, as far as TO has it. */
static void undo(struct snap_level *l, const struct snap_level *to)
{
    while (l->n) {
        const struct kept_page *p = &l->pages[l->n - 1];
        const uint8_t *copy = copy_of(l, l->n - 1);

        if (!p->owned)
            restore_callers(to->map, p, copy);
        else if (p->born < to->serial && p->file)
            guarded_copy(p->host, copy, p->size);
        else if (p->born < to->serial)
            memcpy(p->host, copy, p->size);
        /* The last that came goes first, so no search passes its place. */
        l->index[slot_of(l, p->host)] = 0;
        l->n--;
    }
}

/* How the map differs from one that is saved: both are walked in order of addresses. */
struct difference {
    const struct snap_map *map;
    uint32_t next; /* of the saved regions */
    struct mem_region **gone;
    const struct mem_region **missing;
    uint32_t ngone, nmissing;
    struct mem_region *fresh; /* the missing ones anew, linked by RIGHT */
};

static bool same(const struct mem_region *a, const struct mem_region *b)
{
    return a->start == b->start && a->end == b->end && a->host == b->host && a->kind == b->kind &&
           a->perms == b->perms && a->born == b->born && a->base == b->base && a->read == b->read &&
           a->write == b->write && a->opaque == b->opaque;
}

static void compare(struct mem_region *r, void *opaque)
{
    struct difference *d = opaque;
    const struct snap_map *map = d->map;

    while (d->next < map->n && map->at[d->next].start < r->start)
        d->missing[d->nmissing++] = &map->at[d->next++];
    if (d->next < map->n && same(&map->at[d->next], r))
        d->next++;
    else
        d->gone[d->ngone++] = r;
}

static void difference_free(struct difference *d)
{
    while (d->fresh) {
        struct mem_region *r = d->fresh;

        d->fresh = r->right;
        free(r);
    }
    free(d->gone);
    free(d->missing);
}

/* False: no memory. */
static bool difference_find(struct mem_space *space, const struct snap_map *map,
                            struct difference *d)
{
    *d = (struct difference){.map = map};
    d->gone = malloc((space->regions.count + 1ull) * sizeof *d->gone);
    d->missing = malloc((map->n + 1ull) * sizeof *d->missing);
    if (!d->gone || !d->missing)
        return false;
    region_each(space->regions.root, compare, d);
    while (d->next < map->n)
        d->missing[d->nmissing++] = &map->at[d->next++];
    for (uint32_t n = 0; n < d->nmissing; n++) {
        struct mem_region *r = malloc(sizeof *r);

        if (!r)
            return false;
        *r = *d->missing[n];
        r->right = d->fresh;
        d->fresh = r;
    }
    return true;
}

/* Makes the map the saved one, of TO. */
static void difference_apply(struct mem_space *space, struct difference *d,
                             const struct snap_level *to)
{
    for (uint32_t n = 0; n < d->ngone; n++) {
        struct mem_region *r = region_take(&space->regions, d->gone[n]->start, d->gone[n]->end);

        if (r->kind == MEM_OWNED && r->born >= to->serial)
            annex_give(space, r->host, r->end - r->start);
        free(r);
    }
    while (d->fresh) {
        struct mem_region *r = d->fresh;

        d->fresh = r->right;
        region_insert(&space->regions, r);
    }
    space->map_version = to->map_version;
}

/* Everything that is held is in TO's map again, or was mapped later. */
static void settle(struct mem_space *space, struct snap_level *to)
{
    while (space->snaps != to) {
        struct snap_level *gone = space->snaps;

        pass_on(space, gone, to);
        space->snaps = gone->older;
        free_level(gone);
    }
    free_held(to);
}

nw_status space_snap_restore(struct mem_space *space, struct snap_level *to, forget_fn *forget)
{
    bool map = space->map_version != to->map_version;
    struct difference d = {0};

    if (map && !difference_find(space, to->map, &d)) {
        difference_free(&d);
        return NW_ERR_NOMEM;
    }
    forget_code(space, to, forget);
    for (uint32_t n = 0; n < d.ngone; n++)
        if (d.gone[n]->kind != MEM_MMIO)
            forget(space->opaque, d.gone[n]->start, d.gone[n]->end - d.gone[n]->start);
    pthread_rwlock_wrlock(&space->lock);
    pthread_mutex_lock(&space->code_lock);
    for (struct snap_level *l = space->snaps;; l = l->older) {
        undo(l, to);
        if (l == to)
            break;
    }
    if (map)
        difference_apply(space, &d, to);
    settle(space, to);
    pthread_mutex_unlock(&space->code_lock);
    pthread_rwlock_unlock(&space->lock);
    difference_free(&d);
    return NW_OK;
}
