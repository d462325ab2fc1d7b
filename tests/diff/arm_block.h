/* Random ARM code: a few instructions in a row up to a breakpoint, in Thumb with IT blocks among
 * them, and a state to run it from. */
#ifndef TESTS_DIFF_ARM_BLOCK_H
#define TESTS_DIFF_ARM_BLOCK_H

#include "../insn/machine.h"
#include "rng.h"

#define ARM_BLOCK_INSNS 24

struct generator {
    struct rng r;      /* seeded by the caller */
    uint32_t features; /* of the CPU */
    bool thumb;
    bool memory;       /* the block is full of memory accesses */
    unsigned pointers; /* registers that point into the data page, as a mask */
    unsigned *rows, nrows;
    unsigned *memory_rows, nmemory_rows;
    /* Of the last block, by halfword: an instruction of an IT block. */
    bool in_it[2 * ARM_BLOCK_INSNS + 8];
};

/* CPU: a model, null: the default one. False: there is none, or no memory. */
bool arm_block_open(struct generator *, const char *cpu, bool thumb);
void arm_block_close(struct generator *);
/* Writes a block at AT, of at most 4 * ARM_BLOCK_INSNS bytes; the number of instructions, the
 * breakpoint included. */
unsigned arm_block_put(struct generator *, uint8_t *at);
/* Most registers point into the data page. */
void arm_block_state(struct generator *, struct machine_state *);

#endif
