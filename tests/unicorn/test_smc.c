/* Code that changes: by itself, by calls, by hooks, by the caller behind the engine's back. */
#include "uc_test.h"

static void test_by_itself(void **state)
{
    struct uct t;

    (void)state;
    /* The next instruction, in the block that runs. */
    uct_x86(&t, 64, BYTES("\xc6\x04\x25\x09\x10\x00\x00\x40\xb0\x01\x90") /* mov byte ptr [0x1009],0x40; mov al,1; nop */);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_AL), 0x40);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_AL), 0x40);
    uct_close(&t);
    /* In a loop. */
    uct_x86(
        &t, 64,
        BYTES(
            "\x31\xc9\xb0\x01\x48\x01\xc3\xfe\x04\x25\x03\x10\x00\x00\xff\xc1\x83\xf9\x05\x75\xed") /* xor ecx,ecx; l: mov al,1; add rbx,rax; inc byte ptr [0x1003]; inc ecx; cmp ecx,5; jne l */);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 1 + 2 + 3 + 4 + 5);
    uct_close(&t);
}

static void test_another_block(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(
        &t,
        64, BYTES("\xb9\x03\x00\x00\x00\xe8\x0d\x00\x00\x00\xfe\x04\x25\x13\x10\x00\x00\xff\xc9\x75\xf0\xeb\x07\x90\xb0\x01\x48\x01\xc3\xc3\x90") /* mov ecx,3; l: call f; inc byte ptr [0x1013]; dec ecx; jne l; jmp e; f: nop; mov al,1; add rbx,rax; ret; e: nop */);
    for (uint64_t a = CODE; a < t.end; a++)
        if (uct_mem(&t, a, 2) == 0x01b0)
            uct_poke(&t, CODE + 0xd, a + 1, 4);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 1 + 2 + 3);
    uct_close(&t);
}

static void test_two_pages(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    uct_code(&t, 0x1ffd, BYTES("\xb8\x44\x33\x22\x11\xf4") /* mov eax,0x11223344; hlt */);
    ok(uc_emu_start(t.uc, 0x1ffd, 0, 0, 0));
    uct_poke(&t, 0x1ffe, 0x66, 1);
    ok(uc_emu_start(t.uc, 0x1ffd, 0, 0, 0));
    if (DIFFERS("smc-two-pages", "a change of a block that lies on two pages is not seen")) {
        assert_int_equal(uct_get(&t, UC_X86_REG_EAX), 0x11223366);
        uct_poke(&t, 0x2001, 0x55, 1);
        ok(uc_emu_start(t.uc, 0x1ffd, 0, 0, 0));
        assert_int_equal(uct_get(&t, UC_X86_REG_EAX), 0x55223366);
    }
    uct_close(&t);
}

static void test_by_call(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90\xb0\x01\x90") /* nop; mov al,1; nop */);
    for (unsigned i = 1; i < 10; i++) {
        uct_poke(&t, CODE + 2, i, 1);
        ok(uct_run(&t));
        assert_int_equal(uct_get(&t, UC_X86_REG_AL), i);
    }
    uct_close(&t);
}

static void test_remapped(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    for (unsigned i = 1; i < 4; i++) {
        ok(uc_mem_map(t.uc, 0x20000, 0x1000, 7));
        uct_poke(&t, 0x20000, 0xb0 | i << 8, 2);
        ok(uc_emu_start(t.uc, 0x20000, 0x20002, 0, 0));
        assert_int_equal(uct_get(&t, UC_X86_REG_AL), i);
        ok(uc_mem_unmap(t.uc, 0x20000, 0x1000));
        fails(uc_emu_start(t.uc, 0x20000, 0x20002, 0, 0), UC_ERR_FETCH_UNMAPPED);
    }
    uct_close(&t);
}

static void test_no_more_executable(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    ok(uc_mem_map(t.uc, 0x20000, 0x1000, 7));
    uct_poke(&t, 0x20000, 0x9090, 2);
    ok(uc_emu_start(t.uc, 0x20000, 0x20002, 0, 0));
    ok(uc_mem_protect(t.uc, 0x20000, 0x1000, UC_PROT_READ | UC_PROT_WRITE));
    fails(uc_emu_start(t.uc, 0x20000, 0x20002, 0, 0), UC_ERR_FETCH_PROT);
    ok(uc_mem_protect(t.uc, 0x20000, 0x1000, UC_PROT_ALL));
    ok(uc_emu_start(t.uc, 0x20000, 0x20002, 0, 0));
    uct_close(&t);
}

