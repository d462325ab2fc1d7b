/* Calling hooks, and what becomes of the vCPU when a callback has changed something. */
#include "exec/hooks.h"

#include <string.h>
#include "exec/engine.h"
#include "exec/signals.h"
#include "exec/vcpu_priv.h"
#include "host/host.h"

void hooks_switch(struct nw_vcpu *vcpu, struct hook_frame *f)
{
    f->live_mxcsr = host_fp_callers(vcpu);
}

/* A run in the callback may have met the guest's first floating point. */
void hooks_switch_back(struct nw_vcpu *vcpu, const struct hook_frame *f)
{
    if (f->switched)
        host_fp_guests(vcpu, f->live_mxcsr);
    else if (vcpu->mxcsr_live)
        host_fp_guests(vcpu, vcpu->mxcsr);
}

/* Whoever asks is about to look at guest state. */
bool hooks_inside(struct nw_vcpu *vcpu)
{
    if (!vcpu->frame || !vcpu_runs_here(vcpu))
        return false;
    host_settle(vcpu);
    return true;
}

void hooks_note_write_inside(struct nw_vcpu *vcpu)
{
    struct hook_frame *f = vcpu->frame;
    struct block_key key;

    if (f->flags & HOOK_WROTE)
        return;
    key = vcpu->guest->key(vcpu);
    f->flags |= HOOK_WROTE;
    f->before_pc = key.pc;
    f->before_mode = key.mode;
    f->guest_mxcsr = vcpu->mxcsr;
}

void hooks_note_change(struct nw_engine *engine)
{
    for (const struct nw_vcpu *v = engine_self(engine); v; v = v->exec->outer)
        for (struct hook_frame *f = v->engine == engine ? v->frame : NULL; f; f = f->outer)
            f->flags |= HOOK_CHANGED;
}

bool hooks_moved(struct nw_vcpu *vcpu, const struct hook_frame *f)
{
    return f->flags & HOOK_WROTE && vcpu->guest->key(vcpu).pc != f->before_pc;
}

/* An instruction that is run in the interpreter calls no hooks: so this one does not call them
 * twice. It also sees what the callback has written, which translated code holds copies of. */
enum vcpu_leave hooks_outcome(struct nw_vcpu *vcpu, const struct hook_frame *f)
{
    if (atomic_load_explicit(&vcpu->request, memory_order_relaxed) & VCPU_REQ_STOP)
        return vcpu->leave = VCPU_LEAVE_UNDONE;
    if (NW_LIKELY(!f->flags))
        return VCPU_LEAVE_NONE;
    return vcpu->leave = hooks_moved(vcpu, f) ? VCPU_LEAVE_UNDONE : VCPU_LEAVE_STEP;
}

/* True: the instruction has been done by the callback. */
static bool call_one(struct nw_vcpu *vcpu, const struct hook_site *site, uint32_t n)
{
    const struct nw_hook *h = site->hook[n];
    const nw_hook_spec *s = &h->spec;
    void *first = s->self ? s->self : vcpu;

    if (hook_removed(h))
        return false;
    switch (s->kind) {
    case NW_HOOK_COUNTER:
    case NW_HOOK_RING:
    case NW_HOOK_COVERAGE: hooks_note_now(vcpu, site, n); return false;
    case NW_HOOK_INSN: return s->insn_fn(vcpu, site->pc, site->insn_size, s->user);
    case NW_HOOK_BLOCK: s->code(first, site->pc, site->block_size, s->user); return false;
    default: s->code(first, site->pc, site->insn_size, s->user); return false;
    }
}

/* A callback may have run the vCPU, which leaves vcpu->leave as that run ended. */
static enum ir_hook_result go_on(struct nw_vcpu *vcpu, enum vcpu_leave outcome)
{
    vcpu->leave = outcome;
    return outcome == VCPU_LEAVE_NONE ? IR_HOOK_GO : IR_HOOK_LEAVE;
}

/* The hooks of SITE one after the other. The instruction is done when one of them has done it, but
 * all are told; of those of the instruction all even when one has moved the pc. */
