/* The loop around translated code: requests, finding and linking blocks, exceptions. */
#include <stdlib.h>
#include <string.h>
#include "exec/cache_find.h"
#include "exec/memory.h"
#include "exec/signals.h"
#include "exec/vcpu_priv.h"
#include "ir/interp.h"
#include "mem/mmu.h"

/* One nw_vcpu_run. */
struct run {
    struct nw_vcpu *vcpu;
    struct nw_engine *engine;
    nw_exit *exit;
    bool limited;  /* vcpu->budget says what is left, … */
    uint64_t rest; /* … besides this, which it is given in slices */
    uint64_t left; /* of the limit, when the run is over */
    bool asked;    /* a hook has mended the fault below; the instruction is tried again */
    uint64_t asked_pc, asked_addr;
    uint8_t asked_fault;
    bool inner;             /* the pc is inside a basic block that was entered before */
    struct host_exit *from; /* the way out that was just taken and may be linked */
};

static bool leave_with(struct run *r, nw_exit_reason reason)
{
    r->exit->reason = reason;
    return true;
}

static bool fail(struct run *r, nw_status status)
{
    r->exit->status = status;
    return leave_with(r, NW_EXIT_ERROR);
}

/* The guest's own accesses between blocks may hit translated code, which none of it runs now. */
static bool take_exception(struct run *r)
{
    struct exec_vcpu *x = r->vcpu->exec;

    x->stepping = true;
    bool taken = r->vcpu->guest->exception(r->vcpu);
    x->stepping = false;
    return taken;
}

static bool take_interrupt(struct run *r)
{
    struct exec_vcpu *x = r->vcpu->exec;

    x->stepping = true;
    bool taken = r->vcpu->guest->interrupt(r->vcpu);
    x->stepping = false;
    return taken;
}

/* True: leave, the vCPU sleeps. */
static inline bool asleep(struct run *r)
{
    const struct guest_ops *guest = r->vcpu->guest;
    uint32_t code = guest->asleep ? guest->asleep(r->vcpu) : 0;

    if (!code)
        return false;
    r->exit->code = code - 1;
    return leave_with(r, NW_EXIT_HALT);
}

static void forget_all(struct nw_engine *engine)
{
    struct engine_hold hold = engine_lock(engine);

    cache_forget(engine, 0, UINT64_MAX);
    engine_unlock(engine, hold);
}

/* Blocks have died: the jump cache may hold them. */
static void follow_epoch(struct nw_vcpu *vcpu)
{
    uint64_t epoch = atomic_load(&vcpu->engine->cache.epoch);

    if (vcpu->exec->epoch != epoch) {
        vcpu->exec->epoch = epoch;
        vcpu_forget_jumps(vcpu);
    }
}

/* True: leave. */
static NW_RARE bool attend_now(struct run *r)
{
    struct nw_vcpu *vcpu = r->vcpu;
    struct exec_vcpu *x = vcpu->exec;
    uint32_t request = atomic_load_explicit(&vcpu->request, memory_order_relaxed);

    if (request) {
        request = atomic_exchange(&vcpu->request, 0);
        /* While others have their moment the buffer may be flushed. */
        if ((request & VCPU_REQ_SYNC) && atomic_load(&r->engine->sync.waiting)) {
            r->from = NULL;
            sync_point(vcpu);
        }
        if (x->walk_hit_code) {
            x->walk_hit_code = false;
            r->from = NULL;
            forget_all(r->engine);
        }
        if (atomic_load_explicit(&r->engine->mem.shut_stores, memory_order_relaxed) >=
            SHUT_STORES_MAX) {
            r->from = NULL;
            engine_mind_stores(r->engine);
        }
        if (request & VCPU_REQ_STOP)
            return leave_with(r, NW_EXIT_STOP);
    }
    if (__atomic_load_n(&vcpu->irq_lines, __ATOMIC_ACQUIRE) &&
        r->engine->exceptions == NW_EXC_GUEST && take_interrupt(r)) {
        r->from = NULL;
        if (asleep(r))
            return true;
        log_text(r->engine, NW_LOG_INT, "interrupt, pc %#llx\n", (unsigned long long)vcpu_pc(vcpu));
    }
    follow_epoch(vcpu);
    return false;
}

