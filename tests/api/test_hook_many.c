/* Thousands of hooks, of one address each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <narwhal/hook.h>
#include <narwhal/x86.h>

#define CODE  0x10000u
#define HOOKS 3000u

static const uint32_t modes[] = {0, NW_ENGINE_INTERP, NW_ENGINE_NO_CHAIN, NW_ENGINE_NO_FASTMEM};

struct many {
    nw_engine *engine;
    nw_vcpu *vcpu;
    nw_hook *hook[HOOKS];
    uint32_t calls[HOOKS];
    uint64_t before; /* the address of the call before */
    uint32_t in_order;
};

static struct many all;

static void called(nw_vcpu *vcpu, uint64_t pc, uint32_t size, void *user)
{
    uint32_t *calls = user;

    (void)vcpu;
    assert_int_equal(size, 1);
    assert_ptr_equal(calls, &all.calls[pc - CODE]);
    all.in_order += pc > all.before;
    all.before = pc;
    ++*calls;
}

static void open_it(uint32_t flags)
{
    nw_config config = {.arch = NW_ARCH_X86_64, .flags = flags};
    uint8_t code[HOOKS + 1];

    memset(&all, 0, sizeof all);
    memset(code, 0x90, HOOKS);
    code[HOOKS] = 0xf4;
    assert_int_equal(nw_engine_open(&config, &all.engine), NW_OK);
    assert_int_equal(nw_mem_map(all.engine, CODE, 0x1000, NW_RWX), NW_OK);
    assert_int_equal(nw_mem_write(all.engine, CODE, code, sizeof code), NW_OK);
    assert_int_equal(nw_vcpu_create(all.engine, &all.vcpu), NW_OK);
}

static void run(void)
{
    nw_exit exit;

    all.in_order = 0;
    all.before = 0;
    assert_int_equal(nw_reg_write(all.vcpu, NW_X86_RIP, CODE), NW_OK);
    assert_int_equal(nw_vcpu_run(all.vcpu, HOOKS, &exit), NW_OK);
    assert_int_equal(exit.reason, NW_EXIT_LIMIT);
}

static void add(uint32_t n)
{
    nw_hook_spec spec = {.kind = NW_HOOK_CODE,
                         .begin = CODE + n,
                         .end = CODE + n,
                         .code = called,
                         .user = &all.calls[n]};

    assert_int_equal(nw_hook_add(all.engine, &spec, &all.hook[n]), NW_OK);
}

static void test_many(void **state)
{
    (void)state;
    for (unsigned m = 0; m < sizeof modes / sizeof modes[0]; m++) {
        open_it(modes[m]);
        run();
        for (uint32_t n = 0; n < HOOKS; n++)
            add(n * 7 % HOOKS);
        run();
        assert_int_equal(all.in_order, HOOKS);
        for (uint32_t n = 0; n < HOOKS; n += 3)
            assert_int_equal(nw_hook_remove(all.engine, all.hook[n]), NW_OK);
        assert_int_equal(nw_hook_remove(all.engine, all.hook[3]), NW_ERR_ARG);
        run();
        assert_int_equal(all.in_order, HOOKS - HOOKS / 3);
        for (uint32_t n = 0; n < HOOKS; n += 6)
            add(n);
        run();
        assert_int_equal(all.in_order, HOOKS - HOOKS / 6);
        for (uint32_t n = 0; n < HOOKS; n++)
            assert_int_equal(all.calls[n], n % 3 ? 3 : n % 6 ? 1 : 2);
        nw_engine_close(all.engine);
    }
}

static uint32_t order[8], norder;

static void note_order(nw_vcpu *vcpu, uint64_t pc, uint32_t size, void *user)
{
    (void)vcpu, (void)pc, (void)size;
    assert_true(norder < 8);
    order[norder++] = *(uint32_t *)user;
}

/* Those of blocks first, then all in the order of adding, whatever their ranges are. */
static void test_order(void **state)
{
    static uint32_t number[] = {0, 1, 2, 3, 4, 5};
    static const uint32_t expected[] = {3, 5, 0, 1, 2, 4};
    static const uint64_t begin[] = {5, CODE, 1, CODE - 10, CODE, 1};
    static const uint64_t end[] = {CODE, CODE, 0, CODE + 1, CODE + 100, 0};

    (void)state;
    for (unsigned m = 0; m < sizeof modes / sizeof modes[0]; m++) {
        nw_exit exit;

        open_it(modes[m]);
        norder = 0;
        for (uint32_t n = 0; n < 6; n++) {
            nw_hook_spec spec = {.kind = n == 3 || n == 5 ? NW_HOOK_BLOCK : NW_HOOK_CODE,
                                 .begin = begin[n],
                                 .end = end[n],
                                 .code = note_order,
                                 .user = &number[n]};

            assert_int_equal(nw_hook_add(all.engine, &spec, &all.hook[n]), NW_OK);
        }
        assert_int_equal(nw_reg_write(all.vcpu, NW_X86_RIP, CODE), NW_OK);
        assert_int_equal(nw_vcpu_run(all.vcpu, 1, &exit), NW_OK);
        assert_int_equal(norder, 6);
        assert_memory_equal(order, expected, sizeof expected);
        nw_engine_close(all.engine);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_many), cmocka_unit_test(test_order)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
