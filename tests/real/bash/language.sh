# Arrays, regular expressions, arithmetic, expansion.
declare -a a=(one two "three four" [7]=eight); declare -A h=([x]=1 [y]=2 [z]=3)
echo "${#a[@]} ${!a[*]} ${a[@]: -1} ${a[2]}"
for k in x y z; do h[$k]=$((h[$k] * 10)); done; echo "${h[x]} ${h[y]} ${h[z]} ${#h[@]}"
[[ "2024-02-29T10:11:12" =~ ^([0-9]+)-([0-9]+)-([0-9]+)T(.*)$ ]] && printf '%s|' "${BASH_REMATCH[@]}"; echo
[[ abc == a?c && abc < abd ]] && echo glob
shopt -s extglob nullglob; v=aaabbb; echo "${v##+(a)} ${v//b/XY} ${v^^} ${v^} ${v:1:3} ${v@Q}"; echo none*/ @(words|table).txt
echo $((2 ** 62)) $((0xff & ~0x0f)) $((16#beef)) $((2#1011)) $((1 ? 2 : 3)) $((i = 5, i++ + ++i)) $((-7 / 2)) $((1 << 63))
for ((i = 0, s = 0; i < 3000; i++)); do ((s += i * i % 13)); done; echo "sum $s"
fib() { local n=$1; ((n < 2)) && { echo "$n"; return; }; echo $(($(fib $((n - 1))) + $(fib $((n - 2))))); }; fib 8
printf '%s %q %5.2f %(%Y-%m-%d)T %x\n' plain "a b'c" 3.14159 0 255; printf -v out '%03d' 7; echo "$out"
mapfile -t lines < words.txt; echo "${#lines[@]} ${lines[3]}"; IFS=: read -r f g < table.txt; echo "$f/$g"
echo {a..e}{1..3} {10..1..3} ~ | head -c 60; echo
sort_by() { for ((i = 0; i < ${#list[@]}; i++)); do for ((j = i + 1; j < ${#list[@]}; j++)); do ((list[i] > list[j])) && { t=${list[i]}; list[i]=${list[j]}; list[j]=$t; }; done; done; }
list=(5 3 9 1 7 2 8); sort_by; echo "${list[*]}"
select_case() { case $1 in [0-9]*) echo number ;;& *[a-z]) echo ends-lower ;; *) echo other ;; esac; }; select_case 5a; select_case Z
diff <(sort words.txt) <(sort -r words.txt | tac) && echo same; cat <(echo process) <(echo substitution)
tee >(tr a-z A-Z > upper) < words.txt > /dev/null; sleep 0.3; cat upper
x=$(<table.txt); echo "${#x}"; declare -n ref=out; ref=changed; echo "$out"; declare -i num=5+6; echo "$num"; readonly R=1; R=2; echo "after $?"
echo "${none?no such variable}"
echo not reached
