/* What the lift functions of the x86 guest share. See lift.c for the loop around them.
 *
 * Values: integers of 8, 16 and 32 bits are IR_I32, zero-extended; of 64 bits IR_I64. Sizes are in
 * bits where a parameter is called `bits`.
 *
 * Precise faults: whatever can fault in an instruction comes before its first put of guest state
 * (x86_reg_put, x86_write, x86_cc_set …); where an instruction stores twice, the second store is
 * checked before the first is done (x86_probe_write). */
#ifndef GUEST_X86_LIFT_H
#define GUEST_X86_LIFT_H

#include "guest/x86/decode.h"
#include "guest/x86/repeat.h"
#include "guest/x86/state.h"
#include "guest/x86/system.h"
#include "ir/build.h"
#include "ir/vec.h"

/* The arithmetic flags as far as they are known while lifting. */
struct x86_cc {
    bool known;  /* OP is; else only the state knows */
    uint32_t op; /* enum x86_cc_op, size added, with X86_CC_CF */
    ir_val dst, src, aux; /* what the slots hold, cut to the operation's size */
    ir_val cf, of; /* values of 0 or 1 where they are kept by themselves, else IR_NONE */
    ir_val a;    /* first operand of ADD and SUB where it is at hand, else IR_NONE */
    ir_val fa, fb; /* CC_FLAGS made by a floating-point comparison of these; else IR_NONE */
    uint8_t ftype; /* … of this type */
    bool derived;  /* the slots hold the same flags in another form */
    ir_val slot_op, slot_cf, slot_dst, slot_src, slot_aux; /* of x86_cc_save: the slots' values */
};

/* What the block knows of the mm registers. */
enum x86_mmx {
    X86_MMX_NONE,    /* nothing: no MMX instruction since the last that changed x87 state */
    X86_MMX_ENTERED, /* the x87 stack is as MMX instructions leave it */
    X86_MMX_LEFT,    /* EMMS followed */
};

struct x86_lift {
    struct ir_builder *b;
    struct lift_request *req;
    const struct x86_insn *i;  /* the current instruction */
    const struct x86_model *model;
    uint64_t pc, next; /* linear addresses of the current and the next instruction */
    uint32_t mode;     /* mode word of the block's key */
    uint8_t bits;      /* size of code: 16, 32, 64 */
    uint8_t cpl;
    uint8_t word;      /* enum ir_type of addresses and the pc slot */
    uint32_t mmu;      /* IR_MEM_MMU of ordinary accesses */
    bool user;         /* a program without a kernel of its own */
    bool bare;         /* NW_EXC_BARE: see bare.h */
    uint8_t mmx;       /* enum x86_mmx */
    bool hooked;       /* something is called before the current instruction */
    bool ended;        /* no further instruction follows in this block */
    bool shadow;       /* the instruction was STI: no interrupt may come before the next one */
    struct x86_cc cc;
    ZydisDecoder decoder;
};

/* ---- outcomes: each ends the path of the current instruction ---- */

/* Exception VECTOR with ERROR code at this instruction, or, with AFTER, a trap behind it. */
void x86_exception(struct x86_lift *, enum x86_vector, uint32_t error, bool after);
void x86_undefined(struct x86_lift *);
void x86_gp0(struct x86_lift *);
/* Raises it when TRUTH holds; goes on otherwise. */
void x86_exception_if(struct x86_lift *, ir_val truth, enum x86_vector, uint32_t error);
/* Something that the mode word or the dispatcher must see has changed: ends the block, to go on at
 * the next instruction. Every other put has been made. */
void x86_leave_state(struct x86_lift *);
/* The same where the state's pc has been written (by a helper). */
void x86_leave_to_state(struct x86_lift *);
/* x86_leave_state with the next instruction in the shadow of STI. */
void x86_leave_in_shadow(struct x86_lift *);

/* Leaves to run this instruction again when TRUTH holds: a repeated instruction has elements left. */
void x86_again_if(struct x86_lift *, ir_val truth);

/* NAME: a helper that may read and write all of the state and raise, and returns nothing. */
#define X86_HELPER(name, fn, nargs)                                                                \
    static const struct ir_helper name = {"x86_" #name, fn, IR_H_READS | IR_H_WRITES | IR_H_EXITS, \
                                          IR_VOID, nargs}
/* Calls a helper: one with IR_H_WRITES may change the flags (all cc slots), so that nothing is known
 * of them afterwards. Helpers that leave the flags alone are called by ir_call. */
ir_val x86_call(struct x86_lift *, const struct ir_helper *, ir_val a0, ir_val a1, ir_val a2,
                ir_val a3);

/* ---- control flow; TARGET is an offset in the code segment, cut to the operand size by the
 * callee's rules; nothing may be emitted after them but for branch_if ---- */
