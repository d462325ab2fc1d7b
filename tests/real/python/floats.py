"""Floating point: repr, parsing, functions, special values, single precision."""
import cmath, hashlib, math, random, struct

random.seed(7)
seen = hashlib.sha256()


def note(value):
    seen.update(repr(value).encode() + b"\n")


for _ in range(6000):
    x = struct.unpack("<d", random.randbytes(8))[0]
    note(x)
    note(float(repr(x)) == x)
    note(struct.unpack("<f", struct.pack("<f", x))[0] if abs(x) < 1e38 else None)
    note("%.3e %.15g %r" % (x, x, x + 1))
print("repr", seen.hexdigest())
unary = "acos asin atan acosh asinh atanh ceil cos cosh degrees erf erfc exp expm1 fabs floor gamma lgamma log log10 log1p log2 radians sin sinh sqrt tan tanh trunc cbrt exp2 isfinite frexp modf ulp".split()
specials = [0.0, -0.0, 1.0, -1.0, 0.5, 2.5, -2.5, 1e-320, 1e308, math.inf, -math.inf, math.nan, math.pi, 1e22, 123456789.123]
for name in unary:
    function, results = getattr(math, name), hashlib.sha256()
    for x in specials + [random.uniform(-20, 20) for _ in range(150)] + [random.uniform(0, 1) for _ in range(50)]:
        try:
            r = repr(function(x))
        except (ValueError, OverflowError) as error:
            r = str(error)
        results.update(r.encode())
        if x in (0.5, 2.5):
            print(name, x, r)
    print(name, results.hexdigest()[:20])
for name in "atan2 copysign fmod hypot pow remainder nextafter dist".split():
    results = hashlib.sha256()
    for a in specials:
        for b in specials:
            try:
                r = repr(getattr(math, name)([a], [b]) if name == "dist" else getattr(math, name)(a, b))
            except (ValueError, OverflowError) as error:
                r = str(error)
            results.update(r.encode())
    print(name, results.hexdigest()[:20])
for a in specials:
    print(a, *(f() for f in (lambda: a + 0.1, lambda: a * 3, lambda: a - 1e16, lambda: a < 0.5, lambda: a == a, lambda: round(a, 2), a.hex)))
for a in specials:
    try:
        print(a, int(a), round(a), a.as_integer_ratio(), a // 0.3, a % 0.3, divmod(a, -7))
    except (ValueError, OverflowError) as error:
        print(a, error)
print(math.fsum([0.1] * 10), sum([0.1] * 10), 0.1 + 0.2, 1 / 3, 2 ** 0.5, 1e16 + 1, 5e-324, 1.7976931348623157e308 * 10)
print(float("1e400"), float("-1e-400"), float(2**1023), 2**53 + 1.0, int(1e20), float(10**22), float("0.1e-1"), complex(1, 2) ** 3)
print(cmath.sqrt(-2), cmath.exp(1j * cmath.pi), abs(3 + 4j), math.factorial(30), math.comb(50, 25), math.gcd(2**40, 6**20), math.isqrt(10**30))
print(random.gauss(0, 1), random.betavariate(2, 3), random.expovariate(1.5), [random.randrange(10**9) for _ in range(4)], random.sample(range(1000), 5))
