/* Instructions of M profile: ARM DDI 0403 A7, B5 (v7-M), ARM DDI 0553 C2 (v8-M). */
#include "guest/arm/lift_m.h"

#include <narwhal/arm.h>

#include "guest/arm/m_profile.h"

#define EXC_RETURN_LEAST 0xff000000u
#define FNC_RETURN_LEAST 0xfefffffeu
#define FNC_RETURN       0xfeffffffu

/* ---- special registers ---- */

static uint64_t special_read(struct nw_vcpu *vcpu, uint64_t sysm, uint64_t unused1,
                             uint64_t unused2, uint64_t unused3)
{
    (void)unused1, (void)unused2, (void)unused3;
    return arm_m_special_read(arm_of(vcpu), (unsigned)sysm);
}

static uint64_t special_write(struct nw_vcpu *vcpu, uint64_t sysm, uint64_t value, uint64_t unused1,
                              uint64_t unused2)
{
    (void)unused1, (void)unused2;
    struct arm_state *s = arm_of(vcpu);
    uint32_t before = s->m[0].control;

    arm_m_special_write(s, (unsigned)sysm, (uint32_t)value);
    /* The next floating-point instruction begins with FPDSCR, which is 0 (ExecuteFPCheck); nothing
     * can look at FPSCR before. */
    if (before & ~s->m[0].control & ARM_M_FPCA)
        arm_fpscr_write(vcpu, 0);
    return 0;
}

static const struct ir_helper write_helper = {"special_write", special_write,
                                              IR_H_READS | IR_H_WRITES, IR_VOID, 2};

/* MRS: B5.2.2 */
void arm_mrs_m(struct arm_lift *l, const struct arm_insn *i)
{
    static const struct ir_helper helper = {"special_read", special_read, IR_H_READS, IR_I32, 1};

    if (arm_bad_reg(l, i->d)) { /* UNPREDICTABLE */
        arm_unpredictable(l);
        return;
    }
    arm_reg_put(l, i->d, arm_call(l, &helper, arm_const(l, i->imm), IR_NONE, IR_NONE, IR_NONE));
}

/* The parts of APSR that K names; the others cannot be written. */
static void write_apsr(struct arm_lift *l, ir_val v, unsigned k)
{
    if (k & 2) {
        arm_flags_put(l, ir_shr(l->b, IR_I32, v, arm_const(l, 28)));
        arm_state_put(l, ARM_OFF(q), ir_ubfx(l->b, IR_I32, v, 27, 1));
    }
    if (k & 1 && arm_has(l, ARM_F_DSP))
        arm_state_put(l, ARM_OFF(ge), ir_ubfx(l->b, IR_I32, v, 16, 4));
}

/* MSR: B5.2.3 */
void arm_msr_m(struct arm_lift *l, const struct arm_insn *i)
{
    if (arm_bad_reg(l, i->n)) { /* UNPREDICTABLE */
        arm_unpredictable(l);
        return;
    }
    ir_val v = arm_reg_get(l, i->n);
    if (i->imm <= ARM_SYSM_PSR_LAST) {
        if (!(i->imm & 4))
            write_apsr(l, v, i->mask);
    } else {
        arm_call(l, &write_helper, arm_const(l, i->imm), v, IR_NONE, IR_NONE);
    }
    arm_leave_state(l); /* also where nothing changes: clients see where blocks end */
}

/* CPS: B5.2.1. R disables; k names PRIMASK (2) and FAULTMASK (1). */
void arm_cps_m(struct arm_lift *l, const struct arm_insn *i)
{
    if (!i->mask) { /* UNPREDICTABLE */
        arm_unpredictable(l);
        return;
    }
    if (!l->priv) /* a no-op */
        return;
    if (i->mask & 2)
        arm_call(l, &write_helper, arm_const(l, ARM_SYSM_PRIMASK), arm_const(l, i->R), IR_NONE,
                 IR_NONE);
    if (i->mask & 1)
        arm_call(l, &write_helper, arm_const(l, ARM_SYSM_FAULTMASK), arm_const(l, i->R), IR_NONE,
                 IR_NONE);
    arm_leave_state(l);
}

/* ---- exceptions ---- */

static uint64_t exception_return(struct nw_vcpu *vcpu, uint64_t target, uint64_t unused1,
                                 uint64_t unused2, uint64_t unused3)
{
    (void)unused1, (void)unused2, (void)unused3;
    struct arm_state *s = arm_of(vcpu);

    s->thumb = target & 1;
    s->r[15] = (uint32_t)target & ~1u;
    vcpu_raise(vcpu, EXC_GUEST + NW_ARM_EXC_RETURN, 0);
    return 0;
}

