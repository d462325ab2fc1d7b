/* Random instructions, and states in which their operands reach the data. */
#ifndef TESTS_DIFF_X86_GEN_H
#define TESTS_DIFF_X86_GEN_H

#include "rng.h"
#include "x86_forms.h"

#define GEN_MAX 16 /* bytes of an instruction */

struct gen_insn {
    uint8_t bytes[GEN_MAX];
    uint64_t addr;
    uint64_t near; /* code that only has breakpoints, 8 bytes of it: where branches go */
    ZydisDecodedInstruction z;
    ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
};

struct gen {
    struct rng r;
    const struct forms *forms;
};

/* An instruction of the bucket at OUT->addr; false: none found. */
bool gen_encode(struct gen *, const struct bucket *, struct gen_insn *out);
/* Registers and data such that INSN mostly works; STATE and DATA are random before. */
void gen_fit(struct gen *, const struct gen_insn *, struct case_state *, uint8_t *data);
/* XSAVE and the like, whose EDX:EAX must not select what only the host has. */
bool gen_has_mask(ZydisMnemonic);
/* FXSAVE stores which bits of MXCSR the host has. */
bool gen_stores_model(ZydisMnemonic);
/* Base of a segment in STATE, or 0. */
uint64_t gen_seg_base(unsigned bits, ZydisRegister seg);

#endif
