/* Levels of snapshots of a space, the newest first. The newest keeps, in the order in which they
 * were first written, copies of pages as they were before; played backwards, from the newest level
 * on, the copies make any level's memory again, however mappings share it. Memory that is unmapped
 * while a level's map has it stays with the newest level. */
#ifndef MEM_SNAPSHOT_H
#define MEM_SNAPSHOT_H

#include "mem/core.h"

struct snap_level;

/* The calls below want the engine's lock held and the vCPUs paused. */

/* *OWNER becomes the new level, and null when that is given up. The caller drops all write tags. */
nw_status space_snap_take(struct mem_space *, struct snap_level **owner);
/* FORGET is called with ranges whose code will have changed. The caller flushes all TLBs. */
nw_status space_snap_restore(struct mem_space *, struct snap_level *,
                             void (*forget)(void *opaque, uint64_t gpa, uint64_t size));
void space_snap_drop(struct mem_space *, struct snap_level *);
void space_snap_free(struct mem_space *);

/* ---- space->lock and code_lock held ---- */

bool snap_copy_page(struct mem_space *, const struct mem_region *, uint64_t page);
bool snap_has_page(const struct mem_space *, const struct mem_region *, uint64_t page);

/* Must the page at PAGE, in that region, be kept before it is written? */
static inline bool snap_wants(const struct mem_space *space, const struct mem_region *r,
                              uint64_t page)
{
    return NW_UNLIKELY(space->snaps != NULL) && !snap_has_page(space, r, page);
}

/* To be called before a page is written. False: no memory for its copy, it must not be written. */
static inline bool snap_keep(struct mem_space *space, const struct mem_region *r, uint64_t page)
{
    return !snap_wants(space, r, page) || snap_copy_page(space, r, page);
}

/* R is no longer mapped: true when a level has taken its memory and R itself. Lock held for
 * writing. */
bool snap_hold(struct mem_space *, struct mem_region *r);

/* Keeps all pages of a mapped range before the host writes there. No lock held. */
void space_snap_range(struct mem_space *, uint64_t gpa, uint64_t size);

#endif
