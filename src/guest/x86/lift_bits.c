/* Bit tests, scans and counts (SDM 1 7.3.7), and what BMI1, BMI2 and ADX add. */
#include "guest/x86/lift.h"
#include "guest/x86/undefined.h"

static ir_val is_zero(struct x86_lift *l, ir_val v, unsigned bits)
{
    return ir_cmp(l->b, IR_EQ, x86_type(bits), v, x86_const(l, bits, 0));
}

/* ---- BT and its relatives ---- */

static bool by_register(const struct x86_insn *i)
{
    return i->op[1].type == ZYDIS_OPERAND_TYPE_REGISTER;
}

/* A bit offset in a register counts from the memory operand on, in both directions: the operand
 * that holds the bit is found by whole operands. */
static struct x86_place bit_place(struct x86_lift *l, const struct x86_insn *i, ir_val index)
{
    struct ir_builder *b = l->b;
    const ZydisDecodedOperand *op = &i->op[0];
    if (op->type != ZYDIS_OPERAND_TYPE_MEMORY || !by_register(i))
        return x86_place(l, 0);

    unsigned bits = op->size, addr_bits = x86_addr_bits(l), seg = x86_operand_segment(op);
    enum ir_type t = x86_type(bits);
    if (bits == 16)
        index = x86_sext(l, index, 16, 32);
    ir_val by = ir_sar(b, t, index, ir_const32(b, x86_log2(bits)));
    by = ir_shl(b, t, by, ir_const32(b, x86_log2(bits / 8)));
    by = bits < 64 && addr_bits == 64 ? ir_sext(b, IR_I64, by) : x86_zext(l, by, bits, addr_bits);
    ir_val offset = ir_add(b, x86_type(addr_bits), x86_effective(l, op), by);
    struct x86_place place = {.mem = true, .bits = (uint16_t)bits};
    place.addr = x86_linear(l, seg, x86_cut(l, offset, addr_bits), addr_bits, bits / 8,
                            i->row->arg != X86_BT);
    return place;
}

static ir_val changed_bit(struct x86_lift *l, enum x86_bit_op op, enum ir_type t, ir_val v,
                          ir_val mask)
{
    switch (op) {
    case X86_BTS: return ir_or(l->b, t, v, mask);
    case X86_BTR: return ir_andn(l->b, t, v, mask);
    default: return ir_xor(l->b, t, v, mask);
    }
}

static ir_val change_atomically(struct x86_lift *l, enum x86_bit_op op,
                                const struct x86_place *place, ir_val mask)
{
    enum ir_op ir = op == X86_BTS ? IR_atomic_or : op == X86_BTR ? IR_atomic_and : IR_atomic_xor;
    enum ir_type t = x86_type(place->bits);
    if (op == X86_BTR)
        mask = x86_cut(l, ir_not(l->b, t, mask), place->bits);
    return x86_place_atomic(l, place, ir, mask);
}

/* BT, BTS, BTR, BTC by argument. */
void x86_bit(struct x86_lift *l, const struct x86_insn *i)
{
    struct ir_builder *b = l->b;
    enum x86_bit_op op = (enum x86_bit_op)i->row->arg;
    unsigned bits = i->op[0].size;
    enum ir_type t = x86_type(bits);
    ir_val index = x86_read(l, 1), v;
    struct x86_place place = bit_place(l, i, index);
    ir_val n =
        ir_and(b, IR_I32, bits == 64 ? ir_trunc(b, IR_I32, index) : index, ir_const32(b, bits - 1));
    ir_val mask = ir_shl(b, t, x86_const(l, bits, 1), n);

    if (op != X86_BT && place.mem && x86_has_lock(l)) {
        v = change_atomically(l, op, &place, mask);
    } else {
        v = x86_place_read(l, &place, op == X86_BT ? 0 : X86_RMW);
        if (op != X86_BT)
            x86_place_write(l, &place, changed_bit(l, op, t, v, mask), v, false);
    }
    v = ir_shr(b, t, v, n);
    v = bits == 64 ? ir_trunc(b, IR_I32, v) : v;
    x86_cc_set_cf(l, ir_and(b, IR_I32, v, ir_const32(b, 1)));
}

