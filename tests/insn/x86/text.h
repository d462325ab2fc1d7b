/* The text form of an x86 instruction test:
 *
 *     64: bytes "asm" : before => after
 *     32: bytes "asm" : before => after
 *
 *     amd 64: bytes "asm" : before => after
 *
 * BYTES are one or more instructions in hexadecimal, run up to a breakpoint behind them. What AFTER
 * does not name must be unchanged, except rip, which goes behind the code. AFTER may end with the
 * exception instead: #DE #UD #GP(0) #SS(0) #PF(2) 0xb000 …; rip is then that of the instruction
 * unless it is given.
 *
 * Names: rax..r15 rip, cf pf af zf sf of df eflags, mxcsr fpcw fpsw fptag (a bit per physical
 * register: not empty), st0..st7 (80 bits; sets the tag), xmm0..xmm15 ymm0..ymm15 (whole, in
 * hexadecimal), [ADDR].SIZE. A line with "amd" says
 * what only AMD's processors do. Memory is that of tests/diff/x86_case.h: writable at
 * 0x8000..0x9fff, read-only at 0xa000..0xafff, nothing around. */
#ifndef TESTS_INSN_X86_TEXT_H
#define TESTS_INSN_X86_TEXT_H

#include "../../diff/x86_case.h"

struct x86_text {
    unsigned bits, size; /* of BYTES */
    bool amd;            /* only AMD's processors do so */
    uint8_t bytes[128];
    char head[256]; /* up to "=>" */
    struct case_state before;
    uint8_t data[CASE_DATA_SIZE];
    struct case_result after;
};

/* Where the code begins. */
#define X86_TEXT_CODE (CASE_CODE + 0x40)

/* Reads one line. 1: a test, 0: blank or comment, -1: malformed (WHY says how). */
int x86_text_parse(struct x86_text *, const char *line, const char **why);
/* Prints the line with the "after" that RESULT is. */
void x86_text_print(const struct x86_text *, const struct case_result *result);

#endif
