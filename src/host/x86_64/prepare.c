/* The backward walk before emission. */
#include "host/x86_64/emit.h"

#include "ir/shape.h"

void for_operands(struct host_emitter *e, ir_val user, operand_fn *fn)
{
    const struct ir_insn *i = insn_of(e, user);
    unsigned values = ir_shapes[i->op].values;
    if (values & 1)
        fn(e, user, i->a);
    if (values & 2 && i->b != IR_NONE)
        fn(e, user, i->b);
    if (values & 4 && i->c != IR_NONE)
        fn(e, user, i->c);
    if (i->op == IR_call) {
        const struct ir_call *c = &e->r->calls.at[i->a];
        for (unsigned n = 0; n < c->helper->nargs; n++)
            fn(e, user, c->args[n]);
    }
}

static bool marked(const struct host_emitter *e, ir_val v, enum ir_mark mark)
{
    return v < e->r->marks.len && e->r->marks.at[v] & mark;
}

/* May an access have the constant as its displacement? Of a 32-bit guest it must stay in the guard
 * zones, of a 64-bit guest a signed 32-bit offset with the access's size added. */
static bool displaces(const struct ir_insn *c, uint8_t type)
{
    int64_t bits = (int64_t)ir_const_bits(c);
    if (type == IR_I32)
        return c->b + 0xffff < 0x1ffff;
    return bits >= INT32_MIN && bits < INT32_MAX - 64;
}

/* Can USER take the first operand as a condition or an address without a register for it? */
static bool fuses(const struct host_emitter *e, const struct ir_insn *user, ir_val operand)
{
    const struct ir_insn *i = insn_of(e, operand);
    switch (i->op) {
    case IR_cmp:
    case IR_fcc:
    case IR_nzcv_test:
        return user->op == IR_select || user->op == IR_skip_if || user->op == IR_skip_ifnot ||
               user->op == IR_exit_if || user->op == IR_leave_if;
    case IR_add:
        /* A 32-bit sum wraps, which one of a 64-bit address does not; a 32-bit address must be
         * zero-extended, which a wider operand is not (widths.c). */
        return ir_shapes[user->op].effects & IR_E_FAULT && is_const(e, i->b) &&
               displaces(insn_of(e, i->b), i->type) && i->type == e->r->addr_type &&
               (i->type == IR_I64 || ir_result_type(insn_of(e, i->a)) == IR_I32);
    default: return false;
    }
}

/* A shift that can be the index of an address sum. */
static bool scales(const struct host_emitter *e, const struct ir_insn *user, ir_val operand)
{
    const struct ir_insn *i = insn_of(e, operand);
    return user->op == IR_add && user->b == operand && user->a != operand && i->op == IR_shl &&
           i->type == user->type && is_const(e, i->b) && insn_of(e, i->b)->b - 1 < 3 &&
           !is_const(e, user->a);
}

static void count_use(struct host_emitter *e, ir_val user, ir_val operand)
{
    struct value *x = &e->values.at[operand], *u = &e->values.at[user];
    const struct ir_insn *i = insn_of(e, user);
    uint32_t last = u->flags & (VAL_FUSED | VAL_COLD) ? u->last_use : user;
    if (last > x->last_use)
        x->last_use = last;
    if (x->uses < UINT16_MAX)
        x->uses++;
    if (scales(e, i, operand))
        x->fusable_uses++;
    else if (i->a == operand && !(ir_shapes[i->op].values & 2 && i->b == operand) &&
             fuses(e, i, operand) && !(i->op == IR_select && i->c == operand) &&
             !(i->op == IR_cas && i->c == operand))
        x->fusable_uses++;
}

/* An early write of a pinned register that overlaps would be seen here. */
static void forbid_slot(struct host_emitter *e, uint32_t offset, unsigned size)
{
    for (uint32_t left = ra_pins_over(e, offset, size); left; left &= left - 1)
        e->pin_age[__builtin_ctz(left)]++;
}

