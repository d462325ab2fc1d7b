"""reg_read_batch and reg_write_batch, of engines and of contexts."""
from common import *
from unicorn.unicorn_const import *
from unicorn.x86_const import *
from unicorn.arm_const import *

needs((2, 1), "a batch of registers")
uc = x86(64, b"\x90")
uc.reg_write_batch(((UC_X86_REG_RAX, 1), (UC_X86_REG_R9, 2**64 - 2), (UC_X86_REG_XMM1, 3 << 64)))
assert tuple(uc.reg_read_batch((UC_X86_REG_R9, UC_X86_REG_XMM1, UC_X86_REG_RAX))) == (2**64 - 2, 3 << 64, 1)
context = uc.context_save()
context.reg_write_batch(((UC_X86_REG_RAX, 7), (UC_X86_REG_RBX, 8)))
assert tuple(context.reg_read_batch((UC_X86_REG_RBX, UC_X86_REG_RAX))) == (8, 7)
assert uc.reg_read(UC_X86_REG_RAX) == 1

uc = arm(UC_MODE_ARM, words(0xe1a00000))
uc.reg_write_batch(((UC_ARM_REG_R0, 5), (UC_ARM_REG_R12, 6)))
assert tuple(uc.reg_read_batch((UC_ARM_REG_R12, UC_ARM_REG_R0, UC_ARM_REG_SP))) == (6, 5, STACK)