static enum ir_hook_result call_all(struct nw_vcpu *vcpu, const struct hook_site *site)
{
    enum vcpu_leave outcome = VCPU_LEAVE_NONE;
    bool done = false, moved = false;

    for (uint32_t n = 0; n < site->n; n++) {
        struct hook_frame frame;

        if (moved && site->hook[n]->spec.kind != NW_HOOK_INSN)
            break;

        hooks_enter(vcpu, &frame);
        done |= call_one(vcpu, site, n);
        hooks_leave(vcpu, &frame);
        enum vcpu_leave now = hooks_outcome(vcpu, &frame);
        if (hooks_moved(vcpu, &frame)) {
            moved = true;
            if (site->hook[n]->spec.kind == NW_HOOK_INSN)
                continue;
            break;
        }
        if (now != VCPU_LEAVE_NONE)
            outcome = now;
        if (now == VCPU_LEAVE_UNDONE) /* stopped */
            break;
    }
    if (moved)
        return go_on(vcpu, VCPU_LEAVE_UNDONE);
    if (done) {
        vcpu->guest->advance(vcpu, site->insn_size);
        vcpu->leave = VCPU_LEAVE_STATE;
        return IR_HOOK_LEAVE;
    }
    return go_on(vcpu, outcome);
}

/* The site that translated code passes. Another thread may have made it, with the code, and linked
 * it to what this one was running: the host keeps the order, and this says so to the compiler. */
static const struct hook_site *site_of(uint64_t arg)
{
    struct hook_site *site = (struct hook_site *)(uintptr_t)arg;

    (void)atomic_load_explicit(&site->made, memory_order_acquire);
    return site;
}

uint64_t hooks_call(struct nw_vcpu *vcpu, uint64_t arg, uint64_t unused1, uint64_t unused2,
                    uint64_t unused3)
{
    const struct hook_site *site = site_of(arg);

    (void)unused1, (void)unused2, (void)unused3;
    if (site->stop && vcpu_stops_at(vcpu, site->pc)) {
        vcpu->leave = VCPU_LEAVE_UNDONE;
        return IR_HOOK_LEAVE;
    }
    return call_all(vcpu, site);
}

uint64_t hooks_after(struct nw_vcpu *vcpu, const struct hook_frame *f)
{
    if (NW_UNLIKELY(vcpu->mxcsr_switch && vcpu->mxcsr_live))
        host_fp_guests(vcpu, vcpu->mxcsr);
    return go_on(vcpu, hooks_outcome(vcpu, f));
}

uint64_t hooks_compare(struct nw_vcpu *vcpu, uint64_t arg, uint64_t a, uint64_t b, uint64_t what)
{
    const struct hook_site *site = site_of(arg);
    enum vcpu_leave outcome = VCPU_LEAVE_NONE;

    for (uint32_t n = 0; n < site->n && outcome != VCPU_LEAVE_UNDONE; n++) {
        const nw_hook_spec *s = &site->hook[n]->spec;
        struct hook_frame frame;

        if (hook_removed(site->hook[n]))
            continue;
        hooks_enter(vcpu, &frame);
        s->compare(vcpu, site->pc, a, b, (uint32_t)what & 0xff, (unsigned)what >> 8, s->user);
        hooks_leave(vcpu, &frame);
        enum vcpu_leave now = hooks_outcome(vcpu, &frame);
        if (now != VCPU_LEAVE_NONE)
            outcome = now;
    }
    vcpu->leave = outcome;
    return 0;
}

bool hooks_translated(struct nw_vcpu *vcpu, const nw_block *block, const nw_block *previous)
{
    uint32_t flags = 0;

    for (const struct nw_hook *h = vcpu->engine->hooks.kind[NW_HOOK_TRANSLATE].first; h;
         h = h->same) {
        const nw_hook_spec *s = &h->spec;
        struct hook_frame frame;

        if (block->pc < h->node.begin || block->pc > h->node.end || hook_removed(h))
            continue;
        hooks_enter(vcpu, &frame);
        s->translate(vcpu, block, previous, s->user);
        hooks_leave(vcpu, &frame);
        flags |= frame.flags;
    }
    return flags != 0;
}
