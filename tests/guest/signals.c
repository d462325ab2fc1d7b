/* Signals: handlers, masks, queueing, stacks, restarts, frames, deaths. */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/ucontext.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

/* What differs between instruction sets: registers of the context, instructions that fault. */
#ifdef __arm__
#define CONTEXT_OK(mc) ((mc).arm_pc != 0 && ((mc).arm_cpsr & 0x1f) == 0x10)
#define UNDEFINED      ".inst.w 0xf7f0a000" /* udf.w */
#define BREAKPOINT     "bkpt 0"
#else
#define UNDEFINED  "ud2"
#define BREAKPOINT "int3"
#ifdef __x86_64__
#define CONTEXT_OK(mc) ((mc).gregs[REG_RIP] != 0 && ((mc).gregs[REG_CSGSFS] & 0xffff) == 0x33)
#else
#define CONTEXT_OK(mc) ((mc).gregs[REG_EIP] != 0 && (mc).gregs[REG_CS] == 0x23)
#endif
#endif

static volatile sig_atomic_t count, last, last_code;
static volatile uintptr_t last_addr, handler_sp;
static sigjmp_buf back;

static void install(int sig, void (*fn)(int), int flags)
{
    struct sigaction act = {.sa_handler = fn, .sa_flags = flags};
    CHECK(sigaction(sig, &act, NULL) == 0);
}

static void counter(int sig)
{
    count++;
    last = sig;
}

static void simple(void)
{
    install(SIGUSR1, counter, 0);
    count = 0;
    CHECK(raise(SIGUSR1) == 0 && count == 1 && last == SIGUSR1);
    struct sigaction old;
    install(SIGUSR1, counter, SA_RESETHAND);
    raise(SIGUSR1);
    CHECK(sigaction(SIGUSR1, NULL, &old) == 0 && old.sa_handler == SIG_DFL);
    CHECK_ERRNO(sigaction(SIGKILL, &old, NULL), EINVAL);
    CHECK_ERRNO(sigaction(65, &old, NULL), EINVAL);
    CHECK_ERRNO(kill(getpid(), 65), EINVAL);
}

static void masks(void)
{
    sigset_t set, old, pending;
    install(SIGUSR2, counter, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    CHECK(sigprocmask(SIG_BLOCK, &set, &old) == 0);
    count = 0;
    kill(getpid(), SIGUSR2);
    kill(getpid(), SIGUSR2);
    CHECK(count == 0);
    CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGUSR2));
    CHECK(sigprocmask(SIG_SETMASK, &old, NULL) == 0);
    CHECK(count == 1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    kill(getpid(), SIGUSR2);
    CHECK(sigsuspend(&old) == -1 && count == 2);
    union sigval value = {.sival_int = 42};
    siginfo_t info;
    CHECK(sigqueue(getpid(), SIGUSR2, value) == 0);
    CHECK(sigwaitinfo(&set, &info) == SIGUSR2 && info.si_value.sival_int == 42 &&
          info.si_code == SI_QUEUE && info.si_pid == getpid());
    struct timespec none = {0, 1000};
    CHECK_ERRNO(sigtimedwait(&set, &info, &none), EAGAIN);
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static void realtime(void)
{
    sigset_t set, old;
    int sig = SIGRTMIN + 3;
    install(sig, counter, 0);
    sigemptyset(&set);
    sigaddset(&set, sig);
    sigprocmask(SIG_BLOCK, &set, &old);
    count = 0;
    for (int i = 0; i < 5; i++)
        kill(getpid(), sig);
    sigprocmask(SIG_SETMASK, &old, NULL);
    CHECK(count == 5);
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    last = sig;
    last_code = info->si_code;
    last_addr = (uintptr_t)info->si_addr;
    handler_sp = (uintptr_t)&uc;
    CHECK(CONTEXT_OK(uc->uc_mcontext));
    siglongjmp(back, 1);
}

static void faults(void)
{
    struct sigaction act = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &act, NULL);
    sigaction(SIGILL, &act, NULL);
    sigaction(SIGTRAP, &act, NULL);
    char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!sigsetjmp(back, 1))
        *(volatile char *)(page + 5) = 1;
    CHECK(last == SIGSEGV && last_code == SEGV_ACCERR && last_addr == (uintptr_t)page + 5);
    munmap(page, 4096);
    if (!sigsetjmp(back, 1))
        (void)*(volatile char *)page;
    CHECK(last == SIGSEGV && last_code == SEGV_MAPERR && last_addr == (uintptr_t)page);
    if (!sigsetjmp(back, 1))
        ((void (*)(void))(uintptr_t)page)();
    CHECK(last == SIGSEGV);
    if (!sigsetjmp(back, 1))
        __asm__ volatile(UNDEFINED ::: "memory");
    CHECK(last == SIGILL);
    if (!sigsetjmp(back, 1))
        __asm__ volatile(BREAKPOINT ::: "memory");
    CHECK(last == SIGTRAP);
}

