/* Random values that find mistakes: corners more often than chance would. */
#ifndef TESTS_DIFF_X86_VALUES_H
#define TESTS_DIFF_X86_VALUES_H

#include "rng.h"
#include "x86_case.h"

uint64_t value_int(struct rng *);
/* 16 bytes: integers, floats, doubles, an 80-bit number, digits. */
void value_fill(struct rng *, uint8_t *to);
void value_f80(struct rng *, uint8_t *to);
/* Registers, flags and control words. */
void value_state(struct rng *, struct case_state *);
void value_data(struct rng *, uint8_t *data);

#endif
