/* System calls: the table, the convention of its handlers, and how they block.
 *
 * A row of syscalls.inc is
 *     SYSCALL(name, nargs, "format", flags)
 * and its handler is `int64_t sys_name(struct linux_task *, const uint64_t args[6])`, which gives
 * the result or a negative errno (Linux numbers errnos alike on all our guests).
 * Numbers are the ABI's affair: arm/numbers.inc has `NR(number, name)` rows, and `NR_NONE` for calls
 * that are known by name only. LINUX_CALL and LINUX_NO_CALL make them elements of linux_abi.calls.
 *
 * The format has one letter per argument. It tells the dispatcher how to collect the argument,
 * so that handlers see the same args[] for every ABI, and --strace how to print it:
 *     d  signed int                 u  unsigned        x  hexadecimal       o  octal mode
 *     l  signed long                z  size            p  pointer
 *     L  signed 64-bit (an aligned register pair on 32-bit guests)
 *     H  two words, low then high, never aligned (preadv)
 *     s  string                     b  bytes read by the call, size in the next argument
 *     B  bytes written by the call, size in the next argument, valid = the result
 *     f  descriptor                 F  directory descriptor (AT_FDCWD)
 *     O  open flags                 a  access mode     A  AT_* flags
 *     v  vector of strings (argv)   i  iovec read by the call   I  iovec written by the call
 *     S  signal number              m  pointer to a signal mask
 *     t  timespec in                T  timespec out   e  timeval in   E  timeval out
 *     q  timespec64 in              Q  timespec64 out
 *     c  stat64 out                 C  statx out
 *     P  PROT_*                     M  MAP_*           w  wait status out
 *     k  clone flags                X  futex op        n  ioctl request     N  fcntl command
 *     D  address family             y  socket type     j  sockaddr in, length in the next argument
 *     J  sockaddr out               g  pollfds         G  epoll events out  W  whence
 *     r  resource (rlimit)          K  clock id
 * 'L' and 'H' words are sign-extended from what the guest gave; every other argument is
 * zero-extended from the guest's word, but 'd', 'l', 'f', 'F' and 'W', which are sign-extended. */
#ifndef OS_LINUX_SYSCALL_H
#define OS_LINUX_SYSCALL_H

#include "os/linux/task.h"

enum linux_syscall_flags {
    SYS_RESTART = 1 << 0, /* interrupted by a signal: restarted under SA_RESTART */
    SYS_NORETURN = 1 << 1,
    SYS_KEEPS_REGS = 1 << 2, /* the handler sets the result registers itself (sigreturn) */
};

typedef int64_t (*linux_handler)(struct linux_task *, const uint64_t args[6]);

struct linux_syscall {
    const char *name;
    const char *format;
    linux_handler handler;
    uint8_t nargs;
    uint8_t flags;
};

#define LINUX_CALL(number, name_)    [number] = {&linux_syscalls[SYS_ROW_##name_], #name_},
#define LINUX_NO_CALL(number, name_) [number] = {NULL, #name_},

/* Results a handler may give besides errnos; the run loop turns them into EINTR or a restart as
 * the kernel does (they are linux_block's, normally passed through). */
enum {
    LINUX_ERESTARTSYS = 512,    /* EINTR, but restarted under SA_RESTART or without a handler */
    LINUX_ERESTARTNOINTR = 513, /* always restarted, after the handler */
    LINUX_ERESTARTNOHAND = 514, /* EINTR when a handler runs, else restarted */
};

/* Makes a host system call that may sleep. A guest signal that arrives before or during it
 * interrupts it: no wakeup is lost between the check and the kernel. The host's result or
 * -errno; -LINUX_ERESTARTSYS or -LINUX_ERESTARTNOHAND (by the row's SYS_RESTART flag) in place of
 * EINTR, to be returned to the run loop, with nothing done. */
int64_t linux_block(struct linux_task *, long nr, long a, long b, long c, long d, long e, long f);
/* Makes a host system call that does not sleep: its result or -errno. */
int64_t linux_host(long nr, long a, long b, long c, long d, long e, long f);

/* For calls with a temporary signal mask (ppoll, pselect6, epoll_pwait): blocks MASK until the
 * call returns; a handler still runs under it, the old mask comes back after that. linux_block
 * must follow; the host call itself is given no mask. */
void linux_mask_until_return(struct linux_task *, linux_sigset mask);

/* The table; order of syscalls.inc. */
#define SYSCALL(name, nargs, format, flags) SYS_ROW_##name,
enum linux_syscall_row {
#include "os/linux/syscalls.inc"
    SYS_ROWS
};
#undef SYSCALL
extern const struct linux_syscall linux_syscalls[SYS_ROWS];

#define SYSCALL(name, nargs, format, flags)                                                        \
    int64_t sys_##name(struct linux_task *, const uint64_t args[6]);
#include "os/linux/syscalls.inc"
#undef SYSCALL

/* --strace (strace.c): called around every handler when options->strace is set. NR is the guest's
 * number; CALL is null for an unknown one. */
void linux_strace_enter(struct linux_task *, const struct linux_syscall *call, unsigned nr,
                        const uint64_t args[6]);
void linux_strace_exit(struct linux_task *, const struct linux_syscall *call, unsigned nr,
                       const uint64_t args[6], int64_t result);
/* A signal is about to be delivered ("--- SIGINT {...} ---"). */
void linux_strace_signal(struct linux_task *, const siginfo_t *);

/* Paths (path.c): guest path PATH as a host path: absolute ones are looked up in the sysroot first.
 * The result is PATH or BUF (PATH_MAX bytes). */
const char *linux_path(struct linux_process *, const char *path, char *buf);

#endif
