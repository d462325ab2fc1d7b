/* The Unicorn interface, as Narwhal offers it.
 *
 * Names, values and layouts are those of Unicorn 2.1.4, so that programs need no change and no new
 * compilation. What the calls do here is said in doc/unicorn.md; the native interface is
 * narwhal/narwhal.h.
 *
 * Threads: engines are independent of each other. One engine is used by one thread at a time, but
 * for uc_emu_stop, which any thread may call. */
#ifndef UNICORN_ENGINE_H
#define UNICORN_ENGINE_H

#include "platform.h"

#ifdef __cplusplus
extern "C" {
#endif

struct uc_struct;
typedef struct uc_struct uc_engine;
struct uc_context;
typedef struct uc_context uc_context;
typedef size_t uc_hook;

#include "arm.h"
#include "arm64.h"
#include "m68k.h"
#include "mips.h"
#include "ppc.h"
#include "riscv.h"
#include "s390x.h"
#include "sparc.h"
#include "tricore.h"
#include "x86.h"

#define DEFAULT_VISIBILITY __attribute__((visibility("default")))
#define UNICORN_EXPORT     __attribute__((visibility("default")))
#define UNICORN_DEPRECATED __attribute__((deprecated))

#define UC_API_MAJOR 2
#define UC_API_MINOR 1
#define UC_API_PATCH 4
#define UC_API_EXTRA 255 /* a release */

#define UC_VERSION_MAJOR UC_API_MAJOR
#define UC_VERSION_MINOR UC_API_MINOR
#define UC_VERSION_PATCH UC_API_PATCH
#define UC_VERSION_EXTRA UC_API_EXTRA

/* To be compared with uc_version(). */
#define UC_MAKE_VERSION(major, minor) (((major) << 24) + ((minor) << 16))

/* Of the timeout of uc_emu_start, which is in microseconds. */
#define UC_SECOND_SCALE    1000000
#define UC_MILISECOND_SCALE 1000

typedef enum uc_arch {
    UC_ARCH_ARM = 1, UC_ARCH_ARM64, UC_ARCH_MIPS, UC_ARCH_X86, UC_ARCH_PPC, UC_ARCH_SPARC,
    UC_ARCH_M68K, UC_ARCH_RISCV, UC_ARCH_S390X, UC_ARCH_TRICORE, UC_ARCH_MAX,
} uc_arch;

/* Bits; those of different architectures share values. */
typedef enum uc_mode {
    UC_MODE_LITTLE_ENDIAN = 0,
    UC_MODE_BIG_ENDIAN = 1 << 30,
    /* ARM */
    UC_MODE_ARM = 0,
    UC_MODE_THUMB = 1 << 4,
    UC_MODE_MCLASS = 1 << 5,
    UC_MODE_V8 = 1 << 6,
    UC_MODE_ARM926 = 1 << 7,
    UC_MODE_ARM946 = 1 << 8,
    UC_MODE_ARM1176 = 1 << 9,
    UC_MODE_ARMBE8 = 1 << 10, /* data are big-endian, code is not */
    /* MIPS */
    UC_MODE_MICRO = 1 << 4,
    UC_MODE_MIPS3 = 1 << 5,
    UC_MODE_MIPS32R6 = 1 << 6,
    UC_MODE_MIPS32 = 1 << 2,
    UC_MODE_MIPS64 = 1 << 3,
    /* x86 */
    UC_MODE_16 = 1 << 1,
    UC_MODE_32 = 1 << 2,
    UC_MODE_64 = 1 << 3,
    /* PowerPC */
    UC_MODE_PPC32 = 1 << 2,
    UC_MODE_PPC64 = 1 << 3,
    UC_MODE_QPX = 1 << 4,
    /* SPARC */
    UC_MODE_SPARC32 = 1 << 2,
    UC_MODE_SPARC64 = 1 << 3,
    UC_MODE_V9 = 1 << 4,
    /* RISC-V */
    UC_MODE_RISCV32 = 1 << 2,
    UC_MODE_RISCV64 = 1 << 3,
} uc_mode;

typedef enum uc_err {
    UC_ERR_OK = 0,
    UC_ERR_NOMEM,
    UC_ERR_ARCH,            /* the architecture is not there */
    UC_ERR_HANDLE,          /* a null engine or context */
    UC_ERR_MODE,            /* a mode that the architecture does not have */
    UC_ERR_VERSION,         /* for bindings */
    UC_ERR_READ_UNMAPPED,   /* how a run ended: at unmapped memory */
    UC_ERR_WRITE_UNMAPPED,
    UC_ERR_FETCH_UNMAPPED,
    UC_ERR_HOOK,            /* a hook type that does not exist or cannot be */
    UC_ERR_INSN_INVALID,    /* how a run ended: at no instruction */
    UC_ERR_MAP,             /* a hook said that memory was there, and it was not */
    UC_ERR_WRITE_PROT,      /* how a run ended: without the permission */
    UC_ERR_READ_PROT,
    UC_ERR_FETCH_PROT,
    UC_ERR_ARG,
    UC_ERR_READ_UNALIGNED,
    UC_ERR_WRITE_UNALIGNED,
    UC_ERR_FETCH_UNALIGNED,
    UC_ERR_HOOK_EXIST,
    UC_ERR_RESOURCE,        /* runs within runs, too deep */
    UC_ERR_EXCEPTION,       /* how a run ended: an exception that nobody has hooked */
    UC_ERR_OVERFLOW,        /* a value's buffer is too small */
} uc_err;

typedef enum uc_prot {
    UC_PROT_NONE = 0, UC_PROT_READ = 1, UC_PROT_WRITE = 2, UC_PROT_EXEC = 4, UC_PROT_ALL = 7,
} uc_prot;

typedef enum uc_mem_type {
    UC_MEM_READ = 16, UC_MEM_WRITE, UC_MEM_FETCH, UC_MEM_READ_UNMAPPED, UC_MEM_WRITE_UNMAPPED,
    UC_MEM_FETCH_UNMAPPED, UC_MEM_WRITE_PROT, UC_MEM_READ_PROT, UC_MEM_FETCH_PROT,
    UC_MEM_READ_AFTER,
} uc_mem_type;

typedef enum uc_hook_type {
    UC_HOOK_INTR = 1 << 0,
    UC_HOOK_INSN = 1 << 1,
    UC_HOOK_CODE = 1 << 2,
    UC_HOOK_BLOCK = 1 << 3,
    UC_HOOK_MEM_READ_UNMAPPED = 1 << 4,
    UC_HOOK_MEM_WRITE_UNMAPPED = 1 << 5,
    UC_HOOK_MEM_FETCH_UNMAPPED = 1 << 6,
    UC_HOOK_MEM_READ_PROT = 1 << 7,
    UC_HOOK_MEM_WRITE_PROT = 1 << 8,
    UC_HOOK_MEM_FETCH_PROT = 1 << 9,
    UC_HOOK_MEM_READ = 1 << 10,
    UC_HOOK_MEM_WRITE = 1 << 11,
    UC_HOOK_MEM_FETCH = 1 << 12,
    UC_HOOK_MEM_READ_AFTER = 1 << 13,
    UC_HOOK_INSN_INVALID = 1 << 14,
    UC_HOOK_EDGE_GENERATED = 1 << 15,
    UC_HOOK_TCG_OPCODE = 1 << 16,
    UC_HOOK_TLB_FILL = 1 << 17,
} uc_hook_type;

#define UC_HOOK_MEM_UNMAPPED                                                                       \
    (UC_HOOK_MEM_READ_UNMAPPED + UC_HOOK_MEM_WRITE_UNMAPPED + UC_HOOK_MEM_FETCH_UNMAPPED)
#define UC_HOOK_MEM_PROT                                                                           \
    (UC_HOOK_MEM_READ_PROT + UC_HOOK_MEM_WRITE_PROT + UC_HOOK_MEM_FETCH_PROT)
#define UC_HOOK_MEM_READ_INVALID  (UC_HOOK_MEM_READ_PROT + UC_HOOK_MEM_READ_UNMAPPED)
#define UC_HOOK_MEM_WRITE_INVALID (UC_HOOK_MEM_WRITE_PROT + UC_HOOK_MEM_WRITE_UNMAPPED)
#define UC_HOOK_MEM_FETCH_INVALID (UC_HOOK_MEM_FETCH_PROT + UC_HOOK_MEM_FETCH_UNMAPPED)
#define UC_HOOK_MEM_INVALID       (UC_HOOK_MEM_UNMAPPED + UC_HOOK_MEM_PROT)
#define UC_HOOK_MEM_VALID         (UC_HOOK_MEM_READ + UC_HOOK_MEM_WRITE + UC_HOOK_MEM_FETCH)

/* The first argument after the range of a UC_HOOK_TCG_OPCODE, and the flags of the second. */
typedef enum uc_tcg_op_code {
    UC_TCG_OP_SUB = 0, /* subtractions and comparisons */
} uc_tcg_op_code;
typedef enum uc_tcg_op_flag {
    UC_TCG_OP_FLAG_CMP = 1 << 0,    /* only those that set flags */
    UC_TCG_OP_FLAG_DIRECT = 1 << 1, /* only those whose instruction says so */
} uc_tcg_op_flag;

struct uc_tlb_entry {
    uint64_t paddr;
    uc_prot perms;
};
typedef struct uc_tlb_entry uc_tlb_entry;

/* A translated block. */
typedef struct uc_tb {
    uint64_t pc;
    uint16_t icount; /* instructions */
    uint16_t size;   /* bytes */
} uc_tb;

/* Both addresses are included. */
typedef struct uc_mem_region {
    uint64_t begin;
    uint64_t end;
    uint32_t perms;
} uc_mem_region;

/* ---- callbacks, by hook type ---- */

/* CODE, BLOCK: SIZE is that of the instruction or block. */
typedef void (*uc_cb_hookcode_t)(uc_engine *uc, uint64_t address, uint32_t size, void *user_data);
/* INTR */
typedef void (*uc_cb_hookintr_t)(uc_engine *uc, uint32_t intno, void *user_data);
/* INSN_INVALID; true: go on */
typedef bool (*uc_cb_hookinsn_invalid_t)(uc_engine *uc, void *user_data);
/* INSN: IN gives the value, of SIZE (1, 2, 4) bytes */
typedef uint32_t (*uc_cb_insn_in_t)(uc_engine *uc, uint32_t port, int size, void *user_data);
typedef void (*uc_cb_insn_out_t)(uc_engine *uc, uint32_t port, int size, uint32_t value,
                                 void *user_data);
/* TLB_FILL; true: *RESULT is filled in */
typedef bool (*uc_cb_tlbevent_t)(uc_engine *uc, uint64_t vaddr, uc_mem_type type,
                                 uc_tlb_entry *result, void *user_data);
/* EDGE_GENERATED */
typedef void (*uc_hook_edge_gen_t)(uc_engine *uc, uc_tb *cur_tb, uc_tb *prev_tb, void *user_data);
/* TCG_OPCODE */
typedef void (*uc_hook_tcg_op_2)(uc_engine *uc, uint64_t address, uint64_t arg1, uint64_t arg2,
                                 uint32_t size, void *user_data);
typedef uc_hook_tcg_op_2 uc_hook_tcg_sub_t;
/* MEM_READ, WRITE, FETCH, READ_AFTER */
typedef void (*uc_cb_hookmem_t)(uc_engine *uc, uc_mem_type type, uint64_t address, int size,
                                int64_t value, void *user_data);
/* MEM_*_UNMAPPED, MEM_*_PROT; true: the memory is there now, try again */
typedef bool (*uc_cb_eventmem_t)(uc_engine *uc, uc_mem_type type, uint64_t address, int size,
                                 int64_t value, void *user_data);
/* of uc_mmio_map; OFFSET counts from the start of what was mapped */
typedef uint64_t (*uc_cb_mmio_read_t)(uc_engine *uc, uint64_t offset, unsigned size,
                                      void *user_data);
typedef void (*uc_cb_mmio_write_t)(uc_engine *uc, uint64_t offset, unsigned size, uint64_t value,
                                   void *user_data);

typedef enum uc_query_type {
    UC_QUERY_MODE = 1, /* as it is now: THUMB on ARM */
    UC_QUERY_PAGE_SIZE,
    UC_QUERY_ARCH,
    UC_QUERY_TIMEOUT, /* 1: the last run ended by its timeout */
} uc_query_type;

/* ---- uc_ctl ----
 *
 * The control word: what in bits 0..15, the number of arguments in 26..29, the direction in 30..31. */

#define UC_CTL_IO_NONE       (0)
#define UC_CTL_IO_WRITE      (1)
#define UC_CTL_IO_READ       (2)
#define UC_CTL_IO_READ_WRITE (UC_CTL_IO_WRITE | UC_CTL_IO_READ)

#define UC_CTL(type, nr, rw)                                                                         \
    (uc_control_type)((uint32_t)(type) | (uint32_t)(nr) << 26 | (uint32_t)(rw) << 30)
#define UC_CTL_NONE(type, nr)       UC_CTL(type, nr, UC_CTL_IO_NONE)
#define UC_CTL_READ(type, nr)       UC_CTL(type, nr, UC_CTL_IO_READ)
#define UC_CTL_WRITE(type, nr)      UC_CTL(type, nr, UC_CTL_IO_WRITE)
#define UC_CTL_READ_WRITE(type, nr) UC_CTL(type, nr, UC_CTL_IO_READ_WRITE)

typedef enum uc_tlb_type {
    UC_TLB_CPU = 0, /* the guest's own MMU */
    UC_TLB_VIRTUAL, /* addresses are what UC_HOOK_TLB_FILL says, else physical */
} uc_tlb_type;

typedef enum uc_control_type {
    UC_CTL_UC_MODE = 0,      /* read (int *) */
    UC_CTL_UC_PAGE_SIZE,     /* write (uint32_t), read (uint32_t *) */
    UC_CTL_UC_ARCH,          /* read (int *) */
    UC_CTL_UC_TIMEOUT,       /* read (uint64_t *) */
    UC_CTL_UC_USE_EXITS,     /* write (int) */
    UC_CTL_UC_EXITS_CNT,     /* read (size_t *) */
    UC_CTL_UC_EXITS,         /* write, read (uint64_t *, size_t) */
    UC_CTL_CPU_MODEL,        /* write (int), read (int *) */
    UC_CTL_TB_REQUEST_CACHE, /* read and write (uint64_t, uc_tb *) */
    UC_CTL_TB_REMOVE_CACHE,  /* write (uint64_t, uint64_t) */
    UC_CTL_TB_FLUSH,         /* write () */
    UC_CTL_TLB_FLUSH,        /* write () */
    UC_CTL_TLB_TYPE,         /* write (int) */
    UC_CTL_TCG_BUFFER_SIZE,  /* write (uint32_t), read (uint32_t *) */
    UC_CTL_CONTEXT_MODE,     /* write (int): bits of uc_context_content */
} uc_control_type;

/* What contexts hold. */
typedef enum uc_context_content {
    UC_CTL_CONTEXT_CPU = 1,
    UC_CTL_CONTEXT_MEMORY = 2,
} uc_context_content;

#define uc_ctl_get_mode(uc, mode)          uc_ctl(uc, UC_CTL_READ(UC_CTL_UC_MODE, 1), (mode))
#define uc_ctl_get_page_size(uc, ptr)      uc_ctl(uc, UC_CTL_READ(UC_CTL_UC_PAGE_SIZE, 1), (ptr))
#define uc_ctl_set_page_size(uc, size)     uc_ctl(uc, UC_CTL_WRITE(UC_CTL_UC_PAGE_SIZE, 1), (size))
#define uc_ctl_get_arch(uc, arch)          uc_ctl(uc, UC_CTL_READ(UC_CTL_UC_ARCH, 1), (arch))
#define uc_ctl_get_timeout(uc, ptr)        uc_ctl(uc, UC_CTL_READ(UC_CTL_UC_TIMEOUT, 1), (ptr))
/* From then on runs end at the exits, UNTIL means nothing. */
#define uc_ctl_exits_enable(uc)            uc_ctl(uc, UC_CTL_WRITE(UC_CTL_UC_USE_EXITS, 1), 1)
/* Also forgets the exits. */
#define uc_ctl_exits_disable(uc)           uc_ctl(uc, UC_CTL_WRITE(UC_CTL_UC_USE_EXITS, 1), 0)
#define uc_ctl_get_exits_cnt(uc, ptr)      uc_ctl(uc, UC_CTL_READ(UC_CTL_UC_EXITS_CNT, 1), (ptr))
#define uc_ctl_get_exits(uc, buffer, len)                                                          \
    uc_ctl(uc, UC_CTL_READ(UC_CTL_UC_EXITS, 2), (buffer), (len))
#define uc_ctl_set_exits(uc, buffer, len)                                                          \
    uc_ctl(uc, UC_CTL_WRITE(UC_CTL_UC_EXITS, 2), (buffer), (len))
#define uc_ctl_get_cpu_model(uc, model)    uc_ctl(uc, UC_CTL_READ(UC_CTL_CPU_MODEL, 1), (model))
#define uc_ctl_set_cpu_model(uc, model)    uc_ctl(uc, UC_CTL_WRITE(UC_CTL_CPU_MODEL, 1), (model))
#define uc_ctl_remove_cache(uc, address, end)                                                      \
    uc_ctl(uc, UC_CTL_WRITE(UC_CTL_TB_REMOVE_CACHE, 2), (address), (end))
#define uc_ctl_request_cache(uc, address, tb)                                                      \
    uc_ctl(uc, UC_CTL_READ_WRITE(UC_CTL_TB_REQUEST_CACHE, 2), (address), (tb))
#define uc_ctl_flush_tb(uc)                uc_ctl(uc, UC_CTL_WRITE(UC_CTL_TB_FLUSH, 0))
#define uc_ctl_flush_tlb(uc)               uc_ctl(uc, UC_CTL_WRITE(UC_CTL_TLB_FLUSH, 0))
#define uc_ctl_tlb_mode(uc, mode)          uc_ctl(uc, UC_CTL_WRITE(UC_CTL_TLB_TYPE, 1), (mode))
#define uc_ctl_get_tcg_buffer_size(uc, size)                                                       \
    uc_ctl(uc, UC_CTL_READ(UC_CTL_TCG_BUFFER_SIZE, 1), (size))
#define uc_ctl_set_tcg_buffer_size(uc, size)                                                       \
    uc_ctl(uc, UC_CTL_WRITE(UC_CTL_TCG_BUFFER_SIZE, 1), (size))
#define uc_ctl_context_mode(uc, mode)      uc_ctl(uc, UC_CTL_WRITE(UC_CTL_CONTEXT_MODE, 1), (mode))

/* ---- engines ---- */

/* major << 24 | minor << 16 | patch << 8 | extra; the two pointers may be null. */
UNICORN_EXPORT unsigned int uc_version(unsigned int *major, unsigned int *minor);
UNICORN_EXPORT bool uc_arch_supported(uc_arch arch);
/* *UC is closed by uc_close. UC_ERR_ARCH, UC_ERR_MODE, UC_ERR_NOMEM. */
UNICORN_EXPORT uc_err uc_open(uc_arch arch, uc_mode mode, uc_engine **uc);
UNICORN_EXPORT uc_err uc_close(uc_engine *uc);
UNICORN_EXPORT uc_err uc_query(uc_engine *uc, uc_query_type type, size_t *result);
UNICORN_EXPORT uc_err uc_ctl(uc_engine *uc, uc_control_type control, ...);
/* How the last run ended. */
UNICORN_EXPORT uc_err uc_errno(uc_engine *uc);
/* One line; never null. */
UNICORN_EXPORT const char *uc_strerror(uc_err code);

/* ---- registers: by number; the value has the register's own size, or, in the calls with sizes, at
 * most the given one, which becomes what was used (UC_ERR_OVERFLOW: it is too small) ---- */

UNICORN_EXPORT uc_err uc_reg_write(uc_engine *uc, int regid, const void *value);
UNICORN_EXPORT uc_err uc_reg_read(uc_engine *uc, int regid, void *value);
UNICORN_EXPORT uc_err uc_reg_write2(uc_engine *uc, int regid, const void *value, size_t *size);
UNICORN_EXPORT uc_err uc_reg_read2(uc_engine *uc, int regid, void *value, size_t *size);
UNICORN_EXPORT uc_err uc_reg_write_batch(uc_engine *uc, int const *regs, void *const *vals,
                                         int count);
UNICORN_EXPORT uc_err uc_reg_read_batch(uc_engine *uc, int const *regs, void **vals, int count);
UNICORN_EXPORT uc_err uc_reg_write_batch2(uc_engine *uc, int const *regs, const void *const *vals,
                                          size_t *sizes, int count);
UNICORN_EXPORT uc_err uc_reg_read_batch2(uc_engine *uc, int const *regs, void *const *vals,
                                         size_t *sizes, int count);

/* ---- memory ---- */

/* Debugger accesses: permissions do not matter. UC_ERR_READ_UNMAPPED, UC_ERR_WRITE_UNMAPPED. */
UNICORN_EXPORT uc_err uc_mem_write(uc_engine *uc, uint64_t address, const void *bytes,
                                   uint64_t size);
UNICORN_EXPORT uc_err uc_mem_read(uc_engine *uc, uint64_t address, void *bytes, uint64_t size);
/* At virtual addresses, with permission PROT. */
UNICORN_EXPORT uc_err uc_vmem_read(uc_engine *uc, uint64_t address, uc_prot prot, void *bytes,
                                   size_t size);
UNICORN_EXPORT uc_err uc_vmem_write(uc_engine *uc, uint64_t address, uc_prot prot, void *bytes,
                                    size_t size);
UNICORN_EXPORT uc_err uc_vmem_translate(uc_engine *uc, uint64_t address, uc_prot prot,
                                        uint64_t *paddress);
/* ADDRESS and SIZE are multiples of 4 KiB. */
UNICORN_EXPORT uc_err uc_mem_map(uc_engine *uc, uint64_t address, uint64_t size, uint32_t perms);
/* PTR: SIZE bytes of the caller's, which last until they are unmapped. */
UNICORN_EXPORT uc_err uc_mem_map_ptr(uc_engine *uc, uint64_t address, uint64_t size, uint32_t perms,
                                     void *ptr);
UNICORN_EXPORT uc_err uc_mmio_map(uc_engine *uc, uint64_t address, uint64_t size,
                                  uc_cb_mmio_read_t read_cb, void *user_data_read,
                                  uc_cb_mmio_write_t write_cb, void *user_data_write);
UNICORN_EXPORT uc_err uc_mem_unmap(uc_engine *uc, uint64_t address, uint64_t size);
UNICORN_EXPORT uc_err uc_mem_protect(uc_engine *uc, uint64_t address, uint64_t size,
                                     uint32_t perms);
/* *REGIONS is freed by uc_free. */
UNICORN_EXPORT uc_err uc_mem_regions(uc_engine *uc, uc_mem_region **regions, uint32_t *count);
UNICORN_EXPORT uc_err uc_free(void *mem);

/* ---- running ---- */

/* From BEGIN (bit 0: Thumb) up to, but without, the instruction at UNTIL; for at most TIMEOUT
 * microseconds and COUNT instructions (0: no limit). */
UNICORN_EXPORT uc_err uc_emu_start(uc_engine *uc, uint64_t begin, uint64_t until, uint64_t timeout,
                                   size_t count);
/* From a callback, or any thread. */
UNICORN_EXPORT uc_err uc_emu_stop(uc_engine *uc);

/* ---- hooks ---- */

/* TYPE: bits of uc_hook_type. BEGIN > END: everywhere. Then, for UC_HOOK_INSN, the instruction; for
 * UC_HOOK_TCG_OPCODE the operation and flags. */
UNICORN_EXPORT uc_err uc_hook_add(uc_engine *uc, uc_hook *hh, int type, void *callback,
                                  void *user_data, uint64_t begin, uint64_t end, ...);
UNICORN_EXPORT uc_err uc_hook_del(uc_engine *uc, uc_hook hh);

/* ---- contexts ---- */

UNICORN_EXPORT uc_err uc_context_alloc(uc_engine *uc, uc_context **context);
UNICORN_EXPORT uc_err uc_context_free(uc_context *context);
UNICORN_EXPORT uc_err uc_context_save(uc_engine *uc, uc_context *context);
UNICORN_EXPORT uc_err uc_context_restore(uc_engine *uc, uc_context *context);
UNICORN_EXPORT size_t uc_context_size(uc_engine *uc);
UNICORN_EXPORT uc_err uc_context_reg_write(uc_context *ctx, int regid, const void *value);
UNICORN_EXPORT uc_err uc_context_reg_read(uc_context *ctx, int regid, void *value);
UNICORN_EXPORT uc_err uc_context_reg_write2(uc_context *ctx, int regid, const void *value,
                                            size_t *size);
UNICORN_EXPORT uc_err uc_context_reg_read2(uc_context *ctx, int regid, void *value, size_t *size);
UNICORN_EXPORT uc_err uc_context_reg_write_batch(uc_context *ctx, int const *regs,
                                                 void *const *vals, int count);
UNICORN_EXPORT uc_err uc_context_reg_read_batch(uc_context *ctx, int const *regs, void **vals,
                                                int count);
UNICORN_EXPORT uc_err uc_context_reg_write_batch2(uc_context *ctx, int const *regs,
                                                  const void *const *vals, size_t *sizes,
                                                  int count);
UNICORN_EXPORT uc_err uc_context_reg_read_batch2(uc_context *ctx, int const *regs,
                                                 void *const *vals, size_t *sizes, int count);

#ifdef __cplusplus
}
#endif
#endif
