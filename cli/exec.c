/* narwhal exec: raw machine code, without a program or a board around it. */
#include "cli.h"

#include <ctype.h>
#include <errno.h>
#include <narwhal/arm.h>
#include <narwhal/x86.h>
#include <stdlib.h>
#include <string.h>

#include "registers.h"

enum { OPT_ARCH = CLI_OPT_FIRST, OPT_BITS, OPT_HEX, OPT_AT, OPT_REG, OPT_MAP, OPT_COUNT, OPT_REGS };

enum { MAX_MAPS = 32, MAX_REGS = 128, PAGE = 0x1000, STACK = 64 << 10 };
#define MAX_FILE (64u << 20)

static const struct option options[] = {
    CLI_ENGINE_OPTIONS,
    {"arch", required_argument, NULL, OPT_ARCH},
    {"bits", required_argument, NULL, OPT_BITS},
    {"hex", required_argument, NULL, OPT_HEX},
    {"at", required_argument, NULL, OPT_AT},
    {"reg", required_argument, NULL, OPT_REG},
    {"map", required_argument, NULL, OPT_MAP},
    {"count", required_argument, NULL, OPT_COUNT},
    {"regs", no_argument, NULL, OPT_REGS},
    {0},
};

static int help(void)
{
    fputs(
        "usage: narwhal exec --arch x86_64|x86|arm [OPTIONS] --hex BYTES\n"
        "       narwhal exec --arch x86_64|x86|arm [OPTIONS] FILE\n\n"
        "  --bits N          size of code: 64, 32 or 16; arm: 32, or 16 for Thumb\n"
        "  --hex BYTES       the code, such as '48 ff c0'; or it is what FILE holds\n"
        "  --at ADDR         where it lies: 0x400000, 16-bit x86 code 0x7c00, unless told\n"
        "  --reg NAME=VALUE  a register's value at the start, such as rax=-1 or xmm3=0x3ff0;\n"
        "                    decimal, or hexadecimal with 0x; more than once\n"
        "  --map ADDR:SIZE:PERM[:FILE]\n"
        "                    memory, such as 0x10000:64K:rw, with what FILE holds; more than once\n"
        "  --count N         instructions to run at most\n"
        "  --regs            print every register at the end, not the general ones "
        "only\n" CLI_ENGINE_HELP "\nThe code can be written to. It ends where its bytes end. There "
        "is a stack of 64K. 16-bit "
        "x86 code\n"
        "runs in real mode, other code as a program without privileges. Printed are the registers "
        "and, in\n"
        "the last line, why the run ended. Status 0: at the end or by --count, a halt, breakpoint "
        "or system\n"
        "call; 1: by a fault or another exception.\n",
        stdout);
    return CLI_OK;
}

struct exec_map {
    uint64_t addr, size;
    uint32_t perms;
    const char *file;
};

struct exec {
    struct cli_engine engine_options;
    const char *hex, *file;
    nw_arch arch;
    uint64_t bits, at, count;
    bool at_given, all;
    struct exec_map maps[MAX_MAPS];
    const char *regs[MAX_REGS];
    unsigned nmaps, nregs;
    uint8_t *code;
    size_t size;
    nw_engine *engine;
    nw_vcpu *vcpu;
};

static bool is_real(const struct exec *e)
{
    return e->bits == 16 && e->arch != NW_ARCH_ARM;
}

static int bad(const char *format, const char *what)
{
    return cli_fail("exec", CLI_USAGE, format, what);
}

/* ---- words ---- */

static int parse_arch(struct exec *e, const char *text)
{
    static const struct {
        const char *name;
        nw_arch arch;
    } names[] = {{"x86_64", NW_ARCH_X86_64}, {"x86", NW_ARCH_X86}, {"arm", NW_ARCH_ARM}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!strcmp(text, names[i].name))
            e->arch = names[i].arch;
    }
    return e->arch ? CLI_OK : bad("unknown architecture '%s'; choose x86_64, x86 or arm", text);
}

static bool parse_number(const char *text, char stop, uint64_t *out, const char **end)
{
    char *last;
    errno = 0;
    *out = strtoull(text, &last, 0);
    *end = last;
    return isdigit((unsigned char)*text) && !errno && *last == stop;
}

