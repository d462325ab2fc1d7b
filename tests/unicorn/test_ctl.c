/* Every uc_ctl, with its errors. */
#include "uc_test.h"

static void test_mode_and_arch(void **state)
{
    static const int modes[] = {UC_MODE_ARM, UC_MODE_THUMB, UC_MODE_BIG_ENDIAN,
                                UC_MODE_MCLASS | UC_MODE_THUMB};
    uc_engine *uc = uct_open(UC_ARCH_X86, UC_MODE_64);
    int v = -1;

    (void)state;
    ok(uc_ctl_get_mode(uc, &v));
    assert_int_equal(v, UC_MODE_64);
    ok(uc_ctl_get_arch(uc, &v));
    assert_int_equal(v, UC_ARCH_X86);
    ok(uc_close(uc));
    for (int i = 0; i < 4; i++) {
        uc = uct_open(UC_ARCH_ARM, modes[i]);
        ok(uc_ctl_get_mode(uc, &v));
        assert_int_equal(v, modes[i]); /* as it was opened */
        ok(uc_ctl_get_arch(uc, &v));
        assert_int_equal(v, UC_ARCH_ARM);
        ok(uc_close(uc));
    }
}

static void test_wrong_words(void **state)
{
    uc_engine *uc = uct_open(UC_ARCH_X86, UC_MODE_64);
    uint64_t v = 0;

    (void)state;
    fails(uc_ctl(uc, UC_CTL_WRITE(UC_CTL_UC_MODE, 1), 4), UC_ERR_ARG);
    fails(uc_ctl(uc, UC_CTL_WRITE(UC_CTL_UC_ARCH, 1), 4), UC_ERR_ARG);
    fails(uc_ctl(uc, UC_CTL_WRITE(UC_CTL_UC_TIMEOUT, 1), (uint64_t)4), UC_ERR_ARG);
    fails(uc_ctl(uc, UC_CTL_READ(UC_CTL_UC_USE_EXITS, 1), &v), UC_ERR_ARG);
    fails(uc_ctl(uc, UC_CTL_READ(UC_CTL_TB_FLUSH, 0)), UC_ERR_ARG);
    fails(uc_ctl(uc, UC_CTL_READ(UC_CTL_TB_REQUEST_CACHE, 2), (uint64_t)CODE, &v), UC_ERR_ARG);
    fails(uc_ctl(uc, UC_CTL_READ((uc_control_type)100, 1), &v), UC_ERR_ARG);
    if (SINCE_2_1) {
        fails(uc_ctl(uc, UC_CTL_NONE(UC_CTL_TB_FLUSH, 0)), UC_ERR_ARG);
        fails(uc_ctl(uc, UC_CTL_READ(UC_CTL_TLB_FLUSH, 0)), UC_ERR_ARG);
        fails(uc_ctl(uc, UC_CTL_READ(UC_CTL_TLB_TYPE, 1), &v), UC_ERR_ARG);
        fails(uc_ctl(uc, UC_CTL_READ(UC_CTL_CONTEXT_MODE, 1), &v), UC_ERR_ARG);
    }
    ok(uc_close(uc));
}

static void test_page_size(void **state)
{
    uc_engine *uc = uct_open(UC_ARCH_X86, UC_MODE_64);
    uint32_t v = 0;

    (void)state;
    NEEDS_2_1();
    ok(uc_ctl_get_page_size(uc, &v));
    assert_int_equal(v, 4096);
    fails(uc_ctl_set_page_size(uc, 4096), UC_ERR_ARG);
    fails(uc_ctl_set_page_size(uc, 1024), UC_ERR_ARG);
    ok(uc_close(uc));
    for (uint32_t size = 0x400; size <= 0x10000; size *= 2) {
        uc = uct_open(UC_ARCH_ARM, UC_MODE_ARM);
        ok(uc_ctl_set_page_size(uc, size));
        ok(uc_ctl_get_page_size(uc, &v));
        assert_int_equal(v, size);
        ok(uc_mem_map(uc, size, size, 7));
        fails(uc_mem_map(uc, size * 8, size / 2, 7), UC_ERR_ARG);
        fails(uc_ctl_set_page_size(uc, 4096), UC_ERR_ARG); /* too late */
        ok(uc_close(uc));
    }
    uc = uct_open(UC_ARCH_ARM, UC_MODE_ARM);
    fails(uc_ctl_set_page_size(uc, 4097), UC_ERR_ARG);
    fails(uc_ctl_set_page_size(uc, 3 * 1024), UC_ERR_ARG);
    if (DIFFERS("page-size-tiny", "1 is accepted and makes the engine useless"))
        fails(uc_ctl_set_page_size(uc, 1), UC_ERR_ARG);
    ok(uc_close(uc));
}

