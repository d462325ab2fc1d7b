#include <x86intrin.h>

#include "guest/guest.h"
#include "guest/x86/control.h"
#include "guest/x86/mmu.h"
#include "guest/x86/model.h"
#include "guest/x86/segment.h"
#include "guest/x86/sysmem.h"
#include "guest/x86/system.h"

// clang-format off
enum msr {
    MSR_TSC = 0x10, MSR_APIC_BASE = 0x1b, MSR_FEATURE_CONTROL = 0x3a, MSR_UCODE_WRITE = 0x79,
    MSR_UCODE_REV = 0x8b, MSR_MTRR_CAP = 0xfe, MSR_SYSENTER_CS = 0x174, MSR_SYSENTER_ESP = 0x175,
    MSR_SYSENTER_EIP = 0x176, MSR_MCG_CAP = 0x179, MSR_MCG_STATUS = 0x17a,
    MSR_MISC_ENABLE = 0x1a0, MSR_DEBUGCTL = 0x1d9, MSR_MTRR_VARIABLE = 0x200,
    MSR_MTRR_FIX_64K = 0x250, MSR_MTRR_FIX_16K = 0x258, MSR_MTRR_FIX_4K = 0x268, MSR_PAT = 0x277,
    MSR_MTRR_DEF_TYPE = 0x2ff, MSR_TSC_DEADLINE = 0x6e0,
};
// clang-format on
#define MSR_EFER     0xc0000080u
#define MSR_STAR     0xc0000081u
#define MSR_LSTAR    0xc0000082u
#define MSR_CSTAR    0xc0000083u
#define MSR_SFMASK   0xc0000084u
#define MSR_FS_BASE  0xc0000100u
#define MSR_GS_BASE  0xc0000101u
#define MSR_KGS_BASE 0xc0000102u
#define MSR_TSC_AUX  0xc0000103u
#define MSR_SYSCFG   0xc0010010u /* AMD from here on */
#define MSR_HWCR     0xc0010015u
#define MSR_PATCH    0xc0010020u
#define MSR_VM_CR    0xc0010114u

#define MTRR_CAP     0x508u /* 8 variable ranges, fixed ones, write combining */
#define VM_CR_SVMDIS 0x18u  /* locked, no SVM */
#define UCODE_REV    1u
#define FEATURE_LOCK 1u

/* Of the fixed-range MTRRs; -1: none. */
static int fixed_mtrr(uint32_t msr)
{
    if (msr == MSR_MTRR_FIX_64K)
        return 0;
    if (msr == MSR_MTRR_FIX_16K || msr == MSR_MTRR_FIX_16K + 1)
        return 1 + (int)(msr - MSR_MTRR_FIX_16K);
    if (msr >= MSR_MTRR_FIX_4K && msr < MSR_MTRR_FIX_4K + 8)
        return 3 + (int)(msr - MSR_MTRR_FIX_4K);
    return -1;
}

/* Without long mode a guest has none of its registers, whatever the model. */
static bool has_long_mode(const struct nw_vcpu *vcpu)
{
    const struct x86_state *s = (const struct x86_state *)vcpu->state;
    return vcpu->guest->addr_type == IR_I64 && x86_model_has(s->model, X86_F_LM);
}

/* The registers that are a word of the state; null: others. */
static uint64_t *slot(struct nw_vcpu *vcpu, uint32_t msr)
{
    struct x86_state *s = x86_of(vcpu);
    bool lm = has_long_mode(vcpu);
    int fixed = fixed_mtrr(msr);

    if (fixed >= 0)
        return &s->mtrr_fix[fixed];
    if (msr >= MSR_MTRR_VARIABLE && msr < MSR_MTRR_VARIABLE + 16)
        return msr & 1 ? &s->mtrr_mask[(msr & 15) / 2] : &s->mtrr_base[(msr & 15) / 2];
    switch (msr) {
    case MSR_APIC_BASE: return &s->apic_base;
    case MSR_SYSENTER_CS: return &s->sysenter_cs;
    case MSR_SYSENTER_ESP: return &s->sysenter_esp;
    case MSR_SYSENTER_EIP: return &s->sysenter_eip;
    case MSR_MISC_ENABLE: return s->model->vendor == X86_VENDOR_INTEL ? &s->misc_enable : NULL;
    case MSR_PAT: return &s->pat;
    case MSR_MTRR_DEF_TYPE: return &s->mtrr_def_type;
    case MSR_TSC_DEADLINE: return NULL; /* CPUID has no such timer */
    case MSR_EFER: return lm || x86_model_has(s->model, X86_F_NX) ? &s->efer : NULL;
    case MSR_STAR: return lm ? &s->star : NULL;
    case MSR_LSTAR: return lm ? &s->lstar : NULL;
    case MSR_CSTAR: return lm ? &s->cstar : NULL;
    case MSR_SFMASK: return lm ? &s->sfmask : NULL;
    case MSR_FS_BASE: return lm ? &s->seg[X86_FS].base : NULL;
    case MSR_GS_BASE: return lm ? &s->seg[X86_GS].base : NULL;
    case MSR_KGS_BASE: return lm ? &s->kernel_gs_base : NULL;
    case MSR_TSC_AUX: return x86_model_has(s->model, X86_F_RDTSCP) ? &s->tsc_aux : NULL;
    default: return NULL;
    }
}

