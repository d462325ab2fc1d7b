/* The guest's floating-point environment in the host's MXCSR. */
#include <immintrin.h>

#include "exec/vcpu.h"
#include "host/host.h"

#define MXCSR_FLAGS 0x3fu
#define MXCSR_MASKS 0x1f80u

#define MXCSR_DE 2u /* x86 guests only: ARM's denormal flag is that of flushing */

void vcpu_fp_sync(struct nw_vcpu *vcpu)
{
    if (!vcpu->mxcsr_live)
        return;
    uint32_t mxcsr = _mm_getcsr() & vcpu->mxcsr_counts;
    vcpu->fp.flags |= fp_flags_of_mxcsr(vcpu->fp.rules == FP_RULES_X86 ? mxcsr : mxcsr & ~MXCSR_DE);
}

uint32_t vcpu_fp_take(struct nw_vcpu *vcpu)
{
    vcpu_fp_sync(vcpu);
    uint32_t flags = vcpu->fp.flags, mxcsr = vcpu->mxcsr_live ? _mm_getcsr() : 0;
    vcpu->fp.flags = 0;
    if (mxcsr & vcpu->mxcsr_counts)
        _mm_setcsr(mxcsr & ~MXCSR_FLAGS);
    return flags;
}

uint32_t host_fp_callers(struct nw_vcpu *vcpu)
{
    uint32_t now = _mm_getcsr();
    vcpu_fp_sync(vcpu);
    if ((now ^ vcpu->host_mxcsr) & ~MXCSR_FLAGS)
        _mm_setcsr(vcpu->host_mxcsr);
    vcpu->mxcsr_live = 0;
    return now & ~MXCSR_FLAGS;
}

void host_fp_guests(struct nw_vcpu *vcpu, uint32_t modes)
{
    uint32_t known =
        fp_mxcsr_flags(vcpu->fp.flags) | (vcpu->fp.rules == FP_RULES_X86 ? 0 : MXCSR_DE);
    if ((_mm_getcsr() ^ modes) & (~MXCSR_FLAGS | (vcpu->mxcsr_counts & ~known)))
        _mm_setcsr(modes);
    vcpu->mxcsr_live = 1;
}

void vcpu_fp_changed(struct nw_vcpu *vcpu)
{
    static const uint8_t control[] = {[FP_RN] = 0, [FP_RP] = 2, [FP_RM] = 1, [FP_RZ] = 3};
    vcpu->mxcsr = MXCSR_MASKS | (uint32_t)control[vcpu->fp.round & 3] << 13 |
                  (uint32_t)vcpu->fp.daz << 6 | (uint32_t)vcpu->fp.ftz << 15;
    /* Looked at anew where translated code is entered; within it, unusual modes are seen here. */
    if (vcpu->mxcsr_counts)
        vcpu->mxcsr_switch |= vcpu->mxcsr ^ MXCSR_MASKS;
}

uint32_t fp_rcpx32(uint32_t a)
{
    return (uint32_t)_mm_cvtsi128_si32(
        _mm_castps_si128(_mm_rcp_ss(_mm_castsi128_ps(_mm_cvtsi32_si128((int)a)))));
}

uint32_t fp_rsqrtx32(uint32_t a)
{
    return (uint32_t)_mm_cvtsi128_si32(
        _mm_castps_si128(_mm_rsqrt_ss(_mm_castsi128_ps(_mm_cvtsi32_si128((int)a)))));
}
