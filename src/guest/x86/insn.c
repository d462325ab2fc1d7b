/* The table of instructions: one row per mnemonic, by family. */
#include "guest/x86/lift.h"
#include "guest/x86/xsave.h"

static const struct x86_row rows[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {
#define X86_INSN(mnemonic, lift, arg) [ZYDIS_MNEMONIC_##mnemonic] = {x86_##lift, arg},
#include "guest/x86/insn.inc"
#undef X86_INSN
};

const struct x86_row *x86_row_of(ZydisMnemonic mnemonic)
{
    return rows[mnemonic].lift ? &rows[mnemonic] : NULL;
}
