"""UC_HOOK_EDGE_GENERATED: each edge of the control flow once."""
from common import *
from unicorn.unicorn_const import *

# mov ecx,3; 5: dec ecx; jnz 5; nop
uc, seen = x86(32, bytes.fromhex("b903000000" "49" "75fd" "90")), []


def edge(uc, now, before, data):
    seen.append((before.pc - CODE, now.pc - CODE))


uc.hook_add(UC_HOOK_EDGE_GENERATED, edge)
uc.emu_start(CODE, CODE + 9)
assert (0, 5) in seen
assert (5, 8) in seen
assert len(seen) == len(set(seen))
