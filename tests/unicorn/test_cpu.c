/* CPU models: which there are, when they are chosen, what they say that they are. */
#include "uc_test.h"

static const struct {
    int model;
    uint32_t vendor, signature; /* EBX of CPUID leaf 0, EAX of leaf 1 */
} x86_models[] = {
    {UC_CPU_X86_QEMU64, 0x68747541, 0x663},
    {UC_CPU_X86_PHENOM, 0x68747541, 0x100f23},
    {UC_CPU_X86_CORE2DUO, 0x756e6547, 0x6fb},
    {UC_CPU_X86_KVM64, 0x756e6547, 0xf61},
    {UC_CPU_X86_QEMU32, 0x756e6547, 0x663},
    {UC_CPU_X86_KVM32, 0x756e6547, 0xf61},
    {UC_CPU_X86_COREDUO, 0x756e6547, 0x6e8},
    {UC_CPU_X86_486, 0x756e6547, 0x480},
    {UC_CPU_X86_PENTIUM, 0x756e6547, 0x543},
    {UC_CPU_X86_PENTIUM2, 0x756e6547, 0x652},
    {UC_CPU_X86_PENTIUM3, 0x756e6547, 0x673},
    {UC_CPU_X86_ATHLON, 0x68747541, 0x623},
    {UC_CPU_X86_N270, 0x756e6547, 0x106c2},
    {UC_CPU_X86_CONROE, 0x756e6547, 0x6f3},
    {UC_CPU_X86_PENRYN, 0x756e6547, 0x10673},
    {UC_CPU_X86_NEHALEM, 0x756e6547, 0x106a3},
    {UC_CPU_X86_WESTMERE, 0x756e6547, 0x206c1},
    {UC_CPU_X86_SANDYBRIDGE, 0x756e6547, 0x206a1},
    {UC_CPU_X86_IVYBRIDGE, 0x756e6547, 0x306a9},
    {UC_CPU_X86_HASWELL, 0x756e6547, 0x306c4},
    {UC_CPU_X86_BROADWELL, 0x756e6547, 0x306d2},
    {UC_CPU_X86_SKYLAKE_CLIENT, 0x756e6547, 0x506e3},
    {UC_CPU_X86_SKYLAKE_SERVER, 0x756e6547, 0x50654},
    {UC_CPU_X86_CASCADELAKE_SERVER, 0x756e6547, 0x50656},
    {UC_CPU_X86_COOPERLAKE, 0x756e6547, 0x5065a},
    {UC_CPU_X86_ICELAKE_CLIENT, 0x756e6547, 0x706e0},
    {UC_CPU_X86_ICELAKE_SERVER, 0x756e6547, 0x80660},
    {UC_CPU_X86_DENVERTON, 0x756e6547, 0x506f1},
    {UC_CPU_X86_SNOWRIDGE, 0x756e6547, 0x80661},
    {UC_CPU_X86_KNIGHTSMILL, 0x756e6547, 0x80650},
    {UC_CPU_X86_OPTERON_G1, 0x68747541, 0xf61},
    {UC_CPU_X86_OPTERON_G2, 0x68747541, 0xf61},
    {UC_CPU_X86_OPTERON_G3, 0x68747541, 0x100f23},
    {UC_CPU_X86_OPTERON_G4, 0x68747541, 0x600f12},
    {UC_CPU_X86_OPTERON_G5, 0x68747541, 0x600f20},
    {UC_CPU_X86_EPYC, 0x68747541, 0x800f12},
    {UC_CPU_X86_DHYANA, 0x6f677948, 0x900f01},
    {UC_CPU_X86_EPYC_ROME, 0x68747541, 0x830f10},
};

static void test_x86(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof x86_models / sizeof x86_models[0]; i++) {
        struct uct t = {.arch = UC_ARCH_X86, .mode = UC_MODE_64, .begin = CODE};
        int v = -1;

        assert_int_equal(x86_models[i].model, i);
        ok(uc_open(UC_ARCH_X86, UC_MODE_64, &t.uc));
        ok(uc_ctl_set_cpu_model(t.uc, x86_models[i].model));
        ok(uc_ctl_get_cpu_model(t.uc, &v));
        assert_int_equal(v, x86_models[i].model);
        ok(uc_mem_map(t.uc, CODE, 0x1000, 7));
        uct_code(&t, CODE, BYTES("\x31\xc0\x0f\xa2\x89\xde\xb8\x01\x00\x00\x00\x0f\xa2") /* xor eax,eax; cpuid; mov esi,ebx; mov eax,1; cpuid */);
        ok(uct_run(&t));
        assert_int_equal(uct_get(&t, UC_X86_REG_RSI), x86_models[i].vendor);
        assert_int_equal(uct_get(&t, UC_X86_REG_RAX), x86_models[i].signature);
        uct_close(&t);
    }
    assert_int_equal(sizeof x86_models / sizeof x86_models[0], UC_CPU_X86_ENDING);
}

