/* Arguments of the public calls. */
#include "toy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "exec/engine.h"

static void test_open(void **state)
{
    nw_engine *e = (nw_engine *)1;
    nw_config config = {.arch = NW_ARCH_ARM};

    (void)state;
    assert_int_equal(nw_engine_open(NULL, &e), NW_ERR_ARG);
    assert_int_equal(nw_engine_open(&config, NULL), NW_ERR_ARG);
    config.arch = 99;
    assert_int_equal(nw_engine_open(&config, &e), NW_ERR_ARCH);
    assert_null(e);
    config = (nw_config){.arch = NW_ARCH_ARM, .cpu = "z80"};
    assert_int_equal(nw_engine_open(&config, &e), NW_ERR_CPU);
    config = (nw_config){.arch = NW_ARCH_ARM, .flags = 1u << 31};
    assert_int_equal(nw_engine_open(&config, &e), NW_ERR_ARG);
    config = (nw_config){.arch = NW_ARCH_ARM, .code_buffer = 100};
    assert_int_equal(nw_engine_open(&config, &e), NW_ERR_ARG);
    config = (nw_config){.arch = NW_ARCH_ARM, .exceptions = 7};
    assert_int_equal(nw_engine_open(&config, &e), NW_ERR_ARG);
    assert_null(e);
    config = (nw_config){.arch = NW_ARCH_ARM, .cpu = "cortex-a8"};
    assert_int_equal(nw_engine_open(&config, &e), NW_OK);
    nw_engine_close(e);
    nw_engine_close(NULL);
}

/* What messages recommend can be had. */
static void test_models(void **state)
{
    static const nw_arch archs[] = {NW_ARCH_ARM, NW_ARCH_X86, NW_ARCH_X86_64};

    (void)state;
    assert_null(nw_cpu_models((nw_arch)99));
    for (unsigned n = 0; n < 3; n++) {
        char text[1000], *rest = text;

        assert_true((size_t)snprintf(text, sizeof text, "%s", nw_cpu_models(archs[n])) <
                    sizeof text);
        for (char *word; (word = strtok_r(rest, ", ", &rest));) {
            nw_config config = {.arch = archs[n], .cpu = word};
            nw_engine *e;

            if (!strcmp(word, "or"))
                continue;
            assert_int_equal(nw_engine_open(&config, &e), NW_OK);
            nw_engine_close(e);
        }
    }
}

static void test_map(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);
        nw_engine *e = t.engine;
        char page[4096];

        assert_int_equal(nw_mem_map(NULL, 0, 0x1000, NW_RW), NW_ERR_ARG);
        assert_int_equal(nw_mem_map(e, 0x40000, 0, NW_RW), NW_ERR_ARG);
        assert_int_equal(nw_mem_map(e, 0x40001, 0x1000, NW_RW), NW_ERR_ARG);
        assert_int_equal(nw_mem_map(e, 0x40000, 0x1001, NW_RW), NW_ERR_ARG);
        assert_int_equal(nw_mem_map(e, 0x40000, 0x1000, 8), NW_ERR_ARG);
        assert_int_equal(nw_mem_map(e, 0xfffff000, 0x2000, NW_RW), NW_ERR_RANGE);
        assert_int_equal(nw_mem_map(e, 1ull << 32, 0x1000, NW_RW), NW_ERR_RANGE);
        assert_int_equal(nw_mem_map(e, 0, UINT64_MAX & ~0xfffull, NW_RW), NW_ERR_RANGE);
        assert_int_equal(nw_mem_map(e, 0x8000, 0x2000, NW_RW), NW_ERR_OVERLAP);
        assert_int_equal(nw_mem_map(e, 0xfffff000, 0x1000, NW_RW), NW_OK);
        assert_int_equal(nw_mem_map_ptr(e, 0x40000, 0x1000, NW_RW, NULL), NW_ERR_ARG);
        assert_int_equal(nw_mem_map_ptr(e, 0x8000, 0x1000, NW_RW, page), NW_ERR_OVERLAP);
        assert_int_equal(nw_mem_map_mmio(e, 0x40000, 0x1000, NULL, NULL, NULL), NW_ERR_ARG);
        assert_int_equal(nw_mem_unmap(e, 0x40000, 0x1000), NW_ERR_UNMAPPED);
        assert_int_equal(nw_mem_unmap(e, 0x8000, 0x2000), NW_ERR_UNMAPPED);
        assert_int_equal(nw_mem_protect(e, 0x8000, 0x2000, NW_READ), NW_ERR_UNMAPPED);
        assert_int_equal(nw_mem_protect(e, 0x8000, 0x1000, 16), NW_ERR_ARG);
        /* A failed call changes nothing. */
        toy_poke(&t, 0x8000, 1);
        assert_int_equal(nw_mem_map(e, 0x9000, 0x1000, NW_RW), NW_OK);
        assert_int_equal(nw_mem_unmap(e, 0x8000, 0x2000), NW_OK);
        assert_int_equal(nw_mem_read(e, 0x8000, page, 1), NW_ERR_UNMAPPED);
        toy_close(&t);
    }
}

