/* Waiting for descriptors, and the descriptors made for waiting: poll, select, epoll, eventfd,
 * timerfd, inotify. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "os/linux/io_span.h"
#include "os/linux/layout.h"
#include "os/linux/path.h"

/* Takes the temporary mask of a waiting call into force. */
static int64_t enter_mask(struct linux_task *t, uint64_t gva, uint64_t size)
{
    linux_sigset mask;
    if (!gva)
        return 0;
    if (size != sizeof mask)
        return -EINVAL;
    int64_t err = linux_get_sigset(t, gva, &mask);
    if (!err)
        linux_mask_until_return(t, mask);
    return err;
}

/* The kernel writes the time left back, interrupted or not, and does not mind if it cannot. */
static void give_time_left(struct linux_task *t, uint64_t gva, bool wide, const struct timespec *ts)
{
    const struct linux_abi *abi = t->process->abi;
    if (gva)
        (void)(wide ? abi->put_timespec64(t, gva, ts) : abi->put_timespec(t, gva, ts));
}

int64_t sys_poll(struct linux_task *t, const uint64_t a[6])
{
    uint32_t count = (uint32_t)a[1];
    long fds = linux_whole(t, a[0], count * (uint64_t)sizeof(struct pollfd), NW_ACCESS_WRITE);
    return linux_block(t, SYS_poll, fds, count, (int)a[2], 0, 0, 0);
}

static int64_t do_ppoll(struct linux_task *t, const uint64_t a[6], bool wide)
{
    struct timespec ts, *timeout;
    uint32_t count = (uint32_t)a[1];
    int64_t err = linux_timeout_in(t, a[2], wide, &ts, &timeout);
    if (!err)
        err = enter_mask(t, a[3], a[4]);
    if (err)
        return err;
    long fds = linux_whole(t, a[0], count * (uint64_t)sizeof(struct pollfd), NW_ACCESS_WRITE);
    int64_t ready = linux_block(t, SYS_ppoll, fds, count, (long)timeout, 0, 8, 0);
    give_time_left(t, a[2], wide, &ts);
    return ready;
}

int64_t sys_ppoll(struct linux_task *t, const uint64_t a[6])
{
    return do_ppoll(t, a, false);
}

int64_t sys_ppoll_time64(struct linux_task *t, const uint64_t a[6])
{
    return do_ppoll(t, a, true);
}

/* ---- select: sets are arrays of words; in little-endian order of any word size the same bits ----
 */

#define SELECT_MAX (1 << 20) /* the kernel's default ceiling for descriptors */

struct select_sets {
    uint8_t *host[3]; /* null where the guest gave null */
    uint8_t *memory;
    size_t guest_size;
};

static int64_t sets_in(struct linux_task *t, int count, const uint64_t gva[3],
                       struct select_sets *s)
{
    size_t word_bits = t->process->abi->word * 8u;
    if (count < 0)
        return -EINVAL;
    if (count > SELECT_MAX)
        count = SELECT_MAX;
    s->guest_size = ((size_t)count + word_bits - 1) / word_bits * (word_bits / 8);
    size_t host_size = ((size_t)count + 63) / 64 * 8 + 8;
    s->memory = calloc(3, host_size);
    if (!s->memory)
        return -ENOMEM;
    for (size_t i = 0; i < 3; i++) {
        s->host[i] = gva[i] ? s->memory + i * host_size : NULL;
        if (gva[i] && linux_copy_in(t, s->host[i], gva[i], s->guest_size)) {
            free(s->memory);
            return -EFAULT;
        }
    }
    return 0;
}

static int64_t sets_out(struct linux_task *t, const uint64_t gva[3], struct select_sets *s,
                        int64_t ready)
{
    for (size_t i = 0; i < 3 && ready >= 0; i++)
        if (gva[i] && linux_copy_out(t, gva[i], s->host[i], s->guest_size))
            ready = -EFAULT;
    free(s->memory);
    return ready;
}

int64_t sys__newselect(struct linux_task *t, const uint64_t a[6])
{
    const struct linux_abi *abi = t->process->abi;
    struct select_sets s;
    struct timeval tv;
    int64_t err = a[4] ? abi->get_timeval(t, a[4], &tv) : 0;
    if (!err)
        err = sets_in(t, (int)a[0], a + 1, &s);
    if (err)
        return err;
    int64_t ready = linux_block(t, SYS_select, (int)a[0], (long)s.host[0], (long)s.host[1],
                                (long)s.host[2], a[4] ? (long)&tv : 0, 0);
    if (a[4])
        (void)abi->put_timeval(t, a[4], &tv);
    return sets_out(t, a + 1, &s, ready);
}

int64_t sys_select(struct linux_task *t, const uint64_t a[6])
{
    return sys__newselect(t, a);
}

/* The arguments in memory. */
int64_t sys_old_select(struct linux_task *t, const uint64_t a[6])
{
    uint64_t own[6] = {0};
    for (unsigned i = 0; i < 5; i++)
        if (linux_get_word(t, a[0] + i * t->process->abi->word, &own[i]))
            return -EFAULT;
    return sys__newselect(t, own);
}

static int64_t do_pselect6(struct linux_task *t, const uint64_t a[6], bool wide)
{
    struct timespec ts, *timeout;
    struct select_sets s;
    uint64_t mask = 0, mask_size = 0;
    int64_t err = linux_timeout_in(t, a[4], wide, &ts, &timeout);
    if (!err && a[5]) {
        err = linux_get_word(t, a[5], &mask);
        if (!err)
            err = linux_get_word(t, a[5] + t->process->abi->word, &mask_size);
    }
    if (!err)
        err = sets_in(t, (int)a[0], a + 1, &s);
    if (err)
        return err;
    err = enter_mask(t, mask, mask_size);
    if (err) {
        free(s.memory);
        return err;
    }
    int64_t ready = linux_block(t, SYS_pselect6, (int)a[0], (long)s.host[0], (long)s.host[1],
                                (long)s.host[2], (long)timeout, 0);
    give_time_left(t, a[4], wide, &ts);
    return sets_out(t, a + 1, &s, ready);
}

