/* The CPU models. */
#include "guest/x86/model.h"

#include <stddef.h>
#include <string.h>

#define F(name) (1ull << X86_F_##name)

/* Generations, each with what it adds. */
#define I586  (F(X87) | F(CX8) | F(PSE))
#define I686  (I586 | F(CMOV) | F(SEP) | F(PAE) | F(PGE))
#define SSE2  (I686 | F(MMX) | F(FXSR) | F(CLFSH) | F(SSE) | F(SSE2))
#define BASE  (SSE2 | F(SSE3) | F(CX16) | F(LM) | F(LAHF64) | F(SYSCALL) | F(NX))
#define CORE2 (BASE | F(SSSE3) | F(MONITOR))
#define V2    (CORE2 | F(SSE41) | F(SSE42) | F(POPCNT) | F(RDTSCP) | F(PDPE1GB))
#define SANDY (V2 | F(AES) | F(PCLMUL) | F(XSAVE) | F(XSAVEOPT) | F(AVX))
#define IVY   (SANDY | F(F16C) | F(RDRAND) | F(FSGSBASE) | F(SMEP) | F(ERMS))
#define HASWELL                                                                                    \
    (IVY | F(AVX2) | F(FMA) | F(BMI1) | F(BMI2) | F(LZCNT) | F(MOVBE) | F(INVPCID) | F(PCID))
#define BROADWELL (HASWELL | F(RDSEED) | F(ADX) | F(SMAP) | F(PREFETCHW))
#define SKYLAKE   (BROADWELL | F(XSAVEC) | F(CLFLUSHOPT))
#define SKYLAKE_X (SKYLAKE | F(CLWB))
#define ICELAKE   (SKYLAKE_X | F(SHA) | F(GFNI) | F(VAES) | F(VPCLMUL) | F(UMIP) | F(RDPID) | F(FSRM))
#define MAX       ICELAKE

#define GOLDMONT                                                                                   \
    (V2 | F(AES) | F(PCLMUL) | F(XSAVE) | F(XSAVEOPT) | F(XSAVEC) | F(MOVBE) | F(RDRAND) |         \
     F(RDSEED) | F(FSGSBASE) | F(SMEP) | F(SMAP) | F(ERMS) | F(SHA) | F(CLFLUSHOPT) |              \
     F(PREFETCHW))
#define TREMONT (GOLDMONT | F(GFNI) | F(CLWB) | F(UMIP) | F(RDPID))

#define K8         (SSE2 | F(SSE3) | F(LM) | F(SYSCALL) | F(NX))
#define K10        (BASE | F(MONITOR) | F(POPCNT) | F(LZCNT) | F(PDPE1GB) | F(RDTSCP) | F(PREFETCHW))
#define BULLDOZER  (K10 | F(SSSE3) | F(SSE41) | F(SSE42) | F(AES) | F(PCLMUL) | F(XSAVE) | F(AVX))
#define PILEDRIVER (BULLDOZER | F(FMA) | F(F16C) | F(BMI1))
#define ZEN        ((SKYLAKE & ~(F(INVPCID) | F(PCID) | F(ERMS))) | F(SHA))
#define ZEN2       (ZEN | F(CLWB) | F(RDPID) | F(UMIP))

#define INTEL(name, brand, number, stepping, features)                                             \
    {                                                                                              \
        name, "Narwhal " brand, X86_VENDOR_INTEL, 6, number, stepping, features                    \
    }
#define AMD(name, brand, family, number, stepping, features)                                       \
    {                                                                                              \
        name, "Narwhal " brand, X86_VENDOR_AMD, family, number, stepping, features                 \
    }