/* Requests and everything else that is looked at between blocks. True: leave. */
static inline bool attend(struct run *r)
{
    const struct nw_vcpu *vcpu = r->vcpu;
    uint32_t any = atomic_load_explicit(&vcpu->request, memory_order_relaxed) |
                   __atomic_load_n(&vcpu->irq_lines, __ATOMIC_ACQUIRE);

    if (NW_LIKELY(!any && vcpu->exec->epoch == atomic_load(&r->engine->cache.epoch)))
        return false;
    return attend_now(r);
}

/* For the end of a run, the longest block that cannot overshoot. */
static uint8_t variant_of(const struct run *r)
{
    uint64_t left = r->vcpu->budget;
    unsigned inner = r->inner ? BLOCK_INNER : 0;

    if (!r->limited)
        return (uint8_t)(BLOCK_PLAIN | inner);
    if (left >= BLOCK_MAX_INSNS)
        return (uint8_t)(BLOCK_COUNTED | inner);
    return (uint8_t)((64 - (unsigned)__builtin_clzll(left)) | inner);
}

/* Counted code goes on for a slice without looking for requests. */
#define SLICE (1u << 15)

/* False: nothing is left of the limit. */
static inline bool refill(struct run *r)
{
    uint64_t *budget = &r->vcpu->budget;

    if (NW_UNLIKELY(r->rest && *budget < SLICE)) {
        uint64_t more = SLICE - *budget;

        more = more < r->rest ? more : r->rest;
        *budget += more;
        r->rest -= more;
    }
    return *budget;
}

static void count(struct run *r, uint64_t n)
{
    uint64_t *left = &r->vcpu->budget;

    if (r->limited)
        *left = n < *left ? *left - n : 0;
}

static bool exit_fault(struct run *r)
{
    const struct vcpu_exc *e = &r->vcpu->exc;

    r->exit->addr = e->addr;
    r->exit->size = e->size;
    r->exit->access = (nw_access)e->access;
    r->exit->fault = (nw_fault)e->fault;
    return leave_with(r, NW_EXIT_FAULT);
}

/* Asks the hooks of faults. One that is mended must not come back the same: then the hook was
 * wrong, which the exit's code says. */
static bool mended(struct run *r)
{
    struct vcpu_exc *e = &r->vcpu->exc;

    if (e->kind != EXC_MEM || e->mmu || !r->engine->hooks.count[NW_HOOK_FAULT])
        return false;
    bool again = r->asked && r->asked_pc == vcpu_pc(r->vcpu) && r->asked_addr == e->addr &&
                 r->asked_fault == e->fault;

    if (again) {
        e->payload = 1;
        return false;
    }
    r->asked_pc = vcpu_pc(r->vcpu);
    r->asked_addr = e->addr;
    r->asked_fault = e->fault;
    r->asked = hooks_fault(r->vcpu);
    return r->asked;
}

/* After that: does the guest go on by looking at its pc, not by the rest of an instruction? */
static bool runs_anew(struct run *r)
{
    struct exec_vcpu *x = r->vcpu->exec;
    bool anew = x->moved || r->vcpu->exc.access == NW_ACCESS_FETCH;

    x->moved = false;
    if (anew)
        r->vcpu->reported = 0;
    return anew;
}

/* A guest exception. True: leave. */
static bool except(struct run *r)
{
    struct nw_vcpu *vcpu = r->vcpu;
    const struct vcpu_exc *e = &vcpu->exc;

    if (log_wants(r->engine, NW_LOG_INT | NW_LOG_MMU))
        log_exception(vcpu);
    if (e->kind == EXC_HALT)
        return !vcpu->guest->wakes(vcpu) && leave_with(r, NW_EXIT_HALT);
    if (r->engine->exceptions == NW_EXC_GUEST && take_exception(r)) {
        if (e->kind == EXC_HALT)
            return asleep(r);
        /* So that a guest that only ever faults reaches its limit too. */
        if (e->kind != EXC_SYSCALL)
            count(r, 1);
        return false;
    }
    if (e->kind == EXC_MEM && vcpu->guest->fault)
        vcpu->guest->fault(vcpu);
    r->exit->code = e->payload;
    switch (e->kind) {
    case EXC_MEM: return exit_fault(r);
    case EXC_SYSCALL: return leave_with(r, NW_EXIT_SYSCALL);
    case EXC_BREAKPOINT: return leave_with(r, NW_EXIT_BREAKPOINT);
    default: break;
    }
    if (e->kind >= EXC_GUEST) {
        r->exit->code = e->kind - EXC_GUEST;
        r->exit->error = e->payload;
        return leave_with(r, NW_EXIT_EXCEPTION);
    }
    return leave_with(r, NW_EXIT_UNDEFINED);
}

