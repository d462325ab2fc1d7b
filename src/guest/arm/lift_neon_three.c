/* Advanced SIMD: three registers of the same length, integers, ARM DDI 0406C A7.4.1. */
#include "guest/arm/lift_neon.h"
#include "guest/arm/lift_neon_integer.h"
#include "guest/arm/neon_lanes.h"

/* OP on registers; size 3, 64 bits, is UNDEFINED unless WIDE. */
static void three(struct arm_lift *l, const struct arm_insn *i, const struct neon_op *op, bool wide)
{
    if (neon_check(l, neon_odd3(i) || (i->size_bits == 3 && !wide)))
        neon_apply(l, i, op, i->size_bits, i->U, 0, IR_NONE);
}

/* A vector operation by size, or none: COUNT. */
#define NONE VEC_COUNT
static ir_val by_size(struct arm_lift *l, const enum vec_op *op, unsigned size, ir_val n, ir_val m)
{
    return op[size] == NONE ? IR_NONE : neon_v2(l, op[size], n, m);
}

/* ---- addition and subtraction ---- */

static const enum vec_op add_ops[] = {VEC_add8, VEC_add16, VEC_add32, VEC_add64};
static const enum vec_op sub_ops[] = {VEC_sub8, VEC_sub16, VEC_sub32, VEC_sub64};

ir_val neon_add(struct arm_lift *l, unsigned size, ir_val n, ir_val m)
{
    return neon_v2(l, add_ops[size], n, m);
}

ir_val neon_sub(struct arm_lift *l, unsigned size, ir_val n, ir_val m)
{
    return neon_v2(l, sub_ops[size], n, m);
}

static ir_val lift_add(struct arm_lift *l, unsigned size, bool u, ir_val d, ir_val n, ir_val m)
{
    (void)u, (void)d;
    return neon_add(l, size, n, m);
}

static ir_val lift_sub(struct arm_lift *l, unsigned size, bool u, ir_val d, ir_val n, ir_val m)
{
    (void)u, (void)d;
    return neon_sub(l, size, n, m);
}

/* QC is set where the saturated result is not the plain one. */
static ir_val saturated(struct arm_lift *l, const enum vec_op *op, unsigned size, ir_val plain,
                        ir_val n, ir_val m)
{
    ir_val v = neon_v2(l, op[size], n, m);

    neon_set_qc(l, v, plain);
    return v;
}

static ir_val lift_qadd(struct arm_lift *l, unsigned size, bool u, ir_val d, ir_val n, ir_val m)
{
    static const enum vec_op op[2][2] = {{VEC_adds8, VEC_adds16}, {VEC_addu8, VEC_addu16}};

    (void)d;
    return size > 1 ? IR_NONE : saturated(l, op[u], size, neon_add(l, size, n, m), n, m);
}

static ir_val lift_qsub(struct arm_lift *l, unsigned size, bool u, ir_val d, ir_val n, ir_val m)
{
    static const enum vec_op op[2][2] = {{VEC_subs8, VEC_subs16}, {VEC_subu8, VEC_subu16}};

    (void)d;
    return size > 1 ? IR_NONE : saturated(l, op[u], size, neon_sub(l, size, n, m), n, m);
}

static ir_val lift_rhadd(struct arm_lift *l, unsigned size, bool u, ir_val d, ir_val n, ir_val m)
{
    static const enum vec_op op[] = {VEC_avgu8, VEC_avgu16};

    (void)d;
    return u && size < 2 ? neon_v2(l, op[size], n, m) : IR_NONE;
}

/* Rounded down is rounded up between the complements. */
static ir_val lift_hadd(struct arm_lift *l, unsigned size, bool u, ir_val d, ir_val n, ir_val m)
{
    ir_val v = lift_rhadd(l, size, u, d, neon_not(l, n), neon_not(l, m));

    return v == IR_NONE ? v : neon_not(l, v);
}

