/* Arguments as --strace prints them: by the letter of the call's format, or by the more exact rule
 * of a table where the letter cannot say enough. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <termios.h>
#include "os/linux/guest_mem.h"
#include "os/linux/ioctl_names.h"
#include "os/linux/strace_out.h"

#define BYTES_SHOWN      32
#define STRING_SHOWN     1024
#define HOST_O_LARGEFILE 0100000 /* 0 in the C library of 64-bit hosts */

void strace_put_flags(struct strace_line *l, enum strace_set set, uint64_t value)
{
    l->len += strace_flags(l->text + l->len, sizeof l->text - l->len, set, value);
}

void strace_put_pointer(struct strace_line *l, uint64_t gva)
{
    if (gva)
        strace_put(l, "%#" PRIx64, gva);
    else
        strace_put(l, "NULL");
}

void strace_put_signal(struct strace_line *l, uint64_t sig)
{
    const char *name = sig ? sigabbrev_np((int)sig) : NULL;
    if (name)
        strace_put(l, "SIG%s", name);
    else if (sig >= 32 && sig <= 64)
        strace_put(l, sig == 32 ? "SIGRTMIN" : "SIGRT_%u", (unsigned)sig - 32);
    else
        strace_put(l, "%" PRIu64, sig);
}

/* Above half of the signals: shown as what is missing. */
void strace_put_sigset(struct strace_line *l, linux_sigset set)
{
    bool inverted = __builtin_popcountll(set) > 32;
    bool first = true;
    if (inverted)
        set = ~set;
    strace_put(l, inverted ? "~[" : "[");
    for (unsigned sig = 1; sig <= LINUX_NSIG; sig++) {
        if (!(set & LINUX_SIGBIT(sig)))
            continue;
        const char *name = sigabbrev_np((int)sig);
        strace_put(l, first ? "" : " ");
        if (name)
            strace_put(l, "%s", name);
        else
            strace_put(l, sig == 32 ? "RTMIN" : "RT_%u", sig - 32);
        first = false;
    }
    strace_put(l, "]");
}

static void put_escaped(struct strace_line *l, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        static const char from[] = "\t\n\v\f\r\"\\", to[] = "tnvfr\"\\";
        const char *at = bytes[i] ? strchr(from, bytes[i]) : NULL;
        bool digit = i + 1 < size && bytes[i + 1] >= '0' && bytes[i + 1] <= '9';
        if (at)
            strace_put(l, "\\%c", to[at - from]);
        else if (bytes[i] >= ' ' && bytes[i] < 0x7f)
            strace_put(l, "%c", bytes[i]);
        else
            strace_put(l, digit ? "\\%03o" : "\\%o", bytes[i]);
    }
}

void strace_put_bytes(struct strace_line *l, struct linux_task *t, uint64_t gva, uint64_t size)
{
    uint8_t bytes[BYTES_SHOWN];
    size_t shown = size < sizeof bytes ? size : sizeof bytes;
    if (!gva || linux_copy_in(t, bytes, gva, shown)) {
        strace_put_pointer(l, gva);
        return;
    }
    strace_put(l, "\"");
    put_escaped(l, bytes, shown);
    strace_put(l, shown < size ? "\"..." : "\"");
}

void strace_put_string(struct strace_line *l, struct linux_task *t, uint64_t gva)
{
    char text[STRING_SHOWN];
    int64_t len = linux_string_in(t, text, sizeof text, gva);
    if (len == -ENAMETOOLONG) {
        strace_put_bytes(l, t, gva, STRING_SHOWN);
        return;
    }
    if (len < 0) {
        strace_put_pointer(l, gva);
        return;
    }
    strace_put(l, "\"");
    put_escaped(l, (const uint8_t *)text, (size_t)len);
    strace_put(l, "\"");
}

/* ---- the letters ---- */

