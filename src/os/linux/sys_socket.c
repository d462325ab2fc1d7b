/* Sockets: making, connecting, naming, plain sending and receiving, options. */
#include <errno.h>
#include <limits.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "os/linux/io_span.h"
#include "os/linux/layout.h"
#include "os/linux/sockaddr.h"

int64_t linux_sockaddr_in(struct linux_task *t, uint64_t gva, uint64_t len,
                          struct sockaddr_storage *out)
{
    if ((int)len < 0 || len > sizeof *out)
        return -EINVAL;
    return linux_copy_in(t, out, gva, len);
}

int64_t linux_sockaddr_out(struct linux_task *t, uint64_t gva, uint64_t len_gva,
                           const struct sockaddr_storage *addr, socklen_t got)
{
    uint32_t room;
    int64_t err = linux_get_u32(t, len_gva, &room);
    if (err)
        return err;
    if ((int)room < 0)
        return -EINVAL;
    uint32_t size = room < got ? room : got;
    if (size > sizeof *addr)
        size = sizeof *addr;
    err = linux_copy_out(t, gva, addr, size);
    return err ? err : linux_put_u32(t, len_gva, got);
}

int64_t sys_socket(struct linux_task *t, const uint64_t a[6])
{
    (void)t;
    return linux_host(SYS_socket, (int)a[0], (int)a[1], (int)a[2], 0, 0, 0);
}

int64_t sys_socketpair(struct linux_task *t, const uint64_t a[6])
{
    int fds[2];
    int64_t err = linux_host(SYS_socketpair, (int)a[0], (int)a[1], (int)a[2], (long)fds, 0, 0);
    if (!err && linux_copy_out(t, a[3], fds, sizeof fds)) {
        close(fds[0]);
        close(fds[1]);
        err = -EFAULT;
    }
    return err;
}

int64_t sys_bind(struct linux_task *t, const uint64_t a[6])
{
    struct sockaddr_storage addr;
    int64_t err = linux_sockaddr_in(t, a[1], a[2], &addr);
    return err ? err : linux_host(SYS_bind, (int)a[0], (long)&addr, (int)a[2], 0, 0, 0);
}

int64_t sys_connect(struct linux_task *t, const uint64_t a[6])
{
    struct sockaddr_storage addr;
    int64_t err = linux_sockaddr_in(t, a[1], a[2], &addr);
    return err ? err : linux_block(t, SYS_connect, (int)a[0], (long)&addr, (int)a[2], 0, 0, 0);
}

int64_t sys_listen(struct linux_task *t, const uint64_t a[6])
{
    (void)t;
    return linux_host(SYS_listen, (int)a[0], (int)a[1], 0, 0, 0, 0);
}

static int64_t do_accept(struct linux_task *t, const uint64_t a[6], int flags)
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof addr;
    int64_t fd = linux_block(t, SYS_accept4, (int)a[0], a[1] ? (long)&addr : 0,
                             a[1] ? (long)&len : 0, flags, 0, 0);
    if (fd < 0 || !a[1])
        return fd;
    int64_t err = linux_sockaddr_out(t, a[1], a[2], &addr, len);
    if (err)
        close((int)fd);
    return err ? err : fd;
}

int64_t sys_accept(struct linux_task *t, const uint64_t a[6])
{
    return do_accept(t, a, 0);
}

int64_t sys_accept4(struct linux_task *t, const uint64_t a[6])
{
    return do_accept(t, a, (int)a[3]);
}

static int64_t get_name(struct linux_task *t, long nr, const uint64_t a[6])
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof addr;
    int64_t err = linux_host(nr, (int)a[0], (long)&addr, (long)&len, 0, 0, 0);
    return err ? err : linux_sockaddr_out(t, a[1], a[2], &addr, len);
}

int64_t sys_getsockname(struct linux_task *t, const uint64_t a[6])
{
    return get_name(t, SYS_getsockname, a);
}

int64_t sys_getpeername(struct linux_task *t, const uint64_t a[6])
{
    return get_name(t, SYS_getpeername, a);
}

int64_t sys_sendto(struct linux_task *t, const uint64_t a[6])
{
    struct sockaddr_storage addr;
    int64_t err = a[4] ? linux_sockaddr_in(t, a[4], a[5], &addr) : 0;
    if (err)
        return err;
    /* A message is sent whole or not at all. */
    return linux_block(t, SYS_sendto, (int)a[0], linux_whole(t, a[1], a[2], NW_ACCESS_READ),
                       (long)a[2], (int)a[3], a[4] ? (long)&addr : 0, a[4] ? (int)a[5] : 0);
}

int64_t sys_send(struct linux_task *t, const uint64_t a[6])
{
    return sys_sendto(t, (const uint64_t[6]){a[0], a[1], a[2], a[3]});
}

