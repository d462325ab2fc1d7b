/* Multiplies and divisions, ARM DDI 0406C A5.2.5, A5.2.7, A5.4.4. In the rows d is Rd or RdHi, a is
 * Ra or RdLo, n and m are the factors. */
#include "guest/arm/lift.h"

/* "if d == 15 || n == 15 || m == 15 (|| a == 15) then UNPREDICTABLE", with SP too in Thumb. */
static bool bad3(struct arm_lift *l, const struct arm_insn *i)
{
    if (!arm_bad_reg(l, i->d) && !arm_bad_reg(l, i->n) && !arm_bad_reg(l, i->m))
        return false;
    arm_unpredictable(l);
    return true;
}

static bool bad4(struct arm_lift *l, const struct arm_insn *i)
{
    if (!arm_bad_reg(l, i->a))
        return bad3(l, i);
    arm_unpredictable(l);
    return true;
}

/* Before v6 Rd and Rn of MUL and MLA must differ (A8.8.114). */
static bool bad_early(struct arm_lift *l, const struct arm_insn *i)
{
    if (arm_has(l, ARM_F_V6) || i->d != i->n)
        return false;
    arm_unpredictable(l);
    return true;
}

/* The long forms: also RdHi == RdLo, and before v6 Rn equal to one of them (A8.8.257). */
static bool bad_long(struct arm_lift *l, const struct arm_insn *i)
{
    bool early = !arm_has(l, ARM_F_V6) && (i->n == i->d || i->n == i->a);

    if (i->d != i->a && !early)
        return bad4(l, i);
    arm_unpredictable(l);
    return true;
}

/* N and Z of a 32-bit result; C and V stay (from v5 on, A8.8.114). */
static void put_nz(struct arm_lift *l, ir_val result)
{
    arm_flags_put(l, ir_nzcv_logic(l->b, IR_I32, result, IR_NONE, arm_flags_get(l)));
}

static void put_long(struct arm_lift *l, const struct arm_insn *i, ir_val v)
{
    struct ir_builder *b = l->b;
    ir_val lo = ir_trunc(b, IR_I32, v);
    ir_val hi = ir_trunc(b, IR_I32, ir_shr(b, IR_I64, v, arm_const(l, 32)));

    arm_reg_put(l, i->a, lo);
    arm_reg_put(l, i->d, hi);
    if (i->S) { /* Z is of all 64 bits: of the high half with the low half folded into bits below 31
                 */
        ir_val any = ir_or(b, IR_I32, hi, ir_cmp(b, IR_NE, IR_I32, lo, arm_const(l, 0)));
        put_nz(l, any);
    }
}

static ir_val get_long(struct arm_lift *l, const struct arm_insn *i)
{
    struct ir_builder *b = l->b;
    ir_val hi = ir_shl(b, IR_I64, ir_zext(b, IR_I64, arm_reg_get(l, i->d)), arm_const(l, 32));

    return ir_or(b, IR_I64, hi, ir_zext(b, IR_I64, arm_reg_get(l, i->a)));
}

/* MUL: A8.8.114 */
void arm_mul(struct arm_lift *l, const struct arm_insn *i)
{
    if (bad_early(l, i) || bad3(l, i))
        return;
    ir_val v = ir_mul(l->b, IR_I32, arm_reg_get(l, i->n), arm_reg_get(l, i->m));
    arm_reg_put(l, i->d, v);
    if (i->S)
        put_nz(l, v);
}

/* MLA: A8.8.100 */
void arm_mla(struct arm_lift *l, const struct arm_insn *i)
{
    if (bad_early(l, i) || bad4(l, i))
        return;
    ir_val v = ir_mul(l->b, IR_I32, arm_reg_get(l, i->n), arm_reg_get(l, i->m));
    v = ir_add(l->b, IR_I32, v, arm_reg_get(l, i->a));
    arm_reg_put(l, i->d, v);
    if (i->S)
        put_nz(l, v);
}

/* MLS: A8.8.101 */
void arm_mls(struct arm_lift *l, const struct arm_insn *i)
{
    if (bad4(l, i))
        return;
    ir_val v = ir_mul(l->b, IR_I32, arm_reg_get(l, i->n), arm_reg_get(l, i->m));
    arm_reg_put(l, i->d, ir_sub(l->b, IR_I32, arm_reg_get(l, i->a), v));
}

