/* What system calls and signals tell --strace besides their arguments. All no-ops in effect unless
 * options->strace is set: callers check that. The calling thread's line only. */
#ifndef OS_LINUX_STRACE_NOTE_H
#define OS_LINUX_STRACE_NOTE_H

#include <sys/stat.h>
#include "os/linux/task.h"

/* What the stat call in progress found, before it took the guest's layout. */
void linux_strace_note_stat(const struct stat *);
/* The process is about to die of SIG ("+++ killed by SIGSEGV +++"). */
void linux_strace_killed(struct linux_task *, int sig);

#endif
