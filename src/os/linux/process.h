/* The life of guest processes and threads. */
#ifndef OS_LINUX_PROCESS_H
#define OS_LINUX_PROCESS_H

#include "os/linux/task.h"

/* The words after `narwhal` that run a program with OPTIONS (linux_options.self_args): a
 * null-terminated copy, null without memory. */
char **linux_self_args(const struct linux_options *);
void linux_self_args_free(char **);

/* Ends the process with STATUS: the run loop of its last thread returns, or the host process exits
 * at once when there are others. */
void linux_process_exit(struct linux_task *, int status);
/* What a thread owes to others when it ends: robust futexes, its cleared id. */
void linux_task_farewell(struct linux_task *);

/* A new process as fork makes one: 0 in the child, its pid in the parent, or -errno. VFORK: the
 * parent continues when the child has ended or executed a program. */
int64_t linux_fork(struct linux_task *, bool vfork);

#endif