/* WITH_MODE: an access mode is part of the word. */
static void put_open_flags(struct strace_line *l, struct linux_task *t, uint64_t guest,
                           bool with_mode)
{
    const struct linux_abi *abi = t->process->abi;
    uint64_t host = (unsigned)abi->open_flags_in(guest);
    /* O_LARGEFILE has no host equal: what the table gives for nothing but that bit. */
    if (with_mode && guest & abi->open_flags_out(HOST_O_LARGEFILE))
        host |= HOST_O_LARGEFILE;
    if (with_mode)
        strace_put_flags(l, STRACE_ACCMODE, host & O_ACCMODE);
    host &= with_mode ? ~(uint64_t)O_ACCMODE : UINT64_MAX;
    if (with_mode && !host)
        return;
    strace_put(l, with_mode ? "|" : "");
    strace_put_flags(l, STRACE_OPEN, host);
}

static void put_mode(struct strace_line *l, uint64_t mode)
{
    strace_put(l, mode ? "%#03" PRIo64 : "0%02" PRIo64, mode);
}

static void put_mask(struct strace_line *l, struct linux_task *t, uint64_t gva)
{
    linux_sigset set;
    if (!gva || linux_get_sigset(t, gva, &set))
        strace_put_pointer(l, gva);
    else
        strace_put_sigset(l, set);
}

static void put_socket_type(struct strace_line *l, uint64_t type)
{
    uint64_t flags = type & (SOCK_CLOEXEC | SOCK_NONBLOCK);
    strace_put_flags(l, STRACE_SOCKTYPE, type & ~flags);
    if (flags) {
        strace_put(l, "|");
        strace_put_flags(l, STRACE_SOCKFLAG, flags);
    }
}

static void put_map_flags(struct strace_line *l, uint64_t flags)
{
    strace_put_flags(l, STRACE_MAP_TYPE, flags & MAP_TYPE);
    if (flags & ~(uint64_t)MAP_TYPE) {
        strace_put(l, "|");
        strace_put_flags(l, STRACE_MAP, flags & ~(uint64_t)MAP_TYPE);
    }
}

static void put_clone_flags(struct strace_line *l, uint64_t flags)
{
    if (flags & ~0xffull)
        strace_put_flags(l, STRACE_CLONE, flags & ~0xffull);
    if (flags & 0xff) {
        strace_put(l, flags & ~0xffull ? "|" : "");
        strace_put_signal(l, flags & 0xff);
    } else if (!flags) {
        strace_put(l, "0");
    }
}

static void put_futex_op(struct strace_line *l, uint64_t op)
{
    strace_put_flags(l, STRACE_FUTEX, op & FUTEX_CMD_MASK);
    if (op & FUTEX_PRIVATE_FLAG)
        strace_put(l, "_PRIVATE");
    if (op & FUTEX_CLOCK_REALTIME)
        strace_put(l, "|FUTEX_CLOCK_REALTIME");
}

static void put_sockaddr_out(struct strace_line *l, struct linux_task *t, unsigned i)
{
    uint32_t size;
    if (!l->args[i] || l->result < 0 || linux_get_u32(t, l->args[i + 1], &size))
        strace_put_pointer(l, l->args[i]);
    else
        strace_put_sockaddr(l, t, l->args[i], size);
}

