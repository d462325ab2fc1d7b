/* The bare x86 CPU (NW_EXC_BARE): how it starts, that its system instructions work, and that what a
 * kernel would serve are exits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include <narwhal/narwhal.h>
#include <narwhal/x86.h>

#define CODE     0x1000u
#define STACK    0x8000u
#define TABLE    0x3000u
#define RAM_SIZE 0x40000u

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };
enum { ES, CS, SS, DS, FS, GS };

static const uint32_t modes[] = {NW_ENGINE_INTERP, 0, NW_ENGINE_NO_CHAIN, NW_ENGINE_NO_FASTMEM};
#define EACH_MODE(n) for (size_t n = 0; n < sizeof modes / sizeof *modes; n++)

struct cpu {
    nw_engine *engine;
    nw_vcpu *vcpu;
};

static uint64_t get(const struct cpu *c, unsigned reg)
{
    uint64_t v = 0;
    assert_int_equal(nw_reg_read(c->vcpu, reg, &v), NW_OK);
    return v;
}

static void set(const struct cpu *c, unsigned reg, uint64_t v)
{
    assert_int_equal(nw_reg_write(c->vcpu, reg, v), NW_OK);
}

static struct cpu cpu_open(unsigned bits, uint32_t flags)
{
    struct cpu c;
    nw_config config = {.arch = bits == 64 ? NW_ARCH_X86_64 : NW_ARCH_X86,
                        .cpu = "haswell",
                        .flags = flags,
                        .exceptions = NW_EXC_BARE};

    assert_int_equal(nw_engine_open(&config, &c.engine), NW_OK);
    assert_int_equal(nw_mem_map(c.engine, 0, RAM_SIZE, NW_RWX), NW_OK);
    assert_int_equal(nw_vcpu_create(c.engine, &c.vcpu), NW_OK);
    assert_int_equal(nw_x86_bare(c.vcpu, bits), NW_OK);
    set(&c, RSP, STACK);
    return c;
}

static void put(const struct cpu *c, uint64_t at, const void *bytes, size_t size)
{
    assert_int_equal(nw_mem_write(c->engine, at, bytes, size), NW_OK);
}

/* Runs the code there up to an exit, HLT behind it. */
static nw_exit run_at(const struct cpu *c, uint64_t pc, const void *bytes, size_t size)
{
    nw_exit exit;

    put(c, pc, bytes, size);
    put(c, pc + size, "\xf4", 1);
    set(c, NW_X86_PC, pc);
    assert_int_equal(nw_vcpu_run(c->vcpu, 1000, &exit), NW_OK);
    return exit;
}
#define RUN_AT(c, pc, ...)                                                                         \
    run_at(c, pc, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))
#define RUN(c, ...) RUN_AT(c, CODE, __VA_ARGS__)

static void starts(void **state)
{
    (void)state;
    static const struct {
        unsigned bits;
        uint32_t cr0, cr4, efer;
    } rows[] = {{16, 0, 0, 0}, {32, 0x11, 0x50200, 0}, {64, 0x11, 0x50200, 0x500}};

    for (size_t n = 0; n < 3; n++) {
        struct cpu c = cpu_open(rows[n].bits, 0);
        for (unsigned r = NW_X86_ES; r < NW_X86_ES + 8; r++)
            assert_int_equal(get(&c, r), 0);
        assert_int_equal(get(&c, NW_X86_CR0), rows[n].cr0);
        assert_int_equal(get(&c, NW_X86_CR0 + 4), rows[n].cr4);
        assert_int_equal(get(&c, NW_X86_EFER), rows[n].efer);
        assert_int_equal(get(&c, NW_X86_RFLAGS), 2);
        assert_int_equal(get(&c, NW_X86_MXCSR), 0);
        assert_int_equal(get(&c, NW_X86_FPCW), 0);
        assert_int_equal(get(&c, NW_X86_FPTAG), 0x5555);
        assert_int_equal(get(&c, NW_X86_DR0 + 6), 0xffff0ff0);
        assert_int_equal(get(&c, NW_X86_DR0 + 7), 0x400);
        nw_engine_close(c.engine);
    }
}

