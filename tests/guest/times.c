/* Clocks, sleeping, timers, and what interrupts a sleep. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>
#include "check.h"

static volatile sig_atomic_t caught, value;

static void on_signal(int sig)
{
    caught = sig;
}

static void on_info(int sig, siginfo_t *info, void *context)
{
    (void)context;
    caught = sig;
    value = info->si_code == SI_TIMER ? info->si_value.sival_int : -1;
}

static long elapsed_ms(const struct timespec *from)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - from->tv_sec) * 1000 + (now.tv_nsec - from->tv_nsec) / 1000000;
}

static void clocks(void)
{
    struct timespec a, b, wide[2];
    struct timeval tv;
    struct tms tms;
    CHECK(clock_gettime(CLOCK_REALTIME, &a) == 0 && gettimeofday(&tv, NULL) == 0);
    CHECK(tv.tv_sec - a.tv_sec >= 0 && tv.tv_sec - a.tv_sec < 10);
    CHECK(time(NULL) - tv.tv_sec < 10);
    CHECK(clock_gettime(CLOCK_MONOTONIC, &a) == 0 && clock_gettime(CLOCK_MONOTONIC, &b) == 0);
    CHECK(b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec >= a.tv_nsec));
    CHECK(clock_getres(CLOCK_MONOTONIC, &a) == 0 && a.tv_sec == 0);
    CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a) == 0);
    CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a) == 0);
    CHECK_ERRNO(clock_gettime(99, &a), EINVAL);
    CHECK_ERRNO(syscall(SYS_clock_gettime, CLOCK_REALTIME, BAD_ADDR), EFAULT);
    CHECK_ERRNO(settimeofday(&tv, NULL), EPERM);
    CHECK_ERRNO(clock_settime(CLOCK_REALTIME, &a), EPERM);
    CHECK(times(&tms) != (clock_t)-1);
    /* clock_gettime64: 64-bit seconds and nanoseconds. */
    CHECK(syscall(403, CLOCK_REALTIME, wide) == 0 || errno == ENOSYS);
}

static void sleeps(void)
{
    struct timespec start, ts = {0, 20000000}, rest = {9, 9};
    struct sigaction act = {.sa_handler = on_signal};
    struct itimerval it = {{0, 0}, {0, 30000}};
    clock_gettime(CLOCK_MONOTONIC, &start);
    CHECK(nanosleep(&ts, NULL) == 0 && elapsed_ms(&start) >= 20);
    ts.tv_nsec = 1000000000;
    CHECK_ERRNO(nanosleep(&ts, NULL), EINVAL);
    CHECK(sigaction(SIGALRM, &act, NULL) == 0 && setitimer(ITIMER_REAL, &it, NULL) == 0);
    ts = (struct timespec){5, 0};
    CHECK_ERRNO(nanosleep(&ts, &rest), EINTR);
    CHECK(caught == SIGALRM && rest.tv_sec == 4 && rest.tv_nsec > 0);
    clock_gettime(CLOCK_MONOTONIC, &ts);
    ts.tv_nsec += 10000000;
    if (ts.tv_nsec >= 1000000000) {
        ts.tv_sec++;
        ts.tv_nsec -= 1000000000;
    }
    CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == 0);
    CHECK(clock_nanosleep(99, 0, &ts, NULL) == EINVAL);
}

static void timers(void)
{
    struct sigaction act = {.sa_sigaction = on_info, .sa_flags = SA_SIGINFO};
    struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec its = {{0, 0}, {0, 5000000}}, left;
    struct itimerval it;
    timer_t timer;
    ev.sigev_value.sival_int = 4711;
    CHECK(sigaction(SIGUSR1, &act, NULL) == 0);
    CHECK(timer_create(CLOCK_MONOTONIC, &ev, &timer) == 0);
    caught = 0;
    CHECK(timer_settime(timer, 0, &its, NULL) == 0);
    for (int i = 0; i < 200 && !caught; i++)
        usleep(1000);
    CHECK(caught == SIGUSR1 && value == 4711);
    its = (struct itimerspec){{1, 0}, {100, 0}};
    CHECK(timer_settime(timer, 0, &its, NULL) == 0 && timer_gettime(timer, &left) == 0);
    CHECK(left.it_interval.tv_sec == 1 && left.it_value.tv_sec >= 98);
    CHECK(timer_getoverrun(timer) == 0 && timer_delete(timer) == 0);
    CHECK_ERRNO(timer_delete(timer), EINVAL);
    it = (struct itimerval){{0, 0}, {50, 0}};
    CHECK(setitimer(ITIMER_REAL, &it, NULL) == 0 && getitimer(ITIMER_REAL, &it) == 0);
    CHECK(it.it_value.tv_sec >= 48 && alarm(0) >= 48);
}

int main(void)
{
    clocks();
    sleeps();
    timers();
    return CHECK_DONE();
}
