/* The vector rows as data. */
#include "ir/vec.h"

#include <string.h>
#include "ir/shape.h"

#define VEC_OP(name, operands, how, encoding) vec_fn vec_##name;
#include "ir/vec.inc"

#define LETTER(c)   ((c) == 'b' || (c) == '.' ? 0 : (c))
#define IS_VALUE(c) ((c) != 'b' && (c) != '.')
#define ROW(name, s, flags)                                                                        \
    [VEC_##name] = {#name,                                                                         \
                    vec_##name,                                                                    \
                    s[0],                                                                          \
                    {LETTER(s[2]), LETTER(s[3]), LETTER(s[4])},                                    \
                    IS_VALUE(s[2]) + IS_VALUE(s[3]) + IS_VALUE(s[4]),                              \
                    s[2] == 'b' || s[3] == 'b' || s[4] == 'b',                                     \
                    flags},
#define VEC_OP(name, operands, how, encoding) ROW(name, (operands "..."), false)
#define VEC_FP(name, operands, how, encoding) ROW(name, (operands "..."), true)

const struct vec_row vec_rows[VEC_COUNT] = {
#include "ir/vec.inc"
};

static bool has(const struct vec_row *r, char letter)
{
    return r->result == letter || memchr(r->operand, letter, sizeof r->operand);
}

bool vec_has_type(enum vec_op op, uint8_t type)
{
    const struct vec_row *r = &vec_rows[op];
    if (has(r, 'y'))
        return type == IR_V256;
    return type == IR_V128 || (type == IR_V256 && has(r, 'v'));
}

enum ir_op vec_carrier(enum vec_op op)
{
    const struct vec_row *r = &vec_rows[op];
    static const uint8_t plain[] = {IR_v0, IR_v1, IR_v2, IR_v3}, fp[] = {0, IR_vf1, IR_vf2, IR_vf3};
    static const uint8_t imm[] = {0, IR_v1i, IR_v2i}, fp_imm[] = {0, IR_vf1i, IR_vf2i};
    if (r->imm)
        return r->fp ? fp_imm[r->values] : imm[r->values];
    return r->fp ? fp[r->values] : plain[r->values];
}

void vec_run(const struct ir_insn *i, const union ir_vec *slots, struct fp_env *fp, union ir_vec *d)
{
    const struct vec_row *r = &vec_rows[i->aux];
    unsigned values = ir_shapes[i->op].values;
    struct vec_args args = {.d = d, .size = ir_type_size(i->type), .fp = fp};
    args.a = values & 1 ? &slots[i->a] : NULL;
    args.b = values & 2 ? &slots[i->b] : NULL;
    args.c = values & 4 ? &slots[i->c] : NULL;
    args.imm = !r->imm ? 0 : r->values == 1 ? i->b : i->c;
    memset(d, 0, sizeof *d);
    r->fn(&args);
}

void vec_call(struct fp_env *fp, union ir_vec *io, uint32_t op, uint32_t size, uint32_t imm)
{
    struct vec_args args = {
        .d = io, .a = &io[1], .b = &io[2], .c = &io[3], .size = size, .imm = imm, .fp = fp};
    memset(io, 0, sizeof *io);
    vec_rows[op].fn(&args);
}
