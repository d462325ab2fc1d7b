/* Descriptors, positions, vectors, locks, and moving bytes between descriptors. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

#ifdef __LP64__
#define SYS_FSTAT    SYS_fstat
#define SYS_SENDFILE SYS_sendfile
#else
#define SYS_FSTAT    SYS_fstat64
#define SYS_SENDFILE SYS_sendfile64
#endif

static char dir[] = "/tmp/narwhal-files-XXXXXX";
static char path[128];

static void positions(void)
{
    char buf[16] = "";
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    struct stat st;
    CHECK(fd >= 0);
    CHECK_ERRNO(open(path, O_RDWR | O_CREAT | O_EXCL, 0640), EEXIST);
    CHECK(write(fd, "hello world", 11) == 11);
    CHECK(lseek(fd, 6, SEEK_SET) == 6);
    CHECK(read(fd, buf, 16) == 5 && !memcmp(buf, "world", 5));
    CHECK(read(fd, buf, 16) == 0);
    CHECK(pread(fd, buf, 5, 0) == 5 && !memcmp(buf, "hello", 5));
    CHECK(pwrite(fd, "far", 3, 0x123456789ll) == 3);
    CHECK(lseek(fd, 0, SEEK_END) == 0x12345678cll);
    CHECK(pread(fd, buf, 3, 0x123456789ll) == 3 && !memcmp(buf, "far", 3));
    CHECK(fstat(fd, &st) == 0 && st.st_size == 0x12345678cll && S_ISREG(st.st_mode));
    CHECK((st.st_mode & 0777) == 0640);
#ifndef __LP64__
    CHECK_ERRNO(syscall(SYS_lseek, fd, 0, SEEK_END), EOVERFLOW);
    CHECK_ERRNO(syscall(SYS_fstat, fd, &st), EOVERFLOW);
#endif
    CHECK(ftruncate(fd, 0x100000004ll) == 0);
    CHECK(fstat(fd, &st) == 0 && st.st_size == 0x100000004ll);
    CHECK(truncate(path, 5) == 0);
    CHECK(fallocate(fd, 0, 0, 8192) == 0);
    CHECK(fstat(fd, &st) == 0 && st.st_size == 8192);
    CHECK(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL) == 0);
    CHECK(fsync(fd) == 0 && fdatasync(fd) == 0);
    CHECK_ERRNO(lseek(fd, -1, SEEK_SET), EINVAL);
    close(fd);
    CHECK_ERRNO(close(fd), EBADF);
}

static void vectors(void)
{
    char a[3], b[8] = "";
    int fd = open(path, O_RDWR | O_TRUNC | O_APPEND);
    struct iovec out[3] = {{"abc", 3}, {NULL, 0}, {"defgh", 5}};
    struct iovec in[2] = {{a, 3}, {b, 8}};
    CHECK(writev(fd, out, 3) == 8);
    CHECK(preadv(fd, in, 2, 0) == 8 && !memcmp(a, "abc", 3) && !memcmp(b, "defgh", 5));
    CHECK(lseek(fd, 1, SEEK_SET) == 1);
    CHECK(readv(fd, in, 2) == 7 && !memcmp(a, "bcd", 3));
    CHECK_ERRNO(writev(fd, out, -1), EINVAL);
    CHECK_ERRNO(writev(fd, BAD_ADDR, 2), EFAULT);
    out[0].iov_base = BAD_ADDR;
    CHECK_ERRNO(writev(fd, out, 1), EFAULT);
    close(fd);
    fd = open(path, O_RDWR);
    out[0].iov_base = "xyz";
    CHECK(pwritev(fd, out, 1, 0x100000000ll) == 3);
    CHECK(pread(fd, a, 3, 0x100000000ll) == 3 && !memcmp(a, "xyz", 3));
    CHECK(ftruncate(fd, 8) == 0);
    close(fd);
}

static void bad_pointers(void)
{
    int fd = open(path, O_RDWR), pipefd[2];
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(munmap(page + 4096, 4096) == 0);
    CHECK_ERRNO(read(fd, BAD_ADDR, 4), EFAULT);
    CHECK_ERRNO(read(fd, NULL_PAGE, 4), EFAULT);
    CHECK_ERRNO(read(-1, NULL_PAGE, 4), EBADF);
    CHECK_ERRNO(write(fd, BAD_ADDR, 4), EFAULT);
    CHECK_ERRNO(open(NULL_PAGE, O_RDONLY), EFAULT);
    CHECK_ERRNO(open(BAD_ADDR, O_RDONLY), EFAULT);
    CHECK_ERRNO(syscall(SYS_pipe2, NULL_PAGE, 0), EFAULT);
    CHECK_ERRNO(syscall(SYS_FSTAT, fd, BAD_ADDR), EFAULT);
#ifndef __LP64__
    CHECK_ERRNO(syscall(SYS__llseek, fd, 0, 0, BAD_ADDR, SEEK_SET), EFAULT);
#endif
    CHECK_ERRNO(fcntl(fd, F_GETLK, NULL_PAGE), EFAULT);
    /* What lies before the hole is transferred. */
    memset(page, 'p', 4096);
    CHECK(write(fd, page + 4090, 100) == 6);
    CHECK(pipe(pipefd) == 0);
    CHECK(write(pipefd[1], page, 4096) == 4096);
    memset(page, 0, 4096);
    CHECK(read(pipefd[0], page + 4000, 96) == 96 && page[4095] == 'p');
    page[4095] = '/';
    CHECK_ERRNO(open(page + 4095, O_RDONLY), EFAULT);
    close(pipefd[0]);
    close(pipefd[1]);
    close(fd);
    munmap(page, 4096);
}