/* Did the instruction that raised complete? */
static bool completes(uint32_t kind)
{
    return kind == EXC_SYSCALL || kind == EXC_HALT;
}

/* Code of SIZE bytes at PC has been executed. Was that the first part of a basic block only? */
static inline void note_part(struct run *r, uint64_t pc, uint32_t size, bool falls)
{
    r->inner = engine_wants_basic(r->engine) && falls && vcpu_pc(r->vcpu) == pc + size;
}

/* Runs the instruction at pc in the interpreter, HOOKED or not. True: leave. */
static bool step(struct run *r, bool hooked)
{
    struct nw_vcpu *vcpu = r->vcpu;
    struct block_key key = vcpu->guest->key(vcpu);
    nw_status status;

    for (;; hooked = false) {
        vcpu->leave = VCPU_LEAVE_NONE;
        status = step_one(vcpu, key, hooked, !r->inner);
        if (status != NW_OK)
            return fail(r, status);
        /* A callback has changed what the instruction is or works on. */
        if (vcpu->leave == VCPU_LEAVE_EXC && mended(r)) {
            if (runs_anew(r))
                return false;
        } else if (vcpu->leave != VCPU_LEAVE_STEP) {
            break;
        }
        key = vcpu->guest->key(vcpu);
    }
    r->asked &= vcpu->leave == VCPU_LEAVE_EXC;
    vcpu->reported = 0;
    r->inner = false;
    if (vcpu->leave == VCPU_LEAVE_UNDONE)
        return false;
    if (vcpu->leave != VCPU_LEAVE_EXC)
        note_part(r, key.pc, vcpu->exec->region.size, vcpu->exec->region.falls);
    if (key.mode & vcpu->guest->step_modes && vcpu->leave != VCPU_LEAVE_EXC) {
        count(r, 1);
        vcpu->guest->stepped(vcpu, key);
        return vcpu->leave == VCPU_LEAVE_EXC && except(r);
    }
    if (vcpu->leave != VCPU_LEAVE_EXC || completes(vcpu->exc.kind))
        count(r, 1);
    return vcpu->leave == VCPU_LEAVE_EXC && except(r);
}

/* What the block that was left asks for. True: leave. */
static bool after_block(struct run *r)
{
    struct nw_vcpu *vcpu = r->vcpu;
    bool undone = vcpu->leave == VCPU_LEAVE_STEP || vcpu->leave == VCPU_LEAVE_UNDONE ||
                  (vcpu->leave == VCPU_LEAVE_EXC && !completes(vcpu->exc.kind));

    vcpu->budget += undone;
    r->asked &= vcpu->leave == VCPU_LEAVE_EXC;
    switch (vcpu->leave) {
    case VCPU_LEAVE_EXC:
        r->from = NULL;
        if (!mended(r))
            return except(r);
        return runs_anew(r) ? false : step(r, false);
    case VCPU_LEAVE_STEP: r->from = NULL; return step(r, false);
    default: return false;
    }
}

static bool interpret(struct run *r, const struct block *b)
{
    union ir_vec *slots = exec_slots(r->vcpu->exec, b->region->insns.len);

    if (!slots)
        return fail(r, NW_ERR_NOMEM);
    ir_interp(r->vcpu, b->region, slots);
    return false;
}

static void remember_jump(struct run *r, const struct block *b)
{
    unsigned at = (b->key.pc >> 1) & (JUMP_CACHE_SIZE - 1);

    if (r->engine->mmu) {
        /* What is looked up by its first page only must lie in that. */
        if (b->crosses)
            return;
        mmu_note_jump(r->vcpu, b->key.pc);
    }
    uint32_t mode = b->key.mode | (b->variant == BLOCK_COUNTED ? JUMP_COUNTED : 0);

    fill_log_add(&r->vcpu->jumps_filled, at);
    r->vcpu->jumps[at] = (struct jump_entry){.pc = b->key.pc, .mode = mode, .code = b->code};
}

