/* Structures that every ABI declares alike. */
#include "os/linux/layout.h"

#include <errno.h>
#include <limits.h>
#include "os/linux/guest_mem.h"

void pack_begin(struct pack *p, const struct linux_task *t)
{
    p->len = 0;
    p->word = t->process->abi->word;
    p->align64 = t->process->abi->align64;
}

int64_t pack_end(struct linux_task *t, uint64_t gva, struct pack *p, size_t align)
{
    pack_align(p, align);
    return linux_copy_out(t, gva, p->bytes, p->len);
}

int64_t unpack_begin(struct linux_task *t, uint64_t gva, struct unpack *u, size_t size)
{
    if (size > LAYOUT_MAX)
        return -EINVAL;
    u->at = 0;
    u->len = size;
    u->word = t->process->abi->word;
    u->align64 = t->process->abi->align64;
    return linux_copy_in(t, u->bytes, gva, size);
}

int64_t linux_get_timespec(struct linux_task *t, uint64_t gva, struct timespec *ts)
{
    struct unpack u;
    int64_t err = unpack_begin(t, gva, &u, 2u * t->process->abi->word);
    if (err)
        return err;
    ts->tv_sec = unpack_sword(&u);
    ts->tv_nsec = unpack_sword(&u);
    return 0;
}

int64_t linux_put_timespec(struct linux_task *t, uint64_t gva, const struct timespec *ts)
{
    struct pack p;
    pack_begin(&p, t);
    pack_word(&p, (uint64_t)ts->tv_sec);
    pack_word(&p, (uint64_t)ts->tv_nsec);
    return pack_end(t, gva, &p, 1);
}

int64_t linux_get_timespec64(struct linux_task *t, uint64_t gva, struct timespec *ts)
{
    struct unpack u;
    int64_t err = unpack_begin(t, gva, &u, 16);
    if (err)
        return err;
    ts->tv_sec = (int64_t)unpack_u64(&u);
    ts->tv_nsec = (int64_t)unpack_u64(&u);
    /* On 32-bit ABIs the upper half of tv_nsec is padding that user space need not clear. */
    if (u.word == 4)
        ts->tv_nsec = (int32_t)ts->tv_nsec;
    return 0;
}

int64_t linux_put_timespec64(struct linux_task *t, uint64_t gva, const struct timespec *ts)
{
    struct pack p;
    pack_begin(&p, t);
    pack_u64(&p, (uint64_t)ts->tv_sec);
    pack_u64(&p, (uint64_t)ts->tv_nsec);
    return pack_end(t, gva, &p, 1);
}

int64_t linux_get_timeval(struct linux_task *t, uint64_t gva, struct timeval *tv)
{
    struct timespec ts;
    int64_t err = linux_get_timespec(t, gva, &ts);
    if (err)
        return err;
    tv->tv_sec = ts.tv_sec;
    tv->tv_usec = ts.tv_nsec;
    return 0;
}

int64_t linux_put_timeval(struct linux_task *t, uint64_t gva, const struct timeval *tv)
{
    return linux_put_timespec(t, gva, &(struct timespec){tv->tv_sec, tv->tv_usec});
}

int64_t linux_get_flock(struct linux_task *t, uint64_t gva, struct flock *fl)
{
    struct unpack u;
    int64_t err = unpack_begin(t, gva, &u, t->process->abi->word == 4 ? 16 : 32);
    if (err)
        return err;
    fl->l_type = (short)unpack_u16(&u);
    fl->l_whence = (short)unpack_u16(&u);
    fl->l_start = unpack_sword(&u);
    fl->l_len = unpack_sword(&u);
    fl->l_pid = (pid_t)unpack_u32(&u);
    return 0;
}

