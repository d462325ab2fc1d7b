#include "x86_values.h"

#include <string.h>

uint64_t value_int(struct rng *r)
{
    uint64_t v = next(r);

    switch (below(r, 12)) {
    case 0: return below(r, 4);
    case 1: return ~(uint64_t)below(r, 4);
    case 2: return 1ull << below(r, 64);
    case 3: return (1ull << below(r, 64)) - 1;
    case 4: return ~(1ull << below(r, 64));
    case 5: return 0x8080808080808080u >> below(r, 2) ^ below(r, 3);
    case 6: return below(r, 256);
    case 7: return (uint64_t)(int64_t)(int8_t)v;
    case 8: return (uint64_t)(int64_t)(int32_t)v;
    case 9: return v << 32 | (v & 0xff);
    default: return v;
    }
}

static uint32_t value_f32(struct rng *r)
{
    static const uint32_t corners[] = {
        0,          0x3f800000, 0x3f000000, 0x40000000, 0x7f800000, 0x7fc00000, 0x7f800001,
        0x7fbfffff, 1,          0x007fffff, 0x00800000, 0x7f7fffff, 0x4f000000, 0x4effffff,
        0x5f000000, 0x3fc00000, 0x40200000, 0x4b000001, 0x00400000, 0x33800000, 0x7fffffff,
        0x4f800000, 0x5effffff, 0x3effffff, 0x47800000, 0x38800000, 0x33000000,
    };
    uint32_t v = (uint32_t)next(r);

    switch (below(r, 4)) {
    case 0: return v;
    case 1: return (v & 0x80ffffff) | (0x3c000000 + (v >> 2 & 0x07000000));
    default: return corners[below(r, sizeof corners / 4)] ^ (v & 0x80000000) ^ (below(r, 8) == 0);
    }
}

static uint64_t value_f64(struct rng *r)
{
    static const uint64_t corners[] = {
        0,
        0x3ff0000000000000,
        0x3fe0000000000000,
        0x4000000000000000,
        0x7ff0000000000000,
        0x7ff8000000000000,
        0x7ff0000000000001,
        0x7ff7ffffffffffff,
        1,
        0x000fffffffffffff,
        0x0010000000000000,
        0x7fefffffffffffff,
        0x41dfffffffc00000,
        0x41e0000000000000,
        0x43e0000000000000,
        0x43dfffffffffffff,
        0x3ff8000000000000,
        0x4004000000000000,
        0x4330000000000001,
        0x0008000000000000,
        0x3ca0000000000000,
        0x47efffffe0000000,
        0x47effffff0000000,
        0x3810000000000000,
        0x36a0000000000000,
        0x3690000000000000,
        0x380fffffffffffff,
    };
    uint64_t v = next(r);

    switch (below(r, 4)) {
    case 0: return v;
    case 1: return (v & 0x800fffffffffffff) | (0x3f80000000000000 + (v >> 2 & 0x00f0000000000000));
    default:
        return corners[below(r, sizeof corners / 8)] ^ (v & 0x8000000000000000) ^
               (below(r, 8) == 0);
    }
}

void value_f80(struct rng *r, uint8_t *to)
{
    static const uint16_t exponents[] = {0,      1,      0x3ffe, 0x3fff, 0x4000, 0x401d, 0x401e,
                                         0x403d, 0x403e, 0x7ffe, 0x7fff, 0x7fff, 0x3f81, 0x3c01,
                                         0x407e, 0x43fe, 0x3fbf, 0x3f6a, 0x3bcd, 0x400d, 0x400e};
    static const uint64_t mantissas[] = {
        0x8000000000000000,
        0x8000000000000000,
        0x8000000000000001,
        0xffffffffffffffff,
        0xc000000000000000,
        0,
        1,
        0x4000000000000000,
        0x7fffffffffffffff,
        0xfffffffffffff800,
        0xfffffffffffffc00,
        0xffffff8000000000,
        0xa000000000000000,
        0xbfffffffffffffff,
        0xc90fdaa22168c235,
    };
    uint64_t m = next(r), v = next(r);
    uint16_t e = (uint16_t)(v & 0x7fff);

    if (below(r, 2))
        m = mantissas[below(r, sizeof mantissas / 8)];
    else if (below(r, 8))
        m |= 1ull << 63;
    switch (below(r, 4)) {
    case 0: break;
    case 1: e = (uint16_t)(0x3ff0 + (v & 0x1f)); break;
    default: e = exponents[below(r, sizeof exponents / 2)];
    }
    if (e == 0 && below(r, 2))
        m = below(r, 2) ? 0 : m & ~(1ull << 63);
    e |= (uint16_t)(v >> 16 & 0x8000);
    memcpy(to, &m, 8);
    memcpy(to + 8, &e, 2);
}

