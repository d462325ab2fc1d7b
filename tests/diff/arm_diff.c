/* Random-instruction differential test: each row of the decode table with random fields on random
 * state, one instruction at a time, Narwhal against libunicorn.
 *
 *     arm_diff [--seed N] [--cases N] [--engine MODE] [--set a32|t16|t32|vfp|neon] [--row STEM]
 *              [--list FILE] [--verbose]
 *
 * UNPREDICTABLE encodings (Narwhal says so) are counted per row and written to FILE with an
 * example, not compared. Known defects of the reference are in reference_skip(), each with its
 * reason. Ends with "N passed, N failed". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../insn/case.h"
#include "guest/arm/decode.h"
#include "guest/arm/state.h"
#include "rng.h"
#include "skips.h"

/* Words with the interesting neighbours of boundaries in them. */
static uint32_t random_word(struct rng *r)
{
    static const uint32_t special[] = {
        0,      1,    0xffffffff, 0x80000000, 0x7fffffff, 0x7fff, 0x8000, 0xffff8000,
        0xffff, 0x80, 0x7f,       0xff,       31,         32,     33,     0x00ff00ff};
    switch (below(r, 8)) {
    case 0: return special[below(r, 16)];
    case 1: return below(r, 256);
    case 2: return MACHINE_DATA + below(r, MACHINE_PAGE);
    case 3: return MACHINE_DATA + (below(r, MACHINE_PAGE) & ~7u);
    default: return (uint32_t)(next(r) >> 16);
    }
}

static uint64_t random_float(struct rng *r, bool is_double)
{
    static const uint32_t f[] = {0,          0x80000000, 0x3f800000, 0xbf800000,
                                 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001,
                                 0xffc12345, 0x00000001, 0x807fffff, 0x00800000,
                                 0x7f7fffff, 0x4f000000, 0xcf000000, 0x4effffff};
    static const uint64_t d[] = {0,
                                 1ull << 63,
                                 0x3ff0000000000000,
                                 0xbff0000000000000,
                                 0x7ff0000000000000,
                                 0xfff0000000000000,
                                 0x7ff8000000000000,
                                 0x7ff0000000000001,
                                 0xfff8123456789abc,
                                 1,
                                 0x800fffffffffffff,
                                 0x0010000000000000,
                                 0x7fefffffffffffff,
                                 0x41e0000000000000,
                                 0xc1e0000000000000,
                                 0x36a0000000000000};
    uint64_t x = next(r);
    switch (below(r, 6)) {
    case 0: return is_double ? d[below(r, 16)] : f[below(r, 16)];
    case 1: /* moderate exponents, so that results neither overflow nor vanish */
        return is_double ? (x & 0x800fffffffffffffull) | (uint64_t)(1003 + below(r, 40)) << 52
                         : ((uint32_t)x & 0x807fffffu) | (107 + below(r, 40)) << 23;
    case 2: /* near the smallest normal number */
        return is_double ? (x & 0x800fffffffffffffull) | (uint64_t)below(r, 60) << 52
                         : ((uint32_t)x & 0x807fffffu) | below(r, 30) << 23;
    case 3: /* short mantissas give exact results */
        return is_double ? (x & 0xfffff00000000000ull) : ((uint32_t)x & 0xfffff000u);
    default: return x;
    }
}

static void random_state(struct rng *r, struct machine_state *s, bool thumb)
{
    for (unsigned i = 0; i < 15; i++)
        s->r[i] = random_word(r);
    if (below(r, 4))
        s->r[13] = MACHINE_DATA + (below(r, MACHINE_PAGE) & ~3u);
    s->r[15] = MACHINE_CODE + 0x100 + 4 * below(r, 64);
    s->cpsr = 0x10 | (uint32_t)(next(r) & 0xf80f0000u) | (thumb ? 0x20u : 0);
    if (thumb && below(r, 8) == 0) { /* the last slot of an IT block: IT = cond:1000 */
        uint32_t cond = below(r, 14);
        s->cpsr |= (cond << 4 | 8) >> 2 << 10;
    }
    s->spsr = 0;
    s->fpscr = (uint32_t)next(r) & 0xf0000000u;
    if (below(r, 4) == 0)
        s->fpscr |= (uint32_t)next(r) & 0x07c0009fu; /* AHP DN FZ RMode and the sticky flags */
    s->tpidrurw = (uint32_t)next(r);
    s->tpidruro = (uint32_t)next(r);
    for (unsigned i = 0; i < 32; i++) {
        bool is_double = next(r) & 1u << 20;
        s->d[i] = is_double ? random_float(r, true)
                            : random_float(r, false) << 32 | (uint32_t)random_float(r, false);
    }
    uint32_t *w = (uint32_t *)(void *)s->data;
    for (unsigned i = 0; i < MACHINE_PAGE / 4; i++)
        w[i] = (uint32_t)(next(r) >> 16);
}

