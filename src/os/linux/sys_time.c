/* Clocks, sleeping and timers. */
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include "os/linux/io_span.h"
#include "os/linux/layout.h"

static int64_t get_ts(struct linux_task *t, uint64_t gva, bool wide, struct timespec *ts)
{
    const struct linux_abi *abi = t->process->abi;
    return wide ? abi->get_timespec64(t, gva, ts) : abi->get_timespec(t, gva, ts);
}

static int64_t put_ts(struct linux_task *t, uint64_t gva, bool wide, const struct timespec *ts)
{
    const struct linux_abi *abi = t->process->abi;
    return wide ? abi->put_timespec64(t, gva, ts) : abi->put_timespec(t, gva, ts);
}

static uint64_t ts_size(const struct linux_task *t, bool wide)
{
    return wide ? 16 : 2u * t->process->abi->word;
}

int64_t linux_get_itimerspec(struct linux_task *t, uint64_t gva, bool wide, struct itimerspec *its)
{
    int64_t err = get_ts(t, gva, wide, &its->it_interval);
    return err ? err : get_ts(t, gva + ts_size(t, wide), wide, &its->it_value);
}

int64_t linux_put_itimerspec(struct linux_task *t, uint64_t gva, bool wide,
                             const struct itimerspec *its)
{
    int64_t err = put_ts(t, gva, wide, &its->it_interval);
    return err ? err : put_ts(t, gva + ts_size(t, wide), wide, &its->it_value);
}

int64_t sys_gettimeofday(struct linux_task *t, const uint64_t a[6])
{
    struct timeval tv;
    struct timezone tz;
    gettimeofday(&tv, &tz);
    int64_t err = a[0] ? t->process->abi->put_timeval(t, a[0], &tv) : 0;
    if (!err && a[1])
        err = linux_copy_out(t, a[1], &tz, sizeof tz);
    return err;
}

/* The guest may not set the host's clock by this call, whoever runs it. */
int64_t sys_settimeofday(struct linux_task *t, const uint64_t a[6])
{
    (void)t;
    (void)a;
    return -EPERM;
}

int64_t sys_time(struct linux_task *t, const uint64_t a[6])
{
    int64_t now = time(NULL);
    if (a[0] && linux_put_word(t, a[0], (uint64_t)now))
        return -EFAULT;
    return now;
}

int64_t sys_stime(struct linux_task *t, const uint64_t a[6])
{
    return sys_settimeofday(t, a);
}

/* In seconds; what is left of a running timer counts as at least one. */
int64_t sys_alarm(struct linux_task *t, const uint64_t a[6])
{
    (void)t;
    return linux_host(SYS_alarm, (long)(uint32_t)a[0], 0, 0, 0, 0, 0);
}

int64_t sys_times(struct linux_task *t, const uint64_t a[6])
{
    struct tms tms;
    int64_t ticks = linux_host(SYS_times, (long)&tms, 0, 0, 0, 0, 0);
    if (a[0]) {
        struct pack p;
        pack_begin(&p, t);
        pack_word(&p, (uint64_t)tms.tms_utime);
        pack_word(&p, (uint64_t)tms.tms_stime);
        pack_word(&p, (uint64_t)tms.tms_cutime);
        pack_word(&p, (uint64_t)tms.tms_cstime);
        int64_t err = pack_end(t, a[0], &p, 1);
        if (err)
            return err;
    }
    /* A wrapped count must not look like an errno. */
    return t->process->abi->word == 4 ? (int64_t)(ticks & INT32_MAX) : ticks;
}

static int64_t clock_read(struct linux_task *t, const uint64_t a[6], long nr, bool wide)
{
    struct timespec ts;
    int64_t err = linux_host(nr, (int)a[0], (long)&ts, 0, 0, 0, 0);
    if (err || (!a[1] && nr == SYS_clock_getres))
        return err;
    return put_ts(t, a[1], wide, &ts);
}

/* The clock is read by the C library, which needs no system call for the common ones. */
static int64_t clock_now(struct linux_task *t, const uint64_t a[6], bool wide)
{
    struct timespec ts;
    if (clock_gettime((clockid_t)a[0], &ts))
        return -errno;
    return put_ts(t, a[1], wide, &ts);
}

int64_t sys_clock_gettime(struct linux_task *t, const uint64_t a[6])
{
    return clock_now(t, a, false);
}

int64_t sys_clock_gettime64(struct linux_task *t, const uint64_t a[6])
{
    return clock_now(t, a, true);
}

int64_t sys_clock_getres(struct linux_task *t, const uint64_t a[6])
{
    return clock_read(t, a, SYS_clock_getres, false);
}

int64_t sys_clock_getres_time64(struct linux_task *t, const uint64_t a[6])
{
    return clock_read(t, a, SYS_clock_getres, true);
}

/* As settimeofday. */
int64_t sys_clock_settime(struct linux_task *t, const uint64_t a[6])
{
    struct timespec ts;
    int64_t err = get_ts(t, a[1], false, &ts);
    return err ? err : -EPERM;
}

int64_t sys_clock_settime64(struct linux_task *t, const uint64_t a[6])
{
    struct timespec ts;
    int64_t err = get_ts(t, a[1], true, &ts);
    return err ? err : -EPERM;
}

