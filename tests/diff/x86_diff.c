/* Random x86 instructions, and blocks of them, on the host CPU and in Narwhal:
 *
 *     x86_diff [--engine MODE|all] [--bits 64|32] [--seed N] [--cases N] [--blocks]
 *              [--only MNEMONIC] [--replay HEX] [--list] [--reports N] [--against MODE]
 *
 * Every case is one instruction (or a block) with random registers, run natively and in each engine
 * mode; everything that can be seen is compared. --list says which forms there are, how often each
 * was compared, and which mnemonics are left out, with the reason. --against takes another engine
 * mode for the reference. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/x86/decode.h"
#include "x86_compare.h"
#include "x86_engine.h"
#include "x86_native.h"
#include "x86_seq.h"
#include "x86_skips.h"
#include "x86_undefined.h"
#include "guest/x86/state.h"
#include "x86_values.h"

#define MAX_ENGINES 5
#define STATES      4 /* cases with the same code */

struct options {
    const char *engine, *only, *replay, *against;
    unsigned bits, reports;
    uint64_t seed, cases;
    bool blocks, list;
};

struct run {
    struct options o;
    struct gen g;
    struct forms forms;
    struct engine *engines[MAX_ENGINES];
    unsigned nengines;
    struct engine *reference; /* null: the host CPU */
    unsigned *picks, npicks;  /* buckets to draw from */
    unsigned *core, ncore;
    struct seq *seqs; /* one per slot; single instructions are blocks of one */
    unsigned slots, slot_size;
    uint8_t code[CASE_CODE_SIZE], pristine[CASE_DATA_SIZE];
    unsigned *bucket; /* of a slot's single instruction */
    uint64_t done, failed, ended[4], skipped[SKIP_CAUSES], shown;
};

/* ---- code ---- */

static uint64_t slot_addr(const struct run *r, unsigned slot)
{
    return CASE_CODE + 32 + (uint64_t)slot * r->slot_size;
}

static void place(struct run *r, const struct seq *s)
{
    for (unsigned i = 0; i < s->n; i++)
        memcpy(r->code + (s->insn[i].addr - CASE_CODE), s->insn[i].bytes, s->insn[i].z.length);
}

static bool load_code(struct run *r)
{
    bool ok = true;

    memcpy(native_code(), r->code, CASE_CODE_SIZE);
    for (unsigned i = 0; i < r->nengines; i++)
        ok &= engine_code(r->engines[i], CASE_CODE, r->code, CASE_CODE_SIZE);
    if (r->reference)
        ok &= engine_code(r->reference, CASE_CODE, r->code, CASE_CODE_SIZE);
    return ok;
}

static void fill_slot(struct run *r, unsigned slot)
{
    struct seq *s = &r->seqs[slot];
    uint64_t base = slot_addr(r, slot);

    if (r->o.blocks) {
        seq_build(&r->g, r->core, r->ncore, base, s);
        return;
    }
    struct gen_insn *i = &s->insn[0];
    i->addr = base + 8 + below(&r->g.r, 16);
    i->near = below(&r->g.r, 2) ? base : i->addr + 16;
    s->n = 0;
    r->bucket[slot] = r->picks[below(&r->g.r, r->npicks)];
    struct bucket *b = &r->forms.at[r->bucket[slot]];
    if (gen_encode(&r->g, b, i)) {
        s->n = 1;
        s->size = i->z.length;
        b->cases += STATES;
    }
}

static bool fill_code(struct run *r)
{
    memset(r->code, 0xcc, sizeof r->code);
    for (unsigned n = 0; n < r->slots; n++) {
        fill_slot(r, n);
        place(r, &r->seqs[n]);
    }
    return load_code(r);
}

/* ---- reports ---- */

static void print_insn(const struct gen_insn *i)
{
    ZydisFormatter f;
    char text[128];

    ZydisFormatterInit(&f, ZYDIS_FORMATTER_STYLE_INTEL);
    if (!ZYAN_SUCCESS(ZydisFormatterFormatInstruction(&f, &i->z, i->op, i->z.operand_count_visible,
                                                      text, sizeof text, i->addr, NULL)))
        snprintf(text, sizeof text, "?");
    printf("  %llx ", (unsigned long long)i->addr);
    for (unsigned n = 0; n < i->z.length; n++)
        printf("%02x", i->bytes[n]);
    printf("  %s\n", text);
}

