/* siginfo_t between host and guest. */
#ifndef OS_LINUX_SIGINFO_H
#define OS_LINUX_SIGINFO_H

#include <signal.h>
#include "os/linux/task.h"

#define LINUX_SIGINFO_SIZE 128

/* Both give 0 or -EFAULT. Which members there are follows from si_signo and si_code as in the
 * kernel (kernel/signal.c, siginfo_layout). */
int64_t linux_put_siginfo(struct linux_task *, uint64_t gva, const siginfo_t *);
int64_t linux_get_siginfo(struct linux_task *, uint64_t gva, siginfo_t *);

/* struct sigaction: handler, flags, restorer in words, then 8 bytes of mask. Not RT, the old
 * call's: handler, mask of one word, flags, restorer. 0 or -EFAULT. */
int64_t linux_get_sigaction(struct linux_task *, uint64_t gva, struct linux_sigaction *, bool rt);
int64_t linux_put_sigaction(struct linux_task *, uint64_t gva, const struct linux_sigaction *,
                            bool rt);

/* A siginfo that the guest sends with signal SIG. A fault that somebody sends must not look like
 * one of the host's, which are the engine's: it becomes SI_QUEUE. 0 or -EFAULT. */
int64_t linux_queued_siginfo(struct linux_task *, uint64_t gva, int sig, siginfo_t *);

#endif
