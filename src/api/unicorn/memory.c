/* Memory: the map as the caller made it, on the native calls. */
#include <stdlib.h>
#include <string.h>
#include "uc.h"

static uc_err begin(uc_engine *uc, uint64_t address, uint64_t size, uint32_t perms)
{
    if (!uc)
        return UC_ERR_HANDLE;
    if (!size || (address | size) & (uc->page_size - 1) || perms & ~(uint32_t)UC_PROT_ALL ||
        address + (size - 1) < address)
        return UC_ERR_ARG;
    return uc_need(uc);
}

/* x86 of 32 bits has no addresses above; ARM's tables reach further. */
static bool beyond_space(const uc_engine *uc, uint64_t address, uint64_t size)
{
    bool narrow = uc->arch == UC_ARCH_X86 && !(uc->mode & UC_MODE_64);

    return narrow && address + (size - 1) > UINT32_MAX;
}

/* What all maps begin with. */
static uc_err begin_map(uc_engine *uc, uint64_t address, uint64_t size, uint32_t perms)
{
    uc_err error = begin(uc, address, size, perms);

    return error == UC_ERR_OK && beyond_space(uc, address, size) ? UC_ERR_ARG : error;
}

static void note_change(uc_engine *uc)
{
    uc->core->map_version = ++uc->core->map_versions;
    uc_tlb_map_changed(uc);
}

/* DEVICE: of MMIO regions. */
static uc_err note(uc_engine *uc, uint64_t address, uint64_t size, uint32_t perms,
                   struct uc_mmio *device)
{
    struct mem_region *r = calloc(1, sizeof *r);

    if (!r) {
        nw_mem_unmap(uc->core->engine, address, size);
        return UC_ERR_NOMEM;
    }
    r->start = address;
    r->end = address + size;
    r->perms = perms;
    r->kind = device ? MEM_MMIO : MEM_OWNED;
    r->opaque = device;
    r->base = address;
    region_insert(&uc->core->regions, r);
    note_change(uc);
    return UC_ERR_OK;
}

uc_err uc_mem_map(uc_engine *uc, uint64_t address, uint64_t size, uint32_t perms)
{
    uc_err error = begin_map(uc, address, size, perms);

    if (error == UC_ERR_OK)
        error = uc_from_status(nw_mem_map(uc->core->engine, address, size, perms));
    return error == UC_ERR_OK ? note(uc, address, size, perms, NULL) : error;
}

uc_err uc_mem_map_ptr(uc_engine *uc, uint64_t address, uint64_t size, uint32_t perms, void *ptr)
{
    uc_err error = begin_map(uc, address, size, perms);

    if (error == UC_ERR_OK && !ptr)
        error = UC_ERR_ARG;
    if (error == UC_ERR_OK)
        error = uc_from_status(nw_mem_map_ptr(uc->core->engine, address, size, perms, ptr));
    return error == UC_ERR_OK ? note(uc, address, size, perms, NULL) : error;
}

/* ---- devices ---- */

/* The handle whose vCPU makes the access; the first one for accesses of the caller's. */
static uc_engine *engine_of(const struct uc_mmio *m)
{
    nw_vcpu *vcpu = nw_vcpu_current();

    return vcpu ? nw_vcpu_user(vcpu) : m->uc;
}

static uint64_t mmio_read(void *opaque, uint64_t offset, unsigned size)
{
    struct uc_mmio *m = opaque;

    return m->read ? m->read(engine_of(m), offset, size, m->read_user) : 0;
}

static void mmio_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct uc_mmio *m = opaque;

    if (m->write)
        m->write(engine_of(m), offset, size, value, m->write_user);
}

