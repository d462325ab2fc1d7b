/* Local register allocation, forward over the region with last uses known: a cache of values in
 * registers. See emit.h for the places a value can be in. */
#include "host/x86_64/emit.h"

#define GPR_MASK 0xffffu

static struct value *value_of(struct host_emitter *e, ir_val v)
{
    return &e->values.at[v];
}

/* Neighbours apart, be they general registers or vectors of 32 bytes. */
static unsigned home_index(uint32_t offset)
{
    return (offset / 4 + offset / 128) % NHOMES;
}

static struct home *home_slot(struct host_emitter *e, uint32_t offset)
{
    return &e->now.home[home_index(offset)];
}

bool home_valid(const struct host_emitter *e, ir_val v)
{
    uint16_t offset = e->values.at[v].home;
    if (offset == NO_HOME)
        return false;
    const struct home *h = &e->now.home[home_index(offset)];
    return h->val == v && h->offset == offset;
}

/* ---- snapshots ---- */

static void places_clear(struct places *p)
{
    memset(p, 0xff, sizeof *p); /* NO_VALUE everywhere */
}

void places_init(struct host_emitter *e)
{
    places_clear(&e->now);
    e->nlocs = XMM(0);
    e->nspills = 0;
    e->homes = 0;
}

uint32_t places_save(struct host_emitter *e)
{
    if (!VEC_PUSH(&e->snapshots, e->now)) {
        e->oom = true;
        return NO_REF;
    }
    return e->snapshots.len - 1;
}

/* Makes struct value say what the places say. */
static void values_forget(struct host_emitter *e)
{
    for (unsigned n = 0; n < e->nlocs; n++)
        if (e->now.reg[n] != NO_VALUE)
            value_of(e, e->now.reg[n])->where = 0;
    for (unsigned n = 0; n < e->nspills; n++)
        if (e->now.spill[n] != NO_VALUE)
            value_of(e, e->now.spill[n])->spill = NO_SPILL;
}

static void values_learn(struct host_emitter *e)
{
    for (unsigned n = 0; n < e->nlocs; n++)
        if (e->now.reg[n] != NO_VALUE)
            value_of(e, e->now.reg[n])->where |= 1u << n;
    for (unsigned n = 0; n < e->nspills; n++)
        if (e->now.spill[n] != NO_VALUE)
            value_of(e, e->now.spill[n])->spill = (uint8_t)n;
    for (uint32_t left = e->homes; left; left &= left - 1) {
        unsigned n = (unsigned)__builtin_ctz(left);
        if (e->now.home[n].val != NO_VALUE)
            value_of(e, e->now.home[n].val)->home = (uint16_t)e->now.home[n].offset;
    }
}

void places_restore(struct host_emitter *e, uint32_t snapshot)
{
    values_forget(e);
    e->now = e->snapshots.at[snapshot];
    values_learn(e);
}

void places_meet(struct host_emitter *e, uint32_t into)
{
    struct places *p = &e->snapshots.at[into];
    for (unsigned n = 0; n < NLOCS; n++)
        if (p->reg[n] != e->now.reg[n])
            p->reg[n] = NO_VALUE;
    for (unsigned n = 0; n < NSPILLS; n++)
        if (p->spill[n] != e->now.spill[n])
            p->spill[n] = NO_VALUE;
    for (unsigned n = 0; n < NHOMES; n++)
        if (p->home[n].val != e->now.home[n].val || p->home[n].offset != e->now.home[n].offset)
            p->home[n].val = NO_VALUE;
}

/* ---- registers ---- */

bool ra_live_after(const struct host_emitter *e, ir_val v)
{
    return e->keep ? e->values.at[v].last_use >= e->cur : e->values.at[v].last_use > e->cur;
}

/* Some operand of the current record may still have to be fetched. */
static bool live_now(const struct host_emitter *e, ir_val v)
{
    return e->values.at[v].last_use >= e->cur;
}

bool ra_state_only(const struct host_emitter *e, ir_val v)
{
    return !e->keep && !e->values.at[v].where && home_valid(e, v) && !ra_live_after(e, v);
}

static bool has_other_place(const struct host_emitter *e, ir_val v, unsigned loc)
{
    const struct value *x = &e->values.at[v];
    return x->where & ~(1u << loc) || x->spill != NO_SPILL || is_const(e, v) || home_valid(e, v);
}

void ra_unbind(struct host_emitter *e, unsigned loc)
{
    ir_val v = e->now.reg[loc];
    if (v != NO_VALUE)
        value_of(e, v)->where &= ~(1u << loc);
    e->now.reg[loc] = NO_VALUE;
}

