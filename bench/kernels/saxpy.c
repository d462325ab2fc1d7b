/* Single-precision a * x + y over vectors that fit the second-level cache. */
#include "kernel.h"
#include <string.h>

#define N 8192
const unsigned kernel_reps = 12000;

static float x[N], y[N];

static void saxpy(float *restrict out, const float *restrict in, float a)
{
    for (unsigned i = 0; i < N; i++)
        out[i] += a * in[i];
}

uint64_t kernel(unsigned reps)
{
    for (unsigned i = 0; i < N; i++)
        x[i] = (float)(i % 113) / 64, y[i] = (float)(i % 31);
    for (unsigned r = 0; r < reps; r++)
        saxpy(y, x, r & 1 ? -0.25f : 0.25f);
    uint64_t sum = 0;
    for (unsigned i = 0; i < N; i++) {
        uint32_t bits;
        memcpy(&bits, &y[i], sizeof bits);
        sum = sum * 31 + bits;
    }
    return sum;
}