/* The letters that need only the value. */
static bool put_scalar(struct strace_line *l, struct linux_task *t, char letter, uint64_t v)
{
    switch (letter) {
    case 'd':
    case 'f': strace_put(l, "%d", (int)v); break;
    case 'l':
    case 'L':
    case 'H': strace_put(l, "%" PRId64, (int64_t)v); break;
    case 'u':
    case 'z': strace_put(l, "%" PRIu64, v); break;
    case 'x': strace_put(l, v ? "%#" PRIx64 : "0", v); break;
    case 'o': put_mode(l, v); break;
    case 'p': strace_put_pointer(l, v); break;
    case 'F':
        if ((int)v == AT_FDCWD)
            strace_put(l, "AT_FDCWD");
        else
            strace_put(l, "%d", (int)v);
        break;
    case 'O': put_open_flags(l, t, v, true); break;
    case 'a':
        if (v)
            strace_put_flags(l, STRACE_ACCESS, v);
        else
            strace_put(l, "F_OK");
        break;
    case 'A': strace_put_flags(l, STRACE_AT, v); break;
    case 'S': strace_put_signal(l, v); break;
    case 'P':
        if (v)
            strace_put_flags(l, STRACE_PROT, v);
        else
            strace_put(l, "PROT_NONE");
        break;
    case 'M': put_map_flags(l, v); break;
    case 'k': put_clone_flags(l, v); break;
    case 'X': put_futex_op(l, v); break;
    case 'N': strace_put_flags(l, STRACE_FCNTL, v); break;
    case 'D': strace_put_flags(l, STRACE_DOMAIN, v); break;
    case 'y': put_socket_type(l, v); break;
    case 'W': strace_put_flags(l, STRACE_WHENCE, v); break;
    case 'r': strace_put_flags(l, STRACE_RLIMIT, v); break;
    case 'K': strace_put_flags(l, STRACE_CLOCK, v); break;
    default: return false;
    }
    return true;
}

/* The letters that look into guest memory. */
static void put_memory(struct strace_line *l, struct linux_task *t, char letter, unsigned i)
{
    uint64_t v = l->args[i];
    uint64_t size = i + 1 < 6 ? l->args[i + 1] : 0;
    switch (letter) {
    case 's': strace_put_string(l, t, v); return;
    case 'b': strace_put_bytes(l, t, v, size); return;
    case 'm': put_mask(l, t, v); return;
    case 't': strace_put_timespec(l, t, v, false); return;
    case 'q': strace_put_timespec(l, t, v, true); return;
    case 'e': strace_put_timeval(l, t, v); return;
    case 'i': strace_put_iovec(l, t, v, size, UINT64_MAX); return;
    case 'j': strace_put_sockaddr(l, t, v, size); return;
    case 'g': strace_put_pollfds(l, t, v, size, false); return;
    case 'v':
        if (i == 1 || (i == 2 && !strcmp(l->call->name, "execveat")))
            strace_put_vector(l, t, v);
        else
            strace_put_environment(l, t, v);
        return;
    }
    if (l->result < 0) {
        strace_put_pointer(l, v);
        return;
    }
    switch (letter) {
    case 'B': strace_put_bytes(l, t, v, (uint64_t)l->result); return;
    case 'T': strace_put_timespec(l, t, v, false); return;
    case 'Q': strace_put_timespec(l, t, v, true); return;
    case 'E': strace_put_timeval(l, t, v); return;
    case 'I': strace_put_iovec(l, t, v, size, (uint64_t)l->result); return;
    case 'c': strace_put_stat(l, v); return;
    case 'C': strace_put_statx(l, t, v); return;
    case 'w': strace_put_wait_status(l, t, v); return;
    case 'J': put_sockaddr_out(l, t, i); return;
    case 'G': strace_put_epoll(l, t, v, l->result); return;
    default: strace_put_pointer(l, v);
    }
}

/* ---- arguments whose letter says too little ---- */

enum rule_kind {
    RULE_SET,       /* flag names */
    RULE_OPEN_BITS, /* open flags without an access mode */
    RULE_STAT,
    RULE_RLIMIT,
    RULE_RLIMIT64,
    RULE_PAIR,
    RULE_INT,
    RULE_MSGHDR,
    RULE_UTSNAME,
    RULE_SIGACTION,
    RULE_RT_SIGACTION,
    RULE_FDSET,
    RULE_MASK,
    RULE_EVENT,
    RULE_IOCTL,
    RULE_FCNTL,
    RULE_HALVES,
    RULE_OFFSET,
};

