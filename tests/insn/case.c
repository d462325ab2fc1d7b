#include "case.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const outcome_names[] = {
    "ok",         "undefined",   "svc",         "bkpt",         "halt",
    "fault read", "fault write", "fault fetch", "engine error",
};

static bool parse_number(const char *s, uint64_t *out)
{
    char *end;
    bool negative = *s == '-';
    *out = strtoull(s + negative, &end, 0);
    if (negative)
        *out = 0 - *out;
    return end != s + negative && !*end;
}

/* A floating-point register takes bits in hexadecimal or a number ("1.5", "-inf"). */
static bool parse_float(const char *s, bool is_double, uint64_t *out)
{
    if (!strncasecmp(s, "0x", 2))
        return parse_number(s, out);
    char *end;
    double d = strtod(s, &end);
    float f = strtof(s, &end);
    *out = 0;
    memcpy(out, is_double ? (void *)&d : (void *)&f, is_double ? 8 : 4);
    return *s && !*end;
}

static void set_bits(uint32_t *word, unsigned lsb, unsigned width, uint64_t value)
{
    uint32_t mask = (width == 32 ? ~0u : (1u << width) - 1) << lsb;
    *word = (*word & ~mask) | ((uint32_t)value << lsb & mask);
}

static bool set_memory(struct machine_state *s, const char *name, uint64_t value)
{
    char *end;
    unsigned long addr = strtoul(name + 1, &end, 0);
    unsigned size = end[0] == ']' && end[1] == '.' ? (unsigned)strtoul(end + 2, NULL, 0) : 4;
    uint8_t *base = NULL;
    if (addr >= MACHINE_DATA && addr + size <= MACHINE_DATA + MACHINE_PAGE)
        base = s->data + (addr - MACHINE_DATA);
    else if (addr >= MACHINE_CODE && addr + size <= MACHINE_CODE + MACHINE_PAGE)
        base = s->code + (addr - MACHINE_CODE);
    if (!base || size > 8)
        return false;
    memcpy(base, &value, size);
    return true;
}

static bool set_vfp(struct machine_state *s, const char *name, const char *text)
{
    char *end;
    unsigned number = (unsigned)strtoul(name + 1, &end, 10);
    uint64_t value;
    if (*end || number > 31 || !parse_float(text, name[0] == 'd', &value))
        return false;
    if (name[0] == 'd')
        s->d[number] = value;
    else
        memcpy((uint8_t *)s->d + (size_t)number * 4, &value, 4);
    return true;
}

static bool set_cpsr_field(struct machine_state *s, const char *name, uint64_t value)
{
    static const struct {
        const char *name;
        uint8_t lsb, width;
    } fields[] = {
        {"n", 31, 1}, {"z", 30, 1},  {"c", 29, 1},   {"v", 28, 1},    {"nzcv", 28, 4},
        {"q", 27, 1}, {"ge", 16, 4}, {"e", 9, 1},    {"a", 8, 1},     {"i", 7, 1},
        {"f", 6, 1},  {"t", 5, 1},   {"mode", 0, 5}, {"cpsr", 0, 32},
    };
    for (unsigned i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (!strcmp(name, fields[i].name)) {
            set_bits(&s->cpsr, fields[i].lsb, fields[i].width, value);
            return true;
        }
    }
    if (!strcmp(name, "it")) {
        set_bits(&s->cpsr, 25, 2, value & 3);
        set_bits(&s->cpsr, 10, 6, value >> 2);
        return true;
    }
    return false;
}

static bool set_item(struct machine_state *s, const char *name, const char *text)
{
    uint64_t value;
    if ((name[0] == 's' || name[0] == 'd') && isdigit((unsigned char)name[1]))
        return set_vfp(s, name, text);
    if (!parse_number(text, &value))
        return false;
    if (name[0] == '[')
        return set_memory(s, name, value);
    if (name[0] == 'r' && isdigit((unsigned char)name[1])) {
        unsigned long n = strtoul(name + 1, NULL, 10);
        if (n > 15)
            return false;
        s->r[n] = (uint32_t)value;
        return true;
    }
    struct {
        const char *name;
        uint32_t *where;
    } words[] = {
        {"sp", &s->r[13]},          {"lr", &s->r[14]},  {"pc", &s->r[15]},
        {"fpscr", &s->fpscr},       {"spsr", &s->spsr}, {"tpidrurw", &s->tpidrurw},
        {"tpidruro", &s->tpidruro},
    };
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
        if (!strcmp(name, words[i].name)) {
            *words[i].where = (uint32_t)value;
            return true;
        }
    }
    return set_cpsr_field(s, name, value);
}

