/* Advanced SIMD: two registers and a scalar, the result as long as they are, ARM DDI 0406C A7.4.3.
 */
#include "guest/arm/lift_neon.h"
#include "guest/arm/lift_neon_float.h"
#include "guest/arm/lift_neon_integer.h"

/* Halfwords are in D0 to D7, words in D0 to D15. */
ir_val neon_scalar(struct arm_lift *l, const struct arm_insn *i, unsigned size)
{
    unsigned n = size == 1 ? i->m & 7 : i->m & 15;
    unsigned index = size == 1 ? i->m >> 3 : i->m >> 4;
    unsigned at = index << size;

    ir_val word = ir_get(l->b, IR_I32, neon_slot(n) + (at & ~3u));
    if (size == 1 && at & 2)
        word = ir_shr(l->b, IR_I32, word, arm_const(l, 16));
    return neon_dup(l, size, word);
}

static bool odd(const struct arm_insn *i)
{
    return i->Q && (i->d | i->n) & 1;
}

static void integer(struct arm_lift *l, const struct arm_insn *i, const struct neon_op *op)
{
    unsigned size = i->size_bits;

    if (neon_check(l, size == 0 || size == 3 || odd(i)))
        neon_apply(l, i, op, size, false, 0, neon_scalar(l, i, size));
}

ARM_LIFT(vmul_scalar, integer(l, i, &neon_mul))
ARM_LIFT(vmla_scalar, integer(l, i, &neon_mla))
ARM_LIFT(vmls_scalar, integer(l, i, &neon_mls))
ARM_LIFT(vqdmulh_scalar, integer(l, i, &neon_qdmulh))
ARM_LIFT(vqrdmulh_scalar, integer(l, i, &neon_qrdmulh))

static void floating(struct arm_lift *l, const struct arm_insn *i, const struct neon_op *op)
{
    if (neon_check(l, i->size_bits != 2 || odd(i)))
        neon_apply(l, i, op, 2, true, 0, neon_scalar(l, i, 2));
}

ARM_LIFT(vmul_simd_scalar, floating(l, i, &neon_fmul))
ARM_LIFT(vmla_simd_scalar, floating(l, i, &neon_fmla))
ARM_LIFT(vmls_simd_scalar, floating(l, i, &neon_fmls))
