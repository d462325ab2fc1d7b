/* Guest signals on host signals.
 *
 * The guest's dispositions and masks are mirrored on the host, so that the host kernel does the
 * queueing, the choice of thread, ignoring, stopping and killing. A handler of the guest is a
 * handler of ours on the host: it notes the signal in the thread's one slot, leaves all signals
 * blocked so that no second one can come, and stops the vCPU; the run loop builds the guest's frame
 * at the next instruction boundary and unblocks. SIGSEGV and SIGBUS are never blocked on the host,
 * since translated code needs them; see linux_task.held. */
#ifndef OS_LINUX_SIGNAL_H
#define OS_LINUX_SIGNAL_H

#include "os/linux/task.h"

#define LINUX_SA_RESTORER 0x04000000u
#define LINUX_SIG_DFL     0u
#define LINUX_SIG_IGN     1u

/* Takes over dispositions and mask of the process as they were left by its parent. */
void linux_signals_init(struct linux_task *);

/* Replaces the disposition of SIG, 1..64 but neither SIGKILL nor SIGSTOP. OLD and NEW may be null.
 */
void linux_set_action(struct linux_process *, int sig, const struct linux_sigaction *new,
                      struct linux_sigaction *old);

/* Sets the guest's mask and the host's. */
void linux_set_blocked(struct linux_task *, linux_sigset mask);
/* Blocks everything on the host until the next linux_set_blocked. True when a signal had already
 * been caught: the caller backs out with -LINUX_ERESTARTNOINTR, so that it is delivered first. */
bool linux_signals_hold(struct linux_task *);
/* In a new thread or process: nothing is caught; the host gets the task's mask. */
void linux_signals_start(struct linux_task *);
/* Undoes linux_mask_until_return if it has not been undone. */
void linux_mask_restore(struct linux_task *);

/* Delivers what is pending and settles an interrupted system call. Called between instructions. */
void linux_deliver(struct linux_task *);
/* Delivers a signal that the current instruction raised; one that is blocked or ignored kills. */
void linux_force_signal(struct linux_task *, const siginfo_t *);
/* Registers to standard error, then the death of the process by SIG. */
_Noreturn void linux_die(struct linux_task *, int sig);

/* Where the frame for a handler goes: the end of the stack to use. */
uint64_t linux_signal_stack(struct linux_task *, const struct linux_sigaction *);
/* SS_ONSTACK, SS_DISABLE and so on as sigaltstack reports them now. */
uint32_t linux_alt_stack_flags(struct linux_task *);
/* sigaltstack(2) proper; 0 or -errno. */
int64_t linux_restore_alt_stack(struct linux_task *, uint64_t sp, uint64_t size, uint32_t flags);

#endif
