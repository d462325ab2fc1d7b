/* Structures as --strace prints them: the members that matter, in strace's notation. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include "os/linux/guest_mem.h"
#include "os/linux/layout.h"
#include "os/linux/strace_out.h"

#define ELEMENTS_SHOWN 32

static void put_file_mode(struct strace_line *l, unsigned mode)
{
    static const struct {
        unsigned type;
        const char *name;
    } types[] = {{S_IFREG, "S_IFREG"},  {S_IFDIR, "S_IFDIR"}, {S_IFLNK, "S_IFLNK"},
                 {S_IFCHR, "S_IFCHR"},  {S_IFBLK, "S_IFBLK"}, {S_IFIFO, "S_IFIFO"},
                 {S_IFSOCK, "S_IFSOCK"}};
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if ((mode & S_IFMT) == types[i].type)
            strace_put(l, "%s", types[i].name);
    strace_put(l, "|%s%s%s%#03o", mode & S_ISUID ? "S_ISUID|" : "",
               mode & S_ISGID ? "S_ISGID|" : "", mode & S_ISVTX ? "S_ISVTX|" : "", mode & 0777);
}

void strace_put_stat(struct strace_line *l, uint64_t gva)
{
    const struct stat *st = &l->stat;
    if (!l->has_stat) {
        strace_put_pointer(l, gva);
        return;
    }
    strace_put(l, "{st_mode=");
    put_file_mode(l, st->st_mode);
    if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
        strace_put(l, ", st_rdev=makedev(%#x, %#x), ...}", major(st->st_rdev), minor(st->st_rdev));
    else
        strace_put(l, ", st_size=%lld, ...}", (long long)st->st_size);
}

void strace_put_statx(struct strace_line *l, struct linux_task *t, uint64_t gva)
{
    struct statx stx;
    if (!gva || linux_copy_in(t, &stx, gva, sizeof stx)) {
        strace_put_pointer(l, gva);
        return;
    }
    strace_put(l, "{stx_mask=");
    strace_put_flags(l, STRACE_STATX, stx.stx_mask);
    strace_put(l, ", stx_attributes=%#llx, stx_mode=", (unsigned long long)stx.stx_attributes);
    put_file_mode(l, stx.stx_mode);
    strace_put(l, ", stx_size=%llu, ...}", (unsigned long long)stx.stx_size);
}

void strace_put_timespec(struct strace_line *l, struct linux_task *t, uint64_t gva, bool wide)
{
    const struct linux_abi *abi = t->process->abi;
    struct timespec ts;
    if (!gva || (wide ? abi->get_timespec64(t, gva, &ts) : abi->get_timespec(t, gva, &ts)))
        strace_put_pointer(l, gva);
    else
        strace_put(l, "{tv_sec=%lld, tv_nsec=%ld}", (long long)ts.tv_sec, ts.tv_nsec);
}

void strace_put_timeval(struct strace_line *l, struct linux_task *t, uint64_t gva)
{
    struct timeval tv;
    if (!gva || t->process->abi->get_timeval(t, gva, &tv))
        strace_put_pointer(l, gva);
    else
        strace_put(l, "{tv_sec=%lld, tv_usec=%ld}", (long long)tv.tv_sec, (long)tv.tv_usec);
}

static void put_inet(struct strace_line *l, const struct sockaddr_storage *addr, uint64_t size)
{
    char text[INET6_ADDRSTRLEN] = "";
    if (addr->ss_family == AF_INET && size >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in in;
        memcpy(&in, addr, sizeof in);
        inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
        strace_put(l, ", sin_port=htons(%u), sin_addr=inet_addr(\"%s\")", ntohs(in.sin_port), text);
    } else if (addr->ss_family == AF_INET6 && size >= sizeof(struct sockaddr_in6)) {
        struct sockaddr_in6 in6;
        memcpy(&in6, addr, sizeof in6);
        inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof text);
        strace_put(l, ", sin6_port=htons(%u), sin6_flowinfo=htonl(%u), ", ntohs(in6.sin6_port),
                   ntohl(in6.sin6_flowinfo));
        strace_put(l, "inet_pton(AF_INET6, \"%s\", &sin6_addr), sin6_scope_id=%u", text,
                   in6.sin6_scope_id);
    } else {
        strace_put(l, ", ...");
    }
}

void strace_put_sockaddr(struct strace_line *l, struct linux_task *t, uint64_t gva, uint64_t size)
{
    struct sockaddr_storage addr = {0};
    if (!gva || size < sizeof addr.ss_family || size > sizeof addr ||
        linux_copy_in(t, &addr, gva, size)) {
        strace_put_pointer(l, gva);
        return;
    }
    strace_put(l, "{sa_family=");
    strace_put_flags(l, STRACE_DOMAIN, addr.ss_family);
    if (addr.ss_family == AF_UNIX) {
        struct sockaddr_un un;
        memcpy(&un, &addr, sizeof un);
        uint64_t room = size - offsetof(struct sockaddr_un, sun_path);
        bool abstract = room && !un.sun_path[0];
        const char *name = un.sun_path + abstract;
        if (size > offsetof(struct sockaddr_un, sun_path))
            strace_put(l, ", sun_path=%s\"%.*s\"", abstract ? "@" : "",
                       (int)strnlen(name, (size_t)(room - abstract)), name);
    } else {
        put_inet(l, &addr, size);
    }
    strace_put(l, "}");
}

void strace_put_iovec(struct strace_line *l, struct linux_task *t, uint64_t gva, uint64_t count,
                      uint64_t bytes)
{
    unsigned word = t->process->abi->word;
    strace_put(l, "[");
    for (uint64_t i = 0; i < count; i++) {
        uint64_t base, size, at = gva + i * 2 * word;
        strace_put(l, i ? ", " : "");
        if (i == ELEMENTS_SHOWN) {
            strace_put(l, "...");
            break;
        }
        if (linux_get_word(t, at, &base) || linux_get_word(t, at + word, &size)) {
            strace_put(l, "... /* %#" PRIx64 " */", at);
            break;
        }
        strace_put(l, "{iov_base=");
        strace_put_bytes(l, t, base, size < bytes ? size : bytes);
        strace_put(l, ", iov_len=%" PRIu64 "}", size);
        bytes -= size < bytes ? size : bytes;
    }
    strace_put(l, "]");
}