/* A raw encoding of ROW: fixed bits as they are, should-be bits mostly right, fields random. */
static uint32_t random_encoding(struct rng *r, const struct arm_row *row)
{
    uint32_t raw = (uint32_t)(next(r) >> 16);
    raw = (raw & ~row->mask) | row->value;
    if (below(r, 32))
        raw = (raw & ~row->should_mask) | row->should_value;
    if (row->set == ARM_SET_A32 && row->flags & ARM_ROW_COND && below(r, 4))
        raw = (raw & 0x0fffffffu) | 0xe0000000u;
    /* Mostly even numbers of quadword registers. */
    if (row->features & ARM_F_NEON && row->pattern[25] == 'Q' && raw & 0x40 && below(r, 8))
        raw &= row->mask | ~0x00011001u;
    return raw;
}

static void put_code(struct machine_state *s, const struct arm_row *row, uint32_t raw)
{
    uint8_t *at = s->code + (s->r[15] - MACHINE_CODE);
    /* Branches to themselves follow, so that the engines translate no further than needed. From
     * Thumb, BX PC enters A32 code at the next word. */
    static const uint8_t stop_arm[] = {0xfe, 0xff, 0xff, 0xea};
    static const uint8_t stop_thumb[] = {0xfe, 0xe7, 0xfe, 0xff, 0xff, 0xea};
    bool arm = row->set == ARM_SET_A32;
    unsigned size = row->set == ARM_SET_T16 ? 2 : 4;
    if (row->set == ARM_SET_T32)
        raw = raw >> 16 | raw << 16;
    memcpy(at, &raw, size);
    memcpy(at + size, arm ? stop_arm : stop_thumb, arm ? sizeof stop_arm : sizeof stop_thumb);
}

struct tally {
    uint64_t compared, failed, undefined, unpredictable, skipped, faulted;
    uint32_t example;
};

/* On a fault the reference may leave a half-done instruction; ours must be as before. */
static unsigned compare_fault(const struct machine_state *before, const struct machine_state *got,
                              char *out, size_t size)
{
    struct machine_state want = *before;
    want.outcome = got->outcome;
    want.code_or_addr = got->code_or_addr;
    memcpy(want.data, got->data, MACHINE_PAGE); /* stores before the faulting one are done */
    memcpy(want.code, got->code, MACHINE_PAGE);
    return insn_state_diff(out, size, &want, got);
}

static bool is_fault(enum machine_outcome o)
{
    return o == OUT_FAULT_READ || o == OUT_FAULT_WRITE || o == OUT_FAULT_FETCH;
}

struct options {
    uint64_t seed, cases;
    const char *engine, *set, *row, *list;
    bool verbose;
};

struct run {
    const struct options *o;
    struct machine *ours, *reference;
    const struct machine_kind *kind;
    struct tally *tally; /* per row */
    unsigned reported;
};

static void report(struct run *run, const struct arm_row *row, uint32_t raw,
                   const struct machine_state *before, const char *what, const char *diff)
{
    if (run->reported++ >= 60)
        return;
    static const char *const sets[] = {"a32", "t16", "t32"};
    printf("%s %s %08x: %s%s\n", sets[row->set], row->name, raw, what, diff);
    if (!run->o->verbose)
        return;
    printf("   before: cpsr %08x fpscr %08x", before->cpsr, before->fpscr);
    for (unsigned i = 0; i < 16; i++)
        printf(" r%u=%08x", i, before->r[i]);
    for (unsigned i = 0; i < 32; i++)
        printf(" d%u=%016llx", i, (unsigned long long)before->d[i]);
    printf("\n");
}

static bool is_simd_access(const struct arm_row *row)
{
    return row->features & ARM_F_NEON &&
           (!strncmp(row->name, "vld", 3) || !strncmp(row->name, "vst", 3));
}

