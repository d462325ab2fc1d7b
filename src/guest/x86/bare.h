/* A CPU without firmware, kernel and vectors: NW_EXC_BARE. What differs from a processor is listed in
 * narwhal/x86.h; state.bare and x86_lift.bare ask for it. */
#ifndef GUEST_X86_BARE_H
#define GUEST_X86_BARE_H

#include "guest/x86/state.h"

/* guest_ops.bare: for 64-bit code where the guest has long mode, else for 32-bit code. */
void x86_bare(struct nw_vcpu *);
/* See nw_x86_bare; BITS is one of the three. */
void x86_bare_set(struct nw_vcpu *, unsigned bits);
/* See nw_x86_segment_load. False: an exception is in vcpu->exc. */
bool x86_bare_segment(struct nw_vcpu *, unsigned seg, uint16_t selector);

#endif
