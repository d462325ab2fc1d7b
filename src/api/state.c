/* Whole states of vCPUs. */
#include <string.h>
#include "exec/engine.h"

struct header {
    uint32_t arch, size;
    uint32_t fp_flags; /* sticky ones, which are not in the state */
    uint32_t unused;
};

size_t nw_state_size(const nw_vcpu *vcpu)
{
    return vcpu ? sizeof(struct header) + vcpu->guest->state_size : 0;
}

nw_status nw_state_save(nw_vcpu *vcpu, void *out)
{
    struct header h;

    if (!vcpu || !out)
        return NW_ERR_ARG;
    if (vcpu_busy(vcpu))
        return NW_ERR_BUSY;
    vcpu_fp_sync(vcpu);
    h = (struct header){vcpu->guest->arch, (uint32_t)vcpu->guest->state_size, vcpu->fp.flags, 0};
    memcpy(out, &h, sizeof h);
    memcpy((uint8_t *)out + sizeof h, vcpu->state, vcpu->guest->state_size);
    return NW_OK;
}

nw_status nw_state_load(nw_vcpu *vcpu, const void *from)
{
    struct header h;

    if (!vcpu || !from)
        return NW_ERR_ARG;
    if (vcpu_busy(vcpu))
        return NW_ERR_BUSY;
    memcpy(&h, from, sizeof h);
    if (h.arch != (uint32_t)vcpu->guest->arch || h.size != vcpu->guest->state_size)
        return NW_ERR_ARG;
    hooks_note_write(vcpu);
    vcpu_fp_sync(vcpu);
    vcpu->guest->load(vcpu, (const uint8_t *)from + sizeof h, h.fp_flags & 0x9f);
    return NW_OK;
}
