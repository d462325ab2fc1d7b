/* Status registers, banks, exceptions and interrupts of the ARM guest on a bare engine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include <narwhal/arm.h>
#include <narwhal/narwhal.h>

#include "guest/arm/state.h"

#define CODE 0x8000u

struct board {
    nw_engine *engine;
    nw_vcpu *vcpu;
};

static struct board open_board(const char *cpu)
{
    struct board b;
    nw_config config = {
        .arch = NW_ARCH_ARM, .cpu = cpu, .flags = NW_ENGINE_INTERP, .exceptions = NW_EXC_GUEST};
    assert_int_equal(nw_engine_open(&config, &b.engine), NW_OK);
    assert_int_equal(nw_mem_map(b.engine, 0, 0x10000, NW_RWX), NW_OK);
    assert_int_equal(nw_vcpu_create(b.engine, &b.vcpu), NW_OK);
    return b;
}

static uint32_t get(struct board *b, unsigned reg)
{
    uint64_t v = 0;
    assert_int_equal(nw_reg_read(b->vcpu, reg, &v), NW_OK);
    return (uint32_t)v;
}

static void set(struct board *b, unsigned reg, uint32_t v)
{
    assert_int_equal(nw_reg_write(b->vcpu, reg, v), NW_OK);
}

/* Runs WORD at CODE in mode CPSR, one instruction; the pc afterwards. */
static uint32_t run_one(struct board *b, uint32_t cpsr, const void *code, size_t size)
{
    nw_exit exit;
    assert_int_equal(nw_mem_write(b->engine, CODE, code, size), NW_OK);
    set(b, NW_ARM_CPSR, cpsr);
    set(b, NW_ARM_PC, CODE);
    assert_int_equal(nw_vcpu_run(b->vcpu, 1, &exit), NW_OK);
    assert_int_equal(exit.reason, NW_EXIT_LIMIT);
    return get(b, NW_ARM_PC);
}

static uint32_t run_word(struct board *b, uint32_t cpsr, uint32_t word)
{
    return run_one(b, cpsr, &word, 4);
}

static void reset_state(void **state)
{
    (void)state;
    struct board b = open_board("arm926");
    assert_int_equal(get(&b, NW_ARM_CPSR), 0x1d3); /* Supervisor, A I F masked (B1.9.1) */
    assert_int_equal(get(&b, NW_ARM_PC), 0);
    nw_engine_close(b.engine);
}

static void banks_follow_the_mode(void **state)
{
    (void)state;
    struct board b = open_board("max");
    set(&b, NW_ARM_CPSR, 0x1f);
    set(&b, 8, 0x88), set(&b, NW_ARM_SP, 0x1000), set(&b, NW_ARM_LR, 0x1001);
    set(&b, NW_ARM_CPSR, 0x11); /* FIQ: r8..r14 are its own */
    assert_int_equal(get(&b, 8), 0);
    set(&b, 8, 0xf8), set(&b, NW_ARM_SP, 0x2000), set(&b, NW_ARM_SPSR, 0x12345);
    set(&b, NW_ARM_CPSR, 0x12); /* IRQ: r13, r14 only */
    assert_int_equal(get(&b, 8), 0x88);
    assert_int_equal(get(&b, NW_ARM_SP), 0);
    set(&b, NW_ARM_CPSR, 0x10);
    assert_int_equal(get(&b, NW_ARM_SP), 0x1000);
    assert_int_equal(get(&b, NW_ARM_LR), 0x1001);
    uint64_t v;
    assert_int_equal(nw_reg_read(b.vcpu, NW_ARM_SPSR, &v), NW_ERR_ARG); /* User mode has none */
    set(&b, NW_ARM_CPSR, 0x11);
    assert_int_equal(get(&b, 8), 0xf8);
    assert_int_equal(get(&b, NW_ARM_SP), 0x2000);
    assert_int_equal(get(&b, NW_ARM_SPSR), 0x12345);
    nw_engine_close(b.engine);
}

struct entry {
    const char *what;
    uint32_t cpsr, word;
    uint32_t vector, mode, mask, lr;
};

/* ARM DDI 0406C table B1-7 and B1.9: vector, mode, masks and preferred return address. */
static void exceptions_enter_their_vectors(void **state)
{
    (void)state;
    static const struct entry entries[] = {
        {"svc", 0x10, 0xef000001, 0x08, 0x13, 0x80, CODE + 4},
        {"undefined", 0x10, 0xe7f000f0, 0x04, 0x1b, 0x80, CODE + 4},
        {"bkpt", 0x10, 0xe1200070, 0x0c, 0x17, 0x180, CODE + 4},
        {"data abort", 0x1f, 0xe5900000, 0x10, 0x17, 0x180, CODE + 8},
        {"svc in Thumb", 0x30, 0xdf01, 0x08, 0x13, 0x80, CODE + 2},
        {"undefined in Thumb", 0x30, 0xde00, 0x04, 0x1b, 0x80, CODE + 2},
        {"data abort in Thumb", 0x30, 0x6800, 0x10, 0x17, 0x180, CODE + 8},
    };
    for (unsigned k = 0; k < sizeof entries / sizeof *entries; k++) {
        const struct entry *e = &entries[k];
        struct board b = open_board("max");
        set(&b, NW_ARM_CPSR, e->cpsr);
        set(&b, 0, 0x40000000); /* nothing there */
        uint32_t pc = run_word(&b, e->cpsr, e->word);
        if (pc != e->vector || get(&b, NW_ARM_CPSR) != (e->mode | e->mask) ||
            get(&b, NW_ARM_LR) != e->lr || get(&b, NW_ARM_SPSR) != e->cpsr)
            fail_msg("%s: pc %#x cpsr %#x lr %#x spsr %#x", e->what, pc, get(&b, NW_ARM_CPSR),
                     get(&b, NW_ARM_LR), get(&b, NW_ARM_SPSR));
        nw_engine_close(b.engine);
    }
}

