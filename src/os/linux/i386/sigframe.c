/* Signal frames as the kernel builds them (arch/x86/kernel/signal_32.c, asm/sigframe.h). */
#include <errno.h>
#include <string.h>
#include "guest/x86/flags.h"
#include "guest/x86/segment.h"
#include "os/linux/guest_mem.h"
#include "os/linux/i386/i386.h"
#include "os/linux/siginfo.h"
#include "os/linux/signal.h"
#include "os/linux/syscall.h"

enum { UC_FP_XSTATE = 1 };

/* Selectors stand in the lower halves of words. */
struct sigcontext_32 {
    uint32_t gs, fs, es, ds;
    uint32_t di, si, bp, sp, bx, dx, cx, ax;
    uint32_t trapno, err, ip, cs, flags, sp_at_signal, ss;
    uint32_t fpstate, oldmask, cr2;
};

struct ucontext_32 {
    uint32_t flags, link;
    uint32_t stack_sp, stack_flags, stack_size;
    struct sigcontext_32 mc;
    uint32_t mask[2];
};

struct old_frame {
    uint32_t return_address, sig;
    struct sigcontext_32 mc;
    uint8_t fpstate_unused[624];
    uint32_t extra_mask;
    uint8_t code[8];
};

struct rt_frame {
    uint32_t return_address, sig, info_at, uc_at;
    uint8_t info[LINUX_SIGINFO_SIZE];
    struct ucontext_32 uc;
    uint8_t code[8];
};
_Static_assert(sizeof(struct sigcontext_32) == 88, "struct sigcontext_32");
_Static_assert(sizeof(struct old_frame) <= I386_FRAME_SIZE, "struct sigframe_ia32");
_Static_assert(sizeof(struct rt_frame) <= I386_FRAME_SIZE, "struct rt_sigframe_ia32");

/* The members of sigcontext from `di` on in its order, and the registers. */
static const uint8_t order[] = {X86_RDI, X86_RSI, X86_RBP, X86_RSP,
                                X86_RBX, X86_RDX, X86_RCX, X86_RAX};

static void save_context(struct linux_task *t, struct sigcontext_32 *mc, uint64_t fx,
                         linux_sigset mask)
{
    const struct x86_state *s = x86_of(t->vcpu);
    uint32_t *regs = &mc->di;
    for (unsigned i = 0; i < ARRAY_LEN(order); i++)
        regs[i] = (uint32_t)s->gpr[order[i]];
    mc->gs = s->seg[X86_GS].selector;
    mc->fs = s->seg[X86_FS].selector;
    mc->es = s->seg[X86_ES].selector;
    mc->ds = s->seg[X86_DS].selector;
    mc->cs = s->seg[X86_CS].selector;
    mc->ss = s->seg[X86_SS].selector;
    mc->ip = (uint32_t)(s->pc - s->seg[X86_CS].base);
    mc->flags = x86_eflags_read(s);
    mc->sp_at_signal = mc->sp;
    mc->trapno = t->trap;
    mc->err = t->error;
    mc->cr2 = (uint32_t)s->cr2;
    mc->fpstate = (uint32_t)(fx - X86_LEGACY_FP);
    mc->oldmask = (uint32_t)mask;
}

/* pop eax; mov eax, NUMBER; int 0x80: not run, but debuggers look for it. */
static void put_code(uint8_t code[8], bool rt)
{
    static const uint8_t old[] = {0x58, 0xb8, 0x77, 0, 0, 0, 0xcd, 0x80};
    static const uint8_t new[] = {0xb8, 0xad, 0, 0, 0, 0xcd, 0x80, 0};
    memcpy(code, rt ? new : old, 8);
}

static uint32_t return_of(const struct linux_sigaction *act, bool rt)
{
    if (act->flags & LINUX_SA_RESTORER)
        return (uint32_t)act->restorer;
    return (uint32_t)(rt ? I386_RT_SIGRETURN : I386_SIGRETURN);
}

static int64_t put_old_frame(struct linux_task *t, int sig, const struct linux_sigaction *act,
                             uint64_t at, uint64_t fx, linux_sigset mask)
{
    struct old_frame frame = {.return_address = return_of(act, false), .sig = (uint32_t)sig};
    save_context(t, &frame.mc, fx, mask);
    frame.extra_mask = (uint32_t)(mask >> 32);
    put_code(frame.code, false);
    return linux_copy_out(t, at, &frame, sizeof frame);
}

