/* Memory behind callbacks, and memory behind the guest's page tables. */
#include "uc_test.h"

#define MMIO 0x20000

static uint64_t mmio_read(uc_engine *uc, uint64_t offset, unsigned size, void *user)
{
    (void)uc;
    uct_add(user, "R%x:%u", (unsigned)offset, size);
    return 0x8877665544332211;
}

static void mmio_write(uc_engine *uc, uint64_t offset, unsigned size, uint64_t v, void *user)
{
    (void)uc;
    uct_add(user, "W%x:%u=%llx", (unsigned)offset, size, (unsigned long long)v);
}

static void map_mmio(struct uct *t)
{
    ok(uc_mmio_map(t->uc, MMIO, 0x1000, mmio_read, t, mmio_write, t));
}

static void test_refuses(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    fails(uc_mmio_map(t.uc, MMIO, 0, mmio_read, &t, mmio_write, &t), UC_ERR_ARG);
    fails(uc_mmio_map(t.uc, MMIO + 1, 0x1000, mmio_read, &t, mmio_write, &t), UC_ERR_ARG);
    fails(uc_mmio_map(t.uc, MMIO, 1, mmio_read, &t, mmio_write, &t), UC_ERR_ARG);
    fails(uc_mmio_map(t.uc, CODE, 0x1000, mmio_read, &t, mmio_write, &t), UC_ERR_MAP);
    map_mmio(&t);
    fails(uc_mmio_map(t.uc, MMIO, 0x1000, mmio_read, &t, mmio_write, &t), UC_ERR_MAP);
    fails(uc_mem_map(t.uc, MMIO, 0x1000, 7), UC_ERR_MAP);
    uct_close(&t);
}

/* Its permissions are the callbacks that it has. */
static void test_regions(void **state)
{
    uc_mem_region *r;
    uint32_t n;
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    map_mmio(&t);
    ok(uc_mmio_map(t.uc, MMIO + 0x1000, 0x1000, NULL, NULL, mmio_write, &t));
    ok(uc_mmio_map(t.uc, MMIO + 0x2000, 0x1000, mmio_read, &t, NULL, NULL));
    ok(uc_mmio_map(t.uc, MMIO + 0x3000, 0x2000, NULL, NULL, NULL, NULL));
    ok(uc_mem_regions(t.uc, &r, &n));
    assert_int_equal(n, 5);
    assert_int_equal(r[1].perms, UC_PROT_READ | UC_PROT_WRITE);
    assert_int_equal(r[2].perms, UC_PROT_WRITE);
    assert_int_equal(r[3].perms, UC_PROT_READ);
    assert_int_equal(r[4].perms, UC_PROT_NONE);
    assert_int_equal(r[4].end, MMIO + 0x4fff);
    ok(uc_free(r));
    ok(uc_mem_unmap(t.uc, MMIO, 0x1000));
    ok(uc_mem_regions(t.uc, &r, &n));
    assert_int_equal(n, 4);
    ok(uc_free(r));
    uct_close(&t);
}

static void test_guest(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(
        &t,
        64, BYTES("\x8b\x0c\x25\x10\x00\x02\x00\x8a\x04\x25\x21\x00\x02\x00\x66\x89\x0c\x25\x08\x00\x02\x00\xc6\x04\x25\xff\x0f\x02\x00\x05\x89\x0c\x25\x30\x00\x02\x00") /* mov ecx,[0x20010]; mov al,[0x20021]; mov [0x20008],cx; mov byte ptr [0x20fff],5; mov [0x20030],ecx */);
    map_mmio(&t);
    ok(uct_run(&t));
    uct_expect(&t, "R10:4 R21:1 W8:2=2211 Wfff:1=5 W30:4=44332211");
    assert_int_equal(uct_get(&t, UC_X86_REG_RCX), 0x44332211);
    assert_int_equal(uct_get(&t, UC_X86_REG_AL), 0x11);
    if (DIFFERS("mmio-pc", "the pc that callbacks read is that of the block")) {
        t.with_pc = true;
        ok(uct_run(&t));
        uct_expect(&t, "R10:4@1000 R21:1@1007 W8:2=2211@100e Wfff:1=5@1016 W30:4=44332211@101e");
    }
    uct_close(&t);
}

