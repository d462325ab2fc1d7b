#include "x86_skips.h"

#include <stddef.h>

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

const char *skip_reason(ZydisMnemonic mnemonic)
{
    for (size_t i = 0; i < sizeof skips / sizeof *skips; i++) {
        if (skips[i].mnemonic == mnemonic)
            return skips[i].reason;
    }
    return NULL;
}
