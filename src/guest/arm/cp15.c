#include "guest/arm/cp15.h"

#define ANY                      ARM_CP15_ANY
#define U_RW                     (ARM_CP15_UR | ARM_CP15_UW)
#define P_RW                     (ARM_CP15_PR | ARM_CP15_PW)
#define P_R                      ARM_CP15_PR
#define ALL                      (U_RW | P_RW)
#define PLAIN(field)             ARM_CP15_PLAIN, 0, ARM_OFF(field), 0
#define CONTROL(field)           ARM_CP15_CONTROL, 0, ARM_OFF(field), 0
#define OF(feature, kind, field) ARM_CP15_##kind, ARM_F_##feature, ARM_OFF(field), 0
#define VALUE(v)                 ARM_CP15_CONST, 0, 0, v
#define NOTHING(v)               ARM_CP15_NOTHING, 0, 0, v

/* First match wins. Identification registers of the caches and the memory model that no program
 * here depends on read as zero. */
static const struct arm_cp15_reg regs[] = {
    /* c13: thread registers (v6K) and the context */
    {13, 0, 0, 2, ALL, OF(V6K, PLAIN, tpidrurw)},
    {13, 0, 0, 3, ARM_CP15_UR | P_RW, OF(V6K, PLAIN, tpidruro)},
    {13, 0, 0, 4, P_RW, OF(V6K, PLAIN, tpidrprw)},
    {13, 0, 0, 1, P_RW, PLAIN(contextidr)},
    {13, 0, 0, 0, P_RW, VALUE(0)}, /* FCSE */
    /* c7: barriers may be used by User mode */
    {7, 0, 5, 4, ARM_CP15_UW | ARM_CP15_PW, ARM_CP15_ISB, ARM_F_V6, 0, 0},
    {7, 0, 10, 4, ARM_CP15_UW | ARM_CP15_PW, ARM_CP15_BARRIER, ARM_F_V6, 0, 0},
    {7, 0, 10, 5, ARM_CP15_UW | ARM_CP15_PW, ARM_CP15_BARRIER, ARM_F_V6, 0, 0},
    {7, 0, 10, 4, ARM_CP15_PW, ARM_CP15_BARRIER, 0, 0, 0}, /* drain write buffer */
    {7, 0, 0, 4, ARM_CP15_PW, ARM_CP15_WAIT, 0, 0, 0},
    {7, 0, 10, 3, P_RW, NOTHING(0x40000000)}, /* test and clean: done (Z) */
    {7, 0, 14, 3, P_RW, NOTHING(0x40000000)},
    {7, ANY, ANY, ANY, P_RW, NOTHING(0)},
    {8, ANY, ANY, ANY, P_RW, NOTHING(0)},
    /* c0: identification */
    {0, 0, 0, 0, P_R, PLAIN(midr)},
    {0, 0, 0, 1, P_R, PLAIN(ctr)},
    {0, 0, 0, 5, P_R, ARM_CP15_CONST, ARM_F_V7, 0, 0x80000000}, /* MPIDR: uniprocessor format */
    {0, 0, 0, ANY, P_R, PLAIN(midr)},
    /* ID_PFR0: ARM, Thumb-2, trivial Jazelle */
    {0, 0, 1, 0, P_R, ARM_CP15_CONST, ARM_F_V7, 0, 0x00000131},
    {0, ANY, ANY, ANY, P_R, VALUE(0)},
    /* c1: control */
    {1, 0, 0, 0, P_RW, CONTROL(sctlr)},
    {1, 0, 0, 1, P_RW, PLAIN(actlr)},
    {1, 0, 0, 2, P_RW, OF(V6, CONTROL, cpacr)},
    /* c2, c3: translation tables and domains */
    {2, 0, 0, 0, P_RW, PLAIN(ttbr0)},
    {2, 0, 0, 1, P_RW, OF(V6, PLAIN, ttbr1)},
    {2, 0, 0, 2, P_RW, OF(V6, PLAIN, ttbcr)},
    {3, 0, 0, 0, P_RW, PLAIN(dacr)},
    /* c5, c6: faults */
    {5, 0, 0, 0, P_RW, PLAIN(dfsr)},
    {5, 0, 0, 1, P_RW, PLAIN(ifsr)},
    {6, 0, 0, 0, P_RW, PLAIN(dfar)},
    {6, 0, 0, 2, P_RW, OF(V6, PLAIN, ifar)},
    /* c9 lockdown and counters, c10 TLB lockdown and remap, c15 of the implementation */
    {9, ANY, ANY, ANY, P_RW, VALUE(0)},
    {10, ANY, ANY, ANY, P_RW, VALUE(0)},
    {12, 0, 0, 0, P_RW, OF(V7, PLAIN, vbar)},
    {15, ANY, ANY, ANY, P_RW, VALUE(0)},
};

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
            matches(r->opc2, opc2) && (features & r->features) == r->features)
            return r;
    }
    return NULL;
}

unsigned arm_cp15_index(const struct arm_cp15_reg *reg)
{
    return (unsigned)(reg - regs);
}

void arm_cp15_write(struct arm_state *s, unsigned index, uint32_t value)
{
    if (regs[index].offset == ARM_OFF(cpacr))
        s->cpacr = value & 0x00f00000; /* only cp10 and cp11 are there */
    else
        s->sctlr = value;
}
