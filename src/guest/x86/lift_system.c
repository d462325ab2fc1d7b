/* System calls, and the bases of FS and GS (SDM 1 7.3.17, 2B; 3A 5.8.7, 5.8.8). */
#include <narwhal/x86.h>

#include "guest/x86/control.h"
#include "guest/x86/flags.h"
#include "guest/x86/lift.h"

static uint64_t syscall_helper(struct nw_vcpu *vcpu, uint64_t next, uint64_t user, uint64_t unused1,
                               uint64_t unused2)
{
    (void)unused1, (void)unused2;
    struct x86_state *s = x86_of(vcpu);

    if (!user) {
        x86_syscall_enter(vcpu, next);
        return 0;
    }
    s->gpr[X86_RCX] = next;
    s->gpr[X86_R11] = x86_eflags_read(s);
    return 0;
}

/* The caller's to serve; no register has changed. */
static void exit_syscall(struct x86_lift *l, uint32_t code)
{
    ir_exit_exc(l->b, EXC_SYSCALL, code, l->i->z.length);
    l->ended = true;
}

void x86_syscall(struct x86_lift *l, const struct x86_insn *i)
{
    X86_HELPER(syscall, syscall_helper, 2);
    (void)i;

    if (l->bare) {
        exit_syscall(l, NW_X86_SYSCALL);
        return;
    }
    if (l->user && l->bits != 64) {
        x86_undefined(l);
        return;
    }
    x86_call(l, &syscall, ir_const64(l->b, l->next), ir_const32(l->b, l->user), IR_NONE, IR_NONE);
    if (l->user)
        exit_syscall(l, NW_X86_SYSCALL);
    else
        x86_leave_to_state(l);
}

enum { EXIT_SYSRET, EXIT_SYSEXIT };

static uint64_t exit_helper(struct nw_vcpu *vcpu, uint64_t which, uint64_t wide, uint64_t unused1,
                            uint64_t unused2)
{
    (void)unused1, (void)unused2;
    (which == EXIT_SYSRET ? x86_sysret : x86_sysexit)(vcpu, wide);
    return 0;
}

/* SYSRET, SYSEXIT: argument is which. */
void x86_system_exit(struct x86_lift *l, const struct x86_insn *i)
{
    X86_HELPER(system_exit, exit_helper, 2);
    bool wide = i->z.attributes & ZYDIS_ATTRIB_HAS_REX && i->z.raw.rex.W;

    x86_call(l, &system_exit, ir_const32(l->b, i->row->arg), ir_const32(l->b, wide), IR_NONE,
             IR_NONE);
    x86_leave_to_state(l);
}

static uint64_t sysenter_helper(struct nw_vcpu *vcpu, uint64_t unused0, uint64_t unused1,
                                uint64_t unused2, uint64_t unused3)
{
    (void)unused0, (void)unused1, (void)unused2, (void)unused3;
    x86_sysenter(vcpu);
    return 0;
}

void x86_sysenter_insn(struct x86_lift *l, const struct x86_insn *i)
{
    X86_HELPER(sysenter, sysenter_helper, 0);
    (void)i;

    if (l->bare) {
        if (l->mode & X86_KEY_PROT)
            exit_syscall(l, NW_X86_SYSENTER);
        else
            x86_gp0(l);
        return;
    }
    x86_call(l, &sysenter, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    x86_leave_to_state(l);
}

/* ---- bases ---- */

void x86_swapgs(struct x86_lift *l, const struct x86_insn *i)
{
    uint32_t kernel = X86_OFF(kernel_gs_base), gs = X86_OFF(seg[X86_GS].base);
    (void)i;

    if (l->bits != 64 || l->cpl) {
        if (l->bits != 64)
            x86_undefined(l);
        else
            x86_gp0(l);
        return;
    }
    ir_val a = ir_get(l->b, IR_I64, gs), b = ir_get(l->b, IR_I64, kernel);
    ir_put(l->b, IR_I64, gs, b);
    ir_put(l->b, IR_I64, kernel, a);
}

static uint64_t fsgsbase_helper(struct nw_vcpu *vcpu, uint64_t unused0, uint64_t unused1,
                                uint64_t unused2, uint64_t unused3)
{
    (void)unused0, (void)unused1, (void)unused2, (void)unused3;
    if (!(x86_of(vcpu)->cr4 & X86_CR4_FSGSBASE))
        x86_raise(vcpu, X86_UD, 0);
    return 0;
}

/* False: the instruction is undefined here. Programs without a kernel have it. */
static bool fsgsbase_allowed(struct x86_lift *l)
{
    static const struct ir_helper helper = {"x86_fsgsbase", fsgsbase_helper,
                                            IR_H_READS | IR_H_EXITS, IR_VOID, 0};
    if (l->bits != 64) {
        x86_undefined(l);
        return false;
    }
    if (!l->user)
        x86_call(l, &helper, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    return true;
}

static uint32_t base_slot(unsigned seg)
{
    return X86_OFF(seg[0].base) + seg * (uint32_t)sizeof(struct x86_segment);
}

/* RDFSBASE, RDGSBASE: argument is the segment. */
void x86_rdbase(struct x86_lift *l, const struct x86_insn *i)
{
    if (!fsgsbase_allowed(l))
        return;
    ir_val v = ir_get(l->b, IR_I64, base_slot(i->row->arg));
    x86_reg_put(l, i->op[0].reg.value, x86_zext(l, v, 64, i->op[0].size));
}

/* WRFSBASE, WRGSBASE: argument is the segment. */
void x86_wrbase(struct x86_lift *l, const struct x86_insn *i)
{
    if (!fsgsbase_allowed(l))
        return;
    ir_val v = x86_reg_get(l, i->op[0].reg.value);
    if (i->op[0].size == 64 && !l->bare) {
        ir_val sixteen = ir_const32(l->b, 16);
        ir_val sign = ir_sar(l->b, IR_I64, ir_shl(l->b, IR_I64, v, sixteen), sixteen);
        x86_exception_if(l, ir_cmp(l->b, IR_NE, IR_I64, sign, v), X86_GP, 0);
    }
    ir_put(l->b, IR_I64, base_slot(i->row->arg), x86_zext(l, v, i->op[0].size, 64));
}
