/* Random ranges that come and go, looked up by address: the tree against a walk over all of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "exec/hook_tree.h"

#define NODES 300u

struct all {
    struct hook_node *root;
    struct hook_node node[NODES];
    bool in[NODES];
    uint64_t seed, serial;
};

struct seen {
    const struct hook_node *last;
    unsigned n;
    uint64_t first, end;
};

static uint64_t next(struct all *a)
{
    a->seed ^= a->seed >> 12;
    a->seed ^= a->seed << 25;
    a->seed ^= a->seed >> 27;
    return a->seed * 0x2545f4914f6cdd1du;
}

static uint64_t address(struct all *a)
{
    switch (next(a) % 8) {
    case 0: return 0;
    case 1: return UINT64_MAX;
    case 2: return next(a);
    default: return next(a) % 200;
    }
}

static void change(struct all *a, unsigned n)
{
    struct hook_node *x = &a->node[n];

    if (a->in[n]) {
        hook_tree_remove(&a->root, x);
    } else {
        uint64_t p = address(a), q = next(a) % 2 ? p : address(a);

        *x =
            (struct hook_node){.begin = p < q ? p : q, .end = p < q ? q : p, .serial = a->serial++};
        hook_tree_add(&a->root, x);
    }
    a->in[n] = !a->in[n];
}

static void see(void *opaque, struct hook_node *x)
{
    struct seen *s = opaque;

    assert_true(x->end >= s->first && x->begin <= s->end);
    if (s->last)
        assert_true(s->last->begin < x->begin ||
                    (s->last->begin == x->begin && s->last->serial < x->serial));
    s->last = x;
    s->n++;
}

static void look(struct all *a)
{
    uint64_t p = address(a), q = next(a) % 2 ? p : address(a);
    struct seen s = {.first = p < q ? p : q, .end = p < q ? q : p};
    unsigned expected = 0;

    for (unsigned n = 0; n < NODES; n++)
        expected += a->in[n] && a->node[n].end >= s.first && a->node[n].begin <= s.end;
    hook_tree_find(a->root, s.first, s.end, see, &s);
    assert_int_equal(s.n, expected);
}

static void test_random(void **state)
{
    static struct all a = {.seed = 20261};

    (void)state;
    for (unsigned round = 0; round < 40000; round++) {
        /* It fills and empties in turn. */
        unsigned n = (unsigned)(next(&a) % NODES);

        if (a.in[n] == (round / 2000 % 2 != 0) || next(&a) % 4 == 0)
            change(&a, n);
        look(&a);
    }
    for (unsigned n = 0; n < NODES; n++)
        if (a.in[n])
            change(&a, n);
    assert_null(a.root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
