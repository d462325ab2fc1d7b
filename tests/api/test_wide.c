/* Memory of 64-bit guests: the window, its two ends, what is mapped beyond it, and checks that
 * several accesses share. */
#include "toy.h"
#include "wide_guest.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "exec/engine.h"
#include "mem/space.h"

#define CODE 0x1000u
#define DATA 0x10000u
#define HIGH 0x7ffff0000000ull
#define TOP  0xffffffffffff0000ull

struct wide {
    nw_engine *engine;
    nw_vcpu *vcpu;
    nw_exit exit;
};

static struct wide open_wide(const struct toy_mode *m)
{
    nw_config config = {.flags = m->flags};
    struct wide w = {0};

    print_message("    %s\n", m->name);
    assert_int_equal(engine_open(&config, &wide_guest, &w.engine), NW_OK);
    assert_int_equal(nw_mem_map(w.engine, 0, 0x9000, NW_RWX), NW_OK);
    assert_int_equal(nw_mem_map(w.engine, DATA, 0x10000, NW_RW), NW_OK);
    assert_int_equal(nw_vcpu_create(w.engine, &w.vcpu), NW_OK);
    return w;
}

static void load(struct wide *w, uint64_t at, const uint32_t *words, size_t n)
{
    assert_int_equal(nw_mem_write(w->engine, at, words, n * sizeof *words), NW_OK);
}

