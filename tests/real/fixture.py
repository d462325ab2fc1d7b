"""The files that the programs read: always the same bytes, owners and times."""
import gzip
import os
import random
import shutil

WORDS = "stone apple tea orange Table needle coast seat zebra moon sea bottle toast anchor".split()
MOMENT = 1_600_000_000


def small(work):
    (work / "tree/sub").mkdir(parents=True)
    files = {
        "words.txt": "\n".join(WORDS) + "\n",
        "words2.txt": "\n".join(WORDS[:4] + ["added"] + WORDS[5:11] + WORDS[12:]) + "\n",
        "dup.txt": "a\na\nb\na\nc\nc\nc\n",
        "table.txt": "".join(f"k{n % 5}:{n * n}\tx\n" for n in range(20)),
        "numbers.txt": "".join(f"{n * 7919 % 1009}\n" for n in range(200)),
        "tree/main.c": "int main(void) { return 0; } /* needle */\n",
        "tree/run": "#!/bin/sh\n",
        "tree/sub/deep.c": "x" * 5000,
        "tree/sub/empty": "",
    }
    for name, text in files.items():
        (work / name).write_text(text)
    (work / "small.bin").write_bytes(random.Random(1).randbytes(100_000) + b"text text text " * 3000)
    (work / "tree/run").chmod(0o755)
    (work / "tree/link").symlink_to("main.c")
    for folder, folders, names in os.walk(work, topdown=False):
        for name in names + folders + ["."]:
            os.utime(os.path.join(folder, name), (MOMENT, MOMENT), follow_symlinks=False)


def big(work, size):
    """Half noise, half text: neither too easy nor hopeless to compress."""
    kept = work.parent / f"big.{size}"
    if not kept.exists():
        make_big(kept, size)
    shutil.copytree(kept, work)


def make_big(folder, size):
    folder.mkdir()
    source = random.Random(2)
    noise = source.randbytes(1 << 16)
    text = " ".join(source.choices(WORDS, k=12_000)).encode()[: 1 << 16]
    data = bytearray()
    while len(data) < size:
        cut = source.randrange(1 << 15)
        data += noise[cut : cut + 20_000] + text[cut:]
    (folder / "big").write_bytes(data[:size])
    with gzip.GzipFile(folder / "packed.gz", "wb", compresslevel=1, mtime=0) as f:
        f.write(data[:size])


def source(work):
    """A C file of a thousand lines that computes something from all of them."""
    small(work)
    pick, lines = random.Random(4), ["#include <stdio.h>", "#include <string.h>", "struct pair { int a; double b; char name[8]; };"]
    for n in range(160):
        op, left, right = pick.choice("+-*^|&"), pick.randrange(1 << 16), pick.randrange(1, 99)
        lines += [
            f"static int f{n}(int x, struct pair *p)",
            "{",
            f"    for (int i = 0; i < {right % 9 + 2}; i++)",
            f"        x = (x {op} {left}) + (i % {right} ? p->a : (int)(p->b * {right}.5));",
            f"    p->b += x / {right}.0; p->name[x & 7] ^= {right};",
            f"    return x % {right * 31} ? x : f{n - 1}(x + 1, p);" if n else "    return x;",
            "}",
        ]
    lines += ["int main(void)", "{", '    struct pair p = {1, 0.5, "name"};', "    unsigned sum = 0;"]
    lines += [f"    sum = sum * 31 + (unsigned)f{n}({n}, &p);" for n in range(160)]
    lines += ['    printf("%u %d %.17g %02x\\n", sum, p.a, p.b, p.name[3]);', "    return 0;", "}"]
    (work / "long.c").write_text("\n".join(lines) + "\n")


def video(work):
    small(work)
    pick, width, height = random.Random(3), 176, 144
    base = pick.randbytes(64 * 64)
    with open(work / "video.y4m", "wb") as f:
        f.write(b"YUV4MPEG2 W%d H%d F25:1 Ip A1:1 C420jpeg\n" % (width, height))
        for n in range(6):
            luma = bytes(base[(j + n) // 4 % 64 * 64 + (i + 2 * n) // 4 % 64] + i + j * n & 255 for j in range(height) for i in range(width))
            chroma = [bytes(i * k + n & 255 for i in range(width * height // 4)) for k in (3, 5)]
            f.write(b"FRAME\n" + luma + b"".join(chroma))
