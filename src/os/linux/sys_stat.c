/* Looking at files: stat and its family, access, file systems, extended attributes. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "os/linux/io_span.h"
#include "os/linux/path.h"
#include "os/linux/strace_note.h"

typedef int64_t put_stat_fn(struct linux_task *, uint64_t gva, const struct stat *);

/* /proc/self/exe names the guest program, not the one that runs it. */
static const char *stat_target(struct linux_task *t, const struct linux_path *path, bool follow)
{
    const char *target = follow ? linux_proc_link(t, path->in) : NULL;
    return target ? target : path->host;
}

static int64_t give_stat(struct linux_task *t, uint64_t gva, const struct stat *st,
                         put_stat_fn *put)
{
    if (t->process->options->strace)
        linux_strace_note_stat(st);
    return put(t, gva, st);
}

static int64_t stat_at(struct linux_task *t, int dirfd, uint64_t gva, uint64_t out, int flags,
                       put_stat_fn *put)
{
    struct linux_path path;
    struct stat st;
    bool follow = !(flags & AT_SYMLINK_NOFOLLOW);
    int64_t err = linux_path_get(t, gva, follow, &path);
    if (!err)
        err = linux_host(SYS_newfstatat, dirfd, (long)stat_target(t, &path, follow), (long)&st,
                         flags, 0, 0);
    return err ? err : give_stat(t, out, &st, put);
}

static int64_t stat_fd(struct linux_task *t, int fd, uint64_t out, put_stat_fn *put)
{
    struct stat st;
    int64_t err = linux_host(SYS_fstat, fd, (long)&st, 0, 0, 0, 0);
    return err ? err : give_stat(t, out, &st, put);
}

int64_t sys_stat(struct linux_task *t, const uint64_t a[6])
{
    return stat_at(t, AT_FDCWD, a[0], a[1], 0, t->process->abi->put_stat);
}

int64_t sys_lstat(struct linux_task *t, const uint64_t a[6])
{
    return stat_at(t, AT_FDCWD, a[0], a[1], AT_SYMLINK_NOFOLLOW, t->process->abi->put_stat);
}

int64_t sys_fstat(struct linux_task *t, const uint64_t a[6])
{
    return stat_fd(t, (int)a[0], a[1], t->process->abi->put_stat);
}

int64_t sys_stat64(struct linux_task *t, const uint64_t a[6])
{
    return stat_at(t, AT_FDCWD, a[0], a[1], 0, t->process->abi->put_stat64);
}

int64_t sys_lstat64(struct linux_task *t, const uint64_t a[6])
{
    return stat_at(t, AT_FDCWD, a[0], a[1], AT_SYMLINK_NOFOLLOW, t->process->abi->put_stat64);
}

int64_t sys_fstat64(struct linux_task *t, const uint64_t a[6])
{
    return stat_fd(t, (int)a[0], a[1], t->process->abi->put_stat64);
}

int64_t sys_fstatat64(struct linux_task *t, const uint64_t a[6])
{
    return stat_at(t, (int)a[0], a[1], a[2], (int)a[3], t->process->abi->put_stat64);
}

int64_t sys_newfstatat(struct linux_task *t, const uint64_t a[6])
{
    return stat_at(t, (int)a[0], a[1], a[2], (int)a[3], t->process->abi->put_stat);
}

/* struct statx is the same for every guest. */
int64_t sys_statx(struct linux_task *t, const uint64_t a[6])
{
    struct linux_path path;
    struct statx stx;
    bool follow = !((int)a[2] & AT_SYMLINK_NOFOLLOW);
    int64_t err = linux_path_get(t, a[1], follow, &path);
    if (!err)
        err = linux_host(SYS_statx, (int)a[0], (long)stat_target(t, &path, follow), (int)a[2],
                         (long)(uint32_t)a[3], (long)&stx, 0);
    return err ? err : linux_copy_out(t, a[4], &stx, sizeof stx);
}

static int64_t access_at(struct linux_task *t, int dirfd, uint64_t gva, int mode, int flags)
{
    struct linux_path path;
    bool follow = !(flags & AT_SYMLINK_NOFOLLOW);
    int64_t err = linux_path_get(t, gva, follow, &path);
    if (err)
        return err;
    const char *host = stat_target(t, &path, follow);
    if (!flags)
        return linux_host(SYS_faccessat, dirfd, (long)host, mode, 0, 0, 0);
    return linux_host(SYS_faccessat2, dirfd, (long)host, mode, flags, 0, 0);
}

int64_t sys_access(struct linux_task *t, const uint64_t a[6])
{
    return access_at(t, AT_FDCWD, a[0], (int)a[1], 0);
}

int64_t sys_faccessat(struct linux_task *t, const uint64_t a[6])
{
    return access_at(t, (int)a[0], a[1], (int)a[2], 0);
}

int64_t sys_faccessat2(struct linux_task *t, const uint64_t a[6])
{
    return access_at(t, (int)a[0], a[1], (int)a[2], (int)a[3]);
}

/* WIDE: statfs64, which is given the size of the structure: 84, or 88 with padding at the end. */
static int64_t give_statfs(struct linux_task *t, const struct statfs *st, uint64_t gva, bool wide)
{
    const struct linux_abi *abi = t->process->abi;
    return wide ? abi->put_statfs64(t, gva, st) : abi->put_statfs(t, gva, st);
}

