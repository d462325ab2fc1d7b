/* Blocks of many sizes copied and compared 16 bytes at a time with SSE2, as memcpy and memcmp do. */
#include "kernel.h"
#include <emmintrin.h>

#define N 16384
const unsigned kernel_reps = 1500000;

static unsigned char from[N + 64], to[N + 64];

static void copy(unsigned char *d, const unsigned char *s, unsigned n)
{
    for (unsigned i = 0; i < n; i += 64) {
        __m128i v0 = _mm_loadu_si128((const __m128i *)(s + i)), v1 = _mm_loadu_si128((const __m128i *)(s + i + 16));
        __m128i v2 = _mm_loadu_si128((const __m128i *)(s + i + 32)), v3 = _mm_loadu_si128((const __m128i *)(s + i + 48));
        _mm_storeu_si128((__m128i *)(d + i), v0);
        _mm_storeu_si128((__m128i *)(d + i + 16), v1);
        _mm_storeu_si128((__m128i *)(d + i + 32), v2);
        _mm_storeu_si128((__m128i *)(d + i + 48), v3);
    }
}

static unsigned same(const unsigned char *a, const unsigned char *b, unsigned n)
{
    unsigned i = 0;
    while (i < n) {
        __m128i v = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(a + i)), _mm_loadu_si128((const __m128i *)(b + i)));
        if (_mm_movemask_epi8(v) != 0xffff)
            break;
        i += 16;
    }
    return i;
}

uint64_t kernel(unsigned reps)
{
    uint32_t seed = 7;
    for (unsigned i = 0; i < N; i++)
        from[i] = (unsigned char)(i * 37 >> 3);
    uint64_t sum = 0;
    for (unsigned r = 0; r < reps; r++) {
        seed = seed * 1103515245u + 12345u;
        unsigned n = 64 + (seed >> 20) % 1024, at = (seed >> 8) % (N - 2048);
        copy(to + at, from + at / 2, n);
        sum += same(to + at, from + at / 2, n + 64);
    }
    return sum;
}
