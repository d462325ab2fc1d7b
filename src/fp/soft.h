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
    FP_DENORMAL = 1 << 7, /* a denormal input was flushed to zero */
};

enum fp_nan_rule { FP_NAN_ARM /* first signalling, then first quiet operand, quieted */ };

struct fp_env {
    uint8_t round;          /* enum fp_round, 0..3 */
    uint8_t flush;          /* flush denormal inputs and results to zero (FPSCR.FZ) */
    uint8_t default_nan;    /* every NaN result is the default NaN (FPSCR.DN) */
    uint8_t nan_rule;       /* enum fp_nan_rule */
    uint8_t tiny_after;     /* tininess is detected after rounding (x86) instead of before (ARM) */
    uint8_t ahp;            /* alternative half precision (FPSCR.AHP) */
    uint8_t pad[2];
    uint32_t flags;         /* enum fp_flag, accumulated */
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

/* ARM flags nibble (N=8 less, Z=4|C=2 equal, C=2 greater, C|V=3 unordered). SIGNALING: any NaN is
 * invalid, else only signalling ones. */
uint32_t fp_cmp32(struct fp_env *, uint32_t, uint32_t, bool signaling);
uint32_t fp_cmp64(struct fp_env *, uint64_t, uint64_t, bool signaling);

uint64_t fp_32to64(struct fp_env *, uint32_t);
uint32_t fp_64to32(struct fp_env *, uint64_t);
uint32_t fp_16to32(struct fp_env *, uint16_t);
uint16_t fp_32to16(struct fp_env *, uint32_t);

/* To integers of BITS (16, 32, 64) width with FRACTION fixed-point bits, saturating, NaN to 0.
 * The result is sign- or zero-extended to 64 bits. */
uint64_t fp_toint32(struct fp_env *, uint32_t, unsigned bits, bool is_signed, unsigned fraction, enum fp_round);
uint64_t fp_toint64(struct fp_env *, uint64_t, unsigned bits, bool is_signed, unsigned fraction, enum fp_round);
/* From a sign- or zero-extended integer divided by 2^FRACTION. */
uint32_t fp_fromint32(struct fp_env *, uint64_t, bool is_signed, unsigned fraction, enum fp_round);
uint64_t fp_fromint64(struct fp_env *, uint64_t, bool is_signed, unsigned fraction, enum fp_round);

#endif