/* "svc 3", "fault read 0x3000" …: consumes the words of an exception. */
static bool set_outcome(struct machine_state *s, const char *word, char **rest)
{
    static const struct {
        const char *word;
        enum machine_outcome outcome;
        bool number;
    } kinds[] = {
        {"undefined", OUT_UNDEFINED, false},
        {"halt", OUT_HALT, false},
        {"svc", OUT_SVC, true},
        {"bkpt", OUT_BKPT, true},
        {"fault", OUT_FAULT_READ, true},
    };
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(word, kinds[i].word))
            continue;
        s->outcome = kinds[i].outcome;
        if (s->outcome == OUT_FAULT_READ) {
            const char *access = strtok_r(NULL, " \t,", rest);
            if (!access)
                return false;
            if (!strcmp(access, "write"))
                s->outcome = OUT_FAULT_WRITE;
            else if (!strcmp(access, "fetch"))
                s->outcome = OUT_FAULT_FETCH;
        }
        uint64_t value = 0;
        const char *number = kinds[i].number ? strtok_r(NULL, " \t,", rest) : "0";
        if (!number || !parse_number(number, &value))
            return false;
        s->code_or_addr = (uint32_t)value;
        return true;
    }
    return false;
}

static bool parse_items(struct insn_case *c, struct machine_state *s, char *text, const char **why)
{
    char *rest;
    for (char *word = strtok_r(text, " \t\n,", &rest); word;
         word = strtok_r(NULL, " \t\n,", &rest)) {
        char *eq = strchr(word, '=');
        if (!eq) {
            if (s == &c->after && set_outcome(s, word, &rest))
                continue;
            *why = "an item is neither name=value nor an exception";
            return false;
        }
        *eq = 0;
        if (!strcmp(word, "steps")) {
            c->steps = (unsigned)strtoul(eq + 1, NULL, 0);
        } else if (!strcmp(word, "cpu")) {
            snprintf(c->cpu, sizeof c->cpu, "%s", eq + 1);
        } else if (!set_item(s, word, eq + 1)) {
            *why = "an item has an unknown name or a malformed value";
            return false;
        }
    }
    return true;
}

/* The instruction bytes; the number of bytes, or 0. */
static unsigned parse_code(const struct insn_case *c, char *text, uint8_t *out)
{
    unsigned n = 0, size = c->thumb ? 2 : 4;
    char *rest;
    for (char *w = strtok_r(text, " \t", &rest); w && n < 64; w = strtok_r(NULL, " \t", &rest)) {
        char *end;
        uint32_t v = (uint32_t)strtoul(w, &end, 16);
        if (*end || strlen(w) != size * 2)
            return 0;
        memcpy(out + n, &v, size);
        n += size;
    }
    return n;
}

/* Where the pc is after STEPS instructions in a straight line. */
static unsigned straight_length(const struct insn_case *c, const uint8_t *code, unsigned size)
{
    unsigned at = 0;
    for (unsigned i = 0; i < c->steps && at < size; i++) {
        uint16_t half;
        memcpy(&half, code + at, 2);
        at += c->thumb ? (half >= 0xe800 ? 4 : 2) : 4;
    }
    return at;
}

