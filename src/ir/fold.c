/* Folding of pure records: constants, then algebra. Each rule gives a value that is there already,
 * or rewrites the record to a cheaper equal one. */
#include "ir/builder.h"
#include "ir/eval.h"
#include "ir/shape.h"
#include "ir/vec.h"

static bool constant(struct ir_builder *b, ir_val v, uint64_t *bits)
{
    return build_is_const(b, v, bits);
}

static bool wide(const struct ir_insn *i)
{
    return i->type == IR_I64;
}

static unsigned width_of(const struct ir_insn *i)
{
    return wide(i) ? 64 : 32;
}

static uint64_t all_ones(const struct ir_insn *i)
{
    return eval_ones(width_of(i));
}

static ir_val number(struct ir_builder *b, const struct ir_insn *i, uint64_t bits)
{
    return build_const(b, i->type, eval_cut(wide(i), bits));
}

/* The record of V if it is OP of the same type as I, else null. */
static const struct ir_insn *maker(struct ir_builder *b, ir_val v, enum ir_op op,
                                   const struct ir_insn *i)
{
    const struct ir_insn *m = build_at(b, v);
    return m->op == op && m->type == i->type ? m : NULL;
}

static unsigned narrower(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static unsigned wider(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

static unsigned length_of(uint64_t bits)
{
    return bits ? 64 - (unsigned)__builtin_clzll(bits) : 0;
}

/* As bits_of, looking through at most DEPTH records. */
static unsigned bits_within(struct ir_builder *b, ir_val v, unsigned depth)
{
    const struct ir_insn *i = build_at(b, v);
    unsigned size = narrower(ir_type_size(ir_result_type(i)) * 8, 64);
    uint64_t k;
    switch (i->op) {
    case IR_const: return length_of(ir_const_bits(i));
    case IR_ubfx: return IR_FIELD_WIDTH(i->aux);
    case IR_cmp:
    case IR_fcc:
    case IR_nzcv_test: return 1;
    case IR_nzcv_add:
    case IR_nzcv_sub:
    case IR_nzcv_logic:
    case IR_fcmp: return 4;
    case IR_clz:
    case IR_fcmpx:
    case IR_ctz:
    case IR_popcnt: return 7;
    case IR_get: return ir_type_size(i->type) * 8;
    case IR_ld:
        if (i->aux & IR_MEM_SIGNED || IR_MEM_SIZE(i->aux) > 3)
            return size;
        return 8u << IR_MEM_SIZE(i->aux);
    case IR_and: return constant(b, i->b, &k) ? length_of(k) : size;
    case IR_shr:
        if (constant(b, i->b, &k))
            return width_of(i) - (unsigned)(k & (width_of(i) - 1));
        return size;
    default: break;
    }
    if (depth == 0)
        return i->op == IR_zext ? 32 : size;
    depth--;
    switch (i->op) {
    case IR_zext:
    case IR_trunc: return narrower(bits_within(b, i->a, depth), 32);
    case IR_or:
    case IR_xor: return wider(bits_within(b, i->a, depth), bits_within(b, i->b, depth));
    case IR_select: return wider(bits_within(b, i->b, depth), bits_within(b, i->c, depth));
    default: return size;
    }
}

/* An upper bound of the significant low bits of V. */
static unsigned bits_of(struct ir_builder *b, ir_val v)
{
    return bits_within(b, v, 1);
}

bool fold_is_truth(struct ir_builder *b, ir_val v)
{
    return v != IR_NONE && bits_of(b, v) <= 1;
}

static bool has_inverse(const struct ir_insn *i)
{
    return i->op == IR_cmp || i->op == IR_fcc || i->op == IR_nzcv_test;
}

ir_val fold_not(struct ir_builder *b, ir_val truth)
{
    const struct ir_insn *m = build_at(b, truth);
    struct ir_insn inverse = *m;
    inverse.aux ^= 1;
    if (has_inverse(m))
        return build_share(b, inverse);
    return ir_xor(b, IR_I32, truth, ir_const32(b, 1));
}

/* ---- constants ---- */

static ir_val fold_constants(struct ir_builder *b, const struct ir_insn *i)
{
    unsigned values = ir_shapes[i->op].values, optional = ir_shapes[i->op].optional;
    uint64_t x, y = 0, z = 0;
    if (!constant(b, i->a, &x))
        return IR_NONE;
    if (values & 2 && !constant(b, i->b, &y) && !(optional & 2 && i->b == IR_NONE))
        return IR_NONE;
    if (values & 4 && !constant(b, i->c, &z) && !(optional & 4 && i->c == IR_NONE))
        return IR_NONE;
    return build_const(b, ir_result_type(i), ir_eval(i, x, y, z));
}

static bool commutes(unsigned op)
{
    switch (op) {
    case IR_add:
    case IR_mul:
    case IR_mulhu:
    case IR_mulhs:
    case IR_and:
    case IR_or:
    case IR_xor:
    case IR_smin:
    case IR_smax:
    case IR_umin:
    case IR_umax: return true;
    default: return false;
    }
}

/* ---- arithmetic ---- */

static ir_val fold_add(struct ir_builder *b, struct ir_insn *i)
{
    uint64_t k, inner;
    if (!constant(b, i->b, &k))
        return IR_NONE;
    const struct ir_insn *m = maker(b, i->a, IR_add, i);
    if (m && constant(b, m->b, &inner)) {
        i->a = m->a;
        k = eval_cut(wide(i), k + inner);
        i->b = number(b, i, k);
    }
    return k == 0 ? i->a : IR_NONE;
}

static ir_val fold_sub(struct ir_builder *b, struct ir_insn *i)
{
    uint64_t k;
    if (i->a == i->b)
        return number(b, i, 0);
    if (constant(b, i->b, &k)) {
        i->op = IR_add;
        i->b = number(b, i, -k);
        return fold_add(b, i);
    }
    if (constant(b, i->a, &k) && k == 0) {
        *i = (struct ir_insn){.op = IR_neg, .type = i->type, .a = i->b};
        return fold_record(b, i);
    }
    return IR_NONE;
}

static ir_val fold_mul(struct ir_builder *b, struct ir_insn *i)
{
    uint64_t k;
    if (!constant(b, i->b, &k))
        return IR_NONE;
    if (k == 0)
        return i->b;
    if (i->op == IR_mulhu && k == 1)
        return number(b, i, 0);
    if (i->op != IR_mul)
        return IR_NONE;
    if (k == 1)
        return i->a;
    if ((k & (k - 1)) == 0) {
        i->op = IR_shl;
        i->b = ir_const32(b, (uint32_t)__builtin_ctzll(k));
        return fold_record(b, i);
    }
    return IR_NONE;
}

static ir_val fold_div(struct ir_builder *b, struct ir_insn *i)
{
    uint64_t k;
    if (!constant(b, i->b, &k))
        return IR_NONE;
    if (k == 0)
        return i->b;
    if (k == 1)
        return i->a;
    if (i->op == IR_udiv && (k & (k - 1)) == 0) {
        i->op = IR_shr;
        i->b = ir_const32(b, (uint32_t)__builtin_ctzll(k));
        return fold_record(b, i);
    }
    return IR_NONE;
}

/* ---- bits ---- */

static ir_val fold_and(struct ir_builder *b, struct ir_insn *i)
{
    uint64_t k, inner;
    if (i->a == i->b)
        return i->a;
    if (!constant(b, i->b, &k))
        return IR_NONE;
    const struct ir_insn *m = maker(b, i->a, IR_and, i);
    if (m && constant(b, m->b, &inner)) {
        i->a = m->a;
        k &= inner;
        i->b = number(b, i, k);
    }
    if (k == 0)
        return i->b;
    /* All bits that can be set are kept. */
    if ((eval_ones(bits_of(b, i->a)) & all_ones(i) & ~k) == 0)
        return i->a;
    return IR_NONE;
}

static ir_val fold_or(struct ir_builder *b, struct ir_insn *i)
{
    uint64_t k, inner;
    if (i->a == i->b)
        return i->a;
    if (!constant(b, i->b, &k))
        return IR_NONE;
    const struct ir_insn *m = maker(b, i->a, IR_or, i);
    if (m && constant(b, m->b, &inner)) {
        i->a = m->a;
        k |= inner;
        i->b = number(b, i, k);
    }
    if (k == 0)
        return i->a;
    return k == all_ones(i) ? i->b : IR_NONE;
}

static ir_val fold_xor(struct ir_builder *b, struct ir_insn *i)
{
    uint64_t k, inner;
    if (i->a == i->b)
        return number(b, i, 0);
    if (!constant(b, i->b, &k))
        return IR_NONE;
    const struct ir_insn *m = maker(b, i->a, IR_xor, i);
    if (m && constant(b, m->b, &inner)) {
        i->a = m->a;
        k ^= inner;
        i->b = number(b, i, k);
    }
    if (k == 0)
        return i->a;
    if (k == all_ones(i)) {
        *i = (struct ir_insn){.op = IR_not, .type = i->type, .a = i->a};
        return fold_record(b, i);
    }
    if (k == 1 && has_inverse(build_at(b, i->a)) && !wide(i))
        return fold_not(b, i->a);
    return IR_NONE;
}

static ir_val fold_andn(struct ir_builder *b, struct ir_insn *i)
{
    uint64_t k;
    if (i->a == i->b)
        return number(b, i, 0);
    if (constant(b, i->a, &k) && k == 0)
        return i->a;
    if (!constant(b, i->b, &k))
        return IR_NONE;
    i->op = IR_and;
    i->b = number(b, i, ~k);
    return fold_and(b, i);
}

/* not, neg, bswap, fneg: their own inverses; fabs: once is enough. */
static ir_val fold_unary(struct ir_builder *b, struct ir_insn *i)
{
    const struct ir_insn *m = maker(b, i->a, i->op, i);
    if (!m)
        return IR_NONE;
    return i->op == IR_fabs ? i->a : m->a;
}

static ir_val fold_shift(struct ir_builder *b, struct ir_insn *i)
{
    uint64_t k, inner;
    unsigned width = width_of(i);
    if (constant(b, i->a, &k) && k == 0)
        return i->a;
    if (!constant(b, i->b, &k))
        return IR_NONE;
    k &= width - 1;
    if (k == 0)
        return i->a;
    const struct ir_insn *m = maker(b, i->a, i->op, i);
    if (m && constant(b, m->b, &inner)) {
        i->a = m->a;
        k += inner & (width - 1);
        if (i->op == IR_ror)
            k &= width - 1;
        else if (k >= width && i->op != IR_sar)
            return number(b, i, 0);
        else if (k >= width)
            k = width - 1;
        if (k == 0)
            return i->a;
    }
    if (i->op == IR_shr && bits_of(b, i->a) <= k)
        return number(b, i, 0);
    i->b = ir_const32(b, (uint32_t)k);
    return IR_NONE;
}

static ir_val fold_ubfx(struct ir_builder *b, struct ir_insn *i)
{
    unsigned lsb = IR_FIELD_LSB(i->aux), width = IR_FIELD_WIDTH(i->aux), have;
    const struct ir_insn *m = maker(b, i->a, IR_ubfx, i);
    uint64_t k;
    if (m) {
        unsigned left = IR_FIELD_WIDTH(m->aux);
        if (lsb >= left)
            return number(b, i, 0);
        width = width < left - lsb ? width : left - lsb;
        lsb += IR_FIELD_LSB(m->aux);
        i->a = m->a;
    } else if ((m = maker(b, i->a, IR_shr, i)) && constant(b, m->b, &k)) {
        k &= width_of(i) - 1;
        if (lsb + k >= width_of(i))
            return number(b, i, 0);
        lsb += (unsigned)k;
        width = width < width_of(i) - lsb ? width : width_of(i) - lsb;
        i->a = m->a;
    } else if ((m = maker(b, i->a, IR_bfi, i))) {
        unsigned at = IR_FIELD_LSB(m->aux), end = at + IR_FIELD_WIDTH(m->aux);
        if (lsb >= at && lsb + width <= end) { /* within the field, or beside it */
            i->a = m->b;
            lsb -= at;
        } else if (lsb >= end || lsb + width <= at) {
            i->a = m->a;
        }
    }
    have = bits_of(b, i->a);
    if (lsb >= have)
        return number(b, i, 0);
    if (lsb == 0 && width >= have)
        return i->a;
    if (lsb + width >= width_of(i)) {
        *i = (struct ir_insn){.op = IR_shr, .type = i->type, .a = i->a, .b = ir_const32(b, lsb)};
        return IR_NONE;
    }
    i->aux = (uint16_t)(lsb | width << 8);
    return IR_NONE;
}

static ir_val fold_sbfx(struct ir_builder *b, struct ir_insn *i)
{
    unsigned lsb = IR_FIELD_LSB(i->aux), width = IR_FIELD_WIDTH(i->aux);
    if (width == width_of(i))
        return i->a;
    /* The field's top bit is known to be 0. */
    if (bits_of(b, i->a) < lsb + width) {
        i->op = IR_ubfx;
        return fold_ubfx(b, i);
    }
    if (lsb + width == width_of(i)) {
        *i = (struct ir_insn){.op = IR_sar, .type = i->type, .a = i->a, .b = ir_const32(b, lsb)};
        return IR_NONE;
    }
    /* A signed load of that size, or the same extension again. */
    const struct ir_insn *m = build_at(b, i->a);
    if (lsb == 0 && m->op == IR_ld && m->type == i->type && m->aux & IR_MEM_SIGNED &&
        width == 8u << IR_MEM_SIZE(m->aux))
        return i->a;
    return lsb == 0 && m->op == IR_sbfx && m->type == i->type && IR_FIELD_WIDTH(m->aux) <= width
               ? i->a
               : IR_NONE;
}

/* V without what only clears bits from WIDTH on. */
static ir_val below_field(struct ir_builder *b, ir_val v, unsigned width)
{
    const struct ir_insn *m = build_at(b, v);
    if (m->op == IR_ubfx && IR_FIELD_LSB(m->aux) == 0 && IR_FIELD_WIDTH(m->aux) >= width)
        return m->a;
    if (m->op != IR_zext || width > 32)
        return v;
    ir_val inner = below_field(b, m->a, width);
    return inner == m->a ? v : ir_zext(b, IR_I64, inner);
}

static ir_val fold_bfi(struct ir_builder *b, struct ir_insn *i)
{
    unsigned lsb = IR_FIELD_LSB(i->aux), width = IR_FIELD_WIDTH(i->aux);
    uint64_t k, ones = eval_ones(width);
    if (width == width_of(i))
        return i->b;
    const struct ir_insn *m = maker(b, i->a, IR_bfi, i);
    if (m && m->aux == i->aux)
        i->a = m->a;
    i->b = below_field(b, i->b, width);
    if (!constant(b, i->b, &k))
        return IR_NONE;
    if ((k & ones) != 0 && (k & ones) != ones)
        return IR_NONE;
    i->op = (k & ones) ? IR_or : IR_and;
    i->aux = 0;
    i->b = number(b, i, (k & ones) ? ones << lsb : ~(ones << lsb));
    return i->op == IR_or ? fold_or(b, i) : fold_and(b, i);
}

/* ---- conversions ---- */

static ir_val fold_convert(struct ir_builder *b, struct ir_insn *i)
{
    const struct ir_insn *m = build_at(b, i->a);
    switch (i->op) {
    case IR_trunc:
        if (m->op == IR_bfi && IR_FIELD_LSB(m->aux) + IR_FIELD_WIDTH(m->aux) < 32) {
            uint16_t field = m->aux;
            ir_val x = ir_trunc(b, IR_I32, m->a), y = ir_trunc(b, IR_I32, build_at(b, i->a)->b);
            *i = (struct ir_insn){.op = IR_bfi, .type = IR_I32, .aux = field, .a = x, .b = y};
            return fold_bfi(b, i);
        }
        return m->op == IR_zext || m->op == IR_sext ? m->a : IR_NONE;
    case IR_zext:
        if (m->op == IR_trunc && bits_of(b, m->a) <= 32)
            return m->a;
        return IR_NONE;
    case IR_sext:
        if (bits_of(b, i->a) < 32) {
            i->op = IR_zext;
            return fold_convert(b, i);
        }
        return IR_NONE;
    default: /* bitcast */
        if (ir_result_type(m) == i->type)
            return i->a;
        if (m->op != IR_bitcast)
            return IR_NONE;
        i->a = m->a;
        return ir_result_type(build_at(b, m->a)) == i->type ? m->a : IR_NONE;
    }
}

/* ---- comparison and choice ---- */

static uint16_t swapped(unsigned cc)
{
    static const uint8_t other[] = {
        [IR_EQ] = IR_EQ,   [IR_NE] = IR_NE,   [IR_ULT] = IR_UGT, [IR_UGE] = IR_ULE,
        [IR_ULE] = IR_UGE, [IR_UGT] = IR_ULT, [IR_SLT] = IR_SGT, [IR_SGE] = IR_SLE,
        [IR_SLE] = IR_SGE, [IR_SGT] = IR_SLT};
    return other[cc];
}

/* Equality of I->a with the constant K. */
static ir_val fold_equal(struct ir_builder *b, struct ir_insn *i, uint64_t k)
{
    bool equal = i->aux == IR_EQ;
    const struct ir_insn *m = build_at(b, i->a);
    uint64_t inner;
    if (bits_of(b, i->a) < 64 && k >> bits_of(b, i->a))
        return ir_const32(b, !equal);
    if (fold_is_truth(b, i->a) && !wide(i))
        return equal == (k != 0) ? i->a : fold_not(b, i->a);
    if ((m->op == IR_add || m->op == IR_xor) && m->type == i->type && constant(b, m->b, &inner)) {
        i->a = m->a;
        i->b = number(b, i, m->op == IR_add ? k - inner : k ^ inner);
    } else if (k == 0 && (m->op == IR_sub || m->op == IR_xor) && m->type == i->type) {
        i->a = m->a;
        i->b = m->b;
    } else if (m->op == IR_zext) {
        i->type = IR_I32;
        i->a = m->a;
        i->b = ir_const32(b, (uint32_t)k);
    }
    return IR_NONE;
}

static ir_val fold_cmp(struct ir_builder *b, struct ir_insn *i)
{
    uint64_t k;
    if (i->a == i->b)
        return ir_const32(b, eval_cmp(wide(i), i->aux, 0, 0));
    if (constant(b, i->a, &k)) {
        ir_val a = i->a;
        i->a = i->b;
        i->b = a;
        i->aux = swapped(i->aux);
    }
    if (!constant(b, i->b, &k))
        return IR_NONE;
    if (k == 0 && (i->aux == IR_ULT || i->aux == IR_UGE))
        return ir_const32(b, i->aux == IR_UGE);
    if (k == all_ones(i) && (i->aux == IR_UGT || i->aux == IR_ULE))
        return ir_const32(b, i->aux == IR_ULE);
    if (k == 0 && (i->aux == IR_ULE || i->aux == IR_UGT))
        i->aux = i->aux == IR_ULE ? IR_EQ : IR_NE;
    if (k == 1 && (i->aux == IR_ULT || i->aux == IR_UGE)) {
        i->aux = i->aux == IR_ULT ? IR_EQ : IR_NE;
        i->b = number(b, i, 0);
        k = 0;
    }
    return i->aux == IR_EQ || i->aux == IR_NE ? fold_equal(b, i, k) : IR_NONE;
}

static ir_val fold_select(struct ir_builder *b, struct ir_insn *i)
{
    uint64_t cond, yes, no;
    if (constant(b, i->a, &cond))
        return cond ? i->b : i->c;
    const struct ir_insn *m = maker(b, i->b, IR_select, i);
    if (m && m->a == i->a)
        i->b = m->b;
    m = maker(b, i->c, IR_select, i);
    if (m && m->a == i->a)
        i->c = m->c;
    if (i->b == i->c)
        return i->b;
    if (i->type == IR_I32 && fold_is_truth(b, i->a) && constant(b, i->b, &yes) &&
        constant(b, i->c, &no) && (yes | no) == 1)
        return yes ? i->a : fold_not(b, i->a);
    return IR_NONE;
}

static ir_val fold_flags(struct ir_builder *b, struct ir_insn *i)
{
    uint64_t k;
    if (i->op == IR_nzcv_test) {
        ir_val v = ir_nzcv_test(b, i->aux, i->a);
        return v;
    }
    if (i->op != IR_nzcv_logic && i->c != IR_NONE && constant(b, i->c, &k) &&
        (k & 1) == (i->op == IR_nzcv_sub))
        i->c = IR_NONE;
    return IR_NONE;
}

/* ---- the table of rules ---- */

static ir_val simplify(struct ir_builder *b, struct ir_insn *i)
{
    switch (i->op) {
    case IR_add: return fold_add(b, i);
    case IR_sub: return fold_sub(b, i);
    case IR_mul:
    case IR_mulhu:
    case IR_mulhs: return fold_mul(b, i);
    case IR_udiv:
    case IR_sdiv: return fold_div(b, i);
    case IR_and: return fold_and(b, i);
    case IR_or: return fold_or(b, i);
    case IR_xor: return fold_xor(b, i);
    case IR_andn: return fold_andn(b, i);
    case IR_not:
    case IR_neg:
    case IR_bswap:
    case IR_fneg:
    case IR_fabs: return fold_unary(b, i);
    case IR_shl:
    case IR_shr:
    case IR_sar:
    case IR_ror: return fold_shift(b, i);
    case IR_smin:
    case IR_smax:
    case IR_umin:
    case IR_umax: return i->a == i->b ? i->a : IR_NONE;
    case IR_ubfx: return fold_ubfx(b, i);
    case IR_sbfx: return fold_sbfx(b, i);
    case IR_bfi: return fold_bfi(b, i);
    case IR_zext:
    case IR_sext:
    case IR_trunc:
    case IR_bitcast: return fold_convert(b, i);
    case IR_cmp: return fold_cmp(b, i);
    case IR_select: return fold_select(b, i);
    case IR_nzcv_add:
    case IR_nzcv_sub:
    case IR_nzcv_logic:
    case IR_nzcv_test: return fold_flags(b, i);
    default: return IR_NONE;
    }
}

/* Element 0 of a vector that was put together from scalars. */
static ir_val fold_part(struct ir_builder *b, const struct ir_insn *i)
{
    const struct ir_insn *m = build_at(b, i->a);
    bool wide = i->aux == VEC_to_f64 || i->aux == VEC_to_i64;
    enum ir_type type = vec_type(vec_rows[i->aux].result, i->type);
    if (!ir_op_is_vec(m->op))
        return IR_NONE;
    switch (m->aux) {
    case VEC_from_i32:
    case VEC_from_f32: return wide ? IR_NONE : ir_bitcast(b, type, m->a);
    case VEC_from_i64:
    case VEC_from_f64: return wide ? ir_bitcast(b, type, m->a) : IR_NONE;
    case VEC_with_f32: return wide ? IR_NONE : ir_bitcast(b, type, m->b);
    case VEC_with_f64: return wide ? ir_bitcast(b, type, m->b) : IR_NONE;
    case VEC_pair64: {
        if (wide)
            return ir_bitcast(b, type, m->a);
        const struct ir_insn *low = build_at(b, m->a);
        return ir_op_is_vec(low->op) && low->aux == VEC_pair32 ? ir_bitcast(b, type, low->a)
                                                               : IR_NONE;
    }
    default: return IR_NONE;
    }
}

/* A new element 0: what element 0 was before does not matter. */
static ir_val fold_with(struct ir_builder *b, struct ir_insn *i)
{
    const struct ir_insn *m = build_at(b, i->a), *part = build_at(b, i->b);
    bool wide = i->aux == VEC_with_f64;
    if (ir_op_is_vec(part->op) && part->a == i->a && part->aux == (wide ? VEC_to_f64 : VEC_to_f32))
        return i->a;
    if (!ir_op_is_vec(m->op))
        return IR_NONE;
    if (m->aux == i->aux || (wide && m->aux == VEC_with_f32)) {
        i->a = m->a;
        return IR_NONE;
    }
    if (m->aux == (wide ? VEC_from_f64 : VEC_from_f32))
        return ir_v1(b, IR_V128, (enum vec_op)m->aux, i->b);
    return wide && m->aux == VEC_pair64 ? ir_v2(b, IR_V128, VEC_pair64, i->b, m->b) : IR_NONE;
}

/* The idioms for all zeros and all ones. */
static ir_val fold_vector(struct ir_builder *b, struct ir_insn *i)
{
    switch (i->aux) {
    case VEC_with_f32:
    case VEC_with_f64: return fold_with(b, i);
    case VEC_to_i32:
    case VEC_to_i64:
    case VEC_to_f32:
    case VEC_to_f64: return fold_part(b, i);
    case VEC_low128: {
        const struct ir_insn *m = build_at(b, i->a);
        return ir_op_is_vec(m->op) && m->aux == VEC_zext128 ? m->a : IR_NONE;
    }
    default: break;
    }
    if (i->op != IR_v2 || i->a != i->b)
        return IR_NONE;
    switch (i->aux) {
    case VEC_xor:
    case VEC_nand:
    case VEC_sub8:
    case VEC_sub16:
    case VEC_sub32:
    case VEC_sub64:
    case VEC_cmpgts8:
    case VEC_cmpgts16:
    case VEC_cmpgts32:
    case VEC_cmpgts64: return ir_v0(b, i->type, VEC_zero);
    case VEC_cmpeq8:
    case VEC_cmpeq16:
    case VEC_cmpeq32:
    case VEC_cmpeq64: return ir_v0(b, i->type, VEC_ones);
    case VEC_and:
    case VEC_or: return i->a;
    default: return IR_NONE;
    }
}

ir_val fold_record(struct ir_builder *b, struct ir_insn *i)
{
    uint64_t k;
    if (i->op == IR_const || ir_shapes[i->op].effects)
        return IR_NONE;
    if (ir_op_is_vec(i->op))
        return fold_vector(b, i);
    ir_val v = fold_constants(b, i);
    if (v != IR_NONE)
        return v;
    if (commutes(i->op) && constant(b, i->a, &k)) {
        ir_val a = i->a;
        i->a = i->b;
        i->b = a;
    }
    return simplify(b, i);
}
