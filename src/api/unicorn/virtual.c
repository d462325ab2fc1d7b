/* Virtual addresses: the guest's own MMU or that of UC_HOOK_TLB_FILL. */
#include "uc.h"

/* Asks the hooks; without any, addresses are physical. */
static bool fill(void *opaque, nw_vcpu *vcpu, uint64_t gva, nw_access access, nw_translation *out)
{
    static const uc_mem_type types[] = {UC_MEM_READ, UC_MEM_WRITE, UC_MEM_FETCH};
    uc_engine *uc = nw_vcpu_user(vcpu);
    bool any = false;

    (void)opaque;
    for (struct uc_hook_entry *h = uc->core->first; (h = uc_hook_next(h, UC_HOOK_TLB_FILL));
         h = h->next) {
        uc_tlb_entry e = {0};

        if (!uc_hook_covers(h, gva))
            continue;
        any = true;
        if (((uc_cb_tlbevent_t)h->callback)(uc, gva & ~(uint64_t)0xfff, types[access], &e,
                                            h->user)) {
            *out = (nw_translation){e.paddr & ~(uint64_t)0xfff, (uint32_t)e.perms & UC_PROT_ALL};
            return true;
        }
    }
    *out = (nw_translation){gva & ~(uint64_t)0xfff, UC_PROT_ALL};
    return !any;
}

uc_err uc_tlb_set(uc_engine *uc, uc_tlb_type type)
{
    uc_err error = uc_need(uc);

    if (error != UC_ERR_OK)
        return error;
    uc->fills = type == UC_TLB_VIRTUAL;
    return uc_from_status(nw_vcpu_set_translate(uc->vcpu, uc->fills ? fill : NULL, NULL));
}

void uc_tlb_map_changed(uc_engine *uc)
{
    if (uc->fills)
        nw_vcpu_flush_tlb(uc->vcpu);
}

static uc_err check(uc_engine *uc, uc_prot prot, nw_access *access)
{
    if (!uc)
        return UC_ERR_HANDLE;
    switch (prot) {
    case UC_PROT_READ: *access = NW_ACCESS_READ; break;
    case UC_PROT_WRITE: *access = NW_ACCESS_WRITE; break;
    case UC_PROT_EXEC: *access = NW_ACCESS_FETCH; break;
    default: return UC_ERR_ARG;
    }
    return uc_need(uc);
}

uc_err uc_vmem_translate(uc_engine *uc, uint64_t address, uc_prot prot, uint64_t *paddress)
{
    static const uc_err refused[] = {UC_ERR_READ_PROT, UC_ERR_WRITE_PROT, UC_ERR_FETCH_PROT};
    nw_access access;
    uc_err error = check(uc, prot, &access);

    if (error != UC_ERR_OK)
        return error;
    if (!paddress)
        return UC_ERR_ARG;
    if (nw_vcpu_translate(uc->vcpu, address, access, paddress) != NW_OK)
        return refused[access];
    return UC_ERR_OK;
}

/* Page by page: each may lie anywhere. */
static uc_err copy(uc_engine *uc, uint64_t address, uc_prot prot, uint8_t *bytes, size_t size,
                   bool write)
{
    nw_access access;
    uc_err error = check(uc, prot, &access);

    if (error == UC_ERR_OK && !bytes && size)
        error = UC_ERR_ARG;
    while (size && error == UC_ERR_OK) {
        size_t part = 4096 - (address & 4095);
        uint64_t gpa;

        if (part > size)
            part = size;
        if (nw_vcpu_translate(uc->vcpu, address, access, &gpa) != NW_OK ||
            (write ? uc_mem_write(uc, gpa, bytes, part) : uc_mem_read(uc, gpa, bytes, part)))
            return write ? UC_ERR_WRITE_PROT : UC_ERR_READ_PROT;
        address += part;
        bytes += part;
        size -= part;
    }
    return error;
}

uc_err uc_vmem_read(uc_engine *uc, uint64_t address, uc_prot prot, void *bytes, size_t size)
{
    return copy(uc, address, prot, bytes, size, false);
}

uc_err uc_vmem_write(uc_engine *uc, uint64_t address, uc_prot prot, void *bytes, size_t size)
{
    return copy(uc, address, prot, bytes, size, true);
}
