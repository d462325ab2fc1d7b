/* Pointer chase through a shuffled ring that fits the second-level cache. */
#include "kernel.h"

#define N 16384
const unsigned kernel_reps = 2500;

static uint32_t next[N];

uint64_t kernel(unsigned reps)
{
    uint32_t order[N], seed = 7, at = 0;
    for (unsigned i = 0; i < N; i++)
        order[i] = i;
    for (unsigned i = N - 1; i; i--) {
        seed = seed * 1664525 + 1013904223;
        unsigned j = (seed >> 8) % (i + 1);
        uint32_t t = order[i];
        order[i] = order[j], order[j] = t;
    }
    for (unsigned i = 0; i < N; i++)
        next[order[i]] = order[(i + 1) % N];
    for (unsigned r = 0; r < reps; r++)
        for (unsigned i = 0; i < N - 1; i++)
            at = next[at];
    return at;
}
