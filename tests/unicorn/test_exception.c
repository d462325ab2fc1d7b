/* Interrupts, exceptions and undefined instructions, hooked and not; what halts. */
#include "uc_test.h"

/* Unhooked this fails so; hooked once, with a stop, the log is this. */
static void x86(int bits, const uint8_t *code, size_t n, uc_err error, uint64_t pc, const char *log)
{
    struct uct t;

    uct_x86(&t, bits, code, n);
    fails(uct_run(&t), error);
    assert_int_equal(uct_pc(&t), pc);
    uct_close(&t);
    uct_x86(&t, bits, code, n);
    t.limit = 1;
    if (SINCE_2_1)
        uct_log(&t, "piu");
    ok(uct_run(&t));
    if (SINCE_2_1)
        uct_expect(&t, log);
    uct_close(&t);
}

static void arm(int mode, const uint8_t *code, size_t n, uc_err error, uint64_t pc, const char *log)
{
    struct uct t;

    uct_arm(&t, mode, code, n);
    fails(uct_run(&t), error);
    assert_int_equal(uct_pc(&t), pc);
    uct_close(&t);
    uct_arm(&t, mode, code, n);
    t.limit = 1;
    uct_log(&t, "piu");
    ok(uct_run(&t));
    uct_expect(&t, log);
    uct_close(&t);
}

/* Interrupt instructions leave the pc behind, faults on the instruction. */
static void test_interrupts(void **state)
{
    (void)state;
    NEEDS_2_1();
    x86(64, BYTES("\x90\xcd\x80\x90") /* nop; int 0x80; nop */, UC_ERR_EXCEPTION, CODE + 3,
        "i80@1003");
    x86(64, BYTES("\x90\xcc\x90") /* nop; int3; nop */, UC_ERR_EXCEPTION, CODE + 2, "i3@1002");
    x86(64, BYTES("\xcd\x00\x90") /* int 0; nop */, UC_ERR_EXCEPTION, CODE + 2, "i0@1002");
    x86(32, BYTES("\xb0\x7f\xfe\xc0\xce\x90") /* mov al,0x7f; inc al; into; nop */,
        UC_ERR_EXCEPTION, CODE + 5, "i4@1005");
    x86(32, BYTES("\xcd\x21\x90") /* int 0x21; nop */, UC_ERR_EXCEPTION, CODE + 2, "i21@1002");
    x86(16, BYTES("\xcd\x10\x90") /* int 0x10; nop */, UC_ERR_EXCEPTION, CODE + 2, "i10@1002");
}

static void test_faults(void **state)
{
    (void)state;
    NEEDS_2_1();
    x86(64, BYTES("\x31\xc9\xf7\xf1\x90") /* xor ecx,ecx; div ecx; nop */, UC_ERR_EXCEPTION,
        CODE + 2, "i0@1002");
    x86(64, BYTES("\xb8\x33\x00\x00\x00\x8e\xd8\x90") /* mov eax,0x33; mov ds,eax; nop */,
        UC_ERR_EXCEPTION, CODE + 5, "id@1005");
    x86(64, BYTES("\x48\xcf\x90") /* iretq; nop */, UC_ERR_EXCEPTION, CODE, "id@1000");
    x86(32, BYTES("\xb8\x05\x00\x00\x00\x62\x05\x00\x20\x00\x00\x90") /* mov eax,5; bound
                                                                         eax,[0x2000]; nop */
        ,
        UC_ERR_EXCEPTION, CODE + 5, "i5@1005");
    x86(32, BYTES("\xb8\x33\x00\x00\x00\x8e\xd8\x90") /* mov eax,0x33; mov ds,eax; nop */,
        UC_ERR_EXCEPTION, CODE + 5, "id@1005");
    x86(64, BYTES("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90"),
        UC_ERR_EXCEPTION, CODE, "id@1000"); /* 16 bytes */
    x86(16, BYTES("\x0f\x34\x90") /* sysenter; nop */, UC_ERR_EXCEPTION, CODE, "id@1000");
}

static void test_single_step_flag(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(&t, 64, BYTES("\x68\x02\x01\x00\x00\x9d\x90\x90") /* push 0x102; popfq; nop; nop */);
    uct_log(&t, "pi");
    ok(uct_run(&t));
    uct_expect(&t, "i1@1007 i1@1008");
    uct_close(&t);
}

