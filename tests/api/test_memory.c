/* Guest accesses: widths, byte orders, faults with exact state, MMIO, the TLB and its victims. */
#include "toy.h"

#include <string.h>

#define HOLE 0x20000u /* the first address after the data pages */

static void test_widths(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);

        toy_poke(&t, TOY_DATA, 0x8899aabb);
        toy_poke(&t, TOY_DATA + 4, 0x11223344);
        TOY_LOAD(&t, TOY_CODE, TOY(LD, 1, 0, 0), TOY(LDH, 2, 0, 0), TOY(LDB, 3, 0, 3),
                 TOY(LDBE, 4, 0, 0), TOY(LDQ, 5, 0, 0), TOY(LD, 7, 0, 1), TOY(ST, 7, 0, 0x10),
                 TOY(STH, 7, 0, 0x14), TOY(STB, 7, 0, 0x18), TOY(STBE, 7, 0, 0x1c),
                 TOY(STQ, 5, 0, 0x21), TOY(LDQ, 8, 0, 0x21), TOY(SYS, 0, 0, 0));
        toy_set(&t, 0, TOY_DATA);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        assert_int_equal(toy_get(&t, 1), 0x8899aabb);
        assert_int_equal(toy_get(&t, 2), 0xffffaabb);
        assert_int_equal(toy_get(&t, 3), 0x88);
        assert_int_equal(toy_get(&t, 4), 0xbbaa9988);
        assert_int_equal(toy_get(&t, 5), 0x8899aabb);
        assert_int_equal(toy_get(&t, 6), 0x11223344);
        assert_int_equal(toy_get(&t, 7), 0x448899aa);
        assert_int_equal(toy_peek(&t, TOY_DATA + 0x10), 0x448899aa);
        assert_int_equal(toy_peek(&t, TOY_DATA + 0x14), 0x99aa);
        assert_int_equal(toy_peek(&t, TOY_DATA + 0x18), 0xaa);
        assert_int_equal(toy_peek(&t, TOY_DATA + 0x1c), 0xaa998844);
        assert_int_equal(toy_get(&t, 8), 0x8899aabb);
        assert_int_equal(toy_get(&t, 9), 0x11223344);
        toy_close(&t);
    }
}

static void expect_fault(struct toy *t, nw_access access, nw_fault fault, uint32_t addr)
{
    assert_int_equal(t->exit.reason, NW_EXIT_FAULT);
    assert_int_equal(t->exit.access, access);
    assert_int_equal(t->exit.fault, fault);
    assert_int_equal(t->exit.addr, addr);
}

/* At a fault everything before the instruction is done, nothing of it and after it. */
static void test_precise_faults(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);

        TOY_LOAD(&t, TOY_CODE, TOY(ADDI, 1, 1, 1), TOY(ADDI, 2, 1, 1), TOY(ADDI, 8, 2, 1),
                 TOY(LD, 2, 5, 4), TOY(ADDI, 1, 1, 1), TOY(ST, 8, 6, 8), TOY(ADDI, 8, 8, 1),
                 TOY(SYS, 0, 0, 0));
        toy_set(&t, 5, HOLE);
        toy_set(&t, 6, TOY_DATA);
        toy_run(&t, TOY_CODE, 0);
        expect_fault(&t, NW_ACCESS_READ, NW_FAULT_UNMAPPED, HOLE + 4);
        assert_int_equal(t.exit.pc, TOY_CODE + 12);
        assert_int_equal(t.exit.size, 4);
        assert_int_equal(toy_get(&t, 1), 1);
        assert_int_equal(toy_get(&t, 2), 2);
        assert_int_equal(toy_get(&t, 8), 3);
        /* The same code with good addresses, then with a read-only target. */
        toy_set(&t, 5, TOY_DATA);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        assert_int_equal(nw_mem_protect(t.engine, TOY_DATA + 0x1000, 0x1000, NW_READ), NW_OK);
        toy_set(&t, 6, TOY_DATA + 0x1000);
        toy_set(&t, 1, 10);
        toy_run(&t, TOY_CODE, 0);
        expect_fault(&t, NW_ACCESS_WRITE, NW_FAULT_PERM, TOY_DATA + 0x1008);
        assert_int_equal(t.exit.pc, TOY_CODE + 20);
        assert_int_equal(toy_get(&t, 1), 12);
        assert_int_equal(toy_get(&t, 8), 13);
        assert_int_equal(toy_peek(&t, TOY_DATA + 0x1008), 0);
        /* Repeated: the access site has become a slow one by then. */
        for (unsigned i = 0; i < 40; i++) {
            toy_run(&t, TOY_CODE, 0);
            expect_fault(&t, NW_ACCESS_WRITE, NW_FAULT_PERM, TOY_DATA + 0x1008);
        }
        toy_set(&t, 6, TOY_DATA + 0x2000);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        assert_int_equal(toy_peek(&t, TOY_DATA + 0x2008), toy_get(&t, 8) - 1);
        toy_close(&t);
    }
}

