/* The host back end: a region of IR becomes host code in a buffer that has two views. */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include "exec/vcpu.h"
#include "guest/guest.h"
#include "ir/ir.h"

/* Where code goes: written at RW, executed at RX (the same memory). */
struct host_buffer {
    uint8_t *rw;
    const uint8_t *rx;
    uint32_t size;
};

/* The fixed code at the start of every code buffer. Offsets into the buffer. */
struct host_runtime {
    uint32_t enter;  /* host_enter_fn */
    uint32_t leave;  /* jumped to with rax = the result of host_enter_fn and pinned registers live */
    uint32_t leave_synced; /* … with guest state already in the vCPU */
    uint32_t size;
    /* For the emitter: */
    uint32_t save;             /* saves every register in the frame, pinned ones in the vCPU too */
    uint32_t load, store, cas, rmw; /* slow memory accesses after save */
    uint32_t load_wide, store_wide; /* … of vectors */
    uint32_t call[4];          /* helpers after save; bit 0: may leave, bit 1: writes state */
    uint32_t hook, hook_after; /* helpers with IR_H_HOOK, instead of save and call */
    uint32_t soft;             /* fp/soft.h after save */
    uint32_t settle;           /* packs the guest's flags; keeps all registers */
    uint32_t raise;            /* raises an exception and leaves */
    uint32_t constants;
};

/* One way out of a block; its address is what host_enter_fn gives when an unlinked exit is taken. */
struct host_exit {
    struct block *block;   /* the block it belongs to (set by the caller before emission) */
    struct block_key target;
    uint32_t jump;         /* offset in the block of the rel32 to patch, within 8 aligned bytes */
    uint32_t stub;         /* offset in the block of the unlinked way out */
    uint32_t entry;        /* offset to arrive at when linked to the block itself */
    /* Links, kept by src/exec: */
    struct block *linked;
    struct host_exit *next_in; /* next exit linked to the same block */
};

/* A memory access that may fault in the host (fastmem). */
struct host_site {
    uint32_t access; /* offset in the block of the access instruction */
    uint32_t stub;   /* offset of its cold stub */
    uint8_t length;  /* bytes at ACCESS that may be overwritten by a jump to the stub (>= 5) */
};

struct host_code {
    uint32_t size;             /* bytes used in the buffer */
    struct host_exit *exits;   /* region->exits.len elements, the caller's; filled in */
    VEC(struct host_site) sites; /* ascending by ACCESS; the caller frees */
    VEC(uint32_t) insn_offsets; /* pairs: offset in the block, index of the insn record (for listings) */
};

struct host_options {
    bool fastmem;     /* vcpu->arena is there: base + address; else the inline software TLB */
    bool chain;       /* inline jump cache on exit_ind; exits patchable */
    bool baseline;    /* no instructions but those that host_check asks for */
    bool paged;       /* exits to other pages than the block's are not linked: the jump cache instead */
    /* 64-bit guests with fastmem: */
    bool share_checks; /* nothing is mapped beyond the window: one check of a base is enough */
    uint64_t window;   /* vcpu->window */
};

/* Gives the vCPU's way out: a host_exit (take it, link it), or null: state is complete, see
 * vcpu->leave and vcpu->request. CODE is an address in the executable view. */
typedef struct host_exit *(*host_enter_fn)(struct nw_vcpu *, const void *code);

struct host_emitter; /* register allocator and assembler state; one per translating thread */

struct host_emitter *host_emitter_new(void);
void host_emitter_free(struct host_emitter *);
/* Is this host good enough (AVX2, BMI1, BMI2, LZCNT, FMA)? */
nw_status host_check(void);
/* Emits the runtime at the buffer's start. */
nw_status host_emit_runtime(struct host_buffer, const struct guest_ops *, struct host_runtime *);
/* Emits REGION (passes run) at BUF, which lies OFFSET bytes after the runtime's start (so that the
 * runtime is reached by rel32). NW_ERR_RANGE when it does not fit: flush and try again. */
nw_status host_emit(struct host_emitter *, const struct guest_ops *, const struct ir_region *,
                    const struct host_options *, const struct host_runtime *, uint32_t offset,
                    struct host_buffer buf, struct host_code *out);

/* Points the exit's jump at TARGET (executable view), or back at its stub when null. Atomic with
 * respect to running code. BLOCK_RW and BLOCK_RX are the block's two addresses. */
void host_link(const struct host_exit *, uint8_t *block_rw, const uint8_t *block_rx, const void *target);
/* Makes a site that keeps faulting go straight to its stub. */
void host_site_demote(const struct host_site *, uint8_t *block_rw);

/* In a callback: makes sure that the slot of the guest's flags holds them. */
void host_settle(struct nw_vcpu *);

/* From within translated code to the caller's modes, and back: MODES is what the former gave. Flags of
 * the guest are in vcpu->fp.flags, those of the caller are nobody's. */
uint32_t host_fp_callers(struct nw_vcpu *);
void host_fp_guests(struct nw_vcpu *, uint32_t modes);

/* For the SIGSEGV handler: sets the interrupted context's pc. UCONTEXT is a ucontext_t. */
uintptr_t host_context_pc(const void *ucontext);
void host_context_set_pc(void *ucontext, uintptr_t pc);
/* The floating-point control registers as they were: handlers start with initial ones, and one that
 * is left by a jump brings back none. */
void host_context_restore_fp(const void *ucontext);

#endif
