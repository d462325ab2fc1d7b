/* Random regions, each made twice: appended record by record, and through the folding builder.
 * Both, and both after the passes, must do the same to random states. The seed of a failure is
 * printed; give it as the only argument to run and print that one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ir/print.h"
#include "ir_stub.h"
#include "random_region.h"

#define SEEDS  20000
#define STATES 4

static void random_state(struct gen *g, struct stub *s)
{
    for (unsigned n = 0; n < SLOTS_END; n += 8) {
        uint64_t bits = below(g, 2) ? rnd(g) : interesting(g);
        memcpy(s->vcpu.state + n, &bits, 8);
    }
    for (unsigned n = 0; n < STUB_MEMORY; n += 8) {
        uint64_t bits = rnd(g);
        memcpy(s->memory + n, &bits, 8);
    }
    memset(&s->vcpu.exc, 0, sizeof s->vcpu.exc);
    memset(&s->vcpu.fp, 0, sizeof s->vcpu.fp);
    if (g->x86)
        fp_env_set_mxcsr(&s->vcpu.fp, (rnd(g) & 0xe040) | 0x1f80);
}

static void check_valid(const struct ir_region *r, const char *what, uint64_t seed)
{
    char why[200];
    if (ir_verify(r, why, sizeof why))
        return;
    ir_print(stderr, r, NULL);
    fail_msg("seed %llu, %s: %s", (unsigned long long)seed, what, why);
}

struct bench {
    struct gen gen;
    struct ir_builder *builder;
    struct ir_region built, passed, raw_passed;
    struct stub *start, *want, *have;
};

static void check_same(struct bench *t, const struct ir_region *r, const char *what, uint64_t seed)
{
    *t->have = *t->start;
    enum ir_leave left = stub_run(t->have, r);
    *t->want = *t->start;
    enum ir_leave wanted = stub_run(t->want, &t->gen.raw);
    if (left == wanted && stub_equal(t->want, t->have))
        return;
    ir_print(stderr, &t->gen.raw, NULL);
    fprintf(stderr, "---- %s\n", what);
    ir_print(stderr, r, NULL);
    for (unsigned n = 0; n < STUB_AUX + 4; n += 4)
        if (stub_word(t->want, n) != stub_word(t->have, n))
            fprintf(stderr, "[%u] %08x, not %08x\n", n, stub_word(t->have, n),
                    stub_word(t->want, n));
    fail_msg("seed %llu: %s differs", (unsigned long long)seed, what);
}

static void copy_region(struct ir_region *to, const struct ir_region *from)
{
    ir_region_clear(to);
    for (uint32_t n = 0; n < from->insns.len; n++)
        assert_true(VEC_PUSH(&to->insns, from->insns.at[n]));
    for (uint32_t n = 0; n < from->exits.len; n++)
        assert_true(VEC_PUSH(&to->exits, from->exits.at[n]));
    for (uint32_t n = 0; n < from->calls.len; n++)
        assert_true(VEC_PUSH(&to->calls, from->calls.at[n]));
    to->nlabels = from->nlabels;
    to->pc_offset = from->pc_offset;
    to->aux_offset = from->aux_offset;
}

static void run_seed(struct bench *t, uint64_t seed)
{
    t->gen.x86 = seed > SEEDS / 2;
    generate(&t->gen, seed);
    replay(t->builder, &t->gen, &t->built);
    check_valid(&t->built, "built", seed);
    copy_region(&t->passed, &t->built);
    assert_int_equal(ir_pass_dead(&t->passed), NW_OK);
    check_valid(&t->passed, "built and passed", seed);
    copy_region(&t->raw_passed, &t->gen.raw);
    assert_int_equal(ir_pass_dead(&t->raw_passed), NW_OK);
    for (unsigned n = 0; n < STATES; n++) {
        random_state(&t->gen, t->start);
        check_same(t, &t->built, "built", seed);
        check_same(t, &t->passed, "built and passed", seed);
        check_same(t, &t->raw_passed, "raw and passed", seed);
    }
}

static uint64_t only_seed;

static void random_regions(void **state)
{
    struct bench *t = calloc(1, sizeof *t);
    (void)state;
    t->builder = ir_builder_new();
    t->start = stub_new();
    t->want = stub_new();
    t->have = stub_new();
    ir_region_init(&t->gen.raw);
    ir_region_init(&t->built);
    ir_region_init(&t->passed);
    ir_region_init(&t->raw_passed);
    for (uint64_t seed = only_seed ? only_seed : 1; seed <= (only_seed ? only_seed : SEEDS);
         seed++) {
        t->gen.vectors = seed & 1;
        run_seed(t, seed);
    }
    ir_region_free(&t->gen.raw);
    ir_region_free(&t->built);
    ir_region_free(&t->passed);
    ir_region_free(&t->raw_passed);
    free(t->start);
    free(t->want);
    free(t->have);
    ir_builder_free(t->builder);
    free(t);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_regions)};
    only_seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
