/* An engine of the toy guest in every way an engine can run, for tests of mechanisms. */
#ifndef TOY_H
#define TOY_H

/* clang-format off: cmocka needs these before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <narwhal/narwhal.h>
#include "toy_guest.h"

struct toy_mode {
    const char *name;
    uint32_t flags;
};

/* Ends with a null name. */
extern const struct toy_mode toy_modes[];

/* Runs the statement that follows once per mode. */
#define EACH_MODE(m) for (const struct toy_mode *m = toy_modes; m->name; m++)

#define TOY_CODE 0x1000u
#define TOY_DATA 0x10000u

struct toy {
    nw_engine *engine;
    nw_vcpu *vcpu;
    nw_exit exit;
};

/* Code pages (RWX, 0x0..0x8fff) and data pages (RW, 0x10000..0x1ffff) are mapped; pc = TOY_CODE. */
struct toy toy_open(const struct toy_mode *);
struct toy toy_open_config(const struct toy_mode *, nw_config config);
void toy_close(struct toy *);
void toy_load(struct toy *, uint32_t at, const uint32_t *words, size_t n);
#define TOY_LOAD(t, at, ...)                                                                       \
    toy_load(t, at, (const uint32_t[]){__VA_ARGS__},                                               \
             sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

void toy_set(struct toy *, unsigned reg, uint32_t value);
uint32_t toy_get(struct toy *, unsigned reg);
/* Runs from PC (no change when ~0u); the exit is in t->exit. */
nw_exit_reason toy_run(struct toy *, uint32_t pc, uint64_t limit);
uint32_t toy_peek(struct toy *, uint32_t at);
void toy_poke(struct toy *, uint32_t at, uint32_t value);
nw_stats toy_stats(struct toy *);

/* Are blocks linked, is the arena there? */
bool toy_chains(const struct toy_mode *);
bool toy_translates(const struct toy_mode *);
bool toy_has_arena(const struct toy_mode *);

#endif
