/* The MMU of ARM under a guest that serves its own aborts: pages that come when they are asked for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <narwhal/arm.h>
#include <narwhal/narwhal.h>

/*
 * vectors: b start; b .; b svc; b prefetch; b data; b .; b .; b .
 * start: TTBR0 = 0x4000: the first MiB to itself, privileged, the second by the table at 0x8000;
 * DACR = 1; SCTLR.M; r0 = 0x100010, r1 = 0x1234; str r1,[r0]; ldr r2,[r0]; r3 = 0x102000; blx r3;
 *        cps #0x10; ldr r12,[r0]; svc #0
 * svc: wfi
 * prefetch: r8 = IFAR, r9 = IFSR; page 2 of the table to 0xa000; TLBIMVA; subs pc,lr,#4
 * data: r10 = DFAR, r11 = DFSR; a translation fault: page 0 to 0xc000, privileged; TLBIMVA;
 *       otherwise: page 0 for all; TLBIALL; r7 = SPSR; subs pc,lr,#8
 */
static const uint32_t kernel[] = {
    0xea000006, 0xeafffffe, 0xea00001b, 0xea00001c, 0xea000022, 0xeafffffe, 0xeafffffe, 0xeafffffe,
    0xe3a00901, 0xee020f10, 0xe59f10b0, 0xe5801000, 0xe59f10ac, 0xe5801004, 0xe3a01001, 0xee031f10,
    0xee081f17, 0xee111f10, 0xe3811001, 0xee011f10, 0xe59fd090, 0xe59f0090, 0xe59f1090, 0xe5801000,
    0xe5902000, 0xe59f3088, 0xe12fff33, 0xe59f0078, 0xf1020010, 0xe590c000, 0xef000000, 0xee070f9a,
    0xe320f003, 0xee168f50, 0xee159f30, 0xe59f4064, 0xe59f5064, 0xe5845000, 0xee088f37, 0xe25ef004,
    0xee16af10, 0xee15bf10, 0xe20b400f, 0xe3540007, 0x1a000004, 0xe3a04902, 0xe59f5040, 0xe5845000,
    0xee08af37, 0xe25ef008, 0xe3a04902, 0xe59f5030, 0xe5845000, 0xee084f17, 0xe14f7000, 0xe25ef008,
    0x00000c02, 0x00008001, 0x00001ff8, 0x00100010, 0x00001234, 0x00102000, 0x00008008, 0x0000a012,
    0x0000c012, 0x0000c032};

static nw_engine *open_with(unsigned flags, nw_vcpu **vcpu)
{
    nw_config config = {
        .arch = NW_ARCH_ARM, .cpu = "cortex-a9", .flags = flags, .exceptions = NW_EXC_GUEST};
    nw_engine *engine;

    assert_int_equal(nw_engine_open(&config, &engine), NW_OK);
    assert_int_equal(nw_mem_map(engine, 0, 0x100000, NW_RWX), NW_OK);
    assert_int_equal(nw_mem_write(engine, 0, kernel, sizeof kernel), NW_OK);
    assert_int_equal(nw_vcpu_create(engine, vcpu), NW_OK);
    return engine;
}

static uint32_t get(nw_vcpu *vcpu, unsigned reg)
{
    uint64_t v = 0;

    assert_int_equal(nw_reg_read(vcpu, reg, &v), NW_OK);
    return (uint32_t)v;
}

static uint32_t word(nw_engine *engine, uint64_t at)
{
    uint32_t v = 0;

    assert_int_equal(nw_mem_read(engine, at, &v, 4), NW_OK);
    return v;
}

static void pages_on_demand(void **state)
{
    static const unsigned flags[] = {0, NW_ENGINE_NO_CHAIN, NW_ENGINE_NO_FASTMEM, NW_ENGINE_INTERP};
    const uint32_t function[] = {0xe2866001, 0xe12fff1e}; /* add r6,r6,#1; bx lr */

    (void)state;
    for (size_t k = 0; k < sizeof flags / sizeof flags[0]; k++) {
        nw_vcpu *vcpu;
        nw_engine *engine = open_with(flags[k], &vcpu);
        nw_exit exit;

        assert_int_equal(nw_mem_write(engine, 0xa000, function, sizeof function), NW_OK);
        assert_int_equal(nw_vcpu_run(vcpu, 1000, &exit), NW_OK);
        assert_int_equal(exit.reason, NW_EXIT_HALT);
        assert_int_equal(get(vcpu, NW_ARM_CPSR) & 0x1f, 0x13);
        assert_int_equal(get(vcpu, 2), 0x1234);
        assert_int_equal(word(engine, 0xc010), 0x1234);
        assert_int_equal(get(vcpu, 6), 1);
        assert_int_equal(get(vcpu, 8), 0x102000); /* IFAR */
        assert_int_equal(get(vcpu, 9), 0x7);      /* IFSR: translation, second level */
        assert_int_equal(get(vcpu, 10), 0x100010);
        assert_int_equal(get(vcpu, 11), 0xf); /* DFSR of the last: permission, a read */
        assert_int_equal(get(vcpu, 7) & 0x1f, 0x10);
        assert_int_equal(get(vcpu, 12), 0x1234);
        nw_engine_close(engine);
    }
}

