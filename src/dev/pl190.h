/* ARM PrimeCell PL190 vectored interrupt controller (ARM DDI 0181E). */
#ifndef DEV_PL190_H
#define DEV_PL190_H

#include <narwhal/narwhal.h>
#include "dev/irq.h"

#define PL190_SIZE 0x1000u

struct pl190;

struct pl190 *pl190_new(struct dev_irq irq, struct dev_irq fiq);
void pl190_free(struct pl190 *);
uint64_t pl190_read(void *vic, uint64_t offset, unsigned size);
void pl190_write(void *vic, uint64_t offset, uint64_t value, unsigned size);
/* Input LINE 0..31; the signature of dev_irq.set. Any thread. */
void pl190_set_input(void *vic, unsigned line, bool level);

#endif
