/* mem/space.h: what Linux user mode builds on. */
#include "toy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "mem/space.h"

#define AT 0x2000000u

/* A file of N bytes, each page's words counting up. */
static int make_file(size_t n)
{
    int fd = memfd_create("test", 0);

    assert_true(fd >= 0);
    for (uint32_t i = 0; i < n / 4; i++)
        assert_int_equal(write(fd, &i, 4), 4);
    return fd;
}

static void test_private_file(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);
        int fd = make_file(0x3000);
        uint32_t word;

        assert_int_equal(mem_map_fd(t.engine, AT, 0x2000, NW_RW, fd, 0x1000, false, false), NW_OK);
        TOY_LOAD(&t, TOY_CODE, TOY(LD, 1, 5, 4), TOY(ST, 2, 5, 4), TOY(LD, 3, 5, 4),
                 TOY(SYS, 0, 0, 0));
        toy_set(&t, 5, AT);
        toy_set(&t, 2, 77);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        assert_int_equal(toy_get(&t, 1), 0x401);
        assert_int_equal(toy_get(&t, 3), 77);
        assert_int_equal(pread(fd, &word, 4, 0x1004), 4);
        assert_int_equal(word, 0x401);
        /* Replace a page by anonymous memory, as MAP_FIXED does. */
        assert_int_equal(mem_map_fd(t.engine, AT, 0x1000, NW_RW, -1, 0, false, false),
                         NW_ERR_OVERLAP);
        assert_int_equal(mem_map_fd(t.engine, AT, 0x1000, NW_RW, -1, 0, false, true), NW_OK);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        assert_int_equal(toy_get(&t, 1), 0);
        assert_int_equal(toy_peek(&t, AT + 0x1000), 0x800);
        close(fd);
        toy_close(&t);
    }
}

static void test_shared_file(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);
        int fd = make_file(0x1000);
        uint32_t word;

        assert_int_equal(mem_map_fd(t.engine, AT, 0x1000, NW_RW, fd, 0, true, false), NW_OK);
        TOY_LOAD(&t, TOY_CODE, TOY(ST, 2, 5, 4), TOY(SYS, 0, 0, 0));
        toy_set(&t, 5, AT);
        toy_set(&t, 2, 77);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        assert_int_equal(pread(fd, &word, 4, 4), 4);
        assert_int_equal(word, 77);
        word = 99;
        assert_int_equal(pwrite(fd, &word, 4, 8), 4);
        assert_int_equal(toy_peek(&t, AT + 8), 99);
        close(fd);
        toy_close(&t);
    }
}

/* Pages that begin beyond the end of the file are bus errors, for every kind of access. */
static void test_beyond_the_end(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);
        int fd = make_file(0x1004);
        uint32_t word;

        assert_int_equal(mem_map_fd(t.engine, AT, 0x3000, NW_RWX, fd, 0, false, false), NW_OK);
        TOY_LOAD(&t, TOY_CODE, TOY(LD, 1, 5, 0), TOY(SYS, 0, 0, 0), TOY(ST, 1, 5, 0),
                 TOY(SYS, 0, 0, 0), TOY(CAS, 1, 5, 2), TOY(SYS, 0, 0, 0));
        toy_set(&t, 5, AT + 0x1000);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        for (uint32_t pc = TOY_CODE; pc < TOY_CODE + 24; pc += 8) {
            for (unsigned i = 0; i < 20; i++) {
                toy_set(&t, 5, AT + 0x2004);
                assert_int_equal(toy_run(&t, pc, 0), NW_EXIT_FAULT);
                assert_int_equal(t.exit.fault, NW_FAULT_BUS);
                assert_int_equal(t.exit.addr, AT + 0x2004);
                assert_int_equal(t.exit.access, pc == TOY_CODE ? NW_ACCESS_READ : NW_ACCESS_WRITE);
                assert_int_equal(t.exit.pc, pc);
            }
        }
        /* Crossing into it: nothing is written. */
        toy_poke(&t, AT + 0x1ffc, 0);
        toy_set(&t, 1, ~0u);
        toy_set(&t, 5, AT + 0x1ffe);
        assert_int_equal(toy_run(&t, TOY_CODE + 8, 0), NW_EXIT_FAULT);
        assert_int_equal(t.exit.fault, NW_FAULT_BUS);
        assert_int_equal(toy_peek(&t, AT + 0x1ffc), 0);
        assert_int_equal(toy_run(&t, AT + 0x2000, 0), NW_EXIT_FAULT);
        assert_int_equal(t.exit.access, NW_ACCESS_FETCH);
        assert_int_equal(t.exit.fault, NW_FAULT_BUS);
        assert_int_equal(nw_mem_read(t.engine, AT + 0x2000, &word, 4), NW_ERR_FAULT);
        assert_int_equal(nw_mem_write(t.engine, AT + 0x2000, &word, 4), NW_ERR_FAULT);
        close(fd);
        toy_close(&t);
    }
}

