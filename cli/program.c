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

static Elf32_Ehdr header(const struct program *p)
{
    Elf32_Ehdr h;
    memcpy(&h, p->file, sizeof h);
    return h;
}

static const char *check(const struct program *p)
{
    if (p->size < sizeof(Elf32_Ehdr) || memcmp(p->file, ELFMAG, SELFMAG))
        return "is not an ELF file";
    Elf32_Ehdr h = header(p);
    if (h.e_ident[EI_CLASS] != ELFCLASS32 || h.e_ident[EI_DATA] != ELFDATA2LSB ||
        h.e_machine != EM_ARM)
        return "is not for little-endian 32-bit ARM; name an ARM program";
    if (h.e_phentsize != sizeof(Elf32_Phdr) ||
        h.e_phoff + (uint64_t)h.e_phnum * sizeof(Elf32_Phdr) > p->size)
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

nw_status program_map(const struct program *p, nw_engine *engine)
{
    Elf32_Ehdr h = header(p);
    for (unsigned i = 0; i < h.e_phnum; i++) {
        Elf32_Phdr ph;
        if (!get(p, h.e_phoff + (uint64_t)i * sizeof ph, &ph, sizeof ph) || ph.p_type != PT_LOAD)
            continue;
        uint64_t start = ph.p_vaddr & ~0xfffull,
                 end = ((uint64_t)ph.p_vaddr + ph.p_filesz + 0xfff) & ~0xfffull;
        if ((uint64_t)ph.p_offset + ph.p_filesz > p->size)
            return NW_ERR_ARG;
        /* Neighbouring segments may share a page: map page by page what is not there yet. */
        for (uint64_t at = start; at < end; at += 0x1000) {
            nw_status s = nw_mem_map(engine, at, 0x1000, NW_RWX);
            if (s != NW_OK && s != NW_ERR_OVERLAP)
                return s;
        }
        nw_status s = nw_mem_write(engine, ph.p_vaddr, p->file + ph.p_offset, ph.p_filesz);
        if (s != NW_OK && ph.p_filesz)
            return s;
    }
    return NW_OK;
}

/* Calls VISIT for every symbol with its name until it gives true. */
static bool each_symbol(const struct program *p,
                        bool (*visit)(void *, const char *name, const Elf32_Sym *), void *opaque)
{
    Elf32_Ehdr h = header(p);
    for (unsigned i = 0; i < h.e_shnum; i++) {
        Elf32_Shdr table, strings;
        if (!get(p, h.e_shoff + (uint64_t)i * sizeof table, &table, sizeof table))
            return false;
        if ((table.sh_type != SHT_SYMTAB && table.sh_type != SHT_DYNSYM) ||
            !get(p, h.e_shoff + (uint64_t)table.sh_link * sizeof strings, &strings,
                 sizeof strings) ||
            (uint64_t)strings.sh_offset + strings.sh_size > p->size || !strings.sh_size ||
            p->file[strings.sh_offset + strings.sh_size - 1] != 0)
            continue;
        for (uint32_t at = 0; at + sizeof(Elf32_Sym) <= table.sh_size; at += sizeof(Elf32_Sym)) {
            Elf32_Sym sym;
            if (!get(p, (uint64_t)table.sh_offset + at, &sym, sizeof sym))
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
    uint32_t addr, size;
};

static bool match_name(void *opaque, const char *name, const Elf32_Sym *sym)
{
    struct by_name *want = opaque;
    if (ELF32_ST_TYPE(sym->st_info) != STT_FUNC || !sym->st_value || strcmp(name, want->name))
        return false;
    want->addr = sym->st_value;
    want->size = sym->st_size;
    return true;
}

bool program_symbol(const struct program *p, const char *name, uint32_t *addr, uint32_t *size)
{
    struct by_name want = {.name = name};
    if (!each_symbol(p, match_name, &want))
        return false;
    *addr = want.addr;
    *size = want.size;
    return true;
}

struct by_mapping {
    uint32_t addr, best;
    bool found, thumb;
};

/* The nearest mapping symbol at or below the address decides (ELF for the ARM architecture, 5.5.5).
 */
static bool match_mapping(void *opaque, const char *name, const Elf32_Sym *sym)
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

bool program_is_thumb(const struct program *p, uint32_t addr, bool *thumb)
{
    struct by_mapping m = {.addr = addr};
    each_symbol(p, match_mapping, &m);
    *thumb = m.thumb;
    return m.found;
}
