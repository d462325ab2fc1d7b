/* The arithmetic flags while lifting: what is known of them, and conditions folded to comparisons.
 */
#include "guest/x86/flags.h"
#include "guest/x86/lift.h"
#include "guest/x86/undefined.h"

static unsigned bits_of(uint32_t op)
{
    return 8u << (op & 3);
}

/* IR_NONE: the operation has no use for the slot. */
static void put64(struct x86_lift *l, uint32_t offset, ir_val v, unsigned bits)
{
    if (v == IR_NONE)
        ir_drop(l->b, IR_I64, offset);
    else
        ir_put(l->b, IR_I64, offset, x86_zext(l, v, bits, 64));
}

void x86_cc_forget(struct x86_lift *l)
{
    l->cc = (struct x86_cc){.dst = IR_NONE,
                            .src = IR_NONE,
                            .aux = IR_NONE,
                            .cf = IR_NONE,
                            .of = IR_NONE,
                            .a = IR_NONE,
                            .fa = IR_NONE,
                            .fb = IR_NONE};
}

static void put_op(struct x86_lift *l, uint32_t op)
{
    ir_put(l->b, IR_I32, X86_OFF(cc_op), ir_const32(l->b, op));
}

static ir_val carry_of_state(struct x86_lift *l);

void x86_cc_set(struct x86_lift *l, enum x86_cc_op op, unsigned bits, ir_val dst, ir_val src,
                ir_val aux, ir_val a)
{
    bool keeps_cf = op == X86_CC_INC || op == X86_CC_DEC;
    bool shift = op == X86_CC_SHL || op == X86_CC_SHR || op == X86_CC_SAR;
    ir_val cf = !keeps_cf ? IR_NONE : l->cc.known ? x86_cc_carry(l) : carry_of_state(l);

    x86_cc_forget(l);
    l->cc.known = true;
    l->cc.op = op + x86_log2(bits / 8);
    if (keeps_cf)
        l->cc.op |= X86_CC_CF;
    if (shift && x86_undefined_of(l->model)->shift_af)
        l->cc.op |= X86_CC_AF;
    l->cc.dst = dst;
    l->cc.src = src;
    l->cc.aux = aux;
    l->cc.a = a;
    l->cc.cf = cf;
    put_op(l, l->cc.op);
    put64(l, X86_OFF(cc_dst), dst, bits);
    put64(l, X86_OFF(cc_src), src, bits);
    put64(l, X86_OFF(cc_aux), aux, bits);
    if (keeps_cf)
        ir_put(l->b, IR_I32, X86_OFF(cc_cf), cf);
    else
        ir_drop(l->b, IR_I32, X86_OFF(cc_cf));
}

void x86_cc_set_af(struct x86_lift *l)
{
    l->cc.op |= X86_CC_AF;
    put_op(l, l->cc.op);
}

/* Adds KEPT (X86_CC_CF, X86_CC_OF) to the operation. */
static void keep_apart(struct x86_lift *l, uint32_t kept)
{
    if (l->cc.derived) {
        ir_val flags = l->cc.src;
        x86_cc_set_flags(l, flags);
    }
    if (l->cc.known) {
        l->cc.op |= kept;
        put_op(l, l->cc.op);
    } else {
        ir_val op = ir_get(l->b, IR_I32, X86_OFF(cc_op));
        ir_put(l->b, IR_I32, X86_OFF(cc_op), ir_or(l->b, IR_I32, op, ir_const32(l->b, kept)));
    }
    l->cc.fa = IR_NONE;
}

void x86_cc_set_cf(struct x86_lift *l, ir_val cf)
{
    ir_val both = cf;
    if (!l->cc.known || l->cc.of != IR_NONE) { /* bit 1 may be OF */
        ir_val old = ir_get(l->b, IR_I32, X86_OFF(cc_cf));
        both = ir_or(l->b, IR_I32, ir_and(l->b, IR_I32, old, ir_const32(l->b, 2)), cf);
    }
    keep_apart(l, X86_CC_CF);
    l->cc.cf = cf;
    ir_put(l->b, IR_I32, X86_OFF(cc_cf), both);
}