static void add_place(struct host_emitter *e, ir_val v, unsigned loc)
{
    ra_unbind(e, loc);
    if (loc >= e->nlocs)
        e->nlocs = NLOCS;
    e->now.reg[loc] = v;
    value_of(e, v)->where |= 1u << loc;
}

void ra_bind(struct host_emitter *e, ir_val v, unsigned loc)
{
    add_place(e, v, loc);
}

void ra_move(struct host_emitter *e, unsigned dst, unsigned src, uint8_t type)
{
    if (dst == src)
        return;
    if (dst >= XMM(0))
        v_rrr(&e->a, 0x28 | X_0F | (type == IR_V256 ? X_256 : 0), dst - XMM(0), 0, src - XMM(0));
    else
        x_mov(&e->a, width_of(type), dst, src);
}

static unsigned spill_slot(struct host_emitter *e, uint8_t type)
{
    unsigned first = type_is_vec(type) ? FRAME_SPILLS : 0;
    for (unsigned n = first; n < (first ? NSPILLS : FRAME_SPILLS); n++)
        if (e->now.spill[n] == NO_VALUE || !live_now(e, e->now.spill[n]))
            return n;
    e->oom = true; /* more live values than any lifter makes */
    return first;
}

static uint32_t move_of(uint8_t type)
{
    switch (type) {
    case IR_F32: return 0x10 | X_0F | X_F3;
    case IR_F64: return 0x10 | X_0F | X_F2;
    case IR_V128: return 0x10 | X_0F;
    default: return 0x10 | X_0F | X_256;
    }
}

void xmm_load(struct host_emitter *e, uint8_t type, unsigned r, struct x_mem m)
{
    v_rrm(&e->a, move_of(type), r - XMM(0), 0, m);
}

void xmm_store(struct host_emitter *e, uint8_t type, struct x_mem m, unsigned r)
{
    v_rrm(&e->a, move_of(type) + 1, r - XMM(0), 0, m);
}

static void store_loc(struct host_emitter *e, unsigned loc, struct x_mem m, uint8_t type)
{
    if (loc >= XMM(0))
        xmm_store(e, type, m, loc);
    else
        x_store(&e->a, width_of(type), m, loc);
}

static uint8_t type_of(const struct host_emitter *e, ir_val v)
{
    return ir_result_type(insn_of(e, v));
}

static void spill_from(struct host_emitter *e, ir_val v, unsigned loc)
{
    unsigned slot = spill_slot(e, type_of(e, v));
    store_loc(e, loc, spill_at(slot), type_of(e, v));
    if (e->now.spill[slot] != NO_VALUE)
        value_of(e, e->now.spill[slot])->spill = NO_SPILL;
    e->now.spill[slot] = v;
    if (slot >= e->nspills)
        e->nspills = slot + 1;
    value_of(e, v)->spill = (uint8_t)slot;
}

void ra_spill(struct host_emitter *e, ir_val v)
{
    if (value_of(e, v)->spill != NO_SPILL || is_const(e, v))
        return;
    uint32_t locked = e->locked;
    spill_from(e, v, ra_use(e, v));
    e->locked = locked;
}

/* The temporary to give away among CHOICES: empty or dead, then one whose value is elsewhere too,
 * then the one that is needed last. */
static unsigned victim(struct host_emitter *e, uint32_t choices)
{
    unsigned best = REG_NONE;
    uint32_t best_rank = 0;
    for (uint32_t left = choices & ~e->locked; left; left &= left - 1) {
        unsigned loc = (unsigned)__builtin_ctz(left);
        ir_val v = e->now.reg[loc];
        if (v == NO_VALUE || !live_now(e, v))
            return loc;
        uint32_t rank = value_of(e, v)->last_use + (has_other_place(e, v, loc) ? 1u << 30 : 0);
        if (best == REG_NONE || rank > best_rank) {
            best = loc;
            best_rank = rank;
        }
    }
    return best;
}

static unsigned obtain(struct host_emitter *e, uint32_t choices)
{
    unsigned loc = victim(e, choices);
    if (loc == REG_NONE) {
        e->oom = true;
        return (unsigned)__builtin_ctz(choices);
    }
    ir_val v = e->now.reg[loc];
    if (v != NO_VALUE && live_now(e, v) && !has_other_place(e, v, loc))
        spill_from(e, v, loc);
    ra_unbind(e, loc);
    e->locked |= 1u << loc;
    return loc;
}

unsigned ra_temp(struct host_emitter *e)
{
    return obtain(e, e->temps);
}

unsigned ra_temp_xmm(struct host_emitter *e)
{
    return obtain(e, ~GPR_MASK);
}

