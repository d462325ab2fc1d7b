/* Advanced SIMD: two registers, miscellaneous, ARM DDI 0406C A7.4.5, element by element. What moves
 * elements about is in lift_neon_permute.c, estimates and conversions in lift_neon_float.c. */
#include "guest/arm/lift_neon.h"
#include "guest/arm/lift_neon_float.h"
#include "guest/arm/lift_neon_integer.h"
#include "guest/arm/neon_lanes.h"

/* HELPER on register m, its n and m. */
static void by_helper(struct arm_lift *l, const struct arm_insn *i, const struct ir_helper *helper,
                      bool u)
{
    struct arm_insn of = *i;

    of.n = i->m;
    neon_apply(l, &of, &(struct neon_op){NULL, helper}, i->size_bits, u, 0, IR_NONE);
}

/* ---- bits ---- */

static neon_wide leading_zeros(unsigned bits, neon_wide v)
{
    return v ? __builtin_clzll((uint64_t)v) - (int)(64 - bits) : (int)bits;
}

/* V is sign-extended: its sign bits are those that equal their right neighbour's, but one. */
static neon_wide leading_signs(unsigned bits, neon_wide v)
{
    uint64_t changes = (uint64_t)(v ^ v >> 1) & UINT64_MAX >> (64 - bits);

    return leading_zeros(bits, changes) - 1;
}

NEON_HELPER(vcls, neon_same, IR_H_PURE, leading_signs(k->bits, n))
NEON_HELPER(vclz, neon_same, IR_H_PURE, leading_zeros(k->bits, n))

static void count_leading(struct arm_lift *l, const struct arm_insn *i,
                          const struct ir_helper *helper, bool u)
{
    if (neon_check(l, neon_odd2(i) || i->size_bits == 3))
        by_helper(l, i, helper, u);
}

ARM_LIFT(vcls, count_leading(l, i, &vcls_helper, false))
ARM_LIFT(vclz, count_leading(l, i, &vclz_helper, true))

/* The number of ones is looked up for each half of a byte. */
void arm_vcnt(struct arm_lift *l, const struct arm_insn *i)
{
    if (!neon_check(l, neon_odd2(i) || i->size_bits))
        return;
    ir_val m = neon_get(l, i->Q, i->m), mask = neon_constant(l, 0x0f0f0f0f0f0f0f0f);
    ir_val table =
        neon_join(l, ir_const64(l->b, 0x0302020102010100), ir_const64(l->b, 0x0403030203020201));
    ir_val low = neon_v2(l, VEC_and, m, mask);
    ir_val high = neon_v2(l, VEC_and, neon_v1i(l, VEC_shr16_imm, m, 4), mask);
    neon_put(l, i->Q, i->d,
             neon_add(l, 0, neon_v2(l, VEC_shuf8_lane, table, low),
                      neon_v2(l, VEC_shuf8_lane, table, high)));
}

void arm_vmvn(struct arm_lift *l, const struct arm_insn *i)
{
    if (neon_check(l, neon_odd2(i) || i->size_bits))
        neon_put(l, i->Q, i->d, neon_not(l, neon_get(l, i->Q, i->m)));
}

/* ---- comparison with zero ---- */

static void compare_zero(struct arm_lift *l, const struct arm_insn *i, enum neon_comparison what)
{
    if (!neon_check(l, neon_odd2(i) || i->size_bits == 3 || (i->W && i->size_bits != 2)))
        return;
    if (i->W)
        neon_compare_zero_float(l, i, what);
    else
        neon_put(l, i->Q, i->d,
                 neon_compare(l, what, i->size_bits, neon_get(l, i->Q, i->m), neon_zero(l)));
}

ARM_LIFT(vcgt_zero, compare_zero(l, i, NEON_GT))
ARM_LIFT(vcge_zero, compare_zero(l, i, NEON_GE))
ARM_LIFT(vceq_zero, compare_zero(l, i, NEON_EQ))
ARM_LIFT(vcle_zero, compare_zero(l, i, NEON_LE))
ARM_LIFT(vclt_zero, compare_zero(l, i, NEON_LT))

/* ---- absolute value, negation ---- */

#define SIGNS 0x8000000080000000

static bool sign_defined(const struct arm_insn *i)
{
    return !neon_odd2(i) && i->size_bits != 3 && !(i->W && i->size_bits != 2);
}

void arm_vabs_simd(struct arm_lift *l, const struct arm_insn *i)
{
    static const enum vec_op op[] = {VEC_abs8, VEC_abs16, VEC_abs32};

    if (!neon_check(l, !sign_defined(i)))
        return;
    ir_val m = neon_get(l, i->Q, i->m);
    neon_put(l, i->Q, i->d,
             i->W ? neon_v2(l, VEC_nand, neon_constant(l, SIGNS), m)
                  : neon_v1(l, op[i->size_bits], m));
}

void arm_vneg_simd(struct arm_lift *l, const struct arm_insn *i)
{
    if (!neon_check(l, !sign_defined(i)))
        return;
    ir_val m = neon_get(l, i->Q, i->m);
    neon_put(l, i->Q, i->d,
             i->W ? neon_v2(l, VEC_xor, neon_constant(l, SIGNS), m)
                  : neon_sub(l, i->size_bits, neon_zero(l), m));
}

NEON_HELPER(vqabs, neon_same, 0, neon_sat(k, n < 0 ? -n : n))
NEON_HELPER(vqneg, neon_same, 0, neon_sat(k, -n))

static void saturated(struct arm_lift *l, const struct arm_insn *i, const struct ir_helper *helper)
{
    if (neon_check(l, neon_odd2(i) || i->size_bits == 3))
        by_helper(l, i, helper, false);
}

ARM_LIFT(vqabs, saturated(l, i, &vqabs_helper))
ARM_LIFT(vqneg, saturated(l, i, &vqneg_helper))

/* ---- sums of neighbours, of twice the width: VPADDL, VPADAL ---- */

/* The elements at odd places and those at even ones, widened in their places. */
static void pairs_long(struct arm_lift *l, const struct arm_insn *i, bool accumulate)
{
    unsigned size = i->size_bits, bits = 8u << size;

    if (!neon_check(l, neon_odd2(i) || size == 3))
        return;
    ir_val m = neon_get(l, i->Q, i->m);
    ir_val odd = neon_shift_right(l, size + 1, i->U, m, bits);
    ir_val even = neon_shift_right(l, size + 1, i->U, neon_shift_left(l, size + 1, m, bits), bits);
    ir_val v = neon_add(l, size + 1, odd, even);
    if (accumulate)
        v = neon_add(l, size + 1, v, neon_get(l, i->Q, i->d));
    neon_put(l, i->Q, i->d, v);
}

ARM_LIFT(vpaddl, pairs_long(l, i, false))
ARM_LIFT(vpadal, pairs_long(l, i, true))
