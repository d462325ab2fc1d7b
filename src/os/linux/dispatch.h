/* The way of a system call through the table. */
#ifndef OS_LINUX_DISPATCH_H
#define OS_LINUX_DISPATCH_H

#include "os/linux/task.h"

/* Serves the system call that EXIT (NW_EXIT_SYSCALL) stands for. An interrupted call is left in
 * task->restart for linux_deliver. */
void linux_dispatch(struct linux_task *, const nw_exit *exit);

#endif