void x86_cc_set_cf_of(struct x86_lift *l, ir_val cf, ir_val of)
{
    keep_apart(l, X86_CC_CF | X86_CC_OF);
    l->cc.cf = cf;
    l->cc.of = of;
    ir_val high = ir_shl(l->b, IR_I32, of, ir_const32(l->b, 1));
    ir_put(l->b, IR_I32, X86_OFF(cc_cf), ir_or(l->b, IR_I32, high, cf));
}

void x86_cc_set_flags(struct x86_lift *l, ir_val flags)
{
    x86_cc_forget(l);
    l->cc.known = true;
    l->cc.op = X86_CC_FLAGS;
    l->cc.src = flags;
    put_op(l, X86_CC_FLAGS);
    put64(l, X86_OFF(cc_dst), IR_NONE, 64);
    put64(l, X86_OFF(cc_src), flags, 32);
    put64(l, X86_OFF(cc_aux), IR_NONE, 64);
    ir_drop(l->b, IR_I32, X86_OFF(cc_cf));
}

void x86_cc_set_fcmp(struct x86_lift *l, ir_val flags, ir_val a, ir_val b, enum ir_type type)
{
    x86_cc_set_flags(l, flags);
    l->cc.ftype = type;
    l->cc.fa = a;
    l->cc.fb = b;
}

/* ---- the choice between two states of the flags ---- */

struct x86_cc x86_cc_save(struct x86_lift *l)
{
    struct ir_builder *b = l->b;
    struct x86_cc saved = l->cc;
    saved.slot_op = ir_get(b, IR_I32, X86_OFF(cc_op));
    saved.slot_cf = ir_get(b, IR_I32, X86_OFF(cc_cf));
    saved.slot_dst = ir_get(b, IR_I64, X86_OFF(cc_dst));
    saved.slot_src = ir_get(b, IR_I64, X86_OFF(cc_src));
    saved.slot_aux = ir_get(b, IR_I64, X86_OFF(cc_aux));
    return saved;
}

static void choose(struct x86_lift *l, enum ir_type type, uint32_t offset, ir_val truth, ir_val old)
{
    ir_val now = ir_get(l->b, type, offset);
    if (now != old)
        ir_put(l->b, type, offset, ir_select(l->b, type, truth, old, now));
}

void x86_cc_restore_if(struct x86_lift *l, ir_val truth, const struct x86_cc *saved)
{
    uint64_t known;
    if (ir_is_const(l->b, truth, &known) && !known)
        return;
    choose(l, IR_I32, X86_OFF(cc_op), truth, saved->slot_op);
    choose(l, IR_I32, X86_OFF(cc_cf), truth, saved->slot_cf);
    choose(l, IR_I64, X86_OFF(cc_dst), truth, saved->slot_dst);
    choose(l, IR_I64, X86_OFF(cc_src), truth, saved->slot_src);
    choose(l, IR_I64, X86_OFF(cc_aux), truth, saved->slot_aux);
    x86_cc_forget(l);
}

/* ---- reading ---- */

static uint64_t flags_helper(struct nw_vcpu *vcpu, uint64_t op, uint64_t dst, uint64_t src,
                             uint64_t aux)
{
    (void)vcpu;
    return x86_flags_eval(op, dst, src, aux);
}

static ir_val call_eval(struct x86_lift *l, ir_val op, ir_val dst, ir_val src, ir_val aux)
{
    static const struct ir_helper helper = {"x86_flags", flags_helper, IR_H_PURE, IR_I32, 4};
    return ir_call(l->b, &helper, op, dst, src, aux);
}

/* FLAGS with bit N replaced by VALUE, unless that is IR_NONE. */
static ir_val with_bit(struct x86_lift *l, ir_val flags, unsigned n, ir_val value)
{
    return value == IR_NONE ? flags : ir_bfi(l->b, IR_I32, flags, value, n, 1);
}

/* The flags of the state as it is. */
static ir_val flags_of_state(struct x86_lift *l)
{
    struct ir_builder *b = l->b;
    ir_val cf = ir_zext(b, IR_I64, ir_get(b, IR_I32, X86_OFF(cc_cf)));
    ir_val op = ir_zext(b, IR_I64, ir_get(b, IR_I32, X86_OFF(cc_op)));
    op = ir_or(b, IR_I64, op, ir_shl(b, IR_I64, cf, ir_const32(b, 32)));
    return call_eval(l, op, ir_get(b, IR_I64, X86_OFF(cc_dst)), ir_get(b, IR_I64, X86_OFF(cc_src)),
                     ir_get(b, IR_I64, X86_OFF(cc_aux)));
}

