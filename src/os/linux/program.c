/* From a path to a program that is ready to run. */
#include "os/linux/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "os/linux/mm.h"
#include "os/linux/syscall.h"

#define SCRIPT_HEAD  256 /* as much of the first line as the kernel looks at */
#define SCRIPT_DEPTH 4

void linux_program_close(struct linux_program *prog)
{
    for (char **arg = prog->argv; arg && *arg; arg++)
        free(*arg);
    free(prog->argv);
    prog->argv = NULL;
    if (prog->fd >= 0)
        close(prog->fd);
    prog->fd = -1;
}

/* A list of COUNT words in front of LIST; null: no memory. LIST is freed, its strings move over. */
static char **prepend(char **list, const char *const *words, size_t nwords)
{
    size_t n = 0;
    while (list[n])
        n++;
    char **out = calloc(nwords + n + 1, sizeof *out);
    if (!out)
        return NULL;
    for (size_t i = 0; i < nwords; i++)
        out[i] = strdup(words[i]);
    memcpy(out + nwords, list, n * sizeof *list);
    free(list);
    return out;
}

static char **copy_list(char *const *list)
{
    char **out = calloc(1, sizeof *out);
    size_t n = 0;
    while (list[n])
        n++;
    return out ? prepend(out, (const char *const *)list, n) : NULL;
}

/* Opens the file that PATH names and checks that it may be executed. */
static int64_t open_binary(struct linux_process *p, const char *path, struct linux_program *prog)
{
    char buf[PATH_MAX];
    struct stat st;
    const char *host = linux_path(p, path, buf);
    if (strlen(path) >= sizeof prog->guest)
        return -ENAMETOOLONG;
    strcpy(prog->guest, path);
    prog->fd = open(host, O_RDONLY | O_CLOEXEC);
    if (prog->fd < 0)
        return -errno;
    if (fstat(prog->fd, &st))
        return -errno;
    if (!S_ISREG(st.st_mode) || faccessat(AT_FDCWD, host, X_OK, AT_EACCESS))
        return -EACCES;
    if (!realpath(host, prog->host))
        snprintf(prog->host, sizeof prog->host, "%s", host);
    return 0;
}

/* Splits the line after "#!" into the interpreter and its one argument (null: none). */
static bool parse_script(char *line, char **interp, char **arg)
{
    line[strcspn(line, "\n")] = 0;
    char *at = line + strspn(line, " \t");
    if (!*at)
        return false;
    *interp = at;
    at += strcspn(at, " \t");
    if (*at) {
        *at++ = 0;
        at += strspn(at, " \t");
    }
    size_t len = strlen(at);
    while (len && (at[len - 1] == ' ' || at[len - 1] == '\t'))
        at[--len] = 0;
    *arg = *at ? at : NULL;
    return true;
}

/* Turns "script arguments" into "interpreter [argument] script arguments". */
static int64_t follow_script(struct linux_process *p, char *head, struct linux_program *prog)
{
    char *interp, *arg;
    if (!parse_script(head + 2, &interp, &arg))
        return -ENOEXEC;
    const char *words[3] = {interp};
    size_t n = 1;
    if (arg)
        words[n++] = arg;
    words[n++] = prog->guest;
    char *old_name = prog->argv[0];
    if (old_name) {
        size_t left = 0;
        while (prog->argv[left])
            left++;
        memmove(prog->argv, prog->argv + 1, left * sizeof *prog->argv);
        free(old_name);
    }
    char **argv = prepend(prog->argv, words, n);
    if (!argv)
        return -ENOMEM;
    prog->argv = argv;
    close(prog->fd);
    prog->fd = -1;
    return open_binary(p, interp, prog);
}

