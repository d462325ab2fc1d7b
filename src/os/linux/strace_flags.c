/* Names of the flag words and enumerations that --strace prints. The values are the host's: what
 * differs on a guest is converted before it is looked up here. */
#include "os/linux/strace_flags.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>

#define N(x) {(uint64_t)(x), #x}
#define END  {0, NULL}

static const struct strace_name open_names[] = {
    N(O_CREAT),    N(O_EXCL),  N(O_NOCTTY),   N(O_TRUNC),     N(O_APPEND),  N(O_NONBLOCK),
    N(O_SYNC),     N(O_DSYNC), N(O_ASYNC),    N(O_DIRECT),    N(O_TMPFILE), N(O_DIRECTORY),
    N(O_NOFOLLOW), N(O_NOATIME), N(O_CLOEXEC), N(O_PATH), {0100000, "O_LARGEFILE"}, END};
static const struct strace_name accmode_names[] = {N(O_RDONLY), N(O_WRONLY), N(O_RDWR), END};
static const struct strace_name access_names[] = {N(R_OK), N(W_OK), N(X_OK), END};
static const struct strace_name at_names[] = {
    {AT_SYMLINK_NOFOLLOW, "AT_SYMLINK_NOFOLLOW"}, {AT_REMOVEDIR, "AT_REMOVEDIR"},
    N(AT_SYMLINK_FOLLOW), N(AT_NO_AUTOMOUNT), N(AT_EMPTY_PATH), {0x2000, "AT_STATX_FORCE_SYNC"},
    {0x4000, "AT_STATX_DONT_SYNC"}, END};
static const struct strace_name prot_names[] = {
    N(PROT_READ), N(PROT_WRITE), N(PROT_EXEC), N(PROT_GROWSDOWN), N(PROT_GROWSUP), END};
static const struct strace_name map_names[] = {
    N(MAP_FIXED),    N(MAP_ANONYMOUS), N(MAP_GROWSDOWN), N(MAP_DENYWRITE),
    N(MAP_EXECUTABLE), N(MAP_LOCKED),  N(MAP_NORESERVE), N(MAP_POPULATE),
    N(MAP_NONBLOCK), N(MAP_STACK),     N(MAP_HUGETLB),   N(MAP_SYNC),
    N(MAP_FIXED_NOREPLACE), END};
static const struct strace_name map_type_names[] = {
    {0, "MAP_FILE"}, N(MAP_SHARED), N(MAP_PRIVATE), N(MAP_SHARED_VALIDATE), END};
static const struct strace_name mremap_names[] = {
    N(MREMAP_MAYMOVE), N(MREMAP_FIXED), {4, "MREMAP_DONTUNMAP"}, END};
static const struct strace_name msync_names[] = {N(MS_ASYNC), N(MS_INVALIDATE), N(MS_SYNC), END};
static const struct strace_name mlockall_names[] = {
    N(MCL_CURRENT), N(MCL_FUTURE), N(MCL_ONFAULT), END};
static const struct strace_name madvise_names[] = {
    N(MADV_NORMAL), N(MADV_RANDOM), N(MADV_SEQUENTIAL), N(MADV_WILLNEED), N(MADV_DONTNEED),
    N(MADV_FREE), N(MADV_REMOVE), N(MADV_DONTFORK), N(MADV_DOFORK), N(MADV_MERGEABLE),
    N(MADV_UNMERGEABLE), N(MADV_HUGEPAGE), N(MADV_NOHUGEPAGE), N(MADV_DONTDUMP), N(MADV_DODUMP),
    N(MADV_WIPEONFORK), N(MADV_KEEPONFORK), N(MADV_COLD), N(MADV_PAGEOUT), END};
static const struct strace_name whence_names[] = {
    N(SEEK_SET), N(SEEK_CUR), N(SEEK_END), N(SEEK_DATA), N(SEEK_HOLE), END};
