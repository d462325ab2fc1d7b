/* Cold code, behind the block: unlinked exits, accesses that are not plain memory, floating point
 * that the host computes differently. */
#include "host/x86_64/emit.h"

#include <stddef.h>
#include "host/x86_64/constants.h"
#include "mem/mem.h"

struct stub *stub_add(struct host_emitter *e, enum stub_kind kind, ir_val v)
{
    struct stub s = {.kind = (uint8_t)kind, .dst = REG_NONE, .record = v, .insn = e->insn};
    s.site = s.places = NO_REF;
    if (kind == STUB_MEMORY && e->ncold) {
        s.places = places_save(e);
        s.cold = e->colds.len;
        s.ncold = e->ncold;
        for (unsigned n = 0; n < e->ncold; n++)
            if (!VEC_PUSH(&e->colds, e->cold[n]))
                e->oom = true;
    }
    if (!VEC_PUSH(&e->stubs, s)) {
        e->oom = true;
        e->spare = s;
        return &e->spare;
    }
    return &e->stubs.at[e->stubs.len - 1];
}

struct stub_ref stub_operand(struct host_emitter *e, ir_val v)
{
    const struct value *x = &e->values.at[v];
    struct stub_ref ref = {.loc = REG_NONE, .spill = NO_SPILL};
    ref.type = ir_result_type(insn_of(e, v));
    ref.wide = type_is_64(ref.type);
    if (is_const(e, v)) {
        ref.bits = ir_const_bits(insn_of(e, v));
        if (!ref.wide)
            ref.bits = (uint32_t)ref.bits;
    } else if (x->where) {
        ref.loc = (uint8_t)__builtin_ctz(x->where);
    } else {
        if (x->spill == NO_SPILL)
            ra_spill(e, v);
        ref.spill = x->spill;
    }
    return ref;
}

void stub_jcc(struct host_emitter *e, struct stub *s, enum x_cc cc)
{
    s->from[s->nfrom++] = x_jcc32(&e->a, cc);
}

uint32_t live_xmm(const struct host_emitter *e, unsigned dst)
{
    uint32_t live = 0;
    for (unsigned n = 0; n < 16; n++) {
        ir_val v = e->now.reg[XMM(n)];
        if (v != NO_VALUE && XMM(n) != dst && ra_live_after(e, v))
            live |= (type_is_vec(ir_result_type(insn_of(e, v))) ? 0x10001u : 1u) << n;
    }
    return live;
}

bool emit_room(const struct host_emitter *e)
{
    return e->a.end - e->a.p > ASM_SLACK;
}

void stub_operand_load(struct host_emitter *e, const struct stub_ref *ref, unsigned r)
{
    uint32_t w = ref->wide ? X_W : 0;
    if (ref->loc == REG_NONE && ref->spill == NO_SPILL)
        x_mov_imm(&e->a, r, ref->bits);
    else if (ref->loc == REG_NONE)
        x_load(&e->a, w, r, spill_at(ref->spill));
    else if (ref->loc >= XMM(0))
        v_to_gpr(&e->a, ref->wide, r, ref->loc - XMM(0));
    else
        x_load(&e->a, w, r, x_at(RSP, FRAME_REGS + 8 * ref->loc));
}

static void keep_xmm(struct host_emitter *e, uint32_t live, bool load)
{
    for (uint32_t left = live & 0xffff; left; left &= left - 1) {
        unsigned n = (unsigned)__builtin_ctz(left);
        struct x_mem m = x_at(RSP, FRAME_XMM + 32 * (int32_t)n);
        uint8_t type = live >> 16 >> n & 1 ? IR_V256 : IR_F64;
        if (load)
            xmm_load(e, type, XMM(n), m);
        else
            xmm_store(e, type, m, XMM(n));
    }
}

static void load_result(struct host_emitter *e, uint8_t type, unsigned d, int32_t frame)
{
    if (d >= XMM(0))
        xmm_load(e, type, d, x_at(RSP, frame));
    else
        x_load(&e->a, width_of(type), d, x_at(RSP, frame));
}