static void alternate_stack(void)
{
    static char stack[16384] __attribute__((aligned(8)));
    stack_t ss = {.ss_sp = stack, .ss_size = sizeof stack}, got;
    struct sigaction act = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    CHECK(sigaltstack(&ss, NULL) == 0);
    CHECK(sigaltstack(NULL, &got) == 0 && got.ss_sp == stack && got.ss_flags == 0);
    sigaction(SIGSEGV, &act, NULL);
    if (!sigsetjmp(back, 1))
        *(volatile int *)NULL_PAGE = 1;
    CHECK(handler_sp >= (uintptr_t)stack && handler_sp < (uintptr_t)stack + sizeof stack);
    ss.ss_size = 16;
    CHECK_ERRNO(sigaltstack(&ss, NULL), ENOMEM);
    ss.ss_flags = SS_DISABLE;
    CHECK(sigaltstack(&ss, NULL) == 0);
}

#ifdef __arm__
/* The interrupted registers come back, floating point included, and may be changed. */
static void change_context(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    double spoil = count * 1.5;
    (void)sig;
    (void)info;
    __asm__ volatile("vmov.f64 d8, %P0; vmov.f64 d0, %P0" ::"w"(spoil) : "d8", "d0");
    uc->uc_mcontext.arm_r4 = 0x1234;
}

static void frames(void)
{
    struct sigaction act = {.sa_sigaction = change_context, .sa_flags = SA_SIGINFO};
    double in = 3.25, out;
    unsigned r4;
    int pid = getpid();
    sigaction(SIGUSR1, &act, NULL);
    __asm__ volatile(
        "vmov.f64 d8, %P2\n mov r0, %3\n mov r1, %4\n mov r4, #1\n push {r7}\n mov r7, #37\n"
        "svc 0\n pop {r7}\n vmov.f64 %P0, d8\n mov %1, r4"
        : "=w"(out), "=r"(r4)
        : "w"(in), "r"(pid), "i"(SIGUSR1)
        : "r0", "r1", "r4", "d8", "memory");
    CHECK(out == 3.25 && r4 == 0x1234);
}
#else
static void frames(void) /* see x86.c */ {}
#endif

static void timers(void)
{
    struct itimerval every = {{0, 2000}, {0, 2000}}, stop = {{0, 0}, {0, 0}};
    install(SIGALRM, counter, SA_RESTART);
    count = 0;
    CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0);
    for (volatile unsigned i = 0; count < 5; i++)
        ;
    CHECK(setitimer(ITIMER_REAL, &stop, NULL) == 0);
}

/* A read that a signal interrupts is restarted or not, by SA_RESTART. */
static void restarts(int flags)
{
    int fds[2];
    char c = 0;
    CHECK(pipe(fds) == 0);
    install(SIGUSR1, counter, flags);
    count = 0;
    pid_t parent = getpid(), child = fork();
    if (!child) {
        usleep(20000);
        kill(parent, SIGUSR1);
        usleep(20000);
        _exit(write(fds[1], "x", 1) != 1);
    }
    errno = 0;
    ssize_t n = read(fds[0], &c, 1);
    if (flags & SA_RESTART)
        CHECK(n == 1 && c == 'x' && count == 1);
    else
        CHECK(n == -1 && count == 1);
    int status;
    while (waitpid(child, &status, 0) < 0)
        ;
    CHECK(status == 0);
    close(fds[0]);
    close(fds[1]);
}

static void deaths(void)
{
    static const int sigs[] = {SIGTERM, SIGKILL, SIGUSR1, SIGABRT, SIGSEGV};
    for (unsigned i = 0; i < sizeof sigs / sizeof sigs[0]; i++) {
        int status;
        pid_t child = fork();
        if (!child) {
            freopen("/dev/null", "w", stderr);
            signal(sigs[i], SIG_DFL);
            raise(sigs[i]);
            _exit(1);
        }
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == sigs[i]);
    }
}

/* Every signal sent one by one arrives, however it falls between system calls. */
static void none_lost(void)
{
    enum { ROUNDS = 300 };
    pid_t parent = getpid();
    sigset_t set, old;
    install(SIGUSR1, counter, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, &old);
    count = 0;
    pid_t child = fork();
    if (!child) {
        sigprocmask(SIG_SETMASK, &old, NULL);
        for (int i = 0; i < ROUNDS; i++) {
            kill(parent, SIGUSR1);
            while (count <= i)
                sched_yield();
        }
        _exit(0);
    }
    for (int i = 0; i < ROUNDS; i++) {
        while (count <= i)
            sigsuspend(&old);
        kill(child, SIGUSR1);
    }
    sigprocmask(SIG_SETMASK, &old, NULL);
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

int main(void)
{
    setbuf(stdout, NULL);
    alarm(60);
    simple();
    masks();
    realtime();
    faults();
    alternate_stack();
    frames();
    restarts(0);
    restarts(SA_RESTART);
    deaths();
    none_lost();
    timers();
    return CHECK_DONE();
}
