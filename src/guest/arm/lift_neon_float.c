/* Advanced SIMD arithmetic on single-precision numbers: three registers, ARM DDI 0406C A7.4.1, and
 * comparison with zero, absolute value, negation and estimates, A7.4.5. */
#include "guest/arm/lift_neon_float.h"
#include "guest/arm/neon_float.h"
#include "guest/arm/neon_lanes.h"

/* Bit 20 must be 0. */
static void three(struct arm_lift *l, const struct arm_insn *i, const struct neon_op *op)
{
    if (neon_check(l, neon_odd3(i) || i->size_bits))
        neon_apply(l, i, op, 2, true, 0, IR_NONE);
}

/* A helper for each doubleword, and the operation it makes. */
#define OPERATION(name, expr)                                                                      \
    NEON_FLOAT_HELPER(name, neon_float_same, expr)                                                 \
    static const struct neon_op name##_op = {NULL, &name##_helper};

/* ---- arithmetic ---- */

OPERATION(fadd, fp_add32(env, n, m))
OPERATION(fsub, fp_sub32(env, n, m))
NEON_FLOAT_HELPER(fmul, neon_float_same, fp_mul32(env, n, m))
NEON_FLOAT_HELPER(fmla, neon_float_same, fp_add32(env, d, fp_mul32(env, n, m)))
NEON_FLOAT_HELPER(fmls, neon_float_same, fp_sub32(env, d, fp_mul32(env, n, m)))
OPERATION(fma, fp_fmaneg32(env, n, m, d, 0))
OPERATION(fms, fp_fmaneg32(env, n, m, d, FP_NEG_PRODUCT))
OPERATION(fabd, fp_sub32(env, n, m) & ~NEON_SIGN)
OPERATION(fmax, neon_float_max(env, n, m))
OPERATION(fmin, neon_float_min(env, n, m))
OPERATION(recps, neon_recip_step(env, n, m))
OPERATION(rsqrts, neon_rsqrt_step(env, n, m))

const struct neon_op neon_fmul = {NULL, &fmul_helper}, neon_fmla = {NULL, &fmla_helper};
const struct neon_op neon_fmls = {NULL, &fmls_helper};
ARM_LIFT(vadd_simd, three(l, i, &fadd_op))
ARM_LIFT(vsub_simd, three(l, i, &fsub_op))
ARM_LIFT(vmul_simd, three(l, i, &neon_fmul))
ARM_LIFT(vmla_simd, three(l, i, &neon_fmla))
ARM_LIFT(vmls_simd, three(l, i, &neon_fmls))
ARM_LIFT(vfma_simd, three(l, i, &fma_op))
ARM_LIFT(vfms_simd, three(l, i, &fms_op))
ARM_LIFT(vabd_simd, three(l, i, &fabd_op))
ARM_LIFT(vmax_simd, three(l, i, &fmax_op))
ARM_LIFT(vmin_simd, three(l, i, &fmin_op))
ARM_LIFT(vrecps, three(l, i, &recps_op))
ARM_LIFT(vrsqrts, three(l, i, &rsqrts_op))

/* ---- comparison ---- */

/* All ones if the flags of a comparison are among WANTED: bit f for the flags nibble f. */
static uint32_t holds(uint32_t flags, uint32_t wanted)
{
    return wanted >> flags & 1 ? UINT32_MAX : 0;
}

enum { LESS = 1 << 8, EQUAL = 1 << 6, GREATER = 1 << 2 };

static uint32_t absolute(uint32_t v)
{
    return v & ~NEON_SIGN;
}

OPERATION(fceq, holds(fp_cmp32(env, n, m, false), EQUAL))
OPERATION(fcge, holds(fp_cmp32(env, n, m, true), EQUAL | GREATER))
OPERATION(fcgt, holds(fp_cmp32(env, n, m, true), GREATER))
NEON_FLOAT_HELPER(fcle, neon_float_same, holds(fp_cmp32(env, n, m, true), EQUAL | LESS))
NEON_FLOAT_HELPER(fclt, neon_float_same, holds(fp_cmp32(env, n, m, true), LESS))
OPERATION(facge, holds(fp_cmp32(env, absolute(n), absolute(m), true), EQUAL | GREATER))
OPERATION(facgt, holds(fp_cmp32(env, absolute(n), absolute(m), true), GREATER))
ARM_LIFT(vceq_simd, three(l, i, &fceq_op))
ARM_LIFT(vcge_simd, three(l, i, &fcge_op))
ARM_LIFT(vcgt_simd, three(l, i, &fcgt_op))
ARM_LIFT(vacge, three(l, i, &facge_op))
ARM_LIFT(vacgt, three(l, i, &facgt_op))

void neon_compare_zero_float(struct arm_lift *l, const struct arm_insn *i,
                             enum neon_comparison what)
{
    static const struct neon_op op[] = {
        [NEON_GT] = {NULL, &fcgt_helper}, [NEON_GE] = {NULL, &fcge_helper},
        [NEON_EQ] = {NULL, &fceq_helper}, [NEON_LE] = {NULL, &fcle_helper},
        [NEON_LT] = {NULL, &fclt_helper},
    };
    struct arm_insn of = *i;

    of.n = i->m;
    neon_apply(l, &of, &op[what], 2, true, 0, neon_zero(l));
}

/* ---- pairs ---- */

static void pairwise(struct arm_lift *l, const struct arm_insn *i, const struct ir_helper *helper)
{
    if (neon_check(l, i->Q || i->size_bits))
        neon_put_d(l, i->d,
                   neon_help(l, helper, IR_NONE, neon_get_d(l, i->n), neon_get_d(l, i->m), 0));
}

