/* The CPU models: features and identification registers. */
#include <string.h>

#include "guest/arm/front.h"

struct model {
    const char *name;
    uint32_t features;
    uint32_t midr, ctr, fpsid, mvfr0, mvfr1;
    uint32_t sctlr; /* out of reset */
};

#define V5  ARM_F_V5
#define V6  (V5 | ARM_F_V6)
#define V6K (V6 | ARM_F_V6K)
#define V7  (V6K | ARM_F_V6T2 | ARM_F_V7)
#define FP3 (ARM_F_VFP2 | ARM_F_VFP3)
#define FP4 (FP3 | ARM_F_VFP4 | ARM_F_HALF)
#define DIV (ARM_F_DIV_T | ARM_F_DIV_A)

/* Identification values from the Technical Reference Manuals: DDI 0198E, DDI 0344K, DDI 0438I.
 * Advanced SIMD and its upper registers are not there yet, and MVFR0/MVFR1 say so. */
static const struct model models[] = {
    {"arm926", V5 | ARM_F_VFP2, 0x41069265, 0x1dd20d2, 0x41011090, 0, 0, 0x00000078},
    {"cortex-a8", V7 | FP3, 0x413fc082, 0x82048004, 0x410330c0, 0x11110221, 0x00000000, 0x00c50078},
    {"cortex-a15", V7 | FP4 | DIV | ARM_F_MP, 0x412fc0f1, 0x8444c004, 0x410430f0, 0x10110221,
     0x11000000, 0x00c50078},
    {"max", V7 | FP4 | DIV | ARM_F_MP, 0x412fc0f1, 0x8444c004, 0x410430f0, 0x10110221, 0x11000000,
     0x00c50078},
};

static const struct model *find(uint32_t midr)
{
    for (unsigned k = 0; k < ARRAY_LEN(models); k++) {
        if (models[k].midr == midr)
            return &models[k];
    }
    return &models[0];
}

nw_status arm_model_init(struct arm_state *s, const char *name)
{
    for (unsigned k = 0; k < ARRAY_LEN(models); k++) {
        const struct model *m = &models[k];

        if (strcmp(m->name, name ? name : "max"))
            continue;
        s->features = m->features;
        s->midr = m->midr;
        s->ctr = m->ctr;
        s->fpsid = m->fpsid;
        s->mvfr0 = m->mvfr0;
        s->mvfr1 = m->mvfr1;
        return NW_OK;
    }
    return NW_ERR_CPU;
}

uint32_t arm_sctlr_reset(const struct arm_state *s)
{
    return find(s->midr)->sctlr;
}
