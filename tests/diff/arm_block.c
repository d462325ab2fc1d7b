#include "arm_block.h"

#include <stdlib.h>
#include <string.h>

#include "guest/arm/decode.h"
#include "guest/arm/state.h"

/* Control flow, system state and what the reference cannot show in user mode. */
static bool left_out(const struct arm_row *row)
{
    static const char *const stems[] = {
        "b",         "bl",        "blx_imm",  "blx_reg",  "bx",      "bxj",     "bkpt",
        "bl_prefix", "bl_suffix", "cbz",      "clrex",    "cps",     "dbg",     "blx_suffix",
        "isb",       "it",        "ldm_eret", "ldm_user", "mcr",     "mcrr",    "mrc",
        "mrrc",      "mrs",       "nop",      "rfe",      "msr_imm", "msr_reg", "sev",
        "srs",       "stm_user",  "setend",   "svc",      "swp",     "swpb",    "tbb",
        "tbh",       "smc",       "udf",      "wfe",      "wfi",     "yield",   "mrs_m",
        "msr_m",     "cps_m",     "nocp",     "sg",       "bxns",    "blxns",   "tt",
    };
    for (unsigned i = 0; i < sizeof stems / sizeof *stems; i++) {
        if (!strcmp(row->name, stems[i]))
            return true;
    }
    static const char *const vfp[] = {"vldr", "vstr", "vadd", "vsub",
                                      "vmul", "vneg", "vabs", "vmov_core"};
    for (unsigned i = 0; i < sizeof vfp / sizeof *vfp; i++) {
        if (!strcmp(row->name, vfp[i]))
            return false;
    }
    return row->name[0] == 'v' || strstr(row->name, "ex") == row->name + 2 ||
           strstr(row->name, "strex");
}

static bool is_memory(const struct arm_row *row)
{
    return !strncmp(row->name, "ld", 2) || !strncmp(row->name, "st", 2) ||
           !strcmp(row->name, "vldr") || !strcmp(row->name, "vstr");
}

/* Mostly UNPREDICTABLE: the pc, in T32 the sp too, and Rd twice. */
static bool awkward(const struct arm_insn *i)
{
    const uint8_t used[] = {i->d, i->n, i->m, i->s, i->a, i->t, i->t2};

    for (unsigned k = 0; k < sizeof used; k++) {
        if (used[k] == 15 || (used[k] == 13 && i->row->set == ARM_SET_T32))
            return true;
    }
    return i->d == i->a && i->d;
}

/* Registers that the instruction may write, as a mask. */
static unsigned written(const struct arm_insn *i)
{
    bool store = !strncmp(i->row->name, "st", 2);
    return store ? 0 : 1u << i->d | 1u << i->a | 1u << i->t | 1u << i->t2 | i->list;
}

/* In blocks full of memory accesses some registers are known to point into the data page; accesses
 * go to small offsets from them. */
static bool stays_in_page(const struct arm_insn *i, unsigned pointers)
{
    bool indexed = strchr(i->row->pattern, 'P') && !i->P;
    bool offset = i->list || strchr(i->row->pattern, 'i');
    return pointers >> i->n & 1 && offset && !indexed && !i->W && i->imm < 0x3c0;
}

/* Writes one random instruction at AT; its size. */
static unsigned put_insn(struct generator *g, uint8_t *at)
{
    for (;;) {
        bool memory = g->memory && below(&g->r, 2);
        const struct arm_row *row = &arm_rows[memory ? g->memory_rows[below(&g->r, g->nmemory_rows)]
                                                     : g->rows[below(&g->r, g->nrows)]];
        struct arm_insn insn;
        uint32_t raw = ((uint32_t)(next(&g->r) >> 16) & ~row->mask) | row->value;

        raw = (raw & ~row->should_mask) | row->should_value;
        if (row->set == ARM_SET_A32 && row->flags & ARM_ROW_COND && below(&g->r, 2))
            raw = (raw & 0x0fffffffu) | 0xe0000000u;
        if (is_memory(row) && !g->memory && below(&g->r, 8))
            continue;
        if (!arm_decode(row->set, raw, g->features, &insn) || insn.row != row)
            continue;
        if (insn.d == 15 || insn.t == 15 || insn.t2 == 15 || insn.list >> 15)
            continue;
        /* The reference keeps the lower bits of M profile's stack pointer. */
        if (g->features & ARM_F_M &&
            (insn.d == 13 || insn.t == 13 || insn.t2 == 13 || (insn.n == 13 && is_memory(row))))
            continue;
        if (awkward(&insn) && below(&g->r, 32))
            continue;
        if (g->memory && is_memory(row) && !stays_in_page(&insn, g->pointers))
            continue;
        g->pointers &= ~written(&insn);
        if (row->set == ARM_SET_T32)
            raw = raw >> 16 | raw << 16;
        memcpy(at, &raw, insn.size);
        return insn.size;
    }
}