static const struct strace_name fcntl_names[] = {
    N(F_DUPFD), N(F_GETFD), N(F_SETFD), N(F_GETFL), N(F_SETFL), {5, "F_GETLK"}, {6, "F_SETLK"},
    {7, "F_SETLKW"}, N(F_SETOWN), N(F_GETOWN), N(F_SETSIG), N(F_GETSIG), {12, "F_GETLK64"},
    {13, "F_SETLK64"}, {14, "F_SETLKW64"}, N(F_SETOWN_EX), N(F_GETOWN_EX), N(F_OFD_GETLK),
    N(F_OFD_SETLK), N(F_OFD_SETLKW), N(F_SETLEASE), N(F_GETLEASE), N(F_NOTIFY),
    N(F_DUPFD_CLOEXEC), N(F_SETPIPE_SZ), N(F_GETPIPE_SZ), N(F_ADD_SEALS), N(F_GET_SEALS),
    N(F_GET_RW_HINT), N(F_SET_RW_HINT), END};
static const struct strace_name fd_names[] = {N(FD_CLOEXEC), END};
static const struct strace_name flock_names[] = {
    N(LOCK_SH), N(LOCK_EX), N(LOCK_UN), N(LOCK_NB), END};
static const struct strace_name lock_type_names[] = {N(F_RDLCK), N(F_WRLCK), N(F_UNLCK), END};
static const struct strace_name falloc_names[] = {
    N(FALLOC_FL_KEEP_SIZE), N(FALLOC_FL_PUNCH_HOLE), N(FALLOC_FL_COLLAPSE_RANGE),
    N(FALLOC_FL_ZERO_RANGE), N(FALLOC_FL_INSERT_RANGE), END};
static const struct strace_name fadvise_names[] = {
    N(POSIX_FADV_NORMAL), N(POSIX_FADV_RANDOM), N(POSIX_FADV_SEQUENTIAL), N(POSIX_FADV_WILLNEED),
    N(POSIX_FADV_DONTNEED), N(POSIX_FADV_NOREUSE), END};
static const struct strace_name splice_names[] = {
    N(SPLICE_F_MOVE), N(SPLICE_F_NONBLOCK), N(SPLICE_F_MORE), N(SPLICE_F_GIFT), END};
static const struct strace_name rename_names[] = {
    {1, "RENAME_NOREPLACE"}, {2, "RENAME_EXCHANGE"}, {4, "RENAME_WHITEOUT"}, END};
static const struct strace_name statx_names[] = {
    {0x7ff, "STATX_BASIC_STATS"}, {1, "STATX_TYPE"}, {2, "STATX_MODE"}, {4, "STATX_NLINK"},
    {8, "STATX_UID"}, {0x10, "STATX_GID"}, {0x20, "STATX_ATIME"}, {0x40, "STATX_MTIME"},
    {0x80, "STATX_CTIME"}, {0x100, "STATX_INO"}, {0x200, "STATX_SIZE"}, {0x400, "STATX_BLOCKS"},
    {0x800, "STATX_BTIME"}, {0x1000, "STATX_MNT_ID"}, END};
static const struct strace_name clone_names[] = {
    N(CLONE_VM), N(CLONE_FS), N(CLONE_FILES), N(CLONE_SIGHAND), N(CLONE_PIDFD), N(CLONE_PTRACE),
    N(CLONE_VFORK), N(CLONE_PARENT), N(CLONE_THREAD), N(CLONE_NEWNS), N(CLONE_SYSVSEM),
    N(CLONE_SETTLS), N(CLONE_PARENT_SETTID), N(CLONE_CHILD_CLEARTID), N(CLONE_DETACHED),
    N(CLONE_UNTRACED), N(CLONE_CHILD_SETTID), N(CLONE_NEWCGROUP), N(CLONE_NEWUTS),
    N(CLONE_NEWIPC), N(CLONE_NEWUSER), N(CLONE_NEWPID), N(CLONE_NEWNET), N(CLONE_IO), END};