/* CF of the state: where the last operation was INC or DEC, as in many a loop, it is at hand. Made
 * so in the state first: the slot means nothing where it is not. */
static ir_val carry_of_state(struct x86_lift *l)
{
    struct ir_builder *b = l->b;
    ir_val one = ir_const32(b, 1), kept = ir_const32(b, X86_CC_CF);
    uint32_t label = ir_label_new(b);

    ir_skip_if(b, ir_and(b, IR_I32, ir_get(b, IR_I32, X86_OFF(cc_op)), kept), label);
    ir_put(b, IR_I32, X86_OFF(cc_cf), ir_and(b, IR_I32, flags_of_state(l), one));
    ir_label(b, label);
    return ir_and(b, IR_I32, ir_get(b, IR_I32, X86_OFF(cc_cf)), one);
}

static ir_val operand64(struct x86_lift *l, ir_val v)
{
    return v == IR_NONE ? ir_const64(l->b, 0) : x86_zext(l, v, bits_of(l->cc.op), 64);
}

ir_val x86_cc_flags(struct x86_lift *l)
{
    if (!l->cc.known) {
        ir_val flags = flags_of_state(l);
        x86_cc_forget(l);
        l->cc.known = l->cc.derived = true;
        l->cc.op = X86_CC_FLAGS;
        l->cc.src = flags;
        return flags;
    }
    ir_val flags = l->cc.src;
    uint32_t op = l->cc.op & ~(uint32_t)(X86_CC_CF | X86_CC_OF);
    if ((op & 0xfc) != X86_CC_FLAGS)
        flags = call_eval(l, ir_const64(l->b, op), operand64(l, l->cc.dst), operand64(l, l->cc.src),
                          operand64(l, l->cc.aux));
    return with_bit(l, with_bit(l, flags, 0, l->cc.cf), 11, l->cc.of);
}

static ir_val bit(struct x86_lift *l, ir_val v, unsigned bits, unsigned n)
{
    ir_val field = ir_ubfx(l->b, x86_type(bits), v, n, 1);
    return bits == 64 ? ir_trunc(l->b, IR_I32, field) : field;
}

/* First operand of a difference, or of a sum. */
static ir_val first(struct x86_lift *l, unsigned bits)
{
    enum ir_type t = x86_type(bits);
    if (l->cc.a != IR_NONE)
        return l->cc.a;
    bool sum = (l->cc.op & 0xfc) == X86_CC_ADD;
    l->cc.a = x86_cut(
        l, sum ? ir_sub(l->b, t, l->cc.dst, l->cc.src) : ir_add(l->b, t, l->cc.dst, l->cc.src),
        bits);
    return l->cc.a;
}

/* Carries (or borrows) out of each bit of a sum (difference) with carry in: the top one is CF. */
static ir_val carry_in_form(struct x86_lift *l, unsigned bits, bool sum)
{
    struct ir_builder *b = l->b;
    enum ir_type t = x86_type(bits);
    ir_val a = sum ? l->cc.aux : ir_not(b, t, l->cc.aux);
    ir_val other = sum ? ir_not(b, t, l->cc.dst) : l->cc.dst;
    ir_val carries =
        ir_or(b, t, ir_and(b, t, a, l->cc.src), ir_and(b, t, ir_or(b, t, a, l->cc.src), other));
    return bit(l, carries, bits, bits - 1);
}

