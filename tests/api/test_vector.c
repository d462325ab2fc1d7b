/* Vectors of 16 and 32 bytes in memory: every alignment, faults, devices, translated code. */
#include "toy.h"

#include <string.h>

#define HOLE       0x20000u /* the first address after the data pages */
#define SIZE(wide) ((wide) ? 32u : 16u)

static void fill(struct toy *t, uint32_t at, unsigned size, unsigned start)
{
    uint8_t bytes[128];

    for (unsigned n = 0; n < size; n++)
        bytes[n] = (uint8_t)(start + n * 5);
    assert_int_equal(nw_mem_write(t->engine, at, bytes, size), NW_OK);
}

static void expect_bytes(struct toy *t, uint32_t at, unsigned size, unsigned start, unsigned step)
{
    uint8_t bytes[128];

    assert_int_equal(nw_mem_read(t->engine, at, bytes, size), NW_OK);
    for (unsigned n = 0; n < size; n++)
        assert_int_equal(bytes[n], (uint8_t)(start + n * step));
}

static void expect_fault(struct toy *t, nw_access access, nw_fault fault, uint32_t addr)
{
    assert_int_equal(t->exit.reason, NW_EXIT_FAULT);
    assert_int_equal(t->exit.access, access);
    assert_int_equal(t->exit.fault, fault);
    assert_int_equal(t->exit.addr, addr);
}

/* Copies from r5 to r6: 16 bytes at COPY, 32 at COPY + 0x40. */
#define COPY TOY_CODE

static void load_copies(struct toy *t)
{
    TOY_LOAD(t, COPY, TOY(LDX, 1, 5, 0), TOY(STX, 1, 6, 0), TOY(SYS, 0, 0, 0));
    TOY_LOAD(t, COPY + 0x40, TOY(LDY, 1, 5, 0), TOY(STY, 1, 6, 0), TOY(SYS, 0, 0, 0));
}

static nw_exit_reason copy(struct toy *t, bool wide, uint32_t from, uint32_t to)
{
    toy_set(t, 5, from);
    toy_set(t, 6, to);
    return toy_run(t, wide ? COPY + 0x40 : COPY, 0);
}

static void test_alignments(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);
        uint32_t to = TOY_DATA + 0x4000;

        load_copies(&t);
        for (unsigned n = 0; n < 80; n++)
            for (unsigned wide = 0; wide < 2; wide++) {
                uint32_t from = TOY_DATA + 0x1000 - n;

                fill(&t, from - 8, 48, n);
                fill(&t, to + n - 8, 64, 100);
                assert_int_equal(copy(&t, wide, from, to + n), NW_EXIT_SYSCALL);
                expect_bytes(&t, to + n, SIZE(wide), n + 8 * 5, 5);
                expect_bytes(&t, to + n - 8, 8, 100, 5);
                expect_bytes(&t, to + n + SIZE(wide), 8, 100 + 5 * (8 + SIZE(wide)), 5);
                /* … and a store over a page's end. */
                assert_int_equal(copy(&t, wide, to, TOY_DATA + 0x3000 - n), NW_EXIT_SYSCALL);
            }
        toy_close(&t);
    }
}