/* INSN is of ROW and RAW, on a random state. */
static void run_case(struct run *run, struct rng *r, const struct arm_row *row,
                     const struct arm_insn *decoded, struct tally *t)
{
    static struct machine_state before, ours, reference; /* 9 KiB each */
    struct arm_insn insn = *decoded;
    uint32_t raw = insn.raw;
    memset(before.code, 0, sizeof before.code);
    random_state(r, &before, row->set != ARM_SET_A32);
    before.outcome = OUT_OK;
    before.code_or_addr = 0;
    put_code(&before, row, raw);
    if (is_simd_access(row) && insn.n != 15 && below(r, 4))
        before.r[insn.n] = MACHINE_DATA + (below(r, MACHINE_PAGE - 64) & ~(below(r, 4) ? 15u : 0u));

    ours = before;
    run->kind->run(run->ours, &ours, 1);
    if (ours.unpredictable) {
        t->unpredictable++;
        t->example = raw;
        return;
    }
    enum skip_reason skip = reference_skip(&insn, &before, &ours);
    if (skip != SKIP_NONE) {
        t->skipped++;
        return;
    }
    reference = before;
    machine_unicorn.run(run->reference, &reference, 1);
    char diff[2048] = "";
    unsigned differs;
    /* The reference does not check the alignment of LDM, STM, LDRD and STRD (ARM DDI 0406C A3.2.1)
     * and calls that of exclusives an error of its own. */
    if (is_fault(ours.outcome) && (is_fault(reference.outcome) || ours.misaligned)) {
        differs = compare_fault(&before, &ours, diff, sizeof diff);
        t->faulted++;
    } else {
        reference_mend(&insn, &before, &ours, &reference);
        differs = insn_state_diff(diff, sizeof diff, &reference, &ours);
    }
    if (ours.outcome == OUT_UNDEFINED)
        t->undefined++;
    t->compared++;
    if (differs) {
        t->failed++;
        t->example = raw;
        report(run, row, raw, &before, ours.outcome == OUT_ERROR ? "(engine error)" : "", diff);
    }
}

/* Each row in turn. */
static void one_case(struct run *run, struct rng *r, unsigned index)
{
    const struct arm_row *row = &arm_rows[index];
    struct arm_insn insn;
    /* A more specific row may own these bits. */
    if (arm_decode(row->set, random_encoding(r, row), ~0u, &insn) && insn.row == row)
        run_case(run, r, row, &insn, &run->tally[index]);
}

/* Any bits in the place of Advanced SIMD (ARM DDI 0406C A5.7, A6.3): most that no row has must be
 * undefined. */
static void any_simd_case(struct run *run, struct rng *r)
{
    static const struct {
        enum arm_set set;
        uint32_t mask, value;
    } places[] = {
        {ARM_SET_A32, 0xfe000000, 0xf2000000}, {ARM_SET_T32, 0xef000000, 0xef000000},
        {ARM_SET_A32, 0xff100000, 0xf4000000}, {ARM_SET_T32, 0xff100000, 0xf9000000},
        {ARM_SET_A32, 0xffb00f00, 0xf4800f00}, {ARM_SET_A32, 0xff800f00, 0xee000b00},
    };
    static struct arm_row none = {.name = "none"};
    unsigned k = below(r, 6);
    struct arm_insn insn;
    none.set = (uint8_t)places[k].set;
    if (arm_decode(places[k].set, ((uint32_t)(next(r) >> 16) & ~places[k].mask) | places[k].value,
                   ~0u, &insn))
        run_case(run, r, insn.row, &insn, &run->tally[insn.row - arm_rows]);
    else {
        insn.row = &none;
        run_case(run, r, &none, &insn, &run->tally[arm_nrows]);
    }
}

static bool wanted(const struct options *o, const struct arm_row *row)
{
    static const char *const sets[] = {"a32", "t16", "t32"};
    bool vfp = row->name[0] == 'v' || !strncmp(row->name, "vfp", 3);
    if (o->row && strcmp(o->row, row->name))
        return false;
    bool neon = row->features & ARM_F_NEON;
    return !o->set || !strcmp(o->set, sets[row->set]) || (vfp && !neon && !strcmp(o->set, "vfp")) ||
           (neon && !strcmp(o->set, "neon"));
}

