/* Advanced SIMD shifts: by registers (ARM DDI 0406C A7.4.1) and by immediates (A7.4.4). */
#include "guest/arm/lift_neon.h"
#include "guest/arm/lift_neon_integer.h"
#include "guest/arm/neon_lanes.h"

/* ---- one element ---- */

/* N shifted to the left, or to the right where SHIFT is negative. */
static neon_wide shifted(const struct neon_lane *k, neon_wide n, int shift, bool rounded)
{
    if (shift >= (int)k->bits)
        return 0;
    if (shift >= 0)
        return (neon_wide)((unsigned __int128)n << shift);
    int right = -shift;
    if (rounded)
        return right > 64 ? 0 : (n + ((neon_wide)1 << (right - 1))) >> right;
    return n >> (right < 127 ? right : 127);
}

/* … saturated, by the signedness of the operand to that of the result. */
static neon_wide saturated(struct neon_lane *k, neon_wide n, int shift, bool rounded,
                           bool to_unsigned)
{
    if (shift < (int)k->bits)
        return neon_sat_to(k, shifted(k, n, shift, rounded), k->bits, to_unsigned);
    return neon_sat_to(k,
                       n == 0  ? 0
                       : n < 0 ? -((neon_wide)1 << 100)
                               : (neon_wide)1 << 100,
                       k->bits, to_unsigned);
}

/* ---- by registers ---- */

NEON_HELPER(vshl, neon_same, IR_H_PURE, shifted(k, n, (int8_t)m, false))
NEON_HELPER(vrshl, neon_same, IR_H_PURE, shifted(k, n, (int8_t)m, true))
NEON_HELPER(vqshl, neon_same, 0, saturated(k, n, (int8_t)m, false, k->is_unsigned))
NEON_HELPER(vqrshl, neon_same, 0, saturated(k, n, (int8_t)m, true, k->is_unsigned))

/* The host shifts by elements of 32 and 64 bits, and gives 0 or the sign for large counts. */
static ir_val lift_vshl(struct arm_lift *l, unsigned size, bool u, ir_val d, ir_val n, ir_val m)
{
    (void)d;
    if (size < 2 || (size == 3 && !u))
        return IR_NONE;
    bool wide = size == 3;
    ir_val zero = neon_zero(l), low = neon_constant(l, wide ? 0xff : 0xff000000ff);
    ir_val left = neon_v2(l, VEC_and, m, low);
    ir_val right = neon_v2(l, VEC_and, neon_v2(l, wide ? VEC_sub64 : VEC_sub32, zero, m), low);
    enum vec_op shr = wide ? VEC_shrv64 : u ? VEC_shrv32 : VEC_sarv32;
    ir_val a = neon_v2(l, wide ? VEC_shlv64 : VEC_shlv32, n, left), b = neon_v2(l, shr, n, right);
    /* Bit 7 of the count to the top of the element. */
    ir_val negative = neon_v1i(l, wide ? VEC_shl64_imm : VEC_shl32_imm, m, wide ? 56 : 24);
    return ir_v3(l->b, IR_V128, wide ? VEC_blendv64 : VEC_blendv32, a, b, negative);
}

/* The value is in m, the amount in n. */
static void by_register(struct arm_lift *l, const struct arm_insn *i, const struct neon_op *op)
{
    struct arm_insn exchanged = *i;

    exchanged.n = i->m;
    exchanged.m = i->n;
    if (neon_check(l, neon_odd3(i)))
        neon_apply(l, &exchanged, op, i->size_bits, i->U, 0, IR_NONE);
}

static const struct neon_op shl = {lift_vshl, &vshl_helper}, rshl = {NULL, &vrshl_helper};
static const struct neon_op qshl = {NULL, &vqshl_helper}, qrshl = {NULL, &vqrshl_helper};
ARM_LIFT(vshl, by_register(l, i, &shl))
ARM_LIFT(vrshl, by_register(l, i, &rshl))
ARM_LIFT(vqshl, by_register(l, i, &qshl))
ARM_LIFT(vqrshl, by_register(l, i, &qrshl))

