/* Processor state in memory: FXSAVE, XSAVE and their sisters (SDM 1 10.5, 13). */
#ifndef GUEST_X86_XSAVE_H
#define GUEST_X86_XSAVE_H

#include "guest/x86/state.h"

/* State components (SDM 1 13.1). */
enum x86_component { X86_XS_X87 = 1, X86_XS_SSE = 2, X86_XS_AVX = 4 };
#define X86_XSAVE_SIZE 832 /* bytes, with all of them; 576 without AVX */

/* How a helper is to do it: X86_XS_WIDE, the kind, the memop of a byte << 16. */
enum x86_xsave_how {
    X86_XS_WIDE = 1, /* 64-bit instruction and operand pointers (REX.W) */
    X86_XS_KIND = 3 << 1,
    X86_XS_PLAIN = 0 << 1, /* XSAVE */
    X86_XS_OPT = 1 << 1,   /* XSAVEOPT */
    X86_XS_COMPACT = 2 << 1, /* XSAVEC */
};

typedef uint64_t x86_xsave_fn(struct nw_vcpu *, uint64_t addr, uint64_t how, uint64_t, uint64_t);
x86_xsave_fn x86_fxsave_area, x86_fxrstor_area;
x86_xsave_fn x86_xsave_area, x86_xrstor_area;

#endif
