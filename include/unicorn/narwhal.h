/* What Narwhal has beyond Unicorn, through further numbers of uc_ctl. With another library all of
 * this is UC_ERR_ARG; `dlsym(…, "nw_uc_version")` tells before. The native interface,
 * narwhal/narwhal.h and narwhal/hook.h, says more about each. */
#ifndef UNICORN_NARWHAL_H
#define UNICORN_NARWHAL_H

#include "unicorn.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum uc_nw_control_type {
    UC_CTL_NW_INSN_ID = 64,     /* read and write (const char *, int *) */
    UC_CTL_NW_COUNTER,          /* write (uc_hook *, uint64_t *, int, uint64_t, uint64_t) */
    UC_CTL_NW_RING,             /* write (uc_hook *, uc_nw_ring *, int, uint64_t, uint64_t) */
    UC_CTL_NW_COVERAGE,         /* write (uc_hook *, uint8_t *, uint32_t, uint64_t, uint64_t) */
    UC_CTL_NW_SNAPSHOT_TAKE,    /* read (uint64_t *) */
    UC_CTL_NW_SNAPSHOT_RESTORE, /* write (uint64_t) */
    UC_CTL_NW_SNAPSHOT_DROP,    /* write (uint64_t) */
    UC_CTL_NW_VCPU,             /* read (uc_engine **) */
} uc_nw_control_type;

/* The latest events; memory and structure are the caller's and last until the hook is removed. */
typedef struct uc_nw_ring {
    uint64_t *entries; /* addresses */
    uint64_t size;     /* so many there are; a power of two */
    uint64_t position; /* so many were written; the next goes to position % size */
} uc_nw_ring;

/* What uc_hook_add takes for UC_HOOK_INSN, by mnemonic in lower case ("cpuid", "svc"): *INSN.
 * UC_ERR_HOOK: the architecture has none of that name. Callbacks are uc_cb_insn_cpuid_t: not 0 says
 * that the instruction has been done. */
#define uc_ctl_nw_insn_id(uc, name, insn)                                                          \
    uc_ctl((uc), UC_CTL_READ_WRITE(UC_CTL_NW_INSN_ID, 2), (const char *)(name), (int *)(insn))

/* Hooks without a callback; uc_hook_del removes them. BEGIN > END: everywhere. BLOCKS: not 0, for
 * each basic block, else for each instruction. *COUNTER grows by 1. */
#define uc_ctl_nw_counter(uc, hh, counter, blocks, begin, end)                                     \
    uc_ctl((uc), UC_CTL_WRITE(UC_CTL_NW_COUNTER, 5), (uc_hook *)(hh), (uint64_t *)(counter),       \
           (int)(blocks), (uint64_t)(begin), (uint64_t)(end))
/* The address goes into *RING. */
#define uc_ctl_nw_ring(uc, hh, ring, blocks, begin, end)                                           \
    uc_ctl((uc), UC_CTL_WRITE(UC_CTL_NW_RING, 5), (uc_hook *)(hh), (uc_nw_ring *)(ring),           \
           (int)(blocks), (uint64_t)(begin), (uint64_t)(end))
/* A byte of MAP, chosen by a block and the one before it, grows by 1. SIZE is a power of two. */
#define uc_ctl_nw_coverage(uc, hh, map, size, begin, end)                                          \
    uc_ctl((uc), UC_CTL_WRITE(UC_CTL_NW_COVERAGE, 5), (uc_hook *)(hh), (uint8_t *)(map),           \
           (uint32_t)(size), (uint64_t)(begin), (uint64_t)(end))

/* Memory, its map and the registers of all vCPUs, under the number *ID. Pages are copied when they
 * are written. UC_ERR_RESOURCE: a vCPU is running. */
#define uc_ctl_nw_snapshot_take(uc, id)                                                            \
    uc_ctl((uc), UC_CTL_READ(UC_CTL_NW_SNAPSHOT_TAKE, 1), (uint64_t *)(id))
/* As often as wanted; later snapshots are given up then. UC_ERR_ARG: there is no such one (any
 * more). */
#define uc_ctl_nw_snapshot_restore(uc, id)                                                         \
    uc_ctl((uc), UC_CTL_WRITE(UC_CTL_NW_SNAPSHOT_RESTORE, 1), (uint64_t)(id))
#define uc_ctl_nw_snapshot_drop(uc, id)                                                            \
    uc_ctl((uc), UC_CTL_WRITE(UC_CTL_NW_SNAPSHOT_DROP, 1), (uint64_t)(id))

/* Another vCPU on the same memory, with registers as uc_open gives them: a handle of its own, to be
 * closed by uc_close; what is shared lasts until the last one is closed. Hooks serve all of them
 * and get the handle whose vCPU it is. Each handle may run on a thread of its own; mapping, hooks
 * and snapshots by one handle need the others to stand still. UC_ERR_RESOURCE: this one is running.
 */
#define uc_ctl_nw_vcpu(uc, other)                                                                  \
    uc_ctl((uc), UC_CTL_READ(UC_CTL_NW_VCPU, 1), (uc_engine **)(other))

#ifdef __cplusplus
}
#endif
#endif
