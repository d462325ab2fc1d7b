/* The block cache: finding blocks, linking them, forgetting them. */
#include <stdlib.h>
#include "exec/cache_find.h"

#define TABLE_MIN 1024u

static struct block_table *table_new(uint32_t size)
{
    struct block_table *t = calloc(1, sizeof *t + size * sizeof t->slot[0]);

    if (t)
        t->size = size;
    return t;
}

/* Every block takes at least this many bytes of code, so ORDER cannot run out before the buffer. */
#define BLOCK_CODE_MIN 32

/* The part of the order that has the Nth block. */
static unsigned order_part(uint32_t n)
{
    return n < ORDER_FIRST ? 0 : (unsigned)(32 - __builtin_clz(n / ORDER_FIRST));
}

static struct block **order_at(const struct block_cache *c, uint32_t n)
{
    unsigned part = order_part(n);

    return &c->order[part][part ? n - (ORDER_FIRST << (part - 1)) : n];
}

/* Room for one more. */
static bool order_grow(struct block_cache *c)
{
    unsigned part = order_part(c->count);
    size_t size = part ? (size_t)ORDER_FIRST << (part - 1) : ORDER_FIRST;

    if (!c->order[part])
        c->order[part] = malloc(size * sizeof(struct block *));
    return c->order[part] != NULL;
}

nw_status cache_init(struct nw_engine *engine)
{
    struct block_cache *c = &engine->cache;

    if (c->table)
        return NW_OK;
    c->order_max = engine->code_size / BLOCK_CODE_MIN;
    c->table = table_new(TABLE_MIN);
    return c->table ? NW_OK : NW_ERR_NOMEM;
}

void block_free(struct block *b)
{
    if (b->region) {
        ir_region_free(b->region);
        free(b->region);
    }
    hooks_free_sites(b->hooks);
    free(b->exits);
    free(b->sites);
    free(b->site_hits);
    free(b);
}

static void free_blocks(struct block_cache *c)
{
    for (uint32_t i = 0; i < c->count; i++)
        block_free(*order_at(c, i));
    c->count = 0;
    c->live = 0;
    c->region_bytes = 0;
}

static void free_older(struct block_table *t)
{
    while (t->older) {
        struct block_table *gone = t->older;

        t->older = gone->older;
        free(gone);
    }
}

void cache_free(struct nw_engine *engine)
{
    struct block_cache *c = &engine->cache;

    if (!c->table)
        return;
    free_blocks(c);
    free_older(c->table);
    free(c->table);
    for (unsigned n = 0; n < ORDER_PARTS; n++)
        free(c->order[n]);
}

static void table_put(struct block_table *t, struct block *b)
{
    struct block *_Atomic *at =
        &t->slot[cache_hash(b->key, b->variant, b->page[0]) & (t->size - 1)];

    atomic_store_explicit(&b->hash_next, atomic_load_explicit(at, memory_order_relaxed),
                          memory_order_relaxed);
    atomic_store_explicit(at, b, memory_order_release);
}

/* A reader that is in an old chain while its blocks move to the new table may miss; it then asks
 * for a translation under the lock and finds the block. */
static void table_grow(struct block_cache *c)
{
    struct block_table *old = c->table, *t = table_new(old->size * 2);

    if (!t)
        return;
    t->older = old;
    for (uint32_t i = 0; i < c->count; i++)
        if (!(*order_at(c, i))->dead)
            table_put(t, *order_at(c, i));
    atomic_store_explicit(&c->table, t, memory_order_release);
}

static void table_remove(struct block_table *t, struct block *b)
{
    struct block *_Atomic *at =
        &t->slot[cache_hash(b->key, b->variant, b->page[0]) & (t->size - 1)];

    while (atomic_load_explicit(at, memory_order_relaxed) != b)
        at = &atomic_load_explicit(at, memory_order_relaxed)->hash_next;
    /* B keeps its own next pointer for readers that stand on it. */
    atomic_store_explicit(at, atomic_load_explicit(&b->hash_next, memory_order_relaxed),
                          memory_order_release);
}

/* Both of its pages may be the same one. */
static unsigned pages_of(const struct block *b)
{
    return b->crosses && b->page[1] != b->page[0] ? 2 : 1;
}

static struct block **page_link(struct block *b, uint64_t page)
{
    return &b->page_next[page != b->page[0]];
}