/* Hooks see the access as the guest made it. */
static void test_hooks(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x8b\x0c\x25\x10\x00\x02\x00\x89\x0c\x25\x14\x00\x02\x00") /* mov ecx,[0x20010]; mov [0x20014],ecx */);
    map_mmio(&t);
    uct_log(&t, "rwa");
    ok(uct_run(&t));
    uct_expect(&t, "r20010:4 R10:4 a20010:4=44332211 w20014:4=44332211 W14:4=44332211");
    uct_close(&t);
}

static void test_wide(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x48\x8b\x0c\x25\x10\x00\x02\x00\x48\x89\x0c\x25\x18\x00\x02\x00") /* mov rcx,[0x20010]; mov [0x20018],rcx */);
    map_mmio(&t);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_RCX) & 0xffffffff, 0x44332211);
    if (DIFFERS("mmio-wide", "8 bytes arrive as two times 4"))
        uct_expect(&t, "R10:8 W18:8=8877665544332211");
    else
        uct_expect(&t, "R10:4 R14:4 W18:4=44332211 W1c:4=44332211");
    uct_close(&t);
}

static void test_unaligned(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x8b\x0c\x25\x03\x00\x02\x00\x89\x0c\x25\x05\x00\x02\x00") /* mov ecx,[0x20003]; mov [0x20005],ecx */);
    map_mmio(&t);
    ok(uct_run(&t));
    if (DIFFERS("mmio-unaligned", "both words that it lies on are read")) {
        uct_expect(&t, "R3:1 R4:2 R6:1 W5:1=11 W6:2=2211 W8:1=11");
        assert_int_equal(uct_get(&t, UC_X86_REG_RCX), 0x11221111);
    }
    uct_close(&t);
}

/* uc_mem_read and uc_mem_write reach it, in aligned pieces of at most 4 bytes. */
static void test_calls(void **state)
{
    uint8_t b[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    map_mmio(&t);
    ok(uc_mem_write(t.uc, MMIO + 0x10, b, 4));
    ok(uc_mem_read(t.uc, MMIO + 0x20, b, 4));
    uct_expect(&t, "W10:4=4030201 R20:4");
    assert_int_equal(b[0], 0x11);
    assert_int_equal(b[3], 0x44);
    ok(uc_mem_write(t.uc, MMIO + 1, b, 6));
    uct_expect(&t, "W1:1=11 W2:2=3322 W4:2=544 W6:1=6");
    uct_close(&t);
}

static void test_fetch(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\xb8\x00\x00\x02\x00\xff\xe0") /* mov eax,0x20000; jmp rax */);
    map_mmio(&t);
    fails(uct_run(&t), UC_ERR_FETCH_PROT);
    assert_int_equal(uct_pc(&t), MMIO);
    uct_close(&t);
}

static void test_one_way(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x48\x89\x0c\x25\x00\x00\x02\x00") /* mov [0x20000],rcx */);
    ok(uc_mmio_map(t.uc, MMIO, 0x1000, mmio_read, &t, NULL, NULL));
    ok(uc_mmio_map(t.uc, MMIO + 0x1000, 0x1000, NULL, NULL, mmio_write, &t));
    fails(uct_run(&t), UC_ERR_WRITE_PROT);
    uct_code(&t, CODE, BYTES("\x48\x8b\x0c\x25\x00\x10\x02\x00") /* mov rcx,[0x21000] */);
    if (DIFFERS("mmio-write-only", "FETCH_PROT for a read"))
        fails(uct_run(&t), UC_ERR_READ_PROT);
    uct_expect(&t, "");
    uct_close(&t);
}

static void stop_on_read(uc_engine *uc, uint64_t offset, unsigned size, uint64_t v, void *user)
{
    (void)offset;
    (void)size;
    (void)v;
    (void)user;
    ok(uc_emu_stop(uc));
}

static void test_stop_in_callback(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x89\x0c\x25\x00\x00\x02\x00\xeb\x00\x48\xff\xc0") /* mov [0x20000],ecx; jmp e; e: inc rax */);
    ok(uc_mmio_map(t.uc, MMIO, 0x1000, mmio_read, &t, stop_on_read, &t));
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 0);
    uct_close(&t);
}

static void test_arm(void **state)
{
    struct uct t;

    (void)state;
    uct_arm(
        &t, UC_MODE_ARM,
        BYTES("\x02\x08\xa0\xe3\x04\x10\x90\xe5\x09\x20\xd0\xe5\xbc\x10\xc0\xe1\xf2\x30\xd0\xe1") /* mov r0,#0x20000; ldr r1,[r0,#4]; ldrb r2,[r0,#9]; strh r1,[r0,#12]; ldrsh r3,[r0,#2] */);
    map_mmio(&t);
    ok(uct_run(&t));
    uct_expect(&t, "R4:4 R9:1 Wc:2=2211 R2:2");
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), 0x44332211);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R2), 0x11);
    uct_close(&t);
}

