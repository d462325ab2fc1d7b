/* Guest code under paging, in every engine mode: address spaces, self-modifying code by aliases,
 * flushes, pages crossed, faults and what they leave behind. The code is the same bytes in 32-bit
 * and in 64-bit mode. */
#include <narwhal/snapshot.h>
#include <pthread.h>
#include <string.h>

#include "guest/x86/system.h"
#include "x86_paging.h"

static const struct environment environments[] = {
    {NW_ARCH_X86, PAGING_32, NW_ENGINE_INTERP},
    {NW_ARCH_X86, PAGING_32, 0},
    {NW_ARCH_X86, PAGING_32, NW_ENGINE_NO_CHAIN},
    {NW_ARCH_X86, PAGING_PAE, 0},
    {NW_ARCH_X86_64, PAGING_32, 0},
    {NW_ARCH_X86_64, PAGING_PAE, 0},
    {NW_ARCH_X86_64, PAGING_4, NW_ENGINE_INTERP},
    {NW_ARCH_X86_64, PAGING_4, 0},
    {NW_ARCH_X86_64, PAGING_4, NW_ENGINE_NO_CHAIN},
    {NW_ARCH_X86_64, PAGING_4, NW_ENGINE_NO_FASTMEM},
};

static void each(void (*test)(struct machine *))
{
    for (size_t n = 0; n < sizeof environments / sizeof *environments; n++) {
        struct machine *m = machine_new(&environments[n]);
        test(m);
        machine_free(m);
    }
}

