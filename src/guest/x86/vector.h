/* What the lifters of SSE and AVX share.
 *
 * One lift function serves an instruction in all its forms: legacy SSE (two operands, the upper half
 * of the ymm register stays), VEX.128 (three operands, the upper half becomes 0) and VEX.256. */
#ifndef GUEST_X86_VECTOR_H
#define GUEST_X86_VECTOR_H

#include "guest/x86/lift.h"

static inline bool x86_is_vex(const struct x86_insn *i)
{
    return i->z.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX;
}
static inline bool x86_is_reg(const struct x86_insn *i, unsigned n)
{
    return i->op[n].type == ZYDIS_OPERAND_TYPE_REGISTER;
}
static inline bool x86_is_mem(const struct x86_insn *i, unsigned n)
{
    return i->op[n].type == ZYDIS_OPERAND_TYPE_MEMORY;
}
/* Is operand N an mm register? */
bool x86_is_mm(const struct x86_insn *, unsigned n);

/* Are vector instructions enabled (SDM 3A 2.5, 13.1)? False: #UD or #NM has been raised. To be
 * called first. */
bool x86_vec_begin(struct x86_lift *);
/* Around operations that raise floating-point exceptions: when one is unmasked, what the operation
 * raised is looked at and #XM raised before the destination is written. */
void x86_fp_begin(struct x86_lift *);
void x86_fp_end(struct x86_lift *);

/* Row OP of TYPE on operands V. Where a floating-point exception is unmasked it is computed in
 * integers, which tell exactly what traps, and #XM raised. */
ir_val x86_vec_make(struct x86_lift *, enum vec_op, enum ir_type, const ir_val *v, unsigned imm);
/* To be added to aux of scalar operations whose result may overflow or underflow, between
 * x86_fp_begin and x86_fp_end. */
static inline uint16_t x86_fp_aux(const struct x86_lift *l)
{
    return l->mode & X86_KEY_FP_TRAP ? IR_FP_SOFT : 0;
}

/* The instruction's vector type: V256 when an operand is that wide. */
enum ir_type x86_vec_type(const struct x86_insn *);
/* Operand N as TYPE (V128, V256). A memory operand may be smaller: the rest is 0. Legacy SSE wants
 * 16 bytes aligned, #GP(0) otherwise. */
ir_val x86_vec_read(struct x86_lift *, unsigned n, enum ir_type);
/* The lowest element of operand N as TYPE (I32, I64, F32, F64), in memory of that size. */
ir_val x86_vec_read_low(struct x86_lift *, unsigned n, enum ir_type);
/* Register operand N = V, by the rule of the instruction's encoding. */
void x86_vec_write(struct x86_lift *, unsigned n, ir_val v, enum ir_type);
/* Its low element = V (F32, F64), the rest of the 128 bits from operand REST, or what it was in
 * legacy SSE. */
void x86_vec_write_low(struct x86_lift *, unsigned n, unsigned rest, ir_val v, enum ir_type);
/* A memory operand = V, with no rule about alignment unless ALIGNED. */
void x86_vec_store(struct x86_lift *, unsigned n, ir_val v, enum ir_type, bool aligned);
/* Register number (0..15) of vector operand N. */
unsigned x86_vec_reg(const struct x86_insn *, unsigned n);
/* Position of the first source: 0 in legacy SSE, 1 with VEX. */
static inline unsigned x86_vec_first(const struct x86_insn *i)
{
    return x86_is_vex(i) ? 1 : 0;
}
/* The 8-bit immediate, the last operand. */
unsigned x86_vec_imm(const struct x86_insn *);

#endif
