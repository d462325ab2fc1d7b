#include "skips.h"

#include <string.h>

static bool named(const struct arm_insn *i, const char *prefix)
{
    return !strncmp(i->row->name, prefix, strlen(prefix));
}

enum skip_reason reference_skip(const struct arm_insn *i, const struct machine_state *before,
                                const struct machine_state *ours)
{
    (void)before;
    static const char *const hints[] = {"wfi", "wfe", "yield", "sev", "hint"};
    for (unsigned n = 0; n < sizeof hints / sizeof *hints; n++) {
        if (named(i, hints[n]))
            return SKIP_HINT;
    }
    if (named(i, "mcr") || named(i, "mrc") || named(i, "mrrc") || named(i, "mcrr"))
        return SKIP_PRIVILEGED;
    if (ours->outcome == OUT_HALT)
        return SKIP_HINT;
    return SKIP_NONE;
}

void reference_mend(const struct arm_insn *i, const struct machine_state *before,
                    const struct machine_state *ours, struct machine_state *reference)
{
    (void)i, (void)before, (void)ours, (void)reference;
}
