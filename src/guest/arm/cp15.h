/* The registers of coprocessors 15, system control, and 14, debug, ThumbEE and Jazelle: ARM DDI 0406C B3.17, B4.1,
 * B5.8, B6.1, C11.11, A2.10. */
#ifndef GUEST_ARM_CP15_H
#define GUEST_ARM_CP15_H

#include "guest/arm/state.h"

enum arm_cp15_access {
    ARM_CP15_UR = 1, /* User mode reads */
    ARM_CP15_UW = 2,
    ARM_CP15_PR = 4, /* privileged modes read */
    ARM_CP15_PW = 8,
    ARM_CP15_DR = 16, /* debuggers read; what others may they may too */
    ARM_CP15_COUNTER = 32, /* User mode may only if CNTKCTL or TEECR lets it */
    ARM_CP15_RAW = 64,     /* debuggers write all bits */
};

enum arm_cp15_kind {
    ARM_CP15_WORD,  /* a word of the state; writes change the bits of .mask */
    ARM_CP15_LONG,  /* 64 bits of the state */
    ARM_CP15_SET,   /* a word of the state: what is written is set there … */
    ARM_CP15_CLEAR, /* … or cleared */
    ARM_CP15_CONST, /* reads as .value, writes are ignored */
    ARM_CP15_ID,    /* reads as the model's identification register .value */
    ARM_CP15_NOTHING, /* operations on caches and predictors; reads change nothing */
    ARM_CP15_ABSENT,  /* undefined */
    ARM_CP15_BARRIER,
    ARM_CP15_ISB,
    ARM_CP15_WAIT,    /* wait for interrupt (before v7) */
    ARM_CP15_CONTROL, /* a word that changes how code runs */
    ARM_CP15_TABLES,  /* a word that all translations depend on … */
    ARM_CP15_SPACE,   /* … or those that are not global; may be the low half of 64 bits */
    ARM_CP15_SPACE_LONG,
    ARM_CP15_SHORT_AP, /* two bits of each four of a word that translations depend on */
    ARM_CP15_REGION,   /* a word for each region, of that whose number is in mpu_number … */
    ARM_CP15_REGION_NUMBER,
    ARM_CP15_PROBE,      /* an address to translate, .value: bit 0 write, bit 1 user */
    ARM_CP15_FLUSH,      /* forgets translations: all … */
    ARM_CP15_FLUSH_PAGE, /* … or of a page; … */
    ARM_CP15_FLUSH_SPACE,
    ARM_CP15_FLUSH_EVERYWHERE, /* … on all vCPUs */
    ARM_CP15_COUNT,            /* the generic timer's counter */
    ARM_CP15_TIMER_VALUE,      /* what is left until the compare value at .offset */
    ARM_CP15_TIMER_CONTROL,    /* the word at .offset; .value: the compare value's offset */
    ARM_CP15_BREAKPOINT,       /* a word, DBGBCR */
    ARM_CP15_OS_LOCK,          /* locks or unlocks, as the word at .offset says then */
};

#define ARM_CP15_ANY  0xff
#define ARM_CP15_WIDE 0xfe /* as crn: registers of MRRC and MCRR */
#define ARM_CP14      0x20 /* to be added to crn: registers of coprocessor 14 */
#define ARM_CP14_WIDE 0x30

/* What ARM_CP15_ID registers there are: from 0 on the 14 feature registers. */
enum arm_id { ARM_ID_MPIDR = 14, ARM_ID_ACTLR, ARM_ID_CLIDR, ARM_ID_CCSIDR, ARM_ID_DBGDIDR };

/* Uses of arm_state.impl. */
enum {
    ARM_IMPL_XSCALE_CPAR = 0,
    ARM_IMPL_OMAP_TICONFIG = 0, ARM_IMPL_OMAP_MIN, ARM_IMPL_OMAP_MAX, ARM_IMPL_OMAP_THREAD,
    ARM_IMPL_PMSA_CACHEABLE = 0, ARM_IMPL_PMSA_CACHEABLE_CODE, ARM_IMPL_PMSA_DATA, ARM_IMPL_PMSA_CODE,
};

struct arm_cp15_reg {
    uint8_t crn, opc1, crm, opc2; /* ARM_CP15_ANY: every value */
    uint8_t access;               /* enum arm_cp15_access */
    uint8_t kind;                 /* enum arm_cp15_kind */
    uint32_t has, lacks;          /* enum arm_feature: the CPU has all of these, none of those */
    uint32_t offset;              /* in struct arm_state */
    uint32_t mask;
    uint32_t value;
};

/* The register of an encoding, null when the CPU has none there. CRN: ARM_CP15_WIDE for those of
 * MRRC and MCRR, whose OPC2 is 0. */
const struct arm_cp15_reg *arm_cp15_find(uint32_t features, unsigned crn, unsigned opc1,
                                         unsigned crm, unsigned opc2);
unsigned arm_cp15_index(const struct arm_cp15_reg *);
const struct arm_cp15_reg *arm_cp15_reg(unsigned index);
/* OTHER: of the other security state, where there are two. RAW: as a debugger writes. The block ends
 * after a write. */
uint64_t arm_cp15_read(struct nw_vcpu *, const struct arm_cp15_reg *, bool other);
void arm_cp15_write(struct nw_vcpu *, const struct arm_cp15_reg *, uint64_t value, bool other,
                    bool raw);
/* May User mode access REG now? */
bool arm_cp15_counter_open(const struct arm_state *, const struct arm_cp15_reg *);

/* What CPACR holds when VALUE is written. */
uint32_t arm_cpacr(const struct arm_state *, uint32_t value);

/* ids.c: enum arm_id, or the number of a feature register. */
uint32_t arm_id(const struct arm_state *, unsigned which);

#endif
