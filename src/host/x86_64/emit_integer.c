/* Integer arithmetic. */
#include "host/x86_64/emit.h"

static unsigned either_reusable(const struct host_emitter *e, ir_val a, ir_val b)
{
    unsigned r = ra_reusable(e, a);
    return r != REG_NONE ? r : ra_reusable(e, b);
}

static void note_flags(struct host_emitter *e, ir_val v, const struct ir_insn *i, enum x_alu op)
{
    if (op == X_ADD || op == X_SUB)
        flags_set(e, op == X_ADD ? FLAGS_ADD : FLAGS_SUB, i->type, i->a, i->b, v);
    else
        flags_set(e, FLAGS_LOGIC, i->type, NO_VALUE, NO_VALUE, v);
}

static void alu_imm(struct host_emitter *e, ir_val v, const struct ir_insn *i, enum x_alu op,
                    int32_t imm)
{
    uint32_t w = width_of(i->type);
    unsigned a = ra_use(e, i->a), d = ra_def(e, v, ra_reusable(e, i->a), 0);
    if (op == X_ADD && d != a) {
        x_lea(&e->a, w, d, x_at(a, imm));
    } else if (op == X_SUB && d != a && imm != INT32_MIN) {
        x_lea(&e->a, w, d, x_at(a, -imm));
    } else {
        ra_move(e, d, a, i->type);
        x_alu_imm(&e->a, w, op, d, imm);
        note_flags(e, v, i, op);
    }
    ra_bind(e, v, d);
}

/* As ra_state_only, in the width W. */
static bool in_state_only(const struct host_emitter *e, ir_val b, uint32_t w)
{
    if (w && !type_is_64(ir_result_type(insn_of(e, b))))
        return false;
    return ra_state_only(e, b);
}

static void alu_state(struct host_emitter *e, ir_val v, const struct ir_insn *i, enum x_alu op,
                      unsigned a)
{
    unsigned d = ra_def(e, v, ra_reusable(e, i->a), 0);
    ra_move(e, d, a, i->type);
    x_alu_mem(&e->a, width_of(i->type), op, d, state_at(e->values.at[i->b].home));
    note_flags(e, v, i, op);
    ra_bind(e, v, d);
}

static void alu(struct host_emitter *e, ir_val v, const struct ir_insn *i, enum x_alu op)
{
    uint32_t w = width_of(i->type);
    bool commutes = op != X_SUB;
    int32_t imm;
    if (ra_imm32(e, i->b, &imm)) {
        alu_imm(e, v, i, op, imm);
        return;
    }
    unsigned a = ra_use(e, i->a);
    if (in_state_only(e, i->b, w)) {
        alu_state(e, v, i, op, a);
        return;
    }
    unsigned b = ra_use(e, i->b);
    unsigned reuse = commutes ? either_reusable(e, i->a, i->b) : ra_reusable(e, i->a);
    unsigned d = ra_def(e, v, reuse, commutes || a == b ? 0 : 1u << b);
    if (d == b) {
        x_alu(&e->a, w, op, d, a);
        note_flags(e, v, i, op);
    } else if (op == X_ADD && d != a) {
        x_lea(&e->a, w, d, x_at_index(a, b, 0, 0));
    } else {
        ra_move(e, d, a, i->type);
        x_alu(&e->a, w, op, d, b);
        note_flags(e, v, i, op);
    }
    ra_bind(e, v, d);
}

/* a + (b << n) */
static void add_scaled(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    const struct ir_insn *shift = insn_of(e, i->b);
    unsigned a = ra_use(e, i->a), b = ra_use(e, shift->a);
    unsigned d = ra_def(e, v, either_reusable(e, i->a, shift->a), 0);
    x_lea(&e->a, width_of(i->type), d, x_at_index(a, b, insn_of(e, shift->b)->b, 0));
    ra_bind(e, v, d);
}

void emit_add(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    if (e->values.at[i->b].flags & VAL_FUSED && insn_of(e, i->b)->op == IR_shl) {
        add_scaled(e, v, i);
        return;
    }
    alu(e, v, i, X_ADD);
}

