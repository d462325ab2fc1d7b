/* The registry of hooks, and which of them apply to an instruction. */
#include "exec/hooks.h"

#include <stdlib.h>
#include <string.h>
#include "exec/engine.h"
#include "exec/memory.h"

#define STOPS_MAX 4096u

void hooks_init(struct nw_engine *engine)
{
    engine->hooks.end = &engine->hooks.list;
}

static void free_list(struct nw_hook *h)
{
    while (h) {
        struct nw_hook *gone = h;

        h = h->next;
        free(gone);
    }
}

void hooks_sweep(struct nw_engine *engine)
{
    free_list(engine->hooks.removed);
    engine->hooks.removed = NULL;
}

void hooks_free(struct nw_engine *engine)
{
    hooks_sweep(engine);
    free_list(engine->hooks.list);
    free(engine->hooks.stops.at);
}

void hooks_free_sites(struct hook_site *s)
{
    while (s) {
        struct hook_site *gone = s;

        s = s->next;
        free(gone);
    }
}

/* ---- which apply ---- */

static bool covers(const nw_hook_spec *s, uint64_t pc)
{
    return s->begin > s->end || (pc >= s->begin && pc <= s->end);
}

/* Is H called before the instruction? */
static bool applies(const struct nw_hook *h, uint64_t pc, uint32_t insn_id, bool entry)
{
    switch (h->spec.kind) {
    case NW_HOOK_CODE:
    case NW_HOOK_FETCH: break;
    case NW_HOOK_BLOCK:
        if (!entry)
            return false;
        break;
    case NW_HOOK_INSN:
        if (insn_id != h->spec.insn)
            return false;
        break;
    case NW_HOOK_COUNTER:
    case NW_HOOK_RING:
    case NW_HOOK_COVERAGE:
        if (!hooks_note_applies(&h->spec, entry))
            return false;
        break;
    default: return false;
    }
    return covers(&h->spec, pc);
}

