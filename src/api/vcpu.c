/* The public vCPU calls. */
#include "exec/engine.h"
#include "exec/signals.h"

nw_status nw_vcpu_create(nw_engine *engine, nw_vcpu **out)
{
    if (!engine || !out)
        return NW_ERR_ARG;
    *out = NULL;
    return engine->accel->vcpu_create(engine, out);
}

void nw_vcpu_destroy(nw_vcpu *vcpu)
{
    if (vcpu)
        vcpu->engine->accel->vcpu_destroy(vcpu);
}

nw_status nw_vcpu_run(nw_vcpu *vcpu, uint64_t limit, nw_exit *exit)
{
    if (!vcpu || !exit)
        return NW_ERR_ARG;
    return vcpu->engine->accel->run(vcpu, limit, exit);
}

void nw_vcpu_stop(nw_vcpu *vcpu)
{
    if (!vcpu)
        return;
    if (vcpu_runs_here(vcpu) && vcpu->frame)
        vcpu->frame->flags |= HOOK_STOPPED;
    vcpu->engine->accel->kick(vcpu, VCPU_REQ_STOP);
}

void nw_vcpu_cancel_stop(nw_vcpu *vcpu)
{
    if (vcpu &&
        NW_UNLIKELY(atomic_load_explicit(&vcpu->request, memory_order_relaxed) & VCPU_REQ_STOP))
        atomic_fetch_and(&vcpu->request, ~(uint32_t)VCPU_REQ_STOP);
}

void nw_vcpu_set_user(nw_vcpu *vcpu, void *user)
{
    if (vcpu)
        vcpu->owner = user;
}

void *nw_vcpu_user(const nw_vcpu *vcpu)
{
    return vcpu ? vcpu->owner : NULL;
}

nw_vcpu *nw_vcpu_current(void)
{
    return signals_vcpu();
}

nw_status nw_vcpu_set_irq(nw_vcpu *vcpu, unsigned line, bool level)
{
    if (!vcpu || line >= 32)
        return NW_ERR_ARG;
    if (level)
        __atomic_fetch_or(&vcpu->irq_lines, 1u << line, __ATOMIC_RELEASE);
    else
        __atomic_fetch_and(&vcpu->irq_lines, ~(1u << line), __ATOMIC_RELEASE);
    vcpu->engine->accel->kick(vcpu, VCPU_REQ_IRQ);
    return NW_OK;
}

nw_status nw_vcpu_set_int_ack(nw_vcpu *vcpu, nw_int_ack_fn ack, void *opaque)
{
    if (!vcpu)
        return NW_ERR_ARG;
    if (atomic_load(&vcpu->exec->running))
        return NW_ERR_BUSY;
    vcpu->int_ack = ack;
    vcpu->int_ack_opaque = opaque;
    return NW_OK;
}

nw_status nw_reg_read(nw_vcpu *vcpu, unsigned reg, uint64_t *value)
{
    if (!vcpu || !value)
        return NW_ERR_ARG;
    if (vcpu_busy(vcpu))
        return NW_ERR_BUSY;
    return vcpu->guest->reg_read(vcpu, reg, value);
}

nw_status nw_reg_write(nw_vcpu *vcpu, unsigned reg, uint64_t value)
{
    if (!vcpu)
        return NW_ERR_ARG;
    if (vcpu_busy(vcpu))
        return NW_ERR_BUSY;
    hooks_note_write(vcpu);
    return vcpu->guest->reg_write(vcpu, reg, value);
}
