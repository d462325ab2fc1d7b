/* System registers of ARM: which there are in each CPU model, what they hold and what writes leave.
 */
#include <inttypes.h>
#include "uc_test.h"

#define OF(opc1, crn, crm, opc2) crn, crm, opc1, opc2

struct reg {
    uint32_t crn, crm, opc1, opc2;
};

static uint32_t mrc(const struct reg *r)
{
    return 0xee100f10 | r->crn << 16 | r->opc1 << 21 | r->crm | r->opc2 << 5; /* into r0 */
}

static uint32_t mcr(const struct reg *r)
{
    return mrc(r) ^ 1u << 20;
}

static uc_engine *open_model(int cpu)
{
    uc_engine *uc;

    ok(uc_open(UC_ARCH_ARM, UC_MODE_ARM, &uc));
    ok(uc_ctl_set_cpu_model(uc, cpu));
    ok(uc_mem_map(uc, 0, 0x10000, UC_PROT_ALL));
    return uc;
}

static uint32_t get(uc_engine *uc, int reg)
{
    uint32_t v = 0;

    ok(uc_reg_read(uc, reg, &v));
    return v;
}

static void set(uc_engine *uc, int reg, uint32_t v)
{
    ok(uc_reg_write(uc, reg, &v));
}

static uint64_t cp_get(uc_engine *uc, const struct reg *r, bool wide, bool other)
{
    uc_arm_cp_reg v = {.cp = 15,
                       .is64 = wide,
                       .sec = other,
                       .crn = r->crn,
                       .crm = r->crm,
                       .opc1 = r->opc1,
                       .opc2 = r->opc2};

    ok(uc_reg_read(uc, UC_ARM_REG_CP_REG, &v));
    return v.val;
}

static void cp_set(uc_engine *uc, const struct reg *r, bool wide, bool other, uint64_t value)
{
    uc_arm_cp_reg v = {.cp = 15,
                       .is64 = wide,
                       .sec = other,
                       .crn = r->crn,
                       .crm = r->crm,
                       .opc1 = r->opc1,
                       .opc2 = r->opc2,
                       .val = value};

    ok(uc_reg_write(uc, UC_ARM_REG_CP_REG, &v));
}

static uc_err run(uc_engine *uc, uint32_t insn, uint32_t r0)
{
    ok(uc_mem_write(uc, CODE, &insn, 4));
    ok(uc_ctl_remove_cache(uc, CODE, CODE + 4));
    set(uc, UC_ARM_REG_R0, r0);
    return uc_emu_start(uc, CODE, CODE + 4, 0, 1);
}

/* ---- all encodings with OPC1 0 and 1 ---- */

struct model {
    int cpu;
    uint64_t hash; /* of what there is, Unicorn's */
};

/* Those whose value is the time, and those that end this. */
static bool left_out(const struct reg *r, bool write)
{
    if (r->crn == 14 && (r->crm == 2 || r->crm == 3))
        return true;
    return write && ((r->crn == 1 && !r->crm && !r->opc2) || (r->crn == 13 && !r->crm && !r->opc2));
}

static void mix(uint64_t *hash, uint64_t v)
{
    for (int n = 0; n < 8; n++)
        *hash = (*hash ^ (v >> 8 * n & 0xff)) * 0x100000001b3u;
}

static void all(uc_engine *uc, bool write, bool user, uint64_t *hash)
{
    struct reg r;

    set(uc, UC_ARM_REG_CPSR, user ? 0x1d0 : 0x1d3);
    for (uint32_t n = 0; n < 16 * 16 * 16; n++) {
        r = (struct reg){n >> 8, n >> 4 & 15, n >> 3 & 1, n & 7};
        if (left_out(&r, write))
            continue;
        uc_err error = run(uc, write ? mcr(&r) : mrc(&r), write ? 0 : 0xdead);
        if (error)
            assert_int_equal(error, UC_ERR_INSN_INVALID);
        else
            mix(hash, (uint64_t)n << 32 | (write ? 0 : get(uc, UC_ARM_REG_R0)));
    }
}

