/* Multiplication and division (SDM 1 7.3.2.4). */
#include "guest/x86/lift.h"
#include "guest/x86/undefined.h"

/* CF = OF = TRUTH. The manuals leave SF, ZF, AF and PF undefined. */
static void product_flags(struct x86_lift *l, ir_val truth, ir_val low, unsigned bits)
{
    if (x86_undefined_of(l->model)->multiply_keeps) {
        x86_cc_set_cf_of(l, truth, truth);
        return;
    }
    struct ir_builder *b = l->b;
    x86_cc_set(l, X86_CC_LOGIC, bits, low, IR_NONE, IR_NONE, IR_NONE);
    ir_val flags = ir_and(b, IR_I32, x86_cc_flags(l), ir_const32(b, X86_SF | X86_PF));
    ir_val both = ir_and(b, IR_I32, ir_neg(b, IR_I32, truth), ir_const32(b, X86_CF | X86_OF));
    x86_cc_set_flags(l, ir_or(b, IR_I32, flags, both));
}

/* Truth: HIGH is not the sign extension of LOW. */
static ir_val overflows_signed(struct x86_lift *l, unsigned bits, ir_val low, ir_val high)
{
    enum ir_type t = x86_type(bits);
    ir_val sign = ir_sar(l->b, t, low, ir_const32(l->b, bits - 1));
    return ir_cmp(l->b, IR_NE, t, high, sign);
}

/* Both halves of A * B. Below 32 bits the product is one value. */
static ir_val multiply(struct x86_lift *l, unsigned bits, bool is_signed, ir_val a, ir_val b,
                       ir_val *high, ir_val *overflow)
{
    struct ir_builder *bb = l->b;
    enum ir_type t = x86_type(bits);
    if (bits < 32) {
        if (is_signed) {
            a = x86_sext(l, a, bits, 32);
            b = x86_sext(l, b, bits, 32);
        }
        ir_val product = ir_mul(bb, IR_I32, a, b), low = x86_cut(l, product, bits);
        ir_val back = is_signed ? x86_sext(l, low, bits, 32) : low;
        *high = ir_ubfx(bb, IR_I32, product, bits, bits);
        *overflow = ir_cmp(bb, IR_NE, IR_I32, product, back);
        return low;
    }
    ir_val low = ir_mul(bb, t, a, b);
    *high = is_signed ? ir_mulhs(bb, t, a, b) : ir_mulhu(bb, t, a, b);
    *overflow = is_signed ? overflows_signed(l, bits, low, *high)
                          : ir_cmp(bb, IR_NE, t, *high, x86_const(l, bits, 0));
    return low;
}

static void put_product(struct x86_lift *l, unsigned bits, ir_val low, ir_val high)
{
    if (bits == 8) {
        x86_gpr_put(l, X86_RAX, 16, ir_bfi(l->b, IR_I32, low, high, 8, 8));
    } else {
        x86_gpr_put(l, X86_RAX, bits, low);
        x86_gpr_put(l, X86_RDX, bits, high);
    }
}

/* MUL (argument 0) and the one-operand IMUL (1). */
static void multiply_accumulator(struct x86_lift *l, const struct x86_insn *i, bool is_signed)
{
    unsigned bits = i->op[0].size;
    ir_val b = x86_read(l, 0), a = x86_gpr_get(l, X86_RAX, bits), high, overflow;
    ir_val low = multiply(l, bits, is_signed, a, b, &high, &overflow);
    put_product(l, bits, low, high);
    product_flags(l, overflow, low, bits);
}

void x86_mul(struct x86_lift *l, const struct x86_insn *i)
{
    multiply_accumulator(l, i, false);
}

void x86_imul(struct x86_lift *l, const struct x86_insn *i)
{
    if (i->z.operand_count_visible == 1) {
        multiply_accumulator(l, i, true);
        return;
    }
    unsigned bits = i->op[0].size, first = i->z.operand_count_visible == 3;
    ir_val a = x86_read(l, first), high, overflow;
    ir_val b = first ? x86_const(l, bits, i->op[2].imm.value.u) : x86_read(l, 1);
    ir_val low = multiply(l, bits, true, a, b, &high, &overflow);
    x86_write(l, 0, low);
    product_flags(l, overflow, low, bits);
}

/* ---- division ---- */

/* Divides RDX:RAX by VALUE. False: no quotient of 64 bits. */
static bool divide_128(struct x86_state *s, uint64_t value, bool is_signed)
{
    unsigned __int128 n = (unsigned __int128)s->gpr[X86_RDX] << 64 | s->gpr[X86_RAX];
    if (value == 0)
        return false;
    if (is_signed) {
        __int128 sn = (__int128)n;
        int64_t d = (int64_t)value;
        if (d == -1 && sn == (__int128)((unsigned __int128)1 << 127))
            return false;
        __int128 q = sn / d;
        if (q != (int64_t)q)
            return false;
        s->gpr[X86_RAX] = (uint64_t)q;
        s->gpr[X86_RDX] = (uint64_t)(sn % d);
        return true;
    }
    if (s->gpr[X86_RDX] >= value)
        return false;
    s->gpr[X86_RAX] = (uint64_t)(n / value);
    s->gpr[X86_RDX] = (uint64_t)(n % value);
    return true;
}