static void test_permissions(void **state)
{
    static const uint32_t perms[] = {0, NW_READ, NW_WRITE, NW_EXEC, NW_RW, NW_RX, NW_RWX};

    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);

        TOY_LOAD(&t, TOY_CODE, TOY(LD, 1, 5, 0), TOY(SYS, 0, 0, 0), TOY(ST, 2, 5, 0),
                 TOY(SYS, 0, 0, 0));
        toy_set(&t, 5, TOY_DATA);
        toy_poke(&t, TOY_DATA, TOY(SYS, 0, 0, 1));
        for (unsigned round = 0; round < 3; round++) {
            for (unsigned i = 0; i < ARRAY_LEN(perms); i++) {
                toy_set(&t, 2, TOY(SYS, 0, 0, 1));
                assert_int_equal(nw_mem_protect(t.engine, TOY_DATA, 0x1000, perms[i]), NW_OK);
                toy_run(&t, TOY_CODE, 0);
                if (perms[i] & NW_READ)
                    assert_int_equal(t.exit.reason, NW_EXIT_SYSCALL);
                else
                    expect_fault(&t, NW_ACCESS_READ, NW_FAULT_PERM, TOY_DATA);
                toy_run(&t, TOY_CODE + 8, 0);
                if (perms[i] & NW_WRITE)
                    assert_int_equal(t.exit.reason, NW_EXIT_SYSCALL);
                else
                    expect_fault(&t, NW_ACCESS_WRITE, NW_FAULT_PERM, TOY_DATA);
                toy_run(&t, TOY_DATA, 0);
                if (perms[i] & NW_EXEC)
                    assert_int_equal(t.exit.reason, NW_EXIT_SYSCALL);
                else
                    expect_fault(&t, NW_ACCESS_FETCH, NW_FAULT_PERM, TOY_DATA);
                /* The debugger may always. */
                assert_int_equal(toy_peek(&t, TOY_DATA), TOY(SYS, 0, 0, 1));
                toy_poke(&t, TOY_DATA + 4, i);
                assert_int_equal(toy_peek(&t, TOY_DATA + 4), i);
            }
        }
        toy_close(&t);
    }
}

/* Both pages are checked before either is written; the fault's address is the bad page's. */
static void test_page_crossing(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);

        TOY_LOAD(&t, TOY_CODE, TOY(ST, 1, 5, 0), TOY(LD, 2, 5, 0), TOY(SYS, 0, 0, 0));
        toy_set(&t, 1, 0x11223344);
        for (uint32_t at = TOY_DATA + 0xffd; at < TOY_DATA + 0x1003; at++) {
            toy_set(&t, 5, at);
            assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
            assert_int_equal(toy_get(&t, 2), 0x11223344);
        }
        toy_poke(&t, HOLE - 4, 0);
        toy_set(&t, 5, HOLE - 2);
        toy_run(&t, TOY_CODE, 0);
        expect_fault(&t, NW_ACCESS_WRITE, NW_FAULT_UNMAPPED, HOLE);
        assert_int_equal(t.exit.pc, TOY_CODE);
        assert_int_equal(toy_peek(&t, HOLE - 4), 0);
        assert_int_equal(nw_mem_protect(t.engine, TOY_DATA + 0x2000, 0x1000, NW_READ), NW_OK);
        toy_set(&t, 5, TOY_DATA + 0x1ffe);
        toy_run(&t, TOY_CODE, 0);
        expect_fault(&t, NW_ACCESS_WRITE, NW_FAULT_PERM, TOY_DATA + 0x2000);
        assert_int_equal(toy_peek(&t, TOY_DATA + 0x1ffc), 0);
        /* From below: the first page is the bad one. */
        toy_set(&t, 5, TOY_DATA - 2);
        toy_run(&t, TOY_CODE, 0);
        expect_fault(&t, NW_ACCESS_WRITE, NW_FAULT_UNMAPPED, TOY_DATA - 2);
        /* The last bytes of the address space. */
        toy_set(&t, 5, 0xfffffffe);
        toy_run(&t, TOY_CODE, 0);
        expect_fault(&t, NW_ACCESS_WRITE, NW_FAULT_UNMAPPED, 0xfffffffe);
        toy_close(&t);
    }
}

