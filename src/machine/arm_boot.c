/* Entering a kernel on an ARM board as a boot loader does (the kernel's Documentation/arm/booting).
 */
#include <narwhal/arm.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "machine/board.h"

static nw_status load_segment(nw_engine *engine, const struct board *board, const char *path,
                              const struct image *image, const Elf32_Phdr *ph, uint64_t ram,
                              struct machine_error *e)
{
    uint64_t start = (uint64_t)ph->p_paddr - board->ram_base;
    if (ph->p_filesz > ph->p_memsz || (uint64_t)ph->p_offset + ph->p_filesz > image->size)
        return machine_fail(e, "kernel '%s' is truncated or damaged: a segment leaves the file",
                            path);
    if (ph->p_paddr < board->ram_base || start + ph->p_memsz > ram)
        return machine_fail(
            e,
            "kernel '%s' wants memory at 0x%x..0x%llx, outside the board's RAM; give more "
            "with --mem",
            path, ph->p_paddr, (unsigned long long)ph->p_paddr + ph->p_memsz);
    if (nw_mem_write(engine, ph->p_paddr, image->bytes + ph->p_offset, ph->p_filesz) != NW_OK)
        return machine_fail(e, "kernel '%s' could not be written to memory", path);
    return NW_OK;
}

static nw_status load_elf(nw_engine *engine, const struct board *board, const char *path,
                          const struct image *image, uint64_t ram, uint32_t *entry,
                          struct machine_error *e)
{
    Elf32_Ehdr eh;
    if (image->size < sizeof eh)
        return machine_fail(e, "kernel '%s' is a truncated ELF file", path);
    memcpy(&eh, image->bytes, sizeof eh);
    if (eh.e_ident[EI_CLASS] != ELFCLASS32 || eh.e_ident[EI_DATA] != ELFDATA2LSB ||
        eh.e_machine != EM_ARM)
        return machine_fail(
            e,
            "kernel '%s' is not a little-endian 32-bit ARM ELF file; build it for the board's CPU",
            path);
    if (eh.e_phentsize != sizeof(Elf32_Phdr) ||
        (uint64_t)eh.e_phoff + (uint64_t)eh.e_phnum * sizeof(Elf32_Phdr) > image->size)
        return machine_fail(e, "kernel '%s' is truncated: its program headers leave the file",
                            path);
    unsigned loaded = 0;
    for (unsigned i = 0; i < eh.e_phnum; i++) {
        Elf32_Phdr ph;
        memcpy(&ph, image->bytes + eh.e_phoff + i * sizeof ph, sizeof ph);
        if (ph.p_type != PT_LOAD || !ph.p_memsz)
            continue;
        TRY(load_segment(engine, board, path, image, &ph, ram, e));
        loaded++;
    }
    if (!loaded)
        return machine_fail(e, "kernel '%s' has nothing to load; link it as an executable", path);
    *entry = eh.e_entry;
    return NW_OK;
}

/* Tags of the kernel's list (asm/setup.h): size in words, tag, data. */
struct tags {
    uint32_t words[512];
    unsigned n;
};

static void tag(struct tags *t, uint32_t id, unsigned nwords, const uint32_t *words)
{
    t->words[t->n++] = nwords ? nwords + 2 : 0;
    t->words[t->n++] = id;
    for (unsigned i = 0; i < nwords; i++)
        t->words[t->n++] = words[i];
}

static nw_status put_tags(nw_engine *engine, const struct board *board,
                          const struct machine_options *o, uint64_t ram, uint32_t initrd,
                          uint32_t initrd_size, struct machine_error *e)
{
    struct tags t = {.n = 0};
    tag(&t, 0x54410001, 3, (uint32_t[]){1, 4096, 0}); /* CORE: flags, page size, root device */
    tag(&t, 0x54410002, 2, (uint32_t[]){(uint32_t)ram, board->ram_base}); /* MEM */
    if (initrd_size)
        tag(&t, 0x54420005, 2, (uint32_t[]){initrd, initrd_size}); /* INITRD2 */
    size_t length = o->append ? strlen(o->append) + 1 : 0;
    if (length > 1024)
        return machine_fail(e, "--append is longer than the 1023 characters that fit");
    if (length) {
        uint32_t words[256] = {0};
        memcpy(words, o->append, length);
        tag(&t, 0x54410009, (unsigned)(length + 3) / 4, words); /* CMDLINE */
    }
    tag(&t, 0, 0, NULL); /* NONE */
    if (nw_mem_write(engine, board->ram_base + board->atags_offset, t.words, t.n * 4) != NW_OK)
        return machine_fail(e, "the boot tags could not be written to memory");
    return NW_OK;
}

