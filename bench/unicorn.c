/* What calls of the Unicorn interface cost, through the public header alone: the same program runs
 * on any library of that name. Each line it writes is the name of a row and nanoseconds of CPU time
 * of one unit (an instruction, an access, a call), or `aborts` where the library ended the process;
 * bench/unicorn.py puts two libraries side by side.
 *
 *   bench_unicorn [small|big]    all rows, all but the maps that take seconds, these alone */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <unicorn/unicorn.h>

#define CODE      0x10000
#define DATA      0x20000
#define DATA_SIZE 0x20000
#define HOST      0x80000 /* memory of the caller's */
#define HOST_SIZE 0x10000

struct code {
    const void *bytes;
    size_t size;
    size_t end; /* where a run ends */
};

struct guest {
    const char *name;
    uc_arch arch;
    uc_mode mode;
    int counter, pointer, stack, result; /* registers */
    int registers[8];
    unsigned width; /* of the instructions in the straight code */
    struct code plain, mixed, store, load, shared, patch, straight;
};

/* add eax,ecx; xor eax,edx; add edx,7; dec ecx; jnz; nop */
static const uint8_t x86_plain[] = {0x01, 0xc8, 0x31, 0xd0, 0x83, 0xc2,
                                    0x07, 0xff, 0xc9, 0x75, 0xf5, 0x90};
/* 0: mov edx,[rsi+rax*4]; test dl,1; jz 1f; call f; 1: add ebx,edx; inc eax; and eax,63; dec ecx;
 * jnz 0b; nop; f: lea edx,[rdx+rdx*2]; xor edx,ebx; ret */
static const uint8_t x86_mixed[] = {
    0x8b, 0x14, 0x86, 0xf6, 0xc2, 0x01, 0x74, 0x05, 0xe8, 0x0c, 0x00, 0x00, 0x00, 0x01, 0xd3, 0xff,
    0xc0, 0x83, 0xe0, 0x3f, 0xff, 0xc9, 0x75, 0xe8, 0x90, 0x8d, 0x14, 0x52, 0x31, 0xda, 0xc3};
/* mov [rsi],eax; mov [rsi+4],eax; mov [rsi+8],eax; dec ecx; jnz; nop */
static const uint8_t x86_store[] = {0x89, 0x06, 0x89, 0x46, 4,    0x89, 0x46,
                                    8,    0xff, 0xc9, 0x75, 0xf4, 0x90};
/* mov eax,[rsi]; mov ebx,[rsi+4]; mov eax,[rsi+8]; dec ecx; jnz; nop */
static const uint8_t x86_load[] = {0x8b, 0x06, 0x8b, 0x5e, 4,    0x8b, 0x46,
                                   8,    0xff, 0xc9, 0x75, 0xf4, 0x90};
/* mov eax,[rsi]; mov [rsi+4],eax; add eax,ecx; mov [rsi],eax; dec ecx; jnz; nop */
static const uint8_t x86_shared[] = {0x8b, 0x06, 0x89, 0x46, 4,    0x01, 0xc8,
                                     0x89, 0x06, 0xff, 0xc9, 0x75, 0xf3, 0x90};
/* mov [f+1],cl; call f; dec ecx; jnz; nop; f: mov al,0; ret */
static const uint8_t x86_patch[] = {0x88, 0x0d, 0x0b, 0,    0,    0,    0xe8, 5, 0,   0,
                                    0,    0xff, 0xc9, 0x75, 0xf1, 0x90, 0xb0, 0, 0xc3};
/* ten times inc eax; nop */
static const uint8_t x86_straight[] = {0xff, 0xc0, 0xff, 0xc0, 0xff, 0xc0, 0xff,
                                       0xc0, 0xff, 0xc0, 0xff, 0xc0, 0xff, 0xc0,
                                       0xff, 0xc0, 0xff, 0xc0, 0xff, 0xc0, 0x90};
