/* Sockets: families, names, messages with control data, options, and their errors. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

static void pairs(void)
{
    int sv[2], n = 0;
    char buf[16] = "";
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == 0);
    CHECK(fcntl(sv[0], F_GETFD) == FD_CLOEXEC);
    CHECK(send(sv[0], "hello", 5, MSG_NOSIGNAL) == 5);
    CHECK(ioctl(sv[1], FIONREAD, &n) == 0 && n == 5);
    CHECK(recv(sv[1], buf, 2, MSG_PEEK) == 2 && recv(sv[1], buf, 16, 0) == 5);
    CHECK(!memcmp(buf, "hello", 5));
    CHECK_ERRNO(recv(sv[1], buf, 1, MSG_DONTWAIT), EAGAIN);
    CHECK_ERRNO(send(sv[0], BAD_ADDR, 5, 0), EFAULT);
    CHECK_ERRNO(sendmsg(sv[0], BAD_ADDR, 0), EFAULT);
    CHECK_ERRNO(socketpair(AF_UNIX, SOCK_STREAM, 0, BAD_ADDR), EFAULT);
    CHECK_ERRNO(socket(AF_UNIX, 77, 0), EINVAL);
    CHECK(shutdown(sv[0], SHUT_WR) == 0 && recv(sv[1], buf, 1, 0) == 0);
    CHECK_ERRNO(send(sv[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    close(sv[0]);
    close(sv[1]);
}

/* Hands a descriptor and credentials through a socket. */
static void control_messages(void)
{
    int sv[2], pipefd[2], on = 1;
    char data[8] = "", control[128] __attribute__((aligned(8)));
    struct iovec iov = {"data", 4};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, sv) == 0 && pipe(pipefd) == 0);
    CHECK(setsockopt(sv[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0);
    memset(control, 0, sizeof control);
    msg.msg_control = control;
    msg.msg_controllen = CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct ucred));
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    *c = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(c), &pipefd[1], sizeof(int));
    c = CMSG_NXTHDR(&msg, c);
    *c = (struct cmsghdr){CMSG_LEN(sizeof(struct ucred)), SOL_SOCKET, SCM_CREDENTIALS};
    struct ucred cred = {getpid(), getuid(), getgid()};
    memcpy(CMSG_DATA(c), &cred, sizeof cred);
    CHECK(sendmsg(sv[0], &msg, 0) == 4);

    iov = (struct iovec){data, sizeof data};
    memset(control, 0, sizeof control);
    msg.msg_controllen = sizeof control;
    CHECK(recvmsg(sv[1], &msg, 0) == 4 && !memcmp(data, "data", 4) && !msg.msg_flags);
    int fd = -1, creds = 0;
    for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
        if (c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
            memcpy(&fd, CMSG_DATA(c), sizeof fd);
        if (c->cmsg_type == SCM_CREDENTIALS) {
            memcpy(&cred, CMSG_DATA(c), sizeof cred);
            creds = cred.pid == getpid() && cred.uid == getuid();
        }
    }
    CHECK(creds && fd > 2);
    CHECK(write(fd, "!", 1) == 1 && read(pipefd[0], data, 1) == 1 && data[0] == '!');
    /* A control buffer too small for the message is cut and says so. */
    memset(control, 0, sizeof control);
    msg.msg_controllen = CMSG_SPACE(sizeof(int));
    c = CMSG_FIRSTHDR(&msg);
    *c = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(c), &pipefd[1], sizeof(int));
    CHECK(sendmsg(sv[0], &msg, 0) == 8);
    msg.msg_controllen = 4;
    CHECK(recvmsg(sv[1], &msg, 0) == 8 && msg.msg_flags & MSG_CTRUNC);
    c = CMSG_FIRSTHDR(&msg);
    CHECK(!c);
    msg.msg_controllen = CMSG_SPACE(sizeof(int));
    c = (struct cmsghdr *)control;
    c->cmsg_len = 1000;
    CHECK_ERRNO(sendmsg(sv[0], &msg, 0), EINVAL);
    close(fd);
    close(sv[0]);
    close(sv[1]);
}

