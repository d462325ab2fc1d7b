"""UC_HOOK_TLB_FILL: translation of addresses by a hook."""
from common import *
from unicorn.unicorn_const import *
from unicorn.x86_const import *

needs((2, 1), "UC_HOOK_TLB_FILL")


def fill(uc, address, access, entry, seen):
    seen.append((address & ~0xfff, access))
    if address >= 0x7000000:
        return False
    entry.paddr = DATA if address & ~0xfff == 0x5000000 else address & ~0xfff
    entry.perms = UC_PROT_ALL
    return True


uc, seen = x86(32, bytes.fromhex("a104000005" "a100000007")), []  # mov eax,[0x5000004]; mov eax,[0x7000000]
uc.mem_write(DATA + 4, words(0xcafe))
uc.ctl_set_tlb_mode(UC_TLB_VIRTUAL)
uc.hook_add(UC_HOOK_TLB_FILL, fill, seen)
uc.emu_start(CODE, CODE + 5)
assert uc.reg_read(UC_X86_REG_EAX) == 0xcafe
assert (CODE, UC_MEM_FETCH) in seen
assert (0x5000000, UC_MEM_READ) in seen
if not unmet("refused fills as exceptions"):
    assert error(uc.emu_start, CODE + 5, CODE + 10) == UC_ERR_EXCEPTION
