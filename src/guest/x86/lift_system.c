/* System calls, software interrupts and privileged instructions (SDM 1 7.3.17, 3A 2.8). */
#include "guest/x86/flags.h"
#include "guest/x86/lift.h"

static uint64_t syscall_helper(struct nw_vcpu *vcpu, uint64_t next, uint64_t unused1,
                               uint64_t unused2, uint64_t unused3)
{
    (void)unused1, (void)unused2, (void)unused3;
    struct x86_state *s = x86_of(vcpu);
    s->gpr[X86_RCX] = next;
    s->gpr[X86_R11] = x86_eflags_read(s);
    return 0;
}

void x86_syscall(struct x86_lift *l, const struct x86_insn *i)
{
    static const struct ir_helper helper = {"x86_syscall", syscall_helper, IR_H_READS | IR_H_WRITES,
                                            IR_VOID, 1};
    if (!l->user || l->bits != 64) {
        x86_undefined(l);
        return;
    }
    x86_call(l, &helper, ir_const64(l->b, l->next), IR_NONE, IR_NONE, IR_NONE);
    ir_exit_exc(l->b, EXC_SYSCALL, 0, i->z.length);
    l->ended = true;
}

void x86_int_n(struct x86_lift *l, const struct x86_insn *i)
{
    if (!l->user || i->op[0].imm.value.u != 0x80) {
        x86_exception(l, X86_GP, (uint32_t)i->op[0].imm.value.u * 8 + 2, false);
        return;
    }
    ir_exit_exc(l->b, EXC_SYSCALL, 0x80, i->z.length);
    l->ended = true;
}

void x86_hlt(struct x86_lift *l, const struct x86_insn *i)
{
    if (l->cpl) {
        x86_gp0(l);
        return;
    }
    ir_exit_exc(l->b, EXC_HALT, 0, i->z.length);
    l->ended = true;
}

/* ---- what the integer lifters leave to this file ---- */

void x86_jmp_far(struct x86_lift *l, const struct x86_insn *i)
{
    (void)i;
    x86_undefined(l);
}

void x86_call_far(struct x86_lift *l, const struct x86_insn *i)
{
    (void)i;
    x86_undefined(l);
}

void x86_ret_far(struct x86_lift *l, const struct x86_insn *i)
{
    (void)i;
    x86_undefined(l);
}

void x86_mov_control(struct x86_lift *l, const struct x86_insn *i)
{
    (void)i;
    x86_undefined(l);
}

void x86_mov_debug(struct x86_lift *l, const struct x86_insn *i)
{
    (void)i;
    x86_undefined(l);
}

void x86_mmx_op(struct x86_lift *l, const struct x86_insn *i)
{
    (void)i;
    x86_undefined(l);
}
