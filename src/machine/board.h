/* Private to src/machine: what a board is made of. */
#ifndef MACHINE_BOARD_H
#define MACHINE_BOARD_H

#include "machine/machine.h"
#include "dev/irq.h"
#include "dev/pl011.h"
#include "dev/pl190.h"

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
    const char *cpu;
    uint32_t ram_base;
    uint64_t ram_default, ram_max;
    uint32_t board_id;                  /* r1 at the kernel's entry */
    uint32_t kernel_offset;             /* where a raw image goes, from ram_base */
    uint32_t atags_offset;              /* … and the tag list */
    const struct board_device *devices; /* ends with DEVICE_NONE; the interrupt controller first */
};

extern const struct board board_versatilepb;

/* Everything the loader puts into RAM, with its checks against overlap and size. */
nw_status arm_boot_load(nw_engine *, nw_vcpu *, const struct board *,
                        const struct machine_options *, uint64_t ram_size, struct machine_error *);

#endif