/* ---- addresses that are translated ---- */

static void test_vmem_flat(void **state)
{
    uct_vmem_read read = (uct_vmem_read)uct_function("uc_vmem_read");
    uct_vmem_read write = (uct_vmem_read)uct_function("uc_vmem_write");
    uct_vmem_translate translate = (uct_vmem_translate)uct_function("uc_vmem_translate");
    uint64_t v = 0x1122334455667788, pa = 0;
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    for (int prot = 0; prot <= 8; prot++) {
        bool fine = prot == UC_PROT_READ || prot == UC_PROT_WRITE || prot == UC_PROT_EXEC;
        uc_err e = fine ? UC_ERR_OK : UC_ERR_ARG;

        fails(write(t.uc, DATA, (uc_prot)prot, &v, 8), e);
        fails(translate(t.uc, 0x1234, (uc_prot)prot, &pa), e);
        if (prot != UC_PROT_WRITE)
            fails(read(t.uc, DATA, (uc_prot)prot, &v, 8), e);
    }
    assert_int_equal(pa, 0x1234);
    assert_int_equal(uct_mem(&t, DATA, 8), 0x1122334455667788);
    if (DIFFERS("vmem-read-as-write", "READ_PROT although the documentation allows it"))
        ok(read(t.uc, DATA, UC_PROT_WRITE, &v, 8));
    fails(read(t.uc, NOWHERE, UC_PROT_READ, &v, 8), UC_ERR_READ_PROT);
    fails(write(t.uc, NOWHERE, UC_PROT_WRITE, &v, 8), UC_ERR_WRITE_PROT);
    ok(read(t.uc, NOWHERE, UC_PROT_READ, &v, 0));
    /* It is the guest's tables that are asked, of which there are none: not what memory allows. */
    ok(uc_mem_map(t.uc, MMIO, 0x1000, UC_PROT_READ));
    for (int prot = 1; prot <= 4; prot *= 2) {
        ok(translate(t.uc, MMIO + 8, (uc_prot)prot, &pa));
        assert_int_equal(pa, MMIO + 8);
        ok(translate(t.uc, NOWHERE + 16, (uc_prot)prot, &pa));
        assert_int_equal(pa, NOWHERE + 16);
        v = (uint64_t)prot;
        ok(write(t.uc, MMIO, (uc_prot)prot, &v, 8));
        assert_int_equal(uct_mem(&t, MMIO, 8), prot);
    }
    ok(read(t.uc, MMIO, UC_PROT_EXEC, &v, 8));
    uct_close(&t);
}

/* VA 0..64 KiB are themselves, 0x200000 is page 0x2000 for reading only, 0x201000 is page 0x3000.
 */
static void paging(struct uct *t)
{
    ok(uc_mem_map(t->uc, 0x20000, 0x10000, 3));
    uct_poke(t, 0x20000, 0x21003, 8);
    uct_poke(t, 0x21000, 0x22003, 8);
    uct_poke(t, 0x22000, 0x23003, 8);
    uct_poke(t, 0x22008, 0x24003, 8);
    for (unsigned i = 0; i < 16; i++)
        uct_poke(t, 0x23000 + 8 * i, i << 12 | 3, 8);
    uct_poke(t, 0x24000, 0x2001, 8);
    uct_poke(t, 0x24008, 0x3003, 8);
    uct_set(t, UC_X86_REG_CR3, 0x20000);
    uct_set(t, UC_X86_REG_CR4, uct_get(t, UC_X86_REG_CR4) | 0x20);
}

static void test_paging(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(
        &t, 64,
        BYTES("\x48\x8b\x04\x25\x08\x00\x20\x00\x48\x89\x04\x25\x00\x10\x20\x00\x48\x89\x04\x25\x10"
              "\x00\x20\x00") /* mov rax,[0x200008]; mov [0x201000],rax; mov [0x200010],rax */);
    paging(&t);
    uct_set(&t, UC_X86_REG_CR0, 0x80000011);
    uct_poke(&t, 0x2008, 0x5555, 8);
    uct_log(&t, "rwf");
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 0x5555);
    assert_int_equal(uct_mem(&t, 0x3000, 8), 0x5555);
    assert_int_equal(uct_mem(&t, 0x2010, 8), 0x5555); /* CR0.WP is clear */
    uct_expect(&t, "r2008:8 w3000:8=5555 w2010:8=5555");
    uct_close(&t);
}

