/* The map of an address space: disjoint regions in a treap, every operation O(log n). */
#ifndef MEM_REGION_H
#define MEM_REGION_H

#include <narwhal/narwhal.h>

enum mem_kind {
    MEM_OWNED, /* host memory of ours */
    MEM_PTR,   /* host memory of the caller's */
    MEM_MMIO,
};

struct mem_region {
    uint64_t start, end; /* guest addresses, end exclusive; 0 stands for 2^64 */
    uint8_t *host;       /* of START; null for MMIO */
    uint8_t kind;        /* enum mem_kind */
    uint8_t perms;       /* enum nw_perm */
    bool in_arena;       /* host == arena + start, protected by the host */
    bool file;           /* mapped from a file: a host access may raise SIGBUS */
    bool aliased;        /* MEM_PTR: other regions have or had some of the same host memory */
    bool shared;         /* with other processes: the host protection is exactly the guest's */
    uint64_t offset;     /* in the file, of START */
    nw_mmio_read_fn read;
    nw_mmio_write_fn write;
    void *opaque;
    uint64_t base; /* MMIO: the guest address of offset 0 */
    uint64_t born; /* space->serial when it was mapped: snapshots up to that one do not have it */

    struct mem_region *left, *right;
    uint32_t priority;
    uint64_t sub_first, sub_end, sub_bytes,
        sub_gap; /* of the subtree; sub_gap: largest hole in it */
};

struct region_tree {
    struct mem_region *root;
    uint32_t seed;
    uint32_t count;
};

/* The region that holds ADDR, or null. */
struct mem_region *region_find(const struct region_tree *, uint64_t addr);
/* The lowest region that ends after ADDR, or null. */
struct mem_region *region_next(const struct region_tree *, uint64_t addr);
/* Is nothing, is all of [START, START + SIZE) mapped? */
bool region_none(const struct region_tree *, uint64_t start, uint64_t size);
bool region_all(const struct region_tree *, uint64_t start, uint64_t size);
/* Adds a region, whose range is free; the tree owns it from now on. */
void region_insert(struct region_tree *, struct mem_region *);
/* Makes sure that a region boundary lies at ADDR, splitting where needed. NW_ERR_NOMEM. */
nw_status region_cut(struct region_tree *, uint64_t addr);
/* Takes out what lies in [START, END), where boundaries are; the caller owns the returned tree. */
struct mem_region *region_take(struct region_tree *, uint64_t start, uint64_t end);
/* Puts such a tree back. */
void region_put_back(struct region_tree *, struct mem_region *);
/* Joins ADDR's neighbours into one region where they are one mapping in all but name. */
void region_heal(struct region_tree *, uint64_t addr);
/* Calls FN for each region in address order. */
void region_each(struct mem_region *, void (*fn)(struct mem_region *, void *), void *opaque);
void region_free_all(struct mem_region *);
/* The highest free ALIGN-aligned range of SIZE bytes in [LO, HI). */
bool region_gap(const struct region_tree *, uint64_t size, uint64_t lo, uint64_t hi, uint64_t align,
                uint64_t *out);

#endif
