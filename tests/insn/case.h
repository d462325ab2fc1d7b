/* The text form of an instruction test:
 *
 *     stem bytes "asm" : before => after        # A32, bytes as words:      e2810004
 *     T:stem bytes "asm" : before => after      # Thumb, bytes as halfwords: f8d1 0004
 *
 * Several instructions may stand in BYTES; `steps=N` in BEFORE says how many are run (default 1).
 * `cpu=NAME` in BEFORE chooses the model. What AFTER does not name must be unchanged, except the
 * pc, which goes to the next instruction. Names: r0..r15 sp lr pc n z c v nzcv q ge it t mode cpsr
 * spsr fpscr tpidrurw tpidruro s0..s31 d0..d31, memory [ADDR].SIZE. AFTER may end with an
 * exception: undefined, svc N, bkpt N, halt, fault read|write|fetch ADDR. */
#ifndef TESTS_INSN_CASE_H
#define TESTS_INSN_CASE_H

#include "machine.h"

struct insn_case {
    const char *file;
    unsigned line;
    char stem[48], cpu[24];
    char text[512];
    unsigned steps;
    bool thumb;
    unsigned code_size; /* bytes of instructions, at before.r[15] */
    struct machine_state before, after;
};

/* Reads one line. 1: a case, 0: blank or comment, -1: malformed (WHY says how). */
int insn_case_parse(struct insn_case *, const char *file, unsigned line, const char *text,
                    const char **why);
/* Writes what differs between the expected and the actual state; the number of differences. */
unsigned insn_state_diff(char *out, size_t size, const struct machine_state *expected,
                         const struct machine_state *actual);

#endif
