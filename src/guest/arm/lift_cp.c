/* Coprocessor moves, ARM DDI 0406C A8.8.98 ff.: CP15 and CP14, the other coprocessors are undefined
 * (VFP has rows of its own). */
#include "guest/arm/cp15.h"
#include "guest/arm/lift.h"

static uint64_t cp15_write(struct nw_vcpu *vcpu, uint64_t index, uint64_t value, uint64_t unused1,
                           uint64_t unused2)
{
    (void)unused1, (void)unused2;
    arm_cp15_write(vcpu, arm_cp15_reg((unsigned)index), value, false, false);
    return 0;
}

static uint64_t cp15_read(struct nw_vcpu *vcpu, uint64_t index, uint64_t unused0, uint64_t unused1,
                          uint64_t unused2)
{
    (void)unused0, (void)unused1, (void)unused2;
    return arm_cp15_read(vcpu, arm_cp15_reg((unsigned)index), false);
}

/* May User mode see the counter? */
static uint64_t check_counter(struct nw_vcpu *vcpu, uint64_t index, uint64_t unused0,
                              uint64_t unused1, uint64_t unused2)
{
    (void)unused0, (void)unused1, (void)unused2;
    if (!arm_cp15_counter_open(arm_of(vcpu), arm_cp15_reg((unsigned)index)))
        vcpu_raise(vcpu, EXC_UNDEFINED, 0);
    return 0;
}

/* The register of the instruction, null: undefined. */
static const struct arm_cp15_reg *find(struct arm_lift *l, const struct arm_insn *i, bool wide,
                                       bool write)
{
    const struct arm_cp15_reg *reg;
    unsigned need = write ? (l->priv ? ARM_CP15_PW : ARM_CP15_UW)
                          : (l->priv ? ARM_CP15_PR : ARM_CP15_UR | ARM_CP15_COUNTER);

    if (i->cp != 15 && i->cp != 14)
        return NULL;
    if (wide)
        reg = arm_cp15_find(l->features, i->cp == 14 ? ARM_CP14_WIDE : ARM_CP15_WIDE, i->opc1, i->m,
                            0);
    else
        reg = arm_cp15_find(l->features, i->n + (i->cp == 14 ? ARM_CP14 : 0u), i->opc1, i->m,
                            i->opc2);
    return reg && reg->access & need ? reg : NULL;
}

static void write_by_helper(struct arm_lift *l, const struct arm_cp15_reg *reg, ir_val v)
{
    static const struct ir_helper helper = {"cp15_write", cp15_write, IR_H_READS | IR_H_WRITES,
                                            IR_VOID, 2};

    arm_call(l, &helper, arm_const(l, arm_cp15_index(reg)), v, IR_NONE, IR_NONE);
    arm_leave_state(l);
}

static ir_val read_by_helper(struct arm_lift *l, const struct arm_cp15_reg *reg, enum ir_type t)
{
    static const struct ir_helper word = {"cp15_read", cp15_read, IR_H_READS, IR_I32, 1},
                                  wide = {"cp15_read", cp15_read, IR_H_READS, IR_I64, 1};

    return arm_call(l, t == IR_I64 ? &wide : &word, arm_const(l, arm_cp15_index(reg)), IR_NONE,
                    IR_NONE, IR_NONE);
}

static void check_user(struct arm_lift *l, const struct arm_cp15_reg *reg)
{
    static const struct ir_helper helper = {"check_counter", check_counter, IR_H_READS | IR_H_EXITS,
                                            IR_VOID, 1};

    if (!l->priv && reg->access & ARM_CP15_COUNTER)
        arm_call(l, &helper, arm_const(l, arm_cp15_index(reg)), IR_NONE, IR_NONE, IR_NONE);
}

