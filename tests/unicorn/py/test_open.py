"""Versions, architectures, modes, query, and the text of errors, subclasses."""
import ctypes
from common import *
from unicorn import Uc, UcError, uc_arch_supported, uc_version, version_bind
from unicorn.unicorn_const import *
from unicorn.arm_const import *
from unicorn.x86_const import *

major, minor, both = uc_version()
assert major == 2
assert both >> 16 == (major << 8 | minor) or both == (major << 8 | minor)
assert version_bind()[0] == 2
assert uc_arch_supported(UC_ARCH_X86)
assert uc_arch_supported(UC_ARCH_ARM)
assert not uc_arch_supported(0)
assert not uc_arch_supported(UC_ARCH_MAX)

for mode in (UC_MODE_16, UC_MODE_32, UC_MODE_64):
    uc = Uc(UC_ARCH_X86, mode)
    assert uc.query(UC_QUERY_MODE) == mode
    assert uc.query(UC_QUERY_ARCH) == UC_ARCH_X86
    assert uc.query(UC_QUERY_PAGE_SIZE) == 4096
    assert uc.query(UC_QUERY_TIMEOUT) == 0
    assert error(uc.query, 99) == UC_ERR_ARG
for mode in (UC_MODE_ARM, UC_MODE_THUMB):
    assert Uc(UC_ARCH_ARM, mode).query(UC_QUERY_ARCH) == UC_ARCH_ARM

assert error(Uc, UC_ARCH_X86, UC_MODE_THUMB) == UC_ERR_MODE
assert error(Uc, UC_ARCH_ARM, UC_MODE_64) == UC_ERR_MODE
assert "UC_ERR_OK" in str(UcError(UC_ERR_OK))
assert "UC_ERR_MAP" in str(UcError(UC_ERR_MAP))

assert error(Uc, UC_ARCH_ARM, UC_MODE_V8) == UC_ERR_MODE
for mode in (UC_MODE_BIG_ENDIAN, UC_MODE_ARM926, UC_MODE_ARM946, UC_MODE_ARM1176, UC_MODE_MCLASS | UC_MODE_THUMB,
             UC_MODE_LITTLE_ENDIAN):
    assert Uc(UC_ARCH_ARM, mode).query(UC_QUERY_ARCH) == UC_ARCH_ARM
# add r0, #5 in memory that is big-endian
uc = arm(UC_MODE_BIG_ENDIAN, 0xe2800005.to_bytes(4, "big"))
uc.emu_start(CODE, CODE + 4)
assert uc.reg_read(UC_ARM_REG_R0) == 5

# A handle is closed by the binding when nobody has it any more, and this is how.
handle = ctypes.c_void_p()
assert ctypes.CDLL("libunicorn.so.2").uc_open(UC_ARCH_X86, UC_MODE_32, ctypes.byref(handle)) == UC_ERR_OK
Uc.release_handle(handle)
Uc.release_handle(None)

assert "x86" in unicorn.debug()
if BINDING >= (2, 1):
    @unicorn.ucsubclass
    class Counting(Uc):
        def steps(self, n):
            self.emu_start(CODE, 0, count=n)
            return self.reg_read(UC_X86_REG_EAX)

    uc = Counting(UC_ARCH_X86, UC_MODE_32)
    uc.mem_map(CODE, SIZE)
    uc.mem_write(CODE, b"\x40" * 10)
    assert uc.steps(7) == 7
