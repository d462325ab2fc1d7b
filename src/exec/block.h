/* Translated blocks: the cache, the links between them, and forgetting them. */
#ifndef EXEC_BLOCK_H
#define EXEC_BLOCK_H

#include "host/host.h"

struct hook_site;

/* What a block does about vcpu->budget, the instructions that a limited run has left. */
enum {
    BLOCK_PLAIN, /* nothing: of runs without a limit */
    /* 1 .. BLOCK_MAX_INSNS_LOG2 + 1: it has at most 1 << (variant - 1) instructions and takes those
     * that have begun off the budget, which has them. Never linked. */
    BLOCK_COUNTED = 16, /* the same, of any size: it leaves, undone, when the budget is smaller */
    /* With one of the others: its first instruction is inside a basic block, which was entered
     * before. Never linked. */
    BLOCK_INNER = 64,
};
#define BLOCK_MAX_INSNS_LOG2 6
#define BLOCK_MAX_INSNS      (1u << BLOCK_MAX_INSNS_LOG2)

/* In the mode words of the jump cache: the block there is BLOCK_COUNTED. No guest uses the bit. */
#define JUMP_COUNTED (1u << 31)

struct block {
    struct block_key key;
    uint8_t variant;  /* see above */
    uint32_t size;    /* guest bytes from key.pc */
    bool crosses;     /* it ends in the page after key.pc's */
    uint64_t page[2]; /* guest physical pages that it lies in */
    uint32_t ninsns;
    bool falls;             /* see struct ir_region */
    uint32_t code; /* offset in the code buffer; 0 in an interpreting engine */
    uint32_t code_size;
    struct ir_region *region; /* kept in an interpreting engine only */
    struct host_exit *exits;
    uint32_t nexits;
    struct host_site *sites;
    uint32_t nsites;
    uint8_t *site_hits;         /* host faults at each site, until it is demoted */
    struct hook_site *hooks;    /* what is called before its instructions */
    bool dead;                  /* invalidated; freed at the next quiescent flush */
    struct host_exit *incoming; /* exits linked to this block */
    struct block *_Atomic hash_next;
    struct block *page_next[2]; /* lists of the one or two physical pages it covers */
};

static inline bool block_may_chain(const struct block *b)
{
    return b->variant == BLOCK_PLAIN || b->variant == BLOCK_COUNTED;
}

#endif
