/* A 64-bit guest for testing memory: sixteen 64-bit registers, 4-byte instructions
 * `op:8 a:4 b:4 imm:16`, branches relative to their own address in instructions. */
#ifndef WIDE_GUEST_H
#define WIDE_GUEST_H

#include "guest/guest.h"

struct wide_state {
    uint64_t r[16];
    uint64_t pc;
    uint32_t insn; /* the aux word: the running instruction's number in its block */
};

enum wide_reg { WIDE_PC = 16 };

enum wide_op {
    WIDE_UNDEFINED,
    WIDE_LI,   /* a = sign-extended imm */
    WIDE_ADDI, /* a = b + sign-extended imm */
    WIDE_LD1,  /* a = [b + imm], zero-extended */
    WIDE_LD2,
    WIDE_LD4,
    WIDE_LD8,
    WIDE_LDS, /* … a sign-extended word */
    WIDE_ST1,
    WIDE_ST2,
    WIDE_ST4,
    WIDE_ST8,
    WIDE_LDF,  /* a = 64 bits at [b + (imm << 16)] */
    WIDE_STF,  /* … = a */
    WIDE_LDX,  /* a = 64 bits at [b + (r[imm 3:0] << imm 5:4) + imm 15:6] */
    WIDE_STX,  /* … = a */
    WIDE_LD32, /* a = 64 bits at [the low half of b, + imm] */
    WIDE_PUSH, /* b -= 8; 64 bits at [b] = a */
    WIDE_COPY, /* 64 bits at [a] = 64 bits at [b + imm] */
    WIDE_COPYX, /* … 16 bytes, 32 bytes */
    WIDE_COPYY,
    WIDE_CAS,  /* old = 64 bits at [b]; if old == a then [b] = r[imm]; a = old */
    WIDE_RMW,  /* operation imm 6:4 of size imm 9:8 at [b] with r[imm 3:0]; a = old unless imm 12 */
    WIDE_CAS2, /* 16 bytes at [b]: if they are a, a+1, then r[imm], +1 go there; a, a+1 = old */
    WIDE_BNE,  /* if a != b go to pc + 4 * imm */
    WIDE_J,    /* go to pc + 4 * imm */
    WIDE_JR,   /* go to a */
    WIDE_SYS,  /* system call imm */
    WIDE_OPS
};

#define WIDE(op, a, b, imm)                                                                        \
    ((uint32_t)WIDE_##op << 24 | (uint32_t)(a) << 20 | (uint32_t)(b) << 16 |                       \
     ((uint32_t)(imm)&0xffff))

extern const struct guest_ops wide_guest;

#endif
