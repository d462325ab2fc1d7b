# Floats, integers, bit operations, sprintf, strtonum.
BEGIN {
    for (i = -12; i <= 12; i++) {
        x = i * 1.37 + 10 ^ (i % 5)
        printf "%d %i %.3f %.17g %e %G %s %x|%5d|%-8.2f|%+d|%05d\n", x, x, x, x, x, x, x, x < 0 ? -x : x, x, x, x, x
        print sin(x), cos(x), atan2(x, i), exp(i), log(x < 0 ? -x : x), sqrt(x * x), int(x), x % 3, x ^ 2
    }
    print 1e308 * 10, -1e308 * 10, log(0), 2 ^ 53 + 1, 0.1 + 0.2, 1 / 3, 100000 * 100000, 1e6, 1e5 "", 123456789012 ""
    print and(12, 10), or(12, 10), xor(12, 10), lshift(1, 40), rshift(2 ^ 40, 38), compl(0), strtonum("0x1F"), strtonum("017")
    OFMT = "%.3g"; CONVFMT = "%.2f"; y = 3.14159265; print y, y ""
    srand(42); a = rand(); srand(42); print a == rand(), srand()
    print length(12345), substr("hello", 2, 3), index("hello", "l"), toupper("abc"), sprintf("%c%c", 65, "zed"), sprintf("%*d|%-*d|", 6, 42, 6, 42)
    print "10" < "9", 10 < 9, "a" < "b", 1 == 1.0, "x" ~ /^x$/, 5 " " -1, -3 % 2, 2 ^ 3 ^ 2, !0 + 1, 1 - -1
    s = 0; for (i = 1; i < 200000; i++) s += 1 / (i * i); printf "%.15f\n", s
    exit 3
}