ir_val x86_cc_carry(struct x86_lift *l)
{
    if (l->cc.cf != IR_NONE)
        return l->cc.cf;
    ir_val cf;
    unsigned bits = bits_of(l->cc.op);
    enum ir_type t = x86_type(bits);
    switch (l->cc.known ? l->cc.op & 0xfc : X86_CC_FLAGS) {
    case X86_CC_LOGIC: cf = ir_const32(l->b, 0); break;
    case X86_CC_ADD: cf = ir_cmp(l->b, IR_ULT, t, l->cc.dst, l->cc.src); break;
    case X86_CC_SUB: cf = ir_cmp(l->b, IR_ULT, t, first(l, bits), l->cc.src); break;
    case X86_CC_ADC: cf = carry_in_form(l, bits, true); break;
    case X86_CC_SBB: cf = carry_in_form(l, bits, false); break;
    case X86_CC_SHL: cf = bit(l, l->cc.src, bits, bits - 1); break;
    case X86_CC_SHR:
    case X86_CC_SAR: cf = bit(l, l->cc.src, bits, 0); break;
    case X86_CC_BLS:
        cf = x86_cut(l, bits == 64 ? ir_trunc(l->b, IR_I32, l->cc.src) : l->cc.src, 32);
        break;
    default: cf = bit(l, x86_cc_flags(l), 32, 0); break;
    }
    return cf;
}

/* ---- conditions; C is the condition without its lowest bit ---- */

enum { O = 0, B = 2, Z = 4, BE = 6, S = 8, P = 10, L = 12, LE = 14 };

static ir_val test_bits(struct x86_lift *l, ir_val flags, unsigned c)
{
    struct ir_builder *b = l->b;
    ir_val sf, of;
    switch (c) {
    case O: return bit(l, flags, 32, 11);
    case B: return bit(l, flags, 32, 0);
    case Z: return bit(l, flags, 32, 6);
    case S: return bit(l, flags, 32, 7);
    case P: return bit(l, flags, 32, 2);
    case BE:
        return ir_cmp(b, IR_NE, IR_I32, ir_and(b, IR_I32, flags, ir_const32(b, X86_CF | X86_ZF)),
                      ir_const32(b, 0));
    default:
        sf = bit(l, flags, 32, 7);
        of = bit(l, flags, 32, 11);
        sf = ir_xor(b, IR_I32, sf, of);
        return c == L ? sf : ir_or(b, IR_I32, sf, bit(l, flags, 32, 6));
    }
}

static ir_val signed_operand(struct x86_lift *l, ir_val v, unsigned bits)
{
    return bits < 32 ? x86_sext(l, v, bits, 32) : v;
}

static ir_val is_zero(struct x86_lift *l, ir_val v, unsigned bits)
{
    return ir_cmp(l->b, IR_EQ, x86_type(bits), v, x86_const(l, bits, 0));
}

static ir_val is_negative(struct x86_lift *l, ir_val v, unsigned bits)
{
    return ir_cmp(l->b, IR_SLT, x86_type(bits), signed_operand(l, v, bits),
                  x86_const(l, bits == 64 ? 64 : 32, 0));
}

/* Comparison of A with B whose difference the flags describe. */
static ir_val test_difference(struct x86_lift *l, unsigned c, ir_val a, ir_val b, unsigned bits)
{
    static const uint8_t cc[] = {
        [B] = IR_ULT, [Z] = IR_EQ, [BE] = IR_ULE, [L] = IR_SLT, [LE] = IR_SLE};
    if (c == L || c == LE) {
        a = signed_operand(l, a, bits);
        b = signed_operand(l, b, bits);
    }
    return ir_cmp(l->b, cc[c], x86_type(bits), a, b);
}

static ir_val even_parity(struct x86_lift *l, ir_val dst, unsigned bits)
{
    struct ir_builder *b = l->b;
    if (bits == 64)
        dst = ir_trunc(b, IR_I32, dst);
    ir_val ones = ir_popcnt(b, IR_I32, ir_and(b, IR_I32, dst, ir_const32(b, 0xff)));
    return ir_xor(b, IR_I32, ir_and(b, IR_I32, ones, ir_const32(b, 1)), ir_const32(b, 1));
}

