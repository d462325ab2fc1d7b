/* Pages that translated code was made from: stores into them must be seen. The table is changed
 * with the engine's lock and code_lock held and may be read with either. */
#include "mem/core.h"

#include <stdlib.h>
#include <sys/mman.h>

static uint32_t bucket_of(const struct mem_space *space, uint64_t page)
{
    return (uint32_t)((page >> PAGE_BITS) * 0x9e3779b1u) & (space->code_buckets - 1);
}

struct code_page *space_code_page(struct mem_space *space, uint64_t page)
{
    if (!space->code_buckets)
        return NULL;
    for (struct code_page *p = space->code[bucket_of(space, page)]; p; p = p->next)
        if (p->page == page)
            return p;
    return NULL;
}

struct code_bits code_bits_of(uint64_t page, uint64_t gpa, uint64_t size)
{
    uint64_t first = gpa > page ? gpa - page : 0;
    uint64_t last = gpa + size - 1 - page;
    struct code_bits bits = {{0}};

    if (last >= PAGE_SIZE_)
        last = PAGE_SIZE_ - 1;
    first >>= CODE_GRANULE_BITS;
    last >>= CODE_GRANULE_BITS;
    for (uint64_t n = first / 64; n <= last / 64; n++)
        bits.word[n] = UINT64_MAX;
    bits.word[first / 64] &= UINT64_MAX << first % 64;
    bits.word[last / 64] &= UINT64_MAX >> (63 - last % 64);
    return bits;
}

static bool grow(struct mem_space *space)
{
    uint32_t old = space->code_buckets, size = old ? old * 2 : CODE_BUCKETS_MIN;
    struct code_page **before = space->code, **now = calloc(size, sizeof(struct code_page *));

    if (!now)
        return old != 0;
    space->code = now;
    space->code_buckets = size;
    for (uint32_t i = 0; i < old; i++) {
        for (struct code_page *p = before[i], *next; p; p = next) {
            struct code_page **at = &now[bucket_of(space, p->page)];

            next = p->next;
            p->next = *at;
            *at = p;
        }
    }
    free(before);
    return true;
}

static struct code_page *code_page_add(struct mem_space *space, uint64_t page)
{
    struct code_page *p;

    if (space->code_pages >= space->code_buckets && !grow(space))
        return NULL;
    p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->page = page;
    struct code_page **at = &space->code[bucket_of(space, page)];
    p->next = *at;
    *at = p;
    space->code_pages++;
    return p;
}

static void code_page_remove(struct mem_space *space, struct code_page *page)
{
    struct code_page **at = &space->code[bucket_of(space, page->page)];

    while (*at != page)
        at = &(*at)->next;
    *at = page->next;
    space->code_pages--;
    free(page);
}

/* Marks granules as code before they are read, so that no store can slip in between. They are in
 * one region. */
static bool mark(struct mem_space *space, uint64_t gpa, unsigned size)
{
    uint64_t page = gpa & ~(PAGE_SIZE_ - 1);
    struct code_bits bits = code_bits_of(page, gpa, size), before;
    struct code_page *p = space_code_page(space, page);
    const struct mem_region *r;
    bool fresh = !p;

    if (p && (before = p->translated, code_bits_add(&before, &bits)))
        return true;
    /* No slow-path access may be under way while the page loses its write permission. */
    pthread_rwlock_wrlock(&space->lock);
    pthread_mutex_lock(&space->code_lock);
    r = region_find(&space->regions, gpa);
    if (!r || r->kind == MEM_MMIO || !(r->perms & NW_EXEC)) {
        pthread_mutex_unlock(&space->code_lock);
        pthread_rwlock_unlock(&space->lock);
        return false;
    }
    if (fresh)
        p = code_page_add(space, page);
    if (p) {
        code_bits_add(&p->translated, &bits);
        if (fresh && r->in_arena && (r->perms & NW_WRITE))
            space_close_page(space, r, page);
        if (fresh && space->arena)
            space->generation++;
    }
    pthread_mutex_unlock(&space->code_lock);
    pthread_rwlock_unlock(&space->lock);
    if (fresh && p)
        space->client->drop_write_tags(space->opaque, page);
    return p != NULL;
}

static bool read_code(struct mem_space *space, uint64_t gpa, void *buf, unsigned size)
{
    const struct mem_region *r;
    bool ok = false;

    pthread_rwlock_rdlock(&space->lock);
    r = region_find(&space->regions, gpa);
    if (r && r->kind != MEM_MMIO && (r->perms & NW_EXEC)) {
        uint64_t page = gpa & ~(PAGE_SIZE_ - 1);
        const uint8_t *from = r->host + (gpa - r->start);

        pthread_mutex_lock(&space->code_lock);
        bool shut = !space_page_open(space, r, page, false);
        if (!shut || space_open_page(space, r, page))
            ok = guarded_copy(buf, from, size);
        if (shut)
            space_close_page(space, r, page);
        pthread_mutex_unlock(&space->code_lock);
    }
    pthread_rwlock_unlock(&space->lock);
    return ok;
}

bool space_fetch_code(struct mem_space *space, uint64_t gpa, void *buf, unsigned size)
{
    uint8_t *to = buf;

    while (size) {
        unsigned part = (unsigned)(space->unit - (gpa & (space->unit - 1)));

        if (part > size)
            part = size;
        if (gpa > space->last || !mark(space, gpa, part) || !read_code(space, gpa, to, part))
            return false;
        to += part;
        gpa += part;
        size -= part;
    }
    return true;
}

void space_code_update(struct mem_space *space, struct code_page *p,
                       const struct code_bits *translated)
{
    uint64_t page = p->page;
    const struct mem_region *r;

    pthread_rwlock_rdlock(&space->lock);
    pthread_mutex_lock(&space->code_lock);
    p->translated = *translated;
    if (!p->blocks) {
        code_page_remove(space, p);
        r = region_find(&space->regions, page);
        if (r && r->in_arena && (r->perms & NW_WRITE))
            space_close_page(space, r, page);
    }
    pthread_mutex_unlock(&space->code_lock);
    pthread_rwlock_unlock(&space->lock);
}