/* Vector registers that a block names, and whether it has x87 or MMX instructions. */
static uint32_t vectors_of(const struct seq *s, bool *x87)
{
    uint32_t mask = 0;

    *x87 = false;
    for (unsigned k = 0; k < s->n; k++) {
        const struct gen_insn *i = &s->insn[k];
        for (unsigned n = 0; n < i->z.operand_count; n++) {
            const ZydisDecodedOperand *o = &i->op[n];
            ZydisRegister reg = o->type == ZYDIS_OPERAND_TYPE_MEMORY ? o->mem.index : o->reg.value;
            ZydisRegisterClass class = ZydisRegisterGetClass(reg);
            if (class == ZYDIS_REGCLASS_XMM || class == ZYDIS_REGCLASS_YMM)
                mask |= 1u << (ZydisRegisterGetId(reg) & 15);
            *x87 |= class == ZYDIS_REGCLASS_X87 || class == ZYDIS_REGCLASS_MMX;
        }
        *x87 |= i->z.meta.category == ZYDIS_CATEGORY_X87_ALU;
    }
    return mask;
}

static void print_memory(const struct seq *s, const struct case_state *st, const uint8_t *data)
{
    const struct gen_insn *i = &s->insn[0];

    for (unsigned n = 0; n < i->z.operand_count; n++) {
        ZyanU64 a;
        ZydisRegisterContext c = {0};
        if (i->op[n].type != ZYDIS_OPERAND_TYPE_MEMORY)
            continue;
        for (unsigned k = 0; k < 16; k++) {
            c.values[ZYDIS_REGISTER_RAX + k] = st->gpr[k];
            c.values[ZYDIS_REGISTER_EAX + k] = (uint32_t)st->gpr[k];
            c.values[ZYDIS_REGISTER_AX + k] = (uint16_t)st->gpr[k];
        }
        c.values[ZYDIS_REGISTER_AL] = (uint8_t)st->gpr[RAX];
        if (!ZYAN_SUCCESS(ZydisCalcAbsoluteAddressEx(&i->z, &i->op[n], i->addr, &c, &a)))
            continue;
        a += gen_seg_base(i->z.machine_mode == ZYDIS_MACHINE_MODE_LONG_64 ? 64 : 32,
                          i->op[n].mem.segment);
        int at = case_data_at(a);
        printf("    operand %u at %llx:", n, (unsigned long long)a);
        for (int k = at; at >= 0 && k < at + 32 && k < (int)CASE_DATA_SIZE; k++)
            printf(" %02x", data[k]);
        putchar('\n');
    }
}

struct one_case {
    const struct seq *seq;
    struct case_state state;
    uint8_t data[CASE_DATA_SIZE];
    struct case_result want, got;
    char diff[8192];
};

static void reference_run(struct run *r, struct one_case *c)
{
    if (r->reference) {
        native_alive();
        engine_run(r->reference, &c->state, c->data, &c->want);
        return;
    }
    native_run(&c->state, c->data, r->o.bits, &c->want);
    for (unsigned i = 0; i < c->seq->n; i++)
        skip_model_data(c->seq->insn[i].z.mnemonic, c->data, &c->want);
}

/* The instruction of the block at RIP, or the first. */
static const ZydisDecodedInstruction *insn_at(const struct one_case *c, uint64_t rip)
{
    for (unsigned i = 0; i < c->seq->n; i++) {
        if (c->seq->insn[i].addr == rip)
            return &c->seq->insn[i].z;
    }
    return &c->seq->insn[0].z;
}

/* On hosts of other vendors: something in the block may have used what an instruction before it
 * left undefined. */
static bool shows_undefined(const struct seq *s)
{
    for (unsigned i = 0; s->n > 1 && i < s->n; i++) {
        if (undefined_flags(s->insn[i].z.mnemonic) & ~(uint32_t)X86_AF ||
            skip_pointers(s->insn[i].z.mnemonic))
            return true;
    }
    return false;
}

static bool same(struct run *r, struct one_case *c, struct engine *e)
{
    const ZydisDecodedInstruction *last = insn_at(c, c->want.state.rip);
    struct compare_rules rules = {.bits = r->o.bits, .any_byte = skip_fault_byte(last->mnemonic)};

    for (unsigned i = 0; i < c->seq->n; i++)
        rules.flags_ignored |= undefined_flags(c->seq->insn[i].z.mnemonic);
    native_alive();
    engine_run(e, &c->state, c->data, &c->got);
    if (!compare_results(c->diff, sizeof c->diff, &rules, &c->want, &c->got))
        return true;
    if (c->want.outcome.end != CASE_FAULT)
        last = insn_at(c, c->got.state.rip);
    enum skip_cause cause = skip_result(last, &c->want, &c->got);
    if (cause == SKIP_NOT && shows_undefined(c->seq))
        cause = SKIP_VENDOR;
    r->skipped[cause]++;
    return cause != SKIP_NOT;
}

