/* Random-block differential test: a few random instructions in a row, in Thumb with IT blocks among
 * them, up to a breakpoint, Narwhal against libunicorn. Where arm_diff looks at instructions, this
 * looks at what happens between them: forwarding, dead flags, conditions, the IT state.
 *
 *     block_diff [--seed N] [--cases N] [--engine MODE] [--set a32|thumb] [--cpu MODEL]
 *
 * Blocks that end elsewhere (UNPREDICTABLE encodings, faults) are compared with our own
 * interpreter: the exactness of the state at a fault in the middle of a block is the back end's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../insn/case.h"
#include "guest/arm/decode.h"
#include "guest/arm/state.h"
#include "rng.h"

#define MAX_INSNS 24

/* Control flow, system state and what the reference cannot show in user mode. */
static bool left_out(const struct arm_row *row)
{
    static const char *const stems[] = {
        "b",         "bl",       "blx_imm", "blx_reg", "bx",  "bxj",        "bkpt",   "bl_prefix",
        "bl_suffix", "cbz",      "clrex",   "cps",     "dbg", "blx_suffix", "isb",    "it",
        "ldm_eret",  "ldm_user", "mcr",     "mcrr",    "mrc", "mrrc",       "mrs",    "nop",
        "rfe",       "msr_imm",  "msr_reg", "sev",     "srs", "stm_user",   "setend", "svc",
        "swp",       "swpb",     "tbb",     "tbh",     "udf", "wfe",        "wfi",    "yield",
        "mrs_m",     "msr_m",    "cps_m",   "nocp",    "sg",  "bxns",       "blxns",  "tt",
    };
    for (unsigned i = 0; i < sizeof stems / sizeof *stems; i++) {
        if (!strcmp(row->name, stems[i]))
            return true;
    }
    static const char *const vfp[] = {"vldr", "vstr", "vadd", "vsub",
                                      "vmul", "vneg", "vabs", "vmov_core"};
    for (unsigned i = 0; i < sizeof vfp / sizeof *vfp; i++) {
        if (!strcmp(row->name, vfp[i]))
            return false;
    }
    return row->name[0] == 'v' || strstr(row->name, "ex") == row->name + 2 ||
           strstr(row->name, "strex");
}

static bool is_memory(const struct arm_row *row)
{
    return !strncmp(row->name, "ld", 2) || !strncmp(row->name, "st", 2) ||
           !strcmp(row->name, "vldr") || !strcmp(row->name, "vstr");
}

/* Mostly UNPREDICTABLE: the pc, in T32 the sp too, and Rd twice. */
static bool awkward(const struct arm_insn *i)
{
    const uint8_t used[] = {i->d, i->n, i->m, i->s, i->a, i->t, i->t2};

    for (unsigned k = 0; k < sizeof used; k++) {
        if (used[k] == 15 || (used[k] == 13 && i->row->set == ARM_SET_T32))
            return true;
    }
    return i->d == i->a && i->d;
}

/* Registers that the instruction may write, as a mask. */
static unsigned written(const struct arm_insn *i)
{
    bool store = !strncmp(i->row->name, "st", 2);
    return store ? 0 : 1u << i->d | 1u << i->a | 1u << i->t | 1u << i->t2 | i->list;
}

/* In blocks full of memory accesses some registers are known to point into the data page; accesses
 * go to small offsets from them. */
static bool stays_in_page(const struct arm_insn *i, unsigned pointers)
{
    bool indexed = strchr(i->row->pattern, 'P') && !i->P;
    bool offset = i->list || strchr(i->row->pattern, 'i');
    return pointers >> i->n & 1 && offset && !indexed && !i->W && i->imm < 0x3c0;
}

struct generator {
    struct rng r;
    uint32_t features; /* of the CPU */
    bool thumb;
    bool memory;       /* the block is full of memory accesses */
    unsigned pointers; /* registers that point into the data page, as a mask */
    unsigned *rows, nrows;
    unsigned *memory_rows, nmemory_rows;
};