#define LOAD(w, at, ...)                                                                           \
    load(w, at, (const uint32_t[]){__VA_ARGS__},                                                   \
         sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static void set(struct wide *w, unsigned reg, uint64_t value)
{
    assert_int_equal(nw_reg_write(w->vcpu, reg, value), NW_OK);
}

static uint64_t get(struct wide *w, unsigned reg)
{
    uint64_t v;

    assert_int_equal(nw_reg_read(w->vcpu, reg, &v), NW_OK);
    return v;
}

static nw_exit_reason run(struct wide *w, uint64_t pc)
{
    set(w, WIDE_PC, pc);
    assert_int_equal(nw_vcpu_run(w->vcpu, 0, &w->exit), NW_OK);
    return w->exit.reason;
}

static uint64_t peek(struct wide *w, uint64_t at)
{
    uint64_t v;

    assert_int_equal(nw_mem_read(w->engine, at, &v, sizeof v), NW_OK);
    return v;
}

static void poke(struct wide *w, uint64_t at, uint64_t v)
{
    assert_int_equal(nw_mem_write(w->engine, at, &v, sizeof v), NW_OK);
}

static void expect_fault(struct wide *w, nw_access access, nw_fault fault, uint64_t addr)
{
    assert_int_equal(w->exit.reason, NW_EXIT_FAULT);
    assert_int_equal(w->exit.access, access);
    assert_int_equal(w->exit.fault, fault);
    assert_int_equal(w->exit.addr, addr);
}

/* The window's end, or where it would be. */
static uint64_t window_end(struct wide *w)
{
    uint64_t end = mem_window(w->engine);

    return end ? end : 1ull << 35;
}

/* Every width at BASE, where 64 bytes are mapped. */
static void check_widths(struct wide *w, uint64_t base)
{
    LOAD(w, CODE, WIDE(LD1, 1, 0, 3), WIDE(LD2, 2, 0, 2), WIDE(LD4, 3, 0, 1), WIDE(LD8, 4, 0, 0),
         WIDE(LDS, 5, 0, 4), WIDE(ST1, 4, 0, 16), WIDE(ST2, 4, 0, 18), WIDE(ST4, 4, 0, 21),
         WIDE(ST8, 4, 0, 27), WIDE(LDX, 6, 0, 9 | 3 << 4), WIDE(STX, 6, 0, 9 | 2 << 4 | 40 << 6),
         WIDE(CAS, 7, 8, 4), WIDE(SYS, 0, 0, 0));
    for (unsigned n = 0; n < 64; n += 8)
        poke(w, base + n, 0);
    poke(w, base, 0x8877665544332211);
    set(w, 0, base);
    set(w, 7, 0x8877665544332211);
    set(w, 8, base);
    set(w, 9, 2);
    assert_int_equal(run(w, CODE), NW_EXIT_SYSCALL);
    assert_int_equal(get(w, 1), 0x44);
    assert_int_equal(get(w, 2), 0x4433);
    assert_int_equal(get(w, 3), 0x55443322);
    assert_int_equal(get(w, 4), 0x8877665544332211);
    assert_int_equal(get(w, 5), 0xffffffff88776655);
    assert_int_equal(get(w, 6), 0x3322110022110011);
    assert_int_equal(get(w, 7), 0x8877665544332211);
    assert_int_equal(peek(w, base), 0x8877665544332211);
    assert_int_equal(peek(w, base + 27), 0x8877665544332211);
    assert_int_equal(peek(w, base + 48), get(w, 6));
}

/* Copies of 16 and 32 bytes to TO, and nothing beside it. */
static void check_vectors(struct wide *w, uint64_t to)
{
    uint8_t from[40], have[48];

    LOAD(w, CODE, WIDE(COPYX, 0, 1, 0), WIDE(SYS, 0, 0, 0), WIDE(COPYY, 0, 1, 8),
         WIDE(SYS, 0, 0, 0));
    for (unsigned n = 0; n < sizeof from; n++)
        from[n] = (uint8_t)(n * 7 + 1);
    assert_int_equal(nw_mem_write(w->engine, DATA + 3, from, sizeof from), NW_OK);
    set(w, 0, to);
    set(w, 1, DATA + 3);
    for (unsigned wide = 0; wide < 2; wide++) {
        unsigned size = wide ? 32 : 16;

        memset(have, 0xee, sizeof have);
        assert_int_equal(nw_mem_write(w->engine, to - 8, have, sizeof have), NW_OK);
        assert_int_equal(run(w, CODE + 8 * wide), NW_EXIT_SYSCALL);
        assert_int_equal(nw_mem_read(w->engine, to - 8, have, sizeof have), NW_OK);
        assert_memory_equal(have + 8, from + 8 * wide, size);
        assert_true(have[7] == 0xee && have[8 + size] == 0xee);
    }
}

static void test_vectors(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct wide w = open_wide(m);
        uint64_t end = window_end(&w);

        check_vectors(&w, DATA + 0x100);
        assert_int_equal(nw_mem_map(w.engine, end - 0x1000, 0x2000, NW_RW), NW_OK);
        assert_int_equal(nw_mem_map(w.engine, HIGH, 0x2000, NW_RW), NW_OK);
        assert_int_equal(nw_mem_map(w.engine, TOP, 0x10000, NW_RW), NW_OK);
        for (unsigned n = 0; n < 64; n++) {
            check_vectors(&w, DATA + 0x1000 - n);
            check_vectors(&w, end - n);
            check_vectors(&w, HIGH + 0x1000 - n);
        }
        check_vectors(&w, UINT64_MAX - 47);
        for (unsigned n = 1; n < 32; n += 5) {
            uint8_t have[32], none[32] = {0};

            assert_int_equal(nw_mem_write(w.engine, HIGH + 0x2000 - 32, none, 32), NW_OK);
            set(&w, 0, HIGH + 0x2000 - n);
            run(&w, CODE + 8);
            expect_fault(&w, NW_ACCESS_WRITE, NW_FAULT_UNMAPPED, HIGH + 0x2000);
            assert_int_equal(nw_mem_read(w.engine, HIGH + 0x2000 - 32, have, 32), NW_OK);
            assert_memory_equal(have, none, 32);
        }
        nw_engine_close(w.engine);
    }
}

static void test_widths(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct wide w = open_wide(m);
        uint64_t end = window_end(&w);

        check_widths(&w, DATA);
        check_widths(&w, DATA + 0xfff0 - 64);
        assert_int_equal(nw_mem_map(w.engine, end - 0x1000, 0x2000, NW_RW), NW_OK);
        for (unsigned n = 0; n < 64; n++)
            check_widths(&w, end - n);
        assert_int_equal(nw_mem_map(w.engine, HIGH, 0x2000, NW_RW), NW_OK);
        for (unsigned n = 0; n < 64; n++)
            check_widths(&w, HIGH + 0x1000 - n);
        check_widths(&w, end - 64);
        assert_int_equal(nw_mem_map(w.engine, TOP, 0x10000, NW_RW), NW_OK);
        check_widths(&w, UINT64_MAX - 63);
        check_widths(&w, DATA + 8);
        nw_engine_close(w.engine);
    }
}

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
    uint64_t at = CODE + (op << 6 | size << 4 | (unsigned)drop << 3) * 4;

    poke(w, base, before);
    set(w, 0, base);
    set(w, 1, 5);
    set(w, 2, v);
    assert_int_equal(run(w, at), NW_EXIT_SYSCALL);
    assert_int_equal(peek(w, base), (before & ~mask) | (model(op, before, v) & mask));
    assert_int_equal(get(w, 1), drop ? 5 : before & mask);
    assert_int_equal(get(w, 2), v);
}