/* ---- scans and counts ---- */

/* Zeros below the lowest or above the highest one of V; its size where there is none. */
static ir_val zeros(struct x86_lift *l, enum ir_op op, ir_val v, unsigned bits)
{
    struct ir_builder *b = l->b;
    enum ir_type t = x86_type(bits);
    if (bits == 16 && op == IR_ctz)
        v = ir_or(b, IR_I32, v, ir_const32(b, 0x10000));
    ir_val n = ir_op1(b, op, t, v, 0);
    return bits == 16 && op == IR_clz ? ir_sub(b, IR_I32, n, ir_const32(b, 16)) : n;
}

/* BSF, BSR by argument. Of 0 they leave the destination alone, all of it. The manuals define ZF
 * only; the others are those of the index (of 0, when there is none) as a result of logic. */
void x86_bit_scan(struct x86_lift *l, const struct x86_insn *i)
{
    struct ir_builder *b = l->b;
    enum ir_op op = (enum ir_op)i->row->arg;
    unsigned bits = i->op[0].size, all = l->word == IR_I64 ? 64 : 32;
    enum ir_type t = x86_type(bits);
    unsigned reg = (unsigned)ZydisRegisterGetId(i->op[0].reg.value);
    ir_val v = x86_read(l, 1), none = is_zero(l, v, bits);
    ir_val n = zeros(l, op, v, bits);
    if (op == IR_clz)
        n = ir_sub(b, t, x86_const(l, bits, bits - 1), n);

    ir_val old = x86_gpr_get(l, reg, all), index = x86_zext(l, n, bits, all);
    ir_val wide = bits == 16 ? ir_bfi(b, l->word, old, index, 0, 16) : index;
    x86_gpr_put(l, reg, all, ir_select(b, l->word, none, old, wide));
    /* ZF is that of the operand: the value has a one beside the index unless there was none. */
    n = bits == 64 ? ir_trunc(b, IR_I32, n) : n;
    n = ir_or(b, IR_I32, n, ir_const32(b, 0x100));
    n = ir_select(b, IR_I32, none, ir_const32(b, 0), n);
    x86_cc_set(l, X86_CC_LOGIC, 32, n, IR_NONE, IR_NONE, IR_NONE);
}

static ir_val flag(struct x86_lift *l, ir_val truth, uint32_t in)
{
    return ir_shl(l->b, IR_I32, truth, ir_const32(l->b, (uint32_t)__builtin_ctz(in)));
}

/* TZCNT, LZCNT by argument. */
void x86_count_zeros(struct x86_lift *l, const struct x86_insn *i)
{
    struct ir_builder *b = l->b;
    unsigned bits = i->op[0].size;
    ir_val v = x86_read(l, 1), n = zeros(l, (enum ir_op)i->row->arg, v, bits);
    ir_val flags = ir_or(b, IR_I32, is_zero(l, v, bits), flag(l, is_zero(l, n, bits), X86_ZF));
    if (x86_undefined_of(l->model)->count_keeps_of)
        flags = ir_or(b, IR_I32, flags, ir_and(b, IR_I32, x86_cc_flags(l), ir_const32(b, X86_OF)));
    x86_write(l, 0, n);
    x86_cc_set_flags(l, flags);
}

void x86_popcnt(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->op[0].size;
    ir_val v = x86_read(l, 1);
    x86_write(l, 0, ir_popcnt(l->b, x86_type(bits), v));
    x86_cc_set_flags(l, flag(l, is_zero(l, v, bits), X86_ZF));
}

/* ---- BMI1 ---- */