static uint32_t class_of(const struct host_emitter *e, ir_val v)
{
    return type_in_xmm(type_of(e, v)) ? ~GPR_MASK : e->temps;
}

/* A free location without throwing anything out, or REG_NONE. */
static unsigned free_loc(struct host_emitter *e, uint32_t choices)
{
    for (uint32_t left = choices & ~e->locked; left; left &= left - 1) {
        unsigned loc = (unsigned)__builtin_ctz(left);
        if (e->now.reg[loc] == NO_VALUE || !live_now(e, e->now.reg[loc]))
            return loc;
    }
    return REG_NONE;
}

/* Moves what only LOC holds to another register or a spill slot. */
static void rescue(struct host_emitter *e, unsigned loc)
{
    ir_val v = e->now.reg[loc];
    unsigned to = free_loc(e, class_of(e, v) & ~(1u << loc));
    if (to == REG_NONE) {
        spill_from(e, v, loc);
    } else {
        ra_move(e, to, loc, type_of(e, v));
        add_place(e, v, to);
    }
}

void ra_protect(struct host_emitter *e, unsigned loc)
{
    ir_val v = e->now.reg[loc];
    if (v != NO_VALUE && ra_live_after(e, v) && !has_other_place(e, v, loc))
        rescue(e, loc);
}

void release_pins(struct host_emitter *e, uint32_t pins)
{
    for (; pins; pins &= pins - 1) {
        unsigned pin = (unsigned)__builtin_ctz(pins);
        ra_protect(e, pin);
        ra_unbind(e, pin);
    }
}

void ra_take(struct host_emitter *e, unsigned r)
{
    ir_val v = e->now.reg[r];
    if (v != NO_VALUE && live_now(e, v) && !has_other_place(e, v, r))
        rescue(e, r);
    ra_unbind(e, r);
    e->locked |= 1u << r;
}

static void load_const(struct host_emitter *e, ir_val v, unsigned loc)
{
    uint64_t bits = ir_const_bits(insn_of(e, v));
    bool wide = type_is_64(type_of(e, v));
    if (!wide)
        bits = (uint32_t)bits;
    if (loc < XMM(0)) {
        x_mov_imm(&e->a, loc, bits);
    } else if (bits == 0) {
        v_rrr(&e->a, 0x57 | X_0F, loc - XMM(0), loc - XMM(0), loc - XMM(0));
    } else {
        uint32_t locked = e->locked;
        unsigned t = ra_temp(e);
        x_mov_imm(&e->a, t, bits);
        v_from_gpr(&e->a, wide, loc - XMM(0), t);
        e->locked = locked;
    }
}

static void load_place(struct host_emitter *e, ir_val v, unsigned loc)
{
    const struct value *x = value_of(e, v);
    uint8_t type = type_of(e, v);
    if (is_const(e, v)) {
        load_const(e, v, loc);
        return;
    }
    struct x_mem m = home_valid(e, v) ? state_at(x->home) : spill_at(x->spill);
    if (loc >= XMM(0))
        xmm_load(e, type, loc, m);
    else
        x_load(&e->a, width_of(type), loc, m);
}

static bool is_made(const struct host_emitter *e, ir_val v)
{
    const struct value *x = &e->values.at[v];
    return x->where || x->spill != NO_SPILL || is_const(e, v) || home_valid(e, v);
}

static void make_now(struct host_emitter *e, ir_val v);

static void make_operand(struct host_emitter *e, ir_val user, ir_val v)
{
    (void)user;
    if (is_made(e, v))
        return;
    if (e->values.at[v].flags & VAL_FUSED)
        for_operands(e, v, make_operand);
    else
        make_now(e, v);
}

/* Emits a value that was not made where it stands, after its operands. */
static void make_now(struct host_emitter *e, ir_val v)
{
    bool keep = e->keep;
    uint32_t locked = e->locked;
    /* What depends on itself in many ways, with too few registers to remember it, would be made
     * again and again: hostile code must not make that take for ever. A shorter block has less. */
    e->oom |= ++e->made > 4096 + 64 * e->code.len;
    if (e->full || e->oom)
        return;
    if (!emit_room(e)) {
        e->full = true; /* given up: what is emitted from here on is thrown away */
        e->a.p = e->a.start;
    }
    for_operands(e, v, make_operand);
    e->keep = true;
    emit_table[insn_of(e, v)->op](e, v, insn_of(e, v));
    e->keep = keep;
    e->locked = locked;
}

