/* Futexes: the host's, on host addresses of guest memory. */
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include "os/linux/abi.h"
#include "os/linux/guest_mem.h"
#include "os/linux/syscall.h"

/* What an operation's arguments are. */
enum {
    TAKES_TIMEOUT = 1,
    TAKES_SECOND = 2, /* a second futex */
    WRITES_FIRST = 4,
};

static int describe(unsigned op)
{
    switch (op & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET: return TAKES_TIMEOUT;
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET: return 0;
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE: return TAKES_SECOND;
    case FUTEX_WAKE_OP: return TAKES_SECOND;
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2: return TAKES_TIMEOUT | WRITES_FIRST;
    case FUTEX_UNLOCK_PI:
    case FUTEX_TRYLOCK_PI: return WRITES_FIRST;
    case FUTEX_WAIT_REQUEUE_PI: return TAKES_TIMEOUT | TAKES_SECOND;
    case FUTEX_CMP_REQUEUE_PI: return TAKES_SECOND;
    default: return -ENOSYS;
    }
}

static int64_t futex(struct linux_task *t, const uint64_t args[6],
                     int64_t (*get_time)(struct linux_task *, uint64_t, struct timespec *))
{
    unsigned op = (unsigned)args[1];
    int kind = describe(op);
    struct timespec limit;
    void *second = NULL;
    long fourth = (long)args[3];
    if (kind < 0)
        return kind;
    if (args[0] & 3)
        return -EINVAL;
    void *first = linux_span(t, args[0], 4, kind & WRITES_FIRST ? NW_ACCESS_WRITE : NW_ACCESS_READ);
    if (!first)
        return -EFAULT;
    if (kind & TAKES_SECOND) {
        if (args[4] & 3)
            return -EINVAL;
        second =
            linux_span(t, args[4], 4,
                       (op & FUTEX_CMD_MASK) == FUTEX_WAKE_OP ? NW_ACCESS_WRITE : NW_ACCESS_READ);
        if (!second)
            return -EFAULT;
    }
    if (kind & TAKES_TIMEOUT && args[3]) {
        if (get_time(t, args[3], &limit))
            return -EFAULT;
        fourth = (long)&limit;
    }
    if (!(kind & TAKES_TIMEOUT))
        return linux_host(SYS_futex, (long)first, (long)args[1], (long)args[2], fourth,
                          (long)second, (long)args[5]);
    int64_t result = linux_block(t, SYS_futex, (long)first, (long)args[1], (long)args[2], fourth,
                                 (long)second, (long)args[5]);
    /* A relative wait that a handler interrupts is not begun anew. */
    if (result == -LINUX_ERESTARTSYS && args[3] && (op & FUTEX_CMD_MASK) == FUTEX_WAIT)
        return -LINUX_ERESTARTNOHAND;
    return result;
}

int64_t sys_futex(struct linux_task *t, const uint64_t args[6])
{
    return futex(t, args, t->process->abi->get_timespec);
}

int64_t sys_futex_time64(struct linux_task *t, const uint64_t args[6])
{
    return futex(t, args, t->process->abi->get_timespec64);
}