/* Code runs from a mapped file; a patched private page is seen. */
static void test_code_in_file(void **state)
{
    static const uint32_t code[] = {TOY(LI, 1, 0, 5), TOY(SYS, 0, 0, 0)};

    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);
        int fd = memfd_create("code", 0);

        assert_int_equal(write(fd, code, sizeof code), sizeof code);
        assert_int_equal(mem_map_fd(t.engine, AT, 0x1000, NW_RX, fd, 0, false, false), NW_OK);
        close(fd);
        assert_int_equal(toy_run(&t, AT, 0), NW_EXIT_SYSCALL);
        assert_int_equal(toy_get(&t, 1), 5);
        toy_poke(&t, AT, TOY(LI, 1, 0, 6));
        assert_int_equal(toy_run(&t, AT, 0), NW_EXIT_SYSCALL);
        assert_int_equal(toy_get(&t, 1), 6);
        toy_close(&t);
    }
}

static void test_host_span(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);
        void *hva = NULL;
        size_t n;

        assert_int_equal(nw_mem_protect(t.engine, TOY_DATA + 0x2000, 0x1000, NW_READ), NW_OK);
        toy_poke(&t, TOY_DATA + 0x10, 0x1234);
        n = mem_host_span(t.engine, TOY_DATA + 0x10, 0x100, NW_READ, &hva);
        assert_int_equal(n, 0x100);
        assert_int_equal(*(uint32_t *)hva, 0x1234);
        n = mem_host_span(t.engine, TOY_DATA, 0x8000, NW_WRITE, &hva);
        assert_int_equal(n, 0x2000);
        memset(hva, 0x11, n);
        assert_int_equal(toy_peek(&t, TOY_DATA + 0x1ffc), 0x11111111);
        assert_int_equal(mem_host_span(t.engine, TOY_DATA + 0x2000, 4, NW_WRITE, &hva), 0);
        assert_int_equal(mem_host_span(t.engine, 0x700000, 4, NW_READ, &hva), 0);
        assert_int_equal(mem_host_span(t.engine, 1ull << 40, 4, NW_READ, &hva), 0);
        /* A system call writes over translated code. */
        TOY_LOAD(&t, 0x3000, TOY(LI, 1, 0, 1), TOY(SYS, 0, 0, 0));
        for (unsigned i = 2; i < 6; i++) {
            toy_run(&t, 0x3000, 0);
            assert_int_equal(toy_get(&t, 1), i - 1);
            assert_int_equal(mem_host_span(t.engine, 0x3000, 4, NW_WRITE, &hva), 4);
            *(uint32_t *)hva = TOY(LI, 1, 0, i);
        }
        toy_close(&t);
    }
}

static void test_find_free(void **state)
{
    struct toy t = toy_open(&toy_modes[0]);
    uint64_t at;

    (void)state;
    assert_true(mem_find_free(t.engine, 0x1000, 0x10000, 0x100000000ull, 0x1000, &at));
    assert_int_equal(at, 0xfffff000);
    assert_true(mem_find_free(t.engine, 0x1000, 0, TOY_DATA + 0x10000, 0x1000, &at));
    assert_int_equal(at, 0xf000);
    assert_false(mem_find_free(t.engine, 0x8000, 0, TOY_DATA + 0x10000, 0x1000, &at));
    assert_true(mem_find_free(t.engine, 0x7000, 0, TOY_DATA + 0x10000, 0x1000, &at));
    assert_int_equal(at, 0x9000);
    assert_true(mem_find_free(t.engine, 0x3000, 0, TOY_DATA, 0x4000, &at));
    assert_int_equal(at, 0xc000);
    assert_true(mem_is_free(t.engine, 0x9000, 0x7000));
    assert_false(mem_is_free(t.engine, 0x8000, 0x2000));
    toy_close(&t);
}

static void test_regions(void **state)
{
    struct toy t = toy_open(&toy_modes[2]);
    struct mem_info r;
    uint64_t at = 0;
    unsigned n = 0;
    uint64_t bytes = 0;

    (void)state;
    assert_int_equal(nw_mem_protect(t.engine, TOY_DATA + 0x4000, 0x2000, NW_READ), NW_OK);
    while (mem_next_region(t.engine, at, &r)) {
        n++;
        bytes += r.size;
        at = r.gpa + r.size;
    }
    assert_int_equal(n, 4);
    assert_int_equal(bytes, 0x19000);
    /* Back to one mapping. */
    assert_int_equal(nw_mem_protect(t.engine, TOY_DATA + 0x4000, 0x2000, NW_RW), NW_OK);
    assert_true(mem_next_region(t.engine, 0x9000, &r));
    assert_int_equal(r.size, 0x10000);
    assert_int_equal(mem_unmap_any(t.engine, 0x8000, 0x10000), NW_OK);
    assert_true(mem_next_region(t.engine, 0x8000, &r));
    assert_int_equal(r.gpa, 0x18000);
    toy_close(&t);
}

