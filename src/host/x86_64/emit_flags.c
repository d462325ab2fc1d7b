/* Comparisons, choices and ARM's condition flags. */
#include "host/x86_64/emit.h"
#include "host/x86_64/constants.h"

/* ---- comparisons ---- */

static const uint8_t cc_of[] = {
    [IR_EQ] = X_E,  [IR_NE] = X_NE, [IR_ULT] = X_B,  [IR_UGE] = X_AE, [IR_ULE] = X_BE,
    [IR_UGT] = X_A, [IR_SLT] = X_L, [IR_SGE] = X_GE, [IR_SLE] = X_LE, [IR_SGT] = X_G,
};

void flags_set(struct host_emitter *e, enum flags_kind kind, uint8_t type, ir_val a, ir_val b,
               ir_val result)
{
    e->flags = (struct flags_source){
        .a = a, .b = b, .result = result, .kind = (uint8_t)kind, .type = type};
    e->a.flags = 1;
}

static bool same_value(const struct host_emitter *e, ir_val x, ir_val y)
{
    if (x == y)
        return true;
    return x != NO_VALUE && y != NO_VALUE && is_const(e, x) && is_const(e, y) &&
           ir_const_bits(insn_of(e, x)) == ir_const_bits(insn_of(e, y));
}

bool flags_hold(const struct host_emitter *e, enum flags_kind kind, const struct ir_insn *i)
{
    return e->a.flags && e->flags.kind == kind && e->flags.type == i->type &&
           same_value(e, e->flags.a, i->a) && same_value(e, e->flags.b, i->b);
}

/* Is I a comparison of x - c with -c, and do EFLAGS come from that difference? Then it asks whether
 * there was a borrow. */
static bool asks_borrow(const struct host_emitter *e, const struct ir_insn *i)
{
    const struct flags_source *f = &e->flags;
    int32_t c, minus;
    return e->a.flags && f->kind == FLAGS_SUB && f->result == i->a && f->type == i->type &&
           (i->aux == IR_ULT || i->aux == IR_UGE) && ra_imm32(e, f->b, &c) && c > 0 &&
           ra_imm32(e, i->b, &minus) && minus == -c;
}

/* The condition of comparison I from EFLAGS as they are. */
static bool known_condition(const struct host_emitter *e, const struct ir_insn *i, enum x_cc *cc)
{
    static const uint8_t sign_of[] = {
        [IR_EQ] = X_E, [IR_NE] = X_NE, [IR_SLT] = X_S, [IR_SGE] = X_NS};
    int32_t imm;
    *cc = (enum x_cc)cc_of[i->aux];
    if (flags_hold(e, FLAGS_SUB, i)) {
        if (e->flags.inverted && (i->aux == IR_ULT || i->aux == IR_UGE))
            *cc ^= 1;
        return !e->flags.inverted || (i->aux != IR_ULE && i->aux != IR_UGT);
    }
    if (asks_borrow(e, i)) {
        *cc = (i->aux == IR_UGE) != e->flags.inverted ? X_B : X_AE;
        return true;
    }
    /* A 32-bit comparison may look at the low half of a wider result. */
    if (!e->a.flags || e->flags.result != i->a || e->flags.type != i->type ||
        !ra_imm32(e, i->b, &imm) || imm != 0)
        return false;
    if (i->aux > IR_NE && i->aux != IR_SLT && i->aux != IR_SGE)
        return false;
    *cc = (enum x_cc)sign_of[i->aux];
    return true;
}

static enum x_cc compare(struct host_emitter *e, const struct ir_insn *i)
{
    uint32_t w = width_of(i->type);
    int32_t imm;
    enum x_cc known;
    if (known_condition(e, i, &known))
        return known;
    unsigned a = ra_use(e, i->a);
    if (!ra_imm32(e, i->b, &imm))
        x_alu(&e->a, w, X_CMP, a, ra_use(e, i->b));
    else if (imm == 0)
        x_test(&e->a, w, a, a);
    else
        x_alu_imm(&e->a, w, X_CMP, a, imm);
    flags_set(e, FLAGS_SUB, i->type, i->a, i->b, NO_VALUE);
    return (enum x_cc)cc_of[i->aux];
}

