/* M profile behind the native interface: registers, exits in every kind of engine, saved states. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <narwhal/arm.h>
#include <narwhal/narwhal.h>

#include "../diff/rng.h"

#define CODE  0x8000u
#define STACK 0x7000u

struct cpu {
    nw_engine *engine;
    nw_vcpu *vcpu;
};

static struct cpu open_cpu(const char *name, nw_exceptions exceptions)
{
    struct cpu c;
    nw_config config = {.arch = NW_ARCH_ARM, .cpu = name, .exceptions = exceptions};

    assert_int_equal(nw_engine_open(&config, &c.engine), NW_OK);
    assert_int_equal(nw_mem_map(c.engine, 0, 0x10000, NW_RWX), NW_OK);
    assert_int_equal(nw_vcpu_create(c.engine, &c.vcpu), NW_OK);
    assert_int_equal(nw_reg_write(c.vcpu, NW_ARM_SP, STACK), NW_OK);
    return c;
}

static uint32_t get(struct cpu *c, unsigned reg)
{
    uint64_t v = 0;

    assert_int_equal(nw_reg_read(c->vcpu, reg, &v), NW_OK);
    return (uint32_t)v;
}

static void set(struct cpu *c, unsigned reg, uint32_t v)
{
    assert_int_equal(nw_reg_write(c->vcpu, reg, v), NW_OK);
}

static nw_exit run(struct cpu *c, const void *code, size_t size, uint64_t limit)
{
    nw_exit exit = {0};

    assert_int_equal(nw_mem_write(c->engine, CODE, code, size), NW_OK);
    set(c, NW_ARM_PC, CODE);
    assert_int_equal(nw_vcpu_run(c->vcpu, limit, &exit), NW_OK);
    return exit;
}

static void registers(void **state)
{
    struct cpu c = open_cpu("cortex-m33", NW_EXC_BARE);
    uint64_t v;

    (void)state;
    set(&c, NW_ARM_MSPLIM, 0x6007);
    set(&c, NW_ARM_PSPLIM, 0x5000);
    set(&c, NW_ARM_PSP, 0x5800);
    assert_int_equal(get(&c, NW_ARM_MSPLIM), 0x6000);
    assert_int_equal(get(&c, NW_ARM_PSPLIM), 0x5000);
    assert_int_equal(get(&c, NW_ARM_MSP), STACK);
    set(&c, NW_ARM_XPSR, 0xa10f0003);
    assert_int_equal(get(&c, NW_ARM_XPSR), 0xa10f0003);
    assert_int_equal(get(&c, NW_ARM_CPSR) >> 28, 10);
    set(&c, NW_ARM_CONTROL, 2);
    assert_int_equal(get(&c, NW_ARM_SP), STACK); /* Handler mode */
    set(&c, NW_ARM_XPSR, 0x01000000);
    assert_int_equal(get(&c, NW_ARM_SP), 0x5800);
    nw_engine_close(c.engine);
    /* v7-M has no limits, other profiles have nothing of it. */
    c = open_cpu("cortex-m4", NW_EXC_BARE);
    set(&c, NW_ARM_MSPLIM, 0x6000);
    assert_int_equal(get(&c, NW_ARM_MSPLIM), 0);
    nw_engine_close(c.engine);
    c = open_cpu("cortex-a15", NW_EXC_BARE);
    for (unsigned reg = NW_ARM_XPSR; reg <= NW_ARM_PSPLIM; reg++) {
        assert_int_equal(nw_reg_read(c.vcpu, reg, &v), NW_ERR_ARG);
        assert_int_equal(nw_reg_write(c.vcpu, reg, 0), NW_ERR_ARG);
    }
    nw_engine_close(c.engine);
}

