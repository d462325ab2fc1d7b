/* An engine of the 64-bit guest in every way an engine can run. */
#ifndef WIDE_H
#define WIDE_H

#include "toy.h"
#include "wide_guest.h"

#define WIDE_CODE 0x1000u
#define WIDE_DATA 0x10000u
#define WIDE_HIGH 0x7ffff0000000ull     /* outside the window */
#define WIDE_TOP  0xffffffffffff0000ull /* the last 64 KiB */

struct wide {
    nw_engine *engine;
    nw_vcpu *vcpu;
    nw_exit exit;
};

/* Code pages (RWX, 0x0..0x8fff) and data pages (RW, 0x10000..0x1ffff) are mapped. */
struct wide wide_open(const struct toy_mode *);
void wide_load(struct wide *, uint64_t at, const uint32_t *words, size_t n);
#define WIDE_AT(w, at, ...)                                                                        \
    wide_load(w, at, (const uint32_t[]){__VA_ARGS__},                                              \
              sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

void wide_set(struct wide *, unsigned reg, uint64_t value);
uint64_t wide_get(struct wide *, unsigned reg);
/* Runs from PC; the exit is in w->exit. */
nw_exit_reason wide_run(struct wide *, uint64_t pc);
uint64_t wide_peek(struct wide *, uint64_t at);
void wide_poke(struct wide *, uint64_t at, uint64_t value);
void wide_expect_fault(struct wide *, nw_access, nw_fault, uint64_t addr);
/* The window's end, or where it would be. */
uint64_t wide_window_end(struct wide *);

#endif
