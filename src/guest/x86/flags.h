/* The arithmetic flags out of what the state keeps of them. */
#ifndef GUEST_X86_FLAGS_H
#define GUEST_X86_FLAGS_H

#include "guest/x86/state.h"

/* The six flags in their places. OP with X86_CC_CF (X86_CC_OF): CF
 * is bit 32 (OF bit 33) of OP. Operands may have anything
 * above the operation's size. */
uint32_t x86_flags_eval(uint64_t op, uint64_t dst, uint64_t src, uint64_t aux);
/* EFLAGS as the guest sees them. */
uint32_t x86_eflags_read(const struct x86_state *);
/* Replaces the bits that MASK selects (arithmetic ones included). */
void x86_eflags_write(struct x86_state *, uint32_t value, uint32_t mask);

#endif
