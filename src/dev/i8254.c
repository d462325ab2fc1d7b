#include "dev/i8254.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define HZ 1193182u

enum { RW_LATCH, RW_LOW, RW_HIGH, RW_BOTH };
enum { STATUS_OUT = 0x80, STATUS_NULL = 0x40 };
enum { PORT_GATE2 = 1, PORT_SPEAKER = 2, PORT_REFRESH = 0x10, PORT_OUT2 = 0x20 };

struct counter {
    uint8_t mode, access;
    bool bcd, gate;
    bool high_next_write, high_next_read; /* of two bytes */
    uint8_t low;                          /* the first byte written */
    uint32_t count;                       /* 1 to 0x10000, or to 10000 */
    bool loaded;                          /* a count has been written since the mode */
    uint64_t start;                       /* clock of the timer when it began to count */
    uint16_t latch;
    uint8_t latched; /* bytes of it to read */
    uint8_t status;
    bool status_latched;
};

struct i8254 {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    bool end;
    struct dev_irq irq;
    bool irq_level;
    uint64_t next;   /* when the output of counter 0 rises; 0: never */
    uint8_t control; /* port 0x61 */
    struct counter counters[3];
};

/* Periods of HZ since some time. */
static uint64_t clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * HZ + (uint64_t)t.tv_nsec * HZ / 1000000000;
}

static bool periodic(const struct counter *c)
{
    return c->mode == 2 || c->mode == 3;
}

static uint64_t elapsed(const struct counter *c, uint64_t now)
{
    return c->loaded && (c->gate || c->mode == 1 || c->mode == 5) ? now - c->start : 0;
}

/* What the counting element holds. */
static uint32_t value_at(const struct counter *c, uint64_t now)
{
    uint64_t t = elapsed(c, now);
    if (c->mode == 3)
        return (uint32_t)(c->count - 2 * t % c->count) & ~1u;
    if (periodic(c))
        return (uint32_t)(c->count - t % c->count);
    return (uint32_t)((c->count - t) % (c->bcd ? 10000 : 0x10000));
}

static bool output_at(const struct counter *c, uint64_t now)
{
    uint64_t t = elapsed(c, now);
    switch (c->mode) {
    case 0: return c->loaded && t >= c->count;
    case 1: return !c->loaded || t >= c->count;
    case 2: return t % c->count != c->count - 1;
    case 3: return t % c->count < (c->count + 1) / 2;
    default: return !c->loaded || t != c->count; /* low for one period when it ends */
    }
}

static void set_irq(struct i8254 *p, bool level)
{
    if (level != p->irq_level)
        dev_irq_set(&p->irq, level);
    p->irq_level = level;
}

static void wait_until(struct i8254 *p, uint64_t when)
{
    struct timespec t = {(time_t)(when / HZ), (long)(when % HZ * 1000000000 / HZ) + 999};
    if (t.tv_nsec > 999999999)
        t.tv_nsec = 999999999;
    if (when)
        pthread_cond_timedwait(&p->changed, &p->lock, &t);
    else
        pthread_cond_wait(&p->changed, &p->lock);
}

