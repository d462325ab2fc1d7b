/* Coprocessor 14 of ARM: debug registers, ThumbEE, Jazelle. */
#include "uc_test.h"

#define MRC        0xee100e10u /* p14, to r0 */
#define MCR        0xee000e10u
#define PRIVILEGED 0x400001d3
#define USER       0x10

static uint32_t encoding(unsigned opc1, unsigned crn, unsigned crm, unsigned opc2)
{
    return opc1 << 21 | crn << 16 | opc2 << 5 | crm;
}

static void begin(struct uct *t, int model)
{
    memset(t, 0, sizeof *t);
    t->arch = UC_ARCH_ARM;
    ok(uc_open(UC_ARCH_ARM, UC_MODE_ARM, &t->uc));
    ok(uc_ctl_set_cpu_model(t->uc, model));
    ok(uc_mem_map(t->uc, CODE, 0x1000, UC_PROT_ALL));
}

static uc_err execute(struct uct *t, uint32_t instruction)
{
    uct_poke(t, CODE, instruction, 4);
    return uc_emu_start(t->uc, CODE, CODE + 4, 0, 0);
}

static uint64_t get(struct uct *t, uint32_t which)
{
    uct_set(t, UC_ARM_REG_R0, 0xdead);
    ok(execute(t, MRC | which));
    return uct_get(t, UC_ARM_REG_R0);
}

static void set(struct uct *t, uint32_t which, uint32_t v)
{
    uct_set(t, UC_ARM_REG_R0, v);
    ok(execute(t, MCR | which));
}

/* How many registers there are to read and to write. */
static void test_which(void **state)
{
    static const struct {
        int model;
        uint32_t id;
        unsigned reads, writes, user_reads, user_writes;
    } rows[] = {
        {UC_CPU_ARM_CORTEX_A15, 0x3515f021, 34, 29, 4, 1},
        {UC_CPU_ARM_CORTEX_A7, 0x3515f005, 34, 29, 4, 1},
        {UC_CPU_ARM_CORTEX_A9, 0x35141000, 34, 29, 4, 1},
        {UC_CPU_ARM_CORTEX_A8, 0x15141000, 30, 25, 4, 1},
        {UC_CPU_ARM_CORTEX_R5, 0, 16, 11, 3, 0},
        {UC_CPU_ARM_1176, 0, 4, 2, 1, 0},
        {UC_CPU_ARM_926, 0, 4, 2, 1, 0},
        {UC_CPU_ARM_946, 0, 1, 0, 1, 0},
        {UC_CPU_ARM_SA1100, 0, 1, 0, 1, 0},
        {UC_CPU_ARM_PXA270, 0, 1, 0, 1, 0},
    };
    struct uct t;

    (void)state;
    NEEDS_2_1();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsigned reads[2] = {0}, writes[2] = {0};

        begin(&t, rows[i].model);
        assert_int_equal(get(&t, 0), rows[i].id);
        for (uint32_t n = 0; n < 8 * 4 * 8 * 8; n++) {
            uint32_t which = encoding(n & 7, n >> 3 & 3, n >> 5 & 7, n >> 8);

            for (unsigned user = 0; user < 2; user++) {
                uct_set(&t, UC_ARM_REG_CPSR, user ? USER : PRIVILEGED);
                reads[user] += execute(&t, MRC | which) == UC_ERR_OK;
                uct_set(&t, UC_ARM_REG_R0, 0);
                writes[user] += execute(&t, MCR | which) == UC_ERR_OK;
            }
        }
        assert_int_equal(reads[0], rows[i].reads);
        assert_int_equal(writes[0], rows[i].writes);
        assert_int_equal(reads[1], rows[i].user_reads);
        assert_int_equal(writes[1], rows[i].user_writes);
        uct_close(&t);
    }
}

