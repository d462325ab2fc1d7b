/* Signal frames as the kernel builds them (arch/x86/kernel/signal_64.c, asm/sigcontext.h). */
#include <errno.h>
#include <string.h>
#include "guest/x86/flags.h"
#include "guest/x86/segment.h"
#include "os/linux/guest_mem.h"
#include "os/linux/siginfo.h"
#include "os/linux/signal.h"
#include "os/linux/syscall.h"
#include "os/linux/x86_64/x86_64.h"

#define RED_ZONE 128 /* below RSP, belongs to the interrupted function (AMD64 ABI 3.2.2) */

/* uc_flags: extended floating-point state; ss is there, and to be taken from there. */
enum { UC_FP_XSTATE = 1, UC_SIGCONTEXT_SS = 2, UC_STRICT_RESTORE_SS = 4 };

struct sigcontext_64 {
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t di, si, bp, bx, dx, ax, cx, sp, ip, flags;
    uint16_t cs, gs, fs, ss;
    uint64_t err, trapno, oldmask, cr2, fpstate, reserved[8];
};

struct ucontext_64 {
    uint64_t flags, link;
    uint64_t stack_sp;
    uint32_t stack_flags, pad;
    uint64_t stack_size;
    struct sigcontext_64 mc;
    uint64_t mask;
};

struct frame_64 {
    uint64_t return_address;
    struct ucontext_64 uc;
    uint8_t info[LINUX_SIGINFO_SIZE];
};
_Static_assert(sizeof(struct sigcontext_64) == 256, "struct sigcontext");
_Static_assert(sizeof(struct frame_64) == X86_64_FRAME_SIZE, "struct rt_sigframe");

/* The members of sigcontext in its order, and the registers. */
static const uint8_t order[] = {X86_R8,  X86_R9,  X86_R10, X86_R11, X86_R12, X86_R13,
                                X86_R14, X86_R15, X86_RDI, X86_RSI, X86_RBP, X86_RBX,
                                X86_RDX, X86_RAX, X86_RCX, X86_RSP};

static void save_context(struct linux_task *t, struct ucontext_64 *uc, linux_sigset mask)
{
    const struct x86_state *s = x86_of(t->vcpu);
    struct sigcontext_64 *mc = &uc->mc;
    uint64_t *regs = &mc->r8;
    for (unsigned i = 0; i < ARRAY_LEN(order); i++)
        regs[i] = s->gpr[order[i]];
    mc->ip = s->pc;
    mc->flags = x86_eflags_read(s);
    mc->cs = s->seg[X86_CS].selector;
    mc->ss = s->seg[X86_SS].selector;
    mc->err = t->error;
    mc->trapno = t->trap;
    mc->oldmask = mask;
    mc->cr2 = s->cr2;
    uc->flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
    if (linux_x86_has_xsave(t))
        uc->flags |= UC_FP_XSTATE;
    uc->stack_sp = t->alt_stack;
    uc->stack_flags = linux_alt_stack_flags(t);
    uc->stack_size = t->alt_size;
    uc->mask = mask;
}

int64_t x86_64_push_frame(struct linux_task *t, int sig, const struct linux_sigaction *act,
                          const siginfo_t *info, linux_sigset mask)
{
    struct x86_state *s = x86_of(t->vcpu);
    struct frame_64 frame = {0};
    uint64_t sp = linux_signal_stack(t, act), fx;

    if (!(act->flags & LINUX_SA_RESTORER))
        return -EFAULT; /* there is no other way back */
    if (sp == linux_x86_get_sp(t))
        sp -= RED_ZONE;
    sp = linux_x86_fp_place(t, sp, false, &fx);
    uint64_t at = ((sp - sizeof frame) & ~15ull) - 8;
    save_context(t, &frame.uc, mask);
    frame.uc.mc.fpstate = fx;
    frame.return_address = act->restorer;
    if (linux_x86_fp_save(t, fx, false) || linux_copy_out(t, at, &frame, sizeof frame) ||
        linux_put_siginfo(t, at + offsetof(struct frame_64, info), info))
        return -EFAULT;
    s->gpr[X86_RAX] = 0; /* of a variadic handler: no vector arguments */
    s->gpr[X86_RDI] = (uint64_t)sig;
    s->gpr[X86_RSI] = at + offsetof(struct frame_64, info);
    s->gpr[X86_RDX] = at + offsetof(struct frame_64, uc);
    linux_x86_enter(t, act->handler, at, X86_USER_CS, s->seg[X86_DS].selector);
    return 0;
}

int64_t x86_64_sigreturn(struct linux_task *t, bool rt)
{
    struct x86_state *s = x86_of(t->vcpu);
    struct frame_64 frame;
    const struct sigcontext_64 *mc = &frame.uc.mc;
    const uint64_t *regs = &mc->r8;
    (void)rt;

    /* The handler's return has taken the first word. */
    if (linux_copy_in(t, &frame, s->gpr[X86_RSP] - 8, sizeof frame))
        return -EFAULT;
    for (unsigned i = 0; i < ARRAY_LEN(order); i++)
        s->gpr[order[i]] = regs[i];
    s->pc = mc->ip;
    linux_x86_set_flags(t, (uint32_t)mc->flags);
    linux_x86_return_segments(t, mc->cs, mc->ss);
    x86_mode_update(s);
    int64_t err = linux_x86_fp_restore(t, mc->fpstate, false);
    linux_set_blocked(t, frame.uc.mask);
    linux_restore_alt_stack(t, frame.uc.stack_sp, frame.uc.stack_size, frame.uc.stack_flags);
    return err;
}
