/* Scalar floating point: the host's instructions under the guest's rounding mode, with the results
 * that the host gets wrong for the guest recomputed by fp/soft.h on a cold path:
 *   - NaNs: the guest's rules for which NaN and which sign differ;
 *   - the smallest normal number: ARM detects underflow before rounding, x86 after it, and the
 *     flags differ only when a tiny value is rounded up to it;
 *   - conversions out of the integer's range.
 * The host's exception flags are right or too few in those cases, never too many. An x86 guest's
 * operations are the host's own, without all that. */
#include <stddef.h>
#include "host/x86_64/emit.h"
#include "host/x86_64/constants.h"

enum check { CHECK_NAN, CHECK_NAN_OR_TINY };

static struct x_mem constant_at(const struct host_emitter *e, bool d, uint32_t of64, uint32_t of32)
{
    return runtime_at(e, e->rt->constants + (d ? of64 : of32));
}

static void set_operands(struct host_emitter *e, struct stub *s, const struct ir_insn *i)
{
    const char *shape = ir_rows[i->op].operands;
    s->ref[0] = stub_operand(e, i->a);
    if (shape[1] == 'v')
        s->ref[1] = stub_operand(e, i->b);
    if (shape[2] == 'v')
        s->ref[2] = stub_operand(e, i->c);
}

static void finish(struct host_emitter *e, ir_val v, struct stub *s, unsigned d)
{
    s->dst = (uint8_t)d;
    s->resume = asm_pos(&e->a);
    s->live = live_xmm(e, d);
    ra_bind(e, v, d);
}

/* The whole operation by fp/soft.h: modes that the host does not have. */
static bool emit_soft(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    if (!(i->aux & IR_FP_SOFT))
        return false;
    const char *shape = ir_rows[i->op].operands;
    ra_use(e, i->a);
    if (shape[1] == 'v')
        ra_use(e, i->b);
    if (shape[2] == 'v')
        ra_use(e, i->c);
    unsigned d = ra_def(e, v, REG_NONE, 0);
    struct stub *s = stub_add(e, STUB_FLOAT, v);
    set_operands(e, s, i);
    finish(e, v, s, d);
    stub_float_inline(e, s);
    return true;
}

/* D holds a result of type I->type; unusual ones go to the stub. T is scratch. */
static void check_result(struct host_emitter *e, struct stub *s, bool wide, enum check what,
                         unsigned d, unsigned t)
{
    if (what == CHECK_NAN) {
        v_comi(&e->a, wide, false, d, d);
        stub_jcc(e, s, X_P);
        return;
    }
    v_rrm(&e->a, 0x54 | X_0F, t, d, constant_at(e, wide, CONSTANT(abs64), CONSTANT(abs32)));
    e->a.flags = 0;
    v_rrm(&e->a, 0x2e | X_0F | (wide ? X_66 : 0), t, 0,
          constant_at(e, wide, CONSTANT(min64), CONSTANT(min32)));
    stub_jcc(e, s, X_E); /* unordered sets ZF too */
}

static bool x86_rules(const struct host_emitter *e)
{
    return e->guest->fp_rules == FP_RULES_X86;
}

static struct x_mem home_of(const struct host_emitter *e, ir_val v)
{
    return state_at(e->values.at[v].home);
}

/* The host's instruction and nothing else. */
static void plain(struct host_emitter *e, ir_val v, const struct ir_insn *i, uint32_t op)
{
    bool two = ir_rows[i->op].operands[1] == 'v';
    unsigned a = ra_use(e, i->a), b = a;
    bool from_state = two && ra_state_only(e, i->b);
    if (two && !from_state)
        b = ra_use(e, i->b);
    unsigned d = ra_def(e, v, ra_reusable(e, i->a), 0);
    if (from_state)
        v_rrm(&e->a, op, d - XMM(0), a - XMM(0), home_of(e, i->b));
    else
        v_rrr(&e->a, op, d - XMM(0), a - XMM(0), b - XMM(0));
    ra_bind(e, v, d);
}

static void binary(struct host_emitter *e, ir_val v, const struct ir_insn *i, enum v_fp op,
                   enum check what)
{
    if (emit_soft(e, v, i))
        return;
    bool wide = type_is_64(i->type);
    if (x86_rules(e)) {
        plain(e, v, i, op | X_0F | (wide ? X_F2 : X_F3));
        return;
    }
    unsigned a = ra_use(e, i->a), b = op == V_SQRT ? a : ra_use(e, i->b);
    unsigned d = ra_def(e, v, REG_NONE, 0), t = what == CHECK_NAN ? d : ra_temp_xmm(e);
    struct stub *s = stub_add(e, STUB_FLOAT, v);
    set_operands(e, s, i);
    v_arith(&e->a, wide, op, d - XMM(0), a - XMM(0), b - XMM(0));
    check_result(e, s, wide, what, d - XMM(0), t - XMM(0));
    finish(e, v, s, d);
}

