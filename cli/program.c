#include "program.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PROGRAM (256u << 20)

/* A record of SIZE bytes at OFFSET; false when it leaves the file. */
static bool get(const struct program *p, uint64_t offset, void *out, size_t size)
{
    if (offset > p->size || size > p->size - offset)
        return false;
    memcpy(out, p->file + offset, size);
    return true;
}

/* The records of both classes, as those of the wide one. */
static Elf64_Ehdr header(const struct program *p)
{
    Elf64_Ehdr wide;
    Elf32_Ehdr h;
    if (p->wide) {
        memcpy(&wide, p->file, sizeof wide);
        return wide;
    }
    memcpy(&h, p->file, sizeof h);
    return (Elf64_Ehdr){.e_machine = h.e_machine,
                        .e_entry = h.e_entry,
                        .e_phoff = h.e_phoff,
                        .e_phentsize = h.e_phentsize,
                        .e_phnum = h.e_phnum,
                        .e_shoff = h.e_shoff,
                        .e_shnum = h.e_shnum};
}

static bool get_phdr(const struct program *p, const Elf64_Ehdr *e, unsigned n, Elf64_Phdr *out)
{
    Elf32_Phdr h;
    if (p->wide)
        return get(p, e->e_phoff + n * sizeof *out, out, sizeof *out);
    if (!get(p, e->e_phoff + n * sizeof h, &h, sizeof h))
        return false;
    *out = (Elf64_Phdr){
        .p_type = h.p_type, .p_offset = h.p_offset, .p_vaddr = h.p_vaddr, .p_filesz = h.p_filesz};
    return true;
}

static bool get_shdr(const struct program *p, const Elf64_Ehdr *e, unsigned n, Elf64_Shdr *out)
{
    Elf32_Shdr h;
    if (p->wide)
        return get(p, e->e_shoff + n * sizeof *out, out, sizeof *out);
    if (!get(p, e->e_shoff + n * sizeof h, &h, sizeof h))
        return false;
    *out = (Elf64_Shdr){
        .sh_type = h.sh_type, .sh_offset = h.sh_offset, .sh_size = h.sh_size, .sh_link = h.sh_link};
    return true;
}

static bool get_symbol(const struct program *p, const Elf64_Shdr *table, uint64_t n, Elf64_Sym *out)
{
    Elf32_Sym sym;
    if (p->wide)
        return get(p, table->sh_offset + n * sizeof *out, out, sizeof *out);
    if (!get(p, table->sh_offset + n * sizeof sym, &sym, sizeof sym))
        return false;
    *out = (Elf64_Sym){.st_name = sym.st_name,
                       .st_value = sym.st_value,
                       .st_size = sym.st_size,
                       .st_info = sym.st_info};
    return true;
}

static nw_arch arch_of(unsigned class, unsigned machine)
{
    if (class == ELFCLASS64)
        return machine == EM_X86_64 ? NW_ARCH_X86_64 : 0;
    return class != ELFCLASS32 ? 0
           : machine == EM_ARM ? NW_ARCH_ARM
           : machine == EM_386 ? NW_ARCH_X86
                               : 0;
}

static const char *check(struct program *p)
{
    Elf32_Ehdr start; /* machine and class lie where the wide header has them */
    if (!get(p, 0, &start, sizeof start) || memcmp(p->file, ELFMAG, SELFMAG))
        return "is not an ELF file";
    p->arch = arch_of(start.e_ident[EI_CLASS], start.e_machine);
    if (!p->arch || start.e_ident[EI_DATA] != ELFDATA2LSB)
        return "is not for 32-bit ARM, i386 or x86-64, little-endian; name such a program";
    p->wide = p->arch == NW_ARCH_X86_64;
    if (p->wide && p->size < sizeof(Elf64_Ehdr))
        return "is truncated: its header leaves the file";
    Elf64_Ehdr h = header(p);
    size_t entry = p->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
    if (h.e_phentsize != entry || h.e_phoff > p->size || h.e_phnum * entry > p->size - h.e_phoff)
        return "is truncated: its program headers leave the file";
    return NULL;
}

bool program_open(struct program *p, const char *path, char *why, size_t why_size)
{
    memset(p, 0, sizeof *p);
    FILE *f = fopen(path, "rb");
    if (!f) {
        snprintf(why, why_size, "'%s': %s", path, strerror(errno));
        return false;
    }
    const char *wrong = NULL;
    if (fseek(f, 0, SEEK_END) || ftell(f) < 0 || ftell(f) > MAX_PROGRAM) {
        wrong = "cannot be read, or is larger than 256 MiB";
    } else {
        p->size = (size_t)ftell(f);
        rewind(f);
        p->file = malloc(p->size + 1);
        if (!p->file || fread(p->file, 1, p->size, f) != p->size)
            wrong = "cannot be read";
    }
    fclose(f);
    if (!wrong)
        wrong = check(p);
    if (wrong) {
        snprintf(why, why_size, "'%s' %s", path, wrong);
        program_close(p);
        return false;
    }
    p->entry = header(p).e_entry;
    return true;
}

