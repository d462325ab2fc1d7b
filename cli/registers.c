#include "registers.h"

#include <ctype.h>
#include <errno.h>
#include <narwhal/arm.h>
#include <narwhal/x86.h>
#include <stdlib.h>
#include <string.h>

enum group { GENERAL, OTHER, ALIAS /* not printed */ };

/* One register, or registers numbered FROM, FROM + 1, …, up to 256 bits each. */
struct row {
    const char *stem;
    uint8_t from, count; /* count 0: the stem is the name */
    uint8_t group;
    uint16_t bits;
    uint8_t of;     /* printed for code of these sizes: 1 16-bit, 2 32-bit, 4 64-bit */
    uint8_t first;  /* public number of the first one's lowest word */
    uint8_t stride; /* to the next register */
    uint8_t step;   /* to the next word of 64 bits */
};

enum { NARROW = 1 | 2, WIDE = 4, ANY = 7 };

/* In the order of printing. */
static const struct row x86_rows[] = {
    {"rax", 0, 0, GENERAL, 64, WIDE, 0, 0, 0},
    {"rbx", 0, 0, GENERAL, 64, WIDE, 3, 0, 0},
    {"rcx", 0, 0, GENERAL, 64, WIDE, 1, 0, 0},
    {"rdx", 0, 0, GENERAL, 64, WIDE, 2, 0, 0},
    {"rsi", 0, 0, GENERAL, 64, WIDE, 6, 0, 0},
    {"rdi", 0, 0, GENERAL, 64, WIDE, 7, 0, 0},
    {"rbp", 0, 0, GENERAL, 64, WIDE, 5, 0, 0},
    {"rsp", 0, 0, GENERAL, 64, WIDE, 4, 0, 0},
    {"r", 8, 8, GENERAL, 64, WIDE, 8, 1, 0},
    {"eax", 0, 0, GENERAL, 32, NARROW, 0, 0, 0},
    {"ebx", 0, 0, GENERAL, 32, NARROW, 3, 0, 0},
    {"ecx", 0, 0, GENERAL, 32, NARROW, 1, 0, 0},
    {"edx", 0, 0, GENERAL, 32, NARROW, 2, 0, 0},
    {"esi", 0, 0, GENERAL, 32, NARROW, 6, 0, 0},
    {"edi", 0, 0, GENERAL, 32, NARROW, 7, 0, 0},
    {"ebp", 0, 0, GENERAL, 32, NARROW, 5, 0, 0},
    {"esp", 0, 0, GENERAL, 32, NARROW, 4, 0, 0},
    {"rip", 0, 0, GENERAL, 64, WIDE, NW_X86_RIP, 0, 0},
    {"eip", 0, 0, GENERAL, 32, NARROW, NW_X86_RIP, 0, 0},
    {"rflags", 0, 0, GENERAL, 32, WIDE, NW_X86_RFLAGS, 0, 0},
    {"eflags", 0, 0, GENERAL, 32, NARROW, NW_X86_RFLAGS, 0, 0},
    {"es", 0, 0, OTHER, 16, ANY, NW_X86_ES, 0, 0},
    {"cs", 0, 0, OTHER, 16, ANY, NW_X86_ES + 1, 0, 0},
    {"ss", 0, 0, OTHER, 16, ANY, NW_X86_ES + 2, 0, 0},
    {"ds", 0, 0, OTHER, 16, ANY, NW_X86_ES + 3, 0, 0},
    {"fs", 0, 0, OTHER, 16, ANY, NW_X86_ES + 4, 0, 0},
    {"gs", 0, 0, OTHER, 16, ANY, NW_X86_ES + 5, 0, 0},
    {"fs_base", 0, 0, OTHER, 64, ANY, NW_X86_FS_BASE, 0, 0},
    {"gs_base", 0, 0, OTHER, 64, ANY, NW_X86_GS_BASE, 0, 0},
    {"efer", 0, 0, OTHER, 64, ANY, NW_X86_EFER, 0, 0},
    {"xcr0", 0, 0, OTHER, 64, ANY, NW_X86_XCR0, 0, 0},
    {"cr0", 0, 0, OTHER, 64, ANY, NW_X86_CR0, 0, 0},
    {"cr", 2, 3, OTHER, 64, ANY, NW_X86_CR0 + 2, 1, 0},
    {"dr", 0, 4, OTHER, 64, ANY, NW_X86_DR0, 1, 0},
    {"dr", 6, 2, OTHER, 64, ANY, NW_X86_DR0 + 6, 1, 0},
    {"mxcsr", 0, 0, OTHER, 32, ANY, NW_X86_MXCSR, 0, 0},
    {"fpcw", 0, 0, OTHER, 16, ANY, NW_X86_FPCW, 0, 0},
    {"fpsw", 0, 0, OTHER, 16, ANY, NW_X86_FPSW, 0, 0},
    {"fptag", 0, 0, OTHER, 16, ANY, NW_X86_FPTAG, 0, 0},
    {"st", 0, 8, OTHER, 80, ANY, NW_X86_ST0, 1, NW_X86_ST0_EXP - NW_X86_ST0},
    {"ymm", 0, 8, OTHER, 256, NARROW, NW_X86_YMM0, 4, 1},
    {"ymm", 0, 16, OTHER, 256, WIDE, NW_X86_YMM0, 4, 1},
    {"xmm", 0, 16, ALIAS, 128, ANY, NW_X86_YMM0, 4, 1},
    {0},
};

