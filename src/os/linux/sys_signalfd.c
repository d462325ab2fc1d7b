/* Signals read from a descriptor. What the guest blocks is blocked in the host too, so the host's
 * own signalfd sees what waits; struct signalfd_siginfo is the same for every guest. */
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include "os/linux/io_span.h"

static int64_t signal_fd(struct linux_task *t, const uint64_t a[6], int flags)
{
    linux_sigset mask;
    if (a[2] != sizeof mask)
        return -EINVAL;
    int64_t err = linux_get_sigset(t, a[1], &mask);
    return err ? err : linux_host(SYS_signalfd4, (int)a[0], (long)&mask, sizeof mask, flags, 0, 0);
}

int64_t sys_signalfd(struct linux_task *t, const uint64_t a[6])
{
    return signal_fd(t, a, 0);
}

int64_t sys_signalfd4(struct linux_task *t, const uint64_t a[6])
{
    return signal_fd(t, a, (int)a[3]);
}