void strace_put_vector(struct strace_line *l, struct linux_task *t, uint64_t gva)
{
    unsigned word = t->process->abi->word;
    uint64_t at;
    if (!gva || linux_get_word(t, gva, &at)) {
        strace_put_pointer(l, gva);
        return;
    }
    strace_put(l, "[");
    for (unsigned i = 0; at; i++) {
        strace_put(l, i ? ", " : "");
        if (i == ELEMENTS_SHOWN) {
            strace_put(l, "...");
            break;
        }
        uint64_t size = 0;
        uint8_t byte = 1;
        while (size <= ELEMENTS_SHOWN && !linux_copy_in(t, &byte, at + size, 1) && byte)
            size++;
        strace_put_bytes(l, t, at, size);
        if (linux_get_word(t, gva + (i + 1ull) * word, &at))
            break;
    }
    strace_put(l, "]");
}

void strace_put_environment(struct strace_line *l, struct linux_task *t, uint64_t gva)
{
    unsigned word = t->process->abi->word, count = 0;
    uint64_t at;
    while (gva && count < 100000 && !linux_get_word(t, gva + (uint64_t)count * word, &at) && at)
        count++;
    strace_put_pointer(l, gva);
    if (gva)
        strace_put(l, " /* %u var%s */", count, count == 1 ? "" : "s");
}

void strace_put_pollfds(struct strace_line *l, struct linux_task *t, uint64_t gva, uint64_t count,
                        bool ready)
{
    bool first = true;
    strace_put(l, "[");
    for (uint64_t i = 0; i < count && i < 1024; i++) {
        struct pollfd fd;
        if (linux_copy_in(t, &fd, gva + i * sizeof fd, sizeof fd))
            break;
        if (ready && !fd.revents)
            continue;
        strace_put(l, first ? "{fd=%d, " : ", {fd=%d, ", fd.fd);
        strace_put(l, ready ? "revents=" : "events=");
        strace_put_flags(l, STRACE_POLL, (uint16_t)(ready ? fd.revents : fd.events));
        strace_put(l, "}");
        first = false;
    }
    strace_put(l, "]");
}

