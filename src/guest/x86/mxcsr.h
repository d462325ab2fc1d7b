/* MXCSR as one word: control bits in the state, sticky flags in vcpu->fp (SDM 1 10.2.3). */
#ifndef GUEST_X86_MXCSR_H
#define GUEST_X86_MXCSR_H

#include "guest/x86/state.h"

#define X86_MXCSR_MASK 0xffffu /* bits that may be set */

/* On the vCPU's thread. */
uint32_t x86_mxcsr_read(struct nw_vcpu *);
/* VALUE has no bits but X86_MXCSR_MASK. May change the mode word. */
void x86_mxcsr_write(struct nw_vcpu *, uint32_t value);

#endif