static const struct {
    int model;
    uint32_t midr, fpsid; /* 0: not known */
} arm_models[] = {
    {UC_CPU_ARM_926, 0x41069265, 0x41011090},
    {UC_CPU_ARM_946, 0x41059461, 0x0},
    {UC_CPU_ARM_1026, 0x4106a262, 0x410110a0},
    {UC_CPU_ARM_1136_R2, 0x4107b362, 0x410120b4},
    {UC_CPU_ARM_1136, 0x4117b363, 0x410120b4},
    {UC_CPU_ARM_1176, 0x410fb767, 0x410120b5},
    {UC_CPU_ARM_11MPCORE, 0x410fb022, 0x410120b4},
    {UC_CPU_ARM_CORTEX_R5, 0x411fc153, 0x0},
    {UC_CPU_ARM_CORTEX_R5F, 0x411fc153, 0x0},
    {UC_CPU_ARM_CORTEX_A7, 0x410fc075, 0x41023075},
    {UC_CPU_ARM_CORTEX_A8, 0x410fc080, 0x410330c0},
    {UC_CPU_ARM_CORTEX_A9, 0x410fc090, 0x41033090},
    {UC_CPU_ARM_CORTEX_A15, 0x412fc0f1, 0x410430f0},
    {UC_CPU_ARM_TI925T, 0x54029252, 0x0},
    {UC_CPU_ARM_SA1100, 0x4401a11b, 0x0},
    {UC_CPU_ARM_SA1110, 0x6901b119, 0x0},
    {UC_CPU_ARM_PXA250, 0x69052100, 0x0},
    {UC_CPU_ARM_PXA255, 0x69052d00, 0x0},
    {UC_CPU_ARM_PXA260, 0x69052903, 0x0},
    {UC_CPU_ARM_PXA261, 0x69052d05, 0x0},
    {UC_CPU_ARM_PXA262, 0x69052d06, 0x0},
    {UC_CPU_ARM_PXA270, 0x69054110, 0x0},
    {UC_CPU_ARM_PXA270A0, 0x69054110, 0x0},
    {UC_CPU_ARM_PXA270A1, 0x69054111, 0x0},
    {UC_CPU_ARM_PXA270B0, 0x69054112, 0x0},
    {UC_CPU_ARM_PXA270B1, 0x69054113, 0x0},
    {UC_CPU_ARM_PXA270C0, 0x69054114, 0x0},
    {UC_CPU_ARM_PXA270C5, 0x69054117, 0x0},
};

static void test_arm(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof arm_models / sizeof arm_models[0]; i++) {
        struct uct t = {.arch = UC_ARCH_ARM, .begin = CODE};
        int v = -1;

        ok(uc_open(UC_ARCH_ARM, UC_MODE_ARM, &t.uc));
        ok(uc_ctl_set_cpu_model(t.uc, arm_models[i].model));
        ok(uc_ctl_get_cpu_model(t.uc, &v));
        assert_int_equal(v, arm_models[i].model);
        ok(uc_mem_map(t.uc, CODE, 0x1000, 7));
        uct_code(&t, CODE, BYTES("\x10\x0f\x10\xee") /* mrc p15,0,r0,c0,c0,0 */);
        ok(uct_run(&t));
        assert_int_equal(uct_get(&t, UC_ARM_REG_R0), arm_models[i].midr);
        if (SINCE_2_1 && arm_models[i].fpsid)
            assert_int_equal(uct_get(&t, UC_ARM_REG_FPSID), arm_models[i].fpsid);
        uct_close(&t);
    }
}

