#include "x86_paging.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "guest/x86/segment.h"
#include "guest/x86/system.h"

enum {
    SEL_CODE = 0x08,
    SEL_DATA = 0x10,
    SEL_USER_CODE = 0x18,
    SEL_USER_DATA = 0x20,
    SEL_TSS = 0x28
};

static bool is_wide(const struct machine *m)
{
    return m->paging == PAGING_4;
}

static void put32(struct machine *m, uint64_t at, uint32_t v)
{
    memcpy(m->ram + at, &v, 4);
}

/* ---- tables ---- */

static unsigned entry_size(const struct machine *m)
{
    return m->paging == PAGING_32 ? 4 : 8;
}

uint64_t entry_read(struct machine *m, uint64_t at)
{
    uint64_t v = 0;
    memcpy(&v, m->ram + at, entry_size(m));
    return v;
}

void entry_write(struct machine *m, uint64_t at, uint64_t value)
{
    memcpy(m->ram + at, &value, entry_size(m));
}

static uint64_t new_table(struct machine *m)
{
    uint64_t at = m->next_table;
    m->next_table += 0x1000;
    return at;
}

uint64_t map_page(struct machine *m, uint64_t root, uint64_t gva, uint64_t gpa, uint64_t flags,
                  unsigned size_log)
{
    unsigned bits = m->paging == PAGING_32 ? 10 : 9;
    unsigned shift = m->paging == PAGING_32 ? 22 : m->paging == PAGING_PAE ? 30 : 39;
    uint64_t table = root;

    for (;; shift -= bits) {
        uint64_t at = table + (gva >> shift & ((1u << bits) - 1)) * entry_size(m);
        if (shift == size_log) {
            entry_write(m, at, gpa | flags | PTE_P | (size_log > 12 ? PTE_PS : 0));
            return at;
        }
        uint64_t entry = entry_read(m, at);
        if (!(entry & PTE_P)) {
            bool pdpte = m->paging == PAGING_PAE && shift == 30;
            entry = new_table(m) | PTE_P | (pdpte ? 0 : PTE_W | PTE_U);
            entry_write(m, at, entry);
        }
        table = entry & 0xfffff000;
    }
}

uint64_t space_new(struct machine *m)
{
    uint64_t root = new_table(m);

    for (uint64_t page = KERNEL; page < STACK_END; page += 0x1000)
        map_page(m, root, page, page, PTE_W, 12);
    map_page(m, root, USER_STACK, USER_STACK, PTE_W | PTE_U, 12);
    return root;
}

/* ---- the CPU ---- */

static void put_descriptor(struct machine *m, unsigned selector, uint64_t base, uint32_t limit,
                           uint32_t attr)
{
    put32(m, GDT + selector, (limit & 0xffff) | (uint32_t)base << 16);
    put32(m, GDT + selector + 4,
          ((uint32_t)base >> 16 & 0xff) | attr << 8 | (limit & 0xf0000) |
              ((uint32_t)base & 0xff000000));
}

static void put_tables(struct machine *m)
{
    uint32_t code = is_wide(m) ? 0xa09b : 0xc09b;

    put_descriptor(m, SEL_CODE, 0, 0xfffff, code);
    put_descriptor(m, SEL_DATA, 0, 0xfffff, 0xc093);
    put_descriptor(m, SEL_USER_CODE, 0, 0xfffff, code | 0x60);
    put_descriptor(m, SEL_USER_DATA, 0, 0xfffff, 0xc0f3);
    put_descriptor(m, SEL_TSS, TSS, 0xfff, 0x8b);
    put32(m, TSS + 4, STACK_END);
    put32(m, TSS + 8, is_wide(m) ? 0 : SEL_DATA);
    put32(m, IDT + X86_PF_FAULT * (is_wide(m) ? 16 : 8), SEL_CODE << 16 | (HANDLER & 0xffff));
    put32(m, IDT + X86_PF_FAULT * (is_wide(m) ? 16 : 8) + 4, (HANDLER & 0xffff0000) | 0x8e00);
    put_code(m, HANDLER, "\xf4", 1);
}

static void set_segment(struct x86_segment *seg, unsigned selector, unsigned attr)
{
    *seg = (struct x86_segment){
        .limit = UINT32_MAX, .selector = (uint16_t)selector, .attr = (uint16_t)attr};
}

static void set_level(struct machine *m, struct x86_state *s, unsigned cpl)
{
    unsigned attr = (is_wide(m) ? 0xa09b : 0xc09b) | cpl << 5;

    set_segment(&s->seg[X86_CS], cpl ? SEL_USER_CODE | 3 : SEL_CODE, attr);
    for (unsigned n = X86_ES; n <= X86_GS; n++)
        if (n != X86_CS)
            set_segment(&s->seg[n], cpl ? SEL_USER_DATA | 3 : SEL_DATA, 0xc093 | cpl << 5);
    s->gpr[X86_RSP] = cpl ? USER_STACK_END : STACK_END;
}

