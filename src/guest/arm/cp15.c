#include "guest/arm/cp15.h"

#include <time.h>
#include "guest/arm/control.h"
#include "guest/arm/mmu.h"

#define ANY  ARM_CP15_ANY
#define WIDE ARM_CP15_WIDE

/* Access */
#define U_R  ARM_CP15_UR
#define U_W  ARM_CP15_UW
#define U_RW (ARM_CP15_UR | ARM_CP15_UW)
#define P_R  ARM_CP15_PR
#define P_W  ARM_CP15_PW
#define P_RW (ARM_CP15_PR | ARM_CP15_PW)
#define D_R  ARM_CP15_DR
#define RAW  ARM_CP15_RAW
#define CNT  ARM_CP15_COUNTER

/* Which CPUs: what they have and what they lack. */
#define ALL         0, 0
#define V5          ARM_F_V5, 0
#define V6          ARM_F_V6, 0
#define V6K         ARM_F_V6K, 0
#define V7          ARM_F_V7, 0
#define LPAE        ARM_F_LPAE, 0
#define SEC         ARM_F_SEC, 0
#define PMSA        ARM_F_PMSA, 0
#define PMSA_OLD    ARM_F_PMSA, ARM_F_V6
#define PMSA_V7     ARM_F_PMSA | ARM_F_V7, 0
#define XSCALE      ARM_F_XSCALE, 0
#define OMAP        ARM_F_OMAP, 0
#define TEST_CLEAN  ARM_F_TEST_CLEAN, 0
#define RANGES      ARM_F_RANGES, 0
#define C15         ARM_F_C15, 0
#define UP_TO_V4    0, ARM_F_V5
#define UP_TO_V6    0, ARM_F_V7
#define MPCORE      ARM_F_V6K, ARM_F_RANGES
#define VMSA        0, ARM_F_PMSA
#define VMSA_V7     ARM_F_V7, ARM_F_PMSA
#define VMSA_MP     ARM_F_V7 | ARM_F_MP, ARM_F_PMSA
#define CORTEX_A8   ARM_F_V7 | ARM_F_SEC, ARM_F_MP
#define CORTEX_A9   ARM_F_V7 | ARM_F_SEC | ARM_F_MP, ARM_F_LPAE
#define ARM1026     ARM_F_1026, 0
#define APPLICATION 0, ARM_F_M
#define DEBUG       ARM_F_V7, ARM_F_M
#define DEBUG_VMSA  ARM_F_V7, ARM_F_M | ARM_F_PMSA
#define JAZELLE     ARM_F_V6, ARM_F_M
#define JAZELLE_V5  ARM_F_V5, ARM_F_XSCALE | ARM_F_PMSA | ARM_F_M

#define BCR_ODD  0x140u /* of BAS: the upper byte of each halfword, as its lower one */
#define C14(crn) (ARM_CP14 + (crn))

/* What it is, and its place. */
#define WORD(field)             ARM_OFF(field), UINT32_MAX, 0
#define BITS(field, mask)       ARM_OFF(field), mask, 0
#define VALUE(v)                0, 0, v
#define NONE                    0, 0, 0
#define TIMER(control, compare) ARM_OFF(control), 3, ARM_OFF(compare)

#define K(kind) ARM_CP15_##kind

#define TTBCR_SHORT (ARM_TTBCR_PD1 | ARM_TTBCR_PD0 | 7)
#define TTBCR_LONG  0xffc73f87