int64_t sys_recvfrom(struct linux_task *t, const uint64_t a[6])
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof addr;
    uint64_t size = a[2];
    long at = linux_buffer(t, a[1], &size, NW_ACCESS_WRITE);
    int64_t got = linux_block(t, SYS_recvfrom, (int)a[0], at, (long)size, (int)a[3],
                              a[4] ? (long)&addr : 0, a[4] ? (long)&len : 0);
    if (got < 0 || !a[4])
        return got;
    int64_t err = linux_sockaddr_out(t, a[4], a[5], &addr, len);
    return err ? err : got;
}

int64_t sys_recv(struct linux_task *t, const uint64_t a[6])
{
    return sys_recvfrom(t, (const uint64_t[6]){a[0], a[1], a[2], a[3]});
}

int64_t sys_shutdown(struct linux_task *t, const uint64_t a[6])
{
    (void)t;
    return linux_host(SYS_shutdown, (int)a[0], (int)a[1], 0, 0, 0, 0);
}

/* ---- options: most values are the same everywhere; these hold longs or pointers ---- */

enum sockopt_kind { SOCKOPT_TIMEVAL, SOCKOPT_FILTER, SOCKOPT_GROUP };

/* Options whose values hold no addresses. Some of the others make the kernel write to an address
 * in the value (TCP_ZEROCOPY_RECEIVE, MPTCP_FULL_INFO, SCTP, packet filter tables), or count it in
 * other units than bytes (SO_GET_FILTER): the host must not see a guest's. */
static const struct {
    int level, first, last;
} sockopt_plain[] = {
    {SOL_SOCKET, 0, SO_GET_FILTER - 1},
    {SOL_SOCKET, SO_GET_FILTER + 1, 255},
    {IPPROTO_IP, 0, 63},
    {IPPROTO_IPV6, 0, 63},
    {IPPROTO_IPV6, 66, 67}, /* IPV6_RECVTCLASS, IPV6_TCLASS */
    {IPPROTO_IPV6, 70, 79},
    {IPPROTO_TCP, 0, 34},
    {IPPROTO_TCP, 36, 37}, /* TCP_INQ, TCP_TX_DELAY */
    {IPPROTO_UDP, 0, 255},
    {IPPROTO_UDPLITE, 0, 255},
    {IPPROTO_ICMPV6, 0, 63},
    {255 /* SOL_RAW */, 0, 63},
    {263 /* SOL_PACKET */, 0, 21}, /* 22: PACKET_FANOUT_DATA */
    {263 /* SOL_PACKET */, 23, 63},
    {270 /* SOL_NETLINK */, 0, 63},
    {282 /* SOL_TLS */, 0, 63},
    {AF_VSOCK, 0, 63},
};

static bool sockopt_is_plain(int level, int name)
{
    for (size_t i = 0; i < ARRAY_LEN(sockopt_plain); i++)
        if (sockopt_plain[i].level == level && name >= sockopt_plain[i].first &&
            name <= sockopt_plain[i].last)
            return true;
    return false;
}

/* What the host would say of an option that it does not know. */
static int64_t sockopt_unknown(int fd)
{
    int type;
    socklen_t len = sizeof type;
    int64_t err = linux_host(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, (long)&type, (long)&len, 0);
    return err ? err : -ENOPROTOOPT;
}

static const struct {
    int level, name;
    enum sockopt_kind kind;
} sockopt_rows[] = {
    {SOL_SOCKET, 20, SOCKOPT_TIMEVAL}, /* SO_RCVTIMEO_OLD: a timeval of the ABI's long */
    {SOL_SOCKET, 21, SOCKOPT_TIMEVAL}, /* SO_SNDTIMEO_OLD */
    {SOL_SOCKET, SO_ATTACH_FILTER, SOCKOPT_FILTER},
    {SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, SOCKOPT_FILTER},
    {IPPROTO_IP, MCAST_JOIN_GROUP, SOCKOPT_GROUP},
    {IPPROTO_IP, MCAST_LEAVE_GROUP, SOCKOPT_GROUP},
    {IPPROTO_IPV6, MCAST_JOIN_GROUP, SOCKOPT_GROUP},
    {IPPROTO_IPV6, MCAST_LEAVE_GROUP, SOCKOPT_GROUP},
};

/* The index of the row, or -1: the value passes through. */
static int sockopt_find(int level, int name)
{
    for (size_t i = 0; i < ARRAY_LEN(sockopt_rows); i++)
        if (sockopt_rows[i].level == level && sockopt_rows[i].name == name)
            return (int)i;
    return -1;
}

static int64_t set_timeout(struct linux_task *t, const uint64_t a[6])
{
    struct timeval tv;
    if (a[4] < 2u * t->process->abi->word)
        return -EINVAL;
    int64_t err = t->process->abi->get_timeval(t, a[3], &tv);
    return err ? err
               : linux_host(SYS_setsockopt, (int)a[0], (int)a[1], (int)a[2], (long)&tv, sizeof tv,
                            0);
}

