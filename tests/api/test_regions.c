/* More mappings than the host gives one process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <narwhal/x86.h>

#define PAGE 4096u
#define CODE 0x10000u
#define BASE 0x100000ull
#define MANY 100000u

/* mov rax,[rdi]; mov [rdi],rsi; a stop */
static const uint8_t code[] = {0x48, 0x8b, 0x07, 0x48, 0x89, 0x37, 0x90};

struct env {
    nw_engine *engine;
    nw_vcpu *vcpu;
};

static struct env env_open(void)
{
    nw_config config = {.arch = NW_ARCH_X86_64, .exceptions = NW_EXC_BARE};
    const uint64_t stop = CODE + 6;
    struct env e;

    assert_int_equal(nw_engine_open(&config, &e.engine), NW_OK);
    assert_int_equal(nw_mem_map(e.engine, CODE, PAGE, NW_RWX), NW_OK);
    assert_int_equal(nw_mem_write(e.engine, CODE, code, sizeof code), NW_OK);
    assert_int_equal(nw_vcpu_create(e.engine, &e.vcpu), NW_OK);
    assert_int_equal(nw_vcpu_set_stops(e.vcpu, &stop, 1), NW_OK);
    return e;
}

/* What was at GVA before VALUE was written there. */
static uint64_t swap(struct env *e, uint64_t gva, uint64_t value, nw_exit *x)
{
    uint64_t old = 0;

    nw_reg_write(e->vcpu, NW_X86_RAX + 7, gva);
    nw_reg_write(e->vcpu, NW_X86_RAX + 6, value);
    nw_reg_write(e->vcpu, NW_X86_RIP, CODE);
    assert_int_equal(nw_vcpu_run(e->vcpu, 0, x), NW_OK);
    nw_reg_read(e->vcpu, NW_X86_RAX, &old);
    return old;
}

static unsigned host_mappings(void)
{
    FILE *f = fopen("/proc/self/maps", "r");
    unsigned n = 0;
    int c;

    assert_non_null(f);
    while ((c = getc(f)) != EOF)
        n += c == '\n';
    fclose(f);
    return n;
}

/* Regions with gaps; each second one goes again. */
static void test_gaps(void **state)
{
    struct env e = env_open();
    nw_exit x;

    (void)state;
    for (uint64_t n = 0; n < MANY; n++) {
        assert_int_equal(nw_mem_map(e.engine, BASE + 2 * n * PAGE, PAGE, NW_RW), NW_OK);
        assert_int_equal(nw_mem_write(e.engine, BASE + 2 * n * PAGE, &n, 8), NW_OK);
    }
    assert_true(host_mappings() < 20000);
    for (uint64_t n = 0; n < MANY; n += 2)
        assert_int_equal(nw_mem_unmap(e.engine, BASE + 2 * n * PAGE, PAGE), NW_OK);
    assert_true(host_mappings() < 20000);
    for (uint64_t n = 0; n < MANY; n += 997) {
        uint64_t old = swap(&e, BASE + 2 * n * PAGE, ~n, &x);

        if (n & 1)
            assert_int_equal(old, n);
        assert_int_equal(x.reason, n & 1 ? NW_EXIT_STOP_POINT : NW_EXIT_FAULT);
    }
    /* What is mapped where something was is empty. */
    for (uint64_t n = 0; n < MANY; n += 2) {
        uint64_t old = 1;

        assert_int_equal(nw_mem_map(e.engine, BASE + 2 * n * PAGE, PAGE, NW_RW), NW_OK);
        assert_int_equal(nw_mem_read(e.engine, BASE + 2 * n * PAGE, &old, 8), NW_OK);
        assert_int_equal(old, 0);
    }
    nw_engine_close(e.engine);
}

/* One region whose pages get permissions in turn. */
static void test_protect(void **state)
{
    struct env e = env_open();
    nw_exit x;

    (void)state;
    assert_int_equal(nw_mem_map(e.engine, BASE, (uint64_t)MANY * PAGE, NW_RW), NW_OK);
    for (uint64_t n = 0; n < MANY; n += 1001)
        assert_int_equal(nw_mem_write(e.engine, BASE + n * PAGE, &n, 8), NW_OK);
    for (uint64_t n = 0; n < MANY; n += 2)
        assert_int_equal(nw_mem_protect(e.engine, BASE + n * PAGE, PAGE, NW_READ), NW_OK);
    assert_true(host_mappings() < 20000);
    for (uint64_t n = 0; n < MANY; n += 1001) {
        assert_int_equal(swap(&e, BASE + n * PAGE, 0, &x), n);
        assert_int_equal(x.reason, n & 1 ? NW_EXIT_STOP_POINT : NW_EXIT_FAULT);
    }
    nw_engine_close(e.engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gaps),
        cmocka_unit_test(test_protect),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
