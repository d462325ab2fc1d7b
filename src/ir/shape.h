/* The rows in the form that loops over records want: small and without strings. */
#ifndef IR_SHAPE_H
#define IR_SHAPE_H

#include "ir/ir.h"

struct ir_shape {
    uint8_t values;   /* bit 0..2: operand a..c is a value, or may be */
    uint8_t optional; /* bit 0..2: … and may be IR_NONE */
    uint8_t effects;  /* enum ir_effect */
};
extern const struct ir_shape ir_shapes[IR_OP_COUNT];

/* Made again, shared, moved or removed without anybody noticing? */
static inline bool ir_is_pure(unsigned op)
{
    return (ir_shapes[op].effects & ~IR_E_FPENV) == 0;
}

#endif