unsigned ra_use(struct host_emitter *e, ir_val v)
{
    struct value *x = value_of(e, v);
    if (!is_made(e, v))
        make_now(e, v);
    if (!x->where) {
        unsigned loc = obtain(e, class_of(e, v));
        load_place(e, v, loc);
        add_place(e, v, loc);
    }
    unsigned loc = (unsigned)__builtin_ctz(x->where);
    e->locked |= 1u << loc;
    return loc;
}

bool ra_ends_in_mem(const struct host_emitter *e, ir_val v)
{
    const struct value *x = &e->values.at[v];
    return !x->where && !is_const(e, v) && !ra_live_after(e, v) &&
           (home_valid(e, v) || x->spill != NO_SPILL);
}

unsigned ra_use_or_mem(struct host_emitter *e, ir_val v, struct x_mem *m)
{
    const struct value *x = value_of(e, v);
    if (!ra_ends_in_mem(e, v))
        return ra_use(e, v);
    *m = home_valid(e, v) ? state_at(x->home) : spill_at(x->spill);
    return REG_NONE;
}

unsigned ra_reusable(const struct host_emitter *e, ir_val v)
{
    const struct value *x = &e->values.at[v];
    uint32_t in = x->where & (e->temps | ~GPR_MASK);
    return in && !ra_live_after(e, v) ? (unsigned)__builtin_ctz(in) : REG_NONE;
}

unsigned ra_def(struct host_emitter *e, ir_val v, unsigned reuse, uint32_t avoid)
{
    uint8_t pin = value_of(e, v)->pin;
    if (pin != NO_PIN && !e->keep && !(avoid >> pin & 1)) {
        ra_protect(e, pin);
        /* The pin is as good as overwritten: a register taken before it is must not count on it. */
        ir_val old = e->now.reg[pin];
        if (old != NO_VALUE && ra_live_after(e, old))
            ra_unbind(e, pin);
        return pin;
    }
    if (reuse != REG_NONE && !(avoid >> reuse & 1))
        return reuse;
    return obtain(e, class_of(e, v) & ~avoid);
}

/* ---- slots of guest state ---- */

unsigned ra_pin_of(const struct host_emitter *e, uint32_t offset, uint8_t type)
{
    uint8_t pin = offset < VCPU_STATE_SIZE ? e->pin_at[offset / 4] : NO_PIN;
    if (pin == NO_PIN || e->pin_offset[pin] != offset)
        return REG_NONE;
    return e->pin_type[pin] == type ? pin : REG_NONE;
}

uint32_t ra_pins_over(const struct host_emitter *e, uint32_t offset, unsigned size)
{
    uint32_t pins = 0;
    for (uint32_t n = offset / 4; n <= (offset + size - 1) / 4 && n < ARRAY_LEN(e->pin_at); n++)
        if (e->pin_at[n] != NO_PIN)
            pins |= 1u << e->pin_at[n];
    return pins;
}

/* The value keeps living elsewhere. */
static void home_drop(struct host_emitter *e, struct home *h)
{
    ir_val v = h->val;
    if (v == NO_VALUE)
        return;
    struct value *x = value_of(e, v);
    if (live_now(e, v) && x->home == h->offset && !x->where && x->spill == NO_SPILL &&
        !is_const(e, v)) {
        uint32_t locked = e->locked;
        ra_use(e, v);
        e->locked = locked;
    }
    h->val = NO_VALUE;
}

void homes_kill(struct host_emitter *e, uint32_t offset, unsigned size)
{
    for (uint32_t left = e->homes; left; left &= left - 1) {
        struct home *h = &e->now.home[__builtin_ctz(left)];
        if (h->val == NO_VALUE || h->offset >= offset + size)
            continue;
        if (h->offset + ir_type_size(type_of(e, h->val)) > offset)
            home_drop(e, h);
    }
}

void homes_kill_all(struct host_emitter *e)
{
    for (uint32_t left = e->homes; left; left &= left - 1)
        home_drop(e, &e->now.home[__builtin_ctz(left)]);
}

void home_set(struct host_emitter *e, ir_val v, uint32_t offset)
{
    struct value *x = value_of(e, v);
    if (offset % 4 || offset >= NO_HOME || home_valid(e, v))
        return;
    struct home *h = home_slot(e, offset);
    home_drop(e, h);
    *h = (struct home){v, offset};
    e->homes |= 1u << (h - e->now.home);
    x->home = (uint16_t)offset;
}

bool ra_imm32(const struct host_emitter *e, ir_val v, int32_t *imm)
{
    if (!is_const(e, v))
        return false;
    uint64_t bits = ir_const_bits(insn_of(e, v));
    *imm = (int32_t)bits;
    return !type_is_64(type_of(e, v)) || (int64_t)bits == *imm;
}
