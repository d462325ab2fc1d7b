/* fp/soft.h against the host's SSE, FMA and F16C units: random and special operands in all four
 * rounding modes, results and flags. Where the architectures differ (which NaN is passed on) the
 * expected value follows the ARM rule; tininess is tested with both rules. */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fenv.h>
#include <immintrin.h>
#include "base/status.h"
#include "fp/soft.h"
#include "fp_operand.h"

#define ROUNDS_PER_OP 60000

/* ---- the host's unit ---- */

#define MXCSR_MASKED 0x1f80u

static uint32_t mxcsr_of(unsigned round)
{
    static const uint8_t rc[] = {[FP_RN] = 0, [FP_RP] = 2, [FP_RM] = 1, [FP_RZ] = 3};
    return MXCSR_MASKED | (uint32_t)rc[round] << 13;
}

static uint32_t flags_of(uint32_t mxcsr)
{
    return (mxcsr & 1 ? FP_INVALID : 0) | (mxcsr & 4 ? FP_DIVZERO : 0) |
           (mxcsr & 8 ? FP_OVERFLOW : 0) | (mxcsr & 16 ? FP_UNDERFLOW : 0) |
           (mxcsr & 32 ? FP_INEXACT : 0);
}

static void load_mxcsr(uint32_t v)
{
    __asm__ volatile("ldmxcsr %0" ::"m"(v));
}
static uint32_t store_mxcsr(void)
{
    uint32_t v;
    __asm__ volatile("stmxcsr %0" : "=m"(v));
    return v;
}

#define XMM(v) _mm_cvtsi64_si128((long long)(v))
#define HOST_BINARY(name, insn)                                                                    \
    static uint64_t host_##name(const uint64_t *v)                                                 \
    {                                                                                              \
        __m128i a = XMM(v[0]), b = XMM(v[1]);                                                      \
        __asm__ volatile(insn " %1, %0" : "+x"(a) : "x"(b));                                       \
        return (uint64_t)_mm_cvtsi128_si64(a);                                                     \
    }
#define HOST_UNARY(name, insn)                                                                     \
    static uint64_t host_##name(const uint64_t *v)                                                 \
    {                                                                                              \
        __m128i a = XMM(v[0]), r = XMM(0);                                                         \
        __asm__ volatile(insn " %1, %0" : "+x"(r) : "x"(a));                                       \
        return (uint64_t)_mm_cvtsi128_si64(r);                                                     \
    }
#define HOST_FMA(name, insn)                                                                       \
    static uint64_t host_##name(const uint64_t *v)                                                 \
    {                                                                                              \
        __m128i a = XMM(v[0]), b = XMM(v[1]), c = XMM(v[2]);                                       \
        __asm__ volatile(insn " %2, %1, %0" : "+x"(a) : "x"(b), "x"(c));                           \
        return (uint64_t)_mm_cvtsi128_si64(a);                                                     \
    }
#define HOST_COMPARE(name, insn)                                                                   \
    static uint64_t host_##name(const uint64_t *v)                                                 \
    {                                                                                              \
        __m128i a = XMM(v[0]), b = XMM(v[1]);                                                      \
        uint8_t z, p, c;                                                                           \
        __asm__ volatile(insn " %4, %3\n\tsetz %0\n\tsetp %1\n\tsetc %2"                           \
                         : "=q"(z), "=q"(p), "=q"(c)                                               \
                         : "x"(a), "x"(b)                                                          \
                         : "cc");                                                                  \
        return p ? 3 : z ? 6 : c ? 8 : 2;                                                          \
    }

