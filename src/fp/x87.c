#include "fp/x87.h"

#include <string.h>

_Static_assert(sizeof(struct x87_image) == 108, "as FNSAVE stores it");

/* One stub for each instruction, 4 bytes apart: 64 with a memory operand at [rcx], by first byte
 * and opcode extension, then 512 without one, by first and second byte. */
#define STUBS_MEMORY 64
__asm__(".pushsection .text\n"
        ".p2align 6\n"
        "x87_stubs:\n"
        ".set first, 0xd8\n"
        ".rept 8\n"
        "  .set second, 0x01\n"
        "  .rept 8\n"
        "    .byte first, second, 0xc3, 0xcc\n"
        "    .set second, second + 8\n"
        "  .endr\n"
        "  .set first, first + 1\n"
        ".endr\n"
        ".set first, 0xd8\n"
        ".rept 8\n"
        "  .set second, 0xc0\n"
        "  .rept 64\n"
        "    .byte first, second, 0xc3, 0xcc\n"
        "    .set second, second + 1\n"
        "  .endr\n"
        "  .set first, first + 1\n"
        ".endr\n"
        /* rdi = image, esi = stub's number, rdx = eflags, rcx = operand */
        ".globl x87_run_stub\n"
        ".hidden x87_run_stub\n"
        ".type x87_run_stub, @function\n"
        "x87_run_stub:\n"
        "  sub $24, %rsp\n"
        "  fnstcw (%rsp)\n"
        "  frstor (%rdi)\n"
        "  lea x87_stubs(%rip), %rax\n"
        "  lea (%rax,%rsi,4), %rax\n"
        "  push %rdx\n"
        "  popfq\n"
        "  call *%rax\n"
        "  pushfq\n"
        "  pop %rax\n"
        "  fnsave (%rdi)\n"
        "  fldcw (%rsp)\n"
        "  add $24, %rsp\n"
        "  ret\n"
        ".size x87_run_stub, . - x87_run_stub\n"
        ".popsection\n");

uint64_t x87_run_stub(struct x87_image *, uint64_t stub, uint64_t eflags, void *operand);

uint64_t x87_execute(struct x87_image *image, unsigned opcode, void *operand, uint64_t eflags)
{
    unsigned first = opcode >> 8 & 7, second = opcode & 0xff;
    unsigned stub =
        second < 0xc0 ? first * 8 + (second >> 3 & 7) : STUBS_MEMORY + first * 64 + (second - 0xc0);
    return x87_run_stub(image, stub, eflags, operand);
}

/* ---- single operations ---- */

struct ten_bytes {
    uint8_t byte[10];
};

enum { PRECISION_ROUNDING = 0xf00, SHAPE = PRECISION_ROUNDING | X87_EXCEPTIONS };

/* A control word with the precision and rounding of CW and all exceptions masked. */
static uint16_t masked(unsigned cw)
{
    return (uint16_t)((cw & PRECISION_ROUNDING) | X87_EXCEPTIONS | 0x40);
}

/* Gives the host's control word for end(). */
static inline uint16_t begin(struct x87_mode mode)
{
    uint16_t host, wanted = masked(mode.cw);
    __asm__ volatile("fnstcw %0" : "=m"(host));
    if ((host & SHAPE) != (wanted & SHAPE))
        __asm__ volatile("fldcw %0" : : "m"(wanted));
    return host;
}

static inline unsigned end(struct x87_mode mode, uint16_t host, uint16_t sw)
{
    if ((host & SHAPE) != (masked(mode.cw) & SHAPE))
        __asm__ volatile("fldcw %0" : : "m"(host));
    return sw & ~(unsigned)(X87_TOP | X87_ES | X87_B);
}

/* Are there exceptions in SW that the operation may not have raised? Then they are gone, and it is
 * to be done again. */
static inline bool doubtful(struct x87_mode mode, uint16_t sw, bool *again)
{
    if (!(sw & (X87_EXCEPTIONS | X87_SF) & ~mode.known) || *again)
        return false;
    __asm__ volatile("fnclex");
    *again = true;
    return true;
}

