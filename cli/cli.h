/* The command line: one subcommand per file, options shared. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <getopt.h>
#include <narwhal/log.h>
#include <stdio.h>
#include "trace/listing.h"

/* Exit statuses of our own: the guest's are passed through by `run`. */
enum cli_status { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

struct cli_command {
    const char *name;
    const char *about;
    int (*run)(int argc, char **argv);
};

int cli_run(int argc, char **argv);
int cli_boot(int argc, char **argv);
int cli_explain(int argc, char **argv);
int cli_exec(int argc, char **argv);

/* One line on stderr: "narwhal COMMAND: …". Returns STATUS. */
__attribute__((format(printf, 3, 4))) int cli_fail(const char *command, enum cli_status status,
                                                   const char *format, ...);

/* What getopt_long said no to ('?' or ':'), as one line. Returns CLI_USAGE. */
int cli_bad_option(const char *command, int opt, char **argv);

/* ---- options that every command that executes guest code has ---- */
struct cli_engine {
    const char *cpu;
    uint32_t flags; /* enum nw_engine_flags */
    uint32_t log_kinds;
    const char *log_path;
    FILE *log_file;
    struct listing *listing;
};

enum {
    CLI_OPT_INTERP = 0x100,
    CLI_OPT_NO_CHAIN,
    CLI_OPT_NO_FASTMEM,
    CLI_OPT_CPU,
    CLI_OPT_HELP,
    CLI_OPT_FIRST
};

/* Rows for getopt_long, and the short options, of the shared set. */
#define CLI_ENGINE_OPTIONS                                                                         \
    {"cpu", required_argument, NULL, CLI_OPT_CPU}, {"interp", no_argument, NULL, CLI_OPT_INTERP},  \
        {"no-chain", no_argument, NULL, CLI_OPT_NO_CHAIN},                                         \
        {"no-fastmem", no_argument, NULL, CLI_OPT_NO_FASTMEM},                                     \
    {                                                                                              \
        "help", no_argument, NULL, CLI_OPT_HELP                                                    \
    }
#define CLI_ENGINE_SHORT "+:d:D:h"
#define CLI_ENGINE_HELP                                                                            \
    "  --cpu MODEL       ARM: arm926, cortex-a8, cortex-a15; x86: qemu64, haswell; or max\n"       \
    "  --interp          run the IR interpreter instead of translating\n"                          \
    "  --no-chain        do not link translated blocks\n"                                          \
    "  --no-fastmem      reach guest memory through the software TLB\n"                            \
    "  -d LIST           log in_asm,ir,out_asm,exec,int,mmu or all\n"                              \
    "  -D FILE           write the log to FILE instead of stderr\n"

/* Takes a shared option. 1: taken, 0: not one of ours, -1: malformed (a line has been printed). */
int cli_engine_option(struct cli_engine *, const char *command, int opt, const char *arg);
/* Opens the log; CLI_OK or a status after a line has been printed. */
int cli_engine_open(struct cli_engine *, const char *command);
nw_log *cli_engine_log(struct cli_engine *);
void cli_engine_close(struct cli_engine *);

/* "128M", "64K", "1G" or bytes; false when malformed or above 1 TiB. */
bool cli_parse_size(const char *text, uint64_t *out);

#endif
