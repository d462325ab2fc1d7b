#!/usr/bin/env python3
"""Measures our Unicorn library beside Unicorn's own: the same program, built once, on both in turn.

The least CPU times of the rounds are compared; where a bar is set it is said whether it is met, and with
--check the exit status says it. Unicorn's library is taken from NARWHAL_UNICORN or --reference, a
directory, else the system's is used.
"""

import argparse
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

# (name, what, unit, divisor of nanoseconds, bar: how many times as fast it has to be); of each guest
GUEST_ROWS = [
    ("plain", "plain loop", "ns/instruction", 1, {"x86": 2, "arm": 2}),
    ("mixed", "loop with loads, branches, calls", "ns/round", 1, {"x86": 2, "arm": 2}),
    ("count", "plain loop with a count", "ns/instruction", 1, {"x86": 20, "arm": 20}),
    ("store", "store-heavy loop", "ns/store", 1, {"x86": 10, "arm": 10}),
    ("map-ptr", "loads and stores of uc_mem_map_ptr memory", "ns/access", 1, {}),
    ("patch", "loop that changes its code", "µs/round", 1e3, {}),
    ("code-hook", "code hook", "ns/instruction", 1, {"x86": 2, "arm": 1}),
    ("block-hook", "block hook", "ns/block", 1, {}),
    ("write-hook", "write hook", "ns/store", 1, {"x86": 4, "arm": 4}),
    ("read-hook", "read hook", "ns/load", 1, {"x86": 4, "arm": 4}),
    ("start-count", "uc_emu_start, count 1, ending in the block", "ns", 1, {"x86": 5, "arm": 5}),
    ("step", "the same, ending elsewhere", "ns", 1, {"x86": 5, "arm": 5}),
    ("start-until", "uc_emu_start, until the next", "ns", 1, {"x86": 5, "arm": 5}),
    ("start-10", "uc_emu_start of ten instructions", "ns", 1, {}),
    ("open-close", "open and close", "ns", 1, {}),
    ("open-run-close", "open, map, first run, close", "µs", 1e3, {"x86": 4, "arm": 4}),
    ("reg-read", "register read", "ns", 1, {}),
    ("reg-write", "register write", "ns", 1, {}),
    ("reg-read-batch", "register read, eight at once", "ns/register", 1, {}),
    ("reg-write-batch", "register write, eight at once", "ns/register", 1, {}),
    ("mem-read-64", "uc_mem_read of 64 bytes", "ns", 1, {}),
    ("mem-write-64", "uc_mem_write of 64 bytes", "ns", 1, {}),
    ("mem-read-64k", "uc_mem_read of 64 KiB", "ns", 1, {}),
    ("mem-write-64k", "uc_mem_write of 64 KiB", "ns", 1, {}),
    ("context-save", "context save", "ns", 1, {}),
    ("context-restore", "context restore", "ns", 1, {}),
    ("translate", "straight code, first run", "ns/byte", 1, {}),
]
ROWS = [(f"{g}-{name}", f"{title}: {what}", unit, divisor, bars.get(g))
        for g, title in (("x86", "x86"), ("arm", "ARM")) for name, what, unit, divisor, bars in GUEST_ROWS] + [
    ("snapshot-1", "memory snapshot, one page written, restore", "ns", 1, None),
    ("snapshot-16", "the same with 16 pages", "ns", 1, None),
    ("rewind-1", "one page written, restore of the same snapshot", "ns", 1, None),
    ("rewind-16", "the same with 16 pages", "ns", 1, None),
] + [(f"map-{n}", f"{n:,} maps, each" if n > 1 else "one map", "µs", 1e3, 100 if n == 4000 else None)
     for n in (1, 64, 512, 1800, 4000, 10000)]


def run(program, directory, what):
    """{name: ns, or what became of it} of one run; what a library that fails has not come to is missing."""
    env = dict(os.environ)
    env.pop("LD_LIBRARY_PATH", None)
    if directory:
        env["LD_LIBRARY_PATH"] = str(directory)
    done = subprocess.run([program, what], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.stderr.write(f"bench/unicorn.py: {directory or 'the system'}: {done.stderr}\n")
    return dict(line.split() for line in done.stdout.splitlines())


def value(samples, name):
    """The least of the rounds: what disturbs only adds. A word where there is no number."""
    found = [s[name] for s in samples if name in s]
    numbers = [float(x) for x in found if x[0].isdigit()]
    return min(numbers) if numbers else found[0] if found else "fails"


def show(x, divisor):
    return x if isinstance(x, str) else f"{x / divisor:.{2 if x / divisor < 100 else 0}f}"


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.machine()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--ours", required=True, help="the directory of our library")
    parser.add_argument("--reference", default=os.environ.get("NARWHAL_UNICORN"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--check", action="store_true", help="exit with 1 when a bar is missed")
    args = parser.parse_args()
    theirs, ours = [], []
    for i in range(args.rounds):
        what = "small" if i else "all"  # many maps take Unicorn half a minute
        theirs.append(run(args.program, args.reference, what))
        ours.append(run(args.program, args.ours, what))
    if not theirs[0]:
        sys.exit("bench/unicorn.py: no libunicorn.so.2 of Unicorn's: install libunicorn2, or set NARWHAL_UNICORN "
                 "to a directory that has it")
    print(f"{time.strftime('%Y-%m-%d')}, {processor()}, CPU time, least of {args.rounds} rounds\n")
    print("| | Unicorn | Narwhal | unit | times as fast | bar |")
    print("| --- | ---: | ---: | --- | ---: | --- |")
    missed = []
    for name, what, unit, divisor, bar in ROWS:
        a, b = value(theirs, name), value(ours, name)
        ratio = None if isinstance(a, str) or isinstance(b, str) else a / b
        verdict = ""
        if bar is not None:
            met = ratio is not None and ratio >= bar
            verdict = f"{bar} {'met' if met else 'missed'}"
            if not met:
                missed.append(what)
        print(f"| {what} | {show(a, divisor)} | {show(b, divisor)} | {unit} | "
              f"{'' if ratio is None else f'{ratio:.1f}'} | {verdict} |")
    if missed:
        print("\nmissed: " + "; ".join(missed))
        if args.check:
            sys.exit(1)


if __name__ == "__main__":
    main()