int64_t linux_put_flock(struct linux_task *t, uint64_t gva, const struct flock *fl)
{
    struct pack p;
    pack_begin(&p, t);
    if (p.word == 4 && (fl->l_start > INT32_MAX || fl->l_len > INT32_MAX))
        return -EOVERFLOW;
    pack_u16(&p, (uint16_t)fl->l_type);
    pack_u16(&p, (uint16_t)fl->l_whence);
    pack_word(&p, (uint64_t)fl->l_start);
    pack_word(&p, (uint64_t)fl->l_len);
    pack_u32(&p, (uint32_t)fl->l_pid);
    return pack_end(t, gva, &p, p.word);
}

int64_t linux_get_flock64(struct linux_task *t, uint64_t gva, struct flock *fl)
{
    struct unpack u;
    int64_t err = unpack_begin(t, gva, &u, t->process->abi->align64 == 8 ? 32 : 24);
    if (err)
        return err;
    fl->l_type = (short)unpack_u16(&u);
    fl->l_whence = (short)unpack_u16(&u);
    fl->l_start = (int64_t)unpack_u64(&u);
    fl->l_len = (int64_t)unpack_u64(&u);
    fl->l_pid = (pid_t)unpack_u32(&u);
    return 0;
}

int64_t linux_put_flock64(struct linux_task *t, uint64_t gva, const struct flock *fl)
{
    struct pack p;
    pack_begin(&p, t);
    pack_u16(&p, (uint16_t)fl->l_type);
    pack_u16(&p, (uint16_t)fl->l_whence);
    pack_u64(&p, (uint64_t)fl->l_start);
    pack_u64(&p, (uint64_t)fl->l_len);
    pack_u32(&p, (uint32_t)fl->l_pid);
    return pack_end(t, gva, &p, p.align64);
}

static uint64_t epoll_event_size(const struct linux_task *t)
{
    const struct linux_abi *abi = t->process->abi;
    return abi->align64 == 8 && !abi->packed_epoll ? 16 : 12;
}

int64_t linux_get_epoll_event(struct linux_task *t, uint64_t gva, unsigned index,
                              struct epoll_event *ev)
{
    struct unpack u;
    uint64_t size = epoll_event_size(t);
    int64_t err = unpack_begin(t, gva + index * size, &u, size);
    if (err)
        return err;
    u.align64 = size == 16 ? 8 : 4;
    ev->events = unpack_u32(&u);
    ev->data.u64 = unpack_u64(&u);
    return 0;
}

int64_t linux_put_epoll_event(struct linux_task *t, uint64_t gva, unsigned index,
                              const struct epoll_event *ev)
{
    uint64_t size = epoll_event_size(t);
    struct pack p;
    pack_begin(&p, t);
    p.align64 = size == 16 ? 8 : 4;
    pack_u32(&p, ev->events);
    pack_u64(&p, ev->data.u64);
    return pack_end(t, gva + index * size, &p, 1);
}

int64_t linux_put_rusage(struct linux_task *t, uint64_t gva, const struct rusage *ru)
{
    struct pack p;
    pack_begin(&p, t);
    pack_word(&p, (uint64_t)ru->ru_utime.tv_sec);
    pack_word(&p, (uint64_t)ru->ru_utime.tv_usec);
    pack_word(&p, (uint64_t)ru->ru_stime.tv_sec);
    pack_word(&p, (uint64_t)ru->ru_stime.tv_usec);
    const long *counts[] = {&ru->ru_maxrss,  &ru->ru_ixrss,  &ru->ru_idrss,  &ru->ru_isrss,
                            &ru->ru_minflt,  &ru->ru_majflt, &ru->ru_nswap,  &ru->ru_inblock,
                            &ru->ru_oublock, &ru->ru_msgsnd, &ru->ru_msgrcv, &ru->ru_nsignals,
                            &ru->ru_nvcsw,   &ru->ru_nivcsw};
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        pack_word(&p, (uint64_t)*counts[i]);
    return pack_end(t, gva, &p, 1);
}