/* The caller's own memory: after uc_ctl_remove_cache at the latest. */
static void test_behind_its_back(void **state)
{
    uint8_t *own = calloc(1, 0x3000),
            *page = (uint8_t *)(((uintptr_t)own + 0xfff) & ~(uintptr_t)0xfff);
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    ok(uc_mem_map_ptr(t.uc, 0x20000, 0x1000, 7, page));
    for (unsigned i = 1; i < 5; i++) {
        page[0] = 0xb0;
        page[1] = (uint8_t)i;
        ok(uc_ctl_remove_cache(t.uc, 0x20000, 0x20002));
        ok(uc_emu_start(t.uc, 0x20000, 0x20002, 0, 0));
        assert_int_equal(uct_get(&t, UC_X86_REG_AL), i);
    }
    page[1] = 0x77;
    ok(uc_ctl_flush_tb(t.uc));
    ok(uc_emu_start(t.uc, 0x20000, 0x20002, 0, 0));
    assert_int_equal(uct_get(&t, UC_X86_REG_AL), 0x77);
    uct_close(&t);
    free(own);
}

/* The same memory at two addresses: Unicorn's library has to be told to drop the code at the other.
 */
static void test_alias(void **state)
{
    uint8_t *own = calloc(1, 0x3000),
            *page = (uint8_t *)(((uintptr_t)own + 0xfff) & ~(uintptr_t)0xfff);
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\xc6\x04\x25\x01\x00\x03\x00\x05\xbb\x00\x00\x02\x00\xff\xe3") /* mov byte ptr [0x30001],5; mov ebx,0x20000; jmp rbx */);
    ok(uc_mem_map_ptr(t.uc, 0x20000, 0x1000, 7, page));
    ok(uc_mem_map_ptr(t.uc, 0x30000, 0x1000, 3, page));
    memcpy(page, "\xb0\x01\x90", 3);
    ok(uc_emu_start(t.uc, 0x20000, 0x20002, 0, 0));
    assert_int_equal(uct_get(&t, UC_X86_REG_AL), 1);
    t.end = 0x20002;
    ok(uc_emu_start(t.uc, CODE, CODE + 8, 0, 0));
    if (!DIFFERS("smc-alias", "the code is executed as it was"))
        ok(uc_ctl_remove_cache(t.uc, 0x20000, 0x20002));
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_AL), 5);
    /* … and by the caller's write. */
    ok(uc_mem_write(t.uc, 0x30001, "\x09", 1));
    if (!uct_ours())
        ok(uc_ctl_remove_cache(t.uc, 0x20000, 0x20002));
    ok(uc_emu_start(t.uc, 0x20000, 0x20002, 0, 0));
    assert_int_equal(uct_get(&t, UC_X86_REG_AL), 9);
    uct_close(&t);
    free(own);
}

/* Mapped again while it is code; neither page nor offset are the same, and the store is the block's
 * own: what follows it is new. */
static void test_alias_of_running(void **state)
{
    uint8_t *own = calloc(1, 0x4000),
            *page = (uint8_t *)(((uintptr_t)own + 0xfff) & ~(uintptr_t)0xfff);
    struct uct t;

    (void)state;
    if (!DIFFERS("smc-alias", "the code is executed as it was")) {
        free(own);
        return;
    }
    for (int hooked = 0; hooked < 2; hooked++) {
        uct_x86(&t, 64, BYTES("\x90") /* nop */);
        ok(uc_mem_map_ptr(t.uc, 0x20000, 0x2000, 7, page));
        /* mov byte ptr [0x30000],5; mov al,1 */
        memcpy(page + 0xff0, "\xc6\x04\x25\x00\x00\x03\x00\x05\xb0\x01", 10);
        if (hooked)
            uct_log(&t, "wc");
        ok(uc_mem_protect(t.uc, 0x21000, 0x1000, 7));
        ok(uc_emu_start(t.uc, 0x20ff8, 0x20ffa, 0, 0));
        assert_int_equal(uct_get(&t, UC_X86_REG_AL), 1);
        ok(uc_mem_map_ptr(t.uc, 0x30000, 0x1000, 7, page + 0xff9));
        ok(uc_emu_start(t.uc, 0x20ff0, 0x20ffa, 0, 0));
        assert_int_equal(uct_get(&t, UC_X86_REG_AL), 5);
        uct_close(&t);
    }
    free(own);
}

static void writes_next(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    (void)size;
    (void)user;
    if (address == CODE)
        ok(uc_mem_write(uc, CODE + 2, "\x33", 1));
}

