/* Near control transfer (SDM 1 7.3.8). */
#include "guest/x86/lift.h"
#include "guest/x86/undefined.h"

static bool is_relative(const struct x86_insn *i)
{
    return i->op[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
}

/* V of BITS as x86_branch takes it. */
static ir_val as_target(struct x86_lift *l, ir_val v, unsigned bits)
{
    return l->bits == 64 ? x86_zext(l, v, bits, 64) : v;
}

/* The operand of an indirect branch, whose size Zydis does not always know (x86_branch_bits). */
static ir_val indirect_target(struct x86_lift *l)
{
    unsigned bits = x86_branch_bits(l);
    const ZydisDecodedOperand *op = &l->i->op[0];

    if (op->type != ZYDIS_OPERAND_TYPE_MEMORY)
        return x86_read(l, 0);
    return as_target(l, x86_load(l, x86_address(l, op, false), bits, 0), bits);
}

void x86_jmp(struct x86_lift *l, const struct x86_insn *i)
{
    if (i->z.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR) {
        x86_jmp_far(l, i);
        return;
    }
    if (is_relative(i)) {
        x86_branch_rel(l);
        return;
    }
    ir_val target = indirect_target(l);
    x86_branch_check(l, target, IR_NONE);
    x86_branch(l, target);
}

void x86_call_near(struct x86_lift *l, const struct x86_insn *i)
{
    if (i->z.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR) {
        x86_call_far(l, i);
        return;
    }
    unsigned bits = x86_branch_bits(l);
    ir_val target = is_relative(i) ? IR_NONE : indirect_target(l);
    x86_branch_check(l, target, IR_NONE);
    x86_push(l, x86_zext(l, x86_ip_next(l), l->bits == 64 ? 64 : 32, bits), bits);
    if (is_relative(i))
        x86_branch_rel(l);
    else
        x86_branch(l, target);
}

void x86_ret(struct x86_lift *l, const struct x86_insn *i)
{
    if (i->z.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR) {
        x86_ret_far(l, i);
        return;
    }
    unsigned bits = x86_branch_bits(l);
    ir_val target = as_target(l, x86_top(l, bits), bits);
    x86_branch_check(l, target, IR_NONE);
    int32_t more = is_relative(i) ? (int32_t)i->op[0].imm.value.u : 0;
    x86_stack_move(l, (int32_t)bits / 8 + more);
    x86_branch(l, target);
}

void x86_jcc(struct x86_lift *l, const struct x86_insn *i)
{
    x86_branch_rel_if(l, x86_cc_test(l, i->row->arg));
}

static ir_val counter_is(struct x86_lift *l, enum ir_cc cc, ir_val count)
{
    unsigned bits = x86_addr_bits(l);
    return ir_cmp(l->b, cc, x86_type(bits), count, x86_const(l, bits, 0));
}

void x86_jcxz(struct x86_lift *l, const struct x86_insn *i)
{
    (void)i;
    x86_branch_rel_if(l, counter_is(l, IR_EQ, x86_gpr_get(l, X86_RCX, x86_addr_bits(l))));
}

/* The condition of LOOPE and LOOPNE. */
static unsigned loop_condition(const struct x86_lift *l, const struct x86_insn *i)
{
    unsigned cond = i->row->arg - 1;
    for (unsigned n = 0; n < i->z.raw.prefix_count; n++) {
        uint8_t prefix = i->z.raw.prefixes[n].value;
        if (x86_undefined_of(l->model)->loop_prefix && (prefix == 0xf2 || prefix == 0xf3))
            cond = prefix == 0xf3 ? 4 : 5;
    }
    return cond;
}

/* Argument: 0 LOOP, else 1 + the condition that must hold too. */
void x86_loop(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = x86_addr_bits(l);
    enum ir_type t = x86_type(bits);
    ir_val count = ir_sub(l->b, t, x86_gpr_get(l, X86_RCX, bits), x86_const(l, bits, 1));
    count = x86_cut(l, count, bits);
    ir_val truth = counter_is(l, IR_NE, count);
    if (i->row->arg)
        truth = ir_and(l->b, IR_I32, truth, x86_cc_test(l, loop_condition(l, i)));
    x86_branch_check(l, IR_NONE, truth);
    x86_gpr_put(l, X86_RCX, bits, count);
    x86_branch_rel_if(l, truth);
}

void x86_ud(struct x86_lift *l, const struct x86_insn *i)
{
    (void)i;
    x86_undefined(l);
}
