"""mem_map, mem_map_ptr, mem_unmap, mem_protect, mem_read, mem_write, mem_regions."""
import ctypes
import mmap
from common import *
from unicorn import Uc
from unicorn.unicorn_const import *
from unicorn.x86_const import *

uc = Uc(UC_ARCH_X86, UC_MODE_64)
assert list(uc.mem_regions()) == []
uc.mem_map(0x10000, 0x4000)
assert list(uc.mem_regions()) == [(0x10000, 0x13fff, UC_PROT_ALL)]
assert uc.mem_read(0x10000, 8) == bytes(8)
uc.mem_write(0x11ffe, b"abcd")
assert uc.mem_read(0x11ffe, 4) == b"abcd"
assert error(uc.mem_map, 0x12000, 0x1000) == UC_ERR_MAP
assert error(uc.mem_map, 0x20001, 0x1000) == UC_ERR_ARG
assert error(uc.mem_map, 0x20000, 0x123) == UC_ERR_ARG
assert error(uc.mem_read, 0x13fff, 2) == UC_ERR_READ_UNMAPPED
assert error(uc.mem_write, 0x20000, b"x") == UC_ERR_WRITE_UNMAPPED

uc.mem_protect(0x11000, 0x1000, UC_PROT_READ)
assert sorted(uc.mem_regions()) == [(0x10000, 0x10fff, UC_PROT_ALL), (0x11000, 0x11fff, UC_PROT_READ),
                                    (0x12000, 0x13fff, UC_PROT_ALL)]
assert error(uc.mem_protect, 0x20000, 0x1000, UC_PROT_READ) == UC_ERR_NOMEM
uc.mem_write(0x11000, b"kept")  # the host may write what the guest may not
assert uc.mem_read(0x11000, 4) == b"kept"
uc.mem_unmap(0x11000, 0x1000)
assert len(list(uc.mem_regions())) == 2
assert error(uc.mem_read, 0x11000, 1) == UC_ERR_READ_UNMAPPED
assert error(uc.mem_unmap, 0x11000, 0x1000) == UC_ERR_NOMEM
assert uc.mem_read(0x12000, 2) == b"cd"

# Memory of the caller's: both sides see each other's stores.
host = mmap.mmap(-1, 0x1000)
there = ctypes.addressof(ctypes.c_char.from_buffer(host))
uc = x86(64, bytes.fromhex("8b0425 00009000 890425 04009000".replace(" ", "")))  # mov eax,[]; mov [],eax
uc.mem_map_ptr(NOWHERE, 0x1000, UC_PROT_ALL, there)
host[0:4] = b"wxyz"
uc.emu_start(CODE, CODE + 14)
assert uc.reg_read(UC_X86_REG_EAX) == int.from_bytes(b"wxyz", "little")
assert host[4:8] == b"wxyz"
uc.mem_write(NOWHERE + 8, b"1234")
assert host[8:12] == b"1234"
