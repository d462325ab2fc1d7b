#include "dev/i8259.h"

#include <pthread.h>
#include <stdlib.h>

enum { ICW1 = 0x10, ICW1_IC4 = 1, ICW1_SNGL = 2, ICW1_LTIM = 8, OCW3 = 8 };
enum { ICW4_AEOI = 2 };
enum { OCW3_RIS = 1, OCW3_RR = 2, OCW3_POLL = 4, OCW3_SMM = 0x20, OCW3_ESMM = 0x40 };

#define NO_INPUT 8u
#define CASCADE  2u
#define SPURIOUS 7u

struct chip {
    uint8_t inputs, request, service, mask, level; /* one bit an input */
    uint8_t base, lowest;                          /* vector of input 0; input of lowest priority */
    uint8_t step; /* of initialisation: the ICW that comes next, 0 for none */
    bool wants_icw4, single, aeoi, rotate_aeoi, read_isr, poll, special_mask;
};

struct i8259 {
    pthread_mutex_t lock;
    struct dev_irq intr;
    struct chip chips[2];
};

struct i8259 *i8259_new(struct dev_irq intr)
{
    struct i8259 *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    pthread_mutex_init(&p->lock, NULL);
    p->intr = intr;
    p->chips[0].lowest = p->chips[1].lowest = 7;
    return p;
}

void i8259_free(struct i8259 *p)
{
    if (!p)
        return;
    pthread_mutex_destroy(&p->lock);
    free(p);
}

/* The input of highest priority among BITS. */
static unsigned highest(const struct chip *c, unsigned bits)
{
    for (unsigned n = 1; n <= 8; n++) {
        unsigned input = (c->lowest + n) & 7;
        if (bits >> input & 1)
            return input;
    }
    return NO_INPUT;
}

static unsigned rank(const struct chip *c, unsigned input)
{
    return input == NO_INPUT ? 8 : (input - c->lowest - 1u) & 7;
}

/* The input that the chip would have served: not masked and, but in special mask mode, of higher
 * priority than what is in service. */
static unsigned pending(const struct chip *c)
{
    unsigned service = c->special_mask ? c->service & (uint8_t)~c->mask : c->service;
    unsigned input = highest(c, c->request & (uint8_t)~c->mask);
    return rank(c, input) < rank(c, highest(c, service)) ? input : NO_INPUT;
}

static void set_request(struct chip *c, unsigned input, bool level)
{
    uint8_t bit = (uint8_t)(1u << input);
    bool rises = level && !(c->inputs & bit);
    c->inputs = level ? c->inputs | bit : c->inputs & (uint8_t)~bit;
    if (rises || (level && c->level & bit))
        c->request |= bit;
    else if (!level)
        c->request &= (uint8_t)~bit; /* the request must hold until acknowledged */
}

static void update(struct i8259 *p)
{
    set_request(&p->chips[0], CASCADE, pending(&p->chips[1]) != NO_INPUT);
    dev_irq_set(&p->intr, pending(&p->chips[0]) != NO_INPUT);
}

/* Takes INPUT into service. */
static void serve(struct chip *c, unsigned input)
{
    uint8_t bit = (uint8_t)(1u << input);
    if (!(c->level & bit))
        c->request &= (uint8_t)~bit;
    if (!c->aeoi)
        c->service |= bit;
    else if (c->rotate_aeoi)
        c->lowest = (uint8_t)input;
}

int i8259_acknowledge(void *opaque)
{
    struct i8259 *p = opaque;
    pthread_mutex_lock(&p->lock);
    struct chip *c = &p->chips[0];
    unsigned input = pending(c);
    if (input != NO_INPUT)
        serve(c, input);
    if (input == CASCADE) {
        /* The edge of the cascade is new for each interrupt of the second chip. */
        c->inputs &= (uint8_t) ~(1u << CASCADE);
        c = &p->chips[1];
        input = pending(c);
        if (input != NO_INPUT)
            serve(c, input);
    }
    int vector = c->base + (int)(input == NO_INPUT ? SPURIOUS : input);
    update(p);
    pthread_mutex_unlock(&p->lock);
    return vector;
}

