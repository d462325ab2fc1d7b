/* The IR interpreter: runs a region as the host back end would, from the same records. It serves
 * single-step and rare cases, and it is the oracle for the back end. */
#ifndef IR_INTERP_H
#define IR_INTERP_H

#include "ir/vec.h"

struct nw_vcpu;

enum ir_leave {
    IR_LEFT_EXIT,   /* state, pc included, is that of the next instruction */
    IR_LEFT_RAISED, /* vcpu->leave is set: an exception or a request is pending; state is exact */
};

/* Runs REGION from its start with the state in VCPU. SLOTS is scratch of REGION->insns.len
 * elements. */
enum ir_leave ir_interp(struct nw_vcpu *vcpu, const struct ir_region *region, union ir_vec *slots);

/* Several vCPUs may share what is written: each write is whole, some may be lost. */
void ir_note_run(struct nw_vcpu *, const struct ir_note *);

#endif
