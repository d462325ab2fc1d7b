/* System calls about signals. */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include "os/linux/abi.h"
#include "os/linux/guest_mem.h"
#include "os/linux/siginfo.h"
#include "os/linux/signal.h"
#include "os/linux/syscall.h"

#define SIGSET_SIZE 8

int64_t linux_get_sigset(struct linux_task *t, uint64_t gva, linux_sigset *set)
{
    return linux_copy_in(t, set, gva, sizeof *set);
}

static int64_t change_action(struct linux_task *t, const uint64_t args[6], bool rt)
{
    const struct linux_abi *abi = t->process->abi;
    struct linux_sigaction new, old;
    int sig = (int)args[0];
    if (sig < 1 || sig > LINUX_NSIG)
        return -EINVAL;
    if (args[1]) {
        if (sig == SIGKILL || sig == SIGSTOP)
            return -EINVAL;
        if (abi->get_sigaction(t, args[1], &new, rt))
            return -EFAULT;
    }
    linux_set_action(t->process, sig, args[1] ? &new : NULL, &old);
    return args[2] ? abi->put_sigaction(t, args[2], &old, rt) : 0;
}

int64_t sys_sigaction(struct linux_task *t, const uint64_t args[6])
{
    return change_action(t, args, false);
}

int64_t sys_rt_sigaction(struct linux_task *t, const uint64_t args[6])
{
    return args[3] == SIGSET_SIZE ? change_action(t, args, true) : -EINVAL;
}

/* HOW of sigprocmask(2); the bits of VALID only. */
static int64_t change_mask(struct linux_task *t, uint64_t how, linux_sigset set, linux_sigset valid)
{
    switch (how) {
    case SIG_BLOCK: set = t->blocked | set; break;
    case SIG_UNBLOCK: set = t->blocked & ~set; break;
    case SIG_SETMASK: set = (t->blocked & ~valid) | set; break;
    default: return -EINVAL;
    }
    linux_set_blocked(t, set);
    return 0;
}

int64_t sys_sigprocmask(struct linux_task *t, const uint64_t args[6])
{
    uint64_t set, old = t->blocked;
    if (args[1]) {
        if (linux_get_word(t, args[1], &set))
            return -EFAULT;
        int64_t err = change_mask(t, args[0], set, UINT32_MAX);
        if (err)
            return err;
    }
    return args[2] ? linux_put_word(t, args[2], old) : 0;
}

int64_t sys_rt_sigprocmask(struct linux_task *t, const uint64_t args[6])
{
    linux_sigset set, old = t->blocked;
    if (args[3] != SIGSET_SIZE)
        return -EINVAL;
    if (args[1]) {
        if (linux_get_sigset(t, args[1], &set))
            return -EFAULT;
        int64_t err = change_mask(t, (uint32_t)args[0], set, ~0ull);
        if (err)
            return err;
    }
    return args[2] ? linux_put_u64(t, args[2], old) : 0;
}

static linux_sigset pending(struct linux_task *t)
{
    linux_sigset set = 0;
    syscall(SYS_rt_sigpending, &set, sizeof set);
    return (set | t->held) & t->blocked;
}

int64_t sys_sigpending(struct linux_task *t, const uint64_t args[6])
{
    return linux_put_word(t, args[0], pending(t));
}

int64_t sys_rt_sigpending(struct linux_task *t, const uint64_t args[6])
{
    linux_sigset set = pending(t);
    return args[1] > sizeof set ? -EINVAL : linux_copy_out(t, args[0], &set, args[1]);
}

/* Calls of the first kernels: a handler that is reset and not blocked, a mask of one word. */
int64_t sys_signal(struct linux_task *t, const uint64_t args[6])
{
    struct linux_sigaction new = {.handler = args[1], .flags = SA_RESETHAND | SA_NODEFER}, old;
    int sig = (int)args[0];
    if (sig < 1 || sig > LINUX_NSIG || sig == SIGKILL || sig == SIGSTOP)
        return -EINVAL;
    linux_set_action(t->process, sig, &new, &old);
    return (int64_t)old.handler;
}

int64_t sys_sgetmask(struct linux_task *t, const uint64_t args[6])
{
    (void)args;
    return (uint32_t)t->blocked;
}

int64_t sys_ssetmask(struct linux_task *t, const uint64_t args[6])
{
    uint32_t old = (uint32_t)t->blocked;
    linux_set_blocked(t, (t->blocked & ~(uint64_t)UINT32_MAX) | (uint32_t)args[0]);
    return old;
}

static int64_t suspend(struct linux_task *t, linux_sigset mask)
{
    linux_mask_until_return(t, mask);
    return linux_block(t, SYS_pause, 0, 0, 0, 0, 0, 0);
}

/* On the ABIs that have it the first two arguments are leftovers. */
int64_t sys_sigsuspend(struct linux_task *t, const uint64_t args[6])
{
    return suspend(t, (t->blocked & ~(uint64_t)UINT32_MAX) | (uint32_t)args[2]);
}

int64_t sys_rt_sigsuspend(struct linux_task *t, const uint64_t args[6])
{
    linux_sigset mask;
    if (args[1] != SIGSET_SIZE)
        return -EINVAL;
    return linux_get_sigset(t, args[0], &mask) ? -EFAULT : suspend(t, mask);
}

