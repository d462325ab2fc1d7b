#!/usr/bin/env python3
"""Measures Narwhal beside native execution and qemu-user, all in one run.

Each kernel of bench/kernels is built from the same C for the host and for ARM (A32 and Thumb-2),
and for x86-64, where the program that runs natively is the guest's: x64 rows for any such
processor, v3 rows with AVX2, both vectorised for the kernels that are about vectors. Debian's
static busybox runs its own programs, its cc1 compiles a file of ours. The engines take turns, so that a machine whose speed
drifts slows all of them; the median of CPU times (user + system of the whole process) counts.
"""

import argparse
import math
import os
import resource
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FP = ("nbody", "matrix_fp", "mandel_fp")
KERNELS = ("matrix_int", "sieve", "quicksort", "fib", "bytecode", "chase", "sha256", "crc32", "strscan") + FP
# Kernels of x86-64 only, about its vector instructions.
SIMD = ("saxpy", "vsum", "bytescan", "vcopy", "aes", "mat4")
X86 = {"x64": ["-march=x86-64"], "v3": ["-march=x86-64-v3"]}
# One code shape for all: no vector instructions (the ARM CPU models have none), no fused arithmetic.
CFLAGS = ["-O2", "-ffp-contract=off", "-fno-tree-vectorize"]
SIMD_CFLAGS = ["-O3", "-ffp-contract=off", "-maes"]
BUSYBOX = {
    "bb sha256sum": ["sha256sum", "INPUT"],
    "bb gzip": ["gzip", "-c", "INPUT"],
    "bb awk": ["awk", '{ n[$1 % 1000] += length($0); s += $2 } END { for (k in n) t += n[k]; print t, s }', "TEXT"],
}


def compilations():
    """(kernel, isa, compiler with its options) of every program."""
    arm = "arm-linux-gnueabihf-gcc"
    for kernel in KERNELS:
        yield kernel, "native", ["gcc", *CFLAGS]
        yield kernel, "a32", [arm, *CFLAGS, "-marm", "-static"]
        yield kernel, "t32", [arm, *CFLAGS, "-mthumb", "-static"]
        yield kernel, "x64", ["gcc", *CFLAGS, *X86["x64"], "-static"]
    for kernel in SIMD:
        for isa, options in X86.items():
            yield kernel, isa, ["gcc", *SIMD_CFLAGS, *options, "-static"]


def build(out):
    """Compiles every kernel for every machine; returns {(kernel, isa): path}."""
    out.mkdir(parents=True, exist_ok=True)
    paths = {}
    for kernel, isa, compiler in compilations():
        path = out / f"{kernel}.{isa}"
        sources = [HERE / "kernels" / f"{kernel}.c", HERE / "kernels" / "main.c"]
        if not path.exists() or any(s.stat().st_mtime > path.stat().st_mtime for s in sources):
            subprocess.run([*compiler, *map(str, sources), "-lm", "-o", str(path)], check=True)
        paths[kernel, isa] = path
    return paths


def inputs(out):
    """The files that busybox works on, the same bytes every time."""
    binary, text = out / "input.bin", out / "input.txt"
    if not binary.exists():
        seed, data = 1, bytearray()
        for i in range(300_000):
            seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
            data += b"%08x the quick brown fox %d\n" % (seed, i % 977)
        binary.write_bytes(data)
    if not text.exists():
        text.write_text("".join(f"{i} {i * 7919 % 10007} some words here\n" for i in range(150_000)))
    source = out / "cc1.i"
    if not source.exists():
        root = HERE.parent
        subprocess.run(["gcc", "-E", "-P", f"-I{root}/src", f"-I{root}/include", "-D_GNU_SOURCE",
                        str(root / "src/ir/fold.c"), "-o", str(source)], check=True)
    return {"INPUT": str(binary), "TEXT": str(text), "SOURCE": str(source)}


def compiler():
    """The compiler proper of the host's gcc: much code that runs once or twice."""
    found = subprocess.run(["gcc", "-print-prog-name=cc1"], capture_output=True, text=True, check=True)
    return found.stdout.strip()


