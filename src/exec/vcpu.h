/* The vCPU as every module sees it: guest state first, then what translated code addresses. */
#ifndef EXEC_VCPU_H
#define EXEC_VCPU_H

#include <stdatomic.h>
#include "base/status.h"
#include "exec/counters.h"
#include "fp/soft.h"

struct guest_ops;
struct mem_space;
struct filled;

#define VCPU_STATE_SIZE 2048 /* of state that IR has slots of */
#define VCPU_COLD_SIZE  1600 /* of state behind it that only C touches */

/* Software TLB: direct-mapped per MMU index, with a small victim TLB behind it. */
#define TLB_BITS    8
#define TLB_SIZE    (1u << TLB_BITS)
#define TLB_MMUS    3
#define TLB_VICTIMS 8
#define TLB_NONE    UINT64_MAX
/* Pages with hooked accesses, which have no tags: direct-mapped, for the slow path. */
#define WATCH_SIZE  64u
#define PARTS_SIZE  32u
#define PAGE_BITS   12
#define PAGE_SIZE_  (1ull << PAGE_BITS)

/* A tag is the guest page's address, or TLB_NONE where that access must take the slow path
 * (unmapped, MMIO, no permission, a page holding translated code for writes). The fast path
 * compares (addr + size - 1) & ~0xfff with the tag, so page-crossing accesses miss. */
/* What the guest's tables say of a page. */
enum tlb_note {
    TLB_SIZE_LOG = 63,   /* log2 of its size, at least PAGE_BITS */
    TLB_GLOBAL = 1 << 6, /* of all address spaces */
};

struct tlb_entry {
    uint64_t read, write;
    uint64_t gpa;     /* of the page: where it lies in guest physical memory; in the low bits
                       * enum tlb_note */
    uintptr_t addend; /* host address = guest address + addend */
};

/* Which of a table's places were filled since it was last emptied, as long as they are few. */
#define FILL_LOG_SIZE 64
struct fill_log {
    uint32_t n; /* FILL_LOG_SIZE: too many */
    uint16_t at[FILL_LOG_SIZE];
};

static inline void fill_log_add(struct fill_log *log, unsigned at)
{
    if (log->n < FILL_LOG_SIZE)
        log->at[log->n++] = (uint16_t)at;
}

/* What instruction fetches were translated to; guests with an MMU only. */
#define FETCH_TLB_SIZE 64
struct fetch_entry {
    uint64_t page; /* guest virtual, or TLB_NONE */
    uint64_t gpa;  /* as in tlb_entry */
    uint32_t mode; /* the bits of guest_ops.fetch_modes */
};

/* Inline cache for indirect jumps: index (pc >> 1) & (JUMP_CACHE_SIZE - 1). */
#define JUMP_CACHE_SIZE 4096
struct jump_entry {
    uint64_t pc;
    uint32_t mode;
    uint32_t code; /* offset of the host code in the executable view; 0: empty */
};

/* Bits of vcpu.request: asked from outside, seen at back edges and indirect jumps. */
enum vcpu_request {
    VCPU_REQ_STOP = 1,   /* nw_vcpu_stop */
    VCPU_REQ_IRQ = 2,    /* interrupt lines changed */
    VCPU_REQ_SYNC = 4,   /* the engine needs this vCPU outside translated code */
};

/* vcpu.leave: set on the vCPU's own thread by a helper or memory access. */
enum vcpu_leave {
    VCPU_LEAVE_NONE = 0,
    VCPU_LEAVE_EXC,      /* vcpu.exc describes a guest exception; pc is the faulting instruction */
    VCPU_LEAVE_STEP,     /* nothing done yet: run this one instruction in the interpreter */
    VCPU_LEAVE_STATE,    /* state is complete: look the next block up */
    VCPU_LEAVE_UNDONE,   /* the same, and the instruction that had begun does not count */
};

/* Exceptions common to all guests; guest-specific numbers start at EXC_GUEST. */
enum vcpu_exc_kind {
    EXC_NONE,
    EXC_MEM,        /* data access or fetch failed: addr, access, fault, size */
    EXC_UNDEFINED,
    EXC_SYSCALL,    /* payload = immediate */
    EXC_BREAKPOINT, /* payload = immediate */
    EXC_HALT,       /* wait for interrupt */
    EXC_GUEST = 16,
};

