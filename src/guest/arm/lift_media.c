/* Saturating, packing, extending, reversing and bit-field instructions, ARM DDI 0406C A5.2.6, A5.4.
 */
#include "guest/arm/lift.h"

/* "if d == 15 || n == 15 || m == 15 then UNPREDICTABLE", with SP too in Thumb. Unused fields are 0.
 */
static bool bad_regs(struct arm_lift *l, const struct arm_insn *i)
{
    if (!arm_bad_reg(l, i->d) && !arm_bad_reg(l, i->n) && !arm_bad_reg(l, i->m))
        return false;
    arm_unpredictable(l);
    return true;
}

/* ---- QADD and its sisters: A8.8.134, A8.8.141, A8.8.138, A8.8.139 ---- */

/* The I64 value V saturated to 32 bits; Q is set when it had to be. */
static ir_val saturate32(struct arm_lift *l, ir_val v)
{
    struct ir_builder *b = l->b;
    ir_val sat = ir_smax(b, IR_I64, v, ir_const64(b, (uint64_t)INT32_MIN));

    sat = ir_smin(b, IR_I64, sat, ir_const64(b, INT32_MAX));
    arm_set_q(l, ir_cmp(b, IR_NE, IR_I64, sat, v));
    return ir_trunc(b, IR_I32, sat);
}

static void saturating(struct arm_lift *l, const struct arm_insn *i, enum ir_op op, bool twice)
{
    struct ir_builder *b = l->b;

    if (bad_regs(l, i))
        return;
    ir_val n = ir_sext(b, IR_I64, arm_reg_get(l, i->n));
    ir_val m = ir_sext(b, IR_I64, arm_reg_get(l, i->m));
    if (twice)
        n = ir_sext(b, IR_I64, saturate32(l, ir_add(b, IR_I64, n, n)));
    arm_reg_put(l, i->d, saturate32(l, ir_op2(b, op, IR_I64, m, n, 0)));
}

ARM_LIFT(qadd, saturating(l, i, IR_add, false))
ARM_LIFT(qsub, saturating(l, i, IR_sub, false))
ARM_LIFT(qdadd, saturating(l, i, IR_add, true))
ARM_LIFT(qdsub, saturating(l, i, IR_sub, true))

/* ---- SSAT USAT SSAT16 USAT16: A8.8.193, A8.8.263, A8.8.194, A8.8.264 ---- */

/* V limited to LOW..HIGH; *TRUTH becomes "it was outside". */
static ir_val limit(struct arm_lift *l, ir_val v, uint32_t low, uint32_t high, ir_val *truth)
{
    ir_val sat = ir_smax(l->b, IR_I32, v, arm_const(l, low));

    sat = ir_smin(l->b, IR_I32, sat, arm_const(l, high));
    *truth = ir_cmp(l->b, IR_NE, IR_I32, sat, v);
    return sat;
}

static void range(bool is_signed, unsigned width, uint32_t *low, uint32_t *high)
{
    /* SSAT encodes the width less one: both have WIDTH bits below the sign. */
    *high = (uint32_t)((1ull << width) - 1);
    *low = is_signed ? ~*high : 0;
}

static void saturate(struct arm_lift *l, const struct arm_insn *i, bool is_signed)
{
    uint32_t low, high;
    ir_val outside;

    if (bad_regs(l, i))
        return;
    range(is_signed, i->width, &low, &high);
    ir_val v = arm_shift_imm(l, arm_reg_get(l, i->n), i->shift_type, i->shift_n, NULL);
    v = limit(l, v, low, high, &outside);
    arm_reg_put(l, i->d, v);
    arm_set_q(l, outside);
}

static void saturate16(struct arm_lift *l, const struct arm_insn *i, bool is_signed)
{
    uint32_t low, high;
    ir_val outside1, outside2;

    if (bad_regs(l, i))
        return;
    range(is_signed, i->width, &low, &high);
    ir_val n = arm_reg_get(l, i->n);
    ir_val v1 = limit(l, ir_sbfx(l->b, IR_I32, n, 0, 16), low, high, &outside1);
    ir_val v2 = limit(l, ir_sbfx(l->b, IR_I32, n, 16, 16), low, high, &outside2);
    arm_reg_put(l, i->d, ir_bfi(l->b, IR_I32, ir_ubfx(l->b, IR_I32, v1, 0, 16), v2, 16, 16));
    arm_set_q(l, ir_or(l->b, IR_I32, outside1, outside2));
}