/* A cold put is needed up to the last access that may fault before the slot is overwritten. */
static uint32_t last_fault(const struct host_emitter *e, ir_val put)
{
    const struct ir_insn *p = insn_of(e, put);
    uint32_t last = 0;
    for (ir_val v = put + 1; v < e->r->insns.len; v++) {
        const struct ir_insn *i = insn_of(e, v);
        unsigned effects = ir_shapes[i->op].effects;
        if (effects & IR_E_FAULT)
            last = v;
        if (effects & IR_E_CONTROL)
            break;
        if (i->op != IR_put && i->op != IR_drop)
            continue;
        unsigned size = ir_type_size(i->type), width = ir_type_size(p->type);
        uint32_t offset = i->op == IR_put ? i->b : i->a;
        if (offset <= p->b && offset + size >= p->b + width)
            break;
        if (offset < p->b + width && p->b < offset + size)
            last = v; /* stored for good before a part is overwritten */
    }
    return last;
}

static void use_put(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    if (e->values.at[v].flags & VAL_LAZY)
        lazy_uses(e, v, count_use);
    else
        count_use(e, v, i->a);
}

static void prepare_put(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    struct value *self = &e->values.at[v], *x = &e->values.at[i->a];
    unsigned size = ir_type_size(i->type), pin = ra_pin_of(e, i->b, i->type);
    if (marked(e, v, IR_MARK_COLD_PUT)) {
        self->flags |= VAL_COLD;
        self->last_use = last_fault(e, v);
        if (self->last_use)
            use_put(e, v, i);
        return;
    }
    forbid_slot(e, i->b, size);
    use_put(e, v, i);
    if (pin != REG_NONE && !is_const(e, i->a)) {
        x->pin = (uint8_t)pin;
        x->pin_age = e->pin_age[pin] + e->all_age;
    }
}

/* Flags whose operands are stored, what only they would read, and changes of width that nobody
 * needs (widths.c). */
static bool unused(const struct value *x, const struct ir_insn *i)
{
    if (x->uses)
        return false;
    switch (i->op) {
    case IR_nzcv_sub:
    case IR_nzcv_add:
    case IR_nzcv_logic:
    case IR_get:
    case IR_zext:
    case IR_trunc: return true;
    default: return false;
    }
}

static void prepare_value(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    struct value *x = &e->values.at[v];
    if (unused(x, i)) {
        x->flags |= VAL_FUSED;
        return;
    }
    if (x->pin != NO_PIN && x->pin_age != e->pin_age[x->pin] + e->all_age)
        x->pin = NO_PIN;
    if (marked(e, v, IR_MARK_COLD_VALUE) && !vector_stays_hot(e, i))
        x->flags |= VAL_COLD;
    else if (x->fusable_uses && x->fusable_uses == x->uses &&
             (i->op == IR_cmp || i->op == IR_fcc || i->op == IR_nzcv_test || i->op == IR_add ||
              i->op == IR_shl))
        x->flags |= VAL_FUSED;
    if (x->flags)
        x->pin = NO_PIN;
    if (!(x->flags & VAL_COLD) || x->last_use)
        for_operands(e, v, count_use);
}

void emit_prepare(struct host_emitter *e)
{
    lazy_plan(e);
    for (ir_val v = e->r->insns.len; v-- > 0;) {
        const struct ir_insn *i = insn_of(e, v);
        unsigned effects = ir_shapes[i->op].effects;
        if (i->op == IR_label)
            e->labels.at[i->a].at = v;
        if (i->op == IR_put) {
            prepare_put(e, v, i);
            continue;
        }
        prepare_value(e, v, i);
        if (effects & (IR_E_FAULT | IR_E_CONTROL) || i->op == IR_call)
            e->all_age++; /* an early write of any pinned register would be seen */
        else if (i->op == IR_get)
            forbid_slot(e, i->a, ir_type_size(i->type));
    }
}