static void test_all(void **state)
{
    const struct model *m = *state;
    uint64_t hash = 0xcbf29ce484222325u;
    uc_engine *uc;

    NEEDS_2_1();
    uc = open_model(m->cpu);
    all(uc, false, true, &hash);
    all(uc, false, false, &hash);
    all(uc, true, true, &hash);
    all(uc, true, false, &hash);
    ok(uc_close(uc));
    if (hash != m->hash)
        fail_msg("model %d: hash 0x%016" PRIx64, m->cpu, hash);
}

/* ---- single ones, as a Cortex-A15 has them ---- */

static void test_banks(void **state)
{
    static const struct reg banked[] = {
        {OF(0, 1, 0, 0)},  {OF(0, 2, 0, 0)},  {OF(0, 2, 0, 1)},  {OF(0, 3, 0, 0)},
        {OF(0, 5, 0, 0)},  {OF(0, 5, 0, 1)},  {OF(0, 6, 0, 0)},  {OF(0, 6, 0, 2)},
        {OF(0, 7, 4, 0)},  {OF(0, 10, 2, 0)}, {OF(0, 10, 2, 1)}, {OF(0, 12, 0, 0)},
        {OF(0, 13, 0, 1)}, {OF(0, 13, 0, 2)}, {OF(0, 13, 0, 3)}, {OF(0, 13, 0, 4)},
    };
    uc_engine *uc;

    (void)state;
    NEEDS_2_1();
    uc = open_model(UC_CPU_ARM_CORTEX_A15);
    for (size_t k = 0; k < sizeof banked / sizeof banked[0]; k++) {
        const struct reg *r = &banked[k];
        uint64_t first = cp_get(uc, r, false, false);

        cp_set(uc, r, false, true, 0x12345600);
        assert_int_equal(cp_get(uc, r, false, true), 0x12345600);
        assert_int_equal(cp_get(uc, r, false, false), first);
        cp_set(uc, r, false, false, 0x00c55700);
        assert_int_equal(cp_get(uc, r, false, true), 0x12345600);
        ok(run(uc, mrc(r), 0)); /* the guest sees the first */
        assert_int_equal(get(uc, UC_ARM_REG_R0), 0x00c55700);
    }
    ok(uc_close(uc));
}

static void test_masks(void **state)
{
    static const struct {
        struct reg reg;
        uint32_t ones; /* what is left of all ones that MCR writes */
        uint32_t raw;  /* … and of 0x5a5a5a5a that a debugger writes then */
    } rows[] = {
        {{OF(2, 0, 0, 0)}, 0xf, 0xa}, /* CSSELR */
        {{OF(0, 1, 0, 1)}, 0, 0},     /* ACTLR */
        {{OF(0, 5, 1, 0)}, 0, 0},     /* ADFSR */
        {{OF(0, 6, 0, 1)}, 0, 0},
        {{OF(0, 7, 4, 0)}, 0xffffffff, 0x5a5a5a5a}, /* PAR */
        {{OF(0, 9, 12, 1)}, 0x8000000f, 0x5a5a5a5a},
        {{OF(0, 9, 13, 1)}, 0xfe00ffff, 0x5a005a5a},
        {{OF(0, 9, 14, 0)}, 1, 0x5a5a5a5a},
        {{OF(0, 9, 12, 0)}, 0x41002079, 0x5a5a5a5a}, /* PMCR */
        {{OF(1, 9, 0, 2)}, 0x00800000, 0x00800000},  /* L2CTLR */
        {{OF(0, 12, 0, 0)}, 0xffffffe0, 0x5a5a5a40}, /* VBAR */
        {{OF(0, 14, 1, 0)}, 0xffffffff, 0x5a5a5a5a}, /* CNTKCTL */
        {{OF(0, 14, 12, 3)}, 0xfe00ffff, 0x5a005a5a},
        {{OF(0, 14, 15, 7)}, 0xf8000000, 0x58000000},
        {{OF(0, 9, 12, 5)}, 0x1f, 0x5a5a5a5a},
    };
    uc_engine *uc;

    (void)state;
    NEEDS_2_1();
    uc = open_model(UC_CPU_ARM_CORTEX_A15);
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        ok(run(uc, mcr(&rows[k].reg), 0xffffffff));
        assert_int_equal(cp_get(uc, &rows[k].reg, false, false), rows[k].ones);
        cp_set(uc, &rows[k].reg, false, false, 0x5a5a5a5a);
        assert_int_equal(cp_get(uc, &rows[k].reg, false, false), rows[k].raw);
    }
    ok(uc_close(uc));
}

