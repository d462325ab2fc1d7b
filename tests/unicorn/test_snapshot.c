/* Contexts with memory: snapshots, restored again and again, nested, with changes of the map. */
#include "uc_test.h"

#define MEM 0x20000

static void begin(struct uct *t, int mode, const uint8_t *code, size_t n)
{
    uct_x86(t, 64, code, n);
    ok(uc_mem_map(t->uc, MEM, 0x3000, UC_PROT_ALL));
    for (uint64_t a = MEM; a < MEM + 0x3000; a += 0x100)
        uct_poke(t, a, a, 8);
    ok(uc_ctl_context_mode(t->uc, mode));
}

static void test_memory_only(void **state)
{
    uc_context *c;
    struct uct t;

    (void)state;
    NEEDS_2_1();
    begin(&t, UC_CTL_CONTEXT_MEMORY, BYTES("\x90") /* nop */);
    uct_set(&t, UC_X86_REG_RAX, 1);
    c = uct_saved(&t);
    uct_set(&t, UC_X86_REG_RAX, 2);
    uct_poke(&t, MEM, 7, 8);
    uct_poke(&t, MEM + 0x1ffc, 7, 8); /* two pages */
    for (int i = 0; i < 3; i++) {
        ok(uc_context_restore(t.uc, c));
        assert_int_equal(uct_mem(&t, MEM, 8), MEM);
        assert_int_equal(uct_mem(&t, MEM + 0x2000, 8), MEM + 0x2000);
        assert_int_equal(uct_mem(&t, MEM + 0x1ffc, 4), 0);
        assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 2);
        uct_poke(&t, MEM, 8, 8);
    }
    ok(uc_context_free(c));
    uct_close(&t);
}

static void test_with_registers(void **state)
{
    uc_context *c;
    struct uct t;

    (void)state;
    NEEDS_2_1();
    begin(
        &t,
        UC_CTL_CONTEXT_CPU | UC_CTL_CONTEXT_MEMORY, BYTES("\xfe\x04\x25\x00\x00\x02\x00\x48\xff\xc0\x50\x48\x8b\x1c\x25\x00\x20\x02\x00") /* inc byte ptr [0x20000]; inc rax; push rax; mov rbx,[0x22000] */);
    c = uct_saved(&t);
    for (unsigned i = 0; i < 4; i++) {
        ok(uct_run(&t));
        assert_int_equal(uct_mem(&t, MEM, 4), MEM + 1);
        assert_int_equal(uct_mem(&t, STACK - 8, 8), 1);
        assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 1);
        assert_int_equal(uct_get(&t, UC_X86_REG_RBX), MEM + 0x2000);
        ok(uc_context_restore(t.uc, c));
        assert_int_equal(uct_mem(&t, MEM, 4), MEM);
        assert_int_equal(uct_mem(&t, STACK - 8, 8), 0);
        assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 0);
        assert_int_equal(uct_get(&t, UC_X86_REG_RSP), STACK);
    }
    ok(uc_context_free(c));
    uct_close(&t);
}

static void test_nested(void **state)
{
    uc_context *a, *b, *c;
    struct uct t;

    (void)state;
    NEEDS_2_1();
    begin(&t, UC_CTL_CONTEXT_MEMORY, BYTES("\x90") /* nop */);
    uct_poke(&t, MEM, 1, 8);
    a = uct_saved(&t);
    uct_poke(&t, MEM, 2, 8);
    b = uct_saved(&t);
    uct_poke(&t, MEM, 3, 8);
    c = uct_saved(&t);
    uct_poke(&t, MEM, 4, 8);
    ok(uc_context_restore(t.uc, c));
    assert_int_equal(uct_mem(&t, MEM, 8), 3);
    ok(uc_context_restore(t.uc, b));
    assert_int_equal(uct_mem(&t, MEM, 8), 2);
    ok(uc_context_restore(t.uc, a));
    assert_int_equal(uct_mem(&t, MEM, 8), 1);
    /* A restore gives up those taken after it. */
    if (DIFFERS("snapshot-forward", "crashes when a later one is restored after an earlier one")) {
        fails(uc_context_restore(t.uc, c), UC_ERR_ARG);
        fails(uc_context_restore(t.uc, b), UC_ERR_ARG);
        assert_int_equal(uct_mem(&t, MEM, 8), 1);
        ok(uc_context_restore(t.uc, a));
        assert_int_equal(uct_mem(&t, MEM, 8), 1);
    }
    ok(uc_context_free(c));
    ok(uc_context_free(b));
    ok(uc_context_free(a));
    uct_close(&t);
}