/* ---- by immediates ---- */

struct neon_amount neon_amount_of(const struct arm_insn *i)
{
    struct neon_amount a = {.size = 3, .left = i->imm, .right = 64 - i->imm};

    if (i->size_bits)
        return a;
    a.size = i->imm >> 5 ? 2 : i->imm >> 4 ? 1 : 0;
    unsigned bits = 8u << a.size;
    a.left = i->imm - bits;
    a.right = 2 * bits - i->imm;
    return a;
}

/* The host shifts no bytes: those of 16-bit elements are put apart, or masked. */
static ir_val shift_signed_bytes(struct arm_lift *l, ir_val v, unsigned n)
{
    ir_val odd = neon_v1i(l, VEC_sar16_imm, v, n);
    ir_val even = neon_v1i(l, VEC_sar16_imm, neon_v1i(l, VEC_shl16_imm, v, 8), n);
    ir_val low = neon_v1i(l, VEC_shr16_imm, even, 8);

    return neon_v2(l, VEC_or, low, neon_v2(l, VEC_and, odd, neon_constant(l, 0xff00ff00ff00ff00)));
}

static ir_val shift_bytes(struct arm_lift *l, bool right, ir_val v, unsigned n)
{
    uint64_t keep = (right ? 0xffu >> n : 0xffu << n & 0xff) * 0x0101010101010101u;

    return neon_v2(l, VEC_and, neon_v1i(l, right ? VEC_shr16_imm : VEC_shl16_imm, v, n),
                   neon_constant(l, keep));
}

/* Elements of V shifted by N, up to their width, to the left or, RIGHT, to the right. */
static ir_val shift(struct arm_lift *l, unsigned size, bool right, bool u, ir_val v, unsigned n)
{
    static const enum vec_op shl[] = {0, VEC_shl16_imm, VEC_shl32_imm, VEC_shl64_imm};
    static const enum vec_op shr[] = {0, VEC_shr16_imm, VEC_shr32_imm, VEC_shr64_imm};
    static const enum vec_op sar[] = {0, VEC_sar16_imm, VEC_sar32_imm};
    unsigned bits = 8u << size;

    if (n == 0)
        return v;
    if (right && !u && n >= bits)
        n = bits - 1;
    if (n >= bits)
        return neon_zero(l);
    if (size == 3 && right && !u) {
        ir_val sign = neon_v2(l, VEC_cmpgts64, neon_zero(l), v);
        return neon_v2(l, VEC_or, neon_v1i(l, VEC_shr64_imm, v, n),
                       neon_v1i(l, VEC_shl64_imm, sign, 64 - n));
    }
    if (size)
        return neon_v1i(l, right ? (u ? shr : sar)[size] : shl[size], v, n);
    return right && !u ? shift_signed_bytes(l, v, n) : shift_bytes(l, right, v, n);
}

ir_val neon_shift_left(struct arm_lift *l, unsigned size, ir_val v, unsigned n)
{
    return shift(l, size, false, true, v, n);
}

ir_val neon_shift_right(struct arm_lift *l, unsigned size, bool u, ir_val v, unsigned n)
{
    return shift(l, size, true, u, v, n);
}

/* The last bit that falls off the right is added. */
ir_val neon_round_right(struct arm_lift *l, unsigned size, bool u, ir_val v, unsigned n)
{
    static const uint64_t ones[] = {0x0101010101010101, 0x0001000100010001, 0x0000000100000001, 1};
    ir_val last =
        neon_v2(l, VEC_and, shift(l, size, true, true, v, n - 1), neon_constant(l, ones[size]));

    return neon_add(l, size, shift(l, size, true, u, v, n), last);
}

enum { ROUNDED = 1, ADDED = 2 };

