/* Random x86 code under hooks of accesses:
 *
 *     x86_hooks [--engine MODE] [--bits 64|32] [--seed N] [--cases N] [--blocks] [--only MNEMONIC]
 *
 * What a translating engine reports must be what an interpreting one does, and what was stored must
 * be what was reported. A callback that only has the instruction run again must change neither, and
 * hooks must not change what the code does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <narwhal/x86.h>
#include "hook_log.h"
#include "x86_compare.h"
#include "x86_engine.h"
#include "x86_native.h"
#include "x86_seq.h"
#include "x86_undefined.h"
#include "x86_values.h"

#define STATES 4 /* cases with the same code */
#define SLOT   256

struct side {
    struct engine *engine;
    struct hook_log log;
    struct case_result result;
};

struct run {
    struct gen g;
    struct forms forms;
    unsigned bits;
    bool blocks;
    unsigned *picks, npicks, *core, ncore;
    struct side interp, tested, bare; /* BARE has no hooks */
    struct hook_set set;
    struct seq *seqs;
    unsigned slots;
    uint8_t code[CASE_CODE_SIZE], pristine[CASE_DATA_SIZE], data[CASE_DATA_SIZE];
    const struct seq *seq; /* of the case */
    struct case_state state;
    uint64_t done, failed, events;
};

/* ---- code ---- */

static void fill_slot(struct run *r, unsigned slot)
{
    struct seq *s = &r->seqs[slot];
    uint64_t base = CASE_CODE + 32 + (uint64_t)slot * SLOT;
    struct gen_insn *i = &s->insn[0];

    if (r->blocks) {
        seq_build(&r->g, r->core, r->ncore, base, s);
        return;
    }
    i->addr = base + 8 + below(&r->g.r, 16);
    i->near = below(&r->g.r, 2) ? base : i->addr + 16;
    s->n = gen_encode(&r->g, &r->forms.at[r->picks[below(&r->g.r, r->npicks)]], i);
}

static bool load_code(struct run *r, const struct side *s)
{
    return engine_code(s->engine, CASE_CODE, r->code, CASE_CODE_SIZE);
}

static bool fill_code(struct run *r)
{
    memset(r->code, 0xcc, sizeof r->code);
    for (unsigned n = 0; n < r->slots; n++) {
        struct seq *s = &r->seqs[n];

        fill_slot(r, n);
        for (unsigned i = 0; i < s->n; i++)
            memcpy(r->code + (s->insn[i].addr - CASE_CODE), s->insn[i].bytes, s->insn[i].z.length);
    }
    return load_code(r, &r->interp) && load_code(r, &r->tested) && load_code(r, &r->bare);
}

/* ---- hooks ---- */

static struct hook_set random_set(struct rng *r)
{
    unsigned kinds = below(r, 2) ? 7 : 1 + below(r, 7);
    struct hook_set set = {kinds & 1, kinds & 2, kinds & 4, !below(r, 4), !below(r, 4), 1, 0};

    /* Some of a page, or several. */
    if (!below(r, 3)) {
        set.begin = CASE_LOW + below(r, CASE_LOW_SIZE);
        set.end = set.begin + below(r, below(r, 2) ? 64 : 2 * CASE_PAGE);
    }
    return set;
}

static struct hook_plan random_plan(struct run *r, enum hook_act act, unsigned events)
{
    return (struct hook_plan){.act = act,
                              .at = below(&r->g.r, events),
                              .pc_reg = NW_X86_RIP,
                              .pc = CASE_CODE + 8,
                              .reg = NW_X86_RAX + below(&r->g.r, 8)};
}

static const uint64_t pages[] = {CASE_LOW, CASE_LOW + CASE_PAGE, CASE_HIGH};

static void protect(struct hook_log *l, unsigned which, uint32_t perms)
{
    for (unsigned n = 0; n < sizeof pages / sizeof *pages; n++)
        if (which >> n & 1)
            l->failed |= nw_mem_protect(l->engine, pages[n], CASE_PAGE, perms) != NW_OK;
}

static bool open_page(struct hook_log *l, const nw_exit *fault)
{
    for (unsigned n = 0; n < sizeof pages / sizeof *pages; n++)
        if (l->closed >> n & 1 && fault->addr - pages[n] < CASE_PAGE) {
            protect(l, 1u << n, NW_RW);
            l->closed &= ~(1u << n);
            return true;
        }
    return false;
}

/* ---- checks ---- */