int64_t sys_pause(struct linux_task *t, const uint64_t args[6])
{
    (void)args;
    return linux_block(t, SYS_pause, 0, 0, 0, 0, 0, 0);
}

static int64_t wait_signal(struct linux_task *t, const uint64_t args[6],
                           const struct timespec *limit)
{
    linux_sigset set;
    siginfo_t info = {0};
    int64_t sig = 0;
    if (args[3] != SIGSET_SIZE)
        return -EINVAL;
    if (linux_get_sigset(t, args[0], &set))
        return -EFAULT;
    linux_sigset held = t->held & set;
    if (held) {
        sig = __builtin_ctzll(held) + 1;
        atomic_fetch_and(&t->held, ~LINUX_SIGBIT(sig));
        info = (siginfo_t){.si_signo = (int)sig, .si_code = SI_USER};
    } else {
        sig = linux_block(t, SYS_rt_sigtimedwait, (long)&set, (long)&info, (long)limit, sizeof set,
                          0, 0);
    }
    if (sig > 0 && args[1] && t->process->abi->put_siginfo(t, args[1], &info))
        return -EFAULT;
    return sig;
}

int64_t sys_rt_sigtimedwait(struct linux_task *t, const uint64_t args[6])
{
    struct timespec limit;
    if (args[2] && t->process->abi->get_timespec(t, args[2], &limit))
        return -EFAULT;
    return wait_signal(t, args, args[2] ? &limit : NULL);
}

int64_t sys_rt_sigtimedwait_time64(struct linux_task *t, const uint64_t args[6])
{
    struct timespec limit;
    if (args[2] && t->process->abi->get_timespec64(t, args[2], &limit))
        return -EFAULT;
    return wait_signal(t, args, args[2] ? &limit : NULL);
}

int64_t linux_queued_siginfo(struct linux_task *t, uint64_t gva, int sig, siginfo_t *info)
{
    if (t->process->abi->get_siginfo(t, gva, info))
        return -EFAULT;
    if ((sig == SIGSEGV || sig == SIGBUS) && info->si_code > 0)
        info->si_code = SI_QUEUE;
    return 0;
}

int64_t sys_rt_sigqueueinfo(struct linux_task *t, const uint64_t args[6])
{
    siginfo_t info;
    if (linux_queued_siginfo(t, args[2], (int)args[1], &info))
        return -EFAULT;
    return linux_host(SYS_rt_sigqueueinfo, (long)args[0], (long)args[1], (long)&info, 0, 0, 0);
}

int64_t sys_rt_tgsigqueueinfo(struct linux_task *t, const uint64_t args[6])
{
    siginfo_t info;
    if (linux_queued_siginfo(t, args[3], (int)args[2], &info))
        return -EFAULT;
    return linux_host(SYS_rt_tgsigqueueinfo, (long)args[0], (long)args[1], (long)args[2],
                      (long)&info, 0, 0);
}

/* A frame that cannot be read leaves nowhere to go. */
static int64_t leave_handler(struct linux_task *t, bool rt)
{
    int64_t err = t->process->abi->sigreturn(t, rt);
    siginfo_t info = {.si_signo = SIGSEGV, .si_code = SI_KERNEL};
    if (err)
        linux_force_signal(t, &info);
    return err;
}

int64_t sys_sigreturn(struct linux_task *t, const uint64_t args[6])
{
    (void)args;
    return leave_handler(t, false);
}

int64_t sys_rt_sigreturn(struct linux_task *t, const uint64_t args[6])
{
    (void)args;
    return leave_handler(t, true);
}

int64_t sys_kill(struct linux_task *t, const uint64_t args[6])
{
    (void)t;
    return linux_host(SYS_kill, (long)args[0], (long)args[1], 0, 0, 0, 0);
}

int64_t sys_tkill(struct linux_task *t, const uint64_t args[6])
{
    (void)t;
    return linux_host(SYS_tkill, (long)args[0], (long)args[1], 0, 0, 0, 0);
}

int64_t sys_tgkill(struct linux_task *t, const uint64_t args[6])
{
    (void)t;
    return linux_host(SYS_tgkill, (long)args[0], (long)args[1], (long)args[2], 0, 0, 0);
}

int64_t sys_sigaltstack(struct linux_task *t, const uint64_t args[6])
{
    unsigned word = t->process->abi->word;
    uint64_t old_sp = t->alt_stack, old_size = t->alt_size;
    uint32_t old_flags = linux_alt_stack_flags(t);
    if (args[0]) {
        uint64_t sp, size;
        uint32_t flags;
        if (linux_get_word(t, args[0], &sp) || linux_get_u32(t, args[0] + word, &flags) ||
            linux_get_word(t, args[0] + 2 * word, &size))
            return -EFAULT;
        int64_t err = linux_restore_alt_stack(t, sp, size, flags);
        if (err)
            return err;
    }
    if (args[1] &&
        (linux_put_word(t, args[1], old_sp) || linux_put_u32(t, args[1] + word, old_flags) ||
         linux_put_word(t, args[1] + 2 * word, old_size)))
        return -EFAULT;
    return 0;
}

int64_t sys_restart_syscall(struct linux_task *t, const uint64_t args[6])
{
    (void)t;
    (void)args;
    return -EINTR;
}
