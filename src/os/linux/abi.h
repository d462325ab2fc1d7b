/* What differs between guest ABIs: one constant table per instruction set.
 *
 * Converters take host structures and put the guest's layout into guest memory, or the reverse;
 * all give 0 or -EFAULT (or the errno they name) and copy nothing on failure. */
#ifndef OS_LINUX_ABI_H
#define OS_LINUX_ABI_H

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <time.h>
#include "os/linux/task.h"

struct linux_syscall;

/* A number of an ABI: what serves it or null, and its name (null: there is no such call). */
struct linux_call_row {
    const struct linux_syscall *call;
    const char *name;
};

/* What the auxiliary vector says of the CPU. */
struct linux_auxv_cpu {
    uint64_t hwcap, hwcap2;
    uint64_t min_stack; /* AT_MINSIGSTKSZ: room that a signal frame takes; 0: no such entry */
    const char *platform;
};

struct linux_abi {
    const char *name; /* "ARM", for messages */
    nw_arch arch;
    uint16_t elf_machine; /* EM_* */
    uint8_t elf_class;    /* ELFCLASS32 or ELFCLASS64 */
    uint8_t word;         /* bytes of a pointer: 4 or 8 */
    uint8_t align64;      /* alignment of 64-bit structure members: 4 or 8 */
    bool pair_align;      /* 64-bit arguments start at an even register */
    bool tls_last;        /* clone's arguments end in child_tid, tls instead of tls, child_tid */
    bool packed_epoll;    /* struct epoll_event has no padding, whatever align64 says */
    uint64_t task_size;   /* first address beyond user space */
    uint64_t exec_base;   /* where a position-independent program goes */
    uint64_t stack_top;
    uint64_t window; /* fast memory to ask the engine for; 0: all of the address space is */

    /* System calls, by number (see LINUX_CALL in syscall.h). RAW is what the call's registers held. */
    const struct linux_call_row *calls;
    unsigned ncalls;
    unsigned (*call_number)(struct linux_task *, const nw_exit *);
    void (*call_args)(struct linux_task *, uint64_t raw[7]);
    void (*set_result)(struct linux_task *, int64_t result);
    /* Puts the pc back onto the system call instruction, first argument FIRST. */
    void (*restart_call)(struct linux_task *, const uint64_t raw[7]);
    /* An exit that is a system call to the ABI's own rules and needs no table (true: handled). */
    bool (*special_call)(struct linux_task *, const nw_exit *);

    /* Registers. */
    void (*start)(struct linux_task *, uint64_t entry, uint64_t sp);
    uint64_t (*get_pc)(struct linux_task *);
    uint64_t (*get_sp)(struct linux_task *);
    void (*set_sp)(struct linux_task *, uint64_t sp);
    void (*set_tls)(struct linux_task *, uint64_t tls);
    void (*copy_state)(struct linux_task *child, const struct linux_task *parent);
    void (*dump)(struct linux_task *, FILE *);
    struct linux_auxv_cpu (*auxv_cpu)(struct linux_task *);
    const char *(*machine)(struct linux_task *);  /* uname -m */
    void (*cpuinfo)(struct linux_task *, FILE *); /* /proc/cpuinfo; null: the host's is shown */
    /* Maps what the kernel gives every process (helper pages); 0 or -errno. */
    int64_t (*map_kernel_pages)(struct linux_process *);
    /* A memory fault that is the kernel's to serve: true when the program goes on. Or null. */
    bool (*serve_fault)(struct linux_task *, const nw_exit *);
    /* A siginfo for a guest exception. */
    void (*fault_info)(struct linux_task *, const nw_exit *, siginfo_t *out);

    /* Signals. */
    int64_t (*push_frame)(struct linux_task *, int sig, const struct linux_sigaction *,
                          const siginfo_t *, linux_sigset mask);
    int64_t (*sigreturn)(struct linux_task *, bool rt);
    int64_t (*get_sigaction)(struct linux_task *, uint64_t gva, struct linux_sigaction *, bool rt);
    int64_t (*put_sigaction)(struct linux_task *, uint64_t gva, const struct linux_sigaction *,
                             bool rt);
    int64_t (*get_siginfo)(struct linux_task *, uint64_t gva, siginfo_t *);
    int64_t (*put_siginfo)(struct linux_task *, uint64_t gva, const siginfo_t *);

