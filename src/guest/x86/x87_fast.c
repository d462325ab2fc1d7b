/* The frequent x87 instructions in their ordinary cases: operands there, room on the stack, no
 * exception that is not masked. The rest executes as a whole on the host's unit (x87_execute). */
#include <string.h>

#include "guest/x86/x87.h"

struct ten {
    uint64_t mantissa;
    uint16_t high; /* sign and exponent */
};

static void put(uint8_t *reg, struct ten v)
{
    memcpy(reg, &v.mantissa, 8);
    memcpy(reg + 8, &v.high, 2);
}

static struct ten get(const uint8_t *reg)
{
    struct ten v;
    memcpy(&v.mantissa, reg, 8);
    memcpy(&v.high, reg + 8, 2);
    return v;
}

/* ---- memory operands as 80 bits; false: one that raises exceptions ---- */

static bool widen_float(uint32_t v, struct ten *d)
{
    unsigned exponent = v >> 23 & 0xff;
    uint64_t fraction = (uint64_t)(v & 0x7fffff) << 40;
    d->high = (uint16_t)(v >> 16 & 0x8000);
    d->mantissa = 0;
    if (exponent == 0)
        return !fraction;
    if (exponent == 0xff && fraction)
        return false;
    d->high |= (uint16_t)(exponent == 0xff ? 0x7fff : exponent - 127 + 16383);
    d->mantissa = 1ull << 63 | fraction;
    return true;
}

static bool widen_double(uint64_t v, struct ten *d)
{
    unsigned exponent = v >> 52 & 0x7ff;
    uint64_t fraction = v << 12 >> 1;
    d->high = (uint16_t)(v >> 48 & 0x8000);
    d->mantissa = 0;
    if (exponent == 0)
        return !fraction;
    if (exponent == 0x7ff && fraction)
        return false;
    d->high |= (uint16_t)(exponent == 0x7ff ? 0x7fff : exponent - 1023 + 16383);
    d->mantissa = 1ull << 63 | fraction;
    return true;
}

static bool widen_integer(int64_t v, struct ten *d)
{
    *d = (struct ten){0, 0};
    if (v == 0)
        return true;
    uint64_t magnitude = v < 0 ? -(uint64_t)v : (uint64_t)v;
    unsigned zeros = (unsigned)__builtin_clzll(magnitude);
    d->mantissa = magnitude << zeros;
    d->high = (uint16_t)((v < 0 ? 0x8000 : 0) | (16383 + 63 - zeros));
    return true;
}

/* ---- parts of instructions ---- */

static unsigned physical(const struct x86_state *s, unsigned i)
{
    return ((s->fpsw >> 11) + i) & 7;
}

static void pop(struct x86_state *s)
{
    s->fptag &= (uint16_t) ~(1u << physical(s, 0));
    s->fpsw = (uint16_t)((s->fpsw & ~X87_TOP) | ((s->fpsw + (1u << 11)) & X87_TOP));
}

static bool push(struct x86_state *s, struct ten v)
{
    if (!x87_empty(s, 7))
        return false;
    s->fpsw = (uint16_t)((s->fpsw & ~(X87_TOP | X87_C1)) | ((s->fpsw - (1u << 11)) & X87_TOP));
    s->fptag |= (uint16_t)(1u << physical(s, 0));
    put(x87_st(s, 0), v);
    return true;
}

/* Takes over the exceptions and C1 of STATUS; false: one is not masked. */
static bool settle(struct x86_state *s, unsigned status)
{
    if (status & ~x87_control_word(s) & X87_EXCEPTIONS)
        return false;
    s->fpsw = (uint16_t)((s->fpsw & ~X87_C1) | (status & (X87_EXCEPTIONS | X87_C1)));
    return true;
}

static struct x87_mode mode_of(const struct x86_state *s)
{
    return (struct x87_mode){x87_control_word(s), s->fpsw & X87_EXCEPTIONS};
}

/* Masked, a tiny result raises underflow only if it is inexact too; not masked, it always does. */
static bool underflow_masked(const struct x86_state *s)
{
    return x87_control_word(s) & X87_UE;
}

/* ST(D) = ST(0) op B, or exchanged, as the opcode's extension R says. */
static bool arithmetic(struct x86_state *s, unsigned r, unsigned d, const uint8_t *b)
{
    static const uint8_t operation[8] = {
        [0] = X87_ADD, [1] = X87_MUL, [4] = X87_SUB, [5] = X87_SUBR, [6] = X87_DIV, [7] = X87_DIVR};
    uint8_t result[16];
    if (!underflow_masked(s))
        return false;
    unsigned status =
        x87_compute((enum x87_operation)operation[r], mode_of(s), result, x87_st(s, 0), b);
    if (!settle(s, status))
        return false;
    memcpy(x87_st(s, d), result, 10);
    return true;
}