static void report(struct run *r, const char *what, const char *diff)
{
    ZydisFormatter f;
    char text[128];

    if (r->failed++ >= 10)
        return;
    printf("case %llu: %s\n%s", (unsigned long long)r->done, what, diff);
    ZydisFormatterInit(&f, ZYDIS_FORMATTER_STYLE_INTEL);
    for (unsigned n = 0; n < r->seq->n; n++) {
        const struct gen_insn *i = &r->seq->insn[n];

        if (ZYAN_SUCCESS(ZydisFormatterFormatInstruction(
                &f, &i->z, i->op, i->z.operand_count_visible, text, sizeof text, i->addr, NULL)))
            printf("  %llx %s\n", (unsigned long long)i->addr, text);
    }
    print_state(&r->state, r->bits, 0, false);
    printf("  hooks:%s%s%s%s%s %llx..%llx, callback %u does %d, ends %d\n",
           r->set.read ? " read" : "", r->set.after ? " after" : "", r->set.write ? " write" : "",
           r->set.code ? " code" : "", r->set.pieces ? " pieces" : "",
           (unsigned long long)r->set.begin, (unsigned long long)r->set.end, r->tested.log.plan.at,
           r->tested.log.plan.act, r->tested.result.outcome.end);
    printf("  interpreter\n");
    hook_log_print(&r->interp.log);
    printf("  %s\n", engine_mode(r->tested.engine)->name);
    hook_log_print(&r->tested.log);
}

static bool same_results(struct run *r, const struct side *a, const struct side *b,
                         const char *what)
{
    struct compare_rules rules = {.bits = r->bits};
    char diff[4096];

    for (unsigned i = 0; i < r->seq->n; i++)
        rules.flags_ignored |= undefined_flags(r->seq->insn[i].z.mnemonic);
    if (!compare_results(diff, sizeof diff, &rules, &a->result, &b->result))
        return true;
    report(r, what, diff);
    return false;
}

static bool same_events(struct run *r, const char *what)
{
    char diff[64];
    int at = hook_log_compare(&r->interp.log, &r->tested.log);

    if (r->interp.log.failed || r->tested.log.failed || r->interp.log.differs ||
        r->tested.log.differs) {
        report(r, "a callback failed", "");
        return false;
    }
    if (at < 0)
        return true;
    snprintf(diff, sizeof diff, "  event %d\n", at);
    report(r, what, diff);
    return false;
}

static void put_byte(uint8_t *data, uint64_t addr, uint8_t byte)
{
    int at = case_data_at(addr);

    if (at >= 0 && (at < (int)CASE_LOW_SIZE || at >= (int)(CASE_LOW_SIZE + CASE_RO_SIZE)))
        data[at] = byte;
}

/* Only stores change memory: what was reported, made anew, gives what is there. The last one may
 * have failed, in pieces or whole. */
static bool accounts_for(struct run *r, const struct side *s)
{
    static uint8_t made[CASE_DATA_SIZE];
    uint64_t mask = r->bits == 32 ? UINT32_MAX : UINT64_MAX;
    unsigned last = s->log.n - (s->log.n < 4 ? s->log.n : 4);

    if (!r->set.write || r->set.begin <= r->set.end || s->log.n > HOOK_LOG_MAX)
        return true;
    memcpy(made, r->data, sizeof made);
    for (unsigned n = 0; n < s->log.n; n++) {
        const struct hook_event *e = &s->log.event[n];

        if (s->result.outcome.end == CASE_FAULT && n >= last &&
            memcmp(made, s->result.data, sizeof made) == 0)
            return true;
        for (unsigned k = 0; e->kind == NW_HOOK_WRITE && k < e->size; k++)
            put_byte(made, (e->addr + k) & mask, e->data[k]);
    }
    if (memcmp(made, s->result.data, sizeof made) == 0)
        return true;
    report(r, "stores that were not reported", "");
    return false;
}

/* ---- running ---- */

static void run_side(struct run *r, struct side *s, const struct hook_plan *plan)
{
    unsigned closed = plan->act == HOOK_MEND ? 1 + plan->at % 7 : 0;

    hook_log_begin(&s->log, plan);
    s->log.closed = closed;
    protect(&s->log, closed, plan->pc & 1 ? NW_READ : 0);
    native_alive();
    engine_run(s->engine, &r->state, r->data, &s->result);
    protect(&s->log, closed, NW_RW);
}

static void run_both(struct run *r, const struct hook_plan *plan)
{
    run_side(r, &r->interp, plan);
    run_side(r, &r->tested, plan);
}

/* A callback that has the instruction run again, one that stops, and one that goes elsewhere. */
static bool disturb(struct run *r, unsigned events)
{
    static struct hook_log quiet;
    enum hook_act act = HOOK_WRITE_REG + below(&r->g.r, HOOK_ACTS - HOOK_WRITE_REG);
    struct hook_plan plan = random_plan(r, act, events);
    bool again = act <= HOOK_MEND;

    if (act == HOOK_MEND) {
        plan.at = below(&r->g.r, 7);
        plan.pc += below(&r->g.r, 2);
    }

    quiet = r->interp.log;
    run_both(r, &plan);
    if (!same_events(r, "disturbed: other accesses") ||
        !same_results(r, &r->interp, &r->tested, "disturbed: other results"))
        return false;
    if (!again)
        return true;
    if (hook_log_compare(&quiet, &r->tested.log) >= 0) {
        report(r, "run again: other accesses", "");
        hook_log_print(&quiet);
        return false;
    }
    return same_results(r, &r->bare, &r->tested, "run again: other results");
}

