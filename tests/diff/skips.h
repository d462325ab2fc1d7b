/* Where the reference cannot be compared with, each with its reason. */
#ifndef TESTS_DIFF_SKIPS_H
#define TESTS_DIFF_SKIPS_H

#include "../insn/machine.h"
#include "guest/arm/decode.h"

enum skip_reason {
    SKIP_NONE,
    SKIP_PRIVILEGED, /* the reference runs user code with other system registers than ours */
    SKIP_HINT,       /* WFI, WFE and YIELD end the reference's run */
    SKIP_IT,         /* the reference does not stop between IT and what follows */
    SKIP_ALIGNMENT,  /* the reference does not check the alignment of VFP loads and stores (A3.2.1)
                      */
    SKIP_SAME,       /* both registers of VTRN, VUZP and VZIP are the same: UNKNOWN (A8.8.422) */
    SKIP_SIMD,       /* it executes what is UNDEFINED in A7.4.1 and A7.4.2 */
    SKIP_ROUNDING,   /* it converts from fixed point as FPSCR rounds, not to nearest (A8.8.307) */
    SKIP_OLD_BL,     /* halves of BL on their own exist only without Thumb-2: no such model there */
    SKIP_BRANCH_IN_IT, /* UNPREDICTABLE (A8.8.18), whether the condition holds or not */
    SKIP_STORE_PC,     /* stores relative to the pc are UNDEFINED (A8.8.204 T3 and others); the
                        * reference performs them */
};

enum skip_reason reference_skip(const struct arm_insn *, const struct machine_state *before,
                                const struct machine_state *ours);
/* Makes states comparable that may differ for a stated reason. */
void reference_mend(const struct arm_insn *, const struct machine_state *before,
                    const struct machine_state *ours, struct machine_state *reference);

#endif
