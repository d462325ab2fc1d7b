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
