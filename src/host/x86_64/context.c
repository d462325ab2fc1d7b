/* What the host CPU offers, and its interrupted contexts. */
#include "host/x86_64/runtime.h"

#include <cpuid.h>
#include <immintrin.h>
#include <ucontext.h>

/* LZCNT and MOVBE, which compilers do not name alike (Intel SDM 2A, CPUID). */
static bool has_lzcnt_movbe(void)
{
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx) || !(ecx & bit_LZCNT))
        return false;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && ecx & bit_MOVBE;
}

nw_status host_check(void)
{
    __builtin_cpu_init();
    bool good = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma") &&
                __builtin_cpu_supports("popcnt") && has_lzcnt_movbe();
    return good ? NW_OK : NW_ERR_HOST;
}

unsigned host_features(void)
{
    unsigned eax, ebx, ecx = 0, edx, features = 0;
    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx))
        features |= (ecx & bit_F16C ? HOST_F16C : 0) | (ecx & bit_PCLMUL ? HOST_CLMUL : 0) |
                    (ecx & bit_AES ? HOST_AES : 0);
    if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx))
        features |= (ebx & bit_SHA ? HOST_SHA : 0) | (ecx & bit_GFNI ? HOST_GFNI : 0);
    return features;
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
