/* Private to the x86-64 ABI. */
#ifndef OS_LINUX_X86_64_X86_64_H
#define OS_LINUX_X86_64_X86_64_H

#include "os/linux/x86/x86.h"

#define X86_64_FRAME_SIZE 440 /* struct rt_sigframe */

int64_t x86_64_push_frame(struct linux_task *, int sig, const struct linux_sigaction *,
                          const siginfo_t *, linux_sigset mask);
int64_t x86_64_sigreturn(struct linux_task *, bool rt);
/* Serves a call into the page of calls at a fixed address; false when EXIT is none. */
bool x86_64_vsyscall(struct linux_task *, const nw_exit *exit);

#endif
