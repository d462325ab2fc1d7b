/* The backward walk: what nobody sees is removed, what only a fault sees is marked cold.
 *
 * For each word of guest state, and of the slots beside it, the walk keeps the position of the put
 * that overwrites it next. A put is dead when no observer lies between it and that next put; it is
 * cold when only memory operations, which may fault, lie between. Exits, calls that touch state,
 * skips, labels and hooked accesses observe everything; a get observes what it overlaps; a drop
 * overwrites with nothing. */
#include "ir/pass.h"

#include <string.h>
#include "exec/vcpu.h"
#include "ir/shape.h"

#define WORDS     ((VCPU_STATE_SIZE + VCPU_SLOTS_END - VCPU_SLOTS) / 4)
#define NO_PUT    0 /* positions are counted from 1 */
#define FAR_AHEAD UINT32_MAX

/* What is known of a record while walking; kept in region->marks. */
enum {
    USED_COLD = 1 << 6, /* cold puts or cold values use it */
    KEPT = 1 << 7
};

struct walk {
    struct ir_region *r;
    uint32_t observer; /* the nearest observer of everything after the current record */
    uint32_t fault;    /* the nearest memory operation */
    uint32_t spare;    /* one past the last record */
    uint32_t next_put[WORDS];
};

static bool words_of(uint32_t offset, uint8_t type, uint32_t *first, uint32_t *last)
{
    unsigned size = ir_type_size(type);
    uint32_t at = offset, end = VCPU_STATE_SIZE;
    if (offset >= VCPU_SLOTS) {
        at = VCPU_STATE_SIZE + (offset - (uint32_t)VCPU_SLOTS);
        end = 4 * WORDS;
    }
    if (at >= end || at + size > end)
        return false;
    *first = at / 4;
    *last = (at + size - 1) / 4;
    return true;
}

static void see_get(struct walk *w, const struct ir_insn *i)
{
    uint32_t first, last;
    if (!words_of(i->a, i->type, &first, &last))
        return;
    for (uint32_t n = first; n <= last; n++)
        w->next_put[n] = NO_PUT;
}

enum put_fate { PUT_HOT, PUT_COLD, PUT_DEAD };

static enum put_fate see_put(struct walk *w, const struct ir_insn *i, uint32_t at)
{
    uint32_t first, last;
    enum put_fate fate = PUT_DEAD;
    if (!words_of(i->b, i->type, &first, &last))
        return PUT_HOT;
    bool whole = i->b % 4 == 0 && ir_type_size(i->type) >= 4;
    for (uint32_t n = first; n <= last; n++) {
        uint32_t next = w->next_put[n];
        if (next == NO_PUT || w->observer < next)
            fate = PUT_HOT;
        else if (w->fault < next && fate == PUT_DEAD)
            fate = PUT_COLD;
        if (whole)
            w->next_put[n] = at;
    }
    return fate;
}

static void use_cold(struct walk *w, const struct ir_insn *i)
{
    unsigned values = ir_shapes[i->op].values;
    if (values & 1)
        w->r->marks.at[i->a] |= USED_COLD;
    if (values & 2 && i->b != IR_NONE)
        w->r->marks.at[i->b] |= USED_COLD;
    if (values & 4 && i->c != IR_NONE)
        w->r->marks.at[i->c] |= USED_COLD;
}

/* Operands that are no values count for the spare element, which costs no jumps. */
static void use_hot(struct walk *w, const struct ir_insn *i)
{
    unsigned values = ir_shapes[i->op].values;
    uint32_t *uses = w->r->uses.at, spare = w->spare;
    uses[values & 1 ? i->a : spare]++;
    uses[values & 2 && i->b != IR_NONE ? i->b : spare]++;
    uses[values & 4 && i->c != IR_NONE ? i->c : spare]++;
}

static void keep(struct walk *w, const struct ir_insn *i, uint32_t v)
{
    w->r->marks.at[v] |= KEPT;
    use_hot(w, i);
}

static void walk_put(struct walk *w, const struct ir_insn *i, uint32_t v)
{
    uint8_t *mark = &w->r->marks.at[v];
    switch (see_put(w, i, v + 1)) {
    case PUT_HOT: keep(w, i, v); break;
    case PUT_COLD:
        *mark |= KEPT | IR_MARK_COLD_PUT;
        use_cold(w, i);
        break;
    default: break;
    }
}

static void walk_pure(struct walk *w, const struct ir_insn *i, uint32_t v)
{
    uint8_t *mark = &w->r->marks.at[v];
    if (w->r->uses.at[v]) {
        keep(w, i, v);
    } else if (*mark & USED_COLD) {
        *mark |= KEPT | IR_MARK_COLD_VALUE;
        use_cold(w, i);
    }
}

