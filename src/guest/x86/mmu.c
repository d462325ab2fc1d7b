#include "guest/x86/mmu.h"

#include <string.h>
#include "exec/memory.h"
#include "guest/x86/control.h"
#include "guest/x86/front.h"
#include "guest/x86/system.h"
#include "mem/core.h"
#include "mem/mmu.h"

/* A bare CPU goes without, as long as it does not page. */
void x86_mmu_flush(struct nw_vcpu *vcpu)
{
    if (NW_UNLIKELY(!vcpu->mmu) && x86_of(vcpu)->cr0 & X86_CR0_PG && x86_is_bare(vcpu))
        engine_enable_mmu(vcpu->engine);
    if (vcpu->mmu)
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

static void read_pdptes(struct nw_vcpu *vcpu, uint64_t cr3, uint64_t entry[4])
{
    if (space_read(vcpu->mem, cr3 & 0xffffffe0, entry, 4 * sizeof *entry) != NW_OK)
        memset(entry, 0xff, 4 * sizeof *entry); /* what no device drives */
}

bool x86_mmu_load_pdptes(struct nw_vcpu *vcpu, uint64_t cr3)
{
    struct x86_state *s = x86_of(vcpu);
    uint64_t entry[4], reserved = 0x1e6 | UINT64_MAX << X86_PHYSICAL_BITS;

    read_pdptes(vcpu, cr3, entry);
    for (unsigned n = 0; n < 4; n++)
        if (entry[n] & 1 && entry[n] & reserved)
            return x86_fail(vcpu, X86_GP, 0);
    memcpy(s->pdpte, entry, sizeof entry);
    return true;
}

void x86_mmu_state_set(struct nw_vcpu *vcpu)
{
    struct x86_state *s = x86_of(vcpu);
    bool pae = s->cr0 & X86_CR0_PG && s->cr4 & X86_CR4_PAE && !(s->efer & X86_EFER_LMA);

    x86_mmu_flush(vcpu);
    if (vcpu->mmu && pae)
        read_pdptes(vcpu, s->cr3, s->pdpte);
}
