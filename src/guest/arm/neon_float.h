/* Advanced SIMD floating point in C, under the standard FPSCR value (ARM DDI 0406C A2.7.2): to
 * nearest, denormal numbers are zeros, NaNs the default one. Flags are FPSCR's. */
#ifndef GUEST_ARM_NEON_FLOAT_H
#define GUEST_ARM_NEON_FLOAT_H

#include "fp/soft.h"
#include "guest/arm/state.h"

#define NEON_SIGN        0x80000000u
#define NEON_DEFAULT_NAN 0x7fc00000u

static inline struct fp_env neon_standard(const struct nw_vcpu *vcpu)
{
    return (struct fp_env){.round = FP_RN,
                           .flush = true,
                           .default_nan = true,
                           .rules = FP_RULES_ARM,
                           .ahp = vcpu->fp.ahp};
}

typedef uint32_t neon_float_fn(struct fp_env *, uint32_t d, uint32_t n, uint32_t m, unsigned imm);

#define NEON_FLOAT_LOOP static inline __attribute__((always_inline)) uint64_t

/* FN on both words. */
NEON_FLOAT_LOOP neon_float_same(struct nw_vcpu *vcpu, uint64_t d, uint64_t n, uint64_t m,
                                uint64_t how, neon_float_fn *fn)
{
    struct fp_env env = neon_standard(vcpu);
    unsigned imm = (unsigned)(how >> 8) & 0xff;
    uint64_t low = fn(&env, (uint32_t)d, (uint32_t)n, (uint32_t)m, imm);
    uint64_t high = fn(&env, (uint32_t)(d >> 32), (uint32_t)(n >> 32), (uint32_t)(m >> 32), imm);

    vcpu->fp.flags |= env.flags;
    return high << 32 | low;
}

/* … on the words of n, and on those of m. */
NEON_FLOAT_LOOP neon_float_pairs(struct nw_vcpu *vcpu, uint64_t d, uint64_t n, uint64_t m,
                                 uint64_t how, neon_float_fn *fn)
{
    struct fp_env env = neon_standard(vcpu);
    uint64_t low = fn(&env, 0, (uint32_t)n, (uint32_t)(n >> 32), 0);
    uint64_t high = fn(&env, 0, (uint32_t)m, (uint32_t)(m >> 32), 0);

    (void)d, (void)how;
    vcpu->fp.flags |= env.flags;
    return high << 32 | low;
}

/* FPRecipEstimate, FPRSqrtEstimate, FPRecipStep, FPRSqrtStep (A2.7.8); the first two also of
 * unsigned fixed-point numbers. */
uint32_t neon_recip_estimate(struct fp_env *, uint32_t);
uint32_t neon_rsqrt_estimate(struct fp_env *, uint32_t);
uint32_t neon_recip_estimate_fixed(uint32_t);
uint32_t neon_rsqrt_estimate_fixed(uint32_t);
uint32_t neon_recip_step(struct fp_env *, uint32_t, uint32_t);
uint32_t neon_rsqrt_step(struct fp_env *, uint32_t, uint32_t);
/* FPMax, FPMin */
uint32_t neon_float_max(struct fp_env *, uint32_t, uint32_t);
uint32_t neon_float_min(struct fp_env *, uint32_t, uint32_t);

/* The helper NAME: LOOP over the expression EXPR of env, d, n, m and imm. */
#define NEON_FLOAT_HELPER(name, loop, expr)                                                        \
    static uint32_t name##_lane(struct fp_env *env, uint32_t d, uint32_t n, uint32_t m,            \
                                unsigned imm)                                                      \
    {                                                                                              \
        (void)env, (void)d, (void)n, (void)m, (void)imm;                                           \
        return expr;                                                                               \
    }                                                                                              \
    static uint64_t name##_call(struct nw_vcpu *vcpu, uint64_t d, uint64_t n, uint64_t m,          \
                                uint64_t how)                                                      \
    {                                                                                              \
        return loop(vcpu, d, n, m, how, name##_lane);                                              \
    }                                                                                              \
    static const struct ir_helper name##_helper = {#name, name##_call, 0, IR_I64, 4};

#endif