static void walk_call(struct walk *w, const struct ir_insn *i, uint32_t v)
{
    const struct ir_call *call = &w->r->calls.at[i->a];
    unsigned flags = call->helper->flags;
    if (flags == IR_H_PURE && !w->r->uses.at[v] && !(w->r->marks.at[v] & USED_COLD))
        return;
    if (flags & (IR_H_READS | IR_H_WRITES | IR_H_EXITS))
        w->observer = v + 1;
    w->r->marks.at[v] |= KEPT;
    for (unsigned n = 0; n < call->helper->nargs; n++)
        w->r->uses.at[call->args[n]]++;
}

/* The slot counts as overwritten here. */
static void walk_drop(struct walk *w, const struct ir_insn *i, uint32_t v)
{
    uint32_t first, last;
    w->r->marks.at[v] |= KEPT;
    if (i->a % 4 || ir_type_size(i->type) < 4 || !words_of(i->a, i->type, &first, &last))
        return;
    for (uint32_t n = first; n <= last; n++)
        w->next_put[n] = v + 1;
}

static void walk_record(struct walk *w, uint32_t v)
{
    const struct ir_insn *i = &w->r->insns.at[v];
    unsigned effects = ir_shapes[i->op].effects;
    switch (i->op) {
    case IR_put: walk_put(w, i, v); return;
    case IR_get:
        if (w->r->uses.at[v] || w->r->marks.at[v] & USED_COLD) {
            keep(w, i, v);
            see_get(w, i);
        }
        return;
    case IR_drop: walk_drop(w, i, v); return;
    case IR_call: walk_call(w, i, v); return;
    default: break;
    }
    if (ir_is_pure(i->op)) {
        walk_pure(w, i, v);
        return;
    }
    keep(w, i, v);
    if (effects & IR_E_FAULT)
        w->fault = v + 1;
    if (effects & IR_E_CONTROL || ir_is_hooked(w->r, i))
        w->observer = v + 1;
}

static void renumber(const struct ir_region *r, struct ir_insn *i)
{
    unsigned values = ir_shapes[i->op].values;
    const uint32_t *to = r->remap.at;
    bool a = values & 1, b = values & 2 && i->b != IR_NONE, c = values & 4 && i->c != IR_NONE;
    uint32_t na = to[a ? i->a : 0], nb = to[b ? i->b : 0], nc = to[c ? i->c : 0];
    i->a = a ? na : i->a;
    i->b = b ? nb : i->b;
    i->c = c ? nc : i->c;
    if (i->op == IR_call) {
        struct ir_call *call = &r->calls.at[i->a];
        for (unsigned n = 0; n < call->helper->nargs; n++)
            call->args[n] = to[call->args[n]];
    }
}

/* Closes the gaps. */
static void compact(struct ir_region *r)
{
    uint32_t out = 0;
    for (uint32_t v = 0; v < r->insns.len; v++) {
        if (!(r->marks.at[v] & KEPT))
            continue;
        r->remap.at[v] = out;
        r->insns.at[out] = r->insns.at[v];
        renumber(r, &r->insns.at[out]);
        r->marks.at[out] = r->marks.at[v] & (IR_MARK_COLD_PUT | IR_MARK_COLD_VALUE);
        r->uses.at[out] = r->uses.at[v];
        out++;
    }
    r->insns.len = r->marks.len = r->uses.len = out;
}

static bool make_room(void **at, uint32_t *cap, uint32_t want, size_t size)
{
    if (*cap >= want)
        return true;
    void *bigger = realloc(*at, want * size);
    if (!bigger)
        return false;
    *at = bigger;
    *cap = want;
    return true;
}

nw_status ir_pass_dead(struct ir_region *r)
{
    uint32_t n = r->insns.len, room = r->insns.cap + 1;
    if (!make_room((void **)&r->marks.at, &r->marks.cap, room, sizeof *r->marks.at) ||
        !make_room((void **)&r->uses.at, &r->uses.cap, room, sizeof *r->uses.at) ||
        !make_room((void **)&r->remap.at, &r->remap.cap, room, sizeof *r->remap.at))
        return NW_ERR_NOMEM;
    if (n == 0)
        return NW_OK;
    r->marks.len = r->uses.len = n;
    memset(r->marks.at, 0, n * sizeof *r->marks.at);
    memset(r->uses.at, 0, (n + 1) * sizeof *r->uses.at);

    struct walk w = {.r = r, .observer = FAR_AHEAD, .fault = FAR_AHEAD, .spare = n};
    for (uint32_t v = n; v-- > 0;)
        walk_record(&w, v);
    compact(r);
    return NW_OK;
}