static int64_t statfs_path(struct linux_task *t, uint64_t gva, uint64_t out, bool wide)
{
    struct linux_path path;
    struct statfs st;
    int64_t err = linux_path_get(t, gva, true, &path);
    if (!err)
        err = linux_host(SYS_statfs, (long)path.host, (long)&st, 0, 0, 0, 0);
    return err ? err : give_statfs(t, &st, out, wide);
}

static int64_t statfs_fd(struct linux_task *t, int fd, uint64_t out, bool wide)
{
    struct statfs st;
    int64_t err = linux_host(SYS_fstatfs, fd, (long)&st, 0, 0, 0, 0);
    return err ? err : give_statfs(t, &st, out, wide);
}

int64_t sys_statfs(struct linux_task *t, const uint64_t a[6])
{
    return statfs_path(t, a[0], a[1], false);
}

int64_t sys_fstatfs(struct linux_task *t, const uint64_t a[6])
{
    return statfs_fd(t, (int)a[0], a[1], false);
}

int64_t sys_statfs64(struct linux_task *t, const uint64_t a[6])
{
    return a[1] == 84 || a[1] == 88 ? statfs_path(t, a[0], a[2], true) : -EINVAL;
}

int64_t sys_fstatfs64(struct linux_task *t, const uint64_t a[6])
{
    return a[1] == 84 || a[1] == 88 ? statfs_fd(t, (int)a[0], a[2], true) : -EINVAL;
}

/* ---- extended attributes: path or descriptor, name, value ---- */

#define XATTR_NAME  256
#define XATTR_VALUE 65536 /* the kernel's limit of values and of lists */

/* The file's first argument as the host call wants it: a descriptor, or a path in PATH. */
static int64_t xattr_file(struct linux_task *t, uint64_t arg, int how, struct linux_path *path,
                          long *file)
{
    if (how < 0) {
        *file = (int)arg;
        return 0;
    }
    int64_t err = linux_path_get(t, arg, how, path);
    *file = (long)path->host;
    return err;
}

static int64_t xattr_name(struct linux_task *t, uint64_t gva, char name[XATTR_NAME])
{
    int64_t len = linux_string_in(t, name, XATTR_NAME, gva);
    if (len < 0)
        return len == -ENAMETOOLONG ? -ERANGE : len;
    return 0;
}

/* HOW: 1 the path is followed, 0 it is not, -1 a descriptor. */
static int64_t xattr_set(struct linux_task *t, long nr, int how, const uint64_t a[6])
{
    struct linux_path path;
    char name[XATTR_NAME];
    long file;
    int64_t err = xattr_file(t, a[0], how, &path, &file);
    if (!err)
        err = xattr_name(t, a[1], name);
    if (err)
        return err;
    if (a[3] > XATTR_VALUE)
        return -E2BIG;
    return linux_host(nr, file, (long)name, linux_whole(t, a[2], a[3], NW_ACCESS_READ), (long)a[3],
                      (int)a[4], 0);
}

static int64_t xattr_get(struct linux_task *t, long nr, int how, const uint64_t a[6])
{
    struct linux_path path;
    char name[XATTR_NAME];
    long file;
    uint64_t size = a[3] < XATTR_VALUE ? a[3] : XATTR_VALUE;
    int64_t err = xattr_file(t, a[0], how, &path, &file);
    if (!err)
        err = xattr_name(t, a[1], name);
    if (err)
        return err;
    return linux_host(nr, file, (long)name, linux_whole(t, a[2], size, NW_ACCESS_WRITE), (long)size,
                      0, 0);
}

static int64_t xattr_list(struct linux_task *t, long nr, int how, const uint64_t a[6])
{
    struct linux_path path;
    long file;
    uint64_t size = a[2] < XATTR_VALUE ? a[2] : XATTR_VALUE;
    int64_t err = xattr_file(t, a[0], how, &path, &file);
    return err ? err
               : linux_host(nr, file, linux_whole(t, a[1], size, NW_ACCESS_WRITE), (long)size, 0, 0,
                            0);
}

static int64_t xattr_remove(struct linux_task *t, long nr, int how, const uint64_t a[6])
{
    struct linux_path path;
    char name[XATTR_NAME];
    long file;
    int64_t err = xattr_file(t, a[0], how, &path, &file);
    if (!err)
        err = xattr_name(t, a[1], name);
    return err ? err : linux_host(nr, file, (long)name, 0, 0, 0, 0);
}

#define XATTR_CALL(name, op, how)                                                                  \
    int64_t sys_##name(struct linux_task *t, const uint64_t a[6])                                  \
    {                                                                                              \
        return xattr_##op(t, SYS_##name, how, a);                                                  \
    }
XATTR_CALL(setxattr, set, 1)
XATTR_CALL(lsetxattr, set, 0)
XATTR_CALL(fsetxattr, set, -1)
XATTR_CALL(getxattr, get, 1)
XATTR_CALL(lgetxattr, get, 0)
XATTR_CALL(fgetxattr, get, -1)
XATTR_CALL(listxattr, list, 1)
XATTR_CALL(llistxattr, list, 0)
XATTR_CALL(flistxattr, list, -1)
XATTR_CALL(removexattr, remove, 1)
XATTR_CALL(lremovexattr, remove, 0)
XATTR_CALL(fremovexattr, remove, -1)
