/* Slots that stay in registers around a loop of one block: floats and vectors of the guest's state,
 * and the budget of a run that counts, where whoever waits for memory would wait in each round.
 *
 * A block that jumps back to itself reads them once, at its entry; the jump back arrives behind
 * these loads, with the same registers holding what the slots hold by then. Every put still stores,
 * so that faults and all other ways out find the state complete. */
#include <stddef.h>
#include "host/x86_64/emit.h"
#include "ir/vec.h"

static bool overlaps(uint32_t a, unsigned a_size, uint32_t b, unsigned b_size)
{
    return a < b + b_size && b < a + a_size;
}

/* The exit that goes back to the block's own entry, NO_REF: none. */
static uint32_t own_exit(const struct host_emitter *e)
{
    for (uint32_t n = 0; n < e->r->exits.len; n++) {
        const struct ir_exit *x = &e->r->exits.at[n];
        if (x->back_edge && x->pc == e->r->pc && x->mode == (e->r->mode | e->r->exit_mode))
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

/* The value that is the SIZE bytes of V from byte AT on, where V was put together from parts:
 * whoever reads a part does not wait for the whole. NO_VALUE: no value is. */
static ir_val part_of(const struct host_emitter *e, ir_val v, uint32_t at, unsigned size)
{
    for (;;) {
        const struct ir_insn *i = insn_of(e, v);
        unsigned low = i->aux == VEC_with_f32 || i->aux == VEC_pair32 ? 4 : 8;
        bool second = at >= low;
        if (!ir_op_is_vec(i->op) || at + size > 16)
            return at == 0 ? v : NO_VALUE;
        if (i->aux == VEC_zext128) {
            v = i->a;
            continue;
        }
        if (!second && at + size > low)
            return at == 0 ? v : NO_VALUE;
        switch (i->aux) {
        case VEC_with_f32:
        case VEC_with_f64: v = second ? i->a : i->b; continue;
        case VEC_pair32:
        case VEC_pair64:
            v = second ? i->b : i->a;
            at -= second ? low : 0;
            continue;
        default: return at == 0 ? v : NO_VALUE;
        }
    }
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
        bool whole = put && offset <= g->a && offset + width >= g->a + size;
        last = whole ? part_of(e, i->a, g->a - offset, size) : NO_VALUE;
    }
    if (last == NO_VALUE || is_const(e, last) ||
        type_in_xmm(ir_result_type(insn_of(e, last))) != type_in_xmm(g->type))
        return NO_VALUE;
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

/* General registers are few: only what is of use in every block gets one. */
static bool worth(const struct ir_insn *get)
{
    return type_in_xmm(get->type) || get->a == offsetof(struct nw_vcpu, budget);
}

static void choose(struct host_emitter *e, uint32_t end, bool changed)
{
    for (ir_val v = 0; v < end && e->ncarried < MAX_CARRIED; v++) {
        const struct ir_insn *i = insn_of(e, v);
        if (i->op != IR_get || !worth(i) || e->values.at[v].flags)
            continue;
        ir_val last = final_value(e, v, end);
        if (last != NO_VALUE && (last != v) == changed)
            e->carried[e->ncarried++] = (struct carried){.get = v, .last = last};
    }
}

static void load_slot(struct host_emitter *e, const struct ir_insn *get, unsigned loc)
{
    if (loc >= XMM(0))
        xmm_load(e, get->type, loc, state_at(get->a));
    else
        x_load(&e->a, width_of(get->type), loc, state_at(get->a));
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
        c->loc = (uint8_t)(type_in_xmm(i->type) ? ra_temp_xmm(e) : ra_temp(e));
        load_slot(e, i, c->loc);
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

/* The moves of a jump back that are still to be made, a bit each, and where they read. */
struct moves {
    unsigned from[MAX_CARRIED], left;
};

static unsigned readers(const struct moves *m, unsigned n, unsigned loc)
{
    unsigned found = 0;
    for (uint32_t others = m->left & ~(1u << n); others; others &= others - 1)
        if (m->from[__builtin_ctz(others)] == loc)
            found |= 1u << __builtin_ctz(others);
    return found;
}

/* Makes the moves that overwrite nothing which another one reads, in rounds. */
static void move_rounds(struct host_emitter *e, struct moves *m)
{
    for (uint32_t was = 0; m->left != was;) {
        was = m->left;
        for (uint32_t todo = m->left; todo; todo &= todo - 1) {
            unsigned n = (unsigned)__builtin_ctz(todo);
            const struct carried *c = &e->carried[n];
            if (m->from[n] == REG_NONE || readers(m, n, c->loc))
                continue;
            ra_move(e, c->loc, m->from[n], insn_of(e, c->get)->type);
            m->left &= ~(1u << n);
        }
    }
}

/* Takes the first register of a circle out of the way: whoever comes here needs no register but
 * these. */
static bool open_circle(struct host_emitter *e, struct moves *m)
{
    uint32_t used = 0;
    for (unsigned n = 0; n < e->ncarried; n++)
        used |= 1u << e->carried[n].loc | (m->from[n] == REG_NONE ? 0 : 1u << m->from[n]);
    uint32_t spare = ~used & 0xffffu << XMM(0);
    for (uint32_t todo = m->left; todo && spare; todo &= todo - 1) {
        unsigned n = (unsigned)__builtin_ctz(todo), to = (unsigned)__builtin_ctz(spare);
        unsigned who = readers(m, n, e->carried[n].loc);
        if (m->from[n] == REG_NONE || !who)
            continue;
        ra_move(e, to, e->carried[n].loc, IR_V256);
        for (; who; who &= who - 1)
            m->from[__builtin_ctz(who)] = to;
        return true;
    }
    return false;
}

void carry_back(struct host_emitter *e, uint32_t exit)
{
    struct moves m = {.left = exit == e->carry_exit ? (1u << e->ncarried) - 1 : 0};
    for (unsigned n = 0; n < e->ncarried; n++)
        m.from[n] = source(e, &e->carried[n]);
    do
        move_rounds(e, &m);
    while (open_circle(e, &m));
    for (; m.left; m.left &= m.left - 1) {
        const struct carried *c = &e->carried[__builtin_ctz(m.left)];
        load_slot(e, insn_of(e, c->get), c->loc);
    }
}
