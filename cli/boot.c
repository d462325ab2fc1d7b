/* narwhal boot: a board on the terminal. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "console.h"
#include "machine/machine.h"

enum {
    OPT_MACHINE = CLI_OPT_FIRST,
    OPT_MEM,
    OPT_KERNEL,
    OPT_APPEND,
    OPT_INITRD,
    OPT_BIOS,
    OPT_TIMEOUT,
    OPT_NO_REBOOT
};

static const struct option options[] = {
    CLI_ENGINE_OPTIONS,
    {"machine", required_argument, NULL, OPT_MACHINE},
    {"mem", required_argument, NULL, OPT_MEM},
    {"kernel", required_argument, NULL, OPT_KERNEL},
    {"append", required_argument, NULL, OPT_APPEND},
    {"initrd", required_argument, NULL, OPT_INITRD},
    {"bios", required_argument, NULL, OPT_BIOS},
    {"no-reboot", no_argument, NULL, OPT_NO_REBOOT},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {0},
};

static int help(void)
{
    fputs("usage: narwhal boot --machine versatilepb --kernel IMAGE [OPTIONS]\n"
          "       narwhal boot --machine pc --bios ROM | --kernel BZIMAGE [OPTIONS]\n\n"
          "  --machine NAME    the board; 'help' lists them\n"
          "  --mem SIZE        RAM, such as 128M\n"
          "  --kernel IMAGE    ARM: raw image or ELF file; pc: a Linux kernel\n"
          "  --append TEXT     kernel command line\n"
          "  --initrd FILE     initial RAM disk\n"
          "  --bios ROM        pc: image that ends at 4 GiB, in whole 4 KiB pages\n"
          "  --no-reboot       end the run where the guest resets the machine\n"
          "  --timeout SECONDS end the run after so long\n" CLI_ENGINE_HELP
          "\nOn a terminal, Ctrl-A X leaves. A pc shows what goes to its first serial line (0x3f8) "
          "and to\n"
          "port 0xe9; writing V to port 0x501 ends the run with status 2 * V + 1, the word "
          "Shutdown to\n"
          "port 0x8900 with status 0.\n",
          stdout);
    return CLI_OK;
}

static int list_machines(void)
{
    for (const struct machine_name *n = machine_names; n->name; n++)
        printf("%-14s %s\n", n->name, n->about);
    return CLI_OK;
}

static void transmit(void *opaque, uint8_t byte)
{
    (void)opaque;
    /* Unbuffered: the first character counts, and a board can die at any time. */
    if (write(STDOUT_FILENO, &byte, 1) < 0)
        return;
}

static int report(const struct console *c, const nw_exit *exit)
{
    if (console_timed_out(c))
        return cli_fail("boot", CLI_FAILED, "the time limit ended the run at 0x%llx",
                        (unsigned long long)exit->pc);
    switch (exit->reason) {
    case NW_EXIT_STOP:
    case NW_EXIT_HALT: return CLI_OK;
    case NW_EXIT_ERROR:
        return cli_fail("boot", CLI_FAILED, "%s at 0x%llx", nw_status_text(exit->status),
                        (unsigned long long)exit->pc);
    default:
        return cli_fail("boot", CLI_FAILED, "the guest ended with exit reason %d at 0x%llx",
                        (int)exit->reason, (unsigned long long)exit->pc);
    }
}

/* One life of the machine, from reset to reset. *AGAIN: the guest wants another one. */
static int run(const struct machine_options *o, unsigned timeout_s, bool *again)
{
    struct machine_error error = {0};
    struct machine *m = machine_open(o, &error);
    *again = false;
    if (!m)
        return cli_fail("boot", CLI_FAILED, "%s", error.line);
    struct console *c = console_start(m, timeout_s);
    if (!c) {
        machine_close(m);
        return cli_fail("boot", CLI_FAILED, "no thread for the console");
    }
    nw_exit exit = {0};
    nw_status status = machine_run(m, &exit);
    int result = status == NW_OK ? report(c, &exit)
                                 : cli_fail("boot", CLI_FAILED, "%s", nw_status_text(status));
    if (result == CLI_OK)
        result = machine_status(m);
    *again = machine_wish(m) == MACHINE_RESET && !console_timed_out(c);
    console_stop(c);
    machine_close(m);
    return result;
}

int cli_boot(int argc, char **argv)
{
    struct cli_engine engine = {0};
    struct machine_options o = {.transmit = transmit};
    uint64_t timeout = 0;
    bool reboot = true, again = true;
    opterr = 0;
    int opt;
    while ((opt = getopt_long(argc, argv, CLI_ENGINE_SHORT, options, NULL)) != -1) {
        int taken = cli_engine_option(&engine, "boot", opt, optarg);
        if (taken < 0)
            return CLI_USAGE;
        if (taken)
            continue;
        switch (opt) {
        case OPT_MACHINE: o.machine = optarg; break;
        case OPT_KERNEL: o.kernel = optarg; break;
        case OPT_APPEND: o.append = optarg; break;
        case OPT_INITRD: o.initrd = optarg; break;
        case OPT_BIOS: o.bios = optarg; break;
        case OPT_NO_REBOOT: reboot = false; break;
        case OPT_MEM:
            if (!cli_parse_size(optarg, &o.memory) || !o.memory)
                return cli_fail("boot", CLI_USAGE, "'%s' is not a size; write 128M or 64K", optarg);
            break;
        case OPT_TIMEOUT:
            if (!cli_parse_size(optarg, &timeout) || timeout > 1u << 30)
                return cli_fail("boot", CLI_USAGE, "'%s' is not a number of seconds", optarg);
            break;
        case CLI_OPT_HELP:
        case 'h': return help();
        default: return cli_bad_option("boot", opt, argv);
        }
    }
    if (optind < argc)
        return cli_fail("boot", CLI_USAGE,
                        "unexpected argument '%s'; the kernel goes after --kernel", argv[optind]);
    if (o.machine && !strcmp(o.machine, "help"))
        return list_machines();
    int status = cli_engine_open(&engine, "boot");
    if (status == CLI_OK) {
        o.cpu = engine.cpu;
        o.engine_flags = engine.flags;
        o.log = cli_engine_log(&engine);
        time_t end = time(NULL) + (time_t)timeout;
        while (again) {
            status = run(&o, (unsigned)timeout, &again);
            again &= reboot;
            /* The limit is one for all lives of the machine. */
            if (again && timeout && time(NULL) >= end) {
                status = cli_fail("boot", CLI_FAILED, "the time limit ended the run in a reset");
                again = false;
            }
        }
    }
    cli_engine_close(&engine);
    return status;
}
