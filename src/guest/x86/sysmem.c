#include "guest/x86/sysmem.h"

#include "guest/x86/system.h"
#include "guest/x86/segment.h"
#include "ir/ir.h"
#include "mem/mem.h"

static uint64_t linear_of(const struct nw_vcpu *vcpu, uint64_t linear)
{
    const struct x86_state *s = (const struct x86_state *)vcpu->state;
    return s->mode & X86_KEY_LONG ? linear : (uint32_t)linear;
}

static bool read(struct nw_vcpu *vcpu, uint64_t linear, unsigned size, unsigned mmu, uint64_t *out)
{
    uint32_t memop = (uint32_t)__builtin_ctz(size) | IR_MEM_MMU(mmu);

    *out = mem_load(vcpu, linear_of(vcpu, linear), memop);
    return vcpu->leave == VCPU_LEAVE_NONE;
}

static bool write(struct nw_vcpu *vcpu, uint64_t linear, unsigned size, unsigned mmu,
                  uint64_t value)
{
    uint32_t memop = (uint32_t)__builtin_ctz(size) | IR_MEM_MMU(mmu);

    mem_store(vcpu, linear_of(vcpu, linear), value, memop);
    return vcpu->leave == VCPU_LEAVE_NONE;
}

static unsigned mmu_of_cpl(const struct nw_vcpu *vcpu, unsigned cpl)
{
    const struct x86_state *s = (const struct x86_state *)vcpu->state;

    if (cpl == 3)
        return X86_MMU_USER;
    return s->eflags & X86_AC ? X86_MMU_SUPERVISOR : X86_MMU_GUARDED;
}

bool x86_cpl_read(struct nw_vcpu *vcpu, uint64_t linear, unsigned size, unsigned cpl, uint64_t *out)
{
    return read(vcpu, linear, size, mmu_of_cpl(vcpu, cpl), out);
}

bool x86_cpl_write(struct nw_vcpu *vcpu, uint64_t linear, unsigned size, unsigned cpl,
                   uint64_t value)
{
    return write(vcpu, linear, size, mmu_of_cpl(vcpu, cpl), value);
}

bool x86_sys_read(struct nw_vcpu *vcpu, uint64_t linear, unsigned size, uint64_t *out)
{
    return read(vcpu, linear, size, X86_MMU_GUARDED, out);
}

bool x86_sys_write(struct nw_vcpu *vcpu, uint64_t linear, unsigned size, uint64_t value)
{
    return write(vcpu, linear, size, X86_MMU_GUARDED, value);
}

/* ---- stacks ---- */

struct x86_stack x86_stack_on(struct nw_vcpu *vcpu, const struct x86_segment *seg, uint64_t sp,
                              unsigned cpl, bool wide)
{
    struct x86_stack st = {.vcpu = vcpu, .seg = *seg, .sp = sp, .cpl = (uint8_t)cpl, .flat = wide};

    st.mask = wide ? UINT64_MAX : seg->attr & X86_ATTR_DB ? UINT32_MAX : 0xffff;
    st.sp &= st.mask;
    return st;
}

struct x86_stack x86_stack_now(struct nw_vcpu *vcpu)
{
    struct x86_state *s = x86_of(vcpu);
    struct x86_stack st =
        x86_stack_on(vcpu, &s->seg[X86_SS], s->gpr[X86_RSP], x86_cpl(s), s->mode & X86_KEY_CODE64);

    st.real = x86_real_or_vm86(s);
    return st;
}

/* The linear address of SIZE bytes at SP, or #SS. */
static bool stack_address(struct x86_stack *st, uint64_t sp, unsigned size, bool write,
                          uint64_t *linear)
{
    bool ok = st->flat ? x86_linear_ok(x86_of(st->vcpu), sp, size)
                       : x86_segment_allows(&st->seg, sp, size, write, st->real);

    if (!ok) {
        x86_raise(st->vcpu, X86_SS_FAULT, st->error);
        return false;
    }
    *linear = st->flat ? sp : (uint32_t)(st->seg.base + sp);
    return true;
}

bool x86_stack_push(struct x86_stack *st, unsigned size, uint64_t value)
{
    uint64_t sp = (st->sp - size) & st->mask, linear;

    if (!stack_address(st, sp, size, true, &linear) ||
        !x86_cpl_write(st->vcpu, linear, size, st->cpl, value))
        return false;
    st->sp = sp;
    return true;
}

bool x86_stack_peek(struct x86_stack *st, uint64_t offset, unsigned size, uint64_t *value)
{
    uint64_t linear;

    return stack_address(st, (st->sp + offset) & st->mask, size, false, &linear) &&
           x86_cpl_read(st->vcpu, linear, size, st->cpl, value);
}

bool x86_stack_pop(struct x86_stack *st, unsigned size, uint64_t *value)
{
    if (!x86_stack_peek(st, 0, size, value))
        return false;
    st->sp = (st->sp + size) & st->mask;
    return true;
}

void x86_stack_commit(const struct x86_stack *st)
{
    uint64_t *rsp = &x86_of(st->vcpu)->gpr[X86_RSP];

    /* ESP is written whole, and zero-extended; SP leaves the rest alone. */
    *rsp = st->mask == 0xffff ? (*rsp & ~st->mask) | st->sp : st->sp;
}
