#!/usr/bin/env python3
"""The command line: errors are one line and a status, logs and explain are well formed, statuses pass through.

usage: test_cli.py NARWHAL {errors|elf|looking|exec|board} [HELLO_BIN HELLO_ELF]
"""
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import elf

NARWHAL = os.path.abspath(sys.argv[1])
IMAGES = [os.path.abspath(p) for p in sys.argv[3:]]
LOGS = ["in_asm", "ir", "out_asm", "exec", "int", "mmu"]


class Scratch(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="narwhal-cli-")
        self.addCleanup(folder.cleanup)
        self.dir = Path(folder.name)

    def file(self, name, data, mode=0o755):
        path = self.dir / name
        path.write_bytes(data)
        path.chmod(mode)
        return str(path)

    def narwhal(self, *words, stdin=b""):
        return subprocess.run([NARWHAL, *words], input=stdin, capture_output=True, cwd=self.dir, timeout=60)

    def fails(self, *words, status=(1, 2), about="."):
        before = sorted(os.listdir(self.dir))
        r = self.narwhal(*words)
        text = r.stderr.decode()
        with self.subTest(words=words, stderr=text, status=r.returncode):
            self.assertIn(r.returncode, status)
            self.assertTrue(text.startswith("narwhal"))
            self.assertEqual(text.count("\n"), 1)
            self.assertTrue(text.endswith("\n"))
            self.assertRegex(text, about)
            self.assertEqual(r.stdout, b"")
            self.assertEqual(sorted(os.listdir(self.dir)), before)


