/* Control transfers between segments, privilege levels and tasks (SDM 3A 5.8, 7.3). */
#ifndef GUEST_X86_TRANSFER_H
#define GUEST_X86_TRANSFER_H

#include "guest/x86/descriptor.h"
#include "guest/x86/sysmem.h"

/* CS as loading descriptor D makes it at privilege level CPL; sets the accessed bit. VECTOR: for a
 * segment that is 64-bit and 32-bit at once. */
bool x86_code_load(struct nw_vcpu *, struct x86_desc *, uint16_t selector, unsigned cpl,
                   unsigned vector, uint32_t ext, struct x86_segment *out);
/* #GP(0) when OFFSET is beyond the segment's limit or not canonical. */
bool x86_code_offset(struct nw_vcpu *, const struct x86_segment *cs, uint64_t offset, uint32_t ext);
/* Goes there. The privilege level follows from SS, which the caller has set. */
void x86_code_commit(struct nw_vcpu *, const struct x86_segment *cs, uint64_t offset);
/* Offset of linear address PC in the code segment. */
uint64_t x86_code_offset_of(const struct x86_state *, uint64_t pc);

/* The stack for privilege level CPL out of the task-state segment; IST: 1..7 in long mode, else 0.
 */
bool x86_inner_stack(struct nw_vcpu *, unsigned cpl, unsigned ist, uint32_t ext,
                     struct x86_stack *out);
/* SS and pointer become the vCPU's. */
void x86_stack_switch(const struct x86_stack *);

/* Far JMP (CALL false) and CALL. SIZE: of the operand, 2, 4 or 8 bytes; BACK: offset of the next
 * instruction. */
bool x86_far_transfer(struct nw_vcpu *, bool call, unsigned size, uint16_t selector,
                      uint64_t offset, uint64_t back);
/* RET FAR that drops DROP bytes. */
bool x86_far_return(struct nw_vcpu *, unsigned size, uint64_t drop);
/* IRET; BACK: offset of the next instruction, for a return to another task. */
bool x86_iret(struct nw_vcpu *, unsigned size, uint64_t back);
/* What both returns share: a return to CS selector CS, SS:SP being OUTER bytes above the top when
 * it leads to a less privileged level (or ALWAYS). STACK: the stack afterwards. */
struct x86_return {
    struct x86_segment cs, ss;
    uint64_t sp;
    unsigned cpl;
    bool outer, wide;
};
bool x86_return_read(struct nw_vcpu *, struct x86_stack *, uint16_t cs, unsigned size,
                     uint64_t outer, bool always, struct x86_return *);
/* DROP is added to the outer stack's pointer. */
void x86_return_commit(struct nw_vcpu *, const struct x86_stack *, const struct x86_return *,
                       uint64_t offset, uint64_t drop);

enum x86_task_source { X86_TASK_JMP, X86_TASK_CALL, X86_TASK_INT, X86_TASK_IRET };
/* Switches to the task whose TSS descriptor is D; BACK: offset where the old one goes on. False
 * with an exception: in the old task, or, once the switch is done, in the new one. */
bool x86_task_switch(struct nw_vcpu *, uint16_t selector, struct x86_desc *d, enum x86_task_source,
                     uint64_t back, uint32_t ext);
/* Through a task gate. */
bool x86_task_gate(struct nw_vcpu *, const struct x86_desc *gate, enum x86_task_source,
                   uint64_t back, uint32_t ext);

#endif
