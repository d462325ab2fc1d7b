#include "dev/pl011.h"

#include <pthread.h>
#include <stdlib.h>
#include "dev/fifo.h"

enum reg { /* ARM DDI 0183G 3.2 */
           UARTDR = 0x00,
           UARTRSR = 0x04,
           UARTFR = 0x18,
           UARTILPR = 0x20,
           UARTIBRD = 0x24,
           UARTFBRD = 0x28,
           UARTLCR_H = 0x2c,
           UARTCR = 0x30,
           UARTIFLS = 0x34,
           UARTIMSC = 0x38,
           UARTRIS = 0x3c,
           UARTMIS = 0x40,
           UARTICR = 0x44,
           UARTDMACR = 0x48,
           UARTPERIPHID0 = 0xfe0,
};

enum { FR_RXFE = 1 << 4, FR_RXFF = 1 << 6, FR_TXFE = 1 << 7 };
enum { LCR_FEN = 1 << 4 };
enum { INT_RX = 1 << 4, INT_TX = 1 << 5, INT_RT = 1 << 6, INT_ALL = 0x7ff };

struct pl011 {
    pthread_mutex_t lock; /* the receiving thread against the vCPU */
    struct dev_irq irq;
    void (*transmit)(void *opaque, uint8_t byte);
    void *opaque;
    struct dev_fifo fifo;
    uint32_t ilpr, ibrd, fbrd, lcr, cr, ifls, imsc, ris, dmacr;
};

struct pl011 *pl011_new(struct dev_irq irq, void (*transmit)(void *, uint8_t), void *opaque)
{
    struct pl011 *u = calloc(1, sizeof *u);
    if (!u)
        return NULL;
    pthread_mutex_init(&u->lock, NULL);
    u->irq = irq;
    u->transmit = transmit;
    u->opaque = opaque;
    u->cr = 0x300;  /* reset: transmit and receive enabled, UART itself not (3.3.8) */
    u->ifls = 0x12; /* both FIFOs interrupt at half (3.3.9) */
    return u;
}

void pl011_free(struct pl011 *u)
{
    if (!u)
        return;
    pthread_mutex_destroy(&u->lock);
    free(u);
}

/* With FIFOs off the receiver holds one character (3.3.7, FEN). */
static unsigned depth(const struct pl011 *u)
{
    return u->lcr & LCR_FEN ? DEV_FIFO_SIZE : 1;
}

/* Characters in the FIFO at which the receive interrupt rises (3.3.9, RXIFLSEL). */
static unsigned receive_level(const struct pl011 *u)
{
    static const uint8_t eighths[8] = {1, 2, 4, 6, 7, 4, 4, 4};
    return u->lcr & LCR_FEN ? DEV_FIFO_SIZE * eighths[u->ifls >> 3 & 7] / 8 : 1;
}

static void update(struct pl011 *u)
{
    dev_irq_set(&u->irq, u->ris & u->imsc);
}

static uint32_t receive_take(struct pl011 *u)
{
    uint8_t byte = dev_fifo_take(&u->fifo);
    if (u->fifo.count < receive_level(u))
        u->ris &= ~(uint32_t)INT_RX;
    if (!u->fifo.count)
        u->ris &= ~(uint32_t)INT_RT;
    update(u);
    return byte;
}

static uint32_t flags(const struct pl011 *u)
{
    /* Sending takes no time: the transmitter is always empty. */
    uint32_t fr = FR_TXFE;
    if (!u->fifo.count)
        fr |= FR_RXFE;
    if (u->fifo.count >= depth(u))
        fr |= FR_RXFF;
    return fr;
}

static uint32_t read_locked(struct pl011 *u, uint64_t offset)
{
    static const uint8_t id[8] = {0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1};
    switch (offset) {
    case UARTDR: return receive_take(u);
    case UARTFR: return flags(u);
    case UARTILPR: return u->ilpr;
    case UARTIBRD: return u->ibrd;
    case UARTFBRD: return u->fbrd;
    case UARTLCR_H: return u->lcr;
    case UARTCR: return u->cr;
    case UARTIFLS: return u->ifls;
    case UARTIMSC: return u->imsc;
    case UARTRIS: return u->ris;
    case UARTMIS: return u->ris & u->imsc;
    case UARTDMACR: return u->dmacr;
    default:
        return offset >= UARTPERIPHID0 && offset < 0x1000 ? id[(offset - UARTPERIPHID0) / 4] : 0;
    }
}

uint64_t pl011_read(void *opaque, uint64_t offset, unsigned size)
{
    (void)size;
    struct pl011 *u = opaque;
    pthread_mutex_lock(&u->lock);
    uint32_t value = read_locked(u, offset & ~3ull);
    pthread_mutex_unlock(&u->lock);
    return value;
}

static void write_locked(struct pl011 *u, uint64_t offset, uint32_t v)
{
    switch (offset) {
    case UARTDR: u->ris |= INT_TX; break;
    case UARTILPR: u->ilpr = v & 0xff; break;
    case UARTIBRD: u->ibrd = v & 0xffff; break;
    case UARTFBRD: u->fbrd = v & 0x3f; break;
    case UARTLCR_H: u->lcr = v & 0xff; break;
    case UARTCR: u->cr = v & 0xff87; break;
    case UARTIFLS: u->ifls = v & 0x3f; break;
    case UARTIMSC: u->imsc = v & INT_ALL; break;
    case UARTICR: u->ris &= ~v; break;
    case UARTDMACR: u->dmacr = v & 7; break;
    default: break; /* read-only and reserved registers ignore writes */
    }
    update(u);
}

void pl011_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    (void)size;
    struct pl011 *u = opaque;
    offset &= ~3ull;
    if (offset == UARTDR)
        u->transmit(u->opaque, (uint8_t)value);
    pthread_mutex_lock(&u->lock);
    write_locked(u, offset, (uint32_t)value);
    pthread_mutex_unlock(&u->lock);
}

bool pl011_receive(struct pl011 *u, uint8_t byte)
{
    pthread_mutex_lock(&u->lock);
    bool room = dev_fifo_put(&u->fifo, depth(u), byte);
    if (room) {
        if (u->fifo.count >= receive_level(u))
            u->ris |= INT_RX;
        /* The line goes quiet after every character that a person types. */
        u->ris |= INT_RT;
        update(u);
    }
    pthread_mutex_unlock(&u->lock);
    return room;
}
