/* Vector rows: carry-less multiplication, AES, SHA and GF(2^8), as the Intel SDM volume 2 and FIPS
 * 197 and 180-4 define them. */
#include "ir/vec_lanes.h"

/* ---- GF(2) and GF(2^8) ---- */

void vec_clmul(const struct vec_args *k)
{
    uint64_t a = k->a->u64[k->imm & 1], b = k->b->u64[k->imm >> 4 & 1];
    for (unsigned n = 0; n < 64; n++)
        if (b >> n & 1) {
            k->d->u64[0] ^= a << n;
            k->d->u64[1] ^= n ? a >> (64 - n) : 0;
        }
}

/* Modulo x^8 + x^4 + x^3 + x + 1. */
static uint8_t gf_mul(uint8_t a, uint8_t b)
{
    unsigned product = 0, x = a;
    for (unsigned n = 0; n < 8; n++) {
        product ^= b >> n & 1 ? x : 0;
        x = x << 1 ^ (x & 0x80 ? 0x11b : 0);
    }
    return (uint8_t)product;
}

/* x^254, which is 0 for 0. */
static uint8_t gf_inverse(uint8_t x)
{
    uint8_t square = gf_mul(x, x), result = square;
    for (unsigned n = 0; n < 6; n++) {
        square = gf_mul(square, square);
        result = gf_mul(result, square);
    }
    return result;
}

/* Row N of the matrix is its byte 7 - N. */
static uint8_t gf_affine(uint64_t matrix, uint8_t x, unsigned constant)
{
    unsigned result = constant;
    for (unsigned n = 0; n < 8; n++)
        result ^= (unsigned)__builtin_parity((uint8_t)(matrix >> (56 - 8 * n)) & x) << n;
    return (uint8_t)result;
}

EACH2(gfmul8, u8, gf_mul(a, b))
EACH1(gfaffine8, u8, gf_affine(k->b->u64[n / 8], a, k->imm))
EACH1(gfaffineinv8, u8, gf_affine(k->b->u64[n / 8], gf_inverse(a), k->imm))

/* ---- AES ---- */

/* FIPS 197 5.1.1: bit i of the result is the parity of bits i, i + 4 .. i + 7 (modulo 8). */
static uint8_t sbox(uint8_t x)
{
    return gf_affine(0xf1e3c78f1f3e7cf8, gf_inverse(x), 0x63);
}

static uint8_t inverse_sbox(uint8_t x)
{
    return gf_inverse(gf_affine(0xa44992254a942952, x, 0x05));
}

/* Byte N of a after ShiftRows, or its inverse, and the substitution. */
static uint8_t substituted(const struct vec_args *k, unsigned n, bool inverse)
{
    unsigned row = n % 4, column = n / 4;
    uint8_t x = k->a->u8[(inverse ? column + 4 - row : column + row) % 4 * 4 + row];
    return inverse ? inverse_sbox(x) : sbox(x);
}

/* Each column times the circulant matrix whose first row is FACTOR. */
static void mix_columns(uint8_t *to, const uint8_t *from, const uint8_t *factor)
{
    for (unsigned n = 0; n < 16; n++) {
        to[n] = 0;
        for (unsigned i = 0; i < 4; i++)
            to[n] ^= gf_mul(from[n / 4 * 4 + i], factor[(i - n) % 4]);
    }
}

static const uint8_t mix[4] = {2, 3, 1, 1}, unmix[4] = {14, 11, 13, 9};

static void aes_round(const struct vec_args *k, bool inverse, bool last)
{
    uint8_t state[16], mixed[16];
    for (unsigned n = 0; n < 16; n++)
        state[n] = substituted(k, n, inverse);
    mix_columns(mixed, state, inverse ? unmix : mix);
    for (unsigned n = 0; n < 16; n++)
        k->d->u8[n] = (last ? state[n] : mixed[n]) ^ k->b->u8[n];
}

void vec_aesenc(const struct vec_args *k)
{
    aes_round(k, false, false);
}

void vec_aesenclast(const struct vec_args *k)
{
    aes_round(k, false, true);
}

void vec_aesdec(const struct vec_args *k)
{
    aes_round(k, true, false);
}

void vec_aesdeclast(const struct vec_args *k)
{
    aes_round(k, true, true);
}

void vec_aesimc(const struct vec_args *k)
{
    mix_columns(k->d->u8, k->a->u8, unmix);
}

static uint32_t sub_word(uint32_t x)
{
    uint32_t result = 0;
    for (unsigned n = 0; n < 32; n += 8)
        result |= (uint32_t)sbox((uint8_t)(x >> n)) << n;
    return result;
}

