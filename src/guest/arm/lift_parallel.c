/* Parallel addition and subtraction, ARM DDI 0406C A5.4.1, A5.4.2, and the sums of absolute
 * differences. The plain forms and their GE flags, and the halving and saturating forms, work on
 * the two or four lanes of a register.
 *
 * Lanes are worked on one by one in 32-bit arithmetic, where none of them can overflow: a lane
 * sum's sign, carry and range are then plain to see. */
#include "guest/arm/lift.h"

enum kind { KIND_PLAIN, KIND_SATURATE, KIND_HALVE };

struct parallel {
    bool is_signed;
    enum kind kind;
    unsigned width; /* 8 or 16 */
    bool exchange;  /* ASX, SAX: the halves of m change places */
    bool sub_low;   /* what happens in the bottom lane, and in every lane of the others */
    bool sub_high;  /* in the top lane */
};

static ir_val lane(struct arm_lift *l, ir_val v, unsigned pos, const struct parallel *p)
{
    return p->is_signed ? ir_sbfx(l->b, IR_I32, v, pos, p->width)
                        : ir_ubfx(l->b, IR_I32, v, pos, p->width);
}

static ir_val saturate(struct arm_lift *l, ir_val v, const struct parallel *p)
{
    uint32_t high = (1u << (p->is_signed ? p->width - 1 : p->width)) - 1;
    uint32_t low = p->is_signed ? ~high : 0;

    v = ir_smax(l->b, IR_I32, v, arm_const(l, low));
    return ir_smin(l->b, IR_I32, v, arm_const(l, high));
}

/* The GE bit of a lane: no borrow or a result >= 0, for unsigned sums a carry (A8.8.242 ff.). */
static ir_val ge_bit(struct arm_lift *l, ir_val v, bool subtract, const struct parallel *p)
{
    if (p->is_signed || subtract)
        return ir_cmp(l->b, IR_SGE, IR_I32, v, arm_const(l, 0));
    return ir_ubfx(l->b, IR_I32, v, p->width, 1);
}

static void parallel(struct arm_lift *l, const struct arm_insn *i, const struct parallel *p)
{
    struct ir_builder *b = l->b;

    /* A8.8: "if d == 15 || n == 15 || m == 15 then UNPREDICTABLE" */
    if (arm_bad_reg(l, i->d) || arm_bad_reg(l, i->n) || arm_bad_reg(l, i->m)) {
        arm_unpredictable(l);
        return;
    }
    ir_val n = arm_reg_get(l, i->n), m = arm_reg_get(l, i->m);
    ir_val result = arm_const(l, 0), ge = arm_const(l, 0);
    for (unsigned pos = 0; pos < 32; pos += p->width) {
        bool subtract = pos + p->width == 32 ? p->sub_high : p->sub_low;
        ir_val v = ir_op2(b, subtract ? IR_sub : IR_add, IR_I32, lane(l, n, pos, p),
                          lane(l, m, p->exchange ? pos ^ 16 : pos, p), 0);
        if (p->kind == KIND_PLAIN) {
            ir_val one = ge_bit(l, v, subtract, p);
            ge = ir_bfi(b, IR_I32, ge, one, pos / 8, 1);
            if (p->width == 16)
                ge = ir_bfi(b, IR_I32, ge, one, pos / 8 + 1, 1);
        } else if (p->kind == KIND_SATURATE) {
            v = saturate(l, v, p);
        } else {
            v = ir_sar(b, IR_I32, v, arm_const(l, 1));
        }
        result = ir_bfi(b, IR_I32, result, v, pos, p->width);
    }
    arm_reg_put(l, i->d, result);
    if (p->kind == KIND_PLAIN)
        arm_state_put(l, ARM_OFF(ge), ge);
}

#define PARALLEL(...) parallel(l, i, &(const struct parallel){__VA_ARGS__})

/* signed, sets GE */
ARM_LIFT(sadd16, PARALLEL(true, KIND_PLAIN, 16, false, false, false))
ARM_LIFT(sasx, PARALLEL(true, KIND_PLAIN, 16, true, true, false))
ARM_LIFT(ssax, PARALLEL(true, KIND_PLAIN, 16, true, false, true))
ARM_LIFT(ssub16, PARALLEL(true, KIND_PLAIN, 16, false, true, true))
ARM_LIFT(sadd8, PARALLEL(true, KIND_PLAIN, 8, false, false, false))
ARM_LIFT(ssub8, PARALLEL(true, KIND_PLAIN, 8, false, true, true))
/* signed saturating */
ARM_LIFT(qadd16, PARALLEL(true, KIND_SATURATE, 16, false, false, false))
ARM_LIFT(qasx, PARALLEL(true, KIND_SATURATE, 16, true, true, false))
ARM_LIFT(qsax, PARALLEL(true, KIND_SATURATE, 16, true, false, true))
ARM_LIFT(qsub16, PARALLEL(true, KIND_SATURATE, 16, false, true, true))
ARM_LIFT(qadd8, PARALLEL(true, KIND_SATURATE, 8, false, false, false))
ARM_LIFT(qsub8, PARALLEL(true, KIND_SATURATE, 8, false, true, true))
/* signed halving */
ARM_LIFT(shadd16, PARALLEL(true, KIND_HALVE, 16, false, false, false))
ARM_LIFT(shasx, PARALLEL(true, KIND_HALVE, 16, true, true, false))
ARM_LIFT(shsax, PARALLEL(true, KIND_HALVE, 16, true, false, true))
ARM_LIFT(shsub16, PARALLEL(true, KIND_HALVE, 16, false, true, true))
ARM_LIFT(shadd8, PARALLEL(true, KIND_HALVE, 8, false, false, false))
ARM_LIFT(shsub8, PARALLEL(true, KIND_HALVE, 8, false, true, true))
/* UADD8 and USUB8 are what string functions are made of: they work on all lanes at once. Carries
 * out of the lanes are stopped by taking their top bits apart; a lane's carry out is then the
 * majority of its top bits and the carry into them (A8.8.241, A8.8.265). */
