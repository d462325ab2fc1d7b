/* CPUID (SDM 2A, AMD APM 3 appendix E). */
#ifndef GUEST_X86_CPUID_H
#define GUEST_X86_CPUID_H

#include "guest/x86/state.h"

/* What the instruction gives in EAX, EBX, ECX and EDX for LEAF and SUB (ECX) on this CPU. */
void x86_cpuid(struct nw_vcpu *, uint32_t leaf, uint32_t sub, uint32_t out[4]);

#endif
