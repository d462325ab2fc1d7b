/* The modes of ARM: Thumb and ARM, big-endian code and data, M profile, older CPUs. */
#include "uc_test.h"

static void test_begin_decides(void **state)
{
    struct uct t;

    (void)state;
    /* Thumb by the begin, whatever the engine was opened with. */
    uct_arm(&t, UC_MODE_ARM, BYTES("\x01\x20\x02\x21") /* movs r0,#1; movs r1,#2 */);
    t.begin |= 1;
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 2);
    assert_int_equal(uct_pc(&t), CODE + 4);
    assert_int_equal(uct_get(&t, UC_ARM_REG_CPSR) & 0x20, 0x20);
    uct_close(&t);
    uct_arm(&t, UC_MODE_THUMB, BYTES("\x07\x00\xa0\xe3") /* mov r0,#7 */);
    t.begin = CODE;
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 7);
    assert_int_equal(uct_get(&t, UC_ARM_REG_CPSR) & 0x20, 0);
    uct_close(&t);
}

static void test_until(void **state)
{
    struct uct t;

    (void)state;
    uct_arm(&t, UC_MODE_THUMB, BYTES("\x01\x20\x02\x21\xfe\xe7") /* movs r0,#1; movs r1,#2; b . */);
    ok(uc_emu_start(t.uc, CODE | 1, CODE + 2, 0, 0));
    assert_int_equal(uct_pc(&t), CODE + 2);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 0);
    ok(uc_emu_start(t.uc, (CODE + 2) | 1, CODE + 4, 0, 0));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 2);
    /* An odd end is never met. */
    ok(uc_emu_start(t.uc, CODE | 1, (CODE + 2) | 1, 0, 5));
    assert_int_equal(uct_pc(&t), CODE + 4);
    uct_close(&t);
}

static void test_interworking(void **state)
{
    struct uct t;

    (void)state;
    uct_arm(
        &t,
        UC_MODE_ARM, BYTES("\x09\x00\x8f\xe2\x30\xff\x2f\xe1\x03\x20\xa0\xe3\x00\x00\x00\xea\x05\x21\x70\x47\x04\x30\xa0\xe3") /* adr r0,t+1; blx r0; mov r2,#3; b e; .thumb; t: movs r1,#5; bx lr; .arm; e: mov r3,#4 */);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 5);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R2), 3);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R3), 4);
    assert_int_equal(uct_get(&t, UC_ARM_REG_LR), CODE + 8);
    assert_int_equal(uct_pc(&t), t.end);
    uct_close(&t);
}

static void check_big_endian_data(struct uct *t)
{
    uct_poke(t, DATA, 0x0807060504030201, 8);
    uct_log(t, "aw");
    ok(uct_run(t));
    assert_int_equal(uct_get(t, UC_ARM_REG_R1), 0x01020304);
    assert_int_equal(uct_get(t, UC_ARM_REG_R2), 0x0102);
    assert_int_equal(uct_get(t, UC_ARM_REG_R3), 0x01);
    assert_int_equal(uct_get(t, UC_ARM_REG_R6), 0x01020304);
    assert_int_equal(uct_get(t, UC_ARM_REG_R7), 0x05060708);
    assert_int_equal(uct_mem(t, DATA + 16, 8), 0x0000040304030201);
    /* Hooks are told what the CPU sees. */
    uct_expect(t, "a2000:4=1020304 a2000:2=102 a2000:1=1 w2010:4=1020304 w2014:2=304 "
                  "a2000:4=1020304 a2004:4=5060708");
}

