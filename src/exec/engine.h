/* The engine from within. */
#ifndef EXEC_ENGINE_H
#define EXEC_ENGINE_H

#include <pthread.h>
#include <narwhal/log.h>
#include "accel/ops.h"
#include "exec/block.h"
#include "exec/hooks.h"
#include "exec/io.h"
#include "exec/sync.h"
#include "host/host.h"
#include "ir/vec.h"
#include "mem/core.h"

#define CODE_BUFFER_DEFAULT (64u << 20)
#define CODE_BUFFER_MIN     (64u << 10)

/* Host code: shared memory mapped twice. Reserved by the first translation. */
struct code_buffer {
    struct host_buffer buf;
    uint32_t used;
    struct host_runtime runtime;
};

#define ORDER_FIRST 256u
#define ORDER_PARTS 20

/* The blocks: a hash that is read without locks, and all of them in order of their code. */
struct block_table {
    uint32_t size;             /* a power of two */
    struct block_table *older; /* replaced tables, freed at the next flush */
    struct block *_Atomic slot[];
};

struct block_cache {
    struct block_table *_Atomic table;
    uint32_t live; /* blocks in the table */
    /* Every block, dead ones too, by code offset: the first ORDER_FIRST, as many again, twice as
     * many … None moves while signal handlers may look for it. */
    struct block **order[ORDER_PARTS];
    size_t order_max;
    _Atomic uint32_t count;   /* of ORDER */
    size_t region_bytes;      /* an interpreting engine's memory for regions */
    _Atomic uint64_t flushes; /* quiescent flushes so far */
    _Atomic uint64_t epoch;   /* grows when a block dies: jump caches of older epochs are stale */
};

/* What a nested lock has to undo. */
struct engine_hold {
    struct nw_vcpu *vcpu;
    uint32_t place;
};

struct nw_engine {
    const struct guest_ops *guest;
    const struct accel_ops *accel;
    char *cpu;
    uint32_t flags;
    uint32_t page_size; /* nw_config.page_size */
    nw_exceptions exceptions;
    uint32_t code_size;
    nw_log *log;
    bool interp, chain;
    bool float_used; /* some code had floating point: see vcpu->mxcsr_counts */
    bool mmu;        /* guest virtual addresses are translated: see mem/mmu.h */

    struct mem_space mem;
    struct io_space io;
    pthread_mutex_t lock; /* translation, links, invalidation, the memory map, the vCPU list */
    struct exec_sync sync;
    struct code_buffer code;
    struct block_cache cache;
    struct hook_table hooks;
    struct ir_builder *builder;
    struct host_emitter *emitter;
    struct ir_region region;
    struct nw_vcpu *vcpus;
    struct nw_vcpu *spare;         /* made, but on no list; or null */
    struct nw_snapshot *snapshots; /* snapshot.c */
    uint64_t stores_minded;        /* when engine_mind_stores was last called, in nanoseconds, or 0 */
    struct nw_engine *next_engine; /* fork.c */
    uint8_t *fork_code;            /* a copy of the code on its way to a forked child, or null */
    struct engine_hold fork_hold;

    nw_stats stats;             /* guarded by LOCK but for the vCPUs' own */
    uint64_t retired[COUNTERS]; /* of destroyed vCPUs */
};

/* What src/exec keeps per vCPU. */
struct exec_vcpu {
    _Atomic uint32_t place; /* enum vcpu_place */
    _Atomic bool running;
    _Atomic uintptr_t thread; /* that it has last run on, or 0; see signals_thread */
    struct nw_vcpu *outer;    /* a callback of this one, perhaps another engine's, runs the vCPU, or null */
    bool stepping;      /* one instruction runs in the interpreter: stores into code are done */
    bool walk_hit_code; /* the guest's tables were written where translated code is */
    uint64_t epoch;     /* of the jump cache */
    struct engine_hold exclusive; /* see struct mem_client */
    struct ir_builder *builder;   /* for stepping */
    struct ir_region region;
    union ir_vec *slots; /* interpreter scratch */
    uint32_t nslots;
    bool moved;      /* a fault hook has written the pc */
    uint64_t *stops; /* see nw_vcpu_set_stops */
    uint32_t nstops, stops_cap;
};

/* The vCPU's own thread: moves to a place, waiting where somebody asked. Either the asker sees the new
 * place, or this thread sees that somebody asks. */
static inline void sync_move(struct nw_vcpu *vcpu, enum vcpu_place to)
{
    const struct exec_sync *s = &vcpu->engine->sync;
    _Atomic uint32_t *place = &vcpu->exec->place;
    enum vcpu_place from = (enum vcpu_place)atomic_load_explicit(place, memory_order_relaxed);

    if (from == to)
        return;
    if (NW_UNLIKELY(s->fenced)) {
        atomic_store(place, to);
    } else {
        atomic_store_explicit(place, to, memory_order_release);
        atomic_signal_fence(memory_order_seq_cst);
    }
    if (NW_UNLIKELY(atomic_load(&s->waiting)))
        sync_wait(vcpu, from, to);
}

/* Is PC one of the vCPU's stop points? */
static inline bool vcpu_stops_at(const struct nw_vcpu *vcpu, uint64_t pc)
{
    const struct exec_vcpu *x = vcpu->exec;

    for (uint32_t n = 0; n < x->nstops; n++)
        if (x->stops[n] == pc)
            return true;
    return false;
}

