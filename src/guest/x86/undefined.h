/* What processors do where the manuals say "undefined": one row per vendor, chosen by the CPU
 * model. AMD's row was measured on Zen 5; Intel's follows what is documented of its processors.
 * What both do alike needs no entry: it stands where it is lifted. */
#ifndef GUEST_X86_UNDEFINED_H
#define GUEST_X86_UNDEFINED_H

#include "guest/x86/model.h"

struct x86_undefined {
    bool shift_af;       /* SHL, SHR, SAR, SHLD, SHRD by more than 0 set AF, else they clear it */
    bool multiply_keeps; /* MUL, IMUL: SF, ZF, AF, PF stay; else SF and PF are the low half's */
    bool divide_sets;    /* DIV, IDIV: AF = 1, SF = ZF = PF = 0; else all stay */
    bool count_keeps_of; /* LZCNT, TZCNT: OF stays, else it is cleared */
    bool bextr_af;       /* BEXTR sets AF, else clears it */
    bool compare_fault;  /* a fault in REP CMPS, SCAS leaves the flags of the last comparison, else
                          * those of before */
    bool shift16_source; /* SHLD, SHRD of 16 bits by more than 16: the source follows the source,
                          * else the destination does */
    bool loop_prefix;    /* REPE, REPNE before LOOPE, LOOPNE replace the condition */
    bool prefetch_reg;   /* PREFETCH of a register is undefined, else no operation */
    bool far_offset32;   /* LFS, LGS, LSS, far CALL and JMP with REX.W read a 32-bit offset, else one of
                          * 64 bits */
    bool gather_keeps;   /* a gather that faults leaves the masks of elements not reached, else makes
                          * them of their signs */
};

const struct x86_undefined *x86_undefined_of(const struct x86_model *);

#endif