HOST_BINARY(add32, "addss")
HOST_BINARY(sub32, "subss") HOST_BINARY(mul32, "mulss") HOST_BINARY(div32, "divss")
    HOST_BINARY(add64, "addsd") HOST_BINARY(sub64, "subsd") HOST_BINARY(mul64, "mulsd") HOST_BINARY(
        div64, "divsd") HOST_UNARY(sqrt32, "sqrtss") HOST_UNARY(sqrt64, "sqrtsd")
        HOST_UNARY(32to64, "cvtss2sd") HOST_UNARY(64to32, "cvtsd2ss") HOST_UNARY(
            16to32, "vcvtph2ps") HOST_UNARY(32to16, "vcvtps2ph $4,") HOST_FMA(fma32, "vfmadd213ss")
            HOST_FMA(fma64, "vfmadd213sd") HOST_COMPARE(cmp32, "ucomiss") HOST_COMPARE(
                cmp64, "ucomisd") HOST_COMPARE(cmpe32, "comiss") HOST_COMPARE(cmpe64, "comisd")

#define SOFT(name, expr)                                                                           \
    static uint64_t soft_##name(struct fp_env *e, const uint64_t *v)                               \
    {                                                                                              \
        return expr;                                                                               \
    }
#define A32 (uint32_t) v[0]
#define B32 (uint32_t) v[1]
#define C32 (uint32_t) v[2]
                SOFT(add32, fp_add32(e, A32, B32)) SOFT(sub32, fp_sub32(e, A32, B32))
                    SOFT(mul32, fp_mul32(e, A32, B32)) SOFT(div32, fp_div32(e, A32, B32)) SOFT(
                        sqrt32, fp_sqrt32(e, A32)) SOFT(fma32, fp_fma32(e, A32, B32, C32))
                        SOFT(add64, fp_add64(e, v[0], v[1])) SOFT(sub64, fp_sub64(e, v[0], v[1]))
                            SOFT(mul64,
                                 fp_mul64(e, v[0], v[1])) SOFT(div64, fp_div64(e, v[0], v[1]))
                                SOFT(sqrt64, fp_sqrt64(e, v[0]))
                                    SOFT(fma64, fp_fma64(e, v[0], v[1], v[2]))
                                        SOFT(cmp32, fp_cmp32(e, A32, B32, false))
                                            SOFT(cmp64, fp_cmp64(e, v[0], v[1], false))
                                                SOFT(cmpe32, fp_cmp32(e, A32, B32, true))
                                                    SOFT(cmpe64, fp_cmp64(e, v[0], v[1], true))
                                                        SOFT(32to64, fp_32to64(e, A32))
                                                            SOFT(64to32, fp_64to32(e, v[0]))
                                                                SOFT(16to32,
                                                                     fp_16to32(e, (uint16_t)v[0]))
                                                                    SOFT(32to16, fp_32to16(e, A32))

                                                                        enum kind {
                                                                            ARITHMETIC,
                                                                            FUSED,
                                                                            COMPARE,
                                                                            CONVERT
                                                                        };

static const struct fp_op {
    const char *name;
    enum kind kind;
    unsigned nargs;
    const struct width *in, *out;
    uint64_t (*soft)(struct fp_env *, const uint64_t *);
    uint64_t (*host)(const uint64_t *);
} ops[] = {
#define OP(name, kind, nargs, in, out)                                                             \
    {                                                                                              \
#name, kind, nargs, &in, &out, soft_##name, host_##name                                    \
    }
    OP(add32, ARITHMETIC, 2, SINGLE, SINGLE),  OP(sub32, ARITHMETIC, 2, SINGLE, SINGLE),
    OP(mul32, ARITHMETIC, 2, SINGLE, SINGLE),  OP(div32, ARITHMETIC, 2, SINGLE, SINGLE),
    OP(sqrt32, ARITHMETIC, 1, SINGLE, SINGLE), OP(fma32, FUSED, 3, SINGLE, SINGLE),
    OP(add64, ARITHMETIC, 2, DOUBLE, DOUBLE),  OP(sub64, ARITHMETIC, 2, DOUBLE, DOUBLE),
    OP(mul64, ARITHMETIC, 2, DOUBLE, DOUBLE),  OP(div64, ARITHMETIC, 2, DOUBLE, DOUBLE),
    OP(sqrt64, ARITHMETIC, 1, DOUBLE, DOUBLE), OP(fma64, FUSED, 3, DOUBLE, DOUBLE),
    OP(cmp32, COMPARE, 2, SINGLE, SINGLE),     OP(cmp64, COMPARE, 2, DOUBLE, DOUBLE),
    OP(cmpe32, COMPARE, 2, SINGLE, SINGLE),    OP(cmpe64, COMPARE, 2, DOUBLE, DOUBLE),
    OP(32to64, CONVERT, 1, SINGLE, DOUBLE),    OP(64to32, CONVERT, 1, DOUBLE, SINGLE),
    OP(16to32, CONVERT, 1, HALF, SINGLE),      OP(32to16, CONVERT, 1, SINGLE, HALF),
#undef OP
};

