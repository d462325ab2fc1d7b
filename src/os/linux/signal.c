/* Guest signals: dispositions, masks, delivery. */
#include "os/linux/signal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "os/linux/abi.h"
#include "os/linux/guest_mem.h"
#include "os/linux/signal_host.h"
#include "os/linux/strace_note.h"
#include "os/linux/syscall.h"

#define UNBLOCKABLE (LINUX_SIGBIT(SIGKILL) | LINUX_SIGBIT(SIGSTOP))
#define SYNCHRONOUS (LINUX_SIGBIT(SIGSEGV) | LINUX_SIGBIT(SIGBUS))
/* Signals whose default action is a core dump (signal(7)). */
#define CORE                                                                                       \
    (SYNCHRONOUS | LINUX_SIGBIT(SIGQUIT) | LINUX_SIGBIT(SIGILL) | LINUX_SIGBIT(SIGTRAP) |          \
     LINUX_SIGBIT(SIGABRT) | LINUX_SIGBIT(SIGFPE) | LINUX_SIGBIT(SIGXCPU) |                        \
     LINUX_SIGBIT(SIGXFSZ) | LINUX_SIGBIT(SIGSYS))
#define IGNORED_BY_DEFAULT                                                                         \
    (LINUX_SIGBIT(SIGCHLD) | LINUX_SIGBIT(SIGURG) | LINUX_SIGBIT(SIGWINCH) | LINUX_SIGBIT(SIGCONT))

#define SS_AUTODISARM_ (1u << 31)
#define MINSIGSTKSZ_   2048u

static bool has_handler(const struct linux_sigaction *act)
{
    return act->handler != LINUX_SIG_DFL && act->handler != LINUX_SIG_IGN;
}

/* The deadly ones are caught even by default, so that the registers can be shown. */
static void mirror_action(int sig, const struct linux_sigaction *act)
{
    linux_sigset bit = LINUX_SIGBIT(sig);
    if (bit & (SYNCHRONOUS | UNBLOCKABLE))
        return; /* always the engine's and ours */
    if (act->handler == LINUX_SIG_IGN)
        host_set_action(sig, HOST_IGNORE, act->flags);
    else if (has_handler(act) || bit & CORE)
        host_set_action(sig, HOST_CATCH, act->flags);
    else
        host_set_action(sig, HOST_DEFAULT, act->flags);
}

void linux_signals_init(struct linux_task *t)
{
    struct linux_process *p = t->process;
    t->blocked = host_get_mask() & ~UNBLOCKABLE;
    for (int sig = 1; sig <= LINUX_NSIG; sig++) {
        struct linux_sigaction *act = &p->actions[sig];
        memset(act, 0, sizeof *act);
        if (LINUX_SIGBIT(sig) & UNBLOCKABLE)
            continue;
        if (host_ignores(sig))
            act->handler = LINUX_SIG_IGN;
        if (LINUX_SIGBIT(sig) & SYNCHRONOUS)
            host_set_action(sig, HOST_CATCH, 0);
        else if (LINUX_SIGBIT(sig) & CORE)
            mirror_action(sig, act);
    }
}

void linux_set_action(struct linux_process *p, int sig, const struct linux_sigaction *new,
                      struct linux_sigaction *old)
{
    pthread_mutex_lock(&p->signal_lock);
    if (old)
        *old = p->actions[sig];
    if (new) {
        p->actions[sig] = *new;
        p->actions[sig].mask &= ~UNBLOCKABLE;
        mirror_action(sig, new);
    }
    pthread_mutex_unlock(&p->signal_lock);
}

void linux_set_blocked(struct linux_task *t, linux_sigset mask)
{
    t->blocked = mask & ~UNBLOCKABLE;
    linux_sigset due = t->held & ~t->blocked;
    if (due) {
        host_set_mask(~0ull);
        if (!t->signal_pending) {
            int sig = due & LINUX_SIGBIT(SIGSEGV) ? SIGSEGV : SIGBUS;
            atomic_fetch_and(&t->held, ~LINUX_SIGBIT(sig));
            t->caught = (siginfo_t){.si_signo = sig, .si_code = SI_USER};
            t->signal_pending = 1;
        }
        return;
    }
    /* With a signal in the slot everything stays blocked until it is delivered. Should one come
     * just now, a second is sent back by the handler. */
    if (!t->signal_pending)
        host_set_mask(t->blocked);
}

bool linux_signals_hold(struct linux_task *t)
{
    host_set_mask(~0ull);
    return t->signal_pending;
}

void linux_signals_start(struct linux_task *t)
{
    t->signal_pending = 0;
    t->held = 0;
    host_set_mask(t->blocked);
}

void linux_mask_until_return(struct linux_task *t, linux_sigset mask)
{
    t->saved_mask = t->blocked;
    t->restore_mask = true;
    linux_set_blocked(t, mask);
}

void linux_mask_restore(struct linux_task *t)
{
    if (!t->restore_mask)
        return;
    t->restore_mask = false;
    linux_set_blocked(t, t->saved_mask);
}

/* Ends an interrupted call as the kernel does before it enters ACT's handler; null: none runs. */
static void settle_call(struct linux_task *t, const struct linux_sigaction *act)
{
    const struct linux_abi *abi = t->process->abi;
    int how = t->restart;
    if (!how)
        return;
    t->restart = 0;
    if (!act || how == LINUX_ERESTARTNOINTR ||
        (how == LINUX_ERESTARTSYS && act->flags & SA_RESTART))
        abi->restart_call(t, t->raw);
    else
        abi->set_result(t, -EINTR);
}