static void take_result(struct host_emitter *e, const struct stub *s)
{
    uint8_t type = ir_result_type(insn_of(e, s->record));
    if (s->dst != REG_NONE)
        load_result(e, type, s->dst, type_is_vec(type) ? FRAME_VEC : FRAME_RESULT);
}

void stub_call_begin(struct host_emitter *e, uint32_t live)
{
    x_call_to(&e->a, runtime_code(e, e->rt->save));
    keep_xmm(e, live, false);
}

void stub_call_end(struct host_emitter *e, ir_val v, unsigned d, uint32_t live)
{
    load_result(e, ir_result_type(insn_of(e, v)), d, FRAME_VEC);
    keep_xmm(e, live, true);
    e->a.flags = 0;
}

/* ---- exits ---- */

void emit_store_pc(struct host_emitter *e, uint64_t pc)
{
    if (e->r->addr_type == IR_I64) {
        x_mov_imm(&e->a, RAX, pc);
        x_store(&e->a, X_W, state_at(e->r->pc_offset), RAX);
    } else {
        x_store_imm32(&e->a, 0, state_at(e->r->pc_offset), (uint32_t)pc);
    }
}

static void leave_with_nothing(struct host_emitter *e)
{
    x_alu(&e->a, 0, X_XOR, RAX, RAX);
    x_jmp_to(&e->a, runtime_code(e, e->rt->leave));
}

static bool leaves_pages(const struct ir_region *r, uint64_t pc)
{
    uint64_t page = pc & ~(PAGE_SIZE_ - 1), last = r->pc + (r->size ? r->size - 1 : 0);
    return page != (r->pc & ~(PAGE_SIZE_ - 1)) && page != (last & ~(PAGE_SIZE_ - 1));
}

/* The target's place in the jump cache is known. Every register but the pins is free. */
static void probe_known_jump(struct host_emitter *e, const struct ir_exit *x)
{
    struct asm_buf *a = &e->a;
    size_t at = offsetof(struct nw_vcpu, jumps) +
                ((x->pc >> 1) & (JUMP_CACHE_SIZE - 1)) * sizeof(struct jump_entry);
    uint8_t *miss[4];
    x_alu_mem_imm(a, 0, X_CMP, state_at(offsetof(struct nw_vcpu, request)), 0);
    miss[0] = x_jcc8(a, X_NE);
    x_mov_imm(a, RAX, x->pc);
    x_rm(a, 0x39 | X_W, RAX, state_at((uint32_t)(at + offsetof(struct jump_entry, pc))));
    miss[1] = x_jcc8(a, X_NE);
    x_alu_mem_imm(a, 0, X_CMP, state_at((uint32_t)(at + offsetof(struct jump_entry, mode))),
                  (int32_t)x->mode);
    miss[2] = x_jcc8(a, X_NE);
    x_load(a, 0, RAX, state_at((uint32_t)(at + offsetof(struct jump_entry, code))));
    x_rr(a, 0x85, RAX, RAX);
    miss[3] = x_jcc8(a, X_E);
    x_alu_mem(a, X_W, X_ADD, RAX, runtime_at(e, e->rt->constants + CONSTANT(code)));
    x_jmp_reg(a, RAX);
    for (unsigned n = 0; n < ARRAY_LEN(miss); n++)
        x_here8(a, miss[n]);
}

static void emit_exit_stub(struct host_emitter *e, const struct stub *s)
{
    struct host_exit *x = &e->out->exits[s->exit];
    const struct ir_exit *to = &e->r->exits.at[s->exit];
    x->stub = asm_pos(&e->a);
    if (e->opt->paged && e->opt->chain && leaves_pages(e->r, to->pc))
        probe_known_jump(e, to);
    emit_store_pc(e, to->pc);
    x_mov_imm(&e->a, RAX, (uintptr_t)x);
    x_jmp_to(&e->a, runtime_code(e, e->rt->leave));
}

static void emit_request_stub(struct host_emitter *e, const struct stub *s)
{
    emit_store_pc(e, e->r->exits.at[s->exit].pc);
    leave_with_nothing(e);
}

