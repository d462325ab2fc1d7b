#include "console.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define ESCAPE 0x01 /* Ctrl-A */
/* How often a running vCPU is looked at: a guest that can do nothing more is noticed this late. */
#define TICK_MS 50

struct console {
    struct machine *machine;
    pthread_t thread;
    int wake; /* eventfd that ends the thread */
    bool raw, escaped;
    struct termios saved;
    unsigned timeout_s;
    atomic_bool timed_out;
};

static void set_raw(struct console *c)
{
    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &c->saved))
        return;
    struct termios t = c->saved;
    cfmakeraw(&t);
    t.c_oflag |= OPOST; /* the guest's \n still begins a line */
    c->raw = tcsetattr(STDIN_FILENO, TCSANOW, &t) == 0;
}

/* One typed byte, with the escape served. False: the person wants to leave. */
static bool type(struct console *c, uint8_t byte)
{
    if (c->raw && !c->escaped && byte == ESCAPE) {
        c->escaped = true;
        return true;
    }
    if (c->escaped) {
        c->escaped = false;
        if (byte == 'x' || byte == 'X')
            return false;
        if (byte != ESCAPE)
            return true; /* unknown escapes are swallowed */
    }
    /* A full FIFO is the guest's pace: wait, as a serial line with flow control would. */
    for (unsigned tries = 0; !machine_receive(c->machine, byte) && tries < 1000; tries++)
        usleep(1000);
    return true;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *feed(void *opaque)
{
    struct console *c = opaque;
    double end = now() + c->timeout_s;
    struct pollfd fds[2] = {{c->wake, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    for (;;) {
        int n = poll(fds, 2, TICK_MS);
        if (fds[0].revents)
            return NULL;
        if (c->timeout_s && now() >= end) {
            atomic_store(&c->timed_out, true);
            machine_stop(c->machine);
            return NULL;
        }
        if (n == 0)
            nw_vcpu_stop(machine_vcpu(c->machine));
        if (!fds[1].revents)
            continue;
        uint8_t buf[64];
        ssize_t got = read(STDIN_FILENO, buf, sizeof buf);
        if (got <= 0)
            fds[1].fd = -1; /* end of input: the guest runs on */
        for (ssize_t i = 0; i < got; i++) {
            if (!type(c, buf[i])) {
                machine_stop(c->machine);
                return NULL;
            }
        }
    }
}

struct console *console_start(struct machine *machine, unsigned timeout_s)
{
    struct console *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->machine = machine;
    c->timeout_s = timeout_s;
    c->wake = eventfd(0, EFD_CLOEXEC);
    if (c->wake >= 0) {
        set_raw(c);
        if (pthread_create(&c->thread, NULL, feed, c) == 0)
            return c;
    }
    if (c->raw)
        tcsetattr(STDIN_FILENO, TCSANOW, &c->saved);
    if (c->wake >= 0)
        close(c->wake);
    free(c);
    return NULL;
}

void console_stop(struct console *c)
{
    uint64_t one = 1;
    if (write(c->wake, &one, sizeof one) == sizeof one)
        pthread_join(c->thread, NULL);
    if (c->raw)
        tcsetattr(STDIN_FILENO, TCSANOW, &c->saved);
    close(c->wake);
    free(c);
}

bool console_timed_out(const struct console *c)
{
    return atomic_load(&c->timed_out);
}
