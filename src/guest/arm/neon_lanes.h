/* Advanced SIMD elements in C: loops that helpers are made of.
 *
 * A helper has the arguments d, n, m, how: doubleword registers and neon_how(). An operation is a
 * function of one element of each, extended to 128 bits as the instruction's signedness says, which
 * holds any intermediate result exactly. */
#ifndef GUEST_ARM_NEON_LANES_H
#define GUEST_ARM_NEON_LANES_H

#include "guest/arm/state.h"

__extension__ typedef __int128 neon_wide;

/* SIZE: log2 of an element's bytes. */
static inline uint32_t neon_how(unsigned size, bool is_unsigned, unsigned imm)
{
    return size | (uint32_t)is_unsigned << 2 | imm << 8;
}

struct neon_lane {
    unsigned bits; /* of an element; of the narrow ones where there are two widths */
    bool is_unsigned;
    unsigned imm;
    bool saturated; /* out */
};

static inline struct neon_lane neon_lane_of(uint64_t how)
{
    return (struct neon_lane){8u << (how & 3), how >> 2 & 1, (unsigned)(how >> 8) & 0xff, false};
}

/* Element at bit AT of V, extended. */
static inline neon_wide neon_element(uint64_t v, unsigned at, unsigned bits, bool is_unsigned)
{
    uint64_t raw = v >> at << (64 - bits);
    return is_unsigned ? (neon_wide)(raw >> (64 - bits)) : (neon_wide)((int64_t)raw >> (64 - bits));
}
static inline uint64_t neon_place(neon_wide v, unsigned at, unsigned bits)
{
    return ((uint64_t)v & UINT64_MAX >> (64 - bits)) << at;
}

/* SatQ (A2.2.1 of DDI 0406C). */
static inline neon_wide neon_sat_to(struct neon_lane *k, neon_wide v, unsigned bits,
                                    bool is_unsigned)
{
    neon_wide one = 1;
    neon_wide high = is_unsigned ? (one << bits) - 1 : (one << (bits - 1)) - 1;
    neon_wide low = is_unsigned ? 0 : -(one << (bits - 1));

    if (v >= low && v <= high)
        return v;
    k->saturated = true;
    return v < low ? low : high;
}
static inline neon_wide neon_sat(struct neon_lane *k, neon_wide v)
{
    return neon_sat_to(k, v, k->bits, k->is_unsigned);
}

static inline uint64_t neon_done(struct nw_vcpu *vcpu, const struct neon_lane *k, uint64_t v)
{
    if (k->saturated)
        vcpu->fp.flags |= FP_SATURATED;
    return v;
}

typedef neon_wide neon_lane_fn(struct neon_lane *, neon_wide d, neon_wide n, neon_wide m);

#define NEON_LOOP static inline __attribute__((always_inline)) uint64_t

/* All elements have one width. */
NEON_LOOP neon_same(struct nw_vcpu *vcpu, uint64_t d, uint64_t n, uint64_t m, uint64_t how,
                    neon_lane_fn *fn)
{
    struct neon_lane k = neon_lane_of(how);
    unsigned bits = k.bits;
    bool u = k.is_unsigned;
    uint64_t out = 0;

    for (unsigned at = 0; at < 64; at += bits)
        out |= neon_place(fn(&k, neon_element(d, at, bits, u), neon_element(n, at, bits, u),
                             neon_element(m, at, bits, u)),
                          at, bits);
    return neon_done(vcpu, &k, out);
}

/* Neighbours of n, then of m. */
NEON_LOOP neon_pairs(struct nw_vcpu *vcpu, uint64_t d, uint64_t n, uint64_t m, uint64_t how,
                     neon_lane_fn *fn)
{
    struct neon_lane k = neon_lane_of(how);
    unsigned bits = k.bits;
    bool u = k.is_unsigned;
    uint64_t out = 0;

    (void)d;
    for (unsigned at = 0; at < 32; at += bits) {
        neon_wide x =
            fn(&k, 0, neon_element(n, 2 * at, bits, u), neon_element(n, 2 * at + bits, bits, u));
        neon_wide y =
            fn(&k, 0, neon_element(m, 2 * at, bits, u), neon_element(m, 2 * at + bits, bits, u));
        out |= neon_place(x, at, bits) | neon_place(y, 32 + at, bits);
    }
    return neon_done(vcpu, &k, out);
}

/* The low halves of n and m to a doubleword of elements of twice the width, as those of d are. */
NEON_LOOP neon_long(struct nw_vcpu *vcpu, uint64_t d, uint64_t n, uint64_t m, uint64_t how,
                    neon_lane_fn *fn)
{
    struct neon_lane k = neon_lane_of(how);
    unsigned bits = k.bits;
    bool u = k.is_unsigned;
    uint64_t out = 0;

    for (unsigned at = 0; at < 32; at += bits)
        out |= neon_place(fn(&k, neon_element(d, 2 * at, 2 * bits, u), neon_element(n, at, bits, u),
                             neon_element(m, at, bits, u)),
                          2 * at, 2 * bits);
    return neon_done(vcpu, &k, out);
}

/* Elements of twice the width to the low half of a doubleword. */
NEON_LOOP neon_narrow(struct nw_vcpu *vcpu, uint64_t d, uint64_t n, uint64_t m, uint64_t how,
                      neon_lane_fn *fn)
{
    struct neon_lane k = neon_lane_of(how);
    unsigned bits = k.bits;
    bool u = k.is_unsigned;
    uint64_t out = 0;

    (void)d;
    for (unsigned at = 0; at < 32; at += bits)
        out |= neon_place(
            fn(&k, 0, neon_element(n, 2 * at, 2 * bits, u), neon_element(m, 2 * at, 2 * bits, u)),
            at, bits);
    return neon_done(vcpu, &k, out);
}

/* The helper NAME: LOOP over the expression EXPR of d, n, m and k. FLAGS as in struct ir_helper. */
#define NEON_HELPER(name, loop, flags, expr)                                                       \
    static neon_wide name##_lane(struct neon_lane *k, neon_wide d, neon_wide n, neon_wide m)       \
    {                                                                                              \
        (void)k, (void)d, (void)n, (void)m;                                                        \
        return expr;                                                                               \
    }                                                                                              \
    static uint64_t name##_call(struct nw_vcpu *vcpu, uint64_t d, uint64_t n, uint64_t m,          \
                                uint64_t how)                                                      \
    {                                                                                              \
        return loop(vcpu, d, n, m, how, name##_lane);                                              \
    }                                                                                              \
    static const struct ir_helper name##_helper = {#name, name##_call, flags, IR_I64, 4};

#endif
