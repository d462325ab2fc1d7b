/* Advanced SIMD loads and stores of elements and structures, ARM DDI 0406C A7.7, A8.8.320 to
 * A8.8.331 (VLD1 to VLD4) and A8.8.404 to A8.8.411 (VST1 to VST4).
 *
 * Loads write no register before the last access: an instruction that faults in the middle leaves
 * all of them as they were. */
#include "guest/arm/lift_neon.h"

/* What an instruction accesses: COUNT registers make up a structure, each STEP from the one before;
 * GROUPS of them follow each other. */
struct access {
    unsigned count, groups, step;
    unsigned size;      /* log2 of an element's bytes */
    unsigned alignment; /* log2 of the bytes that the address is checked for */
    unsigned bytes;     /* of all */
    ir_val base;
};

static bool checked(struct arm_lift *l, const struct arm_insn *i, bool undefined, struct access *a)
{
    unsigned d = i->D << 4 | i->d;

    if (!neon_check(l, undefined))
        return false;
    if (i->n == 15 || d + a->groups + (a->count - 1) * a->step > 32) {
        arm_unpredictable(l);
        return false;
    }
    a->base = arm_reg_get(l, i->n);
    return true;
}

/* Rm = pc: none; sp: by what was transferred. */
static void write_back(struct arm_lift *l, const struct arm_insn *i, const struct access *a)
{
    if (i->m == 15)
        return;
    ir_val by = i->m == 13 ? arm_const(l, a->bytes) : arm_reg_get(l, i->m);
    arm_reg_put(l, i->n, ir_add(l->b, IR_I32, a->base, by));
}

/* An access of 1 << SIZE bytes at OFFSET; the first one is checked for the whole. */
static uint16_t memop(struct arm_lift *l, const struct access *a, unsigned size, unsigned offset,
                      bool store)
{
    uint32_t op = arm_memop(l, size, store && offset ? ARM_AGAIN : 0) & ~IR_MEM_ALIGN(7);
    unsigned alignment = l->mode & ARM_KEY_ALIGN ? a->size : 0;

    if (offset == 0 && a->alignment > alignment)
        alignment = a->alignment;
    return (uint16_t)(op | IR_MEM_ALIGN(alignment));
}

static ir_val address(struct arm_lift *l, const struct access *a, unsigned offset)
{
    return ir_add(l->b, IR_I32, a->base, arm_const(l, offset));
}

static ir_val load(struct arm_lift *l, const struct access *a, unsigned offset)
{
    enum ir_type t = a->size == 3 ? IR_I64 : IR_I32;

    return ir_ld(l->b, t, address(l, a, offset), memop(l, a, a->size, offset, false));
}

static void store(struct arm_lift *l, const struct access *a, unsigned offset, ir_val v)
{
    enum ir_type t = a->size == 3 ? IR_I64 : IR_I32;

    ir_st(l->b, t, address(l, a, offset), v, memop(l, a, a->size, offset, true));
}

/* ---- elements of a V128 ---- */

static ir_val with_element(struct arm_lift *l, unsigned size, ir_val v, ir_val e, unsigned n)
{
    static const enum vec_op op[] = {VEC_insert8, VEC_insert16, VEC_insert32, VEC_insert64};

    return ir_v2i(l->b, IR_V128, op[size], v, e, n);
}

static ir_val element(struct arm_lift *l, unsigned size, ir_val v, unsigned n)
{
    static const enum vec_op op[] = {VEC_extract8, VEC_extract16, VEC_extract32, VEC_extract64};

    return neon_v1i(l, op[size], v, n);
}

/* ---- multiple structures ---- */

/* The type field: registers of a structure, structures side by side, step. */
static bool multiple(struct arm_lift *l, const struct arm_insn *i, struct access *a)
{
    static const struct {
        uint8_t count, groups, step;
        uint8_t aligns; /* bit n: an alignment field of n is defined */
    } types[16] = {
        [7] = {1, 1, 1, 3}, [10] = {1, 2, 1, 7}, [6] = {1, 3, 1, 3},  [2] = {1, 4, 1, 15},
        [8] = {2, 1, 1, 7}, [9] = {2, 1, 2, 7},  [3] = {2, 2, 2, 15}, [4] = {3, 1, 1, 3},
        [5] = {3, 1, 2, 3}, [0] = {4, 1, 1, 15}, [1] = {4, 1, 2, 15},
    };
    unsigned type = i->mask;

    *a = (struct access){.count = types[type].count,
                         .groups = types[type].groups,
                         .step = types[type].step,
                         .size = i->size_bits,
                         .alignment = i->imm ? i->imm + 2 : 0,
                         .bytes = 8u * types[type].count * types[type].groups};
    bool undefined = !(types[type].aligns >> i->imm & 1) || (a->size == 3 && a->count > 1);
    return checked(l, i, undefined, a);
}

/* Registers one after the other in little-endian memory are accessed whole. */
static bool whole(const struct arm_lift *l, const struct access *a)
{
    return a->count == 1 && (a->size == 3 || !(l->mode & ARM_KEY_BE));
}

