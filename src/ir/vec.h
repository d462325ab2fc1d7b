/* Vector operations: the rows of vec.inc as data, and the functions that say what they compute.
 *
 * The interpreter runs the functions, as translated code does where the host lacks the instruction
 * of a row. Floating-point rows follow the rules of x86: its NaNs, its underflow. */
#ifndef IR_VEC_H
#define IR_VEC_H

#include "ir/ir.h"

/* A value of any type; scalars are element 0 of u64, zero-extended. */
union ir_vec {
    uint8_t u8[32];
    int8_t s8[32];
    uint16_t u16[16];
    int16_t s16[16];
    uint32_t u32[8];
    int32_t s32[8];
    uint64_t u64[4];
    int64_t s64[4];
};

enum vec_op {
#define VEC_OP(name, operands, how, encoding) VEC_##name,
#include "ir/vec.inc"
    VEC_COUNT
};

struct fp_env;

struct vec_args {
    union ir_vec *d; /* all 0 at first; no operand */
    const union ir_vec *a, *b, *c;
    unsigned size; /* of the operation's type: 16 or 32 bytes */
    unsigned imm;
    struct fp_env *fp;
};
typedef void vec_fn(const struct vec_args *);

struct vec_row {
    const char *name;
    vec_fn *fn;
    char result, operand[3]; /* letters, see vec.inc; 0: none */
    uint8_t values;          /* number of operands that are values */
    bool imm;                /* an 8-bit immediate follows them */
    bool fp;                 /* raises floating-point flags: one of the vf operations */
};
extern const struct vec_row vec_rows[VEC_COUNT];

static inline bool ir_op_is_vec(unsigned op)
{
    return op >= IR_v0 && op <= IR_vf2i;
}

/* The type that LETTER of a row stands for in an operation of TYPE. */
static inline uint8_t vec_type(char letter, uint8_t type)
{
    switch (letter) {
    case 'v': return type;
    case 'x': return IR_V128;
    case 'y': return IR_V256;
    case 'w': return IR_I32;
    case 'q': return IR_I64;
    case 's': return IR_F32;
    case 'd': return IR_F64;
    default: return IR_VOID;
    }
}

/* Is there an operation OP of TYPE? */
bool vec_has_type(enum vec_op, uint8_t type);
/* The IR operation that carries OP. */
enum ir_op vec_carrier(enum vec_op);
/* Runs OP of SIZE bytes for translated code: io[0] = the result, io[1..3] the operands. */
void vec_call(struct fp_env *, union ir_vec *io, uint32_t op, uint32_t size, uint32_t imm);
/* Runs the function of vector record I on slots of operands; gives the value. */
void vec_run(const struct ir_insn *i, const union ir_vec *slots, struct fp_env *, union ir_vec *d);

#endif