/* First match wins. */
// clang-format off
static const struct arm_cp15_reg regs[] = {
    /* c0: identification */
    {0, 0, 0, 0, P_R, K(WORD), V5, WORD(midr)},
    {0, 0, 0, 1, P_R, K(WORD), V5, WORD(ctr)},
    {0, 0, 0, 2, P_R, K(CONST), V5, VALUE(0)}, /* TCMTR */
    {0, 0, 0, 3, P_R, K(WORD), PMSA, WORD(midr)},
    {0, 0, 0, 3, P_R, K(CONST), V5, VALUE(0)}, /* TLBTR */
    {0, 0, 0, 4, P_R, K(CONST), PMSA_V7, VALUE(0x1000)}, /* MPUIR: 16 regions */
    {0, 0, 0, 5, P_R, K(ID), V7, VALUE(ARM_ID_MPIDR)},
    {0, 0, 0, 5, P_R, K(CONST), MPCORE, VALUE(0)},
    {0, 0, 0, ANY, P_R, K(WORD), V5, WORD(midr)},
    {0, 0, 1, 0, P_R, K(ID), V6, VALUE(0)}, /* ID_PFR0 */
    {0, 0, 1, 1, P_R, K(ID), V6, VALUE(1)},
    {0, 0, 1, 2, P_R, K(ID), V6, VALUE(2)}, /* ID_DFR0 */
    {0, 0, 1, 3, P_R, K(ID), V6, VALUE(3)}, /* ID_AFR0 */
    {0, 0, 1, 4, P_R, K(ID), V6, VALUE(4)}, /* ID_MMFR0 */
    {0, 0, 1, 5, P_R, K(ID), V6, VALUE(5)},
    {0, 0, 1, 6, P_R, K(ID), V6, VALUE(6)},
    {0, 0, 1, 7, P_R, K(ID), V6, VALUE(7)},
    {0, 0, 2, 0, P_R, K(ID), V6, VALUE(8)}, /* ID_ISAR0 */
    {0, 0, 2, 1, P_R, K(ID), V6, VALUE(9)},
    {0, 0, 2, 2, P_R, K(ID), V6, VALUE(10)},
    {0, 0, 2, 3, P_R, K(ID), V6, VALUE(11)},
    {0, 0, 2, 4, P_R, K(ID), V6, VALUE(12)},
    {0, 0, 2, ANY, P_R, K(CONST), V6, VALUE(0)},
    {0, 0, 3, ANY, P_R, K(CONST), V5, VALUE(0)},
    {0, 0, 4, ANY, P_R, K(CONST), V5, VALUE(0)},
    {0, 0, 5, ANY, P_R, K(CONST), V5, VALUE(0)},
    {0, 0, 6, ANY, P_R, K(CONST), V5, VALUE(0)},
    {0, 0, 7, ANY, P_R, K(CONST), V5, VALUE(0)},
    {0, 1, 0, 0, P_R, K(ID), V7, VALUE(ARM_ID_CCSIDR)},
    {0, 1, 0, 1, P_R, K(ID), V7, VALUE(ARM_ID_CLIDR)},
    {0, 1, 0, 7, P_R, K(CONST), V5, VALUE(0)}, /* AIDR */
    {0, 1, 0, ANY, P_R, K(CONST), ARM_F_V5, ARM_F_V7, VALUE(0)},
    {0, 2, 0, 0, P_RW, K(WORD), V7, BITS(csselr, 15)},
    {0, 4, 0, 0, D_R, K(WORD), SEC, WORD(midr)}, /* VPIDR */
    {0, 4, 0, 5, D_R, K(ID), VMSA_MP, VALUE(ARM_ID_MPIDR)}, /* VMPIDR */
    /* Older CPUs let c0 be written to no effect. */
    {0, 0, 0, 1, P_RW, K(CONST), OMAP, VALUE(0x05109149)},
    {0, 0, 0, 1, P_RW, K(CONST), UP_TO_V4, VALUE(0)},
    {0, 0, 0, 2, P_RW, K(CONST), UP_TO_V4, VALUE(0)},
    {0, 0, 0, 3, P_RW, K(CONST), UP_TO_V4, VALUE(0)},
    {0, 0, 0, ANY, P_RW, K(WORD), UP_TO_V4, BITS(midr, 0)},
    {0, 0, 1, ANY, P_W, K(NOTHING), UP_TO_V4, NONE},
    {0, 0, 2, ANY, P_W, K(NOTHING), UP_TO_V4, NONE},
    {0, 0, 3, ANY, P_RW, K(CONST), UP_TO_V4, VALUE(0)},
    {0, 0, 4, ANY, P_RW, K(CONST), UP_TO_V4, VALUE(0)},
    {0, 0, 5, ANY, P_RW, K(CONST), UP_TO_V4, VALUE(0)},
    {0, 0, 6, ANY, P_RW, K(CONST), UP_TO_V4, VALUE(0)},
    {0, 0, 7, ANY, P_RW, K(CONST), UP_TO_V4, VALUE(0)},
    {0, ANY, ANY, ANY, P_W, K(NOTHING), UP_TO_V4, NONE},

    /* c1: control */
    {1, 0, 0, 0, P_RW, K(CONTROL), ALL, WORD(sctlr)},
    {1, 0, 0, 1, P_RW, K(WORD), XSCALE, WORD(actlr)},
    {1, 0, 0, 1, P_RW, K(ID), V6, VALUE(ARM_ID_ACTLR)},
    {1, 0, 0, 1, P_RW, K(ID), ARM1026, VALUE(ARM_ID_ACTLR)},
    {1, 0, 0, 2, P_RW, K(CONTROL), V6, WORD(cpacr)},
    {1, 0, 1, 0, D_R, K(CONST), SEC, VALUE(1)}, /* SCR: non-secure */
    {1, 0, 1, 2, P_R, K(CONST), SEC, VALUE(0)}, /* NSACR */

    /* c2, c3: translation tables and domains */
    {2, 0, 0, 0, P_RW, K(WORD), PMSA_OLD, WORD(impl[ARM_IMPL_PMSA_CACHEABLE])},
    {2, 0, 0, 1, P_RW, K(WORD), PMSA_OLD, WORD(impl[ARM_IMPL_PMSA_CACHEABLE_CODE])},
    {2, 0, 0, 0, P_RW, K(SPACE), VMSA, WORD(ttbr0)},
    {2, 0, 0, 1, P_RW, K(SPACE), VMSA, WORD(ttbr1)},
    {2, 0, 0, 2, P_RW, K(TABLES), LPAE, WORD(ttbcr)},
    {2, 0, 0, 2, P_RW, K(TABLES), SEC, BITS(ttbcr, TTBCR_SHORT)},
    {2, 0, 0, 2, P_RW, K(TABLES), VMSA, BITS(ttbcr, 7)},
    {3, ANY, ANY, ANY, P_RW, K(TABLES), ALL, WORD(dacr)},
    {WIDE, 0, 2, 0, P_RW, K(SPACE_LONG), LPAE, WORD(ttbr0)},
    {WIDE, 1, 2, 0, P_RW, K(SPACE_LONG), LPAE, WORD(ttbr1)},

    /* c5, c6: faults; regions of a protection unit */
    {5, 0, 0, 0, P_RW, K(SHORT_AP), PMSA_OLD, WORD(impl[ARM_IMPL_PMSA_DATA])},
    {5, 0, 0, 1, P_RW, K(SHORT_AP), PMSA_OLD, WORD(impl[ARM_IMPL_PMSA_CODE])},
    {5, 0, 0, 2, P_RW, K(TABLES), PMSA_OLD, WORD(impl[ARM_IMPL_PMSA_DATA])},
    {5, 0, 0, 3, P_RW, K(TABLES), PMSA_OLD, WORD(impl[ARM_IMPL_PMSA_CODE])},
    {5, 0, 0, 0, P_RW, K(WORD), ALL, WORD(dfsr)},
    {5, 0, 0, 1, P_RW, K(WORD), ALL, WORD(ifsr)},
    {5, 0, 1, 0, P_RW, K(CONST), V7, VALUE(0)}, /* ADFSR */
    {5, 0, 1, 1, P_RW, K(CONST), V7, VALUE(0)},
    {5, ANY, ANY, ANY, P_RW, K(WORD), OMAP, WORD(dfsr)},
    {6, 0, 0, ANY, P_RW, K(TABLES), PMSA_OLD, WORD(mpu[0][0])},
    {6, 0, 1, ANY, P_RW, K(TABLES), PMSA_OLD, WORD(mpu[1][0])},
    {6, 0, 2, ANY, P_RW, K(TABLES), PMSA_OLD, WORD(mpu[2][0])},
    {6, 0, 3, ANY, P_RW, K(TABLES), PMSA_OLD, WORD(mpu[3][0])},
    {6, 0, 4, ANY, P_RW, K(TABLES), PMSA_OLD, WORD(mpu[4][0])},
    {6, 0, 5, ANY, P_RW, K(TABLES), PMSA_OLD, WORD(mpu[5][0])},
    {6, 0, 6, ANY, P_RW, K(TABLES), PMSA_OLD, WORD(mpu[6][0])},
    {6, 0, 7, ANY, P_RW, K(TABLES), PMSA_OLD, WORD(mpu[7][0])},
    {6, 0, 0, 0, P_RW, K(WORD), ALL, WORD(dfar)},
    {6, 0, 0, 1, P_RW, K(WORD), ARM1026, WORD(impl[0])},
    {6, 0, 0, 1, P_RW, K(CONST), V6, VALUE(0)}, /* watchpoint address */
    {6, 0, 0, 2, P_RW, K(WORD), V6, WORD(ifar)},
    {6, 0, 1, 0, P_RW, K(REGION), PMSA_V7, WORD(mpu[0][0])}, /* DRBAR, DRSR, DRACR */
    {6, 0, 1, 2, P_RW, K(REGION), PMSA_V7, WORD(mpu[0][1])},
    {6, 0, 1, 4, P_RW, K(REGION), PMSA_V7, WORD(mpu[0][2])},
    {6, 0, 2, 0, P_RW, K(REGION_NUMBER), PMSA_V7, WORD(mpu_number)}, /* RGNR */

    /* c7: caches, barriers, address translation */
    {7, 0, 0, 4, P_W, K(WAIT), UP_TO_V6, NONE},
    {7, 0, 4, 0, P_RW, K(WORD), LPAE, WORD(par)},
    {7, 0, 4, 0, P_RW, K(WORD), V7, BITS(par, 0xfffff6ff)},
    {7, 0, 4, 0, P_RW, K(WORD), ARM_F_V6K | ARM_F_SEC, 0, BITS(par, 0xfffff1ff)},
    {7, 0, 4, 0, P_RW, K(WORD), MPCORE, BITS(par, 0xfffff1ff)},
    {7, 0, 5, 4, U_W | P_W, K(ISB), V6, NONE},
    {7, 0, 10, 4, U_W | P_W, K(BARRIER), V6, NONE},
    {7, 0, 10, 5, U_W | P_W, K(BARRIER), V6, NONE},
    {7, 0, 10, 4, P_W, K(BARRIER), ALL, NONE}, /* drain write buffer */
    {7, 0, 8, 0, P_W, K(PROBE), VMSA_V7, VALUE(0)},
    {7, 0, 8, 1, P_W, K(PROBE), VMSA_V7, VALUE(1)},
    {7, 0, 8, 2, P_W, K(PROBE), VMSA_V7, VALUE(2)},
    {7, 0, 8, 3, P_W, K(PROBE), VMSA_V7, VALUE(3)},
    {7, 0, 8, 0, P_W, K(PROBE), ARM_F_V6K | ARM_F_SEC, 0, VALUE(0)},
    {7, 0, 8, 1, P_W, K(PROBE), ARM_F_V6K | ARM_F_SEC, 0, VALUE(1)},
    {7, 0, 8, 2, P_W, K(PROBE), ARM_F_V6K | ARM_F_SEC, 0, VALUE(2)},
    {7, 0, 8, 3, P_W, K(PROBE), ARM_F_V6K | ARM_F_SEC, 0, VALUE(3)},
    {7, 0, 8, 0, P_W, K(PROBE), MPCORE, VALUE(0)},
    {7, 0, 8, 1, P_W, K(PROBE), MPCORE, VALUE(1)},
    {7, 0, 8, 2, P_W, K(PROBE), MPCORE, VALUE(2)},
    {7, 0, 8, 3, P_W, K(PROBE), MPCORE, VALUE(3)},
    {7, 0, 8, 0, P_W, K(NOTHING), PMSA_V7, NONE},
    {7, 0, 8, 1, P_W, K(NOTHING), PMSA_V7, NONE},
    {7, 0, 8, 2, P_W, K(NOTHING), PMSA_V7, NONE},
    {7, 0, 8, 3, P_W, K(NOTHING), PMSA_V7, NONE},
    {7, 0, 8, ANY, 0, K(ABSENT), ARM_F_V6K | ARM_F_SEC, 0, NONE}, /* of the secure state */
    {7, 0, 8, ANY, 0, K(ABSENT), MPCORE, NONE},
    {7, 0, 8, ANY, 0, K(ABSENT), PMSA_V7, NONE},
    {7, 0, 10, 3, U_R | P_R, K(CONST), TEST_CLEAN, VALUE(0x40000000)}, /* done: Z */
    {7, 0, 14, 3, U_R | P_R, K(CONST), TEST_CLEAN, VALUE(0x40000000)},
    {7, 0, 10, 6, P_R, K(CONST), RANGES, VALUE(0)},       /* cache dirty status */
    {7, 0, 12, 4, U_R | P_R, K(CONST), RANGES, VALUE(0)}, /* block transfer status */
    {7, 0, ANY, ANY, P_W, K(NOTHING), ALL, NONE},
    {WIDE, 0, 7, 0, P_RW, K(LONG), LPAE, WORD(par)},
    {WIDE, 0, 5, 0, P_W, K(NOTHING), RANGES, NONE},
    {WIDE, 0, 6, 0, P_W, K(NOTHING), RANGES, NONE},
    {WIDE, 0, 14, 0, P_W, K(NOTHING), RANGES, NONE},
    {WIDE, 0, 12, 0, P_W | U_W, K(NOTHING), RANGES, NONE},
    {WIDE, 1, 12, 0, P_W | U_W, K(NOTHING), RANGES, NONE},
    {WIDE, 2, 12, 0, P_W | U_W, K(NOTHING), RANGES, NONE},

    /* c8: TLBs; inner shareable, instructions, data, both */
    {8, 0, 3, 0, P_W, K(FLUSH_EVERYWHERE), VMSA_MP, NONE},
    {8, 0, 3, 1, P_W, K(FLUSH_EVERYWHERE), VMSA_MP, NONE},
    {8, 0, 3, 2, P_W, K(FLUSH_EVERYWHERE), VMSA_MP, NONE},
    {8, 0, 3, 3, P_W, K(FLUSH_EVERYWHERE), VMSA_MP, NONE},
    {8, 0, 3, ANY, 0, K(ABSENT), V7, NONE},
    {8, 0, ANY, 0, P_W, K(FLUSH), UP_TO_V6, NONE},
    {8, 0, 5, 0, P_W, K(FLUSH), V7, NONE},
    {8, 0, 6, 0, P_W, K(FLUSH), V7, NONE},
    {8, 0, 7, 0, P_W, K(FLUSH), V7, NONE},
    {8, 0, 5, 1, P_W, K(FLUSH_PAGE), ALL, NONE},
    {8, 0, 6, 1, P_W, K(FLUSH_PAGE), ALL, NONE},
    {8, 0, 7, 1, P_W, K(FLUSH_PAGE), ALL, NONE},
    {8, 0, 5, 2, P_W, K(FLUSH_SPACE), ALL, NONE},
    {8, 0, 6, 2, P_W, K(FLUSH_SPACE), ALL, NONE},
    {8, 0, 7, 2, P_W, K(FLUSH_SPACE), ALL, NONE},
    {8, 0, 7, 3, P_W, K(FLUSH_PAGE), ALL, NONE},
    {8, ANY, ANY, 0, P_W, K(FLUSH), UP_TO_V6, NONE},
    {8, ANY, ANY, 1, P_W, K(FLUSH), UP_TO_V6, NONE},
    {8, ANY, ANY, 2, P_W, K(FLUSH), UP_TO_V6, NONE},
    {8, ANY, ANY, 3, P_W, K(FLUSH), UP_TO_V6, NONE},

    /* c9: lockdown; performance monitors, which count nothing; level 2 cache */
    {9, ANY, ANY, ANY, P_RW, K(CONST), UP_TO_V4, VALUE(0)},
    {9, 0, 0, 0, P_RW, K(WORD), UP_TO_V6, WORD(lockdown[0])},
    {9, 0, 0, 1, P_RW, K(WORD), UP_TO_V6, WORD(lockdown[1])},
    {9, 0, 1, 0, P_W, K(NOTHING), XSCALE, NONE},
    {9, 0, 1, 1, P_W, K(NOTHING), XSCALE, NONE},
    {9, 0, 2, 0, P_RW, K(NOTHING), XSCALE, NONE},
    {9, 0, 2, 1, P_W, K(NOTHING), XSCALE, NONE},
    {9, 0, 1, 0, P_RW, K(CONST), PMSA_V7, VALUE(0)}, /* TCM regions */
    {9, 0, 1, 1, P_RW, K(CONST), PMSA_V7, VALUE(0)},
    {9, 0, 12, 0, P_RW | RAW, K(WORD), V7, BITS(pmcr, 0x39)},
    {9, 0, 12, 1, P_RW | RAW, K(SET), V7, BITS(pmcnten, 0x8000000f)},
    {9, 0, 12, 2, P_RW, K(CLEAR), V7, BITS(pmcnten, 0x8000000f)},
    {9, 0, 12, 3, P_RW | RAW, K(CLEAR), V7, BITS(pmovsr, 0x8000000f)},
    {9, 0, 12, 4, P_W, K(NOTHING), V7, NONE},
    {9, 0, 12, 5, P_RW | RAW, K(WORD), V7, BITS(pmselr, 0x1f)},
    {9, 0, 13, 0, P_RW, K(WORD), V7, WORD(pmccntr)},
    {9, 0, 13, 1, P_RW, K(WORD), V7, BITS(pmxevtyper, 0xfe00ffff)},
    {9, 0, 13, 2, P_RW, K(WORD), V7, WORD(pmxevcntr)},
    {9, 0, 14, 0, P_RW | U_R | RAW, K(WORD), V7, BITS(pmuserenr, 1)},
    {9, 0, 14, 1, P_RW | RAW, K(SET), V7, BITS(pminten, 0x8000000f)},
    {9, 0, 14, 2, P_RW, K(CLEAR), V7, BITS(pminten, 0x8000000f)},
    {9, 0, 14, 3, P_RW | RAW, K(SET), LPAE, BITS(pmovsr, 0x8000000f)},
    {9, 1, 0, 0, P_RW, K(CONST), CORTEX_A8, VALUE(0)},
    {9, 1, 0, 2, P_RW, K(CONST), CORTEX_A8, VALUE(0)},
    {9, 1, 0, 2, P_RW, K(CONST), LPAE, VALUE(0x00800000)},
    {9, 1, 0, 3, P_RW, K(CONST), LPAE, VALUE(0)},

    /* c10: TLB lockdown and memory attributes */
    {10, 0, 2, 0, P_RW, K(WORD), V7, WORD(prrr)},
    {10, 0, 2, 1, P_RW, K(WORD), V7, WORD(nmrr)},
    {10, 0, 2, 0, P_RW, K(NOTHING), ALL, NONE},
    {10, 0, 2, 1, P_RW, K(NOTHING), ALL, NONE},
    {10, 0, 3, 0, P_RW, K(CONST), LPAE, VALUE(0)}, /* AMAIR */
    {10, 0, 3, 1, P_RW, K(CONST), LPAE, VALUE(0)},
    {10, ANY, 0, ANY, P_RW, K(NOTHING), ALL, NONE},
    {10, ANY, 1, ANY, P_RW, K(NOTHING), ALL, NONE},
    {10, ANY, 4, ANY, P_RW, K(NOTHING), ALL, NONE},
    {10, ANY, 8, ANY, P_RW, K(NOTHING), ALL, NONE},

    /* c12, c13: vectors, address spaces, threads */
    {12, 0, 0, 0, P_RW, K(WORD), V7, BITS(vbar, 0xffffffe0)},
    {12, 0, 0, 0, P_RW, K(WORD), SEC, BITS(vbar, 0xffffffe0)},
    {12, 0, 1, 0, P_R, K(CONST), V7, VALUE(0)}, /* ISR */
    {13, 0, 0, 0, P_RW, K(TABLES), ALL, WORD(fcse)},
    {13, 0, 0, 1, P_RW, K(SPACE), ALL, WORD(contextidr)},
    {13, 0, 0, 2, U_RW | P_RW, K(WORD), V6K, WORD(tpidrurw)},
    {13, 0, 0, 3, U_R | P_RW, K(WORD), V6K, WORD(tpidruro)},
    {13, 0, 0, 4, P_RW, K(WORD), V6K, WORD(tpidrprw)},

    /* c14: generic timer; event counters */
    {14, 0, 0, 0, P_R | CNT, K(CONST), LPAE, VALUE(62500000)}, /* CNTFRQ */
    {14, 0, 1, 0, P_RW, K(WORD), LPAE, WORD(cntkctl)},
    {14, 0, 2, 0, P_RW, K(TIMER_VALUE), LPAE, WORD(cntp_cval)},
    {14, 0, 2, 1, P_RW | RAW, K(TIMER_CONTROL), LPAE, TIMER(cntp_ctl, cntp_cval)},
    {14, 0, 3, 0, P_RW, K(TIMER_VALUE), LPAE, WORD(cntv_cval)},
    {14, 0, 3, 1, P_RW | RAW, K(TIMER_CONTROL), LPAE, TIMER(cntv_ctl, cntv_cval)},
    {WIDE, 0, 14, 0, P_R | CNT, K(COUNT), LPAE, VALUE(0)},
    {WIDE, 1, 14, 0, P_R | CNT, K(COUNT), LPAE, VALUE(1)},
    {WIDE, 2, 14, 0, P_RW, K(LONG), LPAE, WORD(cntp_cval)},
    {WIDE, 3, 14, 0, P_RW, K(LONG), LPAE, WORD(cntv_cval)},
    {14, 0, 8, 0, P_RW, K(WORD), V7, WORD(pmevcntr[0])},
    {14, 0, 8, 1, P_RW, K(WORD), V7, WORD(pmevcntr[1])},
    {14, 0, 8, 2, P_RW, K(WORD), V7, WORD(pmevcntr[2])},
    {14, 0, 8, 3, P_RW, K(WORD), V7, WORD(pmevcntr[3])},
    {14, 0, 12, 0, P_RW, K(WORD), V7, BITS(pmevtyper[0], 0xfe00ffff)},
    {14, 0, 12, 1, P_RW, K(WORD), V7, BITS(pmevtyper[1], 0xfe00ffff)},
    {14, 0, 12, 2, P_RW, K(WORD), V7, BITS(pmevtyper[2], 0xfe00ffff)},
    {14, 0, 12, 3, P_RW, K(WORD), V7, BITS(pmevtyper[3], 0xfe00ffff)},
    {14, 0, 15, 7, P_RW, K(WORD), V7, BITS(pmccfiltr, 0xf8000000)},

    /* c15: of the implementation */
    {15, 0, 0, 0, P_RW, K(NOTHING), OMAP, NONE},
    {15, 0, 1, 0, P_RW, K(WORD), OMAP, BITS(impl[ARM_IMPL_OMAP_TICONFIG], 0xe7)},
    {15, 0, 2, 0, P_RW, K(WORD), OMAP, WORD(impl[ARM_IMPL_OMAP_MIN])},
    {15, 0, 3, 0, P_RW, K(WORD), OMAP, WORD(impl[ARM_IMPL_OMAP_MAX])},
    {15, 0, 4, 0, P_RW, K(WORD), OMAP, BITS(impl[ARM_IMPL_OMAP_THREAD], 0xffff)},
    {15, 0, 8, 0, P_RW, K(CONST), OMAP, VALUE(0)},
    {15, 0, 1, 0, P_RW, K(WORD), XSCALE, BITS(impl[ARM_IMPL_XSCALE_CPAR], 0x3fff)},
    {15, 0, 5, 0, P_W, K(NOTHING), PMSA_V7, NONE},
    {15, 0, 0, 0, P_RW, K(WORD), CORTEX_A9, WORD(impl[0])}, /* power control */
    {15, 0, 0, 1, P_RW, K(WORD), CORTEX_A9, WORD(impl[1])},
    {15, 0, 0, 2, P_RW, K(WORD), CORTEX_A9, WORD(impl[2])},
    {15, 4, 0, 0, P_R, K(CONST), VMSA_MP, VALUE(0)}, /* where private peripherals are */
    {15, 5, 4, 2, P_W, K(NOTHING), CORTEX_A9, NONE}, /* TLB lockdown */
    {15, 5, 4, 4, P_W, K(NOTHING), CORTEX_A9, NONE},
    {15, 5, 5, 2, P_RW, K(CONST), CORTEX_A9, VALUE(0)},
    {15, 5, 6, 2, P_RW, K(CONST), CORTEX_A9, VALUE(0)},
    {15, 5, 7, 2, P_RW, K(CONST), CORTEX_A9, VALUE(0)},
    {15, 0, 1, 0, P_RW, K(CONST), CORTEX_A9, VALUE(0)}, /* diagnostics */
    {15, ANY, ANY, ANY, P_RW, K(CONST), C15, VALUE(0)},

    /* Coprocessor 14: debug. Nothing comes of what is written. */
    {C14(0), 0, 0, 0, P_R | U_R, K(ID), APPLICATION, VALUE(ARM_ID_DBGDIDR)},
    {C14(0), 0, 1, 0, P_R, K(WORD), DEBUG, WORD(dbgdscr)},
    {C14(0), 0, 2, 2, P_RW, K(WORD), DEBUG, WORD(dbgdscr)},
    {C14(0), 0, 2, 0, P_RW, K(NOTHING), DEBUG, NONE}, /* DBGDCCINT */
    {C14(0), 0, 7, 0, P_RW, K(NOTHING), DEBUG, NONE}, /* DBGVCR */
    {C14(0), 0, 0, 4, P_RW, K(WORD), DEBUG, WORD(dbg_bvr[0])},
    {C14(0), 0, 0, 5, P_RW, K(BREAKPOINT), DEBUG, WORD(dbg_bcr[0])},
    {C14(0), 0, 1, 4, P_RW, K(WORD), DEBUG_VMSA, WORD(dbg_bvr[1])},
    {C14(0), 0, 1, 5, P_RW, K(BREAKPOINT), DEBUG_VMSA, WORD(dbg_bcr[1])},
    {C14(0), 0, 2, 4, P_RW, K(WORD), DEBUG_VMSA, WORD(dbg_bvr[2])},
    {C14(0), 0, 2, 5, P_RW, K(BREAKPOINT), DEBUG_VMSA, WORD(dbg_bcr[2])},
    {C14(0), 0, 3, 4, P_RW, K(WORD), DEBUG_VMSA, WORD(dbg_bvr[3])},
    {C14(0), 0, 3, 5, P_RW, K(BREAKPOINT), DEBUG_VMSA, WORD(dbg_bcr[3])},
    {C14(0), 0, 4, 4, P_RW, K(WORD), DEBUG_VMSA, WORD(dbg_bvr[4])},
    {C14(0), 0, 4, 5, P_RW, K(BREAKPOINT), DEBUG_VMSA, WORD(dbg_bcr[4])},
    {C14(0), 0, 5, 4, P_RW, K(WORD), DEBUG_VMSA, WORD(dbg_bvr[5])},
    {C14(0), 0, 5, 5, P_RW, K(BREAKPOINT), DEBUG_VMSA, WORD(dbg_bcr[5])},
    {C14(0), 0, 0, 6, P_RW, K(WORD), DEBUG, BITS(dbg_wvr[0], ~3u)},
    {C14(0), 0, 0, 7, P_RW, K(WORD), DEBUG, WORD(dbg_wcr[0])},
    {C14(0), 0, 1, 6, P_RW, K(WORD), DEBUG_VMSA, BITS(dbg_wvr[1], ~3u)},
    {C14(0), 0, 1, 7, P_RW, K(WORD), DEBUG_VMSA, WORD(dbg_wcr[1])},
    {C14(0), 0, 2, 6, P_RW, K(WORD), VMSA_MP, BITS(dbg_wvr[2], ~3u)},
    {C14(0), 0, 2, 7, P_RW, K(WORD), VMSA_MP, WORD(dbg_wcr[2])},
    {C14(0), 0, 3, 6, P_RW, K(WORD), VMSA_MP, BITS(dbg_wvr[3], ~3u)},
    {C14(0), 0, 3, 7, P_RW, K(WORD), VMSA_MP, WORD(dbg_wcr[3])},
    {C14(1), 0, 0, 0, P_R | U_R, K(CONST), DEBUG, VALUE(0)}, /* DBGDRAR */
    {C14(2), 0, 0, 0, P_R | U_R, K(CONST), DEBUG, VALUE(0)}, /* DBGDSAR */
    {C14(1), 0, 0, 4, P_W, K(OS_LOCK), DEBUG, WORD(oslsr)},
    {C14(1), 0, 1, 4, P_R, K(WORD), DEBUG, WORD(oslsr)},
    {C14(1), 0, 3, 4, P_RW, K(NOTHING), DEBUG, NONE}, /* DBGOSDLR */
    {ARM_CP14_WIDE, 0, 0, 0, P_R, K(NOTHING), DEBUG, NONE},
    {ARM_CP14_WIDE, 0, 1, 0, P_R | U_R, K(CONST), LPAE, VALUE(0)},
    {ARM_CP14_WIDE, 0, 2, 0, P_R | U_R, K(CONST), LPAE, VALUE(0)},
    /* ThumbEE, and Jazelle as those have it who do not */
    {C14(0), 6, 0, 0, P_RW, K(WORD), DEBUG_VMSA, BITS(teecr, 1)},
    {C14(1), 6, 0, 0, P_RW | U_W | CNT, K(WORD), DEBUG_VMSA, WORD(teehbr)},
    {C14(0), 7, 0, 0, P_R, K(CONST), JAZELLE, VALUE(0)},
    {C14(0), 7, 0, 0, P_R, K(CONST), JAZELLE_V5, VALUE(0)},
    {C14(1), 7, 0, 0, P_RW, K(CONST), JAZELLE, VALUE(0)},
    {C14(1), 7, 0, 0, P_RW, K(CONST), JAZELLE_V5, VALUE(0)},
    {C14(2), 7, 0, 0, P_RW, K(CONST), JAZELLE, VALUE(0)},
    {C14(2), 7, 0, 0, P_RW, K(CONST), JAZELLE_V5, VALUE(0)},
};
// clang-format on

