"""Hooks of IN, OUT, SYSCALL, SYSENTER, CPUID, and of undefined instructions."""
from common import *
from unicorn.unicorn_const import *
from unicorn.x86_const import *


def port_in(uc, port, size, seen):
    seen.append(("in", port, size))
    return 0xf1f2f3f4


def port_out(uc, port, size, value, seen):
    seen.append(("out", port, size, value))


# in al,0x3f; out 0x46,al; mov dx,0x3f8; in eax,dx; out dx,ax
for bits, prefix in ((16, "66"), (32, ""), (64, "")):
    move = "baf803" if bits == 16 else "66baf803"
    word = "ef" if bits == 16 else "66ef"
    code = bytes.fromhex("e43f" "e646" + move + prefix + "ed" + word)
    uc, seen = x86(bits, code), []
    uc.hook_add(UC_HOOK_INSN, port_in, seen, 1, 0, UC_X86_INS_IN)
    uc.hook_add(UC_HOOK_INSN, port_out, seen, 1, 0, UC_X86_INS_OUT)
    uc.emu_start(CODE, CODE + len(code))
    assert seen == [("in", 0x3f, 1), ("out", 0x46, 1, 0xf4), ("in", 0x3f8, 4), ("out", 0x3f8, 2, 0xf3f4)]
    assert uc.reg_read(UC_X86_REG_EAX) == 0xf1f2f3f4


def call(uc, seen):
    seen.append(uc.reg_read(UC_X86_REG_EAX))
    uc.reg_write(UC_X86_REG_EAX, 0x99)


for bits, code, insn in ((64, "0f05", UC_X86_INS_SYSCALL), (32, "0f34", UC_X86_INS_SYSENTER)):
    uc, seen = x86(bits, bytes.fromhex(code)), []
    uc.reg_write(UC_X86_REG_EAX, 0x42)
    uc.hook_add(UC_HOOK_INSN, call, seen, 1, 0, insn)
    uc.emu_start(CODE, CODE + 2)
    assert seen == [0x42]
    assert uc.reg_read(UC_X86_REG_EAX) == 0x99


def cpuid(uc, data):
    uc.reg_write(UC_X86_REG_EBX, 0x1234)
    return data


uc = x86(32, b"\x0f\xa2")
uc.hook_add(UC_HOOK_INSN, cpuid, 1, 1, 0, UC_X86_INS_CPUID)
uc.emu_start(CODE, CODE + 2)
assert uc.reg_read(UC_X86_REG_EBX) == 0x1234
assert uc.reg_read(UC_X86_REG_ECX) == 0
uc = x86(32, b"\x0f\xa2")
uc.hook_add(UC_HOOK_INSN, cpuid, 0, 1, 0, UC_X86_INS_CPUID)
uc.emu_start(CODE, CODE + 2)
assert uc.reg_read(UC_X86_REG_EBX) != 0x1234


def invalid(uc, data):
    at = uc.reg_read(UC_X86_REG_EIP)
    data[0].append(at)
    uc.reg_write(UC_X86_REG_EIP, at + 2)
    return data[1]


for answer, want in ((True, UC_ERR_OK), (False, UC_ERR_INSN_INVALID)):
    uc, seen = x86(32, b"\x40\x0f\x0b\x40"), []
    uc.hook_add(UC_HOOK_INSN_INVALID, invalid, (seen, answer))
    assert error(uc.emu_start, CODE, CODE + 4) == want
    assert seen == [CODE + 1]
    if LIBRARY >= (2, 1):  # 2.0 ends the run either way
        assert uc.reg_read(UC_X86_REG_EAX) == (2 if answer else 1)