/* add r0,r0,r1; eor r2,r2,r0; add r2,r2,#7; subs r1,r1,#1; bne; nop */
static const uint32_t arm_plain[] = {0xe0800001, 0xe0222000, 0xe2822007,
                                     0xe2511001, 0x1afffffa, 0xe1a00000};
/* 0: ldr r4,[r3,r5,lsl #2]; tst r4,#1; blne f; add r6,r6,r4; add r5,r5,#1; and r5,r5,#63; subs
 * r1,r1,#1; bne 0b; nop; f: add r4,r4,r4,lsl #1; eor r4,r4,r6; bx lr */
static const uint32_t arm_mixed[] = {0xe7934105, 0xe3140001, 0x1b000005, 0xe0866004,
                                     0xe2855001, 0xe205503f, 0xe2511001, 0x1afffff7,
                                     0xe1a00000, 0xe0844084, 0xe0244006, 0xe12fff1e};
/* str r0,[r3]; str r0,[r3,#4]; str r0,[r3,#8]; subs r1,r1,#1; bne; nop */
static const uint32_t arm_store[] = {0xe5830000, 0xe5830004, 0xe5830008,
                                     0xe2511001, 0x1afffffa, 0xe1a00000};
/* ldr r0,[r3]; ldr r2,[r3,#4]; ldr r0,[r3,#8]; subs r1,r1,#1; bne; nop */
static const uint32_t arm_load[] = {0xe5930000, 0xe5932004, 0xe5930008,
                                    0xe2511001, 0x1afffffa, 0xe1a00000};
/* ldr r0,[r3]; str r0,[r3,#4]; add r0,r0,r1; str r0,[r3]; subs r1,r1,#1; bne; nop */
static const uint32_t arm_shared[] = {0xe5930000, 0xe5830004, 0xe0800001, 0xe5830000,
                                      0xe2511001, 0x1afffff9, 0xe1a00000};
/* adr r2,f; strb r1,[r2]; bl f; subs r1,r1,#1; bne; nop; f: mov r0,#0; bx lr */
static const uint32_t arm_patch[] = {0xe28f2010, 0xe5c21000, 0xeb000002, 0xe2511001,
                                     0x1afffffa, 0xe1a00000, 0xe3a00000, 0xe12fff1e};
/* ten times add r0,r0,#1; nop */
static const uint32_t arm_straight[] = {0xe2800001, 0xe2800001, 0xe2800001, 0xe2800001,
                                        0xe2800001, 0xe2800001, 0xe2800001, 0xe2800001,
                                        0xe2800001, 0xe2800001, 0xe1a00000};

#define PLAIN_INSNS 5
#define ACCESSES    3 /* of the loops of loads and stores */

static const struct guest guests[] = {
    {"x86",
     UC_ARCH_X86,
     UC_MODE_64,
     UC_X86_REG_RCX,
     UC_X86_REG_RSI,
     UC_X86_REG_RSP,
     UC_X86_REG_RAX,
     {UC_X86_REG_RAX, UC_X86_REG_RBX, UC_X86_REG_RCX, UC_X86_REG_RDX, UC_X86_REG_R8, UC_X86_REG_R9,
      UC_X86_REG_R10, UC_X86_REG_R11},
     2,
     {x86_plain, sizeof x86_plain, 11},
     {x86_mixed, sizeof x86_mixed, 24},
     {x86_store, sizeof x86_store, 12},
     {x86_load, sizeof x86_load, 12},
     {x86_shared, sizeof x86_shared, 13},
     {x86_patch, sizeof x86_patch, 15},
     {x86_straight, sizeof x86_straight, 20}},
    {"arm",
     UC_ARCH_ARM,
     UC_MODE_ARM,
     UC_ARM_REG_R1,
     UC_ARM_REG_R3,
     UC_ARM_REG_SP,
     UC_ARM_REG_R0,
     {UC_ARM_REG_R0, UC_ARM_REG_R1, UC_ARM_REG_R2, UC_ARM_REG_R3, UC_ARM_REG_R8, UC_ARM_REG_R9,
      UC_ARM_REG_R10, UC_ARM_REG_R11},
     4,
     {arm_plain, sizeof arm_plain, 20},
     {arm_mixed, sizeof arm_mixed, 32},
     {arm_store, sizeof arm_store, 20},
     {arm_load, sizeof arm_load, 20},
     {arm_shared, sizeof arm_shared, 24},
     {arm_patch, sizeof arm_patch, 20},
     {arm_straight, sizeof arm_straight, 40}},
};

