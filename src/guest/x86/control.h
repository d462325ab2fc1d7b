/* Control registers and model-specific registers (SDM 3A 2.5, 4 chapter 2; AMD APM 2 appendix A).
 */
#ifndef GUEST_X86_CONTROL_H
#define GUEST_X86_CONTROL_H

#include "guest/x86/state.h"

/* MOV to CRn with all its checks; N 0, 2, 3, 4 or 8. False: an exception. */
bool x86_cr_write(struct nw_vcpu *, unsigned n, uint64_t value);
/* XSETBV */
bool x86_xcr_write(struct nw_vcpu *, uint32_t n, uint64_t value);

/* RDMSR and WRMSR. False: there is no such register, or not that value for it: #GP(0). */
bool x86_msr_read(struct nw_vcpu *, uint32_t msr, uint64_t *value);
bool x86_msr_write(struct nw_vcpu *, uint32_t msr, uint64_t value);

/* The system calls' ends in a kernel (control.c); NEXT: address of the next instruction. */
bool x86_syscall_enter(struct nw_vcpu *, uint64_t next);
bool x86_sysret(struct nw_vcpu *, bool wide);
bool x86_sysenter(struct nw_vcpu *);
bool x86_sysexit(struct nw_vcpu *, bool wide);

#define X86_PHYSICAL_BITS 40 /* as CPUID says */

#endif
