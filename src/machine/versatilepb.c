/* ARM Versatile Platform Baseboard for ARM926EJ-S (ARM DUI 0225D, chapter 4). */
#include <narwhal/arm.h>
#include <stdlib.h>

#include "base/status.h"
#include "machine/board.h"

#define MAX_UARTS 4

struct versatilepb {
    struct pl190 *vic;
    struct pl011 *uarts[MAX_UARTS];
    unsigned nuarts;
};

static const struct board_device devices[] = {
    {DEVICE_PL190, 0x10140000, -1}, {DEVICE_PL011, 0x101f1000, 12}, {DEVICE_PL011, 0x101f2000, 13},
    {DEVICE_PL011, 0x101f3000, 14}, {DEVICE_NONE, 0, -1},
};

static nw_status add_device(struct machine *m, const struct board_device *d,
                            const struct machine_options *o)
{
    struct versatilepb *v = m->devices;
    if (d->kind == DEVICE_PL190) {
        v->vic = pl190_new((struct dev_irq){machine_set_cpu_line, m->vcpu, NW_ARM_IRQ},
                           (struct dev_irq){machine_set_cpu_line, m->vcpu, NW_ARM_FIQ});
        if (!v->vic)
            return NW_ERR_NOMEM;
        return nw_mem_map_mmio(m->engine, d->base, PL190_SIZE, pl190_read, pl190_write, v->vic);
    }
    bool first = v->nuarts == 0;
    struct pl011 *uart = pl011_new((struct dev_irq){pl190_set_input, v->vic, (unsigned)d->irq},
                                   first ? o->transmit : machine_transmit_nowhere, o->opaque);
    if (!uart)
        return NW_ERR_NOMEM;
    v->uarts[v->nuarts++] = uart;
    return nw_mem_map_mmio(m->engine, d->base, PL011_SIZE, pl011_read, pl011_write, uart);
}

static nw_status build(struct machine *m, const struct machine_options *o, uint64_t ram,
                       struct machine_error *e)
{
    m->devices = calloc(1, sizeof(struct versatilepb));
    if (!m->devices)
        return NW_ERR_NOMEM;
    TRY(nw_mem_map(m->engine, m->board->ram_base, ram, NW_RWX));
    for (const struct board_device *d = m->board->devices; d->kind != DEVICE_NONE; d++)
        TRY(add_device(m, d, o));
    return arm_boot_load(m->engine, m->vcpu, m->board, o, ram, e);
}

static void release(struct machine *m)
{
    struct versatilepb *v = m->devices;
    if (!v)
        return;
    for (unsigned i = 0; i < v->nuarts; i++)
        pl011_free(v->uarts[i]);
    pl190_free(v->vic);
    free(v);
}

static bool receive(struct machine *m, uint8_t byte)
{
    struct versatilepb *v = m->devices;
    return v->nuarts && pl011_receive(v->uarts[0], byte);
}

/* The CPU branches to itself with IRQ and FIQ masked. A halted one may be woken by either, masked
 * or not. */
static bool stuck(struct machine *m, const nw_exit *exit)
{
    uint64_t pc, cpsr;
    uint32_t insn = 0;
    if (exit->reason == NW_EXIT_HALT || nw_reg_read(m->vcpu, NW_ARM_PC, &pc) ||
        nw_reg_read(m->vcpu, NW_ARM_CPSR, &cpsr))
        return false;
    if ((cpsr & 0xc0) != 0xc0)
        return false;
    unsigned size = cpsr & 0x20 ? 2 : 4;
    return nw_mem_read(m->engine, pc, &insn, size) == NW_OK &&
           insn == (size == 2 ? 0xe7feu : 0xeafffffeu);
}

const struct board board_versatilepb = {
    .name = "versatilepb",
    .about = "ARM Versatile Platform Baseboard (ARM926EJ-S)",
    .arch = NW_ARCH_ARM,
    .cpu = "arm926",
    .ram_base = 0,
    .ram_default = 128ull << 20,
    .ram_max = 256ull << 20, /* the devices begin at 0x10000000 */
    .build = build,
    .free = release,
    .receive = receive,
    .stuck = stuck,
    .board_id = 387,
    .kernel_offset = 0x10000,
    .atags_offset = 0x100,
    .devices = devices,
};
