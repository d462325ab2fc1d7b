/* What an instruction-set front end gives the engine: one constant table of functions. */
#ifndef GUEST_GUEST_H
#define GUEST_GUEST_H

#include "exec/vcpu.h"
#include "ir/build.h"
#include "ir/print.h"

/* Identifies a translation: same pc and same mode word, same code. The mode word holds whatever
 * changes the meaning of guest bytes (instruction set, privilege, IT state, FP mode, …). */
struct block_key {
    uint64_t pc;
    uint32_t mode;
};

/* What is to be done before an instruction. */
enum lift_hooked {
    LIFT_PLAIN, /* nothing */
    LIFT_CALL,  /* see lift_request.hooked */
    LIFT_END,   /* the block ends before it; never the first one's */
};

struct lift_request {
    struct block_key key;
    uint32_t max_insns;   /* >= 1 */
    struct nw_vcpu *vcpu; /* for CPU features only: lifting must not depend on volatile state */
    /* Copies SIZE bytes of guest code at ADDR; false when any of it cannot be fetched. */
    bool (*fetch)(struct lift_request *, uint64_t addr, void *buf, unsigned size);
    /* What is to be done before the instruction at PC, of SIZE bytes, whose number is ID (see
     * guest_ops.insn_id)? Asked once for each, in order. LIFT_CALL: the lifter closes what it has
     * open, begins the instruction and calls lift_hooks. What a callback changes ends the block. */
    enum lift_hooked (*hooked)(struct lift_request *, uint64_t pc, uint32_t size, uint32_t id);
    uint64_t compare; /* not 0: comparisons are hooked, see lift_compare; set by HOOKED */
    uint64_t site; /* what HOOKED found, a struct hook_site: what lift_hooks is to do */
    bool basic;    /* the block ends at every branch */
    bool single;   /* a repeated instruction does one round at a time */
    void *opaque;  /* the fetcher's */
};

struct mmu_page; /* mem/mmu.h */

/* A slot of guest state worth a host register, hottest first. */
struct guest_pin {
    uint16_t offset;
    uint8_t type; /* IR_I32 or IR_I64 */
};

struct guest_ops {
    const char *name;
    nw_arch arch;
    const char *models; /* names that INIT takes, for messages */
    size_t state_size;
    uint32_t pc_offset;    /* slot of the pc */
    uint32_t aux_offset;   /* slot of the word given to ir_insn_start, UINT32_MAX: none */
    uint32_t flags_offset; /* slot of the packed NZCV nibble (I32), whose writing may be put off
                            * while translated code runs; none of PINS; 0: none */
    uint8_t addr_type;     /* IR_I32 or IR_I64 */
    uint8_t fp_rules;      /* enum fp_rules: of scalar floating point without IR_FP_SOFT */
    uint8_t min_insn;      /* smallest instruction, bytes */
    const struct guest_pin *pins;
    unsigned npins;
    struct ir_names names;

