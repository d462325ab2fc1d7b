#include "random_region.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../splitmix.h"
#include "ir_stub.h"

uint64_t rnd(struct gen *g)
{
    return splitmix64(&g->seed);
}

unsigned below(struct gen *g, unsigned n)
{
    return (unsigned)(rnd(g) % n);
}

uint64_t interesting(struct gen *g)
{
    static const uint64_t some[] = {0,          1,          2,          3,           4,
                                    8,          15,         31,         32,          63,
                                    64,         255,        0x7fff,     0xffff,      0x7fffffff,
                                    0x80000000, 0xffffffff, 0xfffffffe, 0x100000000, INT64_MAX,
                                    1ull << 63, UINT64_MAX, 0x3f800000, 0x7fc00000,  0xff800001};
    return below(g, 4) ? some[below(g, ARRAY_LEN(some))] : rnd(g);
}

static ir_val append(struct gen *g, struct ir_insn i)
{
    assert_true(VEC_PUSH(&g->raw.insns, i));
    g->result[g->raw.insns.len - 1] = IR_NONE;
    g->hidden[g->raw.insns.len - 1] = false;
    return g->raw.insns.len - 1;
}

static ir_val make(struct gen *g, enum ir_op op, enum ir_type t, ir_val a, ir_val b, ir_val c,
                   unsigned aux)
{
    return append(
        g, (struct ir_insn){.op = op, .type = t, .aux = (uint16_t)aux, .a = a, .b = b, .c = c});
}

static ir_val constant(struct gen *g, enum ir_type t)
{
    uint64_t bits = interesting(g);
    return make(g, IR_const, t, 0, (uint32_t)bits,
                ir_type_size(t) == 8 ? (uint32_t)(bits >> 32) : 0, 0);
}

static uint32_t place(struct gen *g, enum ir_type t)
{
    unsigned size = ir_type_size(t);
    unsigned step = below(g, 8) ? (size < 4 ? 4 : size) : 1;
    return below(g, (SLOTS_END - size) / step + 1) * step;
}

/* A visible value of type T: one that is there, or a new one. */
static ir_val value(struct gen *g, enum ir_type t)
{
    bool vector = t == IR_V128 || t == IR_V256;
    for (unsigned tries = 0; g->raw.insns.len && tries < 12; tries++) {
        unsigned reach = below(g, 2) && g->raw.insns.len > 6 ? 6 : g->raw.insns.len;
        ir_val v = g->raw.insns.len - 1 - below(g, reach);
        if (!g->hidden[v] && ir_result_type(&g->raw.insns.at[v]) == t)
            return v;
    }
    if (vector && below(g, 16) == 0)
        return make(g, IR_v0, t, 0, 0, 0, below(g, 2) ? VEC_zero : VEC_ones);
    if (!vector && below(g, 2))
        return constant(g, t);
    return make(g, IR_get, t, place(g, t), 0, 0, 0);
}

static ir_val number(struct gen *, enum ir_type);

/* A condition of floating point, with or without the comparison that it belongs to. */
static ir_val truth_x86(struct gen *g)
{
    static const uint8_t conditions[] = {IR_FCC_B,  IR_FCC_AE, IR_FCC_E, IR_FCC_NE,
                                         IR_FCC_BE, IR_FCC_A,  IR_FCC_P, IR_FCC_NP};
    enum ir_type t = below(g, 2) ? IR_F32 : IR_F64;
    ir_val a = number(g, t), b = number(g, t);
    ir_val flags = make(g, IR_fcmpx, t, a, b, 0, below(g, 2));
    if (below(g, 2))
        make(g, IR_put, IR_I32, flags, place(g, IR_I32), 0, 0);
    return make(g, IR_fcc, t, a, b, 0, conditions[below(g, ARRAY_LEN(conditions))]);
}

static ir_val truth(struct gen *g)
{
    if (g->x86 && below(g, 3) == 0)
        return truth_x86(g);
    enum ir_type t = below(g, 2) ? IR_I32 : IR_I64;
    ir_val x = value(g, t);
    return make(g, IR_cmp, t, x, value(g, t), 0, below(g, IR_SGT + 1));
}