#define TEST(name)                                                                                 \
    static void name(void **state)                                                                 \
    {                                                                                              \
        (void)state;                                                                               \
        each(name##_on);                                                                           \
    }

#define CODE(m, gpa, bytes) put_code(m, gpa, bytes, sizeof(bytes) - 1)

/* A 32-bit displacement from the end of the instruction at AT + SIZE to TO. */
static void put_rel(struct machine *m, uint64_t at, uint64_t to)
{
    uint32_t rel = (uint32_t)(to - (at + 4));
    put_code(m, at, &rel, 4);
}

static uint64_t reg(const struct machine *m, unsigned n)
{
    return (uint32_t)m->s->gpr[n];
}

enum { FAR = 0x40400000, ALIAS = 0x40500000, DATA = 0x40600000, LARGE = 0x40800000 };

static unsigned large_log(const struct machine *m)
{
    return m->paging == PAGING_32 ? 22 : 21;
}

/* With execution allowed only if the entry is not marked, what an instruction fetch adds. */
static uint32_t fetch_bit(const struct machine *m)
{
    return m->paging == PAGING_32 ? 0 : PF_I;
}

/* ---- address spaces ---- */

/* The same code address in two spaces, called directly and by a register, with a jump inside. */
static void two_spaces_on(struct machine *m)
{
    uint64_t other = space_new(m);

    map_page(m, m->root, FAR, 0x400000, 0, 12);
    map_page(m, other, FAR, 0x401000, 0, 12);
    CODE(m, 0x400000, "\xeb\x0e");                 /* jmp +14 */
    CODE(m, 0x400010, "\xb8\x01\x00\x00\x00\xc3"); /* mov eax, 1; ret */
    CODE(m, 0x401000, "\xeb\x0e");
    CODE(m, 0x401010, "\xb8\x00\x01\x00\x00\xc3"); /* mov eax, 0x100; ret */
    CODE(m, KERNEL,
         "\x89\xf8\x0f\x22\xd8"                 /* mov eax, edi; mov cr3, eax */
         "\xe8\0\0\0\0\x01\xc2\xff\xd5\x01\xc2" /* call FAR; add edx, eax; call ebp; … */
         "\x89\xf0\x0f\x22\xd8"                 /* mov eax, esi; mov cr3, eax */
         "\xe8\0\0\0\0\x01\xc2\xff\xd5\x01\xc2"
         "\x83\xe9\x01\x75\xdb\xf4"); /* sub ecx, 1; jnz; hlt */
    put_rel(m, KERNEL + 6, FAR);
    put_rel(m, KERNEL + 22, FAR);
    m->s->gpr[X86_RDI] = m->root;
    m->s->gpr[X86_RSI] = other;
    m->s->gpr[X86_RBP] = FAR;
    m->s->gpr[X86_RCX] = 100;
    m->s->gpr[X86_RDX] = 0;
    assert_int_equal(run(m, m->root, KERNEL, 0), KERNEL + 0x25);
    assert_int_equal(reg(m, X86_RDX), 100 * 0x202);
}
TEST(two_spaces)

/* Conditional and unconditional jumps between pages while the spaces change. */
static void branches_on(struct machine *m)
{
    uint64_t other = space_new(m);

    map_page(m, m->root, FAR, 0x400000, 0, 12);
    map_page(m, other, FAR, 0x401000, 0, 12);
    CODE(m, KERNEL,
         "\x87\xf7\x89\xf8\x0f\x22\xd8"                        /* xchg esi, edi; mov cr3, edi */
         "\x85\xc9\x0f\x85\0\0\0\0\xf4");                      /* test ecx, ecx; jnz FAR; hlt */
    CODE(m, 0x400000, "\x83\xc2\x01\x83\xe9\x01\xe9\0\0\0\0"); /* add edx, 1; sub ecx, 1; jmp */
    CODE(m, 0x401000, "\x83\xc2\x10\x83\xe9\x01\xe9\0\0\0\0");
    put_rel(m, KERNEL + 11, FAR);
    uint32_t back = KERNEL - (FAR + 11);
    put_code(m, 0x400007, &back, 4);
    put_code(m, 0x401007, &back, 4);
    m->s->gpr[X86_RSI] = m->root;
    m->s->gpr[X86_RDI] = other;
    m->s->gpr[X86_RCX] = 100;
    m->s->gpr[X86_RDX] = 0;
    run(m, m->root, KERNEL, 0);
    assert_int_equal(reg(m, X86_RDX), 50 * 0x11);
}
TEST(branches)

/* Jumps between pages need no dispatcher once they are known. */
static void known_jumps_on(struct machine *m)
{
    nw_stats before, after;

    map_page(m, m->root, FAR, 0x400000, 0, 12);
    CODE(m, 0x400000, "\x83\xc2\x01\xc3");                   /* add edx, 1; ret */
    CODE(m, KERNEL, "\xe8\0\0\0\0\x83\xe9\x01\x75\xf6\xf4"); /* call FAR; sub ecx, 1; jnz; hlt */
    put_rel(m, KERNEL + 1, FAR);
    m->s->gpr[X86_RCX] = 10000;
    m->s->gpr[X86_RDX] = 0;
    nw_engine_stats(m->engine, &before);
    run(m, m->root, KERNEL, 0);
    nw_engine_stats(m->engine, &after);
    assert_int_equal(reg(m, X86_RDX), 10000);
    if (!(m->flags & (NW_ENGINE_INTERP | NW_ENGINE_NO_CHAIN)))
        assert_true(after.dispatches - before.dispatches < 100);
}
TEST(known_jumps)

/* ---- several vCPUs ---- */

struct other {
    struct machine *m;
    nw_vcpu *vcpu;
    nw_exit exit;
};

static void *run_other(void *opaque)
{
    struct other *o = opaque;
    nw_vcpu_run(o->vcpu, 0, &o->exit);
    return NULL;
}

/* They share blocks of the kernel's page, call what is a page of their own each, and count in one
 * place that each has at the same address of another space. */
static void several_on(struct machine *m)
{
    enum { VCPUS = 3, ROUNDS = 2000 };
    struct other others[VCPUS];
    pthread_t threads[VCPUS];
    uint32_t sum, want = 0;

    CODE(m, KERNEL,
         "\xe8\0\0\0\0\xf0\x01\x03"   /* call FAR; lock add [rbx], eax */
         "\x0f\x20\xd8\x0f\x22\xd8"   /* mov eax, cr3; mov cr3, eax */
         "\x83\xe9\x01\x75\xed\xf4"); /* sub ecx, 1; jnz; hlt */
    put_rel(m, KERNEL + 1, FAR);
    for (unsigned n = 0; n < VCPUS; n++) {
        uint64_t root = space_new(m), stack = STACK + 0x200 * (n + 1), code = 0x400000 + n * 0x1000;
        uint8_t imm = (uint8_t)(1 << n);

        map_page(m, root, FAR, code, 0, 12);
        map_page(m, root, DATA, 0x408000, PTE_W, 12);
        CODE(m, code, "\xb8\0\0\0\0\xc3"); /* mov eax, imm; ret */
        put_code(m, code + 1, &imm, 1);
        others[n] = (struct other){.m = m};
        assert_int_equal(nw_vcpu_create(m->engine, &others[n].vcpu), NW_OK);
        vcpu_start(m, others[n].vcpu, root, KERNEL, 0);
        struct x86_state *s = x86_of(others[n].vcpu);
        s->gpr[X86_RSP] = stack;
        s->gpr[X86_RBX] = DATA + 8;
        s->gpr[X86_RCX] = ROUNDS;
        want += ROUNDS * imm;
    }
    for (unsigned n = 0; n < VCPUS; n++)
        pthread_create(&threads[n], NULL, run_other, &others[n]);
    for (unsigned n = 0; n < VCPUS; n++) {
        pthread_join(threads[n], NULL);
        assert_int_equal(others[n].exit.reason, NW_EXIT_HALT);
        assert_int_equal(others[n].exit.pc, KERNEL + 0x14);
    }
    memcpy(&sum, m->ram + 0x408008, 4);
    assert_int_equal(sum, want);
}
TEST(several)

/* ---- self-modifying code ---- */

/* A function at two addresses is changed through a third one. */
static void alias_on(struct machine *m)
{
    map_page(m, m->root, FAR, 0x400000, 0, 12);
    map_page(m, m->root, FAR + 0x1000, 0x400000, 0, 12);
    map_page(m, m->root, ALIAS, 0x400000, PTE_W, 12);
    CODE(m, 0x400000, "\xb8\x07\x00\x00\x00\xc3"); /* mov eax, 7; ret */
    CODE(m, KERNEL,
         "\xe8\0\0\0\0\x01\xc2\xff\xd5\x01\xc2" /* call FAR; add edx, eax; call ebp; … */
         "\x89\x0b"                             /* mov [rbx], ecx */
         "\x83\xe9\x01\x75\xee\xf4");           /* sub ecx, 1; jnz; hlt */
    put_rel(m, KERNEL + 1, FAR);
    m->s->gpr[X86_RBP] = FAR + 0x1000;
    m->s->gpr[X86_RBX] = ALIAS + 1;
    m->s->gpr[X86_RCX] = 50;
    m->s->gpr[X86_RDX] = 0;
    run(m, m->root, KERNEL, 0);
    assert_int_equal(reg(m, X86_RDX), 2 * (7 + 51 * 50 / 2 - 1));
}
TEST(alias)

/* The store hits the block that it is part of. */
static void alias_of_self_on(struct machine *m)
{
    map_page(m, m->root, FAR, 0x400000, 0, 12);
    map_page(m, m->root, ALIAS, 0x400000, PTE_W, 12);
    CODE(m, 0x400000,
         "\x89\x0b\xb8\x07\x00\x00\x00\x01\xc2" /* mov [rbx], ecx; mov eax, 7; add */
         "\x83\xe9\x01\x75\xf2\xf4");           /* sub ecx, 1; jnz; hlt */
    m->s->gpr[X86_RBX] = ALIAS + 3;
    m->s->gpr[X86_RCX] = 20;
    m->s->gpr[X86_RDX] = 0;
    run(m, m->root, FAR, 0);
    assert_int_equal(reg(m, X86_RDX), 21 * 20 / 2);
}
TEST(alias_of_self)

/* Data in the page of code that runs, written through another address. */
static void data_beside_code_on(struct machine *m)
{
    map_page(m, m->root, FAR, 0x400000, 0, 12);
    map_page(m, m->root, ALIAS, 0x400000, PTE_W, 12);
    CODE(m, 0x400000, "\x01\x0b\x83\xe9\x01\x75\xf9\xf4"); /* add [rbx], ecx; sub ecx, 1; jnz */
    m->s->gpr[X86_RBX] = ALIAS + 0x800;
    m->s->gpr[X86_RCX] = 20;
    run(m, m->root, FAR, 0);
    assert_memory_equal(m->ram + 0x400800, "\xd2\0\0\0", 4);
}
TEST(data_beside_code)

/* ---- INVLPG ---- */

/* A page's frame is changed between calls; the entry is mapped at DATA. */
static void invlpg_on(struct machine *m)
{
    uint64_t at = map_page(m, m->root, FAR, 0x400000, 0, 12);

    map_page(m, m->root, DATA, at & ~0xfffull, PTE_W, 12);
    CODE(m, 0x400000, "\xb8\x01\x00\x00\x00\xc3");
    CODE(m, 0x401000, "\xb8\x00\x01\x00\x00\xc3");
    CODE(m, KERNEL,
         "\xe8\0\0\0\0\x01\xc2\xff\xd5\x01\xc2" /* call FAR; add edx, eax; call ebp; … */
         "\x03\x55\x01"                         /* add edx, [ebp+1] */
         "\x81\x33\x00\x10\x00\x00"             /* xor dword [rbx], 0x1000 */
         "\x0f\x01\x7d\x05"                     /* invlpg [rbp + 5] */
         "\x83\xe9\x01\x75\xe3\xf4");           /* sub ecx, 1; jnz; hlt */
    put_rel(m, KERNEL + 1, FAR);
    m->s->gpr[X86_RBP] = FAR;
    m->s->gpr[X86_RBX] = DATA | (at & 0xfff);
    m->s->gpr[X86_RCX] = 100;
    m->s->gpr[X86_RDX] = 0;
    run(m, m->root, KERNEL, 0);
    assert_int_equal(reg(m, X86_RDX), 50 * 0x303);
}
TEST(invlpg)

/* A global page stays through a write to CR3; with CR4.PGE off, or by INVLPG, it goes. */
static void global_on(struct machine *m)
{
    enum { PTE_G = 0x100, NEW = 0x401000 };
    static const char *const middle[] = {
        "\x0f\x20\xd8\x0f\x22\xd8\x90\x90\x90\x90\x90\x90\x90\x90\x90", /* cr3 = cr3 */
        "\x0f\x01\x3e\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90", /* invlpg [rsi] */
        "\x0f\x20\xe0\x34\x80\x0f\x22\xe0\x34\x80\x0f\x22\xe0\x90\x90", /* PGE off and on */
    };
    uint64_t at = map_page(m, m->root, FAR, 0x400000, PTE_G, 12);

    map_page(m, m->root, DATA, at & ~0xfffull, PTE_W, 12);
    CODE(m, 0x400000, "\xb8\x01\x00\x00\x00\xc3");
    CODE(m, NEW, "\xb8\x00\x01\x00\x00\xc3");
    for (unsigned pge = 0; pge < 2; pge++)
        for (unsigned n = 0; n < 3; n++) {
            bool stays = pge && n == 0;
            m->s->cr4 = (m->s->cr4 & ~(uint64_t)X86_CR4_PGE) | (pge ? X86_CR4_PGE : 0);
            entry_write(m, at, 0x400000 | PTE_P | PTE_G);
            CODE(m, KERNEL,
                 "\xe8\0\0\0\0\x01\xc2\x8b\x2e\x89\x3b"); /* call FAR; add edx, eax; mov
                                                           * ebp, [rsi]; mov [rbx], edi */
            put_code(m, KERNEL + 11, middle[n], 15);
            CODE(m, KERNEL + 26, "\xe8\0\0\0\0\x01\xc2\x03\x16\xf4"); /* …; add edx, [rsi]; hlt */
            put_rel(m, KERNEL + 1, FAR);
            put_rel(m, KERNEL + 27, FAR);
            m->s->gpr[X86_RSI] = FAR;
            m->s->gpr[X86_RDI] = NEW | PTE_P | PTE_G;
            m->s->gpr[X86_RBX] = DATA | (at & 0xfff);
            m->s->gpr[X86_RDX] = 0;
            assert_int_equal(run(m, m->root, KERNEL, 0), KERNEL + 35);
            assert_int_equal(reg(m, X86_RDX), stays ? 0x002 + 0x1b8 : 0x101 + 0x100b8);
        }
}
TEST(global)

/* One INVLPG for all of a large page: code and data of several pages in it. */
static void invlpg_large_on(struct machine *m)
{
    uint64_t size = 1ull << large_log(m), first = 0x800000, second = first + size;
    uint64_t at = map_page(m, m->root, LARGE, first, PTE_W, large_log(m));

    map_page(m, m->root, DATA, at & ~0xfffull, PTE_W, 12);
    for (unsigned n = 0; n < 2; n++) {
        uint64_t base = n ? second : first;
        uint8_t one = n ? 0x10 : 1;
        CODE(m, base + 0x10, "\xb8\0\0\0\0\xc3");
        CODE(m, base + 0x3010, "\xb8\0\0\0\0\xc3");
        put_code(m, base + 0x11, &one, 1);
        put_code(m, base + 0x3011, &one, 1);
        put_code(m, base + 0x5000, &one, 1);
    }
    CODE(m, KERNEL,
         "\xe8\0\0\0\0\x01\xc2\xff\xd5\x01\xc2" /* call +10; add; call ebp (+3010); add */
         "\x03\x16"                             /* add edx, [rsi] (+5000) */
         "\x31\x3b"                             /* xor [rbx], edi */
         "\x0f\x01\x7d\x00"                     /* invlpg [rbp] */
         "\x83\xe9\x01\x75\xe8\xf4");           /* sub ecx, 1; jnz; hlt */
    put_rel(m, KERNEL + 1, LARGE + 0x10);
    m->s->gpr[X86_RBP] = LARGE + 0x3010;
    m->s->gpr[X86_RSI] = LARGE + 0x5000;
    m->s->gpr[X86_RDI] = first ^ second;
    m->s->gpr[X86_RBX] = DATA | (at & 0xfff);
    m->s->gpr[X86_RCX] = 100;
    m->s->gpr[X86_RDX] = 0;
    run(m, m->root, KERNEL, 0);
    assert_int_equal(reg(m, X86_RDX), 50 * 3 * 0x11);
}
TEST(invlpg_large)

/* ---- instructions on two pages ---- */

static void crossing_code_on(struct machine *m)
{
    uint64_t at;

    map_page(m, m->root, FAR, 0x400000, 0, 12);
    at = map_page(m, m->root, FAR + 0x1000, 0x402000, 0, 12);
    CODE(m, 0x400ff0, "\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\xb8\x01\x02");
    CODE(m, 0x402000, "\x03\x04\xf4"); /* mov eax, 0x04030201; hlt */
    CODE(m, 0x403000, "\x13\x14\x90\xf4");
    assert_int_equal(run(m, m->root, FAR + 0xff0, 0), FAR + 0x1002);
    assert_int_equal(reg(m, X86_RAX), 0x04030201);
    entry_write(m, at, 0x403000 | PTE_P);
    assert_int_equal(run(m, m->root, FAR + 0xff0, 0), FAR + 0x1003);
    assert_int_equal(reg(m, X86_RAX), 0x14130201);
    entry_write(m, at, 0);
    m->s->gpr[X86_RAX] = 5;
    assert_int_equal(run(m, m->root, FAR + 0xff0, 0), HANDLER);
    assert_int_equal(m->s->cr2, FAR + 0x1000);
    assert_int_equal(fault_pc(m), FAR + 0xffd);
    assert_int_equal(fault_code(m), fetch_bit(m));
    assert_int_equal(reg(m, X86_RAX), 5);
    entry_write(m, at, 0x402000 | PTE_P);
    assert_int_equal(run(m, m->root, FAR + 0xff0, 0), FAR + 0x1002);
    assert_int_equal(reg(m, X86_RAX), 0x04030201);
    /* The second half is changed by the code before it. */
    map_page(m, m->root, ALIAS, 0x402000, PTE_W, 12);
    CODE(m, 0x400ff0, "\x89\x0b\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\xb8\x01\x02");
    m->s->gpr[X86_RBX] = ALIAS;
    m->s->gpr[X86_RCX] = 0xf4f42423;
    assert_int_equal(run(m, m->root, FAR + 0xff0, 0), FAR + 0x1002);
    assert_int_equal(reg(m, X86_RAX), 0x24230201);
}
TEST(crossing_code)

/* Both pages of the block are the same one. */
static void crossing_into_itself_on(struct machine *m)
{
    map_page(m, m->root, FAR, 0x400000, PTE_W, 12);
    map_page(m, m->root, FAR + 0x1000, 0x400000, 0, 12);
    CODE(m, 0x400ffd, "\xb8\x01\x02");
    CODE(m, 0x400000, "\x03\x04\xf4");
    assert_int_equal(run(m, m->root, FAR + 0xffd, 0), FAR + 0x1002);
    assert_int_equal(reg(m, X86_RAX), 0x04030201);
    CODE(m, 0x400000, "\x05\x06\xf4");
    assert_int_equal(run(m, m->root, FAR + 0xffd, 0), FAR + 0x1002);
    assert_int_equal(reg(m, X86_RAX), 0x06050201);
    CODE(m, 0x400ffe, "\x11");
    assert_int_equal(run(m, m->root, FAR + 0xffd, 0), FAR + 0x1002);
    assert_int_equal(reg(m, X86_RAX), 0x06050211);
}
TEST(crossing_into_itself)

/* ---- data on two pages ---- */

static void crossing_data_on(struct machine *m)
{
    uint64_t first = map_page(m, m->root, DATA, 0x400000, PTE_W | PTE_U, 12);
    uint64_t second = map_page(m, m->root, DATA + 0x1000, 0x402000, PTE_W | PTE_U, 12);

    memset(m->ram + 0x400000, 0x55, 0x3000);
    CODE(m, KERNEL, "\x89\x03\x8b\x13\xf4"); /* mov [rbx], eax; mov edx, [rbx]; hlt */
    m->s->gpr[X86_RBX] = DATA + 0xffe;
    m->s->gpr[X86_RAX] = 0x04030201;
    run(m, m->root, KERNEL, 0);
    assert_int_equal(reg(m, X86_RDX), 0x04030201);
    assert_memory_equal(m->ram + 0x400ffd, "\x55\x01\x02\x55", 4);
    assert_memory_equal(m->ram + 0x401fff, "\x55\x03\x04\x55", 4);
    assert_int_equal(entry_read(m, first) & (PTE_A | PTE_D), PTE_A | PTE_D);
    assert_int_equal(entry_read(m, second) & (PTE_A | PTE_D), PTE_A | PTE_D);

    m->s->gpr[X86_RAX] = 0x0d0c0b0a;
    entry_write(m, second, 0x402000 | PTE_P);
    assert_int_equal(run(m, m->root, KERNEL, 0), HANDLER);
    assert_int_equal(fault_code(m), PF_P | PF_W);
    assert_int_equal(m->s->cr2, DATA + 0x1000);
    assert_int_equal(fault_pc(m), KERNEL);
    assert_memory_equal(m->ram + 0x400ffd, "\x55\x01\x02\x55", 4);

    entry_write(m, second, 0);
    assert_int_equal(run(m, m->root, KERNEL + 2, 0), HANDLER);
    assert_int_equal(fault_code(m), 0);
    assert_int_equal(m->s->cr2, DATA + 0x1000);
    entry_write(m, first, 0);
    assert_int_equal(run(m, m->root, KERNEL, 0), HANDLER);
    assert_int_equal(fault_code(m), PF_W);
    assert_int_equal(m->s->cr2, DATA + 0xffe);
}
TEST(crossing_data)

/* Each element is precise; what is done is done. */
static void repeated_on(struct machine *m)
{
    uint64_t second, third;

    map_page(m, m->root, DATA, 0x400000, PTE_W, 12);
    second = map_page(m, m->root, DATA + 0x1000, 0x403000, PTE_W, 12);
    third = map_page(m, m->root, DATA + 0x2000, 0x405000, PTE_W, 12);
    map_page(m, m->root, ALIAS, 0x408000, 0, 12);
    map_page(m, m->root, ALIAS + 0x1000, 0x40a000, 0, 12);
    map_page(m, m->root, ALIAS + 0x2000, 0x409000, 0, 12);
    CODE(m, KERNEL, "\xf3\xaa\xf4"); /* rep stosb; hlt */
    m->s->gpr[X86_RDI] = DATA + 0x10;
    m->s->gpr[X86_RCX] = 0x2000;
    m->s->gpr[X86_RAX] = 0x77;
    entry_write(m, third, 0x405000 | PTE_P);
    assert_int_equal(run(m, m->root, KERNEL, 0), HANDLER);
    assert_int_equal(fault_code(m), PF_P | PF_W);
    assert_int_equal(m->s->cr2, DATA + 0x2000);
    assert_int_equal(reg(m, X86_RCX), 0x10);
    assert_int_equal(reg(m, X86_RDI), DATA + 0x2000);
    assert_int_equal(m->ram[0x403fff], 0x77);
    assert_int_equal(m->ram[0x405000], 0);
    entry_write(m, third, 0x405000 | PTE_P | PTE_W);
    run(m, m->root, fault_pc(m), 0);
    assert_int_equal(m->ram[0x40500f], 0x77);
    assert_int_equal(m->ram[0x405010], 0);

    for (unsigned n = 0; n < 0x3000; n++)
        m->ram[0x408000 + n] = (uint8_t)(n * 7 + n / 256);
    CODE(m, KERNEL, "\xf3\xa4\xf4"); /* rep movsb; hlt */
    m->s->gpr[X86_RDI] = DATA;
    m->s->gpr[X86_RSI] = ALIAS + 3;
    m->s->gpr[X86_RCX] = 0x2ffd;
    entry_write(m, second, 0);
    assert_int_equal(run(m, m->root, KERNEL, 0), HANDLER);
    assert_int_equal(fault_code(m), PF_W);
    assert_int_equal(reg(m, X86_RDI), DATA + 0x1000);
    assert_int_equal(reg(m, X86_RSI), ALIAS + 0x1003);
    entry_write(m, second, 0x403000 | PTE_P | PTE_W);
    run(m, m->root, fault_pc(m), 0);
    assert_memory_equal(m->ram + 0x400000, m->ram + 0x408003, 0xffd);
    assert_memory_equal(m->ram + 0x400ffd, m->ram + 0x40a000, 3);
    assert_memory_equal(m->ram + 0x403000, m->ram + 0x40a003, 0xffd);
    assert_memory_equal(m->ram + 0x403ffd, m->ram + 0x409000, 3);
    assert_memory_equal(m->ram + 0x405000, m->ram + 0x409003, 0xffd);
}
TEST(repeated)

/* ---- faults ---- */

static void expect_fault(struct machine *m, uint64_t pc, unsigned cpl, uint32_t code, uint64_t cr2)
{
    uint64_t at = run(m, m->root, pc, cpl);

    if (at != HANDLER || fault_code(m) != code || m->s->cr2 != cr2 || fault_pc(m) != pc)
        fail_msg("stopped at %#llx, code %#x instead of %#x, address %#llx, pc %#llx",
                 (unsigned long long)at, fault_code(m), code, (unsigned long long)m->s->cr2,
                 (unsigned long long)fault_pc(m));
}

static void fetches_on(struct machine *m)
{
    uint64_t at = map_page(m, m->root, FAR, 0x400000, 0, 12);

    CODE(m, 0x400000, "\x90\xf4");
    expect_fault(m, FAR, 3, PF_P | PF_U | fetch_bit(m), FAR);
    if (m->paging != PAGING_32) {
        entry_write(m, at, 0x400000 | PTE_P | PTE_NX);
        expect_fault(m, FAR, 0, PF_P | PF_I, FAR);
        m->s->efer &= ~(uint64_t)X86_EFER_NXE;
        expect_fault(m, FAR, 0, PF_P | PF_RSVD, FAR);
        m->s->efer |= X86_EFER_NXE;
    }
    entry_write(m, at, 0x400000 | PTE_P | PTE_U);
    assert_int_equal(run(m, m->root, FAR, 0), FAR + 1);
    m->s->cr4 |= X86_CR4_SMEP;
    expect_fault(m, FAR, 0, PF_P | PF_I, FAR);
    m->s->cr4 &= ~(uint64_t)X86_CR4_SMEP;
    entry_write(m, at, 0);
    expect_fault(m, FAR + 1, 3, PF_U | fetch_bit(m), FAR + 1);
}
TEST(fetches)

/* From user mode, from the supervisor, with and without WP and SMAP. */
static void accesses_on(struct machine *m)
{
    uint64_t data = map_page(m, m->root, DATA, 0x402000, 0, 12);

    map_page(m, m->root, FAR, 0x400000, PTE_U, 12);
    CODE(m, 0x400000,
         "\x8b\x03\x90\x90"       /* 00: mov eax, [rbx] */
         "\x89\x03\x90\x90"       /* 04: mov [rbx], eax */
         "\x01\x03\x90\x90"       /* 08: add [rbx], eax */
         "\xf0\x01\x03\x90\xf4"); /* 0c: lock add [rbx], eax; hlt */
    m->s->gpr[X86_RBX] = DATA + 8;
    expect_fault(m, FAR, 3, PF_P | PF_U, DATA + 8);
    expect_fault(m, FAR + 4, 3, PF_P | PF_W | PF_U, DATA + 8);
    expect_fault(m, FAR + 8, 3, PF_P | PF_W | PF_U, DATA + 8);
    expect_fault(m, FAR + 12, 3, PF_P | PF_W | PF_U, DATA + 8);
    expect_fault(m, FAR + 4, 0, PF_P | PF_W, DATA + 8);
    m->s->cr0 &= ~(uint64_t)X86_CR0_WP;
    assert_int_equal(run(m, m->root, FAR, 0), FAR + 16);
    m->s->cr0 |= X86_CR0_WP;
    entry_write(m, data, 0x402000 | PTE_P | PTE_U);
    memset(m->ram + 0x402000, 0, 16);
    expect_fault(m, FAR + 8, 0, PF_P | PF_W, DATA + 8);
    expect_fault(m, FAR + 12, 3, PF_P | PF_W | PF_U, DATA + 8);
    m->s->cr4 |= X86_CR4_SMAP;
    expect_fault(m, FAR, 0, PF_P, DATA + 8);
    expect_fault(m, FAR + 4, 0, PF_P | PF_W, DATA + 8);
    m->s->eflags |= X86_AC;
    expect_fault(m, FAR + 4, 0, PF_P | PF_W, DATA + 8);
    entry_write(m, data, 0x402000 | PTE_P | PTE_U | PTE_W);
    m->s->gpr[X86_RAX] = 1;
    assert_int_equal(run(m, m->root, FAR + 4, 0), FAR + 16);
    assert_int_equal(m->ram[0x402008], 3);
    m->s->eflags &= ~(uint32_t)X86_AC;
    m->s->cr4 &= ~(uint64_t)X86_CR4_SMAP;
    entry_write(m, data, 0);
    expect_fault(m, FAR, 3, PF_U, DATA + 8);
    expect_fault(m, FAR + 8, 0, PF_W, DATA + 8);
}
TEST(accesses)

/* The handler repairs the entry and goes on; a loop walks over many pages, twice. */
static void demand_paging_on(struct machine *m)
{
    enum { PAGES = 64 };
    uint64_t at = map_page(m, m->root, DATA, 0x400000, PTE_W, 12),
             size = m->paging == PAGING_32 ? 4 : 8;

    for (unsigned n = 0; n < PAGES; n++)
        entry_write(m, at + n * size, (0x400000 + n * 0x2000) | (n % 3 ? 0 : PTE_P));
    map_page(m, m->root, ALIAS, at & ~0xfffull, PTE_W, 12);
    CODE(m, KERNEL,
         "\x01\x0b"                   /* add [rbx], ecx */
         "\x81\xc3\x08\x10\x00\x00"   /* add ebx, 0x1008 */
         "\x83\xe9\x01\x75\xf3\xf4"); /* sub ecx, 1; jnz; hlt */
    /* The entry's index counts the faults: rdi = entry of the page that rbx is in. */
    CODE(m, HANDLER,
         "\x50\x0f\x20\xd0"                 /* push rax; mov rax, cr2 */
         "\xc1\xe8\x0c\x25\xff\x01\x00\x00" /* shr eax, 12; and eax, 511 */
         "\x8d\x04\xc7"                     /* lea eax, [rdi + rax * 8] */
         "\x83\x08\x03\x58"                 /* or dword [rax], 3; pop rax */
         "\x83\xc4\x04\xcf");               /* add esp, 4; iret */
    if (m->paging == PAGING_32)
        CODE(m, HANDLER + 12, "\x8d\x04\x87");
    if (m->paging == PAGING_4)
        CODE(m, HANDLER + 19, "\x48\x83\xc4\x08\x48\xcf");
    m->s->gpr[X86_RDI] = ALIAS | ((at & 0xfff) - (DATA >> 12 & 511) * size);
    for (unsigned round = 1; round < 3; round++) {
        m->s->gpr[X86_RBX] = DATA;
        m->s->gpr[X86_RCX] = PAGES;
        run(m, m->root, KERNEL, 0);
        for (unsigned n = 0; n < PAGES; n++) {
            uint32_t v;
            memcpy(&v, m->ram + 0x400000 + n * 0x2000 + n * 8, 4);
            assert_int_equal(v, round * (PAGES - n));
            assert_int_equal(entry_read(m, at + n * size) & (PTE_A | PTE_D), PTE_A | PTE_D);
        }
    }
}
TEST(demand_paging)

/* A table entry beside the code that runs: the walk writes where blocks were made from. */
static void tables_in_code_on(struct machine *m)
{
    uint64_t at = map_page(m, m->root, DATA, 0x402000, PTE_W, 12), code = at & ~0xfffull;
    uint64_t offset = (at & 0xfff) + 8;

    map_page(m, m->root, FAR, code, 0, 12);
    put_code(m, code + offset, "\x01\x0b\x83\xe9\x01\x75\xf9\xf4", 8);
    m->s->gpr[X86_RBX] = DATA;
    m->s->gpr[X86_RCX] = 20;
    run(m, m->root, FAR + offset, 0);
    assert_int_equal(m->ram[0x402000], 210);
}
TEST(tables_in_code)

/* The tables' accessed and dirty bits, another mapping made since, and what was written through
 * each. */
static void snapshot_on(struct machine *m)
{
    uint64_t pte = map_page(m, m->root, DATA, 0x402000, PTE_W, 12), fresh, moved;
    nw_snapshot *snap;

    CODE(m, KERNEL, "\xff\x03\x8b\x03\xf4"); /* inc dword [rbx]; mov eax, [rbx]; hlt */
    m->ram[0x402000] = 7;
    m->ram[0x403000] = 70;
    m->s->gpr[X86_RBX] = DATA;
    fresh = entry_read(m, pte);
    assert_int_equal(nw_snapshot_take(m->engine, 0, &snap), NW_OK);
    for (unsigned n = 0; n < 3; n++) {
        run(m, m->root, KERNEL, 0);
        assert_int_equal(reg(m, X86_RAX), 8);
        assert_int_equal(entry_read(m, pte), fresh | PTE_A | PTE_D);
        moved = fresh + 0x1000;
        put_code(m, pte, &moved, m->paging == PAGING_32 ? 4 : 8);
        nw_vcpu_flush_tlb(m->vcpu);
        run(m, m->root, KERNEL, 0);
        assert_int_equal(reg(m, X86_RAX), 71);
        assert_int_equal(nw_snapshot_restore(snap), NW_OK);
        assert_int_equal(entry_read(m, pte), fresh);
        assert_int_equal(m->ram[0x402000], 7);
        assert_int_equal(m->ram[0x403000], 70);
    }
    nw_snapshot_drop(snap);
}
TEST(snapshot)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_spaces),
        cmocka_unit_test(branches),
        cmocka_unit_test(known_jumps),
        cmocka_unit_test(several),
        cmocka_unit_test(alias),
        cmocka_unit_test(alias_of_self),
        cmocka_unit_test(data_beside_code),
        cmocka_unit_test(invlpg),
        cmocka_unit_test(global),
        cmocka_unit_test(invlpg_large),
        cmocka_unit_test(crossing_code),
        cmocka_unit_test(crossing_into_itself),
        cmocka_unit_test(crossing_data),
        cmocka_unit_test(repeated),
        cmocka_unit_test(fetches),
        cmocka_unit_test(accesses),
        cmocka_unit_test(demand_paging),
        cmocka_unit_test(tables_in_code),
        cmocka_unit_test(snapshot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
