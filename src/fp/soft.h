/* Exact scalar floating point in integer arithmetic, with the flags and NaN rules of the guest.
 * The interpreter uses it always, translated code only on its cold paths. */
#ifndef FP_SOFT_H
#define FP_SOFT_H

#include <stdbool.h>
#include <stdint.h>

/* Rounding modes; the first four are the encodings of ARM FPSCR.RMode. ORDER FP_ROUND */
enum fp_round {
    FP_RN, /* to nearest, ties to even */
    FP_RP, /* towards plus infinity */
    FP_RM, /* towards minus infinity */
    FP_RZ, /* towards zero */
    FP_RA, /* to nearest, ties away from zero */
    FP_CURRENT = 7 /* for conversions: as fp_env.round says */
};

/* Sticky exception flags; the positions are those of ARM FPSCR. */
enum fp_flag {
    FP_INVALID = 1 << 0,
    FP_DIVZERO = 1 << 1,
    FP_OVERFLOW = 1 << 2,
    FP_UNDERFLOW = 1 << 3,
    FP_INEXACT = 1 << 4,
    FP_DENORMAL = 1 << 7, /* ARM: a denormal input was flushed to zero; x86: one was used */
    FP_SATURATED = 1 << 27, /* ARM: an integer operation of Advanced SIMD saturated (FPSCR.QC) */
};

/* Whose NaNs, flags of denormals and results of impossible conversions.
 *   NaN operands  ARM: the first signalling, else the first quiet one; x86: the first. Quieted.
 *   default NaN   x86: its sign is set.
 *   to integers   ARM: saturating, NaN to 0; x86: the integer indefinite, 100…0, or all ones for
 *                 unsigned results. */
enum fp_rules { FP_RULES_ARM, FP_RULES_X86 };

struct fp_env {
    uint8_t round;          /* enum fp_round, 0..3 */
    uint8_t flush;          /* flush denormal inputs and results to zero (FPSCR.FZ) */
    uint8_t default_nan;    /* every NaN result is the default NaN (FPSCR.DN) */
    uint8_t rules;          /* enum fp_rules */
    uint8_t tiny_after;     /* tininess is detected after rounding (x86) instead of before (ARM) */
    uint8_t ahp;            /* alternative half precision (FPSCR.AHP) */
    uint8_t daz;            /* MXCSR.DAZ: denormal inputs are zeros, and no flag says so */
    uint8_t ftz;            /* MXCSR.FTZ: tiny results are zeros, underflow and inexact */
    uint8_t unmasked;       /* enum fp_flag: exceptions that trap: what underflows or overflows then
                             * is exact or not whatever its exponent (SDM 1 4.9.1.4 ff.), and of no use */
    uint32_t flags;         /* enum fp_flag, accumulated */
    uint8_t earlier;        /* flags of the steps of an operation before the last one */
};

/* Values are the bits of the number. */
uint32_t fp_add32(struct fp_env *, uint32_t, uint32_t);
uint32_t fp_sub32(struct fp_env *, uint32_t, uint32_t);
uint32_t fp_mul32(struct fp_env *, uint32_t, uint32_t);
uint32_t fp_div32(struct fp_env *, uint32_t, uint32_t);
uint32_t fp_sqrt32(struct fp_env *, uint32_t);
uint32_t fp_fma32(struct fp_env *, uint32_t a, uint32_t b, uint32_t c);
uint64_t fp_add64(struct fp_env *, uint64_t, uint64_t);
uint64_t fp_sub64(struct fp_env *, uint64_t, uint64_t);
uint64_t fp_mul64(struct fp_env *, uint64_t, uint64_t);
uint64_t fp_div64(struct fp_env *, uint64_t, uint64_t);
uint64_t fp_sqrt64(struct fp_env *, uint64_t);
uint64_t fp_fma64(struct fp_env *, uint64_t a, uint64_t b, uint64_t c);

/* a * b + c with the product and the addend negated as NEGATE says, which NaNs do not show. Under
 * x86 rules NaNs come in the order a, b, c, as in VFMADD231 c, a, b. */
