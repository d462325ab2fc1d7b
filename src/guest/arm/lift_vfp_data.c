/* VFP arithmetic, ARM DDI 0406C A8.8 by name; FPSCR short vectors: appendix D11.
 *
 * Each function is one operation on numbers that are already read; the walk over registers, one
 * step long outside short-vector mode, is in three() and two(). */
#include "guest/arm/lift_vfp.h"

/* ---- walking over registers ---- */

struct walk {
    unsigned count, stride, bank; /* elements; registers between them; registers in a bank */
};

/* The first bank of singles, and of each half of the doubles, holds scalars. */
static bool scalar_bank(enum ir_type width, unsigned n)
{
    return width == IR_F32 ? n < 8 : (n & 15) < 4;
}

static struct walk walk_of(const struct arm_lift *l, enum ir_type width, unsigned d)
{
    struct walk w = {.count = 1, .stride = 1, .bank = width == IR_F32 ? 8 : 4};
    if (vfp_scalar_mode(l) || scalar_bank(width, d))
        return w;
    w.count = (l->mode >> 16 & 7) + 1;
    w.stride = l->mode >> 19 & 1 ? 2 : 1;
    return w;
}

static unsigned step(const struct walk *w, unsigned n)
{
    return (n & ~(w->bank - 1)) | ((n + w->stride) & (w->bank - 1));
}

/* STRIDE is 0 or 3, and a vector may not come round to its first register. */
static bool walk_is_defined(const struct arm_lift *l, const struct walk *w)
{
    unsigned stride = l->mode >> 19 & 3;
    return (stride == 0 || stride == 3) && w->count * w->stride <= w->bank;
}

typedef ir_val (*op3)(struct arm_lift *, enum ir_type, ir_val d, ir_val n, ir_val m);
typedef ir_val (*op2)(struct arm_lift *, enum ir_type, ir_val m);

/* d = OP(d, n, m); READS_D: d is an operand too. */
static void three(struct arm_lift *l, const struct arm_insn *i, op3 op, bool reads_d)
{
    enum ir_type t = vfp_width(i);
    struct walk w = walk_of(l, t, i->d);
    unsigned d = i->d, n = i->n, m = i->m;

    if (!vfp_check3(l, t, d, t, n, t, m))
        return;
    if (!walk_is_defined(l, &w)) {
        arm_unpredictable(l);
        return;
    }
    for (unsigned k = 0; k < w.count; k++) {
        ir_val old = reads_d ? vfp_get(l, t, d) : IR_NONE;
        vfp_put(l, t, d, op(l, t, old, vfp_get(l, t, n), vfp_get(l, t, m)));
        d = step(&w, d);
        n = step(&w, n);
        m = scalar_bank(t, m) ? m : step(&w, m);
    }
}

static void two(struct arm_lift *l, const struct arm_insn *i, op2 op)
{
    enum ir_type t = vfp_width(i);
    struct walk w = walk_of(l, t, i->d);
    unsigned d = i->d, m = i->m;

    if (!vfp_check2(l, t, d, t, m))
        return;
    if (!walk_is_defined(l, &w)) {
        arm_unpredictable(l);
        return;
    }
    for (unsigned k = 0; k < w.count; k++) {
        vfp_put(l, t, d, op(l, t, vfp_get(l, t, m)));
        d = step(&w, d);
        m = scalar_bank(t, m) ? m : step(&w, m);
    }
}

/* ---- operations ---- */

static ir_val binary(struct arm_lift *l, enum ir_op op, enum ir_type t, ir_val a, ir_val b)
{
    return ir_op2(l->b, op, t, a, b, vfp_soft(l));
}
static ir_val product(struct arm_lift *l, enum ir_type t, ir_val n, ir_val m)
{
    return binary(l, IR_fmul, t, n, m);
}
static ir_val negative(struct arm_lift *l, enum ir_type t, ir_val v)
{
    return ir_fneg(l->b, t, v);
}

