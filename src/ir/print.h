/* IR as text. */
#ifndef IR_PRINT_H
#define IR_PRINT_H

#include <stdio.h>
#include "ir/ir.h"

struct ir_names {
    /* Name of the guest state at OFFSET with SIZE bytes ("r0", "nzcv"), null for none. May be null. */
    const char *(*slot)(uint32_t offset, unsigned size);
};

/* One line a record: "  v12 = add.i32 v3, v7"; marks and exits are shown. */
void ir_print(FILE *, const struct ir_region *, const struct ir_names *);
void ir_print_insn(FILE *, const struct ir_region *, ir_val, const struct ir_names *);

#endif
