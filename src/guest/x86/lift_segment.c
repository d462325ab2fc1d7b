/* Segment registers: MOV, PUSH, POP, LDS and its sisters (SDM 2A, 2B; 3A 3.4.3, 6.8.3). */
#include "guest/x86/descriptor.h"
#include "guest/x86/lift.h"
#include "guest/x86/undefined.h"
#include "guest/x86/segment.h"

static bool real_or_vm86(const struct x86_lift *l)
{
    return !(l->mode & X86_KEY_PROT) || l->mode & X86_KEY_VM86;
}

static unsigned segment_of(ZydisRegister r)
{
    return (unsigned)(r - ZYDIS_REGISTER_ES);
}

static uint32_t offset_of(unsigned seg, uint32_t field)
{
    return field + seg * (uint32_t)sizeof(struct x86_segment);
}

static ir_val selector_get(struct x86_lift *l, unsigned seg)
{
    return x86_cut(l, ir_get(l->b, IR_I32, offset_of(seg, X86_OFF(seg[0].selector))), 16);
}

static uint64_t load_helper(struct nw_vcpu *vcpu, uint64_t seg, uint64_t selector, uint64_t unused1,
                            uint64_t unused2)
{
    (void)unused1, (void)unused2;
    struct x86_state *s = x86_of(vcpu);

    if (!x86_segment_load(vcpu, (unsigned)seg, (uint16_t)selector))
        return 0;
    /* The pointer follows in the next instruction: nothing may come between (SDM 3A 6.8.3). */
    if (seg == X86_SS) {
        s->inhibit = X86_INHIBIT_SS;
        x86_mode_update(s);
    }
    return 0;
}

/* In real mode only the base changes, so that the block can go on unless it takes DS, ES and SS for
 * flat. */
static bool load_inline(struct x86_lift *l, unsigned seg, ir_val selector)
{
    struct ir_builder *b = l->b;
    bool mode_may_change = l->mode & X86_KEY_SEG_FLAT && seg != X86_FS && seg != X86_GS;

    if (!real_or_vm86(l) || seg == X86_SS || mode_may_change)
        return false;
    uint32_t word = offset_of(seg, X86_OFF(seg[0].selector));
    ir_put(b, IR_I32, word, ir_bfi(b, IR_I32, ir_get(b, IR_I32, word), selector, 0, 16));
    ir_val base = ir_shl(b, IR_I32, selector, ir_const32(b, 4));
    ir_put(b, IR_I64, offset_of(seg, X86_OFF(seg[0].base)), ir_zext(b, IR_I64, base));
    return true;
}

/* The last thing that can fault. True: the block must end behind the instruction, by
 * x86_leave_state. */
static bool load(struct x86_lift *l, unsigned seg, ir_val selector)
{
    static const struct ir_helper helper = {"x86_segment_load", load_helper,
                                            IR_H_READS | IR_H_WRITES | IR_H_EXITS, IR_VOID, 2};
    bool data_64 = l->mode & X86_KEY_CODE64 && seg != X86_SS;

    if (load_inline(l, seg, selector))
        return false;
    x86_call(l, &helper, ir_const32(l->b, seg), selector, IR_NONE, IR_NONE);
    return !data_64 && seg != X86_FS && seg != X86_GS;
}

void x86_mov_segment(struct x86_lift *l, const struct x86_insn *i)
{
    const ZydisDecodedOperand *to = &i->op[0];
    bool store = i->op[1].type == ZYDIS_OPERAND_TYPE_REGISTER &&
                 ZydisRegisterGetClass(i->op[1].reg.value) == ZYDIS_REGCLASS_SEGMENT;

    if (store) {
        ir_val v = selector_get(l, segment_of(i->op[1].reg.value));
        x86_write(l, 0, x86_zext(l, v, 16, to->size));
        return;
    }
    unsigned seg = segment_of(to->reg.value);
    if (seg == X86_CS) {
        x86_undefined(l);
        return;
    }
    const ZydisDecodedOperand *from = &i->op[1];
    ir_val v = from->type == ZYDIS_OPERAND_TYPE_MEMORY
                   ? x86_load(l, x86_address(l, from, false), 16, 0)
                   : x86_zext(l, x86_reg_get(l, from->reg.value), from->size, 16);
    if (load(l, seg, v))
        x86_leave_state(l);
}

