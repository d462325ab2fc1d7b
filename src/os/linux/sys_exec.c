/* execve: another program in this process. A guest program is run by a new instance of ourselves,
 * with the options of this one; what the host can run itself, it runs. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/vec.h"
#include "os/linux/abi.h"
#include "os/linux/guest_mem.h"
#include "os/linux/path.h"
#include "os/linux/process.h"
#include "os/linux/program.h"
#include "os/linux/signal.h"
#include "os/linux/syscall.h"

#define MAX_WORDS 131072u
/* What the kernel takes at most, whatever the limit of the stack (fs/exec.c, bprm_stack_limits). */
#define MAX_BYTES (6u << 20)

typedef VEC(char *) word_list;

/* Appends a copy of TEXT; false: no memory. */
static bool add(word_list *list, const char *text)
{
    char *copy = strdup(text);
    if (copy && VEC_PUSH(list, copy))
        return true;
    free(copy);
    return false;
}

static void free_words(char **words)
{
    for (char **w = words; w && *w; w++)
        free(*w);
    free(words);
}

void linux_self_args_free(char **words)
{
    free_words(words);
}

/* Ends the list; its memory is the caller's. Null (and nothing kept) if GOOD is false. */
static char **finish(word_list *list, bool good)
{
    good = good && VEC_PUSH(list, (char *)NULL);
    if (good)
        return list->at;
    for (uint32_t i = 0; i < list->len; i++)
        free(list->at[i]);
    VEC_FREE(list);
    return NULL;
}

static bool add_number(word_list *list, const char *option, uint64_t value)
{
    char text[24];
    if (!value)
        return true;
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    return add(list, option) && add(list, text);
}

char **linux_self_args(const struct linux_options *o)
{
    word_list list = {0};
    bool good = true;
    if (o->self_args) {
        for (char *const *w = o->self_args; *w && good; w++)
            if (strcmp(*w, "--"))
                good = add(&list, *w);
        return finish(&list, good);
    }
    good = add(&list, "run") &&
           (!o->sysroot || (add(&list, "--sysroot") && add(&list, o->sysroot))) &&
           (!o->cpu || (add(&list, "--cpu") && add(&list, o->cpu))) &&
           (!(o->engine_flags & NW_ENGINE_INTERP) || add(&list, "--interp")) &&
           (!(o->engine_flags & NW_ENGINE_NO_CHAIN) || add(&list, "--no-chain")) &&
           (!(o->engine_flags & NW_ENGINE_NO_FASTMEM) || add(&list, "--no-fastmem")) &&
           (!o->strace || add(&list, "--strace")) && add_number(&list, "--stack", o->stack_size) &&
           add_number(&list, "--seed", o->seed);
    return finish(&list, good);
}

/* Reads a null-terminated vector of strings; a null vector is an empty one. */
static int64_t words_in(struct linux_task *t, uint64_t gva, char ***out)
{
    unsigned word = t->process->abi->word;
    word_list list = {0};
    int64_t err = 0;
    uint64_t total = 0;
    for (unsigned i = 0; gva && !err; i++) {
        uint64_t at;
        char *text;
        if (i == MAX_WORDS || total > MAX_BYTES)
            err = -E2BIG;
        else if (linux_get_word(t, gva + (uint64_t)i * word, &at))
            err = -EFAULT;
        else if (!at)
            break;
        else if ((err = linux_string_dup(t, at, &text)) >= 0) {
            total += (uint64_t)err + 1;
            err = VEC_PUSH(&list, text) ? 0 : -ENOMEM;
            if (err)
                free(text);
        }
    }
    *out = finish(&list, !err);
    return err ? err : *out ? 0 : -ENOMEM;
}

/* `narwhal OPTIONS --argv0 NAME -- PROGRAM ARGUMENTS` */
static char **self_command(struct linux_process *p, const struct linux_program *prog)
{
    word_list list = {0};
    bool good = add(&list, "narwhal");
    for (char **w = p->self_args; *w && good; w++)
        good = add(&list, *w);
    good = good && add(&list, "--argv0") && add(&list, prog->argv[0] ? prog->argv[0] : "") &&
           add(&list, "--") && add(&list, prog->guest);
    for (char **w = prog->argv; good && *w && *++w;)
        good = add(&list, *w);
    return finish(&list, good);
}

/* Returns only on failure. Signals are held around it, since a caught one would be lost. */
static int64_t replace(struct linux_task *t, const char *file, char **argv, char **envp)
{
    if (linux_signals_hold(t))
        return -LINUX_ERESTARTNOINTR;
    linux_signals_start(t);
    if (t->process->options->strace)
        fflush(t->process->options->strace);
    execve(file, argv, envp);
    return -errno;
}

static int64_t execute(struct linux_task *t, const char *path, char **argv, char **envp)
{
    struct linux_program *prog = malloc(sizeof *prog);
    if (!prog)
        return -ENOMEM;
    int64_t err = linux_program_open(t->process, path, argv, prog);
    if (!err) {
        /* Nothing of the file may stay open in the new program. */
        close(prog->fd);
        prog->fd = -1;
        char **command = prog->foreign ? NULL : self_command(t->process, prog);
        if (prog->foreign)
            err = replace(t, prog->host, prog->argv, envp);
        else
            err = command ? replace(t, "/proc/self/exe", command, envp) : -ENOMEM;
        free_words(command);
        linux_program_close(prog);
    }
    free(prog);
    return err;
}

static int64_t execute_guest_args(struct linux_task *t, const char *path, uint64_t argv_at,
                                  uint64_t envp_at)
{
    char **argv = NULL, **envp = NULL;
    int64_t err = words_in(t, argv_at, &argv);
    if (!err)
        err = words_in(t, envp_at, &envp);
    if (!err)
        err = execute(t, path, argv, envp);
    free_words(argv);
    free_words(envp);
    return err;
}

/* The emulated links of /proc lead to the guest program, not to us. */
static const char *through_proc(struct linux_task *t, const char *path)
{
    const char *link = linux_proc_link(t, path);
    return link ? link : path;
}

int64_t sys_execve(struct linux_task *t, const uint64_t args[6])
{
    char path[PATH_MAX];
    int64_t err = linux_path_raw(t, args[0], path);
    return err ? err : execute_guest_args(t, through_proc(t, path), args[1], args[2]);
}

/* The path of a directory descriptor with NAME below it. */
static int64_t path_at(int dirfd, const char *name, uint64_t flags, char out[PATH_MAX])
{
    char link[64], dir[PATH_MAX];
    if (!*name && !(flags & AT_EMPTY_PATH))
        return -ENOENT;
    snprintf(link, sizeof link, "/proc/self/fd/%d", dirfd);
    ssize_t len = readlink(link, dir, sizeof dir - 1);
    if (len < 0)
        return -EBADF;
    dir[len] = 0;
    int n = snprintf(out, PATH_MAX, *name ? "%s/%s" : "%s", dir, name);
    return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int64_t sys_execveat(struct linux_task *t, const uint64_t args[6])
{
    char name[PATH_MAX], path[PATH_MAX];
    int64_t err = linux_path_raw(t, args[1], name);
    if (err)
        return err;
    if (args[4] & ~(uint64_t)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
        return -EINVAL;
    if (*name == '/' || ((int)args[0] == AT_FDCWD && *name))
        return execute_guest_args(t, through_proc(t, name), args[2], args[3]);
    err = path_at((int)args[0], name, args[4], path);
    return err ? err : execute_guest_args(t, path, args[2], args[3]);
}
