/* Unicorn's x86 CPU models by their native names. */
#include "reg.h"

const char *uc_x86_cpu_name(int model)
{
    static const char *const names[UC_CPU_X86_ENDING] = {
        [UC_CPU_X86_QEMU64] = "qemu64",
        [UC_CPU_X86_PHENOM] = "phenom",
        [UC_CPU_X86_CORE2DUO] = "core2duo",
        [UC_CPU_X86_KVM64] = "kvm64",
        [UC_CPU_X86_QEMU32] = "qemu32",
        [UC_CPU_X86_KVM32] = "kvm32",
        [UC_CPU_X86_COREDUO] = "coreduo",
        [UC_CPU_X86_486] = "486",
        [UC_CPU_X86_PENTIUM] = "pentium",
        [UC_CPU_X86_PENTIUM2] = "pentium2",
        [UC_CPU_X86_PENTIUM3] = "pentium3",
        [UC_CPU_X86_ATHLON] = "athlon",
        [UC_CPU_X86_N270] = "n270",
        [UC_CPU_X86_CONROE] = "conroe",
        [UC_CPU_X86_PENRYN] = "penryn",
        [UC_CPU_X86_NEHALEM] = "nehalem",
        [UC_CPU_X86_WESTMERE] = "westmere",
        [UC_CPU_X86_SANDYBRIDGE] = "sandybridge",
        [UC_CPU_X86_IVYBRIDGE] = "ivybridge",
        [UC_CPU_X86_HASWELL] = "haswell",
        [UC_CPU_X86_BROADWELL] = "broadwell",
        [UC_CPU_X86_SKYLAKE_CLIENT] = "skylake-client",
        [UC_CPU_X86_SKYLAKE_SERVER] = "skylake-server",
        [UC_CPU_X86_CASCADELAKE_SERVER] = "cascadelake-server",
        [UC_CPU_X86_COOPERLAKE] = "cooperlake",
        [UC_CPU_X86_ICELAKE_CLIENT] = "icelake-client",
        [UC_CPU_X86_ICELAKE_SERVER] = "icelake-server",
        [UC_CPU_X86_DENVERTON] = "denverton",
        [UC_CPU_X86_SNOWRIDGE] = "snowridge",
        [UC_CPU_X86_KNIGHTSMILL] = "knightsmill",
        [UC_CPU_X86_OPTERON_G1] = "opteron-g1",
        [UC_CPU_X86_OPTERON_G2] = "opteron-g2",
        [UC_CPU_X86_OPTERON_G3] = "opteron-g3",
        [UC_CPU_X86_OPTERON_G4] = "opteron-g4",
        [UC_CPU_X86_OPTERON_G5] = "opteron-g5",
        [UC_CPU_X86_EPYC] = "epyc",
        [UC_CPU_X86_DHYANA] = "dhyana",
        [UC_CPU_X86_EPYC_ROME] = "epyc-rome",
    };

    return model >= 0 && model < UC_CPU_X86_ENDING ? names[model] : NULL;
}
