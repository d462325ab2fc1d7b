/* What the lift functions of the ARM guest share. See lift.c for the loop around them.
 *
 * A lift function emits IR for one instruction under a condition that has been opened for it:
 * either the code is skipped when the condition fails, or (rows listed in SELECT) the writes of
 * arm_reg_put and arm_flags_put and their sisters select between new and old. It never emits
 * ir_exit* itself where a named call below exists. */
#ifndef GUEST_ARM_LIFT_H
#define GUEST_ARM_LIFT_H

#include "guest/arm/decode.h"
#include "guest/arm/state.h"
#include "ir/build.h"

struct arm_lift {
    struct ir_builder *b;
    struct lift_request *req;
    const struct arm_insn *i; /* the current instruction */
    uint32_t pc;              /* its address */
    uint32_t features;        /* enum arm_feature */
    uint32_t mode;            /* mode word of the block's key without the IT state */
    bool thumb, priv;
    bool hooked;        /* something is called before the current instruction */
    uint8_t it;         /* ITSTATE of the current instruction, 0 outside IT blocks */
    uint8_t it_next;    /* … of the next one */
    bool it_slot_stale; /* the state's itstate may differ from 0 */

    bool ended; /* the block is complete: no further instruction follows */
    bool left;  /* this instruction's path has left the block */

    /* Condition of the current instruction. */
    bool select; /* writes go through select on .cond_value */
    ir_val cond_value;
    bool skip_open; /* inside skip_ifnot .. label */
    uint8_t skip_cond;
    uint32_t skip_label;
    bool flags_changed; /* since the skip was opened */
    /* The current flags when they are select(sel_cond, sel_yes, sel_no); else IR_NONE. */
    ir_val sel_flags, sel_cond, sel_yes, sel_no;
};

/* Payload of EXC_UNDEFINED: why. The public interface shows it as nw_exit.code. */
enum { ARM_UNDEFINED_ENCODING = 0, ARM_UNDEFINED_UNPREDICTABLE = 1, ARM_UNDEFINED_STATE = 2 };

#include "guest/arm/arm_lifters.h" /* made by tools/decodegen.py */

/* A lift function that is one call. */
#define ARM_LIFT(stem, call)                                                                       \
    void arm_##stem(struct arm_lift *l, const struct arm_insn *i)                                  \
    {                                                                                              \
        call;                                                                                      \
    }

/* Outcomes. Each ends the path of the current instruction. */
void arm_undefined(struct arm_lift *l);
/* Architecturally UNPREDICTABLE: executes as undefined. Say at the call which section lists it. */
void arm_unpredictable(struct arm_lift *l);
/* Exception KIND (vcpu.h) with PAYLOAD; AFTER: the pc is that of the next instruction. */
void arm_exception(struct arm_lift *l, uint32_t kind, uint32_t payload, bool after);
/* The mode word may have changed or the dispatcher must look: stores pc of the next instruction
 * and IT state and leaves. Every other put has been made. */
void arm_leave_state(struct arm_lift *l);
/* Before other ways out: the IT state is that of the next instruction. */
void arm_sync_it(struct arm_lift *l);

/* ---- registers ---- */
/* Value of register N as an operand; r15 reads as pc + 8 (A32) or pc + 4 (Thumb). */
ir_val arm_reg_get(struct arm_lift *l, unsigned n);
/* r15 word-aligned, for literal addressing. */
ir_val arm_reg_get_aligned(struct arm_lift *l, unsigned n);
/* Writes R0..R14; N = 15 is ALUWritePC (B1.3.2: interworking in A32 from v7 on). */
void arm_reg_put(struct arm_lift *l, unsigned n, ir_val v);
uint32_t arm_pc_value(const struct arm_lift *l);
uint32_t arm_next_pc(const struct arm_lift *l);

/* Any other 32-bit word of the state, written under the condition too. */
ir_val arm_state_get(struct arm_lift *l, uint32_t offset);
void arm_state_put(struct arm_lift *l, uint32_t offset, ir_val v);