/* With 32-bit operands Intel's processors write the selector only, AMD's zero-extend it. */
void x86_push_segment(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->z.operand_width;
    int32_t size = (int32_t)bits / 8;
    ir_val v = selector_get(l, segment_of(i->op[0].reg.value));

    if (bits != 32 || l->model->vendor != X86_VENDOR_INTEL) {
        x86_push(l, x86_zext(l, v, 16, bits), bits);
        return;
    }
    x86_store(l, x86_stack_address(l, -size, bits, true), v, 16, 0);
    x86_stack_move(l, -size);
}

void x86_pop_segment(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->z.operand_width, seg = segment_of(i->op[0].reg.value);
    ir_val v = x86_zext(l, x86_top(l, bits), bits, 16);
    bool leave = load(l, seg, v);

    x86_stack_move(l, (int32_t)bits / 8);
    if (leave)
        x86_leave_state(l);
}

unsigned x86_far_offset_bits(const struct x86_lift *l, unsigned bits)
{
    return bits == 64 && x86_undefined_of(l->model)->far_offset32 ? 32 : bits;
}

/* LDS, LES, LFS, LGS, LSS: argument is the segment register. */
void x86_load_pointer(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->op[0].size, read = x86_far_offset_bits(l, bits);
    ir_val addr = x86_address(l, &i->op[1], false);
    ir_val offset = x86_zext(l, x86_load(l, addr, read, 0), read, bits);
    ir_val selector = x86_load(l, x86_address_add(l, addr, read / 8), 16, 0);
    bool leave = load(l, i->row->arg, selector);

    x86_reg_put(l, i->op[0].reg.value, offset);
    if (leave)
        x86_leave_state(l);
}

/* ---- LAR, LSL, VERR, VERW, ARPL, and the system segment registers ---- */

/* Not recognised without protection; true: #UD has been raised. */
static bool unprotected(struct x86_lift *l)
{
    if (!real_or_vm86(l))
        return false;
    x86_undefined(l);
    return true;
}

static ir_val selector_operand(struct x86_lift *l, unsigned n)
{
    const ZydisDecodedOperand *op = &l->i->op[n];

    if (op->type == ZYDIS_OPERAND_TYPE_MEMORY)
        return x86_load(l, x86_address(l, op, false), 16, 0);
    return x86_zext(l, x86_reg_get(l, op->reg.value), op->size, 16);
}

static void put_zf(struct x86_lift *l, ir_val truth)
{
    struct ir_builder *b = l->b;
    x86_cc_set_flags(l, ir_bfi(b, IR_I32, x86_cc_flags(l), truth, 6, 1));
}

enum query { QUERY_LAR, QUERY_LSL, QUERY_VERR, QUERY_VERW };
#define QUERY_OK (1ull << 32)

static bool system_type_ok(const struct x86_state *s, unsigned type, enum query query)
{
    uint32_t lar = x86_long(s) ? 1u << 2 | 1u << 9 | 1u << 11 | 1u << 12
                               : 0x3e | 1u << 9 | 1u << 11 | 1u << 12;
    uint32_t lsl = x86_long(s) ? 1u << 2 | 1u << 9 | 1u << 11
                               : 1u << 1 | 1u << 2 | 1u << 3 | 1u << 9 | 1u << 11;
    return (query == QUERY_LAR ? lar : query == QUERY_LSL ? lsl : 0) >> type & 1;
}

/* SDM 2A LAR, LSL; 2B VERR. */
static bool query_ok(const struct x86_state *s, const struct x86_desc *d, unsigned rpl,
                     enum query query)
{
    unsigned cpl = x86_cpl(s), type = x86_desc_type(d), least = rpl > cpl ? rpl : cpl;
    bool visible = x86_desc_is_conforming(d) || least <= x86_desc_dpl(d);

    if (!x86_desc_is_segment(d))
        return system_type_ok(s, type, query) && visible;
    if (query == QUERY_VERR && x86_desc_is_code(d) && !(type & X86_SEG_READABLE))
        return false;
    if (query == QUERY_VERW && !x86_desc_is_writable(d))
        return false;
    return visible;
}

static uint64_t query_helper(struct nw_vcpu *vcpu, uint64_t selector, uint64_t query,
                             uint64_t unused1, uint64_t unused2)
{
    (void)unused1, (void)unused2;
    struct x86_desc d;

    if (x86_desc_read(vcpu, (uint16_t)selector, &d) != X86_DESC_OK ||
        !query_ok(x86_of(vcpu), &d, selector & 3, (enum query)query))
        return 0;
    if (query == QUERY_LSL)
        return QUERY_OK | x86_desc_segment(&d, 0).limit;
    return QUERY_OK | (d.hi & 0x00ffff00);
}