static void check_cas2(struct wide *w, uint64_t base)
{
    LOAD(w, CODE, WIDE(CAS2, 2, 0, 4), WIDE(SYS, 0, 0, 0));
    poke(w, base, 11);
    poke(w, base + 8, 12);
    for (unsigned round = 0; round < 2; round++) {
        set(w, 0, base);
        set(w, 2, 11);
        set(w, 3, round ? 12 : 13);
        set(w, 4, 21);
        set(w, 5, 22);
        assert_int_equal(run(w, CODE), NW_EXIT_SYSCALL);
        assert_int_equal(get(w, 2), 11);
        assert_int_equal(get(w, 3), 12);
        assert_int_equal(peek(w, base), round ? 21 : 11);
        assert_int_equal(peek(w, base + 8), round ? 22 : 12);
    }
}

/* Atomic operations of every size, aligned and not, over pages and over the window's end. */
static void test_atomics(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct wide w = open_wide(m);
        uint64_t end = window_end(&w);
        const uint64_t bases[] = {DATA,    DATA + 4, DATA + 1,  DATA + 0xffd, DATA + 60,
                                  end - 8, end - 5,  HIGH + 16, HIGH + 0xffc};

        assert_int_equal(nw_mem_map(w.engine, end - 0x1000, 0x2000, NW_RW), NW_OK);
        assert_int_equal(nw_mem_map(w.engine, HIGH, 0x2000, NW_RW), NW_OK);
        for (unsigned op = 0; op < 5; op++)
            for (unsigned size = 0; size < 4; size++)
                for (unsigned drop = 0; drop < 2; drop++)
                    LOAD(&w, CODE + (op << 6 | size << 4 | drop << 3) * 4,
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
        struct wide w = open_wide(m);
        static const uint64_t bad[] = {0x20000, HIGH, TOP, 0x1fffd};

        LOAD(&w, CODE, RMW(0, 3, 0, 2, 0), WIDE(SYS, 0, 0, 0));
        LOAD(&w, CODE + 16, RMW(1, 3, 0, 2, 0), WIDE(SYS, 0, 0, 0));
        LOAD(&w, CODE + 32, RMW(2, 3, 0, 2, 1), WIDE(SYS, 0, 0, 0));
        LOAD(&w, CODE + 48, RMW(4, 3, 0, 2, 0), WIDE(SYS, 0, 0, 0));
        LOAD(&w, CODE + 64, WIDE(CAS2, 2, 0, 4), WIDE(SYS, 0, 0, 0));
        for (unsigned round = 0; round < 12; round++) {
            for (unsigned n = 0; n < 5 * ARRAY_LEN(bad); n++) {
                uint64_t addr = bad[n / 5];

                set(&w, 0, addr);
                set(&w, 1, 5);
                set(&w, 2, 6);
                run(&w, CODE + 16 * (n % 5));
                expect_fault(&w, NW_ACCESS_WRITE, NW_FAULT_UNMAPPED,
                             addr == 0x1fffd ? 0x20000 : addr);
                assert_int_equal(get(&w, 1), 5);
                assert_int_equal(w.exit.pc, CODE + 16 * (n % 5));
            }
        }
        /* Written over while it runs. */
        for (unsigned n = 0; n < 6; n++) {
            LOAD(&w, CODE, RMW(0, 2, 0, 2, 0), WIDE(LI, 3, 0, 1), WIDE(SYS, 0, 0, 0));
            set(&w, 0, CODE + 4 - n % 2);
            set(&w, 2, 5u << 8 * (n % 2));
            assert_int_equal(run(&w, CODE), NW_EXIT_SYSCALL);
            assert_int_equal(get(&w, 3), 6);
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
        struct wide w = open_wide(m);
        struct worker workers[WORKERS] = {{0}};

        LOAD(&w, CODE, RMW(0, 3, 6, 2, 0), RMW(0, 3, 7, 2, 1), RMW(0, 3, 8, 2, 0),
             RMW(3, 3, 10, 3, 0), RMW(3, 3, 10, 3, 0), RMW(0, 2, 9, 2, 0), WIDE(ADDI, 4, 4, -1),
             WIDE(BNE, 4, 5, -7), WIDE(SYS, 0, 0, 0));
        for (unsigned n = 0; n < WORKERS; n++) {
            struct wide one = {.engine = w.engine};

            assert_int_equal(nw_vcpu_create(w.engine, &workers[n].vcpu), NW_OK);
            one.vcpu = workers[n].vcpu;
            set(&one, 2, 1);
            set(&one, 3, 0xff00ff);
            set(&one, 4, ROUNDS);
            set(&one, 6, DATA);
            set(&one, 7, DATA + 13);
            set(&one, 8, DATA + 0xffc);
            set(&one, 9, DATA + 13);
            set(&one, 10, DATA + 0x100);
            set(&one, WIDE_PC, CODE);
        }
        for (unsigned n = 0; n < WORKERS; n++)
            assert_int_equal(pthread_create(&workers[n].thread, NULL, work, &workers[n]), 0);
        for (unsigned n = 0; n < WORKERS; n++)
            pthread_join(workers[n].thread, NULL);
        assert_int_equal(peek(&w, DATA), WORKERS * ROUNDS);
        assert_int_equal(peek(&w, DATA + 13), 2 * WORKERS * ROUNDS);
        assert_int_equal(peek(&w, DATA + 0xffc), WORKERS * ROUNDS);
        assert_int_equal(peek(&w, DATA + 0x100), 0);
        nw_engine_close(w.engine);
    }
}

/* An access over 2^64 goes on at address 0, and is not half done. */
static void test_top(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct wide w = open_wide(m);

        assert_int_equal(nw_mem_map(w.engine, TOP, 0x10000, NW_RW), NW_OK);
        LOAD(&w, CODE, WIDE(LD8, 1, 0, 0), WIDE(ST8, 2, 0, 0), WIDE(SYS, 0, 0, 0));
        for (unsigned round = 0; round < 20; round++) {
            poke(&w, 0, 0x1111111111111111);
            poke(&w, UINT64_MAX - 7, 0x2222222222222222);
            set(&w, 0, UINT64_MAX - 3);
            set(&w, 2, 0x8877665544332211);
            assert_int_equal(run(&w, CODE), NW_EXIT_SYSCALL);
            assert_int_equal(get(&w, 1), 0x1111111122222222);
            assert_int_equal(peek(&w, 0), 0x1111111188776655);
            assert_int_equal(peek(&w, UINT64_MAX - 7), 0x4433221122222222);
        }
        assert_int_equal(nw_mem_protect(w.engine, 0, 0x1000, NW_READ), NW_OK);
        for (unsigned round = 0; round < 20; round++) {
            run(&w, CODE);
            expect_fault(&w, NW_ACCESS_WRITE, NW_FAULT_PERM, 0);
            assert_int_equal(w.exit.pc, CODE + 4);
        }
        assert_int_equal(nw_mem_unmap(w.engine, TOP, 0x10000), NW_OK);
        run(&w, CODE);
        expect_fault(&w, NW_ACCESS_READ, NW_FAULT_UNMAPPED, UINT64_MAX - 3);
        nw_engine_close(w.engine);
    }
}

