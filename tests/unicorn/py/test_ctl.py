"""ctl_*: mode, architecture, pages, timeout, exits, CPU models, cached blocks, contexts with memory, uc_ctl itself."""
import ctypes
from common import *
from unicorn import Uc
from unicorn.unicorn_const import *
from unicorn.x86_const import *
from unicorn.arm_const import *

uc = x86(32, b"\x40" * 10)
assert uc.ctl_get_mode() == UC_MODE_32
assert uc.ctl_get_arch() == UC_ARCH_X86
assert uc.ctl_get_page_size() == 4096
assert uc.ctl_get_timeout() == 0
assert error(uc.ctl_set_page_size, 4096) == UC_ERR_ARG  # of ARM only

uc = Uc(UC_ARCH_ARM, UC_MODE_ARM)
if LIBRARY >= (2, 1):  # 2.0 takes the size and keeps its own
    uc.ctl_set_page_size(2048)
    assert uc.ctl_get_page_size() == 2048
    assert uc.query(UC_QUERY_PAGE_SIZE) == 2048

uc = Uc(UC_ARCH_ARM, UC_MODE_ARM)
uc.ctl_set_cpu_model(UC_CPU_ARM_CORTEX_A7)
assert uc.ctl_get_cpu_model() == UC_CPU_ARM_CORTEX_A7
assert error(uc.ctl_set_cpu_model, 1000) == UC_ERR_ARG

uc = x86(32, b"\x40" * 10)
uc.ctl_exits_enabled(True)
uc.ctl_set_exits([CODE + 4, CODE + 7])
assert uc.ctl_get_exits_cnt() == 2
assert sorted(uc.ctl_get_exits()) == [CODE + 4, CODE + 7]
uc.emu_start(CODE, 0)
assert uc.reg_read(UC_X86_REG_EIP) == CODE + 4
uc.emu_start(CODE + 5, 0)
assert uc.reg_read(UC_X86_REG_EIP) == CODE + 7

uc = x86(32, b"\x40\x41\xeb\x00\x90")
tb = uc.ctl_request_cache(CODE)
tb = tb if isinstance(tb, tuple) else (tb.pc, tb.icount, tb.size)
assert tuple(tb) == (CODE, 3, 4)
uc.ctl_remove_cache(CODE, CODE + 4)
uc.ctl_flush_tb()
uc.emu_start(CODE, CODE + 4)
assert uc.reg_read(UC_X86_REG_ECX) == 1

# uc_ctl itself.
def control(kind, way):
    return (kind, way) if BINDING >= (2, 1) else (kind | 1 << 26 | way << 30,)


mode = ctypes.c_int(0)
uc.ctl(*control(UC_CTL_UC_MODE, UC_CTL_IO_READ), ctypes.byref(mode))
assert mode.value == UC_MODE_32
assert error(uc.ctl, *control(UC_CTL_UC_MODE, UC_CTL_IO_WRITE), ctypes.byref(mode)) == UC_ERR_ARG

if min(BINDING, LIBRARY) >= (2, 1):
    uc = Uc(UC_ARCH_X86, UC_MODE_64)
    uc.ctl_set_tcg_buffer_size(1 << 24)
    assert uc.ctl_get_tcg_buffer_size() == 1 << 24
    uc.ctl_tlb_mode(UC_TLB_CPU)
    uc.ctl_set_tlb_mode(UC_TLB_VIRTUAL)
    assert uc.errno == UC_ERR_OK

    # Contexts with memory.
    uc = x86(32, b"\x40")
    uc.ctl(UC_CTL_CONTEXT_MODE, UC_CTL_IO_WRITE, ctypes.c_int(UC_CTL_CONTEXT_MEMORY | UC_CTL_CONTEXT_CPU))
    uc.mem_write(DATA, b"before")
    context = uc.context_save()
    uc.mem_write(DATA, b"behind")
    uc.emu_start(CODE, CODE + 1)
    uc.context_restore(context)
    assert uc.mem_read(DATA, 6) == b"before"
    assert uc.reg_read(UC_X86_REG_EAX) == 0