static void prefetch_abort(void **state)
{
    (void)state;
    struct board b = open_board("max");
    nw_exit exit;
    set(&b, NW_ARM_CPSR, 0x10);
    set(&b, NW_ARM_PC, 0x40000000);
    assert_int_equal(nw_vcpu_run(b.vcpu, 1, &exit), NW_OK);
    assert_int_equal(get(&b, NW_ARM_CPSR), 0x197);
    assert_int_equal(get(&b, NW_ARM_LR), 0x40000004);
    assert_int_equal(((struct arm_state *)b.vcpu->state)->ifar, 0x40000000);
    nw_engine_close(b.engine);
}

static void exception_entry_drops_it_and_monitor(void **state)
{
    (void)state;
    struct board b = open_board("max");
    static const uint16_t code[] = {0xdf00}; /* svceq in ITE EQ's first place */
    run_one(&b, 0x40000030 | 0x0400 << 0 | 1u << 11, code, sizeof code);
    assert_int_equal(get(&b, NW_ARM_CPSR) & 0x0600fc20, 0);
    nw_engine_close(b.engine);
}

/* High vectors (SCTLR.V), VBAR, and the state of exception handlers (SCTLR.TE, EE). */
static void vectors_move(void **state)
{
    (void)state;
    struct board b = open_board("max");
    struct arm_state *s = (struct arm_state *)b.vcpu->state;
    s->vbar = 0x100;
    assert_int_equal(run_word(&b, 0x10, 0xef000000), 0x108);
    s->sctlr |= 1u << 13;
    assert_int_equal(run_word(&b, 0x10, 0xef000000), 0xffff0008);
    s->sctlr |= 1u << 30 | 1u << 25;
    run_word(&b, 0x10, 0xef000000);
    assert_int_equal(get(&b, NW_ARM_CPSR), 0x2b3); /* Thumb, big-endian */
    nw_engine_close(b.engine);
}

static void interrupts(void **state)
{
    (void)state;
    struct board b = open_board("arm926");
    assert_int_equal(nw_vcpu_set_irq(b.vcpu, NW_ARM_IRQ, true), NW_OK);
    assert_int_equal(run_word(&b, 0xd3, 0xe1a00000), CODE + 4); /* masked */
    run_word(&b, 0x53, 0xe1a00000);
    assert_int_equal(get(&b, NW_ARM_CPSR) & 0xff, 0xd2);
    assert_int_equal(get(&b, NW_ARM_LR), CODE + 4);
    assert_int_equal(get(&b, NW_ARM_SPSR), 0x53);
    assert_int_equal(nw_vcpu_set_irq(b.vcpu, NW_ARM_FIQ, true), NW_OK); /* goes first */
    run_word(&b, 0x13, 0xe1a00000);
    assert_int_equal(get(&b, NW_ARM_CPSR) & 0xff, 0xd1);
    nw_engine_close(b.engine);
}

/* An exception and its return leave the interrupted state as it was. */
static void returns_restore_the_state(void **state)
{
    (void)state;
    struct board b = open_board("max");
    run_one(&b, 0x60000030, (const uint16_t[]){0xdf07}, 2); /* svc #7 in Thumb */
    assert_int_equal(get(&b, NW_ARM_CPSR), 0x60000093);
    uint32_t word = 0xe1b0f00e; /* movs pc, lr */
    nw_exit exit;
    assert_int_equal(nw_mem_write(b.engine, 8, &word, 4), NW_OK);
    assert_int_equal(nw_vcpu_run(b.vcpu, 1, &exit), NW_OK);
    assert_int_equal(get(&b, NW_ARM_CPSR), 0x60000030);
    assert_int_equal(get(&b, NW_ARM_PC), CODE + 2);
    nw_engine_close(b.engine);
}

static void models(void **state)
{
    (void)state;
    nw_engine *engine;
    nw_vcpu *vcpu;
    nw_config config = {.arch = NW_ARCH_ARM, .cpu = "arm7000", .flags = NW_ENGINE_INTERP};
    nw_status status = nw_engine_open(&config, &engine);
    if (status == NW_OK) {
        status = nw_vcpu_create(engine, &vcpu);
        nw_engine_close(engine);
    }
    assert_int_equal(status, NW_ERR_CPU);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reset_state),
        cmocka_unit_test(banks_follow_the_mode),
        cmocka_unit_test(exceptions_enter_their_vectors),
        cmocka_unit_test(prefetch_abort),
        cmocka_unit_test(exception_entry_drops_it_and_monitor),
        cmocka_unit_test(vectors_move),
        cmocka_unit_test(interrupts),
        cmocka_unit_test(returns_restore_the_state),
        cmocka_unit_test(models),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