static void link_to(struct run *r, struct block *b)
{
    struct engine_hold hold = engine_lock(r->engine);

    cache_link(r->engine, r->from, b);
    engine_unlock(r->engine, hold);
}

static void execute(struct run *r, struct block *b)
{
    struct nw_engine *engine = r->engine;
    const uint8_t *rx = engine->code.buf.rx;
    host_enter_fn enter = (host_enter_fn)(uintptr_t)(rx + engine->code.runtime.enter);
    bool chain = engine->chain && block_may_chain(b);

    if (chain && r->from && cache_may_link(engine, r->from->block, b))
        link_to(r, b);
    else if (chain)
        remember_jump(r, b);
    r->from = enter(r->vcpu, rx + b->code);
    if (!chain)
        r->from = NULL;
    /* The block of the exit may be another thread's, reached by a link. The host keeps the order of
     * making and linking; this says so to the compiler. */
    (void)atomic_load_explicit(&engine->cache.count, memory_order_acquire);
}

/* Tells hooks of a new block. True: its pc may not be the vCPU's any more. */
static bool report_block(struct run *r, const struct block *b)
{
    struct nw_vcpu *vcpu = r->vcpu;
    struct block_key key = {vcpu->last_block, vcpu->last_mode};
    nw_block now = {b->key.pc, b->ninsns, b->size}, before = {0};
    const struct block *last = NULL;
    uint64_t gpa = key.pc;

    vcpu->no_fill = true; /* what has just run is known */
    if (key.mode != UINT32_MAX && (!vcpu->mmu || mmu_fetch_page(vcpu, key.mode, key.pc, &gpa)))
        last = cache_find(vcpu, key, b->variant, gpa & ~(PAGE_SIZE_ - 1));
    vcpu->no_fill = false;
    if (last)
        before = (nw_block){last->key.pc, last->ninsns, last->size};
    if (!hooks_translated(vcpu, &now, last ? &before : NULL) &&
        !(atomic_load(&vcpu->request) & VCPU_REQ_STOP))
        return false;
    r->from = NULL;
    return true;
}

/* True: leave. */
static bool run_one(struct run *r)
{
    struct nw_vcpu *vcpu = r->vcpu;
    struct block_key key = vcpu->guest->key(vcpu);
    uint8_t variant = variant_of(r);

    if (NW_UNLIKELY(key.mode & vcpu->guest->step_modes)) {
        r->from = NULL;
        return step(r, true);
    }
    uint64_t gpa = key.pc;
    vcpu->after_fill = VCPU_LEAVE_NONE;
    if (vcpu->mmu && NW_UNLIKELY(!mmu_fetch_page(vcpu, key.mode, key.pc, &gpa))) {
        r->from = NULL;
        return step(r, true);
    }
    uint64_t page = gpa & ~(PAGE_SIZE_ - 1);
    struct block *b = cache_find(vcpu, key, variant, page);

    if (NW_UNLIKELY(!b)) {
        uint64_t flushes = atomic_load(&r->engine->cache.flushes);
        nw_status status = translate(vcpu, key, variant, page, &b);

        if (status != NW_OK)
            return fail(r, status);
        if (!b) {
            r->from = NULL;
            return step(r, true);
        }
        /* All were freed, and their code is overwritten. */
        if (atomic_load(&r->engine->cache.flushes) != flushes) {
            r->from = NULL;
            follow_epoch(vcpu);
        }
        if (NW_UNLIKELY(r->engine->hooks.count[NW_HOOK_TRANSLATE]) && report_block(r, b))
            return false;
    }
    /* A callback has said where the code is, and what else there is to do first. */
    if (NW_UNLIKELY(vcpu->after_fill)) {
        r->from = NULL;
        return false;
    }
    if (log_wants(r->engine, NW_LOG_EXEC))
        log_block(vcpu, b);
    vcpu_count(vcpu, COUNT_DISPATCHES);
    vcpu->reported = 0;
    vcpu->leave = VCPU_LEAVE_NONE;
    if (!r->engine->interp)
        execute(r, b);
    else if (interpret(r, b))
        return true;
    r->inner = false;
    if (NW_UNLIKELY(vcpu->leave != VCPU_LEAVE_NONE))
        return after_block(r);
    if (!block_may_chain(b))
        note_part(r, b->key.pc, b->size, b->falls);
    r->asked = false;
    return false;
}

