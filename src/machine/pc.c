/* A PC as small as it may be: RAM with its hole below 1 MiB, a ROM, and the ISA devices that every
 * kernel expects. Address line 20 is always on. */
#include <narwhal/x86.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "dev/i8042.h"
#include "dev/i8254.h"
#include "dev/i8259.h"
#include "dev/mc146818.h"
#include "dev/uart16550.h"
#include "machine/board.h"

#define HOLE       0xa0000ull /* video memory and option ROMs: nothing is there */
#define ROM_COPY   0xe0000ull /* the last 128 KiB of the ROM, in RAM as firmware leaves it */
#define MIB        0x100000ull
#define TOP        (1ull << 32)
#define LAST       (1ull << 40) /* the end of physical addresses */
#define ROM_MAX    (16 * MIB)
#define DEBUG_PORT 0xe9   /* text for the terminal, as Bochs and QEMU have it */
#define EXIT_PORT  0x501  /* as QEMU's isa-debug-exit: status 2 * value + 1 */
#define POWER_PORT 0x8900 /* as Bochs: off after the word */

struct pc {
    struct i8259 *pic;
    struct i8254 *pit;
    struct uart16550 *uart;
    struct mc146818 *cmos;
    struct i8042 *keyboard;
    void (*transmit)(void *opaque, uint8_t byte);
    void *opaque;
    unsigned power; /* letters of the word seen */
};

static uint64_t nothing_read(void *opaque, uint64_t offset, unsigned size)
{
    (void)opaque, (void)offset, (void)size;
    return UINT64_MAX;
}

static void nothing_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    (void)opaque, (void)offset, (void)value, (void)size;
}

static void end(struct machine *m, enum machine_wish wish, int status)
{
    m->wish = wish;
    m->status = status;
    nw_vcpu_stop(m->vcpu);
}

static void reset(void *opaque)
{
    end(opaque, MACHINE_RESET, 0);
}

static uint32_t debug_read(void *opaque, uint16_t port, unsigned size)
{
    (void)opaque, (void)size;
    return port; /* by which the port is known to be there */
}

static void debug_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    struct machine *m = opaque;
    struct pc *pc = m->devices;
    (void)port, (void)size;
    pc->transmit(pc->opaque, (uint8_t)value);
}

static uint32_t power_read(void *opaque, uint16_t port, unsigned size)
{
    (void)opaque, (void)port, (void)size;
    return UINT32_MAX;
}

static void exit_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    (void)port, (void)size;
    end(opaque, MACHINE_OFF, (int)(value << 1 | 1) & 0xff);
}

static void power_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    static const char word[] = "Shutdown";
    struct machine *m = opaque;
    struct pc *pc = m->devices;
    (void)port, (void)size;
    pc->power = (uint8_t)value == (uint8_t)word[pc->power] ? pc->power + 1 : 0;
    if (pc->power == sizeof word - 1)
        end(m, MACHINE_OFF, 0);
}

static nw_status map_ports(struct machine *m)
{
    struct pc *pc = m->devices;
    const struct {
        uint16_t first, count;
        nw_io_read_fn read;
        nw_io_write_fn write;
        void *opaque;
    } ports[] = {
        {0x20, 2, i8259_read, i8259_write, pc->pic},
        {0xa0, 2, i8259_read, i8259_write, pc->pic},
        {0x4d0, 2, i8259_read, i8259_write, pc->pic},
        {0x40, 4, i8254_read, i8254_write, pc->pit},
        {0x61, 1, i8254_read, i8254_write, pc->pit},
        {0x60, 1, i8042_read, i8042_write, pc->keyboard},
        {0x64, 1, i8042_read, i8042_write, pc->keyboard},
        {0x92, 1, i8042_read, i8042_write, pc->keyboard},
        {0x70, 2, mc146818_read, mc146818_write, pc->cmos},
        {0x3f8, 8, uart16550_read, uart16550_write, pc->uart},
        {DEBUG_PORT, 1, debug_read, debug_write, m},
        {EXIT_PORT, 1, power_read, exit_write, m},
        {POWER_PORT, 1, power_read, power_write, m},
    };
    for (unsigned n = 0; n < ARRAY_LEN(ports); n++)
        TRY(nw_io_map(m->engine, ports[n].first, ports[n].count, ports[n].read, ports[n].write,
                      ports[n].opaque));
    return NW_OK;
}

static nw_status map_nothing(struct machine *m, uint64_t from, uint64_t to)
{
    if (from == to)
        return NW_OK;
    return nw_mem_map_mmio(m->engine, from, to - from, nothing_read, nothing_write, NULL);
}

/* ROM at the top of 4 GiB, and the place of its end below 1 MiB. Both are memory that can be
 * written: a bus that ignores stores but lets code run is not to be had of the engine. */
static nw_status map_rom(struct machine *m, uint64_t size, uint64_t ram)
{
    TRY(map_nothing(m, HOLE, ROM_COPY));
    TRY(nw_mem_map(m->engine, ROM_COPY, MIB - ROM_COPY, NW_RWX));
    TRY(map_nothing(m, ram, TOP - size));
    return nw_mem_map(m->engine, TOP - size, size, NW_RWX);
}