static void test_saved_again(void **state)
{
    uc_context *c;
    struct uct t;

    (void)state;
    NEEDS_2_1();
    begin(&t, UC_CTL_CONTEXT_MEMORY, BYTES("\x90") /* nop */);
    uct_poke(&t, MEM, 1, 8);
    c = uct_saved(&t);
    uct_poke(&t, MEM, 2, 8);
    ok(uc_context_save(t.uc, c));
    uct_poke(&t, MEM, 3, 8);
    ok(uc_context_restore(t.uc, c));
    assert_int_equal(uct_mem(&t, MEM, 8), 2);
    ok(uc_context_free(c));
    uct_close(&t);
}

static void test_freed(void **state)
{
    uc_context *a, *b;
    struct uct t;

    (void)state;
    NEEDS_2_1();
    begin(&t, UC_CTL_CONTEXT_MEMORY, BYTES("\x90") /* nop */);
    uct_poke(&t, MEM, 1, 8);
    a = uct_saved(&t);
    uct_poke(&t, MEM, 2, 8);
    ok(uc_context_free(a));
    assert_int_equal(uct_mem(&t, MEM, 8), 2);
    b = uct_saved(&t);
    uct_poke(&t, MEM, 3, 8);
    ok(uc_context_restore(t.uc, b));
    assert_int_equal(uct_mem(&t, MEM, 8), 2);
    ok(uc_context_free(b));
    uct_close(&t);
}

static uint32_t count_regions(struct uct *t, uint64_t address, uint32_t *perms)
{
    uc_mem_region *r;
    uint32_t n, found = 0;

    ok(uc_mem_regions(t->uc, &r, &n));
    for (uint32_t i = 0; i < n; i++)
        if (r[i].begin <= address && address <= r[i].end) {
            found++;
            *perms = r[i].perms;
        }
    ok(uc_free(r));
    return found;
}

/* What was mapped since is gone, what was unmapped is back. */
static void test_map_changes(void **state)
{
    uint32_t perms = 0;
    uc_context *c;
    struct uct t;

    (void)state;
    NEEDS_2_1();
    begin(&t, UC_CTL_CONTEXT_MEMORY, BYTES("\x90") /* nop */);
    c = uct_saved(&t);
    ok(uc_mem_map(t.uc, 0x50000, 0x1000, 7));
    uct_poke(&t, 0x50000, 1, 8);
    ok(uc_context_restore(t.uc, c));
    assert_int_equal(count_regions(&t, 0x50000, &perms), 0);
    ok(uc_mem_unmap(t.uc, MEM, 0x3000));
    ok(uc_context_restore(t.uc, c));
    assert_int_equal(count_regions(&t, MEM, &perms), 1);
    assert_int_equal(perms, 7);
    assert_int_equal(uct_mem(&t, MEM + 0x1000, 8), MEM + 0x1000);
    ok(uc_context_free(c));
    uct_close(&t);
}

static void test_protect(void **state)
{
    uint32_t perms = 0;
    uc_context *c;
    struct uct t;

    (void)state;
    NEEDS_2_1();
    begin(&t, UC_CTL_CONTEXT_MEMORY,
          BYTES("\x48\x89\x04\x25\x00\x10\x02\x00") /* mov [0x21000],rax */);
    c = uct_saved(&t);
    if (DIFFERS("snapshot-protect", "uc_mem_protect fails while there is a snapshot")) {
        ok(uc_mem_protect(t.uc, MEM + 0x1000, 0x1000, UC_PROT_READ));
        fails(uct_run(&t), UC_ERR_WRITE_PROT);
        uct_poke(&t, MEM, 5, 8);
        ok(uc_context_restore(t.uc, c));
        assert_int_equal(count_regions(&t, MEM + 0x1000, &perms), 1);
        assert_int_equal(perms, 7);
        ok(uct_run(&t));
        assert_int_equal(uct_mem(&t, MEM + 0x1000, 8), 0);
        ok(uc_context_restore(t.uc, c));
        assert_int_equal(uct_mem(&t, MEM, 8), MEM);
        assert_int_equal(uct_mem(&t, MEM + 0x1000, 8), MEM + 0x1000);
    }
    ok(uc_context_free(c));
    uct_close(&t);
}

