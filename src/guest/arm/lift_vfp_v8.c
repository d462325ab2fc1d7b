/* Floating point that came with v8: ARM DDI 0553 C2.4 (VSEL, VMAXNM, VMINNM, VRINT, VCVTA). No IR
 * operation rounds ties away from zero or knows numbers from NaNs: but for VSEL these are helpers.
 */
#include "guest/arm/lift_vfp.h"

#define IS_DOUBLE 1u

/* ---- what helpers share ---- */

/* A number of 32 or 64 bits. */
struct layout {
    uint64_t sign, infinity, quiet;
    unsigned fraction_bits;
};

static const struct layout layouts[2] = {
    {1u << 31, 0x7f800000, 1u << 22, 23},
    {1ull << 63, 0x7ff0000000000000, 1ull << 51, 52},
};

static bool is_nan(const struct layout *f, uint64_t v)
{
    return (v & ~f->sign) > f->infinity;
}

static bool is_quiet(const struct layout *f, uint64_t v)
{
    return is_nan(f, v) && v & f->quiet;
}

/* V as an operand: denormals may be flushed. */
static uint64_t operand(const struct fp_env *env, const struct layout *f, uint64_t v)
{
    bool denormal = !(v & f->infinity);

    return denormal && env->flush ? v & f->sign : v;
}

/* What a NaN among A and B makes of an operation (FPProcessNaNs). */
static uint64_t nan_of(struct fp_env *env, uint64_t a, uint64_t b, uint64_t how)
{
    return how & IS_DOUBLE ? fp_add64(env, a, b) : fp_add32(env, (uint32_t)a, (uint32_t)b);
}

/* ---- VMAXNM, VMINNM ---- */

enum { LESS = 8, EQUAL = 6, UNORDERED = 3 }; /* flags of a comparison */
#define IS_MIN 2u

/* FPMaxNum, FPMinNum: a quiet NaN loses against a number. */
static uint64_t maxnum(struct nw_vcpu *vcpu, uint64_t a, uint64_t b, uint64_t how, uint64_t unused)
{
    (void)unused;
    const struct layout *f = &layouts[how & IS_DOUBLE];
    struct fp_env *env = &vcpu->fp;
    uint32_t order = how & IS_DOUBLE ? fp_cmp64(env, a, b, false)
                                     : fp_cmp32(env, (uint32_t)a, (uint32_t)b, false);

    if (order == UNORDERED) {
        if (is_quiet(f, a) && !is_nan(f, b))
            return operand(env, f, b);
        return is_quiet(f, b) && !is_nan(f, a) ? operand(env, f, a) : nan_of(env, a, b, how);
    }
    a = operand(env, f, a);
    b = operand(env, f, b);
    if (order == EQUAL) /* zeros may differ: the negative one is less */
        return how & IS_MIN ? a | b : a & b;
    return (order == LESS) == !(how & IS_MIN) ? b : a;
}

static void number(struct arm_lift *l, const struct arm_insn *i, uint32_t how)
{
    static const struct ir_helper single = {"vmaxnm", maxnum, 0, IR_I32, 3};
    static const struct ir_helper wide = {"vmaxnm", maxnum, 0, IR_I64, 3};
    enum ir_type t = vfp_width(i), bits = t == IR_F64 ? IR_I64 : IR_I32;

    if (!vfp_check3(l, t, i->d, t, i->n, t, i->m))
        return;
    ir_val n = ir_get(l->b, bits, vfp_slot(t, i->n)), m = ir_get(l->b, bits, vfp_slot(t, i->m));
    ir_put(l->b, bits, vfp_slot(t, i->d),
           arm_call(l, t == IR_F64 ? &wide : &single, n, m, arm_const(l, how | i->size_bits),
                    IR_NONE));
}

ARM_LIFT(vmaxnm, number(l, i, 0))
ARM_LIFT(vminnm, number(l, i, IS_MIN))

/* ---- VRINT, VCVTA and the others ---- */

#define IS_EXACT  2u /* an inexact result raises that */
#define IS_SIGNED 2u