static void fill(struct toy *t, uint32_t at, uint32_t pages)
{
    for (uint32_t i = 0; i < pages; i++)
        toy_poke(t, at + i * 0x1000, 0x1000 + i);
}

static void expect(struct toy *t, uint32_t at, uint32_t pages)
{
    for (uint32_t i = 0; i < pages; i++)
        assert_int_equal(toy_peek(t, at + i * 0x1000), 0x1000 + i);
}

static void test_move(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);
        uint32_t word;
        int fd = make_file(0x4000);

        /* Anonymous: grow in place, move and grow, shrink. */
        assert_int_equal(nw_mem_map(t.engine, AT, 0x4000, NW_RW), NW_OK);
        fill(&t, AT, 4);
        assert_int_equal(mem_move(t.engine, AT, 0x4000, AT, 0x6000), NW_OK);
        expect(&t, AT, 4);
        assert_int_equal(toy_peek(&t, AT + 0x5000), 0);
        assert_int_equal(mem_move(t.engine, AT, 0x6000, AT + 0x100000, 0x8000), NW_OK);
        expect(&t, AT + 0x100000, 4);
        assert_int_equal(toy_peek(&t, AT + 0x107ffc), 0);
        assert_int_equal(nw_mem_read(t.engine, AT, &word, 4), NW_ERR_UNMAPPED);
        TOY_LOAD(&t, TOY_CODE, TOY(LD, 1, 5, 0), TOY(ST, 1, 5, 4), TOY(SYS, 0, 0, 0));
        toy_set(&t, 5, AT + 0x1000);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_FAULT);
        toy_set(&t, 5, AT + 0x101000);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        assert_int_equal(toy_get(&t, 1), 0x1001);
        assert_int_equal(mem_move(t.engine, AT + 0x100000, 0x8000, AT + 0x100000, 0x2000), NW_OK);
        expect(&t, AT + 0x100000, 2);
        assert_int_equal(nw_mem_read(t.engine, AT + 0x102000, &word, 4), NW_ERR_UNMAPPED);
        assert_int_equal(nw_mem_map(t.engine, AT + 0x102000, 0x1000, NW_RW), NW_OK);
        assert_int_equal(toy_peek(&t, AT + 0x102000), 0);
        /* The middle of a mapping moves away. */
        assert_int_equal(nw_mem_map(t.engine, AT, 0x4000, NW_RW), NW_OK);
        fill(&t, AT, 4);
        assert_int_equal(mem_move(t.engine, AT + 0x1000, 0x1000, AT + 0x200000, 0x1000), NW_OK);
        assert_int_equal(toy_peek(&t, AT + 0x200000), 0x1001);
        assert_int_equal(toy_peek(&t, AT), 0x1000);
        assert_int_equal(toy_peek(&t, AT + 0x2000), 0x1002);
        assert_int_equal(nw_mem_read(t.engine, AT + 0x1000, &word, 4), NW_ERR_UNMAPPED);
        /* Errors. */
        assert_int_equal(mem_move(t.engine, AT, 0x2000, AT + 0x300000, 0x1000), NW_ERR_UNMAPPED);
        assert_int_equal(mem_move(t.engine, AT + 0x2000, 0x2000, AT + 0x100000, 0x1000),
                         NW_ERR_OVERLAP);
        assert_int_equal(mem_move(t.engine, AT + 0x2000, 0x2000, AT + 0x3000, 0x2000),
                         NW_ERR_OVERLAP);
        /* A file goes on where it was mapped. */
        assert_int_equal(
            mem_map_fd(t.engine, AT + 0x400000, 0x1000, NW_RW, fd, 0x1000, true, false), NW_OK);
        assert_int_equal(mem_move(t.engine, AT + 0x400000, 0x1000, AT + 0x400000, 0x2000), NW_OK);
        assert_int_equal(toy_peek(&t, AT + 0x401000), 0x800);
        assert_int_equal(mem_move(t.engine, AT + 0x400000, 0x2000, AT + 0x500000, 0x3000), NW_OK);
        assert_int_equal(toy_peek(&t, AT + 0x500000), 0x400);
        assert_int_equal(toy_peek(&t, AT + 0x502000), 0xc00);
        assert_int_equal(nw_mem_read(t.engine, AT + 0x400000, &word, 4), NW_ERR_UNMAPPED);
        toy_set(&t, 5, AT + 0x400000);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_FAULT);
        close(fd);
        toy_close(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_private_file),   cmocka_unit_test(test_shared_file),
        cmocka_unit_test(test_beyond_the_end), cmocka_unit_test(test_code_in_file),
        cmocka_unit_test(test_host_span),      cmocka_unit_test(test_find_free),
        cmocka_unit_test(test_regions),        cmocka_unit_test(test_move),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
