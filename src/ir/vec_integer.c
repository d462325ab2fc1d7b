/* Vector rows: integer arithmetic, comparison, logic and shifts. */
#include "ir/vec_lanes.h"

EACH2(add8, u8, a + b)
EACH2(add16, u16, a + b)
EACH2(add32, u32, a + b)
EACH2(add64, u64, a + b)
EACH2(sub8, u8, a - b)
EACH2(sub16, u16, a - b)
EACH2(sub32, u32, a - b)
EACH2(sub64, u64, a - b)
EACH2(adds8, s8, clamp(a + b, INT8_MIN, INT8_MAX))
EACH2(adds16, s16, clamp(a + b, INT16_MIN, INT16_MAX))
EACH2(addu8, u8, clamp(a + b, 0, UINT8_MAX))
EACH2(addu16, u16, clamp(a + b, 0, UINT16_MAX))
EACH2(subs8, s8, clamp(a - b, INT8_MIN, INT8_MAX))
EACH2(subs16, s16, clamp(a - b, INT16_MIN, INT16_MAX))
EACH2(subu8, u8, clamp(a - b, 0, UINT8_MAX))
EACH2(subu16, u16, clamp(a - b, 0, UINT16_MAX))
EACH2(avgu8, u8, (a + b + 1) >> 1)
EACH2(avgu16, u16, (a + b + 1) >> 1)

#define MINMAX(kind, f)                                                                            \
    EACH2(min##kind, f, a < b ? a : b)                                                             \
    EACH2(max##kind, f, a > b ? a : b)
MINMAX(s8, s8)
MINMAX(s16, s16)
MINMAX(s32, s32)
MINMAX(u8, u8)
MINMAX(u16, u16)
MINMAX(u32, u32)

EACH1(abs8, u8, a & 0x80 ? -a : a)
EACH1(abs16, u16, a & 0x8000 ? -a : a)
EACH1(abs32, u32, a & 1u << 31 ? -a : a)
EACH2(sign8, u8, b == 0 ? 0 : b & 0x80 ? -a : a)
EACH2(sign16, u16, b == 0 ? 0 : b & 0x8000 ? -a : a)
EACH2(sign32, u32, b == 0 ? 0 : b & 1u << 31 ? -a : a)

EACH_LANE(hadd16_lane, u16, JOINED(u16, 2 * n) + JOINED(u16, 2 * n + 1))
EACH_LANE(hadd32_lane, u32, JOINED(u32, 2 * n) + JOINED(u32, 2 * n + 1))
EACH_LANE(hsub16_lane, u16, JOINED(u16, 2 * n) - JOINED(u16, 2 * n + 1))
EACH_LANE(hsub32_lane, u32, JOINED(u32, 2 * n) - JOINED(u32, 2 * n + 1))
EACH_LANE(hadds16_lane, s16,
          clamp(JOINED(s16, 2 * n) + JOINED(s16, 2 * n + 1), INT16_MIN, INT16_MAX))
EACH_LANE(hsubs16_lane, s16,
          clamp(JOINED(s16, 2 * n) - JOINED(s16, 2 * n + 1), INT16_MIN, INT16_MAX))

/* ---- multiplication ---- */

EACH2(mul16, u16, 1u * a * b)
EACH2(mul32, u32, 1u * a * b)
EACH2(mulhs16, s16, (a * b) >> 16)
EACH2(mulhu16, u16, (1u * a * b) >> 16)
EACH2(mulhrs16, s16, (((a * b) >> 14) + 1) >> 1)
EACH_LANE(mulwu32, u64, (uint64_t)OF(k->a, u32, 2 * n) * OF(k->b, u32, 2 * n))
EACH_LANE(mulws32, s64, (int64_t)OF(k->a, s32, 2 * n) * OF(k->b, s32, 2 * n))
EACH_LANE(madds16, u32,
          (uint32_t)(OF(k->a, s16, 2 * n) * OF(k->b, s16, 2 * n)) +
              (uint32_t)(OF(k->a, s16, 2 * n + 1) * OF(k->b, s16, 2 * n + 1)))
EACH_LANE(maddus8, s16,
          clamp(OF(k->a, u8, 2 * n) * OF(k->b, s8, 2 * n) +
                    OF(k->a, u8, 2 * n + 1) * OF(k->b, s8, 2 * n + 1),
                INT16_MIN, INT16_MAX))

/* Of N bytes. */
static unsigned distance(const uint8_t *a, const uint8_t *b, unsigned n)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < n; i++)
        sum += a[i] > b[i] ? a[i] - b[i] : b[i] - a[i];
    return sum;
}

