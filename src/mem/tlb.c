/* The software TLB: direct-mapped, with a few victims behind it so that two pages of one set can
 * live together. */
#include "mem/core.h"

#include <string.h>

static const struct tlb_entry empty = {TLB_NONE, TLB_NONE, TLB_NONE, 0};

static uint64_t page_of(const struct tlb_entry *e)
{
    return e->read != TLB_NONE ? e->read : e->write;
}

void tlb_flush(struct nw_vcpu *vcpu)
{
    for (unsigned m = 0; m < TLB_MMUS; m++) {
        for (unsigned i = 0; i < TLB_SIZE; i++)
            vcpu->tlb[m][i] = empty;
        for (unsigned i = 0; i < TLB_VICTIMS; i++)
            vcpu->victim[m][i] = empty;
    }
}

void tlb_flush_page(struct nw_vcpu *vcpu, uint64_t page)
{
    for (unsigned m = 0; m < TLB_MMUS; m++) {
        struct tlb_entry *e = &vcpu->tlb[m][(page >> PAGE_BITS) & (TLB_SIZE - 1)];

        if (page_of(e) == page)
            *e = empty;
        for (unsigned i = 0; i < TLB_VICTIMS; i++)
            if (page_of(&vcpu->victim[m][i]) == page)
                vcpu->victim[m][i] = empty;
    }
}

struct tlb_entry *tlb_find(struct nw_vcpu *vcpu, unsigned mmu, uint64_t page)
{
    struct tlb_entry *e = &vcpu->tlb[mmu][(page >> PAGE_BITS) & (TLB_SIZE - 1)];

    if (page_of(e) == page)
        return e;
    for (unsigned i = 0; i < TLB_VICTIMS; i++) {
        struct tlb_entry *v = &vcpu->victim[mmu][i];

        if (page_of(v) == page) {
            struct tlb_entry swap = *e;

            *e = *v;
            *v = swap;
            return e;
        }
    }
    return NULL;
}

void tlb_fill(struct nw_vcpu *vcpu, unsigned mmu, uint64_t page, const struct tlb_entry *entry)
{
    struct tlb_entry *e = &vcpu->tlb[mmu][(page >> PAGE_BITS) & (TLB_SIZE - 1)];

    if (page_of(e) != TLB_NONE && page_of(e) != page)
        vcpu->victim[mmu][vcpu->victim_next++ % TLB_VICTIMS] = *e;
    *e = *entry;
}
