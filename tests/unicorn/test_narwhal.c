/* What Narwhal has beyond Unicorn: the controls of unicorn/narwhal.h. */
#include <unicorn/narwhal.h>

#include <pthread.h>
#include "uc_test.h"

/* mov ecx,5; l: inc eax; dec ecx; jnz l; nop */
#define LOOP BYTES("\xb9\x05\x00\x00\x00\xff\xc0\xff\xc9\x75\xfa\x90")

static void test_words(void **state)
{
    struct uct t;
    uint64_t n = 0;
    uc_hook h = 77;

    (void)state;
    uct_x86(&t, 64, LOOP);
    fails(uc_ctl(t.uc, UC_CTL_WRITE(UC_CTL_NW_COUNTER, 4), &h, &n, 0, 1ull, 0ull), UC_ERR_ARG);
    fails(uc_ctl(t.uc, UC_CTL_READ(UC_CTL_NW_COUNTER, 5), &h, &n, 0, 1ull, 0ull), UC_ERR_ARG);
    fails(uc_ctl_nw_counter(t.uc, NULL, &n, 0, 1, 0), UC_ERR_ARG);
    fails(uc_ctl_nw_counter(t.uc, &h, NULL, 0, 1, 0), UC_ERR_ARG);
    fails(uc_ctl_nw_coverage(t.uc, &h, &n, 6, 1, 0), UC_ERR_ARG);
    fails(uc_ctl_nw_ring(t.uc, &h, NULL, 0, 1, 0), UC_ERR_ARG);
    fails(uc_ctl_nw_snapshot_take(t.uc, NULL), UC_ERR_ARG);
    fails(uc_ctl_nw_snapshot_restore(t.uc, 1), UC_ERR_ARG);
    fails(uc_ctl_nw_snapshot_drop(t.uc, 1), UC_ERR_ARG);
    fails(uc_ctl_nw_vcpu(t.uc, NULL), UC_ERR_ARG);
    fails(uc_ctl(t.uc, UC_CTL_READ(63, 1), &n), UC_ERR_ARG);
    fails(uc_ctl(t.uc, UC_CTL_READ(UC_CTL_NW_VCPU + 1, 1), &n), UC_ERR_ARG);
    assert_int_equal(h, 77);
    uct_close(&t);
}

static void test_counter(void **state)
{
    struct uct t;
    uint64_t all = 0, part = 0, blocks = 0;
    uc_hook h[3];

    (void)state;
    uct_x86(&t, 64, LOOP);
    ok(uct_run(&t));
    ok(uc_ctl_nw_counter(t.uc, &h[0], &all, 0, 1, 0));
    ok(uct_run(&t));
    assert_int_equal(all, 1 + 5 * 3 + 1);
    ok(uc_ctl_nw_counter(t.uc, &h[1], &part, 0, CODE + 5, CODE + 7));
    ok(uc_ctl_nw_counter(t.uc, &h[2], &blocks, 1, 1, 0));
    ok(uct_run(&t));
    assert_int_equal(all, 2 * 17);
    assert_int_equal(part, 10);
    assert_int_equal(blocks, 1 + 4 + 1);
    ok(uc_hook_del(t.uc, h[0]));
    ok(uc_hook_del(t.uc, h[2]));
    ok(uct_run(&t));
    assert_int_equal(all, 2 * 17);
    assert_int_equal(part, 20);
    assert_int_equal(blocks, 6);
    uct_close(&t);
}

static void test_ring(void **state)
{
    struct uct t;
    uint64_t at[4];
    uc_nw_ring ring = {at, 4, 0}, bad = {at, 3, 0};
    uc_hook h;

    (void)state;
    uct_x86(&t, 64, LOOP);
    fails(uc_ctl_nw_ring(t.uc, &h, &bad, 0, 1, 0), UC_ERR_ARG);
    ok(uc_ctl_nw_ring(t.uc, &h, &ring, 0, 1, 0));
    ok(uct_run(&t));
    assert_int_equal(ring.position, 17);
    assert_int_equal(at[16 % 4], CODE + 11);
    assert_int_equal(at[15 % 4], CODE + 9);
    assert_int_equal(at[14 % 4], CODE + 7);
    assert_int_equal(at[13 % 4], CODE + 5);
    ok(uc_hook_del(t.uc, h));
    ok(uct_run(&t));
    assert_int_equal(ring.position, 17);
    uct_close(&t);
}