static void set_control(struct machine *m, struct x86_state *s)
{
    s->cr0 = X86_CR0_PE | X86_CR0_ET | X86_CR0_NE | X86_CR0_WP | X86_CR0_PG;
    s->cr4 = X86_CR4_PSE | (m->paging == PAGING_32 ? 0 : X86_CR4_PAE);
    s->efer = m->paging == PAGING_32 ? 0 : X86_EFER_NXE;
    if (is_wide(m))
        s->efer |= X86_EFER_LME | X86_EFER_LMA;
    s->gdtr = (struct x86_table){GDT, 0xfff};
    s->idtr = (struct x86_table){IDT, 0xfff};
    set_segment(&s->seg[X86_TR], SEL_TSS, 0x8b);
    s->seg[X86_TR].base = TSS;
    s->seg[X86_TR].limit = 0xfff;
    set_level(m, s, 0);
    x86_mode_update(s);
}

struct machine *machine_new(const struct environment *env)
{
    struct machine *m = calloc(1, sizeof *m);
    nw_config config = {.arch = env->arch, .flags = env->flags, .exceptions = NW_EXC_GUEST};

    assert_non_null(m);
    m->ram = mmap(NULL, RAM_SIZE + HIGH_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                  -1, 0);
    assert_ptr_not_equal(m->ram, MAP_FAILED);
    m->high = m->ram + RAM_SIZE;
    m->paging = env->paging;
    m->flags = env->flags;
    assert_int_equal(nw_engine_open(&config, &m->engine), NW_OK);
    assert_int_equal(nw_mem_map_ptr(m->engine, 0, RAM_SIZE, NW_RWX, m->ram), NW_OK);
    assert_int_equal(nw_mem_map_ptr(m->engine, HIGH_RAM, HIGH_SIZE, NW_RWX, m->high), NW_OK);
    assert_int_equal(nw_vcpu_create(m->engine, &m->vcpu), NW_OK);
    m->s = x86_of(m->vcpu);
    m->next_table = TABLES;
    put_tables(m);
    m->root = space_new(m);
    set_control(m, m->s);
    return m;
}

void machine_free(struct machine *m)
{
    nw_engine_close(m->engine);
    munmap(m->ram, RAM_SIZE + HIGH_SIZE);
    free(m);
}

void put_code(struct machine *m, uint64_t gpa, const void *bytes, size_t size)
{
    assert_int_equal(nw_mem_write(m->engine, gpa, bytes, size), NW_OK);
}

static void begin(struct machine *m, nw_vcpu *vcpu, uint64_t root, uint64_t pc, unsigned cpl)
{
    struct x86_state *s = x86_of(vcpu);

    set_level(m, s, cpl);
    s->cr3 = root;
    if (m->paging == PAGING_PAE)
        memcpy(s->pdpte, m->ram + root, sizeof s->pdpte);
    s->halted = X86_RUNNING;
    s->eflags &= ~(uint32_t)X86_RF;
    s->pc = pc;
    x86_mode_update(s);
    mmu_flush(vcpu);
}

void vcpu_start(struct machine *m, nw_vcpu *vcpu, uint64_t root, uint64_t pc, unsigned cpl)
{
    set_control(m, x86_of(vcpu));
    begin(m, vcpu, root, pc, cpl);
}

uint64_t run(struct machine *m, uint64_t root, uint64_t pc, unsigned cpl)
{
    /* Blocks that count are made differently. */
    uint64_t limit = m->flags & NW_ENGINE_NO_CHAIN ? 1000000 : 0;
    nw_exit exit;

    begin(m, m->vcpu, root, pc, cpl);
    assert_int_equal(nw_vcpu_run(m->vcpu, limit, &exit), NW_OK);
    if (exit.reason != NW_EXIT_HALT || exit.code)
        fail_msg("exit %u code %u at %#llx, address %#llx", exit.reason, exit.code,
                 (unsigned long long)exit.pc, (unsigned long long)exit.addr);
    return exit.pc - 1;
}

static uint64_t on_stack(struct machine *m, unsigned n)
{
    uint64_t v = 0;
    unsigned size = is_wide(m) ? 8 : 4;
    memcpy(&v, m->ram + m->s->gpr[X86_RSP] + n * size, size);
    return v;
}

uint32_t fault_code(struct machine *m)
{
    return (uint32_t)on_stack(m, 0);
}

uint64_t fault_pc(struct machine *m)
{
    return on_stack(m, 1);
}
