"""Processes, threads, signals, sockets, files, memory mappings, time."""
import array, errno, fcntl, mmap, os, queue, select, signal, socket, stat, struct, subprocess, sys, tempfile, threading, time

print(sys.version_info[:3], sys.platform, os.uname().machine, sys.byteorder, sys.maxsize, struct.calcsize("P"))
# threads
total, lock, results = [0], threading.Lock(), queue.Queue()


def worker(n):
    for _ in range(400):
        with lock:
            total[0] += n
    results.put(n)


threads = [threading.Thread(target=worker, args=(n,)) for n in range(16)]
for t in threads: t.start()
for t in threads: t.join()
print("threads", total[0], sorted(results.get() for _ in threads))
ball, turns = threading.Condition(), []


def player(me):
    for _ in range(100):
        with ball:
            ball.wait_for(lambda: len(turns) % 2 == me, 20)
            turns.append(me)
            ball.notify()


pair = [threading.Thread(target=player, args=(n,)) for n in (0, 1)]
for t in pair: t.start()
for t in pair: t.join()
print("condition", turns == [0, 1] * 100, threading.Event().wait(0.01), threading.active_count())
local = threading.local(); local.x = 1
t = threading.Thread(target=lambda: print("local", hasattr(local, "x"))); t.start(); t.join()
# fork and wait
for code in (0, 3, 255):
    pid = os.fork()
    if not pid:
        os._exit(code)
    print("fork", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
pid = os.fork()
if not pid:
    signal.pause()
os.kill(pid, signal.SIGTERM)
print("killed", os.WTERMSIG(os.wait()[1]))
r, w = os.pipe()
if not os.fork():
    os.write(w, b"x" * 100000); os._exit(0)
os.close(w)
print("pipe", sum(len(c) for c in iter(lambda: os.read(r, 8192), b"")), os.wait()[1])
# signals
hits = []
signal.signal(signal.SIGALRM, lambda s, f: hits.append(s))
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
deadline = time.monotonic() + 10
while len(hits) < 5 and time.monotonic() < deadline: sum(range(1000))
signal.setitimer(signal.ITIMER_REAL, 0)
print("alarms", len(hits) >= 5)
signal.signal(signal.SIGUSR1, lambda s, f: print("usr1 in handler"))
signal.raise_signal(signal.SIGUSR1); os.kill(os.getpid(), signal.SIGUSR1)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2}); os.kill(os.getpid(), signal.SIGUSR2)
print("pending", signal.sigpending(), signal.sigwait({signal.SIGUSR2}))
try:
    signal.signal(signal.SIGALRM, lambda s, f: (_ for _ in ()).throw(TimeoutError("alarm")))
    signal.setitimer(signal.ITIMER_REAL, 0.02); time.sleep(5)
except TimeoutError as error:
    print("interrupted", error)
# sockets and polling
a, b = socket.socketpair()
a.sendall(b"hello"); print("pair", b.recv(10), select.select([b], [a], [], 0.01)[1] == [a])
a.sendall(b"!"); poll = select.poll(); poll.register(b, select.POLLIN); print("poll", poll.poll(1000)[0][1])
ep = select.epoll(); ep.register(b, select.EPOLLIN); print("epoll", ep.poll(1)[0][1], b.recv(1)); a.close(); print("eof", b.recv(1))
server = socket.create_server(("127.0.0.1", 0))


def serve():
    c, _ = server.accept()
    with c: c.sendall(c.recv(100).upper())


