/* Vectors: a row of ir/vec.inc is one VEX instruction. Registers hold a V128 in their lower half
 * and anything in the upper one. */
#include "host/x86_64/emit.h"
#include "ir/vec.h"

/* Which operand goes where. RM, MR, RVM, VMI and RVMR are the operand encodings of the Intel SDM.
 */
enum how {
    RM,
    MR,
    RVM,
    COM, /* RVM whose operands may be exchanged */
    VMI,
    RVMR,
    RAA,  /* RVM with a twice and a fixed immediate */
    SELF, /* RVM with the result only: an idiom that reads nothing */
    MOVE, /* a copy of 128 bits, or of less; the upper half becomes 0 */
    TEST, /* RM whose result is in ZF and CF */
    FMA,  /* RVM, whose result takes the place of the addend or of a factor */
    OLD,  /* RM without VEX: the result takes the place of a; xmm0 is c */
};

#define X_NP                      0u
#define VEX(prefix, map, opcode)  X_##prefix | X_##map | 0x##opcode
#define VEXW(prefix, map, opcode) VEX(prefix, map, opcode) | X_W
#define DIGIT(n)                  | (n) << 24
#define FIXED(n)                  | (uint32_t)(n) << 24
#define EXTRA(op)                 ((op) >> 24)
#define NEEDS(feature)            | HOST_##feature << 19
#define NEEDED(op)                ((op) >> 19 & 31)

static const struct {
    uint32_t op;
    uint8_t how;
} host_rows[VEC_COUNT] = {
#define VEC_OP(name, operands, how, encoding) [VEC_##name] = {encoding, how},
#include "ir/vec.inc"
};

struct operands {
    unsigned loc[3], d; /* the one in ModRM.rm may be REG_NONE: in MEM */
    struct x_mem mem;
    uint32_t op;
    unsigned imm;
    bool has_imm;
};

/* An operand's register that may become the result's, else REG_NONE. */
static unsigned reusable(const struct host_emitter *e, const struct vec_row *r,
                         const ir_val *operand, uint8_t type)
{
    bool xmm = type_in_xmm(vec_type(r->result, type));
    for (unsigned n = 0; n < r->values; n++) {
        unsigned loc = ra_reusable(e, operand[n]);
        if (loc != REG_NONE && (loc >= XMM(0)) == xmm)
            return loc;
    }
    return REG_NONE;
}

static void last(struct asm_buf *a, const struct operands *o, unsigned reg, unsigned vvvv,
                 unsigned rm)
{
    if (rm == REG_NONE)
        v_rrm(a, o->op, reg, vvvv, o->mem);
    else
        v_rrr(a, o->op, reg, vvvv, rm & 15);
}

static void test(struct host_emitter *e, const struct operands *o)
{
    struct asm_buf *a = &e->a;
    a->flags = 0;
    last(a, o, o->loc[0] & 15, 0, o->loc[1]);
    asm_u8(a, 0x9f); /* lahf: SF, AF and PF are 0 */
    x_shift_imm(a, 0, X_SHR, RAX, 8);
    x_alu_imm(a, 0, X_AND, RAX, 0x41);
    x_mov(a, 0, o->d, RAX);
}

static void instruction(struct host_emitter *e, enum how how, const struct operands *o)
{
    struct asm_buf *x = &e->a;
    unsigned d = o->d & 15, a = o->loc[0] & 15;
    switch (how) {
    case RM: last(x, o, d, 0, o->loc[0]); break;
    case MR: v_rrr(x, o->op, a, 0, d); break;
    case RVM:
    case COM: last(x, o, d, a, o->loc[1]); break;
    case VMI: v_rrr(x, o->op, EXTRA(o->op), d, a); break;
    case RVMR:
        last(x, o, d, a, o->loc[1]);
        asm_u8(x, (o->loc[2] & 15) << 4);
        break;
    case RAA:
        v_rrr(x, o->op, d, a, a);
        asm_u8(x, EXTRA(o->op));
        break;
    case SELF: v_rrr(x, o->op, d, d, d); break;
    case MOVE: v_rrr(x, o->op & ~X_256, d, 0, a); break;
    case TEST: test(e, o); break;
    case FMA:
    case OLD: break;
    }
    if (o->has_imm)
        asm_u8(x, o->imm);
}

static bool lacks(const struct host_emitter *e, const struct ir_insn *i)
{
    return NEEDED(host_rows[i->aux].op) & ~e->features;
}

bool vector_stays_hot(const struct host_emitter *e, const struct ir_insn *i)
{
    return ir_op_is_vec(i->op) && (lacks(e, i) || (i->op == IR_v3 && host_rows[i->aux].how == OLD));
}

/* The row's function, where the host lacks the instruction. */
static void call_row(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    const struct vec_row *r = &vec_rows[i->aux];
    const ir_val operand[3] = {i->a, i->b, i->c};
    struct stub_ref refs[3];
    for (unsigned n = 0; n < r->values; n++)
        if (!is_const(e, operand[n]))
            ra_use(e, operand[n]);
    unsigned d = ra_def(e, v, REG_NONE, 0);
    for (unsigned n = 0; n < r->values; n++)
        refs[n] = stub_operand(e, operand[n]);
    uint32_t live = live_xmm(e, d);
    stub_call_begin(e, live);
    for (unsigned n = 0; n < r->values; n++)
        stub_operand_store(e, &refs[n], n + 1);
    x_lea(&e->a, X_W, RSI, x_at(RSP, FRAME_VEC));
    x_mov_imm(&e->a, RDX, i->aux);
    x_mov_imm(&e->a, RCX, ir_type_size(i->type));
    x_mov_imm(&e->a, R8, r->imm ? operand[r->values] : 0);
    x_mov_imm(&e->a, RAX, (uintptr_t)vec_call);
    x_call_to(&e->a, runtime_code(e, e->rt->soft));
    stub_call_end(e, v, d, live);
    ra_bind(e, v, d);
}