static bool matches(uint8_t want, unsigned value)
{
    return want == ANY || want == value;
}

const struct arm_cp15_reg *arm_cp15_find(uint32_t features, unsigned crn, unsigned opc1,
                                         unsigned crm, unsigned opc2)
{
    for (unsigned k = 0; k < ARRAY_LEN(regs); k++) {
        const struct arm_cp15_reg *r = &regs[k];

        if (r->crn == crn && matches(r->opc1, opc1) && matches(r->crm, crm) &&
            matches(r->opc2, opc2) && (features & r->has) == r->has && !(features & r->lacks))
            return r->kind == ARM_CP15_ABSENT ? NULL : r;
    }
    return NULL;
}

unsigned arm_cp15_index(const struct arm_cp15_reg *reg)
{
    return (unsigned)(reg - regs);
}

const struct arm_cp15_reg *arm_cp15_reg(unsigned index)
{
    return &regs[index];
}

/* ---- the generic timer, 62.5 MHz ---- */

static uint64_t count_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return ((uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec) / 16;
}

bool arm_cp15_counter_open(const struct arm_state *s, const struct arm_cp15_reg *reg)
{
    if (reg->offset == ARM_OFF(teehbr)) /* XED */
        return !(s->teecr & 1);
    /* PL0PCTEN, PL0VCTEN; the frequency with either */
    uint32_t bits = reg->kind == ARM_CP15_COUNT ? 1u << reg->value : 3;

    return s->cntkctl & bits;
}

