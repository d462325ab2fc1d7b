/* Addition and subtraction (FPAdd, FPSub, ARM DDI 0406C A2.7.8). */
#include "fp/core.h"

FP_CORE uint64_t sum(struct fp_env *env, struct fp_format f, struct fp_num a, struct fp_num b)
{
    if (a.cls == FP_INF || b.cls == FP_INF) {
        if (a.cls == b.cls && a.sign != b.sign)
            return fp_invalid(env, f);
        fp_used(env, a, b);
        return fp_inf(f, a.cls == FP_INF ? a.sign : b.sign);
    }
    fp_used(env, a, b);
    if (a.cls == FP_ZERO || b.cls == FP_ZERO) {
        if (a.cls == b.cls)
            return a.sign == b.sign ? fp_zero(f, a.sign) : fp_sum_zero(env, f);
        struct fp_num n = a.cls == FP_ZERO ? b : a;
        return fp_pack(env, f, env->round, n.sign, n.exp, n.frac);
    }
    if (a.exp < b.exp || (a.exp == b.exp && a.frac < b.frac)) {
        struct fp_num t = a;
        a = b;
        b = t;
    }
    /* One place to the right makes room for the carry; those bits are zero. */
    uint64_t x = a.frac >> 1, y = fp_jam64(b.frac >> 1, (unsigned)(a.exp - b.exp));
    uint64_t v = a.sign == b.sign ? x + y : x - y;
    return v ? fp_pack(env, f, env->round, a.sign, a.exp + 1, v) : fp_sum_zero(env, f);
}

FP_CORE uint64_t add(struct fp_env *env, struct fp_format f, uint64_t ab, uint64_t bb, bool negate)
{
    struct fp_num a = fp_unpack(env, f, ab), b = fp_unpack(env, f, bb);
    if (fp_is_nan(a) || fp_is_nan(b))
        return fp_nan2(env, f, a, b);
    b.sign ^= negate;
    return sum(env, f, a, b);
}

uint32_t fp_add32(struct fp_env *env, uint32_t a, uint32_t b)
{
    return (uint32_t)add(env, FP_SINGLE, a, b, false);
}
uint32_t fp_sub32(struct fp_env *env, uint32_t a, uint32_t b)
{
    return (uint32_t)add(env, FP_SINGLE, a, b, true);
}
uint64_t fp_add64(struct fp_env *env, uint64_t a, uint64_t b)
{
    return add(env, FP_DOUBLE, a, b, false);
}
uint64_t fp_sub64(struct fp_env *env, uint64_t a, uint64_t b)
{
    return add(env, FP_DOUBLE, a, b, true);
}
