/* Far JMP, CALL and RET (SDM 2A CALL, JMP; 2B RET; 3A 5.8). */
#include "guest/x86/segment.h"
#include "guest/x86/system.h"
#include "guest/x86/transfer.h"

struct far {
    struct nw_vcpu *vcpu;
    bool call;
    unsigned size;
    uint16_t selector;
    uint64_t offset, back;
};

static uint64_t cut(uint64_t v, unsigned size)
{
    return size == 8 ? v : v & ((1ull << 8 * size) - 1);
}

/* Real and virtual-8086 mode. */
static bool real(const struct far *f)
{
    struct x86_state *s = x86_of(f->vcpu);
    struct x86_stack st = x86_stack_now(f->vcpu);
    struct x86_segment cs = s->seg[X86_CS];
    uint64_t offset = cut(f->offset, f->size);

    if (!x86_code_offset(f->vcpu, &cs, offset, 0))
        return false;
    if (f->call && (!x86_stack_push(&st, f->size, cs.selector) ||
                    !x86_stack_push(&st, f->size, cut(f->back, f->size))))
        return false;
    x86_stack_commit(&st);
    cs.selector = f->selector;
    cs.base = f->selector * 16u;
    x86_code_commit(f->vcpu, &cs, offset);
    return true;
}

/* Into CS at the same privilege level; the return address is of SIZE bytes. */
static bool same_level(const struct far *f, const struct x86_segment *cs, uint64_t offset,
                       unsigned size)
{
    struct x86_stack st = x86_stack_now(f->vcpu);

    if (f->call && (!x86_stack_push(&st, size, x86_of(f->vcpu)->seg[X86_CS].selector) ||
                    !x86_stack_push(&st, size, cut(f->back, size))))
        return false;
    if (!x86_code_offset(f->vcpu, cs, offset, 0))
        return false;
    x86_stack_commit(&st);
    x86_code_commit(f->vcpu, cs, offset);
    return true;
}

static bool to_segment(const struct far *f, struct x86_desc *d)
{
    unsigned cpl = x86_cpl(x86_of(f->vcpu)), dpl = x86_desc_dpl(d), rpl = f->selector & 3;
    uint32_t error = f->selector & 0xfffcu;
    bool ok = x86_desc_is_conforming(d) ? dpl <= cpl : rpl <= cpl && dpl == cpl;
    struct x86_segment cs;

    if (!x86_desc_is_code(d) || !ok)
        return x86_fail(f->vcpu, X86_GP, error);
    if (!x86_desc_present(d))
        return x86_fail(f->vcpu, X86_NP, error);
    return x86_code_load(f->vcpu, d, f->selector, cpl, X86_GP, 0, &cs) &&
           same_level(f, &cs, cut(f->offset, f->size), f->size);
}

/* ---- call gates ---- */

struct gate {
    uint16_t selector;
    uint64_t offset;
    unsigned size, params;
};

static bool gate_read(const struct far *f, const struct x86_desc *d, struct gate *g)
{
    uint32_t upper, last;

    g->selector = (uint16_t)(d->lo >> 16);
    g->offset = (d->lo & 0xffff) | (d->hi & 0xffff0000);
    g->size = x86_desc_type(d) == X86_CALL16 ? 2 : 4;
    g->params = d->hi & 31;
    if (g->size == 2)
        g->offset &= 0xffff;
    if (!x86_long(x86_of(f->vcpu)))
        return true;
    if (!x86_desc_upper(f->vcpu, d, &upper, &last))
        return false;
    if (last & 0x1f00)
        return x86_fail(f->vcpu, X86_GP, f->selector & 0xfffcu);
    g->offset |= (uint64_t)upper << 32;
    g->size = 8;
    g->params = 0;
    return true;
}

/* To a more privileged level: a stack of its own, with the parameters copied. */
static bool inner_level(const struct far *f, const struct gate *g, const struct x86_segment *cs,
                        unsigned cpl)
{
    const struct x86_state *s = x86_of(f->vcpu);
    struct x86_stack old = x86_stack_now(f->vcpu), st;
    uint64_t v;

    if (!x86_inner_stack(f->vcpu, cpl, 0, 0, &st) ||
        !x86_stack_push(&st, g->size, s->seg[X86_SS].selector) ||
        !x86_stack_push(&st, g->size, s->gpr[X86_RSP]))
        return false;
    for (unsigned n = g->params; n--;)
        if (!x86_stack_peek(&old, (uint64_t)n * g->size, g->size, &v) ||
            !x86_stack_push(&st, g->size, v))
            return false;
    if (!x86_stack_push(&st, g->size, s->seg[X86_CS].selector) ||
        !x86_stack_push(&st, g->size, cut(f->back, g->size)) ||
        !x86_code_offset(f->vcpu, cs, g->offset, 0))
        return false;
    x86_stack_switch(&st);
    x86_code_commit(f->vcpu, cs, g->offset);
    return true;
}