static bool unary(struct x86_state *s, enum x87_operation op)
{
    uint8_t result[16];
    if (x87_empty(s, 0))
        return false;
    const uint8_t *a = x87_st(s, 0);
    if (!settle(s, x87_compute(op, mode_of(s), result, a, a)))
        return false;
    memcpy(x87_st(s, 0), result, 10);
    return true;
}

enum { CONDITIONS = X87_C0 | X87_C2 | X87_C3 };

static bool compare(struct x86_state *s, bool quiet, const uint8_t *b, unsigned pops)
{
    unsigned status = x87_compare(quiet, mode_of(s), x87_st(s, 0), b);
    if (!settle(s, status & ~(unsigned)X87_C1))
        return false;
    s->fpsw = (uint16_t)((s->fpsw & ~CONDITIONS) | (status & CONDITIONS));
    while (pops--)
        pop(s);
    return true;
}

/* FCOMI and its sisters leave C1 alone. */
static bool compare_flags(struct x86_state *s, bool quiet, unsigned i, bool pops, uint32_t *flags)
{
    if (x87_empty(s, 0) || x87_empty(s, i))
        return false;
    unsigned status = x87_compare(quiet, mode_of(s), x87_st(s, 0), x87_st(s, i));
    if (!settle(s, (status & ~(unsigned)X87_C1) | (s->fpsw & X87_C1)))
        return false;
    *flags = (status & X87_C0 ? X86_CF : 0) | (status & X87_C2 ? X86_PF : 0) |
             (status & X87_C3 ? X86_ZF : 0);
    if (pops)
        pop(s);
    return true;
}

static bool exchange(struct x86_state *s, unsigned i)
{
    if (x87_empty(s, 0) || x87_empty(s, i))
        return false;
    struct ten a = get(x87_st(s, 0)), b = get(x87_st(s, i));
    put(x87_st(s, 0), b);
    put(x87_st(s, i), a);
    s->fpsw &= (uint16_t)~X87_C1;
    return true;
}

static bool store_register(struct x86_state *s, unsigned i, bool pops)
{
    if (x87_empty(s, 0))
        return false;
    put(x87_st(s, i), get(x87_st(s, 0)));
    s->fptag |= (uint16_t)(1u << physical(s, i));
    s->fpsw &= (uint16_t)~X87_C1;
    if (pops)
        pop(s);
    return true;
}

/* ---- instructions ---- */

static bool memory_operand(unsigned first, const void *operand, struct ten *v)
{
    uint64_t value;
    memcpy(&value, operand, 8);
    switch (first) {
    case 0: return widen_float((uint32_t)value, v);
    case 2: return widen_integer((int32_t)value, v);
    case 4: return widen_double(value, v);
    default: return widen_integer((int16_t)value, v);
    }
}

static bool load(struct x86_state *s, unsigned first, unsigned r, const void *operand)
{
    int64_t wide;
    struct ten v;

    if (first == 3 && r == 5)
        return push(s, get(operand));
    if (first == 7 && r == 5) {
        memcpy(&wide, operand, 8);
        return widen_integer(wide, &v) && push(s, v);
    }
    /* FLD and FILD come as 1, 3, 5, 7 where arithmetic has 0, 2, 4, 6. */
    return r == 0 && memory_operand(first - 1, operand, &v) && push(s, v);
}

static bool fast_memory(struct x86_state *s, unsigned first, unsigned r, const void *operand)
{
    struct ten v;
    uint8_t b[16];

    if (first & 1)
        return load(s, first, r, operand);
    if (x87_empty(s, 0) || !memory_operand(first, operand, &v))
        return false;
    put(b, v);
    if (r == 2 || r == 3)
        return compare(s, false, b, r == 3);
    return arithmetic(s, r, 0, b);
}

/* The second bytes d9 c0 to d9 ff. */
static bool fast_d9(struct x86_state *s, unsigned second)
{
    static const struct ten one = {1ull << 63, 16383}, zero = {0, 0};
    switch (second) {
    case 0xe0:
    case 0xe1:
        if (x87_empty(s, 0))
            return false;
        if (second == 0xe0)
            x87_st(s, 0)[9] ^= 0x80;
        else
            x87_st(s, 0)[9] &= 0x7f;
        s->fpsw &= (uint16_t)~X87_C1;
        return true;
    case 0xe8: return push(s, one);
    case 0xee: return push(s, zero);
    case 0xfa: return unary(s, X87_SQRT);
    case 0xfc: return unary(s, X87_RNDINT);
    default: break;
    }
    unsigned i = second & 7;
    if (second < 0xc8)
        return !x87_empty(s, i) && push(s, get(x87_st(s, i)));
    return second < 0xd0 && exchange(s, i);
}

