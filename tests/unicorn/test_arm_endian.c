/* Byte order of ARM: CPSR.E says that of data, SCTLR.B that of instructions, and with
 * UC_MODE_ARMBE8 beside it bytes and halfwords are at the other end of their words. */
#include "uc_test.h"

static uint64_t sctlr(struct uct *t)
{
    uc_arm_cp_reg r = {.cp = 15, .crn = 1};

    ok(uc_reg_read(t->uc, UC_ARM_REG_CP_REG, &r));
    return r.val;
}

static void set_sctlr(struct uct *t, uint64_t v)
{
    uc_arm_cp_reg r = {.cp = 15, .crn = 1, .val = v};

    ok(uc_reg_write(t->uc, UC_ARM_REG_CP_REG, &r));
}

/* The same instructions in both orders of code. */
#define LITTLE                                                                                     \
    BYTES("\x02\x0a\xa0\xe3\x00\x10\x90\xe5\xb2\x20\xd0\xe1\x01\x30\xd0\xe5\x10\x10\x80\xe5\xb4"   \
          "\x11\xc0\xe1\x17\x10\xc0\xe5") /* mov r0,#0x2000; ldr r1,[r0]; ldrh r2,[r0,#2]; ldrb    \
                                             r3,[r0,#1]; str r1,[r0,#16]; strh r1,[r0,#20]; strb   \
                                             r1,[r0,#23] */
#define BIG                                                                                        \
    BYTES("\xe3\xa0\x0a\x02\xe5\x90\x10\x00\xe1\xd0\x20\xb2\xe5\xd0\x30\x01\xe5\x80\x10\x10\xe1"   \
          "\xc0\x11\xb4\xe5\xc0\x10\x17") /* mov r0,#0x2000; ldr r1,[r0]; ldrh r2,[r0,#2]; ldrb    \
                                             r3,[r0,#1]; str r1,[r0,#16]; strh r1,[r0,#20]; strb   \
                                             r1,[r0,#23] */

static void open_both(struct uct *t, int mode, bool b, bool e)
{
    if (b)
        uct_arm(t, mode, BIG);
    else
        uct_arm(t, mode, LITTLE);
    set_sctlr(t, (sctlr(t) & ~0x80ull) | (b ? 0x80 : 0));
    uct_set(t, UC_ARM_REG_CPSR, (uct_get(t, UC_ARM_REG_CPSR) & ~0x200ull) | (e ? 0x200 : 0));
    uct_poke(t, DATA, 0x0807060504030201, 8);
}

/* The two bits are independent of each other and of the mode that the engine was opened with. */
static void test_bits(void **state)
{
    static const int modes[] = {UC_MODE_ARM, UC_MODE_BIG_ENDIAN, UC_MODE_ARM926,
                                UC_MODE_ARM926 | UC_MODE_BIG_ENDIAN};
    struct uct t;

    (void)state;
    NEEDS_2_1();
    for (unsigned i = 0; i < 4 * sizeof modes / sizeof modes[0]; i++) {
        open_both(&t, modes[i / 4], i & 1, i & 2);
        uct_log(&t, "aw");
        ok(uct_run(&t));
        if (i & 2) {
            uct_expect(
                &t, "a2000:4=1020304 a2002:2=304 a2001:1=2 w2010:4=1020304 w2014:2=304 w2017:1=4");
            assert_int_equal(uct_mem(&t, DATA + 16, 8), 0x0400040304030201);
        } else {
            uct_expect(
                &t, "a2000:4=4030201 a2002:2=403 a2001:1=2 w2010:4=4030201 w2014:2=201 w2017:1=1");
            assert_int_equal(uct_mem(&t, DATA + 16, 8), 0x0100020104030201);
        }
        uct_close(&t);
    }
}

