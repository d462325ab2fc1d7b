/* Constants, guest state and guest instruction boundaries. */
#include "host/x86_64/emit.h"

void emit_const(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    (void)e, (void)v, (void)i; /* made at each use, as an immediate where that is possible */
}

void emit_insn(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    (void)i;
    e->insn = v;
    if (!VEC_PUSH(&e->out->insn_offsets, asm_pos(&e->a)) || !VEC_PUSH(&e->out->insn_offsets, v))
        e->oom = true;
}

void pins_store(struct host_emitter *e, uint32_t pins)
{
    for (; pins; pins &= pins - 1) {
        unsigned pin = (unsigned)__builtin_ctz(pins);
        x_store(&e->a, width_of(e->pin_type[pin]), state_at(e->pin_offset[pin]), pin);
    }
}

void pins_load(struct host_emitter *e, uint32_t pins)
{
    for (; pins; pins &= pins - 1) {
        unsigned pin = (unsigned)__builtin_ctz(pins);
        x_load(&e->a, width_of(e->pin_type[pin]), pin, state_at(e->pin_offset[pin]));
    }
}

/* Pinned registers that overlap go to memory, where OFFSET is accessed in another size. */
static uint32_t pins_flush(struct host_emitter *e, uint32_t offset, unsigned size)
{
    uint32_t flushed = ra_pins_over(e, offset, size);
    pins_store(e, flushed);
    return flushed;
}

void emit_get(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    unsigned pin = ra_pin_of(e, i->a, i->type);
    if (pin != REG_NONE) {
        ra_protect(e, pin);
        ra_bind(e, v, pin);
        return;
    }
    if (e->values.at[v].where || e->values.at[v].spill != NO_SPILL || home_valid(e, v))
        return; /* read at the entry (emit_carry.c) */
    uint32_t flushed = pins_flush(e, i->a, ir_type_size(i->type));
    lazy_settle(e, i->a, i->type);
    if (ir_type_size(i->type) < 4) {
        unsigned d = ra_def(e, v, REG_NONE, 0);
        x_rm(&e->a, (i->type == IR_I8 ? 0xb6u : 0xb7u) | X_0F, d, state_at(i->a));
        ra_bind(e, v, d);
        return;
    }
    if (!flushed)
        home_set(e, v, i->a);
    if (!home_valid(e, v)) {
        unsigned d = ra_def(e, v, REG_NONE, 0);
        if (d >= XMM(0))
            xmm_load(e, i->type, d, state_at(i->a));
        else
            x_load(&e->a, width_of(i->type), d, state_at(i->a));
        ra_bind(e, v, d);
    }
}

static void store_state(struct host_emitter *e, ir_val v, uint32_t offset, uint8_t type)
{
    int32_t imm;
    if (ir_type_size(type) >= 4 && ra_imm32(e, v, &imm)) {
        x_store_imm32(&e->a, width_of(type), state_at(offset), (uint32_t)imm);
        return;
    }
    unsigned r = ra_use(e, v);
    if (r >= XMM(0))
        xmm_store(e, type, state_at(offset), r);
    else if (type == IR_I8)
        x_rm(&e->a, 0x88 | X_REG8, r, state_at(offset));
    else
        x_rm(&e->a, 0x89 | (type == IR_I16 ? X_66 : width_of(type)), r, state_at(offset));
}

void emit_store_state(struct host_emitter *e, ir_val v, uint32_t offset, uint8_t type)
{
    uint32_t locked = e->locked;
    if (!lazy_is_flags(e, offset, type))
        lazy_settle(e, offset, type);
    store_state(e, v, offset, type);
    lazy_stored(e, offset, type);
    e->locked = locked;
}

static void put_pinned(struct host_emitter *e, ir_val v, unsigned pin, uint8_t type)
{
    if (e->now.reg[pin] == v)
        return;
    const struct ir_insn *made = insn_of(e, v);
    if (is_const(e, v) && !e->values.at[v].where) {
        ra_protect(e, pin);
        x_mov_imm(&e->a, pin, type == IR_I64 ? ir_const_bits(made) : made->b);
    } else if (!e->values.at[v].where && home_valid(e, v) &&
               width_of(type) == width_of(made->type)) {
        ra_protect(e, pin);
        x_load(&e->a, width_of(type), pin, state_at(e->values.at[v].home));
    } else {
        unsigned r = ra_use(e, v);
        ra_protect(e, pin);
        ra_move(e, pin, r, type);
    }
    ra_bind(e, v, pin);
}

/* A slot that is not, or not exactly, a pinned one. */
static void put_memory(struct host_emitter *e, ir_val v, uint32_t offset, uint8_t type)
{
    unsigned size = ir_type_size(type);
    if (!is_const(e, v))
        ra_use(e, v);
    homes_kill(e, offset, size);
    uint32_t flushed = pins_flush(e, offset, size);
    if (flushed)
        ra_spill(e, v);
    release_pins(e, flushed);
    emit_store_state(e, v, offset, type);
    pins_load(e, flushed);
    uint8_t made = ir_result_type(insn_of(e, v));
    if (size >= 4 && !flushed && (made == type || (made == IR_I32 && type == IR_I64)))
        home_set(e, v, offset);
}

static void put_now(struct host_emitter *e, const struct cold_put *p)
{
    uint32_t locked = e->locked;
    unsigned pin = ra_pin_of(e, p->offset, p->type);
    if (p->lazy) {
        homes_kill(e, p->offset, ir_type_size(p->type));
        lazy_store(e, p->val, p->lazy);
    } else if (pin != REG_NONE) {
        put_pinned(e, p->val, pin, p->type);
    } else {
        put_memory(e, p->val, p->offset, p->type);
    }
    e->locked = locked;
}

/* Pending puts that this one overwrites are forgotten; one that it overwrites in part happens. */
static void settle_cold(struct host_emitter *e, uint32_t offset, unsigned size)
{
    for (unsigned n = e->ncold; n-- > 0;) {
        struct cold_put c = e->cold[n];
        unsigned width = ir_type_size(c.type);
        if (offset >= c.offset + width || c.offset >= offset + size)
            continue;
        if (offset > c.offset || offset + size < c.offset + width)
            put_now(e, &c);
        e->cold[n] = e->cold[--e->ncold];
    }
}

static uint8_t lazy_bits(const struct value *put)
{
    return put->flags & (VAL_LAZY | VAL_LAZY_SUM | VAL_LAZY_CARRY);
}

void emit_put(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    const struct value *self = &e->values.at[v];
    struct cold_put put = {i->a, i->b, i->type, lazy_bits(self)};
    settle_cold(e, i->b, ir_type_size(i->type));
    e->pc_put |= i->b == e->r->pc_offset || i->b == e->r->aux_offset;
    e->stored &= ~ra_pins_over(e, i->b, ir_type_size(i->type));
    if ((self->flags & VAL_COLD) && !self->last_use)
        return;
    if ((self->flags & VAL_COLD) && e->ncold < MAX_COLD) {
        /* A stub that comes back has changed the slot. */
        homes_kill(e, i->b, ir_type_size(i->type));
        e->cold[e->ncold++] = put;
    } else {
        put_now(e, &put);
    }
}

void emit_drop(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    (void)v;
    settle_cold(e, i->a, ir_type_size(i->type));
}