static void test_undefined(void **state)
{
    (void)state;
    NEEDS_2_1();
    x86(64, BYTES("\x90\x0f\x0b\x90") /* nop; ud2; nop */, UC_ERR_INSN_INVALID, CODE + 1, "u@1001");
    x86(64, BYTES("\x0f\xff\xff\x90"), UC_ERR_INSN_INVALID, CODE, "u@1000");
    x86(64, BYTES("\xf0\x01\xc0\x90"), UC_ERR_INSN_INVALID, CODE, "u@1000");
    x86(64, BYTES("\x48\x0f\x07\x90") /* sysretq; nop */, UC_ERR_INSN_INVALID, CODE, "u@1000");
    x86(64, BYTES("\x0f\xaa\x90") /* rsm; nop */, UC_ERR_INSN_INVALID, CODE, "u@1000");
    x86(64, BYTES("\x0f\x01\xc1\x90") /* vmcall; nop */, UC_ERR_INSN_INVALID, CODE, "u@1000");
    x86(64, BYTES("\x06\x90"), UC_ERR_INSN_INVALID, CODE, "u@1000"); /* push es */
}

static bool skips(uc_engine *uc, void *user)
{
    uint64_t pc = 0;

    uct_add(user, "skip");
    ok(uc_reg_read(uc, UC_X86_REG_RIP, &pc));
    pc += 2;
    ok(uc_reg_write(uc, UC_X86_REG_RIP, &pc));
    return true;
}

static void test_undefined_hooks(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(&t, 64, BYTES("\x0f\x0b\x48\xff\xc0") /* ud2; inc rax */);
    uct_log(&t, "U");
    fails(uct_run(&t), UC_ERR_INSN_INVALID);
    uct_expect(&t, "u");
    /* The next is asked, and no more once one says yes. */
    uct_hook(&t, UC_HOOK_INSN_INVALID, (void *)skips);
    uct_log(&t, "U");
    ok(uct_run(&t));
    uct_expect(&t, "u skip");
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 1);
    uct_close(&t);
    /* Yes without a change tries again. */
    uct_x86(&t, 64, BYTES("\x0f\x0b") /* ud2 */);
    t.limit = 3;
    uct_log(&t, "u");
    ok(uct_run(&t));
    uct_expect(&t, "u u u");
    uct_close(&t);
}

/* Ranges are not for interrupts. */
static void interrupt_in_range(uc_engine *uc, uint32_t number, void *user)
{
    (void)uc;
    uct_add(user, "r%x", number);
}

static void test_interrupt_ranges(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\xcd\x80\x48\xff\xc0\xcd\x81") /* int 0x80; inc rax; int 0x81 */);
    uct_hook_in(&t, UC_HOOK_INTR, (void *)interrupt_in_range, 0x5000, 0x6000);
    uct_log(&t, "i");
    ok(uct_run(&t));
    uct_expect(&t, "r80 i80 r81 i81");
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 1);
    uct_close(&t);
}

static void interrupt_moves(uc_engine *uc, uint32_t number, void *user)
{
    uint64_t to = CODE + 7;

    uct_add(user, "i%x", number);
    ok(uc_reg_write(uc, UC_X86_REG_RIP, &to));
}

static void test_interrupt_moves_pc(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x31\xc9\xf7\xf1\x48\xff\xc0\x48\xff\xc3") /* xor ecx,ecx; div ecx; inc rax; inc rbx */);
    uct_hook(&t, UC_HOOK_INTR, (void *)interrupt_moves);
    ok(uct_run(&t));
    uct_expect(&t, "i0");
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 0);
    assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 1);
    uct_close(&t);
}

/* A fault whose hook changes nothing is met again. */
static void test_fault_again(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x31\xc9\xf7\xf1") /* xor ecx,ecx; div ecx */);
    t.limit = 4;
    uct_log(&t, "i");
    ok(uct_run(&t));
    if (DIFFERS("fault-again", "becomes a double fault and then ends the run"))
        uct_expect(&t, "i0 i0 i0 i0");
    else
        uct_expect(&t, "i0 i8");
    uct_close(&t);
}

