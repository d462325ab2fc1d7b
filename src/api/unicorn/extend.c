/* Controls that Unicorn does not have: see unicorn/narwhal.h. */
#include <unicorn/narwhal.h>
#include "ctl.h"
#include "insn.h"

_Static_assert(sizeof(uc_nw_ring) == sizeof(nw_ring) &&
                   offsetof(uc_nw_ring, position) == offsetof(nw_ring, position),
               "one structure under two names");

static uc_err insn_id(struct uc_request *r)
{
    const char *name = va_arg(r->args, const char *);
    int *out = va_arg(r->args, int *);
    uint32_t id;

    if (!name || !out)
        return UC_ERR_ARG;
    id = nw_insn_id(uc_guest_of(r->uc->arch)->native(r->uc->mode), name);
    if (!id)
        return UC_ERR_HOOK;
    *out = (int)id | UC_INSN_NATIVE;
    return UC_ERR_OK;
}

/* ---- hooks without a callback ---- */

/* Each has two arguments of its own, then the range. */
static uc_err add(struct uc_request *r, uc_hook *out, nw_hook_spec *spec)
{
    spec->begin = va_arg(r->args, uint64_t);
    spec->end = va_arg(r->args, uint64_t);
    return out ? uc_hook_add_native(r->uc, spec, out) : UC_ERR_ARG;
}

static uc_err counter(struct uc_request *r)
{
    nw_hook_spec spec = {.kind = NW_HOOK_COUNTER};
    uc_hook *out = va_arg(r->args, uc_hook *);

    spec.counter = va_arg(r->args, uint64_t *);
    spec.blocks = va_arg(r->args, int) != 0;
    return add(r, out, &spec);
}

static uc_err ring(struct uc_request *r)
{
    nw_hook_spec spec = {.kind = NW_HOOK_RING};
    uc_hook *out = va_arg(r->args, uc_hook *);

    spec.ring = (nw_ring *)va_arg(r->args, uc_nw_ring *);
    spec.blocks = va_arg(r->args, int) != 0;
    return add(r, out, &spec);
}

static uc_err coverage(struct uc_request *r)
{
    nw_hook_spec spec = {.kind = NW_HOOK_COVERAGE};
    uc_hook *out = va_arg(r->args, uc_hook *);

    spec.map = va_arg(r->args, uint8_t *);
    spec.map_size = va_arg(r->args, uint32_t);
    return add(r, out, &spec);
}

/* ---- snapshots ---- */

static uc_err snapshot_take(struct uc_request *r)
{
    uint64_t *out = va_arg(r->args, uint64_t *);
    uc_err error = out ? uc_need(r->uc) : UC_ERR_ARG;

    return error == UC_ERR_OK ? uc_snapshot_save(r->uc, NW_SNAPSHOT_VCPUS, out) : error;
}

static uc_err snapshot_restore(struct uc_request *r)
{
    return uc_snapshot_restore(r->uc, va_arg(r->args, uint64_t));
}

static uc_err snapshot_drop(struct uc_request *r)
{
    return uc_snapshot_drop(r->uc, va_arg(r->args, uint64_t));
}

static uc_err vcpu(struct uc_request *r)
{
    uc_engine **out = va_arg(r->args, uc_engine **);

    return out ? uc_open_shared(r->uc, out) : UC_ERR_ARG;
}

const struct uc_control *uc_control_nw(uint32_t type)
{
    static const struct uc_control controls[] = {
        [UC_CTL_NW_INSN_ID - UC_CTL_NW_INSN_ID] = {insn_id, CONTROL_RW, 2},
        [UC_CTL_NW_COUNTER - UC_CTL_NW_INSN_ID] = {counter, CONTROL_W, 5},
        [UC_CTL_NW_RING - UC_CTL_NW_INSN_ID] = {ring, CONTROL_W, 5},
        [UC_CTL_NW_COVERAGE - UC_CTL_NW_INSN_ID] = {coverage, CONTROL_W, 5},
        [UC_CTL_NW_SNAPSHOT_TAKE - UC_CTL_NW_INSN_ID] = {snapshot_take, CONTROL_R, 1},
        [UC_CTL_NW_SNAPSHOT_RESTORE - UC_CTL_NW_INSN_ID] = {snapshot_restore, CONTROL_W, 1},
        [UC_CTL_NW_SNAPSHOT_DROP - UC_CTL_NW_INSN_ID] = {snapshot_drop, CONTROL_W, 1},
        [UC_CTL_NW_VCPU - UC_CTL_NW_INSN_ID] = {vcpu, CONTROL_R, 1},
    };

    if (type < UC_CTL_NW_INSN_ID || type - UC_CTL_NW_INSN_ID >= sizeof controls / sizeof *controls)
        return NULL;
    return &controls[type - UC_CTL_NW_INSN_ID];
}
