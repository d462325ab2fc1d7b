/* What the VFP lift functions share: access checks and registers. A width is IR_F32 or IR_F64. */
#ifndef GUEST_ARM_LIFT_VFP_H
#define GUEST_ARM_LIFT_VFP_H

#include "guest/arm/lift_m.h"

/* Width of the instruction's numbers. */
static inline enum ir_type vfp_width(const struct arm_insn *i)
{
    return i->size_bits ? IR_F64 : IR_F32;
}

static inline uint32_t vfp_slot(enum ir_type width, unsigned n)
{
    return width == IR_F64 ? ARM_OFF(d) + 8 * n : ARM_OFF(d) + 4 * n;
}
static inline ir_val vfp_get(struct arm_lift *l, enum ir_type width, unsigned n)
{
    return ir_get(l->b, width, vfp_slot(width, n));
}
/* Also right in rows listed in SELECT. */
static inline void vfp_put(struct arm_lift *l, enum ir_type width, unsigned n, ir_val v)
{
    if (l->select)
        v = ir_select(l->b, width, l->cond_value, v, vfp_get(l, width, n));
    ir_put(l->b, width, vfp_slot(width, n), v);
}

/* aux bit of floating-point operations: out of line when results or operands are flushed. */
static inline uint16_t vfp_soft(const struct arm_lift *l)
{
    return l->mode & ARM_KEY_FZ ? IR_FP_SOFT : 0;
}

static inline unsigned vfp_nregs(const struct arm_lift *l)
{
    return l->mode & ARM_KEY_D32 ? 32 : 16;
}
/* Is register N there? The upper double registers are not on every CPU (A2.6). */
static inline bool vfp_has(const struct arm_lift *l, enum ir_type width, unsigned n)
{
    return width == IR_F32 || n < vfp_nregs(l);
}

/* False, and the instruction is undefined, when VFP is disabled (B1.11.1) or one of the registers
 * D, N, M, read with the width beside it, is not there. */
static inline bool vfp_check3(struct arm_lift *l, enum ir_type wd, unsigned d, enum ir_type wn,
                              unsigned n, enum ir_type wm, unsigned m)
{
    if (l->mode & ARM_KEY_VFP && vfp_has(l, wd, d) && vfp_has(l, wn, n) && vfp_has(l, wm, m)) {
        arm_m_fp_used(l);
        return true;
    }
    arm_undefined(l);
    return false;
}
static inline bool vfp_check2(struct arm_lift *l, enum ir_type wd, unsigned d, enum ir_type wm,
                              unsigned m)
{
    return vfp_check3(l, wd, d, wd, d, wm, m);
}
static inline bool vfp_check1(struct arm_lift *l, enum ir_type wd, unsigned d)
{
    return vfp_check3(l, wd, d, wd, d, wd, d);
}

/* Is every operation a scalar one, FPSCR.LEN and STRIDE being 0? */
static inline bool vfp_scalar_mode(const struct arm_lift *l)
{
    return !(l->mode & ARM_KEY_VECLEN(0x1f));
}

#endif