t = threading.Thread(target=serve); t.start()
with socket.create_connection(server.getsockname(), 5) as c: c.sendall(b"tcp"); print("tcp", c.recv(100), c.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE), c.family.name)
t.join()
u = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); u.bind("sock"); v = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); v.sendto(b"dgram", "sock"); print("unix", u.recvfrom(10))
l, r = socket.socketpair(); socket.send_fds(l, [b"fd"], [os.open("words.txt", os.O_RDONLY)]); print("fds", os.read(socket.recv_fds(r, 10, 1)[1][0], 5))
try: socket.create_connection(("127.0.0.1", 1), 2)
except OSError as error: print("refused", error)
# files and memory
with open("f", "wb+") as f:
    f.write(b"0123456789" * 1000); f.flush(); m = mmap.mmap(f.fileno(), 0); m[3:6] = b"abc"; m.flush(); f.seek(0); print("mmap", f.read(10), m.find(b"9"), len(m)); m.close()
    f.truncate(5); print("size", os.fstat(f.fileno()).st_size, stat.filemode(os.stat("f").st_mode)); fcntl.flock(f, fcntl.LOCK_EX); print(fcntl.fcntl(f, fcntl.F_GETFL) & os.O_ACCMODE)
anon = mmap.mmap(-1, 1 << 20); anon[-1] = 7
if not os.fork(): anon[0] = 42; os._exit(0)
os.wait(); print("shared", anon[0], anon[-1]); anon.close()
os.makedirs("d/e"); os.symlink("../words.txt", "d/l"); os.rename("f", "d/f"); print("walk", sorted((p, sorted(d), sorted(f)) for p, d, f in os.walk("d")), os.readlink("d/l"))
for call in (lambda: open("no/such"), lambda: os.mkdir("d"), lambda: os.rmdir("d"), lambda: os.read(99, 1), lambda: os.kill(2**22 + 5, 0), lambda: os.listdir("words.txt"), lambda: os.execv("words.txt", ["x"])):
    try: call()
    except OSError as error: print(type(error).__name__, errno.errorcode[error.errno], error)
os.utime("words.txt", ns=(10**18 + 1, 10**18 + 123456789)); s = os.stat("words.txt"); print("times", s.st_mtime_ns, s.st_atime_ns, s.st_size, oct(s.st_mode), s.st_nlink)
big = os.open("sparse", os.O_RDWR | os.O_CREAT); os.lseek(big, 5 << 30, 0); os.write(big, b"end"); print("sparse", os.fstat(big).st_size, os.pread(big, 3, 5 << 30), os.lseek(big, 0, os.SEEK_END)); os.close(big); os.unlink("sparse")
print("statvfs", os.statvfs(".").f_namemax, os.path.realpath("d/l").endswith("words.txt"), os.sysconf("SC_PAGESIZE"), os.getcwd() == os.path.realpath("."))
# children
print(subprocess.run(["sh", "-c", "cat; echo err >&2; exit 4"], input=b"in", capture_output=True))
print(subprocess.run("echo $X | tr a-z A-Z", shell=True, env={**os.environ, "X": "env"}, stdout=subprocess.PIPE, text=True).stdout)
p = subprocess.Popen(["sleep", "10"]); p.send_signal(signal.SIGINT); print("child", p.wait())
try: subprocess.run(["sleep", "10"], timeout=0.1)
except subprocess.TimeoutExpired as error: print(error.cmd)
try: subprocess.run(["./nosuch"])
except FileNotFoundError as error: print(error)
t0, c0 = time.monotonic(), time.process_time(); time.sleep(0.05); print("slept", 0.05 <= time.monotonic() - t0 < 5, time.process_time() - c0 < 0.05)
print(time.gmtime(0)[:6], time.strftime("%F %T %Z", time.gmtime(1.7e9)), time.localtime(86400).tm_yday, abs(time.time() - time.clock_gettime(time.CLOCK_REALTIME)) < 1)
def deep(n): return 0 if n == 0 else 1 + deep(n - 1)
print("recursion", deep(900))
try: deep(10**6)
except RecursionError as error: print(error)
print(sorted(os.environ)[:4], os.cpu_count() > 0, len(os.urandom(8)), os.isatty(0), os.get_terminal_size if 0 else "")
sys.stderr.write("to stderr\n"); sys.stdout.flush(); signal.signal(signal.SIGTERM, signal.SIG_DFL); os.kill(os.getpid(), signal.SIGTERM)