static const struct strace_name futex_names[] = {
    N(FUTEX_WAIT), N(FUTEX_WAKE), N(FUTEX_FD), N(FUTEX_REQUEUE), N(FUTEX_CMP_REQUEUE),
    N(FUTEX_WAKE_OP), N(FUTEX_LOCK_PI), N(FUTEX_UNLOCK_PI), N(FUTEX_TRYLOCK_PI),
    N(FUTEX_WAIT_BITSET), N(FUTEX_WAKE_BITSET), N(FUTEX_WAIT_REQUEUE_PI), N(FUTEX_CMP_REQUEUE_PI),
    {13, "FUTEX_LOCK_PI2"}, END};
static const struct strace_name wait_names[] = {
    N(WNOHANG), N(WUNTRACED), N(WEXITED), N(WCONTINUED), N(WNOWAIT), {0x20000000, "__WNOTHREAD"},
    {0x40000000, "__WALL"}, {0x80000000, "__WCLONE"}, END};
static const struct strace_name idtype_names[] = {N(P_ALL), N(P_PID), N(P_PGID), N(P_PIDFD), END};
static const struct strace_name sighow_names[] = {N(SIG_BLOCK), N(SIG_UNBLOCK), N(SIG_SETMASK), END};
static const struct strace_name sa_names[] = {
    N(SA_NOCLDSTOP), N(SA_NOCLDWAIT), N(SA_SIGINFO), {0x04000000, "SA_RESTORER"}, N(SA_ONSTACK),
    N(SA_RESTART), N(SA_NODEFER), {0x80000000u, "SA_RESETHAND"}, END};
static const struct strace_name domain_names[] = {
    N(AF_UNSPEC), {AF_UNIX, "AF_UNIX"}, N(AF_INET), N(AF_AX25), N(AF_IPX), N(AF_APPLETALK),
    N(AF_X25), N(AF_INET6), N(AF_NETLINK), N(AF_PACKET), N(AF_CAN), N(AF_BLUETOOTH), N(AF_ALG),
    N(AF_VSOCK), END};
static const struct strace_name socktype_names[] = {
    N(SOCK_STREAM), N(SOCK_DGRAM), N(SOCK_RAW), N(SOCK_RDM), N(SOCK_SEQPACKET), N(SOCK_DCCP),
    N(SOCK_PACKET), END};
static const struct strace_name sockflag_names[] = {N(SOCK_CLOEXEC), N(SOCK_NONBLOCK), END};
static const struct strace_name msg_names[] = {
    N(MSG_OOB), N(MSG_PEEK), N(MSG_DONTROUTE), N(MSG_CTRUNC), N(MSG_PROXY), N(MSG_TRUNC),
    N(MSG_DONTWAIT), N(MSG_EOR), N(MSG_WAITALL), N(MSG_FIN), N(MSG_SYN), N(MSG_CONFIRM),
    N(MSG_RST), N(MSG_ERRQUEUE), N(MSG_NOSIGNAL), N(MSG_MORE), N(MSG_WAITFORONE), N(MSG_FASTOPEN),
    N(MSG_CMSG_CLOEXEC), END};
static const struct strace_name sol_names[] = {
    {0, "SOL_IP"}, N(SOL_SOCKET), {6, "SOL_TCP"}, {17, "SOL_UDP"}, {41, "SOL_IPV6"},
    {58, "SOL_ICMPV6"}, {255, "SOL_RAW"}, {263, "SOL_PACKET"}, {270, "SOL_NETLINK"}, END};
