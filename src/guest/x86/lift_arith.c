/* Binary arithmetic and logic (SDM 1 7.3.2, 7.3.4). */
#include "guest/x86/lift.h"
#include "mem/mem.h"

#include <narwhal/hook.h>

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

static bool is_locked(const struct x86_lift *l, const struct x86_place *place)
{
    return place->mem && x86_has_lock(l);
}

/* Atomically [PLACE] += B, or -= B; gives what was there. */
static ir_val add_atomically(struct x86_lift *l, const struct x86_place *place, ir_val b, bool sub)
{
    if (sub)
        b = x86_cut(l, ir_neg(l->b, x86_type(place->bits), b), place->bits);
    return x86_place_atomic(l, place, IR_atomic_add, b);
}

/* ADD, SUB, ADC, SBB by argument. */
void x86_arith(struct x86_lift *l, const struct x86_insn *i)
{
    enum x86_cc_op op = (enum x86_cc_op)i->row->arg;
    unsigned bits = i->op[0].size;
    bool with_carry = op == X86_CC_ADC || op == X86_CC_SBB;
    ir_val carry = with_carry ? carry_of_type(l, bits) : IR_NONE;
    struct x86_place place = x86_place(l, 0);
    ir_val b = x86_read(l, 1), a, v;
    if (is_locked(l, &place) && !with_carry) {
        a = add_atomically(l, &place, b, op == X86_CC_SUB);
        v = compute(l, op, bits, a, b, carry);
    } else {
        a = x86_place_read(l, &place, X86_RMW);
        if (op == X86_CC_SUB)
            lift_compare(l->b, l->req, a, b, bits, NW_COMPARE_KEEPS | NW_COMPARE_FLAGS);
        v = compute(l, op, bits, a, b, carry);
        x86_place_write(l, &place, v, a, false);
    }
    x86_cc_set(l, op, bits, v, b, with_carry ? a : IR_NONE, with_carry ? IR_NONE : a);
}

void x86_cmp(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->op[0].size;
    ir_val a = x86_read(l, 0), b = x86_read(l, 1);
    lift_compare(l->b, l->req, a, b, bits, NW_COMPARE_FLAGS);
    x86_cc_set(l, X86_CC_SUB, bits, compute(l, X86_CC_SUB, bits, a, b, IR_NONE), b, IR_NONE, a);
}

/* AND, OR, XOR by argument (an ir_op). */
void x86_logic(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->op[0].size;
    struct x86_place place = x86_place(l, 0);
    enum ir_op op = (enum ir_op)i->row->arg;
    ir_val b = x86_read(l, 1), a, v;
    if (is_locked(l, &place)) {
        enum ir_op atomic = op == IR_and  ? IR_atomic_and
                            : op == IR_or ? IR_atomic_or
                                          : IR_atomic_xor;
        a = x86_place_atomic(l, &place, atomic, b);
        v = ir_op2(l->b, op, x86_type(bits), a, b, 0);
    } else {
        a = x86_place_read(l, &place, X86_RMW);
        v = ir_op2(l->b, op, x86_type(bits), a, b, 0);
        x86_place_write(l, &place, v, a, false);
    }
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
    enum x86_cc_op by = op == X86_CC_INC ? X86_CC_ADD : X86_CC_SUB;
    ir_val one = x86_const(l, bits, 1), a, v;
    if (is_locked(l, &place)) {
        a = add_atomically(l, &place, one, op == X86_CC_DEC);
        v = compute(l, by, bits, a, one, IR_NONE);
    } else {
        a = x86_place_read(l, &place, X86_RMW);
        v = compute(l, by, bits, a, one, IR_NONE);
        x86_place_write(l, &place, v, a, false);
    }
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
    if (is_locked(l, &place)) {
        x86_place_atomic(l, &place, IR_atomic_xor, x86_const(l, bits, UINT64_MAX));
        return;
    }
    ir_val a = x86_place_read(l, &place, X86_RMW);
    x86_place_write(l, &place, x86_cut(l, ir_not(l->b, x86_type(bits), a), bits), a, false);
}

void x86_xadd(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->op[0].size;
    struct x86_place place = x86_place(l, 0);
    ir_val b = x86_read(l, 1), a, v;
    a = is_locked(l, &place) ? add_atomically(l, &place, b, false)
                             : x86_place_read(l, &place, X86_RMW);
    v = compute(l, X86_CC_ADD, bits, a, b, IR_NONE);
    if (place.mem) {
        if (!is_locked(l, &place))
            x86_place_write(l, &place, v, a, false);
        x86_write(l, 1, a);
    } else { /* the destination wins where both are one register */
        x86_write(l, 1, a);
        x86_place_write(l, &place, v, a, false);
    }
    x86_cc_set(l, X86_CC_ADD, bits, v, b, IR_NONE, a);
}

