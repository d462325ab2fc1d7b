#!/usr/bin/env python3
"""Runs a test image (x86/NAME.rom) under Narwhal in every mode and compares what it prints, line by line, with
what Bochs printed (x86/NAME.txt); with QEMU's word too where QEMU is installed.

usage: run.py NARWHAL ROM TEXT           compare
       run.py --record ROM TEXT          run the image in Bochs and write TEXT anew

Bochs is the reference, since QEMU's translator leaves out much that the manuals demand: see QEMU_DIFFERS.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

MODES = {"dbt": [], "no-chain": ["--no-chain"], "no-fastmem": ["--no-fastmem"], "interp": ["--interp"]}
SECONDS = 30

# CPU models, Narwhal's and Bochs's, where not these: SMAP came after Haswell.
CPU = ("haswell", "corei7_haswell_4770")
CPUS = {"paging_smap": ("max", "broadwell_ult")}

# Images that QEMU cannot run, and lines on which it is known to be wrong, by what they begin with.
QEMU_NOT = {
    "real_strict": "no limits in real mode, no checks of CR0 and CR4",
    "limits": "segment limits and types are not checked at accesses",
    "debug": "breakpoints do not know the shadow of MOV SS, nor RF in repeated instructions",
    "fpu": "x87 and SSE exceptions are not raised",
    "long_strict": "stacks and control registers are not checked",
    "irq": "7.2 ends with an assertion of its own",
}
ICEBP = "INT1 is taken for an undefined instruction"
RMW = dict.fromkeys(["second absent", "first absent", "both absent", "first read-only, second absent"],
                    "read-modify-write reads first, with a read's error code")
RESERVED = dict.fromkeys(["reserved", "level 4 reserved", "level 4 bit 7", "level 3 reserved", "bit 63", "large, reserved",
                          "cr3 with", "again, the pointer"], "P is clear in the error code; pointers are not kept")
QEMU_DIFFERS = {
    "real": {"int1": ICEBP},
    "cpu": {
        "address bits": "this model has 57",
        **dict.fromkeys(["pat with", "lstar not", "efer reserved", "unknown, "], "what is written is not checked"),
        "lock": "is ignored with most instructions", "8f /1": "is POP", "c6 /1": "is MOV",
    },
    "protected": {
        "icebp": ICEBP,
        "user: icebp": ICEBP,
        "ltr null": "loads it",
        "rdmsr unknown": "reads 0",
        "wrmsr unknown": "is ignored",
        "#UD with absent gate": "EXT is left out of the error code",
        "user: to ring 1, ss1 absent": "#TS for #SS",
    },
    "segments": {"code after a jump": "the accessed bit of code segments stays clear",
                 " cs 0093 ss 0023": "conforming code keeps the selector's RPL"},
    "tasks": {"new ": "EIP is the first instruction's length too far"},
    "long": {
        "icebp": ICEBP,
        **dict.fromkeys(["int without entry", "user: int 0x31", "compatibility: int 0x31", "task gate", "16-bit interrupt"],
                        "the error code has the offset in the table of 64-bit mode"),
        "#GP rdmsr": "reads 0",
        "load by r": "#GP for #SS",
        "last canonical": "the end of the access is not looked at",
        "jmp": "faults at the target", "call": "faults at the target", "ret": "faults at the target",
        "iretq to non": "faults at the target", "call gate to non": "faults at the target", "gate to non": "faults at the target",
        "compatibility: limit": "limits are not checked", "code with l": "is taken", "call gate:": "follows",
        "wrmsr": "addresses are not checked",
    },
    "syscalls": {
        "  cs 0008 ss 0010 rcx +0004": "DF is always cleared",
        "compatibility: syscall": "known outside 64-bit mode",
        "sysretq to": "faults at the target", "sysretq with": "VIF and VIP are left out",
        "sysexit to": "faults at the target", "wrfsbase to": "addresses are not checked",
        "sysenter without": "follows from sysretq",
    },
    "paging32": RMW, "paging_pae": {**RMW, **RESERVED}, "paging64": {**RMW, **RESERVED},
    "v86": {"icebp": ICEBP, "user: iret to vm": "VM is taken from any ring"},
}


def fail(text):
    print(text)
    sys.exit(1)


def lines(output):
    """What lies between the image's first and last line."""
    text = output.decode("latin-1").replace("\r", "")
    found = re.search(r"^== .*?^== end$", text, re.M | re.S)
    return (found.group(0) if found else text).split("\n")