static const struct strace_name so_names[] = {
    N(SO_DEBUG), N(SO_REUSEADDR), N(SO_TYPE), N(SO_ERROR), N(SO_DONTROUTE), N(SO_BROADCAST),
    N(SO_SNDBUF), N(SO_RCVBUF), N(SO_KEEPALIVE), N(SO_OOBINLINE), N(SO_NO_CHECK), N(SO_PRIORITY),
    N(SO_LINGER), N(SO_BSDCOMPAT), N(SO_REUSEPORT), N(SO_PASSCRED), N(SO_PEERCRED), N(SO_RCVLOWAT),
    N(SO_SNDLOWAT), {20, "SO_RCVTIMEO_OLD"}, {21, "SO_SNDTIMEO_OLD"}, N(SO_BINDTODEVICE),
    N(SO_ATTACH_FILTER), N(SO_DETACH_FILTER), N(SO_PEERNAME), {29, "SO_TIMESTAMP_OLD"},
    N(SO_ACCEPTCONN), N(SO_PEERSEC), N(SO_SNDBUFFORCE), N(SO_RCVBUFFORCE), N(SO_PASSSEC),
    {35, "SO_TIMESTAMPNS_OLD"}, N(SO_MARK), {37, "SO_TIMESTAMPING_OLD"}, N(SO_PROTOCOL),
    N(SO_DOMAIN), N(SO_RXQ_OVFL), N(SO_PEEK_OFF), N(SO_NOFCS), N(SO_BUSY_POLL),
    {63, "SO_TIMESTAMP_NEW"}, {64, "SO_TIMESTAMPNS_NEW"}, {66, "SO_RCVTIMEO_NEW"},
    {67, "SO_SNDTIMEO_NEW"}, END};
static const struct strace_name shut_names[] = {N(SHUT_RD), N(SHUT_WR), N(SHUT_RDWR), END};
static const struct strace_name poll_names[] = {
    N(POLLIN), N(POLLPRI), N(POLLOUT), N(POLLRDNORM), N(POLLRDBAND), N(POLLWRNORM), N(POLLWRBAND),
    N(POLLMSG), N(POLLERR), N(POLLHUP), N(POLLNVAL), N(POLLRDHUP), END};
static const struct strace_name epoll_names[] = {
    N(EPOLLIN), N(EPOLLPRI), N(EPOLLOUT), N(EPOLLRDNORM), N(EPOLLRDBAND), N(EPOLLWRNORM),
    N(EPOLLWRBAND), N(EPOLLMSG), N(EPOLLERR), N(EPOLLHUP), N(EPOLLRDHUP), N(EPOLLEXCLUSIVE),
    N(EPOLLWAKEUP), N(EPOLLONESHOT), {1u << 31, "EPOLLET"}, END};
static const struct strace_name epoll_ctl_names[] = {
    N(EPOLL_CTL_ADD), N(EPOLL_CTL_DEL), N(EPOLL_CTL_MOD), END};
static const struct strace_name epoll_create_names[] = {N(EPOLL_CLOEXEC), END};
static const struct strace_name eventfd_names[] = {
    N(EFD_SEMAPHORE), N(EFD_CLOEXEC), N(EFD_NONBLOCK), END};
static const struct strace_name tfd_names[] = {N(TFD_CLOEXEC), N(TFD_NONBLOCK), END};
static const struct strace_name sfd_names[] = {
    {O_CLOEXEC, "SFD_CLOEXEC"}, {O_NONBLOCK, "SFD_NONBLOCK"}, END};
static const struct strace_name timer_flag_names[] = {
    N(TIMER_ABSTIME), {2, "TFD_TIMER_CANCEL_ON_SET"}, END};
static const struct strace_name inotify_init_names[] = {N(IN_CLOEXEC), N(IN_NONBLOCK), END};
static const struct strace_name inotify_names[] = {
    N(IN_ACCESS), N(IN_MODIFY), N(IN_ATTRIB), N(IN_CLOSE_WRITE), N(IN_CLOSE_NOWRITE), N(IN_OPEN),
    N(IN_MOVED_FROM), N(IN_MOVED_TO), N(IN_CREATE), N(IN_DELETE), N(IN_DELETE_SELF),
    N(IN_MOVE_SELF), N(IN_ONLYDIR), N(IN_DONT_FOLLOW), N(IN_EXCL_UNLINK), N(IN_MASK_ADD),
    N(IN_ISDIR), {1u << 31, "IN_ONESHOT"}, END};
static const struct strace_name clock_names[] = {
    N(CLOCK_REALTIME), N(CLOCK_MONOTONIC), N(CLOCK_PROCESS_CPUTIME_ID), N(CLOCK_THREAD_CPUTIME_ID),
    N(CLOCK_MONOTONIC_RAW), N(CLOCK_REALTIME_COARSE), N(CLOCK_MONOTONIC_COARSE), N(CLOCK_BOOTTIME),
    N(CLOCK_REALTIME_ALARM), N(CLOCK_BOOTTIME_ALARM), {10, "CLOCK_SGI_CYCLE"}, N(CLOCK_TAI), END};