/* Writes one random instruction at AT; its size. */
static unsigned put_insn(struct generator *g, uint8_t *at)
{
    for (;;) {
        bool memory = g->memory && below(&g->r, 2);
        const struct arm_row *row = &arm_rows[memory ? g->memory_rows[below(&g->r, g->nmemory_rows)]
                                                     : g->rows[below(&g->r, g->nrows)]];
        struct arm_insn insn;
        uint32_t raw = ((uint32_t)(next(&g->r) >> 16) & ~row->mask) | row->value;

        raw = (raw & ~row->should_mask) | row->should_value;
        if (row->set == ARM_SET_A32 && row->flags & ARM_ROW_COND && below(&g->r, 2))
            raw = (raw & 0x0fffffffu) | 0xe0000000u;
        if (is_memory(row) && !g->memory && below(&g->r, 8))
            continue;
        if (!arm_decode(row->set, raw, g->features, &insn) || insn.row != row)
            continue;
        if (insn.d == 15 || insn.t == 15 || insn.t2 == 15 || insn.list >> 15)
            continue;
        /* The reference keeps the lower bits of M profile's stack pointer. */
        if (g->features & ARM_F_M && (insn.d == 13 || insn.t == 13 || insn.t2 == 13))
            continue;
        if (awkward(&insn) && below(&g->r, 32))
            continue;
        if (g->memory && is_memory(row) && !stays_in_page(&insn, g->pointers))
            continue;
        g->pointers &= ~written(&insn);
        if (row->set == ARM_SET_T32)
            raw = raw >> 16 | raw << 16;
        memcpy(at, &raw, insn.size);
        return insn.size;
    }
}

/* add rX, rP, #small: another pointer, from one of those that are left. */
static unsigned put_pointer(struct generator *g, uint8_t *at)
{
    unsigned n = below(&g->r, 8), d = below(&g->r, 8), imm = below(&g->r, 64);

    while (!(g->pointers >> n & 1))
        n = (n + 1) % 8;
    uint32_t raw =
        g->thumb ? (0xf1000000u | n << 16 | d << 8 | imm) : (0xe2800000u | n << 16 | d << 12 | imm);
    if (g->thumb)
        raw = raw >> 16 | raw << 16;
    memcpy(at, &raw, 4);
    g->pointers |= 1u << d;
    return 4;
}

/* IT with a random condition, block length and pattern; *SLOTS gets the length. */
static unsigned put_it(struct generator *g, uint8_t *at, unsigned *slots)
{
    *slots = 1 + below(&g->r, 4);
    unsigned mask = (below(&g->r, 16) & ~((1u << (5 - *slots)) - 1)) | 1u << (4 - *slots);
    uint16_t it = (uint16_t)(0xbf00 | below(&g->r, 14) << 4 | mask);

    memcpy(at, &it, 2);
    return 2;
}

/* The number of instructions, the breakpoint included. */
static unsigned put_block(struct generator *g, uint8_t *at)
{
    unsigned n = 0, wanted = 2 + below(&g->r, MAX_INSNS - 6), slots = 0;
    static const uint8_t bkpt[2][4] = {{0x70, 0x00, 0x20, 0xe1}, {0x00, 0xbe, 0x00, 0xbe}};

    while (n < wanted || slots) {
        if (!slots && g->memory && g->pointers & 0xff && !below(&g->r, 4)) {
            at += put_pointer(g, at);
        } else if (slots) {
            slots--;
            at += put_insn(g, at);
        } else if (g->thumb && !below(&g->r, 4)) {
            at += put_it(g, at, &slots);
        } else {
            at += put_insn(g, at);
        }
        n++;
    }
    memcpy(at, bkpt[g->thumb], 4);
    return n + 1;
}

static void random_state(struct rng *r, struct machine_state *s, bool thumb)
{
    machine_state_default(s);
    for (unsigned i = 0; i < 15; i++) {
        s->r[i] = below(r, 3) ? (uint32_t)(next(r) >> 16) : below(r, 64) - 32;
        if (i < 8 || below(r, 2))
            s->r[i] = MACHINE_DATA + 0x400 + (below(r, 0x800) & ~3u);
    }
    s->cpsr = 0x10 | (uint32_t)(next(r) & 0xf80f0000u) | (thumb ? 0x20u : 0);
    for (unsigned i = 0; i < MACHINE_PAGE; i++)
        s->data[i] = (uint8_t)(next(r) >> 40);
}

