/* Calling hooks, and what becomes of the vCPU when a callback has changed something. */
#include "exec/hooks.h"

#include <string.h>
#include <xmmintrin.h>
#include "exec/engine.h"
#include "exec/signals.h"
#include "exec/vcpu_priv.h"

static uint64_t changes_of(const struct nw_engine *engine)
{
    return atomic_load_explicit(&engine->hooks.changes, memory_order_relaxed) +
           atomic_load_explicit(&engine->cache.epoch, memory_order_relaxed);
}

void hooks_enter(struct nw_vcpu *vcpu, struct hook_frame *f)
{
    struct exec_vcpu *x = vcpu->exec;

    f->outer = x->frame;
    f->wrote = false;
    f->changes = changes_of(vcpu->engine);
    f->guest_mxcsr = vcpu->mxcsr;
    f->live = vcpu->mxcsr_live;
    if (f->live) {
        /* The caller's code runs under the caller's floating-point modes. */
        vcpu_fp_sync(vcpu);
        f->live_mxcsr = _mm_getcsr();
        _mm_setcsr(vcpu->host_mxcsr);
        vcpu->mxcsr_live = 0;
    }
    x->frame = f;
}

void hooks_leave(struct nw_vcpu *vcpu, struct hook_frame *f)
{
    vcpu->exec->frame = f->outer;
    if (f->live) {
        _mm_setcsr(f->live_mxcsr);
        vcpu->mxcsr_live = 1;
    }
}

bool hooks_inside(const struct nw_vcpu *vcpu)
{
    return vcpu->exec->frame && signals_vcpu() == vcpu;
}

void hooks_note_write(struct nw_vcpu *vcpu)
{
    struct hook_frame *f = vcpu->exec->frame;

    if (!f || f->wrote)
        return;
    f->wrote = true;
    f->before = vcpu->guest->key(vcpu);
}

/* An instruction that is run in the interpreter calls no hooks: so this one does not call them
 * twice. */
enum vcpu_leave hooks_outcome(struct nw_vcpu *vcpu, const struct hook_frame *f)
{
    if (atomic_load_explicit(&vcpu->request, memory_order_relaxed) & VCPU_REQ_STOP)
        return vcpu->leave = VCPU_LEAVE_UNDONE;
    if (f->wrote) {
        struct block_key now = vcpu->guest->key(vcpu);

        if (now.pc != f->before.pc)
            return vcpu->leave = VCPU_LEAVE_UNDONE;
        if (now.mode != f->before.mode || vcpu->mxcsr != f->guest_mxcsr)
            return vcpu->leave = VCPU_LEAVE_STEP;
    }
    if (f->changes != changes_of(vcpu->engine))
        return vcpu->leave = VCPU_LEAVE_STEP;
    return VCPU_LEAVE_NONE;
}

/* True: the instruction has been done by the callback. */
static bool call_one(struct nw_vcpu *vcpu, const struct hook_site *site, const struct nw_hook *h)
{
    const nw_hook_spec *s = &h->spec;

    if (NW_UNLIKELY(atomic_load_explicit(&h->removed, memory_order_relaxed)))
        return false;
    switch (s->kind) {
    case NW_HOOK_INSN: return s->insn_fn(vcpu, site->pc, site->insn_size, s->user);
    case NW_HOOK_BLOCK: s->code(vcpu, site->pc, site->block_size, s->user); return false;
    default: s->code(vcpu, site->pc, site->insn_size, s->user); return false;
    }
}

uint64_t hooks_call(struct nw_vcpu *vcpu, uint64_t arg, uint64_t unused1, uint64_t unused2,
                    uint64_t unused3)
{
    const struct hook_site *site = (const struct hook_site *)(uintptr_t)arg;
    struct hook_frame frame;
    enum vcpu_leave outcome = VCPU_LEAVE_NONE;

    (void)unused1, (void)unused2, (void)unused3;
    if (site->stop && hooks_stop_at(vcpu, site->pc)) {
        vcpu->leave = VCPU_LEAVE_UNDONE;
        return 0;
    }
    for (uint32_t n = 0; n < site->n; n++) {
        hooks_enter(vcpu, &frame);
        bool done = call_one(vcpu, site, site->hook[n]);
        hooks_leave(vcpu, &frame);
        enum vcpu_leave now = hooks_outcome(vcpu, &frame);
        if (done && !(frame.wrote && vcpu->guest->key(vcpu).pc != frame.before.pc)) {
            vcpu->guest->advance(vcpu, site->insn_size);
            vcpu->leave = VCPU_LEAVE_STATE;
            return 0;
        }
        if (now == VCPU_LEAVE_UNDONE)
            return 0;
        if (now != VCPU_LEAVE_NONE)
            outcome = now;
    }
    /* A callback may have run the vCPU, which leaves this as it ended. */
    vcpu->leave = outcome;
    return 0;
}
