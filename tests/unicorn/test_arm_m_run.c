/* M profile: how runs end, and which instructions the models have. */
#include "uc_test.h"

#define M0  UC_CPU_ARM_CORTEX_M0
#define M3  UC_CPU_ARM_CORTEX_M3
#define M4  UC_CPU_ARM_CORTEX_M4
#define M7  UC_CPU_ARM_CORTEX_M7
#define M33 UC_CPU_ARM_CORTEX_M33

static const int models[] = {M0, M3, M4, M7, M33};

#define NOP "\x00\xbf"

static void check_stacks(struct uct *t, uint32_t sp, uint32_t msp, uint32_t psp)
{
    assert_int_equal(uct_get(t, UC_ARM_REG_SP), sp);
    assert_int_equal(uct_get(t, UC_ARM_REG_MSP), msp);
    assert_int_equal(uct_get(t, UC_ARM_REG_PSP), psp);
}

/* ---- how runs end ---- */

/* What happens with a hook, and that without one the run ends there too. */
static void ends(int model, const uint8_t *code, size_t n, uint32_t r0, unsigned ipsr, uc_err error,
                 uint32_t pc, const char *log)
{
    for (int hooked = 0; hooked <= 1; hooked++) {
        struct uct t;

        uct_arm_m(&t, model, code, n);
        if (hooked)
            uct_log(&t, "iUp");
        uct_set(&t, UC_ARM_REG_R0, r0);
        uct_set(&t, UC_ARM_REG_IPSR, ipsr);
        fails(uct_run(&t), hooked && error == UC_ERR_EXCEPTION ? UC_ERR_OK : error);
        assert_int_equal(uct_pc(&t), pc);
        uct_expect(&t, hooked ? log : "");
        uct_close(&t);
    }
}

static void test_no_arm_state(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    ends(M4, BYTES("\x00\x47" NOP) /* bx r0 */, CODE + 2, 0, UC_ERR_INSN_INVALID, CODE + 2,
         "u@1002");
    ends(M33, BYTES("\x80\x47" NOP) /* blx r0 */, CODE + 2, 0, UC_ERR_INSN_INVALID, CODE + 2,
         "u@1002");
    ends(M0, BYTES("\x01\xb4\x00\xbd") /* push {r0}; pop {pc} */, CODE, 0, UC_ERR_INSN_INVALID,
         CODE, "u@1000");
    /* An even begin is no better. */
    uct_arm_m(&t, M3, BYTES(NOP));
    t.begin = CODE;
    fails(uct_run(&t), UC_ERR_INSN_INVALID);
    assert_int_equal(uct_get(&t, UC_ARM_REG_XPSR), 0x40000000);
    uct_close(&t);
    /* MOV does not look at the lowest bit. */
    uct_arm_m(&t, M3, BYTES("\x87\x46" NOP "\x05\x21") /* mov pc,r0; nop; movs r1,#5 */);
    uct_set(&t, UC_ARM_REG_R0, CODE + 4);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 5);
    uct_close(&t);
}

#define MSR_CONTROL "\x81\xf3\x14\x88" /* msr control,r1: so that Unicorn notices the mode */

static void test_exception_return(void **state)
{
    (void)state;
    NEEDS_2_1();
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        ends(models[i], BYTES(MSR_CONTROL "\x00\x47") /* bx r0 */, 0xfffffff9, 11, UC_ERR_EXCEPTION,
             0xfffffff8, "i8@fffffff8");
        ends(models[i], BYTES(MSR_CONTROL "\x01\xb4\x00\xbd") /* push {r0}; pop {pc} */, 0xffffffbc,
             3, UC_ERR_EXCEPTION, 0xffffffbc, "i8@ffffffbc");
        if (models[i] != M0)
            ends(models[i],
                 BYTES(MSR_CONTROL "\x01\xb4\x5d\xf8\x04\xfb") /* push {r0}; ldr pc,[sp],#4 */,
                 0xffffffe9, 3, UC_ERR_EXCEPTION, 0xffffffe8, "i8@ffffffe8");
    }
    /* Other branches do not return, nor do those of Thread mode: there is no code. */
    ends(M4, BYTES(MSR_CONTROL "\x87\x46") /* mov pc,r0 */, 0xfffffff9, 11, UC_ERR_EXCEPTION,
         0xfffffff8, "i3@fffffff8");
    ends(M4, BYTES(MSR_CONTROL "\x80\x47") /* blx r0 */, 0xfffffff9, 11, UC_ERR_EXCEPTION,
         0xfffffff8, "i3@fffffff8");
    ends(M4, BYTES("\x00\x47") /* bx r0 */, 0xfffffff9, 0, UC_ERR_EXCEPTION, 0xfffffff8,
         "i3@fffffff8");
    ends(M0, BYTES("\x00\x47") /* bx r0 */, 0xfffffff9, 0, UC_ERR_FETCH_UNMAPPED, 0xfffffff8, "");
    /* With the Security Extension a function may return so. */
    ends(M33, BYTES("\x00\x47") /* bx r0 */, 0xfeffffff, 0, UC_ERR_EXCEPTION, 0xfefffffe,
         "i8@fefffffe");
    ends(M33, BYTES("\x00\x47") /* bx r0 */, 0xfffffff9, 0, UC_ERR_EXCEPTION, 0xfffffff8,
         "i8@fffffff8");
    if (DIFFERS("m-handler", "a mode that was written takes effect after the next MSR"))
        ends(M4, BYTES("\x00\x47") /* bx r0 */, 0xfffffff9, 11, UC_ERR_EXCEPTION, 0xfffffff8,
             "i8@fffffff8");
}