static ir_val add(struct arm_lift *l, enum ir_type t, ir_val d, ir_val n, ir_val m)
{
    (void)d;
    return binary(l, IR_fadd, t, n, m);
}
static ir_val sub(struct arm_lift *l, enum ir_type t, ir_val d, ir_val n, ir_val m)
{
    (void)d;
    return binary(l, IR_fsub, t, n, m);
}
static ir_val mul(struct arm_lift *l, enum ir_type t, ir_val d, ir_val n, ir_val m)
{
    (void)d;
    return product(l, t, n, m);
}
static ir_val nmul(struct arm_lift *l, enum ir_type t, ir_val d, ir_val n, ir_val m)
{
    (void)d;
    return negative(l, t, product(l, t, n, m));
}
static ir_val divide(struct arm_lift *l, enum ir_type t, ir_val d, ir_val n, ir_val m)
{
    (void)d;
    return binary(l, IR_fdiv, t, n, m);
}

/* Two roundings, and the signs of NaNs as the pseudocode's FPNeg leaves them. */
static ir_val mla(struct arm_lift *l, enum ir_type t, ir_val d, ir_val n, ir_val m)
{
    return binary(l, IR_fadd, t, d, product(l, t, n, m));
}
static ir_val mls(struct arm_lift *l, enum ir_type t, ir_val d, ir_val n, ir_val m)
{
    return binary(l, IR_fadd, t, d, negative(l, t, product(l, t, n, m)));
}
static ir_val nmla(struct arm_lift *l, enum ir_type t, ir_val d, ir_val n, ir_val m)
{
    ir_val p = negative(l, t, product(l, t, n, m));
    return binary(l, IR_fadd, t, negative(l, t, d), p);
}
static ir_val nmls(struct arm_lift *l, enum ir_type t, ir_val d, ir_val n, ir_val m)
{
    ir_val p = product(l, t, n, m);
    return binary(l, IR_fadd, t, negative(l, t, d), p);
}

static ir_val fused(struct arm_lift *l, enum ir_type t, ir_val d, ir_val n, ir_val m)
{
    return ir_op3(l->b, IR_fma, t, n, m, d, vfp_soft(l));
}
static ir_val fms(struct arm_lift *l, enum ir_type t, ir_val d, ir_val n, ir_val m)
{
    return fused(l, t, d, negative(l, t, n), m);
}
static ir_val fnma(struct arm_lift *l, enum ir_type t, ir_val d, ir_val n, ir_val m)
{
    return fused(l, t, negative(l, t, d), negative(l, t, n), m);
}
static ir_val fnms(struct arm_lift *l, enum ir_type t, ir_val d, ir_val n, ir_val m)
{
    return fused(l, t, negative(l, t, d), n, m);
}

static ir_val same(struct arm_lift *l, enum ir_type t, ir_val m)
{
    (void)l, (void)t;
    return m;
}
static ir_val magnitude(struct arm_lift *l, enum ir_type t, ir_val m)
{
    return ir_fabs(l->b, t, m);
}
static ir_val root(struct arm_lift *l, enum ir_type t, ir_val m)
{
    return ir_op1(l->b, IR_fsqrt, t, m, vfp_soft(l));
}

/* ---- instructions ---- */

void arm_vadd(struct arm_lift *l, const struct arm_insn *i)
{
    three(l, i, add, false);
}

void arm_vsub(struct arm_lift *l, const struct arm_insn *i)
{
    three(l, i, sub, false);
}

void arm_vmul(struct arm_lift *l, const struct arm_insn *i)
{
    three(l, i, mul, false);
}

void arm_vnmul(struct arm_lift *l, const struct arm_insn *i)
{
    three(l, i, nmul, false);
}

void arm_vdiv(struct arm_lift *l, const struct arm_insn *i)
{
    three(l, i, divide, false);
}

void arm_vmla(struct arm_lift *l, const struct arm_insn *i)
{
    three(l, i, mla, true);
}

