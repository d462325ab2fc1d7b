/* Advanced SIMD: three registers of different lengths whose result is the longer one, ARM DDI 0406C
 * A7.4.2, and their forms by scalar, A7.4.3. Narrowing ones are in lift_neon_narrow.c. */
#include "guest/arm/lift_neon.h"
#include "guest/arm/lift_neon_integer.h"
#include "guest/arm/neon_lanes.h"

ir_val neon_widen(struct arm_lift *l, unsigned size, bool u, ir_val v)
{
    static const enum vec_op op[2][3] = {{VEC_sext8to16, VEC_sext16to32, VEC_sext32to64},
                                         {VEC_zext8to16, VEC_zext16to32, VEC_zext32to64}};

    return neon_v1(l, op[u][size], v);
}

/* The scalar of a long operation in all elements of a doubleword, or register m. */
static ir_val second(struct arm_lift *l, const struct arm_insn *i, bool scalar)
{
    return scalar ? neon_scalar(l, i, i->size_bits) : neon_get(l, false, i->m);
}

/* ---- sums and differences ---- */

enum { WIDE = 1, SUBTRACT = 2 };

static void sum(struct arm_lift *l, const struct arm_insn *i, unsigned how)
{
    unsigned size = i->size_bits;

    if (!neon_check(l, size == 3 || i->d & 1 || (how & WIDE && i->n & 1)))
        return;
    ir_val n =
        how & WIDE ? neon_get(l, true, i->n) : neon_widen(l, size, i->U, neon_get(l, false, i->n));
    ir_val m = neon_widen(l, size, i->U, neon_get(l, false, i->m));
    neon_put(l, true, i->d,
             how & SUBTRACT ? neon_sub(l, size + 1, n, m) : neon_add(l, size + 1, n, m));
}

ARM_LIFT(vaddl, sum(l, i, 0))
ARM_LIFT(vaddw, sum(l, i, WIDE))
ARM_LIFT(vsubl, sum(l, i, SUBTRACT))
ARM_LIFT(vsubw, sum(l, i, SUBTRACT | WIDE))

/* An absolute difference fits the narrow elements as an unsigned number. */
static void difference(struct arm_lift *l, const struct arm_insn *i, bool accumulate)
{
    unsigned size = i->size_bits;

    if (!neon_check(l, size == 3 || i->d & 1))
        return;
    ir_val v =
        neon_abs_difference(l, size, i->U, neon_get(l, false, i->n), neon_get(l, false, i->m));
    v = neon_widen(l, size, true, v);
    if (accumulate)
        v = neon_add(l, size + 1, neon_get(l, true, i->d), v);
    neon_put(l, true, i->d, v);
}

ARM_LIFT(vabdl, difference(l, i, false))
ARM_LIFT(vabal, difference(l, i, true))

/* ---- products ---- */

static ir_val product(struct arm_lift *l, unsigned size, bool u, ir_val n, ir_val m)
{
    n = neon_widen(l, size, u, n);
    m = neon_widen(l, size, u, m);
    if (size == 2)
        return neon_v2(l, u ? VEC_mulwu32 : VEC_mulws32, n, m);
    return neon_multiply(l, size + 1, n, m);
}

/* Scalars have no bytes. */
static bool is_defined(const struct arm_insn *i, bool scalar)
{
    return i->size_bits != 3 && !(i->d & 1) && !(scalar && i->size_bits == 0);
}

enum { ALONE, ADDED, SUBTRACTED };

static void multiply(struct arm_lift *l, const struct arm_insn *i, unsigned what, bool scalar)
{
    unsigned size = i->size_bits;

    if (!neon_check(l, !is_defined(i, scalar)))
        return;
    ir_val v = product(l, size, i->U, neon_get(l, false, i->n), second(l, i, scalar));
    if (what == ADDED)
        v = neon_add(l, size + 1, neon_get(l, true, i->d), v);
    else if (what == SUBTRACTED)
        v = neon_sub(l, size + 1, neon_get(l, true, i->d), v);
    neon_put(l, true, i->d, v);
}

ARM_LIFT(vmull, multiply(l, i, ALONE, false))
ARM_LIFT(vmlal, multiply(l, i, ADDED, false))
ARM_LIFT(vmlsl, multiply(l, i, SUBTRACTED, false))
ARM_LIFT(vmull_scalar, multiply(l, i, ALONE, true))
ARM_LIFT(vmlal_scalar, multiply(l, i, ADDED, true))
ARM_LIFT(vmlsl_scalar, multiply(l, i, SUBTRACTED, true))

/* ---- by helpers ---- */

static neon_wide doubled(struct neon_lane *k, neon_wide n, neon_wide m)
{
    return neon_sat_to(k, 2 * n * m, 2 * k->bits, false);
}

NEON_HELPER(vqdmull, neon_long, 0, doubled(k, n, m))
NEON_HELPER(vqdmlal, neon_long, 0, neon_sat_to(k, d + doubled(k, n, m), 2 * k->bits, false))
NEON_HELPER(vqdmlsl, neon_long, 0, neon_sat_to(k, d - doubled(k, n, m), 2 * k->bits, false))

/* HELPER on each half. Both results come before either is written: n and m may be parts of d. */
static void by_halves(struct arm_lift *l, const struct arm_insn *i, const struct ir_helper *helper,
                      bool u, ir_val m)
{
    ir_val n = neon_get_d(l, i->n), thirty_two = arm_const(l, 32), v[2];
    uint32_t how = neon_how(i->size_bits, u, 0);

    m = neon_v1(l, VEC_to_i64, m);
    v[0] = neon_help(l, helper, neon_get_d(l, i->d), n, m, how);
    v[1] = neon_help(l, helper, neon_get_d(l, i->d + 1u), ir_shr(l->b, IR_I64, n, thirty_two),
                     ir_shr(l->b, IR_I64, m, thirty_two), how);
    neon_put_d(l, i->d, v[0]);
    neon_put_d(l, i->d + 1u, v[1]);
}

static void multiply_doubled(struct arm_lift *l, const struct arm_insn *i,
                             const struct ir_helper *helper, bool scalar)
{
    if (neon_check(l, !is_defined(i, scalar) || i->size_bits == 0))
        by_halves(l, i, helper, false, second(l, i, scalar));
}

ARM_LIFT(vqdmull, multiply_doubled(l, i, &vqdmull_helper, false))
ARM_LIFT(vqdmlal, multiply_doubled(l, i, &vqdmlal_helper, false))
ARM_LIFT(vqdmlsl, multiply_doubled(l, i, &vqdmlsl_helper, false))
ARM_LIFT(vqdmull_scalar, multiply_doubled(l, i, &vqdmull_helper, true))
ARM_LIFT(vqdmlal_scalar, multiply_doubled(l, i, &vqdmlal_helper, true))
ARM_LIFT(vqdmlsl_scalar, multiply_doubled(l, i, &vqdmlsl_helper, true))

void arm_vmull_poly(struct arm_lift *l, const struct arm_insn *i)
{
    if (neon_check(l, i->size_bits || i->d & 1))
        by_halves(l, i, neon_mull_poly, true, neon_get(l, false, i->m));
}
