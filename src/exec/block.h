/* Translated blocks: the cache, the links between them, and forgetting them. */
#ifndef EXEC_BLOCK_H
#define EXEC_BLOCK_H

#include "host/host.h"

struct block {
    struct block_key key;
    uint32_t size;          /* guest bytes from key.pc */
    uint32_t ninsns;
    uint32_t code;          /* offset in the code buffer; 0 in an interpreting engine */
    uint32_t code_size;
    struct ir_region *region; /* kept in an interpreting engine only */
    struct host_exit *exits;
    uint32_t nexits;
    struct host_site *sites;
    uint32_t nsites;
    bool dead;              /* invalidated; freed at the next quiescent flush */
    struct host_exit *incoming; /* exits linked to this block */
    struct block *hash_next;
    struct block *page_next[2]; /* lists of the one or two pages it covers */
};

#endif
