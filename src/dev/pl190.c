#include "dev/pl190.h"

#include <pthread.h>
#include <stdlib.h>

enum reg { /* ARM DDI 0181E 3.2 */
           IRQSTATUS = 0x00,
           FIQSTATUS = 0x04,
           RAWINTR = 0x08,
           INTSELECT = 0x0c,
           INTENABLE = 0x10,
           INTENCLEAR = 0x14,
           SOFTINT = 0x18,
           SOFTINTCLEAR = 0x1c,
           PROTECTION = 0x20,
           VECTADDR = 0x30,
           DEFVECTADDR = 0x34,
           VECTADDR0 = 0x100,
           VECTCNTL0 = 0x200,
           PERIPHID0 = 0xfe0,
};

#define VECTORS     16u
#define NO_VECTOR   VECTORS
#define IDLE        (VECTORS + 1)
#define CNTL_ENABLE 0x20u

struct pl190 {
    pthread_mutex_t lock;
    struct dev_irq irq, fiq;
    uint32_t inputs, soft, enable, select, protection, default_addr;
    uint32_t addr[VECTORS], control[VECTORS];
    unsigned active;            /* vector in service: masks its own and lower priorities */
    uint8_t stack[VECTORS + 2]; /* the ones it interrupted */
    unsigned depth;
};

struct pl190 *pl190_new(struct dev_irq irq, struct dev_irq fiq)
{
    struct pl190 *v = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    pthread_mutex_init(&v->lock, NULL);
    v->irq = irq;
    v->fiq = fiq;
    v->active = IDLE;
    return v;
}

void pl190_free(struct pl190 *v)
{
    if (!v)
        return;
    pthread_mutex_destroy(&v->lock);
    free(v);
}

static uint32_t raw(const struct pl190 *v)
{
    return v->inputs | v->soft;
}

static uint32_t irq_status(const struct pl190 *v)
{
    return raw(v) & v->enable & ~v->select;
}

/* The pending interrupt of highest priority: a vector number, NO_VECTOR for one without a vector,
 * IDLE for none (2.2.3). */
static unsigned pending(const struct pl190 *v)
{
    uint32_t status = irq_status(v);
    for (unsigned i = 0; i < VECTORS; i++) {
        if (v->control[i] & CNTL_ENABLE && status >> (v->control[i] & 31) & 1)
            return i;
    }
    return status ? NO_VECTOR : IDLE;
}

static void update(struct pl190 *v)
{
    dev_irq_set(&v->irq, pending(v) < v->active);
    dev_irq_set(&v->fiq, raw(v) & v->enable & v->select);
}

/* Reading VICVECTADDR takes the interrupt and masks lower priorities; writing it ends the service.
 */
static uint32_t take(struct pl190 *v)
{
    unsigned next = pending(v);
    if (next >= v->active)
        return v->active < VECTORS ? v->addr[v->active] : v->default_addr;
    v->stack[v->depth++] = (uint8_t)v->active;
    v->active = next;
    update(v);
    return next < VECTORS ? v->addr[next] : v->default_addr;
}

static void finish(struct pl190 *v)
{
    if (v->depth)
        v->active = v->stack[--v->depth];
}

static uint32_t read_locked(struct pl190 *v, uint64_t offset)
{
    static const uint8_t id[8] = {0x90, 0x11, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};
    if (offset >= VECTADDR0 && offset < VECTADDR0 + VECTORS * 4)
        return v->addr[(offset - VECTADDR0) / 4];
    if (offset >= VECTCNTL0 && offset < VECTCNTL0 + VECTORS * 4)
        return v->control[(offset - VECTCNTL0) / 4];
    if (offset >= PERIPHID0 && offset < 0x1000)
        return id[(offset - PERIPHID0) / 4];
    switch (offset) {
    case IRQSTATUS: return irq_status(v);
    case FIQSTATUS: return raw(v) & v->enable & v->select;
    case RAWINTR: return raw(v);
    case INTSELECT: return v->select;
    case INTENABLE: return v->enable;
    case SOFTINT: return v->soft;
    case PROTECTION: return v->protection;
    case VECTADDR: return take(v);
    case DEFVECTADDR: return v->default_addr;
    default: return 0;
    }
}

uint64_t pl190_read(void *opaque, uint64_t offset, unsigned size)
{
    (void)size;
    struct pl190 *v = opaque;
    pthread_mutex_lock(&v->lock);
    uint32_t value = read_locked(v, offset & ~3ull);
    pthread_mutex_unlock(&v->lock);
    return value;
}

static void write_locked(struct pl190 *v, uint64_t offset, uint32_t value)
{
    if (offset >= VECTADDR0 && offset < VECTADDR0 + VECTORS * 4)
        v->addr[(offset - VECTADDR0) / 4] = value;
    else if (offset >= VECTCNTL0 && offset < VECTCNTL0 + VECTORS * 4)
        v->control[(offset - VECTCNTL0) / 4] = value & 0x3f;
    switch (offset) {
    case INTSELECT: v->select = value; break;
    case INTENABLE: v->enable |= value; break;
    case INTENCLEAR: v->enable &= ~value; break;
    case SOFTINT: v->soft |= value; break;
    case SOFTINTCLEAR: v->soft &= ~value; break;
    case PROTECTION: v->protection = value & 1; break;
    case VECTADDR: finish(v); break;
    case DEFVECTADDR: v->default_addr = value; break;
    default: break;
    }
    update(v);
}

void pl190_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    (void)size;
    struct pl190 *v = opaque;
    pthread_mutex_lock(&v->lock);
    write_locked(v, offset & ~3ull, (uint32_t)value);
    pthread_mutex_unlock(&v->lock);
}

void pl190_set_input(void *opaque, unsigned line, bool level)
{
    struct pl190 *v = opaque;
    pthread_mutex_lock(&v->lock);
    v->inputs = (v->inputs & ~(1u << line)) | (uint32_t)level << line;
    update(v);
    pthread_mutex_unlock(&v->lock);
}
