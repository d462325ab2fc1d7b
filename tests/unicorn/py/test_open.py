"""Versions, architectures, modes, query, and the text of errors."""
from common import *
from unicorn import Uc, UcError, uc_arch_supported, uc_version, version_bind
from unicorn.unicorn_const import *

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
