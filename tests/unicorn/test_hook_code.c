/* Hooks of instructions and blocks: what they are told, ranges, order, added and deleted at any
 * time. */
#include "uc_test.h"

static void test_reported(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(
        &t, 64,
        BYTES("\x50\x59\xe8\x02\x00\x00\x00\xeb\x01\xc3\x48\xb8\x88\x77\x66\x55\x44\x33\x22\x11") /* push rax; pop rcx; call f; jmp e; f: ret; e: mov rax,0x1122334455667788 */);
    uct_log(&t, "bc");
    ok(uct_run(&t));
    uct_expect(&t,
               "b1000:7 c1000:1 c1001:1 c1002:5 b1009:1 c1009:1 b1007:2 c1007:2 b100a:10 c100a:10");
    uct_close(&t);
}

static void test_reported_arm(void **state)
{
    struct uct t;

    (void)state;
    uct_arm(
        &t,
        UC_MODE_ARM, BYTES("\x01\x00\x00\xeb\x00\xf0\x20\xe3\x01\x00\x00\xea\x01\x00\xa0\xe3\x1e\xff\x2f\xe1\x01\x00\x50\xe3\x01\x00\x80\x02\x01\x00\x80\x12\x00\x00\x00\x0a\x00\xf0\x20\xe3\x00\xf0\x20\xe3") /* bl f; nop; b e; f: mov r0,#1; bx lr; e: cmp r0,#1; addeq r0,r0,#1; addne r0,r0,#1; beq g; nop; g: nop */);
    uct_log(&t, "bc");
    ok(uct_run(&t));
    /* An instruction whose condition fails is one too. */
    uct_expect(&t, "b1000:4 c1000:4 b100c:8 c100c:4 c1010:4 b1004:8 c1004:4 c1008:4 "
                   "b1014:16 c1014:4 c1018:4 c101c:4 c1020:4 b1028:4 c1028:4");
    uct_close(&t);
}

static void test_reported_thumb(void **state)
{
    struct uct t;

    (void)state;
    uct_arm(
        &t,
        UC_MODE_ARM, BYTES("\x09\x00\x8f\xe2\x30\xff\x2f\xe1\x00\xf0\x20\xe3\x01\x00\x00\xea\x41\xf2\x34\x21\x70\x47\x00\xbf\x00\xf0\x20\xe3") /* adr r0,t+1; blx r0; nop; b e; .thumb; t: movw r1,#0x1234; bx lr; nop; .arm; e: nop */);
    uct_log(&t, "bc");
    ok(uct_run(&t));
    uct_expect(
        &t,
        "b1000:8 c1000:4 c1004:4 b1010:6 c1010:4 c1014:2 b1008:8 c1008:4 c100c:4 b1018:4 c1018:4");
    uct_close(&t);
}

static void test_thumb_it(void **state)
{
    struct uct t;

    (void)state;
    uct_arm(&t, UC_MODE_THUMB, BYTES("\x01\x28\x0c\xbf\x01\x30\x02\x30\x00\xbf") /* cmp r0,#1; ite eq; addeq r0,#1; addne r0,#2; nop */);
    uct_log(&t, "c");
    ok(uct_run(&t));
    if (DIFFERS("thumb-it-hook",
                "instructions of IT blocks whose condition fails are not reported"))
        uct_expect(&t, "c1000:2 c1002:2 c1004:2 c1006:2 c1008:2");
    else
        uct_expect(&t, "c1000:2 c1002:2 c1006:2 c1008:2");
    assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 2);
    uct_close(&t);
}

/* … and they are what a count counts. */
static void test_rep_count(void **state)
{
    struct uct t;

    (void)state;
    for (int hooked = 0; hooked < 2; hooked++) {
        for (unsigned count = 1; count <= 5; count++) {
            uct_x86(&t, 64, BYTES("\xf3\xaa\x90") /* rep stosb; nop */);
            uct_set(&t, UC_X86_REG_RDI, DATA);
            uct_set(&t, UC_X86_REG_RCX, 3);
            if (hooked)
                uct_log(&t, "c");
            ok(uc_emu_start(t.uc, CODE, CODE + 3, 0, count));
            assert_int_equal(uct_get(&t, UC_X86_REG_RCX), count < 3 ? 3 - count : 0);
            assert_int_equal(uct_pc(&t), count < 4 ? CODE : count < 5 ? CODE + 2 : CODE + 3);
            uct_close(&t);
        }
    }
}