void emit_sub(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    alu(e, v, i, X_SUB);
}

void emit_and(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    alu(e, v, i, X_AND);
}

void emit_or(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    alu(e, v, i, X_OR);
}

void emit_xor(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    alu(e, v, i, X_XOR);
}

void emit_andn(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    unsigned a = ra_use(e, i->a), b = ra_use(e, i->b);
    unsigned d = ra_def(e, v, either_reusable(e, i->a, i->b), 0);
    e->a.flags = 0;
    v_rrr(&e->a, 0xf2 | X_0F38 | width_of(i->type), d, b, a);
    ra_bind(e, v, d);
}

/* dst = a with the operation done in place. */
static unsigned in_place(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    unsigned a = ra_use(e, i->a), d = ra_def(e, v, ra_reusable(e, i->a), 0);
    ra_move(e, d, a, i->type);
    return d;
}

void emit_not(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    unsigned d = in_place(e, v, i);
    x_not(&e->a, width_of(i->type), d);
    ra_bind(e, v, d);
}

void emit_neg(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    unsigned d = in_place(e, v, i);
    x_neg(&e->a, width_of(i->type), d);
    ra_bind(e, v, d);
}

void emit_bswap(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    unsigned d = in_place(e, v, i);
    x_bswap(&e->a, width_of(i->type), d);
    ra_bind(e, v, d);
}

/* lzcnt, tzcnt and popcnt */
static void count_bits(struct host_emitter *e, ir_val v, const struct ir_insn *i, uint32_t op)
{
    unsigned a = ra_use(e, i->a), d = ra_def(e, v, ra_reusable(e, i->a), 0);
    e->a.flags = 0;
    x_rr(&e->a, op | X_0F | X_F3 | width_of(i->type), d, a);
    ra_bind(e, v, d);
}

void emit_clz(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    count_bits(e, v, i, 0xbd);
}

void emit_ctz(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    count_bits(e, v, i, 0xbc);
}

void emit_popcnt(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    count_bits(e, v, i, 0xb8);
}

/* EFLAGS stay. */
static void deposit(struct host_emitter *e, ir_val v, const struct ir_insn *i, uint32_t prefix)
{
    unsigned a = ra_use(e, i->a), b = ra_use(e, i->b);
    unsigned d = ra_def(e, v, either_reusable(e, i->a, i->b), 0);
    v_rrr(&e->a, 0xf5 | X_0F38 | prefix | width_of(i->type), d, a, b);
    ra_bind(e, v, d);
}

void emit_pdep(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    deposit(e, v, i, X_F2);
}

void emit_pext(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    deposit(e, v, i, X_F3);
}

/* ---- multiplication and division ---- */

void emit_mul(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    uint32_t w = width_of(i->type);
    int32_t imm;
    unsigned a = ra_use(e, i->a);
    if (ra_imm32(e, i->b, &imm)) {
        unsigned d = ra_def(e, v, ra_reusable(e, i->a), 0);
        x_imul_imm(&e->a, w, d, a, imm);
        ra_bind(e, v, d);
        return;
    }
    unsigned b = ra_use(e, i->b), d = ra_def(e, v, either_reusable(e, i->a, i->b), 0);
    if (d == b) {
        x_imul(&e->a, w, d, a);
    } else {
        ra_move(e, d, a, i->type);
        x_imul(&e->a, w, d, b);
    }
    ra_bind(e, v, d);
}

/* The upper half of the product of two I64: rdx of rdx:rax. */
static void mulh64(struct host_emitter *e, ir_val v, const struct ir_insn *i, unsigned digit)
{
    ra_take(e, RAX);
    ra_take(e, RDX);
    unsigned a = ra_use(e, i->a), b = ra_use(e, i->b);
    x_mov(&e->a, X_W, RAX, a);
    x_muldiv(&e->a, X_W, digit, b);
    ra_bind(e, v, RDX);
}