static void gen_integer(struct gen *g)
{
    static const uint8_t ops[] = {IR_add,  IR_add,  IR_sub,  IR_mul,  IR_mulhu, IR_mulhs,  IR_udiv,
                                  IR_sdiv, IR_and,  IR_or,   IR_xor,  IR_andn,  IR_not,    IR_neg,
                                  IR_shl,  IR_shr,  IR_sar,  IR_ror,  IR_clz,   IR_popcnt, IR_bswap,
                                  IR_ctz,  IR_pdep, IR_pext, IR_smin, IR_smax,  IR_umin,   IR_umax,
                                  IR_and,  IR_xor,  IR_shr};
    enum ir_op op = ops[below(g, ARRAY_LEN(ops))];
    enum ir_type t = below(g, 3) ? IR_I32 : IR_I64;
    bool shift = op == IR_shl || op == IR_shr || op == IR_sar || op == IR_ror;
    ir_val a = value(g, t), b = 0;
    if (ir_rows[op].operands[1] == 'v')
        b = below(g, 3) ? value(g, shift ? IR_I32 : t) : constant(g, shift ? IR_I32 : t);
    make(g, op, t, a, b, 0, 0);
}

static void gen_field(struct gen *g)
{
    static const uint8_t ops[] = {IR_ubfx, IR_sbfx, IR_bfi};
    enum ir_op op = ops[below(g, 3)];
    enum ir_type t = below(g, 3) ? IR_I32 : IR_I64;
    unsigned width = ir_type_size(t) * 8, lsb = below(g, 2) ? 0 : below(g, width);
    unsigned size = below(g, 2) ? 1 + below(g, width - lsb) : (width - lsb < 8 ? width - lsb : 8);
    ir_val a = value(g, t);
    make(g, op, t, a, op == IR_bfi ? value(g, t) : 0, 0, lsb | size << 8);
}

static void gen_convert(struct gen *g)
{
    switch (below(g, 6)) {
    case 0: make(g, IR_zext, IR_I64, value(g, IR_I32), 0, 0, 0); break;
    case 1: make(g, IR_sext, IR_I64, value(g, IR_I32), 0, 0, 0); break;
    case 2: make(g, IR_trunc, IR_I32, value(g, IR_I64), 0, 0, 0); break;
    case 3: make(g, IR_bitcast, IR_F32, value(g, IR_I32), 0, 0, 0); break;
    case 4: make(g, IR_bitcast, IR_I32, value(g, IR_F32), 0, 0, 0); break;
    default: make(g, IR_bitcast, IR_I64, value(g, IR_F64), 0, 0, 0); break;
    }
}

static void gen_choice(struct gen *g)
{
    static const uint8_t types[] = {IR_I32, IR_I32, IR_I64, IR_F32, IR_F64};
    if (below(g, 3) == 0) {
        truth(g);
        return;
    }
    enum ir_type t = types[below(g, ARRAY_LEN(types))];
    ir_val cond = below(g, 3) ? truth(g) : value(g, IR_I32), yes = value(g, t);
    make(g, IR_select, t, cond, yes, value(g, t), 0);
}

