/* Private to src/machine: what a board is made of. */
#ifndef MACHINE_BOARD_H
#define MACHINE_BOARD_H

#include "machine/machine.h"

#include <stdatomic.h>

#include "dev/irq.h"
#include "dev/pl011.h"
#include "dev/pl190.h"

struct board;

struct machine {
    const struct board *board;
    nw_engine *engine;
    nw_vcpu *vcpu;
    void *devices; /* the board's own */
    atomic_bool stop;
    enum machine_wish wish;
    int status;
};

enum device_kind { DEVICE_NONE, DEVICE_PL011, DEVICE_PL190 };

/* A device and where it is; IRQ is its input on the board's interrupt controller, -1 for none. */
struct board_device {
    enum device_kind kind;
    uint32_t base;
    int irq;
};

struct board {
    const char *name, *about;
    nw_arch arch;
    const char *cpu; /* the default */
    uint64_t ram_default, ram_max;
    /* Maps memory of RAM bytes and the devices into the open engine, and loads what OPTIONS name.
     * On failure free is called. ERROR is filled in, or empty when the status says it all. */
    nw_status (*build)(struct machine *, const struct machine_options *, uint64_t ram,
                       struct machine_error *);
    void (*free)(struct machine *); /* no vCPU runs any more; the engine is still open */
    bool (*receive)(struct machine *, uint8_t byte);
    /* Nothing can happen any more: the CPU, stopped or halted, waits with interrupts masked. */
    bool (*stuck)(struct machine *, const nw_exit *);

    /* ARM boards. */
    uint32_t ram_base;
    uint32_t board_id;                  /* r1 at the kernel's entry */
    uint32_t kernel_offset;             /* where a raw image goes, from ram_base */
    uint32_t atags_offset;              /* … and the tag list */
    const struct board_device *devices; /* ends with DEVICE_NONE; the interrupt controller first */
};

extern const struct board board_versatilepb, board_pc;

/* Fills ERROR in. Returns NW_ERR_ARG. */
__attribute__((format(printf, 2, 3))) nw_status machine_fail(struct machine_error *,
                                                             const char *format, ...);

struct image {
    uint8_t *bytes;
    size_t size;
};
/* Reads a file of at most MAX bytes; WHAT names it in messages. The caller frees image->bytes,
 * after a failure too. */
nw_status machine_read_file(const char *what, const char *path, uint64_t max, struct image *image,
                            struct machine_error *);

/* An interrupt output to the CPU; TARGET is the vCPU. */
void machine_set_cpu_line(void *vcpu, unsigned line, bool level);
/* What serial lines without a terminal send. */
void machine_transmit_nowhere(void *opaque, uint8_t byte);

/* Everything the loader puts into RAM, with its checks against overlap and size. */
nw_status arm_boot_load(nw_engine *, nw_vcpu *, const struct board *,
                        const struct machine_options *, uint64_t ram_size, struct machine_error *);

/* A Linux kernel with what belongs to it; the PC's ROM is memory yet to be filled. */
nw_status x86_boot_load(nw_engine *, const struct machine_options *, uint64_t ram_size,
                        struct machine_error *);

#endif