/* Do blocks have to be basic ones: end at every branch? */
static inline bool engine_wants_basic(const struct nw_engine *engine)
{
    return engine->hooks.basic != 0;
}

/* Its state is in the registers of translated code: it runs, and the caller is in no callback of it. */
static inline bool vcpu_busy(struct nw_vcpu *vcpu)
{
    return NW_UNLIKELY(atomic_load_explicit(&vcpu->exec->running, memory_order_relaxed)) &&
           !hooks_inside(vcpu);
}

/* Does the vCPU run on this thread, perhaps below others that callbacks run? */
bool vcpu_runs_here(const struct nw_vcpu *);

/* The engine's vCPU that runs on this thread, or null; the innermost, where one's callback runs
 * another. */
struct nw_vcpu *engine_self(const struct nw_engine *);

/* Takes the engine's lock from any thread. A thread that runs a vCPU of this engine counts as
 * parked meanwhile, so that others who hold the lock need not wait for it. */
struct engine_hold engine_lock(struct nw_engine *);
void engine_unlock(struct nw_engine *, struct engine_hold);

/* ---- code buffer (codebuf.c) ---- */
nw_status codebuf_open(struct nw_engine *);
/* Shared memory for code, writable, or null; and its executable mapping, at AT unless that is null,
 * or null. */
uint8_t *codebuf_reserve(size_t size);
uint8_t *codebuf_alias(uint8_t *rw, size_t size, uint8_t *at);
/* The engine is closed: the buffer may be kept for another one. */
void codebuf_close(struct nw_engine *);
void codebuf_unmap(struct host_buffer *);
/* Around a fork; the child has none of those that are kept. */
void codebuf_lock_spares(void);
void codebuf_unlock_spares(void);
void codebuf_forget_spares(void);

/* ---- block cache (cache.c; cache_find: cache_find.h); the engine's lock held ---- */
nw_status cache_init(struct nw_engine *);
void cache_free(struct nw_engine *);
/* Makes BLOCK known. NW_ERR_NOMEM; NW_ERR_RANGE: the cache is full, flush. */
nw_status cache_add(struct nw_engine *, struct block *);
/* Forgets every block that was made from any byte of the range. */
void cache_forget(struct nw_engine *, uint64_t gpa, uint64_t size);
/* The block whose code holds PC, or null. Any thread that runs a vCPU, signal handlers too. */
struct block *cache_block_at(struct nw_engine *, uintptr_t pc);
/* Forgets all blocks and reuses the buffer; no vCPU may be in translated code. */
void cache_clear(struct nw_engine *);
void block_free(struct block *);
/* Is a direct jump from one block to the other right whatever the guest's MMU does? */
bool cache_may_link(const struct nw_engine *, const struct block *from, const struct block *to);
/* Points EXIT (of a live block) at TARGET, where it may. */
void cache_link(struct nw_engine *, struct host_exit *exit, struct block *target);

/* ---- translation (translate.c) ---- */
/* A block for KEY, whose first byte lies in guest physical page PAGE, into *OUT, or null there:
 * this instruction must be stepped (it cannot be fetched). The vCPU is on its own thread, between
 * blocks. */
nw_status translate(struct nw_vcpu *, struct block_key, uint8_t variant, uint64_t page,
                    struct block **out);
/* Runs the instruction at the vCPU's pc in the interpreter. HOOKED: with what is hooked to it;
 * ENTRY: as a block's first. */
nw_status step_one(struct nw_vcpu *, struct block_key, bool hooked, bool entry);
/* What a region is made to keep account of. */
enum count_what {
    COUNT_INSNS = 1,    /* takes its instructions off vcpu->budget … */
    COUNT_CHECK = 2,    /* … and leaves, undone, when that is too small */
    COUNT_BLOCKS = 8,   /* vcpu->last_block says which block ran last */
    COUNT_ACCESSES = 4, /* vcpu->access_index is right whenever an access takes the slow path */
};
bool count_in(struct ir_region *, unsigned what);
/* Scratch for interpreting a region of N records, or null. */
union ir_vec *exec_slots(struct exec_vcpu *, uint32_t n);

/* Drops those that are left; nothing runs. */
void engine_free_snapshots(struct nw_engine *);

/* From the first floating-point operation on, MXCSR's flags are the guest's (translate.c). */
void engine_note_float(struct nw_engine *);
/* How blocks are translated as memory stands (translate.c). */
struct host_options engine_host_options(const struct nw_engine *);

/* ---- logs (log.c) ---- */
static inline bool log_wants(const struct nw_engine *e, uint32_t kinds)
{
    return NW_UNLIKELY(e->log != NULL) && (e->log->kinds & kinds);
}
void log_text(struct nw_engine *, enum nw_log_kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void log_ir(struct nw_engine *, const struct ir_region *, const char *title);
void log_block(struct nw_vcpu *, const struct block *);
void log_exception(struct nw_vcpu *);

/* ---- the engine's own constructor, for any guest ---- */
nw_status engine_open(const nw_config *, const struct guest_ops *, nw_engine **out);

#endif
