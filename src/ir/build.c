/* The builder: appending records and sharing equal ones. */
#include "ir/builder.h"
#include "ir/shape.h"

#include <string.h>

struct ir_builder *ir_builder_new(void)
{
    return calloc(1, sizeof(struct ir_builder));
}

void ir_builder_free(struct ir_builder *b)
{
    if (!b)
        return;
    VEC_FREE(&b->side);
    VEC_FREE(&b->trail);
    VEC_FREE(&b->labels);
    free(b);
}

void ir_begin(struct ir_builder *b, struct ir_region *region)
{
    ir_region_clear(region);
    b->region = region;
    VEC_CLEAR(&b->side);
    VEC_CLEAR(&b->trail);
    VEC_CLEAR(&b->labels);
    b->pending = 0;
    b->insn_pc = 0;
    b->dead = BUILD_ALIVE;
    known_reset(b);
    memset(b->heads, 0xff, sizeof b->heads);
}

struct ir_region *ir_region_of(struct ir_builder *b)
{
    return b->region;
}

const struct ir_insn build_zero = {.op = IR_const, .type = IR_I32};

/* Room for one more record and what lies beside it. */
static bool make_room(struct ir_builder *b)
{
    struct ir_region *r = b->region;
    if (vec_grow((void **)&r->insns.at, r->insns.len, &r->insns.cap, sizeof *r->insns.at) &&
        vec_grow((void **)&b->side.at, r->insns.len, &b->side.cap, sizeof *b->side.at))
        return true;
    r->oom = true;
    return false;
}

ir_val build_append(struct ir_builder *b, struct ir_insn i)
{
    struct ir_region *r = b->region;
    uint32_t v = r->insns.len;
    if (NW_UNLIKELY(v >= r->insns.cap || v >= b->side.cap) && !make_room(b))
        return 0;
    r->insns.at[v] = i;
    b->side.at[v] = (struct build_side){VN_OUTSIDE, IR_NONE};
    r->insns.len = b->side.len = v + 1;
    return v;
}

/* A record as two words, for hashing and comparing in registers. */
struct vn_words {
    uint64_t low, high;
};

static struct vn_words vn_words(struct ir_insn i)
{
    return (struct vn_words){i.op | (uint32_t)i.type << 8 | (uint32_t)i.aux << 16 |
                                 (uint64_t)i.a << 32,
                             i.b | (uint64_t)i.c << 32};
}

static uint32_t vn_hash(struct vn_words w)
{
    uint64_t h = (w.low * 0x9e3779b97f4a7c15u) ^ (w.high * 0xc2b2ae3d27d4eb4fu);
    return (uint32_t)((h ^ h >> 29) * 0x9e3779b97f4a7c15u >> 56) % VN_HEADS;
}

ir_val build_share(struct ir_builder *b, struct ir_insn i)
{
    struct vn_words words = vn_words(i);
    uint32_t *head = &b->heads[vn_hash(words)];
    for (ir_val v = *head; v != VN_END; v = b->side.at[v].next) {
        struct vn_words other = vn_words(b->region->insns.at[v]);
        if (other.low == words.low && other.high == words.high)
            return v;
    }
    ir_val v = build_append(b, i);
    if (NW_UNLIKELY(b->region->oom))
        return v;
    b->side.at[v].next = *head;
    *head = v;
    return v;
}

void build_unshare(struct ir_builder *b, uint32_t pos)
{
    /* Newest first: each is the head of its chain when its turn comes. */
    for (uint32_t v = b->side.len; v-- > pos;) {
        if (b->side.at[v].next == VN_OUTSIDE)
            continue;
        b->heads[vn_hash(vn_words(b->region->insns.at[v]))] = b->side.at[v].next;
        b->side.at[v].next = VN_OUTSIDE;
    }
}

ir_val build_const(struct ir_builder *b, enum ir_type type, uint64_t bits)
{
    return build_share(b,
                       build_record(IR_const, type, 0, 0, (uint32_t)bits, (uint32_t)(bits >> 32)));
}

