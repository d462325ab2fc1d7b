/* Stack frames and several registers at once: ENTER, LEAVE, PUSHA, POPA (SDM 1 6.5, 7.3.1.2);
 * BOUND.
 */
#include "guest/x86/lift.h"

/* Register N + OFFSET as an offset in the stack. */
static ir_val stack_offset(struct x86_lift *l, unsigned n, int32_t offset)
{
    unsigned bits = x86_stack_bits(l);
    ir_val by = x86_const(l, bits, (uint64_t)(int64_t)offset);
    return x86_cut(l, ir_add(l->b, x86_type(bits), x86_gpr_get(l, n, bits), by), bits);
}

/* Registers change once every push has succeeded. */
void x86_enter(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->z.operand_width, stack = x86_stack_bits(l);
    int32_t size = (int32_t)bits / 8, level = i->op[1].imm.value.u & 31, pushed = 1;
    int32_t room = (int32_t)(i->op[0].imm.value.u & 0xffff);
    ir_val frame = stack_offset(l, X86_RSP, -size);
    ir_val frame_value = x86_zext(l, frame, stack, bits);

    x86_store(l, x86_stack_address(l, -size, bits, true), x86_gpr_get(l, X86_RBP, bits), bits, 0);
    for (int32_t n = 1; n < level; n++) {
        ir_val from =
            x86_linear(l, X86_SS, stack_offset(l, X86_RBP, -n * size), stack, bits / 8, false);
        ir_val v = x86_load(l, from, bits, 0);
        x86_store(l, x86_stack_address(l, -++pushed * size, bits, true), v, bits, 0);
    }
    if (level > 0)
        x86_store(l, x86_stack_address(l, -++pushed * size, bits, true), frame_value, bits, 0);
    ir_val sp = stack_offset(l, X86_RSP, -pushed * size - room);
    /* The new top must be writable (SDM 2, ENTER). */
    if (room)
        x86_probe_write(l, x86_linear(l, X86_SS, sp, stack, bits / 8, true), bits);
    x86_gpr_put(l, X86_RBP, bits, frame_value);
    x86_gpr_put(l, X86_RSP, stack, sp);
}

void x86_leave(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->z.operand_width, stack = x86_stack_bits(l);
    ir_val frame = x86_gpr_get(l, X86_RBP, stack);
    ir_val addr = x86_linear(l, X86_SS, frame, stack, bits / 8, false);
    ir_val v = x86_load(l, addr, bits, 0);
    ir_val sp = stack_offset(l, X86_RBP, (int32_t)bits / 8);
    x86_gpr_put(l, X86_RSP, stack, sp);
    x86_gpr_put(l, X86_RBP, bits, v);
}

/* The stack pointer is pushed as it was before. */
void x86_pusha(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->row->arg;
    int32_t size = (int32_t)bits / 8;
    for (int32_t n = 0; n < 8; n++)
        x86_store(l, x86_stack_address(l, -(n + 1) * size, bits, true),
                  x86_gpr_get(l, (unsigned)n, bits), bits, 0);
    x86_stack_move(l, -8 * size);
}

/* The stack pointer is skipped. A fault leaves the registers loaded so far, as on processors: the
 * instruction can start over all the same. */
void x86_popa(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->row->arg;
    int32_t size = (int32_t)bits / 8;
    for (int32_t n = 7; n >= 0; n--) {
        if (n == X86_RSP)
            continue;
        ir_val addr = x86_stack_address(l, (7 - n) * size, bits, false);
        x86_gpr_put(l, (unsigned)n, bits, x86_load(l, addr, bits, 0));
    }
    x86_stack_move(l, 8 * size);
}

void x86_bound(struct x86_lift *l, const struct x86_insn *i)
{
    struct ir_builder *b = l->b;
    unsigned bits = i->op[0].size;
    ir_val index = x86_read(l, 0), addr = x86_address(l, &i->op[1], false);
    ir_val low = x86_load(l, addr, bits, 0);
    ir_val high = x86_load(l, x86_address_add(l, addr, bits / 8), bits, 0);
    if (bits == 16) {
        index = x86_sext(l, index, 16, 32);
        low = ir_sbfx(b, IR_I32, low, 0, 16);
        high = ir_sbfx(b, IR_I32, high, 0, 16);
    }
    ir_val out = ir_or(b, IR_I32, ir_cmp(b, IR_SLT, IR_I32, index, low),
                       ir_cmp(b, IR_SGT, IR_I32, index, high));
    x86_exception_if(l, out, X86_BR, 0);
}