/* What the block was made from of PAGE. */
static struct code_bits bits_in(const struct block *b, uint64_t page)
{
    uint64_t offset = b->key.pc & (PAGE_SIZE_ - 1), size = b->size ? b->size : 1;
    uint64_t first = offset + size < PAGE_SIZE_ ? size : PAGE_SIZE_ - offset;
    struct code_bits bits = {{0}}, more;

    if (page == b->page[0])
        bits = code_bits_of(page, page + offset, first);
    if (b->crosses && page == b->page[1]) {
        more = code_bits_of(page, page, size - first);
        code_bits_add(&bits, &more);
    }
    return bits;
}

nw_status cache_add(struct nw_engine *engine, struct block *b)
{
    struct block_cache *c = &engine->cache;

    if (c->count >= c->order_max)
        return NW_ERR_RANGE;
    if (!order_grow(c))
        return NW_ERR_NOMEM;
    for (unsigned n = 0; n < pages_of(b); n++) {
        struct code_page *p = space_code_page(&engine->mem, b->page[n]);

        if (!p)
            continue;
        b->page_next[n] = p->blocks;
        p->blocks = b;
    }
    *order_at(c, c->count) = b;
    atomic_store_explicit(&c->count, c->count + 1, memory_order_release);
    /* Growing enters every block of the order again: the new one must be in only once. */
    table_put(c->table, b);
    if (++c->live > c->table->size)
        table_grow(c);
    return NW_OK;
}

struct block *cache_block_at(struct nw_engine *engine, uintptr_t pc)
{
    uintptr_t base = (uintptr_t)engine->code.buf.rx;
    struct block_cache *c = &engine->cache;
    uint32_t low = 0, high = atomic_load_explicit(&c->count, memory_order_acquire);

    if (!base || pc < base || pc - base >= engine->code.buf.size)
        return NULL;
    uint32_t offset = (uint32_t)(pc - base);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if ((*order_at(c, middle))->code <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low)
        return NULL;
    struct block *b = *order_at(c, low - 1);
    return offset - b->code < b->code_size ? b : NULL;
}

/* ---- links ---- */

static void patch(struct nw_engine *engine, struct host_exit *exit, struct block *target)
{
    uint8_t *rw = engine->code.buf.rw + exit->block->code;
    const uint8_t *rx = engine->code.buf.rx + exit->block->code;

    uint32_t at = target == exit->block ? exit->entry : 0;

    host_link(exit, rw, rx, target ? engine->code.buf.rx + target->code + at : NULL);
    exit->linked = target;
}

/* With an MMU a jump holds under every mapping only as long as it stays in the page it comes from.
 */
bool cache_may_link(const struct nw_engine *engine, const struct block *from,
                    const struct block *to)
{
    uint64_t distance = (to->key.pc & ~(PAGE_SIZE_ - 1)) - (from->key.pc & ~(PAGE_SIZE_ - 1));

    if (from->variant != to->variant)
        return false;
    if (!engine->mmu)
        return true;
    if (to->crosses || distance > (from->crosses ? PAGE_SIZE_ : 0))
        return false;
    return to->page[0] == from->page[distance != 0];
}

void cache_link(struct nw_engine *engine, struct host_exit *exit, struct block *target)
{
    if (exit->linked || exit->block->dead || target->dead)
        return;
    patch(engine, exit, target);
    exit->next_in = target->incoming;
    target->incoming = exit;
    engine->stats.chain_links++;
}

static void unlink_all(struct nw_engine *engine, struct block *b)
{
    for (struct host_exit *e = b->incoming, *next; e; e = next) {
        next = e->next_in;
        patch(engine, e, NULL);
        engine->stats.chain_unlinks++;
    }
    b->incoming = NULL;
    for (uint32_t i = 0; i < b->nexits; i++) {
        struct host_exit *e = &b->exits[i], **at;

        if (!e->linked)
            continue;
        for (at = &e->linked->incoming; *at != e; at = &(*at)->next_in)
            ;
        *at = e->next_in;
        /* Whoever is inside must come out at the end of the dead block. */
        patch(engine, e, NULL);
    }
}

/* ---- forgetting ---- */

static void drop_from_pages(struct nw_engine *engine, struct block *b)
{
    for (unsigned n = 0; n < pages_of(b); n++) {
        uint64_t page = b->page[n];
        struct code_page *p = space_code_page(&engine->mem, page);

        for (struct block **at = p ? &p->blocks : NULL; at && *at; at = page_link(*at, page)) {
            if (*at == b) {
                *at = *page_link(b, page);
                break;
            }
        }
    }
}

