/* Comparison (FPCompare, ARM DDI 0406C A2.7.8). */
#include "fp/core.h"

FP_CORE uint32_t compare(struct fp_env *env, struct fp_format f, uint64_t a, uint64_t b,
                         bool signaling)
{
    switch (fp_order(env, f, a, b, signaling)) {
    case FP_LESS: return 8;
    case FP_EQUAL: return 4 | 2;
    case FP_GREATER: return 2;
    default: return 2 | 1;
    }
}

uint32_t fp_cmp32(struct fp_env *env, uint32_t a, uint32_t b, bool signaling)
{
    return compare(env, FP_SINGLE, a, b, signaling);
}
uint32_t fp_cmp64(struct fp_env *env, uint64_t a, uint64_t b, bool signaling)
{
    return compare(env, FP_DOUBLE, a, b, signaling);
}
