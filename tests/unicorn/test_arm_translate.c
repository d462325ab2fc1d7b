/*
 * Random translation tables of ARM: loads, stores, fetches, unprivileged accesses and the address
 * translation operations under them. What each does is a line; the lines of a CPU model have a
 * hash, which is the one that Unicorn's library gives. With UCT_LINES=SEED the lines are printed
 * instead, to be compared between the libraries; UCT_CASES says how many tables of each model.
 */
#include <inttypes.h>
#include <stdio.h>
#include "uc_test.h"

#define RAM    0x1000000u /* from 0 on */
#define TABLES 0x100000u  /* 1 MiB of them: first levels, and from REST on the others */
#define REST   0x10000u
#define LAST   0x80000u  /* long descriptors: those of level 3 from here on */
#define SECOND 0x8000u   /* what TTBR1 says */
#define WORDS  0x200000u /* content(address) from here to the end */

enum { V6 = 1, V6K = 2, V7 = 4, LPAE = 8, PROBE = 16 };

struct model {
    int cpu;
    unsigned has;
    uint64_t hash;
};

struct tables {
    uc_engine *uc;
    const struct model *model;
    uint64_t random, hash;
    bool wide; /* long descriptors */
    uint32_t sctlr, ttbcr;
    int interrupt; /* that was reported last, or -1 */
    bool print;
};

static uint8_t memory[0x100000];

static uint32_t any(struct tables *t)
{
    t->random = t->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(t->random >> 33) ^ (uint32_t)(t->random >> 60);
}

static uint32_t below(struct tables *t, uint32_t n)
{
    return any(t) % n;
}

static bool one_in(struct tables *t, uint32_t n)
{
    return !below(t, n);
}

__attribute__((format(printf, 2, 3))) static void say(struct tables *t, const char *fmt, ...)
{
    char text[128];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    for (const char *c = text; *c; c++)
        t->hash = (t->hash ^ (uint8_t)*c) * 0x100000001b3u;
    if (t->print)
        fputs(text, stdout);
}

static uint32_t get(struct tables *t, int reg)
{
    uint32_t v = 0;

    ok(uc_reg_read(t->uc, reg, &v));
    return v;
}

static void set(struct tables *t, int reg, uint32_t v)
{
    ok(uc_reg_write(t->uc, reg, &v));
}

static void set_cp(struct tables *t, uint32_t crn, uint32_t crm, uint32_t opc2, uint32_t v)
{
    uc_arm_cp_reg r = {.cp = 15, .crn = crn, .crm = crm, .opc2 = opc2, .val = v};

    ok(uc_reg_write(t->uc, UC_ARM_REG_CP_REG, &r));
}

static void set_cp_wide(struct tables *t, uint32_t opc1, uint32_t crm, uint64_t v)
{
    uc_arm_cp_reg r = {.cp = 15, .is64 = 1, .crm = crm, .opc1 = opc1, .val = v};

    ok(uc_reg_write(t->uc, UC_ARM_REG_CP_REG, &r));
}

/* An instruction that works wherever it is read as one: mov rN, #constant. */
static uint32_t content(uint32_t at)
{
    return 0xe3a00000u | (at >> 2 & 7) << 12 | (at >> 10 & 0xfff);
}

/* ---- random descriptors; addresses are those of tables or of memory ---- */

static uint32_t page(struct tables *t, unsigned size_log)
{
    return (WORDS + below(t, RAM - WORDS)) & ~((1u << size_log) - 1);
}

static uint32_t table(struct tables *t, unsigned size_log)
{
    return (TABLES + REST + below(t, 0x100000 - REST)) & ~((1u << size_log) - 1);
}

static uint32_t section(struct tables *t, uint32_t attributes, bool pxn)
{
    return page(t, 20) | (attributes & 0x3fffc) | (pxn ? 3 : 2);
}

static uint32_t first_level(struct tables *t)
{
    uint32_t d = any(t);

    switch (below(t, 8)) {
    case 0: return d & ~3u;
    case 1:
    case 2:
    case 3: return table(t, 10) | (d & 0x3fc) | 1;
    case 4: /* a table of fine pages, or a section that privileged modes do not execute */
        return t->model->has & LPAE ? section(t, d, true) : table(t, 12) | (d & 0xffc) | 3;
    case 5: return (d & 0x7fe1c) | 1u << 18 | 2; /* the only supersection there is memory for */
    default: return section(t, d, false);
    }
}