/* ADDR:SIZE:PERM[:FILE]. */
static bool parse_map(const char *text, struct exec_map *m)
{
    const char *at;
    char size[32] = "";
    if (!parse_number(text, ':', &m->addr, &at))
        return false;
    size_t n = strcspn(++at, ":");
    if (at[n] != ':' || n >= sizeof size)
        return false;
    memcpy(size, at, n);
    if (!cli_parse_size(size, &m->size) || !m->size || m->addr % PAGE)
        return false;
    m->size = (m->size + PAGE - 1) & ~(uint64_t)(PAGE - 1);
    for (at += n + 1; *at && *at != ':'; at++) {
        uint32_t perm = *at == 'r' ? NW_READ : *at == 'w' ? NW_WRITE : *at == 'x' ? NW_EXEC : 0;
        if (!perm)
            return false;
        m->perms |= perm;
    }
    m->file = *at ? at + 1 : NULL;
    return !m->file || *m->file;
}

/* CLI_OK, or the status to leave with, plus one. */
static int take_option(struct exec *e, int opt, char **argv)
{
    const char *end;
    switch (opt) {
    case OPT_ARCH: return parse_arch(e, optarg) == CLI_OK ? 0 : 1 + CLI_USAGE;
    case OPT_BITS:
        if (!parse_number(optarg, 0, &e->bits, &end) ||
            (e->bits != 16 && e->bits != 32 && e->bits != 64))
            return 1 + bad("code has 16, 32 or 64 bits, not '%s'", optarg);
        return 0;
    case OPT_HEX: e->hex = optarg; return 0;
    case OPT_AT:
        e->at_given = true;
        if (!parse_number(optarg, 0, &e->at, &end))
            return 1 + bad("'%s' is not an address", optarg);
        return 0;
    case OPT_REG:
        if (e->nregs == MAX_REGS)
            return 1 + bad("too many registers, at '%s'", optarg);
        e->regs[e->nregs++] = optarg;
        return 0;
    case OPT_MAP:
        if (e->nmaps == MAX_MAPS)
            return 1 + bad("too many mappings, at '%s'", optarg);
        if (!parse_map(optarg, &e->maps[e->nmaps++]))
            return 1 + bad("'%s' is not ADDR:SIZE:PERM[:FILE] with whole pages, such as "
                           "0x10000:64K:rw",
                           optarg);
        return 0;
    case OPT_COUNT:
        if (!parse_number(optarg, 0, &e->count, &end) || !e->count)
            return 1 + bad("'%s' is not a number of instructions", optarg);
        return 0;
    case OPT_REGS: e->all = true; return 0;
    case CLI_OPT_HELP:
    case 'h': return 1 + help();
    default: return 1 + cli_bad_option("exec", opt, argv);
    }
}

/* What can only be said when all options are there. */
static int check(struct exec *e)
{
    if (!e->arch)
        return bad("%s", "name the architecture: --arch x86_64, x86 or arm");
    if (!e->hex == !e->file)
        return bad("%s", e->hex ? "--hex and a file were named; the code is one of them"
                                : "no code: name a file or --hex BYTES");
    if (!e->bits)
        e->bits = e->arch == NW_ARCH_X86_64 ? 64 : 32;
    if (e->bits == 64 && e->arch != NW_ARCH_X86_64)
        return bad("%s", "64-bit code needs --arch x86_64");
    bool real = is_real(e);
    if (!e->at_given)
        e->at = real ? 0x7c00 : 0x400000;
    if (real && e->at > 0xfffff)
        return bad("%s", "16-bit code lies below 1M");
    if (e->bits != 64 && e->at > UINT32_MAX)
        return bad("%s", "the code lies beyond 4G");
    if (e->arch == NW_ARCH_ARM && e->at % (e->bits / 8))
        return bad("%s", "the code's address is not aligned");
    return CLI_OK;
}

/* ---- code ---- */