static void unstacks(uc_engine *uc, uint32_t number, void *user)
{
    uint32_t sp, frame[8], zero = 0;
    struct uct *t = user;

    uct_add(t, "i%x", number);
    ok(uc_reg_read(uc, UC_ARM_REG_MSP, &sp));
    ok(uc_mem_read(uc, sp, frame, sizeof frame));
    sp += sizeof frame;
    ok(uc_reg_write(uc, UC_ARM_REG_MSP, &sp));
    ok(uc_reg_write(uc, UC_ARM_REG_IPSR, &zero));
    ok(uc_reg_write(uc, UC_ARM_REG_R0, &frame[0]));
    frame[6] |= 1;
    ok(uc_reg_write(uc, UC_ARM_REG_PC, &frame[6]));
}

/* The frame is the program's affair. */
static void test_return_by_hook(void **state)
{
    static const uint32_t frame[8] = {0xa0, 1, 2, 3, 12, 14, CODE + 8, 0x01000000};
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_arm_m(&t, M4, BYTES(MSR_CONTROL "\x70\x47" NOP "\x01\x30") /* bx lr; nop; adds r0,#1 */);
    t.limit = 100;
    ok(uc_mem_write(t.uc, STACK, frame, sizeof frame));
    uct_set(&t, UC_ARM_REG_LR, 0xfffffff9);
    uct_set(&t, UC_ARM_REG_IPSR, 11);
    uct_hook(&t, UC_HOOK_INTR, (void *)unstacks);
    ok(uct_run(&t));
    uct_expect(&t, "i8");
    assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 0xa1);
    check_stacks(&t, STACK + 32, STACK + 32, UCT_PSP);
    assert_int_equal(uct_get(&t, UC_ARM_REG_XPSR) & 0x1ff, 0);
    uct_close(&t);
}

static void test_never_executes(void **state)
{
    static const uint32_t places[] = {0x40000000, 0x5ffff000, 0xa0000000, 0xe0000000};
    struct uct t;

    (void)state;
    NEEDS_2_1();
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        for (int v6 = 0; v6 <= 1; v6++) {
            uct_arm_m(&t, v6 ? M0 : M3, BYTES("\x01\x68\x10\x47") /* ldr r1,[r0]; bx r2 */);
            ok(uc_mem_map(t.uc, places[i], 0x1000, UC_PROT_ALL));
            ok(uc_mem_write(t.uc, places[i], "\x05\x23", 2)); /* movs r3,#5 */
            uct_log(&t, "ip");
            uct_set(&t, UC_ARM_REG_R0, places[i]);
            uct_set(&t, UC_ARM_REG_R2, places[i] + 1);
            ok(uc_emu_start(t.uc, t.begin, places[i] + 2, 0, 0));
            assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 0x2305);
            assert_int_equal(uct_get(&t, UC_ARM_REG_R3), v6 ? 5 : 0);
            assert_int_equal(uct_pc(&t), places[i] + (v6 ? 2 : 0));
            assert_int_equal(t.events, v6 ? 0 : 1);
            uct_close(&t);
        }
    }
    ends(M3, BYTES("\x00\x47"), 0x40000001, 0, UC_ERR_EXCEPTION, 0x40000000, "i3@40000000");
    ends(M3, BYTES("\x00\x47"), 0x20000001, 0, UC_ERR_FETCH_UNMAPPED, 0x20000000, "");
}

