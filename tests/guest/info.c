/* Identity, limits, scheduling, prctl, random numbers, terminals' ioctls. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <termios.h>
#include <unistd.h>
#include "check.h"

#ifdef __arm__
#define MACHINE "arm"
#elif defined __x86_64__
#define MACHINE "x86_64"
#else
#define MACHINE "i686"
#endif

static void identity(void)
{
    uid_t r, e, s;
    gid_t groups[64];
    struct utsname uts;
    CHECK(getresuid(&r, &e, &s) == 0 && r == getuid() && e == geteuid());
    CHECK(setresuid((uid_t)-1, (uid_t)-1, (uid_t)-1) == 0);
    CHECK(setreuid((uid_t)-1, e) == 0 && setgid(getgid()) == 0);
    CHECK(getgroups(64, groups) >= 0 && getgroups(0, NULL) >= 0);
    CHECK_ERRNO(getgroups(-1, groups), EINVAL);
    CHECK(getpgid(0) == getpgrp() && getsid(0) > 0 && getppid() >= 0);
    CHECK(syscall(SYS_gettid) == getpid());
    CHECK(uname(&uts) == 0 && !strcmp(uts.sysname, "Linux") &&
          !strncmp(uts.machine, MACHINE, sizeof MACHINE - 1));
    CHECK_ERRNO(uname(BAD_ADDR), EFAULT);
}

static void limits(void)
{
    struct rlimit rl, other;
    struct rusage ru;
    struct sysinfo si;
    CHECK(getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur >= 8);
    other = rl;
    other.rlim_cur = 64;
    CHECK(setrlimit(RLIMIT_NOFILE, &other) == 0 && getrlimit(RLIMIT_NOFILE, &other) == 0);
    CHECK(other.rlim_cur == 64 && other.rlim_max == rl.rlim_max);
    CHECK(prlimit(0, RLIMIT_NOFILE, &rl, &other) == 0 && other.rlim_cur == 64);
    CHECK_ERRNO(getrlimit(99, &rl), EINVAL);
    CHECK(getrusage(RUSAGE_SELF, &ru) == 0 && ru.ru_maxrss > 0);
    CHECK_ERRNO(getrusage(77, &ru), EINVAL);
    CHECK(sysinfo(&si) == 0 && si.totalram > 0 && si.procs > 0 && si.mem_unit > 0);
    CHECK(getpriority(PRIO_PROCESS, 0) >= -20);
    CHECK(setpriority(PRIO_PROCESS, 0, 5) == 0 && getpriority(PRIO_PROCESS, 0) == 5);
    CHECK(nice(1) == 6);
}

static void scheduling(void)
{
    cpu_set_t set;
    struct sched_param param = {.sched_priority = 7};
    unsigned cpu = 999, node;
    CHECK(sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0);
    CHECK(sched_setaffinity(0, sizeof set, &set) == 0);
    CHECK_ERRNO(sched_getaffinity(0, 1, &set), EINVAL);
    CHECK(sched_getscheduler(0) == SCHED_OTHER && sched_getparam(0, &param) == 0);
    CHECK(param.sched_priority == 0 && sched_yield() == 0);
    CHECK(sched_get_priority_max(SCHED_FIFO) == 99);
    CHECK(syscall(SYS_getcpu, &cpu, &node, NULL) == 0 && cpu < 999);
}

static void process_settings(void)
{
    char name[17] = "";
    int sig = 5;
    unsigned char random[64] = {0};
    CHECK(prctl(PR_SET_NAME, "a name longer than that", 0, 0, 0) == 0);
    CHECK(prctl(PR_GET_NAME, name, 0, 0, 0) == 0 && !strcmp(name, "a name longer t"));
    CHECK(prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) == 0 && prctl(PR_GET_PDEATHSIG, &sig, 0, 0, 0) == 0);
    CHECK(sig == 0 && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) >= 0);
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
          prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    CHECK_ERRNO(prctl(9999, 0, 0, 0, 0), EINVAL);
    CHECK_ERRNO(prctl(PR_SET_NAME, BAD_ADDR, 0, 0, 0), EFAULT);
    CHECK(getrandom(random, sizeof random, 0) == sizeof random);
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof random; i++)
        sum += random[i];
    CHECK(sum != 0);
    CHECK_ERRNO(syscall(9999), ENOSYS);
}

static void terminals(void)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY), on = 1;
    struct winsize ws = {24, 80, 0, 0}, got;
    struct termios tio;
    CHECK(master >= 0);
    if (master < 0)
        return;
    CHECK(grantpt(master) == 0 && unlockpt(master) == 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    CHECK(slave >= 0 && isatty(slave));
    CHECK(ioctl(master, TIOCSWINSZ, &ws) == 0 && ioctl(slave, TIOCGWINSZ, &got) == 0);
    CHECK(got.ws_row == 24 && got.ws_col == 80);
    CHECK(tcgetattr(slave, &tio) == 0 && tio.c_lflag & ICANON);
    tio.c_lflag &= ~(ICANON | ECHO);
    tio.c_cc[VMIN] = 1;
    CHECK(tcsetattr(slave, TCSAFLUSH, &tio) == 0 && tcgetattr(slave, &tio) == 0);
    CHECK(!(tio.c_lflag & (ICANON | ECHO)) && tio.c_cc[VMIN] == 1);
    struct pollfd fd = {.fd = slave, .events = POLLIN};
    CHECK(write(master, "k", 1) == 1 && poll(&fd, 1, 5000) == 1);
    CHECK(ioctl(slave, FIONREAD, &on) == 0 && on == 1);
    CHECK(ioctl(slave, FIONBIO, &on) == 0 && fcntl(slave, F_GETFL) & O_NONBLOCK);
    CHECK(ioctl(slave, FIOCLEX) == 0 && fcntl(slave, F_GETFD) == FD_CLOEXEC);
    CHECK_ERRNO(ioctl(slave, TIOCGWINSZ, BAD_ADDR), EFAULT);
    CHECK_ERRNO(ioctl(999, TIOCGWINSZ, &ws), EBADF);
    CHECK_ERRNO(ioctl(slave, 0x12345678, &ws), ENOTTY);
    close(slave);
    close(master);
    int null = open("/dev/null", O_RDWR);
    CHECK(!isatty(null));
    close(null);
}

int main(void)
{
    identity();
    limits();
    scheduling();
    process_settings();
    terminals();
    return CHECK_DONE();
}