static int code_of_hex(struct exec *e)
{
    const char *at = e->hex;
    e->code = malloc(strlen(at) / 2 + 1);
    if (!e->code)
        return cli_fail("exec", CLI_FAILED, "out of memory");
    for (; *at; at += 2) {
        at += strspn(at, " ,\t\n");
        if (!*at)
            break;
        if (!isxdigit((unsigned char)at[0]) || !isxdigit((unsigned char)at[1]))
            return bad("'%s' are not hexadecimal bytes, such as '48 ff c0'", e->hex);
        e->code[e->size++] = (uint8_t)strtoul((char[]){at[0], at[1], 0}, NULL, 16);
    }
    return e->size ? CLI_OK : bad("%s", "--hex has no bytes");
}

/* *DATA (to be freed) and *SIZE of a file of at most MOST bytes. */
static int read_file(const char *path, uint64_t most, uint8_t **data, size_t *size)
{
    FILE *f = fopen(path, "rbe");
    if (!f)
        return cli_fail("exec", CLI_FAILED, "'%s': %s", path, strerror(errno));
    *data = malloc((size_t)most + 1);
    *size = *data ? fread(*data, 1, (size_t)most + 1, f) : 0;
    bool wrong = ferror(f);
    int error = errno;
    fclose(f);
    if (!*data)
        return cli_fail("exec", CLI_FAILED, "out of memory");
    if (wrong)
        return cli_fail("exec", CLI_FAILED, "'%s': %s", path, strerror(error));
    if (*size > most)
        return cli_fail("exec", CLI_FAILED, "'%s' has more than %llu bytes", path,
                        (unsigned long long)most);
    return CLI_OK;
}

static int read_code(struct exec *e)
{
    if (e->hex)
        return code_of_hex(e);
    int status = read_file(e->file, MAX_FILE, &e->code, &e->size);
    if (status == CLI_OK && !e->size)
        return cli_fail("exec", CLI_FAILED, "'%s' is empty", e->file);
    return status;
}

/* ---- the machine ---- */

static int map(struct exec *e, const struct exec_map *m)
{
    uint8_t *data = NULL;
    size_t size = 0;
    nw_status s = nw_mem_map(e->engine, m->addr, m->size, m->perms);
    if (s != NW_OK)
        return cli_fail("exec", CLI_FAILED, "memory at 0x%llx: %s", (unsigned long long)m->addr,
                        nw_status_text(s));
    int status = CLI_OK;
    if (m->file)
        status = read_file(m->file, m->size < MAX_FILE ? m->size : MAX_FILE, &data, &size);
    if (status == CLI_OK && size)
        nw_mem_write(e->engine, m->addr, data, size);
    free(data);
    return status;
}

/* The code, and behind it to the end of a page breakpoints, which tell that it has ended. */
static int map_code(struct exec *e)
{
    static const uint8_t arm[] = {0x70, 0x00, 0x20, 0xe1}, thumb[] = {0x00, 0xbe}, x86[] = {0xcc};
    bool is_arm = e->arch == NW_ARCH_ARM;
    const uint8_t *mark = !is_arm ? x86 : e->bits == 16 ? thumb : arm;
    size_t unit = is_arm ? e->bits / 8 : 1;
    uint64_t start = e->at & ~(uint64_t)(PAGE - 1);
    if (e->size % unit)
        return bad("%s", "the code ends within an instruction");
    if (e->at > UINT64_MAX - e->size - 2 * PAGE)
        return bad("%s", "the code leaves the address space");
    uint64_t end = (e->at + e->size + PAGE) & ~(uint64_t)(PAGE - 1);
    int status = map(e, &(struct exec_map){start, end - start, NW_RWX, NULL});
    if (status != CLI_OK)
        return status;
    nw_mem_write(e->engine, e->at, e->code, e->size);
    for (uint64_t at = e->at + e->size; at < end; at += unit)
        nw_mem_write(e->engine, at, mark, unit);
    return CLI_OK;
}

static void set(struct exec *e, unsigned reg, uint64_t value)
{
    nw_reg_write(e->vcpu, reg, value);
}