static ir_val call_query(struct x86_lift *l, ir_val selector, enum query query, ir_val *ok)
{
    static const struct ir_helper helper = {"x86_query", query_helper, IR_H_READS | IR_H_EXITS,
                                            IR_I64, 2};
    ir_val v = x86_call(l, &helper, selector, ir_const32(l->b, query), IR_NONE, IR_NONE);

    *ok = ir_trunc(l->b, IR_I32, ir_ubfx(l->b, IR_I64, v, 32, 1));
    return ir_trunc(l->b, IR_I32, v);
}

/* LAR, LSL: argument is enum query. */
void x86_lar(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->op[0].size;
    ir_val ok;

    if (unprotected(l))
        return;
    ir_val v = call_query(l, selector_operand(l, 1), i->row->arg, &ok);
    v = x86_zext(l, v, 32, bits);
    v = ir_select(l->b, x86_type(bits), ok, v, x86_reg_get(l, i->op[0].reg.value));
    put_zf(l, ok);
    x86_reg_put(l, i->op[0].reg.value, v);
}

/* VERR, VERW: argument is enum query. */
void x86_verify(struct x86_lift *l, const struct x86_insn *i)
{
    ir_val ok;

    if (unprotected(l))
        return;
    call_query(l, selector_operand(l, 0), i->row->arg, &ok);
    put_zf(l, ok);
}

void x86_arpl(struct x86_lift *l, const struct x86_insn *i)
{
    struct ir_builder *b = l->b;
    (void)i;

    if (unprotected(l))
        return;
    struct x86_place place = x86_place(l, 0);
    ir_val to = x86_place_read(l, &place, 0), from = x86_read(l, 1);
    ir_val rpl = ir_ubfx(b, IR_I32, from, 0, 2);
    ir_val raise = ir_cmp(b, IR_ULT, IR_I32, ir_ubfx(b, IR_I32, to, 0, 2), rpl);
    ir_val raised = ir_bfi(b, IR_I32, to, rpl, 0, 2);
    if (place.mem) { /* written when it changes only */
        uint32_t label = ir_label_new(b);
        ir_skip_ifnot(b, raise, label);
        x86_place_write(l, &place, raised, to, false);
        ir_label(b, label);
    } else {
        x86_place_write(l, &place, ir_select(b, IR_I32, raise, raised, to), to, false);
    }
    put_zf(l, raise);
}

static uint64_t umip_helper(struct nw_vcpu *vcpu, uint64_t unused0, uint64_t unused1,
                            uint64_t unused2, uint64_t unused3)
{
    (void)unused0, (void)unused1, (void)unused2, (void)unused3;
    if (x86_of(vcpu)->cr4 & X86_CR4_UMIP)
        x86_raise(vcpu, X86_GP, 0);
    return 0;
}

void x86_umip_check(struct x86_lift *l)
{
    static const struct ir_helper helper = {"x86_umip", umip_helper, IR_H_READS | IR_H_EXITS,
                                            IR_VOID, 0};
    if (l->cpl)
        x86_call(l, &helper, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
}

/* SLDT, STR: argument is enum x86_seg. */
void x86_store_system(struct x86_lift *l, const struct x86_insn *i)
{
    if (unprotected(l))
        return;
    x86_umip_check(l);
    x86_write(l, 0, x86_zext(l, selector_get(l, i->row->arg), 16, i->op[0].size));
}

static uint64_t load_system_helper(struct nw_vcpu *vcpu, uint64_t seg, uint64_t selector,
                                   uint64_t unused1, uint64_t unused2)
{
    (void)unused1, (void)unused2;
    (seg == X86_TR ? x86_tr_load : x86_ldt_load)(vcpu, (uint16_t)selector);
    return 0;
}

/* LLDT, LTR: argument is enum x86_seg. */
void x86_load_system(struct x86_lift *l, const struct x86_insn *i)
{
    static const struct ir_helper helper = {"x86_load_system", load_system_helper,
                                            IR_H_READS | IR_H_WRITES | IR_H_EXITS, IR_VOID, 2};
    if (unprotected(l))
        return;
    if (l->cpl) {
        x86_gp0(l);
        return;
    }
    ir_val selector = selector_operand(l, 0);
    x86_call(l, &helper, ir_const32(l->b, i->row->arg), selector, IR_NONE, IR_NONE);
}
