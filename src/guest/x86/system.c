/* Reset, exceptions and interrupts (SDM 3A 6.8, 6.9, 6.15, 9.1). */
#include <string.h>

#include <narwhal/x86.h>
#include "exec/engine.h"
#include "guest/x86/cpuid.h"
#include "guest/x86/debug.h"
#include "guest/x86/event.h"
#include "guest/x86/flags.h"
#include "guest/x86/front.h"
#include "guest/x86/mmu.h"
#include "guest/x86/mxcsr.h"
#include "guest/x86/segment.h"
#include "guest/x86/sysmem.h"
#include "guest/x86/system.h"

/* ---- reset (SDM 3A table 9-1) ---- */

static void reset_segments(struct x86_state *s)
{
    struct x86_segment data = {.limit = 0xffff, .attr = 0x93};

    for (unsigned n = X86_ES; n <= X86_GS; n++)
        s->seg[n] = data;
    s->seg[X86_CS] =
        (struct x86_segment){.base = 0xffff0000, .limit = 0xffff, .selector = 0xf000, .attr = 0x9b};
    s->seg[X86_LDTR] = (struct x86_segment){.limit = 0xffff, .attr = 0x82};
    s->seg[X86_TR] = (struct x86_segment){.limit = 0xffff, .attr = 0x8b};
    s->gdtr = s->idtr = (struct x86_table){.limit = 0xffff};
}

void x86_clear(struct nw_vcpu *vcpu)
{
    struct x86_state *s = x86_of(vcpu);
    const struct x86_model *m = s->model;

    memset(s, 0, sizeof *s);
    s->model = m;
    s->dr[6] = 0xffff0ff0;
    s->dr[7] = 0x400;
    s->fptag = 0xff; /* every register holds +0 */
    s->apic_base = 0xfee00900;
    s->pat = 0x0007040600070406;
    s->misc_enable = 1;
}

void x86_reset(struct nw_vcpu *vcpu)
{
    struct x86_state *s = x86_of(vcpu);
    uint32_t signature[4];

    x86_clear(vcpu);
    reset_segments(s);
    s->pc = 0xfffffff0;
    x86_cpuid(vcpu, 1, 0, signature);
    s->gpr[X86_RDX] = signature[0];
    s->cr0 = X86_CR0_CD | X86_CR0_NW | X86_CR0_ET;
    s->xcr0 = 1;
    s->fpcw = 0x40;
    x86_mxcsr_write(vcpu, 0x1f80);
    x86_debug_changed(vcpu);
    x86_mmu_flush(vcpu);
}

/* ---- exceptions ---- */

static bool has_error(unsigned vector)
{
    return vector == X86_DF_FAULT || (vector >= X86_TS_FAULT && vector <= X86_PF_FAULT) ||
           vector == X86_AC_FAULT;
}

static struct x86_event fault_event(unsigned vector, uint32_t error)
{
    return (struct x86_event){.vector = (uint8_t)vector,
                              .source = X86_EVENT_FAULT,
                              .has_error = has_error(vector),
                              .error = error};
}

bool x86_linear_ok(const struct x86_state *s, uint64_t addr, unsigned size)
{
    return (s->bare && !(s->cr0 & X86_CR0_PG)) ||
           (x86_canonical(addr) && x86_canonical(addr + size - 1));
}

/* A memory access that failed. False: nothing of the CPU's, the board must know. */
static bool memory_event(struct nw_vcpu *vcpu, struct x86_event *out)
{
    const struct x86_state *s = x86_of(vcpu);
    const struct vcpu_exc *e = &vcpu->exc;

    if (e->fault == NW_FAULT_ALIGN) /* vectors: SDM 3A 6.15, interrupt 17 */
        *out = fault_event(e->size >= 16 ? X86_GP : X86_AC_FAULT, 0);
    else if (x86_long(s) && !x86_linear_ok(s, e->addr, e->size))
        *out = fault_event(x86_uses_stack(vcpu, e->addr) ? X86_SS_FAULT : X86_GP, 0);
    else if (e->mmu)
        *out = fault_event(X86_PF_FAULT, e->payload);
    else
        return false;
    out->cr2 = x86_long(s) ? e->addr : (uint32_t)e->addr;
    return true;
}

void x86_fault(struct nw_vcpu *vcpu)
{
    struct x86_event event;
    struct x86_state *s = x86_of(vcpu);
    /* What no page table has refused is the caller's, who mapped nothing there. */
    bool mapped = vcpu->exc.fault != NW_FAULT_ALIGN && !vcpu->exc.mmu &&
                  (s->bare || x86_canonical(vcpu->exc.addr));

    if (mapped || !memory_event(vcpu, &event))
        return;
    if (event.vector == X86_PF_FAULT)
        s->cr2 = event.cr2;
    x86_raise(vcpu, (enum x86_vector)event.vector, event.error);
}

