#include "dev/i8042.h"

#include <stdbool.h>
#include <stdlib.h>

enum { STATUS_FULL = 1, STATUS_SYSTEM = 4, STATUS_COMMAND = 8, STATUS_UNLOCKED = 0x10 };
enum { OUT_RESET = 1, OUT_A20 = 2 };
enum {
    READ_MODE = 0x20,
    WRITE_MODE = 0x60,
    MOUSE_TEST = 0xa9,
    SELF_TEST = 0xaa,
    KEYBOARD_TEST = 0xab,
    READ_OUTPUT = 0xd0,
    WRITE_OUTPUT = 0xd1,
    PULSE = 0xf0,
    ENABLE_A20 = 0xdf,
    DISABLE_A20 = 0xdd
};

struct i8042 {
    void (*reset)(void *);
    void *opaque;
    bool full, last_was_command;
    uint8_t answer, mode, output;
    uint8_t pending; /* command that waits for its byte; 0: none */
};

struct i8042 *i8042_new(void (*reset)(void *), void *opaque)
{
    struct i8042 *k = calloc(1, sizeof *k);
    if (!k)
        return NULL;
    k->reset = reset;
    k->opaque = opaque;
    k->output = OUT_RESET | OUT_A20;
    return k;
}

void i8042_free(struct i8042 *k)
{
    free(k);
}

static void answer(struct i8042 *k, uint8_t value)
{
    k->answer = value;
    k->full = true;
}

uint32_t i8042_read(void *opaque, uint16_t port, unsigned size)
{
    struct i8042 *k = opaque;
    (void)size;
    if (port == 0x92)
        return k->output & OUT_A20;
    if (port == 0x60) {
        k->full = false;
        return k->answer;
    }
    return STATUS_UNLOCKED | STATUS_SYSTEM | (k->full ? STATUS_FULL : 0u) |
           (k->last_was_command ? STATUS_COMMAND : 0u);
}

static void set_output(struct i8042 *k, uint8_t value)
{
    k->output = value;
    if (!(value & OUT_RESET))
        k->reset(k->opaque);
}

static void command(struct i8042 *k, uint8_t value)
{
    k->pending = 0;
    switch (value) {
    case READ_MODE: answer(k, k->mode); break;
    case MOUSE_TEST:
    case KEYBOARD_TEST: answer(k, 0); break;
    case SELF_TEST: answer(k, 0x55); break;
    case READ_OUTPUT: answer(k, k->output); break;
    case WRITE_MODE:
    case WRITE_OUTPUT: k->pending = value; break;
    case ENABLE_A20: k->output |= OUT_A20; break;
    case DISABLE_A20: k->output &= (uint8_t)~OUT_A20; break;
    default:
        if (value >= PULSE && !(value & OUT_RESET))
            k->reset(k->opaque);
        break;
    }
}

void i8042_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    struct i8042 *k = opaque;
    uint8_t byte = (uint8_t)value;
    (void)size;
    if (port == 0x92) {
        k->output = (uint8_t)((k->output & ~OUT_A20) | (byte & OUT_A20));
        if (byte & 1)
            k->reset(k->opaque);
        return;
    }
    k->last_was_command = port == 0x64;
    if (port == 0x64)
        command(k, byte);
    else if (k->pending == WRITE_MODE)
        k->mode = byte;
    else if (k->pending == WRITE_OUTPUT)
        set_output(k, byte);
    if (port == 0x60)
        k->pending = 0;
}
