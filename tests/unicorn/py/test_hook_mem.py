"""Hooks of reads, writes and values that were read."""
from common import *
from unicorn.unicorn_const import *
from unicorn.x86_const import *
from unicorn.arm_const import *


def log(uc, access, address, size, value, data):
    data.append((access, address, size, value if access != UC_MEM_READ else None))


# mov eax,[DATA]; mov [DATA+8],ax; push eax
uc = x86(32, bytes.fromhex("a100300000" "66a308300000" "50"))
uc.mem_write(DATA, words(0x11223344))
both, writes, some = [], [], []
uc.hook_add(UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE, log, both)
uc.hook_add(UC_HOOK_MEM_WRITE, log, writes)
uc.hook_add(UC_HOOK_MEM_WRITE, log, some, DATA, DATA + 0xff)
uc.emu_start(CODE, CODE + 12)
store, push = (UC_MEM_WRITE, DATA + 8, 2, 0x3344), (UC_MEM_WRITE, STACK - 4, 4, 0x11223344)
assert both == [(UC_MEM_READ, DATA, 4, None), store, push]
assert writes == [store, push]
assert some == [store]

uc, seen = arm(UC_MODE_ARM, words(0xe5901000, 0xe5c01005)), []  # ldr r1,[r0]; strb r1,[r0,#5]
uc.reg_write(UC_ARM_REG_R0, DATA)
uc.mem_write(DATA, words(0x55667788))
uc.hook_add(UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE, log, seen)
uc.emu_start(CODE, CODE + 8)
assert seen == [(UC_MEM_READ, DATA, 4, None), (UC_MEM_WRITE, DATA + 5, 1, 0x88)]


def replace(uc, access, address, size, value, data):
    uc.mem_write(address, words(0xabcdef))


uc = x86(32, bytes.fromhex("a100300000"))
uc.hook_add(UC_HOOK_MEM_READ, replace)
uc.emu_start(CODE, CODE + 5)
assert uc.reg_read(UC_X86_REG_EAX) == 0xabcdef

uc, seen = x86(32, bytes.fromhex("a100300000")), []
uc.mem_write(DATA, words(0x1234))
if BINDING < (2, 1):
    uc.hook_add(UC_HOOK_MEM_READ_AFTER, log, seen)
    uc.emu_start(CODE, CODE + 5)
    assert seen == [(UC_MEM_READ_AFTER, DATA, 4, 0x1234)]
else:  # the binding has no callback for it
    assert error(uc.hook_add, UC_HOOK_MEM_READ_AFTER, log, seen) == UC_ERR_ARG

# Fetches are in UC_HOOK_MEM_VALID too; only ours calls hooks for them.
for kinds in (UC_HOOK_MEM_VALID, UC_HOOK_MEM_FETCH):
    uc, seen = x86(32, bytes.fromhex("a100300000" "a308300000")), []  # mov eax,[DATA]; mov [DATA+8],eax
    uc.hook_add(kinds, log, seen)
    uc.emu_start(CODE, CODE + 10)
    if kinds == UC_HOOK_MEM_VALID:
        assert [s[:3] for s in seen if s[0] != UC_MEM_FETCH] == [(UC_MEM_READ, DATA, 4), (UC_MEM_WRITE, DATA + 8, 4)]
    if ours():
        assert [s[:3] for s in seen if s[0] == UC_MEM_FETCH] == [(UC_MEM_FETCH, CODE, 5), (UC_MEM_FETCH, CODE + 5, 5)]
