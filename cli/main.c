/* narwhal: executes guest code and shows it. */
#include "cli.h"

#include <string.h>

static const struct cli_command commands[] = {
    {"run", "run a Linux program of another instruction set", cli_run},
    {"boot", "boot a board", cli_boot},
    {"exec", "run raw machine code and print the registers", cli_exec},
    {"explain", "show a program range as guest code, IR and host code", cli_explain},
};

static void usage(FILE *f)
{
    fputs("usage: narwhal COMMAND [OPTIONS] …\n\n", f);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(f, "  %-10s %s\n", commands[i].name, commands[i].about);
    fputs("\n'narwhal COMMAND --help' tells a command's options.\n", f);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        usage(stderr);
        return CLI_USAGE;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (!strcmp(argv[1], commands[i].name))
            return commands[i].run(argc - 1, argv + 1);
    }
    if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        usage(stdout);
        return CLI_OK;
    }
    if (!strcmp(argv[1], "version") || !strcmp(argv[1], "--version")) {
        puts("narwhal " NARWHAL_VERSION);
        return CLI_OK;
    }
    fprintf(stderr, "narwhal: unknown command '%s'; 'narwhal help' lists the commands\n", argv[1]);
    return CLI_USAGE;
}
