/* Memory of 64-bit guests: the window, its two ends, what is mapped beyond it, and checks that
 * several accesses share. */
#include "wide.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "exec/engine.h"
#include "mem/space.h"

/* Every width at BASE, where 64 bytes are mapped. */
static void check_widths(struct wide *w, uint64_t base)
{
    WIDE_AT(w, WIDE_CODE, WIDE(LD1, 1, 0, 3), WIDE(LD2, 2, 0, 2), WIDE(LD4, 3, 0, 1),
            WIDE(LD8, 4, 0, 0), WIDE(LDS, 5, 0, 4), WIDE(ST1, 4, 0, 16), WIDE(ST2, 4, 0, 18),
            WIDE(ST4, 4, 0, 21), WIDE(ST8, 4, 0, 27), WIDE(LDX, 6, 0, 9 | 3 << 4),
            WIDE(STX, 6, 0, 9 | 2 << 4 | 40 << 6), WIDE(CAS, 7, 8, 4), WIDE(SYS, 0, 0, 0));
    for (unsigned n = 0; n < 64; n += 8)
        wide_poke(w, base + n, 0);
    wide_poke(w, base, 0x8877665544332211);
    wide_set(w, 0, base);
    wide_set(w, 7, 0x8877665544332211);
    wide_set(w, 8, base);
    wide_set(w, 9, 2);
    assert_int_equal(wide_run(w, WIDE_CODE), NW_EXIT_SYSCALL);
    assert_int_equal(wide_get(w, 1), 0x44);
    assert_int_equal(wide_get(w, 2), 0x4433);
    assert_int_equal(wide_get(w, 3), 0x55443322);
    assert_int_equal(wide_get(w, 4), 0x8877665544332211);
    assert_int_equal(wide_get(w, 5), 0xffffffff88776655);
    assert_int_equal(wide_get(w, 6), 0x3322110022110011);
    assert_int_equal(wide_get(w, 7), 0x8877665544332211);
    assert_int_equal(wide_peek(w, base), 0x8877665544332211);
    assert_int_equal(wide_peek(w, base + 27), 0x8877665544332211);
    assert_int_equal(wide_peek(w, base + 48), wide_get(w, 6));
}

