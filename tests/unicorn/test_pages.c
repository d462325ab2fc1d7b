/* Pages of ARM: 1 KiB unless chosen otherwise, and what several of them in 4 KiB of the host mean.
 */
#include <stdlib.h>
#include "uc_test.h"

#define PAGE 0x400
#define MEM  0x2000

/* No memory but one page of code. */
static void begin(struct uct *t, int mode, const uint8_t *code, size_t n)
{
    memset(t, 0, sizeof *t);
    t->arch = UC_ARCH_ARM;
    t->limit = 400;
    t->begin = CODE | (mode & UC_MODE_THUMB ? 1 : 0);
    ok(uc_open(UC_ARCH_ARM, (uc_mode)mode, &t->uc));
    ok(uc_mem_map(t->uc, CODE, PAGE, UC_PROT_ALL));
    uct_code(t, CODE, code, n);
}

static void map(struct uct *t, uint64_t at, uint32_t perms)
{
    ok(uc_mem_map(t->uc, at, PAGE, perms));
}

static void expect_regions(uc_engine *uc, const uint64_t *want, size_t n)
{
    uc_mem_region *r = NULL;
    uint32_t count = 0;

    ok(uc_mem_regions(uc, &r, &count));
    assert_int_equal(count, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(r[i].begin, want[3 * i]);
        assert_int_equal(r[i].end, want[3 * i + 1]);
        assert_int_equal(r[i].perms, want[3 * i + 2]);
    }
    ok(uc_free(r));
}
#define REGIONS(uc, ...)                                                                           \
    do {                                                                                           \
        const uint64_t want[] = {__VA_ARGS__};                                                     \
        expect_regions(uc, want, sizeof want / 24);                                                \
    } while (0)

static void test_regions(void **state)
{
    uc_engine *uc;

    (void)state;
    ok(uc_open(UC_ARCH_ARM, UC_MODE_ARM, &uc));
    for (unsigned i = 0; i < 8; i++)
        ok(uc_mem_map(uc, i * PAGE, PAGE, i));
    ok(uc_mem_protect(uc, PAGE, 2 * PAGE, 7));
    ok(uc_mem_unmap(uc, 2 * PAGE, PAGE));
    fails(uc_mem_protect(uc, PAGE + 0x100, PAGE, 7), UC_ERR_ARG);
    fails(uc_mem_protect(uc, PAGE, PAGE / 2, 7), UC_ERR_ARG);
    fails(uc_mem_unmap(uc, PAGE + 0x100, PAGE), UC_ERR_ARG);
    fails(uc_mem_protect(uc, PAGE, 2 * PAGE, 7), UC_ERR_NOMEM);
    fails(uc_mem_map(uc, 0xc00, 2 * PAGE, 7), UC_ERR_MAP);
    ok(uc_mem_map(uc, 0xfffffc00, PAGE, 7));
    REGIONS(uc, 0, 0x3ff, 0, 0x400, 0x7ff, 7, 0xc00, 0xfff, 3, 0x1000, 0x13ff, 4, 0x1400, 0x17ff, 5,
            0x1800, 0x1bff, 6, 0x1c00, 0x1fff, 7, 0xfffffc00, 0xffffffff, 7);
    ok(uc_close(uc));
    /* What is cut out of larger memory. */
    ok(uc_open(UC_ARCH_ARM, UC_MODE_ARM, &uc));
    ok(uc_mem_map(uc, 0x1000, 0x4000, 7));
    ok(uc_mem_write(uc, 0x1ffc, "abcdefgh", 8));
    ok(uc_mem_protect(uc, 0x1c00, PAGE, 1));
    ok(uc_mem_unmap(uc, 0x2400, PAGE));
    REGIONS(uc, 0x1000, 0x1bff, 7, 0x1c00, 0x1fff, 1, 0x2000, 0x23ff, 7, 0x2800, 0x4fff, 7);
    char text[9] = {0};
    ok(uc_mem_read(uc, 0x1ffc, text, 8));
    assert_string_equal(text, "abcdefgh");
    ok(uc_close(uc));
}

