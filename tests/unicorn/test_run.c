/* Runs begin and end: until, counts, timeouts, stops from hooks and threads, runs inside runs. */
#include "uc_test.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

static uint64_t run_to(struct uct *t, uint64_t begin, uint64_t until, size_t count)
{
    ok(uc_emu_start(t->uc, begin, until, 0, count));
    return uct_pc(t);
}

static void test_until(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x48\xff\xc0\x48\xff\xc0\x48\xff\xc0\x48\xff\xc0\xf4\x90") /* inc rax; inc rax; inc rax; inc rax; hlt; nop */);
    assert_int_equal(run_to(&t, CODE, CODE + 6, 0), CODE + 6);
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 2);
    assert_int_equal(run_to(&t, CODE + 6, CODE + 12, 0), CODE + 12);
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 4);
    /* An earlier end in code that has run before. */
    assert_int_equal(run_to(&t, CODE, CODE + 3, 0), CODE + 3);
    assert_int_equal(run_to(&t, CODE, CODE + 9, 0), CODE + 9);
    /* The inside of an instruction is no end; HLT is, and lies behind. */
    assert_int_equal(run_to(&t, CODE, CODE + 4, 0), CODE + 13);
    assert_int_equal(run_to(&t, CODE, 0, 0), CODE + 13);
    uct_close(&t);
}

static void test_until_in_loop(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x31\xc0\xff\xc0\x83\xf8\x0a\x75\xf9\x90") /* xor eax,eax; l: inc eax; cmp eax,10; jne l; nop */);
    assert_int_equal(run_to(&t, CODE, CODE + 2, 0), CODE + 2);
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 0);
    assert_int_equal(run_to(&t, CODE, CODE + 4, 0), CODE + 4);
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 1);
    assert_int_equal(run_to(&t, CODE, t.end, 0), t.end);
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 10);
    uct_close(&t);
}

static void test_begin_is_until(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x48\xff\xc0\x48\xff\xc0") /* inc rax; inc rax */);
    assert_int_equal(run_to(&t, CODE, CODE, 0), CODE);
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 0);
    assert_int_equal(run_to(&t, NOWHERE, NOWHERE, 0), NOWHERE);
    if (DIFFERS("start-equal-cached",
                "such a start leaves an empty block that ends later runs there")) {
        assert_int_equal(run_to(&t, CODE, CODE + 6, 0), CODE + 6);
        assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 2);
    }
    uct_close(&t);
}

static void test_begin_nowhere(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    fails(uc_emu_start(t.uc, NOWHERE, 0, 0, 0), UC_ERR_FETCH_UNMAPPED);
    assert_int_equal(uct_pc(&t), NOWHERE);
    fails(uc_emu_start(t.uc, NOWHERE, 0, 0, 1), UC_ERR_FETCH_UNMAPPED);
    uct_close(&t);
    uct_arm(&t, UC_MODE_ARM, BYTES("\x00\xf0\x20\xe3") /* nop */);
    fails(uc_emu_start(t.uc, NOWHERE, 0, 0, 0), UC_ERR_FETCH_UNMAPPED);
    assert_int_equal(uct_pc(&t), NOWHERE);
    uct_close(&t);
}

static void test_count(void **state)
{
    static const struct {
        size_t count;
        uint64_t pc, rax;
    } rows[] = {{1, 2, 0}, {2, 4, 1}, {3, 7, 1},   {4, 2, 1},
                {5, 4, 2}, {7, 2, 2}, {31, 9, 10}, {32, 10, 10}};
    struct uct t;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uct_x86(&t, 64, BYTES("\x31\xc0\xff\xc0\x83\xf8\x0a\x75\xf9\x90") /* xor eax,eax; l: inc eax; cmp eax,10; jne l; nop */);
        assert_int_equal(run_to(&t, CODE, t.end, rows[i].count), CODE + rows[i].pc);
        assert_int_equal(uct_get(&t, UC_X86_REG_RAX), rows[i].rax);
        uct_close(&t);
    }
}

static void test_count_cached(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x31\xc0\xff\xc0\x83\xf8\x64\x75\xf9\x90") /* xor eax,eax; l: inc eax; cmp eax,100; jne l; nop */);
    assert_int_equal(run_to(&t, CODE, t.end, 0), t.end);
    if (DIFFERS("count-cached", "code that ran before without a count runs past it"))
        for (size_t n = 1; n < 20; n++) {
            run_to(&t, CODE, t.end, n);
            assert_int_equal(uct_get(&t, UC_X86_REG_RAX), (n + 1) / 3);
        }
    assert_int_equal(run_to(&t, CODE, t.end, 0), t.end);
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 100);
    uct_close(&t);
}

