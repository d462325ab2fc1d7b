/* The first floating point of an engine: until there is some, runs leave MXCSR as the caller has
 * it. What comes first within a callback must be right in the run that the callback belongs to as
 * well. */
#include <immintrin.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <narwhal/hook.h>
#include <narwhal/x86.h>

#define CODE  0x10000u
#define FLOAT 0x11000u
#define DATA  0x20000u

#define GUEST_UP  0x5f80u /* MXCSR of the guest: rounds up */
#define HOST_TO_0 0x7f80u /* … and of the caller: towards zero */
#define INEXACT   0x20u
#define THIRD_UP  0x3fd5555555555556ull

static const uint32_t modes[] = {0, NW_ENGINE_INTERP, NW_ENGINE_NO_CHAIN, NW_ENGINE_NO_FASTMEM};

/* add rbx, 1; mov rcx, [rsi]; jmp FLOAT */
static const uint8_t outer_code[] = {0x48, 0x83, 0xc3, 0x01, 0x48, 0x8b,
                                     0x0e, 0xe9, 0xf4, 0x0f, 0x00, 0x00};
/* divsd xmm0, xmm1; int3 */
static const uint8_t float_code[] = {0xf2, 0x0f, 0x5e, 0xc1, 0xcc};

struct fixture {
    nw_engine *engine;
    nw_vcpu *vcpu, *other;
    bool own; /* callbacks run OTHER, one of their own */
    unsigned calls;
    uint32_t seen; /* MXCSR in a callback, before it does anything */
};

static void set(nw_vcpu *vcpu, unsigned reg, uint64_t value)
{
    assert_int_equal(nw_reg_write(vcpu, reg, value), NW_OK);
}

static uint64_t get(nw_vcpu *vcpu, unsigned reg)
{
    uint64_t value = 0;

    assert_int_equal(nw_reg_read(vcpu, reg, &value), NW_OK);
    return value;
}

static void set_operands(nw_vcpu *vcpu)
{
    set(vcpu, NW_X86_YMM0, 0x3ff0000000000000);     /* 1.0 */
    set(vcpu, NW_X86_YMM0 + 4, 0x4008000000000000); /* 3.0 */
    set(vcpu, NW_X86_MXCSR, GUEST_UP);
}

static uint64_t quotient(nw_vcpu *vcpu)
{
    return get(vcpu, NW_X86_YMM0);
}

static void run(nw_vcpu *vcpu, uint64_t pc)
{
    nw_exit exit;

    set(vcpu, NW_X86_PC, pc);
    set(vcpu, NW_X86_RAX + 6, DATA);
    assert_int_equal(nw_vcpu_run(vcpu, 0, &exit), NW_OK);
    assert_int_equal(exit.reason, NW_EXIT_EXCEPTION);
    assert_int_equal(exit.code, 3);
}

static void divide(struct fixture *f, nw_vcpu *vcpu)
{
    uint64_t pc = get(vcpu, NW_X86_PC);

    f->seen = _mm_getcsr();
    if (f->calls++)
        return;
    if (f->own) {
        assert_int_equal(nw_vcpu_create(f->engine, &f->other), NW_OK);
        vcpu = f->other;
    }
    set_operands(vcpu);
    run(vcpu, FLOAT);
    assert_int_equal(quotient(vcpu), THIRD_UP);
    assert_int_equal(get(vcpu, NW_X86_MXCSR), GUEST_UP | INEXACT);
    assert_int_equal(_mm_getcsr() & ~0x3fu, HOST_TO_0);
    if (!f->own) {
        set_operands(vcpu);
        set(vcpu, NW_X86_PC, pc);
    }
}

static void on_code(nw_vcpu *vcpu, uint64_t pc, uint32_t size, void *user)
{
    (void)pc, (void)size;
    divide(user, vcpu);
}

static void on_access(nw_vcpu *vcpu, nw_access access, uint64_t addr, uint32_t size, uint64_t value,
                      const void *data, void *user)
{
    (void)access, (void)addr, (void)size, (void)value, (void)data;
    divide(user, vcpu);
}

static void check(uint32_t flags, nw_hook_kind kind, bool hooked, bool own)
{
    nw_config config = {.arch = NW_ARCH_X86_64, .flags = flags};
    nw_hook_spec spec = {.kind = kind, .begin = CODE, .end = CODE};
    struct fixture f = {.own = own};
    nw_hook *hook;
    uint32_t before = _mm_getcsr();

    spec.user = &f;
    if (kind == NW_HOOK_CODE) {
        spec.code = on_code;
    } else {
        spec.access = on_access;
        spec.begin = 1; /* every access */
        spec.end = 0;
    }
    assert_int_equal(nw_engine_open(&config, &f.engine), NW_OK);
    assert_int_equal(nw_mem_map(f.engine, CODE, 0x4000, NW_RWX), NW_OK);
    assert_int_equal(nw_mem_map(f.engine, DATA, 0x1000, NW_RW), NW_OK);
    assert_int_equal(nw_mem_write(f.engine, CODE, outer_code, sizeof outer_code), NW_OK);
    assert_int_equal(nw_mem_write(f.engine, FLOAT, float_code, sizeof float_code), NW_OK);
    assert_int_equal(nw_vcpu_create(f.engine, &f.vcpu), NW_OK);
    if (hooked)
        assert_int_equal(nw_hook_add(f.engine, &spec, &hook), NW_OK);
    _mm_setcsr(HOST_TO_0);
    set_operands(f.vcpu);
    for (unsigned n = 0; n < 3; n++) {
        set_operands(f.vcpu);
        set(f.vcpu, NW_X86_RAX + 3, 0);
        run(f.vcpu, CODE);
        assert_int_equal(get(f.vcpu, NW_X86_RAX + 3), 1);
        assert_int_equal(quotient(f.vcpu), THIRD_UP);
        assert_int_equal(get(f.vcpu, NW_X86_MXCSR), GUEST_UP | INEXACT);
        assert_int_equal(_mm_getcsr() & ~0x3fu, HOST_TO_0);
    }
    if (hooked) {
        assert_true(f.calls >= 3);
        assert_int_equal(f.seen & ~0x3fu, HOST_TO_0);
    }
    _mm_setcsr(before);
    nw_vcpu_destroy(f.other);
    nw_vcpu_destroy(f.vcpu);
    nw_engine_close(f.engine);
}

static void check_modes(nw_hook_kind kind, bool hooked, bool own)
{
    for (unsigned m = 0; m < sizeof modes / sizeof modes[0]; m++)
        check(modes[m], kind, hooked, own);
}

static void test_linked(void **state)
{
    (void)state;
    check_modes(NW_HOOK_CODE, false, false);
}

static void test_in_code_hook(void **state)
{
    (void)state;
    check_modes(NW_HOOK_CODE, true, false);
    check_modes(NW_HOOK_CODE, true, true);
}

static void test_in_access_hook(void **state)
{
    (void)state;
    check_modes(NW_HOOK_READ, true, false);
    check_modes(NW_HOOK_READ, true, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linked),
        cmocka_unit_test(test_in_code_hook),
        cmocka_unit_test(test_in_access_hook),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