/* What vcpu->exc asks for. */
static bool event_of(struct nw_vcpu *vcpu, struct x86_event *out)
{
    const struct vcpu_exc *e = &vcpu->exc;

    if (e->kind == EXC_MEM)
        return memory_event(vcpu, out);
    if (e->kind == EXC_UNDEFINED)
        *out = fault_event(X86_UD, 0);
    else if (e->kind >= EXC_GUEST)
        *out = fault_event(e->kind - EXC_GUEST, e->payload);
    else
        return false;
    if (out->vector == X86_DB && !(e->payload & X86_DB_FAULT))
        out->source = X86_EVENT_TRAP;
    return true;
}

/* Exceptions that make a double fault of another one (SDM 3A table 6-5). */
static bool contributory(unsigned vector)
{
    return vector == X86_DE || (vector >= X86_TS_FAULT && vector <= X86_GP);
}

static bool doubles(unsigned first, unsigned second)
{
    if (first == X86_PF_FAULT)
        return second == X86_PF_FAULT || contributory(second);
    return contributory(first) && contributory(second);
}

/* Delivers E, or what comes of trying; false: an access to memory that does not exist. */
static bool deliver(struct nw_vcpu *vcpu, struct x86_event e)
{
    struct x86_state *s = x86_of(vcpu);
    struct x86_event next;

    for (;;) {
        vcpu->leave = VCPU_LEAVE_NONE;
        if (e.vector == X86_PF_FAULT && e.source == X86_EVENT_FAULT)
            s->cr2 = e.cr2;
        if (e.vector == X86_DB)
            s->dr[7] &= ~(uint64_t)X86_DR7_GD;
        if (x86_event_enter(vcpu, &e))
            return true;
        if (!event_of(vcpu, &next))
            return false;
        if (e.vector == X86_DF_FAULT && e.source == X86_EVENT_FAULT &&
            (contributory(next.vector) || next.vector == X86_PF_FAULT)) {
            s->halted = X86_SHUTDOWN;
            vcpu_raise(vcpu, EXC_HALT, X86_SHUTDOWN);
            return true;
        }
        bool fault = e.source == X86_EVENT_FAULT;
        if (fault && doubles(e.vector, next.vector))
            next = fault_event(X86_DF_FAULT, 0);
        next.back = s->pc;
        e = next;
    }
}

bool x86_deliver(struct nw_vcpu *vcpu)
{
    struct x86_state *s = x86_of(vcpu);
    uint32_t payload = vcpu->exc.payload;
    struct x86_event e;

    if (!event_of(vcpu, &e))
        return false;
    e.back = s->pc;
    if (vcpu->exc.kind >= EXC_GUEST && payload & (X86_EXC_SOFT | X86_EXC_ICEBP)) {
        e.source = payload & X86_EXC_SOFT ? X86_EVENT_SOFT : X86_EVENT_ICEBP;
        e.has_error = false;
        /* What goes wrong now is a fault of the instruction. */
        s->pc -= payload >> 24 & 15;
        if (!(s->mode & X86_KEY_CODE64))
            s->pc = (uint32_t)s->pc;
    }
    return deliver(vcpu, e);
}

/* ---- interrupts ---- */

/* Lets an interrupt line that cannot be served now be looked at again soon. */
static bool later(struct nw_vcpu *vcpu)
{
    if (x86_of(vcpu)->inhibit)
        atomic_fetch_or(&vcpu->request, VCPU_REQ_IRQ);
    return false;
}

bool x86_interrupt(struct nw_vcpu *vcpu)
{
    struct x86_state *s = x86_of(vcpu);
    uint32_t lines = __atomic_load_n(&vcpu->irq_lines, __ATOMIC_ACQUIRE);
    struct x86_event e = {.source = X86_EVENT_EXTERNAL, .back = s->pc};

    if (s->halted == X86_SHUTDOWN)
        return false;
    if (lines & 1u << NW_X86_NMI && !s->nmi_blocked) {
        if (s->inhibit == X86_INHIBIT_SS)
            return later(vcpu);
        /* The edge counts. */
        __atomic_fetch_and(&vcpu->irq_lines, ~(1u << NW_X86_NMI), __ATOMIC_ACQ_REL);
        s->nmi_blocked = 1;
        e.vector = X86_NMI_VECTOR;
    } else if (lines & 1u << NW_X86_INTR && s->eflags & X86_IF) {
        if (s->inhibit)
            return later(vcpu);
        int vector = vcpu->int_ack ? vcpu->int_ack(vcpu->int_ack_opaque) : -1;
        if (vector < 0)
            return false;
        e.vector = (uint8_t)vector;
    } else {
        return false;
    }
    s->halted = X86_RUNNING;
    if (!deliver(vcpu, e))
        s->halted = X86_SHUTDOWN;
    return true;
}

bool x86_wakes(const struct nw_vcpu *vcpu)
{
    const struct x86_state *s = (const struct x86_state *)vcpu->state;
    uint32_t lines = __atomic_load_n(&vcpu->irq_lines, __ATOMIC_ACQUIRE);

    if (s->halted == X86_SHUTDOWN)
        return false;
    return (lines & 1u << NW_X86_NMI && !s->nmi_blocked) ||
           (lines & 1u << NW_X86_INTR && s->eflags & X86_IF);
}

uint32_t x86_asleep(const struct nw_vcpu *vcpu)
{
    const struct x86_state *s = (const struct x86_state *)vcpu->state;
    return s->halted;
}
