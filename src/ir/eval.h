/* What every pure operation computes: the one place, for folding and for the interpreter.
 *
 * Values are held in 64 bits: I32, F32 and truth values zero-extended, I64 and F64 as they are. */
#ifndef IR_EVAL_H
#define IR_EVAL_H

#include "ir/ir.h"

static inline uint64_t eval_cut(bool wide, uint64_t x)
{
    return wide ? x : (uint32_t)x;
}

static inline int64_t eval_signed(bool wide, uint64_t x)
{
    return wide ? (int64_t)x : (int32_t)x;
}

static inline uint64_t eval_mulh(const struct ir_insn *i, uint64_t a, uint64_t b)
{
    bool wide = i->type == IR_I64;
    if (i->op == IR_mulhu)
        return wide ? (uint64_t)((unsigned __int128)a * b >> 64) : a * b >> 32;
    if (wide)
        return (uint64_t)((__int128)(int64_t)a * (int64_t)b >> 64);
    return (uint32_t)((uint64_t)((int64_t)(int32_t)a * (int32_t)b) >> 32);
}

static inline uint64_t eval_div(const struct ir_insn *i, uint64_t a, uint64_t b)
{
    bool wide = i->type == IR_I64;
    if (b == 0)
        return 0;
    if (i->op == IR_udiv)
        return a / b;
    int64_t x = eval_signed(wide, a), y = eval_signed(wide, b);
    /* The only quotient that does not fit: negation gives the documented result. */
    return eval_cut(wide, y == -1 ? -(uint64_t)x : (uint64_t)(x / y));
}

static inline uint64_t eval_shift(const struct ir_insn *i, uint64_t a, uint64_t amount)
{
    bool wide = i->type == IR_I64;
    unsigned width = wide ? 64 : 32, n = amount & (width - 1);
    switch (i->op) {
    case IR_shl: return eval_cut(wide, a << n);
    case IR_shr: return a >> n;
    case IR_sar: return eval_cut(wide, (uint64_t)(eval_signed(wide, a) >> n));
    default: return n ? eval_cut(wide, a >> n | a << (width - n)) : a;
    }
}

static inline uint64_t eval_unary(const struct ir_insn *i, uint64_t a)
{
    bool wide = i->type == IR_I64;
    switch (i->op) {
    case IR_not: return eval_cut(wide, ~a);
    case IR_neg: return eval_cut(wide, -a);
    case IR_clz: return a == 0 ? (wide ? 64 : 32) : (unsigned)__builtin_clzll(a) - (wide ? 0 : 32);
    case IR_ctz: return a == 0 ? (wide ? 64 : 32) : (unsigned)__builtin_ctzll(a);
    case IR_popcnt: return (unsigned)__builtin_popcountll(a);
    default: return wide ? __builtin_bswap64(a) : __builtin_bswap32((uint32_t)a);
    }
}

static inline uint64_t eval_pdep(uint64_t a, uint64_t mask)
{
    uint64_t v = 0;
    for (; mask; mask &= mask - 1, a >>= 1)
        v |= a & 1 ? mask & -mask : 0;
    return v;
}

static inline uint64_t eval_pext(uint64_t a, uint64_t mask)
{
    uint64_t v = 0;
    for (unsigned n = 0; mask; mask &= mask - 1, n++)
        v |= (uint64_t)((a & mask & -mask) != 0) << n;
    return v;
}

static inline uint64_t eval_minmax(const struct ir_insn *i, uint64_t a, uint64_t b)
{
    bool wide = i->type == IR_I64;
    bool less =
        i->op == IR_umin || i->op == IR_umax ? a < b : eval_signed(wide, a) < eval_signed(wide, b);
    bool smaller = i->op == IR_umin || i->op == IR_smin;
    return less == smaller ? a : b;
}

#define IR_FIELD_LSB(aux)   ((aux)&0xffu)
#define IR_FIELD_WIDTH(aux) ((unsigned)(aux) >> 8)

/* Ones in the low WIDTH bits, 0 <= WIDTH <= 64. */
static inline uint64_t eval_ones(unsigned width)
{
    return width >= 64 ? UINT64_MAX : (1ull << width) - 1;
}

static inline uint64_t eval_field(const struct ir_insn *i, uint64_t a, uint64_t b)
{
    bool wide = i->type == IR_I64;
    unsigned lsb = IR_FIELD_LSB(i->aux) & 63;
    uint64_t ones = eval_ones(IR_FIELD_WIDTH(i->aux));
    if (i->op == IR_bfi)
        return eval_cut(wide, (a & ~(ones << lsb)) | (b & ones) << lsb);
    uint64_t field = a >> lsb & ones;
    if (i->op == IR_ubfx)
        return field;
    uint64_t sign = ones ^ ones >> 1;
    return eval_cut(wide, (field ^ sign) - sign);
}

