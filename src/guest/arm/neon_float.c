#include "guest/arm/neon_float.h"

#define QUIET_BIT     0x00400000u
#define EXPONENT(v)   ((v) >> 23 & 0xff)
#define FRACTION(v)   ((v)&0x007fffffu)
#define INFINITY_BITS 0x7f800000u
#define TWO           0x40000000u
#define THREE         0x40400000u

static bool is_nan(uint32_t v)
{
    return EXPONENT(v) == 0xff && FRACTION(v);
}

/* A zero, once denormal numbers are. */
static bool is_zero(uint32_t v)
{
    return EXPONENT(v) == 0;
}

static bool is_infinity(uint32_t v)
{
    return (v & ~NEON_SIGN) == INFINITY_BITS;
}

/* FPUnpack's part: what is a denormal number becomes a zero. */
static uint32_t flushed(struct fp_env *env, uint32_t v)
{
    if (!is_zero(v))
        return v;
    if (FRACTION(v))
        env->flags |= FP_DENORMAL;
    return v & NEON_SIGN;
}

static uint32_t nan_of(struct fp_env *env, uint32_t v)
{
    if (!(v & QUIET_BIT))
        env->flags |= FP_INVALID;
    return NEON_DEFAULT_NAN;
}

/* ---- estimates: A8.6 of DDI 0406C, "reciprocal estimate and step" ---- */

/* 1 / a in 256ths, to nearest, where a is (q + 1/2) / 512 and 1/2 <= a < 1. */
static uint32_t recip_table(uint32_t q)
{
    uint32_t a = 2 * q + 1;

    return ((1u << 19) + a) / (2 * a);
}

/* 1 / sqrt(a) in 256ths, to nearest, where a is (q + 1/2) / SCALE. */
static uint32_t rsqrt_table(uint32_t q, uint32_t scale)
{
    uint64_t a = 2 * q + 1, limit = (uint64_t)2 * scale << 18;
    uint64_t s = 256;

    for (uint64_t bit = 128; bit; bit >>= 1) {
        uint64_t twice = 2 * (s + bit) - 1;
        if (twice * twice * a <= limit)
            s += bit;
    }
    return (uint32_t)s;
}

uint32_t neon_recip_estimate_fixed(uint32_t v)
{
    return v >> 31 ? recip_table(v >> 23) << 23 : UINT32_MAX;
}

uint32_t neon_rsqrt_estimate_fixed(uint32_t v)
{
    if (v >> 30 == 0)
        return UINT32_MAX;
    return (v >> 31 ? rsqrt_table(v >> 24, 256) : rsqrt_table(v >> 23, 512)) << 23;
}

uint32_t neon_recip_estimate(struct fp_env *env, uint32_t v)
{
    if (is_nan(v))
        return nan_of(env, v);
    v = flushed(env, v);
    uint32_t sign = v & NEON_SIGN;
    if (is_infinity(v))
        return sign;
    if (is_zero(v)) {
        env->flags |= FP_DIVZERO;
        return sign | INFINITY_BITS;
    }
    if (EXPONENT(v) >= 253) {
        env->flags |= FP_UNDERFLOW;
        return sign;
    }
    uint32_t estimate = recip_table(0x100 | FRACTION(v) >> 15);
    return sign | (253 - EXPONENT(v)) << 23 | (estimate & 0xff) << 15;
}

uint32_t neon_rsqrt_estimate(struct fp_env *env, uint32_t v)
{
    if (is_nan(v))
        return nan_of(env, v);
    v = flushed(env, v);
    if (is_zero(v)) {
        env->flags |= FP_DIVZERO;
        return (v & NEON_SIGN) | INFINITY_BITS;
    }
    if (v & NEON_SIGN) {
        env->flags |= FP_INVALID;
        return NEON_DEFAULT_NAN;
    }
    if (is_infinity(v))
        return 0;
    uint32_t q = 0x80 | FRACTION(v) >> 16;
    uint32_t estimate = rsqrt_table(q, EXPONENT(v) & 1 ? 512 : 256);
    return (380 - EXPONENT(v)) / 2 << 23 | (estimate & 0xff) << 15;
}

/* ---- steps ---- */

/* The product of a step: infinity times zero is zero, and no exception. */
static uint32_t step_product(struct fp_env *env, uint32_t a, uint32_t b)
{
    if ((is_infinity(a) && is_zero(b)) || (is_zero(a) && is_infinity(b))) {
        flushed(env, a);
        flushed(env, b);
        return 0;
    }
    return fp_mul32(env, a, b);
}

uint32_t neon_recip_step(struct fp_env *env, uint32_t a, uint32_t b)
{
    return fp_sub32(env, TWO, step_product(env, a, b));
}

/* Halving is exact: the difference is never as small as to lose bits by it. */
uint32_t neon_rsqrt_step(struct fp_env *env, uint32_t a, uint32_t b)
{
    return fp_div32(env, fp_sub32(env, THREE, step_product(env, a, b)), TWO);
}

/* ---- maximum and minimum ---- */

enum { LESS = 8, GREATER = 2, UNORDERED = 3 }; /* flags of fp_cmp32 */

static uint32_t extreme(struct fp_env *env, uint32_t a, uint32_t b, bool max)
{
    uint32_t order = fp_cmp32(env, a, b, false);

    if (order == UNORDERED)
        return NEON_DEFAULT_NAN;
    a = is_zero(a) ? a & NEON_SIGN : a;
    b = is_zero(b) ? b & NEON_SIGN : b;
    switch (order) {
    case LESS: return max ? b : a;
    case GREATER: return max ? a : b;
    default: return max ? a & b : a | b; /* equal: the same, or zeros */
    }
}

uint32_t neon_float_max(struct fp_env *env, uint32_t a, uint32_t b)
{
    return extreme(env, a, b, true);
}

uint32_t neon_float_min(struct fp_env *env, uint32_t a, uint32_t b)
{
    return extreme(env, a, b, false);
}
