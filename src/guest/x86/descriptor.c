#include "guest/x86/descriptor.h"

#include "guest/x86/front.h"
#include "guest/x86/segment.h"
#include "guest/x86/sysmem.h"
#include "guest/x86/system.h"

/* What a program without a kernel of its own, and without a descriptor table, may load: the
 * segments it was started with. */
static bool builtin(const struct nw_vcpu *vcpu, uint16_t selector, struct x86_desc *d)
{
    static const struct {
        uint16_t selector;
        uint32_t hi;
    } flat[] = {{0x23, 0x00cffb00}, {0x2b, 0x00cff300}, {0x33, 0x00affb00}};

    for (size_t n = 0; n < ARRAY_LEN(flat); n++) {
        bool wide = flat[n].hi >> 21 & 1;
        if ((selector ^ flat[n].selector) < 4 && (!wide || vcpu->guest->addr_type == IR_I64)) {
            *d = (struct x86_desc){.lo = 0xffff, .hi = flat[n].hi};
            return true;
        }
    }
    return false;
}

enum x86_desc_status x86_desc_read(struct nw_vcpu *vcpu, uint16_t selector, struct x86_desc *d)
{
    const struct x86_state *s = x86_of(vcpu);
    uint64_t base = s->gdtr.base, raw;
    uint32_t limit = s->gdtr.limit;

    if (x86_selector_null(selector))
        return X86_DESC_NONE;
    if (selector & 4) {
        const struct x86_segment *ldt = &s->seg[X86_LDTR];
        if (!(ldt->attr & X86_ATTR_P))
            return X86_DESC_NONE;
        base = ldt->base;
        limit = ldt->limit;
    } else if (x86_is_user(vcpu) && !limit) {
        return builtin(vcpu, selector, d) ? X86_DESC_OK : X86_DESC_NONE;
    }
    if ((selector | 7u) > limit)
        return X86_DESC_NONE;
    d->at = base + (selector & ~7u);
    if (!x86_sys_read(vcpu, d->at, 8, &raw))
        return X86_DESC_FAULT;
    d->lo = (uint32_t)raw;
    d->hi = (uint32_t)(raw >> 32);
    return X86_DESC_OK;
}

bool x86_desc_need(struct nw_vcpu *vcpu, uint16_t selector, unsigned vector, uint32_t ext,
                   struct x86_desc *d)
{
    enum x86_desc_status status = x86_desc_read(vcpu, selector, d);

    if (status == X86_DESC_NONE)
        x86_raise(vcpu, vector, (selector & 0xfffcu) | ext);
    return status == X86_DESC_OK;
}

bool x86_desc_upper(struct nw_vcpu *vcpu, const struct x86_desc *d, uint32_t *base, uint32_t *last)
{
    uint64_t raw;

    if (!x86_sys_read(vcpu, d->at + 8, 8, &raw))
        return false;
    *base = (uint32_t)raw;
    *last = (uint32_t)(raw >> 32);
    return true;
}

/* A program's table is its kernel's, which has the bits set and need not let it be written. */
static bool write_type(struct nw_vcpu *vcpu, struct x86_desc *d, uint32_t hi)
{
    if (hi == d->hi || !d->at || x86_is_user(vcpu))
        return true;
    d->hi = hi;
    return x86_sys_write(vcpu, d->at + 4, 4, hi);
}

bool x86_desc_touch(struct nw_vcpu *vcpu, struct x86_desc *d)
{
    return write_type(vcpu, d, d->hi | X86_SEG_ACCESSED << 8);
}

bool x86_desc_busy(struct nw_vcpu *vcpu, struct x86_desc *d, bool busy)
{
    return write_type(vcpu, d, busy ? d->hi | 2u << 8 : d->hi & ~(2u << 8));
}

struct x86_segment x86_desc_segment(const struct x86_desc *d, uint16_t selector)
{
    struct x86_segment seg = {
        .base = d->lo >> 16 | (d->hi & 0xff) << 16 | (d->hi & 0xff000000),
        .limit = (d->lo & 0xffff) | (d->hi & 0xf0000),
        .selector = selector,
        .attr = (uint16_t)(d->hi >> 8 & 0xf0ff),
    };

    if (seg.attr & X86_ATTR_G)
        seg.limit = seg.limit << 12 | 0xfff;
    if (x86_desc_is_segment(d))
        seg.attr |= X86_SEG_ACCESSED;
    return seg;
}

struct x86_segment x86_segment_null(uint16_t selector)
{
    return (struct x86_segment){.selector = selector};
}

struct x86_segment x86_segment_null_stack(unsigned cpl)
{
    return (struct x86_segment){.selector = (uint16_t)cpl, .attr = (uint16_t)(cpl << 5)};
}

struct x86_segment x86_segment_vm86(uint16_t selector)
{
    return (struct x86_segment){
        .base = selector * 16u, .limit = 0xffff, .selector = selector, .attr = 0xf3};
}
