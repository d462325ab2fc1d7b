#include "machine/machine.h"

#include <narwhal/arm.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/status.h"
#include "machine/board.h"

#define MAX_UARTS 4

struct machine {
    const struct board *board;
    nw_engine *engine;
    nw_vcpu *vcpu;
    struct pl190 *vic;
    struct pl011 *uarts[MAX_UARTS];
    unsigned nuarts;
    atomic_bool stop;
};

static const struct board *const boards[] = {&board_versatilepb};

const struct machine_name machine_names[] = {
    {"versatilepb", "ARM Versatile Platform Baseboard (ARM926EJ-S)"},
    {NULL, NULL},
};

static void fail(struct machine_error *e, const char *what, const char *name, const char *hint)
{
    snprintf(e->line, sizeof e->line, "%s%s%s%s%s", what, name ? " '" : "", name ? name : "",
             name ? "'" : "", hint);
}

static const struct board *find_board(const char *name, struct machine_error *e)
{
    for (unsigned i = 0; name && i < ARRAY_LEN(boards); i++) {
        if (!strcmp(boards[i]->name, name))
            return boards[i];
    }
    if (name)
        fail(e, "unknown machine", name, "; 'narwhal boot --machine help' lists the machines");
    else
        fail(e, "no machine was named", NULL, "; say --machine versatilepb");
    return NULL;
}

static void set_cpu_line(void *vcpu, unsigned line, bool level)
{
    nw_vcpu_set_irq(vcpu, line, level);
}

static void transmit_nowhere(void *opaque, uint8_t byte)
{
    (void)opaque, (void)byte;
}

static nw_status add_device(struct machine *m, const struct board_device *d,
                            const struct machine_options *o)
{
    if (d->kind == DEVICE_PL190) {
        m->vic = pl190_new((struct dev_irq){set_cpu_line, m->vcpu, NW_ARM_IRQ},
                           (struct dev_irq){set_cpu_line, m->vcpu, NW_ARM_FIQ});
        if (!m->vic)
            return NW_ERR_NOMEM;
        return nw_mem_map_mmio(m->engine, d->base, PL190_SIZE, pl190_read, pl190_write, m->vic);
    }
    bool first = m->nuarts == 0;
    struct pl011 *uart = pl011_new((struct dev_irq){pl190_set_input, m->vic, (unsigned)d->irq},
                                   first ? o->transmit : transmit_nowhere, o->opaque);
    if (!uart)
        return NW_ERR_NOMEM;
    m->uarts[m->nuarts++] = uart;
    return nw_mem_map_mmio(m->engine, d->base, PL011_SIZE, pl011_read, pl011_write, uart);
}

static nw_status build(struct machine *m, const struct machine_options *o, uint64_t ram)
{
    nw_config config = {
        .arch = m->board->arch,
        .cpu = o->cpu ? o->cpu : m->board->cpu,
        .flags = o->engine_flags,
        .exceptions = NW_EXC_GUEST,
        .log = o->log,
    };
    TRY(nw_engine_open(&config, &m->engine));
    TRY(nw_vcpu_create(m->engine, &m->vcpu));
    TRY(nw_mem_map(m->engine, m->board->ram_base, ram, NW_RWX));
    for (const struct board_device *d = m->board->devices; d->kind != DEVICE_NONE; d++)
        TRY(add_device(m, d, o));
    return NW_OK;
}

struct machine *machine_open(const struct machine_options *o, struct machine_error *e)
{
    const struct board *board = find_board(o->machine, e);
    if (!board)
        return NULL;
    uint64_t ram = o->memory ? o->memory : board->ram_default;
    if (ram > board->ram_max || ram < (1u << 20) || ram % 4096) {
        snprintf(e->line, sizeof e->line,
                 "%s takes 1M to %lluM of memory in whole pages; choose another --mem", board->name,
                 (unsigned long long)(board->ram_max >> 20));
        return NULL;
    }
    struct machine *m = calloc(1, sizeof *m);
    nw_status status = m ? NW_OK : NW_ERR_NOMEM;
    if (m) {
        m->board = board;
        status = build(m, o, ram);
    }
    if (status == NW_ERR_CPU)
        fail(e, "unknown CPU model", o->cpu, "; try arm926, cortex-a8, cortex-a15 or max");
    else if (status != NW_OK)
        fail(e, nw_status_text(status), NULL, "");
    else
        status = arm_boot_load(m->engine, m->vcpu, board, o, ram, e);
    if (status == NW_OK)
        return m;
    machine_close(m);
    return NULL;
}

void machine_close(struct machine *m)
{
    if (!m)
        return;
    nw_engine_close(m->engine);
    for (unsigned i = 0; i < m->nuarts; i++)
        pl011_free(m->uarts[i]);
    pl190_free(m->vic);
    free(m);
}

/* Nothing can happen any more when the CPU branches to itself with IRQ and FIQ masked. */
static bool stuck(struct machine *m)
{
    uint64_t pc, cpsr;
    uint32_t insn = 0;
    if (nw_reg_read(m->vcpu, NW_ARM_PC, &pc) || nw_reg_read(m->vcpu, NW_ARM_CPSR, &cpsr))
        return false;
    if ((cpsr & 0xc0) != 0xc0)
        return false;
    unsigned size = cpsr & 0x20 ? 2 : 4;
    return nw_mem_read(m->engine, pc, &insn, size) == NW_OK &&
           insn == (size == 2 ? 0xe7feu : 0xeafffffeu);
}

/* A halted CPU waits for a device, and devices here are driven by input only: looking every
 * millisecond is often enough. */
static bool wait_for_input(struct machine *m)
{
    struct timespec nap = {0, 1000000};
    nanosleep(&nap, NULL);
    return !atomic_load(&m->stop);
}

nw_status machine_run(struct machine *m, nw_exit *exit)
{
    for (;;) {
        TRY(nw_vcpu_run(m->vcpu, 0, exit));
        if (atomic_exchange(&m->stop, false))
            return NW_OK;
        if (exit->reason == NW_EXIT_HALT) {
            if (!wait_for_input(m))
                return NW_OK;
        } else if (exit->reason != NW_EXIT_STOP) {
            return NW_OK;
        } else if (stuck(m)) {
            exit->reason = NW_EXIT_HALT;
            return NW_OK;
        }
    }
}

void machine_stop(struct machine *m)
{
    atomic_store(&m->stop, true);
    nw_vcpu_stop(m->vcpu);
}

bool machine_receive(struct machine *m, uint8_t byte)
{
    return m->nuarts && pl011_receive(m->uarts[0], byte);
}

nw_vcpu *machine_vcpu(struct machine *m)
{
    return m->vcpu;
}
