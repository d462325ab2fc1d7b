/* Counting and writing down without a call.
 *
 * Instructions are counted all at once where the first of a piece of code is: up to the next way
 * out or call. An access that faults leaves in the middle: its stub takes off what has not begun.
 */
#include "host/x86_64/emit.h"

#include <narwhal/hook.h>
#include <stddef.h>
#include "ir/shape.h"

bool note_ends_piece(const struct host_emitter *e, ir_val v)
{
    const struct ir_insn *i = insn_of(e, v);
    return i->op == IR_call || ir_shapes[i->op].effects & IR_E_CONTROL;
}

static void *counter_of(const struct host_emitter *e, ir_val v)
{
    const struct ir_insn *i = insn_of(e, v);
    const struct ir_note *n = i->op == IR_note ? &e->r->notes.at[i->a] : NULL;
    return n && n->kind == IR_NOTE_COUNT ? n->target : NULL;
}

/* How often TARGET is counted from record V on to the end of the piece. */
static uint32_t counts_from(const struct host_emitter *e, ir_val v, const void *target)
{
    uint32_t n = 0;
    for (; v < e->r->insns.len && !note_ends_piece(e, v); v++)
        n += counter_of(e, v) == target;
    return n;
}

/* Counters that have been given all of their piece when V is executed, into OUT. */
static uint32_t counted_before(const struct host_emitter *e, ir_val v, void **out)
{
    uint32_t n = 0;
    ir_val at = v;
    while (at && !note_ends_piece(e, at - 1))
        at--;
    for (; at < v && n < MAX_COUNTED; at++) {
        void *target = counter_of(e, at);
        bool known = !target;
        for (uint32_t k = 0; k < n; k++)
            known |= out[k] == target;
        if (!known)
            out[n++] = target;
    }
    return n;
}

static void add(struct host_emitter *e, unsigned temp, enum x_alu op, void *target, uint32_t n)
{
    x_mov_imm(&e->a, temp, (uintptr_t)target);
    x_alu_mem_imm(&e->a, X_W, op, x_at(temp, 0), (int32_t)n);
}

void note_correct(struct host_emitter *e, ir_val v, bool back)
{
    void *target[MAX_COUNTED];
    uint32_t n = e->r->notes.len ? counted_before(e, v, target) : 0;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t left = counts_from(e, v, target[k]);
        if (!left)
            continue;
        /* The frame's place of rax is not in use any more. */
        if (back)
            x_store(&e->a, X_W, x_at(RSP, FRAME_REGS), RAX);
        add(e, RAX, back ? X_ADD : X_SUB, target[k], left);
        if (back)
            x_load(&e->a, X_W, RAX, x_at(RSP, FRAME_REGS));
    }
}

static void count(struct host_emitter *e, ir_val v, void *target)
{
    uint32_t n = 1;
    for (uint32_t k = 0; k < e->ncounted; k++)
        if (e->counted[k] == target)
            return;
    if (e->ncounted < MAX_COUNTED) {
        e->counted[e->ncounted++] = target;
        n = counts_from(e, v, target);
    }
    add(e, ra_temp(e), X_ADD, target, n);
}

static void cover(struct host_emitter *e, const struct ir_note *n)
{
    struct asm_buf *a = &e->a;
    struct x_mem before = state_at(offsetof(struct nw_vcpu, covered));
    unsigned map = ra_temp(e), at = ra_temp(e);
    x_mov_imm(a, map, (uintptr_t)n->target);
    x_mov_imm(a, at, n->place);
    x_alu_mem(a, 0, X_XOR, at, before);
    x_alu_imm(a, 0, X_AND, at, (int32_t)n->mask);
    x_rm(a, 0xfe, 0, x_at_index(map, at, 0, 0)); /* inc byte */
    if (n->moves)
        x_store_imm32(a, 0, before, n->place >> 1);
}

/* As the ring says itself, the entry is written before the position. */
static void write_down(struct host_emitter *e, const struct ir_note *n)
{
    struct asm_buf *a = &e->a;
    unsigned ring = ra_temp(e), at = ra_temp(e), entry = ra_temp(e);
    struct x_mem position = x_at(ring, offsetof(nw_ring, position));
    x_mov_imm(a, ring, (uintptr_t)n->target);
    x_load(a, 0, at, position);
    x_load(a, X_W, entry, x_at(ring, offsetof(nw_ring, entries)));
    x_alu_imm(a, 0, X_AND, at, (int32_t)n->mask);
    x_lea(a, X_W, entry, x_at_index(entry, at, 3, 0));
    x_mov_imm(a, at, n->pc);
    x_store(a, X_W, x_at(entry, 0), at);
    x_alu_mem_imm(a, X_W, X_ADD, position, 1);
}

void emit_note(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    const struct ir_note *n = &e->r->notes.at[i->a];
    switch (n->kind) {
    case IR_NOTE_COUNT: count(e, v, n->target); break;
    case IR_NOTE_COVER: cover(e, n); break;
    default: write_down(e, n); break;
    }
}