uc_err uc_mmio_map(uc_engine *uc, uint64_t address, uint64_t size, uc_cb_mmio_read_t read_cb,
                   void *user_data_read, uc_cb_mmio_write_t write_cb, void *user_data_write)
{
    uint32_t perms = (read_cb ? UC_PROT_READ : 0u) | (write_cb ? UC_PROT_WRITE : 0u);
    uc_err error = begin_map(uc, address, size, perms);
    struct uc_mmio *m;

    if (error != UC_ERR_OK)
        return error;
    m = calloc(1, sizeof *m);
    if (!m)
        return UC_ERR_NOMEM;
    *m = (struct uc_mmio){uc, read_cb, write_cb, user_data_read, user_data_write, uc->core->mmio};
    error =
        uc_from_status(nw_mem_map_mmio(uc->core->engine, address, size, mmio_read, mmio_write, m));
    if (error == UC_ERR_OK && perms != (UC_PROT_READ | UC_PROT_WRITE))
        error = uc_from_status(nw_mem_protect(uc->core->engine, address, size, perms));
    if (error != UC_ERR_OK) {
        free(m);
        return error;
    }
    uc->core->mmio = m;
    return note(uc, address, size, perms, m);
}

/* ---- changing what is mapped ---- */

/* Cuts the regions at both ends of the range. */
static uc_err cut(uc_engine *uc, uint64_t address, uint64_t size)
{
    struct region_tree *tree = &uc->core->regions;

    if (!region_all(tree, address, size))
        return UC_ERR_NOMEM;
    note_change(uc);
    if (region_cut(tree, address) != NW_OK)
        return UC_ERR_NOMEM;
    if (address + size && region_cut(tree, address + size) != NW_OK)
        return UC_ERR_NOMEM;
    return UC_ERR_OK;
}

static uc_err change(uc_engine *uc, uint64_t address, uint64_t size, uint32_t perms)
{
    if (!uc)
        return UC_ERR_HANDLE;
    if (!size)
        return UC_ERR_OK;
    /* What lies beyond the end of all addresses is not mapped. */
    if (!((address | size) & (uc->page_size - 1)) && address + (size - 1) < address)
        return UC_ERR_NOMEM;
    uc_err error = begin(uc, address, size, perms);
    return error == UC_ERR_OK ? cut(uc, address, size) : error;
}

uc_err uc_mem_unmap(uc_engine *uc, uint64_t address, uint64_t size)
{
    uc_err error = change(uc, address, size, 0);

    if (error != UC_ERR_OK || !size)
        return error;
    error = uc_from_status(nw_mem_unmap(uc->core->engine, address, size));
    if (error == UC_ERR_OK)
        region_free_all(region_take(&uc->core->regions, address, address + size));
    return error;
}

static void set_perms(struct mem_region *r, void *perms)
{
    r->perms = *(uint32_t *)perms;
}

uc_err uc_mem_protect(uc_engine *uc, uint64_t address, uint64_t size, uint32_t perms)
{
    uc_err error = change(uc, address, size, perms);
    struct mem_region *part;

    if (error != UC_ERR_OK || !size)
        return error;
    error = uc_from_status(nw_mem_protect(uc->core->engine, address, size, perms));
    if (error != UC_ERR_OK)
        return error;
    part = region_take(&uc->core->regions, address, address + size);
    region_each(part, set_perms, &perms);
    region_put_back(&uc->core->regions, part);
    return UC_ERR_OK;
}

/* ---- listing ---- */

struct listing {
    uc_mem_region *at;
    uint32_t n;
};

static void list_one(struct mem_region *r, void *opaque)
{
    struct listing *l = opaque;

    l->at[l->n++] = (uc_mem_region){r->start, r->end - 1, r->perms};
}

uc_err uc_mem_regions(uc_engine *uc, uc_mem_region **regions, uint32_t *count)
{
    struct listing l = {0};

    if (!uc)
        return UC_ERR_HANDLE;
    if (!regions || !count)
        return UC_ERR_ARG;
    *regions = NULL;
    *count = 0;
    if (!uc->core->regions.count)
        return UC_ERR_OK;
    l.at = malloc(uc->core->regions.count * sizeof *l.at);
    if (!l.at)
        return UC_ERR_NOMEM;
    region_each(uc->core->regions.root, list_one, &l);
    *regions = l.at;
    *count = l.n;
    return UC_ERR_OK;
}

