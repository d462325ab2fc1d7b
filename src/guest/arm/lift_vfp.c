/* VFP moves to and from core registers and the VFP system registers, ARM DDI 0406C A8.8.339 to
 * A8.8.348, A8.8.349 (VMRS), A8.8.350 (VMSR), B9.3.21, B9.3.22. */
#include "guest/arm/lift_vfp.h"

/* ---- core registers ---- */

static bool check_core(struct arm_lift *l, enum ir_type t, unsigned n, unsigned core)
{
    if (!vfp_check1(l, t, n))
        return false;
    if (!arm_bad_reg(l, core))
        return true;
    arm_unpredictable(l);
    return false;
}

void arm_vmov_core_s(struct arm_lift *l, const struct arm_insn *i)
{
    if (check_core(l, IR_F32, i->n, i->t))
        ir_put(l->b, IR_I32, vfp_slot(IR_F32, i->n), arm_reg_get(l, i->t));
}

void arm_vmov_s_core(struct arm_lift *l, const struct arm_insn *i)
{
    if (check_core(l, IR_F32, i->n, i->t))
        arm_reg_put(l, i->t, ir_get(l->b, IR_I32, vfp_slot(IR_F32, i->n)));
}

void arm_vmov_core_lane(struct arm_lift *l, const struct arm_insn *i)
{
    if (check_core(l, IR_F64, i->n, i->t))
        ir_put(l->b, IR_I32, vfp_slot(IR_F64, i->n) + 4 * i->h, arm_reg_get(l, i->t));
}

void arm_vmov_lane_core(struct arm_lift *l, const struct arm_insn *i)
{
    if (check_core(l, IR_F64, i->n, i->t))
        arm_reg_put(l, i->t, ir_get(l->b, IR_I32, vfp_slot(IR_F64, i->n) + 4 * i->h));
}

/* Two core registers; as destinations they must differ. */
static bool check_pair(struct arm_lift *l, const struct arm_insn *i, enum ir_type t, bool to_core)
{
    if (!check_core(l, t, i->m, i->t))
        return false;
    if (!arm_bad_reg(l, i->t2) && !(to_core && i->t == i->t2) && !(t == IR_F32 && i->m == 31))
        return true;
    arm_unpredictable(l);
    return false;
}

void arm_vmov_core_ss(struct arm_lift *l, const struct arm_insn *i)
{
    if (!check_pair(l, i, IR_F32, false))
        return;
    ir_put(l->b, IR_I32, vfp_slot(IR_F32, i->m), arm_reg_get(l, i->t));
    ir_put(l->b, IR_I32, vfp_slot(IR_F32, i->m + 1u), arm_reg_get(l, i->t2));
}

void arm_vmov_ss_core(struct arm_lift *l, const struct arm_insn *i)
{
    if (!check_pair(l, i, IR_F32, true))
        return;
    arm_reg_put(l, i->t, ir_get(l->b, IR_I32, vfp_slot(IR_F32, i->m)));
    arm_reg_put(l, i->t2, ir_get(l->b, IR_I32, vfp_slot(IR_F32, i->m + 1u)));
}

/* One 64-bit value rather than two halves: a double that is used next is forwarded whole. */
void arm_vmov_core_d(struct arm_lift *l, const struct arm_insn *i)
{
    struct ir_builder *b = l->b;

    if (!check_pair(l, i, IR_F64, false))
        return;
    ir_val low = ir_zext(b, IR_I64, arm_reg_get(l, i->t));
    ir_val high = ir_shl(b, IR_I64, ir_zext(b, IR_I64, arm_reg_get(l, i->t2)), arm_const(l, 32));
    ir_put(b, IR_I64, vfp_slot(IR_F64, i->m), ir_or(b, IR_I64, low, high));
}

void arm_vmov_d_core(struct arm_lift *l, const struct arm_insn *i)
{
    struct ir_builder *b = l->b;

    if (!check_pair(l, i, IR_F64, true))
        return;
    ir_val v = ir_get(b, IR_I64, vfp_slot(IR_F64, i->m));
    arm_reg_put(l, i->t, ir_trunc(b, IR_I32, v));
    arm_reg_put(l, i->t2, ir_trunc(b, IR_I32, ir_shr(b, IR_I64, v, arm_const(l, 32))));
}

