/* Waiting for children. Guest children are host children. */
#include <errno.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "os/linux/abi.h"
#include "os/linux/guest_mem.h"
#include "os/linux/syscall.h"

int64_t sys_wait4(struct linux_task *t, const uint64_t args[6])
{
    struct rusage usage = {0};
    int status = 0;
    int64_t pid = linux_block(t, SYS_wait4, (long)args[0], (long)&status, (long)args[2],
                              args[3] ? (long)&usage : 0, 0, 0);
    if (pid <= 0)
        return pid;
    if (args[1] && linux_put_u32(t, args[1], (uint32_t)status))
        return -EFAULT;
    if (args[3] && t->process->abi->put_rusage(t, args[3], &usage))
        return -EFAULT;
    return pid;
}

int64_t sys_waitid(struct linux_task *t, const uint64_t args[6])
{
    struct rusage usage = {0};
    siginfo_t info = {0};
    int64_t result = linux_block(t, SYS_waitid, (long)args[0], (long)args[1], (long)&info,
                                 (long)args[3], args[4] ? (long)&usage : 0, 0);
    if (result < 0)
        return result;
    if (args[2] && t->process->abi->put_siginfo(t, args[2], &info))
        return -EFAULT;
    if (args[4] && info.si_signo && t->process->abi->put_rusage(t, args[4], &usage))
        return -EFAULT;
    return result;
}

int64_t sys_waitpid(struct linux_task *t, const uint64_t args[6])
{
    return sys_wait4(t, (const uint64_t[6]){args[0], args[1], args[2]});
}
