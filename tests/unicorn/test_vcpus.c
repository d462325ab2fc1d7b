/* Two handles on one memory, each on a thread of its own: hooks of every kind serve both, a third
 * thread stops them at any moment. ThreadSanitizer is to be silent here. Threads count what is
 * wrong; only the first one asserts. */
#include <unicorn/narwhal.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>
#include "uc_test.h"

#define ROUNDS 1500u /* of the guest's loop */
#define INSNS  14u   /* in it */
#define UD2    (CODE + 0x1f)

/* l: lock inc dword [rdi]; mov eax,1; lock xadd [rdi+4],eax; inc dword [r8]; mov ebx,[r8];
 * cmp ebx,ecx; cpuid; syscall; in al,0x10; out 0x11,al; int 0x80; ud2; dec ecx; jnz l;
 * mov rax,[r9] */
static const uint8_t code[] = {0xf0, 0xff, 0x07, 0xb8, 0x01, 0x00, 0x00, 0x00, 0xf0, 0x0f,
                               0xc1, 0x47, 0x04, 0x41, 0xff, 0x00, 0x41, 0x8b, 0x18, 0x39,
                               0xcb, 0x0f, 0xa2, 0x0f, 0x05, 0xe4, 0x10, 0xe6, 0x11, 0xcd,
                               0x80, 0x0f, 0x0b, 0xff, 0xc9, 0x75, 0xdb, 0x49, 0x8b, 0x01};

enum event {
    CODES,
    BLOCKS,
    FETCHES,
    READS,
    WRITES,
    READS_AFTER,
    COMPARES,
    CPUIDS,
    SYSCALLS,
    INS,
    OUTS,
    INTERRUPTS,
    INVALID,
    FAULTS,
    FILLS,
    EVENTS
};

struct side {
    pthread_t thread, self;
    uc_engine *uc;
    unsigned bad; /* first line of this file where something was wrong */
    unsigned runs;
    unsigned n[EVENTS];
    atomic_bool done;
};

struct pair {
    struct uct t;
    struct side side[2];
    atomic_uint edges; /* whoever translates */
    uint64_t counter, blocks;
    uint8_t map[1 << 10];
    uint64_t entries[64];
    uc_nw_ring ring;
};

#define CHECK(s, condition)                                                                        \
    do {                                                                                           \
        if (!(condition) && !(s)->bad)                                                             \
            (s)->bad = __LINE__;                                                                   \
    } while (0)

/* The side whose handle a callback is given: that of its thread. */
static struct side *side_of(struct pair *p, uc_engine *uc)
{
    struct side *s = uc == p->side[0].uc ? &p->side[0] : &p->side[1];

    CHECK(s, uc == s->uc && pthread_equal(s->self, pthread_self()));
    return s;
}

static void note(struct pair *p, uc_engine *uc, enum event e)
{
    side_of(p, uc)->n[e]++;
}

static void on_code(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    struct side *s = side_of(user, uc);
    uint64_t pc = 0;

    (void)size;
    s->n[CODES]++;
    CHECK(s, uc_reg_read(uc, UC_X86_REG_RIP, &pc) == UC_ERR_OK && pc == address);
}

static void on_block(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    (void)address, (void)size;
    note(user, uc, BLOCKS);
}

static void on_fetch(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t value,
                     void *user)
{
    (void)type, (void)address, (void)size, (void)value;
    note(user, uc, FETCHES);
}

static void on_memory(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t value,
                      void *user)
{
    struct side *s = side_of(user, uc);
    uint64_t own = 0;

    (void)value;
    s->n[type == UC_MEM_WRITE ? WRITES : type == UC_MEM_READ ? READS : READS_AFTER]++;
    CHECK(s, size == 4 && address >= DATA && address < DATA + 0x1000);
    CHECK(s, uc_reg_read(uc, UC_X86_REG_R8, &own) == UC_ERR_OK);
    CHECK(s, address == own || address == DATA || address == DATA + 4);
}

static void on_compare(uc_engine *uc, uint64_t address, uint64_t a, uint64_t b, uint32_t size,
                       void *user)
{
    struct side *s = side_of(user, uc);

    s->n[COMPARES]++;
    CHECK(s, address == CODE + 0x13 && size == 32 && a + b == ROUNDS + 1);
}

static int on_cpuid(uc_engine *uc, void *user)
{
    note(user, uc, CPUIDS);
    return 1;
}

static void on_syscall(uc_engine *uc, void *user)
{
    note(user, uc, SYSCALLS);
}

static uint32_t on_in(uc_engine *uc, uint32_t port, int size, void *user)
{
    struct side *s = side_of(user, uc);

    s->n[INS]++;
    CHECK(s, port == 0x10 && size == 1);
    return s == &((struct pair *)user)->side[1];
}

static void on_out(uc_engine *uc, uint32_t port, int size, uint32_t value, void *user)
{
    struct side *s = side_of(user, uc);

    s->n[OUTS]++;
    CHECK(s, port == 0x11 && size == 1 && value == (s == &((struct pair *)user)->side[1]));
}

