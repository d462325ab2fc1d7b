/* Names of ioctl requests, for --strace. */
#ifndef OS_LINUX_IOCTL_NAMES_H
#define OS_LINUX_IOCTL_NAMES_H

#include "os/linux/task.h"

/* The name of the guest's REQUEST, or null. */
const char *linux_ioctl_name(const struct linux_task *, uint32_t request);

#endif
