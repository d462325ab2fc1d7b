/* The instructions of UC_HOOK_INSN: Unicorn's numbers, by name, to the native ones. */
#include "insn.h"

static const char *const x86_names[] = {
    NULL,
#define NAME(name) #name,
#include "insn_x86.inc"
#undef NAME
};

static bool is_port(const uc_engine *uc, int insn)
{
    return uc->arch == UC_ARCH_X86 && (insn == UC_X86_INS_IN || insn == UC_X86_INS_OUT);
}

uint32_t uc_insn_native(const uc_engine *uc, int insn)
{
    if (insn > 0 && insn & UC_INSN_NATIVE)
        return (uint32_t)(insn & ~UC_INSN_NATIVE);
    if (uc->arch != UC_ARCH_X86 || is_port(uc, insn) || insn <= 0 || insn >= UC_X86_INS_ENDING ||
        (size_t)insn >= sizeof x86_names / sizeof x86_names[0])
        return 0;
    return nw_insn_id(NW_ARCH_X86, x86_names[insn]);
}

bool uc_insn_known(const uc_engine *uc, int insn)
{
    return is_port(uc, insn) || uc_insn_native(uc, insn);
}

uc_err uc_insn_prepare(uc_engine *uc, int insn)
{
    return is_port(uc, insn) ? uc_ports_connect(uc) : UC_ERR_OK;
}

bool uc_insn_replaces(uc_arch arch, int insn)
{
    return arch == UC_ARCH_X86 && (insn == UC_X86_INS_SYSCALL || insn == UC_X86_INS_SYSENTER);
}
