/* What the comparison with the host CPU leaves out, each with its reason. */
#ifndef TESTS_DIFF_X86_SKIPS_H
#define TESTS_DIFF_X86_SKIPS_H

#include <Zydis/Zydis.h>
#include "x86_case.h"

/* Why instructions of this mnemonic are not compared; null: they are. */
const char *skip_reason(ZydisMnemonic);
/* Does the instruction make several accesses, so that the address of a fault is no more exact than
 * its page? */
bool skip_fault_byte(ZydisMnemonic);

/* Differences that are no mistakes of ours, counted. ORDER SKIP_CAUSE */
enum skip_cause {
    SKIP_NOT,
    SKIP_SEGMENT,
    SKIP_HANG,
    SKIP_MASKED_STORE,
    SKIP_POPA,
    SKIP_ORDER,
    SKIP_FAR_TARGET,
    SKIP_LIMIT,
    SKIP_MISALIGNED_SSE,
    SKIP_ALIGNMENT,
    SKIP_OFFSET,
    SKIP_VENDOR,
    SKIP_UNSTABLE,
    SKIP_CAUSES
};
extern const char *const skip_causes[SKIP_CAUSES];
/* … of what the host did alone, and of what both did with an instruction. */
enum skip_cause skip_host(const struct case_state *before, const struct case_result *want);
enum skip_cause skip_result(const ZydisDecodedInstruction *, const struct case_result *want,
                            const struct case_result *got);
/* On hosts of other vendors: does the instruction store x87's pointers and opcode? */
bool skip_pointers(ZydisMnemonic);
/* What the host's model, not the instruction, has put into memory: made to what the guest's has. */
void skip_model_data(ZydisMnemonic, const uint8_t *before, struct case_result *want);

#endif