/* MCR: A8.8.98 */
void arm_mcr(struct arm_lift *l, const struct arm_insn *i)
{
    const struct arm_cp15_reg *reg = find(l, i, false, true);

    if (!reg) {
        arm_undefined(l);
        return;
    }
    if (arm_bad_reg(l, i->t)) { /* A8.8.98: UNPREDICTABLE */
        arm_unpredictable(l);
        return;
    }
    check_user(l, reg);
    switch (reg->kind) {
    case ARM_CP15_WORD:
        if (reg->mask == UINT32_MAX)
            arm_state_put(l, reg->offset, arm_reg_get(l, i->t));
        else
            write_by_helper(l, reg, arm_reg_get(l, i->t));
        break;
    case ARM_CP15_BARRIER: ir_fence(l->b); break;
    case ARM_CP15_ISB: arm_leave_state(l); break;
    case ARM_CP15_WAIT: arm_exception(l, EXC_HALT, 0, true); break;
    case ARM_CP15_NOTHING:
    case ARM_CP15_ID:
    case ARM_CP15_CONST: break;
    default: write_by_helper(l, reg, arm_reg_get(l, i->t)); break;
    }
}

/* MRC: A8.8.107. Into r15 the top bits go to the flags. */
void arm_mrc(struct arm_lift *l, const struct arm_insn *i)
{
    const struct arm_cp15_reg *reg = find(l, i, false, false);
    ir_val v;

    if (!reg) {
        arm_undefined(l);
        return;
    }
    if (i->t == 13 && l->thumb) { /* A8.8.107: UNPREDICTABLE */
        arm_unpredictable(l);
        return;
    }
    check_user(l, reg);
    switch (reg->kind) {
    case ARM_CP15_WORD:
    case ARM_CP15_SET:
    case ARM_CP15_CLEAR:
    case ARM_CP15_CONTROL:
    case ARM_CP15_TABLES:
    case ARM_CP15_SPACE: v = arm_state_get(l, reg->offset); break;
    case ARM_CP15_CONST: v = arm_const(l, reg->value); break;
    case ARM_CP15_NOTHING: return;
    default: v = read_by_helper(l, reg, IR_I32); break;
    }
    if (i->t == 15)
        arm_flags_put(l, ir_shr(l->b, IR_I32, v, arm_const(l, 28)));
    else
        arm_reg_put(l, i->t, v);
}

/* MCRR: A8.8.99 */
void arm_mcrr(struct arm_lift *l, const struct arm_insn *i)
{
    const struct arm_cp15_reg *reg = find(l, i, true, true);
    struct ir_builder *b = l->b;
    ir_val low, high;

    if (!reg) {
        arm_undefined(l);
        return;
    }
    if (arm_bad_reg(l, i->t) || arm_bad_reg(l, i->t2)) { /* UNPREDICTABLE */
        arm_unpredictable(l);
        return;
    }
    if (reg->kind == ARM_CP15_NOTHING)
        return;
    low = ir_zext(b, IR_I64, arm_reg_get(l, i->t));
    high = ir_zext(b, IR_I64, arm_reg_get(l, i->t2));
    write_by_helper(l, reg, ir_or(b, IR_I64, low, ir_shl(b, IR_I64, high, arm_const(l, 32))));
}

/* MRRC: A8.8.108 */
void arm_mrrc(struct arm_lift *l, const struct arm_insn *i)
{
    const struct arm_cp15_reg *reg = find(l, i, true, false);
    struct ir_builder *b = l->b;
    ir_val v;

    if (!reg) {
        arm_undefined(l);
        return;
    }
    if (arm_bad_reg(l, i->t) || arm_bad_reg(l, i->t2) || i->t == i->t2) { /* UNPREDICTABLE */
        arm_unpredictable(l);
        return;
    }
    check_user(l, reg);
    if (reg->kind == ARM_CP15_NOTHING)
        return;
    v = read_by_helper(l, reg, IR_I64);
    arm_reg_put(l, i->t, ir_trunc(b, IR_I32, v));
    arm_reg_put(l, i->t2, ir_trunc(b, IR_I32, ir_shr(b, IR_I64, v, arm_const(l, 32))));
}
