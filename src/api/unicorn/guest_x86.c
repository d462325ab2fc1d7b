/* x86: modes, where runs begin, and what its exits are to Unicorn's clients. */
#include <narwhal/x86.h>
#include "reg.h"
#include "uc.h"

enum { VECTOR_UD = 6 };

static nw_arch native(uc_mode mode)
{
    return mode & UC_MODE_64 ? NW_ARCH_X86_64 : NW_ARCH_X86;
}

static nw_status setup(uc_engine *uc)
{
    return nw_x86_bare(uc->vcpu, uc->mode & UC_MODE_64 ? 64 : uc->mode & UC_MODE_32 ? 32 : 16);
}

static void set_pc(uc_engine *uc, uint64_t address)
{
    nw_reg_write(uc->vcpu, NW_X86_PC, address);
}

static uint64_t pc(uc_engine *uc)
{
    uint64_t v = 0;

    nw_reg_read(uc->vcpu, NW_X86_PC, &v);
    return v;
}

static uint64_t address(uint64_t a)
{
    return a;
}

static uc_mode mode_now(uc_engine *uc)
{
    return uc->mode;
}

static bool invalid(uc_engine *uc)
{
    if (uc_call_invalid(uc))
        return true;
    uc->error = UC_ERR_INSN_INVALID;
    return false;
}

static bool serve(uc_engine *uc, const nw_exit *x)
{
    switch (x->reason) {
    case NW_EXIT_HALT: return false;
    case NW_EXIT_SYSCALL: return true; /* whoever hooks it has been called */
    case NW_EXIT_UNDEFINED: return invalid(uc);
    case NW_EXIT_EXCEPTION:
        if (x->code == VECTOR_UD && !(x->error & NW_X86_SOFT))
            return invalid(uc);
        if (uc_call_intr(uc, x->code))
            return true;
        break;
    default: break;
    }
    uc->error = UC_ERR_EXCEPTION;
    return false;
}

static int model(uc_mode mode, int wanted)
{
    (void)mode;
    return wanted < 0 ? UC_CPU_X86_HASWELL : wanted;
}

const struct uc_guest uc_guest_x86 = {
    .arch = UC_ARCH_X86,
    .modes = UC_MODE_16 | UC_MODE_32 | UC_MODE_64,
    .one_of = UC_MODE_16 | UC_MODE_32 | UC_MODE_64,
    .model = model,
    .models = UC_CPU_X86_ENDING,
    .page_size = 4096,
    .native = native,
    .cpu_name = uc_x86_cpu_name,
    .setup = setup,
    .reg_read = uc_x86_reg_read,
    .reg_write = uc_x86_reg_write,
    .set_pc = set_pc,
    .pc = pc,
    .address = address,
    .until = address,
    .serve = serve,
    .mode_now = mode_now,
};