class Errors(Scratch):
    def test_words(self):
        good = self.file("good", elf.program())
        for command in ("frob", "--frob", "", "-"):
            self.fails(command, status=[2], about="unknown command")
        for command in ("run", "boot", "explain", "exec"):
            for words in (["--frob"], ["--frob=3"], ["-q"], ["-qz"], ["-d"], ["-D"], ["--cpu"], ["-d", "frob", good],
                          ["-d", "in_asm,frob", good], ["-d", "", good], ["--interp=1", good]):
                self.fails(command, *words, status=[2])
            self.fails(command, "-q", about="'-q'")
            self.fails(command, "-qz", about="'-q")
            self.fails(command, "--interp=1", about="interp")
            self.assertEqual(self.narwhal(command, "--help").returncode, 0)
        self.fails("run", "--cpu", "z80", good, about="z80.*arm926")
        self.fails("explain", "--cpu", "z80", good, about="z80.*arm926")
        for name in ("i386", "x86-64"):
            for command in ("run", "explain"):
                self.fails(command, "--cpu", "arm926", self.file("x86", elf.SAMPLES[name][0]), about="arm926.*qemu64, haswell")
        self.fails("run", "-d", "exec", "-D", "no/such/log", good, about="no/such/log")
        self.fails("run", "--strace=no/such/log", good, about="no/such/log")
        self.fails("run", "--sysroot", "nosuch", good, about="nosuch")
        self.fails("run", "--sysroot", good, good, about="sysroot")
        for words in (["--stack", "1"], ["--stack", "x"], ["--stack", "99G"], ["--stack", "64KK"], ["--seed", "x"], ["--seed", ""]):
            self.fails("run", *words, good, status=[2])
        for words in (["--count", "0"], ["--count", "x"], ["--from", "nosuch"], ["--from", "0x10"], ["--from", "-1"]):
            self.fails("explain", *words, good)
        self.fails("explain", status=[2])
        self.fails("run", status=[2])

    def test_files(self):
        self.fails("run", "nosuch", about="No such file")
        self.fails("run", "/no/such/file", about="No such file")
        self.fails("run", ".", about="'.'")
        self.fails("run", self.file("mips", elf.program(machine=8)), about="MIPS")
        self.fails("run", self.file("text", b"just text\n"))
        self.fails("run", self.file("private", elf.program(), 0o644), about="Permission denied")
        self.fails("run", self.file("script", b"#!/no/such/sh\n"))
        for name in ("nosuch", ".", "text", self.file("mips", elf.program(machine=8))):
            self.fails("explain", name)

    def test_exec(self):
        code = self.file("code", b"\x90")
        nop = ["exec", "--arch", "x86_64", "--hex", "90"]
        self.fails("exec", status=[2], about="--arch")
        self.fails("exec", "--hex", "90", status=[2], about="--arch")
        self.fails("exec", "--arch", "z80", code, status=[2], about="z80.*x86_64, x86 or arm")
        self.fails("exec", "--arch", "x86_64", status=[2], about="--hex")
        self.fails(*nop, code, status=[2], about="one of them")
        self.fails("exec", "--arch", "x86_64", code, "extra", status=[2], about="extra")
        self.fails("exec", "--arch", "x86_64", "nosuch", status=[1], about="No such file")
        self.fails("exec", "--arch", "x86_64", ".", status=[1], about="directory")
        self.fails("exec", "--arch", "x86_64", self.file("empty", b""), status=[1], about="empty")
        for text in ("", " ", "9", "0x90", "9 0", "90 9", "zz"):
            self.fails("exec", "--arch", "x86_64", "--hex", text, status=[2])
        for words in (["--bits", "8"], ["--bits", "x"], ["--at", "x"], ["--at", "-1"], ["--count", "0"], ["--count", "x"],
                      ["--at", "0xffffffffffffffff"], ["--bits", "32", "--at", "0x100000000"],
                      ["--bits", "16", "--at", "0x100000"]):
            self.fails(*nop, *words, status=[2])
        for arch in ("x86", "arm"):
            self.fails("exec", "--arch", arch, "--bits", "64", "--hex", "90", status=[2], about="x86_64")
        self.fails("exec", "--arch", "arm", "--hex", "90", status=[2], about="within")
        self.fails("exec", "--arch", "arm", "--at", "0x1002", "--hex", "00000000", status=[2], about="aligned")
        for text in ("rax", "=1", "rax=", "rax=x", "rax=0x", "rax=0x10000000000000000", "rax=18446744073709551616",
                     "eax=4294967296", "eax=-2147483649", "r7=1", "r16=1", "r08=1", "xmm16=1", "r0=1", "cs=0x12345",
                     "mxcsr=0xffffffff", "rax =1", "st0=0x100000000000000000000"):
            self.fails(*nop, "--reg", text, status=[2], about="--reg")
        for text in ("", "0x1000", "0x1000:4K", "0x1001:4K:rw", "0x1000:0:rw", "0x1000:4K:q", "x:4K:r", "0x1000:4K:rw:"):
            self.fails(*nop, "--map", text, status=[2], about="ADDR:SIZE:PERM")
        self.fails(*nop, "--map", "0x1000:4K:r:nosuch", status=[1], about="nosuch")
        self.fails(*nop, "--map", f"0x1000:4K:r:{self.file('large', bytes(4097))}", status=[1], about="4096")
        self.fails(*nop, "--map", "0x1000:8K:r", "--map", "0x2000:4K:r", status=[1], about="0x2000.*overlaps")
        self.fails(*nop, "--cpu", "arm926", status=[1], about="qemu64, haswell")
        self.fails("exec", "--arch", "arm", "--cpu", "haswell", "--hex", "00000000", status=[1], about="arm926")

    def test_board(self):
        self.fails("boot")
        self.fails("boot", "--machine", "versatilepb", about="--kernel")
        self.fails("boot", "--kernel", "x", about="--machine")
        self.fails("boot", "--machine", "pdp11", "--kernel", "x", about="pdp11")
        board = ["boot", "--machine", "versatilepb"]
        kernel = self.file("kernel", b"\xfe\xff\xff\xea")
        self.fails(*board, "--kernel", "nosuch", about="No such file")
        self.fails(*board, "--kernel", ".", about="directory")
        self.fails(*board, "--kernel", self.file("empty", b""), about="empty")
        self.fails(*board, "--mem", "1M", "--kernel", self.file("large", bytes(3 << 20)), about="larger")
        self.fails(*board, "--kernel", kernel, "--initrd", "nosuch", about="nosuch")
        self.fails(*board, "--cpu", "z80", "--kernel", kernel, about="z80")
        self.fails(*board, "--kernel", kernel, "extra", status=[2], about="extra")
        for size in ("0", "-1", "12x", "1MM", "", "99999G", "8G", "1", "0x", "1.5M", "4097"):
            self.fails(*board, "--mem", size, "--kernel", kernel)
        for time_limit in ("x", "-1", ""):
            self.fails(*board, "--timeout", time_limit, "--kernel", kernel)
        for length in (4, 20, 52, 60):
            self.fails(*board, "--kernel", self.file("cut", elf.program()[:length]))


    def test_pc(self):
        board = ["boot", "--machine", "pc"]
        rom = self.file("rom", b"\xf4" * 4096)
        self.fails(*board, about="--bios")
        self.fails(*board, "--bios", "nosuch", about="No such file")
        self.fails(*board, "--bios", self.file("odd", bytes(5000)), about="4 KiB")
        self.fails(*board, "--bios", rom, "--kernel", rom, about="--bios")
        self.fails(*board, "--bios", rom, "--append", "x", about="--kernel")
        self.fails(*board, "--kernel", rom, about="bzImage")
        self.fails(*board, "--kernel", self.bzimage(b"\xf4"), "--initrd", "nosuch", about="nosuch")
        self.fails(*board, "--kernel", self.bzimage(b"\xf4"), "--append", "x" * 3000, about="--append")
        self.fails(*board, "--kernel", self.bzimage(b"\xf4"), "--mem", "2M", about="--mem")
        self.fails(*board, "--bios", rom, "--cpu", "arm926", about="haswell")
        self.fails(*board, "--bios", rom, "--mem", "4G", about="--mem")
        self.assertEqual(self.narwhal(*board, "--bios", rom, "--timeout", "20").returncode, 0)  # cli is the reset's state

    def bzimage(self, code):
        """A Linux kernel as far as a boot loader looks: one sector of setup, CODE at the 32-bit entry."""
        image = bytearray(1024) + code + bytes(1024)
        image[0x1F1], image[0x200:0x202] = 1, b"\xeb\x6a"
        image[0x202:0x208], image[0x211], image[0x22C:0x230] = b"HdrS\x0f\x02", 1, b"\xff\xff\xff\x7f"
        return self.file("bzimage", bytes(image))

    def test_pc_kernel(self):
        # prints the command line, the initial RAM disk and the second range of memory, and ends
        code = bytes.fromhex("8b9e28020000" "8a0384c07405e6e943ebf5" "8b9e18020000" "8b8e1c020000" "8a03e6e943e2f9"
                             "8a86ef020000e6e9" "66ba0105b003ee")
        r = self.narwhal("boot", "--machine", "pc", "--mem", "64M", "--timeout", "20", "--kernel", self.bzimage(code),
                         "--append", "root=/dev/nowhere ", "--initrd", self.file("disk", b"a disk"))
        self.assertEqual((r.returncode, r.stdout), (7, b"root=/dev/nowhere a disk\x03"))

    def test_pc_ends(self):
        def ends(code, *options):
            image = bytearray(4096)
            image[0xFF0:0xFF0 + len(code)] = code
            return self.narwhal("boot", "--machine", "pc", "--timeout", "20", "--bios", self.file("rom", bytes(image)), *options)
        out = b"\xb0%c\xe6\xe9"  # mov al, CHARACTER; out 0xe9, al
        self.assertEqual(ends(out % b"x" + b"\xb0\x05\xba\x01\x05\xee").returncode, 11)  # port 0x501
        self.assertEqual(ends(out % b"x" + b"\xf4").stdout, b"x")
        # lidt of an empty table, int3: a triple fault resets
        triple = ends(out % b"x" + b"\x2e\x0f\x01\x1e\x00\xf0\xcc", "--no-reboot")
        self.assertEqual((triple.returncode, triple.stdout), (0, b"x"))
        again = self.narwhal("boot", "--machine", "pc", "--timeout", "3", "--bios", str(self.dir / "rom"))
        self.assertEqual(again.returncode, 1)
        self.assertGreater(len(again.stdout), 10)
        reset = ends(out % b"x" + b"\xb0\xfe\xe6\x64\xeb\xfe", "--no-reboot")
        self.assertEqual((reset.returncode, reset.stdout), (0, b"x"))


