/* ELF headers (System V ABI, chapters 4 and 5). Everything in the file is suspect. */
#include "os/linux/elf.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096ull

static const struct linux_abi *const abis[] = {&linux_arm_abi, &linux_x86_64_abi, &linux_i386_abi};

const struct linux_abi *linux_abi_of(unsigned machine, unsigned elf_class)
{
    for (size_t i = 0; i < ARRAY_LEN(abis); i++)
        if (abis[i]->elf_machine == machine && abis[i]->elf_class == elf_class)
            return abis[i];
    return NULL;
}

static const char *machine_name(unsigned machine, char *number, size_t size)
{
    static const struct {
        unsigned machine;
        const char *name;
    } names[] = {
        {EM_386, "x86"},      {EM_X86_64, "x86-64"}, {EM_ARM, "ARM"},     {EM_AARCH64, "AArch64"},
        {EM_RISCV, "RISC-V"}, {EM_MIPS, "MIPS"},     {EM_PPC, "PowerPC"}, {EM_PPC64, "PowerPC64"},
        {EM_S390, "S/390"},   {EM_SPARC, "SPARC"},   {EM_68K, "m68k"},    {EM_SH, "SuperH"},
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i].machine == machine)
            return names[i].name;
    snprintf(number, size, "machine %u", machine);
    return number;
}

static int fail(char *why, const char *text)
{
    snprintf(why, LINUX_ERROR_SIZE, "%s", text);
    return -1;
}

