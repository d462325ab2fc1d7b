/* The Unicorn interface from within: an engine of Unicorn's is an engine of ours with one vCPU.
 *
 * Both are made by the first call that needs them, since page size and CPU model may be set before.
 * Further handles on the same memory (uc_ctl UC_CTL_NW_VCPU) share the core with the first. */
#ifndef API_UNICORN_UC_H
#define API_UNICORN_UC_H

#include <pthread.h>
#include <stdatomic.h>
#include <narwhal/hook.h>
#include <narwhal/narwhal.h>
#include <narwhal/snapshot.h>
#include <unicorn/unicorn.h>
#include "base/status.h"
#include "mem/region.h"

#define UC_DEPTH_MAX 64 /* runs within runs */

#define UC_PAGE_SIZE_MIN 64

/* Bytes of translated code. */
#define UC_BUFFER_DEFAULT (64u << 20)
#define UC_BUFFER_MIN     (64u << 10)
#define UC_BUFFER_MAX     (1u << 30)

/* A hook: of one or several types. */
struct uc_hook_entry {
    uc_engine *uc;
    bool used;
    bool alone;                  /* connected as long as there is one vCPU */
    uint32_t number, generation; /* the handle */
    int type;                    /* bits of uc_hook_type */
    void *callback, *user;
    uint64_t begin, end;
    int insn;                          /* UC_HOOK_INSN */
    int op_flags;                      /* UC_HOOK_TCG_OPCODE */
    nw_hook *native[18];               /* by bit of the type */
    struct uc_hook_entry *next, *prev; /* in the order of adding; NEXT stays when it is removed */
    struct uc_hook_entry *free;
};

struct uc_mmio {
    uc_engine *uc;
    uc_cb_mmio_read_t read;
    uc_cb_mmio_write_t write;
    void *read_user, *write_user;
    struct uc_mmio *next;
};

/* What the handles on one memory share. */
struct uc_core {
    unsigned handles;
    uc_engine *first_handle;
    nw_engine *engine;             /* null: not needed yet */
    struct region_tree regions;    /* as the caller mapped and cut them */
    uint64_t map_version;          /* which map REGIONS is: two of the same number are equal */
    uint64_t map_versions;         /* so many there were */
    struct uc_snapshot *snapshots; /* the newest first */
    uint64_t levels;               /* of snapshots, so far */
    struct uc_mmio *mmio;
    struct uc_hook_entry **hooks; /* by number */
    uint32_t nhooks, hooks_cap;
    struct uc_hook_entry *first, *last;
    struct uc_hook_entry *free; /* not used again while a callback may stand on them */
    bool ports;                 /* the port callbacks are connected */
};

struct uc_struct {
    struct uc_core *core;
    uc_engine *next_handle; /* on the same core */
    nw_vcpu *vcpu;
    uc_arch arch;
    uc_mode mode;
    int cpu_model;
    uint32_t page_size;
    uint32_t buffer_size; /* of translated code */
    uc_err error;         /* how the last run ended */
    uint64_t timeout;     /* of the last run */
    bool timed_out;
    _Atomic unsigned depth; /* runs under way */
    uint64_t until;         /* of the innermost */
    _Atomic bool stop;      /* asked of the innermost run */
    uint64_t *exits;
    size_t nexits;
    bool use_exits;
    bool stops_until; /* the vCPU stops at … */
    uint64_t stop_at; /* … and nowhere else */
    bool fills;       /* UC_TLB_VIRTUAL */
    int context_mode; /* bits of uc_context_content */
};

/* Makes sure that engine and vCPU are there. */
uc_err uc_make(uc_engine *);
static inline uc_err uc_need(uc_engine *uc)
{
    return NW_LIKELY(uc->vcpu != NULL) ? UC_ERR_OK : uc_make(uc);
}
uc_err uc_from_status(nw_status);
/* A further handle, with a vCPU of its own. */
uc_err uc_open_shared(uc_engine *, uc_engine **out);

