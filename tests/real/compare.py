#!/usr/bin/env python3
"""Unmodified Debian programs under Narwhal and under qemu-arm, those of the host's own machine under
Narwhal and without it: what they write and how they end must be the same, byte for byte.

usage: compare.py NARWHAL GROUP [NARWHAL OPTION ...]      exit status 77: a program or qemu-arm is missing
"""
import itertools
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import fixture
import terminal

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("NARWHAL_CACHE") or Path.home() / ".cache/narwhal")
SKIPPED = 77
TIME_LIMIT = 100  # seconds for one program; a hang is a failure, not a wait


class Case:
    """One program with its arguments. PROGRAM is below the sysroot, or absolute: the host's own. DATA
    makes the input files. Programs for amd64 and i386 run on the host itself for the reference."""

    def __init__(self, name, arch, program, arguments, data=fixture.small, stdin=None, session=None, keep=()):
        self.name, self.arch, self.program, self.arguments = name, arch, program, arguments
        self.data, self.stdin, self.session, self.keep = data, stdin, session, keep

    def sysroot(self):
        return CACHE / self.arch

    def path(self):
        return self.sysroot() / self.program

    def native(self):
        return self.arch in ("amd64", "i386")

    def reference(self, qemu):
        """Name and launcher."""
        if not self.native():
            return "qemu-arm", [qemu, "-L", str(self.sysroot())]
        # A 32-bit program of a 64-bit kernel would be told of a 64-bit machine.
        return "host", [shutil.which("setarch"), "i686"] if self.arch == "i386" else [shutil.which("env")]

    def options(self):
        return [] if self.native() else ["--sysroot", str(self.sysroot())]


def script_cases(arch, program, folder, suffix, arguments=lambda path: [path]):
    for path in sorted((HERE / folder).glob("*" + suffix)):
        yield Case(f"{arch} {program} {path.name}", arch, "bin/" + program, arguments(str(path)))


def shell(arch):
    return script_cases(arch, "busybox", "shell", ".sh", lambda path: ["sh", path])


def tools(arch, every=1):
    lines = [line for line in (HERE / "tools/commands.txt").read_text().splitlines() if line[:1] not in ("", "#")]
    for line in lines[::every]:
        yield Case(f"{arch} busybox: {line}", arch, "bin/busybox", ["sh", "-c", line])


def big(arch):
    """50 MB under armhf, less under armel: qemu-arm alone needs most of a minute for the gzip."""
    megabytes = 10 if arch == "armel" else 50
    commands = {"sha256sum": "sha256sum big", "md5sum": "md5sum < big", "gzip": "gzip -c big | sha256sum",
                "gunzip": "gunzip -c packed.gz | sha256sum"}
    for name, command in commands.items():
        yield Case(f"{arch} busybox {name} of {megabytes} MB", arch, "bin/busybox", ["sh", "-c", command], data=lambda work: fixture.big(work, megabytes * 1_000_000))


def vi(arch):
    yield Case(f"{arch} busybox vi", arch, "bin/busybox", ["vi", "words.txt"], session=terminal.VI_KEYS, keep=("words.txt",))


def bash():
    return script_cases("armhf", "bash", "bash", ".sh")


def python():
    return script_cases("armhf", "python3.11", "python", ".py")


def gawk():
    yield from script_cases("armhf", "gawk", "gawk", ".awk", lambda path: ["-f", path, "words.txt"])


def sqlite():
    for path in sorted((HERE / "sqlite").glob("*.sql")):
        yield Case(f"armhf sqlite3 {path.name}", "armhf", "bin/sqlite3", ["-batch"], stdin=path.read_bytes())


def host_scripts(program, folder, suffix):
    for path in sorted((HERE / folder).glob("*" + suffix)):
        yield Case(f"amd64 {program} {path.name}", "amd64", "/usr/bin/" + program, [str(path)])


def host_bash():
    return host_scripts("bash", "bash", ".sh")


def host_python():
    return itertools.chain(host_scripts("python3.11", "python", ".py"), host_scripts("python3.11", "python64", ".py"))


def host_sqlite():
    for path in sorted((HERE / "sqlite").glob("*.sql")) + sorted((HERE / "sqlite64").glob("*.sql")):
        yield Case(f"amd64 sqlite3 {path.name}", "amd64", "/usr/bin/sqlite3", ["-batch"], stdin=path.read_bytes())