int64_t linux_put_sysinfo(struct linux_task *t, uint64_t gva, const struct sysinfo *si)
{
    uint64_t memory[] = {si->totalram,  si->freeram,  si->sharedram, si->bufferram,
                         si->totalswap, si->freeswap, si->totalhigh, si->freehigh};
    uint64_t unit = si->mem_unit ? si->mem_unit : 1;
    struct pack p;
    pack_begin(&p, t);
    /* As the kernel's compat call: when bytes overflow the word, count in pages. */
    if (p.word == 4 && ((memory[0] * unit) >> 32 || (memory[4] * unit) >> 32)) {
        for (; unit < 4096; unit *= 2)
            for (size_t i = 0; i < ARRAY_LEN(memory); i++)
                memory[i] /= 2;
    }
    pack_word(&p, (uint64_t)si->uptime);
    for (size_t i = 0; i < 3; i++)
        pack_word(&p, si->loads[i]);
    for (size_t i = 0; i < 6; i++)
        pack_word(&p, memory[i]);
    pack_u16(&p, si->procs);
    pack_u16(&p, 0);
    pack_word(&p, memory[6]);
    pack_word(&p, memory[7]);
    pack_u32(&p, unit);
    if (p.word == 4)
        pack_zero(&p, 8); /* char _f[20 - 2 * sizeof(long) - sizeof(int)] */
    return pack_end(t, gva, &p, p.word);
}

int64_t linux_put_rlimit(struct linux_task *t, uint64_t gva, const struct rlimit *rl)
{
    struct pack p;
    pack_begin(&p, t);
    uint64_t infinity = p.word == 4 ? UINT32_MAX : UINT64_MAX;
    pack_word(&p, rl->rlim_cur > infinity ? infinity : rl->rlim_cur);
    pack_word(&p, rl->rlim_max > infinity ? infinity : rl->rlim_max);
    return pack_end(t, gva, &p, 1);
}

int64_t linux_get_rlimit(struct linux_task *t, uint64_t gva, struct rlimit *rl)
{
    struct unpack u;
    int64_t err = unpack_begin(t, gva, &u, 2u * t->process->abi->word);
    if (err)
        return err;
    uint64_t infinity = u.word == 4 ? UINT32_MAX : UINT64_MAX;
    uint64_t cur = unpack_word(&u), max = unpack_word(&u);
    rl->rlim_cur = cur == infinity ? RLIM_INFINITY : cur;
    rl->rlim_max = max == infinity ? RLIM_INFINITY : max;
    return 0;
}

static int64_t put_statfs(struct linux_task *t, uint64_t gva, const struct statfs *st, bool wide)
{
    uint64_t counts[] = {st->f_blocks, st->f_bfree, st->f_bavail, st->f_files, st->f_ffree};
    int fsid[2];
    struct pack p;
    pack_begin(&p, t);
    pack_word(&p, (uint64_t)st->f_type);
    pack_word(&p, (uint64_t)st->f_bsize);
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        if (wide) {
            pack_u64(&p, counts[i]);
            continue;
        }
        /* File counts may say "unknown" with all bits set; blocks may not overflow. */
        if (p.word == 4 && counts[i] > UINT32_MAX && !(i >= 3 && counts[i] == UINT64_MAX))
            return -EOVERFLOW;
        pack_word(&p, counts[i]);
    }
    memcpy(fsid, &st->f_fsid, sizeof fsid);
    pack_u32(&p, (uint32_t)fsid[0]);
    pack_u32(&p, (uint32_t)fsid[1]);
    pack_word(&p, (uint64_t)st->f_namelen);
    pack_word(&p, (uint64_t)st->f_frsize);
    pack_word(&p, (uint64_t)st->f_flags);
    pack_zero(&p, 4u * p.word);
    return linux_copy_out(t, gva, p.bytes, p.len);
}

int64_t linux_put_statfs(struct linux_task *t, uint64_t gva, const struct statfs *st)
{
    return put_statfs(t, gva, st, false);
}

/* 84 bytes on ARM EABI: the kernel packs the structure to 4 there and user space knows. */
int64_t linux_put_statfs64(struct linux_task *t, uint64_t gva, const struct statfs *st)
{
    return put_statfs(t, gva, st, true);
}