static const struct strace_name itimer_names[] = {
    N(ITIMER_REAL), N(ITIMER_VIRTUAL), N(ITIMER_PROF), END};
static const struct strace_name rlimit_names[] = {
    N(RLIMIT_CPU), N(RLIMIT_FSIZE), N(RLIMIT_DATA), N(RLIMIT_STACK), N(RLIMIT_CORE),
    N(RLIMIT_RSS), N(RLIMIT_NPROC), N(RLIMIT_NOFILE), N(RLIMIT_MEMLOCK), N(RLIMIT_AS),
    N(RLIMIT_LOCKS), N(RLIMIT_SIGPENDING), N(RLIMIT_MSGQUEUE), N(RLIMIT_NICE), N(RLIMIT_RTPRIO),
    N(RLIMIT_RTTIME), END};
static const struct strace_name rusage_names[] = {
    N(RUSAGE_SELF), {(uint32_t)RUSAGE_CHILDREN, "RUSAGE_CHILDREN"}, N(RUSAGE_THREAD), END};
static const struct strace_name prio_names[] = {N(PRIO_PROCESS), N(PRIO_PGRP), N(PRIO_USER), END};
static const struct strace_name sched_names[] = {
    N(SCHED_OTHER), N(SCHED_FIFO), N(SCHED_RR), N(SCHED_BATCH), N(SCHED_IDLE), {6, "SCHED_DEADLINE"},
    END};
static const struct strace_name prctl_names[] = {
    N(PR_SET_PDEATHSIG), N(PR_GET_PDEATHSIG), N(PR_GET_DUMPABLE), N(PR_SET_DUMPABLE),
    N(PR_GET_UNALIGN), N(PR_SET_UNALIGN), N(PR_GET_KEEPCAPS), N(PR_SET_KEEPCAPS), N(PR_GET_FPEMU),
    N(PR_SET_FPEMU), N(PR_GET_FPEXC), N(PR_SET_FPEXC), N(PR_GET_TIMING), N(PR_SET_TIMING),
    N(PR_SET_NAME), N(PR_GET_NAME), N(PR_GET_ENDIAN), N(PR_SET_ENDIAN), N(PR_GET_SECCOMP),
    N(PR_SET_SECCOMP), N(PR_CAPBSET_READ), N(PR_CAPBSET_DROP), N(PR_GET_TSC), N(PR_SET_TSC),
    N(PR_GET_SECUREBITS), N(PR_SET_SECUREBITS), N(PR_SET_TIMERSLACK), N(PR_GET_TIMERSLACK),
    N(PR_MCE_KILL), N(PR_MCE_KILL_GET), N(PR_SET_MM), N(PR_SET_CHILD_SUBREAPER),
    N(PR_GET_CHILD_SUBREAPER), N(PR_SET_NO_NEW_PRIVS), N(PR_GET_NO_NEW_PRIVS),
    N(PR_GET_TID_ADDRESS), N(PR_SET_THP_DISABLE), N(PR_GET_THP_DISABLE), N(PR_CAP_AMBIENT),
    {0x53564d41, "PR_SET_VMA"}, END};
static const struct strace_name memfd_names[] = {
    N(MFD_CLOEXEC), N(MFD_ALLOW_SEALING), N(MFD_HUGETLB), END};
static const struct strace_name random_names[] = {
    N(GRND_NONBLOCK), N(GRND_RANDOM), {4, "GRND_INSECURE"}, END};
static const struct strace_name membarrier_names[] = {
    N(MEMBARRIER_CMD_QUERY), N(MEMBARRIER_CMD_GLOBAL), N(MEMBARRIER_CMD_GLOBAL_EXPEDITED),
    N(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED), N(MEMBARRIER_CMD_PRIVATE_EXPEDITED),
    N(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED), END};
