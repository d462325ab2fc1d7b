/* What hooks of accesses report while a random case runs, and callbacks that disturb it. */
#ifndef TESTS_DIFF_HOOK_LOG_H
#define TESTS_DIFF_HOOK_LOG_H

#include <narwhal/hook.h>
#include "rng.h"

#define HOOK_LOG_MAX 2048

struct hook_event {
    nw_hook_kind kind;
    uint64_t addr, value;
    uint32_t size;
    uint8_t data[32]; /* of kinds that have it */
};

/* What the callback of event number AT does. HOOK_WRITE_REG and HOOK_CHANGE_HOOKS leave the guest
 * as it is, but have the instruction run again; so does HOOK_MEND, whose callback is that of
 * faults: hook_log.mend. */
enum hook_act {
    HOOK_NOTE,
    HOOK_WRITE_REG,
    HOOK_CHANGE_HOOKS,
    HOOK_MEND,
    HOOK_STOP,
    HOOK_MOVE,
    HOOK_ACTS
};

struct hook_plan {
    enum hook_act act;
    unsigned at;
    unsigned pc_reg;
    uint64_t pc;  /* where HOOK_MOVE goes */
    unsigned reg; /* which HOOK_WRITE_REG writes, with what it has */
};

struct hook_log {
    nw_engine *engine;
    nw_hook *hook[6];
    unsigned nhooks;
    /* The fault goes away when the access is made again. */
    bool (*mend)(struct hook_log *, const nw_exit *fault);
    unsigned closed; /* pages that MEND may open */
    struct hook_plan plan;
    struct hook_event event[HOOK_LOG_MAX];
    unsigned n;   /* events, those that did not fit included */
    bool failed;  /* a call of the library's has */
    bool differs; /* a callback's arguments contradict each other */
};

/* Which accesses of an engine are logged. */
struct hook_set {
    bool read, after, write;
    bool code;           /* instructions and comparisons are hooked too, which nothing comes of */
    bool pieces;         /* nw_hook_spec.pieces; of READ and WRITE alone */
    uint64_t begin, end; /* begin > end: all */
};

/* Replaces the hooks of the engine. */
bool hook_log_set(struct hook_log *, const struct hook_set *);
/* A case begins. */
void hook_log_begin(struct hook_log *, const struct hook_plan *);
/* The number of the first event that differs, or -1. */
int hook_log_compare(const struct hook_log *, const struct hook_log *);
void hook_log_print(const struct hook_log *);

#endif