nw_status nw_vcpu_translate_block(nw_vcpu *vcpu, uint64_t pc, nw_block *out)
{
    struct block *b;
    struct block_key key;
    uint64_t gpa = pc;

    if (!vcpu || !out)
        return NW_ERR_ARG;
    if (vcpu_busy(vcpu))
        return NW_ERR_BUSY;
    key = vcpu->guest->key(vcpu);
    key.pc = pc;
    if (vcpu->mmu && !mmu_fetch_page(vcpu, key.mode, pc, &gpa))
        return NW_ERR_FAULT;
    TRY(translate(vcpu, key, BLOCK_PLAIN, gpa & ~(PAGE_SIZE_ - 1), &b));
    if (!b)
        return NW_ERR_FAULT;
    *out = (nw_block){pc, b->ninsns, b->size};
    return NW_OK;
}

static void loop(struct run *r)
{
    if (asleep(r) && (attend(r) || asleep(r)))
        return;
    for (;;) {
        if (attend(r))
            return;
        if (vcpu_stops_at(r->vcpu, vcpu_pc(r->vcpu))) {
            leave_with(r, NW_EXIT_STOP_POINT);
            return;
        }
        if (r->limited && !refill(r)) {
            leave_with(r, NW_EXIT_LIMIT);
            return;
        }
        if (run_one(r))
            return;
    }
}

static inline void run_outermost(struct run *r, struct nw_vcpu *vcpu)
{
    signals_set_vcpu(vcpu);
    vcpu->last_mode = UINT32_MAX;
    sync_move(vcpu, VCPU_INSIDE);
    loop(r);
    r->left = r->limited ? vcpu->budget + r->rest : 0;
    sync_move(vcpu, VCPU_OUTSIDE);
}

/* A callback of OUTER's has run another one. */
static void back_in(struct nw_vcpu *outer, enum vcpu_place place)
{
    signals_set_vcpu(outer);
    if (outer->frame) /* that run's flags may be in MXCSR: see hooks_after */
        outer->frame->flags |= HOOK_CHANGED;
    sync_move(outer, place);
}

/* From a callback of another vCPU's, OUTER. */
static NW_RARE void run_above(struct run *r, struct nw_vcpu *outer)
{
    struct exec_vcpu *x = r->vcpu->exec, *below = outer->exec;
    enum vcpu_place place = (enum vcpu_place)atomic_load(&below->place);

    sync_move(outer, VCPU_PARKED);
    x->outer = outer;
    /* Whoever waits for all to be outside waits for one below already, which waits for this run. */
    if (engine_self(r->engine))
        atomic_store(&x->place, VCPU_PARKED);
    run_outermost(r, r->vcpu);
    x->outer = NULL;
    back_in(outer, place);
}

/* What an inner run must find empty and leave as it was: the outer one goes on with it. */
struct outer_run {
    struct ir_builder *builder;
    struct ir_region region;
    union ir_vec *slots;
    uint32_t nslots, leave, host_mxcsr, mxcsr_live, place;
    uint64_t budget;
    bool stepping;
    struct vcpu_exc exc;
};

static void put_aside(struct nw_vcpu *vcpu, struct outer_run *o)
{
    struct exec_vcpu *x = vcpu->exec;

    *o = (struct outer_run){.builder = x->builder,
                            .region = x->region,
                            .slots = x->slots,
                            .nslots = x->nslots,
                            .leave = vcpu->leave,
                            .host_mxcsr = vcpu->host_mxcsr,
                            .mxcsr_live = vcpu->mxcsr_live,
                            .place = atomic_load(&x->place),
                            .budget = vcpu->budget,
                            .stepping = x->stepping,
                            .exc = vcpu->exc};
    x->builder = NULL;
    ir_region_init(&x->region);
    x->slots = NULL;
    x->nslots = 0;
    x->stepping = false;
}

