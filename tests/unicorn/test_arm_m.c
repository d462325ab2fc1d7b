/* M profile: its registers, as a client and as the guest sees them. */
#include "uc_test.h"

#define M0  UC_CPU_ARM_CORTEX_M0
#define M3  UC_CPU_ARM_CORTEX_M3
#define M4  UC_CPU_ARM_CORTEX_M4
#define M7  UC_CPU_ARM_CORTEX_M7
#define M33 UC_CPU_ARM_CORTEX_M33

static const int models[] = {M0, M3, M4, M7, M33};

#define NOP "\x00\xbf"

/* ---- registers ---- */

static void test_first(void **state)
{
    static const int zero[] = {
        UC_ARM_REG_R0,        UC_ARM_REG_SP,      UC_ARM_REG_LR,      UC_ARM_REG_PC,
        UC_ARM_REG_IPSR,      UC_ARM_REG_EPSR,    UC_ARM_REG_IEPSR,   UC_ARM_REG_MSP,
        UC_ARM_REG_PSP,       UC_ARM_REG_CONTROL, UC_ARM_REG_PRIMASK, UC_ARM_REG_BASEPRI,
        UC_ARM_REG_FAULTMASK, UC_ARM_REG_FPSCR,   UC_ARM_REG_FPEXC,   UC_ARM_REG_BASEPRI_MAX,
        UC_ARM_REG_C1_C0_2,
    };

    (void)state;
    NEEDS_2_1();
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        struct uct t = {.arch = UC_ARCH_ARM};
        int mode = models[i] == M33 ? UC_MODE_MCLASS : 0;
        size_t query = 99;

        ok(uc_open(UC_ARCH_ARM, (uc_mode)(UC_MODE_THUMB | mode), &t.uc));
        ok(uc_ctl_set_cpu_model(t.uc, models[i]));
        for (size_t k = 0; k < sizeof zero / sizeof zero[0]; k++)
            assert_int_equal(uct_get(&t, zero[k]), 0);
        assert_int_equal(uct_get(&t, UC_ARM_REG_XPSR), 0x40000000);
        assert_int_equal(uct_get(&t, UC_ARM_REG_APSR), 0x40000000);
        assert_int_equal(uct_get(&t, UC_ARM_REG_IAPSR), 0x40000000);
        assert_int_equal(uct_get(&t, UC_ARM_REG_EAPSR), 0x40000000);
        assert_int_equal(uct_get(&t, UC_ARM_REG_CPSR), 0x400001d3);
        ok(uc_query(t.uc, UC_QUERY_MODE, &query));
        assert_int_equal(query, mode);
        uct_set(&t, UC_ARM_REG_PC, 0x1001);
        assert_int_equal(uct_get(&t, UC_ARM_REG_XPSR), 0x41000000);
        ok(uc_query(t.uc, UC_QUERY_MODE, &query));
        assert_int_equal(query, mode | UC_MODE_THUMB);
        uct_set(&t, UC_ARM_REG_PC, 0x1002);
        assert_int_equal(uct_get(&t, UC_ARM_REG_PC), 0x1002);
        assert_int_equal(uct_get(&t, UC_ARM_REG_XPSR), 0x40000000);
        uct_close(&t);
    }
}

