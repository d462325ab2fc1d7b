/* Rows of special cases of fp/soft.h that the host's unit cannot show: default NaN, alternative
 * half precision, ties away from zero, the order in which NaNs are passed on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include "base/status.h"
#include "fp/soft.h"

#define INF32  0x7f800000u
#define QNAN32 0x7fc00000u /* the default NaN */
#define INF64  0x7ff0000000000000ull
#define QNAN64 0x7ff8000000000000ull

enum mode { PLAIN = 0, DN = 1, FZ = 2, AHP = 4, UP = 8, DOWN = 16, ZERO = 32 };

static struct fp_env env_of(unsigned mode)
{
    return (struct fp_env){
        .round = mode & UP     ? FP_RP
                 : mode & DOWN ? FP_RM
                 : mode & ZERO ? FP_RZ
                               : FP_RN,
        .default_nan = (mode & DN) != 0,
        .flush = (mode & FZ) != 0,
        .ahp = (mode & AHP) != 0,
    };
}

#define CHECK(mode, expr, value, flag_bits)                                                        \
    do {                                                                                           \
        struct fp_env env = env_of(mode), *e = &env;                                               \
        assert_int_equal(expr, value);                                                             \
        assert_int_equal(env.flags, flag_bits);                                                    \
    } while (0)

static void test_nan_order(void **state)
{
    (void)state;
    const uint32_t q1 = 0x7fc00001, q2 = 0xffc00002, s1 = 0x7f800003, s2 = 0xff800004;
    CHECK(PLAIN, fp_add32(e, q1, q2), q1, 0);
    CHECK(PLAIN, fp_add32(e, q1, s2), 0xffc00004, FP_INVALID);
    CHECK(PLAIN, fp_add32(e, s1, s2), 0x7fc00003, FP_INVALID);
    CHECK(PLAIN, fp_sub32(e, INF32, q2), q2, 0);
    CHECK(DN, fp_mul32(e, q2, q1), QNAN32, 0);
    CHECK(DN, fp_mul32(e, s2, q1), QNAN32, FP_INVALID);
    CHECK(PLAIN, fp_sqrt32(e, s2), 0xffc00004, FP_INVALID);
    /* a * b + c: the addend is looked at first. */
    CHECK(PLAIN, fp_fma32(e, q1, q2, 0x7fc00005), 0x7fc00005, 0);
    CHECK(PLAIN, fp_fma32(e, q1, s2, 0x7fc00005), 0xffc00004, FP_INVALID);
    CHECK(PLAIN, fp_fma32(e, q1, q2, 0), q1, 0);
    CHECK(PLAIN, fp_fma32(e, INF32, 0, 0x7fc00005), QNAN32, FP_INVALID);
    CHECK(PLAIN, fp_fma32(e, INF32, 0, 0x7f800005), 0x7fc00005, FP_INVALID);
    CHECK(PLAIN, fp_fma32(e, INF32, 0, 0x3f800000), QNAN32, FP_INVALID);
    CHECK(PLAIN, fp_fma64(e, INF64, 1ull << 63, QNAN64 | 7), QNAN64, FP_INVALID);
    CHECK(PLAIN, fp_32to64(e, s2), 0xfff8000080000000ull, FP_INVALID);
    CHECK(PLAIN, fp_64to32(e, 0xfff0000000000001ull), 0xffc00000, FP_INVALID);
    CHECK(DN, fp_64to32(e, 0xfff8000000000001ull), QNAN32, 0);
}

