/* The system control coprocessor's registers: ARM DDI 0406C B3.17, B5.8. */
#ifndef GUEST_ARM_CP15_H
#define GUEST_ARM_CP15_H

#include "guest/arm/state.h"

enum arm_cp15_access {
    ARM_CP15_UR = 1, /* User mode reads */
    ARM_CP15_UW = 2,
    ARM_CP15_PR = 4, /* privileged modes read */
    ARM_CP15_PW = 8,
};

enum arm_cp15_kind {
    ARM_CP15_PLAIN,   /* a word of the state */
    ARM_CP15_CONTROL, /* a word of the state that changes how code runs */
    ARM_CP15_CONST,   /* reads as .value, writes are ignored */
    ARM_CP15_NOTHING, /* cache, TLB and predictor operations; reads as .value */
    ARM_CP15_BARRIER,
    ARM_CP15_ISB,
    ARM_CP15_WAIT, /* wait for interrupt (before v7) */
};

#define ARM_CP15_ANY 0xff

struct arm_cp15_reg {
    uint8_t crn, opc1, crm, opc2; /* ARM_CP15_ANY: every value */
    uint8_t access;               /* enum arm_cp15_access */
    uint8_t kind;                 /* enum arm_cp15_kind */
    uint32_t features;            /* enum arm_feature */
    uint32_t offset;              /* in struct arm_state */
    uint32_t value;
};

/* The register of an encoding, null when the CPU has none there. */
const struct arm_cp15_reg *arm_cp15_find(uint32_t features, unsigned crn, unsigned opc1,
                                         unsigned crm, unsigned opc2);
unsigned arm_cp15_index(const struct arm_cp15_reg *);
/* Writes the register with number INDEX, of kind CONTROL. */
void arm_cp15_write(struct arm_state *, unsigned index, uint32_t value);

#endif