def host_gcc():
    """cc1, as and ld of one file of a thousand lines; the result is compared and then runs, too."""
    for level in ("-O0", "-O2"):
        yield Case(f"amd64 gcc {level}", "amd64", "/usr/bin/gcc", [level, "-frandom-seed=1", "-o", "out", "long.c"],
                   data=fixture.source, keep=("out",))
    yield Case("amd64 gcc -c -S with an error", "amd64", "/usr/bin/gcc", ["-Wall", "-S", "-o", "-", "long.c", "words.txt", "nosuch.c"],
               data=fixture.source)


def host_openssl():
    commands = [["dgst", "-" + name, "small.bin"] for name in ("md5", "sha1", "sha256", "sha512", "sha3-256", "blake2b512")]
    key = ["-K", "00112233445566778899aabbccddeeff", "-iv", "0123456789abcdef0123456789abcdef", "-in", "small.bin"]
    commands += [["enc", "-" + name] + key for name in ("aes-128-cbc", "aes-128-ctr", "aes-128-ecb", "chacha20", "camellia-128-cbc")]
    commands += [["dgst", "-sha256", "-mac", "poly1305", "-macopt", "hexkey:" + "42" * 32, "small.bin"], ["prime", "-hex", "FFFFFFFFFFFFFFC5"],
                 ["list", "-digest-commands"]]
    for words in commands:
        yield Case("amd64 openssl " + " ".join(words[:2]), "amd64", "/usr/bin/openssl", words)
    # Every block size and both directions, as `openssl speed` goes through them, with digests that are known.
    script = ('for n in 1 16 63 64 255 1024 8191 16384; do head -c $n small.bin | openssl dgst -sha256; '
              'head -c $n small.bin | openssl enc -aes-256-gcm -k x 2>&1 | head -c 60; '
              'head -c $n small.bin | openssl enc -aes-256-cbc -pbkdf2 -S 0102030405060708 -k x | '
              'openssl enc -d -aes-256-cbc -pbkdf2 -S 0102030405060708 -k x | openssl dgst -sha512; done; printf abc | openssl dgst -sha256')
    yield Case("amd64 openssl sizes", "amd64", "/usr/bin/bash", ["-c", script])


def host_avx2():
    """x265 has AVX2 assembly for all that is hot in it, b3sum hashes eight blocks at once."""
    encode = ["--input", "video.y4m", "-o", "video.hevc", "--no-info", "--pools", "none", "--frame-threads", "1", "--no-progress", "--log-level", "error"]
    for preset in ("ultrafast", "medium"):
        yield Case(f"amd64 x265 {preset}", "amd64", "/usr/bin/x265", encode + ["--preset", preset], data=fixture.video, keep=("video.hevc",))
    yield Case("amd64 b3sum", "amd64", "/usr/bin/b3sum", ["--num-threads", "1", "video.y4m", "words.txt"], data=fixture.video)


def host_subset():
    """What the slower ways to execute go through."""
    yield from (c for c in shell("amd64") if "control" in c.name)
    yield from tools("amd64", every=7)
    yield from tools("i386", every=7)
    yield from (c for c in host_bash() if "language" in c.name)
    yield from itertools.islice(host_openssl(), 1, None, 4)


def subset():
    """What the slower ways to execute go through."""
    yield from (c for c in shell("armel") if "control" in c.name)
    yield from tools("armhf", every=9)
    yield from (c for c in bash() if "language" in c.name)
    yield from (c for c in gawk() if "text" in c.name)
    yield from sqlite()


GROUPS = {
    "shell-armel": lambda: itertools.chain(shell("armel"), vi("armel")),
    "shell-armhf": lambda: itertools.chain(shell("armhf"), vi("armhf")),
    "tools-armel": lambda: tools("armel"),
    "tools-armhf": lambda: tools("armhf"),
    "big-armel": lambda: big("armel"),
    "big-armhf": lambda: big("armhf"),
    "bash": bash,
    "python": python,
    "gawk": gawk,
    "sqlite": sqlite,
    "subset": subset,
    "shell-amd64": lambda: itertools.chain(shell("amd64"), vi("amd64")),
    "shell-i386": lambda: itertools.chain(shell("i386"), vi("i386")),
    "tools-amd64": lambda: tools("amd64"),
    "tools-i386": lambda: tools("i386"),
    "big-amd64": lambda: big("amd64"),
    "big-i386": lambda: big("i386"),
    "host-bash": host_bash,
    "host-python": host_python,
    "host-sqlite": host_sqlite,
    "host-gcc": host_gcc,
    "host-openssl": host_openssl,
    "host-avx2": host_avx2,
    "host-subset": host_subset,
}


