/* What calls of the Unicorn interface cost, through the public header alone: the same program runs on
 * any library of that name. Each line it writes is a name, nanoseconds of one unit (an instruction,
 * an access, a call), and nothing else; bench/unicorn.py puts two libraries side by side. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unicorn/unicorn.h>

#define CODE 0x10000
#define DATA 0x20000

struct guest {
    const char *name;
    uc_arch arch;
    uc_mode mode;
    int counter, pointer; /* registers */
    const void *plain, *store, *load;
    size_t plain_size, store_size, load_size; /* with the instruction behind the loop */
    unsigned last;                            /* the size of that one */
};

/* add eax,ecx; xor eax,edx; add edx,7; dec ecx; jnz; nop */
static const uint8_t x86_plain[] = {0x01, 0xc8, 0x31, 0xd0, 0x83, 0xc2, 0x07, 0xff, 0xc9, 0x75, 0xf5, 0x90};
/* mov [rsi],eax; mov [rsi+4],eax; mov [rsi+8],eax; dec ecx; jnz; nop */
static const uint8_t x86_store[] = {0x89, 0x06, 0x89, 0x46, 4, 0x89, 0x46, 8, 0xff, 0xc9, 0x75, 0xf4, 0x90};
/* mov eax,[rsi]; mov ebx,[rsi+4]; mov eax,[rsi+8]; dec ecx; jnz; nop */
static const uint8_t x86_load[] = {0x8b, 0x06, 0x8b, 0x5e, 4, 0x8b, 0x46, 8, 0xff, 0xc9, 0x75, 0xf4, 0x90};
/* add r0,r0,r1; eor r2,r2,r0; add r2,r2,#7; subs r1,r1,#1; bne; nop */
static const uint32_t arm_plain[] = {0xe0800001, 0xe0222000, 0xe2822007, 0xe2511001, 0x1afffffa, 0xe1a00000};
/* str r0,[r3]; str r0,[r3,#4]; str r0,[r3,#8]; subs r1,r1,#1; bne; nop */
static const uint32_t arm_store[] = {0xe5830000, 0xe5830004, 0xe5830008, 0xe2511001, 0x1afffffa, 0xe1a00000};
/* ldr r0,[r3]; ldr r2,[r3,#4]; ldr r0,[r3,#8]; subs r1,r1,#1; bne; nop */
static const uint32_t arm_load[] = {0xe5930000, 0xe5932004, 0xe5930008, 0xe2511001, 0x1afffffa, 0xe1a00000};

#define LOOP_INSNS 5
#define ACCESSES   3