int64_t sys_pselect6(struct linux_task *t, const uint64_t a[6])
{
    return do_pselect6(t, a, false);
}

int64_t sys_pselect6_time64(struct linux_task *t, const uint64_t a[6])
{
    return do_pselect6(t, a, true);
}

/* ---- epoll ---- */

int64_t sys_epoll_create(struct linux_task *t, const uint64_t a[6])
{
    (void)t;
    return (int)a[0] <= 0 ? -EINVAL : linux_host(SYS_epoll_create1, 0, 0, 0, 0, 0, 0);
}

int64_t sys_epoll_create1(struct linux_task *t, const uint64_t a[6])
{
    (void)t;
    return linux_host(SYS_epoll_create1, (int)a[0], 0, 0, 0, 0, 0);
}

int64_t sys_epoll_ctl(struct linux_task *t, const uint64_t a[6])
{
    struct epoll_event ev = {0};
    if ((int)a[1] != EPOLL_CTL_DEL) {
        int64_t err = t->process->abi->get_epoll_event(t, a[3], 0, &ev);
        if (err)
            return err;
    }
    return linux_host(SYS_epoll_ctl, (int)a[0], (int)a[1], (int)a[2], (long)&ev, 0, 0);
}

/* Events that do not fit wait for the next call. */
#define EPOLL_BATCH 256

static int64_t wait_events(struct linux_task *t, const uint64_t a[6], struct timespec *ts)
{
    struct epoll_event events[EPOLL_BATCH];
    int max = (int)a[2] < EPOLL_BATCH ? (int)a[2] : EPOLL_BATCH;
    int64_t n = ts ? linux_block(t, SYS_epoll_pwait2, (int)a[0], (long)events, max, (long)ts, 0, 8)
                   : linux_block(t, SYS_epoll_pwait, (int)a[0], (long)events, max, (int)a[3], 0, 8);
    for (int64_t i = 0; i < n; i++)
        if (t->process->abi->put_epoll_event(t, a[1], (unsigned)i, &events[i]))
            return i ? i : -EFAULT;
    return n;
}

int64_t sys_epoll_wait(struct linux_task *t, const uint64_t a[6])
{
    return wait_events(t, a, NULL);
}

int64_t sys_epoll_pwait(struct linux_task *t, const uint64_t a[6])
{
    int64_t err = enter_mask(t, a[4], a[5]);
    return err ? err : wait_events(t, a, NULL);
}

int64_t sys_epoll_pwait2(struct linux_task *t, const uint64_t a[6])
{
    struct timespec ts, *timeout;
    int64_t err = linux_timeout_in(t, a[3], true, &ts, &timeout);
    if (!err)
        err = enter_mask(t, a[4], a[5]);
    if (err)
        return err;
    const uint64_t forever[6] = {a[0], a[1], a[2], (uint64_t)-1};
    return wait_events(t, timeout ? a : forever, timeout);
}

/* ---- eventfd, timerfd, inotify ---- */

int64_t sys_eventfd(struct linux_task *t, const uint64_t a[6])
{
    (void)t;
    return linux_host(SYS_eventfd2, (long)(uint32_t)a[0], 0, 0, 0, 0, 0);
}

int64_t sys_eventfd2(struct linux_task *t, const uint64_t a[6])
{
    (void)t;
    return linux_host(SYS_eventfd2, (long)(uint32_t)a[0], (int)a[1], 0, 0, 0, 0);
}

int64_t sys_timerfd_create(struct linux_task *t, const uint64_t a[6])
{
    (void)t;
    return linux_host(SYS_timerfd_create, (int)a[0], (int)a[1], 0, 0, 0, 0);
}

int64_t sys_timerfd_settime(struct linux_task *t, const uint64_t a[6])
{
    return linux_timer_set(t, SYS_timerfd_settime, a, false);
}

int64_t sys_timerfd_settime64(struct linux_task *t, const uint64_t a[6])
{
    return linux_timer_set(t, SYS_timerfd_settime, a, true);
}

int64_t sys_timerfd_gettime(struct linux_task *t, const uint64_t a[6])
{
    return linux_timer_get(t, SYS_timerfd_gettime, a, false);
}

int64_t sys_timerfd_gettime64(struct linux_task *t, const uint64_t a[6])
{
    return linux_timer_get(t, SYS_timerfd_gettime, a, true);
}

int64_t sys_inotify_init(struct linux_task *t, const uint64_t a[6])
{
    (void)t;
    (void)a;
    return linux_host(SYS_inotify_init1, 0, 0, 0, 0, 0, 0);
}

int64_t sys_inotify_init1(struct linux_task *t, const uint64_t a[6])
{
    return linux_host(SYS_inotify_init1, t->process->abi->open_flags_in(a[0]), 0, 0, 0, 0, 0);
}

int64_t sys_inotify_add_watch(struct linux_task *t, const uint64_t a[6])
{
    struct linux_path path;
    int64_t err = linux_path_get(t, a[1], true, &path);
    return err ? err
               : linux_host(SYS_inotify_add_watch, (int)a[0], (long)path.host, (long)(uint32_t)a[2],
                            0, 0, 0);
}

int64_t sys_inotify_rm_watch(struct linux_task *t, const uint64_t a[6])
{
    (void)t;
    return linux_host(SYS_inotify_rm_watch, (int)a[0], (int)a[1], 0, 0, 0, 0);
}
