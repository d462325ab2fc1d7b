/* Repeated string instructions where they meet devices, code, faults, requests and traps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <narwhal/narwhal.h>
#include <narwhal/x86.h>

enum { CODE = 0x10000, DATA = 0x20000, DEVICE = 0x24000, PAGE = 0x1000, PAST = 6 };
enum { RAX = 0, RCX = 1, RSI = 6, RDI = 7 };

struct fixture {
    nw_engine *engine;
    nw_vcpu *vcpu;
    nw_exit exit;
    uint64_t offset[64], value[64]; /* what the device saw */
    unsigned accesses, stop_at;
};

static uint64_t device_read(void *opaque, uint64_t offset, unsigned size)
{
    struct fixture *f = opaque;
    assert_int_equal(size, 1);
    assert_true(f->accesses < 64);
    f->offset[f->accesses++] = offset;
    return offset + 1;
}

static void device_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct fixture *f = opaque;
    assert_int_equal(size, 1);
    assert_true(f->accesses < 64);
    f->offset[f->accesses] = offset;
    f->value[f->accesses++] = value;
    if (f->accesses == f->stop_at)
        nw_vcpu_stop(f->vcpu);
}

/* Four pages of memory and one of a device behind them. */
static void open_engine(struct fixture *f, uint32_t flags)
{
    nw_config config = {.arch = NW_ARCH_X86_64, .flags = flags};

    memset(f, 0, sizeof *f);
    assert_int_equal(nw_engine_open(&config, &f->engine), NW_OK);
    assert_int_equal(nw_mem_map(f->engine, CODE, PAGE, NW_RWX), NW_OK);
    assert_int_equal(nw_mem_map(f->engine, DATA, DEVICE - DATA, NW_RW), NW_OK);
    assert_int_equal(nw_mem_map_mmio(f->engine, DEVICE, PAGE, device_read, device_write, f), NW_OK);
    assert_int_equal(nw_vcpu_create(f->engine, &f->vcpu), NW_OK);
}

static void set(struct fixture *f, unsigned reg, uint64_t v)
{
    assert_int_equal(nw_reg_write(f->vcpu, reg, v), NW_OK);
}

static uint64_t get(struct fixture *f, unsigned reg)
{
    uint64_t v;
    assert_int_equal(nw_reg_read(f->vcpu, reg, &v), NW_OK);
    return v;
}

/* Runs OPCODE with a repeat prefix, and UD2 behind. */
static void run(struct fixture *f, uint8_t opcode, uint64_t si, uint64_t di, uint64_t count)
{
    uint8_t code[] = {0xf3, opcode, 0x0f, 0x0b};

    assert_int_equal(nw_mem_write(f->engine, CODE, code, sizeof code), NW_OK);
    set(f, RSI, si);
    set(f, RDI, di);
    set(f, RCX, count);
    set(f, NW_X86_RIP, CODE);
    assert_int_equal(nw_vcpu_run(f->vcpu, 0, &f->exit), NW_OK);
}

static void expect(struct fixture *f, nw_exit_reason reason, uint64_t pc, uint64_t si, uint64_t di,
                   uint64_t count)
{
    assert_int_equal(f->exit.reason, reason);
    assert_int_equal(f->exit.pc, pc);
    assert_int_equal(get(f, RSI), si);
    assert_int_equal(get(f, RDI), di);
    assert_int_equal(get(f, RCX), count);
}

static void check_device(struct fixture *f)
{
    uint8_t have[32];

    run(f, 0xa4, DEVICE, DATA, 32); /* movsb */
    expect(f, NW_EXIT_EXCEPTION, CODE + 2, DEVICE + 32, DATA + 32, 0);
    assert_int_equal(f->accesses, 32);
    assert_int_equal(nw_mem_read(f->engine, DATA, have, sizeof have), NW_OK);
    for (unsigned n = 0; n < 32; n++) {
        assert_int_equal(f->offset[n], n);
        assert_int_equal(have[n], n + 1);
    }
}

/* The device asks for a stop in the middle, in the next run the rest is done. */
static void check_stop(struct fixture *f)
{
    f->accesses = 0;
    f->stop_at = 10;
    set(f, RAX, 0x77);
    run(f, 0xaa, 0, DEVICE - 5000, 5020); /* stosb */
    expect(f, NW_EXIT_STOP, CODE, 0, DEVICE + 10, 10);
    assert_int_equal(nw_vcpu_run(f->vcpu, 0, &f->exit), NW_OK);
    expect(f, NW_EXIT_EXCEPTION, CODE + 2, 0, DEVICE + 20, 0);
    assert_int_equal(f->accesses, 20);
    assert_int_equal(f->value[19], 0x77);
}