static void chooses_mode(void **state)
{
    (void)state;
    struct cpu c = cpu_open(32, 0);
    assert_int_equal(nw_x86_bare(c.vcpu, 64), NW_ERR_ARG);
    assert_int_equal(nw_x86_bare(c.vcpu, 8), NW_ERR_ARG);
    assert_int_equal(nw_x86_bare(NULL, 32), NW_ERR_ARG);
    nw_engine_close(c.engine);

    nw_config config = {.arch = NW_ARCH_X86};
    assert_int_equal(nw_engine_open(&config, &c.engine), NW_OK);
    assert_int_equal(nw_vcpu_create(c.engine, &c.vcpu), NW_OK);
    assert_int_equal(nw_x86_bare(c.vcpu, 32), NW_ERR_ARG);
    nw_engine_close(c.engine);
}

/* ---- exits ---- */

#define IN16 1u
#define IN32 2u
#define IN64 4u
#define ALL  7u

enum { SOFT = -1 }; /* NW_X86_SOFT as an error code */

static const struct exit_row {
    const char *name;
    unsigned in; /* which sizes of code */
    uint8_t size, code[10];
    nw_exit_reason reason;
    uint32_t number;
    int error;
    unsigned pc; /* from CODE on */
    uint64_t rax;
} exits[] = {
    {"int 80", ALL, 2, {0xcd, 0x80}, NW_EXIT_EXCEPTION, 0x80, SOFT, 2, 0},
    {"int 6", ALL, 2, {0xcd, 6}, NW_EXIT_EXCEPTION, 6, SOFT, 2, 0},
    {"int3", ALL, 1, {0xcc}, NW_EXIT_EXCEPTION, 3, SOFT, 1, 0},
    {"int1", ALL, 1, {0xf1}, NW_EXIT_EXCEPTION, 1, SOFT, 1, 0},
    {"into", IN16 | IN32, 5, {0xb0, 0x7f, 4, 1, 0xce}, NW_EXIT_EXCEPTION, 4, SOFT, 5, 0},
    {"bound", IN32, 6, {0x62, 5, 0, 0x20, 0, 0}, NW_EXIT_EXCEPTION, 5, 0, 0, 0xffff},
    {"div", ALL, 4, {0x31, 0xc9, 0xf7, 0xf1}, NW_EXIT_EXCEPTION, 0, 0, 2, 0},
    {"ud2", ALL, 2, {0x0f, 0x0b}, NW_EXIT_EXCEPTION, 6, 0, 0, 0},
    {"hlt", ALL, 1, {0xf4}, NW_EXIT_HALT, 0, 0, 1, 0},
    {"syscall", ALL, 2, {0x0f, 5}, NW_EXIT_SYSCALL, NW_X86_SYSCALL, 0, 2, 0},
    {"sysenter", IN32 | IN64, 2, {0x0f, 0x34}, NW_EXIT_SYSCALL, NW_X86_SYSENTER, 0, 2, 0},
    {"sysexit", ALL, 2, {0x0f, 0x35}, NW_EXIT_EXCEPTION, 13, 0, 0, 0},
    {"mov ds", IN32 | IN64, 2, {0x8e, 0xd8}, NW_EXIT_EXCEPTION, 13, 0x1234, 0, 0x1234},
    {"mov ss", IN32, 2, {0x8e, 0xd0}, NW_EXIT_EXCEPTION, 13, 0, 0, 0},
    {"mov cs", ALL, 2, {0x8e, 0xc8}, NW_EXIT_EXCEPTION, 6, 0, 0, 0},
    {"retf", IN32 | IN64, 5, {0x6a, 0, 0x6a, 0, 0xcb}, NW_EXIT_EXCEPTION, 13, 0, 4, 0},
    {"ltr", IN32 | IN64, 3, {0x0f, 0, 0xd8}, NW_EXIT_EXCEPTION, 13, 0x10, 0, 0x10},
};

