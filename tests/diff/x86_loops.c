/* Random loops of vector instructions, translated and interpreted:
 *
 *     x86_loops [--engine MODE] [--seed N] [--cases N]
 *
 * With and without limits, since a run that counts is made of other blocks. A loop of one block
 * runs often enough to be linked to itself, where the translator keeps vector registers of the
 * guest in the host's (src/host/x86_64/emit_carry.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/x86/decode.h"
#include "rng.h"
#include "x86_engine.h"
#include "x86_skips.h"
#include "x86_undefined.h"

#define REGS   6 /* few, so that they meet */
#define BODY   6
#define DATA   (CASE_LOW + 0x800)
#define ROUNDS 7

struct loops {
    struct rng r;
    ZydisDecoder decoder;
    const struct x86_model *model;
    struct engine *interp, *dbt;
    uint8_t data[CASE_DATA_SIZE];
};

struct loop {
    uint64_t addr;
    uint8_t code[16 * (BODY + 4)];
    unsigned size, top; /* offset of the loop */
};

/* ---- code ---- */

/* Reads and writes nothing but vector registers, rax and what rbx points at. */
static bool harmless(const struct x86_insn *i)
{
    const char *set = ZydisISASetGetString(i->z.meta.isa_set);
    if (strncmp(set, "SSE", 3) != 0 && strncmp(set, "AVX", 3) != 0 && strcmp(set, "FMA") != 0 &&
        strcmp(set, "SSSE3") != 0 && strcmp(set, "AES") != 0)
        return false;
    if (!host_is_amd() && skip_reason(i->z.mnemonic))
        return false;
    if (strstr(set, "GATHER") || strstr(set, "MMX") || strstr(set, "MXCSR"))
        return false;
    for (unsigned n = 0; n < i->z.operand_count; n++) {
        const ZydisDecodedOperand *o = &i->op[n];
        if (o->type == ZYDIS_OPERAND_TYPE_MEMORY && o->mem.base != ZYDIS_REGISTER_RBX)
            return false;
        if (o->type != ZYDIS_OPERAND_TYPE_REGISTER)
            continue;
        ZydisRegisterClass class = ZydisRegisterGetClass(o->reg.value);
        bool general = class == ZYDIS_REGCLASS_GPR32 || class == ZYDIS_REGCLASS_GPR64;
        bool written = o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;
        if (class == ZYDIS_REGCLASS_MMX || (general && written && ZydisRegisterGetId(o->reg.value)))
            return false;
    }
    return true;
}

static unsigned random_bytes(struct rng *r, uint8_t *b)
{
    static const uint8_t prefixes[] = {0, 0x66, 0xf3, 0xf2};
    static const uint8_t maps[] = {1, 1, 1, 1, 1, 1, 1, 2, 2, 3};
    static const uint8_t frequent[] = {0x10, 0x11, 0x12, 0x14, 0x16, 0x28, 0x29, 0x51, 0x58, 0x59,
                                       0x5c, 0x5d, 0x5e, 0x5f, 0x6f, 0x70, 0xc6, 0xd4, 0xef, 0xfe};
    unsigned n = 0, map = maps[below(r, sizeof maps)], prefix = below(r, 4);
    bool memory = below(r, 4) == 0;
    memset(b, 0, 16);
    if (below(r, 3)) {
        b[n++] = 0xc4;
        b[n++] = (uint8_t)(0xe0 | map);
        b[n++] =
            (uint8_t)(below(r, 2) << 7 | (15 - below(r, REGS)) << 3 | below(r, 2) << 2 | prefix);
    } else {
        if (prefix)
            b[n++] = prefixes[prefix];
        b[n++] = 0x0f;
        if (map > 1)
            b[n++] = map == 2 ? 0x38 : 0x3a;
    }
    b[n++] = map == 1 && below(r, 2) ? frequent[below(r, sizeof frequent)] : (uint8_t)next(r);
    b[n++] = (uint8_t)(below(r, REGS) << 3 | (memory ? 0x43 : 0xc0 | below(r, REGS)));
    if (memory)
        b[n++] = (uint8_t)(below(r, 8) * 16);
    b[n] = (uint8_t)next(r);
    return n + 1;
}

static void add_insn(struct loops *l, struct loop *p)
{
    struct x86_insn i;
    do
        random_bytes(&l->r, p->code + p->size);
    while (x86_decode(&l->decoder, l->model, p->code + p->size, 16, &i) != X86_DECODED ||
           !harmless(&i));
    p->size += i.z.length;
}

static void make_loop(struct loops *l, struct loop *p)
{
    static const uint8_t count_down[] = {0x83, 0xea, 0x01, 0x75}; /* sub edx, 1; jnz */
    p->size = 0;
    if (below(&l->r, 2))
        add_insn(l, p);
    p->top = p->size;
    for (unsigned left = 1 + below(&l->r, BODY); left; left--)
        add_insn(l, p);
    memcpy(p->code + p->size, count_down, sizeof count_down);
    p->size += sizeof count_down;
    p->code[p->size] = (uint8_t)(p->top - p->size - 1);
    p->size++;
    if (below(&l->r, 3) == 0)
        add_insn(l, p);
    p->code[p->size++] = 0xcc;
}

/* ---- states ---- */

