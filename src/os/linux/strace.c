/* --strace: one line per system call in the manner of strace(1). */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "os/linux/dispatch.h"
#include "os/linux/guest_mem.h"
#include "os/linux/strace_note.h"
#include "os/linux/strace_out.h"

#define RESULT_COLUMN 40

/* One call at a time in each thread. */
static __thread struct strace_line line;

/* Of the process; fork copies it. */
static struct {
    _Atomic int ready; /* what is below is valid */
    int fd;            /* a duplicate out of the guest's way */
    pid_t first;       /* the process that runs the program given to us */
    bool child;        /* we were started by another traced process */
    _Atomic int forked;
} output;

void strace_put(struct strace_line *l, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(l->text + l->len, sizeof l->text - l->len, format, ap);
    va_end(ap);
    if (n > 0)
        l->len += (size_t)n;
    if (l->len > sizeof l->text - 1)
        l->len = sizeof l->text - 1;
}

void linux_strace_note_stat(const struct stat *st)
{
    line.stat = *st;
    line.has_stat = true;
}

static void write_line(struct linux_task *t)
{
    int fallback = fileno(t->process->options->strace);
    if (line.len + 1 >= sizeof line.text)
        line.len = sizeof line.text - 2;
    line.text[line.len++] = '\n';
    /* One write per line: lines of several tasks never mix. */
    ssize_t n = write(output.fd, line.text, line.len);
    if (n < 0 && errno == EBADF && output.fd != fallback)
        n = write(fallback, line.text, line.len);
    line.len = 0;
}

/* True when our parent runs the same executable as we do. */
static bool parent_is_traced(void)
{
    char own[PATH_MAX], parent[PATH_MAX], name[64];
    snprintf(name, sizeof name, "/proc/%ld/exe", (long)getppid());
    ssize_t a = readlink("/proc/self/exe", own, sizeof own);
    ssize_t b = readlink(name, parent, sizeof parent);
    return a > 0 && a == b && !memcmp(own, parent, (size_t)a);
}

static void begin_line(struct linux_task *t)
{
    line.len = 0;
    if (output.child || output.forked || getpid() != output.first || t->process->ntasks > 1)
        strace_put(&line, "[pid %5ld] ", (long)t->tid);
}

static void put_result_column(void)
{
    strace_put(&line, ") ");
    while (line.len < RESULT_COLUMN)
        strace_put(&line, " ");
    strace_put(&line, "= ");
}

/* The line that brought us here: the execve happened in another process image. */
static void put_first_exec(struct linux_task *t)
{
    const struct linux_process *p = t->process;
    bool first = true;
    begin_line(t);
    strace_put(&line, "execve(\"%s\", [", p->exe);
    for (uint64_t at = p->arg_start; at < p->arg_end && line.len < STRACE_LINE / 2;) {
        char word[PATH_MAX];
        int64_t len = linux_string_in(t, word, sizeof word, at);
        if (len < 0)
            break;
        strace_put(&line, first ? "" : ", ");
        strace_put_bytes(&line, t, at, (uint64_t)len);
        first = false;
        at += (uint64_t)len + 1;
    }
    unsigned count = 0;
    for (uint64_t at = p->env_start; at < p->env_end; at++) {
        uint8_t byte;
        if (linux_copy_in(t, &byte, at, 1))
            break;
        count += !byte;
    }
    strace_put(&line, "], %#" PRIx64 " /* %u var%s */", p->env_start, count, count == 1 ? "" : "s");
    put_result_column();
    strace_put(&line, "0");
    write_line(t);
}

static void open_output(struct linux_task *t)
{
    int fd = fileno(t->process->options->strace);
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 900);
    output.fd = own < 0 ? fd : own;
    output.first = getpid();
    output.child = parent_is_traced();
    output.ready = 1;
    put_first_exec(t);
}

static bool is_call(const struct linux_syscall *call, const char *name)
{
    return call && !strcmp(call->name, name);
}

static bool makes_task(const struct linux_syscall *call)
{
    return is_call(call, "fork") || is_call(call, "vfork") || is_call(call, "clone") ||
           is_call(call, "clone3");
}

static void put_arguments(struct linux_task *t, bool outputs)
{
    const struct linux_syscall *call = line.call;
    unsigned nargs = strace_nargs(call, line.args);
    for (; line.next < nargs; line.next++) {
        if (!outputs && strace_is_output(call, line.next))
            return;
        if (line.next)
            strace_put(&line, ", ");
        strace_argument(&line, t, line.next);
    }
}

void linux_strace_enter(struct linux_task *t, const struct linux_syscall *call, unsigned nr,
                        const uint64_t args[6])
{
    if (!output.ready)
        open_output(t);
    begin_line(t);
    line.call = call;
    line.args = args;
    line.next = 0;
    line.done = line.has_stat = false;
    if (!call) {
        const char *name = linux_call_lookup(t->process->abi, nr).name;
        if (name)
            strace_put(&line, "%s(", name);
        else
            strace_put(&line, "syscall_%#x(", nr);
        for (unsigned i = 0; i < 6; i++)
            strace_put(&line, "%s%#" PRIx64, i ? ", " : "", args[i]);
        return;
    }
    if (makes_task(call))
        output.forked = 1;
    strace_put(&line, "%s(", call->name);
    put_arguments(t, false);
    if (call->flags & SYS_NORETURN) {
        put_result_column();
        strace_put(&line, "?");
        write_line(t);
        if (is_call(call, "exit_group") || t->process->ntasks <= 1 || is_call(call, "exit")) {
            begin_line(t);
            strace_put(&line, "+++ exited with %u +++", (unsigned)args[0] & 0xff);
            write_line(t);
        }
    }
}

