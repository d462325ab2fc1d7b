/* Building IR: what the lifters call.
 *
 * The builder folds constants and address arithmetic, simplifies (x + 0, select on a constant,
 * nzcv_test of known flag makers to plain compares), shares equal pure records, and forwards
 * get/put: a get after a put or get of the same slot gives the known value; one of the same place
 * and size but another class gives a bitcast; one of a vector's low element gives that element of a
 * known vector; other partial overlaps forget what was known. Labels and
 * state-writing calls forget everything they must. Out of memory sets region->oom and keeps
 * returning valid indices, so that lifters need no checks. */
#ifndef IR_BUILD_H
#define IR_BUILD_H

#include "fp/soft.h"
#include "ir/vec.h"

struct ir_builder;

/* One builder serves many regions in turn. Null when the host has no memory. */
struct ir_builder *ir_builder_new(void);
void ir_builder_free(struct ir_builder *);
/* Starts a region in REGION (cleared first with ir_region_clear). */
void ir_begin(struct ir_builder *, struct ir_region *region);
/* Ends it; no record may be added afterwards. */
void ir_end(struct ir_builder *);
struct ir_region *ir_region_of(struct ir_builder *);

/* Generic makers; aux as the row says. */
ir_val ir_op1(struct ir_builder *, enum ir_op, enum ir_type, ir_val a, uint16_t aux);
ir_val ir_op2(struct ir_builder *, enum ir_op, enum ir_type, ir_val a, ir_val b, uint16_t aux);
ir_val ir_op3(struct ir_builder *, enum ir_op, enum ir_type, ir_val a, ir_val b, ir_val c, uint16_t aux);

ir_val ir_const32(struct ir_builder *, uint32_t);
ir_val ir_const64(struct ir_builder *, uint64_t);
/* True, and the bits in *OUT, when V is known to be constant. */
bool ir_is_const(struct ir_builder *, ir_val v, uint64_t *out);

ir_val ir_get(struct ir_builder *, enum ir_type, uint32_t offset);
void ir_put(struct ir_builder *, enum ir_type, uint32_t offset, ir_val v);
/* What the slot holds is of no interest from here on: puts before it are dead unless a fault can see
 * them. The slot must be put before anything reads it for its value. */
void ir_drop(struct ir_builder *, enum ir_type, uint32_t offset);
/* A guest instruction begins. Counts region->ninsns. */
void ir_insn_start(struct ir_builder *, uint64_t pc, uint32_t aux);

ir_val ir_cmp(struct ir_builder *, enum ir_cc, enum ir_type operands, ir_val a, ir_val b);
ir_val ir_select(struct ir_builder *, enum ir_type, ir_val cond, ir_val yes, ir_val no);

/* FIRST..: lsb and width in bits, 1 <= width, lsb + width <= the type's width. */
ir_val ir_ubfx(struct ir_builder *, enum ir_type, ir_val a, unsigned lsb, unsigned width);
ir_val ir_sbfx(struct ir_builder *, enum ir_type, ir_val a, unsigned lsb, unsigned width);
ir_val ir_bfi(struct ir_builder *, enum ir_type, ir_val a, ir_val b, unsigned lsb, unsigned width);

/* RESULT is the value of the same a,b,carry sum when the lifter has made it (for folding tests of
 * Z and N against zero), or IR_NONE. CARRY is IR_NONE or a value of 0/1. */
ir_val ir_nzcv_add(struct ir_builder *, enum ir_type, ir_val a, ir_val b, ir_val carry, ir_val result);
ir_val ir_nzcv_sub(struct ir_builder *, enum ir_type, ir_val a, ir_val b, ir_val carry, ir_val result);
ir_val ir_nzcv_logic(struct ir_builder *, enum ir_type, ir_val a, ir_val carry, ir_val old_flags);
/* A truth value for ARM condition COND (0..13) of FLAGS; folded to a cmp where possible. */
ir_val ir_nzcv_test(struct ir_builder *, unsigned cond, ir_val flags);

/* a * b + c with one rounding; NEGATE: enum fp_negate bits. Under x86 rules a NaN among the operands
 * counts in the order a, b, c: the factors of VFMADD132/213/231 as their digits name them. */
ir_val ir_fma(struct ir_builder *, enum ir_type, ir_val a, ir_val b, ir_val c, unsigned negate);

/* For guests with FP_RULES_X86. TYPE is that of the operands, IR_F32 or IR_F64. */
/* ROUNDSS, ROUNDSD: ROUND is not FP_RA; QUIET: inexact is not raised. */
ir_val ir_fround(struct ir_builder *, enum ir_type, ir_val a, enum fp_round round, bool quiet);
/* UCOMISS; SIGNALING: COMISS. The flags as an I32, in their places of EFLAGS. */
ir_val ir_fcmpx(struct ir_builder *, enum ir_type, ir_val a, ir_val b, bool signaling);
/* A truth value: would Jcc jump after the fcmpx of the same operands? Costs the jump alone when that
 * fcmpx is the last to have touched the host's flags. Compares again otherwise, and so may raise the
 * fcmpx's exception flags once more: after vcpu_fp_take, test the fcmpx's bits instead. */
ir_val ir_fcc(struct ir_builder *, enum ir_fcc, enum ir_type operands, ir_val a, ir_val b);
/* CMPSS, CMPSD: all ones or 0, in a value of TYPE. PREDICATE 0..31. */
ir_val ir_fcmpm(struct ir_builder *, enum ir_type, ir_val a, ir_val b, unsigned predicate);

