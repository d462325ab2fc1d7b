/* Parent and child go on with engines of their own. */
#include "toy.h"

#include <sys/wait.h>
#include <unistd.h>

/* Work that links blocks, translates new ones, and rewrites code. */
static bool work(struct toy *t, uint32_t step)
{
    for (uint32_t i = 1; i < 20; i++) {
        toy_poke(t, 0x3000, TOY(ADDI, 2, 2, step * i));
        toy_set(t, 1, 100);
        toy_set(t, 2, 0);
        if (toy_run(t, TOY_CODE, 0) != NW_EXIT_SYSCALL || toy_get(t, 2) != 100 * step * i ||
            toy_peek(t, TOY_DATA) != 100 * step * i)
            return false;
    }
    return true;
}

static void test_fork(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);
        nw_vcpu *other;
        int status;
        pid_t pid;

        assert_int_equal(nw_vcpu_create(t.engine, &other), NW_OK);
        TOY_LOAD(&t, 0x3000, TOY(ADDI, 2, 2, 1), TOY(ST, 2, 5, 0), TOY(JR, 14, 0, 0));
        TOY_LOAD(&t, TOY_CODE, TOY(JAL, 14, 0, 0x800), TOY(ADDI, 1, 1, -1), TOY(BNE, 1, 0, -2),
                 TOY(SYS, 0, 0, 0));
        toy_set(&t, 5, TOY_DATA);
        assert_true(work(&t, 1));
        for (unsigned round = 0; round < 3; round++) {
            pid = fork();
            if (pid == 0) {
                bool ok = work(&t, 2) && work(&t, 3);

                nw_engine_close(t.engine);
                _exit(ok ? 0 : 1);
            }
            assert_true(pid > 0);
            assert_true(work(&t, 5));
            assert_int_equal(waitpid(pid, &status, 0), pid);
            assert_int_equal(status, 0);
            assert_true(work(&t, 7));
        }
        toy_close(&t);
    }
}

/* Before the first translation there is nothing to copy. */
static void test_fork_fresh(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        struct toy t = toy_open(m);
        int status;
        pid_t pid;

        TOY_LOAD(&t, TOY_CODE, TOY(LI, 1, 0, 3), TOY(SYS, 0, 0, 0));
        pid = fork();
        if (pid == 0) {
            bool ok = toy_run(&t, TOY_CODE, 0) == NW_EXIT_SYSCALL && toy_get(&t, 1) == 3;

            _exit(ok ? 0 : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_SYSCALL);
        toy_close(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fork),
        cmocka_unit_test(test_fork_fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