ir_val build_pure(struct ir_builder *b, struct ir_insn i)
{
    ir_val v = fold_record(b, &i);
    return v != IR_NONE ? v : build_share(b, i);
}

static ir_val make(struct ir_builder *b, struct ir_insn i)
{
    return ir_is_pure(i.op) ? build_pure(b, i) : build_append(b, i);
}

ir_val ir_op1(struct ir_builder *b, enum ir_op op, enum ir_type type, ir_val a, uint16_t aux)
{
    return make(b, build_record(op, type, aux, a, 0, 0));
}

ir_val ir_op2(struct ir_builder *b, enum ir_op op, enum ir_type type, ir_val x, ir_val y,
              uint16_t aux)
{
    return make(b, build_record(op, type, aux, x, y, 0));
}

ir_val ir_op3(struct ir_builder *b, enum ir_op op, enum ir_type type, ir_val x, ir_val y, ir_val z,
              uint16_t aux)
{
    return make(b, build_record(op, type, aux, x, y, z));
}

static ir_val vec(struct ir_builder *b, enum ir_type type, enum vec_op op, ir_val x, ir_val y,
                  ir_val z)
{
    return make(b, build_record(vec_carrier(op), type, (uint16_t)op, x, y, z));
}

ir_val ir_v0(struct ir_builder *b, enum ir_type type, enum vec_op op)
{
    return vec(b, type, op, 0, 0, 0);
}

ir_val ir_v1(struct ir_builder *b, enum ir_type type, enum vec_op op, ir_val x)
{
    return vec(b, type, op, x, 0, 0);
}

ir_val ir_v2(struct ir_builder *b, enum ir_type type, enum vec_op op, ir_val x, ir_val y)
{
    return vec(b, type, op, x, y, 0);
}

ir_val ir_v3(struct ir_builder *b, enum ir_type type, enum vec_op op, ir_val x, ir_val y, ir_val z)
{
    return vec(b, type, op, x, y, z);
}

ir_val ir_v1i(struct ir_builder *b, enum ir_type type, enum vec_op op, ir_val x, unsigned imm)
{
    return vec(b, type, op, x, imm & 0xff, 0);
}

ir_val ir_v2i(struct ir_builder *b, enum ir_type type, enum vec_op op, ir_val x, ir_val y,
              unsigned imm)
{
    return vec(b, type, op, x, y, imm & 0xff);
}

ir_val ir_const32(struct ir_builder *b, uint32_t bits)
{
    return build_const(b, IR_I32, bits);
}

ir_val ir_const64(struct ir_builder *b, uint64_t bits)
{
    return build_const(b, IR_I64, bits);
}

bool ir_is_const(struct ir_builder *b, ir_val v, uint64_t *out)
{
    return build_is_const(b, v, out);
}

ir_val ir_cmp(struct ir_builder *b, enum ir_cc cc, enum ir_type type, ir_val x, ir_val y)
{
    return ir_op2(b, IR_cmp, type, x, y, cc);
}

ir_val ir_select(struct ir_builder *b, enum ir_type type, ir_val cond, ir_val yes, ir_val no)
{
    return ir_op3(b, IR_select, type, cond, yes, no, 0);
}

ir_val ir_fma(struct ir_builder *b, enum ir_type type, ir_val x, ir_val y, ir_val z,
              unsigned negate)
{
    return ir_op3(b, IR_fma, type, x, y, z, (uint16_t)negate);
}

ir_val ir_fround(struct ir_builder *b, enum ir_type type, ir_val a, enum fp_round round, bool quiet)
{
    return ir_op1(b, IR_fround, type, a, (uint16_t)(round | (quiet ? IR_FP_QUIET : 0)));
}

