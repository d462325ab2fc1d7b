/* The MMU of ARM: aborts, hooks, privilege, maintenance. Random tables are in test_arm_translate.c.
 */
#include "uc_test.h"

#define RAM   0x100000 /* 1 MiB, beside the 64 KiB of code */
#define L1    0x104000
#define L2    0x108000
#define PAGES 0x110000 /* pages of memory */

/* Virtual addresses, one section each. */
#define MAPPED    0x200000 /* RAM, privileged only */
#define READ_ONLY 0x300000
#define FOR_ALL   0x400000
#define NO_CODE   0x500000
#define DOMAIN_1  0x600000 /* no access */
#define HOLE      0x700000 /* memory that is not there */
#define SMALL     0x800000 /* L2 */
#define ABSENT    0x900000

#define SECTION(pa, ap)   ((pa) | (ap) << 10 | 2)
#define READ_ONLY_SECTION (1u << 15 | RAM | 2 << 10 | 2)

static uint64_t cp_get(struct uct *t, uint32_t crn, uint32_t crm, uint32_t opc1, uint32_t opc2)
{
    uc_arm_cp_reg r = {.cp = 15, .crn = crn, .crm = crm, .opc1 = opc1, .opc2 = opc2};

    ok(uc_reg_read(t->uc, UC_ARM_REG_CP_REG, &r));
    return r.val;
}

static void cp_set(struct uct *t, uint32_t crn, uint32_t crm, uint32_t opc2, uint64_t v)
{
    uc_arm_cp_reg r = {.cp = 15, .crn = crn, .crm = crm, .opc2 = opc2, .val = v};

    ok(uc_reg_write(t->uc, UC_ARM_REG_CP_REG, &r));
}

static void cp_set_wide(struct uct *t, uint32_t opc1, uint32_t crm, uint64_t v)
{
    uc_arm_cp_reg r = {.cp = 15, .is64 = 1, .opc1 = opc1, .crm = crm, .val = v};

    ok(uc_reg_write(t->uc, UC_ARM_REG_CP_REG, &r));
}

static void turn_on(struct uct *t)
{
    cp_set(t, 1, 0, 0, cp_get(t, 1, 0, 0, 0) | 1);
}

static void tables(struct uct *t)
{
    static const uint32_t sections[] = {
        SECTION(0, 3),
        0,
        SECTION(RAM, 1),
        READ_ONLY_SECTION,
        SECTION(RAM, 3),
        SECTION(RAM, 3) | 1 << 4,
        SECTION(RAM, 3) | 1 << 5,
        SECTION(HOLE, 3),
        L2 | 1,
    };

    ok(uc_mem_map(t->uc, RAM, 0x100000, UC_PROT_ALL));
    ok(uc_mem_write(t->uc, L1, sections, sizeof sections));
    uct_poke(t, L2, PAGES | 0x32, 4); /* small, for all */
    uct_poke(t, L2 + 4, (PAGES + 0x2000) | 0x32, 4);
    uct_poke(t, PAGES, 0x11111111, 4);
    uct_poke(t, PAGES + 0x2000, 0x22222222, 4);
    cp_set(t, 2, 0, 0, L1);
    cp_set(t, 3, 0, 0, 1); /* domain 0: client */
}

static void start(struct uct *t, const uint8_t *code, size_t n)
{
    uct_arm(t, UC_MODE_ARM, code, n);
    tables(t);
    turn_on(t);
    uct_set(t, UC_ARM_REG_R0, 0x55);
}

/* What the access of one instruction at VA comes to, in the mode of CPSR. */
static void try_at(struct uct *t, uint32_t va, uint32_t cpsr, uc_err error, const char *log)
{
    uct_set(t, UC_ARM_REG_R1, va);
    uct_set(t, UC_ARM_REG_CPSR, cpsr);
    fails(uct_run(t), error);
    uct_expect(t, log);
}

#define USER 0x1d0
#define SVC  0x1d3

