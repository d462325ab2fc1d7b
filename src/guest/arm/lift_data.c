/* Data processing, ARM DDI 0406C A5.2.1 to A5.2.3 and A8.8: one body per operation, three operand
 * forms each (immediate, shifted register, register-shifted register). */
#include <narwhal/hook.h>
#include "guest/arm/lift.h"

struct operand2 {
    ir_val value;
    ir_val carry; /* shifter carry out, IR_NONE: the old carry stays; only with S */
};

enum form { FORM_IMM, FORM_REG, FORM_RSR };

/* The second operand. False after arm_unpredictable(). */
static bool operand2(struct arm_lift *l, const struct arm_insn *i, enum form form,
                     struct operand2 *out)
{
    ir_val *carry = i->S ? &out->carry : NULL;

    out->carry = IR_NONE;
    switch (form) {
    case FORM_IMM:
        out->value = arm_const(l, i->imm);
        out->carry = arm_imm_carry(l);
        break;
    case FORM_REG: out->value = arm_shifted_m(l, carry); break;
    case FORM_RSR:
        if (i->d == 15 || i->n == 15 || i->m == 15 || i->s == 15) { /* A5.2.2, "if 15 in ..." */
            arm_unpredictable(l);
            return false;
        }
        out->value =
            arm_shift_reg(l, arm_reg_get(l, i->m), i->shift_type, arm_reg_get(l, i->s), carry);
        break;
    }
    return true;
}

/* Writes the result; with S and Rd = pc this is an exception return (B9.3.20). True when FLAGS are
 * to be put: the caller makes them only then. */
static bool finish(struct arm_lift *l, const struct arm_insn *i, ir_val result)
{
    if (i->d != 15) {
        arm_reg_put(l, i->d, result);
        return i->S;
    }
    if (i->S)
        arm_exception_return(l, result);
    else
        arm_alu_write_pc(l, result);
    return false;
}

static void put_logic_flags(struct arm_lift *l, ir_val result, ir_val carry)
{
    arm_flags_put(l, ir_nzcv_logic(l->b, IR_I32, result, carry, arm_flags_get(l)));
}

static void logic(struct arm_lift *l, const struct arm_insn *i, enum ir_op op, enum form form)
{
    struct operand2 m;

    if (!operand2(l, i, form, &m))
        return;
    ir_val result = ir_op2(l->b, op, IR_I32, arm_reg_get(l, i->n), m.value, 0);
    if (finish(l, i, result))
        put_logic_flags(l, result, m.carry);
}

/* ORN, Thumb only */
static void or_not(struct arm_lift *l, const struct arm_insn *i, enum form form)
{
    struct operand2 m;

    if (!operand2(l, i, form, &m))
        return;
    ir_val result = ir_or(l->b, IR_I32, arm_reg_get(l, i->n), ir_not(l->b, IR_I32, m.value));
    if (finish(l, i, result))
        put_logic_flags(l, result, m.carry);
}

static void move(struct arm_lift *l, const struct arm_insn *i, bool invert, enum form form)
{
    struct operand2 m;

    if (!operand2(l, i, form, &m))
        return;
    if (invert)
        m.value = ir_not(l->b, IR_I32, m.value);
    if (finish(l, i, m.value))
        put_logic_flags(l, m.value, m.carry);
}

/* a + b + carry; CARRY is IR_NONE for none. */
static void add(struct arm_lift *l, const struct arm_insn *i, ir_val a, ir_val b, ir_val carry)
{
    ir_val result = ir_add(l->b, IR_I32, a, b);

    if (carry != IR_NONE)
        result = ir_add(l->b, IR_I32, result, carry);
    if (finish(l, i, result))
        arm_flags_put(l, ir_nzcv_add(l->b, IR_I32, a, b, carry, result));
}

