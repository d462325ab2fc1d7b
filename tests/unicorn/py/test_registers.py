"""reg_read and reg_write of each kind of value that the binding has: numbers, x87, vectors, tables, MSRs."""
from common import *
from unicorn.unicorn_const import *
from unicorn.x86_const import *
from unicorn.arm_const import *

uc = x86(64, b"\x90")
uc.reg_write(UC_X86_REG_RAX, 0x1122334455667788)
assert uc.reg_read(UC_X86_REG_RAX) == 0x1122334455667788
assert uc.reg_read(UC_X86_REG_EAX) == 0x55667788
assert uc.reg_read(UC_X86_REG_AX) == 0x7788
assert uc.reg_read(UC_X86_REG_AH) == 0x77
assert uc.reg_read(UC_X86_REG_AL) == 0x88
uc.reg_write(UC_X86_REG_AH, 0xab)
assert uc.reg_read(UC_X86_REG_RAX) == 0x112233445566ab88
uc.reg_write(UC_X86_REG_R15, 2**64 - 1)
assert uc.reg_read(UC_X86_REG_R15D) == 2**32 - 1
uc.reg_write(UC_X86_REG_RIP, 0x1234)
assert uc.reg_read(UC_X86_REG_RIP) == 0x1234
uc.reg_write(UC_X86_REG_EFLAGS, 0x8d7)
assert uc.reg_read(UC_X86_REG_EFLAGS) & 0x8d5 == 0x8d5
uc.reg_write(UC_X86_REG_FS_BASE, 0x7000)
assert uc.reg_read(UC_X86_REG_FS_BASE) == 0x7000

wide = 0x0123456789abcdef_fedcba9876543210
uc.reg_write(UC_X86_REG_XMM3, wide)
assert uc.reg_read(UC_X86_REG_XMM3) == wide
uc.reg_write(UC_X86_REG_YMM5, wide << 128 | 0x55)
assert uc.reg_read(UC_X86_REG_YMM5) == wide << 128 | 0x55
assert uc.reg_read(UC_X86_REG_XMM5) == 0x55
uc.reg_write(UC_X86_REG_FP2, (0x8000000000000001, 0x3fff))
assert tuple(uc.reg_read(UC_X86_REG_FP2)) == (0x8000000000000001, 0x3fff)
uc.reg_write(UC_X86_REG_GDTR, (0, 0x5000, 0xff, 0))
assert tuple(uc.reg_read(UC_X86_REG_GDTR))[1:3] == (0x5000, 0xff)
uc.reg_write(UC_X86_REG_IDTR, (0, 0x6000, 0x7ff, 0))
assert tuple(uc.reg_read(UC_X86_REG_IDTR))[1:3] == (0x6000, 0x7ff)
LSTAR = 0xc0000082
uc.msr_write(LSTAR, 0xffff800000001000)
assert uc.msr_read(LSTAR) == 0xffff800000001000

uc = arm(UC_MODE_ARM, words(0xe1a00000))
for i in range(13):
    uc.reg_write(UC_ARM_REG_R0 + i, 0x1000 + i)
assert [uc.reg_read(UC_ARM_REG_R0 + i) for i in range(13)] == [0x1000 + i for i in range(13)]
assert uc.reg_read(UC_ARM_REG_SP) == uc.reg_read(UC_ARM_REG_R13) == STACK
uc.reg_write(UC_ARM_REG_LR, 0x4321)
assert uc.reg_read(UC_ARM_REG_R14) == 0x4321
uc.reg_write(UC_ARM_REG_D7, wide & (2**64 - 1))
assert uc.reg_read(UC_ARM_REG_D7) == wide & (2**64 - 1)
assert uc.reg_read(UC_ARM_REG_S14) == wide & (2**32 - 1)
TPIDRURO = (15, 0, 0, 13, 0, 0, 3)  # cp, 64 bits, secure, CRn, CRm, opc1, opc2
uc.reg_write(UC_ARM_REG_CP_REG, TPIDRURO + (0x5678,))
assert uc.reg_read(UC_ARM_REG_CP_REG, TPIDRURO) == 0x5678
