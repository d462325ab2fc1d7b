/* Conversion to and from integers and fixed-point numbers (FPToFixed, FixedToFP, ARM DDI 0406C
 * A2.7.8). */
#include "fp/core.h"

FP_CORE enum fp_round resolve(const struct fp_env *env, enum fp_round round)
{
    return round == FP_CURRENT ? (enum fp_round)env->round : round;
}

/* The magnitude of a finite N times 2^FRACTION, cut to an integer. *REST is what was cut off, as a
 * fraction of 2^64. False when the integer has more than 64 bits. */
FP_CORE bool integer_part(struct fp_num n, unsigned fraction, uint64_t *whole, uint64_t *rest)
{
    int shift = 63 - (n.exp + (int)fraction);
    if (shift < 0)
        return false;
    *whole = shift < 64 ? n.frac >> shift : 0;
    if (shift == 0)
        *rest = 0;
    else
        *rest = shift < 64 ? n.frac << (64 - shift) : fp_jam64(n.frac, (unsigned)shift - 64);
    return true;
}

FP_CORE uint64_t to_integer(struct fp_env *env, struct fp_format f, uint64_t bits_in, unsigned bits,
                            bool is_signed, unsigned fraction, enum fp_round round)
{
    struct fp_num n = fp_unpack(env, f, bits_in);
    if (n.cls == FP_ZERO)
        return 0;
    if (fp_is_nan(n) && !fp_x86(env)) {
        env->flags |= FP_INVALID;
        return 0;
    }
    uint64_t ones = ~0ull >> (64 - bits);
    uint64_t limit = !is_signed ? (n.sign ? 0 : ones) : (ones >> 1) + n.sign;
    uint64_t whole, rest;
    bool fits = n.cls == FP_FINITE && integer_part(n, fraction, &whole, &rest);
    if (fits) {
        whole += fp_rounds_up(resolve(env, round), n.sign, whole & 1, rest, 1ull << 63);
        fits = whole <= limit;
    }
    if (!fits) {
        env->flags |= FP_INVALID;
        if (fp_x86(env))
            return is_signed ? ~(ones >> 1) : ones;
        whole = limit;
    } else if (rest) {
        env->flags |= FP_INEXACT;
    }
    return n.sign ? -whole : whole;
}

FP_CORE uint64_t from_integer(struct fp_env *env, struct fp_format f, uint64_t v, bool is_signed,
                              unsigned fraction, enum fp_round round)
{
    bool sign = is_signed && v >> 63;
    if (v == 0)
        return fp_zero(f, false);
    return fp_pack(env, f, resolve(env, round), sign, 63 - (int)fraction, sign ? -v : v);
}

uint64_t fp_toint32(struct fp_env *env, uint32_t a, unsigned bits, bool is_signed,
                    unsigned fraction, enum fp_round round)
{
    return to_integer(env, FP_SINGLE, a, bits, is_signed, fraction, round);
}
uint64_t fp_toint64(struct fp_env *env, uint64_t a, unsigned bits, bool is_signed,
                    unsigned fraction, enum fp_round round)
{
    return to_integer(env, FP_DOUBLE, a, bits, is_signed, fraction, round);
}
uint32_t fp_fromint32(struct fp_env *env, uint64_t v, bool is_signed, unsigned fraction,
                      enum fp_round round)
{
    return (uint32_t)from_integer(env, FP_SINGLE, v, is_signed, fraction, round);
}
uint64_t fp_fromint64(struct fp_env *env, uint64_t v, bool is_signed, unsigned fraction,
                      enum fp_round round)
{
    return from_integer(env, FP_DOUBLE, v, is_signed, fraction, round);
}