static void test_word_invariant(void **state)
{
    static const int modes[] = {UC_MODE_ARMBE8, UC_MODE_ARMBE8 | UC_MODE_BIG_ENDIAN,
                                UC_MODE_ARMBE8 | UC_MODE_ARM926};
    struct uct t;

    (void)state;
    NEEDS_2_1();
    for (unsigned i = 0; i < 4 * sizeof modes / sizeof modes[0]; i++) {
        open_both(&t, modes[i / 4], i & 1, i & 2);
        uct_log(&t, "aw");
        ok(uct_run(&t));
        if (!(i & 1)) {
            assert_int_equal(uct_get(&t, UC_ARM_REG_R3), 2);
        } else if (i & 2) {
            uct_expect(
                &t, "a2000:4=1020304 a2000:2=102 a2002:1=3 w2010:4=1020304 w2016:2=304 w2014:1=4");
            assert_int_equal(uct_mem(&t, DATA + 16, 8), 0x0403000404030201);
        } else {
            uct_expect(
                &t, "a2000:4=4030201 a2000:2=201 a2002:1=3 w2010:4=4030201 w2016:2=201 w2014:1=1");
            assert_int_equal(uct_mem(&t, DATA + 16, 8), 0x0201000104030201);
        }
        uct_close(&t);
    }
}

static void test_exclusive(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    for (int invariant = 0; invariant <= UC_MODE_ARMBE8; invariant += UC_MODE_ARMBE8) {
        uct_arm(
            &t,
            UC_MODE_BIG_ENDIAN | invariant, BYTES("\xe3\xa0\x0a\x02\xe1\xb0\x2f\x9f\xe1\xa0\x1f\x92\xe1\xf0\x4f\x9f\xe1\xd0\x5f\x9f\xe1\xc0\x1f\x92\xe1\x40\x60\x92") /* mov r0,#0x2000; ldrexd r2,r3,[r0]; strexd r1,r2,r3,[r0]; ldrexh r4,[r0]; ldrexb r5,[r0]; strexb r1,r2,[r0]; swpb r6,r2,[r0] */);
        uct_set(&t, UC_ARM_REG_FPEXC, 0x40000000);
        uct_set(&t, UC_ARM_REG_C1_C0_2, 0xf00000);
        uct_poke(&t, DATA, 0x0807060504030201, 8);
        uct_poke(&t, DATA + 8, 0x100f0e0d0c0b0a09, 8);
        uct_log(&t, "aw");
        ok(uct_run(&t));
        assert_int_equal(uct_get(&t, UC_ARM_REG_R2), 0x01020304);
        assert_int_equal(uct_get(&t, UC_ARM_REG_R3), 0x05060708);
        if (invariant)
            uct_expect(&t,
                       "a2000:8=102030405060708 a2000:8=102030405060708 w2000:8=102030405060708 "
                       "a2002:2=304 a2003:1=4 a2003:1=4 w2003:1=4 a2003:1=4 w2003:1=4");
        else
            uct_expect(&t,
                       "a2000:8=102030405060708 a2000:8=102030405060708 w2000:8=102030405060708 "
                       "a2000:2=102 a2000:1=1 a2000:1=1 w2000:1=4 a2000:1=4 w2000:1=4");
        uct_close(&t);
    }
}

static void test_multiple(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    for (int invariant = 0; invariant <= UC_MODE_ARMBE8; invariant += UC_MODE_ARMBE8) {
        uct_arm(
            &t, UC_MODE_BIG_ENDIAN | invariant,
            BYTES(
                "\xe3\xa0\x0a\x02\xe8\x90\x00\x1e\xe2\x80\x00\x10\xe8\x80\x00\x06\xe1\xc0\x60\xd0") /* mov r0,#0x2000; ldm r0,{r1-r4}; add r0,r0,#16; stm r0,{r1,r2}; ldrd r6,r7,[r0] */);
        uct_set(&t, UC_ARM_REG_FPEXC, 0x40000000);
        uct_set(&t, UC_ARM_REG_C1_C0_2, 0xf00000);
        uct_poke(&t, DATA, 0x0807060504030201, 8);
        uct_poke(&t, DATA + 8, 0x100f0e0d0c0b0a09, 8);
        uct_log(&t, "aw");
        ok(uct_run(&t));
        uct_expect(&t, "a2000:4=1020304 a2004:4=5060708 a2008:4=90a0b0c a200c:4=d0e0f10 "
                       "w2010:4=1020304 w2014:4=5060708 a2010:4=1020304 a2014:4=5060708");
        uct_close(&t);
    }
}

