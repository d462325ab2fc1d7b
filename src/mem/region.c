#include "mem/region.h"

#include <stdlib.h>

/* The end 2^64 is kept as 0, so lengths and last addresses are what may be compared. */
static uint64_t last_of(const struct mem_region *r)
{
    return r->end - 1;
}

static void update(struct mem_region *r)
{
    struct mem_region *left = r->left, *right = r->right;
    uint64_t gap = 0;

    r->sub_first = left ? left->sub_first : r->start;
    r->sub_end = right ? right->sub_end : r->end;
    r->sub_bytes = r->end - r->start;
    if (left) {
        r->sub_bytes += left->sub_bytes;
        gap = left->sub_gap;
        if (r->start - left->sub_end > gap)
            gap = r->start - left->sub_end;
    }
    if (right) {
        r->sub_bytes += right->sub_bytes;
        if (right->sub_gap > gap)
            gap = right->sub_gap;
        if (right->sub_first - r->end > gap)
            gap = right->sub_first - r->end;
    }
    r->sub_gap = gap;
}

static struct mem_region *merge(struct mem_region *a, struct mem_region *b)
{
    if (!a || !b)
        return a ? a : b;
    if (a->priority > b->priority) {
        a->right = merge(a->right, b);
        update(a);
        return a;
    }
    b->left = merge(a, b->left);
    update(b);
    return b;
}

/* *LOW gets what starts before ADDR, *HIGH the rest. */
static void split(struct mem_region *r, uint64_t addr, struct mem_region **low,
                  struct mem_region **high)
{
    if (!r) {
        *low = *high = NULL;
    } else if (r->start < addr) {
        split(r->right, addr, &r->right, high);
        update(r);
        *low = r;
    } else {
        split(r->left, addr, low, &r->left);
        update(r);
        *high = r;
    }
}

static uint32_t next_priority(struct region_tree *tree)
{
    uint32_t x = tree->seed ? tree->seed : 0x9e3779b9u;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return tree->seed = x;
}

struct mem_region *region_next(const struct region_tree *tree, uint64_t addr)
{
    struct mem_region *r = tree->root, *best = NULL;

    while (r) {
        if (last_of(r) >= addr) {
            best = r;
            r = r->left;
        } else {
            r = r->right;
        }
    }
    return best;
}

struct mem_region *region_find(const struct region_tree *tree, uint64_t addr)
{
    struct mem_region *r = tree->root;

    while (r) {
        if (addr < r->start)
            r = r->left;
        else if (addr > last_of(r))
            r = r->right;
        else
            return r;
    }
    return NULL;
}

static uint64_t bytes_in(const struct mem_region *r, uint64_t first, uint64_t last)
{
    if (!r || r->sub_first > last || r->sub_end - 1 < first)
        return 0;
    if (r->sub_first >= first && r->sub_end - 1 <= last)
        return r->sub_bytes;

    uint64_t sum = bytes_in(r->left, first, last) + bytes_in(r->right, first, last);
    uint64_t from = r->start > first ? r->start : first;
    uint64_t to = last_of(r) < last ? last_of(r) : last;

    return from <= to ? sum + (to - from + 1) : sum;
}

bool region_none(const struct region_tree *tree, uint64_t start, uint64_t size)
{
    const struct mem_region *r = region_next(tree, start);

    return !r || !size || r->start > start + size - 1;
}

bool region_all(const struct region_tree *tree, uint64_t start, uint64_t size)
{
    const struct mem_region *r = region_find(tree, start);

    if (!r || !size)
        return !size;
    return last_of(r) >= start + size - 1 || bytes_in(tree->root, start, start + size - 1) == size;
}

void region_insert(struct region_tree *tree, struct mem_region *r)
{
    struct mem_region *low, *high;

    r->left = r->right = NULL;
    r->priority = next_priority(tree);
    update(r);
    split(tree->root, r->start, &low, &high);
    tree->root = merge(merge(low, r), high);
    tree->count++;
}