/* A load or store of 4 bytes at each offset around the edge of two pages. */
static uc_err access_at(struct uct *t, bool store, uint32_t at)
{
    static const uint32_t ldr = 0xe5901000, str = 0xe5801000; /* r1,[r0] */

    uct_poke(t, CODE, store ? str : ldr, 4);
    uct_set(t, UC_ARM_REG_R0, at);
    uct_set(t, UC_ARM_REG_R1, 0xffffffff);
    return uc_emu_start(t->uc, CODE, CODE + 4, 0, 0);
}

static void test_edges(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    for (unsigned second = 0; second <= 4; second++) {
        for (uint32_t at = MEM + PAGE - 4; at <= MEM + PAGE; at++) {
            bool first_only = at == MEM + PAGE - 4, second_only = at == MEM + PAGE;

            begin(&t, UC_MODE_ARM, BYTES("\0\0\0\0"));
            map(&t, MEM, UC_PROT_READ | UC_PROT_WRITE);
            if (second < 4) /* not at all, else */
                map(&t, MEM + PAGE, second);
            uct_poke(&t, MEM + PAGE - 4, 0x11223344, 4);
            if (second < 4)
                uct_poke(&t, MEM + PAGE, 0x55667788, 4);
            uc_err error = access_at(&t, false, at);
            if (first_only || second & 1)
                assert_int_equal(error, UC_ERR_OK);
            else if (second == 4)
                assert_int_equal(error, UC_ERR_READ_UNMAPPED);
            else if (second_only ||
                     DIFFERS("read-prot-edge", "only the first page of a load is asked"))
                assert_int_equal(error, UC_ERR_READ_PROT);
            if (error == UC_ERR_OK && second & 1)
                assert_int_equal(uct_get(&t, UC_ARM_REG_R1),
                                 (uint32_t)(0x5566778811223344 >> 8 * (at - (MEM + PAGE - 4))));
            error = access_at(&t, true, at);
            fails(error, first_only || (second & 2) ? UC_ERR_OK
                         : second == 4              ? UC_ERR_WRITE_UNMAPPED
                                                    : UC_ERR_WRITE_PROT);
            if (error == UC_ERR_OK)
                assert_int_equal(uct_mem(&t, at, 4), 0xffffffff);
            else if (DIFFERS("store-partial", "the first page is written"))
                assert_int_equal(uct_mem(&t, MEM + PAGE - 4, 4), 0x11223344);
            uct_close(&t);
        }
    }
}

static void test_fault_addresses(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    begin(&t, UC_MODE_ARM, BYTES("\0\0\0\0"));
    map(&t, MEM, UC_PROT_READ | UC_PROT_WRITE);
    map(&t, MEM + 2 * PAGE, UC_PROT_NONE);
    uct_log(&t, "F");
    fails(access_at(&t, false, MEM + PAGE), UC_ERR_READ_UNMAPPED);
    fails(access_at(&t, true, MEM + PAGE + 8), UC_ERR_WRITE_UNMAPPED);
    fails(access_at(&t, false, MEM + PAGE - 2), UC_ERR_READ_UNMAPPED);
    fails(access_at(&t, false, MEM - 1), UC_ERR_READ_UNMAPPED);
    fails(access_at(&t, true, MEM - 3), UC_ERR_WRITE_UNMAPPED);
    fails(access_at(&t, false, MEM + 2 * PAGE), UC_ERR_READ_PROT);
    fails(access_at(&t, true, MEM + 3 * PAGE - 4), UC_ERR_WRITE_PROT);
    fails(access_at(&t, false, MEM + 3 * PAGE), UC_ERR_READ_UNMAPPED);
    uct_expect(&t, "ru2400:4 wu2408:4=ffffffff ru2400:4 ru1fff:4 wu1ffd:4=ffffffff rp2800:4 "
                   "wp2bfc:4=ffffffff ru2c00:4");
    uct_close(&t);
}

