/* narwhal run: a Linux program of another instruction set, as a process of this one. */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/linux/linux.h"

enum { OPT_SYSROOT = CLI_OPT_FIRST, OPT_STRACE, OPT_ARGV0, OPT_STACK, OPT_SEED };

static const struct option options[] = {
    CLI_ENGINE_OPTIONS,
    {"sysroot", required_argument, NULL, OPT_SYSROOT},
    {"strace", optional_argument, NULL, OPT_STRACE},
    {"argv0", required_argument, NULL, OPT_ARGV0},
    {"stack", required_argument, NULL, OPT_STACK},
    {"seed", required_argument, NULL, OPT_SEED},
    {0},
};

static int help(void)
{
    fputs("usage: narwhal run [OPTIONS] PROGRAM [ARGUMENT …]\n\n"
          "  --sysroot DIR     look absolute paths up in DIR first (interpreter, libraries)\n"
          "  --strace[=FILE]   print system calls, to stderr or FILE\n"
          "  --argv0 NAME      the program's own name for itself\n"
          "  --stack SIZE      main thread's stack, 8M unless told\n"
          "  --seed N          make the random bytes given to the program from N\n" CLI_ENGINE_HELP,
          stdout);
    return CLI_OK;
}

struct run_options {
    struct cli_engine engine;
    struct linux_options guest;
    const char *strace_path;
    bool strace;
};

/* 0: go on, otherwise the status to leave with, plus one. */
static int take_option(struct run_options *o, int opt, char **argv)
{
    uint64_t size;
    switch (opt) {
    case OPT_SYSROOT: o->guest.sysroot = optarg; return 0;
    case OPT_ARGV0: o->guest.argv0 = optarg; return 0;
    case OPT_STRACE:
        o->strace = true;
        o->strace_path = optarg;
        return 0;
    case OPT_STACK:
        if (!cli_parse_size(optarg, &size) || size < 65536 || size > 1ull << 30)
            return 1 +
                   cli_fail("run", CLI_USAGE, "'%s' is not a stack size from 64K to 1G", optarg);
        o->guest.stack_size = (size_t)size;
        return 0;
    case OPT_SEED:
        if (!cli_parse_size(optarg, &o->guest.seed))
            return 1 + cli_fail("run", CLI_USAGE, "'%s' is not a number", optarg);
        return 0;
    case CLI_OPT_HELP:
    case 'h': return 1 + help();
    default: return 1 + cli_bad_option("run", opt, argv);
    }
}

/* A missing sysroot would only show as programs that are not found, or, worse, as the host's files.
 */
static int check_sysroot(const struct run_options *o)
{
    struct stat st;
    const char *dir = o->guest.sysroot;
    if (!dir)
        return CLI_OK;
    if (stat(dir, &st))
        return cli_fail("run", CLI_FAILED, "sysroot '%s': %s", dir, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return cli_fail("run", CLI_FAILED, "sysroot '%s' is not a directory", dir);
    return CLI_OK;
}

static int open_strace(struct run_options *o)
{
    if (!o->strace)
        return CLI_OK;
    o->guest.strace = o->strace_path ? fopen(o->strace_path, "ae") : stderr;
    if (!o->guest.strace)
        return cli_fail("run", CLI_FAILED, "strace '%s': %s", o->strace_path, strerror(errno));
    return CLI_OK;
}

/* The words before PROGRAM, so that an execve of the guest starts the same way. */
static char **words_of(char **argv, int n)
{
    char **words = calloc((size_t)n + 1, sizeof *words);
    for (int i = 0; words && i < n; i++)
        words[i] = argv[i];
    return words;
}

static int start(struct run_options *o, int argc, char **argv)
{
    char error[LINUX_ERROR_SIZE] = "";
    o->guest.cpu = o->engine.cpu;
    o->guest.engine_flags = o->engine.flags;
    o->guest.log = cli_engine_log(&o->engine);
    o->guest.error = error;
    int status = linux_run(&o->guest, argc, argv, environ);
    if (*error)
        return cli_fail("run", CLI_FAILED, "%s", error);
    return status;
}

int cli_run(int argc, char **argv)
{
    struct run_options o = {0};
    int opt;
    opterr = 0;
    while ((opt = getopt_long(argc, argv, CLI_ENGINE_SHORT, options, NULL)) != -1) {
        int taken = cli_engine_option(&o.engine, "run", opt, optarg);
        if (taken < 0)
            return CLI_USAGE;
        int left = taken ? 0 : take_option(&o, opt, argv);
        if (left)
            return left - 1;
    }
    if (optind >= argc)
        return cli_fail("run", CLI_USAGE, "no program was named; 'narwhal run --help' tells how");
    int status = check_sysroot(&o);
    if (status == CLI_OK)
        status = cli_engine_open(&o.engine, "run");
    if (status == CLI_OK)
        status = open_strace(&o);
    if (status != CLI_OK)
        return status;
    char **words = words_of(argv, optind);
    if (!words)
        return cli_fail("run", CLI_FAILED, "out of memory");
    o.guest.self_args = words;
    status = start(&o, argc - optind, argv + optind);
    fflush(stdout);
    free(words);
    cli_engine_close(&o.engine);
    return status;
}
