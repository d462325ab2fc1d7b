#include "guest/x86/bare.h"

#include "guest/x86/debug.h"
#include "guest/x86/descriptor.h"
#include "guest/x86/front.h"
#include "guest/x86/mmu.h"
#include "guest/x86/model.h"
#include "guest/x86/mxcsr.h"
#include "guest/x86/segment.h"
#include "guest/x86/system.h"

enum { ATTR_DATA = 0x93, ATTR_CODE = 0x9b };

static void set_segments(struct x86_state *s, unsigned bits)
{
    uint32_t size = bits == 16 ? 0 : X86_ATTR_G | X86_ATTR_DB;
    uint32_t code = bits == 64 ? X86_ATTR_G | X86_ATTR_L : size;

    for (unsigned n = X86_ES; n <= X86_GS; n++)
        s->seg[n] = (struct x86_segment){.limit = UINT32_MAX, .attr = (uint16_t)(ATTR_DATA | size)};
    s->seg[X86_CS].attr = (uint16_t)(ATTR_CODE | code);
}

/* As far as programs need it: SSE, AVX, XSAVE and the instructions for FS and GS work. */
static uint64_t control(const struct x86_model *m)
{
    uint64_t cr4 = 0;

    if (x86_model_has(m, X86_F_FXSR))
        cr4 |= X86_CR4_OSFXSR;
    if (x86_model_has(m, X86_F_FSGSBASE))
        cr4 |= X86_CR4_FSGSBASE;
    if (x86_model_has(m, X86_F_XSAVE))
        cr4 |= X86_CR4_OSXSAVE;
    return cr4;
}

void x86_bare_set(struct nw_vcpu *vcpu, unsigned bits)
{
    struct x86_state *s = x86_of(vcpu);
    const struct x86_model *m = s->model;

    x86_clear(vcpu);
    s->bare = 1;
    set_segments(s, bits);
    if (bits != 16) {
        s->cr0 = X86_CR0_PE | X86_CR0_ET;
        s->cr4 = control(m);
    }
    if (bits == 64)
        s->efer = X86_EFER_LME | X86_EFER_LMA;
    s->xcr0 = x86_model_has(m, X86_F_AVX) ? 7 : x86_model_has(m, X86_F_XSAVE) ? 3 : 1;
    x86_mxcsr_write(vcpu, 0);
    x86_debug_changed(vcpu);
    x86_mmu_state_set(vcpu);
}

void x86_bare(struct nw_vcpu *vcpu)
{
    x86_bare_set(vcpu, vcpu->guest->addr_type == IR_I64 ? 64 : 32);
}

/* Whatever segment the table holds, at any privilege. */
static bool load_code(struct nw_vcpu *vcpu, uint16_t selector)
{
    struct x86_state *s = x86_of(vcpu);
    struct x86_desc d;

    if (x86_selector_null(selector)) {
        s->seg[X86_CS].selector = selector;
        return true;
    }
    if (!x86_desc_need(vcpu, selector, X86_GP, 0, &d))
        return false;
    if (!x86_desc_is_segment(&d))
        return x86_fail(vcpu, X86_GP, selector & 0xfffcu);
    if (!x86_desc_present(&d))
        return x86_fail(vcpu, X86_NP, selector & 0xfffcu);
    s->seg[X86_CS] = x86_desc_segment(&d, selector);
    return true;
}

bool x86_bare_segment(struct nw_vcpu *vcpu, unsigned seg, uint16_t selector)
{
    struct x86_state *s = x86_of(vcpu);
    uint64_t offset = s->mode & X86_KEY_CODE64 ? s->pc : s->pc - s->seg[X86_CS].base;

    if (seg != X86_CS)
        return x86_segment_load(vcpu, seg, selector);
    if (x86_real_or_vm86(s)) {
        s->seg[X86_CS].selector = selector;
        s->seg[X86_CS].base = selector * 16u;
    } else if (!load_code(vcpu, selector)) {
        return false;
    }
    x86_mode_update(s);
    s->pc = s->mode & X86_KEY_CODE64 ? offset : (uint32_t)(offset + s->seg[X86_CS].base);
    return true;
}