/* Code runs to the end of its page and faults behind it. */
static void test_fetch(void **state)
{
    static const struct {
        int perms; /* of the second page, -1: not there */
        uc_err error;
        const char *arm, *thumb;
    } rows[] = {
        {-1, UC_ERR_FETCH_UNMAPPED, "fu1400:4", "fu1400:2"},
        {UC_PROT_READ | UC_PROT_WRITE, UC_ERR_FETCH_PROT, "fp1400:4", "fp1400:2"},
        {UC_PROT_ALL, UC_ERR_OK, "", ""},
        {UC_PROT_EXEC, UC_ERR_OK, "", ""},
    };
    struct uct t;

    (void)state;
    NEEDS_2_1();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(&t, UC_MODE_ARM, BYTES("\0\0\0\0"));
        if (rows[i].perms >= 0)
            map(&t, CODE + PAGE, (uint32_t)rows[i].perms);
        for (uint64_t at = CODE + PAGE - 8; at < CODE + PAGE + 8 * (rows[i].perms >= 0); at += 4)
            uct_poke(&t, at, 0xe2800001, 4); /* add r0,r0,#1 */
        uct_log(&t, "F");
        for (int n = 0; n < 3; n++) {
            uct_set(&t, UC_ARM_REG_R0, 0);
            fails(uc_emu_start(t.uc, CODE + PAGE - 8, CODE + PAGE + 8, 0, 0), rows[i].error);
            uct_expect(&t, rows[i].arm);
            assert_int_equal(uct_get(&t, UC_ARM_REG_R0), rows[i].error ? 2 : 4);
            assert_int_equal(uct_pc(&t), rows[i].error ? CODE + PAGE : CODE + PAGE + 8);
        }
        uct_close(&t);
        /* An instruction on both sides. */
        begin(&t, UC_MODE_THUMB, BYTES("\0\0\0\0"));
        if (rows[i].perms >= 0)
            map(&t, CODE + PAGE, (uint32_t)rows[i].perms);
        ok(uc_mem_write(t.uc, CODE + PAGE - 4, "\x01\x20\x41\xf2",
                        4)); /* movs r0,#1; movw r1,#0x1234 */
        if (rows[i].perms >= 0)
            ok(uc_mem_write(t.uc, CODE + PAGE, "\x34\x21", 2));
        uct_log(&t, "F");
        fails(uc_emu_start(t.uc, (CODE + PAGE - 4) | 1, CODE + PAGE + 2, 0, 0), rows[i].error);
        uct_expect(&t, rows[i].thumb);
        assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 1);
        assert_int_equal(uct_get(&t, UC_ARM_REG_R1), rows[i].error ? 0 : 0x1234);
        uct_close(&t);
    }
}

/* Changing one page leaves its neighbours as they are, and code on both sides is made anew. */
static void test_change(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    begin(&t, UC_MODE_ARM, BYTES("\0\0\0\0"));
    ok(uc_mem_map(t.uc, CODE + PAGE, 0x1000 - PAGE, UC_PROT_ALL));
    for (uint64_t at = CODE; at < CODE + 0x1000; at += 4)
        uct_poke(&t, at, 0xe2800001, 4); /* add r0,r0,#1 */
    for (int n = 0; n < 3; n++) {
        uct_set(&t, UC_ARM_REG_R0, 0);
        ok(uc_emu_start(t.uc, CODE, CODE + 0x1000, 0, 0));
        assert_int_equal(uct_get(&t, UC_ARM_REG_R0), PAGE);
        ok(uc_mem_protect(t.uc, CODE + 2 * PAGE, PAGE, UC_PROT_READ));
        if (DIFFERS("protect-cached", "code that has run goes on running")) {
            uct_set(&t, UC_ARM_REG_R0, 0);
            fails(uc_emu_start(t.uc, CODE, CODE + 0x1000, 0, 0), UC_ERR_FETCH_PROT);
            assert_int_equal(uct_get(&t, UC_ARM_REG_R0), PAGE / 2);
            assert_int_equal(uct_pc(&t), CODE + 2 * PAGE);
        }
        ok(uc_mem_protect(t.uc, CODE + 2 * PAGE, PAGE, UC_PROT_ALL));
    }
    ok(uc_mem_unmap(t.uc, CODE + PAGE, PAGE));
    fails(uc_emu_start(t.uc, CODE, CODE + 0x1000, 0, 0), UC_ERR_FETCH_UNMAPPED);
    assert_int_equal(uct_pc(&t), CODE + PAGE);
    uct_set(&t, UC_ARM_REG_R0, 0);
    ok(uc_emu_start(t.uc, CODE + 2 * PAGE, CODE + 0x1000, 0, 0));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R0), PAGE / 2);
    map(&t, CODE + PAGE, UC_PROT_ALL); /* of zeroes: andeq r0,r0,r0 */
    uct_set(&t, UC_ARM_REG_R0, 0);
    ok(uc_emu_start(t.uc, CODE, CODE + 0x1000, 0, 0));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R0), PAGE * 3 / 4);
    uct_close(&t);
}

