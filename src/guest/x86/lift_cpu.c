/* CPUID, the time-stamp counter, XGETBV (SDM 2A, 2B, 2D). */
#include <x86intrin.h>

#include "guest/x86/cpuid.h"
#include "guest/x86/lift.h"
#include "guest/x86/system.h"

static uint64_t cpuid_helper(struct nw_vcpu *vcpu, uint64_t unused0, uint64_t unused1,
                             uint64_t unused2, uint64_t unused3)
{
    (void)unused0, (void)unused1, (void)unused2, (void)unused3;
    struct x86_state *s = x86_of(vcpu);
    uint32_t out[4];

    x86_cpuid(vcpu, (uint32_t)s->gpr[X86_RAX], (uint32_t)s->gpr[X86_RCX], out);
    s->gpr[X86_RAX] = out[0];
    s->gpr[X86_RBX] = out[1];
    s->gpr[X86_RCX] = out[2];
    s->gpr[X86_RDX] = out[3];
    return 0;
}

void x86_cpuid_insn(struct x86_lift *l, const struct x86_insn *i)
{
    static const struct ir_helper helper = {"x86_cpuid", cpuid_helper, IR_H_READS | IR_H_WRITES,
                                            IR_VOID, 0};
    (void)i;
    x86_call(l, &helper, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
}

static uint64_t rdtsc_helper(struct nw_vcpu *vcpu, uint64_t with_aux, uint64_t unused1,
                             uint64_t unused2, uint64_t unused3)
{
    (void)unused1, (void)unused2, (void)unused3;
    struct x86_state *s = x86_of(vcpu);

    if (s->cr4 & X86_CR4_TSD && s->mode & X86_KEY_CPL) {
        x86_raise(vcpu, X86_GP, 0);
        return 0;
    }
    uint64_t now = __rdtsc() + s->tsc_offset;
    s->gpr[X86_RAX] = (uint32_t)now;
    s->gpr[X86_RDX] = now >> 32;
    if (with_aux)
        s->gpr[X86_RCX] = (uint32_t)s->tsc_aux;
    return 0;
}

void x86_rdtsc(struct x86_lift *l, const struct x86_insn *i)
{
    static const struct ir_helper helper = {"x86_rdtsc", rdtsc_helper,
                                            IR_H_READS | IR_H_WRITES | IR_H_EXITS, IR_VOID, 1};
    x86_call(l, &helper, ir_const32(l->b, i->row->arg), IR_NONE, IR_NONE, IR_NONE);
}

void x86_rdpid(struct x86_lift *l, const struct x86_insn *i)
{
    (void)i;
    ir_val aux = ir_get(l->b, IR_I32, X86_OFF(tsc_aux));
    x86_write(l, 0, x86_zext(l, aux, 32, x86_op_bits(l, 0)));
}

static uint64_t xgetbv_helper(struct nw_vcpu *vcpu, uint64_t unused0, uint64_t unused1,
                              uint64_t unused2, uint64_t unused3)
{
    (void)unused0, (void)unused1, (void)unused2, (void)unused3;
    struct x86_state *s = x86_of(vcpu);
    uint32_t which = (uint32_t)s->gpr[X86_RCX];
    uint64_t value = s->xcr0;

    if (!(s->cr4 & X86_CR4_OSXSAVE)) {
        x86_raise(vcpu, X86_UD, 0);
        return 0;
    }
    /* XCR0 and the state in use: all of it, as far as the CPU knows. */
    if (which > 1 || (which == 1 && !x86_model_has(s->model, X86_F_XSAVEC))) {
        x86_raise(vcpu, X86_GP, 0);
        return 0;
    }
    s->gpr[X86_RAX] = (uint32_t)value;
    s->gpr[X86_RDX] = value >> 32;
    return 0;
}

void x86_xgetbv(struct x86_lift *l, const struct x86_insn *i)
{
    static const struct ir_helper helper = {"x86_xgetbv", xgetbv_helper,
                                            IR_H_READS | IR_H_WRITES | IR_H_EXITS, IR_VOID, 0};
    (void)i;
    x86_call(l, &helper, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
}
