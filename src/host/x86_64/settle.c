/* What the runtime's settle routine does, for helpers that run while flags are put off. */
#include "guest/guest.h"
#include "host/host.h"
#include "host/x86_64/runtime.h"

/* As emit_lazy.c stores them. */
struct lazy_flags {
    uint32_t a, kind;
    uint32_t b, shows;
    uint32_t r, carry;
};

enum { V = 1, C = 2, Z = 4, N = 8 };

static uint32_t nz(uint32_t r)
{
    return (r ? 0 : Z) | (r >> 31 ? N : 0);
}

static uint32_t packed(const struct lazy_flags *f)
{
    uint32_t sub = f->a - f->b, sum = f->a + f->b;

    if (f->kind == LAZY_SUB)
        return nz(sub) | (f->a >= f->b ? C : 0) | ((f->a ^ f->b) & (f->a ^ sub) & 1u << 31 ? V : 0);
    return nz(sum) | (sum < f->a ? C : 0) | (~(f->a ^ f->b) & (f->a ^ sum) & 1u << 31 ? V : 0);
}

void host_settle(struct nw_vcpu *vcpu)
{
    struct lazy_flags *f = vcpu->lazy_flags;
    uint32_t *slot;

    if (!f)
        return;
    slot = (uint32_t *)(void *)(vcpu->state + vcpu->guest->flags_offset);
    if (f->kind != LAZY_NONE)
        *slot = packed(f);
    if (f->shows >> 8 & 1)
        *slot = (*slot & ~(uint32_t)C) | (f->carry & 1 ? C : 0);
    if (f->shows)
        *slot = (*slot & (C | V)) | nz(f->r);
    f->kind = LAZY_NONE;
    f->shows = 0;
}
