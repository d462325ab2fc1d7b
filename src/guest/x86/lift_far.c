/* Far JMP, CALL, RET, and IRET: see far.c and iret.c for what they do. */
#include "guest/x86/lift.h"
#include "guest/x86/transfer.h"

enum { FAR_CALL = 1 << 4, FAR_LENGTH = 8 };

static uint64_t offset_after(const struct x86_state *s, uint64_t length)
{
    return x86_code_offset_of(s, s->pc + length);
}

/* WHAT: bytes of the operand, FAR_CALL, length of the instruction from bit FAR_LENGTH. */
static uint64_t far_helper(struct nw_vcpu *vcpu, uint64_t what, uint64_t selector, uint64_t offset,
                           uint64_t unused)
{
    (void)unused;
    x86_far_transfer(vcpu, what & FAR_CALL, what & 15, (uint16_t)selector, offset,
                     offset_after(x86_of(vcpu), what >> FAR_LENGTH));
    return 0;
}

static void far(struct x86_lift *l, const struct x86_insn *i, bool call)
{
    X86_HELPER(far_transfer, far_helper, 3);
    const ZydisDecodedOperand *op = &i->op[0];
    unsigned size = i->z.operand_width / 8u;
    ir_val selector, offset;

    if (op->type == ZYDIS_OPERAND_TYPE_POINTER) {
        selector = ir_const32(l->b, op->ptr.segment);
        offset = ir_const32(l->b, op->ptr.offset);
    } else {
        size = (op->size - 16u) / 8u;
        unsigned read = x86_far_offset_bits(l, size * 8);
        ir_val addr = x86_address(l, op, false);
        offset = x86_zext(l, x86_load(l, addr, read, 0), read, size * 8);
        selector = x86_load(l, x86_address_add(l, addr, read / 8), 16, 0);
    }
    uint32_t what = size | (call ? FAR_CALL : 0) | (uint32_t)i->z.length << FAR_LENGTH;
    x86_call(l, &far_transfer, ir_const32(l->b, what), selector, offset, IR_NONE);
    x86_leave_to_state(l);
}

void x86_jmp_far(struct x86_lift *l, const struct x86_insn *i)
{
    far(l, i, false);
}

void x86_call_far(struct x86_lift *l, const struct x86_insn *i)
{
    far(l, i, true);
}

static uint64_t return_helper(struct nw_vcpu *vcpu, uint64_t size, uint64_t drop, uint64_t unused1,
                              uint64_t unused2)
{
    (void)unused1, (void)unused2;
    x86_far_return(vcpu, (unsigned)size, drop);
    return 0;
}

void x86_ret_far(struct x86_lift *l, const struct x86_insn *i)
{
    X86_HELPER(far_return, return_helper, 2);
    bool drops = i->op[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
    uint32_t drop = drops ? (uint32_t)i->op[0].imm.value.u & 0xffff : 0;

    x86_call(l, &far_return, ir_const32(l->b, i->z.operand_width / 8u), ir_const32(l->b, drop),
             IR_NONE, IR_NONE);
    x86_leave_to_state(l);
}

static uint64_t iret_helper(struct nw_vcpu *vcpu, uint64_t size, uint64_t length, uint64_t unused1,
                            uint64_t unused2)
{
    (void)unused1, (void)unused2;
    x86_iret(vcpu, (unsigned)size, offset_after(x86_of(vcpu), length));
    return 0;
}

/* IRET, IRETD, IRETQ: argument is the size in bytes. */
void x86_iret_insn(struct x86_lift *l, const struct x86_insn *i)
{
    X86_HELPER(iret, iret_helper, 2);
    x86_call(l, &iret, ir_const32(l->b, i->row->arg), ir_const32(l->b, i->z.length), IR_NONE,
             IR_NONE);
    x86_leave_to_state(l);
}
