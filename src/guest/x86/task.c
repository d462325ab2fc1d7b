/* Task switches (SDM 3A 7.2, 7.3). */
#include "guest/x86/debug.h"
#include "guest/x86/flags.h"
#include "guest/x86/mmu.h"
#include "guest/x86/segment.h"
#include "guest/x86/system.h"
#include "guest/x86/transfer.h"

/* Where a TSS of 32 or 16 bits keeps what. ORDER X86_SEG */
struct layout {
    uint8_t word;  /* bytes of registers */
    uint8_t least; /* the limit it must have */
    uint8_t ip, flags, gpr, seg, nsegs, ldt;
};
static const struct layout layout32 = {4, 0x67, 0x20, 0x24, 0x28, 0x48, 6, 0x60};
static const struct layout layout16 = {2, 0x2b, 0x0e, 0x10, 0x12, 0x22, 4, 0x2a};
enum { TSS_CR3 = 0x1c, TSS_TRAP = 0x64 };

/* What the new task's TSS says. */
struct task {
    uint64_t ip, flags, gpr[8], seg[6], ldt, cr3, trap;
};

static const struct layout *layout_of(uint16_t attr)
{
    return attr & 8 ? &layout32 : &layout16;
}

static bool read_task(struct nw_vcpu *vcpu, const struct layout *t, uint64_t base,
                      struct task *task)
{
    *task = (struct task){0};
    if (!x86_sys_read(vcpu, base + t->ip, t->word, &task->ip) ||
        !x86_sys_read(vcpu, base + t->flags, t->word, &task->flags) ||
        !x86_sys_read(vcpu, base + t->ldt, 2, &task->ldt))
        return false;
    for (unsigned n = 0; n < 8; n++)
        if (!x86_sys_read(vcpu, base + t->gpr + n * t->word, t->word, &task->gpr[n]))
            return false;
    for (unsigned n = 0; n < t->nsegs; n++)
        if (!x86_sys_read(vcpu, base + t->seg + n * t->word, 2, &task->seg[n]))
            return false;
    return t->word == 2 || (x86_sys_read(vcpu, base + TSS_CR3, 4, &task->cr3) &&
                            x86_sys_read(vcpu, base + TSS_TRAP, 2, &task->trap));
}

static bool save_task(struct nw_vcpu *vcpu, uint64_t back, uint32_t flags)
{
    const struct x86_state *s = x86_of(vcpu);
    const struct layout *t = layout_of(s->seg[X86_TR].attr);
    uint64_t base = s->seg[X86_TR].base;

    if (!x86_sys_write(vcpu, base + t->ip, t->word, back) ||
        !x86_sys_write(vcpu, base + t->flags, t->word, flags))
        return false;
    for (unsigned n = 0; n < 8; n++)
        if (!x86_sys_write(vcpu, base + t->gpr + n * t->word, t->word, s->gpr[n]))
            return false;
    for (unsigned n = 0; n < t->nsegs; n++)
        if (!x86_sys_write(vcpu, base + t->seg + n * t->word, 2, s->seg[n].selector))
            return false;
    return true;
}

/* The busy bits in the GDT, and the link back. */
static bool mark(struct nw_vcpu *vcpu, const struct x86_segment *to, struct x86_desc *d,
                 enum x86_task_source source)
{
    uint16_t old = x86_of(vcpu)->seg[X86_TR].selector;
    struct x86_desc from;

    if (source == X86_TASK_JMP || source == X86_TASK_IRET) {
        enum x86_desc_status status = x86_desc_read(vcpu, old, &from);
        if (status == X86_DESC_FAULT ||
            (status == X86_DESC_OK && !x86_desc_busy(vcpu, &from, false)))
            return false;
    } else if (!x86_sys_write(vcpu, to->base, 2, old)) {
        return false;
    }
    return source == X86_TASK_IRET || x86_desc_busy(vcpu, d, true);
}

/* ---- the new task: from here on exceptions are its own ---- */

static void load_registers(struct nw_vcpu *vcpu, const struct layout *t, const struct task *task,
                           uint32_t nested)
{
    struct x86_state *s = x86_of(vcpu);

    for (unsigned n = 0; n < 8; n++)
        s->gpr[n] = t->word == 4 ? task->gpr[n] : (s->gpr[n] & 0xffff0000) | task->gpr[n];
    x86_eflags_write(s, (uint32_t)task->flags | nested, X86_FLAGS_ALL);
    s->cr0 |= X86_CR0_TS;
    s->dr[7] &= ~(uint64_t)0x155; /* L0..L3 and LE: breakpoints of one task */
    x86_debug_changed(vcpu);
}

/* Selectors without descriptors: what an exception finds when loading one fails. */
static void load_selectors(struct x86_state *s, const struct task *task)
{
    bool vm86 = s->eflags & X86_VM;

    for (unsigned n = X86_ES; n <= X86_GS; n++) {
        uint16_t selector = (uint16_t)task->seg[n];
        s->seg[n] = vm86 ? x86_segment_vm86(selector) : x86_segment_null(selector);
    }
    s->seg[X86_LDTR] = x86_segment_null((uint16_t)task->ldt);
    if (!vm86)
        s->seg[X86_SS].attr = (uint16_t)((task->seg[X86_CS] & 3) << 5);
}