static uint64_t divide_helper(struct nw_vcpu *vcpu, uint64_t value, uint64_t is_signed,
                              uint64_t unused1, uint64_t unused2)
{
    (void)unused1, (void)unused2;
    if (!divide_128(x86_of(vcpu), value, is_signed))
        x86_raise(vcpu, X86_DE, 0);
    return 0;
}

/* Gives the quotient. */
static ir_val divide(struct x86_lift *l, enum ir_type t, bool is_signed, ir_val n, ir_val d,
                     ir_val *rest)
{
    ir_val q = is_signed ? ir_sdiv(l->b, t, n, d) : ir_udiv(l->b, t, n, d);
    *rest = ir_sub(l->b, t, n, ir_mul(l->b, t, q, d));
    return q;
}

/* A 64-bit dividend N by a divisor D, both I64 and extended; quotients of BITS (<= 32). */
static void divide_narrow(struct x86_lift *l, unsigned bits, bool is_signed, ir_val n, ir_val d)
{
    struct ir_builder *b = l->b;
    ir_val q, r, back;

    x86_exception_if(l, ir_cmp(b, IR_EQ, IR_I64, d, ir_const64(b, 0)), X86_DE, 0);
    q = divide(l, IR_I64, is_signed, n, d, &r);
    back = is_signed ? ir_sbfx(b, IR_I64, q, 0, bits) : ir_ubfx(b, IR_I64, q, 0, bits);
    x86_exception_if(l, ir_cmp(b, IR_NE, IR_I64, q, back), X86_DE, 0);
    q = x86_cut(l, ir_trunc(b, IR_I32, q), bits);
    r = x86_cut(l, ir_trunc(b, IR_I32, r), bits);
    put_product(l, bits, q, r);
}

/* Almost all dividends are extended from 64 bits: those are divided here, the others by a helper.
 */
static void divide_wide(struct x86_lift *l, bool is_signed, ir_val d)
{
    static const struct ir_helper helper = {"x86_divide", divide_helper,
                                            IR_H_READS | IR_H_WRITES | IR_H_EXITS, IR_VOID, 2};
    struct ir_builder *b = l->b;
    ir_val low = x86_gpr_get(l, X86_RAX, 64), high = x86_gpr_get(l, X86_RDX, 64);
    ir_val extension = is_signed ? ir_sar(b, IR_I64, low, ir_const32(b, 63)) : ir_const64(b, 0);
    uint32_t hard = ir_label_new(b), done = ir_label_new(b);

    ir_skip_ifnot(b, ir_cmp(b, IR_EQ, IR_I64, high, extension), hard);
    /* Of these quotients only that of the lowest number by -1 does not fit. */
    ir_val fits = ir_cmp(b, IR_NE, IR_I64, d, ir_const64(b, 0));
    if (is_signed)
        fits = ir_cmp(b, IR_UGT, IR_I64, ir_add(b, IR_I64, d, ir_const64(b, 1)), ir_const64(b, 1));
    ir_skip_ifnot(b, fits, hard);
    ir_val r, q = divide(l, IR_I64, is_signed, low, d, &r);
    put_product(l, 64, q, r);
    ir_skip_if(b, ir_const32(b, 1), done);
    ir_label(b, hard);
    ir_call(b, &helper, d, ir_const32(b, is_signed), IR_NONE, IR_NONE);
    ir_label(b, done);
}

/* The dividend in DX:AX and so on, as I64. */
static ir_val dividend(struct x86_lift *l, unsigned bits, bool is_signed)
{
    struct ir_builder *b = l->b;
    ir_val n;
    if (bits == 8) {
        n = x86_gpr_get(l, X86_RAX, 16);
        return is_signed ? x86_sext(l, n, 16, 64) : x86_zext(l, n, 16, 64);
    }
    ir_val low = x86_zext(l, x86_gpr_get(l, X86_RAX, bits), bits, 64);
    ir_val high = x86_zext(l, x86_gpr_get(l, X86_RDX, bits), bits, 64);
    n = ir_or(b, IR_I64, low, ir_shl(b, IR_I64, high, ir_const32(b, bits)));
    return is_signed && bits == 16 ? ir_sbfx(b, IR_I64, n, 0, 32) : n;
}

/* The manuals leave all six undefined. */
static void division_flags(struct x86_lift *l)
{
    if (!x86_undefined_of(l->model)->divide_sets)
        return;
    ir_val cf = x86_cc_carry(l), of = x86_cc_test(l, 0);
    /* as a result of 1 has them */
    x86_cc_set(l, X86_CC_LOGIC, 32, ir_const32(l->b, 1), IR_NONE, IR_NONE, IR_NONE);
    x86_cc_set_af(l);
    x86_cc_set_cf_of(l, cf, of);
}

/* DIV (argument 0) and IDIV (1). */
void x86_div(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->op[0].size;
    bool is_signed = i->row->arg;
    ir_val d = x86_read(l, 0);
    if (bits == 64) {
        divide_wide(l, is_signed, d);
    } else {
        d = is_signed ? x86_sext(l, d, bits, 64) : x86_zext(l, d, bits, 64);
        divide_narrow(l, bits, is_signed, dividend(l, bits, is_signed), d);
    }
    division_flags(l);
}
