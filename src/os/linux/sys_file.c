/* Descriptors: opening, closing, duplicating, positions, locks and the rest of fcntl. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "os/linux/io_span.h"
#include "os/linux/path.h"

static int64_t open_at(struct linux_task *t, int dirfd, uint64_t path_gva, uint64_t guest_flags,
                       uint64_t mode)
{
    struct linux_path path;
    int flags = t->process->abi->open_flags_in(guest_flags);
    int64_t err = linux_path_get(t, path_gva, !(flags & O_NOFOLLOW), &path);
    if (err)
        return err;
    int64_t fd = linux_proc_open(t, dirfd, path.in, flags);
    if (fd != -ENOSYS)
        return fd;
    /* Opening a FIFO waits for the other end. */
    return linux_proc_check(
        linux_block(t, SYS_openat, dirfd, (long)path.host, flags, (long)mode, 0, 0));
}

int64_t sys_open(struct linux_task *t, const uint64_t a[6])
{
    return open_at(t, AT_FDCWD, a[0], a[1], a[2]);
}

int64_t sys_openat(struct linux_task *t, const uint64_t a[6])
{
    return open_at(t, (int)a[0], a[1], a[2], a[3]);
}

int64_t sys_creat(struct linux_task *t, const uint64_t a[6])
{
    struct linux_path path;
    int64_t err = linux_path_get(t, a[0], true, &path);
    if (err)
        return err;
    return linux_proc_check(linux_block(t, SYS_openat, AT_FDCWD, (long)path.host,
                                        O_CREAT | O_WRONLY | O_TRUNC, (long)a[1], 0, 0));
}

int64_t sys_openat2(struct linux_task *t, const uint64_t a[6])
{
    struct open_how how;
    struct linux_path path;
    if (a[3] < sizeof how)
        return -EINVAL;
    if (a[3] > sizeof how) {
        /* A newer structure may be given if what we do not know of it is zero. */
        uint8_t rest[256];
        uint64_t size = a[3] - sizeof how;
        if (size > sizeof rest)
            return -E2BIG;
        int64_t err = linux_copy_in(t, rest, a[2] + sizeof how, size);
        if (err)
            return err;
        for (uint64_t i = 0; i < size; i++)
            if (rest[i])
                return -E2BIG;
    }
    int64_t err = linux_copy_in(t, &how, a[2], sizeof how);
    if (!err && how.flags >> 31)
        err = -EINVAL;
    if (!err) {
        how.flags = (unsigned)t->process->abi->open_flags_in(how.flags);
        err = linux_path_get(t, a[1], !(how.flags & O_NOFOLLOW), &path);
    }
    if (err)
        return err;
    return linux_proc_check(linux_block(t, SYS_openat2, (int)a[0],
                                        (long)(how.resolve ? path.in : path.host), (long)&how,
                                        sizeof how, 0, 0));
}

int64_t sys_close(struct linux_task *t, const uint64_t a[6])
{
    (void)t;
    return linux_host(SYS_close, (int)a[0], 0, 0, 0, 0, 0);
}

int64_t sys_close_range(struct linux_task *t, const uint64_t a[6])
{
    (void)t;
    return linux_host(SYS_close_range, (unsigned)a[0], (unsigned)a[1], (unsigned)a[2], 0, 0, 0);
}

int64_t sys_dup(struct linux_task *t, const uint64_t a[6])
{
    (void)t;
    return linux_host(SYS_dup, (int)a[0], 0, 0, 0, 0, 0);
}

int64_t sys_dup2(struct linux_task *t, const uint64_t a[6])
{
    (void)t;
    return linux_host(SYS_dup2, (int)a[0], (int)a[1], 0, 0, 0, 0);
}

int64_t sys_dup3(struct linux_task *t, const uint64_t a[6])
{
    int flags = t->process->abi->open_flags_in(a[2]);
    return linux_host(SYS_dup3, (int)a[0], (int)a[1], flags, 0, 0, 0);
}