def first_difference(got, want, same=lambda a, b: a == b):
    for n in range(max(len(got), len(want))):
        g = got[n] if n < len(got) else "(nothing more)"
        w = want[n] if n < len(want) else "(nothing more)"
        if not same(g, w):
            return f"line {n + 1}:\n  got  {g}\n  want {w}"
    return None


def run(command, **more):
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, **more)
    except subprocess.TimeoutExpired as e:
        return subprocess.CompletedProcess(command, -1, e.stdout or b"", b"no end after %d s\n" % SECONDS)


def narwhal(program, rom, options):
    return run([program, "boot", "--machine", "pc", "--cpu", CPUS.get(Path(rom).stem, CPU)[0], "--mem", "32M", "--no-reboot",
                "--timeout", str(SECONDS - 5), *options, "--bios", rom])


def qemu(program, rom):
    return run([program, "-M", "pc", "-cpu", "max,vendor=GenuineIntel", "-accel", "tcg", "-m", "32M", "-display", "none", "-serial", "none",
                "-monitor", "none", "-debugcon", "stdio", "-no-reboot", "-device", "isa-debug-exit,iobase=0x501,iosize=1",
                "-bios", rom])


BOCHSRC = """
romimage: file={rom}
vgaromimage: file=vga.bin
memory: guest=32, host=32
cpu: model={model}, ips=50000000, reset_on_triple_fault=0, ignore_bad_msrs=0
display_library: term
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
plugin_ctrl: speaker=0
port_e9_hack: enabled=1
log: bochs.log
panic: action=fatal
error: action=report
clock: sync=none
"""


def bochs(rom):
    with tempfile.TemporaryDirectory(prefix="narwhal-bochs-") as folder:
        Path(folder, "bochsrc").write_text(BOCHSRC.format(rom=rom, model=CPUS.get(Path(rom).stem, CPU)[1]))
        Path(folder, "vga.bin").write_bytes(b"\x55\xaa\x40\xcb" + bytes(32763) + b"\xf6")  # sum 0
        Path(folder, "go").write_text("c\n")
        return run(["bochs", "-q", "-f", "bochsrc", "-rc", "go"], cwd=folder, env={**os.environ, "TERM": "xterm"})


def record(rom, text):
    output = bochs(os.path.abspath(rom)).stdout
    version = re.search(rb"Bochs x86 Emulator [\d.]+", output).group(0).decode()
    found = lines(output)
    if found[-1] != "== end":
        fail(f"{rom}: no end\n" + "\n".join(found[-20:]))
    Path(text).write_text(f"# Printed by {version}, {CPUS.get(Path(rom).stem, CPU)[1]}.\n" + "\n".join(found) + "\n")


def same_but_rf(a, b):
    """QEMU's translator does not set RF in the flags that a fault pushes (SDM 3B 17.3.1.1)."""
    def without(line):
        return re.sub(r"flags ([0-9a-f]{6})", lambda m: "flags %06x" % (int(m.group(1), 16) & ~0x10000), line)
    return without(a) == without(b)


def check_qemu(rom, name, want):
    program = shutil.which("qemu-system-x86_64")
    if not program or name in QEMU_NOT:
        return []
    got = lines(qemu(program, rom).stdout)
    known = tuple(QEMU_DIFFERS.get(name, ()))
    trouble = first_difference(got, want, lambda g, w: same_but_rf(g, w) or (known and w.startswith(known)))
    return [f"{name}, QEMU against Bochs, {trouble}"] if trouble else []


def check(program, rom, text):
    name = Path(rom).stem
    want = [line for line in Path(text).read_text().splitlines() if not line.startswith("# Printed")]
    troubles = []
    for mode, options in MODES.items():
        r = narwhal(program, rom, options)
        trouble = first_difference(lines(r.stdout), want)
        if trouble or r.returncode:
            troubles.append(f"{name}, {mode}, status {r.returncode}, {trouble}\n{r.stderr.decode()}")
    troubles += check_qemu(rom, name, want)
    if troubles:
        fail("\n".join(troubles))
    print(f"{name}: {len(want)} lines in {len(MODES)} modes")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        fail(__doc__)
    if sys.argv[1] == "--record":
        record(sys.argv[2], sys.argv[3])
    else:
        check(*sys.argv[1:])
