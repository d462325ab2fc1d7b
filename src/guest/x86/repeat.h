/* String instructions with a repeat prefix (SDM 1 7.3.9.2): what lift_string.c tells the helper. */
#ifndef GUEST_X86_REPEAT_H
#define GUEST_X86_REPEAT_H

#include "exec/vcpu.h"

enum x86_string_kind { X86_MOVS, X86_STOS, X86_LODS, X86_SCAS, X86_CMPS };

/* Fields of the helper's argument. */
#define X86_STRING_MEMOP(what) ((uint32_t)(what)&0xffff) /* of one element */
#define X86_STRING_KIND(what)  ((enum x86_string_kind)((what) >> 16 & 7))
#define X86_STRING_SEG(what)   ((unsigned)((what) >> 19 & 7)) /* enum x86_seg of [SI] */
#define X86_STRING_ADDR(what)  (16u << ((what) >> 22 & 3))    /* bits of an address */
enum {
    X86_STRING_REPNE = 1 << 24, /* SCAS and CMPS go on while ZF is 0 */
    X86_STRING_ONE = 1 << 25,   /* one element at a time */
    X86_STRING_LOOK = 1 << 26,  /* that there are no more takes a time of its own */
};

/* Helper: repeats the instruction until it is done, something wants the vCPU's attention, or an
 * element cannot be accessed. The registers describe what is left. Gives 1 while something is. */
uint64_t x86_string_repeat(struct nw_vcpu *, uint64_t what, uint64_t, uint64_t, uint64_t);

#endif
