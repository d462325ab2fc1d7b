/* Registers by number, for the public interface. */
#ifndef GUEST_X86_REGS_H
#define GUEST_X86_REGS_H

#include "guest/x86/state.h"

nw_status x86_reg_read(struct nw_vcpu *, unsigned reg, uint64_t *value);
nw_status x86_reg_write(struct nw_vcpu *, unsigned reg, uint64_t value);

#endif