static uint32_t second_level(struct tables *t)
{
    uint32_t d = any(t);

    switch (below(t, 8)) {
    case 0: return d & ~3u;
    case 1:
    case 2: return page(t, 16) | (d & 0xfffc) | 1;
    case 3:
    case 4:
    case 5: return page(t, 12) | (d & 0xffc) | 2;
    default: return page(t, 10) | (d & 0x3fc) | 3;
    }
}

static uint64_t long_descriptor(struct tables *t, unsigned level)
{
    uint64_t low = any(t), d = low | (uint64_t)any(t) << 32;
    uint64_t attributes = (d & 0xbfc) | (d & 3ull << 53) | (one_in(t, 8) ? 0 : 1u << 10);
    uint64_t limits = one_in(t, 3) ? d & 0x1full << 59 : 0;

    switch (below(t, 8)) {
    case 0: return d & ~1ull;
    case 1:
    case 2:
        if (level == 1)
            return attributes | 1;
        if (level == 2)
            return page(t, 21) | attributes | 1;
        return page(t, 12) | attributes | 1; /* is none */
    default: break;
    }
    if (level == 3)
        return page(t, 12) | attributes | 3;
    if (level == 1)
        return (TABLES + REST + below(t, 0x70) * 0x1000) | limits | 3;
    return (TABLES + LAST + below(t, 0x7f) * 0x1000) | limits | 3;
}

static void fill_long(struct tables *t)
{
    uint64_t *at = (uint64_t *)(void *)memory;
    unsigned first = (t->ttbcr & 7) < 2 ? 1 : 2, second = (t->ttbcr >> 16 & 7) < 2 ? 1 : 2;
    uint64_t code = 3u << 6 | 1u << 10 | 1; /* 2 MiB that everybody reads */

    for (uint32_t k = 0; k < sizeof memory; k += 8)
        at[k / 8] = long_descriptor(t, k >= LAST     ? 3
                                       : k >= REST   ? 2
                                       : k >= SECOND ? second
                                                     : first);
    at[0] = code;
    if (first == 1) {
        at[0] = (TABLES + LAST - 0x1000) | 3;
        at[(LAST - 0x1000) / 8] = code;
    }
}

static void fill_short(struct tables *t)
{
    uint32_t *at = (uint32_t *)(void *)memory;

    for (uint32_t k = 0; k < sizeof memory; k += 4)
        at[k / 4] = k < REST ? first_level(t) : second_level(t);
    at[0] = 0xc02 | 15 << 5; /* domain 15: everything is allowed */
}

/* ---- a case: tables, and what decides about them ---- */

static void choose(struct tables *t)
{
    unsigned has = t->model->has;

    t->wide = has & LPAE && one_in(t, 2);
    t->sctlr = has & V7 ? 0x00c50078 : 0x78;
    if (has & V6 && !(has & V7) && !one_in(t, 3))
        t->sctlr |= 1u << 23; /* XP */
    if (!(has & V7))
        t->sctlr |= below(t, 4) << 8; /* S, R */
    if (has & V6K)
        t->sctlr |= below(t, 2) << 29; /* AFE */
    if (has & V7)
        t->sctlr |= below(t, 2) << 28; /* TRE */
    if (one_in(t, 4))
        t->sctlr |= 2;
    t->ttbcr = one_in(t, 2) ? below(t, 8) : 0;
    if (t->wide) {
        t->sctlr |= below(t, 4) << 19; /* WXN, UWXN */
        t->ttbcr |= 1u << 31 | (one_in(t, 2) ? below(t, 8) << 16 : 0);
        t->ttbcr |= one_in(t, 6) ? 1u << 23 : 0; /* EPD1 */
    } else if (has & V6K && one_in(t, 6)) {
        t->ttbcr |= 1u << 5; /* PD1 */
    }
}

static void set_tables(struct tables *t)
{
    uint32_t dacr = 1u << 30 | (any(t) & 0x3fffffff);

    if (one_in(t, 2))
        dacr |= 0x15555555;
    if (t->wide)
        fill_long(t);
    else
        fill_short(t);
    ok(uc_mem_write(t->uc, TABLES, memory, sizeof memory));
    set_cp(t, 2, 0, 2, t->ttbcr);
    if (t->wide) {
        set_cp_wide(t, 0, 2, TABLES);
        set_cp_wide(t, 1, 2, TABLES + SECOND);
        set_cp(t, 10, 2, 0, 0xff44bb04); /* MAIR */
        set_cp(t, 10, 2, 1, 0x00ee4404);
    } else {
        set_cp(t, 2, 0, 0, TABLES);
        set_cp(t, 2, 0, 1, TABLES + SECOND);
    }
    set_cp(t, 3, 0, 0, dacr);
    set_cp(t, 1, 0, 0, t->sctlr | 1);
    ok(uc_ctl_flush_tlb(t->uc));
    say(t, "%s sctlr %x ttbcr %x dacr %x\n", t->wide ? "long" : "short", t->sctlr, t->ttbcr, dacr);
}

