#include "exec/engine.h"

#include <stdlib.h>
#include <string.h>
#include "exec/fork.h"
#include "exec/memory.h"
#include "exec/vcpu_priv.h"

static nw_status check_config(const nw_config *config)
{
    const uint32_t known = NW_ENGINE_INTERP | NW_ENGINE_NO_CHAIN | NW_ENGINE_NO_FASTMEM;

    if ((config->flags & ~known) || (unsigned)config->exceptions > NW_EXC_BARE)
        return NW_ERR_ARG;
    if (config->page_size &&
        (config->page_size < GRANULE_MIN || config->page_size & (config->page_size - 1)))
        return NW_ERR_ARG;
    if (config->code_buffer &&
        (config->code_buffer < CODE_BUFFER_MIN || config->code_buffer > (1u << 30)))
        return NW_ERR_ARG;
    return NW_OK;
}

static void take_config(struct nw_engine *e, const nw_config *config)
{
    size_t size = config->code_buffer ? config->code_buffer : CODE_BUFFER_DEFAULT;

    e->flags = config->flags;
    e->exceptions = config->exceptions;
    e->mmu = e->exceptions == NW_EXC_GUEST && e->guest->translate && !e->guest->mmu_later;
    e->log = config->log;
    e->page_size = config->page_size ? config->page_size : PAGE_SIZE_;
    e->interp = config->flags & NW_ENGINE_INTERP;
    e->code_size = (uint32_t)((size + PAGE_SIZE_ - 1) & ~(PAGE_SIZE_ - 1));
    e->chain = !(config->flags & NW_ENGINE_NO_CHAIN) && !log_wants(e, NW_LOG_EXEC);
}

/* Making a vCPU tells whether the guest knows the model. The first one that is asked for is it. */
static nw_status check_model(struct nw_engine *e)
{
    return vcpu_make(e, &e->spare);
}

static nw_status init(struct nw_engine *e)
{
    uint64_t last = e->guest->addr_type == IR_I64 ? UINT64_MAX : UINT32_MAX;
    /* The arena is guest physical memory, which no access of a guest with an MMU goes to. */
    bool arena = !e->interp && !(e->flags & NW_ENGINE_NO_FASTMEM) && !e->mmu;

    if (e->mmu)
        last = (1ull << e->guest->physical_bits) - 1;

    if (pthread_mutex_init(&e->lock, NULL))
        return NW_ERR_NOMEM;
    nw_status status = sync_init(&e->sync);
    if (status == NW_OK) {
        status = io_init(&e->io);
        if (status == NW_OK) {
            status = space_init(&e->mem, last, e->page_size, arena, &engine_mem_client, e);
            if (status == NW_OK) {
                /* The arena is what virtual addresses reach, until there are others. */
                if (e->guest->mmu_later && e->exceptions != NW_EXC_EXIT)
                    e->mem.last = (1ull << e->guest->physical_bits) - 1;
                return NW_OK;
            }
            io_free(&e->io);
        }
        sync_free(&e->sync);
    }
    pthread_mutex_destroy(&e->lock);
    return status;
}

nw_status engine_open(const nw_config *config, const struct guest_ops *guest, nw_engine **out)
{
    struct nw_engine *e;
    nw_status status;

    TRY(check_config(config));
    if (!(config->flags & NW_ENGINE_INTERP))
        TRY(host_check());
    e = calloc(1, sizeof *e);
    if (!e)
        return NW_ERR_NOMEM;
    e->guest = guest;
    e->accel = &accel_dbt;
    take_config(e, config);
    ir_region_init(&e->region);
    if (config->cpu && !(e->cpu = strdup(config->cpu))) {
        free(e);
        return NW_ERR_NOMEM;
    }
    status = init(e);
    if (status != NW_OK) {
        free(e->cpu);
        free(e);
        return status;
    }
    status = check_model(e);
    if (status == NW_OK)
        status = fork_enlist(e);
    if (status != NW_OK) {
        nw_engine_close(e);
        return status;
    }
    *out = e;
    return NW_OK;
}

void nw_engine_close(nw_engine *e)
{
    if (!e)
        return;
    fork_delist(e);
    while (e->vcpus)
        e->accel->vcpu_destroy(e->vcpus);
    engine_free_snapshots(e);
    if (e->spare)
        vcpu_free(e->spare);
    cache_free(e);
    hooks_free(e);
    codebuf_close(e);
    if (e->builder)
        ir_builder_free(e->builder);
    if (e->emitter)
        host_emitter_free(e->emitter);
    ir_region_free(&e->region);
    space_free(&e->mem);
    io_free(&e->io);
    sync_free(&e->sync);
    pthread_mutex_destroy(&e->lock);
    free(e->cpu);
    free(e);
}

void nw_engine_stats(nw_engine *e, nw_stats *out)
{
    uint64_t sum[COUNTERS];

    if (!e || !out)
        return;
    struct engine_hold hold = engine_lock(e);
    *out = e->stats;
    memcpy(sum, e->retired, sizeof sum);
    for (struct nw_vcpu *v = e->vcpus; v; v = v->next)
        for (unsigned i = 0; i < COUNTERS; i++)
            sum[i] += atomic_load_explicit(&v->counters[i], memory_order_relaxed);
    engine_unlock(e, hold);
    out->dispatches = sum[COUNT_DISPATCHES];
    out->tlb_misses = sum[COUNT_TLB_MISSES];
    out->smc_faults = sum[COUNT_SMC_FAULTS];
}
