/* Running: control flow, links, the jump cache, limits, stops, exceptions, interrupts. */
#include "toy.h"

#include <pthread.h>
#include <unistd.h>

/* r1 counts down; r2 += r1 */
static void load_sum(struct toy *t)
{
    TOY_LOAD(t, TOY_CODE, TOY(LI, 2, 0, 0), TOY(ADD, 2, 2, 1), TOY(ADDI, 1, 1, -1),
             TOY(BNE, 1, 0, -2), TOY(SYS, 0, 0, 7));
}

static void test_loop(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);

        load_sum(&t);
        toy_set(&t, 1, 1000);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        assert_int_equal(t.exit.code, 7);
        assert_int_equal(t.exit.pc, TOY_CODE + 20);
        assert_int_equal(toy_get(&t, 2), 500500);
        toy_close(&t);
    }
}

static void test_chaining(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);
        nw_stats s;

        load_sum(&t);
        toy_set(&t, 1, 1000);
        toy_run(&t, TOY_CODE, 0);
        s = toy_stats(&t);
        if (toy_chains(m)) {
            assert_true(s.chain_links >= 1);
            assert_true(s.dispatches < 10);
        } else {
            assert_int_equal(s.chain_links, 0);
            assert_true(s.dispatches >= 1000);
        }
        toy_close(&t);
    }
}

/* A block that is linked to is replaced: the link must go. */
static void test_unlinking(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);

        /* The loop spans two pages, so that each is a block of its own. */
        TOY_LOAD(&t, 0x1000, TOY(ADDI, 1, 1, -1), TOY(J, 0, 0, 0x3ff));
        TOY_LOAD(&t, 0x2000, TOY(ADDI, 2, 2, 1), TOY(BNE, 1, 0, -0x401), TOY(SYS, 0, 0, 1));
        toy_set(&t, 1, 100);
        assert_int_equal(toy_run(&t, 0x1000, 0), NW_EXIT_SYSCALL);
        assert_int_equal(toy_get(&t, 2), 100);
        toy_poke(&t, 0x2000, TOY(ADDI, 2, 2, 10));
        toy_set(&t, 1, 100);
        toy_set(&t, 2, 0);
        assert_int_equal(toy_run(&t, 0x1000, 0), NW_EXIT_SYSCALL);
        assert_int_equal(toy_get(&t, 2), 1000);
        if (toy_chains(m))
            assert_true(toy_stats(&t).chain_unlinks >= 1);
        toy_close(&t);
    }
}

/* Calls of a function from many places: returns go through the jump cache. */
static void test_jump_cache(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);
        uint64_t before;

        TOY_LOAD(&t, 0x3000, TOY(ADDI, 2, 2, 1), TOY(JR, 14, 0, 0));
        TOY_LOAD(&t, TOY_CODE, TOY(JAL, 14, 0, 0x800), TOY(JAL, 14, 0, 0x7ff),
                 TOY(JAL, 14, 0, 0x7fe), TOY(ADDI, 1, 1, -1), TOY(BNE, 1, 0, -4),
                 TOY(SYS, 0, 0, 0));
        toy_set(&t, 1, 2000);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        assert_int_equal(toy_get(&t, 2), 6000);
        before = toy_stats(&t).dispatches;
        if (toy_chains(m))
            assert_true(before < 100);
        /* New code at the target of cached jumps. */
        toy_poke(&t, 0x3000, TOY(ADDI, 2, 2, 2));
        toy_set(&t, 1, 10);
        toy_set(&t, 2, 0);
        toy_run(&t, TOY_CODE, 0);
        assert_int_equal(toy_get(&t, 2), 60);
        /* Two targets of one cache slot. */
        _Static_assert(JUMP_CACHE_SIZE * 2 == 0x2000, "0x4000 and 0x6000 share a slot");
        TOY_LOAD(&t, 0x1800, TOY(JR, 3, 0, 0));
        TOY_LOAD(&t, 0x4000, TOY(JR, 4, 0, 0));
        TOY_LOAD(&t, 0x6000, TOY(ADDI, 1, 1, -1), TOY(BNE, 1, 0, 2), TOY(SYS, 0, 0, 0),
                 TOY(JR, 3, 0, 0));
        toy_set(&t, 3, 0x4000);
        toy_set(&t, 4, 0x6000);
        toy_set(&t, 1, 50);
        assert_int_equal(toy_run(&t, 0x1800, 0), NW_EXIT_SYSCALL);
        assert_int_equal(toy_get(&t, 1), 0);
        toy_close(&t);
    }
}

