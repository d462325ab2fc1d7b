/* What is known of guest state while building: forwarding of get and put.
 *
 * Every change is noted on a trail while a label is pending, so that at the label exactly what
 * changed on the way is forgotten: a value made inside a skipped part does not dominate what
 * follows, and a slot put there has one of two values. */
#include "ir/builder.h"

#include <string.h>

void known_reset(struct ir_builder *b)
{
    memset(b->known_map, 0, sizeof b->known_map);
}

static bool is_known(const struct ir_builder *b, unsigned word)
{
    return b->known_map[word / 64] >> (word % 64) & 1;
}

/* Replaces what is known of WORD by NOW, or by nothing. */
static void change(struct ir_builder *b, unsigned word, bool known, struct known_slot now)
{
    if (b->pending || b->dead) {
        struct known_change note = {b->known[word], (uint16_t)word, is_known(b, word)};
        if (!VEC_PUSH(&b->trail, note))
            b->region->oom = true;
    }
    if (known) {
        b->known[word] = now;
        b->known_map[word / 64] |= 1ull << (word % 64);
    } else {
        b->known_map[word / 64] &= ~(1ull << (word % 64));
    }
}

static unsigned first_word(uint32_t offset)
{
    return offset / 4;
}

static unsigned last_word(uint32_t offset, unsigned size)
{
    return (offset + size - 1) / 4;
}

/* Forgets the slot that covers WORD, all of it. */
static void forget(struct ir_builder *b, unsigned word)
{
    if (!is_known(b, word))
        return;
    struct known_slot slot = b->known[word];
    unsigned last = last_word(slot.start, ir_type_size(slot.type));
    for (unsigned w = first_word(slot.start); w <= last; w++)
        change(b, w, false, slot);
}

static void learn(struct ir_builder *b, enum ir_type type, uint32_t offset, ir_val v, bool raw)
{
    unsigned size = ir_type_size(type), last = last_word(offset, size);
    struct known_slot slot = {v, (uint16_t)offset, type, raw};
    for (unsigned w = first_word(offset); w <= last; w++)
        forget(b, w);
    for (unsigned w = first_word(offset); w <= last; w++)
        change(b, w, true, slot);
}

static bool tracked(enum ir_type type, uint32_t offset)
{
    return offset + ir_type_size(type) <= VCPU_STATE_SIZE && offset < VCPU_STATE_SIZE;
}

void known_forget_all(struct ir_builder *b)
{
    for (unsigned n = 0; n < ARRAY_LEN(b->known_map); n++)
        while (b->known_map[n])
            change(b, n * 64 + (unsigned)__builtin_ctzll(b->known_map[n]), false, b->known[n * 64]);
}

/* Forgets every slot that changed between two lengths of the trail. */
void known_forget_since(struct ir_builder *b, uint32_t from, uint32_t to)
{
    for (uint32_t n = from; n < to; n++)
        forget(b, b->trail.at[n].word);
}

void known_forget_values(struct ir_builder *b, ir_val pos)
{
    for (unsigned n = 0; n < ARRAY_LEN(b->known_map); n++)
        for (uint64_t left = b->known_map[n]; left; left &= left - 1) {
            unsigned word = n * 64 + (unsigned)__builtin_ctzll(left);
            if (b->known[word].val >= pos)
                change(b, word, false, b->known[word]);
        }
}

/* Takes all changes back to the trail's length TO. The trail itself only grows: other labels that
 * are pending must see these changes too. */
void known_restore(struct ir_builder *b, uint32_t to)
{
    for (uint32_t n = b->trail.len; n-- > to;) {
        struct known_change note = b->trail.at[n];
        change(b, note.word, note.was_known, note.old);
    }
}

/* What a known vector has at its start, as TYPE. */
static ir_val low_part(struct ir_builder *b, const struct known_slot *slot, enum ir_type type)
{
    ir_val v = slot->val;
    if (ir_type_size(type) < 4 || type == IR_V256)
        return IR_NONE;
    if (slot->type == IR_V256)
        v = ir_v1(b, IR_V256, VEC_low128, v);
    switch (type) {
    case IR_I32: return ir_v1(b, IR_V128, VEC_to_i32, v);
    case IR_I64: return ir_v1(b, IR_V128, VEC_to_i64, v);
    case IR_F32: return ir_v1(b, IR_V128, VEC_to_f32, v);
    case IR_F64: return ir_v1(b, IR_V128, VEC_to_f64, v);
    default: return v;
    }
}

