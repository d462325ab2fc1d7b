/* Linux user mode: runs an unmodified Linux executable of a foreign instruction set.
 *
 * The hosted layer above the engine: guest system calls become host system calls, guest threads
 * are host threads, guest processes are host processes, guest signals are host signals. */
#ifndef OS_LINUX_LINUX_H
#define OS_LINUX_LINUX_H

#include <stdio.h>
#include <narwhal/log.h>

/* Zero-initialise, then set what matters. Everything is borrowed until linux_run returns. */
struct linux_options {
    const char *sysroot;   /* directory whose files shadow the host's absolute paths; or null */
    const char *cpu;       /* model name; null for the architecture's "max" */
    const char *argv0;     /* argv[0] of the guest; null: the program as it was given */
    uint32_t engine_flags; /* enum nw_engine_flags */
    size_t code_buffer;    /* bytes, 0 for the default */
    size_t stack_size;     /* bytes of the main thread's stack, 0 for 8 MiB */
    uint64_t seed;         /* AT_RANDOM bytes are made from it; 0: from the host's entropy */
    nw_log *log;           /* engine events, or null */
    FILE *strace;          /* system calls are printed here, or null */
    /* The words between `narwhal` and the program that give these options, "run" first, ended by
     * null: an execve of the guest runs /proc/self/exe with them. Null: made from the above. */
    char *const *self_args;
    /* Where linux_run puts the line that says what is wrong when it cannot start the program
     * (no newline, no program name). At least LINUX_ERROR_SIZE bytes; or null. */
    char *error;
};

#define LINUX_ERROR_SIZE 512

/* Exit statuses of linux_run when the guest did not run, the shell's convention. */
enum linux_status {
    LINUX_EXIT_CANNOT = 126, /* found, but not executable here */
    LINUX_EXIT_NOT_FOUND = 127,
};

/* Runs the program argv[0] with argv (ARGC words, null-terminated) and ENVP to its end and returns
 * its exit status, or does not return: a guest that dies of a signal ends the process by that
 * signal. When the program cannot be started, returns 126 or 127 and fills options->error.
 * Call once per process, from the main thread: signal handling is the process's. */
int linux_run(const struct linux_options *options, int argc, char **argv, char **envp);

#endif
