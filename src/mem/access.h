/* What plain accesses (access.c) and atomic ones (atomic.c) share. */
#ifndef MEM_ACCESS_H
#define MEM_ACCESS_H

#include "ir/ir.h"
#include "mem/core.h"

struct piece {
    const struct mem_region *region; /* valid under the lock */
    uint64_t gva, gpa;
    uint8_t *host; /* null: MMIO */
    unsigned size;
    uint32_t rights; /* as struct mmu_page says */
    uint32_t note;
    bool shut; /* the host page must be opened first */
    nw_mmio_read_fn read;
    nw_mmio_write_fn write;
    void *opaque;
    uint64_t offset;
};

struct access {
    struct piece piece[2];
    unsigned pieces;
    bool mmio;
};

/* Which of the vCPU's TLBs an access uses. */
static inline unsigned access_mmu(uint32_t memop)
{
    return IR_MEM_MMU_OF(memop) % TLB_MMUS;
}

enum store_result { STORE_DONE, STORE_FAILED, STORE_AGAIN };

/* Divides an access into its pieces, one for each space->unit, and finds their physical addresses.
 * False: the exception is recorded. No lock held. */
bool access_translate(struct nw_vcpu *, struct access *, uint64_t gva, unsigned size, unsigned mmu,
                      nw_access);
/* Finds what lies there. False: the exception is recorded. The space's lock held. */
bool access_resolve(struct nw_vcpu *, struct access *, nw_access);
/* Is there anything where they lie, whatever it permits? False: the exception is recorded. No lock
 * held. */
bool access_present(struct nw_vcpu *, const struct access *, nw_access);
/* Reads or writes the pieces that are memory. False when a fault has been recorded. Both locks
 * held. */
bool access_copy(struct nw_vcpu *, struct access *, uint8_t *bytes, bool write);
/* To be called before the piece is written: snapshots may want a copy of the page. False when a
 * fault has been recorded: there is no memory for it. Both locks held. */
bool access_keep(struct nw_vcpu *, const struct piece *);
/* Lets the fast path serve the piece's page from now on. Both locks held. */
void access_fill(struct nw_vcpu *, const struct piece *, unsigned mmu);
/* The piece that touches code, or null. With code_lock held. */
const struct piece *access_hits_code(struct mem_space *, const struct access *);
/* Whole accesses in the guest's byte order, devices too. False when they have failed. */
bool access_load(struct nw_vcpu *, uint64_t gva, unsigned size, unsigned mmu, uint8_t *bytes);
bool access_store(struct nw_vcpu *, uint64_t gva, unsigned size, unsigned mmu, uint8_t *bytes);
/* The same behind access_translate. */
bool access_load_at(struct nw_vcpu *, struct access *, unsigned mmu, uint8_t *bytes);
bool access_store_at(struct nw_vcpu *, struct access *, unsigned mmu, uint8_t *bytes);
/* The bytes of an access in guest order, without hooks. */
bool access_plain_load(struct nw_vcpu *, uint64_t gva, uint32_t memop, uint8_t *bytes);
void access_plain_store(struct nw_vcpu *, uint64_t gva, uint32_t memop, uint8_t *bytes);
/* With an MMU, and with hooks or a callback that translates (paged.c). */
bool access_paged_load(struct nw_vcpu *, uint64_t gva, uint32_t memop, uint8_t *bytes);
void access_paged_store(struct nw_vcpu *, uint64_t gva, uint32_t memop, uint8_t *bytes);
/* The access is over: what the callback has asked for takes effect. */
void access_after_fill(struct nw_vcpu *);
/* Does what is read and written fault as the write does? */
bool access_writes_first(const struct nw_vcpu *);
/* As the memop wants it, or the exception is recorded. */
bool access_aligned(struct nw_vcpu *, uint64_t gva, uint32_t memop, nw_access);
/* May the place of a load be written too (IR_MEM_RMW)? False: it faults as the write would. No lock
 * held. */
bool access_writable(struct nw_vcpu *, uint64_t gva, unsigned size, unsigned mmu);
/* The load between its hooks (hooked.c). What is read to be written (IR_MEM_RMW) and cannot be read faults as
 * the write would; what only cannot be written faults there, after the hooks of the write. */
bool access_load_hooked(struct nw_vcpu *, uint64_t gva, uint32_t memop, uint8_t *bytes);
/* What was to be read to be written has failed: the exception becomes the write's, where that is what
 * the processor says. */
void access_fault_as_store(struct nw_vcpu *, uint64_t gva, uint32_t memop);
/* MEM_BEYOND: faults, or has the instruction stepped. */
void access_step(struct nw_vcpu *, uint64_t gva, unsigned size, unsigned mmu, nw_access);
/* The host address of an access within one page that the TLB knows, else null. Outside the window
 * only: there the owner of the memory waits for this vCPU before the memory goes. */
uint8_t *access_tlb_hit(struct nw_vcpu *, uint64_t gva, unsigned size, unsigned mmu, bool write);

#endif
