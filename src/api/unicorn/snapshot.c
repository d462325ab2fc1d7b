/* Memory contexts: levels of snapshots, each a native one and the map as the caller made it. */
#include <stdlib.h>
#include "uc.h"

struct uc_snapshot {
    struct uc_snapshot *older;
    uint64_t level;
    nw_snapshot *native;
    uint64_t map_version; /* the core's then */
    uint32_t n;
    struct mem_region at[];
};

static void add_region(struct mem_region *r, void *opaque)
{
    struct uc_snapshot *s = opaque;

    s->at[s->n++] = *r;
}

uc_err uc_snapshot_save(uc_engine *uc, uint32_t flags, uint64_t *level)
{
    struct uc_core *core = uc->core;
    struct uc_snapshot *s = malloc(sizeof *s + core->regions.count * sizeof s->at[0]);
    nw_status status;

    if (!s)
        return UC_ERR_NOMEM;
    status = nw_snapshot_take(core->engine, flags, &s->native);
    if (status != NW_OK) {
        free(s);
        return uc_from_status(status);
    }
    s->n = 0;
    region_each(core->regions.root, add_region, s);
    s->map_version = core->map_version;
    s->level = *level = ++core->levels;
    s->older = core->snapshots;
    core->snapshots = s;
    return UC_ERR_OK;
}

/* The regions that S has, in a tree of their own. */
static bool build(const struct uc_snapshot *s, struct region_tree *out)
{
    for (uint32_t n = 0; n < s->n; n++) {
        struct mem_region *r = malloc(sizeof *r);

        if (!r) {
            region_free_all(out->root);
            return false;
        }
        *r = s->at[n];
        region_insert(out, r);
    }
    return true;
}

static void free_newer(struct uc_core *core, const struct uc_snapshot *than)
{
    while (core->snapshots != than) {
        struct uc_snapshot *gone = core->snapshots;

        core->snapshots = gone->older;
        nw_snapshot_drop(gone->native);
        free(gone);
    }
}

uc_err uc_snapshot_restore(uc_engine *uc, uint64_t level)
{
    struct uc_core *core = uc->core;
    struct region_tree regions = {.seed = core->regions.seed};
    struct uc_snapshot *s = core->snapshots;
    nw_status status;

    while (s && s->level != level)
        s = s->older;
    if (!s)
        return UC_ERR_ARG;
    if (s->map_version != core->map_version && !build(s, &regions))
        return UC_ERR_NOMEM;
    status = nw_snapshot_restore(s->native);
    if (status != NW_OK) {
        region_free_all(regions.root);
        return uc_from_status(status);
    }
    if (s->map_version != core->map_version) {
        region_free_all(core->regions.root);
        core->regions = regions;
        core->map_version = s->map_version;
    }
    free_newer(core, s);
    return UC_ERR_OK;
}

uc_err uc_snapshot_drop(uc_engine *uc, uint64_t level)
{
    struct uc_snapshot **at = &uc->core->snapshots, *gone;

    while (*at && (*at)->level != level)
        at = &(*at)->older;
    gone = *at;
    if (!gone)
        return UC_ERR_ARG;
    *at = gone->older;
    nw_snapshot_drop(gone->native);
    free(gone);
    return UC_ERR_OK;
}

void uc_snapshots_free(struct uc_core *core)
{
    while (core->snapshots) {
        struct uc_snapshot *gone = core->snapshots;

        core->snapshots = gone->older;
        free(gone);
    }
}
