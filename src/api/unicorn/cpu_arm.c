/* Unicorn's ARM CPU models: the native ones that come nearest. */
#include "reg.h"

const char *uc_arm_cpu_name(int model)
{
    static const char *const names[UC_CPU_ARM_ENDING] = {
        [UC_CPU_ARM_926] = "arm926",
        [UC_CPU_ARM_946] = "arm926",
        [UC_CPU_ARM_1026] = "arm926",
        [UC_CPU_ARM_1136_R2] = "arm926",
        [UC_CPU_ARM_1136] = "arm926",
        [UC_CPU_ARM_1176] = "cortex-a8",
        [UC_CPU_ARM_11MPCORE] = "cortex-a8",
        [UC_CPU_ARM_CORTEX_M0] = "cortex-a8",
        [UC_CPU_ARM_CORTEX_M3] = "cortex-a15",
        [UC_CPU_ARM_CORTEX_M4] = "cortex-a15",
        [UC_CPU_ARM_CORTEX_M7] = "cortex-a15",
        [UC_CPU_ARM_CORTEX_M33] = "cortex-a15",
        [UC_CPU_ARM_CORTEX_R5] = "cortex-a15",
        [UC_CPU_ARM_CORTEX_R5F] = "cortex-a15",
        [UC_CPU_ARM_CORTEX_A7] = "cortex-a15",
        [UC_CPU_ARM_CORTEX_A8] = "cortex-a8",
        [UC_CPU_ARM_CORTEX_A9] = "cortex-a8",
        [UC_CPU_ARM_CORTEX_A15] = "cortex-a15",
        [UC_CPU_ARM_MAX] = "max",
    };

    if (model < 0 || model >= UC_CPU_ARM_ENDING)
        return NULL;
    /* The StrongARM and XScale ones */
    return names[model] ? names[model] : "arm926";
}
