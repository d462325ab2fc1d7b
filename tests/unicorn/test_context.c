/* Contexts: saved and restored state of the CPU, as an object, as bytes, between engines. */
#include "uc_test.h"

static void test_all_registers(void **state)
{
    uint8_t ymm[32], st[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 0x40}, r[64] = {0};
    uc_context *c;
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    memset(ymm, 0x5a, sizeof ymm);
    for (int i = 0; i < 8; i++)
        uct_set(&t, UC_X86_REG_R8 + i, 100 + (unsigned)i);
    ok(uc_reg_write(t.uc, UC_X86_REG_YMM3, ymm));
    ok(uc_reg_write(t.uc, UC_X86_REG_ST0, st));
    uct_set(&t, UC_X86_REG_RFLAGS, 0x8d7);
    uct_set(&t, UC_X86_REG_FS_BASE, 0x12345000);
    uct_set(&t, UC_X86_REG_CR3, 0x7000);
    uct_set(&t, UC_X86_REG_MXCSR, 0x1f80);
    uct_set(&t, UC_X86_REG_RIP, 0x1234);
    c = uct_saved(&t);
    memset(ymm, 0, sizeof ymm);
    for (int i = 0; i < 8; i++)
        uct_set(&t, UC_X86_REG_R8 + i, 0);
    ok(uc_reg_write(t.uc, UC_X86_REG_YMM3, ymm));
    ok(uc_reg_write(t.uc, UC_X86_REG_ST0, ymm));
    uct_set(&t, UC_X86_REG_RFLAGS, 2);
    uct_set(&t, UC_X86_REG_FS_BASE, 0);
    uct_set(&t, UC_X86_REG_CR3, 0);
    uct_set(&t, UC_X86_REG_MXCSR, 0);
    uct_set(&t, UC_X86_REG_RIP, 0);
    ok(uc_context_restore(t.uc, c));
    for (int i = 0; i < 8; i++)
        assert_int_equal(uct_get(&t, UC_X86_REG_R8 + i), 100 + (unsigned)i);
    memset(ymm, 0x5a, sizeof ymm);
    ok(uc_reg_read(t.uc, UC_X86_REG_YMM3, r));
    assert_memory_equal(r, ymm, 32);
    ok(uc_reg_read(t.uc, UC_X86_REG_ST0, r));
    assert_memory_equal(r, st, 10);
    assert_int_equal(uct_get(&t, UC_X86_REG_RFLAGS), 0x8d7);
    assert_int_equal(uct_get(&t, UC_X86_REG_FS_BASE), 0x12345000);
    assert_int_equal(uct_get(&t, UC_X86_REG_CR3), 0x7000);
    assert_int_equal(uct_get(&t, UC_X86_REG_MXCSR), 0x1f80);
    assert_int_equal(uct_get(&t, UC_X86_REG_RIP), 0x1234);
    ok(uc_context_free(c));
    uct_close(&t);
}

static void test_arm(void **state)
{
    uc_context *c;
    struct uct t;

    (void)state;
    uct_arm(&t, UC_MODE_ARM, BYTES("\x00\xf0\x20\xe3") /* nop */);
    uct_set(&t, UC_ARM_REG_R1, 0x55);
    uct_set(&t, UC_ARM_REG_D17, 0x1122334455667788);
    uct_set(&t, UC_ARM_REG_CPSR, 0x600001df);
    uct_set(&t, UC_ARM_REG_SP, 0x77);
    c = uct_saved(&t);
    uct_set(&t, UC_ARM_REG_R1, 0);
    uct_set(&t, UC_ARM_REG_D17, 0);
    uct_set(&t, UC_ARM_REG_SP, 0);
    uct_set(&t, UC_ARM_REG_CPSR, 0x1d3);
    ok(uc_context_restore(t.uc, c));
    assert_int_equal(uct_get(&t, UC_ARM_REG_CPSR), 0x600001df);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 0x55);
    assert_int_equal(uct_get(&t, UC_ARM_REG_SP), 0x77);
    assert_int_equal(uct_get(&t, UC_ARM_REG_D17), 0x1122334455667788);
    uct_set(&t, UC_ARM_REG_CPSR, 0x1d3);
    assert_int_equal(uct_get(&t, UC_ARM_REG_SP), STACK); /* other modes' too */
    ok(uc_context_free(c));
    uct_close(&t);
}

/* Memory is not part of it. */
static void test_memory_stays(void **state)
{
    uc_context *c;
    struct uct t;

    (void)state;
    uct_x86(
        &t, 64,
        BYTES(
            "\x48\xff\x04\x25\x00\x20\x00\x00\x48\xff\xc0") /* inc qword ptr [0x2000]; inc rax */);
    c = uct_saved(&t);
    for (unsigned i = 1; i < 5; i++) {
        ok(uct_run(&t));
        assert_int_equal(uct_mem(&t, DATA, 8), i);
        assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 1);
        ok(uc_context_restore(t.uc, c));
    }
    ok(uc_context_free(c));
    uct_close(&t);
}

