/* Mandelbrot set in single precision: arithmetic and comparisons. */
#include "kernel.h"

const unsigned kernel_reps = 14;

uint64_t kernel(unsigned reps)
{
    uint64_t sum = 0;
    for (unsigned r = 0; r < reps; r++)
        for (unsigned py = 0; py < 128; py++)
            for (unsigned px = 0; px < 128; px++) {
                float cx = (float)px / 48.0f - 2.0f, cy = (float)py / 64.0f - 1.0f, x = 0, y = 0;
                unsigned n = 0;
                while (n < 200 + r && x * x + y * y < 4.0f) {
                    float t = x * x - y * y + cx;
                    y = 2.0f * x * y + cy;
                    x = t;
                    n++;
                }
                sum += n;
            }
    return sum;
}