/* Real mode with all segments at 0 but for code beyond 64K (SDM 3A 21.1). */
static void enter_real_mode(struct exec *e)
{
    enum { CR0_ET = 1 << 4, ATTR_DATA = 0x93, ATTR_CODE = 0x9b };
    uint64_t cs = e->at < 0x10000 ? 0 : e->at >> 4;
    set(e, NW_X86_EFER, 0);
    set(e, NW_X86_CR0, CR0_ET);
    for (unsigned seg = 0; seg < 6; seg++) {
        bool code = seg == 1;
        set(e, NW_X86_ES + seg, code ? cs : 0);
        set(e, NW_X86_ES_LIMIT + seg, 0xffff);
        set(e, NW_X86_ES_ATTR + seg, code ? ATTR_CODE : ATTR_DATA);
    }
    set(e, NW_X86_RIP, e->at - cs * 16);
}

/* 32-bit code in a CPU that has 64-bit code: CS.D instead of CS.L. */
static void enter_compatibility_mode(struct exec *e)
{
    enum { ATTR_L = 1 << 13, ATTR_DB = 1 << 14 };
    uint64_t attr = 0;
    nw_reg_read(e->vcpu, NW_X86_ES_ATTR + 1, &attr);
    set(e, NW_X86_ES_ATTR + 1, (attr & ~(uint64_t)ATTR_L) | ATTR_DB);
    set(e, NW_X86_ES + 1, 0x23);
}

static int prepare(struct exec *e)
{
    bool real = is_real(e);
    uint64_t top = real ? 0x7000 : 0x80000000, size = real ? 0x6000 : STACK;
    nw_mem_map(e->engine, top - size, size, NW_RW); /* where something is already, that stays */
    if (e->arch == NW_ARCH_ARM) {
        enum { CPSR_USER = 0x10, CPSR_T = 0x20 };
        set(e, NW_ARM_CPSR, CPSR_USER | (e->bits == 16 ? CPSR_T : 0));
        set(e, NW_ARM_PC, e->at);
        set(e, NW_ARM_SP, top);
    } else {
        if (e->bits == 32 && e->arch == NW_ARCH_X86_64)
            enter_compatibility_mode(e);
        set(e, NW_X86_RIP, e->at);
        set(e, NW_X86_RSP, top);
        if (real)
            enter_real_mode(e);
    }
    struct registers r = {e->vcpu, e->arch, (unsigned)e->bits};
    for (unsigned i = 0; i < e->nregs; i++) {
        const char *wrong = registers_set(&r, e->regs[i]);
        if (wrong)
            return cli_fail("exec", CLI_USAGE, "--reg '%s', %s", e->regs[i], wrong);
    }
    return CLI_OK;
}

/* ---- the end ---- */

static const char *x86_exception(unsigned vector)
{
    static const char *const names[] = {"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD",
                                        "#NM", "#DF", "",    "#TS", "#NP", "#SS", "#GP",
                                        "#PF", "",    "#MF", "#AC", "#MC", "#XM"};
    return vector < sizeof names / sizeof *names ? names[vector] : "";
}

/* Exceptions that push an error code (SDM 3A table 6-1). */
#define WITH_ERROR_CODE (1u << 8 | 0x1fu << 10 | 1u << 17)

static void print_exception(const nw_exit *x)
{
    const char *name = x86_exception(x->code);
    printf("exception %u%s%s", x->code, *name ? " " : "", name);
    if (x->code < 32 && WITH_ERROR_CODE >> x->code & 1)
        printf(", error code 0x%x", x->error);
}

static void print_fault(const nw_exit *x)
{
    static const char *const access[] = {"read", "write", "fetch"};
    static const char *const why[] = {"?", "not mapped", "no permission", "misaligned",
                                      "bus error"};
    printf("fault: %s of %u bytes at 0x%llx, %s", access[x->access % 3], x->size,
           (unsigned long long)x->addr, why[x->fault % 5]);
}

