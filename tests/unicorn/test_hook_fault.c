/* Accesses to what is not mapped or not permitted: errors, hooks, retries. */
#include "uc_test.h"

#define RO 0x100000
#define WO 0x101000
#define XO 0x102000

static void map_protected(struct uct *t)
{
    ok(uc_mem_map(t->uc, RO, 0x1000, UC_PROT_READ));
    ok(uc_mem_map(t->uc, WO, 0x1000, UC_PROT_WRITE));
    ok(uc_mem_map(t->uc, XO, 0x1000, UC_PROT_EXEC));
    uct_poke(t, RO, 0x9090909090909090, 8);
    uct_poke(t, XO, 0x9090909090909090, 8);
}

/* The run fails so, with the pc there, and without hooks and with hooks that say no alike. */
static void check(const uint8_t *code, size_t n, uc_err error, uint64_t pc, const char *log)
{
    struct uct t;

    for (int i = 0; i < 2; i++) {
        uct_x86(&t, 64, code, n);
        map_protected(&t);
        uct_set(&t, UC_X86_REG_RCX, 0x55);
        if (i)
            uct_log(&t, "F");
        fails(uct_run(&t), error);
        assert_int_equal(uct_pc(&t), pc);
        assert_int_equal(uct_get(&t, UC_X86_REG_RCX), 0x55);
        assert_int_equal(uct_get(&t, UC_X86_REG_RSP), STACK);
        if (i)
            uct_expect(&t, log);
        uct_close(&t);
    }
}

static void test_errors(void **state)
{
    (void)state;
    NEEDS_2_1();
    check(BYTES("\x90\x48\x8b\x0c\x25\x08\x00\x90\x00") /* nop; mov rcx,[0x900008] */,
          UC_ERR_READ_UNMAPPED, CODE + 1, "ru900008:8");
    check(BYTES("\x90\x66\x89\x0c\x25\x08\x00\x90\x00") /* nop; mov [0x900008],cx */,
          UC_ERR_WRITE_UNMAPPED, CODE + 1, "wu900008:2=55");
    check(BYTES("\xb8\x00\x00\x90\x00\xff\xe0") /* mov eax,0x900000; jmp rax */,
          UC_ERR_FETCH_UNMAPPED, NOWHERE, "fu900000:1");
    check(BYTES("\x90\x48\x89\x0c\x25\x08\x00\x10\x00") /* nop; mov [0x100008],rcx */,
          UC_ERR_WRITE_PROT, CODE + 1, "wp100008:8=55");
    check(BYTES("\x90\x8a\x0c\x25\x00\x10\x10\x00") /* nop; mov cl,[0x101000] */, UC_ERR_READ_PROT,
          CODE + 1, "rp101000:1");
    check(BYTES("\x90\x8b\x0c\x25\x00\x20\x10\x00") /* nop; mov ecx,[0x102000] */, UC_ERR_READ_PROT,
          CODE + 1, "rp102000:4");
    check(BYTES("\xb8\x00\x00\x10\x00\xff\xe0") /* mov eax,0x100000; jmp rax */, UC_ERR_FETCH_PROT,
          RO, "fp100000:1");
    check(BYTES("\xff\x04\x25\x00\x00\x90\x00") /* inc dword ptr [0x900000] */,
          UC_ERR_READ_UNMAPPED, CODE, "ru900000:4");
    if (DIFFERS("fault-address-wide", "the upper 12 bits of the address are gone")) {
        check(
            BYTES("\x48\xb8\x00\x00\x00\x00\x00\x00\x00\x80\x48\x8b\x08") /* mov
                                                                             rax,0x8000000000000000;
                                                                             mov rcx,[rax] */
            ,
            UC_ERR_READ_UNMAPPED, CODE + 10, "ru8000000000000000:8");
        check(
            BYTES("\x48\xb8\x00\x00\x00\x00\x00\x00\x00\x80\xff\xe0") /* mov rax,0x8000000000000000;
                                                                         jmp rax */
            ,
            UC_ERR_FETCH_UNMAPPED, 0x8000000000000000, "fu8000000000000000:1");
    }
}