static nw_status fill_rom(struct machine *m, const struct image *rom, uint64_t ram)
{
    uint64_t copy = rom->size < MIB - ROM_COPY ? rom->size : MIB - ROM_COPY;
    TRY(map_rom(m, rom->size, ram));
    TRY(nw_mem_write(m->engine, MIB - copy, rom->bytes + rom->size - copy, copy));
    return nw_mem_write(m->engine, TOP - rom->size, rom->bytes, rom->size);
}

static nw_status load_rom(struct machine *m, const char *path, uint64_t ram,
                          struct machine_error *e)
{
    struct image rom = {0};
    nw_status status = machine_read_file("ROM", path, ROM_MAX, &rom, e);
    if (status == NW_OK && rom.size % 4096)
        status =
            machine_fail(e, "ROM '%s' is not a number of whole 4 KiB pages; pad it in front", path);
    if (status == NW_OK)
        status = fill_rom(m, &rom, ram);
    free(rom.bytes);
    return status;
}

static nw_status load_software(struct machine *m, const struct machine_options *o, uint64_t ram,
                               struct machine_error *e)
{
    if (o->kernel && o->bios)
        return machine_fail(e, "a pc starts from a ROM or a kernel; give --bios or --kernel");
    if (o->bios && (o->initrd || o->append))
        return machine_fail(e, "--initrd and --append belong to --kernel, not to --bios");
    if (o->bios)
        return load_rom(m, o->bios, ram, e);
    if (!o->kernel)
        return machine_fail(e, "nothing to start was named; say --bios ROM or --kernel BZIMAGE");
    TRY(map_rom(m, 4096, ram));
    return x86_boot_load(m->engine, o, ram, e);
}

static nw_status build(struct machine *m, const struct machine_options *o, uint64_t ram,
                       struct machine_error *e)
{
    struct pc *pc = m->devices = calloc(1, sizeof *pc);
    if (!pc)
        return NW_ERR_NOMEM;
    pc->transmit = o->transmit;
    pc->opaque = o->opaque;
    pc->pic = i8259_new((struct dev_irq){machine_set_cpu_line, m->vcpu, NW_X86_INTR});
    if (!pc->pic)
        return NW_ERR_NOMEM;
    pc->pit = i8254_new((struct dev_irq){i8259_set_input, pc->pic, 0});
    pc->uart = uart16550_new((struct dev_irq){i8259_set_input, pc->pic, 4}, o->transmit, o->opaque);
    pc->cmos = mc146818_new(ram);
    pc->keyboard = i8042_new(reset, m);
    if (!pc->pit || !pc->uart || !pc->cmos || !pc->keyboard)
        return NW_ERR_NOMEM;
    TRY(nw_vcpu_set_int_ack(m->vcpu, i8259_acknowledge, pc->pic));
    TRY(map_ports(m));
    TRY(nw_mem_map(m->engine, 0, HOLE, NW_RWX));
    if (ram > MIB)
        TRY(nw_mem_map(m->engine, MIB, ram - MIB, NW_RWX));
    TRY(map_nothing(m, TOP, LAST));
    return load_software(m, o, ram, e);
}

static void release(struct machine *m)
{
    struct pc *pc = m->devices;
    if (!pc)
        return;
    i8254_free(pc->pit); /* first: it runs on its own and uses the others */
    uart16550_free(pc->uart);
    mc146818_free(pc->cmos);
    i8042_free(pc->keyboard);
    i8259_free(pc->pic);
    free(pc);
}

static bool receive(struct machine *m, uint8_t byte)
{
    struct pc *pc = m->devices;
    return uart16550_receive(pc->uart, byte);
}

/* Shutdown resets a PC. Else: HLT, or a branch to itself, with interrupts off. */
static bool stuck(struct machine *m, const nw_exit *exit)
{
    uint64_t rip, base, flags;
    uint8_t insn[2] = {0};
    if (exit->reason == NW_EXIT_HALT && exit->code) {
        m->wish = MACHINE_RESET;
        return true;
    }
    if (nw_reg_read(m->vcpu, NW_X86_RIP, &rip) || nw_reg_read(m->vcpu, NW_X86_ES_BASE + 1, &base) ||
        nw_reg_read(m->vcpu, NW_X86_RFLAGS, &flags) || flags & 0x200)
        return false;
    if (exit->reason == NW_EXIT_HALT)
        return true;
    /* With paging the address may mean another place: then the run just goes on. */
    return nw_mem_read(m->engine, base + rip, insn, 2) == NW_OK && !memcmp(insn, "\xeb\xfe", 2);
}

const struct board board_pc = {
    .name = "pc",
    .about = "PC with an x86-64 CPU, ISA devices and a ROM",
    .arch = NW_ARCH_X86_64,
    .cpu = "max",
    .ram_default = 128ull << 20,
    .ram_max = 3584ull << 20,
    .build = build,
    .free = release,
    .receive = receive,
    .stuck = stuck,
};