/* Copies of 16 and 32 bytes to TO, and nothing beside it. */
static void check_vectors(struct wide *w, uint64_t to)
{
    uint8_t from[40], have[48];

    WIDE_AT(w, WIDE_CODE, WIDE(COPYX, 0, 1, 0), WIDE(SYS, 0, 0, 0), WIDE(COPYY, 0, 1, 8),
            WIDE(SYS, 0, 0, 0));
    for (unsigned n = 0; n < sizeof from; n++)
        from[n] = (uint8_t)(n * 7 + 1);
    assert_int_equal(nw_mem_write(w->engine, WIDE_DATA + 3, from, sizeof from), NW_OK);
    wide_set(w, 0, to);
    wide_set(w, 1, WIDE_DATA + 3);
    for (unsigned wide = 0; wide < 2; wide++) {
        unsigned size = wide ? 32 : 16;

        memset(have, 0xee, sizeof have);
        assert_int_equal(nw_mem_write(w->engine, to - 8, have, sizeof have), NW_OK);
        assert_int_equal(wide_run(w, WIDE_CODE + 8 * wide), NW_EXIT_SYSCALL);
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
        struct wide w = wide_open(m);
        uint64_t end = wide_window_end(&w);

        check_vectors(&w, WIDE_DATA + 0x100);
        assert_int_equal(nw_mem_map(w.engine, end - 0x1000, 0x2000, NW_RW), NW_OK);
        assert_int_equal(nw_mem_map(w.engine, WIDE_HIGH, 0x2000, NW_RW), NW_OK);
        assert_int_equal(nw_mem_map(w.engine, WIDE_TOP, 0x10000, NW_RW), NW_OK);
        for (unsigned n = 0; n < 64; n++) {
            check_vectors(&w, WIDE_DATA + 0x1000 - n);
            check_vectors(&w, end - n);
            check_vectors(&w, WIDE_HIGH + 0x1000 - n);
        }
        check_vectors(&w, UINT64_MAX - 47);
        for (unsigned n = 1; n < 32; n += 5) {
            uint8_t have[32], none[32] = {0};

            assert_int_equal(nw_mem_write(w.engine, WIDE_HIGH + 0x2000 - 32, none, 32), NW_OK);
            wide_set(&w, 0, WIDE_HIGH + 0x2000 - n);
            wide_run(&w, WIDE_CODE + 8);
            wide_expect_fault(&w, NW_ACCESS_WRITE, NW_FAULT_UNMAPPED, WIDE_HIGH + 0x2000);
            assert_int_equal(nw_mem_read(w.engine, WIDE_HIGH + 0x2000 - 32, have, 32), NW_OK);
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
        struct wide w = wide_open(m);
        uint64_t end = wide_window_end(&w);

        check_widths(&w, WIDE_DATA);
        check_widths(&w, WIDE_DATA + 0xfff0 - 64);
        assert_int_equal(nw_mem_map(w.engine, end - 0x1000, 0x2000, NW_RW), NW_OK);
        for (unsigned n = 0; n < 64; n++)
            check_widths(&w, end - n);
        assert_int_equal(nw_mem_map(w.engine, WIDE_HIGH, 0x2000, NW_RW), NW_OK);
        for (unsigned n = 0; n < 64; n++)
            check_widths(&w, WIDE_HIGH + 0x1000 - n);
        check_widths(&w, end - 64);
        assert_int_equal(nw_mem_map(w.engine, WIDE_TOP, 0x10000, NW_RW), NW_OK);
        check_widths(&w, UINT64_MAX - 63);
        check_widths(&w, WIDE_DATA + 8);
        nw_engine_close(w.engine);
    }
}

/* An access over 2^64 goes on at address 0, and is not half done. */
static void test_top(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct wide w = wide_open(m);

        assert_int_equal(nw_mem_map(w.engine, WIDE_TOP, 0x10000, NW_RW), NW_OK);
        WIDE_AT(&w, WIDE_CODE, WIDE(LD8, 1, 0, 0), WIDE(ST8, 2, 0, 0), WIDE(SYS, 0, 0, 0));
        for (unsigned round = 0; round < 20; round++) {
            wide_poke(&w, 0, 0x1111111111111111);
            wide_poke(&w, UINT64_MAX - 7, 0x2222222222222222);
            wide_set(&w, 0, UINT64_MAX - 3);
            wide_set(&w, 2, 0x8877665544332211);
            assert_int_equal(wide_run(&w, WIDE_CODE), NW_EXIT_SYSCALL);
            assert_int_equal(wide_get(&w, 1), 0x1111111122222222);
            assert_int_equal(wide_peek(&w, 0), 0x1111111188776655);
            assert_int_equal(wide_peek(&w, UINT64_MAX - 7), 0x4433221122222222);
        }
        assert_int_equal(nw_mem_protect(w.engine, 0, 0x1000, NW_READ), NW_OK);
        for (unsigned round = 0; round < 20; round++) {
            wide_run(&w, WIDE_CODE);
            wide_expect_fault(&w, NW_ACCESS_WRITE, NW_FAULT_PERM, 0);
            assert_int_equal(w.exit.pc, WIDE_CODE + 4);
        }
        assert_int_equal(nw_mem_unmap(w.engine, WIDE_TOP, 0x10000), NW_OK);
        wide_run(&w, WIDE_CODE);
        wide_expect_fault(&w, NW_ACCESS_READ, NW_FAULT_UNMAPPED, UINT64_MAX - 3);
        nw_engine_close(w.engine);
    }
}

static void test_ranges(void **state)
{
    struct wide w = wide_open(toy_modes);
    uint64_t at;

    (void)state;
    assert_int_equal(nw_mem_map(w.engine, WIDE_TOP, 0x20000, NW_RW), NW_ERR_RANGE);
    assert_int_equal(nw_mem_map(w.engine, WIDE_TOP, 0x10000, NW_RW), NW_OK);
    assert_int_equal(nw_mem_map(w.engine, UINT64_MAX - 0xfff, 0x1000, NW_RW), NW_ERR_OVERLAP);
    assert_int_equal(nw_mem_protect(w.engine, UINT64_MAX - 0xfff, 0x1000, NW_READ), NW_OK);
    assert_int_equal(nw_mem_protect(w.engine, WIDE_TOP, 0x10000, NW_RW), NW_OK);
    assert_true(mem_find_free(w.engine, 0x1000, 0, UINT64_MAX, 0x1000, &at));
    assert_int_equal(at, WIDE_TOP - 0x1000);
    assert_false(mem_find_free(w.engine, 0x1000, WIDE_TOP, UINT64_MAX, 0x1000, &at));
    assert_int_equal(nw_mem_unmap(w.engine, UINT64_MAX - 0xfff, 0x1000), NW_OK);
    assert_false(mem_is_free(w.engine, WIDE_TOP, 0x10000));
    assert_true(mem_is_free(w.engine, UINT64_MAX - 0xfff, 0x1000));
    /* More than one annex of the usual size. */
    for (uint64_t n = 0; n < 4; n++)
        assert_int_equal(nw_mem_map(w.engine, WIDE_HIGH + (n << 35), 12ull << 30, NW_RW), NW_OK);
    assert_int_equal(nw_mem_map(w.engine, 1ull << 44, 1ull << 40, NW_RW), NW_OK);
    wide_poke(&w, (1ull << 44) + (1ull << 40) - 8, 5);
    assert_int_equal(wide_peek(&w, (1ull << 44) + (1ull << 40) - 8), 5);
    nw_engine_close(w.engine);
}