/* Code changes itself across the edge. */
static void test_self_modifying(void **state)
{
    struct uct t;

    (void)state;
    begin(
        &t,
        UC_MODE_ARM, BYTES("\x03\x30\xa0\xe3\x05\x2b\xa0\xe3\x0f\xe0\xa0\xe1\x02\xf0\xa0\xe1\x00\x40\xd2\xe5\x01\x40\x84\xe2\x00\x40\xc2\xe5\x01\x30\x53\xe2\xf8\xff\xff\x1a") /* mov r3,#3; mov r2,#0x1400; 1: mov lr,pc; mov pc,r2; ldrb r4,[r2]; add r4,r4,#1; strb r4,[r2]; subs r3,r3,#1; bne 1b */);
    map(&t, CODE + PAGE, UC_PROT_ALL);
    ok(uc_mem_write(t.uc, CODE + PAGE, "\x01\x10\x81\xe2\x0e\xf0\xa0\xe1",
                    8)); /* add r1,r1,#1; mov pc,lr */
    for (int n = 0; n < 3; n++) {
        ok(uc_mem_write(t.uc, CODE + PAGE, "\x01", 1));
        uct_set(&t, UC_ARM_REG_R1, 0);
        ok(uct_run(&t));
        assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 1 + 2 + 3);
    }
    uct_close(&t);
}

static uint64_t device_read(uc_engine *uc, uint64_t offset, unsigned size, void *user)
{
    (void)uc;
    uct_add(user, "R%x:%u", (unsigned)offset, size);
    return 0x55667788;
}

static void device_write(uc_engine *uc, uint64_t offset, unsigned size, uint64_t value, void *user)
{
    (void)uc;
    uct_add(user, "W%x:%u=%x", (unsigned)offset, size, (unsigned)value);
}

static void test_device(void **state)
{
    struct uct t;

    (void)state;
    begin(
        &t, UC_MODE_ARM,
        BYTES("\x00\x10\x90\xe5\xfc\x23\x90\xe5\x04\x20\x00\xe5\x00\x24\x80\xe5\x08\x10\x80\xe5") /* ldr r1,[r0]; ldr r2,[r0,#0x3fc]; str r2,[r0,#-4]; str r2,[r0,#0x400]; str r1,[r0,#8] */);
    ok(uc_mmio_map(t.uc, MEM + PAGE, PAGE, device_read, &t, device_write, &t));
    map(&t, MEM, UC_PROT_READ | UC_PROT_WRITE);
    map(&t, MEM + 2 * PAGE, UC_PROT_READ | UC_PROT_WRITE);
    uct_set(&t, UC_ARM_REG_R0, MEM + PAGE);
    ok(uct_run(&t));
    uct_expect(&t, "R0:4 R3fc:4 W8:4=55667788");
    assert_int_equal(uct_mem(&t, MEM + PAGE - 4, 4), 0x55667788);
    assert_int_equal(uct_mem(&t, MEM + 2 * PAGE, 4), 0x55667788);
    ok(uc_mem_unmap(t.uc, MEM + PAGE, PAGE));
    fails(uct_run(&t), UC_ERR_READ_UNMAPPED);
    uct_close(&t);
}

