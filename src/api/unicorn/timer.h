/* Timeouts of runs: a thread that stops the vCPU unless it is woken before. */
#ifndef API_UNICORN_TIMER_H
#define API_UNICORN_TIMER_H

#include <time.h>
#include "uc.h"

struct timer {
    struct timer *outer; /* of a run that this one is inside of, or null */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    uc_engine *uc;
    struct timespec end;
    bool done, fired;
    bool joins; /* there is a thread */
};

/* From now on until timer_stop, on the same thread; the timers of a thread end in reverse order. In
 * the child of a fork between them time goes on. False: there can be no thread. */
bool timer_start(struct timer *, uc_engine *, uint64_t microseconds);
void timer_stop(struct timer *);

#endif
