/* Engines are opened, closed and asked; versions and texts. */
#include "uc_test.h"

static void refused(uc_arch arch, int mode, uc_err error)
{
    uc_engine *uc = (uc_engine *)&error;

    fails(uc_open(arch, (uc_mode)mode, &uc), error);
}

static void opens(uc_arch arch, int mode)
{
    uc_engine *uc = NULL;

    ok(uc_open(arch, (uc_mode)mode, &uc));
    assert_non_null(uc);
    ok(uc_close(uc));
}

static void test_open_refuses(void **state)
{
    (void)state;
    refused(0, 0, UC_ERR_ARCH);
    refused(UC_ARCH_MAX, 0, UC_ERR_ARCH);
    refused(1000, 0, UC_ERR_ARCH);
    refused((uc_arch)-1, 0, UC_ERR_ARCH);
    /* The architecture is looked at first. */
    refused(0, -1, UC_ERR_ARCH);
    refused(UC_ARCH_X86, 0, UC_ERR_MODE);
    refused(UC_ARCH_X86, 1, UC_ERR_MODE);
    refused(UC_ARCH_X86, 1 << 4, UC_ERR_MODE);
    refused(UC_ARCH_X86, UC_MODE_64 | UC_MODE_BIG_ENDIAN, UC_ERR_MODE);
    refused(UC_ARCH_X86, UC_MODE_64 | 1 << 20, UC_ERR_MODE);
    if (DIFFERS("mode-several", "several widths are taken, and nothing runs")) {
        refused(UC_ARCH_X86, UC_MODE_16 | UC_MODE_32, UC_ERR_MODE);
        refused(UC_ARCH_X86, UC_MODE_32 | UC_MODE_64, UC_ERR_MODE);
        refused(UC_ARCH_X86, UC_MODE_16 | UC_MODE_32 | UC_MODE_64, UC_ERR_MODE);
    }
    refused(UC_ARCH_ARM, 1, UC_ERR_MODE);
    refused(UC_ARCH_ARM, UC_MODE_32, UC_ERR_MODE);
    refused(UC_ARCH_ARM, UC_MODE_64, UC_ERR_MODE);
    refused(UC_ARCH_ARM, UC_MODE_V8, UC_ERR_MODE);
    refused(UC_ARCH_ARM, 1 << 20, UC_ERR_MODE);
}

static void test_open_accepts(void **state)
{
    static const int arm[] = {
        UC_MODE_ARM,
        UC_MODE_THUMB,
        UC_MODE_BIG_ENDIAN,
        UC_MODE_BIG_ENDIAN | UC_MODE_THUMB,
        UC_MODE_MCLASS,
        UC_MODE_MCLASS | UC_MODE_THUMB,
        UC_MODE_ARM926,
        UC_MODE_ARM946,
        UC_MODE_ARM1176,
        UC_MODE_ARMBE8,
        UC_MODE_ARMBE8 | UC_MODE_THUMB,
    };

    (void)state;
    opens(UC_ARCH_X86, UC_MODE_16);
    opens(UC_ARCH_X86, UC_MODE_32);
    opens(UC_ARCH_X86, UC_MODE_64);
    for (size_t i = 0; i < sizeof arm / sizeof arm[0]; i++)
        opens(UC_ARCH_ARM, arm[i]);
}

static void test_many_engines(void **state)
{
    uc_engine *uc[40];

    (void)state;
    for (int i = 0; i < 40; i++)
        ok(uc_open(i & 1 ? UC_ARCH_ARM : UC_ARCH_X86, i & 1 ? UC_MODE_ARM : UC_MODE_64, &uc[i]));
    for (int i = 0; i < 40; i++) {
        uint64_t v = (uint64_t)i;
        ok(uc_reg_write(uc[i], i & 1 ? UC_ARM_REG_R3 : UC_X86_REG_RBX, &v));
    }
    for (int i = 0; i < 40; i++) {
        uint64_t v = 0;
        ok(uc_reg_read(uc[i], i & 1 ? UC_ARM_REG_R3 : UC_X86_REG_RBX, &v));
        assert_int_equal(v, i);
        ok(uc_close(uc[i]));
    }
}

static void test_version(void **state)
{
    unsigned major = 99, minor = 99, v = uc_version(&major, &minor);

    (void)state;
    assert_int_equal(v, uc_version(NULL, NULL));
    assert_int_equal(major, v >> 24);
    assert_int_equal(minor, v >> 16 & 0xff);
    assert_int_equal(major, 2);
    assert_int_equal(v & 0xff, 0xff);
    if (SINCE_2_1)
        assert_int_equal(v, 0x020104ff);
    assert_int_equal(UC_MAKE_VERSION(major, minor), v & 0xffff0000);
}