void emit_mulhu(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    if (i->type == IR_I64) {
        mulh64(e, v, i, 4);
        return;
    }
    unsigned a = ra_use(e, i->a), b = ra_use(e, i->b);
    unsigned d = ra_def(e, v, either_reusable(e, i->a, i->b), 0);
    if (d == b) {
        x_imul(&e->a, X_W, d, a);
    } else {
        x_mov(&e->a, 0, d, a);
        x_imul(&e->a, X_W, d, b);
    }
    x_shift_imm(&e->a, X_W, X_SHR, d, 32);
    ra_bind(e, v, d);
}

static void movsxd(struct host_emitter *e, unsigned d, unsigned s)
{
    x_rr(&e->a, 0x63 | X_W, d, s);
}

void emit_mulhs(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    if (i->type == IR_I64) {
        mulh64(e, v, i, 5);
        return;
    }
    unsigned a = ra_use(e, i->a), b = ra_use(e, i->b), t = ra_temp(e);
    unsigned d = ra_def(e, v, ra_reusable(e, i->a), a == b ? 0 : 1u << b);
    movsxd(e, t, b);
    movsxd(e, d, a);
    x_imul(&e->a, X_W, d, t);
    x_shift_imm(&e->a, X_W, X_SHR, d, 32);
    ra_bind(e, v, d);
}

/* The divisor must be tested: division by zero gives 0 and the most negative number divided by -1
 * itself, where x86 traps. */
static void divide(struct host_emitter *e, ir_val v, const struct ir_insn *i, bool is_signed)
{
    uint32_t w = width_of(i->type);
    struct asm_buf *x = &e->a;
    ra_take(e, RAX);
    ra_take(e, RDX);
    unsigned a = ra_use(e, i->a), b = ra_use(e, i->b);
    uint8_t *minus = NULL, *done2 = NULL;
    x_mov(x, w, RAX, a);
    x_test(x, w, b, b);
    uint8_t *zero = x_jcc8(x, X_E);
    if (is_signed) {
        x_alu_imm(x, w, X_CMP, b, -1);
        minus = x_jcc8(x, X_E);
        if (w)
            asm_u8(x, 0x48);
        asm_u8(x, 0x99); /* cdq, cqo */
    } else {
        x_alu(x, 0, X_XOR, RDX, RDX);
    }
    x_muldiv(x, w, is_signed ? 7 : 6, b);
    uint8_t *done = x_jmp8(x);
    if (is_signed) {
        x_here8(x, minus);
        x_neg(x, w, RAX);
        done2 = x_jmp8(x);
    }
    x_here8(x, zero);
    x_alu(x, 0, X_XOR, RAX, RAX);
    x_here8(x, done);
    if (done2)
        x_here8(x, done2);
    ra_bind(e, v, RAX);
}

void emit_udiv(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    divide(e, v, i, false);
}

void emit_sdiv(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    divide(e, v, i, true);
}

/* ---- shifts ---- */

static void shift(struct host_emitter *e, ir_val v, const struct ir_insn *i, enum x_shift op,
                  enum x_shiftx opx)
{
    uint32_t w = width_of(i->type);
    unsigned a = ra_use(e, i->a);
    if (is_const(e, i->b)) {
        unsigned n = insn_of(e, i->b)->b & (w ? 63 : 31);
        unsigned d = ra_def(e, v, ra_reusable(e, i->a), 0);
        if (op == X_SHL && d != a && n == 1) {
            x_lea(&e->a, w, d, x_at_index(a, a, 0, 0));
            ra_bind(e, v, d);
            return;
        }
        ra_move(e, d, a, i->type);
        if (n)
            x_shift_imm(&e->a, w, op, d, n);
        ra_bind(e, v, d);
        return;
    }
    unsigned b = ra_use(e, i->b), d = ra_def(e, v, either_reusable(e, i->a, i->b), 0);
    x_shiftx(&e->a, w, opx, d, a, b);
    ra_bind(e, v, d);
}

void emit_shl(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    shift(e, v, i, X_SHL, X_SHLX);
}

void emit_shr(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    shift(e, v, i, X_SHR, X_SHRX);
}

void emit_sar(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    shift(e, v, i, X_SAR, X_SARX);
}

