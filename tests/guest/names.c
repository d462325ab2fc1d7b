/* Directories, links, modes and times, what stat and its family say, and /proc/self. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>
#include "check.h"

static char dir[] = "/tmp/narwhal-names-XXXXXX";

static void links(void)
{
    char buf[64];
    struct stat st, other;
    int fd = open("one", O_WRONLY | O_CREAT, 0600);
    CHECK(write(fd, "12345", 5) == 5);
    close(fd);
    CHECK(link("one", "two") == 0 && stat("two", &st) == 0 && st.st_nlink == 2);
    CHECK(stat("one", &other) == 0 && st.st_ino == other.st_ino && st.st_dev == other.st_dev);
    CHECK(symlink("one", "soft") == 0);
    CHECK(readlink("soft", buf, sizeof buf) == 3 && !memcmp(buf, "one", 3));
    CHECK(readlink("soft", buf, 2) == 2);
    CHECK_ERRNO(readlink("one", buf, sizeof buf), EINVAL);
    CHECK(lstat("soft", &st) == 0 && S_ISLNK(st.st_mode) && st.st_size == 3);
    CHECK(stat("soft", &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 5);
    CHECK_ERRNO(open("soft", O_RDONLY | O_NOFOLLOW), ELOOP);
    CHECK(rename("two", "three") == 0 && access("two", F_OK) == -1 && errno == ENOENT);
    CHECK_ERRNO(syscall(SYS_renameat2, AT_FDCWD, "one", AT_FDCWD, "three", 1), EEXIST);
    CHECK(unlink("three") == 0 && unlink("soft") == 0);
    CHECK_ERRNO(unlink("three"), ENOENT);
    CHECK_ERRNO(rename(NULL, "x"), EFAULT);
    CHECK(mkfifo("fifo", 0600) == 0 && stat("fifo", &st) == 0 && S_ISFIFO(st.st_mode));
    CHECK(unlink("fifo") == 0);
}

static void modes_and_times(void)
{
    struct stat st;
    struct timespec times[2] = {{1000000000, 5}, {1100000000, 123456789}};
    struct timeval tv[2] = {{900000000, 1}, {900000001, 2}};
    CHECK(chmod("one", 0751) == 0 && stat("one", &st) == 0 && (st.st_mode & 07777) == 0751);
    CHECK(umask(027) < 01000 && umask(022) == 027);
    CHECK(utimensat(AT_FDCWD, "one", times, 0) == 0 && stat("one", &st) == 0);
    CHECK(st.st_atim.tv_sec == 1000000000 && st.st_mtim.tv_nsec == 123456789);
    CHECK(utimes("one", tv) == 0 && stat("one", &st) == 0);
    CHECK(st.st_mtim.tv_sec == 900000001 && st.st_mtim.tv_nsec == 2000);
    CHECK(chown("one", (uid_t)-1, (gid_t)-1) == 0);
    CHECK(access("one", R_OK | W_OK) == 0 && faccessat(AT_FDCWD, "one", R_OK, AT_EACCESS) == 0);
    CHECK(stat("/dev/null", &st) == 0 && S_ISCHR(st.st_mode));
    CHECK(major(st.st_rdev) == 1 && minor(st.st_rdev) == 3);
    struct statx stx;
    CHECK(statx(AT_FDCWD, "one", 0, STATX_BASIC_STATS, &stx) == 0 && stx.stx_size == 5);
    CHECK_ERRNO(statx(AT_FDCWD, "one", 0, STATX_BASIC_STATS, BAD_ADDR), EFAULT);
    struct statfs fs;
    CHECK(statfs(".", &fs) == 0 && fs.f_bsize > 0 && fs.f_namelen >= 255);
    if (setxattr("one", "user.narwhal", "value", 5, 0) == 0) {
        char value[16];
        CHECK(getxattr("one", "user.narwhal", value, sizeof value) == 5);
        CHECK(!memcmp(value, "value", 5));
        CHECK(getxattr("one", "user.narwhal", NULL, 0) == 5);
        CHECK(listxattr("one", value, 0) >= 13);
        CHECK(removexattr("one", "user.narwhal") == 0);
        CHECK_ERRNO(getxattr("one", "user.narwhal", value, sizeof value), ENODATA);
    }
    CHECK_ERRNO(setxattr("one", BAD_ADDR, "v", 1, 0), EFAULT);
}

static void directories(void)
{
    char cwd[256], name[32], buf[1024];
    unsigned seen = 0;
    CHECK(mkdir("sub", 0755) == 0);
    CHECK_ERRNO(mkdir("sub", 0755), EEXIST);
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "sub/entry%d", i);
        close(open(name, O_CREAT | O_WRONLY, 0600));
    }
    DIR *d = opendir("sub");
    CHECK(d != NULL);
    for (struct dirent *e; d && (e = readdir(d));)
        if (!strncmp(e->d_name, "entry", 5)) {
            CHECK(e->d_type == DT_REG || e->d_type == DT_UNKNOWN);
            seen++;
        }
    closedir(d);
    CHECK(seen == 100);
    int fd = open("sub", O_RDONLY | O_DIRECTORY);
    long got = syscall(SYS_getdents, fd, buf, sizeof buf);
    CHECK(got > 0 && got <= (long)sizeof buf);
    CHECK_ERRNO(syscall(SYS_getdents64, fd, BAD_ADDR, 1000), EFAULT);
    CHECK_ERRNO(rmdir("sub"), ENOTEMPTY);
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "entry%d", i);
        CHECK(unlinkat(fd, name, 0) == 0);
    }
    CHECK(fchdir(fd) == 0 && getcwd(cwd, sizeof cwd) != NULL);
    CHECK(strlen(cwd) > 4 && !strcmp(cwd + strlen(cwd) - 4, "/sub"));
    CHECK_ERRNO(syscall(SYS_getcwd, cwd, 3), ERANGE);
    CHECK(chdir("..") == 0);
    close(fd);
    CHECK(rmdir("sub") == 0);
    CHECK_ERRNO(chdir("sub"), ENOENT);
    char *longname = malloc(8192);
    memset(longname, 'a', 8191);
    longname[8191] = 0;
    CHECK_ERRNO(chdir(longname), ENAMETOOLONG);
    free(longname);
}

static void own_process(int argc, char **argv)
{
    static int marker;
    char buf[4096], line[256];
    long len = readlink("/proc/self/exe", buf, sizeof buf - 1);
    CHECK(len > 0);
    buf[len > 0 ? len : 0] = 0;
    const char *base = strrchr(argv[0], '/');
    CHECK(strstr(buf, base ? base + 1 : argv[0]) != NULL);
    int fd = open("/proc/self/cmdline", O_RDONLY);
    len = read(fd, buf, sizeof buf);
    CHECK(argc == 1 && len == (long)strlen(argv[0]) + 1 && !strcmp(buf, argv[0]));
    close(fd);
    FILE *maps = fopen("/proc/self/maps", "r");
    int found = 0;
    while (maps && fgets(line, sizeof line, maps)) {
        unsigned long start, end;
        CHECK(sscanf(line, "%lx-%lx", &start, &end) == 2);
        found |= start <= (unsigned long)&marker && (unsigned long)&marker < end ? 1 : 0;
        found |= strstr(line, "[stack]") && start <= (unsigned long)&fd && (unsigned long)&fd < end
                     ? 2
                     : 0;
    }
    CHECK(found == 3);
    fclose(maps);
    fd = open("/proc/self/auxv", O_RDONLY);
    len = read(fd, buf, sizeof buf);
    CHECK(len > 0 && len % 8 == 0);
    close(fd);
    struct stat own, exe;
    CHECK(stat("/proc/self/exe", &exe) == 0 && stat(argv[0], &own) == 0 &&
          own.st_ino == exe.st_ino);
}

int main(int argc, char **argv)
{
    own_process(argc, argv);
    CHECK(mkdtemp(dir) != NULL && chdir(dir) == 0);
    links();
    modes_and_times();
    directories();
    CHECK(unlink("one") == 0 && rmdir(dir) == 0);
    return CHECK_DONE();
}
