/* From instruction bits to named fields. The rows are in *.inc, tools/decodegen.py turns them into
 * the tables and field extractors behind arm_decode(). */
#ifndef GUEST_ARM_DECODE_H
#define GUEST_ARM_DECODE_H

#include <stdbool.h>
#include <stdint.h>

struct arm_lift;
struct arm_insn;

enum arm_set { ARM_SET_A32, ARM_SET_T16, ARM_SET_T32 };

enum arm_row_flags {
    ARM_ROW_SELECT = 1, /* under a condition: results through select, no skip */
    ARM_ROW_COND = 2,   /* has a condition field of its own */
};

/* One encoding. */
struct arm_row {
    const char *name;    /* stem: arm_<name> is its lift function */
    const char *pattern; /* as written, without spaces; one character per bit, (x) is should-be */
    void (*lift)(struct arm_lift *, const struct arm_insn *);
    uint32_t mask, value;               /* fixed bits */
    uint32_t should_mask, should_value; /* should-be bits: a different value is UNPREDICTABLE */
    uint32_t features;                  /* enum arm_feature, all needed */
    uint16_t shape;                     /* which field extractor */
    uint8_t set;                        /* enum arm_set */
    uint8_t flags;                      /* enum arm_row_flags */
};

extern const struct arm_row arm_rows[];
extern const unsigned arm_nrows;

/* The number of an instruction for hooks, the same for all rows of a mnemonic: what stands before the
 * first '_' of the stem. 0 for null. */
uint32_t arm_insn_id(const struct arm_row *);
/* That of mnemonic NAME, or 0: no row has it. */
uint32_t arm_insn_named(const char *name);

/* Shift types; RRX only after decoding. ORDER ARM_SHIFT */
enum arm_shift { ARM_LSL, ARM_LSR, ARM_ASR, ARM_ROR, ARM_RRX };

#define ARM_COND_AL 14u
/* arm_insn.S: flags are set only outside an IT block (T16); the lift loop turns it into 0 or 1. */
#define ARM_S_NOT_IT 2u

/* A decoded instruction. The comment names the letter of the field in the patterns; fields that a
 * row does not have are 0, cond is 14. */
struct arm_insn {
    const struct arm_row *row;
    uint32_t raw;       /* T32: first halfword in the high half */
    uint32_t imm;       /* i, expanded as the row's form says */
    uint16_t list;      /* l: register list */
    uint8_t size;       /* bytes: 2 or 4 */
    uint8_t cond;       /* c */
    uint8_t d;          /* d: Rd, RdHi or Vd (VFP: with the D bit) */
    uint8_t n;          /* n: Rn or Vn, CRn */
    uint8_t m;          /* m: Rm or Vm, CRm */
    uint8_t s;          /* s: Rs, shift or multiply register */
    uint8_t a;          /* a: Ra or RdLo */
    uint8_t t;          /* t: Rt */
    uint8_t t2;         /* u: Rt2 */
    uint8_t S;          /* S: set flags */
    uint8_t P, U, W;    /* P U W: index, add, write back */
    uint8_t R;          /* R: SPSR, rounding, exchange: as the row says */
    uint8_t shift_type; /* y: enum arm_shift */
    uint8_t shift_n;    /* z: amount 0..32 after forms SHIFT and SHIFT_SH */
    uint8_t rotate;     /* o: 0..3, in bytes */
    uint8_t width;      /* w: width - 1, msb or saturation position */
    uint8_t lsb;        /* b */
    uint8_t mask;       /* k: PSR field mask, IT mask, barrier option, mode */
    uint8_t x;          /* x: top half of the first operand; CPS: imod */
    uint8_t h;          /* h: top half of the second operand; odd halfword of BLX */
    uint8_t op;         /* r: a sub-operation */
    uint8_t size_bits;  /* q: VFP sz, element sizes */
    uint8_t cp;         /* p: coprocessor */
    uint8_t opc1;       /* e */
    uint8_t opc2;       /* f */
    uint8_t imm_carry;  /* carry out of a modified immediate: 0, 1 or ARM_CARRY_KEEP */
    uint8_t D, N, M;    /* D N M: VFP high or low register bits, already merged by the V forms */
    uint8_t Q;          /* Q: Advanced SIMD: quadword registers */
    bool should_be;     /* a should-be bit has the other value */
};

#define ARM_CARRY_KEEP 2u

/* Decodes RAW for a CPU with FEATURES (enum arm_feature). False: no row matches. I is filled in
 * completely either way. T16 takes the halfword, T32 hw1 << 16 | hw2. */
bool arm_decode(enum arm_set set, uint32_t raw, uint32_t features, struct arm_insn *i);

/* True when HW1 is the first half of a 32-bit Thumb instruction (ARM DDI 0406C A6.1). */
static inline bool arm_is_t32(uint16_t hw1)
{
    return (hw1 & 0xe000) == 0xe000 && (hw1 & 0x1800) != 0;
}

#endif
