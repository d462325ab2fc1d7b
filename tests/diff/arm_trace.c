/* What hooks of the Unicorn interface report while random ARM code runs, one line for each case:
 *
 *     arm_trace [--seed N] [--cases N] [--set a32|thumb] [--case N]
 *
 * A line has the case's number, how it ended (b: at its breakpoint) and a number for each list:
 * what CODE hooks saw, with the registers at each instruction, BLOCK, READ, READ_AFTER and WRITE
 * hooks, the registers and the memory at the end. It ends with "!" when the same code gave another
 * result without hooks. --case N writes the lists out. arm_trace.sh runs it with two libraries and
 * compares. */
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <unicorn/unicorn.h>
#include "arm_block.h"

enum list { CODE, BLOCK, READ, AFTER, WRITE, LISTS };

struct trace {
    uc_engine *uc;
    const struct generator *g;
    uint64_t sum[LISTS];
    unsigned n[LISTS];
    bool left_out[LISTS];
    uint64_t begin; /* of the range of accesses: the reference looks at the first byte */
    bool print;
    char end;
};

static uint64_t mixed(uint64_t sum, const void *bytes, size_t n)
{
    const uint8_t *b = bytes;

    for (size_t i = 0; i < n; i++)
        sum = (sum ^ b[i]) * 0x100000001b3;
    return sum;
}

static __attribute__((format(printf, 3, 4))) void note(struct trace *t, enum list list,
                                                       const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    t->n[list]++;
    t->sum[list] = mixed(t->sum[list], text, strlen(text));
    if (t->print)
        printf("  %c %s\n", "cbraw"[list], text);
}

static uint32_t reg(uc_engine *uc, int id)
{
    uint32_t v = 0;

    uc_reg_read(uc, id, &v);
    return v;
}

/* r0 to lr; without the bits of IT and T, which the reference has at the ends of blocks only. */
static uint64_t registers(uc_engine *uc)
{
    uint32_t v[16];

    for (int i = 0; i < 13; i++)
        v[i] = reg(uc, UC_ARM_REG_R0 + i);
    v[13] = reg(uc, UC_ARM_REG_SP);
    v[14] = reg(uc, UC_ARM_REG_LR);
    v[15] = reg(uc, UC_ARM_REG_CPSR) & 0xf80f0000u;
    return mixed(0, v, sizeof v);
}

/* In IT blocks the reference does not report instructions whose condition fails. */
static void on_code(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    struct trace *t = user;
    size_t at = (address - MACHINE_CODE) / 2;

    if (at < sizeof t->g->in_it && t->g->in_it[at])
        return;
    note(t, CODE, "%" PRIx64 " %u pc %x %016" PRIx64, address, size, reg(uc, UC_ARM_REG_PC),
         registers(uc));
}

static void on_block(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    (void)uc;
    note(user, BLOCK, "%" PRIx64 " %u", address, size);
}

/* Of an access on two of its pages, of 1 KiB, the reference reports the pieces that it is made of
 * as well: that list is left out. */
static bool on_two_pages(uint64_t address, int size)
{
    return address % 1024 + (unsigned)size > 1024;
}

static void on_memory(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t value,
                      void *user)
{
    struct trace *t = user;
    enum list list = type == UC_MEM_READ ? READ : type == UC_MEM_WRITE ? WRITE : AFTER;

    (void)uc;
    if (address < t->begin)
        return;
    t->left_out[list] |= on_two_pages(address, size);
    note(t, list, "%" PRIx64 " %d %" PRIx64, address, size, (uint64_t)value);
}

static void on_interrupt(uc_engine *uc, uint32_t number, void *user)
{
    struct trace *t = user;

    t->end = number == 7 ? 'b' : 'i';
    uc_emu_stop(uc);
}

/* The reference runs some cases for ever. */
static uc_engine *running;

static void on_alarm(int signal)
{
    (void)signal;
    uc_emu_stop(running);
}

static bool open_engine(struct trace *t)
{
    uint32_t fpexc = 1u << 30;
    uc_arm_cp_reg cpacr = {.cp = 15, .crn = 1, .opc2 = 2, .val = 0xf << 20};
    uc_hook hook;

    return uc_open(UC_ARCH_ARM, UC_MODE_ARM, &t->uc) == UC_ERR_OK &&
           uc_mem_map(t->uc, MACHINE_CODE, MACHINE_PAGE, UC_PROT_ALL) == UC_ERR_OK &&
           uc_mem_map(t->uc, MACHINE_DATA, MACHINE_PAGE, UC_PROT_READ | UC_PROT_WRITE) ==
               UC_ERR_OK &&
           uc_hook_add(t->uc, &hook, UC_HOOK_INTR, (void *)on_interrupt, t, 1, 0) == UC_ERR_OK &&
           uc_reg_write(t->uc, UC_ARM_REG_CP_REG, &cpacr) == UC_ERR_OK &&
           uc_reg_write(t->uc, UC_ARM_REG_FPEXC, &fpexc) == UC_ERR_OK;
}

static void load(uc_engine *uc, const struct machine_state *s)
{
    uc_mem_write(uc, MACHINE_CODE, s->code, 4 * ARM_BLOCK_INSNS);
    uc_ctl_remove_cache(uc, MACHINE_CODE, MACHINE_CODE + MACHINE_PAGE);
    uc_mem_write(uc, MACHINE_DATA, s->data, MACHINE_PAGE);
    uc_reg_write(uc, UC_ARM_REG_CPSR, &s->cpsr);
    for (int i = 0; i < 13; i++)
        uc_reg_write(uc, UC_ARM_REG_R0 + i, &s->r[i]);
    uc_reg_write(uc, UC_ARM_REG_SP, &s->r[13]);
    uc_reg_write(uc, UC_ARM_REG_LR, &s->r[14]);
    for (int i = 0; i < 32; i++)
        uc_reg_write(uc, UC_ARM_REG_D0 + i, &s->d[i]);
    uc_reg_write(uc, UC_ARM_REG_FPSCR, &s->fpscr);
}