static void test_big_endian(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    /* Code and data are big-endian. */
    uct_arm(
        &t,
        UC_MODE_BIG_ENDIAN, BYTES("\xe3\xa0\x0a\x02\xe5\x90\x10\x00\xe1\xd0\x20\xb0\xe5\xd0\x30\x00\xe5\x80\x10\x10\xe1\xc0\x11\xb4\xe1\xc0\x60\xd0") /* mov r0,#0x2000; ldr r1,[r0]; ldrh r2,[r0]; ldrb r3,[r0]; str r1,[r0,#16]; strh r1,[r0,#20]; ldrd r6,r7,[r0] */);
    check_big_endian_data(&t);
    uct_close(&t);
    /* Data is. */
    uct_arm(
        &t,
        UC_MODE_ARMBE8, BYTES("\x02\x0a\xa0\xe3\x00\x10\x90\xe5\xb0\x20\xd0\xe1\x00\x30\xd0\xe5\x10\x10\x80\xe5\xb4\x11\xc0\xe1\xd0\x60\xc0\xe1") /* mov r0,#0x2000; ldr r1,[r0]; ldrh r2,[r0]; ldrb r3,[r0]; str r1,[r0,#16]; strh r1,[r0,#20]; ldrd r6,r7,[r0] */);
    check_big_endian_data(&t);
    uct_close(&t);
    /* By the flag. */
    uct_arm(
        &t,
        UC_MODE_ARM, BYTES("\x02\x0a\xa0\xe3\x00\x10\x90\xe5\xb0\x20\xd0\xe1\x00\x30\xd0\xe5\x10\x10\x80\xe5\xb4\x11\xc0\xe1\xd0\x60\xc0\xe1") /* mov r0,#0x2000; ldr r1,[r0]; ldrh r2,[r0]; ldrb r3,[r0]; str r1,[r0,#16]; strh r1,[r0,#20]; ldrd r6,r7,[r0] */);
    uct_set(&t, UC_ARM_REG_CPSR, 0x400003d3);
    check_big_endian_data(&t);
    uct_close(&t);
}

static void test_setend(void **state)
{
    struct uct t;

    (void)state;
    uct_arm(
        &t,
        UC_MODE_ARM, BYTES("\x02\x0a\xa0\xe3\x00\x02\x01\xf1\x00\x10\x90\xe5\x08\x10\x80\xe5\x00\x00\x01\xf1\x00\x20\x90\xe5") /* mov r0,#0x2000; setend be; ldr r1,[r0]; str r1,[r0,#8]; setend le; ldr r2,[r0] */);
    uct_poke(&t, DATA, 0x04030201, 4);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 0x01020304);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R2), 0x04030201);
    assert_int_equal(uct_mem(&t, DATA + 8, 4), 0x04030201);
    uct_close(&t);
}

static void test_big_endian_thumb(void **state)
{
    struct uct t;

    (void)state;
    uct_arm(&t, UC_MODE_BIG_ENDIAN | UC_MODE_THUMB, BYTES("\x20\x01\x21\x02\x18\x40\xbf\x00"));
    ok(uct_run(&t)); /* movs r0,#1; movs r1,#2; adds r0,r0,r1; nop */
    assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 3);
    uct_close(&t);
}

/* The registers themselves are numbers of the host. */
static void test_big_endian_registers(void **state)
{
    struct uct t;

    (void)state;
    uct_arm(&t, UC_MODE_BIG_ENDIAN, BYTES("\xe3\x20\xf0\x00") /* nop */);
    uct_set(&t, UC_ARM_REG_R0, 0x11223344);
    uct_set(&t, UC_ARM_REG_D0, 0x1122334455667788);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 0x11223344);
    assert_int_equal(uct_get(&t, UC_ARM_REG_S0), 0x55667788);
    uct_close(&t);
}

static void test_m_profile(void **state)
{
    struct uct t;

    (void)state;
    for (int thumb = 0; thumb <= UC_MODE_THUMB; thumb += UC_MODE_THUMB) {
        uct_arm(&t, UC_MODE_MCLASS | thumb, BYTES("\x09\x20\x02\x21\x90\xfb\xf1\xf0\x72\xb6") /* movs r0,#9; movs r1,#2; sdiv r0,r0,r1; cpsid i */);
        t.begin = CODE | 1;
        ok(uct_run(&t));
        assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 4);
        if (SINCE_2_1)
            assert_int_equal(uct_get(&t, UC_ARM_REG_PRIMASK), 1);
        uct_close(&t);
    }
    /* There is no ARM state. */
    uct_arm(&t, UC_MODE_MCLASS, BYTES("\x09\x20") /* movs r0,#9 */);
    fails(uct_run(&t), UC_ERR_INSN_INVALID);
    uct_close(&t);
}

static void test_m_profile_special(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    /* mrs r0,msp; mrs r1,control; msr psp,r2; mrs r3,psp */
    uct_arm(&t, UC_MODE_MCLASS | UC_MODE_THUMB,
            BYTES("\xef\xf3\x08\x80\xef\xf3\x14\x81\x82\xf3\x09\x88\xef\xf3\x09\x83"));
    uct_set(&t, UC_ARM_REG_R2, 0x4444);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R0), STACK);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 0);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R3), 0x4444);
    assert_int_equal(uct_get(&t, UC_ARM_REG_PSP), 0x4444);
    uct_close(&t);
}

