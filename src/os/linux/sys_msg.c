/* sendmsg, recvmsg and their many-message forms, with control messages. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "os/linux/io_span.h"
#include "os/linux/layout.h"
#include "os/linux/sockaddr.h"

/* More than the kernel's limit for the control messages of one call (net.core.optmem_max). */
#define CONTROL_MAX  131072
#define MESSAGES_MAX 1024

int64_t linux_get_msghdr(struct linux_task *t, uint64_t gva, struct linux_msghdr *h)
{
    struct unpack u;
    int64_t err = unpack_begin(t, gva, &u, LINUX_MSGHDR_SIZE(t->process->abi));
    if (err)
        return err;
    h->name = unpack_word(&u);
    h->namelen = unpack_u32(&u);
    h->iov = unpack_word(&u);
    h->iovlen = unpack_word(&u);
    h->control = unpack_word(&u);
    h->controllen = unpack_word(&u);
    h->flags = unpack_u32(&u);
    return 0;
}

int64_t linux_put_msghdr(struct linux_task *t, uint64_t gva, const struct linux_msghdr *h)
{
    unsigned word = t->process->abi->word;
    int64_t err = linux_put_u32(t, gva + word, (uint32_t)h->namelen);
    if (!err)
        err = linux_put_word(t, gva + 5u * word, h->controllen);
    return err ? err : linux_put_u32(t, gva + 6u * word, h->flags);
}

/* Host forms of one guest message; the memory is freed by message_free. */
struct message {
    struct linux_msghdr guest;
    struct msghdr host;
    struct sockaddr_storage addr;
};

static void message_free(struct message *m)
{
    free(m->host.msg_iov);
    free(m->host.msg_control);
}

static uint64_t word_align(const struct linux_task *t, uint64_t size)
{
    return (size + t->process->abi->word - 1u) & ~(uint64_t)(t->process->abi->word - 1u);
}

/* struct cmsghdr: a word, then two ints; the data follows, all padded to words. */
static uint64_t cmsg_head(const struct linux_task *t)
{
    return t->process->abi->word + 8u;
}

/* Fills the host's control buffer, which is big enough: each guest message grows by at most the
 * difference of the headers and the padding. */
static int64_t control_in(struct linux_task *t, struct message *m)
{
    uint64_t at = m->guest.control, left = m->guest.controllen, head = cmsg_head(t);
    size_t used = 0;
    while (left >= head) {
        struct unpack u;
        int64_t err = unpack_begin(t, at, &u, head);
        if (err)
            return err;
        uint64_t len = unpack_word(&u);
        if (len < head || len > left)
            return -EINVAL;
        struct cmsghdr *c = (struct cmsghdr *)((uint8_t *)m->host.msg_control + used);
        c->cmsg_level = (int)unpack_u32(&u);
        c->cmsg_type = (int)unpack_u32(&u);
        c->cmsg_len = CMSG_LEN(len - head);
        err = linux_copy_in(t, CMSG_DATA(c), at + head, len - head);
        if (err)
            return err;
        used += CMSG_SPACE(len - head);
        len = word_align(t, len);
        if (len >= left)
            break;
        at += len;
        left -= len;
    }
    m->host.msg_controllen = used;
    return 0;
}

/* Timestamps of the types that have the ABI's long; gives the converted size. */
static size_t convert_cmsg(const struct linux_task *t, const struct cmsghdr *c, size_t size,
                           uint8_t out[64])
{
    enum { TIMESTAMP_OLD = 29, TIMESTAMPNS_OLD = 35, TIMESTAMPING_OLD = 37 };
    size_t words = c->cmsg_type == TIMESTAMPING_OLD ? 6 : 2;
    bool stamp = c->cmsg_level == SOL_SOCKET &&
                 (c->cmsg_type == TIMESTAMP_OLD || c->cmsg_type == TIMESTAMPNS_OLD ||
                  c->cmsg_type == TIMESTAMPING_OLD);
    if (!stamp || size < words * 8 || t->process->abi->word == 8)
        return 0;
    for (size_t i = 0; i < words; i++)
        memcpy(out + i * 4, CMSG_DATA(c) + i * 8, 4);
    return words * 4;
}