/* ---- system registers ---- */

enum vfp_system { FPSID = 0, FPSCR = 1, MVFR1 = 6, MVFR0 = 7, FPEXC = 8 };

static uint64_t read_fpscr(struct nw_vcpu *vcpu, uint64_t unused0, uint64_t unused1,
                           uint64_t unused2, uint64_t unused3)
{
    (void)unused0, (void)unused1, (void)unused2, (void)unused3;
    return arm_fpscr_read(vcpu);
}

static uint64_t write_fpscr(struct nw_vcpu *vcpu, uint64_t v, uint64_t unused1, uint64_t unused2,
                            uint64_t unused3)
{
    (void)unused1, (void)unused2, (void)unused3;
    arm_fpscr_write(vcpu, (uint32_t)v);
    return 0;
}

/* The registers but FPSCR are there for privileged code even while FPEXC.EN is 0, if CPACR lets. */
static uint64_t check_cpacr(struct nw_vcpu *vcpu, uint64_t unused0, uint64_t unused1,
                            uint64_t unused2, uint64_t unused3)
{
    (void)unused0, (void)unused1, (void)unused2, (void)unused3;
    if (!arm_vfp_permitted(arm_of(vcpu)))
        vcpu_raise(vcpu, EXC_UNDEFINED, 0);
    return 0;
}

static bool check_system(struct arm_lift *l, const struct arm_insn *i)
{
    static const struct ir_helper helper = {"check_cpacr", check_cpacr, IR_H_READS | IR_H_EXITS,
                                            IR_VOID, 0};
    bool known = i->n == FPSID || i->n == FPEXC ||
                 ((i->n == MVFR0 || i->n == MVFR1) && arm_has(l, ARM_F_V6));

    if (arm_has(l, ARM_F_M)) /* the others are memory-mapped */
        known = false;
    if (i->n == FPSCR ? !(l->mode & ARM_KEY_VFP) : !l->priv || !known) {
        arm_undefined(l);
        return false;
    }
    arm_m_fp_used(l);
    if (!(l->mode & ARM_KEY_VFP))
        arm_call(l, &helper, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    return true;
}

static uint32_t system_slot(unsigned n)
{
    switch (n) {
    case FPSID: return ARM_OFF(fpsid);
    case MVFR0: return ARM_OFF(mvfr0);
    case MVFR1: return ARM_OFF(mvfr1);
    default: return ARM_OFF(fpexc);
    }
}

void arm_vmrs(struct arm_lift *l, const struct arm_insn *i)
{
    static const struct ir_helper helper = {"read_fpscr", read_fpscr, IR_H_READS, IR_I32, 0};

    if (!check_system(l, i))
        return;
    if (i->n == FPSCR && i->t == 15) {
        arm_flags_put(l, arm_state_get(l, ARM_OFF(fpscr_nzcv)));
        return;
    }
    if (arm_bad_reg(l, i->t)) { /* A8.8.349, B9.3.21 */
        arm_unpredictable(l);
        return;
    }
    arm_reg_put(l, i->t,
                i->n == FPSCR ? arm_call(l, &helper, IR_NONE, IR_NONE, IR_NONE, IR_NONE)
                              : arm_state_get(l, system_slot(i->n)));
}

/* The mode word of the block changes with FPSCR and FPEXC; the other registers ignore writes. */
void arm_vmsr(struct arm_lift *l, const struct arm_insn *i)
{
    static const struct ir_helper helper = {"write_fpscr", write_fpscr, IR_H_READS | IR_H_WRITES,
                                            IR_VOID, 1};

    if (!check_system(l, i))
        return;
    if (arm_bad_reg(l, i->t)) { /* A8.8.350, B9.3.22 */
        arm_unpredictable(l);
        return;
    }
    ir_val v = arm_reg_get(l, i->t);
    if (i->n == FPSCR)
        arm_call(l, &helper, v, IR_NONE, IR_NONE, IR_NONE);
    else if (i->n == FPEXC)
        ir_put(l->b, IR_I32, ARM_OFF(fpexc), ir_and(l->b, IR_I32, v, arm_const(l, ARM_FPEXC_EN)));
    else
        return;
    arm_leave_state(l);
}