/* Every limit stops after exactly that many instructions. */
static void test_limit(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);

        load_sum(&t);
        for (unsigned n = 1; n < 200; n++) {
            uint32_t loops = (n - 1) / 3, rest = (n - 1) % 3;

            toy_set(&t, 1, 1000);
            assert_int_equal(toy_run(&t, TOY_CODE, n), NW_EXIT_LIMIT);
            assert_int_equal(toy_get(&t, 1), 1000 - loops - (rest == 2));
            assert_int_equal(t.exit.pc, TOY_CODE + 4 * (1 + rest));
        }
        /* The limit is not reached: the exception wins. */
        toy_set(&t, 1, 10);
        assert_int_equal(toy_run(&t, TOY_CODE, 1000), NW_EXIT_SYSCALL);
        /* In two halves. */
        toy_set(&t, 1, 100);
        assert_int_equal(toy_run(&t, TOY_CODE, 150), NW_EXIT_LIMIT);
        assert_int_equal(toy_run(&t, ~0u, 152), NW_EXIT_SYSCALL);
        assert_int_equal(toy_get(&t, 2), 5050);
        toy_close(&t);
    }
}

static void test_exceptions(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);

        TOY_LOAD(&t, TOY_CODE, TOY(LI, 1, 0, 5), TOY(SYS, 0, 0, 3), TOY(LI, 2, 0, 6),
                 TOY(BRK, 0, 0, 9), TOY(LI, 3, 0, 7), 0);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        assert_int_equal(t.exit.pc, TOY_CODE + 8);
        assert_int_equal(toy_run(&t, ~0u, 0), NW_EXIT_BREAKPOINT);
        assert_int_equal(t.exit.code, 9);
        assert_int_equal(t.exit.pc, TOY_CODE + 12);
        assert_int_equal(toy_get(&t, 2), 6);
        assert_int_equal(toy_run(&t, TOY_CODE + 16, 0), NW_EXIT_UNDEFINED);
        assert_int_equal(t.exit.pc, TOY_CODE + 20);
        assert_int_equal(toy_get(&t, 3), 7);
        toy_close(&t);
    }
}

static void test_fetch_faults(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);

        assert_int_equal(toy_run(&t, 0x500000, 0), NW_EXIT_FAULT);
        assert_int_equal(t.exit.access, NW_ACCESS_FETCH);
        assert_int_equal(t.exit.fault, NW_FAULT_UNMAPPED);
        assert_int_equal(t.exit.addr, 0x500000);
        assert_int_equal(t.exit.pc, 0x500000);
        assert_int_equal(toy_run(&t, TOY_DATA, 0), NW_EXIT_FAULT);
        assert_int_equal(t.exit.fault, NW_FAULT_PERM);
        /* A block that ends with the mapping, then the page comes into being. */
        TOY_LOAD(&t, 0x8ff8, TOY(LI, 1, 0, 1), TOY(LI, 2, 0, 2));
        assert_int_equal(toy_run(&t, 0x8ff8, 0), NW_EXIT_FAULT);
        assert_int_equal(t.exit.addr, 0x9000);
        assert_int_equal(toy_get(&t, 2), 2);
        assert_int_equal(nw_mem_map(t.engine, 0x9000, 0x1000, NW_RX), NW_OK);
        toy_poke(&t, 0x9000, TOY(SYS, 0, 0, 1));
        assert_int_equal(toy_run(&t, 0x8ff8, 0), NW_EXIT_SYSCALL);
        /* … and goes again. */
        assert_int_equal(nw_mem_unmap(t.engine, 0x9000, 0x1000), NW_OK);
        assert_int_equal(toy_run(&t, 0x8ff8, 0), NW_EXIT_FAULT);
        assert_int_equal(t.exit.pc, 0x9000);
        toy_close(&t);
    }
}

