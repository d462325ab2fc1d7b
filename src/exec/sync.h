/* Who runs, and how everybody is asked to stop for a moment.
 *
 * A vCPU is outside (no translated code on its stack), inside (anywhere in translated code or its
 * helpers), or parked (inside, but in a place that touches no guest memory by itself: a callback of
 * the caller's, waiting for the engine's lock, translating). Two kinds of asking:
 *   pause   until no other vCPU is inside: their TLBs may be changed;
 *   quiesce until every vCPU is outside: translated code may go.
 * pause is begun with the engine's lock held, quiesce without. */
#ifndef EXEC_SYNC_H
#define EXEC_SYNC_H

#include <pthread.h>
#include <stdatomic.h>
#include "exec/vcpu.h"

enum vcpu_place { VCPU_OUTSIDE, VCPU_INSIDE, VCPU_PARKED };

struct exec_sync {
    pthread_mutex_t lock; /* leaf */
    pthread_cond_t cond;
    _Atomic uint32_t waiting; /* pausers + quiescers, for the fast check */
    uint32_t pausers, quiescers;
};

nw_status sync_init(struct exec_sync *);
void sync_free(struct exec_sync *);

/* The vCPU's own thread: moves to PLACE, waiting where somebody asked. */
void sync_move(struct nw_vcpu *, enum vcpu_place);
/* Between blocks: lets waiting others have their moment. */
void sync_point(struct nw_vcpu *);

/* SELF: the caller's own vCPU (parked or outside), or null. */
void sync_pause(struct nw_engine *, struct nw_vcpu *self);
void sync_resume(struct nw_engine *);
/* SELF is outside from here to the release. */
void sync_quiesce(struct nw_engine *, struct nw_vcpu *self);
void sync_release(struct nw_engine *);

#endif