static void test_copy(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);
        nw_engine *e = t.engine;
        static uint8_t big[0x12000];

        memset(big, 0xaa, sizeof big);
        assert_int_equal(nw_mem_read(NULL, 0, big, 1), NW_ERR_ARG);
        assert_int_equal(nw_mem_read(e, 0, NULL, 1), NW_ERR_ARG);
        assert_int_equal(nw_mem_read(e, 0, NULL, 0), NW_OK);
        assert_int_equal(nw_mem_write(e, 0, NULL, 1), NW_ERR_ARG);
        assert_int_equal(nw_mem_write(e, 0xffffffff, big, 2), NW_ERR_RANGE);
        assert_int_equal(nw_mem_write(e, UINT64_MAX, big, 2), NW_ERR_RANGE);
        /* No partial copy. */
        assert_int_equal(nw_mem_write(e, TOY_DATA + 0xf000, big, 0x2000), NW_ERR_UNMAPPED);
        assert_int_equal(toy_peek(&t, TOY_DATA + 0xf000), 0);
        assert_int_equal(nw_mem_write(e, TOY_DATA + 1, big, 0xffff), NW_OK);
        assert_int_equal(toy_peek(&t, TOY_DATA), 0xaaaaaa00);
        /* Over several mappings of several kinds of permissions. */
        assert_int_equal(nw_mem_protect(e, TOY_DATA + 0x2000, 0x1000, 0), NW_OK);
        assert_int_equal(nw_mem_protect(e, TOY_DATA + 0x4000, 0x1000, NW_EXEC), NW_OK);
        memset(big, 0x55, sizeof big);
        assert_int_equal(nw_mem_write(e, TOY_DATA + 0x800, big, 0x6000), NW_OK);
        memset(big, 0, sizeof big);
        assert_int_equal(nw_mem_read(e, TOY_DATA, big, 0x10000), NW_OK);
        for (unsigned i = 1; i < 0x10000; i++)
            assert_int_equal(big[i], i >= 0x800 && i < 0x6800 ? 0x55 : 0xaa);
        toy_close(&t);
    }
}

