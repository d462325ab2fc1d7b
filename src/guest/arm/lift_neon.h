/* What the Advanced SIMD lift functions share.
 *
 * Operations work on values of 128 bits; a doubleword register is one whose upper half is 0 when
 * read and does not matter when written. What has no vector operation of IR is a helper that
 * computes a doubleword register at a time, element by element (neon_lanes.h). */
#ifndef GUEST_ARM_LIFT_NEON_H
#define GUEST_ARM_LIFT_NEON_H

#include "guest/arm/lift.h"

/* False, and the instruction is undefined, when Advanced SIMD is disabled (B1.11.1) or UNDEFINED.
 */
static inline bool neon_check(struct arm_lift *l, bool undefined)
{
    if (l->mode & ARM_KEY_NEON && !undefined)
        return true;
    arm_undefined(l);
    return false;
}
/* Has a quadword operand an odd number? */
static inline bool neon_odd3(const struct arm_insn *i)
{
    return i->Q && (i->d | i->n | i->m) & 1;
}
static inline bool neon_odd2(const struct arm_insn *i)
{
    return i->Q && (i->d | i->m) & 1;
}

/* ---- registers: N counts doublewords ---- */
static inline uint32_t neon_slot(unsigned n)
{
    return ARM_OFF(d) + 8 * n;
}
static inline ir_val neon_get_d(struct arm_lift *l, unsigned n)
{
    return ir_get(l->b, IR_I64, neon_slot(n));
}
static inline void neon_put_d(struct arm_lift *l, unsigned n, ir_val v)
{
    ir_put(l->b, IR_I64, neon_slot(n), v);
}
static inline ir_val neon_get(struct arm_lift *l, bool quad, unsigned n)
{
    return quad ? ir_get(l->b, IR_V128, neon_slot(n))
                : ir_v1(l->b, IR_V128, VEC_from_i64, neon_get_d(l, n));
}
static inline void neon_put(struct arm_lift *l, bool quad, unsigned n, ir_val v)
{
    if (quad)
        ir_put(l->b, IR_V128, neon_slot(n), v);
    else
        neon_put_d(l, n, ir_v1(l->b, IR_V128, VEC_to_i64, v));
}

/* ---- vectors ---- */
static inline ir_val neon_v1(struct arm_lift *l, enum vec_op op, ir_val a)
{
    return ir_v1(l->b, IR_V128, op, a);
}
static inline ir_val neon_v2(struct arm_lift *l, enum vec_op op, ir_val a, ir_val b)
{
    return ir_v2(l->b, IR_V128, op, a, b);
}
static inline ir_val neon_v1i(struct arm_lift *l, enum vec_op op, ir_val a, unsigned imm)
{
    return ir_v1i(l->b, IR_V128, op, a, imm);
}
static inline ir_val neon_zero(struct arm_lift *l)
{
    return ir_v0(l->b, IR_V128, VEC_zero);
}
static inline ir_val neon_not(struct arm_lift *l, ir_val v)
{
    return neon_v2(l, VEC_xor, v, ir_v0(l->b, IR_V128, VEC_ones));
}
/* The doublewords LOW and HIGH (I64). */
static inline ir_val neon_join(struct arm_lift *l, ir_val low, ir_val high)
{
    return ir_v2i(l->b, IR_V128, VEC_insert64, ir_v1(l->b, IR_V128, VEC_from_i64, low), high, 1);
}
/* Both doublewords are V. */
ir_val neon_constant(struct arm_lift *l, uint64_t v);
/* The low 1 << SIZE bytes of V, an I32, in every element. */
ir_val neon_dup(struct arm_lift *l, unsigned size, ir_val v);
/* QC is set where the vectors A and B differ. */
void neon_set_qc(struct arm_lift *l, ir_val a, ir_val b);

/* ---- operations ---- */

/* A result of 128 bits from d, n, m, elements of 1 << SIZE bytes, U: unsigned; or IR_NONE: there is
 * none for this size. */
typedef ir_val neon_fn(struct arm_lift *l, unsigned size, bool u, ir_val d, ir_val n, ir_val m);

struct neon_op {
    neon_fn *lift;                  /* may be null */
    const struct ir_helper *helper; /* where that gives nothing; arguments d, n, m, neon_how */
};

/* d = OP(d, n, m). M is a V128, or IR_NONE: register i->m. IMM is handed to the helper. */
void neon_apply(struct arm_lift *l, const struct arm_insn *i, const struct neon_op *op,
                unsigned size, bool u, unsigned imm, ir_val m);
/* The helper's result for doublewords D, N, M; IR_NONE: of no meaning to it. */
ir_val neon_help(struct arm_lift *l, const struct ir_helper *helper, ir_val d, ir_val n, ir_val m,
                 uint32_t how);

#endif
