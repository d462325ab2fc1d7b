/* Division and square root (FPDiv, FPSqrt, ARM DDI 0406C A2.7.8). */
#include "fp/core.h"

FP_CORE uint64_t quotient(struct fp_env *env, struct fp_format f, bool sign, struct fp_num a,
                          struct fp_num b)
{
    bool less = a.frac < b.frac;
    uint64_t q, rest;
    if (f.frac_bits < 24) {
        /* 24-bit operands: 32 quotient bits are enough and one 64-bit division gives them. */
        uint64_t x = a.frac >> (less ? 8 : 9), y = b.frac >> 40;
        q = x / y << 32;
        rest = x % y;
    } else {
        fp_u128 x = (fp_u128)a.frac << (less ? 64 : 63);
        q = (uint64_t)(x / b.frac);
        rest = (uint64_t)(x % b.frac);
    }
    return fp_pack(env, f, env->round, sign, a.exp - b.exp - less, q | (rest != 0));
}

FP_CORE uint64_t divide(struct fp_env *env, struct fp_format f, uint64_t ab, uint64_t bb)
{
    struct fp_num a = fp_unpack(env, f, ab), b = fp_unpack(env, f, bb);
    if (fp_is_nan(a) || fp_is_nan(b))
        return fp_nan2(env, f, a, b);
    bool sign = a.sign ^ b.sign;
    if (a.cls == b.cls && a.cls != FP_FINITE)
        return fp_invalid(env, f);
    if (a.cls == FP_INF) {
        fp_used(env, a, b);
        return fp_inf(f, sign);
    }
    if (b.cls == FP_ZERO) {
        env->flags |= FP_DIVZERO;
        return fp_inf(f, sign);
    }
    fp_used(env, a, b);
    if (a.cls == FP_ZERO || b.cls == FP_INF)
        return fp_zero(f, sign);
    return quotient(env, f, sign, a, b);
}

/* Digit by digit: two bits of the radicand give one of the root. Three digits more than the
 * format's suffice, the remainder says whether anything follows. */
FP_CORE uint64_t root(struct fp_env *env, struct fp_format f, struct fp_num a)
{
    const unsigned digits = f.frac_bits + 4;
    bool odd = a.exp & 1;
    uint64_t radicand = odd ? a.frac : a.frac >> 1; /* bit 0 of frac is clear */
    uint64_t r = 0, rest = 0;
    for (unsigned i = 0; i < digits; i++) {
        rest = rest << 2 | radicand >> 62;
        radicand <<= 2;
        uint64_t trial = r << 2 | 1;
        r <<= 1;
        if (rest >= trial) {
            rest -= trial;
            r |= 1;
        }
    }
    r = r << (64 - digits) | ((rest | radicand) != 0);
    return fp_pack(env, f, env->round, false, (a.exp - odd) / 2, r);
}

FP_CORE uint64_t square_root(struct fp_env *env, struct fp_format f, uint64_t ab)
{
    struct fp_num a = fp_unpack(env, f, ab);
    if (fp_is_nan(a))
        return fp_quiet(env, f, a);
    if (a.cls == FP_ZERO)
        return fp_zero(f, a.sign);
    if (a.sign)
        return fp_invalid(env, f);
    fp_used(env, a, a);
    return a.cls == FP_INF ? fp_inf(f, false) : root(env, f, a);
}

uint32_t fp_div32(struct fp_env *env, uint32_t a, uint32_t b)
{
    return (uint32_t)divide(env, FP_SINGLE, a, b);
}
uint64_t fp_div64(struct fp_env *env, uint64_t a, uint64_t b)
{
    return divide(env, FP_DOUBLE, a, b);
}
uint32_t fp_sqrt32(struct fp_env *env, uint32_t a)
{
    return (uint32_t)square_root(env, FP_SINGLE, a);
}
uint64_t fp_sqrt64(struct fp_env *env, uint64_t a)
{
    return square_root(env, FP_DOUBLE, a);
}
