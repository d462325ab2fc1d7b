/* Private to --strace: the line being put together, and the printers of arguments. */
#ifndef OS_LINUX_STRACE_OUT_H
#define OS_LINUX_STRACE_OUT_H

#include <sys/stat.h>
#include "os/linux/abi.h"
#include "os/linux/strace_flags.h"
#include "os/linux/syscall.h"

#define STRACE_LINE 4096

/* The call in progress of one thread; what does not fit the line is cut. */
struct strace_line {
    char text[STRACE_LINE];
    size_t len;
    unsigned next;  /* the first argument not yet printed */
    bool done;      /* the call has been made: outputs can be printed */
    int64_t result; /* then */
    const struct linux_syscall *call;
    const uint64_t *args;
    struct stat stat; /* what the last stat call found */
    bool has_stat;
};

void strace_put(struct strace_line *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void strace_put_flags(struct strace_line *, enum strace_set, uint64_t value);
/* NULL or hexadecimal. */
void strace_put_pointer(struct strace_line *, uint64_t gva);
/* SIGINT, or the number. */
void strace_put_signal(struct strace_line *, uint64_t sig);
/* SIZE bytes in quotes with escapes, cut at the usual 32. */
void strace_put_bytes(struct strace_line *, struct linux_task *, uint64_t gva, uint64_t size);
/* A path or another whole string. */
void strace_put_string(struct strace_line *, struct linux_task *, uint64_t gva);
void strace_put_sigset(struct strace_line *, linux_sigset);

/* How many arguments mean something: fewer than the call can have when the others decide so. */
unsigned strace_nargs(const struct linux_syscall *, const uint64_t args[6]);
/* Does argument I have to wait for the call to be done? */
bool strace_is_output(const struct linux_syscall *, unsigned i);
/* Prints argument I, from guest memory as it is now. */
void strace_argument(struct strace_line *, struct linux_task *, unsigned i);
/* Is the result a word of flags, printed in hexadecimal? */
bool strace_gives_flags(const struct strace_line *);
/* What strace writes behind the result of some calls, " (Timeout)" and the like. */
void strace_remark(struct strace_line *, struct linux_task *);

/* strace_struct.c: structures at a guest address; the pointer where they cannot be read. */
void strace_put_stat(struct strace_line *, uint64_t gva);
void strace_put_statx(struct strace_line *, struct linux_task *, uint64_t gva);
void strace_put_timespec(struct strace_line *, struct linux_task *, uint64_t gva, bool wide);
void strace_put_timeval(struct strace_line *, struct linux_task *, uint64_t gva);
void strace_put_sockaddr(struct strace_line *, struct linux_task *, uint64_t gva, uint64_t size);
void strace_put_iovec(struct strace_line *, struct linux_task *, uint64_t gva, uint64_t count,
                      uint64_t bytes);
void strace_put_vector(struct strace_line *, struct linux_task *, uint64_t gva);
/* The number of strings only, as for an environment. */
void strace_put_environment(struct strace_line *, struct linux_task *, uint64_t gva);
void strace_put_pollfds(struct strace_line *, struct linux_task *, uint64_t gva, uint64_t count,
                        bool ready);
void strace_put_epoll(struct strace_line *, struct linux_task *, uint64_t gva, int64_t count);
void strace_put_flock(struct strace_line *, struct linux_task *, uint64_t gva, bool wide);
void strace_put_wait_status(struct strace_line *, struct linux_task *, uint64_t gva);
void strace_put_rlimit(struct strace_line *, struct linux_task *, uint64_t gva, bool wide);
void strace_put_pair(struct strace_line *, struct linux_task *, uint64_t gva);
void strace_put_termios(struct strace_line *, struct linux_task *, uint64_t gva);
void strace_put_winsize(struct strace_line *, struct linux_task *, uint64_t gva);
void strace_put_int(struct strace_line *, struct linux_task *, uint64_t gva);
void strace_put_msghdr(struct strace_line *, struct linux_task *, uint64_t gva, int64_t bytes);
void strace_put_utsname(struct strace_line *, struct linux_task *, uint64_t gva);
void strace_put_sigaction(struct strace_line *, struct linux_task *, uint64_t gva, bool rt);
void strace_put_fdset(struct strace_line *, struct linux_task *, uint64_t gva, uint64_t count);

#endif