/* SIZE bytes at OFFSET, or false at the end of the file. */
static bool read_at(int fd, void *buf, size_t size, uint64_t offset)
{
    size_t done = 0;
    if (offset > INT64_MAX - size)
        return false;
    while (done < size) {
        ssize_t n = pread(fd, (char *)buf + done, size - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

static void widen_ehdr(const Elf32_Ehdr *from, Elf64_Ehdr *to)
{
    memcpy(to->e_ident, from->e_ident, EI_NIDENT);
    to->e_type = from->e_type;
    to->e_machine = from->e_machine;
    to->e_version = from->e_version;
    to->e_entry = from->e_entry;
    to->e_phoff = from->e_phoff;
    to->e_phentsize = from->e_phentsize;
    to->e_phnum = from->e_phnum;
}

static void widen_phdr(const Elf32_Phdr *from, Elf64_Phdr *to)
{
    to->p_type = from->p_type;
    to->p_flags = from->p_flags;
    to->p_offset = from->p_offset;
    to->p_vaddr = from->p_vaddr;
    to->p_paddr = from->p_paddr;
    to->p_filesz = from->p_filesz;
    to->p_memsz = from->p_memsz;
    to->p_align = from->p_align;
}

static int read_ehdr(int fd, Elf64_Ehdr *ehdr, char *why)
{
    union {
        unsigned char ident[EI_NIDENT];
        Elf32_Ehdr e32;
        Elf64_Ehdr e64;
    } head = {0};
    if (!read_at(fd, head.ident, SELFMAG, 0) || memcmp(head.ident, ELFMAG, SELFMAG))
        return fail(why, "is neither an ELF program nor a script");
    if (!read_at(fd, head.ident, EI_NIDENT, 0))
        return fail(why, "is truncated in its ELF header");
    bool wide = head.ident[EI_CLASS] == ELFCLASS64;
    if (!wide && head.ident[EI_CLASS] != ELFCLASS32)
        return fail(why, "has a broken ELF header (unknown class)");
    if (head.ident[EI_DATA] != ELFDATA2LSB)
        return fail(why, "is big-endian, this needs a little-endian program");
    if (!read_at(fd, &head, wide ? sizeof head.e64 : sizeof head.e32, 0))
        return fail(why, "is truncated in its ELF header");
    if (wide)
        *ehdr = head.e64;
    else
        widen_ehdr(&head.e32, ehdr);
    return 0;
}

static int choose_abi(const Elf64_Ehdr *ehdr, const struct linux_abi **abi, char *why)
{
    const struct linux_abi *found = linux_abi_of(ehdr->e_machine, ehdr->e_ident[EI_CLASS]);
    char number[32];
    if (!found || (*abi && *abi != found)) {
        snprintf(why, LINUX_ERROR_SIZE, "is for %s%s, this needs %s",
                 ehdr->e_machine == EM_ARM && ehdr->e_ident[EI_CLASS] == ELFCLASS64 ? "64-bit "
                                                                                    : "",
                 machine_name(ehdr->e_machine, number, sizeof number),
                 *abi ? (*abi)->name : "ARM, x86 or x86-64");
        return -1;
    }
    *abi = found;
    if (ehdr->e_type == ET_REL)
        return fail(why, "is an object file, not a program (link it first)");
    if (ehdr->e_type != ET_EXEC && ehdr->e_type != ET_DYN)
        return fail(why, "is an ELF file but not a program");
    return 0;
}

static int read_phdrs(int fd, const Elf64_Ehdr *ehdr, struct elf_image *out, char *why)
{
    bool wide = ehdr->e_ident[EI_CLASS] == ELFCLASS64;
    unsigned size = wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
    if (ehdr->e_phentsize != size || !ehdr->e_phnum)
        return fail(why, "has broken program headers");
    if (ehdr->e_phnum > ELF_MAX_PHDRS)
        return fail(why, "has too many program headers");
    for (unsigned i = 0; i < ehdr->e_phnum; i++) {
        uint64_t at = ehdr->e_phoff + (uint64_t)i * size;
        Elf32_Phdr narrow;
        if (!read_at(fd, wide ? (void *)&out->phdrs[i] : (void *)&narrow, size, at))
            return fail(why, "is truncated in its program headers");
        if (!wide)
            widen_phdr(&narrow, &out->phdrs[i]);
    }
    out->phoff = ehdr->e_phoff;
    out->phnum = ehdr->e_phnum;
    out->phentsize = size;
    return 0;
}

static int check_segment(const Elf64_Phdr *ph, const struct linux_abi *abi, uint64_t file_size,
                         char *why)
{
    if (ph->p_filesz > ph->p_memsz || ph->p_memsz > abi->task_size ||
        ph->p_vaddr > abi->task_size - ph->p_memsz)
        return fail(why, "has a broken program header (segment does not fit)");
    if (ph->p_align > 1 && ph->p_align & (ph->p_align - 1))
        return fail(why, "has a broken program header (alignment is no power of two)");
    if ((ph->p_vaddr ^ ph->p_offset) & (PAGE - 1))
        return fail(why, "has a broken program header (address and offset differ in their page)");
    if (ph->p_offset > file_size || ph->p_filesz > file_size - ph->p_offset)
        return fail(why, "is truncated: a segment lies beyond the end of the file");
    return 0;
}

static int read_interp(int fd, const Elf64_Phdr *ph, struct elf_image *out, char *why)
{
    if (ph->p_filesz < 2 || ph->p_filesz > sizeof out->interp)
        return fail(why, "has a broken program header (interpreter)");
    if (!read_at(fd, out->interp, ph->p_filesz, ph->p_offset))
        return fail(why, "is truncated: the interpreter's name lies beyond the end of the file");
    if (out->interp[ph->p_filesz - 1])
        return fail(why, "has a broken program header (interpreter)");
    return 0;
}

static int survey(int fd, const struct linux_abi *abi, struct elf_image *out, char *why)
{
    struct stat st;
    if (fstat(fd, &st))
        return fail(why, strerror(errno));
    out->low = UINT64_MAX;
    out->exec_stack = true; /* what a file without PT_GNU_STACK asks for */
    for (unsigned i = 0; i < out->phnum; i++) {
        const Elf64_Phdr *ph = &out->phdrs[i];
        if (ph->p_type == PT_GNU_STACK)
            out->exec_stack = ph->p_flags & PF_X;
        if (ph->p_type == PT_INTERP && read_interp(fd, ph, out, why))
            return -1;
        if (ph->p_type != PT_LOAD || !ph->p_memsz)
            continue;
        if (check_segment(ph, abi, (uint64_t)st.st_size, why))
            return -1;
        uint64_t low = ph->p_vaddr & ~(PAGE - 1);
        uint64_t high = (ph->p_vaddr + ph->p_memsz + PAGE - 1) & ~(PAGE - 1);
        if (low < out->low)
            out->low = low;
        if (high > out->high)
            out->high = high;
    }
    return out->low < out->high ? 0 : fail(why, "has nothing to load");
}

int elf_read(int fd, const struct linux_abi **abi, struct elf_image *out, char *why)
{
    Elf64_Ehdr ehdr = {0};
    memset(out, 0, sizeof *out);
    if (read_ehdr(fd, &ehdr, why) || choose_abi(&ehdr, abi, why) || read_phdrs(fd, &ehdr, out, why))
        return -1;
    out->type = ehdr.e_type;
    out->entry = ehdr.e_entry;
    return survey(fd, *abi, out, why);
}

/* A program of the host's own machine beside a guest of another one is a tool of the host; beside a
 * guest of the same one it belongs to the guest. */
static bool is_host_machine(unsigned machine)
{
    return machine == EM_X86_64 || machine == EM_386;
}

bool elf_is_foreign(const struct linux_abi *abi, const void *head, size_t size)
{
    Elf32_Ehdr ehdr;
    if (size < sizeof ehdr || memcmp(head, ELFMAG, SELFMAG))
        return false;
    memcpy(&ehdr, head, sizeof ehdr);
    if (!linux_abi_of(ehdr.e_machine, ehdr.e_ident[EI_CLASS]))
        return true;
    return abi && is_host_machine(ehdr.e_machine) && !is_host_machine(abi->elf_machine);
}
