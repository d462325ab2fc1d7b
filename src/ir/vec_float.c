/* Vector rows: floating point of SSE, AVX, FMA and F16C. They follow the rules of x86. */
#include "ir/vec_lanes.h"

#include "fp/soft.h"

#define BINARY(name, function)                                                                     \
    EACH2(name##32, u32, function##32(k->fp, a, b))                                                \
    EACH2(name##64, u64, function##64(k->fp, a, b))
BINARY(fadd, fp_add)
BINARY(fsub, fp_sub)
BINARY(fmul, fp_mul)
BINARY(fdiv, fp_div)
BINARY(fminx, fp_minx)
BINARY(fmaxx, fp_maxx)
EACH1(fsqrt32, u32, fp_sqrt32(k->fp, a))
EACH1(fsqrt64, u64, fp_sqrt64(k->fp, a))
EACH1(frcpx32, u32, fp_rcpx32(a))
EACH1(frsqrtx32, u32, fp_rsqrtx32(a))

EACH_LANE(fhadd32_lane, u32, fp_add32(k->fp, JOINED(u32, 2 * n), JOINED(u32, 2 * n + 1)))
EACH_LANE(fhadd64_lane, u64, fp_add64(k->fp, JOINED(u64, 2 * n), JOINED(u64, 2 * n + 1)))
EACH_LANE(fhsub32_lane, u32, fp_sub32(k->fp, JOINED(u32, 2 * n), JOINED(u32, 2 * n + 1)))
EACH_LANE(fhsub64_lane, u64, fp_sub64(k->fp, JOINED(u64, 2 * n), JOINED(u64, 2 * n + 1)))
EACH2(faddsub32, u32, n & 1 ? fp_add32(k->fp, a, b) : fp_sub32(k->fp, a, b))
EACH2(faddsub64, u64, n & 1 ? fp_add64(k->fp, a, b) : fp_sub64(k->fp, a, b))
EACH2(fcmpm32, u32, fp_cmpm32(k->fp, a, b, k->imm & 31))
EACH2(fcmpm64, u64, fp_cmpm64(k->fp, a, b, k->imm & 31))

/* ---- dot products (Intel SDM 2A, DPPS: in which order the products are added) ---- */

static uint32_t product32(const struct vec_args *k, unsigned lane, unsigned n)
{
    return k->imm >> (4 + n) & 1 ? fp_mul32(k->fp, OF(k->a, u32, n), OF(k->b, u32, n)) : 0;
}

/* Has one of the steps so far an exception that traps? Those after it are not done, and flags of
 * those before it stay. */
static bool traps(const struct vec_args *k)
{
    if (!k->fp->unmasked)
        return false;
    if (k->fp->flags & k->fp->unmasked)
        return true;
    k->fp->earlier = k->fp->flags;
    return false;
}

void vec_fdot32_lane(const struct vec_args *k)
{
    unsigned lanes = k->size / 16;
    uint32_t p[2][4], half[2][2], sum[2] = {0};
    for (unsigned lane = 0; lane < lanes; lane++)
        for (unsigned n = 0; n < 4; n++)
            p[lane][n] = product32(k, lane, n);
    for (unsigned lane = 0; lane < lanes && !traps(k); lane++)
        for (unsigned n = 0; n < 2; n++)
            half[lane][n] = fp_add32(k->fp, p[lane][2 * n], p[lane][2 * n + 1]);
    for (unsigned lane = 0; lane < lanes && !traps(k); lane++)
        sum[lane] = fp_add32(k->fp, half[lane][0], half[lane][1]);
    for (unsigned lane = 0; lane < lanes; lane++)
        for (unsigned n = 0; n < 4; n++)
            OF(k->d, u32, n) = k->imm >> n & 1 ? sum[lane] : 0;
}

void vec_fdot64(const struct vec_args *k)
{
    uint64_t p[2] = {0}, sum = 0;
    for (unsigned n = 0; n < 2; n++)
        if (k->imm >> (4 + n) & 1)
            p[n] = fp_mul64(k->fp, k->a->u64[n], k->b->u64[n]);
    if (!traps(k))
        sum = fp_add64(k->fp, p[0], p[1]);
    for (unsigned n = 0; n < 2; n++)
        k->d->u64[n] = k->imm >> n & 1 ? sum : 0;
}

/* ---- rounding and fused multiplication ---- */

/* As the instructions with an immediate have it: bit 2 is for the current mode. */
static enum fp_round round_of(unsigned imm)
{
    static const uint8_t modes[] = {FP_RN, FP_RM, FP_RP, FP_RZ};
    return imm & 4 ? FP_CURRENT : (enum fp_round)modes[imm & 3];
}

EACH1(fround32, u32, fp_round32(k->fp, a, round_of(k->imm), k->imm & 8))
EACH1(fround64, u64, fp_round64(k->fp, a, round_of(k->imm), k->imm & 8))

/* NEGATE for the even elements and for the odd ones. */
#define FUSED(name, even, odd)                                                                     \
    EACH2(name##32, u32, fp_fmaneg32(k->fp, a, b, k->c->u32[n], n & 1 ? (odd) : (even)))           \
    EACH2(name##64, u64, fp_fmaneg64(k->fp, a, b, k->c->u64[n], n & 1 ? (odd) : (even)))
FUSED(fmadd, 0, 0)
FUSED(fmsub, FP_NEG_ADDEND, FP_NEG_ADDEND)
FUSED(fnmadd, FP_NEG_PRODUCT, FP_NEG_PRODUCT)
FUSED(fnmsub, FP_NEG_PRODUCT | FP_NEG_ADDEND, FP_NEG_PRODUCT | FP_NEG_ADDEND)
FUSED(fmaddsub, FP_NEG_ADDEND, 0)
FUSED(fmsubadd, 0, FP_NEG_ADDEND)

/* ---- conversions ---- */

#define CONVERT(name, to, n_to, from, expr)                                                        \
    void vec_##name(const struct vec_args *k)                                                      \
    {                                                                                              \
        for (unsigned n = 0; n < (n_to); n++) {                                                    \
            __typeof__(k->a->from[0]) a = k->a->from[n];                                           \
            k->d->to[n] = (__typeof__(k->d->to[0]))(expr);                                         \
        }                                                                                          \
    }
#define SIGNED(a) ((uint64_t)(int64_t)(a))
CONVERT(s32_to_f32, u32, COUNT(k, u32), s32, fp_fromint32(k->fp, SIGNED(a), true, 0, FP_CURRENT))
CONVERT(s32_to_f64, u64, COUNT(k, u64), s32, fp_fromint64(k->fp, SIGNED(a), true, 0, FP_CURRENT))
CONVERT(f32_to_s32, u32, COUNT(k, u32), u32, fp_toint32(k->fp, a, 32, true, 0, FP_CURRENT))
CONVERT(f32_to_s32_trunc, u32, COUNT(k, u32), u32, fp_toint32(k->fp, a, 32, true, 0, FP_RZ))
CONVERT(f64_to_s32, u32, COUNT(k, u64), u64, fp_toint64(k->fp, a, 32, true, 0, FP_CURRENT))
CONVERT(f64_to_s32_trunc, u32, COUNT(k, u64), u64, fp_toint64(k->fp, a, 32, true, 0, FP_RZ))
CONVERT(f32_to_f64, u64, COUNT(k, u64), u32, fp_32to64(k->fp, a))
CONVERT(f64_to_f32, u32, COUNT(k, u64), u64, fp_64to32(k->fp, a))

CONVERT(f16_to_f32, u32, COUNT(k, u32), u16, fp_16to32(k->fp, a))

void vec_f32_to_f16(const struct vec_args *k)
{
    struct fp_env env = *k->fp;
    enum fp_round round = round_of(k->imm);
    if (round != FP_CURRENT)
        env.round = (uint8_t)round;
    for (unsigned n = 0; n < COUNT(k, u32); n++)
        k->d->u16[n] = fp_32to16(&env, k->a->u32[n]);
    k->fp->flags = env.flags;
}