static void kill_block(struct nw_engine *engine, struct block *b)
{
    table_remove(engine->cache.table, b);
    drop_from_pages(engine, b);
    unlink_all(engine, b);
    b->dead = true;
    engine->cache.live--;
    engine->stats.invalidations++;
}

static struct code_bits bits_left(const struct code_page *p)
{
    struct code_bits left = {{0}};

    for (struct block *b = p->blocks; b; b = *page_link(b, p->page)) {
        struct code_bits bits = bits_in(b, p->page);

        code_bits_add(&left, &bits);
    }
    return left;
}

static bool forget_in_page(struct nw_engine *engine, struct code_page *p, uint64_t gpa,
                           uint64_t size)
{
    struct code_bits changed = code_bits_of(p->page, gpa, size);
    bool any = false;

    for (struct block *b = p->blocks, *next; b; b = next) {
        struct code_bits bits = bits_in(b, p->page);

        next = *page_link(b, p->page);
        if (!code_bits_meet(&bits, &changed))
            continue;
        kill_block(engine, b);
        any = true;
    }
    return any;
}

static bool forget_page(struct nw_engine *engine, struct code_page *p, uint64_t gpa, uint64_t size)
{
    bool any = forget_in_page(engine, p, gpa, size);

    /* Bits that a dead block has set in a neighbouring page stay until that page is looked at. */
    struct code_bits left = bits_left(p);

    space_code_update(&engine->mem, p, &left);
    return any;
}

static bool forget_range(struct nw_engine *engine, uint64_t gpa, uint64_t size)
{
    struct mem_space *mem = &engine->mem;
    /* Stores are caught by granule, so a granule is forgotten as a whole. */
    uint64_t mask = (1u << CODE_GRANULE_BITS) - 1;
    uint64_t last = (gpa + size - 1) | mask, page = gpa & ~(PAGE_SIZE_ - 1);
    uint64_t pages = ((last - page) >> PAGE_BITS) + 1;
    bool any = false;

    gpa &= ~mask;
    size = last - gpa + 1;
    if (pages > mem->code_buckets) {
        for (uint32_t i = 0; i < mem->code_buckets; i++) {
            for (struct code_page *p = mem->code[i], *next; p; p = next) {
                next = p->next;
                if (p->page >= page && p->page <= last)
                    any |= forget_page(engine, p, gpa, size);
            }
        }
    } else {
        for (uint64_t n = 0; n < pages; n++) {
            struct code_page *p = space_code_page(mem, page + n * PAGE_SIZE_);

            if (p)
                any |= forget_page(engine, p, gpa, size);
        }
    }
    return any;
}

struct forgetting {
    struct nw_engine *engine;
    bool any;
};

static void forget_alias(void *opaque, uint64_t gpa, uint64_t size)
{
    struct forgetting *f = opaque;

    f->any |= forget_range(f->engine, gpa, size);
}

void cache_forget(struct nw_engine *engine, uint64_t gpa, uint64_t size)
{
    struct forgetting f = {engine, false};

    if (!engine->mem.code_pages || !size)
        return;
    forget_alias(&f, gpa, size);
    if (NW_UNLIKELY(engine->mem.aliased) && size != UINT64_MAX)
        alias_each(&engine->mem, gpa, size, forget_alias, &f);
    if (!f.any)
        return;
    atomic_fetch_add(&engine->cache.epoch, 1);
    hooks_note_change(engine);
    /* Jump caches are cleared by their owners, who have to come out for that. */
    sync_order(engine);
    for (struct nw_vcpu *v = engine->vcpus; v; v = v->next)
        if (atomic_load(&v->exec->place) != VCPU_OUTSIDE)
            atomic_fetch_or(&v->request, VCPU_REQ_SYNC);
}

void cache_clear(struct nw_engine *engine)
{
    static const struct code_bits none;
    struct block_cache *c = &engine->cache;

    for (uint32_t i = 0; i < engine->mem.code_buckets; i++) {
        for (struct code_page *p = engine->mem.code[i], *next; p; p = next) {
            next = p->next;
            p->blocks = NULL;
            space_code_update(&engine->mem, p, &none);
        }
    }
    for (uint32_t i = 0; i < c->table->size; i++)
        atomic_store_explicit(&c->table->slot[i], NULL, memory_order_relaxed);
    free_older(c->table);
    free_blocks(c);
    hooks_sweep(engine);
    engine->code.used = engine->code.runtime.size;
    atomic_fetch_add(&c->epoch, 1);
    atomic_fetch_add(&c->flushes, 1);
    engine->stats.cache_flushes++;
}
