/* Unicorn's x86 CPU models: the native ones that come nearest. */
#include "reg.h"

const char *uc_x86_cpu_name(int model)
{
    if (model < 0 || model >= UC_CPU_X86_ENDING)
        return NULL;
    return model < UC_CPU_X86_HASWELL ? "qemu64" : "haswell";
}