/* ---- what ARM gives where x86 gives some NaN ---- */

static uint64_t default_nan(struct width w)
{
    return exp_mask(w) | 1ull << (w.frac_bits - 1);
}

static bool inf_times_zero(struct width w, const uint64_t *v)
{
    uint64_t a = v[0] & mask_of(w) >> 1, b = v[1] & mask_of(w) >> 1;
    return (a == exp_mask(w) && b == 0) || (a == 0 && b == exp_mask(w));
}

static void expect_nan(const struct fp_op *op, const uint64_t *v, uint64_t *value, uint32_t *flags)
{
    struct width w = *op->in;
    /* The addend is the first operand of FPProcessNaNs3. */
    uint64_t order[3] = {v[0], v[1], v[2]};
    if (op->kind == FUSED) {
        order[0] = v[2], order[1] = v[0], order[2] = v[1];
        if (inf_times_zero(w, v) && !is_snan(w, v[2])) {
            *value = default_nan(w);
            *flags = FP_INVALID;
            return;
        }
    }
    *value = default_nan(*op->out);
    for (int pass = 0; pass < 2; pass++) {
        for (unsigned i = 0; i < op->nargs; i++) {
            if (pass == 0 ? !is_snan(w, order[i]) : !is_nan(w, order[i]))
                continue;
            uint64_t frac = order[i] << (64 - w.frac_bits) >> (64 - op->out->frac_bits);
            uint64_t sign = order[i] >> (w.frac_bits + w.exp_bits) & 1;
            *value |= frac | sign << (op->out->frac_bits + op->out->exp_bits);
            return;
        }
    }
}

static void expect(const struct fp_op *op, const uint64_t *v, unsigned round, uint64_t *value,
                   uint32_t *flags)
{
    load_mxcsr(mxcsr_of(round));
    *value = op->host(v);
    *flags = flags_of(store_mxcsr());
    load_mxcsr(MXCSR_MASKED);
    if (op->kind == COMPARE)
        return;
    *value &= mask_of(*op->out);
    if (is_nan(*op->out, *value))
        expect_nan(op, v, value, flags);
}

static void check(const struct fp_op *op, const uint64_t *v, const struct fp_env *env, uint64_t got,
                  uint64_t value, uint32_t flags)
{
    if (got != value || env->flags != flags)
        fail_msg("%s round %u flush %u: %" PRIx64 " %" PRIx64 " %" PRIx64 " gives %" PRIx64
                 " flags %x, expected %" PRIx64 " flags %x",
                 op->name, env->round, env->flush, v[0], v[1], v[2], got, env->flags, value, flags);
}

static void draw(const struct fp_op *op, uint64_t *v)
{
    v[0] = operand(*op->in, random64());
    v[1] = operand(*op->in, v[0]);
    v[2] = operand(*op->in, random64() & 1 ? v[0] : v[1]);
    if (op->kind == COMPARE && (random64() & 3) == 0)
        v[1] = v[0];
}