#define TEN(p) (*(const struct ten_bytes *)(p))

#define BINARY(instruction)                                                                        \
    __asm__ volatile("fldt %3\n\tfldt %2\n\t" instruction " %%st(1), %%st\n\t"                     \
                     "fnstsw %0\n\tfstpt %1\n\tfstp %%st(0)"                                       \
                     : "=&a"(sw), "=m"(*(struct ten_bytes *)d)                                     \
                     : "m"(TEN(a)), "m"(TEN(b)))
#define UNARY(instruction)                                                                         \
    __asm__ volatile("fldt %2\n\t" instruction "\n\tfnstsw %0\n\tfstpt %1"                         \
                     : "=&a"(sw), "=m"(*(struct ten_bytes *)d)                                     \
                     : "m"(TEN(a)))

static uint16_t compute(enum x87_operation op, void *d, const void *a, const void *b)
{
    uint16_t sw = 0;
    switch (op) {
    case X87_ADD: BINARY("fadd"); break;
    case X87_MUL: BINARY("fmul"); break;
    case X87_SUB: BINARY("fsub"); break;
    case X87_SUBR: BINARY("fsubr"); break;
    case X87_DIV: BINARY("fdiv"); break;
    case X87_DIVR: BINARY("fdivr"); break;
    case X87_SQRT: UNARY("fsqrt"); break;
    case X87_RNDINT: UNARY("frndint"); break;
    }
    return sw;
}

unsigned x87_compute(enum x87_operation op, struct x87_mode mode, void *d, const void *a,
                     const void *b)
{
    uint16_t host = begin(mode), sw;
    bool again = false;
    do
        sw = compute(op, d, a, b);
    while (doubtful(mode, sw, &again));
    return end(mode, host, sw);
}

#define COMPARE(instruction)                                                                       \
    __asm__ volatile("fldt %2\n\tfldt %1\n\t" instruction "\n\tfnstsw %0"                          \
                     : "=&a"(sw)                                                                   \
                     : "m"(TEN(a)), "m"(TEN(b)))

unsigned x87_compare(bool quiet, struct x87_mode mode, const void *a, const void *b)
{
    uint16_t host = begin(mode), sw;
    bool again = false;
    do {
        if (quiet)
            COMPARE("fucompp");
        else
            COMPARE("fcompp");
    } while (doubtful(mode, sw, &again));
    return end(mode, host, sw);
}

#define CONVERT(instruction, to)                                                                   \
    __asm__ volatile("fldt %2\n\t" instruction " %1\n\tfnstsw %0"                                  \
                     : "=&a"(sw), "=m"(to)                                                         \
                     : "m"(TEN(a)))

unsigned x87_to_float(struct x87_mode mode, float *d, const void *a)
{
    uint16_t host = begin(mode), sw;
    bool again = false;
    do
        CONVERT("fstps", *d);
    while (doubtful(mode, sw, &again));
    return end(mode, host, sw);
}

unsigned x87_to_double(struct x87_mode mode, double *d, const void *a)
{
    uint16_t host = begin(mode), sw;
    bool again = false;
    do
        CONVERT("fstpl", *d);
    while (doubtful(mode, sw, &again));
    return end(mode, host, sw);
}

static uint16_t to_integer(unsigned bits, int64_t *d, const void *a)
{
    uint16_t sw;
    int16_t half;
    int32_t word;
    if (bits == 16) {
        CONVERT("fistps", half);
        *d = half;
    } else if (bits == 32) {
        CONVERT("fistpl", word);
        *d = word;
    } else {
        CONVERT("fistpll", *d);
    }
    return sw;
}

unsigned x87_to_integer(struct x87_mode mode, unsigned bits, int64_t *d, const void *a)
{
    uint16_t host = begin(mode), sw;
    bool again = false;
    do
        sw = to_integer(bits, d, a);
    while (doubtful(mode, sw, &again));
    return end(mode, host, sw);
}