static void test_vfp(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    for (int invariant = 0; invariant <= UC_MODE_ARMBE8; invariant += UC_MODE_ARMBE8) {
        uct_arm(
            &t,
            UC_MODE_BIG_ENDIAN | invariant, BYTES("\xe3\xa0\x0a\x02\xed\x90\x0b\x00\xed\x90\x1a\x01\xec\x90\x2b\x04\xe2\x80\x00\x10\xec\x80\x0b\x04\xed\x80\x3b\x04\xed\x80\x1a\x06") /* mov r0,#0x2000; vldr d0,[r0]; vldr s2,[r0,#4]; vldm r0,{d2-d3}; add r0,r0,#16; vstm r0,{d0-d1}; vstr d3,[r0,#16]; vstr s2,[r0,#24] */);
        uct_set(&t, UC_ARM_REG_FPEXC, 0x40000000);
        uct_set(&t, UC_ARM_REG_C1_C0_2, 0xf00000);
        uct_poke(&t, DATA, 0x0807060504030201, 8);
        uct_poke(&t, DATA + 8, 0x100f0e0d0c0b0a09, 8);
        uct_log(&t, "aw");
        ok(uct_run(&t));
        if (invariant)
            uct_expect(&t, "a2000:8=102030405060708 a2004:4=5060708 a2000:8=102030405060708 "
                           "a2008:8=90a0b0c0d0e0f10 w2010:8=102030405060708 "
                           "w2018:8=506070800000000 w2020:8=90a0b0c0d0e0f10 w2028:4=5060708");
        else
            uct_expect(&t, "a2000:8=102030405060708 a2004:4=5060708 a2000:8=102030405060708 "
                           "a2008:8=90a0b0c0d0e0f10 w2010:8=102030405060708 w2018:8=5060708 "
                           "w2020:8=90a0b0c0d0e0f10 w2028:4=5060708");
        assert_int_equal(uct_get(&t, UC_ARM_REG_D0),
                         invariant ? 0x0506070801020304 : 0x0102030405060708);
        uct_close(&t);
    }
}

/* The order may change between runs, and is part of what code means. */
static void test_between_runs(void **state)
{
    struct uct t;

    (void)state;
    uct_arm(&t, UC_MODE_ARM,
            BYTES("\x00\x10\x90\xe5\x04\x10\x80\xe5") /* ldr r1,[r0]; str r1,[r0,#4] */);
    uct_set(&t, UC_ARM_REG_R0, DATA);
    uct_poke(&t, DATA, 0x04030201, 4);
    for (int i = 0; i < 4; i++) {
        uct_set(&t, UC_ARM_REG_CPSR, i & 1 ? 0x400003d3 : 0x400001d3);
        ok(uct_run(&t));
        assert_int_equal(uct_get(&t, UC_ARM_REG_R1), i & 1 ? 0x01020304 : 0x04030201);
        assert_int_equal(uct_mem(&t, DATA + 4, 4), 0x04030201);
    }
    uct_close(&t);
}

static void test_thumb(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    for (int invariant = 0; invariant <= UC_MODE_ARMBE8; invariant += UC_MODE_ARMBE8) {
        uct_arm(
            &t,
            UC_MODE_THUMB | UC_MODE_BIG_ENDIAN | invariant, BYTES("\x20\x20\x02\x00\x68\x01\x88\x02\xc0\x06") /* movs r0,#0x20; lsls r0,r0,#8; ldr r1,[r0]; ldrh r2,[r0]; stm r0!,{r1,r2} */);
        uct_poke(&t, DATA, 0x04030201, 4);
        ok(uct_run(&t));
        assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 0x01020304);
        assert_int_equal(uct_get(&t, UC_ARM_REG_R2), invariant ? 0x0304 : 0x0102);
        uct_close(&t);
    }
}

