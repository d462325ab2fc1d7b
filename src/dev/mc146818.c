#include "dev/mc146818.h"

#include <stdlib.h>
#include <time.h>

enum {
    SECONDS = 0,
    MINUTES = 2,
    HOURS = 4,
    WEEKDAY = 6,
    DAY,
    MONTH,
    YEAR,
    REG_A,
    REG_B,
    REG_C,
    REG_D,
    CENTURY = 0x32
};
enum { B_BINARY = 4, B_24H = 2, D_VALID = 0x80 };

struct mc146818 {
    uint8_t index, ram[128];
};

static void put_word(struct mc146818 *c, unsigned at, uint64_t value)
{
    uint16_t word = (uint16_t)(value > 0xffff ? 0xffff : value);
    c->ram[at] = (uint8_t)word;
    c->ram[at + 1] = (uint8_t)(word >> 8);
}

struct mc146818 *mc146818_new(uint64_t ram)
{
    struct mc146818 *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->ram[REG_A] = 0x26; /* 32768 Hz, 1024 Hz */
    c->ram[REG_B] = B_24H;
    put_word(c, 0x15, 640);                /* KiB below 640 KiB */
    put_word(c, 0x17, (ram >> 10) - 1024); /* KiB above 1 MiB */
    put_word(c, 0x30, (ram >> 10) - 1024);
    put_word(c, 0x34, ram > 16u << 20 ? (ram - (16u << 20)) >> 16 : 0); /* 64 KiB above 16 MiB */
    return c;
}

void mc146818_free(struct mc146818 *c)
{
    free(c);
}

static uint8_t in_format(const struct mc146818 *c, unsigned value)
{
    return (uint8_t)(c->ram[REG_B] & B_BINARY ? value : value / 10 << 4 | value % 10);
}

static uint8_t hours(const struct mc146818 *c, unsigned hour)
{
    if (c->ram[REG_B] & B_24H)
        return in_format(c, hour);
    return (uint8_t)(in_format(c, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? 0x80 : 0));
}

static uint8_t read_index(const struct mc146818 *c)
{
    struct tm t;
    time_t now = time(NULL);
    gmtime_r(&now, &t);
    switch (c->index) {
    case SECONDS: return in_format(c, (unsigned)t.tm_sec);
    case MINUTES: return in_format(c, (unsigned)t.tm_min);
    case HOURS: return hours(c, (unsigned)t.tm_hour);
    case WEEKDAY: return in_format(c, (unsigned)t.tm_wday + 1);
    case DAY: return in_format(c, (unsigned)t.tm_mday);
    case MONTH: return in_format(c, (unsigned)t.tm_mon + 1);
    case YEAR: return in_format(c, (unsigned)t.tm_year % 100);
    case CENTURY: return in_format(c, (unsigned)t.tm_year / 100 + 19);
    case REG_C: return 0;
    case REG_D: return D_VALID;
    default: return c->ram[c->index];
    }
}

uint32_t mc146818_read(void *opaque, uint16_t port, unsigned size)
{
    const struct mc146818 *c = opaque;
    (void)size;
    return port & 1 ? read_index(c) : 0xff;
}

void mc146818_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    struct mc146818 *c = opaque;
    (void)size;
    if (!(port & 1))
        c->index = value & 0x7f;
    else if (c->index >= REG_A) /* the time is the host's */
        c->ram[c->index] = (uint8_t)value & (c->index == REG_A ? 0x7f : 0xff);
}