/* Writes REG unless KEEP, whole: what stays keeps its upper half. */
static void put_unless(struct x86_lift *l, unsigned reg, ir_val keep, ir_val v)
{
    unsigned all = l->word == IR_I64 ? 64 : 32;
    ir_val old = x86_gpr_get(l, reg, all);
    x86_gpr_put(l, reg, all, ir_select(l->b, l->word, keep, old, x86_zext(l, v, 32, all)));
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
    ir_val one = ir_const32(l->b, 1);
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
    if (!place.mem && bits == 32)
        put_unless(l, (unsigned)ZydisRegisterGetId(place.reg), ir_xor(l->b, IR_I32, equal, one),
                   desired);
    else if (!place.mem)
        x86_place_write(l, &place, ir_select(l->b, t, equal, desired, was), was, false);
    x86_cc_set(l, X86_CC_SUB, bits, v, was, IR_NONE, expected);
}

/* ---- CMPXCHG8B, CMPXCHG16B ---- */

/* ZF = EQUAL, the others stay. */
static void set_zf(struct x86_lift *l, ir_val equal)
{
    struct ir_builder *b = l->b;
    ir_val flags = ir_and(b, IR_I32, x86_cc_flags(l), ir_const32(b, ~(uint32_t)X86_ZF));
    x86_cc_set_flags(l, ir_or(b, IR_I32, flags, ir_shl(b, IR_I32, equal, ir_const32(b, 6))));
}

static ir_val pair(struct x86_lift *l, unsigned high, unsigned low)
{
    ir_val h = ir_zext(l->b, IR_I64, x86_gpr_get(l, high, 32));
    return ir_bfi(l->b, IR_I64, ir_zext(l->b, IR_I64, x86_gpr_get(l, low, 32)), h, 32, 32);
}

/* Atomic with LOCK and without. */
void x86_cmpxchg8b(struct x86_lift *l, const struct x86_insn *i)
{
    struct ir_builder *b = l->b;
    (void)i;
    struct x86_place place = x86_place(l, 0);
    ir_val expected = pair(l, X86_RDX, X86_RAX), desired = pair(l, X86_RCX, X86_RBX);
    ir_val was = ir_cas(b, IR_I64, place.addr, expected, desired, x86_memop(l, 64, X86_RMW));
    ir_val equal = ir_cmp(b, IR_EQ, IR_I64, was, expected);
    put_unless(l, X86_RAX, equal, ir_trunc(b, IR_I32, was));
    put_unless(l, X86_RDX, equal, ir_trunc(b, IR_I32, ir_shr(b, IR_I64, was, ir_const32(b, 32))));
    set_zf(l, equal);
}

static uint64_t cmpxchg16b_helper(struct nw_vcpu *vcpu, uint64_t addr, uint64_t memop,
                                  uint64_t unused1, uint64_t unused2)
{
    (void)unused1, (void)unused2;
    struct x86_state *s = x86_of(vcpu);
    const uint64_t expected[2] = {s->gpr[X86_RAX], s->gpr[X86_RDX]};
    const uint64_t desired[2] = {s->gpr[X86_RBX], s->gpr[X86_RCX]};
    uint64_t old[2];

    if (addr & 15) {
        x86_raise(vcpu, X86_GP, 0);
        return 0;
    }
    if (!mem_cas16(vcpu, addr, expected, desired, old, (uint32_t)memop))
        return 0;
    s->gpr[X86_RAX] = old[0];
    s->gpr[X86_RDX] = old[1];
    return old[0] == expected[0] && old[1] == expected[1];
}

void x86_cmpxchg16b(struct x86_lift *l, const struct x86_insn *i)
{
    static const struct ir_helper helper = {"x86_cmpxchg16b", cmpxchg16b_helper,
                                            IR_H_READS | IR_H_WRITES | IR_H_EXITS, IR_I32, 2};
    (void)i;
    struct x86_place place = x86_place(l, 0);
    ir_val memop = ir_const32(l->b, x86_memop(l, 128, X86_RMW));
    ir_val equal = ir_call(l->b, &helper, place.addr, memop, IR_NONE, IR_NONE);
    set_zf(l, equal);
}