static const struct row arm_rows[] = {
    {"r", 0, 13, GENERAL, 32, ANY, NW_ARM_R0, 1, 0},
    {"sp", 0, 0, GENERAL, 32, ANY, NW_ARM_SP, 0, 0},
    {"lr", 0, 0, GENERAL, 32, ANY, NW_ARM_LR, 0, 0},
    {"pc", 0, 0, GENERAL, 32, ANY, NW_ARM_PC, 0, 0},
    {"cpsr", 0, 0, GENERAL, 32, ANY, NW_ARM_CPSR, 0, 0},
    {"fpscr", 0, 0, OTHER, 32, ANY, NW_ARM_FPSCR, 0, 0},
    {"d", 0, 32, OTHER, 64, ANY, NW_ARM_D0, 1, 0},
    {"s", 0, 32, ALIAS, 32, ANY, NW_ARM_S0, 1, 0},
    {0},
};

static const struct row *rows_of(nw_arch arch)
{
    return arch == NW_ARCH_ARM ? arm_rows : x86_rows;
}

static unsigned number(const struct row *row, unsigned n, unsigned word)
{
    return row->first + n * row->stride + word * row->step;
}

/* ---- setting ---- */

/* *N: which of the row's registers is called TEXT (SIZE characters)? */
static bool names(const struct row *row, const char *text, size_t size, unsigned *n)
{
    size_t stem = strlen(row->stem);
    *n = 0;
    if (size < stem || strncmp(text, row->stem, stem))
        return false;
    if (!row->count)
        return size == stem;
    if (size == stem || size > stem + 2 || (text[stem] == '0' && size > stem + 1))
        return false;
    unsigned value = 0;
    for (size_t i = stem; i < size; i++) {
        if (!isdigit((unsigned char)text[i]))
            return false;
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    *n = value - row->from;
    return value >= row->from && *n < row->count;
}

static unsigned digit(char c)
{
    return isdigit((unsigned char)c) ? (unsigned)(c - '0') : (unsigned)(tolower(c) - 'a' + 10);
}

/* Decimal up to 64 bits, hexadecimal up to BITS. */
static bool parse_value(const char *text, unsigned bits, uint64_t words[4])
{
    memset(words, 0, 4 * sizeof *words);
    if (text[0] == '0' && tolower(text[1]) == 'x') {
        size_t size = strlen(text += 2);
        if (!size || strspn(text, "0123456789abcdefABCDEF") != size || size > bits / 4)
            return false;
        for (size_t i = 0; i < size; i++)
            words[i / 16] |= (uint64_t)digit(text[size - 1 - i]) << 4 * (i % 16);
        return true;
    }
    char *end;
    bool negative = *text == '-';
    errno = 0;
    unsigned long long value = strtoull(text + negative, &end, 10);
    if (!isdigit((unsigned char)text[negative]) || *end || errno)
        return false;
    if (bits < 64 && value >> (bits - negative) > (negative && value == 1ull << (bits - 1)))
        return false;
    words[0] = negative ? -value : value;
    if (bits < 64)
        words[0] &= (1ull << bits) - 1;
    return true;
}

static const char *set(const struct registers *r, const struct row *row, unsigned n,
                       const char *text)
{
    uint64_t words[4];
    if (!parse_value(text, row->bits, words))
        return "whose value is not a number, or has more bits than the register";
    for (unsigned w = 0; w < (row->bits + 63u) / 64; w++) {
        if (nw_reg_write(r->vcpu, number(row, n, w), words[w]) != NW_OK)
            return "whose value the register cannot hold";
    }
    return NULL;
}

const char *registers_set(const struct registers *r, const char *assignment)
{
    size_t size = strcspn(assignment, "=");
    unsigned n;
    if (!assignment[size])
        return "which is not NAME=VALUE";
    for (const struct row *row = rows_of(r->arch); row->stem; row++) {
        if (names(row, assignment, size, &n))
            return set(r, row, n, assignment + size + 1);
    }
    return "which names no register of this architecture";
}

/* ---- printing ---- */

static void print_flags(const struct registers *r, uint64_t flags, FILE *f)
{
    static const struct {
        nw_arch arch;
        uint8_t bit;
        char name[3];
    } bits[] = {
        {NW_ARCH_X86, 0, "cf"}, {NW_ARCH_X86, 2, "pf"},  {NW_ARCH_X86, 4, "af"},
        {NW_ARCH_X86, 6, "zf"}, {NW_ARCH_X86, 7, "sf"},  {NW_ARCH_X86, 8, "tf"},
        {NW_ARCH_X86, 9, "if"}, {NW_ARCH_X86, 10, "df"}, {NW_ARCH_X86, 11, "of"},
        {NW_ARCH_ARM, 31, "n"}, {NW_ARCH_ARM, 30, "z"},  {NW_ARCH_ARM, 29, "c"},
        {NW_ARCH_ARM, 28, "v"}, {NW_ARCH_ARM, 27, "q"},  {NW_ARCH_ARM, 5, "t"},
    };
    nw_arch arch = r->arch == NW_ARCH_ARM ? NW_ARCH_ARM : NW_ARCH_X86;
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
        if (bits[i].arch == arch && flags >> bits[i].bit & 1)
            fprintf(f, " %s", bits[i].name);
    }
}

