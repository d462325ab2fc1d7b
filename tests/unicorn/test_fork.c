/* fork() of a process that has engines, as fuzzers do it: what the child translates, links and
 * changes is the child's, and parent and child both go on. */
#include <sys/wait.h>
#include <unistd.h>
#include "uc_test.h"

#define NEXT (CODE + 0x100)

/* inc eax; jmp NEXT */
static const uint8_t first[] = {0xff, 0xc0, 0xe9, 0xf9, 0x00, 0x00, 0x00};
/* add eax, 10; dec ecx; jnz CODE */
static const uint8_t next[] = {0x83, 0xc0, 0x0a, 0xff, 0xc9, 0x0f, 0x85, 0xf5, 0xfe, 0xff, 0xff};
#define NEXT_END (NEXT + sizeof next)

static void start(struct uct *t)
{
    uct_x86(t, 64, first, sizeof first);
}

static void load(uc_engine *uc, uint8_t addend)
{
    uint8_t changed[sizeof next];

    memcpy(changed, next, sizeof next);
    changed[2] = addend;
    ok(uc_mem_write(uc, NEXT, changed, sizeof changed));
}

/* Is the result that of COUNT rounds? */
static bool rounds(uc_engine *uc, uint32_t count, uint8_t addend)
{
    uint32_t eax = 0, ecx = count;

    uc_reg_write(uc, UC_X86_REG_EAX, &eax);
    uc_reg_write(uc, UC_X86_REG_ECX, &ecx);
    if (uc_emu_start(uc, CODE, NEXT_END, 0, 0) != UC_ERR_OK)
        return false;
    uc_reg_read(uc, UC_X86_REG_EAX, &eax);
    return eax == count * (1u + addend);
}

static void join(pid_t pid)
{
    int status;

    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* The child is the first one that comes to the second block: the parent's first one must not lead
 * there. */
static void test_links(void **state)
{
    struct uct t;
    uint32_t eax = 0;

    (void)state;
    start(&t);
    load(t.uc, 10);
    ok(uc_emu_start(t.uc, CODE, NEXT, 0, 0));
    for (uint8_t addend = 20; addend < 25; addend++) {
        pid_t pid = fork();

        if (!pid)
            _exit(rounds(t.uc, 100, 10) ? 0 : 1);
        join(pid);
        pid = fork();
        if (!pid) {
            load(t.uc, addend);
            _exit(rounds(t.uc, 100, addend) && rounds(t.uc, 7, addend) ? 0 : 1);
        }
        ok(uc_emu_start(t.uc, CODE, NEXT, 0, 0));
        ok(uc_reg_read(t.uc, UC_X86_REG_EAX, &eax));
        join(pid);
    }
    load(t.uc, 30);
    assert_true(rounds(t.uc, 100, 30));
    load(t.uc, 31);
    assert_true(rounds(t.uc, 100, 31));
    uct_close(&t);
}

/* Both write code while both run. */
static void test_at_once(void **state)
{
    struct uct t, other;
    bool good = true;
    pid_t pid;

    (void)state;
    start(&t);
    start(&other);
    load(t.uc, 1);
    assert_true(rounds(t.uc, 10, 1));
    pid = fork();
    for (unsigned n = 0; n < 300 && good; n++) {
        uint8_t a = (uint8_t)((n + (pid ? 0 : 50)) % 100), b = (uint8_t)(a + 1);

        load(t.uc, a);
        load(other.uc, b);
        good = rounds(t.uc, 10, a) && rounds(other.uc, 20, b);
    }
    if (!pid)
        _exit(good ? 0 : 1);
    join(pid);
    assert_true(good);
    uct_close(&t);
    uct_close(&other);
}

struct forked {
    pid_t pid;
    unsigned calls;
};

static void fork_here(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    struct forked *f = user;

    (void)uc, (void)address, (void)size;
    if (++f->calls == 3)
        f->pid = fork();
}

/* In a callback, with translated code on the stack. */
static void test_in_hook(void **state)
{
    struct uct t;
    struct forked f = {-1, 0};
    uc_hook hook;
    bool good;

    (void)state;
    start(&t);
    load(t.uc, 5);
    ok(uc_hook_add(t.uc, &hook, UC_HOOK_CODE, fork_here, &f, (uint64_t)NEXT, (uint64_t)NEXT));
    good = rounds(t.uc, 50, 5) && f.calls == 50;
    if (!f.pid) {
        load(t.uc, 9);
        good = good && rounds(t.uc, 30, 9);
        _exit(good && uc_close(t.uc) == UC_ERR_OK ? 0 : 1);
    }
    load(t.uc, 6);
    assert_true(good && rounds(t.uc, 20, 6));
    join(f.pid);
    uct_close(&t);
}

/* In a run that ends by its timeout, in the child too: the thread that waits is the parent's. */
static void test_timeout(void **state)
{
    struct uct t;
    struct forked f = {-1, 0};
    uc_hook hook;
    size_t timed_out = 0;

    (void)state;
    if (!DIFFERS("fork-timeout", "in the child such a run does not end"))
        return;
    uct_x86(&t, 64, BYTES("\x48\xff\xc0\xeb\xfb") /* l: inc rax; jmp l */);
    ok(uc_hook_add(t.uc, &hook, UC_HOOK_CODE, fork_here, &f, (uint64_t)CODE, (uint64_t)CODE));
    ok(uc_emu_start(t.uc, CODE, 0, 50000, 0));
    ok(uc_query(t.uc, UC_QUERY_TIMEOUT, &timed_out));
    if (!f.pid)
        _exit(timed_out == 1 && uc_close(t.uc) == UC_ERR_OK ? 0 : 1);
    join(f.pid);
    assert_int_equal(timed_out, 1);
    uct_close(&t);
}

/* Engines that the child opens and closes. */
static void test_new_ones(void **state)
{
    struct uct t;
    pid_t pid;

    (void)state;
    start(&t);
    load(t.uc, 1);
    assert_true(rounds(t.uc, 10, 1));
    uct_close(&t);
    pid = fork();
    for (uint8_t n = 0; n < 20; n++) {
        uint8_t addend = (uint8_t)(n + (pid ? 0 : 50));

        start(&t);
        load(t.uc, addend);
        bool good = rounds(t.uc, 1000, addend);
        if (!pid && !good)
            _exit(1);
        assert_true(good);
        uct_close(&t);
    }
    if (!pid)
        _exit(0);
    join(pid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_links),    cmocka_unit_test(test_at_once),
        cmocka_unit_test(test_in_hook),  cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_new_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