/* CPU time, that of the kernel for us with it: others may be busy on the machine. */
static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void check(uc_err error, const char *what)
{
    if (error == UC_ERR_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, uc_strerror(error));
    exit(1);
}

/* A library that does something else is not measured. */
static void expect(uint64_t value, uint64_t expected, const char *what)
{
    if (value == expected)
        return;
    fprintf(stderr, "%s: %llu instead of %llu\n", what, (unsigned long long)value,
            (unsigned long long)expected);
    exit(1);
}

static void report(const char *guest, const char *what, double ns)
{
    printf("%s%s%s %.4f\n", guest, *guest ? "-" : "", what, ns);
}

static uint64_t reg(uc_engine *uc, int id)
{
    uint64_t value = 0;

    check(uc_reg_read(uc, id, &value), "uc_reg_read");
    return value;
}

/* ---- runs ---- */

static uc_engine *engine(const struct guest *g, const struct code *code)
{
    uint64_t pointer = DATA, stack = DATA + DATA_SIZE - 64;
    uc_engine *uc;

    check(uc_open(g->arch, g->mode, &uc), "uc_open");
    check(uc_mem_map(uc, CODE, 0x2000, UC_PROT_ALL), "uc_mem_map");
    check(uc_mem_map(uc, DATA, DATA_SIZE, UC_PROT_READ | UC_PROT_WRITE), "uc_mem_map");
    check(uc_mem_write(uc, CODE, code->bytes, code->size), "uc_mem_write");
    check(uc_reg_write(uc, g->pointer, &pointer), "uc_reg_write");
    check(uc_reg_write(uc, g->stack, &stack), "uc_reg_write");
    return uc;
}

/* So many times through the loop, COUNT instructions at most. */
static double loop(uc_engine *uc, const struct guest *g, const struct code *code, uint64_t times,
                   size_t count)
{
    double t;

    check(uc_reg_write(uc, g->counter, &times), "uc_reg_write");
    t = now();
    check(uc_emu_start(uc, CODE, CODE + code->end, 0, count), "uc_emu_start");
    t = now() - t;
    if (!count)
        expect(reg(uc, g->counter), 0, "counter of a loop");
    return t;
}

/* A loop that is translated already: nanoseconds of one round. */
static double warm(const struct guest *g, const struct code *code, uint64_t times)
{
    uc_engine *uc = engine(g, code);
    double t;

    loop(uc, g, code, 1000, 0);
    t = loop(uc, g, code, times, 0);
    check(uc_close(uc), "uc_close");
    return t / (double)times;
}

static void plain_runs(const struct guest *g)
{
    report(g->name, "plain", warm(g, &g->plain, 10000000) / PLAIN_INSNS);
    report(g->name, "store", warm(g, &g->store, 1000000) / ACCESSES);
}

static void mixed_run(const struct guest *g)
{
    uc_engine *uc = engine(g, &g->mixed);
    uint32_t words[64], x = 1;
    uint64_t times = 3000000;

    for (int i = 0; i < 64; i++)
        words[i] = (x = x * 1664525 + 1013904223) >> 7;
    check(uc_mem_write(uc, DATA, words, sizeof words), "uc_mem_write");
    loop(uc, g, &g->mixed, 1000, 0);
    report(g->name, "mixed", loop(uc, g, &g->mixed, times, 0) / (double)times);
    check(uc_close(uc), "uc_close");
}