/* Descriptors that came and do not reach the guest would stay open in it, unknown to it. */
static void drop_descriptors(const struct cmsghdr *c, size_t given)
{
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
        return;
    for (size_t at = given; at + sizeof(int) <= c->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
        int fd;
        memcpy(&fd, CMSG_DATA(c) + at, sizeof fd);
        close(fd);
    }
}

/* Gives the control messages to the guest, as many as fit; MSG_CTRUNC when not all do. */
static int64_t control_out(struct linux_task *t, struct message *m)
{
    uint64_t at = m->guest.control, left = m->guest.controllen, head = cmsg_head(t);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m->host); c; c = CMSG_NXTHDR(&m->host, c)) {
        uint8_t converted[64];
        if (c->cmsg_len < CMSG_LEN(0))
            break;
        size_t size = c->cmsg_len - CMSG_LEN(0);
        size_t other = convert_cmsg(t, c, size, converted);
        const uint8_t *data = other ? converted : CMSG_DATA(c);
        size = other ? other : size;
        if (left < head) {
            m->host.msg_flags |= MSG_CTRUNC;
            drop_descriptors(c, 0);
            continue;
        }
        if (head + size > left) {
            m->host.msg_flags |= MSG_CTRUNC;
            size = left - head;
            if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
                size &= ~(sizeof(int) - 1);
            drop_descriptors(c, size);
        }
        struct pack p;
        pack_begin(&p, t);
        pack_word(&p, head + size);
        pack_u32(&p, (uint32_t)c->cmsg_level);
        pack_u32(&p, (uint32_t)c->cmsg_type);
        if (linux_copy_out(t, at, p.bytes, p.len) || linux_copy_out(t, at + head, data, size))
            return -EFAULT;
        uint64_t step = word_align(t, head + size);
        step = step < left ? step : left;
        at += step;
        left -= step;
    }
    m->guest.controllen -= left;
    return 0;
}

static int64_t message_get(struct linux_task *t, uint64_t gva, struct message *m, nw_access access)
{
    *m = (struct message){0};
    int64_t err = linux_get_msghdr(t, gva, &m->guest);
    if (err)
        return err;
    if (m->guest.iovlen > IOV_MAX)
        return -EMSGSIZE;
    if (m->guest.controllen > CONTROL_MAX)
        return -ENOBUFS;
    if ((int)m->guest.namelen < 0)
        return -EINVAL;
    m->host.msg_iov = calloc(m->guest.iovlen + 1, sizeof(struct iovec));
    if (!m->host.msg_iov)
        return -ENOMEM;
    int64_t count = linux_iovec_in(t, m->guest.iov, m->guest.iovlen, m->host.msg_iov, access);
    if (count < 0)
        return count;
    m->host.msg_iovlen = (size_t)count;
    if (m->guest.control && m->guest.controllen) {
        m->host.msg_controllen = m->guest.controllen * 2 + 64;
        m->host.msg_control = calloc(1, m->host.msg_controllen);
        if (!m->host.msg_control)
            return -ENOMEM;
    }
    return 0;
}

static int64_t send_one(struct linux_task *t, int fd, uint64_t gva, int flags)
{
    struct message m;
    int64_t err = message_get(t, gva, &m, NW_ACCESS_READ);
    if (!err && m.guest.name && m.guest.namelen) {
        uint64_t len = m.guest.namelen < sizeof m.addr ? m.guest.namelen : sizeof m.addr;
        err = linux_sockaddr_in(t, m.guest.name, len, &m.addr);
        m.host.msg_name = &m.addr;
        m.host.msg_namelen = (socklen_t)len;
    }
    if (!err && m.host.msg_control)
        err = control_in(t, &m);
    if (!err)
        err = linux_block(t, SYS_sendmsg, fd, (long)&m.host, flags, 0, 0, 0);
    message_free(&m);
    return err;
}

