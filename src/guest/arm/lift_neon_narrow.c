/* Advanced SIMD: what makes elements narrower: VMOVN, VQMOVN, VQMOVUN (ARM DDI 0406C A7.4.5), VSHRN
 * and its sisters (A7.4.4), VADDHN, VSUBHN (A7.4.2). SIZE is that of the narrow elements. */
#include "guest/arm/lift_neon.h"
#include "guest/arm/lift_neon_integer.h"
#include "guest/arm/neon_lanes.h"

/* The low halves of the elements, or the HIGH ones, in the low half of the result. */
static ir_val halves(struct arm_lift *l, unsigned size, bool high, ir_val v)
{
    static const uint64_t bytes[2][2] = {{0x0e0c0a0806040200, 0x0d0c090805040100},
                                         {0x0f0d0b0907050301, 0x0f0e0b0a07060302}};

    if (size == 2)
        return neon_v1i(l, VEC_shuf32_lane, v, high ? 0x0d : 0x08);
    return neon_v2(l, VEC_shuf8_lane, v, neon_constant(l, bytes[high][size]));
}

/* ---- saturating ---- */

NEON_HELPER(vqmovn, neon_narrow, 0, neon_sat(k, n))
NEON_HELPER(vqmovun, neon_narrow, 0, neon_sat_to(k, n, k->bits, true))

/* No vector operation saturates 64 bits to 32. */
static void saturate_words(struct arm_lift *l, const struct arm_insn *i, bool from_u, bool to_u,
                           ir_val v)
{
    const struct ir_helper *helper = from_u == to_u ? &vqmovn_helper : &vqmovun_helper;
    uint32_t how = neon_how(2, from_u, 0);
    ir_val low = neon_help(l, helper, IR_NONE, neon_v1(l, VEC_to_i64, v), IR_NONE, how);
    ir_val high = neon_help(l, helper, IR_NONE, neon_v1i(l, VEC_extract64, v, 1), IR_NONE, how);

    high = ir_shl(l->b, IR_I64, high, arm_const(l, 32));
    neon_put_d(l, i->d, ir_or(l->b, IR_I64, low, high));
}

/* d = the elements of V saturated; QC is set where widening does not bring them back. */
static void saturate(struct arm_lift *l, const struct arm_insn *i, unsigned size, bool from_u,
                     bool to_u, ir_val v)
{
    static const enum vec_op pack[2][2] = {{VEC_packs16_lane, VEC_packs32_lane},
                                           {VEC_packu16_lane, VEC_packu32_lane}};
    static const uint64_t limit[] = {0x00ff00ff00ff00ff, 0x0000ffff0000ffff};
    ir_val out;

    if (size == 2) {
        saturate_words(l, i, from_u, to_u, v);
        return;
    }
    if (from_u) { /* the pack's operands are signed */
        static const enum vec_op min[] = {VEC_minu16, VEC_minu32};
        out = halves(l, size, false, neon_v2(l, min[size], v, neon_constant(l, limit[size])));
    } else {
        out = neon_v2(l, pack[to_u][size], v, v);
    }
    neon_set_qc(l, neon_widen(l, size, to_u, out), v);
    neon_put(l, false, i->d, out);
}

static void move_saturated(struct arm_lift *l, const struct arm_insn *i, bool from_u, bool to_u)
{
    if (neon_check(l, i->m & 1 || i->size_bits == 3))
        saturate(l, i, i->size_bits, from_u, to_u, neon_get(l, true, i->m));
}

ARM_LIFT(vqmovn, move_saturated(l, i, i->U, i->U))
ARM_LIFT(vqmovun, move_saturated(l, i, false, true))

void arm_vmovn(struct arm_lift *l, const struct arm_insn *i)
{
    if (neon_check(l, i->m & 1 || i->size_bits == 3))
        neon_put(l, false, i->d, halves(l, i->size_bits, false, neon_get(l, true, i->m)));
}

/* ---- shifted to the right ---- */

static ir_val shifted(struct arm_lift *l, const struct arm_insn *i, bool u)
{
    struct neon_amount a = neon_amount_of(i);
    ir_val m = neon_get(l, true, i->m);

    return i->R ? neon_round_right(l, a.size + 1, u, m, a.right)
                : neon_shift_right(l, a.size + 1, u, m, a.right);
}

static void shift_saturated(struct arm_lift *l, const struct arm_insn *i, bool from_u, bool to_u)
{
    if (neon_check(l, i->m & 1))
        saturate(l, i, neon_amount_of(i).size, from_u, to_u, shifted(l, i, from_u));
}

ARM_LIFT(vqshrn_imm, shift_saturated(l, i, i->U, i->U))
ARM_LIFT(vqshrun_imm, shift_saturated(l, i, false, true))

void arm_vshrn_imm(struct arm_lift *l, const struct arm_insn *i)
{
    if (neon_check(l, i->m & 1))
        neon_put(l, false, i->d, halves(l, neon_amount_of(i).size, false, shifted(l, i, true)));
}

/* ---- the high halves of sums and differences ---- */

static void high_half(struct arm_lift *l, const struct arm_insn *i, bool subtract)
{
    static const uint64_t half[] = {0x0080008000800080, 0x0000800000008000, 0x80000000};
    unsigned size = i->size_bits;

    if (!neon_check(l, (i->n | i->m) & 1 || size == 3))
        return;
    ir_val n = neon_get(l, true, i->n), m = neon_get(l, true, i->m);
    ir_val v = subtract ? neon_sub(l, size + 1, n, m) : neon_add(l, size + 1, n, m);
    if (i->R)
        v = neon_add(l, size + 1, v, neon_constant(l, half[size]));
    neon_put(l, false, i->d, halves(l, size, true, v));
}

ARM_LIFT(vaddhn, high_half(l, i, false))
ARM_LIFT(vsubhn, high_half(l, i, true))