/* Which flags nibbles fulfil ARM condition COND, bit per nibble (ARM DDI 0406C A8.3). */
static uint32_t nibbles_of(unsigned cond)
{
    static const uint16_t holds[] = {
        0xf0f0, /* EQ: Z */
        0xcccc, /* CS: C */
        0xff00, /* MI: N */
        0xaaaa, /* VS: V */
        0x0c0c, /* HI: C and not Z */
        0xaa55, /* GE: N equals V */
        0x0a05, /* GT: N equals V and not Z */
    };
    uint32_t set = holds[cond >> 1];
    return cond & 1 ? ~set & 0xffff : set;
}

/* A test of a flags nibble: of its one bit, or of the nibble's bit in a mask. */
static enum x_cc test_nibble(struct host_emitter *e, const struct ir_insn *i)
{
    static const uint8_t bit[] = {4, 2, 8, 1};
    unsigned cond = i->aux, a = ra_use(e, i->a);
    if (cond < 8) {
        x_test_imm(&e->a, 0, a, bit[cond >> 1]);
        return cond & 1 ? X_E : X_NE;
    }
    unsigned t = ra_temp(e);
    x_mov_imm(&e->a, t, nibbles_of(cond) | nibbles_of(cond) << 16);
    e->a.flags = 0;
    x_rr(&e->a, 0xa3 | X_0F, a, t); /* bt t, a */
    return X_B;
}

enum x_cc emit_condition(struct host_emitter *e, ir_val v)
{
    const struct ir_insn *i = insn_of(e, v);
    if (e->values.at[v].flags & VAL_FUSED)
        return i->op == IR_cmp   ? compare(e, i)
               : i->op == IR_fcc ? emit_fcc_compare(e, i)
                                 : test_nibble(e, i);
    unsigned r = ra_use(e, v);
    x_test(&e->a, 0, r, r);
    return X_NE;
}

/* A truth value in a register. */
static void materialise(struct host_emitter *e, ir_val v, enum x_cc cc)
{
    unsigned d = ra_def(e, v, REG_NONE, 0);
    x_setcc(&e->a, cc, d);
    x_movzx8(&e->a, d, d);
    ra_bind(e, v, d);
}

void emit_cmp(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    materialise(e, v, compare(e, i));
}

void emit_fcc(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    materialise(e, v, emit_fcc_compare(e, i));
}

void emit_nzcv_test(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    materialise(e, v, test_nibble(e, i));
}

/* ---- select ---- */

static void select_fp(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    unsigned b = ra_use(e, i->b), c = ra_use(e, i->c);
    unsigned d = ra_def(e, v, ra_reusable(e, i->b), 1u << c);
    enum x_cc cc = emit_condition(e, i->a);
    ra_move(e, d, b, i->type);
    uint8_t *yes = x_jcc8(&e->a, cc);
    v_mov(&e->a, d - XMM(0), c - XMM(0));
    x_here8(&e->a, yes);
    ra_bind(e, v, d);
}

/* The condition's operands must be in registers before the result's register is chosen, since it
 * may be one of theirs; nothing after the comparison touches EFLAGS. */
void emit_select(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    uint32_t w = width_of(i->type);
    if (type_is_fp(i->type)) {
        select_fp(e, v, i);
        return;
    }
    if (i->b == i->c) {
        unsigned s = ra_use(e, i->b), d = ra_def(e, v, REG_NONE, 0);
        ra_move(e, d, s, i->type);
        ra_bind(e, v, d);
        return;
    }
    uint32_t locked = e->locked;
    enum x_cc cc = emit_condition(e, i->a);
    e->locked = locked; /* consumed by the comparison */
    unsigned b = ra_use(e, i->b), c = ra_use(e, i->c);
    unsigned reuse = ra_reusable(e, i->c);
    if (reuse == REG_NONE)
        reuse = ra_reusable(e, i->b);
    unsigned d = ra_def(e, v, reuse, 0);
    if (d == b) {
        x_cmov(&e->a, w, cc ^ 1, d, c);
    } else {
        ra_move(e, d, c, i->type);
        x_cmov(&e->a, w, cc, d, b);
    }
    ra_bind(e, v, d);
}

/* ---- ARM's flags ---- */

/* eax = OF in bit 0, CF in 8, ZF in 14, SF in 15: the nibble V, C, Z, N once packed. */
static void pack(struct host_emitter *e, unsigned d)
{
    asm_u8(&e->a, 0x9f); /* lahf */
    x_setcc(&e->a, X_O, RAX);
    v_rrm(&e->a, 0xf5 | X_0F38 | X_F3, d, RAX, runtime_at(e, e->rt->constants + CONSTANT(nzcv)));
}