static void test_stop_in_interrupt(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\xcd\x80\x48\xff\xc0") /* int 0x80; inc rax */);
    t.limit = 1;
    uct_log(&t, "i");
    ok(uct_run(&t));
    assert_int_equal(uct_pc(&t), CODE + 2);
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 0);
    uct_close(&t);
}

static void test_halt(void **state)
{
    static const int bits[] = {16, 32, 64};
    struct uct t;

    (void)state;
    for (int i = 0; i < 3; i++) {
        uct_x86(&t, bits[i], BYTES("\x90\xf4\x90") /* nop; hlt; nop */);
        ok(uct_run(&t));
        assert_int_equal(uct_pc(&t), CODE + 2);
        ok(uc_emu_start(t.uc, CODE + 2, CODE + 3, 0, 0));
        assert_int_equal(uct_pc(&t), CODE + 3);
        uct_close(&t);
    }
}

/* In ring 0 these work and raise nothing. */
static void test_privileged(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(
        &t,
        64, BYTES("\xfa\xfb\x0f\x06\x0f\x09\x0f\x01\x3c\x25\x00\x20\x00\x00\x0f\x01\x14\x25\x00\x20\x00\x00\x0f\x01\xf8\x0f\x20\xc0\x0f\x22\xc0\x0f\x21\xf9\xb9\x45\x23\x01\x00\x0f\x32\x31\xc9\x0f\x01\xd0\xf3\x90\x90") /* cli; sti; clts; wbinvd; invlpg [0x2000]; lgdt [0x2000]; swapgs; mov rax,cr0; mov cr0,rax; mov rcx,dr7; mov ecx,0x12345; rdmsr; xor ecx,ecx; xgetbv; pause; nop */);
    uct_log(&t, "iuf");
    ok(uct_run(&t));
    uct_expect(&t, "");
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX) & 3, 3);
    uct_close(&t);
}

static void test_avx(void **state)
{
    uint8_t v[32];
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x31\xc9\x0f\x01\xd0\xc5\xf5\xfe\xc1\xc4\xe3\x79\x16\xc1\x01") /* xor ecx,ecx; xgetbv; vpaddd ymm0,ymm1,ymm1; vpextrd ecx,xmm0,1 */);
    memset(v, 1, sizeof v);
    ok(uc_reg_write(t.uc, UC_X86_REG_YMM1, v));
    if (DIFFERS("avx", "the instructions are undefined although the model has them")) {
        ok(uct_run(&t));
        assert_int_equal(uct_get(&t, UC_X86_REG_RAX) & 7, 7);
        assert_int_equal(uct_get(&t, UC_X86_REG_RCX), 0x02020202);
        ok(uc_reg_read(t.uc, UC_X86_REG_YMM0, v));
        assert_int_equal(v[31], 2);
    }
    uct_close(&t);
}

static void test_alignment(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x0f\x28\x04\x25\x01\x20\x00\x00") /* movaps xmm0,[0x2001] */);
    if (DIFFERS("sse-alignment", "is not checked")) {
        fails(uct_run(&t), UC_ERR_EXCEPTION);
        t.limit = 1;
        uct_log(&t, "pi");
        ok(uct_run(&t));
        uct_expect(&t, "id@1000");
    }
    uct_close(&t);
}

