/* The registers of ARM: state at first, status, banks, VFP, coprocessor registers, those of M
 * profile. */
#include "uc_test.h"

static void test_first(void **state)
{
    static const struct {
        int mode;
        uint32_t cpsr, fpsid, cpacr;
    } rows[] = {
        {UC_MODE_ARM, 0x400001d3, 0x410430f0, 0},
        {UC_MODE_THUMB, 0x400001d3, 0x410430f0, 0},
        {UC_MODE_BIG_ENDIAN, 0x400003d3, 0x410120b5, 0xc0000000},
        {UC_MODE_ARMBE8, 0x400003d3, 0x410430f0, 0},
        {UC_MODE_ARM926, 0x400001d3, 0x41011090, 0},
        {UC_MODE_ARM946, 0x400001d3, 0, 0},
        {UC_MODE_ARM1176, 0x400001d3, 0x410120b5, 0xc0000000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct uct t = {.arch = UC_ARCH_ARM};

        ok(uc_open(UC_ARCH_ARM, (uc_mode)rows[i].mode, &t.uc));
        if (SINCE_2_1)
            assert_int_equal(uct_get(&t, UC_ARM_REG_CPSR), rows[i].cpsr);
        if (SINCE_2_1)
            assert_int_equal(uct_get(&t, UC_ARM_REG_FPSID), rows[i].fpsid);
        if (SINCE_2_1)
            assert_int_equal(uct_get(&t, UC_ARM_REG_C1_C0_2), rows[i].cpacr);
        assert_int_equal(uct_get(&t, UC_ARM_REG_PC), 0);
        assert_int_equal(uct_get(&t, UC_ARM_REG_SP), 0);
        assert_int_equal(uct_get(&t, UC_ARM_REG_LR), 0);
        assert_int_equal(uct_get(&t, UC_ARM_REG_R12), 0);
        assert_int_equal(uct_get(&t, UC_ARM_REG_FPEXC), 0);
        uct_close(&t);
    }
}

static void test_general(void **state)
{
    struct uct t;

    (void)state;
    uct_arm(&t, UC_MODE_ARM, BYTES("\x02\x00\x81\xe0\x0d\x30\xa0\xe1\x0e\x40\xa0\xe1") /* add r0,r1,r2; mov r3,sp; mov r4,lr */);
    for (int i = 0; i <= 12; i++)
        uct_set(&t, UC_ARM_REG_R0 + i, 0x1000u * (unsigned)i);
    uct_set(&t, UC_ARM_REG_R13, 0x7000);
    uct_set(&t, UC_ARM_REG_R14, 0x7777);
    for (int i = 0; i <= 12; i++)
        assert_int_equal(uct_get(&t, UC_ARM_REG_R0 + i), 0x1000u * (unsigned)i);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 0x3000);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R3), 0x7000);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R4), 0x7777);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R15), CODE + 12);
    uct_close(&t);
}

static void test_pc_is_thumb(void **state)
{
    struct uct t;

    (void)state;
    uct_arm(&t, UC_MODE_ARM, BYTES("\x00\xf0\x20\xe3") /* nop */);
    uct_set(&t, UC_ARM_REG_PC, 0x1001);
    assert_int_equal(uct_get(&t, UC_ARM_REG_PC), 0x1000);
    assert_int_equal(uct_get(&t, UC_ARM_REG_CPSR) & 0x20, 0x20);
    uct_set(&t, UC_ARM_REG_PC, 0x1004);
    assert_int_equal(uct_get(&t, UC_ARM_REG_PC), 0x1004);
    assert_int_equal(uct_get(&t, UC_ARM_REG_CPSR) & 0x20, 0);
    uct_close(&t);
}

