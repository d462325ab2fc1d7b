/* ARM PrimeCell PL011 UART (ARM DDI 0183G), without DMA and modem lines. */
#ifndef DEV_PL011_H
#define DEV_PL011_H

#include <narwhal/narwhal.h>
#include "dev/irq.h"

#define PL011_SIZE 0x1000u

struct pl011;

/* TRANSMIT gets each byte sent, on the thread of the vCPU that wrote it. Null when the host has no
 * memory. */
struct pl011 *pl011_new(struct dev_irq irq, void (*transmit)(void *opaque, uint8_t byte),
                        void *opaque);
void pl011_free(struct pl011 *);

/* nw_mmio_read_fn and nw_mmio_write_fn; the opaque pointer is the struct pl011. */
uint64_t pl011_read(void *uart, uint64_t offset, unsigned size);
void pl011_write(void *uart, uint64_t offset, uint64_t value, unsigned size);

/* Delivers a received byte; false when the receive FIFO is full. Any thread. */
bool pl011_receive(struct pl011 *, uint8_t byte);

#endif