/* Memory of the caller's, at any of its addresses. */
static void test_map_ptr(void **state)
{
    uint8_t own[4 * PAGE] = {0};
    uint32_t v;
    struct uct t;

    (void)state;
    begin(&t, UC_MODE_ARM, BYTES("\0\0\0\0"));
    ok(uc_mem_map_ptr(t.uc, MEM, PAGE, UC_PROT_READ | UC_PROT_WRITE, own + PAGE));
    ok(uc_mem_map_ptr(t.uc, MEM + PAGE, PAGE, UC_PROT_READ | UC_PROT_WRITE, own));
    ok(uc_mem_map_ptr(t.uc, MEM + 2 * PAGE, PAGE, UC_PROT_READ | UC_PROT_WRITE,
                      own + 2 * PAGE + 0x123));
    ok(access_at(&t, true, MEM + PAGE - 2));
    memcpy(&v, own + 2 * PAGE - 2, 4);
    assert_int_equal(v, 0xffff);
    memcpy(&v, own, 4);
    assert_int_equal(v, 0xffff);
    ok(access_at(&t, true, MEM + 2 * PAGE));
    memcpy(&v, own + 2 * PAGE + 0x123, 4);
    assert_int_equal(v, 0xffffffff);
    own[PAGE + 5] = 0x42;
    ok(access_at(&t, false, MEM + 4));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 0x4200);
    ok(uc_mem_unmap(t.uc, MEM, PAGE));
    fails(access_at(&t, false, MEM + 4), UC_ERR_READ_UNMAPPED);
    uct_close(&t);
}

/* A snapshot keeps pages, and what of the caller's memory is mapped. */
static void test_snapshot(void **state)
{
    uint8_t own[2 * PAGE];
    uc_context *c;
    struct uct t;

    (void)state;
    NEEDS_2_1();
    begin(&t, UC_MODE_ARM, BYTES("\0\0\0\0"));
    for (unsigned i = 0; i < 4; i++)
        map(&t, MEM + i * PAGE, UC_PROT_READ | UC_PROT_WRITE);
    uct_poke(&t, MEM + PAGE - 2, 0x11223344, 4);
    uct_poke(&t, MEM + 2 * PAGE, 0x55667788, 4);
    memset(own, 1, sizeof own);
    if (uct_ours()) /* Unicorn's has no snapshots of such memory */
        ok(uc_mem_map_ptr(t.uc, MEM + 0x1000, PAGE, UC_PROT_READ | UC_PROT_WRITE, own));
    ok(uc_ctl_context_mode(t.uc, UC_CTL_CONTEXT_MEMORY));
    ok(access_at(&t, true, MEM + 2 * PAGE + 8)); /* pages that have been written before */
    ok(access_at(&t, true, MEM + 3 * PAGE + 8));
    c = uct_saved(&t);
    for (int n = 0; n < 3; n++) {
        ok(access_at(&t, true, MEM + 3 * PAGE + 4));
        ok(access_at(&t, true, MEM + PAGE - 2));
        ok(access_at(&t, true, MEM + 2 * PAGE));
        ok(access_at(&t, true, MEM + 3 * PAGE - 4));
        if (uct_ours()) {
            ok(access_at(&t, true, MEM + 0x1000 + 8));
            own[PAGE] = (uint8_t)(7 + n); /* behind what is mapped: nobody else's affair */
            ok(uc_mem_unmap(t.uc, MEM + PAGE, PAGE));
            ok(uc_mem_protect(t.uc, MEM, PAGE, UC_PROT_READ));
            fails(access_at(&t, true, MEM), UC_ERR_WRITE_PROT);
        }
        ok(uc_context_restore(t.uc, c));
        assert_int_equal(uct_mem(&t, MEM + PAGE - 2, 4), 0x11223344);
        assert_int_equal(uct_mem(&t, MEM + 2 * PAGE, 4), 0x55667788);
        assert_int_equal(uct_mem(&t, MEM + 3 * PAGE - 4, 4), 0);
        assert_int_equal(uct_mem(&t, MEM + 3 * PAGE + 4, 4), 0);
        assert_int_equal(uct_mem(&t, MEM + 3 * PAGE + 8, 4), 0xffffffff);
        if (uct_ours()) {
            assert_int_equal(own[8], 1);
            assert_int_equal(own[PAGE], 7 + n);
        }
    }
    ok(uc_context_free(c));
    uct_close(&t);
}

