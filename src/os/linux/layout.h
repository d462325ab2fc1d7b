/* Guest structures, written and read field by field.
 *
 * Most kernel structures are the same C declaration on every ABI and differ only in the width of
 * `long` and in the alignment of 64-bit members. They are converted here by naming their members
 * in order: each call aligns itself as a C compiler for that ABI would. What differs in more than
 * that (stat, open flags, …) is in struct linux_abi. */
#ifndef OS_LINUX_LAYOUT_H
#define OS_LINUX_LAYOUT_H

#include <string.h>
#include "os/linux/abi.h"

#define LAYOUT_MAX 512

/* Collects a structure; overlong ones are cut and never reach beyond the buffer. */
struct pack {
    uint8_t bytes[LAYOUT_MAX];
    size_t len;
    uint8_t word;    /* size of long and of pointers: 4 or 8 */
    uint8_t align64; /* alignment of 64-bit members */
};

static inline void pack_align(struct pack *p, size_t align)
{
    while (p->len & (align - 1) && p->len < LAYOUT_MAX)
        p->bytes[p->len++] = 0;
}
static inline void pack_bytes(struct pack *p, const void *from, size_t size)
{
    if (size > LAYOUT_MAX - p->len)
        size = LAYOUT_MAX - p->len;
    memcpy(p->bytes + p->len, from, size);
    p->len += size;
}
static inline void pack_zero(struct pack *p, size_t size)
{
    if (size > LAYOUT_MAX - p->len)
        size = LAYOUT_MAX - p->len;
    memset(p->bytes + p->len, 0, size);
    p->len += size;
}
static inline void pack_u8(struct pack *p, uint64_t value)
{
    pack_bytes(p, &(uint8_t){(uint8_t)value}, 1);
}
static inline void pack_u16(struct pack *p, uint64_t value)
{
    pack_align(p, 2);
    pack_bytes(p, &(uint16_t){(uint16_t)value}, 2);
}
static inline void pack_u32(struct pack *p, uint64_t value)
{
    pack_align(p, 4);
    pack_bytes(p, &(uint32_t){(uint32_t)value}, 4);
}
static inline void pack_u64(struct pack *p, uint64_t value)
{
    pack_align(p, p->align64);
    pack_bytes(p, &value, 8);
}
/* long, unsigned long, size_t, pointers. */
static inline void pack_word(struct pack *p, uint64_t value)
{
    pack_align(p, p->word);
    pack_bytes(p, &value, p->word);
}

/* Reads a structure that has been copied from the guest; bytes beyond its end read as 0. */
struct unpack {
    uint8_t bytes[LAYOUT_MAX];
    size_t at, len;
    uint8_t word, align64;
};

static inline uint64_t unpack_uint(struct unpack *u, size_t size, size_t align)
{
    uint64_t value = 0;
    u->at = (u->at + align - 1) & ~(align - 1);
    if (u->at + size <= u->len)
        memcpy(&value, u->bytes + u->at, size);
    u->at += size;
    return value;
}
static inline uint8_t unpack_u8(struct unpack *u)
{
    return (uint8_t)unpack_uint(u, 1, 1);
}
static inline uint16_t unpack_u16(struct unpack *u)
{
    return (uint16_t)unpack_uint(u, 2, 2);
}
static inline uint32_t unpack_u32(struct unpack *u)
{
    return (uint32_t)unpack_uint(u, 4, 4);
}
static inline uint64_t unpack_u64(struct unpack *u)
{
    return unpack_uint(u, 8, u->align64);
}
/* unsigned long, size_t, pointers: zero-extended. */
static inline uint64_t unpack_word(struct unpack *u)
{
    return unpack_uint(u, u->word, u->word);
}
/* long: sign-extended. */
static inline int64_t unpack_sword(struct unpack *u)
{
    uint64_t value = unpack_word(u);
    return u->word == 4 ? (int32_t)value : (int64_t)value;
}

/* The ABI's parameters, an empty structure. */
void pack_begin(struct pack *, const struct linux_task *);
/* Puts the structure into guest memory, padded to ALIGN bytes; 0 or -EFAULT. */
int64_t pack_end(struct linux_task *, uint64_t gva, struct pack *, size_t align);
/* Fetches SIZE bytes; 0 or -EFAULT (SIZE beyond LAYOUT_MAX: -EINVAL). */
int64_t unpack_begin(struct linux_task *, uint64_t gva, struct unpack *, size_t size);

/* Structures whose declaration is the same everywhere; fit for the slots of struct linux_abi. */
int64_t linux_get_timespec(struct linux_task *, uint64_t gva, struct timespec *);
int64_t linux_put_timespec(struct linux_task *, uint64_t gva, const struct timespec *);
int64_t linux_get_timespec64(struct linux_task *, uint64_t gva, struct timespec *);
int64_t linux_put_timespec64(struct linux_task *, uint64_t gva, const struct timespec *);
int64_t linux_get_timeval(struct linux_task *, uint64_t gva, struct timeval *);
int64_t linux_put_timeval(struct linux_task *, uint64_t gva, const struct timeval *);
int64_t linux_get_flock(struct linux_task *, uint64_t gva, struct flock *);
int64_t linux_put_flock(struct linux_task *, uint64_t gva, const struct flock *);
int64_t linux_get_flock64(struct linux_task *, uint64_t gva, struct flock *);
int64_t linux_put_flock64(struct linux_task *, uint64_t gva, const struct flock *);
/* struct epoll_event is 16 bytes where its 64-bit member is aligned to 8, else 12. */
int64_t linux_get_epoll_event(struct linux_task *, uint64_t gva, unsigned index,
                              struct epoll_event *);
int64_t linux_put_epoll_event(struct linux_task *, uint64_t gva, unsigned index,
                              const struct epoll_event *);
int64_t linux_put_rusage(struct linux_task *, uint64_t gva, const struct rusage *);
int64_t linux_put_sysinfo(struct linux_task *, uint64_t gva, const struct sysinfo *);
/* Two timespecs, interval first; WIDE: those of the time64 calls. */
int64_t linux_get_itimerspec(struct linux_task *, uint64_t gva, bool wide, struct itimerspec *);
int64_t linux_put_itimerspec(struct linux_task *, uint64_t gva, bool wide,
                             const struct itimerspec *);
/* timer_settime and timerfd_settime, timer_gettime and timerfd_gettime: CALL is the host's number,
 * A the guest's arguments, WIDE the time64 variant. */
int64_t linux_timer_set(struct linux_task *, long call, const uint64_t a[6], bool wide);
int64_t linux_timer_get(struct linux_task *, long call, const uint64_t a[6], bool wide);
/* Limits beyond the guest's word become its RLIM_INFINITY and back. */
int64_t linux_put_rlimit(struct linux_task *, uint64_t gva, const struct rlimit *);
int64_t linux_get_rlimit(struct linux_task *, uint64_t gva, struct rlimit *);
int64_t linux_put_stat32(struct linux_task *, uint64_t gva, const struct stat *); /* EOVERFLOW */
int64_t linux_put_stat64(struct linux_task *, uint64_t gva, const struct stat *);
int64_t linux_put_statfs(struct linux_task *, uint64_t gva, const struct statfs *);
int64_t linux_put_statfs64(struct linux_task *, uint64_t gva, const struct statfs *);

#endif
