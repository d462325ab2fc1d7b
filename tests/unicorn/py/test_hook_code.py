"""Hooks of code and of blocks: addresses, sizes, data, ranges, removal, and a pc that is written."""
from common import *
from unicorn.unicorn_const import *
from unicorn.x86_const import *
from unicorn.arm_const import *


def log(uc, address, size, data):
    data.append((address - CODE, size))


code = bytes.fromhex("40" "89c3" "7402" "4141" "42")  # inc eax; mov ebx,eax; jz +2; inc ecx twice; inc edx
uc = x86(32, code)
seen, blocks, some = [], [], []
uc.hook_add(UC_HOOK_CODE, log, seen)
handle = uc.hook_add(UC_HOOK_BLOCK, log, blocks)
uc.hook_add(UC_HOOK_CODE, log, some, CODE + 1, CODE + 3)
uc.emu_start(CODE, CODE + len(code))
assert seen == [(0, 1), (1, 2), (3, 2), (5, 1), (6, 1), (7, 1)]
assert [b[0] for b in blocks] == [0, 5]
assert blocks[0] == (0, 5)
assert some == [(1, 2), (3, 2)]
uc.hook_del(handle)
del blocks[:], seen[:]
uc.emu_start(CODE, CODE + len(code))
assert blocks == []
assert len(seen) == 6

for mode, code, sizes in ((UC_MODE_ARM, words(0xe2800001, 0xe2811002), [(0, 4), (4, 4)]),
                          (UC_MODE_THUMB, bytes.fromhex("0130" "01f10201"), [(0, 2), (2, 4)])):
    uc, seen = arm(mode, code), []
    uc.hook_add(UC_HOOK_CODE, log, seen)
    uc.emu_start(CODE | (mode == UC_MODE_THUMB), CODE + len(code))
    assert seen == sizes
    assert (uc.reg_read(UC_ARM_REG_R0), uc.reg_read(UC_ARM_REG_R1)) == (1, 2)


def skip(uc, address, size, data):
    assert uc.reg_read(UC_X86_REG_EIP) == address
    uc.reg_write(UC_X86_REG_EIP, address + size)


uc = x86(32, b"\x40" * 4)
uc.hook_add(UC_HOOK_CODE, skip, None, CODE + 2, CODE + 2)
uc.emu_start(CODE, CODE + 4)
assert uc.reg_read(UC_X86_REG_EAX) == 3
