#include "exec/sync.h"

#include "exec/engine.h"

nw_status sync_init(struct exec_sync *s)
{
    if (pthread_mutex_init(&s->lock, NULL))
        return NW_ERR_NOMEM;
    if (pthread_cond_init(&s->cond, NULL)) {
        pthread_mutex_destroy(&s->lock);
        return NW_ERR_NOMEM;
    }
    return NW_OK;
}

void sync_free(struct exec_sync *s)
{
    pthread_cond_destroy(&s->cond);
    pthread_mutex_destroy(&s->lock);
}

static bool may_enter(const struct exec_sync *s, bool from_outside)
{
    return !s->pausers && !(from_outside && s->quiescers);
}

void sync_move(struct nw_vcpu *vcpu, enum vcpu_place to)
{
    struct exec_sync *s = &vcpu->engine->sync;
    enum vcpu_place from = atomic_load_explicit(&vcpu->exec->place, memory_order_relaxed);

    if (from == to)
        return;
    /* Either the asker sees the new place, or this thread sees that somebody asks. */
    atomic_store(&vcpu->exec->place, to);
    if (NW_LIKELY(!atomic_load(&s->waiting)))
        return;
    pthread_mutex_lock(&s->lock);
    if (to != VCPU_OUTSIDE) {
        bool outside = from == VCPU_OUTSIDE;

        while (!may_enter(s, outside) && (to == VCPU_INSIDE || outside)) {
            atomic_store(&vcpu->exec->place, from);
            pthread_cond_broadcast(&s->cond);
            pthread_cond_wait(&s->cond, &s->lock);
        }
        atomic_store(&vcpu->exec->place, to);
    }
    pthread_cond_broadcast(&s->cond);
    pthread_mutex_unlock(&s->lock);
}

void sync_point(struct nw_vcpu *vcpu)
{
    if (atomic_load(&vcpu->engine->sync.waiting)) {
        /* Blocks that a callback came from are still to be gone on with. */
        sync_move(vcpu, vcpu->frame ? VCPU_PARKED : VCPU_OUTSIDE);
        sync_move(vcpu, VCPU_INSIDE);
    }
}

/* With the engine's or the sync lock the list stands still. */
static bool others_at(struct nw_engine *engine, struct nw_vcpu *self, bool parked_too)
{
    bool any = false;

    for (struct nw_vcpu *v = engine->vcpus; v; v = v->next) {
        uint32_t place = atomic_load(&v->exec->place);

        if (v == self || place == VCPU_OUTSIDE || (place == VCPU_PARKED && !parked_too))
            continue;
        atomic_fetch_or(&v->request, VCPU_REQ_SYNC);
        any = true;
    }
    return any;
}

void sync_pause(struct nw_engine *engine, struct nw_vcpu *self)
{
    struct exec_sync *s = &engine->sync;

    pthread_mutex_lock(&s->lock);
    s->pausers++;
    atomic_fetch_add(&s->waiting, 1);
    while (others_at(engine, self, false))
        pthread_cond_wait(&s->cond, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

void sync_resume(struct nw_engine *engine)
{
    struct exec_sync *s = &engine->sync;

    pthread_mutex_lock(&s->lock);
    s->pausers--;
    atomic_fetch_sub(&s->waiting, 1);
    pthread_cond_broadcast(&s->cond);
    pthread_mutex_unlock(&s->lock);
}

void sync_quiesce(struct nw_engine *engine, struct nw_vcpu *self)
{
    struct exec_sync *s = &engine->sync;

    sync_move(self, VCPU_OUTSIDE);
    pthread_mutex_lock(&s->lock);
    s->quiescers++;
    atomic_fetch_add(&s->waiting, 1);
    while (others_at(engine, self, true))
        pthread_cond_wait(&s->cond, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

void sync_release(struct nw_engine *engine)
{
    struct exec_sync *s = &engine->sync;

    pthread_mutex_lock(&s->lock);
    s->quiescers--;
    atomic_fetch_sub(&s->waiting, 1);
    pthread_cond_broadcast(&s->cond);
    pthread_mutex_unlock(&s->lock);
}
