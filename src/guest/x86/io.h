/* Port I/O (SDM 1 chapter 19). */
#ifndef GUEST_X86_IO_H
#define GUEST_X86_IO_H

#include "guest/x86/state.h"

/* SIZE: 1, 2 or 4. False: #GP(0), or a fault of the permission map. */
bool x86_io_in(struct nw_vcpu *, uint16_t port, unsigned size, uint32_t *value);
bool x86_io_out(struct nw_vcpu *, uint16_t port, unsigned size, uint32_t value);

/* INS and OUTS. */
struct x86_io_string {
    uint8_t size, addr_bits, seg; /* SEG: of OUTS's source */
    bool in, rep;
};
/* As many elements as may be moved at a stretch; true when the instruction is done. */
bool x86_io_string(struct nw_vcpu *, const struct x86_io_string *);

#endif
