/* Status registers, mode changes and exception-generating instructions, ARM DDI 0406C A5.2.12,
 * A5.7.1, B9.3. */
#include "guest/arm/front.h"
#include "guest/arm/lift.h"
#include <narwhal/arm.h>

/* ---- CPSR and SPSR ---- */

/* CPSR as MRS gives it: the execution state bits J, IT and T read as zero (B9.3.8); User mode sees
 * its mode and masks too, as CPUs do, though they are UNKNOWN. */
static ir_val cpsr_value(struct arm_lift *l)
{
    struct ir_builder *b = l->b;
    ir_val v = ir_shl(b, IR_I32, arm_flags_get(l), arm_const(l, 28));
    ir_val q = ir_shl(b, IR_I32, arm_state_get(l, ARM_OFF(q)), arm_const(l, 27));
    ir_val ge = ir_shl(b, IR_I32, arm_state_get(l, ARM_OFF(ge)), arm_const(l, 16));

    v = ir_or(b, IR_I32, v, ir_or(b, IR_I32, q, ge));
    v = ir_or(b, IR_I32, v, arm_state_get(l, ARM_OFF(control)));
    v = ir_or(b, IR_I32, v,
              ir_and(b, IR_I32, arm_state_get(l, ARM_OFF(idle)), arm_const(l, 0x00c00000)));
    return l->mode & ARM_KEY_BE ? ir_or(b, IR_I32, v, arm_const(l, 1u << 9)) : v;
}

static uint64_t spsr_read(struct nw_vcpu *vcpu, uint64_t unused1, uint64_t unused2,
                          uint64_t unused3, uint64_t unused4)
{
    (void)unused1, (void)unused2, (void)unused3, (void)unused4;
    struct arm_state *s = arm_of(vcpu);

    return s->spsr[arm_bank_of(s->control)];
}

static uint64_t spsr_write(struct nw_vcpu *vcpu, uint64_t value, uint64_t mask, uint64_t unused1,
                           uint64_t unused2)
{
    (void)unused1, (void)unused2;
    struct arm_state *s = arm_of(vcpu);
    uint32_t *spsr = &s->spsr[arm_bank_of(s->control)];

    *spsr = (uint32_t)((*spsr & ~mask) | (value & mask));
    return 0;
}

static uint64_t cpsr_write(struct nw_vcpu *vcpu, uint64_t value, uint64_t mask, uint64_t unused1,
                           uint64_t unused2)
{
    (void)unused1, (void)unused2;
    arm_cpsr_write_by_insn(arm_of(vcpu), (uint32_t)value, (uint32_t)mask);
    return 0;
}

static const struct ir_helper spsr_read_helper = {"spsr_read", spsr_read, IR_H_READS, IR_I32, 0};
static const struct ir_helper spsr_write_helper = {"spsr_write", spsr_write,
                                                   IR_H_READS | IR_H_WRITES, IR_VOID, 2};
static const struct ir_helper cpsr_write_helper = {"cpsr_write", cpsr_write,
                                                   IR_H_READS | IR_H_WRITES, IR_VOID, 2};

/* MRS: A8.8.109, B9.3.8 */
void arm_mrs(struct arm_lift *l, const struct arm_insn *i)
{
    if (arm_bad_reg(l, i->d) || (i->R && !l->priv)) { /* UNPREDICTABLE; no SPSR in User mode */
        arm_unpredictable(l);
        return;
    }
    arm_reg_put(l, i->d,
                i->R ? arm_call(l, &spsr_read_helper, IR_NONE, IR_NONE, IR_NONE, IR_NONE)
                     : cpsr_value(l));
}

/* The bits that field mask K selects. */
static uint32_t field_mask(unsigned k)
{
    return (k & 1 ? 0xffu : 0) | (k & 2 ? 0xff00u : 0) | (k & 4 ? 0xff0000u : 0) |
           (k & 8 ? 0xff000000u : 0);
}

