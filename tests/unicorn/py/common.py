"""What the scripts share: engines with memory and code, errors as values, and versions."""
import ctypes
import sys
import warnings

warnings.simplefilter("ignore")

import unicorn
from unicorn import unicorn_const as const
from unicorn.arm_const import UC_ARM_REG_SP
from unicorn.x86_const import UC_X86_REG_ESP, UC_X86_REG_RSP

CODE = 0x1000  # where code is put
DATA = 0x3000
STACK = 0x8000
NOWHERE = 0x900000
SIZE = 0x10000

BINDING = (const.UC_VERSION_MAJOR, const.UC_VERSION_MINOR)
LIBRARY = tuple(unicorn.uc_version()[:2])

# The binding of 2.0 opens engines of a library of 2.0 only. What it calls is the same in 2.1.
const.UC_API_MAJOR, const.UC_API_MINOR = LIBRARY


def ours():
    return hasattr(ctypes.CDLL("libunicorn.so.2"), "nw_uc_version")


def about():
    name = "Narwhal" if ours() else "Unicorn"
    return f"binding {unicorn.__version__}, library {name} {unicorn.uc_version()}"


def unmet(what):
    """Is this our library, which does not do this yet?"""
    if ours():
        print("unmet:", what)
    return ours()


def needs(version, what):
    """Ends the script as skipped where the binding or the library is older."""
    if min(BINDING, LIBRARY) < version:
        print(f"{what} needs {version[0]}.{version[1]}")
        sys.exit(77)


def engine(arch, mode, code):
    uc = unicorn.Uc(arch, mode)
    uc.mem_map(CODE, SIZE)
    uc.mem_write(CODE, code)
    return uc


def x86(bits, code):
    mode = {16: const.UC_MODE_16, 32: const.UC_MODE_32, 64: const.UC_MODE_64}[bits]
    uc = engine(const.UC_ARCH_X86, mode, code)
    uc.reg_write(UC_X86_REG_RSP if bits == 64 else UC_X86_REG_ESP, STACK)
    return uc


def arm(mode, code):
    uc = engine(const.UC_ARCH_ARM, mode, code)
    uc.reg_write(UC_ARM_REG_SP, STACK)
    return uc


def words(*values):
    return b"".join(v.to_bytes(4, "little") for v in values)


def error(function, *args, **kw):
    """The number of the error that the call raises, UC_ERR_OK for none."""
    try:
        function(*args, **kw)
    except unicorn.UcError as e:
        return e.errno
    return const.UC_ERR_OK