static void default_action(struct linux_task *t, const siginfo_t *info)
{
    linux_sigset bit = LINUX_SIGBIT(info->si_signo);
    if (bit & CORE)
        linux_die(t, info->si_signo);
    /* The disposition was reset after the host had called us: the host's default is due. */
    if (!(bit & IGNORED_BY_DEFAULT))
        syscall(SYS_tgkill, t->process->pid, t->tid, info->si_signo);
}

static void run_handler(struct linux_task *t, const struct linux_sigaction *act,
                        const siginfo_t *info)
{
    int sig = info->si_signo;
    linux_sigset saved = t->restore_mask ? t->saved_mask : t->blocked;
    linux_sigset during = t->blocked | act->mask;
    if (!(act->flags & SA_NODEFER))
        during |= LINUX_SIGBIT(sig);
    settle_call(t, act);
    if (t->process->abi->push_frame(t, sig, act, info, saved))
        linux_die(t, SIGSEGV); /* no stack for the handler */
    if (t->alt_flags & SS_AUTODISARM_) {
        t->alt_size = 0;
        t->alt_flags = 0;
    }
    t->restore_mask = false;
    linux_set_blocked(t, during);
}

static void handle(struct linux_task *t, const siginfo_t *info)
{
    struct linux_process *p = t->process;
    int sig = info->si_signo;
    pthread_mutex_lock(&p->signal_lock);
    struct linux_sigaction act = p->actions[sig];
    if (has_handler(&act) && act.flags & SA_RESETHAND) {
        p->actions[sig].handler = LINUX_SIG_DFL;
        mirror_action(sig, &p->actions[sig]);
    }
    pthread_mutex_unlock(&p->signal_lock);
    if (p->options->strace && act.handler != LINUX_SIG_IGN)
        linux_strace_signal(t, info);
    if (has_handler(&act))
        run_handler(t, &act, info);
    else if (act.handler == LINUX_SIG_DFL)
        default_action(t, info);
}

void linux_deliver(struct linux_task *t)
{
    while (t->signal_pending) {
        siginfo_t info = t->caught;
        t->signal_pending = 0;
        if (t->blocked & LINUX_SIGBIT(info.si_signo))
            host_requeue(&info); /* blocked after the host had called us */
        else
            handle(t, &info);
        linux_set_blocked(t, t->blocked);
    }
    settle_call(t, NULL);
    linux_mask_restore(t);
}

void linux_force_signal(struct linux_task *t, const siginfo_t *info)
{
    int sig = info->si_signo;
    struct linux_sigaction act;
    linux_set_action(t->process, sig, NULL, &act);
    t->fault_address = (uintptr_t)info->si_addr;
    if (t->blocked & LINUX_SIGBIT(sig) || !has_handler(&act)) {
        if (t->process->options->strace)
            linux_strace_signal(t, info);
        linux_die(t, sig);
    }
    handle(t, info);
}

void linux_die(struct linux_task *t, int sig)
{
    linux_sigset none = 0;
    struct rlimit no_core = {0, 0};
    const char *name = sigabbrev_np(sig);
    char number[16];
    snprintf(number, sizeof number, "%d", sig);
    if (t->process->options->strace)
        linux_strace_killed(t, sig);
    linux_warn("killed by SIG%s (%s)", name ? name : number, strsignal(sig));
    if (LINUX_SIGBIT(sig) & (SYNCHRONOUS | LINUX_SIGBIT(SIGILL) | LINUX_SIGBIT(SIGTRAP)))
        fprintf(stderr, "fault address %08llx\n", (unsigned long long)t->fault_address);
    t->process->abi->dump(t, stderr);
    fflush(NULL);
    /* A core of ours would show the translator, with all of the guest's address space. */
    setrlimit(RLIMIT_CORE, &no_core);
    host_set_action(sig, HOST_DEFAULT, 0);
    host_set_mask(none);
    syscall(SYS_tgkill, getpid(), gettid(), sig);
    _exit(128 + sig);
}

static bool on_alt_stack(struct linux_task *t)
{
    uint64_t sp = t->process->abi->get_sp(t);
    return t->alt_size && !(t->alt_flags & SS_AUTODISARM_) && sp > t->alt_stack &&
           sp - t->alt_stack <= t->alt_size;
}

uint64_t linux_signal_stack(struct linux_task *t, const struct linux_sigaction *act)
{
    if (act->flags & SA_ONSTACK && t->alt_size && !on_alt_stack(t))
        return t->alt_stack + t->alt_size;
    return t->process->abi->get_sp(t);
}

uint32_t linux_alt_stack_flags(struct linux_task *t)
{
    if (!t->alt_size)
        return SS_DISABLE;
    return (on_alt_stack(t) ? SS_ONSTACK : 0) | t->alt_flags;
}

int64_t linux_restore_alt_stack(struct linux_task *t, uint64_t sp, uint64_t size, uint32_t flags)
{
    uint32_t mode = flags & ~SS_AUTODISARM_;
    if (on_alt_stack(t))
        return -EPERM;
    if (mode != 0 && mode != SS_ONSTACK && mode != SS_DISABLE)
        return -EINVAL;
    if (mode == SS_DISABLE) {
        t->alt_stack = t->alt_size = t->alt_flags = 0;
        return 0;
    }
    if (size < MINSIGSTKSZ_)
        return -ENOMEM;
    t->alt_stack = sp;
    t->alt_size = size;
    t->alt_flags = flags & SS_AUTODISARM_;
    return 0;
}
