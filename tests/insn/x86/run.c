/* Runs x86 instruction tests (see text.h) in every Narwhal mode and on the host CPU:
 *
 *     x86_run [--engine MODE|native|all] [--fill] FILE...
 *
 * --fill prints the lines with what the host CPU makes of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../diff/x86_compare.h"
#include "../../diff/x86_engine.h"
#include "../../diff/x86_native.h"
#include "../../diff/x86_skips.h"
#include "../../diff/x86_undefined.h"
#include "text.h"

#define MAX_ENGINES 16

struct run {
    struct engine *engines[MAX_ENGINES];
    unsigned bits[MAX_ENGINES], n;
    bool native, fill;
    unsigned passed, failed;
};

/* What is not to be compared: on the host, flags that it may leave otherwise than the lines say. */
static struct compare_rules rules_of(const struct x86_text *t, bool native)
{
    struct compare_rules rules = {.bits = t->bits};
    ZydisDecoder d;
    ZydisDecodedInstruction z;

    ZydisDecoderInit(&d, t->bits == 64 ? ZYDIS_MACHINE_MODE_LONG_64 : ZYDIS_MACHINE_MODE_LEGACY_32,
                     t->bits == 64 ? ZYDIS_STACK_WIDTH_64 : ZYDIS_STACK_WIDTH_32);
    for (unsigned at = 0; at < t->size; at += z.length) {
        if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&d, NULL, t->bytes + at, t->size - at, &z)))
            break;
        rules.any_byte |= skip_fault_byte(z.mnemonic);
        rules.flags_ignored |= native ? undefined_flags(z.mnemonic) : 0;
    }
    return rules;
}

static void check(struct run *r, const struct x86_text *t, const char *where, bool native,
                  const struct case_result *got)
{
    struct compare_rules rules = rules_of(t, native);
    char diff[4096];

    if (!compare_results(diff, sizeof diff, &rules, &t->after, got)) {
        r->passed++;
        return;
    }
    r->failed++;
    printf("%s: %s\n%s", where, t->head, diff);
}

static void on_native(struct run *r, const struct x86_text *t, const char *where)
{
    struct case_result got;

    memset(native_code(), 0xcc, CASE_PAGE);
    memcpy(native_code() + (X86_TEXT_CODE - CASE_CODE), t->bytes, t->size);
    native_run(&t->before, t->data, t->bits, &got);
    if (r->fill)
        x86_text_print(t, &got);
    else
        check(r, t, where, true, &got);
}

static void on_engine(struct run *r, struct engine *e, const struct x86_text *t, const char *where)
{
    uint8_t code[CASE_PAGE];
    char place[320];
    struct case_result got;

    memset(code, 0xcc, sizeof code);
    memcpy(code + (X86_TEXT_CODE - CASE_CODE), t->bytes, t->size);
    engine_code(e, CASE_CODE, code, sizeof code);
    native_alive();
    engine_run(e, &t->before, t->data, &got);
    snprintf(place, sizeof place, "%s: %s", where, engine_mode(e)->name);
    check(r, t, place, false, &got);
}

static void run_line(struct run *r, struct x86_text *t, const char *where)
{
    uint16_t fs = t->bits == 32 ? native_fs() : 0, gs = t->bits == 32 ? native_gs() : 0;

    t->before.cs = t->after.state.cs = t->bits == 32 ? CASE_CS32 : CASE_CS64;
    t->before.fs = t->after.state.fs = fs;
    t->before.gs = t->after.state.gs = gs;
    /* On a host of another vendor the lines say what AMD's do. */
    if (r->native && !(t->amd && !host_is_amd()))
        on_native(r, t, where);
    for (unsigned i = 0; i < r->n; i++) {
        if (r->bits[i] == t->bits)
            on_engine(r, r->engines[i], t, where);
    }
}

static void run_file(struct run *r, const char *path)
{
    static struct x86_text t;
    FILE *f = fopen(path, "r");
    char line[2048], where[256];

    if (!f) {
        printf("%s: cannot be opened\n", path);
        r->failed++;
        return;
    }
    for (unsigned n = 1; fgets(line, sizeof line, f); n++) {
        const char *why;
        int got = x86_text_parse(&t, line, &why);
        snprintf(where, sizeof where, "%s:%u", path, n);
        if (got > 0) {
            run_line(r, &t, where);
        } else if (got < 0) {
            printf("%s: %s: %s", where, why, line);
            r->failed++;
        } else if (r->fill) {
            fputs(line, stdout);
        }
    }
    fclose(f);
}

static bool open_engines(struct run *r, const char *only)
{
    for (const struct engine_mode *m = engine_modes; m->name; m++) {
        if (strcmp(only, "all") && strcmp(only, m->name))
            continue;
        for (unsigned bits = 32; bits <= 64; bits += 32) {
            if (m->narrow && bits == 64)
                continue;
            r->engines[r->n] = engine_new(m, bits, NULL);
            if (!r->engines[r->n])
                return false;
            r->bits[r->n++] = bits;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    const char *only = "all", *why = "no memory";
    struct run r = {0};
    int first = 1;

    for (; first < argc && argv[first][0] == '-'; first++) {
        if (!strcmp(argv[first], "--fill"))
            r.fill = true;
        else if (!strcmp(argv[first], "--engine") && first + 1 < argc)
            only = argv[++first];
    }
    if (r.fill)
        only = "native";
    r.native = !strcmp(only, "all") || !strcmp(only, "native");
    native_stuck = engine_stop;
    if (!native_segments() || !open_engines(&r, only) || !native_open(&why)) {
        fprintf(stderr, "%s: %s\n", argv[0], why);
        return 2;
    }
    for (int i = first; i < argc; i++)
        run_file(&r, argv[i]);
    for (unsigned i = 0; i < r.n; i++)
        engine_free(r.engines[i]);
    if (r.fill)
        return 0;
    printf("%u passed, %u failed\n", r.passed, r.failed);
    return r.failed || !r.passed;
}