static void counted_run(const struct guest *g)
{
    uc_engine *uc = engine(g, &g->plain);
    uint64_t times = 1000000;
    double t;

    loop(uc, g, &g->plain, 2000, 1000 * PLAIN_INSNS);
    t = loop(uc, g, &g->plain, 2 * times, times * PLAIN_INSNS);
    expect(reg(uc, g->counter), times, "counter after a run with a count");
    report(g->name, "count", t / (double)(times * PLAIN_INSNS));
    check(uc_close(uc), "uc_close");
}

static void shared_memory(const struct guest *g)
{
    void *host = aligned_alloc(4096, HOST_SIZE);
    uint64_t times = 2000000, pointer = HOST;
    uc_engine *uc = engine(g, &g->shared);

    if (!host)
        exit(1);
    memset(host, 0, HOST_SIZE);
    check(uc_mem_map_ptr(uc, HOST, HOST_SIZE, UC_PROT_ALL, host), "uc_mem_map_ptr");
    check(uc_reg_write(uc, g->pointer, &pointer), "uc_reg_write");
    loop(uc, g, &g->shared, 1000, 0);
    report(g->name, "map-ptr", loop(uc, g, &g->shared, times, 0) / (double)(times * ACCESSES));
    expect(*(uint32_t *)host, (uint32_t)(times * (times + 1) / 2 + 500500),
           "memory of the caller's");
    check(uc_close(uc), "uc_close");
    free(host);
}

static void self_modifying(const struct guest *g)
{
    uc_engine *uc = engine(g, &g->patch);
    uint64_t times = 20000;

    report(g->name, "patch", loop(uc, g, &g->patch, times, 0) / (double)times);
    expect(reg(uc, g->result) & 0xff, 1, "code that was stored");
    check(uc_close(uc), "uc_close");
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

/* Nanoseconds of one round of the loop. */
static double hooked(const struct guest *g, const struct code *code, int type, void *callback,
                     uint64_t times, uint64_t calls_expected)
{
    uc_engine *uc = engine(g, code);
    uc_hook hook;
    double t;

    check(uc_hook_add(uc, &hook, type, callback, NULL, 1, 0), "uc_hook_add");
    loop(uc, g, code, 1000, 0);
    calls = 0;
    t = loop(uc, g, code, times, 0);
    expect(calls, calls_expected, "calls of a hook");
    check(uc_close(uc), "uc_close");
    return t / (double)times;
}

static void hooked_runs(const struct guest *g)
{
    uint64_t n = 600000;

    report(g->name, "code-hook",
           hooked(g, &g->plain, UC_HOOK_CODE, (void *)on_code, n, n * PLAIN_INSNS) / PLAIN_INSNS);
    report(g->name, "block-hook", hooked(g, &g->plain, UC_HOOK_BLOCK, (void *)on_code, n, n));
    report(g->name, "write-hook",
           hooked(g, &g->store, UC_HOOK_MEM_WRITE, (void *)on_access, n, n * ACCESSES) / ACCESSES);
    report(g->name, "read-hook",
           hooked(g, &g->load, UC_HOOK_MEM_READ, (void *)on_access, n, n * ACCESSES) / ACCESSES);
}

/* One run again and again: nanoseconds of each. */
static double starts(uc_engine *uc, uint64_t until, size_t count)
{
    int n = 20000;
    double t;

    check(uc_emu_start(uc, CODE, until, 0, count), "uc_emu_start");
    t = now();
    for (int i = 0; i < n; i++)
        check(uc_emu_start(uc, CODE, until, 0, count), "uc_emu_start");
    return (now() - t) / n;
}

/* Unicorn translates anew where the end lies in the block. */
static void short_runs(const struct guest *g)
{
    uc_engine *uc = engine(g, &g->straight);

    report(g->name, "start-count", starts(uc, CODE + g->straight.end, 1));
    expect(reg(uc, g->result), 20001, "runs of one instruction");
    report(g->name, "step", starts(uc, UINT64_MAX, 1));
    expect(reg(uc, g->result), 40002, "steps");
    report(g->name, "start-until", starts(uc, CODE + g->width, 0));
    expect(reg(uc, g->result), 60003, "runs to the next instruction");
    check(uc_close(uc), "uc_close");
    uc = engine(g, &g->straight);
    report(g->name, "start-10", starts(uc, CODE + g->straight.end, 0));
    expect(reg(uc, g->result), 200010, "runs of ten instructions");
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
        uc_engine *uc = engine(g, &g->straight);

        check(uc_emu_start(uc, CODE, CODE + g->straight.end, 0, 0), "uc_emu_start");
        check(uc_close(uc), "uc_close");
    }
    report(g->name, "open-run-close", (now() - t) / n);
}