void i8259_set_input(void *opaque, unsigned line, bool level)
{
    struct i8259 *p = opaque;
    pthread_mutex_lock(&p->lock);
    set_request(&p->chips[line >> 3 & 1], line & 7, level);
    update(p);
    pthread_mutex_unlock(&p->lock);
}

static void begin(struct chip *c, uint8_t icw1)
{
    c->request = c->service = c->mask = 0;
    c->lowest = 7;
    c->aeoi = c->rotate_aeoi = c->read_isr = c->poll = c->special_mask = false;
    c->wants_icw4 = icw1 & ICW1_IC4;
    c->single = icw1 & ICW1_SNGL;
    if (icw1 & ICW1_LTIM)
        c->level = 0xff;
    c->step = 2;
}

/* OCW2: end of interrupt and rotation. */
static void end(struct chip *c, uint8_t ocw2)
{
    bool rotate = ocw2 & 0x80, specific = ocw2 & 0x40, eoi = ocw2 & 0x20;
    unsigned input = specific ? ocw2 & 7u : highest(c, c->service);
    if (!eoi && !specific) {
        c->rotate_aeoi = rotate;
        return;
    }
    if (input == NO_INPUT || (!eoi && !rotate))
        return;
    if (eoi)
        c->service &= (uint8_t) ~(1u << input);
    if (rotate)
        c->lowest = (uint8_t)input;
}

static void command(struct chip *c, uint8_t value)
{
    if (value & ICW1) {
        begin(c, value);
    } else if (value & OCW3) {
        if (value & OCW3_RR)
            c->read_isr = value & OCW3_RIS;
        if (value & OCW3_ESMM)
            c->special_mask = value & OCW3_SMM;
        c->poll = value & OCW3_POLL;
    } else {
        end(c, value);
    }
}

static void data(struct chip *c, uint8_t value)
{
    switch (c->step) {
    case 2:
        c->base = value & 0xf8;
        c->step = !c->single ? 3 : c->wants_icw4 ? 4 : 0;
        break;
    case 3: c->step = c->wants_icw4 ? 4 : 0; break; /* the wiring is what it is */
    case 4:
        c->aeoi = value & ICW4_AEOI;
        c->step = 0;
        break;
    default: c->mask = value; break;
    }
}

void i8259_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    struct i8259 *p = opaque;
    (void)size;
    pthread_mutex_lock(&p->lock);
    if (port == 0x4d0 || port == 0x4d1) /* 0, 1, 2, 8 and 13 are edges always */
        p->chips[port & 1].level = (uint8_t)value & (port & 1 ? 0xde : 0xf8);
    else if (port & 1)
        data(&p->chips[port >> 7 & 1], (uint8_t)value);
    else
        command(&p->chips[port >> 7 & 1], (uint8_t)value);
    update(p);
    pthread_mutex_unlock(&p->lock);
}

static uint8_t poll(struct chip *c)
{
    unsigned input = pending(c);
    c->poll = false;
    if (input == NO_INPUT)
        return 0;
    serve(c, input);
    return (uint8_t)(0x80 | input);
}

uint32_t i8259_read(void *opaque, uint16_t port, unsigned size)
{
    struct i8259 *p = opaque;
    uint32_t value;
    (void)size;
    pthread_mutex_lock(&p->lock);
    struct chip *c = &p->chips[port >> 7 & 1];
    if (port == 0x4d0 || port == 0x4d1)
        value = p->chips[port & 1].level;
    else if (c->poll)
        value = poll(c);
    else if (port & 1)
        value = c->mask;
    else
        value = c->read_isr ? c->service : c->request;
    update(p);
    pthread_mutex_unlock(&p->lock);
    return value;
}