/* FPRoundInt */
static uint64_t rint_of(struct nw_vcpu *vcpu, uint64_t v, uint64_t round, uint64_t how,
                        uint64_t unused)
{
    (void)unused;
    const struct layout *f = &layouts[how & IS_DOUBLE];
    struct fp_env *env = &vcpu->fp, own = vcpu->fp;
    uint64_t exponent = (v & f->infinity) >> f->fraction_bits,
             bias = f->infinity >> f->fraction_bits >> 1;
    uint64_t whole;

    if (is_nan(f, v))
        return nan_of(env, v, v, how);
    if (exponent >= bias + f->fraction_bits) /* integral, or infinite */
        return v;
    own.flags = 0;
    if (how & IS_DOUBLE) {
        whole = fp_toint64(&own, v, 64, true, 0, (enum fp_round)round);
        whole = fp_fromint64(&own, whole, true, 0, FP_RZ);
    } else {
        whole = fp_toint32(&own, (uint32_t)v, 64, true, 0, (enum fp_round)round);
        whole = fp_fromint32(&own, whole, true, 0, FP_RZ);
    }
    env->flags |= own.flags & (how & IS_EXACT ? FP_INEXACT | FP_DENORMAL : FP_DENORMAL);
    return whole | (v & f->sign); /* also of zeros */
}

static const uint8_t directions[4] = {FP_RA, FP_RN, FP_RP, FP_RM};

static void round_to(struct arm_lift *l, const struct arm_insn *i, enum fp_round round,
                     uint32_t how)
{
    static const struct ir_helper single = {"vrint", rint_of, 0, IR_I32, 3};
    static const struct ir_helper wide = {"vrint", rint_of, 0, IR_I64, 3};
    enum ir_type t = vfp_width(i), bits = t == IR_F64 ? IR_I64 : IR_I32;

    if (!vfp_check2(l, t, i->d, t, i->m))
        return;
    ir_put(l->b, bits, vfp_slot(t, i->d),
           arm_call(l, t == IR_F64 ? &wide : &single, ir_get(l->b, bits, vfp_slot(t, i->m)),
                    arm_const(l, round), arm_const(l, how | i->size_bits), IR_NONE));
}

ARM_LIFT(vrint, round_to(l, i, directions[i->op], 0))
ARM_LIFT(vrintr, round_to(l, i, FP_CURRENT, 0))
ARM_LIFT(vrintz, round_to(l, i, FP_RZ, 0))
ARM_LIFT(vrintx, round_to(l, i, FP_CURRENT, IS_EXACT))

static uint64_t toint(struct nw_vcpu *vcpu, uint64_t v, uint64_t round, uint64_t how,
                      uint64_t unused)
{
    (void)unused;
    return (uint32_t)(how & IS_DOUBLE
                          ? fp_toint64(&vcpu->fp, v, 32, how & IS_SIGNED, 0, (enum fp_round)round)
                          : fp_toint32(&vcpu->fp, (uint32_t)v, 32, how & IS_SIGNED, 0,
                                       (enum fp_round)round));
}

/* VCVTA, VCVTN, VCVTP, VCVTM */
void arm_vcvt_directed(struct arm_lift *l, const struct arm_insn *i)
{
    static const struct ir_helper helper = {"vcvt_directed", toint, 0, IR_I32, 3};
    enum ir_type t = vfp_width(i), bits = t == IR_F64 ? IR_I64 : IR_I32;

    if (!vfp_check2(l, IR_F32, i->d, t, i->m))
        return;
    ir_put(l->b, IR_I32, vfp_slot(IR_F32, i->d),
           arm_call(l, &helper, ir_get(l->b, bits, vfp_slot(t, i->m)),
                    arm_const(l, directions[i->op]),
                    arm_const(l, (i->S ? IS_SIGNED : 0) | i->size_bits), IR_NONE));
}

/* ---- VSEL ---- */

void arm_vsel(struct arm_lift *l, const struct arm_insn *i)
{
    static const uint8_t conditions[4] = {0, 6, 10, 12}; /* EQ, VS, GE, GT */
    enum ir_type t = vfp_width(i);

    if (!vfp_check3(l, t, i->d, t, i->n, t, i->m))
        return;
    vfp_put(l, t, i->d,
            ir_select(l->b, t, arm_cond_test(l, conditions[i->op]), vfp_get(l, t, i->n),
                      vfp_get(l, t, i->m)));
}
