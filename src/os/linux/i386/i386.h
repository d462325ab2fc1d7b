/* Private to the i386 ABI. */
#ifndef OS_LINUX_I386_I386_H
#define OS_LINUX_I386_I386_H

#include "os/linux/x86/x86.h"

/* End of user space. What the kernel has beyond it: descriptor tables, then a page with the two
 * returns from handlers that have no restorer of their own. */
#define I386_TASK_SIZE    0xffe00000ull
#define I386_KERNEL_PAGE  0xfffff000ull
#define I386_SIGRETURN    (I386_KERNEL_PAGE + 0x00)
#define I386_RT_SIGRETURN (I386_KERNEL_PAGE + 0x10)

#define I386_FRAME_SIZE 736 /* the larger frame, struct sigframe_ia32 */

int64_t i386_push_frame(struct linux_task *, int sig, const struct linux_sigaction *,
                        const siginfo_t *, linux_sigset mask);
int64_t i386_sigreturn(struct linux_task *, bool rt);

#endif