static ir_val product(struct arm_lift *l, const struct arm_insn *i, bool is_signed)
{
    struct ir_builder *b = l->b;
    enum ir_op widen = is_signed ? IR_sext : IR_zext;

    return ir_mul(b, IR_I64, ir_op1(b, widen, IR_I64, arm_reg_get(l, i->n), 0),
                  ir_op1(b, widen, IR_I64, arm_reg_get(l, i->m), 0));
}

static void long_multiply(struct arm_lift *l, const struct arm_insn *i, bool is_signed,
                          bool accumulate)
{
    if (bad_long(l, i))
        return;
    ir_val v = product(l, i, is_signed);
    put_long(l, i, accumulate ? ir_add(l->b, IR_I64, get_long(l, i), v) : v);
}

/* A8.8.257, A8.8.256, A8.8.189, A8.8.178 */
ARM_LIFT(umull, long_multiply(l, i, false, false))
ARM_LIFT(umlal, long_multiply(l, i, false, true))
ARM_LIFT(smull, long_multiply(l, i, true, false))
ARM_LIFT(smlal, long_multiply(l, i, true, true))

/* UMAAL: A8.8.255 */
void arm_umaal(struct arm_lift *l, const struct arm_insn *i)
{
    if (bad_long(l, i))
        return;
    ir_val v = product(l, i, false);
    v = ir_add(l->b, IR_I64, v, ir_zext(l->b, IR_I64, arm_reg_get(l, i->a)));
    put_long(l, i, ir_add(l->b, IR_I64, v, ir_zext(l->b, IR_I64, arm_reg_get(l, i->d))));
}

/* ---- halfword multiplies (v5TE) ---- */

static ir_val half(struct arm_lift *l, ir_val v, bool top)
{
    return ir_sbfx(l->b, IR_I32, v, top ? 16 : 0, 16);
}

static ir_val product_xy(struct arm_lift *l, const struct arm_insn *i)
{
    return ir_mul(l->b, IR_I32, half(l, arm_reg_get(l, i->n), i->x),
                  half(l, arm_reg_get(l, i->m), i->h));
}

/* A + B with Q set on signed overflow. */
static ir_val add_q(struct arm_lift *l, ir_val a, ir_val b)
{
    ir_val sum = ir_add(l->b, IR_I32, a, b);

    arm_set_q(l, ir_nzcv_test(l->b, 6, ir_nzcv_add(l->b, IR_I32, a, b, IR_NONE, sum)));
    return sum;
}

/* SMULxy: A8.8.186 */
void arm_smulxy(struct arm_lift *l, const struct arm_insn *i)
{
    if (!bad3(l, i))
        arm_reg_put(l, i->d, product_xy(l, i));
}

/* SMLAxy: A8.8.176 */
void arm_smlaxy(struct arm_lift *l, const struct arm_insn *i)
{
    if (!bad4(l, i))
        arm_reg_put(l, i->d, add_q(l, product_xy(l, i), arm_reg_get(l, i->a)));
}

/* SMLALxy: A8.8.179 */
void arm_smlalxy(struct arm_lift *l, const struct arm_insn *i)
{
    if (bad_long(l, i))
        return;
    put_long(l, i, ir_add(l->b, IR_I64, get_long(l, i), ir_sext(l->b, IR_I64, product_xy(l, i))));
}

/* Bits 47..16 of Rn times a half of Rm. */
static ir_val product_w(struct arm_lift *l, const struct arm_insn *i)
{
    struct ir_builder *b = l->b;
    ir_val v = ir_mul(b, IR_I64, ir_sext(b, IR_I64, arm_reg_get(l, i->n)),
                      ir_sext(b, IR_I64, half(l, arm_reg_get(l, i->m), i->h)));

    return ir_trunc(b, IR_I32, ir_shr(b, IR_I64, v, arm_const(l, 16)));
}

/* SMULWy: A8.8.190 */
void arm_smulwy(struct arm_lift *l, const struct arm_insn *i)
{
    if (!bad3(l, i))
        arm_reg_put(l, i->d, product_w(l, i));
}

/* SMLAWy: A8.8.181 */
void arm_smlawy(struct arm_lift *l, const struct arm_insn *i)
{
    if (!bad4(l, i))
        arm_reg_put(l, i->d, add_q(l, product_w(l, i), arm_reg_get(l, i->a)));
}

/* ---- dual multiplies (v6) ---- */

struct pair {
    ir_val low, high; /* I32 products of the bottom and the top halves */
};

