/* What the parts of fuzz_unicorn.c share: one sequence's state, random arguments, calls. */
#ifndef FUZZ_UNICORN_WORLD_H
#define FUZZ_UNICORN_WORLD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unicorn/narwhal.h>
#include <unicorn/unicorn.h>
#include "fuzz.h"

#define PAGE     4096u
#define HOST     (16 * PAGE) /* memory for uc_mem_map_ptr */
#define HOOKS    24
#define CONTEXTS 4
#define VALUE    1024 /* bytes: more than any register has */
#define BATCH    6
#define STEPS    120
#define INNER    150 /* calls from callbacks, in a sequence */
#define COUNT    1000
#define FORKS    200 /* one in so many sequences forks */
#define DEPTH    3
#define WATCHDOG 20 /* seconds for a sequence */

struct world {
    uint64_t random;
    uc_engine *uc, *other; /* OTHER: a second vCPU or an engine of its own, or null */
    uc_engine *running;    /* the innermost, while DEPTH is not 0 */
    uc_arch arch;
    uc_mode mode;
    uint8_t *host;
    uc_hook hook[HOOKS];
    uc_context *context[CONTEXTS];
    uint64_t snapshot, counter, ring_entries[16];
    uc_nw_ring ring;
    uint8_t coverage[256];
    uint32_t modes; /* of floating point */
    unsigned depth; /* of runs */
    unsigned inner; /* calls from callbacks so far */
    bool arena;     /* nothing is called that has the engine leave its arena at once */
    unsigned forks; /* that are still to come */
    bool child;     /* this is a forked process */
};

uc_err check(uc_err error);

/* The floating-point modes of this thread, which are nobody else's business. */
#ifdef __x86_64__
static inline uint32_t fp_modes(void)
{
    return __builtin_ia32_stmxcsr() & ~0x3fu;
}

static inline void set_fp_modes(uint32_t modes)
{
    __builtin_ia32_ldmxcsr(modes);
}
#else
static inline uint32_t fp_modes(void)
{
    return 0;
}

static inline void set_fp_modes(uint32_t modes)
{
    (void)modes;
}
#endif
#define CHECK_MODES(w) FUZZ_CHECK(fp_modes() == (w)->modes, "modes %#x", fp_modes())

/* ---- unicorn_random.c ---- */
uint64_t next(struct world *w);
uint32_t below(struct world *w, uint32_t n);
bool one_in(struct world *w, uint32_t n);
uint64_t page(struct world *w);
uint64_t address(struct world *w);
uint64_t length(struct world *w);
uint32_t perms(struct world *w);
int reg(struct world *w);
void fill(struct world *w, void *into, size_t size);
uc_engine *engine(struct world *w);
/* Guest code. */
void code(struct world *w, uint8_t *into, size_t size);
/* A loop that stores: its bytes. */
#define LOOP 16
void loop(struct world *w, uint8_t into[LOOP], bool thumb);

/* ---- unicorn_hooks.c ---- */
void hook_add(struct world *w);
void hook_del(struct world *w);
void hook_memory(struct world *w);
uint64_t on_mmio_read(uc_engine *uc, uint64_t offset, unsigned size, void *user);
void on_mmio_write(uc_engine *uc, uint64_t offset, unsigned size, uint64_t value, void *user);

/* ---- fuzz_unicorn.c ---- */
/* Any call. */
void act(struct world *w);
/* One of registers. */
void regs(struct world *w);

#endif