/* Flags, often with the sum that a lifter would have made, and tests of them. */
static void gen_flags(struct gen *g)
{
    enum ir_type t = below(g, 3) ? IR_I32 : IR_I64;
    enum ir_op op = below(g, 2) ? IR_nzcv_add : IR_nzcv_sub;
    ir_val a = value(g, t), b = value(g, t), carry = below(g, 3) ? IR_NONE : truth(g),
           sum = IR_NONE, flags;
    if (below(g, 3) == 0) {
        ir_val c = below(g, 2) ? truth(g) : IR_NONE;
        flags = make(g, IR_nzcv_logic, t, a, c, value(g, IR_I32), 0);
    } else {
        if (carry == IR_NONE && below(g, 2)) {
            sum = make(g, op == IR_nzcv_add ? IR_add : IR_sub, t, a, b, 0, 0);
        } else if (carry != IR_NONE && t == IR_I32 && below(g, 2)) {
            ir_val y = op == IR_nzcv_add ? b : make(g, IR_not, t, b, 0, 0, 0);
            sum = make(g, IR_add, t, make(g, IR_add, t, a, y, 0, 0), carry, 0, 0);
        }
        flags = make(g, op, t, a, b, carry, 0);
        g->result[flags] = sum;
    }
    if (below(g, 3) == 0)
        flags = make(g, IR_select, IR_I32, truth(g), flags, value(g, IR_I32), 0);
    for (unsigned n = below(g, 3); n; n--)
        make(g, IR_nzcv_test, IR_I32, flags, 0, 0, below(g, 14));
}

/* A put, sometimes of a slot that has just been dropped. */
static void put(struct gen *g, enum ir_type t, ir_val v)
{
    uint32_t at = place(g, t);
    if (t >= IR_I32 && !below(g, 4))
        make(g, IR_drop, t, at, 0, 0, 0);
    make(g, IR_put, t, v, at, 0, 0);
}

static void gen_state(struct gen *g)
{
    static const uint8_t types[] = {IR_I32, IR_I32, IR_I32, IR_I32, IR_I64,
                                    IR_F32, IR_F64, IR_I8,  IR_I16};
    enum ir_type t = types[below(g, ARRAY_LEN(types))];
    if (below(g, 2))
        make(g, IR_get, t, place(g, t), 0, 0, 0);
    else
        put(g, t, value(g, t < IR_I32 ? IR_I32 : t));
}

/* Distances around 0 and around what a displacement reaches. */
static uint64_t distance(struct gen *g)
{
    static const uint64_t ends[] = {0,          0x7fffffff, -0x80000000ull, 1ull << 32,
                                    0x40000000, STUB_HIGH,  STUB_HIGH};
    uint64_t small = (uint64_t)below(g, 129) - 64;
    return below(g, 2) ? small : ends[below(g, ARRAY_LEN(ends))] + small;
}

/* A sum, as x86 makes them; mostly within the memory of ir_stub.h. */
static ir_val wide_address(struct gen *g)
{
    ir_val addr = value(g, IR_I64);
    if (below(g, 4))
        addr = make(g, IR_ubfx, IR_I64, addr, 0, 0, 0 | 10 << 8);
    else if (below(g, 2))
        addr = make(g, IR_zext, IR_I64,
                    make(g, IR_ubfx, IR_I32, value(g, IR_I32), 0, 0, 0 | 10 << 8), 0, 0, 0);
    if (below(g, 8) == 0) { /* an address that wraps at 32 bits */
        ir_val low = make(g, IR_trunc, IR_I32, addr, 0, 0, 0);
        ir_val by = make(g, IR_const, IR_I32, 0, below(g, 2) ? below(g, 4) : -below(g, 64), 0, 0);
        enum ir_op op = below(g, 2) ? IR_add : IR_shl;
        addr = make(g, IR_zext, IR_I64, make(g, op, IR_I32, low, by, 0, 0), 0, 0, 0);
    }
    if (below(g, 3) == 0) {
        ir_val index = make(g, IR_ubfx, IR_I64, value(g, IR_I64), 0, 0, 0 | 6 << 8);
        ir_val by = make(g, IR_const, IR_I32, 0, below(g, 4), 0, 0);
        addr = make(g, IR_add, IR_I64, addr, make(g, IR_shl, IR_I64, index, by, 0, 0), 0, 0);
    }
    for (unsigned n = below(g, 3); n; n--) {
        uint64_t by = distance(g);
        ir_val c = make(g, IR_const, IR_I64, 0, (uint32_t)by, (uint32_t)(by >> 32), 0);
        addr = make(g, IR_add, IR_I64, addr, c, 0, 0);
    }
    return addr;
}

