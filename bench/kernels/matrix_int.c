/* Dense 32-bit integer matrix product. */
#include "kernel.h"

#define N 96
const unsigned kernel_reps = 220;

static uint32_t a[N][N], b[N][N], c[N][N];

uint64_t kernel(unsigned reps)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < N; i++)
        for (unsigned j = 0; j < N; j++)
            a[i][j] = i * 7 + j, b[i][j] = i ^ (j * 3);
    for (unsigned r = 0; r < reps; r++) {
        for (unsigned i = 0; i < N; i++)
            for (unsigned j = 0; j < N; j++) {
                uint32_t s = r;
                for (unsigned k = 0; k < N; k++)
                    s += a[i][k] * b[k][j];
                c[i][j] = s;
            }
        sum += c[r % N][(r * 5) % N];
        a[r % N][0] ^= (uint32_t)sum;
    }
    return sum;
}