static void exits_of(const struct exit_row *r, unsigned bits, uint32_t flags)
{
    struct cpu c = cpu_open(bits, flags);
    set(&c, RAX, r->rax);
    nw_exit e = run_at(&c, CODE, r->code, r->size);
    uint32_t error = r->error == SOFT ? NW_X86_SOFT : (uint32_t)r->error;

    if (e.reason != r->reason || e.code != r->number || e.pc != CODE + r->pc || e.error != error ||
        get(&c, NW_X86_RIP) != CODE + r->pc || get(&c, RCX) || get(&c, 11))
        fail_msg("%s, %u bits: reason %d, code %u, error %#x, pc %#llx", r->name, bits, e.reason,
                 e.code, e.error, (unsigned long long)e.pc);
    nw_engine_close(c.engine);
}

static void exits_all(void **state)
{
    (void)state;
    EACH_MODE(n)
    for (size_t r = 0; r < sizeof exits / sizeof *exits; r++)
        for (unsigned bits = 16; bits <= 64; bits *= 2)
            if (exits[r].in & bits / 16)
                exits_of(&exits[r], bits, modes[n]);
}

static void steps(void **state)
{
    (void)state;
    struct cpu c = cpu_open(64, 0);
    nw_exit e = RUN(&c, 0x68, 0, 3, 0, 0, 0x9d, 0x90); /* push 300; popf; nop */
    assert_int_equal(e.reason, NW_EXIT_EXCEPTION);
    assert_int_equal(e.code, 1);
    assert_int_equal(e.error, 0);
    assert_int_equal(e.pc, CODE + 7);
    nw_engine_close(c.engine);
}

/* ---- system instructions ---- */

static void ports(void **state)
{
    (void)state;
    struct cpu c = cpu_open(64, 0);
    set(&c, RAX, 0x1234);
    assert_int_equal(RUN(&c, 0xe4, 0x60, 0xe6, 0x60).reason, NW_EXIT_HALT); /* in, out */
    assert_int_equal(get(&c, RAX), 0x1200);
    nw_engine_close(c.engine);
}

static void model_registers(void **state)
{
    (void)state;
    struct cpu c = cpu_open(64, 0);
    uint64_t v = 1;
    /* mov ecx, 0xc0007780; rdmsr; wrmsr; mov ecx, EFER; rdmsr */
    nw_exit e = RUN(&c, 0xb9, 0x80, 0x77, 0, 0xc0, 0x0f, 0x32, 0x0f, 0x30, 0xb9, 0x80, 0, 0, 0xc0,
                    0x0f, 0x32);
    assert_int_equal(e.reason, NW_EXIT_HALT);
    assert_int_equal(get(&c, RAX), 0x500);
    assert_int_equal(nw_x86_msr_write(c.vcpu, 0xc0000082, 0xffff800000001234), NW_OK);
    assert_int_equal(nw_x86_msr_read(c.vcpu, 0xc0000082, &v), NW_OK);
    assert_true(v == 0xffff800000001234);
    assert_int_equal(nw_x86_msr_write(c.vcpu, 0xc0000080, 1ull << 40), NW_ERR_FAULT);
    assert_int_equal(nw_x86_msr_read(c.vcpu, 0x12345, &v), NW_OK);
    assert_int_equal(v, 0);
    assert_int_equal(nw_x86_msr_read(c.vcpu, 0x12345, NULL), NW_ERR_ARG);
    nw_engine_close(c.engine);
}