/* Push, pop, call and ret leave everything as it was. */
static void test_stack(void **state)
{
    static const struct {
        const char *code;
        uc_err error;
        const char *log;
    } rows[] = {
        {"\x51", UC_ERR_WRITE_UNMAPPED, "wu8ffff8:8=55"},           /* push rcx */
        {"\x59", UC_ERR_READ_UNMAPPED, "ru900000:8"},               /* pop rcx */
        {"\xe8\0\0\0\0", UC_ERR_WRITE_UNMAPPED, "wu8ffff8:8=1005"}, /* call */
        {"\xc3", UC_ERR_READ_UNMAPPED, "ru900000:8"},               /* ret */
    };
    struct uct t;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        uct_x86(&t, 64, (const uint8_t *)rows[i].code, i == 2 ? 5 : 1);
        uct_set(&t, UC_X86_REG_RSP, NOWHERE);
        uct_set(&t, UC_X86_REG_RCX, 0x55);
        uct_log(&t, "F");
        fails(uct_run(&t), rows[i].error);
        uct_expect(&t, rows[i].log);
        assert_int_equal(uct_get(&t, UC_X86_REG_RSP), NOWHERE);
        assert_int_equal(uct_get(&t, UC_X86_REG_RCX), 0x55);
        assert_int_equal(uct_pc(&t), CODE);
        uct_close(&t);
    }
}

static void test_errors_arm(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_arm(&t, UC_MODE_ARM,
            BYTES("\x09\x06\xa0\xe3\x04\x10\xb0\xe5") /* mov r0,#0x900000; ldr r1,[r0,#4]! */);
    uct_log(&t, "F");
    fails(uct_run(&t), UC_ERR_READ_UNMAPPED);
    uct_expect(&t, "ru900004:4");
    assert_int_equal(uct_pc(&t), CODE + 4);
    assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 0x900000); /* not updated */
    uct_code(&t, CODE,
             BYTES("\x09\x06\xa0\xe3\x01\x10\xc0\xe4") /* mov r0,#0x900000; strb r1,[r0],#1 */);
    fails(uct_run(&t), UC_ERR_WRITE_UNMAPPED);
    uct_expect(&t, "wu900000:1=0");
    assert_int_equal(uct_get(&t, UC_ARM_REG_R0), 0x900000);
    uct_code(&t, CODE, BYTES("\x09\x06\xa0\xe3\x10\xff\x2f\xe1") /* mov r0,#0x900000; bx r0 */);
    fails(uct_run(&t), UC_ERR_FETCH_UNMAPPED);
    assert_int_equal(uct_pc(&t), NOWHERE);
    uct_close(&t);
}

/* A hook that says yes and maps nothing. */
static void test_not_mapped(void **state)
{
    static const char *const code[] = {"\x48\x8b\x0c\x25\x00\x00\x90\x00",
                                       "\x48\x89\x0c\x25\x00\x00\x90\x00",
                                       "\xb8\x00\x00\x90\x00\xff\xe0\x90"};
    static const uint64_t pc[] = {CODE, CODE, NOWHERE};
    struct uct t;

    (void)state;
    for (int i = 0; i < 3; i++) {
        uct_x86(&t, 64, (const uint8_t *)code[i], 8);
        uct_log(&t, "f");
        fails(uct_run(&t), UC_ERR_MAP);
        assert_int_equal(t.events, 1);
        assert_int_equal(uct_pc(&t), pc[i]);
        uct_close(&t);
    }
}

static bool maps(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t value,
                 void *user)
{
    static const uint64_t nops = 0x9090909090909090;

    (void)size;
    (void)value;
    uct_add(user, "map%x", (unsigned)address);
    ok(uc_mem_map(uc, address & ~(uint64_t)0xfff, 0x1000, UC_PROT_ALL));
    if (type == UC_MEM_FETCH_UNMAPPED)
        ok(uc_mem_write(uc, address, &nops, 8));
    return true;
}

static void check_retry(const uint8_t *code, size_t n, uint64_t end, const char *log)
{
    struct uct t;

    uct_x86(&t, 64, code, n);
    uct_set(&t, UC_X86_REG_RCX, 0x55);
    t.end = end ? end : t.end;
    uct_hook(&t, UC_HOOK_MEM_UNMAPPED, (void *)maps);
    uct_log(&t, "crwa");
    ok(uct_run(&t));
    uct_expect(&t, log);
    assert_int_equal(uct_pc(&t), t.end);
    uct_close(&t);
}