enum fp_negate { FP_NEG_PRODUCT = 1, FP_NEG_ADDEND = 2 };
uint32_t fp_fmaneg32(struct fp_env *, uint32_t a, uint32_t b, uint32_t c, unsigned negate);
uint64_t fp_fmaneg64(struct fp_env *, uint64_t a, uint64_t b, uint64_t c, unsigned negate);

/* ARM flags nibble (N=8 less, Z=4|C=2 equal, C=2 greater, C|V=3 unordered). SIGNALING: any NaN is
 * invalid, else only signalling ones. */
uint32_t fp_cmp32(struct fp_env *, uint32_t, uint32_t, bool signaling);
uint32_t fp_cmp64(struct fp_env *, uint64_t, uint64_t, bool signaling);

uint64_t fp_32to64(struct fp_env *, uint32_t);
uint32_t fp_64to32(struct fp_env *, uint64_t);
uint32_t fp_16to32(struct fp_env *, uint16_t);
uint16_t fp_32to16(struct fp_env *, uint32_t);

/* To integers of BITS (16, 32, 64) width with FRACTION fixed-point bits.
 * The result is sign- or zero-extended to 64 bits. */
uint64_t fp_toint32(struct fp_env *, uint32_t, unsigned bits, bool is_signed, unsigned fraction, enum fp_round);
uint64_t fp_toint64(struct fp_env *, uint64_t, unsigned bits, bool is_signed, unsigned fraction, enum fp_round);
/* From a sign- or zero-extended integer divided by 2^FRACTION. */
uint32_t fp_fromint32(struct fp_env *, uint64_t, bool is_signed, unsigned fraction, enum fp_round);
uint64_t fp_fromint64(struct fp_env *, uint64_t, bool is_signed, unsigned fraction, enum fp_round);

/* ---- of x86 (x86.c); under FP_RULES_X86 only ---- */

/* MINSS, MAXSS and their sisters: b when either is a NaN or both are zeros. */
uint32_t fp_minx32(struct fp_env *, uint32_t a, uint32_t b);
uint32_t fp_maxx32(struct fp_env *, uint32_t a, uint32_t b);
uint64_t fp_minx64(struct fp_env *, uint64_t a, uint64_t b);
uint64_t fp_maxx64(struct fp_env *, uint64_t a, uint64_t b);
/* To an integral number in the same format; QUIET: inexact is not raised (ROUNDSS). */
uint32_t fp_round32(struct fp_env *, uint32_t, enum fp_round, bool quiet);
uint64_t fp_round64(struct fp_env *, uint64_t, enum fp_round, bool quiet);
/* ZF, PF and CF in their places of EFLAGS (UCOMISS; SIGNALING: COMISS). */
uint32_t fp_comi32(struct fp_env *, uint32_t, uint32_t, bool signaling);
uint32_t fp_comi64(struct fp_env *, uint64_t, uint64_t, bool signaling);
/* Does condition CC (Jcc's, 0..15, of ZF, PF and CF) hold? Raises nothing. */
bool fp_cc32(const struct fp_env *, uint32_t, uint32_t, unsigned cc);
bool fp_cc64(const struct fp_env *, uint64_t, uint64_t, unsigned cc);
/* CMPSS with PREDICATE 0..31: all ones or 0. */
uint32_t fp_cmpm32(struct fp_env *, uint32_t, uint32_t, unsigned predicate);
uint64_t fp_cmpm64(struct fp_env *, uint64_t, uint64_t, unsigned predicate);
/* The host's own approximations, RCPSS and RSQRTSS. */
uint32_t fp_rcpx32(uint32_t);
uint32_t fp_rsqrtx32(uint32_t);

/* Makes ENV what MXCSR says, sticky flags too. */
void fp_env_set_mxcsr(struct fp_env *, uint32_t mxcsr);
/* Sticky flags (enum fp_flag) as bits 0..5 of MXCSR, and back. */
static inline uint32_t fp_mxcsr_flags(uint32_t flags)
{
    return (flags & 1) | (flags & 0x1e) << 1 | (flags & FP_DENORMAL) >> 6;
}
static inline uint32_t fp_flags_of_mxcsr(uint32_t mxcsr)
{
    return (mxcsr & 1) | (mxcsr >> 1 & 0x1e) | (mxcsr & 2) << 6;
}

#endif
