/* Calls of helpers, through the runtime's save and call thunks. */
#include "host/x86_64/emit.h"

/* Floats do not survive a call in registers. */
void spill_xmm(struct host_emitter *e)
{
    for (uint32_t left = live_xmm(e, REG_NONE) & 0xffff; left; left &= left - 1)
        ra_spill(e, e->now.reg[XMM((unsigned)__builtin_ctz(left))]);
}

void forget_xmm(struct host_emitter *e)
{
    for (unsigned n = XMM(0); n < NLOCS; n++)
        ra_unbind(e, n);
}

void sync_insn(struct host_emitter *e)
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