static void test_invalid(void **state)
{
    (void)state;
    CHECK(PLAIN, fp_sub32(e, INF32, INF32), QNAN32, FP_INVALID);
    CHECK(PLAIN, fp_mul64(e, INF64, 0), QNAN64, FP_INVALID);
    CHECK(PLAIN, fp_div64(e, 0, 1ull << 63), QNAN64, FP_INVALID);
    CHECK(PLAIN, fp_div32(e, 0xff800000, INF32), QNAN32, FP_INVALID);
    CHECK(PLAIN, fp_sqrt64(e, 0xbff0000000000000ull), QNAN64, FP_INVALID);
    CHECK(PLAIN, fp_sqrt64(e, 1ull << 63), 1ull << 63, 0);
    CHECK(PLAIN, fp_div32(e, 0xbf800000, 0), 0xff800000, FP_DIVZERO);
    CHECK(PLAIN, fp_div32(e, INF32, 0), INF32, 0);
    CHECK(PLAIN, fp_cmp32(e, QNAN32, 0, false), 3, 0);
    CHECK(PLAIN, fp_cmp32(e, QNAN32, 0, true), 3, FP_INVALID);
    CHECK(PLAIN, fp_cmp32(e, 0, 0x80000000, true), 6, 0);
}

static void test_zero_and_rounding(void **state)
{
    (void)state;
    CHECK(PLAIN, fp_sub32(e, 0x3f800000, 0x3f800000), 0, 0);
    CHECK(DOWN, fp_sub32(e, 0x3f800000, 0x3f800000), 0x80000000, 0);
    CHECK(DOWN, fp_add32(e, 0, 0x80000000), 0x80000000, 0);
    CHECK(DOWN, fp_add32(e, 0, 0), 0, 0);
    CHECK(DOWN, fp_fma32(e, 0x3f800000, 0x3f800000, 0xbf800000), 0x80000000, 0);
    CHECK(ZERO, fp_mul32(e, 0x7f7fffff, 0x7f7fffff), 0x7f7fffff, FP_OVERFLOW | FP_INEXACT);
    CHECK(UP, fp_mul32(e, 0xff7fffff, 0x7f7fffff), 0xff7fffff, FP_OVERFLOW | FP_INEXACT);
    CHECK(DOWN, fp_mul32(e, 0xff7fffff, 0x7f7fffff), 0xff800000, FP_OVERFLOW | FP_INEXACT);
    CHECK(UP, fp_mul32(e, 1, 1), 1, FP_UNDERFLOW | FP_INEXACT);
    /* 0x1.ffffffp-127 is tiny before rounding, though it rounds to the least normal number. */
    CHECK(PLAIN, fp_mul32(e, 0x00ffffff, 0x3f000000), 0x00800000, FP_UNDERFLOW | FP_INEXACT);
    CHECK(FZ, fp_mul32(e, 0x00ffffff, 0x3f000000), 0, FP_UNDERFLOW);
    CHECK(FZ, fp_mul32(e, 0x80ffffff, 0x3f000000), 0x80000000, FP_UNDERFLOW);
    CHECK(FZ, fp_add32(e, 0x80000001, 0x80000000), 0x80000000, FP_DENORMAL);
    CHECK(FZ, fp_cmp32(e, 1, 0x80000002, true), 6, FP_DENORMAL);
    CHECK(FZ, fp_add64(e, 1, QNAN64), QNAN64, FP_DENORMAL);
    CHECK(FZ, fp_div32(e, 0x3f800000, 1), INF32, FP_DENORMAL | FP_DIVZERO);
    CHECK(FZ, fp_toint32(e, 1, 32, true, 0, FP_RP), 0, FP_DENORMAL);
}

