/* Memory is mapped, protected, unmapped, read and written; the error for each wrong argument. */
#include "uc_test.h"

static uc_engine *engine(void)
{
    return uct_open(UC_ARCH_X86, UC_MODE_64);
}

/* The regions are these: begin, end, permissions, ending with 0, 0. */
static void regions_are(uc_engine *uc, const uint64_t *expected)
{
    uc_mem_region *r = NULL;
    uint32_t n = 99, i;

    ok(uc_mem_regions(uc, &r, &n));
    for (i = 0; i < n; i++) {
        assert_int_equal(r[i].begin, expected[3 * i]);
        assert_int_equal(r[i].end, expected[3 * i + 1]);
        assert_int_equal(r[i].perms, expected[3 * i + 2]);
    }
    assert_int_equal(expected[3 * i + 1], 0);
    ok(uc_free(r));
}
#define REGIONS(uc, ...) regions_are(uc, (const uint64_t[]){__VA_ARGS__, 0, 0, 0})

static void test_map_refuses(void **state)
{
    uc_engine *uc = engine();

    (void)state;
    fails(uc_mem_map(uc, 1, 0x1000, 7), UC_ERR_ARG);
    fails(uc_mem_map(uc, 0x1800, 0x1000, 7), UC_ERR_ARG);
    fails(uc_mem_map(uc, 0x1000, 0, 7), UC_ERR_ARG);
    fails(uc_mem_map(uc, 0x1000, 1, 7), UC_ERR_ARG);
    fails(uc_mem_map(uc, 0x1000, 0x1800, 7), UC_ERR_ARG);
    fails(uc_mem_map(uc, 0x1000, 0x1000, 8), UC_ERR_ARG);
    fails(uc_mem_map(uc, 0x1000, 0x1000, 0x80000007), UC_ERR_ARG);
    fails(uc_mem_map(uc, 0xfffffffffffff000, 0x2000, 7), UC_ERR_ARG);
    ok(uc_mem_map(uc, 0x2000, 0x2000, 0));
    fails(uc_mem_map(uc, 0x2000, 0x1000, 7), UC_ERR_MAP);
    fails(uc_mem_map(uc, 0x3000, 0x1000, 7), UC_ERR_MAP);
    fails(uc_mem_map(uc, 0x1000, 0x2000, 7), UC_ERR_MAP);
    fails(uc_mem_map(uc, 0x3000, 0x2000, 7), UC_ERR_MAP);
    fails(uc_mem_map(uc, 0x1000, 0x10000, 7), UC_ERR_MAP);
    fails(uc_mem_map(uc, 0x10000000000, (uint64_t)1 << 50, 7), UC_ERR_NOMEM);
    REGIONS(uc, 0x2000, 0x3fff, 0);
    ok(uc_close(uc));
}

static void test_map_anywhere(void **state)
{
    uint64_t v = 0x1122334455667788, r = 0;
    uc_engine *uc = engine();

    (void)state;
    ok(uc_mem_map(uc, 0xfffffffffffff000, 0x1000, 7));
    ok(uc_mem_map(uc, 0, 0x1000, 1));
    ok(uc_mem_map(uc, 0x7fffffffffff0000, 0x1000, 3));
    ok(uc_mem_map(uc, 0x100000000, 0x1000, 5));
    REGIONS(uc, 0, 0xfff, 1, 0x100000000, 0x100000fff, 5, 0x7fffffffffff0000, 0x7fffffffffff0fff, 3,
            0xfffffffffffff000, 0xffffffffffffffff, 7);
    ok(uc_mem_write(uc, 0xfffffffffffffff8, &v, 8));
    ok(uc_mem_read(uc, 0xfffffffffffffff8, &r, 8));
    assert_int_equal(r, v);
    ok(uc_close(uc));
}

static void test_page_size_arm(void **state)
{
    uc_engine *uc;

    (void)state;
    ok(uc_open(UC_ARCH_ARM, UC_MODE_ARM, &uc));
    fails(uc_mem_map(uc, 0x200, 0x400, 7), UC_ERR_ARG);
    fails(uc_mem_map(uc, 0x400, 0x200, 7), UC_ERR_ARG);
    ok(uc_mem_map(uc, 0x400, 0x400, 7));
    ok(uc_mem_map(uc, 0xfffffc00, 0x400, 3));
    ok(uc_mem_map(uc, 0xc00, 0x800, 1));
    REGIONS(uc, 0x400, 0x7ff, 7, 0xc00, 0x13ff, 1, 0xfffffc00, 0xffffffff, 3);
    ok(uc_mem_protect(uc, 0x1000, 0x400, 3));
    ok(uc_mem_unmap(uc, 0x400, 0x400));
    REGIONS(uc, 0xc00, 0xfff, 1, 0x1000, 0x13ff, 3, 0xfffffc00, 0xffffffff, 3);
    ok(uc_close(uc));
}