/* Nothing is stored, and no register changes, when a part of the access faults. */
static void test_faults(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);

        load_copies(&t);
        TOY_LOAD(&t, COPY + 0x80, TOY(STY, 1, 6, 0), TOY(SYS, 0, 0, 0));
        for (unsigned round = 0; round < 40; round++) {
            bool wide = round & 1;
            unsigned part = 1 + round % (SIZE(wide) - 1);

            fill(&t, HOLE - 32, 32, 7);
            fill(&t, TOY_DATA, 32, round);
            copy(&t, wide, TOY_DATA, HOLE - part);
            expect_fault(&t, NW_ACCESS_WRITE, NW_FAULT_UNMAPPED, HOLE);
            expect_bytes(&t, HOLE - 32, 32, 7, 5);
            copy(&t, wide, HOLE - part, TOY_DATA);
            expect_fault(&t, NW_ACCESS_READ, NW_FAULT_UNMAPPED, HOLE);
            assert_int_equal(t.exit.pc, wide ? COPY + 0x40 : COPY);
            /* The register is as the first copy loaded it. */
            toy_set(&t, 6, TOY_DATA + 0x100);
            assert_int_equal(toy_run(&t, COPY + 0x80, 0), NW_EXIT_SYSCALL);
            expect_bytes(&t, TOY_DATA + 0x100, SIZE(wide), round, 5);
        }
        assert_int_equal(nw_mem_protect(t.engine, TOY_DATA + 0x1000, 0x1000, NW_READ), NW_OK);
        fill(&t, TOY_DATA + 0xff0, 48, 3);
        copy(&t, true, TOY_DATA, TOY_DATA + 0xff0);
        expect_fault(&t, NW_ACCESS_WRITE, NW_FAULT_PERM, TOY_DATA + 0x1000);
        copy(&t, true, TOY_DATA, TOY_DATA + 0x1ff0);
        expect_fault(&t, NW_ACCESS_WRITE, NW_FAULT_PERM, TOY_DATA + 0x1ff0);
        expect_bytes(&t, TOY_DATA + 0xff0, 48, 3, 5);
        copy(&t, true, 0xfffffff0, TOY_DATA);
        expect_fault(&t, NW_ACCESS_READ, NW_FAULT_UNMAPPED, 0xfffffff0);
        toy_close(&t);
    }
}

static void test_aligned(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);

        TOY_LOAD(&t, TOY_CODE, TOY(LDYA, 1, 5, 0), TOY(SYS, 0, 0, 0), TOY(STYA, 1, 5, 4),
                 TOY(SYS, 0, 0, 0));
        for (unsigned n = 0; n < 64; n++) {
            toy_set(&t, 5, TOY_DATA + n);
            toy_run(&t, TOY_CODE, 0);
            if (n % 32)
                expect_fault(&t, NW_ACCESS_READ, NW_FAULT_ALIGN, TOY_DATA + n);
            else
                assert_int_equal(t.exit.reason, NW_EXIT_SYSCALL);
            toy_run(&t, TOY_CODE + 8, 0);
            if ((n + 4) % 32)
                expect_fault(&t, NW_ACCESS_WRITE, NW_FAULT_ALIGN, TOY_DATA + n + 4);
            else
                assert_int_equal(t.exit.reason, NW_EXIT_SYSCALL);
        }
        toy_close(&t);
    }
}

/* ---- devices ---- */

struct device {
    uint8_t bytes[128];
    unsigned reads, writes;
};

static uint64_t device_read(void *opaque, uint64_t offset, unsigned size)
{
    struct device *d = opaque;
    uint64_t v = 0;

    assert_true(size <= 8 && offset % size == 0);
    memcpy(&v, d->bytes + offset, size);
    d->reads++;
    return v;
}

static void device_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct device *d = opaque;

    assert_true(size <= 8 && offset % size == 0);
    memcpy(d->bytes + offset, &value, size);
    d->writes++;
}

static void test_mmio(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);
        struct device d = {0};

        assert_int_equal(nw_mem_map_mmio(t.engine, HOLE, 0x1000, device_read, device_write, &d),
                         NW_OK);
        load_copies(&t);
        for (unsigned n = 0; n < 64; n++) {
            bool wide = n & 1;

            fill(&t, TOY_DATA, 32, n);
            assert_int_equal(copy(&t, wide, TOY_DATA, HOLE + n), NW_EXIT_SYSCALL);
            for (unsigned i = 0; i < SIZE(wide); i++)
                assert_int_equal(d.bytes[n + i], (uint8_t)(n + i * 5));
            assert_int_equal(copy(&t, wide, HOLE + n, TOY_DATA + 0x100), NW_EXIT_SYSCALL);
            expect_bytes(&t, TOY_DATA + 0x100, SIZE(wide), n, 5);
        }
        d.reads = d.writes = 0;
        assert_int_equal(copy(&t, true, HOLE + 32, HOLE), NW_EXIT_SYSCALL);
        assert_int_equal(d.reads, 4);
        assert_int_equal(d.writes, 4);
        /* Memory, then the device. */
        fill(&t, TOY_DATA, 32, 9);
        assert_int_equal(copy(&t, true, TOY_DATA, HOLE - 9), NW_EXIT_SYSCALL);
        expect_bytes(&t, HOLE - 9, 9, 9, 5);
        assert_int_equal(d.bytes[0], 9 + 9 * 5);
        toy_close(&t);
    }
}