static void test_status(void **state)
{
    static const uint32_t values[] = {0xf0000010, 0x30, 0x200001f0, 0x0f0001d3, 0x600fc30,
                                      0x1f,       0x12, 0xffffffd3, 0xfffffff3};
    struct uct t;

    (void)state;
    uct_arm(&t, UC_MODE_ARM, BYTES("\x00\xf0\x20\xe3") /* nop */);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        uct_set(&t, UC_ARM_REG_CPSR, values[i]);
        assert_int_equal(uct_get(&t, UC_ARM_REG_CPSR), values[i]);
    }
    uct_set(&t, UC_ARM_REG_CPSR, 0x400001d3);
    /* A mode that is none leaves the mode as it is. */
    uct_set(&t, UC_ARM_REG_CPSR, 0x1e);
    assert_int_equal(uct_get(&t, UC_ARM_REG_CPSR), 0x13);
    if (DIFFERS("arm-cpsr-abort", "from user mode the process is aborted")) {
        uct_set(&t, UC_ARM_REG_CPSR, 0x10);
        uct_set(&t, UC_ARM_REG_CPSR, 0xf0000000);
        assert_int_equal(uct_get(&t, UC_ARM_REG_CPSR), 0xf0000010);
        uct_set(&t, UC_ARM_REG_CPSR, 0x13);
    }
    uct_set(&t, UC_ARM_REG_APSR, 0xffffffff);
    assert_int_equal(uct_get(&t, UC_ARM_REG_APSR), 0xf80f0000);
    assert_int_equal(uct_get(&t, UC_ARM_REG_CPSR), 0xf80f0013);
    if (DIFFERS("arm-parts", "parts of APSR can be written only")) {
        assert_int_equal(uct_get(&t, UC_ARM_REG_APSR_NZCVQ), 0xf8000000);
        assert_int_equal(uct_get(&t, UC_ARM_REG_APSR_G), 0x000f0000);
        assert_int_equal(uct_get(&t, UC_ARM_REG_APSR_NZCVQG), 0xf80f0000);
    }
    uct_set(&t, UC_ARM_REG_APSR_G, 0);
    assert_int_equal(uct_get(&t, UC_ARM_REG_CPSR), 0xf8000013);
    uct_set(&t, UC_ARM_REG_APSR_NZCVQG, 0x00050000);
    assert_int_equal(uct_get(&t, UC_ARM_REG_CPSR), 0x00050013);
    uct_set(&t, UC_ARM_REG_APSR_NZCVQ, 0xa8000000);
    assert_int_equal(uct_get(&t, UC_ARM_REG_CPSR), 0xa8050013);
    uct_set(&t, UC_ARM_REG_APSR_NZCV, 0x60000000);
    assert_int_equal(uct_get(&t, UC_ARM_REG_APSR_NZCV), 0x60000000);
    assert_int_equal(uct_get(&t, UC_ARM_REG_CPSR) >> 28, 6);
    uct_close(&t);
}

/* What of CPSR instructions see and change, by model. */
static void test_status_in_code(void **state)
{
    static const struct {
        int mode;
        uint32_t set, read, cpsr;
    } rows[] = {
        {UC_MODE_ARM, 0xfffffddf, 0xf80f01df, 0xf80f01df},
        {UC_MODE_ARM, 0x10, 0x10, 0x10},
        {UC_MODE_ARM926, 0xffffffdf, 0xf80001df, 0xf80001df},
        {UC_MODE_ARM926, 0x13, 0x13, 0x13},
        /* In Non-secure state A and F are the monitor's. */
        {UC_MODE_ARM1176, 0x13, 0x153, 0x153},
        {UC_MODE_ARM1176, 0xffffffdf, 0xf80f03df, 0xf80f03df},
    };
    struct uct t;

    (void)state;
    NEEDS_2_1();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uct_arm(&t, rows[i].mode,
                BYTES("\x00\xf0\x2f\xe1\x00\x10\x0f\xe1") /* msr cpsr_fsxc,r0; mrs r1,cpsr */);
        uct_set(&t, UC_ARM_REG_CPSR, 0x400001d3);
        uct_set(&t, UC_ARM_REG_R0, rows[i].set);
        ok(uct_run(&t));
        assert_int_equal(uct_get(&t, UC_ARM_REG_R1), rows[i].read);
        assert_int_equal(uct_get(&t, UC_ARM_REG_CPSR), rows[i].cpsr);
        uct_close(&t);
    }
    /* Bits that mean nothing stay; some of them can be read. */
    uct_arm(&t, UC_MODE_ARM, BYTES("\x00\x10\x0f\xe1") /* mrs r1,cpsr */);
    uct_set(&t, UC_ARM_REG_CPSR, 0xfff0fdd3);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 0xf8c001d3);
    assert_int_equal(uct_get(&t, UC_ARM_REG_CPSR), 0xfff0fdd3);
    uct_close(&t);
}

