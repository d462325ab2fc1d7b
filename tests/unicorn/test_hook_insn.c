/* Hooks of single instructions of x86: in, out, syscall, sysenter, cpuid, rdtsc, rdtscp. */
#include "uc_test.h"

static uint32_t in_A(uc_engine *uc, uint32_t port, int size, void *user)
{
    (void)uc;
    uct_add(user, "inA%x:%d", port, size);
    return 0xaabbccdd;
}

static uint32_t in_B(uc_engine *uc, uint32_t port, int size, void *user)
{
    (void)uc;
    uct_add(user, "inB%x:%d", port, size);
    return 0x11223344;
}

static void out_A(uc_engine *uc, uint32_t port, int size, uint32_t value, void *user)
{
    (void)uc;
    uct_add(user, "outA%x:%d=%x", port, size, value);
}

static void out_B(uc_engine *uc, uint32_t port, int size, uint32_t value, void *user)
{
    (void)uc;
    uct_add(user, "outB%x:%d=%x", port, size, value);
}

static void test_ports(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(
        &t, 64,
        BYTES("\xba\xf8\x03\x00\x00\xb8\x44\x33\x22\x11\xe4\x10\x66\xed\xed\xe6\x20\x66\xef\xef") /* mov edx,0x3f8; mov eax,0x11223344; in al,0x10; in ax,dx; in eax,dx; out 0x20,al; out dx,ax; out dx,eax */);
    uct_hook_insn(&t, UC_X86_INS_IN, (void *)in_A);
    uct_hook_insn(&t, UC_X86_INS_OUT, (void *)out_A);
    t.with_pc = true;
    ok(uct_run(&t));
    uct_expect(&t, "inA10:1@100a inA3f8:2@100c inA3f8:4@100e "
                   "outA20:1=dd@100f outA3f8:2=ccdd@1011 outA3f8:4=aabbccdd@1013");
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 0xaabbccdd);
    uct_close(&t);
}

/* A part of the register is replaced, as the instruction does. */
static void test_in_merges(void **state)
{
    struct uct t;

    (void)state;
    for (int bits = 16; bits <= 64; bits *= 2) {
        uct_x86(&t, bits, BYTES("\xe4\x10") /* in al,0x10 */);
        uct_set(&t, UC_X86_REG_EAX, 0x11223344);
        uct_hook_insn(&t, UC_X86_INS_IN, (void *)in_A);
        ok(uct_run(&t));
        assert_int_equal(uct_get(&t, UC_X86_REG_EAX), 0x112233dd);
        uct_close(&t);
    }
}

static void test_ports_without_hooks(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\xe5\x10\xe7\x10\xec") /* in eax,0x10; out 0x10,eax; in al,dx */);
    uct_set(&t, UC_X86_REG_RAX, 0x1122334455667788);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 0);
    uct_close(&t);
}

static void test_strings(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(
        &t,
        64, BYTES("\x48\x8d\x3c\x25\x00\x20\x00\x00\x48\x8d\x34\x25\x00\x21\x00\x00\xba\xf8\x03\x00\x00\xb9\x02\x00\x00\x00\xf3\x6c\x6d\xb9\x02\x00\x00\x00\x66\xf3\x6f\x6e") /* lea rdi,[0x2000]; lea rsi,[0x2100]; mov edx,0x3f8; mov ecx,2; rep insb; insd; mov ecx,2; rep outsw; outsb */);
    uct_poke(&t, 0x2100, 0x4847464544434241, 8);
    uct_hook_insn(&t, UC_X86_INS_IN, (void *)in_A);
    uct_hook_insn(&t, UC_X86_INS_OUT, (void *)out_A);
    ok(uct_run(&t));
    uct_expect(&t, "inA3f8:1 inA3f8:1 inA3f8:4 outA3f8:2=4241 outA3f8:2=4443 outA3f8:1=45");
    assert_int_equal(uct_mem(&t, 0x2000, 8), 0xaabbccdddddd);
    uct_close(&t);
}

/* Of several, the first answers IN; OUT is told to all. */
static void test_several(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\xe4\x10\xe6\x11") /* in al,0x10; out 0x11,al */);
    uct_hook_insn(&t, UC_X86_INS_IN, (void *)in_A);
    uct_hook_insn(&t, UC_X86_INS_IN, (void *)in_B);
    uct_hook_insn(&t, UC_X86_INS_OUT, (void *)out_A);
    uct_hook_insn(&t, UC_X86_INS_OUT, (void *)out_B);
    ok(uct_run(&t));
    uct_expect(&t, "inA10:1 outA11:1=dd outB11:1=dd");
    uct_close(&t);
}

