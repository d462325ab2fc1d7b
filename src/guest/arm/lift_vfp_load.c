/* VFP loads and stores, ARM DDI 0406C A8.8.332 (VLDM), A8.8.333 (VLDR), A8.8.412 (VSTM), A8.8.413
 * (VSTR); VPUSH and VPOP are forms of VSTM and VLDM. */
#include "guest/arm/lift_vfp.h"

/* Every access is made of words and checked for word alignment (A3.2.1); before v6 the address is
 * aligned down. */
static uint16_t memop(struct arm_lift *l, enum ir_type t, unsigned flags)
{
    uint32_t op = arm_memop(l, t == IR_F64 ? 3 : 2, flags) & ~IR_MEM_ALIGN(7);
    if (arm_has(l, ARM_F_V6) || l->mode & ARM_KEY_ALIGN)
        op |= IR_MEM_ALIGN(2);
    return (uint16_t)op;
}

static ir_val word_address(struct arm_lift *l, ir_val addr)
{
    if (arm_has(l, ARM_F_V6) || l->mode & ARM_KEY_ALIGN)
        return addr;
    return ir_and(l->b, IR_I32, addr, arm_const(l, ~3u));
}

/* In word-invariant memory a double's words are each where a word's load finds it, the first one
 * the least significant. */
static ir_val load(struct arm_lift *l, enum ir_type t, ir_val addr)
{
    ir_val v = ir_ld(l->b, t, addr, memop(l, t, 0));

    if (t != IR_F64 || !(l->mode & ARM_KEY_BE32))
        return v;
    v = ir_ror(l->b, IR_I64, ir_bitcast(l->b, IR_I64, v), arm_const(l, 32));
    return ir_bitcast(l->b, IR_F64, v);
}

static void store(struct arm_lift *l, enum ir_type t, ir_val addr, ir_val v, unsigned flags)
{
    if (t == IR_F64 && l->mode & ARM_KEY_BE32) {
        v = ir_ror(l->b, IR_I64, ir_bitcast(l->b, IR_I64, v), arm_const(l, 32));
        v = ir_bitcast(l->b, IR_F64, v);
    }
    ir_st(l->b, t, addr, v, memop(l, t, flags));
}

static unsigned first_register(const struct arm_insn *i)
{
    return i->size_bits ? i->D << 4 | i->d : i->d << 1 | i->D;
}

/* ---- one register ---- */

static ir_val single_address(struct arm_lift *l, const struct arm_insn *i)
{
    return word_address(
        l, arm_offset(l, arm_reg_get_aligned(l, i->n), i->U, arm_const(l, i->imm << 2)));
}

void arm_vldr(struct arm_lift *l, const struct arm_insn *i)
{
    enum ir_type t = vfp_width(i);
    unsigned d = first_register(i);

    if (vfp_check1(l, t, d))
        vfp_put(l, t, d, load(l, t, single_address(l, i)));
}

void arm_vstr(struct arm_lift *l, const struct arm_insn *i)
{
    enum ir_type t = vfp_width(i);
    unsigned d = first_register(i);

    if (!vfp_check1(l, t, d))
        return;
    if (i->n == 15 && l->thumb) { /* A8.8.413 */
        arm_unpredictable(l);
        return;
    }
    store(l, t, single_address(l, i), vfp_get(l, t, d), 0);
}

/* ---- many registers ---- */

struct list {
    enum ir_type type;
    unsigned first, count, bytes; /* bytes: by which the base moves */
    ir_val base, addr;
};

static ir_val moved(struct arm_lift *l, const struct arm_insn *i, const struct list *r)
{
    return arm_offset(l, r->base, i->U, arm_const(l, r->bytes));
}

static bool list_of(struct arm_lift *l, const struct arm_insn *i, struct list *r)
{
    r->type = vfp_width(i);
    r->first = first_register(i);
    r->count = i->size_bits ? i->imm / 2 : i->imm; /* an odd word is FLDMX's, never transferred */
    r->bytes = i->imm * 4;
    if (!(l->mode & ARM_KEY_VFP)) {
        arm_undefined(l);
        return false;
    }
    unsigned limit = r->type == IR_F64 ? vfp_nregs(l) : 32;
    if (r->count == 0 || r->first + r->count > limit || (r->type == IR_F64 && r->count > 16) ||
        (i->n == 15 && (i->W || l->thumb))) { /* A8.8.332, A8.8.412 */
        arm_unpredictable(l);
        return false;
    }
    arm_m_fp_used(l);
    r->base = arm_reg_get_aligned(l, i->n);
    r->addr =
        word_address(l, i->U ? r->base : arm_offset(l, r->base, false, arm_const(l, r->bytes)));
    if (i->W)
        arm_m_check_stack(l, i->n, moved(l, i, r));
    return true;
}

static void write_back(struct arm_lift *l, const struct arm_insn *i, const struct list *r)
{
    if (i->W)
        arm_reg_put(l, i->n, moved(l, i, r));
}

/* Nothing is written before the last access: an instruction that faults in the middle leaves all
 * registers as they were. */
void arm_vldm(struct arm_lift *l, const struct arm_insn *i)
{
    struct list r;
    ir_val v[32];

    if (!list_of(l, i, &r))
        return;
    unsigned size = ir_type_size((uint8_t)r.type);
    for (unsigned k = 0; k < r.count; k++) {
        ir_val addr = arm_offset(l, r.addr, true, arm_const(l, k * size));
        v[k] = load(l, r.type, addr);
    }
    for (unsigned k = 0; k < r.count; k++)
        vfp_put(l, r.type, r.first + k, v[k]);
    write_back(l, i, &r);
}

void arm_vstm(struct arm_lift *l, const struct arm_insn *i)
{
    struct list r;

    if (!list_of(l, i, &r))
        return;
    unsigned size = ir_type_size((uint8_t)r.type);
    for (unsigned k = 0; k < r.count; k++) {
        ir_val addr = arm_offset(l, r.addr, true, arm_const(l, k * size));
        store(l, r.type, addr, vfp_get(l, r.type, r.first + k), k ? ARM_AGAIN : 0);
    }
    write_back(l, i, &r);
}