static uint32_t random_word(struct rng *r, unsigned n)
{
    float f = (float)(int)(below(r, 2000) - 1000) / 16;
    double d = f;
    uint32_t w;
    uint64_t bits;
    memcpy(&w, &f, sizeof w);
    memcpy(&bits, &d, sizeof bits);
    switch (below(r, 4)) {
    case 0: return w;
    case 1: return (uint32_t)(n & 1 ? bits >> 32 : bits);
    case 2: return below(r, 7) - 3;
    default: return (uint32_t)next(r);
    }
}

static void random_state(struct loops *l, const struct loop *p, struct case_state *s)
{
    memset(s, 0, sizeof *s);
    for (unsigned n = 0; n < 16; n++)
        s->gpr[n] = next(&l->r);
    s->gpr[RBX] = DATA;
    s->gpr[RDX] = 1 + below(&l->r, ROUNDS);
    s->rip = p->addr;
    s->eflags = 0x202;
    s->mxcsr = 0x1f80 | below(&l->r, 4) << 13;
    s->fpcw = 0x37f;
    s->ds = s->es = 0x2b;
    for (unsigned n = 0; n < 16; n++)
        for (unsigned k = 0; k < 8; k++) {
            uint32_t w = random_word(&l->r, k);
            memcpy(s->ymm[n] + 4 * k, &w, sizeof w);
        }
    for (unsigned n = 0; n < sizeof l->data; n++)
        l->data[n] = (uint8_t)(n * 37 + s->gpr[RAX]);
}

static bool same(const struct case_result *a, const struct case_result *b)
{
    return a->outcome.end == b->outcome.end && a->state.rip == b->state.rip &&
           a->state.eflags == b->state.eflags && a->state.mxcsr == b->state.mxcsr &&
           memcmp(a->state.gpr, b->state.gpr, sizeof a->state.gpr) == 0 &&
           memcmp(a->state.ymm, b->state.ymm, sizeof a->state.ymm) == 0 &&
           memcmp(a->data, b->data, sizeof a->data) == 0;
}

static void report(const struct loops *l, const struct loop *p, const struct case_state *s)
{
    ZydisFormatter f;
    ZydisFormatterInit(&f, ZYDIS_FORMATTER_STYLE_INTEL);
    printf("edx=%x mxcsr=%x\n", (unsigned)s->gpr[RDX], s->mxcsr);
    for (unsigned at = 0; at < p->size;) {
        struct x86_insn i;
        char text[96];
        if (x86_decode(&l->decoder, l->model, p->code + at, 16, &i) != X86_DECODED)
            break;
        ZydisFormatterFormatInstruction(&f, &i.z, i.op, i.z.operand_count_visible, text,
                                        sizeof text, p->addr + at, NULL);
        printf("%s %s\n", at == p->top ? "top:" : "    ", text);
        at += i.z.length;
    }
}

/* A run that counts is made of other blocks: small ones at its end, and loops that keep what is
 * left of the limit in a register. */
static uint64_t random_limit(struct rng *r)
{
    switch (below(r, 4)) {
    case 0: return 1 + below(r, 70);
    case 1: return 64 + below(r, 64);
    case 2: return 1000000;
    default: return 0;
    }
}

static bool run_loop(struct loops *l, const struct loop *p)
{
    static struct case_result want, got;
    struct case_state s;
    random_state(l, p, &s);
    engine_run(l->interp, &s, l->data, &want);
    engine_set_limit(l->dbt, random_limit(&l->r));
    engine_run(l->dbt, &s, l->data, &got);
    if (same(&want, &got))
        return true;
    report(l, p, &s);
    return false;
}

static struct engine *open_engine(const char *name)
{
    for (const struct engine_mode *m = engine_modes; m->name; m++)
        if (strcmp(m->name, name) == 0)
            return engine_new(m, 64, NULL);
    return NULL;
}

int main(int argc, char **argv)
{
    static struct loops l;
    struct loop p = {.addr = CASE_CODE};
    const char *mode = "dbt";
    unsigned long cases = 20000, failed = 0;
    uint64_t seed = 1;
    for (int n = 1; n + 1 < argc; n += 2) {
        if (strcmp(argv[n], "--engine") == 0)
            mode = argv[n + 1];
        else if (strcmp(argv[n], "--seed") == 0)
            seed = strtoull(argv[n + 1], NULL, 0);
        else if (strcmp(argv[n], "--cases") == 0)
            cases = strtoul(argv[n + 1], NULL, 0);
    }
    l.r.s = 0x9e3779b97f4a7c15ull * (seed + 1) | 1;
    l.model = x86_model_find(NULL);
    x86_decoder_init(&l.decoder, 64, false, l.model);
    l.interp = open_engine("interp");
    l.dbt = open_engine(mode);
    if (!l.interp || !l.dbt) {
        puts("no such engine");
        return 2;
    }
    for (unsigned long n = 0; n < cases; n++) {
        make_loop(&l, &p);
        if (p.addr + 2 * sizeof p.code > CASE_CODE + CASE_CODE_SIZE)
            p.addr = CASE_CODE;
        if (!engine_code(l.interp, p.addr, p.code, p.size) ||
            !engine_code(l.dbt, p.addr, p.code, p.size))
            return 2;
        failed += !run_loop(&l, &p) || !run_loop(&l, &p);
        p.addr += (p.size + 15) & ~15u;
    }
    engine_free(l.interp);
    engine_free(l.dbt);
    printf("seed %llu, engine %s: %lu loops, %lu failed\n", (unsigned long long)seed, mode, cases,
           failed);
    return failed != 0;
}
