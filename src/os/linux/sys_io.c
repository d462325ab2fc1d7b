/* Moving bytes: read, write and their vectored, positioned and in-kernel relatives. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include "os/linux/io_span.h"

int64_t sys_read(struct linux_task *t, const uint64_t a[6])
{
    uint64_t size = a[2];
    long at = linux_buffer(t, a[1], &size, NW_ACCESS_WRITE);
    return linux_block(t, SYS_read, (int)a[0], at, (long)size, 0, 0, 0);
}

int64_t sys_write(struct linux_task *t, const uint64_t a[6])
{
    uint64_t size = a[2];
    long at = linux_buffer(t, a[1], &size, NW_ACCESS_READ);
    return linux_block(t, SYS_write, (int)a[0], at, (long)size, 0, 0, 0);
}

int64_t sys_pread64(struct linux_task *t, const uint64_t a[6])
{
    uint64_t size = a[2];
    long at = linux_buffer(t, a[1], &size, NW_ACCESS_WRITE);
    return linux_block(t, SYS_pread64, (int)a[0], at, (long)size, (long)a[3], 0, 0);
}

int64_t sys_pwrite64(struct linux_task *t, const uint64_t a[6])
{
    uint64_t size = a[2];
    long at = linux_buffer(t, a[1], &size, NW_ACCESS_READ);
    return linux_block(t, SYS_pwrite64, (int)a[0], at, (long)size, (long)a[3], 0, 0);
}

/* OFFSET and FLAGS are what the plain calls lack; the host ignores words it does not take. The
 * positioned calls take the offset as two words of which a 64-bit host uses the first. */
static int64_t vectored(struct linux_task *t, long nr, const uint64_t a[6], nw_access access,
                        int64_t offset, uint64_t flags)
{
    if (a[2] > IOV_MAX)
        return -EINVAL;
    struct iovec *iov = calloc(a[2] + 1, sizeof *iov);
    if (!iov)
        return -ENOMEM;
    int64_t count = linux_iovec_in(t, a[1], a[2], iov, access);
    int64_t result = count;
    if (count >= 0)
        result = linux_block(t, nr, (int)a[0], (long)iov, count, offset, 0, (long)flags);
    free(iov);
    return result;
}

int64_t sys_readv(struct linux_task *t, const uint64_t a[6])
{
    return vectored(t, SYS_readv, a, NW_ACCESS_WRITE, 0, 0);
}

int64_t sys_writev(struct linux_task *t, const uint64_t a[6])
{
    return vectored(t, SYS_writev, a, NW_ACCESS_READ, 0, 0);
}

int64_t sys_preadv(struct linux_task *t, const uint64_t a[6])
{
    return vectored(t, SYS_preadv, a, NW_ACCESS_WRITE, (int64_t)a[3], 0);
}

int64_t sys_pwritev(struct linux_task *t, const uint64_t a[6])
{
    return vectored(t, SYS_pwritev, a, NW_ACCESS_READ, (int64_t)a[3], 0);
}

int64_t sys_preadv2(struct linux_task *t, const uint64_t a[6])
{
    return vectored(t, SYS_preadv2, a, NW_ACCESS_WRITE, (int64_t)a[3], a[4]);
}

int64_t sys_pwritev2(struct linux_task *t, const uint64_t a[6])
{
    return vectored(t, SYS_pwritev2, a, NW_ACCESS_READ, (int64_t)a[3], a[4]);
}

/* The offset is read and written back when GVA is not null; its width is 4 or 8 bytes. */
static int64_t get_offset(struct linux_task *t, uint64_t gva, unsigned width, off_t *offset)
{
    *offset = 0;
    int64_t err = linux_copy_in(t, offset, gva, width);
    if (!err && width == 4)
        *offset = (int32_t)*offset;
    return err;
}

static int64_t send_file(struct linux_task *t, const uint64_t a[6], unsigned width)
{
    off_t offset;
    if (!a[2])
        return linux_block(t, SYS_sendfile, (int)a[0], (int)a[1], 0, (long)a[3], 0, 0);
    int64_t err = get_offset(t, a[2], width, &offset);
    if (err)
        return err;
    int64_t sent =
        linux_block(t, SYS_sendfile, (int)a[0], (int)a[1], (long)&offset, (long)a[3], 0, 0);
    if (sent >= 0 && linux_copy_out(t, a[2], &offset, width))
        return -EFAULT;
    return sent;
}

int64_t sys_sendfile(struct linux_task *t, const uint64_t a[6])
{
    return send_file(t, a, t->process->abi->word);
}

int64_t sys_sendfile64(struct linux_task *t, const uint64_t a[6])
{
    return send_file(t, a, 8);
}

/* splice and copy_file_range: two descriptors, each with an optional 64-bit offset. */
static int64_t move_range(struct linux_task *t, long nr, const uint64_t a[6])
{
    off_t in, out;
    int64_t err = 0;
    if (a[1])
        err = get_offset(t, a[1], 8, &in);
    if (!err && a[3])
        err = get_offset(t, a[3], 8, &out);
    if (err)
        return err;
    int64_t moved = linux_block(t, nr, (int)a[0], a[1] ? (long)&in : 0, (int)a[2],
                                a[3] ? (long)&out : 0, (long)a[4], (long)a[5]);
    if (moved < 0)
        return moved;
    if (a[1])
        err = linux_copy_out(t, a[1], &in, 8);
    if (a[3] && !err)
        err = linux_copy_out(t, a[3], &out, 8);
    return err ? err : moved;
}

int64_t sys_splice(struct linux_task *t, const uint64_t a[6])
{
    return move_range(t, SYS_splice, a);
}

int64_t sys_copy_file_range(struct linux_task *t, const uint64_t a[6])
{
    return move_range(t, SYS_copy_file_range, a);
}

int64_t sys_tee(struct linux_task *t, const uint64_t a[6])
{
    return linux_block(t, SYS_tee, (int)a[0], (int)a[1], (long)a[2], (long)a[3], 0, 0);
}

int64_t sys_vmsplice(struct linux_task *t, const uint64_t a[6])
{
    if (a[2] > IOV_MAX)
        return -EINVAL;
    struct iovec *iov = calloc(a[2] + 1, sizeof *iov);
    if (!iov)
        return -ENOMEM;
    /* The pipe's end says which way the bytes go. */
    bool into = (fcntl((int)a[0], F_GETFL) & O_ACCMODE) == O_RDONLY;
    int64_t count = linux_iovec_in(t, a[1], a[2], iov, into ? NW_ACCESS_WRITE : NW_ACCESS_READ);
    int64_t result = count;
    if (count >= 0)
        result = linux_block(t, SYS_vmsplice, (int)a[0], (long)iov, count, (long)a[3], 0, 0);
    free(iov);
    return result;
}