void strace_put_epoll(struct strace_line *l, struct linux_task *t, uint64_t gva, int64_t count)
{
    strace_put(l, "[");
    for (int64_t i = 0; i < count && i < ELEMENTS_SHOWN; i++) {
        struct epoll_event ev;
        if (t->process->abi->get_epoll_event(t, gva, (unsigned)i, &ev))
            break;
        strace_put(l, i ? ", {events=" : "{events=");
        strace_put_flags(l, STRACE_EPOLL, ev.events);
        strace_put(l, ", data=%#" PRIx64 "}", ev.data.u64);
    }
    strace_put(l, "]");
}

void strace_put_flock(struct strace_line *l, struct linux_task *t, uint64_t gva, bool wide)
{
    const struct linux_abi *abi = t->process->abi;
    struct flock fl;
    if (!gva || (wide ? abi->get_flock64(t, gva, &fl) : abi->get_flock(t, gva, &fl))) {
        strace_put_pointer(l, gva);
        return;
    }
    strace_put(l, "{l_type=");
    strace_put_flags(l, STRACE_LOCK_TYPE, (uint64_t)fl.l_type);
    strace_put(l, ", l_whence=");
    strace_put_flags(l, STRACE_WHENCE, (uint64_t)fl.l_whence);
    strace_put(l, ", l_start=%lld, l_len=%lld}", (long long)fl.l_start, (long long)fl.l_len);
}

void strace_put_wait_status(struct strace_line *l, struct linux_task *t, uint64_t gva)
{
    uint32_t status;
    if (!gva || l->result <= 0 || linux_get_u32(t, gva, &status)) {
        strace_put_pointer(l, gva);
        return;
    }
    int s = (int)status;
    if (WIFEXITED(s)) {
        strace_put(l, "[{WIFEXITED(s) && WEXITSTATUS(s) == %d}]", WEXITSTATUS(s));
    } else if (WIFCONTINUED(s)) {
        strace_put(l, "[{WIFCONTINUED(s)}]");
    } else {
        bool stopped = WIFSTOPPED(s);
        strace_put(l, stopped ? "[{WIFSTOPPED(s) && WSTOPSIG(s) == "
                              : "[{WIFSIGNALED(s) && WTERMSIG(s) == ");
        strace_put_signal(l, (uint64_t)(stopped ? WSTOPSIG(s) : WTERMSIG(s)));
        strace_put(l, !stopped && WCOREDUMP(s) ? " && WCOREDUMP(s)}]" : "}]");
    }
}

static void put_limit(struct strace_line *l, uint64_t limit, bool wide)
{
    if (limit == RLIM_INFINITY)
        strace_put(l, wide ? "RLIM64_INFINITY" : "RLIM_INFINITY");
    else if (limit && limit % 1024 == 0)
        strace_put(l, "%" PRIu64 "*1024", limit / 1024);
    else
        strace_put(l, "%" PRIu64, limit);
}

void strace_put_rlimit(struct strace_line *l, struct linux_task *t, uint64_t gva, bool wide)
{
    struct rlimit rl;
    int64_t err = 0;
    if (gva)
        err =
            wide ? linux_copy_in(t, &rl, gva, sizeof rl) : t->process->abi->get_rlimit(t, gva, &rl);
    if (!gva || err) {
        strace_put_pointer(l, gva);
        return;
    }
    strace_put(l, "{rlim_cur=");
    put_limit(l, rl.rlim_cur, wide);
    strace_put(l, ", rlim_max=");
    put_limit(l, rl.rlim_max, wide);
    strace_put(l, "}");
}

void strace_put_pair(struct strace_line *l, struct linux_task *t, uint64_t gva)
{
    int fds[2];
    if (linux_copy_in(t, fds, gva, sizeof fds))
        strace_put_pointer(l, gva);
    else
        strace_put(l, "[%d, %d]", fds[0], fds[1]);
}

