/* The memory calls behind <narwhal/narwhal.h>; arguments are checked by space_check. */
#ifndef EXEC_MEMORY_H
#define EXEC_MEMORY_H

#include "mem/core.h"

extern const struct mem_client engine_mem_client;

nw_status engine_map_ptr(struct nw_engine *, uint64_t gpa, uint64_t size, uint32_t perms,
                         void *host);
/* HOLES: unmapped parts are no error. */
nw_status engine_unmap(struct nw_engine *, uint64_t gpa, uint64_t size, bool holes);
nw_status engine_protect(struct nw_engine *, uint64_t gpa, uint64_t size, uint32_t perms);
/* From now on every access goes through the TLB, which tells pages apart: for hooks of accesses,
 * memory of the caller's, snapshots and guests that turn their MMU on. For good; no lock held. */
nw_status engine_leave_arena(struct nw_engine *);
/* Many stores went to pages that hold code and had to be opened for them: too many for an arena? */
void engine_mind_stores(struct nw_engine *);
/* To be called before the map changes there: does so for parts of pages, and when an engine with
 * NW_EXC_BARE has many mappings. */
nw_status engine_before_map(struct nw_engine *, uint64_t gpa, uint64_t size);
/* Addresses of all vCPUs are virtual from now on (mem/mmu.h). From a helper, whose block ends. */
nw_status engine_enable_mmu(struct nw_engine *);
/* Forgets the translations of all vCPUs. From a helper, whose block ends. */
void engine_flush_mmus(struct nw_engine *);
nw_status engine_write(struct nw_engine *, uint64_t gpa, const void *buf, size_t size);

#endif
