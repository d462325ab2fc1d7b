/* Calls with arguments that no program would pass: whatever the answer is, nobody may crash. The
 * sequence is fixed by the seed. Calls that would end or stop the program, change the machine or
 * fill the disk are left out. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>
#include "check.h"

#define CALLS   8000
#define LAST_NR 441

static const uint16_t left_out[] = {
    1,   2,   11,  21,  29,  34,  36,  37,  45,  51,  52,  57,  61,  66,  67,  72,  74,
    75,  88,  91,  97,  104, 111, 114, 119, 120, 121, 125, 126, 136, 154, 156, 163, 172,
    173, 174, 175, 177, 178, 179, 187, 190, 192, 220, 238, 239, 241, 248, 256, 262, 268,
    280, 314, 337, 338, 352, 363, 369, 373, 387, 391, 404, 421, 424, 435,
};

static uint32_t seed = 1;

static uint32_t next(void)
{
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

static int is_left_out(unsigned nr)
{
    for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++)
        if (left_out[i] == nr)
            return 1;
    return 0;
}

static void on_alarm(int sig)
{
    (void)sig;
}

static uint32_t argument(uint8_t *memory)
{
    static const uint32_t odd[] = {0,          1,          0xffffffff, 0x7fffffff,
                                   0x80000000, 0xfffff000, 16,         0xffff0000};
    static const char *const names[] = {"a", "b", "c", "/proc/self/maps", "/proc/cpuinfo", ""};
    switch (next() % 8) {
    case 0: return odd[next() % 8];
    case 1: return next() % 12;
    case 2: return (uint32_t)names[next() % 6];
    case 3: return (uint32_t)memory + 65536 - next() % 64; /* before a hole */
    case 4: return next() << 8 ^ next();
    case 5: return 1u << next() % 32;
    case 6: return next() % 70000;
    default: return (uint32_t)memory + next() % 65536;
    }
}

int main(int argc, char **argv)
{
    char dir[] = "/tmp/narwhal-hostile-XXXXXX";
    struct sigaction act = {.sa_handler = on_alarm};
    struct itimerval it = {{0, 3000}, {0, 3000}};
    long failed = 0;
    if (argc > 1)
        seed = (uint32_t)atoi(argv[1]);
    uint8_t *memory =
        mmap(NULL, 2 * 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED && munmap(memory + 65536, 65536) == 0);
    CHECK(mkdtemp(dir) != NULL && chdir(dir) == 0);
    int out = fcntl(1, F_DUPFD, 500), null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(null, 1);
    dup2(null, 2);
    for (int sig = 1; sig < 32; sig++)
        if (sig != SIGSEGV && sig != SIGBUS && sig != SIGILL && sig != SIGFPE)
            sigaction(sig, &act, NULL);
    setitimer(ITIMER_REAL, &it, NULL);
    for (int i = 0; i < CALLS; i++) {
        unsigned nr = next() % LAST_NR;
        uint32_t a[6];
        for (int k = 0; k < 6; k++)
            a[k] = argument(memory);
        if (!is_left_out(nr))
            failed += syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]) == -1;
        if (i % 64 == 0)
            for (int k = 0; k < 65536; k += 16)
                *(uint32_t *)(memory + k) = next() % 3 ? 0 : argument(memory);
    }
    it = (struct itimerval){0};
    setitimer(ITIMER_REAL, &it, NULL);
    CHECK(failed > CALLS / 4);
    if (dup2(out, 1) == 1)
        printf("hostile.c: %s\n", check_failed ? "failed" : "ok");
    return check_failed != 0;
}