class Elf(Scratch):
    def test_samples(self):
        for name, (data, want) in elf.SAMPLES.items():
            path = self.file("sample", data)
            with self.subTest(name):
                if want == "error":
                    self.fails("run", path)
                    continue
                r = self.narwhal("run", path)
                # By a signal of its own, or its shell status: the same thing for a caller's shell.
                status = r.returncode if r.returncode >= 0 else 128 - r.returncode
                if want != "ends":
                    self.assertEqual(status, want, r.stderr)
                text = r.stderr.decode()
                self.assertNotIn("Sanitizer", text)
                if status in (132, 133, 134, 135, 136, 139):
                    self.assertRegex(text, r"(?i)r0[ =:]+[0-9a-f]{8}")
                    self.assertRegex(text, r"(?i)(pc|r15)[ =:]+[0-9a-f]{8}")
        for name, (data, want) in elf.SAMPLES.items():
            with self.subTest("explain " + name):
                r = self.narwhal("explain", self.file("sample", data))
                self.assertIn(r.returncode, (0, 1))
                self.assertLessEqual(r.stderr.count(b"\n"), 1)

    def test_every_byte_of_the_headers(self):
        sound = elf.program()
        for at in range(4, 84):
            for value in (0, 0x7F, 0xFF):
                data = bytearray(sound)
                data[at] = value
                with self.subTest(at=at, value=value):
                    r = self.narwhal("run", self.file("sample", bytes(data)))
                    self.assertNotIn(b"Sanitizer", r.stderr)
                    self.assertIn(r.returncode, (0, 1, 42, -11, -4, -7, 139, 132, 135))


