/* Multiplication and fused multiply-add (FPMul, FPMulAdd, ARM DDI 0406C A2.7.8). */
#include "fp/core.h"

/* The product of two finite numbers, scaled as fp_pack128 wants it, its top bit at 126. */
FP_CORE fp_u128 product(struct fp_num a, struct fp_num b, int *exp)
{
    fp_u128 v = (fp_u128)a.frac * b.frac;
    *exp = a.exp + b.exp;
    if (v >> 127) {
        v = fp_jam128(v, 1);
        ++*exp;
    }
    return v;
}

FP_CORE uint64_t mul(struct fp_env *env, struct fp_format f, uint64_t ab, uint64_t bb)
{
    struct fp_num a = fp_unpack(env, f, ab), b = fp_unpack(env, f, bb);
    if (fp_is_nan(a) || fp_is_nan(b))
        return fp_nan2(env, f, a, b);
    bool sign = a.sign ^ b.sign;
    if (a.cls == FP_INF || b.cls == FP_INF) {
        if (a.cls == FP_ZERO || b.cls == FP_ZERO)
            return fp_invalid(env, f);
        fp_used(env, a, b);
        return fp_inf(f, sign);
    }
    fp_used(env, a, b);
    if (a.cls == FP_ZERO || b.cls == FP_ZERO)
        return fp_zero(f, sign);
    int exp;
    fp_u128 v = product(a, b, &exp);
    return fp_pack128(env, f, sign, exp, v);
}

/* The finite cases of a * b + c. */
FP_CORE uint64_t fused(struct fp_env *env, struct fp_format f, bool sign, struct fp_num a,
                       struct fp_num b, struct fp_num c)
{
    if (a.cls == FP_ZERO || b.cls == FP_ZERO) {
        if (c.cls == FP_ZERO)
            return sign == c.sign ? fp_zero(f, sign) : fp_sum_zero(env, f);
        return fp_pack(env, f, env->round, c.sign, c.exp, c.frac);
    }
    int exp;
    fp_u128 p = product(a, b, &exp);
    if (c.cls == FP_ZERO)
        return fp_pack128(env, f, sign, exp, p);
    fp_u128 q = (fp_u128)c.frac << 63;
    if (exp >= c.exp) {
        q = fp_jam128(q, (unsigned)(exp - c.exp));
    } else {
        p = fp_jam128(p, (unsigned)(c.exp - exp));
        exp = c.exp;
    }
    if (sign == c.sign)
        return fp_pack128(env, f, sign, exp, p + q);
    if (p == q)
        return fp_sum_zero(env, f);
    return p > q ? fp_pack128(env, f, sign, exp, p - q) : fp_pack128(env, f, c.sign, exp, q - p);
}

FP_CORE uint64_t fma_(struct fp_env *env, struct fp_format f, uint64_t ab, uint64_t bb, uint64_t cb,
                      unsigned negate)
{
    struct fp_num c = fp_unpack(env, f, cb), a = fp_unpack(env, f, ab), b = fp_unpack(env, f, bb);
    bool undefined_product =
        (a.cls == FP_INF && b.cls == FP_ZERO) || (a.cls == FP_ZERO && b.cls == FP_INF);
    if (fp_is_nan(a) || fp_is_nan(b) || fp_is_nan(c)) {
        if (fp_x86(env))
            return fp_nan3(env, f, a, b, c);
        if (c.cls == FP_QNAN && undefined_product)
            return fp_invalid(env, f);
        return fp_nan3(env, f, c, a, b);
    }
    bool sign = a.sign ^ b.sign ^ ((negate & FP_NEG_PRODUCT) != 0);
    c.sign ^= (negate & FP_NEG_ADDEND) != 0;
    bool inf = a.cls == FP_INF || b.cls == FP_INF;
    if (undefined_product || (inf && c.cls == FP_INF && sign != c.sign))
        return fp_invalid(env, f);
    fp_used(env, a, b);
    fp_used(env, c, c);
    if (inf || c.cls == FP_INF)
        return fp_inf(f, inf ? sign : c.sign);
    return fused(env, f, sign, a, b, c);
}

uint32_t fp_mul32(struct fp_env *env, uint32_t a, uint32_t b)
{
    return (uint32_t)mul(env, FP_SINGLE, a, b);
}
uint64_t fp_mul64(struct fp_env *env, uint64_t a, uint64_t b)
{
    return mul(env, FP_DOUBLE, a, b);
}
uint32_t fp_fma32(struct fp_env *env, uint32_t a, uint32_t b, uint32_t c)
{
    return (uint32_t)fma_(env, FP_SINGLE, a, b, c, 0);
}
uint64_t fp_fma64(struct fp_env *env, uint64_t a, uint64_t b, uint64_t c)
{
    return fma_(env, FP_DOUBLE, a, b, c, 0);
}
uint32_t fp_fmaneg32(struct fp_env *env, uint32_t a, uint32_t b, uint32_t c, unsigned negate)
{
    return (uint32_t)fma_(env, FP_SINGLE, a, b, c, negate);
}
uint64_t fp_fmaneg64(struct fp_env *env, uint64_t a, uint64_t b, uint64_t c, unsigned negate)
{
    return fma_(env, FP_DOUBLE, a, b, c, negate);
}