/* Each iteration is reported, and the look at the counter that ends the loop. */
static void test_rep(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\xb9\x03\x00\x00\x00\xf3\xaa\x90") /* mov ecx,3; rep stosb; nop */);
    uct_set(&t, UC_X86_REG_RDI, DATA);
    uct_log(&t, "c");
    ok(uct_run(&t));
    uct_expect(&t, "c1000:5 c1005:2 c1005:2 c1005:2 c1005:2 c1007:1");
    uct_close(&t);
    uct_x86(&t, 64, BYTES("\x31\xc9\xf3\xaa\x90") /* xor ecx,ecx; rep stosb; nop */);
    uct_log(&t, "c");
    ok(uct_run(&t));
    uct_expect(&t, "c1000:2 c1002:2 c1004:1");
    uct_close(&t);
    /* A comparison that ends it does so at once. */
    uct_x86(&t, 64, BYTES("\xb9\x09\x00\x00\x00\xf2\xae\x90") /* mov ecx,9; repne scasb; nop */);
    uct_set(&t, UC_X86_REG_RDI, DATA);
    uct_poke(&t, DATA, 0x0101, 2);
    uct_log(&t, "c");
    ok(uct_run(&t));
    uct_expect(&t, "c1000:5 c1005:2 c1005:2 c1005:2 c1007:1");
    uct_close(&t);
}

/* ---- which are called ---- */