static void test_alignment(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);

        TOY_LOAD(&t, TOY_CODE, TOY(LDA, 2, 5, 0), TOY(SYS, 0, 0, 0));
        toy_set(&t, 5, TOY_DATA + 2);
        toy_run(&t, TOY_CODE, 0);
        expect_fault(&t, NW_ACCESS_READ, NW_FAULT_ALIGN, TOY_DATA + 2);
        assert_int_equal(t.exit.pc, TOY_CODE);
        toy_set(&t, 5, TOY_DATA + 4);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        /* Alignment comes before the mapping. */
        toy_set(&t, 5, HOLE + 1);
        toy_run(&t, TOY_CODE, 0);
        expect_fault(&t, NW_ACCESS_READ, NW_FAULT_ALIGN, HOLE + 1);
        toy_close(&t);
    }
}

static void test_cas(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);

        TOY_LOAD(&t, TOY_CODE, TOY(CAS, 1, 5, 2), TOY(SYS, 0, 0, 0));
        toy_set(&t, 5, TOY_DATA);
        toy_poke(&t, TOY_DATA, 7);
        toy_set(&t, 1, 7);
        toy_set(&t, 2, 9);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        assert_int_equal(toy_peek(&t, TOY_DATA), 9);
        assert_int_equal(toy_get(&t, 1), 7);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        assert_int_equal(toy_peek(&t, TOY_DATA), 9);
        assert_int_equal(toy_get(&t, 1), 9);
        assert_int_equal(nw_mem_protect(t.engine, TOY_DATA, 0x1000, NW_READ), NW_OK);
        for (unsigned i = 0; i < 20; i++) {
            toy_run(&t, TOY_CODE, 0);
            expect_fault(&t, NW_ACCESS_WRITE, NW_FAULT_PERM, TOY_DATA);
        }
        /* Unaligned, and over a page's end: done or not as a whole. */
        for (unsigned i = 0; i < 20; i++) {
            uint32_t at = TOY_DATA + 0x2ffa + i % 6;

            toy_poke(&t, at, 9);
            toy_set(&t, 1, 9);
            toy_set(&t, 5, at);
            assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
            assert_int_equal(toy_peek(&t, at), toy_get(&t, 2));
        }
        toy_set(&t, 5, TOY_DATA + 0xffd);
        toy_run(&t, TOY_CODE, 0);
        expect_fault(&t, NW_ACCESS_WRITE, NW_FAULT_PERM, TOY_DATA + 0xffd);
        toy_close(&t);
    }
}

/* ---- MMIO ---- */

struct device {
    struct {
        uint64_t offset, value;
        unsigned size;
        bool write;
    } log[16];
    unsigned n;
    struct toy *toy; /* set: a read maps a page, as a device may */
};

static uint64_t device_read(void *opaque, uint64_t offset, unsigned size)
{
    struct device *d = opaque;

    if (d->n < 16)
        d->log[d->n].offset = offset, d->log[d->n].size = size, d->log[d->n].write = false;
    d->n++;
    if (d->toy)
        assert_int_equal(nw_mem_map(d->toy->engine, 0x900000, 0x1000, NW_RW), NW_OK);
    return 0x8877665544332211ull + offset;
}

static void device_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct device *d = opaque;

    if (d->n < 16)
        d->log[d->n].offset = offset, d->log[d->n].size = size, d->log[d->n].write = true,
        d->log[d->n].value = value;
    d->n++;
}

static void expect_io(const struct device *d, unsigned i, uint64_t offset, unsigned size)
{
    assert_true(i < d->n);
    assert_int_equal(d->log[i].offset, offset);
    assert_int_equal(d->log[i].size, size);
}

