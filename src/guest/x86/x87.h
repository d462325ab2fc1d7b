/* The x87 unit of the guest (SDM 1 chapter 8). Everything here works on the state's x87 part, which
 * translated code does not touch but for the registers as MMX ones. */
#ifndef GUEST_X86_X87_H
#define GUEST_X86_X87_H

#include "fp/x87.h"
#include "guest/x86/state.h"

/* What a helper is told about its instruction. */
#define X87_WHAT_OPCODE(what) ((unsigned)(what)&0x7ff) /* as x87_execute has it */
#define X87_WHAT_LENGTH(what) ((unsigned)(what) >> 16 & 15)
#define X87_WHAT_SEG(what)    ((unsigned)(what) >> 20 & 7)
#define X87_WHAT_MEMORY       (1u << 24) /* has a memory operand */

#define X87_CONTROL_INIT 0x37f /* what FNINIT sets */

/* The control word that counts. A bare CPU starts with 0, which no instruction loads: it stands for
 * FNINIT's. With CR0.NE clear a PC raises IRQ 13, and its handler the line IGNNE#; a bare CPU has
 * that asserted all the time, so that no exception waits. */
static inline uint16_t x87_control_word(const struct x86_state *s)
{
    unsigned cw = s->fpcw ? s->fpcw : X87_CONTROL_INIT;
    return (uint16_t)(s->bare && !(s->cr0 & 1u << 5) ? cw | X87_EXCEPTIONS : cw);
}

/* An exception that is not masked waits: #MF at the next waiting instruction, whatever CR0.NE. */
static inline bool x87_pending(const struct x86_state *s)
{
    return s->fpsw & ~x87_control_word(s) & X87_EXCEPTIONS;
}
/* Sets ES, B and the mode word's bit after the exceptions or their masks have changed. The block must
 * end where they may have. */
void x87_update(struct x86_state *);
/* What FLDCW, FLDENV and their sisters load: bits that do not exist are gone. */
void x87_set_control(struct x86_state *, unsigned cw);
void x87_set_status(struct x86_state *, unsigned sw);
void x87_init(struct x86_state *); /* FNINIT; keeps the registers' contents */

/* The tag word of SDM 1 8.1.7, and the state's tags out of one. */
uint16_t x87_tag_word(const struct x86_state *);
uint16_t x87_tags(unsigned tag_word);

void x87_to_image(const struct x86_state *, struct x87_image *);
/* The registers, status and tags; the pointers and the control word stay. */
void x87_from_image(struct x86_state *, const struct x87_image *);

/* Physical register of ST(I). */
static inline uint8_t *x87_st(struct x86_state *s, unsigned i)
{
    return s->fpr[((s->fpsw >> 11) + i) & 7];
}
static inline bool x87_empty(const struct x86_state *s, unsigned i)
{
    return !(s->fptag >> (((s->fpsw >> 11) + i) & 7) & 1);
}

/* ---- x87_fast.c: ordinary cases; false: nothing was done, x87_execute must ---- */

/* OPERAND: the memory operand's 10 bytes, null without. FLAGS: EFLAGS after instructions that set
 * them; before FCMOV, whether its condition holds. */
bool x87_fast(struct x86_state *, unsigned opcode, const void *operand, uint32_t *flags);
/* The value that FST, FIST or one of their sisters stores in memory, and the status word then, but
 * for the pop. */
bool x87_fast_store(const struct x86_state *, unsigned opcode, uint64_t *value, uint16_t *sw);

/* ---- helpers of lift_x87.c; WHAT: X87_WHAT bits, OFFSET: of the memory operand in its segment
 * ---- */

typedef uint64_t x87_helper_fn(struct nw_vcpu *, uint64_t, uint64_t, uint64_t, uint64_t);

x87_helper_fn x87_run;          /* what, offset, memory operand, its bits 64..79; gives EFLAGS */
x87_helper_fn x87_store;        /* what, offset, address, memop; gives the value to store … */
x87_helper_fn x87_store_high;   /* … and this its bits 64..79 */
x87_helper_fn x87_store_done;   /* what, offset; after the stores */
x87_helper_fn x87_load_control; /* what, control word: FLDCW */
x87_helper_fn x87_control, x87_status, x87_reset, x87_clear; /* FNSTCW, FNSTSW, FNINIT, FNCLEX */
x87_helper_fn x87_enter_mmx, x87_leave_mmx; /* what MMX instructions do to the stack, and EMMS */
/* Address, 32-bit format, memop of a byte: FNSTENV, FLDENV, FNSAVE, FRSTOR (x87_env.c). */
x87_helper_fn x87_store_environment, x87_load_environment, x87_save, x87_restore;

#endif