static unsigned sum(const uint8_t *map, unsigned n, unsigned *edges)
{
    unsigned total = 0;

    *edges = 0;
    for (unsigned i = 0; i < n; i++) {
        total += map[i];
        *edges += map[i] != 0;
    }
    return total;
}

static void test_coverage(void **state)
{
    struct uct t;
    uint8_t map[4096] = {0}, first[4096];
    unsigned edges;
    uc_hook h;

    (void)state;
    uct_x86(&t, 64, LOOP);
    ok(uc_ctl_nw_coverage(t.uc, &h, map, sizeof map, 1, 0));
    ok(uct_run(&t));
    assert_int_equal(sum(map, sizeof map, &edges), 6);
    assert_int_equal(edges, 4); /* into the code, to the loop, around it, out of it */
    /* The same way gives the same map. */
    memcpy(first, map, sizeof map);
    memset(map, 0, sizeof map);
    ok(uct_run(&t));
    assert_memory_equal(map, first, sizeof map);
    uct_close(&t);
}

static unsigned calls;

static int on_insn(uc_engine *uc, void *user)
{
    (void)uc;
    calls++;
    return user != NULL;
}

static void test_any_instruction(void **state)
{
    struct uct t;
    int dec = 0, svc = 0;
    uc_hook h;

    (void)state;
    uct_x86(&t, 64, LOOP);
    fails(uc_ctl_nw_insn_id(t.uc, "fly", &dec), UC_ERR_HOOK);
    fails(uc_ctl_nw_insn_id(t.uc, NULL, &dec), UC_ERR_ARG);
    fails(uc_ctl_nw_insn_id(t.uc, "dec", NULL), UC_ERR_ARG);
    ok(uc_ctl_nw_insn_id(t.uc, "dec", &dec));
    calls = 0;
    ok(uc_hook_add(t.uc, &h, UC_HOOK_INSN, (void *)on_insn, NULL, 1, 0, dec));
    ok(uct_run(&t));
    assert_int_equal(calls, 5);
    uct_close(&t);

    /* mov r0,#1; svc #0; mov r0,#2 */
    uct_arm(&t, 0, BYTES("\x01\x00\xa0\xe3\x00\x00\x00\xef\x02\x00\xa0\xe3"));
    ok(uc_ctl_nw_insn_id(t.uc, "svc", &svc));
    calls = 0;
    ok(uc_hook_add(t.uc, &h, UC_HOOK_INSN, (void *)on_insn, &calls, 1, 0, svc));
    ok(uct_run(&t)); /* the hook has done it: no exception */
    assert_int_equal(calls, 1);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 2);
    uct_close(&t);
}

static void test_snapshots(void **state)
{
    struct uct t;
    uint64_t first, second;
    uc_mem_region *regions;
    uint32_t n;

    (void)state;
    uct_x86(&t, 64, LOOP);
    uct_set(&t, UC_X86_REG_RAX, 11);
    uct_poke(&t, DATA, 1, 8);
    ok(uc_ctl_nw_snapshot_take(t.uc, &first));
    uct_set(&t, UC_X86_REG_RAX, 12);
    uct_poke(&t, DATA, 2, 8);
    ok(uc_mem_map(t.uc, NOWHERE, 0x1000, UC_PROT_ALL));
    ok(uc_mem_protect(t.uc, CODE, 0x1000, UC_PROT_READ));
    ok(uc_ctl_nw_snapshot_take(t.uc, &second));
    uct_poke(&t, DATA, 3, 8);
    ok(uc_ctl_nw_snapshot_restore(t.uc, second));
    assert_int_equal(uct_mem(&t, DATA, 8), 2);
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 12);
    for (int i = 0; i < 2; i++) {
        uct_set(&t, UC_X86_REG_RAX, 99);
        uct_poke(&t, DATA, 99, 8);
        ok(uc_ctl_nw_snapshot_restore(t.uc, first));
        assert_int_equal(uct_mem(&t, DATA, 8), 1);
        assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 11);
        ok(uc_mem_regions(t.uc, &regions, &n));
        assert_int_equal(n, 1);
        assert_int_equal(regions[0].perms, UC_PROT_ALL);
        ok(uc_free(regions));
        ok(uct_run(&t)); /* may be executed again */
        assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 16);
    }
    fails(uc_ctl_nw_snapshot_restore(t.uc, second), UC_ERR_ARG);
    ok(uc_ctl_nw_snapshot_drop(t.uc, first));
    fails(uc_ctl_nw_snapshot_drop(t.uc, first), UC_ERR_ARG);
    fails(uc_ctl_nw_snapshot_restore(t.uc, first), UC_ERR_ARG);
    uct_close(&t);
}