static uc_hook hook_insn_in(struct uct *t, int insn, void *f, uint64_t begin, uint64_t end)
{
    uc_hook h = 0;

    ok(uc_hook_add(t->uc, &h, UC_HOOK_INSN, f, t, begin, end, insn));
    return h;
}

static void test_port_ranges(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\xe4\x10\xe4\x11\xe6\x12\xe6\x13") /* in al,0x10; in al,0x11; out 0x12,al; out 0x13,al */);
    hook_insn_in(&t, UC_X86_INS_IN, (void *)in_A, CODE + 2, CODE + 2);
    hook_insn_in(&t, UC_X86_INS_OUT, (void *)out_A, CODE + 4, CODE + 4);
    ok(uct_run(&t));
    if (DIFFERS("insn-range", "the range of in and out is compared with the begin of the block"))
        uct_expect(&t, "inA11:1 outA12:1=dd");
    uct_close(&t);
}

/* ---- calls of the system ---- */

static void call_A(uc_engine *uc, void *user)
{
    (void)uc;
    uct_add(user, "A");
}

static void call_B(uc_engine *uc, void *user)
{
    (void)uc;
    uct_add(user, "B");
}

static void test_syscall(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90\x0f\x05\x48\xff\xc0") /* nop; syscall; inc rax */);
    hook_insn_in(&t, UC_X86_INS_SYSCALL, (void *)call_A, 1, 0);
    hook_insn_in(&t, UC_X86_INS_SYSCALL, (void *)call_B, CODE + 1, CODE + 1);
    hook_insn_in(&t, UC_X86_INS_SYSCALL, (void *)call_B, CODE, CODE);
    uct_set(&t, UC_X86_REG_RCX, 5);
    uct_set(&t, UC_X86_REG_R11, 6);
    t.with_pc = true;
    ok(uct_run(&t));
    uct_expect(&t, "A@1001 B@1001");
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 1);
    assert_int_equal(uct_get(&t, UC_X86_REG_RCX), 5);
    assert_int_equal(uct_get(&t, UC_X86_REG_R11), 6);
    assert_int_equal(uct_pc(&t), t.end);
    uct_close(&t);
}

/* Without a hook it does nothing. */
static void test_syscall_without_hooks(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90\x0f\x05\x48\xff\xc0") /* nop; syscall; inc rax */);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 1);
    assert_int_equal(uct_get(&t, UC_X86_REG_RCX), 0);
    uct_close(&t);
    uct_x86(&t, 32, BYTES("\x0f\x05\x40")); /* syscall; inc eax */
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_EAX), 1);
    uct_close(&t);
}

static void test_sysenter(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    for (int bits = 32; bits <= 64; bits *= 2) {
        uct_x86(&t, bits, BYTES("\x90\x0f\x34\x90") /* nop; sysenter; nop */);
        uct_hook_insn(&t, UC_X86_INS_SYSENTER, (void *)call_A);
        t.with_pc = true;
        ok(uct_run(&t));
        uct_expect(&t, "A@1001");
        assert_int_equal(uct_pc(&t), t.end);
        uct_close(&t);
        uct_x86(&t, bits, BYTES("\x90\x0f\x34\x90") /* nop; sysenter; nop */);
        if (DIFFERS("sysenter-unhooked", "goes on in the middle of it")) {
            uct_log(&t, "c");
            ok(uct_run(&t));
            uct_expect(&t, "c1000:1 c1001:2 c1003:1");
        }
        uct_close(&t);
    }
}

/* ---- instructions that a hook may replace ---- */

static int replaces;

static int answers(uc_engine *uc, void *user)
{
    uint64_t v = 0x1234;

    uct_add(user, "hit");
    ok(uc_reg_write(uc, UC_X86_REG_RAX, &v));
    ok(uc_reg_write(uc, UC_X86_REG_RDX, &v));
    return replaces;
}

