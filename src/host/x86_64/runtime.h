/* The fixed code and constants that all blocks of a code buffer share. */
#ifndef HOST_X86_64_RUNTIME_H
#define HOST_X86_64_RUNTIME_H

#include "host/host.h"

/* rbp points this far into the vCPU, so that the hottest state is in reach of 8-bit offsets. */
#define VCPU_BIAS 128

/* The frame, from rsp up. Register n is saved at FRAME_REGS + 8 * n; slots of registers that are
 * never saved serve other purposes. */
#define FRAME_FLAGS  0 /* 24 bytes, see emit_lazy.c, and one more word for the settle routine */
#define FRAME_REGS   32
#define FRAME_RESULT (FRAME_REGS + 32)  /* rsp's: what a slow call gave */
#define FRAME_AUX    (FRAME_REGS + 40)  /* rbp's */
#define FRAME_PC     (FRAME_REGS + 120) /* r15's */
#define FRAME_SPILL  (FRAME_REGS + 128)
#define FRAME_SPILLS 48
#define FRAME_XMM    (FRAME_SPILL + 8 * FRAME_SPILLS) /* 32 bytes each */
#define FRAME_VEC    (FRAME_XMM + 32 * 16) /* vectors for slow calls: the result, operands */
#define FRAME_VEC_SPILL  (FRAME_VEC + 4 * 32)
#define FRAME_VEC_SPILLS 32
#define FRAME_HOOK       (FRAME_VEC_SPILL + 32 * FRAME_VEC_SPILLS) /* struct hook_frame of direct calls */
#define FRAME_OUTER_LAZY (FRAME_HOOK + 48) /* vcpu->lazy_flags of the run around this one */
#define FRAME_SIZE       (FRAME_OUTER_LAZY + 8) /* 8 modulo 16: aligned after six pushes */

/* Instructions that a host may have beyond those that host_check asks for. */
enum host_feature { HOST_F16C = 1, HOST_CLMUL = 2, HOST_AES = 4, HOST_SHA = 8, HOST_GFNI = 16 };
unsigned host_features(void);

/* General registers that hold guest slots, in order of the guest's pins, and the others. */
#define NPINREGS 9
extern const uint8_t pin_regs[NPINREGS];
#define TEMP_REGS 0x47u /* rax, rcx, rdx, rsi */
#define CALLER_SAVED 0x0fc7u /* rax, rcx, rdx, rsi, rdi, r8..r11 */

/* Upper half of the first word of FRAME_FLAGS. */
#define LAZY_NONE UINT32_MAX
#define LAZY_SUB  0u
#define LAZY_ADD  1u

static inline unsigned pin_count(const struct guest_ops *g)
{
    return g->npins < NPINREGS ? g->npins : NPINREGS;
}

#endif
