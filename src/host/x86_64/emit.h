/* The emitter: where values live while a region becomes code, and what the families share.
 *
 * Fixed registers: rbp = vCPU + VCPU_BIAS, r15 = vcpu->arena, rsp = the frame made by the enter
 * thunk. The guest's hottest slots are pinned to registers for as long as translated code runs; a
 * pinned register always holds the slot's value in program order. The rest are temporaries.
 *
 * A value (SSA) can live in several places at once: registers, a spill slot, a state slot that
 * still holds it ("home"), or nowhere when it is a constant or made on demand. */
#ifndef HOST_X86_64_EMIT_H
#define HOST_X86_64_EMIT_H

#include "host/host.h"
#include "host/x86_64/asm.h"
#include "host/x86_64/runtime.h"

#define NLOCS    32 /* 0..15 general registers, 16..31 xmm registers */
#define XMM(n)   ((n) + 16u)
#define NHOMES   32
#define MAX_COLD 8
#define MAX_CARRIED 10
#define MAX_COUNTED 4
#define NO_VALUE UINT32_MAX
#define NO_HOME  UINT16_MAX
#define NO_SPILL UINT8_MAX
#define NO_PIN   UINT8_MAX
#define NO_REF   UINT32_MAX

/* struct value.flags */
enum {
    VAL_FUSED =
        1,        /* made where it is used: a comparison for a jump, an address sum for an access */
    VAL_COLD = 2, /* made in cold stubs only */
    VAL_LAZY = 4, /* a put of flags that stores operands instead (emit_lazy.c): … */
    VAL_LAZY_SUM = 8,    /* … those of a sum among them */
    VAL_LAZY_CARRY = 16, /* … a carry among them */
};

struct value {
    uint32_t last_use; /* record that uses it last; 0 when none does */
    uint32_t where;    /* registers that hold it, bit per location */
    uint16_t home;     /* state slot that may hold it */
    uint8_t spill;
    uint8_t pin; /* register to compute it in: its put follows undisturbed */
    uint16_t uses, fusable_uses;
    uint32_t pin_age; /* of the pinned register when the put was met (backward walk) */
    uint8_t flags;
};

struct home {
    ir_val val;
    uint32_t offset;
};

/* What every place holds. */
struct places {
    ir_val reg[NLOCS];
    ir_val spill[FRAME_SPILLS + FRAME_VEC_SPILLS];
    struct home home[NHOMES];
};

struct cold_put {
    ir_val val;
    uint32_t offset;
    uint8_t type, lazy; /* VAL_LAZY bits */
};

enum stub_kind {
    STUB_EXIT, STUB_REQUEST, STUB_BEGIN, STUB_MISS, STUB_MEMORY, STUB_FLOAT, STUB_FLAGS, STUB_HOOK,
    STUB_HOOK_AFTER, STUB_LEAVE
};

/* An operand as a stub finds it. */
struct stub_ref {
    uint8_t loc;   /* register, REG_NONE: the constant or spill slot */
    uint8_t spill; /* NO_SPILL: the constant */
    bool wide;
    uint8_t type;
    uint64_t bits;
};

struct stub {
    uint8_t kind, dst;
    uint32_t record;  /* the record it serves */
    uint32_t insn;    /* record of the guest instruction */
    uint32_t from[3]; /* rel32 fields that lead here */
    uint8_t nfrom;
    uint32_t resume; /* offset to go on at */
    uint32_t exit;   /* index of the exit */
    uint32_t site;   /* index of the first in out->sites, NO_REF: none */
    uint8_t nsites;
    int32_t disp;    /* of a memory access */
    bool shared_check; /* … whose base is taken to be in the window from then on */
    uint32_t beyond;   /* … rel32 field that leads to its way through the TLB; 0: it has none */
    uint8_t temps[2];  /* … registers that are free there */
    uint8_t source;    /* … register that it stores, REG_NONE: an immediate */
    struct stub_ref ref[3];
    uint32_t live;   /* xmm registers to keep, bit per register; upper half: those of vectors */
    uint32_t places; /* index of the snapshot, NO_REF: none */
    uint32_t cold, ncold;
};

