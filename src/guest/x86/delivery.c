/* Entering a handler: through the real-mode table, a gate of the protected-mode IDT or a 64-bit one
 * (SDM 3A 6.10 - 6.14, 20.1.4, 21.3). */
#include "guest/x86/event.h"
#include "guest/x86/flags.h"
#include "guest/x86/segment.h"
#include "guest/x86/system.h"
#include "guest/x86/transfer.h"

struct delivery {
    struct nw_vcpu *vcpu;
    const struct x86_event *e;
    uint64_t back;  /* offset in CS */
    uint32_t ext;   /* EXT bit of error codes (SDM 3A 6.13) */
    uint32_t image; /* of EFLAGS for the stack */
    unsigned size;  /* bytes of a push */
    unsigned type;  /* of the gate */
    uint16_t selector;
    uint64_t offset;
    unsigned ist;
};

static uint32_t idt_error(const struct delivery *d)
{
    return d->e->vector * 8u + 2 + d->ext;
}

/* ---- real mode ---- */

static bool deliver_real(const struct delivery *d)
{
    struct x86_state *s = x86_of(d->vcpu);
    struct x86_stack st = x86_stack_now(d->vcpu);
    struct x86_segment cs = s->seg[X86_CS];
    uint64_t vector;

    if (d->e->vector * 4u + 3 > s->idtr.limit)
        return x86_fail(d->vcpu, X86_GP, idt_error(d));
    if (!x86_sys_read(d->vcpu, s->idtr.base + d->e->vector * 4u, 4, &vector) ||
        !x86_stack_push(&st, 2, d->image) || !x86_stack_push(&st, 2, cs.selector) ||
        !x86_stack_push(&st, 2, d->back))
        return false;
    cs.selector = (uint16_t)(vector >> 16);
    cs.base = cs.selector * 16u;
    x86_stack_commit(&st);
    x86_eflags_write(s, 0, X86_IF | X86_TF | X86_AC | X86_RF);
    x86_code_commit(d->vcpu, &cs, vector & 0xffff);
    return true;
}

/* ---- gates ---- */

/* Reads the gate and checks it; *TASK: it is a task gate. */
static bool read_gate(struct delivery *d, bool *task, struct x86_desc *gate)
{
    const struct x86_state *s = x86_of(d->vcpu);
    bool wide = x86_long(s), soft = d->e->source == X86_EVENT_SOFT;
    uint64_t at = d->e->vector * (wide ? 16u : 8u), raw, upper = 0;

    if (at + (wide ? 15 : 7) > s->idtr.limit)
        return x86_fail(d->vcpu, X86_GP, idt_error(d));
    if (!x86_sys_read(d->vcpu, s->idtr.base + at, 8, &raw) ||
        (wide && !x86_sys_read(d->vcpu, s->idtr.base + at + 8, 8, &upper)))
        return false;
    gate->lo = (uint32_t)raw;
    gate->hi = (uint32_t)(raw >> 32);
    d->type = x86_desc_type(gate);
    bool interrupt = d->type == X86_INT32 || d->type == X86_TRAP32 ||
                     (!wide && (d->type == X86_INT16 || d->type == X86_TRAP16));
    *task = !wide && d->type == X86_TASK_GATE;
    if (x86_desc_is_segment(gate) || (!interrupt && !*task) || upper >> 32 & 0x1f00)
        return x86_fail(d->vcpu, X86_GP, idt_error(d));
    if (soft && x86_desc_dpl(gate) < x86_cpl(s))
        return x86_fail(d->vcpu, X86_GP, idt_error(d));
    if (!x86_desc_present(gate))
        return x86_fail(d->vcpu, X86_NP, idt_error(d));
    d->selector = (uint16_t)(gate->lo >> 16);
    d->offset = (gate->lo & 0xffff) | (gate->hi & 0xffff0000) | upper << 32;
    d->size = wide ? 8 : d->type & 8 ? 4 : 2;
    if (d->size == 2)
        d->offset &= 0xffff;
    d->ist = wide ? gate->hi & 7 : 0;
    return true;
}

/* The handler's code segment, and the privilege level it runs at. */
static bool handler_code(const struct delivery *d, struct x86_segment *cs, unsigned *to)
{
    const struct x86_state *s = x86_of(d->vcpu);
    uint32_t error = (d->selector & 0xfffcu) | d->ext;
    unsigned cpl = x86_cpl(s);
    struct x86_desc desc;

    if (!x86_desc_need(d->vcpu, d->selector, X86_GP, d->ext, &desc))
        return false;
    unsigned dpl = x86_desc_dpl(&desc);
    bool narrow = x86_long(s) && !x86_desc_is_64(&desc);
    *to = x86_desc_is_conforming(&desc) ? cpl : dpl;
    bool to_vm86 = s->mode & X86_KEY_VM86 && *to != 0;
    if (!x86_desc_is_code(&desc) || dpl > cpl || narrow)
        return x86_fail(d->vcpu, X86_GP, error);
    if (!x86_desc_present(&desc))
        return x86_fail(d->vcpu, X86_NP, error);
    if (to_vm86)
        return x86_fail(d->vcpu, X86_GP, error);
    return x86_code_load(d->vcpu, &desc, d->selector, *to, X86_GP, d->ext, cs);
}