static void test_retry(void **state)
{
    (void)state;
    NEEDS_2_1();
    check_retry(BYTES("\x48\x8b\x0c\x25\x08\x00\x90\x00\x90") /* mov rcx,[0x900008]; nop */, 0,
                "c1000:8 map900008 r900008:8 a900008:8=0 c1008:1");
    check_retry(
        BYTES(
            "\x48\x89\x0c\x25\x08\x00\x90\x00\x48\x8b\x04\x25\x08\x00\x90\x00") /* mov
                                                                                   [0x900008],rcx;
                                                                                   mov
                                                                                   rax,[0x900008] */
        ,
        0, "c1000:8 w900008:8=55 map900008 c1008:8 r900008:8 a900008:8=55");
    check_retry(BYTES("\xb8\x00\x00\x90\x00\xff\xe0") /* mov eax,0x900000; jmp rax */, NOWHERE + 2,
                "c1000:5 c1005:2 map900000 c900000:1 c900001:1");
    check_retry(BYTES("\xff\x04\x25\x00\x00\x90\x00") /* inc dword ptr [0x900000] */, 0,
                "c1000:7 map900000 r900000:4 a900000:4=0 w900000:4=1");
    check_retry(BYTES("\xbc\x00\x00\x90\x00\x51") /* mov esp,0x900000; push rcx */, 0,
                "c1000:5 c1005:1 w8ffff8:8=55 map8ffff8");
    check_retry(BYTES("\xbe\x00\x00\x90\x00\xbf\x00\x00\xa0\x00\xa4") /* mov esi,0x900000; mov
                                                                         edi,0xa00000; movsb */
                ,
                0, "c1000:5 c1005:5 c100a:1 map900000 r900000:1 a900000:1=0 wa00000:1=0 mapa00000");
}

static void test_retry_on_two_pages(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x48\x89\x0c\x25\xfc\x0f\x01\x00\x48\x8b\x04\x25\xfc\x0f\x01\x00") /* mov [0x10ffc],rcx; mov rax,[0x10ffc] */);
    uct_set(&t, UC_X86_REG_RCX, 0x1122334455667788);
    uct_hook(&t, UC_HOOK_MEM_UNMAPPED, (void *)maps);
    ok(uct_run(&t));
    uct_expect(&t, "map11000"); /* where the fault is, not where the access begins */
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 0x1122334455667788);
    uct_close(&t);
    uct_x86(&t, 64, BYTES("\x48\x89\x0c\x25\xfc\x0f\x90\x00\x48\x8b\x04\x25\xfc\x0f\x90\x00") /* mov [0x900ffc],rcx; mov rax,[0x900ffc] */);
    uct_set(&t, UC_X86_REG_RCX, 0x1122334455667788);
    uct_hook(&t, UC_HOOK_MEM_UNMAPPED, (void *)maps);
    ok(uct_run(&t));
    uct_expect(&t, "map900ffc map901000");
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 0x1122334455667788);
    uct_close(&t);
    /* Nothing is stored when the second page is not there. */
    uct_x86(&t, 64, BYTES("\x48\x89\x0c\x25\xfc\x0f\x01\x00") /* mov [0x10ffc],rcx */);
    uct_set(&t, UC_X86_REG_RCX, 0x1122334455667788);
    fails(uct_run(&t), UC_ERR_WRITE_UNMAPPED);
    if (DIFFERS("store-partial", "the bytes on the first page are stored"))
        assert_int_equal(uct_mem(&t, 0x10ffc, 4), 0);
    uct_close(&t);
}

/* An instruction that goes on into a page that is mapped when it is needed. */
static void test_retry_of_fetch_on_two_pages(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x90") /* nop */);
    uct_code(&t, 0x10ffd, BYTES("\x48\xb8\x11")); /* mov rax,...; nop where the rest would be */
    t.begin = 0x10ffd;
    t.end = 0x11007;
    uct_hook(&t, UC_HOOK_MEM_UNMAPPED, (void *)maps);
    ok(uct_run(&t));
    uct_expect(&t, "map11000");
    assert_int_equal(uct_get(&t, UC_X86_REG_RAX), 0x9090909090909011);
    uct_close(&t);
}

static bool fixes(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t value,
                  void *user)
{
    (void)type;
    (void)size;
    (void)value;
    uct_add(user, "fix%x", (unsigned)address);
    ok(uc_mem_protect(uc, address & ~(uint64_t)0xfff, 0x1000, UC_PROT_ALL));
    return true;
}