static void control_registers(void **state)
{
    (void)state;
    static const uint8_t read[] = {0x0f, 0x20, 0xc0},
                         write[] = {0x0f, 0x22, 0xc0, 0x0f, 0x20, 0xc0};
    for (unsigned bits = 16; bits <= 64; bits *= 2) {
        struct cpu c = cpu_open(bits, 0);
        assert_int_equal(run_at(&c, CODE, read, sizeof read).reason, NW_EXIT_HALT);
        assert_int_equal(get(&c, RAX), bits == 16 ? 0 : 0x11);
        set(&c, RAX, 0x13);
        if (bits != 16) /* there it would change the size of the stack's addresses only */
            assert_int_equal(run_at(&c, CODE, write, sizeof write).reason, NW_EXIT_HALT);
        assert_int_equal(get(&c, RAX), 0x13);
        nw_engine_close(c.engine);
    }
}

/* ---- memory ---- */

static void any_address(void **state)
{
    (void)state;
    static const uint64_t at[] = {0x800000000000, 0xffffffff80000000, 0x7000000000000000};
    EACH_MODE(n)
    {
        struct cpu c = cpu_open(64, modes[n]);
        for (size_t k = 0; k < 3; k++) {
            set(&c, RCX, at[k]);
            nw_exit e = RUN(&c, 0x48, 0x8b, 0x01); /* mov rax, [rcx] */
            assert_int_equal(e.reason, NW_EXIT_FAULT);
            assert_int_equal(e.fault, NW_FAULT_UNMAPPED);
            assert_true(e.addr == at[k]);
            e = RUN(&c, 0xff, 0xe1); /* jmp rcx */
            assert_int_equal(e.reason, NW_EXIT_FAULT);
            assert_int_equal(e.access, NW_ACCESS_FETCH);
            assert_true(e.pc == at[k]);
            assert_int_equal(nw_mem_map(c.engine, at[k], 0x1000, NW_RWX), NW_OK);
            put(&c, at[k], "\x90\xf4\x00\x00\x00\x00\x00\x00", 8);
            assert_int_equal(RUN(&c, 0x48, 0x8b, 0x01).reason, NW_EXIT_HALT);
            assert_int_equal(get(&c, RAX), 0xf490);
            assert_int_equal(RUN(&c, 0xff, 0xe1).reason, NW_EXIT_HALT);
            assert_true(get(&c, NW_X86_RIP) == at[k] + 2);
            set(&c, RSP, at[k] + 0x100);
            assert_int_equal(RUN(&c, 0x50, 0x59).reason, NW_EXIT_HALT); /* push rax; pop rcx */
            assert_int_equal(get(&c, RCX), 0xf490);
        }
        nw_engine_close(c.engine);
    }
}

/* ---- segments ---- */

