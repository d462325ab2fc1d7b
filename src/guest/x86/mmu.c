#include "guest/x86/mmu.h"

#include "guest/x86/control.h"
#include "guest/x86/system.h"
#include "mem/core.h"
#include "mem/mmu.h"

void x86_mmu_flush(struct nw_vcpu *vcpu)
{
    mmu_flush(vcpu);
}

void x86_mmu_flush_space(struct nw_vcpu *vcpu)
{
    mmu_flush_local(vcpu);
}

void x86_mmu_flush_page(struct nw_vcpu *vcpu, uint64_t linear)
{
    mmu_flush_page(vcpu, linear);
}

bool x86_mmu_load_pdptes(struct nw_vcpu *vcpu, uint64_t cr3)
{
    struct x86_state *s = x86_of(vcpu);
    uint64_t entry[4], reserved = 0x1e6 | UINT64_MAX << X86_PHYSICAL_BITS;

    if (space_read(vcpu->mem, cr3 & 0xffffffe0, entry, sizeof entry) != NW_OK)
        entry[0] = entry[1] = entry[2] = entry[3] = UINT64_MAX; /* what no device drives */
    for (unsigned n = 0; n < 4; n++)
        if (entry[n] & 1 && entry[n] & reserved)
            return x86_fail(vcpu, X86_GP, 0);
    for (unsigned n = 0; n < 4; n++)
        s->pdpte[n] = entry[n];
    return true;
}