static void emit_begin_stub(struct host_emitter *e, const struct stub *s)
{
    (void)s;
    emit_store_pc(e, e->r->pc);
    leave_with_nothing(e);
}

static void emit_miss_stub(struct host_emitter *e, const struct stub *s)
{
    x_store(&e->a, e->r->addr_type == IR_I64 ? X_W : 0, state_at(e->r->pc_offset), s->ref[0].loc);
    leave_with_nothing(e);
}

/* ---- memory ---- */

/* What hot code has left undone because only a fault sees it. Every register has been saved, so
 * the values may be computed in any. Flags that are put off by this are packed at once: later that
 * would be over what the code behind the access has put. */
static void do_cold_puts(struct host_emitter *e, const struct stub *s)
{
    bool lazy = false;
    if (s->places == NO_REF)
        return;
    places_restore(e, s->places);
    e->cur = s->record;
    e->keep = true;
    e->locked = 0;
    for (unsigned n = 0; n < 3; n++)
        if (s->ref[n].loc >= XMM(0) && s->ref[n].loc < NLOCS)
            e->locked |= 1u << s->ref[n].loc;
    for (unsigned n = 0; n < s->ncold; n++) {
        const struct cold_put *c = &e->colds.at[s->cold + n];
        if (c->lazy)
            lazy_store(e, c->val, c->lazy);
        else
            emit_store_state(e, c->val, c->offset, c->type);
        lazy |= c->lazy != 0;
    }
    e->keep = false;
    if (lazy)
        x_call_to(&e->a, runtime_code(e, e->rt->settle));
}

/* The base in rsi is compared with the window's end, which the memop in register R is to say. */
static void mark_beyond(struct host_emitter *e, const struct stub *s, uint32_t memop, unsigned r)
{
    if (!s->shared_check)
        return;
    uint8_t *inside = x_jcc8(&e->a, X_B);
    x_mov_imm(&e->a, r, memop | MEM_BEYOND);
    x_here8(&e->a, inside);
}

void stub_operand_store(struct host_emitter *e, const struct stub_ref *ref, unsigned n)
{
    struct x_mem m = x_at(RSP, FRAME_VEC + 32 * (int32_t)n);
    if (!type_is_vec(ref->type)) {
        stub_operand_load(e, ref, RAX);
        x_store(&e->a, X_W, m, RAX);
        return;
    }
    unsigned r = ref->loc;
    if (r == REG_NONE) {
        r = XMM(0);
        xmm_load(e, ref->type, r, spill_at(ref->spill));
    }
    xmm_store(e, ref->type, m, r);
}

/* Loads and stores of vectors: the third argument is the value's address. */
static uint32_t wide_arguments(struct host_emitter *e, const struct stub *s)
{
    const struct ir_insn *i = insn_of(e, s->record);
    bool store = i->op == IR_st;
    if (store)
        stub_operand_store(e, &s->ref[1], 0);
    x_lea(&e->a, X_W, RCX, x_at(RSP, FRAME_VEC));
    return store ? e->rt->store_wide : e->rt->load_wide;
}