/* In a process of its own, which a library may abort. */
static void maps(unsigned n)
{
    unsigned rounds = n < 1000 ? 1 + 2000 / n / 10 : 1;
    int status;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child < 0)
        exit(1);
    if (child == 0) {
        double sum = 0;

        for (unsigned k = 0; k < rounds; k++) {
            uc_engine *uc = engine(&guests[0], &guests[0].plain);
            double t = now();

            for (unsigned i = 0; i < n; i++)
                check(uc_mem_map(uc, 0x100000 + i * 0x2000ull, 0x1000, UC_PROT_ALL), "uc_mem_map");
            sum += now() - t;
            check(uc_close(uc), "uc_close");
        }
        printf("map-%u %.4f\n", n, sum / rounds / n);
        exit(0);
    }
    if (waitpid(child, &status, 0) == child && WIFSIGNALED(status))
        printf("map-%u aborts\n", n);
}

static void registers(const struct guest *g)
{
    uc_engine *uc = engine(g, &g->plain);
    int ids[8], n = 500000;
    uint64_t values[8] = {0};
    void *pointers[8];
    double t = now();

    for (int i = 0; i < n; i++)
        uc_reg_read(uc, g->counter, &values[0]);
    report(g->name, "reg-read", (now() - t) / n);
    t = now();
    for (int i = 0; i < n; i++)
        uc_reg_write(uc, g->counter, &values[0]);
    report(g->name, "reg-write", (now() - t) / n);
    memcpy(ids, g->registers, sizeof ids);
    for (int i = 0; i < 8; i++)
        pointers[i] = &values[i];
    n /= 8;
    t = now();
    for (int i = 0; i < n; i++)
        uc_reg_read_batch(uc, ids, pointers, 8);
    report(g->name, "reg-read-batch", (now() - t) / n / 8);
    t = now();
    for (int i = 0; i < n; i++)
        uc_reg_write_batch(uc, ids, pointers, 8);
    report(g->name, "reg-write-batch", (now() - t) / n / 8);
    check(uc_close(uc), "uc_close");
}

static void memory(const struct guest *g)
{
    static uint8_t buffer[0x10000];
    uc_engine *uc = engine(g, &g->plain);
    int n = 200000, few = 2000;
    double t = now();

    for (int i = 0; i < n; i++)
        uc_mem_read(uc, DATA + 64, buffer, 64);
    report(g->name, "mem-read-64", (now() - t) / n);
    t = now();
    for (int i = 0; i < n; i++)
        uc_mem_write(uc, DATA + 64, buffer, 64);
    report(g->name, "mem-write-64", (now() - t) / n);
    t = now();
    for (int i = 0; i < few; i++)
        uc_mem_read(uc, DATA, buffer, sizeof buffer);
    report(g->name, "mem-read-64k", (now() - t) / few);
    t = now();
    for (int i = 0; i < few; i++)
        uc_mem_write(uc, DATA, buffer, sizeof buffer);
    report(g->name, "mem-write-64k", (now() - t) / few);
    check(uc_close(uc), "uc_close");
}

