/* Floating-point operations of Advanced SIMD that several encodings have. */
#ifndef GUEST_ARM_LIFT_NEON_FLOAT_H
#define GUEST_ARM_LIFT_NEON_FLOAT_H

#include "guest/arm/lift_neon_integer.h"

extern const struct neon_op neon_fmul, neon_fmla, neon_fmls;

/* All elements of register m with 0. */
void neon_compare_zero_float(struct arm_lift *, const struct arm_insn *, enum neon_comparison);

#endif
