/* Moves of vectors and of their parts (SDM 1 10.4.1, 11.4.1). */
#include "guest/x86/vector.h"

#include "ir/vec.h"

/* Whole registers; argument: 1 when memory must be aligned. */
void x86_vec_move(struct x86_lift *l, const struct x86_insn *i)
{
    if (x86_is_mm(i, 0) || x86_is_mm(i, 1)) { /* MOVNTQ */
        x86_mmx_op(l, i);
        return;
    }
    if (!x86_vec_begin(l))
        return;
    enum ir_type type = x86_vec_type(i);
    bool aligned = i->row->arg;
    if (x86_is_mem(i, 0)) {
        x86_vec_store(l, 0, x86_vec_read(l, 1, type), type, aligned);
    } else if (x86_is_mem(i, 1)) {
        ir_val addr = x86_address(l, &i->op[1], false);
        unsigned flags = aligned ? X86_ALIGNED : 0;
        ir_val v = ir_ld(l->b, type, addr, x86_memop(l, ir_type_size(type) * 8, flags));
        x86_vec_write(l, 0, v, type);
    } else {
        x86_vec_write(l, 0, x86_vec_read(l, 1, type), type);
    }
}

static bool is_xmm(const struct x86_insn *i, unsigned n)
{
    return x86_is_reg(i, n) && ZydisRegisterGetClass(i->op[n].reg.value) == ZYDIS_REGCLASS_XMM;
}

/* MOVD, MOVQ: between xmm registers and general registers, memory or each other; the rest is 0. */
void x86_vec_movd(struct x86_lift *l, const struct x86_insn *i)
{
    if (x86_is_mm(i, 0) || x86_is_mm(i, 1)) {
        x86_mmx_op(l, i);
        return;
    }
    if (!x86_vec_begin(l))
        return;
    unsigned bits = is_xmm(i, 0) ? i->op[1].size : i->op[0].size;
    bool wide = bits == 64 || i->row->arg == 64;
    enum ir_type t = wide ? IR_I64 : IR_I32;
    if (is_xmm(i, 0)) {
        ir_val v = is_xmm(i, 1) ? x86_vec_read_low(l, 1, t) : x86_read(l, 1);
        ir_val whole = ir_v1(l->b, IR_V128, wide ? VEC_from_i64 : VEC_from_i32, v);
        x86_vec_write(l, 0, whole, IR_V128);
    } else {
        x86_write(l, 0, x86_vec_read_low(l, 1, t));
    }
}

/* MOVSS, MOVSD. From memory the rest is 0, from a register it stays. */
static void move_scalar(struct x86_lift *l, const struct x86_insn *i, enum ir_type t)
{
    if (!x86_vec_begin(l))
        return;
    if (x86_is_mem(i, 0)) {
        x86_vec_store(l, 0, x86_vec_read_low(l, 1, t), t, false);
    } else if (x86_is_mem(i, 1)) {
        ir_val v = x86_vec_read_low(l, 1, t);
        enum vec_op from = t == IR_F32 ? VEC_from_f32 : VEC_from_f64;
        x86_vec_write(l, 0, ir_v1(l->b, IR_V128, from, v), IR_V128);
    } else {
        unsigned first = x86_vec_first(i);
        x86_vec_write_low(l, 0, first, x86_vec_read_low(l, first + 1, t), t);
    }
}

/* Argument: F32 or F64. */
void x86_vec_movs(struct x86_lift *l, const struct x86_insn *i)
{
    move_scalar(l, i, i->row->arg);
}

void x86_movsd_vector(struct x86_lift *l, const struct x86_insn *i)
{
    move_scalar(l, i, IR_F64);
}

/* The 64 bits at HIGH (8 or 0) of register operand N. */
static ir_val half(struct x86_lift *l, unsigned n, bool high)
{
    return ir_get(l->b, IR_F64, X86_OFF_YMM(x86_vec_reg(l->i, n)) + (high ? 8 : 0));
}

static void write_halves(struct x86_lift *l, ir_val low, ir_val high)
{
    x86_vec_write(l, 0, ir_v2(l->b, IR_V128, VEC_pair64, low, high), IR_V128);
}

/* MOVLPS, MOVHPS and their sisters between memory and one half; argument: 1 for the high half. */
void x86_vec_half(struct x86_lift *l, const struct x86_insn *i)
{
    if (!x86_vec_begin(l))
        return;
    bool high = i->row->arg;
    if (x86_is_mem(i, 0)) {
        x86_vec_store(l, 0, half(l, 1, high), IR_F64, false);
        return;
    }
    unsigned first = x86_vec_first(i);
    ir_val addr = x86_address(l, &i->op[first + 1], false);
    ir_val v = ir_ld(l->b, IR_F64, addr, x86_memop(l, 64, 0));
    if (!x86_is_vex(i))
        ir_put(l->b, IR_F64, X86_OFF_YMM(x86_vec_reg(i, 0)) + (high ? 8 : 0), v);
    else if (high)
        write_halves(l, half(l, first, false), v);
    else
        write_halves(l, v, half(l, first, true));
}

