/* The CPU models: features and identification registers. */
#include <string.h>

#include "guest/arm/front.h"

struct model {
    const char *name;
    uint32_t features;
    uint32_t midr, ctr, fpsid, mvfr0, mvfr1;
    uint32_t sctlr; /* out of reset */
};

#define V4  ARM_F_AR
#define V5  (V4 | ARM_F_V5)
#define V6  (V5 | ARM_F_V6)
#define V6K (V6 | ARM_F_V6K)
#define V7  (V6K | ARM_F_V6T2 | ARM_F_V7 | ARM_F_DSP)
#define FP2 (ARM_F_VFP2 | ARM_F_DP)
#define FP3 (FP2 | ARM_F_VFP3)
#define FP4 (FP3 | ARM_F_VFP4 | ARM_F_HALF)
#define DIV (ARM_F_DIV_T | ARM_F_DIV_A)
#define MP  ARM_F_MP
#define SIMD (ARM_F_NEON | ARM_F_D32)
#define SEC ARM_F_SEC
#define C15 ARM_F_C15

#define PMSA   ARM_F_PMSA
#define TEST   ARM_F_TEST_CLEAN
#define RANGES ARM_F_RANGES
/* With virtualization extensions, whose own registers nobody sees. */
#define V7VE (V7 | DIV | MP | SEC | ARM_F_LPAE)
#define V6M  (ARM_F_M | ARM_F_V5 | ARM_F_V6 | ARM_F_V6K)
#define V7M  (V6M | ARM_F_M_MAIN | ARM_F_V6T2 | ARM_F_V7 | ARM_F_DIV_T)
#define V8M  (V7M | ARM_F_M_V8 | ARM_F_M_SEC)
#define FPS  (FP4 & ~ARM_F_DP)
#define DSP  ARM_F_DSP

/* Identification values from the Technical Reference Manuals: DDI 0198E, DDI 0201D, DDI 0211K,
 * DDI 0301H, DDI 0344K, DDI 0388I, DDI 0438I, DDI 0464F, 100166, DDI 0489, 100230 and others. */
// clang-format off
static const struct model models[] = {
    {"arm926", V5 | FP2 | TEST | C15, 0x41069265, 0x01dd20d2, 0x41011090, 0, 0, 0x00090078},
    {"arm946", V5 | PMSA | C15, 0x41059461, 0x0f004006, 0, 0, 0, 0x00000078},
    {"arm1026", V5 | FP2 | TEST | ARM_F_1026 | C15, 0x4106a262, 0x01dd20d2, 0x410110a0, 0, 0, 0x00090078},
    {"arm1136-r2", V6 | FP2 | RANGES | C15, 0x4107b362, 0x01dd20d2, 0x410120b4, 0x11111111, 0, 0x00050078},
    {"arm1136", V6K | FP2 | RANGES | C15, 0x4117b363, 0x01dd20d2, 0x410120b4, 0x11111111, 0, 0x00050078},
    {"arm1176", V6K | FP2 | RANGES | SEC | C15, 0x410fb767, 0x01dd20d2, 0x410120b5, 0x11111111, 0, 0x00050078},
    {"arm11mpcore", V6K | FP2 | C15, 0x410fb022, 0x1d192992, 0x410120b4, 0x11111111, 0, 0},
    {"cortex-r5", V7 | DIV | MP | PMSA, 0x411fc153, 0, 0, 0, 0, 0},
    {"cortex-r5f", V7 | FP3 | DIV | MP | PMSA, 0x411fc153, 0, 0, 0x10110221, 0x00000011, 0},
    {"cortex-a7", V7VE | FP4 | SIMD | C15, 0x410fc075, 0x84448003, 0x41023075, 0x10110222, 0x11111111, 0x00c50078},
    {"cortex-a8", V7 | FP3 | SIMD | SEC | C15, 0x413fc082, 0x82048004, 0x410330c0, 0x11110222, 0x00011111, 0x00c50078},
    {"cortex-a8-r0", V7 | FP3 | SIMD | SEC | C15, 0x410fc080, 0x82048004, 0x410330c0, 0x11110222, 0x00011111, 0x00c50078},
    {"cortex-a9", V7 | FP3 | ARM_F_HALF | MP | SIMD | SEC, 0x410fc090, 0x80038003, 0x41033090, 0x10110222, 0x01111111, 0x00c50078},
    {"cortex-a15", V7VE | FP4 | SIMD | C15, 0x412fc0f1, 0x8444c004, 0x410430f0, 0x10110222, 0x11111111, 0x00c50078},
    {"ti925t", V4 | ARM_F_OMAP, 0x54029252, 0x05109149, 0, 0, 0, 0x00000070},
    {"sa1100", V4 | C15, 0x4401a11b, 0, 0, 0, 0, 0x00000070},
    {"sa1110", V4 | C15, 0x6901b119, 0, 0, 0, 0, 0x00000070},
    {"pxa250", V5 | ARM_F_XSCALE, 0x69052100, 0x0d172172, 0, 0, 0, 0x00000078},
    {"pxa255", V5 | ARM_F_XSCALE, 0x69052d00, 0x0d172172, 0, 0, 0, 0x00000078},
    {"pxa260", V5 | ARM_F_XSCALE, 0x69052903, 0x0d172172, 0, 0, 0, 0x00000078},
    {"pxa261", V5 | ARM_F_XSCALE, 0x69052d05, 0x0d172172, 0, 0, 0, 0x00000078},
    {"pxa262", V5 | ARM_F_XSCALE, 0x69052d06, 0x0d172172, 0, 0, 0, 0x00000078},
    {"pxa270", V5 | ARM_F_XSCALE, 0x69054110, 0x0d172172, 0, 0, 0, 0x00000078},
    {"pxa270-a1", V5 | ARM_F_XSCALE, 0x69054111, 0x0d172172, 0, 0, 0, 0x00000078},
    {"pxa270-b0", V5 | ARM_F_XSCALE, 0x69054112, 0x0d172172, 0, 0, 0, 0x00000078},
    {"pxa270-b1", V5 | ARM_F_XSCALE, 0x69054113, 0x0d172172, 0, 0, 0, 0x00000078},
    {"pxa270-c0", V5 | ARM_F_XSCALE, 0x69054114, 0x0d172172, 0, 0, 0, 0x00000078},
    {"pxa270-c5", V5 | ARM_F_XSCALE, 0x69054117, 0x0d172172, 0, 0, 0, 0x00000078},
    {"cortex-m0", V6M, 0x410cc200, 0, 0, 0, 0, 0},
    {"cortex-m3", V7M, 0x410fc231, 0, 0, 0, 0, 0},
    {"cortex-m4", V7M | DSP | FPS, 0x410fc240, 0, 0, 0x10110021, 0x11000011, 0},
    {"cortex-m7", V7M | DSP | FP4 | ARM_F_VFP_V8, 0x411fc272, 0, 0, 0x10110221, 0x12000011, 0},
    {"cortex-m33", V8M | DSP | FPS | ARM_F_VFP_V8, 0x410fd213, 0, 0, 0x10110021, 0x11000011, 0},
    {"max", V7VE | FP4 | SIMD | C15, 0x412fc0f1, 0x8444c004, 0x410430f0, 0x10110222, 0x11111111, 0x00c50078},
};
// clang-format on

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
        s->model = k;
        return NW_OK;
    }
    return NW_ERR_CPU;
}

uint32_t arm_sctlr_reset(const struct arm_state *s)
{
    return models[s->model].sctlr;
}
