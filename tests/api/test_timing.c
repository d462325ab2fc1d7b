/* Prints what opening, creating and mapping cost in processor time. The bounds are wide: a loaded
 * or sanitized test machine must pass. */
#include "toy.h"

#include <stdio.h>
#include <time.h>
#include "exec/engine.h"

static double now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void test_opening(void **state)
{
    enum { ROUNDS = 200 };
    double open = 0, create = 0, first = 0, close = 0;

    (void)state;
    for (unsigned i = 0; i < ROUNDS; i++) {
        nw_config config = {0};
        nw_engine *e;
        nw_vcpu *v;
        nw_exit exit;
        uint32_t code = TOY(SYS, 0, 0, 0);
        double t0 = now_us(), t1, t2, t3, t4;

        assert_int_equal(engine_open(&config, &toy_guest, &e), NW_OK);
        t1 = now_us();
        assert_int_equal(nw_vcpu_create(e, &v), NW_OK);
        t2 = now_us();
        assert_int_equal(nw_mem_map(e, 0, 0x1000, NW_RWX), NW_OK);
        assert_int_equal(nw_mem_write(e, 0, &code, 4), NW_OK);
        assert_int_equal(nw_vcpu_run(v, 0, &exit), NW_OK);
        t3 = now_us();
        nw_engine_close(e);
        t4 = now_us();
        open += t1 - t0;
        create += t2 - t1;
        first += t3 - t2;
        close += t4 - t3;
    }
    print_message("engine open %.1f us, vCPU create %.1f us, first block %.1f us, close %.1f us\n",
                  open / ROUNDS, create / ROUNDS, first / ROUNDS, close / ROUNDS);
    assert_true(open / ROUNDS < 2000);
}

/* Regions with holes between them, in an order that suits no list. */
static void test_mapping(void **state)
{
    enum { REGIONS = 10000 };

    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);
        double t0 = now_us(), t1, t2, t3;
        uint32_t at = 0;

        for (unsigned i = 0; i < REGIONS; i++) {
            at = (at + 7919) % REGIONS;
            assert_int_equal(nw_mem_map(t.engine, 0x1000000 + at * 0x4000ull, 0x2000, NW_RW),
                             NW_OK);
        }
        t1 = now_us();
        for (unsigned i = 0; i < REGIONS; i++) {
            at = (at + 7919) % REGIONS;
            assert_int_equal(nw_mem_protect(t.engine, 0x1000000 + at * 0x4000ull, 0x1000, NW_READ),
                             NW_OK);
        }
        t2 = now_us();
        for (unsigned i = 0; i < REGIONS; i++) {
            at = (at + 7919) % REGIONS;
            assert_int_equal(nw_mem_unmap(t.engine, 0x1000000 + at * 0x4000ull, 0x2000), NW_OK);
        }
        t3 = now_us();
        print_message("    %u regions: map %.2f us, split %.2f us, unmap %.2f us each\n", REGIONS,
                      (t1 - t0) / REGIONS, (t2 - t1) / REGIONS, (t3 - t2) / REGIONS);
        assert_true((t1 - t0) / REGIONS < 200);
        toy_close(&t);
    }
}

/* More mappings than the host allows a process. */
static void test_many_regions(void **state)
{
    enum { REGIONS = 70000 };
    struct toy t = toy_open(&toy_modes[2]);
    double t0 = now_us();

    (void)state;
    for (unsigned i = 0; i < REGIONS; i++)
        assert_int_equal(
            nw_mem_map(t.engine, 0x1000000 + i * 0x2000ull, 0x1000, i & 1 ? NW_RW : NW_READ),
            NW_OK);
    print_message("%u regions: map %.2f us each\n", REGIONS, (now_us() - t0) / REGIONS);
    TOY_LOAD(&t, TOY_CODE, TOY(LD, 1, 5, 0), TOY(ST, 2, 5, 0), TOY(LD, 3, 5, 0), TOY(SYS, 0, 0, 0));
    toy_set(&t, 2, 5);
    for (unsigned i = 1; i < REGIONS; i += 4999) {
        toy_set(&t, 5, 0x1000000 + i * 0x2000);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), i & 1 ? NW_EXIT_SYSCALL : NW_EXIT_FAULT);
        assert_int_equal(toy_get(&t, 1), 0);
        if (i & 1)
            assert_int_equal(toy_get(&t, 3), 5);
    }
    toy_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opening),
        cmocka_unit_test(test_mapping),
        cmocka_unit_test(test_many_regions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
