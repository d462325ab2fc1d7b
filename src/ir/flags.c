/* Condition flags while building: tests of flags become plain comparisons where the maker of the
 * flags is known, so that the packed nibble need not be made. */
#include "ir/builder.h"
#include "ir/eval.h"

/* ARM conditions (ARM DDI 0406C A8.3). ORDER ARM_COND */
enum { EQ, NE, CS, CC, MI, PL, VS, VC, HI, LS, GE, LT, GT, LE };

/* Selects of flags that a test looks through. */
#define TEST_DEPTH 8

static ir_val flags(struct ir_builder *b, struct ir_insn i, ir_val result)
{
    ir_val v = build_pure(b, i);
    /* The sum is there before the flags, so it dominates every test of them. */
    if (result != IR_NONE && v < b->side.len && result < v && b->side.at[v].result == IR_NONE)
        b->side.at[v].result = result;
    return v;
}

ir_val ir_nzcv_add(struct ir_builder *b, enum ir_type t, ir_val x, ir_val y, ir_val carry,
                   ir_val result)
{
    return flags(b, (struct ir_insn){.op = IR_nzcv_add, .type = t, .a = x, .b = y, .c = carry},
                 result);
}

ir_val ir_nzcv_sub(struct ir_builder *b, enum ir_type t, ir_val x, ir_val y, ir_val carry,
                   ir_val result)
{
    return flags(b, (struct ir_insn){.op = IR_nzcv_sub, .type = t, .a = x, .b = y, .c = carry},
                 result);
}

/* C and V are taken from where they were made, past other logical results: else a chain of these
 * keeps every operand in it alive for the flags of the last. */
ir_val ir_nzcv_logic(struct ir_builder *b, enum ir_type t, ir_val x, ir_val carry, ir_val old)
{
    while (b->region->insns.at[old].op == IR_nzcv_logic) {
        const struct ir_insn *f = &b->region->insns.at[old];
        if (carry == IR_NONE)
            carry = f->b;
        old = f->c;
    }
    return flags(b, (struct ir_insn){.op = IR_nzcv_logic, .type = t, .a = x, .b = carry, .c = old},
                 IR_NONE);
}

static ir_val zero(struct ir_builder *b, enum ir_type type)
{
    return build_const(b, type, 0);
}

/* Z and N of the value RESULT; IR_NONE for other conditions. */
static ir_val test_result(struct ir_builder *b, unsigned cond, enum ir_type type, ir_val result)
{
    switch (cond) {
    case EQ: return ir_cmp(b, IR_EQ, type, result, zero(b, type));
    case NE: return ir_cmp(b, IR_NE, type, result, zero(b, type));
    case MI: return ir_cmp(b, IR_SLT, type, result, zero(b, type));
    case PL: return ir_cmp(b, IR_SGE, type, result, zero(b, type));
    default: return IR_NONE;
    }
}

static ir_val test_sub(struct ir_builder *b, unsigned cond, const struct ir_insn *f, ir_val result)
{
    static const int8_t as_cc[] = {
        [EQ] = IR_EQ,  [NE] = IR_NE,  [CS] = IR_UGE, [CC] = IR_ULT, [MI] = -1,
        [PL] = -1,     [VS] = -1,     [VC] = -1,     [HI] = IR_UGT, [LS] = IR_ULE,
        [GE] = IR_SGE, [LT] = IR_SLT, [GT] = IR_SGT, [LE] = IR_SLE};
    if (f->c == IR_NONE && as_cc[cond] >= 0)
        return ir_cmp(b, (enum ir_cc)as_cc[cond], f->type, f->a, f->b);
    if (result == IR_NONE && f->c == IR_NONE && (cond == MI || cond == PL))
        result = ir_sub(b, f->type, f->a, f->b);
    return result == IR_NONE ? IR_NONE : test_result(b, cond, f->type, result);
}

static ir_val test_add(struct ir_builder *b, unsigned cond, const struct ir_insn *f, ir_val result)
{
    bool plain = f->c == IR_NONE;
    if (cond != EQ && cond != NE && cond != MI && cond != PL &&
        !(plain && (cond == CS || cond == CC)))
        return IR_NONE;
    if (result == IR_NONE && plain)
        result = ir_add(b, f->type, f->a, f->b);
    if (result == IR_NONE)
        return IR_NONE;
    if (cond == CS || cond == CC)
        return ir_cmp(b, cond == CS ? IR_ULT : IR_UGE, f->type, result, f->a);
    return test_result(b, cond, f->type, result);
}

static ir_val test(struct ir_builder *b, unsigned cond, ir_val flags, unsigned depth);

static ir_val test_logic(struct ir_builder *b, unsigned cond, const struct ir_insn *f,
                         unsigned depth)
{
    static const int8_t v_clear[] = {[GE] = IR_SGE, [LT] = IR_SLT, [GT] = IR_SGT, [LE] = IR_SLE};
    uint64_t bits;
    ir_val v;
    switch (cond) {
    case CS:
    case CC:
        if (f->b == IR_NONE)
            return test(b, cond, f->c, depth + 1);
        if (!fold_is_truth(b, f->b))
            return ir_cmp(b, cond == CS ? IR_NE : IR_EQ, IR_I32,
                          ir_and(b, IR_I32, f->b, ir_const32(b, 1)), zero(b, IR_I32));
        return cond == CS ? f->b : fold_not(b, f->b);
    case VS:
    case VC: return test(b, cond, f->c, depth + 1);
    case GE:
    case LT:
    case GT:
    case LE:
        v = test(b, VS, f->c, depth + 1);
        if (ir_is_const(b, v, &bits) && !bits)
            return ir_cmp(b, (enum ir_cc)v_clear[cond], f->type, f->a, zero(b, f->type));
        return IR_NONE;
    default: return test_result(b, cond, f->type, f->a);
    }
}

static ir_val test(struct ir_builder *b, unsigned cond, ir_val flags, unsigned depth)
{
    const struct ir_insn f = *build_at(b, flags);
    struct ir_insn plain = {.op = IR_nzcv_test, .type = IR_I32, .aux = (uint16_t)cond, .a = flags};
    ir_val v = IR_NONE;
    if (depth > TEST_DEPTH)
        return build_share(b, plain);
    switch (f.op) {
    case IR_const: v = ir_const32(b, eval_test(cond, f.b)); break;
    case IR_nzcv_sub: v = test_sub(b, cond, &f, b->side.at[flags].result); break;
    case IR_nzcv_add: v = test_add(b, cond, &f, b->side.at[flags].result); break;
    case IR_nzcv_logic: v = test_logic(b, cond, &f, depth); break;
    case IR_select: {
        ir_val yes = test(b, cond, f.b, depth + 1), no = test(b, cond, f.c, depth + 1);
        v = ir_select(b, IR_I32, f.a, yes, no);
        break;
    }
    default: break;
    }
    return v != IR_NONE ? v : build_share(b, plain);
}

ir_val ir_nzcv_test(struct ir_builder *b, unsigned cond, ir_val flags)
{
    return cond > LE ? ir_const32(b, 1) : test(b, cond, flags, 0);
}
