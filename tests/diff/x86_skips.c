#include "x86_skips.h"
#include "x86_undefined.h"

#include <string.h>

static const struct {
    ZydisMnemonic mnemonic;
    const char *reason;
} skips[] = {
#define SKIP(mnemonic, reason) {ZYDIS_MNEMONIC_##mnemonic, reason},
    // clang-format off
    SKIP(CPUID, "says what the model has, not the host")
    SKIP(RDTSC, "another value each time")
    SKIP(RDTSCP, "another value each time")
    SKIP(RDPMC, "depends on the host's kernel")
    SKIP(RDRAND, "another value each time")
    SKIP(RDSEED, "another value each time")
    SKIP(RDPID, "the host's number of the CPU it runs on")
    SKIP(XGETBV, "the host has enabled more state")
    SKIP(XSETBV, "privileged")
    SKIP(SYSCALL, "calls the host's kernel")
    SKIP(SYSEXIT, "undefined in AMD's long mode, which is the host's")
    SKIP(SYSENTER, "calls the host's kernel")
    SKIP(INT, "calls the host's kernel")
    SKIP(INT1, "the host's kernel takes it for a trace trap")
    SKIP(SGDT, "the host's tables, if it lets them be seen")
    SKIP(SIDT, "the host's tables, if it lets them be seen")
    SKIP(SLDT, "the host's tables, if it lets them be seen")
    SKIP(STR, "the host's tables, if it lets them be seen")
    SKIP(SMSW, "the host's CR0, if it lets it be seen")
    SKIP(LAR, "looks into the host's descriptor tables")
    SKIP(LSL, "looks into the host's descriptor tables")
    SKIP(VERR, "looks into the host's descriptor tables")
    SKIP(VERW, "looks into the host's descriptor tables")
// clang-format on
#undef SKIP
};

/* The guest's are AMD's ways: on hosts of other vendors these are left out. */
static const struct {
    ZydisMnemonic mnemonic;
    const char *reason;
} skips_elsewhere[] = {
#define SKIP(mnemonic, reason) {ZYDIS_MNEMONIC_##mnemonic, reason},
    // clang-format off
    SKIP(FCOMI, "flags under an unmasked exception")
    SKIP(FCOMIP, "flags under an unmasked exception")
    SKIP(FUCOMI, "flags under an unmasked exception")
    SKIP(FUCOMIP, "flags under an unmasked exception")
    SKIP(DPPS, "which NaN of several")
    SKIP(DPPD, "which NaN of several")
    SKIP(VDPPS, "which NaN of several")
    SKIP(VDPPD, "which NaN of several")
    SKIP(PAUSE, "is XCHG with REX.B")
    SKIP(VPEXTRD, "VEX.W outside 64-bit code")
    SKIP(VPINSRD, "VEX.W outside 64-bit code")
// clang-format on
#undef SKIP
};

const char *skip_reason(ZydisMnemonic mnemonic)
{
    for (size_t i = 0; !host_is_amd() && i < sizeof skips_elsewhere / sizeof *skips_elsewhere;
         i++) {
        if (skips_elsewhere[i].mnemonic == mnemonic)
            return skips_elsewhere[i].reason;
    }
    for (size_t i = 0; i < sizeof skips / sizeof *skips; i++) {
        if (skips[i].mnemonic == mnemonic)
            return skips[i].reason;
    }
    return NULL;
}

#define MXCSR_MM (1u << 17) /* APM 2 11.5.3 */

/* FXSAVE, XSAVE and their inverses. */
static bool moves_state(ZydisMnemonic mnemonic)
{
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_FXRSTOR:
    case ZYDIS_MNEMONIC_FXRSTOR64:
    case ZYDIS_MNEMONIC_FXSAVE:
    case ZYDIS_MNEMONIC_FXSAVE64:
    case ZYDIS_MNEMONIC_XRSTOR:
    case ZYDIS_MNEMONIC_XRSTOR64:
    case ZYDIS_MNEMONIC_XSAVE:
    case ZYDIS_MNEMONIC_XSAVE64:
    case ZYDIS_MNEMONIC_XSAVEC:
    case ZYDIS_MNEMONIC_XSAVEC64:
    case ZYDIS_MNEMONIC_XSAVEOPT:
    case ZYDIS_MNEMONIC_XSAVEOPT64: return true;
    default: return false;
    }
}

static bool loads_state(ZydisMnemonic mnemonic)
{
    return mnemonic == ZYDIS_MNEMONIC_FXRSTOR || mnemonic == ZYDIS_MNEMONIC_FXRSTOR64 ||
           mnemonic == ZYDIS_MNEMONIC_XRSTOR || mnemonic == ZYDIS_MNEMONIC_XRSTOR64;
}

