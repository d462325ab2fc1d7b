"""json, re, hashlib, struct, decimal, collections, sorting, text."""
import collections, decimal, fractions, hashlib, heapq, itertools, json, random, re, string, struct, textwrap, zlib

random.seed(20240229)
words = ["".join(random.choices(string.ascii_letters, k=random.randint(1, 12))) for _ in range(20000)]
digest = lambda text: hashlib.sha256(text.encode()).hexdigest()[:16]
print("sorted", digest(" ".join(sorted(words))), digest(" ".join(sorted(words, key=lambda w: (len(w), w[::-1])))))
print("counter", collections.Counter("".join(words)).most_common(4))
tree = {"list": [1, 2.5, -0.0, 1e300, None, True, "é\u2028\x01"], "nested": {str(i): i / 7 for i in range(300)}}
text = json.dumps(tree, sort_keys=True)
print("json", digest(text), json.loads(text) == tree, json.dumps(tree["list"]))
print("re", re.sub(r"(\w)(\d+)", r"<\2\1>", "a1 b22 c333"), re.findall(r"(?i)\b[aeiou]\w{3,5}\b", " ".join(words[:600]))[:8])
print("re", len(re.findall(r"(a|b)*c", "".join(words))), re.split(r"[,;]\s*", "a, b;c"), bool(re.fullmatch(r"(?P<y>\d{4})-(?P=y)", "2024-2024")))
for name in ("md5", "sha1", "sha224", "sha256", "sha512", "sha3_256", "blake2b", "blake2s"):
    print(name, hashlib.new(name, b"narwhal" * 5000).hexdigest()[:24])
print("crc", zlib.crc32(b"abc" * 9999), zlib.adler32(b"abc" * 9999), len(zlib.compress(text.encode(), 9)))
print("struct", struct.pack("<bhiqfd", -1, -2, -3, -4, 1.1, 2.2).hex(), struct.unpack(">HIQ", bytes(range(14))), struct.calcsize("bhlq"))
decimal.getcontext().prec = 60
print("decimal", decimal.Decimal(2).sqrt(), decimal.Decimal(1) / 7, decimal.Decimal(3) ** 100, decimal.Decimal("1e-30").ln())
print("fraction", sum(fractions.Fraction(1, n) for n in range(1, 40)))
print("big", pow(3, 5000) % 10**30, pow(7, 10**6, 10**9 + 7), (1 << 2000).bit_length(), 10**50 // 7**20, -(10**20) // 3, hash(2**61 + 5))
print("heap", heapq.nsmallest(5, words), list(itertools.islice(itertools.permutations("abcd"), 5, 9)))
print("format", f"{12345.678:>15,.2f}|{255:#010x}|{-5:+d}|{'é':^5}|{0.1:.20f}|{1e22:g}|{3:b}")
print(textwrap.fill(" ".join(words[:30]), 50))
print("unicode", "ΑΒΓ".lower(), "straße".upper(), "\N{SNOWMAN}".encode(), b"\xff".decode("utf-8", "replace").encode("ascii", "backslashreplace"))
print("hash order", len({w: i for i, w in enumerate(words)}), [hash(x) for x in (1.5, 2**70, (1, 2), -1, 1e300, True)])
try:
    {}["x"]
except KeyError as error:
    print("caught", repr(error))


class Node:
    __slots__ = ("left", "right")

    def __init__(self, depth):
        self.left, self.right = (Node(depth - 1), Node(depth - 1)) if depth else (None, None)

    def count(self):
        return 1 + self.left.count() + self.right.count() if self.left else 1


print("tree", Node(11).count())


def generator(n):
    while n != 1:
        yield n
        n = n // 2 if n % 2 == 0 else 3 * n + 1


print("collatz", max((sum(1 for _ in generator(n)), n) for n in range(1, 1500)))
raise RuntimeError("the end")
