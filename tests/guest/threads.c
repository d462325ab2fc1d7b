/* Threads: creation, thread-local storage, futexes of all sorts, cancellation, exclusive access. */
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "check.h"

#define THREADS 8
#define ROUNDS  2000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static __thread int own = 7;
static int plain, ready;
static unsigned atomic_sum;
static unsigned long long atomic_wide;
static unsigned char atomic_byte;

static void *worker(void *arg)
{
    own += (int)(size_t)arg;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&lock);
        plain++;
        pthread_mutex_unlock(&lock);
        __atomic_fetch_add(&atomic_sum, 3, __ATOMIC_SEQ_CST);
        __atomic_fetch_add(&atomic_wide, 0x100000001ull, __ATOMIC_SEQ_CST);
        __atomic_fetch_add(&atomic_byte, 1, __ATOMIC_SEQ_CST);
    }
    CHECK(own == 7 + (int)(size_t)arg);
    CHECK(syscall(SYS_gettid) != getpid());
    return (void *)(size_t)own;
}

static void counting(void)
{
    pthread_t threads[THREADS];
    void *result;
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, worker, (void *)i) == 0);
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], &result) == 0 && result == (void *)(7 + i));
    CHECK(plain == THREADS * ROUNDS);
    CHECK(atomic_sum == 3u * THREADS * ROUNDS);
    CHECK(atomic_wide == 0x100000001ull * THREADS * ROUNDS);
    CHECK(atomic_byte == (unsigned char)(THREADS * ROUNDS));
    CHECK(own == 7);
}

static void *waiter(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    while (!ready)
        pthread_cond_wait(&cond, &lock);
    ready++;
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void conditions(void)
{
    pthread_t threads[4];
    struct timespec until;
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, waiter, NULL);
    usleep(10000);
    pthread_mutex_lock(&lock);
    ready = 1;
    pthread_cond_broadcast(&cond);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    CHECK(ready == 5);
    clock_gettime(CLOCK_REALTIME, &until);
    pthread_mutex_lock(&lock);
    CHECK(pthread_cond_timedwait(&cond, &lock, &until) == ETIMEDOUT);
    pthread_mutex_unlock(&lock);
}

static pthread_mutex_t special;

static void *dies_with_lock(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&special);
    return NULL;
}

static void *adds_under_lock(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&special);
        ++*(int *)arg;
        pthread_mutex_unlock(&special);
    }
    return NULL;
}

static void special_mutexes(void)
{
    pthread_mutexattr_t attr;
    pthread_t threads[3];
    int sum = 0;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&special, &attr);
    pthread_create(&threads[0], NULL, dies_with_lock, NULL);
    pthread_join(threads[0], NULL);
    CHECK(pthread_mutex_lock(&special) == EOWNERDEAD);
    CHECK(pthread_mutex_consistent(&special) == 0);
    pthread_mutex_unlock(&special);
    pthread_mutex_destroy(&special);
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(&special, &attr);
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, adds_under_lock, &sum);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    CHECK(sum == 3 * ROUNDS);
}

static sem_t signalled;

static void on_signal(int sig)
{
    (void)sig;
    sem_post(&signalled);
}

static void *sleeper(void *arg)
{
    (void)arg;
    for (;;)
        pause();
    return NULL;
}

static void *spinner(void *arg)
{
    while (!__atomic_load_n((int *)arg, __ATOMIC_RELAXED))
        ;
    return NULL;
}

static void signals_and_cancel(void)
{
    pthread_t thread;
    void *result;
    int stop = 0;
    sem_init(&signalled, 0, 0);
    signal(SIGUSR1, on_signal);
    pthread_create(&thread, NULL, sleeper, NULL);
    pthread_kill(thread, SIGUSR1);
    while (sem_wait(&signalled))
        ;
    CHECK(pthread_cancel(thread) == 0);
    CHECK(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
    pthread_create(&thread, NULL, spinner, &stop);
    pthread_kill(thread, SIGUSR1);
    while (sem_wait(&signalled))
        ;
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    CHECK(pthread_join(thread, NULL) == 0);
}

/* fork and exit_group while other threads run. */
static void fork_among_threads(void)
{
    pthread_t thread;
    int stop = 0, status;
    pthread_create(&thread, NULL, spinner, &stop);
    for (int i = 0; i < 5; i++) {
        pid_t child = fork();
        if (!child) {
            pthread_t inner;
            int go = 1;
            pthread_create(&inner, NULL, spinner, &go);
            pthread_join(inner, NULL);
            exit(40 + i);
        }
        CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 40 + i);
    }
    pid_t child = fork();
    if (!child) {
        int never = 0;
        pthread_create(&thread, NULL, spinner, &never);
        _exit(3);
    }
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 3);
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
}

int main(void)
{
    setbuf(stdout, NULL);
    alarm(100);
    counting();
    conditions();
    special_mutexes();
    signals_and_cancel();
    fork_among_threads();
    return CHECK_DONE();
}
