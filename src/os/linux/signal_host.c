/* The host's side of guest signals: handlers, masks, blocking calls. x86-64 Linux. */
#include "os/linux/signal_host.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include "os/linux/syscall.h"

/* The kernel's own structure: libc's sigaction hides signals 32 and 33, which guests use. */
struct host_sigaction {
    void (*handler)(int, siginfo_t *, void *);
    unsigned long flags;
    void (*restorer)(void);
    linux_sigset mask;
};

#define HOST_SA_RESTORER 0x04000000ul
/* Never blocked: translated code relies on them. */
#define SYNCHRONOUS (LINUX_SIGBIT(SIGSEGV) | LINUX_SIGBIT(SIGBUS))

/* block.S */
long linux_block_call(const _Atomic int *pending, long nr, long a, long b, long c, long d, long e,
                      long f);
extern const char linux_block_begin[], linux_block_syscall[], linux_block_abort[];
void linux_host_restorer(void);

void host_set_mask(linux_sigset mask)
{
    mask &= ~SYNCHRONOUS;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof mask);
}

linux_sigset host_get_mask(void)
{
    linux_sigset mask = 0;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &mask, sizeof mask);
    return mask;
}

/* A fault of the host's own code: dies of it when the access is repeated. */
static void not_the_guests(int sig)
{
    struct host_sigaction act = {.flags = HOST_SA_RESTORER, .restorer = linux_host_restorer};
    syscall(SYS_rt_sigaction, sig, &act, NULL, sizeof act.mask);
}

void host_requeue(const siginfo_t *info)
{
    syscall(SYS_rt_tgsigqueueinfo, syscall(SYS_getpid), syscall(SYS_gettid), info->si_signo, info);
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
    struct linux_task *t = linux_current;
    int saved_errno = errno;
    ucontext_t *uc = context;
    uintptr_t pc = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
    linux_sigset bit = LINUX_SIGBIT(sig);

    if ((bit & SYNCHRONOUS) && info->si_code > 0) {
        not_the_guests(sig);
        return;
    }
    if (!t)
        return;
    linux_sigset all = ~SYNCHRONOUS;
    memcpy(&uc->uc_sigmask, &all, sizeof all);
    if (t->signal_pending || t->blocked & bit & SYNCHRONOUS) {
        if (bit & SYNCHRONOUS)
            atomic_fetch_or(&t->held, bit);
        else
            host_requeue(info);
    } else {
        t->caught = *info;
        t->caught.si_signo = sig;
        atomic_store_explicit(&t->signal_pending, 1, memory_order_release);
    }
    if (pc >= (uintptr_t)linux_block_begin && pc <= (uintptr_t)linux_block_syscall)
        uc->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)linux_block_abort;
    nw_vcpu_stop(t->vcpu);
    errno = saved_errno;
}

void host_set_action(int sig, enum host_disposition how, uint64_t flags)
{
    struct host_sigaction act = {.flags = HOST_SA_RESTORER, .restorer = linux_host_restorer};
    switch (how) {
    case HOST_DEFAULT: break;
    case HOST_IGNORE:
        act.handler = (void (*)(int, siginfo_t *, void *))(uintptr_t)LINUX_SIG_IGN;
        break;
    case HOST_CATCH:
        act.handler = on_signal;
        act.mask = ~SYNCHRONOUS;
        act.flags |= SA_SIGINFO | SA_ONSTACK;
        break;
    }
    act.flags |= flags & (SA_NOCLDSTOP | SA_NOCLDWAIT);
    syscall(SYS_rt_sigaction, sig, &act, NULL, sizeof act.mask);
}

bool host_ignores(int sig)
{
    struct host_sigaction act = {0};
    syscall(SYS_rt_sigaction, sig, NULL, &act, sizeof act.mask);
    return (uintptr_t)act.handler == LINUX_SIG_IGN;
}

int64_t linux_host(long nr, long a, long b, long c, long d, long e, long f)
{
    long result = syscall(nr, a, b, c, d, e, f);
    return result == -1 ? -errno : result;
}

int64_t linux_block(struct linux_task *t, long nr, long a, long b, long c, long d, long e, long f)
{
    long result = linux_block_call(&t->signal_pending, nr, a, b, c, d, e, f);
    if (result != -EINTR)
        return result;
    return t->call && t->call->flags & SYS_RESTART ? -LINUX_ERESTARTSYS : -LINUX_ERESTARTNOHAND;
}