static void test_loads(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    start(&t, BYTES("\x00\x00\x91\xe5") /* ldr r0,[r1] */);
    uct_log(&t, "F");
    try_at(&t, MAPPED, SVC, UC_ERR_OK, "");
    try_at(&t, MAPPED, USER, UC_ERR_EXCEPTION, "");
    assert_int_equal(uct_pc(&t), CODE);
    try_at(&t, READ_ONLY, USER, UC_ERR_OK, "");
    try_at(&t, FOR_ALL, USER, UC_ERR_OK, "");
    try_at(&t, NO_CODE, USER, UC_ERR_OK, "");
    try_at(&t, DOMAIN_1, SVC, UC_ERR_EXCEPTION, "");
    try_at(&t, ABSENT, SVC, UC_ERR_EXCEPTION, "");
    try_at(&t, SMALL + 0x1000, USER, UC_ERR_OK, "");
    assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 0x22222222);
    try_at(&t, SMALL + 0x2000, USER, UC_ERR_EXCEPTION, "");
    /* Memory that is not there is no matter of the MMU. */
    try_at(&t, HOLE, SVC, UC_ERR_READ_UNMAPPED, "ru700000:4");
    uct_close(&t);
}

static void test_interrupts(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    start(&t, BYTES("\x00\x00\x81\xe5") /* str r0,[r1] */);
    uct_log(&t, "iFp");
    t.limit = 1;
    try_at(&t, ABSENT, SVC, UC_ERR_OK, "i4@1000");
    try_at(&t, READ_ONLY, SVC, UC_ERR_OK, "i4@1000");
    try_at(&t, READ_ONLY, USER, UC_ERR_OK, "i4@1000");
    try_at(&t, FOR_ALL, USER, UC_ERR_OK, "");
    uct_close(&t);
}

static void skip_insn(uc_engine *uc, uint32_t number, void *user)
{
    struct uct *t = user;
    uint32_t pc = (uint32_t)uct_pc(t) + 4;

    uct_add(t, "i%x", number);
    ok(uc_reg_write(uc, UC_ARM_REG_PC, &pc));
}

static void leave_fetch(uc_engine *uc, uint32_t number, void *user)
{
    uint32_t pc = CODE + 4;

    uct_add(user, "i%x@%x", number, (unsigned)uct_pc(user));
    ok(uc_reg_write(uc, UC_ARM_REG_PC, &pc));
}

static void test_served(void **state)
{
    struct uct t;
    uc_hook hook;

    (void)state;
    NEEDS_2_1();
    start(&t, BYTES("\x00\x00\x91\xe5\x07\x20\xa0\xe3") /* ldr r0,[r1]; mov r2,#7 */);
    hook = uct_hook(&t, UC_HOOK_INTR, (void *)skip_insn);
    try_at(&t, ABSENT, SVC, UC_ERR_OK, "i4");
    assert_int_equal(uct_get(&t, UC_ARM_REG_R2), 7);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 0x55);
    ok(uc_hook_del(t.uc, hook));
    uct_code(&t, CODE, BYTES("\x01\xf0\xa0\xe1\x08\x20\xa0\xe3") /* mov pc,r1; mov r2,#8 */);
    uct_hook(&t, UC_HOOK_INTR, (void *)leave_fetch);
    try_at(&t, ABSENT + 8, SVC, UC_ERR_OK, "i3@900008");
    assert_int_equal(uct_get(&t, UC_ARM_REG_R2), 8);
    uct_close(&t);
}

static void test_fetches(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    start(&t, BYTES("\x01\xf0\xa0\xe1") /* mov pc,r1 */);
    uct_log(&t, "");
    try_at(&t, ABSENT, SVC, UC_ERR_EXCEPTION, "");
    assert_int_equal(uct_pc(&t), ABSENT);
    try_at(&t, NO_CODE, SVC, UC_ERR_EXCEPTION, "");
    try_at(&t, MAPPED, USER, UC_ERR_EXCEPTION, "");
    try_at(&t, HOLE, SVC, UC_ERR_FETCH_UNMAPPED, "");
    uct_close(&t);
}

static void test_unprivileged(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    start(&t, BYTES("\x00\x00\xb1\xe4") /* ldrt r0,[r1] */);
    uct_log(&t, "");
    try_at(&t, MAPPED, SVC, UC_ERR_EXCEPTION, "");
    assert_int_equal(uct_get(&t, UC_ARM_REG_R1), MAPPED);
    try_at(&t, FOR_ALL, SVC, UC_ERR_OK, "");
    uct_close(&t);
}