unsigned x86_branch_bits(const struct x86_lift *); /* operand size of a near branch */
void x86_branch(struct x86_lift *, ir_val offset); /* near, by value: I32 or I64 as l->bits */
void x86_branch_rel(struct x86_lift *);            /* to operand 0, relative */
/* To operand 0 when TRUTH holds, else to the next instruction (the block may go on). */
void x86_branch_rel_if(struct x86_lift *, ir_val truth);
/* #GP(0) unless the branch stays within the code segment and its target is canonical, for
 * instructions that change something else before they branch: to OFFSET, or to operand 0 when that
 * is IR_NONE; if TRUTH holds (or is IR_NONE). */
void x86_branch_check(struct x86_lift *, ir_val offset, ir_val truth);
/* Offset of the next (or current) instruction in its code segment, as a value of the stack's push
 * type: I64 in 64-bit code, else I32. */
ir_val x86_ip_next(struct x86_lift *);
ir_val x86_ip_this(struct x86_lift *);

/* ---- registers; N as encoded ---- */
static inline enum ir_type x86_type(unsigned bits)
{
    return bits == 64 ? IR_I64 : IR_I32;
}
ir_val x86_gpr_get(struct x86_lift *, unsigned n, unsigned bits);
/* 8 and 16 bits keep the rest of the register, 32 bits clear the upper half. */
void x86_gpr_put(struct x86_lift *, unsigned n, unsigned bits, ir_val v);
/* By Zydis's register, high bytes (AH) included. General registers only. */
ir_val x86_reg_get(struct x86_lift *, ZydisRegister);
void x86_reg_put(struct x86_lift *, ZydisRegister, ir_val v);

static inline ir_val x86_const(struct x86_lift *l, unsigned bits, uint64_t v)
{
    return bits == 64 ? ir_const64(l->b, v)
                      : ir_const32(l->b, (uint32_t)(bits == 32 ? v : v & ((1u << bits) - 1)));
}
/* V (of FROM bits) as a value of TO bits. */
ir_val x86_zext(struct x86_lift *, ir_val v, unsigned from, unsigned to);
ir_val x86_sext(struct x86_lift *, ir_val v, unsigned from, unsigned to);
/* V cut to BITS where an operation may have left more (8 and 16 bits); 32 and 64 give V. */
ir_val x86_cut(struct x86_lift *, ir_val v, unsigned bits);

/* ---- memory ---- */

/* Where an operand is: a register or an address that has been computed once. */
struct x86_place {
    bool mem;
    ZydisRegister reg;
    ir_val addr;   /* linear, of type l->word */
    uint16_t bits; /* size of the operand */
};
/* Offset of a memory operand in its segment, I64 or I32 as the address size (16 bits: I32, cut). */
ir_val x86_effective(struct x86_lift *, const ZydisDecodedOperand *);
/* Linear address of OFFSET in SEG (enum x86_seg) for an access of SIZE bytes; checks the segment
 * where it is not flat (#GP, #SS). ADDR_BITS: size of OFFSET. */
ir_val x86_linear(struct x86_lift *, unsigned seg, ir_val offset, unsigned addr_bits, unsigned size,
                  bool write);
/* Base of SEG as I64, 0 where it is flat. */
ir_val x86_segment_base64(struct x86_lift *, unsigned seg);
/* Linear address of memory operand N. */
ir_val x86_address(struct x86_lift *, const ZydisDecodedOperand *, bool write);
/* A linear address BYTES further. */
ir_val x86_address_add(struct x86_lift *, ir_val addr, int64_t bytes);

enum x86_access_flags {
    X86_RMW = 1,     /* a load whose place is then written: faults as a write */
    X86_SYSTEM = 2,  /* as supervisor whatever the CPL (descriptor tables, TSS) */
    X86_ALIGNED = 4, /* 16 or 32 bytes: #GP(0) unless aligned */
};
/* BITS: 8, 16, 32, 64; of 128 and 256 the vector lifters have their own. */
ir_val x86_load(struct x86_lift *, ir_val addr, unsigned bits, unsigned flags);
void x86_store(struct x86_lift *, ir_val addr, ir_val v, unsigned bits, unsigned flags);
uint16_t x86_memop(struct x86_lift *, unsigned bits, unsigned flags);
/* Faults as a store of BITS would, and does nothing. */
void x86_probe_write(struct x86_lift *, ir_val addr, unsigned bits);

/* ---- operands of the current instruction ---- */
/* Value of operand N, read; an immediate (sign-extended) comes in the size of operand 0. */
ir_val x86_read(struct x86_lift *, unsigned n);
void x86_write(struct x86_lift *, unsigned n, ir_val v);
/* For operands that are read and then written. FLAGS: X86_RMW or 0. */
struct x86_place x86_place(struct x86_lift *, unsigned n);
ir_val x86_place_read(struct x86_lift *, const struct x86_place *, unsigned flags);
/* EXPECTED is what was read: with a LOCK prefix (or LOCKED) the write is a compare-and-swap, and the
 * instruction starts over when another CPU was faster. */
void x86_place_write(struct x86_lift *, const struct x86_place *, ir_val v, ir_val expected,
                     bool locked);