static void test_arm(void **state)
{
    (void)state;
    NEEDS_2_1();
    arm(UC_MODE_ARM,
        BYTES("\x00\xf0\x20\xe3\x12\x00\x00\xef\x00\xf0\x20\xe3") /* nop; svc #0x12; nop */,
        UC_ERR_EXCEPTION, CODE + 8, "i2@1008");
    arm(UC_MODE_ARM,
        BYTES("\x00\xf0\x20\xe3\x73\x00\x20\xe1\x00\xf0\x20\xe3") /* nop; bkpt #3; nop */,
        UC_ERR_EXCEPTION, CODE + 4, "i7@1004");
    arm(UC_MODE_ARM,
        BYTES("\x00\xf0\x20\xe3\xf1\x00\xf0\xe7\x00\xf0\x20\xe3") /* nop; udf #1; nop */,
        UC_ERR_INSN_INVALID, CODE + 4, "u@1004");
    arm(UC_MODE_ARM,
        BYTES("\x71\x00\x60\xe1\x00\xf0\x20\xe3") /* .arch_extension sec; smc #1; nop */,
        UC_ERR_EXCEPTION, CODE + 4, "id@1004");
    arm(UC_MODE_ARM,
        BYTES("\x71\x00\x40\xe1\x00\xf0\x20\xe3") /* .arch_extension virt; hvc #1; nop */,
        UC_ERR_INSN_INVALID, CODE, "u@1000");
    arm(UC_MODE_ARM, BYTES("\x00\x03\x00\xee\x00\xf0\x20\xe3") /* cdp p3,0,c0,c0,c0; nop */,
        UC_ERR_INSN_INVALID, CODE, "u@1000");
    arm(UC_MODE_ARM, BYTES("\x00\x0a\x30\xee\x00\xf0\x20\xe3") /* vadd.f32 s0,s0,s0; nop */,
        UC_ERR_INSN_INVALID, CODE, "u@1000");
    arm(UC_MODE_ARM,
        BYTES(
            "\x02\x0a\xa0\xe3\x01\x00\x80\xe2\x9f\x0f\x90\xe1\x00\xf0\x20\xe3") /* mov r0,#0x2000;
                                                                                   add r0,#1; ldrex
                                                                                   r0,[r0]; nop */
        ,
        UC_ERR_EXCEPTION, CODE + 8, "i4@1008");
    arm(UC_MODE_THUMB, BYTES("\x00\xbf\x12\xdf\x00\xbf") /* nop; svc #0x12; nop */,
        UC_ERR_EXCEPTION, CODE + 4, "i2@1004");
    arm(UC_MODE_THUMB, BYTES("\x00\xbf\x03\xbe\x00\xbf") /* nop; bkpt #3; nop */, UC_ERR_EXCEPTION,
        CODE + 2, "i7@1002");
    arm(UC_MODE_THUMB, BYTES("\x00\xbf\x01\xde\x00\xbf") /* nop; udf #1; nop */,
        UC_ERR_INSN_INVALID, CODE + 2, "u@1002");
    arm(UC_MODE_THUMB | UC_MODE_MCLASS, BYTES("\x00\xbf\x01\xdf\x00\xbf") /* nop; svc #1; nop */,
        UC_ERR_EXCEPTION, CODE + 4, "i2@1004");
    arm(UC_MODE_THUMB | UC_MODE_MCLASS, BYTES("\x00\xbf\x01\xbe\x00\xbf") /* nop; bkpt #1; nop */,
        UC_ERR_EXCEPTION, CODE + 2, "i7@1002");
}

static void test_arm_goes_on(void **state)
{
    struct uct t;

    (void)state;
    uct_arm(
        &t, UC_MODE_ARM,
        BYTES("\x01\x00\x00\xef\x07\x00\xa0\xe3\x02\x00\x00\xef") /* svc #1; mov r0,#7; svc #2 */);
    uct_log(&t, "ip");
    ok(uct_run(&t));
    if (SINCE_2_1)
        uct_expect(&t, "i2@1004 i2@100c");
    assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 7);
    uct_close(&t);
}

static void test_arm_waits(void **state)
{
    struct uct t;

    (void)state;
    uct_arm(&t, UC_MODE_ARM,
            BYTES("\x00\xf0\x20\xe3\x03\xf0\x20\xe3\x01\x00\xa0\xe3") /* nop; wfi; mov r0,#1 */);
    ok(uct_run(&t));
    assert_int_equal(uct_pc(&t), CODE + 8);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 0);
    uct_code(&t, CODE, BYTES("\x04\xf0\x20\xe3\x02\xf0\x20\xe3\x01\xf0\x20\xe3\x01\x00\xa0\xe3") /* sev; wfe; yield; mov r0,#1 */);
    if (DIFFERS("arm-hints", "WFE and YIELD are undefined instructions")) {
        uct_log(&t, "iu");
        ok(uct_run(&t));
        uct_expect(&t, "");
        assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 1);
    }
    uct_close(&t);
}