static void check_replaced(int insn, const uint8_t *code, size_t n)
{
    struct uct t;

    for (replaces = 0; replaces < 2; replaces++) {
        uct_x86(&t, 64, code, n);
        uct_code(&t, CODE + n, BYTES("\x90"));
        uct_set(&t, UC_X86_REG_RBX, 7);
        uct_hook_insn(&t, insn, (void *)answers);
        t.with_pc = true;
        ok(uct_run(&t));
        uct_expect(&t, "hit@1000");
        assert_int_equal(uct_pc(&t), t.end);
        if (replaces) {
            assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 0x1234);
            assert_int_equal(uct_get(&t, UC_X86_REG_RDX), 0x1234);
            assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 7);
        } else {
            assert_false(uct_get(&t, UC_X86_REG_RAX) == 0x1234 &&
                         uct_get(&t, UC_X86_REG_RDX) == 0x1234);
        }
        uct_close(&t);
    }
}

static void test_replaced(void **state)
{
    (void)state;
    check_replaced(UC_X86_INS_CPUID, BYTES("\x0f\xa2") /* cpuid */);
    if (SINCE_2_1) {
        check_replaced(UC_X86_INS_RDTSC, BYTES("\x0f\x31") /* rdtsc */);
        check_replaced(UC_X86_INS_RDTSCP, BYTES("\x0f\x01\xf9") /* rdtscp */);
    }
}

static int no(uc_engine *uc, void *user)
{
    (void)uc;
    uct_add(user, "no");
    return 0;
}

static int yes(uc_engine *uc, void *user)
{
    (void)uc;
    uct_add(user, "yes");
    return 1;
}

static void test_replaced_by_several(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x0f\xa2") /* cpuid */);
    uct_hook_insn(&t, UC_X86_INS_CPUID, (void *)no);
    uct_hook_insn(&t, UC_X86_INS_CPUID, (void *)yes);
    ok(uct_run(&t));
    uct_expect(&t, "no yes");
    assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 0);
    uct_close(&t);
    if (DIFFERS("insn-last-wins", "the last hook's answer counts, although one has replaced it")) {
        uct_x86(&t, 64, BYTES("\x0f\xa2") /* cpuid */);
        uct_hook_insn(&t, UC_X86_INS_CPUID, (void *)yes);
        uct_hook_insn(&t, UC_X86_INS_CPUID, (void *)no);
        ok(uct_run(&t));
        assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 0);
        uct_close(&t);
    }
}

/* ---- stops and changes of the pc ---- */

static uint32_t in_stops(uc_engine *uc, uint32_t port, int size, void *user)
{
    (void)port;
    (void)size;
    (void)user;
    ok(uc_emu_stop(uc));
    return 0x77;
}

static void call_stops(uc_engine *uc, void *user)
{
    (void)user;
    ok(uc_emu_stop(uc));
}

static int cpuid_stops(uc_engine *uc, void *user)
{
    call_stops(uc, user);
    return 1;
}

static void test_stop(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x0f\x05\x48\xff\xc3") /* syscall; inc rbx */);
    uct_hook_insn(&t, UC_X86_INS_SYSCALL, (void *)call_stops);
    ok(uct_run(&t));
    assert_int_equal(uct_pc(&t), CODE + 2);
    uct_close(&t);
    if (!DIFFERS("insn-stop",
                 "a stop in a hook of in, out, cpuid ... takes effect at the end of the block"))
        return;
    uct_x86(&t, 64, BYTES("\xe4\x10\x48\xff\xc3\x48\xff\xc3") /* in al,0x10; inc rbx; inc rbx */);
    uct_hook_insn(&t, UC_X86_INS_IN, (void *)in_stops);
    ok(uct_run(&t));
    assert_int_equal(uct_pc(&t), CODE + 2);
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 0x77);
    assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 0);
    uct_close(&t);
    uct_x86(&t, 64, BYTES("\x0f\xa2\x48\xff\xc3\x48\xff\xc3") /* cpuid; inc rbx; inc rbx */);
    uct_hook_insn(&t, UC_X86_INS_CPUID, (void *)cpuid_stops);
    ok(uct_run(&t));
    assert_int_equal(uct_pc(&t), CODE + 2);
    assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 0);
    uct_close(&t);
}

static void call_jumps(uc_engine *uc, void *user)
{
    uint64_t to = CODE + 5;

    (void)user;
    ok(uc_reg_write(uc, UC_X86_REG_RIP, &to));
}

static int cpuid_jumps(uc_engine *uc, void *user)
{
    call_jumps(uc, user);
    return 1;
}

static uint32_t in_jumps(uc_engine *uc, uint32_t port, int size, void *user)
{
    (void)port;
    (void)size;
    call_jumps(uc, user);
    return 0;
}

