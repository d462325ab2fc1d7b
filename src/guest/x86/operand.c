/* Registers and operands. */
#include "guest/x86/lift.h"

/* ---- widths ---- */

ir_val x86_zext(struct x86_lift *l, ir_val v, unsigned from, unsigned to)
{
    if (to == 64 && from < 64)
        return ir_zext(l->b, IR_I64, v);
    if (to < 64 && from == 64)
        v = ir_trunc(l->b, IR_I32, v);
    return to < from ? x86_cut(l, v, to) : v;
}

ir_val x86_sext(struct x86_lift *l, ir_val v, unsigned from, unsigned to)
{
    if (from < 32)
        v = ir_sbfx(l->b, IR_I32, v, 0, from);
    if (to == 64)
        return ir_sext(l->b, IR_I64, v);
    return x86_cut(l, v, to);
}

ir_val x86_cut(struct x86_lift *l, ir_val v, unsigned bits)
{
    return bits < 32 ? ir_ubfx(l->b, IR_I32, v, 0, bits) : v;
}

/* ---- general registers ---- */

static bool narrow_guest(const struct x86_lift *l)
{
    return l->word == IR_I32;
}

ir_val x86_gpr_get(struct x86_lift *l, unsigned n, unsigned bits)
{
    if (narrow_guest(l))
        return x86_cut(l, ir_get(l->b, IR_I32, X86_OFF_GPR(n)), bits);
    return x86_zext(l, ir_get(l->b, IR_I64, X86_OFF_GPR(n)), 64, bits);
}

static void put_part(struct x86_lift *l, unsigned n, unsigned lsb, unsigned bits, ir_val v)
{
    enum ir_type t = l->word;
    ir_val old = ir_get(l->b, t, X86_OFF_GPR(n));
    ir_put(l->b, t, X86_OFF_GPR(n),
           ir_bfi(l->b, t, old, x86_zext(l, v, bits, t == IR_I64 ? 64 : 32), lsb, bits));
}

void x86_gpr_put(struct x86_lift *l, unsigned n, unsigned bits, ir_val v)
{
    if (bits < 32)
        put_part(l, n, 0, bits, v);
    else if (narrow_guest(l))
        ir_put(l->b, IR_I32, X86_OFF_GPR(n), v);
    else
        ir_put(l->b, IR_I64, X86_OFF_GPR(n), x86_zext(l, v, bits, 64));
}

/* A register of Zydis's as a part of a general register. */
struct gpr_part {
    uint8_t n, lsb, bits;
};

static struct gpr_part part_of(ZydisRegister r)
{
    if (r >= ZYDIS_REGISTER_RAX)
        return (struct gpr_part){(uint8_t)(r - ZYDIS_REGISTER_RAX), 0, 64};
    if (r >= ZYDIS_REGISTER_EAX)
        return (struct gpr_part){(uint8_t)(r - ZYDIS_REGISTER_EAX), 0, 32};
    if (r >= ZYDIS_REGISTER_AX)
        return (struct gpr_part){(uint8_t)(r - ZYDIS_REGISTER_AX), 0, 16};
    if (r >= ZYDIS_REGISTER_SPL)
        return (struct gpr_part){(uint8_t)(r - ZYDIS_REGISTER_SPL + 4), 0, 8};
    if (r >= ZYDIS_REGISTER_AH)
        return (struct gpr_part){(uint8_t)(r - ZYDIS_REGISTER_AH), 8, 8};
    return (struct gpr_part){(uint8_t)(r - ZYDIS_REGISTER_AL), 0, 8};
}

ir_val x86_reg_get(struct x86_lift *l, ZydisRegister r)
{
    struct gpr_part p = part_of(r);
    if (p.lsb)
        return ir_ubfx(l->b, IR_I32, x86_gpr_get(l, p.n, 32), p.lsb, p.bits);
    return x86_gpr_get(l, p.n, p.bits);
}

void x86_reg_put(struct x86_lift *l, ZydisRegister r, ir_val v)
{
    struct gpr_part p = part_of(r);
    if (p.lsb)
        put_part(l, p.n, p.lsb, p.bits, v);
    else
        x86_gpr_put(l, p.n, p.bits, v);
}

