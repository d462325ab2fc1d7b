/* Accesses of memory that hooks of loads or stores concern (hooked.c). */
#ifndef MEM_HOOKED_H
#define MEM_HOOKED_H

#include "exec/vcpu.h"
#include "ir/ir.h"
#include "mem/core.h"
#include "mem/mem.h"

/* What an access that is called directly is not. */
#define HOOKED_UNUSUAL (MEM_BEYOND | IR_MEM_RMW | IR_MEM_BE | IR_MEM_ALIGN(7))

/* May the only hook of its kind, or null, be called without looking at what else there is? */
static inline bool hooked_direct(const struct nw_vcpu *vcpu, const struct access_direct *hook,
                                 uint32_t memop)
{
    return NW_UNLIKELY(hook != NULL) && !(memop & HOOKED_UNUSUAL) &&
           NW_LIKELY(!(vcpu->mxcsr_switch | vcpu->reported | vcpu->watched));
}

/* Are hooks told of loads by 8 bytes, and of nothing larger? */
static inline bool hooked_by_pieces(const struct mem_space *space)
{
    return space->hooked & (MEM_HOOK_READ | MEM_HOOK_READ_AFTER) && !space->hooked_whole;
}

/* 8 bytes of what MEMOP accesses. */
static inline uint32_t mem_piece(uint32_t memop)
{
    return (memop & ~(IR_MEM_ALIGN(7) | 7u)) | 3;
}

/* Then: the value, or where it is to go. */
uint64_t hooked_load_direct(struct nw_vcpu *, uint64_t gva, uint32_t memop);
void hooked_store_direct(struct nw_vcpu *, uint64_t gva, uint64_t value, uint32_t memop);

/* Any others, in the guest's byte order. False when the instruction does not go on. */
bool hooked_load(struct nw_vcpu *, uint64_t gva, uint32_t memop, uint8_t *bytes);
void hooked_store(struct nw_vcpu *, uint64_t gva, uint32_t memop, uint8_t *bytes);
/* A load from where there is nothing is no access yet: its READ hooks are called when hooks of the
 * fault have mapped something. False: the exception is recorded. */
bool hooked_present(struct nw_vcpu *, uint64_t gva, uint32_t memop);
/* Calls the hooks of KIND, READ or READ_AFTER; BYTES: null, or what was read. False: the load is not to
 * go on. ADDRESS: physical where there is an MMU. */
bool hooked_tell_load(struct nw_vcpu *, enum mem_hook kind, uint64_t address, unsigned size,
                      const uint8_t *bytes);
/* Calls the WRITE hooks of a store, whose ADDRESS is physical where there is an MMU. False: it is not
 * to be made. BYTES become what hooks were told when it was begun before. */
bool hooked_tell_store(struct nw_vcpu *, uint64_t address, unsigned size, uint8_t *bytes);
/* A store into code has its instruction run again: its hooks have been called. */
void hooked_step_store(struct nw_vcpu *, unsigned size, const uint8_t *bytes);
/* A store has failed: what it was to write, for hooks of the fault. */
void hooked_note_value(struct nw_vcpu *, uint32_t memop, const uint8_t *bytes);

#endif
