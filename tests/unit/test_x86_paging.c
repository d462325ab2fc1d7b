/* Page walks, against the rules of SDM 3A chapter 4 written down a second time: rights, error
 * codes, reserved bits, accessed and dirty flags. */
#include <stdlib.h>
#include <string.h>

#include <narwhal/x86.h>

#include "guest/x86/mmu.h"
#include "guest/x86/model.h"
#include "guest/x86/segment.h"
#include "guest/x86/system.h"
#include "ir/ir.h"
#include "mem/mem.h"
#include "x86_paging.h"

/* One way to map a page: the entries that are used, top first. */
struct kind {
    const char *name;
    nw_arch arch;
    enum paging paging;
    unsigned entries; /* that have flags: PAE's first level has none */
    unsigned size_log;
};

static const struct kind kinds[] = {
    {"32-bit", NW_ARCH_X86, PAGING_32, 2, 12},
    {"32-bit 4M", NW_ARCH_X86, PAGING_32, 1, 22},
    {"32-bit, 64-bit CPU", NW_ARCH_X86_64, PAGING_32, 2, 12},
    {"PAE", NW_ARCH_X86, PAGING_PAE, 2, 12},
    {"PAE 2M", NW_ARCH_X86, PAGING_PAE, 1, 21},
    {"PAE, 64-bit CPU", NW_ARCH_X86_64, PAGING_PAE, 2, 12},
    {"4-level", NW_ARCH_X86_64, PAGING_4, 4, 12},
    {"4-level 2M", NW_ARCH_X86_64, PAGING_4, 3, 21},
    {"4-level 1G", NW_ARCH_X86_64, PAGING_4, 2, 30},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* Whose access it is. */
enum who { BY_USER, EXPLICIT, EXPLICIT_AC, IMPLICIT, WHOS };
static const uint8_t mmu_of[WHOS] = {X86_MMU_USER, X86_MMU_GUARDED, X86_MMU_SUPERVISOR,
                                     X86_MMU_GUARDED};

#define FINE UINT32_MAX

/* A page and the entries on its way. */
struct page {
    struct machine *m;
    const struct kind *kind;
    uint64_t gva, gpa;
    uint64_t at[4], plain[4]; /* entries as they are without further flags; PLAIN: no rights */
    bool wp, smep, smap, nxe;
};

static uint64_t gva_of(const struct kind *k)
{
    return k->paging == PAGING_4 ? 0x123440201234 : 0x40801234;
}

/* Finds the entries that map_page has made. */
static void find_entries(struct page *p)
{
    unsigned bits = p->kind->paging == PAGING_32 ? 10 : 9, size = bits == 10 ? 4 : 8, n = 0;
    unsigned shift = p->kind->paging == PAGING_32 ? 22 : p->kind->paging == PAGING_PAE ? 30 : 39;
    uint64_t table = p->m->root;

    for (;; shift -= bits) {
        uint64_t at = table + (p->gva >> shift & ((1u << bits) - 1)) * size;
        uint64_t entry = entry_read(p->m, at);
        if (p->kind->paging != PAGING_PAE || shift != 30) {
            p->at[n] = at;
            p->plain[n++] = entry & ~(uint64_t)(PTE_W | PTE_U);
        }
        if (shift == p->kind->size_log)
            break;
        table = entry & 0xfffff000;
    }
    assert_int_equal(n, p->kind->entries);
}

static struct page page_new(const struct kind *k)
{
    struct environment env = {k->arch, k->paging, NW_ENGINE_INTERP};
    struct page p = {.m = machine_new(&env), .kind = k, .gva = gva_of(k)};
    uint64_t frame = k->size_log == 30 ? 0 : 0x800000;

    p.gpa = frame | (p.gva & ((1ull << k->size_log) - 1));
    map_page(p.m, p.m->root, p.gva, frame, 0, k->size_log);
    find_entries(&p);
    p.m->s->cr3 = p.m->root;
    memcpy(p.m->s->pdpte, p.m->ram + p.m->root, sizeof p.m->s->pdpte);
    return p;
}

/* ENTRIES: flags of each beside the plain ones. */
static void put_entries(struct page *p, const uint64_t *flags)
{
    for (unsigned n = 0; n < p->kind->entries; n++)
        entry_write(p->m, p->at[n], p->plain[n] | flags[n]);
}

static void set_rules(struct page *p, unsigned n)
{
    struct x86_state *s = p->m->s;

    p->wp = n & 1;
    p->smep = n & 2;
    p->smap = n & 4;
    p->nxe = n & 8 && p->kind->paging != PAGING_32;
    s->cr0 = (s->cr0 & ~(uint64_t)X86_CR0_WP) | (p->wp ? X86_CR0_WP : 0);
    s->cr4 = (s->cr4 & ~(uint64_t)(X86_CR4_SMEP | X86_CR4_SMAP)) | (p->smep ? X86_CR4_SMEP : 0) |
             (p->smap ? X86_CR4_SMAP : 0);
    s->efer = (s->efer & ~(uint64_t)X86_EFER_NXE) | (p->nxe ? X86_EFER_NXE : 0);
    x86_mode_update(s);
}

static void set_cpl(struct page *p, unsigned cpl)
{
    struct x86_segment *ss = &p->m->s->seg[X86_SS];

    ss->attr = (uint16_t)((ss->attr & ~0x60u) | cpl << 5);
    x86_mode_update(p->m->s);
}

/* ---- the reference ---- */

/* SDM 3A 4.7: the code of a fault whose cause is CAUSE. */
static uint32_t code_for(const struct page *p, uint32_t cause, enum who who, nw_access access)
{
    uint32_t code = cause;

    if (access == NW_ACCESS_WRITE)
        code |= PF_W;
    if (who == BY_USER)
        code |= PF_U;
    if (access == NW_ACCESS_FETCH) {
        bool nx_counts = p->kind->paging != PAGING_32 && p->nxe;
        if (nx_counts || p->smep)
            code |= PF_I;
    }
    return code;
}

/* SDM 3A 4.6.1, in its order: true when the access is allowed. */
static bool right(const struct page *p, enum who who, nw_access access, bool user_page, bool rw_all,
                  bool xd_any)
{
    if (who != BY_USER && access == NW_ACCESS_READ)
        return !user_page || !p->smap || who == EXPLICIT_AC;
    if (who != BY_USER && access == NW_ACCESS_WRITE) {
        if (!user_page)
            return !p->wp || rw_all;
        if (p->smap && who != EXPLICIT_AC)
            return false;
        return p->wp ? rw_all : true;
    }
    if (who != BY_USER)
        return !user_page ? !xd_any : !p->smep && !xd_any;
    if (!user_page)
        return false;
    return access == NW_ACCESS_READ || (access == NW_ACCESS_WRITE ? rw_all : !xd_any);
}

/* FINE or the error code. */
static uint32_t expected(const struct page *p, const uint64_t *flags, enum who who,
                         nw_access access)
{
    bool user = true, rw = true, xd = false;

    for (unsigned n = 0; n < p->kind->entries; n++) {
        if (flags[n] & PTE_NX && !p->nxe)
            return code_for(p, PF_P | PF_RSVD, who, access);
        user = user && flags[n] & PTE_U;
        rw = rw && flags[n] & PTE_W;
        xd = xd || flags[n] & PTE_NX;
    }
    return right(p, who, access, user, rw, xd) ? FINE : code_for(p, PF_P, who, access);
}

/* ---- rights ---- */

static void check_marks(struct page *p, const uint64_t *flags, bool used, bool dirty)
{
    for (unsigned n = 0; n < p->kind->entries; n++) {
        uint64_t want = p->plain[n] | flags[n];
        if (used)
            want |= PTE_A | (dirty && n == p->kind->entries - 1 ? PTE_D : 0);
        assert_int_equal(entry_read(p->m, p->at[n]), want);
    }
}

static void check_walk(struct page *p, const uint64_t *flags, enum who who, nw_access access)
{
    struct mmu_page out = {0};
    uint32_t want = expected(p, flags, who, access);
    bool ok = x86_translate(p->m->vcpu, p->gva, mmu_of[who], access, &out);

    if (ok != (want == FINE) || (!ok && out.code != want))
        fail_msg("%s: who %u access %u: %s %#x instead of %#x", p->kind->name, who, access,
                 ok ? "fine" : "refused", out.code, want);
    check_marks(p, flags, ok, access == NW_ACCESS_WRITE);
    if (!ok)
        return;
    assert_int_equal(out.gpa, p->gpa);
    assert_int_equal(out.note, p->kind->size_log);
    bool write = access == NW_ACCESS_WRITE && expected(p, flags, who, NW_ACCESS_WRITE) == FINE;
    assert_int_equal(out.rights & NW_WRITE, write ? NW_WRITE : 0);
    if (access != NW_ACCESS_FETCH)
        assert_int_equal(out.rights & NW_READ,
                         expected(p, flags, who, NW_ACCESS_READ) == FINE ? NW_READ : 0);
}

/* The same access by way of the TLB. */
static void check_access(struct page *p, const uint64_t *flags, enum who who, bool write)
{
    nw_vcpu *vcpu = p->m->vcpu;
    nw_access access = write ? NW_ACCESS_WRITE : NW_ACCESS_READ;
    uint32_t want = expected(p, flags, who, access), memop = 2 | IR_MEM_MMU(mmu_of[who]);

    mmu_flush(vcpu);
    for (unsigned round = 0; round < 2; round++) {
        vcpu->leave = VCPU_LEAVE_NONE;
        if (write)
            mem_store(vcpu, p->gva, 0x12345678 + round, memop);
        else
            mem_load(vcpu, p->gva, memop);
        assert_int_equal(vcpu->leave, want == FINE ? VCPU_LEAVE_NONE : VCPU_LEAVE_EXC);
        check_marks(p, flags, want == FINE, write);
        if (want == FINE)
            continue;
        assert_int_equal(vcpu->exc.kind, EXC_MEM);
        assert_true(vcpu->exc.mmu);
        assert_int_equal(vcpu->exc.payload, want);
        assert_int_equal(vcpu->exc.addr, p->gva);
    }
}

static void check_who(struct page *p, const uint64_t *flags, enum who who, bool deep)
{
    set_cpl(p, who == BY_USER ? 3 : 0);
    for (unsigned access = NW_ACCESS_READ; access <= NW_ACCESS_FETCH; access++) {
        if (access == NW_ACCESS_FETCH && who > EXPLICIT)
            break;
        put_entries(p, flags);
        check_walk(p, flags, who, (nw_access)access);
        if (!deep || access == NW_ACCESS_FETCH)
            continue;
        put_entries(p, flags);
        check_access(p, flags, who, access == NW_ACCESS_WRITE);
    }
}

/* U and R/W of every entry, NX in none, the first or the last, WP, SMEP, SMAP and NXE. */
static void all_rights(void **state)
{
    (void)state;
    for (unsigned k = 0; k < KINDS; k++) {
        struct page p = page_new(&kinds[k]);
        unsigned entries = kinds[k].entries, nx_places = kinds[k].paging == PAGING_32 ? 1 : 3;

        for (unsigned n = 0; n < 1u << (2 * entries); n++)
            for (unsigned nx = 0; nx < nx_places; nx++)
                for (unsigned rules = 0; rules < 16; rules++) {
                    uint64_t flags[4] = {0};
                    for (unsigned e = 0; e < entries; e++)
                        flags[e] = (uint64_t)(n >> (2 * e) & 3) << 1;
                    if (nx)
                        flags[nx == 1 ? 0 : entries - 1] |= PTE_NX;
                    set_rules(&p, rules);
                    for (unsigned who = 0; who < WHOS; who++)
                        check_who(&p, flags, who, entries < 3 || n % 7 == 0);
                }
        machine_free(p.m);
    }
}

/* ---- bits that are there or must not be ---- */

static const uint64_t open_flags[4] = {PTE_U | PTE_W, PTE_U | PTE_W, PTE_U | PTE_W, PTE_U | PTE_W};

/* Bits of entry N that must be 0, for 40 bits of physical address (SDM 3A tables 4-4 to 4-19). */
static uint64_t reserved_bits(const struct page *p, unsigned n)
{
    bool leaf = n == p->kind->entries - 1;
    uint64_t high = p->kind->paging == PAGING_4 ? 0x000fff0000000000 : 0x7fffff0000000000;

    if (p->kind->paging == PAGING_32)
        return p->kind->size_log == 22 ? 1u << 21 : 0;
    if (!p->nxe)
        high |= PTE_NX;
    if (leaf && p->kind->size_log == 21)
        high |= 0x1fe000;
    if (leaf && p->kind->size_log == 30)
        high |= 0x3fffe000;
    if (p->kind->paging == PAGING_4 && n == 0)
        high |= PTE_PS;
    return high;
}

/* What bit BIT of a leaf adds to the physical address. */
static uint64_t address_bit(const struct page *p, unsigned bit)
{
    if (p->kind->size_log == 22 && bit >= 13 && bit <= 20)
        return 1ull << (bit + 19);
    return bit >= p->kind->size_log && bit < 40 ? 1ull << bit : 0;
}

static void check_bit(struct page *p, unsigned n, unsigned bit)
{
    bool leaf = n == p->kind->entries - 1, changes_kind = bit == 7 && p->plain[n] >> 12;
    bool bad = reserved_bits(p, n) >> bit & 1;
    uint64_t flags[4], add = leaf ? address_bit(p, bit) : 0;
    struct mmu_page out = {0};

    /* Where another table or another kind of page would come of it. */
    if (!bad &&
        ((!leaf && bit >= 12 && bit < 40) || (changes_kind && !(leaf && p->kind->size_log == 12))))
        return;
    memcpy(flags, open_flags, sizeof flags);
    flags[n] |= 1ull << bit;
    put_entries(p, flags);
    if (bit == 0 || (p->plain[n] | open_flags[n]) >> bit & 1)
        return;
    bool ok = x86_translate(p->m->vcpu, p->gva, X86_MMU_USER, NW_ACCESS_READ, &out);
    if (ok == bad || (bad && out.code != (PF_P | PF_RSVD | PF_U)))
        fail_msg("%s: bit %u of entry %u: %s %#x", p->kind->name, bit, n, ok ? "fine" : "refused",
                 out.code);
    if (ok)
        assert_int_equal(out.gpa, p->gpa | add);
}

static void every_bit(void **state)
{
    (void)state;
    for (unsigned k = 0; k < KINDS; k++) {
        struct page p = page_new(&kinds[k]);

        set_cpl(&p, 3);
        for (unsigned nxe = 0; nxe < 2; nxe++) {
            set_rules(&p, nxe * 8);
            for (unsigned n = 0; n < kinds[k].entries; n++)
                for (unsigned bit = 0; bit < (kinds[k].paging == PAGING_32 ? 32 : 64); bit++)
                    check_bit(&p, n, bit);
        }
        machine_free(p.m);
    }
}

/* An entry that is not there may hold anything. */
static void not_present(void **state)
{
    (void)state;
    for (unsigned k = 0; k < KINDS; k++) {
        struct page p = page_new(&kinds[k]);

        for (unsigned n = 0; n < kinds[k].entries; n++) {
            struct mmu_page out = {0};
            put_entries(&p, open_flags);
            entry_write(p.m, p.at[n], ~1ull);
            assert_false(x86_translate(p.m->vcpu, p.gva, X86_MMU_USER, NW_ACCESS_WRITE, &out));
            assert_int_equal(out.code, PF_W | PF_U);
            assert_true(out.absent);
        }
        machine_free(p.m);
    }
}

/* Without PSE the bit that makes large pages is ignored; without 1-GiB pages it is reserved. */
static void large_pages_off(void **state)
{
    (void)state;
    struct page p = page_new(&kinds[1]);
    struct mmu_page out;

    put_entries(&p, open_flags);
    p.m->s->cr4 &= ~(uint64_t)X86_CR4_PSE;
    uint64_t table = entry_read(p.m, p.at[0]) & 0xfffff000;
    uint32_t pte = 0x300000 | PTE_P | PTE_U;
    memcpy(p.m->ram + table + (p.gva >> 12 & 0x3ff) * 4, &pte, 4);
    assert_true(x86_translate(p.m->vcpu, p.gva, X86_MMU_USER, NW_ACCESS_READ, &out));
    assert_int_equal(out.gpa, 0x300000 | (p.gva & 0xfff));
    machine_free(p.m);

    p = page_new(&kinds[KINDS - 1]);
    put_entries(&p, open_flags);
    struct x86_model old = *p.m->s->model;
    old.features &= ~X86_F(PDPE1GB);
    p.m->s->model = &old;
    assert_false(x86_translate(p.m->vcpu, p.gva, X86_MMU_USER, NW_ACCESS_READ, &out));
    assert_int_equal(out.code, PF_P | PF_RSVD | PF_U);
    machine_free(p.m);
}

/* ---- the rest of the walk ---- */

static void canonical(void **state)
{
    (void)state;
    static const uint64_t bad[] = {0x800000000000, 0xffff7fffffffffff, 0x8000000000000000};
    struct page p = page_new(&kinds[6]);

    for (unsigned n = 0; n < sizeof bad / sizeof *bad; n++) {
        p.m->vcpu->leave = VCPU_LEAVE_NONE;
        mem_load(p.m->vcpu, bad[n], IR_MEM_MMU(X86_MMU_GUARDED));
        assert_int_equal(p.m->vcpu->leave, VCPU_LEAVE_EXC);
        assert_true(p.m->vcpu->exc.mmu);
        assert_int_equal(p.m->vcpu->exc.addr, bad[n]);
    }
    /* The last byte counts before the first one's page does. */
    mem_load(p.m->vcpu, 0x7ffffffffffe, 2 | IR_MEM_MMU(X86_MMU_GUARDED));
    assert_int_equal(p.m->vcpu->exc.addr, 0x7ffffffffffe);
    assert_int_equal(p.m->vcpu->exc.size, 4);
    machine_free(p.m);
}

/* Addresses beyond 4 GiB by PAE and PSE-36; tables in no memory read as ones. */
static void far_memory(void **state)
{
    (void)state;
    static const unsigned which[] = {1, 4, 3, 6};

    for (unsigned n = 0; n < 4; n++) {
        struct page p = page_new(&kinds[which[n]]);
        unsigned leaf = p.kind->entries - 1;
        uint64_t high = HIGH_RAM | 0x400000, offset = p.gva & ((1ull << p.kind->size_log) - 1);

        p.plain[leaf] = p.kind->paging == PAGING_32 ? 0x400000 | 1 << 13 | PTE_P | PTE_PS
                                                    : high | (p.plain[leaf] & 0xfff);
        put_entries(&p, open_flags);
        mmu_flush(p.m->vcpu);
        p.m->vcpu->leave = VCPU_LEAVE_NONE;
        mem_store(p.m->vcpu, p.gva, 0x1234, 1 | IR_MEM_MMU(X86_MMU_USER));
        assert_int_equal(p.m->vcpu->leave, VCPU_LEAVE_NONE);
        assert_memory_equal(p.m->high + 0x400000 + offset, "\x34\x12", 2);
        machine_free(p.m);
    }
    struct page p = page_new(&kinds[6]);
    struct mmu_page out;
    put_entries(&p, open_flags);
    entry_write(p.m, p.at[2], 0x80000000 | PTE_P | PTE_W | PTE_U);
    assert_false(x86_translate(p.m->vcpu, p.gva, X86_MMU_GUARDED, NW_ACCESS_READ, &out));
    assert_int_equal(out.code, PF_P | PF_RSVD);
    machine_free(p.m);
}

/* A page that is there, of memory that is not: no page fault. */
static void no_memory(void **state)
{
    (void)state;
    struct page p = page_new(&kinds[6]);
    nw_vcpu *vcpu = p.m->vcpu;

    p.plain[3] = 0x80000000 | PTE_P;
    put_entries(&p, open_flags);
    mmu_flush(vcpu);
    vcpu->leave = VCPU_LEAVE_NONE;
    mem_store(vcpu, p.gva, 0, IR_MEM_MMU(X86_MMU_USER));
    assert_int_equal(vcpu->leave, VCPU_LEAVE_EXC);
    assert_false(vcpu->exc.mmu);
    assert_int_equal(vcpu->exc.fault, NW_FAULT_UNMAPPED);
    assert_int_equal(vcpu->exc.addr, 0x80000000 | (p.gva & 0xfff));
    machine_free(p.m);
}

/* A load fills the TLB; the store after it must set the dirty flag all the same. */
static void dirty_after_read(void **state)
{
    (void)state;
    for (unsigned k = 0; k < KINDS; k++) {
        struct page p = page_new(&kinds[k]);
        nw_vcpu *vcpu = p.m->vcpu;
        uint32_t memop = 2 | IR_MEM_MMU(X86_MMU_USER);

        vcpu->leave = VCPU_LEAVE_NONE;
        put_entries(&p, open_flags);
        mmu_flush(vcpu);
        mem_load(vcpu, p.gva, memop);
        check_marks(&p, open_flags, true, false);
        mem_store(vcpu, p.gva, 1, memop);
        check_marks(&p, open_flags, true, true);
        put_entries(&p, open_flags);
        mmu_flush_page(vcpu, p.gva ^ 0x3f0);
        mem_rmw(vcpu, p.gva & ~7ull, 1, memop, IR_atomic_add);
        check_marks(&p, open_flags, true, true);
        assert_int_equal(vcpu->leave, VCPU_LEAVE_NONE);
        machine_free(p.m);
    }
}

/* Bits of a present PDPTE that CR3 must not load (SDM 3A table 4-8). */
static void pdptes(void **state)
{
    (void)state;
    struct page p = page_new(&kinds[3]);

    for (unsigned bit = 1; bit < 64; bit++) {
        bool bad = bit < 3 || (bit > 4 && bit < 9) || bit >= 40;
        uint64_t entry = (1ull << bit) | PTE_P;
        memcpy(p.m->ram + p.m->root + 16, &entry, 8);
        assert_int_equal(x86_mmu_load_pdptes(p.m->vcpu, p.m->root), !bad);
        entry ^= PTE_P;
        memcpy(p.m->ram + p.m->root + 16, &entry, 8);
        assert_true(x86_mmu_load_pdptes(p.m->vcpu, p.m->root));
    }
    memset(p.m->s->pdpte, 0, sizeof p.m->s->pdpte);
    assert_int_equal(nw_reg_write(p.m->vcpu, NW_X86_CR0 + 3, p.m->root), NW_OK);
    assert_memory_equal(p.m->s->pdpte, p.m->ram + p.m->root, sizeof p.m->s->pdpte);
    machine_free(p.m);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_rights),  cmocka_unit_test(every_bit),
        cmocka_unit_test(not_present), cmocka_unit_test(large_pages_off),
        cmocka_unit_test(canonical),   cmocka_unit_test(far_memory),
        cmocka_unit_test(no_memory),   cmocka_unit_test(dirty_after_read),
        cmocka_unit_test(pdptes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