/* OF of a known operation, or IR_NONE. */
static ir_val overflow(struct x86_lift *l)
{
    struct ir_builder *b = l->b;
    unsigned bits = bits_of(l->cc.op), kind = l->cc.op & 0xfc;
    enum ir_type t = x86_type(bits);
    ir_val dst = l->cc.dst, src = l->cc.src, a;

    if (l->cc.of != IR_NONE)
        return l->cc.of;
    switch (kind) {
    case X86_CC_LOGIC:
    case X86_CC_BLS: return ir_const32(b, 0);
    case X86_CC_ADD:
    case X86_CC_ADC: /* the operands have one sign, the sum the other */
        a = ir_xor(b, t, kind == X86_CC_ADC ? l->cc.aux : first(l, bits), dst);
        return bit(l, ir_and(b, t, a, ir_xor(b, t, src, dst)), bits, bits - 1);
    case X86_CC_SUB:
    case X86_CC_SBB:
        a = kind == X86_CC_SBB ? l->cc.aux : first(l, bits);
        a = ir_and(b, t, ir_xor(b, t, a, src), ir_xor(b, t, a, dst));
        return bit(l, a, bits, bits - 1);
    case X86_CC_INC: return ir_cmp(b, IR_EQ, t, dst, x86_const(l, bits, 1ull << (bits - 1)));
    case X86_CC_DEC: return ir_cmp(b, IR_EQ, t, dst, x86_const(l, bits, (1ull << (bits - 1)) - 1));
    case X86_CC_SHL:
    case X86_CC_SHR:
    case X86_CC_SAR: return bit(l, ir_xor(b, t, src, dst), bits, bits - 1);
    default: return IR_NONE;
    }
}

/* Conditions L and LE by SF and OF. */
static ir_val test_signed(struct x86_lift *l, unsigned c)
{
    unsigned bits = bits_of(l->cc.op);
    ir_val less = ir_xor(l->b, IR_I32, is_negative(l, l->cc.dst, bits), overflow(l));
    return c == L ? less : ir_or(l->b, IR_I32, less, is_zero(l, l->cc.dst, bits));
}

/* IR_NONE where only the flags themselves can tell. */
static ir_val test_known(struct x86_lift *l, unsigned c)
{
    unsigned bits = bits_of(l->cc.op), kind = l->cc.op & 0xfc;
    bool by_result = kind != X86_CC_FLAGS;

    if (l->cc.fa != IR_NONE && (c == B || c == Z || c == BE || c == P))
        return ir_fcc(l->b, (enum ir_fcc)c, l->cc.ftype, l->cc.fa, l->cc.fb);
    if (c == B)
        return x86_cc_carry(l);
    if (c == O)
        return overflow(l);
    if (l->cc.of != IR_NONE && (c == L || c == LE))
        return by_result ? test_signed(l, c) : IR_NONE;
    if (kind == X86_CC_SUB && !(l->cc.op & X86_CC_CF) && (c == Z || c == BE || c == L || c == LE))
        return test_difference(l, c, first(l, bits), l->cc.src, bits);
    if (kind == X86_CC_DEC && (c == L || c == LE)) {
        ir_val one = x86_const(l, bits, 1);
        ir_val a = x86_cut(l, ir_add(l->b, x86_type(bits), l->cc.dst, one), bits);
        return test_difference(l, c, a, one, bits);
    }
    if (by_result && c == Z)
        return is_zero(l, l->cc.dst, bits);
    if (by_result && (c == S || (kind == X86_CC_LOGIC && c == L)))
        return is_negative(l, l->cc.dst, bits);
    if (by_result && c == P)
        return even_parity(l, l->cc.dst, bits);
    if (kind == X86_CC_LOGIC && c == LE)
        return ir_cmp(l->b, IR_SLE, x86_type(bits), signed_operand(l, l->cc.dst, bits),
                      x86_const(l, bits == 64 ? 64 : 32, 0));
    if (by_result && c == BE)
        return ir_or(l->b, IR_I32, x86_cc_carry(l), is_zero(l, l->cc.dst, bits));
    return by_result ? test_signed(l, c) : IR_NONE;
}

ir_val x86_cc_test(struct x86_lift *l, unsigned cond)
{
    ir_val truth = IR_NONE;
    if (l->cc.known)
        truth = test_known(l, cond & 14);
    else if (l->cc.cf != IR_NONE && (cond & 14) == B)
        truth = l->cc.cf;
    if (truth == IR_NONE)
        truth = test_bits(l, x86_cc_flags(l), cond & 14);
    return cond & 1 ? ir_cmp(l->b, IR_EQ, IR_I32, truth, ir_const32(l->b, 0)) : truth;
}