static void test_flags_in_code(void **state)
{
    struct uct t;

    (void)state;
    uct_arm(&t, UC_MODE_ARM,
            BYTES("\x01\x00\xa0\x23\x01\x10\xa0\x63\x01\x20\xa0\x03\x01\x30\xa0\x43\x00\x00\x50"
                  "\xe1") /* movcs r0,#1; movvs r1,#1; moveq r2,#1; movmi r3,#1; cmp r0,r0 */);
    uct_set(&t, UC_ARM_REG_CPSR, 0xa00001d3); /* N, C */
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 1);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 0);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R2), 0);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R3), 1);
    assert_int_equal(uct_get(&t, UC_ARM_REG_CPSR), 0x600001d3);
    uct_close(&t);
}

static void test_banks(void **state)
{
    static const unsigned modes[] = {0x10, 0x11, 0x12, 0x13, 0x17, 0x1b};
    struct uct t;

    (void)state;
    uct_arm(&t, UC_MODE_ARM, BYTES("\x00\xf0\x20\xe3") /* nop */);
    for (unsigned i = 0; i < 6; i++) {
        uct_set(&t, UC_ARM_REG_CPSR, 0xc0 | modes[i]);
        uct_set(&t, UC_ARM_REG_SP, 0x100 + modes[i]);
        uct_set(&t, UC_ARM_REG_LR, 0x200 + modes[i]);
        uct_set(&t, UC_ARM_REG_SPSR, 0x300 + modes[i]);
        uct_set(&t, UC_ARM_REG_R8, modes[i]);
        uct_set(&t, UC_ARM_REG_R7, modes[i]);
    }
    for (unsigned i = 0; i < 6; i++) {
        uct_set(&t, UC_ARM_REG_CPSR, 0xc0 | modes[i]);
        assert_int_equal(uct_get(&t, UC_ARM_REG_SP), 0x100 + modes[i]);
        assert_int_equal(uct_get(&t, UC_ARM_REG_LR), 0x200 + modes[i]);
        assert_int_equal(uct_get(&t, UC_ARM_REG_SPSR), 0x300 + modes[i]);
        assert_int_equal(uct_get(&t, UC_ARM_REG_R8), modes[i] == 0x11 ? 0x11 : 0x1b);
        assert_int_equal(uct_get(&t, UC_ARM_REG_R7), 0x1b);
    }
    /* System mode has user mode's. */
    uct_set(&t, UC_ARM_REG_CPSR, 0xdf);
    assert_int_equal(uct_get(&t, UC_ARM_REG_SP), 0x110);
    uct_close(&t);
}

static void test_vfp(void **state)
{
    uint64_t q[2] = {0x8899aabbccddeeff, 0x0011223344556677}, r[2] = {0};
    struct uct t;

    (void)state;
    uct_arm(&t, UC_MODE_ARM, BYTES("\x40\x28\x20\xf2\x90\x0a\x11\xee\x10\x1a\xf1\xee") /* vadd.i32 q1,q0,q0; vmov r0,s3; vmrs r1,fpscr */);
    ok(uc_reg_write(t.uc, UC_ARM_REG_Q0, q));
    assert_int_equal(uct_get(&t, UC_ARM_REG_D0), q[0]);
    assert_int_equal(uct_get(&t, UC_ARM_REG_D1), q[1]);
    assert_int_equal(uct_get(&t, UC_ARM_REG_S0), 0xccddeeff);
    assert_int_equal(uct_get(&t, UC_ARM_REG_S3), 0x00112233);
    uct_set(&t, UC_ARM_REG_S1, 0x11111111);
    uct_set(&t, UC_ARM_REG_D31, 0x3131);
    ok(uc_reg_read(t.uc, UC_ARM_REG_Q0, r));
    assert_int_equal(r[0], 0x11111111ccddeeff);
    ok(uc_reg_read(t.uc, UC_ARM_REG_Q15, r));
    assert_int_equal(r[0], 0);
    assert_int_equal(r[1], 0x3131);
    /* It is off at first. */
    fails(uct_run(&t), UC_ERR_INSN_INVALID);
    uct_set(&t, UC_ARM_REG_FPEXC, 0x40000000);
    uct_set(&t, UC_ARM_REG_FPSCR, 0x00c00000);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_D2), 0x2222222299bbddfe);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 0x00112233);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 0x00c00000);
    uct_close(&t);
}

