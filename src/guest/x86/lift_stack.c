/* Stack operations (SDM 1 6.2, 7.3.1.2). */
#include "guest/x86/flags.h"
#include "guest/x86/lift.h"
#include "guest/x86/segment.h"

static bool is_segment(const struct x86_insn *i)
{
    return i->op[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
           ZydisRegisterGetClass(i->op[0].reg.value) == ZYDIS_REGCLASS_SEGMENT;
}

void x86_push_operand(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->z.operand_width;
    if (is_segment(i)) {
        x86_push_segment(l, i);
        return;
    }
    ir_val v = x86_read(l, 0);
    if (i->op[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
        v = x86_const(l, bits, i->op[0].imm.value.u);
    x86_push(l, v, bits);
}

/* A memory operand that uses the stack pointer sees it moved; a fault must find it unmoved. */
void x86_pop_operand(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->z.operand_width;
    if (is_segment(i)) {
        x86_pop_segment(l, i);
        return;
    }
    ir_val v = x86_top(l, bits);
    if (i->op[0].type == ZYDIS_OPERAND_TYPE_MEMORY) {
        const ZydisDecodedOperandMem *m = &i->op[0].mem;
        ZydisDecodedOperand moved = i->op[0];
        bool by_sp = m->base != ZYDIS_REGISTER_NONE && ZydisRegisterGetId(m->base) == X86_RSP &&
                     ZydisRegisterGetClass(m->base) != ZYDIS_REGCLASS_IP;
        if (by_sp) {
            moved.mem.disp.has_displacement = ZYAN_TRUE;
            moved.mem.disp.value += bits / 8;
        }
        x86_store(l, x86_address(l, &moved, true), v, bits, 0);
        x86_stack_move(l, (int32_t)bits / 8);
        return;
    }
    x86_stack_move(l, (int32_t)bits / 8);
    x86_write(l, 0, v);
}

/* ---- EFLAGS on the stack ---- */

static bool iopl_traps(const struct x86_lift *l)
{
    return l->mode & X86_KEY_VM86 && (l->mode & X86_KEY_IOPL) != X86_KEY_IOPL;
}

void x86_pushf(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->z.operand_width;
    if (iopl_traps(l)) {
        x86_gp0(l);
        return;
    }
    ir_val rest = ir_get(l->b, IR_I32, X86_OFF(eflags));
    rest = ir_and(l->b, IR_I32, rest, ir_const32(l->b, ~(uint32_t)(X86_VM | X86_RF)));
    ir_val flags = ir_or(l->b, IR_I32, x86_cc_flags(l), rest);
    flags = ir_or(l->b, IR_I32, flags, ir_const32(l->b, 2));
    x86_push(l, x86_zext(l, flags, 32, bits), bits);
}

static uint64_t popf_helper(struct nw_vcpu *vcpu, uint64_t value, uint64_t mask, uint64_t unused1,
                            uint64_t unused2)
{
    (void)unused1, (void)unused2;
    struct x86_state *s = x86_of(vcpu);
    x86_eflags_write(s, (uint32_t)value, (uint32_t)mask);
    x86_mode_update(s);
    return 0;
}

/* Which flags POPF may change (SDM 2, POPF/POPFD/POPFQ, table 4-16). */
static uint32_t popf_mask(const struct x86_lift *l, unsigned bits)
{
    uint32_t mask = X86_FLAGS_ARITH | X86_TF | X86_DF | X86_NT;
    unsigned iopl = l->mode >> 16 & 3;
    if (bits > 16)
        mask |= X86_AC | X86_ID;
    if (l->mode & X86_KEY_PROT && !(l->mode & X86_KEY_VM86)) {
        if (l->cpl <= iopl)
            mask |= X86_IF;
        if (l->cpl == 0)
            mask |= X86_IOPL;
    } else {
        mask |= X86_IF;
        if (!(l->mode & X86_KEY_VM86))
            mask |= X86_IOPL;
    }
    return bits > 16 ? mask | X86_RF : mask;
}

void x86_popf(struct x86_lift *l, const struct x86_insn *i)
{
    static const struct ir_helper helper = {"x86_popf", popf_helper, IR_H_READS | IR_H_WRITES,
                                            IR_VOID, 2};
    unsigned bits = i->z.operand_width;
    if (iopl_traps(l)) {
        x86_gp0(l);
        return;
    }
    ir_val v = x86_zext(l, x86_top(l, bits), bits, 32);
    /* RF is cleared, whatever was popped. */
    v = ir_and(l->b, IR_I32, v, ir_const32(l->b, ~(uint32_t)X86_RF));
    x86_stack_move(l, (int32_t)bits / 8);
    x86_call(l, &helper, v, ir_const32(l->b, popf_mask(l, bits)), IR_NONE, IR_NONE);
    x86_leave_state(l);
}
