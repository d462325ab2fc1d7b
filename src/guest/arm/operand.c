/* Registers, flags, shifted operands and memory accesses as the lift functions use them. */
#include "guest/arm/lift_m.h"

/* ---- registers ---- */

uint32_t arm_pc_value(const struct arm_lift *l)
{
    return l->pc + (l->thumb ? 4 : 8);
}

uint32_t arm_next_pc(const struct arm_lift *l)
{
    return l->pc + l->i->size;
}

ir_val arm_reg_get(struct arm_lift *l, unsigned n)
{
    if (n == 15)
        return arm_const(l, arm_pc_value(l));
    return ir_get(l->b, IR_I32, ARM_OFF(r) + 4 * n);
}

ir_val arm_reg_get_aligned(struct arm_lift *l, unsigned n)
{
    return n == 15 ? arm_const(l, arm_pc_value(l) & ~3u) : arm_reg_get(l, n);
}

ir_val arm_state_get(struct arm_lift *l, uint32_t offset)
{
    return ir_get(l->b, IR_I32, offset);
}

void arm_state_put(struct arm_lift *l, uint32_t offset, ir_val v)
{
    if (l->select)
        v = ir_select(l->b, IR_I32, l->cond_value, v, ir_get(l->b, IR_I32, offset));
    ir_put(l->b, IR_I32, offset, v);
}

void arm_reg_put(struct arm_lift *l, unsigned n, ir_val v)
{
    if (n == 15) {
        arm_alu_write_pc(l, v);
        return;
    }
    if (n == 13 && arm_has(l, ARM_F_M)) { /* has no lower bits: ARM DDI 0403 B1.4.1 */
        v = ir_and(l->b, IR_I32, v, arm_const(l, ~3u));
        arm_m_check_stack(l, n, v);
    }
    arm_state_put(l, ARM_OFF(r) + 4 * n, v);
}

/* ---- flags ---- */

ir_val arm_flags_get(struct arm_lift *l)
{
    return ir_get(l->b, IR_I32, ARM_OFF(nzcv));
}

void arm_flags_put(struct arm_lift *l, ir_val nzcv)
{
    l->flags_changed = true;
    if (!l->select) {
        ir_put(l->b, IR_I32, ARM_OFF(nzcv), nzcv);
        return;
    }
    ir_val old = arm_flags_get(l);
    l->sel_cond = l->cond_value;
    l->sel_yes = nzcv;
    l->sel_no = old;
    l->sel_flags = ir_select(l->b, IR_I32, l->cond_value, nzcv, old);
    ir_put(l->b, IR_I32, ARM_OFF(nzcv), l->sel_flags);
}

/* A test of selected flags becomes a selection between two tests, each of which folds to a
 * compare: the packed flags of cmp; cmpne; beq are never made. */
ir_val arm_cond_test(struct arm_lift *l, unsigned cond)
{
    ir_val flags = arm_flags_get(l);

    if (flags != l->sel_flags)
        return ir_nzcv_test(l->b, cond, flags);
    return ir_select(l->b, IR_I32, l->sel_cond, ir_nzcv_test(l->b, cond, l->sel_yes),
                     ir_nzcv_test(l->b, cond, l->sel_no));
}

ir_val arm_carry(struct arm_lift *l)
{
    return arm_cond_test(l, 2);
}

void arm_set_q(struct arm_lift *l, ir_val truth)
{
    arm_state_put(l, ARM_OFF(q), ir_or(l->b, IR_I32, arm_state_get(l, ARM_OFF(q)), truth));
}

/* ---- shifts: ARM DDI 0406C A8.4.3 ---- */

static ir_val bit(struct arm_lift *l, ir_val v, unsigned n)
{
    return ir_ubfx(l->b, IR_I32, v, n, 1);
}

ir_val arm_shift_imm(struct arm_lift *l, ir_val v, unsigned type, unsigned n, ir_val *carry)
{
    struct ir_builder *b = l->b;
    ir_val out = IR_NONE, result = v;

    if (n && type == ARM_LSL) {
        out = carry ? bit(l, v, 32 - n) : IR_NONE;
        result = n < 32 ? ir_shl(b, IR_I32, v, arm_const(l, n)) : arm_const(l, 0);
    } else if (n && type == ARM_LSR) {
        out = carry ? bit(l, v, n - 1) : IR_NONE;
        result = n < 32 ? ir_shr(b, IR_I32, v, arm_const(l, n)) : arm_const(l, 0);
    } else if (n && type == ARM_ASR) {
        out = carry ? bit(l, v, n - 1) : IR_NONE;
        result = ir_sar(b, IR_I32, v, arm_const(l, n < 32 ? n : 31));
    } else if (n && type == ARM_ROR) {
        out = carry ? bit(l, v, n - 1) : IR_NONE;
        result = ir_ror(b, IR_I32, v, arm_const(l, n & 31));
    } else if (type == ARM_RRX) {
        out = carry ? bit(l, v, 0) : IR_NONE;
        result = ir_bfi(b, IR_I32, ir_shr(b, IR_I32, v, arm_const(l, 1)), arm_carry(l), 31, 1);
    }
    if (carry)
        *carry = out;
    return result;
}

