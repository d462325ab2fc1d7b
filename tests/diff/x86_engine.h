/* Narwhal as it runs a case, in one of its modes. */
#ifndef TESTS_DIFF_X86_ENGINE_H
#define TESTS_DIFF_X86_ENGINE_H

#include "x86_case.h"

struct engine_mode {
    const char *name;
    uint32_t flags; /* enum nw_engine_flags */
    bool narrow;    /* the guest without long mode: 32-bit code only */
};
extern const struct engine_mode engine_modes[]; /* ends with a null name */

struct engine;

/* Null: there is no memory, or no such guest. */
/* CPU: the model, null for the default. */
struct engine *engine_new(const struct engine_mode *, unsigned bits, const char *cpu);
void engine_free(struct engine *);
const struct engine_mode *engine_mode(const struct engine *);
struct nw_engine *engine_handle(const struct engine *);
/* From now on a case is run in pieces of so many instructions; 0: at once. */
void engine_set_limit(struct engine *, uint64_t insns);
/* Replaces the code at ADDR. */
bool engine_code(struct engine *, uint64_t addr, const uint8_t *code, size_t size);
void engine_run(struct engine *, const struct case_state *, const uint8_t *data,
                struct case_result *out);
/* Makes the running engine stop, from a signal handler. */
void engine_stop(void);
/* The engine's last words about an error. */
const char *engine_error(const struct engine *);

#endif