static void test_count_straight(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90\x90\x90\xf4\x90") /* nop; nop; nop; hlt; nop */);
    assert_int_equal(run_to(&t, CODE, CODE + 5, 2), CODE + 2);
    assert_int_equal(run_to(&t, CODE, CODE + 5, 1), CODE + 1);
    assert_int_equal(run_to(&t, CODE, CODE + 5, 3), CODE + 3);
    assert_int_equal(run_to(&t, CODE + 3, CODE + 5, 1), CODE + 4);
    if (DIFFERS("until-counted", "a run with a count passes an end inside of cached code")) {
        assert_int_equal(run_to(&t, CODE, CODE + 2, 100), CODE + 2);
        assert_int_equal(run_to(&t, CODE, CODE + 1, 2), CODE + 1);
        assert_int_equal(run_to(&t, CODE, CODE + 2, 2), CODE + 2);
    }
    uct_close(&t);
}

/* Each iteration counts, and the look at the counter that ends it. */
static void test_count_rep(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\xb9\x05\x00\x00\x00\xf3\xaa\x90") /* mov ecx,5; rep stosb; nop */);
    uct_set(&t, UC_X86_REG_RDI, DATA);
    assert_int_equal(run_to(&t, CODE, t.end, 3), CODE + 5);
    assert_int_equal(uct_get(&t, UC_X86_REG_RCX), 3);
    assert_int_equal(run_to(&t, CODE + 5, t.end, 1), CODE + 5);
    assert_int_equal(uct_get(&t, UC_X86_REG_RCX), 2);
    assert_int_equal(run_to(&t, CODE + 5, t.end, 0), t.end);
    assert_int_equal(uct_get(&t, UC_X86_REG_RDI), DATA + 5);
    uct_close(&t);
}

static void test_count_arm(void **state)
{
    struct uct t;

    (void)state;
    uct_arm(&t,
            UC_MODE_ARM, BYTES("\x01\x00\x50\xe3\x01\x10\x81\x02\x02\x10\x81\x12\x00\xf0\x20\xe3") /* cmp r0,#1; addeq r1,#1; addne r1,#2; nop */);
    assert_int_equal(run_to(&t, CODE, t.end, 2), CODE + 8);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 0);
    assert_int_equal(run_to(&t, CODE, t.end, 3), CODE + 12);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 2);
    uct_close(&t);
    uct_arm(&t, UC_MODE_THUMB, BYTES("\x01\x20\x41\xf2\x34\x21\x01\x30\xfd\xe7") /* movs r0,#1; movw r1,#0x1234; adds r0,#1; b .-2 */);
    assert_int_equal(run_to(&t, CODE + 1, 0, 2), CODE + 6);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 0x1234);
    assert_int_equal(run_to(&t, CODE + 7, 0, 20), CODE + 6);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 11);
    uct_close(&t);
}

static size_t timed_out(struct uct *t)
{
    size_t v = 99;

    ok(uc_query(t->uc, UC_QUERY_TIMEOUT, &v));
    return v;
}

static void test_timeout(void **state)
{
    struct timespec a, b;
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x48\xff\xc0\xeb\xfb") /* l: inc rax; jmp l */);
    clock_gettime(CLOCK_MONOTONIC, &a);
    ok(uc_emu_start(t.uc, CODE, 0, 50000, 0));
    clock_gettime(CLOCK_MONOTONIC, &b);
    assert_in_range((b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000, 45, 5000);
    assert_int_equal(timed_out(&t), 1);
    assert_true(uct_get(&t, UC_X86_REG_RAX) > 100);
    uct_code(&t, DATA, BYTES("\x90") /* nop */);
    ok(uc_emu_start(t.uc, DATA, DATA + 1, 10000000, 0));
    assert_int_equal(timed_out(&t), 0);
    uct_code(&t, CODE, BYTES("\x90") /* nop */);
    if (DIFFERS("smc-timeout", "code that timed out is not translated anew when it is written")) {
        ok(uc_emu_start(t.uc, CODE, CODE + 1, 10000000, 0));
        assert_int_equal(timed_out(&t), 0);
    }
    uct_close(&t);
}

static void test_stop_before_start(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90\x90") /* nop; nop */);
    ok(uc_emu_stop(t.uc));
    ok(uct_run(&t));
    assert_int_equal(uct_pc(&t), t.end);
    ok(uc_emu_stop(t.uc));
    uct_close(&t);
}

static void *stopper(void *uc)
{
    usleep(30000);
    ok(uc_emu_stop(uc));
    return NULL;
}

static void test_stop_from_thread(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x48\xff\xc0\xeb\xfb") /* l: inc rax; jmp l */);
    for (int i = 0; i < 3; i++) {
        pthread_t thread;

        pthread_create(&thread, NULL, stopper, t.uc);
        ok(uc_emu_start(t.uc, CODE, 0, 0, 0));
        pthread_join(thread, NULL);
        assert_true(uct_get(&t, UC_X86_REG_RAX) > 100);
        assert_int_equal(timed_out(&t), 0);
        uct_set(&t, UC_X86_REG_RAX, 0);
    }
    uct_close(&t);
}

static void *run_alone(void *user)
{
    struct uct t;

    (void)user;
    for (int i = 0; i < 20; i++) {
        uct_x86(&t, 64, BYTES("\xb9\xe8\x03\x00\x00\x48\xff\xc0\xff\xc9\x75\xf9") /* mov ecx,1000; l: inc rax; dec ecx; jnz l */);
        ok(uct_run(&t));
        assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 1000);
        uct_close(&t);
    }
    return NULL;
}