/* The first stop that is not below PC. */
static uint32_t stop_place(const struct hook_stops *s, uint64_t pc)
{
    uint32_t low = 0, high = s->n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (s->at[middle] < pc)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_stop(const struct hook_stops *s, uint64_t pc)
{
    uint32_t at = stop_place(s, pc);

    return at < s->n && s->at[at] == pc;
}

nw_status hooks_compare_at(struct nw_engine *engine, uint64_t pc, struct hook_site **out)
{
    struct hook_table *t = &engine->hooks;
    struct hook_site *site;
    uint32_t n = t->count[NW_HOOK_COMPARE];

    *out = NULL;
    if (!n)
        return NW_OK;
    site = calloc(1, sizeof *site + n * sizeof site->hook[0]);
    if (!site)
        return NW_ERR_NOMEM;
    site->pc = pc;
    for (struct nw_hook *h = t->list; h; h = h->next)
        if (h->spec.kind == NW_HOOK_COMPARE && covers(&h->spec, pc))
            site->hook[site->n++] = h;
    if (site->n)
        *out = site;
    else
        free(site);
    return NW_OK;
}

static bool calls_code(nw_hook_kind kind)
{
    return kind == NW_HOOK_CODE || kind == NW_HOOK_BLOCK || kind == NW_HOOK_FETCH;
}

static void choose_way(struct hook_site *site)
{
    const nw_hook_spec *s = site->n == 1 ? &site->hook[0]->spec : NULL;

    if (site->stop || !s)
        return;
    site->size = site->insn_size;
    if (!calls_code(s->kind)) {
        site->direct = hooks_note_direct(s, &site->self);
        return;
    }
    site->direct = s->code;
    site->self = s->self;
    site->user = s->user;
}

nw_status hooks_at(struct nw_engine *engine, uint64_t pc, uint32_t size, uint32_t insn_id,
                   bool entry, struct hook_site **out)
{
    struct hook_table *t = &engine->hooks;
    bool stop = is_stop(&t->stops, pc);
    struct hook_site *site;
    uint32_t n = 0;

    *out = NULL;
    for (const struct nw_hook *h = t->list; h; h = h->next)
        n += applies(h, pc, insn_id, entry);
    if (!n && !stop)
        return NW_OK;
    site = calloc(1, sizeof *site + n * sizeof site->hook[0]);
    if (!site)
        return NW_ERR_NOMEM;
    site->pc = pc;
    site->insn_size = site->block_size = size;
    site->entry = entry;
    site->stop = stop;
    for (struct nw_hook *h = t->list; h; h = h->next)
        if (h->spec.kind == NW_HOOK_BLOCK && applies(h, pc, insn_id, entry))
            site->hook[site->n++] = h;
    for (struct nw_hook *h = t->list; h; h = h->next)
        if (h->spec.kind != NW_HOOK_BLOCK && applies(h, pc, insn_id, entry))
            site->hook[site->n++] = h;
    choose_way(site);
    *out = site;
    return NW_OK;
}

void hooks_block_size(struct hook_site *site, uint32_t size)
{
    site->block_size = size;
    if (site->direct && site->hook[0]->spec.kind == NW_HOOK_BLOCK)
        site->size = size;
}

bool hooks_want_basic(const struct nw_engine *engine)
{
    const uint32_t *count = engine->hooks.count;

    return count[NW_HOOK_BLOCK] | count[NW_HOOK_TRANSLATE] | count[NW_HOOK_COVERAGE] |
           count[NW_HOOK_COUNTER] | count[NW_HOOK_RING];
}

/* ---- adding and removing ---- */

static nw_status check(const nw_hook_spec *s)
{
    if (s->kind < NW_HOOK_CODE || (unsigned)s->kind >= NW_HOOK_KINDS || !s->code)
        return NW_ERR_ARG;
    if (s->kind == NW_HOOK_COVERAGE && (!s->map_size || s->map_size & (s->map_size - 1)))
        return NW_ERR_ARG;
    if (s->kind == NW_HOOK_RING &&
        (!s->ring->entries || !s->ring->size || s->ring->size & (s->ring->size - 1)))
        return NW_ERR_ARG;
    return NW_OK;
}

/* Blocks that were made without H, or with it, are not right any more. */
static void changed(struct nw_engine *engine, const struct nw_hook *h)
{
    const nw_hook_spec *s = &h->spec;
    bool all = s->begin > s->end || engine->mmu;

    hooks_note_change(engine);
    switch (s->kind) {
    case NW_HOOK_CODE:
    case NW_HOOK_FETCH:
    case NW_HOOK_INSN:
    case NW_HOOK_COMPARE:
        /* An instruction has 15 bytes at most: one that begins before BEGIN does not matter. */
        cache_forget(engine, all ? 0 : s->begin, all ? UINT64_MAX : s->end - s->begin + 1);
        break;
    case NW_HOOK_BLOCK:
    case NW_HOOK_TRANSLATE:
    case NW_HOOK_COVERAGE:
    case NW_HOOK_COUNTER:
    case NW_HOOK_RING: cache_forget(engine, 0, UINT64_MAX); break;
    case NW_HOOK_READ:
    case NW_HOOK_READ_AFTER:
    case NW_HOOK_WRITE: hooks_memory_changed(engine); break;
    default: break;
    }
}

static bool of_access(const nw_hook_spec *s)
{
    return s->kind == NW_HOOK_READ || s->kind == NW_HOOK_READ_AFTER || s->kind == NW_HOOK_WRITE;
}

nw_status nw_hook_add(nw_engine *engine, const nw_hook_spec *spec, nw_hook **out)
{
    struct hook_table *t;
    struct nw_hook *h;

    if (!engine || !spec || !out)
        return NW_ERR_ARG;
    *out = NULL;
    TRY(check(spec));
    if (of_access(spec))
        TRY(engine_leave_arena(engine));
    h = calloc(1, sizeof *h);
    if (!h)
        return NW_ERR_NOMEM;
    h->spec = *spec;
    if (spec->pieces)
        h->direct = (struct access_direct){spec->piece, spec->self, spec->user, spec->tag};
    t = &engine->hooks;
    struct engine_hold hold = engine_lock(engine);
    *t->end = h;
    t->end = &h->next;
    t->count[spec->kind]++;
    changed(engine, h);
    engine_unlock(engine, hold);
    *out = h;
    return NW_OK;
}

/* With the engine's lock: no vCPU of it runs, so that no dead block is executed any more. */
static bool all_outside(const struct nw_engine *engine)
{
    for (const struct nw_vcpu *v = engine->vcpus; v; v = v->next)
        if (atomic_load(&v->exec->place) != VCPU_OUTSIDE)
            return false;
    return true;
}

nw_status nw_hook_remove(nw_engine *engine, nw_hook *hook)
{
    struct hook_table *t;
    struct nw_hook **at;

    if (!engine || !hook)
        return NW_ERR_ARG;
    t = &engine->hooks;
    struct engine_hold hold = engine_lock(engine);
    for (at = &t->list; *at && *at != hook; at = &(*at)->next)
        ;
    if (!*at) {
        engine_unlock(engine, hold);
        return NW_ERR_ARG;
    }
    *at = hook->next;
    if (t->end == &hook->next)
        t->end = at;
    t->count[hook->spec.kind]--;
    atomic_store(&hook->removed, true);
    changed(engine, hook);
    hook->next = t->removed;
    t->removed = hook;
    if (all_outside(engine))
        hooks_sweep(engine);
    engine_unlock(engine, hold);
    return NW_OK;
}

/* ---- stops ---- */

bool hooks_stop_at(const struct nw_vcpu *vcpu, uint64_t pc)
{
    const struct exec_vcpu *x = vcpu->exec;

    for (uint32_t n = 0; n < x->nstops; n++)
        if (x->stops[n] == pc)
            return true;
    return false;
}

/* Makes PC a place that blocks ask at. */
static nw_status learn_stop(struct nw_engine *engine, uint64_t pc)
{
    struct hook_stops *s = &engine->hooks.stops;
    uint32_t at = stop_place(s, pc);

    if (at < s->n && s->at[at] == pc)
        return NW_OK;
    if (s->n == s->cap) {
        uint32_t cap = s->cap ? 2 * s->cap : 16;
        uint64_t *grown = realloc(s->at, cap * sizeof *grown);

        if (!grown)
            return NW_ERR_NOMEM;
        s->at = grown;
        s->cap = cap;
    }
    memmove(&s->at[at + 1], &s->at[at], (s->n - at) * sizeof s->at[0]);
    s->at[at] = pc;
    s->n++;
    if (engine->mmu)
        cache_forget(engine, 0, UINT64_MAX);
    else
        cache_forget(engine, pc, 1);
    return NW_OK;
}

static bool all_known(const struct nw_engine *engine, const uint64_t *addresses, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!is_stop(&engine->hooks.stops, addresses[i]))
            return false;
    return true;
}

