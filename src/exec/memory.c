/* Changing the memory of an engine whose vCPUs may be running: forget the code there, let the other
 * vCPUs pause where their TLBs matter, change, and drop what their TLBs knew. */
#include <string.h>
#include <time.h>
#include "exec/engine.h"
#include "exec/memory.h"
#include "exec/signals.h"
#include "mem/mmu.h"
#include "mem/snapshot.h"
#include "mem/space.h"

struct nw_vcpu *engine_self(const struct nw_engine *engine)
{
    struct nw_vcpu *self = signals_vcpu();

    while (self && self->engine != engine)
        self = self->exec->outer;
    return self;
}

bool vcpu_runs_here(const struct nw_vcpu *vcpu)
{
    const struct nw_vcpu *here = signals_vcpu();

    while (here && here != vcpu)
        here = here->exec->outer;
    return here;
}

struct engine_hold engine_lock(struct nw_engine *engine)
{
    struct nw_vcpu *self = engine_self(engine);
    struct engine_hold hold = {0};

    if (self) {
        hold.vcpu = self;
        hold.place = atomic_load_explicit(&self->exec->place, memory_order_relaxed);
        if (hold.place == VCPU_INSIDE)
            sync_move(self, VCPU_PARKED);
    }
    pthread_mutex_lock(&engine->lock);
    return hold;
}

void engine_unlock(struct nw_engine *engine, struct engine_hold hold)
{
    pthread_mutex_unlock(&engine->lock);
    if (hold.vcpu && hold.place == VCPU_INSIDE)
        sync_move(hold.vcpu, VCPU_INSIDE);
}

/* ---- what the memory asks of the engine ---- */

static bool store_hits_code(struct nw_vcpu *vcpu, uint64_t gpa, uint32_t size)
{
    struct engine_hold hold;

    if (!vcpu->exec->stepping) {
        vcpu->leave = VCPU_LEAVE_STEP;
        return false;
    }
    hold = engine_lock(vcpu->engine);
    cache_forget(vcpu->engine, gpa, size);
    engine_unlock(vcpu->engine, hold);
    return true;
}

static void callback_enter(struct nw_vcpu *vcpu, struct hook_frame *frame)
{
    hooks_enter(vcpu, frame);
    sync_move(vcpu, VCPU_PARKED);
}

static void callback_leave(struct nw_vcpu *vcpu, struct hook_frame *frame)
{
    sync_move(vcpu, VCPU_INSIDE);
    hooks_leave(vcpu, frame);
    if (NW_UNLIKELY(hooks_moved(vcpu, frame)))
        vcpu->leave = VCPU_LEAVE_UNDONE;
}

/* In the window nothing but the slow path uses the TLB, and that compares generations. */
static bool tlbs_matter(const struct nw_engine *engine, uint64_t gpa, uint64_t size)
{
    return space_by_tlb(&engine->mem, gpa + size - 1);
}

static void drop_write_tags(void *opaque, uint64_t page)
{
    struct nw_engine *engine = opaque;

    if (!tlbs_matter(engine, page, PAGE_SIZE_))
        return;
    sync_pause(engine, engine_self(engine));
    for (struct nw_vcpu *v = engine->vcpus; v; v = v->next)
        engine->mmu ? tlb_drop_writes(v, page) : tlb_flush_page(v, page);
    sync_resume(engine);
}

static void exclusive_begin(struct nw_vcpu *vcpu)
{
    vcpu->exec->exclusive = engine_lock(vcpu->engine);
    sync_pause(vcpu->engine, vcpu);
}

static void exclusive_end(struct nw_vcpu *vcpu)
{
    sync_resume(vcpu->engine);
    engine_unlock(vcpu->engine, vcpu->exec->exclusive);
}

/* The tables may be those of the very block that runs, which must not lose its locks here. */
static void walk_hits_code(struct nw_vcpu *vcpu)
{
    vcpu->exec->walk_hit_code = true;
    atomic_fetch_or(&vcpu->request, VCPU_REQ_SYNC);
}

/* Blocks that are running keep their shared checks: an access that fails one of those is stepped.
 */
static void beyond_window(void *opaque)
{
    cache_forget(opaque, 0, UINT64_MAX);
}