/* a - b, or a - b - !carry when CARRY is given. */
static void sub(struct arm_lift *l, const struct arm_insn *i, ir_val a, ir_val b, ir_val carry)
{
    ir_val result = ir_sub(l->b, IR_I32, a, b);

    if (carry == IR_NONE)
        lift_compare(l->b, l->req, a, b, 32, NW_COMPARE_KEEPS | (i->S ? NW_COMPARE_FLAGS : 0u));
    if (carry != IR_NONE)
        result = ir_sub(l->b, IR_I32, result, ir_xor(l->b, IR_I32, carry, arm_const(l, 1)));
    if (finish(l, i, result))
        arm_flags_put(l, ir_nzcv_sub(l->b, IR_I32, a, b, carry, result));
}

static void arith(struct arm_lift *l, const struct arm_insn *i, bool is_sub, bool reverse,
                  bool with_carry, enum form form)
{
    struct operand2 m;

    if (!operand2(l, i, form, &m))
        return;
    /* With an immediate and the pc this is ADR, whose base is aligned (A8.8.12). */
    ir_val n = form == FORM_IMM ? arm_reg_get_aligned(l, i->n) : arm_reg_get(l, i->n);
    ir_val carry = with_carry ? arm_carry(l) : IR_NONE;
    if (!is_sub)
        add(l, i, n, m.value, carry);
    else if (reverse)
        sub(l, i, m.value, n, carry);
    else
        sub(l, i, n, m.value, carry);
}

static void test(struct arm_lift *l, const struct arm_insn *i, enum ir_op op, enum form form)
{
    struct operand2 m;

    if (operand2(l, i, form, &m))
        put_logic_flags(l, ir_op2(l->b, op, IR_I32, arm_reg_get(l, i->n), m.value, 0), m.carry);
}

static void compare(struct arm_lift *l, const struct arm_insn *i, bool is_sub, enum form form)
{
    struct operand2 m;

    if (!operand2(l, i, form, &m))
        return;
    ir_val n = arm_reg_get(l, i->n);
    ir_val result = ir_op2(l->b, is_sub ? IR_sub : IR_add, IR_I32, n, m.value, 0);
    if (is_sub)
        lift_compare(l->b, l->req, n, m.value, 32, NW_COMPARE_FLAGS);
    arm_flags_put(l, is_sub ? ir_nzcv_sub(l->b, IR_I32, n, m.value, IR_NONE, result)
                            : ir_nzcv_add(l->b, IR_I32, n, m.value, IR_NONE, result));
}

/* ---- the rows ---- */

/* AND EOR ORR BIC ORN: A8.8.13, A8.8.46, A8.8.122, A8.8.21, A8.8.120 */
ARM_LIFT(and_imm, logic(l, i, IR_and, FORM_IMM))
ARM_LIFT(and_reg, logic(l, i, IR_and, FORM_REG))
ARM_LIFT(and_rsr, logic(l, i, IR_and, FORM_RSR))
ARM_LIFT(eor_imm, logic(l, i, IR_xor, FORM_IMM))
ARM_LIFT(eor_reg, logic(l, i, IR_xor, FORM_REG))
ARM_LIFT(eor_rsr, logic(l, i, IR_xor, FORM_RSR))
ARM_LIFT(orr_imm, logic(l, i, IR_or, FORM_IMM))
ARM_LIFT(orr_reg, logic(l, i, IR_or, FORM_REG))
ARM_LIFT(orr_rsr, logic(l, i, IR_or, FORM_RSR))
ARM_LIFT(bic_imm, logic(l, i, IR_andn, FORM_IMM))
ARM_LIFT(bic_reg, logic(l, i, IR_andn, FORM_REG))
ARM_LIFT(bic_rsr, logic(l, i, IR_andn, FORM_RSR))
ARM_LIFT(orn_imm, or_not(l, i, FORM_IMM))
ARM_LIFT(orn_reg, or_not(l, i, FORM_REG))

/* MOV MVN: A8.8.102 to A8.8.104, A8.8.115 to A8.8.117; shifts are MOV with a shifted operand */
ARM_LIFT(mov_imm, move(l, i, false, FORM_IMM))
ARM_LIFT(mov_reg, move(l, i, false, FORM_REG))
ARM_LIFT(mov_rsr, move(l, i, false, FORM_RSR))
ARM_LIFT(mvn_imm, move(l, i, true, FORM_IMM))
ARM_LIFT(mvn_reg, move(l, i, true, FORM_REG))
ARM_LIFT(mvn_rsr, move(l, i, true, FORM_RSR))