static void test_map_ptr(void **state)
{
    uint8_t *own = calloc(1, 0x3000),
            *page = (uint8_t *)(((uintptr_t)own + 0xfff) & ~(uintptr_t)0xfff);
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x48\x8b\x04\x25\x00\x00\x02\x00\x48\x89\x04\x25\x08\x00\x02\x00") /* mov rax,[0x20000]; mov [0x20008],rax */);
    fails(uc_mem_map_ptr(t.uc, 0x20000, 0x1000, 7, NULL), UC_ERR_ARG);
    fails(uc_mem_map_ptr(t.uc, 0x20001, 0x1000, 7, page), UC_ERR_ARG);
    fails(uc_mem_map_ptr(t.uc, 0x20000, 0, 7, page), UC_ERR_ARG);
    fails(uc_mem_map_ptr(t.uc, 0x20000, 0x800, 7, page), UC_ERR_ARG);
    fails(uc_mem_map_ptr(t.uc, 0x20000, 0x1000, 9, page), UC_ERR_ARG);
    fails(uc_mem_map_ptr(t.uc, CODE, 0x1000, 7, page), UC_ERR_MAP);
    ok(uc_mem_map_ptr(t.uc, 0x20000, 0x1000, UC_PROT_READ | UC_PROT_WRITE, page));
    page[0] = 0x77;
    assert_int_equal(uct_mem(&t, 0x20000, 1), 0x77);
    ok(uct_run(&t));
    assert_int_equal(page[8], 0x77);
    uct_poke(&t, 0x20010, 0x42, 1);
    assert_int_equal(page[16], 0x42);
    page[0] = 0x55;
    ok(uct_run(&t));
    assert_int_equal(page[8], 0x55);
    ok(uc_mem_unmap(t.uc, 0x20000, 0x1000));
    assert_int_equal(page[8], 0x55);
    fails(uct_run(&t), UC_ERR_READ_UNMAPPED);
    uct_close(&t);
    free(own);
}

/* The caller's memory may lie anywhere. */
static void test_map_ptr_unaligned(void **state)
{
    uint8_t *own = calloc(1, 0x3000);
    struct uct t;

    (void)state;
    uct_x86(
        &t,
        64, BYTES("\x48\x8b\x04\x25\xf0\x0f\x02\x00\x48\xff\xc0\x48\x89\x04\x25\x00\x00\x02\x00\x89\x04\x25\xfc\x0f\x02\x00") /* mov rax,[0x20ff0]; inc rax; mov [0x20000],rax; mov [0x20ffc],eax */);
    own[0x1010 + 1] = 0x41;
    ok(uc_mem_map_ptr(t.uc, 0x20000, 0x1000, 7, own + 33));
    own[33 + 0xff0] = 0x10;
    ok(uct_run(&t));
    assert_int_equal(own[33], 0x11);
    assert_int_equal(own[33 + 0xffc], 0x11);
    uct_close(&t);
    free(own);
}

static void test_unmap_refuses(void **state)
{
    uc_engine *uc = engine();

    (void)state;
    ok(uc_mem_map(uc, 0x1000, 0x3000, 3));
    fails(uc_mem_unmap(uc, 1, 0x1000), UC_ERR_ARG);
    fails(uc_mem_unmap(uc, 0x1000, 1), UC_ERR_ARG);
    fails(uc_mem_unmap(uc, 0x5000, 0x1000), UC_ERR_NOMEM);
    fails(uc_mem_unmap(uc, 0x3000, 0x2000), UC_ERR_NOMEM);
    fails(uc_mem_unmap(uc, 0, 0x2000), UC_ERR_NOMEM);
    fails(uc_mem_unmap(uc, 0xfffffffffffff000, 0x2000), UC_ERR_NOMEM);
    /* Nothing to do comes before what is wrong with it. */
    ok(uc_mem_unmap(uc, 0x1000, 0));
    ok(uc_mem_unmap(uc, 0x5001, 0));
    REGIONS(uc, 0x1000, 0x3fff, 3);
    ok(uc_mem_unmap(uc, 0x1000, 0x3000));
    regions_are(uc, (const uint64_t[]){0, 0, 0});
    ok(uc_close(uc));
}

static void test_protect_refuses(void **state)
{
    uc_engine *uc = engine();

    (void)state;
    ok(uc_mem_map(uc, 0x1000, 0x3000, 3));
    fails(uc_mem_protect(uc, 1, 0x1000, 7), UC_ERR_ARG);
    fails(uc_mem_protect(uc, 0x1000, 1, 7), UC_ERR_ARG);
    fails(uc_mem_protect(uc, 0x1000, 0x1000, 8), UC_ERR_ARG);
    fails(uc_mem_protect(uc, 0x5000, 0x1000, 8), UC_ERR_ARG);
    fails(uc_mem_protect(uc, 0x5000, 0x1000, 7), UC_ERR_NOMEM);
    fails(uc_mem_protect(uc, 0x3000, 0x2000, 7), UC_ERR_NOMEM);
    ok(uc_mem_protect(uc, 0x1000, 0, 7));
    ok(uc_mem_protect(uc, 0x5001, 0, 7));
    REGIONS(uc, 0x1000, 0x3fff, 3);
    ok(uc_close(uc));
}