/* TTBCR has other bits with long descriptors; older CPUs have fewer. */
static void test_ttbcr(void **state)
{
    static const struct {
        int cpu;
        uint32_t written, left;
    } rows[] = {
        {UC_CPU_ARM_CORTEX_A15, 0xffffffff, 0xffc73f87},
        {UC_CPU_ARM_CORTEX_A15, 0x7fffffff, 0x37},
        {UC_CPU_ARM_CORTEX_A9, 0xffffffff, 0x37},
        {UC_CPU_ARM_1136, 0xffffffff, 7},
        {UC_CPU_ARM_926, 0xffffffff, 7},
    };

    (void)state;
    NEEDS_2_1();
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        const struct reg ttbcr = {OF(0, 2, 0, 2)};
        uc_engine *uc = open_model(rows[k].cpu);

        ok(run(uc, mcr(&ttbcr), rows[k].written));
        assert_int_equal(cp_get(uc, &ttbcr, false, false), rows[k].left);
        ok(uc_close(uc));
    }
}

static void test_wide(void **state)
{
    static const struct reg ttbr0 = {OF(0, 0, 2, 0)}, ttbr1 = {OF(1, 0, 2, 0)},
                            par = {OF(0, 0, 7, 0)}, word = {OF(0, 2, 0, 0)};
    uc_engine *uc;

    (void)state;
    NEEDS_2_1();
    uc = open_model(UC_CPU_ARM_CORTEX_A15);
    cp_set(uc, &ttbr0, true, false, 0x1122334455667788);
    cp_set(uc, &ttbr1, true, true, 0x99);
    cp_set(uc, &par, true, false, 0x8877665544332211);
    assert_int_equal(cp_get(uc, &ttbr0, true, false), 0x1122334455667788);
    assert_int_equal(cp_get(uc, &ttbr0, true, true), 0);
    assert_int_equal(cp_get(uc, &ttbr1, true, false), 0);
    assert_int_equal(cp_get(uc, &ttbr1, true, true), 0x99);
    /* MCR writes the lower half of it. */
    assert_int_equal(cp_get(uc, &word, false, false), 0x55667788);
    ok(run(uc, mcr(&word), 0xaaaaaaaa));
    assert_int_equal(cp_get(uc, &ttbr0, true, false), 0x11223344aaaaaaaa);
    set(uc, UC_ARM_REG_R1, 0x22);
    ok(run(uc, 0xec410f02 /* mcrr p15,0,r0,r1,c2 */, 0x11));
    assert_int_equal(cp_get(uc, &ttbr0, true, false), 0x2200000011);
    ok(run(uc, 0xec510f07 /* mrrc p15,0,r0,r1,c7 */, 0));
    assert_int_equal(get(uc, UC_ARM_REG_R0), 0x44332211);
    assert_int_equal(get(uc, UC_ARM_REG_R1), 0x88776655);
    fails(run(uc, 0xec510f12 ^ 0x20 /* mrrc p15,3,r0,r1,c2 */, 0), UC_ERR_INSN_INVALID);
    set(uc, UC_ARM_REG_CPSR, 0x1d0);
    fails(run(uc, 0xec410f02, 0), UC_ERR_INSN_INVALID);
    ok(uc_close(uc));
}