static int64_t find_binary(struct linux_process *p, const char *path, struct linux_program *prog)
{
    int64_t err = open_binary(p, path, prog);
    for (unsigned depth = 0; !err; depth++) {
        char head[SCRIPT_HEAD + 1] = {0};
        ssize_t n = pread(prog->fd, head, SCRIPT_HEAD, 0);
        if (n < 0)
            return -errno;
        if (n < 2 || head[0] != '#' || head[1] != '!') {
            prog->foreign =
                n < 4 || memcmp(head, ELFMAG, SELFMAG) || elf_is_foreign(p->abi, head, (size_t)n);
            return 0;
        }
        if (depth == SCRIPT_DEPTH)
            return -ELOOP;
        err = follow_script(p, head, prog);
    }
    return err;
}

int64_t linux_program_open(struct linux_process *p, const char *path, char *const *argv,
                           struct linux_program *prog)
{
    memset(prog, 0, sizeof *prog);
    prog->fd = -1;
    prog->argv = copy_list(argv);
    if (!prog->argv)
        return -ENOMEM;
    int64_t err = find_binary(p, path, prog);
    if (err)
        linux_program_close(prog);
    return err;
}

int linux_program_inspect(struct linux_program *prog, const struct linux_abi **abi,
                          struct elf_image *image, char *why)
{
    char reason[LINUX_ERROR_SIZE];
    if (!elf_read(prog->fd, abi, image, reason))
        return 0;
    snprintf(why, LINUX_ERROR_SIZE, "'%.200s' %.280s", prog->guest, reason);
    return -1;
}

/* The program's interpreter (the dynamic loader), from the sysroot or the host. */
static int load_interp(struct linux_process *p, const struct elf_image *image,
                       struct elf_placed *out, char *why)
{
    char buf[PATH_MAX], reason[LINUX_ERROR_SIZE] = "";
    const char *host = linux_path(p, image->interp, buf);
    const struct linux_abi *abi = p->abi;
    struct elf_image *interp = malloc(sizeof *interp);
    int status = -1, fd = open(host, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        snprintf(why, LINUX_ERROR_SIZE, "the program's interpreter '%.200s' was not found%s",
                 image->interp,
                 p->options->sysroot ? " in the sysroot"
                                     : "; name a directory that has it with --sysroot");
    } else if (interp) {
        status = elf_read(fd, &abi, interp, reason);
        if (!status)
            status = elf_load(p, fd, interp, 0, out, reason);
        if (status)
            snprintf(why, LINUX_ERROR_SIZE, "the program's interpreter '%.200s' %.200s%s",
                     image->interp, reason,
                     p->options->sysroot ? "" : "; name a directory that has it with --sysroot");
    }
    if (fd >= 0)
        close(fd);
    free(interp);
    return status;
}

static int load_images(struct linux_task *t, struct linux_program *prog, struct elf_image *image,
                       char *const *envp, char *why)
{
    struct linux_process *p = t->process;
    const struct linux_abi *abi = p->abi;
    char reason[LINUX_ERROR_SIZE] = "";
    struct linux_stack_request stack = {
        .argv = prog->argv, .envp = envp, .execfn = prog->guest, .image = image};
    struct elf_placed interp = {0};
    uint64_t sp;
    if (linux_program_inspect(prog, &abi, image, why))
        return -1;
    if (elf_load(p, prog->fd, image, abi->exec_base, &stack.program, reason)) {
        snprintf(why, LINUX_ERROR_SIZE, "'%.200s' %.280s", prog->guest, reason);
        return -1;
    }
    if (image->interp[0] && load_interp(p, image, &interp, why))
        return -1;
    stack.interp_base = interp.bias;
    stack.executable = image->exec_stack;
    if (linux_stack_build(t, &stack, &sp, why))
        return -1;
    linux_mm_set_brk(p, stack.program.end);
    abi->start(t, image->interp[0] ? interp.entry : stack.program.entry, sp);
    return 0;
}

int linux_program_load(struct linux_task *t, struct linux_program *prog, char *const *envp,
                       char *why)
{
    struct linux_process *p = t->process;
    struct elf_image *image = malloc(sizeof *image);
    int status = -1;
    p->exe = strdup(prog->host);
    if (!image || !p->exe)
        snprintf(why, LINUX_ERROR_SIZE, "out of memory");
    else
        status = load_images(t, prog, image, envp, why);
    free(image);
    return status;
}
