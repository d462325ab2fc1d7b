/* An interrupt output of a device: a wire to some input of the board's choosing. */
#ifndef DEV_IRQ_H
#define DEV_IRQ_H

#include <stdbool.h>

struct dev_irq {
    void (*set)(void *target, unsigned line, bool level); /* null: not connected */
    void *target;
    unsigned line;
};

static inline void dev_irq_set(const struct dev_irq *irq, bool level)
{
    if (irq->set)
        irq->set(irq->target, irq->line, level);
}

#endif
