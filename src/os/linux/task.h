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
struct linux_task;
struct linux_syscall;
struct mem_space;

#define LINUX_NSIG 64 /* guest signals are 1..64 */

/* A guest signal mask: bit N-1 is signal N. */
typedef uint64_t linux_sigset;

#define LINUX_SIGBIT(sig) (1ull << ((sig) - 1))

/* struct sigaction in host terms; flags are the guest's SA_* (the same on all but a few guests). */
struct linux_sigaction {
    uint64_t handler; /* guest address, 0: SIG_DFL, 1: SIG_IGN */
    uint64_t restorer;
    uint64_t flags;
    linux_sigset mask;
};

/* One mapped range of guest memory, for /proc/self/maps. Sorted by address, never overlapping. */
struct linux_vma {
    uint64_t start, end;
    uint32_t prot;   /* PROT_* */
    uint32_t flags;  /* MAP_SHARED or MAP_PRIVATE, MAP_GROWSDOWN */
    uint64_t offset; /* in the file */
    uint64_t dev, inode;
    char *path;      /* owned; null: anonymous; "[heap]", "[stack]" */
};

struct linux_process {
    nw_engine *engine;
    const struct linux_abi *abi;
    const struct linux_options *options;
    char **self_args; /* see linux_options.self_args; never null; owned */

    /* Fixed once the program is loaded. */
    char *exe;        /* absolute host path of the guest program */
    uint64_t arg_start, arg_end, env_start, env_end; /* guest addresses of the strings */
    uint64_t auxv, auxv_size;                        /* of the vector on the stack */
    uint64_t stack_top, stack_low;
    uint64_t task_size; /* first address beyond user space */

    struct linux_mm *mm; /* private to mm.c */

    pthread_mutex_t lock; /* guards tasks, ntasks */
    struct linux_task *tasks;
    unsigned ntasks;
    pid_t pid;

    pthread_mutex_t signal_lock; /* guards actions */
    struct linux_sigaction actions[LINUX_NSIG + 1];
    _Atomic int exiting;     /* exit_group has begun */
    int exit_status;
};

/* A guest thread. Owned by the host thread that runs it; other threads touch only what is marked
 * atomic, and find it under process->lock. */
struct linux_task {
    struct linux_process *process;
    nw_vcpu *vcpu;
    pid_t tid;
    pthread_t thread;
    struct linux_task *next;

    const struct linux_syscall *call; /* in progress, or null */
    uint64_t clear_tid;   /* guest address cleared and woken at exit; 0: none */
    uint64_t robust_list; /* guest address of the list head; 0: none */
    uint64_t robust_size;

    linux_sigset blocked;
    linux_sigset saved_mask; /* to be restored after sigsuspend, ppoll, … */
    bool restore_mask;       /* saved_mask is valid */
    uint64_t alt_stack, alt_size;
    uint32_t alt_flags;
    struct linux_sigqueue *queue;  /* private to signal.c */
    _Atomic int signal_pending;    /* something was queued since the last look */
    int exited;
};

#endif
