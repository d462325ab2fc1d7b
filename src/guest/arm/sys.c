/* Program status registers, register banks, exceptions and interrupts: ARM DDI 0406C B1.3, B1.8,
 * B1.9. */
#include <stdatomic.h>
#include <string.h>

#include "guest/arm/control.h"
#include "guest/arm/front.h"
#include "guest/arm/m_profile.h"
#include "guest/arm/mmu.h"
#include <narwhal/arm.h>

#define CPSR_N_SHIFT 28
#define CPSR_Q       (1u << 27)
#define CPSR_GE      (15u << 16)
#define CPSR_E       (1u << 9)
#define CPSR_A       (1u << 8)
#define CPSR_I       (1u << 7)
#define CPSR_F       (1u << 6)
#define CPSR_T       (1u << 5)
#define CPSR_MODE    0x1fu

enum arm_bank arm_bank_of(uint32_t mode)
{
    switch (mode & CPSR_MODE) {
    case ARM_FIQ: return ARM_BANK_FIQ;
    case ARM_IRQ: return ARM_BANK_IRQ;
    case ARM_SVC: return ARM_BANK_SVC;
    case ARM_ABT: return ARM_BANK_ABT;
    case ARM_UND: return ARM_BANK_UND;
    default: return ARM_BANK_USR;
    }
}

bool arm_mode_valid(uint32_t mode)
{
    mode &= CPSR_MODE;
    return mode == ARM_USR || mode == ARM_SYS || arm_bank_of(mode) != ARM_BANK_USR;
}

uint32_t *arm_user_reg(struct arm_state *s, unsigned n)
{
    enum arm_bank bank = arm_bank_of(s->control);

    if (n == 13 && bank != ARM_BANK_USR)
        return &s->bank_sp[ARM_BANK_USR];
    if (n == 14 && bank != ARM_BANK_USR)
        return &s->bank_lr[ARM_BANK_USR];
    if (n >= 8 && n <= 12 && bank == ARM_BANK_FIQ)
        return &s->bank_r8[0][n - 8];
    return &s->r[n & 15];
}

uint32_t *arm_mode_sp(struct arm_state *s, uint32_t mode)
{
    enum arm_bank bank = arm_bank_of(mode);

    return bank == arm_bank_of(s->control) ? &s->r[13] : &s->bank_sp[bank];
}

static void switch_mode(struct arm_state *s, uint32_t mode)
{
    enum arm_bank old = arm_bank_of(s->control), new = arm_bank_of(mode);

    s->control = (s->control & ~CPSR_MODE) | (mode & CPSR_MODE);
    if (old == new)
        return;
    s->bank_sp[old] = s->r[13];
    s->bank_lr[old] = s->r[14];
    s->r[13] = s->bank_sp[new];
    s->r[14] = s->bank_lr[new];
    if (old == ARM_BANK_FIQ || new == ARM_BANK_FIQ) {
        memcpy(s->bank_r8[old == ARM_BANK_FIQ], &s->r[8], sizeof s->bank_r8[0]);
        memcpy(&s->r[8], s->bank_r8[new == ARM_BANK_FIQ], sizeof s->bank_r8[0]);
    }
}

uint32_t arm_cpsr_read(const struct arm_state *s)
{
    return s->nzcv << CPSR_N_SHIFT | (s->q ? CPSR_Q : 0) | (s->itstate & 3) << 25 | s->ge << 16 |
           (s->itstate >> 2 & 0x3f) << 10 | (s->big_endian ? CPSR_E : 0) | (s->thumb ? CPSR_T : 0) |
           s->control | (s->idle & (s->thumb ? ARM_CPSR_IDLE : UINT32_MAX));
}

void arm_cpsr_write(struct arm_state *s, uint32_t value, uint32_t mask)
{
    value = (arm_cpsr_read(s) & ~mask) | (value & mask);
    s->nzcv = value >> CPSR_N_SHIFT;
    s->q = (value & CPSR_Q) != 0;
    s->ge = (value & CPSR_GE) >> 16;
    s->thumb = (value & CPSR_T) != 0;
    s->itstate = s->thumb ? (value >> 25 & 3) | (value >> 10 & 0x3f) << 2 : 0;
    if (s->features & ARM_F_M) /* has no modes; CPSR is a view of xPSR */
        return;
    s->idle = value & (ARM_CPSR_IDLE | (s->thumb ? 0 : ARM_CPSR_IT));
    s->big_endian = (value & CPSR_E) != 0;
    s->control = (value & (CPSR_A | CPSR_I | CPSR_F)) | (s->control & CPSR_MODE);
    /* A mode that does not exist is UNPREDICTABLE (B1.3.1): the old one stays. */
    if (arm_mode_valid(value))
        switch_mode(s, value);
}

