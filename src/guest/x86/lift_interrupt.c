/* Software interrupts, the interrupt flag, and waiting for interrupts (SDM 2A INT n; 3A 6.4,
 * 6.8). */
#include <narwhal/x86.h>

#include "guest/x86/debug.h"
#include "guest/x86/lift.h"
#include "guest/x86/segment.h"

#define LINUX_SYSCALL 0x80

/* Vector VECTOR behind the instruction. A program without a kernel of its own gets the exception.
 */
static void soft_interrupt(struct x86_lift *l, unsigned vector, uint32_t how)
{
    uint32_t payload = how | X86_EXC_LENGTH(l->i->z.length);

    if (l->user || l->bare)
        payload = l->bare ? NW_X86_SOFT : 0;

    ir_exit_exc(l->b, EXC_GUEST + vector, payload, l->i->z.length);
    l->ended = true;
}

void x86_int_n(struct x86_lift *l, const struct x86_insn *i)
{
    uint32_t vector = (uint32_t)i->op[0].imm.value.u & 0xff;

    if (!l->user) {
        if (l->mode & X86_KEY_VM86 && (l->mode & X86_KEY_IOPL) != X86_KEY_IOPL)
            x86_gp0(l);
        else
            soft_interrupt(l, vector, X86_EXC_SOFT);
    } else if (!(l->mode & X86_KEY_PROT)) {
        soft_interrupt(l, vector, 0); /* a service of firmware or DOS: the caller's to give */
    } else if (vector == LINUX_SYSCALL) {
        ir_exit_exc(l->b, EXC_SYSCALL, LINUX_SYSCALL, i->z.length);
        l->ended = true;
    } else {
        x86_exception(l, X86_GP, vector * 8 + 2, false);
    }
}

void x86_int3(struct x86_lift *l, const struct x86_insn *i)
{
    (void)i;
    soft_interrupt(l, X86_BP, X86_EXC_SOFT);
}

void x86_int1(struct x86_lift *l, const struct x86_insn *i)
{
    (void)i;
    soft_interrupt(l, X86_DB, X86_EXC_ICEBP);
}

void x86_into(struct x86_lift *l, const struct x86_insn *i)
{
    uint32_t label = ir_label_new(l->b);
    (void)i;

    ir_skip_ifnot(l->b, x86_cc_test(l, 0), label);
    soft_interrupt(l, X86_OF_TRAP, X86_EXC_SOFT);
    ir_label(l->b, label);
    l->ended = false;
}

/* ---- the interrupt flag (without the virtual one of VME and PVI) ---- */

/* True: the privilege level does not allow it, #GP(0). */
static bool no_io_privilege(struct x86_lift *l)
{
    unsigned iopl = (l->mode & X86_KEY_IOPL) >> 16;

    if (!(l->mode & X86_KEY_PROT) || l->cpl <= iopl)
        return false;
    x86_gp0(l);
    return true;
}

void x86_cli(struct x86_lift *l, const struct x86_insn *i)
{
    (void)i;
    if (no_io_privilege(l))
        return;
    ir_val flags = ir_get(l->b, IR_I32, X86_OFF(eflags));
    flags = ir_and(l->b, IR_I32, flags, ir_const32(l->b, ~(uint32_t)X86_IF));
    ir_put(l->b, IR_I32, X86_OFF(eflags), flags);
}

static uint64_t shadow_helper(struct nw_vcpu *vcpu, uint64_t unused0, uint64_t unused1,
                              uint64_t unused2, uint64_t unused3)
{
    (void)unused0, (void)unused1, (void)unused2, (void)unused3;
    struct x86_state *s = x86_of(vcpu);

    s->inhibit = X86_INHIBIT_INTR;
    x86_mode_update(s);
    return 0;
}

void x86_leave_in_shadow(struct x86_lift *l)
{
    static const struct ir_helper helper = {"x86_shadow", shadow_helper, IR_H_READS | IR_H_WRITES,
                                            IR_VOID, 0};
    x86_call(l, &helper, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    x86_leave_state(l);
}

static uint64_t lines_helper(struct nw_vcpu *vcpu, uint64_t unused0, uint64_t unused1,
                             uint64_t unused2, uint64_t unused3)
{
    (void)unused0, (void)unused1, (void)unused2, (void)unused3;
    return __atomic_load_n(&vcpu->irq_lines, __ATOMIC_ACQUIRE);
}

/* Interrupts are taken between blocks, so that an instruction which follows in this one runs
 * without them anyway. Only one that waits already must come just behind it. */
void x86_sti(struct x86_lift *l, const struct x86_insn *i)
{
    static const struct ir_helper helper = {"x86_lines", lines_helper, 0, IR_I32, 0};
    struct ir_builder *b = l->b;
    uint32_t label;
    (void)i;

    if (no_io_privilege(l))
        return;
    ir_val flags = ir_get(b, IR_I32, X86_OFF(eflags));
    ir_val lines = x86_call(l, &helper, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    ir_val closed = ir_and(b, IR_I32, ir_not(b, IR_I32, flags), ir_const32(b, X86_IF));
    ir_put(b, IR_I32, X86_OFF(eflags), ir_or(b, IR_I32, flags, ir_const32(b, X86_IF)));
    label = ir_label_new(b);
    ir_skip_if(b, ir_cmp(b, IR_EQ, IR_I32, closed, ir_const32(b, 0)), label);
    ir_skip_if(b, ir_cmp(b, IR_EQ, IR_I32, lines, ir_const32(b, 0)), label);
    x86_leave_in_shadow(l);
    ir_label(b, label);
    l->ended = false;
    l->shadow = true;
}

/* ---- waiting ---- */

void x86_hlt(struct x86_lift *l, const struct x86_insn *i)
{
    if (l->cpl) {
        x86_gp0(l);
        return;
    }
    /* Who takes exceptions as exits wakes the CPU by running it. */
    if (!l->user && !l->bare)
        ir_put(l->b, IR_I32, X86_OFF(halted), ir_const32(l->b, X86_HALTED));
    ir_exit_exc(l->b, EXC_HALT, 0, i->z.length);
    l->ended = true;
}

void x86_monitor(struct x86_lift *l, const struct x86_insn *i)
{
    if (l->cpl) {
        x86_undefined(l);
        return;
    }
    unsigned bits = x86_addr_bits(l);
    ir_val extensions = x86_gpr_get(l, X86_RCX, 32);
    ir_val some = ir_cmp(l->b, IR_NE, IR_I32, extensions, ir_const32(l->b, 0));
    unsigned seg = X86_DS;
    for (unsigned n = 0; n < i->z.operand_count; n++)
        if (i->op[n].type == ZYDIS_OPERAND_TYPE_MEMORY)
            seg = x86_operand_segment(&i->op[n]);
    x86_exception_if(l, some, X86_GP, 0);
    x86_load(l, x86_linear(l, seg, x86_gpr_get(l, X86_RAX, bits), bits, 1, false), 8, 0);
}

/* Nothing is monitored: the wait may end at once, and does. */
void x86_mwait(struct x86_lift *l, const struct x86_insn *i)
{
    (void)i;
    if (l->cpl) {
        x86_undefined(l);
        return;
    }
    ir_val more = ir_cmp(l->b, IR_UGT, IR_I32, x86_gpr_get(l, X86_RCX, 32), ir_const32(l->b, 1));
    x86_exception_if(l, more, X86_GP, 0);
    x86_leave_state(l);
}
