"""Threads, hashes, JSON, decimals and structures at once: an order-independent result."""
import decimal, hashlib, json, queue, random, struct, threading, zlib

work, done, lock = queue.Queue(), {}, threading.Lock()


def task(n):
    source = random.Random(n)
    data = source.randbytes(20_000 + n)
    digests = {name: hashlib.new(name, data).hexdigest() for name in ("md5", "sha1", "sha256", "sha512", "sha3_256", "blake2b")}
    table = {str(i): [source.random(), source.randrange(-2**70, 2**70), "é" * (i % 5)] for i in range(200)}
    text = json.dumps(table, sort_keys=True)
    assert json.loads(text) == table
    with decimal.localcontext() as context:
        context.prec = 40 + n
        root = (decimal.Decimal(n + 2).sqrt() * decimal.Decimal("1.1") ** n).ln()
    packed = b"".join(struct.pack("<hIqfd", i - 50, i * 7919, -i << 40, i / 3, i / 7) for i in range(100))
    return digests, zlib.crc32(text.encode()), str(root), hashlib.sha256(packed).hexdigest(), zlib.adler32(zlib.compress(data))


def worker():
    while (n := work.get()) is not None:
        result = task(n)
        with lock:
            done[n] = result


threads = [threading.Thread(target=worker) for _ in range(6)]
for n in range(24):
    work.put(n)
for thread in threads:
    work.put(None)
    thread.start()
for thread in threads:
    thread.join()
for n in sorted(done):
    print(n, done[n])
local, barrier, total = threading.local(), threading.Barrier(4), []


def meet(n):
    local.value = n
    for _ in range(50):
        barrier.wait(timeout=60)
    total.append(local.value)


threads = [threading.Thread(target=meet, args=(n,)) for n in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
print(sorted(total))