static void test_sizes(void **state)
{
    uint32_t v = 0;
    uc_engine *uc;

    (void)state;
    NEEDS_2_1();
    for (uint32_t size = 0x100; size <= 0x1000000; size *= 2) {
        struct uct t = {.arch = UC_ARCH_ARM};

        ok(uc_open(UC_ARCH_ARM, UC_MODE_ARM, &t.uc));
        ok(uc_ctl_set_page_size(t.uc, size));
        ok(uc_ctl_get_page_size(t.uc, &v));
        assert_int_equal(v, size);
        ok(uc_mem_map(t.uc, size, size, 7));
        fails(uc_mem_map(t.uc, size * 8, size / 2, 7), UC_ERR_ARG);
        fails(uc_mem_map(t.uc, size * 8 + size / 2, size, 7), UC_ERR_ARG);
        fails(uc_mem_protect(t.uc, size, size / 2, 1), UC_ERR_ARG);
        fails(uc_mem_unmap(t.uc, size, size / 2), UC_ERR_ARG);
        REGIONS(t.uc, size, 2 * size - 1, 7);
        ok(uc_mem_write(t.uc, size, "\x04\x10\x90\xe5", 4)); /* ldr r1,[r0,#4] */
        uct_set(&t, UC_ARM_REG_R0, 2 * size - 8);
        ok(uc_emu_start(t.uc, size, size + 4, 0, 0));
        uct_set(&t, UC_ARM_REG_R0, 2 * size - 4);
        fails(uc_emu_start(t.uc, size, size + 4, 0, 0), UC_ERR_READ_UNMAPPED);
        ok(uc_mem_unmap(t.uc, size, size));
        ok(uc_close(t.uc));
    }
    ok(uc_open(UC_ARCH_ARM, UC_MODE_ARM, &uc));
    ok(uc_ctl_set_page_size(uc, 4096));
    ok(uc_ctl_set_page_size(uc, 0)); /* the default */
    ok(uc_ctl_get_page_size(uc, &v));
    assert_int_equal(v, 1024);
    ok(uc_close(uc));
}

static bool fill(uc_engine *uc, uint64_t address, uc_mem_type type, uc_tlb_entry *out, void *user)
{
    (void)uc;
    (void)type;
    if (address != CODE)
        uct_add(user, "f%x", (unsigned)address);
    out->paddr = address;
    out->perms = UC_PROT_ALL;
    return true;
}

/* A hook is asked for the translation of each page. */
static void test_fills(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    UNMET("fills of pages of less than 4 KiB");
    begin(
        &t, UC_MODE_ARM,
        BYTES("\x00\x10\x90\xe5\x00\x14\x90\xe5\x04\x14\x90\xe5\x00\x18\x80\xe5\x00\x10\x90\xe5") /* ldr r1,[r0]; ldr r1,[r0,#0x400]; ldr r1,[r0,#0x404]; str r1,[r0,#0x800]; ldr r1,[r0] */);
    ok(uc_mem_map(t.uc, MEM, 0x1000, UC_PROT_ALL));
    ok(uc_ctl_tlb_mode(t.uc, UC_TLB_VIRTUAL));
    uct_hook(&t, UC_HOOK_TLB_FILL, (void *)fill);
    uct_set(&t, UC_ARM_REG_R0, MEM);
    ok(uct_run(&t));
    uct_expect(&t, "f2000 f2400 f2800");
    uct_close(&t);
}

/* ---- random maps and accesses against a model ---- */

#define PAGES 24

struct model {
    uint8_t perms[PAGES]; /* 8: not mapped */
    uint8_t bytes[PAGES * PAGE];
};

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static bool all(const struct model *m, unsigned first, unsigned n, uint32_t need)
{
    for (unsigned i = first; i < first + n; i++)
        if (i >= PAGES || m->perms[i] & 8 || (m->perms[i] & need) != need)
            return false;
    return true;
}

static bool none(const struct model *m, unsigned first, unsigned n)
{
    for (unsigned i = first; i < first + n; i++)
        if (!(m->perms[i] & 8))
            return false;
    return true;
}

