/* Calls in place of what concerns hooks: the hooks of an instruction, and accesses where each of
 * their kind is hooked.
 *
 * They are frequent, and few values are in registers there: only the pinned ones are saved.
 * Callbacks find the guest's state complete, but for flags that are put off until somebody asks
 * (host_settle). What one of them changes has the instruction run again or the block left. */
#include <stddef.h>
#include "exec/hooks.h"
#include "host/x86_64/emit.h"
#include "mem/mem.h"

/* Values that live on go to memory: the registers but the pinned ones are free. */
static void empty_temporaries(struct host_emitter *e)
{
    for (unsigned n = 0; n < 16; n++) {
        ir_val v = e->now.reg[n];

        if (e->pinned >> n & 1 || v == NO_VALUE)
            continue;
        if (ra_live_after(e, v))
            ra_spill(e, v);
        ra_unbind(e, n);
    }
}

/* Slots of pins that are not in memory yet. */
static void store_pins(struct host_emitter *e)
{
    pins_store(e, e->pinned & ~e->stored);
    e->stored = e->pinned;
}

/* Behind a call of C: the pinned registers that it has changed; their slots hold the same. */
static void reload_pins(struct host_emitter *e)
{
    pins_load(e, e->pinned & CALLER_SAVED);
}

static void begin(struct host_emitter *e)
{
    spill_xmm(e);
    empty_temporaries(e);
    forget_xmm(e);
    sync_insn(e);
}

/* ---- hooks of instructions ---- */

static const struct hook_site *site_of(const struct host_emitter *e, ir_val v)
{
    const struct ir_call *call = &e->r->calls.at[insn_of(e, v)->a];
    return (const struct hook_site *)(uintptr_t)ir_const_bits(insn_of(e, call->args[0]));
}

static void hook_arguments(struct host_emitter *e, const struct hook_site *site)
{
    struct asm_buf *a = &e->a;
    if (site->self)
        x_mov_imm(a, RDI, (uintptr_t)site->self);
    else
        x_lea(a, X_W, RDI, state_at(0));
    x_mov_imm(a, RSI, site->pc);
    x_mov_imm(a, RDX, site->size);
    x_mov_imm(a, RCX, (uintptr_t)site->user);
    x_mov_imm(a, RAX, (uintptr_t)site->direct);
}

/* The hook's function itself; what is rare goes to the stubs: the caller's MXCSR differs, something
 * has changed. */
static void emit_hook_direct(struct host_emitter *e, const struct hook_site *site)
{
    struct asm_buf *a = &e->a;
    uint32_t first, after;
    store_pins(e);
    x_alu_mem_imm(a, 0, X_CMP, state_at(offsetof(struct nw_vcpu, mxcsr_switch)), 0);
    first = x_jcc32(a, X_NE);
    hook_arguments(e, site);
    v_zeroupper(a);
    x_call_reg(a, RAX);
    x_load(a, 0, RAX, x_at(RSP, FRAME_HOOK + (int32_t)offsetof(struct hook_frame, flags)));
    x_alu_mem(a, 0, X_OR, RAX, state_at(offsetof(struct nw_vcpu, request)));
    after = x_jcc32(a, X_NE);
    struct stub *s = stub_add(e, STUB_HOOK, e->cur);
    s->from[s->nfrom++] = first;
    s->resume = asm_pos(a);
    s = stub_add(e, STUB_HOOK_AFTER, e->cur);
    s->from[s->nfrom++] = after;
    s->resume = asm_pos(a);
    reload_pins(e);
}

static void call_hooks(struct host_emitter *e, const struct hook_site *site)
{
    x_mov_imm(&e->a, RCX, (uintptr_t)site);
    x_call_to(&e->a, runtime_code(e, e->rt->hook));
}

void emit_hook(struct host_emitter *e, ir_val v)
{
    const struct hook_site *site = site_of(e, v);

    begin(e);
    if (site->direct) {
        emit_hook_direct(e, site);
    } else {
        call_hooks(e, site);
        e->stored = e->pinned;
    }
    e->a.flags = 0;
    e->locked = 0;
}