/* What EFLAGS are the result of, valid while asm_buf.flags is not 0. */
enum flags_kind { FLAGS_SUB, FLAGS_ADD, FLAGS_LOGIC, FLAGS_FCOM };
struct flags_source {
    ir_val a, b;   /* of a sum or difference */
    ir_val result; /* the value whose sign and zeroness they show, NO_VALUE: none */
    uint8_t kind, type;
    bool inverted; /* CF has been complemented */
};

struct label {
    uint32_t at;     /* its record */
    uint32_t places; /* snapshot of what all skips agree on, NO_REF: no skip yet */
    uint32_t fields; /* head of the list of rel32 fields, linked through the fields themselves */
    uint32_t stored; /* pinned registers that every skip has found stored */
};

/* A slot that stays in register LOC around the block's loop: record GET reads it at the entry, value
 * LAST is in it at the jump back. */
struct carried {
    ir_val get, last;
    uint8_t loc;
};

struct host_emitter {
    struct asm_buf a;
    const struct ir_region *r;
    const struct guest_ops *guest;
    const struct host_options *opt;
    const struct host_runtime *rt;
    struct host_code *out;
    uint32_t offset;   /* of the block after the runtime */
    uint32_t cur;      /* record being emitted */
    uint32_t insn;     /* record of the current guest instruction, NO_REF before the first */
    uint32_t locked;   /* locations that must not be given away */
    unsigned host_features; /* enum host_feature of this host */
    unsigned features;      /* … that may be used */
    uint32_t temps;    /* general registers that are temporaries */
    uint32_t pinned;
    uint32_t stored;  /* pinned registers whose slots in memory hold the same */
    uint32_t made;    /* values made where they are used, so far */
    bool keep;        /* emitting a cold value: no operand dies, no pinned register is a target */
    bool unreachable; /* after an exit, before the next label */
    bool settled;     /* the slot of the guest's flags holds them (emit_lazy.c) */
    bool pc_put;      /* the slots of pc and aux hold what the block has put there */
    bool oom, full;
    struct places now;
    /* Locations, spill slots and homes (bit per element) that this region has used so far. */
    unsigned nlocs, nspills;
    uint32_t homes;
    struct flags_source flags;
    struct {
        ir_val base;
        uint32_t mask;
    } aligned[4]; /* addresses known to be aligned since the last label */
    uint32_t naligned;
    struct {
        ir_val root;
        int64_t offset;
    } checked[8]; /* root + offset: addresses known to be in the window since the last label */
    uint32_t nchecked;
    uint32_t pin_offset[16]; /* state slot of a pinned register */
    uint8_t pin_type[16];
    uint8_t pin_at[VCPU_STATE_SIZE / 4]; /* pinned register of a word of the state, or NO_PIN */
    uint32_t pin_age[16]; /* backward walk: changes when something forbids an early write */
    uint32_t all_age;     /* … of all of them */
    VEC(struct ir_insn) code; /* the region's records, see widths.c */
    VEC(struct value) values;
    VEC(struct stub) stubs;
    VEC(struct label) labels;
    VEC(struct places) snapshots;
    VEC(struct cold_put) colds;     /* lists of the stubs */
    struct cold_put cold[MAX_COLD]; /* pending now */
    uint32_t ncold;
    struct carried carried[MAX_CARRIED];
    uint32_t ncarried, carry_exit;
    void *counted[MAX_COUNTED]; /* counters that have all of this piece of code (emit_note.c) */
    uint32_t ncounted;
    struct stub spare; /* stands in when there is no memory for a stub */
};

typedef void emit_fn(struct host_emitter *, ir_val, const struct ir_insn *);
#define IR_OP(name, operands, result, effects) emit_fn emit_##name;
#include "ir/ops.inc"
#undef IR_OP
extern emit_fn *const emit_table[IR_OP_COUNT];