static void test_mmio(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);
        struct device d = {0};

        assert_int_equal(nw_mem_map_mmio(t.engine, HOLE, 0x2000, device_read, device_write, &d),
                         NW_OK);
        TOY_LOAD(&t, TOY_CODE, TOY(LD, 1, 5, 0), TOY(LDB, 2, 5, 1), TOY(LDH, 3, 5, 2),
                 TOY(LDQ, 8, 5, 8), TOY(ST, 6, 5, 0x10), TOY(STBE, 6, 5, 0x14),
                 TOY(STB, 6, 5, 0x18), TOY(SYS, 0, 0, 0));
        toy_set(&t, 5, HOLE);
        toy_set(&t, 6, 0xa1b2c3d4);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        assert_int_equal(d.n, 7);
        expect_io(&d, 0, 0, 4);
        expect_io(&d, 1, 1, 1);
        expect_io(&d, 2, 2, 2);
        expect_io(&d, 3, 8, 8);
        assert_int_equal(toy_get(&t, 1), 0x44332211);
        assert_int_equal(toy_get(&t, 2), 0x12);
        assert_int_equal(toy_get(&t, 3), 0x2213);
        assert_int_equal(toy_get(&t, 8), 0x44332219);
        assert_int_equal(toy_get(&t, 9), 0x88776655);
        expect_io(&d, 4, 0x10, 4);
        assert_int_equal(d.log[4].value, 0xa1b2c3d4);
        assert_int_equal(d.log[5].value, 0xd4c3b2a1);
        assert_int_equal(d.log[6].value, 0xd4);
        /* Unaligned: 1 + 2 + 1 bytes, ascending. */
        d.n = 0;
        toy_set(&t, 5, HOLE + 1);
        TOY_LOAD(&t, TOY_CODE, TOY(LD, 1, 5, 0), TOY(ST, 6, 5, 0), TOY(SYS, 0, 0, 0));
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        assert_int_equal(d.n, 6);
        expect_io(&d, 0, 1, 1);
        expect_io(&d, 1, 2, 2);
        expect_io(&d, 2, 4, 1);
        assert_int_equal(toy_get(&t, 1), 0x15221312);
        assert_int_equal(d.log[3].value, 0xd4);
        assert_int_equal(d.log[4].value, 0xb2c3);
        assert_int_equal(d.log[5].value, 0xa1);
        /* Half memory, half device; a fault on the far side keeps the device untouched. */
        d.n = 0;
        toy_set(&t, 5, HOLE - 2);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        assert_int_equal(d.n, 2);
        assert_int_equal(toy_peek(&t, HOLE - 4) >> 16, 0xc3d4);
        d.n = 0;
        toy_set(&t, 5, HOLE + 0x1ffe);
        toy_run(&t, TOY_CODE, 0);
        expect_fault(&t, NW_ACCESS_READ, NW_FAULT_UNMAPPED, HOLE + 0x2000);
        assert_int_equal(d.n, 0);
        /* No code from devices; no debugger access. */
        toy_run(&t, HOLE, 0);
        expect_fault(&t, NW_ACCESS_FETCH, NW_FAULT_PERM, HOLE);
        assert_int_equal(nw_mem_read(t.engine, HOLE - 4, &(uint64_t){0}, 8), NW_ERR_UNMAPPED);
        /* Many times over, and a callback that changes the map. */
        TOY_LOAD(&t, TOY_CODE, TOY(ADDI, 1, 1, -1), TOY(LD, 2, 5, 0), TOY(BNE, 1, 0, -2),
                 TOY(SYS, 0, 0, 0));
        toy_set(&t, 5, HOLE);
        toy_set(&t, 1, 100);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        assert_int_equal(d.n, 100);
        d.toy = &t;
        toy_set(&t, 1, 1);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        toy_poke(&t, 0x900000, 1);
        /* Part of it goes: offsets still count from the region's start. */
        d.toy = NULL;
        d.n = 0;
        assert_int_equal(nw_mem_unmap(t.engine, HOLE, 0x1000), NW_OK);
        toy_set(&t, 5, HOLE + 0x1000);
        toy_set(&t, 1, 1);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        expect_io(&d, 0, 0x1000, 4);
        toy_close(&t);
    }
}

