/* String instructions (SDM 1 7.3.9). One element is lifted inline; repeat.c repeats. */
#include <narwhal/hook.h>
#include "guest/x86/front.h"
#include "guest/x86/lift.h"

/* The segment of [SI], which a prefix may replace; that of [DI] is always ES. */
static unsigned source_segment(const struct x86_insn *i)
{
    for (unsigned n = 0; n < 2; n++)
        if (i->op[n].type == ZYDIS_OPERAND_TYPE_MEMORY &&
            ZydisRegisterGetId(i->op[n].mem.base) == X86_RSI)
            return x86_operand_segment(&i->op[n]);
    return X86_DS;
}

static ir_val element_address(struct x86_lift *l, unsigned seg, unsigned reg, bool write)
{
    unsigned bits = x86_addr_bits(l);
    return x86_linear(l, seg, x86_gpr_get(l, reg, bits), bits, l->i->op[0].size / 8, write);
}

static void advance(struct x86_lift *l, unsigned reg)
{
    struct ir_builder *b = l->b;
    unsigned bits = x86_addr_bits(l), log2 = x86_log2(l->i->op[0].size / 8);
    /* 2 * size where DF (bit 10) is set */
    ir_val back = ir_shr(b, IR_I32, ir_get(b, IR_I32, X86_OFF(eflags)), ir_const32(b, 9 - log2));
    back = ir_and(b, IR_I32, back, ir_const32(b, 2u << log2));
    ir_val by = ir_sub(b, IR_I32, ir_const32(b, 1u << log2), back);
    if (bits == 64)
        by = ir_sext(b, IR_I64, by);
    ir_val next = ir_add(b, x86_type(bits), x86_gpr_get(l, reg, bits), by);
    x86_gpr_put(l, reg, bits, x86_cut(l, next, bits));
}

static void compare(struct x86_lift *l, unsigned bits, ir_val a, ir_val b)
{
    ir_val v = x86_cut(l, ir_sub(l->b, x86_type(bits), a, b), bits);
    x86_cc_set(l, X86_CC_SUB, bits, v, b, IR_NONE, a);
}

static void one_element(struct x86_lift *l, const struct x86_insn *i, enum x86_string_kind kind)
{
    unsigned bits = i->op[0].size;
    bool from = kind == X86_MOVS || kind == X86_LODS || kind == X86_CMPS;
    bool to = kind != X86_LODS, write = kind == X86_MOVS || kind == X86_STOS;
    ir_val source = x86_gpr_get(l, X86_RAX, bits), target = IR_NONE;

    /* CMPS reads [DI] first, as processors do. */
    if (to && !write)
        target = x86_load(l, element_address(l, X86_ES, X86_RDI, false), bits, 0);
    if (from)
        source = x86_load(l, element_address(l, source_segment(i), X86_RSI, false), bits, 0);
    if (write)
        x86_store(l, element_address(l, X86_ES, X86_RDI, true), source, bits, 0);
    if (to && !write)
        lift_compare(l->b, l->req, source, target, bits, NW_COMPARE_FLAGS);
    if (kind == X86_LODS)
        x86_gpr_put(l, X86_RAX, bits, source);
    if (from)
        advance(l, X86_RSI);
    if (to)
        advance(l, X86_RDI);
    if (to && !write)
        compare(l, bits, source, target);
}

static void repeat(struct x86_lift *l, const struct x86_insn *i, enum x86_string_kind kind)
{
    static const struct ir_helper helper = {"x86_string_repeat", x86_string_repeat,
                                            IR_H_READS | IR_H_WRITES | IR_H_EXITS, IR_I32, 1};
    uint32_t what = x86_memop(l, i->op[0].size, 0) | (uint32_t)kind << 16 |
                    source_segment(i) << 19 | x86_log2(x86_addr_bits(l) / 16) << 22;
    if (i->z.attributes & ZYDIS_ATTRIB_HAS_REPNE)
        what |= X86_STRING_REPNE;
    bool stepped = l->mode & (X86_KEY_TF | X86_KEY_BREAK);
    if (stepped || l->hooked || l->req->single)
        what |= X86_STRING_ONE;
    /* Programs that count a bare CPU's instructions are used to it. */
    if (what & X86_STRING_ONE && !stepped && x86_is_bare(l->req->vcpu))
        what |= X86_STRING_LOOK;
    ir_val more = ir_call(l->b, &helper, ir_const32(l->b, what), IR_NONE, IR_NONE, IR_NONE);
    if (kind == X86_SCAS || kind == X86_CMPS)
        x86_cc_forget(l);
    x86_again_if(l, more);
}

/* MOVS, STOS, LODS, SCAS, CMPS by argument. */
void x86_string(struct x86_lift *l, const struct x86_insn *i)
{
    enum x86_string_kind kind = (enum x86_string_kind)i->row->arg;
    if (i->z.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE))
        repeat(l, i, kind);
    else
        one_element(l, i, kind);
}

/* ---- mnemonics shared with SSE2 ---- */

void x86_movsd(struct x86_lift *l, const struct x86_insn *i)
{
    if (i->z.meta.category == ZYDIS_CATEGORY_STRINGOP)
        x86_string(l, i);
    else
        x86_movsd_vector(l, i);
}

void x86_cmpsd(struct x86_lift *l, const struct x86_insn *i)
{
    if (i->z.meta.category == ZYDIS_CATEGORY_STRINGOP)
        x86_string(l, i);
    else
        x86_cmpsd_vector(l, i);
}