static void test_paging_by_guest(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(
        &t,
        64, BYTES("\x0f\x20\xc0\x48\x0f\xba\xe8\x1f\x0f\x22\xc0\x48\x8b\x0c\x25\x08\x00\x20\x00\x48\x0f\xba\xf0\x1f\x0f\x22\xc0\x48\x8b\x14\x25\x08\x20\x00\x00") /* mov rax,cr0; bts rax,31; mov cr0,rax; mov rcx,[0x200008]; btr rax,31; mov cr0,rax; mov rdx,[0x2008] */);
    paging(&t);
    uct_poke(&t, 0x2008, 0x5555, 8);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_RCX), 0x5555);
    assert_int_equal(uct_get(&t, UC_X86_REG_RDX), 0x5555);
    uct_close(&t);
}

static void test_page_fault(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(&t, 64, BYTES("\x90\x48\x8b\x04\x25\x23\x01\x30\x00") /* nop; mov rax,[0x300123] */);
    paging(&t);
    uct_set(&t, UC_X86_REG_CR0, 0x80000011);
    fails(uct_run(&t), UC_ERR_EXCEPTION);
    assert_int_equal(uct_get(&t, UC_X86_REG_CR2), 0x300123);
    assert_int_equal(uct_pc(&t), CODE + 1);
    uct_close(&t);

    uct_x86(&t, 64, BYTES("\x90\x48\x8b\x04\x25\x23\x01\x30\x00") /* nop; mov rax,[0x300123] */);
    paging(&t);
    uct_set(&t, UC_X86_REG_CR0, 0x80000011);
    t.limit = 1;
    uct_log(&t, "ipf");
    ok(uct_run(&t));
    uct_expect(&t, "ie@1001");
    uct_close(&t);
}

static void test_vmem_paging(void **state)
{
    uct_vmem_read read = (uct_vmem_read)uct_function("uc_vmem_read");
    uct_vmem_read write = (uct_vmem_read)uct_function("uc_vmem_write");
    uct_vmem_translate translate = (uct_vmem_translate)uct_function("uc_vmem_translate");
    uint64_t v = 0, pa = 0;
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    paging(&t);
    uct_set(&t, UC_X86_REG_CR0, 0x80000011);
    ok(translate(t.uc, 0x200123, UC_PROT_READ, &pa));
    assert_int_equal(pa, 0x2123);
    ok(translate(t.uc, 0x201fff, UC_PROT_WRITE, &pa));
    assert_int_equal(pa, 0x3fff);
    fails(translate(t.uc, 0x300000, UC_PROT_READ, &pa), UC_ERR_READ_PROT);
    fails(translate(t.uc, 0x300000, UC_PROT_WRITE, &pa), UC_ERR_WRITE_PROT);
    fails(translate(t.uc, 0x300000, UC_PROT_EXEC, &pa), UC_ERR_FETCH_PROT);
    uct_poke(&t, 0x2ffc, 0x1122334455667788, 8);
    ok(read(t.uc, 0x200ffc, UC_PROT_READ, &v, 8)); /* two pages */
    assert_int_equal(v, 0x1122334455667788);
    v = 7;
    ok(write(t.uc, 0x201010, UC_PROT_WRITE, &v, 8));
    assert_int_equal(uct_mem(&t, 0x3010, 8), 7);
    fails(read(t.uc, 0x300000, UC_PROT_READ, &v, 8), UC_ERR_READ_PROT);
    fails(write(t.uc, 0x300000, UC_PROT_WRITE, &v, 8), UC_ERR_WRITE_PROT);
    uct_close(&t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refuses),    cmocka_unit_test(test_regions),
        cmocka_unit_test(test_guest),      cmocka_unit_test(test_hooks),
        cmocka_unit_test(test_wide),       cmocka_unit_test(test_unaligned),
        cmocka_unit_test(test_calls),      cmocka_unit_test(test_fetch),
        cmocka_unit_test(test_one_way),    cmocka_unit_test(test_stop_in_callback),
        cmocka_unit_test(test_arm),        cmocka_unit_test(test_vmem_flat),
        cmocka_unit_test(test_paging),     cmocka_unit_test(test_paging_by_guest),
        cmocka_unit_test(test_page_fault), cmocka_unit_test(test_vmem_paging),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
