/* The builder's inside, shared by its files. */
#ifndef IR_BUILDER_H
#define IR_BUILDER_H

#include <string.h>
#include "exec/vcpu.h"
#include "ir/build.h"

/* Guest state is tracked in words of 4 bytes; slots beyond it are never forwarded. */
#define KNOWN_WORDS (VCPU_STATE_SIZE / 4)
#define VN_HEADS    256

/* What is known of the slot that covers a word. */
struct known_slot {
    ir_val val;
    uint16_t start; /* byte offset of the slot */
    uint8_t type;   /* enum ir_type of the access */
    bool raw;       /* VAL was put: for I8 and I16 its upper bits are not those of a get */
};

/* One change of what is known, for taking it back at a label. */
struct known_change {
    struct known_slot old;
    uint16_t word;
    bool was_known;
};

struct build_label {
    uint32_t skips;       /* records that jump here */
    uint32_t first_pos;   /* the first of them */
    uint32_t first_trail; /* length of the trail at the first and at the last of them */
    uint32_t last_trail;
    uint32_t floor; /* values from here on were ended by a label placed since the first jump */
    bool placed;
};

/* Why the records being added cannot be reached. */
enum build_dead { BUILD_ALIVE, BUILD_DEAD_EXIT, BUILD_DEAD_SKIP };

struct build_side {
    uint32_t next; /* value numbering: the next record of the same hash */
    ir_val result; /* of a flags record: the sum it describes, or IR_NONE */
};

struct ir_builder {
    struct ir_region *region;
    VEC(struct build_side) side; /* beside region->insns */
    VEC(struct known_change) trail;
    VEC(struct build_label) labels;
    uint32_t pending; /* labels jumped to and not yet placed */
    uint64_t insn_pc;

    /* Unreachable records are added and cut off again at the next label or the end. */
    enum build_dead dead;
    uint32_t dead_label, dead_pos, dead_trail, dead_exits, dead_calls;

    uint64_t known_map[KNOWN_WORDS / 64];
    struct known_slot known[KNOWN_WORDS];
    uint32_t heads[VN_HEADS];
};

#define VN_END     UINT32_MAX       /* end of a chain */
#define VN_OUTSIDE (UINT32_MAX - 1) /* not in a chain */

extern const struct ir_insn build_zero; /* a constant 0 */

/* The record of V; a constant 0 for an index out of range (memory ran out). */
static inline const struct ir_insn *build_at(const struct ir_builder *b, ir_val v)
{
    return NW_LIKELY(v < b->region->insns.len) ? &b->region->insns.at[v] : &build_zero;
}

/* ir_is_const, inline. */
static inline bool build_is_const(const struct ir_builder *b, ir_val v, uint64_t *bits)
{
    if (v >= b->region->insns.len || b->region->insns.at[v].op != IR_const)
        return false;
    *bits = ir_const_bits(&b->region->insns.at[v]);
    return true;
}

/* Appends without folding or sharing. */
ir_val build_append(struct ir_builder *, struct ir_insn);
/* Appends a pure record, or gives an equal one that dominates. */
ir_val build_share(struct ir_builder *, struct ir_insn);
/* Folds, then shares. */
ir_val build_pure(struct ir_builder *, struct ir_insn);
ir_val build_const(struct ir_builder *, enum ir_type, uint64_t bits);
/* Takes every record from POS on out of value numbering. */
void build_unshare(struct ir_builder *, uint32_t pos);

/* The value that replaces the pure record *I, or IR_NONE: emit *I, which may have been rewritten to
 * an equivalent one. */
ir_val fold_record(struct ir_builder *, struct ir_insn *i);
/* The negation of a truth value. */
ir_val fold_not(struct ir_builder *, ir_val truth);
/* True when V is 0 or 1 for sure. */
bool fold_is_truth(struct ir_builder *, ir_val v);

/* Forgets all, or restores and forgets as control flow joins (see forward.c). */
void known_reset(struct ir_builder *);
void known_forget_all(struct ir_builder *);
void known_forget_since(struct ir_builder *, uint32_t from, uint32_t to);
void known_restore(struct ir_builder *, uint32_t to);
/* Forgets every slot whose value is POS or later. */
void known_forget_values(struct ir_builder *, ir_val pos);

/* A record from its parts, put together in two registers: written field by field and read back as a
 * whole it would wait for the store buffer. */
static inline struct ir_insn build_record(enum ir_op op, enum ir_type type, uint16_t aux,
                                          uint32_t a, uint32_t b, uint32_t c)
{
    uint64_t words[2] = {(uint64_t)op | (uint64_t)type << 8 | (uint64_t)aux << 16 |
                             (uint64_t)a << 32,
                         b | (uint64_t)c << 32};
    struct ir_insn i;
    memcpy(&i, words, sizeof i);
    return i;
}

#endif