/* Too many to be kept for ever: those of no vCPU go. */
static void forget_stops(struct nw_engine *engine)
{
    engine->hooks.stops.n = 0;
    cache_forget(engine, 0, UINT64_MAX);
    for (struct nw_vcpu *v = engine->vcpus; v; v = v->next)
        for (uint32_t n = 0; n < v->exec->nstops; n++)
            learn_stop(engine, v->exec->stops[n]);
}

static nw_status learn_stops(struct nw_engine *engine, const uint64_t *addresses, size_t n)
{
    nw_status status = NW_OK;

    if (all_known(engine, addresses, n))
        return NW_OK;
    struct engine_hold hold = engine_lock(engine);
    if (engine->hooks.stops.n + n > STOPS_MAX)
        forget_stops(engine);
    for (size_t i = 0; i < n && status == NW_OK; i++)
        status = learn_stop(engine, addresses[i]);
    engine_unlock(engine, hold);
    return status;
}

nw_status nw_vcpu_set_stops(nw_vcpu *vcpu, const uint64_t *addresses, size_t n)
{
    struct exec_vcpu *x;

    if (!vcpu || (n && !addresses))
        return NW_ERR_ARG;
    x = vcpu->exec;
    if (atomic_load(&x->running) && !hooks_inside(vcpu))
        return NW_ERR_BUSY;
    if (n > x->stops_cap) {
        uint64_t *grown = realloc(x->stops, n * sizeof *grown);

        if (!grown)
            return NW_ERR_NOMEM;
        x->stops = grown;
        x->stops_cap = (uint32_t)n;
    }
    TRY(learn_stops(vcpu->engine, addresses, n));
    if (n)
        memcpy(x->stops, addresses, n * sizeof *addresses);
    x->nstops = (uint32_t)n;
    return NW_OK;
}
