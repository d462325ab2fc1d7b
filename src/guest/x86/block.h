/* Guest memory in blocks, for helpers that move more than one access does. */
#ifndef GUEST_X86_BLOCK_H
#define GUEST_X86_BLOCK_H

#include "guest/x86/state.h"

/* MEMOP: how a byte would be accessed. False: a fault has been recorded, as in mem/mem.h. */
bool x86_block_load(struct nw_vcpu *, uint64_t addr, void *to, unsigned size, uint32_t memop);

/* Parts of a block: SIZE bytes from OFFSET on. */
struct x86_part {
    uint16_t offset, size;
};
/* Stores the parts of what is at FROM to their places from ADDR on, all or nothing. */
bool x86_block_store(struct nw_vcpu *, uint64_t addr, const void *from, const struct x86_part *,
                     unsigned nparts, uint32_t memop);

#endif