static void emit_old(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    const struct vec_row *r = &vec_rows[i->aux];
    struct asm_buf *x = &e->a;
    if (r->values == 3)
        ra_take(e, XMM(0));
    unsigned a = ra_use(e, i->a), b = ra_use(e, i->b), c = r->values == 3 ? ra_use(e, i->c) : 0;
    unsigned d = ra_def(e, v, ra_reusable(e, i->a), i->a == i->b ? 0 : 1u << b);
    ra_move(e, d, a, IR_V128);
    if (r->values == 3)
        v_mov(x, 0, c - XMM(0));
    x_rr(x, host_rows[i->aux].op, d - XMM(0), b - XMM(0));
    if (r->imm)
        asm_u8(x, i->c);
    ra_bind(e, v, d);
}

static void fused_with_memory(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    uint32_t op = host_rows[i->aux].op | (i->type == IR_V256 ? X_256 : 0);
    struct x_mem m;
    unsigned a = ra_use(e, i->a), c = ra_use(e, i->c);
    ra_use_or_mem(e, i->b, &m);
    unsigned d = ra_def(e, v, i->a == i->c ? REG_NONE : ra_reusable(e, i->c), 0);
    ra_move(e, d, c, i->type);
    v_rrm(&e->a, op, d - XMM(0), a - XMM(0), m);
    ra_bind(e, v, d);
}

/* The form of the three, of which the row has the third, that overwrites what ends here: their
 * opcodes are 0x10 apart (Intel SDM 2C, VFMADD132PD). */
static void emit_fused(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    struct asm_buf *x = &e->a;
    uint32_t op = host_rows[i->aux].op | (i->type == IR_V256 ? X_256 : 0);
    if (i->b != i->a && i->b != i->c && ra_ends_in_mem(e, i->b)) {
        fused_with_memory(e, v, i);
        return;
    }
    unsigned a = ra_use(e, i->a), b = ra_use(e, i->b), c = ra_use(e, i->c);
    bool a_ends = ra_reusable(e, i->a) == a && i->a != i->b && i->a != i->c;
    bool b_ends = ra_reusable(e, i->b) == b && i->b != i->a && i->b != i->c;
    bool c_ends = ra_reusable(e, i->c) == c && i->c != i->a && i->c != i->b;
    if (!c_ends && b_ends) {
        v_rrr(x, op - 0x10, b - XMM(0), a - XMM(0), c - XMM(0));
        ra_bind(e, v, b);
    } else if (!c_ends && a_ends) {
        v_rrr(x, op - 0x20, a - XMM(0), c - XMM(0), b - XMM(0));
        ra_bind(e, v, a);
    } else {
        unsigned d = c_ends ? c : ra_def(e, v, REG_NONE, 0);
        ra_move(e, d, c, i->type);
        v_rrr(x, op, d - XMM(0), a - XMM(0), b - XMM(0));
        ra_bind(e, v, d);
    }
}

/* The operand that the instruction can have in memory, with the same meaning; else more than 2. */
static unsigned memory_operand(const struct ir_insn *i, enum how how)
{
    const struct vec_row *r = &vec_rows[i->aux];
    unsigned n = how == RM ? 0 : 1;
    if (how != RM && how != RVM && how != COM && how != RVMR && how != TEST)
        return 3;
    if (i->aux == VEC_insertps || !type_is_vec(vec_type(r->operand[n], i->type)) ||
        (!type_is_vec(vec_type(r->result, i->type)) && how != TEST))
        return 3;
    return n;
}

static void emit_vector(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    const struct vec_row *r = &vec_rows[i->aux];
    ir_val operand[3] = {i->a, i->b, i->c};
    enum how how = host_rows[i->aux].how;
    struct operands o = {.op = host_rows[i->aux].op | (i->type == IR_V256 ? X_256 : 0)};
    if (lacks(e, i)) {
        call_row(e, v, i);
        return;
    }
    if (how == OLD || how == FMA) {
        (how == OLD ? emit_old : emit_fused)(e, v, i);
        return;
    }
    if (how == TEST)
        ra_take(e, RAX);
    if (how == COM && ra_ends_in_mem(e, i->a)) {
        operand[0] = i->b;
        operand[1] = i->a;
    }
    for (unsigned n = 0; n < r->values; n++)
        o.loc[n] = n == memory_operand(i, how) ? ra_use_or_mem(e, operand[n], &o.mem)
                                               : ra_use(e, operand[n]);
    o.has_imm = r->imm;
    o.imm = r->imm ? operand[r->values] : 0;
    o.d = ra_def(e, v, reusable(e, r, operand, i->type), 0);
    /* A part of a value that ends here needs no copy. */
    if (how != MOVE || o.d != o.loc[0] || i->aux == VEC_zext128)
        instruction(e, how, &o);
    ra_bind(e, v, o.d);
}

#define EMIT(name)                                                                                 \
    void emit_##name(struct host_emitter *e, ir_val v, const struct ir_insn *i)                    \
    {                                                                                              \
        emit_vector(e, v, i);                                                                      \
    }
EMIT(v0)
EMIT(v1)
EMIT(v2)
EMIT(v3)
EMIT(v1i)
EMIT(v2i)
EMIT(vf1)
EMIT(vf2)
EMIT(vf3)
EMIT(vf1i)
EMIT(vf2i)