/* Family, model and stepping as the makers' lists have them; features that this guest has. */
static const struct x86_model models[] = {
    AMD("max", "x86 max", 0x19, 0x61, 2, MAX),
    INTEL("max-intel", "x86 max", 143, 8, MAX),
    AMD("qemu64", "x86-64", 6, 6, 3, BASE),
    INTEL("haswell", "Haswell", 60, 4, HASWELL),
    {"486", "Narwhal 486", X86_VENDOR_INTEL, 4, 8, 0, F(X87)},
    {"pentium", "Narwhal Pentium", X86_VENDOR_INTEL, 5, 4, 3, I586 | F(MMX)},
    INTEL("pentium2", "Pentium II", 5, 2, I686 | F(MMX) | F(FXSR)),
    INTEL("pentium3", "Pentium III", 7, 3, I686 | F(MMX) | F(FXSR) | F(SSE)),
    AMD("athlon", "Athlon", 6, 2, 3, SSE2),
    INTEL("qemu32", "x86-32", 6, 3, SSE2 | F(SSE3)),
    {"kvm32", "Narwhal x86-32", X86_VENDOR_INTEL, 15, 6, 1, SSE2 | F(SSE3)},
    {"kvm64", "Narwhal x86-64", X86_VENDOR_INTEL, 15, 6, 1, BASE & ~F(LAHF64)},
    INTEL("coreduo", "Core Duo", 14, 8, SSE2 | F(SSE3) | F(MONITOR) | F(NX)),
    INTEL("core2duo", "Core 2 Duo", 15, 11, CORE2),
    INTEL("n270", "Atom N270", 28, 2, (CORE2 & ~(F(LM) | F(SYSCALL))) | F(MOVBE)),
    INTEL("conroe", "Conroe", 15, 3, CORE2),
    INTEL("penryn", "Penryn", 23, 3, CORE2 | F(SSE41)),
    INTEL("nehalem", "Nehalem", 26, 3, V2),
    INTEL("westmere", "Westmere", 44, 1, V2 | F(AES) | F(PCLMUL)),
    INTEL("sandybridge", "Sandy Bridge", 42, 1, SANDY),
    INTEL("ivybridge", "Ivy Bridge", 58, 9, IVY),
    INTEL("broadwell", "Broadwell", 61, 2, BROADWELL),
    INTEL("skylake-client", "Skylake", 94, 3, SKYLAKE),
    INTEL("skylake-server", "Skylake-SP", 85, 4, SKYLAKE_X),
    INTEL("cascadelake-server", "Cascade Lake", 85, 6, SKYLAKE_X),
    INTEL("cooperlake", "Cooper Lake", 85, 10, SKYLAKE_X),
    INTEL("icelake-client", "Ice Lake", 126, 0, ICELAKE & ~F(CLWB)),
    INTEL("icelake-server", "Ice Lake-SP", 134, 0, ICELAKE),
    INTEL("denverton", "Denverton", 95, 1, GOLDMONT),
    INTEL("snowridge", "Snow Ridge", 134, 1, TREMONT),
    INTEL("knightsmill", "Knights Mill", 133, 0, BROADWELL & ~F(SMAP)),
    AMD("phenom", "Phenom", 16, 2, 3, K10),
    AMD("opteron-g1", "Opteron G1", 15, 6, 1, K8),
    AMD("opteron-g2", "Opteron G2", 15, 6, 1, BASE | F(RDTSCP)),
    AMD("opteron-g3", "Opteron G3", 16, 2, 3, K10),
    AMD("opteron-g4", "Opteron G4", 21, 1, 2, BULLDOZER),
    AMD("opteron-g5", "Opteron G5", 21, 2, 0, PILEDRIVER),
    AMD("epyc", "EPYC", 23, 1, 2, ZEN),
    AMD("dhyana", "Dhyana", 24, 0, 1, ZEN),
    AMD("epyc-rome", "EPYC Rome", 23, 49, 0, ZEN2),
};

const char x86_model_names[] =
    "qemu64, haswell, 486, pentium, pentium2, pentium3, athlon, qemu32, kvm32, kvm64, coreduo, "
    "core2duo, n270, conroe, penryn, nehalem, westmere, sandybridge, ivybridge, broadwell, "
    "skylake-client, skylake-server, cascadelake-server, cooperlake, icelake-client, "
    "icelake-server, denverton, snowridge, knightsmill, phenom, opteron-g1, opteron-g2, "
    "opteron-g3, opteron-g4, opteron-g5, epyc, dhyana, epyc-rome or max";

const struct x86_model *x86_model_find(const char *name)
{
    for (size_t n = 0; n < sizeof models / sizeof *models; n++)
        if (!name || strcmp(name, models[n].name) == 0)
            return &models[n];
    return NULL;
}

const char *x86_model_vendor(const struct x86_model *m)
{
    if (m->vendor == X86_VENDOR_INTEL)
        return "GenuineIntel";
    return m->family == 24 ? "HygonGenuine" : "AuthenticAMD";
}
