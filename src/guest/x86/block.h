/* Guest memory in blocks, for helpers that move more than one access does. */
#ifndef GUEST_X86_BLOCK_H
#define GUEST_X86_BLOCK_H

#include "guest/x86/state.h"

/* MEMOP: how the first element would be accessed. False: a fault has been recorded, as in mem/mem.h:
 * that of the first element, else that of the last byte. A block has at most a page. */
bool x86_block_load(struct nw_vcpu *, uint64_t addr, void *to, unsigned size, uint32_t memop);

/* Could it be accessed? With IR_MEM_RMW: written. */
bool x86_block_probe(struct nw_vcpu *, uint64_t addr, unsigned size, uint32_t memop);

/* Parts of a block: SIZE bytes from OFFSET on. */
struct x86_part {
    uint16_t offset, size;
};
/* Stores the parts of what is at FROM to their places from ADDR on, all or nothing. */
bool x86_block_store(struct nw_vcpu *, uint64_t addr, const void *from, const struct x86_part *,
                     unsigned nparts, uint32_t memop);

#endif
