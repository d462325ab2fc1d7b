#include "trace/listing.h"

#include <Zydis/Zydis.h>
#include <capstone/capstone.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "guest/arm/state.h"
#include "guest/x86/state.h"

struct listing {
    nw_log log;
    FILE *file;
    pthread_mutex_t lock;     /* whole entries, from any vCPU's thread */
    csh capstone[2];          /* ORDER LISTING */
    ZydisDecoder decoders[3]; /* ORDER LISTING */
    ZydisFormatter formatter;
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

enum listing_isa listing_isa_of(nw_arch arch, uint32_t mode)
{
    if (arch == NW_ARCH_ARM)
        return mode & ARM_KEY_THUMB ? LISTING_THUMB : LISTING_ARM;
    return mode & X86_KEY_CODE64   ? LISTING_X86_64
           : mode & X86_KEY_CODE32 ? LISTING_X86_32
                                   : LISTING_X86_16;
}

static void disassemble_arm(struct listing *l, enum listing_isa isa, uint64_t addr,
                            const uint8_t *at, size_t size, listing_line_fn line, void *opaque)
{
    size_t unit = isa == LISTING_THUMB ? 2 : 4;
    cs_insn *insn = cs_malloc(l->capstone[isa]);
    if (!insn)
        return;
    while (size) {
        const uint8_t *start = at;
        char text[200] = "";
        if (cs_disasm_iter(l->capstone[isa], &at, &size, &addr, insn)) {
            snprintf(text, sizeof text, "%s%s%s", insn->mnemonic, *insn->op_str ? " " : "",
                     insn->op_str);
            line(opaque, insn->address, start, insn->size, text);
            continue;
        }
        size_t skip = unit < size ? unit : size;
        line(opaque, addr, start, skip, text);
        at += skip;
        addr += skip;
        size -= skip;
    }
    cs_free(insn, 1);
}

static void disassemble_x86(const struct listing *l, enum listing_isa isa, uint64_t addr,
                            const uint8_t *at, size_t size, listing_line_fn line, void *opaque)
{
    const ZydisDecoder *decoder = &l->decoders[isa - LISTING_X86_16];
    while (size) {
        ZydisDecodedInstruction z;
        ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
        char text[200] = "";
        size_t used = size < ZYDIS_MAX_INSTRUCTION_LENGTH ? size : ZYDIS_MAX_INSTRUCTION_LENGTH;
        if (ZYAN_SUCCESS(ZydisDecoderDecodeFull(decoder, at, size, &z, op))) {
            used = z.length;
            ZydisFormatterFormatInstruction(&l->formatter, &z, op, z.operand_count_visible, text,
                                            sizeof text, addr, NULL);
        }
        line(opaque, addr, at, used, text);
        at += used;
        addr += used;
        size -= used;
    }
}

void listing_disassemble(struct listing *l, enum listing_isa isa, uint64_t addr, const void *bytes,
                         size_t size, listing_line_fn line, void *opaque)
{
    if (isa < LISTING_X86_16)
        disassemble_arm(l, isa, addr, bytes, size, line, opaque);
    else
        disassemble_x86(l, isa, addr, bytes, size, line, opaque);
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

static void log_code(void *opaque, enum nw_log_kind kind, nw_arch arch, uint64_t addr,
                     uint32_t mode, const void *bytes, size_t size)
{
    struct listing *l = opaque;
    bool guest = kind == NW_LOG_IN_ASM;
    enum listing_isa isa = guest ? listing_isa_of(arch, mode) : LISTING_X86_64;
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

static void close_capstone(struct listing *l, unsigned n)
{
    while (n--)
        cs_close(&l->capstone[n]);
}

static bool open_capstone(struct listing *l)
{
    static const cs_mode modes[] = {CS_MODE_ARM, CS_MODE_THUMB};
    for (unsigned i = 0; i < ARRAY_LEN(modes); i++) {
        if (cs_open(CS_ARCH_ARM, modes[i], &l->capstone[i]) != CS_ERR_OK) {
            close_capstone(l, i);
            return false;
        }
    }
    return true;
}

static void open_zydis(struct listing *l)
{
    ZydisDecoderInit(&l->decoders[0], ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16);
    ZydisDecoderInit(&l->decoders[1], ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
    ZydisDecoderInit(&l->decoders[2], ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    ZydisFormatterInit(&l->formatter, ZYDIS_FORMATTER_STYLE_INTEL);
    ZydisFormatterSetProperty(&l->formatter, ZYDIS_FORMATTER_PROP_FORCE_SIZE, true);
    ZydisFormatterSetProperty(&l->formatter, ZYDIS_FORMATTER_PROP_HEX_UPPERCASE, false);
    ZydisFormatterSetProperty(&l->formatter, ZYDIS_FORMATTER_PROP_ADDR_PADDING_ABSOLUTE, 0);
    ZydisFormatterSetProperty(&l->formatter, ZYDIS_FORMATTER_PROP_DISP_PADDING, 0);
    ZydisFormatterSetProperty(&l->formatter, ZYDIS_FORMATTER_PROP_IMM_PADDING, 0);
}

struct listing *listing_new(uint32_t kinds, FILE *file)
{
    struct listing *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    if (!open_capstone(l)) {
        free(l);
        return NULL;
    }
    open_zydis(l);
    pthread_mutex_init(&l->lock, NULL);
    l->file = file;
    l->log = (nw_log){.kinds = kinds, .text = log_text, .code = log_code, .opaque = l};
    return l;
}

void listing_free(struct listing *l)
{
    if (!l)
        return;
    close_capstone(l, ARRAY_LEN(l->capstone));
    pthread_mutex_destroy(&l->lock);
    free(l);
}

nw_log *listing_log(struct listing *l)
{
    return &l->log;
}
