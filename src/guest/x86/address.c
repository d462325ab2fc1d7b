/* Effective and linear addresses (SDM 1 3.7.5, 3A 3.4), and memory operations on them. */
#include "guest/x86/lift.h"
#include "guest/x86/segment.h"
#include "mem/mem.h"

/* A register of an address, of any width. */
static ir_val address_reg(struct x86_lift *l, ZydisRegister r, unsigned bits)
{
    return x86_zext(l, x86_reg_get(l, r),
                    (unsigned)ZydisRegisterGetWidth(l->decoder.machine_mode, r), bits);
}

ir_val x86_effective(struct x86_lift *l, const ZydisDecodedOperand *op)
{
    struct ir_builder *b = l->b;
    unsigned bits = x86_addr_bits(l);
    enum ir_type t = x86_type(bits);
    uint64_t disp = op->mem.disp.has_displacement ? (uint64_t)op->mem.disp.value : 0;
    ir_val sum = IR_NONE;

    if (op->mem.base == ZYDIS_REGISTER_RIP || op->mem.base == ZYDIS_REGISTER_EIP)
        return x86_const(l, bits, l->next + disp);
    if (op->mem.base != ZYDIS_REGISTER_NONE)
        sum = address_reg(l, op->mem.base, bits);
    if (op->mem.index != ZYDIS_REGISTER_NONE) {
        ir_val index = address_reg(l, op->mem.index, bits);
        if (op->mem.scale > 1)
            index = ir_shl(b, t, index, ir_const32(b, x86_log2(op->mem.scale)));
        sum = sum == IR_NONE ? index : ir_add(b, t, sum, index);
    }
    ir_val offset = bits == 64 ? ir_const64(b, disp) : ir_const32(b, (uint32_t)disp);
    sum = sum == IR_NONE ? offset : ir_add(b, t, sum, offset);
    return x86_cut(l, sum, bits);
}

/* Does an access through SEG need its base and limit? */
static bool is_flat(const struct x86_lift *l, unsigned seg, bool write)
{
    if (l->mode & X86_KEY_CODE64)
        return seg != X86_FS && seg != X86_GS;
    if (seg == X86_CS)
        return l->mode & X86_KEY_CS_FLAT && !write;
    return l->mode & X86_KEY_SEG_FLAT && seg != X86_FS && seg != X86_GS;
}

static ir_val base_of(struct x86_lift *l, unsigned seg, enum ir_type t)
{
    return ir_get(l->b, t, X86_OFF(seg[0].base) + seg * (uint32_t)sizeof(struct x86_segment));
}

ir_val x86_segment_base64(struct x86_lift *l, unsigned seg)
{
    return is_flat(l, seg, false) ? ir_const64(l->b, 0) : base_of(l, seg, IR_I64);
}

/* An offset of 16 or 32 bits in a linear address space of 32. */
static ir_val linear32(struct x86_lift *l, unsigned seg, ir_val offset, unsigned size, bool write)
{
    static const struct ir_helper check = {"x86_segment_check", x86_segment_check,
                                           IR_H_READS | IR_H_EXITS, IR_VOID, 2};
    if (l->bare && !is_flat(l, seg, false)) {
        offset = ir_add(l->b, IR_I32, offset, base_of(l, seg, IR_I32));
    } else if (!l->bare && !is_flat(l, seg, write)) {
        bool quick = size <= X86_QUICK_SIZE && !(write && seg == X86_CS);
        ir_val what = ir_const32(l->b, seg | (write ? 8u : 0) | size << 16);
        uint32_t label = ir_label_new(l->b);
        if (quick) {
            ir_val room = ir_get(l->b, IR_I32, X86_OFF(quick[0]) + 4 * seg);
            ir_skip_if(l->b, ir_cmp(l->b, IR_ULT, IR_I32, offset, room), label);
        }
        x86_call(l, &check, what, offset, IR_NONE, IR_NONE);
        ir_label(l->b, label);
        offset = ir_add(l->b, IR_I32, offset, base_of(l, seg, IR_I32));
    }
    return l->word == IR_I64 ? ir_zext(l->b, IR_I64, offset) : offset;
}

ir_val x86_linear(struct x86_lift *l, unsigned seg, ir_val offset, unsigned addr_bits,
                  unsigned size, bool write)
{
    if (!(l->mode & X86_KEY_CODE64))
        return linear32(l, seg, offset, size, write);
    if (addr_bits != 64)
        offset = ir_zext(l->b, IR_I64, offset);
    return is_flat(l, seg, write) ? offset : ir_add(l->b, IR_I64, offset, base_of(l, seg, IR_I64));
}

ir_val x86_address(struct x86_lift *l, const ZydisDecodedOperand *op, bool write)
{
    unsigned seg = x86_operand_segment(op);
    return x86_linear(l, seg, x86_effective(l, op), x86_addr_bits(l), op->size / 8, write);
}

ir_val x86_address_add(struct x86_lift *l, ir_val addr, int64_t bytes)
{
    if (l->word == IR_I32)
        return ir_add(l->b, IR_I32, addr, ir_const32(l->b, (uint32_t)bytes));
    addr = ir_add(l->b, IR_I64, addr, ir_const64(l->b, (uint64_t)bytes));
    if (l->mode & X86_KEY_CODE64)
        return addr;
    return ir_zext(l->b, IR_I64, ir_trunc(l->b, IR_I32, addr));
}

/* ---- accesses ---- */

uint16_t x86_memop(struct x86_lift *l, unsigned bits, unsigned flags)
{
    unsigned size = x86_log2(bits / 8);
    uint32_t memop = size | (flags & X86_SYSTEM ? IR_MEM_MMU(X86_MMU_GUARDED) : l->mmu);
    /* EFLAGS.AC is about operands of up to 8 bytes (SDM 3A 6.15, interrupt 17). */
    if (flags & X86_ALIGNED || (l->mode & X86_KEY_AC && bits <= 64))
        memop |= IR_MEM_ALIGN(size);
    if (flags & X86_RMW)
        memop |= IR_MEM_RMW;
    return (uint16_t)memop;
}

ir_val x86_load(struct x86_lift *l, ir_val addr, unsigned bits, unsigned flags)
{
    return ir_ld(l->b, x86_type(bits), addr, x86_memop(l, bits, flags));
}

void x86_store(struct x86_lift *l, ir_val addr, ir_val v, unsigned bits, unsigned flags)
{
    ir_st(l->b, x86_type(bits), addr, v, x86_memop(l, bits, flags));
}

static uint64_t probe_write(struct nw_vcpu *vcpu, uint64_t addr, uint64_t memop, uint64_t unused1,
                            uint64_t unused2)
{
    (void)unused1, (void)unused2;
    mem_probe(vcpu, addr, (uint32_t)memop | IR_MEM_RMW);
    return 0;
}

void x86_probe_write(struct x86_lift *l, ir_val addr, unsigned bits)
{
    static const struct ir_helper helper = {"x86_probe_write", probe_write, IR_H_READS | IR_H_EXITS,
                                            IR_VOID, 2};
    x86_call(l, &helper, addr, ir_const32(l->b, x86_memop(l, bits, 0)), IR_NONE, IR_NONE);
}