static void test_arch_supported(void **state)
{
    (void)state;
    assert_true(uc_arch_supported(UC_ARCH_X86));
    assert_true(uc_arch_supported(UC_ARCH_ARM));
    assert_false(uc_arch_supported(0));
    assert_false(uc_arch_supported(UC_ARCH_MAX));
    assert_false(uc_arch_supported((uc_arch)-1));
    assert_false(uc_arch_supported(1000));
    /* What is said not to be supported is not opened either. */
    for (uc_arch a = UC_ARCH_ARM; a < UC_ARCH_MAX; a++)
        if (!uc_arch_supported(a))
            refused(a, UC_MODE_LITTLE_ENDIAN, UC_ERR_ARCH);
}

static void test_strerror(void **state)
{
    static const char *const names[] = {
        "UC_ERR_OK",
        "UC_ERR_NOMEM",
        "UC_ERR_ARCH",
        "UC_ERR_HANDLE",
        "UC_ERR_MODE",
        "UC_ERR_VERSION",
        "UC_ERR_READ_UNMAPPED",
        "UC_ERR_WRITE_UNMAPPED",
        "UC_ERR_FETCH_UNMAPPED",
        "UC_ERR_HOOK",
        "UC_ERR_INSN_INVALID",
        "UC_ERR_MAP",
        "UC_ERR_WRITE_PROT",
        "UC_ERR_READ_PROT",
        "UC_ERR_FETCH_PROT",
        "UC_ERR_ARG",
        "UC_ERR_READ_UNALIGNED",
        "UC_ERR_WRITE_UNALIGNED",
        "UC_ERR_FETCH_UNALIGNED",
        NULL,
        "UC_ERR_RESOURCE",
        "UC_ERR_EXCEPTION",
        "UC_ERR_OVERFLOW",
    };

    (void)state;
    for (int i = 0; i < (int)(sizeof names / sizeof names[0]); i++) {
        if (i == UC_ERR_OVERFLOW && !SINCE_2_1)
            continue;
        assert_non_null(uc_strerror((uc_err)i));
        if (names[i])
            assert_non_null(strstr(uc_strerror((uc_err)i), names[i]));
    }
    assert_string_equal(uc_strerror((uc_err)99), "Unknown error code");
    assert_string_equal(uc_strerror((uc_err)-1), "Unknown error code");
}

static size_t query(uc_engine *uc, int type)
{
    size_t v = 0xdead;

    ok(uc_query(uc, (uc_query_type)type, &v));
    return v;
}

static void test_query(void **state)
{
    static const struct {
        uc_arch arch;
        int mode;
        size_t page, says;
    } rows[] = {
        {UC_ARCH_X86, UC_MODE_16, 4096, UC_MODE_16},
        {UC_ARCH_X86, UC_MODE_32, 4096, UC_MODE_32},
        {UC_ARCH_X86, UC_MODE_64, 4096, UC_MODE_64},
        {UC_ARCH_ARM, UC_MODE_ARM, 1024, UC_MODE_ARM},
        /* Thumb is the state of the CPU, which begins with ARM. */
        {UC_ARCH_ARM, UC_MODE_THUMB, 1024, UC_MODE_ARM},
        {UC_ARCH_ARM, UC_MODE_BIG_ENDIAN, 1024, UC_MODE_BIG_ENDIAN},
        {UC_ARCH_ARM, UC_MODE_MCLASS, 1024, UC_MODE_MCLASS},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uc_engine *uc;
        size_t v = 0xdead;

        ok(uc_open(rows[i].arch, (uc_mode)rows[i].mode, &uc));
        assert_int_equal(query(uc, UC_QUERY_ARCH), rows[i].arch);
        assert_int_equal(query(uc, UC_QUERY_PAGE_SIZE), rows[i].page);
        if (SINCE_2_1)
            assert_int_equal(query(uc, UC_QUERY_MODE), rows[i].says);
        assert_int_equal(query(uc, UC_QUERY_TIMEOUT), 0);
        fails(uc_query(uc, 0, &v), UC_ERR_ARG);
        fails(uc_query(uc, 5, &v), UC_ERR_ARG);
        assert_int_equal(v, 0xdead);
        ok(uc_close(uc));
    }
}

static void test_query_thumb(void **state)
{
    struct uct t;

    (void)state;
    uct_arm(&t, UC_MODE_THUMB, BYTES("\x00\xbf\x00\xbf") /* nop; nop */);
    ok(uct_run(&t));
    assert_int_equal(query(t.uc, UC_QUERY_MODE), UC_MODE_THUMB);
    uct_set(&t, UC_ARM_REG_PC, CODE);
    assert_int_equal(query(t.uc, UC_QUERY_MODE), UC_MODE_ARM);
    uct_close(&t);
}