ir_val ir_fcmpx(struct ir_builder *b, enum ir_type type, ir_val x, ir_val y, bool signaling)
{
    return ir_op2(b, IR_fcmpx, type, x, y, signaling);
}

ir_val ir_fcc(struct ir_builder *b, enum ir_fcc cc, enum ir_type type, ir_val x, ir_val y)
{
    return ir_op2(b, IR_fcc, type, x, y, cc);
}

ir_val ir_fcmpm(struct ir_builder *b, enum ir_type type, ir_val x, ir_val y, unsigned predicate)
{
    return ir_op2(b, IR_fcmpm, type, x, y, (uint16_t)predicate);
}

static uint16_t field(unsigned lsb, unsigned width)
{
    return (uint16_t)(lsb | width << 8);
}

ir_val ir_ubfx(struct ir_builder *b, enum ir_type type, ir_val a, unsigned lsb, unsigned width)
{
    return ir_op1(b, IR_ubfx, type, a, field(lsb, width));
}

ir_val ir_sbfx(struct ir_builder *b, enum ir_type type, ir_val a, unsigned lsb, unsigned width)
{
    return ir_op1(b, IR_sbfx, type, a, field(lsb, width));
}

ir_val ir_bfi(struct ir_builder *b, enum ir_type type, ir_val x, ir_val y, unsigned lsb,
              unsigned width)
{
    return ir_op2(b, IR_bfi, type, x, y, field(lsb, width));
}

void ir_insn_start(struct ir_builder *b, uint64_t pc, uint32_t aux)
{
    b->insn_pc = pc;
    b->region->ninsns++;
    build_append(b, (struct ir_insn){.op = IR_insn,
                                     .aux = (uint16_t)b->region->ninsns,
                                     .a = aux,
                                     .b = (uint32_t)pc,
                                     .c = (uint32_t)(pc >> 32)});
}

ir_val ir_ld(struct ir_builder *b, enum ir_type type, ir_val addr, uint16_t memop)
{
    return build_append(b, (struct ir_insn){.op = IR_ld, .type = type, .aux = memop, .a = addr});
}

void ir_st(struct ir_builder *b, enum ir_type type, ir_val addr, ir_val v, uint16_t memop)
{
    build_append(b, (struct ir_insn){.op = IR_st, .type = type, .aux = memop, .a = addr, .b = v});
}

ir_val ir_cas(struct ir_builder *b, enum ir_type type, ir_val addr, ir_val expected, ir_val desired,
              uint16_t memop)
{
    return build_append(
        b, (struct ir_insn){
               .op = IR_cas, .type = type, .aux = memop, .a = addr, .b = expected, .c = desired});
}

ir_val ir_atomic(struct ir_builder *b, enum ir_op op, enum ir_type type, ir_val addr, ir_val v,
                 uint16_t memop)
{
    return build_append(
        b, (struct ir_insn){.op = (uint8_t)op, .type = type, .aux = memop, .a = addr, .b = v});
}

void ir_fence(struct ir_builder *b)
{
    build_append(b, (struct ir_insn){.op = IR_fence});
}

ir_val ir_call(struct ir_builder *b, const struct ir_helper *helper, ir_val a0, ir_val a1,
               ir_val a2, ir_val a3)
{
    struct ir_call call = {helper, {a0, a1, a2, a3}};
    for (unsigned n = helper->nargs; n < 4; n++)
        call.args[n] = IR_NONE;
    if (!VEC_PUSH(&b->region->calls, call))
        b->region->oom = true;
    ir_val v = build_append(
        b, (struct ir_insn){.op = IR_call, .type = helper->ret, .a = b->region->calls.len - 1});
    if (helper->flags & IR_H_WRITES)
        known_forget_all(b);
    return v;
}

void ir_note(struct ir_builder *b, struct ir_note note)
{
    if (!VEC_PUSH(&b->region->notes, note))
        b->region->oom = true;
    build_append(b, (struct ir_insn){.op = IR_note, .a = b->region->notes.len - 1});
}