void strace_put_int(struct strace_line *l, struct linux_task *t, uint64_t gva)
{
    uint32_t value;
    if (!gva || linux_get_u32(t, gva, &value))
        strace_put_pointer(l, gva);
    else
        strace_put(l, "[%d]", (int)value);
}

/* The four flag words stand first in every kernel's struct termios. */
void strace_put_termios(struct strace_line *l, struct linux_task *t, uint64_t gva)
{
    static const char *const names[] = {"c_iflag", "c_oflag", "c_cflag", "c_lflag"};
    uint32_t flags[4];
    if (linux_copy_in(t, flags, gva, sizeof flags)) {
        strace_put_pointer(l, gva);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        strace_put(l, "%s%s=%#x", i ? ", " : "{", names[i], flags[i]);
    strace_put(l, ", ...}");
}

void strace_put_winsize(struct strace_line *l, struct linux_task *t, uint64_t gva)
{
    struct winsize ws;
    if (linux_copy_in(t, &ws, gva, sizeof ws))
        strace_put_pointer(l, gva);
    else
        strace_put(l, "{ws_row=%u, ws_col=%u, ws_xpixel=%u, ws_ypixel=%u}", ws.ws_row, ws.ws_col,
                   ws.ws_xpixel, ws.ws_ypixel);
}

void strace_put_msghdr(struct strace_line *l, struct linux_task *t, uint64_t gva, int64_t bytes)
{
    struct linux_msghdr h;
    if (linux_get_msghdr(t, gva, &h)) {
        strace_put_pointer(l, gva);
        return;
    }
    strace_put(l, "{msg_name=");
    strace_put_sockaddr(l, t, h.name, h.namelen);
    strace_put(l, ", msg_namelen=%" PRIu64 ", msg_iov=", h.namelen);
    strace_put_iovec(l, t, h.iov, h.iovlen, (uint64_t)bytes);
    strace_put(l, ", msg_iovlen=%" PRIu64, h.iovlen);
    if (h.controllen) {
        strace_put(l, ", msg_control=");
        strace_put_pointer(l, h.control);
    }
    strace_put(l, ", msg_controllen=%" PRIu64 ", msg_flags=", h.controllen);
    strace_put_flags(l, STRACE_MSG, h.flags);
    strace_put(l, "}");
}

void strace_put_utsname(struct strace_line *l, struct linux_task *t, uint64_t gva)
{
    struct utsname uts;
    if (linux_copy_in(t, &uts, gva, sizeof uts)) {
        strace_put_pointer(l, gva);
        return;
    }
    strace_put(l, "{sysname=\"%.64s\", nodename=\"%.64s\", ...}", uts.sysname, uts.nodename);
}

void strace_put_sigaction(struct strace_line *l, struct linux_task *t, uint64_t gva, bool rt)
{
    struct linux_sigaction act;
    if (!gva || t->process->abi->get_sigaction(t, gva, &act, rt)) {
        strace_put_pointer(l, gva);
        return;
    }
    strace_put(l, "{sa_handler=");
    if (act.handler > 1)
        strace_put_pointer(l, act.handler);
    else
        strace_put(l, act.handler ? "SIG_IGN" : "SIG_DFL");
    strace_put(l, ", sa_mask=");
    strace_put_sigset(l, act.mask);
    strace_put(l, ", sa_flags=");
    strace_put_flags(l, STRACE_SA, act.flags);
    if (act.flags & 0x04000000) {
        strace_put(l, ", sa_restorer=");
        strace_put_pointer(l, act.restorer);
    }
    strace_put(l, "}");
}

void strace_put_fdset(struct strace_line *l, struct linux_task *t, uint64_t gva, uint64_t count)
{
    bool first = true;
    if (!gva || (int)count < 0) {
        strace_put_pointer(l, gva);
        return;
    }
    strace_put(l, "[");
    for (uint64_t fd = 0; fd < count && fd < 1024; fd++) {
        uint8_t byte;
        if (linux_copy_in(t, &byte, gva + fd / 8, 1))
            break;
        if (!(byte >> fd % 8 & 1))
            continue;
        strace_put(l, first ? "%u" : " %u", (unsigned)fd);
        first = false;
    }
    strace_put(l, "]");
}