class Looking(Scratch):
    def test_logs(self):
        program = self.file("program", elf.SAMPLES["null load"][0])
        whole = {"in_asm": rb"mov\s+r0, #0", "ir": rb"insn", "out_asm": rb"mov", "exec": rb"0x0*10054|00010054",
                 "int": rb".", "mmu": rb"."}
        for kind in LOGS:
            with self.subTest(kind):
                self.narwhal("run", "-d", kind, "-D", kind + ".log", program)
                text = (self.dir / (kind + ".log")).read_bytes()
                self.assertRegex(text, whole[kind])
                self.assertTrue(text.endswith(b"\n"))
                text.decode("ascii")
        r = self.narwhal("run", "-d", "all", program)
        self.assertRegex(r.stderr, rb"mov\s+r0, #0")

    def test_explain(self):
        thumb = elf.program(code=b"\x2a\x20\x01\x27\x00\xdf", entry=elf.BASE + 84 + 1)
        for path, text in ((self.file("arm", elf.program()), rb"mov\s+r0, #0x2a"), (self.file("thumb", thumb), rb"movs\s+r0, #0x2a")):
            r = self.narwhal("explain", "--count", "2", path)
            self.assertEqual((r.returncode, r.stderr), (0, b""))
            self.assertRegex(r.stdout, text)
            self.assertNotIn(b"\x1b", r.stdout)

    def test_explain_x86(self):
        for name, text in (("i386", rb"b801000000 +mov eax, 0x1 +\| v1 = const.i32 0x1"),
                           ("x86-64", rb"b83c000000 +mov eax, 0x3c +\| v1 = const.i64 0x3c"),
                           ("x86-64 beyond the window", rb"syscall")):
            r = self.narwhal("explain", "--count", "3", self.file("x86", elf.SAMPLES[name][0]))
            self.assertEqual((r.returncode, r.stderr), (0, b""))
            self.assertRegex(r.stdout, text)
        # The bytes of a long instruction take two lines.
        r = self.narwhal("explain", "--count", "1", self.file("long", elf.program64(code=bytes.fromhex("48b8efcdab8967452301"))))
        self.assertRegex(r.stdout, rb"48b8efcdab8967 +mov rax, 0x123456789abcdef [^\n]*\n +452301 ")

    def test_explain_symbol(self):
        """An object of the host's compiler: from a function's name to its end."""
        source = "int add(int a) { return a + 77; } int after(void) { return 88; } int main(void) { return add(after()); }"
        program = str(self.dir / "program")
        subprocess.run(["gcc", "-O1", "-fno-inline", "-x", "c", "-", "-o", program], input=source.encode(), check=True)
        r = self.narwhal("explain", "--from", "add", program)
        self.assertEqual((r.returncode, r.stderr), (0, b""))
        self.assertRegex(r.stdout, rb"lea eax, .*\+0x4d\]")
        self.assertRegex(r.stdout, rb"[0-9a-f]+ c3 +ret ")
        self.assertNotIn(b"0x58", r.stdout)

    def test_guest_code(self):
        """Each size of x86 code is listed as what it is; what is no instruction as bytes."""
        for arch, bits, code, lines in (("x86_64", 64, "48ffc0", rb"48ffc0 +inc rax\n"),
                                        ("x86_64", 32, "48ffc0", rb"48 +dec eax\n.*ffc0 +inc eax\n"),
                                        ("x86", 32, "6668341266a1", rb"66683412 +push 0x1234\n"),
                                        ("x86", 16, "b83412", rb"b83412 +mov ax, 0x1234\n"),
                                        ("x86_64", 64, "f001c0", rb"f001c0(cc)+ +\(not decodable\)\n"),
                                        ("arm", 32, "2a00a0e3", rb"2a00a0e3 +mov\s+r0, #0x2a\n"),
                                        ("arm", 16, "2a20", rb"2a20 +movs\s+r0, #0x2a\n")):
            with self.subTest(arch=arch, bits=bits, code=code):
                r = self.narwhal("exec", "--arch", arch, "--bits", str(bits), "--hex", code, "-d", "in_asm")
                self.assertRegex(r.stderr, re.compile(lines, re.S))

    def test_interface(self):
        good = self.file("good", elf.program())
        for words in (["help"], ["--help"], ["version"], ["--version"], ["boot", "--machine", "help"]):
            r = self.narwhal(*words)
            self.assertEqual((r.returncode, r.stderr), (0, b""))
            self.assertTrue(r.stdout)
        self.assertEqual(self.narwhal().returncode, 2)
        for options in ([], ["--interp"], ["--no-chain"], ["--no-fastmem"], ["--cpu", "cortex-a8"]):
            self.assertEqual(self.narwhal("run", *options, good).returncode, 42)
        r = self.narwhal("run", "--strace", good)
        self.assertRegex(r.stderr.decode(), r"exit\(42\)")


