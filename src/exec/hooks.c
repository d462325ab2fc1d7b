/* The registry of hooks. */
#include "exec/hooks.h"

#include <stdlib.h>
#include "exec/engine.h"
#include "exec/memory.h"

#define SLAB_HOOKS 64u

/* Hooks stay allocated until the engine is closed: whoever removes one twice is told so. */
struct hook_slab {
    struct hook_slab *next;
    struct nw_hook hook[SLAB_HOOKS];
};

void hooks_sweep(struct nw_engine *engine)
{
    struct hook_table *t = &engine->hooks;

    while (t->removed) {
        struct nw_hook *h = t->removed;

        t->removed = h->gone;
        h->gone = t->spare;
        t->spare = h;
    }
}

void hooks_free(struct nw_engine *engine)
{
    struct hook_table *t = &engine->hooks;

    while (t->slabs) {
        struct hook_slab *gone = t->slabs;

        t->slabs = gone->next;
        free(gone);
    }
    free(t->found);
    free(t->stops.at);
}

static struct nw_hook *take_spare(struct hook_table *t)
{
    struct nw_hook *h = t->spare;

    if (!h) {
        struct hook_slab *slab = calloc(1, sizeof *slab);

        if (!slab)
            return NULL;
        slab->next = t->slabs;
        t->slabs = slab;
        for (unsigned n = SLAB_HOOKS; n-- > 0;) {
            slab->hook[n].gone = t->spare;
            t->spare = &slab->hook[n];
        }
        h = t->spare;
    }
    t->spare = h->gone;
    return h;
}

/* ---- lists and trees ---- */

static bool of_access(const nw_hook_spec *s)
{
    return s->kind == NW_HOOK_READ || s->kind == NW_HOOK_READ_AFTER || s->kind == NW_HOOK_WRITE;
}

/* Where those of a kind are looked up by address; null: in their list. */
static struct hook_node **tree_of(struct hook_table *t, nw_hook_kind kind)
{
    switch (kind) {
    case NW_HOOK_COMPARE: return &t->compares;
    case NW_HOOK_READ:
    case NW_HOOK_READ_AFTER:
    case NW_HOOK_WRITE: return &t->accesses;
    case NW_HOOK_FAULT:
    case NW_HOOK_TRANSLATE: return NULL;
    default: return &t->sites;
    }
}

static bool wants_basic(const nw_hook_spec *s)
{
    switch (s->kind) {
    case NW_HOOK_BLOCK:
    case NW_HOOK_TRANSLATE:
    case NW_HOOK_COVERAGE: return true;
    case NW_HOOK_COUNTER:
    case NW_HOOK_RING: return s->blocks;
    default: return false;
    }
}

static bool unbounded(const nw_hook_spec *s)
{
    return s->begin > s->end;
}

void hooks_link(struct hook_table *t, struct nw_hook *h)
{
    struct hook_list *list = &t->kind[h->spec.kind];
    struct hook_node **tree = tree_of(t, h->spec.kind);

    h->node.serial = t->serial++;
    h->node.begin = unbounded(&h->spec) ? 0 : h->spec.begin;
    h->node.end = unbounded(&h->spec) ? UINT64_MAX : h->spec.end;
    h->before = list->last;
    if (list->last)
        atomic_store_explicit(&list->last->same, h, memory_order_release);
    else
        atomic_store_explicit(&list->first, h, memory_order_release);
    list->last = h;
    if (tree)
        hook_tree_add(tree, &h->node);
    t->count[h->spec.kind]++;
    t->unbounded[h->spec.kind] += unbounded(&h->spec);
    t->whole[h->spec.kind] += !h->spec.pieces;
    t->total++;
    t->basic += wants_basic(&h->spec);
}

/* Callbacks may stand on it: what it leads to stays. */
void hooks_unlink(struct hook_table *t, struct nw_hook *h)
{
    struct hook_list *list = &t->kind[h->spec.kind];
    struct hook_node **tree = tree_of(t, h->spec.kind);
    struct nw_hook *next = atomic_load_explicit(&h->same, memory_order_relaxed);

    if (h->before)
        atomic_store_explicit(&h->before->same, next, memory_order_release);
    else
        atomic_store_explicit(&list->first, next, memory_order_release);
    if (next)
        next->before = h->before;
    else
        list->last = h->before;
    if (tree)
        hook_tree_remove(tree, &h->node);
    t->count[h->spec.kind]--;
    t->unbounded[h->spec.kind] -= unbounded(&h->spec);
    t->whole[h->spec.kind] -= !h->spec.pieces;
    t->total--;
    t->basic -= wants_basic(&h->spec);
}

