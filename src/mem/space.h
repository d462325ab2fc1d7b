/* Guest memory for the layers above the engine that need more than <narwhal/narwhal.h> gives:
 * Linux user mode maps files, looks for room, and hands guest buffers to system calls.
 *
 * Threads: any; the calls are serialised inside. Errors as those of the public memory calls. */
#ifndef MEM_SPACE_H
#define MEM_SPACE_H

#include <narwhal/narwhal.h>

/* A 64-bit guest's fast memory is a window on its lowest addresses. A larger or smaller one of SIZE
 * bytes (pages, at least 4 GiB), before anything is mapped and any vCPU made (else NW_ERR_BUSY).
 * NW_ERR_NOMEM: the host has no room for it; the window is as it was. Without fast memory, and for
 * 32-bit guests, nothing is done. */
nw_status mem_set_window(nw_engine *, uint64_t size);
/* Addresses below this are in the window; 0: there is none. */
uint64_t mem_window(nw_engine *);

/* Maps SIZE bytes at GPA from file FD at OFFSET (FD is not kept; -1: zeroed anonymous memory).
 * SHARED: stores reach the file and other mappings of it, after fork too. REPLACE: what is mapped
 * there goes first (as MAP_FIXED does); else NW_ERR_OVERLAP. Pages that begin beyond the file's end
 * fault with NW_FAULT_BUS. All of GPA, SIZE and OFFSET are page-aligned. NW_ERR_HOST: the host
 * refused (errno says why). */
nw_status mem_map_fd(nw_engine *, uint64_t gpa, uint64_t size, uint32_t perms, int fd,
                     uint64_t offset, bool shared, bool replace);

/* Unmaps whatever is mapped in the range; holes are no error. */
nw_status mem_unmap_any(nw_engine *, uint64_t gpa, uint64_t size);

/* Moves [FROM, FROM + OLD_SIZE) to TO and makes it NEW_SIZE bytes long, as mremap does. TO may be
 * FROM (resize in place). What NEW covers beyond OLD must be free (NW_ERR_OVERLAP) and continues
 * the file or is zeroed memory. OLD must be one mapping that is no MMIO and no memory of the
 * caller's. */
nw_status mem_move(nw_engine *, uint64_t from, uint64_t old_size, uint64_t to, uint64_t new_size);

/* Host memory behind a guest buffer, for system calls: sets *HVA and gives how many contiguous
 * bytes (<= SIZE) from GPA on the guest may access with all of NEED (NW_READ, NW_WRITE); 0 when
 * not even the first. With NW_WRITE the translated code in the span is forgotten, so that the
 * caller may write there. Stays valid until the range is unmapped, protected or executed. */
size_t mem_host_span(nw_engine *, uint64_t gpa, size_t size, uint32_t need, void **hva);

/* Forgets the translations of guest code in the page-aligned range: its bytes have changed behind
 * the engine's back (through another mapping of the same file, by the host). */
void mem_forget_code(nw_engine *, uint64_t gpa, uint64_t size);

/* The highest free range of SIZE bytes in [LO, HI), ALIGN-aligned. False when there is none. */
bool mem_find_free(nw_engine *, uint64_t size, uint64_t lo, uint64_t hi, uint64_t align,
                   uint64_t *gpa);
/* True when nothing is mapped in the range. */
bool mem_is_free(nw_engine *, uint64_t gpa, uint64_t size);

/* One mapping, as /proc/self/maps shows it. */
struct mem_info {
    uint64_t gpa, size;
    uint32_t perms;
    bool file, shared;
    uint64_t offset; /* in the file */
};
/* The first mapping that ends after GPA; false when there is none. Neighbours that differ in
 * nothing may or may not be one. */
bool mem_next_region(nw_engine *, uint64_t gpa, struct mem_info *out);

#endif
