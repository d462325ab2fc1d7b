/* Bits of the system control registers: ARM DDI 0406C B4.1. */
#ifndef GUEST_ARM_CONTROL_H
#define GUEST_ARM_CONTROL_H

#define ARM_SCTLR_M    (1u << 0)
#define ARM_SCTLR_A    (1u << 1)
#define ARM_SCTLR_S    (1u << 8)
#define ARM_SCTLR_R    (1u << 9)
#define ARM_SCTLR_V    (1u << 13)
#define ARM_SCTLR_BR   (1u << 17)
#define ARM_SCTLR_WXN  (1u << 19)
#define ARM_SCTLR_UWXN (1u << 20)
#define ARM_SCTLR_XP   (1u << 23)
#define ARM_SCTLR_EE   (1u << 25)
#define ARM_SCTLR_AFE  (1u << 29)
#define ARM_SCTLR_TE   (1u << 30)

#define ARM_TTBCR_PD0  (1u << 4)
#define ARM_TTBCR_PD1  (1u << 5)
#define ARM_TTBCR_EPD0 (1u << 7)
#define ARM_TTBCR_EPD1 (1u << 23)
#define ARM_TTBCR_EAE  (1u << 31)

#endif