static void test_half(void **state)
{
    (void)state;
    CHECK(PLAIN, fp_16to32(e, 0x7c00), INF32, 0);
    CHECK(PLAIN, fp_16to32(e, 0xfc01), 0xffc02000, FP_INVALID);
    CHECK(DN, fp_16to32(e, 0xfe01), QNAN32, 0);
    CHECK(AHP, fp_16to32(e, 0x7c00), 0x47800000, 0);
    CHECK(AHP, fp_16to32(e, 0xffff), 0xc7ffe000, 0);
    CHECK(FZ, fp_16to32(e, 0x0001), 0x33800000, 0);
    CHECK(PLAIN, fp_32to16(e, 0x47800000), 0x7c00, FP_OVERFLOW | FP_INEXACT);
    CHECK(ZERO, fp_32to16(e, 0x47800000), 0x7bff, FP_OVERFLOW | FP_INEXACT);
    CHECK(AHP, fp_32to16(e, 0x47800000), 0x7c00, 0);
    CHECK(AHP, fp_32to16(e, 0xc7ffe000), 0xffff, 0);
    CHECK(AHP, fp_32to16(e, 0x47fff000), 0x7fff, FP_INVALID);
    CHECK(AHP, fp_32to16(e, 0x47ffe001), 0x7fff, FP_INEXACT);
    CHECK(AHP, fp_32to16(e, 0xff800000), 0xffff, FP_INVALID);
    CHECK(AHP, fp_32to16(e, 0xffc00000), 0x8000, FP_INVALID);
    CHECK(PLAIN, fp_32to16(e, 0xffc02000), 0xfe01, 0);
    CHECK(FZ, fp_32to16(e, 0x33800000), 0x0001, 0);
    CHECK(FZ, fp_32to16(e, 0x00000001), 0, FP_DENORMAL);
    CHECK(PLAIN, fp_32to16(e, 0x33000000), 0, FP_UNDERFLOW | FP_INEXACT);
}

static void test_integers(void **state)
{
    (void)state;
    const uint64_t half = 0x3fe0000000000000ull, three_halves = 0x3ff8000000000000ull;
    CHECK(PLAIN, fp_toint64(e, half, 32, true, 0, FP_RA), 1, FP_INEXACT);
    CHECK(PLAIN, fp_toint64(e, half, 32, true, 0, FP_RN), 0, FP_INEXACT);
    CHECK(PLAIN, fp_toint64(e, three_halves | 1ull << 63, 32, true, 0, FP_RA), (uint64_t)-2,
          FP_INEXACT);
    CHECK(PLAIN, fp_toint64(e, half | 1ull << 63, 32, false, 0, FP_RZ), 0, FP_INEXACT);
    CHECK(PLAIN, fp_toint64(e, half | 1ull << 63, 32, false, 0, FP_RM), 0, FP_INVALID);
    CHECK(PLAIN, fp_toint32(e, QNAN32, 32, true, 0, FP_RZ), 0, FP_INVALID);
    CHECK(PLAIN, fp_toint32(e, 0xff800000, 32, true, 0, FP_RZ), (uint64_t)INT32_MIN, FP_INVALID);
    CHECK(PLAIN, fp_toint32(e, 0xcf000000, 32, true, 0, FP_RZ), (uint64_t)INT32_MIN, 0);
    CHECK(PLAIN, fp_toint32(e, 0x4f000000, 32, true, 0, FP_RZ), INT32_MAX, FP_INVALID);
    CHECK(PLAIN, fp_toint32(e, 0x4f800000, 32, false, 0, FP_RZ), UINT32_MAX, FP_INVALID);
    CHECK(PLAIN, fp_toint32(e, 0x3f000000, 16, true, 16, FP_RZ), INT16_MAX, FP_INVALID);
    CHECK(PLAIN, fp_fromint32(e, 0x01000001, false, 0, FP_CURRENT), 0x4b800000, FP_INEXACT);
    CHECK(UP, fp_fromint32(e, 0x01000001, false, 0, FP_CURRENT), 0x4b800001, FP_INEXACT);
    CHECK(UP, fp_fromint32(e, 0x01000001, false, 0, FP_RN), 0x4b800000, FP_INEXACT);
    CHECK(PLAIN, fp_fromint64(e, (uint64_t)INT64_MIN, true, 0, FP_RN), 0xc3e0000000000000ull, 0);
    CHECK(PLAIN, fp_fromint32(e, 1, true, 32, FP_RN), 0x2f800000, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nan_order),         cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_zero_and_rounding), cmocka_unit_test(test_half),
        cmocka_unit_test(test_integers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