int64_t sys_lseek(struct linux_task *t, const uint64_t a[6])
{
    int64_t offset = t->process->abi->word == 4 ? (int32_t)a[1] : (int64_t)a[1];
    int64_t at = linux_host(SYS_lseek, (int)a[0], offset, (int)a[2], 0, 0, 0);
    return t->process->abi->word == 4 && at > INT32_MAX ? -EOVERFLOW : at;
}

int64_t sys__llseek(struct linux_task *t, const uint64_t a[6])
{
    int64_t at =
        linux_host(SYS_lseek, (int)a[0], (long)(a[1] << 32 | (uint32_t)a[2]), (int)a[4], 0, 0, 0);
    if (at < 0)
        return at;
    return linux_put_u64(t, a[3], (uint64_t)at);
}

static int64_t truncate_path(struct linux_task *t, uint64_t gva, int64_t size)
{
    struct linux_path path;
    int64_t err = linux_path_get(t, gva, true, &path);
    return err ? err : linux_host(SYS_truncate, (long)path.host, size, 0, 0, 0, 0);
}

int64_t sys_truncate(struct linux_task *t, const uint64_t a[6])
{
    return truncate_path(t, a[0], t->process->abi->word == 4 ? (int32_t)a[1] : (int64_t)a[1]);
}

int64_t sys_truncate64(struct linux_task *t, const uint64_t a[6])
{
    return truncate_path(t, a[0], (int64_t)a[1]);
}

int64_t sys_ftruncate(struct linux_task *t, const uint64_t a[6])
{
    int64_t size = t->process->abi->word == 4 ? (int32_t)a[1] : (int64_t)a[1];
    return linux_host(SYS_ftruncate, (int)a[0], size, 0, 0, 0, 0);
}

int64_t sys_ftruncate64(struct linux_task *t, const uint64_t a[6])
{
    (void)t;
    return linux_host(SYS_ftruncate, (int)a[0], (long)a[1], 0, 0, 0, 0);
}

int64_t sys_fallocate(struct linux_task *t, const uint64_t a[6])
{
    return linux_block(t, SYS_fallocate, (int)a[0], (int)a[1], (long)a[2], (long)a[3], 0, 0);
}

int64_t sys_fsync(struct linux_task *t, const uint64_t a[6])
{
    return linux_block(t, SYS_fsync, (int)a[0], 0, 0, 0, 0, 0);
}

int64_t sys_fdatasync(struct linux_task *t, const uint64_t a[6])
{
    return linux_block(t, SYS_fdatasync, (int)a[0], 0, 0, 0, 0, 0);
}

int64_t sys_sync(struct linux_task *t, const uint64_t a[6])
{
    (void)a;
    return linux_block(t, SYS_sync, 0, 0, 0, 0, 0, 0);
}

int64_t sys_syncfs(struct linux_task *t, const uint64_t a[6])
{
    return linux_block(t, SYS_syncfs, (int)a[0], 0, 0, 0, 0, 0);
}

/* The argument order that 32-bit ARM and PowerPC use to keep the pairs aligned. */
int64_t sys_arm_sync_file_range(struct linux_task *t, const uint64_t a[6])
{
    return linux_block(t, SYS_sync_file_range, (int)a[0], (long)a[2], (long)a[3], (long)a[1], 0, 0);
}

int64_t sys_arm_fadvise64_64(struct linux_task *t, const uint64_t a[6])
{
    (void)t;
    return linux_host(SYS_fadvise64, (int)a[0], (long)a[2], (long)a[3], (int)a[1], 0, 0);
}

int64_t sys_sync_file_range(struct linux_task *t, const uint64_t a[6])
{
    return linux_block(t, SYS_sync_file_range, (int)a[0], (long)a[1], (long)a[2], (long)a[3], 0, 0);
}

int64_t sys_fadvise64(struct linux_task *t, const uint64_t a[6])
{
    (void)t;
    return linux_host(SYS_fadvise64, (int)a[0], (long)a[1], (long)a[2], (int)a[3], 0, 0);
}

int64_t sys_fadvise64_64(struct linux_task *t, const uint64_t a[6])
{
    return sys_fadvise64(t, a);
}