static void test_host(void **state)
{
    (void)state;
    random_state = 1;
    for (const struct fp_op *op = ops; op < ops + ARRAY_LEN(ops); op++) {
        for (unsigned i = 0; i < ROUNDS_PER_OP; i++) {
            uint64_t v[3], value;
            uint32_t flags;
            draw(op, v);
            for (unsigned round = 0; round < 4; round++) {
                struct fp_env env = {.round = (uint8_t)round, .tiny_after = 1};
                expect(op, v, round, &value, &flags);
                uint64_t got = op->soft(&env, v);
                check(op, v, &env, got, value, flags);
            }
        }
    }
}

/* Tininess before rounding: the exact result is below the least normal number, which is so when
 * the result rounded towards zero is. */
static void test_tiny_before(void **state)
{
    (void)state;
    random_state = 2;
    for (const struct fp_op *op = ops; op < ops + ARRAY_LEN(ops); op++) {
        if (op->kind == COMPARE)
            continue;
        for (unsigned i = 0; i < ROUNDS_PER_OP; i++) {
            uint64_t v[3], value, cut;
            uint32_t flags, cut_flags;
            draw(op, v);
            expect(op, v, FP_RZ, &cut, &cut_flags);
            bool tiny = !(cut & exp_mask(*op->out)) && (cut_flags & FP_INEXACT);
            for (unsigned round = 0; round < 4; round++) {
                struct fp_env env = {.round = (uint8_t)round};
                expect(op, v, round, &value, &flags);
                flags = (flags & ~(uint32_t)FP_UNDERFLOW) | (tiny ? FP_UNDERFLOW : 0);
                uint64_t got = op->soft(&env, v);
                check(op, v, &env, got, value, flags);
            }
        }
    }
}

/* Flush to zero: inputs first, then the result when it is tiny before rounding. */
static void test_flush(void **state)
{
    (void)state;
    random_state = 3;
    for (const struct fp_op *op = ops; op < ops + ARRAY_LEN(ops); op++) {
        for (unsigned i = 0; i < ROUNDS_PER_OP; i++) {
            uint64_t v[3], z[3], value, cut;
            uint32_t flags, cut_flags, denormal = 0;
            draw(op, v);
            for (unsigned k = 0; k < 3; k++) {
                bool flushed = op->in != &HALF && is_denormal(*op->in, v[k]);
                z[k] = flushed ? v[k] & ~(mask_of(*op->in) >> 1) : v[k];
                denormal |= flushed && k < op->nargs ? FP_DENORMAL : 0;
            }
            expect(op, z, FP_RZ, &cut, &cut_flags);
            bool tiny = op->kind != COMPARE && op->out != &HALF && !(cut & exp_mask(*op->out)) &&
                        ((cut_flags & FP_INEXACT) || is_denormal(*op->out, cut));
            bool half_tiny =
                op->out == &HALF && !(cut & exp_mask(HALF)) && (cut_flags & FP_INEXACT);
            for (unsigned round = 0; round < 4; round++) {
                struct fp_env env = {.round = (uint8_t)round, .flush = 1};
                expect(op, z, round, &value, &flags);
                flags &= ~(uint32_t)FP_UNDERFLOW;
                if (half_tiny)
                    flags |= FP_UNDERFLOW;
                if (tiny) {
                    value = cut & ~(mask_of(*op->out) >> 1);
                    flags = FP_UNDERFLOW;
                }
                uint64_t got = op->soft(&env, v);
                check(op, v, &env, got, value, flags | denormal);
            }
        }
    }
}

/* ---- integers and fixed point, against the 64-bit significands of long double ---- */

static const int host_round[] = {
    [FP_RN] = FE_TONEAREST, [FP_RP] = FE_UPWARD, [FP_RM] = FE_DOWNWARD, [FP_RZ] = FE_TOWARDZERO};

static long double value_of(struct width w, uint64_t v)
{
    union {
        uint32_t i;
        float f;
    } single = {.i = (uint32_t)v};
    union {
        uint64_t i;
        double f;
    } wide = {.i = v};
    return w.frac_bits == 23 ? (long double)single.f : (long double)wide.f;
}