void emit_fadd(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    binary(e, v, i, V_ADD, CHECK_NAN);
}

void emit_fsub(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    binary(e, v, i, V_SUB, CHECK_NAN);
}

void emit_fmul(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    binary(e, v, i, V_MUL, CHECK_NAN_OR_TINY);
}

void emit_fdiv(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    binary(e, v, i, V_DIV, CHECK_NAN_OR_TINY);
}

void emit_fsqrt(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    binary(e, v, i, V_SQRT, CHECK_NAN);
}

/* Of scalar VFMADD132, VFMSUB132, VFNMADD132 or VFNMSUB132 without the bits that say which operand
 * is overwritten: 0x90 the first factor (132), 0xa0 the second (213), 0xb0 the addend (231). */
static uint32_t fma_opcode(const struct ir_insn *i)
{
    return 0x09u + (i->aux & FP_NEG_ADDEND ? 2 : 0) + (i->aux & FP_NEG_PRODUCT ? 4 : 0) + X_0F38 +
           X_66 + (type_is_64(i->type) ? X_W : 0);
}

static unsigned reusable_of(const struct host_emitter *e, ir_val x, ir_val y)
{
    unsigned reuse = ra_reusable(e, x);
    return reuse == REG_NONE ? ra_reusable(e, y) : reuse;
}

/* NaNs count in the order of a, b, c in all three forms. One of b and c may come from memory. */
static void plain_fma(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    uint32_t op = fma_opcode(i);
    unsigned a = ra_use(e, i->a) - XMM(0), b = 0, c = 0;
    bool b_state = ra_state_only(e, i->b) && i->b != i->c;
    if (!b_state)
        b = ra_use(e, i->b) - XMM(0);
    bool c_state = !b_state && ra_state_only(e, i->c);
    if (!c_state)
        c = ra_use(e, i->c) - XMM(0);
    unsigned reuse = c_state ? ra_reusable(e, i->b) : reusable_of(e, i->c, i->a);
    if (reuse == REG_NONE && !b_state)
        reuse = ra_reusable(e, i->b);
    unsigned d = ra_def(e, v, reuse, 0) - XMM(0);
    if (c_state) {
        ra_move(e, XMM(d), XMM(b), i->type);
        v_rrm(&e->a, op | 0xa0, d, a, home_of(e, i->c));
    } else if (b_state && d == a) {
        v_rrm(&e->a, op | 0x90, d, c, home_of(e, i->b));
    } else if (b_state) {
        ra_move(e, XMM(d), XMM(c), i->type);
        v_rrm(&e->a, op | 0xb0, d, a, home_of(e, i->b));
    } else if (d == a) {
        v_rrr(&e->a, op | 0x90, d, c, b);
    } else if (d == b) {
        v_rrr(&e->a, op | 0xa0, d, a, c);
    } else {
        ra_move(e, XMM(d), XMM(c), i->type);
        v_rrr(&e->a, op | 0xb0, d, a, b);
    }
    ra_bind(e, v, XMM(d));
}

void emit_fma(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    if (emit_soft(e, v, i))
        return;
    bool wide = type_is_64(i->type);
    if (x86_rules(e)) {
        plain_fma(e, v, i);
        return;
    }
    unsigned a = ra_use(e, i->a), b = ra_use(e, i->b), c = ra_use(e, i->c);
    unsigned d = ra_def(e, v, REG_NONE, 0), t = ra_temp_xmm(e);
    struct stub *s = stub_add(e, STUB_FLOAT, v);
    set_operands(e, s, i);
    v_mov(&e->a, d - XMM(0), c - XMM(0));
    v_rrr(&e->a, fma_opcode(i) | 0xb0, d - XMM(0), a - XMM(0), b - XMM(0));
    check_result(e, s, wide, CHECK_NAN_OR_TINY, d - XMM(0), t - XMM(0));
    finish(e, v, s, d);
}

/* ---- signs ---- */

static void sign(struct host_emitter *e, ir_val v, const struct ir_insn *i, uint32_t op,
                 struct x_mem mask)
{
    unsigned a = ra_use(e, i->a), d = ra_def(e, v, ra_reusable(e, i->a), 0);
    v_rrm(&e->a, op | X_0F, d - XMM(0), a - XMM(0), mask);
    ra_bind(e, v, d);
}

void emit_fneg(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    sign(e, v, i, 0x57, constant_at(e, type_is_64(i->type), CONSTANT(sign64), CONSTANT(sign32)));
}

void emit_fabs(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    sign(e, v, i, 0x54, constant_at(e, type_is_64(i->type), CONSTANT(abs64), CONSTANT(abs32)));
}