static void test_protected_retry(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(
        &t,
        64, BYTES("\x48\x89\x0c\x25\x10\x00\x10\x00\x48\x8b\x04\x25\x00\x10\x10\x00\x48\x89\x0c\x25\x18\x00\x10\x00\x48\x8b\x14\x25\x10\x00\x10\x00") /* mov [0x100010],rcx; mov rax,[0x101000]; mov [0x100018],rcx; mov rdx,[0x100010] */);
    map_protected(&t);
    uct_set(&t, UC_X86_REG_RCX, 0x55);
    uct_hook(&t, UC_HOOK_MEM_PROT, (void *)fixes);
    ok(uct_run(&t));
    uct_expect(&t, "fix100010 fix101000");
    if (DIFFERS("prot-store-lost", "the store whose hook made the memory writable is dropped"))
        assert_int_equal(uct_get(&t, UC_X86_REG_RDX), 0x55);
    uct_close(&t);
    if (DIFFERS("fetch-prot-retry", "crashes when the hook of a fetch changes the permission")) {
        uct_x86(&t, 64, BYTES("\xb8\x00\x00\x10\x00\xff\xe0") /* mov eax,0x100000; jmp rax */);
        map_protected(&t);
        t.end = RO + 2;
        uct_hook(&t, UC_HOOK_MEM_FETCH_PROT, (void *)fixes);
        ok(uct_run(&t));
        uct_expect(&t, "fix100000");
        assert_int_equal(uct_pc(&t), t.end);
        uct_close(&t);
    }
}

/* Yes without a change is no, as it is where nothing is mapped. */
static void test_protected_unchanged(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x48\x89\x0c\x25\x10\x00\x10\x00") /* mov [0x100010],rcx */);
    map_protected(&t);
    uct_log(&t, "f");
    if (DIFFERS("prot-ignored", "the store is dropped silently, a load takes place")) {
        fails(uct_run(&t), UC_ERR_MAP);
        assert_int_equal(uct_pc(&t), CODE);
        uct_code(&t, CODE, BYTES("\x48\x8b\x0c\x25\x00\x10\x10\x00") /* mov rcx,[0x101000] */);
        fails(uct_run(&t), UC_ERR_MAP);
    }
    uct_close(&t);
}

static bool maps_read_only(uc_engine *uc, uc_mem_type type, uint64_t address, int size,
                           int64_t value, void *user)
{
    (void)type;
    (void)size;
    (void)value;
    uct_add(user, "map%x", (unsigned)address);
    ok(uc_mem_map(uc, address & ~(uint64_t)0xfff, 0x1000, UC_PROT_READ));
    return true;
}

static void test_mapped_read_only(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x48\x89\x0c\x25\x08\x00\x90\x00") /* mov [0x900008],rcx */);
    uct_hook(&t, UC_HOOK_MEM_UNMAPPED, (void *)maps_read_only);
    uct_hook(&t, UC_HOOK_MEM_PROT, (void *)fixes);
    ok(uct_run(&t));
    uct_expect(&t, "map900008 fix900008");
    uct_close(&t);
}

static bool says_no(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t value,
                    void *user)
{
    (void)uc;
    (void)type;
    (void)size;
    (void)value;
    uct_add(user, "no%x", (unsigned)address);
    return false;
}

/* They are asked in turn until one says yes. */
static void test_several(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x48\x8b\x0c\x25\x08\x00\x90\x00") /* mov rcx,[0x900008] */);
    uct_hook(&t, UC_HOOK_MEM_READ_UNMAPPED, (void *)says_no);
    uct_hook(&t, UC_HOOK_MEM_READ_UNMAPPED, (void *)maps);
    uct_hook(&t, UC_HOOK_MEM_READ_UNMAPPED, (void *)says_no);
    ok(uct_run(&t));
    uct_expect(&t, "no900008 map900008");
    uct_close(&t);
}

static void test_ranges_and_kinds(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\x48\x8b\x0c\x25\x08\x00\x90\x00") /* mov rcx,[0x900008] */);
    uct_hook_in(&t, UC_HOOK_MEM_READ_UNMAPPED, (void *)maps, NOWHERE, NOWHERE + 7);
    uct_hook(&t, UC_HOOK_MEM_WRITE_UNMAPPED, (void *)maps);
    uct_hook(&t, UC_HOOK_MEM_FETCH_UNMAPPED, (void *)maps);
    uct_hook(&t, UC_HOOK_MEM_PROT, (void *)maps);
    fails(uct_run(&t), UC_ERR_READ_UNMAPPED);
    uct_expect(&t, "");
    uct_hook_in(&t, UC_HOOK_MEM_READ_UNMAPPED, (void *)maps, NOWHERE + 8, NOWHERE + 8);
    ok(uct_run(&t));
    uct_expect(&t, "map900008");
    uct_close(&t);
}

