/* Names: links, renaming, removing, making, permissions and owners, the current directory, and
 * reading directories.
 *
 * What makes or changes a name acts on the host's path as it stands; only looking a file up goes
 * through the sysroot. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "os/linux/io_span.h"
#include "os/linux/layout.h"
#include "os/linux/path.h"

/* One path, a call of the at-family. NR(dirfd, path, x, y). */
static int64_t on_path(struct linux_task *t, long nr, int dirfd, uint64_t gva, long x, long y,
                       long z)
{
    char path[PATH_MAX];
    int64_t err = linux_path_raw(t, gva, path);
    return err ? err : linux_host(nr, dirfd, (long)path, x, y, z, 0);
}

static int64_t on_paths(struct linux_task *t, long nr, int from_dir, uint64_t from, int to_dir,
                        uint64_t to, long flags)
{
    char a[PATH_MAX], b[PATH_MAX];
    int64_t err = linux_path_raw(t, from, a);
    if (!err)
        err = linux_path_raw(t, to, b);
    return err ? err : linux_host(nr, from_dir, (long)a, to_dir, (long)b, flags, 0);
}

int64_t sys_link(struct linux_task *t, const uint64_t a[6])
{
    return on_paths(t, SYS_linkat, AT_FDCWD, a[0], AT_FDCWD, a[1], 0);
}

int64_t sys_linkat(struct linux_task *t, const uint64_t a[6])
{
    return on_paths(t, SYS_linkat, (int)a[0], a[1], (int)a[2], a[3], (int)a[4]);
}

int64_t sys_rename(struct linux_task *t, const uint64_t a[6])
{
    return on_paths(t, SYS_renameat, AT_FDCWD, a[0], AT_FDCWD, a[1], 0);
}

int64_t sys_renameat(struct linux_task *t, const uint64_t a[6])
{
    return on_paths(t, SYS_renameat, (int)a[0], a[1], (int)a[2], a[3], 0);
}

int64_t sys_renameat2(struct linux_task *t, const uint64_t a[6])
{
    return on_paths(t, SYS_renameat2, (int)a[0], a[1], (int)a[2], a[3], (int)a[4]);
}

static int64_t make_symlink(struct linux_task *t, uint64_t target, int dirfd, uint64_t name)
{
    char a[PATH_MAX], b[PATH_MAX];
    int64_t err = linux_path_raw(t, target, a);
    if (!err)
        err = linux_path_raw(t, name, b);
    return err ? err : linux_host(SYS_symlinkat, (long)a, dirfd, (long)b, 0, 0, 0);
}

int64_t sys_symlink(struct linux_task *t, const uint64_t a[6])
{
    return make_symlink(t, a[0], AT_FDCWD, a[1]);
}

int64_t sys_symlinkat(struct linux_task *t, const uint64_t a[6])
{
    return make_symlink(t, a[0], (int)a[1], a[2]);
}

static int64_t read_link(struct linux_task *t, int dirfd, uint64_t gva, uint64_t buf, uint64_t size)
{
    struct linux_path path;
    int64_t err = linux_path_get(t, gva, false, &path);
    if (err)
        return err;
    if ((int)size <= 0)
        return -EINVAL;
    const char *target = linux_proc_link(t, path.in);
    if (target) {
        uint64_t len = strlen(target);
        len = len < size ? len : size;
        return linux_copy_out(t, buf, target, len) ? -EFAULT : (int64_t)len;
    }
    char link[PATH_MAX];
    int64_t len = linux_host(SYS_readlinkat, dirfd, (long)path.host, (long)link,
                             (long)(size < sizeof link ? size : sizeof link), 0, 0);
    return len > 0 && linux_copy_out(t, buf, link, (uint64_t)len) ? -EFAULT : len;
}

int64_t sys_readlink(struct linux_task *t, const uint64_t a[6])
{
    return read_link(t, AT_FDCWD, a[0], a[1], a[2]);
}

