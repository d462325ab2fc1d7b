/* Hooks of accesses and of faults. */
#include <string.h>
#include "exec/engine.h"
#include "exec/signals.h"
#include "exec/vcpu_priv.h"

static enum mem_hook kind_of(nw_hook_kind kind)
{
    switch (kind) {
    case NW_HOOK_READ: return MEM_HOOK_READ;
    case NW_HOOK_READ_AFTER: return MEM_HOOK_READ_AFTER;
    case NW_HOOK_WRITE: return MEM_HOOK_WRITE;
    default: return 0;
    }
}

static bool meets(const nw_hook_spec *s, uint64_t first, uint64_t last)
{
    return s->begin > s->end || (last >= s->begin && first <= s->end);
}

uint32_t hooks_page(void *opaque, uint64_t page)
{
    const struct nw_engine *engine = opaque;
    uint32_t kinds = 0;

    for (const struct nw_hook *h = engine->hooks.list; h; h = h->next)
        if (meets(&h->spec, page, page | (PAGE_SIZE_ - 1)))
            kinds |= kind_of(h->spec.kind);
    return kinds;
}

void hooks_memory_changed(struct nw_engine *engine)
{
    const uint32_t *count = engine->hooks.count;
    uint32_t kinds = (count[NW_HOOK_READ] ? MEM_HOOK_READ : 0) |
                     (count[NW_HOOK_READ_AFTER] ? MEM_HOOK_READ_AFTER : 0) |
                     (count[NW_HOOK_WRITE] ? MEM_HOOK_WRITE : 0);
    struct nw_vcpu *self = signals_vcpu();

    /* Code that numbers its accesses, or need not. */
    if (!kinds != !engine->mem.hooked)
        cache_forget(engine, 0, UINT64_MAX);
    sync_pause(engine, self && self->engine == engine ? self : NULL);
    engine->mem.hooked = kinds;
    for (struct nw_vcpu *v = engine->vcpus; v; v = v->next)
        tlb_flush(v);
    sync_resume(engine);
}

/* The place of a report among those of one instruction. */
static uint32_t order_of(const struct nw_vcpu *vcpu, enum mem_hook kind)
{
    return 8 * vcpu->access_index + kind;
}

static void call(struct nw_vcpu *vcpu, const nw_hook_spec *s, uint64_t gva, uint32_t size,
                 const uint8_t *data)
{
    nw_access access = s->kind == NW_HOOK_WRITE ? NW_ACCESS_WRITE : NW_ACCESS_READ;
    uint64_t value = 0;

    if (data)
        memcpy(&value, data, size < 8 ? size : 8);
    s->access(vcpu, access, gva, size, value, data, s->user);
}

enum mem_hook_result hooks_access(struct nw_vcpu *vcpu, enum mem_hook kind, uint64_t gva,
                                  uint32_t size, const uint8_t *data)
{
    struct exec_vcpu *x = vcpu->exec;
    enum mem_hook_result result = MEM_HOOK_GO;
    enum vcpu_leave leave = VCPU_LEAVE_NONE;
    uint32_t order = order_of(vcpu, kind);

    if (order < x->reported)
        return MEM_HOOK_GO;
    for (const struct nw_hook *h = vcpu->engine->hooks.list, *next; h; h = next) {
        struct hook_frame frame;

        next = h->next;
        if (kind_of(h->spec.kind) != kind || !meets(&h->spec, gva, gva + size - 1))
            continue;
        hooks_enter(vcpu, &frame);
        call(vcpu, &h->spec, gva, size, data);
        hooks_leave(vcpu, &frame);
        enum vcpu_leave now = hooks_outcome(vcpu, &frame);
        if (now == VCPU_LEAVE_UNDONE) {
            return hooks_moved(vcpu, &frame) ? MEM_HOOK_LEAVE : MEM_HOOK_STOP;
        }
        if (now != VCPU_LEAVE_NONE)
            leave = now;
    }
    vcpu->leave = leave;
    if (leave != VCPU_LEAVE_NONE) {
        /* The instruction is run again, by what is now, and reports what comes after this. */
        x->reported = order + 1;
        result = MEM_HOOK_LEAVE;
    }
    return result;
}

bool hooks_fault(struct nw_vcpu *vcpu)
{
    const struct vcpu_exc *e = &vcpu->exc;
    uint32_t bit = 1u << (e->access * 8 + e->fault);
    struct exec_vcpu *x = vcpu->exec;
    nw_exit fault = {.reason = NW_EXIT_FAULT,
                     .access = (nw_access)e->access,
                     .fault = (nw_fault)e->fault,
                     .pc = vcpu_pc(vcpu),
                     .addr = e->addr,
                     .size = e->size};
    uint64_t value = e->access == NW_ACCESS_WRITE ? vcpu->fault_value : 0;
    bool mended = false;

    for (const struct nw_hook *h = vcpu->engine->hooks.list, *next; h && !mended; h = next) {
        struct hook_frame frame;

        next = h->next;
        if (h->spec.kind != NW_HOOK_FAULT || (h->spec.faults && !(h->spec.faults & bit)) ||
            !meets(&h->spec, fault.addr, fault.addr + fault.size - 1))
            continue;
        hooks_enter(vcpu, &frame);
        mended = h->spec.fault(vcpu, &fault, value, h->spec.user);
        hooks_leave(vcpu, &frame);
        if (hooks_moved(vcpu, &frame)) {
            x->moved = true;
            return true;
        }
    }
    if (mended && e->access != NW_ACCESS_FETCH)
        x->reported = order_of(vcpu, MEM_HOOK_READ) + 1;
    return mended;
}
