/* Memory as the processor itself uses it: descriptor tables, task-state segments, stacks during
 * transfers and deliveries.
 *
 * Every call that gives false has recorded the exception in vcpu->exc (or, for a store that hits
 * the running block, VCPU_LEAVE_STEP). Nothing else of the state changes. */
#ifndef GUEST_X86_SYSMEM_H
#define GUEST_X86_SYSMEM_H

#include "guest/x86/state.h"

/* SIZE: 1, 2, 4 or 8 bytes at a linear address, with supervisor rights. */
bool x86_sys_read(struct nw_vcpu *, uint64_t linear, unsigned size, uint64_t *out);
bool x86_sys_write(struct nw_vcpu *, uint64_t linear, unsigned size, uint64_t value);
/* The same with the rights of privilege level CPL. */
bool x86_cpl_read(struct nw_vcpu *, uint64_t linear, unsigned size, unsigned cpl, uint64_t *out);
bool x86_cpl_write(struct nw_vcpu *, uint64_t linear, unsigned size, unsigned cpl, uint64_t value);

/* A stack that values are pushed to or popped from before anything of it becomes state. */
struct x86_stack {
    struct nw_vcpu *vcpu;
    struct x86_segment seg;
    uint64_t sp, mask; /* MASK: of the stack's address size */
    uint8_t cpl;       /* rights of the accesses */
    bool flat;         /* 64-bit: no limit, canonical addresses */
    bool real;         /* real or virtual-8086 mode: limits only */
    uint32_t error;    /* of the #SS that leaving the segment raises */
};

/* The stack in use. */
struct x86_stack x86_stack_now(struct nw_vcpu *);
/* One for SEG, SP; 32 bits or 16 as SEG says, or 64 (SEG is then without meaning). */
struct x86_stack x86_stack_on(struct nw_vcpu *, const struct x86_segment *seg, uint64_t sp,
                              unsigned cpl, bool wide);
bool x86_stack_push(struct x86_stack *, unsigned size, uint64_t value);
bool x86_stack_pop(struct x86_stack *, unsigned size, uint64_t *value);
/* The value OFFSET bytes above the top. */
bool x86_stack_peek(struct x86_stack *, uint64_t offset, unsigned size, uint64_t *value);
/* Makes its pointer the vCPU's. */
void x86_stack_commit(const struct x86_stack *);

/* Is ADDR canonical, for 48 bits of linear address (SDM 1 3.3.7.1)? */
static inline bool x86_canonical(uint64_t addr)
{
    return (uint64_t)((int64_t)(addr << 16) >> 16) == addr;
}

#endif