/* What each number writes of xPSR and, but for those that Unicorn does not read, reads of it. */
static void test_status(void **state)
{
    static const struct {
        int id;
        uint32_t writes, reads;
    } rows[] = {
        {UC_ARM_REG_XPSR, 0xff00fdff, 0xff0ffdff},  {UC_ARM_REG_APSR, 0xf8000000, 0xf80f0000},
        {UC_ARM_REG_IPSR, 0x000001ff, 0x000001ff},  {UC_ARM_REG_EPSR, 0x0700fc00, 0x0700fc00},
        {UC_ARM_REG_IAPSR, 0xf80001ff, 0xf80f01ff}, {UC_ARM_REG_EAPSR, 0xff00fc00, 0xff0ffc00},
        {UC_ARM_REG_IEPSR, 0x0700fdff, 0x0700fdff}, {UC_ARM_REG_APSR_NZCV, 0xf0000000, 0xf0000000},
        {UC_ARM_REG_APSR_NZCVQ, 0xf8000000, 0},     {UC_ARM_REG_APSR_G, 0x000f0000, 0},
        {UC_ARM_REG_APSR_NZCVQG, 0xf80f0000, 0},    {UC_ARM_REG_IAPSR_NZCVQ, 0xf80001ff, 0},
        {UC_ARM_REG_IAPSR_G, 0x000f01ff, 0},        {UC_ARM_REG_IAPSR_NZCVQG, 0xf80f01ff, 0},
        {UC_ARM_REG_EAPSR_NZCVQ, 0xff00fc00, 0},    {UC_ARM_REG_EAPSR_G, 0x070ffc00, 0},
        {UC_ARM_REG_EAPSR_NZCVQG, 0xff0ffc00, 0},   {UC_ARM_REG_XPSR_NZCVQ, 0xff00fdff, 0},
        {UC_ARM_REG_XPSR_G, 0x070ffdff, 0},         {UC_ARM_REG_XPSR_NZCVQG, 0xff0ffdff, 0},
    };
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_arm_m(&t, M33, BYTES(NOP));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uct_set(&t, UC_ARM_REG_XPSR_NZCVQG, 0);
        uct_set(&t, rows[i].id, 0xffffffff);
        assert_int_equal(uct_get(&t, UC_ARM_REG_XPSR), rows[i].writes);
        uct_set(&t, UC_ARM_REG_XPSR_NZCVQG, 0xffffffff);
        assert_int_equal(uct_get(&t, UC_ARM_REG_XPSR), 0xff0ffdff);
        if (rows[i].reads)
            assert_int_equal(uct_get(&t, rows[i].id), rows[i].reads);
        else if (DIFFERS("m-psr-parts", "cannot be read"))
            assert_int_equal(uct_get(&t, rows[i].id), rows[i].writes);
        uct_set(&t, rows[i].id, 0);
        assert_int_equal(uct_get(&t, UC_ARM_REG_XPSR), 0xff0ffdff & ~rows[i].writes);
    }
    uct_close(&t);
    /* There are no GE flags without the DSP extension. */
    uct_arm_m(&t, M3, BYTES(NOP));
    uct_set(&t, UC_ARM_REG_APSR_G, 0xffffffff);
    assert_int_equal(uct_get(&t, UC_ARM_REG_XPSR), 0x40000000);
    uct_close(&t);
}

static void test_cpsr(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_arm_m(&t, M4, BYTES(NOP));
    uct_set(&t, UC_ARM_REG_CPSR, 0xa80f01f3);
    assert_int_equal(uct_get(&t, UC_ARM_REG_XPSR), 0xa90f0000);
    assert_int_equal(uct_get(&t, UC_ARM_REG_CPSR), 0xa80f01f3);
    if (DIFFERS("m-cpsr",
                "the mode and masks of CPSR can be written, and change the stack pointer")) {
        uct_set(&t, UC_ARM_REG_CPSR, 0x10);
        assert_int_equal(uct_get(&t, UC_ARM_REG_CPSR), 0x1d3);
        assert_int_equal(uct_get(&t, UC_ARM_REG_SP), STACK);
    }
    uct_close(&t);
}

static void check_stacks(struct uct *t, uint32_t sp, uint32_t msp, uint32_t psp)
{
    assert_int_equal(uct_get(t, UC_ARM_REG_SP), sp);
    assert_int_equal(uct_get(t, UC_ARM_REG_MSP), msp);
    assert_int_equal(uct_get(t, UC_ARM_REG_PSP), psp);
}

