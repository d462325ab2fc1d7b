/* IRET (SDM 2A IRET; 3A 6.12.1, 7.4; 3B 21.2.4). */
#include "guest/x86/flags.h"
#include "guest/x86/segment.h"
#include "guest/x86/system.h"
#include "guest/x86/transfer.h"

/* Which flags an IRET of SIZE bytes at level CPL may change. */
static uint32_t flags_mask(const struct x86_state *s, unsigned size)
{
    uint32_t mask = X86_FLAGS_ARITH | X86_TF | X86_DF | X86_NT;

    if (size > 2)
        mask |= X86_RF | X86_AC | X86_ID;
    if (x86_cpl(s) <= x86_iopl(s))
        mask |= X86_IF;
    if (x86_cpl(s) == 0)
        mask |= X86_IOPL | (size > 2 ? X86_VIF | X86_VIP : 0);
    return mask;
}

static bool real_return(struct nw_vcpu *vcpu, unsigned size)
{
    struct x86_state *s = x86_of(vcpu);
    struct x86_stack st = x86_stack_now(vcpu);
    struct x86_segment cs = s->seg[X86_CS];
    uint64_t offset, selector, flags;
    uint32_t mask = X86_FLAGS_ARITH | X86_TF | X86_IF | X86_DF | X86_NT;

    if (s->mode & X86_KEY_VM86 && x86_iopl(s) < 3)
        return x86_fail(vcpu, X86_GP, 0);
    if (!x86_stack_pop(&st, size, &offset) || !x86_stack_pop(&st, size, &selector) ||
        !x86_stack_pop(&st, size, &flags) || !x86_code_offset(vcpu, &cs, offset, 0))
        return false;
    if (size > 2)
        mask |= X86_RF | X86_AC | X86_ID;
    if (!(s->mode & X86_KEY_VM86))
        mask |= X86_IOPL;
    x86_stack_commit(&st);
    x86_eflags_write(s, (uint32_t)flags, mask);
    cs.selector = (uint16_t)selector;
    cs.base = cs.selector * 16u;
    x86_code_commit(vcpu, &cs, offset);
    return true;
}

/* Back to the task that this one is nested in (SDM 3A 7.4). */
static bool task_return(struct nw_vcpu *vcpu, uint64_t back)
{
    uint64_t link;
    struct x86_desc d;

    if (!x86_sys_read(vcpu, x86_of(vcpu)->seg[X86_TR].base, 2, &link))
        return false;
    uint32_t error = link & 0xfffc;
    if (link & 4)
        return x86_fail(vcpu, X86_TS_FAULT, error);
    if (!x86_desc_need(vcpu, (uint16_t)link, X86_TS_FAULT, 0, &d))
        return false;
    unsigned type = x86_desc_type(&d);
    if (x86_desc_is_segment(&d) || (type != X86_TSS16_BUSY && type != X86_TSS32_BUSY))
        return x86_fail(vcpu, X86_TS_FAULT, error);
    if (!x86_desc_present(&d))
        return x86_fail(vcpu, X86_NP, error);
    return x86_task_switch(vcpu, (uint16_t)link, &d, X86_TASK_IRET, back, 0);
}

/* To virtual-8086 mode: ESP, SS, ES, DS, FS and GS follow. */
static bool vm86_return(struct nw_vcpu *vcpu, struct x86_stack *st, uint32_t offset, uint16_t cs,
                        uint32_t flags)
{
    static const uint8_t order[] = {X86_SS, X86_ES, X86_DS, X86_FS, X86_GS};
    struct x86_state *s = x86_of(vcpu);
    struct x86_segment seg[X86_SEGS], code = x86_segment_vm86(cs);
    uint64_t sp, selector;

    if (!x86_stack_pop(st, 4, &sp))
        return false;
    for (unsigned n = 0; n < ARRAY_LEN(order); n++) {
        if (!x86_stack_pop(st, 4, &selector))
            return false;
        seg[order[n]] = x86_segment_vm86((uint16_t)selector);
    }
    offset &= 0xffff;
    for (unsigned n = 0; n < ARRAY_LEN(order); n++)
        s->seg[order[n]] = seg[order[n]];
    s->gpr[X86_RSP] = (uint32_t)sp;
    x86_eflags_write(s, flags, X86_FLAGS_ALL);
    x86_code_commit(vcpu, &code, offset);
    return true;
}

static bool protected_return(struct nw_vcpu *vcpu, unsigned size)
{
    struct x86_state *s = x86_of(vcpu);
    struct x86_stack st = x86_stack_now(vcpu);
    bool always = s->mode & X86_KEY_CODE64;
    struct x86_return r;
    uint64_t offset, cs, flags;

    if (!x86_stack_pop(&st, size, &offset) || !x86_stack_pop(&st, size, &cs) ||
        !x86_stack_pop(&st, size, &flags))
        return false;
    if (size == 4 && flags & X86_VM && !x86_cpl(s) && !x86_long(s))
        return vm86_return(vcpu, &st, (uint32_t)offset, (uint16_t)cs, (uint32_t)flags);
    if (!x86_return_read(vcpu, &st, (uint16_t)cs, size, 0, always, &r) ||
        !x86_code_offset(vcpu, &r.cs, offset, 0))
        return false;
    x86_eflags_write(s, (uint32_t)flags, flags_mask(s, size));
    x86_return_commit(vcpu, &st, &r, offset, 0);
    return true;
}

bool x86_iret(struct nw_vcpu *vcpu, unsigned size, uint64_t back)
{
    struct x86_state *s = x86_of(vcpu);

    s->nmi_blocked = 0;
    if (x86_real_or_vm86(s))
        return real_return(vcpu, size);
    if (s->eflags & X86_NT)
        return x86_long(s) ? x86_fail(vcpu, X86_GP, 0) : task_return(vcpu, back);
    return protected_return(vcpu, size);
}