/* A callback of the caller's says where pages are. */
static bool translate_page(struct nw_vcpu *vcpu, uint64_t gva, nw_access access,
                           struct mmu_page *out)
{
    nw_translation t = {0};
    struct hook_frame frame;
    uint32_t leave = vcpu->leave;
    bool found;

    hooks_enter(vcpu, &frame);
    found = vcpu->translate(vcpu->translate_opaque, vcpu, gva, access, &t);
    hooks_leave(vcpu, &frame);
    enum vcpu_leave now = hooks_access_outcome(vcpu, &frame);
    vcpu->leave = leave;
    if (now == VCPU_LEAVE_UNDONE || vcpu->after_fill == VCPU_LEAVE_NONE)
        vcpu->after_fill = now;
    out->gpa = t.gpa;
    out->rights = t.perms & NW_RWX;
    return found;
}

const struct mem_client engine_mem_client = {
    .store_hits_code = store_hits_code,
    .callback_enter = callback_enter,
    .callback_leave = callback_leave,
    .drop_write_tags = drop_write_tags,
    .exclusive_begin = exclusive_begin,
    .exclusive_end = exclusive_end,
    .walk_hits_code = walk_hits_code,
    .translate = translate_page,
    .hooked_page = hooks_page,
    .hook = hooks_access,
    .hook_after = hooks_access_after,
    .beyond_window = beyond_window,
};

/* ---- changes ---- */

struct change {
    struct engine_hold hold;
    bool paused;
};

static struct change change_begin(struct nw_engine *engine, uint64_t gpa, uint64_t size)
{
    struct change c = {.hold = engine_lock(engine)};

    cache_forget(engine, gpa, size);
    c.paused = tlbs_matter(engine, gpa, size);
    if (c.paused)
        sync_pause(engine, engine_self(engine));
    return c;
}

static uint64_t pages_of(uint64_t gpa, uint64_t size)
{
    return ((gpa & (PAGE_SIZE_ - 1)) + size + PAGE_SIZE_ - 1) >> PAGE_BITS;
}

static void change_end(struct nw_engine *engine, struct change c, uint64_t gpa, uint64_t size)
{
    if (c.paused) {
        for (struct nw_vcpu *v = engine->vcpus; v; v = v->next) {
            if (engine->mmu || size > TLB_SIZE * PAGE_SIZE_) {
                tlb_flush(v);
                continue;
            }
            for (uint64_t n = 0, pages = pages_of(gpa, size); n < pages; n++)
                tlb_flush_page(v, (gpa & ~(PAGE_SIZE_ - 1)) + n * PAGE_SIZE_);
        }
        sync_resume(engine);
    }
    engine_unlock(engine, c.hold);
}

nw_status engine_leave_arena(struct nw_engine *engine)
{
    struct engine_hold hold = engine_lock(engine);
    nw_status status = NW_OK;

    if (engine->mem.arena && !engine->mem.left) {
        /* Code that runs finds the arena closed and takes the slow path to its end. */
        cache_forget(engine, 0, UINT64_MAX);
        sync_pause(engine, engine_self(engine));
        status = space_leave_arena(&engine->mem);
        for (struct nw_vcpu *v = engine->vcpus; v; v = v->next)
            tlb_flush(v);
        sync_resume(engine);
    }
    engine_unlock(engine, hold);
    return status;
}

#define NANOSECONDS 1000000000ull
#define SHUT_TIME   (NANOSECONDS / 4)

/* Code that unpacks itself stores beside what it executes all the time. Only then are all accesses
 * worth a little more; what user mode runs has other pages for its data. */
void engine_mind_stores(struct nw_engine *engine)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    uint64_t now = (uint64_t)t.tv_sec * NANOSECONDS + (uint64_t)t.tv_nsec;
    bool often = engine->stores_minded && now - engine->stores_minded < SHUT_TIME;

    engine->stores_minded = now;
    atomic_store(&engine->mem.shut_stores, 0);
    if (often && engine->exceptions == NW_EXC_BARE)
        engine_leave_arena(engine); /* where that fails it stays as it is */
}

/* The host bounds how many mappings a process has (vm.max_map_count). Outside the arena neighbours
 * are one mapping whatever the guest may do there. */
#define BARE_REGIONS_MAX 1024