int64_t sys_readlinkat(struct linux_task *t, const uint64_t a[6])
{
    return read_link(t, (int)a[0], a[1], a[2], a[3]);
}

int64_t sys_unlink(struct linux_task *t, const uint64_t a[6])
{
    return on_path(t, SYS_unlinkat, AT_FDCWD, a[0], 0, 0, 0);
}

int64_t sys_unlinkat(struct linux_task *t, const uint64_t a[6])
{
    return on_path(t, SYS_unlinkat, (int)a[0], a[1], (int)a[2], 0, 0);
}

int64_t sys_rmdir(struct linux_task *t, const uint64_t a[6])
{
    return on_path(t, SYS_unlinkat, AT_FDCWD, a[0], AT_REMOVEDIR, 0, 0);
}

int64_t sys_mkdir(struct linux_task *t, const uint64_t a[6])
{
    return on_path(t, SYS_mkdirat, AT_FDCWD, a[0], (long)a[1], 0, 0);
}

int64_t sys_mkdirat(struct linux_task *t, const uint64_t a[6])
{
    return on_path(t, SYS_mkdirat, (int)a[0], a[1], (long)a[2], 0, 0);
}

int64_t sys_mknod(struct linux_task *t, const uint64_t a[6])
{
    return on_path(t, SYS_mknodat, AT_FDCWD, a[0], (long)a[1], (long)a[2], 0);
}

int64_t sys_mknodat(struct linux_task *t, const uint64_t a[6])
{
    return on_path(t, SYS_mknodat, (int)a[0], a[1], (long)a[2], (long)a[3], 0);
}

int64_t sys_chdir(struct linux_task *t, const uint64_t a[6])
{
    char path[PATH_MAX];
    int64_t err = linux_path_raw(t, a[0], path);
    return err ? err : linux_host(SYS_chdir, (long)path, 0, 0, 0, 0, 0);
}

int64_t sys_fchdir(struct linux_task *t, const uint64_t a[6])
{
    (void)t;
    return linux_host(SYS_fchdir, (int)a[0], 0, 0, 0, 0, 0);
}

int64_t sys_chroot(struct linux_task *t, const uint64_t a[6])
{
    char path[PATH_MAX];
    int64_t err = linux_path_raw(t, a[0], path);
    return err ? err : linux_host(SYS_chroot, (long)path, 0, 0, 0, 0, 0);
}

int64_t sys_getcwd(struct linux_task *t, const uint64_t a[6])
{
    char path[PATH_MAX];
    int64_t len = linux_host(SYS_getcwd, (long)path, sizeof path, 0, 0, 0, 0);
    if (len < 0)
        return len;
    if ((uint64_t)len > a[1])
        return -ERANGE;
    return linux_copy_out(t, a[0], path, (uint64_t)len) ? -EFAULT : len;
}

int64_t sys_umask(struct linux_task *t, const uint64_t a[6])
{
    (void)t;
    return linux_host(SYS_umask, (long)a[0], 0, 0, 0, 0, 0);
}

int64_t sys_chmod(struct linux_task *t, const uint64_t a[6])
{
    return on_path(t, SYS_fchmodat, AT_FDCWD, a[0], (long)a[1], 0, 0);
}

int64_t sys_fchmod(struct linux_task *t, const uint64_t a[6])
{
    (void)t;
    return linux_host(SYS_fchmod, (int)a[0], (long)a[1], 0, 0, 0, 0);
}

int64_t sys_fchmodat(struct linux_task *t, const uint64_t a[6])
{
    return on_path(t, SYS_fchmodat, (int)a[0], a[1], (long)a[2], 0, 0);
}

/* User and group numbers of the calls that came before 32-bit ones: -1 means "leave". */
static long id16(const struct linux_task *t, uint64_t id)
{
    if (t->process->abi->word == 8)
        return (long)(uint32_t)id;
    return (uint16_t)id == UINT16_MAX ? (long)UINT32_MAX : (long)(uint16_t)id;
}