static void contexts(const struct guest *g)
{
    uc_engine *uc = engine(g, &g->plain);
    uc_context *context;
    int n = 100000;
    double t;

    check(uc_context_alloc(uc, &context), "uc_context_alloc");
    t = now();
    for (int i = 0; i < n; i++)
        uc_context_save(uc, context);
    report(g->name, "context-save", (now() - t) / n);
    t = now();
    for (int i = 0; i < n; i++)
        uc_context_restore(uc, context);
    report(g->name, "context-restore", (now() - t) / n);
    check(uc_context_free(context), "uc_context_free");
    check(uc_close(uc), "uc_close");
}

/* A snapshot, so many pages written, and back: with a new snapshot each time, and with one for all.
 */
static void snapshots(unsigned pages)
{
    const struct guest *g = &guests[0];
    uc_engine *uc = engine(g, &g->plain);
    uc_context *context;
    uint32_t value;
    char what[32];
    int n = 1000;

    check(uc_ctl_context_mode(uc, UC_CTL_CONTEXT_CPU | UC_CTL_CONTEXT_MEMORY),
          "uc_ctl_context_mode");
    check(uc_context_alloc(uc, &context), "uc_context_alloc");
    for (int anew = 1; anew >= 0; anew--) {
        double t = now();

        for (int i = 0; i < n; i++) {
            if (anew)
                check(uc_context_save(uc, context), "uc_context_save");
            for (unsigned k = 0; k < pages; k++)
                uc_mem_write(uc, DATA + k * 0x1000, &i, sizeof i);
            check(uc_context_restore(uc, context), "uc_context_restore");
        }
        t = now() - t;
        check(uc_mem_read(uc, DATA, &value, sizeof value), "uc_mem_read");
        expect(value, 0, "memory after a restore");
        snprintf(what, sizeof what, "%s-%u", anew ? "snapshot" : "rewind", pages);
        report("", what, t / n);
    }
    check(uc_context_free(context), "uc_context_free");
    check(uc_close(uc), "uc_close");
}

/* Straight code of 1 MiB that runs once: nearly all is translation. Nanoseconds of a byte. */
static void translation(const struct guest *g)
{
    size_t unit = g->width == 4 ? 12 : 7, size = (1u << 20) / unit * unit;
    uint8_t *code = malloc(size);
    uc_engine *uc;
    double t;

    if (!code)
        exit(1);
    for (size_t at = 0; at < size; at += unit)
        memcpy(code + at, g->plain.bytes, unit);
    check(uc_open(g->arch, g->mode, &uc), "uc_open");
    check(uc_mem_map(uc, 0x100000, 2u << 20, UC_PROT_ALL), "uc_mem_map");
    check(uc_mem_write(uc, 0x100000, code, size), "uc_mem_write");
    t = now();
    check(uc_emu_start(uc, 0x100000, 0x100000 + size, 0, 0), "uc_emu_start");
    report(g->name, "translate", (now() - t) / (double)size);
    check(uc_close(uc), "uc_close");
    free(code);
}

static void small(void)
{
    for (size_t n = 0; n < sizeof guests / sizeof guests[0]; n++) {
        const struct guest *g = &guests[n];

        plain_runs(g);
        mixed_run(g);
        counted_run(g);
        shared_memory(g);
        self_modifying(g);
        hooked_runs(g);
        short_runs(g);
        engines(g);
        registers(g);
        memory(g);
        contexts(g);
        translation(g);
    }
    snapshots(1);
    snapshots(16);
    maps(1);
    maps(64);
    maps(512);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    unsigned major, minor;

    setvbuf(stdout, NULL, _IOLBF, 0); /* a library may abort */
    uc_version(&major, &minor);
    fprintf(stderr, "interface %u.%u\n", major, minor);
    if (strcmp(what, "big") != 0)
        small();
    if (strcmp(what, "small") != 0) {
        maps(1800);
        maps(4000);
        maps(10000);
    }
    return 0;
}