void emit_ror(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    uint32_t w = width_of(i->type);
    if (is_const(e, i->b)) {
        unsigned a = ra_use(e, i->a), d = ra_def(e, v, ra_reusable(e, i->a), 0);
        x_rorx(&e->a, w, d, a, insn_of(e, i->b)->b & (w ? 63 : 31));
        ra_bind(e, v, d);
        return;
    }
    ra_take(e, RCX);
    unsigned a = ra_use(e, i->a), b = ra_use(e, i->b);
    x_mov(&e->a, 0, RCX, b);
    unsigned d = ra_def(e, v, ra_reusable(e, i->a), 1u << RCX);
    ra_move(e, d, a, i->type);
    e->a.flags = 0;
    x_rr(&e->a, 0xd3 | w, X_ROR, d);
    ra_bind(e, v, d);
}

/* ---- minimum and maximum ---- */

static void minmax(struct host_emitter *e, ir_val v, const struct ir_insn *i, enum x_cc take_b)
{
    uint32_t w = width_of(i->type);
    unsigned a = ra_use(e, i->a), b = ra_use(e, i->b);
    unsigned d = ra_def(e, v, ra_reusable(e, i->a), a == b ? 0 : 1u << b);
    x_alu(&e->a, w, X_CMP, a, b);
    ra_move(e, d, a, i->type);
    x_cmov(&e->a, w, take_b, d, b);
    ra_bind(e, v, d);
}

void emit_smin(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    minmax(e, v, i, X_G);
}

void emit_smax(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    minmax(e, v, i, X_L);
}

void emit_umin(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    minmax(e, v, i, X_A);
}

void emit_umax(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    minmax(e, v, i, X_B);
}

/* ---- bit fields ---- */

static uint64_t ones(unsigned width)
{
    return width >= 64 ? UINT64_MAX : (1ull << width) - 1;
}

/* d &= the low WIDTH bits; WIDTH < 64. */
static void keep_low(struct host_emitter *e, uint32_t w, unsigned d, unsigned width)
{
    if (width == 8) {
        x_movzx8(&e->a, d, d);
    } else if (width == 16) {
        x_rr(&e->a, 0xb7 | X_0F, d, d);
    } else if (width == 32) {
        x_mov(&e->a, 0, d, d);
    } else if (width < 32) {
        x_alu_imm(&e->a, 0, X_AND, d, (int32_t)ones(width));
    } else {
        x_shift_imm(&e->a, w, X_SHL, d, 64 - width);
        x_shift_imm(&e->a, w, X_SHR, d, 64 - width);
    }
}

void emit_ubfx(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    unsigned lsb = i->aux & 0xff, width = i->aux >> 8, full = type_is_64(i->type) ? 64 : 32;
    uint32_t w = width_of(i->type);
    unsigned a = ra_use(e, i->a), d = ra_def(e, v, ra_reusable(e, i->a), 0);
    if (lsb == 0 && (width == 8 || width == 16)) {
        x_rr(&e->a, (width == 8 ? 0xb6u | X_RM8 : 0xb7u) | X_0F, d, a);
    } else if (lsb == 0 && width == full) {
        ra_move(e, d, a, i->type);
    } else if (lsb + width < full && d != a && lsb) {
        x_rorx(&e->a, w, d, a, lsb);
        keep_low(e, w, d, width);
    } else {
        ra_move(e, d, a, i->type);
        if (lsb)
            x_shift_imm(&e->a, w, X_SHR, d, lsb);
        if (lsb + width < full)
            keep_low(e, w, d, width);
    }
    ra_bind(e, v, d);
}

void emit_sbfx(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    unsigned lsb = i->aux & 0xff, width = i->aux >> 8, full = type_is_64(i->type) ? 64 : 32;
    uint32_t w = width_of(i->type);
    unsigned a = ra_use(e, i->a), d = ra_def(e, v, ra_reusable(e, i->a), 0);
    if (lsb == 0 && width == 8) {
        x_rr(&e->a, 0xbe | X_0F | X_RM8 | w, d, a);
    } else if (lsb == 0 && width == 16) {
        x_rr(&e->a, 0xbf | X_0F | w, d, a);
    } else if (lsb == 0 && width == 32 && w) {
        movsxd(e, d, a);
    } else {
        ra_move(e, d, a, i->type);
        if (lsb + width < full)
            x_shift_imm(&e->a, w, X_SHL, d, full - lsb - width);
        if (width < full)
            x_shift_imm(&e->a, w, X_SAR, d, full - width);
    }
    ra_bind(e, v, d);
}

