/* Advanced SIMD: modified immediates (ARM DDI 0406C A7.4.6) and core registers (A7.8). */
#include "guest/arm/lift_neon.h"

/* ---- one register and a modified immediate ---- */

#define BYTES     0x0101010101010101u
#define HALFWORDS 0x0001000100010001u
#define WORDS     0x0000000100000001u

static uint64_t every_bit_a_byte(uint32_t imm)
{
    uint64_t v = 0;

    for (unsigned k = 0; k < 8; k++)
        v |= imm >> k & 1 ? (uint64_t)0xff << 8 * k : 0;
    return v;
}

/* AdvSIMDExpandImm (A7.4.6) */
static uint64_t expanded(unsigned op, unsigned cmode, uint64_t imm)
{
    switch (cmode >> 1) {
    case 0:
    case 1:
    case 2:
    case 3: return (imm << 8 * (cmode >> 1)) * WORDS;
    case 4: return imm * HALFWORDS;
    case 5: return (imm << 8) * HALFWORDS;
    case 6: return (cmode & 1 ? imm << 16 | 0xffff : imm << 8 | 0xff) * WORDS;
    }
    if (!(cmode & 1))
        return op ? every_bit_a_byte((uint32_t)imm) : imm * BYTES;
    uint64_t sign = imm >> 7, b = imm >> 6 & 1;
    return (sign << 31 | (b ^ 1) << 30 | (b ? 0x1full : 0) << 25 | (imm & 0x3f) << 19) * WORDS;
}

/* VMOV, VMVN, VORR, VBIC */
void arm_vmov_modified(struct arm_lift *l, const struct arm_insn *i)
{
    unsigned cmode = i->mask;
    bool combined = cmode & 1 && cmode < 12;

    if (!neon_check(l, (i->Q && i->d & 1) || (i->op && cmode == 15)))
        return;
    ir_val v = neon_constant(l, expanded(i->op, cmode, i->imm));
    if (combined)
        v = i->op ? neon_v2(l, VEC_nand, v, neon_get(l, i->Q, i->d))
                  : neon_v2(l, VEC_or, v, neon_get(l, i->Q, i->d));
    else if (i->op && cmode != 14)
        v = neon_not(l, v);
    neon_put(l, i->Q, i->d, v);
}

/* ---- bytes and halfwords of core registers; words are VFP's ---- */

struct element {
    unsigned size, at; /* log2 of its bytes; the first one */
};

/* opc1:opc2 as A8.8.341 and A8.8.342 list them. False: UNDEFINED, or UNPREDICTABLE. */
static bool element_of(struct arm_lift *l, const struct arm_insn *i, struct element *e)
{
    bool byte = i->imm & 8;

    if (!neon_check(l, !byte && !(i->imm & 1)))
        return false;
    if (arm_bad_reg(l, i->t)) {
        arm_unpredictable(l);
        return false;
    }
    *e = byte ? (struct element){0, i->imm & 7} : (struct element){1, i->imm & 6};
    return true;
}

void arm_vmov_core_element(struct arm_lift *l, const struct arm_insn *i)
{
    struct element e;

    if (!element_of(l, i, &e))
        return;
    ir_val v = ir_zext(l->b, IR_I64, arm_reg_get(l, i->t));
    neon_put_d(l, i->n, ir_bfi(l->b, IR_I64, neon_get_d(l, i->n), v, 8 * e.at, 8u << e.size));
}

void arm_vmov_element_core(struct arm_lift *l, const struct arm_insn *i)
{
    struct element e;

    if (!element_of(l, i, &e))
        return;
    unsigned at = 8 * (e.at & 3), width = 8u << e.size;
    ir_val word = ir_get(l->b, IR_I32, neon_slot(i->n) + (e.at & ~3u));
    arm_reg_put(l, i->t,
                i->U ? ir_ubfx(l->b, IR_I32, word, at, width)
                     : ir_sbfx(l->b, IR_I32, word, at, width));
}

/* VDUP: h for bytes, x for halfwords */
void arm_vdup_core(struct arm_lift *l, const struct arm_insn *i)
{
    if (!neon_check(l, (i->h && i->x) || (i->Q && i->d & 1)))
        return;
    if (arm_bad_reg(l, i->t)) { /* A8.8.314 */
        arm_unpredictable(l);
        return;
    }
    neon_put(l, i->Q, i->d, neon_dup(l, i->h ? 0 : i->x ? 1 : 2, arm_reg_get(l, i->t)));
}