static void test_caller_memory(void **state)
{
    static _Alignas(4096) uint32_t mine[2048];

    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);

        memset(mine, 0, sizeof mine);
        mine[1] = 42;
        assert_int_equal(nw_mem_map_ptr(t.engine, 0x400000, sizeof mine, NW_RW, mine), NW_OK);
        TOY_LOAD(&t, TOY_CODE, TOY(LD, 2, 5, 4), TOY(ADDI, 2, 2, 1), TOY(ST, 2, 5, 4),
                 TOY(ADDI, 1, 1, -1), TOY(BNE, 1, 0, -4), TOY(SYS, 0, 0, 0));
        toy_set(&t, 5, 0x400000);
        toy_set(&t, 1, 1000);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        assert_int_equal(mine[1], 1042);
        assert_int_equal(toy_peek(&t, 0x400004), 1042);
        /* The first page only. */
        assert_int_equal(nw_mem_unmap(t.engine, 0x400000, 0x1000), NW_OK);
        toy_run(&t, TOY_CODE, 0);
        expect_fault(&t, NW_ACCESS_READ, NW_FAULT_UNMAPPED, 0x400004);
        toy_set(&t, 5, 0x401000);
        toy_set(&t, 1, 5);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        assert_int_equal(mine[1025], 5);
        toy_close(&t);
    }
}

/* The TLB serves repeated accesses; two pages of one set share the victim TLB. */
static void test_tlb(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);
        uint32_t stride = TLB_SIZE * 0x1000;
        uint64_t before, misses;

        if (toy_has_arena(m)) {
            toy_close(&t);
            continue;
        }
        for (unsigned i = 1; i < 8; i++)
            assert_int_equal(nw_mem_map(t.engine, TOY_DATA + i * stride, 0x1000, NW_RW), NW_OK);
        TOY_LOAD(&t, TOY_CODE, TOY(LD, 2, 5, 0), TOY(ST, 2, 6, 0), TOY(ADDI, 1, 1, -1),
                 TOY(BNE, 1, 0, -3), TOY(SYS, 0, 0, 0));
        toy_set(&t, 5, TOY_DATA);
        toy_set(&t, 6, TOY_DATA + 0x1000);
        toy_set(&t, 1, 1000);
        before = toy_stats(&t).tlb_misses;
        toy_run(&t, TOY_CODE, 0);
        misses = toy_stats(&t).tlb_misses - before;
        assert_true(misses >= 2 && misses < 10);
        for (unsigned ways = 1; ways < 8; ways++) {
            toy_set(&t, 6, TOY_DATA + ways * stride);
            toy_set(&t, 1, 1000);
            before = toy_stats(&t).tlb_misses;
            toy_run(&t, TOY_CODE, 0);
            assert_true(toy_stats(&t).tlb_misses - before < 10);
        }
        toy_close(&t);
    }
}

/* What the TLB knows goes with the mapping. */
static void test_remapping(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);

        TOY_LOAD(&t, TOY_CODE, TOY(LD, 2, 5, 0), TOY(ST, 1, 5, 0), TOY(SYS, 0, 0, 0));
        toy_set(&t, 5, TOY_DATA + 0x3000);
        for (unsigned i = 1; i < 20; i++) {
            toy_set(&t, 1, i);
            assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
            assert_int_equal(toy_get(&t, 2), 0);
            assert_int_equal(toy_peek(&t, TOY_DATA + 0x3000), i);
            assert_int_equal(nw_mem_unmap(t.engine, TOY_DATA + 0x2000, 0x3000), NW_OK);
            toy_run(&t, TOY_CODE, 0);
            expect_fault(&t, NW_ACCESS_READ, NW_FAULT_UNMAPPED, TOY_DATA + 0x3000);
            assert_int_equal(nw_mem_map(t.engine, TOY_DATA + 0x2000, 0x3000, NW_RW), NW_OK);
        }
        toy_close(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_widths),      cmocka_unit_test(test_precise_faults),
        cmocka_unit_test(test_permissions), cmocka_unit_test(test_page_crossing),
        cmocka_unit_test(test_alignment),   cmocka_unit_test(test_cas),
        cmocka_unit_test(test_mmio),        cmocka_unit_test(test_caller_memory),
        cmocka_unit_test(test_tlb),         cmocka_unit_test(test_remapping),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
