/* Bytes looked for 16 at a time with SSE2, as the C library's memchr and strlen do. */
#include "kernel.h"
#include <emmintrin.h>

#define N 65536
const unsigned kernel_reps = 5000;

static unsigned char text[N + 16];

static unsigned find(unsigned at, unsigned char what)
{
    const __m128i all = _mm_set1_epi8((char)what), end = _mm_setzero_si128();
    for (;; at += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(text + at));
        unsigned hits = (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(v, all), _mm_cmpeq_epi8(v, end)));
        if (hits)
            return at + (unsigned)__builtin_ctz(hits);
    }
}

uint64_t kernel(unsigned reps)
{
    uint32_t seed = 1;
    for (unsigned i = 0; i < N; i++) {
        seed = seed * 1103515245u + 12345u;
        text[i] = (unsigned char)(1 + (seed >> 16) % 254);
    }
    uint64_t sum = 0;
    for (unsigned r = 0; r < reps; r++) {
        unsigned char what = (unsigned char)(1 + r % 254);
        for (unsigned at = find(0, what); text[at]; at = find(at + 1, what))
            sum = sum * 5 + at;
    }
    return sum;
}
