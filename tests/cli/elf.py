"""Small ELF programs made by hand, of ARM where nothing else is said, sound or hostile."""
import struct

BASE = 0x10000
PT_LOAD, PT_INTERP = 1, 3
EXIT_42 = struct.pack("<3I", 0xE3A0002A, 0xE3A07001, 0xEF000000)  # mov r0, #42; mov r7, #1; svc 0


def segment(kind=PT_LOAD, offset=0, vaddr=BASE, filesz=None, memsz=None, flags=5, align=0x1000):
    return dict(kind=kind, offset=offset, vaddr=vaddr, filesz=filesz, memsz=memsz, flags=flags, align=align)


def program(segments=None, code=EXIT_42, entry=None, machine=40, elf_class=1, data=1, kind=2, phnum=None,
            phentsize=32, phoff=52, tail=b""):
    segments = [segment()] if segments is None else segments
    start = 52 + 32 * len(segments)
    body = code + tail
    size = start + len(body)
    entry = BASE + start if entry is None else entry
    head = b"\x7fELF" + bytes([elf_class, data, 1]) + bytes(9)
    head += struct.pack("<HHIIIIIHHHHHH", kind, machine, 1, entry, phoff, 0, 0x05000200, 52, phentsize,
                        len(segments) if phnum is None else phnum, 40, 0, 0)
    for s in segments:
        filesz = size if s["filesz"] is None else s["filesz"]
        memsz = filesz if s["memsz"] is None else s["memsz"]
        head += struct.pack("<8I", s["kind"], s["offset"], s["vaddr"], s["vaddr"], filesz, memsz, s["flags"], s["align"])
    return head + body


X86_EXIT_42 = bytes.fromhex("b801000000 bb2a000000 cd80")  # mov eax, 1; mov ebx, 42; int 0x80
X86_64_EXIT_42 = bytes.fromhex("b83c000000 bf2a000000 0f05")  # mov eax, 60; mov edi, 42; syscall


def program64(code=X86_64_EXIT_42, base=0x400000, machine=62):
    start = 64 + 56
    size = start + len(code)
    head = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, base + start, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    return head + struct.pack("<IIQQQQQQ", PT_LOAD, 5, 0, base, base, size, size, 0x1000) + code


def interpreter(text):
    """A program whose interpreter is TEXT, as it stands (no terminator added)."""
    at = 52 + 64 + len(EXIT_42)
    return program([segment(PT_INTERP, at, BASE + at, len(text), len(text), 4, 1), segment()], tail=text)


# name: (file, what narwhal run must do: "error", "ends" (in any way that is not a hang or crash of
# the emulator), or an exit status)
SAMPLES = {
    "sound": (program(), 42),
    "align 0": (program([segment(align=0)]), "ends"),
    "align 3": (program([segment(align=3)]), "ends"),
    "many program headers": (program(phnum=0xFFFF), "error"),
    "no program headers": (program(phnum=0), "error"),
    "odd phentsize": (program(phentsize=31), "error"),
    "phoff beyond the file": (program(phoff=0xFFFFFFF0), "error"),
    "segment at the top": (program([segment(vaddr=0xFFFFF000)]), "error"),
    "segment over the top": (program([segment(vaddr=0xFFFF0000, memsz=0x20000)]), "error"),
    "memsz of 4 GiB": (program([segment(memsz=0xFFFFFFFF)]), "error"),
    "filesz > memsz": (program([segment(memsz=1)]), "error"),
    "filesz beyond the file": (program([segment(filesz=0x7FFFFFFF)]), "error"),
    "offset beyond the file": (program([segment(offset=0xFFFFF000)]), "error"),
    "offset out of step with the address": (program([segment(vaddr=BASE + 0x123)]), "ends"),
    "segment at 0": (program([segment(vaddr=0)], entry=84), "ends"),
    "overlapping segments": (program([segment(), segment(vaddr=BASE)]), "ends"),
    "entry outside": (program(entry=0x7000_0000), 139),
    "entry at the top": (program(entry=0xFFFFFFFE), "ends"),
    "not executable memory": (program([segment(flags=4)]), "ends"),
    "interpreter missing": (interpreter(b"/no/such/ld.so\0"), "error"),
    "interpreter not terminated": (interpreter(b"/no/such/ld.so"), "error"),
    "interpreter empty": (interpreter(b""), "error"),
    "interpreter long": (interpreter(b"/x" * 5000 + b"\0"), "error"),
    "interpreter not ELF": (interpreter(b"/etc/passwd\0"), "error"),
    "i386": (program(machine=3, code=X86_EXIT_42), 42),
    "x86-64": (program64(), 42),
    "x86-64 beyond the window": (program64(base=0x7F1234560000), 42),
    "x86-64 beyond user space": (program64(base=0xFFFF_8000_0000_0000), "error"),
    "x86-64 as 64-bit ARM": (program64(machine=183), "error"),
    "MIPS machine": (program(machine=8), "error"),
    "aarch64 machine": (program(machine=183), "error"),
    "64-bit class": (program(elf_class=2), "error"),
    "big-endian": (program(data=2), "error"),
    "relocatable": (program(kind=1), "error"),
    "core file": (program(kind=4), "error"),
    "undefined instruction": (program(code=struct.pack("<I", 0xE7F000F0)), 132),
    "breakpoint": (program(code=struct.pack("<I", 0xE1200070)), 133),
    "null load": (program(code=struct.pack("<2I", 0xE3A00000, 0xE5901000)), 139),
    "store to code": (program(code=struct.pack("<I", 0xE50F1008)), 139),
    "recursion": (program(code=struct.pack("<2I", 0xE92D5FFF, 0xEAFFFFFD)), 139),
    "kill itself": (program(code=struct.pack("<6I", 0xE3A07014, 0xEF000000, 0xE3A0100F, 0xE3A07025, 0xEF000000, 0xEAFFFFFE)), 143),
}
for length in (0, 1, 3, 4, 16, 51, 52, 60, 83, 84, 90):
    SAMPLES[f"cut to {length} bytes"] = (program()[:length], "error")
for status in (0, 1, 2, 77, 126, 127, 128, 137, 200, 255):
    SAMPLES[f"exit {status}"] = (program(code=struct.pack("<3I", 0xE3A00000 | status, 0xE3A07001, 0xEF000000)), status)