/* `until` is met before the memory map is asked. */
static void test_until_nowhere(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    if (!DIFFERS("until-never-executes", "the run ends with an interrupt"))
        return;
    uct_arm_m(&t, M3, BYTES("\x70\x47") /* bx lr */);
    uct_set(&t, UC_ARM_REG_LR, 0xffffffff);
    ok(uc_emu_start(t.uc, t.begin, 0xfffffffe, 0, 0));
    assert_int_equal(uct_pc(&t), 0xfffffffe);
    uct_close(&t);
}

/* Where blocks end, and what hooks of code are told. */
static void test_hooks(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_arm_m(&t, M4, BYTES("\x80\xf3\x10\x88\x80\xf3\x00\x88\x72\xb6\xef\xf3\x10\x80" NOP) /* msr primask,r0; msr apsr_nzcvq,r0; cpsid i; mrs r0,primask; nop */);
    t.limit = 100;
    uct_log(&t, "bc");
    ok(uct_run(&t));
    uct_expect(&t, "b1000:4 c1000:4 b1004:4 c1004:4 b1008:2 c1008:2 b100a:6 c100a:4 c100e:2");
    uct_close(&t);
    uct_arm_m(&t, M4, BYTES("\x00\x47" NOP NOP) /* bx r0; nop; nop */);
    t.limit = 100;
    uct_set(&t, UC_ARM_REG_R0, CODE + 2);
    uct_log(&t, "bcU");
    fails(uct_run(&t), UC_ERR_INSN_INVALID);
    if (DIFFERS("m-state-hook", "CODE is not called there"))
        uct_expect(&t, "b1000:2 c1000:2 b1002:4 c1002:4 u");
    uct_close(&t);
}

static void test_no_coprocessor(void **state)
{
    (void)state;
    NEEDS_2_1();
    ends(M3, BYTES("\x10\xee\x10\x0f") /* mrc p15,0,r0,c0,c0,0 */, 0, 0, UC_ERR_EXCEPTION, CODE,
         "i11@1000");
    ends(M4, BYTES("\x00\xee\x00\x05") /* cdp p5,0,c0,c0,c0,0 */, 0, 0, UC_ERR_EXCEPTION, CODE,
         "i11@1000");
    ends(M3, BYTES("\x30\xee\x80\x0a") /* vadd.f32 s0,s1,s0 */, 0, 0, UC_ERR_EXCEPTION, CODE,
         "i11@1000");
    ends(M0, BYTES("\x10\xee\x10\x0f"), 0, 0, UC_ERR_INSN_INVALID, CODE, "u@1000");
    ends(M33, BYTES("\x30\xee\x80\x0a\x20\xec\x00\x0a") /* vadd.f32 s0,s1,s0; vlstm r0 */, DATA, 0,
         UC_ERR_EXCEPTION, CODE + 4, "i11@1004");
    ends(M4, BYTES("\x30\xee\x00\x0b") /* vadd.f64 d0,d0,d0 */, 0, 0, UC_ERR_INSN_INVALID, CODE,
         "u@1000");
}

/* Floating point is on, and noted in CONTROL. */
static void test_floating_point(void **state)
{
    static const struct {
        int model;
        uint32_t control;
    } rows[] = {{M4, 4}, {M7, 4}, {M33, 12}};

    (void)state;
    NEEDS_2_1();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct uct t;

        uct_arm_m(
            &t, rows[i].model,
            BYTES("\x30\xee\x80\x0a\xef\xf3\x14\x80") /* vadd.f32 s0,s1,s0; mrs r0,control */);
        uct_set(&t, UC_ARM_REG_S0, 0x3f800000);
        uct_set(&t, UC_ARM_REG_S1, 0x40000000);
        ok(uct_run(&t));
        assert_int_equal(uct_get(&t, UC_ARM_REG_S0), 0x40400000);
        assert_int_equal(uct_get(&t, UC_ARM_REG_R0), rows[i].control);
        assert_int_equal(uct_get(&t, UC_ARM_REG_CONTROL), rows[i].control);
        /* A new context begins with the default of FPSCR. */
        uct_set(&t, UC_ARM_REG_FPSCR, 0x03c00000);
        uct_code(&t, CODE,
                 BYTES("\x81\xf3\x14\x88\xf1\xee\x10\x0a") /* msr control,r1; vmrs r0,fpscr */);
        ok(uct_run(&t));
        assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 0);
        uct_set(&t, UC_ARM_REG_FPSCR, 0xffffffff);
        assert_int_equal(uct_get(&t, UC_ARM_REG_FPSCR), 0xf7c0009f);
        uct_close(&t);
    }
}

