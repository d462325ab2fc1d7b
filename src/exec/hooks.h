/* Hooks: what is to be called where, and calling it.
 *
 * The registry belongs to the engine and is changed with the engine's lock held. What a block calls
 * before one of its instructions is a hook_site, which the block owns; adding and removing hooks
 * forget the blocks concerned. A removed hook is freed when no block can refer to it any more. */
#ifndef EXEC_HOOKS_H
#define EXEC_HOOKS_H

#include <narwhal/hook.h>
#include <stddef.h>
#include "exec/hook_tree.h"
#include "guest/guest.h"
#include "mem/core.h"

struct nw_hook {
    struct hook_node node;
    nw_hook_spec spec;
    _Atomic bool removed;
    struct nw_hook *_Atomic same; /* the next of its kind; stays when this one is removed */
    struct nw_hook *before;       /* … and the one before */
    struct nw_hook *gone;         /* the next of those removed, or spare */
    struct access_direct direct;
};

static inline struct nw_hook *hook_of(struct hook_node *node)
{
    return (struct nw_hook *)(void *)((char *)node - offsetof(struct nw_hook, node));
}

/* Is H not to be called any more? */
static inline bool hook_removed(const struct nw_hook *h)
{
    return NW_UNLIKELY(atomic_load_explicit(&h->removed, memory_order_relaxed));
}

/* In the order of adding. Changed with the engine's lock, read without it in callbacks. */
struct hook_list {
    struct nw_hook *_Atomic first;
    struct nw_hook *last;
};

struct hook_slab;

struct hook_table {
    struct hook_list kind[NW_HOOK_KINDS];
    uint32_t count[NW_HOOK_KINDS];
    uint32_t unbounded[NW_HOOK_KINDS]; /* … of all addresses */
    uint32_t whole[NW_HOOK_KINDS];     /* … that are told of accesses as a whole */
    uint32_t total, basic;             /* hooks; those that want basic blocks */
    struct hook_node *sites;           /* of instructions and blocks */
    struct hook_node *compares;        /* NW_HOOK_COMPARE */
    struct hook_node *accesses;        /* of accesses */
    struct nw_hook *removed;           /* blocks may still refer to these */
    struct nw_hook *spare;
    struct hook_slab *slabs;
    uint64_t serial;        /* the next one's */
    struct nw_hook **found; /* scratch of hooks_site.c */
    uint32_t nfound, found_cap;
    struct hook_stops {
        uint64_t *at; /* sorted: every address that was a stop of some vCPU lately */
        uint32_t n, cap;
    } stops;
};

/* What to do before one instruction. */
struct hook_site {
    struct hook_site *next; /* of the same block */
    uint64_t pc;
    uint32_t insn_size;
    uint32_t block_size; /* of a block's first instruction; filled in when it is lifted */
    bool entry;          /* the instruction is the block's first */
    bool stop;           /* PC is in hook_table.stops */
    _Atomic bool made;   /* the rest is what it stays; see site_of in hooks_call.c */
    /* One hook that translated code calls by itself; null: through hooks_call. */
    nw_code_fn direct;
    void *self, *user; /* its first argument, null: the vCPU; its last */
    uint32_t size;     /* its third */
    uint32_t n;        /* hooks to call */
    uint32_t notes;    /* those behind them that need no call: see hooks_lift_notes */
    struct nw_hook *hook[];
};

void hooks_free(struct nw_engine *);
/* Nobody refers to removed hooks: they may be used again. Engine's lock held, no vCPU inside. */
void hooks_sweep(struct nw_engine *);
/* Into and out of their list and tree. */
void hooks_link(struct hook_table *, struct nw_hook *);
void hooks_unlink(struct hook_table *, struct nw_hook *);
bool hooks_is_stop(const struct hook_stops *, uint64_t pc);

/* ---- translating; engine's lock held ---- */

/* What has to be done before the instruction at PC into *OUT, null: nothing. ENTRY: it is the first
 * of a block that is entered there. */
nw_status hooks_at(struct nw_engine *, uint64_t pc, uint32_t size, uint32_t insn_id, bool entry,
                   struct hook_site **out);
/* Hooks of comparisons by the instruction at PC, in the same way. */
nw_status hooks_compare_at(struct nw_engine *, uint64_t pc, struct hook_site **out);
/* The block of SITE, one of its first instruction, has SIZE bytes. */
void hooks_block_size(struct hook_site *site, uint32_t size);
void hooks_free_sites(struct hook_site *);

/* ---- calling back; on the vCPU's thread, with its state complete ---- */