static void test_ranges(void **state)
{
    struct wide w = open_wide(toy_modes);
    uint64_t at;

    (void)state;
    assert_int_equal(nw_mem_map(w.engine, TOP, 0x20000, NW_RW), NW_ERR_RANGE);
    assert_int_equal(nw_mem_map(w.engine, TOP, 0x10000, NW_RW), NW_OK);
    assert_int_equal(nw_mem_map(w.engine, UINT64_MAX - 0xfff, 0x1000, NW_RW), NW_ERR_OVERLAP);
    assert_int_equal(nw_mem_protect(w.engine, UINT64_MAX - 0xfff, 0x1000, NW_READ), NW_OK);
    assert_int_equal(nw_mem_protect(w.engine, TOP, 0x10000, NW_RW), NW_OK);
    assert_true(mem_find_free(w.engine, 0x1000, 0, UINT64_MAX, 0x1000, &at));
    assert_int_equal(at, TOP - 0x1000);
    assert_false(mem_find_free(w.engine, 0x1000, TOP, UINT64_MAX, 0x1000, &at));
    assert_int_equal(nw_mem_unmap(w.engine, UINT64_MAX - 0xfff, 0x1000), NW_OK);
    assert_false(mem_is_free(w.engine, TOP, 0x10000));
    assert_true(mem_is_free(w.engine, UINT64_MAX - 0xfff, 0x1000));
    /* More than one annex of the usual size. */
    for (uint64_t n = 0; n < 4; n++)
        assert_int_equal(nw_mem_map(w.engine, HIGH + (n << 35), 12ull << 30, NW_RW), NW_OK);
    assert_int_equal(nw_mem_map(w.engine, 1ull << 44, 1ull << 40, NW_RW), NW_OK);
    poke(&w, (1ull << 44) + (1ull << 40) - 8, 5);
    assert_int_equal(peek(&w, (1ull << 44) + (1ull << 40) - 8), 5);
    nw_engine_close(w.engine);
}