static void test_timeout(void **state)
{
    uint64_t v = 99;
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    ok(uc_ctl_get_timeout(t.uc, &v));
    assert_int_equal(v, 0);
    ok(uc_emu_start(t.uc, CODE, t.end, 3000000, 0));
    ok(uc_ctl_get_timeout(t.uc, &v));
    assert_int_equal(v, 3000000000); /* in nanoseconds */
    uct_close(&t);
}

static void test_exits_refuse(void **state)
{
    uc_engine *uc = uct_open(UC_ARCH_X86, UC_MODE_64);
    uint64_t list[4] = {1, 2, 3, 4};
    size_t n = 99;

    (void)state;
    fails(uc_ctl_get_exits_cnt(uc, &n), UC_ERR_ARG);
    fails(uc_ctl_get_exits(uc, list, 4), UC_ERR_ARG);
    fails(uc_ctl_set_exits(uc, list, 4), UC_ERR_ARG);
    ok(uc_ctl_exits_enable(uc));
    ok(uc_ctl_exits_enable(uc));
    ok(uc_ctl_get_exits_cnt(uc, &n));
    assert_int_equal(n, 0);
    ok(uc_ctl_set_exits(uc, list, 4));
    fails(uc_ctl_get_exits(uc, list, 3), UC_ERR_ARG);
    ok(uc_ctl_exits_disable(uc));
    fails(uc_ctl_get_exits_cnt(uc, &n), UC_ERR_ARG);
    ok(uc_ctl_exits_enable(uc));
    ok(uc_ctl_get_exits_cnt(uc, &n));
    if (DIFFERS("exits-kept", "disabling does not clear them"))
        assert_int_equal(n, 0);
    ok(uc_close(uc));
}

/* Sorted, each once. */
static void test_exits_listed(void **state)
{
    uint64_t set[] = {0x3000, 0x1001, 0x2000, 0x3000}, got[6] = {9, 9, 9, 9, 9, 9};
    uc_engine *uc = uct_open(UC_ARCH_X86, UC_MODE_64);
    size_t n = 99;

    (void)state;
    ok(uc_ctl_exits_enable(uc));
    ok(uc_ctl_set_exits(uc, set, 4));
    ok(uc_ctl_get_exits_cnt(uc, &n));
    assert_int_equal(n, 3);
    ok(uc_ctl_get_exits(uc, got, 6));
    assert_int_equal(got[0], 0x1001);
    assert_int_equal(got[1], 0x2000);
    assert_int_equal(got[2], 0x3000);
    assert_int_equal(got[3], 9);
    ok(uc_ctl_set_exits(uc, set, 1)); /* replaces them */
    ok(uc_ctl_get_exits_cnt(uc, &n));
    assert_int_equal(n, 1);
    ok(uc_ctl_set_exits(uc, set, 0));
    ok(uc_ctl_get_exits_cnt(uc, &n));
    assert_int_equal(n, 0);
    ok(uc_close(uc));
}

static void test_exits_end_runs(void **state)
{
    uint64_t exits[] = {CODE + 6, CODE + 12};
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x48\xff\xc0\x48\x85\xdb\x75\x01\x90\x90\x90\x90\xf4") /* inc rax; test rbx,rbx; jnz n; nop; n: nop; nop; nop; hlt */);
    ok(uc_ctl_exits_enable(t.uc));
    ok(uc_ctl_set_exits(t.uc, exits, 2));
    ok(uc_emu_start(t.uc, CODE, CODE + 3, 0, 0)); /* until is not looked at */
    assert_int_equal(uct_pc(&t), CODE + 6);
    exits[0] = CODE + 8;
    exits[1] = CODE + 10;
    ok(uc_ctl_set_exits(t.uc, exits, 2));
    ok(uc_emu_start(t.uc, CODE, 0, 0, 0));
    assert_int_equal(uct_pc(&t), CODE + 8);
    uct_set(&t, UC_X86_REG_RBX, 1);
    ok(uc_emu_start(t.uc, CODE, 0, 0, 0));
    assert_int_equal(uct_pc(&t), CODE + 10);
    ok(uc_ctl_set_exits(t.uc, exits, 0));
    ok(uc_emu_start(t.uc, CODE, CODE + 3, 0, 0));
    assert_int_equal(uct_pc(&t), CODE + 13); /* the HLT */
    ok(uc_ctl_exits_disable(t.uc));
    ok(uc_emu_start(t.uc, CODE, CODE + 3, 0, 0));
    if (DIFFERS("until-after-exits", "code that ran with exits does not know the end"))
        assert_int_equal(uct_pc(&t), CODE + 3);
    uct_close(&t);
}