/* ---- reading and writing ---- */

static void *place(struct nw_vcpu *vcpu, uint32_t offset, bool other)
{
    bool banked = offset >= ARM_OFF(ttbr0) && offset <= ARM_OFF(tpidrprw);

    return vcpu->state + offset + (other && banked ? ARM_OTHER_BANK : 0);
}

static uint32_t *word(struct nw_vcpu *vcpu, uint32_t offset, bool other)
{
    return place(vcpu, offset, other);
}

static uint64_t *wide(struct nw_vcpu *vcpu, uint32_t offset, bool other)
{
    return place(vcpu, offset, other);
}

/* Of each region the lower two bits of its four, and back. */
static uint32_t short_ap(uint32_t v)
{
    uint32_t ap = 0;

    for (unsigned n = 0; n < 8; n++)
        ap |= (v >> 4 * n & 3) << 2 * n;
    return ap;
}

static uint32_t long_ap(uint32_t v)
{
    uint32_t ap = 0;

    for (unsigned n = 0; n < 8; n++)
        ap |= (v >> 2 * n & 3) << 4 * n;
    return ap;
}

static uint32_t *region_word(struct nw_vcpu *vcpu, const struct arm_cp15_reg *r)
{
    struct arm_state *s = arm_of(vcpu);

    return word(vcpu, r->offset + s->mpu_number * (uint32_t)sizeof s->mpu[0], false);
}

