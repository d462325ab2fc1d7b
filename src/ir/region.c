/* Regions, and the operation rows as data. */
#include "ir/shape.h"
#include "ir/vec.h"

#include <string.h>

/* The letters and names of ops.inc. */
#define ROW_RESULT(text) (#text[0])
#define FPFLAGS          IR_E_FPFLAGS
#define FPENV            IR_E_FPENV
#define FAULT            IR_E_FAULT
#define STATE            IR_E_STATE
#define CONTROL          IR_E_CONTROL

const struct ir_row ir_rows[IR_OP_COUNT] = {
#define IR_OP(name, operands, result, effects)                                                     \
    [IR_##name] = {#name, operands, ROW_RESULT(result), effects},
#include "ir/ops.inc"
#undef IR_OP
};

#define VALUE(c)    ((c) == 'v' || (c) == 'o')
#define OPTIONAL(c) ((c) == 'o')

const struct ir_shape ir_shapes[IR_OP_COUNT] = {
#define IR_OP(name, operands, result, effects)                                                     \
    [IR_##name] = {                                                                                \
        VALUE(operands[0]) | VALUE(operands[1]) << 1 | VALUE(operands[2]) << 2,                    \
        OPTIONAL(operands[0]) | OPTIONAL(operands[1]) << 1 | OPTIONAL(operands[2]) << 2, effects},
#include "ir/ops.inc"
#undef IR_OP
};

uint8_t ir_result_type(const struct ir_insn *i)
{
    switch (ir_rows[i->op].result) {
    case 'B':
    case 'F': return IR_I32;
    case 'V': return i->aux < VEC_COUNT ? vec_type(vec_rows[i->aux].result, i->type) : IR_VOID;
    case 'T': return i->type == IR_I8 || i->type == IR_I16 ? IR_I32 : i->type;
    default: return IR_VOID;
    }
}

void ir_region_init(struct ir_region *r)
{
    memset(r, 0, sizeof *r);
    r->aux_offset = UINT32_MAX;
    r->addr_type = IR_I32;
}

void ir_region_clear(struct ir_region *r)
{
    VEC_CLEAR(&r->insns);
    VEC_CLEAR(&r->exits);
    VEC_CLEAR(&r->calls);
    VEC_CLEAR(&r->notes);
    VEC_CLEAR(&r->marks);
    VEC_CLEAR(&r->uses);
    r->nlabels = 0;
    r->pc = 0;
    r->mode = r->exit_mode = 0;
    r->size = 0;
    r->ninsns = 0;
    r->hooked = 0;
    r->bounded = r->oom = false;
}

void ir_region_free(struct ir_region *r)
{
    VEC_FREE(&r->insns);
    VEC_FREE(&r->exits);
    VEC_FREE(&r->calls);
    VEC_FREE(&r->notes);
    VEC_FREE(&r->marks);
    VEC_FREE(&r->uses);
    VEC_FREE(&r->remap);
}
