"""UC_HOOK_TCG_OPCODE: operands of subtractions and comparisons."""
from common import *
from unicorn.unicorn_const import *
from unicorn.x86_const import *

needs((2, 1), "the callback of opcodes")


def log(uc, address, arg1, arg2, size, seen):
    seen.append((address - CODE, arg1, arg2, size))


uc, seen = x86(64, bytes.fromhex("4839d8" "90")), []  # cmp rax, rbx
uc.reg_write(UC_X86_REG_RAX, 9)
uc.reg_write(UC_X86_REG_RBX, 4)
uc.hook_add(UC_HOOK_TCG_OPCODE, log, seen, 1, 0, UC_TCG_OP_SUB, UC_TCG_OP_FLAG_CMP)
uc.emu_start(CODE, CODE + 4)
assert seen == [(0, 9, 4, 64)]

# Subtractions that are no comparisons; Unicorn tells the difference for the first operand.
uc, seen = x86(64, bytes.fromhex("488d4424f8" "4829d8" "90")), []  # lea rax,[rsp-8]; sub rax,rbx
uc.reg_write(UC_X86_REG_RBX, 4)
uc.hook_add(UC_HOOK_TCG_OPCODE, log, seen, CODE + 5, CODE + 5, UC_TCG_OP_SUB, UC_TCG_OP_FLAG_DIRECT)
uc.emu_start(CODE, CODE + 9)
assert (5, STACK - 8 if ours() else STACK - 12, 4, 64) in seen
