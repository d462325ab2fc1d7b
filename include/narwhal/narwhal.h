/* Narwhal: the native public interface.
 *
 * An engine owns one guest physical address space, its translated code and any number of vCPUs.
 * Nothing here prints, aborts or exits: calls return a status, a guest fault is data in an exit.
 *
 * Threads: calls on different engines are independent. On one engine, memory calls and vCPU
 * creation are serialised inside; a vCPU is run by one thread at a time; nw_vcpu_stop() and
 * nw_vcpu_set_irq() may be called from any thread, and nw_vcpu_stop() from a signal handler. */
#ifndef NARWHAL_NARWHAL_H
#define NARWHAL_NARWHAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NW_API __attribute__((visibility("default")))

typedef struct nw_engine nw_engine;
typedef struct nw_vcpu nw_vcpu;

typedef enum nw_status {
    NW_OK = 0,
    NW_ERR_NOMEM,    /* the host is out of memory or address space */
    NW_ERR_ARG,      /* an argument is null, unaligned or out of range */
    NW_ERR_RANGE,    /* an address range wraps or leaves the guest address space */
    NW_ERR_OVERLAP,  /* the range overlaps a mapping */
    NW_ERR_UNMAPPED, /* the range is not (wholly) mapped */
    NW_ERR_ARCH,     /* the architecture is not built in */
    NW_ERR_CPU,      /* the CPU model is unknown */
    NW_ERR_HOST,     /* the host lacks something that is needed (see nw_status_text) */
    NW_ERR_BUSY,     /* the vCPU is running */
    NW_ERR_FAULT,    /* a guest access failed */
    NW_ERR_INTERNAL, /* a defect of ours */
} nw_status;

/* One line of English for STATUS; never null. */
NW_API const char *nw_status_text(nw_status status);

typedef enum nw_arch {
    NW_ARCH_ARM = 1,
    NW_ARCH_X86 = 2,    /* x86 without long mode: 16- and 32-bit code */
    NW_ARCH_X86_64 = 3, /* x86 with every mode */
} nw_arch;

enum nw_perm { NW_READ = 1, NW_WRITE = 2, NW_EXEC = 4, NW_RW = 3, NW_RX = 5, NW_RWX = 7 };

/* How guest exceptions are served. */
typedef enum nw_exceptions {
    NW_EXC_EXIT,  /* nw_vcpu_run returns (user-mode running, API use) */
    NW_EXC_GUEST, /* the architecture's vectors are entered (boards) */
    NW_EXC_BARE,  /* a bare CPU: privileged, with all of its system state, but exceptions and
                   * interrupt instructions return from nw_vcpu_run and no vectors are entered */
} nw_exceptions;

enum nw_engine_flags {
    NW_ENGINE_INTERP = 1 << 0,     /* execute the IR in the interpreter, make no host code */
    NW_ENGINE_NO_CHAIN = 1 << 1,   /* never link blocks directly, no inline jump cache */
    NW_ENGINE_NO_FASTMEM = 1 << 2, /* no arena: every access through the software TLB */
};

typedef struct nw_log nw_log; /* an event sink, see narwhal/log.h */

/* Zero-initialise, then set what matters. Copied by nw_engine_open. */
typedef struct nw_config {
    nw_arch arch;
    const char *cpu;          /* model name, null for the architecture's "max" */
    uint32_t flags;           /* enum nw_engine_flags */
    nw_exceptions exceptions;
    size_t code_buffer;       /* bytes of host code; 0 for the default; at least 64 KiB */
    nw_log *log;              /* borrowed until close; may be null */
    uint32_t page_size;       /* 0 for 4096, else a power of two, at least 64: see nw_mem_map */
} nw_config;

/* The CPU models of ARCH for a message, "one, another or max"; null: it is not built in. */
NW_API const char *nw_cpu_models(nw_arch arch);

NW_API nw_status nw_engine_open(const nw_config *config, nw_engine **out);
/* Also destroys the engine's vCPUs, none of which may be running. Null is allowed. */
NW_API void nw_engine_close(nw_engine *engine);

/* ---- guest physical memory: ranges are multiples of nw_config.page_size ---- */

/* Pages of 4096 bytes in which not all is one mapping are slow: every access to them is looked up. */

/* Maps SIZE bytes of zeroed memory at GPA. */
NW_API nw_status nw_mem_map(nw_engine *, uint64_t gpa, uint64_t size, uint32_t perms);
/* Maps memory that the caller owns and keeps alive until unmapped. With fastmem this memory is
 * reached through the softmmu path. */
NW_API nw_status nw_mem_map_ptr(nw_engine *, uint64_t gpa, uint64_t size, uint32_t perms, void *host);