static int64_t put_rt_frame(struct linux_task *t, int sig, const struct linux_sigaction *act,
                            const siginfo_t *info, uint64_t at, uint64_t fx, linux_sigset mask)
{
    struct rt_frame frame = {.return_address = return_of(act, true), .sig = (uint32_t)sig};
    frame.info_at = (uint32_t)(at + offsetof(struct rt_frame, info));
    frame.uc_at = (uint32_t)(at + offsetof(struct rt_frame, uc));
    save_context(t, &frame.uc.mc, fx, mask);
    frame.uc.flags = linux_x86_has_xsave(t) ? UC_FP_XSTATE : 0;
    frame.uc.stack_sp = (uint32_t)t->alt_stack;
    frame.uc.stack_flags = linux_alt_stack_flags(t);
    frame.uc.stack_size = (uint32_t)t->alt_size;
    frame.uc.mask[0] = (uint32_t)mask;
    frame.uc.mask[1] = (uint32_t)(mask >> 32);
    put_code(frame.code, true);
    if (linux_copy_out(t, at, &frame, sizeof frame))
        return -EFAULT;
    return linux_put_siginfo(t, frame.info_at, info);
}

int64_t i386_push_frame(struct linux_task *t, int sig, const struct linux_sigaction *act,
                        const siginfo_t *info, linux_sigset mask)
{
    struct x86_state *s = x86_of(t->vcpu);
    bool rt = act->flags & SA_SIGINFO;
    size_t size = rt ? sizeof(struct rt_frame) : sizeof(struct old_frame);
    uint64_t sp = linux_signal_stack(t, act), fx;

    if (sp < I386_FRAME_SIZE + 4096)
        return -EFAULT;
    sp = linux_x86_fp_place(t, sp, true, &fx);
    /* As after a call: the arguments are aligned to 16 (Intel386 ABI 2.2.2). */
    uint64_t at = ((sp - size + 4) & ~15ull) - 4;
    if (linux_x86_fp_save(t, fx, true) || (rt ? put_rt_frame(t, sig, act, info, at, fx, mask)
                                              : put_old_frame(t, sig, act, at, fx, mask)))
        return -EFAULT;
    /* Handlers may take their arguments in registers, too. */
    s->gpr[X86_RAX] = (uint32_t)sig;
    s->gpr[X86_RDX] = rt ? (uint32_t)(at + offsetof(struct rt_frame, info)) : 0;
    s->gpr[X86_RCX] = rt ? (uint32_t)(at + offsetof(struct rt_frame, uc)) : 0;
    linux_x86_enter(t, act->handler, at, X86_USER32_CS, X86_USER_DS);
    return 0;
}

static int64_t restore_context(struct linux_task *t, const struct sigcontext_32 *mc)
{
    struct x86_state *s = x86_of(t->vcpu);
    const uint32_t *regs = &mc->di;
    for (unsigned i = 0; i < ARRAY_LEN(order); i++)
        s->gpr[order[i]] = regs[i];
    linux_x86_load_segment(t, X86_GS, (uint16_t)mc->gs);
    linux_x86_load_segment(t, X86_FS, (uint16_t)mc->fs);
    linux_x86_load_segment(t, X86_ES, (uint16_t)mc->es);
    linux_x86_load_segment(t, X86_DS, (uint16_t)mc->ds);
    linux_x86_return_segments(t, (uint16_t)mc->cs, (uint16_t)mc->ss);
    linux_x86_set_flags(t, mc->flags);
    s->pc = (uint32_t)(mc->ip + s->seg[X86_CS].base);
    x86_mode_update(s);
    return linux_x86_fp_restore(t, mc->fpstate ? mc->fpstate + X86_LEGACY_FP : 0, true);
}

/* The handler's return has taken the first word, the old return the second. */
int64_t i386_sigreturn(struct linux_task *t, bool rt)
{
    uint64_t sp = linux_x86_get_sp(t);
    struct rt_frame frame;
    struct old_frame old;
    if (!rt) {
        if (linux_copy_in(t, &old, sp - 8, sizeof old))
            return -EFAULT;
        int64_t err = restore_context(t, &old.mc);
        linux_set_blocked(t, old.mc.oldmask | (uint64_t)old.extra_mask << 32);
        return err;
    }
    if (linux_copy_in(t, &frame, sp - 4, sizeof frame))
        return -EFAULT;
    int64_t err = restore_context(t, &frame.uc.mc);
    linux_set_blocked(t, frame.uc.mask[0] | (uint64_t)frame.uc.mask[1] << 32);
    linux_restore_alt_stack(t, frame.uc.stack_sp, frame.uc.stack_size, frame.uc.stack_flags);
    return err;
}