static void test_arm_system(void **state)
{
    struct uct t;

    (void)state;
    uct_arm(
        &t,
        UC_MODE_ARM, BYTES("\x00\x00\x0f\xe1\x80\x00\x08\xf1\x00\x10\x0f\xe1\x10\x2f\x10\xee\x10\x30\xa0\xe3\x03\xf0\x21\xe1\x05\xd0\xa0\xe3\x80\x00\x0c\xf1\x00\x40\x0f\xe1") /* mrs r0,cpsr; cpsie i; mrs r1,cpsr; mrc p15,0,r2,c0,c0,0; mov r3,#0x10; msr cpsr_c,r3; mov sp,#5; cpsid i; mrs r4,cpsr */);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 0x400001d3);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 0x40000153);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R2), 0x412fc0f1);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R4) & 0xff, 0x10); /* user mode cannot mask */
    assert_int_equal(uct_get(&t, UC_ARM_REG_SP), 5);
    uct_set(&t, UC_ARM_REG_CPSR, 0x1d3);
    assert_int_equal(uct_get(&t, UC_ARM_REG_SP), STACK);
    uct_close(&t);
    /* Privileged registers are undefined there. */
    uct_arm(&t, UC_MODE_ARM, BYTES("\x10\x0f\x11\xee") /* mrc p15,0,r0,c1,c0,0 */);
    uct_set(&t, UC_ARM_REG_CPSR, 0x10);
    fails(uct_run(&t), UC_ERR_INSN_INVALID);
    uct_close(&t);
}

static void note_syndrome(uc_engine *uc, uint32_t number, void *user)
{
    struct uct *t = user;

    (void)uc;
    uct_add(t, "i%x %x", number, (unsigned)uct_get(t, UC_ARM_REG_ESR));
    uc_emu_stop(uc);
}

static bool note_invalid(uc_engine *uc, void *user)
{
    struct uct *t = user;

    (void)uc;
    uct_add(t, "u %x", (unsigned)uct_get(t, UC_ARM_REG_ESR));
    return false;
}

static void syndrome(int mode, const uint8_t *code, size_t n, const char *expected)
{
    struct uct t;

    uct_arm(&t, mode, code, n);
    uct_hook(&t, UC_HOOK_INTR, (void *)note_syndrome);
    uct_hook(&t, UC_HOOK_INSN_INVALID, (void *)note_invalid);
    uct_run(&t);
    uct_expect(&t, expected);
    uct_set(&t, UC_ARM_REG_ESR, 0x55);
    assert_int_equal(uct_get(&t, UC_ARM_REG_ESR), 0x55);
    uct_close(&t);
}

static void test_arm_syndromes(void **state)
{
    (void)state;
    NEEDS_2_1();
    syndrome(UC_MODE_ARM, BYTES("\x05\x01\x00\xef") /* svc #0x105 */, "i2 46000105");
    syndrome(UC_MODE_THUMB, BYTES("\x05\xdf") /* svc #5 */, "i2 44000005");
    syndrome(UC_MODE_ARM, BYTES("\x75\x00\x20\xe1") /* bkpt #5 */, "i7 e2000005");
    syndrome(UC_MODE_THUMB, BYTES("\x05\xbe") /* bkpt #5 */, "i7 e2000005");
    syndrome(UC_MODE_ARM, BYTES("\x71\x00\x60\xe1") /* smc #1 */, "id 4e000000");
    syndrome(UC_MODE_ARM, BYTES("\xf0\x00\xf0\xe7") /* udf #0 */, "u 2000000");
    syndrome(UC_MODE_THUMB, BYTES("\x05\xde") /* udf #5 */, "u 2000000");
    /* mov r0,#1; ldrex r1,[r0] */
    syndrome(UC_MODE_ARM, BYTES("\x01\x00\xa0\xe3\x9f\x1f\x90\xe1"), "i4 9600003f");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interrupts),         cmocka_unit_test(test_faults),
        cmocka_unit_test(test_single_step_flag),   cmocka_unit_test(test_undefined),
        cmocka_unit_test(test_undefined_hooks),    cmocka_unit_test(test_interrupt_ranges),
        cmocka_unit_test(test_interrupt_moves_pc), cmocka_unit_test(test_fault_again),
        cmocka_unit_test(test_stop_in_interrupt),  cmocka_unit_test(test_halt),
        cmocka_unit_test(test_privileged),         cmocka_unit_test(test_avx),
        cmocka_unit_test(test_alignment),          cmocka_unit_test(test_arm),
        cmocka_unit_test(test_arm_goes_on),        cmocka_unit_test(test_arm_waits),
        cmocka_unit_test(test_arm_system),         cmocka_unit_test(test_arm_syndromes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
