#include "machine/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/status.h"
#include "machine/board.h"

static const struct board *const boards[] = {&board_versatilepb, &board_pc};

const struct machine_name machine_names[] = {
    {"versatilepb", "ARM Versatile Platform Baseboard (ARM926EJ-S)"},
    {"pc", "PC with an x86-64 CPU, ISA devices and a ROM"},
    {NULL, NULL},
};

static const struct board *find_board(const char *name, struct machine_error *e)
{
    for (unsigned i = 0; name && i < ARRAY_LEN(boards); i++) {
        if (!strcmp(boards[i]->name, name))
            return boards[i];
    }
    if (name)
        machine_fail(e, "unknown machine '%s'; 'narwhal boot --machine help' lists the machines",
                     name);
    else
        machine_fail(e, "no machine was named; say --machine versatilepb or --machine pc");
    return NULL;
}

void machine_set_cpu_line(void *vcpu, unsigned line, bool level)
{
    nw_vcpu_set_irq(vcpu, line, level);
}

void machine_transmit_nowhere(void *opaque, uint8_t byte)
{
    (void)opaque, (void)byte;
}

static nw_status build(struct machine *m, const struct machine_options *o, uint64_t ram,
                       struct machine_error *e)
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
    return m->board->build(m, o, ram, e);
}

struct machine *machine_open(const struct machine_options *o, struct machine_error *e)
{
    const struct board *board = find_board(o->machine, e);
    if (!board)
        return NULL;
    uint64_t ram = o->memory ? o->memory : board->ram_default;
    if (ram > board->ram_max || ram < (1u << 20) || ram % 4096) {
        machine_fail(e, "%s takes 1M to %lluM of memory in whole pages; choose another --mem",
                     board->name, (unsigned long long)(board->ram_max >> 20));
        return NULL;
    }
    struct machine *m = calloc(1, sizeof *m);
    nw_status status = m ? NW_OK : NW_ERR_NOMEM;
    e->line[0] = 0;
    if (m) {
        m->board = board;
        status = build(m, o, ram, e);
    }
    if (status == NW_OK)
        return m;
    if (status == NW_ERR_CPU)
        machine_fail(e, "unknown CPU model '%s'; try %s", o->cpu, nw_cpu_models(board->arch));
    else if (!e->line[0])
        machine_fail(e, "%s", nw_status_text(status));
    machine_close(m);
    return NULL;
}

void machine_close(struct machine *m)
{
    if (!m)
        return;
    m->board->free(m); /* first: a timer of the board may still reach for the vCPU */
    nw_engine_close(m->engine);
    free(m);
}

/* Devices are driven by input and by timers: looking every millisecond is often enough for a halted
 * CPU. */
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
        if (m->wish != MACHINE_RUN || atomic_exchange(&m->stop, false))
            return NW_OK;
        if (exit->reason == NW_EXIT_HALT) {
            if (m->board->stuck(m, exit) || !wait_for_input(m))
                return NW_OK;
        } else if (exit->reason != NW_EXIT_STOP) {
            return NW_OK;
        } else if (m->board->stuck(m, exit)) {
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
    return m->board->receive(m, byte);
}

nw_vcpu *machine_vcpu(struct machine *m)
{
    return m->vcpu;
}

enum machine_wish machine_wish(const struct machine *m)
{
    return m->wish;
}

int machine_status(const struct machine *m)
{
    return m->status;
}
