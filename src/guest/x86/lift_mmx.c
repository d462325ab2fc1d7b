/* MMX: instructions on mm registers, the mantissas of the x87 registers (SDM 1 9.2). What SSE has
 * too comes here from the lifters of the xmm forms, whose rows it shares; a value is the low half
 * of a V128.
 *
 * An MMX instruction makes all of the x87 stack valid, with its top at register 0. One does that
 * for all that follow it in a block until an x87 instruction. */
#include "guest/x86/vector.h"
#include "guest/x86/x87.h"
#include "ir/vec.h"
#include "mem/mem.h"

/* ---- entering ---- */

static uint64_t nothing(struct nw_vcpu *vcpu, uint64_t unused1, uint64_t unused2, uint64_t unused3,
                        uint64_t unused4)
{
    (void)vcpu, (void)unused1, (void)unused2, (void)unused3, (void)unused4;
    return 0;
}

/* The helpers of x87 instructions change registers without saying so (IR_H_WRITES): values that are
 * known to be there, or only there, must not be any more. */
void x86_mmx_stale(struct x86_lift *l)
{
    static const struct ir_helper helper = {"x86_mmx_stale", nothing, IR_H_WRITES, IR_VOID, 0};
    if (l->mmx == X86_MMX_NONE)
        return;
    ir_call(l->b, &helper, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    l->mmx = X86_MMX_NONE;
}

/* False: an exception instead. To be called first, and enter() once nothing can fault. */
static bool begin(struct x86_lift *l)
{
    if (l->mode & X86_KEY_EM) {
        x86_undefined(l);
        return false;
    }
    if (l->mode & (X86_KEY_TS | X86_KEY_MF)) {
        x86_exception(l, l->mode & X86_KEY_TS ? X86_NM : X86_MF, 0, false);
        return false;
    }
    return true;
}

static void enter(struct x86_lift *l)
{
    static const struct ir_helper helper = {"x86_mmx_enter", x87_enter_mmx, 0, IR_VOID, 0};
    if (l->mmx != X86_MMX_ENTERED)
        x86_call(l, &helper, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    l->mmx = X86_MMX_ENTERED;
}

/* ---- operands ---- */

static uint32_t slot(const struct x86_insn *i, unsigned n)
{
    return X86_OFF(fpr[0]) + 16 * x86_vec_reg(i, n);
}

static ir_val read_low(struct x86_lift *l, unsigned n)
{
    if (x86_is_mem(l->i, n))
        return x86_vec_read_low(l, n, IR_F64);
    return ir_get(l->b, IR_F64, slot(l->i, n));
}

static ir_val read(struct x86_lift *l, unsigned n)
{
    if (x86_is_mem(l->i, n) && l->i->op[n].size == 32)
        return ir_v1(l->b, IR_V128, VEC_from_i32, x86_read(l, n));
    return ir_v1(l->b, IR_V128, VEC_from_f64, read_low(l, n));
}

/* Of type T: F64 or I64. */
static void write(struct x86_lift *l, unsigned n, enum ir_type t, ir_val v)
{
    uint32_t at = slot(l->i, n);
    enter(l);
    ir_put(l->b, t, at, v);
    ir_put(l->b, IR_I32, at + 8, ir_const32(l->b, 0xffff));
}

static void write_vector(struct x86_lift *l, unsigned n, ir_val v)
{
    write(l, n, IR_F64, ir_v1(l->b, IR_V128, VEC_to_f64, v));
}

/* ---- arithmetic ---- */

static ir_val v2(struct x86_lift *l, enum vec_op op, ir_val a, ir_val b)
{
    return ir_v2(l->b, IR_V128, op, a, b);
}

static ir_val v1i(struct x86_lift *l, enum vec_op op, ir_val a, unsigned imm)
{
    return ir_v1i(l->b, IR_V128, op, a, imm);
}

/* A in the lower half, B in the upper. */
static ir_val joined(struct x86_lift *l, ir_val a, ir_val b)
{
    return v2(l, VEC_ziplo64_lane, a, b);
}

/* The upper half of all that are interleaved. */
static ir_val zip_high(struct x86_lift *l, enum vec_op op, ir_val a, ir_val b)
{
    enum vec_op low = op == VEC_ziphi8_lane    ? VEC_ziplo8_lane
                      : op == VEC_ziphi16_lane ? VEC_ziplo16_lane
                                               : VEC_ziplo32_lane;
    return v1i(l, VEC_shrbytes_lane, v2(l, low, a, b), 8);
}

/* Indices have three bits here. */
static ir_val shuffle8(struct x86_lift *l, ir_val a, ir_val b)
{
    ir_val bits = ir_v1(l->b, IR_V128, VEC_from_i64, ir_const64(l->b, 0x8787878787878787));
    return v2(l, VEC_shuf8_lane, a, v2(l, VEC_and, b, bits));
}

static ir_val binary(struct x86_lift *l, enum vec_op op, ir_val a, ir_val b)
{
    switch (op) {
    case VEC_ziphi8_lane:
    case VEC_ziphi16_lane:
    case VEC_ziphi32_lane: return zip_high(l, op, a, b);
    case VEC_packs16_lane:
    case VEC_packs32_lane:
    case VEC_packu16_lane:
    case VEC_hadd16_lane:
    case VEC_hadd32_lane:
    case VEC_hadds16_lane:
    case VEC_hsub16_lane:
    case VEC_hsub32_lane:
    case VEC_hsubs16_lane: return v2(l, op, joined(l, a, b), joined(l, a, b));
    case VEC_shuf8_lane: return shuffle8(l, a, b);
    default: return v2(l, op, a, b);
    }
}

static void lift_row(struct x86_lift *l, const struct x86_insn *i, enum vec_op op)
{
    ir_val b = read(l, 1), v;
    if (op == VEC_align_lane)
        v = v1i(l, VEC_shrbytes_lane, joined(l, b, read(l, 0)), x86_vec_imm(i));
    else if (op == VEC_shuflo16_lane)
        v = v1i(l, op, b, x86_vec_imm(i));
    else if (vec_rows[op].values == 1)
        v = ir_v1(l->b, IR_V128, op, b);
    else
        v = binary(l, op, read(l, 0), b);
    write_vector(l, 0, v);
}

static void shift(struct x86_lift *l, const struct x86_insn *i)
{
    enum vec_op by_imm = i->row->arg & 0xffff, by_value = i->row->arg >> 16;
    ir_val a = read(l, 0);
    if (i->op[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
        write_vector(l, 0, v1i(l, by_imm, a, x86_vec_imm(i)));
    else
        write_vector(l, 0, v2(l, by_value, a, read(l, 1)));
}

/* ---- moves ---- */

/* MOVD, MOVQ, MOVNTQ: the size is that of the operand that is no mm register. */
static void move(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned other = x86_is_mm(i, 0), bits = i->op[other].size;
    if (x86_is_mm(i, 0) && x86_is_mm(i, 1)) {
        write(l, 0, IR_F64, read_low(l, 1));
    } else if (other == 1) {
        write(l, 0, IR_I64, x86_zext(l, x86_read(l, 1), bits, 64));
    } else {
        ir_val v = ir_get(l->b, IR_I64, slot(i, 1));
        x86_write(l, 0, x86_zext(l, v, 64, bits));
        enter(l);
    }
}

static void insert(struct x86_lift *l, const struct x86_insn *i)
{
    ir_val v = x86_is_mem(i, 1) ? x86_load(l, x86_address(l, &i->op[1], false), 16, 0)
                                : x86_gpr_get(l, x86_vec_reg(i, 1), 32);
    ir_val whole = ir_v2i(l->b, IR_V128, VEC_insert16, read(l, 0), v, x86_vec_imm(i) & 3);
    write_vector(l, 0, whole);
}

static void extract(struct x86_lift *l, const struct x86_insn *i)
{
    ir_val v = v1i(l, VEC_extract16, read(l, 1), x86_vec_imm(i) & 3);
    enter(l);
    x86_gpr_put(l, x86_vec_reg(i, 0), 32, v);
}

static void mask(struct x86_lift *l, const struct x86_insn *i)
{
    ir_val v = ir_v1(l->b, IR_V128, VEC_signs8, read(l, 1));
    enter(l);
    x86_gpr_put(l, x86_vec_reg(i, 0), 32, v);
}

void x86_mmx_op(struct x86_lift *l, const struct x86_insn *i)
{
    if (!begin(l))
        return;
    switch (i->z.mnemonic) {
    case ZYDIS_MNEMONIC_MOVD:
    case ZYDIS_MNEMONIC_MOVQ:
    case ZYDIS_MNEMONIC_MOVNTQ: move(l, i); break;
    case ZYDIS_MNEMONIC_PINSRW: insert(l, i); break;
    case ZYDIS_MNEMONIC_PEXTRW: extract(l, i); break;
    case ZYDIS_MNEMONIC_PMOVMSKB: mask(l, i); break;
    case ZYDIS_MNEMONIC_PSLLW:
    case ZYDIS_MNEMONIC_PSLLD:
    case ZYDIS_MNEMONIC_PSLLQ:
    case ZYDIS_MNEMONIC_PSRLW:
    case ZYDIS_MNEMONIC_PSRLD:
    case ZYDIS_MNEMONIC_PSRLQ:
    case ZYDIS_MNEMONIC_PSRAW:
    case ZYDIS_MNEMONIC_PSRAD: shift(l, i); break;
    default: lift_row(l, i, (enum vec_op)i->row->arg); break;
    }
}

/* ---- instructions without an xmm form ---- */

void x86_emms(struct x86_lift *l, const struct x86_insn *i)
{
    static const struct ir_helper helper = {"x86_emms", x87_leave_mmx, 0, IR_VOID, 0};
    (void)i;
    if (!begin(l))
        return;
    x86_call(l, &helper, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    l->mmx = X86_MMX_LEFT;
}

static uint64_t masked_store(struct nw_vcpu *vcpu, uint64_t addr, uint64_t value, uint64_t mask,
                             uint64_t memop)
{
    bool wraps = !(x86_of(vcpu)->mode & X86_KEY_CODE64);

    mem_probe(vcpu, addr, (uint32_t)memop | 3 | IR_MEM_RMW);
    for (unsigned n = 0; n < 8 && vcpu->leave == VCPU_LEAVE_NONE; n++) {
        uint64_t at = wraps ? (uint32_t)(addr + n) : addr + n;
        if (mask >> (8 * n + 7) & 1)
            mem_store(vcpu, at, value >> 8 * n & 0xff, (uint32_t)memop);
    }
    return 0;
}

/* A fault does not depend on the mask, and finds the stack as MMX leaves it: AMD's processors. */
void x86_maskmovq(struct x86_lift *l, const struct x86_insn *i)
{
    static const struct ir_helper helper = {"x86_maskmovq", masked_store, IR_H_READS | IR_H_EXITS,
                                            IR_VOID, 4};
    if (!begin(l))
        return;
    enter(l);
    ir_val addr = x86_address(l, &i->op[2], true);
    x86_call(l, &helper, addr, ir_get(l->b, IR_I64, slot(i, 0)), ir_get(l->b, IR_I64, slot(i, 1)),
             ir_const32(l->b, x86_memop(l, 8, 0)));
}

/* ---- between mm and xmm ---- */

void x86_movq2dq(struct x86_lift *l, const struct x86_insn *i)
{
    (void)i;
    if (!x86_vec_begin(l) || !begin(l))
        return;
    ir_val v = read(l, 1);
    enter(l);
    x86_vec_write(l, 0, v, IR_V128);
}

void x86_movdq2q(struct x86_lift *l, const struct x86_insn *i)
{
    (void)i;
    if (x86_vec_begin(l) && begin(l))
        write(l, 0, IR_F64, x86_vec_read_low(l, 1, IR_F64));
}

/* CVTPI2PS, CVTPI2PD; from memory they are not MMX instructions. #XM finds the stack as MMX leaves
 * it. */
void x86_cvtpi2p(struct x86_lift *l, const struct x86_insn *i)
{
    enum vec_op op = (enum vec_op)i->row->arg;
    bool from_mm = x86_is_mm(i, 1), single = op == VEC_s32_to_f32;
    if (!x86_vec_begin(l) || (from_mm && !begin(l)))
        return;
    ir_val from = read(l, 1);
    if (from_mm)
        enter(l);
    if (single)
        x86_fp_begin(l);
    ir_val v = ir_v1(l->b, IR_V128, op, from);
    if (single)
        x86_fp_end(l);
    if (single)
        x86_vec_write_low(l, 0, 0, ir_v1(l->b, IR_V128, VEC_to_f64, v), IR_F64);
    else
        x86_vec_write(l, 0, v, IR_V128);
}

/* CVTPS2PI, CVTPD2PI and their truncating sisters. */
void x86_cvtp2pi(struct x86_lift *l, const struct x86_insn *i)
{
    enum vec_op op = (enum vec_op)i->row->arg;
    bool single = op == VEC_f32_to_s32 || op == VEC_f32_to_s32_trunc;
    if (!x86_vec_begin(l) || !begin(l))
        return;
    ir_val from = single ? ir_v1(l->b, IR_V128, VEC_from_f64, x86_vec_read_low(l, 1, IR_F64))
                         : x86_vec_read(l, 1, IR_V128);
    enter(l);
    x86_fp_begin(l);
    ir_val v = ir_v1(l->b, IR_V128, op, from);
    x86_fp_end(l);
    write_vector(l, 0, v);
}