/* ---- operands ---- */

ir_val x86_read(struct x86_lift *l, unsigned n)
{
    const ZydisDecodedOperand *op = &l->i->op[n];
    switch (op->type) {
    case ZYDIS_OPERAND_TYPE_IMMEDIATE: return x86_const(l, l->i->op[0].size, op->imm.value.u);
    case ZYDIS_OPERAND_TYPE_MEMORY: return x86_load(l, x86_address(l, op, false), op->size, 0);
    default: return x86_reg_get(l, op->reg.value);
    }
}

void x86_write(struct x86_lift *l, unsigned n, ir_val v)
{
    const ZydisDecodedOperand *op = &l->i->op[n];
    if (op->type == ZYDIS_OPERAND_TYPE_MEMORY)
        x86_store(l, x86_address(l, op, true), v, op->size, 0);
    else
        x86_reg_put(l, op->reg.value, v);
}

struct x86_place x86_place(struct x86_lift *l, unsigned n)
{
    const ZydisDecodedOperand *op = &l->i->op[n];
    struct x86_place p = {.bits = op->size};
    p.mem = op->type == ZYDIS_OPERAND_TYPE_MEMORY;
    if (p.mem)
        p.addr = x86_address(l, op, op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE);
    else
        p.reg = op->reg.value;
    return p;
}

ir_val x86_place_read(struct x86_lift *l, const struct x86_place *p, unsigned flags)
{
    return p->mem ? x86_load(l, p->addr, p->bits, flags) : x86_reg_get(l, p->reg);
}

void x86_place_write(struct x86_lift *l, const struct x86_place *p, ir_val v, ir_val expected,
                     bool locked)
{
    if (!p->mem) {
        x86_reg_put(l, p->reg, v);
    } else if (!locked && !x86_has_lock(l)) {
        x86_store(l, p->addr, v, p->bits, 0);
    } else {
        enum ir_type t = x86_type(p->bits);
        uint16_t memop = x86_memop(l, p->bits, X86_RMW) | IR_MEM_TOLD;
        ir_val old = ir_cas(l->b, t, p->addr, expected, v, memop);
        ir_exit_if(l->b, ir_cmp(l->b, IR_NE, t, old, expected), l->pc, l->mode);
    }
}

ir_val x86_place_atomic(struct x86_lift *l, const struct x86_place *p, enum ir_op op, ir_val v)
{
    return ir_atomic(l->b, op, x86_type(p->bits), p->addr, v, x86_memop(l, p->bits, X86_RMW));
}

/* ---- stack (SDM 1 6.2) ---- */

static ir_val stack_pointer(struct x86_lift *l)
{
    return x86_gpr_get(l, X86_RSP, x86_stack_bits(l));
}

static ir_val moved(struct x86_lift *l, int32_t offset)
{
    unsigned bits = x86_stack_bits(l);
    enum ir_type t = x86_type(bits);
    ir_val by = bits == 64 ? ir_const64(l->b, (uint64_t)(int64_t)offset)
                           : ir_const32(l->b, (uint32_t)offset);
    return x86_cut(l, ir_add(l->b, t, stack_pointer(l), by), bits);
}

ir_val x86_stack_address(struct x86_lift *l, int32_t offset, unsigned bits, bool write)
{
    ir_val at = offset ? moved(l, offset) : stack_pointer(l);
    return x86_linear(l, X86_SS, at, x86_stack_bits(l), bits / 8, write);
}

void x86_stack_move(struct x86_lift *l, int32_t offset)
{
    x86_gpr_put(l, X86_RSP, x86_stack_bits(l), moved(l, offset));
}

void x86_push(struct x86_lift *l, ir_val v, unsigned bits)
{
    int32_t size = (int32_t)bits / 8;
    x86_store(l, x86_stack_address(l, -size, bits, true), v, bits, 0);
    x86_stack_move(l, -size);
}

ir_val x86_top(struct x86_lift *l, unsigned bits)
{
    return x86_load(l, x86_stack_address(l, 0, bits, false), bits, 0);
}
