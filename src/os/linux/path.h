/* Guest paths: the sysroot in front of the host's files, and the emulated part of /proc. */
#ifndef OS_LINUX_PATH_H
#define OS_LINUX_PATH_H

#include "os/linux/task.h"

/* The host path for guest path PATH, which shadows the host's files where the sysroot has one of
 * that name. Symbolic links inside the sysroot are resolved inside it, the last one only when
 * FOLLOW. The result is PATH or BUF (PATH_MAX bytes). */
const char *linux_path_lookup(struct linux_process *, const char *path, bool follow, char *buf);

/* Fetches a path at GVA into IN (PATH_MAX bytes) and nothing more: 0 or -errno. */
int64_t linux_path_raw(struct linux_task *, uint64_t gva, char *in);

/* A path in guest memory as a host path, for calls that look at an existing file. */
struct linux_path {
    char in[4096], found[4096];
    const char *host;
};
int64_t linux_path_get(struct linux_task *, uint64_t gva, bool follow, struct linux_path *);

/* Files whose content must be the guest's (/proc/self/maps, …). DIRFD and PATH as given to openat.
 * A new descriptor, -errno, or -ENOSYS when the path is not one of them. FLAGS are the host's. */
int64_t linux_proc_open(struct linux_task *, int dirfd, const char *path, int flags);
/* What was opened, unless it reaches past the guest: a process's memory shows the engine, and so
 * does its code buffer, under whatever name. FD, or -EACCES with FD closed. */
int64_t linux_proc_check(int64_t fd);
/* What the symbolic link PATH (/proc/self/exe and its other names) leads to, or null. */
const char *linux_proc_link(struct linux_task *, const char *path);

#endif