static void test_fpscr_first(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_arm_m(&t, M4, BYTES("\xf1\xee\x10\x0a") /* vmrs r0,fpscr */);
    uct_set(&t, UC_ARM_REG_FPSCR, 0xa3c00001);
    ok(uct_run(&t));
    if (DIFFERS("m-fpscr", "is overwritten by the default"))
        assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 0xa3c00001);
    uct_close(&t);
}

static void test_alignment(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    ends(M0, BYTES("\x01\x68") /* ldr r1,[r0] */, DATA + 1, 0, UC_ERR_EXCEPTION, CODE, "i4@1000");
    ends(M0, BYTES("\x01\x80") /* strh r1,[r0] */, DATA + 1, 0, UC_ERR_EXCEPTION, CODE, "i4@1000");
    ends(M4, BYTES("\x50\xe8\x00\x1f") /* ldrex r1,[r0] */, DATA + 2, 0, UC_ERR_EXCEPTION, CODE,
         "i4@1000");
    uct_arm_m(&t, M3, BYTES("\x01\x68") /* ldr r1,[r0] */);
    uct_poke(&t, DATA, 0x1122334455667788, 8);
    uct_set(&t, UC_ARM_REG_R0, DATA + 1);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 0x44556677);
    uct_close(&t);
}

/* Neither code nor data is ever big-endian. */
static void test_byte_order(void **state)
{
    static const int orders[] = {UC_MODE_BIG_ENDIAN, UC_MODE_ARMBE8};
    struct uct t;

    (void)state;
    NEEDS_2_1();
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        uct_arm(&t, UC_MODE_THUMB | UC_MODE_MCLASS | orders[i],
                BYTES("\x01\x68\x41\x60") /* ldr r1,[r0]; str r1,[r0,#4] */);
        uct_poke(&t, DATA, 0x11223344, 4);
        uct_set(&t, UC_ARM_REG_R0, DATA);
        ok(uct_run(&t));
        assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 0x11223344);
        assert_int_equal(uct_mem(&t, DATA + 4, 4), 0x11223344);
        uct_close(&t);
    }
}

/* ---- what models have ---- */

struct encoding {
    const char *bytes;
    size_t size;
    const char *models; /* that have it */
};

#define HAS(bytes, models)                                                                         \
    {                                                                                              \
        bytes, sizeof(bytes) - 1, models                                                           \
    }

static void check_encoding(const struct encoding *e)
{
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        bool has = strchr(e->models, "0347C"[i]) != NULL;
        struct uct t;

        uct_arm_m(&t, models[i], (const uint8_t *)e->bytes, e->size);
        uct_set(&t, UC_ARM_REG_R0, DATA);
        uct_set(&t, UC_ARM_REG_LR, CODE + e->size + 1);
        uc_err error = uc_emu_start(t.uc, t.begin, t.end, 0, 1);
        if (has)
            ok(error);
        else /* there may be no coprocessor */
            assert_true(error == UC_ERR_INSN_INVALID || error == UC_ERR_EXCEPTION);
        assert_int_equal(uct_pc(&t), has ? t.end : CODE);
        uct_close(&t);
    }
}

