/* Hooks of accesses and of faults. */
#include <string.h>
#include "exec/engine.h"
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

static bool meets(const struct nw_hook *h, uint64_t first, uint64_t last)
{
    return last >= h->node.begin && first <= h->node.end;
}

static void add_kind(void *kinds, struct hook_node *node)
{
    *(uint32_t *)kinds |= kind_of(hook_of(node)->spec.kind);
}

uint32_t hooks_page(void *opaque, uint64_t page)
{
    const struct nw_engine *engine = opaque;
    uint32_t kinds = 0;

    hook_tree_find(engine->hooks.accesses, page, page | (PAGE_SIZE_ - 1), add_kind, &kinds);
    return kinds;
}

static const struct hook_list *list_of(const struct nw_engine *engine, enum mem_hook kind)
{
    return &engine->hooks.kind[kind == MEM_HOOK_READ         ? NW_HOOK_READ
                               : kind == MEM_HOOK_READ_AFTER ? NW_HOOK_READ_AFTER
                                                             : NW_HOOK_WRITE];
}

static const struct access_direct *direct_of(const struct nw_hook *h)
{
    const nw_hook_spec *s = h ? &h->spec : NULL;

    bool only = h && !atomic_load_explicit(&h->same, memory_order_relaxed);

    return only && s->pieces && s->begin > s->end ? &h->direct : NULL;
}

uint8_t hooks_everywhere(const struct nw_engine *engine)
{
    const uint32_t *n = engine->hooks.unbounded;
    bool reads = n[NW_HOOK_READ] | n[NW_HOOK_READ_AFTER], writes = n[NW_HOOK_WRITE];

    return (uint8_t)(reads | writes << 1);
}

void hooks_direct(struct nw_vcpu *vcpu)
{
    const struct hook_table *t = &vcpu->engine->hooks;

    vcpu->direct_read = vcpu->direct_write = NULL;
    if (vcpu->mmu)
        return;
    /* What is read is reported before it is read only. */
    vcpu->direct_read =
        t->count[NW_HOOK_READ_AFTER] ? NULL : direct_of(t->kind[NW_HOOK_READ].first);
    vcpu->direct_write = direct_of(t->kind[NW_HOOK_WRITE].first);
}

void hooks_memory_changed(struct nw_engine *engine, struct nw_hook *h,
                          void (*change)(struct hook_table *, struct nw_hook *))
{
    const uint32_t *count = engine->hooks.count;
    bool numbered = engine->mem.hooked;

    sync_pause(engine, engine_self(engine));
    uint8_t before = hooks_everywhere(engine);
    change(&engine->hooks, h);
    engine->mem.hooked = (count[NW_HOOK_READ] ? MEM_HOOK_READ : 0) |
                         (count[NW_HOOK_READ_AFTER] ? MEM_HOOK_READ_AFTER : 0) |
                         (count[NW_HOOK_WRITE] ? MEM_HOOK_WRITE : 0);
    engine->mem.hooked_whole =
        engine->hooks.whole[NW_HOOK_READ] + engine->hooks.whole[NW_HOOK_READ_AFTER];
    /* Code that numbers its accesses, or goes straight to the slow path. */
    if (numbered != (engine->mem.hooked != 0) || before != hooks_everywhere(engine))
        cache_forget(engine, 0, UINT64_MAX);
    for (struct nw_vcpu *v = engine->vcpus; v; v = v->next) {
        tlb_flush(v);
        hooks_direct(v);
    }
    sync_resume(engine);
}

/* The number in SIZE bytes that are VALUE in little-endian order, as the guest sees it. */
static uint64_t as_guest(const struct nw_vcpu *vcpu, uint64_t value, uint32_t size)
{
    if (NW_LIKELY(!vcpu->guest->big_endian) || size > 8 || !vcpu->guest->big_endian(vcpu))
        return value;
    return __builtin_bswap64(value) >> (64 - 8 * size);
}

