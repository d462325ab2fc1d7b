#!/usr/bin/env python3
"""Unmodified Debian programs under Narwhal and under qemu-arm: what they write and how they end
must be the same, byte for byte.

usage: compare.py NARWHAL GROUP [NARWHAL OPTION ...]      exit status 77: a sysroot or qemu-arm is missing
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
    """One program with its arguments. PROGRAM is below the sysroot; DATA makes the input files."""

    def __init__(self, name, arch, program, arguments, data=fixture.small, stdin=None, session=None, keep=()):
        self.name, self.arch, self.program, self.arguments = name, arch, program, arguments
        self.data, self.stdin, self.session, self.keep = data, stdin, session, keep

    def sysroot(self):
        return CACHE / self.arch


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
    megabytes = 50 if arch == "armhf" else 10
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
    busybox = str(case.sysroot() / case.program)
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
    command = launcher + [str(case.sysroot() / case.program)] + case.arguments
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


def difference(want, got):
    for key in want:
        if want[key] != got[key]:
            yield f"  {key}:"
            if not isinstance(want[key], bytes) or not isinstance(got[key], bytes):
                yield f"    qemu-arm {want[key]}, narwhal {got[key]}"
                continue
            a, b = want[key].split(b"\n"), got[key].split(b"\n")
            first = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
            for who, lines in (("qemu-arm", a), ("narwhal ", b)):
                yield f"    {who} line {first + 1} of {len(lines)}: {lines[first:first + 3]}"


def main():
    # Whoever started us may ignore signals (nohup, background jobs), and programs would inherit that.
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    narwhal, group, options = os.path.abspath(sys.argv[1]), sys.argv[2], sys.argv[3:]
    only = os.environ.get("ONLY", "")
    qemu = shutil.which("qemu-arm")
    cases = [c for c in GROUPS[group]() if only in c.name]
    missing = [str(c.sysroot() / c.program) for c in cases if not (c.sysroot() / c.program).exists()]
    if not qemu or missing:
        print(f"skipped: no {'qemu-arm' if not qemu else missing[0]}; tools/fetch-sysroots.sh brings the programs")
        return SKIPPED
    failed = 0
    with tempfile.TemporaryDirectory(prefix="narwhal-real-") as scratch:
        work = Path(scratch) / "work"
        for case in cases:
            sysroot = str(case.sysroot())
            # What jobs and terminals show depends on who is faster; on a loaded machine qemu-arm's own
            # output varies from run to run. Such a case has three tries to agree.
            for attempt in range(3 if case.session or "jobs" in case.name else 1):
                want, slow = execute(case, [qemu, "-L", sysroot], work)
                got, fast = execute(case, [narwhal, "run"] + options + ["--sysroot", sysroot], work)
                lines = list(difference(want, got))
                if not lines:
                    break
                print(f"try {attempt + 1}: {case.name} differs", *lines, sep="\n")
            failed += bool(lines)
            print(f"{'FAIL' if lines else 'ok  '} {case.name}  (qemu-arm {slow:.2f} s, narwhal {fast:.2f} s)")
            print("".join(line + "\n" for line in lines), end="", flush=True)
    print(f"{len(cases)} programs, {failed} with differences")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
