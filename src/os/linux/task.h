/* The guest process and its threads: what every system call handler is given. */
#ifndef OS_LINUX_TASK_H
#define OS_LINUX_TASK_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/types.h>
#include "exec/vcpu.h"
#include "os/linux/linux.h"

struct linux_abi;
struct linux_mm;
struct linux_syscall;
struct linux_task;

#define LINUX_SLOTS 4096 /* threads of a process at most */

#define LINUX_NSIG 64 /* guest signals are 1..64 */

/* A guest signal mask: bit N-1 is signal N. */
typedef uint64_t linux_sigset;

#define LINUX_SIGBIT(sig) (1ull << ((sig)-1))

/* struct sigaction in host terms; flags are the guest's SA_* (the same on all but a few guests). */
struct linux_sigaction {
    uint64_t handler; /* guest address, 0: SIG_DFL, 1: SIG_IGN */
    uint64_t restorer;
    uint64_t flags;
    linux_sigset mask;
};

struct linux_process {
    nw_engine *engine;
    const struct linux_abi *abi;
    const struct linux_options *options;
    char **self_args; /* see linux_options.self_args; never null; owned */

    /* Fixed once the program is loaded. */
    char *exe;                                       /* absolute host path of the guest program */
    uint64_t arg_start, arg_end, env_start, env_end; /* guest addresses of the strings */
    uint64_t auxv, auxv_size;                        /* of the vector on the stack */
    uint64_t stack_top, stack_low;

    struct linux_mm *mm; /* private to mm.c */

    pthread_mutex_t lock; /* guards tasks, ntasks, slots */
    struct linux_task *tasks;
    unsigned ntasks;
    uint64_t slots[LINUX_SLOTS / 64]; /* taken ones of linux_task.slot */
    pid_t pid;
    pthread_t runner; /* the host thread that linux_run was called on */
    bool orphans;     /* forked from a process with more threads, whose vCPUs are left behind */

    pthread_mutex_t signal_lock; /* guards actions */
    struct linux_sigaction actions[LINUX_NSIG + 1];
    _Atomic uint64_t unknown[8]; /* bit per unknown call number that has been named */
};

/* A guest thread. Owned by the host thread that runs it; other threads touch only what is marked
 * atomic, and find it under process->lock. */
struct linux_task {
    struct linux_process *process;
    nw_vcpu *vcpu;
    pid_t tid;
    pthread_t thread;
    struct linux_task *next;
    unsigned slot; /* below LINUX_SLOTS, no other task of the process has it */

    const struct linux_syscall *call; /* in progress, or null */
    uint64_t clear_tid;               /* guest address cleared and woken at exit; 0: none */
    uint64_t robust_list;             /* guest address of the list head; 0: none */
    uint64_t robust_size;

    linux_sigset blocked;
    linux_sigset saved_mask; /* to be restored after sigsuspend, ppoll, … */
    bool restore_mask;       /* saved_mask is valid */
    uint64_t alt_stack, alt_size;
    uint32_t alt_flags;
    uint64_t fault_address; /* of the last memory fault, for signal frames */
    uint32_t trap, error;   /* … and of the last exception, where the ABI numbers them */

    /* A guest signal the host has delivered and we have not: set by the host's handler, which then
     * leaves every signal blocked, so one slot is enough. See signal.h. */
    _Atomic int signal_pending;
    siginfo_t caught; /* valid while signal_pending */
    _Atomic linux_sigset
        held; /* SIGSEGV and SIGBUS sent while blocked: the host cannot hold them */

    struct linux_bounce *bounces; /* private to guest_mem.c */

    int restart;     /* the LINUX_ERESTART* the last call gave, to be settled; 0: none */
    uint64_t raw[7]; /* argument registers of the call in progress */
    bool leave;      /* the run loop ends */
    int exit_status; /* then */
};

/* The task of this host thread, or null. */
extern __thread struct linux_task *linux_current;

/* A task for this process with a vCPU of its own, not yet in the list; null when out of memory. */
struct linux_task *linux_task_new(struct linux_process *);
/* Frees the task and its vCPU, which must not be running. */
void linux_task_free(struct linux_task *);
/* Puts the task into its process's list, and takes it out. */
void linux_task_enlist(struct linux_task *);
void linux_task_delist(struct linux_task *);
/* Runs guest code on the calling host thread until the task is asked to leave. */
void linux_task_run(struct linux_task *);

/* Prints "narwhal: TEXT" to standard error. */
void linux_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
