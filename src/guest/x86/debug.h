/* Debug registers, breakpoints and single steps (SDM 3B 17.2, 17.3). */
#ifndef GUEST_X86_DEBUG_H
#define GUEST_X86_DEBUG_H

#include "guest/guest.h"
#include "guest/x86/state.h"

#define X86_DR6_BD (1u << 13) /* an access to debug registers */
#define X86_DR6_BS (1u << 14) /* a single step */
#define X86_DR6_BT (1u << 15) /* a task switch */
#define X86_DR7_GD (1u << 13)

/* Payload of a #DB that sets RF in the image of EFLAGS: all but instruction breakpoints of those
 * that are faults (SDM 3B 17.3.1.1). */
#define X86_DB_FAULT 1u

/* DR0..DR3 or DR7 have changed. */
void x86_debug_changed(struct nw_vcpu *);
/* Helper: an instruction begins; #DB when DR0..DR3 ask for one before it, unless not ARMED. */
uint64_t x86_debug_fetch(struct nw_vcpu *, uint64_t armed, uint64_t, uint64_t, uint64_t);
/* An access that breakpoints may wait for. */
void x86_debug_access(struct nw_vcpu *, uint64_t linear, unsigned size, bool write);
void x86_debug_io(struct nw_vcpu *, uint16_t port, unsigned size);
/* The instruction at KEY has completed under one of X86_STEP_MODES: the trap behind it, if any. */
void x86_debug_stepped(struct nw_vcpu *, struct block_key key);

/* Modes under which instructions run one by one in the interpreter. */
#define X86_STEP_MODES (X86_KEY_TF | X86_KEY_BREAK | X86_KEY_INHIBIT | X86_KEY_RF)

/* MOV to and from DRn; N 0..7. False: an exception. */
bool x86_dr_read(struct nw_vcpu *, unsigned n, uint64_t *value);
bool x86_dr_write(struct nw_vcpu *, unsigned n, uint64_t value);

#endif