static void print_block(const struct machine_state *s, const char *diff)
{
    printf("block:");
    for (unsigned i = 0; i < 4 * MAX_INSNS; i += 2)
        printf(" %02x%02x", s->code[i + 1], s->code[i]);
    printf("\n  before: cpsr=0x%x", s->cpsr);
    for (unsigned i = 0; i < 15; i++)
        printf(" r%u=0x%x", i, s->r[i]);
    printf("\n %s\n", diff);
}

struct result {
    unsigned passed, failed, elsewhere;
};

struct engines {
    const struct machine_kind *kind;
    struct machine *ours, *reference, *interpreter;
};

static void one_case(struct generator *g, const struct engines *e, struct result *out)
{
    static struct machine_state before, got, want;
    char diff[2048];

    random_state(&g->r, &before, g->thumb);
    if (g->features & ARM_F_M) { /* without what M profile does not have */
        before.r[13] &= ~3u;
        before.tpidrurw = before.tpidruro = 0;
    }
    g->memory = below(&g->r, 2);
    g->pointers = 0xff;
    unsigned steps = put_block(g, before.code);
    got = want = before;
    /* No limit: the breakpoint ends the run, and blocks are those of ordinary running. */
    e->kind->run(e->ours, &got, 0);
    if (got.outcome == OUT_BKPT) {
        machine_unicorn.run(e->reference, &want, steps);
    } else {
        machine_narwhal[0].run(e->interpreter, &want, 0);
        out->elsewhere++;
    }
    if (got.outcome != OUT_ERROR && !insn_state_diff(diff, sizeof diff, &want, &got)) {
        out->passed++;
        return;
    }
    if (out->failed++ < 10)
        print_block(&before, got.outcome == OUT_ERROR ? "engine error" : diff);
}

static bool wanted(const struct generator *g, const struct arm_row *row)
{
    return (row->set != ARM_SET_A32) == g->thumb && !left_out(row) &&
           (row->features & g->features) == row->features;
}

/* Those of CPU, null: the default one. */
static uint32_t features_of(const char *cpu)
{
    static struct nw_vcpu vcpu; /* large */

    return arm_guest.init(&vcpu, cpu) == NW_OK ? arm_of(&vcpu)->features : 0;
}

int main(int argc, char **argv)
{
    const char *engine = "dbt", *set = "thumb", *cpu = NULL;
    uint64_t seed = 1, cases = 10000;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--engine"))
            engine = argv[i + 1];
        else if (!strcmp(argv[i], "--set"))
            set = argv[i + 1];
        else if (!strcmp(argv[i], "--cpu"))
            cpu = argv[i + 1];
        else if (!strcmp(argv[i], "--seed"))
            seed = strtoull(argv[i + 1], NULL, 0);
        else if (!strcmp(argv[i], "--cases"))
            cases = strtoull(argv[i + 1], NULL, 0);
    }
    const struct machine_kind *kind = machine_narwhal;
    while (kind->name && strcmp(kind->name, engine))
        kind++;
    struct generator g = {{seed * 0x9e3779b97f4a7c15ull + 1},
                          features_of(cpu),
                          !strcmp(set, "thumb"),
                          false,
                          0,
                          calloc(arm_nrows, sizeof *g.rows),
                          0,
                          calloc(arm_nrows, sizeof *g.memory_rows),
                          0};
    for (unsigned i = 0; g.rows && g.memory_rows && i < arm_nrows; i++) {
        if (!wanted(&g, &arm_rows[i]))
            continue;
        g.rows[g.nrows++] = i;
        if (is_memory(&arm_rows[i]))
            g.memory_rows[g.nmemory_rows++] = i;
    }
    struct engines e = {kind, kind->name ? kind->open(cpu) : NULL, machine_unicorn.open(cpu),
                        machine_narwhal[0].open(cpu)};
    if (!e.ours || !e.reference || !e.interpreter || !g.nrows) {
        fprintf(stderr, "%s: cannot open the machines\n", argv[0]);
        return 2;
    }
    struct result result = {0};
    for (uint64_t n = 0; n < cases; n++)
        one_case(&g, &e, &result);
    printf("seed %llu, engine %s, %s: %u ended elsewhere\n%u passed, %u failed\n",
           (unsigned long long)seed, engine, set, result.elsewhere, result.passed, result.failed);
    kind->close(e.ours);
    machine_unicorn.close(e.reference);
    machine_narwhal[0].close(e.interpreter);
    free(g.rows);
    free(g.memory_rows);
    return result.failed || !result.passed;
}
