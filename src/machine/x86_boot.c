/* Entering a Linux kernel on a PC as a 32-bit boot loader does (the kernel's
 * Documentation/arch/x86/ boot.rst, "32-bit Boot Protocol"), from a ROM of ours. */
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "machine/board.h"

#define MIB          0x100000u
#define PARAMS       0x90000u /* boot_params, one page; the command line behind it */
#define COMMAND_LINE 0x91000u
#define COMMAND_MAX  2048u
#define LOAD         MIB
#define STUB         0xf0000u /* where the reset vector of the ROM leads */

enum header { /* offsets in boot_params */
              E820_ENTRIES = 0x1e8,
              SETUP_SECTS = 0x1f1,
              VIDEO_MODE = 0x1fa,
              JUMP = 0x200,
              MAGIC = 0x202,
              VERSION = 0x206,
              LOADER = 0x210,
              LOAD_FLAGS = 0x211,
              INITRD = 0x218,
              INITRD_SIZE = 0x21c,
              COMMAND = 0x228,
              INITRD_MAX = 0x22c,
              E820_MAP = 0x2d0,
};
enum { LOADED_HIGH = 1, E820_RAM = 1, LOADER_UNKNOWN = 0xff, VIDEO_NORMAL = 0xffff };

static uint32_t get32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put32(uint8_t *p, uint64_t value)
{
    for (unsigned n = 0; n < 4; n++)
        p[n] = (uint8_t)(value >> 8 * n);
}

static nw_status put(nw_engine *engine, const char *what, uint64_t gpa, const void *bytes,
                     uint64_t size, struct machine_error *e)
{
    if (nw_mem_write(engine, gpa, bytes, size) != NW_OK)
        return machine_fail(e, "the %s does not fit in memory; give more with --mem", what);
    return NW_OK;
}

/* The setup code's size, and boot_params with the kernel's header in place. */
static nw_status read_header(const struct image *kernel, const char *path, uint8_t *params,
                             size_t *setup, struct machine_error *e)
{
    const uint8_t *k = kernel->bytes;
    if (kernel->size < 0x400 || memcmp(k + MAGIC, "HdrS", 4) || !(k[LOAD_FLAGS] & LOADED_HIGH))
        return machine_fail(e,
                            "kernel '%s' is no x86 bzImage; give a Linux kernel such as "
                            "/boot/vmlinuz, or a ROM with --bios",
                            path);
    unsigned version = k[VERSION] | (unsigned)k[VERSION + 1] << 8;
    if (version < 0x206)
        return machine_fail(e, "kernel '%s' has boot protocol %u.%u, too old; 2.6 is needed", path,
                            version >> 8, version & 0xff);
    *setup = (k[SETUP_SECTS] ? k[SETUP_SECTS] + 1u : 5u) * 512;
    size_t end = MAGIC + k[JUMP + 1];
    if (*setup >= kernel->size || end > E820_MAP)
        return machine_fail(e, "kernel '%s' is truncated or damaged", path);
    memcpy(params + SETUP_SECTS, k + SETUP_SECTS, end - SETUP_SECTS);
    params[LOADER] = LOADER_UNKNOWN;
    params[VIDEO_MODE] = params[VIDEO_MODE + 1] = (uint8_t)VIDEO_NORMAL;
    return NW_OK;
}

static void describe_memory(uint8_t *params, uint64_t ram)
{
    const uint64_t ranges[2][2] = {{0, 0x9f000}, {MIB, ram - MIB}};
    for (unsigned n = 0; n < 2; n++) {
        uint8_t *entry = params + E820_MAP + n * 20;
        put32(entry, ranges[n][0]);
        put32(entry + 8, ranges[n][1]);
        entry[16] = E820_RAM;
    }
    params[E820_ENTRIES] = 2;
}

/* The disk goes as high as the kernel allows: what the kernel unpacks to is somewhere below. */
static nw_status load_initrd(nw_engine *engine, const char *path, uint64_t kernel_end, uint64_t ram,
                             uint8_t *params, struct machine_error *e)
{
    uint64_t top = (uint64_t)get32(params + INITRD_MAX) + 1;
    struct image disk = {0};
    if (top > ram)
        top = ram;
    if (kernel_end >= top)
        return machine_fail(e, "there is no memory left for initrd '%s'; give more with --mem",
                            path);
    nw_status status = machine_read_file("initrd", path, top - kernel_end, &disk, e);
    uint64_t at = (top - disk.size) & ~0xfffull;
    if (status == NW_OK)
        status = put(engine, "initrd", at, disk.bytes, disk.size, e);
    put32(params + INITRD, at);
    put32(params + INITRD_SIZE, disk.size);
    free(disk.bytes);
    return status;
}