void arm_cpsr_write_by_insn(struct arm_state *s, uint32_t value, uint32_t mask)
{
    bool thumb = (mask & CPSR_T ? value & CPSR_T : s->thumb) != 0;

    mask &= ~(ARM_CPSR_IDLE | (thumb ? 0 : ARM_CPSR_IT));
    /* B1.3.3: in Non-secure state, where the bare CPU of such models is, A and F are the monitor's.
     */
    if (s->bare && (s->features & (ARM_F_SEC | ARM_F_LPAE)) == ARM_F_SEC)
        mask &= ~(CPSR_A | CPSR_F);
    arm_cpsr_write(s, value, mask);
}

/* ---- exception entry ---- */

struct entry {
    uint32_t mode, vector;
    uint32_t mask; /* of A, I, F that are set */
    uint32_t lr;
};

/* B1.8.5: the common part of taking an exception. */
static void enter(struct arm_state *s, const struct entry *e)
{
    uint32_t cpsr = arm_cpsr_read(s);
    uint32_t base = s->sctlr & ARM_SCTLR_V ? 0xffff0000u : s->vbar;

    switch_mode(s, e->mode);
    s->spsr[arm_bank_of(e->mode)] = cpsr;
    s->r[14] = e->lr;
    s->control |= e->mask;
    s->itstate = 0;
    s->thumb = (s->sctlr & ARM_SCTLR_TE) != 0;
    s->big_endian = (s->sctlr & ARM_SCTLR_EE) != 0;
    s->excl_size = 0;
    s->r[15] = base + e->vector;
}

static struct entry memory_entry(struct nw_vcpu *vcpu)
{
    const struct arm_state *s = arm_of(vcpu);

    arm_fault_registers(vcpu);
    if (vcpu->exc.access == NW_ACCESS_FETCH)
        return (struct entry){ARM_ABT, 0x0c, CPSR_A | CPSR_I, s->r[15] + 4};
    return (struct entry){ARM_ABT, 0x10, CPSR_A | CPSR_I, s->r[15] + 8};
}

bool arm_exception_enter(struct nw_vcpu *vcpu)
{
    struct arm_state *s = arm_of(vcpu);
    struct entry e;

    if (s->features & ARM_F_M) /* whoever runs the CPU does that */
        return false;
    switch (vcpu->exc.kind) {
    case EXC_UNDEFINED:
        e = (struct entry){ARM_UND, 0x04, CPSR_I, s->r[15] + (s->thumb ? 2 : 4)};
        break;
    case EXC_SYSCALL: /* the pc is that of the next instruction already */
        e = (struct entry){ARM_SVC, 0x08, CPSR_I, s->r[15]};
        break;
    case EXC_BREAKPOINT: /* a debug event taken as a prefetch abort (B1.9.7) */
        s->ifsr = 0x02;
        e = (struct entry){ARM_ABT, 0x0c, CPSR_A | CPSR_I, s->r[15] + 4};
        break;
    case EXC_MEM: e = memory_entry(vcpu); break;
    default: return false;
    }
    enter(s, &e);
    return true;
}

/* B1.9.1. Registers but those named here are UNKNOWN; we clear them. */
void arm_reset(struct nw_vcpu *vcpu)
{
    struct arm_state *s = arm_of(vcpu);

    memset(s, 0, offsetof(struct arm_state, features));
    arm_system_reset(s);
    if (vcpu->mmu)
        mmu_flush(vcpu);
    s->control = ARM_SVC | CPSR_A | CPSR_I | CPSR_F;
    s->thumb = (s->sctlr & ARM_SCTLR_TE) != 0;
    s->big_endian = (s->sctlr & ARM_SCTLR_EE) != 0;
    s->r[15] = s->sctlr & ARM_SCTLR_V ? 0xffff0000u : 0;
    if (s->features & ARM_F_M) {
        arm_m_reset(s, true);
        s->r[15] = 0;
        s->big_endian = 0;
    }
    arm_fpscr_write(vcpu, 0);
}

/* ---- interrupts ---- */

static uint32_t irq_lines(const struct nw_vcpu *vcpu)
{
    return __atomic_load_n(&vcpu->irq_lines, __ATOMIC_ACQUIRE);
}

bool arm_interrupt(struct nw_vcpu *vcpu)
{
    struct arm_state *s = arm_of(vcpu);
    uint32_t lines = irq_lines(vcpu);
    struct entry e;

    if (s->features & ARM_F_M)
        return false;
    if (lines & 1u << NW_ARM_FIQ && !(s->control & CPSR_F))
        e = (struct entry){ARM_FIQ, 0x1c, CPSR_A | CPSR_I | CPSR_F, s->r[15] + 4};
    else if (lines & 1u << NW_ARM_IRQ && !(s->control & CPSR_I))
        e = (struct entry){ARM_IRQ, 0x18, CPSR_A | CPSR_I, s->r[15] + 4};
    else
        return false;
    enter(s, &e);
    return true;
}

bool arm_wakes(const struct nw_vcpu *vcpu)
{
    return irq_lines(vcpu) != 0;
}