static uint64_t descriptor(uint32_t base, uint32_t limit, unsigned type, unsigned flags)
{
    return (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 | (uint64_t)type << 40 |
           (uint64_t)(limit >> 16 & 15) << 48 | (uint64_t)flags << 52 |
           (uint64_t)(base >> 24) << 56;
}

static void load_table(const struct cpu *c, unsigned code_flags)
{
    const uint64_t table[] = {0,
                              descriptor(0, 0xfffff, 0x9b, code_flags),
                              descriptor(0, 0xfffff, 0x93, 0xc),
                              descriptor(0x20000, 0xff, 0x93, 0x4),
                              descriptor(0x20000, 0xff, 0x13, 0x4),
                              descriptor(0x10000, 0xfffff, 0x9b, 0xc)};
    put(c, TABLE, table, sizeof table);
    set(c, NW_X86_GDTR_BASE, TABLE);
    set(c, NW_X86_GDTR_LIMIT, sizeof table - 1);
}

static void segments(void **state)
{
    (void)state;
    EACH_MODE(n)
    {
        struct cpu c = cpu_open(32, modes[n]);
        assert_int_equal(nw_x86_segment_load(c.vcpu, DS, 0x18), NW_ERR_FAULT);
        load_table(&c, 0xc);
        assert_int_equal(nw_x86_segment_load(c.vcpu, FS, 0x18), NW_OK);
        assert_int_equal(nw_x86_segment_load(c.vcpu, GS, 0x20), NW_ERR_FAULT); /* not present */
        assert_int_equal(nw_x86_segment_load(c.vcpu, GS, 0x30), NW_ERR_FAULT);
        assert_int_equal(nw_x86_segment_load(c.vcpu, 6, 0x18), NW_ERR_ARG);
        assert_int_equal(get(&c, NW_X86_FS_BASE), 0x20000);
        assert_int_equal(get(&c, NW_X86_ES + GS), 0);
        put(&c, 0x20010, "\xfe\xca\0\0", 4);
        put(&c, 0x20810, "\xbe\xba\0\0", 4);
        /* mov eax, fs:[0x10]; mov ecx, fs:[0x810]; mov fs:[0x14], eax, beyond the limit too */
        assert_int_equal(RUN(&c, 0x64, 0xa1, 0x10, 0, 0, 0, 0x64, 0x8b, 0x0d, 0x10, 8, 0, 0, 0x64,
                             0xa3, 0x14, 0, 0, 0)
                             .reason,
                         NW_EXIT_HALT);
        assert_int_equal(get(&c, RAX), 0xcafe);
        assert_int_equal(get(&c, RCX), 0xbabe);
        /* push ds; pop es; mov eax, es:[0x20010]: a null segment */
        set(&c, RAX, 0);
        assert_int_equal(RUN(&c, 0x1e, 0x07, 0x26, 0xa1, 0x10, 0, 2, 0).reason, NW_EXIT_HALT);
        assert_int_equal(get(&c, RAX), 0xcafe);
        /* jmp 28:1800, code at 11800: mov eax, cs */
        put(&c, 0x11800, "\x8c\xc8\xf4", 3);
        nw_exit e = RUN(&c, 0xea, 0, 0x18, 0, 0, 0x28, 0);
        assert_int_equal(e.reason, NW_EXIT_HALT);
        assert_int_equal(e.pc, 0x11803);
        assert_int_equal(get(&c, NW_X86_RIP), 0x1803);
        assert_int_equal(get(&c, RAX), 0x28);
        nw_engine_close(c.engine);
    }
}

static void real_mode(void **state)
{
    (void)state;
    EACH_MODE(n)
    {
        struct cpu c = cpu_open(16, modes[n]);
        assert_int_equal(nw_x86_segment_load(c.vcpu, DS, 0x2000), NW_OK);
        assert_int_equal(nw_x86_segment_load(c.vcpu, CS, 0x100), NW_OK);
        assert_int_equal(get(&c, NW_X86_ES_BASE + DS), 0x20000);
        put(&c, 0x20010, "\xfe\xca", 2);
        nw_exit e = RUN(&c, 0x0e, 0x5b, 0xa1, 0x10, 0); /* push cs; pop bx; mov ax, [0x10] */
        assert_int_equal(e.reason, NW_EXIT_HALT);
        assert_int_equal(e.pc, CODE + 6);
        assert_int_equal(get(&c, NW_X86_RIP), 6);
        assert_int_equal(get(&c, RBX), 0x100);
        assert_int_equal(get(&c, RAX), 0xcafe);
        /* Code beyond the first 64 KiB runs on, a near jump goes to its offset. */
        assert_int_equal(nw_x86_segment_load(c.vcpu, CS, 0), NW_OK);
        assert_int_equal(RUN_AT(&c, 0x10fff, 0x90, 0x90).pc, 0x11002);
        put(&c, 0x1003, "\xf4", 1);
        assert_int_equal(RUN_AT(&c, 0x11000, 0xe8, 0, 0).pc, 0x1004);
        /* mov eax, [0x20010] with 32-bit addresses through a segment with base 0x20000 */
        assert_int_equal(nw_x86_segment_load(c.vcpu, DS, 0), NW_OK);
        assert_int_equal(RUN(&c, 0x67, 0x66, 0xa1, 0x10, 0, 2, 0).reason, NW_EXIT_HALT);
        assert_int_equal(get(&c, RAX), 0xcafe);
        nw_engine_close(c.engine);
    }
}

/* From real mode through the tables to protected mode, as boot code does. */
static void switches(void **state)
{
    (void)state;
    struct cpu c = cpu_open(16, 0);
    load_table(&c, 0xc);
    set(&c, RAX, 1);
    put(&c, 0x1800, "\xb8\x10\0\0\0\x8e\xd8\x8e\xd0\xf4", 10); /* mov eax, 10; mov ds, ss; hlt */
    /* mov cr0, eax; jmp dword 8:1800 */
    nw_exit e = RUN(&c, 0x0f, 0x22, 0xc0, 0x66, 0xea, 0, 0x18, 0, 0, 8, 0);
    assert_int_equal(e.reason, NW_EXIT_HALT);
    assert_int_equal(e.pc, 0x180a);
    assert_int_equal(get(&c, NW_X86_ES + SS), 0x10);
    nw_engine_close(c.engine);
}

/* To privilege level 3 and back by an exit: IRETQ with a frame of 64-bit code. */
static void leaves_ring0(void **state)
{
    (void)state;
    struct cpu c = cpu_open(64, 0);
    const uint64_t table[] = {0, descriptor(0, 0xfffff, 0xfb, 0xa),
                              descriptor(0, 0xfffff, 0xf3, 0xc)};
    const uint64_t frame[] = {0x2000, 0x0b, 0x202, 0x9000, 0x13};
    put(&c, TABLE, table, sizeof table);
    put(&c, STACK, frame, sizeof frame);
    put(&c, 0x2000, "\xf4", 1);
    set(&c, NW_X86_GDTR_BASE, TABLE);
    set(&c, NW_X86_GDTR_LIMIT, sizeof table - 1);
    nw_exit e = RUN(&c, 0x48, 0xcf);
    assert_int_equal(e.reason, NW_EXIT_EXCEPTION); /* hlt is privileged */
    assert_int_equal(e.code, 13);
    assert_int_equal(e.pc, 0x2000);
    assert_int_equal(get(&c, RSP), 0x9000);
    nw_engine_close(c.engine);
}

/* ---- floating point ---- */

static void floats(void **state)
{
    (void)state;
    EACH_MODE(n)
    {
        struct cpu c = cpu_open(64, modes[n]);
        /* xorps xmm0; mov eax, 1; cvtsi2ss xmm1, eax; divss xmm1, xmm0 */
        nw_exit e = RUN(&c, 0x0f, 0x57, 0xc0, 0xb8, 1, 0, 0, 0, 0xf3, 0x0f, 0x2a, 0xc8, 0xf3, 0x0f,
                        0x5e, 0xc8);
        assert_int_equal(e.reason, NW_EXIT_HALT);
        assert_int_equal((uint32_t)get(&c, NW_X86_YMM0 + 4), 0x7f800000);
        /* fld1; fldz; fdivp; fwait; fldpi; fdivp: nothing is unmasked, full precision */
        e = RUN(&c, 0xd9, 0xe8, 0xd9, 0xee, 0xde, 0xf9, 0x9b, 0xd9, 0xe8, 0xd9, 0xeb, 0xde, 0xf9,
                0xd9, 0xfa);
        assert_int_equal(e.reason, NW_EXIT_HALT);
        assert_true(get(&c, NW_X86_ST0) == 0x906eba8214db688d);
        assert_int_equal(get(&c, NW_X86_ST0_EXP), 0x3ffe);
        assert_int_equal(get(&c, NW_X86_ST0_EXP + 1), 0x7fff);
        assert_int_equal(get(&c, NW_X86_FPCW), 0);
        /* Asked for, they trap. */
        set(&c, NW_X86_CR0, 0x33);
        e = RUN(&c, 0xdb, 0xe3, 0xd9, 0x2c, 0x25, 0, 0x20, 0, 0, 0xd9, 0xe8, 0xd9, 0xee, 0xde, 0xf9,
                0x9b);
        assert_int_equal(e.reason, NW_EXIT_EXCEPTION);
        assert_int_equal(e.code, 16);
        assert_int_equal(e.pc, CODE + 15);
        set(&c, NW_X86_CR0 + 4, 0x50600);
        set(&c, NW_X86_MXCSR, 0);
        e = RUN(&c, 0xf3, 0x0f, 0x5e, 0xc8, 0x0f, 0x57, 0xc9, 0xf3, 0x0f, 0x5e, 0xc8);
        assert_int_equal(e.reason, NW_EXIT_EXCEPTION);
        assert_int_equal(e.code, 19);
        assert_int_equal(e.pc, CODE + 7);
        nw_engine_close(c.engine);
    }
}

static void has_avx(void **state)
{
    (void)state;
    struct cpu c = cpu_open(64, 0);
    /* vpcmpeqd ymm0, ymm0, ymm0; xor ecx, ecx; xgetbv */
    nw_exit e = RUN(&c, 0xc5, 0xfd, 0x76, 0xc0, 0x31, 0xc9, 0x0f, 0x01, 0xd0);
    assert_int_equal(e.reason, NW_EXIT_HALT);
    assert_true(get(&c, NW_X86_YMM0 + 3) == UINT64_MAX);
    assert_int_equal(get(&c, RAX), 7);
    nw_engine_close(c.engine);
}

/* ---- paging ---- */

enum {
    TABLES = 0x10000,
    CR0 = NW_X86_CR0,
    CR2 = CR0 + 2,
    CR3,
    CR4,
    PRESENT = 1,
    WRITABLE = 2,
    LARGE = 1 << 7
};

/* The first 2 MiB are where they are, the 4 KiB at 0x200000 are at DATA, read-only. */
static void make_tables(const struct cpu *c)
{
    const uint64_t pml4 = (TABLES + 0x1000) | PRESENT | WRITABLE;
    const uint64_t pdpt = (TABLES + 0x2000) | PRESENT | WRITABLE;
    const uint64_t pd[] = {PRESENT | WRITABLE | LARGE, (TABLES + 0x3000) | PRESENT | WRITABLE};
    const uint64_t pt = 0x20000 | PRESENT;

    put(c, TABLES, &pml4, 8);
    put(c, TABLES + 0x1000, &pdpt, 8);
    put(c, TABLES + 0x2000, pd, sizeof pd);
    put(c, TABLES + 0x3000, &pt, 8);
    put(c, 0x20008, "\xfe\xca\0\0\0\0\0\0", 8);
}

static void page_faults(const struct cpu *c)
{
    /* mov rcx, [rbx]; mov [rbx], rcx */
    set(c, RBX, 0x200008);
    nw_exit e = RUN(c, 0x48, 0x8b, 0x0b, 0x48, 0x89, 0x0b);
    assert_int_equal(get(c, RCX), 0xcafe);
    assert_int_equal(e.reason, NW_EXIT_HALT); /* without CR0.WP the supervisor may write */
    set(c, CR0, get(c, CR0) | 1 << 16);
    e = RUN(c, 0x48, 0x8b, 0x0b, 0x48, 0x89, 0x0b);
    assert_int_equal(e.reason, NW_EXIT_EXCEPTION);
    assert_int_equal(e.code, 14);
    assert_int_equal(e.error, 3);
    assert_int_equal(e.pc, CODE + 3);
    assert_int_equal(get(c, CR2), 0x200008);
    set(c, RBX, 0x201010);
    e = RUN(c, 0x90, 0x48, 0x8b, 0x0b);
    assert_int_equal(e.code, 14);
    assert_int_equal(e.error, 0);
    assert_int_equal(get(c, CR2), 0x201010);
    e = RUN(c, 0xff, 0xe3); /* jmp rbx */
    assert_int_equal(e.code, 14);
    assert_int_equal(e.pc, 0x201010);
    set(c, RBX, 0x800000000000); /* not canonical now */
    e = RUN(c, 0x48, 0x8b, 0x0b);
    assert_int_equal(e.code, 13);
    assert_int_equal(e.error, 0);
}

static void pages_by_the_guest(void **state)
{
    (void)state;
    EACH_MODE(n)
    {
        struct cpu c = cpu_open(64, modes[n]);
        make_tables(&c);
        set(&c, RBX, 0x200008);
        assert_int_equal(RUN(&c, 0x48, 0x8b, 0x0b).reason, NW_EXIT_FAULT);
        /* mov eax, TABLES; mov cr3, rax; mov rax, cr4; or eax, PAE; mov cr4, rax; mov rax, cr0;
         * or eax, PG; mov cr0, rax; mov rcx, [rbx] */
        nw_exit e = RUN(&c, 0xb8, 0, 0, 1, 0, 0x0f, 0x22, 0xd8, 0x0f, 0x20, 0xe0, 0x83, 0xc8, 0x20,
                        0x0f, 0x22, 0xe0, 0x0f, 0x20, 0xc0, 0x0d, 0, 0, 0, 0x80, 0x0f, 0x22, 0xc0,
                        0x48, 0x8b, 0x0b);
        assert_int_equal(e.reason, NW_EXIT_HALT);
        assert_int_equal(get(&c, RCX), 0xcafe);
        assert_int_equal(get(&c, NW_X86_EFER), 0x500);
        page_faults(&c);
        nw_engine_close(c.engine);
    }
}

static void pages_by_the_caller(void **state)
{
    (void)state;
    EACH_MODE(n)
    {
        struct cpu c = cpu_open(64, modes[n]);
        make_tables(&c);
        set(&c, CR3, TABLES);
        set(&c, CR4, get(&c, CR4) | 0x20);
        set(&c, CR0, get(&c, CR0) | 1u << 31);
        page_faults(&c);
        set(&c, CR0, 0x11); /* off again: the address is physical */
        set(&c, RBX, 0x20008);
        assert_int_equal(RUN(&c, 0x48, 0x8b, 0x0b).reason, NW_EXIT_HALT);
        assert_int_equal(get(&c, RCX), 0xcafe);
        nw_engine_close(c.engine);
    }
}

static void pages_of_32_bits(void **state)
{
    (void)state;
    EACH_MODE(n)
    {
        struct cpu c = cpu_open(32, modes[n]);
        const uint32_t pd = (TABLES + 0x1000) | PRESENT | WRITABLE;
        put(&c, TABLES, &pd, 4);
        for (uint32_t page = 0; page < 0x40; page++) {
            uint32_t pte = page << 12 | PRESENT | WRITABLE;
            put(&c, TABLES + 0x1000 + 4 * page, &pte, 4);
        }
        set(&c, RAX, TABLES);
        set(&c, RBX, 0x80000011);
        /* mov cr3, eax; mov cr0, ebx; mov ecx, [0x50000] */
        nw_exit e = RUN(&c, 0x0f, 0x22, 0xd8, 0x0f, 0x22, 0xc3, 0x8b, 0x0d, 0, 0, 5, 0);
        assert_int_equal(e.reason, NW_EXIT_EXCEPTION);
        assert_int_equal(e.code, 14);
        assert_int_equal(e.pc, CODE + 6);
        assert_int_equal(get(&c, CR2), 0x50000);
        nw_engine_close(c.engine);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts),
        cmocka_unit_test(chooses_mode),
        cmocka_unit_test(exits_all),
        cmocka_unit_test(steps),
        cmocka_unit_test(ports),
        cmocka_unit_test(model_registers),
        cmocka_unit_test(control_registers),
        cmocka_unit_test(any_address),
        cmocka_unit_test(segments),
        cmocka_unit_test(real_mode),
        cmocka_unit_test(switches),
        cmocka_unit_test(leaves_ring0),
        cmocka_unit_test(floats),
        cmocka_unit_test(has_avx),
        cmocka_unit_test(pages_by_the_guest),
        cmocka_unit_test(pages_by_the_caller),
        cmocka_unit_test(pages_of_32_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