static int64_t set_filter(struct linux_task *t, const uint64_t a[6])
{
    struct unpack u;
    uint64_t size = 2u * t->process->abi->word;
    if (a[4] != size)
        return -EINVAL;
    int64_t err = unpack_begin(t, a[3], &u, size);
    if (err)
        return err;
    struct sock_fprog prog = {.len = unpack_u16(&u)};
    uint64_t code = unpack_word(&u);
    /* The program is copied: the kernel reads it while it checks it. */
    prog.filter = calloc(prog.len + 1u, sizeof *prog.filter);
    if (!prog.filter)
        return -ENOMEM;
    err = linux_copy_in(t, prog.filter, code, prog.len * sizeof *prog.filter);
    if (!err)
        err = linux_host(SYS_setsockopt, (int)a[0], (int)a[1], (int)a[2], (long)&prog, sizeof prog,
                         0);
    free(prog.filter);
    return err;
}

static int64_t set_group(struct linux_task *t, const uint64_t a[6])
{
    struct group_req req = {0};
    uint64_t gap = t->process->abi->word; /* the address is aligned to a word */
    if (a[4] < gap + sizeof req.gr_group)
        return -EINVAL;
    int64_t err = linux_get_u32(t, a[3], &req.gr_interface);
    if (!err)
        err = linux_copy_in(t, &req.gr_group, a[3] + gap, sizeof req.gr_group);
    return err ? err
               : linux_host(SYS_setsockopt, (int)a[0], (int)a[1], (int)a[2], (long)&req, sizeof req,
                            0);
}

int64_t sys_setsockopt(struct linux_task *t, const uint64_t a[6])
{
    int row = sockopt_find((int)a[1], (int)a[2]);
    if ((int)a[4] < 0)
        return -EINVAL;
    if (row < 0 && !sockopt_is_plain((int)a[1], (int)a[2]))
        return sockopt_unknown((int)a[0]);
    if (row < 0)
        return linux_host(SYS_setsockopt, (int)a[0], (int)a[1], (int)a[2],
                          a[3] ? linux_whole(t, a[3], a[4], NW_ACCESS_READ) : 0, (int)a[4], 0);
    switch (sockopt_rows[row].kind) {
    case SOCKOPT_TIMEVAL: return set_timeout(t, a);
    case SOCKOPT_FILTER: return set_filter(t, a);
    default: return set_group(t, a);
    }
}

int64_t sys_getsockopt(struct linux_task *t, const uint64_t a[6])
{
    uint32_t room;
    int row = sockopt_find((int)a[1], (int)a[2]);
    int64_t err = linux_get_u32(t, a[4], &room);
    if (err)
        return err;
    if ((int)room < 0)
        return -EINVAL;
    if (row >= 0 && sockopt_rows[row].kind == SOCKOPT_TIMEVAL) {
        struct timeval tv;
        socklen_t len = sizeof tv;
        err = linux_host(SYS_getsockopt, (int)a[0], (int)a[1], (int)a[2], (long)&tv, (long)&len, 0);
        if (err)
            return err;
        uint64_t size = 2u * t->process->abi->word;
        if (room < size)
            return -EINVAL;
        err = t->process->abi->put_timeval(t, a[3], &tv);
        return err ? err : linux_put_u32(t, a[4], (uint32_t)size);
    }
    if (!sockopt_is_plain((int)a[1], (int)a[2]))
        return sockopt_unknown((int)a[0]);
    socklen_t len = room;
    err = linux_host(SYS_getsockopt, (int)a[0], (int)a[1], (int)a[2],
                     linux_whole(t, a[3], room, NW_ACCESS_WRITE), (long)&len, 0);
    return err ? err : linux_put_u32(t, a[4], len);
}

/* The socket calls by number, their arguments in memory (linux/net.h). ORDER SYS_SOCKET */
int64_t sys_socketcall(struct linux_task *t, const uint64_t a[6])
{
    static const struct {
        linux_handler handler;
        uint8_t nargs;
    } calls[] = {
        {NULL, 0},           {sys_socket, 3},   {sys_bind, 3},        {sys_connect, 3},
        {sys_listen, 2},     {sys_accept, 3},   {sys_getsockname, 3}, {sys_getpeername, 3},
        {sys_socketpair, 4}, {sys_send, 4},     {sys_recv, 4},        {sys_sendto, 6},
        {sys_recvfrom, 6},   {sys_shutdown, 2}, {sys_setsockopt, 5},  {sys_getsockopt, 5},
        {sys_sendmsg, 3},    {sys_recvmsg, 3},  {sys_accept4, 4},     {sys_recvmmsg, 5},
        {sys_sendmmsg, 4},
    };
    uint64_t own[6] = {0};
    if (!a[0] || a[0] >= ARRAY_LEN(calls))
        return -EINVAL;
    for (unsigned i = 0; i < calls[a[0]].nargs; i++)
        if (linux_get_word(t, a[1] + i * t->process->abi->word, &own[i]))
            return -EFAULT;
    return calls[a[0]].handler(t, own);
}