static const struct rule {
    const char *call;
    uint8_t arg, kind, set;
    bool output;
} rules[] = {
    {"madvise", 2, RULE_SET, STRACE_MADVISE, false},
    {"msync", 2, RULE_SET, STRACE_MSYNC, false},
    {"mlockall", 0, RULE_SET, STRACE_MLOCKALL, false},
    {"mremap", 3, RULE_SET, STRACE_MREMAP, false},
    {"wait4", 2, RULE_SET, STRACE_WAIT, false},
    {"waitpid", 2, RULE_SET, STRACE_WAIT, false},
    {"waitid", 0, RULE_SET, STRACE_IDTYPE, false},
    {"waitid", 3, RULE_SET, STRACE_WAIT, false},
    {"rt_sigprocmask", 0, RULE_SET, STRACE_SIGHOW, false},
    {"rt_sigprocmask", 2, RULE_MASK, 0, true},
    {"rt_sigpending", 0, RULE_MASK, 0, true},
    {"rt_sigaction", 1, RULE_RT_SIGACTION, 0, false},
    {"rt_sigaction", 2, RULE_RT_SIGACTION, 0, true},
    {"sigaction", 1, RULE_SIGACTION, 0, false},
    {"sigaction", 2, RULE_SIGACTION, 0, true},
    {"ioctl", 1, RULE_IOCTL, 0, false},
    {"ioctl", 2, RULE_IOCTL, 0, true},
    {"fcntl", 2, RULE_FCNTL, 0, true},
    {"fcntl64", 2, RULE_FCNTL, 0, true},
    {"_llseek", 1, RULE_HALVES, 0, false},
    {"_llseek", 3, RULE_OFFSET, 0, true},
    {"flock", 1, RULE_SET, STRACE_FLOCK, false},
    {"fallocate", 1, RULE_SET, STRACE_FALLOC, false},
    {"arm_fadvise64_64", 1, RULE_SET, STRACE_FADVISE, false},
    {"fadvise64", 3, RULE_SET, STRACE_FADVISE, false},
    {"fadvise64_64", 3, RULE_SET, STRACE_FADVISE, false},
    {"splice", 5, RULE_SET, STRACE_SPLICE, false},
    {"tee", 3, RULE_SET, STRACE_SPLICE, false},
    {"vmsplice", 3, RULE_SET, STRACE_SPLICE, false},
    {"renameat2", 4, RULE_SET, STRACE_RENAME, false},
    {"statx", 3, RULE_SET, STRACE_STATX, false},
    {"close_range", 2, RULE_SET, STRACE_CLOSE_RANGE, false},
    {"memfd_create", 1, RULE_SET, STRACE_MEMFD, false},
    {"dup3", 2, RULE_OPEN_BITS, 0, false},
    {"pipe2", 1, RULE_OPEN_BITS, 0, false},
    {"pipe2", 0, RULE_PAIR, 0, true},
    {"pipe", 0, RULE_PAIR, 0, true},
    {"socketpair", 3, RULE_PAIR, 0, true},
    {"inotify_init1", 0, RULE_SET, STRACE_INOTIFY_INIT, false},
    {"inotify_add_watch", 2, RULE_SET, STRACE_INOTIFY, false},
    {"mount", 3, RULE_SET, STRACE_MOUNT, false},
    {"umount2", 1, RULE_SET, STRACE_UMOUNT, false},
    {"setxattr", 4, RULE_SET, STRACE_XATTR, false},
    {"lsetxattr", 4, RULE_SET, STRACE_XATTR, false},
    {"fsetxattr", 4, RULE_SET, STRACE_XATTR, false},
    {"stat", 1, RULE_STAT, 0, true},
    {"lstat", 1, RULE_STAT, 0, true},
    {"fstat", 1, RULE_STAT, 0, true},
    {"accept", 2, RULE_INT, 0, true},
    {"accept4", 2, RULE_INT, 0, true},
    {"accept4", 3, RULE_SET, STRACE_SOCKFLAG, false},
    {"getsockname", 2, RULE_INT, 0, true},
    {"getpeername", 2, RULE_INT, 0, true},
    {"recvfrom", 5, RULE_INT, 0, true},
    {"send", 3, RULE_SET, STRACE_MSG, false},
    {"sendto", 3, RULE_SET, STRACE_MSG, false},
    {"recv", 3, RULE_SET, STRACE_MSG, false},
    {"recvfrom", 3, RULE_SET, STRACE_MSG, false},
    {"sendmsg", 1, RULE_MSGHDR, 0, false},
    {"sendmsg", 2, RULE_SET, STRACE_MSG, false},
    {"recvmsg", 1, RULE_MSGHDR, 0, true},
    {"recvmsg", 2, RULE_SET, STRACE_MSG, false},
    {"sendmmsg", 3, RULE_SET, STRACE_MSG, false},
    {"recvmmsg", 3, RULE_SET, STRACE_MSG, false},
    {"shutdown", 1, RULE_SET, STRACE_SHUT, false},
    {"setsockopt", 1, RULE_SET, STRACE_SOL, false},
    {"setsockopt", 2, RULE_SET, STRACE_SO, false},
    {"setsockopt", 3, RULE_INT, 0, false},
    {"getsockopt", 1, RULE_SET, STRACE_SOL, false},
    {"getsockopt", 2, RULE_SET, STRACE_SO, false},
    {"getsockopt", 3, RULE_INT, 0, true},
    {"getsockopt", 4, RULE_INT, 0, true},
    {"_newselect", 1, RULE_FDSET, 0, false},
    {"_newselect", 2, RULE_FDSET, 0, false},
    {"_newselect", 3, RULE_FDSET, 0, false},
    {"select", 1, RULE_FDSET, 0, false},
    {"select", 2, RULE_FDSET, 0, false},
    {"select", 3, RULE_FDSET, 0, false},
    {"pselect6", 1, RULE_FDSET, 0, false},
    {"pselect6", 2, RULE_FDSET, 0, false},
    {"pselect6", 3, RULE_FDSET, 0, false},
    {"pselect6_time64", 1, RULE_FDSET, 0, false},
    {"pselect6_time64", 2, RULE_FDSET, 0, false},
    {"pselect6_time64", 3, RULE_FDSET, 0, false},
    {"epoll_create1", 0, RULE_SET, STRACE_EPOLL_CREATE, false},
    {"epoll_ctl", 1, RULE_SET, STRACE_EPOLL_CTL, false},
    {"epoll_ctl", 3, RULE_EVENT, 0, false},
    {"eventfd2", 1, RULE_SET, STRACE_EVENTFD, false},
    {"signalfd4", 3, RULE_SET, STRACE_SFD, false},
    {"timerfd_create", 1, RULE_SET, STRACE_TFD, false},
    {"clock_nanosleep", 1, RULE_SET, STRACE_TIMER_FLAG, false},
    {"clock_nanosleep_time64", 1, RULE_SET, STRACE_TIMER_FLAG, false},
    {"timerfd_settime", 1, RULE_SET, STRACE_TIMER_FLAG, false},
    {"timerfd_settime64", 1, RULE_SET, STRACE_TIMER_FLAG, false},
    {"setitimer", 0, RULE_SET, STRACE_ITIMER, false},
    {"getitimer", 0, RULE_SET, STRACE_ITIMER, false},
    {"uname", 0, RULE_UTSNAME, 0, true},
    {"getrusage", 0, RULE_SET, STRACE_RUSAGE, false},
    {"setrlimit", 1, RULE_RLIMIT, 0, false},
    {"getrlimit", 1, RULE_RLIMIT, 0, true},
    {"ugetrlimit", 1, RULE_RLIMIT, 0, true},
    {"prlimit64", 2, RULE_RLIMIT64, 0, false},
    {"prlimit64", 3, RULE_RLIMIT64, 0, true},
    {"getpriority", 0, RULE_SET, STRACE_PRIO, false},
    {"setpriority", 0, RULE_SET, STRACE_PRIO, false},
    {"sched_setscheduler", 1, RULE_SET, STRACE_SCHED, false},
    {"prctl", 0, RULE_SET, STRACE_PRCTL, false},
    {"personality", 0, RULE_SET, STRACE_PERSONALITY, false},
    {"getrandom", 2, RULE_SET, STRACE_RANDOM, false},
    {"arch_prctl", 0, RULE_SET, STRACE_ARCH_PRCTL, false},
    {"membarrier", 0, RULE_SET, STRACE_MEMBARRIER, false},
};