int64_t sys_readahead(struct linux_task *t, const uint64_t a[6])
{
    (void)t;
    return linux_host(SYS_readahead, (int)a[0], (long)a[1], (long)a[2], 0, 0, 0);
}

int64_t sys_flock(struct linux_task *t, const uint64_t a[6])
{
    return linux_block(t, SYS_flock, (int)a[0], (int)a[1], 0, 0, 0, 0);
}

static int64_t make_pipe(struct linux_task *t, uint64_t gva, uint64_t flags)
{
    int fds[2];
    int64_t err =
        linux_host(SYS_pipe2, (long)fds, t->process->abi->open_flags_in(flags), 0, 0, 0, 0);
    if (!err && linux_copy_out(t, gva, fds, sizeof fds)) {
        close(fds[0]);
        close(fds[1]);
        err = -EFAULT;
    }
    return err;
}

int64_t sys_pipe(struct linux_task *t, const uint64_t a[6])
{
    return make_pipe(t, a[0], 0);
}

int64_t sys_pipe2(struct linux_task *t, const uint64_t a[6])
{
    return make_pipe(t, a[0], a[1]);
}

int64_t sys_memfd_create(struct linux_task *t, const uint64_t a[6])
{
    char name[256];
    int64_t len = linux_string_in(t, name, sizeof name, a[0]);
    if (len < 0)
        return len == -ENAMETOOLONG ? -EINVAL : len;
    return linux_host(SYS_memfd_create, (long)name, (long)a[1], 0, 0, 0, 0);
}

enum fcntl_kind {
    FCNTL_INT,   /* the argument is a number, or there is none */
    FCNTL_FLAGS, /* F_SETFL */
    FCNTL_GETFL,
    FCNTL_LOCK, /* struct flock in, and out for the GET command */
    FCNTL_LOCK64,
    FCNTL_OWNER_IN,
    FCNTL_OWNER_OUT,
    FCNTL_HINT_IN, /* a 64-bit word */
    FCNTL_HINT_OUT,
};

static const struct fcntl_row {
    uint16_t guest, host;
    uint8_t kind;
    bool blocks, gives;
} fcntl_rows[] = {
    {F_DUPFD, F_DUPFD, FCNTL_INT, false, false},
    {F_GETFD, F_GETFD, FCNTL_INT, false, false},
    {F_SETFD, F_SETFD, FCNTL_INT, false, false},
    {F_GETFL, F_GETFL, FCNTL_GETFL, false, false},
    {F_SETFL, F_SETFL, FCNTL_FLAGS, false, false},
    {5, F_GETLK, FCNTL_LOCK, false, true},
    {6, F_SETLK, FCNTL_LOCK, false, false},
    {7, F_SETLKW, FCNTL_LOCK, true, false},
    {F_SETOWN, F_SETOWN, FCNTL_INT, false, false},
    {F_GETOWN, F_GETOWN, FCNTL_INT, false, false},
    {F_SETSIG, F_SETSIG, FCNTL_INT, false, false},
    {F_GETSIG, F_GETSIG, FCNTL_INT, false, false},
    {12, F_GETLK, FCNTL_LOCK64, false, true},
    {13, F_SETLK, FCNTL_LOCK64, false, false},
    {14, F_SETLKW, FCNTL_LOCK64, true, false},
    {F_SETOWN_EX, F_SETOWN_EX, FCNTL_OWNER_IN, false, false},
    {F_GETOWN_EX, F_GETOWN_EX, FCNTL_OWNER_OUT, false, true},
    {F_OFD_GETLK, F_OFD_GETLK, FCNTL_LOCK64, false, true},
    {F_OFD_SETLK, F_OFD_SETLK, FCNTL_LOCK64, false, false},
    {F_OFD_SETLKW, F_OFD_SETLKW, FCNTL_LOCK64, true, false},
    {F_SETLEASE, F_SETLEASE, FCNTL_INT, false, false},
    {F_GETLEASE, F_GETLEASE, FCNTL_INT, false, false},
    {F_NOTIFY, F_NOTIFY, FCNTL_INT, false, false},
    {F_DUPFD_CLOEXEC, F_DUPFD_CLOEXEC, FCNTL_INT, false, false},
    {F_SETPIPE_SZ, F_SETPIPE_SZ, FCNTL_INT, false, false},
    {F_GETPIPE_SZ, F_GETPIPE_SZ, FCNTL_INT, false, false},
    {F_ADD_SEALS, F_ADD_SEALS, FCNTL_INT, false, false},
    {F_GET_SEALS, F_GET_SEALS, FCNTL_INT, false, false},
    {F_GET_RW_HINT, F_GET_RW_HINT, FCNTL_HINT_OUT, false, true},
    {F_SET_RW_HINT, F_SET_RW_HINT, FCNTL_HINT_IN, false, false},
    {F_GET_FILE_RW_HINT, F_GET_FILE_RW_HINT, FCNTL_HINT_OUT, false, true},
    {F_SET_FILE_RW_HINT, F_SET_FILE_RW_HINT, FCNTL_HINT_IN, false, false},
};