NEON_HELPER(vqadd, neon_same, 0, neon_sat(k, n + m))
NEON_HELPER(vqsub, neon_same, 0, neon_sat(k, n - m))
NEON_HELPER(vhadd, neon_same, IR_H_PURE, (n + m) >> 1)
NEON_HELPER(vrhadd, neon_same, IR_H_PURE, (n + m + 1) >> 1)
NEON_HELPER(vhsub, neon_same, IR_H_PURE, (n - m) >> 1)
static const struct neon_op add = {lift_add, NULL}, sub = {lift_sub, NULL};
static const struct neon_op qadd = {lift_qadd, &vqadd_helper}, qsub = {lift_qsub, &vqsub_helper};
static const struct neon_op hadd = {lift_hadd, &vhadd_helper}, rhadd = {lift_rhadd, &vrhadd_helper};
static const struct neon_op hsub = {NULL, &vhsub_helper};
ARM_LIFT(vadd_int, three(l, i, &add, true))
ARM_LIFT(vsub_int, three(l, i, &sub, true))
ARM_LIFT(vqadd, three(l, i, &qadd, true))
ARM_LIFT(vqsub, three(l, i, &qsub, true))
ARM_LIFT(vhadd, three(l, i, &hadd, false))
ARM_LIFT(vrhadd, three(l, i, &rhadd, false))
ARM_LIFT(vhsub, three(l, i, &hsub, false))

/* ---- comparison, minimum, maximum, difference ---- */

static const enum vec_op max_ops[2][3] = {{VEC_maxs8, VEC_maxs16, VEC_maxs32},
                                          {VEC_maxu8, VEC_maxu16, VEC_maxu32}};
static const enum vec_op min_ops[2][3] = {{VEC_mins8, VEC_mins16, VEC_mins32},
                                          {VEC_minu8, VEC_minu16, VEC_minu32}};
static const enum vec_op equal_ops[] = {VEC_cmpeq8, VEC_cmpeq16, VEC_cmpeq32};
static const enum vec_op greater_ops[] = {VEC_cmpgts8, VEC_cmpgts16, VEC_cmpgts32};

static ir_val lift_max(struct arm_lift *l, unsigned size, bool u, ir_val d, ir_val n, ir_val m)
{
    (void)d;
    return neon_v2(l, max_ops[u][size], n, m);
}

static ir_val lift_min(struct arm_lift *l, unsigned size, bool u, ir_val d, ir_val n, ir_val m)
{
    (void)d;
    return neon_v2(l, min_ops[u][size], n, m);
}

static ir_val lift_equal(struct arm_lift *l, unsigned size, bool u, ir_val d, ir_val n, ir_val m)
{
    (void)u, (void)d;
    return neon_v2(l, equal_ops[size], n, m);
}

static ir_val lift_ge(struct arm_lift *l, unsigned size, bool u, ir_val d, ir_val n, ir_val m)
{
    return lift_equal(l, size, u, d, neon_v2(l, max_ops[u][size], n, m), n);
}

static ir_val lift_gt(struct arm_lift *l, unsigned size, bool u, ir_val d, ir_val n, ir_val m)
{
    if (!u)
        return neon_v2(l, greater_ops[size], n, m);
    return neon_not(l, lift_ge(l, size, u, d, m, n));
}

ir_val neon_compare(struct arm_lift *l, enum neon_comparison what, unsigned size, ir_val n,
                    ir_val m)
{
    switch (what) {
    case NEON_EQ: return lift_equal(l, size, false, IR_NONE, n, m);
    case NEON_GT: return lift_gt(l, size, false, IR_NONE, n, m);
    case NEON_GE: return lift_ge(l, size, false, IR_NONE, n, m);
    case NEON_LT: return lift_gt(l, size, false, IR_NONE, m, n);
    default: return lift_ge(l, size, false, IR_NONE, m, n);
    }
}

static ir_val lift_test(struct arm_lift *l, unsigned size, bool u, ir_val d, ir_val n, ir_val m)
{
    ir_val none = lift_equal(l, size, u, d, neon_v2(l, VEC_and, n, m), neon_zero(l));

    return neon_not(l, none);
}

static ir_val lift_difference(struct arm_lift *l, unsigned size, bool u, ir_val d, ir_val n,
                              ir_val m)
{
    return neon_sub(l, size, lift_max(l, size, u, d, n, m), lift_min(l, size, u, d, n, m));
}