/* Mostly within the memory of ir_stub.h, sometimes at or over its end. */
static ir_val address(struct gen *g)
{
    if (g->wide)
        return wide_address(g);
    ir_val addr = value(g, IR_I32);
    if (below(g, 4))
        addr = make(g, IR_ubfx, IR_I32, addr, 0, 0, 0 | 11 << 8);
    if (g->memops && below(g, 2)) {
        uint32_t by = below(g, 2)   ? below(g, 64) * 4
                      : below(g, 3) ? -below(g, 8)
                                    : below(g, 0x1ffff);
        addr = make(g, IR_add, IR_I32, addr, make(g, IR_const, IR_I32, 0, by, 0, 0), 0, 0);
    }
    return addr;
}

static void gen_float_memory(struct gen *g)
{
    enum ir_type t = below(g, 2) ? IR_F32 : IR_F64;
    unsigned memop = (t == IR_F32 ? 2 : 3) | (below(g, 4) ? 0 : IR_MEM_BE);
    ir_val addr = address(g);
    if (below(g, 2))
        make(g, IR_st, t, addr, number(g, t), 0, memop);
    else
        make(g, IR_ld, t, addr, 0, 0, memop);
}

static void gen_memory(struct gen *g)
{
    enum ir_type t = below(g, 3) ? IR_I32 : IR_I64;
    unsigned memop = below(g, t == IR_I32 ? 3 : 4) | (below(g, 2) ? IR_MEM_SIGNED : 0);
    ir_val addr = address(g);
    if (g->memops && below(g, 4) == 0) {
        gen_float_memory(g);
        return;
    }
    if (g->memops) {
        memop |= below(g, 4) ? 0 : IR_MEM_BE;
        memop |= below(g, 3) ? 0 : IR_MEM_ALIGN(below(g, 4));
    }
    switch (below(g, 4)) {
    case 0: make(g, IR_st, t, addr, value(g, t), 0, memop & ~IR_MEM_SIGNED); break;
    case 1: {
        ir_val old = value(g, t);
        if (g->memops && below(g, 2))
            old = make(g, IR_ld, t, addr, 0, 0, memop & ~IR_MEM_SIGNED);
        make(g, IR_cas, t, addr, old, value(g, t), memop & ~IR_MEM_SIGNED);
        break;
    }
    case 2:
        if (g->memops && below(g, 2)) {
            make(g, IR_atomic_add + below(g, 5), t, addr, value(g, t), 0, memop & ~IR_MEM_SIGNED);
            break;
        }
        /* fall through */
    default: make(g, IR_ld, t, addr, 0, 0, memop); break;
    }
}

/* A floating-point value: often one of the special numbers. */
static ir_val number(struct gen *g, enum ir_type t)
{
    static const uint32_t some32[] = {0x00000000, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000,
                                      0xff800000, 0x7fc00000, 0xffc12345, 0x7f800001, 0xff812345,
                                      0x00000001, 0x807fffff, 0x00800000, 0x80800000, 0x7f7fffff,
                                      0x4f000000, 0x4f800000, 0xcf000000, 0x3f000000, 0x40490fdb};
    static const uint64_t some64[] = {0,
                                      0x8000000000000000,
                                      0x3ff0000000000000,
                                      0xbff0000000000000,
                                      0x7ff0000000000000,
                                      0xfff0000000000000,
                                      0x7ff8000000000000,
                                      0xfff8123456789abc,
                                      0x7ff0000000000001,
                                      0xfff4000000000000,
                                      1,
                                      0x800fffffffffffff,
                                      0x0010000000000000,
                                      0x8010000000000000,
                                      0x7fefffffffffffff,
                                      0x41e0000000000000,
                                      0x41efffffffe00000,
                                      0xc1e0000000000000,
                                      0x43e0000000000000,
                                      0x3fe0000000000000,
                                      0x400921fb54442d18,
                                      0x3810000000000000,
                                      0x380fffffffffffff,
                                      0xc1e0000000200000,
                                      0x41dfffffffe00000,
                                      0x43f0000000000000,
                                      0xbfe8000000000000};
    uint64_t bits;
    if (below(g, 3))
        return value(g, t);
    bits = t == IR_F32 ? some32[below(g, ARRAY_LEN(some32))] : some64[below(g, ARRAY_LEN(some64))];
    if (below(g, 4) == 0)
        bits = t == IR_F32 ? (uint32_t)rnd(g) : rnd(g);
    return make(g, IR_const, t, 0, (uint32_t)bits, (uint32_t)(bits >> 32), 0);
}