/* The stub at the reset vector: r0 = 0, r1 = board, r2 = tags, jump. */
static nw_status put_stub(nw_engine *engine, const struct board *board, uint32_t entry,
                          struct machine_error *e)
{
    const uint32_t stub[] = {
        0xe3a00000, /* mov r0, #0 */
        0xe59f1004, /* ldr r1, [pc, #4] */
        0xe59f2004, /* ldr r2, [pc, #4] */
        0xe59ff004, /* ldr pc, [pc, #4] */
        board->board_id, board->ram_base + board->atags_offset, entry,
    };
    if (nw_mem_write(engine, board->ram_base, stub, sizeof stub) != NW_OK)
        return machine_fail(e, "the boot stub could not be written to memory");
    return NW_OK;
}

static nw_status load_kernel(nw_engine *engine, const struct board *board, const char *path,
                             uint64_t ram, uint32_t *entry, uint64_t *end, struct machine_error *e)
{
    struct image image = {0};
    nw_status status = machine_read_file("kernel", path, ram - board->kernel_offset, &image, e);
    if (status == NW_OK && image.size >= SELFMAG && !memcmp(image.bytes, ELFMAG, SELFMAG)) {
        status = load_elf(engine, board, path, &image, ram, entry, e);
    } else if (status == NW_OK) {
        *entry = board->ram_base + board->kernel_offset;
        if (nw_mem_write(engine, *entry, image.bytes, image.size) != NW_OK)
            status = machine_fail(e, "kernel '%s' could not be written to memory", path);
    }
    *end = board->kernel_offset + image.size;
    free(image.bytes);
    return status;
}

/* The disk goes half-way up, or at 128 MiB, clear of a kernel that unpacks itself. */
static nw_status load_initrd(nw_engine *engine, const struct board *board, const char *path,
                             uint64_t ram, uint64_t kernel_end, uint32_t *addr, uint32_t *size,
                             struct machine_error *e)
{
    uint64_t at = ram / 2 < (128u << 20) ? ram / 2 : 128u << 20;
    if (at < kernel_end)
        at = (kernel_end + 0xfff) & ~0xfffull;
    if (at >= ram)
        return machine_fail(e, "there is no memory left for initrd '%s'; give more with --mem",
                            path);
    struct image image = {0};
    nw_status status = machine_read_file("initrd", path, ram - at, &image, e);
    *addr = (uint32_t)(board->ram_base + at);
    *size = (uint32_t)image.size;
    if (status == NW_OK && nw_mem_write(engine, *addr, image.bytes, image.size) != NW_OK)
        status = machine_fail(e, "initrd '%s' could not be written to memory", path);
    free(image.bytes);
    return status;
}

nw_status arm_boot_load(nw_engine *engine, nw_vcpu *vcpu, const struct board *board,
                        const struct machine_options *o, uint64_t ram, struct machine_error *e)
{
    if (!o->kernel)
        return machine_fail(e, "no kernel was named; say --kernel IMAGE");
    uint32_t entry = 0, initrd = 0, initrd_size = 0;
    uint64_t end = 0;
    TRY(load_kernel(engine, board, o->kernel, ram, &entry, &end, e));
    if (o->initrd)
        TRY(load_initrd(engine, board, o->initrd, ram, end, &initrd, &initrd_size, e));
    /* An image that covers the reset vector brings its own; stub and tags would overwrite it. */
    uint32_t pc = entry;
    if (entry >= board->ram_base + board->kernel_offset) {
        pc = board->ram_base;
        TRY(put_tags(engine, board, o, ram, initrd, initrd_size, e));
        TRY(put_stub(engine, board, entry, e));
    }
    if (nw_reg_write(vcpu, NW_ARM_PC, pc) != NW_OK)
        return machine_fail(e, "the CPU could not be started");
    return NW_OK;
}