ir_val neon_abs_difference(struct arm_lift *l, unsigned size, bool u, ir_val n, ir_val m)
{
    return lift_difference(l, size, u, IR_NONE, n, m);
}

static ir_val lift_add_difference(struct arm_lift *l, unsigned size, bool u, ir_val d, ir_val n,
                                  ir_val m)
{
    return neon_add(l, size, d, lift_difference(l, size, u, d, n, m));
}

static const struct neon_op max = {lift_max, NULL}, min = {lift_min, NULL};
static const struct neon_op equal = {lift_equal, NULL}, greater = {lift_gt, NULL};
static const struct neon_op greater_equal = {lift_ge, NULL}, test = {lift_test, NULL};
static const struct neon_op difference = {lift_difference, NULL};
static const struct neon_op add_difference = {lift_add_difference, NULL};
ARM_LIFT(vmax, three(l, i, &max, false))
ARM_LIFT(vmin, three(l, i, &min, false))
ARM_LIFT(vceq, three(l, i, &equal, false))
ARM_LIFT(vcgt, three(l, i, &greater, false))
ARM_LIFT(vcge, three(l, i, &greater_equal, false))
ARM_LIFT(vtst, three(l, i, &test, false))
ARM_LIFT(vabd, three(l, i, &difference, false))
ARM_LIFT(vaba, three(l, i, &add_difference, false))

/* ---- multiplication ---- */

/* Products of bytes are those of the halves of 16-bit elements. */
static ir_val multiply_bytes(struct arm_lift *l, ir_val n, ir_val m)
{
    ir_val even =
        neon_v2(l, VEC_and, neon_v2(l, VEC_mul16, n, m), neon_constant(l, 0x00ff00ff00ff00ff));
    ir_val odd =
        neon_v2(l, VEC_mul16, neon_v1i(l, VEC_shr16_imm, n, 8), neon_v1i(l, VEC_shr16_imm, m, 8));
    return neon_v2(l, VEC_or, even, neon_v1i(l, VEC_shl16_imm, odd, 8));
}

ir_val neon_multiply(struct arm_lift *l, unsigned size, ir_val n, ir_val m)
{
    static const enum vec_op op[] = {NONE, VEC_mul16, VEC_mul32};

    return size ? by_size(l, op, size, n, m) : multiply_bytes(l, n, m);
}

static ir_val lift_mul(struct arm_lift *l, unsigned size, bool u, ir_val d, ir_val n, ir_val m)
{
    (void)u, (void)d;
    return neon_multiply(l, size, n, m);
}

static ir_val lift_mla(struct arm_lift *l, unsigned size, bool u, ir_val d, ir_val n, ir_val m)
{
    (void)u;
    return neon_add(l, size, d, neon_multiply(l, size, n, m));
}

static ir_val lift_mls(struct arm_lift *l, unsigned size, bool u, ir_val d, ir_val n, ir_val m)
{
    (void)u;
    return neon_sub(l, size, d, neon_multiply(l, size, n, m));
}

/* PolynomialMult (A2.8.1) of elements of BITS. */
static neon_wide carryless(unsigned bits, neon_wide n, neon_wide m)
{
    neon_wide out = 0;

    for (unsigned at = 0; at < bits; at++)
        out ^= m >> at & 1 ? n << at : 0;
    return out;
}

NEON_HELPER(vmul_poly, neon_same, IR_H_PURE, carryless(k->bits, n, m))
NEON_HELPER(vmull_poly, neon_long, IR_H_PURE, carryless(k->bits, n, m))
NEON_HELPER(vqdmulh, neon_same, 0, neon_sat(k, (2 * n * m) >> k->bits))
NEON_HELPER(vqrdmulh, neon_same, 0,
            neon_sat(k, (2 * n * m + ((neon_wide)1 << (k->bits - 1))) >> k->bits))
