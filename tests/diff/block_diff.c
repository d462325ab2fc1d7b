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
#include "arm_block.h"

static void print_block(const struct machine_state *s, const char *diff)
{
    printf("block:");
    for (unsigned i = 0; i < 4 * ARM_BLOCK_INSNS; i += 2)
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

    arm_block_state(g, &before);
    unsigned steps = arm_block_put(g, before.code);
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
    struct generator g;
    bool made = arm_block_open(&g, cpu, !strcmp(set, "thumb"));
    g.r.s = seed * 0x9e3779b97f4a7c15ull + 1;
    struct engines e = {kind, kind->name ? kind->open(cpu) : NULL, machine_unicorn.open(cpu),
                        machine_narwhal[0].open(cpu)};
    if (!e.ours || !e.reference || !e.interpreter || !made) {
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
    arm_block_close(&g);
    return result.failed || !result.passed;
}