/* MOVHLPS (argument 0): high to low; MOVLHPS (1): low to high. */
void x86_vec_cross(struct x86_lift *l, const struct x86_insn *i)
{
    if (!x86_vec_begin(l))
        return;
    unsigned first = x86_vec_first(i);
    if (i->row->arg)
        write_halves(l, half(l, first, false), half(l, first + 1, false));
    else
        write_halves(l, half(l, first + 1, true), half(l, first, true));
}

/* Moves that duplicate elements; argument: the immediate of a shuffle of 32-bit elements. */
void x86_vec_dup(struct x86_lift *l, const struct x86_insn *i)
{
    if (!x86_vec_begin(l))
        return;
    enum ir_type type = x86_vec_type(i);
    ir_val v = x86_vec_read(l, 1, type);
    x86_vec_write(l, 0, ir_v1i(l->b, type, VEC_shuf32_lane, v, i->row->arg), type);
}

/* Broadcasts; argument: enum vec_op. A memory operand is one element. */
void x86_vec_broadcast(struct x86_lift *l, const struct x86_insn *i)
{
    if (!x86_vec_begin(l))
        return;
    enum ir_type type = x86_vec_type(i);
    enum vec_op op = (enum vec_op)i->row->arg;
    x86_vec_write(l, 0, ir_v1(l->b, type, op, x86_vec_read(l, 1, IR_V128)), type);
}

/* PINSRB and so on: argument: enum vec_op, element bits << 16. */
void x86_vec_insert(struct x86_lift *l, const struct x86_insn *i)
{
    if (x86_is_mm(i, 0)) {
        x86_mmx_op(l, i);
        return;
    }
    if (!x86_vec_begin(l))
        return;
    unsigned first = x86_vec_first(i), bits = i->row->arg >> 16;
    ir_val v = x86_is_mem(i, first + 1)
                   ? x86_load(l, x86_address(l, &i->op[first + 1], false), bits, 0)
                   : x86_gpr_get(l, x86_vec_reg(i, first + 1), bits == 64 ? 64 : 32);
    ir_val whole = ir_v2i(l->b, IR_V128, (enum vec_op)(i->row->arg & 0xffff),
                          x86_vec_read(l, first, IR_V128), v, x86_vec_imm(i));
    x86_vec_write(l, 0, whole, IR_V128);
}

/* PEXTRB and so on: argument: enum vec_op, element bits << 16. */
void x86_vec_extract(struct x86_lift *l, const struct x86_insn *i)
{
    if (x86_is_mm(i, 1)) {
        x86_mmx_op(l, i);
        return;
    }
    if (!x86_vec_begin(l))
        return;
    unsigned bits = i->row->arg >> 16;
    ir_val v = ir_v1i(l->b, IR_V128, (enum vec_op)(i->row->arg & 0xffff),
                      x86_vec_read(l, 1, IR_V128), x86_vec_imm(i));
    if (x86_is_mem(i, 0))
        x86_store(l, x86_address(l, &i->op[0], true), v, bits, 0);
    else
        x86_gpr_put(l, x86_vec_reg(i, 0), bits == 64 ? 64 : 32, v);
}

/* INSERTPS: from memory its element is the one given, imm[7:6] has no meaning. */
void x86_vec_insertps(struct x86_lift *l, const struct x86_insn *i)
{
    if (!x86_vec_begin(l))
        return;
    unsigned first = x86_vec_first(i), imm = x86_vec_imm(i);
    bool mem = x86_is_mem(i, first + 1);
    ir_val v = mem ? ir_v1(l->b, IR_V128, VEC_from_i32, x86_read(l, first + 1))
                   : x86_vec_read(l, first + 1, IR_V128);
    ir_val whole = ir_v2i(l->b, IR_V128, VEC_insertps, x86_vec_read(l, first, IR_V128), v,
                          mem ? imm & 0x3f : imm);
    x86_vec_write(l, 0, whole, IR_V128);
}

void x86_vec_extract128(struct x86_lift *l, const struct x86_insn *i)
{
    if (!x86_vec_begin(l))
        return;
    ir_val v = ir_v1i(l->b, IR_V256, VEC_extract128, x86_vec_read(l, 1, IR_V256), x86_vec_imm(i));
    if (x86_is_mem(i, 0))
        x86_vec_store(l, 0, v, IR_V128, false);
    else
        x86_vec_write(l, 0, v, IR_V128);
}

/* VZEROUPPER (argument 0) and VZEROALL (1); eight registers outside 64-bit code. */
void x86_vzero(struct x86_lift *l, const struct x86_insn *i)
{
    if (!x86_vec_begin(l))
        return;
    ir_val zero = ir_v0(l->b, i->row->arg ? IR_V256 : IR_V128, VEC_zero);
    for (unsigned n = 0; n < (l->bits == 64 ? 16u : 8u); n++)
        ir_put(l->b, i->row->arg ? IR_V256 : IR_V128, X86_OFF_YMM(n) + (i->row->arg ? 0 : 16),
               zero);
}