nw_status engine_before_map(struct nw_engine *engine, uint64_t gpa, uint64_t size)
{
    if ((gpa | size) & (PAGE_SIZE_ - 1))
        return engine_leave_arena(engine);
    struct engine_hold hold = engine_lock(engine);
    bool many =
        engine->mem.arena && !engine->mem.left && engine->mem.regions.count >= BARE_REGIONS_MAX;

    engine_unlock(engine, hold);
    return many && engine->exceptions == NW_EXC_BARE ? engine_leave_arena(engine) : NW_OK;
}

nw_status engine_enable_mmu(struct nw_engine *engine)
{
    if (engine->mmu)
        return NW_OK;
    TRY(engine_leave_arena(engine));
    struct engine_hold hold = engine_lock(engine);
    cache_forget(engine, 0, UINT64_MAX);
    sync_pause(engine, engine_self(engine));
    engine->mmu = true;
    for (struct nw_vcpu *v = engine->vcpus; v; v = v->next) {
        v->mmu = true;
        vcpu_forget_jumps(v);
        mmu_flush(v);
        hooks_direct(v);
    }
    sync_resume(engine);
    engine_unlock(engine, hold);
    return NW_OK;
}

void engine_flush_mmus(struct nw_engine *engine)
{
    struct engine_hold hold = engine_lock(engine);
    bool several = engine->vcpus->next;

    if (several)
        sync_pause(engine, engine_self(engine));
    for (struct nw_vcpu *v = engine->vcpus; v; v = v->next)
        mmu_flush(v);
    if (several)
        sync_resume(engine);
    engine_unlock(engine, hold);
}

nw_status engine_map_ptr(struct nw_engine *engine, uint64_t gpa, uint64_t size, uint32_t perms,
                         void *host)
{
    struct engine_hold hold = engine_lock(engine);
    bool aliased = false;
    nw_status status = space_map_ptr(&engine->mem, gpa, size, perms, host, &aliased);

    if (aliased) {
        sync_pause(engine, engine_self(engine));
        for (struct nw_vcpu *v = engine->vcpus; v; v = v->next)
            tlb_flush(v);
        sync_resume(engine);
    }
    engine_unlock(engine, hold);
    return status;
}

nw_status engine_unmap(struct nw_engine *engine, uint64_t gpa, uint64_t size, bool holes)
{
    struct change c;
    nw_status status;

    TRY(space_check(&engine->mem, gpa, size));
    TRY(engine_before_map(engine, gpa, size));
    c = change_begin(engine, gpa, size);
    status = holes ? space_clear(&engine->mem, gpa, size) : space_unmap(&engine->mem, gpa, size);
    change_end(engine, c, gpa, size);
    return status;
}

nw_status engine_protect(struct nw_engine *engine, uint64_t gpa, uint64_t size, uint32_t perms)
{
    struct change c;
    nw_status status;

    TRY(space_check(&engine->mem, gpa, size));
    TRY(engine_before_map(engine, gpa, size));
    c = change_begin(engine, gpa, size);
    status = space_protect(&engine->mem, gpa, size, perms);
    change_end(engine, c, gpa, size);
    return status;
}

nw_status engine_write(struct nw_engine *engine, uint64_t gpa, const void *buf, size_t size)
{
    struct engine_hold hold = engine_lock(engine);
    nw_status status;

    if (size && size - 1 <= engine->mem.last && gpa <= engine->mem.last - (size - 1))
        cache_forget(engine, gpa, size);
    status = space_write(&engine->mem, gpa, buf, size);
    engine_unlock(engine, hold);
    return status;
}

nw_status mem_set_window(nw_engine *engine, uint64_t size)
{
    nw_status status = NW_OK;

    if (!engine || size < WINDOW_32 || (size & (PAGE_SIZE_ - 1)))
        return NW_ERR_ARG;
    if (!engine->mem.arena || engine->mem.last == UINT32_MAX)
        return NW_OK;
    struct engine_hold hold = engine_lock(engine);
    if (engine->vcpus || engine->mem.regions.root) {
        status = NW_ERR_BUSY;
    } else {
        uint64_t old = engine->mem.window;

        arena_release(&engine->mem);
        if (!arena_reserve(&engine->mem, size)) {
            status = NW_ERR_NOMEM;
            arena_reserve(&engine->mem, old);
        }
    }
    engine_unlock(engine, hold);
    return status;
}

