# Jobs, traps, co-processes, errors and statuses.
set -o pipefail; false | true; echo "pipefail $?"; echo "${PIPESTATUS[*]}"; true | (exit 3) | true; echo "${PIPESTATUS[*]}"
trap 'echo "trap ERR"' ERR; false; trap - ERR
trap 'echo "got USR1"' USR1; kill -USR1 $$; kill -USR1 $BASHPID
(trap 'echo "sub exit"' EXIT; exit 9); echo "sub $?"
sleep 10 & sleep 0.3; jobs -r | sed 's/ *&$//' ; kill %1; wait %1; echo "job $?"
for i in 1 2 3 4; do (sleep 0.0$i; exit $i) & pids[i]=$!; done; for i in 4 3 2 1; do wait "${pids[i]}"; echo "wait $i $?"; done
(exit 5) & wait -n; echo "any $?"
coproc bc_like { while read -r l; do echo $((l)); done; }; echo '6*7' >&"${bc_like[1]}"; read -r ans <&"${bc_like[0]}"; echo "coproc $ans"
exec {w}>&"${bc_like[1]}" {w}>&-; eval "exec ${bc_like[1]}>&-"; wait
{ bash -c 'kill -SEGV $$'; } 2>/dev/null; echo "segv $?"; { bash -c 'kill -KILL $$'; } 2>/dev/null; echo "kill $?"; bash -c 'exit 255'; echo "exit $?"
timeout 0.2 sleep 5; echo "timeout $?"
set -m; sleep 0.05 & fg %1 > /dev/null; echo "fg $?"; set +m
echo abc | while read -r l; do echo "in $l"; done; shopt -s lastpipe; echo def | read -r v; echo "lastpipe $v"
exec 5<> rw; echo data >&5; exec 5>&-; cat rw; ls nosuch; echo "ls $?"; nosuch; echo "nosuch $?"; ./words.txt; echo "perm $?"
ulimit -n; ulimit -s; umask; type -t cd ls fib; command -v echo; hash -r; times > /dev/null; echo $SHLVL $BASH_VERSION $MACHTYPE
recurse() { ((d++)); ((d < 400)) && recurse; }; recurse; echo "depth $d"
cat << EOF | while IFS= read -r line; do echo "[$line]"; done
one $((1 + 1))
  two
EOF
yes | head -n 20000 | wc -l; seq 1 5000 | { s=0; while read -r n; do ((s += n)); done; echo $s; }
mkfifo p; cat p & echo through > p; wait; trap 'echo "bye $?"' EXIT; trap 'echo term; exit 6' TERM; kill $$; sleep 1; echo never