static inline bool eval_cmp(bool wide, unsigned cc, uint64_t a, uint64_t b)
{
    int64_t x = eval_signed(wide, a), y = eval_signed(wide, b);
    switch (cc) {
    case IR_EQ: return a == b;
    case IR_NE: return a != b;
    case IR_ULT: return a < b;
    case IR_UGE: return a >= b;
    case IR_ULE: return a <= b;
    case IR_UGT: return a > b;
    case IR_SLT: return x < y;
    case IR_SGE: return x >= y;
    case IR_SLE: return x <= y;
    default: return x > y;
    }
}

/* The flags nibble of A + B + CARRY. */
static inline uint32_t eval_adc_flags(bool wide, uint64_t a, uint64_t b, unsigned carry)
{
    uint64_t sum;
    bool out;
    if (wide) {
        out = __builtin_add_overflow(a, b, &sum);
        out |= __builtin_add_overflow(sum, (uint64_t)carry, &sum);
    } else {
        sum = a + b + carry;
        out = sum >> 32 & 1;
        sum = (uint32_t)sum;
    }
    unsigned top = wide ? 63 : 31;
    bool overflow = ((a ^ sum) & (b ^ sum)) >> top & 1;
    return (uint32_t)(sum >> top & 1) << 3 | (uint32_t)(sum == 0) << 2 | (uint32_t)out << 1 |
           overflow;
}

static inline uint32_t eval_flags(const struct ir_insn *i, uint64_t a, uint64_t b, uint64_t c)
{
    bool wide = i->type == IR_I64;
    switch (i->op) {
    case IR_nzcv_add: return eval_adc_flags(wide, a, b, i->c == IR_NONE ? 0 : c & 1);
    case IR_nzcv_sub:
        return eval_adc_flags(wide, a, eval_cut(wide, ~b), i->c == IR_NONE ? 1 : c & 1);
    default: {
        uint32_t carry = i->b == IR_NONE ? c & 2 : (b & 1) << 1;
        return (uint32_t)(a >> (wide ? 63 : 31) & 1) << 3 | (uint32_t)(a == 0) << 2 | carry |
               (c & 1);
    }
    }
}

/* ARM condition 0..13 of a flags nibble (ARM DDI 0406C A8.3). */
static inline bool eval_test(unsigned cond, uint64_t flags)
{
    bool n = flags & 8, z = flags & 4, c = flags & 2, v = flags & 1, holds;
    switch (cond >> 1) {
    case 0: holds = z; break;
    case 1: holds = c; break;
    case 2: holds = n; break;
    case 3: holds = v; break;
    case 4: holds = c && !z; break;
    case 5: holds = n == v; break;
    default: holds = n == v && !z; break;
    }
    return holds != (cond & 1);
}

static inline uint64_t eval_fsign(const struct ir_insn *i, uint64_t a)
{
    uint64_t sign = 1ull << (i->type == IR_F64 ? 63 : 31);
    return i->op == IR_fneg ? a ^ sign : a & ~sign;
}

/* The value of the pure record I (effects 0, not const) on operand values A, B, C; absent operands
 * are ignored. */
static inline uint64_t ir_eval(const struct ir_insn *i, uint64_t a, uint64_t b, uint64_t c)
{
    bool wide = i->type == IR_I64;
    switch (i->op) {
    case IR_add: return eval_cut(wide, a + b);
    case IR_sub: return eval_cut(wide, a - b);
    case IR_mul: return eval_cut(wide, a * b);
    case IR_mulhu:
    case IR_mulhs: return eval_mulh(i, a, b);
    case IR_udiv:
    case IR_sdiv: return eval_div(i, a, b);
    case IR_and: return a & b;
    case IR_or: return a | b;
    case IR_xor: return a ^ b;
    case IR_andn: return a & ~b;
    case IR_not:
    case IR_neg:
    case IR_clz:
    case IR_ctz:
    case IR_popcnt:
    case IR_bswap: return eval_unary(i, a);
    case IR_shl:
    case IR_shr:
    case IR_sar:
    case IR_ror: return eval_shift(i, a, b);
    case IR_pdep: return eval_pdep(a, b);
    case IR_pext: return eval_pext(a, b);
    case IR_smin:
    case IR_smax:
    case IR_umin:
    case IR_umax: return eval_minmax(i, a, b);
    case IR_ubfx:
    case IR_sbfx:
    case IR_bfi: return eval_field(i, a, b);
    case IR_zext:
    case IR_bitcast: return a;
    case IR_sext: return (uint64_t)(int64_t)(int32_t)a;
    case IR_trunc: return (uint32_t)a;
    case IR_cmp: return eval_cmp(wide, i->aux, a, b);
    case IR_select: return a ? b : c;
    case IR_nzcv_add:
    case IR_nzcv_sub:
    case IR_nzcv_logic: return eval_flags(i, a, b, c);
    case IR_nzcv_test: return eval_test(i->aux, a);
    case IR_fneg:
    case IR_fabs: return eval_fsign(i, a);
    default: return 0;
    }
}

#endif