static void call_tells_and_jumps(uc_engine *uc, void *user)
{
    call_A(uc, user);
    call_jumps(uc, user);
}

static void call_tells_and_stops(uc_engine *uc, void *user)
{
    call_A(uc, user);
    call_stops(uc, user);
}

/* All are called, with the pc as the first one leaves it; but after a stop none. */
static void test_several_calls(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    for (int enter = 0; enter < 2; enter++) {
        int insn = enter ? UC_X86_INS_SYSENTER : UC_X86_INS_SYSCALL;
        const uint8_t *code = (const uint8_t *)(enter ? "\x0f\x34\x90\x90" : "\x0f\x05\x90\x90");

        uct_x86(&t, 64, code, 4);
        t.with_pc = true;
        uct_hook_insn(&t, insn, (void *)call_A);
        uct_hook_insn(&t, insn, (void *)call_B);
        ok(uct_run(&t));
        uct_expect(&t, "A@1000 B@1000");
        uct_close(&t);
        uct_x86(&t, 64, code, 4);
        uct_hook_insn(&t, insn, (void *)call_tells_and_jumps);
        uct_hook_insn(&t, insn, (void *)call_B);
        t.with_pc = true;
        ok(uc_emu_start(t.uc, CODE, CODE + 5 + 2 * !uct_ours(), 0, 0)); /* see syscall-jump */
        uct_expect(&t, "A@1000 B@1005");
        uct_close(&t);
        uct_x86(&t, 64, code, 4);
        uct_hook_insn(&t, insn, (void *)call_tells_and_stops);
        uct_hook_insn(&t, insn, (void *)call_B);
        ok(uct_run(&t));
        uct_expect(&t, "A");
        assert_int_equal(uct_pc(&t), CODE + 2);
        uct_close(&t);
    }
}

static void test_jump(void **state)
{
    struct uct t;

    (void)state;
    if (DIFFERS("syscall-jump",
                "the length of the instruction is added to the pc that the hook writes")) {
        uct_x86(&t, 64, BYTES("\x0f\x05\x48\xff\xc3\x48\xff\xc1") /* syscall; inc rbx; inc rcx */);
        uct_hook_insn(&t, UC_X86_INS_SYSCALL, (void *)call_jumps);
        ok(uct_run(&t));
        assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 0);
        assert_int_equal(uct_get(&t, UC_X86_REG_RCX), 1);
        uct_close(&t);
    }
    if (!DIFFERS("insn-jump", "a pc written in a hook of in, out, cpuid ... is ignored"))
        return;
    uct_x86(&t, 64, BYTES("\x0f\xa2\x48\xff\xc3\x48\xff\xc1") /* cpuid; inc rbx; inc rcx */);
    uct_hook_insn(&t, UC_X86_INS_CPUID, (void *)cpuid_jumps);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 0);
    assert_int_equal(uct_get(&t, UC_X86_REG_RCX), 1);
    uct_close(&t);
    uct_x86(&t, 64, BYTES("\xe4\x10\x48\xff\xc3\x48\xff\xc1") /* in al,0x10; inc rbx; inc rcx */);
    uct_hook_insn(&t, UC_X86_INS_IN, (void *)in_jumps);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 0);
    assert_int_equal(uct_get(&t, UC_X86_REG_RCX), 1);
    uct_close(&t);
}

static void test_cached(void **state)
{
    struct uct t;
    uc_hook h;

    (void)state;
    uct_x86(&t, 64, BYTES("\xbb\x02\x00\x00\x00\xe4\x10\xff\xcb\x75\xfa") /* mov ebx,2; l: in al,0x10; dec ebx; jnz l */);
    ok(uct_run(&t));
    h = uct_hook_insn(&t, UC_X86_INS_IN, (void *)in_A);
    ok(uct_run(&t));
    uct_expect(&t, "inA10:1 inA10:1");
    ok(uc_hook_del(t.uc, h));
    ok(uct_run(&t));
    uct_expect(&t, "");
    uct_close(&t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_in_merges),
        cmocka_unit_test(test_ports_without_hooks),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_several),
        cmocka_unit_test(test_port_ranges),
        cmocka_unit_test(test_syscall),
        cmocka_unit_test(test_syscall_without_hooks),
        cmocka_unit_test(test_sysenter),
        cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_replaced_by_several),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_several_calls),
        cmocka_unit_test(test_jump),
        cmocka_unit_test(test_cached),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