static void test_models(void **state)
{
    static const struct encoding rows[] = {
        HAS("\x00\xb2", "0347C"),         /* sxth r0,r0 */
        HAS("\x40\xbf", "0347C"),         /* sev */
        HAS("\xbf\xf3\x5f\x8f", "0347C"), /* dmb sy */
        HAS("\x00\xf0\x00\xf8", "0347C"), /* bl .+4 */
        HAS("\x40\xf2\x00\x00", "347C"),  /* movw r0,#0 */
        HAS("\x90\xfb\xf1\xf0", "347C"),  /* sdiv r0,r0,r1 */
        HAS("\x50\xe8\x00\x1f", "347C"),  /* ldrex r1,[r0] */
        HAS("\xbf\xf3\x2f\x8f", "347C"),  /* clrex */
        HAS("\xc1\xea\x02\x01", "47C"),   /* pkhbt r1,r1,r2 */
        HAS("\x81\xfa\x82\xf1", "47C"),   /* qadd r1,r2,r1 */
        HAS("\x11\xfb\x02\x11", "47C"),   /* smlabb r1,r1,r2,r1 */
        HAS("\xd0\xe8\xaf\x1f", "C"),     /* lda r1,[r0] */
        HAS("\xd0\xe8\xef\x1f", "C"),     /* ldaex r1,[r0] */
        HAS("\x40\xe8\x00\xf1", "C"),     /* tt r1,r0 */
        HAS("\xff\xf7\x00\x80", ""),      /* smc #0 */
        HAS("\xc0\xf3\x00\x8f", ""),      /* bxj r0 */
        HAS("\xaf\xf3\x12\x81", ""),      /* cps #0x12 */
        HAS("\xaf\xf3\x40\x86", ""),      /* cpsid.w i */
        HAS("\x90\xe9\x00\xc0", ""),      /* rfeia r0 */
        HAS("\xff\xf3\x00\x80", ""),      /* mrs r0,spsr */
        HAS("\x00\xde", ""),              /* udf #0 */
    };
    static const struct encoding a_profile[] = {
        HAS("\x50\xb6", ""),         /* setend le */
        HAS("\x2d\xe9\x13\xc0", ""), /* srsdb sp!,#19 */
        HAS("\xd0\xe8\x7f\x12", ""), /* ldrexd r1,r2,[r0] */
        HAS("\xde\xf3\x00\x8f", ""), /* subs pc,lr,#0 */
        HAS("\x00\xf0\x00\xe8", ""), /* blx .+4 */
    };
    static const struct encoding dsp[] = {
        HAS("\x20\xf3\x00\x00", "47C"), /* ssat16 r0,#1,r0 */
        HAS("\x41\xfa\x82\xf1", "47C"), /* sxtab r1,r1,r2 */
        HAS("\x71\xfb\x02\x11", "47C"), /* usada8 r1,r1,r2,r1 */
    };

    static const struct encoding v8_fp[] = {
        HAS("\x00\xfe\x00\x0a", "7C"), /* vseleq.f32 s0,s0,s0 */
        HAS("\x80\xfe\x00\x0a", "7C"), /* vmaxnm.f32 s0,s0,s0 */
        HAS("\xb8\xfe\x40\x0a", "7C"), /* vrinta.f32 s0,s0 */
        HAS("\xbc\xfe\x40\x0a", "7C"), /* vcvta.u32.f32 s0,s0 */
    };

    (void)state;
    NEEDS_2_1();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_encoding(&rows[i]);
    if (DIFFERS("m-a-profile", "some instructions of A profile are there"))
        for (size_t i = 0; i < sizeof a_profile / sizeof a_profile[0]; i++)
            check_encoding(&a_profile[i]);
    if (DIFFERS("m3-dsp", "Cortex-M3 has some instructions of the DSP extension"))
        for (size_t i = 0; i < sizeof dsp / sizeof dsp[0]; i++)
            check_encoding(&dsp[i]);
    for (size_t i = 0; i < sizeof v8_fp / sizeof v8_fp[0]; i++)
        check_encoding(&v8_fp[i]);
    check_encoding(&(struct encoding)HAS("\x20\xec\x00\x0a", "C") /* vlstm r0 */);
    if (DIFFERS("m0-cbz", "Cortex-M0 has CBZ and IT"))
        check_encoding(&(struct encoding)HAS("\x38\xb1", "347C") /* cbz r0,.+18: not taken */);
}

static void test_stack_alignment(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    if (!DIFFERS("m-sp-low", "the stack pointer has all bits"))
        return;
    uct_arm_m(&t, M4,
              BYTES("\x85\x46\x69\x46\x81\xf3\x09\x88") /* mov sp,r0; mov r1,sp; msr psp,r1 */);
    uct_set(&t, UC_ARM_REG_R0, STACK + 7);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), STACK + 4);
    check_stacks(&t, STACK + 4, STACK + 4, STACK + 4);
    uct_close(&t);
}

/* ---- v8-M ---- */

#define MSR_MSPLIM "\x80\xf3\x0a\x88" /* msr msplim,r0 */

