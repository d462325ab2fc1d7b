/* Scalar floating point of SSE and AVX (SDM 1 10.4, 11.4). */
#include "guest/x86/vector.h"

#include "ir/vec.h"

/* MINSS and MAXSS round nothing. */
static uint16_t binary_aux(const struct x86_lift *l, const struct x86_insn *i)
{
    unsigned op = i->row->arg & 0xffff;
    return op == IR_fminx || op == IR_fmaxx ? 0 : x86_fp_aux(l);
}

/* Two operands; argument: enum ir_op, F32 or F64 << 16. */
void x86_sse_binary(struct x86_lift *l, const struct x86_insn *i)
{
    if (!x86_vec_begin(l))
        return;
    enum ir_type t = i->row->arg >> 16;
    unsigned first = x86_vec_first(i);
    ir_val a = x86_vec_read_low(l, first, t), b = x86_vec_read_low(l, first + 1, t);
    x86_fp_begin(l);
    ir_val v = ir_op2(l->b, (enum ir_op)(i->row->arg & 0xffff), t, a, b, binary_aux(l, i));
    x86_fp_end(l);
    x86_vec_write_low(l, 0, first, v, t);
}

/* One operand, as above; with VEX the rest comes from operand 1. */
void x86_sse_unary(struct x86_lift *l, const struct x86_insn *i)
{
    if (!x86_vec_begin(l))
        return;
    enum ir_type t = i->row->arg >> 16;
    unsigned first = x86_vec_first(i);
    ir_val a = x86_vec_read_low(l, first + 1, t);
    x86_fp_begin(l);
    ir_val v = ir_op1(l->b, (enum ir_op)(i->row->arg & 0xffff), t, a, 0);
    x86_fp_end(l);
    x86_vec_write_low(l, 0, first, v, t);
}

/* ROUNDSS, ROUNDSD; argument: F32 or F64. */
void x86_sse_round(struct x86_lift *l, const struct x86_insn *i)
{
    static const uint8_t modes[4] = {FP_RN, FP_RM, FP_RP, FP_RZ};
    if (!x86_vec_begin(l))
        return;
    enum ir_type t = i->row->arg;
    unsigned first = x86_vec_first(i), imm = x86_vec_imm(i);
    enum fp_round mode = imm & 4 ? FP_CURRENT : modes[imm & 3];
    ir_val a = x86_vec_read_low(l, first + 1, t);
    x86_fp_begin(l);
    ir_val v = ir_fround(l->b, t, a, mode, imm & 8);
    x86_fp_end(l);
    x86_vec_write_low(l, 0, first, v, t);
}

/* CMPSS, CMPSD. Legacy SSE has 8 predicates. */
static void compare_scalar(struct x86_lift *l, const struct x86_insn *i, enum ir_type t)
{
    if (!x86_vec_begin(l))
        return;
    unsigned first = x86_vec_first(i), predicate = x86_vec_imm(i) & (x86_is_vex(i) ? 31 : 7);
    ir_val a = x86_vec_read_low(l, first, t), b = x86_vec_read_low(l, first + 1, t);
    x86_fp_begin(l);
    ir_val v = ir_fcmpm(l->b, t, a, b, predicate);
    x86_fp_end(l);
    x86_vec_write_low(l, 0, first, v, t);
}

/* Argument: F32 or F64. */
void x86_sse_cmp(struct x86_lift *l, const struct x86_insn *i)
{
    compare_scalar(l, i, i->row->arg);
}

void x86_cmpsd_vector(struct x86_lift *l, const struct x86_insn *i)
{
    compare_scalar(l, i, IR_F64);
}

/* CMPPS, CMPPD; argument: enum vec_op. */
void x86_vec_cmp(struct x86_lift *l, const struct x86_insn *i)
{
    if (!x86_vec_begin(l))
        return;
    enum ir_type type = x86_vec_type(i);
    unsigned first = x86_vec_first(i), predicate = x86_vec_imm(i) & (x86_is_vex(i) ? 31 : 7);
    ir_val a = x86_vec_read(l, first, type), b = x86_vec_read(l, first + 1, type);
    const ir_val ab[2] = {a, b};
    ir_val v = x86_vec_make(l, (enum vec_op)i->row->arg, type, ab, predicate);
    x86_vec_write(l, 0, v, type);
}

/* COMISS and UCOMISS; argument: 1 when quiet NaNs are invalid too, F32 or F64 << 16. */
void x86_sse_comi(struct x86_lift *l, const struct x86_insn *i)
{
    if (!x86_vec_begin(l))
        return;
    enum ir_type t = i->row->arg >> 16;
    ir_val a = x86_vec_read_low(l, 0, t), b = x86_vec_read_low(l, 1, t);
    x86_fp_begin(l);
    ir_val flags = ir_fcmpx(l->b, t, a, b, i->row->arg & 1);
    x86_fp_end(l);
    if (l->mode & X86_KEY_FP_TRAP) /* not to be compared again */
        x86_cc_set_flags(l, flags);
    else
        x86_cc_set_fcmp(l, flags, a, b, t);
}

/* ---- conversions ---- */

/* CVTSI2SS, CVTSI2SD; argument: F32 or F64. */
void x86_sse_from_int(struct x86_lift *l, const struct x86_insn *i)
{
    if (!x86_vec_begin(l))
        return;
    enum ir_type t = i->row->arg;
    unsigned first = x86_vec_first(i);
    ir_val a = x86_read(l, first + 1);
    x86_fp_begin(l);
    ir_val v = ir_si2f(l->b, t, a);
    x86_fp_end(l);
    x86_vec_write_low(l, 0, first, v, t);
}

/* CVTSS2SI, CVTTSS2SI and those of doubles; argument: enum fp_round, F32 or F64 << 16. */
void x86_sse_to_int(struct x86_lift *l, const struct x86_insn *i)
{
    if (!x86_vec_begin(l))
        return;
    enum ir_type t = i->row->arg >> 16;
    ir_val a = x86_vec_read_low(l, 1, t);
    x86_fp_begin(l);
    ir_val v = ir_op1(l->b, IR_f2si, x86_type(i->op[0].size), a, i->row->arg & 7);
    x86_fp_end(l);
    x86_write(l, 0, v);
}

/* CVTSS2SD, CVTSD2SS; argument: the result's type. */
void x86_sse_convert(struct x86_lift *l, const struct x86_insn *i)
{
    if (!x86_vec_begin(l))
        return;
    enum ir_type to = i->row->arg, from = to == IR_F32 ? IR_F64 : IR_F32;
    unsigned first = x86_vec_first(i);
    ir_val a = x86_vec_read_low(l, first + 1, from);
    x86_fp_begin(l);
    ir_val v = ir_op1(l->b, IR_fcvt, to, a, x86_fp_aux(l));
    x86_fp_end(l);
    x86_vec_write_low(l, 0, first, v, to);
}
