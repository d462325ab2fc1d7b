/* Unicorn's ARM CPU models by their native names. */
#include "reg.h"

const char *uc_arm_cpu_name(int model)
{
    static const char *const names[UC_CPU_ARM_ENDING] = {
        [UC_CPU_ARM_926] = "arm926",
        [UC_CPU_ARM_946] = "arm946",
        [UC_CPU_ARM_1026] = "arm1026",
        [UC_CPU_ARM_1136_R2] = "arm1136-r2",
        [UC_CPU_ARM_1136] = "arm1136",
        [UC_CPU_ARM_1176] = "arm1176",
        [UC_CPU_ARM_11MPCORE] = "arm11mpcore",
        [UC_CPU_ARM_CORTEX_M0] = "cortex-m0",
        [UC_CPU_ARM_CORTEX_M3] = "cortex-m3",
        [UC_CPU_ARM_CORTEX_M4] = "cortex-m4",
        [UC_CPU_ARM_CORTEX_M7] = "cortex-m7",
        [UC_CPU_ARM_CORTEX_M33] = "cortex-m33",
        [UC_CPU_ARM_CORTEX_R5] = "cortex-r5",
        [UC_CPU_ARM_CORTEX_R5F] = "cortex-r5f",
        [UC_CPU_ARM_CORTEX_A7] = "cortex-a7",
        [UC_CPU_ARM_CORTEX_A8] = "cortex-a8-r0",
        [UC_CPU_ARM_CORTEX_A9] = "cortex-a9",
        [UC_CPU_ARM_CORTEX_A15] = "cortex-a15",
        [UC_CPU_ARM_TI925T] = "ti925t",
        [UC_CPU_ARM_SA1100] = "sa1100",
        [UC_CPU_ARM_SA1110] = "sa1110",
        [UC_CPU_ARM_PXA250] = "pxa250",
        [UC_CPU_ARM_PXA255] = "pxa255",
        [UC_CPU_ARM_PXA260] = "pxa260",
        [UC_CPU_ARM_PXA261] = "pxa261",
        [UC_CPU_ARM_PXA262] = "pxa262",
        [UC_CPU_ARM_PXA270] = "pxa270",
        [UC_CPU_ARM_PXA270A0] = "pxa270",
        [UC_CPU_ARM_PXA270A1] = "pxa270-a1",
        [UC_CPU_ARM_PXA270B0] = "pxa270-b0",
        [UC_CPU_ARM_PXA270B1] = "pxa270-b1",
        [UC_CPU_ARM_PXA270C0] = "pxa270-c0",
        [UC_CPU_ARM_PXA270C5] = "pxa270-c5",
        [UC_CPU_ARM_MAX] = "max",
    };

    return model >= 0 && model < UC_CPU_ARM_ENDING ? names[model] : NULL;
}