/* Many vectors are live over accesses that go the slow way. */
static void test_live(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);
        struct device d = {0};
        uint32_t code[80], n = 0;

        assert_int_equal(nw_mem_map_mmio(t.engine, HOLE, 0x1000, device_read, device_write, &d),
                         NW_OK);
        for (unsigned v = 0; v < 16; v++)
            code[n++] = TOY(LDY, v, 5, 32 * v);
        code[n++] = TOY(LD, 1, 6, 0);
        for (unsigned v = 0; v < 16; v++)
            code[n++] = TOY(ADDY, v, v, (v + 1) & 15);
        code[n++] = TOY(ST, 1, 6, 8);
        for (unsigned v = 0; v < 16; v++)
            code[n++] = TOY(STY, v, 7, 32 * v);
        code[n++] = TOY(SYS, 0, 0, 0);
        toy_load(&t, TOY_CODE, code, n);
        for (unsigned i = 0; i < 128; i++)
            toy_poke(&t, TOY_DATA + 4 * i, i * 0x01010101);
        toy_set(&t, 5, TOY_DATA);
        toy_set(&t, 6, HOLE);
        toy_set(&t, 7, TOY_DATA + 0x1ff0);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        for (unsigned i = 0; i < 128; i++) {
            /* The last register is added to the first one's sum. */
            uint32_t next = i < 120 ? i + 8 : (i - 120) + (i - 112);

            assert_int_equal(toy_peek(&t, TOY_DATA + 0x1ff0 + 4 * i), (i + next) * 0x01010101);
        }
        toy_close(&t);
    }
}

/* Stores over code: of the block that runs, and of another over a page's end. */
static void test_code(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);

        TOY_LOAD(&t, 0x4000, TOY(LI, 1, 0, 1), TOY(SYS, 0, 0, 0));
        TOY_LOAD(&t, TOY_CODE, TOY(LDY, 2, 5, 0), TOY(ADDI, 4, 4, 1), TOY(STY, 2, 6, 0),
                 TOY(LI, 1, 0, 1), TOY(ADDI, 4, 4, 1), TOY(SYS, 0, 0, 0));
        for (unsigned round = 0; round < 12; round++) {
            uint32_t words[8] = {TOY(LI, 1, 0, round), TOY(ADDI, 4, 4, 1), TOY(SYS, 0, 0, 0)};

            toy_load(&t, TOY_DATA, words, 8);
            toy_set(&t, 4, 0);
            toy_set(&t, 5, TOY_DATA);
            toy_set(&t, 6, TOY_CODE + 12);
            assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
            assert_int_equal(toy_get(&t, 1), round);
            assert_int_equal(toy_get(&t, 4), 2);
        }
        for (unsigned round = 0; round < 12; round++) {
            uint32_t words[8] = {0, 0, 0, 0, TOY(LI, 1, 0, round), TOY(SYS, 0, 0, 0)};

            toy_run(&t, 0x4000, 0);
            toy_load(&t, TOY_DATA, words, 8);
            toy_set(&t, 5, TOY_DATA);
            toy_set(&t, 6, 0x4000 - 16);
            assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
            toy_run(&t, 0x4000, 0);
            assert_int_equal(toy_get(&t, 1), round);
        }
        toy_close(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alignments), cmocka_unit_test(test_faults),
        cmocka_unit_test(test_aligned),    cmocka_unit_test(test_mmio),
        cmocka_unit_test(test_live),       cmocka_unit_test(test_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