static const struct rule *find_rule(const struct linux_syscall *call, unsigned i)
{
    for (size_t r = 0; r < ARRAY_LEN(rules); r++)
        if (rules[r].arg == i && !strcmp(rules[r].call, call->name))
            return &rules[r];
    return NULL;
}

bool strace_is_output(const struct linux_syscall *call, unsigned i)
{
    const struct rule *rule = find_rule(call, i);
    if (rule)
        return rule->output;
    return call->format[i] && strchr("BITEQcCwJG", call->format[i]);
}

static void put_fcntl(struct strace_line *l, struct linux_task *t, uint64_t v)
{
    switch (l->args[1]) {
    case F_SETFD: strace_put_flags(l, STRACE_FD, v); break;
    case F_SETFL: put_open_flags(l, t, v, true); break;
    case 5:
    case 6:
    case 7: strace_put_flock(l, t, v, t->process->abi->word == 8); break;
    case 12:
    case 13:
    case 14:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW: strace_put_flock(l, t, v, true); break;
    default: strace_put(l, "%d", (int)v);
    }
}

static void put_ioctl(struct strace_line *l, struct linux_task *t, unsigned i)
{
    uint64_t v = l->args[i];
    const char *name = linux_ioctl_name(t, (uint32_t)l->args[1]);
    if (i == 1) {
        if (name)
            strace_put(l, "%s", name);
        else
            strace_put(l, "%#" PRIx64, v);
        return;
    }
    if (l->result < 0) {
        strace_put_pointer(l, v);
        return;
    }
    switch (l->args[1]) {
    case TCGETS:
    case TCSETS:
    case TCSETSW:
    case TCSETSF: strace_put_termios(l, t, v); break;
    case TIOCGWINSZ:
    case TIOCSWINSZ: strace_put_winsize(l, t, v); break;
    case TIOCGPGRP:
    case TIOCSPGRP:
    case TIOCGPTN:
    case TIOCSPTLCK:
    case FIONBIO:
    case FIONREAD: strace_put_int(l, t, v); break;
    default: strace_put_pointer(l, v);
    }
}