static void check_fault(struct fixture *f)
{
    uint64_t end = DEVICE + PAGE, last;

    assert_int_equal(nw_mem_protect(f->engine, DATA + 2 * PAGE, PAGE, NW_READ), NW_OK);
    run(f, 0xab, 0, DATA + 2 * PAGE - 102, 100); /* stosd: the last element lies on both pages */
    expect(f, NW_EXIT_FAULT, CODE, 0, DATA + 2 * PAGE - 2, 75);
    assert_int_equal(f->exit.access, NW_ACCESS_WRITE);
    assert_int_equal(f->exit.fault, NW_FAULT_PERM);
    assert_int_equal(nw_mem_read(f->engine, DATA + 2 * PAGE - 2, &last, 2), NW_OK);
    assert_int_equal((uint16_t)last, 0);
    assert_int_equal(nw_mem_protect(f->engine, DATA + 2 * PAGE, PAGE, NW_RW), NW_OK);
    run(f, 0xac, end, 0, 5); /* lodsb */
    expect(f, NW_EXIT_FAULT, CODE, end, 0, 5);
}

/* What the loop has written it reads again. */
static void check_overlap(struct fixture *f)
{
    uint8_t have[9000];

    assert_int_equal(nw_mem_write(f->engine, DATA, "abc", 3), NW_OK);
    run(f, 0xa4, DATA, DATA + 3, sizeof have - 3);
    expect(f, NW_EXIT_EXCEPTION, CODE + 2, DATA + sizeof have - 3, DATA + sizeof have, 0);
    assert_int_equal(nw_mem_read(f->engine, DATA, have, sizeof have), NW_OK);
    for (unsigned n = 0; n < sizeof have; n++)
        assert_int_equal(have[n], "abc"[n % 3]);
}

/* INC EAX behind the instruction becomes NOP while its block runs. */
static void check_code(struct fixture *f)
{
    static const uint8_t code[] = {0xf3, 0xaa, 0xff, 0xc0, 0xff, 0xc0, 0x0f, 0x0b};

    for (unsigned round = 0; round < 3; round++) {
        assert_int_equal(nw_mem_write(f->engine, CODE, code, sizeof code), NW_OK);
        set(f, RAX, round ? 0x90 : 0);
        set(f, RDI, CODE + 2);
        set(f, RCX, round ? 4 : 0);
        set(f, NW_X86_RIP, CODE);
        assert_int_equal(nw_vcpu_run(f->vcpu, 0, &f->exit), NW_OK);
        assert_int_equal(f->exit.reason, NW_EXIT_EXCEPTION);
        assert_int_equal(f->exit.pc, CODE + PAST);
        assert_int_equal(get(f, RAX), round ? 0x90 : 2);
    }
}

/* A trap behind each element while TF is set, and behind the one that meets a data breakpoint. */
static void check_traps(struct fixture *f)
{
    set(f, NW_X86_RFLAGS, 0x302);
    run(f, 0xa4, DATA, DATA + PAGE, 3);
    expect(f, NW_EXIT_EXCEPTION, CODE, DATA + 1, DATA + PAGE + 1, 2);
    assert_int_equal(f->exit.code, 1);
    set(f, NW_X86_RFLAGS, 0x202);
    set(f, NW_X86_DR0, DATA + PAGE + 2);
    set(f, NW_X86_DR0 + 7, 0x10401); /* writes of one byte */
    run(f, 0xa4, DATA, DATA + PAGE, 5);
    expect(f, NW_EXIT_EXCEPTION, CODE, DATA + 3, DATA + PAGE + 3, 2);
    assert_int_equal(f->exit.code, 1);
    set(f, NW_X86_DR0 + 7, 0x400);
}

/* The copy meets a device in a host signal, which must leave the guest's rounding alone. */
static void check_rounding(struct fixture *f)
{
    static const uint8_t code[] = {0xf3, 0xa4, 0xf3, 0x0f, 0x58, 0xc1, 0x0f, 0x0b}; /* addss */

    assert_int_equal(nw_mem_write(f->engine, CODE, code, sizeof code), NW_OK);
    f->accesses = f->stop_at = 0;
    set(f, NW_X86_MXCSR, 0x5f80); /* up */
    set(f, NW_X86_YMM0, 0x3f800000);
    set(f, NW_X86_YMM0 + 4, 0x30800000);
    set(f, RSI, DATA);
    set(f, RDI, DEVICE - 100);
    set(f, RCX, 110);
    set(f, NW_X86_RIP, CODE);
    assert_int_equal(nw_vcpu_run(f->vcpu, 0, &f->exit), NW_OK);
    expect(f, NW_EXIT_EXCEPTION, CODE + PAST, DATA + 110, DEVICE + 10, 0);
    assert_int_equal(get(f, NW_X86_YMM0), 0x3f800001);
    assert_int_equal(get(f, NW_X86_MXCSR), 0x5fa0);
}

static void in_every_mode(void **state)
{
    static const uint32_t modes[] = {0, NW_ENGINE_INTERP, NW_ENGINE_NO_FASTMEM};
    struct fixture f;

    (void)state;
    for (unsigned n = 0; n < sizeof modes / sizeof *modes; n++) {
        open_engine(&f, modes[n]);
        check_device(&f);
        check_stop(&f);
        check_fault(&f);
        check_overlap(&f);
        check_code(&f);
        check_traps(&f);
        check_rounding(&f);
        nw_engine_close(f.engine);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(in_every_mode)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
