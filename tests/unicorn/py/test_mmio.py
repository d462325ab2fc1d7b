"""mmio_map: offsets, sizes, values and data of the callbacks."""
from common import *
from unicorn.unicorn_const import *
from unicorn.x86_const import *
from unicorn.arm_const import *


def load(uc, offset, size, seen):
    seen.append(("load", offset, size))
    return 0x11223344


def store(uc, offset, size, value, seen):
    seen.append(("store", offset, size, value))


# mov eax,[NOWHERE+8]; mov [NOWHERE+0x10],ax
uc, loads, stores = x86(32, bytes.fromhex("a108009000" "66a310009000")), [], []
uc.mmio_map(NOWHERE, 0x1000, load, loads, store, stores)
uc.emu_start(CODE, CODE + 11)
assert loads == [("load", 8, 4)]
assert stores == [("store", 0x10, 2, 0x3344)]
assert uc.reg_read(UC_X86_REG_EAX) == 0x11223344
assert [r[:2] for r in uc.mem_regions()] == [(CODE, CODE + SIZE - 1), (NOWHERE, NOWHERE + 0xfff)]

uc, seen = arm(UC_MODE_ARM, words(0xe5d01003, 0xe5801020)), []  # ldrb r1,[r0,#3]; str r1,[r0,#32]
uc.reg_write(UC_ARM_REG_R0, NOWHERE)
uc.mmio_map(NOWHERE, 0x1000, load, seen, store, seen)
uc.emu_start(CODE, CODE + 8)
assert seen == [("load", 3, 1), ("store", 0x20, 4, 0x44)]
