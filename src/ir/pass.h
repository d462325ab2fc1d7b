/* The passes between lifting and emission. */
#ifndef IR_PASS_H
#define IR_PASS_H

#include "ir/ir.h"

/* The table of contents: runs every pass, in order, with the verifier between them in debug and
 * sanitizer builds (NW_VERIFY). */
nw_status ir_run_passes(struct ir_region *);

/* One backward walk: removes dead values, dead flags and dead puts (turning them to nothing by
 * compaction or by op const VOID), counts hot uses and leaves the marks of enum ir_mark. */
nw_status ir_pass_dead(struct ir_region *);

/* Checks form and types. On failure writes one line of reason to WHY (may be null). */
bool ir_verify(const struct ir_region *, char *why, size_t why_size);

#endif