void arm_vld_multiple(struct arm_lift *l, const struct arm_insn *i)
{
    unsigned d = i->D << 4 | i->d, offset = 0;
    struct access a;
    ir_val v[4];

    if (!multiple(l, i, &a))
        return;
    for (unsigned group = 0; group < a.groups; group++) {
        if (whole(l, &a)) {
            v[group] = ir_ld(l->b, IR_I64, address(l, &a, offset), memop(l, &a, 3, offset, false));
            offset += 8;
            continue;
        }
        ir_val *to = &v[group * a.count];
        for (unsigned k = 0; k < a.count; k++)
            to[k] = neon_zero(l);
        for (unsigned n = 0; n < 8u >> a.size; n++)
            for (unsigned k = 0; k < a.count; k++, offset += 1u << a.size)
                to[k] = with_element(l, a.size, to[k], load(l, &a, offset), n);
        for (unsigned k = 0; k < a.count; k++)
            to[k] = neon_v1(l, VEC_to_i64, to[k]);
    }
    for (unsigned n = 0; n < a.groups * a.count; n++)
        neon_put_d(l, d + n / a.count + n % a.count * a.step, v[n]);
    write_back(l, i, &a);
}

void arm_vst_multiple(struct arm_lift *l, const struct arm_insn *i)
{
    unsigned d = i->D << 4 | i->d, offset = 0;
    struct access a;

    if (!multiple(l, i, &a))
        return;
    for (unsigned group = 0; group < a.groups; group++) {
        if (whole(l, &a)) {
            ir_st(l->b, IR_I64, address(l, &a, offset), neon_get_d(l, d + group),
                  memop(l, &a, 3, offset, true));
            offset += 8;
            continue;
        }
        for (unsigned n = 0; n < 8u >> a.size; n++)
            for (unsigned k = 0; k < a.count; k++, offset += 1u << a.size) {
                ir_val from = neon_get(l, false, d + group + k * a.step);
                store(l, &a, offset, element(l, a.size, from, n));
            }
    }
    write_back(l, i, &a);
}

/* ---- one structure to one lane ---- */

/* index_align (A8.8.321 and so on): the index is above the bits for step and alignment. */
static bool single(struct arm_lift *l, const struct arm_insn *i, struct access *a, unsigned *index)
{
    unsigned size = i->size_bits, count = i->list + 1u, bits = i->imm;
    unsigned low = bits & ((1u << size) - 1) & 3; /* alignment */
    bool undefined = size == 3;

    *index = bits >> (size + 1);
    if (size == 0)
        low = bits & 1;
    *a = (struct access){.count = count, .groups = 1, .step = 1, .size = size};
    if (size)
        a->step = bits >> size & 1 ? 2 : 1;
    a->bytes = count << (size & 3);
    switch (count) {
    case 1:
        undefined |= size && a->step == 2;
        undefined |= size == 0 ? low != 0 : size == 2 && low != 0 && low != 3;
        a->alignment = low ? size : 0;
        break;
    case 2:
        undefined |= low > 1;
        a->alignment = low ? size + 1 : 0;
        break;
    case 3: undefined |= low != 0; break;
    case 4:
        undefined |= low == 3;
        a->alignment = !low ? 0 : size == 2 ? low + 2 : size + 2;
        break;
    }
    return checked(l, i, undefined, a);
}

void arm_vld_single(struct arm_lift *l, const struct arm_insn *i)
{
    unsigned d = i->D << 4 | i->d, index;
    struct access a;
    ir_val v[4];

    if (!single(l, i, &a, &index))
        return;
    for (unsigned k = 0; k < a.count; k++)
        v[k] = load(l, &a, k << a.size);
    for (unsigned k = 0; k < a.count; k++) {
        ir_val old = neon_get(l, false, d + k * a.step);
        neon_put(l, false, d + k * a.step, with_element(l, a.size, old, v[k], index));
    }
    write_back(l, i, &a);
}

void arm_vst_single(struct arm_lift *l, const struct arm_insn *i)
{
    unsigned d = i->D << 4 | i->d, index;
    struct access a;

    if (!single(l, i, &a, &index))
        return;
    for (unsigned k = 0; k < a.count; k++)
        store(l, &a, k << a.size, element(l, a.size, neon_get(l, false, d + k * a.step), index));
    write_back(l, i, &a);
}

/* ---- one structure to all lanes ---- */

static bool all(struct arm_lift *l, const struct arm_insn *i, struct access *a)
{
    unsigned size = i->size_bits, count = i->list + 1u;
    bool undefined = size == 3, aligned = i->imm;

    *a = (struct access){.count = count, .groups = 1, .step = i->Q + 1u, .size = size};
    switch (count) {
    case 1:
        undefined |= size == 0 && aligned;
        a->alignment = aligned ? size : 0;
        a->groups = i->Q + 1u;
        break;
    case 2: a->alignment = aligned ? size + 1 : 0; break;
    case 3: undefined |= aligned; break;
    case 4:
        undefined &= !aligned;
        a->alignment = !aligned ? 0 : size == 2 ? 3 : size == 3 ? 4 : size + 2;
        if (size == 3)
            a->size = 2;
        break;
    }
    a->bytes = count << (a->size & 3);
    return checked(l, i, undefined, a);
}

void arm_vld_all(struct arm_lift *l, const struct arm_insn *i)
{
    unsigned d = i->D << 4 | i->d;
    struct access a;
    ir_val v[4];

    if (!all(l, i, &a))
        return;
    for (unsigned k = 0; k < a.count; k++)
        v[k] = load(l, &a, k << a.size);
    for (unsigned k = 0; k < a.count; k++)
        for (unsigned group = 0; group < a.groups; group++)
            neon_put(l, false, d + k * a.step + group, neon_dup(l, a.size, v[k]));
    write_back(l, i, &a);
}