const struct neon_op neon_mul = {lift_mul, NULL}, neon_mla = {lift_mla, NULL};
const struct neon_op neon_mls = {lift_mls, NULL};
const struct neon_op neon_qdmulh = {NULL, &vqdmulh_helper}, neon_qrdmulh = {NULL, &vqrdmulh_helper};
const struct ir_helper *const neon_mull_poly = &vmull_poly_helper;
ARM_LIFT(vmul_int, three(l, i, &neon_mul, false))
ARM_LIFT(vmla_int, three(l, i, &neon_mla, false))
ARM_LIFT(vmls_int, three(l, i, &neon_mls, false))

void arm_vmul_poly(struct arm_lift *l, const struct arm_insn *i)
{
    static const struct neon_op op = {NULL, &vmul_poly_helper};

    if (neon_check(l, neon_odd3(i) || i->size_bits))
        neon_apply(l, i, &op, 0, true, 0, IR_NONE);
}

static void doubled_high(struct arm_lift *l, const struct arm_insn *i, const struct neon_op *op)
{
    if (neon_check(l, neon_odd3(i) || i->size_bits == 0 || i->size_bits == 3))
        neon_apply(l, i, op, i->size_bits, false, 0, IR_NONE);
}

ARM_LIFT(vqdmulh, doubled_high(l, i, &neon_qdmulh))
ARM_LIFT(vqrdmulh, doubled_high(l, i, &neon_qrdmulh))

/* ---- logic ---- */

static ir_val lift_logic(struct arm_lift *l, enum vec_op op, ir_val n, ir_val m)
{
    return neon_v2(l, op, n, m);
}

/* Bits of n where MASK has ones, else of m. */
static ir_val choose(struct arm_lift *l, ir_val mask, ir_val n, ir_val m)
{
    return neon_v2(l, VEC_xor, m, neon_v2(l, VEC_and, mask, neon_v2(l, VEC_xor, n, m)));
}

#define LOGIC(stem, expr)                                                                          \
    static ir_val lift_##stem(struct arm_lift *l, unsigned size, bool u, ir_val d, ir_val n,       \
                              ir_val m)                                                            \
    {                                                                                              \
        (void)size, (void)u, (void)d;                                                              \
        return expr;                                                                               \
    }                                                                                              \
    static const struct neon_op stem##_op = {lift_##stem, NULL};

LOGIC(and, lift_logic(l, VEC_and, n, m))
LOGIC(bic, lift_logic(l, VEC_nand, m, n))
LOGIC(orr, lift_logic(l, VEC_or, n, m))
LOGIC(orn, lift_logic(l, VEC_or, n, neon_not(l, m)))
LOGIC(eor, lift_logic(l, VEC_xor, n, m))
LOGIC(bsl, choose(l, d, n, m))
LOGIC(bit, choose(l, m, n, d))
LOGIC(bif, choose(l, m, d, n))
ARM_LIFT(vand, three(l, i, &and_op, true))
ARM_LIFT(vbic, three(l, i, &bic_op, true))
ARM_LIFT(vorr, three(l, i, &orr_op, true))
ARM_LIFT(vorn, three(l, i, &orn_op, true))
ARM_LIFT(veor, three(l, i, &eor_op, true))
ARM_LIFT(vbsl, three(l, i, &bsl_op, true))
ARM_LIFT(vbit, three(l, i, &bit_op, true))
ARM_LIFT(vbif, three(l, i, &bif_op, true))

/* ---- pairs: doubleword registers only ---- */

static void pairwise(struct arm_lift *l, const struct arm_insn *i, const struct ir_helper *helper)
{
    if (!neon_check(l, i->Q || i->size_bits == 3))
        return;
    neon_put_d(l, i->d,
               neon_help(l, helper, IR_NONE, neon_get_d(l, i->n), neon_get_d(l, i->m),
                         neon_how(i->size_bits, i->U, 0)));
}

NEON_HELPER(vpadd, neon_pairs, IR_H_PURE, n + m)
NEON_HELPER(vpmax, neon_pairs, IR_H_PURE, n > m ? n : m)
NEON_HELPER(vpmin, neon_pairs, IR_H_PURE, n < m ? n : m)
ARM_LIFT(vpadd, pairwise(l, i, &vpadd_helper))
ARM_LIFT(vpmax, pairwise(l, i, &vpmax_helper))
ARM_LIFT(vpmin, pairwise(l, i, &vpmin_helper))