static void put_by_rule(struct strace_line *l, struct linux_task *t, const struct rule *rule)
{
    unsigned i = rule->arg;
    uint64_t v = l->args[i];
    struct epoll_event ev;
    int64_t offset;
    if (rule->output && l->result < 0 && rule->kind != RULE_IOCTL && rule->kind != RULE_FCNTL) {
        strace_put_pointer(l, v);
        return;
    }
    switch ((enum rule_kind)rule->kind) {
    case RULE_SET: strace_put_flags(l, rule->set, (uint32_t)v); break; /* all are ints */
    case RULE_OPEN_BITS: put_open_flags(l, t, v, false); break;
    case RULE_STAT: strace_put_stat(l, v); break;
    case RULE_RLIMIT: strace_put_rlimit(l, t, v, false); break;
    case RULE_RLIMIT64: strace_put_rlimit(l, t, v, true); break;
    case RULE_PAIR: strace_put_pair(l, t, v); break;
    case RULE_INT: strace_put_int(l, t, v); break;
    case RULE_MSGHDR: strace_put_msghdr(l, t, v, rule->output ? l->result : INT64_MAX); break;
    case RULE_UTSNAME: strace_put_utsname(l, t, v); break;
    case RULE_SIGACTION: strace_put_sigaction(l, t, v, false); break;
    case RULE_RT_SIGACTION: strace_put_sigaction(l, t, v, true); break;
    case RULE_FDSET: strace_put_fdset(l, t, v, l->args[0]); break;
    case RULE_MASK: put_mask(l, t, v); break;
    case RULE_EVENT:
        if (!v || t->process->abi->get_epoll_event(t, v, 0, &ev)) {
            strace_put_pointer(l, v);
            break;
        }
        strace_put(l, "{events=");
        strace_put_flags(l, STRACE_EPOLL, ev.events);
        strace_put(l, ", data=%#" PRIx64 "}", ev.data.u64);
        break;
    case RULE_HALVES: /* this argument and the next are one number */
        strace_put(l, "%" PRId64, (int64_t)(v << 32 | (uint32_t)l->args[i + 1]));
        l->next++;
        break;
    case RULE_OFFSET:
        if (linux_copy_in(t, &offset, v, sizeof offset))
            strace_put_pointer(l, v);
        else
            strace_put(l, "[%" PRId64 "]", offset);
        break;
    case RULE_IOCTL: put_ioctl(l, t, i); break;
    case RULE_FCNTL: put_fcntl(l, t, v); break;
    }
}