static void test_fault_registers(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    start(&t, BYTES("\x00\x00\x81\xe5") /* str r0,[r1] */);
    uct_log(&t, "");
    try_at(&t, ABSENT + 0x10, SVC, UC_ERR_EXCEPTION, "");
    assert_int_equal(uct_get(&t, UC_ARM_REG_ESR), 0x9600007f);
    if (DIFFERS("arm-fault-registers", "they say what the abort was")) {
        assert_int_equal(cp_get(&t, 5, 0, 0, 0), 0x805); /* translation, a write */
        assert_int_equal(cp_get(&t, 6, 0, 0, 0), ABSENT + 0x10);
        try_at(&t, DOMAIN_1, SVC, UC_ERR_EXCEPTION, "");
        assert_int_equal(cp_get(&t, 5, 0, 0, 0), 0x819);
        try_at(&t, SMALL + 0x5004, SVC, UC_ERR_EXCEPTION, "");
        assert_int_equal(cp_get(&t, 5, 0, 0, 0), 0x807);
        assert_int_equal(cp_get(&t, 6, 0, 0, 0), SMALL + 0x5004);
        uct_code(&t, CODE, BYTES("\x01\xf0\xa0\xe1") /* mov pc,r1 */);
        try_at(&t, NO_CODE + 4, SVC, UC_ERR_EXCEPTION, "");
        assert_int_equal(cp_get(&t, 5, 0, 0, 1), 0xd);
        assert_int_equal(cp_get(&t, 6, 0, 0, 2), NO_CODE + 4);
    }
    uct_close(&t);
}

/* The guest does all of it: tables, domains, the switch, a change and what makes it seen. */
static void test_by_guest(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_arm(
        &t,
        UC_MODE_ARM, BYTES("\x10\x0f\x02\xee\x01\x10\xa0\xe3\x10\x1f\x03\xee\x10\x1f\x11\xee\x01\x10\x81\xe3\x10\x1f\x01\xee\x00\x30\x92\xe5\x00\x50\x84\xe5\x37\x2f\x08\xee\x00\x60\x92\xe5\x01\x10\xc1\xe3\x10\x1f\x01\xee\x00\x70\x98\xe5") /* mcr p15,0,r0,c2,c0,0; mov r1,#1; mcr p15,0,r1,c3,c0,0; mrc p15,0,r1,c1,c0,0; orr r1,r1,#1; mcr p15,0,r1,c1,c0,0; ldr r3,[r2]; str r5,[r4]; mcr p15,0,r2,c8,c7,1; ldr r6,[r2]; bic r1,r1,#1; mcr p15,0,r1,c1,c0,0; ldr r7,[r8] */);
    tables(&t);
    uct_poke(&t, L1 + 4, SECTION(RAM, 3), 4); /* where the tables are */
    cp_set(&t, 2, 0, 0, 0);
    cp_set(&t, 3, 0, 0, 0);
    uct_set(&t, UC_ARM_REG_R0, L1);
    uct_set(&t, UC_ARM_REG_R2, SMALL);
    uct_set(&t, UC_ARM_REG_R4, L2);
    uct_set(&t, UC_ARM_REG_R5, (PAGES + 0x2000) | 0x32);
    uct_set(&t, UC_ARM_REG_R8, PAGES);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R3), 0x11111111);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R6), 0x22222222);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R7), 0x11111111);
    uct_close(&t);
}

/* Code is that of the page that is mapped. */
static void test_code_moves(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    start(&t, BYTES("\x31\xff\x2f\xe1\x00\x50\x84\xe5\x17\x0f\x08\xee\x31\xff\x2f\xe1") /* blx r1; str r5,[r4]; mcr p15,0,r0,c8,c7,0; blx r1 */);
    uct_poke(&t, L1 + 4, SECTION(RAM, 3), 4);
    ok(uc_mem_write(t.uc, PAGES, "\x01\x60\x86\xe2\x1e\xff\x2f\xe1", 8) /* add r6,#1; bx lr */);
    ok(uc_mem_write(t.uc, PAGES + 0x2000, "\x10\x60\x86\xe2\x1e\xff\x2f\xe1", 8) /* add r6,#16 */);
    uct_set(&t, UC_ARM_REG_R1, SMALL);
    uct_set(&t, UC_ARM_REG_R4, L2);
    uct_set(&t, UC_ARM_REG_R5, (PAGES + 0x2000) | 0x32);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R6), 0x11);
    uct_close(&t);
}