static void test_in_hook(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90\xb0\x01\x90") /* nop; mov al,1; nop */);
    uct_hook(&t, UC_HOOK_CODE, (void *)writes_next);
    ok(uct_run(&t));
    if (DIFFERS("smc-hook", "what a hook writes into the block that runs is not executed"))
        assert_int_equal(uct_get(&t, UC_X86_REG_AL), 0x33);
    uct_close(&t);
}

static void writes_itself(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    (void)size;
    (void)user;
    if (address == CODE + 1)
        ok(uc_mem_write(uc, CODE + 1, "\xb3\x44", 2)); /* mov bl,0x44 */
}

static void test_hooked_instruction(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90\xb0\x01\x90") /* nop; mov al,1; nop */);
    uct_hook(&t, UC_HOOK_CODE, (void *)writes_itself);
    ok(uct_run(&t));
    if (DIFFERS("smc-hook", "what a hook writes into the block that runs is not executed")) {
        assert_int_equal(uct_get(&t, UC_X86_REG_AL), 0);
        assert_int_equal(uct_get(&t, UC_X86_REG_BL), 0x44);
    }
    uct_close(&t);
}

static void test_arm(void **state)
{
    struct uct t;

    (void)state;
    uct_arm(
        &t,
        UC_MODE_ARM, BYTES("\x01\x0a\xa0\xe3\x07\x20\xa0\xe3\x14\x20\xc0\xe5\x00\x30\xa0\xe3\xff\xff\xff\xea\x01\x10\xa0\xe3\x00\xf0\x20\xe3") /* mov r0,#0x1000; mov r2,#7; strb r2,[r0,#20]; mov r3,#0; b e; e: mov r1,#1; nop */);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 7);
    uct_poke(&t, CODE + 20, 9, 1);
    ok(uc_emu_start(t.uc, CODE + 20, CODE + 24, 0, 0));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 9);
    uct_close(&t);
}

/* l: xor byte [rsi],0x5a; inc rsi; dec ecx; jnz l; then what it has made of the code behind itself:
 * 1,500 times inc eax. */
static void test_unpacks_itself(void **state)
{
    static const uint8_t loop[] = {0x80, 0x36, 0x5a, 0x48, 0xff, 0xc6, 0xff, 0xc9, 0x75, 0xf6};
    enum { PACKED = 3000 };
    uint8_t packed[PACKED];
    struct uct t;

    (void)state;
    for (unsigned n = 0; n < PACKED; n++)
        packed[n] = (n & 1 ? 0xc0 : 0xff) ^ 0x5a;
    uct_x86(&t, 64, loop, sizeof loop);
    for (unsigned round = 0; round < 4; round++) {
        ok(uc_mem_write(t.uc, CODE + sizeof loop, packed, PACKED));
        uct_set(&t, UC_X86_REG_RSI, CODE + sizeof loop);
        uct_set(&t, UC_X86_REG_RCX, PACKED);
        uct_set(&t, UC_X86_REG_RAX, round);
        ok(uc_emu_start(t.uc, CODE, CODE + sizeof loop + PACKED, 0, 0));
        assert_int_equal(uct_get(&t, UC_X86_REG_EAX), round + PACKED / 2);
        assert_int_equal(uct_mem(&t, CODE + sizeof loop + PACKED - 2, 2), 0xc0ff);
    }
    uct_close(&t);
}

/* l: mov [f+1],cl; call f; add ebx,eax; dec ecx; jnz l; nop; f: mov eax,0; ret: each round is
 * executed as it has been written. */
static void test_patches_a_call(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64,
            BYTES("\x88\x0d\x0d\x00\x00\x00\xe8\x07\x00\x00\x00\x01\xc3\xff\xc9\x75\xef\x90"
                  "\xb8\x00\x00\x00\x00\xc3"));
    for (unsigned round = 0; round < 20; round++) {
        uct_set(&t, UC_X86_REG_RCX, 200);
        uct_set(&t, UC_X86_REG_RBX, 0);
        ok(uc_emu_start(t.uc, CODE, CODE + 0x11, 0, 0));
        assert_int_equal(uct_get(&t, UC_X86_REG_EBX), 200 * 201 / 2);
    }
    uct_close(&t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_itself),          cmocka_unit_test(test_another_block),
        cmocka_unit_test(test_two_pages),          cmocka_unit_test(test_by_call),
        cmocka_unit_test(test_remapped),           cmocka_unit_test(test_no_more_executable),
        cmocka_unit_test(test_behind_its_back),    cmocka_unit_test(test_alias),
        cmocka_unit_test(test_alias_of_running),   cmocka_unit_test(test_in_hook),
        cmocka_unit_test(test_hooked_instruction), cmocka_unit_test(test_arm),
        cmocka_unit_test(test_unpacks_itself),     cmocka_unit_test(test_patches_a_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
