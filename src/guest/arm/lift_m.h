/* What M profile adds to the lifting of other instructions. */
#ifndef GUEST_ARM_LIFT_M_H
#define GUEST_ARM_LIFT_M_H

#include "guest/arm/lift.h"

/* BX and loads into the pc: an EXC_RETURN value ends the run (ARM DDI 0403 B1.5.8), others branch.
 */
void arm_m_return_write_pc(struct arm_lift *l, ir_val v);
/* May the instruction at l->pc be fetched, as far as M profile says? */
bool arm_m_fetches(const struct arm_lift *l);
/* It may not, and is the first of the block. */
void arm_m_fetch_fault(struct arm_lift *l);
/* Register N becomes V: where that is the stack pointer and V below its limit, an exception before
 * anything is done (ARM DDI 0553 B3.21). Call it before accesses to memory; arm_reg_put does. For
 * any profile. */
void arm_m_check_stack(struct arm_lift *l, unsigned n, ir_val v);
/* A floating-point instruction is executed: its registers are live. For any profile. */
void arm_m_fp_used(struct arm_lift *l);

#endif