/* As many bytes as uc_context_size says are the whole of it. */
static void test_raw_copy(void **state)
{
    struct uct t;
    uc_context *c;
    size_t n;
    void *copy;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    n = uc_context_size(t.uc);
    assert_true(n > 100);
    uct_set(&t, UC_X86_REG_RBX, 0x1234);
    c = uct_saved(&t);
    copy = malloc(n);
    memcpy(copy, c, n);
    ok(uc_context_free(c));
    uct_set(&t, UC_X86_REG_RBX, 0);
    ok(uc_context_restore(t.uc, copy));
    assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 0x1234);
    /* Saved into, too: "can be used to allocate a buffer ... and directly call uc_context_save". */
    uct_set(&t, UC_X86_REG_RBX, 0x5678);
    memset(copy, 0, n);
    if (DIFFERS("context-buffer", "nothing is saved into a buffer of the caller's")) {
        ok(uc_context_save(t.uc, copy));
        uct_set(&t, UC_X86_REG_RBX, 0);
        ok(uc_context_restore(t.uc, copy));
        assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 0x5678);
    }
    free(copy);
    uct_close(&t);
}

static void test_other_engine(void **state)
{
    uint64_t v = 0;
    uc_context *c;
    struct uct a, b;

    (void)state;
    uct_x86(&a, 64, BYTES("\x90") /* nop */);
    uct_set(&a, UC_X86_REG_RBX, 0x1234);
    c = uct_saved(&a);
    uct_x86(&b, 64, BYTES("\x48\x89\xd9") /* mov rcx,rbx */);
    ok(uc_context_restore(b.uc, c));
    assert_int_equal(uct_get(&b, UC_X86_REG_RBX), 0x1234);
    /* It outlives the engine that it comes from. */
    uct_close(&a);
    uct_set(&b, UC_X86_REG_RBX, 0);
    ok(uc_context_restore(b.uc, c));
    ok(uct_run(&b));
    assert_int_equal(uct_get(&b, UC_X86_REG_RCX), 0x1234);
    ok(uc_context_reg_read(c, UC_X86_REG_RBX, &v));
    assert_int_equal(v, 0x1234);
    ok(uc_context_save(b.uc, c));
    ok(uc_context_free(c));
    uct_close(&b);
}

static void test_other_architecture(void **state)
{
    uc_context *c;
    struct uct a, b;

    (void)state;
    uct_x86(&a, 64, BYTES("\x90") /* nop */);
    uct_arm(&b, UC_MODE_ARM, BYTES("\x00\xf0\x20\xe3") /* nop */);
    c = uct_saved(&a);
    if (DIFFERS("context-arch", "is taken as it is, and crashes")) {
        fails(uc_context_restore(b.uc, c), UC_ERR_ARG);
        assert_int_equal(uct_get(&b, UC_ARM_REG_SP), STACK);
        ok(uct_run(&b));
    }
    ok(uc_context_free(c));
    uct_close(&a);
    uct_close(&b);
}

static uc_context *point;
static int times;

static void saves_and_restores(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    (void)size;
    uct_add(user, "%x", (unsigned)address & 0xfff);
    if (address == CODE + 3 && !times++)
        ok(uc_context_save(uc, point));
    if (address == CODE + 9 && times++ == 1)
        ok(uc_context_restore(uc, point));
}

/* In a hook: the run goes on where the context was saved. */
static void test_in_hook(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64,
            BYTES("\x48\xff\xc0\x48\xff\xc0\x48\xff\xc0\x90") /* inc rax; inc rax; inc rax; nop */);
    point = NULL;
    times = 0;
    ok(uc_context_alloc(t.uc, &point));
    uct_hook(&t, UC_HOOK_CODE, (void *)saves_and_restores);
    ok(uct_run(&t));
    if (DIFFERS("context-restore-hook", "goes on behind the hooked instruction"))
        uct_expect(&t, "0 3 6 9 3 6 9");
    assert_int_equal(uct_pc(&t), t.end);
    if (uct_ours())
        assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 3);
    ok(uc_context_free(point));
    uct_close(&t);
}

/* A run that was left is gone on with from its context. */
static void test_resume(void **state)
{
    uc_context *c;
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\xb9\x0a\x00\x00\x00\x48\x01\xc8\xff\xc9\x75\xf9") /* mov ecx,10; l: add rax,rcx; dec ecx; jnz l */);
    ok(uc_emu_start(t.uc, CODE, t.end, 0, 8));
    c = uct_saved(&t);
    for (int i = 0; i < 3; i++) {
        ok(uc_context_restore(t.uc, c));
        ok(uc_emu_start(t.uc, uct_pc(&t), t.end, 0, 0));
        assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 55);
    }
    ok(uc_context_free(c));
    uct_close(&t);
}

static void test_thumb(void **state)
{
    uc_context *c;
    struct uct t;

    (void)state;
    uct_arm(&t, UC_MODE_THUMB, BYTES("\x80\x42\x04\xbf\x01\x21\x02\x22\x00\xbf") /* cmp r0,r0; itt eq; moveq r1,#1; moveq r2,#2; nop */);
    ok(uc_emu_start(t.uc, CODE | 1, t.end, 0, 3)); /* in the IT block */
    c = uct_saved(&t);
    uct_set(&t, UC_ARM_REG_PC, CODE);
    ok(uc_context_restore(t.uc, c));
    assert_int_equal(uct_get(&t, UC_ARM_REG_CPSR) & 0x20, 0x20);
    ok(uc_emu_start(t.uc, uct_pc(&t) | 1, t.end, 0, 0));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R2), 2);
    ok(uc_context_free(c));
    uct_close(&t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_registers), cmocka_unit_test(test_arm),
        cmocka_unit_test(test_memory_stays),  cmocka_unit_test(test_raw_copy),
        cmocka_unit_test(test_other_engine),  cmocka_unit_test(test_other_architecture),
        cmocka_unit_test(test_in_hook),       cmocka_unit_test(test_resume),
        cmocka_unit_test(test_thumb),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
