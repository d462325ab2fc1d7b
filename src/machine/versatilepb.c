/* ARM Versatile Platform Baseboard for ARM926EJ-S (ARM DUI 0225D, chapter 4). */
#include "machine/board.h"

static const struct board_device devices[] = {
    {DEVICE_PL190, 0x10140000, -1}, {DEVICE_PL011, 0x101f1000, 12}, {DEVICE_PL011, 0x101f2000, 13},
    {DEVICE_PL011, 0x101f3000, 14}, {DEVICE_NONE, 0, -1},
};

const struct board board_versatilepb = {
    .name = "versatilepb",
    .about = "ARM Versatile Platform Baseboard (ARM926EJ-S)",
    .arch = NW_ARCH_ARM,
    .cpu = "arm926",
    .ram_base = 0,
    .ram_default = 128ull << 20,
    .ram_max = 256ull << 20, /* the devices begin at 0x10000000 */
    .board_id = 387,
    .kernel_offset = 0x10000,
    .atags_offset = 0x100,
    .devices = devices,
};
