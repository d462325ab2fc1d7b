#!/usr/bin/env python3
"""Boots Debian's unmodified amd64 kernel on `narwhal boot --machine pc` with busybox, and compares what it does there
with what it must. Skipped without the kernel (tools/fetch-sysroots.sh).

usage: linux.py NARWHAL [OPTIONS]
"""
import gzip
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

CACHE = Path(os.environ.get("NARWHAL_CACHE") or Path.home() / ".cache/narwhal") / "amd64"
SECONDS = 150
INIT = """#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
PATH=/bin
/bin/busybox --install /bin
echo "kernel $(uname -s) $(uname -m)"
echo "sum $(seq 1 20000 | sha256sum)"
echo "sorted $(seq 1 3000 | sort -r | gzip | gunzip | md5sum)"
i=0
while [ $i -lt 300 ]; do (exit $((i % 7))); i=$((i + $? % 2 + 1)); done
echo "children done"
sleep 1
awk '/XT-PIC +timer/ { print "ticks", ($2 > 100) ? "enough" : "few" }' /proc/interrupts
echo "type something"
read line
echo "typed $line"
poweroff -f
"""


def archive(files):
    """An initramfs: NAME: (mode, bytes, device)."""
    out = bytearray()
    for n, (name, (mode, data, device)) in enumerate([*files.items(), ("TRAILER!!!", (0, b"", (0, 0)))], 1):
        fields = (n, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0)
        out += b"070701" + b"".join(b"%08x" % f for f in fields) + name.encode() + b"\0"
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)
    return gzip.compress(bytes(out))


def main(program, options):
    kernels = sorted((CACHE / "boot").glob("vmlinuz-*"))
    busybox = CACHE / "bin/busybox"
    if not kernels or not busybox.exists():
        print(f"no kernel and busybox in {CACHE}; tools/fetch-sysroots.sh fetches them")
        return 77
    files = {name: (0o040755, b"", (0, 0)) for name in ("bin", "proc", "dev")}
    files["dev/console"] = (0o020600, b"", (5, 1))
    files["bin/busybox"] = (0o100755, busybox.read_bytes(), (0, 0))
    files["init"] = (0o100755, INIT.encode(), (0, 0))
    with tempfile.TemporaryDirectory(prefix="narwhal-linux-") as folder:
        disk = Path(folder, "initrd.gz")
        disk.write_bytes(archive(files))
        command = [program, "boot", "--machine", "pc", "--mem", "256M", "--no-reboot", "--timeout", str(SECONDS), *options,
                   "--kernel", kernels[-1], "--initrd", disk, "--append", "console=ttyS0 quiet"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
            text, asked = b"", False
            while chunk := os.read(p.stdout.fileno(), 4096):
                text += chunk
                if not asked and b"type something\r\n" in text:
                    asked = True
                    p.stdin.write(b"by hand\n")
                    p.stdin.flush()
            status, error = p.wait(), p.stderr.read()
    numbers = "".join(f"{n}\n" for n in range(1, 20001)).encode()
    backwards = "".join(f"{n}\n" for n in sorted(map(str, range(1, 3001)), reverse=True)).encode()
    want = ["kernel Linux x86_64", f"sum {hashlib.sha256(numbers).hexdigest()}  -",
            f"sorted {hashlib.md5(backwards).hexdigest()}  -", "children done", "ticks enough", "type something", "typed by hand"]
    got = text.decode("latin-1").replace("\r", "").split("\n")
    missing = [line for line in want if line not in got]
    if missing or status:
        print("missing:", *missing, sep="\n  ")
        print(f"status {status}, {error.decode()}, the end:", *got[-30:], sep="\n  ")
        return 1
    print(f"{kernels[-1].name}: {len(want)} lines")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