/* ENABLE and IMASK are what was written, ISTATUS follows. */
static uint32_t timer_control(struct nw_vcpu *vcpu, const struct arm_cp15_reg *r, bool other)
{
    uint32_t v = *word(vcpu, r->offset, other);

    return v & 1 && count_now() >= *wide(vcpu, r->value, other) ? v | 4 : v;
}

uint64_t arm_cp15_read(struct nw_vcpu *vcpu, const struct arm_cp15_reg *r, bool other)
{
    switch (r->kind) {
    case ARM_CP15_WORD:
    case ARM_CP15_SET:
    case ARM_CP15_CLEAR:
    case ARM_CP15_BREAKPOINT:
    case ARM_CP15_CONTROL:
    case ARM_CP15_TABLES:
    case ARM_CP15_SPACE: return *word(vcpu, r->offset, other);
    case ARM_CP15_LONG:
    case ARM_CP15_SPACE_LONG: return *wide(vcpu, r->offset, other);
    case ARM_CP15_REGION_NUMBER: return *word(vcpu, r->offset, false);
    case ARM_CP15_REGION: return *region_word(vcpu, r);
    case ARM_CP15_SHORT_AP: return short_ap(*word(vcpu, r->offset, false));
    case ARM_CP15_ID: return arm_id(arm_of(vcpu), r->value);
    case ARM_CP15_COUNT: return count_now();
    case ARM_CP15_TIMER_VALUE: return (uint32_t)(*wide(vcpu, r->offset, other) - count_now());
    case ARM_CP15_TIMER_CONTROL: return timer_control(vcpu, r, other);
    case ARM_CP15_CONST: return r->value;
    default: return 0;
    }
}

