#include "guest/x86/mxcsr.h"

#include "guest/x86/segment.h"

#define STICKY 0x3fu

uint32_t x86_mxcsr_read(struct nw_vcpu *vcpu)
{
    vcpu_fp_sync(vcpu);
    return x86_of(vcpu)->mxcsr | fp_mxcsr_flags(vcpu->fp.flags);
}

void x86_mxcsr_write(struct nw_vcpu *vcpu, uint32_t value)
{
    struct x86_state *s = x86_of(vcpu);

    vcpu_fp_take(vcpu);
    s->mxcsr = value & ~STICKY;
    fp_env_set_mxcsr(&vcpu->fp, value);
    vcpu_fp_changed(vcpu);
    x86_mode_update(s);
}
