/* Many elements at once for guests with string instructions.
 *
 * The calls do what a loop over elements of ELEM bytes would as far as plain memory within reach
 * allows, and give the number of bytes done, a multiple of ELEM that may be 0: the next element is
 * then to be accessed on its own (mem.h), which finds out why. No fault is recorded here. With DOWN
 * the loop goes to lower addresses; GVA is that of the first element all the same. */
#ifndef MEM_BULK_H
#define MEM_BULK_H

#include "exec/vcpu.h"

#define BULK_MAX 65536u /* bytes per call */

/* MEMOP: of one element; SIZE: a multiple of its size. Overlapping ranges are copied element by
 * element, so that a range may be filled with copies of its beginning. */
uint64_t mem_bulk_copy(struct nw_vcpu *, uint64_t dst, uint64_t src, uint64_t size, uint32_t memop,
                       bool down);
uint64_t mem_bulk_fill(struct nw_vcpu *, uint64_t gva, uint64_t value, uint64_t size,
                       uint32_t memop, bool down);
/* Ascending only. */
uint64_t mem_bulk_read(struct nw_vcpu *, uint64_t gva, void *buf, uint64_t size, uint32_t memop);

#endif