static void duplicates(void)
{
    int pipefd[2], fd;
    CHECK(pipe2(pipefd, O_CLOEXEC | O_NONBLOCK) == 0);
    CHECK(fcntl(pipefd[0], F_GETFD) == FD_CLOEXEC);
    CHECK(fcntl(pipefd[0], F_GETFL) & O_NONBLOCK);
    CHECK_ERRNO(read(pipefd[0], &fd, 4), EAGAIN);
    CHECK(fcntl(pipefd[0], F_SETFL, 0) == 0 && !(fcntl(pipefd[0], F_GETFL) & O_NONBLOCK));
    CHECK(fcntl(pipefd[0], F_SETFD, 0) == 0 && fcntl(pipefd[0], F_GETFD) == 0);
    fd = dup(pipefd[1]);
    CHECK(fd > pipefd[1]);
    CHECK(dup2(fd, 77) == 77 && dup3(fd, 78, O_CLOEXEC) == 78);
    CHECK(fcntl(78, F_GETFD) == FD_CLOEXEC);
    CHECK_ERRNO(dup3(fd, fd, 0), EINVAL);
    CHECK(fcntl(fd, F_DUPFD, 100) >= 100);
    CHECK(write(77, "x", 1) == 1);
    CHECK(fcntl(pipefd[0], F_GETPIPE_SZ) >= 4096);
    CHECK_ERRNO(fcntl(fd, 9999), EINVAL);
    CHECK_ERRNO(fcntl(555, F_GETFD), EBADF);
    CHECK(syscall(SYS_close_range, 77, 200, 0) == 0 || errno == ENOSYS);
    close(fd);
    close(pipefd[0]);
    close(pipefd[1]);
    fd = open("/", O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    CHECK(fd >= 0 && (fcntl(fd, F_GETFL) & O_DIRECTORY));
    CHECK(!(fcntl(fd, F_GETFL) & O_DIRECT));
    close(fd);
    CHECK_ERRNO(open("/proc/self/fd", O_WRONLY), EISDIR);
    CHECK_ERRNO(open(path, O_RDONLY | O_DIRECTORY), ENOTDIR);
}

/* What the plain call takes: on 32-bit ABIs the 16 bytes of programs without large files. */
struct small_flock {
    short type, whence;
    long start, len;
    int pid;
};

static void locks(void)
{
    int fd = open(path, O_RDWR), status;
    struct flock fl = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x100000000ll, .l_len = 10};
    struct small_flock small = {.type = F_WRLCK, .whence = SEEK_SET, .start = 16, .len = 4};
    CHECK(fcntl(fd, F_SETLK, &fl) == 0);
    CHECK(syscall(SYS_fcntl, fd, 6 /* F_SETLK */, &small) == 0);
    CHECK(flock(fd, LOCK_EX | LOCK_NB) == 0);
    pid_t parent = getpid(), child = fork();
    if (!child) {
        int own = open(path, O_RDWR);
        CHECK_ERRNO(fcntl(own, F_SETLK, &fl), EAGAIN);
        CHECK(fcntl(own, F_GETLK, &fl) == 0);
        CHECK(fl.l_type == F_WRLCK && fl.l_pid == parent && fl.l_start == 0x100000000ll);
        CHECK(syscall(SYS_fcntl, own, 5 /* F_GETLK */, &small) == 0);
        CHECK(small.type == F_WRLCK && small.pid == parent && small.start == 16 && small.len == 4);
        CHECK_ERRNO(flock(own, LOCK_SH | LOCK_NB), EWOULDBLOCK);
        fflush(stdout);
        _exit(check_failed);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && !WEXITSTATUS(status));
    fl = (struct flock){.l_type = F_UNLCK, .l_whence = SEEK_SET};
    CHECK(fcntl(fd, F_OFD_SETLK, &fl) == 0);
    CHECK(fcntl(fd, F_GETOWN) == 0 && fcntl(fd, F_SETOWN, getpid()) == 0);
    CHECK(fcntl(fd, F_GETOWN) == getpid());
    struct f_owner_ex owner = {0};
    CHECK(fcntl(fd, F_GETOWN_EX, &owner) == 0 && owner.type == F_OWNER_PID && owner.pid == parent);
    close(fd);
}

static void transfers(void)
{
    char buf[32] = "";
    int in = open(path, O_RDWR | O_TRUNC), out = memfd_create("out", MFD_CLOEXEC), pipefd[2];
    off_t at = 2;
    loff_t from = 0, to = 10;
    CHECK(in >= 0 && out >= 0 && pipe(pipefd) == 0);
    CHECK(write(in, "0123456789", 10) == 10);
    CHECK(sendfile(out, in, &at, 5) == 5 && at == 7);
    CHECK(pread(out, buf, 32, 0) == 5 && !memcmp(buf, "23456", 5));
    CHECK(splice(in, &from, pipefd[1], NULL, 4, 0) == 4 && from == 4);
    CHECK(tee(pipefd[0], pipefd[1], 4, SPLICE_F_NONBLOCK) == -1);
    CHECK(read(pipefd[0], buf, 32) == 4 && !memcmp(buf, "0123", 4));
    from = 1;
    long copied = copy_file_range(in, &from, in, &to, 3, 0);
    CHECK((copied == 3 && from == 4 && to == 13) || errno == EINVAL || errno == EXDEV);
    CHECK_ERRNO(syscall(SYS_SENDFILE, out, in, BAD_ADDR, 1), EFAULT);
    close(in);
    close(out);
}

int main(void)
{
    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/file", dir);
    positions();
    vectors();
    bad_pointers();
    duplicates();
    locks();
    transfers();
    CHECK(unlink(path) == 0 && rmdir(dir) == 0);
    return CHECK_DONE();
}
