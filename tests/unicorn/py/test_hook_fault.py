"""Faults: errors without hooks, and hooks that mend the memory or do not."""
from common import *
from unicorn.unicorn_const import *
from unicorn.x86_const import *

LOAD, STORE = bytes.fromhex("a100009000"), bytes.fromhex("a300009000")  # mov eax,[NOWHERE] and back
JUMP = bytes.fromhex("b800009000" "ffe0")  # mov eax, NOWHERE; jmp eax

for code, want in ((LOAD, UC_ERR_READ_UNMAPPED), (STORE, UC_ERR_WRITE_UNMAPPED), (JUMP, UC_ERR_FETCH_UNMAPPED)):
    assert error(x86(32, code).emu_start, CODE, CODE + len(code)) == want
for code, perms, want in ((LOAD, UC_PROT_WRITE, UC_ERR_READ_PROT), (STORE, UC_PROT_READ, UC_ERR_WRITE_PROT),
                          (JUMP, UC_PROT_READ, UC_ERR_FETCH_PROT)):
    uc = x86(32, code)
    uc.mem_map(NOWHERE, 0x1000, perms)
    assert error(uc.emu_start, CODE, CODE + len(code)) == want
assert error(x86(32, b"\x0f\x0b").emu_start, CODE, CODE + 2) == UC_ERR_INSN_INVALID


def mend(uc, access, address, size, value, seen):
    seen.append((access, address, size))
    uc.mem_map(address & ~0xfff, 0x1000)
    uc.mem_write(address, words(0x90909090))
    return True


def refuse(uc, access, address, size, value, seen):
    seen.append((access, address))
    return False


uc, seen = x86(32, LOAD), []
uc.hook_add(UC_HOOK_MEM_READ_UNMAPPED, mend, seen)
uc.emu_start(CODE, CODE + 5)
assert seen == [(UC_MEM_READ_UNMAPPED, NOWHERE, 4)]
assert uc.reg_read(UC_X86_REG_EAX) == 0x90909090
uc, seen = x86(32, STORE), []
uc.reg_write(UC_X86_REG_EAX, 0x1234)
uc.hook_add(UC_HOOK_MEM_WRITE_UNMAPPED, mend, seen)
uc.emu_start(CODE, CODE + 5)
assert seen == [(UC_MEM_WRITE_UNMAPPED, NOWHERE, 4)]
assert uc.mem_read(NOWHERE, 4) == words(0x1234)
uc, seen = x86(32, JUMP), []
uc.hook_add(UC_HOOK_MEM_FETCH_UNMAPPED, mend, seen)
uc.emu_start(CODE, NOWHERE + 2)
assert [s[:2] for s in seen] == [(UC_MEM_FETCH_UNMAPPED, NOWHERE)]
assert uc.reg_read(UC_X86_REG_EIP) == NOWHERE + 2

uc, seen = x86(32, LOAD), []
uc.hook_add(UC_HOOK_MEM_READ_UNMAPPED | UC_HOOK_MEM_WRITE_UNMAPPED, refuse, seen)
assert error(uc.emu_start, CODE, CODE + 5) == UC_ERR_READ_UNMAPPED
assert seen == [(UC_MEM_READ_UNMAPPED, NOWHERE)]
assert uc.reg_read(UC_X86_REG_EIP) == CODE


def permit(uc, access, address, size, value, seen):
    seen.append((access, address))
    uc.mem_protect(NOWHERE, 0x1000, UC_PROT_ALL)
    return True


uc, seen = x86(32, LOAD), []
uc.mem_map(NOWHERE, 0x1000, UC_PROT_WRITE)
uc.mem_write(NOWHERE, words(0x77))
uc.hook_add(UC_HOOK_MEM_READ_PROT, permit, seen)
uc.emu_start(CODE, CODE + 5)
assert seen == [(UC_MEM_READ_PROT, NOWHERE)]
assert uc.reg_read(UC_X86_REG_EAX) == 0x77


# A hook of several kinds is told of these and of no others.
FAULTS = ((LOAD, None, UC_HOOK_MEM_READ_UNMAPPED, UC_MEM_READ_UNMAPPED, UC_ERR_READ_UNMAPPED),
          (STORE, None, UC_HOOK_MEM_WRITE_UNMAPPED, UC_MEM_WRITE_UNMAPPED, UC_ERR_WRITE_UNMAPPED),
          (JUMP, None, UC_HOOK_MEM_FETCH_UNMAPPED, UC_MEM_FETCH_UNMAPPED, UC_ERR_FETCH_UNMAPPED),
          (LOAD, UC_PROT_NONE, UC_HOOK_MEM_READ_PROT, UC_MEM_READ_PROT, UC_ERR_READ_PROT),
          (STORE, UC_PROT_READ | UC_PROT_EXEC, UC_HOOK_MEM_WRITE_PROT, UC_MEM_WRITE_PROT, UC_ERR_WRITE_PROT),
          (JUMP, UC_PROT_READ, UC_HOOK_MEM_FETCH_PROT, UC_MEM_FETCH_PROT, UC_ERR_FETCH_PROT))
for kinds in (UC_HOOK_MEM_UNMAPPED, UC_HOOK_MEM_PROT, UC_HOOK_MEM_READ_INVALID, UC_HOOK_MEM_WRITE_INVALID,
              UC_HOOK_MEM_FETCH_INVALID, UC_HOOK_MEM_INVALID, *(f[2] for f in FAULTS)):
    for code, perms, kind, access, want in FAULTS:
        uc, seen = x86(32, code), []
        if perms is not None:
            uc.mem_map(NOWHERE, 0x1000, perms)
        uc.hook_add(kinds, refuse, seen)
        assert error(uc.emu_start, CODE, CODE + len(code)) == want
        assert seen == ([(access, NOWHERE)] if kinds & kind else [])
