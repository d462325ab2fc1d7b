/* What vcpu->translate has said, until the next flush: a hash with open places. It is never too
 * small for the pages of one instruction, so that an instruction that is run again asks nobody
 * twice. */
#include <stdlib.h>
#include "mem/mmu.h"

#define FILLED_MIN 256u
#define FILLED_MAX (1u << 16)

struct filled_page {
    uint64_t page; /* TLB_NONE: free */
    uint64_t gpa;
    uint32_t rights; /* 0: flushed */
};

struct filled {
    uint32_t n, size; /* places in use; a power of two */
    struct filled_page at[];
};

static struct filled *new_table(uint32_t size)
{
    struct filled *f = malloc(sizeof *f + size * sizeof f->at[0]);

    if (!f)
        return NULL;
    f->n = 0;
    f->size = size;
    for (uint32_t i = 0; i < size; i++)
        f->at[i].page = TLB_NONE;
    return f;
}

/* The page's place, or the free one for it. */
static struct filled_page *place_of(struct filled *f, uint64_t page)
{
    uint32_t i = (uint32_t)(((page >> PAGE_BITS) * 0x9e3779b97f4a7c15ull) >> 32) & (f->size - 1);

    while (f->at[i].page != TLB_NONE && f->at[i].page != page)
        i = (i + 1) & (f->size - 1);
    return &f->at[i];
}

nw_status filled_prepare(struct nw_vcpu *vcpu)
{
    if (!vcpu->filled)
        vcpu->filled = new_table(FILLED_MIN);
    return vcpu->filled ? NW_OK : NW_ERR_NOMEM;
}

bool filled_find(struct nw_vcpu *vcpu, uint64_t page, uint32_t need, struct mmu_page *out)
{
    const struct filled_page *p = place_of(vcpu->filled, page);

    if (p->page != page || !(p->rights & need))
        return false;
    out->gpa = p->gpa;
    out->rights = p->rights;
    return true;
}

/* Half of the places stay free. */
static void grow(struct nw_vcpu *vcpu)
{
    struct filled *old = vcpu->filled,
                  *f = old->size < FILLED_MAX ? new_table(2 * old->size) : NULL;

    if (!f) {
        filled_forget(vcpu);
        return;
    }
    for (uint32_t i = 0; i < old->size; i++) {
        if (old->at[i].page == TLB_NONE || !old->at[i].rights)
            continue;
        *place_of(f, old->at[i].page) = old->at[i];
        f->n++;
    }
    free(old);
    vcpu->filled = f;
}

void filled_add(struct nw_vcpu *vcpu, uint64_t page, uint64_t gpa, uint32_t rights)
{
    if (2 * vcpu->filled->n >= vcpu->filled->size)
        grow(vcpu);
    struct filled_page *p = place_of(vcpu->filled, page);
    vcpu->filled->n += p->page == TLB_NONE;
    *p = (struct filled_page){page, gpa, rights};
}

void filled_forget(struct nw_vcpu *vcpu)
{
    struct filled *f = vcpu->filled;

    if (!f || !f->n)
        return;
    for (uint32_t i = 0; i < f->size; i++)
        f->at[i].page = TLB_NONE;
    f->n = 0;
}

void filled_forget_page(struct nw_vcpu *vcpu, uint64_t page)
{
    struct filled_page *p = vcpu->filled ? place_of(vcpu->filled, page) : NULL;

    if (p && p->page == page)
        p->rights = 0;
}
