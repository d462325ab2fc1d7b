/* nw_config.page_size: mappings of less than 4096 bytes, and of more. */
#include "toy.h"

static struct toy open_with(const struct toy_mode *m, uint32_t page_size)
{
    return toy_open_config(m, (nw_config){.page_size = page_size});
}

static void test_config(void **state)
{
    static const uint32_t bad[] = {1, 32, 63, 65, 3000, 4097, 0xffffffff};
    nw_engine *e;

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        nw_config config = {.arch = NW_ARCH_ARM, .page_size = bad[i]};
        assert_int_equal(nw_engine_open(&config, &e), NW_ERR_ARG);
    }
    nw_config config = {.arch = NW_ARCH_ARM, .page_size = 8192};
    assert_int_equal(nw_engine_open(&config, &e), NW_OK);
    assert_int_equal(nw_mem_map(e, 0x1000, 0x2000, NW_RW), NW_ERR_ARG);
    assert_int_equal(nw_mem_map(e, 0x2000, 0x1000, NW_RW), NW_ERR_ARG);
    assert_int_equal(nw_mem_map(e, 0x2000, 0x4000, NW_RW), NW_OK);
    assert_int_equal(nw_mem_unmap(e, 0x3000, 0x2000), NW_ERR_ARG);
    assert_int_equal(nw_mem_protect(e, 0x4000, 0x2000, NW_READ), NW_OK);
    nw_engine_close(e);
}

static void expect_fault(struct toy *t, nw_access access, nw_fault fault, uint64_t addr)
{
    assert_int_equal(t->exit.reason, NW_EXIT_FAULT);
    assert_int_equal(t->exit.access, access);
    assert_int_equal(t->exit.fault, fault);
    assert_int_equal(t->exit.addr, addr);
}

/* Stores at AT, loads from there and adds atomically. */
static void use(struct toy *t, uint32_t at, uint32_t value)
{
    toy_set(t, 5, at);
    toy_set(t, 1, value);
    toy_set(t, 2, value);
    toy_set(t, 3, value + 1);
    toy_run(t, TOY_CODE, 0);
}

static void test_pieces(void **state)
{
    static const uint32_t sizes[] = {64, 256, 1024, 2048};

    (void)state;
    EACH_MODE(m)
    {
        for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
            uint32_t size = sizes[i], at = TOY_DATA + 0x2000, second = at + size;
            struct toy t = open_with(m, size);

            TOY_LOAD(&t, TOY_CODE, TOY(ST, 1, 5, 0), TOY(CAS, 2, 5, 3), TOY(LD, 4, 5, 0),
                     TOY(SYS, 0, 0, 0));
            use(&t, TOY_DATA, 7); /* in the arena, if there is one */
            /* Before anything is cut, after each cut, and where nothing was cut. */
            assert_int_equal(nw_mem_protect(t.engine, second, size, NW_READ), NW_OK);
            for (uint32_t to = at; to < at + size; to += size / 8) {
                use(&t, to, to);
                assert_int_equal(t.exit.reason, NW_EXIT_SYSCALL);
                assert_int_equal(toy_get(&t, 2), to);
                assert_int_equal(toy_get(&t, 4), to + 1);
            }
            use(&t, second, 5);
            expect_fault(&t, NW_ACCESS_WRITE, NW_FAULT_PERM, second);
            use(&t, second - 2, 5);
            expect_fault(&t, NW_ACCESS_WRITE, NW_FAULT_PERM, second);
            assert_int_equal(toy_peek(&t, second), 0);
            assert_int_equal(nw_mem_unmap(t.engine, second, size), NW_OK);
            use(&t, second, 5);
            expect_fault(&t, NW_ACCESS_WRITE, NW_FAULT_UNMAPPED, second);
            use(&t, TOY_DATA, 8);
            assert_int_equal(toy_get(&t, 4), 9);
            use(&t, TOY_DATA + 0x3000, 8);
            assert_int_equal(toy_get(&t, 4), 9);
            assert_int_equal(nw_mem_map(t.engine, second, size, NW_RW), NW_OK);
            use(&t, second - 2, 0x11223344);
            assert_int_equal(t.exit.reason, NW_EXIT_SYSCALL);
            assert_int_equal(toy_get(&t, 4), 0x11223345);
            assert_int_equal(toy_peek(&t, second), 0x1122);
            toy_close(&t);
        }
    }
}

/* Memory goes back and comes again clean, in any order. */
static void test_reuse(void **state)
{
    nw_config config = {.arch = NW_ARCH_ARM, .page_size = 1024};
    uint32_t v;
    nw_engine *e;

    (void)state;
    assert_int_equal(nw_engine_open(&config, &e), NW_OK);
    for (unsigned round = 0; round < 5; round++) {
        for (uint64_t n = 0; n < 64; n++) {
            uint64_t at = 0x10000 + (n * 37 & 63) * 1024;

            assert_int_equal(nw_mem_map(e, at, 1024, NW_RW), NW_OK);
            for (unsigned k = 0; k < 1024; k += 512) {
                assert_int_equal(nw_mem_read(e, at + k, &v, 4), NW_OK);
                assert_int_equal(v, 0);
                v = 0x1000 + (uint32_t)n;
                assert_int_equal(nw_mem_write(e, at + k, &v, 4), NW_OK);
            }
        }
        /* In pieces that are not those that were mapped. */
        for (uint64_t at = 0x10000; at < 0x20000; at += 2048)
            assert_int_equal(nw_mem_unmap(e, at, 2048), NW_OK);
        assert_int_equal(nw_mem_map(e, 0x10000, 0x3400, NW_RW), NW_OK);
        assert_int_equal(nw_mem_unmap(e, 0x10400, 0x400), NW_OK);
        assert_int_equal(nw_mem_map(e, 0x10400, 0x400, NW_RW), NW_OK);
        assert_int_equal(nw_mem_unmap(e, 0x10000, 0x3400), NW_OK);
    }
    nw_engine_close(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_reuse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