/* What older CPUs have not is undefined there. */
static void older(int mode, bool ldrex)
{
    struct uct t;

    uct_arm(&t, mode, BYTES("\x11\x0f\x6f\xe1\x93\x20\x0d\xe1\x10\x4f\x10\xee") /* clz r0,r1; swp r2,r3,[sp]; mrc p15,0,r4,c0,c0,0 */);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 32);
    uct_code(&t, CODE, BYTES("\x34\x02\x01\xe3") /* movw r0,#0x1234 */);
    fails(uct_run(&t), UC_ERR_INSN_INVALID);
    uct_code(&t, CODE, BYTES("\x10\xf1\x10\xe7") /* sdiv r0,r0,r1 */);
    fails(uct_run(&t), UC_ERR_INSN_INVALID);
    uct_code(&t, CODE,
             BYTES("\x02\x0a\xa0\xe3\x9f\x1f\x90\xe1") /* mov r0,#0x2000; ldrex r1,[r0] */);
    fails(uct_run(&t), ldrex ? UC_ERR_OK : UC_ERR_INSN_INVALID);
    uct_close(&t);
}

static void test_older(void **state)
{
    (void)state;
    older(UC_MODE_ARM926, false);
    older(UC_MODE_ARM946, false);
    older(UC_MODE_ARM1176, true);
}

static void test_v7(void **state)
{
    struct uct t;

    (void)state;
    uct_arm(
        &t, UC_MODE_ARM,
        BYTES("\x34\x02\x01\xe3\x78\x06\x45\xe3\x07\x10\xa0\xe3\x10\xf1\x32\xe7\x31\x3f\xff\xe6"
              "\x70\x40\xaf\xe6\x50\x52\xe7\xe7\x5f\xf0\x7f\xf5\x6f\xf0\x7f\xf5\x1f\xf0\x7f\xf5") /* movw r0,#0x1234; movt r0,#0x5678; mov r1,#7; udiv r2,r0,r1; rbit r3,r1; sxtb r4,r0; ubfx r5,r0,#4,#8; dmb; isb; clrex */);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 0x56781234);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R2), 0x56781234 / 7);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R3), 0xe0000000);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R5), 0x23);
    uct_close(&t);
}

static uint32_t target;

static void jumps_at_begin(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    (void)size;
    (void)user;
    if (address == CODE)
        ok(uc_reg_write(uc, UC_ARM_REG_PC, &target));
}

static void jumps_on_interrupt(uc_engine *uc, uint32_t number, void *user)
{
    (void)user;
    assert_int_equal(number, 2);
    ok(uc_reg_write(uc, UC_ARM_REG_PC, &target));
}

/* The lowest bit of a pc that a hook writes says what follows. */
static void test_pc_in_hooks(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_arm(&t, UC_MODE_THUMB,
            BYTES("\x00\xbf\x01\x20\x01\x21\x00\xbf") /* nop; movs r0,#1; movs r1,#1; nop */);
    target = CODE + 5;
    uct_hook(&t, UC_HOOK_CODE, (void *)jumps_at_begin);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 0);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 1);
    uct_close(&t);
    uct_arm(&t, UC_MODE_THUMB, BYTES("\x00\xbf\x01\x20\x07\x10\xa0\xe3\x00\xf0\x20\xe3") /* nop; movs r0,#1; .arm; mov r1,#7; nop */);
    target = CODE + 4;
    uct_hook(&t, UC_HOOK_CODE, (void *)jumps_at_begin);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 7);
    assert_int_equal(uct_get(&t, UC_ARM_REG_CPSR) & 0x20, 0);
    uct_close(&t);
    uct_arm(&t,
            UC_MODE_ARM, BYTES("\x01\x00\x00\xef\x01\x00\xa0\xe3\x01\x10\xa0\xe3\x00\xf0\x20\xe3") /* svc #1; mov r0,#1; mov r1,#1; nop */);
    target = CODE + 8;
    uct_hook(&t, UC_HOOK_INTR, (void *)jumps_on_interrupt);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 0);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 1);
    uct_close(&t);
}