/* The time left of a relative sleep is given only when a signal cut it short. */
static int64_t do_sleep(struct linux_task *t, int clock, int flags, uint64_t request, uint64_t left,
                        bool wide)
{
    struct timespec ts, rest;
    int64_t err = get_ts(t, request, wide, &ts);
    if (err)
        return err;
    rest = ts;
    int64_t result =
        linux_block(t, SYS_clock_nanosleep, clock, flags, (long)&ts, (long)&rest, 0, 0);
    bool cut = result == -LINUX_ERESTARTNOHAND || result == -LINUX_ERESTARTSYS || result == -EINTR;
    if (cut && left && !(flags & TIMER_ABSTIME) && put_ts(t, left, wide, &rest))
        return -EFAULT;
    return result;
}

int64_t sys_nanosleep(struct linux_task *t, const uint64_t a[6])
{
    return do_sleep(t, CLOCK_MONOTONIC, 0, a[0], a[1], false);
}

int64_t sys_clock_nanosleep(struct linux_task *t, const uint64_t a[6])
{
    return do_sleep(t, (int)a[0], (int)a[1], a[2], a[3], false);
}

int64_t sys_clock_nanosleep_time64(struct linux_task *t, const uint64_t a[6])
{
    return do_sleep(t, (int)a[0], (int)a[1], a[2], a[3], true);
}

/* ---- interval timers ---- */

static int64_t put_itimerval(struct linux_task *t, uint64_t gva, const struct itimerval *it)
{
    const struct linux_abi *abi = t->process->abi;
    int64_t err = abi->put_timeval(t, gva, &it->it_interval);
    return err ? err : abi->put_timeval(t, gva + 2u * abi->word, &it->it_value);
}

int64_t sys_getitimer(struct linux_task *t, const uint64_t a[6])
{
    struct itimerval now;
    int64_t err = linux_host(SYS_getitimer, (int)a[0], (long)&now, 0, 0, 0, 0);
    return err ? err : put_itimerval(t, a[1], &now);
}

int64_t sys_setitimer(struct linux_task *t, const uint64_t a[6])
{
    const struct linux_abi *abi = t->process->abi;
    struct itimerval new = {0}, old;
    int64_t err = 0;
    if (a[1]) {
        err = abi->get_timeval(t, a[1], &new.it_interval);
        if (!err)
            err = abi->get_timeval(t, a[1] + 2u * abi->word, &new.it_value);
    }
    if (!err)
        err = linux_host(SYS_setitimer, (int)a[0], (long)&new, (long)&old, 0, 0, 0);
    return err || !a[2] ? err : put_itimerval(t, a[2], &old);
}

/* ---- POSIX timers: the host's, by the same numbers ---- */

/* What the kernel reads of struct sigevent; the layout of its 64-bit form. */
struct host_sigevent {
    uint64_t value;
    int32_t signo, notify, tid, pad[11];
};

int64_t sys_timer_create(struct linux_task *t, const uint64_t a[6])
{
    struct host_sigevent ev = {0};
    int id = 0;
    if (a[1]) {
        struct unpack u;
        int64_t err = unpack_begin(t, a[1], &u, t->process->abi->word + 12u);
        if (err)
            return err;
        ev.value = unpack_word(&u);
        ev.signo = (int32_t)unpack_u32(&u);
        ev.notify = (int32_t)unpack_u32(&u);
        ev.tid = (int32_t)unpack_u32(&u);
    }
    int64_t err = linux_host(SYS_timer_create, (int)a[0], a[1] ? (long)&ev : 0, (long)&id, 0, 0, 0);
    if (!err && linux_put_u32(t, a[2], (uint32_t)id)) {
        linux_host(SYS_timer_delete, id, 0, 0, 0, 0, 0);
        err = -EFAULT;
    }
    return err;
}

int64_t linux_timer_set(struct linux_task *t, long call, const uint64_t a[6], bool wide)
{
    struct itimerspec new, old;
    int64_t err = linux_get_itimerspec(t, a[2], wide, &new);
    if (!err)
        err = linux_host(call, (int)a[0], (int)a[1], (long)&new, (long)&old, 0, 0);
    return err || !a[3] ? err : linux_put_itimerspec(t, a[3], wide, &old);
}

int64_t linux_timer_get(struct linux_task *t, long call, const uint64_t a[6], bool wide)
{
    struct itimerspec now;
    int64_t err = linux_host(call, (int)a[0], (long)&now, 0, 0, 0, 0);
    return err ? err : linux_put_itimerspec(t, a[1], wide, &now);
}

int64_t sys_timer_settime(struct linux_task *t, const uint64_t a[6])
{
    return linux_timer_set(t, SYS_timer_settime, a, false);
}

int64_t sys_timer_settime64(struct linux_task *t, const uint64_t a[6])
{
    return linux_timer_set(t, SYS_timer_settime, a, true);
}

int64_t sys_timer_gettime(struct linux_task *t, const uint64_t a[6])
{
    return linux_timer_get(t, SYS_timer_gettime, a, false);
}

int64_t sys_timer_gettime64(struct linux_task *t, const uint64_t a[6])
{
    return linux_timer_get(t, SYS_timer_gettime, a, true);
}

int64_t sys_timer_getoverrun(struct linux_task *t, const uint64_t a[6])
{
    (void)t;
    return linux_host(SYS_timer_getoverrun, (int)a[0], 0, 0, 0, 0, 0);
}

int64_t sys_timer_delete(struct linux_task *t, const uint64_t a[6])
{
    (void)t;
    return linux_host(SYS_timer_delete, (int)a[0], 0, 0, 0, 0, 0);
}
