/* Virtual addresses, and forgetting code. */
#include "exec/engine.h"
#include "exec/memory.h"
#include "mem/mmu.h"

nw_status nw_vcpu_set_translate(nw_vcpu *vcpu, nw_translate_page_fn fn, void *opaque)
{
    if (!vcpu)
        return NW_ERR_ARG;
    if (vcpu_busy(vcpu))
        return NW_ERR_BUSY;
    if (fn == vcpu->translate && opaque == vcpu->translate_opaque)
        return NW_OK;
    if (fn) {
        TRY(filled_prepare(vcpu));
        TRY(engine_enable_mmu(vcpu->engine));
    }
    vcpu->translate = fn;
    vcpu->translate_opaque = opaque;
    nw_vcpu_flush_tlb(vcpu);
    return NW_OK;
}

void nw_vcpu_flush_tlb(nw_vcpu *vcpu)
{
    if (vcpu && !vcpu_busy(vcpu))
        mmu_flush(vcpu);
}

nw_status nw_vcpu_translate(nw_vcpu *vcpu, uint64_t gva, nw_access access, uint64_t *gpa)
{
    struct mmu_page page = {.gpa = gva};

    if (!vcpu || !gpa || (unsigned)access > NW_ACCESS_FETCH)
        return NW_ERR_ARG;
    if (vcpu_busy(vcpu))
        return NW_ERR_BUSY;
    if (vcpu->mmu && !mmu_peek(vcpu, gva, access, &page))
        return NW_ERR_FAULT;
    vcpu->after_fill = VCPU_LEAVE_NONE;
    *gpa = page.gpa;
    return NW_OK;
}

void nw_engine_forget_code(nw_engine *engine, uint64_t gpa, uint64_t size)
{
    if (!engine || !size)
        return;
    struct engine_hold hold = engine_lock(engine);
    cache_forget(engine, gpa, size);
    engine_unlock(engine, hold);
}
