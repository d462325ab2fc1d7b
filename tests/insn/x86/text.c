#include "text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const gprs[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                     "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

static const struct {
    const char *name;
    uint32_t bit;
} flags[] = {{"cf", 0x1},  {"pf", 0x4},   {"af", 0x10}, {"zf", 0x40},
             {"sf", 0x80}, {"df", 0x400}, {"of", 0x800}};

static const struct {
    const char *name;
    uint8_t vector;
    bool has_error;
} faults[] = {{"#DE", 0, false},  {"#OF", 4, false}, {"#BR", 5, false}, {"#UD", 6, false},
              {"#NP", 11, true},  {"#SS", 12, true}, {"#GP", 13, true}, {"#PF", 14, true},
              {"#MF", 16, false}, {"#XM", 19, false}};
#define RF       (1u << 16) /* shown by faults only */
#define COUNT(a) (sizeof(a) / sizeof *(a))

/* Every register different, so that "unchanged" means something. */
static void defaults(struct x86_text *t)
{
    struct case_state *s = &t->before;

    memset(s, 0, sizeof *s);
    for (unsigned i = 0; i < 16; i++)
        s->gpr[i] = 0x0101010101010101u * (0x10 + i);
    s->gpr[RSP] = CASE_LOW + 0x800;
    for (unsigned i = 0; i < 16; i++)
        for (unsigned k = 0; k < 32; k++)
            s->ymm[i][k] = (uint8_t)(0x20 + 3 * i + k);
    s->rip = X86_TEXT_CODE;
    s->eflags = 0x202;
    s->mxcsr = 0x1f80;
    s->fpcw = 0x37f;
    s->fs_base = CASE_FS_BASE32;
    s->gs_base = t->bits == 64 ? CASE_HIGH - 0x800 : CASE_GS_BASE32;
    s->ds = s->es = 0x2b;
    for (unsigned i = 0; i < CASE_DATA_SIZE; i++)
        t->data[i] = (uint8_t)(i * 7 + (i >> 8));
}

/* Hexadecimal digits of at most SIZE bytes, the most significant first. */
static bool parse_wide(const char *s, uint8_t *to, unsigned size)
{
    size_t n = strlen(s);

    if (n > 2 && s[0] == '0' && s[1] == 'x')
        s += 2, n -= 2;
    if (!n || n > 2 * size)
        return false;
    memset(to, 0, size);
    for (size_t i = 0; i < n; i++) {
        char digit[2] = {s[n - 1 - i], 0};
        if (!isxdigit((unsigned char)*digit))
            return false;
        to[i / 2] |= (uint8_t)(strtoul(digit, NULL, 16) << (i % 2 ? 4 : 0));
    }
    return true;
}

static bool parse_number(const char *s, uint64_t *out)
{
    char *end;
    bool negative = *s == '-';

    *out = strtoull(s + negative, &end, 0);
    if (negative)
        *out = 0 - *out;
    return end != s + negative && !*end;
}

static bool set_memory(uint8_t *data, const char *name, const char *text)
{
    char *end;
    uint64_t addr = strtoull(name + 1, &end, 0);
    unsigned size = end[0] == ']' && end[1] == '.' ? (unsigned)strtoul(end + 2, NULL, 0) : 0;
    int at = case_data_at(addr);

    if (at < 0 || !size || size > 64 || at + size > CASE_DATA_SIZE)
        return false;
    return parse_wide(text, data + at, size);
}

static bool set_vector(struct case_state *s, const char *name, const char *text)
{
    unsigned n = (unsigned)strtoul(name + 3, NULL, 10);

    return n < 16 && parse_wide(text, s->ymm[n], name[0] == 'y' ? 32 : 16);
}

static bool set_x87(struct case_state *s, const char *name, const char *text)
{
    unsigned n = (unsigned)strtoul(name + 2, NULL, 10), at = ((s->fpsw >> 11) + n) & 7;

    s->fptag |= (uint16_t)(1u << at);
    return n < 8 && parse_wide(text, s->st[at], 10);
}

