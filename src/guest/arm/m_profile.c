/* The program status and special registers of M profile: ARM DDI 0419 B1.4 (v6-M), ARM DDI 0403
 * B1.4 (v7-M), ARM DDI 0553 B3 (v8-M). */
#include "guest/arm/m_profile.h"

#include <string.h>

#include <narwhal/arm.h>

#define XPSR_Q     (1u << 27)
#define XPSR_T     (1u << 24)
#define XPSR_IPSR  0x1ffu
#define APSR_GE    (15u << 16)
#define APSR_FLAGS 0xf8000000u

/* ---- stack pointers ---- */

static bool has(const struct arm_state *s, uint32_t features)
{
    return (s->features & features) == features;
}

/* Which stack pointer BANK uses: Handler mode the main one (B1.4.1). */
static unsigned stack_of(const struct arm_state *s, const struct arm_m_bank *bank)
{
    return !s->m_ipsr && bank->control & ARM_M_SPSEL;
}

static uint32_t sp_read(const struct arm_state *s, const struct arm_m_bank *bank, unsigned which)
{
    bool in_use = bank == &s->m[s->m_nonsecure] && which == stack_of(s, bank);

    return in_use ? s->r[13] : bank->sp[which];
}

/* Around what may change which stack pointer is in use. */
static void put_sp_back(struct arm_state *s)
{
    struct arm_m_bank *bank = &s->m[s->m_nonsecure];

    bank->sp[stack_of(s, bank)] = s->r[13];
}

static void take_sp(struct arm_state *s)
{
    const struct arm_m_bank *bank = &s->m[s->m_nonsecure];
    unsigned which = stack_of(s, bank);

    s->r[13] = bank->sp[which];
    s->m_limit = bank->limit[which];
}

static void sp_write(struct arm_state *s, struct arm_m_bank *bank, unsigned which, uint32_t value)
{
    put_sp_back(s);
    bank->sp[which] = value;
    take_sp(s);
}

/* ---- modes ---- */

void arm_m_reset(struct arm_state *s, bool privileged)
{
    memset(s->m, 0, sizeof s->m);
    s->m_nonsecure = s->m_ipsr = s->m_limit = 0;
    s->m[0].control = privileged ? 0 : ARM_M_NPRIV;
    s->thumb = 1;
}

static uint32_t control_bits(const struct arm_state *s)
{
    uint32_t bits = ARM_M_SPSEL;

    if (has(s, ARM_F_M_MAIN))
        bits |= ARM_M_NPRIV;
    if (has(s, ARM_F_VFP2))
        bits |= ARM_M_FPCA | (has(s, ARM_F_M_SEC) ? ARM_M_SFPA : 0);
    return bits;
}

void arm_m_loaded(struct arm_state *s)
{
    s->sctlr = 0; /* neither an MMU nor another byte order */
    s->big_endian = 0;
    s->m_nonsecure &= has(s, ARM_F_M_SEC);
    s->m_ipsr &= XPSR_IPSR;
    s->m[0].control &= control_bits(s);
    s->m[1].control &= control_bits(s) & (ARM_M_NPRIV | ARM_M_SPSEL);
    if (!has(s, ARM_F_M_V8)) {
        memset(s->m[0].limit, 0, sizeof s->m[0].limit);
        memset(s->m[1].limit, 0, sizeof s->m[1].limit);
    }
    s->m_limit = s->m[s->m_nonsecure].limit[stack_of(s, &s->m[s->m_nonsecure])];
}

uint32_t arm_m_key(const struct arm_state *s)
{
    return (s->m_ipsr ? ARM_KEY_M_HANDLER : 0) | (s->m_limit ? ARM_KEY_M_LIMIT : 0) |
           (s->m_nonsecure ? ARM_KEY_M_NONSECURE : 0) | (has(s, ARM_F_M_MAIN) ? 0 : ARM_KEY_ALIGN);
}

/* Peripherals, devices and the system space. v6-M CPUs have no such protection here. */
bool arm_m_never_executes(uint32_t features, uint32_t addr)
{
    return features & ARM_F_M_MAIN && (addr >> 29 == 2 || addr >= 0xa0000000);
}

void arm_m_leave_secure(struct arm_state *s, uint32_t target)
{
    put_sp_back(s);
    s->m_nonsecure = 1;
    s->m[0].control &= ~ARM_M_SFPA;
    take_sp(s);
    s->thumb = 1;
    s->r[15] = target & ~1u;
}

