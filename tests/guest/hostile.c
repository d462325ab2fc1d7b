/* Calls with arguments that no program would pass: whatever the answer is, nobody may crash. The
 * sequence is fixed by the seed. Calls that would end or stop the program, change the machine or
 * fill the disk are left out. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>
#include "check.h"

#define CALLS   8000
#define LAST_NR 441

static const uint16_t left_out[] = {
    SYS_exit,
    SYS_fork,
    SYS_execve,
    SYS_mount,
    SYS_pause,
    SYS_acct,
    SYS_umount2,
    SYS_setpgid,
    SYS_chroot,
    SYS_setsid,
    SYS_kill,
    SYS_brk,
    SYS_sync,
    SYS_reboot,
    SYS_munmap,
    SYS_setpriority,
    SYS_setitimer,
    SYS_vhangup,
    SYS_wait4,
    SYS_clone,
    SYS_setdomainname,
    SYS_sethostname,
    SYS_setrlimit,
    SYS_mprotect,
    SYS_personality,
    SYS_sched_setparam,
    SYS_sched_setscheduler,
    SYS_mremap,
    SYS_prctl,
    SYS_rt_sigreturn,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigtimedwait,
    SYS_rt_sigqueueinfo,
    SYS_rt_sigsuspend,
    SYS_sendfile,
    SYS_vfork,
    SYS_madvise,
    SYS_tkill,
    SYS_sched_setaffinity,
    SYS_exit_group,
    SYS_set_tid_address,
    SYS_clock_settime,
    SYS_tgkill,
    SYS_waitid,
    SYS_ioprio_set,
    SYS_unshare,
    SYS_set_robust_list,
    SYS_fallocate,
    SYS_rt_tgsigqueueinfo,
    SYS_prlimit64,
    SYS_syncfs,
    SYS_execveat,
    SYS_copy_file_range,
    SYS_pidfd_send_signal,
    SYS_clone3,
#ifndef __LP64__
    SYS_nice,
    SYS_sigaction,
    SYS_sigsuspend,
    SYS_sigreturn,
    SYS_sigprocmask,
    SYS_mmap2,
    SYS_sendfile64,
    SYS_clock_settime64,
    SYS_rt_sigtimedwait_time64,
#endif
#ifndef __arm__
    SYS_arch_prctl,
    SYS_alarm,
    SYS_mmap,
    SYS_modify_ldt,
#endif
#ifdef __i386__
    SYS_waitpid,
    SYS_signal,
    SYS_ssetmask,
    SYS_set_thread_area,
    SYS_umount,
#endif
};

static uint32_t seed = 1;

static uint32_t next(void)
{
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

static int is_left_out(unsigned nr)
{
    for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++)
        if (left_out[i] == nr)
            return 1;
    return 0;
}

static void on_alarm(int sig)
{
    (void)sig;
}

static unsigned long argument(uint8_t *memory)
{
    static const unsigned long odd[] = {0, 1, -1ul, 0x7fffffff, 0x80000000, -4096ul, 16, -65536ul};
    static const char *const names[] = {"a", "b", "c", "/proc/self/maps", "/proc/cpuinfo", ""};
    switch (next() % 8) {
    case 0: return odd[next() % 8];
    case 1: return next() % 12;
    case 2: return (unsigned long)names[next() % 6];
    case 3: return (unsigned long)memory + 65536 - next() % 64; /* before a hole */
    case 4: return next() << 8 ^ next();
    case 5: return 1ul << next() % (8 * sizeof(long));
    case 6: return next() % 70000;
    default: return (unsigned long)memory + next() % 65536;
    }
}

int main(int argc, char **argv)
{
    char dir[] = "/tmp/narwhal-hostile-XXXXXX";
    struct sigaction act = {.sa_handler = on_alarm};
    struct itimerval it = {{0, 3000}, {0, 3000}};
    long failed = 0;
    if (argc > 1)
        seed = (uint32_t)atoi(argv[1]);
    uint8_t *memory =
        mmap(NULL, 2 * 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED && munmap(memory + 65536, 65536) == 0);
    CHECK(mkdtemp(dir) != NULL && chdir(dir) == 0);
    int out = fcntl(1, F_DUPFD, 500), null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(null, 1);
    dup2(null, 2);
    for (int sig = 1; sig < 32; sig++)
        if (sig != SIGSEGV && sig != SIGBUS && sig != SIGILL && sig != SIGFPE)
            sigaction(sig, &act, NULL);
    setitimer(ITIMER_REAL, &it, NULL);
    for (int i = 0; i < CALLS; i++) {
        unsigned nr = next() % LAST_NR;
        unsigned long a[6];
        for (int k = 0; k < 6; k++)
            a[k] = argument(memory);
        if (!is_left_out(nr))
            failed += syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]) == -1;
        if (i % 64 == 0)
            for (int k = 0; k < 65536; k += 16)
                *(unsigned long *)(memory + k) = next() % 3 ? 0 : argument(memory);
    }
    it = (struct itimerval){0};
    setitimer(ITIMER_REAL, &it, NULL);
    CHECK(failed > CALLS / 4);
    if (dup2(out, 1) == 1)
        printf("hostile.c: %s\n", check_failed ? "failed" : "ok");
    return check_failed != 0;
}
