/* Comparison (FPCompare, ARM DDI 0406C A2.7.8). */
#include "fp/core.h"

enum { LESS = 8, EQUAL = 4 | 2, GREATER = 2, UNORDERED = 2 | 1 };

FP_CORE uint32_t compare(struct fp_env *env, struct fp_format f, uint64_t ab, uint64_t bb,
                         bool signaling)
{
    struct fp_num a = fp_unpack(env, f, ab), b = fp_unpack(env, f, bb);
    if (fp_is_nan(a) || fp_is_nan(b)) {
        if (signaling || a.cls == FP_SNAN || b.cls == FP_SNAN)
            env->flags |= FP_INVALID;
        return UNORDERED;
    }
    if (a.cls == FP_ZERO && b.cls == FP_ZERO)
        return EQUAL;
    if (a.cls == FP_ZERO)
        return b.sign ? GREATER : LESS;
    if (b.cls == FP_ZERO || a.sign != b.sign)
        return a.sign ? LESS : GREATER;
    if (a.bits == b.bits)
        return EQUAL;
    return (a.bits < b.bits) != a.sign ? LESS : GREATER;
}

uint32_t fp_cmp32(struct fp_env *env, uint32_t a, uint32_t b, bool signaling)
{
    return compare(env, FP_SINGLE, a, b, signaling);
}
uint32_t fp_cmp64(struct fp_env *env, uint64_t a, uint64_t b, bool signaling)
{
    return compare(env, FP_DOUBLE, a, b, signaling);
}