/* A base in the window with displacements that lead out of it, and the other way round. */
static void test_displacement(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct wide w = wide_open(m);
        uint64_t end = wide_window_end(&w), far = 0x7fff0000;

        WIDE_AT(&w, WIDE_CODE, WIDE(LDF, 1, 0, 0x7fff), WIDE(LDF, 2, 0, 0x8000),
                WIDE(SYS, 0, 0, 0));
        WIDE_AT(&w, WIDE_CODE + 0x100, WIDE(LDF, 2, 0, 0x8000), WIDE(LDF, 1, 0, 0x7fff),
                WIDE(SYS, 0, 0, 0));
        for (unsigned round = 0; round < 12; round++) {
            wide_set(&w, 0, end - 8);
            wide_run(&w, WIDE_CODE);
            wide_expect_fault(&w, NW_ACCESS_READ, NW_FAULT_UNMAPPED, end - 8 + far);
            wide_set(&w, 0, 16);
            wide_run(&w, WIDE_CODE + 0x100);
            wide_expect_fault(&w, NW_ACCESS_READ, NW_FAULT_UNMAPPED, 16 - 0x80000000ull);
            wide_set(&w, 0, end);
            wide_run(&w, WIDE_CODE + 0x100);
            wide_expect_fault(&w, NW_ACCESS_READ, NW_FAULT_UNMAPPED, end - 0x80000000ull);
            wide_set(&w, 0, 1ull << 46);
            wide_run(&w, WIDE_CODE + 0x100);
            wide_expect_fault(&w, NW_ACCESS_READ, NW_FAULT_UNMAPPED, (1ull << 46) - 0x80000000ull);
            assert_int_equal(w.exit.pc, WIDE_CODE + 0x100);
        }
        assert_int_equal(nw_mem_map(w.engine, (end - 8 + far) & ~0xfffull, 0x2000, NW_RW), NW_OK);
        assert_int_equal(nw_mem_map(w.engine, (end - 8 - 0x80000000ull) & ~0xfffull, 0x2000, NW_RW),
                         NW_OK);
        assert_int_equal(nw_mem_map(w.engine, -0x80000000ull, 0x2000, NW_RW), NW_OK);
        assert_int_equal(nw_mem_map(w.engine, far, 0x2000, NW_RW), NW_OK);
        wide_poke(&w, end - 8 + far, 1);
        wide_poke(&w, end - 8 - 0x80000000ull, 2);
        wide_poke(&w, -0x80000000ull, 3);
        wide_poke(&w, far, 4);
        for (unsigned round = 0; round < 12; round++) {
            wide_set(&w, 0, end - 8);
            assert_int_equal(wide_run(&w, round & 1 ? WIDE_CODE : WIDE_CODE + 0x100),
                             NW_EXIT_SYSCALL);
            assert_int_equal(wide_get(&w, 1), 1);
            assert_int_equal(wide_get(&w, 2), 2);
            wide_set(&w, 0, 0);
            assert_int_equal(wide_run(&w, round & 1 ? WIDE_CODE : WIDE_CODE + 0x100),
                             NW_EXIT_SYSCALL);
            assert_int_equal(wide_get(&w, 1), 4);
            assert_int_equal(wide_get(&w, 2), 3);
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
        struct wide w = wide_open(m);

        WIDE_AT(&w, WIDE_CODE, WIDE(LD8, 1, 0, 0), WIDE(ADDI, 0, 0, 8), WIDE(LD8, 2, 0, 0),
                WIDE(ADDI, 1, 1, 1), WIDE(ST8, 1, 0, 8), WIDE(PUSH, 2, 0, 0), WIDE(PUSH, 1, 0, 0),
                WIDE(COPY, 5, 0, 0), WIDE(LD32, 6, 0, 8), WIDE(LDX, 7, 0, 9 | 2 << 4),
                WIDE(SYS, 0, 0, 0));
        wide_poke(&w, 8, 77);
        for (unsigned round = 0; round < 30; round++) {
            static const uint64_t bases[] = {WIDE_DATA + 8, WIDE_DATA + 0x800, WIDE_HIGH + 8,
                                             WIDE_DATA + 0xff0, WIDE_TOP + 8};
            uint64_t base = bases[round % 5];
            bool mapped = round >= 10 || base < WIDE_HIGH;

            if (round == 10) {
                assert_int_equal(nw_mem_map(w.engine, WIDE_HIGH, 0x1000, NW_RW), NW_OK);
                assert_int_equal(nw_mem_map(w.engine, WIDE_TOP, 0x10000, NW_RW), NW_OK);
                assert_int_equal(nw_mem_map(w.engine, (uint32_t)WIDE_HIGH, 0x1000, NW_RW), NW_OK);
                assert_int_equal(nw_mem_map(w.engine, (uint32_t)WIDE_TOP, 0x1000, NW_RW), NW_OK);
            }
            if (mapped) {
                wide_poke(&w, base, 0x1234);
                wide_poke(&w, base + 8, 0x5678);
                wide_poke(&w, base + 24, 5);
            }
            wide_set(&w, 0, base);
            wide_set(&w, 1, 99);
            wide_set(&w, 5, WIDE_DATA + 0x100);
            wide_set(&w, 9, 6);
            wide_run(&w, WIDE_CODE);
            if (!mapped) {
                wide_expect_fault(&w, NW_ACCESS_READ, NW_FAULT_UNMAPPED, base);
                assert_int_equal(wide_get(&w, 0), base);
                assert_int_equal(wide_get(&w, 1), 99);
                continue;
            }
            assert_int_equal(w.exit.reason, NW_EXIT_SYSCALL);
            assert_int_equal(wide_get(&w, 0), base - 8);
            assert_int_equal(wide_get(&w, 2), 0x5678);
            assert_int_equal(wide_peek(&w, base + 16), 0x1235);
            assert_int_equal(wide_peek(&w, base), 0x5678);
            assert_int_equal(wide_peek(&w, base - 8), 0x1235);
            assert_int_equal(wide_peek(&w, WIDE_DATA + 0x100), 0x1235);
            assert_int_equal(wide_get(&w, 7), 0x1235);
        }
        nw_engine_close(w.engine);
    }
}

