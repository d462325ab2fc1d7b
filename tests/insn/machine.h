/* One small ARM machine for instruction tests, with interchangeable engines under it: Narwhal in
 * each of its modes, or an independent reference. A test sets a state, runs a few instructions and
 * looks at the state that results. */
#ifndef TESTS_INSN_MACHINE_H
#define TESTS_INSN_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The machine's memory: one page of code and one of data, nothing else. */
#define MACHINE_CODE 0x10000u
#define MACHINE_DATA 0x2000u
#define MACHINE_PAGE 0x1000u

enum machine_outcome {
    OUT_OK,
    OUT_UNDEFINED,
    OUT_SVC,
    OUT_BKPT,
    OUT_HALT,
    OUT_FAULT_READ,
    OUT_FAULT_WRITE,
    OUT_FAULT_FETCH,
    OUT_ERROR, /* the engine itself failed */
};

struct machine_state {
    uint32_t r[16];
    uint32_t cpsr, spsr, fpscr, tpidrurw, tpidruro;
    uint64_t d[32];
    uint8_t code[MACHINE_PAGE], data[MACHINE_PAGE];
    enum machine_outcome outcome;
    uint32_t code_or_addr; /* immediate of svc/bkpt, address of a fault */
    bool misaligned;       /* a fault by alignment */
    bool unpredictable;    /* undefined because the architecture calls it UNPREDICTABLE */
};

struct machine;

struct machine_kind {
    const char *name;
    struct machine *(*open)(const char *cpu); /* null when it cannot be had */
    void (*close)(struct machine *);
    /* Runs STEPS instructions from STATE, in place. */
    void (*run)(struct machine *, struct machine_state *state, unsigned steps);
};

extern const struct machine_kind
    machine_narwhal[]; /* one per engine mode, ends with name == NULL */
extern const struct machine_kind machine_unicorn;

/* A fixed state in which every register is different and "unchanged" means something. */
void machine_state_default(struct machine_state *);

#endif
