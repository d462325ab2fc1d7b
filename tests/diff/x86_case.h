/* One case of the x86 differential test: the state before and after some instructions, the same for
 * the host CPU and for Narwhal.
 *
 * Addresses are the same on both sides. Code lies in one region that nobody writes, data in three:
 * two pages low enough for 16-bit addresses with a read-only page behind them, and one page that
 * needs more than 32 bits; what surrounds them is not mapped. */
#ifndef TESTS_DIFF_X86_CASE_H
#define TESTS_DIFF_X86_CASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CASE_PAGE      0x1000u
#define CASE_LOW       0x8000u /* two pages that can be written */
#define CASE_LOW_SIZE  0x2000u
#define CASE_RO        0xa000u /* one that cannot */
#define CASE_RO_SIZE   0x1000u
#define CASE_HIGH      0x123456789000ull
#define CASE_HIGH_SIZE 0x1000u
#define CASE_DATA_SIZE (CASE_LOW_SIZE + CASE_RO_SIZE + CASE_HIGH_SIZE)
#define CASE_CODE      0x20000u
#define CASE_CODE_SIZE 0x40000u

/* CS of both sizes of code. */
#define CASE_CS64 0x33
#define CASE_CS32 0x23

/* What FS and GS are in 32-bit code: segments of the host's LDT (modify_ldt). */
#define CASE_FS_BASE32 0x1230u
#define CASE_GS_BASE32 0xfffe0000u

/* General registers by their encodings. */
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

struct case_state {
    uint64_t gpr[16], rip;
    uint64_t fs_base, gs_base;
    uint32_t eflags, mxcsr;
    uint16_t fpcw, fpsw, fptag; /* FPTAG: bit n, physical register n is not empty */
    uint16_t fpop;
    uint64_t fpip, fpdp;
    uint16_t cs, ds, es, fs, gs; /* selectors */
    uint8_t st[8][16];           /* physical order, 10 bytes each */
    uint8_t ymm[16][32];
};

enum case_end {
    CASE_BREAK, /* the breakpoint behind the code, or another one; rip is its address */
    CASE_FAULT,
    CASE_HANG,
    CASE_ERROR, /* the engine failed */
};

struct case_outcome {
    enum case_end end;
    uint8_t vector;
    uint32_t error; /* code, where the vector has one */
    uint64_t addr;  /* CR2 of a page fault */
};

/* How something runs a case. */
struct case_result {
    struct case_state state;
    struct case_outcome outcome;
    uint8_t data[CASE_DATA_SIZE];
};

/* Where the byte at ADDR lies in an image of the data, or -1. */
static inline int case_data_at(uint64_t addr)
{
    if (addr - CASE_LOW < CASE_LOW_SIZE + CASE_RO_SIZE)
        return (int)(addr - CASE_LOW);
    if (addr - CASE_HIGH < CASE_HIGH_SIZE)
        return (int)(addr - CASE_HIGH) + (int)(CASE_LOW_SIZE + CASE_RO_SIZE);
    return -1;
}

static inline uint64_t case_data_addr(unsigned at)
{
    return at < CASE_LOW_SIZE + CASE_RO_SIZE ? CASE_LOW + at
                                             : CASE_HIGH + (at - CASE_LOW_SIZE - CASE_RO_SIZE);
}

#endif
