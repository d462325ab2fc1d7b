/* fp/soft.h under x86 rules against the host's own instructions: random and special operands in all
 * rounding modes, with and without DAZ and FTZ; results and all six exception flags. */
#include <cpuid.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <immintrin.h>
#include "base/status.h"
#include "fp/soft.h"
#include "fp_operand.h"

#define ROUNDS_PER_OP 12000
#define MXCSR_MASKED  0x1f80u

/* clang-format off: one line for each instruction, one for each function of fp/soft.h */

static uint32_t raised;

/* INSN alone runs under the MXCSR of v[3]. */
#define UNDER(insn) "ldmxcsr %[csr]\n\t" insn "\n\tstmxcsr %[csr]\n\tldmxcsr %[masked]"

struct under {
    uint32_t csr, masked;
};
static struct under under_of(const uint64_t *v)
{
    return (struct under){(uint32_t)v[3], MXCSR_MASKED};
}
#define MODE       [csr] "+m"(u.csr)
#define MASKED     [masked] "m"(u.masked)
#define X(v)       _mm_cvtsi64_si128((long long)(v))
#define LOW(x)     (uint64_t) _mm_cvtsi128_si64(x)
#define HOST(name) static uint64_t host_##name(const uint64_t *v)
#define DONE(result)                                                                               \
    raised = u.csr & 0x3f;                                                                         \
    return result

#define HOST_BINARY(name, insn)                                                                    \
    HOST(name)                                                                                     \
    {                                                                                              \
        struct under u = under_of(v);                                                              \
        __m128i r, a = X(v[0]), b = X(v[1]);                                                       \
        __asm__ volatile(UNDER(insn " %[b], %[a], %[r]")                                           \
                         : [r] "=&x"(r), MODE                                                      \
                         : [a] "x"(a), [b] "x"(b), MASKED);                                        \
        DONE(LOW(r));                                                                              \
    }
#define HOST_UNARY(name, insn)                                                                     \
    HOST(name)                                                                                     \
    {                                                                                              \
        struct under u = under_of(v);                                                              \
        __m128i r, a = X(v[0]);                                                                    \
        __asm__ volatile(UNDER(insn " %[a], %[r]") : [r] "=&x"(r), MODE : [a] "x"(a), MASKED);     \
        DONE(LOW(r));                                                                              \
    }
#define HOST_FMA(name, form, x, y, z)                                                              \
    HOST(name)                                                                                     \
    {                                                                                              \
        struct under u = under_of(v);                                                              \
        __m128i r = X(v[x]), b = X(v[y]), c = X(v[z]);                                             \
        __asm__ volatile(UNDER(form " %[c], %[b], %[r]")                                           \
                         : [r] "+&x"(r), MODE                                                      \
                         : [b] "x"(b), [c] "x"(c), MASKED);                                        \
        DONE(LOW(r));                                                                              \
    }
#define HOST_TO_INT(name, insn, type)                                                              \
    HOST(name)                                                                                     \
    {                                                                                              \
        struct under u = under_of(v);                                                              \
        __m128i a = X(v[0]);                                                                       \
        type r;                                                                                    \
        __asm__ volatile(UNDER(insn " %[a], %[r]") : [r] "=&r"(r), MODE : [a] "x"(a), MASKED);     \
        DONE((uint64_t)(int64_t)r);                                                                \
    }
#define HOST_FROM_INT(name, insn, type)                                                            \
    HOST(name)                                                                                     \
    {                                                                                              \
        struct under u = under_of(v);                                                              \
        __m128i r = X(0);                                                                          \
        __asm__ volatile(UNDER(insn " %[a], %[r], %[r]")                                           \
                         : [r] "+&x"(r), MODE                                                      \
                         : [a] "r"((type)v[0]), MASKED);                                           \
        DONE(LOW(r));                                                                              \
    }
