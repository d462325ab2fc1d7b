#include "guest/x86/mxcsr.h"

#include "guest/x86/segment.h"

#define STICKY 0x3fu

/* MXCSR's flags by position: IE, DE, ZE, OE, UE, PE. */
static const uint32_t flag_of[6] = {FP_INVALID,  FP_DENORMAL,  FP_DIVZERO,
                                    FP_OVERFLOW, FP_UNDERFLOW, FP_INEXACT};

uint32_t x86_mxcsr_read(struct nw_vcpu *vcpu)
{
    uint32_t value = x86_of(vcpu)->mxcsr;
    vcpu_fp_sync(vcpu);
    for (unsigned n = 0; n < 6; n++)
        if (vcpu->fp.flags & flag_of[n])
            value |= 1u << n;
    return value;
}

void x86_mxcsr_write(struct nw_vcpu *vcpu, uint32_t value)
{
    static const uint8_t round[4] = {FP_RN, FP_RM, FP_RP, FP_RZ};
    struct x86_state *s = x86_of(vcpu);

    vcpu_fp_sync(vcpu);
    s->mxcsr = value & ~STICKY;
    vcpu->fp.flags = 0;
    for (unsigned n = 0; n < 6; n++)
        if (value >> n & 1)
            vcpu->fp.flags |= flag_of[n];
    vcpu->fp.round = round[value >> 13 & 3];
    vcpu_fp_changed(vcpu);
    x86_mode_update(s);
}
