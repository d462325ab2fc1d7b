"""The scripts use all of the binding: each function, method and property, each kind of hook, fault and control."""
import pathlib
import re
from common import *
from unicorn.unicorn_const import *

here = pathlib.Path(__file__)
text = "".join(p.read_text() for p in here.parent.glob("test_*.py") if p != here)
uc = x86(64, b"\x90")
INNER = {"Arg"}  # a type of the binding's own
names = {n for thing in (uc, uc.context_save()) for n in dir(thing)} - INNER
names |= {n for n in dir(unicorn) if callable(getattr(unicorn, n))}
names |= {n for n in dir(const) if re.match("UC_(HOOK|MEM|PROT|QUERY|TLB|TCG|CTL_CONTEXT)_", n)}
missing = [n for n in sorted(names) if not n.startswith(("_", "REG_RANGE_")) and not re.search(rf"\b{n}\b", text)]
assert not missing, missing
