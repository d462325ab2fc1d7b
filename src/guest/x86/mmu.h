/* The memory management unit of the x86 guests (SDM 3A chapter 4). */
#ifndef GUEST_X86_MMU_H
#define GUEST_X86_MMU_H

#include "guest/x86/state.h"

/* Something that all translations depend on has changed: CR0, CR4, EFER or the privilege rules
 * in them. */
void x86_mmu_flush(struct nw_vcpu *);
/* CR3 has changed: global pages stay. */
void x86_mmu_flush_space(struct nw_vcpu *);
/* The translation of LINEAR may have changed. */
void x86_mmu_flush_page(struct nw_vcpu *, uint64_t linear);
/* Loads the page-directory pointers of PAE paging from physical address CR3. False: #GP(0), one of
 * them has reserved bits set (SDM 3A 4.4.1). */
bool x86_mmu_load_pdptes(struct nw_vcpu *, uint64_t cr3);

/* A debugger has set CR0, CR3, CR4 or EFER. */
void x86_mmu_state_set(struct nw_vcpu *);

/* guest_ops.translate; MMU: enum x86_mmu. */
bool x86_translate(struct nw_vcpu *, uint64_t gva, unsigned mmu, nw_access, struct mmu_page *out);

#endif