static void run_case(struct run *r, const struct seq *s)
{
    static const struct hook_plan quiet = {.act = HOOK_NOTE};

    r->seq = s;
    value_state(&r->g.r, &r->state);
    r->state.cs = r->bits == 64 ? CASE_CS64 : CASE_CS32;
    r->state.ds = r->state.es = 0x2b;
    r->state.fs = r->bits == 32 ? native_fs() : 0;
    r->state.gs = r->bits == 32 ? native_gs() : 0;
    memcpy(r->data, r->pristine, sizeof r->data);
    if (r->blocks)
        seq_fit(&r->g, s, &r->state, r->data);
    else
        gen_fit(&r->g, &s->insn[0], &r->state, r->data);
    r->done++;
    run_side(r, &r->bare, &quiet);
    if (r->bare.result.outcome.end == CASE_HANG)
        return;
    run_both(r, &quiet);
    r->events += r->interp.log.n;
    if (!same_events(r, "other accesses") ||
        !same_results(r, &r->bare, &r->tested, "other results than without hooks") ||
        !same_results(r, &r->interp, &r->tested, "other results than the interpreter's") ||
        !accounts_for(r, &r->tested))
        return;
    if (r->interp.log.n && !r->set.pieces)
        disturb(r, r->interp.log.n);
}

static bool run_random(struct run *r, uint64_t cases)
{
    while (r->done < cases) {
        value_data(&r->g.r, r->pristine);
        r->set = random_set(&r->g.r);
        if (!fill_code(r) || !hook_log_set(&r->interp.log, &r->set) ||
            !hook_log_set(&r->tested.log, &r->set))
            return false;
        for (unsigned n = 0; n < r->slots * STATES && r->done < cases; n++)
            if (r->seqs[n % r->slots].n)
                run_case(r, &r->seqs[n % r->slots]);
    }
    return true;
}

/* ---- setting up ---- */

static bool open_side(struct side *s, const char *mode, unsigned bits)
{
    for (const struct engine_mode *m = engine_modes; m->name; m++)
        if (strcmp(m->name, mode) == 0)
            s->engine = engine_new(m, bits, NULL);
    s->log.engine = s->engine ? engine_handle(s->engine) : NULL;
    s->log.mend = open_page;
    return s->engine;
}

static bool set_up(struct run *r, const char *mode, const char *only)
{
    const char *why;

    r->slots = (CASE_CODE_SIZE - 64) / SLOT;
    r->seqs = calloc(r->slots, sizeof *r->seqs);
    if (!r->seqs || !forms_build(&r->forms, r->bits))
        return false;
    r->g.forms = &r->forms;
    r->picks = calloc(r->forms.n, sizeof *r->picks);
    r->core = calloc(r->forms.n, sizeof *r->core);
    for (unsigned i = 0; r->picks && r->core && i < r->forms.n; i++) {
        if (!only || strcmp(only, ZydisMnemonicGetString(r->forms.at[i].mnemonic)) == 0)
            r->picks[r->npicks++] = i;
        if (seq_is_core(&r->forms, &r->forms.at[i]))
            r->core[r->ncore++] = i;
    }
    native_stuck = engine_stop;
    if (!r->npicks || !native_segments() || !open_side(&r->interp, "interp", r->bits) ||
        !open_side(&r->tested, mode, r->bits) || !open_side(&r->bare, mode, r->bits) ||
        !native_open(&why))
        return false;
    engine_set_limit(r->interp.engine, 1); /* nothing is translated with another's help */
    return true;
}

static void tear_down(struct run *r)
{
    engine_free(r->interp.engine);
    engine_free(r->tested.engine);
    engine_free(r->bare.engine);
    forms_free(&r->forms);
    free(r->picks);
    free(r->core);
    free(r->seqs);
}

int main(int argc, char **argv)
{
    static struct run r = {.bits = 64};
    const char *mode = "dbt", *only = NULL;
    uint64_t seed = 1, cases = 20000;

    for (int n = 1; n < argc; n++) {
        const char *value = n + 1 < argc ? argv[n + 1] : "";

        if (!strcmp(argv[n], "--blocks"))
            r.blocks = true;
        else if (!strcmp(argv[n], "--engine"))
            mode = value;
        else if (!strcmp(argv[n], "--only"))
            only = value;
        else if (!strcmp(argv[n], "--bits"))
            r.bits = (unsigned)atoi(value);
        else if (!strcmp(argv[n], "--seed"))
            seed = strtoull(value, NULL, 0);
        else if (!strcmp(argv[n], "--cases"))
            cases = strtoull(value, NULL, 0);
    }
    r.g.r.s = seed * 0x9e3779b97f4a7c15ull + 1;
    if (!set_up(&r, mode, only)) {
        fprintf(stderr, "%s: no such engine, or no memory\n", argv[0]);
        return 2;
    }
    bool ok = run_random(&r, cases);
    printf("seed %llu, engine %s, %u bits%s: %llu accesses\n%llu passed, %llu failed\n",
           (unsigned long long)seed, mode, r.bits, r.blocks ? ", blocks" : "",
           (unsigned long long)r.events, (unsigned long long)(r.done - r.failed),
           (unsigned long long)r.failed);
    tear_down(&r);
    return !ok || r.failed;
}