/* A base in the window with displacements that lead out of it, and the other way round. */
static void test_displacement(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct wide w = open_wide(m);
        uint64_t end = window_end(&w), far = 0x7fff0000;

        LOAD(&w, CODE, WIDE(LDF, 1, 0, 0x7fff), WIDE(LDF, 2, 0, 0x8000), WIDE(SYS, 0, 0, 0));
        LOAD(&w, CODE + 0x100, WIDE(LDF, 2, 0, 0x8000), WIDE(LDF, 1, 0, 0x7fff),
             WIDE(SYS, 0, 0, 0));
        for (unsigned round = 0; round < 12; round++) {
            set(&w, 0, end - 8);
            run(&w, CODE);
            expect_fault(&w, NW_ACCESS_READ, NW_FAULT_UNMAPPED, end - 8 + far);
            set(&w, 0, 16);
            run(&w, CODE + 0x100);
            expect_fault(&w, NW_ACCESS_READ, NW_FAULT_UNMAPPED, 16 - 0x80000000ull);
            set(&w, 0, end);
            run(&w, CODE + 0x100);
            expect_fault(&w, NW_ACCESS_READ, NW_FAULT_UNMAPPED, end - 0x80000000ull);
            set(&w, 0, 1ull << 46);
            run(&w, CODE + 0x100);
            expect_fault(&w, NW_ACCESS_READ, NW_FAULT_UNMAPPED, (1ull << 46) - 0x80000000ull);
            assert_int_equal(w.exit.pc, CODE + 0x100);
        }
        assert_int_equal(nw_mem_map(w.engine, (end - 8 + far) & ~0xfffull, 0x2000, NW_RW), NW_OK);
        assert_int_equal(nw_mem_map(w.engine, (end - 8 - 0x80000000ull) & ~0xfffull, 0x2000, NW_RW),
                         NW_OK);
        assert_int_equal(nw_mem_map(w.engine, -0x80000000ull, 0x2000, NW_RW), NW_OK);
        assert_int_equal(nw_mem_map(w.engine, far, 0x2000, NW_RW), NW_OK);
        poke(&w, end - 8 + far, 1);
        poke(&w, end - 8 - 0x80000000ull, 2);
        poke(&w, -0x80000000ull, 3);
        poke(&w, far, 4);
        for (unsigned round = 0; round < 12; round++) {
            set(&w, 0, end - 8);
            assert_int_equal(run(&w, round & 1 ? CODE : CODE + 0x100), NW_EXIT_SYSCALL);
            assert_int_equal(get(&w, 1), 1);
            assert_int_equal(get(&w, 2), 2);
            set(&w, 0, 0);
            assert_int_equal(run(&w, round & 1 ? CODE : CODE + 0x100), NW_EXIT_SYSCALL);
            assert_int_equal(get(&w, 1), 4);
            assert_int_equal(get(&w, 2), 3);
        }
        nw_engine_close(w.engine);
    }
}

