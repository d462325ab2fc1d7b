/* The C library's qsort with a comparison function. */
#include "kernel.h"
#include <stdlib.h>

#define N 60000
const unsigned kernel_reps = 12;

static uint32_t v[N];

static int compare(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return a < b ? -1 : a > b;
}

uint64_t kernel(unsigned reps)
{
    uint64_t sum = 0;
    uint32_t seed = 1;
    for (unsigned r = 0; r < reps; r++) {
        for (unsigned i = 0; i < N; i++)
            v[i] = seed = seed * 1664525 + 1013904223;
        qsort(v, N, sizeof *v, compare);
        for (unsigned i = 0; i < N; i += 997)
            sum = sum * 31 + v[i];
    }
    return sum;
}