void hooks_switch(struct nw_vcpu *, struct hook_frame *);
void hooks_switch_back(struct nw_vcpu *, const struct hook_frame *);

/* Between these the caller's code runs: under the caller's floating-point modes, and its flags are
 * not the guest's. Changing MXCSR is slow; as long as the guest has no floating point it need not
 * be. */
static inline void hooks_enter(struct nw_vcpu *vcpu, struct hook_frame *f)
{
    f->outer = vcpu->frame;
    f->flags = 0;
    f->switched = vcpu->mxcsr_switch && vcpu->mxcsr_live;
    if (NW_UNLIKELY(f->switched))
        hooks_switch(vcpu, f);
    vcpu->frame = f;
}

static inline void hooks_leave(struct nw_vcpu *vcpu, struct hook_frame *f)
{
    vcpu->frame = f->outer;
    if (NW_UNLIKELY(vcpu->mxcsr_switch))
        hooks_switch_back(vcpu, f);
}

/* After hooks_leave: how the vCPU goes on before an instruction that has done nothing yet: NONE, or
 * what vcpu->leave was set to. */
enum vcpu_leave hooks_outcome(struct nw_vcpu *, const struct hook_frame *);
/* The calling thread is in a callback of the vCPU: registers may be read and written. */
bool hooks_inside(struct nw_vcpu *);
/* Has the pc been written in the callback? */
bool hooks_moved(struct nw_vcpu *, const struct hook_frame *);
/* Hooks or code have changed: callbacks on this thread that are under way must be told. */
void hooks_note_change(struct nw_engine *);
/* To be called before registers are written, perhaps from a callback. */
void hooks_note_write_inside(struct nw_vcpu *);
static inline void hooks_note_write(struct nw_vcpu *vcpu)
{
    if (NW_UNLIKELY(vcpu->frame != NULL))
        hooks_note_write_inside(vcpu);
}

/* Helpers of translated code: SITE is a struct hook_site; what is to be done after a direct call
 * that has changed something. They give enum ir_hook_result. */
uint64_t hooks_call(struct nw_vcpu *, uint64_t site, uint64_t, uint64_t, uint64_t);
uint64_t hooks_after(struct nw_vcpu *, const struct hook_frame *);
/* WHAT: bytes in bits 0..7, enum nw_compare from bit 8 on. */
uint64_t hooks_compare(struct nw_vcpu *, uint64_t site, uint64_t a, uint64_t b, uint64_t what);
/* A block has been translated. PREVIOUS: null when there is none. True: the callbacks have changed
 * something, so that the vCPU must look at its pc again. */
bool hooks_translated(struct nw_vcpu *, const nw_block *block, const nw_block *previous);

/* ---- hooks without a callback (hooks_note.c) ---- */

bool hooks_note_is(nw_hook_kind);
/* Is there something to be done before an instruction that is a block's first, or is not? */
bool hooks_note_applies(const nw_hook_spec *, bool entry);
/* Makes what SITE has of them part of the code. */
struct ir_builder;
void hooks_lift_notes(struct ir_builder *, const struct hook_site *);
/* Does what SITE's Nth hook is there for. */
void hooks_note_now(struct nw_vcpu *, const struct hook_site *, uint32_t n);

/* ---- accesses and faults (hooks_memory.c) ---- */

/* See struct mem_client. */
uint32_t hooks_page(void *engine, uint64_t page);
enum mem_hook_result hooks_access(struct nw_vcpu *, enum mem_hook kind, uint64_t gva, uint32_t size,
                                  const uint8_t *data);
/* As hooks_outcome, of a callback for an access. */
enum vcpu_leave hooks_access_outcome(struct nw_vcpu *, const struct hook_frame *);
/* After a direct call (vcpu->direct_read, direct_write) that has changed something. */
enum mem_hook_result hooks_access_after(struct nw_vcpu *, enum mem_hook kind,
                                        const struct hook_frame *);
/* Is some hook called for every access: 1 for every read, 2 for every write? */
uint8_t hooks_everywhere(const struct nw_engine *);
/* Sets the vCPU's direct calls. */
void hooks_direct(struct nw_vcpu *);
/* A hook of accesses comes or goes: CHANGE is done while no other vCPU looks. Engine's lock held;
 * the arena has been left. */
void hooks_memory_changed(struct nw_engine *, struct nw_hook *,
                          void (*change)(struct hook_table *, struct nw_hook *));
/* Asks the hooks about the fault in vcpu->exc. True: the instruction may be tried again, or the
 * guest goes on elsewhere (exec_vcpu.moved). */
bool hooks_fault(struct nw_vcpu *);

#endif