uc_err uc_free(void *mem)
{
    free(mem);
    return UC_ERR_OK;
}

void uc_memory_free(struct uc_core *core)
{
    region_free_all(core->regions.root);
    while (core->mmio) {
        struct uc_mmio *gone = core->mmio;

        core->mmio = gone->next;
        free(gone);
    }
}

void uc_memory_inherit(struct uc_core *core, const uc_engine *gone, uc_engine *heir)
{
    for (struct uc_mmio *m = core->mmio; m; m = m->next)
        if (m->uc == gone)
            m->uc = heir;
}

/* ---- debugger accesses ---- */

/* The largest aligned piece of at most 4 bytes at ADDRESS, of SIZE that are left. */
static unsigned piece(uint64_t address, uint64_t size)
{
    unsigned n = 4;

    while (n > size || address & (n - 1))
        n >>= 1;
    return n;
}

static void device_read(struct uc_mmio *m, uint64_t offset, uint8_t *bytes, uint64_t size)
{
    for (unsigned n; size; offset += n, bytes += n, size -= n) {
        n = piece(offset, size);
        uint64_t value = mmio_read(m, offset, n);
        memcpy(bytes, &value, n);
    }
}

static void device_write(struct uc_mmio *m, uint64_t offset, const uint8_t *bytes, uint64_t size)
{
    for (unsigned n; size; offset += n, bytes += n, size -= n) {
        uint64_t value = 0;

        n = piece(offset, size);
        memcpy(&value, bytes, n);
        mmio_write(m, offset, value, n);
    }
}

/* Of the transfers below exactly one of INTO and FROM is given. */

static bool plain(struct uc_core *c, uint64_t address, void *into, const void *from, uint64_t size)
{
    return (into ? nw_mem_read(c->engine, address, into, size)
                 : nw_mem_write(c->engine, address, from, size)) == NW_OK;
}

/* Regions one by one, for ranges that devices are in. */
static bool transfer(uc_engine *uc, uint64_t address, uint8_t *into, const uint8_t *from,
                     uint64_t size)
{
    struct uc_core *c = uc->core;

    if (address + (size - 1) < address || !region_all(&c->regions, address, size))
        return false;
    for (uint64_t at = 0, n; at < size; at += n) {
        struct mem_region *r = region_find(&c->regions, address + at);
        uint64_t offset, left;

        if (!r) /* a callback has unmapped it */
            return false;
        offset = address + at - r->base;
        left = r->end - (address + at);
        n = size - at < left ? size - at : left;
        if (r->kind == MEM_MMIO && into)
            device_read(r->opaque, offset, into + at, n);
        else if (r->kind == MEM_MMIO)
            device_write(r->opaque, offset, from + at, n);
        else if (!plain(c, address + at, into ? into + at : NULL, from ? from + at : NULL, n))
            return false;
    }
    return true;
}

static uc_err copy(uc_engine *uc, uint64_t address, void *into, const void *from, uint64_t size,
                   uc_err unmapped)
{
    if (!uc)
        return UC_ERR_HANDLE;
    if (!size)
        return UC_ERR_OK;
    if (!into && !from)
        return UC_ERR_ARG;
    if (!uc->core->engine ||
        (!plain(uc->core, address, into, from, size) && !transfer(uc, address, into, from, size)))
        return unmapped;
    return UC_ERR_OK;
}

uc_err uc_mem_read(uc_engine *uc, uint64_t address, void *bytes, uint64_t size)
{
    return copy(uc, address, bytes, NULL, size, UC_ERR_READ_UNMAPPED);
}

uc_err uc_mem_write(uc_engine *uc, uint64_t address, const void *bytes, uint64_t size)
{
    return copy(uc, address, NULL, bytes, size, UC_ERR_WRITE_UNMAPPED);
}
