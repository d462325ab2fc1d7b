/* Vector instructions that are one row of ir/vec.inc. */
#include "guest/x86/vector.h"

#include "ir/vec.h"

/* Is the operand of LETTER a vector, and of which type in an instruction of TYPE? */
static bool is_vector(char letter)
{
    return letter == 'v' || letter == 'x' || letter == 'y';
}

static ir_val read_operand(struct x86_lift *l, char letter, unsigned n, enum ir_type type)
{
    enum ir_type t = vec_type(letter, type);
    if (is_vector(letter))
        return x86_vec_read(l, n, t);
    if (t == IR_F32 || t == IR_F64)
        return x86_vec_read_low(l, n, t);
    return x86_zext(l, x86_read(l, n), l->i->op[n].size, t == IR_I64 ? 64 : 32);
}

static void write_result(struct x86_lift *l, char letter, ir_val v, enum ir_type type)
{
    enum ir_type t = vec_type(letter, type);
    if (is_vector(letter))
        x86_vec_write(l, 0, v, t);
    else
        x86_write(l, 0, x86_zext(l, v, t == IR_I64 ? 64 : 32, l->i->op[0].size));
}

static ir_val make(struct x86_lift *l, enum vec_op op, enum ir_type type, const ir_val *v)
{
    return x86_vec_make(l, op, type, v, vec_rows[op].imm ? x86_vec_imm(l->i) : 0);
}

static enum ir_type row_type(const struct vec_row *row, enum ir_type type)
{
    bool has_v = row->result == 'v', has_y = row->result == 'y';
    for (unsigned n = 0; n < row->values; n++) {
        has_v |= row->operand[n] == 'v';
        has_y |= row->operand[n] == 'y';
    }
    return has_y ? IR_V256 : has_v ? type : IR_V128;
}

/* A row of 128 bits in an instruction of 256 does its work on each half. */
static ir_val make_halves(struct x86_lift *l, enum vec_op op, const ir_val *v)
{
    struct ir_builder *b = l->b;
    ir_val low[3], high[3];
    for (unsigned n = 0; n < vec_rows[op].values; n++) {
        low[n] = ir_v1(b, IR_V256, VEC_low128, v[n]);
        high[n] = ir_v1i(b, IR_V256, VEC_extract128, v[n], 1);
    }
    ir_val whole = ir_v1(b, IR_V256, VEC_zext128, make(l, op, IR_V128, low));
    return ir_v2i(b, IR_V256, VEC_insert128, whole, make(l, op, IR_V128, high), 1);
}

static void lift_halves(struct x86_lift *l, const struct x86_insn *i, enum vec_op op)
{
    const struct vec_row *row = &vec_rows[op];
    unsigned first = row->values == 1 ? 1 : x86_vec_first(i);
    ir_val v[3];
    for (unsigned n = 0; n < row->values; n++)
        v[n] = x86_vec_read(l, first + n, IR_V256);
    x86_vec_write(l, 0, make_halves(l, op, v), IR_V256);
}

/* Argument: enum vec_op. */
static void lift_row(struct x86_lift *l, const struct x86_insn *i, enum vec_op op)
{
    const struct vec_row *row = &vec_rows[op];
    enum ir_type type = row_type(row, x86_vec_type(i));
    if (row->result == 'x' && type == IR_V128 && x86_vec_type(i) == IR_V256) {
        lift_halves(l, i, op);
        return;
    }
    unsigned first = row->values == 1 ? 1 : x86_vec_first(i);
    ir_val v[3];

    for (unsigned n = 0; n < row->values; n++)
        v[n] = read_operand(l, row->operand[n], first + n, type);
    ir_val result = make(l, op, type, v);
    write_result(l, row->result, result, type);
}

void x86_vec(struct x86_lift *l, const struct x86_insn *i)
{
    if (x86_is_mm(i, 0) || x86_is_mm(i, 1)) {
        x86_mmx_op(l, i);
        return;
    }
    if (x86_vec_begin(l))
        lift_row(l, i, (enum vec_op)i->row->arg);
}

