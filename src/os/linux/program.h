/* Programs: finding what to execute, and starting it. */
#ifndef OS_LINUX_PROGRAM_H
#define OS_LINUX_PROGRAM_H

#include <limits.h>
#include "os/linux/elf.h"
#include "os/linux/task.h"

/* What execve would run for a path: scripts are followed to their interpreter. */
struct linux_program {
    char guest[PATH_MAX]; /* of the binary, as the guest names it */
    char host[PATH_MAX];  /* the host's path of it */
    char **argv;          /* null-terminated; the array and its strings are owned */
    int fd;               /* of the binary, open for reading */
    bool foreign;         /* not an ELF file of ours: the host may know what to do with it */
};

/* 0 or a negative errno; on success linux_program_close is due. */
int64_t linux_program_open(struct linux_process *, const char *path, char *const *argv,
                           struct linux_program *out);
void linux_program_close(struct linux_program *);

/* Loads the program with its interpreter, builds the stack and sets the registers of T, whose
 * process has an engine and no mappings. 0, or -1 and a line in WHY (LINUX_ERROR_SIZE bytes). */
int linux_program_load(struct linux_task *, struct linux_program *, char *const *envp, char *why);

/* Opens PROGRAM's file and finds its ABI; 0, or -1 and a line in WHY. */
int linux_program_inspect(struct linux_program *, const struct linux_abi **, struct elf_image *,
                          char *why);

/* The main thread's stack: what the program finds on it when it starts (System V ABI 3.4.1). */
struct linux_stack_request {
    char *const *argv, *const *envp;
    const char *execfn;
    const struct elf_image *image;
    struct elf_placed program;
    uint64_t interp_base; /* 0: none */
    bool executable;
};
/* Maps and fills it: 0 and *SP, or -1 and a reason in WHY. */
int linux_stack_build(struct linux_task *, const struct linux_stack_request *, uint64_t *sp,
                      char *why);

#endif