static void unsigned_bytes(struct arm_lift *l, const struct arm_insn *i, bool subtract)
{
    struct ir_builder *b = l->b;
    ir_val low = arm_const(l, 0x7f7f7f7f), top = arm_const(l, 0x80808080);

    if (arm_bad_reg(l, i->d) || arm_bad_reg(l, i->n) || arm_bad_reg(l, i->m)) {
        arm_unpredictable(l);
        return;
    }
    ir_val n = arm_reg_get(l, i->n), m = arm_reg_get(l, i->m), sum;
    if (subtract) {
        sum = ir_sub(b, IR_I32, ir_or(b, IR_I32, n, top), ir_and(b, IR_I32, m, low));
        m = ir_not(b, IR_I32, m);
    } else {
        sum = ir_add(b, IR_I32, ir_and(b, IR_I32, n, low), ir_and(b, IR_I32, m, low));
    }
    /* n - m is n + ~m + 1, and the sum above has the top bit of each lane set */
    ir_val tops = ir_and(b, IR_I32, ir_xor(b, IR_I32, n, m), top);
    ir_val result = ir_xor(b, IR_I32, sum, tops);
    ir_val carry = ir_or(b, IR_I32, ir_and(b, IR_I32, n, m),
                         ir_andn(b, IR_I32, ir_or(b, IR_I32, n, m), result));
    /* bits 7, 15, 23, 31 to 24..27, then to 0..3 */
    carry = ir_and(b, IR_I32, ir_shr(b, IR_I32, carry, arm_const(l, 7)), arm_const(l, 0x01010101));
    carry = ir_mul(b, IR_I32, carry, arm_const(l, 0x01020408));
    arm_reg_put(l, i->d, result);
    arm_state_put(l, ARM_OFF(ge), ir_shr(b, IR_I32, carry, arm_const(l, 24)));
}

/* unsigned, sets GE */
ARM_LIFT(uadd16, PARALLEL(false, KIND_PLAIN, 16, false, false, false))
ARM_LIFT(uasx, PARALLEL(false, KIND_PLAIN, 16, true, true, false))
ARM_LIFT(usax, PARALLEL(false, KIND_PLAIN, 16, true, false, true))
ARM_LIFT(usub16, PARALLEL(false, KIND_PLAIN, 16, false, true, true))
ARM_LIFT(uadd8, unsigned_bytes(l, i, false))
ARM_LIFT(usub8, unsigned_bytes(l, i, true))
/* unsigned saturating */
ARM_LIFT(uqadd16, PARALLEL(false, KIND_SATURATE, 16, false, false, false))
ARM_LIFT(uqasx, PARALLEL(false, KIND_SATURATE, 16, true, true, false))
ARM_LIFT(uqsax, PARALLEL(false, KIND_SATURATE, 16, true, false, true))
ARM_LIFT(uqsub16, PARALLEL(false, KIND_SATURATE, 16, false, true, true))
ARM_LIFT(uqadd8, PARALLEL(false, KIND_SATURATE, 8, false, false, false))
ARM_LIFT(uqsub8, PARALLEL(false, KIND_SATURATE, 8, false, true, true))
/* unsigned halving */
ARM_LIFT(uhadd16, PARALLEL(false, KIND_HALVE, 16, false, false, false))
ARM_LIFT(uhasx, PARALLEL(false, KIND_HALVE, 16, true, true, false))
ARM_LIFT(uhsax, PARALLEL(false, KIND_HALVE, 16, true, false, true))
ARM_LIFT(uhsub16, PARALLEL(false, KIND_HALVE, 16, false, true, true))
ARM_LIFT(uhadd8, PARALLEL(false, KIND_HALVE, 8, false, false, false))
ARM_LIFT(uhsub8, PARALLEL(false, KIND_HALVE, 8, false, true, true))

/* USADA8, USAD8: A8.8.261, A8.8.262 */
static void absolute_differences(struct arm_lift *l, const struct arm_insn *i, ir_val sum)
{
    struct ir_builder *b = l->b;
    ir_val n = arm_reg_get(l, i->n), m = arm_reg_get(l, i->m);

    if (arm_bad_reg(l, i->d) || arm_bad_reg(l, i->n) ||
        arm_bad_reg(l, i->m)) { /* A8.8.261: UNPREDICTABLE */
        arm_unpredictable(l);
        return;
    }
    for (unsigned pos = 0; pos < 32; pos += 8) {
        ir_val x = ir_ubfx(b, IR_I32, n, pos, 8), y = ir_ubfx(b, IR_I32, m, pos, 8);
        ir_val d = ir_sub(b, IR_I32, ir_umax(b, IR_I32, x, y), ir_umin(b, IR_I32, x, y));
        sum = ir_add(b, IR_I32, sum, d);
    }
    arm_reg_put(l, i->d, sum);
}

ARM_LIFT(usad8, absolute_differences(l, i, arm_const(l, 0)))
ARM_LIFT(usada8, absolute_differences(l, i, arm_reg_get(l, i->a)))
