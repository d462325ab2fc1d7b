/* The memory calls behind <narwhal/narwhal.h>; arguments are checked by space_check. */
#ifndef EXEC_MEMORY_H
#define EXEC_MEMORY_H

#include "mem/core.h"

extern const struct mem_client engine_mem_client;

/* HOLES: unmapped parts are no error. */
nw_status engine_unmap(struct nw_engine *, uint64_t gpa, uint64_t size, bool holes);
nw_status engine_protect(struct nw_engine *, uint64_t gpa, uint64_t size, uint32_t perms);
nw_status engine_write(struct nw_engine *, uint64_t gpa, const void *buf, size_t size);

#endif