/* By MSR, by an exception return. SCTLR.EE counts for exceptions only. */
static void test_guest_sets(void **state)
{
    struct uct t;

    (void)state;
    uct_arm(
        &t,
        UC_MODE_ARM, BYTES("\x21\x0e\xa0\xe3\x00\xf0\x6f\xe1\x00\xe0\x8f\xe2\x0e\xf0\xb0\xe1\x00\xf0\x20\xe3\x02\x0a\xa0\xe3\x00\x10\x90\xe5") /* mov r0,#0x210; msr spsr_cxsf,r0; adr lr,1f; movs pc,lr; 1: nop; mov r0,#0x2000; ldr r1,[r0] */);
    uct_poke(&t, DATA, 0x04030201, 4);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 0x01020304);
    uct_close(&t);
    uct_arm(
        &t, UC_MODE_ARM,
        BYTES("\x02\x0a\xa0\xe3\x00\x10\x0f\xe1\x02\x1c\x81\xe3\x01\xf0\x22\xe1\x00\x10\x90\xe5") /* mov r0,#0x2000; mrs r1,cpsr; orr r1,r1,#0x200; msr cpsr_x,r1; ldr r1,[r0] */);
    uct_poke(&t, DATA, 0x04030201, 4);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 0x01020304);
    uct_close(&t);
    uct_arm(&t, UC_MODE_ARM, LITTLE);
    set_sctlr(&t, sctlr(&t) | 1u << 25);
    uct_poke(&t, DATA, 0x04030201, 4);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 0x04030201);
    uct_close(&t);
    if (DIFFERS("arm-user-e", "MSR does not write it in user mode")) {
        uct_arm(
            &t, UC_MODE_ARM,
            BYTES(
                "\x02\x0a\xa0\xe3\x00\x10\x0f\xe1\x02\x1c\x81\xe3\x01\xf0\x22\xe1\x00\x10\x90\xe5") /* mov r0,#0x2000; mrs r1,cpsr; orr r1,r1,#0x200; msr cpsr_x,r1; ldr r1,[r0] */);
        uct_set(&t, UC_ARM_REG_CPSR, 0x10);
        uct_poke(&t, DATA, 0x04030201, 4);
        ok(uct_run(&t));
        assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 0x01020304);
        uct_close(&t);
    }
}

static uint64_t device_read(uc_engine *uc, uint64_t offset, unsigned size, void *user)
{
    (void)uc;
    uct_add(user, "R%x:%u", (unsigned)offset, size);
    return (0x1122334455667788 + offset) & (size == 4 ? 0xffffffffu : (1u << 8 * size) - 1);
}

static void device_write(uc_engine *uc, uint64_t offset, unsigned size, uint64_t value, void *user)
{
    (void)uc;
    uct_add(user, "W%x:%u=%x", (unsigned)offset, size, (unsigned)value);
}

/* A device gets the bytes as they lie in memory. */
static void test_device(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    for (int invariant = 0; invariant <= UC_MODE_ARMBE8; invariant += UC_MODE_ARMBE8) {
        uct_arm(
            &t,
            UC_MODE_BIG_ENDIAN | invariant, BYTES("\xe3\xa0\x08\x02\xe5\x90\x10\x00\xe1\xd0\x20\xb4\xe5\xd0\x30\x08\xe5\x80\x10\x0c\xe1\xc0\x11\xb0\xe5\xc0\x10\x14\xe1\xc0\x41\xd8") /* mov r0,#0x20000; ldr r1,[r0]; ldrh r2,[r0,#4]; ldrb r3,[r0,#8]; str r1,[r0,#12]; strh r1,[r0,#16]; strb r1,[r0,#20]; ldrd r4,r5,[r0,#24] */);
        ok(uc_mmio_map(t.uc, 0x20000, 0x1000, device_read, &t, device_write, &t));
        ok(uct_run(&t));
        if (invariant)
            uct_expect(&t, "R0:4 R6:2 Rb:1 Wc:4=55667788 W12:2=5566 W17:1=55 R18:4 R1c:4");
        else
            uct_expect(&t, "R0:4 R4:2 R8:1 Wc:4=55667788 W10:2=5566 W14:1=55 R18:4 R1c:4");
        assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 0x88776655);
        uct_close(&t);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bits),      cmocka_unit_test(test_word_invariant),
        cmocka_unit_test(test_exclusive), cmocka_unit_test(test_multiple),
        cmocka_unit_test(test_vfp),       cmocka_unit_test(test_between_runs),
        cmocka_unit_test(test_thumb),     cmocka_unit_test(test_guest_sets),
        cmocka_unit_test(test_device),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
