/* The reference: the host CPU itself. One per process, one thread. */
#ifndef TESTS_DIFF_X86_NATIVE_H
#define TESTS_DIFF_X86_NATIVE_H

#include "x86_case.h"

/* Makes the segments that CASE_FS_BASE32 and CASE_GS_BASE32 go with; their selectors. */
bool native_segments(void);
uint16_t native_fs(void), native_gs(void);
/* To call once, after the engines' vCPUs have been created: their signal handler is called for
 * whatever is not a native run's. False, with a reason in *WHY: this host cannot. */
bool native_open(const char **why);
/* Code at CASE_CODE, as it can be written. */
uint8_t *native_code(void);
/* Runs from STATE on data DATA; BITS: 32 or 64. */
void native_run(const struct case_state *state, const uint8_t *data, unsigned bits,
                struct case_result *out);
/* A case begins. */
void native_alive(void);
/* Called every second or so of a case that does not end; signal context. */
extern void (*native_stuck)(void);

#endif
