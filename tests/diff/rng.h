/* The random numbers of the differential tests: the same seed, the same cases. */
#ifndef TESTS_DIFF_RNG_H
#define TESTS_DIFF_RNG_H

#include <stdint.h>

struct rng {
    uint64_t s; /* not 0 */
};

static inline uint64_t next(struct rng *r) /* xorshift64* */
{
    r->s ^= r->s >> 12;
    r->s ^= r->s << 25;
    r->s ^= r->s >> 27;
    return r->s * 0x2545f4914f6cdd1dull;
}

static inline uint32_t below(struct rng *r, uint32_t n)
{
    return (uint32_t)((next(r) >> 32) * n >> 32);
}

#endif
