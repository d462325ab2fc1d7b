/* Counting instructions, for runs that end after an exact number of them, and the accesses of each
 * instruction, for hooks that must not be called twice. */
#include <stddef.h>
#include "exec/engine.h"
#include "exec/hooks.h"

struct rewrite {
    struct ir_region out;
    ir_val *now;       /* by old index */
    ir_val left;       /* of the budget behind all of the block's instructions */
    unsigned what;     /* enum count_what */
    uint32_t accesses; /* of the instruction so far */
    bool ok;
};

static ir_val push(struct rewrite *w, struct ir_insn i)
{
    w->ok = w->ok && VEC_PUSH(&w->out.insns, i);
    return w->out.insns.len - 1;
}

static ir_val constant(struct rewrite *w, uint8_t type, uint64_t bits)
{
    return push(
        w, (struct ir_insn){
               .op = IR_const, .type = type, .b = (uint32_t)bits, .c = (uint32_t)(bits >> 32)});
}

static void put(struct rewrite *w, uint8_t type, uint32_t offset, ir_val v)
{
    push(w, (struct ir_insn){.op = IR_put, .type = type, .a = v, .b = offset});
}

static uint32_t moved(const struct rewrite *w, char letter, uint32_t operand)
{
    if (letter != 'v' && letter != 'o')
        return operand;
    return operand == IR_NONE ? IR_NONE : w->now[operand];
}

/* A put per instruction: the dead-put pass leaves the last one before each way out. */
static void count_one(struct rewrite *w, const struct ir_region *r, uint32_t n)
{
    ir_val left = w->left;

    if (!(w->what & COUNT_INSNS))
        return;
    if (n < r->ninsns)
        left = push(w, (struct ir_insn){.op = IR_add,
                                        .type = IR_I64,
                                        .a = left,
                                        .b = constant(w, IR_I64, r->ninsns - n)});
    put(w, IR_I64, offsetof(struct nw_vcpu, budget), left);
}

/* The same ones however an instruction is translated: other calls may be left out, as flags that
 * nobody needs are, and hooks where it is run again. */
static bool accesses(const struct ir_region *r, const struct ir_insn *i)
{
    if (i->op == IR_call) {
        const struct ir_helper *h = r->calls.at[i->a].helper;

        return h->flags & IR_H_EXITS && !(h->flags & IR_H_HOOK) && h->fn != hooks_compare;
    }
    return ir_rows[i->op].effects & IR_E_FAULT;
}

/* More than any helper makes by itself. */
#define ACCESSES_OF_ONE 0x1000u

/* Only the slow path looks: the dead-put pass moves these into its stubs. */
static void number_access(struct rewrite *w, uint32_t n)
{
    if (w->what & COUNT_ACCESSES)
        put(w, IR_I32, offsetof(struct nw_vcpu, access_index),
            constant(w, IR_I32, n * ACCESSES_OF_ONE));
}

/* Where the block CHECKs it is left before anything is done when it has more instructions than the
 * budget: the difference has wrapped then. */
static void begin(struct rewrite *w, const struct ir_region *r, bool check)
{
    ir_val budget =
        push(w, (struct ir_insn){
                    .op = IR_get, .type = IR_I64, .a = (uint32_t)offsetof(struct nw_vcpu, budget)});

    w->left = push(
        w, (struct ir_insn){
               .op = IR_sub, .type = IR_I64, .a = budget, .b = constant(w, IR_I64, r->ninsns)});
    if (!check || !r->ninsns)
        return;
    ir_val wrapped = push(w, (struct ir_insn){.op = IR_cmp,
                                              .type = IR_I64,
                                              .aux = IR_UGE,
                                              .a = w->left,
                                              .b = constant(w, IR_I64, -(uint64_t)r->ninsns)});
    push(w, (struct ir_insn){.op = IR_leave_if, .a = wrapped});
}

static void note_block(struct rewrite *w, const struct ir_region *r)
{
    put(w, IR_I64, offsetof(struct nw_vcpu, last_block), constant(w, IR_I64, r->pc));
    put(w, IR_I32, offsetof(struct nw_vcpu, last_mode), constant(w, IR_I32, r->mode));
}

/* Indirect jumps and paged exits look only for blocks that count too. */
static ir_val mark_mode(struct rewrite *w, ir_val mode)
{
    const struct ir_insn *i = &w->out.insns.at[mode];

    if (!w->ok)
        return mode;
    if (i->op == IR_const)
        return constant(w, IR_I32, i->b | JUMP_COUNTED);
    ir_val bit = constant(w, IR_I32, JUMP_COUNTED);
    return push(w, (struct ir_insn){.op = IR_or, .type = IR_I32, .a = mode, .b = bit});
}

static void move_call(const struct rewrite *w, struct ir_call *call)
{
    for (unsigned k = 0; k < call->helper->nargs; k++)
        call->args[k] = w->now[call->args[k]];
}

static void rewrite(struct rewrite *w, struct ir_region *r)
{
    uint32_t n = 0;

    for (uint32_t at = 0; at < r->insns.len && w->ok; at++) {
        struct ir_insn i = r->insns.at[at];
        const char *letters = ir_rows[i.op].operands;

        i.a = moved(w, letters[0], i.a);
        i.b = moved(w, letters[1], i.b);
        i.c = moved(w, letters[2], i.c);
        /* Instructions that can never run have no record: the last ones may be such. */
        if (at == r->insns.len - 1)
            count_one(w, r, r->ninsns);
        if (i.op == IR_exit_ind && w->what & COUNT_INSNS)
            i.b = mark_mode(w, i.b);
        if (accesses(r, &i) && w->accesses++)
            number_access(w, w->accesses - 1);
        w->now[at] = push(w, i);
        if (i.op == IR_insn) {
            count_one(w, r, n = i.aux);
            number_access(w, w->accesses = 0);
        }
        /* Whole instructions may have been skipped, with their puts: they count all the same. */
        if (i.op == IR_label && n)
            count_one(w, r, n);
        if (i.op == IR_call)
            move_call(w, &r->calls.at[i.a]);
    }
}

bool count_in(struct ir_region *r, unsigned what)
{
    struct rewrite w = {.what = what, .ok = true};

    w.now = malloc((r->insns.len + 1) * sizeof *w.now);
    if (!w.now)
        return false;
    if (what & COUNT_INSNS)
        begin(&w, r, what & COUNT_CHECK);
    if (what & COUNT_BLOCKS)
        note_block(&w, r);
    rewrite(&w, r);
    free(w.now);
    if (!w.ok) {
        VEC_FREE(&w.out.insns);
        return false;
    }
    r->bounded = what & COUNT_CHECK;
    r->exit_mode = what & COUNT_INSNS ? JUMP_COUNTED : 0;
    for (uint32_t n = 0; n < r->exits.len; n++)
        r->exits.at[n].mode |= r->exit_mode;
    VEC_FREE(&r->insns);
    r->insns.at = w.out.insns.at;
    r->insns.len = w.out.insns.len;
    r->insns.cap = w.out.insns.cap;
    return true;
}