static void on_interrupt(uc_engine *uc, uint32_t number, void *user)
{
    struct side *s = side_of(user, uc);

    s->n[INTERRUPTS]++;
    CHECK(s, number == 0x80);
}

static bool on_invalid(uc_engine *uc, void *user)
{
    uint64_t pc = UD2 + 2;

    note(user, uc, INVALID);
    return uc_reg_write(uc, UC_X86_REG_RIP, &pc) == UC_ERR_OK;
}

static bool on_fault(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t value,
                     void *user)
{
    struct side *s = side_of(user, uc);

    (void)value;
    s->n[FAULTS]++;
    CHECK(s, type == UC_MEM_READ_UNMAPPED && address == NOWHERE && size == 8);
    return false;
}

static void on_edge(uc_engine *uc, uc_tb *now, uc_tb *before, void *user)
{
    struct pair *p = user;

    (void)now, (void)before;
    side_of(p, uc);
    atomic_fetch_add(&p->edges, 1);
}

static bool on_fill(uc_engine *uc, uint64_t address, uc_mem_type type, uc_tlb_entry *out,
                    void *user)
{
    (void)type;
    note(user, uc, FILLS);
    out->paddr = address;
    out->perms = UC_PROT_ALL;
    return true;
}

static void add_code_hooks(struct pair *p)
{
    uc_hook h;

    ok(uc_hook_add(p->t.uc, &h, UC_HOOK_CODE, (void *)on_code, p, 1, 0));
    ok(uc_hook_add(p->t.uc, &h, UC_HOOK_BLOCK, (void *)on_block, p, 1, 0));
    ok(uc_hook_add(p->t.uc, &h, UC_HOOK_MEM_FETCH, (void *)on_fetch, p, 1, 0));
    ok(uc_hook_add(p->t.uc, &h, UC_HOOK_EDGE_GENERATED, (void *)on_edge, p, 1, 0));
    ok(uc_hook_add(p->t.uc, &h, UC_HOOK_TCG_OPCODE, (void *)on_compare, p, CODE, CODE + 0x14,
                   UC_TCG_OP_SUB, UC_TCG_OP_FLAG_CMP));
    ok(uc_hook_add(p->t.uc, &h, UC_HOOK_INSN, (void *)on_cpuid, p, 1, 0, UC_X86_INS_CPUID));
    ok(uc_hook_add(p->t.uc, &h, UC_HOOK_INSN, (void *)on_syscall, p, 1, 0, UC_X86_INS_SYSCALL));
    ok(uc_hook_add(p->t.uc, &h, UC_HOOK_INSN, (void *)on_in, p, 1, 0, UC_X86_INS_IN));
    ok(uc_hook_add(p->t.uc, &h, UC_HOOK_INSN, (void *)on_out, p, 1, 0, UC_X86_INS_OUT));
    ok(uc_ctl_nw_counter(p->t.uc, &h, &p->counter, 0, 1, 0));
    ok(uc_ctl_nw_counter(p->t.uc, &h, &p->blocks, 1, 1, 0));
    ok(uc_ctl_nw_coverage(p->t.uc, &h, p->map, sizeof p->map, 1, 0));
    ok(uc_ctl_nw_ring(p->t.uc, &h, &p->ring, 0, 1, 0));
}

static void add_memory_hooks(struct pair *p)
{
    uc_hook h;

    ok(uc_hook_add(p->t.uc, &h, UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE | UC_HOOK_MEM_READ_AFTER,
                   (void *)on_memory, p, DATA, DATA + 0xfff));
    ok(uc_hook_add(p->t.uc, &h, UC_HOOK_INTR, (void *)on_interrupt, p, 1, 0));
    ok(uc_hook_add(p->t.uc, &h, UC_HOOK_INSN_INVALID, (void *)on_invalid, p, 1, 0));
    ok(uc_hook_add(p->t.uc, &h, UC_HOOK_MEM_READ_UNMAPPED, (void *)on_fault, p, 1, 0));
}

/* ALONE: hooks that are added before there is a second handle, else none is. */
static void begin(struct pair *p, bool alone)
{
    memset(p, 0, sizeof *p);
    p->ring = (uc_nw_ring){p->entries, 64, 0};
    uct_x86(&p->t, 64, code, sizeof code);
    p->side[0].uc = p->t.uc;
    if (alone)
        add_code_hooks(p);
    ok(uc_ctl_nw_vcpu(p->t.uc, &p->side[1].uc));
    add_memory_hooks(p);
    if (!alone)
        add_code_hooks(p);
    for (unsigned i = 0; i < 2; i++) {
        uint64_t rcx = ROUNDS, rdi = DATA, r8 = DATA + 0x80 * (i + 1), r9 = NOWHERE;

        ok(uc_reg_write(p->side[i].uc, UC_X86_REG_RCX, &rcx));
        ok(uc_reg_write(p->side[i].uc, UC_X86_REG_RDI, &rdi));
        ok(uc_reg_write(p->side[i].uc, UC_X86_REG_R8, &r8));
        ok(uc_reg_write(p->side[i].uc, UC_X86_REG_R9, &r9));
    }
}