static const struct guest guests[] = {
    {"x86", UC_ARCH_X86, UC_MODE_64, UC_X86_REG_RCX, UC_X86_REG_RSI, x86_plain, x86_store, x86_load,
     sizeof x86_plain, sizeof x86_store, sizeof x86_load, 1},
    {"arm", UC_ARCH_ARM, UC_MODE_ARM, UC_ARM_REG_R1, UC_ARM_REG_R3, arm_plain, arm_store, arm_load,
     sizeof arm_plain, sizeof arm_store, sizeof arm_load, 4},
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void check(uc_err error, const char *what)
{
    if (error == UC_ERR_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, uc_strerror(error));
    exit(1);
}

static void report(const char *guest, const char *what, double ns)
{
    printf("%s%s%s %.4f\n", guest, *guest ? "-" : "", what, ns);
}

/* ---- runs ---- */

static uc_engine *engine(const struct guest *g, const void *code, size_t size)
{
    uint64_t pointer = DATA;
    uc_engine *uc;

    check(uc_open(g->arch, g->mode, &uc), "uc_open");
    check(uc_mem_map(uc, CODE, 0x2000, UC_PROT_ALL), "uc_mem_map");
    check(uc_mem_map(uc, DATA, 0x1000, UC_PROT_READ | UC_PROT_WRITE), "uc_mem_map");
    check(uc_mem_write(uc, CODE, code, size), "uc_mem_write");
    check(uc_reg_write(uc, g->pointer, &pointer), "uc_reg_write");
    return uc;
}

/* So many times through the loop, COUNT instructions at most. */
static double loop(uc_engine *uc, const struct guest *g, size_t size, uint64_t times, size_t count)
{
    double t;

    check(uc_reg_write(uc, g->counter, &times), "uc_reg_write");
    t = now();
    check(uc_emu_start(uc, CODE, CODE + size - g->last, 0, count), "uc_emu_start");
    return now() - t;
}

static volatile uint64_t calls;

static void on_code(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    (void)uc, (void)address, (void)size, (void)user;
    calls++;
}

static void on_access(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t value,
                      void *user)
{
    (void)uc, (void)type, (void)address, (void)size, (void)value, (void)user;
    calls++;
}

static double hooked(const struct guest *g, const void *code, size_t size, int type, void *callback,
                     uint64_t times)
{
    uc_engine *uc = engine(g, code, size);
    uc_hook hook;
    double t;

    check(uc_hook_add(uc, &hook, type, callback, NULL, 1, 0), "uc_hook_add");
    loop(uc, g, size, 1000, 0);
    t = loop(uc, g, size, times, 0);
    check(uc_close(uc), "uc_close");
    return t / (double)times;
}

static void plain_runs(const struct guest *g)
{
    uint64_t times = 10000000, few = 1000000;
    uc_engine *uc = engine(g, g->plain, g->plain_size);

    loop(uc, g, g->plain_size, 1000, 0);
    report(g->name, "plain", loop(uc, g, g->plain_size, times, 0) / (double)(times * LOOP_INSNS));
    report(g->name, "count",
           loop(uc, g, g->plain_size, few * 2, few * LOOP_INSNS) / (double)(few * LOOP_INSNS));
    check(uc_close(uc), "uc_close");
    uc = engine(g, g->store, g->store_size);
    loop(uc, g, g->store_size, 1000, 0);
    report(g->name, "store", loop(uc, g, g->store_size, few * 2, 0) / (double)(few * 2 * ACCESSES));
    check(uc_close(uc), "uc_close");
}

static void hooked_runs(const struct guest *g)
{
    uint64_t times = 600000;

    report(g->name, "code-hook",
           hooked(g, g->plain, g->plain_size, UC_HOOK_CODE, (void *)on_code, times) / LOOP_INSNS);
    report(g->name, "block-hook",
           hooked(g, g->plain, g->plain_size, UC_HOOK_BLOCK, (void *)on_code, times));
    report(g->name, "write-hook",
           hooked(g, g->store, g->store_size, UC_HOOK_MEM_WRITE, (void *)on_access, times) /
               ACCESSES);
    report(g->name, "read-hook",
           hooked(g, g->load, g->load_size, UC_HOOK_MEM_READ, (void *)on_access, times) / ACCESSES);
}

static void short_runs(const struct guest *g)
{
    uc_engine *uc = engine(g, g->plain, g->plain_size);
    uint64_t next = CODE + (g->last == 4 ? 4 : 2);
    int n = 20000;
    double t;

    /* Unicorn translates anew where the end lies in the block. */
    check(uc_emu_start(uc, CODE, CODE + g->plain_size - g->last, 0, 1), "uc_emu_start");
    t = now();
    for (int i = 0; i < n; i++)
        uc_emu_start(uc, CODE, CODE + g->plain_size - g->last, 0, 1);
    report(g->name, "start-count", (now() - t) / n);
    t = now();
    for (int i = 0; i < n; i++)
        uc_emu_start(uc, CODE, UINT64_MAX, 0, 1);
    report(g->name, "step", (now() - t) / n);
    t = now();
    for (int i = 0; i < n; i++)
        uc_emu_start(uc, CODE, next, 0, 0);
    report(g->name, "start-until", (now() - t) / n);
    check(uc_close(uc), "uc_close");
}

/* ---- engines, memory, registers ---- */

static void engines(const struct guest *g)
{
    int n = 200;
    double t = now();

    for (int i = 0; i < n; i++) {
        uc_engine *uc;

        check(uc_open(g->arch, g->mode, &uc), "uc_open");
        check(uc_close(uc), "uc_close");
    }
    report(g->name, "open-close", (now() - t) / n);
    t = now();
    for (int i = 0; i < n; i++) {
        uc_engine *uc = engine(g, g->plain, g->plain_size);

        check(uc_emu_start(uc, CODE, CODE + (g->last == 4 ? 12 : 7), 0, 0), "uc_emu_start");
        check(uc_close(uc), "uc_close");
    }
    report(g->name, "open-run-close", (now() - t) / n);
}

static void maps(unsigned n, const char *what)
{
    unsigned rounds = n == 1 ? 200 : 1;
    double sum = 0;

    for (unsigned k = 0; k < rounds; k++) {
        uc_engine *uc = engine(&guests[0], x86_plain, sizeof x86_plain);
        double t = now();

        for (unsigned i = 0; i < n; i++)
            check(uc_mem_map(uc, 0x100000 + i * 0x2000ull, 0x1000, UC_PROT_ALL), "uc_mem_map");
        sum += now() - t;
        check(uc_close(uc), "uc_close");
    }
    report("", what, sum / rounds / n);
}

static void registers(const struct guest *g)
{
    uc_engine *uc = engine(g, g->plain, g->plain_size);
    uint64_t value = 0;
    int n = 1000000;
    double t = now();

    for (int i = 0; i < n; i++)
        uc_reg_read(uc, g->counter, &value);
    report(g->name, "reg-read", (now() - t) / n);
    t = now();
    for (int i = 0; i < n; i++)
        uc_reg_write(uc, g->counter, &value);
    report(g->name, "reg-write", (now() - t) / n);
    check(uc_close(uc), "uc_close");
}

/* MODE: what contexts hold. One page is written between saving and restoring. */
static void contexts(const struct guest *g, int mode, const char *save, const char *restore)
{
    uc_engine *uc = engine(g, g->plain, g->plain_size);
    double saving = 0, restoring = 0, t;
    uc_context *context;
    int n = 2000;

    check(uc_ctl_context_mode(uc, mode), "uc_ctl_context_mode");
    check(uc_context_alloc(uc, &context), "uc_context_alloc");
    for (int i = 0; i < n; i++) {
        t = now();
        check(uc_context_save(uc, context), "uc_context_save");
        saving += now() - t;
        check(uc_mem_write(uc, DATA, &i, sizeof i), "uc_mem_write");
        t = now();
        check(uc_context_restore(uc, context), "uc_context_restore");
        restoring += now() - t;
    }
    report(g->name, save, saving / n);
    report(g->name, restore, restoring / n);
    check(uc_context_free(context), "uc_context_free");
    check(uc_close(uc), "uc_close");
}

/* Straight code of 1 MiB that runs once: nearly all is translation. Nanoseconds of a byte. */
static void translation(const struct guest *g)
{
    size_t size = 1u << 20, insns = g->last == 4 ? 4 : 7;
    uint8_t *code = malloc(size + 16);
    uc_engine *uc;
    double t;

    if (!code)
        exit(1);
    size -= size % insns;
    for (size_t at = 0; at < size; at += insns) {
        memcpy(code + at, g->plain, insns);
        if (g->last == 4)
            memcpy(code + at, &arm_plain[at / 4 % 3], 4);
    }
    check(uc_open(g->arch, g->mode, &uc), "uc_open");
    check(uc_mem_map(uc, 0x100000, 2u << 20, UC_PROT_ALL), "uc_mem_map");
    check(uc_mem_write(uc, 0x100000, code, size), "uc_mem_write");
    t = now();
    check(uc_emu_start(uc, 0x100000, 0x100000 + size, 0, 0), "uc_emu_start");
    report(g->name, "translate", (now() - t) / (double)size);
    check(uc_close(uc), "uc_close");
    free(code);
}

int main(void)
{
    unsigned major, minor;

    setvbuf(stdout, NULL, _IOLBF, 0); /* a library may abort */
    uc_version(&major, &minor);
    fprintf(stderr, "interface %u.%u\n", major, minor);
    for (size_t n = 0; n < sizeof guests / sizeof guests[0]; n++) {
        const struct guest *g = &guests[n];

        plain_runs(g);
        hooked_runs(g);
        short_runs(g);
        engines(g);
        registers(g);
        contexts(g, UC_CTL_CONTEXT_CPU, "context-save", "context-restore");
        translation(g);
    }
    contexts(&guests[0], UC_CTL_CONTEXT_CPU | UC_CTL_CONTEXT_MEMORY, "snapshot", "snapshot-restore");
    maps(1, "map-1");
    maps(4000, "map-4000");
    maps(10000, "map-10000");
    return 0;
}