#define NAMED(n)                                                                                   \
    static void code_##n(uc_engine *uc, uint64_t address, uint32_t size, void *user)               \
    {                                                                                              \
        (void)uc;                                                                                  \
        (void)size;                                                                                \
        uct_add(user, #n "%x", (unsigned)address & 0xfff);                                         \
    }
NAMED(A)
NAMED(B)
NAMED(C)
NAMED(D)
NAMED(E)
NAMED(F)

static void test_order_and_ranges(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90\x90\x90\x90") /* nop; nop; nop; nop */);
    uct_hook_in(&t, UC_HOOK_CODE, (void *)code_A, 1, 0);
    uct_hook_in(&t, UC_HOOK_CODE, (void *)code_B, CODE + 1, CODE + 2);
    uct_hook_in(&t, UC_HOOK_CODE, (void *)code_C, CODE + 2, CODE + 2);
    uct_hook_in(&t, UC_HOOK_CODE, (void *)code_D, CODE + 3, UINT64_MAX);
    uct_hook_in(&t, UC_HOOK_CODE, (void *)code_E, 0, 0);
    uct_hook_in(&t, UC_HOOK_CODE, (void *)code_F, DATA, CODE); /* begin > end: always */
    ok(uct_run(&t));
    uct_expect(&t, "A0 F0 A1 B1 F1 A2 B2 C2 F2 A3 D3 F3");
    uct_close(&t);
}

static void test_block_ranges(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90\xeb\x01\x90\x90\x90") /* nop; jmp e; nop; e: nop; nop */);
    uct_hook_in(&t, UC_HOOK_BLOCK, (void *)code_A, 1, 0);
    uct_hook_in(&t, UC_HOOK_BLOCK, (void *)code_B, CODE + 1, CODE + 1);
    uct_hook_in(&t, UC_HOOK_BLOCK, (void *)code_C, CODE + 3, CODE + 5);
    uct_hook_in(&t, UC_HOOK_BLOCK, (void *)code_D, CODE, CODE);
    ok(uct_run(&t));
    uct_expect(&t, "A0 D0 A4 C4");
    uct_close(&t);
}

static void test_block_before_code(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    uct_hook(&t, UC_HOOK_CODE, (void *)code_A);
    uct_hook(&t, UC_HOOK_BLOCK, (void *)code_B);
    uct_hook(&t, UC_HOOK_CODE | UC_HOOK_BLOCK, (void *)code_C); /* one callback, both kinds */
    ok(uct_run(&t));
    uct_expect(&t, "B0 C0 A0 C0");
    uct_close(&t);
}

static void test_add_fails(void **state)
{
    struct uct t;
    uc_hook h;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    if (DIFFERS("insn-any", "only seven instructions can be hooked"))
        ok(uc_hook_add(t.uc, &h, UC_HOOK_INSN, (void *)code_A, &t, 1, 0, UC_X86_INS_MOV));
    else
        fails(uc_hook_add(t.uc, &h, UC_HOOK_INSN, (void *)code_A, &t, 1, 0, UC_X86_INS_MOV),
              UC_ERR_HOOK);
    fails(uc_hook_add(t.uc, &h, UC_HOOK_INSN, (void *)code_A, &t, 1, 0, UC_X86_INS_INVALID),
          UC_ERR_HOOK);
    fails(uc_hook_add(t.uc, &h, UC_HOOK_INSN, (void *)code_A, &t, 1, 0, UC_X86_INS_ENDING),
          UC_ERR_HOOK);
    fails(uc_hook_add(t.uc, &h, UC_HOOK_INSN, (void *)code_A, &t, 1, 0, -1), UC_ERR_HOOK);
    fails(uc_hook_add(t.uc, &h, UC_HOOK_TCG_OPCODE, (void *)code_A, &t, 1, 0, 1, 0), UC_ERR_HOOK);
    fails(uc_hook_add(t.uc, &h, UC_HOOK_TCG_OPCODE, (void *)code_A, &t, 1, 0, UC_TCG_OP_SUB, 3),
          UC_ERR_HOOK);
    /* What is no kind is no hook, and no error. */
    ok(uc_hook_add(t.uc, &h, 1 << 18, (void *)code_A, &t, 1, 0));
    ok(uc_hook_add(t.uc, &h, 0, (void *)code_A, &t, 1, 0));
    ok(uct_run(&t));
    uct_expect(&t, "");
    uct_close(&t);
}

static void test_delete(void **state)
{
    struct uct t;
    uc_hook a, b;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90\x90") /* nop; nop */);
    a = uct_hook(&t, UC_HOOK_CODE, (void *)code_A);
    b = uct_hook(&t, UC_HOOK_CODE, (void *)code_B);
    assert_true(a != b);
    ok(uct_run(&t));
    uct_expect(&t, "A0 B0 A1 B1");
    ok(uc_hook_del(t.uc, a));
    ok(uct_run(&t));
    uct_expect(&t, "B0 B1");
    ok(uc_hook_del(t.uc, a));
    ok(uc_hook_del(t.uc, 0x12345));
    ok(uc_hook_del(t.uc, 0));
    ok(uc_hook_del(t.uc, b));
    ok(uct_run(&t));
    uct_expect(&t, "");
    uct_close(&t);
}

/* ---- hooks for code that has run before ---- */

static const char *loop_with(int type, uint64_t begin, uint64_t end, struct uct *t)
{
    uct_x86(t, 64, BYTES("\x31\xc0\xff\xc0\x83\xf8\x03\x75\xf9\x90") /* xor eax,eax; l: inc eax; cmp eax,3; jne l; nop */);
    ok(uct_run(t));
    uct_hook_in(t, type, (void *)code_A, begin, end);
    ok(uct_run(t));
    return t->log;
}

static void test_added_to_cached_code(void **state)
{
    struct uct t;

    (void)state;
    if (!DIFFERS("hook-cached", "blocks that were linked before do not call it"))
        return;
    loop_with(UC_HOOK_CODE, 1, 0, &t);
    uct_expect(&t, "A0 A2 A4 A7 A2 A4 A7 A2 A4 A7 A9");
    uct_close(&t);
    loop_with(UC_HOOK_CODE, CODE + 4, CODE + 4, &t);
    uct_expect(&t, "A4 A4 A4");
    uct_close(&t);
    loop_with(UC_HOOK_BLOCK, 1, 0, &t);
    uct_expect(&t, "A0 A2 A2 A9");
    uct_close(&t);
}

static void test_deleted_from_cached_code(void **state)
{
    struct uct t;
    uc_hook h;

    (void)state;
    uct_x86(&t, 64, BYTES("\x31\xc0\xff\xc0\x83\xf8\x03\x75\xf9\x90") /* xor eax,eax; l: inc eax; cmp eax,3; jne l; nop */);
    h = uct_hook_in(&t, UC_HOOK_CODE, (void *)code_A, CODE + 2, CODE + 2);
    ok(uct_run(&t));
    uct_expect(&t, "A2 A2 A2");
    ok(uc_hook_del(t.uc, h));
    ok(uct_run(&t));
    uct_expect(&t, "");
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 3);
    uct_close(&t);
}

static uc_hook running;

static void adds(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    uint64_t v = 0;

    (void)size;
    ok(uc_reg_read(uc, UC_X86_REG_RAX, &v));
    if (address == CODE + 4 && v == 1)
        ok(uc_hook_add(uc, &running, UC_HOOK_CODE, (void *)code_A, user, CODE + 7, CODE + 7));
    if (address == CODE + 4 && v == 3)
        ok(uc_hook_del(uc, running));
}

/* From the next instruction on. */
static void test_added_while_running(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x31\xc0\xff\xc0\x83\xf8\x04\x75\xf9\x90") /* xor eax,eax; l: inc eax; cmp eax,4; jne l; nop */);
    uct_hook(&t, UC_HOOK_CODE, (void *)adds);
    ok(uct_run(&t));
    if (DIFFERS("hook-add-running", "it is not called in code that runs or ran"))
        uct_expect(&t, "A7 A7");
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 4);
    uct_close(&t);
}