/* ---- comparison ---- */

/* The nibble from ZF PF CF of vucomis a, b: greater 2, less 8 (CF), equal 6 (ZF), unordered 3 (all
 * set), as nibbles of one constant. */
void emit_fcmp(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    if (emit_soft(e, v, i))
        return;
    struct asm_buf *x = &e->a;
    ra_take(e, RAX);
    unsigned a = ra_use(e, i->a), b = ra_use(e, i->b), d = ra_def(e, v, REG_NONE, 1u << RAX);
    v_comi(x, type_is_64(i->type), i->aux & 1, a - XMM(0), b - XMM(0));
    asm_u8(x, 0x9f); /* lahf */
    v_rrm(x, 0xf5 | X_0F38 | X_F3, RAX, RAX, runtime_at(e, e->rt->constants + CONSTANT(zpc)));
    x_shift_imm(x, 0, X_SHL, RAX, 2);
    x_mov_imm(x, d, 0x30060082);
    x_shiftx(x, 0, X_SHRX, d, d, RAX);
    x_alu_imm(x, 0, X_AND, d, 15);
    ra_bind(e, v, d);
}

/* ---- conversions ---- */

/* Widening is exact, but its NaNs may have to be the default one; narrowing may be tiny. */
void emit_fcvt(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    if (emit_soft(e, v, i))
        return;
    bool widens = i->type == IR_F64;
    if (x86_rules(e)) {
        plain(e, v, i, 0x5a | X_0F | (widens ? X_F3 : X_F2));
        return;
    }
    unsigned a = ra_use(e, i->a), d = ra_def(e, v, REG_NONE, 0), t = widens ? d : ra_temp_xmm(e);
    struct stub *s = stub_add(e, STUB_FLOAT, v);
    set_operands(e, s, i);
    v_rrr(&e->a, 0x5a | X_0F | (widens ? X_F3 : X_F2), d - XMM(0), a - XMM(0), a - XMM(0));
    check_result(e, s, widens, widens ? CHECK_NAN : CHECK_NAN_OR_TINY, d - XMM(0), t - XMM(0));
    finish(e, v, s, d);
}

/* cvtts or cvts to a general register. */
static void convert(struct host_emitter *e, bool from64, bool wide, bool truncate, unsigned d,
                    unsigned x)
{
    v_rrr(&e->a, (truncate ? 0x2cu : 0x2du) | X_0F | (from64 ? X_F2 : X_F3) | (wide ? X_W : 0), d,
          0, x);
}

/* Rounding modes that are neither the current one nor towards zero take two steps here, with
 * flags that depend on both: left to fp/soft.h. */
static bool by_stub_only(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    unsigned round = i->aux & 7;
    if (round == FP_RZ || round == FP_CURRENT)
        return emit_soft(e, v, i);
    struct ir_insn always = *i;
    always.aux |= IR_FP_SOFT;
    return emit_soft(e, v, &always);
}

/* The host gives the most negative integer for what does not fit; when it is the true result the
 * cold path finds that out. */
void emit_f2si(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    if (by_stub_only(e, v, i))
        return;
    bool from64 = ir_result_type(insn_of(e, i->a)) == IR_F64, wide = i->type == IR_I64;
    unsigned round = i->aux & 7;
    unsigned a = ra_use(e, i->a), d = ra_def(e, v, REG_NONE, 0);
    if (x86_rules(e)) {
        convert(e, from64, wide, round != FP_CURRENT, d, a - XMM(0));
        ra_bind(e, v, d);
        return;
    }
    struct stub *s = stub_add(e, STUB_FLOAT, v);
    set_operands(e, s, i);
    convert(e, from64, wide, round != FP_CURRENT, d, a - XMM(0));
    x_alu_imm(&e->a, wide ? X_W : 0, X_CMP, d, 1);
    stub_jcc(e, s, X_O);
    finish(e, v, s, d);
}

/* Only numbers from 0 up to the type's range are converted here, found by their exponent before
 * any flag is raised; with rounding other than towards zero only up to half the range. */
void emit_f2ui(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    if (by_stub_only(e, v, i))
        return;
    bool from64 = ir_result_type(insn_of(e, i->a)) == IR_F64, wide = i->type == IR_I64;
    unsigned round = i->aux & 7, bias = from64 ? 1023 : 127;
    unsigned limit = bias + (wide ? 63 : 32) - (round != FP_RZ);
    unsigned a = ra_use(e, i->a), d = ra_def(e, v, REG_NONE, 0), bits = ra_temp(e);
    struct stub *s = stub_add(e, STUB_FLOAT, v);
    set_operands(e, s, i);
    v_to_gpr(&e->a, from64, bits, a - XMM(0));
    x_shift_imm(&e->a, from64 ? X_W : 0, X_SHR, bits, from64 ? 52 : 23);
    x_alu_imm(&e->a, 0, X_CMP, bits, (int32_t)limit);
    stub_jcc(e, s, X_AE);
    convert(e, from64, true, round != FP_CURRENT, d, a - XMM(0));
    finish(e, v, s, d);
}

