/* CPU models: what CPUID says and which instructions exist. */
#ifndef GUEST_X86_MODEL_H
#define GUEST_X86_MODEL_H

#include "base/status.h"

/* Instruction groups that a model may lack. */
enum x86_feature {
    X86_F_BASE, /* always there */
    X86_F_X87, X86_F_CMOV, X86_F_CX8, X86_F_CX16, X86_F_MMX, X86_F_FXSR, X86_F_SSE, X86_F_SSE2,
    X86_F_SSE3, X86_F_SSSE3, X86_F_SSE41, X86_F_SSE42, X86_F_SSE4A, X86_F_AVX, X86_F_AVX2,
    X86_F_FMA, X86_F_F16C, X86_F_BMI1, X86_F_BMI2, X86_F_LZCNT, X86_F_POPCNT, X86_F_MOVBE,
    X86_F_ADX, X86_F_AES, X86_F_VAES, X86_F_PCLMUL, X86_F_VPCLMUL, X86_F_SHA, X86_F_GFNI,
    X86_F_RDRAND, X86_F_RDSEED, X86_F_XSAVE, X86_F_XSAVEOPT, X86_F_XSAVEC, X86_F_XSAVES,
    X86_F_LM, X86_F_LAHF64, X86_F_SYSCALL, X86_F_SEP, X86_F_RDTSCP, X86_F_RDPID, X86_F_FSGSBASE,
    X86_F_SMAP, X86_F_SMEP, X86_F_UMIP, X86_F_CLFSH, X86_F_CLFLUSHOPT, X86_F_CLWB, X86_F_PREFETCHW,
    X86_F_INVPCID, X86_F_PCID, X86_F_PGE, X86_F_PSE, X86_F_PAE, X86_F_NX, X86_F_PDPE1GB, X86_F_MONITOR,
    X86_F_ERMS, X86_F_FSRM, X86_F_COUNT,
    X86_F_NEVER /* of instructions that no model has */
};

enum x86_vendor {
    X86_VENDOR_INTEL,
    X86_VENDOR_AMD, /* Hygon's processors are AMD's designs */
};

struct x86_model {
    const char *name;
    const char *brand; /* up to 47 characters */
    uint8_t vendor;    /* enum x86_vendor: also chooses what undefined flags become */
    uint8_t family, number, stepping;
    uint64_t features; /* bit per enum x86_feature */
};
_Static_assert(X86_F_COUNT <= 64, "features fit a word");

#define X86_F(name) (1ull << X86_F_##name)

/* The model NAME (null: "max"); null when unknown. */
const struct x86_model *x86_model_find(const char *name);
/* The names of all of them, for messages. */
extern const char x86_model_names[];
/* The 12 characters of CPUID leaf 0. */
const char *x86_model_vendor(const struct x86_model *);

static inline bool x86_model_has(const struct x86_model *m, enum x86_feature f)
{
    return f == X86_F_BASE || (f < X86_F_COUNT && m->features >> f & 1);
}

#endif
