"""emu_start in each mode with until, count and timeout, emu_stop, and exceptions out of hooks."""
import time
from common import *
from unicorn.unicorn_const import *
from unicorn.x86_const import *
from unicorn.arm_const import *

# inc eax or ax; inc ecx or cx: the encodings of each mode
for bits, code in ((16, "ffc0ffc1"), (32, "4041"), (64, "ffc0ffc1")):
    code = bytes.fromhex(code)
    uc = x86(bits, code)
    uc.reg_write(UC_X86_REG_EAX, 0x1ffff)
    uc.emu_start(CODE, CODE + len(code))
    assert uc.reg_read(UC_X86_REG_EAX) == (0x10000 if bits == 16 else 0x20000)
    assert uc.reg_read(UC_X86_REG_CX) == 1
    assert uc.reg_read(UC_X86_REG_RIP if bits == 64 else UC_X86_REG_EIP) == CODE + len(code)

uc = x86(32, b"\x40" * 100)
uc.emu_start(CODE, CODE + 100, count=7)
assert uc.reg_read(UC_X86_REG_EAX) == 7
assert uc.reg_read(UC_X86_REG_EIP) == CODE + 7

uc = arm(UC_MODE_ARM, words(0xe2800005, 0xe2811006))  # add r0, #5; add r1, #6
uc.emu_start(CODE, CODE + 8)
assert (uc.reg_read(UC_ARM_REG_R0), uc.reg_read(UC_ARM_REG_R1)) == (5, 6)
assert uc.reg_read(UC_ARM_REG_PC) == CODE + 8
uc = arm(UC_MODE_THUMB, bytes.fromhex("0530" "0631"))  # adds r0, #5; adds r1, #6
uc.emu_start(CODE | 1, CODE + 4)
assert (uc.reg_read(UC_ARM_REG_R0), uc.reg_read(UC_ARM_REG_R1)) == (5, 6)
assert uc.reg_read(UC_ARM_REG_CPSR) & 0x20
uc = arm(UC_MODE_ARM, words(0xe28f0001, 0xe12fff10) + bytes.fromhex("0721"))  # add r0, pc, #1; bx r0; movs r1, #7
uc.emu_start(CODE, CODE + 10)
assert uc.reg_read(UC_ARM_REG_R1) == 7

# A loop that never ends is stopped by the clock.
uc = x86(64, b"\xeb\xfe")
began = time.monotonic()
uc.emu_start(CODE, CODE + 2, timeout=50 * 1000)
took = time.monotonic() - began
assert 0.04 < took < 30
assert uc.query(UC_QUERY_TIMEOUT) == 1
assert uc.reg_read(UC_X86_REG_RIP) == CODE


def stop(uc, address, size, data):
    if address == CODE + data:
        uc.emu_stop()


uc = x86(32, b"\x40" * 10)
uc.hook_add(UC_HOOK_CODE, stop, 4)
uc.emu_start(CODE, CODE + 10)
assert uc.reg_read(UC_X86_REG_EAX) == 4


def fail(uc, address, size, data):
    raise KeyError(address)


# The binding stops the engine and raises what the hook raised.
uc = x86(32, b"\x40" * 10)
uc.hook_add(UC_HOOK_CODE, fail, None, CODE + 3, CODE + 3)
try:
    uc.emu_start(CODE, CODE + 10)
    raised = None
except KeyError as e:
    raised = e.args[0]
assert raised == CODE + 3
assert uc.reg_read(UC_X86_REG_EAX) == 3