/* The last line; the status to leave with. */
static int print_exit(const struct exec *e, const nw_exit *x)
{
    int status = CLI_OK;
    switch (x->reason) {
    case NW_EXIT_BREAKPOINT:
        printf("%s", x->pc == e->at + e->size ? "end of the code" : "breakpoint");
        break;
    case NW_EXIT_LIMIT: printf("--count was reached"); break;
    case NW_EXIT_SYSCALL: printf("system call"); break;
    case NW_EXIT_HALT: printf("halt"); break;
    case NW_EXIT_STOP:
    case NW_EXIT_STOP_POINT: printf("stop"); break;
    case NW_EXIT_UNDEFINED:
        printf("undefined instruction");
        status = CLI_FAILED;
        break;
    case NW_EXIT_FAULT:
        print_fault(x);
        status = CLI_FAILED;
        break;
    case NW_EXIT_EXCEPTION:
        print_exception(x);
        status = CLI_FAILED;
        break;
    case NW_EXIT_ERROR:
        printf("%s", nw_status_text(x->status));
        status = CLI_FAILED;
        break;
    }
    printf("; pc 0x%llx\n", (unsigned long long)x->pc);
    return status;
}

/* INT3 traps: x86 is behind what marks the end. As ARM it is to stop there, as a breakpoint. */
static void leave_mark(struct exec *e, nw_exit *x)
{
    enum { BREAKPOINT = 3 };
    uint64_t rip = 0;
    if (x->reason != NW_EXIT_EXCEPTION || x->code != BREAKPOINT || e->arch == NW_ARCH_ARM)
        return;
    x->reason = NW_EXIT_BREAKPOINT;
    x->pc--;
    nw_reg_read(e->vcpu, NW_X86_RIP, &rip);
    set(e, NW_X86_RIP, rip - 1);
}

static int run(struct exec *e)
{
    nw_exit x = {0};
    nw_status s = nw_vcpu_run(e->vcpu, e->count, &x);
    if (s != NW_OK)
        return cli_fail("exec", CLI_FAILED, "%s", nw_status_text(s));
    leave_mark(e, &x);
    registers_print(&(struct registers){e->vcpu, e->arch, (unsigned)e->bits}, e->all, stdout);
    return print_exit(e, &x);
}

static int open_engine(struct exec *e)
{
    int status = cli_engine_open(&e->engine_options, "exec");
    if (status != CLI_OK)
        return status;
    nw_config config = {.arch = e->arch,
                        .cpu = e->engine_options.cpu,
                        .flags = e->engine_options.flags,
                        .log = cli_engine_log(&e->engine_options)};
    nw_status s = nw_engine_open(&config, &e->engine);
    if (s == NW_OK)
        s = nw_vcpu_create(e->engine, &e->vcpu);
    if (s == NW_ERR_CPU)
        return cli_fail("exec", CLI_FAILED, "unknown CPU model '%s'; try %s", e->engine_options.cpu,
                        nw_cpu_models(e->arch));
    return s == NW_OK ? CLI_OK : cli_fail("exec", CLI_FAILED, "%s", nw_status_text(s));
}

static int exec(struct exec *e)
{
    int status = check(e);
    if (status == CLI_OK)
        status = read_code(e);
    if (status == CLI_OK)
        status = open_engine(e);
    for (unsigned i = 0; status == CLI_OK && i < e->nmaps; i++)
        status = map(e, &e->maps[i]);
    if (status == CLI_OK)
        status = map_code(e);
    if (status == CLI_OK)
        status = prepare(e);
    return status == CLI_OK ? run(e) : status;
}

int cli_exec(int argc, char **argv)
{
    struct exec e = {0};
    int opt;
    opterr = 0;
    while ((opt = getopt_long(argc, argv, CLI_ENGINE_SHORT, options, NULL)) != -1) {
        int taken = cli_engine_option(&e.engine_options, "exec", opt, optarg);
        if (taken < 0)
            return CLI_USAGE;
        int left = taken ? 0 : take_option(&e, opt, argv);
        if (left)
            return left - 1;
    }
    if (optind + 1 < argc)
        return bad("unexpected argument '%s'", argv[optind + 1]);
    e.file = argv[optind];
    int status = exec(&e);
    if (e.engine)
        nw_engine_close(e.engine);
    cli_engine_close(&e.engine_options);
    free(e.code);
    return status;
}