/* Bytes kept free before each record and each stub, none of which emits more: the longest are stubs of
 * accesses that have MAX_COLD puts and every xmm register to save, of about 900. */
#define ASM_SLACK 2048

static inline const struct ir_insn *insn_of(const struct host_emitter *e, ir_val v)
{
    return &e->code.at[v];
}
static inline bool is_const(const struct host_emitter *e, ir_val v)
{
    return insn_of(e, v)->op == IR_const;
}
static inline bool type_is_fp(uint8_t t)
{
    return t == IR_F32 || t == IR_F64;
}
static inline bool type_is_vec(uint8_t t)
{
    return t >= IR_V128;
}
/* Values of the type live in xmm registers. */
static inline bool type_in_xmm(uint8_t t)
{
    return t >= IR_F32;
}
static inline bool type_is_64(uint8_t t)
{
    return t == IR_I64 || t == IR_F64;
}
static inline uint32_t width_of(uint8_t t)
{
    return type_is_64(t) ? X_W : 0;
}
static inline struct x_mem state_at(uint32_t offset)
{
    return x_at(RBP, (int32_t)offset - VCPU_BIAS);
}
/* A constant of the runtime, by its offset there. */
static inline struct x_mem runtime_at(const struct host_emitter *e, uint32_t offset)
{
    return x_at_rip((int32_t)(offset - e->offset));
}
static inline int32_t runtime_code(const struct host_emitter *e, uint32_t offset)
{
    return (int32_t)(offset - e->offset);
}
/* Spill slots: FRAME_SPILLS for scalars, then those for vectors. */
#define NSPILLS (FRAME_SPILLS + FRAME_VEC_SPILLS)
static inline struct x_mem spill_at(unsigned slot)
{
    return slot < FRAME_SPILLS ? x_at(RSP, FRAME_SPILL + 8 * (int32_t)slot)
                               : x_at(RSP, FRAME_VEC_SPILL + 32 * ((int32_t)slot - FRAME_SPILLS));
}

/* ---- widths.c ---- */

/* Fills e->code. False: no memory. */
bool widths_resolve(struct host_emitter *);

/* ---- prepare.c ---- */

/* The backward walk: last uses, fusion, early writes of pinned registers. */
void emit_prepare(struct host_emitter *);
/* An operand visitor. */
typedef void operand_fn(struct host_emitter *, ir_val user, ir_val operand);
void for_operands(struct host_emitter *, ir_val user, operand_fn *);

/* ---- regalloc.c ---- */

void places_init(struct host_emitter *);
/* Gives a snapshot of the places now; NO_REF when out of memory. */
uint32_t places_save(struct host_emitter *);
void places_restore(struct host_emitter *, uint32_t snapshot);
/* Keeps in snapshot INTO only what holds now too. */
void places_meet(struct host_emitter *, uint32_t into);
/* V stays available up to and beyond the current record? */
bool ra_live_after(const struct host_emitter *, ir_val v);

/* A register with V, loaded or made if need be; locked until the record ends. */
unsigned ra_use(struct host_emitter *, ir_val v);
/* Is V in memory only, and does it end here? */
bool ra_ends_in_mem(const struct host_emitter *, ir_val v);
/* ra_use, or REG_NONE and V's place in memory when it is there only and ends here. */
unsigned ra_use_or_mem(struct host_emitter *, ir_val v, struct x_mem *);
/* A register of V's that may be overwritten with the result, else REG_NONE: V dies here in a
 * temporary that it has to itself. */
unsigned ra_reusable(const struct host_emitter *, ir_val v);
/* A free temporary, locked until the record ends. */
unsigned ra_temp(struct host_emitter *);
unsigned ra_temp_xmm(struct host_emitter *);
/* Empties temporary R and locks it. Call before operands are fetched. */
void ra_take(struct host_emitter *, unsigned r);
/* A register for the result V that is none of AVOID (bit mask): the pinned register when V is made
 * in place, else REUSE unless REG_NONE, else a free temporary. */
