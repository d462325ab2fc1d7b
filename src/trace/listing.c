#include "trace/listing.h"

#include <capstone/capstone.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "guest/arm/state.h"

struct listing {
    nw_log log;
    FILE *file;
    pthread_mutex_t lock; /* whole entries, from any vCPU's thread */
    csh handles[3];
};

static const struct {
    const char *name;
    uint32_t kind;
} kind_names[] = {
    {"in_asm", NW_LOG_IN_ASM},
    {"ir", NW_LOG_IR},
    {"out_asm", NW_LOG_OUT_ASM},
    {"exec", NW_LOG_EXEC},
    {"int", NW_LOG_INT},
    {"mmu", NW_LOG_MMU},
    {"all", 0x3f},
};

bool listing_parse_kinds(const char *text, uint32_t *kinds, const char **bad)
{
    *kinds = 0;
    while (*text) {
        size_t n = strcspn(text, ",");
        uint32_t found = 0;
        for (unsigned i = 0; i < ARRAY_LEN(kind_names); i++) {
            if (strlen(kind_names[i].name) == n && !strncmp(kind_names[i].name, text, n))
                found = kind_names[i].kind;
        }
        if (!found) {
            *bad = text;
            return false;
        }
        *kinds |= found;
        text += n + (text[n] == ',');
    }
    *bad = text;
    return *kinds != 0;
}

void listing_disassemble(struct listing *l, enum listing_isa isa, uint64_t addr, const void *bytes,
                         size_t size, listing_line_fn line, void *opaque)
{
    static const uint8_t unit[] = {4, 2, 1};
    const uint8_t *at = bytes;
    cs_insn *insn = cs_malloc(l->handles[isa]);
    if (!insn)
        return;
    while (size) {
        const uint8_t *start = at;
        char text[200] = "";
        if (cs_disasm_iter(l->handles[isa], &at, &size, &addr, insn)) {
            snprintf(text, sizeof text, "%s%s%s", insn->mnemonic, *insn->op_str ? " " : "",
                     insn->op_str);
            line(opaque, insn->address, start, insn->size, text);
            continue;
        }
        size_t skip = unit[isa] < size ? unit[isa] : size;
        line(opaque, addr, start, skip, text);
        at += skip;
        addr += skip;
        size -= skip;
    }
    cs_free(insn, 1);
}

static void print_line(void *opaque, uint64_t addr, const uint8_t *bytes, size_t size,
                       const char *text)
{
    FILE *f = opaque;
    char hex[40] = "";
    for (size_t i = 0; i < size && i < 16; i++)
        snprintf(hex + 2 * i, sizeof hex - 2 * i, "%02x", bytes[i]);
    fprintf(f, "  0x%08llx:  %-22s  %s\n", (unsigned long long)addr, hex,
            *text ? text : "(not decodable)");
}

static void log_code(void *opaque, enum nw_log_kind kind, uint64_t addr, uint32_t mode,
                     const void *bytes, size_t size)
{
    struct listing *l = opaque;
    bool guest = kind == NW_LOG_IN_ASM;
    enum listing_isa isa = !guest                 ? LISTING_X86_64
                           : mode & ARM_KEY_THUMB ? LISTING_THUMB
                                                  : LISTING_ARM;
    pthread_mutex_lock(&l->lock);
    fprintf(l->file, "%s: %zu bytes\n", guest ? "IN" : "OUT", size);
    listing_disassemble(l, isa, addr, bytes, size, print_line, l->file);
    pthread_mutex_unlock(&l->lock);
}

static void log_text(void *opaque, enum nw_log_kind kind, const char *text, size_t size)
{
    (void)kind;
    struct listing *l = opaque;
    pthread_mutex_lock(&l->lock);
    fwrite(text, 1, size, l->file);
    pthread_mutex_unlock(&l->lock);
}

struct listing *listing_new(uint32_t kinds, FILE *file)
{
    static const struct {
        cs_arch arch;
        cs_mode mode;
    } modes[] = {
        {CS_ARCH_ARM, CS_MODE_ARM}, {CS_ARCH_ARM, CS_MODE_THUMB}, {CS_ARCH_X86, CS_MODE_64}};
    struct listing *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    for (unsigned i = 0; i < ARRAY_LEN(modes); i++) {
        if (cs_open(modes[i].arch, modes[i].mode, &l->handles[i]) != CS_ERR_OK) {
            while (i--)
                cs_close(&l->handles[i]);
            free(l);
            return NULL;
        }
    }
    pthread_mutex_init(&l->lock, NULL);
    l->file = file;
    l->log = (nw_log){.kinds = kinds, .text = log_text, .code = log_code, .opaque = l};
    return l;
}

void listing_free(struct listing *l)
{
    if (!l)
        return;
    for (unsigned i = 0; i < ARRAY_LEN(l->handles); i++)
        cs_close(&l->handles[i]);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

nw_log *listing_log(struct listing *l)
{
    return &l->log;
}
