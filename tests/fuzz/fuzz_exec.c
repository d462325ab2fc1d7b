/* Random code from a random state: whole blocks in a random engine mode against one instruction at
 * a time in the interpreter. Registers, memory, what devices saw and the exit must be the same. */
#include "fuzz.h"

#include <narwhal/arm.h>
#include <narwhal/log.h>
#include <narwhal/narwhal.h>
#include "guest/arm/decode.h"
#include "mutate.h"

#define PAGE      4096u
#define CODE      0x10000u
#define CODE_SIZE (2 * PAGE)
#define MMIO      0x8000u
#define HEADER    84 /* bytes of the input before the code */
#define MAX_STEPS 1500

/* Machines live until the end; the blocks are found through memory that the leak checker does not
 * scan. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

struct device {
    uint64_t hash;
    uint32_t accesses;
};

struct machine {
    nw_engine *engine;
    nw_vcpu *vcpu;
    struct device device;
    uint8_t ptr[PAGE];
};

/* Beside the code: read-write, read-only, no access, write-only, the caller's, first and last. */
static const struct {
    uint32_t at, perms;
} pages[] = {{0, NW_RWX}, {0x2000, NW_RW},    {0x3000, NW_RW},     {0x4000, NW_READ},
             {0x5000, 0}, {0x6000, NW_WRITE}, {0xfffff000, NW_RWX}};
#define PTR 0x7000u

struct setup {
    uint32_t reg[16], cpsr, fpscr, limit;
    uint8_t choice, mode, fill;
};

static void note(struct device *d, uint64_t v)
{
    d->hash = (d->hash ^ v) * 0x9e3779b97f4a7c15ull;
    d->hash ^= d->hash >> 29;
    d->accesses++;
}

static uint64_t mmio_read(void *opaque, uint64_t offset, unsigned size)
{
    struct device *d = opaque;

    note(d, offset << 8 | size);
    return d->hash;
}

static void mmio_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    note(opaque, offset << 8 | size | 0x80);
    note(opaque, size < 8 ? value & ((1ull << size * 8) - 1) : value);
}

static void log_text(void *opaque, enum nw_log_kind kind, const char *text, size_t size)
{
    (void)opaque, (void)kind;
    fwrite(text, 1, size, stderr);
}

/* FUZZ_TRACE in the environment: every instruction of the run in single steps, and the IR. */
static nw_log *trace_log(void)
{
    static struct nw_log log = {.kinds = NW_LOG_IR, .text = log_text};

    return getenv("FUZZ_TRACE") ? &log : NULL;
}

static struct machine *machine_new(const char *cpu, uint32_t flags, nw_exceptions exceptions)
{
    struct machine *m = calloc(1, sizeof *m);
    nw_config config = {.arch = NW_ARCH_ARM,
                        .cpu = cpu,
                        .flags = flags,
                        .exceptions = exceptions,
                        .code_buffer = 1 << 20,
                        .log = flags & NW_ENGINE_INTERP ? NULL : trace_log()};
    bool ok = m && nw_engine_open(&config, &m->engine) == NW_OK &&
              nw_mem_map(m->engine, CODE, CODE_SIZE, NW_RWX) == NW_OK &&
              nw_mem_map_ptr(m->engine, PTR, PAGE, NW_RW, m->ptr) == NW_OK &&
              nw_mem_map_mmio(m->engine, MMIO, PAGE, mmio_read, mmio_write, &m->device) == NW_OK &&
              nw_vcpu_create(m->engine, &m->vcpu) == NW_OK;

    for (unsigned i = 0; ok && i < sizeof pages / sizeof *pages; i++)
        ok = nw_mem_map(m->engine, pages[i].at, PAGE, pages[i].perms) == NW_OK;
    FUZZ_CHECK(ok, "no machine");
    return m;
}

/* One per CPU model, engine mode and way of taking exceptions, kept from input to input. */
static struct machine *machines[2][5][2];

/* Engines find their blocks through mapped memory, where the leak check does not look. */
__attribute__((destructor)) static void machines_close(void)
{
    struct machine **m = &machines[0][0][0];

    for (unsigned n = 0; n < sizeof machines / sizeof *m; n++) {
        if (m[n])
            nw_engine_close(m[n]->engine);
        free(m[n]);
        m[n] = NULL;
    }
}