static void test_stack_limits(void **state)
{
    static const struct encoding rows[] = {
        HAS(MSR_MSPLIM "\x02\xb4", ""),         /* push {r1} */
        HAS(MSR_MSPLIM "\x84\xb0", ""),         /* sub sp,#16 */
        HAS(MSR_MSPLIM "\x8d\x46", ""),         /* mov sp,r1 */
        HAS(MSR_MSPLIM "\x4d\xf8\x08\x1d", ""), /* str r1,[sp,#-8]! */
        HAS(MSR_MSPLIM "\x6d\xe9\x02\x12", ""), /* strd r1,r2,[sp,#-8]! */
        HAS(MSR_MSPLIM "\x2d\xed\x02\x0a", ""), /* vpush {s0,s1} */
    };
    struct uct t;

    (void)state;
    NEEDS_2_1();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ends(M33, (const uint8_t *)rows[i].bytes, rows[i].size, STACK, 0, UC_ERR_EXCEPTION,
             CODE + 4, "i13@1004");
        uct_arm_m(&t, M33, (const uint8_t *)rows[i].bytes, rows[i].size);
        uct_poke(&t, STACK - 16, 0x5555555555555555, 8);
        uct_poke(&t, STACK - 8, 0x5555555555555555, 8);
        uct_set(&t, UC_ARM_REG_R0, STACK);
        fails(uct_run(&t), UC_ERR_EXCEPTION);
        assert_int_equal(uct_get(&t, UC_ARM_REG_SP), STACK);
        assert_int_equal(uct_mem(&t, STACK - 8, 8), 0x5555555555555555);
        uct_close(&t);
    }
    /* Just enough; and the limit is of one stack only. */
    uct_arm_m(&t, M33,
              BYTES(MSR_MSPLIM
                    "\x02\xb4\x82\xf3\x14\x88\x02\xb4") /* push {r1}; msr control,r2; push {r1} */);
    uct_set(&t, UC_ARM_REG_R0, STACK - 8);
    uct_set(&t, UC_ARM_REG_R2, 2);
    ok(uct_run(&t));
    check_stacks(&t, UCT_PSP - 4, STACK - 4, UCT_PSP - 4);
    uct_close(&t);
}

static void test_security(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    /* sg; tt r1,r2; tta r3,r2; bxns r0 */
    uct_arm_m(&t, M33, BYTES("\x7f\xe9\x7f\xe9\x42\xe8\x00\xf1\x42\xe8\x80\xf3\x04\x47" NOP));
    uct_set(&t, UC_ARM_REG_R0, CODE + 15);
    uct_set(&t, UC_ARM_REG_R2, DATA);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 0x4c0000);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R3), 0x4c0000);
    uct_close(&t);
    /* All memory is Secure: nothing is executed in the other state, which has its own stacks. */
    uct_arm_m(&t, M33, BYTES("\x80\xf3\x88\x88\x8c\x47" NOP) /* msr msp_ns,r0; blxns r1; nop */);
    uct_log(&t, "ip");
    uct_set(&t, UC_ARM_REG_R0, 0x3000);
    uct_set(&t, UC_ARM_REG_R1, CODE + 6);
    ok(uct_run(&t));
    uct_expect(&t, "i3@1006");
    assert_int_equal(uct_get(&t, UC_ARM_REG_LR), 0xfeffffff);
    check_stacks(&t, 0x3000, 0x3000, 0);
    assert_int_equal(uct_mem(&t, STACK - 8, 8), CODE + 7);
    uct_close(&t);
    ends(M33, BYTES("\x04\x47" NOP) /* bxns r0 */, CODE + 2, 0, UC_ERR_EXCEPTION, CODE + 2,
         "i3@1002");
    ends(M4, BYTES("\x04\x47" NOP), CODE + 2, 0, UC_ERR_INSN_INVALID, CODE, "u@1000");
}

/* Nothing of the system control space or of bit-banding is there. */
static void test_no_system_space(void **state)
{
    static const uint32_t places[] = {0xe000ed00, 0xe000e010, 0x22000000};

    (void)state;
    NEEDS_2_1();
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        ends(M4, BYTES("\x01\x68") /* ldr r1,[r0] */, places[i], 0, UC_ERR_READ_UNMAPPED, CODE, "");
        ends(M4, BYTES("\x01\x60") /* str r1,[r0] */, places[i], 0, UC_ERR_WRITE_UNMAPPED, CODE,
             "");
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_arm_state),    cmocka_unit_test(test_exception_return),
        cmocka_unit_test(test_return_by_hook),  cmocka_unit_test(test_never_executes),
        cmocka_unit_test(test_until_nowhere),   cmocka_unit_test(test_hooks),
        cmocka_unit_test(test_no_coprocessor),  cmocka_unit_test(test_floating_point),
        cmocka_unit_test(test_fpscr_first),     cmocka_unit_test(test_alignment),
        cmocka_unit_test(test_byte_order),      cmocka_unit_test(test_models),
        cmocka_unit_test(test_stack_alignment), cmocka_unit_test(test_stack_limits),
        cmocka_unit_test(test_security),        cmocka_unit_test(test_no_system_space),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
