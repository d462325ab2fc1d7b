/* The host's signal calls below src/os/linux/signal.c. */
#ifndef OS_LINUX_SIGNAL_HOST_H
#define OS_LINUX_SIGNAL_HOST_H

#include "os/linux/signal.h"

enum host_disposition { HOST_DEFAULT, HOST_IGNORE, HOST_CATCH };

/* FLAGS: the guest's SA_*, of which those about children matter. */
void host_set_action(int sig, enum host_disposition, uint64_t flags);
bool host_ignores(int sig);
/* The calling thread's mask; SIGSEGV and SIGBUS stay open. */
void host_set_mask(linux_sigset);
linux_sigset host_get_mask(void);
/* Sends a signal that was caught to the calling thread again, where it waits until unblocked. */
void host_requeue(const siginfo_t *);

#endif