/* Raises the interrupt of counter 0. Periods that the host slept through give one. */
static void *tick(void *opaque)
{
    struct i8254 *p = opaque;
    const struct counter *c = &p->counters[0];
    pthread_mutex_lock(&p->lock);
    while (!p->end) {
        uint64_t now = clock_now();
        if (!p->next || now < p->next) {
            wait_until(p, p->next);
            continue;
        }
        if (periodic(c))
            set_irq(p, false);
        set_irq(p, true);
        p->next = periodic(c) ? c->start + (elapsed(c, now) / c->count + 1) * c->count : 0;
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

struct i8254 *i8254_new(struct dev_irq irq)
{
    struct i8254 *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->irq = irq;
    for (unsigned n = 0; n < 3; n++)
        p->counters[n] =
            (struct counter){.mode = 3, .access = RW_BOTH, .gate = n < 2, .count = 0x10000};
    pthread_mutex_init(&p->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&p->changed, &attr);
    pthread_condattr_destroy(&attr);
    if (pthread_create(&p->thread, NULL, tick, p) == 0)
        return p;
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    free(p);
    return NULL;
}

void i8254_free(struct i8254 *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->end = true;
    pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static uint32_t from_bcd(uint32_t v)
{
    return (v >> 12) * 1000 + (v >> 8 & 15) * 100 + (v >> 4 & 15) * 10 + (v & 15);
}

static uint32_t to_bcd(uint32_t v)
{
    return v / 1000 % 10 << 12 | v / 100 % 10 << 8 | v / 10 % 10 << 4 | v % 10;
}

static void load(struct i8254 *p, struct counter *c, uint32_t count)
{
    if (c->bcd)
        count = from_bcd(count);
    c->count = count ? count : c->bcd ? 10000 : 0x10000;
    c->loaded = true;
    c->start = clock_now();
    if (c == &p->counters[0]) {
        if (!periodic(c))
            set_irq(p, false);
        p->next =
            c->mode == 1 || c->mode == 5 ? 0 : c->start + c->count; /* those wait for a gate */
    }
    pthread_cond_signal(&p->changed);
}

static void write_count(struct i8254 *p, struct counter *c, uint8_t value)
{
    switch (c->access) {
    case RW_LOW: load(p, c, value); break;
    case RW_HIGH: load(p, c, (uint32_t)value << 8); break;
    default:
        if (c->high_next_write)
            load(p, c, (uint32_t)value << 8 | c->low);
        else
            c->low = value;
        c->high_next_write = !c->high_next_write;
    }
}

static uint16_t shown(const struct counter *c)
{
    uint32_t value = value_at(c, clock_now());
    return (uint16_t)(c->bcd ? to_bcd(value) : value);
}

static void latch(struct counter *c)
{
    if (c->latched)
        return;
    c->latch = shown(c);
    c->latched = c->access == RW_BOTH ? 2 : 1;
}

static void read_back(struct counter *c, uint8_t command)
{
    if (!(command & 0x20))
        latch(c);
    if (command & 0x10 || c->status_latched)
        return;
    c->status_latched = true;
    c->status = (uint8_t)(c->access << 4 | c->mode << 1 | c->bcd);
    if (output_at(c, clock_now()))
        c->status |= STATUS_OUT;
    if (!c->loaded)
        c->status |= STATUS_NULL;
}

static void control(struct i8254 *p, uint8_t value)
{
    unsigned select = value >> 6;
    if (select == 3) {
        for (unsigned n = 0; n < 3; n++) {
            if (value >> (n + 1) & 1)
                read_back(&p->counters[n], value);
        }
        return;
    }
    struct counter *c = &p->counters[select];
    if ((value >> 4 & 3) == RW_LATCH) {
        latch(c);
        return;
    }
    *c = (struct counter){.access = value >> 4 & 3,
                          .mode = value >> 1 & 7,
                          .bcd = value & 1,
                          .gate = c->gate,
                          .count = 0x10000};
    if (c->mode > 5)
        c->mode &= 3;
    if (select == 0) {
        set_irq(p, c->mode != 0);
        p->next = 0;
    }
    pthread_cond_signal(&p->changed);
}

static uint8_t read_count(struct counter *c)
{
    if (c->status_latched) {
        c->status_latched = false;
        return c->status;
    }
    bool high = c->access == RW_HIGH || (c->access == RW_BOTH && c->high_next_read);
    uint16_t value = c->latched ? c->latch : shown(c);
    if (c->latched)
        c->latched--;
    if (c->access == RW_BOTH)
        c->high_next_read = !c->high_next_read;
    return (uint8_t)(high ? value >> 8 : value);
}

uint32_t i8254_read(void *opaque, uint16_t port, unsigned size)
{
    struct i8254 *p = opaque;
    uint32_t value = 0xff; /* the control word cannot be read */
    (void)size;
    pthread_mutex_lock(&p->lock);
    if (port == 0x61) {
        uint64_t now = clock_now();
        value = p->control | (now / 18 & 1 ? PORT_REFRESH : 0) |
                (output_at(&p->counters[2], now) ? PORT_OUT2 : 0);
    } else if (port < 0x43) {
        value = read_count(&p->counters[port & 3]);
    }
    pthread_mutex_unlock(&p->lock);
    return value;
}

static void write_gate(struct i8254 *p, uint8_t value)
{
    struct counter *c = &p->counters[2];
    bool gate = value & PORT_GATE2;
    if (gate && !c->gate)
        c->start = clock_now();
    c->gate = gate;
    p->control = value & (PORT_GATE2 | PORT_SPEAKER);
}

void i8254_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    struct i8254 *p = opaque;
    (void)size;
    pthread_mutex_lock(&p->lock);
    if (port == 0x61)
        write_gate(p, (uint8_t)value);
    else if (port == 0x43)
        control(p, (uint8_t)value);
    else
        write_count(p, &p->counters[port & 3], (uint8_t)value);
    pthread_mutex_unlock(&p->lock);
}
