/* Stores into translated code, by the guest and by the debugger. */
#include "toy.h"

/* An instruction of the running block is replaced before it runs. */
static void test_same_block(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);

        TOY_LOAD(&t, TOY_CODE, TOY(ADDI, 4, 4, 1), TOY(ST, 2, 5, 12), TOY(ADDI, 4, 4, 1),
                 TOY(LI, 1, 0, 1), TOY(SYS, 0, 0, 0));
        toy_set(&t, 5, TOY_CODE);
        for (unsigned i = 2; i < 30; i++) {
            toy_set(&t, 2, TOY(LI, 1, 0, i));
            toy_set(&t, 4, 0);
            assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
            assert_int_equal(toy_get(&t, 1), i);
            assert_int_equal(toy_get(&t, 4), 2);
        }
        assert_true(toy_stats(&t).smc_faults >= 10);
        assert_true(toy_stats(&t).invalidations >= 10);
        toy_close(&t);
    }
}

/* The store replaces the very next instruction, and itself. */
static void test_next_instruction(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);

        TOY_LOAD(&t, TOY_CODE, TOY(ST, 2, 5, 4), TOY(LI, 1, 0, 1), TOY(SYS, 0, 0, 0));
        toy_set(&t, 5, TOY_CODE);
        toy_set(&t, 2, TOY(LI, 1, 0, 2));
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        assert_int_equal(toy_get(&t, 1), 2);
        TOY_LOAD(&t, TOY_CODE, TOY(ST, 2, 5, 0), TOY(SYS, 0, 0, 3));
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        toy_set(&t, 1, 0);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        assert_int_equal(toy_get(&t, 1), 2);
        toy_close(&t);
    }
}

/* A loop that rewrites a function that it calls, through a link and through a return. */
static void test_other_block(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);

        TOY_LOAD(&t, 0x3000, TOY(ADDI, 2, 2, 1), TOY(JR, 14, 0, 0));
        TOY_LOAD(&t, TOY_CODE, TOY(JAL, 14, 0, 0x800), TOY(ADDI, 6, 6, 1), TOY(ST, 6, 5, 0),
                 TOY(ADDI, 1, 1, -1), TOY(BNE, 1, 0, -4), TOY(SYS, 0, 0, 0));
        toy_set(&t, 5, 0x3000);
        toy_set(&t, 6, TOY(ADDI, 2, 2, 1));
        toy_set(&t, 1, 50);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        assert_int_equal(toy_get(&t, 2), 50 * 51 / 2);
        toy_close(&t);
    }
}

/* A store that crosses from a data page into a code page. */
static void test_crossing_store(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);

        TOY_LOAD(&t, 0x4000, TOY(LI, 1, 0, 1), TOY(SYS, 0, 0, 0));
        TOY_LOAD(&t, TOY_CODE, TOY(ST, 2, 5, 0), TOY(J, 0, 0, 0xbff));
        toy_run(&t, 0x4000, 0);
        toy_set(&t, 5, 0x3ffe);
        toy_set(&t, 2, 0x0055ffff); /* low half of LI 1,0,1 becomes 0x55 */
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        assert_int_equal(toy_get(&t, 1), 0x55);
        toy_close(&t);
    }
}

static void test_atomic_store(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);

        TOY_LOAD(&t, TOY_CODE, TOY(CAS, 3, 5, 2), TOY(LI, 1, 0, 1), TOY(SYS, 0, 0, 0));
        toy_set(&t, 5, TOY_CODE + 4);
        toy_set(&t, 3, TOY(LI, 1, 0, 1));
        toy_set(&t, 2, TOY(LI, 1, 0, 9));
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        assert_int_equal(toy_get(&t, 1), 9);
        assert_int_equal(toy_get(&t, 3), TOY(LI, 1, 0, 1));
        toy_close(&t);
    }
}

