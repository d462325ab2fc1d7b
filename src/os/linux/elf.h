/* ELF programs: reading their headers and putting them into guest memory. */
#ifndef OS_LINUX_ELF_H
#define OS_LINUX_ELF_H

#include <elf.h>
#include <limits.h>
#include "os/linux/abi.h"

#define ELF_MAX_PHDRS 64

/* Headers of either class in the 64-bit form. */
struct elf_image {
    uint16_t type; /* ET_EXEC or ET_DYN */
    uint64_t entry;
    uint64_t phoff;
    unsigned phnum, phentsize;
    Elf64_Phdr phdrs[ELF_MAX_PHDRS];
    char interp[PATH_MAX]; /* empty: none */
    bool exec_stack;
    uint64_t low, high; /* of the loadable segments, page-aligned */
};

/* Where it went. */
struct elf_placed {
    uint64_t bias; /* added to the file's addresses */
    uint64_t entry, phdrs, end;
};

/* The ABI for programs of ELF machine number MACHINE and class, or null. */
const struct linux_abi *linux_abi_of(unsigned machine, unsigned elf_class);

/* Reads and checks the headers of the file. *ABI null: any ABI that we have, stored there; else
 * the file must be of that. 0, or -1 with a reason in WHY (LINUX_ERROR_SIZE bytes), such as
 * "is for x86-64, this needs ARM". */
int elf_read(int fd, const struct linux_abi **abi, struct elf_image *out, char *why);
/* True when HEAD (SIZE bytes of the file's beginning) is an ELF header of a program that the host
 * rather than we should run for a program of ABI (null: the first one): of a machine that we do not
 * know, or of the host's when the guest's is another. */
bool elf_is_foreign(const struct linux_abi *abi, const void *head, size_t size);

/* Maps the segments. A position-independent image goes to BASE, or anywhere if BASE is 0. */
int elf_load(struct linux_process *, int fd, const struct elf_image *, uint64_t base,
             struct elf_placed *out, char *why);

#endif
