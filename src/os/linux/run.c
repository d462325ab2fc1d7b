/* linux_run: from options and arguments to the exit status. */
#include "os/linux/linux.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "mem/space.h"
#include "os/linux/abi.h"
#include "os/linux/mm.h"
#include "os/linux/process.h"
#include "os/linux/program.h"
#include "os/linux/signal.h"
#include "os/linux/syscall.h"

/* Room between the stack and the highest mapping. */
#define STACK_GAP (1ull << 20)

static uint64_t mmap_top(const struct linux_process *p)
{
    uint64_t size = p->options->stack_size ? p->options->stack_size : 8ull << 20;
    return (p->stack_top - size - STACK_GAP) & ~4095ull;
}

/* Everything goes where translated code reaches memory fastest. */
static void place_stack(struct linux_process *p)
{
    p->stack_top = p->abi->stack_top;
    if (!p->abi->window)
        return;
    (void)mem_set_window(p->engine, p->abi->window); /* else there is a smaller one */
    uint64_t window = mem_window(p->engine);
    if (window && window < p->stack_top)
        p->stack_top = window - STACK_GAP;
}

static int open_engine(struct linux_process *p, char *why)
{
    const struct linux_options *o = p->options;
    nw_config config = {.arch = p->abi->arch,
                        .cpu = o->cpu,
                        .flags = o->engine_flags,
                        .exceptions = NW_EXC_EXIT,
                        .code_buffer = o->code_buffer,
                        .log = o->log};
    nw_status status = nw_engine_open(&config, &p->engine);
    if (status == NW_OK) {
        place_stack(p);
        return 0;
    }
    if (status == NW_ERR_CPU)
        snprintf(why, LINUX_ERROR_SIZE, "unknown CPU model '%.100s'; try %s", o->cpu,
                 nw_cpu_models(p->abi->arch));
    else
        snprintf(why, LINUX_ERROR_SIZE, "the engine cannot start: %s", nw_status_text(status));
    return -1;
}

static void process_free(struct linux_process *p)
{
    linux_mm_free(p->mm);
    free(p->exe);
    linux_self_args_free(p->self_args);
    pthread_mutex_destroy(&p->lock);
    pthread_mutex_destroy(&p->signal_lock);
    free(p);
}

static struct linux_process *process_new(const struct linux_options *options)
{
    struct linux_process *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->options = options;
    p->pid = getpid();
    p->runner = pthread_self();
    pthread_mutex_init(&p->lock, NULL);
    pthread_mutex_init(&p->signal_lock, NULL);
    p->self_args = linux_self_args(options);
    if (!p->self_args) {
        process_free(p);
        return NULL;
    }
    return p;
}

static void name_process(const char *path)
{
    const char *slash = strrchr(path, '/');
    prctl(PR_SET_NAME, slash ? slash + 1 : path, 0, 0, 0);
}

/* The engine is open and T is the main task; loads and runs. */
static int run_program(struct linux_task *t, struct linux_program *prog, char **envp, char *why)
{
    struct linux_process *p = t->process;
    p->mm = linux_mm_new(mmap_top(p));
    if (!p->mm || p->abi->map_kernel_pages(p)) {
        snprintf(why, LINUX_ERROR_SIZE, "out of memory");
        return LINUX_EXIT_CANNOT;
    }
    if (linux_program_load(t, prog, envp, why))
        return LINUX_EXIT_CANNOT;
    name_process(prog->guest);
    linux_program_close(prog);
    linux_signals_start(t);
    linux_task_run(t);
    return t->exit_status;
}

static int run_opened(struct linux_process *p, struct linux_program *prog, char **envp, char *why)
{
    struct linux_task early = {.process = p};
    struct elf_image *image = malloc(sizeof *image);
    int status = LINUX_EXIT_CANNOT;
    bool good = image && !linux_program_inspect(prog, &p->abi, image, why);
    free(image);
    if (!good)
        return status;
    /* Our handlers come first, so that the engine's pass on what is not theirs. */
    linux_signals_init(&early);
    if (open_engine(p, why))
        return status;
    struct linux_task *t = linux_task_new(p);
    if (t) {
        t->tid = gettid();
        t->thread = pthread_self();
        t->blocked = early.blocked;
        linux_task_enlist(t);
        linux_current = t;
        status = run_program(t, prog, envp, why);
        linux_current = NULL;
        linux_task_free(t);
    }
    nw_engine_close(p->engine);
    return status;
}

static void explain_open(char *why, const char *path, const struct linux_program *prog, int64_t err)
{
    if (prog->guest[0] && strcmp(prog->guest, path)) {
        snprintf(why, LINUX_ERROR_SIZE, "the interpreter '%.200s' of the script '%.200s': %s",
                 prog->guest, path, strerror((int)-err));
        return;
    }
    const char *hint = "";
    if (err == -ENOENT && !strchr(path, '/'))
        hint = " (programs are not searched for: give a path)";
    if (err == -EACCES)
        hint = " (not an executable file?)";
    snprintf(why, LINUX_ERROR_SIZE, "'%.200s': %s%s", path, strerror((int)-err), hint);
}

int linux_run(const struct linux_options *options, int argc, char **argv, char **envp)
{
    char ignored[LINUX_ERROR_SIZE];
    char *why = options->error ? options->error : ignored;
    struct linux_process *p = argc > 0 ? process_new(options) : NULL;
    char **words = calloc((size_t)(argc > 0 ? argc : 0) + 1, sizeof *words);
    struct linux_program *prog = malloc(sizeof *prog);
    int status = LINUX_EXIT_CANNOT;

    why[0] = 0;
    if (p && words && prog) {
        memcpy(words, argv, (size_t)argc * sizeof *words);
        if (options->argv0)
            words[0] = (char *)options->argv0;
        int64_t err = linux_program_open(p, argv[0], words, prog);
        if (err) {
            explain_open(why, argv[0], prog, err);
            status = err == -ENOENT ? LINUX_EXIT_NOT_FOUND : LINUX_EXIT_CANNOT;
        } else {
            status = run_opened(p, prog, envp, why);
            linux_program_close(prog);
        }
    } else {
        snprintf(why, LINUX_ERROR_SIZE, argc > 0 ? "out of memory" : "no program was named");
    }
    if (p)
        process_free(p);
    free(words);
    free(prog);
    return status;
}