static void test_virtual_memory(void **state)
{
    uct_vmem_read read = (uct_vmem_read)uct_function("uc_vmem_read");
    uct_vmem_translate translate = (uct_vmem_translate)uct_function("uc_vmem_translate");
    struct uct t;
    uint64_t pa = 0;
    uint32_t v = 0;

    (void)state;
    NEEDS_2_1();
    start(&t, BYTES("\x00\xf0\x20\xe3") /* nop */);
    ok(translate(t.uc, SMALL + 0x1004, UC_PROT_WRITE, &pa));
    assert_int_equal(pa, PAGES + 0x2004);
    ok(read(t.uc, SMALL + 0x1000, UC_PROT_READ, &v, 4));
    assert_int_equal(v, 0x22222222);
    fails(translate(t.uc, READ_ONLY, UC_PROT_WRITE, &pa), UC_ERR_WRITE_PROT);
    fails(translate(t.uc, NO_CODE, UC_PROT_EXEC, &pa), UC_ERR_FETCH_PROT);
    fails(translate(t.uc, ABSENT, UC_PROT_READ, &pa), UC_ERR_READ_PROT);
    /* The rights are those of the mode. */
    ok(translate(t.uc, MAPPED, UC_PROT_READ, &pa));
    uct_set(&t, UC_ARM_REG_CPSR, USER);
    fails(translate(t.uc, MAPPED, UC_PROT_READ, &pa), UC_ERR_READ_PROT);
    uct_close(&t);
}

/* mcr p15,0,r1,c7,c8,N; mrc p15,0,r0,c7,c4,0 */
static uint32_t ask(struct uct *t, uint32_t va, unsigned n)
{
    uint32_t code[] = {0xee071f18 | n << 5, 0xee170f14};

    uct_code(t, CODE, (const uint8_t *)code, sizeof code);
    uct_set(t, UC_ARM_REG_R1, va);
    ok(uc_ctl_remove_cache(t->uc, CODE, CODE + 8));
    ok(uct_run(t));
    return (uint32_t)uct_get(t, UC_ARM_REG_R0);
}

static void test_address_translation(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    start(&t, BYTES("\x00\xf0\x20\xe3") /* nop */);
    assert_int_equal(ask(&t, SMALL + 0x1234, 0) & ~0xfffu, PAGES + 0x2000);
    assert_int_equal(ask(&t, READ_ONLY, 0) & 1, 0);
    assert_int_equal(ask(&t, READ_ONLY, 1), 0xd << 1 | 1);
    assert_int_equal(ask(&t, MAPPED, 1) & 1, 0);
    assert_int_equal(ask(&t, MAPPED, 2), 0xd << 1 | 1);
    assert_int_equal(ask(&t, ABSENT, 3), 0x5 << 1 | 1);
    uct_close(&t);
}

/* An access over two pages needs both. */
static void test_two_pages(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    start(&t, BYTES("\x00\x00\x91\xe5") /* ldr r0,[r1] */);
    uct_log(&t, "");
    uct_poke(&t, PAGES + 0xffc, 0xaabbccdd, 4);
    try_at(&t, SMALL + 0xffe, SVC, UC_ERR_OK, "");
    assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 0x2222aabb);
    try_at(&t, SMALL + 0x1ffe, SVC, UC_ERR_EXCEPTION, "");
    uct_close(&t);
}

/* DOMAIN_1 becomes accessible by DACR alone, and with it read-only for managers is nothing. */
static void test_domains(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    start(&t, BYTES("\x10\x2f\x03\xee\x00\x00\x81\xe5") /* mcr p15,0,r2,c3,c0,0; str r0,[r1] */);
    uct_log(&t, "");
    uct_set(&t, UC_ARM_REG_R2, 5);
    try_at(&t, DOMAIN_1, SVC, UC_ERR_OK, "");
    try_at(&t, READ_ONLY, SVC, UC_ERR_EXCEPTION, "");
    uct_set(&t, UC_ARM_REG_R2, 3);
    try_at(&t, READ_ONLY, SVC, UC_ERR_OK, "");
    try_at(&t, DOMAIN_1, SVC, UC_ERR_EXCEPTION, "");
    uct_close(&t);
}