/* ---- accesses ---- */

enum kind { LOAD, STORE, FETCH, ASK };

static const struct op {
    const char *name;
    uint32_t insn; /* r9: address, r10: what is stored */
    unsigned size_log;
    enum kind kind;
} ops[] = {
    {"ldr", 0xe5990000, 2, LOAD},   {"ldrb", 0xe5d90000, 0, LOAD},    {"ldrh", 0xe1d900b0, 1, LOAD},
    {"str", 0xe589a000, 2, STORE},  {"strb", 0xe5c9a000, 0, STORE},   {"ldrt", 0xe4b90000, 2, LOAD},
    {"strt", 0xe4a9a000, 2, STORE}, {"mov pc", 0xe1a0f009, 2, FETCH}, {"ats", 0xee079f18, 2, ASK},
};

static void interrupted(uc_engine *uc, uint32_t number, void *user)
{
    ((struct tables *)user)->interrupt = (int)number;
    uc_emu_stop(uc);
}

static void run(struct tables *t, const struct op *op, uint32_t insn, uint32_t va, bool user)
{
    uint32_t code[2] = {insn, 0xe1a00000};
    uint32_t cpsr = user ? 0x1d0 : 0x1d3;
    uc_err error;

    for (int n = 0; n < 8; n++)
        set(t, UC_ARM_REG_R0 + n, 0x1111);
    set(t, UC_ARM_REG_R9, va);
    set(t, UC_ARM_REG_R10, 0x5a5a5a5a);
    set(t, UC_ARM_REG_CPSR, cpsr);
    ok(uc_mem_write(t->uc, CODE, code, sizeof code));
    ok(uc_ctl_remove_cache(t->uc, CODE, CODE + 8));
    t->interrupt = -1;
    /* What is fetched is executed: one instruction. */
    error = op->kind == FETCH ? uc_emu_start(t->uc, CODE, 0xfffffff0, 0, 2)
                              : uc_emu_start(t->uc, CODE, CODE + 4, 0, 1);
    say(t, "%c %s %08x: %d %d pc %x", user ? 'u' : 'p', op->name, va, error, t->interrupt,
        get(t, UC_ARM_REG_PC));
    for (int n = 0; n < 8; n++)
        if (get(t, UC_ARM_REG_R0 + n) != 0x1111)
            say(t, " r%d=%x", n, get(t, UC_ARM_REG_R0 + n));
    set(t, UC_ARM_REG_CPSR, cpsr);
}

static void say_par(struct tables *t)
{
    uc_arm_cp_reg r = {.cp = 15, .is64 = t->wide, .crn = t->wide ? 0 : 7, .crm = t->wide ? 7 : 4};

    ok(uc_reg_read(t->uc, UC_ARM_REG_CP_REG, &r));
    if (r.val & 1)
        say(t, " fault"); /* which of two faults comes first is not the same */
    else
        say(t, " par %" PRIx64, r.val);
}

/* What a store has left, which then goes. */
static void say_stored(struct tables *t, uint32_t va)
{
    uint64_t pa = 0;
    uint32_t v = 0;

    if (uc_vmem_translate(t->uc, va, UC_PROT_READ, &pa) || pa >= RAM)
        return;
    pa &= ~3ull;
    ok(uc_mem_read(t->uc, pa, &v, 4));
    say(t, " memory %x", v);
    v = content((uint32_t)pa);
    if (pa >= WORDS)
        ok(uc_mem_write(t->uc, pa, &v, 4));
}

static void say_translations(struct tables *t, uint32_t va)
{
    static const uc_prot prots[] = {UC_PROT_READ, UC_PROT_WRITE, UC_PROT_EXEC};

    for (int n = 0; n < 3; n++) {
        uint64_t pa = 0;

        if (uc_vmem_translate(t->uc, va, prots[n], &pa) || pa >= RAM)
            say(t, " -");
        else
            say(t, " %" PRIx64, pa);
    }
}