unsigned strace_nargs(const struct linux_syscall *call, const uint64_t args[6])
{
    static const uint16_t bare[] = {F_GETFD,      F_GETFL,     F_GETOWN,  F_GETSIG,
                                    F_GETPIPE_SZ, F_GET_SEALS, F_GETLEASE};
    if (!strcmp(call->name, "open") ||
        !strcmp(call->name, "openat")) /* the mode, when one counts */
        return args[call->nargs - 2] & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)) ? call->nargs
                                                                              : call->nargs - 1u;
    for (size_t i = 0; i < ARRAY_LEN(bare); i++)
        if (!strncmp(call->name, "fcntl", 5) && args[1] == bare[i])
            return 2;
    if (!strcmp(call->name, "ioctl") && (args[1] == FIOCLEX || args[1] == FIONCLEX))
        return 2;
    /* A pair of registers is one letter. */
    size_t letters = strlen(call->format);
    return letters < call->nargs ? (unsigned)letters : call->nargs;
}

void strace_argument(struct strace_line *l, struct linux_task *t, unsigned i)
{
    const struct rule *rule = find_rule(l->call, i);
    char letter = l->call->format[i];
    if (rule)
        put_by_rule(l, t, rule);
    else if (!put_scalar(l, t, letter, l->args[i]))
        put_memory(l, t, letter, i);
}

bool strace_gives_flags(const struct strace_line *l)
{
    return l->call && !strncmp(l->call->name, "fcntl", 5) &&
           (l->args[1] == F_GETFL || l->args[1] == F_GETFD);
}

void strace_remark(struct strace_line *l, struct linux_task *t)
{
    const char *format = l->call->format;
    if (l->result < 0)
        return;
    if (!strncmp(l->call->name, "fcntl", 5) && l->args[1] == F_GETFL) {
        strace_put(l, " (flags ");
        put_open_flags(l, t, (uint64_t)l->result, true);
        strace_put(l, ")");
    } else if (!strncmp(l->call->name, "fcntl", 5) && l->args[1] == F_GETFD && l->result) {
        strace_put(l, " (flags FD_CLOEXEC)");
    } else if (format[0] == 'g' && !l->result) {
        strace_put(l, " (Timeout)");
    } else if (format[0] == 'g') {
        strace_put(l, " (");
        strace_put_pollfds(l, t, l->args[0], l->args[1], true);
        strace_put(l, ")");
    } else if (strstr(l->call->name, "select") && !l->result) {
        strace_put(l, " (Timeout)");
    }
}