/* ---- flags ---- */
ir_val arm_flags_get(struct arm_lift *l); /* the NZCV nibble */
void arm_flags_put(struct arm_lift *l, ir_val nzcv);
ir_val arm_carry(struct arm_lift *l);                    /* C as 0 or 1 */
ir_val arm_cond_test(struct arm_lift *l, unsigned cond); /* truth of condition 0..13 */
void arm_set_q(struct arm_lift *l, ir_val truth);        /* Q |= truth */

/* Calls a helper. Use this, not ir_call: it knows that the helper may store the IT state. */
ir_val arm_call(struct arm_lift *l, const struct ir_helper *, ir_val a0, ir_val a1, ir_val a2,
                ir_val a3);

/* ---- control flow; target values need not be aligned; nothing may be emitted after them ---- */
/* Branches to TARGET when TRUTH holds, goes on otherwise. Not for use under a skip. */
void arm_branch_if(struct arm_lift *l, ir_val truth, uint32_t target);
void arm_branch_to(struct arm_lift *l, uint32_t target); /* same instruction set */
void arm_branch_exchange_to(struct arm_lift *l, uint32_t target, bool thumb);
void arm_branch_write_pc(struct arm_lift *l, ir_val v); /* BranchWritePC */
void arm_bx_write_pc(struct arm_lift *l, ir_val v);     /* BXWritePC */
void arm_load_write_pc(struct arm_lift *l, ir_val v);   /* LoadWritePC */
void arm_alu_write_pc(struct arm_lift *l, ir_val v);    /* ALUWritePC */
/* CPSR = SPSR, pc = V (B9.3.20 and others). UNPREDICTABLE in User mode. */
void arm_exception_return(struct arm_lift *l, ir_val v);

/* ---- operands ---- */
static inline ir_val arm_const(struct arm_lift *l, uint32_t v)
{
    return ir_const32(l->b, v);
}
/* Shift by a constant as decoded (TYPE, N 0..32, RRX). *CARRY (may be null) gets the carry out as
 * 0/1, or IR_NONE when the old carry stays. */
ir_val arm_shift_imm(struct arm_lift *l, ir_val v, unsigned type, unsigned n, ir_val *carry);
/* Shift by the bottom byte of AMOUNT (A8.4.3); the carry out is never IR_NONE. */
ir_val arm_shift_reg(struct arm_lift *l, ir_val v, unsigned type, ir_val amount, ir_val *carry);
/* Constant carry of a modified immediate as arm_shift_imm gives it. */
ir_val arm_imm_carry(struct arm_lift *l);
/* Rm shifted as the SHIFT form decoded it. */
ir_val arm_shifted_m(struct arm_lift *l, ir_val *carry);

/* ---- memory: SIZE is log2 of the bytes ---- */
enum arm_access_flags {
    ARM_SIGNED = 1,  /* sign-extend */
    ARM_ALIGNED = 2, /* faults when not aligned to its size (v6+); before v6 aligned down */
    ARM_USER = 4,    /* as unprivileged (LDRT) */
    ARM_AGAIN = 8,   /* a later access of an instruction that has stored */
};
uint16_t arm_memop(struct arm_lift *l, unsigned size, unsigned flags);
/* I32 values; 64-bit data is moved by the callers with two words. */
ir_val arm_load(struct arm_lift *l, ir_val addr, unsigned size, unsigned flags);
void arm_store(struct arm_lift *l, ir_val addr, ir_val v, unsigned size, unsigned flags);
/* Where the guest's address is in word-invariant memory: ARM_KEY_BE32. */
ir_val arm_place(struct arm_lift *l, ir_val addr, unsigned size);
/* A word as LDR loads it: before v6 an unaligned one is rotated (DDI 0100I A2.8). */
ir_val arm_load_word(struct arm_lift *l, ir_val addr, unsigned flags);
/* base + (U ? offset : -offset) */
ir_val arm_offset(struct arm_lift *l, ir_val base, bool up, ir_val offset);

static inline bool arm_has(const struct arm_lift *l, uint32_t features)
{
    return (l->features & features) == features;
}
/* Thumb forbids SP and PC in most places (BadReg); in A32 only PC is. */
static inline bool arm_bad_reg(const struct arm_lift *l, unsigned n)
{
    return n == 15 || (l->thumb && n == 13);
}

#endif