/* One entry for each map, sorted, split by protect and unmap and never merged. */
static void test_regions(void **state)
{
    uc_engine *uc = engine();

    (void)state;
    regions_are(uc, (const uint64_t[]){0, 0, 0});
    ok(uc_mem_map(uc, 0x5000, 0x1000, 7));
    ok(uc_mem_map(uc, 0x1000, 0x1000, 7));
    ok(uc_mem_map(uc, 0x2000, 0x1000, 7));
    ok(uc_mem_map(uc, 0x3000, 0x2000, 3));
    REGIONS(uc, 0x1000, 0x1fff, 7, 0x2000, 0x2fff, 7, 0x3000, 0x4fff, 3, 0x5000, 0x5fff, 7);
    ok(uc_mem_protect(uc, 0x1000, 0x2000, 1));
    ok(uc_mem_protect(uc, 0x3000, 0x1000, 1));
    REGIONS(uc, 0x1000, 0x1fff, 1, 0x2000, 0x2fff, 1, 0x3000, 0x3fff, 1, 0x4000, 0x4fff, 3, 0x5000,
            0x5fff, 7);
    ok(uc_mem_protect(uc, 0x3000, 0x1000, 3));
    REGIONS(uc, 0x1000, 0x1fff, 1, 0x2000, 0x2fff, 1, 0x3000, 0x3fff, 3, 0x4000, 0x4fff, 3, 0x5000,
            0x5fff, 7);
    ok(uc_mem_unmap(uc, 0x2000, 0x2000));
    REGIONS(uc, 0x1000, 0x1fff, 1, 0x4000, 0x4fff, 3, 0x5000, 0x5fff, 7);
    ok(uc_close(uc));
}

static void test_unmap_splits(void **state)
{
    struct uct t;
    uint8_t r[4];

    (void)state;
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    ok(uc_mem_map(t.uc, 0x20000, 0x5000, 7));
    for (uint64_t a = 0x20000; a < 0x25000; a += 8)
        uct_poke(&t, a, a, 8);
    ok(uc_mem_unmap(t.uc, 0x22000, 0x1000));
    REGIONS(t.uc, CODE, 0x10fff, 7, 0x20000, 0x21fff, 7, 0x23000, 0x24fff, 7);
    assert_int_equal(uct_mem(&t, 0x21ff8, 8), 0x21ff8);
    assert_int_equal(uct_mem(&t, 0x23000, 8), 0x23000);
    fails(uc_mem_read(t.uc, 0x22000, r, 1), UC_ERR_READ_UNMAPPED);
    fails(uc_mem_read(t.uc, 0x21fff, r, 2), UC_ERR_READ_UNMAPPED);
    fails(uc_mem_read(t.uc, 0x22fff, r, 2), UC_ERR_READ_UNMAPPED);
    /* What is mapped anew is zero. */
    ok(uc_mem_map(t.uc, 0x22000, 0x1000, 3));
    assert_int_equal(uct_mem(&t, 0x22ffc, 8), (uint64_t)0x23000 << 32);
    REGIONS(t.uc, CODE, 0x10fff, 7, 0x20000, 0x21fff, 7, 0x22000, 0x22fff, 3, 0x23000, 0x24fff, 7);
    uct_close(&t);
}

static void test_protect_keeps_contents(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    ok(uc_mem_map(t.uc, 0x20000, 0x3000, 7));
    for (uint64_t a = 0x20000; a < 0x23000; a += 0x800)
        uct_poke(&t, a, a, 8);
    ok(uc_mem_protect(t.uc, 0x21000, 0x1000, UC_PROT_NONE));
    ok(uc_mem_protect(t.uc, 0x20000, 0x3000, UC_PROT_READ));
    for (uint64_t a = 0x20000; a < 0x23000; a += 0x800)
        assert_int_equal(uct_mem(&t, a, 8), a);
    REGIONS(t.uc, CODE, 0x10fff, 7, 0x20000, 0x20fff, 1, 0x21000, 0x21fff, 1, 0x22000, 0x22fff, 1);
    uct_close(&t);
}

