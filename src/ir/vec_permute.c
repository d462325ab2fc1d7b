/* Vector rows: narrowing, widening, permutations, parts. */
#include "ir/vec_lanes.h"

#include <string.h>

/* ---- narrowing, widening, interleaving ---- */

EACH_LANE(packs16_lane, s8, clamp(JOINED(s16, n), INT8_MIN, INT8_MAX))
EACH_LANE(packs32_lane, s16, clamp(JOINED(s32, n), INT16_MIN, INT16_MAX))
EACH_LANE(packu16_lane, u8, clamp(JOINED(s16, n), 0, UINT8_MAX))
EACH_LANE(packu32_lane, u16, clamp(JOINED(s32, n), 0, UINT16_MAX))

#define ZIP(width)                                                                                 \
    EACH_LANE(ziplo##width##_lane, u##width, OF(n & 1 ? k->b : k->a, u##width, n / 2))             \
    EACH_LANE(ziphi##width##_lane, u##width,                                                       \
              OF(n & 1 ? k->b : k->a, u##width, (n + PER_LANE(k, u##width)) / 2))
ZIP(8)
ZIP(16)
ZIP(32)
ZIP(64)

#define WIDEN(kind, f, name)                                                                       \
    void vec_##name(const struct vec_args *k)                                                      \
    {                                                                                              \
        for (unsigned n = 0; n < COUNT(k, kind); n++)                                              \
            k->d->kind[n] = k->a->f[n];                                                            \
    }
WIDEN(s16, s8, sext8to16)
WIDEN(s32, s8, sext8to32)
WIDEN(s64, s8, sext8to64)
WIDEN(s32, s16, sext16to32)
WIDEN(s64, s16, sext16to64)
WIDEN(s64, s32, sext32to64)
WIDEN(u16, u8, zext8to16)
WIDEN(u32, u8, zext8to32)
WIDEN(u64, u8, zext8to64)
WIDEN(u32, u16, zext16to32)
WIDEN(u64, u16, zext16to64)
WIDEN(u64, u32, zext32to64)

/* ---- permutations ---- */

/* Field N of the immediate, WIDTH bits wide. */
#define IMM(n, width) (k->imm >> ((n) * (width)) & ((1u << (width)) - 1))

EACH_LANE(shuf8_lane, u8, OF(k->b, s8, n) < 0 ? 0 : OF(k->a, u8, OF(k->b, u8, n) & 15))
EACH_LANE(shuf32_lane, u32, OF(k->a, u32, IMM(n, 2)))
EACH_LANE(shuflo16_lane, u16, OF(k->a, u16, n < 4 ? IMM(n, 2) : n))
EACH_LANE(shufhi16_lane, u16, OF(k->a, u16, n < 4 ? n : 4 + IMM(n - 4, 2)))
EACH_LANE(shuf2x32_lane, u32, OF(n < 2 ? k->a : k->b, u32, IMM(n, 2)))
EACH_LANE(shuf2x64_lane, u64, OF(n < 1 ? k->a : k->b, u64, IMM(2 * lane + n, 1)))
EACH_LANE(perm64_lane, u64, OF(k->a, u64, IMM(2 * lane + n, 1)))
EACH_LANE(permv32_lane, u32, OF(k->a, u32, OF(k->b, u32, n) & 3))
EACH_LANE(permv64_lane, u64, OF(k->a, u64, OF(k->b, u64, n) >> 1 & 1))
EACH1(perm64, u64, ((void)a, k->a->u64[IMM(n, 2)]))
EACH2(permv32, u32, ((void)b, k->b->u32[a & 7]))

/* A half of a or b, or 0, for each half (Intel SDM 2C, VPERM2I128). */
void vec_perm128(const struct vec_args *k)
{
    for (unsigned half = 0; half < 2; half++) {
        unsigned imm = IMM(half, 4);
        const union ir_vec *from = imm & 2 ? k->b : k->a;
        if (!(imm & 8))
            memcpy(&k->d->u64[2 * half], &from->u64[imm & 1 ? 2 : 0], 16);
    }
}

static uint8_t align_byte(const struct vec_args *k, unsigned lane, unsigned at)
{
    return at < 16 ? OF(k->b, u8, at) : at < 32 ? OF(k->a, u8, at - 16) : 0;
}

EACH_LANE(align_lane, u8, align_byte(k, lane, n + k->imm))
EACH_LANE(shlbytes_lane, u8, n >= k->imm ? OF(k->a, u8, n - k->imm) : 0)
EACH_LANE(shrbytes_lane, u8, n + k->imm < 16 ? OF(k->a, u8, n + k->imm) : 0)

EACH_LANE(blend16_lane, u16, OF(IMM(n, 1) ? k->b : k->a, u16, n))
EACH2(blend32, u32, IMM(n, 1) ? b : a)
EACH2(blend64, u64, IMM(n, 1) ? b : a)
EACH2(blendv8, u8, k->c->s8[n] < 0 ? b : a)
EACH2(blendv32, u32, k->c->s32[n] < 0 ? b : a)
EACH2(blendv64, u64, k->c->s64[n] < 0 ? b : a)

void vec_insertps(const struct vec_args *k)
{
    *k->d = *k->a;
    k->d->u32[k->imm >> 4 & 3] = k->b->u32[k->imm >> 6];
    for (unsigned n = 0; n < 4; n++)
        if (IMM(n, 1))
            k->d->u32[n] = 0;
}

EACH1(dup8, u8, ((void)a, k->a->u8[0]))
EACH1(dup16, u16, ((void)a, k->a->u16[0]))
EACH1(dup32, u32, ((void)a, k->a->u32[0]))
EACH1(dup64, u64, ((void)a, k->a->u64[0]))
EACH_LANE(dup128, u64, k->a->u64[n])

/* ---- parts ---- */

static void copy(const struct vec_args *k, unsigned size)
{
    memcpy(k->d, k->a, size);
}

void vec_zext128(const struct vec_args *k)
{
    copy(k, 16);
}

void vec_low128(const struct vec_args *k)
{
    copy(k, 16);
}

void vec_extract128(const struct vec_args *k)
{
    memcpy(k->d, &k->a->u64[k->imm & 1 ? 2 : 0], 16);
}

void vec_insert128(const struct vec_args *k)
{
    copy(k, 32);
    memcpy(&k->d->u64[k->imm & 1 ? 2 : 0], k->b, 16);
}

#define LOW(name, size)                                                                            \
    void vec_##name(const struct vec_args *k)                                                      \
    {                                                                                              \
        copy(k, size);                                                                             \
    }
LOW(from_i32, 4)
LOW(from_i64, 8)
LOW(from_f32, 4)
LOW(from_f64, 8)
LOW(to_i32, 4)
LOW(to_i64, 8)
LOW(to_f32, 4)
LOW(to_f64, 8)

#define PAIR(name, f)                                                                              \
    void vec_##name(const struct vec_args *k)                                                      \
    {                                                                                              \
        k->d->f[0] = k->a->f[0];                                                                   \
        k->d->f[1] = k->b->f[0];                                                                   \
    }
PAIR(pair32, u32)
PAIR(pair64, u64)

#define INSERT(name, f, at)                                                                        \
    void vec_##name(const struct vec_args *k)                                                      \
    {                                                                                              \
        copy(k, 16);                                                                               \
        k->d->f[at] = k->b->f[0];                                                                  \
    }
INSERT(with_f32, u32, 0)
INSERT(with_f64, u64, 0)
INSERT(insert8, u8, k->imm & 15)
INSERT(insert16, u16, k->imm & 7)
INSERT(insert32, u32, k->imm & 3)
INSERT(insert64, u64, k->imm & 1)

#define EXTRACT(name, f, at)                                                                       \
    void vec_##name(const struct vec_args *k)                                                      \
    {                                                                                              \
        k->d->u64[0] = k->a->f[at];                                                                \
    }
EXTRACT(extract8, u8, k->imm & 15)
EXTRACT(extract16, u16, k->imm & 7)
EXTRACT(extract32, u32, k->imm & 3)
EXTRACT(extract64, u64, k->imm & 1)

#define SIGNS(name, f)                                                                             \
    void vec_##name(const struct vec_args *k)                                                      \
    {                                                                                              \
        for (unsigned n = 0; n < COUNT(k, f); n++)                                                 \
            k->d->u64[0] |= (uint64_t)(k->a->f[n] < 0) << n;                                       \
    }
SIGNS(signs8, s8)
SIGNS(signs32, s32)
SIGNS(signs64, s64)

void vec_minposu16(const struct vec_args *k)
{
    unsigned best = 0;
    for (unsigned n = 1; n < 8; n++)
        if (k->a->u16[n] < k->a->u16[best])
            best = n;
    k->d->u16[0] = k->a->u16[best];
    k->d->u16[1] = (uint16_t)best;
}
