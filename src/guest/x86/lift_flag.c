/* Flag control (SDM 1 7.3.13) and BCD arithmetic (SDM 1 7.3.3). */
#include "guest/x86/lift.h"

/* ---- single flags ---- */

/* CLC (argument 0), STC (1). */
void x86_set_carry(struct x86_lift *l, const struct x86_insn *i)
{
    x86_cc_set_cf(l, ir_const32(l->b, i->row->arg));
}

void x86_cmc(struct x86_lift *l, const struct x86_insn *i)
{
    (void)i;
    x86_cc_set_cf(l, ir_xor(l->b, IR_I32, x86_cc_carry(l), ir_const32(l->b, 1)));
}

/* CLD (argument 0), STD (1). */
void x86_set_direction(struct x86_lift *l, const struct x86_insn *i)
{
    struct ir_builder *b = l->b;
    ir_val v = ir_get(b, IR_I32, X86_OFF(eflags));
    v = i->row->arg ? ir_or(b, IR_I32, v, ir_const32(b, X86_DF))
                    : ir_and(b, IR_I32, v, ir_const32(b, ~(uint32_t)X86_DF));
    ir_put(b, IR_I32, X86_OFF(eflags), v);
}

void x86_salc(struct x86_lift *l, const struct x86_insn *i)
{
    (void)i;
    x86_gpr_put(l, X86_RAX, 8, x86_cut(l, ir_neg(l->b, IR_I32, x86_cc_carry(l)), 8));
}

/* ---- SF, ZF, AF, PF and CF in AH ---- */

enum { AH_FLAGS = X86_SF | X86_ZF | X86_AF | X86_PF | X86_CF };

static bool lacks_lahf(const struct x86_lift *l)
{
    return l->bits == 64 && !x86_model_has(l->model, X86_F_LAHF64);
}

void x86_lahf(struct x86_lift *l, const struct x86_insn *i)
{
    struct ir_builder *b = l->b;
    (void)i;
    if (lacks_lahf(l)) {
        x86_undefined(l);
        return;
    }
    ir_val flags = ir_and(b, IR_I32, x86_cc_flags(l), ir_const32(b, AH_FLAGS));
    x86_reg_put(l, ZYDIS_REGISTER_AH, ir_or(b, IR_I32, flags, ir_const32(b, 2)));
}

void x86_sahf(struct x86_lift *l, const struct x86_insn *i)
{
    struct ir_builder *b = l->b;
    (void)i;
    if (lacks_lahf(l)) {
        x86_undefined(l);
        return;
    }
    ir_val of = ir_and(b, IR_I32, x86_cc_flags(l), ir_const32(b, X86_OF));
    ir_val flags = ir_and(b, IR_I32, x86_reg_get(l, ZYDIS_REGISTER_AH), ir_const32(b, AH_FLAGS));
    x86_cc_set_flags(l, ir_or(b, IR_I32, flags, of));
}

/* ---- BCD: rare enough for a helper ---- */

static uint32_t result_flags(uint8_t al)
{
    return (al & 0x80 ? X86_SF : 0) | (al ? 0 : X86_ZF) | (__builtin_parity(al) ? 0 : X86_PF);
}

/* Of AAA, AAS, DAA and DAS the manuals leave flags undefined: processors have them of the sum,
 * of AX or AL. */

/* SF, ZF, PF and OF of AL + BY. */
static uint32_t sum_flags(uint32_t al, int by)
{
    int sum = (int8_t)al + by;
    return result_flags((uint8_t)sum) | (sum != (int8_t)sum ? X86_OF : 0);
}