/* Shifts: by an immediate (the argument's low half) or by an xmm register (its upper half). */
void x86_vec_shift(struct x86_lift *l, const struct x86_insn *i)
{
    bool by_imm = i->op[i->z.operand_count_visible - 1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
    enum vec_op op = by_imm ? i->row->arg & 0xffff : i->row->arg >> 16;
    if (x86_is_mm(i, 0)) {
        x86_mmx_op(l, i);
        return;
    }
    if (!x86_vec_begin(l))
        return;
    if (!by_imm) {
        lift_row(l, i, op);
        return;
    }
    enum ir_type type = x86_vec_type(i);
    ir_val v = x86_vec_read(l, x86_vec_first(i), type);
    x86_vec_write(l, 0, ir_v1i(l->b, type, op, v, x86_vec_imm(i)), type);
}

/* Blends by xmm0, or by the fourth operand. */
void x86_vec_blendv(struct x86_lift *l, const struct x86_insn *i)
{
    if (!x86_vec_begin(l))
        return;
    enum ir_type type = x86_vec_type(i);
    unsigned first = x86_vec_first(i);
    ir_val a = x86_vec_read(l, first, type), b = x86_vec_read(l, first + 1, type);
    ir_val mask = x86_is_vex(i) ? x86_vec_read(l, 3, type) : ir_get(l->b, type, X86_OFF_YMM(0));
    x86_vec_write(l, 0, ir_v3(l->b, type, (enum vec_op)i->row->arg, a, b, mask), type);
}

/* PTEST, VTESTPS, VTESTPD: ZF and CF, the others 0. */
void x86_vec_test(struct x86_lift *l, const struct x86_insn *i)
{
    if (!x86_vec_begin(l))
        return;
    enum ir_type type = x86_vec_type(i);
    ir_val a = x86_vec_read(l, 0, type), b = x86_vec_read(l, 1, type);
    x86_cc_set_flags(l, ir_v2(l->b, type, (enum vec_op)i->row->arg, a, b));
}

/* The sign masks: to a general register, whose upper half is cleared. */
void x86_vec_mask(struct x86_lift *l, const struct x86_insn *i)
{
    if (x86_is_mm(i, 1)) {
        x86_mmx_op(l, i);
        return;
    }
    if (!x86_vec_begin(l))
        return;
    enum ir_type type = x86_vec_type(i);
    ir_val v = ir_v1(l->b, type, (enum vec_op)i->row->arg, x86_vec_read(l, 1, type));
    x86_gpr_put(l, x86_vec_reg(i, 0), 32, v);
}

/* FMA: the argument is the row, and << 16 the digits' order: which operand is factor, factor and
 * addend (132, 213, 231). */
void x86_fma(struct x86_lift *l, const struct x86_insn *i)
{
    if (!x86_vec_begin(l))
        return;
    enum ir_type type = x86_vec_type(i);
    unsigned order = i->row->arg >> 16;
    ir_val v[3];
    for (unsigned n = 0; n < 3; n++)
        v[n] = x86_vec_read(l, n, type);
    const ir_val abc[3] = {v[order / 100 - 1], v[order / 10 % 10 - 1], v[order % 10 - 1]};
    ir_val result = x86_vec_make(l, (enum vec_op)(i->row->arg & 0xffff), type, abc, 0);
    x86_vec_write(l, 0, result, type);
}

/* The scalar forms; argument: F32 or F64 (enum ir_type), negation << 8 (enum fp_negate), order
 * << 16. */
void x86_fma_scalar(struct x86_lift *l, const struct x86_insn *i)
{
    if (!x86_vec_begin(l))
        return;
    enum ir_type type = i->row->arg & 0xff;
    unsigned order = i->row->arg >> 16;
    ir_val v[3];
    for (unsigned n = 0; n < 3; n++)
        v[n] = x86_vec_read_low(l, n, type);
    ir_val a = v[order / 100 - 1], b = v[order / 10 % 10 - 1], c = v[order % 10 - 1];
    x86_fp_begin(l);
    ir_val result = ir_op3(l->b, IR_fma, type, a, b, c, (i->row->arg >> 8 & 3) | x86_fp_aux(l));
    x86_fp_end(l);
    x86_vec_write_low(l, 0, 0, result, type);
}

/* VPERMILPS, VPERMILPD: by an immediate (the argument's upper half) or by a vector (its low half).
 */
void x86_vec_permil(struct x86_lift *l, const struct x86_insn *i)
{
    if (!x86_vec_begin(l))
        return;
    enum ir_type type = x86_vec_type(i);
    if (i->op[2].type != ZYDIS_OPERAND_TYPE_IMMEDIATE) {
        lift_row(l, i, i->row->arg & 0xffff);
        return;
    }
    ir_val v = x86_vec_read(l, 1, type);
    x86_vec_write(l, 0, ir_v1i(l->b, type, (enum vec_op)(i->row->arg >> 16), v, x86_vec_imm(i)),
                  type);
}

/* VCVTPS2PH: to half the size. */
void x86_vcvtps2ph(struct x86_lift *l, const struct x86_insn *i)
{
    if (!x86_vec_begin(l))
        return;
    enum ir_type type = x86_vec_type(i);
    ir_val v = x86_vec_read(l, 1, type);
    if (x86_is_mem(i, 0)) /* a fault comes before the exception flags */
        x86_probe_write(l, x86_address(l, &i->op[0], true), i->op[0].size);
    v = x86_vec_make(l, VEC_f32_to_f16, type, &v, x86_vec_imm(i));
    if (!x86_is_mem(i, 0))
        x86_vec_write(l, 0, v, IR_V128);
    else if (type == IR_V256)
        x86_vec_store(l, 0, v, IR_V128, false);
    else
        x86_vec_store(l, 0, ir_v1(l->b, IR_V128, VEC_to_i64, v), IR_I64, false);
}

/* Two rounds with the keys in xmm0. */
void x86_sha256rnds2(struct x86_lift *l, const struct x86_insn *i)
{
    (void)i;
    if (!x86_vec_begin(l))
        return;
    ir_val a = x86_vec_read(l, 0, IR_V128), b = x86_vec_read(l, 1, IR_V128);
    ir_val keys = ir_get(l->b, IR_V128, X86_OFF_YMM(0));
    x86_vec_write(l, 0, ir_v3(l->b, IR_V128, VEC_sha256rnds2, a, b, keys), IR_V128);
}
