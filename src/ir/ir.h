/* The intermediate representation: linear typed SSA over a region of guest code.
 *
 * A region is one entry, straight-line code with forward skips, and any number of exits. Guest
 * registers are read and written through get/put. Records are 16 bytes; a value is the index of
 * the record that makes it. See ops.inc for the rows and build.h for making them. */
#ifndef IR_IR_H
#define IR_IR_H

#include "base/status.h"
#include "base/vec.h"

enum ir_type { IR_VOID, IR_I8, IR_I16, IR_I32, IR_I64, IR_F32, IR_F64, IR_V128, IR_V256 };

enum ir_op {
#define IR_OP(name, operands, result, effects) IR_##name,
#include "ir/ops.inc"
#undef IR_OP
    IR_OP_COUNT
};

enum ir_effect {
    IR_E_FPFLAGS = 1, IR_E_FAULT = 2, IR_E_STATE = 4, IR_E_CONTROL = 8, IR_E_FPENV = 16
};

/* Integer comparisons; cc ^ 1 is the negation. ORDER IR_CC */
enum ir_cc {
    IR_EQ, IR_NE, IR_ULT, IR_UGE, IR_ULE, IR_UGT, IR_SLT, IR_SGE, IR_SLE, IR_SGT
};

/* Conditions of fcc, numbered as Jcc's (Intel SDM 1 appendix B); cc ^ 1 is the negation. A NaN makes
 * B, BE, E and P hold. ORDER X86_COND */
enum ir_fcc {
    IR_FCC_B = 2, IR_FCC_AE, IR_FCC_E, IR_FCC_NE, IR_FCC_BE, IR_FCC_A, IR_FCC_P = 10, IR_FCC_NP
};

typedef uint32_t ir_val; /* index of a record */
#define IR_NONE UINT32_MAX

struct ir_insn {
    uint8_t op;    /* enum ir_op */
    uint8_t type;  /* enum ir_type: the result's, or the operands' where the row says so */
    uint16_t aux;  /* enum ir_cc, memop, field position, … as the row says */
    uint32_t a, b, c;
};
_Static_assert(sizeof(struct ir_insn) == 16, "IR records are 16 bytes");

/* Marks on records left by the passes for the host back end (struct ir_region.marks). */
enum ir_mark {
    /* A put whose value only cold paths can see: it is overwritten before the region's next
     * exit, call or overlapping get, but a fault in between must store it. */
    IR_MARK_COLD_PUT = 1,
    /* A value that only cold puts use: computed in the cold stub, not on the hot path. */
    IR_MARK_COLD_VALUE = 2,
};

/* ---- memop: how a memory operation accesses (16 bits in insn.aux) ---- */
#define IR_MEM_SIZE(m)  ((m) & 7u)              /* log2 of the access size in bytes, 0..5 */
#define IR_MEM_SIGNED   (1u << 3)               /* sign-extend a load to its type (else zero) */
#define IR_MEM_BE       (1u << 4)               /* big-endian guest data */
#define IR_MEM_ALIGN(n) ((uint32_t)(n) << 5)    /* fault unless aligned to 1 << n bytes, n 0..5 */
#define IR_MEM_ALIGN_OF(m) (((m) >> 5) & 7u)
#define IR_MEM_MMU(i)   ((uint32_t)(i) << 8)    /* MMU index, 0..3 */
#define IR_MEM_MMU_OF(m) (((m) >> 8) & 3u)
#define IR_MEM_RMW (1u << 11)                   /* a load whose place is written next: faults as a store */
#define IR_MEM_RESTARTED (1u << 10)             /* a later access of an instruction that has stored */
#define IR_MEM_TOLD (1u << 12)                  /* an atomic operation that ends what a load began: hooks are
                                                 * told of its write only */

/* In aux of floating-point operations: compute through fp/soft.h (flush to zero and other modes
 * that the host's unit does not have). */
#define IR_FP_SOFT (1u << 15)

/* In aux of fround: inexact is not raised. */
#define IR_FP_QUIET (1u << 3)

/* ---- exits and calls, beside the records ---- */
struct ir_exit {
    uint64_t pc;     /* guest address of the target */
    uint32_t mode;   /* mode word of the target's block key */
    bool back_edge;  /* target <= this instruction: test the exit request first */
};

