/* The clock and battery-backed memory of a PC (Motorola MC146818A): UTC of the host. No alarm and
 * no interrupts. On the vCPU's thread only. */
#ifndef DEV_MC146818_H
#define DEV_MC146818_H

#include <stdint.h>

struct mc146818;

/* RAM: bytes, for the locations where firmware notes its size. */
struct mc146818 *mc146818_new(uint64_t ram);
void mc146818_free(struct mc146818 *);

/* Ports 0x70 (index; bit 7, the NMI mask, is ignored) and 0x71. */
uint32_t mc146818_read(void *, uint16_t port, unsigned size);
void mc146818_write(void *, uint16_t port, uint32_t value, unsigned size);

#endif