static void emit_memory_stub(struct host_emitter *e, const struct stub *s)
{
    const struct ir_insn *i = insn_of(e, s->record);
    const struct ir_insn *at = s->insn == NO_REF ? NULL : insn_of(e, s->insn);
    uint32_t w = e->r->addr_type == IR_I64 ? X_W : 0, thunk = e->rt->load;
    unsigned memop = RDX;
    for (unsigned n = 0; n < s->nsites; n++)
        e->out->sites.at[s->site + n].stub = asm_pos(&e->a);
    x_call_to(&e->a, runtime_code(e, e->rt->save));
    keep_xmm(e, s->live, false);
    do_cold_puts(e, s);
    note_correct(e, s->record, false);
    stub_operand_load(e, &s->ref[0], RSI);
    if (s->shared_check)
        x_alu_mem(&e->a, X_W, X_CMP, RSI, state_at((uint32_t)offsetof(struct nw_vcpu, window)));
    if (s->disp)
        x_lea(&e->a, w, RSI, x_at(RSI, s->disp));
    if (type_is_vec(i->type)) {
        thunk = wide_arguments(e, s);
    } else if (i->op == IR_st) {
        thunk = e->rt->store;
        memop = RCX;
        stub_operand_load(e, &s->ref[1], RDX);
    } else if (i->op == IR_cas) {
        thunk = e->rt->cas;
        memop = R8;
        stub_operand_load(e, &s->ref[1], RDX);
        stub_operand_load(e, &s->ref[2], RCX);
    } else if (i->op != IR_ld) {
        thunk = e->rt->rmw;
        memop = RCX;
        stub_operand_load(e, &s->ref[1], RDX);
        x_mov_imm(&e->a, R8, i->op);
    }
    x_mov_imm(&e->a, memop, i->aux);
    mark_beyond(e, s, i->aux, memop);
    x_mov_imm(&e->a, RAX, at ? ir_insn_pc(at) : e->r->pc);
    x_mov_imm(&e->a, R9, at ? at->a : 0);
    x_call_to(&e->a, runtime_code(e, thunk));
    take_result(e, s);
    keep_xmm(e, s->live, true);
    note_correct(e, s->record, true);
    x_jmp_to(&e->a, (int32_t)s->resume);
}

/* ---- floating point ---- */

static uintptr_t arithmetic_of(unsigned op, bool wide)
{
    switch (op) {
    case IR_fadd: return wide ? (uintptr_t)fp_add64 : (uintptr_t)fp_add32;
    case IR_fsub: return wide ? (uintptr_t)fp_sub64 : (uintptr_t)fp_sub32;
    case IR_fmul: return wide ? (uintptr_t)fp_mul64 : (uintptr_t)fp_mul32;
    case IR_fdiv: return wide ? (uintptr_t)fp_div64 : (uintptr_t)fp_div32;
    case IR_fsqrt: return wide ? (uintptr_t)fp_sqrt64 : (uintptr_t)fp_sqrt32;
    case IR_fma: return wide ? (uintptr_t)fp_fmaneg64 : (uintptr_t)fp_fmaneg32;
    case IR_fcmp: return wide ? (uintptr_t)fp_cmp64 : (uintptr_t)fp_cmp32;
    case IR_fminx: return wide ? (uintptr_t)fp_minx64 : (uintptr_t)fp_minx32;
    case IR_fmaxx: return wide ? (uintptr_t)fp_maxx64 : (uintptr_t)fp_maxx32;
    case IR_fround: return wide ? (uintptr_t)fp_round64 : (uintptr_t)fp_round32;
    case IR_fcmpx: return wide ? (uintptr_t)fp_comi64 : (uintptr_t)fp_comi32;
    case IR_fcmpm: return wide ? (uintptr_t)fp_cmpm64 : (uintptr_t)fp_cmpm32;
    default: return wide ? (uintptr_t)fp_32to64 : (uintptr_t)fp_64to32; /* fcvt */
    }
}

static uintptr_t to_int(struct host_emitter *e, const struct ir_insn *i)
{
    x_mov_imm(&e->a, RDX, i->type == IR_I64 ? 64 : 32);
    x_mov_imm(&e->a, RCX, i->op == IR_f2si);
    x_mov_imm(&e->a, R8, 0);
    x_mov_imm(&e->a, R9, i->aux & 7);
    return ir_result_type(insn_of(e, i->a)) == IR_F64 ? (uintptr_t)fp_toint64
                                                      : (uintptr_t)fp_toint32;
}

static uintptr_t from_int(struct host_emitter *e, const struct ir_insn *i)
{
    if (i->op == IR_si2f && ir_result_type(insn_of(e, i->a)) == IR_I32)
        x_rr(&e->a, 0x63 | X_W, RSI, RSI); /* movsxd */
    x_mov_imm(&e->a, RDX, i->op == IR_si2f);
    x_mov_imm(&e->a, RCX, 0);
    x_mov_imm(&e->a, R8, FP_CURRENT);
    return i->type == IR_F64 ? (uintptr_t)fp_fromint64 : (uintptr_t)fp_fromint32;
}