static bool stops(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t value,
                  void *user)
{
    (void)type;
    (void)address;
    (void)size;
    (void)value;
    (void)user;
    ok(uc_emu_stop(uc));
    return false;
}

static bool maps_and_stops(uc_engine *uc, uc_mem_type type, uint64_t address, int size,
                           int64_t value, void *user)
{
    maps(uc, type, address, size, value, user);
    ok(uc_emu_stop(uc));
    return true;
}

static void test_stop(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(&t, 64, BYTES("\x48\xff\xc3\x48\x8b\x0c\x25\x08\x00\x90\x00\x48\xff\xc3") /* inc rbx; mov rcx,[0x900008]; inc rbx */);
    uct_hook(&t, UC_HOOK_MEM_UNMAPPED, (void *)stops);
    fails(uct_run(&t), UC_ERR_READ_UNMAPPED);
    assert_int_equal(uct_pc(&t), CODE + 3);
    uct_close(&t);
    uct_x86(&t, 64, BYTES("\x48\xff\xc3\x48\x8b\x0c\x25\x08\x00\x90\x00\x48\xff\xc3") /* inc rbx; mov rcx,[0x900008]; inc rbx */);
    uct_hook(&t, UC_HOOK_MEM_UNMAPPED, (void *)maps_and_stops);
    ok(uct_run(&t));
    if (DIFFERS("fault-stop", "goes on to the end of the block"))
        assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 1);
    uct_close(&t);
}

static bool goes_elsewhere(uc_engine *uc, uc_mem_type type, uint64_t address, int size,
                           int64_t value, void *user)
{
    uint64_t to = DATA;

    (void)type;
    (void)size;
    (void)value;
    uct_add(user, "at%x", (unsigned)address);
    ok(uc_reg_write(uc, UC_X86_REG_RIP, &to));
    return true;
}

/* "The instruction pointer may be written to in order to change where execution resumes". */
static void test_jump_from_fetch(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 64, BYTES("\xb8\x00\x00\x90\x00\xff\xe0") /* mov eax,0x900000; jmp rax */);
    uct_code(&t, DATA, BYTES("\x48\xff\xc3") /* inc rbx */);
    uct_hook(&t, UC_HOOK_MEM_FETCH_UNMAPPED, (void *)goes_elsewhere);
    if (DIFFERS("fetch-jump", "a pc written by the hook of a fetch gives UC_ERR_MAP")) {
        ok(uct_run(&t));
        uct_expect(&t, "at900000");
        assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 1);
        assert_int_equal(uct_pc(&t), t.end);
    }
    uct_close(&t);
}

/* The engine can be used after each error. */
static void test_goes_on(void **state)
{
    struct uct t;

    (void)state;
    NEEDS_2_1();
    uct_x86(&t, 64, BYTES("\x48\xff\xc3\x48\x8b\x0c\x25\x08\x00\x90\x00\x48\xff\xc3") /* inc rbx; mov rcx,[0x900008]; inc rbx */);
    for (unsigned i = 1; i < 4; i++) {
        fails(uct_run(&t), UC_ERR_READ_UNMAPPED);
        assert_int_equal(uct_get(&t, UC_X86_REG_RBX), i);
    }
    ok(uc_mem_map(t.uc, NOWHERE, 0x1000, 7));
    ok(uc_emu_start(t.uc, uct_pc(&t), t.end, 0, 0));
    assert_int_equal(uct_get(&t, UC_X86_REG_RBX), 4);
    uct_close(&t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_stack),
        cmocka_unit_test(test_errors_arm),
        cmocka_unit_test(test_not_mapped),
        cmocka_unit_test(test_retry),
        cmocka_unit_test(test_retry_on_two_pages),
        cmocka_unit_test(test_retry_of_fetch_on_two_pages),
        cmocka_unit_test(test_protected_retry),
        cmocka_unit_test(test_protected_unchanged),
        cmocka_unit_test(test_mapped_read_only),
        cmocka_unit_test(test_several),
        cmocka_unit_test(test_ranges_and_kinds),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_jump_from_fetch),
        cmocka_unit_test(test_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