/* The low 8 bytes; DATA has at least as many. */
static uint64_t value_of(const struct nw_vcpu *vcpu, const uint8_t *data, uint32_t size)
{
    uint64_t value = 0;

    if (data)
        memcpy(&value, data, sizeof value);
    value = as_guest(vcpu, value, size);
    return size < 8 ? value & ((1ull << 8 * size) - 1) : value;
}

/* Is the hook told of these bytes, in one call? */
static bool tells(const struct nw_hook *h, uint64_t gva, uint32_t size)
{
    return meets(h, gva, h->spec.first_byte ? gva : gva + size - 1);
}

static void call_pieces(const struct nw_hook *h, uint64_t gva, uint32_t size, const uint8_t *data)
{
    const nw_hook_spec *s = &h->spec;

    for (uint32_t at = 0; at < size; at += 8) {
        int64_t part = 0;

        if (!tells(h, gva + at, 8))
            continue;
        if (data)
            memcpy(&part, data + at, 8);
        s->piece(s->self, s->tag, gva + at, 8, part, s->user);
    }
}

static void call(struct nw_vcpu *vcpu, const struct nw_hook *h, uint64_t gva, uint32_t size,
                 uint64_t value, const uint8_t *data)
{
    const nw_hook_spec *s = &h->spec;
    nw_access access = s->kind == NW_HOOK_WRITE ? NW_ACCESS_WRITE : NW_ACCESS_READ;

    if (!s->pieces)
        s->access(vcpu, access, gva, size, value, data, s->user);
    else if (size <= 8)
        s->piece(s->self, s->tag, gva, (int)size, (int64_t)value, s->user);
    else
        call_pieces(h, gva, size, data);
}

/* A stop that another thread asks for comes behind the instruction: to run it again would repeat
 * the store that is made in spite of a stop. */
enum vcpu_leave hooks_access_outcome(struct nw_vcpu *vcpu, const struct hook_frame *frame)
{
    if (frame->flags & HOOK_STOPPED)
        return hooks_outcome(vcpu, frame);
    if (!frame->flags)
        return VCPU_LEAVE_NONE;
    return vcpu->leave = hooks_moved(vcpu, frame) ? VCPU_LEAVE_UNDONE : VCPU_LEAVE_STEP;
}

/* What a callback that has changed something, or wants a stop, makes of the access. A store is made
 * even if execution goes on elsewhere behind it. */
static enum mem_hook_result settle(struct nw_vcpu *vcpu, enum mem_hook kind,
                                   const struct hook_frame *frame, enum vcpu_leave *leave)
{
    enum vcpu_leave now = hooks_access_outcome(vcpu, frame);

    if (now == VCPU_LEAVE_UNDONE) {
        bool moved = hooks_moved(vcpu, frame);

        if (moved && kind == MEM_HOOK_WRITE)
            vcpu->leave = VCPU_LEAVE_STATE;
        return moved && kind != MEM_HOOK_WRITE ? MEM_HOOK_LEAVE : MEM_HOOK_STOP;
    }
    if (now != VCPU_LEAVE_NONE)
        *leave = now;
    return MEM_HOOK_GO;
}

static bool concerns(const struct nw_hook *h, uint64_t gva, uint32_t size)
{
    bool any = false;

    if (size <= 8 || !h->spec.pieces)
        return tells(h, gva, size);
    for (uint32_t at = 0; at < size; at += 8)
        any |= tells(h, gva + at, 8);
    return any;
}

/* The first access hook at or behind H that concerns the access. */
static const struct nw_hook *next_for(const struct nw_hook *h, uint64_t gva, uint32_t size)
{
    while (h && (!concerns(h, gva, size) || hook_removed(h)))
        h = h->same;
    return h;
}

