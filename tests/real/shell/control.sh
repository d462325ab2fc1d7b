# Loops, functions, here-documents, subshells, arithmetic and expansion.
fact() { if [ "$1" -le 1 ]; then echo 1; else echo $(( $1 * $(fact $(( $1 - 1 ))) )); fi; }
echo "fact 12 = $(fact 12)"
i=0
while [ $i -lt 5 ]; do i=$((i + 1)); [ $i -eq 3 ] && continue; echo "round $i"; done
until [ $i -le 2 ]; do i=$((i - 1)); done; echo "down to $i"
for w in alpha "two words" 'a*b' *.txt tree/*; do echo "<$w>"; done
case "hello.c" in *.h) echo header ;; *.c) echo source ;; esac
cat <<EOF
here $i $(echo nested) $((0x10 + 010))
	tab kept
EOF
cat <<-'EOF'
	literal $i `no`
EOF
v=path/to/file.tar.gz
echo "${v#*/} ${v##*/} ${v%.*} ${v%%.*} ${#v} ${none:-default} ${v:5:2} ${v/to/from}"
(cd tree && pwd | sed 's,.*/,,'; x=inner); echo "x=${x:-unset}"
set -- a "b c" d; echo $# "$2"; shift; echo "$*"
for n in $(seq 1 300); do s=$((${s:-0} + n * n % 7)); done; echo "sum $s"
echo $((7 / 2)) $((-7 / 2)) $((-7 % 3)) $((1 << 20)) $((5 > 3 && 2 < 1)) $((~5)) $((9223372036854775807 + 1))
read -r a b <<EOF
first second third
EOF
echo "$b|$a"
printf '%5d|%-5s|%05x|%c|%e|%g\n' 42 ab 255 xyz 3.14159 1e10
echo err >&2
eval 'echo eval$((1+1))'
trap 'echo leaving with $?' EXIT
exit 7