class Exec(Scratch):
    def run_code(self, arch, code, *options, bits=None, status=0):
        """The registers that are printed, by name, and the last line."""
        size = [] if bits is None else ["--bits", str(bits)]
        r = self.narwhal("exec", "--arch", arch, *size, "--hex", code, *options)
        self.assertEqual((r.returncode, r.stderr), (status, b""))
        *lines, last = r.stdout.decode().splitlines()
        found = re.findall(r"(\w+) +([0-9a-f]{4,})\b", "\n".join(lines))
        return {name: int(value, 16) for name, value in found}, last

    def test_ends(self):
        for arch, bits, code, pc in (("x86_64", 64, "90", 0x400001), ("x86", 32, "90", 0x400001), ("x86", 16, "90", 0x7C01),
                                     ("x86_64", 32, "90", 0x400001), ("x86_64", 16, "90", 0x7C01),
                                     ("arm", 32, "00f020e3", 0x400004), ("arm", 16, "00bf", 0x400002)):
            regs, last = self.run_code(arch, code, bits=bits)
            self.assertEqual(last, f"end of the code; pc {pc:#x}")
            self.assertEqual(next(regs[name] for name in ("rip", "eip", "pc") if name in regs), pc)

    def test_why(self):
        run = self.run_code
        self.assertEqual(run("x86_64", "0f05")[1], "system call; pc 0x400002")
        self.assertEqual(run("x86_64", "ebfe", "--count", "1000")[1], "--count was reached; pc 0x400000")
        self.assertEqual(run("x86_64", "cc90")[1], "breakpoint; pc 0x400000")
        self.assertEqual(run("x86", "f4", bits=16)[1], "halt; pc 0x7c01")
        self.assertEqual(run("x86_64", "0f0b", status=1)[1], "exception 6 #UD; pc 0x400000")
        self.assertEqual(run("x86_64", "f4", status=1)[1], "exception 13 #GP, error code 0x0; pc 0x400000")
        self.assertEqual(run("x86_64", "f7f1", status=1)[1], "exception 0 #DE; pc 0x400000")
        self.assertEqual(run("x86_64", "8b07", status=1)[1], "fault: read of 4 bytes at 0x0, not mapped; pc 0x400000")
        self.assertEqual(run("arm", "0010c0e5", "--reg", "r0=64", status=1)[1],
                         "fault: write of 1 bytes at 0x40, not mapped; pc 0x400000")
        self.assertEqual(run("arm", "f000f0e7", status=1)[1], "undefined instruction; pc 0x400000")

    def test_registers(self):
        regs, _ = self.run_code("x86_64", "48 01 d8, 49 ff c7", "--reg", "rax=-2", "--reg", "rbx=0x10", "--reg", "r15=41")
        self.assertEqual((regs["rax"], regs["r15"], regs["rflags"]), (14, 42, 0x203))
        # vaddpd ymm2, ymm1, ymm1; movaps xmm1, xmm2
        one = 0x3FF0000000000000
        regs, _ = self.run_code("x86_64", "c5f558d1 0f28ca", "--regs", "--reg", f"ymm1={one << 192 | one:#x}")
        self.assertEqual(regs["ymm2"], 0x4000000000000000 << 192 | 0x4000000000000000)
        self.assertEqual(regs["ymm1"], one << 192 | 0x4000000000000000)
        # fld1; fldpi
        regs, _ = self.run_code("x86", "d9e8d9eb", "--regs")
        self.assertEqual((regs["st0"], regs["st1"]), (0x4000C90FDAA22168C235, 0x3FFF8000000000000000))
        self.assertEqual((regs["cs"], regs["fpcw"], regs["mxcsr"]), (0x23, 0x37F, 0x1F80))
        # add r0, r0, r1; vadd.f64 d1, d1, d1
        regs, _ = self.run_code("arm", "010080e0 011b31ee", "--regs", "--reg", "r0=1", "--reg", "r1=0xff", "--reg", f"d1={one}")
        self.assertEqual((regs["r0"], regs["d1"]), (256, 0x4000000000000000))
        # push cs; pop ax, beyond the first 64K
        regs, _ = self.run_code("x86", "0e58", "--at", "0x12340", bits=16)
        self.assertEqual((regs["eax"], regs["eip"]), (0x1234, 2))

    def test_flags_are_named(self):
        r = self.narwhal("exec", "--arch", "x86_64", "--hex", "31c0 f9")
        self.assertIn(b"rflags  00000247 cf pf zf if\n", r.stdout)
        r = self.narwhal("exec", "--arch", "arm", "--bits", "16", "--hex", "0020")
        self.assertIn(b"cpsr    40000030 z t\n", r.stdout)

    def test_memory(self):
        data = self.file("data", b"\x78\x56\x34\x12")
        regs, _ = self.run_code("x86_64", "8b07 50 58", "--map", f"0x10000:64K:r:{data}", "--reg", "rdi=0x10000")
        self.assertEqual((regs["rax"], regs["rsp"]), (0x12345678, 0x80000000))
        _, last = self.run_code("x86_64", "8807", "--map", "0x10000:1:r", "--reg", "rdi=0x10fff", status=1)
        self.assertEqual(last, "fault: write of 1 bytes at 0x10fff, no permission; pc 0x400000")
        code = self.file("code", bytes.fromhex("48ffc0"))
        r = self.narwhal("exec", "--arch", "x86_64", "--at", "0x7f0000000ffe", code)
        self.assertRegex(r.stdout, rb"rax +0000000000000001(?s:.*)end of the code; pc 0x7f0000001001\n$")

    def test_modes(self):
        want = self.run_code("x86_64", "b90a000000 01c8 ffc9 75fa")
        self.assertEqual(want[0]["rax"], 55)
        for option in ("--interp", "--no-chain", "--no-fastmem"):
            self.assertEqual(self.run_code("x86_64", "b90a000000 01c8 ffc9 75fa", option), want)


