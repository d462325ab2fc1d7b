/* The keyboard controller of a PC as far as firmware and kernels need it without a keyboard: self
 * test, output port, reset. On the vCPU's thread only. */
#ifndef DEV_I8042_H
#define DEV_I8042_H

#include <stdint.h>

struct i8042;

/* RESET is called when the guest pulls the CPU's reset line. */
struct i8042 *i8042_new(void (*reset)(void *), void *opaque);
void i8042_free(struct i8042 *);

/* Ports 0x60 and 0x64; 0x92, the fast way to A20 and reset. */
uint32_t i8042_read(void *, uint16_t port, unsigned size);
void i8042_write(void *, uint16_t port, uint32_t value, unsigned size);

#endif