static void test_errno(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x48\x8b\x04\x25\x00\x00\x90\x00") /* mov rax,[0x900000] */);
    assert_int_equal(uc_errno(t.uc), UC_ERR_OK);
    fails(uct_run(&t), UC_ERR_READ_UNMAPPED);
    /* The documentation calls it the last error; it is never kept. */
    assert_int_equal(uc_errno(t.uc), UC_ERR_OK);
    fails(uc_mem_map(t.uc, 1, 1, 0), UC_ERR_ARG);
    assert_int_equal(uc_errno(t.uc), UC_ERR_OK);
    uct_close(&t);
}

static void test_null(void **state)
{
    uint64_t v;
    size_t s;
    uc_hook h;
    uc_context *context;
    uc_mem_region *regions;
    uint32_t count;

    (void)state;
    ok(uc_free(NULL));
    if (DIFFERS("null-engine", "crashes")) {
        fails(uc_open(UC_ARCH_X86, UC_MODE_64, NULL), UC_ERR_ARG);
        fails(uc_close(NULL), UC_ERR_HANDLE);
        fails(uc_errno(NULL), UC_ERR_HANDLE);
        fails(uc_query(NULL, UC_QUERY_ARCH, &s), UC_ERR_HANDLE);
        fails(uc_ctl(NULL, UC_CTL_READ(UC_CTL_UC_ARCH, 1), &v), UC_ERR_HANDLE);
        fails(uc_reg_read(NULL, UC_X86_REG_RAX, &v), UC_ERR_HANDLE);
        fails(uc_reg_write(NULL, UC_X86_REG_RAX, &v), UC_ERR_HANDLE);
        fails(uc_mem_map(NULL, 0, 0x1000, 7), UC_ERR_HANDLE);
        fails(uc_mem_unmap(NULL, 0, 0x1000), UC_ERR_HANDLE);
        fails(uc_mem_protect(NULL, 0, 0x1000, 7), UC_ERR_HANDLE);
        fails(uc_mem_read(NULL, 0, &v, 1), UC_ERR_HANDLE);
        fails(uc_mem_write(NULL, 0, &v, 1), UC_ERR_HANDLE);
        fails(uc_mem_regions(NULL, &regions, &count), UC_ERR_HANDLE);
        fails(uc_emu_start(NULL, 0, 0, 0, 0), UC_ERR_HANDLE);
        fails(uc_emu_stop(NULL), UC_ERR_HANDLE);
        fails(uc_hook_add(NULL, &h, UC_HOOK_CODE, &h, NULL, 1, 0), UC_ERR_HANDLE);
        fails(uc_hook_del(NULL, 1), UC_ERR_HANDLE);
        fails(uc_context_alloc(NULL, &context), UC_ERR_HANDLE);
        assert_int_equal(uc_context_size(NULL), 0);
    }
}

static void test_null_arguments(void **state)
{
    int id = UC_X86_REG_RAX;
    uint64_t v = 0;
    uc_hook h;
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    if (DIFFERS("null-argument", "crashes")) {
        fails(uc_query(t.uc, UC_QUERY_ARCH, NULL), UC_ERR_ARG);
        fails(uc_reg_read(t.uc, id, NULL), UC_ERR_ARG);
        fails(uc_reg_write(t.uc, id, NULL), UC_ERR_ARG);
        fails(uc_reg_read_batch(t.uc, NULL, NULL, 1), UC_ERR_ARG);
        fails(uc_reg_write_batch(t.uc, &id, NULL, 1), UC_ERR_ARG);
        fails(uc_mem_read(t.uc, CODE, NULL, 1), UC_ERR_ARG);
        fails(uc_mem_write(t.uc, CODE, NULL, 1), UC_ERR_ARG);
        fails(uc_mem_regions(t.uc, NULL, NULL), UC_ERR_ARG);
        fails(uc_context_alloc(t.uc, NULL), UC_ERR_ARG);
        fails(uc_hook_add(t.uc, NULL, UC_HOOK_CODE, &h, NULL, 1, 0), UC_ERR_ARG);
        fails(uc_hook_add(t.uc, &h, UC_HOOK_CODE, NULL, NULL, 1, 0), UC_ERR_ARG);
        fails(uc_context_save(t.uc, NULL), UC_ERR_HANDLE);
        fails(uc_context_restore(t.uc, NULL), UC_ERR_HANDLE);
        fails(uc_context_reg_read(NULL, id, &v), UC_ERR_HANDLE);
        fails(uc_context_reg_write(NULL, id, &v), UC_ERR_HANDLE);
        ok(uc_context_free(NULL));
        ok(uct_run(&t));
    }
    uct_close(&t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open_refuses),   cmocka_unit_test(test_open_accepts),
        cmocka_unit_test(test_many_engines),   cmocka_unit_test(test_version),
        cmocka_unit_test(test_arch_supported), cmocka_unit_test(test_strerror),
        cmocka_unit_test(test_query),          cmocka_unit_test(test_query_thumb),
        cmocka_unit_test(test_errno),          cmocka_unit_test(test_null),
        cmocka_unit_test(test_null_arguments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