unsigned ra_def(struct host_emitter *, ir_val v, unsigned reuse, uint32_t avoid);
/* V is now in LOC (and LOC holds nothing else). */
void ra_bind(struct host_emitter *, ir_val v, unsigned loc);
/* LOC holds no value any more. */
void ra_unbind(struct host_emitter *, unsigned loc);
/* LOC is about to be overwritten: what lives only there moves. */
void ra_protect(struct host_emitter *, unsigned loc);
/* The slots of these pinned registers change: their values move, the registers hold none. */
void release_pins(struct host_emitter *, uint32_t pins);
/* Makes sure that V survives without any register, in a spill slot (or as a constant). */
void ra_spill(struct host_emitter *, ir_val v);
/* State slots [offset, offset + size) change: what lives only there moves. */
void homes_kill(struct host_emitter *, uint32_t offset, unsigned size);
void homes_kill_all(struct host_emitter *);
/* The state slot at OFFSET (4 or 8 bytes) holds V. */
void home_set(struct host_emitter *, ir_val v, uint32_t offset);
bool home_valid(const struct host_emitter *, ir_val v);
/* V is used for the last time and still in the guest's state: to be taken from its home. */
bool ra_state_only(const struct host_emitter *, ir_val v);
/* The pinned register of slot OFFSET when TYPE covers exactly that slot, else REG_NONE. */
unsigned ra_pin_of(const struct host_emitter *, uint32_t offset, uint8_t type);
/* The pinned registers of slots that overlap [offset, offset + size). */
uint32_t ra_pins_over(const struct host_emitter *, uint32_t offset, unsigned size);
/* V's constant when it fits a sign-extended 32-bit immediate of its type's width. */
bool ra_imm32(const struct host_emitter *, ir_val v, int32_t *imm);
/* Moves between xmm register R and memory. */
void xmm_load(struct host_emitter *, uint8_t type, unsigned r, struct x_mem);
void xmm_store(struct host_emitter *, uint8_t type, struct x_mem, unsigned r);
/* Makes dst = src. */
void ra_move(struct host_emitter *, unsigned dst, unsigned src, uint8_t type);

/* ---- emit_state.c ---- */

/* Between these pinned registers and their slots. */
void pins_store(struct host_emitter *, uint32_t pins);
void pins_load(struct host_emitter *, uint32_t pins);
/* Stores V's bits of TYPE at the state slot. */
void emit_store_state(struct host_emitter *, ir_val v, uint32_t offset, uint8_t type);

/* ---- emit_flags.c ---- */

/* Compares so that the condition given holds when the truth value V is not 0. Nothing that writes
 * EFLAGS may come before the condition is consumed. */
enum x_cc emit_condition(struct host_emitter *, ir_val v);

/* EFLAGS have just been set by A op B (NO_VALUE for logical operations) that gave RESULT. */
void flags_set(struct host_emitter *, enum flags_kind, uint8_t type, ir_val a, ir_val b,
               ir_val result);

/* EFLAGS are those of this comparison (FLAGS_FCOM: an fcmpx)? */
bool flags_hold(const struct host_emitter *, enum flags_kind, const struct ir_insn *);

/* ---- emit_float.c ---- */

/* Compares for fcc I, unless EFLAGS hold it already; the condition to jump by. */
enum x_cc emit_fcc_compare(struct host_emitter *, const struct ir_insn *);

/* ---- emit_call.c ---- */

/* Floats do not survive a call in registers: to memory, and behind the call they are in none. */
void spill_xmm(struct host_emitter *);
void forget_xmm(struct host_emitter *);
/* The slots of pc and aux show the current instruction. Through rax. */
void sync_insn(struct host_emitter *);

/* ---- emit_hook.c ---- */

