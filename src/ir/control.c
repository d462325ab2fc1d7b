/* Skips, labels and exits while building.
 *
 * A skip on a constant makes no record: when it is taken, what follows up to its label cannot be
 * reached, as what follows an exit. Such records are added all the same, so that lifters hold valid
 * values, and cut off at the label. */
#include "ir/builder.h"

static void enter_dead(struct ir_builder *b, enum build_dead why, uint32_t label)
{
    if (b->dead)
        return;
    b->dead = why;
    b->dead_label = label;
    b->dead_pos = b->region->insns.len;
    b->dead_trail = b->trail.len;
    b->dead_exits = b->region->exits.len;
    b->dead_calls = b->region->calls.len;
}

/* Cuts the unreachable records off. */
static void cut_dead(struct ir_builder *b)
{
    known_restore(b, b->dead_trail);
    build_unshare(b, b->dead_pos);
    b->side.len = b->region->insns.len = b->dead_pos;
    b->region->exits.len = b->dead_exits;
    b->region->calls.len = b->dead_calls;
    b->dead = BUILD_ALIVE;
}

void ir_end(struct ir_builder *b)
{
    if (b->dead)
        cut_dead(b);
}

bool ir_ended(struct ir_builder *b)
{
    return b->dead != BUILD_ALIVE;
}

uint32_t ir_label_new(struct ir_builder *b)
{
    if (!VEC_PUSH(&b->labels, ((struct build_label){.floor = IR_NONE}))) {
        b->region->oom = true;
        return UINT32_MAX;
    }
    b->region->nlabels = b->labels.len;
    return b->labels.len - 1;
}

/* Adds a jump from here to LABEL. */
static void add_skip(struct ir_builder *b, enum ir_op op, ir_val cond, uint32_t label)
{
    struct build_label *l = &b->labels.at[label];
    if (l->skips++ == 0) {
        l->first_pos = b->region->insns.len;
        l->first_trail = b->trail.len;
        b->pending++;
    }
    l->last_trail = b->trail.len;
    build_append(b, (struct ir_insn){.op = op, .a = cond, .b = label});
}

static void skip(struct ir_builder *b, enum ir_op op, ir_val cond, uint32_t label)
{
    uint64_t bits;
    if (label >= b->labels.len || b->dead)
        return;
    if (!ir_is_const(b, cond, &bits))
        add_skip(b, op, cond, label);
    else if ((bits != 0) == (op == IR_skip_if))
        enter_dead(b, BUILD_DEAD_SKIP, label);
}

void ir_skip_if(struct ir_builder *b, ir_val cond, uint32_t label)
{
    skip(b, IR_skip_if, cond, label);
}

void ir_skip_ifnot(struct ir_builder *b, ir_val cond, uint32_t label)
{
    skip(b, IR_skip_ifnot, cond, label);
}

/* The label at L ends the values made since its first jump, also for labels still to come. */
static void end_values(struct ir_builder *b, const struct build_label *l)
{
    build_unshare(b, l->first_pos);
    for (uint32_t n = 0; n < b->labels.len; n++) {
        struct build_label *other = &b->labels.at[n];
        if (other->skips && !other->placed && other->floor > l->first_pos)
            other->floor = l->first_pos;
    }
}

/* Makes what is known right for a label that is jumped to; FALLS: it is also reached from above. */
static void join(struct ir_builder *b, struct build_label *l, bool falls)
{
    uint32_t end = b->trail.len;
    if (falls) {
        known_forget_since(b, l->first_trail, end);
    } else {
        known_restore(b, l->first_trail);
        known_forget_since(b, l->first_trail, l->last_trail);
        if (l->floor != IR_NONE)
            known_forget_values(b, l->floor);
    }
    l->placed = true;
    end_values(b, l);
    b->pending--;
}

void ir_label(struct ir_builder *b, uint32_t label)
{
    if (label >= b->labels.len)
        return;
    bool falls = true;
    if (b->dead == BUILD_DEAD_SKIP && b->dead_label == label) {
        cut_dead(b);
    } else if (b->dead) {
        if (b->labels.at[label].skips == 0)
            return; /* nobody jumps here: still unreachable */
        bool jump = b->dead == BUILD_DEAD_SKIP;
        uint32_t target = b->dead_label;
        cut_dead(b);
        if (jump) /* the constant skip passes over this label: it needs a record after all */
            add_skip(b, IR_skip_if, ir_const32(b, 1), target);
        falls = false;
    }
    if (b->labels.at[label].skips) {
        join(b, &b->labels.at[label], falls);
        build_append(b, (struct ir_insn){.op = IR_label, .a = label});
    }
    if (b->pending == 0)
        VEC_CLEAR(&b->trail);
}

static uint32_t add_exit(struct ir_builder *b, uint64_t pc, uint32_t mode)
{
    struct ir_exit e = {.pc = pc, .mode = mode, .back_edge = pc <= b->insn_pc};
    if (!VEC_PUSH(&b->region->exits, e))
        b->region->oom = true;
    return b->region->exits.len - 1;
}

void ir_exit_if(struct ir_builder *b, ir_val cond, uint64_t pc, uint32_t mode)
{
    uint64_t bits;
    if (ir_is_const(b, cond, &bits)) {
        if (bits)
            ir_exit(b, pc, mode);
        return;
    }
    build_append(b, (struct ir_insn){.op = IR_exit_if, .a = cond, .b = add_exit(b, pc, mode)});
}

static void add_last(struct ir_builder *b, struct ir_insn i)
{
    build_append(b, i);
    enter_dead(b, BUILD_DEAD_EXIT, 0);
}

void ir_exit(struct ir_builder *b, uint64_t pc, uint32_t mode)
{
    add_last(b, (struct ir_insn){.op = IR_exit, .a = add_exit(b, pc, mode)});
}

void ir_exit_ind(struct ir_builder *b, ir_val pc, ir_val mode)
{
    add_last(b, (struct ir_insn){.op = IR_exit_ind, .a = pc, .b = mode});
}

void ir_exit_exc(struct ir_builder *b, uint32_t exception, uint32_t payload, unsigned advance)
{
    add_last(b, (struct ir_insn){
                    .op = IR_exit_exc, .aux = (uint16_t)advance, .a = exception, .b = payload});
}

void ir_leave_if(struct ir_builder *b, ir_val cond)
{
    build_append(b, (struct ir_insn){.op = IR_leave_if, .a = cond});
}

void ir_exit_state(struct ir_builder *b)
{
    add_last(b, (struct ir_insn){.op = IR_exit_state});
}