static void bring_back(struct nw_vcpu *vcpu, const struct outer_run *o)
{
    struct exec_vcpu *x = vcpu->exec;

    if (x->builder)
        ir_builder_free(x->builder);
    ir_region_free(&x->region);
    free(x->slots);
    x->builder = o->builder;
    x->region = o->region;
    x->slots = o->slots;
    x->nslots = o->nslots;
    x->stepping = o->stepping;
    vcpu->leave = o->leave;
    vcpu->budget = o->budget;
    vcpu->host_mxcsr = o->host_mxcsr;
    vcpu->mxcsr_live = o->mxcsr_live;
    vcpu->exc = o->exc;
}

/* From a callback of the vCPU's own. */
static NW_RARE void run_inner(struct run *r, uint64_t limit)
{
    struct nw_vcpu *vcpu = r->vcpu;
    struct outer_run o;

    hooks_note_write(vcpu);
    put_aside(vcpu, &o);
    vcpu->budget = limit - r->rest;
    sync_move(vcpu, VCPU_INSIDE);
    loop(r);
    r->left = r->limited ? vcpu->budget + r->rest : 0;
    sync_move(vcpu, (enum vcpu_place)o.place);
    bring_back(vcpu, &o);
}

/* From a callback of another vCPU's that a callback of this one runs, directly or not: meanwhile it
 * is the innermost of the thread's, and those that were above it are below. */
static NW_RARE void run_lower(struct run *r, uint64_t limit)
{
    struct nw_vcpu *vcpu = r->vcpu, *top = signals_vcpu(), *above = top;
    struct nw_vcpu *below = vcpu->exec->outer;
    enum vcpu_place place = (enum vcpu_place)atomic_load(&top->exec->place);

    while (above->exec->outer != vcpu)
        above = above->exec->outer;
    sync_move(top, VCPU_PARKED);
    above->exec->outer = below;
    vcpu->exec->outer = top;
    signals_set_vcpu(vcpu);
    run_inner(r, limit);
    vcpu->exec->outer = below;
    above->exec->outer = vcpu;
    back_in(top, place);
}

/* Runs of the vCPU are on this thread from now on. */
static void adopt(struct exec_vcpu *x)
{
    uintptr_t self = signals_thread();

    if (NW_UNLIKELY(atomic_load_explicit(&x->thread, memory_order_relaxed) != self))
        atomic_store(&x->thread, self);
}

/* What says which fault was asked about is looked at only where one was. */
static void begin(struct run *r, struct nw_vcpu *vcpu, uint64_t limit, nw_exit *exit)
{
    r->vcpu = vcpu;
    r->engine = vcpu->engine;
    r->exit = exit;
    r->limited = limit != 0;
    r->rest = limit < SLICE ? 0 : limit - SLICE;
    r->asked = r->inner = false;
    r->from = NULL;
}

nw_status vcpu_run(struct nw_vcpu *vcpu, uint64_t limit, nw_exit *exit)
{
    struct exec_vcpu *x = vcpu->exec;
    struct run r;
    bool inner = atomic_load_explicit(&x->running, memory_order_relaxed);

    if (inner && !hooks_inside(vcpu))
        return NW_ERR_BUSY;
    *exit = (nw_exit){0};
    begin(&r, vcpu, limit, exit);
    if (inner && NW_UNLIKELY(signals_vcpu() != vcpu)) {
        run_lower(&r, limit);
    } else if (inner) {
        run_inner(&r, limit);
    } else {
        struct nw_vcpu *outer = signals_vcpu();

        atomic_store_explicit(&x->running, true, memory_order_relaxed);
        adopt(x);
        vcpu->budget = limit - r.rest;
        vcpu->covered = 0;
        if (NW_UNLIKELY(outer)) {
            run_above(&r, outer);
        } else {
            run_outermost(&r, vcpu);
            signals_set_vcpu(NULL);
        }
        atomic_store_explicit(&x->running, false, memory_order_release);
    }
    exit->pc = vcpu_pc(vcpu);
    exit->left = r.left;
    return NW_OK;
}
