/* Random floating-point operands, for tests of fp/soft.h. */
#ifndef TESTS_UNIT_FP_OPERAND_H
#define TESTS_UNIT_FP_OPERAND_H

#include <stdbool.h>
#include <stdint.h>

#include "../splitmix.h"

static uint64_t random_state;

static inline uint64_t random64(void)
{
    return splitmix64(&random_state);
}

struct width {
    unsigned frac_bits, exp_bits;
};
static const struct width HALF = {10, 5}, SINGLE = {23, 8}, DOUBLE = {52, 11};

static inline uint64_t mask_of(struct width w)
{
    unsigned bits = w.frac_bits + w.exp_bits + 1;
    return bits == 64 ? ~0ull : (1ull << bits) - 1;
}
static inline uint64_t exp_mask(struct width w)
{
    return ((1ull << w.exp_bits) - 1) << w.frac_bits;
}
static inline bool is_nan(struct width w, uint64_t v)
{
    return (v & mask_of(w) >> 1) > exp_mask(w);
}
static inline bool is_snan(struct width w, uint64_t v)
{
    return is_nan(w, v) && !(v >> (w.frac_bits - 1) & 1);
}
static inline bool is_denormal(struct width w, uint64_t v)
{
    return !(v & exp_mask(w)) && (v & mask_of(w) >> 1);
}

/* A number of the kinds that make rounding hard: short and long runs of bits, exponents that are
 * special, near NEAR's or anything. */
static inline uint64_t operand(struct width w, uint64_t near)
{
    uint64_t r = random64();
    uint64_t frac = random64();
    switch (r & 7) {
    case 0: frac = 0; break;
    case 1: frac = 1ull << (r >> 8) % w.frac_bits; break;
    case 2: frac = ~0ull << (r >> 8) % w.frac_bits; break;
    case 3: frac = ~0ull >> (64 - w.frac_bits + (r >> 8) % w.frac_bits); break;
    case 4: frac = near ^ (1ull << (r >> 8) % w.frac_bits); break;
    default: break;
    }
    frac &= (1ull << w.frac_bits) - 1;
    uint64_t top = (1ull << w.exp_bits) - 1, bias = top >> 1, exp = r >> 16 & top;
    uint64_t step = (r >> 32 & 7) - 3;
    switch (r >> 3 & 7) {
    case 0: exp = r >> 32 & 3; break;
    case 1: exp = top - (r >> 32 & 1); break;
    case 2: exp = bias + step; break;
    case 3: exp = (near >> w.frac_bits) + step; break;
    case 4: exp = bias + bias - (near >> w.frac_bits & top) + step; break; /* product near one */
    case 5: exp = bias - (near >> w.frac_bits & top) + step; break; /* product near the least */
    default: break;
    }
    return (r >> 63) << (w.frac_bits + w.exp_bits) | (exp & top) << w.frac_bits | frac;
}

#endif