static void shift_right(struct arm_lift *l, const struct arm_insn *i, unsigned how)
{
    struct neon_amount a = neon_amount_of(i);

    if (!neon_check(l, neon_odd2(i)))
        return;
    ir_val m = neon_get(l, i->Q, i->m);
    ir_val v = how & ROUNDED ? neon_round_right(l, a.size, i->U, m, a.right)
                             : shift(l, a.size, true, i->U, m, a.right);
    if (how & ADDED)
        v = neon_add(l, a.size, neon_get(l, i->Q, i->d), v);
    neon_put(l, i->Q, i->d, v);
}

ARM_LIFT(vshr_imm, shift_right(l, i, 0))
ARM_LIFT(vsra_imm, shift_right(l, i, ADDED))
ARM_LIFT(vrshr_imm, shift_right(l, i, ROUNDED))
ARM_LIFT(vrsra_imm, shift_right(l, i, ROUNDED | ADDED))

void arm_vshl_imm(struct arm_lift *l, const struct arm_insn *i)
{
    struct neon_amount a = neon_amount_of(i);

    if (neon_check(l, neon_odd2(i)))
        neon_put(l, i->Q, i->d, shift(l, a.size, false, true, neon_get(l, i->Q, i->m), a.left));
}

/* What is shifted in comes from the destination. */
static void insert(struct arm_lift *l, const struct arm_insn *i, bool right)
{
    struct neon_amount a = neon_amount_of(i);
    unsigned n = right ? a.right : a.left;

    if (!neon_check(l, neon_odd2(i)))
        return;
    ir_val ones = ir_v0(l->b, IR_V128, VEC_ones);
    ir_val mask = shift(l, a.size, right, true, ones, n);
    ir_val v = shift(l, a.size, right, true, neon_get(l, i->Q, i->m), n);
    ir_val kept = neon_v2(l, VEC_nand, mask, neon_get(l, i->Q, i->d));
    neon_put(l, i->Q, i->d, neon_v2(l, VEC_or, v, kept));
}

ARM_LIFT(vsri_imm, insert(l, i, true))
ARM_LIFT(vsli_imm, insert(l, i, false))

/* VQSHL, VQSHLU */
NEON_HELPER(vqshl_imm, neon_same, 0, saturated(k, n, (int)k->imm, false, k->is_unsigned))
NEON_HELPER(vqshlu_imm, neon_same, 0, saturated(k, n, (int)k->imm, false, true))

static void saturated_left(struct arm_lift *l, const struct arm_insn *i,
                           const struct ir_helper *helper, bool u)
{
    struct neon_amount a = neon_amount_of(i);
    struct arm_insn from = *i;

    from.n = i->m;
    if (neon_check(l, neon_odd2(i)))
        neon_apply(l, &from, &(struct neon_op){NULL, helper}, a.size, u, a.left, IR_NONE);
}

ARM_LIFT(vqshl_imm, saturated_left(l, i, &vqshl_imm_helper, i->U))
ARM_LIFT(vqshlu_imm, saturated_left(l, i, &vqshlu_imm_helper, false))

/* ---- widening: VSHLL, VMOVL ---- */

static void shift_long(struct arm_lift *l, const struct arm_insn *i, unsigned size, bool u,
                       unsigned n)
{
    ir_val v = neon_widen(l, size, u, neon_get(l, false, i->m));

    neon_put(l, true, i->d, neon_shift_left(l, size + 1, v, n));
}

void arm_vshll_imm(struct arm_lift *l, const struct arm_insn *i)
{
    struct neon_amount a = neon_amount_of(i);

    if (neon_check(l, i->d & 1))
        shift_long(l, i, a.size, i->U, a.left);
}

/* The other encoding of VSHLL: by the elements' width. */
void arm_vshll_max(struct arm_lift *l, const struct arm_insn *i)
{
    if (neon_check(l, i->d & 1 || i->size_bits == 3))
        shift_long(l, i, i->size_bits, true, 8u << i->size_bits);
}
