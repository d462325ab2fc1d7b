/* Advanced SIMD: what moves elements about: VREV, VSWP, VTRN, VUZP, VZIP (ARM DDI 0406C A7.4.5),
 * VEXT, VTBL, VTBX and VDUP of a scalar (A7.4). */
#include "guest/arm/lift_neon.h"

/* The two doublewords of a constant. */
static ir_val constant(struct arm_lift *l, uint64_t low, uint64_t high)
{
    return neon_join(l, ir_const64(l->b, low), ir_const64(l->b, high));
}

/* ---- VREV ---- */

/* Elements are reversed within 1 << CONTAINER bytes. */
static void reverse(struct arm_lift *l, const struct arm_insn *i, unsigned container)
{
    uint64_t from = 0;
    unsigned flip = (1u << container) - (1u << i->size_bits);

    if (!neon_check(l, neon_odd2(i) || i->size_bits >= container))
        return;
    for (unsigned k = 0; k < 8; k++)
        from |= (uint64_t)(k ^ flip) << 8 * k;
    ir_val bytes = constant(l, from, from | 0x0808080808080808);
    neon_put(l, i->Q, i->d, neon_v2(l, VEC_shuf8_lane, neon_get(l, i->Q, i->m), bytes));
}

ARM_LIFT(vrev64, reverse(l, i, 3))
ARM_LIFT(vrev32, reverse(l, i, 2))
ARM_LIFT(vrev16, reverse(l, i, 1))

/* ---- two registers change ---- */

static void put_both(struct arm_lift *l, const struct arm_insn *i, ir_val d, ir_val m)
{
    neon_put(l, i->Q, i->d, d);
    neon_put(l, i->Q, i->m, m);
}

void arm_vswp(struct arm_lift *l, const struct arm_insn *i)
{
    if (!neon_check(l, neon_odd2(i) || i->size_bits))
        return;
    ir_val d = neon_get(l, i->Q, i->d), m = neon_get(l, i->Q, i->m);
    put_both(l, i, m, d);
}

void arm_vtrn(struct arm_lift *l, const struct arm_insn *i)
{
    static const uint64_t evens[] = {0x00ff00ff00ff00ff, 0x0000ffff0000ffff, 0xffffffff};
    static const enum vec_op shl[] = {VEC_shl16_imm, VEC_shl32_imm, VEC_shl64_imm};
    static const enum vec_op shr[] = {VEC_shr16_imm, VEC_shr32_imm, VEC_shr64_imm};
    unsigned size = i->size_bits, bits = 8u << size;

    if (!neon_check(l, neon_odd2(i) || size == 3))
        return;
    ir_val d = neon_get(l, i->Q, i->d), m = neon_get(l, i->Q, i->m);
    ir_val even = neon_constant(l, evens[size]);
    ir_val new_d =
        neon_v2(l, VEC_or, neon_v2(l, VEC_and, even, d), neon_v1i(l, shl[size], m, bits));
    ir_val new_m =
        neon_v2(l, VEC_or, neon_v1i(l, shr[size], d, bits), neon_v2(l, VEC_nand, even, m));
    put_both(l, i, new_d, new_m);
}

static bool zip_defined(const struct arm_insn *i)
{
    return !neon_odd2(i) && i->size_bits != 3 && (i->Q || i->size_bits != 2);
}

/* The doublewords of V. */
static void put_halves(struct arm_lift *l, const struct arm_insn *i, ir_val v)
{
    neon_put_d(l, i->d, neon_v1(l, VEC_to_i64, v));
    neon_put_d(l, i->m, neon_v1i(l, VEC_extract64, v, 1));
}

void arm_vzip(struct arm_lift *l, const struct arm_insn *i)
{
    static const enum vec_op low[] = {VEC_ziplo8_lane, VEC_ziplo16_lane, VEC_ziplo32_lane};
    static const enum vec_op high[] = {VEC_ziphi8_lane, VEC_ziphi16_lane, VEC_ziphi32_lane};

    if (!neon_check(l, !zip_defined(i)))
        return;
    ir_val d = neon_get(l, i->Q, i->d), m = neon_get(l, i->Q, i->m);
    ir_val first = neon_v2(l, low[i->size_bits], d, m);
    if (i->Q)
        put_both(l, i, first, neon_v2(l, high[i->size_bits], d, m));
    else
        put_halves(l, i, first);
}

