/* Calls of helpers, through the runtime's save and call thunks. */
#include <stddef.h>
#include "exec/hooks.h"
#include "host/x86_64/emit.h"

/* Floats do not survive a call in registers. */
static void spill_xmm(struct host_emitter *e)
{
    for (uint32_t left = live_xmm(e, REG_NONE) & 0xffff; left; left &= left - 1)
        ra_spill(e, e->now.reg[XMM((unsigned)__builtin_ctz(left))]);
}

static void forget_xmm(struct host_emitter *e)
{
    for (unsigned n = XMM(0); n < NLOCS; n++)
        ra_unbind(e, n);
}

static void sync_insn(struct host_emitter *e)
{
    if (e->insn == NO_REF)
        return;
    const struct ir_insn *at = insn_of(e, e->insn);
    emit_store_pc(e, ir_insn_pc(at));
    if (e->r->aux_offset != UINT32_MAX)
        x_store_imm32(&e->a, 0, state_at(e->r->aux_offset), at->a);
}

static void arguments(struct host_emitter *e, const struct ir_call *call, struct stub_ref *refs)
{
    for (unsigned n = 0; n < call->helper->nargs; n++)
        if (!is_const(e, call->args[n]))
            ra_use(e, call->args[n]);
    for (unsigned n = 0; n < call->helper->nargs; n++)
        refs[n] = stub_operand(e, call->args[n]);
}

static void take_value(struct host_emitter *e, ir_val v, uint8_t type)
{
    unsigned d = ra_def(e, v, REG_NONE, 0);
    if (d >= XMM(0))
        v_load(&e->a, type_is_64(type), d - XMM(0), x_at(RSP, FRAME_RESULT));
    else
        x_load(&e->a, width_of(type), d, x_at(RSP, FRAME_RESULT));
    ra_bind(e, v, d);
}

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

static const struct hook_site *site_of(const struct host_emitter *e, ir_val v)
{
    const struct ir_call *call = &e->r->calls.at[insn_of(e, v)->a];
    return (const struct hook_site *)(uintptr_t)ir_const_bits(insn_of(e, call->args[0]));
}

/* Slots of pins that are not in memory yet. */
static void store_pins(struct host_emitter *e)
{
    for (uint32_t left = e->pinned & ~e->stored; left; left &= left - 1) {
        unsigned pin = (unsigned)__builtin_ctz(left);
        x_store(&e->a, width_of(e->pin_type[pin]), state_at(e->pin_offset[pin]), pin);
    }
    e->stored = e->pinned;
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
    for (uint32_t left = e->pinned & CALLER_SAVED; left; left &= left - 1) {
        unsigned pin = (unsigned)__builtin_ctz(left);
        x_load(a, width_of(e->pin_type[pin]), pin, state_at(e->pin_offset[pin]));
    }
}

static void call_hooks(struct host_emitter *e, const struct hook_site *site)
{
    x_mov_imm(&e->a, RCX, (uintptr_t)site);
    x_call_to(&e->a, runtime_code(e, e->rt->hook));
}

/* Frequent, and at the start of an instruction, where little is in registers: only the pinned ones
 * are saved, and flags that are put off stay so until somebody asks (host_settle). */
static void emit_hook(struct host_emitter *e, ir_val v)
{
    const struct hook_site *site = site_of(e, v);

    spill_xmm(e);
    empty_temporaries(e);
    forget_xmm(e);
    sync_insn(e);
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

void emit_call(struct host_emitter *e, ir_val v, const struct ir_insn *i)
{
    static const uint8_t regs[] = {RSI, RDX, RCX, R8};
    const struct ir_call *call = &e->r->calls.at[i->a];
    const struct ir_helper *h = call->helper;
    struct stub_ref refs[4];
    bool exits = h->flags & IR_H_EXITS, writes = h->flags & IR_H_WRITES;

    if (h->flags & IR_H_HOOK) {
        emit_hook(e, v);
        return;
    }

    if (writes)
        homes_kill_all(e);
    arguments(e, call, refs);
    spill_xmm(e);
    if (writes)
        release_pins(e, e->pinned);
    x_call_to(&e->a, runtime_code(e, e->rt->save));
    if (h->flags & (IR_H_READS | IR_H_EXITS))
        sync_insn(e);
    for (unsigned n = 0; n < h->nargs; n++)
        stub_operand_load(e, &refs[n], regs[n]);
    x_mov_imm(&e->a, RAX, (uintptr_t)h->fn);
    x_call_to(&e->a, runtime_code(e, e->rt->call[exits + 2 * writes]));
    e->a.flags = 0;
    e->locked = 0;
    e->stored = e->pinned;
    forget_xmm(e);
    if (h->ret != IR_VOID)
        take_value(e, v, h->ret);
}