/* The same by a bare CPU: what the guest would get is an exit. */
static void aborts_as_exits(void **state)
{
    nw_config config = {.arch = NW_ARCH_ARM, .cpu = "cortex-a9", .exceptions = NW_EXC_BARE};
    nw_arm_cp dfsr = {.cp = 15, .crn = 5};
    nw_engine *engine;
    nw_vcpu *vcpu;
    nw_exit exit;
    uint64_t v;

    (void)state;
    assert_int_equal(nw_engine_open(&config, &engine), NW_OK);
    assert_int_equal(nw_mem_map(engine, 0, 0x100000, NW_RWX), NW_OK);
    assert_int_equal(nw_mem_write(engine, 0, kernel, sizeof kernel), NW_OK);
    assert_int_equal(nw_vcpu_create(engine, &vcpu), NW_OK);
    assert_int_equal(nw_vcpu_run(vcpu, 1000, &exit), NW_OK);
    assert_int_equal(exit.reason, NW_EXIT_EXCEPTION);
    assert_int_equal(exit.code, NW_ARM_EXC_DATA_ABORT);
    assert_int_equal(exit.error, 0x7);
    assert_int_equal(nw_arm_cp_read(vcpu, &dfsr, &v), NW_OK);
    assert_int_equal(v, 0x807);
    nw_engine_close(engine);
}

static void write_cp(nw_vcpu *vcpu, uint32_t crn, uint32_t value)
{
    nw_arm_cp cp = {.cp = 15, .crn = crn};

    assert_int_equal(nw_arm_cp_write(vcpu, &cp, value), NW_OK);
}

static void poke(nw_engine *engine, uint64_t at, uint32_t v)
{
    assert_int_equal(nw_mem_write(engine, at, &v, 4), NW_OK);
}

static void run_from(nw_vcpu *vcpu, uint32_t pc)
{
    nw_exit exit;

    assert_int_equal(nw_reg_write(vcpu, NW_ARM_PC, pc), NW_OK);
    assert_int_equal(nw_vcpu_run(vcpu, 100, &exit), NW_OK);
    assert_int_equal(exit.reason, NW_EXIT_HALT);
}

/* What one vCPU says in the inner shareable domain the other one hears; what it says to itself not.
 */
static void other_cpus(void **state)
{
    /* 0: str r1,[r0]; TLBIALLIS; wfi   0x10: ldr r2,[r3]; wfi */
    static const uint32_t code[] = {0xe5801000, 0xee080f13, 0xe320f003, 0, 0xe5932000, 0xe320f003};
    nw_config config = {.arch = NW_ARCH_ARM, .cpu = "cortex-a9", .exceptions = NW_EXC_BARE};
    nw_engine *engine;
    nw_vcpu *vcpu[2];

    (void)state;
    assert_int_equal(nw_engine_open(&config, &engine), NW_OK);
    assert_int_equal(nw_mem_map(engine, 0, 0x100000, NW_RWX), NW_OK);
    assert_int_equal(nw_mem_write(engine, 0, code, sizeof code), NW_OK);
    poke(engine, 0x4000, 0xc02);
    poke(engine, 0x4004, 0x8001);
    poke(engine, 0x8000, 0xa032);
    poke(engine, 0xa000, 1);
    poke(engine, 0xb000, 2);
    for (int n = 0; n < 2; n++) {
        assert_int_equal(nw_vcpu_create(engine, &vcpu[n]), NW_OK);
        write_cp(vcpu[n], 2, 0x4000);
        write_cp(vcpu[n], 3, 1);
        write_cp(vcpu[n], 1, 0x00c50079);
        assert_int_equal(nw_reg_write(vcpu[n], 0, 0x8000), NW_OK);
        assert_int_equal(nw_reg_write(vcpu[n], 1, 0xb032), NW_OK);
        assert_int_equal(nw_reg_write(vcpu[n], 3, 0x100000), NW_OK);
    }
    run_from(vcpu[1], 0x10);
    assert_int_equal(get(vcpu[1], 2), 1);
    poke(engine, 4, 0xee080f17); /* TLBIALL */
    run_from(vcpu[0], 0);
    run_from(vcpu[1], 0x10);
    assert_int_equal(get(vcpu[1], 2), 1);
    poke(engine, 4, 0xee080f13);
    run_from(vcpu[0], 0);
    run_from(vcpu[1], 0x10);
    assert_int_equal(get(vcpu[1], 2), 2);
    nw_engine_close(engine);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_on_demand),
        cmocka_unit_test(aborts_as_exits),
        cmocka_unit_test(other_cpus),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