bool skip_fault_byte(ZydisMnemonic mnemonic)
{
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_FBLD:
    case ZYDIS_MNEMONIC_FBSTP:
    case ZYDIS_MNEMONIC_FLD:
    case ZYDIS_MNEMONIC_FLDENV:
    case ZYDIS_MNEMONIC_FNSAVE:
    case ZYDIS_MNEMONIC_FNSTENV:
    case ZYDIS_MNEMONIC_FRSTOR:
    case ZYDIS_MNEMONIC_FSTP:
    case ZYDIS_MNEMONIC_MASKMOVDQU:
    case ZYDIS_MNEMONIC_MASKMOVQ:
    case ZYDIS_MNEMONIC_POPA:
    case ZYDIS_MNEMONIC_POPAD:
    case ZYDIS_MNEMONIC_VMASKMOVDQU: return true;
    default: return moves_state(mnemonic);
    }
}

const char *const skip_causes[SKIP_CAUSES] = {
    [SKIP_SEGMENT] = "loads a segment that only the host has",
    [SKIP_HANG] = "does not end",
    [SKIP_MASKED_STORE] = "a masked store to a bad place that stores nothing there",
    [SKIP_POPA] = "a POPA that faults, of which the host has loaded a part",
    [SKIP_ORDER] = "several faults at once, of which the host takes another one",
    [SKIP_FAR_TARGET] = "a branch to an address that is not canonical: reported at the target",
    [SKIP_MISALIGNED_SSE] = "sets MXCSR.MM, which no model has",
    [SKIP_ALIGNMENT] = "a vector operand under EFLAGS.AC, whose alignment is not checked so",
    [SKIP_OFFSET] = "an offset to FS or GS that is not canonical, which AMD's processors check",
    [SKIP_VENDOR] = "something that the host's vendor does in another way than AMD",
    [SKIP_UNSTABLE] = "the host gave another result when asked again",
    [SKIP_LIMIT] = "an access from an unmapped page across the end of all addresses",
};

/* Has a segment register got one that a guest program has not: of native_segments, or of the host's
 * kernel? */
static bool loads_foreign(const struct case_state *before, const struct case_state *after)
{
    const uint16_t was[] = {before->ds, before->es, before->fs, before->gs};
    const uint16_t is[] = {after->ds, after->es, after->fs, after->gs};

    for (unsigned i = 0; i < 4; i++) {
        if (is[i] != was[i] && is[i] > 3 && (is[i] & 4 || is[i] < 0x20 || is[i] > 0x2b))
            return true;
    }
    return false;
}

enum skip_cause skip_host(const struct case_state *before, const struct case_result *want)
{
    if (want->outcome.end == CASE_HANG)
        return SKIP_HANG;
    if (want->state.mxcsr & MXCSR_MM)
        return SKIP_MISALIGNED_SSE;
    return loads_foreign(before, &want->state) ? SKIP_SEGMENT : SKIP_NOT;
}