void arm_m_return_write_pc(struct arm_lift *l, ir_val v)
{
    static const struct ir_helper helper = {"m_exception_return", exception_return,
                                            IR_H_READS | IR_H_WRITES | IR_H_EXITS, IR_VOID, 1};
    bool secure = arm_has(l, ARM_F_M_SEC);

    if (secure || l->mode & ARM_KEY_M_HANDLER) {
        uint32_t label = ir_label_new(l->b);
        ir_val least = arm_const(l, secure ? FNC_RETURN_LEAST : EXC_RETURN_LEAST);

        ir_skip_if(l->b, ir_cmp(l->b, IR_ULT, IR_I32, v, least), label);
        arm_sync_it(l);
        arm_call(l, &helper, v, IR_NONE, IR_NONE, IR_NONE);
        ir_exit_state(l->b);
        ir_label(l->b, label);
    }
    arm_bx_write_pc(l, v);
}

bool arm_m_fetches(const struct arm_lift *l)
{
    return !(l->mode & ARM_KEY_M_NONSECURE) && !arm_m_never_executes(l->features, l->pc);
}

void arm_m_fetch_fault(struct arm_lift *l)
{
    ir_insn_start(l->b, l->pc, l->it);
    ir_exit_exc(l->b, EXC_GUEST + NW_ARM_EXC_PREFETCH_ABORT, 0, 0);
}

/* A coprocessor that is not there or, where there is floating point, none of its instructions:
 * B1.5.14. */
void arm_nocp(struct arm_lift *l, const struct arm_insn *i)
{
    if ((i->cp & ~1u) == 10 && arm_has(l, ARM_F_VFP2))
        arm_undefined(l);
    else
        arm_exception(l, EXC_GUEST + NW_ARM_EXC_NOCP, 0, false);
}

/* ---- what M profile adds to other instructions ---- */

void arm_m_check_stack(struct arm_lift *l, unsigned n, ir_val v)
{
    if (n != 13 || !(l->mode & ARM_KEY_M_LIMIT))
        return;
    uint32_t label = ir_label_new(l->b);
    ir_val below = ir_cmp(l->b, IR_ULT, IR_I32, v, arm_state_get(l, ARM_OFF(m_limit)));
    if (l->select)
        below = ir_and(l->b, IR_I32, below, l->cond_value);
    ir_skip_ifnot(l->b, below, label);
    ir_exit_exc(l->b, EXC_GUEST + NW_ARM_EXC_STACK, 0, 0);
    ir_label(l->b, label);
}

void arm_m_fp_used(struct arm_lift *l)
{
    uint32_t bits = ARM_M_FPCA | (arm_has(l, ARM_F_M_SEC) ? ARM_M_SFPA : 0);

    if (arm_has(l, ARM_F_M))
        arm_state_put(
            l, ARM_OFF(m[0].control),
            ir_or(l->b, IR_I32, arm_state_get(l, ARM_OFF(m[0].control)), arm_const(l, bits)));
}

/* ---- security states ---- */

static uint64_t leave_secure(struct nw_vcpu *vcpu, uint64_t target, uint64_t unused1,
                             uint64_t unused2, uint64_t unused3)
{
    (void)unused1, (void)unused2, (void)unused3;
    arm_m_leave_secure(arm_of(vcpu), (uint32_t)target);
    return 0;
}

static void lift_leave_secure(struct arm_lift *l, ir_val target)
{
    static const struct ir_helper helper = {"leave_secure", leave_secure, IR_H_READS | IR_H_WRITES,
                                            IR_VOID, 1};
    arm_sync_it(l);
    arm_call(l, &helper, target, IR_NONE, IR_NONE, IR_NONE);
    ir_exit_state(l->b);
}

/* BXNS: an even target is Non-secure. */
void arm_bxns(struct arm_lift *l, const struct arm_insn *i)
{
    ir_val target = arm_reg_get(l, i->m);
    uint32_t label = ir_label_new(l->b);

    if (i->m >= 13) { /* UNPREDICTABLE */
        arm_unpredictable(l);
        return;
    }
    ir_skip_if(l->b, ir_and(l->b, IR_I32, target, arm_const(l, 1)), label);
    lift_leave_secure(l, target);
    ir_label(l->b, label);
    arm_m_return_write_pc(l, target);
}