/* The even elements of V, then the odd ones. */
static ir_val parted(struct arm_lift *l, unsigned size, ir_val v)
{
    static const uint64_t even[] = {0x0e0c0a0806040200, 0x0d0c090805040100};
    static const uint64_t odd[] = {0x0f0d0b0907050301, 0x0f0e0b0a07060302};

    if (size == 2)
        return neon_v1i(l, VEC_shuf32_lane, v, 0xd8);
    return neon_v2(l, VEC_shuf8_lane, v, constant(l, even[size], odd[size]));
}

void arm_vuzp(struct arm_lift *l, const struct arm_insn *i)
{
    if (!neon_check(l, !zip_defined(i)))
        return;
    if (!i->Q) {
        ir_val both = neon_join(l, neon_get_d(l, i->d), neon_get_d(l, i->m));
        put_halves(l, i, parted(l, i->size_bits, both));
        return;
    }
    ir_val d = parted(l, i->size_bits, neon_get(l, true, i->d));
    ir_val m = parted(l, i->size_bits, neon_get(l, true, i->m));
    put_both(l, i, neon_v2(l, VEC_ziplo64_lane, d, m), neon_v2(l, VEC_ziphi64_lane, d, m));
}

/* ---- VEXT, VDUP ---- */

void arm_vext(struct arm_lift *l, const struct arm_insn *i)
{
    if (!neon_check(l, neon_odd3(i) || (!i->Q && i->imm > 7)))
        return;
    if (i->Q) {
        ir_val n = neon_get(l, true, i->n), m = neon_get(l, true, i->m);
        neon_put(l, true, i->d, ir_v2i(l->b, IR_V128, VEC_align_lane, m, n, i->imm));
        return;
    }
    ir_val both = neon_join(l, neon_get_d(l, i->n), neon_get_d(l, i->m));
    neon_put(l, false, i->d, neon_v1i(l, VEC_shrbytes_lane, both, i->imm));
}

/* The lowest one of imm4 says the size, what is above the index. */
void arm_vdup_scalar(struct arm_lift *l, const struct arm_insn *i)
{
    if (!neon_check(l, (i->Q && i->d & 1) || !(i->imm & 7)))
        return;
    unsigned size = (unsigned)__builtin_ctz(i->imm), at = i->imm >> (size + 1) << size;
    ir_val word = ir_get(l->b, IR_I32, neon_slot(i->m) + (at & ~3u));
    if (at & 3)
        word = ir_shr(l->b, IR_I32, word, arm_const(l, 8 * (at & 3)));
    neon_put(l, i->Q, i->d, neon_dup(l, size, word));
}

/* ---- VTBL, VTBX ---- */

/* 16 bytes of the table by INDEX; 0 where it is larger. */
static ir_val look_up(struct arm_lift *l, ir_val table, ir_val index)
{
    ir_val guarded = neon_v2(l, VEC_addu8, index, neon_constant(l, 0x7070707070707070));

    return neon_v2(l, VEC_shuf8_lane, table, guarded);
}

/* Registers N and, if PAIR, the next one. */
static ir_val table_of(struct arm_lift *l, unsigned n, bool pair)
{
    return pair ? neon_join(l, neon_get_d(l, n), neon_get_d(l, n + 1)) : neon_get(l, false, n);
}

void arm_vtbl(struct arm_lift *l, const struct arm_insn *i)
{
    unsigned count = i->list + 1u;

    if (!neon_check(l, false))
        return;
    if (i->n + count > 32) { /* A8.8.419 */
        arm_unpredictable(l);
        return;
    }
    ir_val index = neon_get(l, false, i->m);
    ir_val v = look_up(l, table_of(l, i->n, count > 1), index);
    if (count > 2) {
        ir_val beyond = neon_v2(l, VEC_sub8, index, neon_constant(l, 0x1010101010101010));
        v = neon_v2(l, VEC_or, v, look_up(l, table_of(l, i->n + 2u, count > 3), beyond));
    }
    if (i->x) { /* VTBX keeps what is out of range */
        ir_val limit = neon_constant(l, 8 * count * 0x0101010101010101u);
        ir_val outside = neon_v2(l, VEC_cmpeq8, neon_v2(l, VEC_maxu8, index, limit), index);
        v = ir_v3(l->b, IR_V128, VEC_blendv8, v, neon_get(l, false, i->d), outside);
    }
    neon_put(l, false, i->d, v);
}