ARM_LIFT(ssat, saturate(l, i, true))
ARM_LIFT(usat, saturate(l, i, false))
ARM_LIFT(ssat16, saturate16(l, i, true))
ARM_LIFT(usat16, saturate16(l, i, false))

/* ---- packing and extending ---- */

/* PKHBT, PKHTB: A8.8.125; the shift type tells them apart. */
void arm_pkh(struct arm_lift *l, const struct arm_insn *i)
{
    if (bad_regs(l, i))
        return;
    ir_val n = arm_reg_get(l, i->n), m = arm_shifted_m(l, NULL);
    if (i->shift_type == ARM_LSL)
        arm_reg_put(l, i->d, ir_bfi(l->b, IR_I32, m, n, 0, 16));
    else
        arm_reg_put(l, i->d, ir_bfi(l->b, IR_I32, n, m, 0, 16));
}

static void extend(struct arm_lift *l, const struct arm_insn *i, bool is_signed, unsigned width,
                   bool add)
{
    struct ir_builder *b = l->b;

    if (bad_regs(l, i))
        return;
    ir_val v = ir_ror(b, IR_I32, arm_reg_get(l, i->m), arm_const(l, 8u * i->rotate));
    v = is_signed ? ir_sbfx(b, IR_I32, v, 0, width) : ir_ubfx(b, IR_I32, v, 0, width);
    if (add)
        v = ir_add(b, IR_I32, arm_reg_get(l, i->n), v);
    arm_reg_put(l, i->d, v);
}

/* SXTB and so on: A8.8.230 to A8.8.235, A8.8.271 to A8.8.276 */
ARM_LIFT(sxtb, extend(l, i, true, 8, false))
ARM_LIFT(sxth, extend(l, i, true, 16, false))
ARM_LIFT(uxtb, extend(l, i, false, 8, false))
ARM_LIFT(uxth, extend(l, i, false, 16, false))
ARM_LIFT(sxtab, extend(l, i, true, 8, true))
ARM_LIFT(sxtah, extend(l, i, true, 16, true))
ARM_LIFT(uxtab, extend(l, i, false, 8, true))
ARM_LIFT(uxtah, extend(l, i, false, 16, true))

/* Two bytes to two halfwords: A8.8.231, A8.8.234, A8.8.272, A8.8.275 */
static void extend16(struct arm_lift *l, const struct arm_insn *i, bool is_signed, bool add)
{
    struct ir_builder *b = l->b;

    if (bad_regs(l, i))
        return;
    ir_val v = ir_ror(b, IR_I32, arm_reg_get(l, i->m), arm_const(l, 8u * i->rotate));
    ir_val low = is_signed ? ir_sbfx(b, IR_I32, v, 0, 8) : ir_ubfx(b, IR_I32, v, 0, 8);
    ir_val high = is_signed ? ir_sbfx(b, IR_I32, v, 16, 8) : ir_ubfx(b, IR_I32, v, 16, 8);
    if (add) {
        ir_val n = arm_reg_get(l, i->n);
        low = ir_add(b, IR_I32, low, n);
        high = ir_add(b, IR_I32, high, ir_shr(b, IR_I32, n, arm_const(l, 16)));
    }
    arm_reg_put(l, i->d, ir_bfi(b, IR_I32, low, high, 16, 16));
}

ARM_LIFT(sxtb16, extend16(l, i, true, false))
ARM_LIFT(uxtb16, extend16(l, i, false, false))
ARM_LIFT(sxtab16, extend16(l, i, true, true))
ARM_LIFT(uxtab16, extend16(l, i, false, true))

/* SEL: A8.8.166 */
void arm_sel(struct arm_lift *l, const struct arm_insn *i)
{
    struct ir_builder *b = l->b;

    if (bad_regs(l, i))
        return;
    /* The four GE bits spread to bits 0, 8, 16, 24, then to bytes of ones. */
    ir_val ge = ir_mul(b, IR_I32, arm_state_get(l, ARM_OFF(ge)), arm_const(l, 0x00204081));
    ir_val mask =
        ir_mul(b, IR_I32, ir_and(b, IR_I32, ge, arm_const(l, 0x01010101)), arm_const(l, 0xff));
    ir_val n = ir_and(b, IR_I32, arm_reg_get(l, i->n), mask);
    ir_val m = ir_andn(b, IR_I32, arm_reg_get(l, i->m), mask);
    arm_reg_put(l, i->d, ir_or(b, IR_I32, n, m));
}