int64_t sys_chown(struct linux_task *t, const uint64_t a[6])
{
    return on_path(t, SYS_fchownat, AT_FDCWD, a[0], id16(t, a[1]), id16(t, a[2]), 0);
}

int64_t sys_lchown(struct linux_task *t, const uint64_t a[6])
{
    return on_path(t, SYS_fchownat, AT_FDCWD, a[0], id16(t, a[1]), id16(t, a[2]),
                   AT_SYMLINK_NOFOLLOW);
}

int64_t sys_fchown(struct linux_task *t, const uint64_t a[6])
{
    return linux_host(SYS_fchown, (int)a[0], id16(t, a[1]), id16(t, a[2]), 0, 0, 0);
}

int64_t sys_chown32(struct linux_task *t, const uint64_t a[6])
{
    return on_path(t, SYS_fchownat, AT_FDCWD, a[0], (long)a[1], (long)a[2], 0);
}

int64_t sys_lchown32(struct linux_task *t, const uint64_t a[6])
{
    return on_path(t, SYS_fchownat, AT_FDCWD, a[0], (long)a[1], (long)a[2], AT_SYMLINK_NOFOLLOW);
}

int64_t sys_fchown32(struct linux_task *t, const uint64_t a[6])
{
    (void)t;
    return linux_host(SYS_fchown, (int)a[0], (long)a[1], (long)a[2], 0, 0, 0);
}

int64_t sys_fchownat(struct linux_task *t, const uint64_t a[6])
{
    return on_path(t, SYS_fchownat, (int)a[0], a[1], (long)a[2], (long)a[3], (int)a[4]);
}

/* Mounting acts on the host's names; the data is a string of at most a page. */
int64_t sys_mount(struct linux_task *t, const uint64_t a[6])
{
    char source[PATH_MAX], target[PATH_MAX], type[256], data[4096];
    char *const strings[] = {source, target, type, data};
    const uint64_t from[] = {a[0], a[1], a[2], a[4]};
    const size_t room[] = {sizeof source, sizeof target, sizeof type, sizeof data};
    long host[4];
    for (size_t i = 0; i < ARRAY_LEN(from); i++) {
        int64_t len = from[i] ? linux_string_in(t, strings[i], room[i], from[i]) : 0;
        if (len < 0)
            return len;
        host[i] = from[i] ? (long)strings[i] : 0;
    }
    return linux_host(SYS_mount, host[0], host[1], host[2], (long)a[3], host[3], 0);
}

int64_t sys_umount2(struct linux_task *t, const uint64_t a[6])
{
    char path[PATH_MAX];
    int64_t err = linux_path_raw(t, a[0], path);
    return err ? err : linux_host(SYS_umount2, (long)path, (int)a[1], 0, 0, 0, 0);
}

int64_t sys_umount(struct linux_task *t, const uint64_t a[6])
{
    return sys_umount2(t, (const uint64_t[6]){a[0]});
}

static int64_t set_times(struct linux_task *t, int dirfd, uint64_t gva,
                         const struct timespec *times, int flags)
{
    if (!gva) /* the descriptor itself */
        return linux_host(SYS_utimensat, dirfd, 0, (long)times, flags, 0, 0);
    struct linux_path path;
    int64_t err = linux_path_get(t, gva, !(flags & AT_SYMLINK_NOFOLLOW), &path);
    return err ? err : linux_host(SYS_utimensat, dirfd, (long)path.host, (long)times, flags, 0, 0);
}

/* Two timevals at GVA, or the present time. */
static int64_t set_timevals(struct linux_task *t, int dirfd, uint64_t path, uint64_t gva)
{
    struct timespec times[2];
    for (unsigned i = 0; gva && i < 2; i++) {
        struct timeval tv;
        int64_t err = t->process->abi->get_timeval(t, gva + i * 2u * t->process->abi->word, &tv);
        if (err)
            return err;
        if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
            return -EINVAL;
        times[i] = (struct timespec){tv.tv_sec, tv.tv_usec * 1000};
    }
    return set_times(t, dirfd, path, gva ? times : NULL, 0);
}