/* The low byte or half-word of a register can be written by itself. */
static void insert_low(struct host_emitter *e, ir_val v, const struct ir_insn *i, unsigned width)
{
    unsigned a = ra_use(e, i->a), b = ra_use(e, i->b);
    unsigned d = ra_def(e, v, ra_reusable(e, i->a), a == b ? 0 : 1u << b);
    ra_move(e, d, a, i->type);
    x_rr(&e->a, width == 8 ? 0x88u | X_REG8 | X_RM8 : 0x89u | X_66, b, d);
    ra_bind(e, v, d);
}

/* a with WIDTH low bits of b at LSB. With a mask that is no immediate the value is turned so that
 * the field is at the bottom, and back. */
void emit_bfi(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    unsigned lsb = i->aux & 0xff, width = i->aux >> 8, full = type_is_64(i->type) ? 64 : 32;
    uint32_t w = width_of(i->type);
    uint64_t hole = ~(ones(width) << lsb);
    bool turn = w && (int64_t)hole != (int32_t)hole;
    if (lsb == 0 && (width == 8 || width == 16)) {
        insert_low(e, v, i, width);
        return;
    }
    unsigned a = ra_use(e, i->a), b = ra_use(e, i->b), t = ra_temp(e);
    unsigned d = ra_def(e, v, ra_reusable(e, i->a), a == b ? 0 : 1u << b);
    x_mov(&e->a, w, t, b);
    if (width == full) {
        x_mov(&e->a, w, d, t);
        ra_bind(e, v, d);
        return;
    }
    if (turn || lsb + width < full)
        keep_low(e, w, t, width);
    if (turn) {
        x_rorx(&e->a, w, d, a, lsb);
        x_shift_imm(&e->a, w, X_SHR, d, width);
        x_shift_imm(&e->a, w, X_SHL, d, width);
        x_alu(&e->a, w, X_OR, d, t);
        x_shift_imm(&e->a, w, X_ROL, d, lsb);
    } else {
        if (lsb)
            x_shift_imm(&e->a, w, X_SHL, t, lsb);
        ra_move(e, d, a, i->type);
        x_alu_imm(&e->a, w, X_AND, d, (int32_t)hole);
        x_alu(&e->a, w, X_OR, d, t);
    }
    ra_bind(e, v, d);
}

/* ---- widths ---- */

/* 32-bit values are kept zero-extended: zext and trunc are plain 32-bit moves. The operand of
 * either may be 64 bits wide here (widths.c). */
static void move32(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    unsigned a = ra_use(e, i->a), d = ra_def(e, v, ra_reusable(e, i->a), 0);
    if (d != a || type_is_64(ir_result_type(insn_of(e, i->a))))
        x_mov(&e->a, 0, d, a);
    ra_bind(e, v, d);
}

void emit_zext(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    move32(e, v, i);
}

void emit_trunc(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    move32(e, v, i);
}

void emit_sext(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    unsigned a = ra_use(e, i->a), d = ra_def(e, v, ra_reusable(e, i->a), 0);
    movsxd(e, d, a);
    ra_bind(e, v, d);
}

void emit_bitcast(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    bool wide = type_is_64(i->type), to_fp = type_is_fp(i->type);
    bool from_fp = type_is_fp(ir_result_type(insn_of(e, i->a)));
    unsigned a = ra_use(e, i->a);
    if (to_fp == from_fp) {
        unsigned d = ra_def(e, v, ra_reusable(e, i->a), 0);
        ra_move(e, d, a, i->type);
        ra_bind(e, v, d);
        return;
    }
    unsigned d = ra_def(e, v, REG_NONE, 0);
    if (to_fp)
        v_from_gpr(&e->a, wide, d - XMM(0), a);
    else
        v_to_gpr(&e->a, wide, d, a - XMM(0));
    ra_bind(e, v, d);
}