static void test_request_cache(void **state)
{
    uc_tb tb = {9, 9, 9};
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\xb8\x01\x00\x00\x00\xff\xc0\xff\xc8\xeb\x01\x90\x90\xc3") /* mov eax,1; inc eax; dec eax; jmp e; nop; e: nop; ret */);
    ok(uc_ctl_request_cache(t.uc, CODE, &tb));
    assert_int_equal(tb.pc, CODE);
    assert_int_equal(tb.icount, 4);
    assert_int_equal(tb.size, 11);
    ok(uc_ctl_request_cache(t.uc, CODE + 5, &tb));
    assert_int_equal(tb.pc, CODE + 5);
    assert_int_equal(tb.icount, 3);
    assert_int_equal(tb.size, 6);
    ok(uc_ctl_request_cache(t.uc, CODE, NULL));
    if (DIFFERS("cache-unmapped", "a block of rubbish is made where nothing is mapped"))
        fails(uc_ctl_request_cache(t.uc, NOWHERE, &tb), UC_ERR_FETCH_UNMAPPED);
    uct_close(&t);
    uct_arm(&t, UC_MODE_ARM,
            BYTES("\x00\xf0\x20\xe3\xfe\xff\xff\xea\x00\xf0\x20\xe3") /* nop; b .; nop */);
    ok(uc_ctl_request_cache(t.uc, CODE, &tb));
    assert_int_equal(tb.icount, 2);
    assert_int_equal(tb.size, 8);
    uct_close(&t);
}

static void test_remove_cache(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90\x90") /* nop; nop */);
    ok(uct_run(&t));
    ok(uc_ctl_remove_cache(t.uc, CODE, CODE + 16));
    ok(uc_ctl_remove_cache(t.uc, DATA, DATA + 1));
    if (SINCE_2_1)
        ok(uc_ctl_remove_cache(t.uc, NOWHERE, NOWHERE + 1));
    fails(uc_ctl_remove_cache(t.uc, CODE, CODE), UC_ERR_ARG);
    fails(uc_ctl_remove_cache(t.uc, CODE + 1, CODE), UC_ERR_ARG);
    ok(uct_run(&t));
    uct_close(&t);
}

static void test_flush(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64,
            BYTES("\x48\xff\xc0\x48\x89\x04\x25\x00\x20\x00\x00") /* inc rax; mov [0x2000],rax */);
    for (int i = 0; i < 3; i++) {
        ok(uct_run(&t));
        ok(uc_ctl_flush_tb(t.uc));
        if (SINCE_2_1)
            ok(uc_ctl_flush_tlb(t.uc));
    }
    assert_int_equal(uct_mem(&t, DATA, 8), 3);
    uct_close(&t);
}

static void test_modes_with_values(void **state)
{
    uc_engine *uc = uct_open(UC_ARCH_X86, UC_MODE_64);
    uint32_t size = 0;

    (void)state;
    NEEDS_2_1();
    ok(uc_ctl_tlb_mode(uc, UC_TLB_CPU));
    ok(uc_ctl_tlb_mode(uc, UC_TLB_VIRTUAL));
    fails(uc_ctl_tlb_mode(uc, 2), UC_ERR_ARG);
    fails(uc_ctl_tlb_mode(uc, -1), UC_ERR_ARG);
    ok(uc_ctl_context_mode(uc, UC_CTL_CONTEXT_CPU));
    ok(uc_ctl_context_mode(uc, UC_CTL_CONTEXT_MEMORY));
    ok(uc_ctl_context_mode(uc, UC_CTL_CONTEXT_CPU | UC_CTL_CONTEXT_MEMORY));
    ok(uc_ctl_get_tcg_buffer_size(uc, &size));
    assert_true(size > 0);
    ok(uc_ctl_set_tcg_buffer_size(uc, 1 << 22));
    ok(uc_ctl_get_tcg_buffer_size(uc, &size));
    assert_int_equal(size, 1 << 22);
    ok(uc_close(uc));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mode_and_arch),  cmocka_unit_test(test_wrong_words),
        cmocka_unit_test(test_page_size),      cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_exits_refuse),   cmocka_unit_test(test_exits_listed),
        cmocka_unit_test(test_exits_end_runs),

        cmocka_unit_test(test_request_cache),  cmocka_unit_test(test_remove_cache),
        cmocka_unit_test(test_flush),          cmocka_unit_test(test_modes_with_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
