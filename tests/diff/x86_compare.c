#include "x86_compare.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const gpr_names[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                          "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

#define EFLAGS_RF (1u << 16) /* set in what a fault saves (SDM 3A 6.7), which the host shows */

struct text {
    char *at;
    size_t left;
    unsigned n;
};

static void differ(struct text *t, const char *format, ...)
{
    va_list args;

    t->n++;
    va_start(args, format);
    int n = vsnprintf(t->at, t->left, format, args);
    va_end(args);
    if (n > 0 && (size_t)n < t->left) {
        t->at += n;
        t->left -= (size_t)n;
    }
}

static void flags_text(char *out, uint32_t v)
{
    static const char names[] = "c?p?a?zstidopppn?rvA??I";

    for (unsigned i = 0; i < sizeof names - 1; i++) {
        if (v >> i & 1)
            *out++ = names[i];
    }
    *out = 0;
}

static void word(struct text *t, const char *name, uint64_t want, uint64_t got)
{
    if (want != got)
        differ(t, "    %s: want %llx got %llx\n", name, (unsigned long long)want,
               (unsigned long long)got);
}

static void bytes(struct text *t, const char *name, unsigned i, const uint8_t *want,
                  const uint8_t *got, unsigned size)
{
    char a[65], b[65];

    if (!memcmp(want, got, size))
        return;
    for (unsigned k = 0; k < size; k++) {
        snprintf(a + 2 * k, 3, "%02x", want[size - 1 - k]);
        snprintf(b + 2 * k, 3, "%02x", got[size - 1 - k]);
    }
    differ(t, "    %s%u: want %s\n    %*s  got %s\n", name, i, a, (int)strlen(name) + 2, "", b);
}

static void outcome_text(char *out, size_t size, const struct case_outcome *o)
{
    static const char *const ends[] = {"end", "fault", "hang", "engine error"};

    if (o->end == CASE_FAULT)
        snprintf(out, size, "fault %u error %x addr %llx", o->vector, o->error,
                 (unsigned long long)o->addr);
    else
        snprintf(out, size, "%s", ends[o->end]);
}

/* What the host's kernel has there, or on the last page below, is present. */
static bool kernel_half(const struct case_outcome *o)
{
    return o->vector == 14 && o->addr >= 0x7ffffffff000;
}

static void outcomes(struct text *t, const struct compare_rules *rules,
                     const struct case_outcome *want, const struct case_outcome *got)
{
    char a[80], b[80];
    bool same = want->end == got->end;

    if (same && want->end == CASE_FAULT)
        same = want->vector == got->vector &&
               !((want->addr ^ got->addr) & (rules->any_byte ? ~0xfffull : ~0ull)) &&
               !((want->error ^ got->error) & (kernel_half(want) ? ~1u : ~0u));
    if (same)
        return;
    outcome_text(a, sizeof a, want);
    outcome_text(b, sizeof b, got);
    differ(t, "    outcome: want %s, got %s\n", a, b);
}

static void flags(struct text *t, uint32_t want, uint32_t got, uint32_t ignored)
{
    char a[33], b[33];

    if (!((want ^ got) & ~ignored))
        return;
    flags_text(a, want);
    flags_text(b, got);
    differ(t, "    eflags: want %x [%s] got %x [%s]\n", want, a, got, b);
}

/* The host makes one null selector of the four when it returns from its kernel. */
static uint16_t selector(uint16_t v)
{
    return v < 4 ? 0 : v;
}

/* AMD's misaligned SSE mode, which the models lack, in an MXCSR_MASK that FXSAVE has stored. */
static bool misaligned_mode(uint64_t want, uint64_t got)
{
    return want >> 32 == 0x2ffff && (want ^ got) == 1ull << 49;
}

static void data(struct text *t, const uint8_t *want, const uint8_t *got)
{
    unsigned shown = 0;

    if (!memcmp(want, got, CASE_DATA_SIZE))
        return;
    for (unsigned i = 0; i < CASE_DATA_SIZE && shown < 6; i += 8) {
        uint64_t a, b;
        memcpy(&a, want + i, 8);
        memcpy(&b, got + i, 8);
        if (a == b || misaligned_mode(a, b))
            continue;
        shown++;
        differ(t, "    [%llx]: want %016llx got %016llx\n", (unsigned long long)case_data_addr(i),
               (unsigned long long)a, (unsigned long long)b);
    }
}

unsigned compare_results(char *out, size_t size, const struct compare_rules *rules,
                         const struct case_result *want, const struct case_result *got)
{
    const struct case_state *w = &want->state, *g = &got->state;
    uint64_t mask = rules->bits == 64 ? ~0ull : 0xffffffff;
    struct text t = {out, size, 0};

    *out = 0;
    outcomes(&t, rules, &want->outcome, &got->outcome);
    word(&t, "rip", w->rip & mask, g->rip & mask);
    for (unsigned i = 0; i < (rules->bits == 64 ? 16u : 8u); i++)
        word(&t, gpr_names[i], w->gpr[i] & mask, g->gpr[i] & mask);
    flags(&t, w->eflags, g->eflags, rules->flags_ignored | EFLAGS_RF);
    word(&t, "mxcsr", w->mxcsr, g->mxcsr);
    word(&t, "fpcw", w->fpcw, g->fpcw);
    word(&t, "fpsw", w->fpsw, g->fpsw);
    word(&t, "fptag", w->fptag, g->fptag);
    word(&t, "fs base", w->fs_base, g->fs_base);
    word(&t, "gs base", w->gs_base, g->gs_base);
    word(&t, "cs", w->cs, g->cs);
    word(&t, "ds", selector(w->ds), selector(g->ds));
    word(&t, "es", selector(w->es), selector(g->es));
    word(&t, "fs", selector(w->fs), selector(g->fs));
    word(&t, "gs", selector(w->gs), selector(g->gs));
    for (unsigned i = 0; i < 8; i++)
        bytes(&t, "fpr", i, w->st[i], g->st[i], 10);
    for (unsigned i = 0; i < 16; i++)
        bytes(&t, "ymm", i, w->ymm[i], g->ymm[i], 32);
    data(&t, want->data, got->data);
    return t.n;
}

static void print_bytes(const uint8_t *b, unsigned size)
{
    while (size--)
        printf("%02x", b[size]);
}

void print_state(const struct case_state *s, unsigned bits, uint32_t vectors, bool x87)
{
    char f[33];

    flags_text(f, s->eflags);
    printf("    eflags=%x [%s] mxcsr=%x", s->eflags, f, s->mxcsr);
    for (unsigned i = 0; i < (bits == 64 ? 16u : 8u); i++)
        printf("%s%s=%llx", i % 8 ? " " : "\n    ", gpr_names[i],
               (unsigned long long)(bits == 64 ? s->gpr[i] : (uint32_t)s->gpr[i]));
    putchar('\n');
    if (x87) {
        printf("    fpcw=%x fpsw=%x fptag=%x", s->fpcw, s->fpsw, s->fptag);
        for (unsigned i = 0; i < 8; i++) {
            printf("%sst%u=", i % 4 ? " " : "\n    ", i);
            print_bytes(s->st[((s->fpsw >> 11) + i) & 7], 10);
        }
        putchar('\n');
    }
    for (unsigned i = 0; i < 16; i++) {
        if (!(vectors >> i & 1))
            continue;
        printf("    ymm%u=", i);
        print_bytes(s->ymm[i], 32);
        putchar('\n');
    }
}
