/* Guests with a memory management unit: guest virtual addresses (gva) become guest physical ones
 * (gpa) before anything is looked up.
 *
 * vcpu->mmu says whether they do. Without it both are the same, and no call of this header but the
 * flushes may be made. What a translation gave is kept in the TLB until it is flushed; when that
 * has to happen is the guest's affair, as it is on hardware. */
#ifndef MEM_MMU_H
#define MEM_MMU_H

#include "exec/vcpu.h"

/* What guest_ops.translate gives. */
struct mmu_page {
    uint64_t gpa;    /* of the byte */
    uint32_t rights; /* enum nw_perm: accesses that need not ask again until the page is flushed */
    uint32_t note;   /* enum tlb_note */
    uint32_t code;   /* of a refusal: what becomes vcpu->exc.payload */
    bool absent;     /* of a refusal: the tables have no such page */
};

/* False: refused, and recorded as a fault of SIZE bytes. */
bool mmu_translate(struct nw_vcpu *, uint64_t gva, uint32_t size, unsigned mmu, nw_access,
                   struct mmu_page *);
/* The same for somebody who only asks, with the rights of the state: nothing is recorded. */
bool mmu_peek(struct nw_vcpu *, uint64_t gva, nw_access, struct mmu_page *);
/* As mmu_translate, without callbacks: what they have not said yet is refused. Nothing is recorded.
 */
bool mmu_ask(struct nw_vcpu *, uint64_t gva, unsigned mmu, nw_access, struct mmu_page *);
/* Where an instruction fetch at GVA under mode word MODE goes, from the fetch TLB if it is there.
 * False: it is refused; nothing is recorded. Under vcpu->no_fill it may be unknown instead, see
 * vcpu->fill_wanted. */
bool mmu_fetch(struct nw_vcpu *, uint32_t mode, uint64_t gva, uint64_t *gpa);
/* The same for code that is translated: false as well when not all of the page is mapped as GVA is. */
bool mmu_fetch_page(struct nw_vcpu *, uint32_t mode, uint64_t gva, uint64_t *gpa);

/* ---- what vcpu->translate has said, by page (filled.c) ----
 *
 * It is called without locks, so that callbacks may do anything. An access begins by setting
 * vcpu->after_fill to NONE; STEP there: nothing has been done yet, and the instruction must be run
 * again; UNDONE: a stop or another pc, which takes effect after the access. */

/* To be called before vcpu->translate is set. */
nw_status filled_prepare(struct nw_vcpu *);
/* Sets gpa, of the page, and rights of *OUT. False: it has not, or without the right NEED. */
bool filled_find(struct nw_vcpu *, uint64_t page, uint32_t need, struct mmu_page *out);
void filled_add(struct nw_vcpu *, uint64_t page, uint64_t gpa, uint32_t rights);
void filled_forget(struct nw_vcpu *);
void filled_forget_page(struct nw_vcpu *, uint64_t page);

/* The fetch at GVA has led to nowhere: is not remembered, so that whoever mends it is asked again.
 */
void mmu_forget_fetch(struct nw_vcpu *, uint64_t gva);

/* Forgets all translations, or those of GVA's page, on this vCPU. It is in no translated code that
 * goes on by a direct jump. */
void mmu_flush(struct nw_vcpu *);
void mmu_flush_local(struct nw_vcpu *); /* all but the global ones */
void mmu_flush_page(struct nw_vcpu *, uint64_t gva);
/* The jump cache has an entry for the page of PC now. */
void mmu_note_jump(struct nw_vcpu *, uint64_t pc);

/* ---- walking tables in guest physical memory ---- */

/* From begin to end memory stays mapped; no other call than these in between. */
void mmu_walk_begin(struct nw_vcpu *);
void mmu_walk_end(struct nw_vcpu *);
/* An entry of SIZE bytes, 4 or 8 and aligned. What is no memory reads as all ones. */
uint64_t mmu_walk_load(struct nw_vcpu *, uint64_t gpa, unsigned size);
/* The same, into *V; false: it is no memory. */
bool mmu_walk_read(struct nw_vcpu *, uint64_t gpa, unsigned size, uint64_t *v);
/* Replaces the entry by DESIRED if it still is EXPECTED, atomically. False: it is not. In memory
 * that cannot be written nothing changes, and that is no failure. */
bool mmu_walk_update(struct nw_vcpu *, uint64_t gpa, uint64_t expected, uint64_t desired,
                     unsigned size);

#endif