static const struct strace_name arch_prctl_names[] = {
    {0x1001, "ARCH_SET_GS"}, {0x1002, "ARCH_SET_FS"}, {0x1003, "ARCH_GET_FS"},
    {0x1004, "ARCH_GET_GS"}, {0x1011, "ARCH_GET_CPUID"}, {0x1012, "ARCH_SET_CPUID"},
    {0x3001, "ARCH_CET_STATUS"}, END};
static const struct strace_name xattr_names[] = {N(XATTR_CREATE), N(XATTR_REPLACE), END};
static const struct strace_name umount_names[] = {
    N(MNT_FORCE), N(MNT_DETACH), N(MNT_EXPIRE), N(UMOUNT_NOFOLLOW), END};
static const struct strace_name mount_names[] = {
    N(MS_RDONLY), N(MS_NOSUID), N(MS_NODEV), N(MS_NOEXEC), N(MS_SYNCHRONOUS), N(MS_REMOUNT),
    N(MS_BIND), N(MS_REC), N(MS_SILENT), N(MS_PRIVATE), N(MS_SLAVE), N(MS_SHARED), END};
static const struct strace_name close_range_names[] = {
    {2, "CLOSE_RANGE_UNSHARE"}, {4, "CLOSE_RANGE_CLOEXEC"}, END};
static const struct strace_name ss_names[] = {N(SS_ONSTACK), N(SS_DISABLE), END};
static const struct strace_name personality_names[] = {{0, "PER_LINUX"}, {8, "PER_LINUX32"}, END};

/* ORDER STRACE_SET */
static const struct strace_flag_set {
    const struct strace_name *names;
    const char *unknown; /* the comment strace adds to bits or values without a name */
    bool bits;
} sets[STRACE_SETS] = {
    [STRACE_OPEN] = {open_names, "O_???", true},
    [STRACE_ACCMODE] = {accmode_names, "O_???", false},
    [STRACE_ACCESS] = {access_names, "?_OK", true},
    [STRACE_AT] = {at_names, "AT_???", true},
    [STRACE_PROT] = {prot_names, "PROT_???", true},
    [STRACE_MAP] = {map_names, "MAP_???", true},
    [STRACE_MAP_TYPE] = {map_type_names, "MAP_???", false},
    [STRACE_MREMAP] = {mremap_names, "MREMAP_???", true},
    [STRACE_MSYNC] = {msync_names, "MS_???", true},
    [STRACE_MLOCKALL] = {mlockall_names, "MCL_???", true},
    [STRACE_MADVISE] = {madvise_names, "MADV_???", false},
    [STRACE_WHENCE] = {whence_names, "SEEK_???", false},
    [STRACE_FCNTL] = {fcntl_names, "F_???", false},
    [STRACE_FD] = {fd_names, "FD_???", true},
    [STRACE_FLOCK] = {flock_names, "LOCK_???", true},
    [STRACE_LOCK_TYPE] = {lock_type_names, "F_???", false},
    [STRACE_FALLOC] = {falloc_names, "FALLOC_FL_???", true},
    [STRACE_FADVISE] = {fadvise_names, "POSIX_FADV_???", false},
    [STRACE_SPLICE] = {splice_names, "SPLICE_F_???", true},
    [STRACE_RENAME] = {rename_names, "RENAME_???", true},
    [STRACE_STATX] = {statx_names, "STATX_???", true},
    [STRACE_CLONE] = {clone_names, "CLONE_???", true},
    [STRACE_FUTEX] = {futex_names, "FUTEX_???", false},
    [STRACE_WAIT] = {wait_names, "W???", true},
    [STRACE_IDTYPE] = {idtype_names, "P_???", false},
    [STRACE_SIGHOW] = {sighow_names, "SIG_???", false},
    [STRACE_SA] = {sa_names, "SA_???", true},
    [STRACE_DOMAIN] = {domain_names, "AF_???", false},
    [STRACE_SOCKTYPE] = {socktype_names, "SOCK_???", false},
    [STRACE_SOCKFLAG] = {sockflag_names, "SOCK_???", true},
    [STRACE_MSG] = {msg_names, "MSG_???", true},
    [STRACE_SOL] = {sol_names, "SOL_???", false},
    [STRACE_SO] = {so_names, "SO_???", false},
    [STRACE_SHUT] = {shut_names, "SHUT_???", false},
    [STRACE_POLL] = {poll_names, "POLL???", true},
    [STRACE_EPOLL] = {epoll_names, "EPOLL???", true},
    [STRACE_EPOLL_CTL] = {epoll_ctl_names, "EPOLL_CTL_???", false},
    [STRACE_EPOLL_CREATE] = {epoll_create_names, "EPOLL_???", true},
    [STRACE_EVENTFD] = {eventfd_names, "EFD_???", true},
    [STRACE_TFD] = {tfd_names, "TFD_???", true},
    [STRACE_SFD] = {sfd_names, "SFD_???", true},
    [STRACE_TIMER_FLAG] = {timer_flag_names, "TIMER_???", true},
    [STRACE_INOTIFY_INIT] = {inotify_init_names, "IN_???", true},
    [STRACE_INOTIFY] = {inotify_names, "IN_???", true},
    [STRACE_CLOCK] = {clock_names, "CLOCK_???", false},
    [STRACE_ITIMER] = {itimer_names, "ITIMER_???", false},
    [STRACE_RLIMIT] = {rlimit_names, "RLIMIT_???", false},
    [STRACE_RUSAGE] = {rusage_names, "RUSAGE_???", false},
    [STRACE_PRIO] = {prio_names, "PRIO_???", false},
    [STRACE_SCHED] = {sched_names, "SCHED_???", false},
    [STRACE_PRCTL] = {prctl_names, "PR_???", false},
    [STRACE_MEMFD] = {memfd_names, "MFD_???", true},
    [STRACE_RANDOM] = {random_names, "GRND_???", true},
    [STRACE_MEMBARRIER] = {membarrier_names, "MEMBARRIER_CMD_???", false},
    [STRACE_ARCH_PRCTL] = {arch_prctl_names, "ARCH_???", false},
    [STRACE_XATTR] = {xattr_names, "XATTR_???", true},
    [STRACE_UMOUNT] = {umount_names, "MNT_???", true},
    [STRACE_MOUNT] = {mount_names, "MS_???", true},
    [STRACE_CLOSE_RANGE] = {close_range_names, "CLOSE_RANGE_???", true},
    [STRACE_SS] = {ss_names, "SS_???", true},
    [STRACE_PERSONALITY] = {personality_names, "PER_???", false},
};

