/* Coprocessor moves, ARM DDI 0406C A8.8.98 ff.: CP15 only, the other coprocessors are undefined
 * (VFP has rows of its own). */
#include "guest/arm/cp15.h"
#include "guest/arm/lift.h"

static uint64_t cp15_write(struct nw_vcpu *vcpu, uint64_t index, uint64_t value, uint64_t unused1,
                           uint64_t unused2)
{
    (void)unused1, (void)unused2;
    arm_cp15_write(arm_of(vcpu), (unsigned)index, (uint32_t)value);
    return 0;
}

static const struct arm_cp15_reg *find(struct arm_lift *l, const struct arm_insn *i)
{
    const struct arm_cp15_reg *reg = NULL;

    if (i->cp == 15)
        reg = arm_cp15_find(l->features, i->n, i->opc1, i->m, i->opc2);
    return reg;
}

/* MCR: A8.8.98 */
void arm_mcr(struct arm_lift *l, const struct arm_insn *i)
{
    static const struct ir_helper helper = {"cp15_write", cp15_write, IR_H_READS | IR_H_WRITES,
                                            IR_VOID, 2};
    const struct arm_cp15_reg *reg = find(l, i);

    if (!reg || !(reg->access & (l->priv ? ARM_CP15_PW : ARM_CP15_UW))) {
        arm_undefined(l);
        return;
    }
    if (arm_bad_reg(l, i->t)) { /* A8.8.98: UNPREDICTABLE */
        arm_unpredictable(l);
        return;
    }
    switch (reg->kind) {
    case ARM_CP15_PLAIN: arm_state_put(l, reg->offset, arm_reg_get(l, i->t)); break;
    case ARM_CP15_CONTROL:
        arm_call(l, &helper, arm_const(l, arm_cp15_index(reg)), arm_reg_get(l, i->t), IR_NONE,
                 IR_NONE);
        arm_leave_state(l);
        break;
    case ARM_CP15_BARRIER: ir_fence(l->b); break;
    case ARM_CP15_ISB: arm_leave_state(l); break;
    case ARM_CP15_WAIT: arm_exception(l, EXC_HALT, 0, true); break;
    case ARM_CP15_NOTHING:
    case ARM_CP15_CONST: break;
    }
}

/* MRC: A8.8.107. Into r15 the top bits go to the flags. */
void arm_mrc(struct arm_lift *l, const struct arm_insn *i)
{
    const struct arm_cp15_reg *reg = find(l, i);
    ir_val v;

    if (!reg || !(reg->access & (l->priv ? ARM_CP15_PR : ARM_CP15_UR))) {
        arm_undefined(l);
        return;
    }
    if (i->t == 13 && l->thumb) { /* A8.8.107: UNPREDICTABLE */
        arm_unpredictable(l);
        return;
    }
    v = reg->kind == ARM_CP15_PLAIN || reg->kind == ARM_CP15_CONTROL ? arm_state_get(l, reg->offset)
                                                                     : arm_const(l, reg->value);
    if (i->t == 15)
        arm_flags_put(l, ir_shr(l->b, IR_I32, v, arm_const(l, 28)));
    else
        arm_reg_put(l, i->t, v);
}

/* No 64-bit CP15 register is there (they come with the generic timer and long descriptors). On
 * older CPUs MCRR to CP15 c5..c7, c12 and c14 are cache range operations (DDI 0301H 3.2.22). */
void arm_mcrr(struct arm_lift *l, const struct arm_insn *i)
{
    (void)i;
    arm_undefined(l);
}

void arm_mrrc(struct arm_lift *l, const struct arm_insn *i)
{
    (void)i;
    arm_undefined(l);
}