static void test_protected_before(void **state)
{
    uint32_t perms = 0;
    uc_context *c;
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    ok(uc_mem_map(t.uc, MEM, 0x2000, UC_PROT_ALL));
    ok(uc_mem_protect(t.uc, MEM, 0x1000, UC_PROT_READ | UC_PROT_WRITE));
    ok(uc_ctl_context_mode(t.uc, UC_CTL_CONTEXT_MEMORY));
    uct_poke(&t, MEM, 1, 8);
    c = uct_saved(&t);
    uct_poke(&t, MEM, 2, 8);
    ok(uc_context_restore(t.uc, c));
    assert_int_equal(uct_mem(&t, MEM, 8), 1);
    if (DIFFERS("snapshot-regions", "uc_mem_regions says that a copied region begins at 0")) {
        assert_int_equal(count_regions(&t, MEM, &perms), 1);
        assert_int_equal(perms, UC_PROT_READ | UC_PROT_WRITE);
    }
    ok(uc_context_free(c));
    uct_close(&t);
}

/* The caller's memory is left alone: what is written is a copy. */
static void test_callers_memory(void **state)
{
    uint8_t *own = calloc(1, 0x3000),
            *page = (uint8_t *)(((uintptr_t)own + 0xfff) & ~(uintptr_t)0xfff);
    uc_context *c;
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    ok(uc_mem_map_ptr(t.uc, MEM, 0x1000, 7, page));
    ok(uc_ctl_context_mode(t.uc, UC_CTL_CONTEXT_MEMORY));
    uct_poke(&t, MEM, 1, 8);
    assert_int_equal(page[0], 1);
    c = uct_saved(&t);
    uct_poke(&t, MEM, 2, 8);
    assert_int_equal(uct_mem(&t, MEM, 8), 2);
    ok(uc_context_restore(t.uc, c));
    assert_int_equal(uct_mem(&t, MEM, 8), 1);
    assert_int_equal(page[0], 1);
    ok(uc_context_free(c));
    uct_close(&t);
    free(own);
}

/* Code comes back too. */
static void test_code(void **state)
{
    uc_context *c;
    struct uct t;

    (void)state;
    NEEDS_2_1();
    begin(&t, UC_CTL_CONTEXT_MEMORY, BYTES("\xb8\x01\x00\x00\x00") /* mov eax,1 */);
    ok(uct_run(&t));
    c = uct_saved(&t);
    uct_poke(&t, CODE + 1, 2, 1);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 2);
    ok(uc_context_restore(t.uc, c));
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 1);
    ok(uc_context_free(c));
    uct_close(&t);
}

static void test_mmio(void **state)
{
    uc_context *c;
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    ok(uc_mmio_map(t.uc, MEM, 0x1000, NULL, NULL, NULL, NULL));
    ok(uc_ctl_context_mode(t.uc, UC_CTL_CONTEXT_CPU | UC_CTL_CONTEXT_MEMORY));
    c = uct_saved(&t);
    ok(uc_context_restore(t.uc, c));
    ok(uc_context_free(c));
    uct_close(&t);
}

static void test_arm(void **state)
{
    uc_context *c;
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_arm(&t,
            UC_MODE_ARM, BYTES("\x02\x0a\xa0\xe3\x00\x10\x90\xe5\x01\x10\x81\xe2\x00\x10\x80\xe5") /* mov r0,#0x2000; ldr r1,[r0]; add r1,#1; str r1,[r0] */);
    ok(uc_ctl_context_mode(t.uc, UC_CTL_CONTEXT_CPU | UC_CTL_CONTEXT_MEMORY));
    c = uct_saved(&t);
    for (int i = 0; i < 3; i++) {
        ok(uct_run(&t));
        assert_int_equal(uct_mem(&t, DATA, 4), 1);
        ok(uc_context_restore(t.uc, c));
        assert_int_equal(uct_mem(&t, DATA, 4), 0);
        assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 0);
    }
    ok(uc_context_free(c));
    uct_close(&t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_only),    cmocka_unit_test(test_with_registers),
        cmocka_unit_test(test_nested),         cmocka_unit_test(test_saved_again),
        cmocka_unit_test(test_freed),          cmocka_unit_test(test_map_changes),
        cmocka_unit_test(test_protect),        cmocka_unit_test(test_protected_before),
        cmocka_unit_test(test_callers_memory), cmocka_unit_test(test_code),
        cmocka_unit_test(test_mmio),           cmocka_unit_test(test_arm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
