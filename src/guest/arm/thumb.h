/* What only Thumb needs from the lift loop. */
#ifndef GUEST_ARM_THUMB_H
#define GUEST_ARM_THUMB_H

#include "guest/arm/lift.h"

/* True when I, a decoded Thumb instruction, is UNPREDICTABLE because of its registers or its place
 * in an IT block. Looked at before the lift function, which then need not know the rules that
 * Thumb has beyond those of A32. */
bool arm_thumb_unpredictable(const struct arm_lift *l, const struct arm_insn *i);

#endif