static void access_somewhere(struct tables *t)
{
    const struct op *op = &ops[below(t, sizeof ops / sizeof ops[0])];
    uint32_t va = any(t), insn = op->insn;
    bool user = one_in(t, 2);

    if (one_in(t, 3))
        va &= 0x0fffffff;
    if (one_in(t, 3))
        va |= 0xf0000000;
    va &= ~((1u << op->size_log) - 1);
    if (va < WORDS || va >= 0xffffff00) /* where code is, and where the address space ends */
        return;
    if (op->kind == ASK) {
        if (!(t->model->has & PROBE))
            return;
        insn |= below(t, 4) << 5; /* read or write, privileged or not */
        user = false;
    }
    run(t, op, insn, va, user);
    if (op->kind == ASK)
        say_par(t);
    if (op->kind == STORE)
        say_stored(t, va);
    say_translations(t, va);
    say(t, "\n");
}

static void one_case(struct tables *t)
{
    choose(t);
    set_tables(t);
    for (int n = 0; n < 40; n++)
        access_somewhere(t);
    set_cp(t, 1, 0, 0, t->sctlr);
    ok(uc_ctl_flush_tlb(t->uc));
}

static void fill_memory(uc_engine *uc)
{
    uint32_t *words = malloc(RAM - WORDS);

    assert_non_null(words);
    for (uint32_t at = WORDS; at < RAM; at += 4)
        words[(at - WORDS) / 4] = content(at);
    ok(uc_mem_write(uc, WORDS, words, RAM - WORDS));
    free(words);
}

static uint64_t number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 0) : otherwise;
}

static void test_model(void **state)
{
    const struct model *m = *state;
    struct tables t = {.model = m, .hash = 0xcbf29ce484222325u, .print = getenv("UCT_LINES")};
    uint64_t cases = number("UCT_CASES", 10);
    uc_hook hook;

    NEEDS_2_1();
    t.random = number("UCT_LINES", 1) * 1000003 + (uint64_t)m->cpu;
    ok(uc_open(UC_ARCH_ARM, UC_MODE_ARM, &t.uc));
    ok(uc_ctl_set_cpu_model(t.uc, m->cpu));
    ok(uc_mem_map(t.uc, 0, RAM, UC_PROT_ALL));
    fill_memory(t.uc);
    ok(uc_hook_add(t.uc, &hook, UC_HOOK_INTR, (void *)interrupted, &t, 1, 0));
    while (cases--)
        one_case(&t);
    if (!t.print && t.hash != m->hash)
        fail_msg("model %d: hash 0x%016" PRIx64 ", not 0x%016" PRIx64, m->cpu, t.hash, m->hash);
    ok(uc_close(t.uc));
}

#define V6K_UP (V6 | V6K | PROBE)
static struct model models[] = {
    {UC_CPU_ARM_926, 0, 0xb87a237827b8cf86},
    {UC_CPU_ARM_1136_R2, V6, 0x41f435ae609bbde2},
    {UC_CPU_ARM_1136, V6 | V6K, 0x5e796c1b7b9fae11},
    {UC_CPU_ARM_1176, V6K_UP, 0x1e6636491f4a51f0},
    {UC_CPU_ARM_11MPCORE, V6K_UP, 0x45334bb48b595637},
    {UC_CPU_ARM_CORTEX_A7, V6K_UP | V7 | LPAE, 0x1ba1c062a0b69e88},
    {UC_CPU_ARM_CORTEX_A8, V6K_UP | V7, 0x391ed0bf7cc3afa5},
    {UC_CPU_ARM_CORTEX_A9, V6K_UP | V7, 0xcccf9a466baf8882},
    {UC_CPU_ARM_CORTEX_A15, V6K_UP | V7 | LPAE, 0x9318251a121302f1},
    {UC_CPU_ARM_TI925T, 0, 0x923cd4672691871c},
    {UC_CPU_ARM_SA1110, 0, 0xc0f657207095f384},
    {UC_CPU_ARM_PXA270, 0, 0x6701197475b4dca8},
};

int main(void)
{
    struct CMUnitTest tests[sizeof models / sizeof models[0]];
    size_t n = sizeof models / sizeof models[0];

    for (size_t k = 0; k < n; k++)
        tests[k] = (struct CMUnitTest){"test_model", test_model, NULL, NULL, &models[k]};
    return _cmocka_run_group_tests("arm_translate", tests, n, NULL, NULL);
}
