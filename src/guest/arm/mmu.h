/* The MMU of the ARM guest: VMSAv5 to VMSAv7 (ARM DDI 0100I B4, DDI 0406C B3). */
#ifndef GUEST_ARM_MMU_H
#define GUEST_ARM_MMU_H

#include "guest/arm/state.h"
#include "mem/mmu.h"

#define ARM_PHYSICAL_BITS 40

/* Why a translation is refused. */
enum arm_fault { ARM_FAULT_TRANSLATION, ARM_FAULT_ACCESS_FLAG, ARM_FAULT_DOMAIN, ARM_FAULT_PERMISSION, ARM_FAULT_EXTERNAL,
                 ARM_FAULT_BACKGROUND };

/* Accesses that privileged modes and User mode may make: enum nw_perm. */
struct arm_rights {
    uint8_t priv, user;
};

/* A walk through the tables; what is asked, then what was found. */
struct arm_walk {
    struct nw_vcpu *vcpu;
    const struct arm_state *s;
    uint32_t va;
    uint64_t pa;              /* of the byte */
    struct arm_rights rights; /* to it */
    struct arm_rights all;    /* to every byte in its 4 KiB, as far as they are neighbours */
    uint8_t size_log;         /* of the page */
    bool global;
    uint8_t memory; /* long descriptors: what they say of it, AttrIndx and above it SH */
    uint8_t level; /* that ended the walk: 1 to 3 */
    uint8_t domain;
    uint8_t fault; /* enum arm_fault, if it ended in one */
};

/* False: w->fault. Rights are for the caller to check. mmu_short.c, mmu_long.c, mmu_pmsa.c */
bool arm_walk_short(struct arm_walk *);
bool arm_walk_long(struct arm_walk *);
bool arm_walk_pmsa(struct arm_walk *);

/* Ends a walk. */
static inline bool arm_walk_fault(struct arm_walk *w, enum arm_fault fault, unsigned level)
{
    w->fault = (uint8_t)fault;
    w->level = (uint8_t)level;
    return false;
}

static inline struct arm_rights arm_rights_of(unsigned priv, unsigned user)
{
    return (struct arm_rights){(uint8_t)priv, (uint8_t)user};
}

/* guest_ops.translate */
bool arm_translate(struct nw_vcpu *, uint64_t gva, unsigned mmu, nw_access, struct mmu_page *);
/* guest_ops.mmu_index */
unsigned arm_mmu_index(const struct nw_vcpu *);
/* Bare CPUs: makes a memory fault an abort. */
void arm_abort(struct nw_vcpu *);
/* Puts the fault in vcpu->exc into the fault status and address registers. */
void arm_fault_registers(struct nw_vcpu *);

/* What decides about translations has changed, of all address spaces or of the current one. */
void arm_mmu_changed(struct nw_vcpu *);
void arm_mmu_changed_space(struct nw_vcpu *);
/* The same on all vCPUs of the engine. */
void arm_mmu_flush_everywhere(struct nw_vcpu *);
/* ATS1C..: what becomes PAR. WRITE, USER: the access that is asked about. */
uint64_t arm_mmu_probe(struct nw_vcpu *, uint32_t va, bool write, bool user);

#endif