void arm_vmls(struct arm_lift *l, const struct arm_insn *i)
{
    three(l, i, mls, true);
}

void arm_vnmla(struct arm_lift *l, const struct arm_insn *i)
{
    three(l, i, nmla, true);
}

void arm_vnmls(struct arm_lift *l, const struct arm_insn *i)
{
    three(l, i, nmls, true);
}

/* The fused operations came after short vectors had gone: UNPREDICTABLE with them. */
static void fused_three(struct arm_lift *l, const struct arm_insn *i, op3 op)
{
    if (l->mode & ARM_KEY_VFP && !vfp_scalar_mode(l))
        arm_unpredictable(l);
    else
        three(l, i, op, true);
}

void arm_vfma(struct arm_lift *l, const struct arm_insn *i)
{
    fused_three(l, i, fused);
}

void arm_vfms(struct arm_lift *l, const struct arm_insn *i)
{
    fused_three(l, i, fms);
}

void arm_vfnma(struct arm_lift *l, const struct arm_insn *i)
{
    fused_three(l, i, fnma);
}

void arm_vfnms(struct arm_lift *l, const struct arm_insn *i)
{
    fused_three(l, i, fnms);
}

void arm_vmov_reg(struct arm_lift *l, const struct arm_insn *i)
{
    two(l, i, same);
}

void arm_vabs(struct arm_lift *l, const struct arm_insn *i)
{
    two(l, i, magnitude);
}

void arm_vneg(struct arm_lift *l, const struct arm_insn *i)
{
    two(l, i, negative);
}

void arm_vsqrt(struct arm_lift *l, const struct arm_insn *i)
{
    two(l, i, root);
}

/* VFPExpandImm, A7.5.1: abcdefgh is a NOT(b) bbb… cd efgh 000… */
static ir_val expand_imm(struct arm_lift *l, enum ir_type t, uint32_t imm)
{
    uint64_t sign = imm >> 7, b = imm >> 6 & 1, low = imm & 0x3f;
    if (t == IR_F32)
        return arm_const(
            l, (uint32_t)(sign << 31 | (b ^ 1) << 30 | (b ? 0x1fu : 0) << 25 | low << 19));
    return ir_const64(l->b, sign << 63 | (b ^ 1) << 62 | (b ? 0xffull : 0) << 54 | low << 48);
}

void arm_vmov_imm(struct arm_lift *l, const struct arm_insn *i)
{
    enum ir_type t = vfp_width(i);
    struct walk w = walk_of(l, t, i->d);
    unsigned d = i->d;

    if (!vfp_check1(l, t, d))
        return;
    if (!walk_is_defined(l, &w)) {
        arm_unpredictable(l);
        return;
    }
    ir_val v = expand_imm(l, t, i->imm);
    for (unsigned k = 0; k < w.count; k++) {
        ir_put(l->b, t == IR_F32 ? IR_I32 : IR_I64, vfp_slot(t, d), v);
        d = step(&w, d);
    }
}

/* ---- comparison ---- */

static void compare(struct arm_lift *l, const struct arm_insn *i, ir_val m)
{
    enum ir_type t = vfp_width(i);
    ir_val flags = ir_op2(l->b, IR_fcmp, t, vfp_get(l, t, i->d), m, (uint16_t)(i->R | vfp_soft(l)));
    arm_state_put(l, ARM_OFF(fpscr_nzcv), flags);
}

void arm_vcmp(struct arm_lift *l, const struct arm_insn *i)
{
    enum ir_type t = vfp_width(i);

    if (vfp_check2(l, t, i->d, t, i->m))
        compare(l, i, vfp_get(l, t, i->m));
}

void arm_vcmp_zero(struct arm_lift *l, const struct arm_insn *i)
{
    enum ir_type t = vfp_width(i);

    if (vfp_check1(l, t, i->d))
        compare(l, i, ir_bitcast(l->b, t, t == IR_F32 ? arm_const(l, 0) : ir_const64(l->b, 0)));
}