static void test_guest_exceptions(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open_config(m, (nw_config){.exceptions = NW_EXC_GUEST});

        TOY_LOAD(&t, TOY_VECTOR, TOY(ADDI, 5, 5, 1), TOY(ERET, 0, 0, 0));
        TOY_LOAD(&t, TOY_CODE, TOY(SYS, 0, 0, 3), TOY(SYS, 0, 0, 4), TOY(HLT, 0, 0, 0));
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_HALT);
        assert_int_equal(t.exit.pc, TOY_CODE + 12);
        assert_int_equal(toy_get(&t, 5), 2);
        assert_int_equal(toy_get(&t, TOY_CAUSE), EXC_SYSCALL);
        /* A guest that only faults reaches its limit. */
        TOY_LOAD(&t, TOY_VECTOR, 0);
        assert_int_equal(toy_run(&t, TOY_VECTOR, 100), NW_EXIT_LIMIT);
        toy_close(&t);
    }
}

static void test_interrupt_line(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open_config(m, (nw_config){.exceptions = NW_EXC_GUEST});

        TOY_LOAD(&t, TOY_IRQ_VECTOR, TOY(ADDI, 5, 5, 1), TOY(BRK, 0, 0, 0));
        TOY_LOAD(&t, TOY_VECTOR, TOY(HLT, 0, 0, 0));
        TOY_LOAD(&t, TOY_CODE, TOY(DI, 0, 0, 0), TOY(LI, 1, 0, 1), TOY(EI, 0, 0, 0),
                 TOY(LI, 2, 0, 1), TOY(HLT, 0, 0, 0));
        assert_int_equal(nw_vcpu_set_irq(t.vcpu, 0, true), NW_OK);
        /* Masked until EI; taken right after it. */
        assert_int_equal(toy_run(&t, TOY_CODE, 4), NW_EXIT_LIMIT);
        assert_int_equal(toy_get(&t, 1), 1);
        assert_int_equal(toy_get(&t, 2), 0);
        assert_int_equal(toy_get(&t, 5), 1);
        assert_int_equal(toy_get(&t, TOY_EPC), TOY_CODE + 12);
        assert_int_equal(toy_get(&t, TOY_CAUSE), 100);
        assert_int_equal(nw_vcpu_set_irq(t.vcpu, 0, false), NW_OK);
        assert_int_equal(nw_vcpu_set_irq(t.vcpu, 32, true), NW_ERR_ARG);
        toy_close(&t);
    }
}

static void *raise_soon(void *opaque)
{
    usleep(20000);
    nw_vcpu_set_irq(opaque, 0, true);
    return NULL;
}

static void *stop_soon(void *opaque)
{
    usleep(20000);
    nw_vcpu_stop(opaque);
    return NULL;
}

