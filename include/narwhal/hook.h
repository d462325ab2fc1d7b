/* Narwhal: seeing and steering what a guest does.
 *
 * A hook belongs to an engine and serves all of its vCPUs. Code that is translated already never
 * misses a hook that is added, nor calls one that is removed: adding and removing forget what they
 * concern.
 *
 * In a callback the vCPU's state is exact, pc is the instruction concerned, and the caller may
 *   - read and write registers (nw_reg_*) and memory (nw_mem_*) of that vCPU's engine;
 *   - write the pc: the instruction is given up and the guest goes on there;
 *   - stop the vCPU (nw_vcpu_stop): what then happens to the instruction is said at each kind; one of whose
 *     accesses other threads stop it is finished;
 *   - map, unmap and protect memory, add hooks and remove any, the one that is running included.
 * It must not run the same vCPU, destroy it or close the engine, nor wait for a thread that changes
 * this engine's memory or hooks.
 *
 * Callbacks of one kind are called in the order in which they were added, BLOCK before all others. A hook
 * that is the only one to be called before an instruction, without a stop point there, is called straight
 * from translated code (of kinds CODE, BLOCK and FETCH). Adding and removing one of ten thousand takes less
 * than a microsecond where nothing is translated. Threads: any may add and remove; a callback runs on its
 * vCPU's thread. */
#ifndef NARWHAL_HOOK_H
#define NARWHAL_HOOK_H

#include <narwhal/narwhal.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nw_hook nw_hook;

typedef enum nw_hook_kind {
    NW_HOOK_CODE = 1,   /* CODE: before each instruction; a stop: it does not run */
    NW_HOOK_BLOCK,      /* CODE: where a basic block is entered; SIZE is the block's */
    NW_HOOK_INSN,       /* INSN: before each instruction of the kind nw_hook_spec.insn */
    NW_HOOK_READ,       /* ACCESS: before data is read, with value 0; where nothing is mapped FAULT comes
                           first; a stop: it is not read */
    NW_HOOK_READ_AFTER, /* ACCESS: with the value that was read; a stop: the instruction is not
                           finished */
    NW_HOOK_WRITE,      /* ACCESS: before VALUE is written, which it is whatever registers are written;
                           a stop: the same, pc stays; a pc that is written: execution goes on there */
    NW_HOOK_FETCH,      /* CODE: before each instruction, as the fetch of SIZE bytes that it is */
    NW_HOOK_FAULT,      /* FAULT: an access or fetch that failed */
    NW_HOOK_TRANSLATE,  /* TRANSLATE: a block has been translated */
    NW_HOOK_COMPARE,    /* COMPARE: before an instruction that compares or subtracts */
    /* Without a callback, a few host instructions in translated code; done before the callbacks of the
     * same instruction, so that one at which the vCPU stops, or whose callback writes the pc, counts. What
     * they write is the caller's memory, which must stay until the hook is removed. It is exact in
     * callbacks and when nw_vcpu_run returns. Several vCPUs may share it: each write is whole, some may be
     * lost; a byte or number that overflows becomes 0. */
    NW_HOOK_COUNTER,    /* *nw_hook_spec.counter grows by 1 per instruction or block */
    NW_HOOK_COVERAGE,   /* edges between blocks, in nw_hook_spec.map of nw_hook_spec.map_size bytes. With
                         * h(pc) = the upper half of the 64-bit product pc * 0x9e3779b97f4a7c15, in 32
                         * bits: entering a block at PC after one at BEFORE (of those in range of any such
                         * hook) makes the byte at (h(pc) ^ h(before) >> 1) modulo map_size grow by 1;
                         * 0 stands for h(before) >> 1 at the start of nw_vcpu_run */
    NW_HOOK_RING,       /* blocks or instructions are noted in nw_hook_spec.ring */
} nw_hook_kind;
#define NW_HOOK_KINDS (NW_HOOK_RING + 1)

typedef void (*nw_code_fn)(nw_vcpu *, uint64_t pc, uint32_t size, void *user);
/* True: the instruction counts as done, the guest goes on behind it (or where pc was set to), after the
 * other hooks of that place. */
typedef bool (*nw_insn_fn)(nw_vcpu *, uint64_t pc, uint32_t size, void *user);
/* SIZE is 1, 2, 4, 8, 16 or 32, one call for one access even where it is unaligned. VALUE: the low
 * 8 bytes; DATA: all of them in guest order, or null in NW_HOOK_READ. */