/* BLXNS: the return address stays on the Secure stack, lr gets FNC_RETURN. */
void arm_blxns(struct arm_lift *l, const struct arm_insn *i)
{
    ir_val target = arm_reg_get(l, i->m), next = arm_const(l, arm_next_pc(l) | 1);
    uint32_t label = ir_label_new(l->b);

    if (i->m >= 13) { /* UNPREDICTABLE */
        arm_unpredictable(l);
        return;
    }
    ir_skip_if(l->b, ir_and(l->b, IR_I32, target, arm_const(l, 1)), label);
    ir_val sp = arm_offset(l, arm_reg_get(l, 13), false, arm_const(l, 8));
    ir_val sfpa = ir_ubfx(l->b, IR_I32, arm_state_get(l, ARM_OFF(m[0].control)), 3, 1);
    ir_val psr = ir_or(l->b, IR_I32, arm_state_get(l, ARM_OFF(m_ipsr)),
                       ir_shl(l->b, IR_I32, sfpa, arm_const(l, 20)));
    arm_m_check_stack(l, 13, sp);
    arm_store(l, sp, next, 2, ARM_ALIGNED);
    arm_store(l, arm_offset(l, sp, true, arm_const(l, 4)), psr, 2, ARM_AGAIN);
    arm_reg_put(l, 13, sp);
    arm_reg_put(l, 14, arm_const(l, FNC_RETURN));
    lift_leave_secure(l, target);
    ir_label(l->b, label);
    arm_reg_put(l, 14, next);
    arm_bx_write_pc(l, target);
}

/* SG: no entry from Non-secure state gets here, all memory being Secure. */
void arm_sg(struct arm_lift *l, const struct arm_insn *i)
{
    (void)l, (void)i;
}

/* TT and its kinds: all memory is Secure (bit 22), and without an MPU anybody may read and write
 * it. */
void arm_tt(struct arm_lift *l, const struct arm_insn *i)
{
    if (arm_bad_reg(l, i->d) || i->n == 15) { /* UNPREDICTABLE */
        arm_unpredictable(l);
        return;
    }
    arm_reg_put(l, i->d, arm_const(l, 1u << 22 | (l->priv || i->R ? 3u << 18 : 0)));
}

/* VLSTM, VLLDM: nothing where Secure state has not used floating point (CONTROL.SFPA), else CPACR,
 * which denies it, has its say. */
static void lazy_state(struct arm_lift *l, const struct arm_insn *i)
{
    uint32_t label = ir_label_new(l->b);

    if (i->n == 15) { /* UNPREDICTABLE */
        arm_unpredictable(l);
        return;
    }
    ir_val control = arm_state_get(l, ARM_OFF(m[0].control));
    ir_skip_ifnot(l->b, ir_and(l->b, IR_I32, control, arm_const(l, ARM_M_SFPA)), label);
    ir_exit_exc(l->b, EXC_GUEST + NW_ARM_EXC_NOCP, 0, 0);
    ir_label(l->b, label);
}

ARM_LIFT(vlstm, lazy_state(l, i))
ARM_LIFT(vlldm, lazy_state(l, i))

/* ---- load-acquire, store-release: as their plain sisters, and a barrier ---- */

typedef void lifter(struct arm_lift *, const struct arm_insn *);

static bool bad_ordered(struct arm_lift *l, const struct arm_insn *i)
{
    if (!arm_bad_reg(l, i->t) && i->n != 15)
        return false;
    arm_unpredictable(l);
    return true;
}

static void acquire(struct arm_lift *l, const struct arm_insn *i, lifter *load)
{
    if (bad_ordered(l, i))
        return;
    load(l, i);
    ir_fence(l->b);
}

static void release(struct arm_lift *l, const struct arm_insn *i, lifter *store)
{
    if (bad_ordered(l, i))
        return;
    ir_fence(l->b);
    store(l, i);
}

ARM_LIFT(lda, acquire(l, i, arm_ldr_imm))
ARM_LIFT(ldab, acquire(l, i, arm_ldrb_imm))
ARM_LIFT(ldah, acquire(l, i, arm_ldrh_imm))
ARM_LIFT(ldaex, acquire(l, i, arm_ldrex))
ARM_LIFT(ldaexb, acquire(l, i, arm_ldrexb))
ARM_LIFT(ldaexh, acquire(l, i, arm_ldrexh))
ARM_LIFT(stl, release(l, i, arm_str_imm))
ARM_LIFT(stlb, release(l, i, arm_strb_imm))
ARM_LIFT(stlh, release(l, i, arm_strh_imm))
ARM_LIFT(stlex, release(l, i, arm_strex))
ARM_LIFT(stlexb, release(l, i, arm_strexb))
ARM_LIFT(stlexh, release(l, i, arm_strexh))
