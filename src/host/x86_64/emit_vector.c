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
    VMI,
    RVMR,
    RAA,  /* RVM with a twice and a fixed immediate */
    SELF, /* RVM with the result only: an idiom that reads nothing */
    MOVE, /* a copy of 128 bits, or of less; the upper half becomes 0 */
    TEST, /* RM whose result is in ZF and CF */
};

#define X_NP                      0u
#define VEX(prefix, map, opcode)  X_##prefix | X_##map | 0x##opcode
#define VEXW(prefix, map, opcode) VEX(prefix, map, opcode) | X_W
#define DIGIT(n)                  | (n) << 24
#define FIXED(n)                  | (uint32_t)(n) << 24
#define EXTRA(op)                 ((op) >> 24)

static const struct {
    uint32_t op;
    uint8_t how;
} host_rows[VEC_COUNT] = {
#define VEC_OP(name, operands, how, encoding) [VEC_##name] = {encoding, how},
#include "ir/vec.inc"
};

struct operands {
    unsigned loc[3], d;
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

static void test(struct host_emitter *e, const struct operands *o)
{
    struct asm_buf *a = &e->a;
    a->flags = 0;
    v_rrr(a, o->op, o->loc[0] & 15, 0, o->loc[1] & 15);
    asm_u8(a, 0x9f); /* lahf: SF, AF and PF are 0 */
    x_shift_imm(a, 0, X_SHR, RAX, 8);
    x_alu_imm(a, 0, X_AND, RAX, 0x41);
    x_mov(a, 0, o->d, RAX);
}

static void instruction(struct host_emitter *e, enum how how, const struct operands *o)
{
    struct asm_buf *x = &e->a;
    unsigned d = o->d & 15, a = o->loc[0] & 15, b = o->loc[1] & 15;
    switch (how) {
    case RM: v_rrr(x, o->op, d, 0, a); break;
    case MR: v_rrr(x, o->op, a, 0, d); break;
    case RVM: v_rrr(x, o->op, d, a, b); break;
    case VMI: v_rrr(x, o->op, EXTRA(o->op), d, a); break;
    case RVMR:
        v_rrr(x, o->op, d, a, b);
        asm_u8(x, (o->loc[2] & 15) << 4);
        break;
    case RAA:
        v_rrr(x, o->op, d, a, a);
        asm_u8(x, EXTRA(o->op));
        break;
    case SELF: v_rrr(x, o->op, d, d, d); break;
    case MOVE: v_rrr(x, o->op & ~X_256, d, 0, a); break;
    case TEST: test(e, o); break;
    }
    if (o->has_imm)
        asm_u8(x, o->imm);
}

static void emit_vector(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    const struct vec_row *r = &vec_rows[i->aux];
    const ir_val operand[3] = {i->a, i->b, i->c};
    enum how how = host_rows[i->aux].how;
    struct operands o = {.op = host_rows[i->aux].op | (i->type == IR_V256 ? X_256 : 0)};
    if (how == TEST)
        ra_take(e, RAX);
    for (unsigned n = 0; n < r->values; n++)
        o.loc[n] = ra_use(e, operand[n]);
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
