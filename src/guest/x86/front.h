/* Private to the x86 front end: what guest.c assembles into the guests' tables. */
#ifndef GUEST_X86_FRONT_H
#define GUEST_X86_FRONT_H

#include "guest/x86/state.h"

void x86_lift_block(struct ir_builder *, struct lift_request *);

/* Does the engine hand exceptions to its caller, so that the guest is a program without a kernel?
 */
bool x86_is_user(const struct nw_vcpu *);

/* Exceptions and interrupt instructions are exits, of a CPU with all of its system state. */
bool x86_is_bare(const struct nw_vcpu *);

/* system.c */
void x86_reset(struct nw_vcpu *);
/* What every first state has, all else being 0. The caller settles MXCSR, the mode and the TLB. */
void x86_clear(struct nw_vcpu *);
bool x86_deliver(struct nw_vcpu *);
/* guest_ops.fault: alignment and addresses that are not canonical. */
void x86_fault(struct nw_vcpu *);
bool x86_interrupt(struct nw_vcpu *);
bool x86_wakes(const struct nw_vcpu *);
uint32_t x86_asleep(const struct nw_vcpu *);

/* Was it through SS that the instruction at the pc accessed ADDR? */
bool x86_uses_stack(struct nw_vcpu *, uint64_t addr);

#endif