static uint64_t expect_integer(long double v, unsigned bits, bool is_signed, unsigned fraction,
                               unsigned round, uint32_t *flags)
{
    uint64_t ones = ~0ull >> (64 - bits), limit = signbit(v) ? (is_signed ? (ones >> 1) + 1 : 0)
                                                             : (is_signed ? ones >> 1 : ones);
    if (isnan(v)) {
        *flags = FP_INVALID;
        return 0;
    }
    fesetround(host_round[round]);
    long double scaled = ldexpl(v, (int)fraction), whole = rintl(scaled);
    fesetround(FE_TONEAREST);
    if (fabsl(whole) > (long double)limit) {
        *flags = FP_INVALID;
        return signbit(v) ? -limit : limit;
    }
    *flags = whole == scaled ? 0 : FP_INEXACT;
    uint64_t magnitude = (uint64_t)fabsl(whole);
    return signbit(v) ? -magnitude : magnitude;
}

static void test_to_integer(void **state)
{
    (void)state;
    random_state = 4;
    for (unsigned i = 0; i < ROUNDS_PER_OP * 8; i++) {
        bool wide = i & 1, is_signed = i & 2;
        struct width w = wide ? DOUBLE : SINGLE;
        unsigned bits = 16u << (random64() % 3), fraction = (unsigned)(random64() % (bits + 1));
        if (i & 4)
            fraction = 0;
        uint64_t exp = (1u << (w.exp_bits - 1)) - 1 - fraction + random64() % (bits + 2);
        uint64_t v = operand(w, exp << w.frac_bits | random64() >> (64 - w.frac_bits));
        for (unsigned round = 0; round < 4; round++) {
            struct fp_env env = {.round = (uint8_t)round};
            uint32_t flags;
            uint64_t want =
                expect_integer(value_of(w, v), bits, is_signed, fraction, round, &flags);
            uint64_t got =
                wide ? fp_toint64(&env, v, bits, is_signed, fraction, FP_CURRENT)
                     : fp_toint32(&env, (uint32_t)v, bits, is_signed, fraction, FP_CURRENT);
            if (got != want || env.flags != flags)
                fail_msg("%u-bit %d integer of %" PRIx64 " fraction %u round %u: %" PRIx64
                         " flags %x, expected %" PRIx64 " flags %x",
                         bits, is_signed, v, fraction, round, got, env.flags, want, flags);
        }
    }
}

static void test_from_integer(void **state)
{
    (void)state;
    random_state = 5;
    for (unsigned i = 0; i < ROUNDS_PER_OP * 8; i++) {
        bool wide = i & 1, is_signed = i & 2;
        uint64_t v = operand(DOUBLE, 0) >> random64() % 64;
        unsigned fraction = (unsigned)(random64() % 33);
        if (random64() & 1)
            v = -v;
        for (unsigned round = 0; round < 4; round++) {
            struct fp_env env = {.round = (uint8_t)round};
            volatile long double exact = is_signed ? (long double)(int64_t)v : (long double)v;
            exact = ldexpl(exact, -(int)fraction);
            fesetround(host_round[round]);
            volatile float single = (float)exact;
            volatile double dbl = (double)exact;
            fesetround(FE_TONEAREST);
            uint64_t got = wide ? fp_fromint64(&env, v, is_signed, fraction, FP_CURRENT)
                                : fp_fromint32(&env, v, is_signed, fraction, FP_CURRENT);
            long double want = wide ? (long double)dbl : (long double)single;
            uint32_t flags = want == exact ? 0 : FP_INEXACT;
            if (value_of(wide ? DOUBLE : SINGLE, got) != want || env.flags != flags ||
                (v == 0 && got != 0))
                fail_msg("number of %" PRIx64 " signed %d fraction %u round %u: %" PRIx64
                         " flags %x",
                         v, is_signed, fraction, round, got, env.flags);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_host),         cmocka_unit_test(test_tiny_before),
        cmocka_unit_test(test_flush),        cmocka_unit_test(test_to_integer),
        cmocka_unit_test(test_from_integer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