static NW_RARE enum mem_hook_result leave_with(struct nw_vcpu *vcpu, enum vcpu_leave leave,
                                               uint32_t order)
{
    vcpu->leave = leave;
    /* The instruction is run again, by what is now, and reports what comes after this. */
    vcpu->reported = order + 1;
    return MEM_HOOK_LEAVE;
}

enum mem_hook_result hooks_access_after(struct nw_vcpu *vcpu, enum mem_hook kind,
                                        const struct hook_frame *frame)
{
    enum vcpu_leave leave = VCPU_LEAVE_NONE;
    enum mem_hook_result result;

    vcpu->leave = VCPU_LEAVE_NONE;
    result = settle(vcpu, kind, frame, &leave);
    return leave == VCPU_LEAVE_NONE ? result : leave_with(vcpu, leave, mem_hook_order(vcpu, kind));
}

enum mem_hook_result hooks_access(struct nw_vcpu *vcpu, enum mem_hook kind, uint64_t gva,
                                  uint32_t size, const uint8_t *data)
{
    enum vcpu_leave leave = VCPU_LEAVE_NONE;
    const struct nw_hook *h = list_of(vcpu->engine, kind)->first;
    uint64_t value = value_of(vcpu, data, size);

    if (NW_UNLIKELY(vcpu->reported) && mem_hook_order(vcpu, kind) < vcpu->reported)
        return kind == MEM_HOOK_WRITE && mem_hook_order(vcpu, kind) + 1 == vcpu->reported
                   ? MEM_HOOK_TOLD
                   : MEM_HOOK_GO;
    for (h = next_for(h, gva, size); h; h = next_for(h->same, gva, size)) {
        struct hook_frame frame;

        hooks_enter(vcpu, &frame);
        call(vcpu, h, gva, size, value, data);
        hooks_leave(vcpu, &frame);
        vcpu->leave = VCPU_LEAVE_NONE; /* it may have run the vCPU */
        if (NW_LIKELY(!(frame.flags | atomic_load_explicit(&vcpu->request, memory_order_relaxed))))
            continue;
        enum mem_hook_result result = settle(vcpu, kind, &frame, &leave);
        if (result != MEM_HOOK_GO)
            return result;
    }
    if (NW_LIKELY(leave == VCPU_LEAVE_NONE))
        return MEM_HOOK_GO;
    return leave_with(vcpu, leave, mem_hook_order(vcpu, kind));
}

bool hooks_fault(struct nw_vcpu *vcpu)
{
    const struct vcpu_exc *e = &vcpu->exc;
    uint32_t bit = 1u << (e->access * 8 + e->fault);
    enum mem_hook told = e->told; /* callbacks may run the vCPU */
    nw_exit fault = {.reason = NW_EXIT_FAULT,
                     .access = (nw_access)e->access,
                     .fault = (nw_fault)e->fault,
                     .pc = vcpu_pc(vcpu),
                     .addr = e->addr,
                     .size = e->size};
    uint64_t value = 0;
    bool mended = false;

    memcpy(&value, vcpu->told, sizeof value);
    value = e->access == NW_ACCESS_WRITE ? as_guest(vcpu, value, e->size) : 0;

    for (const struct nw_hook *h = vcpu->engine->hooks.kind[NW_HOOK_FAULT].first; h && !mended;
         h = h->same) {
        struct hook_frame frame;

        if ((h->spec.faults && !(h->spec.faults & bit)) ||
            !meets(h, fault.addr, fault.addr + fault.size - 1) || hook_removed(h))
            continue;
        hooks_enter(vcpu, &frame);
        mended = h->spec.fault(vcpu, &fault, value, h->spec.user);
        hooks_leave(vcpu, &frame);
        if (hooks_moved(vcpu, &frame)) {
            vcpu->exec->moved = true;
            return true;
        }
    }
    if (mended && e->access != NW_ACCESS_FETCH && vcpu->mem->hooked)
        vcpu->reported = mem_hook_order(vcpu, told) + (told != 0);
    return mended;
}