static bool load_ldt(struct nw_vcpu *vcpu, uint16_t selector, uint32_t ext)
{
    uint32_t error = (selector & 0xfffcu) | ext;
    struct x86_desc d;

    if (x86_selector_null(selector))
        return true;
    if (selector & 4)
        return x86_fail(vcpu, X86_TS_FAULT, error);
    if (!x86_desc_need(vcpu, selector, X86_TS_FAULT, ext, &d))
        return false;
    if (x86_desc_is_segment(&d) || x86_desc_type(&d) != X86_LDT || !x86_desc_present(&d))
        return x86_fail(vcpu, X86_TS_FAULT, error);
    x86_of(vcpu)->seg[X86_LDTR] = x86_desc_segment(&d, selector);
    return true;
}

static bool load_code(struct nw_vcpu *vcpu, uint16_t selector, uint32_t ext)
{
    uint32_t error = (selector & 0xfffcu) | ext;
    unsigned rpl = selector & 3;
    struct x86_desc d;

    if (!x86_desc_need(vcpu, selector, X86_TS_FAULT, ext, &d))
        return false;
    bool fits = x86_desc_is_conforming(&d) ? x86_desc_dpl(&d) <= rpl : x86_desc_dpl(&d) == rpl;
    if (!x86_desc_is_code(&d) || !fits)
        return x86_fail(vcpu, X86_TS_FAULT, error);
    if (!x86_desc_present(&d))
        return x86_fail(vcpu, X86_NP, error);
    return x86_code_load(vcpu, &d, selector, rpl, X86_TS_FAULT, ext, &x86_of(vcpu)->seg[X86_CS]);
}

static bool load_segments(struct nw_vcpu *vcpu, const struct task *task, uint32_t ext)
{
    static const uint8_t order[] = {X86_DS, X86_ES, X86_FS, X86_GS};
    struct x86_state *s = x86_of(vcpu);
    unsigned cpl = task->seg[X86_CS] & 3;

    if (!load_ldt(vcpu, (uint16_t)task->ldt, ext))
        return false;
    if (s->eflags & X86_VM)
        return true;
    if (!load_code(vcpu, (uint16_t)task->seg[X86_CS], ext) ||
        !x86_stack_segment(vcpu, (uint16_t)task->seg[X86_SS], cpl, X86_TS_FAULT, ext,
                           &s->seg[X86_SS]))
        return false;
    for (unsigned n = 0; n < ARRAY_LEN(order); n++)
        if (!x86_data_segment(vcpu, (uint16_t)task->seg[order[n]], cpl, X86_TS_FAULT, ext,
                              &s->seg[order[n]]))
            return false;
    return true;
}

static bool enter(struct nw_vcpu *vcpu, const struct layout *t, const struct task *task,
                  uint32_t nested, uint32_t ext)
{
    struct x86_state *s = x86_of(vcpu);

    if (t->word == 4 && s->cr0 & X86_CR0_PG && task->cr3 != s->cr3) {
        s->cr3 = task->cr3;
        x86_mmu_flush_space(vcpu);
        if (s->cr4 & X86_CR4_PAE && !x86_mmu_load_pdptes(vcpu, s->cr3))
            return false;
    }
    load_registers(vcpu, t, task, nested);
    load_selectors(s, task);
    x86_mode_update(s);
    bool ok = load_segments(vcpu, task, ext);
    s->pc = (uint32_t)(s->seg[X86_CS].base + task->ip);
    x86_mode_update(s);
    return ok && x86_code_offset(vcpu, &s->seg[X86_CS], task->ip, ext);
}

bool x86_task_switch(struct nw_vcpu *vcpu, uint16_t selector, struct x86_desc *d,
                     enum x86_task_source source, uint64_t back, uint32_t ext)
{
    struct x86_state *s = x86_of(vcpu);
    struct x86_segment to = x86_desc_segment(d, selector);
    const struct layout *t = layout_of(to.attr);
    uint32_t flags = x86_eflags_read(s);
    bool nests = source == X86_TASK_CALL || source == X86_TASK_INT;
    struct task task;

    if (to.limit < t->least)
        return x86_fail(vcpu, X86_TS_FAULT, (selector & 0xfffcu) | ext);
    if (source == X86_TASK_IRET)
        flags &= ~(uint32_t)X86_NT;
    if (!read_task(vcpu, t, to.base, &task) || !save_task(vcpu, back, flags) ||
        !mark(vcpu, &to, d, source))
        return false;
    to.attr |= 2;
    s->seg[X86_TR] = to;
    if (!enter(vcpu, t, &task, nests ? X86_NT : 0, ext))
        return false;
    if (task.trap & 1) {
        s->dr[6] |= X86_DR6_BT;
        return x86_fail(vcpu, X86_DB, 0);
    }
    return true;
}

bool x86_task_gate(struct nw_vcpu *vcpu, const struct x86_desc *gate, enum x86_task_source source,
                   uint64_t back, uint32_t ext)
{
    uint16_t selector = (uint16_t)(gate->lo >> 16);
    uint32_t error = (selector & 0xfffcu) | ext;
    struct x86_desc d;

    if (selector & 4)
        return x86_fail(vcpu, X86_GP, error);
    if (!x86_desc_need(vcpu, selector, X86_GP, ext, &d))
        return false;
    unsigned type = x86_desc_type(&d);
    if (x86_desc_is_segment(&d) || (type != X86_TSS16 && type != X86_TSS32))
        return x86_fail(vcpu, X86_GP, error);
    if (!x86_desc_present(&d))
        return x86_fail(vcpu, X86_NP, error);
    return x86_task_switch(vcpu, selector, &d, source, back, ext);
}
