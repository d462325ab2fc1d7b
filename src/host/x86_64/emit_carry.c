/* Vector slots of the guest's state that stay in registers around a loop of one block.
 *
 * A block that jumps back to itself reads them once, at its entry; the jump back arrives behind
 * these loads, with the same registers holding what the slots hold by then. Every put still stores,
 * so that faults and all other ways out find the state complete. */
#include "host/x86_64/emit.h"

static bool overlaps(uint32_t a, unsigned a_size, uint32_t b, unsigned b_size)
{
    return a < b + b_size && b < a + a_size;
}

/* The exit that goes back to the block's own entry, NO_REF: none. */
static uint32_t own_exit(const struct host_emitter *e)
{
    for (uint32_t n = 0; n < e->r->exits.len; n++) {
        const struct ir_exit *x = &e->r->exits.at[n];
        if (x->back_edge && x->pc == e->r->pc && x->mode == e->r->mode)
            return n;
    }
    return NO_REF;
}

static uint32_t record_of(const struct host_emitter *e, uint32_t exit)
{
    for (ir_val v = e->r->insns.len; v-- > 0;) {
        const struct ir_insn *i = insn_of(e, v);
        if ((i->op == IR_exit_if && i->b == exit) || (i->op == IR_exit && i->a == exit))
            return v;
    }
    return NO_REF;
}

/* What GET's slot holds at record END: NO_VALUE when no register of one value does. */
static ir_val final_value(const struct host_emitter *e, ir_val get, uint32_t end)
{
    const struct ir_insn *g = insn_of(e, get);
    unsigned size = ir_type_size(g->type);
    ir_val last = get;
    for (ir_val v = 0; v < end; v++) {
        const struct ir_insn *i = insn_of(e, v);
        bool put = i->op == IR_put;
        if (!put && i->op != IR_drop)
            continue;
        unsigned width = ir_type_size(i->type);
        uint32_t offset = put ? i->b : i->a;
        if (!overlaps(offset, width, g->a, size))
            continue;
        if (v < get)
            return NO_VALUE;
        last = put && offset == g->a && width >= size && !is_const(e, i->a) &&
                       type_in_xmm(ir_result_type(insn_of(e, i->a)))
                   ? i->a
                   : NO_VALUE;
    }
    return last;
}

/* Does the block do something that the walk above does not see? */
static bool opaque(const struct host_emitter *e, uint32_t end)
{
    for (ir_val v = 0; v < end; v++) {
        const struct ir_insn *i = insn_of(e, v);
        if (i->op == IR_call && e->r->calls.at[i->a].helper->flags & IR_H_WRITES)
            return true;
    }
    return e->r->nlabels > 0;
}

static void choose(struct host_emitter *e, uint32_t end, bool changed)
{
    for (ir_val v = 0; v < end && e->ncarried < MAX_CARRIED; v++) {
        const struct ir_insn *i = insn_of(e, v);
        if (i->op != IR_get || !type_in_xmm(i->type) || e->values.at[v].flags)
            continue;
        ir_val last = final_value(e, v, end);
        if (last != NO_VALUE && (last != v) == changed)
            e->carried[e->ncarried++] = (struct carried){.get = v, .last = last};
    }
}

void carry_begin(struct host_emitter *e)
{
    uint32_t exit = e->opt->chain ? own_exit(e) : NO_REF;
    uint32_t end = exit == NO_REF ? NO_REF : record_of(e, exit);
    e->cur = 0;
    e->ncarried = 0;
    e->carry_exit = exit;
    if (end == NO_REF || opaque(e, end))
        return;
    choose(e, end, true);
    choose(e, end, false);
    for (unsigned n = 0; n < e->ncarried; n++) {
        struct carried *c = &e->carried[n];
        const struct ir_insn *i = insn_of(e, c->get);
        struct value *last = &e->values.at[c->last];
        e->locked = 0;
        c->loc = (uint8_t)ra_temp_xmm(e);
        xmm_load(e, i->type, c->loc, state_at(i->a));
        ra_bind(e, c->get, c->loc);
        home_set(e, c->get, i->a);
        if (last->last_use < end)
            last->last_use = end;
    }
    if (e->ncarried)
        e->out->exits[exit].entry = asm_pos(&e->a);
}

/* Where C's value is now: its own register, another one, or REG_NONE: the slot only. */
static unsigned source(const struct host_emitter *e, const struct carried *c)
{
    uint32_t where = e->values.at[c->last].where;
    if (where >> c->loc & 1)
        return c->loc;
    return where ? (unsigned)__builtin_ctz(where) : REG_NONE;
}

/* Moves that overwrite nothing which another one reads, in rounds; those that cannot be ordered, a
 * circle's, read the slot. */
void carry_back(struct host_emitter *e, uint32_t exit)
{
    unsigned from[MAX_CARRIED], left = exit == e->carry_exit ? (1u << e->ncarried) - 1 : 0, was = 0;
    for (unsigned n = 0; n < e->ncarried; n++)
        from[n] = source(e, &e->carried[n]);
    while (left != was) {
        was = left;
        for (uint32_t todo = left; todo; todo &= todo - 1) {
            unsigned n = (unsigned)__builtin_ctz(todo), readers = 0;
            for (uint32_t others = left & ~(1u << n); others; others &= others - 1)
                readers += from[__builtin_ctz(others)] == e->carried[n].loc;
            if (readers || from[n] == REG_NONE)
                continue;
            ra_move(e, e->carried[n].loc, from[n], insn_of(e, e->carried[n].get)->type);
            left &= ~(1u << n);
        }
    }
    for (; left; left &= left - 1) {
        const struct carried *c = &e->carried[__builtin_ctz(left)];
        const struct ir_insn *i = insn_of(e, c->get);
        xmm_load(e, i->type, c->loc, state_at(i->a));
    }
}
