/* Sums, extremes and saturated differences of integers, which a compiler makes vectors of. */
#include "kernel.h"

#define N 8192
const unsigned kernel_reps = 40000;

static int32_t a[N];
static int16_t b[N], c[N];

static uint64_t reduce(void)
{
    int32_t sum = 0, low = INT32_MAX;
    for (unsigned i = 0; i < N; i++) {
        sum += a[i] ^ (a[i] >> 3);
        low = a[i] < low ? a[i] : low;
    }
    return (uint64_t)(uint32_t)sum << 32 | (uint32_t)low;
}

static void mix(int16_t add)
{
    for (unsigned i = 0; i < N; i++)
        c[i] = (int16_t)(b[i] * 3 - c[i] + add);
}

uint64_t kernel(unsigned reps)
{
    for (unsigned i = 0; i < N; i++)
        a[i] = (int32_t)(i * 2654435761u), b[i] = (int16_t)(i * 40503u), c[i] = 0;
    uint64_t sum = 0;
    for (unsigned r = 0; r < reps; r++) {
        sum = sum * 3 + reduce();
        mix((int16_t)r);
        a[r % N] += c[r % N];
    }
    return sum;
}