/* CF = the carry value, inverted when INVERT. */
static void load_carry(struct host_emitter *e, ir_val c, bool invert)
{
    unsigned r = ra_use(e, c);
    if (invert)
        x_alu_imm(&e->a, 0, X_CMP, r, 1);
    else
        x_bt_imm(&e->a, r, 0);
}

/* EFLAGS hold the sum or difference: into the nibble, whose carry is not borrow. */
static void pack_sum(struct host_emitter *e, ir_val v, bool subtract)
{
    if (subtract) {
        asm_u8(&e->a, 0xf5); /* cmc */
        e->flags.inverted = !e->flags.inverted;
    }
    unsigned d = ra_def(e, v, RAX, 0);
    pack(e, d);
    ra_bind(e, v, d);
}

static void sum_flags(struct host_emitter *e, ir_val v, const struct ir_insn *i, bool subtract)
{
    uint32_t w = width_of(i->type);
    int32_t imm;
    ra_take(e, RAX);
    uint32_t locked = e->locked;
    if (i->c == IR_NONE && flags_hold(e, subtract ? FLAGS_SUB : FLAGS_ADD, i) &&
        !e->flags.inverted) {
        pack_sum(e, v, subtract);
        return;
    }
    unsigned a = ra_use(e, i->a);
    bool by_imm = ra_imm32(e, i->b, &imm);
    unsigned b = by_imm ? REG_NONE : ra_use(e, i->b);
    enum x_alu op = subtract ? X_CMP : X_ADD;
    unsigned first = a;
    if (i->c != IR_NONE) {
        ra_use(e, i->c);
        op = subtract ? X_SBB : X_ADC;
    }
    if (op != X_CMP) {
        first = RAX;
        x_mov(&e->a, w, RAX, a);
    }
    if (i->c != IR_NONE)
        load_carry(e, i->c, subtract);
    if (by_imm)
        x_alu_imm(&e->a, w, op, first, imm);
    else
        x_alu(&e->a, w, op, first, b);
    if (i->c == IR_NONE)
        flags_set(e, subtract ? FLAGS_SUB : FLAGS_ADD, i->type, i->a, i->b, NO_VALUE);
    e->locked = locked; /* operands are consumed; moves keep EFLAGS */
    pack_sum(e, v, subtract);
}

void emit_nzcv_add(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    sum_flags(e, v, i, false);
}

void emit_nzcv_sub(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    sum_flags(e, v, i, true);
}

/* t |= what nzcv_logic takes from carry B and flags C. */
static void logic_carry(struct host_emitter *e, const struct ir_insn *i, unsigned t)
{
    uint32_t kept = i->b == IR_NONE ? 3 : 1;
    uint32_t known = 0;
    if (is_const(e, i->c)) {
        known = insn_of(e, i->c)->b & kept;
    } else {
        unsigned c = ra_use(e, i->c), s = ra_temp(e);
        x_mov(&e->a, 0, s, c);
        x_alu_imm(&e->a, 0, X_AND, s, (int32_t)kept);
        x_alu(&e->a, 0, X_OR, t, s);
        e->locked &= ~(1u << s);
    }
    if (i->b != IR_NONE && is_const(e, i->b))
        known |= (insn_of(e, i->b)->b & 1) << 1;
    if (known)
        x_alu_imm(&e->a, 0, X_OR, t, (int32_t)known);
    if (i->b != IR_NONE && !is_const(e, i->b)) {
        unsigned b = ra_use(e, i->b), s = ra_temp(e);
        x_mov(&e->a, 0, s, b);
        x_alu_imm(&e->a, 0, X_AND, s, 1);
        x_lea(&e->a, 0, t, x_at_index(t, s, 1, 0));
        e->locked &= ~(1u << s);
    }
}

void emit_nzcv_logic(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    uint32_t w = width_of(i->type);
    ra_take(e, RAX);
    uint32_t locked = e->locked;
    unsigned a = ra_use(e, i->a);
    x_test(&e->a, w, a, a); /* CF and OF are 0 */
    e->locked = locked;
    pack(e, RAX);
    logic_carry(e, i, RAX);
    e->locked = locked;
    unsigned d = ra_def(e, v, RAX, 0);
    ra_move(e, d, RAX, IR_I32);
    ra_bind(e, v, d);
}
