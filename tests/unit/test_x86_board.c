/* The x86 guest as boards and embedders meet it: interrupts, HLT, shutdown, ports, and what an
 * engine without a guest kernel makes of the system's instructions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include <narwhal/narwhal.h>
#include <narwhal/x86.h>

#define CODE     0x1000u
#define HANDLER  0x2000u
#define RAM_SIZE 0x10000u
#define VECTOR   0x20

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

static const uint32_t modes[] = {NW_ENGINE_INTERP, 0, NW_ENGINE_NO_CHAIN, NW_ENGINE_NO_FASTMEM};
#define EACH_MODE(n) for (size_t n = 0; n < sizeof modes / sizeof *modes; n++)

struct board {
    nw_engine *engine;
    nw_vcpu *vcpu;
    unsigned acks;
    int vector; /* what the next acknowledge gives */
};

static uint64_t get(struct board *b, unsigned reg)
{
    uint64_t v = 0;
    assert_int_equal(nw_reg_read(b->vcpu, reg, &v), NW_OK);
    return v;
}

static void set(struct board *b, unsigned reg, uint64_t v)
{
    assert_int_equal(nw_reg_write(b->vcpu, reg, v), NW_OK);
}

static void put(struct board *b, uint64_t at, const void *bytes, size_t size)
{
    assert_int_equal(nw_mem_write(b->engine, at, bytes, size), NW_OK);
}
#define PUT(b, at, ...)                                                                            \
    put(b, at, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static nw_exit run(struct board *b)
{
    nw_exit exit;
    assert_int_equal(nw_vcpu_run(b->vcpu, 100000, &exit), NW_OK);
    return exit;
}

static struct board board_open(nw_arch arch, nw_exceptions exceptions, uint32_t flags)
{
    struct board b = {.vector = VECTOR};
    nw_config config = {.arch = arch, .flags = flags, .exceptions = exceptions};

    assert_int_equal(nw_engine_open(&config, &b.engine), NW_OK);
    assert_int_equal(nw_mem_map(b.engine, 0, RAM_SIZE, NW_RWX), NW_OK);
    assert_int_equal(nw_vcpu_create(b.engine, &b.vcpu), NW_OK);
    return b;
}

/* Real mode at CODE, vector VECTOR and NMI at HANDLER. */
static struct board real_open(uint32_t flags)
{
    struct board b = board_open(NW_ARCH_X86_64, NW_EXC_GUEST, flags);
    const uint16_t vector[2] = {HANDLER, 0};

    put(&b, VECTOR * 4, vector, 4);
    put(&b, 2 * 4, vector, 4);
    set(&b, NW_X86_ES + 1, 0);
    set(&b, NW_X86_RIP, CODE);
    set(&b, RSP, 0x8000);
    set(&b, RDX, 0);
    return b;
}

static int ack(void *opaque)
{
    struct board *b = opaque;
    b->acks++;
    assert_int_equal(nw_vcpu_set_irq(b->vcpu, NW_X86_INTR, false), NW_OK);
    return b->vector;
}

static void interrupt(struct board *b)
{
    assert_int_equal(nw_vcpu_set_int_ack(b->vcpu, ack, b), NW_OK);
    assert_int_equal(nw_vcpu_set_irq(b->vcpu, NW_X86_INTR, true), NW_OK);
}

static void reset_state(void **state)
{
    (void)state;
    struct board b = board_open(NW_ARCH_X86_64, NW_EXC_GUEST, NW_ENGINE_INTERP);
    assert_int_equal(get(&b, NW_X86_RIP), 0xfff0);
    assert_int_equal(get(&b, NW_X86_ES + 1), 0xf000);
    assert_int_equal(get(&b, NW_X86_ES_BASE + 1), 0xffff0000);
    assert_int_equal(get(&b, NW_X86_RFLAGS), 2);
    assert_int_equal(get(&b, NW_X86_CR0), 0x60000010);
    assert_int_equal(get(&b, NW_X86_IDTR_LIMIT), 0xffff);
    assert_int_equal(get(&b, NW_X86_DR0 + 6), 0xffff0ff0);
    nw_engine_close(b.engine);
}

static void halt_and_wake(void **state)
{
    (void)state;
    EACH_MODE(n)
    {
        struct board b = real_open(modes[n]);
        PUT(&b, CODE, 0xfb, 0xf4, 0x41, 0xfa, 0xf4); /* sti; hlt; inc cx; cli; hlt */
        PUT(&b, HANDLER, 0x43, 0xcf);                /* inc bx; iret */
        nw_exit exit = run(&b);
        assert_int_equal(exit.reason, NW_EXIT_HALT);
        assert_int_equal(exit.pc, CODE + 2);
        exit = run(&b); /* still halted */
        assert_int_equal(exit.reason, NW_EXIT_HALT);
        assert_int_equal(exit.pc, CODE + 2);
        interrupt(&b);
        exit = run(&b);
        assert_int_equal(exit.reason, NW_EXIT_HALT);
        assert_int_equal(exit.code, 0);
        assert_int_equal(exit.pc, CODE + 5);
        assert_int_equal(b.acks, 1);
        assert_int_equal(get(&b, RBX), 1);
        assert_int_equal(get(&b, RCX), 1);
        interrupt(&b); /* IF is clear: it sleeps on */
        exit = run(&b);
        assert_int_equal(exit.reason, NW_EXIT_HALT);
        assert_int_equal(b.acks, 1);
        nw_engine_close(b.engine);
    }
}

/* An interrupt that is pending comes one instruction after STI, and not behind MOV SS. */
static void shadows(void **state)
{
    (void)state;
    EACH_MODE(n)
    {
        struct board b = real_open(modes[n]);
        /* sti; inc cx; inc dx; cli; hlt */
        PUT(&b, CODE, 0xfb, 0x41, 0x42, 0xfa, 0xf4);
        PUT(&b, HANDLER, 0x89, 0xce, 0x89, 0xd7, 0xcf); /* mov si, cx; mov di, dx; iret */
        interrupt(&b);
        assert_int_equal(run(&b).reason, NW_EXIT_HALT);
        assert_int_equal(get(&b, RSI), 1);
        assert_int_equal(get(&b, RDI), 0);
        assert_int_equal(get(&b, RDX), 1);
        /* sti; mov ss, ax; inc cx; inc dx; cli; hlt */
        PUT(&b, CODE + 0x100, 0xfb, 0x8e, 0xd0, 0x41, 0x42, 0xfa, 0xf4);
        set(&b, NW_X86_RIP, CODE + 0x100);
        interrupt(&b);
        assert_int_equal(run(&b).reason, NW_EXIT_HALT);
        assert_int_equal(get(&b, RSI), 2);
        assert_int_equal(get(&b, RDI), 1);
        nw_engine_close(b.engine);
    }
}

/* A loop without an exit of its own is interrupted. */
static void interrupts_a_loop(void **state)
{
    (void)state;
    EACH_MODE(n)
    {
        struct board b = real_open(modes[n]);
        PUT(&b, CODE, 0xfb, 0xeb, 0xfe);    /* sti; jmp $ */
        PUT(&b, HANDLER, 0x43, 0xf4, 0xcf); /* inc bx; hlt */
        interrupt(&b);
        assert_int_equal(run(&b).reason, NW_EXIT_HALT);
        assert_int_equal(get(&b, RBX), 1);
        nw_engine_close(b.engine);
    }
}

static void raise_nmi(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    struct board *b = opaque;
    (void)port, (void)value, (void)size;
    assert_int_equal(nw_vcpu_set_irq(b->vcpu, NW_X86_NMI, true), NW_OK);
}

static uint32_t read_nothing(void *opaque, uint16_t port, unsigned size)
{
    (void)opaque, (void)port, (void)size;
    return 0;
}

/* A second NMI waits for the first one's IRET. */
static void nmi_blocks(void **state)
{
    (void)state;
    EACH_MODE(n)
    {
        struct board b = real_open(modes[n]);
        assert_int_equal(nw_io_map(b.engine, 0x80, 1, read_nothing, raise_nmi, &b), NW_OK);
        PUT(&b, CODE, 0xe6, 0x80, 0x90, 0xeb, 0x00, 0xfa, 0xf4); /* out 80; nop; jmp; cli; hlt */
        /* inc bx; mov dx, cx; cmp bx, 1; jne 1f; out 80; jmp +0; nop; inc cx; 1: iret */
        PUT(&b, HANDLER, 0x43, 0x89, 0xca, 0x83, 0xfb, 0x01, 0x75, 0x06, 0xe6, 0x80, 0xeb, 0x00,
            0x90, 0x41, 0xcf);
        assert_int_equal(run(&b).reason, NW_EXIT_HALT);
        assert_int_equal(get(&b, RBX), 2);
        assert_int_equal(get(&b, RCX), 1);
        assert_int_equal(get(&b, RDX), 1); /* the second began when the first had ended */
        nw_engine_close(b.engine);
    }
}

static void raise_intr(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    struct board *b = opaque;
    (void)port, (void)value, (void)size;
    assert_int_equal(nw_vcpu_set_irq(b->vcpu, NW_X86_INTR, true), NW_OK);
}

/* What a device raises from its callback comes right behind the instruction, or the one behind STI.
 */
static void device_interrupts(void **state)
{
    (void)state;
    EACH_MODE(n)
    {
        struct board b = real_open(modes[n]);
        nw_exit exit;
        assert_int_equal(nw_io_map(b.engine, 0x80, 1, read_nothing, raise_intr, &b), NW_OK);
        assert_int_equal(nw_vcpu_set_int_ack(b.vcpu, ack, &b), NW_OK);
        /* sti; nop; out 80; inc cx; cli; out 80; inc cx; sti; inc cx; inc cx; cli; hlt */
        PUT(&b, CODE, 0xfb, 0x90, 0xe6, 0x80, 0x41, 0xfa, 0xe6, 0x80, 0x41, 0xfb, 0x41, 0x41, 0xfa,
            0xf4);
        /* add bx, bx; add bx, bx; add bx, cx; iret */
        PUT(&b, HANDLER, 0x01, 0xdb, 0x01, 0xdb, 0x01, 0xcb, 0xcf);
        assert_int_equal(run(&b).reason, NW_EXIT_HALT);
        assert_int_equal(b.acks, 2);
        assert_int_equal(get(&b, RCX), 4);
        assert_int_equal(get(&b, RBX), 3); /* first at 0, then at 3 */
        /* STI as the last instruction that a run may execute */
        PUT(&b, CODE + 0x100, 0xfb, 0x41, 0x41, 0xfa, 0xf4); /* sti; inc cx; inc cx; cli; hlt */
        set(&b, NW_X86_RIP, CODE + 0x100);
        set(&b, RBX, 0);
        assert_int_equal(nw_vcpu_run(b.vcpu, 1, &exit), NW_OK);
        assert_int_equal(exit.reason, NW_EXIT_LIMIT);
        interrupt(&b);
        assert_int_equal(run(&b).reason, NW_EXIT_HALT);
        assert_int_equal(get(&b, RBX), 5);
        nw_engine_close(b.engine);
    }
}

static void triple_fault(void **state)
{
    (void)state;
    EACH_MODE(n)
    {
        struct board b = real_open(modes[n]);
        PUT(&b, CODE, 0xcc);
        set(&b, NW_X86_IDTR_LIMIT, 0);
        for (unsigned times = 0; times < 2; times++) {
            nw_exit exit = run(&b);
            assert_int_equal(exit.reason, NW_EXIT_HALT);
            assert_int_equal(exit.code, 1);
            assert_int_equal(nw_vcpu_set_irq(b.vcpu, NW_X86_NMI, true), NW_OK);
        }
        nw_engine_close(b.engine);
    }
}

/* ---- ports ---- */

struct ports {
    uint32_t last_value, reads;
    uint16_t last_port;
    unsigned last_size;
};

static uint32_t port_read(void *opaque, uint16_t port, unsigned size)
{
    struct ports *p = opaque;
    p->last_port = port;
    p->last_size = size;
    return 0x11223344u + p->reads++;
}

static void port_write(void *opaque, uint16_t port, uint32_t value, unsigned size)
{
    struct ports *p = opaque;
    p->last_port = port;
    p->last_size = size;
    p->last_value = value;
}

static void maps_ports(void **state)
{
    (void)state;
    struct board b = real_open(NW_ENGINE_INTERP);
    struct ports p = {0};
    assert_int_equal(nw_io_map(b.engine, 0x100, 4, port_read, port_write, &p), NW_OK);
    assert_int_equal(nw_io_map(b.engine, 0x103, 1, port_read, port_write, &p), NW_ERR_OVERLAP);
    assert_int_equal(nw_io_map(b.engine, 0xfffe, 3, port_read, port_write, &p), NW_ERR_RANGE);
    assert_int_equal(nw_io_map(b.engine, 0x200, 0, port_read, port_write, &p), NW_ERR_ARG);
    assert_int_equal(nw_io_map(b.engine, 0x200, 1, NULL, port_write, &p), NW_ERR_ARG);
    assert_int_equal(nw_io_map(b.engine, 0xffff, 1, port_read, port_write, &p), NW_OK);
    nw_engine_close(b.engine);
}

static void in_and_out(void **state)
{
    (void)state;
    EACH_MODE(n)
    {
        struct board b = real_open(modes[n]);
        struct ports p = {0};
        assert_int_equal(nw_io_map(b.engine, 0x100, 4, port_read, port_write, &p), NW_OK);
        set(&b, RDX, 0x100);
        PUT(&b, CODE, 0x66, 0xed, 0xf4); /* in eax, dx; hlt */
        run(&b);
        assert_int_equal(get(&b, RAX), 0x11223344);
        assert_int_equal(p.last_size, 4);
        set(&b, RDX, 0x102); /* leaves the range: byte by byte, then all ones */
        set(&b, NW_X86_RIP, CODE);
        run(&b);
        assert_int_equal(get(&b, RAX), 0xffff4645);
        assert_int_equal(p.last_size, 1);
        PUT(&b, CODE, 0xef, 0xf4); /* out dx, ax */
        set(&b, RDX, 0x100);
        set(&b, NW_X86_RIP, CODE);
        run(&b);
        assert_int_equal(p.last_value, 0x4645);
        assert_int_equal(p.last_size, 2);
        PUT(&b, CODE, 0xf3, 0x6c, 0xf3, 0x6e, 0xf4); /* rep insb; rep outsb; hlt */
        set(&b, NW_X86_RIP, CODE);
        set(&b, RCX, 200);
        set(&b, RDI, 0x3000);
        set(&b, RSI, 0x3000);
        p.reads = 0;
        run(&b);
        assert_int_equal(p.reads, 200);
        assert_int_equal(get(&b, RDI), 0x30c8);
        assert_int_equal(get(&b, RSI), 0x3000); /* nothing is left for OUTS */
        assert_int_equal(get(&b, RCX), 0);
        uint8_t bytes[200];
        assert_int_equal(nw_mem_read(b.engine, 0x3000, bytes, sizeof bytes), NW_OK);
        assert_int_equal(bytes[0], 0x44);
        assert_int_equal(bytes[199], (0x44 + 199) & 0xff);
        nw_engine_close(b.engine);
    }
}

/* INS over the code that runs. */
static void ins_into_code(void **state)
{
    (void)state;
    EACH_MODE(n)
    {
        struct board b = real_open(modes[n]);
        struct ports p = {0};
        assert_int_equal(nw_io_map(b.engine, 0x100, 4, port_read, port_write, &p), NW_OK);
        PUT(&b, CODE, 0xf3, 0x6c, 0x90, 0xf4); /* rep insb; nop, which becomes inc sp; hlt */
        set(&b, RDX, 0x100);
        set(&b, RCX, 1);
        set(&b, RDI, CODE + 2);
        assert_int_equal(run(&b).reason, NW_EXIT_HALT);
        assert_int_equal(p.reads, 1);
        assert_int_equal(get(&b, RSP), 0x8001);
        nw_engine_close(b.engine);
    }
}

/* ---- engines that hand exceptions out ---- */

static void expect_exception(struct board *b, unsigned vector, unsigned error, uint64_t pc)
{
    nw_exit exit = run(b);
    assert_int_equal(exit.reason, NW_EXIT_EXCEPTION);
    assert_int_equal(exit.code, vector);
    assert_int_equal(exit.error, error);
    assert_int_equal(exit.pc, pc);
}

static void program_without_kernel(void **state)
{
    (void)state;
    EACH_MODE(n)
    {
        struct board b = board_open(NW_ARCH_X86_64, NW_EXC_EXIT, modes[n]);
        struct ports p = {0};
        set(&b, RSP, 0x8000);
        set(&b, RDX, 0x100);
        set(&b, NW_X86_RIP, CODE);
        PUT(&b, CODE, 0xec, 0xcc); /* in al, dx; int3 */
        expect_exception(&b, 13, 0, CODE);
        assert_int_equal(nw_io_map(b.engine, 0x100, 4, port_read, port_write, &p), NW_OK);
        expect_exception(&b, 3, 0, CODE + 2);
        assert_int_equal(get(&b, RAX), 0x44);
        set(&b, NW_X86_RIP, CODE);
        set(&b, NW_X86_RFLAGS, 0x302); /* a single step */
        expect_exception(&b, 1, 0, CODE + 1);
        set(&b, NW_X86_RFLAGS, 0x202);
        set(&b, NW_X86_RIP, CODE);
        PUT(&b, CODE, 0xfa); /* cli */
        expect_exception(&b, 13, 0, CODE);
        PUT(&b, CODE, 0xf4); /* hlt */
        expect_exception(&b, 13, 0, CODE);
        PUT(&b, CODE, 0xcd, 0x21); /* int 21 */
        expect_exception(&b, 13, 0x21 * 8 + 2, CODE);
        /* mov ds, ax of null, its own, another; pushed and popped FS; int3 */
        PUT(&b, CODE, 0x31, 0xc0, 0x8e, 0xd8, 0xb0, 0x2b, 0x8e, 0xd8, 0xb0, 0x2f, 0x8e, 0xd8);
        expect_exception(&b, 13, 0x2c, CODE + 10);
        nw_engine_close(b.engine);
    }
}

/* Real mode with the caller in the place of firmware. */
static void real_mode_without_kernel(void **state)
{
    (void)state;
    EACH_MODE(n)
    {
        struct board b = board_open(NW_ARCH_X86, NW_EXC_EXIT, modes[n]);
        set(&b, NW_X86_CR0, 0x10);
        set(&b, NW_X86_ES_ATTR + 1, 0x9b);
        set(&b, NW_X86_ES_ATTR + 2, 0x93);
        set(&b, NW_X86_ES + 1, CODE / 16);
        set(&b, NW_X86_ES + 3, 0x100);
        set(&b, NW_X86_RIP, 0);
        PUT(&b, CODE, 0x8b, 0x1e, 0x00, 0x00, 0xcd, 0x21); /* mov bx, [0]; int 21 */
        expect_exception(&b, 0x21, 0, CODE + 6);
        assert_int_equal(get(&b, NW_X86_RIP), 6);
        assert_int_equal(get(&b, RBX), 0x1e8b); /* DS is CS */
        nw_engine_close(b.engine);
    }
}

/* From 64-bit code to 32-bit code and back, through the segments that programs have. */
static void changes_code_size(void **state)
{
    (void)state;
    EACH_MODE(n)
    {
        struct board b = board_open(NW_ARCH_X86_64, NW_EXC_EXIT, modes[n]);
        /* push 23; push HANDLER; retfq */
        PUT(&b, CODE, 0x6a, 0x23, 0x68, 0x00, 0x20, 0x00, 0x00, 0x48, 0xcb);
        /* inc eax (a prefix in 64-bit code); jmp 33:HANDLER + 100 */
        PUT(&b, HANDLER, 0x40, 0xea, 0x00, 0x21, 0x00, 0x00, 0x33, 0x00);
        PUT(&b, HANDLER + 0x100, 0x48, 0xff, 0xc8, 0x48, 0xff, 0xc8, 0xcc); /* dec rax; dec rax */
        set(&b, RSP, 0x8000);
        set(&b, NW_X86_RIP, CODE);
        expect_exception(&b, 3, 0, HANDLER + 0x107);
        assert_true(get(&b, RAX) == UINT64_MAX);
        assert_int_equal(get(&b, NW_X86_ES + 1), 0x33);
        nw_engine_close(b.engine);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reset_state),
        cmocka_unit_test(halt_and_wake),
        cmocka_unit_test(shadows),
        cmocka_unit_test(interrupts_a_loop),
        cmocka_unit_test(nmi_blocks),
        cmocka_unit_test(device_interrupts),
        cmocka_unit_test(triple_fault),
        cmocka_unit_test(maps_ports),
        cmocka_unit_test(in_and_out),
        cmocka_unit_test(ins_into_code),
        cmocka_unit_test(program_without_kernel),
        cmocka_unit_test(changes_code_size),
        cmocka_unit_test(real_mode_without_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
