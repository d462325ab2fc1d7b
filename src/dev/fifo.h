/* The receive FIFO of a UART. How many characters it may hold, up to its size, is the device's
 * affair: with FIFOs off it is one. */
#ifndef DEV_FIFO_H
#define DEV_FIFO_H

#include <stdbool.h>
#include <stdint.h>

#define DEV_FIFO_SIZE 16u

struct dev_fifo {
    uint8_t bytes[DEV_FIFO_SIZE];
    unsigned head, count;
};

/* False: DEPTH characters wait already. */
static inline bool dev_fifo_put(struct dev_fifo *f, unsigned depth, uint8_t byte)
{
    if (f->count >= depth)
        return false;
    f->bytes[(f->head + f->count++) % DEV_FIFO_SIZE] = byte;
    return true;
}

/* The oldest character, 0 when there is none. */
static inline uint8_t dev_fifo_take(struct dev_fifo *f)
{
    if (!f->count)
        return 0;
    uint8_t byte = f->bytes[f->head];
    f->head = (f->head + 1) % DEV_FIFO_SIZE;
    f->count--;
    return byte;
}

#endif
