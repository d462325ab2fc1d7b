/* What the parts of the system side share: raising exceptions, control bits, privilege. */
#ifndef GUEST_X86_SYSTEM_H
#define GUEST_X86_SYSTEM_H

#include "guest/x86/state.h"

/* Exceptions by vector (SDM 3A 6.3.1). */
enum x86_vector {
    X86_DE = 0, X86_DB = 1, X86_NMI_VECTOR = 2, X86_BP = 3, X86_OF_TRAP = 4, X86_BR = 5, X86_UD = 6,
    X86_NM = 7, X86_DF_FAULT = 8, X86_TS_FAULT = 10, X86_NP = 11, X86_SS_FAULT = 12, X86_GP = 13,
    X86_PF_FAULT = 14, X86_MF = 16, X86_AC_FAULT = 17, X86_MC = 18, X86_XM = 19,
};

/* What vcpu->exc.payload says of an exception beside its error code, in engines that serve
 * exceptions themselves. */
#define X86_EXC_SOFT   (1u << 31) /* INT n, INT3, INTO: the gate's DPL counts */
#define X86_EXC_ICEBP  (1u << 30) /* INT1: an interrupt by software whatever the DPL */
#define X86_EXC_LENGTH(bytes) ((uint32_t)(bytes) << 24) /* of that instruction, 1..15 */

/* For helpers: records the exception; the helper (IR_H_EXITS) returns and the block is left. */
void x86_raise(struct nw_vcpu *, enum x86_vector, uint32_t error);
/* The same, and false. */
static inline bool x86_fail(struct nw_vcpu *vcpu, enum x86_vector vector, uint32_t error)
{
    x86_raise(vcpu, vector, error);
    return false;
}

/* Bits of the control registers and EFER that this guest knows. */
enum x86_cr0 {
    X86_CR0_PE = 1u << 0, X86_CR0_MP = 1u << 1, X86_CR0_EM = 1u << 2, X86_CR0_TS = 1u << 3,
    X86_CR0_ET = 1u << 4, X86_CR0_NE = 1u << 5, X86_CR0_WP = 1u << 16, X86_CR0_AM = 1u << 18,
    X86_CR0_NW = 1u << 29, X86_CR0_CD = 1u << 30,
};
#define X86_CR0_PG (1u << 31)
enum x86_cr4 {
    X86_CR4_VME = 1 << 0, X86_CR4_PVI = 1 << 1, X86_CR4_TSD = 1 << 2, X86_CR4_DE = 1 << 3,
    X86_CR4_PSE = 1 << 4, X86_CR4_PAE = 1 << 5, X86_CR4_MCE = 1 << 6, X86_CR4_PGE = 1 << 7,
    X86_CR4_PCE = 1 << 8, X86_CR4_OSFXSR = 1 << 9, X86_CR4_OSXMMEXCPT = 1 << 10,
    X86_CR4_UMIP = 1 << 11, X86_CR4_FSGSBASE = 1 << 16, X86_CR4_PCIDE = 1 << 17,
    X86_CR4_OSXSAVE = 1 << 18, X86_CR4_SMEP = 1 << 20, X86_CR4_SMAP = 1 << 21,
};
enum x86_efer { X86_EFER_SCE = 1 << 0, X86_EFER_LME = 1 << 8, X86_EFER_LMA = 1 << 10,
                X86_EFER_NXE = 1 << 11, X86_EFER_FFXSR = 1 << 14 };

static inline unsigned x86_cpl(const struct x86_state *s)
{
    return s->mode >> 5 & 3;
}

/* MMU indices of memory operations (IR_MEM_MMU): whose rights an access has. */
enum x86_mmu {
    X86_MMU_USER,
    X86_MMU_SUPERVISOR, /* explicit, with EFLAGS.AC: SMAP is set aside */
    X86_MMU_GUARDED,    /* where SMAP counts: without AC, or implicit (SDM 3A 4.6.1) */
};
/* Of explicit accesses under mode word MODE. */
static inline unsigned x86_mmu_of(uint32_t mode)
{
    if ((mode & X86_KEY_CPL) == X86_KEY_CPL)
        return X86_MMU_USER;
    return mode & X86_KEY_SMAP_AC ? X86_MMU_SUPERVISOR : X86_MMU_GUARDED;
}

static inline bool x86_real_or_vm86(const struct x86_state *s)
{
    return !(s->mode & X86_KEY_PROT) || s->mode & X86_KEY_VM86;
}
static inline bool x86_long(const struct x86_state *s)
{
    return s->mode & X86_KEY_LONG;
}
static inline unsigned x86_iopl(const struct x86_state *s)
{
    return s->eflags >> 12 & 3;
}

/* May a CPU in long mode use the SIZE bytes at ADDR? A bare one has physical addresses of 64 bits
 * until paging is switched on. */
bool x86_linear_ok(const struct x86_state *, uint64_t addr, unsigned size);

#endif
