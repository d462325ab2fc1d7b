"""context_save, context_update, context_restore, registers of contexts, pickles."""
import pickle
from common import *
from unicorn.unicorn_const import *
from unicorn.x86_const import *
from unicorn.arm_const import *

uc = x86(64, b"\xff\xc0\xff\xc0")  # inc eax twice
uc.reg_write(UC_X86_REG_RAX, 5)
context = uc.context_save()
assert context.size > 0
assert context.arch == UC_ARCH_X86
assert context.mode == UC_MODE_64
uc.emu_start(CODE, CODE + 4)
assert uc.reg_read(UC_X86_REG_RAX) == 7
assert context.reg_read(UC_X86_REG_RAX) == 5
uc.context_restore(context)
assert uc.reg_read(UC_X86_REG_RAX) == 5
context.reg_write(UC_X86_REG_RBX, 0x77)
uc.context_restore(context)
assert uc.reg_read(UC_X86_REG_RBX) == 0x77
uc.reg_write(UC_X86_REG_RAX, 11)
uc.context_update(context)
assert context.reg_read(UC_X86_REG_RAX) == 11

# The bytes of a context are a context.
copy = pickle.loads(pickle.dumps(context))
uc.reg_write(UC_X86_REG_RAX, 0)
uc.context_restore(copy)
assert uc.reg_read(UC_X86_REG_RAX) == 11
other = x86(64, b"\x90")
other.context_restore(copy)
assert other.reg_read(UC_X86_REG_RBX) == 0x77

uc = arm(UC_MODE_THUMB, b"\x01\x30")  # adds r0, #1
context = uc.context_save()
uc.emu_start(CODE | 1, CODE + 2)
assert uc.reg_read(UC_ARM_REG_R0) == 1
uc.context_restore(context)
assert uc.reg_read(UC_ARM_REG_R0) == 0
assert uc.reg_read(UC_ARM_REG_SP) == STACK
