/* Puts an ELF image into guest memory. */
#include "os/linux/elf.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include "os/linux/mm.h"

#define PAGE 4096ull

static int fail_errno(char *why, const char *what, int64_t err)
{
    snprintf(why, LINUX_ERROR_SIZE, "%s: %s", what, strerror((int)-err));
    return -1;
}

/* Claims the whole span, so that the segments keep their distances. */
static int64_t place(struct linux_process *p, const struct elf_image *image, uint64_t base)
{
    uint64_t align = PAGE;
    for (unsigned i = 0; i < image->phnum; i++)
        if (image->phdrs[i].p_type == PT_LOAD && image->phdrs[i].p_align > align)
            align = image->phdrs[i].p_align;
    if (align > p->abi->task_size / 4)
        return -EINVAL;
    struct linux_map_request r = {
        .addr = image->low, .size = image->high - image->low, .fd = -1, .fixed = true};
    if (image->type == ET_DYN) {
        r.fixed = false;
        r.size += align - PAGE;
        r.addr = base;
    }
    int64_t at = linux_mm_map(p, &r);
    if (at < 0 || image->type != ET_DYN)
        return at;
    /* What alignment makes superfluous goes back. */
    uint64_t start = ((uint64_t)at + align - 1) & ~(align - 1);
    uint64_t span = image->high - image->low, end = (uint64_t)at + r.size;
    if (start > (uint64_t)at)
        linux_mm_unmap(p, (uint64_t)at, start - (uint64_t)at);
    if (end > start + span)
        linux_mm_unmap(p, start + span, end - start - span);
    return (int64_t)start;
}

/* The rest of the last page of file data is zero for the program. */
static bool clear_tail(struct linux_process *p, uint64_t from, uint64_t to)
{
    static const uint8_t zeros[PAGE];
    return from >= to || nw_mem_write(p->engine, from, zeros, to - from) == NW_OK;
}

static int64_t load_segment(struct linux_process *p, int fd, const Elf64_Phdr *ph, uint64_t bias)
{
    uint64_t start = (ph->p_vaddr + bias) & ~(PAGE - 1);
    uint64_t data = ph->p_vaddr + bias + ph->p_filesz, end = ph->p_vaddr + bias + ph->p_memsz;
    uint64_t data_up = (data + PAGE - 1) & ~(PAGE - 1), end_up = (end + PAGE - 1) & ~(PAGE - 1);
    struct linux_map_request r = {
        .addr = start,
        .size = data_up - start,
        .fd = fd,
        .offset = ph->p_offset & ~(PAGE - 1),
        .prot = (ph->p_flags & PF_R ? PROT_READ : 0) | (ph->p_flags & PF_W ? PROT_WRITE : 0) |
                (ph->p_flags & PF_X ? PROT_EXEC : 0),
        .fixed = true,
        .replace = true,
    };
    if (ph->p_filesz) {
        int64_t at = linux_mm_map(p, &r);
        if (at < 0)
            return at;
        if (ph->p_memsz > ph->p_filesz && !clear_tail(p, data, data_up))
            return -ENOMEM;
    } else {
        data_up = start;
    }
    if (end_up <= data_up)
        return 0;
    r.addr = data_up;
    r.size = end_up - data_up;
    r.fd = -1;
    int64_t at = linux_mm_map(p, &r);
    return at < 0 ? at : 0;
}

static uint64_t find_phdrs(const struct elf_image *image, uint64_t bias)
{
    for (unsigned i = 0; i < image->phnum; i++)
        if (image->phdrs[i].p_type == PT_PHDR)
            return image->phdrs[i].p_vaddr + bias;
    for (unsigned i = 0; i < image->phnum; i++) {
        const Elf64_Phdr *ph = &image->phdrs[i];
        if (ph->p_type == PT_LOAD && image->phoff >= ph->p_offset &&
            image->phoff - ph->p_offset < ph->p_filesz)
            return ph->p_vaddr + (image->phoff - ph->p_offset) + bias;
    }
    return 0;
}

int elf_load(struct linux_process *p, int fd, const struct elf_image *image, uint64_t base,
             struct elf_placed *out, char *why)
{
    int64_t at = place(p, image, base);
    if (at < 0)
        return fail_errno(why, "does not fit into the address space", at);
    uint64_t bias = (uint64_t)at - image->low;
    for (unsigned i = 0; i < image->phnum; i++) {
        if (image->phdrs[i].p_type != PT_LOAD || !image->phdrs[i].p_memsz)
            continue;
        int64_t err = load_segment(p, fd, &image->phdrs[i], bias);
        if (err)
            return fail_errno(why, "cannot be mapped", err);
    }
    out->bias = bias;
    out->entry = image->entry + bias;
    out->phdrs = find_phdrs(image, bias);
    out->end = image->high + bias;
    return 0;
}