/* The value of a get of TYPE from the known SLOT, or IR_NONE. */
static ir_val convert(struct ir_builder *b, const struct known_slot *slot, enum ir_type type)
{
    if (slot->type == type) {
        if (slot->raw && (type == IR_I8 || type == IR_I16))
            return ir_ubfx(b, IR_I32, slot->val, 0, ir_type_size(type) * 8);
        return slot->val;
    }
    if (ir_type_size(slot->type) > 8)
        return low_part(b, slot, type);
    if (ir_type_size(slot->type) != ir_type_size(type) || ir_type_size(type) < 4)
        return IR_NONE;
    return ir_bitcast(b, type, slot->val);
}

/* Has the region put a part of [OFFSET, OFFSET + SIZE)? */
static bool put_in_parts(const struct ir_builder *b, uint32_t offset, unsigned size)
{
    for (unsigned w = first_word(offset); w <= last_word(offset, size); w++)
        if (is_known(b, w) && b->known[w].raw && ir_type_size(b->known[w].type) < size)
            return true;
    return false;
}

/* 64 bits at OFFSET as an F64. */
static ir_val half(struct ir_builder *b, uint32_t offset)
{
    if (!put_in_parts(b, offset, 8))
        return ir_get(b, IR_F64, offset);
    ir_val low = ir_get(b, IR_F32, offset), high = ir_get(b, IR_F32, offset + 4);
    return ir_v2(b, IR_V128, VEC_pair32, low, high);
}

ir_val ir_get(struct ir_builder *b, enum ir_type type, uint32_t offset)
{
    struct ir_insn get = build_record(IR_get, type, 0, offset, 0, 0);
    if (!tracked(type, offset))
        return build_append(b, get);
    unsigned word = first_word(offset);
    if (is_known(b, word) && b->known[word].start == offset) {
        struct known_slot slot = b->known[word];
        ir_val v = convert(b, &slot, type);
        if (v != IR_NONE)
            return v;
    }
    /* A load of what several stores have just written waits until they have left the host's store
     * buffer: scalar results that are copied as vectors would all wait. */
    if (type == IR_V128 && put_in_parts(b, offset, 16)) {
        ir_val low = half(b, offset), high = half(b, offset + 8);
        return ir_v2(b, IR_V128, VEC_pair64, low, high);
    }
    ir_val v = build_append(b, get);
    learn(b, type, offset, v, false);
    return v;
}

/* Does the put of a scalar change element 0 of a vector that was put before? As one put of the
 * whole it ends the other, and later reads of the vector find it in a register. */
static bool put_into_vector(struct ir_builder *b, enum ir_type type, uint32_t offset, ir_val v)
{
    unsigned word = first_word(offset);
    struct known_slot slot = b->known[word];
    if ((type != IR_F32 && type != IR_F64) || !is_known(b, word) || slot.start != offset ||
        slot.type != IR_V128 || !slot.raw)
        return false;
    enum vec_op op = type == IR_F32 ? VEC_with_f32 : VEC_with_f64;
    ir_put(b, IR_V128, offset, ir_v2(b, IR_V128, op, slot.val, v));
    return true;
}

void ir_put(struct ir_builder *b, enum ir_type type, uint32_t offset, ir_val v)
{
    if (tracked(type, offset) && put_into_vector(b, type, offset, v))
        return;
    struct ir_insn put = build_record(IR_put, type, 0, v, offset, 0);
    if (tracked(type, offset)) {
        unsigned word = first_word(offset);
        const struct known_slot *slot = &b->known[word];
        if (is_known(b, word) && slot->start == offset && slot->type == type && slot->val == v)
            return; /* the state holds it already */
        learn(b, type, offset, v, true);
    }
    build_append(b, put);
}

void ir_drop(struct ir_builder *b, enum ir_type type, uint32_t offset)
{
    if (!tracked(type, offset))
        return;
    for (unsigned w = first_word(offset); w <= last_word(offset, ir_type_size(type)); w++)
        forget(b, w);
    build_append(b, build_record(IR_drop, type, 0, offset, 0, 0));
}