static bool through_gate(const struct far *f, const struct gate *g)
{
    unsigned cpl = x86_cpl(x86_of(f->vcpu));
    uint32_t error = g->selector & 0xfffcu;
    struct x86_desc d;
    struct x86_segment cs;

    if (!x86_desc_need(f->vcpu, g->selector, X86_GP, 0, &d))
        return false;
    bool inner = !x86_desc_is_conforming(&d) && x86_desc_dpl(&d) < cpl;
    bool narrow = x86_long(x86_of(f->vcpu)) && !x86_desc_is_64(&d);
    if (!x86_desc_is_code(&d) || x86_desc_dpl(&d) > cpl || narrow || (inner && !f->call))
        return x86_fail(f->vcpu, X86_GP, error);
    if (!x86_desc_present(&d))
        return x86_fail(f->vcpu, X86_NP, error);
    unsigned to = inner ? x86_desc_dpl(&d) : cpl;
    if (!x86_code_load(f->vcpu, &d, g->selector, to, X86_GP, 0, &cs))
        return false;
    return inner ? inner_level(f, g, &cs, to) : same_level(f, &cs, g->offset, g->size);
}

static bool to_system(const struct far *f, struct x86_desc *d)
{
    unsigned cpl = x86_cpl(x86_of(f->vcpu)), type = x86_desc_type(d), rpl = f->selector & 3;
    enum x86_task_source source = f->call ? X86_TASK_CALL : X86_TASK_JMP;
    uint32_t error = f->selector & 0xfffcu;
    bool wide = x86_long(x86_of(f->vcpu));
    bool gate = type == X86_CALL32 || (type == X86_CALL16 && !wide);
    bool task = !wide && (type == X86_TASK_GATE || type == X86_TSS16 || type == X86_TSS32);
    struct gate g;

    if ((!gate && !task) || x86_desc_dpl(d) < cpl || x86_desc_dpl(d) < rpl)
        return x86_fail(f->vcpu, X86_GP, error);
    if (!x86_desc_present(d))
        return x86_fail(f->vcpu, X86_NP, error);
    if (gate)
        return gate_read(f, d, &g) && through_gate(f, &g);
    if (type == X86_TASK_GATE)
        return x86_task_gate(f->vcpu, d, source, f->back, 0);
    return x86_task_switch(f->vcpu, f->selector, d, source, f->back, 0);
}

bool x86_far_transfer(struct nw_vcpu *vcpu, bool call, unsigned size, uint16_t selector,
                      uint64_t offset, uint64_t back)
{
    const struct far f = {vcpu, call, size, selector, offset, back};
    struct x86_desc d;

    if (x86_real_or_vm86(x86_of(vcpu)))
        return real(&f);
    if (!x86_desc_need(vcpu, selector, X86_GP, 0, &d))
        return false;
    return x86_desc_is_segment(&d) ? to_segment(&f, &d) : to_system(&f, &d);
}

/* ---- returns ---- */

static bool real_return(struct nw_vcpu *vcpu, struct x86_stack *st, uint64_t offset, uint16_t cs,
                        uint64_t drop)
{
    struct x86_segment seg = x86_of(vcpu)->seg[X86_CS];

    if (!x86_code_offset(vcpu, &seg, offset, 0))
        return false;
    st->sp = (st->sp + drop) & st->mask;
    x86_stack_commit(st);
    seg.selector = cs;
    seg.base = cs * 16u;
    x86_code_commit(vcpu, &seg, offset);
    return true;
}

bool x86_far_return(struct nw_vcpu *vcpu, unsigned size, uint64_t drop)
{
    struct x86_stack st = x86_stack_now(vcpu);
    struct x86_return r;
    uint64_t offset, cs;

    if (!x86_stack_pop(&st, size, &offset) || !x86_stack_pop(&st, size, &cs))
        return false;
    if (x86_real_or_vm86(x86_of(vcpu)))
        return real_return(vcpu, &st, offset, (uint16_t)cs, drop);
    if (!x86_return_read(vcpu, &st, (uint16_t)cs, size, drop, false, &r) ||
        !x86_code_offset(vcpu, &r.cs, offset, 0))
        return false;
    st.sp = (st.sp + drop) & st.mask;
    x86_return_commit(vcpu, &st, &r, offset, drop);
    return true;
}
