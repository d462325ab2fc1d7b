/* Sieve of Eratosthenes over bytes. */
#include "kernel.h"
#include <string.h>

#define N 1000000
const unsigned kernel_reps = 40;

static uint8_t composite[N];

uint64_t kernel(unsigned reps)
{
    uint64_t sum = 0;
    for (unsigned r = 0; r < reps; r++) {
        memset(composite, 0, sizeof composite);
        for (unsigned i = 2; i * i < N; i++)
            if (!composite[i])
                for (unsigned j = i * i; j < N; j += i)
                    composite[j] = 1;
        for (unsigned i = 2 + r; i < N; i++)
            sum += !composite[i];
    }
    return sum;
}
