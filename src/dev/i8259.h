/* The pair of 8259A interrupt controllers of a PC (Intel 231468): the second one on input 2 of the
 * first. Any thread. */
#ifndef DEV_I8259_H
#define DEV_I8259_H

#include <stdint.h>
#include "dev/irq.h"

struct i8259;

struct i8259 *i8259_new(struct dev_irq intr);
void i8259_free(struct i8259 *);

/* Ports 0x20, 0x21, 0xa0, 0xa1; 0x4d0 and 0x4d1 choose level triggering. */
uint32_t i8259_read(void *, uint16_t port, unsigned size);
void i8259_write(void *, uint16_t port, uint32_t value, unsigned size);
/* Inputs 0 to 15, but 2. */
void i8259_set_input(void *, unsigned line, bool level);
/* The CPU's acknowledge cycle: the vector. */
int i8259_acknowledge(void *);

#endif