static struct machine *machine_get(unsigned cpu, unsigned mode, bool vectors)
{
    static const char *const cpus[] = {NULL, "arm926"};
    static const uint32_t flags[] = {NW_ENGINE_INTERP, 0, NW_ENGINE_NO_CHAIN, NW_ENGINE_NO_FASTMEM,
                                     NW_ENGINE_INTERP | NW_ENGINE_NO_FASTMEM};
    struct machine **m = &machines[cpu][mode][vectors];

    if (!*m)
        *m = machine_new(cpus[cpu], flags[mode], vectors ? NW_EXC_GUEST : NW_EXC_EXIT);
    return *m;
}

static void fill(uint8_t *to, uint32_t size, uint8_t seed)
{
    uint64_t s = seed;

    for (uint32_t i = 0; i < size; i += 8) {
        uint64_t v = splitmix64(&s);
        memcpy(to + i, &v, 8);
    }
}

static void write_mem(struct machine *m, uint32_t at, const uint8_t *from, uint32_t size)
{
    static uint8_t now[CODE_SIZE];

    /* Unchanged pages keep their translations. */
    if (nw_mem_read(m->engine, at, now, size) == NW_OK && !memcmp(now, from, size))
        return;
    FUZZ_CHECK(nw_mem_write(m->engine, at, from, size) == NW_OK, "write");
}

static void load(struct machine *m, const struct setup *s, const uint8_t *code, size_t size)
{
    static uint8_t bytes[CODE_SIZE];

    memset(bytes, 0, sizeof bytes);
    /* The code straddles the boundary of its two pages. */
    memcpy(bytes + (s->reg[15] - CODE), code, size);
    write_mem(m, CODE, bytes, CODE_SIZE);
    for (unsigned i = 0; i < sizeof pages / sizeof *pages; i++) {
        fill(bytes, PAGE, s->fill);
        if (pages[i].perms & NW_EXEC)
            memcpy(bytes, code, size < PAGE ? size : PAGE);
        write_mem(m, pages[i].at, bytes, PAGE);
    }
    fill(m->ptr, PAGE, s->fill);
    m->device = (struct device){0};
    /* Some of what the guest has changed can only be undone so. */
    nw_vcpu_destroy(m->vcpu);
    FUZZ_CHECK(nw_vcpu_create(m->engine, &m->vcpu) == NW_OK, "vcpu");
    nw_reg_write(m->vcpu, NW_ARM_CPSR, s->cpsr);
    for (unsigned i = 0; i < 16; i++)
        nw_reg_write(m->vcpu, NW_ARM_R0 + i, s->reg[i]);
    nw_reg_write(m->vcpu, NW_ARM_SPSR, 0x10);
    nw_reg_write(m->vcpu, NW_ARM_FPEXC, s->choice & 64 ? 0 : 0x40000000);
    nw_reg_write(m->vcpu, NW_ARM_FPSCR, s->fpscr);
    for (unsigned i = NW_ARM_TPIDRURW; i <= NW_ARM_TPIDRPRW; i++)
        nw_reg_write(m->vcpu, i, 0);
    for (unsigned i = 0; i < 32; i++) {
        static const uint64_t some[] = {
            0x3ff0000000000000, 0x7f80000000000001, 0x800000007fc00000, 0x7ff0000000000000, 1,
            0x0010000000000000, 0xfff8000000000001, 0x41f000004f800000};
        nw_reg_write(m->vcpu, NW_ARM_D0 + i, some[(i * 5 + s->fill) % 8]);
    }
}

static void trace(struct machine *m)
{
    uint64_t pc = 0, cpsr = 0, lr = 0;
    uint32_t code = 0;

    if (!trace_log())
        return;
    nw_reg_read(m->vcpu, NW_ARM_PC, &pc);
    nw_reg_read(m->vcpu, NW_ARM_CPSR, &cpsr);
    nw_reg_read(m->vcpu, NW_ARM_LR, &lr);
    nw_mem_read(m->engine, pc, &code, sizeof code);
    fprintf(stderr, "pc %#lx code %08x cpsr %#lx lr %#lx\n", (long)pc, code, (long)cpsr, (long)lr);
}

static nw_exit run(struct machine *m, uint32_t limit, uint32_t step, uint32_t *done)
{
    nw_exit exit = {0};

    *done = 0;
    do {
        uint32_t n = step && step < limit - *done ? step : limit - *done;

        if (step == 1)
            trace(m);
        FUZZ_CHECK(nw_vcpu_run(m->vcpu, n, &exit) == NW_OK, "run");
        *done += n;
    } while (exit.reason == NW_EXIT_LIMIT && *done < limit);
    return exit;
}

