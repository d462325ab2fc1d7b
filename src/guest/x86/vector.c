/* Operands and rules of SSE and AVX instructions. */
#include "guest/x86/vector.h"

#include <string.h>

static ZydisRegisterClass class_of(const struct x86_insn *i, unsigned n)
{
    return x86_is_reg(i, n) ? ZydisRegisterGetClass(i->op[n].reg.value) : ZYDIS_REGCLASS_INVALID;
}

bool x86_is_mm(const struct x86_insn *i, unsigned n)
{
    return class_of(i, n) == ZYDIS_REGCLASS_MMX;
}

bool x86_vec_begin(struct x86_lift *l)
{
    uint32_t need = x86_is_vex(l->i) ? X86_KEY_AVX : X86_KEY_SSE;
    bool no_vex = x86_is_vex(l->i) && (!(l->mode & X86_KEY_PROT) || l->mode & X86_KEY_VM86);
    if (!(l->mode & need) || no_vex) {
        x86_undefined(l);
        return false;
    }
    if (l->mode & X86_KEY_TS) {
        x86_exception(l, X86_NM, 0, false);
        return false;
    }
    return true;
}

/* ---- unmasked exceptions (SDM 1 11.5) ---- */

static uint64_t fp_begin(struct nw_vcpu *vcpu, uint64_t unused1, uint64_t unused2, uint64_t unused3,
                         uint64_t unused4)
{
    (void)unused1, (void)unused2, (void)unused3, (void)unused4;
    x86_of(vcpu)->fp_sticky = vcpu_fp_take(vcpu);
    vcpu->fp.earlier = 0;
    return 0;
}

/* Invalid, denormal and zero divide are found before anything is computed: when one of them traps,
 * nothing else is reported. */
static uint64_t fp_end(struct nw_vcpu *vcpu, uint64_t unused1, uint64_t unused2, uint64_t unused3,
                       uint64_t unused4)
{
    (void)unused1, (void)unused2, (void)unused3, (void)unused4;
    struct x86_state *s = x86_of(vcpu);
    uint32_t raised = fp_mxcsr_flags(vcpu_fp_take(vcpu)), before = 7;
    uint32_t unmasked = ~(s->mxcsr >> 7) & 0x3f;

    if (raised & before & unmasked)
        raised &= before | fp_mxcsr_flags(vcpu->fp.earlier);
    vcpu->fp.flags |= s->fp_sticky | fp_flags_of_mxcsr(raised);
    if (raised & unmasked)
        x86_raise(vcpu, s->cr4 & 1u << 10 ? X86_XM : X86_UD, 0);
    return 0;
}