static unsigned soft_bit(struct gen *g)
{
    return below(g, 8) == 0 ? IR_FP_SOFT : 0;
}

static void gen_float_convert(struct gen *g)
{
    static const uint8_t rounds[] = {FP_RN, FP_RP, FP_RM, FP_RZ, FP_RZ, FP_RA, FP_CURRENT};
    enum ir_type f = below(g, 2) ? IR_F32 : IR_F64, t = below(g, 3) ? IR_I32 : IR_I64;
    unsigned soft = soft_bit(g);
    switch (below(g, 3)) {
    case 0: make(g, IR_fcvt, f, number(g, f == IR_F32 ? IR_F64 : IR_F32), 0, 0, soft); break;
    case 1:
        make(g, below(g, 2) ? IR_f2si : IR_f2ui, t, number(g, f), 0, 0,
             rounds[below(g, ARRAY_LEN(rounds))] | soft);
        break;
    default: make(g, below(g, 2) ? IR_si2f : IR_ui2f, f, value(g, t), 0, 0, soft); break;
    }
}

static void gen_float_x86(struct gen *g)
{
    static const uint8_t rounds[] = {FP_RN, FP_RP, FP_RM, FP_RZ, FP_CURRENT};
    enum ir_type t = below(g, 2) ? IR_F32 : IR_F64;
    ir_val a = number(g, t), b = number(g, t);
    unsigned soft = soft_bit(g);
    switch (below(g, 6)) {
    case 0: make(g, below(g, 2) ? IR_fminx : IR_fmaxx, t, a, b, 0, soft); break;
    case 1:
        make(g, IR_fround, t, a, 0, 0,
             rounds[below(g, ARRAY_LEN(rounds))] | (below(g, 2) ? IR_FP_QUIET : 0) | soft);
        break;
    case 2: make(g, IR_fcmpx, t, a, b, 0, below(g, 2) | soft); break;
    case 3: make(g, IR_fcmpm, t, a, b, 0, below(g, 32) | soft); break;
    case 4: make(g, IR_fma, t, a, b, number(g, t), below(g, 4) | soft); break;
    default:
        make(g, below(g, 2) ? IR_frcpx : IR_frsqrtx, IR_F32, number(g, IR_F32), 0, 0, 0);
        break;
    }
}

static void gen_float(struct gen *g)
{
    if (g->x86 && below(g, 2)) {
        gen_float_x86(g);
        return;
    }
    static const uint8_t ops[] = {IR_fadd, IR_fsub,  IR_fmul, IR_fdiv, IR_fneg,
                                  IR_fabs, IR_fsqrt, IR_fcmp, IR_fma};
    enum ir_op op = ops[below(g, ARRAY_LEN(ops))];
    enum ir_type t = below(g, 2) ? IR_F32 : IR_F64;
    if (below(g, 3) == 0) {
        gen_float_convert(g);
        return;
    }
    bool pure = ir_rows[op].effects == 0;
    ir_val a = number(g, t), b = ir_rows[op].operands[1] == 'v' ? number(g, t) : 0;
    make(g, op, t, a, b, ir_rows[op].operands[2] == 'v' ? number(g, t) : 0,
         (pure ? 0 : soft_bit(g)) | (op == IR_fcmp ? below(g, 2) : 0));
    if (op == IR_fcmp)
        make(g, IR_nzcv_test, IR_I32, g->raw.insns.len - 1, 0, 0, below(g, 14));
}

