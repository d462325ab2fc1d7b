/* Advanced SIMD: constants, duplication, QC, and the walk over doubleword registers. */
#include "guest/arm/lift_neon.h"

#include "guest/arm/neon_lanes.h"

ir_val neon_constant(struct arm_lift *l, uint64_t v)
{
    if (!v)
        return neon_zero(l);
    return neon_v1(l, VEC_dup64, neon_v1(l, VEC_from_i64, ir_const64(l->b, v)));
}

ir_val neon_dup(struct arm_lift *l, unsigned size, ir_val v)
{
    static const enum vec_op dup[] = {VEC_dup8, VEC_dup16, VEC_dup32};

    return neon_v1(l, dup[size], neon_v1(l, VEC_from_i32, v));
}

/* A test of x & x has CF, and ZF when x is 0. */
void neon_set_qc(struct arm_lift *l, ir_val a, ir_val b)
{
    ir_val x = neon_v2(l, VEC_xor, a, b);
    ir_val differ = ir_xor(l->b, IR_I32, ir_v2(l->b, IR_V128, VEC_test, x, x), arm_const(l, 0x41));

    arm_state_put(l, ARM_OFF(qc), ir_or(l->b, IR_I32, arm_state_get(l, ARM_OFF(qc)), differ));
}

ir_val neon_help(struct arm_lift *l, const struct ir_helper *helper, ir_val d, ir_val n, ir_val m,
                 uint32_t how)
{
    ir_val zero = ir_const64(l->b, 0);

    return arm_call(l, helper, d == IR_NONE ? zero : d, n == IR_NONE ? zero : n,
                    m == IR_NONE ? zero : m, arm_const(l, how));
}

void neon_apply(struct arm_lift *l, const struct arm_insn *i, const struct neon_op *op,
                unsigned size, bool u, unsigned imm, ir_val m)
{
    if (op->lift) {
        ir_val d = neon_get(l, i->Q, i->d), n = neon_get(l, i->Q, i->n);
        ir_val v = op->lift(l, size, u, d, n, m == IR_NONE ? neon_get(l, i->Q, i->m) : m);
        if (v != IR_NONE) {
            neon_put(l, i->Q, i->d, v);
            return;
        }
    }
    if (m != IR_NONE)
        m = neon_v1(l, VEC_to_i64, m);
    for (unsigned k = 0; k <= i->Q; k++) {
        ir_val v = neon_help(l, op->helper, neon_get_d(l, i->d + k), neon_get_d(l, i->n + k),
                             m == IR_NONE ? neon_get_d(l, i->m + k) : m, neon_how(size, u, imm));
        neon_put_d(l, i->d + k, v);
    }
}
