/* AES-128 in counter mode with the processor's AES instructions. */
#include "kernel.h"
#include <wmmintrin.h>

const unsigned kernel_reps = 8000000;

static __m128i expand(__m128i key, __m128i assist)
{
    assist = _mm_shuffle_epi32(assist, 0xff);
    key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
    key = _mm_xor_si128(key, _mm_slli_si128(key, 8));
    return _mm_xor_si128(key, assist);
}

#define ROUND(n, c) key[n] = expand(key[(n) - 1], _mm_aeskeygenassist_si128(key[(n) - 1], c))

uint64_t kernel(unsigned reps)
{
    __m128i key[11] = {_mm_set_epi32(0x2b7e1516, 0x28aed2a6, (int)0xabf71588, 0x09cf4f3c)};
    ROUND(1, 1), ROUND(2, 2), ROUND(3, 4), ROUND(4, 8), ROUND(5, 16), ROUND(6, 32), ROUND(7, 64);
    ROUND(8, 128), ROUND(9, 27), ROUND(10, 54);
    __m128i sum = _mm_setzero_si128(), counter = _mm_set_epi64x(1, 2), one = _mm_set_epi64x(0, 1);
    for (unsigned r = 0; r < reps; r++) {
        __m128i v[4];
        for (unsigned n = 0; n < 4; n++) {
            v[n] = _mm_xor_si128(counter, key[0]);
            counter = _mm_add_epi64(counter, one);
        }
        for (unsigned k = 1; k < 10; k++)
            for (unsigned n = 0; n < 4; n++)
                v[n] = _mm_aesenc_si128(v[n], key[k]);
        for (unsigned n = 0; n < 4; n++)
            sum = _mm_xor_si128(sum, _mm_aesenclast_si128(v[n], key[10]));
    }
    return (uint64_t)_mm_cvtsi128_si64(sum) ^ (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(sum, sum));
}