static void gen_vector_memory(struct gen *g)
{
    enum ir_type t = below(g, 2) ? IR_V128 : IR_V256;
    unsigned memop = t == IR_V128 ? 4 : 5;
    ir_val addr = address(g);
    if (g->memops)
        memop |= below(g, 3) ? 0 : IR_MEM_ALIGN(below(g, 6));
    if (below(g, 2))
        make(g, IR_st, t, addr, value(g, t), 0, memop);
    else
        make(g, IR_ld, t, addr, 0, 0, memop);
}

static void gen_vector(struct gen *g)
{
    enum ir_type t = below(g, 2) ? IR_V128 : IR_V256;
    uint32_t operand[3] = {0};
    if (below(g, 6) == 0) {
        gen_vector_memory(g);
        return;
    }
    if (below(g, 4) == 0) {
        if (below(g, 2))
            make(g, IR_get, t, place(g, t), 0, 0, 0);
        else
            put(g, t, value(g, t));
        return;
    }
    enum vec_op op = below(g, VEC_COUNT);
    const struct vec_row *r = &vec_rows[op];
    if (r->fp && !g->x86)
        return;
    if (!vec_has_type(op, t))
        t = t == IR_V128 ? IR_V256 : IR_V128;
    for (unsigned n = 0; n < r->values; n++)
        operand[n] = value(g, vec_type(r->operand[n], t));
    if (r->imm)
        operand[r->values] = below(g, 2) ? below(g, 256) : below(g, 34);
    make(g, vec_carrier(op), t, operand[0], operand[1], operand[2], op);
}

static uint64_t helper_mix(struct nw_vcpu *vcpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    (void)vcpu, (void)c, (void)d;
    return (a ^ b << 7) * 0x9e3779b97f4a7c15u;
}

static uint64_t helper_read(struct nw_vcpu *vcpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    uint64_t sum = 0;
    (void)b, (void)c, (void)d;
    for (unsigned n = 0; n < SLOTS_END; n++)
        sum = sum * 31 + vcpu->state[n];
    return sum + a;
}

static uint64_t helper_write(struct nw_vcpu *vcpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    (void)b, (void)c, (void)d;
    vcpu->state[a % SLOTS_END] ^= (uint8_t)(a >> 8 | 1);
    return 0;
}

static uint64_t helper_exit(struct nw_vcpu *vcpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    (void)b, (void)c, (void)d;
    if (a % 3 == 0)
        vcpu_raise(vcpu, EXC_UNDEFINED, (uint32_t)a);
    return a;
}

static const struct ir_helper helpers[] = {
    {"mix", helper_mix, IR_H_PURE, IR_I64, 2},
    {"read", helper_read, IR_H_READS, IR_I32, 1},
    {"write", helper_write, IR_H_WRITES, IR_VOID, 1},
    {"exit", helper_exit, IR_H_EXITS, IR_I32, 1},
};

static void gen_call(struct gen *g)
{
    struct ir_call call = {&helpers[below(g, ARRAY_LEN(helpers))],
                           {IR_NONE, IR_NONE, IR_NONE, IR_NONE}};
    for (unsigned n = 0; n < call.helper->nargs; n++)
        call.args[n] = value(g, below(g, 2) ? IR_I32 : IR_I64);
    assert_true(VEC_PUSH(&g->raw.calls, call));
    make(g, IR_call, call.helper->ret, g->raw.calls.len - 1, 0, 0, 0);
}

static uint32_t gen_target(struct gen *g)
{
    struct ir_exit e = {.pc = 0x1000 + below(g, 64) * 4, .mode = below(g, 4)};
    assert_true(VEC_PUSH(&g->raw.exits, e));
    return g->raw.exits.len - 1;
}

static void gen_leave(struct gen *g)
{
    switch (below(g, 4)) {
    case 0: make(g, IR_exit, IR_VOID, gen_target(g), 0, 0, 0); break;
    case 1: {
        ir_val pc = value(g, g->wide ? IR_I64 : IR_I32);
        make(g, IR_exit_ind, IR_VOID, pc, value(g, IR_I32), 0, 0);
        break;
    }
    case 2: make(g, IR_exit_exc, IR_VOID, EXC_SYSCALL, below(g, 9), 0, below(g, 2) * 4); break;
    default: make(g, IR_exit_state, IR_VOID, 0, 0, 0, 0); break;
    }
}