    /* Structures. old: the ABI's 32-bit stat ("newstat"); 64: stat64. 64-bit ABIs have one. */
    int64_t (*put_stat)(struct linux_task *, uint64_t gva, const struct stat *); /* EOVERFLOW */
    int64_t (*put_stat64)(struct linux_task *, uint64_t gva, const struct stat *);
    int64_t (*put_statfs)(struct linux_task *, uint64_t gva, const struct statfs *);
    int64_t (*put_statfs64)(struct linux_task *, uint64_t gva, const struct statfs *);
    /* time_t of the ABI's word; *64 have 64-bit seconds (the time64 calls). get_timespec gives
     * -EINVAL for nothing: range checks are the caller's. */
    int64_t (*get_timespec)(struct linux_task *, uint64_t gva, struct timespec *);
    int64_t (*put_timespec)(struct linux_task *, uint64_t gva, const struct timespec *);
    int64_t (*get_timespec64)(struct linux_task *, uint64_t gva, struct timespec *);
    int64_t (*put_timespec64)(struct linux_task *, uint64_t gva, const struct timespec *);
    int64_t (*get_timeval)(struct linux_task *, uint64_t gva, struct timeval *);
    int64_t (*put_timeval)(struct linux_task *, uint64_t gva, const struct timeval *);
    int64_t (*get_flock)(struct linux_task *, uint64_t gva, struct flock *);
    int64_t (*put_flock)(struct linux_task *, uint64_t gva, const struct flock *);
    int64_t (*get_flock64)(struct linux_task *, uint64_t gva, struct flock *);
    int64_t (*put_flock64)(struct linux_task *, uint64_t gva, const struct flock *);
    /* Event INDEX of the array at GVA (the layouts have different sizes). */
    int64_t (*get_epoll_event)(struct linux_task *, uint64_t gva, unsigned index,
                               struct epoll_event *);
    int64_t (*put_epoll_event)(struct linux_task *, uint64_t gva, unsigned index,
                               const struct epoll_event *);
    int64_t (*put_rusage)(struct linux_task *, uint64_t gva, const struct rusage *);
    int64_t (*put_sysinfo)(struct linux_task *, uint64_t gva, const struct sysinfo *);
    int64_t (*put_rlimit)(struct linux_task *, uint64_t gva, const struct rlimit *);
    int64_t (*get_rlimit)(struct linux_task *, uint64_t gva, struct rlimit *);
    /* open() flags differ in a few bits between architectures. */
    int (*open_flags_in)(uint64_t guest);
    uint64_t (*open_flags_out)(int host);
};

/* struct msghdr in host terms; pointers are guest addresses. */
struct linux_msghdr {
    uint64_t name, iov, control;
    uint64_t namelen, iovlen, controllen;
    uint32_t flags;
};
#define LINUX_MSGHDR_SIZE(abi) ((abi)->word == 8 ? 56u : 28u)
/* mmsghdr: the msghdr, then a 32-bit length, padded to a word. */
#define LINUX_MMSGHDR_SIZE(abi) ((abi)->word == 8 ? 64u : 32u)
int64_t linux_get_msghdr(struct linux_task *, uint64_t gva, struct linux_msghdr *);
/* Writes back what recvmsg changes: namelen, controllen, flags. */
int64_t linux_put_msghdr(struct linux_task *, uint64_t gva, const struct linux_msghdr *);

/* Signal sets are 8 bytes everywhere; 0 or -EFAULT. */
int64_t linux_get_sigset(struct linux_task *, uint64_t gva, linux_sigset *);

extern const struct linux_abi linux_arm_abi, linux_x86_64_abi, linux_i386_abi;

#endif