#define HOST_COMI(name, insn)                                                                      \
    HOST(name)                                                                                     \
    {                                                                                              \
        struct under u = under_of(v);                                                              \
        __m128i a = X(v[0]), b = X(v[1]);                                                          \
        uint64_t flags;                                                                            \
        __asm__ volatile(UNDER(insn " %[b], %[a]\n\tpushfq\n\tpop %[r]")                           \
                         : [r] "=&r"(flags), MODE                                                  \
                         : [a] "x"(a), [b] "x"(b), MASKED                                          \
                         : "cc");                                                                  \
        DONE(flags & 0x8d5);                                                                       \
    }
#define BOTH(kind, name, insn) kind(name##32, insn "ss") kind(name##64, insn "sd")
#define FMAS(name, insn)                                                                           \
    HOST_FMA(name##32_231, insn "231ss", 2, 0, 1)                                                  \
    HOST_FMA(name##64_231, insn "231sd", 2, 0, 1)                                                  \
    HOST_FMA(name##32_132, insn "132ss", 0, 2, 1)                                                  \
    HOST_FMA(name##64_132, insn "132sd", 0, 2, 1)                                                  \
    HOST_FMA(name##32_213, insn "213ss", 1, 0, 2)                                                  \
    HOST_FMA(name##64_213, insn "213sd", 1, 0, 2)

BOTH(HOST_BINARY, add, "vadd")
BOTH(HOST_BINARY, sub, "vsub")
BOTH(HOST_BINARY, mul, "vmul")
BOTH(HOST_BINARY, div, "vdiv")
BOTH(HOST_BINARY, min, "vmin")
BOTH(HOST_BINARY, max, "vmax")
BOTH(HOST_UNARY, sqrt, "sqrt")
HOST_UNARY(32to64, "cvtss2sd")
HOST_UNARY(64to32, "cvtsd2ss")
HOST_UNARY(16to32, "vcvtph2ps")
HOST_UNARY(32to16, "vcvtps2ph $4,")
HOST_UNARY(rcp, "rcpss")
HOST_UNARY(rsqrt, "rsqrtss")
FMAS(fma, "vfmadd")
FMAS(fms, "vfmsub")
FMAS(fnma, "vfnmadd")
FMAS(fnms, "vfnmsub")
BOTH(HOST_COMI, comi, "vcomi")
BOTH(HOST_COMI, ucomi, "vucomi")
HOST_TO_INT(32toi32, "cvtss2sil", int32_t)
HOST_TO_INT(32toi64, "cvtss2siq", int64_t)
HOST_TO_INT(64toi32, "cvtsd2sil", int32_t)
HOST_TO_INT(64toi64, "cvtsd2siq", int64_t)
HOST_TO_INT(32toi32t, "cvttss2sil", int32_t)
HOST_TO_INT(32toi64t, "cvttss2siq", int64_t)
HOST_TO_INT(64toi32t, "cvttsd2sil", int32_t)
HOST_TO_INT(64toi64t, "cvttsd2siq", int64_t)
HOST_FROM_INT(i32to32, "vcvtsi2ssl", uint32_t)
HOST_FROM_INT(i64to32, "vcvtsi2ssq", uint64_t)
HOST_FROM_INT(i32to64, "vcvtsi2sdl", uint32_t)
HOST_FROM_INT(i64to64, "vcvtsi2sdq", uint64_t)

#define SOFT(name, expr)                                                                           \
    static uint64_t soft_##name(struct fp_env *e, const uint64_t *v)                               \
    {                                                                                              \
        return expr;                                                                               \
    }
#define A               (uint32_t) v[0]
#define B               (uint32_t) v[1]
#define C               (uint32_t) v[2]
#define SOFT2(name, fn) SOFT(name##32, fn##32(e, A, B)) SOFT(name##64, fn##64(e, v[0], v[1]))
#define SOFT3(name, negate)                                                                        \
    SOFT(name##32, fp_fmaneg32(e, A, B, C, negate))                                                \
    SOFT(name##64, fp_fmaneg64(e, v[0], v[1], v[2], negate))
#define SIGNED32 (uint64_t)(int64_t)(int32_t)v[0]

SOFT2(add, fp_add)
SOFT2(sub, fp_sub)
SOFT2(mul, fp_mul)
SOFT2(div, fp_div)
SOFT2(min, fp_minx)
SOFT2(max, fp_maxx)
SOFT(sqrt32, fp_sqrt32(e, A))
SOFT(sqrt64, fp_sqrt64(e, v[0]))
SOFT(32to64, fp_32to64(e, A))
SOFT(64to32, fp_64to32(e, v[0]))
SOFT(16to32, fp_16to32(e, (uint16_t)v[0]))
SOFT(32to16, fp_32to16(e, A))
SOFT(rcp, ((void)e, fp_rcpx32(A)))
SOFT(rsqrt, ((void)e, fp_rsqrtx32(A)))
SOFT3(fma, 0)
SOFT3(fms, FP_NEG_ADDEND)
SOFT3(fnma, FP_NEG_PRODUCT)
SOFT3(fnms, FP_NEG_ADDEND | FP_NEG_PRODUCT)
SOFT(comi32, fp_comi32(e, A, B, true))
SOFT(comi64, fp_comi64(e, v[0], v[1], true))
SOFT(ucomi32, fp_comi32(e, A, B, false))
SOFT(ucomi64, fp_comi64(e, v[0], v[1], false))
SOFT(32toi32, fp_toint32(e, A, 32, true, 0, FP_CURRENT))
SOFT(32toi64, fp_toint32(e, A, 64, true, 0, FP_CURRENT))
SOFT(64toi32, fp_toint64(e, v[0], 32, true, 0, FP_CURRENT))
SOFT(64toi64, fp_toint64(e, v[0], 64, true, 0, FP_CURRENT))
SOFT(32toi32t, fp_toint32(e, A, 32, true, 0, FP_RZ))
SOFT(32toi64t, fp_toint32(e, A, 64, true, 0, FP_RZ))
SOFT(64toi32t, fp_toint64(e, v[0], 32, true, 0, FP_RZ))
SOFT(64toi64t, fp_toint64(e, v[0], 64, true, 0, FP_RZ))
SOFT(i32to32, fp_fromint32(e, SIGNED32, true, 0, FP_CURRENT))
SOFT(i64to32, fp_fromint32(e, v[0], true, 0, FP_CURRENT))
SOFT(i32to64, fp_fromint64(e, SIGNED32, true, 0, FP_CURRENT))
SOFT(i64to64, fp_fromint64(e, v[0], true, 0, FP_CURRENT))

/* The forms with an immediate: one function for each value. */
#define ROUND(n, mode, quiet)                                                                      \
    HOST_UNARY(round32_##n, "roundss $" #n ",")                                                    \
    HOST_UNARY(round64_##n, "roundsd $" #n ",")                                                    \
    SOFT(round32_##n, fp_round32(e, A, mode, quiet))                                               \
    SOFT(round64_##n, fp_round64(e, v[0], mode, quiet))
ROUND(0, FP_RN, false)
ROUND(1, FP_RM, false)
ROUND(2, FP_RP, false)
ROUND(3, FP_RZ, false)
ROUND(4, FP_CURRENT, false)
ROUND(8, FP_RN, true)
ROUND(9, FP_RM, true)
ROUND(10, FP_RP, true)
ROUND(11, FP_RZ, true)
ROUND(12, FP_CURRENT, true)

#define EACH_PREDICATE(_)                                                                          \
    _(0)                                                                                           \
    _(1) _(2) _(3) _(4) _(5) _(6) _(7) _(8) _(9) _(10) _(11) _(12) _(13) _(14) _(15) _(16) _(17)   \
        _(18) _(19) _(20) _(21) _(22) _(23) _(24) _(25) _(26) _(27) _(28) _(29) _(30) _(31)
#define PREDICATE(n)                                                                               \
    HOST_BINARY(cmp32_##n, "vcmpss $" #n ",")                                                      \
    HOST_BINARY(cmp64_##n, "vcmpsd $" #n ",")                                                      \
    SOFT(cmp32_##n, fp_cmpm32(e, A, B, n))                                                         \
    SOFT(cmp64_##n, fp_cmpm64(e, v[0], v[1], n))
EACH_PREDICATE(PREDICATE)

static const struct width INTEGER = {53, 10};

static const struct fp_op {
    const char *name;
    const struct width *in;
    unsigned bits; /* of the result */
    uint64_t (*soft)(struct fp_env *, const uint64_t *);
    uint64_t (*host)(const uint64_t *);
} ops[] = {
#define OP(name, in, bits)                                                                         \
    {                                                                                              \
#name, &in, bits, soft_##name, host_##name                                                 \
    }
#define TWO(name)        OP(name##32, SINGLE, 32), OP(name##64, DOUBLE, 64)
#define COMPARISON(name) OP(name##32, SINGLE, 32), OP(name##64, DOUBLE, 32)
#define FORM(name, in, bits, form)                                                                 \
    {                                                                                              \
#name #form, &in, bits, soft_##name, host_##name##_##form                                  \
    }
#define THREE(name)                                                                                \
    FORM(name##32, SINGLE, 32, 231), FORM(name##64, DOUBLE, 64, 231),                              \
        FORM(name##32, SINGLE, 32, 132), FORM(name##64, DOUBLE, 64, 132),                          \
        FORM(name##32, SINGLE, 32, 213), FORM(name##64, DOUBLE, 64, 213)
#define WITH(n)     OP(round32_##n, SINGLE, 32), OP(round64_##n, DOUBLE, 64)
#define COMPARED(n) OP(cmp32_##n, SINGLE, 32), OP(cmp64_##n, DOUBLE, 64),
    TWO(add),
    TWO(sub),
    TWO(mul),
    TWO(div),
    TWO(min),
    TWO(max),
    TWO(sqrt),
    OP(32to64, SINGLE, 64),
    OP(64to32, DOUBLE, 32),
    OP(16to32, HALF, 32),
    OP(32to16, SINGLE, 16),
    OP(rcp, SINGLE, 32),
    OP(rsqrt, SINGLE, 32),
    THREE(fma),
    THREE(fms),
    THREE(fnma),
    THREE(fnms),
    COMPARISON(comi),
    COMPARISON(ucomi),
    OP(32toi32, SINGLE, 64),
    OP(32toi64, SINGLE, 64),
    OP(64toi32, DOUBLE, 64),
    OP(64toi64, DOUBLE, 64),
    OP(32toi32t, SINGLE, 64),
    OP(32toi64t, SINGLE, 64),
    OP(64toi32t, DOUBLE, 64),
    OP(64toi64t, DOUBLE, 64),
    OP(i32to32, INTEGER, 32),
    OP(i64to32, INTEGER, 32),
    OP(i32to64, INTEGER, 64),
    OP(i64to64, INTEGER, 64),
    WITH(0),
    WITH(1),
    WITH(2),
    WITH(3),
    WITH(4),
    WITH(8),
    WITH(9),
    WITH(10),
    WITH(11),
    WITH(12),
    EACH_PREDICATE(COMPARED)
#undef OP
};

/* clang-format on */

/* Jcc's conditions, from the flags that the comparison gives. */
static void check_conditions(const struct fp_env *env, bool wide, const uint64_t *v, uint64_t flags)
{
    bool c = flags & 1, p = flags & 4, z = flags & 0x40;
    const bool want[16] = {0, 0, c, !c, z, !z, c || z, !c && !z, 0, 0, p, !p};
    static const uint8_t tested[] = {2, 3, 4, 5, 6, 7, 10, 11};
    for (unsigned n = 0; n < ARRAY_LEN(tested); n++) {
        unsigned cc = tested[n];
        if ((wide ? fp_cc64(env, v[0], v[1], cc) : fp_cc32(env, A, B, cc)) != want[cc])
            fail_msg("condition %u of %" PRIx64 " and %" PRIx64, cc, v[0], v[1]);
    }
}

static void check(const struct fp_op *op, const uint64_t *v)
{
    struct fp_env env;
    fp_env_set_mxcsr(&env, (uint32_t)v[3]);
    uint64_t want = op->host(v), mask = op->bits == 64 ? ~0ull : (1ull << op->bits) - 1;
    uint64_t got = op->soft(&env, v);
    uint32_t flags = fp_mxcsr_flags(env.flags);
    if ((got ^ want) & mask || flags != raised)
        fail_msg("%s under %x: %" PRIx64 " %" PRIx64 " %" PRIx64 " gives %" PRIx64
                 " flags %x, expected %" PRIx64 " flags %x",
                 op->name, (unsigned)v[3], v[0], v[1], v[2], got & mask, flags, want & mask,
                 raised);
    if (op->soft == soft_ucomi32 || op->soft == soft_ucomi64)
        check_conditions(&env, op->soft == soft_ucomi64, v, want);
}

/* Every combination of these, then random numbers. */
static uint64_t corner(struct width w, unsigned n)
{
    uint64_t sign = 1ull << (w.frac_bits + w.exp_bits), inf = exp_mask(w);
    uint64_t one = (inf >> 1) & inf, quiet = 1ull << (w.frac_bits - 1), low = 1ull << w.frac_bits;
    const uint64_t list[] = {0,       1,       quiet | 3, low - 1,         low,    low + 1, one,
                             one + 1, inf - 1, inf,       inf | quiet | 5, inf | 7};
    return list[n / 2 % ARRAY_LEN(list)] | (n & 1 ? sign : 0);
}
#define CORNERS 24u

static void under_all_modes(const struct fp_op *op, uint64_t *v)
{
    for (uint32_t round = 0; round < 4; round++)
        for (uint32_t flush = 0; flush < 4; flush++) {
            v[3] = MXCSR_MASKED | round << 13 | (flush & 1) << 6 | (flush >> 1) << 15;
            check(op, v);
        }
}

static void test_corners(void **state)
{
    (void)state;
    for (const struct fp_op *op = ops; op < ops + ARRAY_LEN(ops); op++)
        for (unsigned n = 0; n < CORNERS * CORNERS * CORNERS; n++) {
            uint64_t v[4] = {corner(*op->in, n % CORNERS), corner(*op->in, n / CORNERS % CORNERS),
                             corner(*op->in, n / CORNERS / CORNERS)};
            under_all_modes(op, v);
        }
}

static void test_random(void **state)
{
    (void)state;
    random_state = 6;
    for (const struct fp_op *op = ops; op < ops + ARRAY_LEN(ops); op++)
        for (unsigned n = 0; n < ROUNDS_PER_OP; n++) {
            uint64_t v[4];
            v[0] = operand(*op->in, random64());
            v[1] = random64() & 7 ? operand(*op->in, v[0]) : v[0];
            v[2] = operand(*op->in, random64() & 1 ? v[0] : v[1]);
            if (op->in == &INTEGER)
                v[0] >>= random64() % 64;
            under_all_modes(op, v);
        }
}

static void test_mxcsr(void **state)
{
    (void)state;
    for (uint32_t flags = 0; flags < 64; flags++) {
        struct fp_env env;
        fp_env_set_mxcsr(&env, MXCSR_MASKED | flags);
        assert_int_equal(fp_mxcsr_flags(env.flags), flags);
        assert_int_equal(fp_flags_of_mxcsr(flags), env.flags);
    }
}

/* Compilers do not name it alike. */
static bool has_f16c(void)
{
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && ecx & bit_F16C;
}

int main(void)
{
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !has_f16c())
        return 77;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_corners),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_mxcsr),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