static bool fast_arithmetic(struct x86_state *s, unsigned first, unsigned r, unsigned i)
{
    bool pops = first == 6;
    if (x87_empty(s, 0) || x87_empty(s, i))
        return false;
    if (r == 2 || r == 3)
        return compare(s, false, x87_st(s, i), pops && r == 3 ? 2 : pops || r == 3);
    if (!arithmetic(s, r, first ? i : 0, x87_st(s, i)))
        return false;
    if (pops)
        pop(s);
    return true;
}

static bool move_if(struct x86_state *s, unsigned i, bool truth)
{
    if (x87_empty(s, 0) || x87_empty(s, i))
        return false;
    if (truth)
        put(x87_st(s, 0), get(x87_st(s, i)));
    return true;
}

static bool fast_da(struct x86_state *s, unsigned r, unsigned i, bool truth)
{
    if (r < 4)
        return move_if(s, i, truth);
    /* fucompp */
    return !x87_empty(s, 0) && !x87_empty(s, 1) && compare(s, true, x87_st(s, 1), 2);
}

static bool fast_db(struct x86_state *s, unsigned r, unsigned i, uint32_t *flags)
{
    return r < 4 ? move_if(s, i, *flags) : compare_flags(s, r == 5, i, false, flags);
}

static bool fast_dd(struct x86_state *s, unsigned r, unsigned i)
{
    if (r == 2 || r == 3)
        return store_register(s, i, r == 3);
    if (r < 4 || r > 5 || x87_empty(s, 0) || x87_empty(s, i))
        return false;
    return compare(s, true, x87_st(s, i), r == 5);
}

bool x87_fast(struct x86_state *s, unsigned opcode, const void *operand, uint32_t *flags)
{
    unsigned first = opcode >> 8 & 7, r = opcode >> 3 & 7, i = opcode & 7;

    if (operand)
        return fast_memory(s, first, r, operand);
    switch (first) {
    case 0:
    case 4:
    case 6: return fast_arithmetic(s, first, r, i);
    case 1: return fast_d9(s, opcode & 0xff);
    case 2: return fast_da(s, r, i, *flags);
    case 3: return fast_db(s, r, i, flags);
    case 5: return fast_dd(s, r, i);
    default: return (r == 5 || r == 6) && compare_flags(s, r == 5, i, true, flags);
    }
}

/* ---- stores ---- */

/* Is V a double, so that nothing is rounded? */
static bool narrow_exactly(struct ten v, uint64_t *d)
{
    unsigned exponent = (v.high & 0x7fffu) - (16383 - 1023);
    uint64_t sign = (uint64_t)(v.high >> 15) << 63;
    if (!v.mantissa && !(v.high & 0x7fff)) {
        *d = sign;
        return true;
    }
    if (v.mantissa & 0x7ff || !(v.mantissa >> 63) || exponent - 1 >= 0x7fe)
        return false;
    *d = sign | (uint64_t)exponent << 52 | v.mantissa << 1 >> 12;
    return true;
}

bool x87_fast_store(const struct x86_state *s, unsigned opcode, uint64_t *value, uint16_t *sw)
{
    unsigned first = opcode >> 8 & 7, r = opcode >> 3 & 7, status = 0;
    const uint8_t *a = s->fpr[physical(s, 0)];
    int64_t integer;
    float single;
    double number;

    if (x87_empty(s, 0) || !underflow_masked(s))
        return false;
    *value = 0;
    if (r == 1 || (first == 7 && r == 6))
        return false; /* FISTTP, FBSTP */
    if (first == 5) {
        if (!narrow_exactly(get(a), value)) {
            status = x87_to_double(mode_of(s), &number, a);
            memcpy(value, &number, 8);
        }
    } else if (first == 1) {
        status = x87_to_float(mode_of(s), &single, a);
        memcpy(value, &single, 4);
    } else if (first == 3 && r == 7) {
        memcpy(value, a, 8);
    } else {
        unsigned bits = first == 3 ? 32 : r == 7 ? 64 : 16;
        status = x87_to_integer(mode_of(s), bits, &integer, a);
        *value = (uint64_t)integer;
    }
    if (status & ~x87_control_word(s) & X87_EXCEPTIONS)
        return false;
    *sw = (uint16_t)((s->fpsw & ~X87_C1) | (status & (X87_EXCEPTIONS | X87_C1)));
    return true;
}