int64_t sys_utimes(struct linux_task *t, const uint64_t a[6])
{
    return a[0] ? set_timevals(t, AT_FDCWD, a[0], a[1]) : -EFAULT;
}

/* struct utimbuf: two times in seconds. */
int64_t sys_utime(struct linux_task *t, const uint64_t a[6])
{
    struct timespec times[2] = {0};
    unsigned word = t->process->abi->word;
    for (unsigned i = 0; a[1] && i < 2; i++) {
        uint64_t seconds;
        if (linux_get_word(t, a[1] + i * word, &seconds))
            return -EFAULT;
        times[i].tv_sec = word == 4 ? (int32_t)seconds : (int64_t)seconds;
    }
    return a[0] ? set_times(t, AT_FDCWD, a[0], a[1] ? times : NULL, 0) : -EFAULT;
}

int64_t sys_futimesat(struct linux_task *t, const uint64_t a[6])
{
    return set_timevals(t, (int)a[0], a[1], a[2]);
}

int64_t sys_utimensat(struct linux_task *t, const uint64_t a[6])
{
    struct timespec times[2];
    uint64_t size = 2u * t->process->abi->word;
    int64_t err = 0;
    for (unsigned i = 0; a[2] && i < 2 && !err; i++)
        err = t->process->abi->get_timespec(t, a[2] + i * size, &times[i]);
    return err ? err : set_times(t, (int)a[0], a[1], a[2] ? times : NULL, (int)a[3]);
}

int64_t sys_utimensat_time64(struct linux_task *t, const uint64_t a[6])
{
    struct timespec times[2];
    int64_t err = 0;
    for (unsigned i = 0; a[2] && i < 2 && !err; i++)
        err = t->process->abi->get_timespec64(t, a[2] + i * 16, &times[i]);
    return err ? err : set_times(t, (int)a[0], a[1], a[2] ? times : NULL, (int)a[3]);
}

/* The entries are laid out alike for every guest. */
int64_t sys_getdents64(struct linux_task *t, const uint64_t a[6])
{
    uint64_t size = (uint32_t)a[2];
    long at = linux_buffer(t, a[1], &size, NW_ACCESS_WRITE);
    return linux_host(SYS_getdents64, (int)a[0], at, (long)size, 0, 0, 0);
}

struct dirent64_head {
    uint64_t ino;
    int64_t off;
    uint16_t reclen;
    uint8_t type;
} __attribute__((packed));

#define DIRENT64_NAME 19 /* offset of d_name */

/* struct linux_dirent: the type comes in the last byte, behind the name. Never longer than the
 * 64-bit entry that it is made of. */
int64_t sys_getdents(struct linux_task *t, const uint64_t a[6])
{
    uint8_t host[16384];
    uint64_t size = (uint32_t)a[2] < sizeof host ? (uint32_t)a[2] : sizeof host, done = 0;
    int64_t got = linux_host(SYS_getdents64, (int)a[0], (long)host, (long)size, 0, 0, 0);
    for (int64_t at = 0; at < got;) {
        struct dirent64_head head;
        struct pack p;
        memcpy(&head, host + at, sizeof head);
        pack_begin(&p, t);
        if (p.word == 4 && head.ino > UINT32_MAX)
            return -EOVERFLOW;
        pack_word(&p, head.ino);
        pack_word(&p, (uint64_t)head.off);
        const char *name = (const char *)host + at + DIRENT64_NAME;
        size_t len = strnlen(name, NAME_MAX);
        size_t total = (p.len + 2 + len + 2 + p.word - 1) & ~(p.word - 1u);
        pack_u16(&p, total);
        pack_bytes(&p, name, len);
        pack_zero(&p, total - p.len - 1);
        pack_u8(&p, head.type);
        if (linux_copy_out(t, a[1] + done, p.bytes, p.len))
            return -EFAULT;
        done += p.len;
        at += head.reclen;
    }
    return got < 0 ? got : (int64_t)done;
}