static void rewrite(struct run *r, const struct seq *s)
{
    uint64_t addr = s->insn[0].addr;
    uint8_t *code = r->code + (addr - CASE_CODE);

    memset(code, 0xcc, s->size);
    place(r, s);
    memcpy(native_code() + (addr - CASE_CODE), code, s->size);
    for (unsigned i = 0; i < r->nengines; i++)
        engine_code(r->engines[i], addr, code, s->size);
    if (r->reference)
        engine_code(r->reference, addr, code, s->size);
}

/* Takes instructions out of the block, leaving NOPs, as long as the results differ. */
static void shrink(struct run *r, struct one_case *c, struct engine *e)
{
    struct seq s = *c->seq;
    const struct seq *all = c->seq;

    for (unsigned k = 0; k < s.n; k++) {
        struct gen_insn old = s.insn[k];
        memset(s.insn[k].bytes, 0x90, s.insn[k].z.length);
        c->seq = &s;
        rewrite(r, &s);
        reference_run(r, c);
        if (same(r, c, e)) {
            s.insn[k] = old;
            rewrite(r, &s);
        }
    }
    reference_run(r, c);
    if (same(r, c, e))
        printf("  (not the same again)\n");
    for (unsigned k = 0; k < s.n; k++) {
        if (s.insn[k].bytes[0] != 0x90)
            print_insn(&s.insn[k]);
    }
    rewrite(r, all);
    c->seq = all;
}

static void report(struct run *r, struct one_case *c, struct engine *e)
{
    bool single = c->seq->n == 1 && !r->o.replay, x87;

    r->failed++;
    bool known = single && r->forms.at[r->bucket[c->seq - r->seqs]].failures++ >= 2;
    if (r->shown >= r->o.reports || known)
        return;
    r->shown++;
    printf("%s, %u bits, case %llu:\n", engine_mode(e)->name, r->o.bits,
           (unsigned long long)r->done);
    if (c->seq->n > 1) {
        for (unsigned k = 0; k < c->seq->n; k++)
            print_insn(&c->seq->insn[k]);
        printf("   differences:\n%s  what is needed of it:\n", c->diff);
        shrink(r, c, e);
    } else {
        print_insn(&c->seq->insn[0]);
    }
    uint32_t vectors = vectors_of(c->seq, &x87);
    print_state(&c->state, r->o.bits, vectors, x87);
    if (c->seq->n == 1)
        print_memory(c->seq, &c->state, c->data);
    printf("   differences:\n%s", c->diff);
    if (c->got.outcome.end == CASE_ERROR)
        printf("    %s\n", engine_error(e));
    fflush(stdout);
}

/* ---- running ---- */

/* The host has been seen to lose the vector registers of a signal frame, once in a million cases:
 * it is asked again before a difference counts. Only another answer of the host's own excuses. */
static bool changed_its_mind(struct run *r, struct one_case *c, struct engine *e)
{
    static struct case_result first;
    struct compare_rules exact = {.bits = r->o.bits};
    char diff[4096];

    first = c->want;
    reference_run(r, c);
    if (!compare_results(diff, sizeof diff, &exact, &first, &c->want) || !same(r, c, e)) {
        c->want = first;
        same(r, c, e);
        return false;
    }
    r->skipped[SKIP_UNSTABLE]++;
    return true;
}

