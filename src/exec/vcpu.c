#include <stdlib.h>
#include <string.h>
#include "exec/signals.h"
#include "exec/vcpu_priv.h"
#include "mem/mmu.h"

void vcpu_raise(struct nw_vcpu *vcpu, enum vcpu_exc_kind kind, uint32_t payload)
{
    vcpu->exc = (struct vcpu_exc){.kind = kind, .payload = payload};
    vcpu->leave = VCPU_LEAVE_EXC;
}

void vcpu_forget_jumps(struct nw_vcpu *vcpu)
{
    struct fill_log *log = &vcpu->jumps_filled;

    if (!log->n)
        return;
    if (log->n == FILL_LOG_SIZE)
        memset(vcpu->jumps, 0, sizeof vcpu->jumps);
    for (unsigned n = 0; n < log->n; n++)
        memset(&vcpu->jumps[log->at[n]], 0, sizeof vcpu->jumps[0]);
    log->n = 0;
    memset(vcpu->jump_pages, 0, sizeof vcpu->jump_pages);
    vcpu->jump_large = 0;
}

void vcpu_free(struct nw_vcpu *vcpu)
{
    if (vcpu->exec) {
        if (vcpu->exec->builder)
            ir_builder_free(vcpu->exec->builder);
        ir_region_free(&vcpu->exec->region);
        free(vcpu->exec->slots);
        free(vcpu->exec->stops);
        free(vcpu->exec);
    }
    free(vcpu->filled);
    free(vcpu);
}

/* What the engine may have changed since the vCPU was made. */
static void follow_engine(struct nw_vcpu *vcpu)
{
    const struct nw_engine *engine = vcpu->engine;

    vcpu->arena = engine->interp ? NULL : engine->mem.arena;
    vcpu->window = engine->mem.window;
    vcpu->mmu = engine->mmu;
    vcpu->mxcsr_counts = engine->float_used ? 0x3f : 0;
}

nw_status vcpu_make(struct nw_engine *engine, struct nw_vcpu **out)
{
    struct nw_vcpu *vcpu = aligned_alloc(64, (sizeof *vcpu + 63) & ~(size_t)63);
    nw_status status;

    if (!vcpu)
        return NW_ERR_NOMEM;
    memset(vcpu, 0, sizeof *vcpu);
    vcpu->engine = engine;
    vcpu->mem = &engine->mem;
    vcpu->guest = engine->guest;
    struct engine_hold hold = engine_lock(engine);
    follow_engine(vcpu);
    engine_unlock(engine, hold);
    vcpu->reads_first = engine->exceptions == NW_EXC_BARE;
    vcpu->hook_call = hooks_call;
    vcpu->hook_after = hooks_after;
    vcpu->exec = calloc(1, sizeof *vcpu->exec);
    status = vcpu->exec ? NW_OK : NW_ERR_NOMEM;
    if (status == NW_OK) {
        ir_region_init(&vcpu->exec->region);
        tlb_reset(vcpu);
        mmu_flush(vcpu);
        vcpu_fp_changed(vcpu);
        status = engine->guest->init(vcpu, engine->cpu);
        if (status == NW_OK && engine->exceptions == NW_EXC_GUEST)
            engine->guest->reset(vcpu);
        if (status == NW_OK && engine->exceptions == NW_EXC_BARE && engine->guest->bare)
            engine->guest->bare(vcpu);
        vcpu_fp_changed(vcpu);
    }
    if (status != NW_OK) {
        vcpu_free(vcpu);
        return status;
    }
    *out = vcpu;
    return NW_OK;
}

/* The spare one or null. */
static struct nw_vcpu *take_spare(struct nw_engine *engine)
{
    struct engine_hold hold = engine_lock(engine);
    struct nw_vcpu *vcpu = engine->spare;

    engine->spare = NULL;
    engine_unlock(engine, hold);
    return vcpu;
}

nw_status vcpu_create(struct nw_engine *engine, struct nw_vcpu **out)
{
    struct nw_vcpu *vcpu;

    if (!engine->interp && engine->mem.arena)
        TRY(signals_install());
    vcpu = take_spare(engine);
    if (!vcpu)
        TRY(vcpu_make(engine, &vcpu));
    struct engine_hold hold = engine_lock(engine);
    /* Translated code of one may come into what is translated for another. */
    if (engine->vcpus)
        engine_note_float(engine);
    follow_engine(vcpu);
    pthread_mutex_lock(&engine->sync.lock);
    hooks_direct(vcpu);
    vcpu->next = engine->vcpus;
    engine->vcpus = vcpu;
    pthread_mutex_unlock(&engine->sync.lock);
    engine_unlock(engine, hold);
    *out = vcpu;
    return NW_OK;
}

void vcpu_destroy(struct nw_vcpu *vcpu)
{
    struct nw_engine *engine = vcpu->engine;
    struct engine_hold hold = engine_lock(engine);
    struct nw_vcpu **at;

    pthread_mutex_lock(&engine->sync.lock);
    for (at = &engine->vcpus; *at != vcpu; at = &(*at)->next)
        ;
    *at = vcpu->next;
    for (unsigned i = 0; i < COUNTERS; i++)
        engine->retired[i] += atomic_load_explicit(&vcpu->counters[i], memory_order_relaxed);
    pthread_mutex_unlock(&engine->sync.lock);
    engine_unlock(engine, hold);
    vcpu_free(vcpu);
}