/* ---- counting and reversing ---- */

/* CLZ: A8.8.33 */
void arm_clz(struct arm_lift *l, const struct arm_insn *i)
{
    if (!bad_regs(l, i))
        arm_reg_put(l, i->d, ir_clz(l->b, IR_I32, arm_reg_get(l, i->m)));
}

/* REV: A8.8.145 */
void arm_rev(struct arm_lift *l, const struct arm_insn *i)
{
    if (!bad_regs(l, i))
        arm_reg_put(l, i->d, ir_bswap(l->b, IR_I32, arm_reg_get(l, i->m)));
}

/* REV16: A8.8.146 */
void arm_rev16(struct arm_lift *l, const struct arm_insn *i)
{
    if (bad_regs(l, i))
        return;
    ir_val v = ir_bswap(l->b, IR_I32, arm_reg_get(l, i->m));
    arm_reg_put(l, i->d, ir_ror(l->b, IR_I32, v, arm_const(l, 16)));
}

/* REVSH: A8.8.147 */
void arm_revsh(struct arm_lift *l, const struct arm_insn *i)
{
    if (bad_regs(l, i))
        return;
    ir_val v = ir_bswap(l->b, IR_I32, arm_reg_get(l, i->m));
    arm_reg_put(l, i->d, ir_sar(l->b, IR_I32, v, arm_const(l, 16)));
}

/* Swaps the neighbouring groups of SHIFT bits; MASK has the lower group of each pair. */
static ir_val swap_bits(struct arm_lift *l, ir_val v, uint32_t mask, unsigned shift)
{
    struct ir_builder *b = l->b;
    ir_val up = ir_shl(b, IR_I32, ir_and(b, IR_I32, v, arm_const(l, mask)), arm_const(l, shift));
    ir_val down = ir_and(b, IR_I32, ir_shr(b, IR_I32, v, arm_const(l, shift)), arm_const(l, mask));

    return ir_or(b, IR_I32, up, down);
}

/* RBIT: A8.8.144 */
void arm_rbit(struct arm_lift *l, const struct arm_insn *i)
{
    if (bad_regs(l, i))
        return;
    ir_val v = ir_bswap(l->b, IR_I32, arm_reg_get(l, i->m));
    v = swap_bits(l, v, 0x0f0f0f0f, 4);
    v = swap_bits(l, v, 0x33333333, 2);
    arm_reg_put(l, i->d, swap_bits(l, v, 0x55555555, 1));
}

/* ---- bit fields: width is the field's width less one, or its msb in BFI and BFC ---- */

static void extract(struct arm_lift *l, const struct arm_insn *i, bool is_signed)
{
    if (bad_regs(l, i))
        return;
    if (i->lsb + i->width > 31) { /* A8.8.164, A8.8.246: UNPREDICTABLE */
        arm_unpredictable(l);
        return;
    }
    ir_val n = arm_reg_get(l, i->n);
    unsigned width = i->width + 1u;
    arm_reg_put(l, i->d,
                is_signed ? ir_sbfx(l->b, IR_I32, n, i->lsb, width)
                          : ir_ubfx(l->b, IR_I32, n, i->lsb, width));
}

ARM_LIFT(sbfx, extract(l, i, true))
ARM_LIFT(ubfx, extract(l, i, false))

static void insert(struct arm_lift *l, const struct arm_insn *i, ir_val v)
{
    if (i->width < i->lsb) { /* A8.8.19, A8.8.20: UNPREDICTABLE */
        arm_unpredictable(l);
        return;
    }
    arm_reg_put(l, i->d,
                ir_bfi(l->b, IR_I32, arm_reg_get(l, i->d), v, i->lsb, i->width - i->lsb + 1u));
}

/* BFI: A8.8.20 */
void arm_bfi(struct arm_lift *l, const struct arm_insn *i)
{
    if (!bad_regs(l, i))
        insert(l, i, arm_reg_get(l, i->n));
}

/* BFC: A8.8.19 */
void arm_bfc(struct arm_lift *l, const struct arm_insn *i)
{
    if (!bad_regs(l, i))
        insert(l, i, arm_const(l, 0));
}
