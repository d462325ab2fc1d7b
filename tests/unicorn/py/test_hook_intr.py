"""Hooks of interrupts: INT in the three modes, INT3, SVC of ARM and Thumb; the error without a hook."""
from common import *
from unicorn.unicorn_const import *
from unicorn.x86_const import *
from unicorn.arm_const import *


def log(uc, number, seen):
    seen.append(number)


for bits in (16, 32, 64):
    uc, seen = x86(bits, b"\xcd\x80\xcc\x90"), []
    uc.hook_add(UC_HOOK_INTR, log, seen)
    uc.emu_start(CODE, CODE + 4)
    assert seen == [0x80, 3]
assert error(x86(32, b"\xcd\x80").emu_start, CODE, CODE + 2) == UC_ERR_EXCEPTION


def answer(uc, number, seen):
    seen.append((number, uc.reg_read(UC_ARM_REG_R7)))
    uc.reg_write(UC_ARM_REG_R0, 0x5a)


for mode, code in ((UC_MODE_ARM, words(0xef000005, 0xe2800001)), (UC_MODE_THUMB, bytes.fromhex("05df" "0130"))):
    uc, seen = arm(mode, code), []
    uc.reg_write(UC_ARM_REG_R7, 4)
    uc.hook_add(UC_HOOK_INTR, answer, seen)
    uc.emu_start(CODE | (mode == UC_MODE_THUMB), CODE + len(code))
    assert seen == [(2, 4)]
    assert uc.reg_read(UC_ARM_REG_R0) == 0x5b