static void run_case(struct run *r, const struct seq *s)
{
    static struct one_case c;

    c.seq = s;
    value_state(&r->g.r, &c.state);
    c.state.cs = r->o.bits == 64 ? CASE_CS64 : CASE_CS32;
    c.state.ds = c.state.es = 0x2b;
    c.state.fs = r->o.bits == 32 ? native_fs() : 0;
    c.state.gs = r->o.bits == 32 ? native_gs() : 0;
    memcpy(c.data, r->pristine, sizeof c.data);
    if (r->o.blocks)
        seq_fit(&r->g, s, &c.state, c.data);
    else
        gen_fit(&r->g, &s->insn[0], &c.state, c.data);
    reference_run(r, &c);
    r->done++;
    r->ended[c.want.outcome.end]++;
    enum skip_cause cause = skip_host(&c.state, &c.want);
    if (cause) {
        r->skipped[cause]++;
        return;
    }
    for (unsigned i = 0; i < r->nengines; i++) {
        if (engine_mode(r->engines[i])->narrow && c.want.state.cs == CASE_CS64) {
            r->skipped[SKIP_SEGMENT]++;
            continue;
        }
        if (!same(r, &c, r->engines[i]) && !changed_its_mind(r, &c, r->engines[i])) {
            report(r, &c, r->engines[i]);
            break;
        }
    }
}

static bool run_random(struct run *r)
{
    while (r->done < r->o.cases) {
        value_data(&r->g.r, r->pristine);
        if (!fill_code(r))
            return false;
        for (unsigned k = 0; k < STATES; k++) {
            for (unsigned n = 0; n < r->slots && r->done < r->o.cases; n++) {
                if (r->seqs[n].n)
                    run_case(r, &r->seqs[n]);
            }
        }
    }
    return true;
}

/* --replay: the given bytes with random states. */
static bool run_replay(struct run *r)
{
    struct seq *s = &r->seqs[0];
    uint8_t bytes[SEQ_SIZE + 16] = {0};
    unsigned size = 0, at = 0, v;
    const char *hex = r->o.replay;

    for (; size < SEQ_SIZE && sscanf(hex, "%2x", &v) == 1; hex += 2)
        bytes[size++] = (uint8_t)v;
    *s = (struct seq){.size = size};
    while (at < size && s->n < SEQ_MAX) {
        struct gen_insn *i = &s->insn[s->n++];
        i->addr = CASE_CODE + 40 + at;
        i->near = CASE_CODE + 8;
        memcpy(i->bytes, bytes + at, GEN_MAX);
        if (!forms_decode(&r->forms, i->bytes, 15, &i->z, i->op))
            return false;
        at += i->z.length;
    }
    r->o.blocks = s->n > 1;
    memset(r->code, 0xcc, sizeof r->code);
    place(r, s);
    if (!s->n || !load_code(r))
        return false;
    while (r->done < r->o.cases) {
        if (r->done % 64 == 0)
            value_data(&r->g.r, r->pristine);
        run_case(r, s);
    }
    return true;
}

/* ---- lists ---- */

static void print_list(const struct run *r)
{
    printf("# forms: mnemonic and operands (r register, m memory, i immediate, p far pointer; "
           "size)\n");
    for (unsigned i = 0; i < r->forms.n; i++)
        printf("%s: %llu cases\n", r->forms.at[i].text, (unsigned long long)r->forms.at[i].cases);
    printf("# not covered\n");
    for (unsigned m = 1; m <= ZYDIS_MNEMONIC_MAX_VALUE; m++) {
        unsigned i = 0;
        while (i < r->forms.n && r->forms.at[i].mnemonic != m)
            i++;
        if (i < r->forms.n || !x86_row_of((ZydisMnemonic)m))
            continue;
        const char *why = skip_reason((ZydisMnemonic)m);
        printf("%s: %s\n", ZydisMnemonicGetString((ZydisMnemonic)m),
               why ? why : "no encoding in code of this size, or on this model");
    }
}

static void print_failures(const struct run *r)
{
    for (unsigned i = 0; i < r->forms.n; i++) {
        const struct bucket *b = &r->forms.at[i];
        if (b->failures)
            printf("failed: %s: %u of %llu\n", b->text, b->failures, (unsigned long long)b->cases);
    }
}

static void print_skipped(const struct run *r)
{
    for (unsigned i = 1; i < SKIP_CAUSES; i++) {
        if (r->skipped[i])
            printf("%llu not compared: %s\n", (unsigned long long)r->skipped[i], skip_causes[i]);
    }
}

/* ---- setting up ---- */

static bool open_engines(struct run *r)
{
    for (const struct engine_mode *m = engine_modes; m->name; m++) {
        bool wanted = !strcmp(r->o.engine, "all") || !strcmp(r->o.engine, m->name);
        bool against = r->o.against && !strcmp(r->o.against, m->name);
        if ((m->narrow && r->o.bits != 32) || (!wanted && !against))
            continue;
        struct engine *e = engine_new(m, r->o.bits, host_is_amd() ? "max" : "max-intel");
        if (!e)
            return false;
        if (against)
            r->reference = e;
        else
            r->engines[r->nengines++] = e;
    }
    return r->nengines && (r->reference || !r->o.against);
}