static uint32_t rotate_right(uint32_t x, unsigned n)
{
    return x >> n | x << (32 - n);
}

void vec_aeskeygen(const struct vec_args *k)
{
    for (unsigned n = 0; n < 4; n += 2) {
        uint32_t word = sub_word(k->a->u32[n + 1]);
        k->d->u32[n] = word;
        k->d->u32[n + 1] = rotate_right(word, 8) ^ k->imm;
    }
}

/* ---- SHA ---- */

void vec_sha1nexte(const struct vec_args *k)
{
    *k->d = *k->b;
    k->d->u32[3] += rotate_right(k->a->u32[3], 2);
}

void vec_sha1msg1(const struct vec_args *k)
{
    k->d->u64[1] = k->a->u64[1] ^ k->a->u64[0];
    k->d->u64[0] = k->a->u64[0] ^ k->b->u64[1];
}

void vec_sha1msg2(const struct vec_args *k)
{
    uint32_t *d = k->d->u32;
    for (unsigned n = 4; n-- > 0;) {
        uint32_t before = n ? k->b->u32[n - 1] : d[3];
        d[n] = rotate_right(k->a->u32[n] ^ before, 31);
    }
}

static uint32_t choose(uint32_t x, uint32_t y, uint32_t z)
{
    return (x & y) ^ (~x & z);
}

static uint32_t majority(uint32_t x, uint32_t y, uint32_t z)
{
    return (x & y) ^ (x & z) ^ (y & z);
}

static uint32_t sha1_function(unsigned which, uint32_t x, uint32_t y, uint32_t z)
{
    switch (which) {
    case 0: return choose(x, y, z);
    case 2: return majority(x, y, z);
    default: return x ^ y ^ z;
    }
}

/* a = D C B A from element 0 up; E is in the first word of b. */
void vec_sha1rnds4(const struct vec_args *k)
{
    static const uint32_t constant[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
    unsigned which = k->imm & 3;
    uint32_t a = k->a->u32[3], b = k->a->u32[2], c = k->a->u32[1], d = k->a->u32[0], e = 0;
    for (unsigned n = 4; n-- > 0;) {
        uint32_t next = sha1_function(which, b, c, d) + rotate_right(a, 27) + k->b->u32[n] + e +
                        constant[which];
        e = d;
        d = c;
        c = rotate_right(b, 2);
        b = a;
        a = next;
    }
    k->d->u32[3] = a;
    k->d->u32[2] = b;
    k->d->u32[1] = c;
    k->d->u32[0] = d;
}

/* a = H G D C, b = F E B A from element 0 up; c has the two words with their constants added. */
void vec_sha256rnds2(const struct vec_args *k)
{
    const uint32_t *x = k->a->u32, *y = k->b->u32;
    uint32_t s[8] = {y[3], y[2], x[3], x[2], y[1], y[0], x[1], x[0]}; /* A .. H */
    for (unsigned n = 0; n < 2; n++) {
        uint32_t sum1 = rotate_right(s[4], 6) ^ rotate_right(s[4], 11) ^ rotate_right(s[4], 25);
        uint32_t sum0 = rotate_right(s[0], 2) ^ rotate_right(s[0], 13) ^ rotate_right(s[0], 22);
        uint32_t t = s[7] + sum1 + choose(s[4], s[5], s[6]) + k->c->u32[n];
        uint32_t next = t + sum0 + majority(s[0], s[1], s[2]);
        for (unsigned i = 7; i > 0; i--)
            s[i] = s[i - 1];
        s[4] += t;
        s[0] = next;
    }
    k->d->u32[3] = s[0];
    k->d->u32[2] = s[1];
    k->d->u32[1] = s[4];
    k->d->u32[0] = s[5];
}

void vec_sha256msg1(const struct vec_args *k)
{
    for (unsigned n = 0; n < 4; n++) {
        uint32_t x = n < 3 ? k->a->u32[n + 1] : k->b->u32[0];
        k->d->u32[n] = k->a->u32[n] + (rotate_right(x, 7) ^ rotate_right(x, 18) ^ x >> 3);
    }
}

void vec_sha256msg2(const struct vec_args *k)
{
    uint32_t *d = k->d->u32;
    for (unsigned n = 0; n < 4; n++) {
        uint32_t x = n < 2 ? k->b->u32[n + 2] : d[n - 2];
        d[n] = k->a->u32[n] + (rotate_right(x, 17) ^ rotate_right(x, 19) ^ x >> 10);
    }
}
