/* Snapshots of an engine: levels of its memory, and what its vCPUs' registers were. */
#include <narwhal/snapshot.h>
#include <stdlib.h>
#include "exec/engine.h"
#include "exec/memory.h"
#include "mem/mmu.h"
#include "mem/snapshot.h"

/* What nw_state_save gave of a vCPU. */
struct saved_vcpu {
    struct saved_vcpu *next;
    nw_vcpu *vcpu;
    uint64_t state[];
};

struct nw_snapshot {
    nw_engine *engine;
    struct snap_level *level; /* null: given up */
    struct saved_vcpu *vcpus;
    nw_snapshot *next; /* the engine's */
};

/* ---- registers ---- */

static nw_status save_vcpus(nw_snapshot *s)
{
    for (nw_vcpu *v = s->engine->vcpus; v; v = v->next) {
        struct saved_vcpu *saved = malloc(sizeof *saved + nw_state_size(v));

        if (!saved)
            return NW_ERR_NOMEM;
        saved->vcpu = v;
        saved->next = s->vcpus;
        s->vcpus = saved;
        TRY(nw_state_save(v, saved->state));
    }
    return NW_OK;
}

static const struct saved_vcpu *find_saved(const nw_snapshot *s, const nw_vcpu *v)
{
    const struct saved_vcpu *saved = s->vcpus;

    while (saved && saved->vcpu != v)
        saved = saved->next;
    return saved;
}

static nw_status check_vcpus(const nw_snapshot *s)
{
    for (nw_vcpu *v = s->engine->vcpus; v; v = v->next)
        if (find_saved(s, v) && vcpu_busy(v))
            return NW_ERR_BUSY;
    return NW_OK;
}

static bool exists(nw_engine *engine, const nw_vcpu *vcpu)
{
    struct engine_hold hold = engine_lock(engine);
    const nw_vcpu *v = engine->vcpus;

    while (v && v != vcpu)
        v = v->next;
    engine_unlock(engine, hold);
    return v != NULL;
}

/* A guest may do a lot when it gets its registers: no lock is held. */
static void load_vcpus(const nw_snapshot *s)
{
    for (const struct saved_vcpu *saved = s->vcpus; saved; saved = saved->next)
        if (exists(s->engine, saved->vcpu))
            nw_state_load(saved->vcpu, saved->state);
}

/* ---- the engine's list ---- */

static void free_snapshot(nw_snapshot *s)
{
    while (s->vcpus) {
        struct saved_vcpu *gone = s->vcpus;

        s->vcpus = gone->next;
        free(gone);
    }
    free(s);
}

void engine_free_snapshots(struct nw_engine *engine)
{
    space_snap_free(&engine->mem);
    while (engine->snapshots) {
        nw_snapshot *gone = engine->snapshots;

        engine->snapshots = gone->next;
        free_snapshot(gone);
    }
}

/* ---- memory ---- */

/* No vCPU touches memory between these. */
static struct engine_hold still_begin(nw_engine *engine)
{
    struct engine_hold hold = engine_lock(engine);

    sync_pause(engine, engine_self(engine));
    return hold;
}

static void still_end(nw_engine *engine, struct engine_hold hold, bool flush)
{
    for (nw_vcpu *v = engine->vcpus; v && flush; v = v->next)
        engine->mmu ? mmu_flush(v) : tlb_flush(v);
    sync_resume(engine);
    engine_unlock(engine, hold);
}

nw_status nw_snapshot_take(nw_engine *engine, uint32_t flags, nw_snapshot **out)
{
    nw_snapshot *s;
    nw_status status = NW_OK;

    if (!engine || !out || flags & ~(uint32_t)NW_SNAPSHOT_VCPUS)
        return NW_ERR_ARG;
    *out = NULL;
    TRY(engine_leave_arena(engine));
    s = calloc(1, sizeof *s);
    if (!s)
        return NW_ERR_NOMEM;
    s->engine = engine;
    struct engine_hold hold = still_begin(engine);
    if (flags & NW_SNAPSHOT_VCPUS)
        status = save_vcpus(s);
    if (status == NW_OK)
        status = space_snap_take(&engine->mem, &s->level);
    if (status == NW_OK) {
        s->next = engine->snapshots;
        engine->snapshots = s;
    }
    still_end(engine, hold, status == NW_OK);
    if (status != NW_OK) {
        free_snapshot(s);
        return status;
    }
    *out = s;
    return NW_OK;
}

static void forget(void *opaque, uint64_t gpa, uint64_t size)
{
    cache_forget(opaque, gpa, size);
}

nw_status nw_snapshot_restore(nw_snapshot *s)
{
    nw_status status;

    if (!s)
        return NW_ERR_ARG;
    struct engine_hold hold = still_begin(s->engine);
    status = s->level ? check_vcpus(s) : NW_ERR_ARG;
    if (status == NW_OK)
        status = space_snap_restore(&s->engine->mem, s->level, forget);
    still_end(s->engine, hold, status == NW_OK);
    if (status == NW_OK)
        load_vcpus(s);
    return status;
}

void nw_snapshot_drop(nw_snapshot *s)
{
    nw_snapshot **at;

    if (!s)
        return;
    struct engine_hold hold = still_begin(s->engine);
    for (at = &s->engine->snapshots; *at != s; at = &(*at)->next)
        ;
    *at = s->next;
    if (s->level)
        space_snap_drop(&s->engine->mem, s->level);
    still_end(s->engine, hold, false);
    free_snapshot(s);
}