void emit_hook_stub(struct host_emitter *e, const struct stub *s)
{
    call_hooks(e, site_of(e, s->record));
    x_jmp_to(&e->a, (int32_t)s->resume);
}

void emit_hook_after_stub(struct host_emitter *e, const struct stub *s)
{
    x_call_to(&e->a, runtime_code(e, e->rt->hook_after));
    x_jmp_to(&e->a, (int32_t)s->resume);
}

/* ---- accesses that are hooked ---- */

bool emit_calls_access(const struct host_emitter *e, const struct ir_insn *i)
{
    return ir_is_hooked(e->r, i) && !e->opt->fastmem && !e->pc_put && !e->ncold &&
           !type_is_vec(i->type);
}

/* rsi = register B + DISP, rdx = register S unless that is REG_NONE. Neither is in rax. */
static void move_arguments(struct host_emitter *e, unsigned b, int32_t disp, unsigned s)
{
    struct asm_buf *a = &e->a;
    uint32_t w = e->r->addr_type == IR_I64 ? X_W : 0;
    if (s == RSI) {
        x_mov(a, X_W, RAX, s);
        s = RAX;
    }
    if (disp)
        x_lea(a, w, RSI, x_at(b, disp));
    else if (b != RSI)
        x_mov(a, w, RSI, b);
    if (s != REG_NONE && s >= XMM(0))
        v_to_gpr(a, true, RDX, s - XMM(0));
    else if (s != REG_NONE && s != RDX)
        x_mov(a, X_W, RDX, s);
}

/* rsi.. = the arguments but the vCPU. */
static void call_access(struct host_emitter *e, ir_val v, uintptr_t fn)
{
    struct asm_buf *a = &e->a;
    x_lea(a, X_W, RDI, state_at(0));
    x_mov_imm(a, RAX, fn);
    v_zeroupper(a);
    x_call_reg(a, RAX);
    x_alu_mem_imm(a, 0, X_CMP, state_at(offsetof(struct nw_vcpu, leave)), 0);
    struct stub *s = stub_add(e, STUB_LEAVE, v);
    stub_jcc(e, s, X_NE);
    reload_pins(e);
    note_correct(e, v, true);
    a->flags = 0;
    e->locked = 0;
}

void emit_call_load(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    ir_val base;
    int32_t disp;
    ra_take(e, RAX);
    split_address(e, i->a, &base, &disp);
    unsigned b = ra_use(e, base);
    begin(e);
    store_pins(e);
    note_correct(e, v, false);
    move_arguments(e, b, disp, REG_NONE);
    x_mov_imm(&e->a, RDX, i->aux);
    call_access(e, v, (uintptr_t)mem_load);
    e->locked = 1u << RAX;
    unsigned d = ra_def(e, v, type_is_fp(i->type) ? REG_NONE : RAX, 0);
    bool extended = i->aux & IR_MEM_SIGNED && !type_is_64(i->type); /* to 64 bits */
    if (d >= XMM(0))
        v_from_gpr(&e->a, type_is_64(i->type), d - XMM(0), RAX);
    else if (d != RAX || extended)
        x_mov(&e->a, width_of(i->type), d, RAX);
    ra_bind(e, v, d);
}

void emit_call_store(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    ir_val base;
    int32_t disp;
    bool constant = is_const(e, i->b);
    ra_take(e, RAX);
    split_address(e, i->a, &base, &disp);
    unsigned b = ra_use(e, base), s = constant ? REG_NONE : ra_use(e, i->b);
    begin(e);
    store_pins(e);
    note_correct(e, v, false);
    move_arguments(e, b, disp, s);
    if (constant)
        x_mov_imm(&e->a, RDX, ir_const_bits(insn_of(e, i->b)));
    x_mov_imm(&e->a, RCX, i->aux);
    call_access(e, v, (uintptr_t)mem_store);
}

void emit_leave_stub(struct host_emitter *e, const struct stub *s)
{
    (void)s;
    x_alu(&e->a, 0, X_XOR, RAX, RAX);
    x_jmp_to(&e->a, runtime_code(e, e->rt->leave_synced));
}
