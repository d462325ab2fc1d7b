/* The core under all operations of soft.h: numbers taken apart, and rounded and packed again.
 *
 * A finite number is frac / 2^63 * 2^exp with bit 63 of frac set, whatever its width, so that every
 * operation is written once; the format is a constant argument and folds away. Bits that fall off
 * the right are or-ed into bit 0 ("jammed"), which keeps every rounding decision exact because the
 * widest format leaves eleven bits below its last place. */
#ifndef FP_CORE_H
#define FP_CORE_H

#include "fp/soft.h"

typedef unsigned __int128 fp_u128;

struct fp_format {
    unsigned frac_bits, exp_bits;
};
#define FP_HALF   ((struct fp_format){10, 5})
#define FP_SINGLE ((struct fp_format){23, 8})
#define FP_DOUBLE ((struct fp_format){52, 11})

enum fp_class { FP_ZERO, FP_FINITE, FP_INF, FP_QNAN, FP_SNAN };

struct fp_num {
    enum fp_class cls;
    bool sign;
    bool denormal; /* one that x86 reports */
    int exp;       /* FP_FINITE only */
    uint64_t frac; /* FP_FINITE only, else 0 */
    uint64_t bits; /* as given */
};

#define FP_CORE static inline __attribute__((always_inline))

FP_CORE uint64_t fp_sign_bit(struct fp_format f, bool sign)
{
    return (uint64_t)sign << (f.frac_bits + f.exp_bits);
}
FP_CORE int fp_max_exp(struct fp_format f)
{
    return (1 << f.exp_bits) - 1;
}
FP_CORE int fp_bias(struct fp_format f)
{
    return (1 << (f.exp_bits - 1)) - 1;
}
FP_CORE uint64_t fp_zero(struct fp_format f, bool sign)
{
    return fp_sign_bit(f, sign);
}
FP_CORE uint64_t fp_inf(struct fp_format f, bool sign)
{
    return fp_sign_bit(f, sign) | (uint64_t)fp_max_exp(f) << f.frac_bits;
}
FP_CORE uint64_t fp_quiet_bit(struct fp_format f)
{
    return 1ull << (f.frac_bits - 1);
}
FP_CORE bool fp_x86(const struct fp_env *env)
{
    return env->rules == FP_RULES_X86;
}
FP_CORE uint64_t fp_default_nan(const struct fp_env *env, struct fp_format f)
{
    return fp_inf(f, fp_x86(env)) | fp_quiet_bit(f);
}
/* The default NaN, as the result of an invalid operation. */
FP_CORE uint64_t fp_invalid(struct fp_env *env, struct fp_format f)
{
    env->flags |= FP_INVALID;
    return fp_default_nan(env, f);
}
FP_CORE bool fp_is_nan(struct fp_num n)
{
    return n.cls >= FP_QNAN;
}

FP_CORE uint64_t fp_jam64(uint64_t v, unsigned shift)
{
    if (shift >= 64)
        return v != 0;
    return v >> shift | ((v & ((1ull << shift) - 1)) != 0);
}
FP_CORE fp_u128 fp_jam128(fp_u128 v, unsigned shift)
{
    if (shift >= 128)
        return v != 0;
    return v >> shift | ((v & (((fp_u128)1 << shift) - 1)) != 0);
}

/* x86 reports denormal operands unless the operation is invalid, gives a NaN or divides by zero
 * (Intel SDM 1 4.9.2): called once that is out of the question. */
FP_CORE void fp_used(struct fp_env *env, struct fp_num a, struct fp_num b)
{
    if (a.denormal || b.denormal)
        env->flags |= FP_DENORMAL;
}

/* FPUnpack (ARM DDI 0406C A2.7.8). Half precision is never flushed nor reported, and has neither
 * infinities nor NaNs in the alternative format. */
