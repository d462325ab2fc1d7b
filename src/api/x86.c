/* The public calls of the x86 guests. */
#include <narwhal/x86.h>

#include "exec/engine.h"
#include "exec/hooks.h"
#include "guest/x86/bare.h"
#include "guest/x86/control.h"

/* May the caller look at the state now, or, with WRITES, change it? */
static nw_status begin(nw_vcpu *vcpu, bool writes)
{
    if (!vcpu || (vcpu->guest != &x86_guest && vcpu->guest != &x86_64_guest))
        return NW_ERR_ARG;
    if (vcpu_busy(vcpu))
        return NW_ERR_BUSY;
    if (writes)
        hooks_note_write(vcpu);
    return NW_OK;
}

/* What the guest's own instructions would raise is an error here; what is under way in the vCPU
 * when a callback comes here stays. */
struct attempt {
    struct vcpu_exc exc;
    uint32_t leave;
};

static struct attempt try(nw_vcpu *vcpu)
{
    struct attempt a = {vcpu->exc, vcpu->leave};

    vcpu->leave = VCPU_LEAVE_NONE;
    return a;
}

static nw_status done(nw_vcpu *vcpu, const struct attempt *a, bool ok)
{
    vcpu->exc = a->exc;
    vcpu->leave = a->leave;
    return ok ? NW_OK : NW_ERR_FAULT;
}

nw_status nw_x86_bare(nw_vcpu *vcpu, unsigned bits)
{
    TRY(begin(vcpu, true));
    if ((bits != 16 && bits != 32 && bits != 64) || vcpu->engine->exceptions != NW_EXC_BARE ||
        (bits == 64 && vcpu->guest != &x86_64_guest))
        return NW_ERR_ARG;
    x86_bare_set(vcpu, bits);
    return NW_OK;
}

nw_status nw_x86_segment_load(nw_vcpu *vcpu, unsigned seg, uint16_t selector)
{
    TRY(begin(vcpu, true));
    if (seg > X86_GS)
        return NW_ERR_ARG;
    struct attempt a = try(vcpu);
    return done(vcpu, &a, x86_bare_segment(vcpu, seg, selector));
}

nw_status nw_x86_msr_read(nw_vcpu *vcpu, uint32_t index, uint64_t *value)
{
    TRY(begin(vcpu, false));
    if (!value)
        return NW_ERR_ARG;
    struct attempt a = try(vcpu);
    return done(vcpu, &a, x86_msr_read(vcpu, index, value));
}

nw_status nw_x86_msr_write(nw_vcpu *vcpu, uint32_t index, uint64_t value)
{
    TRY(begin(vcpu, true));
    struct attempt a = try(vcpu);
    return done(vcpu, &a, x86_msr_write(vcpu, index, value));
}