/* ---- by guest: guest_x86.c, guest_arm.c ---- */
struct uc_guest {
    uc_arch arch;
    uint32_t modes;                    /* bits that uc_open takes */
    uint32_t one_of;                   /* of these exactly one; 0: nothing is asked for */
    int (*model)(uc_mode, int wanted); /* which model WANTED is, -1: none; of -1: the first */
    int models;
    uint32_t page_size;
    nw_arch (*native)(uc_mode);
    const char *(*cpu_name)(int model);
    /* Sets a new vCPU up as the mode asks. */
    nw_status (*setup)(uc_engine *);
    uc_err (*reg_read)(nw_vcpu *, uc_mode, int id, void *value, size_t *size);
    uc_err (*reg_write)(nw_vcpu *, uc_mode, int id, const void *value, size_t *size);
    /* Execution goes to ADDRESS, as uc_emu_start means it. */
    void (*set_pc)(uc_engine *, uint64_t address);
    /* What set_pc takes to go on where the vCPU is. */
    uint64_t (*pc)(uc_engine *);
    /* ADDRESS as an instruction's address: without what else it says. */
    uint64_t (*address)(uint64_t address);
    /* … as the one at which a run ends. */
    uint64_t (*until)(uint64_t address);
    /* Number and handling of an exit that is no fault: true when the run goes on. */
    bool (*serve)(uc_engine *, const nw_exit *);
    uc_mode (*mode_now)(uc_engine *);
};
extern const struct uc_guest uc_guest_x86, uc_guest_arm;
/* Null: the architecture is not built in. */
static inline const struct uc_guest *uc_guest_of(uc_arch arch)
{
    switch (arch) {
    case UC_ARCH_X86: return &uc_guest_x86;
    case UC_ARCH_ARM: return &uc_guest_arm;
    default: return NULL;
    }
}

/* ---- memory ---- */
void uc_memory_free(struct uc_core *);
void uc_memory_inherit(struct uc_core *, const uc_engine *gone, uc_engine *heir);

/* ---- hooks ---- */
void uc_hooks_free(struct uc_core *);
/* The next hook of one of TYPES at or behind H, or null. */
struct uc_hook_entry *uc_hook_next(struct uc_hook_entry *h, int types);
/* Is ADDRESS in the hook's range? */
bool uc_hook_covers(const struct uc_hook_entry *, uint64_t address);
/* A native hook that has no callback, removed by uc_hook_del. */
uc_err uc_hook_add_native(uc_engine *, const nw_hook_spec *, uc_hook *out);
/* There is more than one vCPU from now on. */
uc_err uc_hooks_share(struct uc_core *);
/* GONE is closed; HEIR stands for what it has added. */
void uc_hooks_inherit(struct uc_core *, const uc_engine *gone, uc_engine *heir);
/* Calls the INTR hooks; false: there is none. */
bool uc_call_intr(uc_engine *, uint32_t intno);
/* Calls the INSN_INVALID hooks; true: one of them says to go on. */
bool uc_call_invalid(uc_engine *);
/* Connects the port callbacks of x86 to the IN and OUT hooks. */
uc_err uc_ports_connect(uc_engine *);

/* ---- virtual addresses, snapshots ---- */
uc_err uc_tlb_set(uc_engine *, uc_tlb_type);
/* Memory has been mapped, unmapped or protected: the hooks of TLB_FILL are asked again. */
void uc_tlb_map_changed(uc_engine *);
/* Keeps memory as it is now, and what FLAGS (enum nw_snapshot_flag) say; *LEVEL, never 0, names it
 * for this engine. */
uc_err uc_snapshot_save(uc_engine *, uint32_t flags, uint64_t *level);
/* UC_ERR_ARG: there is no such level, or it has been given up for an older one. */
uc_err uc_snapshot_restore(uc_engine *, uint64_t level);
uc_err uc_snapshot_drop(uc_engine *, uint64_t level);
/* The engine is closed, or is about to be. */
void uc_snapshots_free(struct uc_core *);

#endif
