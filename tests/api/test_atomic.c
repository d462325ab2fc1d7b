/* Atomic operations of 64-bit guests, and memory that changes under running vCPUs. */
#include "wide.h"

#include <pthread.h>
#include <unistd.h>

#define RMW(op, size, b, value, drop)                                                              \
    WIDE(RMW, 1, b, (value) | (op) << 4 | (size) << 8 | (drop) << 12)

static uint64_t model(unsigned op, uint64_t old, uint64_t v)
{
    switch (op) {
    case 0: return old + v;
    case 1: return old & v;
    case 2: return old | v;
    case 3: return old ^ v;
    default: return v;
    }
}

static void check_rmw(struct wide *w, uint64_t base, unsigned op, unsigned size, bool drop)
{
    uint64_t v = 0xf0e1d2c3b4a59687, before = 0x8877665544332211;
    uint64_t mask = UINT64_MAX >> (64 - (8u << size));
    uint64_t at = WIDE_CODE + (op << 6 | size << 4 | (unsigned)drop << 3) * 4;

    wide_poke(w, base, before);
    wide_set(w, 0, base);
    wide_set(w, 1, 5);
    wide_set(w, 2, v);
    assert_int_equal(wide_run(w, at), NW_EXIT_SYSCALL);
    assert_int_equal(wide_peek(w, base), (before & ~mask) | (model(op, before, v) & mask));
    assert_int_equal(wide_get(w, 1), drop ? 5 : before & mask);
    assert_int_equal(wide_get(w, 2), v);
}

static void check_cas2(struct wide *w, uint64_t base)
{
    WIDE_AT(w, WIDE_CODE, WIDE(CAS2, 2, 0, 4), WIDE(SYS, 0, 0, 0));
    wide_poke(w, base, 11);
    wide_poke(w, base + 8, 12);
    for (unsigned round = 0; round < 2; round++) {
        wide_set(w, 0, base);
        wide_set(w, 2, 11);
        wide_set(w, 3, round ? 12 : 13);
        wide_set(w, 4, 21);
        wide_set(w, 5, 22);
        assert_int_equal(wide_run(w, WIDE_CODE), NW_EXIT_SYSCALL);
        assert_int_equal(wide_get(w, 2), 11);
        assert_int_equal(wide_get(w, 3), 12);
        assert_int_equal(wide_peek(w, base), round ? 21 : 11);
        assert_int_equal(wide_peek(w, base + 8), round ? 22 : 12);
    }
}

/* Atomic operations of every size, aligned and not, over pages and over the window's end. */
static void test_atomics(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct wide w = wide_open(m);
        uint64_t end = wide_window_end(&w);
        const uint64_t bases[] = {WIDE_DATA,         WIDE_DATA + 4,  WIDE_DATA + 1,
                                  WIDE_DATA + 0xffd, WIDE_DATA + 60, end - 8,
                                  end - 5,           WIDE_HIGH + 16, WIDE_HIGH + 0xffc};

        assert_int_equal(nw_mem_map(w.engine, end - 0x1000, 0x2000, NW_RW), NW_OK);
        assert_int_equal(nw_mem_map(w.engine, WIDE_HIGH, 0x2000, NW_RW), NW_OK);
        for (unsigned op = 0; op < 5; op++)
            for (unsigned size = 0; size < 4; size++)
                for (unsigned drop = 0; drop < 2; drop++)
                    WIDE_AT(&w, WIDE_CODE + (op << 6 | size << 4 | drop << 3) * 4,
                            RMW(op, size, 0, 2, drop), WIDE(SYS, 0, 0, 0));
        for (unsigned n = 0; n < ARRAY_LEN(bases); n++)
            for (unsigned op = 0; op < 5; op++)
                for (unsigned size = 0; size < 4; size++)
                    for (unsigned drop = 0; drop < 2; drop++)
                        check_rmw(&w, bases[n], op, size, drop);
        for (unsigned n = 0; n < ARRAY_LEN(bases); n++)
            check_cas2(&w, bases[n]);
        nw_engine_close(w.engine);
    }
}

static void test_atomic_faults(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct wide w = wide_open(m);
        static const uint64_t bad[] = {0x20000, WIDE_HIGH, WIDE_TOP, 0x1fffd};

        WIDE_AT(&w, WIDE_CODE, RMW(0, 3, 0, 2, 0), WIDE(SYS, 0, 0, 0));
        WIDE_AT(&w, WIDE_CODE + 16, RMW(1, 3, 0, 2, 0), WIDE(SYS, 0, 0, 0));
        WIDE_AT(&w, WIDE_CODE + 32, RMW(2, 3, 0, 2, 1), WIDE(SYS, 0, 0, 0));
        WIDE_AT(&w, WIDE_CODE + 48, RMW(4, 3, 0, 2, 0), WIDE(SYS, 0, 0, 0));
        WIDE_AT(&w, WIDE_CODE + 64, WIDE(CAS2, 2, 0, 4), WIDE(SYS, 0, 0, 0));
        for (unsigned round = 0; round < 12; round++) {
            for (unsigned n = 0; n < 5 * ARRAY_LEN(bad); n++) {
                uint64_t addr = bad[n / 5];

                wide_set(&w, 0, addr);
                wide_set(&w, 1, 5);
                wide_set(&w, 2, 6);
                wide_run(&w, WIDE_CODE + 16 * (n % 5));
                wide_expect_fault(&w, NW_ACCESS_WRITE, NW_FAULT_UNMAPPED,
                                  addr == 0x1fffd ? 0x20000 : addr);
                assert_int_equal(wide_get(&w, 1), 5);
                assert_int_equal(w.exit.pc, WIDE_CODE + 16 * (n % 5));
            }
        }
        /* Written over while it runs. */
        for (unsigned n = 0; n < 6; n++) {
            WIDE_AT(&w, WIDE_CODE, RMW(0, 2, 0, 2, 0), WIDE(LI, 3, 0, 1), WIDE(SYS, 0, 0, 0));
            wide_set(&w, 0, WIDE_CODE + 4 - n % 2);
            wide_set(&w, 2, 5u << 8 * (n % 2));
            assert_int_equal(wide_run(&w, WIDE_CODE), NW_EXIT_SYSCALL);
            assert_int_equal(wide_get(&w, 3), 6);
        }
        nw_engine_close(w.engine);
    }
}