static void compare_exits(const nw_exit *a, const nw_exit *b)
{
    FUZZ_CHECK(a->reason != NW_EXIT_ERROR && b->reason != NW_EXIT_ERROR, "%s; %s",
               nw_status_text(a->status), nw_status_text(b->status));
    FUZZ_CHECK(a->reason == b->reason, "%d %d, pc %#lx %#lx", a->reason, b->reason, (long)a->pc,
               (long)b->pc);
    FUZZ_CHECK(a->pc == b->pc, "%#lx %#lx", (long)a->pc, (long)b->pc);
    FUZZ_CHECK(a->addr == b->addr && a->access == b->access && a->fault == b->fault &&
                   a->code == b->code && a->size == b->size,
               "addr %#lx %#lx access %d %d fault %d %d size %u %u code %u %u", (long)a->addr,
               (long)b->addr, a->access, b->access, a->fault, b->fault, a->size, b->size, a->code,
               b->code);
}

static void compare_memory(struct machine *a, struct machine *b, uint32_t at, uint32_t size)
{
    static uint8_t x[CODE_SIZE], y[CODE_SIZE];

    FUZZ_CHECK(nw_mem_read(a->engine, at, x, size) == NW_OK &&
                   nw_mem_read(b->engine, at, y, size) == NW_OK,
               "read");
    for (uint32_t i = 0; i < size; i++)
        FUZZ_CHECK(x[i] == y[i], "at %#x: %02x %02x", at + i, x[i], y[i]);
}

static void compare(struct machine *a, struct machine *b)
{
    for (unsigned r = 0; r < NW_ARM_REG_END; r++) {
        uint64_t x = 0, y = 0;
        nw_status p = nw_reg_read(a->vcpu, r, &x), q = nw_reg_read(b->vcpu, r, &y);

        FUZZ_CHECK(p == q && x == y, "register %u: %#lx %#lx", r, (long)x, (long)y);
    }
    compare_memory(a, b, CODE, CODE_SIZE);
    for (unsigned i = 0; i < sizeof pages / sizeof *pages; i++)
        compare_memory(a, b, pages[i].at, PAGE);
    FUZZ_CHECK(!memcmp(a->ptr, b->ptr, PAGE), "the caller's memory");
    FUZZ_CHECK(a->device.hash == b->device.hash, "devices: %u %u accesses", a->device.accesses,
               b->device.accesses);
}

static struct setup take_setup(struct input *in)
{
    static const uint32_t bases[] = {0x2000, 0x2ff0, 0x3ff8, 0x4ff8,     0x5ffc, PTR,
                                     MMIO,   CODE,   0,      0xfffffff0, 0x3800, CODE + PAGE};
    struct setup s = {.choice = take8(in), .mode = take8(in), .fill = take8(in)};

    take8(in);
    s.limit = 1 + take32(in) % MAX_STEPS;
    s.cpsr = take32(in);
    s.fpscr = take32(in);
    /* 0..2 as they are, odd ones near a page of interest. */
    for (unsigned i = 0; i < 16; i++) {
        uint32_t v = take32(in);

        s.reg[i] = v & 1 ? bases[(v >> 1) % 12] + (uint32_t)((int32_t)v >> 25) : v >> 1;
    }
    take32(in);
    s.reg[15] = CODE + PAGE - 64;
    if (!(s.choice & 16))
        s.cpsr = (s.cpsr & 0xf80f0020u) | 0x10;
    else
        s.cpsr = (s.cpsr & 0xf80f03e0u) | (s.mode & 128 ? 0x13 : 0x1f);
    s.cpsr &= ~(1u << 24);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    struct setup s = take_setup(&in);
    unsigned cpu = s.choice & 1, mode = 1 + s.mode % 4;
    bool vectors = s.choice & 32;
    struct machine *one = machine_get(cpu, 0, vectors), *other = machine_get(cpu, mode, vectors);
    uint32_t done;
    size_t code = in.left < PAGE ? in.left : PAGE;
    nw_exit a, b;

    load(one, &s, in.at, code);
    load(other, &s, in.at, code);
    a = run(one, s.limit, 1, &done);
    if (a.reason != NW_EXIT_LIMIT && !vectors && s.choice & 2)
        FUZZ_CHECK(nw_vcpu_run(other->vcpu, 0, &b) == NW_OK, "run");
    else
        b = run(other, s.limit, s.choice & 4 ? 3 + (s.choice >> 3 & 1) * 20 : 0, &done);
    compare_exits(&a, &b);
    compare(one, other);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    return mutate_code(data, size, max_size, HEADER, size > 8 && data[8] & 0x20, seed);
}