/* SIZE is 1, 2, 4 or 8; OFFSET counts from the region's start. Called on the vCPU's thread. */
typedef uint64_t (*nw_mmio_read_fn)(void *opaque, uint64_t offset, unsigned size);
typedef void (*nw_mmio_write_fn)(void *opaque, uint64_t offset, uint64_t value, unsigned size);
NW_API nw_status nw_mem_map_mmio(nw_engine *, uint64_t gpa, uint64_t size, nw_mmio_read_fn read,
                                 nw_mmio_write_fn write, void *opaque);
/* Connects COUNT ports of the separate I/O space (x86: IN, OUT, INS, OUTS) from FIRST on. SIZE is 1, 2
 * or 4; an access that leaves the range is made byte by byte. Ports without a range read as all ones
 * and ignore writes; in NW_EXC_EXIT engines they are #GP(0), as for a program without I/O privilege.
 * Called on the vCPU's thread. NW_ERR_RANGE: beyond port 0xffff; NW_ERR_OVERLAP. */
typedef uint32_t (*nw_io_read_fn)(void *opaque, uint16_t port, unsigned size);
typedef void (*nw_io_write_fn)(void *opaque, uint16_t port, uint32_t value, unsigned size);
NW_API nw_status nw_io_map(nw_engine *, uint16_t first, uint32_t count, nw_io_read_fn read,
                           nw_io_write_fn write, void *opaque);

/* Unmap and protect may cover several mappings and parts of mappings; all must be mapped. */
NW_API nw_status nw_mem_unmap(nw_engine *, uint64_t gpa, uint64_t size);
NW_API nw_status nw_mem_protect(nw_engine *, uint64_t gpa, uint64_t size, uint32_t perms);
/* Debugger access: ignores permissions, fails on unmapped and MMIO pages without a partial copy.
 * A write into translated code is seen by the next instruction executed there. */
NW_API nw_status nw_mem_read(nw_engine *, uint64_t gpa, void *buf, size_t size);
NW_API nw_status nw_mem_write(nw_engine *, uint64_t gpa, const void *buf, size_t size);

/* ---- vCPUs ---- */

NW_API nw_status nw_vcpu_create(nw_engine *, nw_vcpu **out);
NW_API void nw_vcpu_destroy(nw_vcpu *);

typedef enum nw_exit_reason {
    NW_EXIT_STOP = 1,   /* nw_vcpu_stop() was called */
    NW_EXIT_LIMIT,      /* the instruction limit of nw_vcpu_run was reached */
    NW_EXIT_SYSCALL,    /* supervisor call; code = its immediate; pc = the next instruction */
    NW_EXIT_UNDEFINED,  /* undefined instruction; pc = its address; code = 1 when the architecture
                         * calls the encoding UNPREDICTABLE */
    NW_EXIT_BREAKPOINT, /* breakpoint instruction; code = its immediate; pc = its address */
    NW_EXIT_FAULT,      /* memory fault, see addr (physical, of a guest with an MMU), access, fault; pc =
                         * the faulting instruction */
    NW_EXIT_HALT,       /* wait for interrupt with none pending; pc = the next instruction; code = 1:
                         * a shutdown, which only a reset ends (x86: triple fault) */
    NW_EXIT_EXCEPTION,  /* another exception of the architecture; code = its number (x86: vector), error
                         * = its error code; pc = the instruction, or the next one for traps */
    NW_EXIT_ERROR,      /* the engine failed (status says why); state is exact */
    NW_EXIT_STOP_POINT, /* pc is one of the addresses given to nw_vcpu_set_stops */
} nw_exit_reason;

typedef enum nw_access { NW_ACCESS_READ, NW_ACCESS_WRITE, NW_ACCESS_FETCH } nw_access;
/* TRANSLATE: nw_translate_page_fn has refused; then the address is a virtual one. */
typedef enum nw_fault {
    NW_FAULT_UNMAPPED = 1,
    NW_FAULT_PERM,
    NW_FAULT_ALIGN,
    NW_FAULT_BUS,
    NW_FAULT_TRANSLATE
} nw_fault;

typedef struct nw_exit {
    nw_exit_reason reason;
    nw_access access;
    nw_fault fault;
    nw_status status;
    uint64_t pc;
    uint64_t addr;
    uint32_t size;
    uint32_t code;
    uint32_t error;
    uint64_t left; /* of a limit: instructions that were left */
} nw_exit;

/* Runs until an exit, or until LIMIT instructions have completed (0: no limit); each repetition of a
 * repeated string instruction counts. On return the vCPU's state is architecturally exact. A callback
 * of a hook (narwhal/hook.h) may run its own vCPU again. */
