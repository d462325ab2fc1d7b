/* The list of mapped guest ranges. Not locked: mm.c does that. */
#ifndef OS_LINUX_VMA_H
#define OS_LINUX_VMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Page-aligned. Sorted by address, never overlapping. */
struct linux_vma {
    uint64_t start, end;
    uint32_t prot;   /* PROT_* */
    bool shared;     /* MAP_SHARED */
    uint64_t offset; /* in the file */
    uint64_t dev, inode;
    char *path; /* owned; null: anonymous; "[heap]", "[stack]" */
};

struct vma_list {
    struct linux_vma *at;
    size_t len, cap;
};

/* Index of the first range that ends beyond ADDR (list->len: none). */
size_t vma_find(const struct vma_list *, uint64_t addr);
/* True when every byte of the range is mapped, with all of PROT. */
bool vma_covers(const struct vma_list *, uint64_t start, uint64_t end, uint32_t prot);
/* True when no byte of the range is mapped. */
bool vma_is_free(const struct vma_list *, uint64_t start, uint64_t end);
/* Makes room for N more ranges, so that the calls below cannot fail. */
bool vma_reserve(struct vma_list *, size_t n);
/* Splits so that ADDR is a boundary. Needs a reserved range. */
void vma_split(struct vma_list *, uint64_t addr);
/* Forgets what lies in the range. Needs two reserved ranges. */
void vma_remove(struct vma_list *, uint64_t start, uint64_t end);
/* Adds a range where nothing is; takes vma.path over. Needs a reserved range. Merges with equal
 * neighbours. */
void vma_insert(struct vma_list *, struct linux_vma vma);
/* Sets PROT of a wholly mapped range. Needs two reserved ranges. */
void vma_protect(struct vma_list *, uint64_t start, uint64_t end, uint32_t prot);
void vma_free(struct vma_list *);

#endif