/* What single instructions may do otherwise. */
static enum skip_cause by_mnemonic(const ZydisDecodedInstruction *z,
                                   const struct case_outcome *want, const struct case_outcome *got)
{
    bool fault = want->end == CASE_FAULT, both = fault && got->end == CASE_FAULT;

    switch (z->mnemonic) {
    case ZYDIS_MNEMONIC_MASKMOVDQU:
    case ZYDIS_MNEMONIC_MASKMOVQ:
    case ZYDIS_MNEMONIC_VMASKMOVDQU:
        if (fault)
            return SKIP_MASKED_STORE;
        break;
    case ZYDIS_MNEMONIC_VMASKMOVPD: /* through a segment that cannot be written */
    case ZYDIS_MNEMONIC_VMASKMOVPS:
    case ZYDIS_MNEMONIC_VPMASKMOVD:
    case ZYDIS_MNEMONIC_VPMASKMOVQ:
        if (!fault && got->end == CASE_FAULT && got->vector == 13)
            return SKIP_MASKED_STORE;
        break;
    case ZYDIS_MNEMONIC_POPA:
    case ZYDIS_MNEMONIC_POPAD:
        if (both && want->vector == got->vector)
            return SKIP_POPA;
        break;
    case ZYDIS_MNEMONIC_CALL: /* a bad stack and a bad target */
        if (both && want->vector != 13 && got->vector == 13)
            return SKIP_ORDER;
        break;
    case ZYDIS_MNEMONIC_FXRSTOR: /* not aligned, and something else */
    case ZYDIS_MNEMONIC_FXRSTOR64:
    case ZYDIS_MNEMONIC_FXSAVE:
    case ZYDIS_MNEMONIC_FXSAVE64:
        if (both && want->vector == 12 && got->vector == 13)
            return SKIP_ORDER;
        break;
    case ZYDIS_MNEMONIC_IRET:
    case ZYDIS_MNEMONIC_IRETD:
    case ZYDIS_MNEMONIC_IRETQ:
        if (both)
            return SKIP_ORDER;
        break;
    case ZYDIS_MNEMONIC_RET:
        if (both && z->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
            return SKIP_ORDER;
        break;
    default: break;
    }
    return SKIP_NOT;
}

/* What a fault leaves of an instruction; ECX when nothing is repeated; whether a store of x87 that
 * an unmasked exception stops, and the upper half of what a segment register is popped from or
 * MOVSXD reads into 16 bits, touch memory. */
static bool ways_of_vendors(const ZydisDecodedInstruction *z, const struct case_outcome *want,
                            const struct case_outcome *got)
{
    const ZydisInstructionAttributes repeated =
        ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE;

    bool faults = got->end == CASE_FAULT;

    if (faults && want->end == CASE_FAULT)
        return true;
    if (faults && (z->meta.isa_set == ZYDIS_ISA_SET_X87 || z->mnemonic == ZYDIS_MNEMONIC_FISTTP ||
                   z->mnemonic == ZYDIS_MNEMONIC_MOVSXD || z->mnemonic == ZYDIS_MNEMONIC_POP))
        return true;
    return (z->attributes & repeated && z->address_width == 32) ||
           (z->mnemonic == ZYDIS_MNEMONIC_JMP && z->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR);
}

enum skip_cause skip_result(const ZydisDecodedInstruction *z, const struct case_result *want,
                            const struct case_result *got)
{
    bool fault = want->outcome.end == CASE_FAULT, both = fault && got->outcome.end == CASE_FAULT;
    uint64_t top = got->state.rip >> 47;
    enum skip_cause cause = by_mnemonic(z, &want->outcome, &got->outcome);

    if (cause)
        return cause;
    if (!host_is_amd() && ways_of_vendors(z, &want->outcome, &got->outcome))
        return SKIP_VENDOR;
    if (fault && want->outcome.vector == 13 &&
        z->attributes & (ZYDIS_ATTRIB_HAS_SEGMENT_FS | ZYDIS_ATTRIB_HAS_SEGMENT_GS) &&
        z->machine_mode == ZYDIS_MACHINE_MODE_LONG_64)
        return SKIP_OFFSET;
    if (fault && want->outcome.vector == 17 && z->meta.isa_ext != ZYDIS_ISA_EXT_BASE)
        return SKIP_ALIGNMENT;
    /* The piece on the first page is found unmapped, the segment's limit (SDM 3A 5.3) or the end of
     * canonical addresses is not seen. */
    uint64_t end = z->machine_mode == ZYDIS_MACHINE_MODE_LONG_64 ? 1ull << 47 : 1ull << 32;
    if (both && got->outcome.vector == 14 &&
        (end - got->outcome.addr < 64 || got->outcome.addr < 64) &&
        (want->outcome.vector == 12 || want->outcome.vector == 13))
        return SKIP_LIMIT;
    if (fault && want->outcome.vector == 13 && top && top != 0x1ffff)
        return SKIP_FAR_TARGET;
    return SKIP_NOT;
}

bool skip_pointers(ZydisMnemonic mnemonic)
{
    return !host_is_amd() &&
           (moves_state(mnemonic) || mnemonic == ZYDIS_MNEMONIC_FNSAVE ||
            mnemonic == ZYDIS_MNEMONIC_FNSTENV || mnemonic == ZYDIS_MNEMONIC_FRSTOR ||
            mnemonic == ZYDIS_MNEMONIC_FLDENV);
}

/* MXCSR_MASK: the host has misaligned SSE (APM 2 11.5.3), which no model claims. */
void skip_model_data(ZydisMnemonic mnemonic, const uint8_t *before, struct case_result *want)
{
    static const uint8_t host[4] = {0xff, 0xff, 2, 0};

    if (!moves_state(mnemonic) || loads_state(mnemonic))
        return;
    for (unsigned i = 0; i + 4 <= CASE_DATA_SIZE; i += 4) {
        if (!memcmp(want->data + i, host, 4) && memcmp(before + i, host, 4))
            want->data[i + 2] = 0;
    }
}