static uc_hook itself;

static void deletes_itself(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    code_B(uc, address, size, user);
    if (address == CODE + 1)
        ok(uc_hook_del(uc, itself));
}

static void test_deletes_itself(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90\x90\x90") /* nop; nop; nop */);
    uct_hook(&t, UC_HOOK_CODE, (void *)code_A);
    itself = uct_hook(&t, UC_HOOK_CODE, (void *)deletes_itself);
    uct_hook(&t, UC_HOOK_CODE, (void *)code_C);
    ok(uct_run(&t));
    uct_expect(&t, "A0 B0 C0 A1 B1 C1 A2 C2");
    uct_close(&t);
}

/* ---- stops and changes of the pc ---- */

static void stops(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    (void)size;
    (void)user;
    if (address == CODE + 3)
        ok(uc_emu_stop(uc));
}

static void test_stop(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x48\xff\xc0\x48\xff\xc0\x48\xff\xc0") /* inc rax; inc rax; inc rax */);
    uct_hook(&t, UC_HOOK_CODE, (void *)stops);
    ok(uct_run(&t));
    assert_int_equal(uct_pc(&t), CODE + 3);
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 1);
    uct_close(&t);
    uct_x86(&t, 64, BYTES("\x48\xff\xc0\xeb\x00\x48\xff\xc0") /* inc rax; jmp e; e: inc rax */);
    t.begin = CODE + 3;
    uct_hook(&t, UC_HOOK_BLOCK, (void *)stops);
    ok(uct_run(&t));
    assert_int_equal(uct_pc(&t), CODE + 3);
    uct_close(&t);
}

static void jumps(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    uint64_t to = CODE + 9;

    (void)size;
    (void)user;
    if (address == CODE + 3)
        ok(uc_reg_write(uc, UC_X86_REG_RIP, &to));
}

static void test_jump(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x48\xff\xc0\x48\xff\xc0\x48\xff\xc0\x48\xff\xc3") /* inc rax; inc rax; inc rax; inc rbx */);
    uct_log(&t, "c");
    uct_hook(&t, UC_HOOK_CODE, (void *)jumps);
    ok(uct_run(&t));
    uct_expect(&t, "c1000:3 c1003:3 c1009:3");
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 1);
    assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 1);
    uct_close(&t);
}

static void block_jumps(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    uint64_t to = CODE + 9;

    (void)size;
    (void)user;
    if (address == CODE)
        ok(uc_reg_write(uc, UC_X86_REG_RIP, &to));
}

static void test_block_jump(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x48\xff\xc0\x48\xff\xc0\x48\xff\xc0\x48\xff\xc3") /* inc rax; inc rax; inc rax; inc rbx */);
    uct_hook(&t, UC_HOOK_BLOCK, (void *)block_jumps);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 0);
    assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 1);
    uct_close(&t);
}

static void jumps_arm(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    uint32_t to = CODE + 13; /* Thumb */

    (void)size;
    (void)user;
    if (address == CODE + 4)
        ok(uc_reg_write(uc, UC_ARM_REG_PC, &to));
}

static void test_jump_arm(void **state)
{
    struct uct t;

    (void)state;
    uct_arm(&t,
            UC_MODE_ARM, BYTES("\x01\x00\xa0\xe3\x02\x00\xa0\xe3\x03\x00\xa0\xe3\x04\x21\x00\xbf") /* mov r0,#1; mov r0,#2; mov r0,#3; .thumb; movs r1,#4; nop */);
    uct_log(&t, "c");
    uct_hook(&t, UC_HOOK_CODE, (void *)jumps_arm);
    ok(uct_run(&t));
    uct_expect(&t, "c1000:4 c1004:4 c100c:2 c100e:2");
    assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 1);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 4);
    uct_close(&t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reported),
        cmocka_unit_test(test_reported_arm),
        cmocka_unit_test(test_reported_thumb),
        cmocka_unit_test(test_thumb_it),
        cmocka_unit_test(test_rep),
        cmocka_unit_test(test_rep_count),
        cmocka_unit_test(test_order_and_ranges),
        cmocka_unit_test(test_block_ranges),
        cmocka_unit_test(test_block_before_code),
        cmocka_unit_test(test_add_fails),
        cmocka_unit_test(test_delete),
        cmocka_unit_test(test_added_to_cached_code),
        cmocka_unit_test(test_deleted_from_cached_code),
        cmocka_unit_test(test_added_while_running),
        cmocka_unit_test(test_deletes_itself),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_jump),
        cmocka_unit_test(test_jump_arm),
        cmocka_unit_test(test_block_jump),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
