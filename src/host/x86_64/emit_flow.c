/* Skips inside a region and ways out of it. */
#include <stddef.h>
#include "host/x86_64/emit.h"
#include "host/x86_64/constants.h"

/* ---- skips ---- */

/* The pinned registers whose slots record I reads or writes, so that their values may be known by
 * other names afterwards. */
static uint32_t touched_pins(const struct host_emitter *e, const struct ir_insn *i)
{
    switch (i->op) {
    case IR_put: return ra_pins_over(e, i->b, ir_type_size(i->type));
    case IR_get: return ra_pins_over(e, i->a, ir_type_size(i->type));
    case IR_call: return e->r->calls.at[i->a].helper->flags & IR_H_WRITES ? e->pinned : 0;
    default: return 0;
    }
}

/* The pinned registers that still hold what they hold when control arrives at record END, and at
 * the label of any skip on the way: where skips cross, a place must last until the last of their
 * labels. */
static uint32_t steady_pins(const struct host_emitter *e, uint32_t end)
{
    uint32_t steady = e->pinned;
    for (ir_val v = e->cur + 1; v < end && steady; v++) {
        const struct ir_insn *i = insn_of(e, v);
        if ((i->op == IR_skip_if || i->op == IR_skip_ifnot) && e->labels.at[i->b].at > end)
            end = e->labels.at[i->b].at;
        steady &= ~touched_pins(e, i);
    }
    return steady;
}

/* Values that are needed behind the label must be in a place that both ways leave alone. */
static void settle(struct host_emitter *e, ir_val v, uint32_t end, uint32_t steady)
{
    if (v == NO_VALUE || e->values.at[v].last_use <= end || e->values.at[v].where & steady)
        return;
    ra_spill(e, v);
}

static void skip(struct host_emitter *e, const struct ir_insn *i, bool when)
{
    struct label *l = &e->labels.at[i->b];
    uint32_t steady = steady_pins(e, l->at);
    for (unsigned n = 0; n < NLOCS; n++)
        settle(e, e->now.reg[n], l->at, steady);
    for (unsigned n = 0; n < NHOMES; n++)
        settle(e, e->now.home[n].val, l->at, steady);
    enum x_cc cc = emit_condition(e, i->a);
    if (!when)
        cc ^= 1;
    if (l->places == NO_REF)
        l->places = places_save(e);
    else
        places_meet(e, l->places);
    l->stored &= e->stored;
    uint32_t field = x_jcc32(&e->a, cc);
    memcpy(e->a.start + field, &l->fields, 4);
    l->fields = field;
}

void emit_skip_if(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    (void)v;
    skip(e, i, true);
}

void emit_skip_ifnot(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    (void)v;
    skip(e, i, false);
}

void emit_label(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    struct label *l = &e->labels.at[i->a];
    (void)v;
    if (l->places == NO_REF)
        return; /* nothing comes here but what falls through */
    if (!e->unreachable) {
        places_meet(e, l->places);
        l->stored &= e->stored;
    }
    places_restore(e, l->places);
    e->stored = l->stored;
    for (uint32_t field = l->fields; field != NO_REF;) {
        uint32_t next;
        memcpy(&next, e->a.start + field, 4);
        x_fix32(&e->a, field, (int32_t)asm_pos(&e->a));
        field = next;
    }
    e->unreachable = false;
    e->a.flags = 0;
    e->naligned = e->nchecked = 0;
    e->settled = false;
}

/* ---- ways out ---- */

/* The rel32 that follows BEFORE bytes of opcode must lie in 8 aligned bytes, to be patched by one
 * atomic store. */
static void align_field(struct host_emitter *e, unsigned before)
{
    unsigned at = (e->offset + asm_pos(&e->a) + before) & 7;
    if (at > 4)
        x_nop(&e->a, 8 - at);
}

/* FIELD is the patchable jump of exit N. */
static void exit_stub(struct host_emitter *e, ir_val v, uint32_t n, uint32_t field)
{
    struct stub *s = stub_add(e, STUB_EXIT, v);
    s->exit = n;
    s->from[s->nfrom++] = field;
    e->out->exits[n].jump = field;
}

/* Before a back edge. */
static void test_request(struct host_emitter *e, ir_val v, uint32_t n)
{
    if (e->r->bounded)
        return;
    struct stub *s = stub_add(e, STUB_REQUEST, v);
    s->exit = n;
    x_alu_mem_imm(&e->a, 0, X_CMP, state_at(offsetof(struct nw_vcpu, request)), 0);
    stub_jcc(e, s, X_NE);
}