static uint64_t cp_get(struct uct *t, unsigned crn, unsigned crm, unsigned opc1, unsigned opc2)
{
    uc_arm_cp_reg r = {.cp = 15, .crn = crn, .crm = crm, .opc1 = opc1, .opc2 = opc2, .val = 0xdead};

    ok(uc_reg_read(t->uc, UC_ARM_REG_CP_REG, &r));
    return r.val;
}

static void cp_set(struct uct *t, unsigned crn, unsigned crm, unsigned opc1, unsigned opc2,
                   uint64_t v)
{
    uc_arm_cp_reg r = {.cp = 15, .crn = crn, .crm = crm, .opc1 = opc1, .opc2 = opc2, .val = v};

    ok(uc_reg_write(t->uc, UC_ARM_REG_CP_REG, &r));
}

static void test_special(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_arm(
        &t, UC_MODE_ARM,
        BYTES(
            "\x50\x0f\x1d\xee\x70\x1f\x1d\xee") /* mrc p15,0,r0,c13,c0,2; mrc p15,0,r1,c13,c0,3 */);
    uct_set(&t, UC_ARM_REG_C13_C0_3, 0x333);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 0x333);
    if (DIFFERS("arm-parts", "nothing is read and written")) {
        uct_set(&t, UC_ARM_REG_C13_C0_2, 0x222);
        ok(uct_run(&t));
        assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 0x222);
        uct_set(&t, UC_ARM_REG_FPSCR, 0x60000000);
        assert_int_equal(uct_get(&t, UC_ARM_REG_FPSCR_NZCV), 0x60000000);
    }
    if (DIFFERS("arm-fpsid", "it can be written")) {
        uct_set(&t, UC_ARM_REG_FPSID, 0);
        assert_int_equal(uct_get(&t, UC_ARM_REG_FPSID), 0x410430f0);
    }
    uct_close(&t);
}

static void test_coprocessor(void **state)
{
    struct uct t;

    (void)state;
    uct_arm(&t,
            UC_MODE_ARM, BYTES("\x70\x0f\x1d\xee\x07\x10\xa0\xe3\x50\x1f\x0d\xee\x10\x2f\x10\xee") /* mrc p15,0,r0,c13,c0,3; mov r1,#7; mcr p15,0,r1,c13,c0,2; mrc p15,0,r2,c0,c0,0 */);
    assert_int_equal(cp_get(&t, 0, 0, 0, 0), 0x412fc0f1);
    assert_int_equal(cp_get(&t, 1, 0, 0, 0), 0xc50078);
    assert_int_equal(cp_get(&t, 0, 0, 0, 5), 0x80000000);
    cp_set(&t, 13, 0, 0, 3, 0x1234);
    cp_set(&t, 13, 0, 0, 4, 0x5678);
    cp_set(&t, 0, 0, 0, 0, 1); /* read only */
    assert_int_equal(cp_get(&t, 13, 0, 0, 3), 0x1234);
    assert_int_equal(cp_get(&t, 13, 0, 0, 4), 0x5678);
    assert_int_equal(cp_get(&t, 0, 0, 0, 0), 0x412fc0f1);
    assert_int_equal(uct_get(&t, UC_ARM_REG_C13_C0_3), 0x1234);
    cp_set(&t, 2, 0, 0, 0, 0x4000);
    cp_set(&t, 3, 0, 0, 0, 0x55555555);
    assert_int_equal(cp_get(&t, 2, 0, 0, 0), 0x4000);
    assert_int_equal(cp_get(&t, 3, 0, 0, 0), 0x55555555);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 0x1234);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R2), 0x412fc0f1);
    assert_int_equal(cp_get(&t, 13, 0, 0, 2), 7);
    /* What is no register reads as zero. */
    assert_int_equal(cp_get(&t, 15, 15, 7, 7), 0);
    cp_set(&t, 15, 15, 7, 7, 5);
    uct_set(&t, UC_ARM_REG_C13_C0_3, 0x99);
    assert_int_equal(cp_get(&t, 13, 0, 0, 3), 0x99);
    uct_close(&t);
}