static int64_t fcntl_lock(struct linux_task *t, const struct fcntl_row *row, int fd, uint64_t gva,
                          bool wide)
{
    const struct linux_abi *abi = t->process->abi;
    struct flock fl = {0};
    int64_t err = wide ? abi->get_flock64(t, gva, &fl) : abi->get_flock(t, gva, &fl);
    if (err)
        return err;
    int64_t result = row->blocks ? linux_block(t, SYS_fcntl, fd, row->host, (long)&fl, 0, 0, 0)
                                 : linux_host(SYS_fcntl, fd, row->host, (long)&fl, 0, 0, 0);
    if (result < 0 || !row->gives)
        return result;
    err = wide ? abi->put_flock64(t, gva, &fl) : abi->put_flock(t, gva, &fl);
    return err ? err : result;
}

static int64_t fcntl_fixed(struct linux_task *t, const struct fcntl_row *row, int fd, uint64_t gva,
                           size_t size)
{
    uint64_t buf = 0;
    int64_t err = row->gives ? 0 : linux_copy_in(t, &buf, gva, size);
    if (!err)
        err = linux_host(SYS_fcntl, fd, row->host, (long)&buf, 0, 0, 0);
    if (err >= 0 && row->gives && linux_copy_out(t, gva, &buf, size))
        return -EFAULT;
    return err;
}

static int64_t do_fcntl(struct linux_task *t, const uint64_t a[6], bool wide)
{
    const struct linux_abi *abi = t->process->abi;
    const struct fcntl_row *row = NULL;
    int fd = (int)a[0];
    for (size_t i = 0; i < ARRAY_LEN(fcntl_rows) && !row; i++)
        if (fcntl_rows[i].guest == a[1])
            row = &fcntl_rows[i];
    if (!row)
        return fcntl(fd, F_GETFD) < 0 ? -EBADF : -EINVAL;
    int64_t result;
    switch (row->kind) {
    case FCNTL_FLAGS: return linux_host(SYS_fcntl, fd, F_SETFL, abi->open_flags_in(a[2]), 0, 0, 0);
    case FCNTL_GETFL:
        result = linux_host(SYS_fcntl, fd, F_GETFL, 0, 0, 0, 0);
        return result < 0 ? result : (int64_t)abi->open_flags_out((int)result);
    case FCNTL_LOCK: return fcntl_lock(t, row, fd, a[2], abi->word == 8);
    case FCNTL_LOCK64: return wide ? fcntl_lock(t, row, fd, a[2], true) : -EINVAL;
    case FCNTL_OWNER_IN:
    case FCNTL_OWNER_OUT: return fcntl_fixed(t, row, fd, a[2], sizeof(struct f_owner_ex));
    case FCNTL_HINT_IN:
    case FCNTL_HINT_OUT: return fcntl_fixed(t, row, fd, a[2], 8);
    default: return linux_host(SYS_fcntl, fd, row->host, (int)a[2], 0, 0, 0);
    }
}

int64_t sys_fcntl(struct linux_task *t, const uint64_t a[6])
{
    return do_fcntl(t, a, t->process->abi->word == 8);
}

int64_t sys_fcntl64(struct linux_task *t, const uint64_t a[6])
{
    return do_fcntl(t, a, true);
}
