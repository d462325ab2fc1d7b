/* The 16550A serial port of a PC (TI SLLS597): eight ports. Any thread. */
#ifndef DEV_UART16550_H
#define DEV_UART16550_H

#include <stdint.h>
#include "dev/irq.h"

struct uart16550;

struct uart16550 *uart16550_new(struct dev_irq irq, void (*transmit)(void *, uint8_t),
                                void *opaque);
void uart16550_free(struct uart16550 *);

/* The low three bits of PORT choose the register. */
uint32_t uart16550_read(void *, uint16_t port, unsigned size);
void uart16550_write(void *, uint16_t port, uint32_t value, unsigned size);
/* A byte from outside; false when there is no room for it. */
bool uart16550_receive(struct uart16550 *, uint8_t byte);

#endif
