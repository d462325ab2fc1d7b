/* Random blocks: straight-line code with forward branches, in which most accesses reach the data.
 */
#ifndef TESTS_DIFF_X86_SEQ_H
#define TESTS_DIFF_X86_SEQ_H

#include "x86_gen.h"

#define SEQ_MAX  12
#define SEQ_SIZE 224 /* bytes of a block at most */

struct seq {
    struct gen_insn insn[SEQ_MAX];
    unsigned n, size;
};

/* A block at ADDR; CORE are the buckets that half of the instructions are of. */
void seq_build(struct gen *, const unsigned *core, unsigned ncore, uint64_t addr, struct seq *out);
void seq_fit(struct gen *, const struct seq *, struct case_state *, uint8_t *data);
/* Is the bucket one of the integer instructions that programs mostly are? */
bool seq_is_core(const struct forms *, const struct bucket *);

#endif