static void test_engines_on_threads(void **state)
{
    pthread_t threads[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, run_alone, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

/* ---- runs inside of hooks ---- */

static void nested(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    struct uct *t = user;

    (void)size;
    if (address != CODE + 1)
        return;
    fails(uc_emu_start(uc, DATA, DATA + 6, 0, 0), UC_ERR_OK);
    uct_add(t, "after");
}

static void test_nested(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x48\xff\xc0\x48\xff\xc0") /* inc rax; inc rax */);
    uct_code(&t, DATA, BYTES("\x48\xff\xc0\x48\xff\xc0")); /* inc rax; inc rax */
    uct_code(&t, CODE, BYTES("\x90\x90\x90\x90") /* nop; nop; nop; nop */);
    uct_hook(&t, UC_HOOK_CODE, (void *)nested);
    uct_log(&t, "c");
    ok(uct_run(&t));
    if (DIFFERS("nested-pc", "hooks after it read the inner run's pc"))
        uct_expect(&t, "c1000:1 c2000:3 c2003:3 after c1001:1 c1002:1 c1003:1");
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 2);
    assert_int_equal(uct_pc(&t), t.end);
    uct_close(&t);
}

static unsigned depth;
static uc_err deepest;

static void deeper(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    (void)size;
    (void)user;
    if (++depth < 100) {
        uc_err e = uc_emu_start(uc, address, address + 1, 0, 0);
        if (e)
            deepest = e;
    }
}

static void test_too_deep(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    uct_hook(&t, UC_HOOK_CODE, (void *)deeper);
    if (DIFFERS("nested-64", "crashes")) {
        ok(uct_run(&t));
        assert_int_equal(deepest, UC_ERR_RESOURCE);
        assert_in_range(depth, 64, 65);
    }
    uct_close(&t);
}

static void nested_error(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    (void)size;
    (void)user;
    if (address == CODE + 1)
        fails(uc_emu_start(uc, NOWHERE, 0, 0, 0), UC_ERR_FETCH_UNMAPPED);
}

static void test_nested_error(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90\x90\x90") /* nop; nop; nop */);
    uct_hook(&t, UC_HOOK_CODE, (void *)nested_error);
    ok(uct_run(&t));
    assert_int_equal(uct_pc(&t), t.end);
    uct_close(&t);
}

static void nested_stop(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    (void)size;
    (void)user;
    if (address == CODE + 1)
        ok(uc_emu_start(uc, DATA, DATA + 3, 0, 0));
    if (address == DATA + 1)
        ok(uc_emu_stop(uc));
}

/* A stop ends the innermost run. */
static void test_nested_stop(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90\x90\x90") /* nop; nop; nop */);
    uct_poke(&t, DATA, 0x909090, 3);
    uct_log(&t, "c");
    uct_hook(&t, UC_HOOK_CODE, (void *)nested_stop);
    ok(uct_run(&t));
    if (DIFFERS("nested-stop", "after it the outer run calls no hooks"))
        uct_expect(&t, "c1000:1 c1001:1 c2000:1 c2001:1 c1002:1");
    assert_int_equal(uct_pc(&t), t.end);
    uct_close(&t);
}

static void nested_in_interrupt(uc_engine *uc, uint32_t number, void *user)
{
    (void)number;
    (void)user;
    ok(uc_emu_start(uc, DATA, DATA + 2, 0, 0));
}

static void test_nested_in_interrupt(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\xcd\x80\x48\xff\xc0") /* int 0x80; inc rax */);
    uct_poke(&t, DATA, 0x9090, 2);
    uct_hook(&t, UC_HOOK_INTR, (void *)nested_in_interrupt);
    if (DIFFERS("nested-interrupt", "the outer run goes on where the inner one ended")) {
        ok(uct_run(&t));
        assert_int_equal(uct_pc(&t), t.end);
        assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 1);
    }
    uct_close(&t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_until),
        cmocka_unit_test(test_until_in_loop),
        cmocka_unit_test(test_begin_is_until),
        cmocka_unit_test(test_begin_nowhere),
        cmocka_unit_test(test_count),
        cmocka_unit_test(test_count_cached),
        cmocka_unit_test(test_count_straight),
        cmocka_unit_test(test_count_rep),
        cmocka_unit_test(test_count_arm),
        cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_stop_before_start),
        cmocka_unit_test(test_stop_from_thread),
        cmocka_unit_test(test_engines_on_threads),
        cmocka_unit_test(test_nested),
        cmocka_unit_test(test_too_deep),
        cmocka_unit_test(test_nested_error),
        cmocka_unit_test(test_nested_stop),
        cmocka_unit_test(test_nested_in_interrupt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