static void gen_label(struct gen *g, unsigned n)
{
    make(g, IR_label, IR_VOID, n, 0, 0, 0);
    for (uint32_t v = g->first_skip[n]; v < g->raw.insns.len; v++)
        g->hidden[v] = true;
    g->placed[n] = true;
    if (g->memops) /* both ways arrive in the same guest instruction */
        make(g, IR_insn, IR_VOID, below(g, 3), 0x8000 + 4 * g->raw.insns.len, 0, 0);
}

static void gen_flow(struct gen *g)
{
    unsigned n = below(g, MAX_LABELS);
    ir_val cond;
    switch (below(g, 8)) {
    case 0:
        cond = truth(g);
        if (below(g, 4))
            make(g, IR_exit_if, IR_VOID, cond, gen_target(g), 0, 0);
        else
            make(g, IR_leave_if, IR_VOID, cond, 0, 0, 0);
        return;
    case 1:
        /* What follows cannot be reached up to the next label. */
        if (below(g, 3) == 0)
            gen_leave(g);
        return;
    default: break;
    }
    if (g->placed[n])
        return;
    if (g->first_skip[n] != IR_NONE && below(g, 3)) {
        gen_label(g, n);
        return;
    }
    cond = below(g, 6) ? truth(g) : constant(g, IR_I32);
    if (g->first_skip[n] == IR_NONE)
        g->first_skip[n] = g->raw.insns.len;
    make(g, below(g, 2) ? IR_skip_if : IR_skip_ifnot, IR_VOID, cond, n, 0, 0);
}

void generate(struct gen *g, uint64_t seed)
{
    static void (*const makers[])(struct gen *) = {
        gen_integer, gen_integer, gen_integer, gen_integer, gen_field, gen_convert,
        gen_choice,  gen_flags,   gen_flags,   gen_state,   gen_state, gen_state,
        gen_memory,  gen_float,   gen_call,    gen_flow,    gen_flow};
    g->seed = seed;
    ir_region_clear(&g->raw);
    memset(g->first_skip, 0xff, sizeof g->first_skip);
    memset(g->placed, 0, sizeof g->placed);
    g->raw.nlabels = MAX_LABELS;
    g->raw.pc_offset = STUB_PC;
    g->raw.aux_offset = STUB_AUX;
    unsigned steps = 4 + below(g, MAX_STEPS - 4);
    uint32_t pc = 0x1000;
    make(g, IR_insn, IR_VOID, 7, pc, 0, 0);
    for (unsigned n = 0; n < steps && g->raw.insns.len < MAX_STEPS * 3; n++) {
        if (below(g, 5) == 0)
            make(g, IR_insn, IR_VOID, below(g, 3), pc += 4, 0, 0);
        if (g->vectors && below(g, 2))
            gen_vector(g);
        else
            makers[below(g, ARRAY_LEN(makers))](g);
    }
    for (unsigned n = 0; n < MAX_LABELS; n++)
        if (g->first_skip[n] != IR_NONE && !g->placed[n])
            gen_label(g, n);
    gen_leave(g);
}

/* ---- the same region through the builder ---- */