void x86_andn(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->op[0].size;
    ir_val b = x86_read(l, 2), v = ir_andn(l->b, x86_type(bits), b, x86_read(l, 1));
    x86_write(l, 0, v);
    x86_cc_set(l, X86_CC_LOGIC, bits, v, IR_NONE, IR_NONE, IR_NONE);
}

/* Ones in the low N bits, N an I32 that may be anything up to 255. */
static ir_val low_ones(struct x86_lift *l, ir_val n, unsigned bits)
{
    struct ir_builder *b = l->b;
    enum ir_type t = x86_type(bits);
    ir_val ones = ir_not(b, t, ir_shl(b, t, x86_const(l, bits, UINT64_MAX), n));
    ir_val all = ir_cmp(b, IR_UGE, IR_I32, n, ir_const32(b, bits));
    return ir_select(b, t, all, x86_const(l, bits, UINT64_MAX), ones);
}

static ir_val control_byte(struct x86_lift *l, ir_val v, unsigned bits, unsigned lsb)
{
    return ir_ubfx(l->b, IR_I32, bits == 64 ? ir_trunc(l->b, IR_I32, v) : v, lsb, 8);
}

/* SF is always 0: the value that stands for the result has the sign bit elsewhere. */
static void bextr_flags(struct x86_lift *l, ir_val v, unsigned bits)
{
    struct ir_builder *b = l->b;
    if (bits == 64) {
        ir_val sign = ir_shl(b, IR_I64, ir_shr(b, IR_I64, v, ir_const32(b, 63)), ir_const32(b, 8));
        v = ir_or(b, IR_I64, ir_and(b, IR_I64, v, ir_const64(b, INT64_MAX)), sign);
    }
    v = x86_zext(l, v, bits, 64);
    x86_cc_set(l, X86_CC_LOGIC, 64, v, IR_NONE, IR_NONE, IR_NONE);
    if (x86_undefined_of(l->model)->bextr_af)
        x86_cc_set_af(l);
}

void x86_bextr(struct x86_lift *l, const struct x86_insn *i)
{
    struct ir_builder *b = l->b;
    unsigned bits = i->op[0].size;
    enum ir_type t = x86_type(bits);
    ir_val v = x86_read(l, 1), control = x86_read(l, 2);
    ir_val start = control_byte(l, control, bits, 0), length = control_byte(l, control, bits, 8);
    ir_val outside = ir_cmp(b, IR_UGE, IR_I32, start, ir_const32(b, bits));
    v = ir_and(b, t, ir_shr(b, t, v, start), low_ones(l, length, bits));
    v = ir_select(b, t, outside, x86_const(l, bits, 0), v);
    x86_write(l, 0, v);
    bextr_flags(l, v, bits);
}

static void write_bls(struct x86_lift *l, unsigned bits, ir_val v, ir_val carry)
{
    x86_write(l, 0, v);
    x86_cc_set(l, X86_CC_BLS, bits, v, x86_zext(l, carry, 32, bits), IR_NONE, IR_NONE);
}

void x86_blsi(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->op[0].size;
    enum ir_type t = x86_type(bits);
    ir_val v = x86_read(l, 1);
    ir_val carry = ir_cmp(l->b, IR_NE, t, v, x86_const(l, bits, 0));
    write_bls(l, bits, ir_and(l->b, t, v, ir_neg(l->b, t, v)), carry);
}

/* BLSR and BLSMSK: argument is how the operand and the operand - 1 are joined. */
void x86_blsr(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->op[0].size;
    enum ir_type t = x86_type(bits);
    ir_val v = x86_read(l, 1), less = ir_sub(l->b, t, v, x86_const(l, bits, 1));
    write_bls(l, bits, ir_op2(l->b, (enum ir_op)i->row->arg, t, v, less, 0), is_zero(l, v, bits));
}

/* ---- BMI2 ---- */