    /* Sets the state up for CPU MODEL (null: "max") as an unprivileged program finds it: user mode,
     * floating point enabled, registers 0. NW_ERR_CPU when unknown. */
    nw_status (*init)(struct nw_vcpu *, const char *model);
    /* Hardware reset; to follow init in engines with NW_EXC_GUEST. */
    void (*reset)(struct nw_vcpu *);
    /* Makes the CPU privileged, set up as far as programs need it; to follow init in engines with
     * NW_EXC_BARE. Null: init's state is right for it. */
    void (*bare)(struct nw_vcpu *);
    struct block_key (*key)(const struct nw_vcpu *);
    /* Lifts from req->key into the builder (ir_begin and ir_end are the caller's). A fetch failure
     * on the first instruction lifts a call that raises the fetch fault; on a later one the region
     * ends before it. An undefined instruction lifts an EXC_UNDEFINED exit. */
    void (*lift)(struct ir_builder *, struct lift_request *);
    /* Not NW_EXC_GUEST: makes the memory fault in vcpu->exc another exception where the architecture
     * has one for it. May be null. */
    void (*fault)(struct nw_vcpu *);
    /* NW_EXC_GUEST: enters the vector for vcpu->exc; false when the guest has none for it. Instead
     * it may make vcpu->exc an EXC_HALT, whose payload becomes the exit's code. */
    bool (*exception)(struct nw_vcpu *);
    /* Takes a pending interrupt if the state allows; true when the state changed. */
    bool (*interrupt)(struct nw_vcpu *);
    /* True when a halted vCPU would wake (masked interrupts wake too). */
    bool (*wakes)(const struct nw_vcpu *);
    /* Not 0 while the vCPU waits and must not run: the next NW_EXIT_HALT's code, plus 1. May be
     * null. */
    uint32_t (*asleep)(const struct nw_vcpu *);
    /* Bits of the mode word under which instructions run one at a time in the interpreter; after
     * each that completes STEPPED is called, which may raise an exception behind it. */
    uint32_t step_modes;
    void (*stepped)(struct nw_vcpu *, struct block_key);
    /* Is told of accesses that are made while vcpu->watched is set and step_modes apply. */
    void (*watch)(struct nw_vcpu *, uint64_t gva, unsigned size, bool write);
    /* NW_EXC_GUEST: what the guest's MMU makes of an access to one byte, as it is set up now: fills
     * *OUT; false when it refuses. Called with no lock of the memory held. MMU: index of the memop,
     * of data; fetches have the rights of the state. Null: virtual addresses are physical. */
    bool (*translate)(struct nw_vcpu *, uint64_t gva, unsigned mmu, nw_access,
                      struct mmu_page *out);
    /* The index of data accesses as the state is now; null: 1. */
    unsigned (*mmu_index)(const struct nw_vcpu *);
    bool mmu_later; /* addresses are physical until the guest calls engine_enable_mmu */
    uint32_t fetch_modes;  /* bits of the mode word that fetches are translated differently by */
    uint8_t physical_bits; /* with TRANSLATE: of physical addresses */
    /* Is data big-endian now? Null: never. */
    bool (*big_endian)(const struct nw_vcpu *);
    /* The number of the instructions named NAME, lower case, or 0. May be null. */
    uint32_t (*insn_id)(const char *name);
    /* Replaces the state by bytes that may be anybody's, FLAGS are sticky enum fp_flag bits: makes a state of
     * them that the engine can run. What the CPU is stays. */
    void (*load)(struct nw_vcpu *, const void *state, uint32_t flags);
    /* Moves the pc over an instruction of SIZE bytes that somebody else has done. */
    void (*advance)(struct nw_vcpu *, unsigned size);
    nw_status (*reg_read)(struct nw_vcpu *, unsigned reg, uint64_t *);
    nw_status (*reg_write)(struct nw_vcpu *, unsigned reg, uint64_t);
};

/* Makes REGION the lifted code at req->key: region and builder begun, described and ended. */
nw_status guest_lift(struct ir_builder *, struct ir_region *region, struct lift_request *req);

/* req->hooked, where there is one. */
static inline enum lift_hooked lift_ask(struct lift_request *req, uint64_t pc, uint32_t size,
                                        uint32_t id)
{
    return NW_UNLIKELY(req->hooked != NULL) ? req->hooked(req, pc, size, id) : LIFT_PLAIN;
}
/* Where an instruction compares A with B, of BITS each, or takes B from A, before anything is put; WHAT:
 * enum nw_compare. */
void lift_compare(struct ir_builder *, struct lift_request *, ir_val a, ir_val b, unsigned bits,
                  unsigned what);
/* Does before an instruction what req->hooked has asked for. The instruction has begun. */
void lift_hooks(struct ir_builder *, struct lift_request *);

extern const struct guest_ops arm_guest, x86_guest, x86_64_guest;

#endif
