/* Host faults that are none of the guest's go on to whatever handler was there. Each case runs in a
 * process of its own. */
#include "toy.h"

#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct toy_mode dbt = {"dbt", 0};
static sigjmp_buf back;
static volatile sig_atomic_t seen;
static void *volatile seen_addr;

static void plain_handler(int sig)
{
    seen = sig;
    siglongjmp(back, 1);
}

static void info_handler(int sig, siginfo_t *info, void *context)
{
    (void)context;
    seen = sig;
    seen_addr = info->si_addr;
    siglongjmp(back, 1);
}

/* Runs guest code that faults, so that our handler is in place and in use. */
static struct toy fault_once(void)
{
    struct toy t = toy_open(&dbt);

    TOY_LOAD(&t, TOY_CODE, TOY(LD, 1, 5, 0), TOY(SYS, 0, 0, 0));
    toy_set(&t, 5, 0x700000);
    assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_FAULT);
    return t;
}

/* A store that the compiler knows nothing about. */
static void touch(char *at)
{
    __asm__ volatile("movb $1, (%0)" : : "r"(at) : "memory");
}

/* The status of a child that runs FN. */
static int in_child(void (*fn)(void))
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        signal(SIGSEGV, SIG_DFL);
        signal(SIGBUS, SIG_DFL);
        fn();
        _exit(99);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void siginfo_before(void)
{
    struct sigaction a = {.sa_sigaction = info_handler, .sa_flags = SA_SIGINFO};

    sigaction(SIGSEGV, &a, NULL);
    fault_once();
    if (!sigsetjmp(back, 1))
        touch((char *)0x10);
    if (seen != SIGSEGV || seen_addr != (void *)0x10)
        _exit(1);
    /* Guest faults still work afterwards, and so does a second foreign one. */
    fault_once();
    seen = 0;
    if (!sigsetjmp(back, 1))
        touch((char *)0x20);
    _exit(seen_addr != (void *)0x20);
}

static void plain_before(void)
{
    signal(SIGSEGV, plain_handler);
    fault_once();
    for (unsigned i = 0; i < 20; i++) {
        seen = 0;
        if (!sigsetjmp(back, 1))
            touch((char *)0x10);
        if (seen != SIGSEGV)
            _exit(1);
    }
    _exit(0);
}

static void default_before(void)
{
    fault_once();
    touch((char *)0x10);
}

static void ignored_before(void)
{
    signal(SIGSEGV, SIG_IGN);
    fault_once();
    /* Sent by a process: ignored as asked. */
    raise(SIGSEGV);
    _exit(0);
}

static void ignored_fault(void)
{
    signal(SIGSEGV, SIG_IGN);
    fault_once();
    touch((char *)0x10);
}

static void sent_by_kill(void)
{
    fault_once();
    kill(getpid(), SIGBUS);
    pause();
}

static void handler_after(void)
{
    struct sigaction a = {.sa_sigaction = info_handler, .sa_flags = SA_SIGINFO};
    struct toy t = fault_once(), again;

    toy_close(&t);
    sigaction(SIGSEGV, &a, NULL);
    /* A new vCPU puts the engine's handler back on top. */
    again = fault_once();
    toy_close(&again);
    if (!sigsetjmp(back, 1))
        touch((char *)0x10);
    _exit(seen != SIGSEGV);
}

static struct sigaction chained;
static void chaining_handler(int sig, siginfo_t *info, void *context)
{
    chained.sa_sigaction(sig, info, context);
}

/* Two handlers that each pass on to the other end in the default action, not in a loop. */
static void handlers_in_a_ring(void)
{
    struct sigaction a = {.sa_sigaction = chaining_handler, .sa_flags = SA_SIGINFO};

    fault_once();
    sigaction(SIGSEGV, &a, &chained);
    fault_once();
    touch((char *)0x10);
}

/* On an alternate stack, as threads with small stacks have it. */
static void alternate_stack(void)
{
    stack_t s = {.ss_size = 64 << 10};
    struct sigaction a = {.sa_sigaction = info_handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    s.ss_sp = malloc(s.ss_size);
    sigaltstack(&s, NULL);
    sigaction(SIGSEGV, &a, NULL);
    for (unsigned i = 0; i < 50; i++)
        fault_once();
    if (!sigsetjmp(back, 1))
        touch((char *)0x10);
    _exit(seen != SIGSEGV);
}

static uint64_t bad_read(void *opaque, uint64_t offset, unsigned size)
{
    (void)opaque, (void)offset, (void)size;
    touch((char *)0x30);
    return 0;
}

static void ignore_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    (void)opaque, (void)offset, (void)value, (void)size;
}

/* A bug in the caller's callback is the caller's, although a vCPU runs. */
static void callback_faults(void)
{
    struct toy t = fault_once();

    nw_mem_map_mmio(t.engine, 0x700000, 0x1000, bad_read, ignore_write, NULL);
    toy_run(&t, TOY_CODE, 0);
}

static void expect_exit(int status, int code)
{
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), code);
}

static void expect_signal(int status, int sig)
{
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), sig);
}

static void test_foreign_faults(void **state)
{
    (void)state;
    expect_exit(in_child(siginfo_before), 0);
    expect_exit(in_child(plain_before), 0);
    expect_exit(in_child(ignored_before), 0);
    expect_exit(in_child(handler_after), 0);
    expect_exit(in_child(alternate_stack), 0);
    expect_signal(in_child(default_before), SIGSEGV);
    expect_signal(in_child(ignored_fault), SIGSEGV);
    expect_signal(in_child(sent_by_kill), SIGBUS);
    expect_signal(in_child(handlers_in_a_ring), SIGSEGV);
    expect_signal(in_child(callback_faults), SIGSEGV);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_foreign_faults)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