/* Several accesses from one base: in the window, then outside, mapped and not. */
static void test_shared_checks(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct wide w = open_wide(m);

        LOAD(&w, CODE, WIDE(LD8, 1, 0, 0), WIDE(ADDI, 0, 0, 8), WIDE(LD8, 2, 0, 0),
             WIDE(ADDI, 1, 1, 1), WIDE(ST8, 1, 0, 8), WIDE(PUSH, 2, 0, 0), WIDE(PUSH, 1, 0, 0),
             WIDE(COPY, 5, 0, 0), WIDE(LD32, 6, 0, 8), WIDE(LDX, 7, 0, 9 | 2 << 4),
             WIDE(SYS, 0, 0, 0));
        poke(&w, 8, 77);
        for (unsigned round = 0; round < 30; round++) {
            static const uint64_t bases[] = {DATA + 8, DATA + 0x800, HIGH + 8, DATA + 0xff0,
                                             TOP + 8};
            uint64_t base = bases[round % 5];
            bool mapped = round >= 10 || base < HIGH;

            if (round == 10) {
                assert_int_equal(nw_mem_map(w.engine, HIGH, 0x1000, NW_RW), NW_OK);
                assert_int_equal(nw_mem_map(w.engine, TOP, 0x10000, NW_RW), NW_OK);
                assert_int_equal(nw_mem_map(w.engine, (uint32_t)HIGH, 0x1000, NW_RW), NW_OK);
                assert_int_equal(nw_mem_map(w.engine, (uint32_t)TOP, 0x1000, NW_RW), NW_OK);
            }
            if (mapped) {
                poke(&w, base, 0x1234);
                poke(&w, base + 8, 0x5678);
                poke(&w, base + 24, 5);
            }
            set(&w, 0, base);
            set(&w, 1, 99);
            set(&w, 5, DATA + 0x100);
            set(&w, 9, 6);
            run(&w, CODE);
            if (!mapped) {
                expect_fault(&w, NW_ACCESS_READ, NW_FAULT_UNMAPPED, base);
                assert_int_equal(get(&w, 0), base);
                assert_int_equal(get(&w, 1), 99);
                continue;
            }
            assert_int_equal(w.exit.reason, NW_EXIT_SYSCALL);
            assert_int_equal(get(&w, 0), base - 8);
            assert_int_equal(get(&w, 2), 0x5678);
            assert_int_equal(peek(&w, base + 16), 0x1235);
            assert_int_equal(peek(&w, base), 0x5678);
            assert_int_equal(peek(&w, base - 8), 0x1235);
            assert_int_equal(peek(&w, DATA + 0x100), 0x1235);
            assert_int_equal(get(&w, 7), 0x1235);
        }
        nw_engine_close(w.engine);
    }
}

static struct wide *mapper;

static uint64_t map_high(void *opaque, uint64_t offset, unsigned size)
{
    (void)opaque, (void)offset, (void)size;
    if (nw_mem_map(mapper->engine, HIGH, 0x1000, NW_RW) == NW_OK)
        poke(mapper, HIGH, 42);
    return HIGH;
}

static void ignore_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    (void)opaque, (void)offset, (void)value, (void)size;
}

/* The block that runs was made when nothing was mapped beyond the window, and something is now. */
static void test_mapped_meanwhile(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct wide w = open_wide(m);

        mapper = &w;
        assert_int_equal(nw_mem_map_mmio(w.engine, 0x100000, 0x1000, map_high, ignore_write, NULL),
                         NW_OK);
        LOAD(&w, CODE, WIDE(LD8, 1, 0, 0), WIDE(LD8, 2, 1, 0), WIDE(ADDI, 2, 2, 1),
             WIDE(ST8, 2, 1, 0), WIDE(LD8, 3, 1, 0), WIDE(SYS, 0, 0, 0));
        set(&w, 0, 0x100000);
        for (unsigned round = 0; round < 10; round++) {
            assert_int_equal(run(&w, CODE), NW_EXIT_SYSCALL);
            assert_int_equal(get(&w, 1), HIGH);
            assert_int_equal(get(&w, 3), 43 + round);
        }
        nw_engine_close(w.engine);
    }
}