static bool choose(struct run *r)
{
    r->picks = calloc(r->forms.n, sizeof *r->picks);
    r->core = calloc(r->forms.n, sizeof *r->core);
    if (!r->picks || !r->core)
        return false;
    for (unsigned i = 0; i < r->forms.n; i++) {
        const char *name = ZydisMnemonicGetString(r->forms.at[i].mnemonic);
        if (!r->o.only || !strcmp(r->o.only, name))
            r->picks[r->npicks++] = i;
        if (seq_is_core(&r->forms, &r->forms.at[i]))
            r->core[r->ncore++] = i;
    }
    return r->npicks > 0;
}

static bool set_up(struct run *r, const char **why)
{
    *why = "no memory";
    r->g = (struct gen){{r->o.seed * 0x9e3779b97f4a7c15ull + 1}, &r->forms};
    r->slot_size = r->o.blocks ? 256 : 64;
    r->slots = (CASE_CODE_SIZE - 64) / r->slot_size;
    r->seqs = calloc(r->slots, sizeof *r->seqs);
    r->bucket = calloc(r->slots, sizeof *r->bucket);
    if (!r->seqs || !r->bucket || !forms_build(&r->forms, r->o.bits))
        return false;
    *why = "no such instruction";
    if (!choose(r))
        return false;
    native_stuck = engine_stop;
    *why = "no such engine mode, or it cannot be opened";
    /* The segments of 32-bit code come first, the signal handlers last. */
    return native_segments() && open_engines(r) && native_open(why);
}

static bool parse(struct options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *next_arg = i + 1 < argc ? argv[i + 1] : "";
        bool two = true;
        if (!strcmp(argv[i], "--engine"))
            o->engine = next_arg;
        else if (!strcmp(argv[i], "--only"))
            o->only = next_arg;
        else if (!strcmp(argv[i], "--replay"))
            o->replay = next_arg;
        else if (!strcmp(argv[i], "--against"))
            o->against = next_arg;
        else if (!strcmp(argv[i], "--bits"))
            o->bits = (unsigned)atoi(next_arg);
        else if (!strcmp(argv[i], "--reports"))
            o->reports = (unsigned)atoi(next_arg);
        else if (!strcmp(argv[i], "--seed"))
            o->seed = strtoull(next_arg, NULL, 0);
        else if (!strcmp(argv[i], "--cases"))
            o->cases = strtoull(next_arg, NULL, 0);
        else
            two = false;
        o->blocks |= !strcmp(argv[i], "--blocks");
        o->list |= !strcmp(argv[i], "--list");
        if (!two && strcmp(argv[i], "--blocks") && strcmp(argv[i], "--list"))
            return false;
        i += two;
    }
    return o->bits == 32 || o->bits == 64;
}

int main(int argc, char **argv)
{
    static struct run r = {
        .o = {.engine = "all", .bits = 64, .reports = 20, .seed = 1, .cases = 100000}};
    const char *why = "";

    if (!parse(&r.o, argc, argv)) {
        fprintf(stderr, "usage: see the top of x86_diff.c\n");
        return 2;
    }
    if (!set_up(&r, &why)) {
        fprintf(stderr, "%s: %s\n", argv[0], why);
        return 2;
    }
    bool ok = r.o.replay ? run_replay(&r) : run_random(&r);
    if (r.o.list)
        print_list(&r);
    print_failures(&r);
    print_skipped(&r);
    printf("seed %llu, engine %s, %u bits%s: %u forms, %llu ran through, %llu faulted, %llu hung\n"
           "%llu passed, %llu failed\n",
           (unsigned long long)r.o.seed, r.o.engine, r.o.bits, r.o.blocks ? ", blocks" : "",
           r.forms.n, (unsigned long long)r.ended[CASE_BREAK],
           (unsigned long long)r.ended[CASE_FAULT], (unsigned long long)r.ended[CASE_HANG],
           (unsigned long long)(r.done - r.failed), (unsigned long long)r.failed);
    for (unsigned i = 0; i < r.nengines; i++)
        engine_free(r.engines[i]);
    engine_free(r.reference);
    forms_free(&r.forms);
    free(r.picks);
    free(r.core);
    free(r.bucket);
    free(r.seqs);
    return !ok || r.failed ? 1 : 0;
}