def environment(applets, sysroot):
    return {"PATH": f"{applets}:/usr/bin:/bin", "SYSROOT": str(sysroot), "HOME": "/", "LC_ALL": "C.UTF-8", "TZ": "UTC0", "TERM": "vt100",
            "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "LINES": "24", "COLUMNS": "80"}


def wrap_applets(case, launcher, folder):
    """qemu-arm's guest cannot execve an ARM program: the host kernel would have to know the format.
    A script per busybox applet, found first in PATH, starts qemu-arm for it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    if not case.program.endswith("busybox") or "qemu" not in launcher[0]:
        return
    busybox = str(case.path())
    for name in subprocess.run(launcher + [busybox, "--list"], capture_output=True, text=True, check=True).stdout.split():
        script = folder / name
        script.write_text("#!/bin/sh\nexec " + shlex.join([launcher[0], "-0", name] + launcher[1:] + [busybox]) + ' "$@"\n')
        script.chmod(0o755)


def execute(case, launcher, work):
    """Runs CASE in a fresh WORK; a dictionary of everything that is compared."""
    shutil.rmtree(work, ignore_errors=True)
    case.data(work)
    applets = work.parent / "applets"
    wrap_applets(case, launcher, applets)
    variables = environment(applets, case.sysroot())
    command = launcher + [str(case.path())] + case.arguments
    begin = time.monotonic()
    if case.session:
        result = terminal.play(command, case.session, work, variables, TIME_LIMIT)
    else:
        with subprocess.Popen(command, cwd=work, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, start_new_session=True) as p:
            try:
                out, err = p.communicate(case.stdin or b"", timeout=TIME_LIMIT)
                status = p.returncode
            except subprocess.TimeoutExpired:
                os.killpg(p.pid, 9)
                out, err = p.communicate()
                status = "no end"
        result = {"status": status, "stdout": out, "stderr": err}
    for name in case.keep:
        result[name] = (work / name).read_bytes()
    return result, time.monotonic() - begin


def difference(want, got, reference):
    for key in want:
        if want[key] != got[key]:
            yield f"  {key}:"
            if not isinstance(want[key], bytes) or not isinstance(got[key], bytes):
                yield f"    {reference} {want[key]}, narwhal {got[key]}"
                continue
            a, b = want[key].split(b"\n"), got[key].split(b"\n")
            first = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
            for who, lines in ((reference, a), ("narwhal", b)):
                yield f"    {who} line {first + 1} of {len(lines)}: {lines[first:first + 3]}"


def main():
    # Whoever started us may ignore signals (nohup, background jobs), and programs would inherit that.
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    narwhal, group, options = os.path.abspath(sys.argv[1]), sys.argv[2], sys.argv[3:]
    only = os.environ.get("ONLY", "")
    qemu = shutil.which("qemu-arm")
    cases = [c for c in GROUPS[group]() if only in c.name]
    missing = [str(c.path()) for c in cases if not c.path().exists()]
    if not qemu and not all(c.native() for c in cases):
        missing.append("qemu-arm")
    if missing:
        print(f"skipped: no {missing[0]}; tools/fetch-sysroots.sh and tools/packages.txt bring the programs")
        return SKIPPED
    failed = 0
    with tempfile.TemporaryDirectory(prefix="narwhal-real-") as scratch:
        work = Path(scratch) / "work"
        for case in cases:
            reference, launcher = case.reference(qemu)
            # What jobs and terminals show depends on who is faster; on a loaded machine qemu-arm's own
            # output varies from run to run. Such a case has three tries to agree.
            for attempt in range(3 if case.session or "jobs" in case.name else 1):
                want, slow = execute(case, launcher, work)
                got, fast = execute(case, [narwhal, "run"] + options + case.options(), work)
                lines = list(difference(want, got, reference))
                if not lines:
                    break
                print(f"try {attempt + 1}: {case.name} differs", *lines, sep="\n")
            failed += bool(lines)
            print(f"{'FAIL' if lines else 'ok  '} {case.name}  ({reference} {slow:.2f} s, narwhal {fast:.2f} s)")
            print("".join(line + "\n" for line in lines), end="", flush=True)
    print(f"{len(cases)} programs, {failed} with differences")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
