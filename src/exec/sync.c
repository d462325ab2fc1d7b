#include "exec/sync.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "exec/engine.h"
#include "exec/signals.h"

static long membarrier(int command)
{
    return syscall(SYS_membarrier, command, 0, 0);
}

static bool has_barrier(void)
{
    long commands = membarrier(MEMBARRIER_CMD_QUERY);

    return commands > 0 && commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED;
}

/* A full barrier on every thread of the process. The first one in a process has to be announced. */
static void barrier_everywhere(void)
{
    if (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED)) {
        membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
        membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    }
}

nw_status sync_init(struct exec_sync *s)
{
    s->fenced = !has_barrier();
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

void sync_wait(struct nw_vcpu *vcpu, enum vcpu_place from, enum vcpu_place to)
{
    struct exec_sync *s = &vcpu->engine->sync;

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

void sync_order(struct nw_engine *engine)
{
    uintptr_t self = signals_thread();

    if (engine->sync.fenced)
        return;
    atomic_thread_fence(memory_order_seq_cst);
    for (struct nw_vcpu *v = engine->vcpus; v; v = v->next) {
        uintptr_t thread = atomic_load(&v->exec->thread);

        if (thread && thread != self) {
            barrier_everywhere();
            return;
        }
    }
}

void sync_point(struct nw_vcpu *vcpu)
{
    if (atomic_load(&vcpu->engine->sync.waiting)) {
        /* Blocks that a callback came from are still to be gone on with. */
        sync_move(vcpu, vcpu->frame || vcpu->exec->outer ? VCPU_PARKED : VCPU_OUTSIDE);
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
    sync_order(engine);
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
    sync_order(engine);
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
