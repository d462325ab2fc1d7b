/* What differs between two results, in words. */
#ifndef TESTS_DIFF_X86_COMPARE_H
#define TESTS_DIFF_X86_COMPARE_H

#include "x86_case.h"

struct compare_rules {
    unsigned bits;
    uint32_t flags_ignored; /* of EFLAGS */
    bool any_byte; /* which byte of a page an access is said to have faulted at does not matter */
};

/* Writes the differences; their number. */
unsigned compare_results(char *out, size_t size, const struct compare_rules *,
                         const struct case_result *want, const struct case_result *got);
/* Registers of STATE: those of general use, and the x87 and vector ones that MASK selects. */
void print_state(const struct case_state *, unsigned bits, uint32_t vectors, bool x87);

#endif