/* Vectors: memop size 4 (16 bytes) with V128, 5 (32 bytes) with V256. */
ir_val ir_ld(struct ir_builder *, enum ir_type, ir_val addr, uint16_t memop);
void ir_st(struct ir_builder *, enum ir_type, ir_val addr, ir_val v, uint16_t memop);
ir_val ir_cas(struct ir_builder *, enum ir_type, ir_val addr, ir_val expected, ir_val desired, uint16_t memop);
/* OP: IR_atomic_add and its sisters. */
ir_val ir_atomic(struct ir_builder *, enum ir_op op, enum ir_type, ir_val addr, ir_val v, uint16_t memop);
void ir_fence(struct ir_builder *);

/* ---- vectors: operation OP of ir/vec.inc on TYPE, V128 or V256 ----
 *
 * The operands are those of the row, in order; the value's type is the row's result. TYPE is V256
 * where a row has letter y and V128 where it has neither y nor v. The others have no meaning and
 * are what the verifier rejects. IMM has 8 bits. */
ir_val ir_v0(struct ir_builder *, enum ir_type, enum vec_op);
ir_val ir_v1(struct ir_builder *, enum ir_type, enum vec_op, ir_val a);
ir_val ir_v2(struct ir_builder *, enum ir_type, enum vec_op, ir_val a, ir_val b);
ir_val ir_v3(struct ir_builder *, enum ir_type, enum vec_op, ir_val a, ir_val b, ir_val c);
ir_val ir_v1i(struct ir_builder *, enum ir_type, enum vec_op, ir_val a, unsigned imm);
ir_val ir_v2i(struct ir_builder *, enum ir_type, enum vec_op, ir_val a, ir_val b, unsigned imm);

/* Arguments beyond the helper's nargs are ignored (pass IR_NONE). */
ir_val ir_call(struct ir_builder *, const struct ir_helper *, ir_val a0, ir_val a1, ir_val a2, ir_val a3);

/* After ir_insn_start, before anything that may leave the instruction. */
void ir_note(struct ir_builder *, struct ir_note);

/* Skips: make a label, jump to it, place it once, later. A skip on a constant is resolved. */
uint32_t ir_label_new(struct ir_builder *);
void ir_skip_if(struct ir_builder *, ir_val cond, uint32_t label);
void ir_skip_ifnot(struct ir_builder *, ir_val cond, uint32_t label);
void ir_label(struct ir_builder *, uint32_t label);

/* Exits. back_edge is found out by comparing PC with the current instruction's address. */
void ir_exit_if(struct ir_builder *, ir_val cond, uint64_t pc, uint32_t mode);
void ir_exit(struct ir_builder *, uint64_t pc, uint32_t mode);
void ir_exit_ind(struct ir_builder *, ir_val pc, ir_val mode);
/* ADVANCE: 0 for an exception at this instruction, its size for one after it (supervisor calls). */
void ir_exit_exc(struct ir_builder *, uint32_t exception, uint32_t payload, unsigned advance);
void ir_leave_if(struct ir_builder *, ir_val cond);
void ir_exit_state(struct ir_builder *);
/* True when the last record ends the region (no code can follow but a label). */
bool ir_ended(struct ir_builder *);

/* Short names for what lifters use all the time. */
#define IR_SHORT2(name)                                                                            \
    static inline ir_val ir_##name(struct ir_builder *b, enum ir_type t, ir_val x, ir_val y)       \
    {                                                                                              \
        return ir_op2(b, IR_##name, t, x, y, 0);                                                   \
    }
#define IR_SHORT1(name)                                                                            \
    static inline ir_val ir_##name(struct ir_builder *b, enum ir_type t, ir_val x)                 \
    {                                                                                              \
        return ir_op1(b, IR_##name, t, x, 0);                                                      \
    }
IR_SHORT2(add) IR_SHORT2(sub) IR_SHORT2(mul) IR_SHORT2(mulhu) IR_SHORT2(mulhs) IR_SHORT2(udiv)
IR_SHORT2(sdiv) IR_SHORT2(and) IR_SHORT2(or) IR_SHORT2(xor) IR_SHORT2(andn) IR_SHORT2(shl)
IR_SHORT2(shr) IR_SHORT2(sar) IR_SHORT2(ror) IR_SHORT2(pdep) IR_SHORT2(pext) IR_SHORT2(smin) IR_SHORT2(smax) IR_SHORT2(umin)
IR_SHORT2(umax) IR_SHORT2(fminx) IR_SHORT2(fmaxx) IR_SHORT2(fadd) IR_SHORT2(fsub) IR_SHORT2(fmul) IR_SHORT2(fdiv)
IR_SHORT1(not) IR_SHORT1(neg) IR_SHORT1(clz) IR_SHORT1(ctz) IR_SHORT1(popcnt) IR_SHORT1(bswap) IR_SHORT1(zext)
IR_SHORT1(sext) IR_SHORT1(trunc) IR_SHORT1(bitcast) IR_SHORT1(fsqrt) IR_SHORT1(fneg) IR_SHORT1(fabs)
IR_SHORT1(frcpx) IR_SHORT1(frsqrtx) IR_SHORT1(fcvt) IR_SHORT1(si2f) IR_SHORT1(ui2f)
#undef IR_SHORT1
#undef IR_SHORT2

#endif
