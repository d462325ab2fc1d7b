/* Operands of another width, before emission.
 *
 * A 32-bit value is kept zero-extended in its 64-bit register, so a zext of it is the value itself;
 * and a 32-bit instruction looks at nothing but the low half, so a trunc is its operand wherever
 * such an instruction is the user. The records are copied with their operands so replaced; a zext
 * or trunc that nobody uses any more is not emitted. What an operation reads is said by its own
 * type from here on, not by that of its operands. */
#include "host/x86_64/emit.h"

#include <stdlib.h>
#include "ir/shape.h"

/* Operations that read all their operands in their own width. */
static bool is_plain(unsigned op)
{
    switch (op) {
    case IR_add:
    case IR_sub:
    case IR_mul:
    case IR_udiv:
    case IR_sdiv:
    case IR_and:
    case IR_or:
    case IR_xor:
    case IR_andn:
    case IR_not:
    case IR_neg:
    case IR_clz:
    case IR_popcnt:
    case IR_bswap:
    case IR_smin:
    case IR_smax:
    case IR_umin:
    case IR_umax:
    case IR_cmp: return true;
    default: return false;
    }
}

/* May the operand in POSITION (0..2) be the narrower value of a zext, zero-extended? Not where the
 * emitter goes by the operand's own type. */
static bool takes_narrow(const struct ir_insn *i, unsigned position)
{
    if (is_plain(i->op))
        return i->type == IR_I64;
    switch (i->op) {
    case IR_mulhu:
    case IR_mulhs:
    case IR_ubfx:
    case IR_sbfx:
    case IR_bfi:
    case IR_put: return i->type == IR_I64;
    case IR_ld:
    case IR_st:
    case IR_cas: return i->type == IR_I64 || position == 0; /* 0: the address */
    case IR_shl:
    case IR_shr:
    case IR_sar:
    case IR_ror:
    case IR_exit_ind: return position == 0;
    case IR_select: return position != 0;
    default: return false;
    }
}

static uint32_t shift_count(const struct host_emitter *e, const struct ir_insn *i)
{
    const struct ir_insn *count = insn_of(e, i->b);
    return count->op == IR_const ? count->b & 31 : 1;
}

/* May the operand be the wider value of a trunc, because only its low half is read and the result
 * is written anew in any case? */
static bool takes_wide(const struct host_emitter *e, const struct ir_insn *i, unsigned position)
{
    if (i->op == IR_zext || i->op == IR_sext)
        return true;
    if (i->op == IR_st)
        return position == 1 && i->type == IR_I32 && IR_MEM_SIZE(i->aux) <= 2;
    if (i->type != IR_I32)
        return false;
    if (is_plain(i->op))
        return true;
    switch (i->op) {
    case IR_shl:
    case IR_shr:
    case IR_sar:
    case IR_ror: return shift_count(e, i) != 0;
    case IR_ubfx:
    case IR_sbfx: return i->aux >> 8 < 32;
    case IR_bfi: return position == 1 && i->aux >> 8 < 32;
    case IR_select: return position != 0 && i->b != i->c;
    default: return false;
    }
}

static bool is_narrow(const struct host_emitter *e, ir_val v)
{
    const struct ir_insn *i = insn_of(e, v);
    return ir_result_type(i) == IR_I32 && i->op != IR_const;
}

static bool is_wide(const struct host_emitter *e, ir_val v)
{
    return ir_result_type(insn_of(e, v)) == IR_I64;
}

static ir_val resolve(const struct host_emitter *e, const struct ir_insn *user, unsigned position,
                      ir_val v)
{
    const struct ir_insn *i = insn_of(e, v);
    if (i->op == IR_zext && is_narrow(e, i->a) && takes_narrow(user, position))
        return i->a;
    if (i->op == IR_trunc && is_wide(e, i->a) && takes_wide(e, user, position))
        return i->a;
    return v;
}

static void resolve_record(struct host_emitter *e, struct ir_insn *i)
{
    unsigned values = ir_shapes[i->op].values;
    const struct ir_insn was = *i;
    if (values & 1)
        i->a = resolve(e, &was, 0, was.a);
    if (values & 2 && was.b != IR_NONE)
        i->b = resolve(e, &was, 1, was.b);
    if (values & 4 && was.c != IR_NONE)
        i->c = resolve(e, &was, 2, was.c);
    /* Equal arms are only moved: the value must be of the select's own width. */
    if (i->op == IR_select && i->b == i->c)
        *i = was;
}

bool widths_resolve(struct host_emitter *e)
{
    uint32_t n = e->r->insns.len;
    if (n > e->code.cap) {
        struct ir_insn *more = realloc(e->code.at, 2 * n * sizeof *more);
        if (!more)
            return false;
        e->code.at = more;
        e->code.cap = 2 * n;
    }
    memcpy(e->code.at, e->r->insns.at, n * sizeof *e->code.at);
    e->code.len = n;
    for (ir_val v = 0; v < n; v++)
        resolve_record(e, &e->code.at[v]);
    return true;
}