uint64_t mem_window(nw_engine *engine)
{
    return engine->mem.window;
}

nw_status mem_map_fd(nw_engine *engine, uint64_t gpa, uint64_t size, uint32_t perms, int fd,
                     uint64_t offset, bool shared, bool replace)
{
    struct mem_backing from = {.fd = fd, .offset = offset, .shared = shared};
    struct change c;
    nw_status status;

    if (!engine || (perms & ~(uint32_t)NW_RWX) || (offset & (PAGE_SIZE_ - 1)))
        return NW_ERR_ARG;
    TRY(space_check(&engine->mem, gpa, size));
    if (fd >= 0)
        TRY(signals_install());
    if (!replace) {
        struct engine_hold hold = engine_lock(engine);

        status = space_map(&engine->mem, gpa, size, perms, &from);
        engine_unlock(engine, hold);
        return status;
    }
    c = change_begin(engine, gpa, size);
    status = space_clear(&engine->mem, gpa, size);
    if (status == NW_OK)
        status = space_map(&engine->mem, gpa, size, perms, &from);
    change_end(engine, c, gpa, size);
    return status;
}

nw_status mem_unmap_any(nw_engine *engine, uint64_t gpa, uint64_t size)
{
    return engine ? engine_unmap(engine, gpa, size, true) : NW_ERR_ARG;
}

nw_status mem_move(nw_engine *engine, uint64_t from, uint64_t old_size, uint64_t to,
                   uint64_t new_size)
{
    struct change c;
    nw_status status;

    if (!engine)
        return NW_ERR_ARG;
    TRY(space_check(&engine->mem, from, old_size));
    TRY(space_check(&engine->mem, to, new_size));
    c = change_begin(engine, from, old_size);
    status = space_move(&engine->mem, from, old_size, to, new_size);
    change_end(engine, c, from, old_size);
    return status;
}

void mem_forget_code(nw_engine *engine, uint64_t gpa, uint64_t size)
{
    if (space_check(&engine->mem, gpa, size) != NW_OK)
        return;
    struct engine_hold hold = engine_lock(engine);
    cache_forget(engine, gpa, size);
    engine_unlock(engine, hold);
}

size_t mem_host_span(nw_engine *engine, uint64_t gpa, size_t size, uint32_t need, void **hva)
{
    size_t span = space_host_span(&engine->mem, gpa, size, need, hva);

    if (span && (need & NW_WRITE)) {
        struct engine_hold hold = engine_lock(engine);

        /* Whole pages: the host itself is to write there. */
        cache_forget(engine, gpa & ~(PAGE_SIZE_ - 1),
                     ((gpa & (PAGE_SIZE_ - 1)) + span + PAGE_SIZE_ - 1) & ~(PAGE_SIZE_ - 1));
        if (engine->mem.snaps)
            space_snap_range(&engine->mem, gpa, span);
        engine_unlock(engine, hold);
    }
    return span;
}

bool mem_find_free(nw_engine *engine, uint64_t size, uint64_t lo, uint64_t hi, uint64_t align,
                   uint64_t *gpa)
{
    bool found;

    pthread_rwlock_rdlock(&engine->mem.lock);
    found = region_gap(&engine->mem.regions, size, lo, hi, align, gpa);
    pthread_rwlock_unlock(&engine->mem.lock);
    return found;
}

bool mem_is_free(nw_engine *engine, uint64_t gpa, uint64_t size)
{
    bool is_free;

    pthread_rwlock_rdlock(&engine->mem.lock);
    is_free = region_none(&engine->mem.regions, gpa, size);
    pthread_rwlock_unlock(&engine->mem.lock);
    return is_free;
}

bool mem_next_region(nw_engine *engine, uint64_t gpa, struct mem_info *out)
{
    const struct mem_region *r;

    pthread_rwlock_rdlock(&engine->mem.lock);
    r = region_next(&engine->mem.regions, gpa);
    if (r)
        *out = (struct mem_info){.gpa = r->start,
                                 .size = r->end - r->start,
                                 .perms = r->perms,
                                 .file = r->file,
                                 .shared = r->shared,
                                 .offset = r->offset};
    pthread_rwlock_unlock(&engine->mem.lock);
    return r != NULL;
}
