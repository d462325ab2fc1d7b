#!/usr/bin/env python3
"""Measures Narwhal beside native execution and qemu-arm, all in one run.

Each kernel of bench/kernels is built from the same C for the host and for ARM (A32 and Thumb-2);
Debian's static busybox runs its own programs. The engines take turns, so that a machine whose speed
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
# One code shape for all: no vector instructions (the ARM CPU models have none), no fused arithmetic.
CFLAGS = ["-O2", "-ffp-contract=off", "-fno-tree-vectorize"]
BUSYBOX = {
    "bb sha256sum": ["sha256sum", "INPUT"],
    "bb gzip": ["gzip", "-c", "INPUT"],
    "bb awk": ["awk", '{ n[$1 % 1000] += length($0); s += $2 } END { for (k in n) t += n[k]; print t, s }', "TEXT"],
}


def build(out):
    """Compiles every kernel three times; returns {(kernel, isa): path}."""
    compilers = {
        "native": ["gcc"],
        "a32": ["arm-linux-gnueabihf-gcc", "-marm", "-static"],
        "t32": ["arm-linux-gnueabihf-gcc", "-mthumb", "-static"],
    }
    out.mkdir(parents=True, exist_ok=True)
    paths = {}
    for kernel in KERNELS:
        for isa, compiler in compilers.items():
            path = out / f"{kernel}.{isa}"
            sources = [HERE / "kernels" / f"{kernel}.c", HERE / "kernels" / "main.c"]
            if not path.exists() or any(s.stat().st_mtime > path.stat().st_mtime for s in sources):
                subprocess.run([*compiler, *CFLAGS, *map(str, sources), "-lm", "-o", str(path)], check=True)
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
    return {"INPUT": str(binary), "TEXT": str(text)}


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


def rows(args, paths, files):
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--narwhal", required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--qemu", default=os.environ.get("QEMU_ARM") or shutil.which("qemu-arm"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", help="only rows with this word in their names")
    args = parser.parse_args()
    if not args.qemu:
        sys.exit("bench: no qemu-arm; install qemu-user or set QEMU_ARM")
    fetch = HERE.parent / "tools/fetch-debian.sh"
    subprocess.run([str(fetch), "amd64", str(args.cache / "amd64"), "busybox-static"], check=True)
    out = args.build / "bench"
    paths = build(out)
    files = inputs(out)
    version = subprocess.run([args.qemu, "--version"], capture_output=True, text=True, check=True).stdout.split("\n")[0]
    print(f"CPU seconds, median of {args.runs}; times native in brackets. {version}")
    print(f"{'kernel':<16} {'native':>8} {'qemu':>16} {'narwhal':>16} {'qemu/narwhal':>13}")
    ratios, fp_ratios, slow = [], [], {"qemu": [], "narwhal": []}
    for name, is_fp, commands in rows(args, paths, files):
        if args.only and args.only not in name:
            continue
        t = measure(name, commands, args.runs)
        ratio = t["qemu"] / t["narwhal"]
        (fp_ratios if is_fp else ratios).append(ratio)
        cells = []
        for engine in ("qemu", "narwhal"):
            slow[engine].append(t[engine] / t["native"])
            cells.append(f"{t[engine]:7.3f} ({slow[engine][-1]:5.1f})")
        print(f"{name:<16} {t['native']:8.3f} {cells[0]:>16} {cells[1]:>16} {ratio:13.2f}", flush=True)
    if not ratios + fp_ratios:
        sys.exit("bench: no such row")
    print(f"{'geometric mean':<16} {'':>8} {'(%.1f)' % geomean(slow['qemu']):>16} "
          f"{'(%.1f)' % geomean(slow['narwhal']):>16} {geomean(ratios + fp_ratios):13.2f}")
    if fp_ratios:
        print(f"{'  floating point':<16} {'':>8} {'':>16} {'':>16} {geomean(fp_ratios):13.2f}")


if __name__ == "__main__":
    main()
