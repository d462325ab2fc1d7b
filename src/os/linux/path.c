/* Guest paths to host paths. */
#include "os/linux/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "os/linux/guest_mem.h"
#include "os/linux/syscall.h"

/* Kernel file systems describe the running system: the sysroot's empty directories of that name
 * must not hide them. */
static bool is_kernel_path(const char *path)
{
    static const char *const dirs[] = {"/proc", "/dev", "/sys"};
    for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
        size_t len = strlen(dirs[i]);
        if (!strncmp(path, dirs[i], len) && (!path[len] || path[len] == '/'))
            return true;
    }
    return false;
}

/* Lets the host's kernel resolve PATH as if the sysroot were the root directory. */
static bool resolve_in_root(const char *root, const char *path, bool follow, char *buf)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW),
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root_fd < 0)
        return false;
    long fd = syscall(SYS_openat2, root_fd, path, &how, sizeof how);
    int err = errno;
    close(root_fd);
    if (fd < 0) {
        if (err != ENOSYS && err != EPERM)
            return false;
        /* An old kernel or a sandbox: links that leave the sysroot are then the host's. */
        int len = snprintf(buf, PATH_MAX, "%s%s", root, path);
        return len > 0 && len < PATH_MAX &&
               !faccessat(AT_FDCWD, buf, F_OK, follow ? 0 : AT_SYMLINK_NOFOLLOW);
    }
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%ld", fd);
    ssize_t len = readlink(link, buf, PATH_MAX);
    close((int)fd);
    if (len <= 0 || len >= PATH_MAX)
        return false;
    buf[len] = 0;
    return true;
}

const char *linux_path_lookup(struct linux_process *p, const char *path, bool follow, char *buf)
{
    const char *root = p->options->sysroot;
    if (path[0] != '/' || !root || !*root || is_kernel_path(path))
        return path;
    return resolve_in_root(root, path, follow, buf) ? buf : path;
}

const char *linux_path(struct linux_process *p, const char *path, char *buf)
{
    return linux_path_lookup(p, path, true, buf);
}

int64_t linux_path_raw(struct linux_task *t, uint64_t gva, char *in)
{
    int64_t len = linux_string_in(t, in, PATH_MAX, gva);
    return len < 0 ? len : 0;
}

int64_t linux_path_get(struct linux_task *t, uint64_t gva, bool follow, struct linux_path *path)
{
    int64_t err = linux_path_raw(t, gva, path->in);
    if (err)
        return err;
    path->host = linux_path_lookup(t->process, path->in, follow, path->found);
    return 0;
}