void emit_exit_if(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    enum x_cc cc = emit_condition(e, i->a);
    if (!e->r->exits.at[i->b].back_edge) {
        align_field(e, 2);
        exit_stub(e, v, i->b, x_jcc32(&e->a, cc));
        return;
    }
    uint8_t *stay = x_jcc8(&e->a, cc ^ 1);
    test_request(e, v, i->b);
    carry_back(e, i->b);
    align_field(e, 1);
    exit_stub(e, v, i->b, x_jmp32(&e->a));
    x_here8(&e->a, stay);
}

void emit_leave_if(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    enum x_cc cc = emit_condition(e, i->a);
    stub_jcc(e, stub_add(e, STUB_BEGIN, v), cc);
}

void emit_exit(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    if (e->r->exits.at[i->a].back_edge)
        test_request(e, v, i->a);
    carry_back(e, i->a);
    align_field(e, 1);
    exit_stub(e, v, i->a, x_jmp32(&e->a));
    e->unreachable = true;
}

/* A field of the entry that rcx, a number of 8-byte words, stands for. */
static struct x_mem jump_at(size_t field)
{
    size_t jumps = offsetof(struct nw_vcpu, jumps);
    return x_at_index(RBP, RCX, 3, (int32_t)(jumps + field) - VCPU_BIAS);
}

/* rax, rcx are free; rcx keeps the entry for the runtime's empty entry. */
static void probe_jumps(struct host_emitter *e, struct stub *miss, const struct ir_insn *i,
                        unsigned pc, unsigned mode)
{
    struct asm_buf *a = &e->a;
    int32_t imm;
    _Static_assert(sizeof(struct jump_entry) == 16, "the index, pc >> 1, counts 16 bytes");
    x_alu_mem_imm(a, 0, X_CMP, state_at(offsetof(struct nw_vcpu, request)), 0);
    stub_jcc(e, miss, X_NE);
    x_mov(a, 0, RCX, pc);
    x_alu_imm(a, 0, X_AND, RCX, (JUMP_CACHE_SIZE - 1) << 1);
    x_rm(a, 0x39 | X_W, pc, jump_at(offsetof(struct jump_entry, pc)));
    stub_jcc(e, miss, X_NE);
    if (ra_imm32(e, i->b, &imm))
        x_alu_mem_imm(a, 0, X_CMP, jump_at(offsetof(struct jump_entry, mode)), imm);
    else
        x_rm(a, 0x39, mode, jump_at(offsetof(struct jump_entry, mode)));
    stub_jcc(e, miss, X_NE);
    x_load(a, 0, RAX, jump_at(offsetof(struct jump_entry, code)));
    x_alu_mem(a, X_W, X_ADD, RAX, runtime_at(e, e->rt->constants + CONSTANT(code)));
    x_jmp_reg(a, RAX);
}

void emit_exit_ind(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    int32_t imm;
    ra_take(e, RAX);
    ra_take(e, RCX);
    unsigned pc = ra_use(e, i->a), mode = ra_imm32(e, i->b, &imm) ? REG_NONE : ra_use(e, i->b);
    struct stub *s = stub_add(e, STUB_MISS, v);
    s->ref[0] = (struct stub_ref){.loc = (uint8_t)pc, .spill = NO_SPILL};
    if (e->opt->chain)
        probe_jumps(e, s, i, pc, mode);
    else
        s->from[s->nfrom++] = x_jmp32(&e->a);
    e->unreachable = true;
}

void emit_exit_exc(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    (void)v;
    if (e->insn != NO_REF) {
        const struct ir_insn *at = insn_of(e, e->insn);
        emit_store_pc(e, ir_insn_pc(at) + i->aux);
        if (i->aux == 0 && e->r->aux_offset != UINT32_MAX)
            x_store_imm32(&e->a, 0, state_at(e->r->aux_offset), at->a);
    }
    x_mov_imm(&e->a, RSI, i->a);
    x_mov_imm(&e->a, RDX, i->b);
    x_jmp_to(&e->a, runtime_code(e, e->rt->raise));
    e->unreachable = true;
}

void emit_exit_state(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    (void)v, (void)i;
    x_alu(&e->a, 0, X_XOR, RAX, RAX);
    x_jmp_to(&e->a, runtime_code(e, e->rt->leave));
    e->unreachable = true;
}