class Board(Scratch):
    def test_hello(self):
        for image in IMAGES:
            for options in ([], ["--interp"], ["--no-chain"], ["--no-fastmem"]):
                with self.subTest(image=image, options=options):
                    r = self.narwhal("boot", "--machine", "versatilepb", "--cpu", "arm926", "--mem", "128M",
                                     "--timeout", "20", *options, "--kernel", image)
                    self.assertEqual(r.stdout, b"Hello world!\n")

    def test_first_character(self):
        best = 1e9
        for _ in range(5):
            begin = time.monotonic()
            with subprocess.Popen([NARWHAL, "boot", "--machine", "versatilepb", "--cpu", "arm926", "--mem", "128M",
                                   "--kernel", IMAGES[0]], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as p:
                self.assertEqual(os.read(p.stdout.fileno(), 1), b"H")
                best = min(best, time.monotonic() - begin)
                p.kill()
        print(f"time to the first character: {best * 1000:.1f} ms")
        self.assertLess(best, 0.05, "seconds to the first character")


if __name__ == "__main__":
    suites = {"errors": Errors, "elf": Elf, "looking": Looking, "exec": Exec, "board": Board}
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(suites[sys.argv[2]])
    sys.exit(not unittest.TextTestRunner(verbosity=1).run(suite).wasSuccessful())
