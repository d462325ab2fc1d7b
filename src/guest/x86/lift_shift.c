/* Shifts and rotates (SDM 1 7.3.6). Counts are taken modulo 32, or 64 for 64-bit operands; a count
 * of 0 changes nothing, the flags included. */
#include "guest/x86/lift.h"

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
