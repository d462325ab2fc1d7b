/* Counting instructions: for runs that end after an exact number of them. */
#include <stddef.h>
#include "exec/engine.h"

struct rewrite {
    struct ir_region out;
    ir_val *now; /* by old index */
    bool ok;
};

static ir_val push(struct rewrite *w, struct ir_insn i)
{
    w->ok = w->ok && VEC_PUSH(&w->out.insns, i);
    return w->out.insns.len - 1;
}

static uint32_t moved(const struct rewrite *w, char letter, uint32_t operand)
{
    if (letter != 'v' && letter != 'o')
        return operand;
    return operand == IR_NONE ? IR_NONE : w->now[operand];
}

/* A constant put per instruction: the dead-put pass leaves the last one before each way out. */
static void count_one(struct rewrite *w, uint32_t n)
{
    ir_val v = push(w, (struct ir_insn){.op = IR_const, .type = IR_I32, .b = n});

    push(w, (struct ir_insn){
                .op = IR_put, .type = IR_I32, .a = v, .b = offsetof(struct nw_vcpu, insn_count)});
}

bool count_insns(struct ir_region *r)
{
    struct rewrite w = {.ok = true};
    uint32_t n = 0;

    w.now = malloc((r->insns.len + 1) * sizeof *w.now);
    if (!w.now)
        return false;
    for (uint32_t at = 0; at < r->insns.len && w.ok; at++) {
        struct ir_insn i = r->insns.at[at];
        const char *letters = ir_rows[i.op].operands;

        i.a = moved(&w, letters[0], i.a);
        i.b = moved(&w, letters[1], i.b);
        i.c = moved(&w, letters[2], i.c);
        /* Instructions that can never run have no record: the last ones may be such. */
        if (at == r->insns.len - 1)
            count_one(&w, r->ninsns);
        w.now[at] = push(&w, i);
        if (i.op == IR_insn)
            count_one(&w, n = i.aux);
        /* Whole instructions may have been skipped, with their puts: they count all the same. */
        if (i.op == IR_label && n)
            count_one(&w, n);
        if (i.op == IR_call) {
            struct ir_call *call = &r->calls.at[i.a];

            for (unsigned k = 0; k < call->helper->nargs; k++)
                call->args[k] = w.now[call->args[k]];
        }
    }
    free(w.now);
    if (!w.ok) {
        VEC_FREE(&w.out.insns);
        return false;
    }
    VEC_FREE(&r->insns);
    r->insns.at = w.out.insns.at;
    r->insns.len = w.out.insns.len;
    r->insns.cap = w.out.insns.cap;
    return true;
}