int insn_case_parse(struct insn_case *c, const char *file, unsigned line, const char *text,
                    const char **why)
{
    char buf[1024];
    memset(c, 0, sizeof *c);
    c->file = file;
    c->line = line;
    c->steps = 1;
    while (isspace((unsigned char)*text))
        text++;
    if (!*text || *text == '#')
        return 0;
    snprintf(buf, sizeof buf, "%s", text);
    buf[strcspn(buf, "\n")] = 0;
    snprintf(c->text, sizeof c->text, "%.500s", buf);

    char *quote = strchr(buf, '"'), *quote_end = quote ? strchr(quote + 1, '"') : NULL;
    char *colon = quote_end ? strchr(quote_end, ':') : NULL;
    char *arrow = colon ? strstr(colon, "=>") : NULL;
    *why = "expected: stem bytes \"asm\" : before => after";
    if (!arrow)
        return -1;
    *quote = *colon = *arrow = 0;
    char *stem = buf;
    if (!strncmp(stem, "T:", 2)) {
        c->thumb = true;
        stem += 2;
    }
    size_t stem_len = strcspn(stem, " \t");
    snprintf(c->stem, sizeof c->stem, "%.*s", (int)stem_len, stem);
    char *hash = strchr(arrow + 2, '#');
    if (hash)
        *hash = 0;

    uint8_t code[64];
    unsigned size = parse_code(c, stem + stem_len, code);
    *why = "malformed instruction bytes";
    if (!size)
        return -1;
    c->code_size = size;
    machine_state_default(&c->before);
    if (c->thumb)
        c->before.cpsr |= 1u << 5;
    memcpy(c->before.code, code, size);
    if (!parse_items(c, &c->before, colon + 1, why))
        return -1;
    c->after = c->before;
    /* Code may be placed elsewhere in its page by naming the pc. */
    uint32_t at = c->before.r[15] - MACHINE_CODE;
    if (at && at + size <= MACHINE_PAGE) {
        memset(c->before.code, 0, size);
        memcpy(c->before.code + at, code, size);
        memcpy(c->after.code, c->before.code, MACHINE_PAGE);
    }
    uint32_t straight = c->before.r[15] + straight_length(c, code, size);
    c->after.r[15] = 1; /* odd: not named */
    if (!parse_items(c, &c->after, arrow + 2, why))
        return -1;
    enum machine_outcome o = c->after.outcome;
    if (c->after.r[15] == 1)
        c->after.r[15] = o == OUT_OK || o == OUT_SVC || o == OUT_HALT ? straight : c->before.r[15];
    return 1;
}

struct diff {
    char *out;
    size_t size, used;
    unsigned count;
};

__attribute__((format(printf, 2, 3))) static void differs(struct diff *d, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    if (d->used < d->size) {
        int n = vsnprintf(d->out + d->used, d->size - d->used, format, ap);
        if (n > 0)
            d->used += (size_t)n;
    }
    va_end(ap);
    d->count++;
}

static void diff_bytes(struct diff *d, uint32_t base, const uint8_t *e, const uint8_t *a)
{
    for (unsigned i = 0; i < MACHINE_PAGE; i++) {
        if (e[i] != a[i])
            differs(d, " [0x%x].1: want 0x%02x got 0x%02x", base + i, e[i], a[i]);
    }
}

unsigned insn_state_diff(char *out, size_t size, const struct machine_state *e,
                         const struct machine_state *a)
{
    struct diff d = {.out = out, .size = size};
    if (size)
        out[0] = 0;
    if (e->outcome != a->outcome)
        differs(&d, " outcome: want %s got %s", outcome_names[e->outcome],
                outcome_names[a->outcome]);
    else if (e->code_or_addr != a->code_or_addr)
        differs(&d, " %s: want 0x%x got 0x%x", outcome_names[e->outcome], e->code_or_addr,
                a->code_or_addr);
    for (unsigned i = 0; i < 16; i++) {
        if (e->r[i] != a->r[i])
            differs(&d, " r%u: want 0x%08x got 0x%08x", i, e->r[i], a->r[i]);
    }
    const struct {
        const char *name;
        uint32_t e, a;
    } words[] = {
        {"cpsr", e->cpsr, a->cpsr},
        {"spsr", e->spsr, a->spsr},
        {"fpscr", e->fpscr, a->fpscr},
        {"tpidrurw", e->tpidrurw, a->tpidrurw},
        {"tpidruro", e->tpidruro, a->tpidruro},
    };
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
        if (words[i].e != words[i].a)
            differs(&d, " %s: want 0x%08x got 0x%08x", words[i].name, words[i].e, words[i].a);
    }
    for (unsigned i = 0; i < 32; i++) {
        if (e->d[i] != a->d[i])
            differs(&d, " d%u: want 0x%016llx got 0x%016llx", i, (unsigned long long)e->d[i],
                    (unsigned long long)a->d[i]);
    }
    diff_bytes(&d, MACHINE_CODE, e->code, a->code);
    diff_bytes(&d, MACHINE_DATA, e->data, a->data);
    return d.count;
}