/* Goes on after every stop, until the load behind the loop fails. */
static void *run(void *opaque)
{
    struct side *s = opaque;
    uint64_t pc = CODE;
    uc_err error;

    s->self = pthread_self();
    do {
        error = uc_emu_start(s->uc, pc, CODE + sizeof code, 0, 0);
        CHECK(s, uc_reg_read(s->uc, UC_X86_REG_RIP, &pc) == UC_ERR_OK);
        s->runs++;
    } while (error == UC_ERR_OK && pc >= CODE && pc < CODE + sizeof code);
    CHECK(s, error == UC_ERR_READ_UNMAPPED);
    atomic_store(&s->done, true);
    return NULL;
}

static void play(struct pair *p, bool stops)
{
    unsigned seed = 1;

    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&p->side[i].thread, NULL, run, &p->side[i]), 0);
    while (stops && !(atomic_load(&p->side[0].done) && atomic_load(&p->side[1].done))) {
        struct timespec t = {0, (seed = seed * 1664525 + 1013904223) >> 14};

        uc_emu_stop(p->side[seed >> 20 & 1].uc);
        if (seed >> 31)
            nanosleep(&t, NULL);
        else
            sched_yield();
    }
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_join(p->side[i].thread, NULL), 0);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(p->side[i].bad, 0);
}

/* What the guest has computed and what is done once, whatever stops there were. */
static void assert_results(struct pair *p)
{
    static const enum event once[] = {CPUIDS, SYSCALLS, INS, OUTS, INTERRUPTS, INVALID};

    assert_int_equal(uct_mem(&p->t, DATA, 4), 2 * ROUNDS);
    assert_int_equal(uct_mem(&p->t, DATA + 4, 4), 2 * ROUNDS);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(uct_mem(&p->t, DATA + 0x80 * (i + 1), 4), ROUNDS);
        for (size_t e = 0; e < sizeof once / sizeof once[0]; e++)
            assert_int_equal(p->side[i].n[once[e]], ROUNDS);
        assert_int_equal(p->side[i].n[FAULTS], 1);
    }
}

static void assert_notes(struct pair *p)
{
    unsigned edges = 0;

    assert_true(p->counter > ROUNDS * INSNS && p->counter <= 2 * ROUNDS * INSNS + 2);
    assert_true(p->blocks > ROUNDS);
    assert_in_range(p->edges, 1, 1000);
    for (size_t i = 0; i < sizeof p->map; i++)
        edges += p->map[i] != 0;
    assert_in_range(edges, 2, 100);
    assert_true(p->ring.position >= p->counter / 2);
    for (unsigned i = 0; i < 64; i++)
        assert_in_range(p->entries[i], CODE, CODE + sizeof code - 1);
}

static void end(struct pair *p)
{
    ok(uc_close(p->side[1].uc));
    uct_close(&p->t);
}

static void test_hooks(void **state)
{
    static struct pair p;

    (void)state;
    for (int alone = 0; alone < 2; alone++) {
        begin(&p, alone);
        play(&p, false);
        assert_results(&p);
        assert_notes(&p);
        for (unsigned i = 0; i < 2; i++) {
            const unsigned *n = p.side[i].n;

            assert_int_equal(p.side[i].runs, 1);
            assert_int_equal(n[CODES], ROUNDS * INSNS + 1);
            assert_int_equal(n[FETCHES], n[CODES]);
            assert_true(n[BLOCKS] >= ROUNDS && n[BLOCKS] < n[CODES]);
            assert_int_equal(n[READS], 4 * ROUNDS);
            assert_int_equal(n[READS_AFTER], 4 * ROUNDS);
            assert_int_equal(n[WRITES], 3 * ROUNDS);
            assert_int_equal(n[COMPARES], ROUNDS);
        }
        end(&p);
    }
}

/* A stop of another thread's comes between two instructions: what was begun is finished. */
static void test_hooks_and_stops(void **state)
{
    static struct pair p;

    (void)state;
    begin(&p, true);
    play(&p, true);
    assert_results(&p);
    end(&p);
}

static void test_fills_and_stops(void **state)
{
    static struct pair p;
    uc_hook h;

    (void)state;
    begin(&p, false);
    ok(uc_hook_add(p.t.uc, &h, UC_HOOK_TLB_FILL, (void *)on_fill, &p, 1, 0));
    for (unsigned i = 0; i < 2; i++)
        ok(uc_ctl_tlb_mode(p.side[i].uc, UC_TLB_VIRTUAL));
    play(&p, true);
    assert_results(&p);
    for (unsigned i = 0; i < 2; i++)
        assert_true(p.side[i].n[FILLS] >= 2);
    end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hooks),
        cmocka_unit_test(test_hooks_and_stops),
        cmocka_unit_test(test_fills_and_stops),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
