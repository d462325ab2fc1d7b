/* Buffers of system calls that transfer bytes. */
#ifndef OS_LINUX_IO_SPAN_H
#define OS_LINUX_IO_SPAN_H

#include "os/linux/abi.h"
#include "os/linux/guest_mem.h"
#include "os/linux/syscall.h"

/* An address in the host kernel's half: a call that is given it fails with EFAULT after the checks
 * that come before (EBADF, EISDIR, …), and succeeds where the kernel would not touch the buffer. */
#define LINUX_BAD_ADDR ((void *)-4096l)

/* The accessible beginning of a buffer, *SIZE cut down to it as the kernel would transfer; a bad
 * buffer gives LINUX_BAD_ADDR with *SIZE unchanged. */
static inline long linux_buffer(struct linux_task *t, uint64_t gva, uint64_t *size,
                                nw_access access)
{
    uint64_t some = *size;
    void *at = linux_span_some(t, gva, &some, access);
    if (!at)
        return (long)LINUX_BAD_ADDR;
    *size = some;
    return (long)at;
}

/* Wholly accessible, or LINUX_BAD_ADDR. */
static inline long linux_whole(struct linux_task *t, uint64_t gva, uint64_t size, nw_access access)
{
    void *at = linux_span(t, gva, size, access);
    return at ? (long)at : (long)LINUX_BAD_ADDR;
}

/* A timeout as ppoll and its kind take it: null stays null. 0 or -errno. */
static inline int64_t linux_timeout_in(struct linux_task *t, uint64_t gva, bool wide,
                                       struct timespec *ts, struct timespec **out)
{
    *out = NULL;
    if (!gva)
        return 0;
    const struct linux_abi *abi = t->process->abi;
    int64_t err = wide ? abi->get_timespec64(t, gva, ts) : abi->get_timespec(t, gva, ts);
    *out = ts;
    return err;
}

#endif