/* Code in the window and beyond it that is written over, from the same block and another. */
static void test_code(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct wide w = open_wide(m);

        assert_int_equal(nw_mem_map(w.engine, HIGH, 0x1000, NW_RWX), NW_OK);
        for (unsigned round = 0; round < 8; round++) {
            uint64_t at = round & 1 ? HIGH : CODE;

            LOAD(&w, at, WIDE(LI, 1, 0, 1), WIDE(ST4, 2, 3, 12), WIDE(ADDI, 1, 1, 1),
                 WIDE(LI, 1, 0, 5), WIDE(SYS, 0, 0, 7));
            set(&w, 2, WIDE(ADDI, 1, 1, 16));
            set(&w, 3, at);
            assert_int_equal(run(&w, at), NW_EXIT_SYSCALL);
            assert_int_equal(get(&w, 1), 18);
            set(&w, 2, WIDE(LI, 1, 0, 9));
            assert_int_equal(run(&w, at), NW_EXIT_SYSCALL);
            assert_int_equal(get(&w, 1), 9);
        }
        run(&w, HIGH + 0x2000);
        expect_fault(&w, NW_ACCESS_FETCH, NW_FAULT_UNMAPPED, HIGH + 0x2000);
        nw_engine_close(w.engine);
    }
}

static uint64_t read_device(void *opaque, uint64_t offset, unsigned size)
{
    (void)opaque;
    return offset << 8 | size;
}

static void write_device(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    *(uint64_t *)opaque = offset << 32 | value << 8 | size;
}

/* The caller's memory and devices, inside and outside; mappings that go and change. */
static void test_kinds(void **state)
{
    uint64_t *memory = aligned_alloc(4096, 4096), seen = 0;

    (void)state;
    EACH_MODE(m)
    {
        struct wide w = open_wide(m);
        static const uint64_t at[] = {0x200000, HIGH, 0x1000000000};

        LOAD(&w, CODE, WIDE(LD4, 1, 0, 16), WIDE(ST2, 2, 0, 8), WIDE(SYS, 0, 0, 0));
        for (unsigned n = 0; n < ARRAY_LEN(at); n++) {
            set(&w, 0, at[n]);
            set(&w, 2, 0x1234);
            assert_int_equal(
                nw_mem_map_mmio(w.engine, at[n], 0x1000, read_device, write_device, &seen), NW_OK);
            for (unsigned round = 0; round < 10; round++) {
                assert_int_equal(run(&w, CODE), NW_EXIT_SYSCALL);
                assert_int_equal(get(&w, 1), 0x1004);
                assert_int_equal(seen, 8ull << 32 | 0x1234 << 8 | 2);
            }
            assert_int_equal(nw_mem_unmap(w.engine, at[n], 0x1000), NW_OK);
            memset(memory, 0x55, 4096);
            assert_int_equal(nw_mem_map_ptr(w.engine, at[n], 0x1000, NW_RW, memory), NW_OK);
            for (unsigned round = 0; round < 10; round++) {
                assert_int_equal(run(&w, CODE), NW_EXIT_SYSCALL);
                assert_int_equal(get(&w, 1), 0x55555555);
                assert_int_equal(memory[1], 0x5555555555551234);
            }
            assert_int_equal(nw_mem_protect(w.engine, at[n], 0x1000, NW_READ), NW_OK);
            run(&w, CODE);
            expect_fault(&w, NW_ACCESS_WRITE, NW_FAULT_PERM, at[n] + 8);
            assert_int_equal(nw_mem_unmap(w.engine, at[n], 0x1000), NW_OK);
            run(&w, CODE);
            expect_fault(&w, NW_ACCESS_READ, NW_FAULT_UNMAPPED, at[n] + 16);
            assert_int_equal(nw_mem_map(w.engine, at[n], 0x1000, NW_RW), NW_OK);
            assert_int_equal(run(&w, CODE), NW_EXIT_SYSCALL);
            assert_int_equal(get(&w, 1), 0);
        }
        nw_engine_close(w.engine);
    }
    free(memory);
}

