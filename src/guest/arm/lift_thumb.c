/* Instructions that only Thumb has. */
#include "guest/arm/lift.h"

/* IT: A8.8.54. The lift loop conditions what follows on the new state. */
void arm_it(struct arm_lift *l, const struct arm_insn *i)
{
    if (i->n == 15 || (i->n == 14 && i->mask & (i->mask - 1))) { /* A8.8.54: UNPREDICTABLE */
        arm_unpredictable(l);
        return;
    }
    l->it_next = (uint8_t)(i->n << 4 | i->mask);
}

/* CBZ, CBNZ: A8.8.29 */
void arm_cbz(struct arm_lift *l, const struct arm_insn *i)
{
    ir_val truth =
        ir_cmp(l->b, i->op ? IR_NE : IR_EQ, IR_I32, arm_reg_get(l, i->n), arm_const(l, 0));

    arm_branch_if(l, truth, arm_pc_value(l) + i->imm);
}

/* ADR: A8.8.12 */
void arm_adr(struct arm_lift *l, const struct arm_insn *i)
{
    uint32_t pc = arm_pc_value(l) & ~3u;

    arm_reg_put(l, i->d, arm_const(l, i->U ? pc + i->imm : pc - i->imm));
}

static void table_branch(struct arm_lift *l, const struct arm_insn *i, unsigned size)
{
    ir_val index = ir_shl(l->b, IR_I32, arm_reg_get(l, i->m), arm_const(l, size));
    ir_val entry = arm_load(l, ir_add(l->b, IR_I32, arm_reg_get(l, i->n), index), size, 0);
    ir_val offset = ir_shl(l->b, IR_I32, entry, arm_const(l, 1));

    arm_branch_write_pc(l, ir_add(l->b, IR_I32, offset, arm_const(l, arm_pc_value(l))));
}

/* TBB, TBH: A8.8.237 */
void arm_tbb(struct arm_lift *l, const struct arm_insn *i)
{
    table_branch(l, i, 0);
}

void arm_tbh(struct arm_lift *l, const struct arm_insn *i)
{
    table_branch(l, i, 1);
}

/* BL and BLX as two instructions: DDI 0100I A7.1.17. Where they stand together, the builder
 * forwards the constant in lr and the target is known. */
void arm_bl_prefix(struct arm_lift *l, const struct arm_insn *i)
{
    arm_reg_put(l, 14, arm_const(l, arm_pc_value(l) + (i->imm << 11)));
}

static ir_val suffix_target(struct arm_lift *l, const struct arm_insn *i)
{
    ir_val target = ir_add(l->b, IR_I32, arm_reg_get(l, 14), arm_const(l, i->imm));

    arm_reg_put(l, 14, arm_const(l, arm_next_pc(l) | 1));
    return target;
}

void arm_bl_suffix(struct arm_lift *l, const struct arm_insn *i)
{
    arm_branch_write_pc(l, suffix_target(l, i));
}

void arm_blx_suffix(struct arm_lift *l, const struct arm_insn *i)
{
    if (i->imm & 2) { /* DDI 0100I A7.1.17: bit 0 of the halfword must be clear */
        arm_undefined(l);
        return;
    }
    arm_bx_write_pc(l, ir_and(l->b, IR_I32, suffix_target(l, i), arm_const(l, ~3u)));
}
