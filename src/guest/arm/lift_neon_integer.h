/* Integer operations of Advanced SIMD that several encodings have. */
#ifndef GUEST_ARM_LIFT_NEON_INTEGER_H
#define GUEST_ARM_LIFT_NEON_INTEGER_H

#include "guest/arm/lift_neon.h"

/* Modulo the elements' width, of 1 << SIZE bytes. */
ir_val neon_add(struct arm_lift *, unsigned size, ir_val n, ir_val m);
ir_val neon_sub(struct arm_lift *, unsigned size, ir_val n, ir_val m);
ir_val neon_multiply(struct arm_lift *, unsigned size, ir_val n, ir_val m); /* size < 3 */

/* Signed; all ones or 0. */
enum neon_comparison { NEON_GT, NEON_GE, NEON_EQ, NEON_LE, NEON_LT };
ir_val neon_compare(struct arm_lift *, enum neon_comparison, unsigned size, ir_val n, ir_val m);

/* N up to the elements' width; U: zeros come in, else the sign. */
ir_val neon_shift_left(struct arm_lift *, unsigned size, ir_val v, unsigned n);
ir_val neon_shift_right(struct arm_lift *, unsigned size, bool u, ir_val v, unsigned n);
/* … N at least 1, rounded to nearest, up between two. */
ir_val neon_round_right(struct arm_lift *, unsigned size, bool u, ir_val v, unsigned n);

/* What L:imm6 says (A7.4.4): its highest one the size, what is below the amount. */
struct neon_amount {
    unsigned size; /* of the elements; narrow ones where there are two widths */
    unsigned left, right;
};
struct neon_amount neon_amount_of(const struct arm_insn *);

/* The scalar of I (A7.4.3), of 1 << SIZE bytes, in all elements. */
ir_val neon_scalar(struct arm_lift *, const struct arm_insn *, unsigned size);
/* |n - m|, size < 3 */
ir_val neon_abs_difference(struct arm_lift *, unsigned size, bool u, ir_val n, ir_val m);
/* The low half of V to elements of twice the width, which was 1 << SIZE bytes. */
ir_val neon_widen(struct arm_lift *, unsigned size, bool u, ir_val v);

extern const struct neon_op neon_mul, neon_mla, neon_mls, neon_qdmulh, neon_qrdmulh;
extern const struct ir_helper *const neon_mull_poly; /* as neon_long */

#endif
