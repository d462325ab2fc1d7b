/* Identification registers beyond those of models.c, and system registers out of reset. */
#include <string.h>

#include "guest/arm/control.h"
#include "guest/arm/cp15.h"
#include "guest/arm/front.h"

/* ID_PFR0, ID_PFR1, ID_DFR0, ID_AFR0, ID_MMFR0-3, ID_ISAR0-5 */
#define FEATURE_REGS 14

struct ids {
    uint32_t midr;
    uint32_t mpidr, actlr, clidr, dbgdidr;
    uint32_t ccsidr[3]; /* by CSSELR: L1 data, L1 instruction, L2 */
    uint32_t features[FEATURE_REGS];
};

/* From the Technical Reference Manuals that models.c names. */
// clang-format off
static const struct ids models[] = {
    {.midr = 0x4106a262, .actlr = 1},
    {.midr = 0x4107b362, .actlr = 7, .features = {0x111, 0x1, 0x2, 0x3, 0x01130003, 0x10030302, 0x01222110, 0,
        0x00140011, 0x12002111, 0x11231111, 0x01102131, 0x141, 0}},
    {.midr = 0x4117b363, .actlr = 7, .features = {0x111, 0x1, 0x2, 0x3, 0x01130003, 0x10030302, 0x01222110, 0,
        0x00140011, 0x12002111, 0x11231111, 0x01102131, 0x141, 0}},
    {.midr = 0x410fb767, .actlr = 7, .features = {0x111, 0x11, 0x33, 0, 0x01130003, 0x10030302, 0x01222100, 0,
        0x00140011, 0x12002111, 0x11231121, 0x01102131, 0x1141, 0}},
    {.midr = 0x410fb022, .actlr = 1, .features = {0x111, 0x1, 0, 0x2, 0x01100103, 0x10020302, 0x01222000, 0,
        0x00100011, 0x12002111, 0x11221011, 0x01102131, 0x141, 0}},
    {.midr = 0x411fc153, .mpidr = 0xc0000000, .features = {0x131, 0x1, 0x10400, 0, 0x00210030, 0, 0x01200000,
        0x211, 0x02101111, 0x13112111, 0x21232141, 0x01112131, 0x10142, 0}},
    {.midr = 0x410fc075, .dbgdidr = 0x3515f005, .mpidr = 0x80000000, .clidr = 0x0a200023, .ccsidr = {0x701fe00a, 0x201fe00a, 0x711fe07a},
        .features = {0x1131, 0x11011, 0x02010555, 0, 0x10101105, 0x40000000, 0x01240000, 0x02102211,
        0x02101110, 0x13112111, 0x21232041, 0x11112131, 0x10011142, 0}},
    {.midr = 0x410fc080, .dbgdidr = 0x15141000, .actlr = 2, .clidr = 0x0a000003, .ccsidr = {0xe007e01a, 0x2007e01a, 0xf0000000},
        .features = {0x1031, 0x11, 0x400, 0, 0x31100003, 0x20000000, 0x01202000, 0x11,
        0x00101111, 0x12112111, 0x21232031, 0x11112131, 0x111142, 0}},
    {.midr = 0x413fc082, .dbgdidr = 0x15141000, .actlr = 2, .clidr = 0x0a000003, .ccsidr = {0xe007e01a, 0x2007e01a, 0xf0000000},
        .features = {0x1031, 0x11, 0x400, 0, 0x31100003, 0x20000000, 0x01202000, 0x11,
        0x00101111, 0x12112111, 0x21232031, 0x11112131, 0x111142, 0}},
    {.midr = 0x410fc090, .dbgdidr = 0x35141000, .mpidr = 0x80000000, .clidr = 0x09000003, .ccsidr = {0xe00fe019, 0x200fe019, 0},
        .features = {0x1031, 0x11, 0, 0, 0x00100103, 0x20000000, 0x01230000, 0x2111,
        0x00101111, 0x13112111, 0x21232041, 0x11112131, 0x111142, 0}},
    {.midr = 0x412fc0f1, .dbgdidr = 0x3515f021, .mpidr = 0x80000000, .clidr = 0x0a200023, .ccsidr = {0x701fe00a, 0x201fe00a, 0x711fe07a},
        .features = {0x1131, 0x11011, 0x02010555, 0, 0x10201105, 0x20000000, 0x01240000, 0x02102211,
        0x02101110, 0x13112111, 0x21232041, 0x11112131, 0x10011142, 0}},
};
// clang-format on

static const struct ids *ids_of(const struct arm_state *s)
{
    static const struct ids none;

    for (unsigned k = 0; k < ARRAY_LEN(models); k++)
        if (models[k].midr == s->midr)
            return &models[k];
    return &none;
}

uint32_t arm_id(const struct arm_state *s, unsigned which)
{
    const struct ids *ids = ids_of(s);

    switch (which) {
    case ARM_ID_MPIDR: return ids->mpidr;
    case ARM_ID_ACTLR: return ids->actlr;
    case ARM_ID_CLIDR: return ids->clidr;
    case ARM_ID_CCSIDR: return s->csselr < ARRAY_LEN(ids->ccsidr) ? ids->ccsidr[s->csselr] : 0;
    case ARM_ID_DBGDIDR: return ids->dbgdidr;
    default: return which < FEATURE_REGS ? ids->features[which] : 0;
    }
}

void arm_system_reset(struct arm_state *s)
{
    memset(&s->actlr, 0, sizeof *s - offsetof(struct arm_state, actlr));
    s->sctlr = arm_sctlr_reset(s);
    s->oslsr = s->features & ARM_F_V7 ? 10 : 0; /* locked */
    s->pmcr = 0x41002000 | (s->features & ARM_F_V7 ? 0x40u : 0u);
    if (s->features & ARM_F_OMAP)
        s->impl[ARM_IMPL_OMAP_MAX] = 0xff0;
    *(uint32_t *)(void *)((uint8_t *)&s->sctlr + ARM_OTHER_BANK) = s->sctlr;
}
