/* Branches, ARM DDI 0406C A8.8. */
#include "guest/arm/lift_m.h"

/* B: A8.8.18 */
void arm_b(struct arm_lift *l, const struct arm_insn *i)
{
    arm_branch_to(l, arm_pc_value(l) + i->imm);
}

static void link(struct arm_lift *l)
{
    arm_reg_put(l, 14, arm_const(l, arm_next_pc(l) | l->thumb));
}

/* BL: A8.8.25 */
void arm_bl(struct arm_lift *l, const struct arm_insn *i)
{
    link(l);
    arm_branch_to(l, arm_pc_value(l) + i->imm);
}

/* BLX (immediate): A8.8.25; from Thumb the target is relative to the word-aligned pc. */
void arm_blx_imm(struct arm_lift *l, const struct arm_insn *i)
{
    link(l);
    arm_branch_exchange_to(l, (arm_pc_value(l) & ~3u) + i->imm, !l->thumb);
}

/* BLX (register): A8.8.26 */
void arm_blx_reg(struct arm_lift *l, const struct arm_insn *i)
{
    ir_val target = arm_reg_get(l, i->m);

    if (i->m == 15) { /* A8.8.26: UNPREDICTABLE */
        arm_unpredictable(l);
        return;
    }
    link(l);
    arm_bx_write_pc(l, target);
}

/* BX: A8.8.27 */
void arm_bx(struct arm_lift *l, const struct arm_insn *i)
{
    if (arm_has(l, ARM_F_M))
        arm_m_return_write_pc(l, arm_reg_get(l, i->m));
    else
        arm_bx_write_pc(l, arm_reg_get(l, i->m));
}

/* BXJ: A8.8.28; without Jazelle it is BX. */
void arm_bxj(struct arm_lift *l, const struct arm_insn *i)
{
    if (arm_bad_reg(l, i->m)) { /* A8.8.28: UNPREDICTABLE */
        arm_unpredictable(l);
        return;
    }
    arm_bx_write_pc(l, arm_reg_get(l, i->m));
}
