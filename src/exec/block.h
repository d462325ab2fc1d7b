/* Translated blocks: the cache, the links between them, and forgetting them. */
#ifndef EXEC_BLOCK_H
#define EXEC_BLOCK_H

#include "host/host.h"

struct hook_site;

/* An ordinary block, or one that counts its instructions in vcpu->insn_count, is never linked, and
 * has at most 1 << (variant - 1) of them: what a run with an instruction limit is made of. */
#define BLOCK_PLAIN 0
#define BLOCK_MAX_INSNS_LOG2 6
#define BLOCK_MAX_INSNS (1u << BLOCK_MAX_INSNS_LOG2)

struct block {
    struct block_key key;
    uint8_t variant;        /* BLOCK_PLAIN or see above */
    uint32_t size;          /* guest bytes from key.pc */
    bool crosses;           /* it ends in the page after key.pc's */
    uint64_t page[2];       /* guest physical pages that it lies in */
    uint32_t ninsns;
    uint32_t code;          /* offset in the code buffer; 0 in an interpreting engine */
    uint32_t code_size;
    struct ir_region *region; /* kept in an interpreting engine only */
    struct host_exit *exits;
    uint32_t nexits;
    struct host_site *sites;
    uint32_t nsites;
    uint8_t *site_hits;     /* host faults at each site, until it is demoted */
    struct hook_site *hooks; /* what is called before its instructions */
    bool dead;              /* invalidated; freed at the next quiescent flush */
    struct host_exit *incoming; /* exits linked to this block */
    struct block *_Atomic hash_next;
    struct block *page_next[2]; /* lists of the one or two physical pages it covers */
};

#endif