void emit_hook(struct host_emitter *, ir_val v);
/* Is the access made by a call in place, since each of its kind is hooked? */
bool emit_calls_access(const struct host_emitter *, const struct ir_insn *);
void emit_call_load(struct host_emitter *, ir_val v, const struct ir_insn *);
void emit_call_store(struct host_emitter *, ir_val v, const struct ir_insn *);
/* The ways that are rarely taken. */
void emit_hook_stub(struct host_emitter *, const struct stub *);
void emit_hook_after_stub(struct host_emitter *, const struct stub *);
void emit_leave_stub(struct host_emitter *, const struct stub *);

/* ---- emit_note.c ---- */

/* Does a piece of code end before record V, through which either all or nothing is executed but for
 * faults of accesses? */
bool note_ends_piece(const struct host_emitter *, ir_val v);
/* In the stub of an access, record V: takes what of its piece has not begun off the counters, or adds it
 * again (BACK). Changes EFLAGS, and unless BACK, rax. */
void note_correct(struct host_emitter *, ir_val v, bool back);

/* ---- emit_lazy.c ---- */

/* Marks the puts of flags that need no packing. Before the backward walk. */
void lazy_plan(struct host_emitter *);
/* What the marked put V uses. */
void lazy_uses(struct host_emitter *, ir_val v, operand_fn *);
/* Stores what FLAGS are made of; WAY: the put's VAL_LAZY bits. */
void lazy_store(struct host_emitter *, ir_val flags, unsigned way);
bool lazy_is_flags(const struct host_emitter *, uint32_t offset, uint8_t type);
/* Flags have been stored in the slot, if it is theirs. Keeps EFLAGS. */
void lazy_stored(struct host_emitter *, uint32_t offset, uint8_t type);
/* The slot is about to be read, or a part of it written: it must hold the flags. */
void lazy_settle(struct host_emitter *, uint32_t offset, uint8_t type);

/* ---- emit_memory.c ---- */

/* The address V of an access as a value and a displacement. */
void split_address(struct host_emitter *, ir_val v, ir_val *base, int32_t *disp);
/* The access of stub S where its base is outside the window. */
void emit_beyond(struct host_emitter *, struct stub *s);

/* ---- emit_carry.c ---- */

/* At the block's entry, after the backward walk: loads what stays in registers around its loop. */
void carry_begin(struct host_emitter *);
/* Before the jump of EXIT: nothing unless that is the loop's. Keeps EFLAGS. */
void carry_back(struct host_emitter *, uint32_t exit);

/* ---- emit_vector.c ---- */

/* Is a cold stub no place for record I? One that calls would save the registers a second time, and
 * an xmm register of its choice may hold what the stub is about to store. */
bool vector_stays_hot(const struct host_emitter *, const struct ir_insn *);

/* ---- stub.c ---- */

/* A stub for record V, valid until the next is made. */
struct stub *stub_add(struct host_emitter *, enum stub_kind, ir_val v);
struct stub_ref stub_operand(struct host_emitter *, ir_val v);
/* Jumps to the stub when CC holds. */
void stub_jcc(struct host_emitter *, struct stub *, enum x_cc cc);
/* xmm registers with values that live on, but for DST, as in struct stub. */
uint32_t live_xmm(const struct host_emitter *, unsigned dst);
/* Bracket a slow call in place: every register is saved, and the xmm registers LIVE; afterwards D
 * has record V's value from the frame. */
void stub_call_begin(struct host_emitter *, uint32_t live);
void stub_call_end(struct host_emitter *, ir_val v, unsigned d, uint32_t live);
/* Emits the call of a float stub in place. */
void stub_float_inline(struct host_emitter *, struct stub *);
nw_status stubs_emit(struct host_emitter *);
bool emit_room(const struct host_emitter *);
/* Stores the guest's pc, through rax where it is wide. */
void emit_store_pc(struct host_emitter *, uint64_t pc);
/* An operand of any type to element N of FRAME_VEC, after the registers have been saved. */
void stub_operand_store(struct host_emitter *, const struct stub_ref *, unsigned n);
/* R = the operand, after the registers have been saved in the frame. */
void stub_operand_load(struct host_emitter *, const struct stub_ref *, unsigned r);

#endif
