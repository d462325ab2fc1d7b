#include "guest/x86/transfer.h"

#include "guest/x86/segment.h"
#include "guest/x86/system.h"

/* Is CS one of 64-bit code? */
static bool code_is_64(const struct x86_state *s, const struct x86_segment *cs)
{
    return s->efer & X86_EFER_LMA && cs->attr & X86_ATTR_L;
}

bool x86_code_load(struct nw_vcpu *vcpu, struct x86_desc *d, uint16_t selector, unsigned cpl,
                   unsigned vector, uint32_t ext, struct x86_segment *out)
{
    *out = x86_desc_segment(d, (uint16_t)((selector & 0xfffcu) | cpl));
    if (code_is_64(x86_of(vcpu), out) && out->attr & X86_ATTR_DB)
        return x86_fail(vcpu, vector, (selector & 0xfffcu) | ext);
    return x86_desc_touch(vcpu, d);
}

bool x86_code_offset(struct nw_vcpu *vcpu, const struct x86_segment *cs, uint64_t offset,
                     uint32_t ext)
{
    bool wide = code_is_64(x86_of(vcpu), cs);

    const struct x86_state *s = x86_of(vcpu);

    if (wide ? x86_linear_ok(s, offset, 1) : s->bare || offset <= cs->limit)
        return true;
    return x86_fail(vcpu, X86_GP, ext);
}

void x86_code_commit(struct nw_vcpu *vcpu, const struct x86_segment *cs, uint64_t offset)
{
    struct x86_state *s = x86_of(vcpu);

    s->seg[X86_CS] = *cs;
    s->pc = code_is_64(s, cs) ? offset : (uint32_t)(cs->base + offset);
    x86_mode_update(s);
}

uint64_t x86_code_offset_of(const struct x86_state *s, uint64_t pc)
{
    return s->mode & X86_KEY_CODE64 ? pc : (uint32_t)(pc - s->seg[X86_CS].base);
}

/* ---- stacks ---- */

static bool long_stack(struct nw_vcpu *vcpu, unsigned cpl, unsigned ist, uint32_t ext,
                       struct x86_stack *out)
{
    const struct x86_segment *tr = &x86_of(vcpu)->seg[X86_TR];
    struct x86_segment ss = x86_segment_null_stack(cpl);
    unsigned at = ist ? 36 + 8 * (ist - 1) : 4 + 8 * cpl;
    uint64_t sp;

    if (at + 7 > tr->limit)
        return x86_fail(vcpu, X86_TS_FAULT, (tr->selector & 0xfffcu) | ext);
    if (!x86_sys_read(vcpu, tr->base + at, 8, &sp))
        return false;
    *out = x86_stack_on(vcpu, &ss, sp, cpl, true);
    out->error = ext;
    return true;
}

bool x86_inner_stack(struct nw_vcpu *vcpu, unsigned cpl, unsigned ist, uint32_t ext,
                     struct x86_stack *out)
{
    const struct x86_segment *tr = &x86_of(vcpu)->seg[X86_TR];
    bool wide = tr->attr & 8;
    unsigned size = wide ? 4 : 2, at = size + 2 * size * cpl;
    uint64_t sp, selector;
    struct x86_segment ss;

    if (x86_long(x86_of(vcpu)))
        return long_stack(vcpu, cpl, ist, ext, out);
    if (at + size + 1 > tr->limit)
        return x86_fail(vcpu, X86_TS_FAULT, (tr->selector & 0xfffcu) | ext);
    if (!x86_sys_read(vcpu, tr->base + at, size, &sp) ||
        !x86_sys_read(vcpu, tr->base + at + size, 2, &selector) ||
        !x86_stack_segment(vcpu, (uint16_t)selector, cpl, X86_TS_FAULT, ext, &ss))
        return false;
    *out = x86_stack_on(vcpu, &ss, sp, cpl, false);
    out->error = (selector & 0xfffcu) | ext;
    return true;
}

void x86_stack_switch(const struct x86_stack *st)
{
    x86_of(st->vcpu)->seg[X86_SS] = st->seg;
    x86_stack_commit(st);
}

/* Data segments that level CPL may not see become null (SDM 3A 5.8.6). */
static void segments_outer(struct x86_state *s, unsigned cpl)
{
    static const uint8_t segs[] = {X86_ES, X86_DS, X86_FS, X86_GS};

    for (unsigned n = 0; n < ARRAY_LEN(segs); n++) {
        struct x86_segment *seg = &s->seg[segs[n]];
        bool conforming = (seg->attr & (X86_SEG_CODE | X86_SEG_CONFORMING)) ==
                          (X86_SEG_CODE | X86_SEG_CONFORMING);
        if (seg->attr & X86_ATTR_P && X86_ATTR_DPL(seg->attr) < cpl && !conforming)
            *seg = x86_segment_null(0);
    }
}

/* ---- returns ---- */

static bool return_code(struct nw_vcpu *vcpu, uint16_t selector, struct x86_return *r)
{
    uint32_t error = selector & 0xfffcu;
    struct x86_desc d;

    if (!x86_desc_need(vcpu, selector, X86_GP, 0, &d))
        return false;
    r->cpl = selector & 3;
    bool fits =
        x86_desc_is_conforming(&d) ? x86_desc_dpl(&d) <= r->cpl : x86_desc_dpl(&d) == r->cpl;
    if (r->cpl < x86_cpl(x86_of(vcpu)) || !x86_desc_is_code(&d) || !fits)
        return x86_fail(vcpu, X86_GP, error);
    if (!x86_desc_present(&d))
        return x86_fail(vcpu, X86_NP, error);
    if (!x86_code_load(vcpu, &d, selector, r->cpl, X86_GP, 0, &r->cs))
        return false;
    r->wide = code_is_64(x86_of(vcpu), &r->cs);
    return true;
}

bool x86_return_read(struct nw_vcpu *vcpu, struct x86_stack *st, uint16_t cs, unsigned size,
                     uint64_t outer, bool always, struct x86_return *r)
{
    uint64_t ss;

    if (!return_code(vcpu, cs, r))
        return false;
    r->outer = always || r->cpl > x86_cpl(x86_of(vcpu));
    if (!r->outer)
        return true;
    if (!x86_stack_peek(st, outer, size, &r->sp) || !x86_stack_peek(st, outer + size, size, &ss))
        return false;
    if (x86_selector_null((uint16_t)ss) && r->wide && r->cpl < 3 && (ss & 3) == r->cpl) {
        r->ss = x86_segment_null_stack(r->cpl);
        return true;
    }
    return x86_stack_segment(vcpu, (uint16_t)ss, r->cpl, X86_GP, 0, &r->ss);
}

void x86_return_commit(struct nw_vcpu *vcpu, const struct x86_stack *st, const struct x86_return *r,
                       uint64_t offset, uint64_t drop)
{
    struct x86_state *s = x86_of(vcpu);
    unsigned old = x86_cpl(s);

    if (r->outer) {
        struct x86_stack to = x86_stack_on(vcpu, &r->ss, r->sp, r->cpl, r->wide);
        to.sp = (to.sp + drop) & to.mask;
        x86_stack_switch(&to);
    } else {
        x86_stack_commit(st);
    }
    if (r->cpl > old)
        segments_outer(s, r->cpl);
    x86_code_commit(vcpu, &r->cs, offset);
}