static void test_unknown(void **state)
{
    static const int unknown[] = {-1,
                                  UC_ARM_REG_INVALID,
                                  UC_ARM_REG_FPINST,
                                  UC_ARM_REG_MVFR0,
                                  UC_ARM_REG_ITSTATE,
                                  UC_ARM_REG_FPSCR_NZCV,
                                  1000};
    struct uct t;

    (void)state;
    uct_arm(&t, UC_MODE_ARM, BYTES("\x00\xf0\x20\xe3") /* nop */);
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        uint64_t v = 0;
        ok(uc_reg_read(t.uc, unknown[i], &v));
        ok(uc_reg_write(t.uc, unknown[i], &v));
    }
    uct_close(&t);
}

static void test_sizes(void **state)
{
    static const struct {
        int id;
        size_t size;
    } rows[] = {{UC_ARM_REG_R0, 4},      {UC_ARM_REG_PC, 4},  {UC_ARM_REG_CPSR, 4},
                {UC_ARM_REG_S31, 4},     {UC_ARM_REG_D31, 8}, {UC_ARM_REG_Q15, 16},
                {UC_ARM_REG_CP_REG, 40}, {UC_ARM_REG_SPSR, 4}};
    uct_read2 read2 = (uct_read2)uct_function("uc_reg_read2");
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_arm(&t, UC_MODE_ARM, BYTES("\x00\xf0\x20\xe3") /* nop */);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t buffer[10] = {0};
        size_t size = sizeof buffer;

        if (rows[i].id == UC_ARM_REG_CP_REG)
            ((uc_arm_cp_reg *)(void *)buffer)->cp = 15;
        ok(read2(t.uc, rows[i].id, buffer, &size));
        assert_int_equal(size, rows[i].size);
        size--;
        fails(read2(t.uc, rows[i].id, buffer, &size), UC_ERR_OVERFLOW);
    }
    uct_close(&t);
}

static void test_m_profile(void **state)
{
    struct uct t;

    (void)state;
    uct_arm(&t, UC_MODE_THUMB | UC_MODE_MCLASS,
            BYTES("\x01\x20\x69\x46") /* movs r0,#1; mov r1,sp */);
    uct_set(&t, UC_ARM_REG_MSP, 0x1110);
    assert_int_equal(uct_get(&t, UC_ARM_REG_SP), 0x1110);
    uct_set(&t, UC_ARM_REG_PSP, 0x2220);
    assert_int_equal(uct_get(&t, UC_ARM_REG_SP), 0x1110);
    uct_set(&t, UC_ARM_REG_CONTROL, 2);
    assert_int_equal(uct_get(&t, UC_ARM_REG_CONTROL), 2);
    assert_int_equal(uct_get(&t, UC_ARM_REG_SP), 0x2220);
    assert_int_equal(uct_get(&t, UC_ARM_REG_MSP), 0x1110);
    uct_set(&t, UC_ARM_REG_PRIMASK, 1);
    uct_set(&t, UC_ARM_REG_BASEPRI, 0x40);
    uct_set(&t, UC_ARM_REG_FAULTMASK, 1);
    assert_int_equal(uct_get(&t, UC_ARM_REG_PRIMASK), 1);
    assert_int_equal(uct_get(&t, UC_ARM_REG_BASEPRI), 0x40);
    assert_int_equal(uct_get(&t, UC_ARM_REG_FAULTMASK), 1);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 0x2220);
    assert_int_equal(uct_get(&t, UC_ARM_REG_XPSR), 0x01000000);
    assert_int_equal(uct_get(&t, UC_ARM_REG_IPSR), 0);
    uct_close(&t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first),         cmocka_unit_test(test_general),
        cmocka_unit_test(test_pc_is_thumb),   cmocka_unit_test(test_status),
        cmocka_unit_test(test_flags_in_code), cmocka_unit_test(test_status_in_code),
        cmocka_unit_test(test_banks),         cmocka_unit_test(test_vfp),
        cmocka_unit_test(test_special),       cmocka_unit_test(test_coprocessor),
        cmocka_unit_test(test_unknown),       cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_m_profile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
