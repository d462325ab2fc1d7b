/* The CPU models. */
#include "guest/x86/model.h"

#include <stddef.h>
#include <string.h>

#define BASE                                                                                       \
    (X86_F(X87) | X86_F(CMOV) | X86_F(CX8) | X86_F(CX16) | X86_F(MMX) | X86_F(FXSR) | X86_F(SSE) | \
     X86_F(SSE2) | X86_F(SSE3) | X86_F(LM) | X86_F(LAHF64) | X86_F(SYSCALL) | X86_F(SEP) |         \
     X86_F(CLFSH) | X86_F(PGE) | X86_F(PSE) | X86_F(PAE) | X86_F(NX))
#define V2                                                                                         \
    (BASE | X86_F(SSSE3) | X86_F(SSE41) | X86_F(SSE42) | X86_F(POPCNT) | X86_F(RDTSCP) |           \
     X86_F(PDPE1GB) | X86_F(MONITOR))
#define HASWELL                                                                                    \
    (V2 | X86_F(AVX) | X86_F(AVX2) | X86_F(FMA) | X86_F(F16C) | X86_F(BMI1) | X86_F(BMI2) |        \
     X86_F(LZCNT) | X86_F(MOVBE) | X86_F(AES) | X86_F(PCLMUL) | X86_F(RDRAND) | X86_F(XSAVE) |     \
     X86_F(XSAVEOPT) | X86_F(FSGSBASE) | X86_F(SMEP) | X86_F(INVPCID) | X86_F(PCID) | X86_F(ERMS))
#define MAX                                                                                        \
    (HASWELL | X86_F(ADX) | X86_F(VAES) | X86_F(VPCLMUL) | X86_F(SHA) | X86_F(GFNI) |              \
     X86_F(RDSEED) | X86_F(XSAVEC) | X86_F(RDPID) | X86_F(SMAP) | X86_F(UMIP) |                    \
     X86_F(CLFLUSHOPT) | X86_F(CLWB) | X86_F(PREFETCHW) | X86_F(FSRM))

static const struct x86_model models[] = {
    {"max", "Narwhal x86 max", X86_VENDOR_AMD, 0x19, 0x61, 2, MAX},
    {"max-intel", "Narwhal x86 max", X86_VENDOR_INTEL, 6, 143, 8, MAX},
    {"qemu64", "Narwhal x86-64", X86_VENDOR_AMD, 15, 107, 1, BASE},
    {"haswell", "Narwhal Haswell", X86_VENDOR_INTEL, 6, 60, 3, HASWELL},
};

const struct x86_model *x86_model_find(const char *name)
{
    for (size_t n = 0; n < sizeof models / sizeof *models; n++)
        if (!name || strcmp(name, models[n].name) == 0)
            return &models[n];
    return NULL;
}