static void from_int(struct host_emitter *e, bool to64, bool wide, unsigned d, unsigned a)
{
    v_rrr(&e->a, 0x57 | X_0F, d, d,
          d); /* the instruction keeps the upper part: a false dependency */
    v_rrr(&e->a, 0x2a | X_0F | (to64 ? X_F2 : X_F3) | (wide ? X_W : 0), d, d, a);
}

void emit_si2f(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    if (emit_soft(e, v, i))
        return;
    bool wide = ir_result_type(insn_of(e, i->a)) == IR_I64;
    unsigned a = ra_use(e, i->a), d = ra_def(e, v, REG_NONE, 0);
    from_int(e, i->type == IR_F64, wide, d - XMM(0), a);
    ra_bind(e, v, d);
}

void emit_ui2f(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    if (emit_soft(e, v, i))
        return;
    bool wide = ir_result_type(insn_of(e, i->a)) == IR_I64;
    unsigned a = ra_use(e, i->a), d = ra_def(e, v, REG_NONE, 0);
    if (!wide) { /* zero-extended: a positive 64-bit number */
        from_int(e, i->type == IR_F64, true, d - XMM(0), a);
        ra_bind(e, v, d);
        return;
    }
    struct stub *s = stub_add(e, STUB_FLOAT, v);
    set_operands(e, s, i);
    x_test(&e->a, X_W, a, a);
    stub_jcc(e, s, X_S);
    from_int(e, i->type == IR_F64, true, d - XMM(0), a);
    finish(e, v, s, d);
}

/* ---- what only x86 has ---- */

static uint32_t scalar(const struct ir_insn *i, uint32_t op)
{
    return op | X_0F | (type_is_64(i->type) ? X_F2 : X_F3);
}

void emit_fminx(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    if (!emit_soft(e, v, i))
        plain(e, v, i, scalar(i, 0x5d));
}

void emit_fmaxx(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    if (!emit_soft(e, v, i))
        plain(e, v, i, scalar(i, 0x5f));
}

void emit_frcpx(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    plain(e, v, i, 0x53 | X_0F | X_F3);
}

void emit_frsqrtx(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    plain(e, v, i, 0x52 | X_0F | X_F3);
}

void emit_fround(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    static const uint8_t control[8] = {
        [FP_RN] = 0, [FP_RP] = 2, [FP_RM] = 1, [FP_RZ] = 3, [FP_CURRENT] = 4};
    if (emit_soft(e, v, i))
        return;
    plain(e, v, i, (type_is_64(i->type) ? 0x0bu : 0x0au) | X_0F3A | X_66);
    asm_u8(&e->a, control[i->aux & 7] | (i->aux & IR_FP_QUIET ? 8 : 0));
}

void emit_fcmpm(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    if (emit_soft(e, v, i))
        return;
    plain(e, v, i, scalar(i, 0xc2));
    asm_u8(&e->a, i->aux & 31);
}

static void compare(struct host_emitter *e, const struct ir_insn *i, bool signaling)
{
    unsigned a = ra_use(e, i->a);
    bool wide = type_is_64(i->type);
    if (ra_state_only(e, i->b))
        v_comi_mem(&e->a, wide, signaling, a - XMM(0), home_of(e, i->b));
    else
        v_comi(&e->a, wide, signaling, a - XMM(0), ra_use(e, i->b) - XMM(0));
    flags_set(e, FLAGS_FCOM, i->type, i->a, i->b, NO_VALUE);
}

enum x_cc emit_fcc_compare(struct host_emitter *e, const struct ir_insn *i)
{
    if (!flags_hold(e, FLAGS_FCOM, i))
        compare(e, i, false);
    return (enum x_cc)i->aux;
}

/* EFLAGS stay as they are for the fcc that follows. lahf gives bit 1 too, which is always set. */
void emit_fcmpx(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    if (emit_soft(e, v, i))
        return;
    bool used = e->values.at[v].uses;
    if (used)
        ra_take(e, RAX);
    uint32_t locked = e->locked;
    compare(e, i, i->aux & 1);
    if (!used)
        return;
    e->locked = locked;               /* the operands are consumed; moves keep EFLAGS */
    asm_u8(&e->a, 0x9f);              /* lahf */
    x_rr(&e->a, 0xb6 | X_0F, RAX, 4); /* movzx eax, ah */
    unsigned d = ra_def(e, v, RAX, 0);
    x_lea(&e->a, 0, d, x_at(RAX, -2));
    ra_bind(e, v, d);
}