/* ADD ADC SUB SBC RSB RSC: A8.8.5 ff., A8.8.1 ff., A8.8.221 ff., A8.8.161 ff., A8.8.152 ff. */
ARM_LIFT(add_imm, arith(l, i, false, false, false, FORM_IMM))
ARM_LIFT(add_reg, arith(l, i, false, false, false, FORM_REG))
ARM_LIFT(add_rsr, arith(l, i, false, false, false, FORM_RSR))
ARM_LIFT(adc_imm, arith(l, i, false, false, true, FORM_IMM))
ARM_LIFT(adc_reg, arith(l, i, false, false, true, FORM_REG))
ARM_LIFT(adc_rsr, arith(l, i, false, false, true, FORM_RSR))
ARM_LIFT(sub_imm, arith(l, i, true, false, false, FORM_IMM))
ARM_LIFT(sub_reg, arith(l, i, true, false, false, FORM_REG))
ARM_LIFT(sub_rsr, arith(l, i, true, false, false, FORM_RSR))
ARM_LIFT(sbc_imm, arith(l, i, true, false, true, FORM_IMM))
ARM_LIFT(sbc_reg, arith(l, i, true, false, true, FORM_REG))
ARM_LIFT(sbc_rsr, arith(l, i, true, false, true, FORM_RSR))
ARM_LIFT(rsb_imm, arith(l, i, true, true, false, FORM_IMM))
ARM_LIFT(rsb_reg, arith(l, i, true, true, false, FORM_REG))
ARM_LIFT(rsb_rsr, arith(l, i, true, true, false, FORM_RSR))
ARM_LIFT(rsc_imm, arith(l, i, true, true, true, FORM_IMM))
ARM_LIFT(rsc_reg, arith(l, i, true, true, true, FORM_REG))
ARM_LIFT(rsc_rsr, arith(l, i, true, true, true, FORM_RSR))

/* TST TEQ CMP CMN: A8.8.240 ff., A8.8.237 ff., A8.8.37 ff., A8.8.34 ff. */
ARM_LIFT(tst_imm, test(l, i, IR_and, FORM_IMM))
ARM_LIFT(tst_reg, test(l, i, IR_and, FORM_REG))
ARM_LIFT(tst_rsr, test(l, i, IR_and, FORM_RSR))
ARM_LIFT(teq_imm, test(l, i, IR_xor, FORM_IMM))
ARM_LIFT(teq_reg, test(l, i, IR_xor, FORM_REG))
ARM_LIFT(teq_rsr, test(l, i, IR_xor, FORM_RSR))
ARM_LIFT(cmp_imm, compare(l, i, true, FORM_IMM))
ARM_LIFT(cmp_reg, compare(l, i, true, FORM_REG))
ARM_LIFT(cmp_rsr, compare(l, i, true, FORM_RSR))
ARM_LIFT(cmn_imm, compare(l, i, false, FORM_IMM))
ARM_LIFT(cmn_reg, compare(l, i, false, FORM_REG))
ARM_LIFT(cmn_rsr, compare(l, i, false, FORM_RSR))

/* MOVW: A8.8.102 A2 */
void arm_movw(struct arm_lift *l, const struct arm_insn *i)
{
    if (arm_bad_reg(l, i->d)) { /* A8.8.102: UNPREDICTABLE */
        arm_unpredictable(l);
        return;
    }
    arm_reg_put(l, i->d, arm_const(l, i->imm));
}

/* MOVT: A8.8.106 */
void arm_movt(struct arm_lift *l, const struct arm_insn *i)
{
    if (arm_bad_reg(l, i->d)) { /* A8.8.106: UNPREDICTABLE */
        arm_unpredictable(l);
        return;
    }
    arm_reg_put(l, i->d, ir_bfi(l->b, IR_I32, arm_reg_get(l, i->d), arm_const(l, i->imm), 16, 16));
}