/* The arguments that are not values. */
static void soft_aux(struct host_emitter *e, const struct ir_insn *i)
{
    switch (i->op) {
    case IR_fcmp:
    case IR_fcmpx: x_mov_imm(&e->a, RCX, i->aux & 1); break;
    case IR_fcmpm: x_mov_imm(&e->a, RCX, i->aux & 31); break;
    case IR_fma: x_mov_imm(&e->a, R8, i->aux & 3); break;
    case IR_fround:
        x_mov_imm(&e->a, RDX, i->aux & 7);
        x_mov_imm(&e->a, RCX, (i->aux & IR_FP_QUIET) != 0);
        break;
    default: break;
    }
}

static void call_soft(struct host_emitter *e, const struct stub *s)
{
    const struct ir_insn *i = insn_of(e, s->record);
    const char *shape = ir_rows[i->op].operands;
    uintptr_t fn;
    x_call_to(&e->a, runtime_code(e, e->rt->save));
    keep_xmm(e, s->live, false);
    stub_operand_load(e, &s->ref[0], RSI);
    if (shape[1] == 'v')
        stub_operand_load(e, &s->ref[1], RDX);
    if (shape[2] == 'v')
        stub_operand_load(e, &s->ref[2], RCX);
    if (i->op == IR_f2si || i->op == IR_f2ui)
        fn = to_int(e, i);
    else if (i->op == IR_si2f || i->op == IR_ui2f)
        fn = from_int(e, i);
    else
        fn = arithmetic_of(i->op, type_is_64(i->type));
    soft_aux(e, i);
    x_mov_imm(&e->a, RAX, fn);
    x_call_to(&e->a, runtime_code(e, e->rt->soft));
    take_result(e, s);
    keep_xmm(e, s->live, true);
}

void stub_float_inline(struct host_emitter *e, struct stub *s)
{
    call_soft(e, s);
    e->a.flags = 0;
    if (s != &e->spare)
        e->stubs.len--;
}

static void emit_float_stub(struct host_emitter *e, const struct stub *s)
{
    call_soft(e, s);
    x_jmp_to(&e->a, (int32_t)s->resume);
}

static void emit_flags_stub(struct host_emitter *e, const struct stub *s)
{
    x_call_to(&e->a, runtime_code(e, e->rt->settle));
    x_jmp_to(&e->a, (int32_t)s->resume);
}

/* ---- all of them ---- */

nw_status stubs_emit(struct host_emitter *e)
{
    static void (*const emit[])(struct host_emitter *, const struct stub *) = {
        [STUB_EXIT] = emit_exit_stub,
        [STUB_REQUEST] = emit_request_stub,
        [STUB_BEGIN] = emit_begin_stub,
        [STUB_MISS] = emit_miss_stub,
        [STUB_MEMORY] = emit_memory_stub,
        [STUB_FLOAT] = emit_float_stub,
        [STUB_FLAGS] = emit_flags_stub,
        [STUB_HOOK] = emit_hook_stub,
        [STUB_HOOK_AFTER] = emit_hook_after_stub,
        [STUB_LEAVE] = emit_leave_stub,
    };
    for (uint32_t n = 0; n < e->stubs.len; n++) {
        struct stub *s = &e->stubs.at[n];
        if (!emit_room(e))
            return NW_ERR_RANGE;
        if (s->beyond) {
            x_fix32(&e->a, s->beyond, (int32_t)asm_pos(&e->a));
            emit_beyond(e, s);
        }
        for (unsigned k = 0; k < s->nfrom; k++)
            x_fix32(&e->a, s->from[k], (int32_t)asm_pos(&e->a));
        e->a.flags = 0; /* what the stub before left in EFLAGS is not there when this one begins */
        emit[s->kind](e, s);
        if (e->full)
            return NW_ERR_RANGE;
    }
    return NW_OK;
}
