/* The 8254 interval timer of a PC (Intel 231164), on the host's clock. Any thread. */
#ifndef DEV_I8254_H
#define DEV_I8254_H

#include <stdint.h>
#include "dev/irq.h"

struct i8254;

/* IRQ: the output of counter 0. Null when the host has no memory or thread. */
struct i8254 *i8254_new(struct dev_irq irq);
void i8254_free(struct i8254 *);

/* Ports 0x40 to 0x43, and 0x61: gate and output of counter 2. */
uint32_t i8254_read(void *, uint16_t port, unsigned size);
void i8254_write(void *, uint16_t port, uint32_t value, unsigned size);

#endif
