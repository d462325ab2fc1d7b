/* poll, select, epoll, and the descriptors made for them; temporary signal masks. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include "check.h"

#ifdef __LP64__
#define SYS_SELECT SYS_select
#else
#define SYS_SELECT SYS__newselect
#endif

static volatile sig_atomic_t caught;

static void on_signal(int sig)
{
    caught = sig;
}

static void polls(int in, int out)
{
    struct pollfd fds[2] = {{.fd = in, .events = POLLIN}, {.fd = out, .events = POLLOUT}};
    struct timespec ts = {0, 1000000};
    char c;
    CHECK(poll(fds, 2, 0) == 1 && !fds[0].revents && fds[1].revents == POLLOUT);
    CHECK(poll(fds, 1, 5) == 0);
    CHECK(ppoll(fds, 1, &ts, NULL) == 0);
    CHECK(write(out, "x", 1) == 1);
    CHECK(poll(fds, 2, -1) == 2 && fds[0].revents == POLLIN);
    fds[1].fd = 999;
    CHECK(poll(fds, 2, -1) == 2 && fds[1].revents == POLLNVAL);
    CHECK_ERRNO(poll(BAD_ADDR, 1, 0), EFAULT);
    fd_set set;
    struct timeval tv = {0, 1000};
    FD_ZERO(&set);
    FD_SET(in, &set);
    CHECK(select(in + 1, &set, NULL, NULL, &tv) == 1 && FD_ISSET(in, &set));
    CHECK(read(in, &c, 1) == 1 && c == 'x');
    CHECK(select(in + 1, &set, NULL, NULL, &tv) == 0 && !FD_ISSET(in, &set));
    CHECK(tv.tv_sec == 0 && tv.tv_usec == 0);
    FD_SET(in, &set);
    CHECK(pselect(in + 1, &set, NULL, NULL, &ts, NULL) == 0);
    CHECK_ERRNO(syscall(SYS_SELECT, -1, NULL, NULL, NULL, NULL), EINVAL);
    CHECK_ERRNO(syscall(SYS_SELECT, 8, BAD_ADDR, NULL, NULL, NULL), EFAULT);
}

static void epolls(int in, int out)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.u64 = 0x123456789abcdef0ull}, got[4];
    sigset_t none;
    int ep = epoll_create1(EPOLL_CLOEXEC);
    char c;
    sigemptyset(&none);
    CHECK(ep >= 0 && epoll_ctl(ep, EPOLL_CTL_ADD, in, &ev) == 0);
    CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, in, &ev), EEXIST);
    CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, in, BAD_ADDR), EFAULT);
    CHECK(epoll_wait(ep, got, 4, 0) == 0);
    CHECK(write(out, "y", 1) == 1);
    CHECK(epoll_wait(ep, got, 4, -1) == 1 && got[0].events == EPOLLIN);
    CHECK(got[0].data.u64 == 0x123456789abcdef0ull);
    ev.events = EPOLLIN | EPOLLOUT;
    ev.data.u32 = 7;
    CHECK(epoll_ctl(ep, EPOLL_CTL_MOD, in, &ev) == 0);
    CHECK(epoll_pwait(ep, got, 4, 0, &none) == 1 && got[0].data.u32 == 7);
    CHECK_ERRNO(epoll_wait(ep, got, 0, 0), EINVAL);
    CHECK(epoll_ctl(ep, EPOLL_CTL_DEL, in, NULL) == 0 && epoll_wait(ep, got, 4, 0) == 0);
    CHECK(read(in, &c, 1) == 1);
    close(ep);
}

static void made_descriptors(void)
{
    uint64_t value = 5;
    int fd = eventfd(3, EFD_NONBLOCK);
    CHECK(write(fd, &value, 8) == 8 && read(fd, &value, 8) == 8 && value == 8);
    CHECK_ERRNO(read(fd, &value, 8), EAGAIN);
    close(fd);

    struct itimerspec its = {{0, 0}, {0, 2000000}}, left;
    fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    CHECK(fd >= 0 && timerfd_settime(fd, 0, &its, NULL) == 0);
    CHECK(read(fd, &value, 8) == 8 && value == 1);
    CHECK(timerfd_gettime(fd, &left) == 0 && !left.it_value.tv_sec && !left.it_value.tv_nsec);
    its.it_value.tv_nsec = 2000000000;
    CHECK_ERRNO(timerfd_settime(fd, 0, &its, NULL), EINVAL);
    close(fd);

    sigset_t usr;
    struct signalfd_siginfo info;
    sigemptyset(&usr);
    sigaddset(&usr, SIGUSR2);
    CHECK(sigprocmask(SIG_BLOCK, &usr, NULL) == 0);
    fd = signalfd(-1, &usr, SFD_NONBLOCK | SFD_CLOEXEC);
    CHECK(fd >= 0);
    CHECK_ERRNO(read(fd, &info, sizeof info), EAGAIN);
    CHECK(kill(getpid(), SIGUSR2) == 0);
    CHECK(read(fd, &info, sizeof info) == sizeof info && info.ssi_signo == SIGUSR2);
    CHECK(info.ssi_pid == (uint32_t)getpid());
    CHECK(sigprocmask(SIG_UNBLOCK, &usr, NULL) == 0);
    close(fd);

    char buf[512];
    fd = inotify_init1(IN_NONBLOCK);
    int wd = inotify_add_watch(fd, "/tmp", IN_CREATE);
    CHECK(fd >= 0 && wd >= 0);
    char name[] = "/tmp/narwhal-waiting-XXXXXX";
    int file = mkstemp(name);
    CHECK(read(fd, buf, sizeof buf) >= (long)sizeof(struct inotify_event));
    CHECK(inotify_rm_watch(fd, wd) == 0);
    close(file);
    unlink(name);
    close(fd);
}

/* A signal that waits blocked is taken by ppoll's mask, never lost and never early. */
static void masks(int in)
{
    struct pollfd fd = {.fd = in, .events = POLLIN};
    struct sigaction act = {.sa_handler = on_signal};
    sigset_t usr, old, now;
    sigemptyset(&usr);
    sigaddset(&usr, SIGUSR1);
    CHECK(sigaction(SIGUSR1, &act, NULL) == 0);
    CHECK(sigprocmask(SIG_BLOCK, &usr, &old) == 0);
    CHECK(kill(getpid(), SIGUSR1) == 0 && !caught);
    CHECK_ERRNO(ppoll(&fd, 1, NULL, &old), EINTR);
    CHECK(caught == SIGUSR1);
    CHECK(sigprocmask(SIG_SETMASK, NULL, &now) == 0 && sigismember(&now, SIGUSR1));
    caught = 0;
    CHECK(kill(getpid(), SIGUSR1) == 0 && !caught);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(in, &set);
    CHECK_ERRNO(pselect(in + 1, &set, NULL, NULL, NULL, &old), EINTR);
    CHECK(caught == SIGUSR1);
    CHECK(sigprocmask(SIG_SETMASK, &old, NULL) == 0);
    /* An alarm interrupts what would wait for ever. */
    struct itimerval it = {{0, 0}, {0, 10000}};
    CHECK(sigaction(SIGALRM, &act, NULL) == 0);
    CHECK(setitimer(ITIMER_REAL, &it, NULL) == 0);
    CHECK_ERRNO(poll(&fd, 1, -1), EINTR);
    CHECK(caught == SIGALRM);
    /* With SA_RESTART a read goes on, poll does not. */
    act.sa_flags = SA_RESTART;
    CHECK(sigaction(SIGALRM, &act, NULL) == 0);
    caught = 0;
    CHECK(setitimer(ITIMER_REAL, &it, NULL) == 0);
    CHECK_ERRNO(poll(&fd, 1, -1), EINTR);
}

int main(void)
{
    int pipefd[2];
    alarm(20);
    CHECK(pipe(pipefd) == 0);
    polls(pipefd[0], pipefd[1]);
    epolls(pipefd[0], pipefd[1]);
    made_descriptors();
    masks(pipefd[0]);
    return CHECK_DONE();
}
