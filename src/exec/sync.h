/* Who runs, and how everybody is asked to stop for a moment.
 *
 * A vCPU is outside (no translated code on its stack), inside (anywhere in translated code or its
 * helpers), or parked (inside, but in a place that touches no guest memory by itself: a callback of
 * the caller's, waiting for the engine's lock, translating). Two kinds of asking:
 *   pause   until no other vCPU is inside: their TLBs may be changed;
 *   quiesce until every vCPU is outside: translated code may go.
 * pause is begun with the engine's lock held, quiesce without.
 *
 * A vCPU moves often and is asked seldom. So it stores its place and then looks whether somebody asks
 * without a barrier between, where the host has one that the asker can run on behalf of all threads;
 * asking costs a system call then, unless the vCPU has last run on the asking thread. */
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
    bool fenced; /* the host has no such barrier: who moves has one of its own */
};

nw_status sync_init(struct exec_sync *);
void sync_free(struct exec_sync *);

/* The rest of sync_move (exec/engine.h) when somebody asks. */
void sync_wait(struct nw_vcpu *, enum vcpu_place from, enum vcpu_place to);
/* Between blocks: lets waiting others have their moment. */
void sync_point(struct nw_vcpu *);

/* SELF: the caller's own vCPU (parked or outside), or null. */
void sync_pause(struct nw_engine *, struct nw_vcpu *self);
void sync_resume(struct nw_engine *);
/* SELF is outside from here to the release. */
void sync_quiesce(struct nw_engine *, struct nw_vcpu *self);
void sync_release(struct nw_engine *);
/* With the engine's lock, before looking at the places of its vCPUs: who does not see what the caller
 * has written before this is seen to be inside after it. */
void sync_order(struct nw_engine *);

#endif
