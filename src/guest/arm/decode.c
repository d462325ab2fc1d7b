#include "guest/arm/decode.h"

#include <string.h>

#include "guest/arm/lift.h"

static uint32_t ror32(uint32_t v, unsigned n)
{
    return n & 31 ? v >> (n & 31) | v << (32 - (n & 31)) : v;
}

static uint32_t sign_extend(uint32_t v, unsigned bits)
{
    return (uint32_t)((int32_t)(v << (32 - bits)) >> (32 - bits));
}

/* ---- forms: one function per name in tools/decodegen.py; not every build has rows of each ---- */
#define FORM static __attribute__((unused)) void

FORM arm_form_x2(struct arm_insn *i)
{
    i->imm <<= 1;
}

FORM arm_form_x4(struct arm_insn *i)
{
    i->imm <<= 2;
}

FORM arm_form_x8(struct arm_insn *i)
{
    i->imm <<= 3;
}

/* ARM DDI 0406C A5.2.4 */
FORM arm_form_imm_a32(struct arm_insn *i)
{
    unsigned rotate = i->imm >> 8 & 15;
    i->imm = ror32(i->imm & 0xff, 2 * rotate);
    i->imm_carry = rotate ? i->imm >> 31 : ARM_CARRY_KEEP;
}

/* ARM DDI 0406C A6.3.2 */
FORM arm_form_imm_t32(struct arm_insn *i)
{
    uint32_t byte = i->imm & 0xff;

    i->imm_carry = ARM_CARRY_KEEP;
    if (i->imm >> 10) {
        i->imm = ror32((i->imm & 0x7f) | 0x80, i->imm >> 7 & 31);
        i->imm_carry = i->imm >> 31;
        return;
    }
    /* A zero byte is UNPREDICTABLE in the replicating patterns; it gives zero here. */
    switch (i->imm >> 8 & 3) {
    case 0: i->imm = byte; break;
    case 1: i->imm = byte << 16 | byte; break;
    case 2: i->imm = byte << 24 | byte << 8; break;
    case 3: i->imm = byte * 0x01010101u; break;
    }
}

/* DecodeImmShift, ARM DDI 0406C A8.4.3 */
FORM arm_form_shift(struct arm_insn *i)
{
    if (i->shift_n)
        return;
    switch (i->shift_type) {
    case ARM_LSR:
    case ARM_ASR: i->shift_n = 32; break;
    case ARM_ROR:
        i->shift_type = ARM_RRX;
        i->shift_n = 1;
        break;
    }
}

FORM arm_form_shift_sh(struct arm_insn *i)
{
    i->shift_type = (uint8_t)(i->shift_type << 1);
    arm_form_shift(i);
}

FORM arm_form_br_a32(struct arm_insn *i)
{
    i->imm = sign_extend(i->imm, 24) << 2;
}

FORM arm_form_br_blx(struct arm_insn *i)
{
    i->imm = sign_extend(i->imm, 24) << 2 | (uint32_t)i->h << 1;
}

FORM arm_form_br_t8(struct arm_insn *i)
{
    i->imm = sign_extend(i->imm, 8) << 1;
}

FORM arm_form_br_t11(struct arm_insn *i)
{
    i->imm = sign_extend(i->imm, 11) << 1;
}

/* S imm6 J1 J2 imm11 -> S J2 J1 imm6 imm11 0 */
FORM arm_form_br_t20(struct arm_insn *i)
{
    uint32_t v = i->imm;
    uint32_t offset = (v >> 19 & 1) << 19 | (v >> 11 & 1) << 18 | (v >> 12 & 1) << 17 |
                      (v >> 13 & 0x3f) << 11 | (v & 0x7ff);
    i->imm = sign_extend(offset, 20) << 1;
}

/* S imm10 J1 J2 imm11 -> S I1 I2 imm10 imm11 0 with I = NOT(J EOR S) */
FORM arm_form_br_t24(struct arm_insn *i)
{
    uint32_t v = i->imm, s = v >> 23 & 1;
    uint32_t i1 = (v >> 12 & 1) ^ s ^ 1, i2 = (v >> 11 & 1) ^ s ^ 1;
    uint32_t offset = s << 23 | i1 << 22 | i2 << 21 | (v >> 13 & 0x3ff) << 11 | (v & 0x7ff);
    i->imm = sign_extend(offset, 24) << 1;
}