/* Registers that read as a constant and ignore writes. */
static bool constant(const struct x86_state *s, uint32_t msr, uint64_t *value)
{
    bool amd = s->model->vendor == X86_VENDOR_AMD;

    *value = 0;
    switch (msr) {
    case MSR_UCODE_REV: *value = amd ? UCODE_REV : (uint64_t)UCODE_REV << 32; return true;
    case MSR_MCG_CAP:
    case MSR_MCG_STATUS:
    case MSR_DEBUGCTL: return true;
    case MSR_FEATURE_CONTROL: *value = FEATURE_LOCK; return !amd;
    case MSR_SYSCFG:
    case MSR_HWCR: return amd;
    case MSR_VM_CR: *value = VM_CR_SVMDIS; return amd;
    default: return false;
    }
}

bool x86_msr_read(struct nw_vcpu *vcpu, uint32_t msr, uint64_t *value)
{
    struct x86_state *s = x86_of(vcpu);
    const uint64_t *word = slot(vcpu, msr);

    if (word)
        *value = *word;
    else if (msr == MSR_TSC)
        *value = __rdtsc() + s->tsc_offset;
    else if (msr == MSR_MTRR_CAP)
        *value = MTRR_CAP;
    else if (!constant(s, msr, value))
        return s->bare || x86_fail(vcpu, X86_GP, 0);
    return true;
}

/* ---- writing ---- */

static bool efer_ok(const struct nw_vcpu *vcpu, uint64_t value)
{
    const struct x86_state *s = (const struct x86_state *)vcpu->state;
    bool lm = has_long_mode(vcpu);
    uint64_t known = X86_EFER_LMA;

    if (lm && x86_model_has(s->model, X86_F_SYSCALL))
        known |= X86_EFER_SCE;
    if (lm)
        known |= X86_EFER_LME;
    if (x86_model_has(s->model, X86_F_NX))
        known |= X86_EFER_NXE;
    bool lme_changes = (s->efer ^ value) & X86_EFER_LME;
    return !(value & ~known) && !(lme_changes && s->cr0 & X86_CR0_PG);
}

/* Memory types of PAT's eight fields: 0, 1, 4, 5, 6, 7 (SDM 3A table 12-10). */
static bool pat_ok(uint64_t value)
{
    for (unsigned n = 0; n < 8; n++, value >>= 8)
        if ((value & 0xff) > 7 || (value & 0xff) == 2 || (value & 0xff) == 3)
            return false;
    return true;
}

static bool value_ok(const struct nw_vcpu *vcpu, uint32_t msr, uint64_t value)
{
    const struct x86_state *s = (const struct x86_state *)vcpu->state;

    switch (msr) {
    case MSR_EFER: return efer_ok(vcpu, value);
    case MSR_PAT: return pat_ok(value);
    case MSR_SFMASK:
    case MSR_TSC_AUX: return !(value >> 32);
    case MSR_SYSENTER_ESP:
    case MSR_SYSENTER_EIP:
    case MSR_LSTAR:
    case MSR_CSTAR:
    case MSR_FS_BASE:
    case MSR_GS_BASE:
    case MSR_KGS_BASE: return x86_linear_ok(s, value, 1);
    case MSR_MTRR_DEF_TYPE: return !(value & ~0xcffull);
    case MSR_APIC_BASE: return !(value >> X86_PHYSICAL_BITS);
    default: return true;
    }
}

bool x86_msr_write(struct nw_vcpu *vcpu, uint32_t msr, uint64_t value)
{
    struct x86_state *s = x86_of(vcpu);
    uint64_t *word = slot(vcpu, msr), old;

    if (word) {
        if (!value_ok(vcpu, msr, value))
            return x86_fail(vcpu, X86_GP, 0);
        if (msr == MSR_EFER)
            value = (value & ~(uint64_t)X86_EFER_LMA) | (*word & X86_EFER_LMA);
        *word = value;
        if (msr == MSR_EFER)
            x86_mmu_flush(vcpu);
        x86_mode_update(s);
        return true;
    }
    bool ignored =
        msr == MSR_UCODE_WRITE || (msr == MSR_PATCH && s->model->vendor == X86_VENDOR_AMD);
    if (msr == MSR_TSC)
        s->tsc_offset = value - __rdtsc();
    else if (!ignored && !constant(s, msr, &old))
        return s->bare || x86_fail(vcpu, X86_GP, 0);
    return true;
}