/* Those of M profile run Thumb only. */
static void test_arm_m(void **state)
{
    static const int models[] = {
        UC_CPU_ARM_CORTEX_M0, UC_CPU_ARM_CORTEX_M3,  UC_CPU_ARM_CORTEX_M4,
        UC_CPU_ARM_CORTEX_M7, UC_CPU_ARM_CORTEX_M33,
    };

    (void)state;
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        struct uct t = {.arch = UC_ARCH_ARM, .begin = CODE | 1};

        ok(uc_open(UC_ARCH_ARM, UC_MODE_THUMB, &t.uc));
        ok(uc_ctl_set_cpu_model(t.uc, models[i]));
        ok(uc_mem_map(t.uc, CODE, 0x1000, 7));
        uct_code(&t, CODE, BYTES("\x05\x20\x01\x30") /* movs r0,#5; adds r0,#1 */);
        ok(uct_run(&t));
        assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 6);
        uct_set(&t, UC_ARM_REG_PSP, 0x1230);
        uct_set(&t, UC_ARM_REG_CONTROL, 2);
        if (SINCE_2_1)
            assert_int_equal(uct_get(&t, UC_ARM_REG_SP), 0x1230);
        uct_close(&t);
    }
}

/* Makes the engine begin its life, after which some things cannot be chosen any more. */
static void begin(uc_engine *uc)
{
    ok(uc_mem_map(uc, 0x100000, 0x1000, 7));
}

static void test_first(void **state)
{
    static const struct {
        uc_arch arch;
        int mode, model;
    } rows[] = {
        {UC_ARCH_X86, UC_MODE_64, UC_CPU_X86_HASWELL},
        {UC_ARCH_X86, UC_MODE_32, UC_CPU_X86_HASWELL},
        {UC_ARCH_X86, UC_MODE_16, UC_CPU_X86_HASWELL},
        {UC_ARCH_ARM, UC_MODE_ARM, UC_CPU_ARM_CORTEX_A15},
        {UC_ARCH_ARM, UC_MODE_BIG_ENDIAN, UC_CPU_ARM_1176},
        {UC_ARCH_ARM, UC_MODE_MCLASS, UC_CPU_ARM_CORTEX_M33},
        {UC_ARCH_ARM, UC_MODE_ARM926, UC_CPU_ARM_926},
        {UC_ARCH_ARM, UC_MODE_ARM946, UC_CPU_ARM_946},
        {UC_ARCH_ARM, UC_MODE_ARM1176, UC_CPU_ARM_1176},
        {UC_ARCH_ARM, UC_MODE_ARMBE8, UC_CPU_ARM_CORTEX_A15},
    };

    (void)state;
    NEEDS_2_1();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uc_engine *uc;
        int v = -1;

        ok(uc_open(rows[i].arch, (uc_mode)rows[i].mode, &uc));
        ok(uc_ctl_get_cpu_model(uc, &v));
        assert_int_equal(v, rows[i].model);
        begin(uc);
        ok(uc_ctl_get_cpu_model(uc, &v));
        assert_int_equal(v, rows[i].model);
        ok(uc_close(uc));
    }
}

static void test_chosen(void **state)
{
    static const int wrong[] = {-1, 1000, UC_CPU_X86_ENDING};
    size_t v;

    (void)state;
    for (int i = 0; i < 3; i++) {
        uc_engine *uc = i ? uct_open(UC_ARCH_X86, UC_MODE_64) : uct_open(UC_ARCH_ARM, UC_MODE_ARM);

        fails(uc_ctl_set_cpu_model(uc, wrong[i]), UC_ERR_ARG);
        ok(uc_ctl_set_cpu_model(uc, 1));
        ok(uc_ctl_set_cpu_model(uc, 2)); /* again, before anything else */
        ok(uc_close(uc));
    }
    for (int model = UC_CPU_ARM_CORTEX_A7; model <= UC_CPU_ARM_CORTEX_A15; model++) {
        uc_engine *uc = uct_open(UC_ARCH_ARM, UC_MODE_BIG_ENDIAN);
        fails(uc_ctl_set_cpu_model(uc, model), UC_ERR_ARG);
        ok(uc_close(uc));
    }
    {
        uc_engine *uc = uct_open(UC_ARCH_X86, UC_MODE_64);
        ok(uc_query(uc, UC_QUERY_MODE, &v));
        if (SINCE_2_1)
            fails(uc_ctl_set_cpu_model(uc, 0), UC_ERR_ARG);
        ok(uc_close(uc));
    }
    {
        uc_engine *uc = uct_open(UC_ARCH_ARM, UC_MODE_ARM);
        begin(uc);
        fails(uc_ctl_set_cpu_model(uc, UC_CPU_ARM_926), UC_ERR_ARG);
        ok(uc_close(uc));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_x86),   cmocka_unit_test(test_arm),    cmocka_unit_test(test_arm_m),
        cmocka_unit_test(test_first), cmocka_unit_test(test_chosen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
