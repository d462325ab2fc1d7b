/* Binary arithmetic and logic (SDM 1 7.3.2, 7.3.4). */
#include "guest/x86/lift.h"

static ir_val carry_of_type(struct x86_lift *l, unsigned bits)
{
    return x86_zext(l, x86_cc_carry(l), 32, bits == 64 ? 64 : 32);
}

/* Operation OP (an x86_cc_op) on A and B; *CARRY: of ADC and SBB, as a value of the type. */
static ir_val compute(struct x86_lift *l, enum x86_cc_op op, unsigned bits, ir_val a, ir_val b,
                      ir_val carry)
{
    enum ir_type t = x86_type(bits);
    ir_val v;
    switch (op) {
    case X86_CC_ADD: v = ir_add(l->b, t, a, b); break;
    case X86_CC_ADC: v = ir_add(l->b, t, ir_add(l->b, t, a, b), carry); break;
    case X86_CC_SUB: v = ir_sub(l->b, t, a, b); break;
    default: v = ir_sub(l->b, t, ir_sub(l->b, t, a, b), carry); break;
    }
    return x86_cut(l, v, bits);
}

/* ADD, SUB, ADC, SBB by argument. */
void x86_arith(struct x86_lift *l, const struct x86_insn *i)
{
    enum x86_cc_op op = (enum x86_cc_op)i->row->arg;
    unsigned bits = i->op[0].size;
    bool with_carry = op == X86_CC_ADC || op == X86_CC_SBB;
    ir_val carry = with_carry ? carry_of_type(l, bits) : IR_NONE;
    struct x86_place place = x86_place(l, 0);
    ir_val b = x86_read(l, 1), a = x86_place_read(l, &place, X86_RMW);
    ir_val v = compute(l, op, bits, a, b, carry);
    x86_place_write(l, &place, v, a, false);
    x86_cc_set(l, op, bits, v, b, with_carry ? a : IR_NONE, with_carry ? IR_NONE : a);
}

void x86_cmp(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->op[0].size;
    ir_val a = x86_read(l, 0), b = x86_read(l, 1);
    x86_cc_set(l, X86_CC_SUB, bits, compute(l, X86_CC_SUB, bits, a, b, IR_NONE), b, IR_NONE, a);
}

/* AND, OR, XOR by argument (an ir_op). */
void x86_logic(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->op[0].size;
    struct x86_place place = x86_place(l, 0);
    ir_val b = x86_read(l, 1), a = x86_place_read(l, &place, X86_RMW);
    ir_val v = ir_op2(l->b, (enum ir_op)i->row->arg, x86_type(bits), a, b, 0);
    x86_place_write(l, &place, v, a, false);
    x86_cc_set(l, X86_CC_LOGIC, bits, v, IR_NONE, IR_NONE, IR_NONE);
}

void x86_test(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->op[0].size;
    ir_val v = ir_and(l->b, x86_type(bits), x86_read(l, 0), x86_read(l, 1));
    x86_cc_set(l, X86_CC_LOGIC, bits, v, IR_NONE, IR_NONE, IR_NONE);
}

/* INC and DEC by argument. */
void x86_incdec(struct x86_lift *l, const struct x86_insn *i)
{
    enum x86_cc_op op = (enum x86_cc_op)i->row->arg;
    unsigned bits = i->op[0].size;
    struct x86_place place = x86_place(l, 0);
    ir_val a = x86_place_read(l, &place, X86_RMW), one = x86_const(l, bits, 1);
    ir_val v = compute(l, op == X86_CC_INC ? X86_CC_ADD : X86_CC_SUB, bits, a, one, IR_NONE);
    x86_place_write(l, &place, v, a, false);
    x86_cc_set(l, op, bits, v, IR_NONE, IR_NONE, IR_NONE);
}

void x86_neg(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->op[0].size;
    struct x86_place place = x86_place(l, 0);
    ir_val a = x86_place_read(l, &place, X86_RMW), zero = x86_const(l, bits, 0);
    ir_val v = compute(l, X86_CC_SUB, bits, zero, a, IR_NONE);
    x86_place_write(l, &place, v, a, false);
    x86_cc_set(l, X86_CC_SUB, bits, v, a, IR_NONE, zero);
}

void x86_not(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->op[0].size;
    struct x86_place place = x86_place(l, 0);
    ir_val a = x86_place_read(l, &place, X86_RMW);
    x86_place_write(l, &place, x86_cut(l, ir_not(l->b, x86_type(bits), a), bits), a, false);
}

void x86_xadd(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->op[0].size;
    struct x86_place place = x86_place(l, 0);
    ir_val a = x86_place_read(l, &place, X86_RMW), b = x86_read(l, 1);
    ir_val v = compute(l, X86_CC_ADD, bits, a, b, IR_NONE);
    if (place.mem) {
        x86_place_write(l, &place, v, a, false);
        x86_write(l, 1, a);
    } else { /* the destination wins where both are one register */
        x86_write(l, 1, a);
        x86_place_write(l, &place, v, a, false);
    }
    x86_cc_set(l, X86_CC_ADD, bits, v, b, IR_NONE, a);
}

/* Writes the accumulator unless EQUAL: with 32 bits the upper half must stay then. */
static void cmpxchg_accumulator(struct x86_lift *l, unsigned bits, ir_val equal, ir_val was)
{
    unsigned all = l->word == IR_I64 ? 64 : 32;
    ir_val old = x86_gpr_get(l, X86_RAX, all), wide = x86_zext(l, was, bits, all);
    if (bits < 32)
        wide = ir_bfi(l->b, l->word, old, wide, 0, bits);
    x86_gpr_put(l, X86_RAX, all, ir_select(l->b, l->word, equal, old, wide));
}

void x86_cmpxchg(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->op[0].size;
    enum ir_type t = x86_type(bits);
    struct x86_place place = x86_place(l, 0);
    ir_val expected = x86_gpr_get(l, X86_RAX, bits), desired = x86_read(l, 1), was, equal;
    if (place.mem && x86_has_lock(l)) {
        was = ir_cas(l->b, t, place.addr, expected, desired, x86_memop(l, bits, X86_RMW));
        equal = ir_cmp(l->b, IR_EQ, t, was, expected);
    } else { /* the destination is written in any case, with its old value when different */
        was = x86_place_read(l, &place, X86_RMW);
        equal = ir_cmp(l->b, IR_EQ, t, was, expected);
        if (place.mem)
            x86_place_write(l, &place, ir_select(l->b, t, equal, desired, was), was, false);
    }
    ir_val v = compute(l, X86_CC_SUB, bits, expected, was, IR_NONE);
    cmpxchg_accumulator(l, bits, equal, was);
    if (!place.mem)
        x86_place_write(l, &place, ir_select(l->b, t, equal, desired, was), was, false);
    x86_cc_set(l, X86_CC_SUB, bits, v, was, IR_NONE, expected);
}