static struct wide *mapper;

static uint64_t map_high(void *opaque, uint64_t offset, unsigned size)
{
    (void)opaque, (void)offset, (void)size;
    if (nw_mem_map(mapper->engine, WIDE_HIGH, 0x1000, NW_RW) == NW_OK)
        wide_poke(mapper, WIDE_HIGH, 42);
    return WIDE_HIGH;
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
        struct wide w = wide_open(m);

        mapper = &w;
        assert_int_equal(nw_mem_map_mmio(w.engine, 0x100000, 0x1000, map_high, ignore_write, NULL),
                         NW_OK);
        WIDE_AT(&w, WIDE_CODE, WIDE(LD8, 1, 0, 0), WIDE(LD8, 2, 1, 0), WIDE(ADDI, 2, 2, 1),
                WIDE(ST8, 2, 1, 0), WIDE(LD8, 3, 1, 0), WIDE(SYS, 0, 0, 0));
        wide_set(&w, 0, 0x100000);
        for (unsigned round = 0; round < 10; round++) {
            assert_int_equal(wide_run(&w, WIDE_CODE), NW_EXIT_SYSCALL);
            assert_int_equal(wide_get(&w, 1), WIDE_HIGH);
            assert_int_equal(wide_get(&w, 3), 43 + round);
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
        struct wide w = wide_open(m);

        assert_int_equal(nw_mem_map(w.engine, WIDE_HIGH, 0x1000, NW_RWX), NW_OK);
        for (unsigned round = 0; round < 8; round++) {
            uint64_t at = round & 1 ? WIDE_HIGH : WIDE_CODE;

            WIDE_AT(&w, at, WIDE(LI, 1, 0, 1), WIDE(ST4, 2, 3, 12), WIDE(ADDI, 1, 1, 1),
                    WIDE(LI, 1, 0, 5), WIDE(SYS, 0, 0, 7));
            wide_set(&w, 2, WIDE(ADDI, 1, 1, 16));
            wide_set(&w, 3, at);
            assert_int_equal(wide_run(&w, at), NW_EXIT_SYSCALL);
            assert_int_equal(wide_get(&w, 1), 18);
            wide_set(&w, 2, WIDE(LI, 1, 0, 9));
            assert_int_equal(wide_run(&w, at), NW_EXIT_SYSCALL);
            assert_int_equal(wide_get(&w, 1), 9);
        }
        wide_run(&w, WIDE_HIGH + 0x2000);
        wide_expect_fault(&w, NW_ACCESS_FETCH, NW_FAULT_UNMAPPED, WIDE_HIGH + 0x2000);
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
        struct wide w = wide_open(m);
        static const uint64_t at[] = {0x200000, WIDE_HIGH, 0x1000000000};

        WIDE_AT(&w, WIDE_CODE, WIDE(LD4, 1, 0, 16), WIDE(ST2, 2, 0, 8), WIDE(SYS, 0, 0, 0));
        for (unsigned n = 0; n < ARRAY_LEN(at); n++) {
            wide_set(&w, 0, at[n]);
            wide_set(&w, 2, 0x1234);
            assert_int_equal(
                nw_mem_map_mmio(w.engine, at[n], 0x1000, read_device, write_device, &seen), NW_OK);
            for (unsigned round = 0; round < 10; round++) {
                assert_int_equal(wide_run(&w, WIDE_CODE), NW_EXIT_SYSCALL);
                assert_int_equal(wide_get(&w, 1), 0x1004);
                assert_int_equal(seen, 8ull << 32 | 0x1234 << 8 | 2);
            }
            assert_int_equal(nw_mem_unmap(w.engine, at[n], 0x1000), NW_OK);
            memset(memory, 0x55, 4096);
            assert_int_equal(nw_mem_map_ptr(w.engine, at[n], 0x1000, NW_RW, memory), NW_OK);
            for (unsigned round = 0; round < 10; round++) {
                assert_int_equal(wide_run(&w, WIDE_CODE), NW_EXIT_SYSCALL);
                assert_int_equal(wide_get(&w, 1), 0x55555555);
                assert_int_equal(memory[1], 0x5555555555551234);
            }
            assert_int_equal(nw_mem_protect(w.engine, at[n], 0x1000, NW_READ), NW_OK);
            wide_run(&w, WIDE_CODE);
            wide_expect_fault(&w, NW_ACCESS_WRITE, NW_FAULT_PERM, at[n] + 8);
            assert_int_equal(nw_mem_unmap(w.engine, at[n], 0x1000), NW_OK);
            wide_run(&w, WIDE_CODE);
            wide_expect_fault(&w, NW_ACCESS_READ, NW_FAULT_UNMAPPED, at[n] + 16);
            assert_int_equal(nw_mem_map(w.engine, at[n], 0x1000, NW_RW), NW_OK);
            assert_int_equal(wide_run(&w, WIDE_CODE), NW_EXIT_SYSCALL);
            assert_int_equal(wide_get(&w, 1), 0);
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
        struct wide w = wide_open(m);
        uint64_t end = wide_window_end(&w);
        const uint64_t way[] = {0x400000,     WIDE_HIGH, end - 0x1000, 0x500000,
                                end - 0x2000, end,       0x600000};

        assert_int_equal(nw_mem_map(w.engine, way[0], 0x2000, NW_RW), NW_OK);
        WIDE_AT(&w, WIDE_CODE, WIDE(LD8, 1, 0, 0), WIDE(ADDI, 1, 1, 1), WIDE(ST8, 1, 0, 0),
                WIDE(LD8, 2, 3, 0), WIDE(SYS, 0, 0, 0));
        wide_poke(&w, way[0], 1);
        wide_poke(&w, way[0] + 0x1ff8, 100);
        for (unsigned n = 1; n < ARRAY_LEN(way); n++) {
            assert_int_equal(mem_move(w.engine, way[n - 1], 0x2000, way[n], 0x2000), NW_OK);
            wide_set(&w, 0, way[n]);
            wide_set(&w, 3, way[n] + 0x1ff8);
            assert_int_equal(wide_run(&w, WIDE_CODE), NW_EXIT_SYSCALL);
            assert_int_equal(wide_get(&w, 1), n + 1);
            assert_int_equal(wide_get(&w, 2), 100);
            wide_set(&w, 0, way[n - 1] - (n == 3 || n == 5 ? 0x1000 : 0));
            if (n != 5)
                assert_int_equal(wide_run(&w, WIDE_CODE), NW_EXIT_FAULT);
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
        assert_int_equal(nw_mem_map(w.engine, WIDE_DATA, 0x2000, NW_RW), NW_OK);
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
        cmocka_unit_test(test_widths),       cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_top),          cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_displacement), cmocka_unit_test(test_shared_checks),
        cmocka_unit_test(test_kinds),        cmocka_unit_test(test_mapped_meanwhile),
        cmocka_unit_test(test_code),         cmocka_unit_test(test_moves),
        cmocka_unit_test(test_window_size),  cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
