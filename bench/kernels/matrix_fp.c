/* Dense double-precision matrix product. */
#include "kernel.h"
#include <string.h>

#define N 96
const unsigned kernel_reps = 90;

static double a[N][N], b[N][N], c[N][N];

uint64_t kernel(unsigned reps)
{
    for (unsigned i = 0; i < N; i++)
        for (unsigned j = 0; j < N; j++)
            a[i][j] = (double)(i * 7 + j) / 64, b[i][j] = (double)(i ^ j) / 32;
    double sum = 0;
    for (unsigned r = 0; r < reps; r++) {
        for (unsigned i = 0; i < N; i++)
            for (unsigned j = 0; j < N; j++) {
                double s = 0;
                for (unsigned k = 0; k < N; k++)
                    s += a[i][k] * b[k][j];
                c[i][j] = s;
            }
        sum += c[r % N][(r * 5) % N];
        a[r % N][0] = sum / 1024;
    }
    uint64_t bits;
    memcpy(&bits, &sum, sizeof bits);
    return bits;
}