/* An endless loop, closed by a direct jump or by an indirect one, is left for requests. */
static void test_requests_reach_loops(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        for (unsigned indirect = 0; indirect < 2; indirect++) {
            struct toy t = toy_open_config(m, (nw_config){.exceptions = NW_EXC_GUEST});
            pthread_t thread;

            TOY_LOAD(&t, TOY_IRQ_VECTOR, TOY(LI, 5, 0, 77), TOY(J, 0, 0, 0));
            TOY_LOAD(&t, TOY_CODE, TOY(ADDI, 1, 1, 1),
                     indirect ? TOY(JR, 2, 0, 0) : TOY(J, 0, 0, -1));
            toy_set(&t, 2, TOY_CODE);
            toy_set(&t, TOY_IRQ_ENABLED, 1);
            pthread_create(&thread, NULL, raise_soon, t.vcpu);
            pthread_t stopper;
            toy_set(&t, 5, 0);
            pthread_join(thread, NULL);
            nw_vcpu_set_irq(t.vcpu, 0, false);
            pthread_create(&stopper, NULL, stop_soon, t.vcpu);
            assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_STOP);
            pthread_join(stopper, NULL);
            assert_true(toy_get(&t, 1) > 0);
            assert_int_equal(toy_get(&t, 5), 0);
            /* Now the interrupt arrives while the loop runs, then the stop. */
            pthread_create(&thread, NULL, raise_soon, t.vcpu);
            toy_set(&t, TOY_PC, TOY_CODE);
            while (toy_get(&t, 5) != 77) {
                pthread_create(&stopper, NULL, stop_soon, t.vcpu);
                assert_int_equal(toy_run(&t, ~0u, 0), NW_EXIT_STOP);
                pthread_join(stopper, NULL);
            }
            pthread_join(thread, NULL);
            assert_int_equal(toy_get(&t, TOY_CAUSE), 100);
            toy_close(&t);
        }
    }
}

static void test_stop_is_remembered(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);

        load_sum(&t);
        nw_vcpu_stop(t.vcpu);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_STOP);
        assert_int_equal(t.exit.pc, TOY_CODE);
        toy_set(&t, 1, 1);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        toy_close(&t);
    }
}

/* More blocks than the block cache's first table holds. */
static void test_many_blocks(void **state)
{
    enum { BLOCKS = 5000 };

    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);
        uint32_t base = 0x100000;

        assert_int_equal(nw_mem_map(t.engine, base, 0x10000, NW_RWX), NW_OK);
        for (uint32_t i = 0; i < BLOCKS; i++)
            TOY_LOAD(&t, base + 8 * i, TOY(ADDI, 2, 2, 1),
                     i + 1 < BLOCKS ? TOY(J, 0, 0, 1) : TOY(SYS, 0, 0, 0));
        for (unsigned round = 1; round <= 2; round++) {
            assert_int_equal(toy_run(&t, base, 0), NW_EXIT_SYSCALL);
            assert_int_equal(toy_get(&t, 2), round * BLOCKS);
        }
        assert_int_equal(toy_stats(&t).blocks_translated, BLOCKS);
        toy_close(&t);
    }
}

/* Far more code than the smallest buffer holds; results stay right over the flushes. */
static void test_flush(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open_config(m, (nw_config){.code_buffer = 64 << 10});
        uint32_t words[512], base = 0x100000, blocks = 64;

        assert_int_equal(nw_mem_map(t.engine, base, 0x100000, NW_RWX), NW_OK);
        /* Each page: additions, then a jump to the next page; the last page leaves. */
        for (uint32_t p = 0; p < blocks; p++) {
            for (unsigned i = 0; i < 511; i++)
                words[i] = TOY(ADDI, 1 + i % 12, 1 + i % 12, 1);
            words[511] = p + 1 < blocks ? TOY(J, 0, 0, 0x400 - 511) : TOY(SYS, 0, 0, 0);
            toy_load(&t, base + p * 0x1000, words, 512);
        }
        for (unsigned round = 1; round <= 3; round++) {
            assert_int_equal(toy_run(&t, base, 0), NW_EXIT_SYSCALL);
            assert_int_equal(toy_get(&t, 1), round * blocks * 43);
        }
        assert_true(toy_stats(&t).cache_flushes >= 1);
        toy_close(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loop),
        cmocka_unit_test(test_chaining),
        cmocka_unit_test(test_unlinking),
        cmocka_unit_test(test_jump_cache),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_exceptions),
        cmocka_unit_test(test_fetch_faults),
        cmocka_unit_test(test_guest_exceptions),
        cmocka_unit_test(test_interrupt_line),
        cmocka_unit_test(test_requests_reach_loops),
        cmocka_unit_test(test_stop_is_remembered),
        cmocka_unit_test(test_many_blocks),
        cmocka_unit_test(test_flush),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