static void add(char *out, size_t size, size_t *len, const char *text)
{
    while (*text && *len + 1 < size)
        out[(*len)++] = *text++;
    out[*len] = 0;
}

static void add_unknown(char *out, size_t size, size_t *len, uint64_t value, const char *what)
{
    char number[64];
    snprintf(number, sizeof number, "%#llx /* %s */", (unsigned long long)value, what);
    add(out, size, len, number);
}

size_t strace_flags(char *out, size_t size, enum strace_set set, uint64_t value)
{
    const struct strace_flag_set *s = &sets[set];
    size_t len = 0;
    out[0] = 0;
    if (!s->bits) {
        for (const struct strace_name *n = s->names; n->name; n++)
            if (n->value == value) {
                add(out, size, &len, n->name);
                return len;
            }
        add_unknown(out, size, &len, value, s->unknown);
        return len;
    }
    if (!value) {
        add(out, size, &len, "0");
        return len;
    }
    uint64_t left = value;
    for (const struct strace_name *n = s->names; n->name && left; n++) {
        if (!n->value || (left & n->value) != n->value)
            continue;
        if (len)
            add(out, size, &len, "|");
        add(out, size, &len, n->name);
        left &= ~n->value;
    }
    if (left) {
        char number[64];
        if (len)
            snprintf(number, sizeof number, "|%#llx", (unsigned long long)left);
        else
            snprintf(number, sizeof number, "%#llx /* %s */", (unsigned long long)left, s->unknown);
        add(out, size, &len, number);
    }
    return len;
}