static void test_stacks(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        uct_arm_m(&t, models[i], BYTES(NOP));
        check_stacks(&t, STACK, STACK, UCT_PSP);
        uct_set(&t, UC_ARM_REG_CONTROL, 2);
        check_stacks(&t, UCT_PSP, STACK, UCT_PSP);
        uct_set(&t, UC_ARM_REG_SP, 0x100);
        check_stacks(&t, 0x100, STACK, 0x100);
        uct_set(&t, UC_ARM_REG_MSP, 0x200);
        check_stacks(&t, 0x100, 0x200, 0x100);
        uct_set(&t, UC_ARM_REG_PSP, 0x301); /* as it is written */
        check_stacks(&t, 0x301, 0x200, 0x301);
        /* Handler mode has the main stack. */
        uct_set(&t, UC_ARM_REG_IPSR, 3);
        check_stacks(&t, 0x200, 0x200, 0x301);
        assert_int_equal(uct_get(&t, UC_ARM_REG_CONTROL), 2);
        uct_set(&t, UC_ARM_REG_SP, 0x204);
        check_stacks(&t, 0x204, 0x204, 0x301);
        uct_set(&t, UC_ARM_REG_XPSR, 0x01000000);
        check_stacks(&t, 0x301, 0x204, 0x301);
        uct_close(&t);
    }
}

static void test_masks(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_arm_m(&t, M4, BYTES(NOP));
    uct_set(&t, UC_ARM_REG_PRIMASK, 0xff);
    assert_int_equal(uct_get(&t, UC_ARM_REG_PRIMASK), 1);
    uct_set(&t, UC_ARM_REG_FAULTMASK, 0xfe);
    assert_int_equal(uct_get(&t, UC_ARM_REG_FAULTMASK), 0);
    uct_set(&t, UC_ARM_REG_FAULTMASK, 1);
    assert_int_equal(uct_get(&t, UC_ARM_REG_FAULTMASK), 1);
    uct_set(&t, UC_ARM_REG_BASEPRI_MAX, 0x140);
    assert_int_equal(uct_get(&t, UC_ARM_REG_BASEPRI), 0x40);
    uct_set(&t, UC_ARM_REG_BASEPRI_MAX, 0x60);
    uct_set(&t, UC_ARM_REG_BASEPRI_MAX, 0);
    assert_int_equal(uct_get(&t, UC_ARM_REG_BASEPRI), 0x40);
    uct_set(&t, UC_ARM_REG_BASEPRI_MAX, 0x20);
    assert_int_equal(uct_get(&t, UC_ARM_REG_BASEPRI_MAX), 0x20);
    uct_set(&t, UC_ARM_REG_BASEPRI, 0);
    assert_int_equal(uct_get(&t, UC_ARM_REG_BASEPRI), 0);
    uct_close(&t);
    uct_arm_m(&t, M0, BYTES(NOP));
    uct_set(&t, UC_ARM_REG_PRIMASK, 1);
    uct_set(&t, UC_ARM_REG_FAULTMASK, 1);
    uct_set(&t, UC_ARM_REG_BASEPRI, 0x40);
    assert_int_equal(uct_get(&t, UC_ARM_REG_PRIMASK), 1);
    assert_int_equal(uct_get(&t, UC_ARM_REG_FAULTMASK), 0);
    assert_int_equal(uct_get(&t, UC_ARM_REG_BASEPRI), 0);
    uct_close(&t);
}

static void test_context(void **state)
{
    uint32_t v = 0;
    uc_context *ctx;
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_arm_m(&t, M33, BYTES(NOP));
    uct_set(&t, UC_ARM_REG_XPSR, 0xa1000000);
    uct_set(&t, UC_ARM_REG_CONTROL, 2);
    uct_set(&t, UC_ARM_REG_BASEPRI, 0x40);
    uct_set(&t, UC_ARM_REG_FAULTMASK, 1);
    ok(uc_context_alloc(t.uc, &ctx));
    ok(uc_context_save(t.uc, ctx));
    ok(uc_context_reg_read(ctx, UC_ARM_REG_MSP, &v));
    assert_int_equal(v, STACK);
    uct_set(&t, UC_ARM_REG_XPSR, 0x40000003);
    uct_set(&t, UC_ARM_REG_CONTROL, 0);
    uct_set(&t, UC_ARM_REG_BASEPRI, 0);
    uct_set(&t, UC_ARM_REG_FAULTMASK, 0);
    uct_set(&t, UC_ARM_REG_MSP, 4);
    uct_set(&t, UC_ARM_REG_PSP, 8);
    ok(uc_context_restore(t.uc, ctx));
    check_stacks(&t, UCT_PSP, STACK, UCT_PSP);
    assert_int_equal(uct_get(&t, UC_ARM_REG_XPSR), 0xa1000000);
    assert_int_equal(uct_get(&t, UC_ARM_REG_CONTROL), 2);
    assert_int_equal(uct_get(&t, UC_ARM_REG_BASEPRI), 0x40);
    assert_int_equal(uct_get(&t, UC_ARM_REG_FAULTMASK), 1);
    ok(uc_context_free(ctx));
    uct_close(&t);
}