static bool set_word(struct case_state *s, const char *name, uint64_t v)
{
    for (unsigned i = 0; i < 16; i++) {
        if (!strcmp(name, gprs[i])) {
            s->gpr[i] = v;
            return true;
        }
    }
    for (unsigned i = 0; i < COUNT(flags); i++) {
        if (!strcmp(name, flags[i].name)) {
            s->eflags = (s->eflags & ~flags[i].bit) | (v ? flags[i].bit : 0);
            return true;
        }
    }
    if (!strcmp(name, "rip"))
        s->rip = v;
    else if (!strcmp(name, "eflags"))
        s->eflags = (uint32_t)v;
    else if (!strcmp(name, "mxcsr"))
        s->mxcsr = (uint32_t)v;
    else if (!strcmp(name, "fpcw"))
        s->fpcw = (uint16_t)v;
    else if (!strcmp(name, "fpsw"))
        s->fpsw = (uint16_t)v;
    else if (!strcmp(name, "fptag"))
        s->fptag = (uint16_t)v;
    else
        return false;
    return true;
}

static bool set_item(struct case_state *s, uint8_t *data, char *item)
{
    char *text = strchr(item, '=');
    uint64_t v;

    if (!text)
        return false;
    *text++ = 0;
    if (item[0] == '[')
        return set_memory(data, item, text);
    if (!strncmp(item, "xmm", 3) || !strncmp(item, "ymm", 3))
        return set_vector(s, item, text);
    if (item[0] == 's' && item[1] == 't' && isdigit((unsigned char)item[2]))
        return set_x87(s, item, text);
    return parse_number(text, &v) && set_word(s, item, v);
}

/* "#PF(2)", with the address in the next word. */
static bool parse_fault(struct case_outcome *o, const char *item)
{
    for (unsigned i = 0; i < COUNT(faults); i++) {
        size_t n = strlen(faults[i].name);
        if (strncmp(item, faults[i].name, n))
            continue;
        *o = (struct case_outcome){.end = CASE_FAULT, .vector = faults[i].vector};
        if (faults[i].has_error)
            o->error = item[n] == '(' ? (uint32_t)strtoul(item + n + 1, NULL, 0) : ~0u;
        return true;
    }
    return false;
}

static bool parse_side(char *text, struct case_state *s, uint8_t *data, struct case_outcome *o)
{
    bool moved = false;

    for (char *save, *item = strtok_r(text, " \t\n", &save); item;
         item = strtok_r(NULL, " \t\n", &save)) {
        if (item[0] == '#') {
            if (!parse_fault(o, item))
                return false;
            if (!moved)
                s->rip = X86_TEXT_CODE;
        } else if (o->end == CASE_FAULT && o->vector == 14 && isdigit((unsigned char)item[0])) {
            o->addr = strtoull(item, NULL, 0);
        } else {
            moved |= !strncmp(item, "rip=", 4);
            if (!set_item(s, data, item))
                return false;
        }
    }
    return true;
}

static bool parse_bytes(struct x86_text *t, const char *s, const char *end)
{
    for (t->size = 0; s < end; s++) {
        unsigned v;
        if (isspace((unsigned char)*s))
            continue;
        if (t->size == sizeof t->bytes || sscanf(s, "%2x", &v) != 1)
            return false;
        t->bytes[t->size++] = (uint8_t)v;
        s++;
    }
    return t->size > 0;
}

int x86_text_parse(struct x86_text *t, const char *line, const char **why)
{
    char copy[2048];
    const char *quote, *colon, *arrow;
    struct case_outcome none = {.end = CASE_BREAK};

    while (isspace((unsigned char)*line))
        line++;
    if (!*line || *line == '#')
        return 0;
    *why = "not of the form 64: bytes \"asm\" : before => after";
    t->amd = !strncmp(line, "amd ", 4);
    if (t->amd)
        line += 4;
    t->bits = !strncmp(line, "64:", 3) ? 64 : !strncmp(line, "32:", 3) ? 32 : 0;
    quote = strchr(line, '"');
    colon = quote ? strstr(quote, "\" :") : NULL;
    arrow = colon ? strstr(colon, "=>") : NULL;
    if (!t->bits || !arrow || strlen(line) >= sizeof copy || !parse_bytes(t, line + 3, quote))
        return -1;
    snprintf(t->head, sizeof t->head, "%.*s", (int)(arrow - line), line);
    defaults(t);
    *why = "a name or a value is not known";
    snprintf(copy, sizeof copy, "%.*s", (int)(arrow - colon - 3), colon + 3);
    if (!parse_side(copy, &t->before, t->data, &none))
        return -1;
    t->before.rip = X86_TEXT_CODE;
    t->after.state = t->before;
    t->after.state.rip += t->size;
    t->after.outcome = none;
    memcpy(t->after.data, t->data, CASE_DATA_SIZE);
    snprintf(copy, sizeof copy, "%s", arrow + 2);
    return parse_side(copy, &t->after.state, t->after.data, &t->after.outcome) ? 1 : -1;
}