void program_close(struct program *p)
{
    free(p->file);
    p->file = NULL;
}

/* Neighbouring segments may share a page: maps page by page what is not there yet. */
static nw_status map_pages(nw_engine *engine, uint64_t vaddr, uint64_t size)
{
    uint64_t end = (vaddr + size + 0xfff) & ~0xfffull;
    for (uint64_t at = vaddr & ~0xfffull; at < end; at += 0x1000) {
        nw_status s = nw_mem_map(engine, at, 0x1000, NW_RWX);
        if (s != NW_OK && s != NW_ERR_OVERLAP)
            return s;
    }
    return NW_OK;
}

nw_status program_map(const struct program *p, nw_engine *engine)
{
    Elf64_Ehdr h = header(p);
    for (unsigned i = 0; i < h.e_phnum; i++) {
        Elf64_Phdr ph;
        if (!get_phdr(p, &h, i, &ph) || ph.p_type != PT_LOAD || !ph.p_filesz)
            continue;
        if (ph.p_offset > p->size || ph.p_filesz > p->size - ph.p_offset)
            return NW_ERR_ARG;
        if (ph.p_vaddr > UINT64_MAX - 0xfff - ph.p_filesz)
            return NW_ERR_RANGE;
        nw_status s = map_pages(engine, ph.p_vaddr, ph.p_filesz);
        if (s == NW_OK)
            s = nw_mem_write(engine, ph.p_vaddr, p->file + ph.p_offset, ph.p_filesz);
        if (s != NW_OK)
            return s;
    }
    return NW_OK;
}

/* Calls VISIT for every symbol with its name until it gives true. */
static bool each_symbol(const struct program *p,
                        bool (*visit)(void *, const char *name, const Elf64_Sym *), void *opaque)
{
    Elf64_Ehdr h = header(p);
    uint64_t size = p->wide ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
    for (unsigned i = 0; i < h.e_shnum; i++) {
        Elf64_Shdr table, strings;
        if (!get_shdr(p, &h, i, &table))
            return false;
        if ((table.sh_type != SHT_SYMTAB && table.sh_type != SHT_DYNSYM) ||
            !get_shdr(p, &h, table.sh_link, &strings) || !strings.sh_size ||
            strings.sh_offset > p->size || strings.sh_size > p->size - strings.sh_offset ||
            p->file[strings.sh_offset + strings.sh_size - 1] != 0)
            continue;
        for (uint64_t n = 0; n < table.sh_size / size; n++) {
            Elf64_Sym sym;
            if (!get_symbol(p, &table, n, &sym))
                break;
            if (sym.st_name < strings.sh_size &&
                visit(opaque, (const char *)p->file + strings.sh_offset + sym.st_name, &sym))
                return true;
        }
    }
    return false;
}

struct by_name {
    const char *name;
    uint64_t addr, size;
};

static bool match_name(void *opaque, const char *name, const Elf64_Sym *sym)
{
    struct by_name *want = opaque;
    if (ELF64_ST_TYPE(sym->st_info) != STT_FUNC || !sym->st_value || strcmp(name, want->name))
        return false;
    want->addr = sym->st_value;
    want->size = sym->st_size;
    return true;
}

bool program_symbol(const struct program *p, const char *name, uint64_t *addr, uint64_t *size)
{
    struct by_name want = {.name = name};
    if (!each_symbol(p, match_name, &want))
        return false;
    *addr = want.addr;
    *size = want.size;
    return true;
}

struct by_mapping {
    uint64_t addr, best;
    bool found, thumb;
};

/* The nearest mapping symbol at or below the address decides (ELF for the ARM architecture, 5.5.5).
 */
static bool match_mapping(void *opaque, const char *name, const Elf64_Sym *sym)
{
    struct by_mapping *m = opaque;
    if (name[0] != '$' || (name[1] != 'a' && name[1] != 't') || (name[2] && name[2] != '.'))
        return false;
    if (sym->st_value <= m->addr && (!m->found || sym->st_value >= m->best)) {
        m->found = true;
        m->best = sym->st_value;
        m->thumb = name[1] == 't';
    }
    return false;
}

bool program_is_thumb(const struct program *p, uint64_t addr, bool *thumb)
{
    struct by_mapping m = {.addr = addr};
    each_symbol(p, match_mapping, &m);
    *thumb = m.thumb;
    return m.found;
}