enum ir_helper_flags {
    IR_H_PURE = 1,    /* depends on its arguments only, no effects */
    IR_H_READS = 2,   /* reads guest state: it must be in the vCPU, pc included */
    IR_H_WRITES = 4,  /* writes guest state: cached copies are stale afterwards */
    IR_H_HOOK = 16,   /* at the start of an instruction; its argument is a constant, a struct hook_site;
                       * gives enum ir_hook_result */
    IR_H_EXITS = 8,   /* may raise an exception or a request: vcpu->leave is tested afterwards */
};

/* What a helper with IR_H_HOOK gives. */
enum ir_hook_result {
    IR_HOOK_GO,    /* guest state is as it was */
    IR_HOOK_LEAVE, /* vcpu->leave is set */
};

struct nw_vcpu;
/* Integer arguments zero-extended, F32/F64 as their bits. A helper does no floating point of its
 * own (the guest's MXCSR is live) except through fp/soft.h. */
typedef uint64_t (*ir_helper_fn)(struct nw_vcpu *, uint64_t, uint64_t, uint64_t, uint64_t);

struct ir_helper {
    const char *name;
    ir_helper_fn fn;
    uint8_t flags;   /* enum ir_helper_flags */
    uint8_t ret;     /* enum ir_type */
    uint8_t nargs;   /* 0..4 */
};

struct ir_call {
    const struct ir_helper *helper;
    ir_val args[4];
};

enum ir_note_kind {
    IR_NOTE_COUNT, /* the 64-bit number at TARGET grows by 1 */
    IR_NOTE_COVER, /* the byte at TARGET + ((PLACE ^ vcpu->covered) & MASK) grows by 1 */
    IR_NOTE_RING,  /* PC goes to the struct nw_ring at TARGET, of MASK + 1 entries */
};

struct ir_note {
    void *target;
    uint64_t pc;
    uint32_t mask, place;
    uint8_t kind;  /* enum ir_note_kind */
    bool moves;    /* COVER: vcpu->covered becomes PLACE >> 1 */
};

struct ir_region {
    VEC(struct ir_insn) insns;
    VEC(struct ir_exit) exits;
    VEC(struct ir_call) calls;
    VEC(struct ir_note) notes;
    VEC(uint8_t) marks;       /* enum ir_mark per record, filled by the passes (else empty) */
    VEC(uint32_t) uses;       /* hot uses per record, filled by the passes */
    VEC(uint32_t) remap;      /* scratch of the passes */
    uint32_t nlabels;
    uint64_t pc;              /* guest address of the first instruction */
    uint32_t mode;            /* mode word it was translated under */
    uint32_t exit_mode;       /* bits that the modes of all exits have besides */
    bool bounded;             /* it cannot go round for long: back edges do not look for requests */
    uint32_t size;            /* bytes of guest code covered, from pc */
    uint32_t ninsns;          /* guest instructions */
    bool falls;               /* its last instruction is no branch: it could go on */
    uint8_t hooked;           /* accesses that callbacks look at all state from: 1 loads, 2 stores */
    uint32_t pc_offset, aux_offset; /* where a fault stores pc and the aux word; aux UINT32_MAX: none */
    uint8_t addr_type;        /* IR_I32 or IR_I64: the guest's address width */
    bool oom;                 /* the host ran out of memory while building */
};

/* Does the record call hooks of each of its accesses? */
static inline bool ir_is_hooked(const struct ir_region *r, const struct ir_insn *i)
{
    return (i->op == IR_ld && r->hooked & 1) || (i->op == IR_st && r->hooked & 2);
}

void ir_region_init(struct ir_region *);
/* Empties it for the next region; keeps the memory, pc_offset, aux_offset and addr_type. */
void ir_region_clear(struct ir_region *);
void ir_region_free(struct ir_region *);

struct ir_row {
    const char *name;
    const char *operands;
    char result;      /* 'T' 'B' 'F' 'V' '-' */
    uint8_t effects;  /* enum ir_effect */
};
extern const struct ir_row ir_rows[IR_OP_COUNT];

/* The type of the value a record makes: insn.type, IR_I32 for B and F rows, for V rows what the
 * vector operation gives, IR_VOID for none. */
uint8_t ir_result_type(const struct ir_insn *);

static inline uint64_t ir_const_bits(const struct ir_insn *i)
{
    return (uint64_t)i->c << 32 | i->b;
}
static inline uint64_t ir_insn_pc(const struct ir_insn *i)
{
    return (uint64_t)i->c << 32 | i->b;
}
static inline unsigned ir_type_size(uint8_t type)
{
    static const uint8_t size[] = {0, 1, 2, 4, 8, 4, 8, 16, 32};
    return size[type];
}

#endif
