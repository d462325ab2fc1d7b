/* Ways that would lead a guest past its own memory, into the engine's. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "check.h"

/* Memory by file, under its several names. */
static void process_memory(void)
{
    char path[64];
    int dir;

    CHECK_ERRNO(open("/proc/self/mem", O_RDWR), EACCES);
    CHECK_ERRNO(open("/proc/thread-self/mem", O_RDONLY), EACCES);
    CHECK_ERRNO(open("/proc/../proc/self/mem", O_RDWR), EACCES);
    snprintf(path, sizeof path, "/proc/%d/task/%d/mem", getpid(), getpid());
    CHECK_ERRNO(open(path, O_RDWR), EACCES);
    CHECK_ERRNO(creat("/proc/self/mem", 0600), EACCES);
    dir = open("/proc/self", O_RDONLY | O_DIRECTORY);
    CHECK(dir >= 0);
    CHECK_ERRNO(openat(dir, "mem", O_RDWR), EACCES);
    CHECK(fchdir(dir) == 0);
    CHECK_ERRNO(open("mem", O_RDWR), EACCES);
    close(dir);
    dir = open("/proc/self/mem", O_PATH);
    snprintf(path, sizeof path, "/proc/self/fd/%d", dir);
    CHECK(open(path, O_RDWR) < 0);
    dir = open("/proc/self/status", O_RDONLY);
    CHECK(dir >= 0);
    close(dir);
    dir = open("/dev/zero", O_RDONLY);
    CHECK(dir >= 0);
    close(dir);
}

/* Socket options whose values hold addresses. */
static void socket_options(void)
{
    uint64_t receive[8] = {0, 0, 0, 0x10000, 4096};
    socklen_t len = sizeof receive;
    int fd = socket(AF_INET, SOCK_STREAM, 0), size = 0;

    CHECK_ERRNO(getsockopt(fd, IPPROTO_TCP, 35 /* TCP_ZEROCOPY_RECEIVE */, receive, &len),
                ENOPROTOOPT);
    CHECK_ERRNO(getsockopt(fd, SOL_SOCKET, 26 /* SO_GET_FILTER */, receive, &len), ENOPROTOOPT);
    CHECK_ERRNO(setsockopt(fd, IPPROTO_IP, 64 /* IPT_SO_SET_REPLACE */, receive, len), ENOPROTOOPT);
    CHECK_ERRNO(getsockopt(fd, 284 /* SOL_MPTCP */, 4, receive, &len), ENOPROTOOPT);
    CHECK_ERRNO(getsockopt(99, IPPROTO_TCP, 35, receive, &len), EBADF);
    len = sizeof size;
    CHECK(getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &len) == 0 && size > 0);
    CHECK(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)) == 0);
    close(fd);
}

static sigjmp_buf back;
static volatile sig_atomic_t faults, sent;

static void on_fault(int sig, siginfo_t *info, void *context)
{
    (void)sig, (void)context;
    if (info->si_code > 0) {
        faults++;
        siglongjmp(back, 1);
    }
    sent++;
}

/* A fault that is sent must not be taken for one that happened, and real ones go on working. */
static void sent_faults(void)
{
    struct sigaction act = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    volatile char *none = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(sigaction(SIGSEGV, &act, NULL) == 0);
    for (int i = 0; i < 3; i++) {
        siginfo_t info = {.si_signo = SIGSEGV, .si_code = SEGV_MAPERR};

        info.si_addr = (void *)none;
        CHECK(syscall(SYS_rt_tgsigqueueinfo, getpid(), (int)syscall(SYS_gettid), SIGSEGV, &info) ==
              0);
        CHECK(syscall(SYS_rt_sigqueueinfo, getpid(), SIGSEGV, &info) == 0);
        if (!sigsetjmp(back, 1))
            *none = 1;
    }
    CHECK(faults == 3);
    CHECK(sent == 6);
}

/* The host's memory is not filled with the arguments of a program. */
static void long_arguments(void)
{
    enum { WORDS = 4096, LENGTH = 100000 };
    char *text = malloc(LENGTH + 1), **argv = calloc(WORDS + 1, sizeof *argv);

    memset(text, 'x', LENGTH);
    text[LENGTH] = 0;
    for (int i = 0; i < WORDS; i++)
        argv[i] = text;
    CHECK_ERRNO(execve("/bin/true", argv, NULL), E2BIG);
}

int main(void)
{
    process_memory();
    socket_options();
    sent_faults();
    long_arguments();
    return CHECK_DONE();
}
