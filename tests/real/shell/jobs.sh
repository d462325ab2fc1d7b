# Pipes, background jobs, traps, wait, kill and the statuses of signals.
yes | head -n 3
echo "pipe $?"
false | true; echo "last $?"
! true; echo "not $?"
# Whether the shell says "Terminated" depends on what it hears of first, the signal or the wait.
(sleep 10 & p=$!; sleep 1; kill $p; wait $p; echo "term $?") 2>/dev/null
(sleep 10 & p=$!; sleep 1; kill -9 $p; wait $p; echo "kill $?") 2>/dev/null
(exit 41) & wait $!; echo "exit $?"
sh -c 'kill -HUP $$'; echo "hup $?"
sh -c 'kill -USR1 $$; echo never'; echo "usr1 $?"
sh -c 'trap "echo got term; exit 5" TERM; kill $$; sleep 5'; echo "trapped $?"
trap 'echo usr2 in parent' USR2
kill -USR2 $$
(sleep 0.1; kill -USR2 $$) & wait $!; echo "wait $?"
wait
trap '' PIPE
trap 'echo int' INT; kill -INT $$
for n in 1 2 3 4 5 6 7 8; do (echo $((n * n)); exit $n) > job.$n & done
wait
cat job.1 job.2 job.3 job.4 job.5 job.6 job.7 job.8
mkfifo pipe; (for n in 1 2 3; do echo line $n; done > pipe) & while read -r l; do echo "fifo: $l"; done < pipe; wait
exec 3> out; echo three >&3; exec 3>&-; cat out
nosuchcommand; echo "missing $?"
./tree; echo "directory $?"
./missing; echo "gone $?"
seq 1 2000 | sort -rn | sed -n '1,5p;$p' | tr 0-9 a-j | awk '{ print NR ": " $0 }'
ulimit -n 64; ulimit -n
umask 027; umask; touch made; ls -l made | cut -c1-10