static void test_wide_old(void **state)
{
    uc_engine *uc;

    (void)state;
    NEEDS_2_1();
    uc = open_model(UC_CPU_ARM_1136);
    set(uc, UC_ARM_REG_CPSR, 0x1d0);
    ok(run(uc, 0xec410f0c /* mcrr p15,0,r0,r1,c12 */, 0));
    fails(run(uc, 0xec410f05 /* mcrr p15,0,r0,r1,c5 */, 0), UC_ERR_INSN_INVALID);
    set(uc, UC_ARM_REG_CPSR, 0x1d3);
    ok(run(uc, 0xec410f05, 0));
    fails(run(uc, 0xec510f05 /* mrrc p15,0,r0,r1,c5 */, 0), UC_ERR_INSN_INVALID);
    fails(run(uc, 0xec410f02 /* mcrr p15,0,r0,r1,c2 */, 0), UC_ERR_INSN_INVALID);
    ok(uc_close(uc));
}

static void test_timer(void **state)
{
    static const struct reg count = {OF(0, 0, 14, 0)}, frequency = {OF(0, 14, 0, 0)},
                            control = {OF(0, 14, 1, 0)}, compare = {OF(2, 0, 14, 0)},
                            timer = {OF(0, 14, 2, 1)};
    uint64_t before;
    uc_engine *uc;

    (void)state;
    NEEDS_2_1();
    uc = open_model(UC_CPU_ARM_CORTEX_A15);
    assert_int_equal(cp_get(uc, &frequency, false, false), 62500000);
    before = cp_get(uc, &count, true, false);
    assert_true(cp_get(uc, &count, true, false) > before);
    ok(run(uc, 0xec510f1e /* mrrc p15,1,r0,r1,c14 */, 0));
    assert_true((get(uc, UC_ARM_REG_R0) | (uint64_t)get(uc, UC_ARM_REG_R1) << 32) > before);
    /* The compare value is the counter and what TVAL is given. */
    ok(run(uc, 0xee0e0f12 /* mcr p15,0,r0,c14,c2,0 */, 0x40000000));
    assert_in_range(cp_get(uc, &compare, true, false) - before, 0x40000000, 0x70000000);
    ok(run(uc, 0xee1e0f12 /* mrc p15,0,r0,c14,c2,0 */, 0));
    assert_in_range(get(uc, UC_ARM_REG_R0), 0x10000000, 0x40000000);
    /* User mode may read the counter if CNTKCTL says so. */
    set(uc, UC_ARM_REG_CPSR, 0x1d0);
    fails(run(uc, 0xec510f0e /* mrrc p15,0,r0,r1,c14 */, 0), UC_ERR_INSN_INVALID);
    cp_set(uc, &control, false, false, 1);
    ok(run(uc, 0xec510f0e, 0));
    if (DIFFERS("arm-timer", "the compare value and the control register can be written")) {
        set(uc, UC_ARM_REG_CPSR, 0x1d3);
        set(uc, UC_ARM_REG_R1, 1);
        ok(run(uc, 0xec410f2e /* mcrr p15,2,r0,r1,c14 */, 2));
        assert_int_equal(cp_get(uc, &compare, true, false), 0x100000002);
        ok(run(uc, 0xee0e0f32 /* mcr p15,0,r0,c14,c2,1 */, 3));
        assert_int_equal(cp_get(uc, &timer, false, false), 7); /* it is past */
    }
    ok(uc_close(uc));
}

static void test_caches(void **state)
{
    static const struct reg select = {OF(2, 0, 0, 0)}, size = {OF(1, 0, 0, 0)};
    static const uint32_t sizes[] = {0x701fe00a, 0x201fe00a, 0x711fe07a, 0};
    uc_engine *uc;

    (void)state;
    NEEDS_2_1();
    uc = open_model(UC_CPU_ARM_CORTEX_A15);
    for (uint32_t n = 0; n < 4; n++) {
        ok(run(uc, mcr(&select), n));
        ok(run(uc, mrc(&size), 0));
        assert_int_equal(get(uc, UC_ARM_REG_R0), sizes[n]);
    }
    ok(uc_close(uc));
}