static struct pair products(struct arm_lift *l, const struct arm_insn *i)
{
    ir_val n = arm_reg_get(l, i->n), m = arm_reg_get(l, i->m);

    return (struct pair){ir_mul(l->b, IR_I32, half(l, n, false), half(l, m, i->R)),
                         ir_mul(l->b, IR_I32, half(l, n, true), half(l, m, !i->R))};
}

/* The 64-bit sum or difference of the two products; neither wraps there. */
static ir_val dual(struct arm_lift *l, const struct arm_insn *i, bool subtract)
{
    struct pair p = products(l, i);

    return ir_op2(l->b, subtract ? IR_sub : IR_add, IR_I64, ir_sext(l->b, IR_I64, p.low),
                  ir_sext(l->b, IR_I64, p.high), 0);
}

/* Writes the low word of WIDE and sets Q when it does not fit. */
static void put_q(struct arm_lift *l, const struct arm_insn *i, ir_val wide)
{
    ir_val low = ir_trunc(l->b, IR_I32, wide);

    arm_reg_put(l, i->d, low);
    arm_set_q(l, ir_cmp(l->b, IR_NE, IR_I64, ir_sext(l->b, IR_I64, low), wide));
}

static void dual_accumulate(struct arm_lift *l, const struct arm_insn *i, bool subtract)
{
    if (bad4(l, i))
        return;
    ir_val a = ir_sext(l->b, IR_I64, arm_reg_get(l, i->a));
    put_q(l, i, ir_add(l->b, IR_I64, dual(l, i, subtract), a));
}

/* SMUAD: A8.8.185 */
void arm_smuad(struct arm_lift *l, const struct arm_insn *i)
{
    if (!bad3(l, i))
        put_q(l, i, dual(l, i, false));
}

/* SMUSD: A8.8.191; cannot overflow. */
void arm_smusd(struct arm_lift *l, const struct arm_insn *i)
{
    if (bad3(l, i))
        return;
    struct pair p = products(l, i);
    arm_reg_put(l, i->d, ir_sub(l->b, IR_I32, p.low, p.high));
}

static void dual_long(struct arm_lift *l, const struct arm_insn *i, bool subtract)
{
    if (bad_long(l, i))
        return;
    put_long(l, i, ir_add(l->b, IR_I64, get_long(l, i), dual(l, i, subtract)));
}

/* A8.8.177, A8.8.182, A8.8.180, A8.8.183 */
ARM_LIFT(smlad, dual_accumulate(l, i, false))
ARM_LIFT(smlsd, dual_accumulate(l, i, true))
ARM_LIFT(smlald, dual_long(l, i, false))
ARM_LIFT(smlsld, dual_long(l, i, true))

/* The high word of ACC +- Rn * Rm, rounded if R; ACC is a register shifted up or IR_NONE. */
static void most_significant(struct arm_lift *l, const struct arm_insn *i, bool has_acc,
                             bool subtract)
{
    struct ir_builder *b = l->b;
    ir_val v;

    if (has_acc ? bad4(l, i) : bad3(l, i))
        return;
    v = product(l, i, true);
    if (has_acc) {
        ir_val acc = ir_shl(b, IR_I64, ir_zext(b, IR_I64, arm_reg_get(l, i->a)), arm_const(l, 32));
        v = ir_op2(b, subtract ? IR_sub : IR_add, IR_I64, acc, v, 0);
    }
    if (i->R)
        v = ir_add(b, IR_I64, v, ir_const64(b, 0x80000000u));
    arm_reg_put(l, i->d, ir_trunc(b, IR_I32, ir_shr(b, IR_I64, v, arm_const(l, 32))));
}

/* A8.8.188, A8.8.184, A8.8.187 */
ARM_LIFT(smmul, most_significant(l, i, false, false))
ARM_LIFT(smmla, most_significant(l, i, true, false))
ARM_LIFT(smmls, most_significant(l, i, true, true))

static void divide(struct arm_lift *l, const struct arm_insn *i, enum ir_op op)
{
    if (!bad3(l, i)) /* division by zero gives 0 (A8.8.165), as the IR has it */
        arm_reg_put(l, i->d,
                    ir_op2(l->b, op, IR_I32, arm_reg_get(l, i->n), arm_reg_get(l, i->m), 0));
}

/* A8.8.165, A8.8.248 */
ARM_LIFT(sdiv, divide(l, i, IR_sdiv))
ARM_LIFT(udiv, divide(l, i, IR_udiv))
