#include "skips.h"

#include <string.h>

static bool named(const struct arm_insn *i, const char *prefix)
{
    return !strncmp(i->row->name, prefix, strlen(prefix));
}

static enum skip_reason vfp_skip(const struct arm_insn *i, const struct machine_state *before,
                                 const struct machine_state *ours)
{
    bool fault = ours->outcome == OUT_FAULT_READ || ours->outcome == OUT_FAULT_WRITE;
    if (fault && ours->code_or_addr & 3)
        return SKIP_ALIGNMENT;
    if (named(i, "vcvt_fixed") && before->fpscr >> 22 & 3)
        return SKIP_ROUNDING;
    if ((named(i, "vtrn") || named(i, "vuzp") || named(i, "vzip")) && i->d == i->m)
        return SKIP_SAME;
    return SKIP_NONE;
}

/* VMUL.F32 with bit 21 set, and VQDMULL with U set. */
static bool taken_for_multiplication(const struct arm_insn *i)
{
    bool u = i->raw >> (i->row->set == ARM_SET_A32 ? 24 : 28) & 1;
    if (strcmp(i->row->name, "none") || !u || (i->raw & 0xf00) != 0xd00)
        return false;
    return i->raw & 1u << 23 ? !(i->raw & 0x50) : i->raw & 1u << 21 && i->raw & 0x10;
}

enum skip_reason reference_skip(const struct arm_insn *i, const struct machine_state *before,
                                const struct machine_state *ours)
{
    static const char *const hints[] = {"wfi", "wfe", "yield", "sev", "hint"};
    for (unsigned n = 0; n < sizeof hints / sizeof *hints; n++) {
        if (named(i, hints[n]))
            return SKIP_HINT;
    }
    if (named(i, "mcr") || named(i, "mrc") || named(i, "mrrc") || named(i, "mcrr"))
        return SKIP_PRIVILEGED;
    if (i->row->set == ARM_SET_T16 && !strcmp(i->row->name, "it"))
        return SKIP_IT;
    if (named(i, "bl_prefix") || named(i, "bl_suffix") || named(i, "blx_suffix"))
        return SKIP_OLD_BL;
    if (i->row->set == ARM_SET_T32 && named(i, "udf") && (i->raw & 0xff1f0000) == 0xf80f0000)
        return SKIP_STORE_PC;
    if (before->cpsr & 0x0600fc00 && i->cond != ARM_COND_AL && named(i, "b") &&
        i->row->name[1] == 0)
        return SKIP_BRANCH_IN_IT;
    if (taken_for_multiplication(i))
        return SKIP_SIMD;
    if (ours->outcome == OUT_HALT)
        return SKIP_HINT;
    return i->row->name[0] == 'v' ? vfp_skip(i, before, ours) : SKIP_NONE;
}

void reference_mend(const struct arm_insn *i, const struct machine_state *before,
                    const struct machine_state *ours, struct machine_state *reference)
{
    (void)i, (void)before;
    /* The reference fetches from the branch's target before it stops; we do not. Both have the
     * target in the pc. */
    if (reference->outcome == OUT_FAULT_FETCH && ours->outcome == OUT_OK) {
        reference->outcome = OUT_OK;
        reference->code_or_addr = 0;
    }
    /* It does not tell the immediates of supervisor calls and breakpoints. */
    if (reference->outcome == ours->outcome &&
        (ours->outcome == OUT_SVC || ours->outcome == OUT_BKPT))
        reference->code_or_addr = ours->code_or_addr;
    /* A branch to A32 code at an address with bits 1:0 = 10 is UNPREDICTABLE (A2.3.1). */
    if (!((reference->cpsr | ours->cpsr) & 0x20) && reference->r[15] & 2)
        reference->r[15] ^= (reference->r[15] ^ ours->r[15]) & 2;
    /* MSR may set CPSR.E in User mode (B1.3.3, CPSRWriteByInstr); the reference forbids it. */
    if (named(i, "msr"))
        reference->cpsr = (reference->cpsr & ~0x200u) | (ours->cpsr & 0x200u);
    /* It keeps FPSCR.FZ16, LEN and STRIDE, which this model does not have (B4.1.58). */
    if (named(i, "vmsr"))
        reference->fpscr &= 0xffc0009f;
}
