/* Products of 4 × 4 single-precision matrices with vectors, by columns, as in graphics. */
#include "kernel.h"
#include <emmintrin.h>
#include <string.h>

#define N 1024
const unsigned kernel_reps = 12000;

static float points[N][4] __attribute__((aligned(16)));

static __m128 transform(const __m128 m[4], __m128 v)
{
    __m128 x = _mm_mul_ps(m[0], _mm_shuffle_ps(v, v, 0x00)), y = _mm_mul_ps(m[1], _mm_shuffle_ps(v, v, 0x55));
    __m128 z = _mm_mul_ps(m[2], _mm_shuffle_ps(v, v, 0xaa)), w = _mm_mul_ps(m[3], _mm_shuffle_ps(v, v, 0xff));
    return _mm_add_ps(_mm_add_ps(x, y), _mm_add_ps(z, w));
}

uint64_t kernel(unsigned reps)
{
    const __m128 turn[4] = {_mm_set_ps(0, 0, 0.6f, 0.8f), _mm_set_ps(0, 0, 0.8f, -0.6f), _mm_set_ps(0, 1, 0, 0),
                            _mm_set_ps(1, 0, 0, 0)};
    for (unsigned i = 0; i < N; i++)
        for (unsigned k = 0; k < 4; k++)
            points[i][k] = k == 3 ? 1 : (float)((i * 7 + k) % 97);
    for (unsigned r = 0; r < reps; r++)
        for (unsigned i = 0; i < N; i++)
            _mm_store_ps(points[i], transform(turn, _mm_load_ps(points[i])));
    uint64_t sum = 0;
    for (unsigned i = 0; i < N; i++) {
        uint32_t bits[4];
        memcpy(bits, points[i], sizeof bits);
        sum = sum * 31 + bits[0] + bits[1] + bits[2];
    }
    return sum;
}