/* ---- program status ---- */

uint32_t arm_xpsr_read(const struct arm_state *s)
{
    return s->nzcv << 28 | (s->q ? XPSR_Q : 0) | (s->itstate & 3) << 25 | (s->thumb ? XPSR_T : 0) |
           s->ge << 16 | (s->itstate >> 2 & 0x3f) << 10 | s->m_ipsr;
}

void arm_xpsr_write(struct arm_state *s, uint32_t value)
{
    put_sp_back(s);
    s->nzcv = value >> 28;
    s->q = (value & XPSR_Q) != 0;
    s->ge = has(s, ARM_F_DSP) ? (value & APSR_GE) >> 16 : 0;
    s->thumb = (value & XPSR_T) != 0;
    s->itstate = s->thumb ? (value >> 25 & 3) | (value >> 10 & 0x3f) << 2 : 0;
    s->m_ipsr = value & XPSR_IPSR;
    take_sp(s);
}

/* B5.2.2: EPSR reads as zero; bit 0 asks for IPSR, bit 2 leaves APSR out. */
static uint32_t psr_read(const struct arm_state *s, unsigned sysm)
{
    uint32_t mask = (sysm & 1 ? XPSR_IPSR : 0) | (sysm & 4 ? 0 : APSR_FLAGS | APSR_GE);

    return arm_xpsr_read(s) & mask;
}

/* ---- special registers ---- */

/* The bank that SYSM names and the number without that; null: none that the CPU may see. */
static struct arm_m_bank *bank_named(struct arm_state *s, unsigned *sysm)
{
    if (!(*sysm & ARM_SYSM_NS))
        return *sysm == ARM_SYSM_SP ? NULL : &s->m[s->m_nonsecure];
    *sysm &= ~(unsigned)ARM_SYSM_NS;
    return has(s, ARM_F_M_SEC) && !s->m_nonsecure ? &s->m[1] : NULL;
}

static uint32_t control_read(const struct arm_state *s, const struct arm_m_bank *bank)
{
    return bank->control | (s->m[0].control & ARM_M_FPCA);
}

uint32_t arm_m_special_read(const struct arm_state *s, unsigned sysm)
{
    const struct arm_m_bank *bank;

    if (sysm <= ARM_SYSM_PSR_LAST)
        return psr_read(s, sysm);
    if (!arm_privileged(s) && sysm != ARM_SYSM_CONTROL)
        return 0;
    bank = bank_named((struct arm_state *)s, &sysm);
    if (!bank)
        return 0;
    switch (sysm) {
    case ARM_SYSM_MSP: return sp_read(s, bank, 0);
    case ARM_SYSM_PSP: return sp_read(s, bank, 1);
    case ARM_SYSM_SP: return sp_read(s, bank, stack_of(s, bank));
    case ARM_SYSM_MSPLIM: return bank->limit[0];
    case ARM_SYSM_PSPLIM: return bank->limit[1];
    case ARM_SYSM_PRIMASK: return bank->primask;
    case ARM_SYSM_BASEPRI:
    case ARM_SYSM_BASEPRI_MAX: return bank->basepri;
    case ARM_SYSM_FAULTMASK: return bank->faultmask;
    case ARM_SYSM_CONTROL: return control_read(s, bank);
    default: return 0;
    }
}

/* CONTROL: ARM DDI 0403 B1.4.4, ARM DDI 0553 D1.2.7. MASK: bits that may be written by who asks. */
static void control_write(struct arm_state *s, struct arm_m_bank *bank, uint32_t value,
                          uint32_t mask)
{
    uint32_t common = ARM_M_FPCA | ARM_M_SFPA;

    mask &= control_bits(s);
    put_sp_back(s);
    if (bank == &s->m[0])
        bank->control = (bank->control & ~(mask & common)) | (value & mask & common);
    mask &= ~common;
    bank->control = (bank->control & ~mask) | (value & mask);
    take_sp(s);
}

/* What MSR may write of it. v8-M lets Handler mode choose the stack of Thread mode. */
static uint32_t control_mask(const struct arm_state *s)
{
    if (!arm_privileged(s))
        return ARM_M_SFPA;
    return s->m_ipsr && !has(s, ARM_F_M_V8) ? ~ARM_M_SPSEL : UINT32_MAX;
}

