/* Narwhal: going back to what memory was, and the vCPUs too.
 *
 * Snapshots of an engine form a chain in the order in which they were taken. Taking one costs time
 * by the number of mappings; a page is copied when it is first written afterwards; restoring costs
 * time by the number of pages that were written, and of mappings if the map has changed.
 *
 * A snapshot keeps all mappings with their permissions and, but for devices, their contents. Memory
 * of the caller's (nw_mem_map_ptr) is written back in place: it must stay alive until it is
 * unmapped and every snapshot that was taken while it was mapped is dropped. What reaches shared
 * memory from outside the engine is not noticed.
 *
 * The first snapshot takes fast memory (the arena) out of use, for good. Threads: any; callbacks of
 * hooks may call all of this too. */
#ifndef NARWHAL_SNAPSHOT_H
#define NARWHAL_SNAPSHOT_H

#include <narwhal/narwhal.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nw_snapshot nw_snapshot;

typedef enum nw_snapshot_flag {
    NW_SNAPSHOT_VCPUS = 1, /* and the registers of all vCPUs, as nw_state_save */
} nw_snapshot_flag;

/* FLAGS: of enum nw_snapshot_flag. *OUT belongs to the engine until it is dropped. NW_ERR_BUSY: a
 * vCPU whose registers are wanted is running. */
NW_API nw_status nw_snapshot_take(nw_engine *, uint32_t flags, nw_snapshot **out);
/* Any number of times. Snapshots that were taken later are given up: restoring one of them is
 * NW_ERR_ARG. vCPUs that were made later keep their registers. With an error nothing has changed.
 */
NW_API nw_status nw_snapshot_restore(nw_snapshot *);
/* Memory stays as it is; other snapshots remain. Null is allowed. nw_engine_close drops all that
 * are left. */
NW_API void nw_snapshot_drop(nw_snapshot *);

#ifdef __cplusplus
}
#endif
#endif
