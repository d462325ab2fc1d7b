/* Data transfer: MOV and its relatives, XCHG, CMOVcc, SETcc, sign extension (SDM 1 7.3.1). */
#include "guest/x86/lift.h"
#include "guest/x86/undefined.h"

/* The class of the special register that N is, or NONE for an ordinary operand. */
static ZydisRegisterClass special(const struct x86_insn *i, unsigned n)
{
    if (i->op[n].type != ZYDIS_OPERAND_TYPE_REGISTER)
        return ZYDIS_REGCLASS_INVALID;
    switch (ZydisRegisterGetClass(i->op[n].reg.value)) {
    case ZYDIS_REGCLASS_SEGMENT: return ZYDIS_REGCLASS_SEGMENT;
    case ZYDIS_REGCLASS_CONTROL: return ZYDIS_REGCLASS_CONTROL;
    case ZYDIS_REGCLASS_DEBUG: return ZYDIS_REGCLASS_DEBUG;
    default: return ZYDIS_REGCLASS_INVALID;
    }
}

void x86_mov(struct x86_lift *l, const struct x86_insn *i)
{
    ZydisRegisterClass class = special(i, 0);
    if (class == ZYDIS_REGCLASS_INVALID)
        class = special(i, 1);
    switch (class) {
    case ZYDIS_REGCLASS_SEGMENT: x86_mov_segment(l, i); break;
    case ZYDIS_REGCLASS_CONTROL: x86_mov_control(l, i); break;
    case ZYDIS_REGCLASS_DEBUG: x86_mov_debug(l, i); break;
    default: x86_write(l, 0, x86_read(l, 1)); break;
    }
}

void x86_movzx(struct x86_lift *l, const struct x86_insn *i)
{
    x86_write(l, 0, x86_zext(l, x86_read(l, 1), i->op[1].size, i->op[0].size));
}

void x86_movsx(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned from = i->op[1].size, to = i->op[0].size;
    ir_val v = x86_read(l, 1);
    x86_write(l, 0, from < to ? x86_sext(l, v, from, to) : x86_zext(l, v, from, to));
}

void x86_lea(struct x86_lift *l, const struct x86_insn *i)
{
    ir_val offset = x86_effective(l, &i->op[1]);
    x86_write(l, 0, x86_zext(l, offset, x86_addr_bits(l), i->op[0].size));
}

/* With memory it is atomic, LOCK or not (SDM 2, XCHG). */
void x86_xchg(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned m = i->op[1].type == ZYDIS_OPERAND_TYPE_MEMORY, r = 1 - m;
    struct x86_place place = x86_place(l, m);
    ir_val v = x86_read(l, r), was;
    if (place.mem) {
        was = x86_place_atomic(l, &place, IR_atomic_xchg, v);
    } else {
        was = x86_place_read(l, &place, 0);
        x86_place_write(l, &place, v, was, false);
    }
    x86_write(l, r, was);
}

void x86_cmov(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->op[0].size;
    ir_val v = x86_read(l, 1), old = x86_read(l, 0);
    x86_write(l, 0, ir_select(l->b, x86_type(bits), x86_cc_test(l, i->row->arg), v, old));
}

void x86_setcc(struct x86_lift *l, const struct x86_insn *i)
{
    x86_write(l, 0, x86_cc_test(l, i->row->arg));
}

void x86_bswap(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->op[0].size;
    if (bits == 16) /* undefined; processors give 0 */
        x86_write(l, 0, ir_const32(l->b, 0));
    else
        x86_write(l, 0, ir_bswap(l->b, x86_type(bits), x86_read(l, 0)));
}

/* CBW, CWDE, CDQE: argument is the size of the result. */
void x86_cbw(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned to = i->row->arg;
    x86_gpr_put(l, X86_RAX, to, x86_sext(l, x86_gpr_get(l, X86_RAX, to / 2), to / 2, to));
}

/* CWD, CDQ, CQO: argument is the size of the operand. */
void x86_cwd(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->row->arg;
    enum ir_type t = x86_type(bits);
    ir_val v = x86_gpr_get(l, X86_RAX, bits);
    if (bits < 32)
        v = x86_sext(l, v, bits, 32);
    v = ir_sar(l->b, t, v, ir_const32(l->b, bits == 64 ? 63 : 31));
    x86_gpr_put(l, X86_RDX, bits, x86_cut(l, v, bits));
}

void x86_movbe(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->op[0].size;
    ir_val v = ir_bswap(l->b, x86_type(bits), x86_read(l, 1));
    x86_write(l, 0, bits == 16 ? ir_shr(l->b, IR_I32, v, ir_const32(l->b, 16)) : v);
}

void x86_xlat(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned n = i->op[0].type != ZYDIS_OPERAND_TYPE_MEMORY, bits = x86_addr_bits(l);
    ir_val index = x86_zext(l, x86_gpr_get(l, X86_RAX, 8), 8, bits);
    ir_val offset = ir_add(l->b, x86_type(bits), x86_gpr_get(l, X86_RBX, bits), index);
    ir_val addr =
        x86_linear(l, x86_operand_segment(&i->op[n]), x86_cut(l, offset, bits), bits, 1, false);
    x86_gpr_put(l, X86_RAX, 8, x86_load(l, addr, 8, 0));
}

/* MFENCE; other loads and stores are in order as they are. */
void x86_mfence(struct x86_lift *l, const struct x86_insn *i)
{
    (void)i;
    ir_fence(l->b);
}

/* CLFLUSH and its relatives: caches are not modelled, but the address must be readable. */
void x86_clflush(struct x86_lift *l, const struct x86_insn *i)
{
    x86_load(l, x86_address(l, &i->op[0], false), 8, 0);
}

void x86_nop(struct x86_lift *l, const struct x86_insn *i)
{
    bool prefetch = i->z.meta.isa_set == ZYDIS_ISA_SET_PREFETCH_NOP;
    if (prefetch && i->op[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
        x86_undefined_of(l->model)->prefetch_reg)
        x86_undefined(l);
}
