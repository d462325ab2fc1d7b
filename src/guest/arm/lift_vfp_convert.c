/* VFP conversions, ARM DDI 0406C A8.8.305 to A8.8.311. */
#include "guest/arm/lift_vfp.h"

/* VCVT (between double and single precision) */
void arm_vcvt_f64_f32(struct arm_lift *l, const struct arm_insn *i)
{
    if (vfp_check2(l, IR_F64, i->d, IR_F32, i->m))
        vfp_put(l, IR_F64, i->d,
                ir_op1(l->b, IR_fcvt, IR_F64, vfp_get(l, IR_F32, i->m), vfp_soft(l)));
}

void arm_vcvt_f32_f64(struct arm_lift *l, const struct arm_insn *i)
{
    if (vfp_check2(l, IR_F32, i->d, IR_F64, i->m))
        vfp_put(l, IR_F32, i->d,
                ir_op1(l->b, IR_fcvt, IR_F32, vfp_get(l, IR_F64, i->m), vfp_soft(l)));
}

/* VCVT (integer to floating-point) */
void arm_vcvt_int(struct arm_lift *l, const struct arm_insn *i)
{
    enum ir_type t = vfp_width(i);

    if (!vfp_check2(l, t, i->d, IR_F32, i->m))
        return;
    ir_val v = ir_get(l->b, IR_I32, vfp_slot(IR_F32, i->m));
    vfp_put(l, t, i->d, ir_op1(l->b, i->S ? IR_si2f : IR_ui2f, t, v, vfp_soft(l)));
}

/* VCVT, VCVTR (floating-point to integer) */
void arm_vcvt_toint(struct arm_lift *l, const struct arm_insn *i)
{
    enum ir_type t = vfp_width(i);

    if (!vfp_check2(l, IR_F32, i->d, t, i->m))
        return;
    uint16_t aux = (uint16_t)((i->R ? FP_RZ : FP_CURRENT) | vfp_soft(l));
    ir_val v = ir_op1(l->b, i->S ? IR_f2si : IR_f2ui, IR_I32, vfp_get(l, t, i->m), aux);
    ir_put(l->b, IR_I32, vfp_slot(IR_F32, i->d), v);
}

/* ---- fixed point: no IR operation has a scale, these are helpers ---- */

enum fixed { FIXED_UNSIGNED = 1, FIXED_32 = 2, FIXED_DOUBLE = 4 };

static uint64_t tofixed(struct nw_vcpu *vcpu, uint64_t v, uint64_t fraction, uint64_t how,
                        uint64_t unused)
{
    (void)unused;
    unsigned bits = how & FIXED_32 ? 32 : 16;
    bool is_signed = !(how & FIXED_UNSIGNED);
    return how & FIXED_DOUBLE ? fp_toint64(&vcpu->fp, v, bits, is_signed, (unsigned)fraction, FP_RZ)
                              : (uint32_t)fp_toint32(&vcpu->fp, (uint32_t)v, bits, is_signed,
                                                     (unsigned)fraction, FP_RZ);
}

static uint64_t fixed(struct nw_vcpu *vcpu, uint64_t v, uint64_t fraction, uint64_t how,
                      uint64_t unused)
{
    (void)unused;
    bool is_signed = !(how & FIXED_UNSIGNED);
    uint64_t n = how & FIXED_32 ? (uint32_t)v : (uint16_t)v;
    if (is_signed)
        n = how & FIXED_32 ? (uint64_t)(int32_t)v : (uint64_t)(int16_t)v;
    return how & FIXED_DOUBLE ? fp_fromint64(&vcpu->fp, n, is_signed, (unsigned)fraction, FP_RN)
                              : fp_fromint32(&vcpu->fp, n, is_signed, (unsigned)fraction, FP_RN);
}

/* VCVT (between floating-point and fixed-point), in place. */
static void convert_fixed(struct arm_lift *l, const struct arm_insn *i,
                          const struct ir_helper *helper)
{
    enum ir_type t = vfp_width(i), bits = t == IR_F64 ? IR_I64 : IR_I32;
    unsigned size = i->width ? 32 : 16, below = i->imm << 1 | i->lsb;

    if (!vfp_check1(l, t, i->d))
        return;
    if (below > size) { /* frac_bits < 0 */
        arm_unpredictable(l);
        return;
    }
    uint32_t how =
        (i->h ? FIXED_UNSIGNED : 0) | (i->width ? FIXED_32 : 0) | (t == IR_F64 ? FIXED_DOUBLE : 0);
    ir_val v = ir_get(l->b, bits, vfp_slot(t, i->d));
    ir_put(l->b, bits, vfp_slot(t, i->d),
           arm_call(l, helper, v, arm_const(l, size - below), arm_const(l, how), IR_NONE));
}

void arm_vcvt_tofixed(struct arm_lift *l, const struct arm_insn *i)
{
    static const struct ir_helper single = {"vcvt_tofixed", tofixed, 0, IR_I32, 3};
    static const struct ir_helper wide = {"vcvt_tofixed", tofixed, 0, IR_I64, 3};
    convert_fixed(l, i, i->size_bits ? &wide : &single);
}

void arm_vcvt_fixed(struct arm_lift *l, const struct arm_insn *i)
{
    static const struct ir_helper single = {"vcvt_fixed", fixed, 0, IR_I32, 3};
    static const struct ir_helper wide = {"vcvt_fixed", fixed, 0, IR_I64, 3};
    convert_fixed(l, i, i->size_bits ? &wide : &single);
}

/* ---- half precision: VCVTB, VCVTT ---- */

static uint64_t half_to_single(struct nw_vcpu *vcpu, uint64_t v, uint64_t unused1, uint64_t unused2,
                               uint64_t unused3)
{
    (void)unused1, (void)unused2, (void)unused3;
    return fp_16to32(&vcpu->fp, (uint16_t)v);
}

static uint64_t single_to_half(struct nw_vcpu *vcpu, uint64_t v, uint64_t unused1, uint64_t unused2,
                               uint64_t unused3)
{
    (void)unused1, (void)unused2, (void)unused3;
    return fp_32to16(&vcpu->fp, (uint32_t)v);
}

void arm_vcvt_f32_f16(struct arm_lift *l, const struct arm_insn *i)
{
    static const struct ir_helper helper = {"vcvt_f32_f16", half_to_single, 0, IR_I32, 1};

    if (!vfp_check2(l, IR_F32, i->d, IR_F32, i->m))
        return;
    ir_val m =
        ir_ubfx(l->b, IR_I32, ir_get(l->b, IR_I32, vfp_slot(IR_F32, i->m)), i->x ? 16 : 0, 16);
    ir_put(l->b, IR_I32, vfp_slot(IR_F32, i->d),
           arm_call(l, &helper, m, IR_NONE, IR_NONE, IR_NONE));
}

void arm_vcvt_f16_f32(struct arm_lift *l, const struct arm_insn *i)
{
    static const struct ir_helper helper = {"vcvt_f16_f32", single_to_half, 0, IR_I32, 1};

    if (!vfp_check2(l, IR_F32, i->d, IR_F32, i->m))
        return;
    uint32_t slot = vfp_slot(IR_F32, i->d);
    ir_val m = ir_get(l->b, IR_I32, vfp_slot(IR_F32, i->m));
    ir_val half = arm_call(l, &helper, m, IR_NONE, IR_NONE, IR_NONE);
    ir_put(l->b, IR_I32, slot,
           ir_bfi(l->b, IR_I32, ir_get(l->b, IR_I32, slot), half, i->x ? 16 : 0, 16));
}
