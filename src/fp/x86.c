/* Operations that only x86 has, and its MXCSR (Intel SDM 1 10.2.3, 2A and 2B by name). */
#include "fp/core.h"

/* ---- comparisons ---- */

enum { CF = 1, PF = 4, ZF = 0x40 };

static uint32_t eflags(enum fp_order order)
{
    switch (order) {
    case FP_LESS: return CF;
    case FP_EQUAL: return ZF;
    case FP_GREATER: return 0;
    default: return ZF | PF | CF;
    }
}

/* SDM 1 appendix B; SF and OF are 0 after a comparison. */
static bool condition(enum fp_order order, unsigned cc)
{
    uint32_t flags = eflags(order);
    bool holds;
    switch (cc >> 1) {
    case 1: holds = flags & CF; break;
    case 2:
    case 7: holds = flags & ZF; break;
    case 3: holds = flags & (CF | ZF); break;
    case 5: holds = flags & PF; break;
    default: holds = false; break;
    }
    return holds != (cc & 1);
}

/* The outcomes for which predicates 0..15 hold (SDM 2A, CMPPD, table 3-1). */
static const uint8_t predicates[16] = {
    FP_EQUAL,
    FP_LESS,
    FP_LESS | FP_EQUAL,
    FP_UNORDERED,
    15 - FP_EQUAL,
    15 - FP_LESS,
    15 - FP_LESS - FP_EQUAL,
    15 - FP_UNORDERED,
    FP_EQUAL | FP_UNORDERED,
    FP_LESS | FP_UNORDERED,
    15 - FP_GREATER,
    0,
    FP_LESS | FP_GREATER,
    FP_EQUAL | FP_GREATER,
    FP_GREATER,
    15,
};

FP_CORE uint64_t mask(struct fp_env *env, struct fp_format f, uint64_t a, uint64_t b, unsigned p)
{
    bool orders =
        (p & 3) == 1 || (p & 3) == 2; /* these signal, and of those with bit 4 the others */
    unsigned out = fp_order(env, f, a, b, orders != (p >> 4 & 1));
    return predicates[p & 15] & out ? ~0ull : 0;
}

uint32_t fp_comi32(struct fp_env *env, uint32_t a, uint32_t b, bool signaling)
{
    return eflags(fp_order(env, FP_SINGLE, a, b, signaling));
}
uint32_t fp_comi64(struct fp_env *env, uint64_t a, uint64_t b, bool signaling)
{
    return eflags(fp_order(env, FP_DOUBLE, a, b, signaling));
}
bool fp_cc32(const struct fp_env *env, uint32_t a, uint32_t b, unsigned cc)
{
    struct fp_env copy = *env;
    return condition(fp_order(&copy, FP_SINGLE, a, b, false), cc);
}
bool fp_cc64(const struct fp_env *env, uint64_t a, uint64_t b, unsigned cc)
{
    struct fp_env copy = *env;
    return condition(fp_order(&copy, FP_DOUBLE, a, b, false), cc);
}
uint32_t fp_cmpm32(struct fp_env *env, uint32_t a, uint32_t b, unsigned predicate)
{
    return (uint32_t)mask(env, FP_SINGLE, a, b, predicate);
}
uint64_t fp_cmpm64(struct fp_env *env, uint64_t a, uint64_t b, unsigned predicate)
{
    return mask(env, FP_DOUBLE, a, b, predicate);
}

/* ---- minimum and maximum ---- */

/* An operand as it is passed on: NaNs stay signalling. */
FP_CORE uint64_t passed(struct fp_env *env, struct fp_format f, uint64_t bits)
{
    struct fp_num n = fp_unpack(env, f, bits);
    return n.cls == FP_ZERO ? fp_zero(f, n.sign) : bits;
}

FP_CORE uint64_t choose(struct fp_env *env, struct fp_format f, uint64_t a, uint64_t b,
                        unsigned first)
{
    return passed(env, f, fp_order(env, f, a, b, true) == first ? a : b);
}

uint32_t fp_minx32(struct fp_env *env, uint32_t a, uint32_t b)
{
    return (uint32_t)choose(env, FP_SINGLE, a, b, FP_LESS);
}
uint32_t fp_maxx32(struct fp_env *env, uint32_t a, uint32_t b)
{
    return (uint32_t)choose(env, FP_SINGLE, a, b, FP_GREATER);
}
uint64_t fp_minx64(struct fp_env *env, uint64_t a, uint64_t b)
{
    return choose(env, FP_DOUBLE, a, b, FP_LESS);
}
uint64_t fp_maxx64(struct fp_env *env, uint64_t a, uint64_t b)
{
    return choose(env, FP_DOUBLE, a, b, FP_GREATER);
}

/* ---- rounding to integral numbers ---- */

/* Denormal operands are not reported (SDM 2B, ROUNDSS). */
FP_CORE uint64_t integral(struct fp_env *env, struct fp_format f, uint64_t bits,
                          enum fp_round round, bool quiet)
{
    struct fp_num n = fp_unpack(env, f, bits);
    if (fp_is_nan(n))
        return fp_quiet(env, f, n);
    if (n.cls == FP_ZERO)
        return fp_zero(f, n.sign);
    if (n.cls == FP_INF || n.exp >= (int)f.frac_bits)
        return bits;
    if (round == FP_CURRENT)
        round = (enum fp_round)env->round;
    unsigned shift = (unsigned)(63 - n.exp); /* of the fraction's point */
    uint64_t whole = shift < 64 ? n.frac >> shift : 0;
    uint64_t rest = shift < 64 ? n.frac << (64 - shift) : fp_jam64(n.frac, shift - 64);
    if (rest && !quiet)
        env->flags |= FP_INEXACT;
    whole += fp_rounds_up(round, n.sign, whole & 1, rest, 1ull << 63);
    return whole ? fp_pack(env, f, round, n.sign, 63, whole) : fp_zero(f, n.sign);
}

uint32_t fp_round32(struct fp_env *env, uint32_t a, enum fp_round round, bool quiet)
{
    return (uint32_t)integral(env, FP_SINGLE, a, round, quiet);
}
uint64_t fp_round64(struct fp_env *env, uint64_t a, enum fp_round round, bool quiet)
{
    return integral(env, FP_DOUBLE, a, round, quiet);
}

/* ---- MXCSR ---- */

void fp_env_set_mxcsr(struct fp_env *env, uint32_t mxcsr)
{
    static const uint8_t round[] = {FP_RN, FP_RM, FP_RP, FP_RZ};
    *env = (struct fp_env){
        .round = round[mxcsr >> 13 & 3],
        .rules = FP_RULES_X86,
        .tiny_after = 1,
        .daz = mxcsr >> 6 & 1,
        .ftz = mxcsr >> 15 & 1,
        .unmasked = (uint8_t)fp_flags_of_mxcsr(~mxcsr >> 7 & 0x3f),
        .flags = fp_flags_of_mxcsr(mxcsr),
    };
}