static void test_read_write(void **state)
{
    uc_engine *uc = engine();
    uint8_t *big = calloc(1, 0x3000), b[8] = "abcdefg";

    (void)state;
    ok(uc_mem_map(uc, 0x1000, 0x2000, UC_PROT_NONE));
    ok(uc_mem_map(uc, 0x3000, 0x1000, UC_PROT_READ));
    /* Permissions are the guest's affair. */
    ok(uc_mem_write(uc, 0x1000, b, 8));
    ok(uc_mem_write(uc, 0x2ffc, b, 8));
    ok(uc_mem_read(uc, 0x1000, big, 0x3000));
    assert_memory_equal(big, b, 8);
    assert_memory_equal(big + 0x1ffc, b, 8);
    fails(uc_mem_read(uc, 0x3ffe, b, 4), UC_ERR_READ_UNMAPPED);
    fails(uc_mem_write(uc, 0x3ffe, b, 4), UC_ERR_WRITE_UNMAPPED);
    ok(uc_mem_read(uc, 0x3ffe, b, 2));
    assert_int_equal(b[0], 0); /* nothing of it was written */
    fails(uc_mem_read(uc, 0x9000, b, 1), UC_ERR_READ_UNMAPPED);
    fails(uc_mem_write(uc, 0x9000, b, 1), UC_ERR_WRITE_UNMAPPED);
    ok(uc_mem_read(uc, 0x9000, b, 0));
    ok(uc_mem_write(uc, 0x9000, b, 0));
    fails(uc_mem_read(uc, UINT64_MAX, b, 2), UC_ERR_READ_UNMAPPED);
    if (SINCE_2_1) {
        fails(uc_mem_read(uc, 0x1000, b, 0x80000000), UC_ERR_READ_UNMAPPED);
        fails(uc_mem_write(uc, 0x1000, b, 0x80000000), UC_ERR_WRITE_UNMAPPED);
    }
    ok(uc_close(uc));
    free(big);
}

static void test_sparse(void **state)
{
    uc_engine *uc = engine();

    (void)state;
    for (uint64_t i = 0; i < 40; i++)
        ok(uc_mem_map(uc, i << 40, 0x1000, 3));
    for (uint64_t i = 0; i < 40; i++)
        ok(uc_mem_write(uc, (i << 40) + 8, &i, 8));
    for (uint64_t i = 0; i < 40; i++) {
        uint64_t v = 0;
        ok(uc_mem_read(uc, (i << 40) + 8, &v, 8));
        assert_int_equal(v, i);
        ok(uc_mem_unmap(uc, i << 40, 0x1000));
    }
    regions_are(uc, (const uint64_t[]){0, 0, 0});
    ok(uc_close(uc));
}

static void test_many_regions(void **state)
{
    uc_engine *uc = engine();
    uint64_t n = uct_ours() ? 20000 : 500;

    (void)state;
    DIFFERS("many-regions", "milliseconds for each of 4,000 regions, abort at about 4,095");
    for (uint64_t i = 0; i < n; i++)
        ok(uc_mem_map(uc, 0x10000 + i * 0x2000, 0x1000, 3));
    for (uint64_t i = 0; i < n; i += 97)
        ok(uc_mem_write(uc, 0x10000 + i * 0x2000, &i, 8));
    for (uint64_t i = 0; i < n; i += 97) {
        uint64_t v = 0;
        ok(uc_mem_read(uc, 0x10000 + i * 0x2000, &v, 8));
        assert_int_equal(v, i);
    }
    ok(uc_close(uc));
}

static void test_guest_beyond_4g(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(
        &t, 64,
        BYTES(
            "\x48\xbb\x00\x90\x78\x56\x34\x12\x00\x00\x48\x8b\x03\x48\xff\xc0\x48\x89\x43\x08\xff"
            "\xe3") /* mov rbx,0x123456789000; mov rax,[rbx]; inc rax; mov [rbx+8],rax; jmp rbx */);
    ok(uc_mem_map(t.uc, 0x123456789000, 0x1000, 7));
    uct_poke(&t, 0x123456789000, 0x9090, 8);
    t.end = 0x123456789002;
    ok(uct_run(&t));
    assert_int_equal(uct_mem(&t, 0x123456789008, 8), 0x9091);
    assert_int_equal(uct_pc(&t), 0x123456789002);
    uct_close(&t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map_refuses),       cmocka_unit_test(test_map_anywhere),
        cmocka_unit_test(test_page_size_arm),     cmocka_unit_test(test_map_ptr),
        cmocka_unit_test(test_map_ptr_unaligned), cmocka_unit_test(test_unmap_refuses),
        cmocka_unit_test(test_protect_refuses),   cmocka_unit_test(test_regions),
        cmocka_unit_test(test_unmap_splits),      cmocka_unit_test(test_protect_keeps_contents),
        cmocka_unit_test(test_read_write),        cmocka_unit_test(test_sparse),
        cmocka_unit_test(test_many_regions),      cmocka_unit_test(test_guest_beyond_4g),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
