/* The way of a system call through the table. */
#ifndef OS_LINUX_DISPATCH_H
#define OS_LINUX_DISPATCH_H

#include "os/linux/abi.h"

/* Serves the system call that EXIT (NW_EXIT_SYSCALL) stands for. An interrupted call is left in
 * task->restart for linux_deliver. */
void linux_dispatch(struct linux_task *, const nw_exit *exit);

/* The row of number NR; both its members are null where the ABI has none. */
struct linux_call_row linux_call_lookup(const struct linux_abi *, unsigned nr);

#endif