/* The process identifier of the FCSE is added to low addresses. */
static void test_process_identifier(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    start(&t, BYTES("\x00\x00\x91\xe5") /* ldr r0,[r1] */);
    uct_log(&t, "");
    for (uint32_t n = 0; n < 16; n++)
        uct_poke(&t, L1 + 0x80 + 4 * n, uct_mem(&t, L1 + 4 * n, 4), 4);
    uct_poke(&t, L1 + 0x80 + 4 * (SMALL >> 20), SECTION(RAM, 3), 4);
    uct_poke(&t, RAM + 8, 0x77, 4);
    cp_set(&t, 13, 0, 0, 0x02000000);
    try_at(&t, SMALL + 8, SVC, UC_ERR_OK, "");
    assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 0x77);
    try_at(&t, 0x02000000 + MAPPED + 8, SVC, UC_ERR_OK, "");
    cp_set(&t, 13, 0, 0, 0);
    uct_close(&t);
}

static void test_context(void **state)
{
    struct uct t;
    uc_context *saved;

    (void)state;
    NEEDS_2_1();
    start(&t, BYTES("\x00\x00\x91\xe5") /* ldr r0,[r1] */);
    uct_log(&t, "");
    saved = uct_saved(&t);
    cp_set(&t, 1, 0, 0, cp_get(&t, 1, 0, 0, 0) & ~1u);
    try_at(&t, SMALL, SVC, UC_ERR_READ_UNMAPPED, "");
    ok(uc_context_restore(t.uc, saved));
    try_at(&t, SMALL, SVC, UC_ERR_OK, "");
    assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 0x11111111);
    ok(uc_context_free(saved));
    uct_close(&t);
}

/* Long descriptors reach memory beyond 4 GiB. */
static void test_high_memory(void **state)
{
    uct_vmem_translate translate = (uct_vmem_translate)uct_function("uc_vmem_translate");
    const uint64_t high = 0x180000000;
    uint64_t pa = 0;
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_arm(&t, UC_MODE_ARM,
            BYTES("\x00\x00\x81\xe5\x00\x20\x91\xe5") /* str r0,[r1]; ldr r2,[r1] */);
    ok(uc_mem_map(t.uc, RAM, 0x100000, UC_PROT_ALL));
    ok(uc_mem_map(t.uc, high, 0x200000, UC_PROT_ALL));
    uct_poke(&t, L1, L2 | 3, 8);
    uct_poke(&t, L2, 0 | 1 << 10 | 1 << 6 | 1, 8);
    uct_poke(&t, L2 + 8, high | 1 << 10 | 1 << 6 | 1, 8);
    cp_set(&t, 2, 0, 2, 1u << 31);
    cp_set_wide(&t, 0, 2, L1);
    turn_on(&t);
    uct_set(&t, UC_ARM_REG_R0, 0xabcd1234);
    uct_set(&t, UC_ARM_REG_R1, 0x200010);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_ARM_REG_R2), 0xabcd1234);
    assert_int_equal(uct_mem(&t, high + 0x10, 4), 0xabcd1234);
    ok(translate(t.uc, 0x200010, UC_PROT_READ, &pa));
    if (DIFFERS("arm-translate-high", "uc_vmem_translate gives all bits"))
        assert_int_equal(pa, high + 0x10);
    uct_close(&t);
}

static void open_model(struct uct *t, int cpu, const uint8_t *code, size_t n)
{
    *t = (struct uct){.uc = uct_open(UC_ARCH_ARM, UC_MODE_ARM), .limit = 400, .begin = CODE};
    ok(uc_ctl_set_cpu_model(t->uc, cpu));
    ok(uc_mem_map(t->uc, 0, 0x100000, UC_PROT_ALL));
    uct_code(t, CODE, code, n);
    t->arch = UC_ARCH_ARM;
    uct_log(t, "");
}

static void region(struct uct *t, uint32_t number, uint32_t base, uint32_t size, uint32_t access)
{
    cp_set(t, 6, 2, 0, number);
    cp_set(t, 6, 1, 0, base);
    cp_set(t, 6, 1, 2, size);
    cp_set(t, 6, 1, 4, access);
}

