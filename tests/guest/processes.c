/* Processes: fork, vfork, posix_spawn, execve of itself, scripts and host programs, waiting. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

extern char **environ;
static const char *self;

/* Runs ARGV in a child and gives its wait status; its output goes to OUT (SIZE bytes). */
static int run(const char *path, char *const argv[], char *const envp[], char *out, size_t size)
{
    int fds[2], status = -1;
    size_t len = 0;
    ssize_t n;
    CHECK(pipe(fds) == 0);
    pid_t child = fork();
    if (!child) {
        dup2(fds[1], 1);
        close(fds[0]);
        close(fds[1]);
        execve(path, argv, envp);
        _exit(errno);
    }
    close(fds[1]);
    while (len < size - 1 && (n = read(fds[0], out + len, size - 1 - len)) > 0)
        len += (size_t)n;
    out[len] = 0;
    close(fds[0]);
    CHECK(waitpid(child, &status, 0) == child);
    return status;
}

static void executing(void)
{
    char out[512];
    char *argv[] = {"some name", "child", "a b", "", NULL};
    char *envp[] = {"ONE=1", "TWO=zwei", NULL};
    CHECK(run(self, argv, envp, out, sizeof out) == 5 << 8);
    CHECK(!strcmp(out, "some name|child|a b||ONE=1|TWO=zwei|"));
    char *echo[] = {"echo", "from", "the", "host", NULL};
    CHECK(run("/bin/echo", echo, envp, out, sizeof out) == 0 && !strcmp(out, "from the host\n"));
    CHECK(run("/nonexistent", argv, envp, out, sizeof out) == ENOENT << 8);
    CHECK(run("/tmp", argv, envp, out, sizeof out) == EACCES << 8);
    CHECK_ERRNO(execve(BAD_ADDR, argv, envp), EFAULT);
    CHECK_ERRNO(execve(self, BAD_ADDR, envp), EFAULT);
}

static void scripts(void)
{
    char name[] = "/tmp/narwhal-script-XXXXXX", line[4200], out[512], want[256];
    int fd = mkstemp(name);
    int len = snprintf(line, sizeof line, "#! %s  child of script \nignored\n", self);
    CHECK(write(fd, line, (size_t)len) == len && fchmod(fd, 0700) == 0);
    close(fd);
    char *argv[] = {"x", "last", NULL}, *envp[] = {NULL};
    CHECK(run(name, argv, envp, out, sizeof out) == 5 << 8);
    snprintf(want, sizeof want, "|child of script|%s|last|", name);
    CHECK(strstr(out, want));
    fd = open(name, O_WRONLY | O_TRUNC);
    CHECK(write(fd, "nothing known", 13) == 13);
    close(fd);
    CHECK(run(name, argv, envp, out, sizeof out) == ENOEXEC << 8);
    unlink(name);
}

static void forking(void)
{
    int status, value = 1;
    struct rusage usage;
    pid_t child = fork();
    if (!child) {
        value = 2;
        _exit(getppid() == 0 || value != 2);
    }
    CHECK(wait4(child, &status, 0, &usage) == child && status == 0 && value == 1);
    CHECK_ERRNO(waitpid(-1, &status, 0), ECHILD);
    child = vfork();
    if (!child)
        _exit(9);
    siginfo_t info;
    CHECK(waitid(P_PID, (id_t)child, &info, WEXITED) == 0);
    CHECK(info.si_pid == child && info.si_code == CLD_EXITED && info.si_status == 9);
    char *argv[] = {"spawned", "child", NULL};
    CHECK(posix_spawn(&child, "/bin/true", NULL, NULL, argv, environ) == 0);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(WEXITSTATUS(system("exit 4")) == 4);
}

static int print_arguments(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        printf("%s|", argv[i]);
    for (char **e = environ; *e; e++)
        printf("%s|", *e);
    return 5;
}

int main(int argc, char **argv)
{
    static char path[4096];
    setbuf(stdout, NULL);
    if (argc > 1 && !strncmp(argv[1], "child", 5))
        return print_arguments(argc, argv);
    alarm(60);
    CHECK(readlink("/proc/self/exe", path, sizeof path - 1) > 0);
    self = path;
    executing();
    scripts();
    forking();
    return CHECK_DONE();
}
