/* Segment and system descriptors (SDM 3A 3.4.5, 3.5, 5.8.3). */
#ifndef GUEST_X86_DESCRIPTOR_H
#define GUEST_X86_DESCRIPTOR_H

#include "guest/x86/state.h"

/* One as it is in its table. */
struct x86_desc {
    uint64_t at; /* linear address; 0 for one that is in no table */
    uint32_t lo, hi;
};

/* Types of system descriptors (SDM 3A 3.5); 2 for the 16-bit form of 10 where both exist. */
enum x86_system_type {
    X86_TSS16 = 1, X86_LDT = 2, X86_TSS16_BUSY = 3, X86_CALL16 = 4, X86_TASK_GATE = 5,
    X86_INT16 = 6, X86_TRAP16 = 7, X86_TSS32 = 9, X86_TSS32_BUSY = 11, X86_CALL32 = 12,
    X86_INT32 = 14, X86_TRAP32 = 15,
};
/* Bits of the type of segment descriptors (SDM 3A 3.4.5.1). */
enum x86_segment_type {
    X86_SEG_ACCESSED = 1, X86_SEG_WRITABLE = 2, X86_SEG_READABLE = 2, X86_SEG_DOWN = 4,
    X86_SEG_CONFORMING = 4, X86_SEG_CODE = 8,
};

static inline unsigned x86_desc_type(const struct x86_desc *d)
{
    return d->hi >> 8 & 15;
}
static inline bool x86_desc_is_segment(const struct x86_desc *d)
{
    return d->hi >> 12 & 1;
}
static inline unsigned x86_desc_dpl(const struct x86_desc *d)
{
    return d->hi >> 13 & 3;
}
static inline bool x86_desc_present(const struct x86_desc *d)
{
    return d->hi >> 15 & 1;
}
static inline bool x86_desc_is_code(const struct x86_desc *d)
{
    return (d->hi & 0x1800) == 0x1800;
}
static inline bool x86_desc_is_conforming(const struct x86_desc *d)
{
    return (d->hi & 0x1c00) == 0x1c00;
}
static inline bool x86_desc_is_writable(const struct x86_desc *d)
{
    return (d->hi & 0x1a00) == 0x1200;
}
static inline bool x86_desc_is_64(const struct x86_desc *d)
{
    return d->hi >> 21 & 1;
}

static inline bool x86_selector_null(uint16_t selector)
{
    return !(selector & 0xfffc);
}

enum x86_desc_status {
    X86_DESC_OK,
    X86_DESC_NONE,  /* null, or beyond the table's limit */
    X86_DESC_FAULT, /* the table cannot be read: an exception has been recorded */
};
/* The descriptor that SELECTOR names. */
enum x86_desc_status x86_desc_read(struct nw_vcpu *, uint16_t selector, struct x86_desc *);
/* The same; where there is none, VECTOR with the selector and EXT (0 or 1) as error code. */
bool x86_desc_need(struct nw_vcpu *, uint16_t selector, unsigned vector, uint32_t ext,
                   struct x86_desc *);
/* The upper half of a 16-byte system descriptor. */
bool x86_desc_upper(struct nw_vcpu *, const struct x86_desc *, uint32_t *base, uint32_t *last);
/* Sets the accessed bit in the table. */
bool x86_desc_touch(struct nw_vcpu *, struct x86_desc *);
/* Sets or clears the busy bit of a TSS descriptor in the table. */
bool x86_desc_busy(struct nw_vcpu *, struct x86_desc *, bool busy);
/* What loading it into a segment register makes of that. */
struct x86_segment x86_desc_segment(const struct x86_desc *, uint16_t selector);

/* Loads ES, SS, DS, FS or GS as MOV does, in any mode (SDM 3A 3.4.3, 5.7). False: an exception. */
bool x86_segment_load(struct nw_vcpu *, unsigned seg, uint16_t selector);
/* Checks SELECTOR for SS at privilege level CPL: VECTOR for what is wrong with it. */
bool x86_stack_segment(struct nw_vcpu *, uint16_t selector, unsigned cpl, unsigned vector,
                       uint32_t ext, struct x86_segment *out);
/* The same for ES, DS, FS and GS; null is allowed. */
bool x86_data_segment(struct nw_vcpu *, uint16_t selector, unsigned cpl, unsigned vector,
                      uint32_t ext, struct x86_segment *out);
/* What a null selector leaves in a segment register. */
struct x86_segment x86_segment_null(uint16_t selector);
/* The null SS of 64-bit code, which holds the privilege level all the same. */
struct x86_segment x86_segment_null_stack(unsigned cpl);
/* A segment of virtual-8086 mode (SDM 3B 21.3.1.1). */
struct x86_segment x86_segment_vm86(uint16_t selector);

bool x86_ldt_load(struct nw_vcpu *, uint16_t selector);
bool x86_tr_load(struct nw_vcpu *, uint16_t selector);

#endif
