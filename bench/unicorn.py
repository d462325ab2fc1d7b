#!/usr/bin/env python3
"""Measures our Unicorn library beside Unicorn's own: the same program, built once, on both in turn.

The medians of the rounds are compared; where the issue of this interface set a bar it is said
whether it is met. Unicorn's library is taken from NARWHAL_UNICORN or --reference, a directory, else
the system's is used.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

# (name, what, unit, divisor of nanoseconds, how many times as fast it has to be)
ROWS = [
    ("x86-plain", "x86: plain loop", "ns/instruction", 1, 2),
    ("x86-count", "x86: the same with a count", "ns/instruction", 1, 20),
    ("x86-store", "x86: store-heavy loop", "ns/store", 1, 10),
    ("x86-code-hook", "x86: code hook", "ns/instruction", 1, 2),
    ("x86-block-hook", "x86: block hook", "ns/block", 1, None),
    ("x86-write-hook", "x86: write hook", "ns/store", 1, 4),
    ("x86-read-hook", "x86: read hook", "ns/load", 1, 4),
    ("x86-start-count", "x86: uc_emu_start, count 1, ending in the block", "ns", 1, 5),
    ("x86-step", "x86: the same, ending elsewhere", "ns", 1, 5),
    ("x86-start-until", "x86: uc_emu_start, until the next", "ns", 1, 5),
    ("x86-open-close", "x86: open and close", "µs", 1e3, None),
    ("x86-open-run-close", "x86: open, map, first run, close", "µs", 1e3, 4),
    ("x86-reg-read", "x86: register read", "ns", 1, None),
    ("x86-reg-write", "x86: register write", "ns", 1, None),
    ("x86-context-save", "x86: context save", "ns", 1, None),
    ("x86-context-restore", "x86: context restore", "ns", 1, None),
    ("x86-translate", "x86: straight code, first run", "ns/byte", 1, None),
    ("arm-plain", "ARM: plain loop", "ns/instruction", 1, 2),
    ("arm-count", "ARM: the same with a count", "ns/instruction", 1, 20),
    ("arm-store", "ARM: store-heavy loop", "ns/store", 1, 10),
    ("arm-code-hook", "ARM: code hook", "ns/instruction", 1, 1),
    ("arm-block-hook", "ARM: block hook", "ns/block", 1, None),
    ("arm-write-hook", "ARM: write hook", "ns/store", 1, 4),
    ("arm-read-hook", "ARM: read hook", "ns/load", 1, 4),
    ("arm-start-count", "ARM: uc_emu_start, count 1, ending in the block", "ns", 1, 5),
    ("arm-step", "ARM: the same, ending elsewhere", "ns", 1, 5),
    ("arm-start-until", "ARM: uc_emu_start, until the next", "ns", 1, 5),
    ("arm-open-close", "ARM: open and close", "µs", 1e3, None),
    ("arm-open-run-close", "ARM: open, map, first run, close", "µs", 1e3, 4),
    ("arm-reg-read", "ARM: register read", "ns", 1, None),
    ("arm-reg-write", "ARM: register write", "ns", 1, None),
    ("arm-context-save", "ARM: context save", "ns", 1, None),
    ("arm-context-restore", "ARM: context restore", "ns", 1, None),
    ("arm-translate", "ARM: straight code, first run", "ns/byte", 1, None),
    ("snapshot", "snapshot of memory and registers", "ns", 1, None),
    ("snapshot-restore", "its restore, one page written", "ns", 1, None),
    ("map-1", "one map", "µs", 1e3, None),
    ("map-4000", "4,000 maps, each", "µs", 1e3, 100),
    ("map-10000", "10,000 maps, each", "µs", 1e3, None),
]
SNAPSHOT = "x86-"


def measure(program, directory):
    """{name: ns} of one run; what a library that aborts has not come to is missing."""
    env = dict(os.environ)
    env.pop("LD_LIBRARY_PATH", None)
    if directory:
        env["LD_LIBRARY_PATH"] = str(directory)
    done = subprocess.run([program], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return {name: float(ns) for name, ns in (line.split() for line in done.stdout.splitlines())}


def value(samples, name):
    found = [s[k] for s in samples for k in (name, SNAPSHOT + name) if k in s]
    return statistics.median(found) if found else None


def show(x, divisor):
    return "fails" if x is None else f"{x / divisor:.{2 if x / divisor < 100 else 0}f}"


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
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    theirs, ours = [], []
    for _ in range(args.rounds):
        theirs.append(measure(args.program, args.reference))
        ours.append(measure(args.program, args.ours))
    if not theirs[0]:
        sys.exit("bench/unicorn.py: no libunicorn.so.2 of Unicorn's: install libunicorn2, or set NARWHAL_UNICORN "
                 "to a directory that has it")
    print(f"{time.strftime('%Y-%m-%d')}, {processor()}, median of {args.rounds} rounds\n")
    print("| | Unicorn | Narwhal | unit | times as fast | bar |")
    print("| --- | ---: | ---: | --- | ---: | --- |")
    missed = []
    for name, what, unit, divisor, bar in ROWS:
        a, b = value(theirs, name), value(ours, name)
        ratio = a / b if a and b else None
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


if __name__ == "__main__":
    main()