/* Protection regions: the highest that an address is in decides. */
static void test_regions(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    open_model(&t, UC_CPU_ARM_CORTEX_R5, BYTES("\x00\x00\x81\xe5") /* str r0,[r1] */);
    region(&t, 0, 0, 15 << 1 | 1, 0x300);               /* 64 KiB for all */
    region(&t, 1, 0x8000, 11 << 1 | 1, 0x100);          /* 4 KiB, privileged */
    region(&t, 2, 0x9000, 11 << 1 | 1, 0x600);          /* read only */
    region(&t, 3, 0xc000, 12 << 1 | 1 | 4 << 8, 0x000); /* nobody, but for its third part */
    region(&t, 4, 0xe000, 7 << 1 | 1, 0x600);           /* 256 bytes */
    turn_on(&t);
    ok(uc_ctl_flush_tlb(t.uc));
    try_at(&t, 0x7000, USER, UC_ERR_OK, "");
    try_at(&t, 0x8000, USER, UC_ERR_EXCEPTION, "");
    try_at(&t, 0x8000, SVC, UC_ERR_OK, "");
    try_at(&t, 0x9000, SVC, UC_ERR_EXCEPTION, "");
    try_at(&t, 0xc000, SVC, UC_ERR_EXCEPTION, "");
    try_at(&t, 0xc800, SVC, UC_ERR_OK, "");
    try_at(&t, 0xcc00, SVC, UC_ERR_EXCEPTION, "");
    try_at(&t, 0xe100, SVC, UC_ERR_OK, "");
    try_at(&t, 0xe0fc, SVC, UC_ERR_EXCEPTION, "");
    try_at(&t, 0x20000, SVC, UC_ERR_EXCEPTION, "");
    cp_set(&t, 1, 0, 0, cp_get(&t, 1, 0, 0, 0) | 1 << 17); /* BR */
    ok(uc_ctl_flush_tlb(t.uc));
    try_at(&t, 0x20000, SVC, UC_ERR_OK, "");
    try_at(&t, 0x20000, USER, UC_ERR_EXCEPTION, "");
    uct_close(&t);
}

static void test_regions_946(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    open_model(&t, UC_CPU_ARM_946, BYTES("\x00\x00\x81\xe5") /* str r0,[r1] */);
    cp_set(&t, 6, 0, 0, 15 << 1 | 1);
    cp_set(&t, 6, 1, 0, 0x8000 | 11 << 1 | 1);
    cp_set(&t, 6, 2, 0, 0x9000 | 11 << 1 | 1);
    cp_set(&t, 5, 0, 2, 0x613); /* read only, privileged, all */
    cp_set(&t, 5, 0, 3, 0x003);
    assert_int_equal(cp_get(&t, 5, 0, 0, 0), 0x27);
    turn_on(&t);
    ok(uc_ctl_flush_tlb(t.uc));
    try_at(&t, 0x7000, USER, UC_ERR_OK, "");
    try_at(&t, 0x8000, USER, UC_ERR_EXCEPTION, "");
    try_at(&t, 0x8000, SVC, UC_ERR_OK, "");
    if (DIFFERS("arm946-read-only", "what may only be read is not written"))
        try_at(&t, 0x9000, SVC, UC_ERR_EXCEPTION, "");
    try_at(&t, 0x20000, SVC, UC_ERR_EXCEPTION, "");
    uct_close(&t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loads),
        cmocka_unit_test(test_interrupts),
        cmocka_unit_test(test_served),
        cmocka_unit_test(test_fetches),
        cmocka_unit_test(test_unprivileged),
        cmocka_unit_test(test_fault_registers),
        cmocka_unit_test(test_by_guest),
        cmocka_unit_test(test_code_moves),
        cmocka_unit_test(test_virtual_memory),
        cmocka_unit_test(test_address_translation),
        cmocka_unit_test(test_two_pages),
        cmocka_unit_test(test_domains),
        cmocka_unit_test(test_process_identifier),
        cmocka_unit_test(test_context),
        cmocka_unit_test(test_high_memory),
        cmocka_unit_test(test_regions),
        cmocka_unit_test(test_regions_946),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