/* A map of random pieces against a table of pages. */
static void test_random_map(void **state)
{
    enum { PAGES = 64, BASE = 0x1000000 };

    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);
        int perms[PAGES]; /* -1: unmapped */
        uint32_t seed = 12345;

        for (unsigned i = 0; i < PAGES; i++)
            perms[i] = -1;
        TOY_LOAD(&t, TOY_CODE, TOY(LD, 1, 5, 0), TOY(SYS, 0, 0, 0), TOY(ST, 5, 5, 0),
                 TOY(SYS, 0, 0, 0));
        for (unsigned round = 0; round < 2000; round++) {
            unsigned first, n, what;
            bool any = false, all = true;
            uint32_t p;

            seed = seed * 1103515245 + 12345;
            first = seed >> 8 & (PAGES - 1);
            n = 1 + (seed >> 16 & 7);
            what = seed >> 20 & 3;
            p = seed >> 24 & 7;
            if (first + n > PAGES)
                n = PAGES - first;
            for (unsigned i = first; i < first + n; i++)
                any |= perms[i] >= 0, all &= perms[i] >= 0;
            if (what < 2) {
                assert_int_equal(nw_mem_map(t.engine, BASE + first * 0x1000, n * 0x1000, p),
                                 any ? NW_ERR_OVERLAP : NW_OK);
                for (unsigned i = first; !any && i < first + n; i++)
                    perms[i] = (int)p;
            } else if (what == 2) {
                assert_int_equal(nw_mem_unmap(t.engine, BASE + first * 0x1000, n * 0x1000),
                                 all ? NW_OK : NW_ERR_UNMAPPED);
                for (unsigned i = first; all && i < first + n; i++)
                    perms[i] = -1;
            } else {
                assert_int_equal(nw_mem_protect(t.engine, BASE + first * 0x1000, n * 0x1000, p),
                                 all ? NW_OK : NW_ERR_UNMAPPED);
                for (unsigned i = first; all && i < first + n; i++)
                    perms[i] = (int)p;
            }
            toy_set(&t, 5, BASE + first * 0x1000);
            toy_run(&t, TOY_CODE + (round & 1 ? 8 : 0), 0);
            p = round & 1 ? NW_WRITE : NW_READ;
            if (perms[first] < 0)
                assert_int_equal(t.exit.fault, NW_FAULT_UNMAPPED);
            else if (perms[first] & (int)p)
                assert_int_equal(t.exit.reason, NW_EXIT_SYSCALL);
            else
                assert_int_equal(t.exit.fault, NW_FAULT_PERM);
        }
        toy_close(&t);
    }
}

static void test_vcpu_calls(void **state)
{
    struct toy t = toy_open(&toy_modes[0]);
    nw_vcpu *v = NULL;
    nw_exit exit;
    uint64_t value;
    nw_stats stats;

    (void)state;
    assert_int_equal(nw_vcpu_create(NULL, &v), NW_ERR_ARG);
    assert_int_equal(nw_vcpu_create(t.engine, NULL), NW_ERR_ARG);
    assert_int_equal(nw_vcpu_run(NULL, 0, &exit), NW_ERR_ARG);
    assert_int_equal(nw_vcpu_run(t.vcpu, 0, NULL), NW_ERR_ARG);
    assert_int_equal(nw_vcpu_set_irq(NULL, 0, true), NW_ERR_ARG);
    assert_int_equal(nw_reg_read(t.vcpu, 99, &value), NW_ERR_ARG);
    assert_int_equal(nw_reg_read(t.vcpu, 0, NULL), NW_ERR_ARG);
    assert_int_equal(nw_reg_read(NULL, 0, &value), NW_ERR_ARG);
    assert_int_equal(nw_reg_write(NULL, 0, 0), NW_ERR_ARG);
    nw_vcpu_stop(NULL);
    nw_vcpu_destroy(NULL);
    nw_engine_stats(NULL, &stats);
    nw_engine_stats(t.engine, NULL);
    assert_int_equal(nw_vcpu_create(t.engine, &v), NW_OK);
    nw_vcpu_destroy(v);
    for (int s = NW_OK; s <= NW_ERR_INTERNAL + 1; s++)
        assert_true(strlen(nw_status_text((nw_status)s)) > 3);
    toy_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open),       cmocka_unit_test(test_map),
        cmocka_unit_test(test_copy),       cmocka_unit_test(test_random_map),
        cmocka_unit_test(test_vcpu_calls), cmocka_unit_test(test_models),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
