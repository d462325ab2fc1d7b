# Regular expressions, arrays, sorting, functions, getline, time.
function by_length(i1, v1, i2, v2) { return length(v1) - length(v2) || (v1 < v2 ? -1 : v1 > v2) }
function walk(a, depth,    k) { for (k in a) if (isarray(a[k])) walk(a[k], depth + 1); else printf "%*s%s=%s\n", depth * 2, "", k, a[k] }
{ words[NR] = $0; for (i = 1; i <= NF; i++) { count[tolower($i)]++; total += length($i) } }
/o.*e|^s/ { print FNR, $1, match($0, /[aeiou]{2}/), RSTART, RLENGTH }
END {
    PROCINFO["sorted_in"] = "@ind_str_asc"
    for (w in count) print w, count[w]
    n = asort(words, sorted, "by_length"); for (i = 1; i <= n; i++) print i, sorted[i]
    n = asorti(count, keys, "@ind_str_desc"); print n, keys[1], keys[n]
    s = "The quick brown fox"; print gensub(/(\w+) (\w+)/, "\\2 \\1", "g", s), gsub(/o/, "0", s), s, sub(/q/, "&&", s), s
    n = split("a1b22c333d", parts, /[0-9]+/, seps); for (i = 1; i <= n; i++) printf "%s[%s] ", parts[i], seps[i]; print ""
    if (match("key=value; k2=v2", /(\w+)=(\w+)/, m)) print m[1], m[2], m[0, "start"]
    tree["x"][1] = "a"; tree["x"][2]["deep"] = "b"; tree["y"] = "c"; walk(tree, 0)
    print strftime("%Y-%m-%d %H:%M:%S", 1700000000, 1), mktime("2024 02 29 12 00 00", 1)
    while (("echo one; echo two" | getline line) > 0) print "got", line
    print "b\na" | "sort"; close("sort"); "date -u -d @0 +%s" | getline now; print now; print system("exit 4")
    switch (total % 3) { case 0: print "zero"; break; case /1/: print "one"; break; default: print "two" }
    for (i = 0; i < 30000; i++) big[i % 977] = big[i % 977] i % 10; print length(big), length(big[5]), substr(big[976], 1, 20)
    f = "by_length"; print @f(0, "aa", 0, "b"), typeof(f), typeof(tree), typeof(1), typeof(/x/); print "err" > "/dev/stderr"
    print ENVIRON["LC_ALL"], ARGC, FILENAME; printf "%s\n", substr("näïve", 2, 3); print getline < "missing"; print 1 / (NR - 14)
}
