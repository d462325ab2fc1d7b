/* Runs instruction tests (see case.h) on every Narwhal mode, or on the reference:
 *
 *     insn_run [--engine NAME|reference] FILE...                                              */
#include "case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_MODELS 8

struct pool { /* one open machine per CPU model */
    const struct machine_kind *kind;
    struct {
        char cpu[24];
        struct machine *m;
    } at[MAX_MODELS];
    unsigned n;
};

static struct machine *pool_get(struct pool *p, const char *cpu)
{
    for (unsigned i = 0; i < p->n; i++) {
        if (!strcmp(p->at[i].cpu, cpu))
            return p->at[i].m;
    }
    if (p->n == MAX_MODELS)
        return NULL;
    struct machine *m = p->kind->open(*cpu ? cpu : NULL);
    snprintf(p->at[p->n].cpu, sizeof p->at[p->n].cpu, "%s", cpu);
    p->at[p->n++].m = m;
    return m;
}

static bool run_case(struct pool *p, const struct insn_case *c)
{
    struct machine *m = pool_get(p, c->cpu);
    if (!m) {
        printf("%s:%u: [%s] no machine for cpu '%s'\n", c->file, c->line, p->kind->name, c->cpu);
        return false;
    }
    struct machine_state s = c->before;
    p->kind->run(m, &s, c->steps);
    char diff[4096];
    if (!insn_state_diff(diff, sizeof diff, &c->after, &s))
        return true;
    printf("%s:%u: [%s] %s\n   %s\n", c->file, c->line, p->kind->name, c->text, diff);
    return false;
}

struct totals {
    unsigned passed, failed;
};

static void run_file(const char *path, struct pool *pools, unsigned npools, struct totals *t)
{
    FILE *f = fopen(path, "r");
    if (!f) {
        printf("%s: cannot be opened\n", path);
        t->failed++;
        return;
    }
    char text[1024];
    for (unsigned line = 1; fgets(text, sizeof text, f); line++) {
        struct insn_case c;
        const char *why;
        int got = insn_case_parse(&c, path, line, text, &why);
        if (got < 0) {
            printf("%s:%u: %s: %s", path, line, why, text);
            t->failed++;
        }
        for (unsigned i = 0; got > 0 && i < npools; i++) {
            if (run_case(&pools[i], &c))
                t->passed++;
            else
                t->failed++;
        }
    }
    fclose(f);
}

int main(int argc, char **argv)
{
    struct pool pools[8] = {0};
    unsigned npools = 0;
    int first = 1;
    const char *only = NULL;
    if (argc > 2 && !strcmp(argv[1], "--engine")) {
        only = argv[2];
        first = 3;
    }
    if (only && !strcmp(only, "reference"))
        pools[npools++].kind = &machine_unicorn;
    for (const struct machine_kind *k = machine_narwhal; k->name && npools < 8; k++) {
        if (!only || !strcmp(only, k->name))
            pools[npools++].kind = k;
    }
    struct totals t = {0};
    for (int i = first; i < argc; i++)
        run_file(argv[i], pools, npools, &t);
    for (unsigned i = 0; i < npools; i++) {
        for (unsigned j = 0; j < pools[i].n; j++) {
            if (pools[i].at[j].m)
                pools[i].kind->close(pools[i].at[j].m);
        }
    }
    printf("%u passed, %u failed\n", t.passed, t.failed);
    return t.failed || !t.passed;
}