/* Carry out of a shift by AMOUNT (1..255): the value is shifted in 64 bits so that the last bit
 * shifted out lands in a known place. */
static ir_val shift_reg_carry(struct arm_lift *l, ir_val v, unsigned type, ir_val amount,
                              ir_val result)
{
    struct ir_builder *b = l->b;
    ir_val capped, wide;

    if (type == ARM_ROR)
        return bit(l, result, 31);
    capped = ir_umin(b, IR_I32, amount, arm_const(l, 33));
    wide = type == ARM_ASR ? ir_sext(b, IR_I64, v) : ir_zext(b, IR_I64, v);
    if (type == ARM_LSL)
        return ir_trunc(b, IR_I32, ir_ubfx(b, IR_I64, ir_shl(b, IR_I64, wide, capped), 32, 1));
    wide = ir_shl(b, IR_I64, wide, arm_const(l, 1));
    wide = type == ARM_LSR ? ir_shr(b, IR_I64, wide, capped) : ir_sar(b, IR_I64, wide, capped);
    return bit(l, ir_trunc(b, IR_I32, wide), 0);
}

ir_val arm_shift_reg(struct arm_lift *l, ir_val v, unsigned type, ir_val amount, ir_val *carry)
{
    struct ir_builder *b = l->b;
    ir_val zero = arm_const(l, 0), result;

    amount = ir_ubfx(b, IR_I32, amount, 0, 8);
    if (type == ARM_ROR) {
        result = ir_ror(b, IR_I32, v, amount);
    } else if (type == ARM_ASR) {
        result = ir_sar(b, IR_I32, v, ir_umin(b, IR_I32, amount, arm_const(l, 31)));
    } else {
        result = type == ARM_LSL ? ir_shl(b, IR_I32, v, amount) : ir_shr(b, IR_I32, v, amount);
        result =
            ir_select(b, IR_I32, ir_cmp(b, IR_ULT, IR_I32, amount, arm_const(l, 32)), result, zero);
    }
    if (carry)
        *carry = ir_select(b, IR_I32, ir_cmp(b, IR_EQ, IR_I32, amount, zero), arm_carry(l),
                           shift_reg_carry(l, v, type, amount, result));
    return result;
}

ir_val arm_imm_carry(struct arm_lift *l)
{
    return l->i->imm_carry == ARM_CARRY_KEEP ? IR_NONE : arm_const(l, l->i->imm_carry);
}

ir_val arm_shifted_m(struct arm_lift *l, ir_val *carry)
{
    return arm_shift_imm(l, arm_reg_get(l, l->i->m), l->i->shift_type, l->i->shift_n, carry);
}

/* ---- memory ---- */

uint16_t arm_memop(struct arm_lift *l, unsigned size, unsigned flags)
{
    uint32_t op = size;

    if (flags & ARM_SIGNED)
        op |= IR_MEM_SIGNED;
    if (l->mode & ARM_KEY_BE && size)
        op |= IR_MEM_BE;
    if (l->mode & ARM_KEY_ALIGN || (flags & ARM_ALIGNED && arm_has(l, ARM_F_V6)))
        op |= IR_MEM_ALIGN(size);
    if (l->priv && !(flags & ARM_USER))
        op |= IR_MEM_MMU(1);
    if (flags & ARM_AGAIN)
        op |= IR_MEM_RESTARTED;
    return (uint16_t)op;
}

ir_val arm_place(struct arm_lift *l, ir_val addr, unsigned size)
{
    if (!(l->mode & ARM_KEY_BE32) || size >= 2)
        return addr;
    return ir_xor(l->b, IR_I32, addr, arm_const(l, size ? 2 : 3));
}

/* Before v6 an unaligned address is aligned down unless SCTLR.A checks it (DDI 0100I A2.8). */
static ir_val access_address(struct arm_lift *l, ir_val addr, unsigned size)
{
    if (!arm_has(l, ARM_F_V6) && !(l->mode & ARM_KEY_ALIGN) && size)
        addr = ir_and(l->b, IR_I32, addr, arm_const(l, ~((1u << size) - 1)));
    return arm_place(l, addr, size);
}

ir_val arm_load(struct arm_lift *l, ir_val addr, unsigned size, unsigned flags)
{
    return ir_ld(l->b, IR_I32, access_address(l, addr, size), arm_memop(l, size, flags));
}

void arm_store(struct arm_lift *l, ir_val addr, ir_val v, unsigned size, unsigned flags)
{
    ir_st(l->b, IR_I32, access_address(l, addr, size), v, arm_memop(l, size, flags));
}

ir_val arm_load_word(struct arm_lift *l, ir_val addr, unsigned flags)
{
    ir_val v = arm_load(l, addr, 2, flags);

    if (arm_has(l, ARM_F_V6) || l->mode & ARM_KEY_ALIGN)
        return v;
    return ir_ror(l->b, IR_I32, v, ir_shl(l->b, IR_I32, addr, arm_const(l, 3)));
}

ir_val arm_offset(struct arm_lift *l, ir_val base, bool up, ir_val offset)
{
    return up ? ir_add(l->b, IR_I32, base, offset) : ir_sub(l->b, IR_I32, base, offset);
}