static void change_map(struct uct *t, struct model *m, uint32_t *seed)
{
    unsigned first = next(seed) % PAGES, n = 1 + next(seed) % 6, what = next(seed) % 3;
    static const uint8_t some[] = {3, 3, 3, 1, 1};
    uint32_t perms = some[next(seed) % 5];
    uint64_t at = MEM + (uint64_t)first * PAGE;

    if (first + n > PAGES)
        n = PAGES - first;
    if (what == 0) {
        fails(uc_mem_map(t->uc, at, (uint64_t)n * PAGE, perms),
              none(m, first, n) ? UC_ERR_OK : UC_ERR_MAP);
        if (!none(m, first, n))
            return;
        memset(m->perms + first, (int)perms, n);
        memset(m->bytes + first * PAGE, 0, n * PAGE);
        return;
    }
    bool there = all(m, first, n, 0);
    if (what == 1) {
        fails(uc_mem_unmap(t->uc, at, (uint64_t)n * PAGE), there ? UC_ERR_OK : UC_ERR_NOMEM);
        if (there)
            memset(m->perms + first, 8, n);
    } else {
        fails(uc_mem_protect(t->uc, at, (uint64_t)n * PAGE, perms),
              there ? UC_ERR_OK : UC_ERR_NOMEM);
        if (there)
            memset(m->perms + first, (int)perms, n);
    }
}

static void make_access(struct uct *t, struct model *m, uint32_t *seed)
{
    uint32_t at = next(seed) % (PAGES * PAGE - 4) & ~3u;
    bool store = next(seed) & 1;
    unsigned page = at / PAGE;
    bool fine = all(m, page, 1, store ? 2 : 1);
    uc_err error = access_at(t, store, MEM + at);

    assert_int_equal(error == UC_ERR_OK, fine);
    if (fine && store)
        memset(m->bytes + at, 0xff, 4);
    if (fine && !store) {
        uint32_t v;
        memcpy(&v, m->bytes + at, 4);
        assert_int_equal(uct_get(t, UC_ARM_REG_R1), v);
    }
}

static void make_transfer(struct uct *t, struct model *m, uint32_t *seed)
{
    uint32_t at = next(seed) % (PAGES * PAGE), size = next(seed) % 3000;
    uint8_t bytes[3000], byte = (uint8_t)next(seed);
    bool write = next(seed) & 1;

    if (at + size > PAGES * PAGE)
        size = PAGES * PAGE - at;
    if (!size)
        return;
    bool there = all(m, at / PAGE, (at + size - 1) / PAGE - at / PAGE + 1, 0);
    memset(bytes, byte, sizeof bytes);
    if (write) {
        if (!there)
            return; /* what is there may be written or not */
        ok(uc_mem_write(t->uc, MEM + at, bytes, size));
        memset(m->bytes + at, byte, size);
        return;
    }
    fails(uc_mem_read(t->uc, MEM + at, bytes, size), there ? UC_ERR_OK : UC_ERR_READ_UNMAPPED);
    if (there)
        assert_memory_equal(bytes, m->bytes + at, size);
}

static void random_run(uint32_t seed, bool hooks)
{
    struct model *m = calloc(1, sizeof *m);
    struct uct t;

    memset(m->perms, 8, sizeof m->perms);
    begin(&t, UC_MODE_ARM, BYTES("\0\0\0\0"));
    if (hooks)
        uct_log(&t, "r");
    for (unsigned i = 0; i < 600; i++) {
        uint32_t what = next(&seed) % 8;

        t.limit = t.events + 10;
        if (what == 0)
            change_map(&t, m, &seed);
        else if (what < 6)
            make_access(&t, m, &seed);
        else
            make_transfer(&t, m, &seed);
        uct_forget(&t);
    }
    uct_close(&t);
    free(m);
}

static void test_random(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 20; seed++)
        random_run(seed, seed & 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_regions),         cmocka_unit_test(test_edges),
        cmocka_unit_test(test_fault_addresses), cmocka_unit_test(test_fetch),
        cmocka_unit_test(test_change),          cmocka_unit_test(test_self_modifying),
        cmocka_unit_test(test_device),          cmocka_unit_test(test_map_ptr),
        cmocka_unit_test(test_snapshot),        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_fills),           cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