NEON_FLOAT_HELPER(fpadd, neon_float_pairs, fp_add32(env, n, m))
NEON_FLOAT_HELPER(fpmax, neon_float_pairs, neon_float_max(env, n, m))
NEON_FLOAT_HELPER(fpmin, neon_float_pairs, neon_float_min(env, n, m))
ARM_LIFT(vpadd_simd, pairwise(l, i, &fpadd_helper))
ARM_LIFT(vpmax_simd, pairwise(l, i, &fpmax_helper))
ARM_LIFT(vpmin_simd, pairwise(l, i, &fpmin_helper))

/* ---- one operand: words only ---- */

static void one(struct arm_lift *l, const struct arm_insn *i, const struct ir_helper *helper,
                unsigned imm)
{
    struct arm_insn of = *i;

    of.n = i->m;
    neon_apply(l, &of, &(struct neon_op){NULL, helper}, 2, true, imm, IR_NONE);
}

NEON_FLOAT_HELPER(recpe, neon_float_same, neon_recip_estimate(env, n))
NEON_FLOAT_HELPER(rsqrte, neon_float_same, neon_rsqrt_estimate(env, n))
NEON_FLOAT_HELPER(recpe_fixed, neon_float_same, neon_recip_estimate_fixed(n))
NEON_FLOAT_HELPER(rsqrte_fixed, neon_float_same, neon_rsqrt_estimate_fixed(n))

static void words(struct arm_lift *l, const struct arm_insn *i, const struct ir_helper *helper,
                  unsigned imm)
{
    if (neon_check(l, neon_odd2(i) || i->size_bits != 2))
        one(l, i, helper, imm);
}

ARM_LIFT(vrecpe, words(l, i, i->W ? &recpe_helper : &recpe_fixed_helper, 0))
ARM_LIFT(vrsqrte, words(l, i, i->W ? &rsqrte_helper : &rsqrte_fixed_helper, 0))

/* ---- conversion: imm is the number of fraction bits ---- */

NEON_FLOAT_HELPER(toint_s, neon_float_same, (uint32_t)fp_toint32(env, n, 32, true, imm, FP_RZ))
NEON_FLOAT_HELPER(toint_u, neon_float_same, (uint32_t)fp_toint32(env, n, 32, false, imm, FP_RZ))
NEON_FLOAT_HELPER(fromint_s, neon_float_same,
                  fp_fromint32(env, (uint64_t)(int32_t)n, true, imm, FP_RN))
NEON_FLOAT_HELPER(fromint_u, neon_float_same, fp_fromint32(env, n, false, imm, FP_RN))

ARM_LIFT(vcvt_toint_simd, words(l, i, i->U ? &toint_u_helper : &toint_s_helper, 0))
ARM_LIFT(vcvt_int_simd, words(l, i, i->U ? &fromint_u_helper : &fromint_s_helper, 0))

static void fixed(struct arm_lift *l, const struct arm_insn *i, const struct ir_helper *helper)
{
    if (neon_check(l, neon_odd2(i) || i->imm < 32))
        one(l, i, helper, 64 - i->imm);
}

ARM_LIFT(vcvt_tofixed_simd, fixed(l, i, i->U ? &toint_u_helper : &toint_s_helper))
ARM_LIFT(vcvt_fixed_simd, fixed(l, i, i->U ? &fromint_u_helper : &fromint_s_helper))

/* ---- half precision ---- */

/* Two of the numbers of n. */
static uint64_t halves_to_words(struct nw_vcpu *vcpu, uint64_t d, uint64_t n, uint64_t m,
                                uint64_t how)
{
    struct fp_env env = neon_standard(vcpu);
    uint64_t low = fp_16to32(&env, (uint16_t)n), high = fp_16to32(&env, (uint16_t)(n >> 16));

    (void)d, (void)m, (void)how;
    vcpu->fp.flags |= env.flags;
    return high << 32 | low;
}

/* The numbers of n and of m. */
static uint64_t words_to_halves(struct nw_vcpu *vcpu, uint64_t d, uint64_t n, uint64_t m,
                                uint64_t how)
{
    struct fp_env env = neon_standard(vcpu);
    uint32_t word[4] = {(uint32_t)n, (uint32_t)(n >> 32), (uint32_t)m, (uint32_t)(m >> 32)};
    uint64_t out = 0;

    (void)d, (void)how;
    for (unsigned k = 0; k < 4; k++)
        out |= (uint64_t)fp_32to16(&env, word[k]) << 16 * k;
    vcpu->fp.flags |= env.flags;
    return out;
}

void arm_vcvt_f32_f16_simd(struct arm_lift *l, const struct arm_insn *i)
{
    static const struct ir_helper helper = {"halves_to_words", halves_to_words, 0, IR_I64, 4};

    if (!neon_check(l, i->size_bits != 1 || i->d & 1))
        return;
    ir_val m = neon_get_d(l, i->m), upper = ir_shr(l->b, IR_I64, m, arm_const(l, 32));
    ir_val low = neon_help(l, &helper, IR_NONE, m, IR_NONE, 0);
    neon_put_d(l, i->d + 1u, neon_help(l, &helper, IR_NONE, upper, IR_NONE, 0));
    neon_put_d(l, i->d, low);
}

void arm_vcvt_f16_f32_simd(struct arm_lift *l, const struct arm_insn *i)
{
    static const struct ir_helper helper = {"words_to_halves", words_to_halves, 0, IR_I64, 4};

    if (neon_check(l, i->size_bits != 1 || i->m & 1))
        neon_put_d(
            l, i->d,
            neon_help(l, &helper, IR_NONE, neon_get_d(l, i->m), neon_get_d(l, i->m + 1u), 0));
}