nw_status region_cut(struct region_tree *tree, uint64_t addr)
{
    struct mem_region *r = region_find(tree, addr), *low, *middle, *high, *tail;

    if (!r || r->start == addr)
        return NW_OK;
    tail = malloc(sizeof *tail);
    if (!tail)
        return NW_ERR_NOMEM;
    *tail = *r;
    tail->start = addr;
    if (tail->host)
        tail->host += addr - r->start;
    tail->offset += addr - r->start;
    split(tree->root, r->start, &low, &high);
    split(high, addr, &middle, &high);
    middle->end = addr;
    update(middle);
    tree->root = merge(merge(low, middle), high);
    region_insert(tree, tail);
    return NW_OK;
}

static uint32_t count(const struct mem_region *r)
{
    return r ? 1 + count(r->left) + count(r->right) : 0;
}

struct mem_region *region_take(struct region_tree *tree, uint64_t start, uint64_t end)
{
    struct mem_region *low, *middle, *high = NULL;

    split(tree->root, start, &low, &middle);
    if (end)
        split(middle, end, &middle, &high);
    tree->root = merge(low, high);
    tree->count -= count(middle);
    return middle;
}

void region_put_back(struct region_tree *tree, struct mem_region *middle)
{
    struct mem_region *low, *high;

    if (!middle)
        return;
    split(tree->root, middle->sub_first, &low, &high);
    tree->root = merge(merge(low, middle), high);
    tree->count += count(middle);
}

static bool same_mapping(const struct mem_region *a, const struct mem_region *b)
{
    return a->end == b->start && a->kind == b->kind && a->perms == b->perms &&
           a->in_arena == b->in_arena && a->file == b->file && a->shared == b->shared &&
           a->kind == MEM_OWNED && !a->file && a->born == b->born &&
           a->host + (a->end - a->start) == b->host;
}

void region_heal(struct region_tree *tree, uint64_t addr)
{
    struct mem_region *b = region_find(tree, addr), *a, *low, *middle, *high;

    if (!b || b->start != addr || addr == 0)
        return;
    a = region_find(tree, addr - 1);
    if (!a || !same_mapping(a, b))
        return;
    split(tree->root, a->start, &low, &middle);
    split(middle, b->start + 1, &middle, &high);
    split(middle, b->start, &a, &b);
    a->end = b->end;
    update(a);
    free(b);
    tree->count--;
    tree->root = merge(merge(low, a), high);
}

void region_each(struct mem_region *r, void (*fn)(struct mem_region *, void *), void *opaque)
{
    while (r) {
        struct mem_region *right = r->right;

        region_each(r->left, fn, opaque);
        fn(r, opaque);
        r = right;
    }
}

static void free_one(struct mem_region *r, void *opaque)
{
    (void)opaque;
    free(r);
}

void region_free_all(struct mem_region *r)
{
    region_each(r, free_one, NULL);
}

struct gap_search {
    uint64_t size, lo, hi, align;
};

/* R's subtree lies in the hole-to-be [FROM, TO) between its neighbours. */
static bool gap_in(const struct mem_region *r, uint64_t from, uint64_t to,
                   const struct gap_search *s, uint64_t *out)
{
    uint64_t low = from > s->lo ? from : s->lo, high = to < s->hi ? to : s->hi;

    if (high < low || high - low < s->size)
        return false;
    if (!r) {
        uint64_t at = (high - s->size) / s->align * s->align;

        *out = at;
        return at >= low;
    }
    if (r->sub_gap < s->size && r->sub_first - from < s->size && to - r->sub_end < s->size)
        return false;
    /* Nothing follows a region that ends at 2^64. */
    return (r->end && gap_in(r->right, r->end, to, s, out)) ||
           gap_in(r->left, from, r->start, s, out);
}

bool region_gap(const struct region_tree *tree, uint64_t size, uint64_t lo, uint64_t hi,
                uint64_t align, uint64_t *out)
{
    struct gap_search s = {size, lo, hi, align ? align : 1};

    return size && gap_in(tree->root, 0, UINT64_MAX, &s, out);
}
