/* Loading segment registers, LDTR and TR (SDM 3A 3.4.3, 3.5.1, 7.2.4). */
#include "guest/x86/descriptor.h"
#include "guest/x86/segment.h"
#include "guest/x86/sysmem.h"
#include "guest/x86/system.h"

bool x86_stack_segment(struct nw_vcpu *vcpu, uint16_t selector, unsigned cpl, unsigned vector,
                       uint32_t ext, struct x86_segment *out)
{
    uint32_t error = (selector & 0xfffcu) | ext;
    struct x86_desc d;

    if (x86_selector_null(selector))
        return x86_fail(vcpu, vector, ext);
    if (!x86_desc_need(vcpu, selector, vector, ext, &d))
        return false;
    if ((selector & 3) != cpl || x86_desc_dpl(&d) != cpl || !x86_desc_is_writable(&d))
        return x86_fail(vcpu, vector, error);
    if (!x86_desc_present(&d))
        return x86_fail(vcpu, X86_SS_FAULT, error);
    if (!x86_desc_touch(vcpu, &d))
        return false;
    *out = x86_desc_segment(&d, selector);
    return true;
}

static bool load_stack(struct nw_vcpu *vcpu, uint16_t selector, struct x86_segment *out)
{
    const struct x86_state *s = x86_of(vcpu);
    unsigned cpl = x86_cpl(s);

    /* 64-bit kernels run on a null SS (SDM 2, MOV). */
    if (x86_selector_null(selector) && s->mode & X86_KEY_CODE64 && cpl < 3 &&
        (selector & 3) == cpl) {
        *out = x86_segment_null_stack(cpl);
        return true;
    }
    return x86_stack_segment(vcpu, selector, cpl, X86_GP, 0, out);
}

bool x86_data_segment(struct nw_vcpu *vcpu, uint16_t selector, unsigned cpl, unsigned vector,
                      uint32_t ext, struct x86_segment *out)
{
    uint32_t error = (selector & 0xfffcu) | ext;
    unsigned rpl = selector & 3, least = rpl > cpl ? rpl : cpl;
    struct x86_desc d;

    if (x86_selector_null(selector)) {
        *out = x86_segment_null(selector);
        return true;
    }
    if (!x86_desc_need(vcpu, selector, vector, ext, &d))
        return false;
    bool readable =
        x86_desc_is_segment(&d) && (!x86_desc_is_code(&d) || x86_desc_type(&d) & X86_SEG_READABLE);
    if (!readable || (!x86_desc_is_conforming(&d) && least > x86_desc_dpl(&d)))
        return x86_fail(vcpu, vector, error);
    if (!x86_desc_present(&d))
        return x86_fail(vcpu, X86_NP, error);
    if (!x86_desc_touch(vcpu, &d))
        return false;
    *out = x86_desc_segment(&d, selector);
    return true;
}

static bool load_data(struct nw_vcpu *vcpu, uint16_t selector, struct x86_segment *out)
{
    return x86_data_segment(vcpu, selector, x86_cpl(x86_of(vcpu)), X86_GP, 0, out);
}

bool x86_segment_load(struct nw_vcpu *vcpu, unsigned seg, uint16_t selector)
{
    struct x86_state *s = x86_of(vcpu);
    struct x86_segment new = s->seg[seg];

    if (x86_real_or_vm86(s)) {
        new.selector = selector;
        new.base = selector * 16u;
    } else if (!(seg == X86_SS ? load_stack : load_data)(vcpu, selector, &new)) {
        return false;
    }
    s->seg[seg] = new;
    x86_mode_update(s);
    return true;
}

/* ---- system segments ---- */

/* Reads a descriptor of the GDT, and in long mode its upper half into *SEG's base. */
static bool system_segment(struct nw_vcpu *vcpu, uint16_t selector, struct x86_desc *d,
                           struct x86_segment *seg)
{
    uint32_t error = selector & 0xfffcu, upper, last;
    bool wide = x86_long(x86_of(vcpu));

    if (selector & 4)
        return x86_fail(vcpu, X86_GP, error);
    if (!x86_desc_need(vcpu, selector, X86_GP, 0, d))
        return false;
    *seg = x86_desc_segment(d, selector);
    if (!wide || x86_desc_is_segment(d))
        return true;
    if ((selector | 15u) > x86_of(vcpu)->gdtr.limit)
        return x86_fail(vcpu, X86_GP, error);
    if (!x86_desc_upper(vcpu, d, &upper, &last))
        return false;
    if (last & 0x1f00)
        return x86_fail(vcpu, X86_GP, error);
    seg->base |= (uint64_t)upper << 32;
    return x86_canonical(seg->base) || x86_fail(vcpu, X86_GP, error);
}

bool x86_ldt_load(struct nw_vcpu *vcpu, uint16_t selector)
{
    struct x86_state *s = x86_of(vcpu);
    struct x86_segment seg = x86_segment_null(selector);
    struct x86_desc d;

    if (!x86_selector_null(selector)) {
        if (!system_segment(vcpu, selector, &d, &seg))
            return false;
        if (x86_desc_is_segment(&d) || x86_desc_type(&d) != X86_LDT)
            return x86_fail(vcpu, X86_GP, selector & 0xfffcu);
        if (!x86_desc_present(&d))
            return x86_fail(vcpu, X86_NP, selector & 0xfffcu);
    }
    s->seg[X86_LDTR] = seg;
    return true;
}

bool x86_tr_load(struct nw_vcpu *vcpu, uint16_t selector)
{
    struct x86_state *s = x86_of(vcpu);
    struct x86_segment seg;
    struct x86_desc d;

    if (x86_selector_null(selector))
        return x86_fail(vcpu, X86_GP, 0);
    if (!system_segment(vcpu, selector, &d, &seg))
        return false;
    unsigned type = x86_desc_type(&d);
    if (x86_desc_is_segment(&d) || (type != X86_TSS32 && (type != X86_TSS16 || x86_long(s))))
        return x86_fail(vcpu, X86_GP, selector & 0xfffcu);
    if (!x86_desc_present(&d))
        return x86_fail(vcpu, X86_NP, selector & 0xfffcu);
    if (!x86_desc_busy(vcpu, &d, true))
        return false;
    seg.attr |= 2;
    s->seg[X86_TR] = seg;
    return true;
}