struct outcome {
    char end;
    uint64_t registers, memory;
};

static struct outcome run(struct trace *t, const struct machine_state *s)
{
    static uint8_t data[MACHINE_PAGE];
    struct outcome o;
    uc_err error;
    uint64_t d = 0;

    t->end = '?';
    load(t->uc, s);
    running = t->uc;
    alarm(1);
    error = uc_emu_start(t->uc, MACHINE_CODE | t->g->thumb, 0xfffffffe, 0, 0);
    alarm(0);
    o.end = error == UC_ERR_OK             ? t->end
            : error == UC_ERR_INSN_INVALID ? 'u'
            : error == UC_ERR_EXCEPTION    ? 'e'
                                           : 'f';
    o.registers = registers(t->uc);
    for (int i = 0; i < 32; i++) {
        uc_reg_read(t->uc, UC_ARM_REG_D0 + i, &d);
        o.registers = mixed(o.registers, &d, sizeof d);
    }
    uc_mem_read(t->uc, MACHINE_DATA, data, sizeof data);
    o.memory = mixed(0, data, sizeof data);
    return o;
}

/* Any of the kinds; accesses perhaps in a range only. */
static unsigned add_hooks(struct trace *t, struct rng *r, uc_hook *hook)
{
    static const int types[] = {UC_HOOK_CODE, UC_HOOK_BLOCK, UC_HOOK_MEM_READ,
                                UC_HOOK_MEM_READ_AFTER, UC_HOOK_MEM_WRITE};
    void *const callbacks[] = {(void *)on_code, (void *)on_block, (void *)on_memory,
                               (void *)on_memory, (void *)on_memory};
    unsigned kinds = below(r, 2) ? 31 : 1 + below(r, 31), n = 0;
    uint64_t begin = 1, end = 0;

    /* The reference calls READ_AFTER alone only where its TLB misses. */
    if (kinds >> AFTER & 1)
        kinds |= 1u << READ;
    t->begin = 0;
    for (unsigned i = 0; i < LISTS; i++) {
        if (i == READ && !below(r, 3)) {
            t->begin = begin = MACHINE_DATA + below(r, MACHINE_PAGE);
            end = begin + below(r, below(r, 2) ? 64 : MACHINE_PAGE);
        }
        if (kinds >> i & 1 &&
            uc_hook_add(t->uc, &hook[n], types[i], callbacks[i], t, begin, end) == UC_ERR_OK)
            n++;
    }
    return n;
}

static void print_code(const struct machine_state *s, bool thumb)
{
    printf("  code");
    for (unsigned i = 0; i < 4 * ARM_BLOCK_INSNS; i += thumb ? 2 : 4) {
        uint32_t word = 0;

        memcpy(&word, s->code + i, thumb ? 2 : 4);
        printf(" %0*x", thumb ? 4 : 8, word);
    }
    printf("\n");
}

static void one_case(struct trace *t, struct generator *g, uint64_t n)
{
    static struct machine_state s;
    struct outcome with, without;
    uc_hook hook[LISTS];
    unsigned hooks;

    arm_block_state(g, &s);
    arm_block_put(g, s.code);
    if (t->print)
        print_code(&s, g->thumb);
    memset(t->sum, 0, sizeof t->sum);
    memset(t->n, 0, sizeof t->n);
    memset(t->left_out, 0, sizeof t->left_out);
    hooks = add_hooks(t, &g->r, hook);
    with = run(t, &s);
    while (hooks)
        uc_hook_del(t->uc, hook[--hooks]);
    without = run(t, &s);
    printf("%" PRIu64 " %c", n, with.end);
    for (unsigned i = 0; i < LISTS; i++) {
        if (t->left_out[i])
            printf(" -");
        else
            printf(" %u:%" PRIx64, t->n[i], t->sum[i]);
    }
    printf(" %" PRIx64 " %" PRIx64 "%s\n", with.registers, with.memory,
           with.end == without.end && with.registers == without.registers &&
                   with.memory == without.memory
               ? ""
               : " !");
}

int main(int argc, char **argv)
{
    uint64_t seed = 1, cases = 10000, only = UINT64_MAX;
    const char *set = "a32";
    struct generator g;
    struct trace t = {.g = &g};

    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--seed"))
            seed = strtoull(argv[i + 1], NULL, 0);
        else if (!strcmp(argv[i], "--cases"))
            cases = strtoull(argv[i + 1], NULL, 0);
        else if (!strcmp(argv[i], "--set"))
            set = argv[i + 1];
        else if (!strcmp(argv[i], "--case"))
            only = strtoull(argv[i + 1], NULL, 0);
    }
    if (!arm_block_open(&g, "cortex-a15", !strcmp(set, "thumb")) || !open_engine(&t)) {
        fprintf(stderr, "%s: cannot open the engine\n", argv[0]);
        return 2;
    }
    signal(SIGALRM, on_alarm);
    t.print = only != UINT64_MAX;
    for (uint64_t n = t.print ? only : 0; n < (t.print ? only + 1 : cases); n++) {
        g.r.s = (seed << 32 | n) * 0x9e3779b97f4a7c15ull + 1;
        one_case(&t, &g, n);
    }
    uc_close(t.uc);
    arm_block_close(&g);
    return 0;
}