static void limit_write(struct arm_state *s, struct arm_m_bank *bank, unsigned which,
                        uint32_t value)
{
    if (!has(s, ARM_F_M_V8))
        return;
    put_sp_back(s);
    bank->limit[which] = value & ~7u;
    take_sp(s);
}

static void write_masks(struct arm_state *s, struct arm_m_bank *bank, unsigned sysm, uint32_t value)
{
    bool main = has(s, ARM_F_M_MAIN);

    value &= 0xff;
    if (sysm == ARM_SYSM_PRIMASK)
        bank->primask = value & 1;
    else if (sysm == ARM_SYSM_FAULTMASK && main)
        bank->faultmask = value & 1;
    else if (sysm == ARM_SYSM_BASEPRI && main)
        bank->basepri = value;
    else if (sysm == ARM_SYSM_BASEPRI_MAX && main && value &&
             (value < bank->basepri || !bank->basepri)) /* raises the priority only */
        bank->basepri = value;
}

void arm_m_special_write(struct arm_state *s, unsigned sysm, uint32_t value)
{
    struct arm_m_bank *bank;

    if (!arm_privileged(s) && sysm != ARM_SYSM_CONTROL)
        return;
    bank = bank_named(s, &sysm);
    if (!bank)
        return;
    switch (sysm) {
    case ARM_SYSM_MSP: sp_write(s, bank, 0, value & ~3u); break;
    case ARM_SYSM_PSP: sp_write(s, bank, 1, value & ~3u); break;
    case ARM_SYSM_SP: sp_write(s, bank, stack_of(s, bank), value & ~3u); break;
    case ARM_SYSM_MSPLIM:
    case ARM_SYSM_PSPLIM: limit_write(s, bank, sysm - ARM_SYSM_MSPLIM, value); break;
    case ARM_SYSM_CONTROL: control_write(s, bank, value, control_mask(s)); break;
    default: write_masks(s, bank, sysm, value);
    }
}

/* ---- registers by number ---- */

static uint32_t *plain_reg(struct arm_state *s, unsigned reg)
{
    struct arm_m_bank *bank = &s->m[s->m_nonsecure];

    switch (reg) {
    case NW_ARM_PRIMASK: return &bank->primask;
    case NW_ARM_BASEPRI: return &bank->basepri;
    case NW_ARM_FAULTMASK: return &bank->faultmask;
    case NW_ARM_MSPLIM: return &bank->limit[0];
    case NW_ARM_PSPLIM: return &bank->limit[1];
    default: return NULL;
    }
}

bool arm_m_reg_read(const struct arm_state *s, unsigned reg, uint64_t *value)
{
    const struct arm_m_bank *bank = &s->m[s->m_nonsecure];
    const uint32_t *word = plain_reg((struct arm_state *)s, reg);

    if (!has(s, ARM_F_M))
        return false;
    if (reg == NW_ARM_XPSR)
        *value = arm_xpsr_read(s);
    else if (reg == NW_ARM_MSP || reg == NW_ARM_PSP)
        *value = sp_read(s, bank, reg - NW_ARM_MSP);
    else if (reg == NW_ARM_CONTROL)
        *value = control_read(s, bank);
    else if (word)
        *value = *word;
    else
        return false;
    return true;
}

bool arm_m_reg_write(struct arm_state *s, unsigned reg, uint32_t value)
{
    struct arm_m_bank *bank = &s->m[s->m_nonsecure];

    if (!has(s, ARM_F_M))
        return false;
    switch (reg) {
    case NW_ARM_XPSR: arm_xpsr_write(s, value); return true;
    case NW_ARM_MSP:
    case NW_ARM_PSP: sp_write(s, bank, reg - NW_ARM_MSP, value); return true;
    case NW_ARM_CONTROL: control_write(s, bank, value, UINT32_MAX); return true;
    case NW_ARM_MSPLIM:
    case NW_ARM_PSPLIM: limit_write(s, bank, reg - NW_ARM_MSPLIM, value); return true;
    case NW_ARM_PRIMASK: write_masks(s, bank, ARM_SYSM_PRIMASK, value); return true;
    case NW_ARM_BASEPRI: write_masks(s, bank, ARM_SYSM_BASEPRI, value); return true;
    case NW_ARM_FAULTMASK: write_masks(s, bank, ARM_SYSM_FAULTMASK, value); return true;
    default: return false;
    }
}
