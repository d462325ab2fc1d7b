/* What the host CPU offers, and its interrupted contexts. */
#include "host/x86_64/runtime.h"

#include <immintrin.h>
#include <sys/platform/x86.h>
#include <ucontext.h>

/* The C library has asked already; in a virtual machine each CPUID takes microseconds. */
#define HAS(name) x86_cpu_present(x86_cpu_##name)

nw_status host_check(void)
{
    /* AVX needs the system's consent. */
    bool good = x86_cpu_active(x86_cpu_AVX2) && x86_cpu_active(x86_cpu_FMA) && HAS(BMI1) &&
                HAS(BMI2) && HAS(POPCNT) && HAS(LZCNT) && HAS(MOVBE);
    return good ? NW_OK : NW_ERR_HOST;
}

unsigned host_features(void)
{
    return (HAS(F16C) ? HOST_F16C : 0u) | (HAS(PCLMULQDQ) ? HOST_CLMUL : 0u) |
           (HAS(AES) ? HOST_AES : 0u) | (HAS(SHA) ? HOST_SHA : 0u) | (HAS(GFNI) ? HOST_GFNI : 0u);
}

uintptr_t host_context_pc(const void *ucontext)
{
    return (uintptr_t)((const ucontext_t *)ucontext)->uc_mcontext.gregs[REG_RIP];
}

void host_context_set_pc(void *ucontext, uintptr_t pc)
{
    ((ucontext_t *)ucontext)->uc_mcontext.gregs[REG_RIP] = (greg_t)pc;
}

void host_context_restore_fp(const void *ucontext)
{
    const struct _libc_fpstate *fp = ((const ucontext_t *)ucontext)->uc_mcontext.fpregs;
    if (!fp)
        return;
    _mm_setcsr(fp->mxcsr);
    __asm__ volatile("fldcw %0" : : "m"(fp->cwd));
}