/* add rX, rP, #small: another pointer, from one of those that are left. */
static unsigned put_pointer(struct generator *g, uint8_t *at)
{
    unsigned n = below(&g->r, 8), d = below(&g->r, 8), imm = below(&g->r, 64);

    while (!(g->pointers >> n & 1))
        n = (n + 1) % 8;
    uint32_t raw =
        g->thumb ? (0xf1000000u | n << 16 | d << 8 | imm) : (0xe2800000u | n << 16 | d << 12 | imm);
    if (g->thumb)
        raw = raw >> 16 | raw << 16;
    memcpy(at, &raw, 4);
    g->pointers |= 1u << d;
    return 4;
}

/* IT with a random condition, block length and pattern; *SLOTS gets the length. */
static unsigned put_it(struct generator *g, uint8_t *at, unsigned *slots)
{
    *slots = 1 + below(&g->r, 4);
    unsigned mask = (below(&g->r, 16) & ~((1u << (5 - *slots)) - 1)) | 1u << (4 - *slots);
    uint16_t it = (uint16_t)(0xbf00 | below(&g->r, 14) << 4 | mask);

    memcpy(at, &it, 2);
    return 2;
}

unsigned arm_block_put(struct generator *g, uint8_t *at)
{
    unsigned n = 0, wanted = 2 + below(&g->r, ARM_BLOCK_INSNS - 6), slots = 0;
    static const uint8_t bkpt[2][4] = {{0x70, 0x00, 0x20, 0xe1}, {0x00, 0xbe, 0x00, 0xbe}};

    const uint8_t *begin = at;

    g->memory = below(&g->r, 2);
    g->pointers = 0xff;
    memset(g->in_it, 0, sizeof g->in_it);
    while (n < wanted || slots) {
        if (!slots && g->memory && g->pointers & 0xff && !below(&g->r, 4)) {
            at += put_pointer(g, at);
        } else if (slots) {
            slots--;
            g->in_it[(at - begin) / 2] = true;
            at += put_insn(g, at);
        } else if (g->thumb && !below(&g->r, 4)) {
            at += put_it(g, at, &slots);
        } else {
            at += put_insn(g, at);
        }
        n++;
    }
    memcpy(at, bkpt[g->thumb], 4);
    return n + 1;
}

void arm_block_state(struct generator *g, struct machine_state *s)
{
    struct rng *r = &g->r;

    machine_state_default(s);
    for (unsigned i = 0; i < 15; i++) {
        s->r[i] = below(r, 3) ? (uint32_t)(next(r) >> 16) : below(r, 64) - 32;
        if (i < 8 || below(r, 2))
            s->r[i] = MACHINE_DATA + 0x400 + (below(r, 0x800) & ~3u);
    }
    s->cpsr = 0x10 | (uint32_t)(next(r) & 0xf80f0000u) | (g->thumb ? 0x20u : 0);
    for (unsigned i = 0; i < MACHINE_PAGE; i++)
        s->data[i] = (uint8_t)(next(r) >> 40);
    if (g->features & ARM_F_M) { /* without what M profile does not have */
        s->r[13] &= ~3u;
        s->tpidrurw = s->tpidruro = 0;
    }
}

static bool wanted(const struct generator *g, const struct arm_row *row)
{
    return (row->set != ARM_SET_A32) == g->thumb && !left_out(row) &&
           (row->features & g->features) == row->features;
}

static uint32_t features_of(const char *cpu)
{
    static struct nw_vcpu vcpu; /* large */

    return arm_guest.init(&vcpu, cpu) == NW_OK ? arm_of(&vcpu)->features : 0;
}

bool arm_block_open(struct generator *g, const char *cpu, bool thumb)
{
    *g = (struct generator){.features = features_of(cpu),
                            .thumb = thumb,
                            .rows = calloc(arm_nrows, sizeof *g->rows),
                            .memory_rows = calloc(arm_nrows, sizeof *g->memory_rows)};
    for (unsigned i = 0; g->rows && g->memory_rows && i < arm_nrows; i++) {
        if (!wanted(g, &arm_rows[i]))
            continue;
        g->rows[g->nrows++] = i;
        if (is_memory(&arm_rows[i]))
            g->memory_rows[g->nmemory_rows++] = i;
    }
    return g->nrows && g->nmemory_rows;
}

void arm_block_close(struct generator *g)
{
    free(g->rows);
    free(g->memory_rows);
}
