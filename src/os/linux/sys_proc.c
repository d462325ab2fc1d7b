/* The files of /proc that would show the translator instead of the guest. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "os/linux/abi.h"
#include "os/linux/guest_mem.h"
#include "os/linux/mm.h"
#include "os/linux/path.h"
#include "os/linux/syscall.h"

#define SHARED_MEMORY "/dev/zero (deleted)" /* what shared memory without a file is called */

/* One emulated file: writes its content, as it is now, to OUT. */
typedef void proc_write_fn(struct linux_task *, FILE *out);

static void write_guest_range(struct linux_task *t, FILE *out, uint64_t start, uint64_t end)
{
    uint8_t piece[4096];
    while (start < end) {
        uint64_t size = end - start < sizeof piece ? end - start : sizeof piece;
        if (linux_copy_in(t, piece, start, size))
            return;
        fwrite(piece, 1, size, out);
        start += size;
    }
}

static void write_cmdline(struct linux_task *t, FILE *out)
{
    write_guest_range(t, out, t->process->arg_start, t->process->arg_end);
}

static void write_environ(struct linux_task *t, FILE *out)
{
    write_guest_range(t, out, t->process->env_start, t->process->env_end);
}

static void write_auxv(struct linux_task *t, FILE *out)
{
    write_guest_range(t, out, t->process->auxv, t->process->auxv + t->process->auxv_size);
}

struct maps_out {
    FILE *out;
    int name_column;
};

static void write_vma(void *opaque, const struct linux_vma *vma)
{
    const struct maps_out *maps = opaque;
    FILE *out = maps->out;
    int width = fprintf(
        out, "%08" PRIx64 "-%08" PRIx64 " %c%c%c%c %08" PRIx64 " %02x:%02x %" PRIu64, vma->start,
        vma->end, vma->prot & PROT_READ ? 'r' : '-', vma->prot & PROT_WRITE ? 'w' : '-',
        vma->prot & PROT_EXEC ? 'x' : '-', vma->shared ? 's' : 'p', vma->offset,
        (unsigned)(vma->dev >> 8 & 0xfff), (unsigned)(vma->dev & 0xff), vma->inode);
    int pad = maps->name_column - width;
    if (vma->path)
        fprintf(out, "%*s%s", pad > 0 ? pad : 1, "", vma->path);
    fputc('\n', out);
}

static void write_maps(struct linux_task *t, FILE *out)
{
    /* As a kernel of the guest's word size pads the lines (fs/proc/task_mmu.c). */
    struct maps_out maps = {out, 25 + 6 * t->process->abi->word};
    linux_mm_each(t->process, write_vma, &maps);
}

/* The host's line with the numbers that are addresses of the host process replaced
 * (proc(5): field 28 is startstack, 29 and 30 are kstkesp and kstkeip, 26 and 27 the code). */
static void write_stat(struct linux_task *t, FILE *out)
{
    char line[2048];
    FILE *host = fopen("/proc/self/stat", "re");
    char *got = host ? fgets(line, sizeof line, host) : NULL;
    if (host)
        fclose(host);
    char *rest = got ? strrchr(line, ')') : NULL;
    if (!rest)
        return;
    *rest++ = 0;
    fprintf(out, "%s)", line);
    unsigned field = 3;
    char *state = NULL;
    for (char *word = strtok_r(rest, " \n", &state); word; word = strtok_r(NULL, " \n", &state)) {
        if (field == 28)
            fprintf(out, " %" PRIu64, t->process->stack_top);
        else if (field >= 26 && field <= 30)
            fputs(" 0", out);
        else
            fprintf(out, " %s", word);
        field++;
    }
    fputc('\n', out);
}

static void write_cpuinfo(struct linux_task *t, FILE *out)
{
    t->process->abi->cpuinfo(t, out);
}

static const struct proc_row {
    const char *name;
    proc_write_fn *write;
} process_files[] = {
    {"maps", write_maps}, {"cmdline", write_cmdline}, {"environ", write_environ},
    {"auxv", write_auxv}, {"stat", write_stat},
};

/* Skips PREFIX; null when PATH does not start with it. */
static const char *after(const char *path, const char *prefix)
{
    size_t len = strlen(prefix);
    return strncmp(path, prefix, len) ? NULL : path + len;
}

/* Skips our own process number and a slash. */
static const char *after_number(const char *path, long number)
{
    char *end;
    if (!isdigit((unsigned char)*path) || strtol(path, &end, 10) != number || *end != '/')
        return NULL;
    return end + 1;
}

/* The part of PATH behind the directory of this process or one of its threads, or null. */
static const char *own_file(struct linux_task *t, const char *path)
{
    const char *name = after(path, "/proc/self/");
    if (!name)
        name = after(path, "/proc/thread-self/");
    if (!name && after(path, "/proc/"))
        name = after_number(path + strlen("/proc/"), getpid());
    const char *thread = name ? after(name, "task/") : NULL;
    if (thread)
        name = after_number(thread, t->tid);
    return name;
}

const char *linux_proc_link(struct linux_task *t, const char *path)
{
    const char *name = own_file(t, path);
    return name && !strcmp(name, "exe") ? t->process->exe : NULL;
}

int64_t linux_proc_check(int64_t fd)
{
    struct statfs fs;
    char link[64], path[PATH_MAX];
    if (fd < 0 || fstatfs((int)fd, &fs) ||
        (fs.f_type != PROC_SUPER_MAGIC && fs.f_type != TMPFS_MAGIC))
        return fd;
    snprintf(link, sizeof link, "/proc/self/fd/%d", (int)fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    path[len > 0 ? len : 0] = 0;
    const char *slash = strrchr(path, '/');
    bool memory = fs.f_type == PROC_SUPER_MAGIC && slash && !strcmp(slash, "/mem");
    if (!memory && strcmp(path, SHARED_MEMORY))
        return fd;
    close((int)fd);
    return -EACCES;
}

/* A read-only descriptor of a nameless file with what WRITE gives. */
static int64_t make_file(struct linux_task *t, proc_write_fn *write, int flags)
{
    int fd = memfd_create("proc", MFD_CLOEXEC), copy = -1;
    if (fd < 0)
        return -errno;
    FILE *out = fdopen(fd, "w");
    if (!out) {
        close(fd);
        return -ENOMEM;
    }
    write(t, out);
    if (fflush(out)) {
        fclose(out);
        return -ENOMEM;
    }
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    copy = open(link, O_RDONLY | (flags & (O_CLOEXEC | O_NONBLOCK)));
    int64_t result = copy < 0 ? -errno : copy;
    fclose(out);
    return result;
}

int64_t linux_proc_open(struct linux_task *t, int dirfd, const char *path, int flags)
{
    (void)dirfd;
    if (!after(path, "/proc/") || flags & (O_PATH | O_DIRECTORY))
        return -ENOSYS;
    const char *name = own_file(t, path);
    proc_write_fn *write = NULL;
    for (size_t i = 0; name && i < ARRAY_LEN(process_files); i++)
        if (!strcmp(name, process_files[i].name))
            write = process_files[i].write;
    if (!strcmp(path, "/proc/cpuinfo") && t->process->abi->cpuinfo)
        write = write_cpuinfo;
    if (write)
        return (flags & O_ACCMODE) == O_RDONLY ? make_file(t, write, flags) : -EACCES;
    if (name && !strcmp(name, "exe") && !(flags & O_NOFOLLOW))
        return linux_host(SYS_openat, AT_FDCWD, (long)t->process->exe, flags, 0, 0, 0);
    return -ENOSYS;
}