static int64_t receive_one(struct linux_task *t, int fd, uint64_t gva, int flags)
{
    struct message m;
    int64_t got = message_get(t, gva, &m, NW_ACCESS_WRITE);
    if (!got && m.guest.name) {
        m.host.msg_name = &m.addr;
        m.host.msg_namelen = sizeof m.addr;
    }
    if (!got)
        got = linux_block(t, SYS_recvmsg, fd, (long)&m.host, flags, 0, 0, 0);
    int64_t err = 0;
    if (got >= 0) {
        if (m.guest.name) {
            uint64_t size = m.host.msg_namelen;
            if (size > m.guest.namelen)
                size = m.guest.namelen;
            if (size > sizeof m.addr)
                size = sizeof m.addr;
            err = linux_copy_out(t, m.guest.name, &m.addr, size);
            m.guest.namelen = m.host.msg_namelen;
        }
        if (!err && m.host.msg_control)
            err = control_out(t, &m);
        else
            m.guest.controllen = 0;
        m.guest.flags = (uint32_t)m.host.msg_flags;
        if (!err)
            err = linux_put_msghdr(t, gva, &m.guest);
    }
    message_free(&m);
    return err ? err : got;
}

int64_t sys_sendmsg(struct linux_task *t, const uint64_t a[6])
{
    return send_one(t, (int)a[0], a[1], (int)a[2]);
}

int64_t sys_recvmsg(struct linux_task *t, const uint64_t a[6])
{
    return receive_one(t, (int)a[0], a[1], (int)a[2]);
}

/* The length of message I of the array at GVA. */
static int64_t put_length(struct linux_task *t, uint64_t gva, int64_t length)
{
    return linux_put_u32(t, gva + LINUX_MSGHDR_SIZE(t->process->abi), (uint32_t)length);
}

int64_t sys_sendmmsg(struct linux_task *t, const uint64_t a[6])
{
    uint32_t count = (uint32_t)a[2] < MESSAGES_MAX ? (uint32_t)a[2] : MESSAGES_MAX, i;
    int64_t err = 0;
    for (i = 0; i < count && err >= 0; i++) {
        uint64_t at = a[1] + i * (uint64_t)LINUX_MMSGHDR_SIZE(t->process->abi);
        err = send_one(t, (int)a[0], at, (int)a[3]);
        if (err >= 0)
            err = put_length(t, at, err);
        if (err < 0)
            break;
    }
    return i ? (int64_t)i : err;
}

static bool passed(const struct timespec *deadline)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec > deadline->tv_sec ||
           (now.tv_sec == deadline->tv_sec && now.tv_nsec >= deadline->tv_nsec);
}

static int64_t receive_many(struct linux_task *t, const uint64_t a[6], bool wide)
{
    struct timespec ts, *timeout, deadline;
    uint32_t count = (uint32_t)a[2] < MESSAGES_MAX ? (uint32_t)a[2] : MESSAGES_MAX, i;
    int flags = (int)a[3];
    int64_t err = linux_timeout_in(t, a[4], wide, &ts, &timeout);
    if (!err && timeout && (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= 1000000000))
        err = -EINVAL;
    if (err)
        return err;
    if (timeout) {
        clock_gettime(CLOCK_MONOTONIC, &deadline);
        if (__builtin_add_overflow(deadline.tv_sec, ts.tv_sec, &deadline.tv_sec))
            timeout = NULL;
        deadline.tv_nsec += ts.tv_nsec;
        if (timeout && deadline.tv_nsec >= 1000000000) {
            deadline.tv_nsec -= 1000000000;
            deadline.tv_sec += deadline.tv_sec < INT64_MAX;
        }
    }
    for (i = 0; i < count; i++) {
        uint64_t at = a[1] + i * (uint64_t)LINUX_MMSGHDR_SIZE(t->process->abi);
        err = receive_one(t, (int)a[0], at, flags & ~MSG_WAITFORONE);
        if (err >= 0)
            err = put_length(t, at, err);
        if (err < 0)
            break;
        if (flags & MSG_WAITFORONE)
            flags |= MSG_DONTWAIT;
        /* The kernel, too, looks at the timeout after each message only. */
        if (timeout && passed(&deadline)) {
            i++;
            break;
        }
    }
    return i ? (int64_t)i : err;
}

int64_t sys_recvmmsg(struct linux_task *t, const uint64_t a[6])
{
    return receive_many(t, a, false);
}

int64_t sys_recvmmsg_time64(struct linux_task *t, const uint64_t a[6])
{
    return receive_many(t, a, true);
}