/* What only debuggers see, and what is no register to them. */
static void test_debugger(void **state)
{
    static const struct reg scr = {OF(0, 1, 1, 0)}, vpidr = {OF(4, 0, 0, 0)},
                            nsacr = {OF(0, 1, 1, 2)};
    static const struct reg flush = {OF(0, 8, 7, 0)};
    uc_engine *uc;

    (void)state;
    NEEDS_2_1();
    uc = open_model(UC_CPU_ARM_CORTEX_A15);
    assert_int_equal(cp_get(uc, &scr, false, false), 1);
    assert_int_equal(cp_get(uc, &vpidr, false, false), 0x412fc0f1);
    fails(run(uc, mrc(&scr), 0), UC_ERR_INSN_INVALID);
    fails(run(uc, mrc(&vpidr), 0), UC_ERR_INSN_INVALID);
    fails(run(uc, mcr(&nsacr), 0), UC_ERR_INSN_INVALID);
    if (DIFFERS("arm-cp-operation", "reading an operation aborts the process there"))
        assert_int_equal(cp_get(uc, &flush, false, false), 0);
    ok(uc_close(uc));
}

static void test_cpacr(void **state)
{
    static const struct reg cpacr = {OF(0, 1, 0, 2)};
    uc_engine *uc;

    (void)state;
    NEEDS_2_1();
    uc = open_model(UC_CPU_ARM_1136);
    ok(run(uc, mcr(&cpacr), 0xffffffff));
    assert_int_equal(cp_get(uc, &cpacr, false, false), 0xc0f00000);
    ok(uc_close(uc));
    uc = open_model(UC_CPU_ARM_CORTEX_A15);
    ok(run(uc, mcr(&cpacr), 0x00f00000));
    if (DIFFERS("arm-cpacr", "the bits of coprocessors 10 and 11 are kept"))
        assert_int_equal(cp_get(uc, &cpacr, false, false), 0x00f00000);
    ok(uc_close(uc));
}

static struct model models[] = {
    {UC_CPU_ARM_926, 0x20655ff7ec7548f6},       {UC_CPU_ARM_946, 0xa9514cc569770822},
    {UC_CPU_ARM_1026, 0x4890ae2442a49dac},      {UC_CPU_ARM_1136_R2, 0x87ac0096b9c3f95e},
    {UC_CPU_ARM_1136, 0xcef98b51c388485b},      {UC_CPU_ARM_1176, 0x6787119747a22b7d},
    {UC_CPU_ARM_11MPCORE, 0xa8385d9d884089d6},  {UC_CPU_ARM_CORTEX_R5F, 0x04b148575b7fdc4b},
    {UC_CPU_ARM_CORTEX_A7, 0xca07958f660df7c1}, {UC_CPU_ARM_CORTEX_A8, 0x506222d03f1dca5d},
    {UC_CPU_ARM_CORTEX_A9, 0xc9cb890e5577bc80}, {UC_CPU_ARM_CORTEX_A15, 0xe5c548b56e5e621e},
    {UC_CPU_ARM_TI925T, 0x28093313b6d8efc4},    {UC_CPU_ARM_SA1110, 0xecb5a281af4badc9},
    {UC_CPU_ARM_PXA270, 0x20a070f0116c3881},
};

#define SINGLE 9

int main(void)
{
    enum { MODELS = sizeof models / sizeof models[0] };
    struct CMUnitTest tests[MODELS + SINGLE] = {
        cmocka_unit_test(test_banks),    cmocka_unit_test(test_masks),
        cmocka_unit_test(test_ttbcr),    cmocka_unit_test(test_wide),
        cmocka_unit_test(test_wide_old), cmocka_unit_test(test_timer),
        cmocka_unit_test(test_caches),   cmocka_unit_test(test_debugger),
        cmocka_unit_test(test_cpacr),
    };

    for (size_t k = 0; k < MODELS; k++)
        tests[SINGLE + k] = (struct CMUnitTest){"test_all", test_all, NULL, NULL, &models[k]};
    return _cmocka_run_group_tests("arm_cp", tests, MODELS + SINGLE, NULL, NULL);
}