/* Prints one register; its width in columns. */
static unsigned print_one(const struct registers *r, const struct row *row, unsigned n, FILE *f)
{
    char name[16];
    unsigned width = row->bits / 4;
    snprintf(name, sizeof name, row->count ? "%s%u" : "%s", row->stem, row->from + n);
    fprintf(f, "%-7s ", name);
    for (unsigned w = (row->bits + 63u) / 64; w--;) {
        uint64_t value = 0;
        unsigned digits = width - 16 * w < 16 ? width - 16 * w : 16;
        nw_reg_read(r->vcpu, number(row, n, w), &value);
        fprintf(f, "%0*llx", (int)digits, (unsigned long long)value);
        if (!w && strstr(row->stem, "flags"))
            print_flags(r, value, f);
        if (!w && !strcmp(row->stem, "cpsr"))
            print_flags(r, value, f);
    }
    return width;
}

void registers_print(const struct registers *r, bool all, FILE *f)
{
    enum { LINE = 4 * 16 };
    uint8_t of = r->bits == 64 ? 4 : r->bits == 32 ? 2 : 1;
    unsigned used = 0, last = 0;
    for (const struct row *row = rows_of(r->arch); row->stem; row++) {
        if (row->group == ALIAS || (row->group == OTHER && !all) || !(row->of & of))
            continue;
        for (unsigned n = 0; n < (row->count ? row->count : 1u); n++) {
            unsigned width = row->bits / 4;
            bool fresh = used && (used + width > LINE || (width != last && last));
            if (used)
                fputs(fresh ? "\n" : "  ", f);
            used = (fresh ? 0 : used) + (width < 16 ? 16 : width);
            last = width;
            print_one(r, row, n, f);
        }
    }
    fputc('\n', f);
}
