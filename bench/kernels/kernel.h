/* A benchmark kernel: one function that does REPS rounds of its work and returns a checksum, which
 * every engine must print alike. */
#ifndef BENCH_KERNEL_H
#define BENCH_KERNEL_H

#include <stdint.h>

uint64_t kernel(unsigned reps);
extern const unsigned kernel_reps; /* rounds of a full run */

#endif