NW_API nw_status nw_vcpu_run(nw_vcpu *, uint64_t limit, nw_exit *exit);
/* Makes the current or the next nw_vcpu_run return NW_EXIT_STOP soon. Any thread, any signal handler. */
NW_API void nw_vcpu_stop(nw_vcpu *);
/* Takes back an nw_vcpu_stop that no run has seen. Not while running. */
NW_API void nw_vcpu_cancel_stop(nw_vcpu *);

/* A pointer of the caller's, for callbacks; null at first. */
NW_API void nw_vcpu_set_user(nw_vcpu *, void *user);
NW_API void *nw_vcpu_user(const nw_vcpu *);
/* The vCPU that runs on the calling thread, as in callbacks of devices and ports, or null. */
NW_API nw_vcpu *nw_vcpu_current(void);
/* Addresses before whose instructions a run ends with NW_EXIT_STOP_POINT, wherever control comes from;
 * the run's first instruction too. N addresses, copied; 0: none. Not while running, but in callbacks.
 * Setting addresses that were set lately is cheap. */
NW_API nw_status nw_vcpu_set_stops(nw_vcpu *, const uint64_t *addresses, size_t n);
/* Raises or lowers interrupt LINE (guest-specific, see narwhal/arm.h). Any thread. */
NW_API nw_status nw_vcpu_set_irq(nw_vcpu *, unsigned line, bool level);

/* What a CPU asks its interrupt controller when it takes an interrupt: the vector, or -1 for none
 * after all. Called on the vCPU's thread between instructions, with the interrupt line high; the
 * controller lowers the line when nothing else is pending. x86 only, in NW_EXC_GUEST engines. Without
 * it the line NW_X86_INTR has no effect. Not while running. */
typedef int (*nw_int_ack_fn)(void *opaque);
NW_API nw_status nw_vcpu_set_int_ack(nw_vcpu *, nw_int_ack_fn, void *opaque);

/* Registers up to 64 bits by guest-specific number (narwhal/arm.h). Not while running. */
NW_API nw_status nw_reg_read(nw_vcpu *, unsigned reg, uint64_t *value);
NW_API nw_status nw_reg_write(nw_vcpu *, unsigned reg, uint64_t value);

/* ---- whole states ----
 *
 * All registers of a vCPU as bytes: flat, for vCPUs of engines of the same architecture and model in any
 * process with this version of the library. Bytes that no nw_state_save has made give some state,
 * never harm. Not while running, but in callbacks of hooks. */

NW_API size_t nw_state_size(const nw_vcpu *);
NW_API nw_status nw_state_save(nw_vcpu *, void *out);
NW_API nw_status nw_state_load(nw_vcpu *, const void *from);

/* ---- virtual addresses ---- */

/* Where the page of an address lies, and what may be done there (enum nw_perm). */
typedef struct nw_translation {
    uint64_t gpa; /* page-aligned */
    uint32_t perms;
} nw_translation;
/* False, or no permission for the access: it is refused, and faults as NW_FAULT_TRANSLATE. The callback
 * may do whatever those of hooks may; after a stop a load is thrown away and a store is made. GVA: of
 * the access. */
typedef bool (*nw_translate_page_fn)(void *opaque, nw_vcpu *, uint64_t gva, nw_access,
                                     nw_translation *out);
/* Addresses are what FN says, instead of the guest's MMU; null: the guest's MMU again. What FN has
 * said holds until the TLB is flushed, for every access that it has permitted. Not while running, but
 * in callbacks. */
NW_API nw_status nw_vcpu_set_translate(nw_vcpu *, nw_translate_page_fn, void *opaque);
NW_API void nw_vcpu_flush_tlb(nw_vcpu *);
/* Where GVA lies now for code as privileged as the vCPU's, whatever is mapped there. NW_ERR_FAULT: the
 * access is refused. Not while running, but in callbacks. */
NW_API nw_status nw_vcpu_translate(nw_vcpu *, uint64_t gva, nw_access, uint64_t *gpa);

/* ---- translated code ---- */

/* Forgets what was made of the code in the range; it is translated anew when it is executed. */
NW_API void nw_engine_forget_code(nw_engine *, uint64_t gpa, uint64_t size);

/* Counters since the engine was opened; a snapshot. */
typedef struct nw_stats {
    uint64_t blocks_translated, insns_translated, code_bytes, cache_flushes, invalidations;
    uint64_t chain_links, chain_unlinks, dispatches, smc_faults, tlb_misses;
} nw_stats;
NW_API void nw_engine_stats(nw_engine *, nw_stats *out);

#ifdef __cplusplus
}
#endif
#endif
