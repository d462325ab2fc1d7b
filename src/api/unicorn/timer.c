#include "timer.h"

#include <errno.h>

/* The thread's own: others' runs do not go on in a forked child. */
static _Thread_local struct timer *innermost;

static void *wait_for_end(void *opaque)
{
    struct timer *t = opaque;
    int error = 0;

    pthread_mutex_lock(&t->lock);
    while (!t->done && error != ETIMEDOUT)
        error = pthread_cond_timedwait(&t->cond, &t->lock, &t->end);
    if (!t->done) {
        t->fired = true;
        t->uc->timed_out = true;
        nw_vcpu_stop(t->uc->vcpu);
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

static bool start_thread(struct timer *t)
{
    pthread_condattr_t attr;

    pthread_mutex_init(&t->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&t->cond, &attr);
    pthread_condattr_destroy(&attr);
    t->joins = !pthread_create(&t->thread, NULL, wait_for_end, t);
    return t->joins;
}

/* ---- fork: a timer's lock and condition may be its thread's, which the child does not have ----
 */

static void before_fork(void)
{
    for (struct timer *t = innermost; t; t = t->outer)
        pthread_mutex_lock(&t->lock);
}

static void in_parent(void)
{
    for (struct timer *t = innermost; t; t = t->outer)
        pthread_mutex_unlock(&t->lock);
}

/* Without a thread the run has no limit any more: better that than no child. */
static void in_child(void)
{
    for (struct timer *t = innermost; t; t = t->outer) {
        t->joins = false;
        if (t->fired)
            pthread_mutex_unlock(&t->lock);
        else
            start_thread(t);
    }
}

static bool watches_forks;

static void install(void)
{
    watches_forks = !pthread_atfork(before_fork, in_parent, in_child);
}

/* ---- */

bool timer_start(struct timer *t, uc_engine *uc, uint64_t microseconds)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    uint64_t seconds = microseconds / 1000000, most = 1u << 30;

    pthread_once(&once, install);
    if (!watches_forks)
        return false;
    *t = (struct timer){.outer = innermost, .uc = uc};
    clock_gettime(CLOCK_MONOTONIC, &t->end);
    t->end.tv_sec += (time_t)(seconds < most ? seconds : most);
    t->end.tv_nsec += (long)(microseconds % 1000000) * 1000;
    if (t->end.tv_nsec >= 1000000000) {
        t->end.tv_nsec -= 1000000000;
        t->end.tv_sec++;
    }
    if (start_thread(t)) {
        innermost = t;
        return true;
    }
    pthread_cond_destroy(&t->cond);
    pthread_mutex_destroy(&t->lock);
    return false;
}

void timer_stop(struct timer *t)
{
    innermost = t->outer;
    pthread_mutex_lock(&t->lock);
    t->done = true;
    pthread_cond_signal(&t->cond);
    pthread_mutex_unlock(&t->lock);
    if (t->joins)
        pthread_join(t->thread, NULL);
    pthread_cond_destroy(&t->cond);
    pthread_mutex_destroy(&t->lock);
}
