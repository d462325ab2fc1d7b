/* Symbolic names of flag words and enumerations, for --strace. */
#ifndef OS_LINUX_STRACE_FLAGS_H
#define OS_LINUX_STRACE_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strace_name {
    uint64_t value;
    const char *name;
};

/* What kind of word it is. ORDER STRACE_SET */
enum strace_set {
    STRACE_OPEN,
    STRACE_ACCMODE,
    STRACE_ACCESS,
    STRACE_AT,
    STRACE_PROT,
    STRACE_MAP,
    STRACE_MAP_TYPE,
    STRACE_MREMAP,
    STRACE_MSYNC,
    STRACE_MLOCKALL,
    STRACE_MADVISE,
    STRACE_WHENCE,
    STRACE_FCNTL,
    STRACE_FD,
    STRACE_FLOCK,
    STRACE_LOCK_TYPE,
    STRACE_FALLOC,
    STRACE_FADVISE,
    STRACE_SPLICE,
    STRACE_RENAME,
    STRACE_STATX,
    STRACE_CLONE,
    STRACE_FUTEX,
    STRACE_WAIT,
    STRACE_IDTYPE,
    STRACE_SIGHOW,
    STRACE_SA,
    STRACE_DOMAIN,
    STRACE_SOCKTYPE,
    STRACE_SOCKFLAG,
    STRACE_MSG,
    STRACE_SOL,
    STRACE_SO,
    STRACE_SHUT,
    STRACE_POLL,
    STRACE_EPOLL,
    STRACE_EPOLL_CTL,
    STRACE_EPOLL_CREATE,
    STRACE_EVENTFD,
    STRACE_TFD,
    STRACE_SFD,
    STRACE_TIMER_FLAG,
    STRACE_INOTIFY_INIT,
    STRACE_INOTIFY,
    STRACE_CLOCK,
    STRACE_ITIMER,
    STRACE_RLIMIT,
    STRACE_RUSAGE,
    STRACE_PRIO,
    STRACE_SCHED,
    STRACE_PRCTL,
    STRACE_MEMFD,
    STRACE_RANDOM,
    STRACE_MEMBARRIER,
    STRACE_ARCH_PRCTL,
    STRACE_XATTR,
    STRACE_UMOUNT,
    STRACE_MOUNT,
    STRACE_CLOSE_RANGE,
    STRACE_SS,
    STRACE_PERSONALITY,
    STRACE_SETS
};

/* Writes VALUE as strace does (`A|B|0x40`, an enumeration's name, `0`, or a number with a comment
 * when nothing is known) into OUT, at most SIZE - 1 characters and a terminating 0; SIZE >= 1.
 * Returns the characters written. */
size_t strace_flags(char *out, size_t size, enum strace_set set, uint64_t value);

#endif