typedef void (*nw_access_fn)(nw_vcpu *, nw_access, uint64_t addr, uint32_t size, uint64_t value,
                             const void *data, void *user);
/* For nw_hook_spec.pieces: the least work for one access. TAG is nw_hook_spec.tag; accesses of more than 8
 * bytes are given in pieces of 8. */
typedef void (*nw_piece_fn)(void *self, int tag, uint64_t addr, int size, int64_t value, void *user);
/* FAULT as nw_vcpu_run would give it (reason NW_EXIT_FAULT); VALUE: of a write. True: try again;
 * the first hook that says so ends the round. A second failure of the same access is one more
 * round; after 64 rounds it faults. */
typedef bool (*nw_fault_fn)(nw_vcpu *, const nw_exit *fault, uint64_t value, void *user);
typedef struct nw_block {
    uint64_t pc;
    uint32_t insns;
    uint32_t size; /* bytes */
} nw_block;
/* Translates the block at PC for the mode that the vCPU is in, unless it has been. NW_ERR_FAULT: there is
 * no code. Not while running, but in callbacks. */
NW_API nw_status nw_vcpu_translate_block(nw_vcpu *, uint64_t pc, nw_block *out);
/* PREVIOUS: the block that ran before, or null when there is none. */
typedef void (*nw_translate_fn)(nw_vcpu *, const nw_block *block, const nw_block *previous,
                                void *user);
/* The operands, zero-extended from SIZE bytes; WHAT: enum nw_compare. */
enum nw_compare {
    NW_COMPARE_KEEPS = 1, /* the instruction keeps the difference: it subtracts */
    NW_COMPARE_FLAGS = 2, /* it sets flags */
};
typedef void (*nw_compare_fn)(nw_vcpu *, uint64_t pc, uint64_t a, uint64_t b, uint32_t size,
                              unsigned what, void *user);

/* A ring of the latest events; its memory is the caller's. Written by vCPU threads, read by
 * anybody: entries before POSITION, SIZE of them at most, are valid; with several vCPUs their
 * entries mix and a position may be lost. */
typedef struct nw_ring {
    uint64_t *entries; /* pcs; neither this nor SIZE changes while a hook has the ring */
    uint64_t size;     /* a power of two, 1 << 32 at most */
    uint64_t position; /* entries written so far */
} nw_ring;

typedef struct nw_hook_spec {
    nw_hook_kind kind;
    /* The addresses concerned, both included: of the instruction or block, of data for accesses
     * (any byte of the access). BEGIN > END: all. Virtual addresses. */
    uint64_t begin, end;
    union {
        nw_code_fn code;
        nw_insn_fn insn_fn;
        nw_access_fn access;
        nw_piece_fn piece;
        nw_fault_fn fault;
        nw_translate_fn translate;
        nw_compare_fn compare;
        uint64_t *counter;
        nw_ring *ring;
        uint8_t *map;
    };
    void *user;
    void *self;         /* CODE, BLOCK, FETCH and accesses: unless null, the first argument in place
                         * of the vCPU */
    bool pieces;        /* READ, READ_AFTER, WRITE: PIECE is called, not ACCESS; SELF is its first argument */
    int tag;            /* … and this its second */
    bool first_byte;   /* READ, READ_AFTER, WRITE: the range is of the accesses' first bytes, not of any */
    uint32_t insn;     /* INSN: nw_insn_id() */
    uint32_t faults;   /* FAULT: which, bits 1 << (nw_access * 8 + nw_fault); 0: all */
    uint32_t map_size; /* COVERAGE: a power of two */
    bool blocks;       /* COUNTER, RING: blocks instead of instructions */
} nw_hook_spec;

/* *OUT is owned by the engine until it is removed. NW_ERR_ARG: a kind that does not exist, no
 * callback, a size that is no power of two. */
NW_API nw_status nw_hook_add(nw_engine *, const nw_hook_spec *, nw_hook **out);
/* HOOK must be one that was added to this engine and not removed since. No call of it begins on
 * this thread afterwards; on others one may be under way. */
NW_API nw_status nw_hook_remove(nw_engine *, nw_hook *);

/* The number of the instructions named NAME (a mnemonic, lower case: "cpuid", "svc"), or 0: ARCH
 * has none. */
NW_API uint32_t nw_insn_id(nw_arch, const char *name);

#ifdef __cplusplus
}
#endif
#endif
