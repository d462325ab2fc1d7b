/* A small instruction set for testing the engine's mechanisms: sixteen 32-bit registers, as many
 * vectors of 32 bytes, 4-byte instructions `op:8 a:4 b:4 imm:16`, branches relative to their own address in instructions.
 *
 * Exceptions enter at TOY_VECTOR, interrupts (line 0, when enabled) at TOY_IRQ_VECTOR; both save
 * the pc in epc, the cause in cause, and disable interrupts. */
#ifndef TOY_GUEST_H
#define TOY_GUEST_H

#include "guest/guest.h"

struct toy_state {
    uint32_t r[16];
    uint32_t pc;
    uint32_t insn; /* the aux word: the running instruction's number in its block */
    uint32_t irq_enabled, epc, cause;
    _Alignas(32) uint8_t v[16][32];
};

enum toy_reg { TOY_PC = 16, TOY_IRQ_ENABLED, TOY_EPC, TOY_CAUSE };

#define TOY_VECTOR     0x20
#define TOY_IRQ_VECTOR 0x40

enum toy_op {
    TOY_UNDEFINED,
    TOY_LI,   /* a = sign-extended imm */
    TOY_LUI,  /* a = a's low half | imm << 16 */
    TOY_ADDI, /* a = b + sign-extended imm */
    TOY_ADD,  /* a = b + r[imm] */
    TOY_SUB,  /* a = b - r[imm] */
    TOY_XOR,  /* a = b ^ r[imm] */
    TOY_LD,   /* a = [b + imm] */
    TOY_LDA,  /* … aligned or a fault */
    TOY_LDH,  /* … sign-extended halfword */
    TOY_LDB,  /* … byte */
    TOY_LDBE, /* … big-endian word */
    TOY_LDQ,  /* a, a+1 = [b + imm], 64 bits */
    TOY_ST,
    TOY_STH,
    TOY_STB,
    TOY_STBE,
    TOY_STQ,
    TOY_CAS, /* old = [b]; if old == a then [b] = r[imm]; a = old */
    TOY_BEQ, /* if a == b go to pc + 4 * imm */
    TOY_BNE,
    TOY_J,   /* go to pc + 4 * imm */
    TOY_JAL, /* a = pc + 4; go to pc + 4 * imm */
    TOY_JR,  /* go to a */
    TOY_SYS, /* system call imm */
    TOY_BRK, /* breakpoint imm */
    TOY_HLT,
    TOY_EI, /* interrupts on */
    TOY_DI,
    TOY_ERET, /* go to epc, interrupts on */
    TOY_FDIV, /* a = b / r[imm], single precision */
    TOY_LDX,  /* the low 16 bytes of v[a] = [b + imm] */
    TOY_LDY,  /* v[a] = [b + imm], 32 bytes */
    TOY_LDYA, /* … aligned or a fault */
    TOY_STX,
    TOY_STY,
    TOY_STYA,
    TOY_ADDY, /* v[a] = v[b] + v[imm], 8 sums of 32 bits */
    TOY_OPS
};

#define TOY(op, a, b, imm)                                                                         \
    ((uint32_t)TOY_##op << 24 | (uint32_t)(a) << 20 | (uint32_t)(b) << 16 |                        \
     ((uint32_t)(imm)&0xffff))

extern const struct guest_ops toy_guest;

#endif