/* Of coprocessors there are only 10 and 11; ASEDIS and D32DIS where there is something to disable.
 */
uint32_t arm_cpacr(const struct arm_state *s, uint32_t value)
{
    uint32_t vfp = s->features & ARM_F_VFP2 ? 0x00f00000u : 0;

    if (!vfp || !(s->features & ARM_F_V6))
        return 0;
    if (s->features & ARM_F_V7 && !(s->features & ARM_F_PMSA))
        return value & (0xc0000000u | vfp);
    return 0xc0000000u | (value & vfp);
}

static void write_word(struct nw_vcpu *vcpu, const struct arm_cp15_reg *r, uint32_t value,
                       bool other, bool raw)
{
    uint32_t *at = word(vcpu, r->offset, other);
    uint32_t mask = raw && r->access & ARM_CP15_RAW ? UINT32_MAX : r->mask;

    if (r->kind == ARM_CP15_BREAKPOINT)
        value = (value & ~BCR_ODD) | (value << 1 & BCR_ODD);
    if (r->offset == ARM_OFF(cpacr))
        value = arm_cpacr(arm_of(vcpu), value);
    /* What the formats have in TTBCR differs (B4.1.153). */
    if (r->offset == ARM_OFF(ttbcr))
        value &= value & mask & ARM_TTBCR_EAE ? TTBCR_LONG : TTBCR_SHORT;
    if (r->kind == ARM_CP15_SET && !raw)
        *at |= value & mask;
    else if (r->kind == ARM_CP15_CLEAR && !raw)
        *at &= ~(value & mask);
    else if (r->kind == ARM_CP15_CLEAR && !(r->access & ARM_CP15_RAW))
        return;
    else
        *at = (*at & ~mask) | (value & mask);
}