/* What the reset vector of the ROM leads to: flat protected mode with the segments of the protocol,
 * ESI = boot_params. */
static const uint8_t stub[] = {
    0xfa, 0xfc,                                     /* cli; cld */
    0x66, 0x2e, 0x0f, 0x01, 0x16, 0x60, 0x00,       /* lgdtl %cs:0x60 */
    0x0f, 0x20, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0, /* mov %cr0, %eax; or $1, %al; … */
    0x66, 0xea, 0x19, 0x00, 0x0f, 0x00, 0x10, 0x00, /* ljmpl $0x10, $0xf0019 */
    0xb8, 0x18, 0x00, 0x00, 0x00,                   /* mov $0x18, %eax */
    0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0,             /* ds, es, ss */
    0x31, 0xed, 0x31, 0xff, 0x31, 0xdb,             /* xor %ebp, %ebp; edi; ebx */
    0xbe, 0x00, 0x00, 0x09, 0x00,                   /* mov $PARAMS, %esi */
    0xbc, 0x00, 0x00, 0x09, 0x00,                   /* mov $PARAMS, %esp */
    0xb8, 0x00, 0x00, 0x10, 0x00, 0xff, 0xe0,       /* mov $LOAD, %eax; jmp *%eax */
};
static const uint8_t tables[] = {
    0x1f, 0, 0x40, 0, 0x0f, 0, 0, 0, /* at 0x60: for LGDT */
};
static const uint8_t gdt[] = {
    0,    0,    0, 0, 0, 0,    0,    0, 0,    0,    0, 0, 0, 0,    0,    0,
    0xff, 0xff, 0, 0, 0, 0x9b, 0xcf, 0, 0xff, 0xff, 0, 0, 0, 0x93, 0xcf, 0,
};
static const uint8_t reset_vector[] = {0xea, 0x00, 0x00, 0x00, 0xf0}; /* ljmpw $0xf000, $0 */

static nw_status put_rom(nw_engine *engine, struct machine_error *e)
{
    TRY(put(engine, "start", STUB, stub, sizeof stub, e));
    TRY(put(engine, "start", STUB + 0x40, gdt, sizeof gdt, e));
    TRY(put(engine, "start", STUB + 0x60, tables, sizeof tables, e));
    return put(engine, "start", 0xfffffff0, reset_vector, sizeof reset_vector, e);
}

static nw_status load(nw_engine *engine, const struct machine_options *o, uint64_t ram,
                      const struct image *kernel, uint8_t *params, struct machine_error *e)
{
    size_t setup = 0, length = o->append ? strlen(o->append) + 1 : 1;
    TRY(read_header(kernel, o->kernel, params, &setup, e));
    TRY(put(engine, "kernel", LOAD, kernel->bytes + setup, kernel->size - setup, e));
    if (length > COMMAND_MAX)
        return machine_fail(e, "--append is longer than the %u characters that fit",
                            COMMAND_MAX - 1);
    TRY(put(engine, "command line", COMMAND_LINE, o->append ? o->append : "", length, e));
    put32(params + COMMAND, COMMAND_LINE);
    describe_memory(params, ram);
    if (o->initrd)
        TRY(load_initrd(engine, o->initrd, LOAD + kernel->size, ram, params, e));
    TRY(put(engine, "boot parameters", PARAMS, params, 4096, e));
    return put_rom(engine, e);
}

nw_status x86_boot_load(nw_engine *engine, const struct machine_options *o, uint64_t ram,
                        struct machine_error *e)
{
    struct image kernel = {0};
    if (ram < 16 * MIB)
        return machine_fail(e, "a kernel needs 16M of memory; give more with --mem");
    nw_status status = machine_read_file("kernel", o->kernel, ram - LOAD, &kernel, e);
    uint8_t *params = calloc(1, 4096);
    if (status == NW_OK)
        status = params ? load(engine, o, ram, &kernel, params, e) : NW_ERR_NOMEM;
    free(params);
    free(kernel.bytes);
    return status;
}
