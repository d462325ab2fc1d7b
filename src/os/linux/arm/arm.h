/* Private to the ARM ABI. */
#ifndef OS_LINUX_ARM_ARM_H
#define OS_LINUX_ARM_ARM_H

#include "os/linux/abi.h"

/* The page of helpers that the kernel maps into every 32-bit ARM process. */
#define ARM_KERNEL_PAGE 0xffff0000ull
/* Where a handler without a restorer returns to, in the helper page. */
#define ARM_SIGRETURN    (ARM_KERNEL_PAGE + 0x500)
#define ARM_RT_SIGRETURN (ARM_KERNEL_PAGE + 0x508)

int64_t arm_map_kernel_page(struct linux_process *);
/* Serves a call from the helper page (CPUs too old to run the helpers' work as instructions);
 * false when CODE is none of them. */
bool arm_kernel_helper(struct linux_task *, uint32_t code);

int64_t arm_push_frame(struct linux_task *, int sig, const struct linux_sigaction *,
                       const siginfo_t *, linux_sigset mask);
int64_t arm_sigreturn(struct linux_task *, bool rt);

void arm_cpuinfo(struct linux_task *, FILE *);
int arm_open_flags_in(uint64_t guest);
uint64_t arm_open_flags_out(int host);

#endif