/* Memory only: an atomic OP (IR_atomic_add …) with V; gives what was there. */
ir_val x86_place_atomic(struct x86_lift *, const struct x86_place *, enum ir_op, ir_val v);
/* enum x86_seg of a memory operand. */
static inline unsigned x86_operand_segment(const ZydisDecodedOperand *op)
{
    return (unsigned)(op->mem.segment - ZYDIS_REGISTER_ES);
}
static inline unsigned x86_op_bits(const struct x86_lift *l, unsigned n)
{
    return l->i->op[n].size;
}
static inline bool x86_has_lock(const struct x86_lift *l)
{
    return l->i->z.attributes & ZYDIS_ATTRIB_HAS_LOCK;
}
/* Size of addresses and of stack addresses of the current instruction. */
static inline unsigned x86_addr_bits(const struct x86_lift *l)
{
    return l->i->z.address_width;
}
static inline unsigned x86_stack_bits(const struct x86_lift *l)
{
    return l->mode & X86_KEY_CODE64 ? 64 : l->mode & X86_KEY_STACK32 ? 32 : 16;
}

/* ---- stack ---- */
/* Address of [SP + OFFSET], checked for BITS. */
ir_val x86_stack_address(struct x86_lift *, int32_t offset, unsigned bits, bool write);
/* SP += OFFSET, in the stack's address size. */
void x86_stack_move(struct x86_lift *, int32_t offset);
void x86_push(struct x86_lift *, ir_val v, unsigned bits);
/* The value on top; the pointer is moved by x86_stack_move once nothing can fault any more. */
ir_val x86_top(struct x86_lift *, unsigned bits);

/* ---- flags; see flags.h for what the operations store ---- */
/* The flags are those of OP (size added here). AUX and A may be IR_NONE where OP has none; A is the
 * first operand of ADD and SUB. */
void x86_cc_set(struct x86_lift *, enum x86_cc_op, unsigned bits, ir_val dst, ir_val src, ir_val aux,
                ir_val a);
/* Sets AF, which is clear: after an operation that leaves it undefined. */
void x86_cc_set_af(struct x86_lift *);
/* CF = 0/1 value, the others stay. */
void x86_cc_set_cf(struct x86_lift *, ir_val cf);
/* CF and OF = 0/1 values, the others stay. */
void x86_cc_set_cf_of(struct x86_lift *, ir_val cf, ir_val of);
/* All six from an I32 in their places of EFLAGS. */
void x86_cc_set_flags(struct x86_lift *, ir_val flags);
/* … which are those of a floating-point comparison of A and B (ir_fcmpx). */
void x86_cc_set_fcmp(struct x86_lift *, ir_val flags, ir_val a, ir_val b, enum ir_type);
/* Keeps the old flags where TRUTH holds: makes them a choice between SAVED, taken before, and now.
 * For shifts by 0. */
void x86_cc_restore_if(struct x86_lift *, ir_val truth, const struct x86_cc *saved);
/* Makes the knowledge definite: every slot's value, for x86_cc_restore_if. */
struct x86_cc x86_cc_save(struct x86_lift *);
ir_val x86_cc_flags(struct x86_lift *);              /* the six, I32 */
ir_val x86_cc_carry(struct x86_lift *);              /* CF as 0/1, I32 */
ir_val x86_cc_test(struct x86_lift *, unsigned cond); /* truth of condition 0..15 as encoded */
/* The knowledge is lost (label, helper that writes the flags). */
void x86_cc_forget(struct x86_lift *);

/* To be called first by instructions that change x87 state. */
void x86_mmx_stale(struct x86_lift *);

/* Bits of the offset that a far pointer in memory has, with operands of BITS. */
unsigned x86_far_offset_bits(const struct x86_lift *, unsigned bits);

/* ---- lifters shared between families; rows lead to the first of each pair ---- */
x86_lift_fn x86_jmp_far, x86_call_far, x86_ret_far;      /* far forms of JMP, CALL, RET */
x86_lift_fn x86_push_segment, x86_pop_segment; /* segment forms of PUSH and POP */
x86_lift_fn x86_mov_segment, x86_mov_control, x86_mov_debug; /* MOV to or from such registers */
/* Raises #GP(0) where CR4.UMIP keeps programs from the instruction. */
void x86_umip_check(struct x86_lift *);
x86_lift_fn x86_mmx_op; /* the forms with mm registers of instructions that SSE has too */
x86_lift_fn x86_movsd_vector, x86_cmpsd_vector; /* SSE2 forms of MOVSD and CMPSD */

/* ---- arguments of rows ---- */
enum x86_bit_op { X86_BT, X86_BTS, X86_BTR, X86_BTC };
enum x86_decimal { X86_AAA, X86_AAS, X86_AAM, X86_AAD, X86_DAA, X86_DAS };

#define X86_INSN(mnemonic, lift, arg) x86_lift_fn x86_##lift;
#include "guest/x86/insn.inc"
#undef X86_INSN

static inline unsigned x86_log2(unsigned bytes)
{
    return (unsigned)__builtin_ctz(bytes);
}

#endif
