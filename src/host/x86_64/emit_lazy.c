/* The guest's flags, kept as what they are the result of.
 *
 * Nearly every block ends with flags in the state that nobody ever reads. Packing them into a
 * nibble takes five instructions in a row; storing the operands of the comparison takes two that
 * nothing waits for. The frame therefore has, besides the slot in the state:
 *   a, b   operands of a difference or a sum, as A's upper half says: LAZY_SUB, LAZY_ADD, or
 *          LAZY_NONE when the slot holds the flags
 *   r      a result whose sign and zeroness are N and Z when byte 0 of B's upper half is 1, and in
 *          its upper half the value of C when byte 1 is 1
 * The runtime's settle routine packs them; it runs before anybody outside translated code can
 * look, and where a block reads the slot. */
#include "host/x86_64/emit.h"

static struct x_mem lazy_at(int32_t offset)
{
    return x_at(RSP, FRAME_FLAGS + offset);
}

static bool is_sum(const struct ir_insn *x)
{
    return (x->op == IR_nzcv_sub || x->op == IR_nzcv_add) && x->type == IR_I32 && x->c == IR_NONE;
}

static bool touches_flags(const struct host_emitter *e, uint32_t offset, uint8_t type)
{
    uint32_t flags = e->guest->flags_offset;
    return flags && offset < flags + 4 && flags < offset + ir_type_size(type);
}

bool lazy_is_flags(const struct host_emitter *e, uint32_t offset, uint8_t type)
{
    return e->guest->flags_offset && offset == e->guest->flags_offset && type == IR_I32;
}

/* Logical flags X as N and Z of X->a, C of *CARRY unless IR_NONE, and the rest of the result. */
static ir_val rest_of(const struct host_emitter *e, const struct ir_insn *x, ir_val base,
                      ir_val *carry)
{
    *carry = x->b;
    ir_val rest = x->c;
    while (rest != base && insn_of(e, rest)->op == IR_nzcv_logic) {
        if (*carry == IR_NONE)
            *carry = insn_of(e, rest)->b;
        rest = insn_of(e, rest)->c;
    }
    return rest;
}

/* How flags X can be put without packing, given that the slot or the operands hold BASE but for
 * what r overrides; and what they hold afterwards. */
static unsigned way_of(const struct host_emitter *e, ir_val v, ir_val *base)
{
    const struct ir_insn *x = insn_of(e, v);
    ir_val before = *base, carry;
    *base = v;
    if (is_sum(x))
        return VAL_LAZY | VAL_LAZY_SUM;
    if (x->op != IR_nzcv_logic || x->type != IR_I32 || is_const(e, x->a))
        return 0;
    ir_val rest = rest_of(e, x, before, &carry);
    if (rest != before && !is_sum(insn_of(e, rest)))
        return 0;
    *base = rest;
    return VAL_LAZY | (carry == IR_NONE ? 0 : VAL_LAZY_CARRY) | (rest == before ? 0 : VAL_LAZY_SUM);
}

void lazy_plan(struct host_emitter *e)
{
    ir_val base = NO_VALUE;
    if (!e->guest->flags_offset)
        return;
    for (ir_val v = 0; v < e->r->insns.len; v++) {
        const struct ir_insn *i = insn_of(e, v);
        if (i->op == IR_label || i->op == IR_call) {
            base = NO_VALUE;
        } else if (i->op == IR_get && touches_flags(e, i->a, i->type)) {
            base = i->type == IR_I32 ? v : NO_VALUE;
        } else if (i->op == IR_put && touches_flags(e, i->b, i->type)) {
            bool cold = v < e->r->marks.len && e->r->marks.at[v] & IR_MARK_COLD_PUT;
            ir_val before = base;
            if (!lazy_is_flags(e, i->b, i->type)) {
                base = NO_VALUE;
                continue;
            }
            e->values.at[v].flags |= (uint8_t)way_of(e, i->a, &base);
            if (cold && base != before)
                base = NO_VALUE;
        }
    }
}

/* The sum and the carry that a put of X stores. */
static const struct ir_insn *sum_of(const struct host_emitter *e, const struct ir_insn *x,
                                    ir_val *carry)
{
    *carry = IR_NONE;
    return is_sum(x) ? x : insn_of(e, rest_of(e, x, NO_VALUE, carry));
}