/* AAA, AAS: SIGN of what is added. */
static uint32_t adjust_ascii(uint32_t ax, uint32_t flags, int sign, uint32_t *out)
{
    bool adjust = (ax & 15) > 9 || flags & X86_AF;
    int sum = (int16_t)ax + (adjust ? sign * 0x106 : 0);
    *out = (sum & 0x8000 ? X86_SF : 0) | (sum & 0xffff ? 0 : X86_ZF) |
           (__builtin_parity(sum & 0xff) ? 0 : X86_PF) | (sum != (int16_t)sum ? X86_OF : 0) |
           (adjust ? X86_AF | X86_CF : 0);
    return (uint32_t)sum & 0xff0f;
}

/* DAA, DAS: SIGN of what is added. */
static uint32_t adjust_decimal(uint32_t ax, uint32_t flags, int sign, uint32_t *out)
{
    int al = ax & 0xff, by = 0;
    uint32_t now = 0;
    if ((al & 15) > 9 || flags & X86_AF) {
        by += sign * 6;
        now |= X86_AF;
        if (sign < 0 && al < 6)
            now |= X86_CF;
    }
    if (al > 0x99 || flags & X86_CF) {
        by += sign * 0x60;
        now |= X86_CF;
    }
    *out = sum_flags((uint32_t)al, by) | now;
    return (ax & 0xff00) | ((al + by) & 0xff);
}

/* AAM: the base is not 0. */
static uint32_t split(uint32_t ax, uint32_t base, uint32_t *out)
{
    uint32_t al = ax & 0xff;
    *out = result_flags((uint8_t)(al % base));
    return (al / base) << 8 | al % base;
}

/* AAD: an addition of 8 bits, with the flags of one. */
static uint32_t join(uint32_t ax, uint32_t base, uint32_t *out)
{
    uint32_t al = ax & 0xff, add = (ax >> 8) * base & 0xff, sum = al + add;
    *out = result_flags((uint8_t)sum) | (sum >> 8 ? X86_CF : 0) |
           ((al ^ add ^ sum) & 0x10 ? X86_AF : 0) | (~(al ^ add) & (al ^ sum) & 0x80 ? X86_OF : 0);
    return sum & 0xff;
}

/* AX and FLAGS in and out: AX in bits 0..15, the flags above. */
static uint64_t decimal_helper(struct nw_vcpu *vcpu, uint64_t op, uint64_t ax, uint64_t flags,
                               uint64_t base)
{
    (void)vcpu;
    uint32_t in = (uint32_t)ax, f = (uint32_t)flags, out = 0, v;
    switch ((enum x86_decimal)op) {
    case X86_AAA: v = adjust_ascii(in, f, 1, &out); break;
    case X86_AAS: v = adjust_ascii(in, f, -1, &out); break;
    case X86_DAA: v = adjust_decimal(in, f, 1, &out); break;
    case X86_DAS: v = adjust_decimal(in, f, -1, &out); break;
    case X86_AAM: v = split(in, (uint32_t)base, &out); break;
    default: v = join(in, (uint32_t)base, &out); break;
    }
    return v | out << 16;
}

/* AAA, AAS, AAM, AAD, DAA, DAS by argument. */
void x86_decimal(struct x86_lift *l, const struct x86_insn *i)
{
    static const struct ir_helper helper = {"x86_decimal", decimal_helper, IR_H_PURE, IR_I32, 4};
    struct ir_builder *b = l->b;
    enum x86_decimal op = (enum x86_decimal)i->row->arg;
    uint32_t base = 10;
    if (op == X86_AAM || op == X86_AAD)
        base = i->op[0].imm.value.u & 0xff;
    if (op == X86_AAM && base == 0) {
        x86_exception(l, X86_DE, 0, false);
        return;
    }
    ir_val v = ir_call(b, &helper, ir_const32(b, op), x86_gpr_get(l, X86_RAX, 16), x86_cc_flags(l),
                       ir_const32(b, base));
    x86_gpr_put(l, X86_RAX, 16, ir_ubfx(b, IR_I32, v, 0, 16));
    x86_cc_set_flags(l, ir_shr(b, IR_I32, v, ir_const32(b, 16)));
}
