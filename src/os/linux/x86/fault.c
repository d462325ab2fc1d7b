/* Guest exceptions as signals (arch/x86/kernel/traps.c, arch/x86/mm/fault.c). */
#include "guest/x86/mxcsr.h"
#include "os/linux/x86/x86.h"

/* Exceptions (SDM 3A 6.3.1) */
enum {
    VECTOR_DE = 0,
    VECTOR_DB = 1,
    VECTOR_BP = 3,
    VECTOR_UD = 6,
    VECTOR_NP = 11,
    VECTOR_SS = 12,
    VECTOR_GP = 13,
    VECTOR_PF = 14,
    VECTOR_MF = 16,
    VECTOR_AC = 17,
    VECTOR_XM = 19,
};

/* Error code of a page fault (SDM 3A 4.7) */
enum { PF_PRESENT = 1, PF_WRITE = 2, PF_USER = 4, PF_FETCH = 16 };

/* Where the bits of MXCSR's and the x87's exceptions stand, in the kernel's order of precedence. */
static int float_code(unsigned raised)
{
    static const struct {
        unsigned bits;
        int code;
    } codes[] = {
        {0x01, FPE_FLTINV}, {0x04, FPE_FLTDIV}, {0x08, FPE_FLTOVF},
        {0x12, FPE_FLTUND}, {0x20, FPE_FLTRES},
    };
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (raised & codes[i].bits)
            return codes[i].code;
    return FPE_FLTUNK;
}

static void set(siginfo_t *info, int sig, int code, uint64_t addr)
{
    info->si_signo = sig;
    info->si_code = code;
    info->si_addr = (void *)(uintptr_t)addr;
}

static void memory_fault(struct linux_task *t, const nw_exit *exit, siginfo_t *info)
{
    uint64_t top = (exit->addr + (exit->size ? exit->size - 1 : 0)) >> 47;
    if (exit->fault == NW_FAULT_ALIGN) {
        t->trap = VECTOR_AC;
        t->error = 0;
        set(info, SIGBUS, BUS_ADRALN, 0);
        return;
    }
    if (t->process->abi->word == 8 && top && top != 0x1ffff) {
        t->trap = VECTOR_GP; /* not canonical */
        t->error = 0;
        set(info, SIGSEGV, SI_KERNEL, 0);
        return;
    }
    t->trap = VECTOR_PF;
    t->error = PF_USER | (exit->access == NW_ACCESS_WRITE ? PF_WRITE : 0) |
               (exit->access == NW_ACCESS_FETCH ? PF_FETCH : 0) |
               (exit->fault == NW_FAULT_PERM ? PF_PRESENT : 0);
    x86_of(t->vcpu)->cr2 = exit->addr;
    if (exit->fault == NW_FAULT_BUS)
        set(info, SIGBUS, BUS_ADRERR, exit->addr);
    else
        set(info, SIGSEGV, exit->fault == NW_FAULT_PERM ? SEGV_ACCERR : SEGV_MAPERR, exit->addr);
}

static void vector_fault(struct linux_task *t, const nw_exit *exit, siginfo_t *info)
{
    const struct x86_state *s = x86_of(t->vcpu);
    uint32_t mxcsr = x86_mxcsr_read(t->vcpu);
    t->trap = exit->code;
    t->error = exit->error;
    switch (exit->code) {
    case VECTOR_DE: set(info, SIGFPE, FPE_INTDIV, exit->pc); break;
    case VECTOR_DB: set(info, SIGTRAP, s->dr[6] & 0xf ? TRAP_HWBKPT : TRAP_TRACE, exit->pc); break;
    case VECTOR_BP: set(info, SIGTRAP, SI_KERNEL, 0); break;
    case VECTOR_UD: set(info, SIGILL, ILL_ILLOPN, exit->pc); break;
    case VECTOR_NP:
    case VECTOR_SS: set(info, SIGBUS, SI_KERNEL, 0); break;
    case VECTOR_MF: set(info, SIGFPE, float_code(s->fpsw & ~s->fpcw), exit->pc); break;
    case VECTOR_XM: set(info, SIGFPE, float_code(mxcsr & ~(mxcsr >> 7)), exit->pc); break;
    case VECTOR_AC: set(info, SIGBUS, BUS_ADRALN, 0); break;
    default: set(info, SIGSEGV, SI_KERNEL, 0); break; /* #OF, #BR, #TS, #GP */
    }
}

void linux_x86_fault_info(struct linux_task *t, const nw_exit *exit, siginfo_t *info)
{
    nw_exit as_vector = *exit;
    switch (exit->reason) {
    case NW_EXIT_FAULT: memory_fault(t, exit, info); return;
    case NW_EXIT_UNDEFINED:
        as_vector.code = VECTOR_UD;
        as_vector.error = 0;
        break;
    case NW_EXIT_BREAKPOINT:
        as_vector.code = VECTOR_BP;
        as_vector.error = 0;
        break;
    default: break;
    }
    vector_fault(t, &as_vector, info);
}
