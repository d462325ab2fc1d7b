"""A program on a pseudo-terminal: keys go in when it has fallen silent, its screen bytes come out."""
import fcntl
import os
import pty
import select
import struct
import termios
import time

# Insert at the top, append below, delete a word, substitute, undo, search, join, then write.
VI_KEYS = [b"iinserted line\n\x1b", b"o\x09tab and text\x1b", b"Gdd", b"gg", b"/orange\n", b"cwORANGE\x1b", b"yyp", b"Jx",
           b"u", b":%s/a/A/g\n", b"5G", b"$a!\x1b", b"\x06", b"\x02", b":set number\n", b":w\n", b":wq\n"]
QUIET = 0.15  # seconds without output after which the next keys are typed


def play(command, keys, work, environment, limit):
    pid, master = pty.fork()
    if pid == 0:
        os.chdir(work)
        os.execve(command[0], command, environment)
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
    screen, pending, end = bytearray(), list(keys), time.monotonic() + limit
    while time.monotonic() < end:
        # The first screen may take long to come on a loaded machine; nothing is typed before it.
        ready = select.select([master], [], [], QUIET)[0]
        if ready:
            try:
                screen += os.read(master, 65536)
            except OSError:  # the other side is closed
                break
        elif screen and pending:
            os.write(master, pending.pop(0))
    else:
        os.kill(pid, 9)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(master)
    return {"status": status, "screen": bytes(screen)}
