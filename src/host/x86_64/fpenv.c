/* The guest's floating-point environment in the host's MXCSR. */
#include <immintrin.h>

#include "exec/vcpu.h"

#define MXCSR_FLAGS 0x3fu
#define MXCSR_MASKS 0x1f80u

/* IE, ZE, OE, UE, PE are the enum fp_flag bits in order once DE (bit 1) is left out. */
static uint32_t flags_of(uint32_t mxcsr)
{
    return (mxcsr & 1) | (mxcsr >> 1 & 0x1e);
}

void vcpu_fp_sync(struct nw_vcpu *vcpu)
{
    if (!vcpu->mxcsr_live)
        return;
    uint32_t mxcsr = _mm_getcsr();
    vcpu->fp.flags |= flags_of(mxcsr);
    _mm_setcsr(mxcsr & ~MXCSR_FLAGS);
}

void vcpu_fp_changed(struct nw_vcpu *vcpu)
{
    static const uint8_t control[] = {[FP_RN] = 0, [FP_RP] = 2, [FP_RM] = 1, [FP_RZ] = 3};
    vcpu->mxcsr = MXCSR_MASKS | (uint32_t)control[vcpu->fp.round & 3] << 13;
}