static void test_returns(void **state)
{
    struct uct t;

    (void)state;
    /* An exception return as code makes it, to user mode and Thumb. */
    uct_arm(
        &t,
        UC_MODE_ARM, BYTES("\x30\x00\xa0\xe3\x00\xf0\x6f\xe1\x04\xe0\x8f\xe2\x0e\xf0\xb0\xe1\x00\xf0\x20\xe3\x05\x21\x00\xbf") /* mov r0,#0x30; msr spsr_cxsf,r0; adr lr,t; movs pc,lr; nop; .thumb; t: movs r1,#5; nop */);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 5);
    assert_int_equal(uct_get(&t, UC_ARM_REG_CPSR) & 0x3f, 0x30);
    uct_close(&t);
    uct_arm(
        &t,
        UC_MODE_ARM, BYTES("\x01\x0a\xa0\xe3\x14\x00\x80\xe2\x04\x00\x2d\xe5\x04\xf0\x9d\xe4\x00\xf0\x20\xe3\x06\x10\xa0\xe3") /* mov r0,#0x1000; add r0,#0x14; push {r0}; pop {pc}; nop; mov r1,#6 */);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 6);
    uct_close(&t);
}

/* What a processor does not access where it is not aligned. */
static void test_alignment(void **state)
{
    static const struct {
        const uint8_t *code;
        bool always; /* whatever SCTLR.A says */
    } rows[] = {
        {(const uint8_t *)"\x00\x10\x90\xe5", false}, /* ldr r1,[r0] */
        {(const uint8_t *)"\x00\x10\x80\xe5", false}, /* str r1,[r0] */
        {(const uint8_t *)"\xd0\x20\xc0\xe1", true},  /* ldrd r2,r3,[r0] */
        {(const uint8_t *)"\xf0\x20\xc0\xe1", true},  /* strd r2,r3,[r0] */
        {(const uint8_t *)"\x06\x00\x90\xe8", true},  /* ldm r0,{r1,r2} */
        {(const uint8_t *)"\x06\x00\x80\xe8", true},  /* stm r0,{r1,r2} */
        {(const uint8_t *)"\x00\x0b\x90\xed", true},  /* vldr d0,[r0] */
        {(const uint8_t *)"\x00\x0a\x80\xed", true},  /* vstr s0,[r0] */
    };
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_arm(&t, UC_MODE_ARM, BYTES("\x9f\x1f\x90\xe1") /* ldrex r1,[r0] */);
    uct_set(&t, UC_ARM_REG_R0, DATA + 1);
    t.limit = 1;
    uct_log(&t, "ri");
    ok(uct_run(&t));
    uct_expect(&t, "i4");
    assert_int_equal(uct_pc(&t), CODE);
    uct_close(&t);
    if (!DIFFERS("arm-alignment", "any address is taken, whatever SCTLR.A says"))
        return;
    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        uc_arm_cp_reg sctlr = {.cp = 15, .crn = 1, .val = i & 1 ? 0xc5007a : 0xc50078};
        bool faults = rows[i / 2].always || i & 1;

        uct_arm(&t, UC_MODE_ARM, rows[i / 2].code, 4);
        uct_set(&t, UC_ARM_REG_R0, DATA + 2);
        uct_set(&t, UC_ARM_REG_FPEXC, 0x40000000);
        ok(uc_reg_write(t.uc, UC_ARM_REG_CP_REG, &sctlr));
        t.limit = 1;
        uct_log(&t, "i");
        ok(uct_run(&t));
        uct_expect(&t, faults ? "i4" : "");
        uct_close(&t);
    }
}

/* Before v6 an unaligned word is the aligned one, rotated. */
static void test_rotation(void **state)
{
    struct uct t;

    (void)state;
    uct_arm(&t, UC_MODE_ARM926, BYTES("\x00\x10\x90\xe5\x00\x20\xd0\xe5\x08\x10\x80\xe5") /* ldr r1,[r0]; ldrb r2,[r0]; str r1,[r0,#8] */);
    uct_set(&t, UC_ARM_REG_R0, DATA + 1);
    uct_poke(&t, DATA, 0x8877665544332211, 8);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R2) & 0xff, 0x22);
    if (DIFFERS("arm-rotation", "the word at the address is loaded and stored, in all CPUs")) {
        assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 0x11443322);
        assert_int_equal(uct_mem(&t, DATA + 8, 8), 0x11443322);
    }
    uct_close(&t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_begin_decides),
        cmocka_unit_test(test_until),
        cmocka_unit_test(test_interworking),
        cmocka_unit_test(test_big_endian),
        cmocka_unit_test(test_setend),
        cmocka_unit_test(test_big_endian_thumb),
        cmocka_unit_test(test_big_endian_registers),
        cmocka_unit_test(test_m_profile),
        cmocka_unit_test(test_m_profile_special),
        cmocka_unit_test(test_older),
        cmocka_unit_test(test_v7),
        cmocka_unit_test(test_pc_in_hooks),
        cmocka_unit_test(test_returns),
        cmocka_unit_test(test_alignment),
        cmocka_unit_test(test_rotation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