/* Data beside code in one page: no invalidations, no host fault for each store. */
static void test_false_sharing(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);
        nw_stats s;

        TOY_LOAD(&t, TOY_CODE, TOY(ADDI, 2, 2, 1), TOY(ST, 2, 5, 0x800), TOY(ADDI, 1, 1, -1),
                 TOY(BNE, 1, 0, -3), TOY(SYS, 0, 0, 0));
        toy_set(&t, 5, TOY_CODE);
        toy_set(&t, 1, 20000);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        assert_int_equal(toy_peek(&t, TOY_CODE + 0x800), 20000);
        s = toy_stats(&t);
        assert_int_equal(s.invalidations, 0);
        assert_int_equal(s.smc_faults, 0);
        toy_close(&t);
    }
}

/* When the code of a page has gone, stores to it are ordinary again. */
static void test_page_becomes_data(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);
        nw_stats s;

        TOY_LOAD(&t, 0x3000, TOY(SYS, 0, 0, 0));
        toy_run(&t, 0x3000, 0);
        TOY_LOAD(&t, TOY_CODE, TOY(ST, 1, 5, 0), TOY(ADDI, 1, 1, -1), TOY(BNE, 1, 0, -2),
                 TOY(SYS, 0, 0, 0));
        toy_set(&t, 5, 0x3000);
        toy_set(&t, 1, 1000);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        s = toy_stats(&t);
        assert_true(s.smc_faults >= 1 && s.smc_faults <= 4);
        toy_close(&t);
    }
}

static void test_debugger_writes(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);

        for (unsigned i = 1; i < 20; i++) {
            toy_poke(&t, TOY_CODE, TOY(LI, 1, 0, i));
            toy_poke(&t, TOY_CODE + 4, TOY(SYS, 0, 0, 0));
            assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
            assert_int_equal(toy_get(&t, 1), i);
        }
        /* Into a page that the guest may not write. */
        assert_int_equal(nw_mem_protect(t.engine, TOY_CODE, 0x1000, NW_RX), NW_OK);
        toy_run(&t, TOY_CODE, 0);
        toy_poke(&t, TOY_CODE, TOY(LI, 1, 0, 99));
        toy_run(&t, TOY_CODE, 0);
        assert_int_equal(toy_get(&t, 1), 99);
        toy_close(&t);
    }
}

/* Caller-owned code memory is watched in the same way. */
static void test_caller_memory(void **state)
{
    static _Alignas(4096) uint32_t mine[1024];

    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);

        assert_int_equal(nw_mem_map_ptr(t.engine, 0x400000, sizeof mine, NW_RWX, mine), NW_OK);
        TOY_LOAD(&t, 0x400000, TOY(ST, 2, 5, 8), TOY(ADDI, 3, 3, 1), TOY(LI, 1, 0, 1),
                 TOY(SYS, 0, 0, 0));
        toy_set(&t, 5, 0x400000);
        for (unsigned i = 2; i < 20; i++) {
            toy_set(&t, 2, TOY(LI, 1, 0, i));
            assert_int_equal(toy_run(&t, 0x400000, 0), NW_EXIT_SYSCALL);
            assert_int_equal(toy_get(&t, 1), i);
        }
        toy_close(&t);
    }
}

/* Limits count the rewritten instruction once. */
static void test_limit(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        for (unsigned n = 1; n <= 4; n++) {
            struct toy t = toy_open(m);

            TOY_LOAD(&t, TOY_CODE, TOY(ADDI, 4, 4, 1), TOY(ST, 2, 5, 12), TOY(ADDI, 4, 4, 1),
                     TOY(LI, 1, 0, 1), TOY(SYS, 0, 0, 0));
            toy_set(&t, 5, TOY_CODE);
            toy_set(&t, 2, TOY(LI, 1, 0, 7));
            assert_int_equal(toy_run(&t, TOY_CODE, n), NW_EXIT_LIMIT);
            assert_int_equal(t.exit.pc, TOY_CODE + 4 * n);
            toy_close(&t);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_block),        cmocka_unit_test(test_next_instruction),
        cmocka_unit_test(test_other_block),       cmocka_unit_test(test_crossing_store),
        cmocka_unit_test(test_atomic_store),      cmocka_unit_test(test_false_sharing),
        cmocka_unit_test(test_page_becomes_data), cmocka_unit_test(test_debugger_writes),
        cmocka_unit_test(test_caller_memory),     cmocka_unit_test(test_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
