/* Conversion between formats (FPSingleToDouble and its sisters, ARM DDI 0406C A2.7.8). */
#include "fp/core.h"

/* A NaN keeps its sign and the high bits of its payload. */
FP_CORE uint64_t convert_nan(struct fp_env *env, struct fp_format from, struct fp_format to,
                             struct fp_num n)
{
    bool alternative = to.exp_bits == 5 && env->ahp;
    if (n.cls == FP_SNAN || alternative)
        env->flags |= FP_INVALID;
    if (alternative)
        return fp_zero(to, n.sign);
    if (env->default_nan)
        return fp_default_nan(env, to);
    uint64_t frac = n.bits & ((1ull << from.frac_bits) - 1);
    frac = to.frac_bits > from.frac_bits ? frac << (to.frac_bits - from.frac_bits)
                                         : frac >> (from.frac_bits - to.frac_bits);
    return fp_inf(to, n.sign) | fp_quiet_bit(to) | frac;
}

FP_CORE uint64_t convert(struct fp_env *env, struct fp_format from, struct fp_format to,
                         uint64_t bits)
{
    struct fp_num n = fp_unpack(env, from, bits);
    fp_used(env, n, n);
    switch (n.cls) {
    case FP_ZERO: return fp_zero(to, n.sign);
    case FP_FINITE: return fp_pack(env, to, env->round, n.sign, n.exp, n.frac);
    case FP_INF:
        if (to.exp_bits == 5 && env->ahp)
            return fp_overflow(env, to, env->round, n.sign, false);
        return fp_inf(to, n.sign);
    default: return convert_nan(env, from, to, n);
    }
}

uint64_t fp_32to64(struct fp_env *env, uint32_t a)
{
    return convert(env, FP_SINGLE, FP_DOUBLE, a);
}
uint32_t fp_64to32(struct fp_env *env, uint64_t a)
{
    return (uint32_t)convert(env, FP_DOUBLE, FP_SINGLE, a);
}
uint32_t fp_16to32(struct fp_env *env, uint16_t a)
{
    return (uint32_t)convert(env, FP_HALF, FP_SINGLE, a);
}
uint16_t fp_32to16(struct fp_env *env, uint32_t a)
{
    return (uint16_t)convert(env, FP_SINGLE, FP_HALF, a);
}
