#include "explain.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 3 };
static const int width[COLUMNS] = {38, 46, 44};
/* Of the first column where instructions have up to 15 bytes and sizes of operands. */
enum { X86_WIDTH = 54 };
static const char *const colours[COLUMNS] = {"\033[36m", "\033[33m", "\033[32m"};

/* The lines of one column that belong to one guest instruction. */
struct cell {
    VEC(char *) lines;
    enum listing_isa isa;
};

static void add_line(struct cell *c, const char *text)
{
    char *copy = strdup(text);
    if (copy && !VEC_PUSH(&c->lines, copy))
        free(copy);
}

static void clear(struct cell *cells)
{
    for (unsigned i = 0; i < COLUMNS; i++) {
        for (uint32_t n = 0; n < cells[i].lines.len; n++)
            free(cells[i].lines.at[n]);
        VEC_FREE(&cells[i].lines);
    }
}

static void flush(const struct explain_view *v, struct cell *cells)
{
    uint32_t rows = 0;
    for (unsigned i = 0; i < COLUMNS; i++)
        rows = cells[i].lines.len > rows ? cells[i].lines.len : rows;
    for (uint32_t r = 0; r < rows; r++) {
        for (unsigned i = 0; i < COLUMNS; i++) {
            const char *text = r < cells[i].lines.len ? cells[i].lines.at[r] : "";
            bool last = i == COLUMNS - 1;
            int most = !i && cells[0].isa >= LISTING_X86_16 ? (int)X86_WIDTH : width[i];
            fprintf(v->out, "%s%-*.*s%s%s", v->colour ? colours[i] : "", last ? 0 : most,
                    last ? 200 : most, text, v->colour ? "\033[0m" : "", last ? "\n" : " | ");
        }
    }
    clear(cells);
}

/* As the manuals write it: a word in A32, halfwords in Thumb, bytes of x86. */
static size_t unit_of(enum listing_isa isa, size_t size)
{
    return isa >= LISTING_X86_16 ? 1 : isa == LISTING_THUMB || size < 4 ? 2 : 4;
}

enum { HEX_BYTES = 7 }; /* of an instruction on a line; the rest goes on further lines */

static void guest_line(void *opaque, uint64_t addr, const uint8_t *bytes, size_t size,
                       const char *text)
{
    struct cell *cell = opaque;
    size_t unit = unit_of(cell->isa, size), most = unit == 1 ? HEX_BYTES : 4;
    int pad = cell->isa >= LISTING_X86_16 ? 2 * HEX_BYTES : 8;
    for (size_t at = 0; at < size; at += most) {
        char line[160], hex[2 * HEX_BYTES + 1] = "";
        for (size_t i = at; i < size && i < at + most; i++)
            snprintf(hex + 2 * (i - at), sizeof hex - 2 * (i - at), "%02x",
                     bytes[(i / unit + 1) * unit - 1 - i % unit]);
        if (at)
            snprintf(line, sizeof line, "      %s", hex);
        else
            snprintf(line, sizeof line, "%05llx %-*s %s", (unsigned long long)addr, pad, hex,
                     *text ? text : "?");
        add_line(cell, line);
    }
}

static void host_line(void *opaque, uint64_t addr, const uint8_t *bytes, size_t size,
                      const char *text)
{
    char line[160];
    (void)bytes, (void)size;
    snprintf(line, sizeof line, "+%03llx %s", (unsigned long long)addr, *text ? text : "?");
    add_line(opaque, line);
}

static void ir_line(struct cell *c, const struct ir_region *r, ir_val n,
                    const struct ir_names *names)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (!f)
        return;
    ir_print_insn(f, r, n, names);
    fclose(f);
    if (text) {
        text[strcspn(text, "\n")] = 0;
        add_line(c, text + strspn(text, " "));
    }
    free(text);
}

/* Host code from the N-th boundary to the next one. */
static void host_range(const struct host_code *code, uint32_t record, uint32_t *from, uint32_t *to)
{
    *from = *to = 0;
    for (uint32_t i = 0; i + 1 < code->insn_offsets.len; i += 2) {
        if (code->insn_offsets.at[i + 1] != record)
            continue;
        *from = code->insn_offsets.at[i];
        *to = i + 2 < code->insn_offsets.len ? code->insn_offsets.at[i + 2] : code->size;
    }
}

void explain_block(const struct explain_view *v, const struct ir_region *region,
                   const uint8_t *guest_code, const uint8_t *host, const struct host_code *code)
{
    enum listing_isa isa = listing_isa_of(v->guest->arch, region->mode);
    struct cell cells[COLUMNS] = {{.isa = isa}};
    fprintf(v->out, "block 0x%llx: %u instructions, %u IR records, %u bytes of host code\n",
            (unsigned long long)region->pc, region->ninsns, region->insns.len, code->size);
    for (uint32_t n = 0; n < region->insns.len; n++) {
        const struct ir_insn *i = &region->insns.at[n];
        if (i->op != IR_insn) {
            ir_line(&cells[1], region, n, &v->guest->names);
            continue;
        }
        flush(v, cells);
        uint64_t pc = ir_insn_pc(i), end = region->pc + region->size;
        for (uint32_t k = n + 1; k < region->insns.len; k++) {
            if (region->insns.at[k].op == IR_insn) {
                end = ir_insn_pc(&region->insns.at[k]);
                break;
            }
        }
        if (pc >= region->pc && end > pc)
            listing_disassemble(v->listing, isa, pc, guest_code + (pc - region->pc),
                                (size_t)(end - pc), guest_line, &cells[0]);
        uint32_t from, to;
        host_range(code, n, &from, &to);
        if (to > from)
            listing_disassemble(v->listing, LISTING_X86_64, from, host + from, to - from, host_line,
                                &cells[2]);
    }
    flush(v, cells);
    fputc('\n', v->out);
}
