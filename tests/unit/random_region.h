/* Random regions for tests of the IR and of the host back end: appended record by record, and the
 * same again through the folding builder. */
#ifndef TESTS_UNIT_RANDOM_REGION_H
#define TESTS_UNIT_RANDOM_REGION_H

#include "ir/build.h"

#define MAX_STEPS  160
#define MAX_LABELS 8
#define SLOTS_END  64 /* gets and puts stay below this offset */

struct gen {
    uint64_t seed;
    bool vectors; /* with vector operations */
    bool wide;   /* a guest with 64-bit addresses */
    bool memops; /* alignment checks, big-endian data, floats and distances in memory operations */
    bool x86;    /* floating point of x86 too */
    struct ir_region raw;
    ir_val result[MAX_STEPS * 4]; /* beside raw.insns: the sum of a flags record */
    bool hidden[MAX_STEPS * 4];
    uint32_t first_skip[MAX_LABELS];
    bool placed[MAX_LABELS];
};

uint64_t rnd(struct gen *);
/* Less than N. */
unsigned below(struct gen *, unsigned n);
/* Corner cases, or any 64 bits. */
uint64_t interesting(struct gen *);
/* Makes G->raw from SEED; pc and aux slots are those of ir_stub.h. */
void generate(struct gen *, uint64_t seed);
/* G->raw once more, through the builder. */
void replay(struct ir_builder *, const struct gen *, struct ir_region *out);

#endif