void x86_fp_begin(struct x86_lift *l)
{
    static const struct ir_helper helper = {"x86_fp_begin", fp_begin, IR_H_READS, IR_VOID, 0};
    if (l->mode & X86_KEY_FP_TRAP)
        x86_call(l, &helper, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
}

void x86_fp_end(struct x86_lift *l)
{
    static const struct ir_helper helper = {"x86_fp_end", fp_end, IR_H_READS | IR_H_EXITS, IR_VOID,
                                            0};
    if (l->mode & X86_KEY_FP_TRAP)
        x86_call(l, &helper, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
}

/* What the helper is told: operation, bytes << 16, immediate << 24. */
static uint64_t trapping_row(struct nw_vcpu *vcpu, uint64_t what, uint64_t unused1,
                             uint64_t unused2, uint64_t unused3)
{
    struct x86_state *s = x86_of(vcpu);
    union ir_vec io[4];

    memcpy(io, s->scratch, sizeof io);
    fp_begin(vcpu, unused1, unused2, unused3, 0);
    vec_call(&vcpu->fp, io, what & 0xffff, what >> 16 & 0xff, (uint32_t)(what >> 24));
    fp_end(vcpu, unused1, unused2, unused3, 0);
    memcpy(s->scratch, io, sizeof io[0]);
    return 0;
}

static ir_val make_trapping(struct x86_lift *l, enum vec_op op, enum ir_type type, const ir_val *v,
                            unsigned imm)
{
    static const struct ir_helper helper = {"x86_trapping_row", trapping_row,
                                            IR_H_READS | IR_H_WRITES | IR_H_EXITS, IR_VOID, 1};
    const struct vec_row *row = &vec_rows[op];
    for (unsigned n = 0; n < row->values; n++)
        ir_put(l->b, vec_type(row->operand[n], type), X86_OFF(scratch[n + 1]), v[n]);
    uint32_t what = op | ir_type_size(type) << 16 | imm << 24;
    ir_call(l->b, &helper, ir_const32(l->b, what), IR_NONE, IR_NONE, IR_NONE);
    return ir_get(l->b, vec_type(row->result, type), X86_OFF(scratch[0]));
}

ir_val x86_vec_make(struct x86_lift *l, enum vec_op op, enum ir_type type, const ir_val *v,
                    unsigned imm)
{
    const struct vec_row *row = &vec_rows[op];
    struct ir_builder *b = l->b;
    if (row->fp && l->mode & X86_KEY_FP_TRAP)
        return make_trapping(l, op, type, v, imm);
    switch (row->values) {
    case 1: return row->imm ? ir_v1i(b, type, op, v[0], imm) : ir_v1(b, type, op, v[0]);
    case 2: return row->imm ? ir_v2i(b, type, op, v[0], v[1], imm) : ir_v2(b, type, op, v[0], v[1]);
    default: return ir_v3(b, type, op, v[0], v[1], v[2]);
    }
}

/* ---- operands ---- */

unsigned x86_vec_reg(const struct x86_insn *i, unsigned n)
{
    return (unsigned)ZydisRegisterGetId(i->op[n].reg.value);
}

unsigned x86_vec_imm(const struct x86_insn *i)
{
    return i->op[i->z.operand_count_visible - 1].imm.value.u & 0xff;
}

enum ir_type x86_vec_type(const struct x86_insn *i)
{
    for (unsigned n = 0; n < i->z.operand_count_visible; n++)
        if (class_of(i, n) == ZYDIS_REGCLASS_YMM || (x86_is_mem(i, n) && i->op[n].size == 256))
            return IR_V256;
    return IR_V128;
}

/* AMD's processors do not check the alignment of the operands of SHA instructions. */
static bool unchecked(const struct x86_lift *l)
{
    return l->model->vendor == X86_VENDOR_AMD && l->i->z.meta.isa_set == ZYDIS_ISA_SET_SHA;
}

static ir_val load_vector(struct x86_lift *l, unsigned n)
{
    const ZydisDecodedOperand *op = &l->i->op[n];
    bool checked = !x86_is_vex(l->i) && op->size == 128 && !unchecked(l);
    unsigned flags = checked ? X86_ALIGNED : 0;
    ir_val addr = x86_address(l, op, false);
    switch (op->size) {
    case 256: return ir_ld(l->b, IR_V256, addr, x86_memop(l, 256, flags));
    case 128: return ir_ld(l->b, IR_V128, addr, x86_memop(l, 128, flags));
    case 64: return ir_v1(l->b, IR_V128, VEC_from_i64, x86_load(l, addr, 64, 0));
    default: return ir_v1(l->b, IR_V128, VEC_from_i32, x86_load(l, addr, op->size, 0));
    }
}

ir_val x86_vec_read(struct x86_lift *l, unsigned n, enum ir_type type)
{
    if (x86_is_mem(l->i, n))
        return load_vector(l, n);
    return ir_get(l->b, type, X86_OFF_YMM(x86_vec_reg(l->i, n)));
}

ir_val x86_vec_read_low(struct x86_lift *l, unsigned n, enum ir_type type)
{
    if (x86_is_mem(l->i, n)) {
        unsigned bits = ir_type_size(type) * 8;
        return ir_ld(l->b, type, x86_address(l, &l->i->op[n], false), x86_memop(l, bits, 0));
    }
    return ir_get(l->b, type, X86_OFF_YMM(x86_vec_reg(l->i, n)));
}

void x86_vec_write(struct x86_lift *l, unsigned n, ir_val v, enum ir_type type)
{
    uint32_t offset = X86_OFF_YMM(x86_vec_reg(l->i, n));
    if (type == IR_V128 && x86_is_vex(l->i))
        ir_put(l->b, IR_V256, offset, ir_v1(l->b, IR_V256, VEC_zext128, v));
    else
        ir_put(l->b, type, offset, v);
}

void x86_vec_write_low(struct x86_lift *l, unsigned n, unsigned rest, ir_val v, enum ir_type type)
{
    if (!x86_is_vex(l->i)) {
        ir_put(l->b, type, X86_OFF_YMM(x86_vec_reg(l->i, n)), v);
        return;
    }
    ir_val whole = ir_get(l->b, IR_V128, X86_OFF_YMM(x86_vec_reg(l->i, rest)));
    x86_vec_write(l, n,
                  ir_v2(l->b, IR_V128, type == IR_F32 ? VEC_with_f32 : VEC_with_f64, whole, v),
                  IR_V128);
}

void x86_vec_store(struct x86_lift *l, unsigned n, ir_val v, enum ir_type type, bool aligned)
{
    ir_val addr = x86_address(l, &l->i->op[n], true);
    ir_st(l->b, type, addr, v, x86_memop(l, ir_type_size(type) * 8, aligned ? X86_ALIGNED : 0));
}