/* Exceptions leave the run, whatever engine it is. */
static void exits(void **state)
{
    static const nw_exceptions kinds[] = {NW_EXC_EXIT, NW_EXC_GUEST, NW_EXC_BARE};

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct cpu c = open_cpu("cortex-m4", kinds[i]);
        nw_exit exit;

        assert_int_equal(get(&c, NW_ARM_CONTROL), kinds[i] == NW_EXC_EXIT);
        set(&c, NW_ARM_XPSR, 0x01000000);
        exit = run(&c, "\x05\xdf" /* svc #5 */, 2, 0);
        assert_int_equal(exit.reason, NW_EXIT_SYSCALL);
        assert_int_equal(exit.code, 5);
        exit = run(&c, "\x05\xbe" /* bkpt #5 */, 2, 0);
        assert_int_equal(exit.reason, NW_EXIT_BREAKPOINT);
        exit = run(&c, "\x10\xee\x10\x0f" /* mrc p15,0,r0,c0,c0,0 */, 4, 0);
        assert_int_equal(exit.reason, NW_EXIT_EXCEPTION);
        assert_int_equal(exit.code, NW_ARM_EXC_NOCP);
        assert_int_equal(get(&c, NW_ARM_PC), CODE);
        set(&c, NW_ARM_R0, CODE + 0x100);
        exit = run(&c, "\x00\x47" /* bx r0 */, 2, 0);
        assert_int_equal(exit.reason, NW_EXIT_UNDEFINED);
        assert_int_equal(exit.code, 2);
        assert_int_equal(get(&c, NW_ARM_PC), CODE + 0x100);
        set(&c, NW_ARM_XPSR, 0x01000003);
        set(&c, NW_ARM_R0, 0xfffffff9);
        exit = run(&c, "\x00\x47", 2, 0);
        assert_int_equal(exit.reason, NW_EXIT_EXCEPTION);
        assert_int_equal(exit.code, NW_ARM_EXC_RETURN);
        assert_int_equal(get(&c, NW_ARM_PC), 0xfffffff8);
        nw_engine_close(c.engine);
    }
}

/* Bytes that no save has made become some state that can be. */
static void hostile_states(void **state)
{
    static const char *const models[] = {"cortex-m0", "cortex-m3", "cortex-m4", "cortex-m33"};
    struct rng r = {1};

    (void)state;
    for (unsigned n = 0; n < 400; n++) {
        const char *model = models[n % 4];
        struct cpu c = open_cpu(model, NW_EXC_BARE);
        size_t size = nw_state_size(c.vcpu);
        uint8_t *bytes = malloc(size);

        assert_non_null(bytes);
        assert_int_equal(nw_state_save(c.vcpu, bytes), NW_OK);
        for (size_t k = 16; k < size; k++) /* not what says whose state it is */
            bytes[k] = (uint8_t)(next(&r) >> 33);
        assert_int_equal(nw_state_load(c.vcpu, bytes), NW_OK);
        assert_int_equal(get(&c, NW_ARM_CONTROL) & ~(n % 4 == 3 ? 15u : n % 4 == 2 ? 7u : 3u), 0);
        assert_int_equal(get(&c, NW_ARM_XPSR) & 0x00f0fe00 & ~0xfc00u, 0);
        if (n % 4 != 3)
            assert_int_equal(get(&c, NW_ARM_MSPLIM), 0);
        /* push {r1}; msr control,r0; mrs r1,psp; mov sp,r2; bx r3 */
        run(&c, "\x02\xb4\x80\xf3\x14\x88\xef\xf3\x09\x81\x95\x46\x18\x47", 14, 8);
        nw_engine_close(c.engine);
        free(bytes);
    }
}

static void saved_states(void **state)
{
    struct cpu c = open_cpu("cortex-m33", NW_EXC_BARE);
    uint8_t *bytes = malloc(nw_state_size(c.vcpu));

    (void)state;
    assert_non_null(bytes);
    set(&c, NW_ARM_PSP, 0x5000);
    set(&c, NW_ARM_MSPLIM, STACK);
    set(&c, NW_ARM_BASEPRI, 0x40);
    set(&c, NW_ARM_XPSR, 0x01000000);
    assert_int_equal(nw_state_save(c.vcpu, bytes), NW_OK);
    set(&c, NW_ARM_MSPLIM, 0);
    set(&c, NW_ARM_CONTROL, 3);
    set(&c, NW_ARM_BASEPRI, 0);
    set(&c, NW_ARM_XPSR, 0xf1000005);
    assert_int_equal(nw_state_load(c.vcpu, bytes), NW_OK);
    assert_int_equal(get(&c, NW_ARM_XPSR), 0x01000000);
    assert_int_equal(get(&c, NW_ARM_CONTROL), 0);
    assert_int_equal(get(&c, NW_ARM_BASEPRI), 0x40);
    assert_int_equal(get(&c, NW_ARM_PSP), 0x5000);
    /* The limit holds again. */
    assert_int_equal(run(&c, "\x02\xb4" /* push {r1} */, 2, 0).code, NW_ARM_EXC_STACK);
    assert_int_equal(get(&c, NW_ARM_SP), STACK);
    nw_engine_close(c.engine);
    free(bytes);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers),
        cmocka_unit_test(exits),
        cmocka_unit_test(hostile_states),
        cmocka_unit_test(saved_states),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