static void probe(struct nw_vcpu *vcpu, uint32_t va, uint32_t how)
{
    struct arm_state *s = arm_of(vcpu);

    s->par = arm_mmu_probe(vcpu, va, how & 1, how & 2);
}

/* What follows from a change. */
static void written(struct nw_vcpu *vcpu, const struct arm_cp15_reg *r)
{
    switch (r->kind) {
    case ARM_CP15_CONTROL:
        if (r->offset != ARM_OFF(sctlr))
            break;
        /* fall through */
    case ARM_CP15_TABLES:
    case ARM_CP15_REGION:
    case ARM_CP15_SHORT_AP: arm_mmu_changed(vcpu); break;
    case ARM_CP15_SPACE:
    case ARM_CP15_SPACE_LONG: arm_mmu_changed_space(vcpu); break;
    default: break;
    }
}

void arm_cp15_write(struct nw_vcpu *vcpu, const struct arm_cp15_reg *r, uint64_t value, bool other,
                    bool raw)
{
    switch (r->kind) {
    case ARM_CP15_WORD:
    case ARM_CP15_SET:
    case ARM_CP15_CLEAR:
    case ARM_CP15_BREAKPOINT:
    case ARM_CP15_CONTROL:
    case ARM_CP15_TABLES:
    case ARM_CP15_SPACE:
    case ARM_CP15_TIMER_CONTROL: write_word(vcpu, r, (uint32_t)value, other, raw); break;
    case ARM_CP15_LONG:
    case ARM_CP15_SPACE_LONG: *wide(vcpu, r->offset, other) = value; break;
    case ARM_CP15_REGION: *region_word(vcpu, r) = (uint32_t)value; break;
    case ARM_CP15_REGION_NUMBER:
        if (value < ARRAY_LEN(arm_of(vcpu)->mpu))
            *word(vcpu, r->offset, false) = (uint32_t)value;
        break;
    case ARM_CP15_SHORT_AP: *word(vcpu, r->offset, false) = long_ap((uint32_t)value); break;
    case ARM_CP15_TIMER_VALUE:
        *wide(vcpu, r->offset, other) = count_now() + (uint64_t)(int64_t)(int32_t)value;
        break;
    case ARM_CP15_OS_LOCK:
        *word(vcpu, r->offset, other) = 8 | ((uint32_t)value == 0xc5acce55 ? 2 : 0);
        break;
    case ARM_CP15_PROBE: probe(vcpu, (uint32_t)value, r->value); break;
    case ARM_CP15_FLUSH: mmu_flush(vcpu); break;
    case ARM_CP15_FLUSH_PAGE: mmu_flush_page(vcpu, (uint32_t)value & ~0xfffu); break;
    case ARM_CP15_FLUSH_SPACE: arm_mmu_changed_space(vcpu); break;
    case ARM_CP15_FLUSH_EVERYWHERE: arm_mmu_flush_everywhere(vcpu); break;
    default: break;
    }
    if (!other)
        written(vcpu, r);
}