/* ---- printing ---- */

static void print_wide(const char *name, unsigned n, const uint8_t *b, unsigned size)
{
    printf(" %s%u=0x", name, n);
    while (size--)
        printf("%02x", b[size]);
}

static void print_words(const struct case_state *b, const struct case_state *a)
{
    const struct {
        const char *name;
        uint32_t before, after;
    } words[] = {
        {"mxcsr", b->mxcsr, a->mxcsr}, {"fpcw", b->fpcw, a->fpcw}, {"fpsw", b->fpsw, a->fpsw}};
    uint32_t named = RF;

    for (unsigned i = 0; i < 16; i++) {
        if (a->gpr[i] != b->gpr[i])
            printf(" %s=0x%" PRIx64, gprs[i], a->gpr[i]);
    }
    for (unsigned i = 0; i < COUNT(flags); i++)
        named |= flags[i].bit;
    if ((a->eflags ^ b->eflags) & ~named)
        printf(" eflags=0x%x", a->eflags & ~RF);
    for (unsigned i = 0; i < COUNT(flags) && !((a->eflags ^ b->eflags) & ~named); i++) {
        if ((a->eflags ^ b->eflags) & flags[i].bit)
            printf(" %s=%u", flags[i].name, a->eflags & flags[i].bit ? 1 : 0);
    }
    for (unsigned i = 0; i < COUNT(words); i++) {
        if (words[i].before != words[i].after)
            printf(" %s=0x%x", words[i].name, words[i].after);
    }
}

static void print_registers(const struct case_state *b, const struct case_state *a)
{
    uint16_t tags = b->fptag;

    for (unsigned i = 0; i < 8; i++) {
        unsigned at = ((a->fpsw >> 11) + i) & 7;
        if (memcmp(a->st[at], b->st[at], 10)) {
            print_wide("st", i, a->st[at], 10);
            tags |= (uint16_t)(1u << at);
        }
    }
    if (tags != a->fptag)
        printf(" fptag=0x%x", a->fptag);
    for (unsigned i = 0; i < 16; i++) {
        if (memcmp(a->ymm[i] + 16, b->ymm[i] + 16, 16))
            print_wide("ymm", i, a->ymm[i], 32);
        else if (memcmp(a->ymm[i], b->ymm[i], 16))
            print_wide("xmm", i, a->ymm[i], 16);
    }
}

static void print_data(const uint8_t *b, const uint8_t *a)
{
    for (unsigned i = 0; i < CASE_DATA_SIZE; i += 8) {
        uint64_t v;
        memcpy(&v, a + i, 8);
        if (memcmp(a + i, b + i, 8))
            printf(" [0x%" PRIx64 "].8=0x%" PRIx64, case_data_addr(i), v);
    }
}

void x86_text_print(const struct x86_text *t, const struct case_result *r)
{
    const struct case_outcome *o = &r->outcome;
    uint64_t rip = t->before.rip + (o->end == CASE_FAULT ? 0 : t->size);

    printf("%s%s=>", t->amd ? "amd " : "", t->head);
    print_words(&t->before, &r->state);
    print_registers(&t->before, &r->state);
    print_data(t->data, r->data);
    if (r->state.rip != rip)
        printf(" rip=0x%" PRIx64, r->state.rip);
    for (unsigned i = 0; o->end == CASE_FAULT && i < COUNT(faults); i++) {
        if (faults[i].vector != o->vector)
            continue;
        printf(" %s", faults[i].name);
        if (faults[i].has_error)
            printf("(%u)", o->error);
        if (o->vector == 14)
            printf(" 0x%" PRIx64, o->addr);
    }
    putchar('\n');
}