void lazy_uses(struct host_emitter *e, ir_val v, operand_fn *fn)
{
    const struct ir_insn *x = insn_of(e, insn_of(e, v)->a);
    unsigned way = e->values.at[v].flags;
    ir_val carry;
    const struct ir_insn *sum = sum_of(e, x, &carry);
    if (way & VAL_LAZY_SUM) {
        fn(e, v, sum->a);
        fn(e, v, sum->b);
    }
    if (!is_sum(x))
        fn(e, v, x->a);
    if (way & VAL_LAZY_CARRY)
        fn(e, v, carry);
}

static void store_sum(struct host_emitter *e, const struct ir_insn *x)
{
    int32_t a, b;
    bool add = x->op == IR_nzcv_add, a_imm = ra_imm32(e, x->a, &a), b_imm = ra_imm32(e, x->b, &b);
    /* a + b has the flags of a - -b, but for these two. */
    if (add && b_imm && b != 0 && b != INT32_MIN) {
        b = -b;
        add = false;
    }
    if (a_imm) {
        x_store_imm32(&e->a, 0, lazy_at(0), (uint32_t)a);
        if (!add)
            x_store_imm32(&e->a, 0, lazy_at(4), LAZY_SUB);
    } else {
        x_store(&e->a, X_W, lazy_at(0), ra_use(e, x->a)); /* zero-extended: LAZY_SUB */
    }
    if (add)
        x_store_imm32(&e->a, 0, lazy_at(4), LAZY_ADD);
    if (b_imm) {
        x_store_imm32(&e->a, b < 0 ? 0 : X_W, lazy_at(8), (uint32_t)b);
        if (b < 0)
            x_store_imm32(&e->a, 0, lazy_at(12), 0);
    } else {
        x_store(&e->a, X_W, lazy_at(8), ra_use(e, x->b));
    }
}

static void store_result(struct host_emitter *e, ir_val result, ir_val carry)
{
    uint32_t locked = e->locked;
    int32_t imm;
    x_store(&e->a, 0, lazy_at(16), ra_use(e, result));
    e->locked = locked;
    if (carry == IR_NONE) { /* a carry that has been stored stays */
        x_rm_imm(&e->a, 0xc6, 0, lazy_at(12), 1);
        asm_u8(&e->a, 1);
        return;
    }
    x_store_imm32(&e->a, 0, lazy_at(12), 0x101);
    if (ra_imm32(e, carry, &imm))
        x_store_imm32(&e->a, 0, lazy_at(20), (uint32_t)imm);
    else
        x_store(&e->a, 0, lazy_at(20), ra_use(e, carry));
    e->locked = locked;
}

void lazy_store(struct host_emitter *e, ir_val flags, unsigned way)
{
    const struct ir_insn *x = insn_of(e, flags);
    uint32_t locked = e->locked;
    ir_val carry;
    const struct ir_insn *sum = sum_of(e, x, &carry);
    if (way & VAL_LAZY_SUM)
        store_sum(e, sum);
    e->locked = locked;
    if (!is_sum(x))
        store_result(e, x->a, way & VAL_LAZY_CARRY ? carry : IR_NONE);
    if (!e->keep)
        e->settled = false;
}

/* The slot has just been stored. */
static void mark_settled(struct host_emitter *e)
{
    if (e->settled && !e->keep)
        return;
    x_store_imm32(&e->a, 0, lazy_at(4), LAZY_NONE);
    x_store_imm32(&e->a, 0, lazy_at(12), 0);
    if (!e->keep)
        e->settled = true;
}

void lazy_stored(struct host_emitter *e, uint32_t offset, uint8_t type)
{
    if (lazy_is_flags(e, offset, type))
        mark_settled(e);
}

void lazy_settle(struct host_emitter *e, uint32_t offset, uint8_t type)
{
    if (!touches_flags(e, offset, type) || (e->settled && !e->keep))
        return;
    e->a.flags = 0;
    if (e->keep) {
        x_call_to(&e->a, runtime_code(e, e->rt->settle));
        return;
    }
    struct stub *s = stub_add(e, STUB_FLAGS, e->cur);
    x_alu_mem_imm(&e->a, 0, X_CMP, lazy_at(4), -1);
    stub_jcc(e, s, X_NE);
    x_alu_mem_imm(&e->a, 0, X_CMP, lazy_at(12), 0);
    stub_jcc(e, s, X_NE);
    s->resume = asm_pos(&e->a);
    e->settled = true;
}