static ir_val replay_one(struct ir_builder *b, const struct gen *g, uint32_t v, const ir_val *map)
{
    const struct ir_insn *i = &g->raw.insns.at[v];
    const char *shape = ir_rows[i->op].operands;
    ir_val x = i->a, y = i->b, z = i->c,
           sum = g->result[v] == IR_NONE ? IR_NONE : map[g->result[v]];
    x = shape[0] == 'v' ? map[x] : x;
    y = shape[1] == 'v' || (shape[1] == 'o' && y != IR_NONE) ? map[y] : y;
    z = shape[2] == 'v' || (shape[2] == 'o' && z != IR_NONE) ? map[z] : z;
    const struct ir_exit *e = i->op == IR_exit      ? &g->raw.exits.at[i->a]
                              : i->op == IR_exit_if ? &g->raw.exits.at[i->b]
                                                    : NULL;
    switch (i->op) {
    case IR_const:
        return i->type == IR_I32   ? ir_const32(b, i->b)
               : i->type == IR_I64 ? ir_const64(b, ir_const_bits(i))
               : i->type == IR_F32 ? ir_bitcast(b, IR_F32, ir_const32(b, i->b))
                                   : ir_bitcast(b, IR_F64, ir_const64(b, ir_const_bits(i)));
    case IR_get: return ir_get(b, i->type, i->a);
    case IR_put: ir_put(b, i->type, i->b, x); return IR_NONE;
    case IR_drop: ir_drop(b, i->type, i->a); return IR_NONE;
    case IR_insn: ir_insn_start(b, ir_insn_pc(i), i->a); return IR_NONE;
    case IR_nzcv_add: return ir_nzcv_add(b, i->type, x, y, z, sum);
    case IR_nzcv_sub: return ir_nzcv_sub(b, i->type, x, y, z, sum);
    case IR_nzcv_logic: return ir_nzcv_logic(b, i->type, x, y, z);
    case IR_nzcv_test: return ir_nzcv_test(b, i->aux, x);
    case IR_call: {
        const struct ir_call *c = &g->raw.calls.at[i->a];
        ir_val args[4];
        for (unsigned n = 0; n < 4; n++)
            args[n] = c->args[n] == IR_NONE ? IR_NONE : map[c->args[n]];
        return ir_call(b, c->helper, args[0], args[1], args[2], args[3]);
    }
    case IR_skip_if: ir_skip_if(b, x, y); return IR_NONE;
    case IR_skip_ifnot: ir_skip_ifnot(b, x, y); return IR_NONE;
    case IR_label: ir_label(b, x); return IR_NONE;
    case IR_exit_if: ir_exit_if(b, x, e->pc, e->mode); return IR_NONE;
    case IR_leave_if: ir_leave_if(b, x); return IR_NONE;
    case IR_exit: ir_exit(b, e->pc, e->mode); return IR_NONE;
    case IR_exit_ind: ir_exit_ind(b, x, y); return IR_NONE;
    case IR_exit_exc: ir_exit_exc(b, i->a, i->b, i->aux); return IR_NONE;
    case IR_exit_state: ir_exit_state(b); return IR_NONE;
    case IR_v0: return ir_v0(b, i->type, i->aux);
    case IR_v1:
    case IR_vf1: return ir_v1(b, i->type, i->aux, x);
    case IR_v2:
    case IR_vf2: return ir_v2(b, i->type, i->aux, x, y);
    case IR_v3:
    case IR_vf3: return ir_v3(b, i->type, i->aux, x, y, z);
    case IR_v1i:
    case IR_vf1i: return ir_v1i(b, i->type, i->aux, x, y);
    case IR_v2i:
    case IR_vf2i: return ir_v2i(b, i->type, i->aux, x, y, z);
    default:
        return shape[2] == 'v'   ? ir_op3(b, i->op, i->type, x, y, z, i->aux)
               : shape[1] == 'v' ? ir_op2(b, i->op, i->type, x, y, i->aux)
                                 : ir_op1(b, i->op, i->type, x, i->aux);
    }
}

void replay(struct ir_builder *b, const struct gen *g, struct ir_region *out)
{
    ir_val map[MAX_STEPS * 4];
    ir_begin(b, out);
    out->pc_offset = STUB_PC;
    out->aux_offset = STUB_AUX;
    for (unsigned n = 0; n < MAX_LABELS; n++)
        assert_int_equal(ir_label_new(b), n);
    for (uint32_t v = 0; v < g->raw.insns.len; v++)
        map[v] = replay_one(b, g, v, map);
    ir_end(b);
}
