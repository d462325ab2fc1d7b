/* The addresses before which runs end. */
#include "exec/hooks.h"

#include <stdlib.h>
#include <string.h>
#include "exec/engine.h"

#define STOPS_MAX 4096u

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

bool hooks_is_stop(const struct hook_stops *s, uint64_t pc)
{
    uint32_t at = stop_place(s, pc);

    return at < s->n && s->at[at] == pc;
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

/* Too many to be kept for ever: those of no vCPU go. */
static void forget_stops(struct nw_engine *engine)
{
    engine->hooks.stops.n = 0;
    cache_forget(engine, 0, UINT64_MAX);
    for (struct nw_vcpu *v = engine->vcpus; v; v = v->next)
        for (uint32_t n = 0; n < v->exec->nstops; n++)
            learn_stop(engine, v->exec->stops[n]);
}

/* With the engine's lock, for forget_stops of others. */
static NW_RARE nw_status replace_stops(struct nw_vcpu *vcpu, const uint64_t *addresses, uint32_t n)
{
    struct nw_engine *engine = vcpu->engine;
    struct exec_vcpu *x = vcpu->exec;

    if (n > x->stops_cap) {
        uint64_t *grown = realloc(x->stops, n * sizeof *grown);

        if (!grown)
            return NW_ERR_NOMEM;
        x->stops = grown;
        x->stops_cap = n;
    }
    if (engine->hooks.stops.n + n > STOPS_MAX)
        forget_stops(engine);
    for (uint32_t i = 0; i < n; i++)
        TRY(learn_stop(engine, addresses[i]));
    if (n)
        memcpy(x->stops, addresses, n * sizeof *addresses);
    x->nstops = n;
    return NW_OK;
}

static bool same_stops(const struct exec_vcpu *x, const uint64_t *addresses, size_t n)
{
    if (n != x->nstops)
        return false;
    for (size_t i = 0; i < n; i++)
        if (x->stops[i] != addresses[i])
            return false;
    return true;
}

nw_status nw_vcpu_set_stops(nw_vcpu *vcpu, const uint64_t *addresses, size_t n)
{
    const struct exec_vcpu *x;
    nw_status status;

    if (!vcpu || (n && !addresses) || n > UINT32_MAX / 2)
        return NW_ERR_ARG;
    if (vcpu_busy(vcpu))
        return NW_ERR_BUSY;
    /* Most often they are as they were, and those of a vCPU are always known. */
    x = vcpu->exec;
    if (same_stops(x, addresses, n))
        return NW_OK;
    struct engine_hold hold = engine_lock(vcpu->engine);
    status = replace_stops(vcpu, addresses, (uint32_t)n);
    engine_unlock(vcpu->engine, hold);
    return status;
}