static void test_debug(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    begin(&t, UC_CPU_ARM_CORTEX_A15);
    for (unsigned n = 0; n < 6; n++)
        for (unsigned kind = 4; kind < (n < 4 ? 8 : 6); kind++)
            set(&t, encoding(0, 0, n, kind), 0xfffff000 + 16 * n + kind);
    for (unsigned n = 0; n < 6; n++) {
        for (unsigned kind = 4; kind < (n < 4 ? 8 : 6); kind++) {
            uint32_t want = 0xfffff000 + 16 * n + kind;

            if (kind == 5) /* a breakpoint is for halfwords */
                want = (want & ~0x140u) | (want << 1 & 0x140);
            if (kind == 6) /* a watchpoint's address is a word's */
                want &= ~3u;
            assert_int_equal(get(&t, encoding(0, 0, n, kind)), want);
        }
    }
    set(&t, encoding(0, 0, 2, 2), 0x12345678); /* DBGDSCRext */
    assert_int_equal(get(&t, encoding(0, 0, 1, 0)), 0x12345678);
    /* Some leave the register as it is. */
    assert_int_equal(get(&t, encoding(0, 0, 2, 0)), 0xdead);
    assert_int_equal(get(&t, encoding(0, 0, 7, 0)), 0xdead);
    /* The OS lock. */
    assert_int_equal(get(&t, encoding(0, 1, 1, 4)), 10);
    set(&t, encoding(0, 1, 0, 4), 0);
    assert_int_equal(get(&t, encoding(0, 1, 1, 4)), 8);
    set(&t, encoding(0, 1, 0, 4), 0xc5acce55);
    assert_int_equal(get(&t, encoding(0, 1, 1, 4)), 10);
    /* mrrc p14,0,r0,r1,c1 */
    uct_set(&t, UC_ARM_REG_R1, 1);
    ok(execute(&t, 0xec510e01));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 0);
    uct_close(&t);
}

static void test_thumbee(void **state)
{
    const uint32_t teecr = encoding(6, 0, 0, 0), teehbr = encoding(6, 1, 0, 0);
    struct uct t;

    (void)state;
    NEEDS_2_1();
    begin(&t, UC_CPU_ARM_CORTEX_A8);
    set(&t, teecr, 0xfffffffe);
    assert_int_equal(get(&t, teecr), 0);
    uct_set(&t, UC_ARM_REG_CPSR, USER);
    set(&t, teehbr, 0x1234);
    assert_int_equal(get(&t, teehbr), 0x1234);
    uct_set(&t, UC_ARM_REG_CPSR, PRIVILEGED);
    set(&t, teecr, 1);
    assert_int_equal(get(&t, teehbr), 0x1234);
    uct_set(&t, UC_ARM_REG_CPSR, USER);
    fails(execute(&t, MRC | teehbr), UC_ERR_INSN_INVALID);
    fails(execute(&t, MCR | teehbr), UC_ERR_INSN_INVALID);
    uct_close(&t);
}

static void test_from_outside(void **state)
{
    uc_arm_cp_reg r = {.cp = 14, .crm = 2, .opc2 = 4, .val = 0x77};
    struct uct t;

    (void)state;
    NEEDS_2_1();
    begin(&t, UC_CPU_ARM_CORTEX_A15);
    ok(uc_reg_write(t.uc, UC_ARM_REG_CP_REG, &r));
    r.val = 0;
    ok(uc_reg_read(t.uc, UC_ARM_REG_CP_REG, &r));
    assert_int_equal(r.val, 0x77);
    assert_int_equal(get(&t, encoding(0, 0, 2, 4)), 0x77);
    /* What is no register gives no value. */
    for (unsigned cp = 7; cp <= 14; cp += 7) {
        r = (uc_arm_cp_reg){.cp = cp, .crn = 3, .crm = 3, .opc1 = 3, .opc2 = 3, .val = 0xdead};
        ok(uc_reg_write(t.uc, UC_ARM_REG_CP_REG, &r));
        ok(uc_reg_read(t.uc, UC_ARM_REG_CP_REG, &r));
        assert_int_equal(r.val, 0xdead);
    }
    uct_close(&t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_which),
        cmocka_unit_test(test_debug),
        cmocka_unit_test(test_thumbee),
        cmocka_unit_test(test_from_outside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
