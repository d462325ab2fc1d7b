/* The software TLB: direct-mapped, with a few victims behind it so that two pages of one set can
 * live together. */
#include "mem/core.h"

#include <string.h>

static const struct tlb_entry empty = {TLB_NONE, TLB_NONE, 0, 0};

static uint64_t page_of(const struct tlb_entry *e)
{
    return e->read != TLB_NONE ? e->read : e->write;
}

static struct tlb_entry *watch_slot(struct nw_vcpu *vcpu, uint64_t page)
{
    return &vcpu->watch[(page >> PAGE_BITS) & (WATCH_SIZE - 1)];
}

static void watch_reset(struct nw_vcpu *vcpu)
{
    for (unsigned n = 0; n < WATCH_SIZE; n++)
        vcpu->watch[n] = empty;
    vcpu->watching = false;
}

void watch_fill(struct nw_vcpu *vcpu, uint64_t page, const struct tlb_entry *entry)
{
    if (!vcpu->watching)
        watch_reset(vcpu);
    vcpu->watching = true;
    *watch_slot(vcpu, page) = *entry;
}

void parts_fill(struct nw_vcpu *vcpu, uint64_t at, const struct tlb_entry *entry)
{
    for (unsigned n = 0; !vcpu->parted && n < PARTS_SIZE; n++)
        vcpu->parts[n] = empty;
    vcpu->parted = true;
    *parts_slot(vcpu, at) = *entry;
}

void tlb_reset(struct nw_vcpu *vcpu)
{
    vcpu->watching = vcpu->parted = false;
    for (unsigned m = 0; m < TLB_MMUS; m++) {
        for (unsigned i = 0; i < TLB_SIZE; i++)
            vcpu->tlb[m][i] = empty;
        for (unsigned i = 0; i < TLB_VICTIMS; i++)
            vcpu->victim[m][i] = empty;
    }
    vcpu->tlb_filled.n = 0;
}

void tlb_flush(struct nw_vcpu *vcpu)
{
    const struct fill_log *log = &vcpu->tlb_filled;

    vcpu->watching = vcpu->parted = false;
    if (log->n == FILL_LOG_SIZE) {
        tlb_reset(vcpu);
        return;
    }
    for (unsigned n = 0; n < log->n; n++)
        vcpu->tlb[log->at[n] / TLB_SIZE][log->at[n] % TLB_SIZE] = empty;
    for (unsigned n = 0; n < TLB_MMUS * TLB_VICTIMS; n++)
        vcpu->victim[n / TLB_VICTIMS][n % TLB_VICTIMS] = empty;
    vcpu->tlb_filled.n = 0;
}

void tlb_flush_local(struct nw_vcpu *vcpu)
{
    struct fill_log *log = &vcpu->tlb_filled;
    bool all = log->n == FILL_LOG_SIZE;
    unsigned kept = 0;

    vcpu->watching = vcpu->parted = false;

    for (unsigned n = 0; n < (all ? TLB_MMUS * TLB_SIZE : log->n); n++) {
        unsigned at = all ? n : log->at[n];
        struct tlb_entry *e = &vcpu->tlb[at / TLB_SIZE][at % TLB_SIZE];

        if (!(e->gpa & TLB_GLOBAL))
            *e = empty;
        else if (kept < FILL_LOG_SIZE)
            log->at[kept++] = (uint16_t)at;
    }
    for (unsigned n = 0; n < TLB_MMUS * TLB_VICTIMS; n++) {
        struct tlb_entry *v = &vcpu->victim[n / TLB_VICTIMS][n % TLB_VICTIMS];

        if (!(v->gpa & TLB_GLOBAL))
            *v = empty;
    }
    log->n = kept;
}

void tlb_flush_page(struct nw_vcpu *vcpu, uint64_t page)
{
    vcpu->parted = false;
    if (page_of(watch_slot(vcpu, page)) == page)
        *watch_slot(vcpu, page) = empty;
    for (unsigned m = 0; m < TLB_MMUS; m++) {
        struct tlb_entry *e = &vcpu->tlb[m][(page >> PAGE_BITS) & (TLB_SIZE - 1)];

        if (page_of(e) == page)
            *e = empty;
        for (unsigned i = 0; i < TLB_VICTIMS; i++)
            if (page_of(&vcpu->victim[m][i]) == page)
                vcpu->victim[m][i] = empty;
    }
}

/* The entries of a vCPU one after the other, the victims after each table. */
static struct tlb_entry *entry(struct nw_vcpu *vcpu, unsigned n)
{
    unsigned m = n / (TLB_SIZE + TLB_VICTIMS), i = n % (TLB_SIZE + TLB_VICTIMS);

    return i < TLB_SIZE ? &vcpu->tlb[m][i] : &vcpu->victim[m][i - TLB_SIZE];
}
#define TLB_ENTRIES (TLB_MMUS * (TLB_SIZE + TLB_VICTIMS))

void tlb_flush_large(struct nw_vcpu *vcpu, uint64_t page)
{
    vcpu->watching = vcpu->parted = false;
    for (unsigned n = 0; n < TLB_ENTRIES; n++) {
        struct tlb_entry *e = entry(vcpu, n);
        unsigned size_log = e->gpa & TLB_SIZE_LOG;

        if (size_log > PAGE_BITS && (page_of(e) ^ page) >> size_log == 0)
            *e = empty;
    }
}

void tlb_drop_writes(struct nw_vcpu *vcpu, uint64_t gpa)
{
    vcpu->watching = vcpu->parted = false;
    for (unsigned n = 0; n < TLB_ENTRIES; n++) {
        struct tlb_entry *e = entry(vcpu, n);

        if ((e->gpa & ~(PAGE_SIZE_ - 1)) == gpa)
            e->write = TLB_NONE;
    }
}

struct tlb_entry *tlb_find(struct nw_vcpu *vcpu, unsigned mmu, uint64_t page)
{
    unsigned at = (page >> PAGE_BITS) & (TLB_SIZE - 1);
    struct tlb_entry *e = &vcpu->tlb[mmu][at];

    if (page_of(e) == page)
        return e;
    for (unsigned i = 0; i < TLB_VICTIMS; i++) {
        struct tlb_entry *v = &vcpu->victim[mmu][i];

        if (page_of(v) == page) {
            struct tlb_entry swap = *e;

            if (page_of(e) == TLB_NONE)
                fill_log_add(&vcpu->tlb_filled, mmu * TLB_SIZE + at);
            *e = *v;
            *v = swap;
            return e;
        }
    }
    return NULL;
}

void tlb_fill(struct nw_vcpu *vcpu, unsigned mmu, uint64_t page, const struct tlb_entry *entry)
{
    unsigned i = (page >> PAGE_BITS) & (TLB_SIZE - 1);
    struct tlb_entry *e = &vcpu->tlb[mmu][i];

    if (page_of(e) == TLB_NONE)
        fill_log_add(&vcpu->tlb_filled, mmu * TLB_SIZE + i);
    else if (page_of(e) != page)
        vcpu->victim[mmu][vcpu->victim_next++ % TLB_VICTIMS] = *e;
    *e = *entry;
}