static void put_error(int64_t result)
{
    switch (-result) {
    case LINUX_ERESTARTSYS:
        strace_put(&line, "? ERESTARTSYS (To be restarted if SA_RESTART is set)");
        return;
    case LINUX_ERESTARTNOINTR: strace_put(&line, "? ERESTARTNOINTR (To be restarted)"); return;
    case LINUX_ERESTARTNOHAND:
        strace_put(&line, "? ERESTARTNOHAND (To be restarted if no handler)");
        return;
    }
    const char *name = strerrorname_np((int)-result);
    if (name)
        strace_put(&line, "-1 %s (%s)", name, strerrordesc_np((int)-result));
    else
        strace_put(&line, "-1 (errno %d)", (int)-result);
}

static bool gives_address(const struct linux_syscall *call)
{
    return is_call(call, "mmap2") || is_call(call, "mmap") || is_call(call, "brk") ||
           is_call(call, "mremap") || is_call(call, "shmat");
}

void linux_strace_exit(struct linux_task *t, const struct linux_syscall *call, unsigned nr,
                       const uint64_t args[6], int64_t result)
{
    (void)nr;
    if (call && call->flags & SYS_NORETURN) /* said already */
        return;
    if (makes_task(call) && !result) { /* the child: its parent prints the line */
        line.len = 0;
        return;
    }
    line.args = args;
    line.done = true;
    line.result = result;
    if (call)
        put_arguments(t, true);
    put_result_column();
    bool address = gives_address(call);
    if (result < 0 && result >= -4095)
        put_error(result);
    else if (address || strace_gives_flags(&line))
        strace_put(&line, result ? "%#" PRIx64 : "0", (uint64_t)result);
    else if (is_call(call, "umask"))
        strace_put(&line, "%#" PRIo64, (uint64_t)result);
    else
        strace_put(&line, "%" PRId64, result);
    if (call)
        strace_remark(&line, t);
    write_line(t);
}

static void put_code(int sig, int code)
{
    static const char *const child[] = {NULL,          "CLD_EXITED",  "CLD_KILLED",   "CLD_DUMPED",
                                        "CLD_TRAPPED", "CLD_STOPPED", "CLD_CONTINUED"};
    static const struct {
        int code;
        const char *name;
    } common[] = {{SI_USER, "SI_USER"},   {SI_QUEUE, "SI_QUEUE"},    {SI_TIMER, "SI_TIMER"},
                  {SI_TKILL, "SI_TKILL"}, {SI_KERNEL, "SI_KERNEL"},  {SI_MESGQ, "SI_MESGQ"},
                  {SI_SIGIO, "SI_SIGIO"}, {SI_ASYNCIO, "SI_ASYNCIO"}};
    for (size_t i = 0; i < ARRAY_LEN(common); i++)
        if (common[i].code == code) {
            strace_put(&line, "%s", common[i].name);
            return;
        }
    if (sig == SIGCHLD && code > 0 && code < (int)ARRAY_LEN(child))
        strace_put(&line, "%s", child[code]);
    else if (sig == SIGSEGV && (code == SEGV_MAPERR || code == SEGV_ACCERR))
        strace_put(&line, code == SEGV_MAPERR ? "SEGV_MAPERR" : "SEGV_ACCERR");
    else
        strace_put(&line, "%d", code);
}

void linux_strace_signal(struct linux_task *t, const siginfo_t *info)
{
    int sig = info->si_signo, code = info->si_code;
    if (!output.ready)
        open_output(t);
    begin_line(t);
    strace_put(&line, "--- ");
    strace_put_signal(&line, (uint64_t)sig);
    strace_put(&line, " {si_signo=");
    strace_put_signal(&line, (uint64_t)sig);
    strace_put(&line, ", si_code=");
    put_code(sig, code);
    if (sig == SIGCHLD && code > 0) {
        strace_put(&line, ", si_pid=%d, si_uid=%u, si_status=", info->si_pid, info->si_uid);
        if (code == CLD_EXITED)
            strace_put(&line, "%d", info->si_status);
        else
            strace_put_signal(&line, (uint64_t)info->si_status);
        strace_put(&line, ", si_utime=%ld, si_stime=%ld", (long)info->si_utime,
                   (long)info->si_stime);
    } else if (code > 0 && code != SI_KERNEL) {
        strace_put(&line, ", si_addr=");
        strace_put_pointer(&line, (uint64_t)(uintptr_t)info->si_addr);
    } else if (code == SI_TIMER) {
        strace_put(&line, ", si_timerid=%d, si_overrun=%d", info->si_timerid, info->si_overrun);
    } else if (code != SI_KERNEL) {
        strace_put(&line, ", si_pid=%d, si_uid=%u", info->si_pid, info->si_uid);
        if (code == SI_QUEUE)
            strace_put(&line, ", si_value=%d", info->si_value.sival_int);
    }
    strace_put(&line, "} ---");
    write_line(t);
}

void linux_strace_killed(struct linux_task *t, int sig)
{
    if (!output.ready)
        open_output(t);
    begin_line(t);
    strace_put(&line, "+++ killed by ");
    strace_put_signal(&line, (uint64_t)sig);
    strace_put(&line, " +++");
    write_line(t);
}