static bool push_frame(const struct delivery *d, struct x86_stack *st, bool with_stack)
{
    static const uint8_t vm86[] = {X86_GS, X86_FS, X86_DS, X86_ES};
    const struct x86_state *s = x86_of(d->vcpu);

    for (unsigned n = 0; s->mode & X86_KEY_VM86 && n < ARRAY_LEN(vm86); n++)
        if (!x86_stack_push(st, d->size, s->seg[vm86[n]].selector))
            return false;
    if (with_stack && (!x86_stack_push(st, d->size, s->seg[X86_SS].selector) ||
                       !x86_stack_push(st, d->size, s->gpr[X86_RSP])))
        return false;
    return x86_stack_push(st, d->size, d->image) &&
           x86_stack_push(st, d->size, s->seg[X86_CS].selector) &&
           x86_stack_push(st, d->size, d->back) &&
           (!d->e->has_error || x86_stack_push(st, d->size, d->e->error));
}

static void null_segments(struct x86_state *s)
{
    static const uint8_t segs[] = {X86_ES, X86_DS, X86_FS, X86_GS};

    for (unsigned n = 0; n < ARRAY_LEN(segs); n++)
        s->seg[segs[n]] = x86_segment_null(0);
}

static bool handler_stack(const struct delivery *d, unsigned to, struct x86_stack *st)
{
    bool wide = d->size == 8, inner = to < x86_cpl(x86_of(d->vcpu));

    if (inner || d->ist) {
        if (!x86_inner_stack(d->vcpu, to, d->ist, d->ext, st))
            return false;
        if (!inner)
            st->seg = x86_of(d->vcpu)->seg[X86_SS];
    } else {
        *st = x86_stack_now(d->vcpu);
        if (wide) { /* also out of compatibility mode */
            st->flat = true;
            st->mask = UINT64_MAX;
            st->sp = x86_of(d->vcpu)->gpr[X86_RSP];
        }
        st->error = d->ext;
    }
    if (wide)
        st->sp &= ~15ull;
    return true;
}

static bool deliver_gate(const struct delivery *d)
{
    struct x86_state *s = x86_of(d->vcpu);
    uint32_t clear = X86_TF | X86_VM | X86_RF | X86_NT;
    struct x86_segment cs;
    struct x86_stack st;
    unsigned to;

    if (!handler_code(d, &cs, &to) || !handler_stack(d, to, &st))
        return false;
    bool inner = to < x86_cpl(s);
    if (!push_frame(d, &st, inner || d->size == 8) ||
        !x86_code_offset(d->vcpu, &cs, d->offset, d->ext))
        return false;
    if (!(d->type & 1))
        clear |= X86_IF;
    if (s->mode & X86_KEY_VM86)
        null_segments(s);
    x86_eflags_write(s, 0, clear);
    x86_stack_switch(&st);
    x86_code_commit(d->vcpu, &cs, d->offset);
    return true;
}

/* A task of its own; the error code goes to its stack. */
static bool deliver_task(const struct delivery *d, const struct x86_desc *gate)
{
    x86_of(d->vcpu)->eflags |= d->image & X86_RF; /* goes into the old task's TSS */
    if (!x86_task_gate(d->vcpu, gate, X86_TASK_INT, d->back, d->ext))
        return false;
    if (!d->e->has_error)
        return true;
    struct x86_stack st = x86_stack_now(d->vcpu);
    unsigned size = x86_of(d->vcpu)->seg[X86_TR].attr & 8 ? 4 : 2;
    if (!x86_stack_push(&st, size, d->e->error))
        return false;
    x86_stack_commit(&st);
    return true;
}

bool x86_event_enter(struct nw_vcpu *vcpu, const struct x86_event *e)
{
    struct x86_state *s = x86_of(vcpu);
    struct delivery d = {.vcpu = vcpu, .e = e, .ext = e->source != X86_EVENT_SOFT};
    struct x86_desc gate;
    bool task;

    d.back = x86_code_offset_of(s, e->back);
    d.image = x86_eflags_read(s) & ~(uint32_t)X86_RF;
    if (e->source == X86_EVENT_FAULT)
        d.image |= X86_RF;
    if (!(s->mode & X86_KEY_PROT))
        return deliver_real(&d);
    if (!read_gate(&d, &task, &gate))
        return false;
    return task ? deliver_task(&d, &gate) : deliver_gate(&d);
}