struct vcpu_exc {
    uint32_t kind;
    uint32_t payload;
    uint64_t addr;
    uint32_t size;
    uint8_t access; /* nw_access */
    uint8_t fault;  /* nw_fault */
    uint8_t told;   /* EXC_MEM: the last of enum mem_hook that this access has come to, or 0 */
    bool mmu;       /* EXC_MEM: the guest's MMU has refused, payload says why; ADDR is a virtual
                     * address (else a physical one, where there is an MMU) */
};

/* A callback of a hook or a device that is under way; OUTER is the one that it came from. */
struct hook_frame {
    struct hook_frame *outer;
    uint32_t flags;       /* enum hook_frame_flags */
    uint32_t guest_mxcsr; /* vcpu->mxcsr before registers were written */
    uint64_t before_pc;   /* the block key then */
    uint32_t before_mode;
    uint32_t live_mxcsr;  /* the host's register, where it was changed for the callback */
    bool switched;
};
enum hook_frame_flags {
    HOOK_WROTE = 1,   /* registers were written */
    HOOK_CHANGED = 2, /* hooks or code have changed */
    HOOK_STOPPED = 4, /* a stop was asked for on this thread */
};

#define ACCESS_MAX 32 /* bytes */

/* The only hook of its kind, which concerns every access: called without looking. */
struct access_direct {
    void (*fn)(void *self, int tag, uint64_t addr, int size, int64_t value, void *user);
    void *self, *user;
    int tag;
};

struct nw_vcpu {
    /* struct <isa>_state, at offset 0 */
    _Alignas(64) uint8_t state[VCPU_STATE_SIZE + VCPU_COLD_SIZE];

    /* What count_in has translated code put: slots of IR, as those of the state. */
    uint64_t budget;           /* of a run with a limit: instructions that are left */
    uint64_t last_block;       /* pc and mode of the block that ran last, where some hook asks for it */
    uint32_t last_mode;        /* UINT32_MAX: none has */
    uint32_t access_index;     /* of the instruction's accesses, while some are hooked */

    _Atomic uint32_t request;  /* enum vcpu_request */
    uint32_t leave;            /* enum vcpu_leave */
    uint32_t mxcsr;            /* host MXCSR for guest code: rounding, DAZ and FTZ, all masked, no
                                * flags */
    uint32_t host_mxcsr;       /* the caller's, kept by the entry thunk */
    uint32_t mxcsr_counts;     /* flags of MXCSR that are the guest's: none before there is code with
                                * floating point; until then MXCSR is the caller's */
    uint32_t mxcsr_switch;     /* not 0: callbacks need another MXCSR than guest code; then so is
                                * mxcsr_counts */
    struct hook_frame *frame;  /* the callback that is under way, or null; in translated code never null:
                                * that of the next direct call */
    /* What translated code calls at hooks: exec/hooks.h, hooks_call and hooks_after. */
    uint64_t (*hook_call)(struct nw_vcpu *, uint64_t site, uint64_t, uint64_t, uint64_t);
    uint64_t (*hook_after)(struct nw_vcpu *, const struct hook_frame *);
    const struct access_direct *direct_read, *direct_write; /* see exec/hooks_memory.c; or null */
    uint32_t reported;         /* of an instruction that is run again: reports below this were made */
    uint32_t covered;          /* NW_HOOK_COVERAGE: of the block before, in this run; see struct ir_note */
    void *lazy_flags;          /* in translated code: flags that are put off, see host_settle; or null */
    uint32_t mxcsr_live;       /* 1 while the host's MXCSR holds guest flags */
    uint32_t irq_lines;        /* levels, bit per line; atomic access */
    struct fp_env fp;
    struct vcpu_exc exc;