void x86_bzhi(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->op[0].size;
    ir_val v = x86_read(l, 1), n = control_byte(l, x86_read(l, 2), bits, 0);
    ir_val carry = ir_cmp(l->b, IR_UGT, IR_I32, n, ir_const32(l->b, bits - 1));
    write_bls(l, bits, ir_and(l->b, x86_type(bits), v, low_ones(l, n, bits)), carry);
}

/* The high half wins where both destinations are one register. */
void x86_mulx(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->op[0].size;
    enum ir_type t = x86_type(bits);
    ir_val a = x86_gpr_get(l, X86_RDX, bits), b = x86_read(l, 2);
    x86_write(l, 1, ir_mul(l->b, t, a, b));
    x86_write(l, 0, ir_mulhu(l->b, t, a, b));
}

void x86_deposit(struct x86_lift *l, const struct x86_insn *i)
{
    ir_val v = x86_read(l, 1), mask = x86_read(l, 2);
    x86_write(l, 0, ir_op2(l->b, (enum ir_op)i->row->arg, x86_type(i->op[0].size), v, mask, 0));
}

void x86_rorx(struct x86_lift *l, const struct x86_insn *i)
{
    ir_val count = ir_const32(l->b, (uint32_t)i->op[2].imm.value.u);
    x86_write(l, 0, ir_ror(l->b, x86_type(i->op[0].size), x86_read(l, 1), count));
}

/* SARX, SHLX, SHRX by argument. */
void x86_shiftx(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->op[0].size;
    ir_val v = x86_read(l, 1), count = x86_zext(l, x86_read(l, 2), bits, 32);
    x86_write(l, 0, ir_op2(l->b, (enum ir_op)i->row->arg, x86_type(bits), v, count, 0));
}

/* ---- ADX ---- */

/* ADCX (argument 0) carries through CF, ADOX (1) through OF; no other flag changes. */
void x86_add_carry(struct x86_lift *l, const struct x86_insn *i)
{
    struct ir_builder *b = l->b;
    unsigned bits = i->op[0].size;
    enum ir_type t = x86_type(bits);
    bool by_of = i->row->arg;
    ir_val x = x86_read(l, 0), y = x86_read(l, 1);
    ir_val in = by_of ? x86_cc_test(l, 0) : x86_cc_carry(l);
    ir_val sum = ir_add(b, t, x, y), v = ir_add(b, t, sum, x86_zext(l, in, 32, bits));
    ir_val out = ir_or(b, IR_I32, ir_cmp(b, IR_ULT, t, sum, x), ir_cmp(b, IR_ULT, t, v, sum));
    x86_write(l, 0, v);
    if (by_of) {
        x86_cc_set_cf_of(l, x86_cc_carry(l), out);
    } else {
        x86_cc_set_cf(l, out);
    }
}

/* ---- CRC32 ---- */

/* The polynomial 11EDC6F41h, bits reflected (SDM 2, CRC32), four bits at a time. */
static uint64_t crc32_helper(struct nw_vcpu *vcpu, uint64_t crc, uint64_t data, uint64_t bytes,
                             uint64_t unused)
{
    static const uint32_t table[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
        0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };
    (void)vcpu, (void)unused;
    uint32_t v = (uint32_t)crc;
    for (uint64_t n = 0; n < 2 * bytes; n++, data >>= 4)
        v = v >> 4 ^ table[(v ^ data) & 15];
    return v;
}

void x86_crc32(struct x86_lift *l, const struct x86_insn *i)
{
    static const struct ir_helper helper = {"x86_crc32", crc32_helper, IR_H_PURE, IR_I32, 3};
    unsigned from = i->op[1].size, to = i->op[0].size;
    ir_val data = x86_zext(l, x86_read(l, 1), from, 64);
    ir_val crc = x86_zext(l, x86_read(l, 0), to, 32);
    ir_val v = ir_call(l->b, &helper, crc, data, ir_const32(l->b, from / 8), IR_NONE);
    x86_write(l, 0, x86_zext(l, v, 32, to));
}