/* ---- MRS, MSR and CPS ---- */

/* msr SYSM,r0; mrs r1,SYSM */
static void set_special(struct uct *t, int model, unsigned sysm, uint32_t value, uint32_t control)
{
    uint8_t code[] = {0x80, 0xf3, (uint8_t)sysm, 0x88, 0xef, 0xf3, (uint8_t)sysm, 0x81, 0, 0xbf};

    uct_arm_m(t, model, code, sizeof code);
    uct_set(t, UC_ARM_REG_R0, value);
    uct_set(t, UC_ARM_REG_R1, 0x55);
    uct_set(t, UC_ARM_REG_BASEPRI, 0x40);
    uct_set(t, UC_ARM_REG_CONTROL, control);
    ok(uct_run(t));
    assert_int_equal(uct_pc(t), t->end);
}

static void test_special(void **state)
{
    static const struct {
        int model;
        unsigned sysm;
        uint32_t value, read;
    } rows[] = {
        {M33, 0, 0xa8000000, 0xa8000000},
        {M33, 3, 0xffffffff, 0xf8000000},
        {M33, 4, 0xffffffff, 0},
        {M33, 5, 0xffffffff, 0},
        {M33, 6, 0xffffffff, 0},
        {M33, 7, 0xffffffff, 0},
        {M33, 8, 0x1230, 0x1230},
        {M33, 9, 0x1230, 0x1230},
        {M33, 10, 0x7ff7, 0x7ff0},
        {M33, 11, 0xffffffff, 0xfffffff8},
        {M4, 10, 0x7ff0, 0},
        {M33, 12, 0xffffffff, 0},
        {M33, 16, 0xff, 1},
        {M33, 17, 0xff, 0xff},
        {M33, 18, 0x60, 0x40},
        {M33, 18, 0x20, 0x20},
        {M33, 18, 0, 0x40},
        {M33, 19, 0xff, 1},
        {M0, 16, 1, 1},
        {M0, 17, 0xff, 0},
        {M0, 19, 1, 0},
        {M0, 20, 0xff, 2},
        {M3, 20, 0xfe, 2},
        {M4, 20, 0xfe, 6},
        {M33, 20, 0xfe, 14},
        {M33, 21, 0xff, 0},
        {M33, 0x88, 0x1230, 0x1230},
        {M33, 0x89, 0x1230, 0x1230},
        {M33, 0x8a, 0x1237, 0x1230},
        {M33, 0x90, 1, 1},
        {M33, 0x91, 0x20, 0x20},
        {M33, 0x94, 0xff, 3},
        {M33, 0x98, 0x1230, 0x1230},
        {M4, 0x88, 0x1230, 0},
    };

    (void)state;
    NEEDS_2_1();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct uct t;

        set_special(&t, rows[i].model, rows[i].sysm, rows[i].value, 0);
        assert_int_equal(uct_get(&t, UC_ARM_REG_R1), rows[i].read);
        uct_close(&t);
    }
}

static void test_apsr_parts(void **state)
{
    static const struct {
        int model;
        uint8_t mask;
        uint32_t xpsr;
    } rows[] = {{M4, 0x84, 0x410f0000}, {M4, 0x88, 0xf9000000}, {M4, 0x8c, 0xf90f0000},
                {M3, 0x8c, 0xf9000000}, {M0, 0x88, 0xf9000000}, {M4, 0x80, 0x41000000}};

    (void)state;
    NEEDS_2_1();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t code[] = {0x80, 0xf3, 0, rows[i].mask, 0, 0xbf};
        struct uct t;

        uct_arm_m(&t, rows[i].model, code, sizeof code);
        uct_set(&t, UC_ARM_REG_R0, 0xffffffff);
        ok(uct_run(&t));
        assert_int_equal(uct_get(&t, UC_ARM_REG_XPSR), rows[i].xpsr);
        uct_close(&t);
    }
}