def timed(argv):
    """CPU seconds of one process and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"bench: {' '.join(argv)} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-300:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def measure(name, commands, runs):
    """Median seconds per engine; every engine must print the same."""
    times = {engine: [] for engine in commands}
    outputs = {}
    for _ in range(runs):
        for engine, argv in commands.items():
            seconds, output = timed(argv)
            times[engine].append(seconds)
            outputs[engine] = output
    if len(set(outputs.values())) != 1:
        sys.exit(f"bench: the engines disagree on {name}: { {e: o[:64] for e, o in outputs.items()} }")
    return {engine: max(statistics.median(t), 1e-3) for engine, t in times.items()}


def geomean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def arm_rows(args, paths, files):
    qemu, narwhal = [args.qemu], [args.narwhal, "run"]
    for isa in ("a32", "t32"):
        for kernel in KERNELS:
            guest = str(paths[kernel, isa])
            yield f"{kernel} {isa}", kernel in FP, {
                "native": [str(paths[kernel, "native"])],
                "qemu": [*qemu, guest],
                "narwhal": [*narwhal, guest],
            }
    guest, native = str(args.cache / "armhf/bin/busybox"), str(args.cache / "amd64/bin/busybox")
    for name, words in BUSYBOX.items():
        words = [files.get(w, w) for w in words]
        yield name, False, {
            "native": [native, *words],
            "qemu": [*qemu, guest, *words],
            "narwhal": [*narwhal, guest, *words],
        }


def x86_rows(args, paths, files):
    qemu, narwhal = [args.qemu_x86_64], [args.narwhal, "run"]
    programs = [(f"{k} x64", k in FP, [str(paths[k, "x64"])]) for k in KERNELS]
    programs += [(f"{k} {isa}", True, [str(paths[k, isa])]) for k in SIMD for isa in X86]
    busybox = str(args.cache / "amd64/bin/busybox")
    programs += [(f"{name} x64", False, [busybox, *(files.get(w, w) for w in words)])
                 for name, words in BUSYBOX.items()]
    programs.append(("cc1 -O2 x64", False, [compiler(), "-quiet", "-fpreprocessed", "-O2", files["SOURCE"], "-o", "-"]))
    for name, is_fp, argv in programs:
        yield name, is_fp, {"native": argv, "qemu": [*qemu, *argv], "narwhal": [*narwhal, *argv]}


def table(args, rows, qemu, fp_name):
    """Prints the rows' table; False when --only leaves none."""
    version = subprocess.run([qemu, "--version"], capture_output=True, text=True, check=True).stdout.split("\n")[0]
    ratios, fp_ratios, slow = [], [], {"qemu": [], "narwhal": []}
    for name, is_fp, commands in rows:
        if args.only and args.only not in name:
            continue
        if not ratios + fp_ratios:
            print(f"CPU seconds, median of {args.runs}; times native in brackets. {version}")
            print(f"{'kernel':<16} {'native':>8} {'qemu':>16} {'narwhal':>16} {'qemu/narwhal':>13}")
        t = measure(name, commands, args.runs)
        ratio = t["qemu"] / t["narwhal"]
        (fp_ratios if is_fp else ratios).append(ratio)
        cells = []
        for engine in ("qemu", "narwhal"):
            slow[engine].append(t[engine] / t["native"])
            cells.append(f"{t[engine]:7.3f} ({slow[engine][-1]:5.1f})")
        print(f"{name:<16} {t['native']:8.3f} {cells[0]:>16} {cells[1]:>16} {ratio:13.2f}", flush=True)
    if not ratios + fp_ratios:
        return False
    print(f"{'geometric mean':<16} {'':>8} {'(%.1f)' % geomean(slow['qemu']):>16} "
          f"{'(%.1f)' % geomean(slow['narwhal']):>16} {geomean(ratios + fp_ratios):13.2f}")
    for name, part in (("  integer", ratios), (f"  {fp_name}", fp_ratios)):
        if part:
            print(f"{name:<16} {'':>8} {'':>16} {'':>16} {geomean(part):13.2f}")
    print()
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--narwhal", required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--qemu", default=os.environ.get("QEMU_ARM") or shutil.which("qemu-arm"))
    parser.add_argument("--qemu-x86-64", default=os.environ.get("QEMU_X86_64") or shutil.which("qemu-x86_64"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", help="only rows with this word in their names")
    args = parser.parse_args()
    fetch = HERE.parent / "tools/fetch-debian.sh"
    subprocess.run([str(fetch), "amd64", str(args.cache / "amd64"), "busybox-static"], check=True)
    out = args.build / "bench"
    paths = build(out)
    files = inputs(out)
    printed = False
    for rows, qemu, fp_name in ((arm_rows, args.qemu, "floating point"), (x86_rows, args.qemu_x86_64, "FP and SIMD")):
        if not qemu:
            sys.exit("bench: no qemu-arm or qemu-x86_64; install qemu-user or set QEMU_ARM, QEMU_X86_64")
        printed |= table(args, rows(args, paths, files), qemu, fp_name)
    if not printed:
        sys.exit("bench: no such row")


if __name__ == "__main__":
    main()