static void fill_words(struct rng *r, uint8_t *to)
{
    for (unsigned i = 0; i < 16; i += 8) {
        uint64_t v = value_int(r);
        memcpy(to + i, &v, 8);
    }
}

void value_fill(struct rng *r, uint8_t *to)
{
    uint64_t v;
    uint32_t w;

    fill_words(r, to);
    switch (below(r, 8)) {
    case 0: value_f80(r, to); break;
    case 1:
    case 2:
        for (unsigned i = 0; i < 16; i += 4) {
            w = value_f32(r);
            memcpy(to + i, &w, 4);
        }
        break;
    case 3:
    case 4:
        for (unsigned i = 0; i < 16; i += 8) {
            v = value_f64(r);
            memcpy(to + i, &v, 8);
        }
        break;
    case 5: /* the same in all lanes, or nearly */
        memcpy(to + 8, to, 8);
        to[below(r, 16)] ^= (uint8_t)(below(r, 2) << below(r, 8));
        break;
    case 6:
        for (unsigned i = 0; i < 16; i++)
            to[i] = below(r, 3) ? (uint8_t)(below(r, 10) << 4 | below(r, 10)) : to[i];
        break;
    default: break;
    }
}

static uint32_t random_mxcsr(struct rng *r)
{
    uint32_t v = 0x1f80;

    if (below(r, 2))
        v |= (below(r, 4) << 13) | (below(r, 4) ? 0 : 0x8000u) | (below(r, 4) ? 0 : 0x40u);
    if (below(r, 3) == 0)
        v |= below(r, 64);
    if (below(r, 16) == 0)
        v ^= below(r, 64) << 7;
    return v;
}

static void random_x87(struct rng *r, struct case_state *s)
{
    s->fpcw = 0x37f;
    if (below(r, 2))
        s->fpcw = (uint16_t)(0x7f | below(r, 4) << 8 | below(r, 4) << 10 | below(r, 2) << 12);
    if (below(r, 16) == 0)
        s->fpcw ^= (uint16_t)below(r, 64);
    s->fpsw = (uint16_t)(next(r) >> 20 & 0x7f00);
    if (below(r, 4) == 0)
        s->fpsw |= (uint16_t)(below(r, 64) & s->fpcw & 63);
    s->fptag = below(r, 4) ? 0xff : (uint16_t)below(r, 256);
    for (unsigned i = 0; i < 8; i++)
        value_f80(r, s->st[i]);
    if (s->fptag != 0xff && below(r, 2)) /* as one finds it: only the top of the stack in use */
        s->fptag = (uint16_t)(0xff00u >> (8 - (s->fpsw >> 11 & 7)) & 0xff);
}

void value_state(struct rng *r, struct case_state *s)
{
    memset(s, 0, sizeof *s);
    for (unsigned i = 0; i < 16; i++)
        s->gpr[i] = value_int(r);
    for (unsigned i = 0; i < 16; i++) {
        value_fill(r, s->ymm[i]);
        value_fill(r, s->ymm[i] + 16);
    }
    if (below(r, 4) == 0)
        memset(s->ymm[below(r, 16)], 0, 32);
    s->eflags = ((uint32_t)next(r) & 0x8d5) | 0x202 | (below(r, 4) ? 0 : 0x400u);
    s->mxcsr = random_mxcsr(r);
    random_x87(r, s);
}

void value_data(struct rng *r, uint8_t *data)
{
    for (unsigned i = 0; i < CASE_DATA_SIZE; i += 16)
        value_fill(r, data + i);
}
