/* Accesses where addresses are translated and somebody is told of it: hooks, whose addresses are
 * physical, or a callback that translates. */
#include "mem/access.h"

#include "mem/hooked.h"

void access_after_fill(struct nw_vcpu *vcpu)
{
    uint32_t wanted = vcpu->after_fill;

    vcpu->after_fill = VCPU_LEAVE_NONE;
    if (vcpu->leave == VCPU_LEAVE_NONE)
        vcpu->leave = wanted;
}

static bool failed_load(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop, enum mem_hook told)
{
    access_fault_as_store(vcpu, gva, memop);
    vcpu->exc.told = told;
    return false;
}

static bool told_load(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop, uint8_t *bytes)
{
    unsigned size = 1u << IR_MEM_SIZE(memop);
    struct access a;

    if (!access_aligned(vcpu, gva, memop, NW_ACCESS_READ))
        return false;
    if (!access_translate(vcpu, &a, gva, size, access_mmu(memop), NW_ACCESS_READ))
        return failed_load(vcpu, gva, memop, MEM_HOOK_READ);
    if (!access_present(vcpu, &a, NW_ACCESS_READ))
        return failed_load(vcpu, gva, memop, 0);
    if (!hooked_tell_load(vcpu, MEM_HOOK_READ, a.piece[0].gpa, size, NULL))
        return false;
    if (!access_load_at(vcpu, &a, access_mmu(memop), bytes))
        return failed_load(vcpu, gva, memop, MEM_HOOK_READ);
    if (!hooked_tell_load(vcpu, MEM_HOOK_READ_AFTER, a.piece[0].gpa, size, bytes))
        return false;
    vcpu->access_index++;
    return true;
}

bool access_paged_load(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop, uint8_t *bytes)
{
    bool ok;

    vcpu->after_fill = VCPU_LEAVE_NONE;
    ok = vcpu->mem->hooked ? told_load(vcpu, gva, memop, bytes)
                           : access_plain_load(vcpu, gva, memop, bytes);
    access_after_fill(vcpu);
    return ok;
}

static void told_store(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop, uint8_t *bytes)
{
    unsigned size = 1u << IR_MEM_SIZE(memop);
    struct access a;
    uint32_t leave;

    if (!access_aligned(vcpu, gva, memop, NW_ACCESS_WRITE) ||
        !access_translate(vcpu, &a, gva, size, access_mmu(memop), NW_ACCESS_WRITE))
        return;
    if (!hooked_tell_store(vcpu, a.piece[0].gpa, size, bytes))
        return;
    leave = vcpu->leave;
    vcpu->leave = VCPU_LEAVE_NONE;
    access_store_at(vcpu, &a, access_mmu(memop), bytes);
    if (vcpu->leave == VCPU_LEAVE_NONE)
        vcpu->leave = leave;
    else if (vcpu->leave == VCPU_LEAVE_STEP)
        hooked_step_store(vcpu, size, bytes);
    vcpu->access_index++;
}

void access_paged_store(struct nw_vcpu *vcpu, uint64_t gva, uint32_t memop, uint8_t *bytes)
{
    vcpu->after_fill = VCPU_LEAVE_NONE;
    if (vcpu->mem->hooked)
        told_store(vcpu, gva, memop, bytes);
    else
        access_plain_store(vcpu, gva, memop, bytes);
    access_after_fill(vcpu);
}