FP_CORE struct fp_num fp_unpack(struct fp_env *env, struct fp_format f, uint64_t bits)
{
    struct fp_num n = {.bits = bits, .sign = bits >> (f.frac_bits + f.exp_bits) & 1};
    uint64_t frac = bits & ((1ull << f.frac_bits) - 1);
    int biased = (int)(bits >> f.frac_bits) & fp_max_exp(f);

    if (biased == 0) {
        if (frac == 0)
            return n;
        if (f.exp_bits != 5 && env->flush) {
            env->flags |= FP_DENORMAL;
            return n;
        }
        if (f.exp_bits != 5 && env->daz)
            return n;
        n.denormal = f.exp_bits != 5 && fp_x86(env);
        int shift = __builtin_clzll(frac);
        n.cls = FP_FINITE;
        n.frac = frac << shift;
        n.exp = 1 - fp_bias(f) + 63 - (int)f.frac_bits - shift;
    } else if (biased == fp_max_exp(f) && !(f.exp_bits == 5 && env->ahp)) {
        n.cls = frac == 0 ? FP_INF : frac & fp_quiet_bit(f) ? FP_QNAN : FP_SNAN;
    } else {
        n.cls = FP_FINITE;
        n.frac = (frac | 1ull << f.frac_bits) << (63 - f.frac_bits);
        n.exp = biased - fp_bias(f);
    }
    return n;
}

/* Does the magnitude grow by one unit? REST is what lies below the last place, HALF a half of it.
 */
FP_CORE bool fp_rounds_up(enum fp_round round, bool sign, bool odd, uint64_t rest, uint64_t half)
{
    switch (round) {
    case FP_RN: return rest > half || (rest == half && odd);
    case FP_RA: return rest >= half;
    case FP_RP: return rest && !sign;
    case FP_RM: return rest && sign;
    default: return false;
    }
}

/* INEXACT: the result would be even with an exponent without bounds, which is what counts for an
 * overflow that traps. */
FP_CORE uint64_t fp_overflow(struct fp_env *env, struct fp_format f, enum fp_round round, bool sign,
                             bool inexact)
{
    if (f.exp_bits == 5 && env->ahp) {
        env->flags |= FP_INVALID;
        return fp_sign_bit(f, sign) | 0x7fff;
    }
    env->flags |= FP_OVERFLOW;
    if (inexact || !(env->unmasked & FP_OVERFLOW))
        env->flags |= FP_INEXACT;
    bool to_inf = round == FP_RN || round == FP_RA || round == (sign ? FP_RM : FP_RP);
    return fp_inf(f, sign) - !to_inf;
}

/* FPRound (A2.7.8): FRAC is not zero and need not be normalised. */
FP_CORE uint64_t fp_pack(struct fp_env *env, struct fp_format f, enum fp_round round, bool sign,
                         int exp, uint64_t frac)
{
    const unsigned low = 63 - f.frac_bits;
    const uint64_t half = 1ull << (low - 1), below = (1ull << low) - 1;
    int top = fp_max_exp(f) - !(f.exp_bits == 5 && env->ahp);
    int shift = __builtin_clzll(frac);
    frac <<= shift;
    exp -= shift;

    int biased = exp + fp_bias(f);
    bool tiny = biased < 1;
    if (tiny) {
        if (f.exp_bits != 5 && env->flush) {
            env->flags |= FP_UNDERFLOW;
            return fp_zero(f, sign);
        }
        if (env->tiny_after && biased == 0)
            tiny = frac < ~below || !fp_rounds_up(round, sign, true, frac & below, half);
        if (tiny && env->unmasked & FP_UNDERFLOW) {
            env->flags |= FP_UNDERFLOW | (frac & below ? FP_INEXACT : 0);
            return fp_zero(f, sign);
        }
        if (tiny && f.exp_bits != 5 && env->ftz) {
            env->flags |= FP_UNDERFLOW | FP_INEXACT;
            return fp_zero(f, sign);
        }
        frac = fp_jam64(frac, (unsigned)(1 - biased));
        biased = 1; /* the hidden bit is missing, which makes the packed exponent 0 */
    }
    if (biased > top)
        return fp_overflow(env, f, round, sign, frac & below);

    uint64_t rest = frac & below;
    uint64_t kept = frac >> low;
    kept += fp_rounds_up(round, sign, kept & 1, rest, half);
    uint64_t bits = ((uint64_t)(biased - 1) << f.frac_bits) + kept;
    if (bits >> f.frac_bits > (uint64_t)top)
        return fp_overflow(env, f, round, sign, rest);
    if (rest)
        env->flags |= FP_INEXACT | (tiny ? FP_UNDERFLOW : 0);
    return fp_sign_bit(f, sign) | bits;
}