/* Handler mode keeps v7-M from choosing the stack of Thread mode. */
static void test_control_in_handler(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    for (int v8 = 0; v8 <= 1; v8++) {
        uct_arm_m(&t, v8 ? M33 : M4, BYTES("\x80\xf3\x14\x88" NOP) /* msr control,r0; nop */);
        uct_set(&t, UC_ARM_REG_R0, 3);
        uct_set(&t, UC_ARM_REG_IPSR, 11);
        ok(uct_run(&t));
        assert_int_equal(uct_get(&t, UC_ARM_REG_CONTROL), v8 ? 3 : 1);
        check_stacks(&t, STACK, STACK, UCT_PSP);
        uct_close(&t);
    }
}

static void test_unprivileged(void **state)
{
    static const struct {
        unsigned sysm;
        int reg;
        uint32_t before;
    } rows[] = {{8, UC_ARM_REG_MSP, STACK},
                {9, UC_ARM_REG_PSP, UCT_PSP},
                {16, UC_ARM_REG_PRIMASK, 0},
                {17, UC_ARM_REG_BASEPRI, 0x40},
                {19, UC_ARM_REG_FAULTMASK, 0}};
    struct uct t;

    (void)state;
    NEEDS_2_1();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        set_special(&t, M4, rows[i].sysm, 0x11, 1);
        assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 0);
        assert_int_equal(uct_get(&t, UC_ARM_REG_SP), STACK);
        if (DIFFERS("m-unprivileged", "reads as 0")) {
            assert_int_equal(uct_get(&t, rows[i].reg), rows[i].before);
            uct_set(&t, rows[i].reg, 1);
            assert_int_equal(uct_get(&t, rows[i].reg), 1);
        }
        uct_close(&t);
    }
    /* CONTROL can be read. */
    set_special(&t, M4, 20, 0, 3);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 3);
    assert_int_equal(uct_get(&t, UC_ARM_REG_CONTROL), 3);
    if (DIFFERS("m-unprivileged", "stays")) {
        uct_set(&t, UC_ARM_REG_CONTROL, 0);
        assert_int_equal(uct_get(&t, UC_ARM_REG_CONTROL), 0);
    }
    uct_close(&t);
    uct_arm_m(&t, M4, BYTES("\x80\xf3\x14\x88\x73\xb6\xef\xf3\x14\x81") /* msr control,r0; cpsid if; mrs r1,control */);
    uct_set(&t, UC_ARM_REG_R0, 1);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_PRIMASK), 0);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 1);
    uct_close(&t);
}

static void test_cps(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_arm_m(&t, M4, BYTES("\x73\xb6\x62\xb6") /* cpsid if; cpsie i */);
    ok(uc_emu_start(t.uc, t.begin, CODE + 2, 0, 0));
    assert_int_equal(uct_get(&t, UC_ARM_REG_PRIMASK), 1);
    assert_int_equal(uct_get(&t, UC_ARM_REG_FAULTMASK), 1);
    ok(uc_emu_start(t.uc, (CODE + 2) | 1, t.end, 0, 0));
    assert_int_equal(uct_get(&t, UC_ARM_REG_PRIMASK), 0);
    assert_int_equal(uct_get(&t, UC_ARM_REG_FAULTMASK), 1);
    uct_close(&t);
    uct_arm_m(&t, M0, BYTES("\x73\xb6") /* cpsid if */);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_PRIMASK), 1);
    assert_int_equal(uct_get(&t, UC_ARM_REG_FAULTMASK), 0);
    uct_close(&t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_cpsr),
        cmocka_unit_test(test_stacks),
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_context),
        cmocka_unit_test(test_special),
        cmocka_unit_test(test_apsr_parts),
        cmocka_unit_test(test_control_in_handler),
        cmocka_unit_test(test_unprivileged),
        cmocka_unit_test(test_cps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