/* The last bit of imm11 is fixed to 0. */
FORM arm_form_br_t24x(struct arm_insn *i)
{
    i->imm <<= 1;
    arm_form_br_t24(i);
}

/* i:imm4:imm3:imm8 -> imm4:i:imm3:imm8 */
FORM arm_form_movw_t32(struct arm_insn *i)
{
    i->imm = (i->imm >> 11 & 15) << 12 | (i->imm >> 15 & 1) << 11 | (i->imm & 0x7ff);
}

FORM arm_form_list_push(struct arm_insn *i)
{
    i->list = (uint16_t)((i->list & 0xff) | (i->list >> 8 & 1) << 14);
}

FORM arm_form_list_pop(struct arm_insn *i)
{
    i->list = (uint16_t)((i->list & 0xff) | (i->list >> 8 & 1) << 15);
}

/* LDM T1 writes back unless it loads the base: A8.8.58 */
FORM arm_form_list_t16(struct arm_insn *i)
{
    i->W = !(i->list >> i->n & 1);
}

FORM arm_form_list_t32(struct arm_insn *i)
{
    i->list = (uint16_t)((i->list & 0x1fff) | (i->list & 0x6000) << 1);
}

static uint8_t single(uint8_t field, uint8_t bit)
{
    return (uint8_t)(field << 1 | bit);
}

static uint8_t twice(uint8_t field, uint8_t bit)
{
    return (uint8_t)(bit << 4 | field);
}

FORM arm_form_vs(struct arm_insn *i)
{
    i->d = single(i->d, i->D);
    i->n = single(i->n, i->N);
    i->m = single(i->m, i->M);
}

FORM arm_form_vd(struct arm_insn *i)
{
    i->d = twice(i->d, i->D);
    i->n = twice(i->n, i->N);
    i->m = twice(i->m, i->M);
}

FORM arm_form_vsd(struct arm_insn *i)
{
    i->d = single(i->d, i->D);
    i->n = single(i->n, i->N);
    i->m = twice(i->m, i->M);
}

FORM arm_form_vds(struct arm_insn *i)
{
    i->d = twice(i->d, i->D);
    i->n = twice(i->n, i->N);
    i->m = single(i->m, i->M);
}

#include "guest/arm/arm_decode_tables.inc"

bool arm_decode(enum arm_set set, uint32_t raw, uint32_t features, struct arm_insn *i)
{
    const uint16_t *at;

    memset(i, 0, sizeof *i);
    i->raw = raw;
    i->cond = ARM_COND_AL;
    i->size = set == ARM_SET_T16 ? 2 : 4;
    if (set == ARM_SET_A32)
        at = candidates + (raw >> 28 == 15 ? index_a32u[hash_a32u(raw)] : index_a32[hash_a32(raw)]);
    else if (set == ARM_SET_T32)
        at = candidates + index_t32[hash_t32(raw)];
    else
        at = candidates + index_t16[hash_t16(raw)];
    for (; *at != 0xffff; at++) {
        const struct arm_row *row = &arm_rows[*at];
        if ((raw & row->mask) == row->value && (features & row->features) == row->features) {
            i->row = row;
            i->should_be = ((raw ^ row->should_value) & row->should_mask) != 0;
            fill(i, raw, row->shape);
            return true;
        }
    }
    return false;
}

/* ---- numbers for hooks ---- */

/* A hash that a unit test finds to be unique. */
static uint32_t number(const char *name)
{
    uint32_t h = 2166136261u;

    while (*name && *name != '_')
        h = (h ^ (uint8_t)*name++) * 16777619u;
    return 1 + (h & 0xfffffff);
}

uint32_t arm_insn_id(const struct arm_row *row)
{
    return row ? number(row->name) : 0;
}

uint32_t arm_insn_named(const char *name)
{
    uint32_t id = number(name);
    size_t length = strlen(name);

    for (unsigned n = 0; n < arm_nrows; n++)
        if (!strncmp(arm_rows[n].name, name, length) &&
            (arm_rows[n].name[length] == '_' || !arm_rows[n].name[length]))
            return id;
    return 0;
}
