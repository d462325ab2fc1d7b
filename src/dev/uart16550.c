#include "dev/uart16550.h"

#include <pthread.h>
#include <stdlib.h>
#include "dev/fifo.h"

enum { DATA, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR };
enum { IER_RX = 1, IER_TX = 2, IER_LINE = 4, IER_MODEM = 8 };
enum { IIR_NONE = 1, IIR_TX = 2, IIR_RX = 4, IIR_LINE = 6, IIR_TIMEOUT = 12, IIR_FIFO = 0xc0 };
enum { FCR_ENABLE = 1, FCR_CLEAR_RX = 2 };
enum { LCR_DLAB = 0x80 };
enum { MCR_LOOP = 0x10, MCR_OUT2 = 8 };
enum { LSR_READY = 1, LSR_OVERRUN = 2, LSR_EMPTY = 0x60 };

struct uart16550 {
    pthread_mutex_t lock; /* the receiving thread against the vCPU */
    struct dev_irq irq;
    void (*transmit)(void *opaque, uint8_t byte);
    void *opaque;
    struct dev_fifo fifo;
    uint8_t ier, fcr, lcr, mcr, scratch, modem_delta, modem_last;
    uint16_t divisor;
    bool overrun, sent; /* SENT: the transmitter has become empty, not yet told */
};

static uint8_t modem(const struct uart16550 *u);

struct uart16550 *uart16550_new(struct dev_irq irq, void (*transmit)(void *, uint8_t), void *opaque)
{
    struct uart16550 *u = calloc(1, sizeof *u);
    if (!u)
        return NULL;
    pthread_mutex_init(&u->lock, NULL);
    u->irq = irq;
    u->transmit = transmit;
    u->opaque = opaque;
    u->divisor = 12; /* 9600 baud */
    u->modem_last = modem(u);
    return u;
}

void uart16550_free(struct uart16550 *u)
{
    if (!u)
        return;
    pthread_mutex_destroy(&u->lock);
    free(u);
}

static unsigned depth(const struct uart16550 *u)
{
    return u->fcr & FCR_ENABLE ? DEV_FIFO_SIZE : 1;
}

/* The modem lines: a ready partner, or the own outputs in loopback mode. */
static uint8_t modem(const struct uart16550 *u)
{
    if (!(u->mcr & MCR_LOOP))
        return 0xb0; /* DCD, DSR, CTS */
    return (uint8_t)((u->mcr & 1) << 5 | (u->mcr & 2) << 3 | (u->mcr & 0xc) << 4);
}

static void modem_changed(struct uart16550 *u)
{
    uint8_t now = modem(u), changed = now ^ u->modem_last;
    u->modem_delta |= changed >> 4 & 0xb;
    if (changed & 0x40 && !(now & 0x40)) /* RI tells its end only */
        u->modem_delta |= 4;
    u->modem_last = now;
}

/* Characters at which the receiver interrupts. */
static unsigned receive_level(const struct uart16550 *u)
{
    static const uint8_t levels[4] = {1, 4, 8, 14};
    return u->fcr & FCR_ENABLE ? levels[u->fcr >> 6] : 1;
}

/* The cause of highest priority. The line goes quiet after every character that a person types, so
 * that below its level the FIFO times out at once. */
static uint8_t cause(const struct uart16550 *u)
{
    if (u->ier & IER_LINE && u->overrun)
        return IIR_LINE;
    if (u->ier & IER_RX && u->fifo.count)
        return u->fifo.count >= receive_level(u) ? IIR_RX : IIR_TIMEOUT;
    if (u->ier & IER_TX && u->sent)
        return IIR_TX;
    if (u->ier & IER_MODEM && u->modem_delta)
        return 0;
    return IIR_NONE;
}

static void update(struct uart16550 *u)
{
    dev_irq_set(&u->irq, cause(u) != IIR_NONE && (u->mcr & MCR_OUT2) && !(u->mcr & MCR_LOOP));
}

static uint8_t read_locked(struct uart16550 *u, unsigned reg)
{
    uint8_t value;
    switch (reg) {
    case DATA: return u->lcr & LCR_DLAB ? (uint8_t)u->divisor : dev_fifo_take(&u->fifo);
    case IER: return u->lcr & LCR_DLAB ? (uint8_t)(u->divisor >> 8) : u->ier;
    case IIR_FCR:
        value = cause(u);
        if (value == IIR_TX)
            u->sent = false;
        return value | (u->fcr & FCR_ENABLE ? IIR_FIFO : 0);
    case LCR: return u->lcr;
    case MCR: return u->mcr;
    case LSR:
        value =
            (uint8_t)(LSR_EMPTY | (u->fifo.count ? LSR_READY : 0) | (u->overrun ? LSR_OVERRUN : 0));
        u->overrun = false;
        return value;
    case MSR:
        value = modem(u) | u->modem_delta;
        u->modem_delta = 0;
        return value;
    default: return u->scratch;
    }
}

uint32_t uart16550_read(void *opaque, uint16_t port, unsigned size)
{
    struct uart16550 *u = opaque;
    (void)size;
    pthread_mutex_lock(&u->lock);
    uint8_t value = read_locked(u, port & 7);
    update(u);
    pthread_mutex_unlock(&u->lock);
    return value;
}

static void write_fcr(struct uart16550 *u, uint8_t value)
{
    if (value & FCR_CLEAR_RX || (value ^ u->fcr) & FCR_ENABLE)
        u->fifo.head = u->fifo.count = 0;
    u->fcr = value & 0xc9;
}

/* True when the byte is to go out. */
static bool write_locked(struct uart16550 *u, unsigned reg, uint8_t value)
{
    bool out = false;
    switch (reg) {
    case DATA:
        if (u->lcr & LCR_DLAB) {
            u->divisor = (u->divisor & 0xff00) | value;
            break;
        }
        u->sent = true; /* sending takes no time */
        out = !(u->mcr & MCR_LOOP);
        if (!out && !dev_fifo_put(&u->fifo, depth(u), value))
            u->overrun = true;
        break;
    case IER:
        if (u->lcr & LCR_DLAB) {
            u->divisor = (uint16_t)(value << 8 | (u->divisor & 0xff));
            break;
        }
        if (value & ~u->ier & IER_TX)
            u->sent = true;
        u->ier = value & 0xf;
        break;
    case IIR_FCR: write_fcr(u, value); break;
    case LCR: u->lcr = value; break;
    case MCR:
        u->mcr = value & 0x1f;
        modem_changed(u);
        break;
    case SCR: u->scratch = value; break;
    default: break; /* read-only registers */
    }
    return out;
}

void uart16550_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    struct uart16550 *u = opaque;
    (void)size;
    pthread_mutex_lock(&u->lock);
    bool out = write_locked(u, port & 7, (uint8_t)value);
    update(u);
    pthread_mutex_unlock(&u->lock);
    if (out)
        u->transmit(u->opaque, (uint8_t)value);
}

bool uart16550_receive(struct uart16550 *u, uint8_t byte)
{
    pthread_mutex_lock(&u->lock);
    bool room = !(u->mcr & MCR_LOOP) && dev_fifo_put(&u->fifo, depth(u), byte);
    update(u);
    pthread_mutex_unlock(&u->lock);
    return room;
}