    uint8_t *arena;            /* host address of guest address 0; null without fastmem */
    uint64_t window;           /* guest addresses below are in the arena (64-bit guests compare) */
    struct jump_entry jumps[JUMP_CACHE_SIZE];
    struct tlb_entry tlb[TLB_MMUS][TLB_SIZE];
    struct tlb_entry victim[TLB_MMUS][TLB_VICTIMS];
    struct tlb_entry watch[WATCH_SIZE]; /* what the TLB would hold, of pages with hooked accesses */
    bool watching;              /* some entry of WATCH is filled */
    struct tlb_entry parts[PARTS_SIZE]; /* the same of granules in pages that are not one region's */
    bool parted;                /* some entry of PARTS is filled */
    struct fill_log tlb_filled; /* MMU index * TLB_SIZE + entry */
    struct fetch_entry fetch[FETCH_TLB_SIZE];
    struct fill_log jumps_filled;
    uint64_t jump_pages[4];    /* pages that JUMPS has entries for; see mem/mmu.c */
    uint64_t jump_large;       /* the larger ones among them */
    bool mmu;                  /* guest->translate makes physical addresses of virtual ones */
    bool large_pages;          /* some translation since the last flush was of a larger page */
    uint32_t victim_next;
    uint8_t told[ACCESS_MAX];  /* what a store was to write that failed, or whose hooks had it run again */
    bool reads_first;          /* what is read and written faults as a read; processors say a write */
    bool watched;              /* guest->watch is called for accesses */
    nw_int_ack_fn int_ack;     /* the interrupt controller's; see nw_vcpu_set_int_ack */
    void *int_ack_opaque;
    nw_translate_page_fn translate; /* stands for the guest's MMU; see nw_vcpu_set_translate */
    void *translate_opaque;
    struct filled *filled;     /* what it has said, see mem/mmu.h; null: it was never set */
    uint32_t after_fill;       /* enum vcpu_leave: what it has asked for in the access under way */
    bool no_fill;              /* it must not be called now, since locks are held … */
    uint64_t fill_wanted;      /* … and was to be, for the page of a fetch; TLB_NONE: was not */
    _Atomic uint64_t counters[COUNTERS];
    uint64_t tlb_generation;   /* the mem_space's when the TLB was last flushed */

    nw_engine *engine;
    struct mem_space *mem;
    const struct guest_ops *guest;
    struct nw_vcpu *next;      /* the engine's list */
    struct exec_vcpu *exec;    /* private to src/exec */
    void *owner;               /* for the layer above (user-mode thread, board) */
};

#define VCPU_SLOTS     offsetof(struct nw_vcpu, budget)
#define VCPU_SLOTS_END offsetof(struct nw_vcpu, request)

/* Sticky flags that guest floating point has raised are in the host's MXCSR while translated code runs.
 * Folds them into vcpu->fp.flags (a no-op when not live); before that is written, vcpu_fp_take. */
void vcpu_fp_sync(struct nw_vcpu *);
/* The sticky flags up to now (enum fp_flag); none are left. For code that must know what one
 * operation raises: take before it, take after it, and put both back with vcpu->fp.flags |=. */
uint32_t vcpu_fp_take(struct nw_vcpu *);
/* Call after writing vcpu->fp.round, rules, daz or ftz: recomputes vcpu->mxcsr. The block must end
 * (exit_state) so that the entry thunk loads it. */
void vcpu_fp_changed(struct nw_vcpu *);

/* The vCPU's own thread only: one writer needs no locked instruction. */
static inline void vcpu_count(struct nw_vcpu *vcpu, enum vcpu_counter which)
{
    _Atomic uint64_t *c = &vcpu->counters[which];

    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

/* What the instruction has done so far stays, and is not done again when it is run again: hooks are
 * told of all accesses from here on. For instructions that can be interrupted. */
static inline void vcpu_keep(struct nw_vcpu *vcpu)
{
    vcpu->access_index = 0;
    vcpu->reported = 0;
}

/* Empties the jump cache. */
void vcpu_forget_jumps(struct nw_vcpu *);

/* Records a guest exception; the caller returns to translated code, which leaves. */
void vcpu_raise(struct nw_vcpu *, enum vcpu_exc_kind, uint32_t payload);

#endif