/* Mappings move into the window, out of it, and over its end. */
static void test_moves(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct wide w = open_wide(m);
        uint64_t end = window_end(&w);
        const uint64_t way[] = {0x400000,     HIGH, end - 0x1000, 0x500000,
                                end - 0x2000, end,  0x600000};

        assert_int_equal(nw_mem_map(w.engine, way[0], 0x2000, NW_RW), NW_OK);
        LOAD(&w, CODE, WIDE(LD8, 1, 0, 0), WIDE(ADDI, 1, 1, 1), WIDE(ST8, 1, 0, 0),
             WIDE(LD8, 2, 3, 0), WIDE(SYS, 0, 0, 0));
        poke(&w, way[0], 1);
        poke(&w, way[0] + 0x1ff8, 100);
        for (unsigned n = 1; n < ARRAY_LEN(way); n++) {
            assert_int_equal(mem_move(w.engine, way[n - 1], 0x2000, way[n], 0x2000), NW_OK);
            set(&w, 0, way[n]);
            set(&w, 3, way[n] + 0x1ff8);
            assert_int_equal(run(&w, CODE), NW_EXIT_SYSCALL);
            assert_int_equal(get(&w, 1), n + 1);
            assert_int_equal(get(&w, 2), 100);
            set(&w, 0, way[n - 1] - (n == 3 || n == 5 ? 0x1000 : 0));
            if (n != 5)
                assert_int_equal(run(&w, CODE), NW_EXIT_FAULT);
        }
        nw_engine_close(w.engine);
    }
}

static void test_window_size(void **state)
{
    nw_config config = {0};

    (void)state;
    for (uint64_t size = 1ull << 32; size <= 1ull << 40; size <<= 4) {
        struct wide w = {0};

        assert_int_equal(engine_open(&config, &wide_guest, &w.engine), NW_OK);
        assert_int_equal(mem_set_window(w.engine, size), NW_OK);
        assert_int_equal(mem_window(w.engine), size);
        assert_int_equal(nw_mem_map(w.engine, 0, 0x2000, NW_RWX), NW_OK);
        assert_int_equal(nw_mem_map(w.engine, DATA, 0x2000, NW_RW), NW_OK);
        assert_int_equal(mem_set_window(w.engine, size), NW_ERR_BUSY);
        assert_int_equal(nw_mem_map(w.engine, size - 0x2000, 0x4000, NW_RW), NW_OK);
        assert_int_equal(nw_vcpu_create(w.engine, &w.vcpu), NW_OK);
        check_widths(&w, size - 0x2000);
        check_widths(&w, size - 4);
        check_widths(&w, size);
        nw_engine_close(w.engine);
    }
    struct wide w = {0};
    assert_int_equal(engine_open(&config, &wide_guest, &w.engine), NW_OK);
    uint64_t before = mem_window(w.engine);
    assert_int_equal(mem_set_window(w.engine, 1ull << 47), NW_ERR_NOMEM);
    assert_int_equal(mem_window(w.engine), before);
    assert_int_equal(mem_set_window(w.engine, 0x1000), NW_ERR_ARG);
    assert_int_equal(mem_set_window(w.engine, -(1ull << 32)), NW_ERR_NOMEM);
    nw_engine_close(w.engine);
}

/* Thousands of engines in one process; beyond what fits, engines do without a window. */
static void test_many(void **state)
{
    enum { MANY = 4200 };
    nw_engine **all = calloc(MANY, sizeof *all);
    nw_config config = {0};
    unsigned windows = 0;

    (void)state;
    for (unsigned n = 0; n < MANY; n++) {
        assert_int_equal(engine_open(&config, &wide_guest, &all[n]), NW_OK);
        windows += mem_window(all[n]) != 0;
    }
    struct wide w = {.engine = all[MANY - 1]};
    assert_int_equal(nw_mem_map(w.engine, 0, 0x9000, NW_RWX), NW_OK);
    assert_int_equal(nw_vcpu_create(w.engine, &w.vcpu), NW_OK);
    check_widths(&w, 0x8000);
    for (unsigned n = 0; n < MANY; n++)
        nw_engine_close(all[n]);
    free(all);
    print_message("    %u of %u have a window\n", windows, MANY);
#ifndef __SANITIZE_THREAD__ /* which leaves less room */
    assert_true(windows >= 2000);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_widths), cmocka_unit_test(test_vectors),         cmocka_unit_test(test_top),
        cmocka_unit_test(test_atomics),        cmocka_unit_test(test_atomic_faults),
        cmocka_unit_test(test_atomic_threads), cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_displacement),   cmocka_unit_test(test_shared_checks),
        cmocka_unit_test(test_kinds),          cmocka_unit_test(test_mapped_meanwhile),
        cmocka_unit_test(test_code),           cmocka_unit_test(test_moves),
        cmocka_unit_test(test_window_size),    cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