/* As fp_pack for V / 2^126 * 2^exp; V is not zero. */
FP_CORE uint64_t fp_pack128(struct fp_env *env, struct fp_format f, bool sign, int exp, fp_u128 v)
{
    uint64_t high = (uint64_t)(v >> 64);
    int shift = high ? __builtin_clzll(high) : 64 + __builtin_clzll((uint64_t)v);
    v <<= shift;
    return fp_pack(env, f, env->round, sign, exp + 1 - shift,
                   (uint64_t)(v >> 64) | ((uint64_t)v != 0));
}

/* The zero that an exact sum of opposite numbers gives. */
FP_CORE uint64_t fp_sum_zero(const struct fp_env *env, struct fp_format f)
{
    return fp_zero(f, env->round == FP_RM);
}

/* FPProcessNaN. */
FP_CORE uint64_t fp_quiet(struct fp_env *env, struct fp_format f, struct fp_num n)
{
    if (n.cls == FP_SNAN)
        env->flags |= FP_INVALID;
    return env->default_nan ? fp_default_nan(env, f) : n.bits | fp_quiet_bit(f);
}
/* FPProcessNaNs; one of the operands is a NaN. x86: Intel SDM 1 table 4-7. */
FP_CORE uint64_t fp_nan2(struct fp_env *env, struct fp_format f, struct fp_num a, struct fp_num b)
{
    if (fp_x86(env)) {
        if (b.cls == FP_SNAN)
            env->flags |= FP_INVALID;
        return fp_quiet(env, f, fp_is_nan(a) ? a : b);
    }
    if (a.cls == FP_SNAN || (b.cls != FP_SNAN && a.cls == FP_QNAN))
        return fp_quiet(env, f, a);
    return fp_quiet(env, f, b);
}
/* FPProcessNaNs3; one of the operands is a NaN. */
FP_CORE uint64_t fp_nan3(struct fp_env *env, struct fp_format f, struct fp_num a, struct fp_num b,
                         struct fp_num c)
{
    if (fp_x86(env)) {
        if (b.cls == FP_SNAN || c.cls == FP_SNAN)
            env->flags |= FP_INVALID;
        return fp_quiet(env, f, fp_is_nan(a) ? a : fp_is_nan(b) ? b : c);
    }
    if (a.cls == FP_SNAN || (b.cls != FP_SNAN && c.cls != FP_SNAN && a.cls == FP_QNAN))
        return fp_quiet(env, f, a);
    return fp_is_nan(b) || fp_is_nan(c) ? fp_nan2(env, f, b, c) : fp_quiet(env, f, a);
}

/* Outcomes of a comparison, as bits of a set. */
enum fp_order { FP_LESS = 1, FP_EQUAL = 2, FP_GREATER = 4, FP_UNORDERED = 8 };

FP_CORE enum fp_order fp_order(struct fp_env *env, struct fp_format f, uint64_t ab, uint64_t bb,
                               bool signaling)
{
    struct fp_num a = fp_unpack(env, f, ab), b = fp_unpack(env, f, bb);
    if (fp_is_nan(a) || fp_is_nan(b)) {
        if (signaling || a.cls == FP_SNAN || b.cls == FP_SNAN)
            env->flags |= FP_INVALID;
        return FP_UNORDERED;
    }
    fp_used(env, a, b);
    if (a.cls == FP_ZERO && b.cls == FP_ZERO)
        return FP_EQUAL;
    if (a.cls == FP_ZERO)
        return b.sign ? FP_GREATER : FP_LESS;
    if (b.cls == FP_ZERO || a.sign != b.sign)
        return a.sign ? FP_LESS : FP_GREATER;
    if (a.bits == b.bits)
        return FP_EQUAL;
    return (a.bits < b.bits) != a.sign ? FP_LESS : FP_GREATER;
}

#endif
