/* Register and interrupt-line numbers of the ARM guest. */
#ifndef NARWHAL_ARM_H
#define NARWHAL_ARM_H

enum nw_arm_reg {
    NW_ARM_R0 = 0, /* r0..r15 are 0..15, of the current mode */
    NW_ARM_SP = 13,
    NW_ARM_LR = 14,
    NW_ARM_PC = 15, /* the address of the next instruction, bit 0 clear; writing keeps the state */
    NW_ARM_CPSR = 16,
    NW_ARM_SPSR = 17,
    NW_ARM_FPSCR = 18,
    NW_ARM_FPEXC = 19,
    NW_ARM_FPSID = 20,
    NW_ARM_TPIDRURW = 21,
    NW_ARM_TPIDRURO = 22,
    NW_ARM_TPIDRPRW = 23,
    NW_ARM_D0 = 32, /* d0..d31 are 32..63 */
    NW_ARM_S0 = 64, /* s0..s31 are 64..95 */
    NW_ARM_REG_END = 96,
};

enum nw_arm_irq { NW_ARM_IRQ = 0, NW_ARM_FIQ = 1 };

#endif