EACH_LANE(sadu8, u64, distance(&OF(k->a, u8, 8 * n), &OF(k->b, u8, 8 * n), 8))

/* Three bits of the immediate for each lane (Intel SDM 2B, MPSADBW). */
static unsigned msad(const struct vec_args *k, unsigned lane, unsigned n)
{
    unsigned imm = k->imm >> (3 * lane);
    return distance(&OF(k->a, u8, (imm & 4) + n), &OF(k->b, u8, 4 * (imm & 3)), 4);
}

EACH_LANE(msadu8_lane, u16, msad(k, lane, n))

/* ---- comparison and logic ---- */

EACH2(cmpeq8, u8, a == b ? -1 : 0)
EACH2(cmpeq16, u16, a == b ? -1 : 0)
EACH2(cmpeq32, u32, a == b ? -1 : 0)
EACH2(cmpeq64, u64, a == b ? -1 : 0)
EACH2(cmpgts8, s8, a > b ? -1 : 0)
EACH2(cmpgts16, s16, a > b ? -1 : 0)
EACH2(cmpgts32, s32, a > b ? -1 : 0)
EACH2(cmpgts64, s64, a > b ? -1 : 0)

static void test_bits(const struct vec_args *k, uint64_t mask)
{
    uint64_t both = 0, only_b = 0;
    for (unsigned n = 0; n < COUNT(k, u64); n++) {
        both |= k->a->u64[n] & k->b->u64[n];
        only_b |= ~k->a->u64[n] & k->b->u64[n];
    }
    k->d->u64[0] = (both & mask ? 0 : 0x40) | (only_b & mask ? 0 : 1);
}

void vec_test(const struct vec_args *k)
{
    test_bits(k, UINT64_MAX);
}

void vec_test32(const struct vec_args *k)
{
    test_bits(k, 0x8000000080000000);
}

void vec_test64(const struct vec_args *k)
{
    test_bits(k, 1ull << 63);
}

void vec_zero(const struct vec_args *k)
{
    (void)k; /* the result is 0 already */
}

void vec_ones(const struct vec_args *k)
{
    for (unsigned n = 0; n < COUNT(k, u64); n++)
        k->d->u64[n] = UINT64_MAX;
}

EACH2(and, u64, (a) & (b))
EACH2(nand, u64, ~a &b)
EACH2(or, u64, a | b)
EACH2(xor, u64, a ^ b)

/* ---- shifts ---- */

/* The count's limit is the element's width: that far everything is 0, or the sign. */
#define SHIFTS(width, count, suffix)                                                               \
    EACH1(shl##width##suffix, u##width, (count) < width ? a << (count) : 0)                        \
    EACH1(shr##width##suffix, u##width, (count) < width ? a >> (count) : 0)
#define SHIFT_SIGNED(width, count, suffix)                                                         \
    EACH1(sar##width##suffix, s##width, a >> ((count) < width ? (count) : width - 1))
SHIFTS(16, k->imm, _imm)
SHIFTS(32, k->imm, _imm)
SHIFTS(64, k->imm, _imm)
SHIFT_SIGNED(16, k->imm, _imm)
SHIFT_SIGNED(32, k->imm, _imm)
SHIFTS(16, k->b->u64[0], )
SHIFTS(32, k->b->u64[0], )
SHIFTS(64, k->b->u64[0], )
SHIFT_SIGNED(16, k->b->u64[0], )
SHIFT_SIGNED(32, k->b->u64[0], )

EACH2(shlv32, u32, b < 32 ? a << b : 0)
EACH2(shlv64, u64, b < 64 ? a << b : 0)
EACH2(shrv32, u32, b < 32 ? a >> b : 0)
EACH2(shrv64, u64, b < 64 ? a >> b : 0)
EACH2(sarv32, s32, a >> ((uint32_t)b < 32 ? b : 31))