static void streams(void)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in peer = {0};
    socklen_t len = sizeof addr;
    int server = socket(AF_INET, SOCK_STREAM, 0), on = 1, status;
    char buf[16];
    CHECK(setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
    CHECK(bind(server, (struct sockaddr *)&addr, sizeof addr) == 0 && listen(server, 4) == 0);
    CHECK(getsockname(server, (struct sockaddr *)&addr, &len) == 0 && len == sizeof addr);
    CHECK(addr.sin_port != 0);
    pid_t child = fork();
    if (!child) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        CHECK(connect(fd, (struct sockaddr *)&addr, sizeof addr) == 0);
        CHECK(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
        CHECK(write(fd, "question", 8) == 8);
        CHECK(read(fd, buf, sizeof buf) == 6 && !memcmp(buf, "answer", 6));
        fflush(stdout);
        _exit(check_failed);
    }
    len = sizeof peer;
    int fd = accept4(server, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC);
    CHECK(fd >= 0 && peer.sin_family == AF_INET && peer.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
    CHECK(read(fd, buf, sizeof buf) == 8 && !memcmp(buf, "question", 8));
    CHECK(write(fd, "answer", 6) == 6);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    len = 2;
    CHECK(getpeername(fd, (struct sockaddr *)&peer, &len) == 0 && len == sizeof peer);
    struct timeval tv = {0, 20000}, got = {0};
    len = sizeof got;
    CHECK(setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv) == 0);
    CHECK(getsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &got, &len) == 0 && len == sizeof got);
    CHECK(got.tv_sec == 0 && got.tv_usec >= 20000);
    CHECK_ERRNO(accept(server, NULL, NULL), EAGAIN);
    len = sizeof on;
    CHECK(getsockopt(server, SOL_SOCKET, SO_TYPE, &on, &len) == 0 && on == SOCK_STREAM && len == 4);
    CHECK_ERRNO(getsockopt(server, SOL_SOCKET, SO_TYPE, BAD_ADDR, &len), EFAULT);
    CHECK_ERRNO(bind(server, (struct sockaddr *)&addr, 1000), EINVAL);
    close(fd);
    close(server);
}

static void datagrams(void)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in from;
    socklen_t len = sizeof addr;
    char a[16] = "", b[16] = "", control[64] __attribute__((aligned(8)));
    int one = socket(AF_INET, SOCK_DGRAM, 0), two = socket(AF_INET, SOCK_DGRAM, 0), on = 1;
    CHECK(bind(one, (struct sockaddr *)&addr, sizeof addr) == 0);
    CHECK(getsockname(one, (struct sockaddr *)&addr, &len) == 0);
    CHECK(setsockopt(one, SOL_SOCKET, SO_TIMESTAMP, &on, sizeof on) == 0);
    CHECK(sendto(two, "ping", 4, 0, (struct sockaddr *)&addr, sizeof addr) == 4);
    struct iovec iov = {a, sizeof a};
    struct msghdr msg = {.msg_name = &from,
                         .msg_namelen = sizeof from,
                         .msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control,
                         .msg_controllen = sizeof control};
    CHECK(recvmsg(one, &msg, 0) == 4 && !memcmp(a, "ping", 4));
    CHECK(msg.msg_namelen == sizeof from && from.sin_family == AF_INET);
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    struct timeval stamp = {0}, now;
    gettimeofday(&now, NULL);
    CHECK(c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMP);
    if (c)
        memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
    CHECK(now.tv_sec - stamp.tv_sec >= 0 && now.tv_sec - stamp.tv_sec < 100);

    CHECK(connect(two, (struct sockaddr *)&addr, sizeof addr) == 0);
    struct iovec iovs[2] = {{"first", 5}, {"second", 6}};
    struct mmsghdr many[2] = {{.msg_hdr = {.msg_iov = &iovs[0], .msg_iovlen = 1}},
                              {.msg_hdr = {.msg_iov = &iovs[1], .msg_iovlen = 1}}};
    CHECK(sendmmsg(two, many, 2, 0) == 2 && many[0].msg_len == 5 && many[1].msg_len == 6);
    iovs[0] = (struct iovec){a, sizeof a};
    iovs[1] = (struct iovec){b, sizeof b};
    struct timespec timeout = {1, 0};
    CHECK(recvmmsg(one, many, 2, MSG_WAITFORONE, &timeout) == 2);
    CHECK(many[0].msg_len == 5 && many[1].msg_len == 6 && !memcmp(b, "second", 6));
    len = sizeof from;
    CHECK(send(two, "x", 1, 0) == 1);
    CHECK(recvfrom(one, a, sizeof a, 0, (struct sockaddr *)&from, &len) == 1 && len == sizeof from);
    CHECK_ERRNO(recvfrom(one, BAD_ADDR, 4, MSG_DONTWAIT, NULL, NULL), EFAULT);
    close(one);
    close(two);
}

static void unix_names(void)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX}, got;
    socklen_t len = sizeof got;
    snprintf(un.sun_path, sizeof un.sun_path, "/tmp/narwhal-sock-%d", getpid());
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(bind(server, (struct sockaddr *)&un, sizeof un) == 0 && listen(server, 1) == 0);
    CHECK_ERRNO(accept(server, NULL, NULL), EAGAIN);
    CHECK(connect(client, (struct sockaddr *)&un, sizeof un) == 0);
    int fd = accept(server, (struct sockaddr *)&got, &len);
    CHECK(fd >= 0 && len == 2 && got.sun_family == AF_UNIX);
    struct ucred cred;
    len = sizeof cred;
    CHECK(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 && cred.pid == getpid());
    CHECK(unlink(un.sun_path) == 0);
    close(fd);
    close(client);
    close(server);
}

int main(void)
{
    alarm(20);
    pairs();
    control_messages();
    streams();
    datagrams();
    unix_names();
    return CHECK_DONE();
}