/* ---- adding and removing ---- */

static nw_status check(const nw_hook_spec *s)
{
    if (s->kind < NW_HOOK_CODE || (unsigned)s->kind >= NW_HOOK_KINDS || !s->code)
        return NW_ERR_ARG;
    if (s->kind == NW_HOOK_COVERAGE && (!s->map_size || s->map_size & (s->map_size - 1)))
        return NW_ERR_ARG;
    if (s->kind == NW_HOOK_RING &&
        (!s->ring->entries || !s->ring->size || s->ring->size & (s->ring->size - 1) ||
         s->ring->size > 1ull << 32))
        return NW_ERR_ARG;
    return NW_OK;
}

/* Blocks that were made without H, or with it, are not right any more; nor are any when BASIC, what
 * engine_wants_basic said before, is not true any more. */
static void changed(struct nw_engine *engine, const struct nw_hook *h, bool basic)
{
    bool all =
        engine->mmu || h->spec.kind == NW_HOOK_TRANSLATE || basic != engine_wants_basic(engine);

    hooks_note_change(engine);
    if (h->spec.kind == NW_HOOK_FAULT)
        return;
    /* An instruction has 15 bytes at most: one that begins before the range does not matter. A
     * range of all 2^64 addresses has a size of UINT64_MAX, that is, but for the last one. */
    uint64_t size = h->node.end - h->node.begin;

    cache_forget(engine, all ? 0 : h->node.begin,
                 all || size == UINT64_MAX ? UINT64_MAX : size + 1);
}

static void link_and_tell(struct nw_engine *engine, struct nw_hook *h,
                          void (*change)(struct hook_table *, struct nw_hook *))
{
    bool basic = engine_wants_basic(engine);

    if (of_access(&h->spec)) {
        hooks_memory_changed(engine, h, change);
        hooks_note_change(engine);
    } else {
        change(&engine->hooks, h);
        changed(engine, h, basic);
    }
}

nw_status nw_hook_add(nw_engine *engine, const nw_hook_spec *spec, nw_hook **out)
{
    struct nw_hook *h;

    if (!engine || !spec || !out)
        return NW_ERR_ARG;
    *out = NULL;
    TRY(check(spec));
    if (of_access(spec))
        TRY(engine_leave_arena(engine));
    struct engine_hold hold = engine_lock(engine);
    h = take_spare(&engine->hooks);
    if (h) {
        *h = (struct nw_hook){.spec = *spec};
        if (spec->pieces)
            h->direct = (struct access_direct){spec->piece, spec->self, spec->user, spec->tag};
        link_and_tell(engine, h, hooks_link);
    }
    engine_unlock(engine, hold);
    *out = h;
    return h ? NW_OK : NW_ERR_NOMEM;
}

/* With the engine's lock: no vCPU of it runs, so that no dead block is executed any more. */
static bool all_outside(struct nw_engine *engine)
{
    sync_order(engine);
    for (const struct nw_vcpu *v = engine->vcpus; v; v = v->next)
        if (atomic_load(&v->exec->place) != VCPU_OUTSIDE)
            return false;
    return true;
}

nw_status nw_hook_remove(nw_engine *engine, nw_hook *hook)
{
    struct hook_table *t;

    if (!engine || !hook)
        return NW_ERR_ARG;
    t = &engine->hooks;
    struct engine_hold hold = engine_lock(engine);
    if (atomic_load(&hook->removed)) {
        engine_unlock(engine, hold);
        return NW_ERR_ARG;
    }
    atomic_store(&hook->removed, true);
    link_and_tell(engine, hook, hooks_unlink);
    hook->gone = t->removed;
    t->removed = hook;
    if (all_outside(engine))
        hooks_sweep(engine);
    engine_unlock(engine, hold);
    return NW_OK;
}
