/* The guest's address space: what mmap and its family do. */
#ifndef OS_LINUX_MM_H
#define OS_LINUX_MM_H

#include "os/linux/task.h"
#include "os/linux/vma.h"

/* Zero or a negative errno unless said otherwise. Addresses and sizes are guest addresses and
 * bytes; all but linux_mm_map's size must be page-aligned. Any thread. */

/* An empty address space; mappings without a wish are placed below TOP. Null: no memory. */
struct linux_mm *linux_mm_new(uint64_t top);
void linux_mm_free(struct linux_mm *);

struct linux_map_request {
    uint64_t addr; /* wish, or with fixed the address */
    uint64_t size; /* > 0, rounded up to pages */
    uint32_t prot; /* PROT_* */
    int fd;        /* host descriptor; -1: anonymous */
    uint64_t offset;
    const char *name; /* shown in /proc/self/maps; null: the file's path */
    bool shared;
    bool low;     /* MAP_32BIT: without a wish or with one that is taken, below 2 GiB */
    bool fixed;   /* exactly at addr, … */
    bool replace; /* … unmapping what is there; else -EEXIST */
};

/* The address, or -errno. */
int64_t linux_mm_map(struct linux_process *, const struct linux_map_request *);
int64_t linux_mm_unmap(struct linux_process *, uint64_t addr, uint64_t size);
int64_t linux_mm_protect(struct linux_process *, uint64_t addr, uint64_t size, uint32_t prot);
/* mremap(2): FLAGS as there. The new address, or -errno. */
int64_t linux_mm_move(struct linux_process *, uint64_t addr, uint64_t old_size, uint64_t new_size,
                      unsigned flags, uint64_t new_addr);
/* True when all of the range is mapped. */
bool linux_mm_mapped(struct linux_process *, uint64_t addr, uint64_t size);
/* Zeroes what madvise(MADV_DONTNEED) takes away: the range is as freshly mapped. */
int64_t linux_mm_forget(struct linux_process *, uint64_t addr, uint64_t size);

/* The heap begins at ADDR and is empty. */
void linux_mm_set_brk(struct linux_process *, uint64_t addr);
/* brk(2): the break after the call, moved to ADDR if that can be. */
uint64_t linux_mm_brk(struct linux_process *, uint64_t addr);

/* Calls FN for each mapping in address order, with the lock held: it must not map or unmap. */
void linux_mm_each(struct linux_process *, void (*fn)(void *opaque, const struct linux_vma *),
                   void *opaque);
/* Around fork: no other thread may hold the lock in between. */
void linux_mm_lock(struct linux_process *);
void linux_mm_unlock(struct linux_process *);

/* NW_* of PROT_*: the engine's permissions. */
uint32_t linux_perms(uint32_t prot);

#endif
