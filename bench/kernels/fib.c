/* Recursion: calls and returns. */
#include "kernel.h"

const unsigned kernel_reps = 36;

__attribute__((noinline, noclone, optimize("no-optimize-sibling-calls"))) static uint32_t fib(uint32_t n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

uint64_t kernel(unsigned reps)
{
    return fib(reps);
}
