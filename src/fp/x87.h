/* The host's x87 unit as a machine for 80-bit arithmetic. x86-64 hosts only so far; another host
 * needs these calls in software.
 *
 * A number is 10 bytes as in memory: 64 bits of mantissa, 15 of exponent and the sign. Every call
 * leaves the host's unit as it found it but for its sticky flags; MXCSR is not touched. */
#ifndef FP_X87_H
#define FP_X87_H

#include <stdbool.h>
#include <stdint.h>

/* The status word (Intel SDM 1 8.1.3); the exceptions' masks in the control word are the same bits
 * as X87_EXCEPTIONS. */
enum x87_status {
    X87_IE = 1 << 0,
    X87_DE = 1 << 1,
    X87_ZE = 1 << 2,
    X87_OE = 1 << 3,
    X87_UE = 1 << 4,
    X87_PE = 1 << 5,
    X87_SF = 1 << 6,
    X87_ES = 1 << 7,
    X87_C0 = 1 << 8,
    X87_C1 = 1 << 9,
    X87_C2 = 1 << 10,
    X87_TOP = 7 << 11,
    X87_C3 = 1 << 14,
    X87_B = 1 << 15,
    X87_EXCEPTIONS = 0x3f,
};

/* What FNSAVE stores in 32-bit protected mode (SDM 1 8.1.10). */
struct x87_image {
    uint32_t cw, sw, tw;
    uint32_t ip, cs, dp, ds;
    uint8_t st[8][10]; /* from the top of the stack */
} __attribute__((packed));

/* Executes the instruction OPCODE on the unit as IMAGE has it: the low 3 bits of its first byte in
 * bits 8..10, its second byte below. One with a memory operand (second byte below 0xc0) has it at
 * OPERAND, 10 bytes. The image must have no exception pending. EFLAGS before; gives them after.
 * Not for instructions that move the environment or AX. */
uint64_t x87_execute(struct x87_image *image, unsigned opcode, void *operand, uint64_t eflags);

enum x87_operation { X87_ADD, X87_MUL, X87_SUB, X87_SUBR, X87_DIV, X87_DIVR, X87_SQRT, X87_RNDINT };

/* Under which control word an operation runs, all exceptions masked, and which exceptions it need
 * not tell from new ones: clearing the host's sticky flags costs more than the operation. */
struct x87_mode {
    uint16_t cw, known;
};

/* D = a op b; SUBR and DIVR have them exchanged. Gives the exceptions, among them perhaps some that
 * are known, and C1 where the result has been rounded up. D is neither A nor B. */
unsigned x87_compute(enum x87_operation, struct x87_mode, void *d, const void *a, const void *b);
/* C0, C2, C3 and exceptions of comparing A with B; QUIET: quiet NaNs are not invalid. */
unsigned x87_compare(bool quiet, struct x87_mode, const void *a, const void *b);
/* A as a float, a double or an integer of 16, 32 or 64 bits, in D; gives the status. */
unsigned x87_to_float(struct x87_mode, float *d, const void *a);
unsigned x87_to_double(struct x87_mode, double *d, const void *a);
unsigned x87_to_integer(struct x87_mode, unsigned bits, int64_t *d, const void *a);

#endif