/* ---- several vCPUs ---- */

static uc_engine *seen;

static void note_engine(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    (void)address, (void)size, (void)user;
    seen = uc;
}

static void test_vcpus(void **state)
{
    struct uct t;
    uc_engine *other;
    uint64_t rax = 5, rsp = 1, word = 0x1122;
    uc_hook h;

    (void)state;
    uct_x86(&t, 64, LOOP);
    ok(uc_hook_add(t.uc, &h, UC_HOOK_CODE, (void *)note_engine, NULL, CODE, CODE));
    uct_set(&t, UC_X86_REG_RAX, 100);
    ok(uc_ctl_nw_vcpu(t.uc, &other));
    ok(uc_reg_read(other, UC_X86_REG_RSP, &rsp));
    assert_int_equal(rsp, 0);
    ok(uc_reg_write(other, UC_X86_REG_RAX, &rax));
    ok(uc_emu_start(other, CODE, t.end, 0, 0));
    assert_ptr_equal(seen, other);
    ok(uc_reg_read(other, UC_X86_REG_RAX, &rax));
    assert_int_equal(rax, 10);
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 100);
    ok(uct_run(&t));
    assert_ptr_equal(seen, t.uc);
    /* One memory. */
    ok(uc_mem_write(other, DATA, &word, 8));
    assert_int_equal(uct_mem(&t, DATA, 8), 0x1122);
    /* What the first has added lives on without it. */
    uct_close(&t);
    seen = NULL;
    ok(uc_emu_start(other, CODE, t.end, 0, 0));
    assert_ptr_equal(seen, other);
    ok(uc_hook_del(other, h));
    seen = NULL;
    ok(uc_emu_start(other, CODE, t.end, 0, 0));
    assert_null(seen);
    ok(uc_close(other));
}

static void *run_loop(void *uc)
{
    return (void *)(uintptr_t)uc_emu_start(uc, CODE, CODE + 9, 0, 0);
}

static void test_vcpu_threads(void **state)
{
    struct uct t;
    pthread_t thread;
    void *result;
    uc_engine *other;
    uint64_t rcx = 100000, rdi = DATA;

    (void)state;
    /* l: lock inc dword [rdi]; dec ecx; jnz l; nop; nop; nop */
    uct_x86(&t, 64, BYTES("\xf0\xff\x07\xff\xc9\x75\xf9\x90\x90\x90"));
    ok(uc_ctl_nw_vcpu(t.uc, &other));
    ok(uc_reg_write(other, UC_X86_REG_RCX, &rcx));
    ok(uc_reg_write(other, UC_X86_REG_RDI, &rdi));
    uct_set(&t, UC_X86_REG_RCX, rcx);
    uct_set(&t, UC_X86_REG_RDI, rdi);
    assert_int_equal(pthread_create(&thread, NULL, run_loop, other), 0);
    ok((uc_err)(uintptr_t)run_loop(t.uc));
    assert_int_equal(pthread_join(thread, &result), 0);
    ok((uc_err)(uintptr_t)result);
    assert_int_equal(uct_mem(&t, DATA, 4), 200000);
    ok(uc_close(other));
    uct_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_counter),
        cmocka_unit_test(test_ring),
        cmocka_unit_test(test_coverage),
        cmocka_unit_test(test_any_instruction),
        cmocka_unit_test(test_snapshots),
        cmocka_unit_test(test_vcpus),
        cmocka_unit_test(test_vcpu_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