struct worker {
    nw_vcpu *vcpu;
    pthread_t thread;
};

static void *work(void *arg)
{
    nw_exit exit;

    assert_int_equal(nw_vcpu_run(((struct worker *)arg)->vcpu, 0, &exit), NW_OK);
    assert_int_equal(exit.reason, NW_EXIT_SYSCALL);
    return NULL;
}

/* Additions from several vCPUs, with locked accesses of every kind to the same bytes. */
static void test_atomic_threads(void **state)
{
    enum { WORKERS = 4, ROUNDS = 3000 };

    (void)state;
    EACH_MODE(m)
    {
        struct wide w = wide_open(m);
        struct worker workers[WORKERS] = {{0}};

        WIDE_AT(&w, WIDE_CODE, RMW(0, 3, 6, 2, 0), RMW(0, 3, 7, 2, 1), RMW(0, 3, 8, 2, 0),
                RMW(3, 3, 10, 3, 0), RMW(3, 3, 10, 3, 0), RMW(0, 2, 9, 2, 0), WIDE(ADDI, 4, 4, -1),
                WIDE(BNE, 4, 5, -7), WIDE(SYS, 0, 0, 0));
        for (unsigned n = 0; n < WORKERS; n++) {
            struct wide one = {.engine = w.engine};

            assert_int_equal(nw_vcpu_create(w.engine, &workers[n].vcpu), NW_OK);
            one.vcpu = workers[n].vcpu;
            wide_set(&one, 2, 1);
            wide_set(&one, 3, 0xff00ff);
            wide_set(&one, 4, ROUNDS);
            wide_set(&one, 6, WIDE_DATA);
            wide_set(&one, 7, WIDE_DATA + 13);
            wide_set(&one, 8, WIDE_DATA + 0xffc);
            wide_set(&one, 9, WIDE_DATA + 13);
            wide_set(&one, 10, WIDE_DATA + 0x100);
            wide_set(&one, WIDE_PC, WIDE_CODE);
        }
        for (unsigned n = 0; n < WORKERS; n++)
            assert_int_equal(pthread_create(&workers[n].thread, NULL, work, &workers[n]), 0);
        for (unsigned n = 0; n < WORKERS; n++)
            pthread_join(workers[n].thread, NULL);
        assert_int_equal(wide_peek(&w, WIDE_DATA), WORKERS * ROUNDS);
        assert_int_equal(wide_peek(&w, WIDE_DATA + 13), 2 * WORKERS * ROUNDS);
        assert_int_equal(wide_peek(&w, WIDE_DATA + 0xffc), WORKERS * ROUNDS);
        assert_int_equal(wide_peek(&w, WIDE_DATA + 0x100), 0);
        nw_engine_close(w.engine);
    }
}

static void *work_until_fault(void *arg)
{
    struct worker *worker = arg;
    nw_exit exit;

    assert_int_equal(nw_vcpu_run(worker->vcpu, 0, &exit), NW_OK);
    assert_int_equal(exit.reason, NW_EXIT_FAULT);
    assert_true(exit.addr == WIDE_HIGH || exit.addr == WIDE_HIGH + 8 ||
                exit.addr == WIDE_HIGH + 16);
    return NULL;
}

/* Memory beyond the window goes while another thread uses it without locks. */
static void test_unmapped_meanwhile(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct wide w = wide_open(m);
        struct worker worker = {.vcpu = w.vcpu};

        WIDE_AT(&w, WIDE_CODE, WIDE(LD8, 1, 0, 8), WIDE(ST8, 1, 0, 16), RMW(0, 3, 0, 2, 1),
                WIDE(J, 0, 0, -3));
        for (unsigned round = 0; round < 20; round++) {
            assert_int_equal(nw_mem_map(w.engine, WIDE_HIGH, 0x1000, NW_RW), NW_OK);
            wide_set(&w, 0, WIDE_HIGH);
            wide_set(&w, WIDE_PC, WIDE_CODE);
            assert_int_equal(pthread_create(&worker.thread, NULL, work_until_fault, &worker), 0);
            usleep(200 * (round % 4));
            if (round & 1)
                assert_int_equal(nw_mem_protect(w.engine, WIDE_HIGH, 0x1000, NW_READ), NW_OK);
            else
                assert_int_equal(nw_mem_unmap(w.engine, WIDE_HIGH, 0x1000), NW_OK);
            pthread_join(worker.thread, NULL);
            if (round & 1)
                assert_int_equal(nw_mem_unmap(w.engine, WIDE_HIGH, 0x1000), NW_OK);
        }
        nw_engine_close(w.engine);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_atomics),
        cmocka_unit_test(test_atomic_faults),
        cmocka_unit_test(test_atomic_threads),
        cmocka_unit_test(test_unmapped_meanwhile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
