/* A region under construction, for tests of the IR. */
#ifndef TESTS_UNIT_IR_FIX_H
#define TESTS_UNIT_IR_FIX_H

#include <stdlib.h>
#include "ir/build.h"

struct fix {
    struct ir_builder *b;
    struct ir_region r;
};

static inline int setup(void **state)
{
    struct fix *f = calloc(1, sizeof *f);
    f->b = ir_builder_new();
    ir_region_init(&f->r);
    ir_begin(f->b, &f->r);
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    struct fix *f = *state;
    ir_region_free(&f->r);
    ir_builder_free(f->b);
    free(f);
    return 0;
}

static inline ir_val get(struct fix *f, unsigned reg)
{
    return ir_get(f->b, IR_I32, reg * 4);
}

#endif