static bool parse(struct options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (!strcmp(argv[i], "--verbose")) {
            o->verbose = true;
            continue;
        }
        if (!value)
            return false;
        if (!strcmp(argv[i], "--seed"))
            o->seed = strtoull(value, NULL, 0);
        else if (!strcmp(argv[i], "--cases"))
            o->cases = strtoull(value, NULL, 0);
        else if (!strcmp(argv[i], "--engine"))
            o->engine = value;
        else if (!strcmp(argv[i], "--set"))
            o->set = value;
        else if (!strcmp(argv[i], "--row"))
            o->row = value;
        else if (!strcmp(argv[i], "--list"))
            o->list = value;
        else
            return false;
        i++;
    }
    return true;
}

static void write_list(const struct run *run)
{
    FILE *f = run->o->list ? fopen(run->o->list, "w") : NULL;
    if (!f)
        return;
    static const char *const sets[] = {"a32", "t16", "t32"};
    fprintf(f,
            "# set stem pattern: compared undefined faulted | unpredictable (example) | skipped\n");
    for (unsigned i = 0; i < arm_nrows; i++) {
        const struct tally *t = &run->tally[i];
        fprintf(f, "%s %-20s %s: %llu %llu %llu | %llu (%08x) | %llu\n", sets[arm_rows[i].set],
                arm_rows[i].name, arm_rows[i].pattern, (unsigned long long)t->compared,
                (unsigned long long)t->undefined, (unsigned long long)t->faulted,
                (unsigned long long)t->unpredictable, t->example, (unsigned long long)t->skipped);
    }
    fclose(f);
}

int main(int argc, char **argv)
{
    struct options o = {.seed = 1, .cases = 20000, .engine = "dbt"};
    if (!parse(&o, argc, argv)) {
        fprintf(stderr,
                "usage: %s [--seed N] [--cases N] [--engine MODE] [--set a32|t16|t32|vfp|neon] "
                "[--row STEM] [--list FILE] [--verbose]\n",
                argv[0]);
        return 2;
    }
    struct run run = {.o = &o};
    for (run.kind = machine_narwhal; run.kind->name && strcmp(run.kind->name, o.engine); run.kind++)
        ;
    if (!run.kind->name) {
        fprintf(stderr, "%s: no engine '%s'\n", argv[0], o.engine);
        return 2;
    }
    run.ours = run.kind->open(NULL);
    run.reference = machine_unicorn.open("cortex-a15");
    run.tally = calloc(arm_nrows + 1, sizeof *run.tally); /* the last one: no row */
    unsigned *rows = calloc(arm_nrows, sizeof *rows), nrows = 0;
    for (unsigned i = 0; rows && i < arm_nrows; i++) {
        if (wanted(&o, &arm_rows[i]))
            rows[nrows++] = i;
    }
    if (!run.ours || !run.reference || !run.tally || !nrows) {
        fprintf(stderr, "%s: cannot open the machines, or no such row\n", argv[0]);
        return 2;
    }
    struct rng r = {.s = o.seed * 0x9e3779b97f4a7c15ull + 1};
    for (uint64_t n = 0; n < o.cases; n++) {
        one_case(&run, &r, rows[n % nrows]);
        if (!o.row && arm_rows[rows[n % nrows]].features & ARM_F_NEON)
            any_simd_case(&run, &r);
    }

    struct tally sum = {0};
    for (unsigned i = 0; i <= arm_nrows; i++) {
        sum.compared += run.tally[i].compared;
        sum.failed += run.tally[i].failed;
        sum.unpredictable += run.tally[i].unpredictable;
        sum.skipped += run.tally[i].skipped;
        sum.faulted += run.tally[i].faulted;
    }
    write_list(&run);
    printf("seed %llu, engine %s: %u rows, %llu compared (%llu faulting), %llu unpredictable, "
           "%llu not comparable\n",
           (unsigned long long)o.seed, o.engine, nrows, (unsigned long long)sum.compared,
           (unsigned long long)sum.faulted, (unsigned long long)sum.unpredictable,
           (unsigned long long)sum.skipped);
    printf("%llu passed, %llu failed\n", (unsigned long long)(sum.compared - sum.failed),
           (unsigned long long)sum.failed);
    run.kind->close(run.ours);
    machine_unicorn.close(run.reference);
    free(run.tally);
    free(rows);
    return sum.failed != 0 || sum.compared == 0;
}
