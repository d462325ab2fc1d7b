#include "cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int cli_fail(const char *command, enum cli_status status, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    fprintf(stderr, "narwhal %s: ", command);
    vfprintf(stderr, format, ap);
    fputc('\n', stderr);
    va_end(ap);
    return status;
}

int cli_bad_option(const char *command, int opt, char **argv)
{
    const char *what = opt == ':'                 ? "needs a value"
                       : optopt >= CLI_OPT_INTERP ? "takes no value"
                                                  : "is not an option";
    /* In a cluster of short options getopt has not moved past the word yet, so name the letter. */
    char letter[] = {'-', (char)optopt, 0};
    const char *word = optopt > 0 && optopt < CLI_OPT_INTERP ? letter : argv[optind - 1];
    return cli_fail(command, CLI_USAGE, "'%s' %s; 'narwhal %s --help' lists the options", word,
                    what, command);
}

bool cli_parse_size(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 0);
    unsigned shift = 0;
    switch (*end) {
    case 'k':
    case 'K': shift = 10; break;
    case 'm':
    case 'M': shift = 20; break;
    case 'g':
    case 'G': shift = 30; break;
    default: break;
    }
    if (errno || end == text || *text == '-' || end[shift != 0] || n > (1ull << 40) >> shift)
        return false;
    *out = n << shift;
    return true;
}

int cli_engine_option(struct cli_engine *e, const char *command, int opt, const char *arg)
{
    const char *bad;
    switch (opt) {
    case CLI_OPT_CPU: e->cpu = arg; return 1;
    case CLI_OPT_INTERP: e->flags |= NW_ENGINE_INTERP; return 1;
    case CLI_OPT_NO_CHAIN: e->flags |= NW_ENGINE_NO_CHAIN; return 1;
    case CLI_OPT_NO_FASTMEM: e->flags |= NW_ENGINE_NO_FASTMEM; return 1;
    case 'D': e->log_path = arg; return 1;
    case 'd':
        if (listing_parse_kinds(arg, &e->log_kinds, &bad))
            return 1;
        cli_fail(command, CLI_USAGE,
                 "unknown log '%.*s'; choose from in_asm,ir,out_asm,exec,int,mmu,all",
                 (int)strcspn(bad, ","), bad);
        return -1;
    default: return 0;
    }
}

int cli_engine_open(struct cli_engine *e, const char *command)
{
    if (!e->log_kinds)
        return CLI_OK;
    e->log_file = stderr;
    if (e->log_path) {
        e->log_file = fopen(e->log_path, "we");
        if (!e->log_file)
            return cli_fail(command, CLI_FAILED, "log '%s': %s", e->log_path, strerror(errno));
    }
    e->listing = listing_new(e->log_kinds, e->log_file);
    if (!e->listing)
        return cli_fail(command, CLI_FAILED, "no memory for the log");
    return CLI_OK;
}

nw_log *cli_engine_log(struct cli_engine *e)
{
    return e->listing ? listing_log(e->listing) : NULL;
}

void cli_engine_close(struct cli_engine *e)
{
    listing_free(e->listing);
    e->listing = NULL;
    if (e->log_file && e->log_file != stderr)
        fclose(e->log_file);
    e->log_file = NULL;
}