/* NZCVQ and GE are plain words of the state; no block key depends on them. */
static void write_apsr(struct arm_lift *l, ir_val v, unsigned k)
{
    if (k & 8) {
        arm_flags_put(l, ir_shr(l->b, IR_I32, v, arm_const(l, 28)));
        if (arm_has(l, ARM_F_V5))
            arm_state_put(l, ARM_OFF(q), ir_ubfx(l->b, IR_I32, v, 27, 1));
    }
    if (k & 4 && arm_has(l, ARM_F_V6))
        arm_state_put(l, ARM_OFF(ge), ir_ubfx(l->b, IR_I32, v, 16, 4));
}

/* MSR: A8.8.111, A8.8.112, B9.3.11, B9.3.12. Writes of T and IT by MSR are ignored. */
static void write_status(struct arm_lift *l, const struct arm_insn *i, ir_val v)
{
    uint32_t mask = field_mask(i->mask);

    if (i->R) {
        if (!l->priv || !i->mask) { /* B9.3.12: no SPSR in User mode; no field */
            arm_unpredictable(l);
            return;
        }
        arm_call(l, &spsr_write_helper, v, arm_const(l, mask), IR_NONE, IR_NONE);
        return;
    }
    mask &= l->priv ? 0xf80f03dfu : 0xf80f0200u; /* of E B9.3.11 says so */
    if (!arm_has(l, ARM_F_V6))
        mask &= ~0x000f0200u;
    write_apsr(l, v, i->mask);
    mask &= 0x000003dfu;
    if (!mask)
        return;
    arm_call(l, &cpsr_write_helper, v, arm_const(l, mask), IR_NONE, IR_NONE);
    arm_leave_state(l);
}

void arm_msr_reg(struct arm_lift *l, const struct arm_insn *i)
{
    if (arm_bad_reg(l, i->n)) { /* A8.8.112: UNPREDICTABLE */
        arm_unpredictable(l);
        return;
    }
    write_status(l, i, arm_reg_get(l, i->n));
}

void arm_msr_imm(struct arm_lift *l, const struct arm_insn *i)
{
    write_status(l, i, arm_const(l, i->imm));
}

/* CPS: B9.3.2. x is imod (2 enable, 3 disable), R changes the mode, k names A, I, F. */
void arm_cps(struct arm_lift *l, const struct arm_insn *i)
{
    uint32_t mask = 0, value = 0;

    if (i->x == 1 || (i->imm && !i->R) || (!i->x && !i->R) || (i->x & 2 ? !i->mask : i->mask)) {
        arm_unpredictable(l);
        return;
    }
    if (!l->priv) /* a no-op in User mode */
        return;
    if (i->x) {
        mask |= (uint32_t)i->mask << 6;
        value |= i->x == 3 ? mask : 0;
    }
    if (i->R) {
        mask |= 0x1f;
        value |= i->imm;
    }
    arm_call(l, &cpsr_write_helper, arm_const(l, value), arm_const(l, mask), IR_NONE, IR_NONE);
    arm_leave_state(l);
}

/* SETEND: A8.8.167 */
void arm_setend(struct arm_lift *l, const struct arm_insn *i)
{
    arm_state_put(l, ARM_OFF(big_endian), arm_const(l, i->R));
    l->mode = (l->mode & ~ARM_KEY_BE) | (i->R ? ARM_KEY_BE : 0);
}

/* ---- exceptions ---- */

/* SVC: A8.8.228 */
void arm_svc(struct arm_lift *l, const struct arm_insn *i)
{
    arm_exception(l, EXC_SYSCALL, i->imm, true);
}

/* BKPT: A8.8.24 */
void arm_bkpt(struct arm_lift *l, const struct arm_insn *i)
{
    if (i->cond != ARM_COND_AL) { /* A8.8.24: UNPREDICTABLE */
        arm_unpredictable(l);
        return;
    }
    arm_exception(l, EXC_BREAKPOINT, i->imm, false);
}

/* SMC: B9.3.14. Only the bare CPU has a monitor to call, the engine's caller; the others are
 * without the Security Extensions. */
void arm_smc(struct arm_lift *l, const struct arm_insn *i)
{
    if (!l->priv || !arm_of(l->req->vcpu)->bare) {
        arm_undefined(l);
        return;
    }
    arm_exception(l, EXC_GUEST + NW_ARM_EXC_SMC, i->imm, true);
}

/* UDF: A8.8.247 */
void arm_udf(struct arm_lift *l, const struct arm_insn *i)
{
    (void)i;
    arm_undefined(l);
}
