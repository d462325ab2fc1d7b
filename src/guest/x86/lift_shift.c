/* Shifts and rotates (SDM 1 7.3.6). Counts are taken modulo 32, or 64 for 64-bit operands; a count
 * of 0 changes nothing, the flags included. */
#include "guest/x86/lift.h"
#include "guest/x86/undefined.h"

static ir_val count_of(struct x86_lift *l, const struct x86_insn *i, unsigned n, unsigned bits)
{
    if (i->op[n].type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
        return ir_const32(l->b, i->op[n].imm.value.u & (bits == 64 ? 63 : 31));
    ir_val count = x86_zext(l, x86_read(l, n), i->op[n].size, 32);
    return ir_and(l->b, IR_I32, count, ir_const32(l->b, bits == 64 ? 63 : 31));
}

/* A by COUNT - 1, where COUNT is not 0: what the last step shifts, and a last step more. */
static void shift_twice(struct x86_lift *l, enum x86_cc_op op, unsigned bits, ir_val a,
                        ir_val count, ir_val *before, ir_val *after)
{
    struct ir_builder *b = l->b;
    enum ir_type t = x86_type(bits);
    enum ir_op ir = op == X86_CC_SHL ? IR_shl : op == X86_CC_SHR ? IR_shr : IR_sar;
    ir_val less = ir_sub(b, IR_I32, count, ir_const32(b, 1)), one = ir_const32(b, 1);
    if (op == X86_CC_SAR && bits < 32)
        a = x86_sext(l, a, bits, 32);
    *before = ir_op2(b, ir, t, a, less, 0);
    *after = x86_cut(l, ir_op2(b, ir, t, *before, one, 0), bits);
    *before = x86_cut(l, *before, bits);
}

/* SHL, SHR, SAR by argument. */
void x86_shift(struct x86_lift *l, const struct x86_insn *i)
{
    enum x86_cc_op op = (enum x86_cc_op)i->row->arg;
    unsigned bits = i->op[0].size;
    enum ir_type t = x86_type(bits);
    struct x86_place place = x86_place(l, 0);
    ir_val a = x86_place_read(l, &place, X86_RMW), count = count_of(l, i, 1, bits);
    ir_val before, after, none = ir_cmp(l->b, IR_EQ, IR_I32, count, ir_const32(l->b, 0));
    uint64_t known;
    bool constant = ir_is_const(l->b, count, &known);

    if (constant && known == 0) {
        x86_place_write(l, &place, a, a, false);
        return;
    }
    shift_twice(l, op, bits, a, count, &before, &after);
    /* Without the detour over the last step but one, for the value itself. */
    ir_val operand = op == X86_CC_SAR && bits < 32 ? x86_sext(l, a, bits, 32) : a;
    enum ir_op ir = op == X86_CC_SHL ? IR_shl : op == X86_CC_SHR ? IR_shr : IR_sar;
    ir_val v = x86_cut(l, ir_op2(l->b, ir, t, operand, count, 0), bits);
    x86_place_write(l, &place, v, a, false);
    struct x86_cc saved = constant ? l->cc : x86_cc_save(l);
    x86_cc_set(l, op, bits, constant ? v : after, before, IR_NONE, IR_NONE);
    x86_cc_restore_if(l, none, &saved);
}

/* CF and OF change, the others stay: OF is undefined for counts above 1, where processors go on by
 * the same rule. */
static void rotate_flags(struct x86_lift *l, ir_val cf, ir_val of, ir_val none)
{
    uint64_t known;
    bool constant = ir_is_const(l->b, none, &known);
    struct x86_cc saved = constant ? l->cc : x86_cc_save(l);
    if (constant && known)
        return;
    x86_cc_set_cf_of(l, cf, of);
    x86_cc_restore_if(l, none, &saved);
}

static ir_val bit_at(struct x86_lift *l, ir_val v, unsigned bits, unsigned n)
{
    ir_val field = ir_ubfx(l->b, x86_type(bits), v, n, 1);
    return bits == 64 ? ir_trunc(l->b, IR_I32, field) : field;
}

/* V of BITS, rotated right by COUNT (taken modulo BITS). */
static ir_val rotate_right(struct x86_lift *l, ir_val v, unsigned bits, ir_val count)
{
    struct ir_builder *b = l->b;
    if (bits >= 32)
        return ir_ror(b, x86_type(bits), v, count);
    /* Copies of the operand fill the 32 bits. */
    if (bits == 8)
        v = ir_bfi(b, IR_I32, v, v, 8, 8);
    v = ir_bfi(b, IR_I32, v, v, 16, 16);
    return x86_cut(l, ir_ror(b, IR_I32, v, count), bits);
}

/* ROL (argument 0) and ROR (1). */
void x86_rotate(struct x86_lift *l, const struct x86_insn *i)
{
    struct ir_builder *b = l->b;
    bool right = i->row->arg;
    unsigned bits = i->op[0].size;
    struct x86_place place = x86_place(l, 0);
    ir_val a = x86_place_read(l, &place, X86_RMW), count = count_of(l, i, 1, bits);
    ir_val none = ir_cmp(b, IR_EQ, IR_I32, count, ir_const32(b, 0));
    ir_val by = right ? count : ir_neg(b, IR_I32, count);
    ir_val v = rotate_right(l, a, bits, by);
    x86_place_write(l, &place, v, a, false);
    ir_val top = bit_at(l, v, bits, bits - 1);
    ir_val cf = right ? top : bit_at(l, v, bits, 0);
    ir_val of = ir_xor(b, IR_I32, top, right ? bit_at(l, v, bits, bits - 2) : cf);
    rotate_flags(l, cf, of, none);
}

/* ---- rotates through CF: of one bit more than the operand has ---- */

/* COUNT modulo the width and CF; below 32 bits only the count can be as large. */
static ir_val carry_count(struct x86_lift *l, ir_val count, unsigned bits)
{
    struct ir_builder *b = l->b;
    if (bits == 8) { /* count / 9 for counts below 32 */
        ir_val ninths = ir_mul(b, IR_I32, count, ir_const32(b, 57));
        ninths = ir_shr(b, IR_I32, ninths, ir_const32(b, 9));
        return ir_sub(b, IR_I32, count, ir_mul(b, IR_I32, ninths, ir_const32(b, 9)));
    }
    if (bits == 16) {
        ir_val less = ir_sub(b, IR_I32, count, ir_const32(b, 17));
        ir_val large = ir_cmp(b, IR_UGE, IR_I32, count, ir_const32(b, 17));
        return ir_select(b, IR_I32, large, less, count);
    }
    return count;
}

/* An operand of up to 32 bits A with CF above it, rotated left by N < its bits + 1. */
static ir_val rotate_wide(struct x86_lift *l, ir_val a, ir_val cf, unsigned bits, ir_val n)
{
    struct ir_builder *b = l->b;
    ir_val x = ir_bfi(b, IR_I64, ir_zext(b, IR_I64, a), ir_zext(b, IR_I64, cf), bits, 1);
    ir_val back = ir_sub(b, IR_I32, ir_const32(b, bits + 1), n);
    x = ir_or(b, IR_I64, ir_shl(b, IR_I64, x, n), ir_shr(b, IR_I64, x, back));
    return ir_ubfx(b, IR_I64, x, 0, bits + 1);
}

/* An operand of 64 bits; N > 0. RIGHT: the same on the mirrored operand. *OUT: the bit that falls
 * into CF. */
static ir_val rotate_64(struct x86_lift *l, ir_val a, ir_val cf, bool right, ir_val n, ir_val *out)
{
    struct ir_builder *b = l->b;
    enum ir_op there = right ? IR_shr : IR_shl, back = right ? IR_shl : IR_shr;
    ir_val rest = ir_neg(b, IR_I32, n), one = ir_const32(b, 1);
    ir_val v = ir_op2(b, there, IR_I64, a, n, 0);
    v = ir_or(b, IR_I64, v, ir_op2(b, back, IR_I64, ir_op2(b, back, IR_I64, a, one, 0), rest, 0));
    ir_val at = right ? rest : ir_sub(b, IR_I32, n, one);
    v = ir_or(b, IR_I64, v, ir_shl(b, IR_I64, ir_zext(b, IR_I64, cf), at));
    *out = bit_at(l, ir_shr(b, IR_I64, a, right ? ir_sub(b, IR_I32, n, one) : rest), 64, 0);
    return v;
}

/* RCL (argument 0) and RCR (1). */
void x86_rotate_carry(struct x86_lift *l, const struct x86_insn *i)
{
    struct ir_builder *b = l->b;
    bool right = i->row->arg;
    unsigned bits = i->op[0].size;
    struct x86_place place = x86_place(l, 0);
    ir_val a = x86_place_read(l, &place, X86_RMW), count = count_of(l, i, 1, bits);
    ir_val none = ir_cmp(b, IR_EQ, IR_I32, count, ir_const32(b, 0)), in = x86_cc_carry(l), cf, v;

    if (bits == 64) {
        v = rotate_64(l, a, in, right, count, &cf);
        v = ir_select(b, IR_I64, none, a, v);
    } else {
        ir_val n = carry_count(l, count, bits);
        if (right) /* as far to the left as it takes to come out there */
            n = ir_sub(b, IR_I32, ir_const32(b, bits + 1), n);
        ir_val x = rotate_wide(l, a, in, bits, n);
        v = x86_zext(l, bits == 32 ? x : ir_ubfx(b, IR_I64, x, 0, bits), 64, bits);
        cf = bit_at(l, x, 64, bits);
    }
    x86_place_write(l, &place, v, a, false);
    ir_val top = bit_at(l, v, bits, bits - 1);
    ir_val of = ir_xor(b, IR_I32, top, right ? bit_at(l, v, bits, bits - 2) : cf);
    rotate_flags(l, cf, of, none);
}

/* ---- SHLD, SHRD ---- */

/* A of 32 or 64 bits by N, 0 < N < its size, with bits of FILL coming in. */
static ir_val shift_in(struct x86_lift *l, bool left, unsigned bits, ir_val a, ir_val fill,
                       ir_val n)
{
    struct ir_builder *b = l->b;
    enum ir_type t = x86_type(bits);
    enum ir_op there = left ? IR_shl : IR_shr, back = left ? IR_shr : IR_shl;
    /* By one less and one more, since a shift by the whole size is none here. */
    ir_val rest = ir_not(b, IR_I32, n), one = ir_const32(b, 1);
    fill = ir_op2(b, back, t, ir_op2(b, back, t, fill, one, 0), rest, 0);
    return ir_or(b, t, ir_op2(b, there, t, a, n, 0), fill);
}

/* The same of 16 bits: three operands in a row, of which the one at the far end counts for N > 16.
 */
static ir_val shift_in16(struct x86_lift *l, bool left, ir_val a, ir_val fill, ir_val n)
{
    struct ir_builder *b = l->b;
    ir_val last = x86_undefined_of(l->model)->shift16_source ? fill : a;
    ir_val x = ir_zext(b, IR_I64, left ? last : a);
    x = ir_bfi(b, IR_I64, x, ir_zext(b, IR_I64, fill), 16, 16);
    x = ir_bfi(b, IR_I64, x, ir_zext(b, IR_I64, left ? a : last), 32, 16);
    x = left ? ir_shl(b, IR_I64, x, n) : ir_shr(b, IR_I64, x, n);
    return ir_trunc(b, IR_I32, ir_ubfx(b, IR_I64, x, left ? 32 : 0, 16));
}

/* Of 16 bits by 16 or more: CF has nothing to take beyond 16, OF of SHLD is CF. */
static void large_shift_flags(struct x86_lift *l, bool left, ir_val v, ir_val before, ir_val count)
{
    struct ir_builder *b = l->b;
    ir_val beyond = ir_cmp(b, IR_UGT, IR_I32, count, ir_const32(b, 16));
    ir_val large = ir_cmp(b, IR_UGT, IR_I32, count, ir_const32(b, 15));
    ir_val top = bit_at(l, v, 16, 15), cf = bit_at(l, before, 16, left ? 15 : 0);
    ir_val of = ir_xor(b, IR_I32, top, left ? cf : bit_at(l, v, 16, 14));
    cf = ir_select(b, IR_I32, beyond, ir_const32(b, 0), cf);
    x86_cc_set_cf_of(l, cf, left ? ir_select(b, IR_I32, large, cf, of) : of);
}

/* SHLD and SHRD, by argument: the flags are those of SHL and SHR. */
void x86_shift_double(struct x86_lift *l, const struct x86_insn *i)
{
    struct ir_builder *b = l->b;
    enum x86_cc_op op = (enum x86_cc_op)i->row->arg;
    bool left = op == X86_CC_SHL;
    unsigned bits = i->op[0].size;
    struct x86_place place = x86_place(l, 0);
    ir_val a = x86_place_read(l, &place, X86_RMW), fill = x86_read(l, 1);
    ir_val count = count_of(l, i, 2, bits), less = ir_sub(b, IR_I32, count, ir_const32(b, 1));
    ir_val none = ir_cmp(b, IR_EQ, IR_I32, count, ir_const32(b, 0)), v, before;
    uint64_t known;
    bool constant = ir_is_const(b, count, &known);

    if (bits == 16) {
        v = shift_in16(l, left, a, fill, count);
        before = shift_in16(l, left, a, fill, less);
    } else {
        v = shift_in(l, left, bits, a, fill, count);
        before = shift_in(l, left, bits, a, fill, less);
    }
    x86_place_write(l, &place, ir_select(b, x86_type(bits), none, a, v), a, false);
    if (constant && known == 0)
        return;
    struct x86_cc saved = constant ? l->cc : x86_cc_save(l);
    x86_cc_set(l, op, bits, v, before, IR_NONE, IR_NONE);
    if (bits == 16 && x86_undefined_of(l->model)->shift16_source)
        large_shift_flags(l, left, v, before, count);
    x86_cc_restore_if(l, none, &saved);
}
